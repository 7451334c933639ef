/*
 * Each object is one piece of work: map the old bytes, lay them out anew,
 * write the result beside with the old one's metadata, straight from where the
 * old bytes are, map it back, and prove what is there against the old bytes.
 * A worker has one arena for all its pieces, so the peak is what the
 * largest few objects need and not their sum; the largest come first, which
 * keeps all workers busy to the end. What is mapped back lies in the page
 * cache. A dry run keeps the new bytes in anonymous memory instead.
 *
 * Files are synced when all are written: the first fsync() then commits the
 * file system's journal for all of them, and writing to the disk goes on
 * while later objects are edited.
 *
 * An object the image writer refuses stays as it is. That is harmless as long
 * as nobody relies on its new form; when it was to get new names and files
 * are deleted later on, they may be those of the old names: then the run
 * fails before it has begun.
 */
#include "apply/stage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "apply/io.h"
#include "apply/staged.h"
#include "sofold/pool.h"

/* --------- objects ------------------ */

/* A file is not written anew for less than this part of it. */
enum { LEAST_PART = 200 };

static bool edits_names(const struct image_edits *edits)
{
	return edits->nr_needed || edits->soname || edits->search_path;
}

/* Names alone that nobody asks for are no reason. */
static bool is_trimmed(const struct action *action)
{
	return action->trim && (action->trim->result.cut || action->trim->request.poison);
}

/* What is not written cannot go wrong, and a third of the files of older wheels
 * would lose some hundred bytes of padding. What patchelf has been at is written
 * for the sake of a later strip, which would break it. */
static bool is_worth_it(const struct item *item, const struct image_result *result, struct span old)
{
	if (!result->changed)
		return false;
	return result->was_patched || item->action->kind == ACTION_PLACE ||
	       edits_names(&item->action->edits) || is_trimmed(item->action) ||
	       (result->size < old.n && old.n - result->size > old.n / LEAST_PART);
}

static int edit_object(struct apply *apply, struct arena *arena, struct item *item,
		       const struct original *original, struct error *err)
{
	const struct image_edits *edits = &item->action->edits;
	const struct object *object = &apply->layer->objects[item->action->object];
	struct span old = object->offer.n ? object->offer : original->bytes;
	struct image_result result = {0};
	struct error why = {""};
	struct content content;
	int status = image_lay_out(arena, old, edits, &result, &why);

	if (status == ERROR_REFUSED)
		return error_add(err, status, "%s", why.message);
	if (status)
		return error_add(err, status, "rewriting %s: %s", item->path, why.message);
	if (!is_worth_it(item, &result, old))
		return 0;
	content = (struct content){result.pieces, result.nr_pieces, result.size};
	status = stage_content(apply, item, &content, original, err);
	if (status)
		return status;
	result.bytes = item->staged;
	/* A mistake of ours, or a file of a kind nobody has met: not to be used. */
	if (image_prove(old, &result, edits->page, &why)) {
		status = unstage(apply, item, err);
		return status ? status
			      : error_add(err, ERROR_REFUSED, "it could not be proved to load as before: %s",
					  why.message);
	}
	stage_accept(item);
	return 0;
}

struct staging_work {
	struct apply *apply;
	uint32_t *order; /* of items to rewrite, the largest first */
	size_t nr_order;
	struct arena *arenas[POOL_MAX_WORKERS]; /* one for each worker */
};

/* The file whose metadata the new one gets: the one it replaces, most often. */
static file_id model_file(const struct item *item)
{
	return item->action->kind == ACTION_PLACE ? item->action->like : item->files[0];
}

static bool makes_object(enum action_kind kind)
{
	return kind == ACTION_REWRITE || kind == ACTION_PLACE;
}

/* One piece of a worker's work. */
static void stage_object(void *context, size_t i, unsigned worker)
{
	struct staging_work *work = context;
	struct apply *apply = work->apply;
	struct item *item = &apply->items[work->order[i]];
	struct arena *arena = work->arenas[worker];
	struct original original;

	if (atomic_load(&apply->failed))
		return;
	item->status = original_open(apply, &original, &apply->layer->files[model_file(item)], &item->error);
	if (!item->status)
		item->status = edit_object(apply, arena, item, &original, &item->error);
	if (item->status && item->status != ERROR_REFUSED)
		atomic_store(&apply->failed, true);
	original_close(&original);
	arena_reset(arena);
}

static int by_size(const void *a, const void *b, void *context)
{
	const struct apply *apply = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (apply->items[x].before != apply->items[y].before)
		return apply->items[x].before > apply->items[y].before ? -1 : 1;
	return x < y ? -1 : 1;
}

static void stage_objects(struct apply *apply)
{
	struct staging_work work = {.apply = apply};
	unsigned i, workers;

	work.order = arena_array(apply->arena, apply->nr_items, sizeof *work.order);
	for (uint32_t k = 0; k < apply->nr_items; k++)
		if (makes_object(apply->items[k].action->kind))
			work.order[work.nr_order++] = k;
	if (work.nr_order)
		qsort_r(work.order, work.nr_order, sizeof *work.order, by_size, apply);
	workers = pool_workers(work.nr_order, apply->options.threads);
	for (i = 0; i < workers; i++)
		work.arenas[i] = arena_new();
	pool_run(work.nr_order, apply->options.threads, stage_object, &work);
	for (i = 0; i < workers; i++)
		arena_free(work.arenas[i]);
}

/* The first error of the workers, by the plan's order. */
static int judge_objects(struct apply *apply, struct error *err)
{
	bool deletes = false;

	for (size_t i = apply->nr_items; i--;) {
		const struct item *item = &apply->items[i];

		deletes |= item->action->kind == ACTION_DELETE;
		if (item->status == ERROR_REFUSED && deletes && edits_names(&item->action->edits))
			return error_add(
				err, ERROR_VERIFY,
				"%s cannot be rewritten, and files it still names would be deleted: %s",
				item->path, item->error.message);
	}
	for (size_t i = 0; i < apply->nr_items; i++)
		if (apply->items[i].status && apply->items[i].status != ERROR_REFUSED)
			return error_add(err, apply->items[i].status, "%s", apply->items[i].error.message);
	return 0;
}

/* --------- syncing ------------------ */

static void sync_staged(void *context, size_t i, unsigned worker)
{
	struct apply *apply = context;
	struct item *item = &apply->items[i];
	int fd, new = apply->transaction.staging.new;

	(void)worker;
	if (!item->changed || action_removes(item->action) || apply->options.dry_run)
		return;
	fd = openat(new, op_name(item->number).text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || io.fsync(fd))
		item->status = error_errno(&item->error, "syncing the new %s", item->path);
	if (fd >= 0)
		close(fd);
}

int stage_items(struct apply *apply, struct error *err)
{
	int status;

	stage_objects(apply);
	status = judge_objects(apply, err);
	if (!status)
		status = stage_records(apply, err);
	if (status)
		return status;
	pool_run(apply->nr_items, apply->options.threads, sync_staged, apply);
	return judge_objects(apply, err);
}
