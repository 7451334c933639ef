/*
 * journal: the operations of a run, on disk, before the first is carried out.
 *
 *	sofold journal 1
 *	replace 0 18144 3f5a…e1 numpy.libs/libgfortran-040039e1.so.5.0.0
 *	delete 1 scipy.libs/libgfortran-0352e75f.so.5.0.0
 *	end 2
 *
 * Number, then for a replacement size and SHA-256 of the new file, then the
 * path, in which "\n" and "\\" stand for a newline and a backslash. The file
 * is written under another name, synced and renamed, so ".sofold/journal" is
 * whole whenever it exists; while it exists, the run is not finished and is
 * to be undone (transaction.h tells from where).
 */
#ifndef APPLY_JOURNAL_H
#define APPLY_JOURNAL_H

#include "apply/transaction.h"

int journal_write(struct transaction *transaction, struct error *err);

/* Fills transaction->ops from STAGING_JOURNAL or STAGING_FINISHED. A journal that is not as written is an
 * error: then nothing is known and nothing must be touched. */
int journal_read(struct transaction *transaction, const char *name, struct error *err);

#endif
