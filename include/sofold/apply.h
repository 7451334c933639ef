/*
 * apply: carrying out a plan so that nothing is lost.
 *
 *	struct apply *apply = NULL;
 *	if (apply_prepare(layer, plan, &options, &apply, err))
 *		... nothing has changed
 *	if (!options.dry_run && (apply_commit(apply, err) ||
 *	    prove_it_works() || apply_finish(apply, err)))
 *		apply_rollback(apply, err);
 *	apply_free(apply);
 *
 * prepare does everything that can fail: it makes the directory ".sofold"
 * in the layer's root (mode 0700, locked with flock), writes every new file
 * there, proves each (image_prove), copies mode, owner and times, links each
 * original into ".sofold/old", syncs, and writes the journal. commit only
 * renames: each original is replaced by one rename; deletions are renames
 * into ".sofold/old". Order is the plan's: kept copies, consumers, deletions,
 * RECORDs; so a kill between any two renames leaves a layer that loads.
 * rollback puts every original back. finish removes directories that pruning has left
 * empty, and ".sofold". Where nothing
 * changes, nothing is written, ".sofold" included.
 *
 * A layer that a killed run has left with a ".sofold" is first brought back,
 * before it is scanned: apply_recover() rolls back when there is a journal
 * (finish puts it out of force first), then removes the leftovers. prepare does not do
 * so itself, since what was scanned would be another layer.
 *
 * Every system call that changes the disk goes through one table (struct
 * io_ops, src/apply/io.h), so that tests can fail the n-th.
 */
#ifndef SOFOLD_APPLY_H
#define SOFOLD_APPLY_H

#include "sofold/error.h"
#include "sofold/layer.h"
#include "sofold/plan.h"

/* Name of the staging directory in the layer's root. Scans skip it. */
#define APPLY_STAGING ".sofold"

struct apply_options {
	bool dry_run;	  /* compute every new file, write nothing */
	unsigned threads; /* 0: one for each core */
};

/* One file that changes, in the plan's order. */
struct change {
	const struct action *action;
	const char *path;
	uint64_t before, after;	  /* bytes; after of a deletion is 0 */
	const char *kept_because; /* the rewrite was refused: the file stays, and why; NULL: done */
};

struct apply;

/* ERROR_REFUSED never comes out: an object that cannot be rewritten stays as
 * it is, unless it was to get new names and deletions follow: ERROR_VERIFY.
 * On any error the layer is as before and *apply NULL. layer and plan must
 * outlive apply. */
int apply_prepare(const struct layer *layer, const struct plan *plan, const struct apply_options *options,
		  struct apply **apply, struct error *err);

/* On an error call apply_rollback(): some renames may have been made. */
int apply_commit(struct apply *apply, struct error *err);

/* There is a way back until the journal is out of force. When only leftovers could
 * not be removed the layer is in its new state all the same; a rollback then
 * does nothing, and the next run removes them. */
int apply_finish(struct apply *apply, struct error *err);

/* After an error the journal is still there, and so are the originals: the
 * layer is in a state the run has passed through, apply_recover() goes on. */
int apply_rollback(struct apply *apply, struct error *err);

void apply_free(struct apply *apply); /* NULL is fine; leaves the disk alone */

/* The changes, after prepare. An object whose rewrite yields its own bytes is
 * not among them. Owned by apply. */
const struct change *apply_changes(const struct apply *apply, size_t *nr);

/* The new bytes of a staged object, or an empty span when it stays as it is:
 * what verification reads back. Valid until apply_free(). */
struct span apply_staged(const struct apply *apply, object_id object);

/* Parses every staged object and compares it with the object the plan predicts
 * (plan.h plan_predict): ERROR_VERIFY with the first that differs. */
int apply_reread(const struct apply *apply, const struct layer *predicted, struct error *err);

enum recovery {
	RECOVERY_NONE,	   /* no run was cut short */
	RECOVERY_BACK,	   /* the layer is as it was before that run */
	RECOVERY_FINISHED, /* that run had done its work, but for removing what it kept */
};

/* Brings a layer that a killed run has left half done to one of its ends. */
int apply_recover(const char *root, enum recovery *recovery, struct error *err);

/* What bytecode_compile() made. */
struct compiled {
	const char *tag;	      /* of the interpreter: "cpython-312"; NULL: it was not asked */
	size_t nr_files, nr_failed;   /* sources with bytecode; and that do not compile */
	uint64_t bytes;		      /* of all bytecode */
	uint64_t new_bytes;	      /* of files that were not there before */
	unsigned ms_before, ms_after; /* importing every top-level package, in milliseconds */
	const char **made;	      /* files that were not there before */
	size_t nr_made, alloc_made;
};

/* Lets an interpreter, a command or path, put bytecode beside every source of the
 * layer. tag: which it must be; NULL: any. On an error bytecode_remove() what
 * compiled says. Allocates in arena. */
int bytecode_compile(struct arena *arena, const struct layer *layer, const char *python, const char *tag,
		     struct compiled *compiled, struct error *err);

void bytecode_remove(struct arena *arena, const struct layer *layer, const struct compiled *compiled);

/* Copies the tree from to a new directory to (must not exist): modes, times,
 * symlinks and hard links among the copied files kept. Removes what it wrote
 * when it fails. */
int tree_copy(const char *from, const char *to, struct error *err);

/* Removes a directory tree; follows no symlinks. */
int tree_remove(const char *path, struct error *err);

/* Gives a directory another name in the same directory. Takes the place of an
 * empty directory, and of nothing else. */
int tree_rename(const char *from, const char *to, struct error *err);

#endif
