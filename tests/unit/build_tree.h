/*
 * build_tree: a layer on the disk for the scanner, of files that tests of the scanner
 * put there; one at a time.
 *
 *	tree_plant();
 *	tree_put("a.so", object_compile("", "int answer(void) { return 42; }").bytes);
 *	struct layer *layer = tree_survey();
 *	...
 *	layer_free(layer);
 *	tree_fell();
 */
#ifndef SOFOLD_UNIT_BUILD_TREE_H
#define SOFOLD_UNIT_BUILD_TREE_H

#include "sofold/layer.h"
#include "sofold/span.h"

/* An empty directory. */
void tree_plant(void);
/* Removes it, and forgets object_arena(). */
void tree_fell(void);

/* The path of a file in it, or of itself (""). */
const char *tree_path(const char *name);
void tree_put(const char *name, struct span bytes);

/* Scans it; ends the process when that fails. */
struct layer *tree_survey(void);

#endif
