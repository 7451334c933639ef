/*
 * roots: what a program may open in a layer, and what each brings in.
 *
 * Whether an object loads can only be said of a way to load it: its search
 * path may come from whoever needs it. The roots are the ways there are.
 */
#ifndef SOFOLD_LAYER_ROOTS_H
#define SOFOLD_LAYER_ROOTS_H

#include "sofold/resolve.h"

struct root {
	object_id object;
	struct scope scope;
};

struct roots {
	struct root *items; /* by kind, as below, then in the order of objects */
	size_t nr_items, alloc_items;
};

/* Loads each extension module and executable, each object nobody needs, and
 * one of each circle of objects that only need each other: every object for
 * the platform's machine is in some scope. Allocates in arena. */
struct roots roots_load(struct arena *arena, const struct layer *layer, const struct platform *platform);

/* The library that glibc checks a version need against: the one loaded under
 * that very name (elf/dl-version.c, find_needed). NULL: there is none, and
 * glibc ends the process with an assertion. */
const struct target *scope_verneed_target(const struct layer *layer, const struct scope *scope, size_t loaded,
					  const struct verneed *need);

/* Whether an object fails a version need: it defines versions, but not this
 * one; or its symbols have no version indexes at all, at which glibc ends the
 * process when it meets the wanted one there (elf/dl-lookup.c, check_match). An
 * object with indexes that defines no versions passes (elf/dl-version.c,
 * match_symbol), and so does a need that is weak. */
bool object_lacks_version(const struct object *object, const struct verneed *need, size_t version);

#endif
