/*
 * Two runs may meet here: one that ends removes the directory while another
 * opens it. Whoever holds the lock therefore checks that the lock file is
 * still the one in the directory and the directory the one in the root, and
 * starts over when it is not. The lock file goes last but for the directory,
 * so a directory without a lock file is empty or not ours.
 */
#include "apply/staging.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply/dirs.h"
#include "apply/io.h"
#include "sofold/apply.h"
#include "sofold/pool.h"
#include "sofold/arena.h"

/* What an attempt to lock has met: another run's end (try again), or its life. */
enum { GONE = 1, BUSY = 2, ATTEMPTS = 100 };

void staging_init(struct staging *staging, int root, const char *root_path)
{
	*staging = (struct staging){root_path, root, -1, -1, -1, -1};
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void staging_close(struct staging *staging)
{
	close_fd(&staging->new);
	close_fd(&staging->old);
	close_fd(&staging->lock);
	close_fd(&staging->dir);
}

static int failed(const struct staging *staging, const char *doing, const char *name, struct error *err)
{
	return error_errno(err, "%s %s/%s%s", doing, staging->root_path, APPLY_STAGING, name);
}

static int is_empty(int dir, bool *empty)
{
	struct arena *arena = arena_new();
	struct dir_names names = {0};
	int status = dir_list(arena, dir, &names);

	*empty = !names.nr_names;
	arena_free(arena);
	return status;
}

/* Opens the lock file, making it in an empty directory only. */
static int open_lock(struct staging *staging, struct error *err)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	bool empty = false;

	staging->lock = openat(staging->dir, "lock", flags);
	if (staging->lock >= 0 || errno != ENOENT)
		return staging->lock < 0 ? failed(staging, "opening", "/lock", err) : 0;
	if (is_empty(staging->dir, &empty))
		return failed(staging, "reading", "", err);
	if (empty)
		staging->lock = io.openat(staging->dir, "lock", flags | O_CREAT, 0600);
	else /* another run may have made lock and more just now */
		staging->lock = openat(staging->dir, "lock", flags);
	if (staging->lock >= 0)
		return 0;
	if (!empty)
		return error_add(err, ERROR_RUN, "%s/%s is in the way: it was not made by sofold",
				 staging->root_path, APPLY_STAGING);
	return errno == ENOENT ? GONE : failed(staging, "making", "/lock", err);
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

static bool is_current(const struct staging *staging)
{
	struct stat held, there;

	return !fstat(staging->lock, &held) && !fstatat(staging->dir, "lock", &there, AT_SYMLINK_NOFOLLOW) &&
	       same_inode(&held, &there) && !fstat(staging->dir, &held) &&
	       !fstatat(staging->root, APPLY_STAGING, &there, AT_SYMLINK_NOFOLLOW) &&
	       same_inode(&held, &there);
}

static int busy(const struct staging *staging, struct error *err)
{
	return error_add(err, ERROR_RUN, "another sofold is at work on %s", staging->root_path);
}

/* Opens and locks an existing directory. GONE when it has just vanished, BUSY
 * when a run holds it, neither with a message. */
static int open_locked(struct staging *staging, struct error *err)
{
	int status;

	staging->dir = openat(staging->root, APPLY_STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (staging->dir < 0)
		return errno == ENOENT ? GONE : failed(staging, "opening", "", err);
	status = open_lock(staging, err);
	if (status)
		return status;
	if (io.flock(staging->lock, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return BUSY;
		return failed(staging, "locking", "/lock", err);
	}
	return is_current(staging) ? 0 : GONE;
}

static int open_subdirectory(struct staging *staging, const char *name, int *fd, struct error *err)
{
	*fd = openat(staging->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 && errno != ENOENT)
		return error_errno(err, "opening %s/%s/%s", staging->root_path, APPLY_STAGING, name);
	return 0;
}

int staging_open(struct staging *staging, bool *exists, struct error *err)
{
	int status = open_locked(staging, err);

	*exists = !status;
	if (!status)
		status = open_subdirectory(staging, "new", &staging->new, err);
	if (!status)
		status = open_subdirectory(staging, "old", &staging->old, err);
	if (status)
		staging_close(staging);
	if (status == BUSY)
		return busy(staging, err);
	return status == GONE ? 0 : status;
}

bool staging_has_journal(const struct staging *staging)
{
	struct stat st;

	return !fstatat(staging->dir, STAGING_JOURNAL, &st, AT_SYMLINK_NOFOLLOW);
}

static int make_subdirectory(struct staging *staging, const char *name, int *fd, struct error *err)
{
	if (io.mkdirat(staging->dir, name, 0700))
		return error_errno(err, "making %s/%s/%s", staging->root_path, APPLY_STAGING, name);
	return open_subdirectory(staging, name, fd, err);
}

static bool is_number(const char *name)
{
	for (; isdigit((unsigned char)*name); name++)
		;
	return !*name;
}

struct removal {
	int dir;
	const char **names;
	int *errors; /* errno of each */
};

static void remove_one(void *context, size_t item, unsigned worker)
{
	struct removal *removal = context;

	(void)worker;
	if (is_number(removal->names[item]) && io.unlinkat(removal->dir, removal->names[item], 0))
		removal->errors[item] = errno;
}

/* Removes the numbered files of one subdirectory and then itself. In parallel:
 * to give back what a large file holds takes longer than its name. */
static int clear_subdirectory(struct staging *staging, const char *name, int *fd, struct error *err)
{
	struct arena *arena = arena_new();
	struct dir_names names = {0};
	struct removal removal;
	int status = 0;
	size_t i;

	if (dir_list(arena, *fd, &names))
		status = failed(staging, "reading", "", err);
	removal = (struct removal){*fd, names.names, arena_array(arena, names.nr_names, sizeof(int))};
	pool_run(names.nr_names, 0, remove_one, &removal);
	for (i = 0; i < names.nr_names && !status; i++)
		if ((errno = removal.errors[i]))
			status = error_errno(err, "removing %s/%s/%s/%s", staging->root_path, APPLY_STAGING,
					     name, names.names[i]);
	close_fd(fd);
	if (io.unlinkat(staging->dir, name, AT_REMOVEDIR) && !status)
		status = error_errno(err, "removing %s/%s/%s", staging->root_path, APPLY_STAGING, name);
	arena_free(arena);
	return status;
}

/* Removes everything but the lock. */
static int clear(struct staging *staging, struct error *err)
{
	int status = 0, more;

	if (io.unlinkat(staging->dir, STAGING_JOURNAL_NEW, 0) && errno != ENOENT)
		status = failed(staging, "removing", "/" STAGING_JOURNAL_NEW, err);
	if (io.unlinkat(staging->dir, STAGING_FINISHED, 0) && errno != ENOENT && !status)
		status = failed(staging, "removing", "/" STAGING_FINISHED, err);
	if (staging->new >= 0) {
		more = clear_subdirectory(staging, "new", &staging->new, err);
		status = status ? status : more;
	}
	if (staging->old >= 0) {
		more = clear_subdirectory(staging, "old", &staging->old, err);
		status = status ? status : more;
	}
	return status;
}

/* Makes and locks the directory; *made: it was not there before. */
static int make_locked(struct staging *staging, bool *made, struct error *err)
{
	int attempt, status = GONE;

	for (attempt = 0; attempt < ATTEMPTS && status == GONE; attempt++) {
		staging_close(staging);
		*made = !io.mkdirat(staging->root, APPLY_STAGING, 0700);
		if (!*made && errno != EEXIST)
			return failed(staging, "making", "", err);
		status = open_locked(staging, err);
	}
	return status == GONE ? BUSY : status;
}

static int populate(struct staging *staging, struct error *err)
{
	int status = open_subdirectory(staging, "new", &staging->new, err);

	if (!status)
		status = open_subdirectory(staging, "old", &staging->old, err);
	if (!status)
		status = clear(staging, err);
	if (!status)
		status = make_subdirectory(staging, "new", &staging->new, err);
	if (!status)
		status = make_subdirectory(staging, "old", &staging->old, err);
	return status;
}

int staging_create(struct staging *staging, struct error *err)
{
	bool made = false;
	int status = make_locked(staging, &made, err);

	if (status == BUSY) {
		status = busy(staging, err);
	} else if (status && made) {
		/* Ours, but never locked: whoever came after us makes it anew. */
		if (staging->lock >= 0)
			io.unlinkat(staging->dir, "lock", 0);
		io.unlinkat(staging->root, APPLY_STAGING, AT_REMOVEDIR);
	} else if (status) {
		/* Somebody else's. */
	} else if (staging_has_journal(staging)) {
		status = error_add(err, ERROR_RUN, "an earlier run on %s was interrupted; run sofold again",
				   staging->root_path);
	} else if ((status = populate(staging, err))) {
		staging_remove(staging, err);
	}
	if (status)
		staging_close(staging);
	return status;
}

int staging_disarm(struct staging *staging, struct error *err)
{
	struct error ignored = {""};
	int status;

	if (!staging_has_journal(staging))
		return 0;
	if (io.renameat(staging->dir, STAGING_JOURNAL, staging->dir, STAGING_FINISHED))
		return failed(staging, "finishing", "/" STAGING_JOURNAL, err);
	/* A journal that came back after a power cut, with the originals gone,
	 * would undo half of the run. */
	if (!io.fsync(staging->dir))
		return 0;
	status = failed(staging, "syncing", "", err);
	staging_rearm(staging, &ignored);
	return status;
}

int staging_rearm(struct staging *staging, struct error *err)
{
	if (staging_has_journal(staging))
		return 0;
	if (io.renameat(staging->dir, STAGING_FINISHED, staging->dir, STAGING_JOURNAL))
		return failed(staging, "putting back", "/" STAGING_JOURNAL, err);
	return 0;
}

int staging_remove(struct staging *staging, struct error *err)
{
	int status = clear(staging, err);

	/* With anything left the lock stays too: it marks the directory as ours. */
	if (!status && io.unlinkat(staging->dir, "lock", 0))
		status = failed(staging, "removing", "/lock", err);
	if (!status && io.unlinkat(staging->root, APPLY_STAGING, AT_REMOVEDIR) && errno != ENOTEMPTY &&
	    errno != EEXIST && errno != ENOENT)
		status = failed(staging, "removing", "", err);
	staging_close(staging);
	return status;
}
