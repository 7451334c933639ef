/*
 * Whether a change keeps every binding.
 *
 * Each root that is still there is loaded on both models. For every object of
 * the scope after the change there is a scope before it to compare with: that
 * of the same root when the object was in it, else the first one it was in
 * (a kept copy that replaces another comes into scopes it was not in). In
 * both, each import binds somewhere; what was bound to an object of the layer
 * must be bound to that object, its successor or an equal copy, and what was bound to
 * the host must not be caught by an object that was not in the scope before.
 *
 * What two scopes have in common at their beginning binds the same, so only what comes
 * behind (their tails) is looked at first, and the answer serves for every root that
 * brings an object the same tails: there are many roots, and few tails.
 *
 * An object that is placed by the change was in no scope before. It must find
 * all it needs, and no import of it may be caught on the way by an object it
 * does not need.
 *
 * Nothing is said of trouble that was there before: a library that was
 * missing may be missing, a version that was lacking may lack.
 */
#include "sofold/check.h"

#include <string.h>

#include "layer/exports.h"
#include "layer/roots.h"
#include "sofold/vec.h"

enum { DIFFERENCES_SHOWN = 4 };

/* One layer of the two, and a scope in it. */
struct side {
	struct layer *layer;
	struct scope scope;
	size_t at; /* the object compared, in scope */
};

/* Two scopes that have been found to bind an object's imports alike from an index on. */
struct tails {
	struct scope before, after;
	size_t from; /* 0: none yet; a scope begins with the object that is opened */
};

struct comparison {
	struct arena *arena;
	const struct plan *plan;
	const struct platform *platform;
	struct error *err;
	struct side before, after;
	size_t nr_shared;	    /* objects at the start of both scopes that define the same */
	const struct scope **homes; /* of each object: the first scope before that it was in */
	struct tails *alike;	    /* of each object: the last */
	bool **reported; /* for each object: of its imports, of its needed names, of its verneeds */
	size_t nr_differences;
};

static const struct object *compared(const struct side *side)
{
	return &side->layer->objects[side->scope.loaded[side->at].object];
}

static const char *path_of(const struct layer *layer, object_id id)
{
	return object_path(layer, &layer->objects[id]);
}

/* Counts a difference of the compared object once for each slot; returns
 * whether there is room for saying it. */
static bool is_new(struct comparison *comparison, size_t slot)
{
	const struct object *object = compared(&comparison->after);
	object_id id = comparison->after.scope.loaded[comparison->after.at].object;

	if (!comparison->reported[id])
		comparison->reported[id] = arena_array(
			comparison->arena, object->nr_imports + object->nr_needed + object->nr_verneeds,
			sizeof **comparison->reported);
	if (comparison->reported[id][slot])
		return false;
	comparison->reported[id][slot] = true;
	return comparison->nr_differences++ < DIFFERENCES_SHOWN;
}

/* Index of an object in a scope, or NO_ID. */
static uint32_t find_loaded(const struct scope *scope, object_id object)
{
	for (size_t i = 0; i < scope->nr_loaded; i++) {
		if (scope->loaded[i].object == object)
			return (uint32_t)i;
	}
	return NO_ID;
}

/* Two copies with the same bytes or the same image run the same code: which
 * of them an import meets makes no difference. */
static bool same_code(const struct layer *layer, object_id a, object_id b)
{
	const struct object *x = &layer->objects[a], *y = &layer->objects[b];

	return object_same_bytes(x, y) || object_same_image(x, y);
}

/* Whether is does what was did: the same object, one that replaces it, or an
 * equal copy of either. */
static bool succeeds(const struct layer *layer, const struct plan *plan, object_id was, object_id is)
{
	for (size_t steps = 0; was != is && !same_code(layer, was, is); steps++) {
		was = plan->replaced_by[was];
		if (was == NO_ID || steps > layer->nr_objects)
			return false;
	}
	return true;
}

static const char *versioned_name(struct arena *arena, const struct symbol *symbol)
{
	return symbol->version ? arena_printf(arena, "%s@%s", symbol->name, symbol->version) : symbol->name;
}

static bool same_exports(const struct object *a, const struct object *b)
{
	return a->exports == b->exports && a->nr_exports == b->nr_exports && a->verdefs == b->verdefs;
}

/* How many objects at the start of both scopes are the same and define the same. */
static size_t count_shared(const struct comparison *comparison)
{
	const struct side *before = &comparison->before, *after = &comparison->after;
	size_t i = 0;

	while (i < before->scope.nr_loaded && i < after->scope.nr_loaded) {
		object_id id = before->scope.loaded[i].object;

		if (id != after->scope.loaded[i].object ||
		    !same_exports(&before->layer->objects[id], &after->layer->objects[id]))
			break;
		i++;
	}
	return i;
}

/* Where an import binds on one side, in scope->loaded[from] or behind. musl looks at
 * names only. An object that the change leaves alone is asked by the side before: what
 * is indexed there serves for the next plan that is tried. */
static uint32_t bind_from(const struct comparison *comparison, const struct side *side, size_t from,
			  const struct symbol *import, uint32_t hash)
{
	const char *version = comparison->platform->libc == LIBC_MUSL ? NULL : import->version;
	size_t i;

	for (i = from; i < side->scope.nr_loaded; i++) {
		object_id id = side->scope.loaded[i].object;
		struct layer *layer = comparison->before.layer;

		if (!same_exports(&layer->objects[id], &side->layer->objects[id]))
			layer = side->layer;
		if (object_find_hashed(layer->arena, &layer->objects[id], hash, import->name, version))
			return (uint32_t)i;
	}
	return NO_ID;
}

static uint32_t bind(const struct comparison *comparison, const struct side *side,
		     const struct symbol *import)
{
	return bind_from(comparison, side, 0, import, symbol_hash(import));
}

/* Whether a version is asked of the C library or its like, which every
 * process has loaded before anything of the layer: their definitions come
 * first whatever else is loaded (elf/dl-lookup.c: the global scope). */
static bool asks_libc(const struct comparison *comparison, const struct object *object, const char *version)
{
	for (size_t i = 0; version && i < object->nr_verneeds; i++) {
		const struct verneed *need = &object->verneeds[i];

		if (platform_provision(comparison->platform, need->file) != PROVISION_LOADED)
			continue;
		for (size_t j = 0; j < need->nr_versions; j++)
			if (!strcmp(need->versions[j], version))
				return true;
	}
	return false;
}

static object_id bound_in_tail(const struct comparison *comparison, const struct side *side,
			       const struct symbol *import, uint32_t hash)
{
	uint32_t at = bind_from(comparison, side, comparison->nr_shared, import, hash);

	return at == NO_ID ? NO_ID : side->scope.loaded[at].object;
}

/* False when the tails bind an import differently; that matters unless something before
 * them binds it. */
static bool compare_import(struct comparison *comparison, size_t import)
{
	const struct side *before = &comparison->before, *after = &comparison->after;
	const struct symbol *symbol = &compared(after)->imports[import];
	uint32_t hash = symbol_hash(symbol);
	object_id was = bound_in_tail(comparison, before, symbol, hash);
	object_id is = bound_in_tail(comparison, after, symbol, hash);

	if (was == is || (was == NO_ID && asks_libc(comparison, compared(after), symbol->version)) ||
	    (was != NO_ID && is != NO_ID && succeeds(before->layer, comparison->plan, was, is)))
		return true;
	if (bind_from(comparison, after, 0, symbol, hash) >= comparison->nr_shared &&
	    is_new(comparison, import))
		error_add(comparison->err, ERROR_VERIFY, "%s: %s was bound to %s and would be bound to %s",
			  path_of(after->layer, after->scope.loaded[after->at].object),
			  versioned_name(comparison->arena, symbol),
			  was == NO_ID ? "the host" : path_of(before->layer, was),
			  is == NO_ID ? "nothing" : path_of(after->layer, is));
	return false;
}

static bool same_tail(const struct scope *a, const struct scope *b, size_t from)
{
	if (a->nr_loaded != b->nr_loaded)
		return false;
	for (size_t i = from; i < a->nr_loaded; i++) {
		if (a->loaded[i].object != b->loaded[i].object)
			return false;
	}
	return true;
}

static void compare_imports(struct comparison *comparison)
{
	const struct side *before = &comparison->before, *after = &comparison->after;
	struct tails *alike = &comparison->alike[after->scope.loaded[after->at].object];
	bool all = true;

	if (alike->from && alike->from == comparison->nr_shared &&
	    same_tail(&alike->before, &before->scope, alike->from) &&
	    same_tail(&alike->after, &after->scope, alike->from))
		return;
	for (size_t i = 0; i < compared(after)->nr_imports; i++)
		all = compare_import(comparison, i) && all;
	if (all)
		*alike = (struct tails){before->scope, after->scope, comparison->nr_shared};
}

/* The needed names keep their number and order; only their texts change. */
static bool is_missing(const struct side *side, size_t needed)
{
	return needed < compared(side)->nr_needed &&
	       side->scope.loaded[side->at].targets[needed].kind == TARGET_MISSING;
}

static void compare_needed(struct comparison *comparison, size_t needed)
{
	const struct side *after = &comparison->after;
	const struct object *object = compared(after);

	if (!is_missing(after, needed) || is_missing(&comparison->before, needed) ||
	    !is_new(comparison, object->nr_imports + needed))
		return;
	error_add(comparison->err, ERROR_VERIFY, "%s: %s would not be found (loading %s)",
		  object_path(after->layer, object), object->needed[needed],
		  path_of(after->layer, after->scope.loaded[0].object));
}

/* What fails of a version need: a version, the file name when nothing is
 * loaded under it, or NULL. */
static const char *failing_version(const struct side *side, size_t verneed)
{
	const struct object *object = compared(side), *provider;
	const struct target *target;
	const struct verneed *need;

	if (verneed >= object->nr_verneeds)
		return NULL;
	need = &object->verneeds[verneed];
	target = scope_verneed_target(side->layer, &side->scope, side->at, need);
	if (!target)
		return need->file;
	if (target->kind != TARGET_OBJECT)
		return NULL;
	provider = &side->layer->objects[target->object];
	for (size_t i = 0; i < need->nr_versions; i++) {
		if (object_lacks_version(provider, need, i))
			return need->versions[i];
	}
	return NULL;
}

static void compare_verneed(struct comparison *comparison, size_t verneed)
{
	const struct side *after = &comparison->after;
	const struct object *object = compared(after);
	const char *failing = failing_version(after, verneed);

	if (!failing || failing_version(&comparison->before, verneed) ||
	    !is_new(comparison, object->nr_imports + object->nr_needed + verneed))
		return;
	error_add(comparison->err, ERROR_VERIFY, "%s: its need for %s of %s would not be met (loading %s)",
		  object_path(after->layer, object), failing, object->verneeds[verneed].file,
		  path_of(after->layer, after->scope.loaded[0].object));
}

static void compare_object(struct comparison *comparison)
{
	const struct object *object = compared(&comparison->after);

	comparison->nr_shared = count_shared(comparison);
	compare_imports(comparison);
	for (size_t i = 0; i < object->nr_needed; i++)
		compare_needed(comparison, i);
	for (size_t i = 0; comparison->platform->libc == LIBC_GLIBC && i < object->nr_verneeds; i++)
		compare_verneed(comparison, i);
}

/* Whether nothing that decides bindings has changed of an object: a model
 * shares what it has not changed with the one it was made from. */
static bool same_facts(const struct object *a, const struct object *b)
{
	return a->needed == b->needed && a->verneeds == b->verneeds && a->verdefs == b->verdefs &&
	       a->exports == b->exports && a->imports == b->imports && a->nr_needed == b->nr_needed;
}

/* A scope of the same objects in the same order, none of them changed, binds
 * every import as before: most roots of a layer need no closer look. */
static bool same_scope(const struct comparison *comparison, const struct scope *before,
		       const struct scope *after)
{
	if (before->nr_loaded != after->nr_loaded)
		return false;
	for (size_t i = 0; i < before->nr_loaded; i++) {
		object_id id = before->loaded[i].object;
		const struct target *a = before->loaded[i].targets, *b = after->loaded[i].targets;

		if (id != after->loaded[i].object || !same_facts(&comparison->before.layer->objects[id],
								 &comparison->after.layer->objects[id]))
			return false;
		for (size_t j = 0; j < comparison->before.layer->objects[id].nr_needed; j++)
			if (a[j].kind != b[j].kind)
				return false;
	}
	return true;
}

/* Whether the compared object itself needs what lies at index of the scope. */
static bool needs_loaded(const struct side *side, uint32_t index)
{
	const struct loaded *loaded = &side->scope.loaded[side->at];

	for (size_t i = 0; i < compared(side)->nr_needed; i++)
		if (loaded->targets[i].kind == TARGET_OBJECT &&
		    loaded->targets[i].object == side->scope.loaded[index].object)
			return true;
	return false;
}

static void check_placed(struct comparison *comparison)
{
	const struct side *after = &comparison->after;
	const struct object *object = compared(after);

	for (size_t i = 0; i < object->nr_needed; i++)
		if (is_missing(after, i) && is_new(comparison, object->nr_imports + i))
			error_add(comparison->err, ERROR_VERIFY, "%s: %s would not be found",
				  object_path(after->layer, object), object->needed[i]);
	for (size_t i = 0; i < object->nr_imports; i++) {
		uint32_t at = bind(comparison, after, &object->imports[i]);

		if (at != NO_ID && !needs_loaded(after, at) && is_new(comparison, i))
			error_add(comparison->err, ERROR_VERIFY, "%s: %s would be bound to %s",
				  object_path(after->layer, object), object->imports[i].name,
				  path_of(after->layer, after->scope.loaded[at].object));
	}
}

static void compare_root(struct comparison *comparison, const struct root *root)
{
	struct side *before = &comparison->before, *after = &comparison->after;

	after->scope = resolve_scope(comparison->arena, after->layer, comparison->platform, root->object);
	if (same_scope(comparison, &root->scope, &after->scope))
		return;
	for (size_t i = 0; i < after->scope.nr_loaded; i++) {
		object_id object = after->scope.loaded[i].object;
		const struct scope *home = &root->scope;

		if (find_loaded(home, object) == NO_ID)
			home = comparison->homes[object];
		after->at = i;
		if (after->layer->objects[object].offer.n)
			check_placed(comparison);
		if (!home)
			continue; /* placed, or for another machine: nothing loads it */
		before->scope = *home;
		before->at = find_loaded(home, object);
		compare_object(comparison);
	}
}

static const struct scope **find_homes(struct arena *arena, const struct layer *layer,
				       const struct roots *roots)
{
	const struct scope **homes = arena_array(arena, layer->nr_objects, sizeof *homes);

	for (size_t i = 0; i < roots->nr_items; i++) {
		const struct scope *scope = &roots->items[i].scope;

		for (size_t k = 0; k < scope->nr_loaded; k++) {
			if (!homes[scope->loaded[k].object])
				homes[scope->loaded[k].object] = scope;
		}
	}
	return homes;
}

int bindings_compare(struct arena *arena, struct layer *before, const struct roots *roots,
		     struct layer *after, const struct plan *plan, const struct platform *platform,
		     struct error *err)
{
	struct comparison comparison = {
		.arena = arena,
		.plan = plan,
		.platform = platform,
		.err = err,
		.before.layer = before,
		.after.layer = after,
		.homes = find_homes(arena, before, roots),
		.alike = arena_array(arena, before->nr_objects, sizeof *comparison.alike),
		.reported = arena_array(arena, before->nr_objects, sizeof *comparison.reported),
	};

	for (size_t i = 0; i < roots->nr_items; i++) {
		if (!plan->deleted[roots->items[i].object])
			compare_root(&comparison, &roots->items[i]);
	}
	if (!comparison.nr_differences)
		return ERROR_NONE;
	if (comparison.nr_differences > DIFFERENCES_SHOWN)
		error_add(err, ERROR_VERIFY, "and %zu more", comparison.nr_differences - DIFFERENCES_SHOWN);
	return ERROR_VERIFY;
}
