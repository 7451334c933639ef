/*
 * record: a wheel's RECORD after some of its files have changed.
 *
 * RECORD (PEP 376, PEP 627) is a CSV file by the rules of Python's csv
 * module, one row a file: path,sha256=<urlsafe base64, no padding>,size. pip
 * uninstalls by it and auditors compare it with the disk.
 */
#ifndef SOFOLD_LAYER_RECORD_H
#define SOFOLD_LAYER_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "sofold/arena.h"
#include "sofold/span.h"

/* What has become of one file of the layer. */
struct record_change {
	const char *path; /* relative to the layer's root */
	bool deleted, added;
	uint64_t size; /* bytes, after */
	uint8_t sha256[32];
};

/*
 * The bytes of RECORD with hash and size of changed files brought up to date
 * and the rows of deleted ones gone. A row without a hash stays without. Rows
 * of added files go too: record_add() writes theirs. All other bytes stay,
 * line endings included. base is the directory its paths are relative to
 * (struct owner); changes are sorted by path. Returns record itself when
 * nothing in it changes, else bytes in arena.
 */
struct span record_edit(struct arena *arena, struct span record, const char *base,
			const struct record_change *changes, size_t nr_changes);

/* The bytes of RECORD with a row for a file it does not list yet, in arena. */
struct span record_add(struct arena *arena, struct span record, const char *base,
		       const struct record_change *change);

/* The path in the row at *at, and *at moved to the next row; NULL at the end.
 * An empty row gives "". Allocated in arena. */
const char *record_next_path(struct arena *arena, struct span record, size_t *at);

#endif
