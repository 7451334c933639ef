/*
 * One OpenBLAS where numpy and scipy bring two.
 *
 * numpy's OpenBLAS has 64-bit integers (ILP64), scipy's 32-bit ones (LP64), so
 * neither can take over from the other. A bridge can: an object that defines
 * the names numpy's modules import and calls scipy's copy (bridge.h). The
 * planner is offered one for each ILP64 copy. It is taken when
 *
 *   - the ILP64 copy may go at all (settle.c: why_stays());
 *   - every symbol that anybody may import from it is among the bridge's;
 *   - some LP64 copy that stays, loads, has no known defect, and says that it is one defines every
 *     symbol the bridge imports.
 *
 * Then the bridge replaces the ILP64 copy and needs the LP64 one; names and
 * search paths follow as for any merge (relink.c), and the layer is loaded on
 * the model before it is believed. If that fails the ILP64 copy stays, and
 * what it broke is the reason.
 */
#include <elf.h>
#include <string.h>

#include "plan/plan.h"

struct bridging {
	struct planning *planning;
	const struct bridge_offer *offer;
	struct family *family;
	struct copy *ilp64;
	bool failed; /* what planning holds is the last attempt, which was taken back */
};

static const struct object *object_of(const struct bridging *bridging, object_id id)
{
	return &bridging->planning->layer->objects[id];
}

static bool find_copy(struct bridging *bridging)
{
	struct plan *plan = bridging->planning->plan;
	size_t i, j;

	for (i = 0; i < plan->nr_families; i++) {
		for (j = 0; j < plan->families[i].nr_copies; j++) {
			bridging->family = &plan->families[i];
			bridging->ilp64 = &plan->families[i].copies[j];
			if (bridging->ilp64->object == bridging->offer->ilp64)
				return true;
		}
	}
	return false;
}

/* A copy that stays and that the bridge could call. */
static bool is_lp64(const struct bridging *bridging, const struct copy *copy)
{
	return !copy->orphan && (copy->served_by == NO_ID || copy->served_by == copy->object) &&
	       object_of(bridging, copy->object)->lp64;
}

/* What the ILP64 copy defines and some user of it imports, but the bridge does
 * not define: NULL, or that in words with the first names. */
static const char *missing_routines(const struct bridging *bridging)
{
	enum { SHOWN = 3 };
	struct planning *planning = bridging->planning;
	struct layer *layer = planning->layer;
	const struct usage *usage = &planning->usage;
	struct object *old = &layer->objects[bridging->ilp64->object];
	bool *seen = arena_array(planning->arena, old->nr_exports, sizeof *seen);
	object_id d = bridging->ilp64->object;
	const char *names = NULL;
	size_t i, k, missing = 0;

	for (i = 0; i < usage->nr_users[d]; i++) {
		const struct object *user = object_of(bridging, usage->users[d][i]);

		for (k = 0; k < user->nr_imports; k++) {
			const struct symbol *import = &user->imports[k], *export;

			export = object_find_export(layer->arena, old, import->name, import->version);
			if (!export || seen[export - old->exports] ||
			    object_find_export(layer->arena, &layer->objects[bridging->offer->object],
					       import->name, import->version))
				continue;
			seen[export - old->exports] = true;
			if (missing++ < SHOWN)
				names = names ? arena_printf(planning->arena, "%s, %s", names, import->name)
					      : import->name;
		}
	}
	if (missing > SHOWN)
		names = arena_printf(planning->arena, "%s and %zu more", names, missing - SHOWN);
	return names ? arena_printf(planning->arena, "%s %s not in the bridge", names,
				    missing > 1 ? "are" : "is")
		     : NULL;
}

/* A symbol the bridge calls that an LP64 copy does not define; NULL: none.
 * What the bridge takes from the C library is not looked for. */
static const char *missing_target(const struct bridging *bridging, object_id lp64)
{
	struct layer *layer = bridging->planning->layer;
	const struct object *offer = object_of(bridging, bridging->offer->object);
	size_t i;

	for (i = 0; i < offer->nr_imports; i++) {
		const char *name = offer->imports[i].name;

		if (strcmp(name, "write") && strcmp(name, "abort") &&
		    !object_find_export(layer->arena, &layer->objects[lp64], name, NULL))
			return name;
	}
	return NULL;
}

/* A defect that numpy would meet in an LP64 copy, and does not in its own;
 * NULL: none known. OpenBLAS 0.3.30 is the first with a kernel for SME, which
 * does not write the result of a row-major cblas_sgemm (its issue 5528; mended
 * in 0.3.31): float32 products would be garbage. */
static const char *known_defect(const struct bridging *bridging, object_id lp64)
{
	const struct object *object = object_of(bridging, lp64);

	if (object->machine == EM_AARCH64 && bridging->planning->options->platform->sme &&
	    object->version_hint && !strcmp(object->version_hint, "0.3.30"))
		return "OpenBLAS 0.3.30 gets float32 products wrong on processors with SME; name a --platform "
		       "without";
	return NULL;
}

static const char *owner_name(const struct bridging *bridging, object_id id)
{
	const struct layer *layer = bridging->planning->layer;
	owner_id owner = layer->files[layer->objects[id].file].owner;

	return owner == NO_ID ? "the layer" : layer->owners[owner].name;
}

static const char *versions(const struct bridging *bridging, object_id lp64)
{
	const char *from = object_of(bridging, bridging->ilp64->object)->version_hint;
	const char *to = object_of(bridging, lp64)->version_hint;

	return arena_printf(bridging->planning->arena, "%s's %s -> %s's %s",
			    owner_name(bridging, bridging->ilp64->object), from ? from : "OpenBLAS",
			    owner_name(bridging, lp64), to ? to : "OpenBLAS");
}

/* Decides for a bridge to lp64, and takes that back unless it holds. NULL, or
 * why not. */
static const char *try_bridge(struct bridging *bridging, struct copy *lp64)
{
	struct planning *planning = bridging->planning;
	struct need *need = &planning->usage.needs[bridging->offer->object][0];
	struct copy ilp64_before = *bridging->ilp64, lp64_before = *lp64;
	const char *why = NULL, *of = versions(bridging, lp64->object);

	*bridging->ilp64 = (struct copy){
		.object = bridging->ilp64->object,
		.served_by = lp64->object,
		.relation = RELATION_BRIDGEABLE,
		.bridge = bridging->offer->object,
		.reason = arena_printf(
			planning->arena, "%s, through %s", of,
			object_name(planning->layer, object_of(bridging, bridging->offer->object))),
	};
	if (lp64->served_by == NO_ID)
		lp64->reason = arena_printf(
			planning->arena, "serves the consumers of %s",
			object_name(planning->layer, object_of(bridging, bridging->ilp64->object)));
	lp64->served_by = lp64->object;
	lp64->relation = RELATION_IDENTICAL;
	lp64->offered = false;
	need->target = lp64->object;
	bridging->failed = !holds(planning, &why);
	if (!bridging->failed)
		return NULL;
	*bridging->ilp64 = ilp64_before;
	*lp64 = lp64_before;
	need->target = NO_ID;
	return arena_printf(planning->arena, "a bridge would break a load: %s", why);
}

/* Why there is no bridge before any LP64 copy is looked at; NULL: go on. */
static const char *why_not(const struct bridging *bridging)
{
	struct planning *planning = bridging->planning;
	const char *missing;

	if (bridging->offer->refused)
		return bridging->offer->refused;
	missing = missing_routines(bridging);
	if (missing)
		return missing;
	if (object_of(bridging, bridging->ilp64->object)->size <=
	    object_of(bridging, bridging->offer->object)->size)
		return "the bridge is no smaller";
	if (!(planning->options->passes & PASS_BRIDGE))
		return "the pass bridge is left out";
	if (planning->options->level < LEVEL_DEFAULT)
		return "a bridge is for --level default";
	return NULL;
}

/* Why this LP64 copy cannot do the ILP64 one's work; NULL: it does. */
static const char *why_lp64_not(struct bridging *bridging, struct copy *copy)
{
	const char *why = why_no_keeper(bridging->planning, copy->object), *missing;

	if (!why)
		why = known_defect(bridging, copy->object);
	if (why)
		return why;
	missing = missing_target(bridging, copy->object);
	return missing ? arena_printf(bridging->planning->arena, "the LP64 copy does not define %s", missing)
		       : try_bridge(bridging, copy);
}

static const char *choose_lp64(struct bridging *bridging)
{
	const char *why = "no LP64 copy stays";
	size_t i;

	for (i = 0; i < bridging->family->nr_copies; i++) {
		struct copy *copy = &bridging->family->copies[i];

		if (!is_lp64(bridging, copy))
			continue;
		why = why_lp64_not(bridging, copy);
		if (!why)
			return NULL;
	}
	return why;
}

static void decide(struct bridging *bridging)
{
	struct copy *copy = bridging->ilp64;
	const char *why;

	/* A better reason was found already, or it goes for another copy. */
	if (copy->orphan || (copy->served_by != NO_ID && copy->served_by != copy->object) ||
	    why_stays(bridging->planning, copy->object, copy->object))
		return;
	why = why_not(bridging);
	if (!why)
		why = choose_lp64(bridging);
	if (why)
		copy->reason = arena_printf(bridging->planning->arena, "ILP64 and LP64, and %s", why);
}

void bridge(struct planning *planning)
{
	struct bridging bridging = {.planning = planning};
	const char *why;
	size_t i;

	for (i = 0; i < planning->options->nr_offers; i++) {
		bridging.offer = &planning->options->offers[i];
		if (find_copy(&bridging))
			decide(&bridging);
	}
	if (bridging.failed && !holds(planning, &why))
		BUG("the layer does not hold without the bridge that was refused");
	mark_orphans(planning);
}
