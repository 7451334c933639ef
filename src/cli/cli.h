/*
 * cli: what the commands share.
 *
 *	main.c      the table of commands; errors and exit status
 *	options.c   options every command takes
 *	prune.c     what shrink leaves out
 *	probe.c     asking the interpreter of --run
 *	output.c    the new tree of shrink -o
 *	worker.c    a process of its own for what changes the disk
 *	reports.c   guard's formats, and --report
 *	audit.c shrink.c verify.c guard.c pack.c   one command each: a pipeline, top to bottom
 */
#ifndef SOFOLD_SRC_CLI_CLI_H
#define SOFOLD_SRC_CLI_CLI_H

#include <argp.h>

#include "sofold/config.h"
#include "sofold/error.h"
#include "sofold/plan.h"
#include "sofold/prune.h"
#include "sofold/report.h"

enum exit_status {
	EXIT_FINE = 0,
	EXIT_FINDINGS = 1,
	EXIT_USAGE = 2,
	EXIT_RUN = 3,
	EXIT_VERIFY = 4,
};

enum format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_GITHUB, /* from here on guard's only */
	FORMAT_CSV,
	FORMAT_JUNIT,
	FORMAT_SARIF,
	FORMAT_MARKDOWN,
};

/* Keys of shrink's options for what is left out; prune_parse() takes them. */
enum prune_key {
	OPTION_PROFILE = 0x240,
	OPTION_KEEP,
	OPTION_PRUNE,
	OPTION_SERVICES,
	OPTION_BYTECODE,
	OPTION_PYTHON,
	OPTION_SERVERLESS,
	OPTION_EXPLAIN,
};

/* What the user wants to be left out; prune.h says what the lists are. */
struct prune_request {
	enum prune_profile profile;
	enum prune_bytecode bytecode;
	bool profile_named, bytecode_named;
	const char *serverless; /* a serverless.yml; NULL: none */
	const char *python;	/* that compiles; NULL: the one of --run, or the layer's */
	const char **keep, **remove, **slim, **wheels, **services;
	size_t nr_keep, nr_remove, nr_slim, nr_wheels, nr_services;
	size_t alloc_keep, alloc_remove, alloc_slim, alloc_wheels, alloc_services;
	const char **explain; /* paths */
	size_t nr_explain, alloc_explain;
};

struct options {
	const struct platform *platform; /* NULL: infer */
	enum format format;
	bool format_named;    /* by --format */
	bool takes_all;	      /* formats: guard */
	bool native_optional; /* a layer without native files is nothing to speak of: guard */
	struct report_style style;
	bool quiet;
	const char *python;   /* --run */
	struct config config; /* .sofold.yml, or what --config names; level, passes, merge are taken over */

	/* shrink */
	enum level level;
	unsigned passes, asked; /* asked: named by --only */
	const char **merge;
	size_t nr_merge, alloc_merge;
	const char *output;
	bool dry_run, check, poison;
	struct prune_request prune;

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

/* Reads the configuration, then parses a command's line, which changes what the
 * file says; the environment stands between. The command's name stands in
 * argv[0]. Ends the process with status 2 on a mistake, with 0 after --help.
 * --only, --level, --merge replace the file's; --skip leaves out more. */
void options_parse(struct options *options, const struct argp *argp, int argc, char **argv);

/* The keys every command treats alike: hands options on to the common parser,
 * takes PATHs (at most most of them), asks for one. A command's parser ends
 * with it. */
error_t options_parse_paths(int key, char *arg, struct argp_state *state, size_t most);

/* Splits "a,b" and adds each part. */
void options_add_list(struct arena *arena, const char ***items, size_t *nr, size_t *alloc, const char *text);

/* The format of that name. */
bool options_format(const char *name, enum format *format);

/* The level of that name. */
bool options_level(const char *name, enum level *level);

/* The pass of that name; 0: none. */
unsigned options_pass(const char *name);

/* Passes less those that are skipped, and those that need one of these: trim cuts objects
 * that strip lays out. */
unsigned options_without(unsigned passes, unsigned skipped);

/* Why these passes cannot be run; NULL: they can. */
const char *options_no_passes(unsigned passes);

int command_audit(int argc, char **argv, struct error *err);
int command_shrink(int argc, char **argv, struct error *err);
int command_guard(int argc, char **argv, struct error *err);
int command_verify(int argc, char **argv, struct error *err);
int command_pack(int argc, char **argv, struct error *err);

/* The exit status for an error kind (error.h). */
int status_of(int kind);

/* Scans path and fills audit: layer, platform; checks included. audit->name is
 * path unless it is set already. The caller frees audit->layer. */
int open_layer(const struct options *options, const char *path, bool hash_families, struct audit *audit,
	       struct error *err);

/* Sets audit->plan: what shrink with these options would do, without prune. */
void audit_plan(const struct options *options, struct audit *audit);

/* Both. */
int audit_layer(const struct options *options, const char *path, bool hash_families, struct audit *audit,
		struct error *err);

/* Looks for code that names what a plan might delete: comes before plan_layer(). */
int read_mentions(struct layer *layer, struct error *err);

/* Whether key is one of enum prune_key, which it then takes. */
bool prune_parse(int key, char *arg, struct argp_state *state, struct options *options);

/* Adds what the configuration and serverless.yml say. */
int prune_configure(struct options *options, struct error *err);

/* Names globs of --keep and --prune that match nothing. */
void prune_warn(const struct options *options, const struct layer *layer);

/* Decides what is left out of a layer, whose bytecode has been looked at
 * (scan_bytecode()); *prune lives in its arena. */
int prune_layer(const struct options *options, const struct audit *audit, struct prune **prune,
		struct error *err);

/* Has bytecode made when that is asked for, and this is no dry run. */
int prune_compile(const struct options *options, const struct audit *audit, struct compiled *compiled,
		  struct error *err);

/* imports_probe() with the interpreter of --run, showing progress on a
 * terminal: what is done, "importing". */
int probe_imports(const struct options *options, const struct layer *layer, const char *what,
		  struct imports *imports, struct error *err);

/* --report FORMAT=FILE. */
struct report_target {
	enum format format;
	const char *file; /* "-": standard output */
};

struct report_targets {
	struct report_target *items;
	size_t nr_items, alloc_items;
};

/* Adds what --report says; ERROR_USAGE with the reason. */
int reports_parse(struct arena *arena, struct report_targets *targets, const char *text, struct error *err);

/* Takes the configuration's when there are none yet, and checks them together. */
int reports_settle(struct arena *arena, struct report_targets *targets, const struct config *config,
		   struct error *err);

/* Prints what --format says to standard output, unless a target is, and writes
 * the targets. GitHub's summary is appended to once. */
int reports_write(const struct options *options, const struct report_targets *targets,
		  const struct guarded *guarded, struct error *err);

/* ERROR_RUN when not all of a directory is known, so that nobody can tell what it weighs:
 * part of it could not be listed, or a shrink of it was cut short. With contents also
 * when a file could not be read, so that nobody can tell what it needs. */
int layer_known(const struct layer *layer, bool contents, struct error *err);

/* A tree in the making. */
struct output {
	const char *name, *base;	  /* what it will be called: "out/new", "new" */
	const char *making, *making_base; /* till then: "out/.new.sofold-1f3a9c02" and the end of that */
};

/* Picks the other name. ERROR_RUN when the name is taken. Allocates in arena. */
int output_begin(struct output *output, struct arena *arena, const char *name, struct error *err);

/* Gives the finished tree its name. */
int output_finish(const struct output *output, struct error *err);

/* Puts the tree's name into a message in place of the other one. */
void output_rename_in(const struct output *output, struct error *err);

/* Removes what there is under the other name, if anything. */
int output_tidy(const struct output *output, struct error *err);

/* How a process has ended. */
struct ending {
	int status; /* exit status */
	int signal; /* 0: by itself */
};

struct work {
	/* Returns an exit status. */
	int (*run)(void *context, struct error *err);
	/* Afterwards, in the process that has waited. */
	int (*tidy)(void *context, const struct ending *ending, struct error *err);
	void *context;
};

/*
 * Has a child process do the work, and returns its exit status in both; the message in
 * err stays in the child, but for that of tidy(). Ends this process by a signal when one
 * has ended the child and all is tidy.
 */
int worker_run(const struct work *work, struct error *err);

#endif
