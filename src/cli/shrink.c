/*
 * sofold shrink: the post-install step, from top to bottom.
 *
 *	recover   bring back a layer a killed run has left half done
 *	scan      files and objects
 *	prune     what nobody needs at run time
 *	plan      what to merge, relink, strip; tried on the model
 *	trim      code in what stays that cannot run there
 *	prepare   write every new file beside the layer's, prove each
 *	reread    what was written says what was planned
 *	compile   when asked, bytecode beside the sources
 *	commit    rename into place
 *	prove     with --run, import everything; else done
 *	finish    or roll back
 *
 * With -o the tree is copied first and the copy is shrunk, under another name
 * until it is done (output.c). A child process does all that, and its parent takes
 * back what it has begun and could not take back itself (worker.c).
 */
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "sofold/apply.h"
#include "sofold/bridge.h"
#include "sofold/scan.h"

enum { OPTION_ONLY = 0x200, OPTION_SKIP, OPTION_LEVEL, OPTION_CHECK, OPTION_POISON };

static unsigned parse_passes(struct argp_state *state, struct arena *arena, const char *text)
{
	const char **names = NULL;
	size_t nr = 0, alloc = 0, i;
	unsigned found = 0, pass;

	options_add_list(arena, &names, &nr, &alloc, text);
	if (!nr)
		argp_error(state, "name a pass: prune, dedupe, bridge, trim or strip");
	for (i = 0; i < nr; i++) {
		pass = options_pass(names[i]);
		if (!pass)
			argp_error(state,
				   "unknown pass '%s'; there are prune, dedupe, bridge, trim and strip",
				   names[i]);
		found |= pass;
	}
	return found;
}

/* Options that make no sense together end the run. */
static void check_combination(const struct argp_state *state, const struct options *options)
{
	const char *why = options_no_passes(options->passes);

	if (why)
		argp_error(state, "--only and --skip: %s", why);
	if ((options->asked & PASS_TRIM) && options->level < LEVEL_DEFAULT)
		argp_error(state, "trim is for --level default and max");
	if (options->poison && (!(options->passes & PASS_TRIM) || options->level < LEVEL_DEFAULT))
		argp_error(
			state,
			"--trim-poison is about the pass trim, which these passes and this level leave out");
	if (options->prune.nr_explain && !(options->passes & PASS_PRUNE))
		argp_error(state, "--explain is about the pass prune, which is left out");
	if (options->dry_run && options->output)
		argp_error(state, "-n writes nothing, so -o makes no sense with it");
	if (options->check && options->prune.bytecode == PRUNE_BYTECODE_COMPILE)
		argp_error(state, "--check starts no interpreter, so it cannot tell what --bytecode compile "
				  "would change");
	if (options->dry_run && options->python)
		argp_error(state, "-n changes nothing, so nothing is imported: --run makes no sense "
				  "with it");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'n':
		options->dry_run = true;
		return 0;
	case OPTION_CHECK:
		options->check = options->dry_run = true;
		return 0;
	case 'o':
		options->output = arg;
		return 0;
	case OPTION_ONLY:
		options->passes = options->asked = parse_passes(state, options->arena, arg);
		return 0;
	case OPTION_SKIP:
		options->passes = options_without(options->passes, parse_passes(state, options->arena, arg));
		return 0;
	case OPTION_LEVEL:
		if (!options_level(arg, &options->level))
			argp_error(state, "--level takes safe, default or max, not '%s'", arg);
		return 0;
	case OPTION_POISON:
		options->poison = true;
		return 0;
	case 'm':
		options_add_list(options->arena, &options->merge, &options->nr_merge, &options->alloc_merge,
				 arg);
		return 0;
	case 'r':
		options->python = arg;
		return 0;
	case ARGP_KEY_END:
		options->dry_run |= options->prune.nr_explain > 0;
		check_combination(state, options);
		return 0;
	}
	return prune_parse(key, arg, state, options) ? 0 : options_parse_paths(key, arg, state, 1);
}

static const struct argp_option own[] = {
	{"dry-run", 'n', NULL, 0, "say what would be done and why; write nothing", 0},
	{"check", OPTION_CHECK, NULL, 0, "like -n, with exit status 1 if anything would change", 0},
	{"output", 'o', "NEW", 0, "leave PATH alone, write the result to the new directory NEW", 0},
	{"only", OPTION_ONLY, "PASS,...", 0, "run these passes only: prune, dedupe, bridge, trim, strip", 0},
	{"skip", OPTION_SKIP, "PASS,...", 0, "leave these passes out", 0},
	{"level", OPTION_LEVEL, "safe|default|max", 0,
	 "safe: equal copies merged, tests left out; default: also other builds of libraries that keep "
	 "their ABI, headers, kernels for processors the platform does not have; max: also exports nobody "
	 "imports, unwind tables of C, type stubs and metadata that nobody asks for",
	 0},
	{"merge", 'm', "FAMILY,...|all", 0, "also merge other builds of these libraries (see audit)", 0},
	{"trim-poison", OPTION_POISON, NULL, 0,
	 "fill what the pass trim would cut out with traps instead, to test the layer; not to be deployed",
	 0},
	{"run", 'r', "PYTHON", 0, "prove it: import every extension module before and after", 0},
	{NULL, 0, NULL, 0, "What the pass prune leaves out:", 10},
	{"profile", OPTION_PROFILE, "NAME", 0,
	 "rules (default): what is known to be safe, by level; recipe: tests, *.dist-info and bytecode, as in "
	 "the recipe many copied; slim: as serverless-python-requirements; none: only what is named",
	 10},
	{"keep", OPTION_KEEP, "GLOB", 0, "never remove this path, or what lies in it", 10},
	{"prune", OPTION_PRUNE, "GLOB", 0, "remove this path too, whoever imports it", 10},
	{"botocore-services", OPTION_SERVICES, "NAME,...", 0,
	 "keep these AWS services' data only, in botocore and boto3", 10},
	{"bytecode", OPTION_BYTECODE, "keep|drop|compile", 0,
	 "keep (default): remove useless .pyc files only; drop: remove all; compile: make them, never compared with their sources",
	 10},
	{"python", OPTION_PYTHON, "PYTHON", 0,
	 "the interpreter for --bytecode compile (default: that of --run, else python3.x as the layer's "
	 "modules are for)",
	 10},
	{"serverless", OPTION_SERVERLESS, "FILE", 0,
	 "take slim, slimPatterns and noDeploy from this serverless.yml", 10},
	{"explain", OPTION_EXPLAIN, "PATH", 0, "only say which rule decides about PATH, and why", 10},
	{0},
};

static const struct argp_child children[] = {{&options_common, 0, NULL, 90}, {0}};

static const struct argp argp = {
	.options = own,
	.parser = parse,
	.args_doc = "PATH",
	.doc = "Leaves out what nobody needs at run time, keeps one copy of each native\n"
	       "library of a layer, points its consumers there, drops bytes no loader reads,\n"
	       "and verifies that everything binds as before.\v"
	       "What changes is renamed into place: a run that fails or is killed leaves the\n"
	       "layer as it was or finished, and it loads at any moment between. A second run\n"
	       "changes nothing.",
	.children = children,
};

struct shrinking {
	struct options *options;
	const char *root; /* what is shrunk: the layer, or its copy in the making */
	const char *name; /* what that is called */
	struct output output;
	struct audit audit;	   /* its layer: without what is pruned */
	const struct layer *whole; /* with it */
	struct prune *prune;	   /* NULL: not asked for */
	struct plan *plan;
	struct apply *apply;
	struct imports before, after;
	struct compiled compiled;
	bool committed;
};

static int check_is_directory(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st))
		return error_errno(err, "opening %s", path);
	if (!S_ISDIR(st.st_mode))
		return error_add(err, ERROR_USAGE, "%s is no directory: unpack it, shrink the tree", path);
	return 0;
}

static const char *became(enum recovery recovery)
{
	return recovery == RECOVERY_FINISHED ? "as that run was to leave it" : "back as it was before it";
}

static int recover(const struct shrinking *run, struct error *err)
{
	enum recovery recovery;
	int rc;

	if (run->options->dry_run)
		return 0;
	rc = apply_recover(run->root, &recovery, err);
	if (!rc && recovery && !run->options->quiet)
		fprintf(stderr, "sofold: an earlier run was cut short; %s is %s\n", run->name,
			became(recovery));
	return rc;
}

static bool any_for(const struct layer *layer, uint16_t machine)
{
	size_t i;

	for (i = 0; i < layer->nr_objects; i++)
		if (layer->objects[i].machine == machine)
			return true;
	return false;
}

/* Of objects for another machine nothing can be verified, and a platform nothing in the
 * layer is for is a mistake. */
static int check_machine(const struct shrinking *run, struct error *err)
{
	const struct platform *platform = run->audit.platform;
	const struct layer *layer = run->audit.layer;

	if (!run->audit.platform_named || !layer->nr_objects || any_for(layer, platform->machine))
		return 0;
	return error_add(err, ERROR_USAGE, "%s: none of its native files is for the machine of %s", run->name,
			 platform->name);
}

static bool has_library(const struct layer *layer, const char *name)
{
	size_t i, n = strlen(name);

	for (i = 0; i < layer->nr_objects; i++)
		if (!strncmp(layer->objects[i].family, name, n))
			return true;
	return !strcmp(name, "all");
}

/* A misspelt family would otherwise just not be merged. */
static void warn_of_unknown_families(const struct options *options, const struct layer *layer)
{
	size_t i;

	for (i = 0; i < options->nr_merge; i++)
		if (!has_library(layer, options->merge[i]))
			fprintf(stderr, "sofold: --merge %s: there is no library of that name\n",
				options->merge[i]);
}

static int prune(struct shrinking *run, struct error *err)
{
	int rc;

	run->whole = run->audit.layer;
	if (!(run->options->passes & PASS_PRUNE))
		return 0;
	rc = scan_bytecode(run->audit.layer, err);
	if (!rc)
		rc = prune_layer(run->options, &run->audit, &run->prune, err);
	if (rc)
		return rc;
	prune_warn(run->options, run->whole);
	run->audit.layer = prune_result(run->prune);
	return 0;
}

static int trim(struct shrinking *run, const struct plan_options *options, struct error *err)
{
	struct layer *layer = run->audit.layer;
	struct trims *trims = arena_alloc(layer->arena, sizeof *trims);
	int rc;

	*trims = plan_trims(layer, run->plan, options);
	if (!trims->nr_tasks)
		return 0;
	rc = scan_names(layer, &trims->names, err);
	if (rc)
		return rc;
	plan_keep_named(layer->arena, trims);
	rc = scan_trims(layer, trims, err);
	if (!rc)
		plan_take_trims(layer, run->plan, trims);
	return rc;
}

static int make_plan(struct shrinking *run, struct error *err)
{
	struct layer *layer = run->audit.layer;
	struct plan_options options = {
		.level = run->options->level,
		.passes = run->options->passes,
		.merge = run->options->merge,
		.nr_merge = run->options->nr_merge,
		.platform = run->audit.platform,
		.poison = run->options->poison,
	};
	int rc = read_mentions(layer, err);

	if (rc)
		return rc;
	if (options.passes & PASS_BRIDGE)
		options.offers = bridge_offers(layer, &options.nr_offers);
	run->plan = plan_layer(layer, &options);
	warn_of_unknown_families(run->options, layer);
	return trim(run, &options, err);
}

static int stage(struct shrinking *run, struct error *err)
{
	struct apply_options options = {.dry_run = run->options->dry_run};
	struct layer *layer = run->audit.layer;
	int rc = apply_prepare(layer, run->plan, &options, &run->apply, err);

	if (rc)
		return rc;
	return apply_reread(run->apply, plan_predict(layer->arena, layer, run->plan), err);
}

/* The layer is in its new state; ask the interpreter. */
static int prove(struct shrinking *run, struct error *err)
{
	struct layer *layer = run->audit.layer;
	int rc;

	if (!run->options->python)
		return 0;
	rc = probe_imports(run->options, layer, "importing after the change", &run->after, err);
	return rc ? rc : imports_compare(&run->before, &run->after, err);
}

static int change(struct shrinking *run, struct error *err)
{
	struct layer *layer = run->audit.layer;
	size_t nr;
	int rc = prune_compile(run->options, &run->audit, &run->compiled, err);

	apply_changes(run->apply, &nr);
	if (run->options->dry_run || !nr || rc)
		return rc;
	if (run->options->python)
		rc = probe_imports(run->options, layer, "importing before the change", &run->before, err);
	/* Nothing before and nothing after would prove nothing. */
	if (!rc && run->before.nr_modules && !imports_count(&run->before))
		return error_add(err, ERROR_RUN, "%s imports none of the %zu extension modules: %s",
				 run->options->python, run->before.nr_modules, run->before.failed[0]);
	if (!rc) {
		run->committed = true;
		rc = apply_commit(run->apply, err);
	}
	if (!rc)
		rc = prove(run, err);
	return rc ? rc : apply_finish(run->apply, err);
}

static int pipeline(struct shrinking *run, struct error *err)
{
	int rc;

	if ((rc = recover(run, err)) || (rc = open_layer(run->options, run->root, false, &run->audit, err)) ||
	    (rc = layer_known(run->audit.layer, true, err)) || (rc = check_machine(run, err)))
		return rc;
	if ((rc = prune(run, err)) || run->options->prune.nr_explain)
		return rc;
	if ((rc = make_plan(run, err)) || (rc = stage(run, err)))
		return rc;
	return change(run, err);
}

/* Instead of all else. */
static int explain(const struct shrinking *run, struct error *err)
{
	const struct options *options = run->options;
	size_t i;

	for (i = 0; i < options->prune.nr_explain; i++) {
		struct prune_answers answers = prune_explain(run->prune, options->prune.explain[i]);

		if (!answers.nr_items)
			return status_of(error_add(err, ERROR_USAGE, "--explain: there is no %s in %s",
						   options->prune.explain[i], run->name));
		report_prune_answers(stdout, options->prune.explain[i], &answers, &options->style);
	}
	return EXIT_FINE;
}

/* What was refused is listed among the changes, and stays as it is. */
static bool any_changes(const struct shrunk *shrunk)
{
	size_t i;

	for (i = 0; i < shrunk->nr_changes; i++)
		if (!shrunk->changes[i].kept_because)
			return true;
	return false;
}

static int report(const struct shrinking *run)
{
	struct shrunk shrunk = {
		.name = run->name,
		.before = run->whole,
		.prune = run->prune,
		.compiled = &run->compiled,
		.plan = run->plan,
		.platform = run->audit.platform,
		.imports = run->after.modules ? &run->after : NULL,
		.dry_run = run->options->dry_run,
	};
	bool printed = true;

	shrunk.changes = apply_changes(run->apply, &shrunk.nr_changes);
	if (!run->options->quiet && run->options->format == FORMAT_TEXT)
		report_shrink_text(stdout, &shrunk, &run->options->style);
	else if (!run->options->quiet)
		printed = report_shrink_json(stdout, &shrunk);
	if (fflush(stdout) || !printed) {
		if (!run->options->dry_run)
			fprintf(stderr, "sofold: %s is shrunk; only the report is lost\n", run->name);
		return EXIT_RUN;
	}
	return run->options->check && any_changes(&shrunk) ? EXIT_FINDINGS : EXIT_FINE;
}

/* Puts back what a failed run has done so far; of a copy nothing is kept. */
static void undo(struct shrinking *run, struct error *err)
{
	if (run->options->dry_run || run->options->output)
		return;
	if (run->compiled.nr_made)
		bytecode_remove(run->options->arena, run->audit.layer, &run->compiled);
	if (run->apply)
		apply_rollback(run->apply, err);
}

static int copy_and_shrink(struct shrinking *run, struct error *err)
{
	int rc = tree_copy(run->options->paths[0], run->root, err);

	if (!rc)
		rc = pipeline(run, err);
	if (!rc)
		rc = output_finish(&run->output, err);
	if (rc)
		output_rename_in(&run->output, err);
	return rc;
}

static int shrink(void *context, struct error *err)
{
	struct shrinking *run = context;
	int rc = run->options->output ? copy_and_shrink(run, err) : pipeline(run, err), status;

	if (rc)
		undo(run, err);
	if (!rc && run->options->prune.nr_explain)
		status = explain(run, err);
	else
		status = rc ? status_of(rc) : report(run);
	apply_free(run->apply);
	layer_free(run->audit.layer);
	return status;
}

/* Nothing half done stays, however the worker has ended. */
static int tidy(void *context, const struct ending *ending, struct error *err)
{
	const struct shrinking *run = context;
	struct error told = {""}; /* a worker that ends by itself has said what is wrong */
	enum recovery recovery;
	int rc;

	if (run->options->output)
		return output_tidy(&run->output, err);
	if (!ending->signal && !ending->status)
		return 0;
	rc = apply_recover(run->root, &recovery, ending->signal ? err : &told);
	if (!rc && recovery)
		fprintf(stderr, "sofold: %s%s%s is %s\n", ending->signal ? strsignal(ending->signal) : "",
			ending->signal ? ": " : "", run->name, became(recovery));
	return rc;
}

static int start(struct shrinking *run, struct error *err)
{
	struct options *options = run->options;
	const struct work work = {shrink, tidy, run};
	int rc = check_is_directory(options->paths[0], err);

	run->root = run->name = options->paths[0];
	if (!rc && options->output) {
		rc = output_begin(&run->output, options->arena, options->output, err);
		run->root = run->output.making;
		run->name = options->output;
	}
	if (rc)
		return status_of(rc);
	run->audit.name = run->name;
	return options->dry_run ? shrink(run, err) : worker_run(&work, err);
}

int command_shrink(int argc, char **argv, struct error *err)
{
	struct options options;
	struct shrinking run = {.options = &options};
	int rc, status;

	options_init(&options);
	options_parse(&options, &argp, argc, argv);
	rc = prune_configure(&options, err);
	status = rc ? status_of(rc) : start(&run, err);
	options_clear(&options);
	return status;
}
