/*
 * transaction: a list of operations on a layer's files that can be carried
 * out one by one and undone one by one.
 *
 * There are three operations: a staged file is put where none is, a file is
 * replaced by the staged one, or it is moved away. Everything they need is in place before the first is
 *carried out, so that each is a single rename:
 *
 *	create	 rename(.sofold/new/12, PATH)	undo: unlink(PATH)
 *	replace	 rename(.sofold/new/12, PATH)	undo: rename(.sofold/old/12, PATH)
 *	delete	 rename(PATH, .sofold/old/12)	undo: rename(.sofold/old/12, PATH)
 *
 * (old/12 of a replacement is a hard link made beforehand.) What has become of
 * an operation can therefore be read from the staging directory alone:
 *
 *		 new/12	 old/12
 *	create	  yes	   no	not carried out
 *		   no	   no	carried out, or undone
 *	replace	  yes	  yes	not carried out
 *		   no	  yes	carried out
 *		   no	   no	undone
 *	delete	   no	   no	not carried out, or undone
 *		   no	  yes	carried out
 *
 * (undoing a creation removes a file that holds what was put there, and
 * nothing else), which is why a journal need not be written to while the run goes on, and why
 * undoing may be killed and started again at any point.
 */
#ifndef APPLY_TRANSACTION_H
#define APPLY_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "apply/staging.h"
#include "scan/digest.h"
#include "sofold/arena.h"
#include "sofold/error.h"

enum op_kind { OP_CREATE, OP_REPLACE, OP_DELETE };

struct op {
	enum op_kind kind;
	uint32_t number;  /* its files' name in new/ and old/ */
	const char *path; /* below the root */

	/* The new file of a creation or replacement: what undoing recognises it by. */
	uint64_t size; /* bytes */
	uint8_t sha256[DIGEST_BYTES];

	struct stat found; /* what was at path when the operation was prepared;
			    * not in the journal, nothing for a creation */
};

struct transaction {
	struct arena *arena;
	const char *root_path; /* for messages */
	int root;	       /* descriptor of the layer's directory; -1: none */
	struct staging staging;
	struct op *ops; /* in the order they are carried out */
	size_t nr_ops, alloc_ops;
};

/* Opens the root. Allocates in arena, which stays the caller's. */
int transaction_open(struct transaction *transaction, struct arena *arena, const char *root,
		     struct error *err);
void transaction_close(struct transaction *transaction);

/* Makes ".sofold/new/NUMBER"'s name. */
struct op_name {
	char text[16];
};
struct op_name op_name(uint32_t number);

/* Whether both describe one file in one state: inode, size, time of change. */
bool is_same_file(const struct stat *a, const struct stat *b);

/* Carries out all operations; stops at the first that fails. The directories
 * are synced after replacing and after deleting. */
int transaction_run(struct transaction *transaction, struct error *err);

/* Undoes, last first, what has been carried out. A file that somebody has
 * changed or removed since is left as it is now. Stops at the first error, so
 * that what remains is a state the run has passed through. */
int transaction_undo(struct transaction *transaction, struct error *err);

/* When there is no way back any more: removes the directories that deletions
 * have left empty, and those above them that become so. Where that is not
 * allowed they stay. */
int transaction_clean(struct transaction *transaction, struct error *err);

#endif
