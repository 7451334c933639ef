/*
 * One copy of each native library.
 *
 * For each family: among the copies not spoken for, find the one that may
 * take over from most others (relation.c); of several such, the newest where
 * the user has asked for the merge, else the one that changes the fewest
 * bytes of other objects; then the newest; then the first by path. It is
 * kept, those it serves go, and the same is asked again of the rest: an
 * OpenBLAS family may keep one LP64 and one ILP64 copy.
 *
 * What decisions amount to, and whether the layer would load as before, is in
 * settle.c. If something does not bind as before, families are decided one by
 * one and the one that breaks it is refused, with what it broke as reason.
 */
#include <string.h>

#include "plan/plan.h"

struct choice {
	object_id keeper;
	size_t served;
	uint64_t changed; /* bytes of objects that would have to be edited */
};

static bool may_serve(struct planning *planning, object_id k, object_id d)
{
	const char *reason;
	bool offered;

	return relation_of(planning, k, d, &reason, &offered) != RELATION_REFUSED &&
	       !why_stays(planning, k, d);
}

static bool is_open(const struct copy *copy)
{
	return copy->served_by == NO_ID && !copy->orphan;
}

/* What of an object a rewrite will leave: symbol tables go anyway. */
static uint64_t lasting_bytes(const struct object *object)
{
	uint64_t passing = object->symtab_bytes + object->debug_bytes;

	return object->size > passing ? object->size - passing : 0;
}

static struct choice weigh(struct planning *planning, const struct family *family, const struct copy *k)
{
	const struct usage *usage = &planning->usage;
	struct choice choice = {.keeper = k->object};
	size_t i, j;

	for (i = 0; i < family->nr_copies; i++) {
		const struct copy *d = &family->copies[i];

		if (d == k || !is_open(d) || !may_serve(planning, k->object, d->object))
			continue;
		choice.served++;
		for (j = 0; j < usage->nr_consumers[d->object]; j++)
			if (!planning->plan->deleted[usage->consumers[d->object][j]])
				choice.changed += lasting_bytes(
					&planning->layer->objects[usage->consumers[d->object][j]]);
	}
	return choice;
}

/* Negative when a is the better choice. */
static int compare_choices(const struct planning *planning, const struct choice *a, const struct choice *b)
{
	int age = version_compare(&planning->layer->objects[b->keeper], &planning->layer->objects[a->keeper]);

	if (a->served != b->served)
		return a->served > b->served ? -1 : 1;
	if (planning->options->nr_merge && age)
		return age;
	if (a->changed != b->changed)
		return a->changed < b->changed ? -1 : 1;
	return age;
}

/* The best keeper of the copies still open; served is 0 when there is none. */
static struct choice choose(struct planning *planning, const struct family *family)
{
	struct choice best = {.keeper = NO_ID}, choice;
	size_t i;

	for (i = 0; i < family->nr_copies; i++) {
		if (!is_open(&family->copies[i]))
			continue;
		choice = weigh(planning, family, &family->copies[i]);
		if (best.keeper == NO_ID || compare_choices(planning, &choice, &best) < 0)
			best = choice;
	}
	return best;
}

static const char *why_kept(struct planning *planning, const struct choice *choice)
{
	const struct object *object = &planning->layer->objects[choice->keeper];

	return arena_printf(planning->arena, "serves %zu other cop%s%s%s", choice->served,
			    choice->served == 1 ? "y" : "ies", object->version_hint ? ", version " : "",
			    object->version_hint ? object->version_hint : "");
}

static void assign(struct planning *planning, struct family *family, const struct choice *choice)
{
	size_t i;

	for (i = 0; i < family->nr_copies; i++) {
		struct copy *copy = &family->copies[i];

		if (copy->object == choice->keeper) {
			copy->served_by = copy->object;
			copy->relation = RELATION_IDENTICAL;
			copy->reason = why_kept(planning, choice);
		} else if (is_open(copy) && may_serve(planning, choice->keeper, copy->object)) {
			copy->relation = relation_of(planning, choice->keeper, copy->object, &copy->reason,
						     &copy->offered);
			copy->served_by = choice->keeper;
		}
	}
}

/* The copy that the open ones are compared with: the first kept, else the
 * first that is not the one asked about. */
static object_id counterpart(const struct family *family, const struct copy *copy)
{
	size_t i;

	for (i = 0; i < family->nr_copies; i++)
		if (family->copies[i].served_by == family->copies[i].object)
			return family->copies[i].object;
	for (i = 0; i < family->nr_copies; i++)
		if (&family->copies[i] != copy && !family->copies[i].orphan)
			return family->copies[i].object;
	return NO_ID;
}

/* Says of each copy that is still open why it stays. */
static void explain_rest(struct planning *planning, struct family *family)
{
	const char *fixed;
	object_id other;
	size_t i;

	for (i = 0; i < family->nr_copies; i++) {
		struct copy *copy = &family->copies[i];

		if (!is_open(copy))
			continue;
		other = counterpart(family, copy);
		if (other == NO_ID) {
			copy->reason = "the only copy left";
			continue;
		}
		relation_of(planning, other, copy->object, &copy->reason, &copy->offered);
		copy->offered = false;
		fixed = why_stays(planning, other, copy->object);
		if (fixed)
			copy->reason = fixed;
	}
}

/* What --merge would take away: the copies that the best keeper would serve if
 * the family were merged on request. */
static void mark_offers(struct planning *planning, struct family *family)
{
	struct choice choice;
	size_t i;

	planning->suppose_merge = true;
	choice = choose(planning, family);
	for (i = 0; choice.served && i < family->nr_copies; i++) {
		struct copy *copy = &family->copies[i];

		copy->offered = is_open(copy) && copy->object != choice.keeper &&
				may_serve(planning, choice.keeper, copy->object);
	}
	planning->suppose_merge = false;
	for (i = 0; choice.served && i < family->nr_copies; i++)
		if (family->copies[i].offered)
			relation_of(planning, choice.keeper, family->copies[i].object,
				    &family->copies[i].reason, &family->copies[i].offered);
}

/* Copies that nobody live needs go by themselves; they serve nobody. */
static void set_orphans_aside(struct planning *planning, struct family *family)
{
	size_t i;

	for (i = 0; i < family->nr_copies; i++) {
		struct copy *copy = &family->copies[i];

		copy->orphan = planning->plan->deleted[copy->object];
		if (copy->orphan)
			copy->reason = planning->delete_because[copy->object];
	}
}

static void decide_family(struct planning *planning, struct family *family)
{
	struct choice choice;

	set_orphans_aside(planning, family);
	for (choice = choose(planning, family); choice.keeper != NO_ID && choice.served;
	     choice = choose(planning, family))
		assign(planning, family, &choice);
	explain_rest(planning, family);
	mark_offers(planning, family);
}

static void refuse_family(struct family *family, const char *why)
{
	size_t i;

	for (i = 0; i < family->nr_copies; i++) {
		struct copy *copy = &family->copies[i];

		if (copy->served_by == NO_ID && !copy->orphan)
			continue;
		copy->orphan = false;
		copy->served_by = NO_ID;
		copy->relation = RELATION_REFUSED;
		copy->offered = false;
		copy->reason = why;
	}
}

static bool is_merged(const struct family *family)
{
	size_t i;

	for (i = 0; i < family->nr_copies; i++)
		if (family->copies[i].served_by != NO_ID)
			return true;
	return false;
}

/* One try for each family that is not merged yet. A family that breaks a load
 * on its own may not do so once another is merged, so this is asked again as
 * long as it gets anywhere. */
static bool try_each_family(struct planning *planning)
{
	struct plan *plan = planning->plan;
	const char *why = NULL;
	bool progress = false;
	size_t i;

	for (i = 0; i < plan->nr_families; i++) {
		struct family *family = &plan->families[i];

		if (is_merged(family))
			continue;
		decide_family(planning, family);
		if (!is_merged(family))
			continue;
		if (holds(planning, &why))
			progress = true;
		else
			refuse_family(family,
				      arena_printf(planning->arena, "merging would break a load: %s", why));
	}
	return progress;
}

static void decide_one_by_one(struct planning *planning)
{
	struct plan *plan = planning->plan;
	const char *why;
	size_t i;

	for (i = 0; i < plan->nr_families; i++)
		refuse_family(&plan->families[i], "not decided yet");
	settle(planning);
	while (try_each_family(planning))
		;
	if (!holds(planning, &why))
		BUG("no merge at all breaks the layer");
}

static bool anything_merged(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->nr_families; i++)
		if (is_merged(&plan->families[i]))
			return true;
	return false;
}

void dedupe(struct planning *planning)
{
	struct plan *plan = planning->plan;
	const char *why;
	size_t i;

	/* Largest family first; who is gone already needs nothing any more. */
	for (i = 0; i < plan->nr_families; i++) {
		decide_family(planning, &plan->families[i]);
		settle(planning);
	}
	if (anything_merged(plan) && !holds(planning, &why))
		decide_one_by_one(planning);
}
