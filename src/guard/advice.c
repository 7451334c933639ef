/*
 * What would bring it under: runs of shrink, from the most careful on, by what
 * their plans free of what each exceeded budget counts. The compressed size of
 * something that is not compressed yet is not guessed.
 */
#include <fnmatch.h>

#include "guard/guard.h"

static const struct candidate {
	const char *options;
	const char *named; /* the same where the configuration has another level */
	unsigned passes;
	enum level level;
	bool merges_all;
} candidates[GUARD_REMEDIES] = {
	{"--only strip", "--only strip", PASS_STRIP, LEVEL_SAFE, false},
	{"--level safe", "--level safe", PASS_ALL, LEVEL_SAFE, false},
	{"", "--level default", PASS_ALL, LEVEL_DEFAULT, false},
	{"--merge all", "--level default --merge all", PASS_ALL, LEVEL_DEFAULT, true},
};

static const struct plan *plan_anew(const struct guard_input *input, const struct candidate *candidate)
{
	static const char *all[] = {"all"};
	struct plan_options options = *input->options;

	options.passes &= candidate->passes;
	options.level = candidate->level;
	if (candidate->merges_all) {
		options.merge = all;
		options.nr_merge = 1;
	}
	return plan_layer(input->layer, &options);
}

/* --------- what a budget counts ------------------ */

/* Does it count this file? NULL: everything. */
static bool counts(const struct guard_budget *budget, const struct layer *layer, file_id file)
{
	const struct file *f = &layer->files[file];

	if (!budget)
		return true;
	switch (budget->what) {
	case GUARD_UNZIPPED:
	case GUARD_NATIVE:
		return true;
	case GUARD_WHEEL:
		return f->owner != NO_ID && !strcmp(layer->owners[f->owner].name, budget->name);
	case GUARD_PATHS:
		return !fnmatch(budget->name, f->path, 0);
	case GUARD_ZIPPED:
	case GUARD_DUPLICATES:
	case GUARD_LAYERS:
		return false;
	}
	return false;
}

static uint64_t links_counted(const struct guard_budget *budget, const struct layer *layer,
			      const struct object *object)
{
	uint64_t nr = 0;
	size_t i;

	for (i = 0; i < object->nr_links; i++)
		nr += counts(budget, layer, object->links[i]);
	return nr;
}

static uint64_t placed(const struct guard_budget *budget, const struct layer *layer, const struct plan *plan)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < plan->nr_actions; i++)
		if (plan->actions[i].kind == ACTION_PLACE && counts(budget, layer, plan->actions[i].like))
			bytes += layer->objects[plan->actions[i].object].size;
	return bytes;
}

static uint64_t frees(const struct guard_budget *budget, const struct guard_input *input,
		      const struct plan *plan)
{
	const struct layer *layer = input->layer;
	bool strips = input->options->passes & PASS_STRIP;
	uint64_t bytes = 0, cost = placed(budget, layer, plan);
	size_t i;

	if (budget && budget->what == GUARD_DUPLICATES)
		return plan->reclaimable < input->plan->reclaimable ? plan->reclaimable
								    : input->plan->reclaimable;
	for (i = 0; i < layer_count_objects(layer); i++) {
		const struct object *object = &layer->objects[i];
		uint64_t nr = links_counted(budget, layer, object);

		if (plan->deleted[i])
			bytes += nr * object->size;
		else if (strips && !object->untouchable)
			bytes += nr * (object->symtab_bytes + object->debug_bytes);
	}
	return bytes > cost ? bytes - cost : 0;
}

/* --------- remedies ------------------ */

struct advising {
	const struct guard_input *inputs;
	size_t nr_inputs;
	const struct plan **plans; /* of one candidate, for each input */
};

static uint64_t frees_all(const struct advising *advising, const struct guard_budget *budget)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < advising->nr_inputs; i++)
		bytes += frees(budget, &advising->inputs[i], advising->plans[i]);
	return bytes;
}

static bool is_exceeded(const struct guard_verdict *verdict)
{
	return verdict->state == GUARD_OVER;
}

static void hold_against(const struct advising *advising, const struct guard_verdict *verdict,
			 struct guard_remedy *remedy)
{
	uint64_t excess = verdict->used - verdict->limit, freed = frees_all(advising, verdict->budget);
	bool knows = verdict->budget->what != GUARD_ZIPPED && verdict->budget->what != GUARD_LAYERS;

	if (knows && freed >= excess)
		return;
	remedy->enough = false;
	if (remedy->lacking && (!knows || excess - freed <= remedy->missing))
		return;
	remedy->lacking = verdict;
	remedy->missing = knows ? excess - freed : 0;
}

static struct guard_remedy try(struct advising *advising, const struct candidate *candidate,
			       const struct guard_verdicts *verdicts)
{
	bool named = advising->inputs[0].options->level != LEVEL_DEFAULT;
	struct guard_remedy remedy = {.options = named ? candidate->named : candidate->options,
				      .enough = true};
	size_t i;

	for (i = 0; i < advising->nr_inputs; i++)
		advising->plans[i] = plan_anew(&advising->inputs[i], candidate);
	remedy.frees = frees_all(advising, NULL);
	for (i = 0; i < verdicts->nr_items; i++)
		if (is_exceeded(&verdicts->items[i]))
			hold_against(advising, &verdicts->items[i], &remedy);
	return remedy;
}

/* Careful ones stand first, so among equals the first wins. */
static void choose(struct guard_advice *advice)
{
	size_t i;

	for (i = 0; i < advice->nr; i++) {
		const struct guard_remedy *remedy = &advice->remedies[i];

		if (advice->best && advice->best->enough)
			return;
		if (remedy->frees && (remedy->enough || !advice->best || remedy->frees > advice->best->frees))
			advice->best = remedy;
	}
}

void guard_advise(struct guard_advice *advice, const struct guard_input *inputs, size_t nr_inputs,
		  const struct guard_verdicts *verdicts)
{
	struct advising advising = {inputs, nr_inputs, NULL};
	bool exceeded = false;
	size_t i;

	*advice = (struct guard_advice){0};
	for (i = 0; i < verdicts->nr_items; i++)
		exceeded |= is_exceeded(&verdicts->items[i]);
	if (!exceeded || !nr_inputs)
		return;
	advising.plans = arena_array(inputs[0].layer->arena, nr_inputs, sizeof(struct plan *));
	for (; advice->nr < GUARD_REMEDIES; advice->nr++)
		advice->remedies[advice->nr] = try(&advising, &candidates[advice->nr], verdicts);
	choose(advice);
}
