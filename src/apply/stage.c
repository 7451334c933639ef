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
 * The staging directory is made when the first file is ready to go there: a
 * run that turns out to change nothing writes nothing, on a read-only tree
 * too.
 *
 * An object the image writer refuses stays as it is. That is harmless as long
 * as nobody relies on its new form; when it was to get new names and files
 * are deleted later on, they may be those of the old names: then the run
 * fails before it has begun.
 */
#include "apply/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apply/dirs.h"
#include "apply/io.h"
#include "apply/meta.h"
#include "layer/record.h"
#include "sofold/pool.h"
#include "sofold/vec.h"

/* --------- reading the old file ------------------ */

struct source {
	int fd;
	struct stat st;
	struct span bytes; /* mapped */
};

bool stage_is_unchanged(const struct file *file, const struct stat *st)
{
	return st->st_dev == file->dev && st->st_ino == file->ino && (uint64_t)st->st_size == file->size &&
	       st->st_mtim.tv_sec == file->mtime_sec && st->st_mtim.tv_nsec == file->mtime_nsec;
}

static void source_close(struct source *source)
{
	if (source->bytes.n)
		munmap((void *)(uintptr_t)source->bytes.p, source->bytes.n);
	if (source->fd >= 0)
		close(source->fd);
}

static int source_open(struct apply *apply, struct source *source, const struct file *file, struct error *err)
{
	void *bytes = NULL;

	source->bytes = (struct span){NULL, 0};
	source->fd = dir_open_file(apply->transaction.root, file->path, &source->st);
	if (source->fd < 0)
		return error_errno(err, "opening %s", file->path);
	if (!stage_is_unchanged(file, &source->st))
		return error_add(err, ERROR_RUN, "%s has changed since it was scanned", file->path);
	if (file->size)
		bytes = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, source->fd, 0);
	if (bytes == MAP_FAILED)
		return error_errno(err, "reading %s", file->path);
	source->bytes = (struct span){bytes, file->size};
	return 0;
}

/* --------- writing the new one ------------------ */

int stage_ensure_directory(struct apply *apply, struct error *err)
{
	int status = 0;

	pthread_mutex_lock(&apply->creating);
	if (!apply->created)
		status = staging_create(&apply->transaction.staging, err);
	apply->created |= !status;
	pthread_mutex_unlock(&apply->creating);
	return status;
}

/* A new file before it is one. */
struct content {
	const struct piece *pieces;
	size_t nr_pieces;
	uint64_t size; /* bytes */
};

static int write_staged(int fd, const struct content *content, const struct source *like, const char *path,
			struct error *err)
{
	if (io_write_pieces(fd, content->pieces, content->nr_pieces, content->size))
		return error_errno(err, "writing the new %s", path);
	/* Only a start for sync_staged(), which also hears of errors. */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return meta_copy(like->fd, &like->st, fd, path, err);
}

/* Writes .sofold/new/NUMBER and maps it. */
static int stage_on_disk(struct apply *apply, struct item *item, const struct content *content,
			 const struct source *like, struct error *err)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd, status = stage_ensure_directory(apply, err);
	void *mapped;

	if (status)
		return status;
	fd = io.openat(apply->transaction.staging.new, op_name(item->number).text, flags, 0600);
	if (fd < 0)
		return error_errno(err, "writing the new %s", item->path);
	status = write_staged(fd, content, like, item->path, err);
	if (!status && content->size) {
		mapped = mmap(NULL, content->size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (mapped == MAP_FAILED)
			status = error_errno(err, "reading back the new %s", item->path);
		else
			item->staged = (struct span){mapped, content->size};
	}
	close(fd);
	return status;
}

static int stage_in_memory(struct item *item, const struct content *content, struct error *err)
{
	uint8_t *mapped = mmap(NULL, content->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);
	size_t i;

	if (mapped == MAP_FAILED)
		return error_errno(err, "keeping the new %s", item->path);
	item->staged = (struct span){mapped, content->size};
	for (i = 0; i < content->nr_pieces; i++)
		memcpy(mapped + content->pieces[i].offset, content->pieces[i].bytes.p,
		       content->pieces[i].bytes.n);
	return 0;
}

/* Makes item->staged. */
static int stage_content(struct apply *apply, struct item *item, const struct content *content,
			 const struct source *like, struct error *err)
{
	item->after = content->size;
	if (!apply->options.dry_run)
		return stage_on_disk(apply, item, content, like, err);
	return content->size ? stage_in_memory(item, content, err) : 0;
}

/* Nothing of it is to be used after all. */
static int unstage(struct apply *apply, struct item *item, struct error *err)
{
	if (item->staged.n)
		munmap((void *)(uintptr_t)item->staged.p, item->staged.n);
	item->staged = (struct span){NULL, 0};
	item->after = item->before;
	if (!apply->options.dry_run &&
	    io.unlinkat(apply->transaction.staging.new, op_name(item->number).text, 0))
		return error_errno(err, "removing the new %s", item->path);
	return 0;
}

static void accept(struct item *item)
{
	item->changed = true;
	digest_sha256(item->staged, item->sha256);
}

/* --------- objects ------------------ */

static int edit_object(struct apply *apply, struct arena *arena, struct item *item,
		       const struct source *source, struct error *err)
{
	const struct image_edits *edits = &item->action->edits;
	const struct object *object = &apply->layer->objects[item->action->object];
	struct span old = object->offer.n ? object->offer : source->bytes;
	struct image_result result = {0};
	struct error why = {""};
	struct content content;
	int status = image_lay_out(arena, old, edits, &result, &why);

	if (status == ERROR_REFUSED)
		return error_add(err, status, "%s", why.message);
	if (status)
		return error_add(err, status, "rewriting %s: %s", item->path, why.message);
	if (!result.changed)
		return 0;
	content = (struct content){result.pieces, result.nr_pieces, result.size};
	status = stage_content(apply, item, &content, source, err);
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
	accept(item);
	return 0;
}

struct staging_work {
	struct apply *apply;
	uint32_t *order; /* of items to rewrite, the largest first */
	size_t nr_order;
	struct arena *arenas[64]; /* one for each worker */
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
	struct source source;

	if (atomic_load(&apply->failed))
		return;
	item->status = source_open(apply, &source, &apply->layer->files[model_file(item)], &item->error);
	if (!item->status)
		item->status = edit_object(apply, arena, item, &source, &item->error);
	if (item->status && item->status != ERROR_REFUSED)
		atomic_store(&apply->failed, true);
	source_close(&source);
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

static bool edits_names(const struct image_edits *edits)
{
	return edits->nr_needed || edits->soname || edits->search_path;
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

/* --------- RECORDs ------------------ */

struct changed_files {
	struct record_change *changes; /* by path */
	size_t nr_changes, alloc_changes;
};

static int compare_changes(const void *a, const void *b)
{
	return strcmp(((const struct record_change *)a)->path, ((const struct record_change *)b)->path);
}

static void add_changed(struct apply *apply, struct changed_files *changed, const struct item *item,
			const char *path)
{
	struct record_change *change = VEC_PUSH(apply->arena, changed, changes);

	change->path = path;
	change->deleted = item->action->kind == ACTION_DELETE;
	change->added = item->action->kind == ACTION_PLACE;
	change->size = item->after;
	memcpy(change->sha256, item->sha256, sizeof change->sha256);
}

/* All paths whose contents change: hard links, and symlinks to what is
 * rewritten. */
static struct changed_files collect_changed(struct apply *apply)
{
	const struct layer *layer = apply->layer;
	struct changed_files changed = {0};
	size_t i, k;

	for (i = 0; i < apply->nr_items; i++)
		for (k = 0; apply->items[i].changed && k < apply->items[i].nr_files; k++)
			add_changed(apply, &changed, &apply->items[i],
				    layer->files[apply->items[i].files[k]].path);
	for (i = 0; i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];
		uint32_t item = file->object == NO_ID ? NO_ID : apply->object_items[file->object];

		if (file->kind == FILE_SYMLINK && item != NO_ID && apply->items[item].changed)
			add_changed(apply, &changed, &apply->items[item], file->path);
	}
	if (changed.nr_changes)
		qsort(changed.changes, changed.nr_changes, sizeof *changed.changes, compare_changes);
	return changed;
}

static const struct owner *owner_of_record(const struct layer *layer, file_id record)
{
	for (size_t i = 0; i < layer->nr_owners; i++)
		if (layer->owners[i].record == record)
			return &layer->owners[i];
	return NULL;
}

/* Rows of the wheel's new files. */
static struct span add_rows(const struct apply *apply, struct arena *arena, struct span record,
			    const struct owner *owner, const struct changed_files *changed)
{
	const struct layer *layer = apply->layer;

	for (size_t i = 0; i < changed->nr_changes; i++) {
		const struct record_change *change = &changed->changes[i];
		file_id file = change->added ? layer_find_file(layer, change->path) : NO_ID;

		if (file != NO_ID && layer->files[file].owner != NO_ID &&
		    &layer->owners[layer->files[file].owner] == owner)
			record = record_add(arena, record, owner->base, change);
	}
	return record;
}

static int stage_record_bytes(struct apply *apply, struct item *item, struct span bytes,
			      const struct source *source, struct error *err)
{
	struct piece piece = {0, bytes};
	struct content content = {&piece, 1, bytes.n};
	int status = stage_content(apply, item, &content, source, err);

	if (!status)
		accept(item);
	return status;
}

static int stage_record(struct apply *apply, struct item *item, const struct changed_files *changed,
			struct error *err)
{
	const struct owner *owner = owner_of_record(apply->layer, item->files[0]);
	struct arena *arena;
	struct source source;
	struct span bytes;
	int status;

	if (!owner)
		return error_add(err, ERROR_RUN, "updating %s: no wheel owns it", item->path);
	arena = arena_new();
	status = source_open(apply, &source, &apply->layer->files[item->files[0]], err);
	if (!status) {
		bytes = record_edit(arena, source.bytes, owner->base, changed->changes, changed->nr_changes);
		bytes = add_rows(apply, arena, bytes, owner, changed);
		if (bytes.p != source.bytes.p)
			status = stage_record_bytes(apply, item, bytes, &source, err);
	}
	source_close(&source);
	arena_free(arena);
	return status;
}

static int stage_records(struct apply *apply, struct error *err)
{
	struct changed_files changed = collect_changed(apply);
	int status = 0;

	for (size_t i = 0; i < apply->nr_items && !status; i++)
		if (apply->items[i].action->kind == ACTION_RECORD)
			status = stage_record(apply, &apply->items[i], &changed, err);
	return status;
}

/* --------- syncing ------------------ */

static void sync_staged(void *context, size_t i, unsigned worker)
{
	struct apply *apply = context;
	struct item *item = &apply->items[i];
	int fd, new = apply->transaction.staging.new;

	(void)worker;
	if (!item->changed || item->action->kind == ACTION_DELETE || apply->options.dry_run)
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
