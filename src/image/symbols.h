/*
 * Symbols that go. Internal to symbols.c, hashes.c and relocations.c.
 */
#ifndef SOFOLD_SRC_IMAGE_SYMBOLS_H
#define SOFOLD_SRC_IMAGE_SYMBOLS_H

#include "image/image.h"

struct removal {
	struct draft *draft;
	const struct image *image;
	const bool *gone;	  /* for each old symbol */
	const Elf64_Sym *symbols; /* as they were */
	size_t nr_symbols;	  /* as many as there were */
	uint32_t *rank;		  /* how many before a symbol stay: its new index, if it stays */
	size_t nr_gone;
};

/* The name of an old symbol; NULL: outside the string table. */
const char *removal_name(const struct removal *removal, size_t symbol);

/* Puts a shorter table where one of old bytes began. */
void removal_shorten(const struct removal *removal, uint64_t vaddr, const void *bytes, size_t n, size_t old);

/* DT_GNU_HASH and DT_HASH, whichever there are. ERROR_REFUSED where one does not
 * find the symbols there are. */
int removal_hashes(const struct removal *removal, struct error *err);

/* DT_RELA and DT_JMPREL, with the patches to them; all other patches. */
int removal_relocations(const struct removal *removal, struct error *err);

#endif
