/*
 * The scanner's parts, called by scan.c in this order:
 *
 *	walk.c      the files
 *	objects.c   which of them are ELF, parsed on all cores
 *	archive.c   the files of a zip instead, with their bytes
 *	libarchive.c    the library for that, loaded when needed
 *	owners.c    which wheel each file belongs to
 *	frames.c    on request: functions and producers, by libdwarf
 *	digests.c   digests of what looks alike
 *	libcrypto.c     the library for that, loaded when needed
 *
 * Asked for by themselves:
 *
 *	mentions.c  code that names a library's file
 *	names.c     code that names an export
 *	trims.c     what may be cut out of objects
 *	imports.c, bytecode.c   what prune asks
 *
 * source.c opens bytes for all of them.
 */
#ifndef SOFOLD_SRC_SCAN_PARTS_H
#define SOFOLD_SRC_SCAN_PARTS_H

#include "scan/mapping.h"
#include "sofold/pool.h"
#include "sofold/scan.h"

/* Mappings of parsed files. To take them away costs time, so that is done beside what the
 * caller does with the layer, until layer_free(). */
struct spent {
	struct mapping **mappings;
	size_t nr_mappings;
	struct pool_aside releasing;
};

/* Where the bytes of a layer's files come from. */
struct source {
	int root;	       /* directory; -1 for an archive */
	struct span *contents; /* of an archive: by file index; empty where not kept */
	unsigned threads;
};

/* Opens the bytes of a file. ERROR_RUN with a reason. */
int source_open(const struct source *source, const struct layer *layer, const struct file *file,
		struct mapping *mapping, struct error *err);
/* False when the bytes changed while they were read. */
bool source_close(const struct source *source, struct mapping *mapping);
/* The same in two steps (mapping.h). */
bool source_leave(const struct source *source, struct mapping *mapping);
void source_release(const struct source *source, struct mapping *mapping);

enum { SOURCE_BUFFER = 192 * 1024 };

enum same { SAME, DIFFERENT, UNREADABLE };

/* Whether two files are the same from offset on for size bytes. One that has become
 * shorter cannot be read. buffer: SOURCE_BUFFER bytes of the thread's own. */
enum same source_same(const struct source *source, const struct layer *layer, const struct file *a,
		      const struct file *b, uint64_t offset, uint64_t size, uint8_t *buffer);

int archive_read(struct layer *layer, int fd, struct source *source, struct error *err);
/* The files of a tree and the objects in them. */
int objects_walk(struct layer *layer, struct source *source, struct error *err);
/* The objects in files that are known. */
void objects_read(struct layer *layer, struct source *source);
void owners_read(struct layer *layer, const struct source *source);
void frames_read(struct layer *layer, const struct source *source);
/* The same of one object, whose file is open. Nothing when it is known already. */
void frames_read_one(struct arena *arena, struct object *object, int fd);
/* Calls back with each read-only or data section of an ELF file, by its headers: string
 * tables, where NEEDED names and exports stand by right, are not among them. A file
 * without headers has none. */
void constants_each(struct span bytes, void (*found)(void *context, struct span part), void *context);
void digests_read(struct layer *layer, const struct source *source, bool all_families);

#endif
