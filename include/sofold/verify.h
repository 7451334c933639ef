/*
 * verify: what a real interpreter says of a layer.
 *
 * imports_probe() starts a Python once, which imports every extension module
 * of the layer, each in a process of its own, and notes which succeed. Taken
 * before and after a change, the two sets must be equal.
 */
#ifndef SOFOLD_VERIFY_H
#define SOFOLD_VERIFY_H

#include "sofold/error.h"
#include "sofold/layer.h"

struct imports {
	const char **modules; /* paths of extension modules, sorted */
	const char **failed;  /* for each: what Python said, or NULL: it imports */
	size_t nr_modules;
};

/* Who is asked, and who is told how far it is. */
struct interpreter {
	const char *python; /* a command or path */
	/* Called before the first module, with NULL, and after each; NULL: nobody. */
	void (*progress)(const void *context, const char *module, size_t done, size_t nr);
	const void *context;
};

/* Imports every extension module of the layer in an interpreter. ERROR_RUN
 * when that cannot be started or answers nonsense. Allocates in arena. */
int imports_probe(struct arena *arena, const struct layer *layer, const struct interpreter *interpreter,
		  struct imports *imports, struct error *err);

/* ERROR_VERIFY with the first module that imported before and does not now. */
int imports_compare(const struct imports *before, const struct imports *after, struct error *err);

/* How many import. */
size_t imports_count(const struct imports *imports);

#endif
