/*
 * Symbols that go. Internal to symbols.c, hashes.c, relocations.c, cuts.c and
 * holes.c.
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

/* Where the tables are that the writer writes itself: of symbols, versions, names, both
 * hash tables, the dynamic one. How many there are. */
size_t image_tables(const struct image *image, struct range tables[6]);

/* Neither must dead ranges hold what a loader uses; ERROR_REFUSED. The second asks of
 * the tables above, which may have got shorter, and of patches. */
int check_holes(const struct image *image, const struct cuts *cuts, const struct ranges *dead,
		struct error *err);
int check_tables_whole(const struct image *image, const struct cuts *cuts, const struct ranges *dead,
		       struct error *err);

/* DT_GNU_HASH and DT_HASH, whichever there are. ERROR_REFUSED where one does not
 * find the symbols there are. */
int removal_hashes(const struct removal *removal, struct error *err);

/* ERROR_REFUSED where looking up every symbol would take minutes. */
int removal_check_chains(const struct removal *removal, struct error *err);

/* DT_RELA and DT_JMPREL, with the patches to them; all other patches. */
int removal_relocations(const struct removal *removal, struct error *err);

#endif
