/*
 * What shrink leaves out: the options, what .sofold.yml and serverless.yml say
 * besides, and the loop of reading and deciding (prune.h).
 */
#include <string.h>

#include "cli/cli.h"
#include "sofold/check.h"
#include "sofold/scan.h"
#include "sofold/vec.h"

/* --------- options ------------------ */

static const char *const profiles[] = {
	[PRUNE_RULES] = "rules", [PRUNE_RECIPE] = "recipe", [PRUNE_SLIM] = "slim", [PRUNE_NAMED] = "none"};

static const char *const bytecodes[] = {
	[PRUNE_BYTECODE_KEEP] = "keep", [PRUNE_BYTECODE_DROP] = "drop", [PRUNE_BYTECODE_COMPILE] = "compile"};

/* The index of name in names; nr: it is none of them. */
static size_t find_name(const char *name, const char *const *names, size_t nr)
{
	size_t i = 0;

	while (i < nr && strcmp(name, names[i]))
		i++;
	return i;
}

static bool take_profile(struct prune_request *request, const char *name)
{
	size_t nr = sizeof profiles / sizeof *profiles, i = find_name(name, profiles, nr);

	request->profile = (enum prune_profile)i;
	request->profile_named = true;
	return i < nr;
}

static bool take_bytecode(struct prune_request *request, const char *name)
{
	size_t nr = sizeof bytecodes / sizeof *bytecodes, i = find_name(name, bytecodes, nr);

	request->bytecode = (enum prune_bytecode)i;
	request->bytecode_named = true;
	return i < nr;
}

bool prune_parse(int key, char *arg, struct argp_state *state, struct options *options)
{
	struct prune_request *request = &options->prune;

	switch (key) {
	case OPTION_PROFILE:
		if (!take_profile(request, arg))
			argp_error(state, "--profile takes rules, recipe, slim or none, not '%s'", arg);
		return true;
	case OPTION_BYTECODE:
		if (!take_bytecode(request, arg))
			argp_error(state, "--bytecode takes keep, drop or compile, not '%s'", arg);
		return true;
	case OPTION_KEEP:
		*VEC_PUSH(options->arena, request, keep) = arg;
		return true;
	case OPTION_PRUNE:
		*VEC_PUSH(options->arena, request, remove) = arg;
		return true;
	case OPTION_SERVICES:
		options_add_list(options->arena, &request->services, &request->nr_services,
				 &request->alloc_services, arg);
		return true;
	case OPTION_SERVERLESS:
		request->serverless = arg;
		return true;
	case OPTION_PYTHON:
		request->python = arg;
		return true;
	case OPTION_EXPLAIN:
		*VEC_PUSH(options->arena, request, explain) = arg;
		return true;
	}
	return false;
}

/* --------- configuration ------------------ */

static void take_slim(struct options *options, const struct config_slim *slim)
{
	struct prune_request *request = &options->prune;
	size_t i;

	for (i = 0; i < slim->no_deploy.nr_items; i++)
		*VEC_PUSH(options->arena, request, wheels) = slim->no_deploy.items[i].text;
	if (slim->slim != CONFIG_YES)
		return;
	for (i = 0; i < slim->patterns.nr_items; i++)
		*VEC_PUSH(options->arena, request, slim) = slim->patterns.items[i].text;
	if (!request->profile_named)
		request->profile = slim->append_defaults == CONFIG_NO ? PRUNE_NAMED : PRUNE_SLIM;
	request->profile_named = true;
}

static int take_words(struct options *options, struct error *err)
{
	const struct config *config = &options->config;
	const struct config_text *profile = &config->prune.profile, *bytecode = &config->prune.bytecode;

	if (profile->text && !options->prune.profile_named && !take_profile(&options->prune, profile->text))
		return config_error(err, config->path, profile->line,
				    "profile is rules, recipe, slim or none, not '%s'", profile->text);
	if (bytecode->text && !options->prune.bytecode_named &&
	    !take_bytecode(&options->prune, bytecode->text))
		return config_error(err, config->path, bytecode->line,
				    "bytecode is keep, drop or compile, not '%s'", bytecode->text);
	return 0;
}

int prune_configure(struct options *options, struct error *err)
{
	struct prune_request *request = &options->prune;
	const struct config_prune *config = &options->config.prune;
	bool has_services = request->nr_services;
	struct config_slim slim = {0};
	size_t i;
	int rc = take_words(options, err);

	for (i = 0; i < config->keep.nr_items; i++)
		*VEC_PUSH(options->arena, request, keep) = config->keep.items[i].text;
	for (i = 0; i < config->remove.nr_items; i++)
		*VEC_PUSH(options->arena, request, remove) = config->remove.items[i].text;
	for (i = 0; i < config->botocore_services.nr_items && !has_services; i++)
		*VEC_PUSH(options->arena, request, services) = config->botocore_services.items[i].text;
	take_slim(options, &config->slim);
	if (!rc && request->serverless)
		rc = config_read_serverless(options->arena, request->serverless, &slim, err);
	take_slim(options, &slim);
	return rc;
}

/* --------- the pass ------------------ */

static struct prune_options options_of(const struct options *options, const struct audit *audit)
{
	const struct prune_request *request = &options->prune;

	return (struct prune_options){
		.level = options->level,
		.profile = request->profile,
		.bytecode = request->bytecode,
		.platform = audit->platform,
		.platform_named = audit->platform_named,
		.keep = request->keep,
		.nr_keep = request->nr_keep,
		.remove = request->remove,
		.nr_remove = request->nr_remove,
		.slim = request->slim,
		.nr_slim = request->nr_slim,
		.wheels = request->wheels,
		.nr_wheels = request->nr_wheels,
		.services = request->services,
		.nr_services = request->nr_services,
	};
}

static bool matches_anything(const struct layer *layer, const char *glob)
{
	size_t i = 0;

	while (i < layer->nr_files && !prune_match(glob, layer->files[i].path))
		i++;
	return i < layer->nr_files;
}

/* A misspelt --keep would otherwise keep nothing. */
static void warn_of_idle_globs(const struct layer *layer, const char *option, const char *const *globs,
			       size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!matches_anything(layer, globs[i]))
			fprintf(stderr, "sofold: %s %s: there is no such path in the layer\n", option,
				report_shown(globs[i]));
}

void prune_warn(const struct options *options, const struct layer *layer)
{
	const struct prune_request *request = &options->prune;

	if (options->quiet)
		return;
	warn_of_idle_globs(layer, "--keep", request->keep, request->nr_keep);
	warn_of_idle_globs(layer, "--prune", request->remove, request->nr_remove);
}

int prune_layer(const struct options *options, const struct audit *audit, struct prune **prune,
		struct error *err)
{
	struct prune_options wanted = options_of(options, audit);
	struct python_imports imports;
	bool more = true;
	int rc = prune_select(audit->layer, &wanted, prune, err);

	while (!rc && more) {
		rc = scan_imports(audit->layer, *prune, &imports, err);
		more = !rc && prune_settle(*prune, &imports);
	}
	return rc;
}

/* --------- bytecode ------------------ */

/* "cpython-312" -> "python3.12"; NULL: no CPython 3. */
static const char *command_of(struct arena *arena, const char *tag)
{
	static const char prefix[] = "cpython-3";
	size_t n = strlen(prefix), digits;

	if (!tag || strncmp(tag, prefix, n))
		return NULL;
	digits = strspn(tag + n, "0123456789");
	return arena_printf(arena, "python3.%.*s", (int)digits, tag + n);
}

int prune_compile(const struct options *options, const struct audit *audit, struct compiled *compiled,
		  struct error *err)
{
	struct arena *arena = audit->layer->arena;
	const char *tag = layer_interpreter(audit->layer, audit->platform);
	const char *python = options->prune.python ? options->prune.python : options->python;

	if (options->prune.bytecode != PRUNE_BYTECODE_COMPILE || options->dry_run)
		return 0;
	if (!python)
		python = command_of(arena, tag);
	if (!python)
		return error_add(err, ERROR_USAGE,
				 "--bytecode compile: the layer does not say for which interpreter; "
				 "name one with --python");
	return bytecode_compile(arena, audit->layer, python, tag, compiled, err);
}
