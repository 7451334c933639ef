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

struct loading {
	struct arena *arena;
	const struct layer *layer;
	const struct platform *platform;
	struct roots roots;
	bool *reached; /* for each object: it is in the scope of some root */
};

static void load_root(struct loading *loading, object_id id)
{
	struct root *root = VEC_PUSH(loading->arena, &loading->roots, items);

	*root = (struct root){id, resolve_scope(loading->arena, loading->layer, loading->platform, id)};
	for (size_t i = 0; i < root->scope.nr_loaded; i++)
		loading->reached[root->scope.loaded[i].object] = true;
}

static bool is_left(const struct loading *loading, object_id id)
{
	return !loading->reached[id] && is_loadable(loading->layer, loading->platform, id);
}

static void load_opened(struct loading *loading)
{
	for (object_id id = 0; id < loading->layer->nr_objects; id++) {
		const struct object *object = &loading->layer->objects[id];

		if ((object->is_extension || object->class == OBJECT_EXECUTABLE) &&
		    is_loadable(loading->layer, loading->platform, id))
			load_root(loading, id);
	}
}

/* Loads those of the objects left that no other one left brings in, however
 * far below: what is needed may be found only by the path of its loader's
 * loader. */
static void load_unneeded(struct loading *loading)
{
	size_t nr = loading->layer->nr_objects;
	bool *needed = arena_array(loading->arena, nr, sizeof *needed);

	for (object_id id = 0; id < nr; id++) {
		struct scope scope;

		if (!is_left(loading, id))
			continue;
		scope = resolve_scope(loading->arena, loading->layer, loading->platform, id);
		for (size_t i = 1; i < scope.nr_loaded; i++)
			needed[scope.loaded[i].object] = true;
	}
	for (object_id id = 0; id < nr; id++) {
		if (is_left(loading, id) && !needed[id])
			load_root(loading, id);
	}
}

static void load_circles(struct loading *loading)
{
	for (object_id id = 0; id < loading->layer->nr_objects; id++) {
		if (is_left(loading, id))
			load_root(loading, id);
	}
}

struct roots roots_load(struct arena *arena, const struct layer *layer, const struct platform *platform)
{
	struct loading loading = {
		.arena = arena,
		.layer = layer,
		.platform = platform,
		.reached = arena_array(arena, layer->nr_objects, sizeof *loading.reached),
	};

	load_opened(&loading);
	load_unneeded(&loading);
	load_circles(&loading);
	return loading.roots;
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
