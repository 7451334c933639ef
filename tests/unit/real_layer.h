/*
 * real_layer: a small layer on disk with objects the loader really loads, its
 * model, and a plan for it; for tests of what writes to the disk. The model
 * is made here and not by the scanner, the plan not by the planner, so that
 * these tests fail for reasons of their own only.
 *
 *	alpha/_core.so			 needs libfoo-1111aaaa.so.1
 *	alpha.libs/libfoo-1111aaaa.so.1
 *	alpha-1.0.dist-info/RECORD
 *	gamma/_core.so, gamma/_alias.so	 one inode; needs libfoo-2222bbbb.so.1
 *	gamma/tests/test_a.py, gamma/tests/data/a.txt, gamma/tests/data/b.txt
 *	gamma.libs/libfoo-2222bbbb.so.1
 *	gamma-2.0.dist-info/RECORD
 *	notes.txt -> alpha/notes.txt
 *
 * The plan compacts alpha's library and module, points gamma's module at
 * alpha's library, deletes gamma's, and brings both RECORDs up to date.
 */
#ifndef SOFOLD_UNIT_REAL_LAYER_H
#define SOFOLD_UNIT_REAL_LAYER_H

#include "sofold/layer.h"
#include "sofold/plan.h"

/* Builds the tree with the C compiler in a new directory under /tmp or
 * $TMPDIR. Returns its path in arena, or NULL when it cannot be built. */
char *real_tree(struct arena *arena);

/* The same with libraries that pass for OpenBLAS, LP64 in alpha.libs and ILP64
 * in gamma.libs, for the whole program. top is the source tree. */
char *real_blas_tree(struct arena *arena, const char *top);

/* A copy of a tree beside it. */
char *real_copy(struct arena *arena, const char *root);

/* Removes a tree that real_tree or real_copy made. */
void real_remove(const char *root);

/* The model of a tree in its present state. Allocates in arena. */
struct layer *real_layer(struct arena *arena, const char *root);

/* The plan for it. When gamma's library is gone already, only what compacts. */
struct plan *real_plan(struct arena *arena, const struct layer *layer);

/* Another plan: gamma's library goes for a copy of it at a new path, which the
 * layer gets as an offer; alpha's is only compacted. */
#define REAL_PLACED "gamma.libs/libplaced.so.1"
struct plan *real_placing_plan(struct arena *arena, struct layer *layer);

/* The tree as text: for each path its type, mode, owner, links, time of
 * change, size and a checksum of its bytes; directories without times, and only
 * those that hold a file. */
char *real_snapshot(struct arena *arena, const char *root);

#endif
