/*
 * pack: the private part. In the order they work:
 *
 *	pack.c      the steps; payloads in parallel, written in order
 *	tree.c      the walk: what is to be packed
 *	names.c     names and symlinks a zip may hold
 *	payload.c   one entry's data: read, checked, compressed
 *	format.c    headers, as bytes
 *	target.c    the zip in the making, signals
 *
 * names.c and format.c call nothing but the arena and pure C functions.
 */
#ifndef SOFOLD_SRC_PACK_PACK_H
#define SOFOLD_SRC_PACK_PACK_H

#include <libdeflate.h>

#include "sofold/pack.h"
#include "sofold/span.h"

/* --------- tree.c ------------------ */

/* Fills packed->entries, in order, and counts them. */
int tree_list(struct packed *packed, int root, const char *root_name, const struct pack_options *options,
	      struct error *err);

/* --------- names.c ------------------ */

bool name_is_ascii(const char *name);
bool name_is_utf8(const char *name);

/* True when following the link, in a tree of these sorted entries, never leaves
 * the tree. */
bool link_stays(const struct packed *packed, const struct pack_entry *link);

/* --------- payload.c ------------------ */

/* The data of an entry on its way into the zip. */
struct payload {
	struct span data;
	uint8_t *buffer;     /* what data is in; NULL: somewhere else */
	struct span mapping; /* of a large file that is stored; p NULL: none */
	int fd;		     /* of the mapping */
	bool ready;
	uint64_t held; /* bytes charged to PACK_MEMORY */
};

/* Bytes payload_make() needs at most. */
uint64_t payload_need(const struct pack_entry *entry);

/* Fills payload, and the entry's sizes and CRC. */
int payload_make(struct payload *payload, int root, struct pack_entry *entry,
		 struct libdeflate_compressor *compressor, struct error *err);

/* Gives its memory back. Tells whether the file is still the one the walk has
 * seen. */
int payload_release(struct payload *payload, const struct pack_entry *entry, struct error *err);

/* --------- format.c ------------------ */

/* MS-DOS date (upper half) and time of a moment, 4.4.6. */
uint32_t zip_time(int64_t seconds);

/* Local file header, 4.3.7, with the name and extra fields. */
struct span zip_local(struct arena *arena, const struct pack_entry *entry);

/* Central directory header, 4.3.12, likewise. */
struct span zip_central(struct arena *arena, const struct pack_entry *entry);

/* End of central directory, 4.3.16, behind those of zip64 where needed. The
 * central directory has nr entries in size bytes at offset. */
struct span zip_end(struct arena *arena, uint64_t nr, uint64_t size, uint64_t offset);

/* --------- target.c ------------------ */

struct target {
	const char *name;   /* what it will be called */
	const char *making; /* what it is called till then */
	int fd;
	uint64_t offset; /* bytes written */
};

/* Says whether a zip may be made there: ERROR_RUN when the name is taken, or
 * inside the tree that is to be packed. */
int target_check(const char *name, const char *root, bool replace, struct error *err);

/* Starts the file under its other name. target_finish() or target_abandon() ends
 * it; until then signals remove it. One at a time. */
int target_open(struct target *target, struct arena *arena, const char *name, struct error *err);
int target_write(struct target *target, struct span bytes, struct error *err);
int target_finish(struct target *target, bool replace, struct error *err);
void target_abandon(struct target *target);

/* Which file this thread reads through a mapping, NULL for none: when it is cut
 * short, SIGBUS comes, and this is the name to print. */
void target_reads_mapped(const char *path);

#endif
