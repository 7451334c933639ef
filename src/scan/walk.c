/*
 * One walk over a tree: names, sizes and kinds of everything in it.
 *
 * Directories are opened one below the other (openat, O_NOFOLLOW), so a
 * directory swapped for a symlink while we walk cannot lead us out. Symlinks
 * are noted, never followed. Nothing but directories is opened.
 */
#include "scan/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sofold/apply.h"
#include "sofold/vec.h"

/* Deeper trees than any path can name are somebody's joke. */
enum { MAX_DEPTH = 256 };

struct walk {
	struct layer *layer;
	unsigned depth;
};

static enum file_kind kind_of(mode_t mode)
{
	return S_ISREG(mode) ? FILE_REGULAR : S_ISLNK(mode) ? FILE_SYMLINK : FILE_OTHER;
}

static const char *read_link(struct arena *arena, int dirfd, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(dirfd, name, target, sizeof target);

	return n < 0 ? "" : arena_strndup(arena, target, (size_t)n);
}

static void add_file(struct walk *walk, int dirfd, const char *path, const char *name, const struct stat *st)
{
	struct layer *layer = walk->layer;
	struct file *file = VEC_PUSH(layer->arena, layer, files);

	*file = (struct file){
		.path = path,
		.name = path + strlen(path) - strlen(name),
		.kind = kind_of(st->st_mode),
		.mode = st->st_mode,
		.size = (uint64_t)st->st_size,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.nr_links = st->st_nlink,
		.mtime_sec = st->st_mtim.tv_sec,
		.mtime_nsec = st->st_mtim.tv_nsec,
		.owner = NO_ID,
		.object = NO_ID,
	};
	if (file->kind == FILE_SYMLINK)
		file->link_target = read_link(layer->arena, dirfd, name);
}

static void walk_dir(struct walk *walk, int fd, const char *path);

static void unreadable(struct walk *walk, const char *path)
{
	layer_add_finding(walk->layer, "unreadable", SEVERITY_ERROR, path, "cannot be read: %s",
			  strerror(errno));
}

static void enter(struct walk *walk, int dirfd, const char *path, const char *name)
{
	int fd;

	if (walk->depth == MAX_DEPTH) {
		layer_add_finding(walk->layer, "unreadable", SEVERITY_ERROR, path,
				  "directories nest deeper than %d levels", MAX_DEPTH);
		return;
	}
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		unreadable(walk, path);
		return;
	}
	walk->depth++;
	walk_dir(walk, fd, path);
	walk->depth--;
}

static void visit(struct walk *walk, int dirfd, const char *dir, const char *name)
{
	const char *path = *dir ? arena_printf(walk->layer->arena, "%s/%s", dir, name)
				: arena_strdup(walk->layer->arena, name);
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		unreadable(walk, path);
	else if (S_ISDIR(st.st_mode))
		enter(walk, dirfd, path, name);
	else
		add_file(walk, dirfd, path, name, &st);
}

static bool is_skipped(const struct walk *walk, const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || (!walk->depth && !strcmp(name, APPLY_STAGING));
}

/* Takes fd over. */
static void walk_dir(struct walk *walk, int fd, const char *path)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		unreadable(walk, path);
		close(fd);
		return;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (!is_skipped(walk, entry->d_name))
			visit(walk, dirfd(dir), path, entry->d_name);
	if (errno)
		unreadable(walk, path);
	closedir(dir);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

void walk_sort(struct layer *layer)
{
	if (layer->nr_files)
		qsort(layer->files, layer->nr_files, sizeof *layer->files, by_path);
}

int walk_tree(struct layer *layer, int root, struct error *err)
{
	struct walk walk = {.layer = layer};
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "opening %s", layer->root);
	walk_dir(&walk, fd, "");
	walk_sort(layer);
	return 0;
}
