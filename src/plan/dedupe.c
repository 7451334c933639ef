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
 * A copy stays, whatever could serve for it, when code names its file, when a
 * symlink leads to it, when somebody who needs it finds different files
 * depending on who loads him, or when nothing needs it: a plugin, which some
 * program finds by listing its directory. (Names beside a library that were
 * symlinks to it before a wheel flattened them are not plugins.)
 *
 * A library that only needed libraries which went are alone in needing goes
 * as well ("orphan"): numpy's libgfortran when only its OpenBLAS wanted it.
 *
 * The result is tried before it is believed: relink.c works out names and
 * search paths, and bindings_compare() loads every root of the layer as it
 * would be. If something does not bind as before, families are decided one by
 * one and the one that breaks it is refused, with what it broke as reason.
 */
#include <string.h>

#include "plan/plan.h"
#include "sofold/check.h"

static bool equal_text(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

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

	return equal_text(library->content, link->content) &&
	       equal_text(object_name(layer, library), library->soname) &&
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

/* Why d may not go in favour of k; NULL: it may. */
static const char *why_stays(struct planning *planning, object_id k, object_id d)
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

static const char only_merged[] = "only merged copies needed it";

/* Copies that nobody live needs go by themselves; they serve nobody. */
static void set_orphans_aside(struct planning *planning, struct family *family)
{
	size_t i;

	for (i = 0; i < family->nr_copies; i++) {
		struct copy *copy = &family->copies[i];

		copy->orphan = planning->plan->deleted[copy->object];
		if (copy->orphan)
			copy->reason = only_merged;
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

/* Turns what the families' copies say into who replaces whom. */
static void settle(struct planning *planning)
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
			plan->replaced_by[copy->object] = copy->served_by;
			plan->deleted[copy->object] = true;
			planning->delete_because[copy->object] = arena_printf(
				planning->arena, "%s: %s serves its consumers", copy->reason,
				object_path(layer, &layer->objects[copy->served_by]));
		}
	}
	delete_orphans(planning);
}

/* Whether the layer would load as before; *why says what would not. */
static bool holds(struct planning *planning, const char **why)
{
	struct error err = {0};
	struct layer *after;

	settle(planning);
	if (!relink(planning, why))
		return false;
	add_actions(planning);
	after = plan_predict(planning->arena, planning->layer, planning->plan);
	if (!bindings_compare(planning->arena, planning->layer, after, planning->plan,
			      planning->options->platform, &err))
		return true;
	/* The first difference says enough. */
	*why = arena_strndup(planning->arena, err.message, strcspn(err.message, ";"));
	return false;
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

static void count_bytes(struct planning *planning)
{
	struct plan *plan = planning->plan;
	size_t i, j;

	for (i = 0; i < plan->nr_families; i++) {
		struct family *family = &plan->families[i];

		for (j = 0; j < family->nr_copies; j++) {
			const struct copy *copy = &family->copies[j];
			uint64_t size = planning->layer->objects[copy->object].size;

			if (plan->deleted[copy->object])
				family->reclaimable += size;
			else if (copy->offered)
				family->offered += size;
		}
	}
	for (i = 0; i < planning->layer->nr_objects; i++)
		if (plan->deleted[i])
			plan->reclaimable += planning->layer->objects[i].size;
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
	count_bytes(planning);
}
