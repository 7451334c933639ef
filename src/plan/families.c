/*
 * Which objects are copies of one library.
 *
 * Two shared objects for one machine belong together when their families have
 * one stem ("libgfortran.so.5" and "libgfortran.so.3": libgfortran), or when
 * they are equal byte for byte or image for image under whatever names
 * (pyarrow's wheel has three names of one file that were symlinks once).
 * Extension modules are never copies: Python loads each by its own path.
 *
 * Union-find over objects; each class of two or more becomes a family.
 */
#include <stdlib.h>

#include "plan/plan.h"
#include "sofold/vec.h"

static bool is_library(const struct object *object)
{
	return object->class == OBJECT_SHARED && !object->is_extension && !object->offer.n;
}

/* "libgfortran.so.5" -> 11 characters of stem. */
static size_t stem_length(const char *family)
{
	const char *so = strstr(family, ".so");

	return so ? (size_t)(so - family) : strlen(family);
}

bool family_same_stem(const char *a, const char *b)
{
	size_t n = stem_length(a);

	return n == stem_length(b) && !memcmp(a, b, n);
}

static bool belong_together(const struct object *a, const struct object *b)
{
	return a->machine == b->machine &&
	       (family_same_stem(a->family, b->family) || object_same_bytes(a, b) || object_same_image(a, b));
}

static object_id root_of(object_id *parents, object_id id)
{
	while (parents[id] != id)
		id = parents[id] = parents[parents[id]];
	return id;
}

/* For each object the first of its class. */
static object_id *classes(struct arena *arena, const struct layer *layer)
{
	object_id *parents = arena_array(arena, layer->nr_objects, sizeof *parents), i, j;

	for (i = 0; i < layer->nr_objects; i++)
		parents[i] = i;
	for (i = 0; i < layer->nr_objects; i++) {
		for (j = 0; is_library(&layer->objects[i]) && j < i; j++) {
			object_id a = root_of(parents, i), b = root_of(parents, j);

			if (a != b && is_library(&layer->objects[j]) &&
			    belong_together(&layer->objects[i], &layer->objects[j]))
				parents[a > b ? a : b] = a > b ? b : a;
		}
	}
	for (i = 0; i < layer->nr_objects; i++)
		parents[i] = root_of(parents, i);
	return parents;
}

/* The longest name all agree on but for the SONAME major. */
static const char *family_title(struct arena *arena, const struct layer *layer, const struct family *family)
{
	const char *title = layer->objects[family->copies[0].object].family;
	size_t i;

	for (i = 1; i < family->nr_copies; i++) {
		const char *other = layer->objects[family->copies[i].object].family;

		if (!strcmp(title, other))
			continue;
		if (family_same_stem(title, other))
			title = arena_printf(arena, "%.*s.so", (int)stem_length(title), title);
		else if (strlen(other) > strlen(title))
			title = other;
	}
	return title;
}

static uint64_t family_bytes(const struct layer *layer, const struct family *family)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < family->nr_copies; i++)
		bytes += layer->objects[family->copies[i].object].size;
	return bytes;
}

static int by_bytes(const void *a, const void *b, void *context)
{
	uint64_t x = family_bytes(context, a), y = family_bytes(context, b);

	if (x != y)
		return x > y ? -1 : 1;
	return strcmp(((const struct family *)a)->name, ((const struct family *)b)->name);
}

/* Objects are in path order, so copies are too. */
static void add_family(struct planning *planning, const object_id *class_of, object_id first)
{
	struct layer *layer = planning->layer;
	struct family family = {.machine = layer->objects[first].machine};
	object_id i;

	for (i = first; i < layer->nr_objects; i++)
		if (class_of[i] == first)
			*VEC_PUSH(planning->arena, &family, copies) = (struct copy){
				.object = i, .served_by = NO_ID, .relation = RELATION_REFUSED};
	if (family.nr_copies < 2)
		return;
	family.name = family_title(planning->arena, layer, &family);
	*VEC_PUSH(planning->arena, planning->plan, families) = family;
}

void families_find(struct planning *planning)
{
	struct layer *layer = planning->layer;
	object_id *class_of = classes(planning->arena, layer), i;

	for (i = 0; i < layer->nr_objects; i++)
		if (class_of[i] == i && is_library(&layer->objects[i]))
			add_family(planning, class_of, i);
	if (planning->plan->nr_families)
		qsort_r(planning->plan->families, planning->plan->nr_families,
			sizeof *planning->plan->families, by_bytes, layer);
}

void plan_candidates(const struct layer *layer, bool *wanted)
{
	struct arena *scratch = arena_new();
	object_id *class_of = classes(scratch, layer), i;

	for (i = 0; i < layer->nr_objects; i++)
		wanted[i] = false;
	for (i = 0; i < layer->nr_objects; i++)
		if (class_of[i] != i)
			wanted[i] = wanted[class_of[i]] = true;
	arena_free(scratch);
}
