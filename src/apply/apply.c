/*
 * The transaction seen from outside (sofold/apply.h): prepare, commit, finish
 * or rollback, and recovery of what a killed run has left.
 *
 * prepare first makes all new bytes (stage.c), then the operations
 * (transaction.h): each path that changes is checked once more against the
 * scan, its original is linked into ".sofold/old", hard links of one inode
 * get hard links of the new one. What could fail later is tried now: a
 * directory that may not be written, another file system mounted inside the
 * layer. Last, everything is synced and the journal is written; up to here
 * nothing but ".sofold" has changed.
 */
#include "sofold/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apply/copy.h"
#include "apply/dirs.h"
#include "apply/io.h"
#include "apply/journal.h"
#include "apply/meta.h"
#include "apply/stage.h"
#include "apply/transaction.h"
#include "sofold/vec.h"

/* --------- from plan to items ------------------ */

static void init_item(struct apply *apply, struct item *item, const struct action *action)
{
	const struct layer *layer = apply->layer;

	item->action = action;
	item->files = &action->file;
	item->nr_files = 1;
	item->before = layer->files[action->file].size;
	if (action->object != NO_ID) {
		item->files = layer->objects[action->object].links;
		item->nr_files = layer->objects[action->object].nr_links;
	}
	item->path = layer->files[item->files[0]].path;
	item->changed = action_removes(action);
	item->after = item->changed ? 0 : item->before;
}

static void init_items(struct apply *apply)
{
	const struct plan *plan = apply->plan;
	uint32_t number = 0;
	size_t i;

	apply->nr_items = plan->nr_actions;
	apply->items = arena_array(apply->arena, plan->nr_actions, sizeof *apply->items);
	apply->object_items = arena_array(apply->arena, apply->layer->nr_objects,
					  sizeof *apply->object_items);
	memset(apply->object_items, 0xff, apply->layer->nr_objects * sizeof *apply->object_items);
	for (i = 0; i < plan->nr_actions; i++) {
		const struct action *action = &plan->actions[i];

		init_item(apply, &apply->items[i], action);
		apply->items[i].number = number;
		number += (uint32_t)apply->items[i].nr_files;
		if (action->kind == ACTION_REWRITE || action->kind == ACTION_PLACE) {
			if (apply->object_items[action->object] != NO_ID)
				BUG("an object is rewritten twice");
			apply->object_items[action->object] = (uint32_t)i;
		}
	}
}

static struct apply *apply_new(const struct layer *layer, const struct plan *plan,
			       const struct apply_options *options)
{
	struct arena *arena = arena_new();
	struct apply *apply = arena_alloc(arena, sizeof *apply);

	apply->arena = arena;
	apply->layer = layer;
	apply->plan = plan;
	apply->options = *options;
	apply->transaction.root = -1;
	staging_init(&apply->transaction.staging, -1, layer->root);
	pthread_mutex_init(&apply->creating, NULL);
	init_items(apply);
	return apply;
}

void apply_free(struct apply *apply)
{
	if (!apply)
		return;
	for (size_t i = 0; i < apply->nr_items; i++)
		if (apply->items[i].staged.n)
			munmap((void *)(uintptr_t)apply->items[i].staged.p, apply->items[i].staged.n);
	transaction_close(&apply->transaction);
	pthread_mutex_destroy(&apply->creating);
	arena_free(apply->arena);
}

/* --------- from items to operations ------------------ */

/* Whether name in dir lies on the mount the root lies on, as far as the
 * kernel tells: renames do not cross mounts. */
static bool on_same_mount(int root, int dir, const char *name)
{
#ifdef STATX_MNT_ID
	struct statx a, b;

	if (statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &a) ||
	    statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &b) ||
	    !(a.stx_mask & b.stx_mask & STATX_MNT_ID))
		return true;
	return a.stx_mnt_id == b.stx_mnt_id;
#else
	return true;
#endif
}

/* A copy of the original for file systems that cannot link. */
static int copy_original(struct apply *apply, const struct op *op, struct error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int status = 0, from = dir_open_file(apply->transaction.root, op->path, &st);
	int to = from < 0 ? -1
			  : io.openat(apply->transaction.staging.old, op_name(op->number).text, flags, 0600);

	if (to < 0 || copy_contents(from, to))
		status = error_errno(err, "keeping the original of %s", op->path);
	if (!status)
		status = meta_copy(from, &st, to, op->path, err);
	if (!status && io.fsync(to))
		status = error_errno(err, "keeping the original of %s", op->path);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return status;
}

static int keep_original(struct apply *apply, int dir, const char *name, const struct op *op,
			 struct error *err)
{
	if (!io.linkat(dir, name, apply->transaction.staging.old, op_name(op->number).text))
		return 0;
	if (errno == EPERM || errno == EMLINK || errno == EOPNOTSUPP || errno == ENOSYS)
		return copy_original(apply, op, err);
	return error_errno(err, "keeping the original of %s", op->path);
}

/* The place of a new file: free, in a directory of ours. */
static int prepare_creation(struct apply *apply, int dir, const char *name, const struct op *op,
			    struct error *err)
{
	struct stat st;

	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return error_add(err, ERROR_RUN, "%s is there already", op->path);
	if (errno != ENOENT)
		return error_errno(err, "opening %s", op->path);
	if (faccessat(dir, ".", W_OK | X_OK, AT_EACCESS))
		return error_errno(err, "writing to the directory of %s", op->path);
	if (!on_same_mount(apply->transaction.root, dir, "."))
		return error_add(err, ERROR_RUN, "%s lies on another file system than %s", op->path,
				 apply->layer->root);
	return 0;
}

/* Makes sure that op's rename will find what it needs. */
static int prepare_op(struct apply *apply, const struct item *item, int dir, const char *name, struct op *op,
		      const struct file *file, struct error *err)
{
	int new = apply->transaction.staging.new;

	if (op->kind == OP_CREATE)
		return prepare_creation(apply, dir, name, op, err);
	if (fstatat(dir, name, &op->found, AT_SYMLINK_NOFOLLOW))
		return error_errno(err, "opening %s", op->path);
	if (!stage_is_unchanged(file, &op->found))
		return error_add(err, ERROR_RUN, "%s has changed since it was scanned", op->path);
	if (faccessat(dir, ".", W_OK | X_OK, AT_EACCESS))
		return error_errno(err, "writing to the directory of %s", op->path);
	if (!on_same_mount(apply->transaction.root, dir, name))
		return error_add(err, ERROR_RUN, "%s lies on another file system than %s", op->path,
				 apply->layer->root);
	if (op->kind == OP_DELETE)
		return 0;
	if (op->number != item->number &&
	    io.linkat(new, op_name(item->number).text, new, op_name(op->number).text))
		return error_errno(err, "linking the new %s", op->path);
	if (keep_original(apply, dir, name, op, err))
		return ERROR_RUN;
	/* Linking may have given it another inode: overlayfs copies a file of a
	 * lower layer up for it. */
	if (fstatat(dir, name, &op->found, AT_SYMLINK_NOFOLLOW))
		return error_errno(err, "opening %s", op->path);
	return 0;
}

static enum op_kind op_kind(const struct action *action)
{
	return action->kind == ACTION_PLACE ? OP_CREATE : action_removes(action) ? OP_DELETE : OP_REPLACE;
}

static int add_op(struct apply *apply, const struct item *item, size_t link, struct error *err)
{
	const struct file *file = &apply->layer->files[item->files[link]];
	struct op *op = VEC_PUSH(apply->arena, &apply->transaction, ops);
	const char *name;
	int status, dir = dir_open_parent(apply->transaction.root, file->path, &name);

	op->kind = op_kind(item->action);
	op->number = item->number + (uint32_t)link;
	op->path = file->path;
	op->size = item->after;
	memcpy(op->sha256, item->sha256, sizeof op->sha256);
	if (dir < 0)
		return error_errno(err, "opening %s", file->path);
	status = prepare_op(apply, item, dir, name, op, file, err);
	close(dir);
	return status;
}

static int sync_staging(struct apply *apply, struct error *err)
{
	const struct staging *staging = &apply->transaction.staging;

	if (io.fsync(staging->new) || io.fsync(staging->old) || io.fsync(staging->dir) ||
	    io.fsync(staging->root))
		return error_errno(err, "syncing %s/%s", staging->root_path, APPLY_STAGING);
	return 0;
}

/* Makes the operations, then the journal that can undo them. */
static int arm(struct apply *apply, struct error *err)
{
	int status = stage_ensure_directory(apply, err);
	size_t i, link;

	for (i = 0; i < apply->nr_items; i++)
		for (link = 0; link < apply->items[i].nr_files && !status; link++)
			if (apply->items[i].changed)
				status = add_op(apply, &apply->items[i], link, err);
	if (!status)
		status = sync_staging(apply, err);
	return status ? status : journal_write(&apply->transaction, err);
}

/* --------- the interface ------------------ */

/* Whether any file changes. */
static bool list_changes(struct apply *apply)
{
	bool any = false;

	for (size_t i = 0; i < apply->nr_items; i++) {
		const struct item *item = &apply->items[i];
		bool refused = item->status == ERROR_REFUSED;

		if (item->changed || refused)
			*VEC_PUSH(apply->arena, apply, changes) = (struct change){
				.action = item->action,
				.path = item->path,
				.before = item->before,
				.after = item->after,
				.kept_because = refused ? item->error.message : NULL,
			};
		any |= item->changed;
	}
	return any;
}

/* Takes back what prepare or a commit did; the layer is as before. */
static int withdraw(struct apply *apply, struct error *err)
{
	struct staging *staging = &apply->transaction.staging;
	int status = 0;

	if (apply->created)
		status = staging_disarm(staging, err);
	if (apply->created && !status)
		status = staging_remove(staging, err);
	apply->created = apply->created && status;
	return status;
}

int apply_prepare(const struct layer *layer, const struct plan *plan, const struct apply_options *options,
		  struct apply **out, struct error *err)
{
	struct apply *apply;
	int status;

	*out = NULL;
	if (layer->from_archive)
		return error_add(err, ERROR_USAGE, "%s is an archive: unpack it first", layer->root);
	apply = apply_new(layer, plan, options);
	status = transaction_open(&apply->transaction, apply->arena, layer->root, err);
	if (!status)
		status = stage_items(apply, err);
	if (!status && list_changes(apply) && !options->dry_run)
		status = arm(apply, err);
	if (status) {
		withdraw(apply, err);
		apply_free(apply);
		return status;
	}
	*out = apply;
	return 0;
}

int apply_commit(struct apply *apply, struct error *err)
{
	if (apply->options.dry_run)
		BUG("a dry run is committed");
	return transaction_run(&apply->transaction, err);
}

int apply_finish(struct apply *apply, struct error *err)
{
	int status;

	if (!apply->created)
		return 0;
	status = staging_disarm(&apply->transaction.staging, err);
	if (status)
		return status;
	apply->finished = true;
	status = transaction_clean(&apply->transaction, err);
	return status ? status : staging_remove(&apply->transaction.staging, err);
}

int apply_rollback(struct apply *apply, struct error *err)
{
	int status;

	if (!apply->created || apply->finished)
		return 0;
	status = staging_rearm(&apply->transaction.staging, err);
	if (!status)
		status = transaction_undo(&apply->transaction, err);
	return status ? status : withdraw(apply, err);
}

const struct change *apply_changes(const struct apply *apply, size_t *nr)
{
	*nr = apply->nr_changes;
	return apply->changes;
}

struct span apply_staged(const struct apply *apply, object_id object)
{
	uint32_t item = apply->object_items[object];

	return item == NO_ID ? (struct span){NULL, 0} : apply->items[item].staged;
}

static int recover(struct transaction *transaction, enum recovery *recovery, struct error *err)
{
	struct staging *staging = &transaction->staging;
	struct error ignored = {""};
	bool found;
	int status = staging_open(staging, &found, err);

	if (status || !found)
		return status;
	*recovery = RECOVERY_BACK;
	if (staging_has_journal(staging)) {
		status = journal_read(transaction, STAGING_JOURNAL, err);
		if (!status)
			status = transaction_undo(transaction, err);
		if (!status)
			status = staging_disarm(staging, err);
	} else if (!journal_read(transaction, STAGING_FINISHED, &ignored)) {
		*recovery = RECOVERY_FINISHED;
		status = transaction_clean(transaction, err);
	}
	return status ? status : staging_remove(staging, err);
}

int apply_recover(const char *root, enum recovery *recovery, struct error *err)
{
	struct arena *arena = arena_new();
	struct transaction transaction;
	int status;

	*recovery = RECOVERY_NONE;
	status = transaction_open(&transaction, arena, root, err);
	if (!status)
		status = recover(&transaction, recovery, err);
	transaction_close(&transaction);
	arena_free(arena);
	return status;
}
