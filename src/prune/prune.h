/*
 * The pruner's parts.
 *
 *	rules.c    the table: what may go, and why
 *	select.c   which rule takes which file
 *	sdk.c      the services of botocore and boto3
 *	python.c   import statements of a source
 *	modules.c  the files that an import asks for
 *	settle.c   what may not go after all: imported, needed, linked to
 *	explain.c  what decides about one path
 *	glob.c     patterns
 */
#ifndef SOFOLD_SRC_PRUNE_PRUNE_H
#define SOFOLD_SRC_PRUNE_PRUNE_H

#include "sofold/prune.h"

/* What must be true of a file besides its name. */
enum rule_needs {
	NEEDS_NOTHING,
	NEEDS_EXTENSION,   /* an extension module, nothing else loads it */
	NEEDS_BYTECODE,	   /* bytecode, of use or not */
	NEEDS_STALE,	   /* bytecode that is of no use */
	NEEDS_OWN,	   /* bytecode of the layer's interpreter */
	NEEDS_NO_STUBS,	   /* nobody who stays imports lazy_loader, which reads stubs */
	NEEDS_NO_METADATA, /* nobody who stays asks importlib.metadata or the like */
	NEEDS_NO_SERVICE,  /* of an AWS service that is not wanted */
	NEEDS_AWS_SDK,	   /* the platform brings boto3 and what it needs */
};

enum rule_effect { RULE_REMOVES, RULE_KEEPS };

struct rule {
	const char *name;
	enum level level;
	enum rule_effect effect;
	const char *wheels;   /* "numpy scipy", as in "Name:" but in lower case with "-"; NULL: any wheel's
				 files, and those of none, "*": of any wheel */
	const char *versions; /* ">=2.2 <2.3"; NULL: all */
	const char *pattern;  /* prune_match(), below the directory the wheel was installed to */
	enum rule_needs needs;
	const char *why;
	const char *breaks;
};

/* A table ends with a rule without a name. Of the rules that match a file the
 * first decides. */
const struct rule *rules_of(enum prune_profile profile);

/* For when services are named. */
const struct rule *rules_of_services(void);

/* "scikit_learn" is "scikit-learn" (PEP 503); list is separated by blanks. */
bool rule_names_wheel(const char *list, const char *name);

/* Whether a version meets all of ">=1.2 <2". */
bool rule_takes_version(const char *wanted, const char *version);

/* What has become of one file. */
struct fate {
	const struct rule *rule; /* NULL: none has it */
	size_t unit;		 /* bytes of the path that the rule took as a whole */
	bool removed;
	const char *stays; /* a rule had it, but: why */
};

struct prune {
	struct arena *arena;
	struct layer *layer;
	struct prune_options options;
	const char *tag; /* of the interpreter, "cpython-312"; NULL: unknown */

	/* Rules of the user's, and of the tables, one after the other. */
	struct rule *rules;
	size_t nr_rules, alloc_rules;
	size_t nr_named;	    /* how many of the first are the user's word */
	const bool *applies;	    /* for each wheel, and once more for files of none: for each rule */
	const char **refused_rules; /* for each: why it is not applied; NULL: it is */
	struct {
		const char *path, *why;
	} * refused_units;
	size_t nr_refused_units, alloc_refused_units;

	struct fate *fates; /* of each file */
	bool *unread, *read;
	const char **bases; /* directories that are on sys.path */
	size_t nr_bases, alloc_bases;
	struct python_imports imports; /* those prune_asks() wanted */
	struct prune_note *notes;
	size_t nr_notes, alloc_notes;
};

/* Applies the rules to every file, anew; refusals hold. */
void prune_apply_rules(struct prune *prune);

/* Whether a service's directory may go: path is of botocore's or boto3's data. */
bool sdk_is_unwanted(const struct prune_options *options, const char *path);

/* ERROR_USAGE when a service is named that the layer does not have. */
int sdk_check_services(const struct layer *layer, const struct prune_options *options, struct error *err);

/* The file that goes although the import asks for it, or NO_ID. */
file_id prune_missing_target(const struct prune *prune, const struct python_import *import);

#endif
