/*
 * stage: the new bytes of every file a plan changes, computed and proved
 * before anything of the layer is touched.
 */
#ifndef APPLY_STAGE_H
#define APPLY_STAGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "apply/transaction.h"
#include "sofold/apply.h"
#include "sofold/span.h"

/* One action of the plan on its way. */
struct item {
	const struct action *action;
	const char *path;     /* first path */
	const file_id *files; /* every path of the inode */
	size_t nr_files;
	uint32_t number; /* of the first path's operation; the others follow */

	int status;	    /* of computing it: an error kind */
	struct error error; /* and its message; ERROR_REFUSED: why it stays */
	bool changed;	    /* there is something to carry out */
	uint64_t before, after;
	struct span staged; /* mapped until apply_free(); of a rewrite or RECORD */
	uint8_t sha256[DIGEST_BYTES];
};

struct apply {
	struct arena *arena;
	const struct layer *layer;
	const struct plan *plan;
	struct apply_options options;
	struct transaction transaction;

	struct item *items; /* one for each action */
	size_t nr_items;
	uint32_t *object_items; /* for each object: the item that rewrites it, or NO_ID */
	struct change *changes;
	size_t nr_changes, alloc_changes;

	atomic_bool failed;	  /* a worker has met an error: the others stop */
	pthread_mutex_t creating; /* held while ".sofold" is made for the first file */
	bool created;
	bool finished; /* there is no way back */
};

/* Computes and stages every object, in parallel, then every RECORD, and syncs
 * all. */
int stage_items(struct apply *apply, struct error *err);

/* Then every RECORD (records.c). */
int stage_records(struct apply *apply, struct error *err);

/* Makes ".sofold" unless this run has done so already. */
int stage_ensure_directory(struct apply *apply, struct error *err);

/* Whether st is the state of the file that was scanned. */
bool stage_is_unchanged(const struct file *file, const struct stat *st);

#endif
