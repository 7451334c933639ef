/*
 * Walks with openat(O_NOFOLLOW) rather than openat2(RESOLVE_BENEATH): it
 * works on every kernel and inside the seccomp filters of container builds,
 * which refuse openat2.
 */
#include "apply/dirs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sofold/texts.h"
#include "sofold/vec.h"

static bool is_proper(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Closes fd and returns -1 with the given errno. */
static int give_up(int fd, int error)
{
	close(fd);
	errno = error;
	return -1;
}

int dir_open_parent(int root, const char *path, const char **name)
{
	int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *slash;

	for (; dir >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
		char component[NAME_MAX + 1];
		size_t n = (size_t)(slash - path);
		int next;

		if (n > NAME_MAX)
			return give_up(dir, ENAMETOOLONG);
		memcpy(component, path, n);
		component[n] = '\0';
		if (!is_proper(component))
			return give_up(dir, EINVAL);
		next = openat(dir, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return give_up(dir, errno);
		close(dir);
		dir = next;
	}
	if (dir >= 0 && !is_proper(path))
		return give_up(dir, EINVAL);
	*name = path;
	return dir;
}

int dir_open_file(int root, const char *path, struct stat *st)
{
	const char *name;
	int fd, dir = dir_open_parent(root, path, &name);

	if (dir < 0)
		return -1;
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return give_up(dir, errno);
	close(dir);
	if (fstat(fd, st))
		return give_up(fd, errno);
	if (!S_ISREG(st->st_mode))
		return give_up(fd, EINVAL);
	return fd;
}

int dir_list(struct arena *arena, int dir, struct dir_names *names)
{
	int error, fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!stream)
		return fd < 0 ? -1 : give_up(fd, errno);
	while (errno = 0, (entry = readdir(stream)))
		if (is_proper(entry->d_name))
			*VEC_PUSH(arena, names, names) = arena_strdup(arena, entry->d_name);
	error = errno;
	closedir(stream);
	errno = error;
	if (error)
		return -1;
	texts_sort(names->names, names->nr_names);
	return 0;
}
