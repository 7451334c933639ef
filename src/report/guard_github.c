/*
 * Guard for GitHub Actions: annotations (workflow commands) for what needs
 * attention, a table in Markdown for the job's summary.
 */
#include "report/guard.h"

/* Workflow commands end at a newline; "%" escapes. */
static void print_escaped(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '%' || *text == '\r' || *text == '\n')
			fprintf(to, "%%%02X", (unsigned char)*text);
		else
			fputc(*text, to);
	}
}

/* A cell of a table must not hold its border. */
static void print_cell(FILE *to, const char *text)
{
	for (text = report_shown(text); *text; text++) {
		if (*text == '|')
			fputc('\\', to);
		fputc(*text, to);
	}
}

static void annotate(FILE *to, const struct guard_verdict *verdict)
{
	const struct guard_budget *budget = verdict->budget;
	bool fails = verdict->state == GUARD_OVER && !budget->only_warns;
	char used[SIZE_TEXT], limit[SIZE_TEXT];

	if (verdict->state != GUARD_OVER && verdict->state != GUARD_NEAR)
		return;
	fprintf(to, "::%s title=sofold guard::", fails ? "error" : "warning");
	print_escaped(to, report_shown(budget->name));
	fprintf(to, "%s is %s, %s %s (", budget->is_growth ? " since the baseline" : "",
		amount_text(used, budget, verdict->used),
		verdict->state == GUARD_OVER ? "over the limit of" : "near the limit of",
		amount_text(limit, budget, verdict->limit));
	print_escaped(to, budget->because);
	fputs(")\n", to);
}

static void print_row(FILE *to, const struct guard_verdict *verdict)
{
	char used[SIZE_TEXT], limit[SIZE_TEXT];
	bool known = verdict->state != GUARD_UNKNOWN;

	fputs("| ", to);
	print_cell(to, verdict->budget->name);
	fprintf(to, "%s | %s | %s | %s |\n", verdict->budget->is_growth ? ", growth" : "",
		known ? amount_text(used, verdict->budget, verdict->used) : "",
		known ? amount_text(limit, verdict->budget, verdict->limit) : "",
		guard_state_name(verdict->state));
}

void report_guard_github(FILE *to, FILE *summary, const struct guarded *guarded)
{
	size_t i;

	for (i = 0; i < guarded->verdicts->nr_items; i++)
		annotate(to, &guarded->verdicts->items[i]);
	if (!summary)
		return;
	fputs("### sofold guard\n\n| budget | used | limit | |\n|---|---:|---:|---|\n", summary);
	for (i = 0; i < guarded->verdicts->nr_items; i++)
		print_row(summary, &guarded->verdicts->items[i]);
}
