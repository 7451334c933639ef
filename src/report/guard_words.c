/* What every report of guard says in words. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/guard.h"
#include "sofold/vec.h"

const char *guard_state_name(enum guard_state state)
{
	switch (state) {
	case GUARD_KEPT:
		return "ok";
	case GUARD_NEAR:
		return "near";
	case GUARD_OVER:
		return "over";
	case GUARD_UNKNOWN:
		return "unknown";
	}
	return "unknown";
}

const char *amount_text(char buffer[SIZE_TEXT], const struct guard_budget *budget, uint64_t amount)
{
	if (budget->what != GUARD_LAYERS)
		return size_text(buffer, amount);
	snprintf(buffer, SIZE_TEXT, "%" PRIu64, amount);
	return buffer;
}

const char *guard_unknown_because(const struct guard_verdict *verdict)
{
	switch (verdict->budget->what) {
	case GUARD_ZIPPED:
		return "not every input is an archive";
	case GUARD_WHEEL:
		return "there is no such wheel";
	case GUARD_PATHS:
		return "no path matches";
	case GUARD_UNZIPPED:
	case GUARD_NATIVE:
	case GUARD_DUPLICATES:
	case GUARD_LAYERS:
		break;
	}
	return "no baseline for it";
}

const char *guard_budget_name(struct arena *arena, const struct guard_budget *budget)
{
	return arena_printf(arena, "%s%s%s", budget->what == GUARD_WHEEL ? "wheel " : "",
			    report_shown(budget->name), budget->is_growth ? ", growth" : "");
}

const char *guard_sentence(struct arena *arena, const struct guard_verdict *verdict)
{
	const struct guard_budget *budget = verdict->budget;
	const char *name = arena_printf(arena, "%s%s", budget->what == GUARD_WHEEL ? "wheel " : "",
					report_shown(budget->name)),
		   *how = "within the limit of";
	char used[SIZE_TEXT], limit[SIZE_TEXT];

	if (verdict->state == GUARD_UNKNOWN)
		return arena_printf(arena, "%s is unknown: %s", name, guard_unknown_because(verdict));
	if (verdict->state == GUARD_OVER)
		how = "over the limit of";
	else if (verdict->state == GUARD_NEAR)
		how = "near the limit of";
	return arena_printf(arena, "%s%s is %s, %s %s (%s)", name,
			    budget->is_growth ? " since the baseline" : "",
			    amount_text(used, budget, verdict->used), how,
			    amount_text(limit, budget, verdict->limit), report_shown(budget->because));
}

size_t guard_count_unknown(const struct guard_verdicts *verdicts)
{
	size_t i, nr = 0;

	for (i = 0; i < verdicts->nr_items; i++)
		nr += verdicts->items[i].state == GUARD_UNKNOWN;
	return nr;
}

const char *guard_conclusion(struct arena *arena, const struct guard_verdicts *verdicts)
{
	size_t unknown;

	if (!verdicts->nr_items)
		return "no budget: name one with --budget or --platform";
	if (verdicts->nr_over)
		return arena_printf(arena, "FAILED: %zu of %zu budgets exceeded", verdicts->nr_over,
				    verdicts->nr_items);
	unknown = guard_count_unknown(verdicts);
	return arena_printf(arena, "ok: %zu budget%s, %zu warning%s%s", verdicts->nr_items,
			    verdicts->nr_items == 1 ? "" : "s", verdicts->nr_warned,
			    verdicts->nr_warned == 1 ? "" : "s",
			    unknown ? arena_printf(arena, ", %zu unknown", unknown) : "");
}

/* --------- since the baseline ------------------ */

static int by_change(const void *a, const void *b)
{
	const struct guard_growth *x = a, *y = b;

	if (x->change != y->change)
		return x->change > y->change ? -1 : 1;
	return strcmp(x->wheel->name, y->wheel->name);
}

struct guard_growth *guard_growths(struct arena *arena, const struct guarded *guarded, size_t *nr)
{
	const struct guard_measure *now = guarded->now, *old = guarded->baseline;
	struct guard_growth *list = arena_array(arena, now->nr_wheels + old->nr_wheels, sizeof *list);
	size_t i;

	*nr = 0;
	for (i = 0; i < now->nr_wheels; i++) {
		const struct guard_wheel *before = guard_wheel(old, now->wheels[i].name);
		int64_t change = (int64_t)(now->wheels[i].bytes - (before ? before->bytes : 0));

		if (change)
			list[(*nr)++] = (struct guard_growth){.wheel = &now->wheels[i],
							      .now = now->wheels[i].bytes,
							      .before = before ? before->bytes : 0,
							      .change = change};
	}
	for (i = 0; i < old->nr_wheels; i++)
		if (!guard_wheel(now, old->wheels[i].name))
			list[(*nr)++] = (struct guard_growth){.wheel = &old->wheels[i],
							      .before = old->wheels[i].bytes,
							      .change = -(int64_t)old->wheels[i].bytes};
	if (*nr)
		qsort(list, *nr, sizeof *list, by_change);
	return list;
}

const char *guard_growth_label(struct arena *arena, const struct guarded *guarded,
			       const struct guard_growth *growth)
{
	const struct guard_wheel *before = guard_wheel(guarded->baseline, growth->wheel->name);

	if (!before)
		return arena_printf(arena, "%s %s (new)", growth->wheel->name, growth->wheel->version);
	if (!guard_wheel(guarded->now, growth->wheel->name))
		return arena_printf(arena, "%s %s (gone)", before->name, before->version);
	if (strcmp(before->version, growth->wheel->version))
		return arena_printf(arena, "%s %s -> %s", before->name, before->version,
				    growth->wheel->version);
	return arena_printf(arena, "%s %s", before->name, before->version);
}

const char *guard_change_text(char buffer[CHANGE_TEXT], uint64_t before, uint64_t now)
{
	char size[SIZE_TEXT];

	snprintf(buffer, CHANGE_TEXT, "%s%s",
		 now == before	? ""
		 : now < before ? "-"
				: "+",
		 size_text(size, now < before ? before - now : now - before));
	return buffer;
}

/* --------- what to do ------------------ */

/* As a shell wants it. */
static const char *quoted(struct arena *arena, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=:@%-";
	char *out, *p;

	if (*path && !path[strspn(path, plain)])
		return path;
	p = out = arena_alloc(arena, 4 * strlen(path) + 3);
	*p++ = '\'';
	for (; *path; path++) {
		if (*path == '\'')
			p = stpcpy(p, "'\\'");
		*p++ = *path;
	}
	*p = '\'';
	return out;
}

const char *guard_command(struct arena *arena, const struct guard_input *input,
			  const struct guard_remedy *remedy)
{
	return arena_printf(arena, "sofold shrink %s%s%s%s", report_shown(quoted(arena, input->name)),
			    *remedy->options ? " " : "", remedy->options,
			    input->zipped ? "  (unpacked)" : "");
}

const char *guard_remedy_text(struct arena *arena, const struct guard_remedy *remedy)
{
	char frees[SIZE_TEXT], missing[SIZE_TEXT];
	const char *of;

	size_text(frees, remedy->frees);
	if (remedy->enough)
		return arena_printf(arena, "%s, enough", frees);
	of = guard_budget_name(arena, remedy->lacking->budget);
	if (!remedy->missing)
		return arena_printf(arena, "%s; what that does to %s is not known", frees, of);
	return arena_printf(arena, "%s, %s too little for %s", frees, size_text(missing, remedy->missing),
			    of);
}

/* --------- why ------------------ */

static void add_growers(struct arena *arena, const struct guarded *guarded, struct guard_why *why)
{
	enum { GROWERS = 5 };
	size_t i, nr;
	const struct guard_growth *list = guard_growths(arena, guarded, &nr);
	char change[CHANGE_TEXT];

	for (i = 0; i < nr && i < GROWERS && list[i].change > 0; i++)
		*VEC_PUSH(arena, why, lines) = arena_printf(
			arena, "%s: %s", report_shown(guard_growth_label(arena, guarded, &list[i])),
			guard_change_text(change, list[i].before, list[i].now));
}

static void add_duplicates(struct arena *arena, const struct guarded *guarded, struct guard_why *why)
{
	size_t i;

	for (i = 0; i < guarded->now->nr_families; i++) {
		const struct guard_duplicate *family = &guarded->now->families[i];
		uint64_t copies = guard_new_copies(guarded->baseline, family);

		if (copies)
			*VEC_PUSH(arena, why, lines) = arena_printf(
				arena, "%s: %" PRIu64 " copies, %" PRIu64 " more than before",
				report_shown(family->name), family->copies, copies);
	}
}

struct guard_why guard_why(struct arena *arena, const struct guarded *guarded)
{
	const struct guard_remedy *best = guarded->advice->best;
	struct guard_why why = {0};
	size_t i;

	if (guarded->baseline) {
		add_growers(arena, guarded, &why);
		add_duplicates(arena, guarded, &why);
	}
	for (i = 0; best && i < guarded->nr_inputs; i++)
		*VEC_PUSH(arena, &why, lines) = guard_command(arena, &guarded->inputs[i], best);
	if (best)
		*VEC_PUSH(arena, &why, lines) = arena_printf(arena, "frees about %s",
							     guard_remedy_text(arena, best));
	return why;
}
