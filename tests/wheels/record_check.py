"""Prints what is wrong with the RECORD files of a layer, one complaint a line.

Why: installers and auditors compare files with RECORD; a rewritten or removed file
must not leave a stale row.
How: record_check.py LAYER. Each row's file must exist with that hash and size, and
each shared object that lies in a package's directory must have a row. Run on the
untouched and on the shrunk layer; the second may not say more than the first.
"""

import base64
import csv
import glob
import hashlib
import os
import sys


def digest(path):
    with open(path, "rb") as file:
        found = hashlib.sha256(file.read()).digest()
    return "sha256=" + base64.urlsafe_b64encode(found).decode().rstrip("=")


def check_row(layer, row, listed):
    name, expected, size = row[:3]
    path = os.path.join(layer, name)
    if name in listed:
        yield "%s: listed twice" % name
    listed.add(name)
    if not os.path.exists(path):
        yield "%s: listed, and not there" % name
    elif expected and digest(path) != expected:
        yield "%s: hash differs" % name
    elif size and os.path.getsize(path) != int(size):
        yield "%s: size differs" % name


def main():
    layer, listed = sys.argv[1], set()
    for record in sorted(glob.glob(os.path.join(layer, "*.dist-info", "RECORD"))):
        with open(record, newline="") as rows:
            for row in csv.reader(rows):
                for complaint in check_row(layer, row, listed):
                    print(complaint)
    for directory, _, files in os.walk(layer):
        for name in files:
            path = os.path.relpath(os.path.join(directory, name), layer)
            if ".so" in name and path not in listed:
                print("%s: there, and not listed" % path)


main()
