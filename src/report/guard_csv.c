/*
 * Guard as CSV (RFC 4180): one row a total, budget, wheel and duplicate library.
 * Numbers are bytes (or layers, or copies); an empty field is unknown.
 */
#include <inttypes.h>

#include "report/guard.h"

static void print_field(FILE *to, const char *text)
{
	fputc('"', to);
	for (text = report_shown(text); *text; text++) {
		if (*text == '"')
			fputc('"', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

static void print_number(FILE *to, bool known, uint64_t number)
{
	fputc(',', to);
	if (known)
		fprintf(to, "%" PRIu64, number);
}

struct row {
	const char *kind, *name;
	bool has_now, has_before, has_limit;
	uint64_t now, before, limit;
	const char *state, *because;
};

static void print_row(FILE *to, const struct row *row)
{
	fprintf(to, "%s,", row->kind);
	print_field(to, row->name);
	print_number(to, row->has_now, row->now);
	print_number(to, row->has_before, row->before);
	print_number(to, row->has_limit, row->limit);
	fprintf(to, ",%s,", row->state ? row->state : "");
	if (row->because)
		print_field(to, row->because);
	fputs("\r\n", to);
}

static void print_total(FILE *to, const char *name, const uint64_t *now, const uint64_t *before)
{
	const struct row row = {.kind = "total",
				.name = name,
				.has_now = now,
				.now = now ? *now : 0,
				.has_before = before,
				.before = before ? *before : 0};

	print_row(to, &row);
}

static void print_totals(FILE *to, const struct guard_measure *now, const struct guard_measure *old)
{
	print_total(to, "unzipped", &now->unzipped, old ? &old->unzipped : NULL);
	print_total(to, "zipped", now->has_zipped ? &now->zipped : NULL,
		    old && old->has_zipped ? &old->zipped : NULL);
	print_total(to, "native", &now->native, old ? &old->native : NULL);
	print_total(to, "duplicates", &now->duplicates, old ? &old->duplicates : NULL);
	print_total(to, "layers", &now->layers, old ? &old->layers : NULL);
}

static void print_verdict(FILE *to, struct arena *arena, const struct guard_verdict *verdict)
{
	bool known = verdict->state != GUARD_UNKNOWN;
	const struct row row = {.kind = "budget",
				.name = guard_budget_name(arena, verdict->budget),
				.has_now = known,
				.now = verdict->used,
				.has_before = known && verdict->budget->is_growth,
				.before = verdict->before,
				.has_limit = known,
				.limit = verdict->limit,
				.state = guard_state_name(verdict->state),
				.because = verdict->budget->because};

	print_row(to, &row);
}

static void print_wheel(FILE *to, const struct guard_wheel *wheel, const struct guard_measure *old)
{
	const struct guard_wheel *before = old ? guard_wheel(old, wheel->name) : NULL;
	const struct row row = {.kind = "wheel",
				.name = wheel->name,
				.has_now = true,
				.now = wheel->bytes,
				.has_before = before,
				.before = before ? before->bytes : 0};

	print_row(to, &row);
}

static void print_family(FILE *to, const struct guard_duplicate *family, const struct guard_measure *old)
{
	const struct guard_duplicate *before = old ? guard_duplicate(old, family->name) : NULL;
	const struct row row = {.kind = "duplicate",
				.name = family->name,
				.has_now = true,
				.now = family->bytes,
				.has_before = before,
				.before = before ? before->bytes : 0};

	print_row(to, &row);
}

void report_guard_csv(FILE *to, const struct guarded *guarded)
{
	const struct guard_measure *now = guarded->now, *old = guarded->baseline;
	struct arena *arena = arena_new();
	size_t i;

	fputs("kind,name,now,before,limit,state,because\r\n", to);
	print_totals(to, now, old);
	for (i = 0; i < guarded->verdicts->nr_items; i++)
		print_verdict(to, arena, &guarded->verdicts->items[i]);
	for (i = 0; i < now->nr_wheels; i++)
		print_wheel(to, &now->wheels[i], old);
	for (i = 0; i < now->nr_families; i++)
		print_family(to, &now->families[i], old);
	arena_free(arena);
}
