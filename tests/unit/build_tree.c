/* See build_tree.h. */
#include "build_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_object.h"
#include "sofold/arena.h"
#include "sofold/scan.h"

static char root[64];

void tree_plant(void)
{
	strcpy(root, "/tmp/sofold-tree.XXXXXX");
	if (!mkdtemp(root))
		exit(1);
}

void tree_fell(void)
{
	if (system(arena_printf(object_arena(), "rm -rf %s", root)))
		perror(root);
	object_forget();
}

const char *tree_path(const char *name)
{
	return arena_printf(object_arena(), "%s/%s", root, name);
}

void tree_put(const char *name, struct span bytes)
{
	FILE *out = fopen(tree_path(name), "wb");

	if (!out || fwrite(bytes.p, 1, bytes.n, out) != bytes.n || fclose(out))
		exit(1);
}

struct layer *tree_survey(void)
{
	struct scan_options options = {0};
	struct layer *layer;
	struct error err = {""};

	if (scan_layer(root, &options, &layer, &err)) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	return layer;
}
