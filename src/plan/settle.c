/*
 * From what is said of copies to what happens to objects, and whether that
 * holds.
 *
 * A copy stays, whatever could serve for it, when code names its file, when a
 * symlink leads to it, when somebody who needs it finds different files
 * depending on who loads him, or when nothing needs it: a plugin, which some
 * program finds by listing its directory. (Names beside a library that were
 * symlinks to it before a wheel flattened them are not plugins.)
 *
 * A library that only needed libraries which went are alone in needing goes
 * as well ("orphan"): numpy's libgfortran when only its OpenBLAS wanted it.
 *
 * A decision is tried before it is believed: relink.c works out names and
 * search paths, and bindings_compare() loads every root of the layer as it
 * would be.
 */
#include <string.h>

#include "plan/plan.h"
#include "sofold/check.h"

static bool same_directory(const struct file *a, const struct file *b)
{
	size_t n = (size_t)(a->name - a->path);

	return n == (size_t)(b->name - b->path) && !memcmp(a->path, b->path, n);
}

/* "libx.so" and "libx.so.5.0" beside an equal "libx.so.5" whose SONAME that
 * is: links once, made files by a wheel, which cannot hold links. Linkers want
 * the one and ldconfig made the other; loaders ask for the SONAME alone. */
static bool was_link_to(const struct planning *planning, object_id k, object_id d)
{
	const struct layer *layer = planning->layer;
	const struct object *library = &layer->objects[k], *link = &layer->objects[d];

	return object_same_bytes(library, link) && library->soname &&
	       !strcmp(object_name(layer, library), library->soname) &&
	       same_directory(&layer->files[library->file], &layer->files[link->file]) &&
	       family_same_stem(library->family, link->family);
}

/* Why the file of this object may not go; NULL: it may. */
static const char *why_fixed(struct planning *planning, object_id d)
{
	const struct layer *layer = planning->layer;
	const struct object *object = &layer->objects[d];
	const struct usage *usage = &planning->usage;
	size_t i, j;

	if (object->named_by)
		return arena_printf(planning->arena, "code names this file: %s", object->named_by);
	for (i = 0; i < layer->nr_files; i++)
		if (layer->files[i].object == d && layer->files[i].kind == FILE_SYMLINK)
			return arena_printf(planning->arena, "a symlink leads to it: %s",
					    layer->files[i].path);
	for (i = 0; i < usage->nr_consumers[d]; i++) {
		object_id user = usage->consumers[d][i];

		for (j = 0; j < layer->objects[user].nr_needed; j++)
			if (usage->needs[user][j].ambiguous)
				return arena_printf(planning->arena,
						    "%s finds different copies depending on who loads it",
						    object_path(layer, &layer->objects[user]));
	}
	return NULL;
}

const char *why_stays(struct planning *planning, object_id k, object_id d)
{
	if (!planning->usage.nr_consumers[d] && !was_link_to(planning, k, d))
		return "nothing needs it by name, so it is opened by its path";
	return why_fixed(planning, d);
}

static bool has_live_consumer(const struct planning *planning, object_id id)
{
	size_t i;

	for (i = 0; i < planning->usage.nr_consumers[id]; i++)
		if (!planning->plan->deleted[planning->usage.consumers[id][i]])
			return true;
	return false;
}

/* Everybody who named the object, or one it replaces, is gone; and somebody
 * did name it. */
static bool is_orphan(const struct planning *planning, object_id id)
{
	const struct plan *plan = planning->plan;
	object_id i;

	if (plan->deleted[id] || planning->layer->objects[id].is_extension ||
	    !planning->usage.nr_consumers[id] || has_live_consumer(planning, id))
		return false;
	for (i = 0; i < planning->layer->nr_objects; i++)
		if (plan->replaced_by[i] == id && has_live_consumer(planning, i))
			return false;
	return true;
}

static const char only_merged[] = "only merged copies needed it";

static void delete_orphans(struct planning *planning)
{
	struct layer *layer = planning->layer;
	bool again = true;
	object_id i;

	while (again) {
		again = false;
		for (i = 0; i < layer->nr_objects; i++) {
			if (!is_orphan(planning, i) || why_fixed(planning, i))
				continue;
			planning->plan->deleted[i] = again = true;
			planning->delete_because[i] = only_merged;
		}
	}
}

/* A copy may have been merged into one that goes for a bridge. */
static void follow_through(struct planning *planning)
{
	object_id *by = planning->plan->replaced_by;
	size_t i;

	for (i = 0; i < planning->layer->nr_objects; i++)
		while (by[i] != NO_ID && by[by[i]] != NO_ID)
			by[i] = by[by[i]];
}

void settle(struct planning *planning)
{
	struct plan *plan = planning->plan;
	const struct layer *layer = planning->layer;
	size_t i, j;

	for (i = 0; i < layer->nr_objects; i++) {
		plan->replaced_by[i] = NO_ID;
		plan->deleted[i] = false;
	}
	for (i = 0; i < plan->nr_families; i++) {
		for (j = 0; j < plan->families[i].nr_copies; j++) {
			const struct copy *copy = &plan->families[i].copies[j];

			if (copy->served_by == NO_ID || copy->served_by == copy->object)
				continue;
			plan->replaced_by[copy->object] = copy->relation == RELATION_BRIDGEABLE
								  ? copy->bridge
								  : copy->served_by;
			plan->deleted[copy->object] = true;
			planning->delete_because[copy->object] = arena_printf(
				planning->arena, "%s: %s serves its consumers", copy->reason,
				object_path(layer, &layer->objects[copy->served_by]));
		}
	}
	follow_through(planning);
	delete_orphans(planning);
}

bool holds(struct planning *planning, const char **why)
{
	struct error err = {0};
	struct layer *after;
	bool same;

	settle(planning);
	if (!relink(planning, why))
		return false;
	add_actions(planning);
	after = plan_predict(planning->scratch, planning->layer, planning->plan);
	same = !bindings_compare(planning->scratch, planning->layer, &planning->usage.roots, after,
				 planning->plan, planning->options->platform, &err);
	arena_reset(planning->scratch);
	/* The first difference says enough. */
	if (!same)
		*why = arena_strndup(planning->arena, err.message, strcspn(err.message, ";"));
	return same;
}

void mark_orphans(struct planning *planning)
{
	struct plan *plan = planning->plan;
	size_t i, j;

	for (i = 0; i < plan->nr_families; i++) {
		for (j = 0; j < plan->families[i].nr_copies; j++) {
			struct copy *copy = &plan->families[i].copies[j];

			if (!plan->deleted[copy->object] || plan->replaced_by[copy->object] != NO_ID)
				continue;
			copy->orphan = true;
			copy->served_by = NO_ID;
			copy->reason = only_merged;
		}
	}
}

/* What an object adds to the layer in the place of copy. */
static uint64_t placed_bytes(const struct planning *planning, const struct copy *copy)
{
	bool placed = copy->relation == RELATION_BRIDGEABLE && copy->served_by != NO_ID;

	return placed ? planning->layer->objects[copy->bridge].size : 0;
}

void count_bytes(struct planning *planning)
{
	struct plan *plan = planning->plan;
	size_t i, j;

	for (i = 0; i < plan->nr_families; i++) {
		struct family *family = &plan->families[i];

		for (j = 0; j < family->nr_copies; j++) {
			const struct copy *copy = &family->copies[j];
			uint64_t size = planning->layer->objects[copy->object].size;

			if (plan->deleted[copy->object])
				family->reclaimable += size - placed_bytes(planning, copy);
			else if (copy->offered)
				family->offered += size;
		}
	}
	for (i = 0; i < planning->layer->nr_objects; i++)
		if (plan->deleted[i])
			plan->reclaimable += planning->layer->objects[i].size;
	for (i = 0; i < plan->nr_families; i++)
		for (j = 0; j < plan->families[i].nr_copies; j++)
			plan->reclaimable -= placed_bytes(planning, &plan->families[i].copies[j]);
}
