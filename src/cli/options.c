/* Options every command takes, by argp; a mistake ends with status 2. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sofold/bridge.h"
#include "sofold/check.h"
#include "sofold/scan.h"
#include "sofold/vec.h"

enum { OPTION_PLATFORM = 'p', OPTION_FORMAT = 'f', OPTION_COLOR = 0x100, OPTION_CONFIG, OPTION_NO_CONFIG };

static const struct argp_option common[] = {
	{"platform", OPTION_PLATFORM, "NAME", 0,
	 "where the layer runs, e.g. lambda-python3.12-x86_64; a wrong name lists all (default: inferred)",
	 90},
	{"format", OPTION_FORMAT, "text|json", 0, "how to report (default: text)", 90},
	{"color", OPTION_COLOR, "auto|always|never", 0, "colors in text (default: auto; NO_COLOR is heeded)",
	 90},
	{"config", OPTION_CONFIG, "FILE", 0, "read FILE in place of .sofold.yml", 90},
	{"no-config", OPTION_NO_CONFIG, NULL, 0, "read none (--config none)", 90},
	{"quiet", 'q', NULL, 0, "no report, only errors and the exit status", 90},
	{"verbose", 'v', NULL, 0, "list every file and every finding", 90},
	{NULL, 'h', NULL, OPTION_HIDDEN, NULL, 90}, /* besides argp's own -? and --help */
	{0},
};

static void list_platforms(struct argp_state *state, const char *name)
{
	const struct platform *platform;

	fprintf(stderr, "sofold: unknown platform '%s'; known are:\n", name);
	for (platform = platform_table(); platform->name; platform++)
		fprintf(stderr, "  %s\n", platform->name);
	argp_state_help(state, stderr, ARGP_HELP_EXIT_ERR);
}

static void set_color(struct argp_state *state, struct options *options, const char *when)
{
	if (!strcmp(when, "always"))
		options->style.color = true;
	else if (!strcmp(when, "never"))
		options->style.color = false;
	else if (strcmp(when, "auto"))
		argp_error(state, "--color takes auto, always or never, not '%s'", when);
}

bool options_format(const char *name, enum format *format)
{
	static const char *const names[] = {
		[FORMAT_TEXT] = "text",		[FORMAT_JSON] = "json",	  [FORMAT_GITHUB] = "github",
		[FORMAT_CSV] = "csv",		[FORMAT_JUNIT] = "junit", [FORMAT_SARIF] = "sarif",
		[FORMAT_MARKDOWN] = "markdown",
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(name, names[i])) {
			*format = (enum format)i;
			return true;
		}
	return false;
}

static void set_format(struct argp_state *state, struct options *options, const char *name)
{
	options->format_named = true;
	if (!options_format(name, &options->format) || (options->format > FORMAT_JSON && !options->takes_all))
		argp_error(state, "--format takes %s, not '%s'",
			   options->takes_all ? "text, json, csv, junit, sarif, github or markdown"
					      : "text or json",
			   name);
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case OPTION_PLATFORM:
		options->platform = platform_find(arg);
		if (!options->platform)
			list_platforms(state, arg);
		return 0;
	case OPTION_FORMAT:
		set_format(state, options, arg);
		return 0;
	case OPTION_COLOR:
		set_color(state, options, arg);
		return 0;
	case OPTION_CONFIG: /* read before the flags, see options_parse() */
	case OPTION_NO_CONFIG:
		return 0;
	case 'q':
		options->quiet = true;
		return 0;
	case 'v':
		options->style.verbose = true;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* Every command's --version and -V print it. */
const char *argp_program_version = "sofold " SOFOLD_VERSION;

const struct argp options_common = {.options = common, .parser = parse_common};

void options_init(struct options *options)
{
	*options = (struct options){.level = LEVEL_DEFAULT, .passes = PASS_ALL, .arena = arena_new()};
	options->style.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

void options_clear(struct options *options)
{
	arena_free(options->arena);
}

/* --------- configuration ------------------ */

static const char default_config[] = ".sofold.yml";

/* "--conf=x" is "--config=x" to argp, too. The value, "" when it is the next
 * argument, NULL when this is another option. */
static const char *config_value(const char *arg)
{
	size_t n = strcspn(arg, "=");

	if (n < strlen("--con") || n > strlen("--config") || strncmp(arg, "--config", n))
		return NULL;
	return arg[n] ? arg + n + 1 : "";
}

/* The file to read; NULL: none. */
static const char *config_path(int argc, char **argv)
{
	const char *path = getenv("SOFOLD_CONFIG"), *value;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		value = config_value(argv[i]);
		if (value)
			path = *value ? value : argv[i + 1];
		else if (!strcmp(argv[i], "--no-config"))
			path = "none";
	}
	if (!path || !*path)
		path = access(default_config, F_OK) ? "none" : default_config;
	return strcmp(path, "none") ? path : NULL;
}

bool options_level(const char *name, enum level *level)
{
	static const char *const names[] = {
		[LEVEL_SAFE] = "safe", [LEVEL_DEFAULT] = "default", [LEVEL_MAX] = "max"};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(name, names[i])) {
			*level = (enum level)i;
			return true;
		}
	return false;
}

unsigned options_pass(const char *name)
{
	static const struct {
		const char *name;
		enum pass pass;
	} passes[] = {{"prune", PASS_PRUNE},
		      {"dedupe", PASS_DEDUPE},
		      {"bridge", PASS_BRIDGE},
		      {"trim", PASS_TRIM},
		      {"strip", PASS_STRIP}};
	size_t i;

	for (i = 0; i < sizeof passes / sizeof *passes; i++)
		if (!strcmp(name, passes[i].name))
			return passes[i].pass;
	return 0;
}

unsigned options_without(unsigned passes, unsigned skipped)
{
	if (skipped & PASS_STRIP)
		skipped |= PASS_TRIM;
	return passes & ~skipped;
}

const char *options_no_passes(unsigned passes)
{
	if (!passes)
		return "no pass is left to run";
	if ((passes & PASS_TRIM) && !(passes & PASS_STRIP))
		return "trim works only together with strip";
	return NULL;
}

static int config_passes(const struct config *config, const struct config_list *list, unsigned *found,
			 struct error *err)
{
	size_t i;

	for (i = 0; i < list->nr_items; i++) {
		unsigned pass = options_pass(list->items[i].text);

		if (!pass)
			return config_error(err, config->path, list->items[i].line, "unknown pass '%s'",
					    list->items[i].text);
		*found |= pass;
	}
	return 0;
}

static int check_passes(const struct config *config, unsigned passes, struct error *err)
{
	unsigned line = config->only.line ? config->only.line : config->skip.line;
	const char *why = options_no_passes(passes);

	return why ? config_error(err, config->path, line, "only and skip: %s", why) : 0;
}

/* What flags then change. */
static int apply_config(struct options *options, struct error *err)
{
	const struct config *config = &options->config;
	unsigned only = 0, skip = 0, passes;
	int rc;

	if (config->level.text && !options_level(config->level.text, &options->level))
		return config_error(err, config->path, config->level.line,
				    "level is safe, default or max, not '%s'", config->level.text);
	rc = config_passes(config, &config->only, &only, err);
	if (!rc)
		rc = config_passes(config, &config->skip, &skip, err);
	passes = options_without(config->only.line ? only : options->passes, skip);
	if (!rc)
		rc = check_passes(config, passes, err);
	if (!rc)
		options->passes = passes;
	return rc;
}

static int read_config(struct options *options, int argc, char **argv, struct error *err)
{
	const char *path = config_path(argc, argv);
	int rc = path ? config_read(options->arena, path, &options->config, err) : 0;

	return rc ? rc : apply_config(options, err);
}

/* What flags have left open: the environment, then the file. */
static int settle(struct options *options, struct error *err)
{
	const char *platform = getenv("SOFOLD_PLATFORM");
	const struct config_list *merge = &options->config.merge;
	size_t i;

	if (!options->platform && platform && *platform) {
		options->platform = platform_find(platform);
		if (!options->platform)
			return error_add(err, ERROR_USAGE, "SOFOLD_PLATFORM: unknown platform '%s'",
					 platform);
	}
	if (!options->platform)
		options->platform = options->config.platform;
	for (i = options->nr_merge ? merge->nr_items : 0; i < merge->nr_items; i++)
		*VEC_PUSH(options->arena, options, merge) = merge->items[i].text;
	return 0;
}

void options_parse(struct options *options, const struct argp *argp, int argc, char **argv)
{
	struct error err = {""};
	int rc = read_config(options, argc, argv, &err);

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(argp, argc, argv, 0, NULL, options); /* --help needs no sound configuration */
	if (!rc)
		rc = settle(options, &err);
	if (rc) {
		fprintf(stderr, "sofold: %s\n", report_shown(err.message));
		exit(status_of(rc));
	}
}

error_t options_parse_paths(int key, char *arg, struct argp_state *state, size_t most)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options;
		return 0;
	case ARGP_KEY_ARG:
		if (options->nr_paths == most)
			argp_error(state, "one layer at a time");
		*VEC_PUSH(options->arena, options, paths) = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name a layer: a directory%s", most > 1 ? ", or a .zip or .whl" : "");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

void options_add_list(struct arena *arena, const char ***items, size_t *nr, size_t *alloc, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ",");

		if (n) {
			*items = vec_grow(arena, *items, *nr, alloc, sizeof **items);
			(*items)[(*nr)++] = arena_strndup(arena, text, n);
		}
		text += n + (text[n] == ',');
	}
}

int status_of(int kind)
{
	switch (kind) {
	case ERROR_NONE:
		return EXIT_FINE;
	case ERROR_USAGE:
		return EXIT_USAGE;
	case ERROR_VERIFY:
		return EXIT_VERIFY;
	}
	return EXIT_RUN;
}

int open_layer(const struct options *options, const char *path, bool hash_families, struct audit *audit,
	       struct error *err)
{
	struct scan_options scan = {.hash_families = hash_families, .frames = options->style.verbose};
	int rc = scan_layer(path, &scan, &audit->layer, err);

	if (rc)
		return rc;
	audit->name = audit->name ? audit->name : path;
	audit->platform_named = options->platform;
	audit->platform = options->platform ? options->platform : platform_infer(audit->layer);
	if (!audit->layer->nr_objects && !options->native_optional)
		fprintf(stderr, "sofold: %s: no native files found\n", audit->name);
	layer_check(audit->layer, audit->platform, audit->platform_named);
	layer_sort_findings(audit->layer);
	return 0;
}

static bool is_gap(const struct layer *layer, const struct finding *finding, bool contents)
{
	if (!strcmp(finding->rule, "interrupted-run"))
		return true;
	if (finding->severity < SEVERITY_ERROR ||
	    (strcmp(finding->rule, "unreadable") != 0 && strcmp(finding->rule, "changed") != 0))
		return false;
	return contents || layer_find_file(layer, finding->path) == NO_ID;
}

int layer_known(const struct layer *layer, bool contents, struct error *err)
{
	enum { LONGEST = 200 }; /* of a path: what is wrong with it comes behind it */
	size_t i;

	for (i = 0; i < layer->nr_findings && !layer->from_archive; i++) {
		const struct finding *finding = &layer->findings[i];
		const char *more = strlen(finding->path) > LONGEST ? "..." : "";

		if (is_gap(layer, finding, contents))
			return error_add(err, ERROR_RUN, "%s/%.*s%s: %s", layer->root, LONGEST, finding->path,
					 more, finding->message);
	}
	return 0;
}

void audit_plan(const struct options *options, struct audit *audit)
{
	struct plan_options *plan = &audit->options;

	*plan = (struct plan_options){.level = options->level,
				      .passes = options->passes,
				      .merge = options->merge,
				      .nr_merge = options->nr_merge,
				      .platform = audit->platform};
	plan->offers = bridge_offers(audit->layer, &plan->nr_offers);
	audit->plan = plan_layer(audit->layer, plan);
}

int read_mentions(struct layer *layer, struct error *err)
{
	bool *wanted = arena_array(layer->arena, layer->nr_objects, sizeof *wanted);

	plan_candidates(layer, wanted);
	return scan_mentions(layer, wanted, err);
}

int audit_layer(const struct options *options, const char *path, bool hash_families, struct audit *audit,
		struct error *err)
{
	int rc = open_layer(options, path, hash_families, audit, err);

	if (!rc)
		audit_plan(options, audit);
	return rc;
}
