/*
 * The new tree of shrink -o: there whole, or not there at all.
 *
 * It is made under another name beside its own, by a worker (worker.c), and
 * renamed when all is done. What has its first name when the worker has ended goes.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "sofold/apply.h"

int output_begin(struct output *output, struct arena *arena, const char *name, struct error *err)
{
	size_t n = strlen(name);
	const char *slash;
	uint32_t random;
	struct stat st;

	while (n > 1 && name[n - 1] == '/')
		n--;
	name = arena_strndup(arena, name, n);
	if (!lstat(name, &st))
		return error_add(err, ERROR_RUN, "making %s: it exists, and -o makes a new directory", name);
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return error_errno(err, "making %s", name);
	slash = strrchr(name, '/');
	output->name = name;
	output->base = slash ? slash + 1 : name;
	/* A name may have 255 bytes; the end of a long one is left out. */
	output->making_base = arena_printf(arena, ".%.200s.sofold-%08x", output->base, random);
	output->making = arena_printf(arena, "%.*s%s", (int)(output->base - name), name, output->making_base);
	return 0;
}

int output_finish(const struct output *output, struct error *err)
{
	return tree_rename(output->making, output->name, err);
}

void output_rename_in(const struct output *output, struct error *err)
{
	struct error rest;
	char *at;

	while ((at = strstr(err->message, output->making_base))) {
		snprintf(rest.message, sizeof rest.message, "%s", at + strlen(output->making_base));
		snprintf(at, (size_t)(err->message + sizeof err->message - at), "%s%s", output->base,
			 rest.message);
	}
}

int output_tidy(const struct output *output, struct error *err)
{
	struct stat st;

	return lstat(output->making, &st) ? 0 : tree_remove(output->making, err);
}
