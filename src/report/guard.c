/*
 * Guard for people: what is there beside what was, each budget with what is used
 * of it, what grew, what shrink could do about it, one line of verdict.
 */
#include <inttypes.h>
#include <string.h>

#include "report/guard.h"
#include "report/style.h"

enum { GROWERS = 10 };

/* --------- sums and growth ------------------ */

static void print_columns(FILE *to, const char *label, const char *before, const char *now,
			  const char *change)
{
	fprintf(to, "  %-36s %11s  %11s", label, before, now);
	fprintf(to, *change ? "  %12s\n" : "%s\n", change);
}

static void print_bytes(FILE *to, const char *label, bool has_before, uint64_t before, uint64_t now)
{
	char old[SIZE_TEXT], new[SIZE_TEXT], change[CHANGE_TEXT];

	print_columns(to, label, has_before ? size_text(old, before) : "", size_text(new, now),
		      has_before ? guard_change_text(change, before, now) : "");
}

/* What a directory is compressed is not known. */
static void print_zipped(FILE *to, const struct guarded *guarded)
{
	const struct guard_measure *now = guarded->now, *old = guarded->baseline;
	char size[SIZE_TEXT];

	if (now->has_zipped && (!old || old->has_zipped))
		print_bytes(to, "zipped", old, old ? old->zipped : 0, now->zipped);
	else
		print_columns(to, "zipped", old && old->has_zipped ? size_text(size, old->zipped) : "",
			      now->has_zipped ? size_text(size, now->zipped) : "unknown", "");
}

static void print_totals(FILE *to, const struct guarded *guarded)
{
	const struct guard_measure *now = guarded->now, *old = guarded->baseline;

	print_columns(to, "", old ? "old" : "", "new", old ? "difference" : "");
	print_bytes(to, "unzipped", old, old ? old->unzipped : 0, now->unzipped);
	print_zipped(to, guarded);
	print_bytes(to, "native", old, old ? old->native : 0, now->native);
	print_bytes(to, "duplicate libraries", old, old ? old->duplicates : 0, now->duplicates);
}

static void print_growth(FILE *to, struct arena *arena, const struct guarded *guarded,
			 const struct report_style *style)
{
	size_t i, nr;
	struct guard_growth *list = guard_growths(arena, guarded, &nr);

	if (nr)
		print_heading(to, style, "Wheels that changed");
	for (i = 0; i < nr && (i < GROWERS || style->verbose); i++)
		print_bytes(to, report_shown(guard_growth_label(arena, guarded, &list[i])), true,
			    list[i].before, list[i].now);
	if (i < nr)
		fprintf(to, "  and %zu more (-v)\n", nr - i);
}

static void print_new_duplicates(FILE *to, const struct guarded *guarded, const struct report_style *style)
{
	bool any = false;
	size_t i;

	for (i = 0; i < guarded->now->nr_families; i++) {
		const struct guard_duplicate *family = &guarded->now->families[i];
		uint64_t copies = guard_new_copies(guarded->baseline, family);
		char size[SIZE_TEXT];

		if (!copies)
			continue;
		if (!any)
			print_heading(to, style, "Duplicates that appeared");
		any = true;
		fprintf(to, "  %-36s %" PRIu64 " cop%s, %" PRIu64 " more; beyond one: %s\n",
			report_shown(family->name), family->copies, family->copies == 1 ? "y" : "ies", copies,
			size_text(size, family->bytes));
	}
}

/* --------- budgets ------------------ */

static void print_verdict(FILE *to, struct arena *arena, const struct guard_verdict *verdict)
{
	char used[SIZE_TEXT], limit[SIZE_TEXT];

	fprintf(to, "  %-24s", guard_budget_name(arena, verdict->budget));
	if (verdict->state == GUARD_UNKNOWN) {
		fprintf(to, "  unknown: %s\n", guard_unknown_because(verdict));
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

static void print_verdicts(FILE *to, struct arena *arena, const struct guarded *guarded,
			   const struct report_style *style)
{
	size_t i;

	if (guarded->verdicts->nr_items)
		print_heading(to, style, "Budgets");
	for (i = 0; i < guarded->verdicts->nr_items; i++)
		print_verdict(to, arena, &guarded->verdicts->items[i]);
}

/* --------- what to do ------------------ */

/* What the numbers leave out, and what no option without a value does. */
static void print_hints(FILE *to, struct arena *arena, const struct guarded *guarded)
{
	char size[SIZE_TEXT];
	size_t i;

	for (i = 0; i < guarded->nr_inputs; i++) {
		const struct guard_input *input = &guarded->inputs[i];

		if (input->uncounted)
			print_wrapped(
				to, 2,
				arena_printf(arena, "Not counted of %s: %s", input->name, input->uncounted));
	}
	if (guarded->advice->services_bytes)
		fprintf(to, "  %s describe AWS services; --botocore-services s3,... keeps yours alone\n",
			size_text(size, guarded->advice->services_bytes));
}

static void print_advice(FILE *to, struct arena *arena, const struct guarded *guarded,
			 const struct report_style *style)
{
	const struct guard_advice *advice = guarded->advice;
	size_t i;

	if (!advice->nr)
		return;
	print_heading(to, style, "What sofold shrink would free, about (shrink -n says exactly)");
	for (i = 0; i < advice->nr; i++)
		fprintf(to, "  %-23s  %s\n",
			*advice->remedies[i].options ? advice->remedies[i].options : "(default)",
			guard_remedy_text(arena, &advice->remedies[i]));
	print_hints(to, arena, guarded);
	if (!advice->best)
		return;
	fprintf(to, "  %s\n",
		advice->best->enough
			? "So it fits:"
			: "Nothing is enough, but for what trim cuts out (shrink -n says); begin with:");
	for (i = 0; i < guarded->nr_inputs; i++)
		fprintf(to, "    %s\n", guard_command(arena, &guarded->inputs[i], advice->best));
}

void report_guard_text(FILE *to, const struct guarded *guarded, const struct report_style *style)
{
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < guarded->nr_inputs; i++)
		fprintf(to, "%s%s", i ? ", " : "", report_shown(guarded->inputs[i].name));
	if (guarded->platform)
		fprintf(to, "  (platform %s)", guarded->platform->name);
	fputs("\n\n", to);
	print_totals(to, guarded);
	if (guarded->baseline)
		print_growth(to, arena, guarded, style);
	print_new_duplicates(to, guarded, style);
	print_verdicts(to, arena, guarded, style);
	print_advice(to, arena, guarded, style);
	fputc('\n', to);
	print_bold(to, style, guard_conclusion(arena, guarded->verdicts));
	fputc('\n', to);
	arena_free(arena);
}
