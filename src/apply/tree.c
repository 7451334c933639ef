/*
 * Copying and removing whole trees, by descriptors all the way down: a
 * directory swapped for a symlink while we are at it leads nowhere.
 *
 * Hard links: the first path of an inode is copied, later ones are linked to
 * the copy. Package managers link every file to a cache, so nearly all files
 * may have several links; the inodes met are kept in a hash table.
 */
#include "sofold/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply/copy.h"
#include "apply/dirs.h"
#include "apply/io.h"
#include "apply/meta.h"
#include "sofold/arena.h"

/* --------- removing ------------------ */

/* Opens a directory for removing what is in it, which takes all its owner's
 * permissions. */
static int open_to_empty(int parent, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int dir = openat(parent, name, flags);

	/* fchmodat() has no way not to follow; a symlink swapped in here could
	 * only be to a file of the same owner in a directory already ours. */
	if (dir < 0 && errno == EACCES && !fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISDIR(st.st_mode) && !fchmodat(parent, name, 0700, 0))
		dir = openat(parent, name, flags);
	if (dir >= 0 && !fstat(dir, &st) && (st.st_mode & 0700) != 0700)
		io.fchmod(dir, 0700);
	return dir;
}

static int remove_entry(int parent, const char *name, const char *path, struct error *err);

static int empty_directory(int dir, const char *path, struct error *err)
{
	struct arena *arena = arena_new();
	struct dir_names names = {0};
	int status = 0, more;

	if (dir_list(arena, dir, &names))
		status = error_errno(err, "reading %s", path);
	for (size_t i = 0; i < names.nr_names; i++) {
		more = remove_entry(dir, names.names[i], arena_printf(arena, "%s/%s", path, names.names[i]),
				    status ? &(struct error){""} : err);
		status = status ? status : more;
	}
	arena_free(arena);
	return status;
}

/* Removes one name and what is below it; goes on after an error and reports
 * the first. */
static int remove_entry(int parent, const char *name, const char *path, struct error *err)
{
	struct stat st;
	int dir, status;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW))
		return error_errno(err, "removing %s", path);
	if (!S_ISDIR(st.st_mode)) {
		if (io.unlinkat(parent, name, 0))
			return error_errno(err, "removing %s", path);
		return 0;
	}
	dir = open_to_empty(parent, name);
	if (dir < 0)
		return error_errno(err, "removing %s", path);
	status = empty_directory(dir, path, err);
	close(dir);
	if (!status && io.unlinkat(parent, name, AT_REMOVEDIR))
		status = error_errno(err, "removing %s", path);
	return status;
}

int tree_remove(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st))
		return error_errno(err, "removing %s", path);
	if (!S_ISDIR(st.st_mode))
		return error_add(err, ERROR_RUN, "removing %s: not a directory", path);
	return remove_entry(AT_FDCWD, path, path, err);
}

int tree_rename(const char *from, const char *to, struct error *err)
{
	if (io.renameat(AT_FDCWD, from, AT_FDCWD, to))
		return error_errno(err, "making %s", to);
	return 0;
}

/* --------- inodes met ------------------ */

struct inode {
	dev_t dev;
	ino_t ino;
	const char *path; /* of the copy, below the new root; NULL: a free slot */
};

/* Open addressing; the number of slots is a power of two, at most half full. */
struct inode_table {
	struct inode *slots;
	size_t nr, alloc;
};

static struct inode *inode_slot(const struct inode_table *table, dev_t dev, ino_t ino)
{
	uint64_t hash = ((uint64_t)ino ^ (uint64_t)dev << 32) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(hash >> 20) & (table->alloc - 1);

	while (table->slots[i].path && (table->slots[i].ino != ino || table->slots[i].dev != dev))
		i = (i + 1) & (table->alloc - 1);
	return &table->slots[i];
}

static void inode_grow(struct arena *arena, struct inode_table *table)
{
	struct inode_table grown = {NULL, table->nr, table->alloc ? table->alloc * 2 : 64};

	grown.slots = arena_array(arena, grown.alloc, sizeof *grown.slots);
	for (size_t i = 0; i < table->alloc; i++)
		if (table->slots[i].path)
			*inode_slot(&grown, table->slots[i].dev, table->slots[i].ino) = table->slots[i];
	*table = grown;
}

/* The path an inode's first link was copied to, or NULL after noting this
 * path as the first. */
static const char *inode_first_path(struct arena *arena, struct inode_table *table, const struct stat *st,
				    const char *path)
{
	struct inode *slot;

	if (table->nr * 2 >= table->alloc)
		inode_grow(arena, table);
	slot = inode_slot(table, st->st_dev, st->st_ino);
	if (slot->path)
		return slot->path;
	*slot = (struct inode){st->st_dev, st->st_ino, path};
	table->nr++;
	return NULL;
}

/* --------- copying ------------------ */

struct copying {
	struct arena *arena;
	struct inode_table inodes;
	int to_root;
	struct stat to_state; /* of the new root, so as not to copy it into itself */
	struct error *err;
};

/* One entry on its way. Paths are below the two roots, for links and
 * messages. */
struct entry {
	int from_dir, to_dir;
	const char *name;
	const char *path;
	struct stat st;
};

static int copy_directory(struct copying *copying, int from, int to, const char *path);

static int copy_failed(struct copying *copying, const struct entry *entry)
{
	return error_errno(copying->err, "copying %s", entry->path);
}

static int copy_open_file(struct copying *copying, const struct entry *entry, int from, int to)
{
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) || copy_contents(from, to))
		return copy_failed(copying, entry);
	return meta_copy(from, &st, to, entry->path, copying->err);
}

static int copy_file(struct copying *copying, const struct entry *entry)
{
	const char *first = entry->st.st_nlink > 1 ? inode_first_path(copying->arena, &copying->inodes,
								      &entry->st, entry->path)
						   : NULL;
	int status, from, to;

	if (first) {
		if (io.linkat(copying->to_root, first, entry->to_dir, entry->name))
			return copy_failed(copying, entry);
		return 0;
	}
	from = openat(entry->from_dir, entry->name,
		      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	to = from < 0 ? -1
		      : io.openat(entry->to_dir, entry->name,
				  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	status = copy_open_file(copying, entry, from, to);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return status;
}

static int copy_symlink(struct copying *copying, const struct entry *entry)
{
	const struct timespec times[2] = {entry->st.st_atim, entry->st.st_mtim};
	size_t size = (size_t)entry->st.st_size + 1;
	char *target = arena_alloc(copying->arena, size + 1);
	ssize_t n = readlinkat(entry->from_dir, entry->name, target, size);

	if (n < 0 || io.symlinkat(target, entry->to_dir, entry->name))
		return copy_failed(copying, entry);
	if (io.lchownat(entry->to_dir, entry->name, entry->st.st_uid, entry->st.st_gid) && !geteuid())
		return copy_failed(copying, entry);
	if (io.lutimensat(entry->to_dir, entry->name, times))
		return copy_failed(copying, entry);
	return 0;
}

static int copy_subdirectory(struct copying *copying, const struct entry *entry)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int status, from, to = -1;

	if (entry->st.st_dev == copying->to_state.st_dev && entry->st.st_ino == copying->to_state.st_ino)
		return error_add(copying->err, ERROR_RUN,
				 "copying into itself: the new tree lies within the old");
	from = openat(entry->from_dir, entry->name, flags);
	if (from >= 0 && !io.mkdirat(entry->to_dir, entry->name, 0700))
		to = openat(entry->to_dir, entry->name, flags);
	if (from < 0 || to < 0)
		status = copy_failed(copying, entry);
	else
		status = copy_directory(copying, from, to, entry->path);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return status;
}

static int copy_entry(struct copying *copying, const struct entry *entry)
{
	if (S_ISREG(entry->st.st_mode))
		return copy_file(copying, entry);
	if (S_ISLNK(entry->st.st_mode))
		return copy_symlink(copying, entry);
	if (S_ISDIR(entry->st.st_mode))
		return copy_subdirectory(copying, entry);
	return error_add(copying->err, ERROR_RUN, "copying %s: neither a file, directory nor symlink",
			 entry->path);
}

/* Copies what is in from, then from's own metadata, which copying into to has
 * touched. path is "" for the root. */
static int copy_directory(struct copying *copying, int from, int to, const char *path)
{
	struct dir_names names = {0};
	struct entry entry = {.from_dir = from, .to_dir = to};
	const char *shown = *path ? path : ".";
	struct stat st;
	int status = 0;

	if (fstat(from, &st) || dir_list(copying->arena, from, &names))
		return error_errno(copying->err, "reading %s", shown);
	for (size_t i = 0; i < names.nr_names && !status; i++) {
		entry.name = names.names[i];
		entry.path = arena_printf(copying->arena, "%s%s%s", path, *path ? "/" : "", entry.name);
		if (fstatat(from, entry.name, &entry.st, AT_SYMLINK_NOFOLLOW))
			return copy_failed(copying, &entry);
		status = copy_entry(copying, &entry);
	}
	return status ? status : meta_copy(from, &st, to, shown, copying->err);
}

static int copy_into(const char *from, const char *to, struct error *err)
{
	struct copying copying = {.arena = arena_new(), .err = err};
	int status, from_root = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	copying.to_root = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from_root < 0)
		status = error_errno(err, "opening %s", from);
	else if (copying.to_root < 0 || fstat(copying.to_root, &copying.to_state))
		status = error_errno(err, "opening %s", to);
	else
		status = copy_directory(&copying, from_root, copying.to_root, "");
	if (from_root >= 0)
		close(from_root);
	if (copying.to_root >= 0)
		close(copying.to_root);
	arena_free(copying.arena);
	return status;
}

int tree_copy(const char *from, const char *to, struct error *err)
{
	int status;

	if (io.mkdirat(AT_FDCWD, to, 0700))
		return error_errno(err, "making %s", to);
	status = copy_into(from, to, err);
	if (status)
		tree_remove(to, err);
	return status;
}
