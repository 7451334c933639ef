/*
 * What would bring it under: runs of shrink, from the most careful on, by what
 * prune and their plans free of what each exceeded budget counts. The compressed
 * size of something that is not compressed yet is not guessed.
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
	{"--level max", "--level max", PASS_ALL, LEVEL_MAX, false},
	{"--merge all", "--level default --merge all", PASS_ALL, LEVEL_DEFAULT, true},
	{"--level max --merge all", "--level max --merge all", PASS_ALL, LEVEL_MAX, true},
};

/* One candidate's run over one input. */
struct trial {
	const struct layer *layer; /* without what prune takes out */
	const struct plan *plan;
	bool strips;
};

/* What shrink would plan on. */
static struct guard_ground ground_of(const struct guard_input *input, unsigned passes, enum level level)
{
	if ((passes & PASS_PRUNE) && input->pruned[level].layer)
		return input->pruned[level];
	return (struct guard_ground){input->layer, input->options->offers, input->options->nr_offers};
}

static struct trial run(const struct guard_input *input, const struct candidate *candidate)
{
	static const char *all[] = {"all"};
	struct plan_options options = *input->options;
	struct guard_ground ground;

	options.passes &= candidate->passes;
	options.level = candidate->level;
	ground = ground_of(input, options.passes, options.level);
	options.offers = ground.offers;
	options.nr_offers = ground.nr_offers;
	if (candidate->merges_all) {
		options.merge = all;
		options.nr_merge = 1;
	}
	return (struct trial){ground.layer, plan_layer(ground.layer, &options), options.passes & PASS_STRIP};
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
		return f->owner != NO_ID &&
		       same_wheel_name(budget->name, strlen(budget->name), layer->owners[f->owner].name);
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

static uint64_t stripped_bytes(const struct guard_input *input, const struct layer *layer,
			       const struct object *object)
{
	file_id file = input->stripped ? layer_find_file(input->layer, object_path(layer, object)) : NO_ID;

	if (file != NO_ID && input->layer->files[file].object != NO_ID)
		return input->stripped[input->layer->files[file].object];
	return object->untouchable ? 0 : object->symtab_bytes + object->debug_bytes;
}

/* By the plan, of what prune has left. */
static uint64_t planned_bytes(const struct guard_budget *budget, const struct guard_input *input,
			      const struct trial *trial)
{
	const struct layer *layer = trial->layer;
	uint64_t bytes = 0, cost = placed(budget, layer, trial->plan);
	size_t i;

	for (i = 0; i < layer_count_objects(layer); i++) {
		const struct object *object = &layer->objects[i];
		uint64_t nr = links_counted(budget, layer, object);

		if (trial->plan->deleted[i])
			bytes += nr * object->size;
		else if (trial->strips)
			bytes += nr * stripped_bytes(input, layer, object);
	}
	return bytes > cost ? bytes - cost : 0;
}

/* Of a file that prune takes out, the whole layer knows whether it is native,
 * and whether a plan would merge it away. */
static bool counts_pruned(const struct guard_budget *budget, const struct guard_input *input,
			  const struct layer *rest, file_id file)
{
	file_id whole = layer_find_file(input->layer, rest->files[file].path);
	object_id object = whole == NO_ID ? NO_ID : input->layer->files[whole].object;

	if (budget && budget->what == GUARD_NATIVE)
		return object != NO_ID;
	if (budget && budget->what == GUARD_DUPLICATES)
		return object != NO_ID && input->plan->deleted[object];
	return counts(budget, rest, file);
}

/* "numpy/a.py,sha256=…,1234\n": a row that goes with its file. */
static uint64_t row_bytes(const struct guard_budget *budget, const struct layer *layer,
			  const struct file *file)
{
	enum { HASH_TEXT = 43 }; /* SHA-256 in base64 */
	const struct owner *owner = file->owner == NO_ID ? NULL : &layer->owners[file->owner];
	uint64_t size, bytes;

	if (!owner || owner->record == NO_ID || layer->files[owner->record].pruned ||
	    (budget && budget->what == GUARD_NATIVE) || !counts(budget, layer, owner->record))
		return 0;
	bytes = strlen(file->path) - (*owner->base ? strlen(owner->base) + 1 : 0);
	bytes += strlen(",sha256=,\n") + HASH_TEXT + 1;
	for (size = file->size; size > 9; size /= 10)
		bytes++;
	return bytes;
}

static uint64_t pruned_bytes(const struct guard_budget *budget, const struct guard_input *input,
			     const struct layer *rest)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < rest->nr_files; i++) {
		const struct file *file = &rest->files[i];

		if (!file->pruned)
			continue;
		bytes += row_bytes(budget, rest, file);
		if (!file->link_target && counts_pruned(budget, input, rest, (file_id)i))
			bytes += file->size;
	}
	return bytes;
}

static uint64_t frees(const struct guard_budget *budget, const struct guard_input *input,
		      const struct trial *trial)
{
	uint64_t bytes = pruned_bytes(budget, input, trial->layer), most = input->plan->reclaimable;

	if (!budget || budget->what != GUARD_DUPLICATES)
		return bytes + planned_bytes(budget, input, trial);
	bytes += trial->plan->reclaimable;
	return bytes < most ? bytes : most;
}

/* --------- remedies ------------------ */

struct advising {
	const struct guard_input *inputs;
	size_t nr_inputs;
	struct trial *trials; /* of one candidate, for each input */
};

static uint64_t frees_all(const struct advising *advising, const struct guard_budget *budget)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < advising->nr_inputs; i++)
		bytes += frees(budget, &advising->inputs[i], &advising->trials[i]);
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
		advising->trials[i] = run(&advising->inputs[i], candidate);
	remedy.frees = frees_all(advising, NULL);
	for (i = 0; i < verdicts->nr_items; i++)
		if (is_exceeded(&verdicts->items[i]))
			hold_against(advising, &verdicts->items[i], &remedy);
	return remedy;
}

/* Careful ones stand first, so among equals the first wins. One that is not
 * enough must be worth its risk. */
static bool is_better(const struct guard_remedy *remedy, const struct guard_remedy *best)
{
	return remedy->frees && (remedy->enough || !best || remedy->frees > best->frees + best->frees / 100);
}

static void choose(struct guard_advice *advice)
{
	size_t i;

	for (i = 0; i < advice->nr; i++) {
		const struct guard_remedy *remedy = &advice->remedies[i];

		if (advice->best && advice->best->enough)
			return;
		if (is_better(remedy, advice->best))
			advice->best = remedy;
	}
}

/* --------- what else ------------------ */

static bool is_service(const char *path)
{
	return strstr(path, "botocore/data/") || strstr(path, "boto3/data/");
}

/* Of one wheel that many have and few need whole: shrink cannot know which
 * services are called. 0 below a tenth of all. */
static uint64_t services_bytes(const struct guard_input *inputs, size_t nr_inputs)
{
	uint64_t bytes = 0, all = 0;
	size_t i, k;

	for (i = 0; i < nr_inputs; i++) {
		unsigned passes = inputs[i].options->passes;
		const struct layer *layer = ground_of(&inputs[i], passes, LEVEL_DEFAULT).layer;

		for (k = 0; k < layer->nr_files; k++) {
			const struct file *file = &layer->files[k];

			if (file->kind != FILE_REGULAR)
				continue;
			all += file->size;
			if ((passes & PASS_PRUNE) && is_service(file->path))
				bytes += file->size;
		}
	}
	return bytes > all / 10 ? bytes : 0;
}

bool guard_is_exceeded(const struct guard_verdicts *verdicts)
{
	size_t i;

	for (i = 0; i < verdicts->nr_items; i++)
		if (is_exceeded(&verdicts->items[i]))
			return true;
	return false;
}

void guard_advise(struct guard_advice *advice, const struct guard_input *inputs, size_t nr_inputs,
		  const struct guard_verdicts *verdicts)
{
	struct advising advising = {inputs, nr_inputs, NULL};

	*advice = (struct guard_advice){0};
	if (!guard_is_exceeded(verdicts) || !nr_inputs)
		return;
	advising.trials = arena_array(inputs[0].layer->arena, nr_inputs, sizeof *advising.trials);
	for (; advice->nr < GUARD_REMEDIES; advice->nr++)
		advice->remedies[advice->nr] = try(&advising, &candidates[advice->nr], verdicts);
	choose(advice);
	advice->services_bytes = services_bytes(inputs, nr_inputs);
}
