/*
 * The order matters: a change of owner clears set-id bits and capabilities,
 * an access list changes the mode's group bits, and everything but the times
 * touches the times.
 */
#include "apply/meta.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "apply/io.h"
#include "sofold/arena.h"

/* *kept: the file belongs to the same user and group now. */
static int copy_owner(const struct stat *st, int to, bool *kept)
{
	struct stat now;

	*kept = true;
	if (fstat(to, &now))
		return -1;
	if (now.st_uid == st->st_uid && now.st_gid == st->st_gid)
		return 0;
	if (!io.fchown(to, st->st_uid, st->st_gid))
		return 0;
	if (errno != EPERM || !geteuid())
		return -1;
	*kept = false;
	/* The group alone is ours to give when we are a member. */
	if (io.fchown(to, (uid_t)-1, st->st_gid) && errno != EPERM)
		return -1;
	return 0;
}

static bool is_copied(const char *attribute)
{
	return !strncmp(attribute, "user.", 5) || !strcmp(attribute, "security.capability") ||
	       !strcmp(attribute, "security.selinux") || !strcmp(attribute, "system.posix_acl_access");
}

static int copy_attribute(struct arena *arena, int from, int to, const char *name)
{
	ssize_t n = fgetxattr(from, name, NULL, 0);
	void *value;

	if (n < 0)
		return -1;
	value = arena_alloc(arena, (size_t)n + 1);
	n = fgetxattr(from, name, value, (size_t)n);
	return n < 0 ? -1 : io.fsetxattr(to, name, value, (size_t)n);
}

static int copy_attributes(int from, int to, const char *path, struct error *err)
{
	ssize_t n = flistxattr(from, NULL, 0);
	struct arena *arena;
	char *list, *name;
	int status = 0;

	if (n <= 0)
		return 0;
	arena = arena_new();
	list = arena_alloc(arena, (size_t)n + 1);
	n = flistxattr(from, list, (size_t)n);
	for (name = list; n > 0 && name < list + n && !status; name += strlen(name) + 1) {
		if (!is_copied(name) || !copy_attribute(arena, from, to, name))
			continue;
		if (!strcmp(name, "security.capability"))
			status = error_errno(err, "keeping the file capabilities of %s", path);
	}
	arena_free(arena);
	return status;
}

int meta_copy(int from, const struct stat *st, int to, const char *path, struct error *err)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	mode_t mode = st->st_mode & 07777;
	bool kept;

	if (copy_owner(st, to, &kept))
		return error_errno(err, "keeping the owner of %s", path);
	if (!kept)
		mode &= 01777;
	if (io.fchmod(to, mode))
		return error_errno(err, "keeping the mode of %s", path);
	if (copy_attributes(from, to, path, err))
		return ERROR_RUN;
	if (io.futimens(to, times))
		return error_errno(err, "keeping the times of %s", path);
	return 0;
}
