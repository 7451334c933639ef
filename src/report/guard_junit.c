/*
 * Guard as JUnit's XML: a test case for each budget. What only warns passes, and
 * says so in its output; what cannot be judged is skipped.
 */
#include "report/guard.h"
#include "report/xml.h"

static void print_failure(FILE *to, const char *sentence, const struct guard_why *why)
{
	size_t i;

	fputs("      <failure type=\"over\"", to);
	xml_attribute(to, "message", sentence);
	fputs(">", to);
	for (i = 0; i < why->nr_lines; i++) {
		xml_text(to, why->lines[i]);
		fputc('\n', to);
	}
	fputs("</failure>\n", to);
}

static void print_outcome(FILE *to, const struct guard_verdict *verdict, const char *sentence,
			  const struct guard_why *why)
{
	bool over = verdict->state == GUARD_OVER;

	if (over && !verdict->budget->only_warns) {
		print_failure(to, sentence, why);
	} else if (verdict->state == GUARD_UNKNOWN) {
		fputs("      <skipped", to);
		xml_attribute(to, "message", sentence);
		fputs("/>\n", to);
	} else {
		fputs("      <system-out>", to);
		xml_text(to, over || verdict->state == GUARD_NEAR ? "warning: " : "");
		xml_text(to, sentence);
		fputs("</system-out>\n", to);
	}
}

static void print_case(FILE *to, struct arena *arena, const struct guard_verdict *verdict,
		       const struct guard_why *why)
{
	fputs("    <testcase classname=\"sofold.guard\"", to);
	xml_attribute(to, "name", guard_budget_name(arena, verdict->budget));
	fputs(">\n", to);
	print_outcome(to, verdict, guard_sentence(arena, verdict), why);
	fputs("    </testcase>\n", to);
}

void report_guard_junit(FILE *to, const struct guarded *guarded)
{
	const struct guard_verdicts *verdicts = guarded->verdicts;
	struct arena *arena = arena_new();
	const struct guard_why why = guard_why(arena, guarded);
	size_t i;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", to);
	fprintf(to,
		"  <testsuite name=\"sofold guard\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
		"skipped=\"%zu\">\n",
		verdicts->nr_items, verdicts->nr_over, guard_count_unknown(verdicts));
	for (i = 0; i < verdicts->nr_items; i++)
		print_case(to, arena, &verdicts->items[i], &why);
	fputs("  </testsuite>\n</testsuites>\n", to);
	arena_free(arena);
}
