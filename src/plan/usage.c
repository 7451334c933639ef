/*
 * Who loads whom: every root's scope (layer/roots.h) read into tables.
 *
 * An object's NEEDED name may lead to different files depending on who loads
 * it, since DT_RPATH is inherited. Such a need is marked ambiguous, and the
 * copies it may lead to are merged only together.
 */
#include "plan/plan.h"

#include "sofold/vec.h"

struct id_list {
	object_id *ids;
	size_t nr_ids, alloc_ids;
};

static void add_once(struct arena *arena, struct id_list *list, object_id id)
{
	size_t i;

	for (i = 0; i < list->nr_ids; i++)
		if (list->ids[i] == id)
			return;
	*VEC_PUSH(arena, list, ids) = id;
}

static void note_need(struct need *need, const struct target *target, bool first)
{
	object_id found = target->kind == TARGET_OBJECT ? target->object : NO_ID;

	if (first)
		need->target = found;
	else if (need->target == NO_ID)
		need->target = found; /* one way finds it, another does not: the one that does counts */
	else if (found != NO_ID && found != need->target)
		need->ambiguous = true;
}

static void note_loaded(struct planning *planning, const struct loaded *loaded, bool *seen,
			struct id_list *consumers)
{
	const struct object *object = &planning->layer->objects[loaded->object];
	struct need *needs = planning->usage.needs[loaded->object];
	size_t i;

	for (i = 0; i < object->nr_needed; i++) {
		note_need(&needs[i], &loaded->targets[i], !seen[loaded->object]);
		if (loaded->targets[i].kind == TARGET_OBJECT)
			add_once(planning->arena, &consumers[loaded->targets[i].object], loaded->object);
	}
	seen[loaded->object] = true;
}

static void note_users(struct planning *planning, const struct scope *scope, struct id_list *users)
{
	size_t i, j;

	for (i = 0; i < scope->nr_loaded; i++)
		for (j = 0; j < scope->nr_loaded; j++)
			if (i != j)
				add_once(planning->arena, &users[scope->loaded[i].object],
					 scope->loaded[j].object);
}

static void publish(struct arena *arena, const struct id_list *lists, size_t nr, object_id ***ids,
		    size_t **counts)
{
	size_t i;

	*ids = arena_array(arena, nr, sizeof **ids);
	*counts = arena_array(arena, nr, sizeof **counts);
	for (i = 0; i < nr; i++) {
		(*ids)[i] = lists[i].ids;
		(*counts)[i] = lists[i].nr_ids;
	}
}

void usage_read(struct planning *planning)
{
	struct layer *layer = planning->layer;
	struct arena *arena = planning->arena;
	struct usage *usage = &planning->usage;
	size_t nr = layer->nr_objects, i, j;
	struct id_list *users = arena_array(arena, nr, sizeof *users);
	struct id_list *consumers = arena_array(arena, nr, sizeof *consumers);
	bool *seen = arena_array(arena, nr, sizeof *seen);

	usage->roots = roots_load(arena, layer, planning->options->platform);
	usage->needs = arena_array(arena, nr, sizeof *usage->needs);
	for (i = 0; i < nr; i++) {
		usage->needs[i] = arena_array(arena, layer->objects[i].nr_needed, sizeof **usage->needs);
		for (j = 0; j < layer->objects[i].nr_needed; j++)
			usage->needs[i][j].target = NO_ID;
	}
	for (i = 0; i < usage->roots.nr_items; i++) {
		const struct scope *scope = &usage->roots.items[i].scope;

		for (j = 0; j < scope->nr_loaded; j++)
			note_loaded(planning, &scope->loaded[j], seen, consumers);
		note_users(planning, scope, users);
	}
	publish(arena, users, nr, &usage->users, &usage->nr_users);
	publish(arena, consumers, nr, &usage->consumers, &usage->nr_consumers);
}
