/*
 * report: printing what is known of a layer and what was done to it.
 *
 * Text goes to people: 80 columns where paths allow (a path is never cut,
 * users copy them), sizes in decimal units (1 MB = 1,000,000 bytes). JSON
 * goes to programs: integers in bytes, keys and arrays in a fixed order, no
 * times, no absolute paths, "schema_version" first to change when a key does.
 */
#ifndef SOFOLD_REPORT_H
#define SOFOLD_REPORT_H

#include <stdio.h>

#include "sofold/apply.h"
#include "sofold/guard.h"
#include "sofold/layer.h"
#include "sofold/plan.h"
#include "sofold/prune.h"
#include "sofold/size.h"
#include "sofold/verify.h"

enum { REPORT_SCHEMA_VERSION = 1 };

struct report_style {
	bool color;   /* ANSI escapes */
	bool verbose; /* every file, not the biggest only */
};

/*
 * Text from the layer as it may be shown: names of files and libraries hold
 * what their authors put there, and a terminal would obey it. Control bytes
 * become \xNN. Returns text itself when there are none, else one of a few
 * buffers that later calls reuse.
 */
const char *report_shown(const char *text);

/* One audited input. */
struct audit {
	const char *name; /* as the user gave it */
	struct layer *layer;
	const struct plan *plan;
	struct plan_options options; /* the plan's */
	const struct platform *platform;
	bool platform_named; /* by the user, not inferred */
};

void report_audit_text(FILE *to, const struct audit *audit, const struct report_style *style);

/* All inputs in one object: totals summed and, under "layers", of each input;
 * families and findings one after the other. With several inputs each path
 * begins with its input's last component ("path_prefix"). Returns false when
 * the stream failed. */
bool report_audit_json(FILE *to, const struct audit *audits, size_t nr);

/* What shrink did or, when dry, would do. Findings are those of before. */
struct shrunk {
	const char *name;
	const struct layer *before;
	const struct prune *prune;	 /* NULL: nothing was left out */
	const struct compiled *compiled; /* tag NULL: no bytecode was asked for */
	const struct plan *plan;
	const struct platform *platform;
	const struct change *changes;
	size_t nr_changes;
	const struct imports *imports; /* after; NULL: not asked */
	bool dry_run;
};

void report_shrink_text(FILE *to, const struct shrunk *shrunk, const struct report_style *style);
bool report_shrink_json(FILE *to, const struct shrunk *shrunk);

/* shrink --explain PATH. */
void report_prune_answers(FILE *to, const char *path, const struct prune_answers *answers,
			  const struct report_style *style);

void report_verify_text(FILE *to, const struct audit *audit, const struct imports *imports,
			const struct report_style *style);
bool report_verify_json(FILE *to, const struct audit *audit, const struct imports *imports);

/* What guard found. */
struct guarded {
	const struct guard_input *inputs;
	size_t nr_inputs;
	const struct platform *platform; /* NULL: none named, so no limits of one */
	const struct guard_measure *now;
	const struct guard_measure *baseline; /* NULL: none */
	const struct guard_verdicts *verdicts;
	const struct guard_advice *advice;
};

void report_guard_text(FILE *to, const struct guarded *guarded, const struct report_style *style);
bool report_guard_json(FILE *to, const struct guarded *guarded);

bool report_guard_sarif(FILE *to, const struct guarded *guarded);
void report_guard_csv(FILE *to, const struct guarded *guarded);
void report_guard_junit(FILE *to, const struct guarded *guarded);
void report_guard_markdown(FILE *to, const struct guarded *guarded);

/* Workflow commands for GitHub Actions, one a budget that is exceeded or near. */
void report_guard_github(FILE *to, const struct guarded *guarded);

/* Number of findings of a severity. */
size_t report_count(const struct layer *layer, enum severity severity);

#endif
