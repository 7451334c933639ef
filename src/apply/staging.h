/*
 * staging: the directory ".sofold" in a layer's root while a run changes it.
 *
 *	.sofold/lock	     locked with flock as long as the run lives
 *	.sofold/new/12	     operation 12's new file, until it is renamed
 *	.sofold/old/12	     operation 12's original
 *	.sofold/journal	     what is being done; exists: not finished (journal.h)
 *	.sofold/journal.new  the same while it is written
 *	.sofold/finished     the same when the run is over and cleans up
 *
 * The lock is on a file, not on the directory, because NFS grants locks only
 * on what is open for writing. Only these names are ever removed: a user's
 * own directory that happens to be called ".sofold" is an error, not prey.
 */
#ifndef APPLY_STAGING_H
#define APPLY_STAGING_H

#include <stdbool.h>

#include "sofold/error.h"

#define STAGING_JOURNAL	    "journal"
#define STAGING_JOURNAL_NEW "journal.new"
#define STAGING_FINISHED    "finished"

struct staging {
	const char *root_path; /* for messages */
	int root;	       /* the layer's directory; the caller's */
	int dir, lock;	       /* ".sofold" and its lock */
	int new, old;	       /* its two subdirectories */
};

/* All descriptors closed, so that staging_close() is always allowed. */
void staging_init(struct staging *staging, int root, const char *root_path);

/* Makes the directory and locks it. Leftovers of a killed run that had not
 * changed anything are cleared away; one that had is an error (recover first),
 * and so is a run at work. Leaves nothing of its own behind when it fails. */
int staging_create(struct staging *staging, struct error *err);

/* Opens and locks what a killed run has left. *exists: there is something. */
int staging_open(struct staging *staging, bool *exists, struct error *err);

/* Whether there is a journal: operations may have been carried out. */
bool staging_has_journal(const struct staging *staging);

/* Declares the journal finished: from here on the layer is as it shall be, and
 * what is left of ".sofold" is rubbish. The last call that may fail while the
 * originals are still there; then the journal is in force again. */
int staging_disarm(struct staging *staging, struct error *err);

/* Sees to it that the journal is in force before anything is undone. */
int staging_rearm(struct staging *staging, struct error *err);

/* Removes the directory after staging_disarm(). Goes on after an error, so as
 * to leave little behind, and reports the first. */
int staging_remove(struct staging *staging, struct error *err);

void staging_close(struct staging *staging);

#endif
