/* What decides about one path: the rules that have the files at it or below. */
#include <stdlib.h>
#include <string.h>

#include "prune/prune.h"
#include "sofold/vec.h"

static const char *level_name(const struct prune *prune, const struct rule *rule)
{
	static const char *const names[] = {"safe", "default", "max"};

	return (size_t)(rule - prune->rules) < prune->nr_named ? NULL : names[rule->level];
}

static struct prune_answer answer_of(const struct prune *prune, const struct fate *fate)
{
	if (!fate->rule)
		return (struct prune_answer){
			.why = "no rule of prune has it; what other passes do, shrink -n -v says"};
	return (struct prune_answer){
		.rule = fate->rule->name,
		.level = level_name(prune, fate->rule),
		.why = fate->stays ? fate->stays : fate->rule->why,
		.breaks = fate->rule->breaks,
		.removed = fate->removed,
	};
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static struct prune_answer *find_answer(const struct prune *prune, struct prune_answers *answers,
					const struct prune_answer *wanted)
{
	struct prune_answer *added;

	for (size_t i = 0; i < answers->nr_items; i++)
		if (same_text(answers->items[i].rule, wanted->rule) &&
		    same_text(answers->items[i].why, wanted->why))
			return &answers->items[i];
	added = VEC_PUSH(prune->arena, answers, items);
	*added = *wanted;
	return added;
}

static int by_bytes(const void *a, const void *b)
{
	const struct prune_answer *x = a, *y = b;

	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

struct prune_answers prune_explain(const struct prune *prune, const char *path)
{
	const struct layer *layer = prune->layer;
	struct prune_answers answers = {0};
	const char *clean = path_join(prune->arena, "", path);
	size_t n = clean ? strlen(clean) : 0;

	for (size_t i = 0; clean && i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];
		struct prune_answer answer, *sum;

		if (n && (strncmp(file->path, clean, n) || (file->path[n] && file->path[n] != '/')))
			continue;
		answer = answer_of(prune, &prune->fates[i]);
		sum = find_answer(prune, &answers, &answer);
		sum->nr_files++;
		sum->bytes += file->size;
	}
	if (answers.nr_items)
		qsort(answers.items, answers.nr_items, sizeof *answers.items, by_bytes);
	return answers;
}
