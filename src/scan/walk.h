/* walk: the files of a tree, into a layer. See walk.c. */
#ifndef SOFOLD_SRC_SCAN_WALK_H
#define SOFOLD_SRC_SCAN_WALK_H

#include "sofold/error.h"
#include "sofold/layer.h"

/* Called with each ELF file while it is open, on the thread of a worker, whose
 * arena becomes the layer's. *file is not where it will be; its path is. */
struct walk_visitor {
	void (*elf)(void *context, const struct file *file, int fd, struct arena *arena, unsigned worker);
	void *context;
};

/* Adds every file below the directory root to the layer, sorted by path.
 * What cannot be read is a finding. threads: as for pool_run(). */
int walk_tree(struct layer *layer, int root, unsigned threads, const struct walk_visitor *visitor,
	      struct error *err);

/* Sorts the layer's files by path, as layer_find_file() needs them. */
void walk_sort(struct layer *layer);

#endif
