/*
 * Changes to ELF files that flips of bits would not find: a field of a header,
 * dynamic entry, symbol or relocation becomes zero, huge, or an address or size
 * that means something in the file. Every other change is libFuzzer's own.
 *
 * The object begins behind bytes that choose what is done with it.
 */
#include <elf.h>
#include <stdlib.h>

#include "sofold/span.h"

enum { CHOICES = 4 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

struct mutation {
	uint8_t *file;
	size_t size;
	Elf64_Ehdr ehdr;
	uint32_t state; /* of the random numbers */
};

static uint32_t roll(struct mutation *mutation, uint32_t below)
{
	mutation->state = mutation->state * 1664525u + 1013904223u;
	return below ? (mutation->state >> 8) % below : 0;
}

static struct span bytes_of(const struct mutation *mutation)
{
	return (struct span){mutation->file, mutation->size};
}

/* A table of the file with entries of one size; fields may be written. */
struct table {
	uint64_t offset, entry, nr;
};

static bool section_at(const struct mutation *mutation, size_t i, Elf64_Shdr *shdr)
{
	return span_read(bytes_of(mutation), mutation->ehdr.e_shoff + i * sizeof *shdr, shdr, sizeof *shdr);
}

static struct table table_of_type(struct mutation *mutation, uint32_t type, uint64_t entry)
{
	struct table found = {0};
	unsigned nr = 0;
	Elf64_Shdr shdr;
	size_t i;

	for (i = 1; i < mutation->ehdr.e_shnum && section_at(mutation, i, &shdr); i++)
		if (shdr.sh_type == type && !roll(mutation, ++nr))
			found = (struct table){shdr.sh_offset, entry, shdr.sh_size / entry};
	return found;
}

static struct table choose_table(struct mutation *mutation)
{
	const Elf64_Ehdr *ehdr = &mutation->ehdr;

	switch (roll(mutation, 9)) {
	case 0:
	case 1:
		return (struct table){ehdr->e_shoff, sizeof(Elf64_Shdr), ehdr->e_shnum};
	case 2:
		return (struct table){ehdr->e_phoff, sizeof(Elf64_Phdr), ehdr->e_phnum};
	case 3:
		return table_of_type(mutation, SHT_DYNAMIC, sizeof(Elf64_Dyn));
	case 4:
	case 5:
		return table_of_type(mutation, SHT_DYNSYM, sizeof(Elf64_Sym));
	case 6:
		return table_of_type(mutation, SHT_RELA, sizeof(Elf64_Rela));
	case 7:
		return table_of_type(mutation, SHT_RELR, sizeof(Elf64_Relr));
	default:
		return table_of_type(mutation, SHT_GNU_HASH, sizeof(uint32_t));
	}
}

/* Numbers with a meaning: where a section or symbol begins or ends, or how long it is. */
static uint64_t meaningful(struct mutation *mutation)
{
	static const uint64_t plain[] = {0,    1,    2,	    4,	       8,	   24,
					 4095, 4096, 65536, INT32_MAX, UINT32_MAX, UINT64_MAX};
	struct table symbols = table_of_type(mutation, SHT_DYNSYM, sizeof(Elf64_Sym));
	Elf64_Shdr shdr;
	Elf64_Sym symbol;

	switch (roll(mutation, 5)) {
	case 0:
		return plain[roll(mutation, sizeof plain / sizeof *plain)];
	case 1:
	case 2:
		if (!section_at(mutation, roll(mutation, mutation->ehdr.e_shnum), &shdr))
			return 0;
		return (uint64_t[]){shdr.sh_addr, shdr.sh_size, shdr.sh_addr + shdr.sh_size,
				    shdr.sh_offset}[roll(mutation, 4)];
	case 3:
		if (!span_read(bytes_of(mutation),
			       symbols.offset + roll(mutation, (uint32_t)symbols.nr) * sizeof symbol, &symbol,
			       sizeof symbol))
			return 0;
		return (uint64_t[]){symbol.st_value, symbol.st_size,
				    symbol.st_value + symbol.st_size}[roll(mutation, 3)];
	default:
		return roll(mutation, (uint32_t)mutation->size);
	}
}

/* Gives a field of n bytes another value, or moves it a little. */
static void change_field(struct mutation *mutation, uint64_t offset, size_t n)
{
	uint64_t value = 0;
	struct span field;

	if (!span_sub(bytes_of(mutation), offset, n, &field))
		return;
	memcpy(&value, field.p, n);
	if (roll(mutation, 3))
		value = meaningful(mutation);
	value += (uint64_t[]){0, 0, 1, 8, UINT64_MAX, (uint64_t)-8, 4096, (uint64_t)-4096}[roll(mutation, 8)];
	memcpy(mutation->file + offset, &value, n);
}

/* Fields of the same width wherever they stand: 8 bytes at a multiple of 8, or 4, 2, 1. */
static void change_entry(struct mutation *mutation)
{
	struct table table = choose_table(mutation);
	size_t width = (size_t[]){8, 8, 8, 4, 2, 1}[roll(mutation, 6)];
	uint64_t at;

	if (!table.nr || width > table.entry)
		return;
	at = table.offset + roll(mutation, (uint32_t)table.nr) * table.entry;
	change_field(mutation, at + roll(mutation, (uint32_t)(table.entry / width)) * width, width);
}

/* One entry takes the place of another. */
static void copy_entry(struct mutation *mutation)
{
	struct table table = choose_table(mutation);
	struct span from, to;

	if (!table.nr ||
	    !span_sub(bytes_of(mutation), table.offset + roll(mutation, (uint32_t)table.nr) * table.entry,
		      table.entry, &from) ||
	    !span_sub(bytes_of(mutation), table.offset + roll(mutation, (uint32_t)table.nr) * table.entry,
		      table.entry, &to))
		return;
	memmove(mutation->file + (to.p - mutation->file), from.p, table.entry);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct mutation mutation = {.file = data + CHOICES, .size = size - CHOICES, .state = seed};
	unsigned changes;

	if (size < CHOICES || !span_read(bytes_of(&mutation), 0, &mutation.ehdr, sizeof mutation.ehdr) ||
	    !roll(&mutation, 4))
		return LLVMFuzzerMutate(data, size, max_size);
	if (!roll(&mutation, 4))
		data[roll(&mutation, CHOICES)] ^= (uint8_t)(1u << roll(&mutation, 8));
	for (changes = 1 + roll(&mutation, 4); changes; changes--)
		if (roll(&mutation, 4))
			change_entry(&mutation);
		else
			copy_entry(&mutation);
	return size;
}
