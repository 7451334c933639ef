/*
 * Looking into objects for what may be cut out of them.
 *
 * Each is one piece of work: map its bytes, read its unwind table with libdwarf,
 * let trim_find() look, and try whether the image writer would take what was
 * found. Results outlive the mapping, so nothing of them points into it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "scan/parts.h"
#include "sofold/pool.h"
#include "sofold/texts.h"
#include "sofold/vec.h"

struct trimming {
	struct layer *layer;
	const struct source *source;
	struct trims *trims;
	struct arena *arenas[POOL_MAX_WORKERS];
};

/* Landing pads are found by tables that this does not read; so where there are any
 * what only they lead to would seem dead. */
static void limit_request(struct trim_request *request, const struct object *object)
{
	request->functions = object->functions;
	request->nr_functions = object->nr_functions;
	if (!object->has_handlers)
		return;
	request->exports = request->unwind = false;
}

static bool is_accepted(struct span bytes, const struct trim_task *task, struct error *err)
{
	struct image_edits edits = {.compact = true, .page = task->request.page, .cuts = &task->result.cuts};
	struct arena *scratch = arena_new();
	struct image_result ignored;
	int rc = image_lay_out(scratch, bytes, &edits, &ignored, err);

	arena_free(scratch);
	return !rc;
}

static void name_gone(struct arena *arena, const struct object *object, struct trim_task *task)
{
	size_t i;

	task->gone = arena_array(arena, object->nr_exports, sizeof *task->gone);
	for (i = 0; i < object->nr_exports; i++)
		if (cuts_symbol(&task->result.cuts, object->exports[i].index))
			task->gone[task->nr_gone++] = object->exports[i].name;
	texts_sort(task->gone, task->nr_gone);
}

static void trim_bytes(struct arena *arena, const struct object *object, struct span bytes,
		       struct trim_task *task)
{
	struct error why = {""};

	if (trim_find(arena, bytes, &task->request, &task->result, &why) || !is_accepted(bytes, task, &why)) {
		task->refused = arena_strdup(arena, why.message);
		task->result = (struct trim_result){0};
		return;
	}
	name_gone(arena, object, task);
}

static void trim_object(void *context, size_t item, unsigned worker)
{
	struct trimming *trimming = context;
	struct arena *arena = trimming->arenas[worker];
	struct trim_task *task = &trimming->trims->tasks[item];
	struct object *object = &trimming->layer->objects[task->object];
	const struct file *file = &trimming->layer->files[object->file];
	struct mapping mapping;
	struct error why = {""};
	int fd = openat(trimming->source->root, file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || source_open(trimming->source, trimming->layer, file, &mapping, &why)) {
		task->refused = "it cannot be read";
	} else {
		frames_read_one(arena, object, fd);
		limit_request(&task->request, object);
		trim_bytes(arena, object, mapping.bytes, task);
		if (!source_close(trimming->source, &mapping))
			task->refused = "it changed while it was read";
	}
	if (fd >= 0)
		close(fd);
}

int scan_trims(struct layer *layer, struct trims *trims, struct error *err)
{
	struct source source = {.root = open(layer->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct trimming trimming = {.layer = layer, .source = &source, .trims = trims};
	unsigned i, workers = pool_workers(trims->nr_tasks, 0);

	if (source.root < 0)
		return error_errno(err, "opening %s", layer->root);
	for (i = 0; i < workers; i++)
		trimming.arenas[i] = arena_new();
	pool_run(trims->nr_tasks, 0, trim_object, &trimming);
	for (i = 0; i < workers; i++)
		arena_absorb(layer->arena, trimming.arenas[i]);
	close(source.root);
	return 0;
}
