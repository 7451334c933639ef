/* sofold verify: does every object of a layer find what it needs? */
#include "cli/cli.h"
#include "sofold/scan.h"
#include "sofold/verify.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'r':
		options->python = arg;
		return 0;
	}
	return options_parse_paths(key, arg, state, 1);
}

static const struct argp_option own[] = {
	{"run", 'r', "PYTHON", 0, "also import every extension module in this interpreter", 0},
	{0},
};

static const struct argp_child children[] = {{&options_common, 0, NULL, 90}, {0}};

static const struct argp argp = {
	.options = own,
	.parser = parse,
	.args_doc = "PATH",
	.doc = "Simulates what the platform's loader does for every object of a layer: every\n"
	       "needed library is found, every version is there, every segment can be mapped.\v"
	       "PATH is a directory or, but for --run, an archive (.zip, .whl, .tar). Exit\n"
	       "status 1 when something cannot load, or with --run does not import.",
	.children = children,
};

static int verify_layer(const struct options *options, struct audit *audit, struct error *err)
{
	struct imports imports = {0};
	const struct imports *asked = NULL;
	bool bad = report_count(audit->layer, SEVERITY_ERROR);
	int rc;

	if (options->python) {
		rc = probe_imports(options, audit->layer, "importing", &imports, err);
		if (rc)
			return status_of(rc);
		asked = &imports;
		bad |= imports_count(asked) != asked->nr_modules;
	}
	if (options->quiet)
		return bad ? EXIT_FINDINGS : EXIT_FINE;
	if (options->format == FORMAT_TEXT)
		report_verify_text(stdout, audit, asked, &options->style);
	else if (!report_verify_json(stdout, audit, asked))
		return EXIT_RUN;
	return bad ? EXIT_FINDINGS : EXIT_FINE;
}

int command_verify(int argc, char **argv, struct error *err)
{
	struct options options;
	struct audit audit = {0};
	int rc, status;

	options_init(&options);
	options_parse(&options, &argp, argc, argv);
	rc = open_layer(&options, options.paths[0], false, &audit, err);
	if (!rc && options.python && audit.layer->from_archive)
		rc = error_add(err, ERROR_USAGE, "--run needs a directory; %s is an archive",
			       options.paths[0]);
	status = rc ? status_of(rc) : verify_layer(&options, &audit, err);
	layer_free(audit.layer);
	options_clear(&options);
	return status;
}
