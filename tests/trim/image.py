"""A shared object as a loader sees it: which bytes lie at an address, and its symbols.

Why: what sofold wrote must not be read by sofold. Section headers are not looked at.
"""

import struct

PT_LOAD, PT_DYNAMIC = 1, 2
DT_STRTAB, DT_SYMTAB, DT_GNU_HASH = 5, 6, 0x6FFFFEF5
OBJECT, FUNC = 1, 2
SHN_ABS = 0xFFF1


class Symbol:
    def __init__(self, name, value, size, kind):
        self.name, self.value, self.size, self.kind = name, value, size, kind


class Image:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        at, count = struct.unpack_from("<Q", self.bytes, 32)[0], struct.unpack_from("<H", self.bytes, 56)[0]
        self.headers = [struct.unpack_from("<IIQQQQQQ", self.bytes, at + 56 * i) for i in range(count)]
        self.loads = [header for header in self.headers if header[0] == PT_LOAD]
        self.symbols = {symbol.name: symbol for symbol in self._symbols()}

    def at(self, address, length):
        """The file's bytes there, or None: not all of them are loaded from the file."""
        for _, _, offset, start, _, size, _, _ in self.loads:
            if start <= address and address + length <= start + size:
                return self.bytes[offset + address - start : offset + address - start + length]
        return None

    def is_code(self, address):
        return any(header[1] & 1 and header[3] <= address < header[3] + header[5] for header in self.loads)

    def _dynamic(self):
        start, size = next((header[3], header[5]) for header in self.headers if header[0] == PT_DYNAMIC)
        return dict(struct.iter_unpack("<QQ", self.at(start, size)))

    def _symbols(self):
        """The defined ones; not those that name a version."""
        dynamic = self._dynamic()
        names, table = dynamic[DT_STRTAB], dynamic[DT_SYMTAB]
        for i in range(self._count(dynamic[DT_GNU_HASH])):
            name, info, _, section, value, size = struct.unpack("<IBBHQQ", self.at(table + 24 * i, 24))
            if section not in (0, SHN_ABS) and name:
                yield Symbol(self._name(names + name), value, size, info & 15)

    def _name(self, address):
        length = 16
        while True:
            found = self.at(address, length)
            if found is None:
                length -= 1
            elif b"\0" in found:
                return found.split(b"\0", 1)[0].decode()
            else:
                length *= 2

    def _count(self, table):
        """How many symbols there are, from the chains of DT_GNU_HASH."""
        buckets, first, words, _ = struct.unpack("<IIII", self.at(table, 16))
        start = table + 16 + 8 * words
        last = max(struct.unpack("<%dI" % buckets, self.at(start, 4 * buckets)))
        if last < first:
            return first
        chains = start + 4 * buckets
        while not struct.unpack("<I", self.at(chains + 4 * (last - first), 4))[0] & 1:
            last += 1
        return last + 1
