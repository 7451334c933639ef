/* walk: the files of a tree, into a layer. See walk.c. */
#ifndef SOFOLD_SRC_SCAN_WALK_H
#define SOFOLD_SRC_SCAN_WALK_H

#include "sofold/error.h"
#include "sofold/layer.h"

/* Adds every file below the directory root to the layer, sorted by path.
 * What cannot be read is a finding. threads: as for pool_run(). */
int walk_tree(struct layer *layer, int root, unsigned threads, struct error *err);

/* Sorts the layer's files by path, as layer_find_file() needs them. */
void walk_sort(struct layer *layer);

#endif
