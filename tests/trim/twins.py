"""Asks objdump whether kernels that trim has folded are the same code.

    twins.py BEFORE AFTER       two states of one OpenBLAS

Why: sofold decodes instructions by itself. objdump's view is another one, and
prints operands as text.
How: a slot of a gotoblas_<CORE> table whose relocation leads elsewhere afterwards
gives a pair of kernels. Their disassembly (of BEFORE) must be the same text, where an
address inside the kernel is counted from its beginning, and one that leads out is
the same address, or names a kernel (or the linkage stub of one) which is a twin in turn by the
same rule.
"""
import collections
import os
import re
import subprocess
import sys

POINTERS = ("R_X86_64_64", "R_X86_64_RELATIVE", "R_AARCH64_ABS64", "R_AARCH64_RELATIV")


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def symbols(path):
    """Values by name, and (value, size) of the tables by core."""
    values, tables = {}, {}
    for line in lines("readelf", "-W", "--dyn-syms", path):
        field = line.split()
        if len(field) != 8 or field[6] in ("UND", "Ndx"):
            continue
        name, value, size = field[7].split("@")[0], int(field[1], 16), int(field[2], 0)
        values[name] = value
        if field[3] == "OBJECT" and re.match("gotoblas_[A-Z]", name):
            tables[name[9:]] = (value, size)
    return values, tables


def functions_of(path):
    """Where functions begin; labels of hand-written code are none."""
    found = set()
    for line in lines("readelf", "-W", "-s", path):
        field = line.split()
        if len(field) == 8 and field[3] == "FUNC" and field[6] != "UND":
            found.add(int(field[1], 16))
    return found


def pointers(path):
    """Where each relocated word of data leads."""
    found = {}
    for line in lines("readelf", "-W", "-r", path):
        field = line.split()
        if len(field) < 4 or field[2] not in POINTERS:
            continue
        if "RELATIV" in field[2]:
            found[int(field[0], 16)] = int(field[3], 16)
        elif len(field) >= 7 and field[5] in "+-":
            found[int(field[0], 16)] = int(field[3], 16) + int(field[5] + field[6], 16)
    return found


def pairs(before, after):
    """(own, twin): addresses of kernels, of slots that were folded."""
    _, tables = symbols(before)
    old, new = pointers(before), pointers(after)
    for value, size in tables.values():
        for at in range(value, value + size, 8):
            if at in old and new.get(at, old[at]) != old[at]:
                yield old[at], new[at]


class Code:
    """The disassembly of a file, function by function."""

    def __init__(self, path):
        self.text = collections.OrderedDict()
        start, functions = None, functions_of(path)
        for line in lines(os.environ.get("OBJDUMP", "objdump"), "-d", "-w", "--no-show-raw-insn", path):
            head = re.match(r"([0-9a-f]+) <(.*)>:$", line)
            if head:
                if int(head[1], 16) in functions or "@plt" in head[2] or start is None:
                    start = int(head[1], 16)
                    self.text[start] = []
            elif start is not None and ":\t" in line:
                at, text = line.split(":\t", 1)
                self.text[start].append((int(at, 16), text.strip()))
        self.starts = list(self.text)
        self.ends = dict(zip(self.starts, self.starts[1:]))
        self.known = {}
        self.slots = pointers(path)
        for line in lines("readelf", "-W", "-r", path):
            field = line.split()
            if len(field) > 3 and ("JUMP_SLO" in field[2] or "GLOB_DAT" in field[2]) and int(field[3], 16):
                self.slots[int(field[0], 16)] = int(field[3], 16)

    def trimmed(self, start):
        """Without the padding at the end."""
        code = list(self.text[start])
        while code and re.match(r"(data16 |cs )*(nop|xchg +%ax,%ax)|udf|\.inst|int3", code[-1][1]):
            code.pop()
        return code

    def behind(self, address):
        """What a linkage stub jumps to; other addresses are what they are."""
        for start in (address, address + 4):
            for at, text in self.text.get(start, [])[:3]:
                slot = re.search(r"jmp +\*.*# ([0-9a-f]+)", text)
                if slot and int(slot[1], 16) in self.slots:
                    return self.slots[int(slot[1], 16)]
        return address

    def same_place(self, a, x, b, y):
        """x in the kernel at a, y in that at b."""
        if x == y:
            return True
        if a <= x < self.ends.get(a, x + 1) and x - a == y - b:
            return True
        if x in self.slots and y in self.slots and self.slots[x] == self.slots[y]:
            return True
        x, y = self.slots.get(x, self.behind(x)), self.slots.get(y, self.behind(y))
        return x in self.text and y in self.text and self.same(x, y)

    def same_line(self, a, one, b, two):
        address = r"\b(?:0x)?([0-9a-f]+) <[^>]*>|# ([0-9a-f]+)(?: <[^>]*>)?"
        strip = r"-?(?:0x[0-9a-f]+)?\(%rip\)"
        plain = [re.sub(strip, "(%rip)", re.sub(address, "@", text)) for text in (one, two)]
        if plain[0] != plain[1]:
            return False
        places = [[int(m[0] or m[1], 16) for m in re.findall(address, text)] for text in (one, two)]
        return all(self.same_place(a, x, b, y) for x, y in zip(*places))

    def same(self, a, b):
        if a == b:
            return True
        if (a, b) not in self.known:
            self.known[a, b] = True  # till shown otherwise, and then the pair is wrong anyhow
            one, two = self.trimmed(a), self.trimmed(b)
            self.known[a, b] = len(one) == len(two) and all(
                self.same_line(a, x[1], b, y[1]) for x, y in zip(one, two))
        return self.known[a, b]


def main():
    sys.setrecursionlimit(10000)
    before, after = sys.argv[1:]
    code, wrong, nr = Code(before), [], 0
    for own, twin in sorted(set(pairs(before, after))):
        nr += 1
        code.known.clear()
        if not code.same(own, twin):
            wrong.append((own, twin))
    for own, twin in wrong[:20]:
        print(f"{own:#x} and {twin:#x} are not the same")
    print(f"{nr} kernels folded, {len(wrong)} wrongly")
    return 1 if wrong or not nr else 0


if __name__ == "__main__":
    sys.exit(main())
