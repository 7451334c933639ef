/*
 * chunks: memory for arenas, in pieces of huge pages that all arenas share.
 */
#ifndef SOFOLD_BASE_CHUNKS_H
#define SOFOLD_BASE_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>

enum { CHUNK_BYTES = 256 * 1024, MAX_CHUNKS = 4 };

/* nr chunks in a row, up to MAX_CHUNKS, or NULL. *fresh: all of it is zero. From any
 * thread. */
void *chunks_take(size_t nr, bool *fresh);

/* For the next one who takes as many. */
void chunks_give(void *chunks, size_t nr);

#endif
