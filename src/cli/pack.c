/* sofold pack: a layer as a zip, the same bytes every time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "sofold/pack.h"

struct pack_line {
	struct options options; /* first: it is what the common parsers see */
	const char *prefix;
	bool force;
};

enum { OPTION_PREFIX = 0x200, OPTION_FORCE };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pack_line *line = state->input;

	switch (key) {
	case 'o':
		line->options.output = arg;
		return 0;
	case OPTION_PREFIX:
		line->prefix = arg;
		return 0;
	case OPTION_FORCE:
		line->force = true;
		return 0;
	case ARGP_KEY_END:
		if (!line->options.output)
			argp_error(state, "say what to write: -o layer.zip");
		return 0;
	}
	return options_parse_paths(key, arg, state, 1);
}

static const struct argp_option own[] = {
	{"output", 'o', "FILE", 0, "the zip to write", 0},
	{"lib-prefix", OPTION_PREFIX, "PREFIX", 0, "put everything below PREFIX, e.g. python/", 0},
	{"force", OPTION_FORCE, NULL, 0, "replace FILE when it exists", 0},
	{0},
};

static const struct argp_child children[] = {{&options_common, 0, NULL, 90}, {0}};

static const struct argp argp = {
	.options = own,
	.parser = parse,
	.args_doc = "PATH",
	.doc = "Writes a directory as a zip: entries sorted by name, permissions and symlinks\n"
	       "kept, compressed on all cores. The same tree gives the same bytes.\v"
	       "Every entry has its file's time or, when SOURCE_DATE_EPOCH is set, that. What a\n"
	       "zip cannot hold faithfully (a FIFO, a symlink that leads out of the tree, a name\n"
	       "that is not UTF-8) is an error that names it, and nothing is written.",
	.children = children,
};

/* https://reproducible-builds.org/specs/source-date-epoch/: digits only, and
 * malformed is an error. */
static int read_epoch(struct pack_options *pack, struct error *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	char *end;

	if (!text)
		return 0;
	errno = 0;
	pack->time = strtoll(text, &end, 10);
	pack->same_time = true;
	if (errno || *end || strspn(text, "0123456789") != strlen(text) || !*text)
		return error_add(err, ERROR_USAGE, "SOURCE_DATE_EPOCH is no number of seconds: '%s'", text);
	return 0;
}

static int print(const struct options *options, const struct packed *packed)
{
	if (options->quiet)
		return EXIT_FINE;
	if (options->format == FORMAT_TEXT)
		report_pack_text(stdout, options->output, packed, &options->style);
	else if (!report_pack_json(stdout, packed))
		return EXIT_RUN;
	return EXIT_FINE;
}

static int pack(const struct pack_line *line, struct error *err)
{
	const struct options *options = &line->options;
	struct pack_options pack = {.replace = line->force};
	struct packed *packed = NULL;
	int rc = read_epoch(&pack, err), status;

	if (!rc && line->prefix)
		rc = pack_prefix(options->arena, line->prefix, &pack.prefix, err);
	rc = rc ? rc : pack_tree(options->paths[0], options->output, &pack, &packed, err);
	status = rc ? status_of(rc) : print(options, packed);
	pack_free(packed);
	return status;
}

int command_pack(int argc, char **argv, struct error *err)
{
	struct pack_line line = {0};
	int status;

	options_init(&line.options);
	options_parse(&line.options, &argp, argc, argv);
	status = pack(&line, err);
	options_clear(&line.options);
	return status;
}
