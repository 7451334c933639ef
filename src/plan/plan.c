/*
 * plan_layer(): the passes in order.
 *
 *	families   which objects are copies of one library
 *	usage      who loads whom
 *	dedupe     which copies go, and what their consumers become
 *	bridge     which ILP64 OpenBLAS goes for a bridge to an LP64 one
 *	actions    the list, strip included: every object is laid out anew, and
 *	           those that come out unchanged drop out when the plan is applied
 *
 * Families are found and explained even when the dedupe pass is off, so that
 * a report can say what it would do.
 */
#include "plan/plan.h"

const char *relation_name(enum relation relation)
{
	switch (relation) {
	case RELATION_IDENTICAL:
		return "identical";
	case RELATION_SAME_IMAGE:
		return "same image";
	case RELATION_COMPATIBLE:
		return "compatible";
	case RELATION_BRIDGEABLE:
		return "bridgeable";
	case RELATION_REFUSED:
		return "refused";
	}
	return "unknown";
}

struct plan *plan_layer(struct layer *layer, const struct plan_options *options)
{
	struct arena *arena = layer->arena;
	struct planning planning = {
		.layer = layer, .arena = arena, .scratch = arena_new(), .options = options};
	struct plan *plan = planning.plan = arena_alloc(arena, sizeof *plan);
	size_t nr = layer->nr_objects, i;

	plan->replaced_by = arena_array(arena, nr, sizeof *plan->replaced_by);
	plan->deleted = arena_array(arena, nr, sizeof *plan->deleted);
	for (i = 0; i < nr; i++)
		plan->replaced_by[i] = NO_ID;
	planning.edits = arena_array(arena, nr, sizeof *planning.edits);
	planning.edit_because = arena_array(arena, nr, sizeof *planning.edit_because);
	planning.delete_because = arena_array(arena, nr, sizeof *planning.delete_because);
	errors_read(&planning);
	families_find(&planning);
	if (options->passes & (PASS_DEDUPE | PASS_BRIDGE))
		usage_read(&planning);
	if (options->passes & PASS_DEDUPE)
		dedupe(&planning);
	if (options->passes & (PASS_DEDUPE | PASS_BRIDGE))
		bridge(&planning);
	count_bytes(&planning);
	add_actions(&planning);
	arena_free(planning.scratch);
	return plan;
}
