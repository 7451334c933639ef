"""Prints the extension modules of a layer that this interpreter can import.

Why: "the set of importable modules is the same before and after" is what the
users of a layer see, and it must not be judged by sofold itself.
How: import_probe.py LAYER [--reasons] [--together]. Every file of LAYER whose name ends in
one of the interpreter's extension suffixes is imported in a process of its
own, forked from a parent that has imported nothing of the layer, one process a
core. Prints the sorted module names; with --reasons also why the others fail.
With --together one process imports them all, one after the other: for an interpreter
that is too slow to import numpy anew for each.
A module that kills its process, or hangs, is not importable.

Runs on Python 3.6 to 3.13. Nothing is written into the layer: bytecode goes
to the directory named by SOFOLD_PYCACHE, if any.
"""

import importlib
import importlib._bootstrap_external as bootstrap
import importlib.machinery
import os
import re
import signal
import sys

SECONDS = 120


def keep_bytecode_out(layer):
    """Files compiled code under SOFOLD_PYCACHE by its path inside the layer.

    So the copies of one layer share it (a stale one is refused by time stamp and
    size, as usual), which sys.pycache_prefix, from 3.8 on, would not do.
    """
    directory = os.environ.get("SOFOLD_PYCACHE")
    if not directory:
        sys.dont_write_bytecode = True
        return
    sys.dont_write_bytecode = False
    usual = bootstrap.cache_from_source

    def elsewhere(path, *rest, **options):
        path = os.path.abspath(path)
        if path.startswith(layer + os.sep):
            path = path[len(layer):]
        return directory + usual(path, *rest, **options)

    bootstrap.cache_from_source = elsewhere


def module_name(relative):
    for suffix in sorted(importlib.machinery.EXTENSION_SUFFIXES, key=len, reverse=True):
        if relative.endswith(suffix):
            name = relative[: -len(suffix)].replace(os.sep, ".")
            return name if re.match(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", name) else None
    return None


def modules_of(layer):
    found = set()
    for directory, _, files in os.walk(layer):
        for name in files:
            module = module_name(os.path.relpath(os.path.join(directory, name), layer))
            if module:
                found.add(module)
    return sorted(found)


def import_in_child(module, reason):
    """Forks; the child leaves 0 after a good import, else its reason and 1."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.alarm(SECONDS)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        importlib.import_module(module)
        status = 0
    except BaseException as error:  # SystemExit is a failure to import, too
        os.write(reason, ("%s: %s" % (type(error).__name__, error)).encode()[:400])
    finally:
        os._exit(status)


def import_together(modules):
    """What can be imported, and the reasons why others cannot."""
    importable, failed = [], {}
    for module in modules:
        try:
            importlib.import_module(module)
            importable.append(module)
        except BaseException as error:
            failed[module] = "%s: %s" % (type(error).__name__, error)
    return importable, failed


def import_apart(modules):
    """The same, from a process for each."""
    waiting, running, failed, importable = modules[::-1], {}, {}, []
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            module = waiting.pop()
            read_end, write_end = os.pipe()
            running[import_in_child(module, write_end)] = (module, read_end)
            os.close(write_end)
        pid, status = os.wait()
        module, read_end = running.pop(pid)
        reason = os.read(read_end, 400).decode(errors="replace")
        os.close(read_end)
        if status == 0:
            importable.append(module)
        else:
            failed[module] = reason or "ended with status %d" % status
    return importable, failed


def main():
    layer = os.path.abspath(sys.argv[1])
    keep_bytecode_out(layer)
    sys.path.insert(0, layer)
    way = import_together if "--together" in sys.argv else import_apart
    importable, failed = way(modules_of(layer))
    for module in sorted(importable):
        print(module)
    if "--reasons" in sys.argv:
        for module in sorted(failed):
            print("%s: %s" % (module, " ".join(failed[module].split())), file=sys.stderr)


main()
