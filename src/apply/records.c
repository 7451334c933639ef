/*
 * The RECORDs of the wheels whose files change.
 *
 * They come last: a row holds the digest of what a file has become. Every path
 * of a changed file counts, its hard links and the symlinks to it.
 */
#include <stdlib.h>
#include <string.h>

#include "apply/staged.h"
#include "layer/record.h"
#include "sofold/vec.h"

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
	change->deleted = action_removes(item->action);
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
			      const struct original *original, struct error *err)
{
	struct piece piece = {0, bytes};
	struct content content = {&piece, 1, bytes.n};
	int status = stage_content(apply, item, &content, original, err);

	if (!status)
		stage_accept(item);
	return status;
}

static int stage_record(struct apply *apply, struct item *item, const struct changed_files *changed,
			struct error *err)
{
	const struct owner *owner = owner_of_record(apply->layer, item->files[0]);
	struct arena *arena;
	struct original original;
	struct span bytes;
	int status;

	if (!owner)
		return error_add(err, ERROR_RUN, "updating %s: no wheel owns it", item->path);
	arena = arena_new();
	status = original_open(apply, &original, &apply->layer->files[item->files[0]], err);
	if (!status) {
		bytes = record_edit(arena, original.bytes, owner->base, changed->changes,
				    changed->nr_changes);
		bytes = add_rows(apply, arena, bytes, owner, changed);
		if (bytes.p != original.bytes.p)
			status = stage_record_bytes(apply, item, bytes, &original, err);
	}
	original_close(&original);
	arena_free(arena);
	return status;
}

int stage_records(struct apply *apply, struct error *err)
{
	struct changed_files changed = collect_changed(apply);
	int status = 0;

	for (size_t i = 0; i < apply->nr_items && !status; i++)
		if (apply->items[i].action->kind == ACTION_RECORD)
			status = stage_record(apply, &apply->items[i], &changed, err);
	return status;
}
