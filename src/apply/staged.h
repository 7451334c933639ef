/*
 * staged: one new file, from the old one's bytes to a mapping of its own.
 */
#ifndef APPLY_STAGED_H
#define APPLY_STAGED_H

#include "apply/stage.h"

/* The file a new one is made from, or gets its metadata from. */
struct original {
	int fd;
	struct stat st;
	struct span bytes; /* mapped */
};

/* Opens and maps a file of the layer. ERROR_RUN with the reason, also when it
 * is not the one that was scanned; original_close() in either case. */
int original_open(struct apply *apply, struct original *original, const struct file *file, struct error *err);
void original_close(struct original *original);

/* A new file before it is one. */
struct content {
	const struct piece *pieces;
	size_t nr_pieces;
	uint64_t size; /* bytes */
};

/* Makes item->staged: ".sofold/new/NUMBER" with like's metadata, mapped, or
 * memory in a dry run. Not synced. */
int stage_content(struct apply *apply, struct item *item, const struct content *content,
		  const struct original *like, struct error *err);

/* Nothing of what stage_content() made is to be used after all. */
int unstage(struct apply *apply, struct item *item, struct error *err);

/* The item's staged bytes are good: they will be carried out. */
void stage_accept(struct item *item);

#endif
