/*
 * image: rewriting a linked ELF file without moving what it loads.
 *
 * image_edit() treats a shared object as virtual addresses and what lies at
 * them. It takes the whole file's bytes and a list of edits and returns the
 * bytes of a new file: the same image, with names changed, laid out anew so
 * that nothing dead takes space. No virtual address ever moves.
 *
 *	struct image_edits edits = {.page = 4096, .compact = true};
 *	struct image_result result;
 *	if (image_edit(arena, bytes, &edits, &result, err))
 *		... keep the file as it is; err says why
 *	if (image_prove(bytes, result.bytes, &result, err))
 *		... a mistake of ours: do not use the result
 *
 * Only 64-bit little-endian ET_DYN objects for x86-64 and AArch64 are
 * edited. image_lay_out() does the same and leaves the bytes where they are:
 * for those who write them to a file, which saves a copy of everything.
 * Anything not understood (segments that overlap, section headers
 * that disagree with segments, data behind the image) is ERROR_REFUSED.
 */
#ifndef SOFOLD_IMAGE_H
#define SOFOLD_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sofold/arena.h"
#include "sofold/error.h"
#include "sofold/layer.h"
#include "sofold/span.h"

/* A NEEDED name to replace, with every equal file name in .gnu.version_r
 * (glibc asserts that the two agree: elf/dl-version.c find_needed). */
struct rename {
	const char *from, *to;
};

/* Bytes [from, to) of the image, virtual addresses. */
struct range {
	uint64_t from, to;
};

/* New bytes for addresses of the image. */
struct patch {
	uint64_t vaddr;
	struct span bytes;
};

/*
 * What a pass has found out that nobody needs (trim.h). The image writer takes
 * its word for it; image_prove() checks that nothing else has changed.
 */
struct cuts {
	const struct range *dead; /* nothing reads, runs or writes it: whole pages of it leave
				   * the file. Ascending, none touching the next */
	size_t nr_dead;
	const struct patch *patches; /* within the file-backed image, outside tables that
				      * image_edit() writes itself. Relocations among them
				      * name symbols by the file's own numbers */
	size_t nr_patches;
	const bool *gone; /* for each dynamic symbol: no longer exported, so that a look-up
			   * fails. Symbols whose relocations matter are not among them. NULL: none */
	size_t nr_gone;	  /* entries: the file's image_symbol_count(), or 0 */
	bool unwind;	  /* PT_GNU_EH_FRAME and the sections behind it go */
};

/* Whether a symbol of the file is among those that are gone. */
static inline bool cuts_symbol(const struct cuts *cuts, size_t symbol)
{
	return cuts->gone && symbol < cuts->nr_gone && cuts->gone[symbol];
}

struct image_edits {
	const struct rename *needed;
	size_t nr_needed;
	const char *soname;	      /* NULL: keep */
	const char *search_path;      /* NULL: keep */
	enum search_kind search_kind; /* of search_path when there is none yet; an
				       * existing path keeps its kind */
	const struct cuts *cuts;      /* NULL: none */
	bool compact;		      /* drop symbol tables, comments, debug info, dead pages, padding */
	uint64_t page;		      /* bytes: the largest page of the machines it must load on */
};

/* A stretch of the new file. */
struct piece {
	uint64_t offset;   /* in the new file, bytes */
	struct span bytes; /* in the old file, or in the arena */
};

struct image_result {
	struct span bytes; /* the new file, when somebody has put it together */
	bool changed;	   /* false: it would equal the input */
	bool was_patched;  /* the input has segments that patchelf or its like has added */

	/* What the new file is made of: in order, not overlapping; between
	 * pieces it is zero. */
	uint64_t size; /* bytes */
	struct piece *pieces;
	size_t nr_pieces, alloc_pieces;

	/* What differs from the old image on purpose: names, dynamic
	 * entries, headers. Everything else live must be equal. */
	struct range *edited;
	size_t nr_edited, alloc_edited;
	/* What the old image had and the new one has not: dead pages. */
	struct range *dropped;
	size_t nr_dropped, alloc_dropped;
	/* What was to be cut out: that of the edits, still in use. */
	const struct cuts *cuts;
};

/* Whether image_edit() would take this file at all; ERROR_REFUSED with the
 * reason when not. */
int image_check(struct span file, struct error *err);

/* Number of dynamic symbols by the file's hash tables; 0: unknown. */
size_t image_symbol_count(struct span file);

int image_edit(struct arena *arena, struct span file, const struct image_edits *edits,
	       struct image_result *result, struct error *err);

/* The same, without result->bytes: image_assemble() or the caller sets them
 * before image_prove(). file stays in use as long as the pieces are. */
int image_lay_out(struct arena *arena, struct span file, const struct image_edits *edits,
		  struct image_result *result, struct error *err);

/* Puts the new file together in out, result->size zeroed bytes. */
void image_assemble(const struct image_result *result, uint8_t *out);

/*
 * Proves that result->bytes loads as file did: walks both files' program
 * headers anew and compares every byte of the old image that is neither in
 * edited nor in dropped with the new image's byte at the same virtual
 * address, checks sizes of zeroed memory, permissions, and the congruence of
 * offset and address (gABI, p_align; glibc before 2.35 checks it modulo
 * p_align: elf/dl-load.c). Where symbols were to go it looks each one up in
 * both files, as loaders do, and compares relocations one by one: the gone are
 * not found, the others are, and nothing else names another symbol than
 * before. ERROR_VERIFY with the first difference.
 */
int image_prove(struct span file, const struct image_result *result, uint64_t page, struct error *err);

/*
 * Feeds the parts of an image that wheel tools do not rewrite to sink, in an
 * order and form that do not depend on where those tools have put the rest:
 * two files that give equal streams load the same code and data and define,
 * import and relocate the same symbols. Left out: SONAME, NEEDED, search
 * path, version-need file names, where their storage lies, build notes.
 * ERROR_REFUSED when the file cannot be read so.
 */
int image_canonical(struct arena *arena, struct span file, void (*sink)(void *context, struct span bytes),
		    void *context, struct error *err);

#endif
