/*
 * What may not go after all.
 *
 * A file that stays may import, need or point to one that goes. Then all that
 * the rule took as a whole comes back: of a tests/ directory one module may
 * need any other, and the data beside it. What comes back has imports of its
 * own, so this goes on until nothing new does; the set that goes only gets
 * smaller, so it ends.
 *
 * Some rules ask that nobody who stays imports a certain module at all
 * (importlib.metadata before metadata goes): they are dropped whole.
 */
#include <string.h>

#include "layer/walk.h"
#include "prune/prune.h"
#include "sofold/vec.h"

/* --------- imports ------------------ */

/* Modules whose users need what a rule takes. */
static const struct {
	enum rule_needs needs;
	const char *module, *text;
} users[] = {
	{NEEDS_NO_STUBS, "lazy_loader", "lazy_loader, which may read stubs"},
	{NEEDS_NO_METADATA, "importlib/metadata", "importlib.metadata"},
	{NEEDS_NO_METADATA, "importlib_metadata", "importlib_metadata"},
	{NEEDS_NO_METADATA, "pkg_resources", "pkg_resources"},
};

enum { NR_USERS = sizeof users / sizeof *users };

/* Whether a source is of a module, wherever that is installed. */
static bool is_part_of(const struct prune *prune, file_id file, const char *module)
{
	size_t n = strlen(module);

	for (size_t i = 0; i < prune->nr_bases; i++) {
		const char *path = prune->layer->files[file].path, *base = prune->bases[i];
		size_t at = strlen(base);

		if (at && (strncmp(path, base, at) || path[at++] != '/'))
			continue;
		if (!strncmp(path + at, module, n) && (path[at + n] == '/' || path[at + n] == '.'))
			return true;
	}
	return false;
}

/* Whether the import is of users[i]; a package's own modules do not count. */
static bool uses(const struct prune *prune, const struct python_import *import, size_t i)
{
	return import->absolute && !strcmp(import->path, users[i].module) &&
	       !is_part_of(prune, import->file, users[i].module);
}

bool prune_asks(const struct prune *prune, const struct python_import *import)
{
	for (size_t i = 0; i < NR_USERS; i++)
		if (uses(prune, import, i))
			return true;
	return prune_missing_target(prune, import) != NO_ID;
}

/* --------- refusals ------------------ */

static void add_note(struct prune *prune, const char *path, const char *rule, const char *why, bool removed)
{
	*VEC_PUSH(prune->arena, prune, notes) = (struct prune_note){path, rule, why, removed};
}

static bool is_named(const struct prune *prune, const struct rule *rule)
{
	return (size_t)(rule - prune->rules) < prune->nr_named;
}

static bool is_noted(const struct prune *prune, const char *path)
{
	for (size_t i = 0; i < prune->nr_notes; i++)
		if (!strcmp(prune->notes[i].path, path))
			return true;
	return false;
}

/* Gives back the unit a file belongs to, unless the user named it: then a
 * warning says what that means. */
static void refuse(struct prune *prune, file_id file, const char *why)
{
	struct fate *fate = &prune->fates[file];
	const char *unit = arena_strndup(prune->arena, prune->layer->files[file].path, fate->unit);
	bool named = is_named(prune, fate->rule);

	if (!fate->removed || (named && is_noted(prune, unit)))
		return;
	add_note(prune, unit, fate->rule->name, why, named);
	if (named)
		return;
	VEC_PUSH(prune->arena, prune, refused_units)->path = unit;
	prune->refused_units[prune->nr_refused_units - 1].why = why;
	for (size_t i = 0; i < prune->layer->nr_files; i++) {
		struct fate *other = &prune->fates[i];

		if (other->removed && other->unit == fate->unit &&
		    !strncmp(prune->layer->files[i].path, unit, fate->unit)) {
			other->removed = false;
			other->stays = why;
		}
	}
}

static const char *dotted(struct arena *arena, const char *path)
{
	char *name = arena_strdup(arena, path), *p;

	for (p = name; *p; p++)
		if (*p == '/')
			*p = '.';
	return name;
}

static const char *where(struct prune *prune, const struct python_import *import)
{
	return arena_printf(prune->arena, "%s:%u imports %s", prune->layer->files[import->file].path,
			    import->line, dotted(prune->arena, import->path));
}

static void refuse_imported(struct prune *prune)
{
	for (size_t i = 0; i < prune->imports.nr_items; i++) {
		const struct python_import *import = &prune->imports.items[i];
		file_id file;

		if (prune->fates[import->file].removed)
			continue;
		while ((file = prune_missing_target(prune, import)) != NO_ID) {
			refuse(prune, file, where(prune, import));
			if (prune->fates[file].removed)
				break; /* by the user's word */
		}
	}
}

static const char *first_user(struct prune *prune, enum rule_needs needs)
{
	for (size_t i = 0; i < prune->imports.nr_items; i++)
		for (size_t k = 0; k < NR_USERS; k++) {
			const struct python_import *import = &prune->imports.items[i];

			if (users[k].needs == needs && uses(prune, import, k) &&
			    !prune->fates[import->file].removed)
				return arena_printf(prune->arena, "%s:%u imports %s",
						    prune->layer->files[import->file].path, import->line,
						    users[k].text);
		}
	return NULL;
}

/* Drops rules whose condition is not met; true: some were dropped. */
static bool refuse_rules(struct prune *prune)
{
	bool any = false;

	for (size_t i = 0; i < prune->nr_rules; i++) {
		const struct rule *rule = &prune->rules[i];
		bool asks = rule->needs == NEEDS_NO_STUBS || rule->needs == NEEDS_NO_METADATA;
		const char *why = asks && !prune->refused_rules[i] ? first_user(prune, rule->needs) : NULL;

		if (!why)
			continue;
		prune->refused_rules[i] = why;
		add_note(prune, rule->pattern, rule->name, why, false);
		any = true;
	}
	return any;
}

/* --------- libraries and symlinks ------------------ */

static bool stays(const struct prune *prune, const struct object *object)
{
	for (size_t i = 0; i < object->nr_links; i++)
		if (!prune->fates[object->links[i]].removed)
			return true;
	return false;
}

static bool needs(const struct object *object, const char *file_name, const char *soname)
{
	for (size_t i = 0; i < object->nr_needed; i++) {
		const char *slash = strrchr(object->needed[i], '/');
		const char *name = slash ? slash + 1 : object->needed[i];

		if (!strcmp(name, file_name) || (soname && !strcmp(name, soname)))
			return true;
	}
	return false;
}

/* Somebody who stays and needs a library of this name, wherever it is found. */
static const struct object *find_consumer(const struct prune *prune, const struct file *file)
{
	const struct layer *layer = prune->layer;
	const char *soname = layer->objects[file->object].soname;

	for (size_t i = 0; i < layer->nr_objects; i++)
		if (needs(&layer->objects[i], file->name, soname) && stays(prune, &layer->objects[i]))
			return &layer->objects[i];
	return NULL;
}

static void refuse_needed(struct prune *prune)
{
	const struct layer *layer = prune->layer;

	for (size_t i = 0; i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];
		const struct object *consumer = NULL;

		if (prune->fates[i].removed && file->object != NO_ID)
			consumer = find_consumer(prune, file);
		if (consumer)
			refuse(prune, (file_id)i,
			       arena_printf(prune->arena, "%s needs %s", object_path(layer, consumer),
					    file->name));
	}
}

/* Gives back what a symlink leads to, a file or a directory, when nothing of it
 * would stay. */
static void refuse_target(struct prune *prune, const char *path, const struct file *link)
{
	const struct layer *layer = prune->layer;
	size_t n = strlen(path), first = layer_first_at(layer, path), i;

	for (i = first; i < layer->nr_files && !strncmp(layer->files[i].path, path, n); i++)
		if ((layer->files[i].path[n] == '/' || !layer->files[i].path[n]) && !prune->fates[i].removed)
			return;
	while (i-- > first)
		if (layer->files[i].path[n] == '/' || !layer->files[i].path[n])
			refuse(prune, (file_id)i,
			       arena_printf(prune->arena, "%s is a symlink to it", link->path));
}

/* The end of the way and its first step: a link on the way is needed as well,
 * and is looked at itself when it has come back. */
static void refuse_linked(struct prune *prune)
{
	const struct layer *layer = prune->layer;
	char target[WALK_PATH_MAX];

	for (size_t i = 0; i < layer->nr_files; i++) {
		const struct file *link = &layer->files[i];
		const char *dir, *step;

		if (link->kind != FILE_SYMLINK || prune->fates[i].removed)
			continue;
		dir = path_dir(prune->arena, link->path);
		step = path_join(prune->arena, dir, link->link_target);
		if (step && *step)
			refuse_target(prune, step, link);
		if (walk_path(layer, dir, link->link_target, target) && *target)
			refuse_target(prune, target, link);
	}
}

/* --------- the interface ------------------ */

static bool nothing_unread(const struct prune *prune)
{
	return !memchr(prune->unread, true, prune->layer->nr_files * sizeof *prune->unread);
}

bool prune_settle(struct prune *prune, const struct python_imports *imports)
{
	size_t i, nr;

	for (i = 0; i < imports->nr_items; i++)
		*VEC_PUSH(prune->arena, &prune->imports, items) = imports->items[i];
	for (i = 0; i < prune->layer->nr_files; i++)
		prune->read[i] |= prune->unread[i];
	if (refuse_rules(prune))
		prune_apply_rules(prune);
	do { /* what came back needs libraries, too */
		nr = prune->nr_refused_units;
		refuse_imported(prune);
		refuse_needed(prune);
		refuse_linked(prune);
		prune_apply_rules(prune);
	} while (nr != prune->nr_refused_units);
	return !nothing_unread(prune);
}

struct layer *prune_result(struct prune *prune)
{
	const struct layer *layer = prune->layer;
	const struct pruned **pruned = arena_array(prune->arena, layer->nr_files, sizeof *pruned);
	bool any = false;

	for (size_t i = 0; i < layer->nr_files; i++) {
		const struct rule *rule = prune->fates[i].rule;
		struct pruned what;

		if (!prune->fates[i].removed)
			continue;
		what = (struct pruned){rule->name, rule->why};
		pruned[i] = arena_memdup(prune->arena, &what, sizeof what);
		any = true;
	}
	return any ? layer_without(prune->layer, pruned) : prune->layer;
}

const struct prune_note *prune_notes(const struct prune *prune, size_t *nr)
{
	*nr = prune->nr_notes;
	return prune->notes;
}
