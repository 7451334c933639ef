/*
 * What the simulated loader does: prints for an object of a directory what
 * loader_probe prints from the real one.
 *
 *	resolve_tool DIR PLATFORM ROOT [LIBRARY_DIR]
 *
 * LIBRARY_DIR is a directory in DIR that LD_LIBRARY_PATH names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sofold/resolve.h"
#include "sofold/scan.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Prints the first name that is missing and returns true, or returns false. */
static bool print_missing(const struct layer *layer, const struct scope *scope)
{
	for (size_t i = 0; i < scope->nr_loaded; i++) {
		const struct object *object = &layer->objects[scope->loaded[i].object];

		for (size_t k = 0; k < object->nr_needed; k++) {
			if (scope->loaded[i].targets[k].kind != TARGET_MISSING)
				continue;
			printf("missing %s\n", object->needed[k]);
			return true;
		}
	}
	return false;
}

static void print_hosts(const struct layer *layer, const struct scope *scope, const struct platform *platform)
{
	const char *hosts[64] = {NULL};
	size_t nr = 0;

	for (size_t i = 0; i < scope->nr_loaded; i++) {
		const struct object *object = &layer->objects[scope->loaded[i].object];

		for (size_t k = 0; k < object->nr_needed && nr < sizeof hosts / sizeof *hosts; k++) {
			if (scope->loaded[i].targets[k].kind == TARGET_HOST &&
			    platform_provision(platform, object->needed[k]) != PROVISION_LOADED)
				hosts[nr++] = object->needed[k];
		}
	}
	qsort(hosts, nr, sizeof *hosts, compare);
	for (size_t i = 0; i < nr; i++) {
		if (!i || strcmp(hosts[i], hosts[i - 1]) != 0)
			printf("host %s\n", hosts[i]);
	}
}

static void print_answer(struct layer *layer, const struct scope *scope, object_id root)
{
	const struct object *object = &layer->objects[root];

	for (size_t i = 0; i < object->nr_imports; i++) {
		uint32_t at;

		if (strcmp(object->imports[i].name, "answer") != 0)
			continue;
		at = resolve_import(layer->arena, layer, scope, &object->imports[i]);
		printf("answer %s\n", at == NO_ID ? "nobody" : scope->loaded[at].path);
	}
}

static int simulate(struct layer *layer, const struct platform *platform, const char *path)
{
	object_id root = layer_object_at(layer, path);
	struct scope scope;

	if (root == NO_ID) {
		fprintf(stderr, "resolve_tool: %s is no object of %s\n", path, layer->root);
		return 2;
	}
	scope = resolve_scope(layer->arena, layer, platform, root);
	if (print_missing(layer, &scope))
		return 0;
	for (size_t i = 0; i < scope.nr_loaded; i++)
		printf("%s\n", scope.loaded[i].path);
	print_hosts(layer, &scope, platform);
	print_answer(layer, &scope, root);
	return 0;
}

int main(int argc, char **argv)
{
	const char *library_path[2] = {NULL};
	struct scan_options options = {.threads = 1};
	struct platform platform;
	struct error err = {{0}};
	struct layer *layer;
	char directory[4096];
	int status;

	if (argc < 4 || !platform_find(argv[2])) {
		fputs("usage: resolve_tool DIR PLATFORM ROOT [LIBRARY_DIR]\n", stderr);
		return 2;
	}
	platform = *platform_find(argv[2]);
	if (argc > 4) {
		snprintf(directory, sizeof directory, "/layer/%s", argv[4]);
		library_path[0] = directory;
		platform.library_path = library_path;
		platform.layer_mount = platform.function_mount = "/layer";
	}
	if (scan_layer(argv[1], &options, &layer, &err)) {
		fprintf(stderr, "resolve_tool: %s\n", err.message);
		return 3;
	}
	status = simulate(layer, &platform, argv[3]);
	layer_free(layer);
	return status;
}
