/* guard's reports: one to standard output, others to files, each in its format. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "sofold/vec.h"

static int bad_format(struct error *err, const char *name)
{
	return error_add(err, ERROR_USAGE,
			 "there is no format '%s'; there are text, json, csv, junit, sarif, github and "
			 "markdown",
			 name);
}

int reports_parse(struct arena *arena, struct report_targets *targets, const char *text, struct error *err)
{
	const char *sign = strchr(text, '='), *name;
	struct report_target target;

	if (!sign || !sign[1])
		return error_add(err, ERROR_USAGE, "--report takes FORMAT=FILE, not '%s'", text);
	name = arena_strndup(arena, text, (size_t)(sign - text));
	target.file = sign + 1;
	if (!options_format(name, &target.format))
		return bad_format(err, name);
	*VEC_PUSH(arena, targets, items) = target;
	return 0;
}

static int take_from_config(struct arena *arena, struct report_targets *targets, const struct config *config,
			    struct error *err)
{
	struct error why = {""};
	size_t i;

	for (i = 0; i < config->nr_reports; i++) {
		const struct config_report *report = &config->reports[i];
		struct report_target target = {.file = report->file.text};

		if (!*target.file)
			return config_error(err, config->path, report->file.line, "a report without a file");
		if (!options_format(report->format.text, &target.format)) {
			bad_format(&why, report->format.text);
			return config_error(err, config->path, report->format.line, "%s", why.message);
		}
		*VEC_PUSH(arena, targets, items) = target;
	}
	return 0;
}

static bool is_stdout(const struct report_target *target)
{
	return !strcmp(target->file, "-");
}

static size_t count_stdout(const struct report_targets *targets)
{
	size_t i, nr = 0;

	for (i = 0; i < targets->nr_items; i++)
		nr += is_stdout(&targets->items[i]);
	return nr;
}

static int check_files(const struct report_targets *targets, struct error *err)
{
	size_t i, k;

	for (i = 1; i < targets->nr_items; i++)
		for (k = 0; k < i; k++)
			if (!strcmp(targets->items[i].file, targets->items[k].file))
				return error_add(err, ERROR_USAGE, "two reports to %s",
						 targets->items[i].file);
	return 0;
}

int reports_settle(struct arena *arena, struct report_targets *targets, const struct config *config,
		   struct error *err)
{
	int rc = targets->nr_items ? 0 : take_from_config(arena, targets, config, err);

	if (!rc && count_stdout(targets) > 1)
		rc = error_add(err, ERROR_USAGE, "two reports to standard output would mix");
	return rc ? rc : check_files(targets, err);
}

/* --------- writing ------------------ */

struct printing {
	const struct guarded *guarded;
	enum format format;
	struct report_style style;
};

static bool print(FILE *to, void *context)
{
	const struct printing *printing = context;
	const struct guarded *guarded = printing->guarded;

	switch (printing->format) {
	case FORMAT_TEXT:
		report_guard_text(to, guarded, &printing->style);
		break;
	case FORMAT_JSON:
		return report_guard_json(to, guarded);
	case FORMAT_GITHUB:
		report_guard_github(to, guarded);
		break;
	case FORMAT_CSV:
		report_guard_csv(to, guarded);
		break;
	case FORMAT_JUNIT:
		report_guard_junit(to, guarded);
		break;
	case FORMAT_SARIF:
		return report_guard_sarif(to, guarded);
	case FORMAT_MARKDOWN:
		report_guard_markdown(to, guarded);
		break;
	}
	return !ferror(to);
}

/* Others append to the same file, before and after. */
static int append_summary(const struct guarded *guarded, struct error *err)
{
	const char *path = getenv("GITHUB_STEP_SUMMARY");
	FILE *file;
	bool bad;

	if (!path || !*path)
		return 0;
	file = fopen(path, "ae");
	if (!file)
		return error_errno(err, "opening the summary %s", path);
	report_guard_markdown(file, guarded);
	bad = ferror(file);
	return fclose(file) || bad ? error_errno(err, "writing the summary %s", path) : 0;
}

static int write_target(const struct printing *base, const struct report_target *target, struct error *err)
{
	struct printing printing = *base;

	printing.format = target->format;
	printing.style.color &= is_stdout(target);
	if (!is_stdout(target))
		return guard_write_file("report", target->file, print, &printing, err);
	return print(stdout, &printing) ? 0 : error_errno(err, "writing the report");
}

int reports_write(const struct options *options, const struct report_targets *targets,
		  const struct guarded *guarded, struct error *err)
{
	const struct printing printing = {guarded, options->format, options->style};
	const struct report_target main = {options->format, "-"};
	bool github = options->format == FORMAT_GITHUB,
	     mutes = (options->quiet && !github) || (count_stdout(targets) && !options->format_named);
	int rc = mutes ? 0 : write_target(&printing, &main, err);
	size_t i;

	for (i = 0; i < targets->nr_items && !rc; i++) {
		rc = write_target(&printing, &targets->items[i], err);
		github |= targets->items[i].format == FORMAT_GITHUB;
	}
	return rc || !github ? rc : append_summary(guarded, err);
}
