/*
 * What is to be packed: names, kinds, sizes and times, by one walk.
 *
 * The walk goes down by descriptors and follows no symlink. It refuses what a zip
 * cannot hold before anything is compressed. One thread does it: some thousand
 * stats take less time than compressing a megabyte. What it has seen of each file
 * stays with the entry, so that a file that changes later is noticed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/dirs.h"
#include "pack/pack.h"
#include "sofold/apply.h"
#include "sofold/vec.h"

enum {
	MAX_DEPTH = 256,
	MAX_NAME = UINT16_MAX, /* APPNOTE 4.4.10 */
};

struct walk {
	struct packed *packed;
	const struct pack_options *options;
	const char *root_name, *prefix;
	struct error *err;
};

static int refuse(const struct walk *walk, const char *path, const char *why)
{
	return error_add(walk->err, ERROR_RUN, "packing %s: %s", path, why);
}

static int failed(const struct walk *walk, const char *path)
{
	return error_errno(walk->err, "packing %s", path);
}

static int add_entry(struct walk *walk, const char *path, const struct stat *st, struct pack_entry **added)
{
	struct arena *arena = walk->packed->arena;
	struct pack_entry *entry = VEC_PUSH(arena, walk->packed, entries);
	const char *slash = S_ISDIR(st->st_mode) && *path ? "/" : "";

	*entry = (struct pack_entry){
		.name = arena_printf(arena, "%s%s%s", walk->prefix, path, slash),
		.path = path,
		.mode = st->st_mode,
		.mtime = walk->options->same_time ? walk->options->time : st->st_mtim.tv_sec,
		.seen = *st,
	};
	*added = entry;
	if (!name_is_utf8(path))
		return refuse(walk, path, "the name is not UTF-8");
	return strlen(entry->name) > MAX_NAME ? refuse(walk, path, "the name is too long for a zip") : 0;
}

static int add_file(struct walk *walk, const char *path, const struct stat *st)
{
	struct pack_entry *entry;
	int rc = add_entry(walk, path, st, &entry);

	entry->size = (uint64_t)st->st_size;
	walk->packed->nr_files++;
	return rc;
}

static int add_symlink(struct walk *walk, int dir, const char *name, const char *path, const struct stat *st)
{
	char target[4096];
	ssize_t n = readlinkat(dir, name, target, sizeof target);
	struct pack_entry *entry;
	int rc = add_entry(walk, path, st, &entry);

	if (n < 0)
		return failed(walk, path);
	if ((size_t)n == sizeof target)
		return refuse(walk, path, "the symlink is too long");
	entry->target = arena_strndup(walk->packed->arena, target, (size_t)n);
	entry->size = (uint64_t)n;
	walk->packed->nr_symlinks++;
	return rc;
}

static int add_empty_directory(struct walk *walk, const char *path, const struct stat *st)
{
	struct pack_entry *entry;

	/* The root has a name only when there is a prefix. */
	if (!*path && !*walk->prefix)
		return 0;
	walk->packed->nr_directories++;
	return add_entry(walk, path, st, &entry);
}

static const char *what_is(mode_t mode)
{
	return S_ISFIFO(mode)	? "a zip cannot hold a FIFO"
	       : S_ISSOCK(mode) ? "a zip cannot hold a socket"
				: "a zip cannot hold a device";
}

static int list_directory(struct walk *walk, int dir, const char *path, unsigned depth);

static int enter(struct walk *walk, int dir, const char *name, const char *path, unsigned depth)
{
	int sub, rc;

	if (depth == MAX_DEPTH)
		return refuse(walk, path, "directories nest too deep");
	sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return failed(walk, path);
	rc = list_directory(walk, sub, path, depth + 1);
	close(sub);
	return rc;
}

static int visit(struct walk *walk, int dir, const char *name, const char *path, unsigned depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return failed(walk, path);
	if (S_ISDIR(st.st_mode))
		return enter(walk, dir, name, path, depth);
	if (S_ISLNK(st.st_mode))
		return add_symlink(walk, dir, name, path, &st);
	if (!S_ISREG(st.st_mode))
		return refuse(walk, path, what_is(st.st_mode));
	return add_file(walk, path, &st);
}

static int list_directory(struct walk *walk, int dir, const char *path, unsigned depth)
{
	struct arena *arena = walk->packed->arena;
	struct dir_names names = {0};
	struct stat st;
	int rc = 0;

	if (fstat(dir, &st) || dir_list(arena, dir, &names))
		return failed(walk, *path ? path : walk->root_name);
	if (!names.nr_names)
		return add_empty_directory(walk, path, &st);
	for (size_t i = 0; i < names.nr_names && !rc; i++)
		rc = visit(walk, dir, names.names[i],
			   arena_printf(arena, "%s%s%s", path, *path ? "/" : "", names.names[i]), depth);
	return rc;
}

/* --------- the list ------------------ */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pack_entry *)a)->name, ((const struct pack_entry *)b)->name);
}

static int check_symlinks(const struct walk *walk)
{
	const struct packed *packed = walk->packed;

	for (size_t i = 0; i < packed->nr_entries; i++)
		if (packed->entries[i].target && !link_stays(packed, &packed->entries[i]))
			return refuse(walk, packed->entries[i].path, "the symlink leads out of the tree");
	return 0;
}

/* A layer half changed must not be shipped. */
static int check_staging(const struct walk *walk, int root)
{
	struct stat st;

	if (fstatat(root, APPLY_STAGING, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : failed(walk, walk->root_name);
	return refuse(walk, walk->root_name,
		      "a run of sofold shrink is at work in it or was killed; run sofold shrink first");
}

int tree_list(struct packed *packed, int root, const char *root_name, const struct pack_options *options,
	      struct error *err)
{
	struct walk walk = {packed, options, root_name, options->prefix ? options->prefix : "", err};
	int rc = check_staging(&walk, root);

	rc = rc ? rc : list_directory(&walk, root, "", 0);
	if (packed->nr_entries)
		qsort(packed->entries, packed->nr_entries, sizeof *packed->entries, by_name);
	return rc ? rc : check_symlinks(&walk);
}
