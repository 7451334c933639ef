"""What wheels are made of, by the rules of their specification.

record TREE PACKAGE VERSION   write PACKAGE-VERSION.dist-info for what is there
check TREE                    every RECORD must say what is there
digest TREE...                print all there is to know of a tree
"""

import base64
import csv
import hashlib
import os
import stat
import sys


def row(tree, path):
    data = open(os.path.join(tree, path), "rb").read()
    value = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return [path, "sha256=" + value.decode(), str(len(data))]


def files_of(tree, package):
    for top in (package, package + ".libs", package + ".data"):
        for directory, _, names in os.walk(os.path.join(tree, top)):
            for name in sorted(names):
                yield os.path.relpath(os.path.join(directory, name), tree)


def record(tree, package, version):
    info = f"{package}-{version}.dist-info"
    os.makedirs(os.path.join(tree, info), exist_ok=True)
    for name, text in (
        ("METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"),
        ("WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"),
    ):
        with open(os.path.join(tree, info, name), "w") as out:
            out.write(text)
    paths = sorted(files_of(tree, package)) + [f"{info}/METADATA", f"{info}/WHEEL"]
    with open(os.path.join(tree, info, "RECORD"), "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows(row(tree, path) for path in paths)
        writer.writerow([f"{info}/RECORD", "", ""])


def check_record(tree, path):
    with open(os.path.join(tree, path), newline="") as lines:
        rows = list(csv.reader(lines))
    wrong = [r for r in rows if r[1] and (not os.path.exists(os.path.join(tree, r[0])) or row(tree, r[0]) != r)]
    listed = {r[0] for r in rows}
    package = os.path.basename(os.path.dirname(path)).split("-")[0]
    missing = [f for f in files_of(tree, package) if f not in listed]
    twice = len(rows) - len(listed)
    for r in wrong:
        print(f"{path}: stale row {r[0]}")
    for f in missing:
        print(f"{path}: no row for {f}")
    if twice:
        print(f"{path}: {twice} rows stand twice")
    return not wrong and not missing and not twice


def check(tree):
    records = [f"{d}/RECORD" for d in sorted(os.listdir(tree)) if d.endswith(".dist-info")]
    return all([check_record(tree, path) for path in records]) and bool(records)


def entries(tree):
    for directory, subdirectories, names in os.walk(os.fsencode(tree)):
        for name in subdirectories + names:
            yield os.path.join(directory, name)


def digest(tree):
    inodes = {}
    for path in sorted(entries(tree)):
        st = os.lstat(path)
        words = [os.path.relpath(path, os.fsencode(tree)), oct(st.st_mode)]
        if stat.S_ISREG(st.st_mode):
            first = inodes.setdefault(st.st_ino, words[0])
            words += [st.st_mtime_ns, first, hashlib.sha256(open(path, "rb").read()).hexdigest()]
        elif stat.S_ISLNK(st.st_mode):
            words.append(os.readlink(path))
        print(*words)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    done = {"record": record, "check": check, "digest": digest}[command](*arguments)
    sys.exit(done is False)
