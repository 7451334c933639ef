/*
 * Which rule takes which file.
 *
 * The rules are one list: the user's --keep, then --prune, wheels and services
 * the user named, then the table of the profile. The first that matches a file
 * decides. A rule of a wheel matches below the directory the wheel was
 * installed to, any other in the whole tree. Which rules can concern a wheel at
 * all is found once for each wheel.
 */
#include <string.h>

#include "prune/prune.h"
#include "sofold/check.h"
#include "sofold/vec.h"

/* --------- the list of rules ------------------ */

static void add_globs(struct prune *prune, const char *const *globs, size_t nr, const char *name,
		      enum rule_effect effect, const char *why)
{
	for (size_t i = 0; i < nr; i++)
		*VEC_PUSH(prune->arena, prune, rules) = (struct rule){
			.name = name,
			.effect = effect,
			.pattern = globs[i],
			.why = why,
		};
}

static void add_wheels(struct prune *prune)
{
	for (size_t i = 0; i < prune->options.nr_wheels; i++)
		*VEC_PUSH(prune->arena, prune, rules) = (struct rule){
			.name = "wheel",
			.effect = RULE_REMOVES,
			.wheels = prune->options.wheels[i],
			.pattern = "**",
			.why = "the whole wheel is not to be deployed",
		};
}

static void add_table(struct prune *prune, const struct rule *table)
{
	for (; table->name; table++)
		if (table->level <= prune->options.level)
			*VEC_PUSH(prune->arena, prune, rules) = *table;
}

static void add_bytecode(struct prune *prune)
{
	if (prune->options.bytecode == PRUNE_BYTECODE_DROP)
		*VEC_PUSH(prune->arena, prune, rules) = (struct rule){
			.name = "bytecode",
			.effect = RULE_REMOVES,
			.pattern = "**/__pycache__/*.pyc",
			.needs = NEEDS_BYTECODE,
			.why = "all bytecode is dropped",
			.breaks = "fast imports: every module is compiled anew",
		};
}

static void add_compiled(struct prune *prune)
{
	if (prune->options.bytecode == PRUNE_BYTECODE_COMPILE)
		*VEC_PUSH(prune->arena, prune, rules) = (struct rule){
			.name = "bytecode",
			.effect = RULE_KEEPS,
			.pattern = "**/__pycache__/*.pyc",
			.needs = NEEDS_OWN,
			.why = "compiled for the layer's interpreter",
		};
}

static void add_rules(struct prune *prune)
{
	const struct prune_options *options = &prune->options;

	add_globs(prune, options->keep, options->nr_keep, "--keep", RULE_KEEPS, "named by --keep");
	add_globs(prune, options->remove, options->nr_remove, "--prune", RULE_REMOVES, "named by --prune");
	add_wheels(prune);
	prune->nr_named = prune->nr_rules;
	if (options->nr_services)
		add_table(prune, rules_of_services());
	add_globs(prune, options->slim, options->nr_slim, "slim", RULE_REMOVES, "of slimPatterns");
	add_bytecode(prune);
	add_compiled(prune);
	add_table(prune, rules_of(options->profile));
	prune->refused_rules = arena_array(prune->arena, prune->nr_rules, sizeof *prune->refused_rules);
}

/* --------- one file ------------------ */

static bool is_useless_bytecode(const struct prune *prune, const struct file *file)
{
	return file->bytecode == BYTECODE_STALE || file->bytecode == BYTECODE_ALONE ||
	       bytecode_is_foreign(file, prune->tag);
}

static bool is_extension(const struct prune *prune, const struct file *file)
{
	return file->object != NO_ID && file->kind == FILE_REGULAR &&
	       prune->layer->objects[file->object].is_extension;
}

/* What importing it later is for settle.c to see; here what the file itself
 * tells. */
static bool is_met(const struct prune *prune, const struct rule *rule, const struct file *file)
{
	switch (rule->needs) {
	case NEEDS_EXTENSION:
		return is_extension(prune, file);
	case NEEDS_STALE:
		return is_useless_bytecode(prune, file);
	case NEEDS_OWN:
		return file->bytecode != BYTECODE_NONE && file->bytecode != BYTECODE_ALONE &&
		       !bytecode_is_foreign(file, prune->tag);
	case NEEDS_BYTECODE:
		return file->bytecode != BYTECODE_NONE;
	case NEEDS_NO_SERVICE:
		return sdk_is_unwanted(&prune->options, file->path);
	case NEEDS_AWS_SDK:
		return prune->options.platform_named && prune->options.platform->brings_aws_sdk &&
		       !prune->options.nr_services;
	case NEEDS_NOTHING:
	case NEEDS_NO_STUBS:
	case NEEDS_NO_METADATA:
		return true;
	}
	return false;
}

/* A file's path below where its wheel was installed, for the wheels' rules. */
static const char *path_in_wheel(const struct layer *layer, const struct file *file)
{
	const char *base = file->owner == NO_ID ? "" : layer->owners[file->owner].base;
	size_t n = strlen(base);

	return n && !strncmp(file->path, base, n) && file->path[n] == '/' ? file->path + n + 1 : file->path;
}

static const char *why_unit_stays(const struct prune *prune, const char *path, size_t unit)
{
	for (size_t i = 0; i < prune->nr_refused_units; i++)
		if (strlen(prune->refused_units[i].path) == unit &&
		    !memcmp(prune->refused_units[i].path, path, unit))
			return prune->refused_units[i].why;
	return NULL;
}

static struct fate fate_by(const struct prune *prune, const struct rule *rule, const struct file *file,
			   size_t unit)
{
	struct fate fate = {.rule = rule, .unit = unit, .removed = rule->effect == RULE_REMOVES};

	fate.stays = fate.removed ? why_unit_stays(prune, file->path, unit) : rule->why;
	fate.removed &= !fate.stays;
	return fate;
}

/* applies has a flag for each rule: it may concern this file's wheel. */
static struct fate fate_of(const struct prune *prune, const struct file *file, const bool *applies)
{
	const char *in_wheel = path_in_wheel(prune->layer, file);

	for (size_t i = 0; i < prune->nr_rules; i++) {
		const struct rule *rule = &prune->rules[i];
		const char *path = rule->wheels ? in_wheel : file->path;
		size_t unit = applies[i] && !prune->refused_rules[i] ? prune_match(rule->pattern, path) : 0;

		if (unit && is_met(prune, rule, file))
			return fate_by(prune, rule, file, unit + (size_t)(path - file->path));
	}
	return (struct fate){.removed = false};
}

/* --------- all files ------------------ */

/* A row of flags for each wheel, and one more for files of none. */
static bool *find_applicable(const struct prune *prune)
{
	const struct layer *layer = prune->layer;
	bool *applies = arena_array(prune->arena, (layer->nr_owners + 1) * prune->nr_rules, sizeof *applies);

	for (size_t i = 0; i <= layer->nr_owners; i++)
		for (size_t k = 0; k < prune->nr_rules; k++) {
			const struct rule *rule = &prune->rules[k];

			applies[i * prune->nr_rules + k] =
				!rule->wheels ||
				(i < layer->nr_owners &&
				 rule_names_wheel(rule->wheels, layer->owners[i].name) &&
				 rule_takes_version(rule->versions, layer->owners[i].version));
		}
	return applies;
}

/* Bytecode goes with its source, whatever took that. */
static void follow_sources(struct prune *prune)
{
	const struct layer *layer = prune->layer;

	for (size_t i = 0; i < layer->nr_files; i++) {
		const char *source = layer->files[i].bytecode == BYTECODE_NONE
					     ? NULL
					     : path_of_source(prune->arena, layer->files[i].path);
		file_id py = source ? layer_find_file(layer, source) : NO_ID;

		if (py != NO_ID && prune->fates[py].removed && !prune->fates[i].removed)
			prune->fates[i] = (struct fate){.rule = prune->fates[py].rule,
							.unit = strlen(layer->files[i].path),
							.removed = true};
	}
}

static bool is_source(const struct file *file)
{
	return file->kind == FILE_REGULAR &&
	       (file_has_suffix(file, ".py") || !strcmp(file->name, "entry_points.txt"));
}

void prune_apply_rules(struct prune *prune)
{
	const struct layer *layer = prune->layer;

	for (size_t i = 0; i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];
		size_t row = file->owner == NO_ID ? layer->nr_owners : file->owner;

		if (file->kind != FILE_OTHER)
			prune->fates[i] = fate_of(prune, file, &prune->applies[row * prune->nr_rules]);
		prune->unread[i] = is_source(file) && !prune->fates[i].removed && !prune->read[i];
	}
	follow_sources(prune);
}

static void add_base(struct prune *prune, const char *base)
{
	for (size_t i = 0; i < prune->nr_bases; i++)
		if (!strcmp(prune->bases[i], base))
			return;
	*VEC_PUSH(prune->arena, prune, bases) = base;
}

/* Every wheel's directory is on sys.path where it is used, and so is the root;
 * and what Lambda has there, which wheels without a RECORD may lie in. */
static void find_bases(struct prune *prune)
{
	const struct layer *layer = prune->layer;
	static const char packages[] = "/site-packages/", python[] = "python/";

	add_base(prune, "");
	for (size_t i = 0; i < layer->nr_owners; i++)
		add_base(prune, layer->owners[i].base);
	for (size_t i = 0; i < layer->nr_files; i++) {
		const char *path = layer->files[i].path, *at = strstr(path, packages);

		if (!strncmp(path, python, strlen(python)))
			add_base(prune, "python");
		if (at &&
		    (!i || strncmp(layer->files[i - 1].path, path, (size_t)(at - path) + strlen(packages))))
			add_base(prune, arena_strndup(prune->arena, path,
						      (size_t)(at - path) + strlen(packages) - 1));
	}
}

int prune_select(struct layer *layer, const struct prune_options *options, struct prune **out,
		 struct error *err)
{
	struct arena *arena = layer->arena;
	struct prune *prune = arena_alloc(arena, sizeof *prune);
	int rc = options->nr_services ? sdk_check_services(layer, options, err) : 0;

	prune->arena = arena;
	prune->layer = layer;
	prune->options = *options;
	prune->tag = layer_interpreter(layer, options->platform);
	prune->fates = arena_array(arena, layer->nr_files, sizeof *prune->fates);
	prune->unread = arena_array(arena, layer->nr_files, sizeof *prune->unread);
	prune->read = arena_array(arena, layer->nr_files, sizeof *prune->read);
	if (rc)
		return rc;
	add_rules(prune);
	prune->applies = find_applicable(prune);
	find_bases(prune);
	prune_apply_rules(prune);
	*out = prune;
	return 0;
}

const bool *prune_unread(const struct prune *prune)
{
	return prune->unread;
}
