/*
 * Guard for people and for GitHub: each budget with what is used of it, what
 * grew since the baseline, what shrink could do about it, one line of verdict.
 */
#include "report/guard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/style.h"

enum { GROWERS = 10 };

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

/* "wheel numpy", "native, growth". */
static void print_name(FILE *to, const struct guard_budget *budget)
{
	char name[64];

	snprintf(name, sizeof name, "%s%s%s", budget->what == GUARD_WHEEL ? "wheel " : "",
		 report_shown(budget->name), budget->is_growth ? ", growth" : "");
	fprintf(to, "  %-24s", name);
}

static bool is_archive_budget(const struct guard_verdict *verdict)
{
	return verdict->budget->what == GUARD_ZIPPED;
}

static void print_verdict(FILE *to, const struct guard_verdict *verdict)
{
	char used[SIZE_TEXT], limit[SIZE_TEXT];

	print_name(to, verdict->budget);
	if (verdict->state == GUARD_UNKNOWN) {
		fprintf(to, "  %s\n",
			is_archive_budget(verdict) ? "unknown: not every input is an archive"
						   : "unknown: no baseline for it");
		return;
	}
	fprintf(to, " %11s of %11s", amount_text(used, verdict->budget, verdict->used),
		amount_text(limit, verdict->budget, verdict->limit));
	if (verdict->limit && verdict->budget->what != GUARD_LAYERS)
		fprintf(to, "  %6.1f %%", 100.0 * (double)verdict->used / (double)verdict->limit);
	else
		fprintf(to, "  %8s", "");
	fprintf(to, "  %s\n",
		verdict->state == GUARD_OVER && verdict->budget->only_warns
			? "over (warning)"
			: guard_state_name(verdict->state));
}

/* --------- since the baseline ------------------ */

struct growth {
	const struct guard_wheel *wheel; /* now, or before when it is gone */
	int64_t change;
};

static int by_change(const void *a, const void *b)
{
	int64_t x = ((const struct growth *)a)->change, y = ((const struct growth *)b)->change;

	return x > y ? -1 : x < y;
}

/* Every wheel whose size changed, those that grew most first. */
static struct growth *growths(struct arena *arena, const struct guarded *guarded, size_t *nr)
{
	const struct guard_measure *now = guarded->now, *old = guarded->baseline;
	struct growth *list = arena_array(arena, now->nr_wheels + old->nr_wheels, sizeof *list);
	size_t i;

	*nr = 0;
	for (i = 0; i < now->nr_wheels; i++) {
		const struct guard_wheel *before = guard_wheel(old, now->wheels[i].name);
		int64_t change = (int64_t)(now->wheels[i].bytes - (before ? before->bytes : 0));

		if (change)
			list[(*nr)++] = (struct growth){&now->wheels[i], change};
	}
	for (i = 0; i < old->nr_wheels; i++)
		if (!guard_wheel(now, old->wheels[i].name))
			list[(*nr)++] = (struct growth){&old->wheels[i], -(int64_t)old->wheels[i].bytes};
	if (*nr)
		qsort(list, *nr, sizeof *list, by_change);
	return list;
}

static void print_change(FILE *to, const char *label, int64_t change)
{
	char size[SIZE_TEXT], text[SIZE_TEXT + 1];

	snprintf(text, sizeof text, "%c%s", change < 0 ? '-' : '+',
		 size_text(size, (uint64_t)(change < 0 ? -change : change)));
	fprintf(to, "  %-40s %12s\n", report_shown(label), text);
}

static const char *grown_label(struct arena *arena, const struct guarded *guarded,
			       const struct growth *growth)
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

static void print_growth(FILE *to, const struct guarded *guarded, const struct report_style *style)
{
	struct arena *arena = arena_new();
	size_t i, nr;
	struct growth *list = growths(arena, guarded, &nr);

	print_heading(to, style, "Since the baseline");
	print_change(to, "unzipped", (int64_t)(guarded->now->unzipped - guarded->baseline->unzipped));
	print_change(to, "native", (int64_t)(guarded->now->native - guarded->baseline->native));
	print_change(to, "duplicate libraries",
		     (int64_t)(guarded->now->duplicates - guarded->baseline->duplicates));
	for (i = 0; i < nr && (i < GROWERS || style->verbose); i++)
		print_change(to, grown_label(arena, guarded, &list[i]), list[i].change);
	if (i < nr)
		fprintf(to, "  and %zu more (-v)\n", nr - i);
	arena_free(arena);
}

/* --------- what to do ------------------ */

static uint64_t strippable(const struct layer *layer)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < layer_count_objects(layer); i++)
		if (!layer->objects[i].untouchable)
			bytes += layer->objects[i].symtab_bytes + layer->objects[i].debug_bytes;
	return bytes;
}

static void print_advice(FILE *to, const struct guarded *guarded)
{
	char free_bytes[SIZE_TEXT];
	size_t i;

	for (i = 0; i < guarded->nr_inputs; i++) {
		const struct guard_input *input = &guarded->inputs[i];
		uint64_t bytes = input->plan->reclaimable + strippable(input->layer);

		if (bytes)
			fprintf(to, "  sofold shrink %s%s\n      would free at least %s\n",
				report_shown(input->name), input->zipped ? "  (unpacked)" : "",
				size_text(free_bytes, bytes));
	}
}

static void print_conclusion(FILE *to, const struct guarded *guarded, const struct report_style *style)
{
	const struct guard_verdicts *verdicts = guarded->verdicts;
	char line[128];

	fputc('\n', to);
	if (!verdicts->nr_items)
		snprintf(line, sizeof line, "no budget: name one with --budget or --platform");
	else if (verdicts->nr_over)
		snprintf(line, sizeof line, "FAILED: %zu of %zu budgets exceeded", verdicts->nr_over,
			 verdicts->nr_items);
	else
		snprintf(line, sizeof line, "ok: %zu budget%s, %zu warning%s", verdicts->nr_items,
			 verdicts->nr_items == 1 ? "" : "s", verdicts->nr_warned,
			 verdicts->nr_warned == 1 ? "" : "s");
	print_bold(to, style, line);
	fputc('\n', to);
	if (verdicts->nr_over || verdicts->nr_warned)
		print_advice(to, guarded);
}

static void print_total(FILE *to, const char *label, uint64_t bytes)
{
	char size[SIZE_TEXT];

	fprintf(to, "  %-24s %11s  %13" PRIu64 " bytes\n", label, size_text(size, bytes), bytes);
}

void report_guard_text(FILE *to, const struct guarded *guarded, const struct report_style *style)
{
	size_t i;

	for (i = 0; i < guarded->nr_inputs; i++)
		fprintf(to, "%s%s", i ? ", " : "", report_shown(guarded->inputs[i].name));
	if (guarded->platform)
		fprintf(to, "  (platform %s)", guarded->platform->name);
	fputs("\n\n", to);
	print_total(to, "unzipped", guarded->now->unzipped);
	if (guarded->now->has_zipped)
		print_total(to, "zipped", guarded->now->zipped);
	print_total(to, "native", guarded->now->native);
	print_total(to, "duplicate libraries", guarded->now->duplicates);
	if (guarded->verdicts->nr_items)
		print_heading(to, style, "Budgets");
	for (i = 0; i < guarded->verdicts->nr_items; i++)
		print_verdict(to, &guarded->verdicts->items[i]);
	if (guarded->baseline)
		print_growth(to, guarded, style);
	print_conclusion(to, guarded, style);
}
