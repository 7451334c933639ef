/* Guard as Markdown: for a job's summary, or a comment on a pull request. */
#include <inttypes.h>

#include "report/guard.h"

/* Text in a cell must neither end it nor be markup. */
static void print_cell(FILE *to, const char *text)
{
	fputs("| ", to);
	for (text = report_shown(text); *text; text++) {
		if (*text == '<') {
			fputs("&lt;", to);
			continue;
		}
		if (*text == '|' || *text == '`' || *text == '[' || *text == '\\')
			fputc('\\', to);
		fputc(*text, to);
	}
	fputc(' ', to);
}

static void print_verdict(FILE *to, struct arena *arena, const struct guard_verdict *verdict)
{
	char used[SIZE_TEXT], limit[SIZE_TEXT];
	bool known = verdict->state != GUARD_UNKNOWN;

	print_cell(to, guard_budget_name(arena, verdict->budget));
	fprintf(to, "| %s | %s | %s |\n", known ? amount_text(used, verdict->budget, verdict->used) : "",
		known ? amount_text(limit, verdict->budget, verdict->limit) : "",
		guard_state_name(verdict->state));
}

static void print_change(FILE *to, const char *label, uint64_t before, uint64_t now)
{
	char old[SIZE_TEXT], new[SIZE_TEXT], change[CHANGE_TEXT];

	print_cell(to, label);
	fprintf(to, "| %s | %s | %s |\n", size_text(old, before), size_text(new, now),
		guard_change_text(change, before, now));
}

static void print_growth(FILE *to, struct arena *arena, const struct guarded *guarded)
{
	enum { GROWERS = 10 };
	const struct guard_measure *now = guarded->now, *old = guarded->baseline;
	size_t i, nr;
	struct guard_growth *list = guard_growths(arena, guarded, &nr);

	fputs("\n| | old | new | difference |\n|---|---:|---:|---:|\n", to);
	print_change(to, "unzipped", old->unzipped, now->unzipped);
	if (now->has_zipped && old->has_zipped)
		print_change(to, "zipped", old->zipped, now->zipped);
	print_change(to, "native", old->native, now->native);
	print_change(to, "duplicate libraries", old->duplicates, now->duplicates);
	for (i = 0; i < nr && i < GROWERS; i++)
		print_change(to, guard_growth_label(arena, guarded, &list[i]), list[i].before, list[i].now);
}

static void print_new_duplicates(FILE *to, const struct guarded *guarded)
{
	bool any = false;
	size_t i;

	for (i = 0; i < guarded->now->nr_families; i++) {
		const struct guard_duplicate *family = &guarded->now->families[i];
		uint64_t copies = guard_new_copies(guarded->baseline, family);
		char size[SIZE_TEXT];

		if (copies && !any)
			fputs("\n| duplicate that appeared | copies | more | beyond one |\n"
			      "|---|---:|---:|---:|\n",
			      to);
		any |= copies != 0;
		if (!copies)
			continue;
		print_cell(to, family->name);
		fprintf(to, "| %" PRIu64 " | %" PRIu64 " | %s |\n", family->copies, copies,
			size_text(size, family->bytes));
	}
}

/* Indented lines are shown as they are, whatever a path holds. */
static void print_advice(FILE *to, struct arena *arena, const struct guarded *guarded)
{
	const struct guard_remedy *best = guarded->advice->best;
	size_t i;

	if (!best)
		return;
	fprintf(to,
		best->enough
			? "\nIt fits after this, which frees about %s:\n\n"
			: "\nBy this estimate, which leaves out what trim cuts out, nothing is enough; this frees about %s:\n\n",
		guard_remedy_text(arena, best));
	for (i = 0; i < guarded->nr_inputs; i++)
		fprintf(to, "    %s\n", guard_command(arena, &guarded->inputs[i], best));
}

void report_guard_markdown(FILE *to, const struct guarded *guarded)
{
	struct arena *arena = arena_new();
	size_t i;

	fprintf(to, "### sofold guard\n\n%s\n", guard_conclusion(arena, guarded->verdicts));
	if (guarded->verdicts->nr_items)
		fputs("\n| budget | used | limit | |\n|---|---:|---:|---|\n", to);
	for (i = 0; i < guarded->verdicts->nr_items; i++)
		print_verdict(to, arena, &guarded->verdicts->items[i]);
	if (guarded->baseline)
		print_growth(to, arena, guarded);
	print_new_duplicates(to, guarded);
	print_advice(to, arena, guarded);
	arena_free(arena);
}
