/* sofold audit: scan, decide as shrink would, print. */
#include "cli/cli.h"
#include "sofold/check.h"
#include "sofold/scan.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'm':
		options_add_list(options->arena, &options->merge, &options->nr_merge, &options->alloc_merge,
				 arg);
		return 0;
	}
	return options_parse_paths(key, arg, state, SIZE_MAX);
}

static const struct argp_option own[] = {
	{"merge", 'm', "FAMILY,...|all", 0, "count these families' other builds as mergeable too", 0},
	{0},
};

static const struct argp_child children[] = {{&options_common, 0, NULL, 90}, {0}};

static const struct argp argp = {
	.options = own,
	.parser = parse,
	.args_doc = "PATH...",
	.doc = "Lists duplicate native libraries of a layer: what each costs, which copy would\n"
	       "be kept and why, and why a look-alike cannot be merged. Reads only.\v"
	       "PATH is a directory, or an archive (.zip, .whl, .tar). Exit status 1 when\n"
	       "something in the layer cannot load.",
	.children = children,
};

/* Every .pyc file is opened for this. Nothing in an archive is. */
static int check_bytecode(const struct audit *audit, struct error *err)
{
	struct layer *layer = audit->layer;
	int rc = layer->from_archive ? 0 : scan_bytecode(layer, err);

	if (rc)
		return rc;
	layer_check_bytecode(layer, audit->platform);
	layer_sort_findings(layer);
	return 0;
}

static int print(const struct options *options, const struct audit *audits, size_t nr)
{
	int status = EXIT_FINE;
	size_t i;

	for (i = 0; i < nr; i++)
		if (report_count(audits[i].layer, SEVERITY_ERROR))
			status = EXIT_FINDINGS;
	if (options->quiet)
		return status;
	if (options->format == FORMAT_JSON)
		return report_audit_json(stdout, audits, nr) ? status : EXIT_RUN;
	for (i = 0; i < nr; i++) {
		if (i)
			putchar('\n');
		report_audit_text(stdout, &audits[i], &options->style);
	}
	return status;
}

int command_audit(int argc, char **argv, struct error *err)
{
	struct options options;
	struct audit *audits;
	size_t i, done = 0;
	int rc = 0, status;

	options_init(&options);
	options_parse(&options, &argp, argc, argv);
	audits = arena_array(options.arena, options.nr_paths, sizeof *audits);
	for (i = 0; i < options.nr_paths && !rc; i++) {
		rc = audit_layer(&options, options.paths[i], options.format == FORMAT_JSON, &audits[i], err);
		done += !rc;
		if (!rc)
			rc = check_bytecode(&audits[i], err);
	}
	status = rc ? status_of(rc) : print(&options, audits, done);
	for (i = 0; i < done; i++)
		layer_free(audits[i].layer);
	options_clear(&options);
	return status;
}
