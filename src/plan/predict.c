/*
 * The layer a plan leads to, as far as loading goes: names, search paths, and
 * which files are there.
 */
#include "plan/plan.h"

static const char *renamed(const struct image_edits *edits, const char *name)
{
	size_t i;

	for (i = 0; i < edits->nr_needed; i++)
		if (!strcmp(edits->needed[i].from, name))
			return edits->needed[i].to;
	return name;
}

/* Into arrays of its own: the object shares those of the layer before. */
static void predict_renames(struct arena *arena, struct object *object, const struct image_edits *edits)
{
	size_t i;

	object->needed = arena_memdup(arena, object->needed, object->nr_needed * sizeof *object->needed);
	object->verneeds = arena_memdup(arena, object->verneeds,
					object->nr_verneeds * sizeof *object->verneeds);
	for (i = 0; i < object->nr_needed; i++)
		object->needed[i] = renamed(edits, object->needed[i]);
	for (i = 0; i < object->nr_verneeds; i++)
		object->verneeds[i].file = renamed(edits, object->verneeds[i].file);
}

/* Without the exports that are cut out. */
static void predict_cuts(struct arena *arena, struct object *object, const struct cuts *cuts)
{
	const struct symbol *all = object->exports;
	size_t i, kept = 0;

	object->exports = arena_array(arena, object->nr_exports, sizeof *object->exports);
	for (i = 0; i < object->nr_exports; i++)
		if (!cuts_symbol(cuts, all[i].index))
			object->exports[kept++] = all[i];
	object->nr_exports = kept;
	object->index = NULL;
}

static void predict_rewrite(struct arena *arena, struct object *object, const struct image_edits *edits)
{
	if (edits->nr_needed)
		predict_renames(arena, object, edits);
	if (edits->cuts && edits->cuts->nr_gone)
		predict_cuts(arena, object, edits->cuts);
	if (edits->soname)
		object->soname = edits->soname;
	if (edits->search_path) {
		object->search_path = edits->search_path;
		if (object->search_kind == SEARCH_NONE)
			object->search_kind = edits->search_kind;
	}
}

static void predict_place(struct layer *layer, const struct action *action)
{
	layer->files[action->file].kind = FILE_REGULAR;
	layer->files[action->file].is_elf = true;
	layer->files[action->file].object = action->object;
}

static void predict_delete(struct layer *layer, const struct object *object)
{
	size_t i;

	for (i = 0; i < object->nr_links; i++) {
		layer->files[object->links[i]].kind = FILE_GONE;
		layer->files[object->links[i]].object = NO_ID;
	}
}

struct layer *plan_predict(struct arena *arena, const struct layer *layer, const struct plan *plan)
{
	struct layer *after = arena_memdup(arena, layer, sizeof *layer);
	size_t i;

	after->files = arena_memdup(arena, layer->files, layer->nr_files * sizeof *layer->files);
	after->alloc_files = layer->nr_files;
	after->objects = arena_memdup(arena, layer->objects, layer->nr_objects * sizeof *layer->objects);
	after->alloc_objects = layer->nr_objects;
	for (i = 0; i < plan->nr_actions; i++) {
		const struct action *action = &plan->actions[i];

		if (action->kind == ACTION_PLACE)
			predict_place(after, action);
		if (action->kind == ACTION_PLACE || action->kind == ACTION_REWRITE)
			predict_rewrite(arena, &after->objects[action->object], &action->edits);
		else if (action->kind == ACTION_DELETE)
			predict_delete(after, &layer->objects[action->object]);
	}
	return after;
}
