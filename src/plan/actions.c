/*
 * From decisions to an ordered list.
 *
 * The order makes every prefix safe: new files are put there first, then
 * copies that serve are written, then the objects that now need them (each
 * works before and after, since both copies are there), then everything else
 * that only gets smaller, then files go, libraries before what prune took out;
 * last the RECORDs follow. Within a
 * group by path.
 */
#include "plan/plan.h"
#include "sofold/vec.h"

enum rank { RANK_SERVES, RANK_CONSUMES, RANK_OTHER };

/* Directly, or through a bridge. */
static bool serves_others(const struct planning *planning, object_id id)
{
	const struct plan *plan = planning->plan;
	size_t i, j;

	for (i = 0; i < plan->nr_families; i++)
		for (j = 0; j < plan->families[i].nr_copies; j++)
			if (plan->families[i].copies[j].served_by == id &&
			    plan->families[i].copies[j].object != id)
				return true;
	return false;
}

static bool has_names(const struct image_edits *edits)
{
	return edits->nr_needed || edits->soname || edits->search_path;
}

static enum rank rank_of(const struct planning *planning, object_id id)
{
	if (serves_others(planning, id))
		return RANK_SERVES;
	return has_names(&planning->edits[id]) ? RANK_CONSUMES : RANK_OTHER;
}

static const char *why_strip(struct planning *planning, const struct object *object)
{
	if (object->symtab_bytes || object->debug_bytes)
		return arena_printf(
			planning->arena, "drops %llu bytes of symbol tables and %llu of debug info",
			(unsigned long long)object->symtab_bytes, (unsigned long long)object->debug_bytes);
	return "drops comments, dead pages and padding";
}

/* The object that goes for an offered one; NO_ID: none, it is not taken. */
static object_id predecessor(const struct planning *planning, object_id offer)
{
	object_id i;

	for (i = 0; i < planning->layer->nr_objects; i++)
		if (planning->plan->replaced_by[i] == offer)
			return i;
	return NO_ID;
}

static void add_placement(struct planning *planning, object_id id)
{
	const struct layer *layer = planning->layer;
	const struct object *object = &layer->objects[id];
	object_id old = predecessor(planning, id);
	struct image_edits edits = planning->edits[id];

	if (old == NO_ID)
		return;
	edits.compact = true;
	edits.page = planning->options->platform->page;
	edits.soname = object_name(layer, object);
	*VEC_PUSH(planning->arena, planning->plan, actions) = (struct action){
		.kind = ACTION_PLACE,
		.file = object->file,
		.object = id,
		.like = layer->objects[old].file,
		.edits = edits,
		.because = arena_printf(planning->arena, "takes the place of %s",
					object_path(layer, &layer->objects[old])),
	};
}

static void add_rewrite(struct planning *planning, object_id id)
{
	struct plan *plan = planning->plan;
	const struct object *object = &planning->layer->objects[id];
	struct image_edits edits = planning->edits[id];
	bool names = has_names(&edits);

	edits.compact = planning->options->passes & PASS_STRIP;
	edits.page = planning->options->platform->page;
	if (object->untouchable || (!names && !edits.compact))
		return;
	*VEC_PUSH(planning->arena, plan, actions) = (struct action){
		.kind = ACTION_REWRITE,
		.file = object->file,
		.object = id,
		.edits = edits,
		.because = names ? planning->edit_because[id] : why_strip(planning, object),
	};
}

/* Whether an object that goes, but is still there, needs another. */
static bool is_needed(const struct planning *planning, object_id id, const bool *gone)
{
	size_t i;

	for (i = 0; i < planning->usage.nr_consumers[id]; i++) {
		object_id consumer = planning->usage.consumers[id][i];

		if (planning->plan->deleted[consumer] && !gone[consumer])
			return true;
	}
	return false;
}

/* The next to go: who needs others goes before them, so that at no moment one
 * lacks a library; of a circle the first. NO_ID: all are gone. */
static object_id next_deletion(const struct planning *planning, const bool *gone)
{
	object_id i, first = NO_ID;

	for (i = 0; i < planning->layer->nr_objects; i++) {
		if (!planning->plan->deleted[i] || gone[i])
			continue;
		if (!is_needed(planning, i, gone))
			return i;
		first = first == NO_ID ? i : first;
	}
	return first;
}

static void add_deletions(struct planning *planning)
{
	struct layer *layer = planning->layer;
	bool *gone = arena_array(planning->arena, layer->nr_objects, sizeof *gone);
	object_id i;

	while ((i = next_deletion(planning, gone)) != NO_ID) {
		gone[i] = true;
		*VEC_PUSH(planning->arena, planning->plan, actions) = (struct action){
			.kind = ACTION_DELETE,
			.file = layer->objects[i].file,
			.object = i,
			.because = planning->delete_because[i],
		};
	}
}

static void add_pruned(struct planning *planning)
{
	const struct layer *layer = planning->layer;

	for (file_id i = 0; i < layer->nr_files; i++)
		if (layer->files[i].pruned)
			*VEC_PUSH(planning->arena, planning->plan, actions) = (struct action){
				.kind = ACTION_PRUNE,
				.file = i,
				.object = NO_ID,
				.because = layer->files[i].pruned->why,
				.rule = layer->files[i].pruned->rule,
			};
}

static void note_owner(const struct layer *layer, file_id file, bool *changed)
{
	if (layer->files[file].owner != NO_ID)
		changed[layer->files[file].owner] = true;
}

/* Which wheels own a path that an action changes. */
static void note_owners(const struct planning *planning, bool *changed)
{
	const struct layer *layer = planning->layer;
	size_t i, j;

	for (i = 0; i < planning->plan->nr_actions; i++) {
		const struct action *action = &planning->plan->actions[i];
		const struct object *object = action->object == NO_ID ? NULL
								      : &layer->objects[action->object];

		note_owner(layer, action->file, changed);
		for (j = 0; object && j < object->nr_links; j++)
			note_owner(layer, object->links[j], changed);
	}
}

static void add_records(struct planning *planning)
{
	const struct layer *layer = planning->layer;
	bool *changed = arena_array(planning->arena, layer->nr_owners, sizeof *changed);
	size_t i;

	note_owners(planning, changed);
	for (i = 0; i < layer->nr_owners; i++)
		if (changed[i] && layer->files[layer->owners[i].record].kind != FILE_GONE)
			*VEC_PUSH(planning->arena, planning->plan, actions) = (struct action){
				.kind = ACTION_RECORD,
				.file = layer->owners[i].record,
				.object = NO_ID,
				.because = "lists files that changed",
			};
}

void add_actions(struct planning *planning)
{
	enum rank rank;
	object_id i;

	planning->plan->nr_actions = 0;
	for (i = 0; i < planning->layer->nr_objects; i++)
		if (planning->layer->objects[i].offer.n)
			add_placement(planning, i);
	for (rank = RANK_SERVES; rank <= RANK_OTHER; rank++)
		for (i = 0; i < layer_count_objects(planning->layer); i++)
			if (!planning->plan->deleted[i] && rank_of(planning, i) == rank)
				add_rewrite(planning, i);
	add_deletions(planning);
	add_pruned(planning);
	add_records(planning);
}
