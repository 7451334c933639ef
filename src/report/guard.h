/*
 * What the reports of guard share.
 *
 *	guard_words.c     names, sentences, growth: said alike everywhere
 *	guard.c           text
 *	guard_json.c guard_csv.c guard_junit.c guard_sarif.c guard_markdown.c guard_github.c
 */
#ifndef SOFOLD_SRC_REPORT_GUARD_H
#define SOFOLD_SRC_REPORT_GUARD_H

#include "sofold/arena.h"
#include "sofold/report.h"

const char *guard_state_name(enum guard_state state);

/* A size, or a number of layers. */
const char *amount_text(char buffer[SIZE_TEXT], const struct guard_budget *budget, uint64_t amount);

/* "wheel numpy", "native, growth". */
const char *guard_budget_name(struct arena *arena, const struct guard_budget *budget);

/* "unzipped is 2.0 kB, over the limit of 1.0 kB (--budget)". */
const char *guard_sentence(struct arena *arena, const struct guard_verdict *verdict);
const char *guard_unknown_because(const struct guard_verdict *verdict);

/* "FAILED: 1 of 3 budgets exceeded". */
const char *guard_conclusion(struct arena *arena, const struct guard_verdicts *verdicts);
size_t guard_count_unknown(const struct guard_verdicts *verdicts);

struct guard_growth {
	const struct guard_wheel *wheel; /* now, or before when it is gone */
	uint64_t before, now;		 /* bytes; 0: not there */
	int64_t change;
};

/* Every wheel whose size changed, those that grew most first. */
struct guard_growth *guard_growths(struct arena *arena, const struct guarded *guarded, size_t *nr);

/* "numpy 1.26.4 -> 2.0.0". */
const char *guard_growth_label(struct arena *arena, const struct guarded *guarded,
			       const struct guard_growth *growth);

/* "+1.20 MB". */
enum { CHANGE_TEXT = SIZE_TEXT + 1 };
const char *guard_change_text(char buffer[CHANGE_TEXT], uint64_t before, uint64_t now);

/* "sofold shrink layer --level safe", for a shell. */
const char *guard_command(struct arena *arena, const struct guard_input *input,
			  const struct guard_remedy *remedy);

/* What it frees: "1.20 MB, 3.40 MB too little for unzipped". */
const char *guard_remedy_text(struct arena *arena, const struct guard_remedy *remedy);

/* Why it is over, a line each: the wheels that grew most, the libraries that are
 * there once more, the command that frees enough or most. */
struct guard_why {
	const char **lines;
	size_t nr_lines, alloc_lines;
};

struct guard_why guard_why(struct arena *arena, const struct guarded *guarded);

#endif
