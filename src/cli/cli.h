/*
 * cli: what the commands share.
 *
 *	main.c      the table of commands; errors and exit status
 *	options.c   options every command takes
 *	audit.c shrink.c verify.c   one command each: a pipeline, top to bottom
 */
#ifndef SOFOLD_SRC_CLI_CLI_H
#define SOFOLD_SRC_CLI_CLI_H

#include <argp.h>

#include "sofold/error.h"
#include "sofold/plan.h"
#include "sofold/report.h"

enum exit_status {
	EXIT_FINE = 0,
	EXIT_FINDINGS = 1,
	EXIT_USAGE = 2,
	EXIT_RUN = 3,
	EXIT_VERIFY = 4,
};

enum format { FORMAT_TEXT, FORMAT_JSON };

struct options {
	const struct platform *platform; /* NULL: infer */
	enum format format;
	struct report_style style;
	bool quiet;
	const char *python; /* --run */

	/* shrink */
	enum level level;
	unsigned passes;
	const char **merge;
	size_t nr_merge, alloc_merge;
	const char *output;
	bool dry_run, check;

	const char **paths;
	size_t nr_paths, alloc_paths;
	struct arena *arena; /* of the lists above */
};

/* A command: gets options it has parsed itself, returns an exit status, and
 * leaves a message in err when that is not EXIT_FINE or EXIT_FINDINGS. */
struct command {
	const char *name;
	int (*run)(int argc, char **argv, struct error *err);
	const char *summary;
};

extern const struct argp options_common; /* --platform, --format, --color, -q, -v */

void options_init(struct options *options);
void options_clear(struct options *options);

/* Parses a command's line; the command's name stands in argv[0]. Ends the
 * process with status 2 on a mistake, with 0 after --help. */
void options_parse(struct options *options, const struct argp *argp, int argc, char **argv);

/* The keys every command treats alike: hands options on to the common parser,
 * takes PATHs (at most most of them), asks for one. A command's parser ends
 * with it. */
error_t options_parse_paths(int key, char *arg, struct argp_state *state, size_t most);

/* Splits "a,b" and adds each part. */
void options_add_list(struct arena *arena, const char ***items, size_t *nr, size_t *alloc, const char *text);

int command_audit(int argc, char **argv, struct error *err);
int command_shrink(int argc, char **argv, struct error *err);
int command_verify(int argc, char **argv, struct error *err);

/* The exit status for an error kind (error.h). */
int status_of(int kind);

/* Scans path and fills audit: layer, platform; checks included. The caller
 * frees audit->layer. */
int open_layer(const struct options *options, const char *path, bool hash_families, struct audit *audit,
	       struct error *err);

#endif
