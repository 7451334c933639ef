/*
 * Asking the interpreter, which takes minutes for a big layer: on a terminal
 * one line of stderr says how far it is, and is gone at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define CLEAR "\r\033[K"

static bool is_watched(const struct options *options)
{
	const char *term = getenv("TERM");

	return !options->quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

/* Short enough for one line, or clearing it would leave the rest. */
static void show(const void *what, const char *module, size_t done, size_t nr)
{
	const char *text = report_shown(module ? module : "");

	fprintf(stderr, CLEAR "%s %zu/%zu %.40s", (const char *)what, done, nr, text);
}

int probe_imports(const struct options *options, const struct layer *layer, const char *what,
		  struct imports *imports, struct error *err)
{
	struct interpreter interpreter = {.python = options->python, .context = what};
	int rc;

	if (is_watched(options))
		interpreter.progress = show;
	rc = imports_probe(layer->arena, layer, &interpreter, imports, err);
	if (interpreter.progress)
		fputs(CLEAR, stderr);
	return rc;
}
