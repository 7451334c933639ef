"""From a good shared object every kind of broken one.

	malform.py GOOD DIRECTORY

Writes DIRECTORY/NAME.so for each case and prints "NAME VERDICT":

  bad   no loader or reader can make sense of it: it must be named in the
        findings, with a reason, and stay as it is, byte for byte
  any   a loader may not care: whatever is done, it must load as it did
"""

import struct
import sys

PT_LOAD, PT_DYNAMIC, PT_NOTE = 1, 2, 4
DT_NULL, DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_RELAENT, DT_STRSZ = 0, 1, 4, 5, 6, 7, 8, 9, 10
DT_SYMENT, DT_SONAME, DT_RUNPATH, DT_JMPREL, DT_PLTRELSZ, DT_INIT_ARRAYSZ = 11, 14, 29, 23, 2, 27
DT_GNU_HASH, DT_VERSYM, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = (
    0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF)
HUGE = 0xFFFFFFFFFFFFFFF0
E_PHOFF, E_SHOFF, E_PHENTSIZE, E_PHNUM, E_SHENTSIZE, E_SHNUM, E_SHSTRNDX = 32, 40, 54, 56, 58, 60, 62
P_TYPE, P_FLAGS, P_OFFSET, P_VADDR, P_FILESZ, P_MEMSZ, P_ALIGN = 0, 4, 8, 16, 32, 40, 48


class Object:
    """Bytes of a 64-bit little-endian object with places that have names."""

    def __init__(self, data):
        self.data = bytearray(data)

    def get(self, form, at):
        return struct.unpack_from("<" + form, self.data, at)[0]

    def put(self, form, at, value):
        struct.pack_into("<" + form, self.data, at, value)
        return self

    def phdr(self, kind, nth=0):
        table = self.get("Q", E_PHOFF)
        found = [table + 56 * i for i in range(self.get("H", E_PHNUM)) if self.get("I", table + 56 * i) == kind]
        return found[nth]

    def shdr(self, i):
        return self.get("Q", E_SHOFF) + 64 * i

    def dynamic(self):
        at = self.get("Q", self.phdr(PT_DYNAMIC) + P_OFFSET)
        while self.get("Q", at) != DT_NULL:
            yield at
            at += 16
        yield at

    def tag(self, tag):
        """Offset of the value of a dynamic tag."""
        return next(at + 8 for at in self.dynamic() if self.get("Q", at) == tag)

    def table(self, tag):
        """Offset of the table that a dynamic tag points to."""
        vaddr = self.get("Q", self.tag(tag))
        for i in range(20):
            load = self.phdr(PT_LOAD, i)
            start, size = self.get("Q", load + P_VADDR), self.get("Q", load + P_FILESZ)
            if start <= vaddr < start + size:
                return vaddr - start + self.get("Q", load + P_OFFSET)

    def symbol(self, nth):
        return self.table(DT_SYMTAB) + 24 * nth


def truncations(good):
    size = len(good.data)
    loads_end = max(
        good.get("Q", good.phdr(PT_LOAD, i) + P_OFFSET) + good.get("Q", good.phdr(PT_LOAD, i) + P_FILESZ) for i in range(4))
    marks = {5, 15, 16, 17, 40, 63, 64, 65, 64 + 56, 64 + 56 * good.get("H", E_PHNUM) - 1}
    for i in range(1, good.get("H", E_SHNUM)):
        start = good.get("Q", good.shdr(i) + 24)
        marks |= {start, start + good.get("Q", good.shdr(i) + 32) // 2}
    marks |= {good.get("Q", E_SHOFF), good.get("Q", E_SHOFF) + 65, size - 1}
    for mark in sorted(m for m in marks if 4 < m < size):
        # Without its section headers a file may still load; that is for "any".
        yield f"cut_at_{mark}", "bad" if mark < loads_end else "any", good.data[:mark]


def edits(good):
    def case(name, verdict, *changes):
        broken = Object(good.data)
        for form, at, value in changes:
            broken.put(form, at, value)
        return name, verdict, broken.data

    loads = [good.phdr(PT_LOAD, i) for i in range(4)]
    size = len(good.data)
    dynamic = good.phdr(PT_DYNAMIC)
    verneed, verdef = good.table(DT_VERNEED), good.table(DT_VERDEF)
    aux = verneed + good.get("I", verneed + 8)
    daux = verdef + good.get("I", verdef + 12)
    strtab, strsz = good.table(DT_STRTAB), good.get("Q", good.tag(DT_STRSZ))
    gnu_hash = good.table(DT_GNU_HASH)
    bloom = good.get("I", gnu_hash + 8)

    yield case("class_0", "bad", ("B", 4, 0))
    yield case("class_9", "bad", ("B", 4, 9))
    yield case("data_7", "bad", ("B", 5, 7))
    yield case("ident_version_9", "any", ("B", 6, 9))
    yield case("type_unknown", "any", ("H", 16, 0xABCD))
    yield case("ehsize_0", "any", ("H", 52, 0))
    yield case("phoff_beyond", "bad", ("Q", E_PHOFF, size + 1))
    yield case("phoff_huge", "bad", ("Q", E_PHOFF, HUGE))
    yield case("phoff_odd", "any", ("Q", E_PHOFF, 65))
    yield case("phnum_65534", "bad", ("H", E_PHNUM, 65534))
    yield case("phnum_0", "any", ("H", E_PHNUM, 0))
    yield case("phnum_xnum", "any", ("H", E_PHNUM, 65535))
    yield case("phentsize_0", "any", ("H", E_PHENTSIZE, 0))
    yield case("phentsize_57", "any", ("H", E_PHENTSIZE, 57))
    yield case("shoff_beyond", "any", ("Q", E_SHOFF, size + 1))
    yield case("shoff_huge", "any", ("Q", E_SHOFF, HUGE))
    yield case("shoff_in_text", "any", ("Q", E_SHOFF, 4096))
    yield case("shnum_65000", "any", ("H", E_SHNUM, 65000))
    yield case("shnum_0", "any", ("H", E_SHNUM, 0))
    yield case("shentsize_1", "any", ("H", E_SHENTSIZE, 1))
    yield case("shstrndx_beyond", "any", ("H", E_SHSTRNDX, 999))
    yield case("shstrndx_no_strings", "any", ("H", E_SHSTRNDX, 1))

    yield case("load_beyond_file", "bad", ("Q", loads[1] + P_OFFSET, size + 4096))
    yield case("load_offset_huge", "bad", ("Q", loads[1] + P_OFFSET, HUGE))
    yield case("load_filesz_beyond", "bad", ("Q", loads[3] + P_FILESZ, size * 2), ("Q", loads[3] + P_MEMSZ, size * 2))
    yield case("load_filesz_over_memsz", "bad", ("Q", loads[3] + P_MEMSZ, 1))
    yield case("load_memsz_wraps", "bad", ("Q", loads[3] + P_MEMSZ, HUGE))
    yield case("load_vaddr_wraps", "bad", ("Q", loads[3] + P_VADDR, HUGE))
    yield case("loads_overlap", "bad", ("Q", loads[0] + P_MEMSZ, 0x1800))
    yield case("loads_unsorted", "bad", ("Q", loads[0] + P_VADDR, 0x100000))
    yield case("loads_swapped", "bad",
               *((f, loads[1] + o, good.get(f, loads[2] + o)) for f, o in (("I", 4), ("Q", 8), ("Q", 16), ("Q", 32), ("Q", 40))),
               *((f, loads[2] + o, good.get(f, loads[1] + o)) for f, o in (("I", 4), ("Q", 8), ("Q", 16), ("Q", 32), ("Q", 40))))
    yield case("load_misaligned", "bad", ("Q", loads[1] + P_OFFSET, good.get("Q", loads[1] + P_OFFSET) + 8))
    yield case("load_align_3", "any", ("Q", loads[1] + P_ALIGN, 3))
    yield case("load_align_0", "any", ("Q", loads[1] + P_ALIGN, 0))
    yield case("load_align_huge", "any", ("Q", loads[0] + P_ALIGN, 1 << 63))
    yield case("load_of_nothing", "any", ("I", loads[1] + P_TYPE, 0))
    yield case("no_loads", "any", *(("I", at + P_TYPE, 0) for at in loads))
    yield case("interp_beyond", "any", ("I", good.phdr(PT_NOTE) + P_TYPE, 3), ("Q", good.phdr(PT_NOTE) + P_OFFSET, HUGE))

    yield case("dynamic_beyond", "bad", ("Q", dynamic + P_OFFSET, size + 16))
    yield case("dynamic_offset_huge", "bad", ("Q", dynamic + P_OFFSET, HUGE))
    yield case("dynamic_filesz_huge", "bad", ("Q", dynamic + P_FILESZ, HUGE))
    yield case("dynamic_filesz_odd", "any", ("Q", dynamic + P_FILESZ, 17))
    yield case("dynamic_filesz_0", "any", ("Q", dynamic + P_FILESZ, 0))
    yield case("dynamic_twice", "bad", ("I", good.phdr(PT_NOTE) + P_TYPE, PT_DYNAMIC))
    yield case("dynamic_in_text", "any", ("Q", dynamic + P_OFFSET, 4096), ("Q", dynamic + P_VADDR, 4096))
    end = good.get("Q", dynamic + P_OFFSET) + good.get("Q", dynamic + P_FILESZ)
    null = list(good.dynamic())[-1]
    yield case("dynamic_without_end", "bad", *(("Q", at, 0x6FFFFEF0) for at in range(null, end, 16)))
    yield case("strtab_outside", "bad", ("Q", good.tag(DT_STRTAB), 0x7000000))
    yield case("strtab_huge", "bad", ("Q", good.tag(DT_STRTAB), HUGE))
    yield case("strsz_huge", "bad", ("Q", good.tag(DT_STRSZ), HUGE))
    yield case("strsz_0", "bad", ("Q", good.tag(DT_STRSZ), 0))
    yield case("strsz_1", "bad", ("Q", good.tag(DT_STRSZ), 1))
    yield case("strings_do_not_end", "bad", *(("B", strtab + i, 65) for i in range(good.get("Q", good.tag(DT_SONAME)), strsz)))
    yield case("strsz_over_the_next_table", "any", ("Q", good.tag(DT_STRSZ), strsz + 64))
    yield case("soname_beyond", "bad", ("Q", good.tag(DT_SONAME), strsz + 5))
    yield case("soname_huge", "bad", ("Q", good.tag(DT_SONAME), HUGE))
    yield case("needed_beyond", "bad", ("Q", good.tag(DT_NEEDED), strsz))
    yield case("runpath_beyond", "bad", ("Q", good.tag(DT_RUNPATH), strsz + 1))
    yield case("needed_empty", "any", ("Q", good.tag(DT_NEEDED), 0))
    yield case("two_strtabs", "any", ("Q", good.tag(DT_RELAENT) - 8, DT_STRTAB))
    yield case("two_strtabs_last_is_right", "any", ("Q", good.tag(DT_HASH) - 8, DT_STRTAB))
    yield case("two_strszs", "any", ("Q", good.tag(DT_SYMENT) - 8, DT_STRSZ))

    yield case("symtab_outside", "any", ("Q", good.tag(DT_SYMTAB), 0x7000000))
    yield case("syment_1", "any", ("Q", good.tag(DT_SYMENT), 1))
    yield case("symbol_name_beyond", "any", ("I", good.symbol(1), 0xFFFFFFF0))
    yield case("symbol_size_huge", "any", ("Q", good.symbol(3) + 16, HUGE))
    yield case("symbol_value_huge", "any", ("Q", good.symbol(3) + 8, HUGE))
    yield case("symbol_section_beyond", "any", ("H", good.symbol(3) + 6, 0xFE00))
    yield case("gnu_hash_outside", "any", ("Q", good.tag(DT_GNU_HASH), 0x7000000))
    yield case("gnu_hash_buckets_0", "any", ("I", gnu_hash, 0))
    yield case("gnu_hash_buckets_huge", "any", ("I", gnu_hash, 0xFFFFFFFF))
    yield case("gnu_hash_offset_huge", "any", ("I", gnu_hash + 4, 0xFFFFFFFF))
    yield case("gnu_hash_bloom_huge", "any", ("I", gnu_hash + 8, 0xFFFFFFFF))
    yield case("gnu_hash_bloom_0", "any", ("I", gnu_hash + 8, 0))
    yield case("gnu_hash_bucket_huge", "any", ("I", gnu_hash + 16 + 8 * bloom, 0x7FFFFFFF))
    chains = gnu_hash + 16 + 8 * bloom + 4 * good.get("I", gnu_hash)
    yield case("gnu_hash_chain_without_end", "any", *(("I", chains + 4 * i, good.get("I", chains + 4 * i) & ~1) for i in range(6)))
    yield case("hash_count_huge", "any", ("I", good.table(DT_HASH) + 4, 0xFFFFFFFF))
    yield case("hash_buckets_huge", "any", ("I", good.table(DT_HASH), 0xFFFFFFFF))
    yield case("hash_outside", "any", ("Q", good.tag(DT_HASH), HUGE))

    yield case("verneed_outside", "bad", ("Q", good.tag(DT_VERNEED), 0x7000000))
    yield case("verneed_count_huge", "any", ("Q", good.tag(DT_VERNEEDNUM), HUGE))
    yield case("verneed_count_0", "any", ("Q", good.tag(DT_VERNEEDNUM), 0))
    yield case("verneed_next_huge", "bad", ("Q", good.tag(DT_VERNEEDNUM), 3), ("I", verneed + 12, 0xFFFFFFF0))
    yield case("verneed_next_1", "any", ("Q", good.tag(DT_VERNEEDNUM), 1000), ("I", verneed + 12, 1))
    yield case("verneed_aux_huge", "bad", ("I", verneed + 8, 0xFFFFFFF0))
    yield case("verneed_aux_itself", "any", ("I", verneed + 8, 0))
    yield case("verneed_cnt_65535", "any", ("H", verneed + 2, 65535))
    yield case("verneed_file_beyond", "bad", ("I", verneed + 4, 0x7FFFFFF0))
    yield case("vernaux_next_huge", "bad", ("H", verneed + 2, 9), ("I", aux + 12, 0xFFFFFFF0))
    yield case("vernaux_next_1", "any", ("H", verneed + 2, 65535), ("I", aux + 12, 1))
    yield case("vernaux_name_beyond", "bad", ("I", aux + 8, 0x7FFFFFF0))
    yield case("verdef_outside", "bad", ("Q", good.tag(DT_VERDEF), 0x7000000))
    yield case("verdef_count_huge", "any", ("Q", good.tag(DT_VERDEFNUM), HUGE))
    yield case("verdef_next_huge", "bad", ("I", verdef + 16, 0xFFFFFFF0))
    yield case("verdef_next_1", "any", ("I", verdef + 16, 1))
    yield case("verdef_next_0", "any", ("I", verdef + 16, 0))
    yield case("verdef_aux_huge", "bad", ("I", verdef + 12, 0xFFFFFFF0))
    yield case("verdef_cnt_65535", "any", ("H", verdef + 6, 65535))
    yield case("verdef_name_beyond", "bad", ("I", daux, 0x7FFFFFF0))
    yield case("versym_outside", "any", ("Q", good.tag(DT_VERSYM), 0x7000000))
    yield case("versym_index_huge", "any", ("H", good.table(DT_VERSYM) + 6, 0x7FFF))

    yield case("rela_outside", "any", ("Q", good.tag(DT_RELA), 0x7000000))
    yield case("relasz_huge", "any", ("Q", good.tag(DT_RELASZ), HUGE))
    yield case("relasz_odd", "any", ("Q", good.tag(DT_RELASZ), 25))
    yield case("relaent_0", "any", ("Q", good.tag(DT_RELAENT), 0))
    yield case("rela_target_huge", "any", ("Q", good.table(DT_RELA), HUGE))
    yield case("rela_addend_huge", "any", ("Q", good.table(DT_RELA) + 16, HUGE))
    yield case("rela_symbol_huge", "any", ("I", good.table(DT_RELA) + 12, 0xFFFFFFFF))
    yield case("init_arraysz_huge", "any", ("Q", good.tag(DT_INIT_ARRAYSZ), HUGE))
    for i in range(1, good.get("H", E_SHNUM)):
        at = good.shdr(i)
        yield case(f"section_{i}_beyond", "any", ("Q", at + 24, size + 1))
        yield case(f"section_{i}_size_huge", "any", ("Q", at + 32, HUGE))
        yield case(f"section_{i}_addr_moved", "any", ("Q", at + 16, good.get("Q", at + 16) + 8))
        yield case(f"section_{i}_link_beyond", "any", ("I", at + 40, 9999))
        yield case(f"section_{i}_type_note", "any", ("I", at + 4, 7))
        yield case(f"section_{i}_shorter", "any", ("Q", at + 32, good.get("Q", at + 32) // 2))
        yield case(f"section_{i}_entsize_0", "any", ("Q", at + 56, 0))


def others(good):
    yield "magic_only", "bad", b"\x7fELF"
    yield "magic_and_zeros", "bad", b"\x7fELF" + bytes(60)
    yield "magic_and_ones", "bad", b"\x7fELF" + b"\xff" * 6000
    yield "header_repeated", "any", bytes(good.data[:64]) * 100


def main(path, directory):
    good = Object(open(path, "rb").read())
    for source in (truncations, edits, others):
        for name, verdict, data in source(good):
            with open(f"{directory}/{name}.so", "wb") as out:
                out.write(data)
            print(name, verdict)


if __name__ == "__main__":
    main(*sys.argv[1:])
