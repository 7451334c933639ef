/*
 * Names and search paths after merging.
 *
 * A consumer of a copy that goes gets two edits at once: the NEEDED name of
 * the copy that serves it (with every equal version-need file name), and a
 * search path that leads there. File name, SONAME and NEEDED stay one and the
 * same string, since musl compares file names only and glibc both.
 *
 * A search path is changed as little as possible. Entries that lead to a
 * directory which will hold no library any more are taken out, what is missing
 * is added at the end, "$ORIGIN/" first. Since wheels keep their libraries in
 * <wheel>.libs, that often gives a path of the same length:
 *
 *	$ORIGIN/../../numpy.libs -> $ORIGIN/../../scipy.libs
 *
 * DT_RPATH is inherited by dependencies, DT_RUNPATH is not (glibc). Where a
 * library without a path of its own is found through its consumers, a
 * consumer with DT_RPATH goes on to provide for it; behind one with DT_RUNPATH
 * the library gets a path itself.
 */
#include "plan/plan.h"
#include "sofold/vec.h"

struct dirs {
	const char **items;
	size_t nr_items, alloc_items;
};

struct relinking {
	struct planning *planning;
	struct dirs *required; /* for each object */
	bool *touched;	       /* it has a need whose file changes */
	const char *why;
};

static const char *object_dir(const struct planning *planning, object_id id)
{
	return path_dir(planning->arena, object_path(planning->layer, &planning->layer->objects[id]));
}

const char *object_link_name(const struct planning *planning, object_id k, const char **dir)
{
	const struct layer *layer = planning->layer;
	const struct object *object = &layer->objects[k];
	size_t i;

	for (i = 0; object->soname && i < layer->nr_files; i++) {
		if (layer->files[i].object == k && !strcmp(layer->files[i].name, object->soname)) {
			*dir = path_dir(planning->arena, layer->files[i].path);
			return layer->files[i].name;
		}
	}
	*dir = object_dir(planning, k);
	return object_name(layer, object);
}

static object_id new_target(const struct planning *planning, object_id old)
{
	object_id by = old == NO_ID ? NO_ID : planning->plan->replaced_by[old];

	return by == NO_ID ? old : by;
}

static bool has_dir(const struct dirs *dirs, const char *dir)
{
	size_t i;

	for (i = 0; i < dirs->nr_items; i++)
		if (!strcmp(dirs->items[i], dir))
			return true;
	return false;
}

static void require(struct relinking *relinking, object_id id, const char *dir)
{
	if (!has_dir(&relinking->required[id], dir))
		*VEC_PUSH(relinking->planning->arena, &relinking->required[id], items) = dir;
}

/* "$ORIGIN/../x" or "${ORIGIN}/../x" of an object in dir; NULL: leads out of
 * the tree, or is no such path. */
static const char *expand(struct arena *arena, const char *dir, const char *entry)
{
	static const char *const tokens[] = {"$ORIGIN", "${ORIGIN}"};
	size_t i, n;

	for (i = 0; i < 2; i++) {
		n = strlen(tokens[i]);
		if (!strncmp(entry, tokens[i], n) && (!entry[n] || entry[n] == '/') &&
		    !strchr(entry + n, '$'))
			return path_join(arena, dir, entry[n] ? entry + n + 1 : ".");
	}
	return NULL;
}

/* Calls back for each entry of a search path. */
static void each_entry(struct arena *arena, const char *path, void (*found)(void *context, const char *entry),
		       void *context)
{
	const char *end;

	for (; path && *path; path = *end ? end + 1 : end) {
		end = path + strcspn(path, ":");
		found(context, arena_strndup(arena, path, (size_t)(end - path)));
	}
}

/* Whether a directory will still hold a library. What may be placed there does
 * not count: who needs it asks for its directory. */
static bool holds_library(const struct planning *planning, const char *dir)
{
	const struct layer *layer = planning->layer;
	object_id i;

	for (i = 0; i < layer->nr_objects; i++)
		if (!planning->plan->deleted[i] && !layer->objects[i].offer.n &&
		    !strcmp(object_dir(planning, i), dir))
			return true;
	return false;
}

struct composing {
	struct planning *planning;
	const char *dir; /* of the object */
	struct dirs *required;
	struct dirs reached;
	char *path;
};

static void append_entry(struct composing *composing, const char *entry)
{
	struct arena *arena = composing->planning->arena;

	composing->path = *composing->path ? arena_printf(arena, "%s:%s", composing->path, entry)
					   : arena_strdup(arena, entry);
}

static void keep_entry(void *context, const char *entry)
{
	struct composing *composing = context;
	const char *dir = expand(composing->planning->arena, composing->dir, entry);

	if (dir && !has_dir(composing->required, dir) && !holds_library(composing->planning, dir))
		return;
	if (dir)
		*VEC_PUSH(composing->planning->arena, &composing->reached, items) = dir;
	append_entry(composing, entry);
}

/* The search path an object needs to reach its required directories. */
static const char *compose_path(struct relinking *relinking, object_id id)
{
	struct planning *planning = relinking->planning;
	struct arena *arena = planning->arena;
	struct composing composing = {.planning = planning,
				      .dir = object_dir(planning, id),
				      .required = &relinking->required[id],
				      .path = arena_strdup(arena, "")};
	size_t i;

	each_entry(arena, planning->layer->objects[id].search_path, keep_entry, &composing);
	for (i = 0; i < relinking->required[id].nr_items; i++) {
		const char *dir = relinking->required[id].items[i], *way;

		if (has_dir(&composing.reached, dir))
			continue;
		way = path_relative(arena, composing.dir, dir);
		append_entry(&composing,
			     strcmp(way, ".") ? arena_printf(arena, "$ORIGIN/%s", way) : "$ORIGIN");
	}
	return composing.path;
}

static void add_rename(struct planning *planning, object_id id, const char *from, const char *to)
{
	struct image_edits *edits = &planning->edits[id];
	struct rename *renames = arena_array(planning->arena, edits->nr_needed + 1, sizeof *renames);
	size_t i;

	for (i = 0; i < edits->nr_needed; i++) {
		if (!strcmp(edits->needed[i].from, from))
			return;
		renames[i] = edits->needed[i];
	}
	renames[edits->nr_needed] = (struct rename){from, to};
	edits->needed = renames;
	edits->nr_needed++;
}

/* First step: what each live object needs now, and under which name. */
static void relink_needs(struct relinking *relinking, object_id id)
{
	struct planning *planning = relinking->planning;
	const struct object *object = &planning->layer->objects[id];
	size_t i;

	for (i = 0; i < object->nr_needed; i++) {
		object_id old = planning->usage.needs[id][i].target, now = new_target(planning, old);
		const char *dir, *name;

		if (now == NO_ID)
			continue;
		if (now == old && !object->offer.n) {
			require(relinking, id, object_dir(planning, now));
			continue;
		}
		name = object_link_name(planning, now, &dir);
		require(relinking, id, dir);
		relinking->touched[id] = true;
		if (now != old)
			planning->edit_because[id] = arena_printf(
				planning->arena, "needs %s instead of %s",
				object_path(planning->layer, &planning->layer->objects[now]),
				object_path(planning->layer, &planning->layer->objects[old]));
		if (strcmp(name, object->needed[i]))
			add_rename(planning, id, object->needed[i], name);
	}
}

struct reaching {
	struct planning *planning;
	const char *dir, *wanted;
	bool found;
};

static void compare_entry(void *context, const char *entry)
{
	struct reaching *reaching = context;
	const char *dir = expand(reaching->planning->arena, reaching->dir, entry);

	reaching->found |= dir && !strcmp(dir, reaching->wanted);
}

/* Whether an object's own path, as it will be, leads to a directory. */
static bool reaches_itself(struct relinking *relinking, object_id id, const char *dir)
{
	struct planning *planning = relinking->planning;
	struct reaching reaching = {planning, object_dir(planning, id), dir, false};

	if (relinking->touched[id])
		return true; /* it gets a path with all it requires */
	each_entry(planning->arena, planning->layer->objects[id].search_path, compare_entry, &reaching);
	return reaching.found;
}

static bool is_inherited(const struct planning *planning, object_id id)
{
	enum search_kind kind = planning->layer->objects[id].search_kind;

	return planning->options->platform->libc == LIBC_MUSL || kind != SEARCH_RUNPATH;
}

/* Second step: an object that is touched provides for all below it that do
 * not reach their own needs. */
static void provide_for(struct relinking *relinking, object_id top, object_id below, bool *seen)
{
	struct planning *planning = relinking->planning;
	const struct object *object = &planning->layer->objects[below];
	size_t i;

	if (seen[below])
		return;
	seen[below] = true;
	for (i = 0; i < object->nr_needed; i++) {
		object_id target = new_target(planning, planning->usage.needs[below][i].target);
		const char *dir;

		if (target == NO_ID)
			continue;
		object_link_name(planning, target, &dir);
		if (below != top && !reaches_itself(relinking, below, dir)) {
			if (is_inherited(planning, top))
				require(relinking, top, dir);
			else
				relinking->touched[below] = true;
		}
		provide_for(relinking, top, target, seen);
	}
}

static bool can_edit(struct relinking *relinking, object_id id)
{
	struct planning *planning = relinking->planning;
	const struct object *object = &planning->layer->objects[id];
	const char *path = object_path(planning->layer, object);
	size_t i;

	if (object->untouchable) {
		relinking->why = arena_printf(planning->arena, "%s would have to be edited, but: %s", path,
					      object->untouchable);
		return false;
	}
	/* Its headers cannot move, so nobody can say in advance that names fit. */
	if (object->class == OBJECT_EXECUTABLE) {
		relinking->why = arena_printf(planning->arena, "%s is a program, whose names are not edited",
					      path);
		return false;
	}
	for (i = 1; i < object->nr_links; i++) {
		if (strcmp(path_dir(planning->arena, planning->layer->files[object->links[i]].path),
			   object_dir(planning, id))) {
			relinking->why = arena_printf(planning->arena,
						      "%s has hard links in several directories", path);
			return false;
		}
	}
	return true;
}

static bool set_path(struct relinking *relinking, object_id id)
{
	struct planning *planning = relinking->planning;
	const struct object *object = &planning->layer->objects[id];
	const char *path = compose_path(relinking, id);

	if (!can_edit(relinking, id))
		return false;
	if (object->search_path && !strcmp(object->search_path, path))
		return true;
	/* What no search path was needed for before needs none now, unless the
	 * file has moved to another directory: compose_path() then says where. */
	if (!object->search_path && !*path)
		return true;
	if (!object->path_fits) {
		relinking->why = arena_printf(planning->arena, "%s has no room for a search path",
					      object_path(planning->layer, object));
		return false;
	}
	planning->edits[id].search_path = path;
	planning->edits[id].search_kind = object->search_kind == SEARCH_NONE ? SEARCH_RPATH
									     : object->search_kind;
	if (!planning->edit_because[id])
		planning->edit_because[id] = "its libraries are found through it now";
	return true;
}

bool relink(struct planning *planning, const char **why)
{
	size_t nr = planning->layer->nr_objects;
	struct relinking relinking = {
		.planning = planning,
		.required = arena_array(planning->arena, nr, sizeof *relinking.required),
		.touched = arena_array(planning->arena, nr, sizeof *relinking.touched),
	};
	object_id i;

	for (i = 0; i < nr; i++) {
		planning->edits[i] = (struct image_edits){0};
		planning->edit_because[i] = NULL;
		if (!planning->plan->deleted[i])
			relink_needs(&relinking, i);
	}
	for (i = 0; i < nr; i++)
		if (relinking.touched[i])
			provide_for(&relinking, i, i, arena_array(planning->arena, nr, sizeof(bool)));
	for (i = 0; i < nr; i++) {
		if (relinking.touched[i] && !set_path(&relinking, i)) {
			*why = relinking.why;
			return false;
		}
	}
	return true;
}
