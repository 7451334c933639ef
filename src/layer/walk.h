/*
 * walk: what a path names inside a layer, as the kernel would see it.
 *
 * Unlike path_join(), which is textual, a walk goes through symlinks, so that
 * "link/.." is the parent of what link points to.
 */
#ifndef SOFOLD_LAYER_WALK_H
#define SOFOLD_LAYER_WALK_H

#include "sofold/layer.h"

enum { WALK_PATH_MAX = 4096 }; /* bytes with the NUL, as PATH_MAX on Linux */

/* Goes to path from directory dir (clean, "" for the root) through every
 * symlink. Writes the place it names to found, clean, and returns true; false
 * when the way leaves the root, loops, or goes through what is no directory.
 * The place itself may or may not exist. */
bool walk_path(const struct layer *layer, const char *dir, const char *path, char found[WALK_PATH_MAX]);

/* Whether the layer has a file below this directory; the root always exists. */
bool walk_is_directory(const struct layer *layer, const char *path);

#endif
