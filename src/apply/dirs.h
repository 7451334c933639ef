/*
 * dirs: reaching files below a directory without ever leaving it.
 *
 * A layer's path is walked one component at a time and no component may be a
 * symlink, "." or "..". Whoever swaps a directory for a symlink between the
 * scan and the write gets an error, not a file written through it.
 */
#ifndef APPLY_DIRS_H
#define APPLY_DIRS_H

#include <sys/stat.h>

#include "sofold/arena.h"

/* Opens the directory that holds path below the directory root; *name is the
 * last component, inside path. -1 and errno: ELOOP or ENOTDIR when something
 * on the way is no directory, EINVAL for "..", "." or an empty component. */
int dir_open_parent(int root, const char *path, const char **name);

/* Opens the regular file at path for reading and tells its state. -1 and
 * errno; ELOOP for a symlink, EINVAL for anything else that is not regular. */
int dir_open_file(int root, const char *path, struct stat *st);

/* Names in a directory, without "." and "..", sorted. */
struct dir_names {
	const char **names;
	size_t nr_names, alloc_names;
};

/* Reads the names; leaves dir open. -1 and errno. */
int dir_list(struct arena *arena, int dir, struct dir_names *names);

#endif
