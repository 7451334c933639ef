/*
 * The object reader's parts, and what they share while one file is read.
 *
 *	object.c    the order of things: header, segments, sections, then below
 *	dynamic.c   PT_DYNAMIC: names, search path, flags
 *	versions.c  version definitions and needs
 *	symbols.c   the dynamic symbol table
 *	evidence.c  build id, compiler, what a library says of itself
 */
#ifndef SOFOLD_SRC_SCAN_OBJECT_H
#define SOFOLD_SRC_SCAN_OBJECT_H

#include <gelf.h>
#include <libelf.h>

#include "sofold/layer.h"
#include "sofold/span.h"

struct reader {
	struct layer *layer;
	struct arena *arena;
	const char *path;
	struct span bytes;
	struct object *object;
	Elf *elf;
	GElf_Ehdr ehdr;

	GElf_Dyn *dynamic; /* up to the first DT_NULL */
	size_t nr_dynamic;
	struct span strings; /* .dynstr, copied to the arena */

	const char **versions; /* name of version index i; NULL: none */
	size_t nr_versions;

	bool is_openblas; /* it exports openblas_get_config(), under some name */
	bool sound;
};

/* The file is malformed: a finding, once. */
void reader_fail(struct reader *reader, const char *why);

/* The bytes of the file at a virtual address, through the segments. */
bool reader_at(const struct reader *reader, uint64_t vaddr, uint64_t size, uint64_t *offset);

/* libelf's view of a table at a virtual address, or NULL. */
Elf_Data *reader_table(const struct reader *reader, uint64_t vaddr, uint64_t size, Elf_Type type);

bool reader_tag(const struct reader *reader, int64_t tag, uint64_t *value);

/* The name at an offset into .dynstr; NULL and a finding when there is none. */
const char *reader_string(struct reader *reader, uint64_t offset);

void read_dynamic(struct reader *reader);
void read_versions(struct reader *reader);
void read_symbols(struct reader *reader);
void read_evidence(struct reader *reader);

#endif
