/*
 * pack: a directory tree as a zip that is the same every time.
 *
 *	struct pack_options options = {.prefix = "python/"};
 *	struct packed *packed = NULL;
 *	if (pack_tree("layer", "layer.zip", &options, &packed, err))
 *		... there is no layer.zip, or the one that was there before
 *	pack_free(packed);
 *
 * The bytes depend on names, contents, modes and times in the tree, on the
 * prefix and on the version of libdeflate; on nothing else: not on the order in
 * which a directory lists its entries, the number of cores, the time zone,
 * owners, or where the tree lies.
 *
 * What is in the zip (section numbers are those of PKWARE's APPNOTE.TXT 6.3.10):
 *
 *  - One entry for each file, symlink and empty directory, by name in the order
 *    of the names' bytes. Other directories need none. A hard link is a file.
 *  - Names in UTF-8; flag 11 says so where one is not ASCII (4.4.4, appendix D).
 *  - Deflate at libdeflate's level 10, or stored where that is not larger (4.4.5).
 *  - Sizes and CRC stand in front of the data (4.4.4 flag 3 is not used), so the
 *    zip can be read as a stream.
 *  - "Version made by" says Unix (4.4.2), and the upper half of the external
 *    attributes is st_mode (4.4.15): type and all permissions. A symlink is
 *    stored, its target being its data.
 *  - The time as MS-DOS has it (4.4.6): UTC, even seconds, 1980 to 2107, nearest
 *    where it is outside. Extra field 0x5455 (4.6.1, the layout is Info-ZIP's)
 *    has the whole second, for times from 1970 to 2038, so that unzip gives each
 *    file its time in any time zone and bytecode stays valid.
 *  - zip64 (4.3.14, 4.3.15, 4.5.3) where a size, an offset or the number of
 *    entries needs it, and only there.
 *
 * Whatever a zip cannot say, or would say differently somewhere else, is an
 * error that names it: a FIFO, socket or device; a name that is not UTF-8 or too
 * long; a symlink that leads out of the tree (an absolute one always does); a
 * file that cannot be read, or is another at the end of packing than at its
 * beginning; the ".sofold" of a run of shrink that was killed. Owners, access
 * lists and extended attributes are left out. A file that is added while the
 * tree is packed may be missing.
 *
 * The zip is written beside its place under another name, ".NAME.sofold-XXXXXXXX",
 * synced and renamed. The other name goes on an error, and on SIGINT, SIGTERM,
 * SIGHUP and SIGQUIT, which pack_tree() handles while it works unless they are
 * ignored. Only SIGKILL and a power cut leave it behind.
 *
 * Memory is bounded by PACK_MEMORY or twice the largest file, whichever is more, and
 * about 10 MB for each core; besides, some 300 bytes for each entry.
 */
#ifndef SOFOLD_PACK_H
#define SOFOLD_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "sofold/arena.h"
#include "sofold/error.h"

/* Bytes of files read and of compressed data waiting for their turn. */
#define PACK_MEMORY ((uint64_t)128 << 20)

struct pack_options {
	const char *prefix; /* before each name, as pack_prefix() gives it; "" or NULL: none */
	bool replace;	    /* a file that is there already */
	bool same_time;	    /* every entry gets the time below, not its own */
	int64_t time;	    /* seconds since 1970, UTC */
	unsigned threads;   /* 0: one for each core */
};

struct pack_entry {
	const char *name;     /* in the zip; ends in "/" for a directory */
	const char *path;     /* in the tree; the end of name, without "/" */
	const char *target;   /* of a symlink; NULL for all else */
	uint32_t mode;	      /* st_mode */
	int64_t mtime;	      /* seconds since 1970, UTC */
	uint64_t size;	      /* bytes */
	uint64_t packed_size; /* bytes its data take in the zip */
	uint64_t offset;      /* of its local header, in bytes */
	uint32_t crc;
	bool deflated;
	struct stat seen; /* by the walk, to notice a change */
};

struct packed {
	struct arena *arena; /* holds everything here */
	struct pack_entry *entries;
	size_t nr_entries, alloc_entries;
	size_t nr_files, nr_symlinks, nr_directories;
	uint64_t bytes;	       /* of all entries */
	uint64_t packed_bytes; /* the same in the zip, without headers */
	uint64_t zip_bytes;    /* of the zip */
};

/* Packs the directory root into the zip to. On an error *packed is NULL and
 * what was at to is still there, except that syncing its directory may fail
 * when all is done. pack_free() when done. */
int pack_tree(const char *root, const char *to, const struct pack_options *options, struct packed **packed,
	      struct error *err);

void pack_free(struct packed *packed); /* NULL is fine */

/* A prefix in the form pack_options wants: "./python//lib" becomes "python/lib/",
 * "." becomes "". ERROR_USAGE for an absolute one, one with "..", and one that is
 * not UTF-8. */
int pack_prefix(struct arena *arena, const char *text, const char **prefix, struct error *err);

struct report_style;

/* What was packed, for people: sums, and every entry when verbose. name is the
 * zip's. */
void report_pack_text(FILE *to, const char *name, const struct packed *packed,
		      const struct report_style *style);

/* For programs, with every entry; as report.h promises. False when the stream
 * failed. */
bool report_pack_json(FILE *to, const struct packed *packed);

#endif
