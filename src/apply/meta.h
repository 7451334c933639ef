/*
 * meta: what a file is besides its bytes: owner, mode, extended attributes,
 * times.
 */
#ifndef APPLY_META_H
#define APPLY_META_H

#include <sys/stat.h>

#include "sofold/error.h"

/*
 * Gives the open file to the metadata of the open file from, whose state is
 * st; path names it in messages. The owner of a file that is somebody else's
 * cannot be kept without privilege; then the set-id bits go. User attributes,
 * access lists and security labels are kept as far as the file system lets
 * us; file capabilities are kept or it is an error.
 */
int meta_copy(int from, const struct stat *st, int to, const char *path, struct error *err);

#endif
