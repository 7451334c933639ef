/* What shrink left out, summed up by rule, and what stays and why. */
#include "report/prune.h"

#include <stdlib.h>
#include <string.h>

#include "report/json.h"
#include "report/style.h"

struct sum {
	const char *rule, *why;
	size_t nr_files;
	uint64_t bytes;
};

/* More rules there are not. */
enum { MAX_SUMS = 64 };

struct summary {
	struct sum sums[MAX_SUMS];
	size_t nr_sums;
};

static struct sum *find_sum(struct summary *summary, const struct action *action)
{
	for (size_t i = 0; i < summary->nr_sums; i++)
		if (!strcmp(summary->sums[i].rule, action->rule) &&
		    !strcmp(summary->sums[i].why, action->because))
			return &summary->sums[i];
	if (summary->nr_sums == MAX_SUMS)
		return &summary->sums[MAX_SUMS - 1];
	summary->sums[summary->nr_sums] = (struct sum){.rule = action->rule, .why = action->because};
	return &summary->sums[summary->nr_sums++];
}

static int by_bytes(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return strcmp(x->rule, y->rule);
}

/* For people: a line for each rule, with the reason of its largest part. */
static struct summary merge_rules(const struct summary *parts)
{
	struct summary summary = {.nr_sums = 0};

	for (size_t i = 0; i < parts->nr_sums; i++) {
		const struct sum *part = &parts->sums[i];
		size_t k = 0;

		while (k < summary.nr_sums && strcmp(summary.sums[k].rule, part->rule))
			k++;
		if (k == summary.nr_sums) {
			summary.sums[summary.nr_sums++] = *part;
			continue;
		}
		summary.sums[k].nr_files += part->nr_files;
		summary.sums[k].bytes += part->bytes;
	}
	qsort(summary.sums, summary.nr_sums, sizeof *summary.sums, by_bytes);
	return summary;
}

static struct summary summarize(const struct shrunk *shrunk)
{
	struct summary summary = {.nr_sums = 0};

	for (size_t i = 0; i < shrunk->nr_changes; i++) {
		const struct change *change = &shrunk->changes[i];
		struct sum *sum;

		if (change->action->kind != ACTION_PRUNE)
			continue;
		sum = find_sum(&summary, change->action);
		sum->nr_files++;
		sum->bytes += change->before;
	}
	qsort(summary.sums, summary.nr_sums, sizeof *summary.sums, by_bytes);
	return summary;
}

static void print_notes(FILE *to, const struct shrunk *shrunk)
{
	size_t nr, i;
	const struct prune_note *notes = prune_notes(shrunk->prune, &nr);

	for (i = 0; i < nr; i++) {
		fprintf(to, "  %-7s %s  (%s)\n", notes[i].removed ? "warning" : "stays",
			report_shown(notes[i].path), notes[i].rule);
		print_wrapped(to, 10, notes[i].why);
	}
}

void print_pruned(FILE *to, const struct shrunk *shrunk, const struct report_style *style)
{
	struct summary parts = summarize(shrunk), summary = style->verbose ? parts : merge_rules(&parts);
	char size[SIZE_TEXT];
	size_t nr_notes = 0, i;

	if (shrunk->prune)
		prune_notes(shrunk->prune, &nr_notes);
	if (!summary.nr_sums && !nr_notes)
		return;
	print_heading(to, style, shrunk->dry_run ? "Would leave out" : "Left out");
	for (i = 0; i < summary.nr_sums; i++) {
		const struct sum *sum = &summary.sums[i];

		fprintf(to, "  %-20s %5zu file%s %12s\n", sum->rule, sum->nr_files,
			sum->nr_files == 1 ? " " : "s", size_text(size, sum->bytes));
		print_wrapped(to, 10, sum->why);
	}
	if (nr_notes)
		print_notes(to, shrunk);
}

json_t *pruned_json(const struct shrunk *shrunk)
{
	struct summary summary = summarize(shrunk);
	json_t *array = json_array();

	for (size_t i = 0; i < summary.nr_sums; i++) {
		json_t *json = json_object();

		json_object_set_new(json, "rule", json_text(summary.sums[i].rule));
		json_object_set_new(json, "why", json_text(summary.sums[i].why));
		json_object_set_new(json, "files", json_bytes(summary.sums[i].nr_files));
		json_object_set_new(json, "bytes", json_bytes(summary.sums[i].bytes));
		json_array_append_new(array, json);
	}
	return array;
}

json_t *not_pruned_json(const struct shrunk *shrunk)
{
	json_t *array = json_array();
	size_t nr = 0, i;
	const struct prune_note *notes = shrunk->prune ? prune_notes(shrunk->prune, &nr) : NULL;

	for (i = 0; i < nr; i++) {
		json_t *json = json_object();

		json_object_set_new(json, "path", json_text(notes[i].path));
		json_object_set_new(json, "rule", json_text(notes[i].rule));
		json_object_set_new(json, "why", json_text(notes[i].why));
		json_object_set_new(json, "removed", json_boolean(notes[i].removed));
		json_array_append_new(array, json);
	}
	return array;
}

void report_prune_answers(FILE *to, const char *path, const struct prune_answers *answers,
			  const struct report_style *style)
{
	char size[SIZE_TEXT], lost[256];

	print_bold(to, style, path);
	fputc('\n', to);
	for (size_t i = 0; i < answers->nr_items; i++) {
		const struct prune_answer *answer = &answers->items[i];

		fprintf(to, "  %-6s %5zu file%s %12s", answer->removed ? "goes" : "stays", answer->nr_files,
			answer->nr_files == 1 ? " " : "s", size_text(size, answer->bytes));
		if (answer->rule)
			fprintf(to, "  rule %s%s%s%s", answer->rule, answer->level ? " (" : "",
				answer->level ? answer->level : "", answer->level ? ")" : "");
		fputc('\n', to);
		print_wrapped(to, 10, answer->why);
		if (answer->breaks && answer->removed) {
			snprintf(lost, sizeof lost, "lost: %s", answer->breaks);
			print_wrapped(to, 10, lost);
		}
	}
}
