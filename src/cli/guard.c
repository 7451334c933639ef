/*
 * sofold guard: from the inputs to a verdict, from top to bottom.
 *
 *	scan      every input, with the plan shrink would have
 *	measure   their sums
 *	judge     budgets of the platform and of the command line
 *	advise    when a budget is exceeded: look ahead at what shrink would do
 *	report    and, when asked, the new baseline
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "sofold/apply.h"
#include "sofold/bridge.h"
#include "sofold/guard.h"
#include "sofold/scan.h"
#include "sofold/vec.h"

enum { OPTION_BASELINE = 0x300, OPTION_UPDATE, OPTION_INCREASE, OPTION_WARN_AT, OPTION_REPORT };
enum { WARN_AT = 90 };

struct guard_options {
	struct options common;
	struct guard_budgets budgets;
	struct report_targets reports;
	const char *baseline;
	bool update;
	bool has_warn_at; /* a flag said so */
	unsigned warn_at; /* percent */
};

static void check(struct argp_state *state, int rc, const struct error *err)
{
	if (rc)
		argp_error(state, "%s", err->message);
}

static void set_warn_at(struct argp_state *state, struct guard_options *options, const char *text)
{
	options->has_warn_at = guard_parse_percent(text, &options->warn_at);
	if (!options->has_warn_at)
		argp_error(state, "--warn-at takes a percentage up to 100, not '%s'", text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct guard_options *options = state->input;
	struct error err = {""};

	switch (key) {
	case 'b':
		check(state, guard_parse_budget(options->common.arena, &options->budgets, arg, &err), &err);
		return 0;
	case OPTION_INCREASE:
		check(state, guard_parse_increase(options->common.arena, &options->budgets, arg, &err), &err);
		return 0;
	case OPTION_REPORT:
		check(state, reports_parse(options->common.arena, &options->reports, arg, &err), &err);
		return 0;
	case OPTION_BASELINE:
		options->baseline = arg;
		return 0;
	case OPTION_UPDATE:
		options->update = true;
		return 0;
	case OPTION_WARN_AT:
		set_warn_at(state, options, arg);
		return 0;
	}
	return options_parse_paths(key, arg, state, SIZE_MAX);
}

static const struct argp_option own[] = {
	{"budget", 'b', "WHAT=SIZE", 0,
	 "fail above SIZE: unzipped, zipped, native, duplicates, layers, wheel:NAME, or a glob of paths; "
	 "60MB is 60,000,000 bytes, 60MiB 62,914,560; may be given several times",
	 0},
	{"max-increase", OPTION_INCREASE, "[WHAT=]2%|5MB", 0,
	 "fail when WHAT (default: unzipped) has grown more since the baseline", 0},
	{"baseline", OPTION_BASELINE, "FILE", 0, "compare with what FILE says", 0},
	{"update-baseline", OPTION_UPDATE, NULL, 0, "write FILE anew when no budget is exceeded", 0},
	{"report", OPTION_REPORT, "FORMAT=FILE", 0,
	 "write a report to FILE, too: text, json, csv, junit, sarif, github or markdown; - is standard "
	 "output; may be given several times",
	 0},
	{"warn-at", OPTION_WARN_AT, "PERCENT", 0, "warn above this part of a limit (default: 90)", 0},
	{0},
};

static const struct argp_child children[] = {{&options_common, 0, NULL, 90}, {0}};

static const struct argp argp = {
	.options = own,
	.parser = parse,
	.args_doc = "PATH...",
	.doc = "Fails when what is deployed together, a function and its layers, is over\n"
	       "budget.\v"
	       "PATHs are directories or archives, summed up. With --platform lambda-... the\n"
	       "limits of Lambda hold: 262,144,000 bytes unzipped, five layers; 52,428,800\n"
	       "zipped warns.\n"
	       "--format takes csv, junit, sarif, github and markdown, too; github prints\n"
	       "annotations of GitHub Actions and appends a table to $GITHUB_STEP_SUMMARY.\n"
	       "What flags leave open is taken from SOFOLD_PLATFORM, SOFOLD_BASELINE and\n"
	       "SOFOLD_WARN_AT, then from .sofold.yml (SOFOLD_CONFIG names another).\n"
	       "Exit status 1 when a budget is exceeded; the report then says what runs of\n"
	       "sofold shrink would free.",
	.children = children,
};

/* --------- what flags have left open ------------------ */

static int settle_warn_at(struct guard_options *options, struct error *err)
{
	const char *text = getenv("SOFOLD_WARN_AT");

	if (options->has_warn_at)
		return 0;
	options->warn_at = options->common.config.has_warn_at ? options->common.config.warn_at : WARN_AT;
	if (text && *text && !guard_parse_percent(text, &options->warn_at))
		return error_add(err, ERROR_USAGE, "SOFOLD_WARN_AT is a percentage up to 100, not '%s'",
				 text);
	return 0;
}

static void settle_baseline(struct guard_options *options)
{
	const char *path = getenv("SOFOLD_BASELINE");

	if (!options->baseline)
		options->baseline = path && *path ? path : options->common.config.baseline.text;
}

/* A flag's budget takes the place of the file's on the same thing. */
static void settle_budgets(struct guard_options *options)
{
	const struct guard_budgets *more = &options->common.config.budgets;
	size_t i, nr_flags = options->budgets.nr_items;

	for (i = 0; i < more->nr_items; i++) {
		const struct guard_budgets flags = {.items = options->budgets.items, .nr_items = nr_flags};

		if (!guard_has_budget(&flags, &more->items[i]))
			*VEC_PUSH(options->common.arena, &options->budgets, items) = more->items[i];
	}
}

static int check_combination(const struct guard_options *options, struct error *err)
{
	size_t i;

	if (options->update && !options->baseline)
		return error_add(err, ERROR_USAGE, "--update-baseline: name the file with --baseline");
	for (i = 0; i < options->budgets.nr_items; i++)
		if (options->budgets.items[i].is_growth && !options->baseline)
			return error_add(err, ERROR_USAGE,
					 "a budget on growth needs a --baseline to compare with");
	return 0;
}

static int settle(struct guard_options *options, struct error *err)
{
	int rc = settle_warn_at(options, err);

	settle_baseline(options);
	settle_budgets(options);
	if (!rc)
		rc = check_combination(options, err);
	return rc ? rc
		  : reports_settle(options->common.arena, &options->reports, &options->common.config, err);
}

/* --------- the run ------------------ */

struct guarding {
	struct guard_options *options;
	struct audit *audits;
	struct layer **wholes; /* of inputs that shrink could prune: as they were read */
	struct guard_input *inputs;
	size_t nr_done;
	struct guard_measure now, baseline;
	bool has_baseline;
};

/* 0: a directory. */
static uint64_t archive_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) || S_ISDIR(st.st_mode) ? 0 : (uint64_t)st.st_size;
}

/* Another whose files and objects may be changed. */
static struct layer *copy_layer(struct layer *layer)
{
	return layer_without(layer, arena_array(layer->arena, layer->nr_files, sizeof(struct pruned *)));
}

static int read_input(struct guarding *run, size_t i, struct error *err)
{
	const struct options *options = &run->options->common;
	const char *path = options->paths[i];
	struct audit *audit = &run->audits[i];
	int rc = open_layer(options, path, false, audit, err);

	if (rc)
		return rc;
	run->nr_done++;
	rc = layer_known(audit->layer, false, err);
	if (rc)
		return rc;
	if ((options->passes & PASS_PRUNE) && !audit->layer->from_archive)
		run->wholes[i] = copy_layer(audit->layer);
	audit_plan(options, audit);
	run->inputs[i] = (struct guard_input){.name = path,
					      .layer = audit->layer,
					      .plan = audit->plan,
					      .options = &audit->options,
					      .zipped = archive_bytes(path)};
	return 0;
}

/* A baseline that is to be written need not be there yet. */
static int read_baseline(struct guarding *run, struct error *err)
{
	const struct guard_options *options = run->options;
	struct stat st;
	int rc;

	if (!options->baseline || (options->update && stat(options->baseline, &st)))
		return 0;
	rc = guard_read_baseline(options->common.arena, options->baseline, &run->baseline, err);
	run->has_baseline = !rc;
	return rc;
}

/* --------- what shrink would do ------------------ */

/* As shrink does before it plans. */
static int prune_input(const struct guarding *run, size_t i, enum level level, struct guard_ground *ground,
		       struct error *err)
{
	struct options options = run->options->common;
	struct audit audit = run->audits[i];
	struct prune *prune;
	int rc;

	options.level = level;
	audit.layer = copy_layer(run->wholes[i]);
	rc = prune_layer(&options, &audit, &prune, err);
	if (rc)
		return rc;
	ground->layer = prune_result(prune);
	rc = read_mentions(ground->layer, err);
	ground->offers = bridge_offers(ground->layer, &ground->nr_offers);
	return rc;
}

/* By shrink's own hand, which writes nothing here. When it cannot, an estimate
 * does. */
static void strip_input(struct guard_input *input)
{
	struct layer *layer = input->layer;
	struct plan_options options = *input->options;
	struct apply_options dry = {.dry_run = true};
	struct error why = {""};
	struct apply *apply;
	uint64_t *stripped;
	size_t i, nr;

	options.passes &= PASS_STRIP;
	if (apply_prepare(layer, plan_layer(layer, &options), &dry, &apply, &why))
		return;
	stripped = arena_array(layer->arena, layer->nr_objects, sizeof *stripped);
	for (i = 0, apply_changes(apply, &nr); i < nr; i++) {
		const struct change *change = &apply_changes(apply, &nr)[i];

		if (change->action->kind == ACTION_REWRITE && !change->kept_because &&
		    change->after < change->before)
			stripped[change->action->object] = change->before - change->after;
	}
	input->stripped = stripped;
	apply_free(apply);
}

/* What cannot be pruned is advised on without: budgets have been judged all the
 * same. */
static void look_ahead(struct guarding *run)
{
	const struct options *options = &run->options->common;
	size_t i, level;

	for (i = 0; i < options->nr_paths; i++) {
		struct guard_input *input = &run->inputs[i];
		struct error why = {""};
		int rc = 0;

		if (!input->layer->from_archive)
			strip_input(input);
		if (options->prune.bytecode == PRUNE_BYTECODE_COMPILE)
			input->uncounted = "the bytecode that will be compiled";
		if ((options->passes & PASS_PRUNE) && !run->wholes[i])
			input->uncounted = "what the pass prune takes out; unpack the archive for that";
		if (run->wholes[i])
			rc = scan_bytecode(run->wholes[i], &why);
		for (level = 0; run->wholes[i] && level < GUARD_LEVELS && !rc; level++)
			rc = prune_input(run, i, (enum level)level, &input->pruned[level], &why);
		if (rc)
			input->uncounted = arena_printf(options->arena, "what the pass prune takes out (%s)",
							why.message);
	}
}

static int write_baseline(const struct guard_options *options, const struct guard_measure *now,
			  struct error *err)
{
	int rc = guard_write_baseline(options->baseline, now, err);

	if (!rc && !options->common.quiet)
		fprintf(stderr, "sofold: the baseline %s is written\n", options->baseline);
	return rc;
}

static int judge(struct guarding *run, struct error *err)
{
	struct guard_options *options = run->options;
	struct arena *arena = options->common.arena;
	struct guard_verdicts verdicts;
	struct guard_advice advice;
	int rc;
	struct guarded guarded = {.inputs = run->inputs,
				  .nr_inputs = options->common.nr_paths,
				  .platform = options->common.platform,
				  .now = &run->now,
				  .baseline = run->has_baseline ? &run->baseline : NULL,
				  .verdicts = &verdicts,
				  .advice = &advice};

	if (options->common.platform)
		guard_platform_budgets(arena, &options->budgets, options->common.platform);
	run->now = guard_measure(arena, run->inputs, options->common.nr_paths);
	verdicts = guard_judge(arena, &run->now, guarded.baseline, &options->budgets, run->inputs,
			       options->common.nr_paths, options->warn_at);
	if (guard_is_exceeded(&verdicts))
		look_ahead(run);
	guard_advise(&advice, run->inputs, options->common.nr_paths, &verdicts);
	rc = reports_write(&options->common, &options->reports, &guarded, err);
	if (rc)
		return rc;
	if (verdicts.nr_over)
		return EXIT_FINDINGS;
	return options->update ? write_baseline(options, &run->now, err) : 0;
}

int command_guard(int argc, char **argv, struct error *err)
{
	struct guard_options options = {0};
	struct guarding run = {.options = &options};
	int rc;
	size_t i;

	options_init(&options.common);
	options.common.takes_all = options.common.native_optional = true;
	options_parse(&options.common, &argp, argc, argv);
	run.audits = arena_array(options.common.arena, options.common.nr_paths, sizeof *run.audits);
	run.inputs = arena_array(options.common.arena, options.common.nr_paths, sizeof *run.inputs);
	run.wholes = arena_array(options.common.arena, options.common.nr_paths, sizeof *run.wholes);
	rc = settle(&options, err);
	if (!rc)
		rc = prune_configure(&options.common, err);
	if (!rc)
		rc = read_baseline(&run, err);
	for (i = 0; i < options.common.nr_paths && !rc; i++)
		rc = read_input(&run, i, err);
	if (!rc)
		rc = judge(&run, err);
	for (i = 0; i < run.nr_done; i++)
		layer_free(run.audits[i].layer);
	options_clear(&options.common);
	return rc > 0 ? rc : status_of(rc);
}
