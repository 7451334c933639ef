/*
 * Which files the name of a module may stand for: a source, a package, bytecode
 * without a source, an extension module, a directory (importlib's
 * FileFinder, Lib/importlib/_bootstrap_external.py).
 */
#include <stdio.h>
#include <string.h>

#include "layer/walk.h"
#include "prune/prune.h"

/* What a module's name leads to. */
struct target {
	const struct prune *prune;
	bool stays;    /* some file of the module does */
	file_id going; /* or one that goes; NO_ID: none */
};

static void note(struct target *target, file_id file)
{
	if (!target->prune->fates[file].removed)
		target->stays = true;
	else if (target->going == NO_ID)
		target->going = file;
}

/* base/path and suffix in name; false: too long for any file. */
static bool make_name(char name[WALK_PATH_MAX], const char *base, const char *path, const char *suffix)
{
	int n = snprintf(name, WALK_PATH_MAX, "%s%s%s%s", base, *base ? "/" : "", path, suffix);

	return n >= 0 && n < WALK_PATH_MAX;
}

static void note_exact(struct target *target, const char *base, const char *path, const char *suffix)
{
	char name[WALK_PATH_MAX];
	file_id file = make_name(name, base, path, suffix) ? layer_find_file(target->prune->layer, name)
							   : NO_ID;

	if (file != NO_ID)
		note(target, file);
}

static bool is_module_suffix(const char *rest)
{
	size_t n = strlen(rest);

	return !strchr(rest, '/') && n >= 3 && !strcmp(rest + n - 3, ".so");
}

/* "a/b.cpython-312-x86_64-linux-gnu.so", "a/b.abi3.so", "a/b.so" */
static void note_extensions(struct target *target, const char *base, const char *path)
{
	const struct layer *layer = target->prune->layer;
	char prefix[WALK_PATH_MAX];
	size_t n, i;

	if (!make_name(prefix, base, path, "."))
		return;
	n = strlen(prefix);
	for (i = layer_first_at(layer, prefix); i < layer->nr_files; i++) {
		if (strncmp(layer->files[i].path, prefix, n))
			return;
		if (is_module_suffix(layer->files[i].path + n - 1))
			note(target, (file_id)i);
	}
}

/* A directory without __init__.py is a package, too (PEP 420): then all of its files,
 * when the whole of it goes and not only what happens to be all there is. */
static void note_directory(struct target *target, const char *base, const char *path)
{
	const struct layer *layer = target->prune->layer;
	char prefix[WALK_PATH_MAX];
	size_t n, i;

	if (!make_name(prefix, base, path, "/"))
		return;
	n = strlen(prefix);
	for (i = layer_first_at(layer, prefix); i < layer->nr_files && !target->stays; i++) {
		if (strncmp(layer->files[i].path, prefix, n))
			return;
		if (!target->prune->fates[i].removed || target->prune->fates[i].unit < n)
			note(target, (file_id)i);
	}
}

static void note_at(struct target *target, const char *base, const char *path)
{
	note_exact(target, base, path, ".py");
	note_exact(target, base, path, "/__init__.py");
	note_exact(target, base, path, ".pyc"); /* without a source: SourcelessFileLoader */
	note_exact(target, base, path, "/__init__.pyc");
	note_extensions(target, base, path);
	if (!target->stays && target->going == NO_ID)
		note_directory(target, base, path);
}

/* The file that goes although the import asks for it, or NO_ID. Absolute names
 * are looked for below every base. */
file_id prune_missing_target(const struct prune *prune, const struct python_import *import)
{
	struct target target = {prune, false, NO_ID};

	if (*import->path && !import->absolute)
		note_at(&target, "", import->path);
	for (size_t i = 0; *import->path && import->absolute && i < prune->nr_bases; i++)
		note_at(&target, prune->bases[i], import->path);
	return target.stays ? NO_ID : target.going;
}
