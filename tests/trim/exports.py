"""What a trimmed library still exports, and whether all of it is there.

Why: a name that is found must lead to the code it led to; one that is gone must be missed
in words, not by a jump into a hole.
How: exports.py BEFORE AFTER [CORE...] loads both libraries. For every name AFTER defines,
the bytes of its function are those of BEFORE at the same address. Every other name of
BEFORE is looked up late, as ctypes does, and must be unknown. The tables of the COREs
that stay lead to the same code as before, or to a copy that differs in displacements only.
Prints complaints, and then "# LEFT exports left, GONE gone, SLOTS slots, FOLDED folded".
"""

import ctypes
import os
import struct
import sys

from image import FUNC, OBJECT, Image


def base_of(library, image):
    """Where the library is loaded."""
    name = next(name for name in sorted(image.symbols) if image.symbols[name].kind == OBJECT)
    return ctypes.addressof(ctypes.c_char.in_dll(library, name)) - image.symbols[name].value


def left(before, after, library):
    for name, symbol in sorted(after.symbols.items()):
        try:
            library[name] if symbol.kind == FUNC else ctypes.c_char.in_dll(library, name)
        except (AttributeError, ValueError) as error:
            yield "%s: is exported and not found: %s" % (name, error)
        if name not in before.symbols:
            yield "%s: was not there before" % name
        elif symbol.kind == FUNC:
            expected, found = (image.at(symbol.value, max(symbol.size, 4)) for image in (before, after))
            if found is None:
                yield "%s: leads into a hole" % name
            elif found != expected:
                yield "%s: has other code than before" % name


def gone(before, after, library):
    for name in sorted(set(before.symbols) - set(after.symbols)):
        try:
            library[name]
            yield "%s: is found, and not exported" % name
        except AttributeError as error:
            if "undefined symbol: " + name not in str(error):
                yield "%s: %s" % (name, error)


class Folded(Exception):
    pass


def slot(before, after, sizes, old, new):
    """Why a table's new pointer does not do what the old one did, if so. The code of
    functions without a size (assembly of aarch64) is compared as far as the next."""
    code, size = before.at(old, sizes[old]), sizes[old]
    found = after.at(new, size)
    if found is None:
        return "leads into a hole"
    if old == new:
        return None if found == code else "has other code than before"
    if sum(one != other for one, other in zip(found, code)) * 5 > size:
        return "leads to other code"
    raise Folded


def sizes_of(image):
    """Every function's size, by its address."""
    starts = sorted({symbol.value for symbol in image.symbols.values() if symbol.kind == FUNC})
    sizes = dict(zip(starts, (end - start for start, end in zip(starts, starts[1:] + [starts[-1] + 4]))))
    for symbol in image.symbols.values():
        if symbol.kind == FUNC and symbol.size:
            sizes[symbol.value] = symbol.size
    return sizes


def tables(before, after, bases, cores, counts):
    sizes = sizes_of(before)
    for core in cores:
        table = before.symbols.get("gotoblas_" + core)
        if table is None or before.at(table.value, 8) is None:
            continue
        old, new = (ctypes.string_at(base + table.value, table.size) for base in bases)
        for offset in range(0, table.size - 7, 8):
            was, now = (struct.unpack_from("<Q", memory, offset)[0] - base for memory, base in zip((old, new), bases))
            if not before.is_code(was):
                continue
            counts["slots"] += 1
            if was not in sizes:
                if was != now or after.at(was, 4) != before.at(was, 4):
                    yield "%s, slot %d: is no longer what it was" % (core, offset)
                continue
            try:
                why = slot(before, after, sizes, was, now)
            except Folded:
                counts["folded"] += 1
                continue
            if why:
                yield "%s, slot %d: %s" % (core, offset, why)


def main():
    paths, cores = [os.path.abspath(path) for path in sys.argv[1:3]], sys.argv[3:]
    before, after = (Image(path) for path in paths)
    libraries = [ctypes.CDLL(path) for path in paths]
    counts = {"slots": 0, "folded": 0}
    complaints = list(left(before, after, libraries[1])) + list(gone(before, after, libraries[1]))
    if cores:
        bases = [base_of(library, image) for library, image in zip(libraries, (before, after))]
        complaints += tables(before, after, bases, cores, counts)
    for complaint in complaints:
        print(complaint)
    print("# %d exports left, %d gone, %d slots, %d folded" % (
        len(after.symbols), len(set(before.symbols) - set(after.symbols)), counts["slots"], counts["folded"]))
    sys.stdout.flush()
    os._exit(bool(complaints))  # not by way of two libraries' destructors


main()
