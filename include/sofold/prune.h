/*
 * prune: which files of a layer nobody needs at run time.
 *
 *	struct prune *prune;
 *	if (prune_select(layer, &options, &prune, err)) ...
 *	do
 *		scan_imports(layer, prune, &imports, err);
 *	while (prune_settle(prune, &imports));
 *	layer = prune_result(prune);
 *
 * A table of rules (src/prune/rules.c) says what may go, of which wheels in
 * which versions, and why that is safe. It does not have the last word: the
 * import statements of every .py file that stays are read, and what one of
 * them imports stays too, with everything the rule took together with it. So
 * do libraries that an object needs, and targets of symlinks. What the user
 * names (--prune) goes all the same, with a warning.
 *
 * Pure, like the planner: reading is scan's work.
 */
#ifndef SOFOLD_PRUNE_H
#define SOFOLD_PRUNE_H

#include "sofold/error.h"
#include "sofold/layer.h"
#include "sofold/plan.h"

enum prune_profile {
	PRUNE_RULES,  /* the table, by level */
	PRUNE_RECIPE, /* the patterns of a widely copied shell recipe, for every file */
	PRUNE_SLIM,   /* those of serverless-python-requirements' "slim: true" */
	PRUNE_NAMED,  /* only what the user names */
};

enum prune_bytecode {
	PRUNE_BYTECODE_KEEP,	/* what an interpreter would load */
	PRUNE_BYTECODE_DROP,	/* nothing in __pycache__ */
	PRUNE_BYTECODE_COMPILE, /* what will be made anew (bytecode_compile()) */
};

struct prune_options {
	enum level level;
	enum prune_profile profile;
	enum prune_bytecode bytecode;
	const struct platform *platform;
	bool platform_named; /* by the user: what it provides is certain */
	const char **keep;   /* globs, see prune_match(); they win over all others */
	size_t nr_keep;
	const char **remove; /* globs */
	size_t nr_remove;
	const char **slim; /* more patterns, treated as the profile's */
	size_t nr_slim;
	const char **wheels; /* whole wheels, by name */
	size_t nr_wheels;
	const char **services; /* of botocore and boto3, to be kept; none: all are */
	size_t nr_services;
};

/* One name that an import statement asks for, as a path without suffix. */
struct python_import {
	file_id file; /* that has the statement */
	unsigned line;
	bool absolute;	  /* path begins at some directory of sys.path; else in the layer's root */
	const char *path; /* "numpy/_core/tests/_natype" */
};

struct python_imports {
	struct python_import *items;
	size_t nr_items, alloc_items;
};

struct prune;

/* What the rules take. ERROR_USAGE: a service is named that the layer does not have.
 * Allocates in layer->arena. */
int prune_select(struct layer *layer, const struct prune_options *options, struct prune **prune,
		 struct error *err);

/* A flag for each file: Python sources that stay, and whose imports
 * prune_settle() has not seen. */
const bool *prune_unread(const struct prune *prune);

/* Whether prune_settle() would care for this import. May be called from
 * several threads. */
bool prune_asks(const struct prune *prune, const struct python_import *import);

/* Takes in what was read, and gives back what may not go. True: there are new
 * sources to be read. */
bool prune_settle(struct prune *prune, const struct python_imports *imports);

/* The layer without what goes (layer_without()); itself when nothing does. */
struct layer *prune_result(struct prune *prune);

/* Something that a rule would have taken, and why it stays, or a warning about
 * what went by the user's word. */
struct prune_note {
	const char *path; /* of the file, or of the directory with all in it */
	const char *rule;
	const char *why;
	bool removed; /* it went all the same */
};

const struct prune_note *prune_notes(const struct prune *prune, size_t *nr);

/* What decides about a path, a file or directory: one entry for each rule,
 * largest first. */
struct prune_answer {
	const char *rule;   /* "tests"; "--keep"; NULL: no rule has it */
	const char *level;  /* "safe" …; NULL: not of the table */
	const char *why;    /* it is safe, or stays */
	const char *breaks; /* what would not work any more; NULL: nothing known */
	bool removed;
	size_t nr_files;
	uint64_t bytes;
};

struct prune_answers {
	struct prune_answer *items;
	size_t nr_items, alloc_items;
};

/* None: there is no such path. */
struct prune_answers prune_explain(const struct prune *prune, const char *path);

/*
 * Globs for paths in a layer. "*", "?" and "[…]" stay within a component, "**"
 * stands for any number of components, "{a,b}" for one of several texts. A
 * glob matches a path when it matches the whole of it or one of the
 * directories it lies in. Returns the bytes of path that matched, the shortest
 * possible, or 0.
 */
size_t prune_match(const char *glob, const char *path);

/* The imports of a Python source, or of the values of an entry_points.txt:
 * found() is called for every name. path is the source's own. Names live until
 * it returns. */
typedef void prune_found_fn(void *context, unsigned line, bool absolute, const char *path);
void prune_python_imports(const char *path, struct span text, prune_found_fn *found, void *context);
void prune_entry_points(struct span text, prune_found_fn *found, void *context);

#endif
