/* Options every command takes, by argp; a mistake ends with status 2. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sofold/bridge.h"
#include "sofold/check.h"
#include "sofold/scan.h"
#include "sofold/vec.h"

enum { OPTION_PLATFORM = 'p', OPTION_FORMAT = 'f', OPTION_COLOR = 0x100 };

static const struct argp_option common[] = {
	{"platform", OPTION_PLATFORM, "NAME", 0,
	 "where the layer runs, e.g. lambda-python3.12-x86_64; a wrong name lists all (default: inferred)",
	 90},
	{"format", OPTION_FORMAT, "text|json", 0, "how to report (default: text)", 90},
	{"color", OPTION_COLOR, "auto|always|never", 0, "colors in text (default: auto; NO_COLOR is heeded)",
	 90},
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

static void set_format(struct argp_state *state, struct options *options, const char *name)
{
	static const char *const names[] = {
		[FORMAT_TEXT] = "text", [FORMAT_JSON] = "json", [FORMAT_GITHUB] = "github"};
	enum format most = options->takes_github ? FORMAT_GITHUB : FORMAT_JSON;

	for (options->format = FORMAT_TEXT; options->format <= most; options->format++)
		if (!strcmp(name, names[options->format]))
			return;
	argp_error(state, "--format takes text%s json%s, not '%s'", options->takes_github ? "," : " or",
		   options->takes_github ? " or github" : "", name);
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

void options_parse(struct options *options, const struct argp *argp, int argc, char **argv)
{
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(argp, argc, argv, 0, NULL, options);
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

int audit_layer(const struct options *options, const char *path, bool hash_families, struct audit *audit,
		struct error *err)
{
	struct plan_options plan = {.level = options->level,
				    .passes = options->passes,
				    .merge = options->merge,
				    .nr_merge = options->nr_merge};
	int rc = open_layer(options, path, hash_families, audit, err);

	if (rc)
		return rc;
	plan.platform = audit->platform;
	plan.offers = bridge_offers(audit->layer, &plan.nr_offers);
	audit->plan = plan_layer(audit->layer, &plan);
	return 0;
}
