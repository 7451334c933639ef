"""Compares `sofold audit --format json` with a count made here.

Why: the figures of an audit are what people act on.
How: audit_check.py AUDIT.json LAYER. Counts files, bytes and shared objects, and
groups shared objects by their SHA-256; every second and further copy of equal bytes
must be in a family that says so, with that digest. Prints complaints; status 1 if any.
"""

import hashlib
import json
import os
import sys


def files_of(layer):
    for directory, _, names in os.walk(layer):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield os.path.relpath(path, layer), path


def is_elf(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def equal_groups(objects):
    groups = {}
    for name, path in objects:
        groups.setdefault(sha256(path), []).append(name)
    return {digest: names for digest, names in groups.items() if len(names) > 1}


def complaints(audit, layer):
    files = list(files_of(layer))
    objects = [(name, path) for name, path in files if is_elf(path)]
    expected = {
        "files": len(files),
        "bytes": sum(os.path.getsize(path) for _, path in files),
        "objects": len(objects),
        "native_bytes": sum(os.path.getsize(path) for _, path in objects),
    }
    for key, value in expected.items():
        if audit["totals"][key] != value:
            yield "totals.%s is %r, counted %r" % (key, audit["totals"][key], value)
    told = {copy["path"]: copy["sha256"] for family in audit["families"] for copy in family["copies"]}
    for digest, names in sorted(equal_groups(objects).items()):
        for name in names:
            if told.get(name) != digest:
                yield "%s: equal to %d others, audit says %r" % (name, len(names) - 1, told.get(name))
    # More than the sum: a library outside all families goes if only dropped copies need it.
    if sum(family["reclaimable_bytes"] for family in audit["families"]) > audit["reclaimable_bytes"]:
        yield "reclaimable_bytes is less than the sum of the families'"
    if not isinstance(audit["schema_version"], int):
        yield "schema_version is not a number"


def main():
    with open(sys.argv[1]) as file:
        audit = json.load(file)
    found = list(complaints(audit, sys.argv[2]))
    for complaint in found:
        print(complaint)
    sys.exit(bool(found))


main()
