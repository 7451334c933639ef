/*
 * mapping: a file's bytes, read through the page cache without a copy; those
 * of a small file are copied, which is cheaper than to map and unmap it.
 *
 * A mapped file that shrinks under its reader raises SIGBUS. While a thread
 * works on a mapping, a fault inside it is answered by putting zero pages
 * there and noting the damage: the reader goes on over zeros, which every
 * parser here survives, and asks at the end whether what it saw was real.
 *
 *	struct mapping mapping;
 *	if (mapping_open(&mapping, dirfd, path, err)) ...
 *	... read mapping.bytes ...
 *	if (!mapping_close(&mapping))
 *		... the file changed meanwhile: discard
 */
#ifndef SOFOLD_SRC_SCAN_MAPPING_H
#define SOFOLD_SRC_SCAN_MAPPING_H

#include <stdbool.h>

#include "sofold/error.h"
#include "sofold/span.h"

struct mapping {
	struct span bytes;
	struct mapping *outer; /* of this thread, mapped before */
	bool damaged, copied;
};

/* Maps the regular file at path, relative to dirfd, without following a
 * symlink at its end. ERROR_RUN with the reason. */
int mapping_open(struct mapping *mapping, int dirfd, const char *path, struct error *err);

/* The same for a file that is open already; fd stays the caller's. */
int mapping_of_fd(struct mapping *mapping, int fd, const char *path, struct error *err);

/* Opens it only: the descriptor, or -1 and errno. */
int mapping_open_fd(int dirfd, const char *path);

/* Reads n bytes at offset, fewer where the file ends. The number, or SIZE_MAX and errno. */
size_t mapping_read(int fd, void *p, size_t n, uint64_t offset);

/* Unmaps. False when bytes were missing while it was mapped. Mappings of one
 * thread are closed in reverse order of opening. */
bool mapping_close(struct mapping *mapping);

/*
 * mapping_close() in two steps, for many files on many threads: unmapping
 * stops every thread of the process for a moment, so it is better done when
 * the others have finished. After mapping_leave() the bytes may not be read
 * any more; mapping_release() takes them away, on any thread.
 */
bool mapping_leave(struct mapping *mapping);
void mapping_release(struct mapping *mapping);

/* The second step of many, neighbours in memory at once. */
void mapping_release_all(struct mapping **all, size_t nr);

#endif
