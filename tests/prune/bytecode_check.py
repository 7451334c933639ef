"""Prints the modules of a layer whose bytecode this interpreter would not take.

Why: bytecode that is stale is recompiled at every cold start, where it cannot be written.
How: bytecode_check.py LAYER, by the interpreter the layer is for. The .pyc of each .py file
that compiles must be there, with this interpreter's magic number, and either be unchecked
hash-based (flags 1), hash-based with the source's hash (flags 3), or have the source's time
and size (flags 0).
"""

import importlib.util
import os
import struct
import sys


def trouble(source):
    cached = importlib.util.cache_from_source(source)
    if not os.path.exists(cached):
        return None if not compiles(source) else "no bytecode"
    with open(cached, "rb") as file:
        header = file.read(16)
    if header[:4] != importlib.util.MAGIC_NUMBER:
        return "another interpreter's magic number"
    flags = struct.unpack("<I", header[4:8])[0]
    if flags == 1:
        return None
    with open(source, "rb") as file:
        text = file.read()
    if flags == 3:
        return None if importlib.util.source_hash(text) == header[8:16] else "the hash of another source"
    stamp = struct.pack("<II", int(os.stat(source).st_mtime) & 0xFFFFFFFF, len(text) & 0xFFFFFFFF)
    return None if flags == 0 and stamp == header[8:16] else "the time or size of another source"


def compiles(source):
    try:
        with open(source, "rb") as file:
            compile(file.read(), source, "exec")
        return True
    except (SyntaxError, ValueError):
        return False


def main():
    top = sys.argv[1]
    for directory, names, files in os.walk(top):
        names[:] = sorted(name for name in names if name != "__pycache__")
        for name in sorted(files):
            path = os.path.join(directory, name)
            what = trouble(path) if name.endswith(".py") else None
            if what:
                print("%s: %s" % (os.path.relpath(path, top), what))


main()
