/*
 * The parts of the configuration.
 *
 *	file.c        bytes of a file nobody vouches for
 *	document.c    the same as a tree of nodes, by libyaml
 *	config.c      .sofold.yml by libcyaml: which keys there are, and of what type
 *	trace.c       what libcyaml says, with the line it should have said
 *	values.c      texts to platforms, budgets and flags
 *	serverless.c  four keys out of a serverless.yml
 *
 * libcyaml fills structures but names the line of what it read before, so lines
 * come from the tree. config.c alone includes cyaml.h.
 */
#ifndef SOFOLD_SRC_CONFIG_CONFIG_H
#define SOFOLD_SRC_CONFIG_CONFIG_H

#include <stdio.h>
#include <yaml.h>

#include "sofold/config.h"
#include "sofold/span.h"

/* At most CONFIG_MOST_BYTES of a regular file. Allocates in arena. */
int config_load_file(struct arena *arena, const char *path, struct span *bytes, struct error *err);

/* --------- the tree ------------------ */

struct document {
	const char *path;
	yaml_document_t yaml;
};

/* document_close() is due when it returns 0. */
int document_open(struct document *document, const char *path, struct span bytes, struct error *err);
void document_close(struct document *document);

/* Refuses what .sofold.yml has no use for: keys that are no words, tags, zero bytes. */
int document_check_plain(struct document *document, struct error *err);

yaml_node_t *document_root(struct document *document); /* NULL: an empty file */

/* The pair of that key in a mapping, the first or a later one; NULL: none. */
yaml_node_pair_t *document_pair(struct document *document, const yaml_node_t *node, const char *key,
				unsigned nth);

/* Its value. */
yaml_node_t *document_field(struct document *document, const yaml_node_t *node, const char *key);

/* NULL: no list, or not that long. */
yaml_node_t *document_item(struct document *document, const yaml_node_t *node, size_t i);

/* Nothing, "~" or "null": as good as no value. */
bool node_is_null(const yaml_node_t *node);

unsigned node_line(const yaml_node_t *node); /* 1: NULL */

/* --------- what libcyaml says ------------------ */

enum { TRACE_STEPS = 8, TRACE_NAME = 64 };

struct trace {
	char head[256];
	struct trace_step {
		char field[TRACE_NAME]; /* "": an entry of a list */
		unsigned entry;		/* from 1 */
		unsigned line;
	} steps[TRACE_STEPS]; /* innermost first */
	size_t nr;
};

/* Takes one line of its log. */
void trace_add(struct trace *trace, const char *text);

/* The message it makes; otherwise is for a trace without one. */
int trace_error(const struct trace *trace, struct document *document, const char *otherwise,
		struct error *err);

/* --------- as libcyaml fills it ------------------ */

struct raw_list {
	char **items;
	unsigned nr;
};

struct raw_budget {
	char *what, *max, *max_increase;
};

struct raw_report {
	char *format, *file;
};

struct raw_prune {
	char *profile, *bytecode, *slim, *append_defaults;
	struct raw_list keep, remove, botocore_services, patterns, no_deploy;
};

struct raw_config {
	char *platform, *level, *warn_at, *baseline;
	struct raw_list skip, only, merge;
	struct raw_budget *budgets;
	struct raw_report *reports;
	unsigned nr_budgets, nr_reports;
	struct raw_prune *prune;
};

/* Copies raw, checked, into config. */
int config_take(struct arena *arena, struct document *document, const struct raw_config *raw,
		struct config *config, struct error *err);

/* "true" or "false" as YAML 1.2 spells them. */
bool config_take_flag(const char *text, enum config_flag *flag);

#endif
