/*
 * Guard for GitHub Actions: annotations (workflow commands) for what needs
 * attention. The job's summary is guard_markdown.c's.
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

static void annotate(FILE *to, struct arena *arena, const struct guard_verdict *verdict)
{
	bool fails = verdict->state == GUARD_OVER && !verdict->budget->only_warns;

	if (verdict->state != GUARD_OVER && verdict->state != GUARD_NEAR)
		return;
	fprintf(to, "::%s title=sofold guard::", fails ? "error" : "warning");
	print_escaped(to, guard_sentence(arena, verdict));
	fputc('\n', to);
}

void report_guard_github(FILE *to, const struct guarded *guarded)
{
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < guarded->verdicts->nr_items; i++)
		annotate(to, arena, &guarded->verdicts->items[i]);
	arena_free(arena);
}
