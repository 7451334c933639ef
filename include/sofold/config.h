/*
 * config: what stands in .sofold.yml.
 *
 *	platform: lambda-python3.12-x86_64
 *	level: default
 *	skip: [bridge]                  # passes left out; or only: [strip]
 *	merge: [libtiff.so]             # families, or all
 *	warn_at: 85%
 *	baseline: sizes.json
 *	budgets:
 *	  - what: unzipped              # zipped native duplicates layers wheel:NAME GLOB
 *	    max: 200MB
 *	    max_increase: 2%            # or 5MB
 *	reports:
 *	  - {format: junit, file: guard.xml}
 *	prune:
 *	  profile: rules                # recipe slim none
 *	  keep: [pandas/tests]
 *	  remove: [scipy/datasets]
 *	  botocore_services: [s3, sts]
 *	  bytecode: keep                # drop compile
 *	  slim: true                    # these four as serverless-python-requirements has them
 *	  slimPatterns: ['*.dist-info']
 *	  slimPatternsAppendDefaults: false
 *	  noDeploy: [boto3]
 *
 * Every key may be missing; paths are relative to the working directory. What is no such file is ERROR_USAGE
 *with file and line: an unknown key, a list where one value belongs, "60mb". The file is not trusted: at most
 *CONFIG_MOST_BYTES, a regular file, no aliases.
 *
 * Names that mean nothing here (passes, levels, families, profiles, formats)
 * are handed on as they are, with their line; whoever knows them complains by
 * config_error().
 */
#ifndef SOFOLD_CONFIG_H
#define SOFOLD_CONFIG_H

#include "sofold/error.h"
#include "sofold/guard.h"
#include "sofold/platform.h"

enum { CONFIG_MOST_BYTES = 1 << 20 };

struct config_text {
	const char *text; /* NULL: not given */
	unsigned line;
};

struct config_list {
	struct config_text *items;
	size_t nr_items, alloc_items;
	unsigned line; /* 0: not given, which an empty list is not */
};

enum config_flag { CONFIG_UNSET, CONFIG_NO, CONFIG_YES };

/* What serverless-python-requirements calls by these names. Patterns are its
 * globs, unchanged; noDeploy names distributions. */
struct config_slim {
	enum config_flag slim;
	struct config_list patterns;	  /* slimPatterns */
	enum config_flag append_defaults; /* slimPatternsAppendDefaults; unset counts as true there */
	struct config_list no_deploy;	  /* noDeploy */
};

/* For the pass that leaves files out. bytecode is keep, drop or compile. */
struct config_prune {
	struct config_text profile, bytecode;
	struct config_list keep, remove, botocore_services;
	struct config_slim slim;
};

struct config_report {
	struct config_text format, file;
};

struct config {
	const char *path; /* NULL: there is none, and nothing below is given */
	const struct platform *platform;
	struct config_text level, baseline;
	struct config_list skip, only, merge;
	bool has_warn_at;
	unsigned warn_at;	      /* percent */
	struct guard_budgets budgets; /* because: path */
	struct config_report *reports;
	size_t nr_reports, alloc_reports;
	struct config_prune prune;
};

/* Allocates in arena. A missing file is an error too. */
int config_read(struct arena *arena, const char *path, struct config *config, struct error *err);

/* The four keys from custom.pythonRequirements of a serverless.yml; all else
 * in it may be anything, tags and anchors included. What only serverless can
 * compute (${...}) is ERROR_USAGE, as are values of another type. */
int config_read_serverless(struct arena *arena, const char *path, struct config_slim *slim,
			   struct error *err);

/* Adds "path:line: message" and returns ERROR_USAGE. */
int config_error(struct error *err, const char *path, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
