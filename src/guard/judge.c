/*
 * Budgets held against a measure. A budget that cannot be judged says so and
 * fails nothing: the size of the zip that a directory will become is not known
 * here, and a function may be without the wheel that its project has a budget for.
 */
#include <fnmatch.h>

#include "guard/guard.h"
#include "sofold/vec.h"

struct judging {
	const struct guard_measure *now, *baseline;
	const struct guard_input *inputs;
	size_t nr_inputs;
	unsigned warn_at; /* percent */
};

/* False: no file matches. */
static bool matching_bytes(const struct judging *judging, const char *glob, uint64_t *bytes)
{
	bool any = false;
	size_t i, k;

	*bytes = 0;
	for (i = 0; i < judging->nr_inputs; i++) {
		const struct layer *layer = judging->inputs[i].layer;

		for (k = 0; k < layer->nr_files; k++)
			if (layer->files[k].kind == FILE_REGULAR && !fnmatch(glob, layer->files[k].path, 0)) {
				*bytes += layer->files[k].size;
				any = true;
			}
	}
	return any;
}

/* False: unknown. */
static bool amount(const struct judging *judging, const struct guard_measure *measure,
		   const struct guard_budget *budget, uint64_t *value)
{
	const struct guard_wheel *wheel;

	switch (budget->what) {
	case GUARD_UNZIPPED:
		*value = measure->unzipped;
		return true;
	case GUARD_ZIPPED:
		*value = measure->zipped;
		return measure->has_zipped;
	case GUARD_NATIVE:
		*value = measure->native;
		return true;
	case GUARD_DUPLICATES:
		*value = measure->duplicates;
		return true;
	case GUARD_LAYERS:
		*value = measure->layers;
		return true;
	case GUARD_WHEEL:
		wheel = guard_wheel(measure, budget->name);
		*value = wheel ? wheel->bytes : 0;
		return wheel;
	case GUARD_PATHS:
		return matching_bytes(judging, budget->name, value);
	}
	return false;
}

/* part per 10,000 of whole, without overflow for any layer that fits a disk. */
static uint64_t share(uint64_t whole, uint64_t part)
{
	return whole / 10000 * part + whole % 10000 * part / 10000;
}

static enum guard_state compare(const struct judging *judging, const struct guard_verdict *verdict)
{
	const struct guard_budget *budget = verdict->budget;

	if (verdict->used > verdict->limit)
		return GUARD_OVER;
	/* Close to a number of layers, or to no growth at all, is where one is. */
	if (budget->is_growth || budget->what == GUARD_LAYERS)
		return GUARD_KEPT;
	return verdict->used > share(verdict->limit, judging->warn_at * 100ull) ? GUARD_NEAR : GUARD_KEPT;
}

static struct guard_verdict judge(const struct judging *judging, const struct guard_budget *budget)
{
	struct guard_verdict verdict = {.budget = budget, .limit = budget->limit, .state = GUARD_UNKNOWN};

	bool known = amount(judging, judging->now, budget, &verdict.used);

	if (budget->is_growth) {
		bool was_known = judging->baseline &&
				 amount(judging, judging->baseline, budget, &verdict.before);

		/* A wheel that has come or gone has grown from nothing, or to it. */
		if (budget->what == GUARD_WHEEL && judging->baseline)
			known = was_known = known || was_known;
		if (!known || !was_known)
			return verdict;
		verdict.limit = verdict.before +
				(budget->is_percent ? share(verdict.before, budget->limit) : budget->limit);
	}
	if (!known)
		return verdict;
	verdict.state = compare(judging, &verdict);
	return verdict;
}

struct guard_verdicts guard_judge(struct arena *arena, const struct guard_measure *now,
				  const struct guard_measure *baseline, const struct guard_budgets *budgets,
				  const struct guard_input *inputs, size_t nr_inputs, unsigned warn_at)
{
	struct judging judging = {now, baseline, inputs, nr_inputs, warn_at};
	struct guard_verdicts verdicts = {0};
	size_t i;

	for (i = 0; i < budgets->nr_items; i++) {
		struct guard_verdict verdict = judge(&judging, &budgets->items[i]);
		bool over = verdict.state == GUARD_OVER, warns = budgets->items[i].only_warns;

		verdicts.nr_over += over && !warns;
		verdicts.nr_warned += verdict.state == GUARD_NEAR || (over && warns);
		*VEC_PUSH(arena, &verdicts, items) = verdict;
	}
	return verdicts;
}
