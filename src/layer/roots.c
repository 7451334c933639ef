/*
 * Which objects to open so that every object gets loaded the way it is in
 * use. Extension modules and executables are opened by Python and the user;
 * an object nobody needs can only be there for dlopen() or ctypes. Everything
 * else comes in below one of these, except circles, which are opened last.
 */
#include "layer/roots.h"

#include <string.h>

#include "sofold/vec.h"

/* Whether the loader of the platform takes the object at all, and it is still
 * in the layer (a predicted deletion leaves the object without a file). */
static bool is_loadable(const struct layer *layer, const struct platform *platform, object_id id)
{
	const struct object *object = &layer->objects[id];

	return (object->class == OBJECT_SHARED || object->class == OBJECT_EXECUTABLE) &&
	       object->machine == platform->machine && layer->files[object->file].object == id;
}

/* For each object whether another one needs it. */
static bool *find_needed(struct arena *arena, const struct layer *layer, const struct platform *platform)
{
	bool *needed = arena_array(arena, layer->nr_objects, sizeof *needed);
	struct target **graph = resolve_graph(arena, layer, platform);

	for (object_id id = 0; id < layer->nr_objects; id++) {
		if (!is_loadable(layer, platform, id))
			continue;
		for (size_t i = 0; i < layer->objects[id].nr_needed; i++) {
			const struct target *target = &graph[id][i];

			if (target->kind == TARGET_OBJECT && target->object != id)
				needed[target->object] = true;
		}
	}
	return needed;
}

struct roots roots_load(struct arena *arena, const struct layer *layer, const struct platform *platform)
{
	bool *needed = find_needed(arena, layer, platform);
	bool *reached = arena_array(arena, layer->nr_objects, sizeof *reached);
	struct roots roots = {0};

	for (int circles = 0; circles <= 1; circles++) {
		for (object_id id = 0; id < layer->nr_objects; id++) {
			const struct object *object = &layer->objects[id];
			bool opened = object->is_extension || object->class == OBJECT_EXECUTABLE ||
				      !needed[id];
			struct root *root;

			if (!is_loadable(layer, platform, id) || (circles ? reached[id] : !opened))
				continue;
			root = VEC_PUSH(arena, &roots, items);
			*root = (struct root){id, resolve_scope(arena, layer, platform, id)};
			for (size_t i = 0; i < root->scope.nr_loaded; i++)
				reached[root->scope.loaded[i].object] = true;
		}
	}
	return roots;
}

/* What a name led to when an object of the scope needed it; NULL: nobody did. */
static const struct target *needed_as(const struct layer *layer, const struct loaded *loaded,
				      const char *name)
{
	const struct object *object = &layer->objects[loaded->object];

	for (size_t i = 0; i < object->nr_needed; i++) {
		if (!strcmp(object->needed[i], name))
			return &loaded->targets[i];
	}
	return NULL;
}

const struct target *scope_verneed_target(const struct layer *layer, const struct scope *scope, size_t loaded,
					  const struct verneed *need)
{
	const struct target *target = needed_as(layer, &scope->loaded[loaded], need->file);

	/* The names a library is known by are those it has been needed under. */
	for (size_t i = 0; !target && i < scope->nr_loaded; i++)
		target = needed_as(layer, &scope->loaded[i], need->file);
	return target;
}

bool object_lacks_version(const struct object *object, const struct verneed *need, size_t version)
{
	if (need->weak[version])
		return false;
	if (!object->nr_verdefs)
		return !object->nr_verneeds; /* then it has no .gnu.version either */
	for (size_t i = 0; i < object->nr_verdefs; i++) {
		if (!strcmp(object->verdefs[i], need->versions[version]))
			return false;
	}
	return true;
}
