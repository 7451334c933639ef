/*
 * Directories are opened anew for each operation, component by component
 * (dirs.h): one that has been swapped for a symlink meanwhile is an error.
 * Right before its rename each file is compared with what was prepared, so
 * that a file somebody has just installed is not thrown away.
 */
#include "apply/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apply/dirs.h"
#include "apply/io.h"
#include "sofold/layer.h"
#include "sofold/pool.h"
#include "sofold/span.h"
#include "sofold/vec.h"

int transaction_open(struct transaction *transaction, struct arena *arena, const char *root,
		     struct error *err)
{
	*transaction = (struct transaction){.arena = arena, .root_path = root};
	transaction->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	staging_init(&transaction->staging, transaction->root, root);
	if (transaction->root < 0)
		return error_errno(err, "opening %s", root);
	return 0;
}

void transaction_close(struct transaction *transaction)
{
	staging_close(&transaction->staging);
	if (transaction->root >= 0)
		close(transaction->root);
	transaction->root = -1;
}

struct op_name op_name(uint32_t number)
{
	struct op_name name;

	snprintf(name.text, sizeof name.text, "%" PRIu32, number);
	return name;
}

bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* --------- carrying out ------------------ */

static const char *op_doing(const struct op *op)
{
	static const char *const doing[] = {
		[OP_CREATE] = "placing", [OP_REPLACE] = "replacing", [OP_DELETE] = "removing"};

	return doing[op->kind];
}

/* The last look before a file is moved to or from its place. */
static int check_place(const struct op *op, int dir, const char *name, struct error *err)
{
	struct stat now;
	int found = fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW);

	if (op->kind == OP_CREATE && found && errno == ENOENT)
		return 0;
	if (found)
		return error_errno(err, "%s %s", op_doing(op), op->path);
	if (op->kind == OP_CREATE || !is_same_file(&now, &op->found))
		return error_add(err, ERROR_RUN, "%s %s: it has been changed meanwhile", op_doing(op),
				 op->path);
	return 0;
}

static int move(const struct staging *staging, const struct op *op, int dir, const char *name)
{
	struct op_name number = op_name(op->number);

	switch (op->kind) {
	case OP_CREATE:
		return io.rename_new(staging->new, number.text, dir, name);
	case OP_REPLACE:
		return io.renameat(staging->new, number.text, dir, name);
	case OP_DELETE:
		return io.renameat(dir, name, staging->old, number.text);
	}
	BUG("an operation of no kind");
}

static int run_op(struct transaction *transaction, const struct op *op, struct error *err)
{
	const char *name;
	int status = 0, dir = dir_open_parent(transaction->root, op->path, &name);

	if (dir < 0)
		return error_errno(err, "%s %s", op_doing(op), op->path);
	status = check_place(op, dir, name, err);
	if (!status && move(&transaction->staging, op, dir, name))
		status = error_errno(err, "%s %s", op_doing(op), op->path);
	close(dir);
	return status;
}

/* --------- syncing ------------------ */

struct dir_set {
	const char **dirs; /* a path in each: that of some operation */
	size_t nr_dirs, alloc_dirs;
};

static size_t dir_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

static bool same_dir(const char *a, const char *b)
{
	size_t n = dir_length(a);

	return n == dir_length(b) && !strncmp(a, b, n);
}

static void dir_set_add(struct arena *arena, struct dir_set *set, const char *path)
{
	/* Newest first: operations on one directory come together. */
	for (size_t i = set->nr_dirs; i--;)
		if (same_dir(set->dirs[i], path))
			return;
	*VEC_PUSH(arena, set, dirs) = path;
}

static int sync_parent(struct transaction *transaction, const char *path, struct error *err)
{
	const char *name;
	int status = 0, dir = dir_open_parent(transaction->root, path, &name);

	/* A directory that is gone or was moved has nothing of ours to sync. */
	if (dir < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (dir < 0 || io.fsync(dir))
		status = error_errno(err, "syncing the directory of %s", path);
	if (dir >= 0)
		close(dir);
	return status;
}

struct syncing {
	struct transaction *transaction;
	const char **dirs;
	int *statuses;
	struct error *errors; /* one for each */
};

static void sync_one(void *context, size_t item, unsigned worker)
{
	struct syncing *work = context;

	(void)worker;
	work->statuses[item] = sync_parent(work->transaction, work->dirs[item], &work->errors[item]);
}

/* Waiting for the disk needs no core, and what is waited for together is flushed
 * together. */
enum { SYNC_THREADS = 16 };

static int sync_dirs(struct transaction *transaction, const struct dir_set *set, struct error *err)
{
	struct arena *arena = transaction->arena;
	struct syncing work = {.transaction = transaction, .dirs = set->dirs};

	work.statuses = arena_array(arena, set->nr_dirs, sizeof *work.statuses);
	work.errors = arena_array(arena, set->nr_dirs, sizeof *work.errors);
	pool_run(set->nr_dirs, SYNC_THREADS, sync_one, &work);
	for (size_t i = 0; i < set->nr_dirs; i++)
		if (work.statuses[i])
			return error_add(err, work.statuses[i], "%s", work.errors[i].message);
	return 0;
}

/* Syncs the directories of the operations [from, to), and the one their
 * originals lie in. */
static int sync_ops(struct transaction *transaction, size_t from, size_t to, struct error *err)
{
	struct dir_set set = {0};
	int status;
	size_t i;

	for (i = from; i < to; i++)
		dir_set_add(transaction->arena, &set, transaction->ops[i].path);
	status = sync_dirs(transaction, &set, err);
	if (!status && from < to && transaction->staging.old >= 0 && io.fsync(transaction->staging.old))
		status = error_errno(err, "syncing the staging directory of %s", transaction->root_path);
	return status;
}

int transaction_run(struct transaction *transaction, struct error *err)
{
	size_t i, synced = 0;
	int status = 0;

	for (i = 0; i < transaction->nr_ops && !status; i++) {
		/* Deletions must not reach the disk before what replaces them. */
		if (i && transaction->ops[i].kind != transaction->ops[i - 1].kind) {
			status = sync_ops(transaction, synced, i, err);
			synced = i;
		}
		if (!status)
			status = run_op(transaction, &transaction->ops[i], err);
	}
	return status ? status : sync_ops(transaction, synced, i, err);
}

/* --------- undoing ------------------ */

static bool is_staged(int dir, const struct op *op)
{
	struct stat st;

	return dir >= 0 && !fstatat(dir, op_name(op->number).text, &st, AT_SYMLINK_NOFOLLOW);
}

static bool has_been_run(const struct staging *staging, const struct op *op)
{
	if (op->kind == OP_CREATE)
		return !is_staged(staging->new, op);
	return is_staged(staging->old, op) && !(op->kind == OP_REPLACE && is_staged(staging->new, op));
}

/* 1: the bytes at path are those the replacement put there; 0: not; -1 and
 * errno. Told by content, because a copy of an interrupted layer has other
 * inodes. */
static int holds_replacement(int root, const struct op *op)
{
	uint8_t sha256[DIGEST_BYTES];
	struct stat st;
	void *bytes = NULL;
	int fd = dir_open_file(root, op->path, &st);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == EINVAL ? 0 : -1;
	if ((uint64_t)st.st_size == op->size && op->size)
		bytes = mmap(NULL, op->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return -1;
	if ((uint64_t)st.st_size != op->size)
		return 0;
	digest_sha256((struct span){bytes, op->size}, sha256);
	if (bytes)
		munmap(bytes, op->size);
	return !memcmp(sha256, op->sha256, sizeof sha256);
}

/* Whether it may be as it was: nobody has touched the place since. 1, 0, or
 * -1 and errno. */
static int may_put_back(int root, int dir, const char *name, const struct op *op)
{
	struct stat st;

	if (op->kind != OP_DELETE)
		return holds_replacement(root, op);
	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	return errno == ENOENT ? 1 : -1;
}

static int put_back(const struct staging *staging, const struct op *op, int dir, const char *name)
{
	if (op->kind == OP_CREATE)
		return io.unlinkat(dir, name, 0);
	return io.renameat(staging->old, op_name(op->number).text, dir, name);
}

static int undo_op(struct transaction *transaction, const struct op *op, struct error *err)
{
	const char *name;
	int may, status = 0, dir = dir_open_parent(transaction->root, op->path, &name);

	/* The whole directory has been removed since, as by "pip uninstall". */
	if (dir < 0 && errno == ENOENT)
		return 0;
	may = dir < 0 ? -1 : may_put_back(transaction->root, dir, name, op);
	if (may < 0 || (may && put_back(&transaction->staging, op, dir, name)))
		status = op->kind == OP_CREATE
				 ? error_errno(err, "removing %s again", op->path)
				 : error_errno(err, "putting back %s from %s/.sofold/old/%" PRIu32, op->path,
					       transaction->root_path, op->number);
	if (dir >= 0)
		close(dir);
	return status;
}

int transaction_undo(struct transaction *transaction, struct error *err)
{
	int status = 0;
	size_t i;

	for (i = transaction->nr_ops; i-- && !status;)
		if (has_been_run(&transaction->staging, &transaction->ops[i]))
			status = undo_op(transaction, &transaction->ops[i], err);
	if (!status)
		status = sync_ops(transaction, 0, transaction->nr_ops, err);
	return status;
}

/* --------- cleaning ------------------ */

/* What may be said of a directory that just stays. */
static bool may_stay(int error)
{
	return error == ENOTEMPTY || error == EEXIST || error == ENOENT || error == ENOTDIR ||
	       error == ELOOP || error == EACCES || error == EPERM || error == EBUSY;
}

/* Removes the directory path lies in and those above it, as far as they are
 * empty. */
static int clean_parents(struct transaction *transaction, const char *path, struct error *err)
{
	const char *dir = path_dir(transaction->arena, path), *name;
	int failed = 0;

	for (; *dir && !failed; dir = path_dir(transaction->arena, dir)) {
		int fd = dir_open_parent(transaction->root, dir, &name);

		failed = fd < 0 || io.unlinkat(fd, name, AT_REMOVEDIR) ? errno : 0;
		if (fd >= 0)
			close(fd);
		if (failed && !may_stay(failed)) {
			errno = failed;
			return error_errno(err, "removing the empty %s", dir);
		}
	}
	return 0;
}

int transaction_clean(struct transaction *transaction, struct error *err)
{
	const char *last = NULL;
	int status = 0;

	/* Backwards: paths are sorted, so inner directories come before outer ones. */
	for (size_t i = transaction->nr_ops; i-- && !status;) {
		const struct op *op = &transaction->ops[i];

		if (op->kind != OP_DELETE || (last && same_dir(op->path, last)))
			continue;
		last = op->path;
		status = clean_parents(transaction, op->path, err);
	}
	return status;
}
