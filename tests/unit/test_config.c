/* Unit tests of the configuration: what is taken, and the line of each mistake. */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

static struct arena *arena;
static char dir[32], path[64];

static void begin(void)
{
	arena = arena_new();
	snprintf(dir, sizeof dir, "/tmp/sofold-config-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/c.yml", dir);
}

static void end(void)
{
	unlink(path);
	rmdir(dir);
	arena_free(arena);
}

static void put(const void *bytes, size_t n)
{
	FILE *file = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fwrite(bytes, 1, n, file);
	fclose(file);
}

static struct config reads(const char *text)
{
	struct error err = {""};
	struct config config;

	put(text, strlen(text));
	CU_ASSERT_EQUAL(config_read(arena, path, &config, &err), 0);
	UNIT_ASSERT_TEXT(err.message, "");
	return config;
}

/* The message begins with the path; says follows it. */
static void is_refused(int rc, const struct error *err, const char *says)
{
	const char *message = err->message;

	CU_ASSERT_EQUAL(rc, ERROR_USAGE);
	if (!strncmp(message, path, strlen(path)))
		message += strlen(path);
	UNIT_ASSERT_TEXT(message, says);
}

static void refuses(const char *text, const char *says)
{
	struct error err = {""};
	struct config config;

	put(text, strlen(text));
	is_refused(config_read(arena, path, &config, &err), &err, says);
}

static void config_takes_every_key(void)
{
	struct config config;

	begin();
	config = reads("platform: lambda-python3.12-x86_64\nlevel: safe\nskip: [bridge, strip]\n"
		       "only:\n  - dedupe\nmerge: [all]\nwarn_at: 85%\nbaseline: sizes.json\n"
		       "budgets:\n  - what: unzipped\n    max: 200MB\n    max_increase: 2%\n"
		       "  - {what: 'wheel:numpy', max: 60MiB}\n"
		       "reports:\n  - {format: junit, file: g.xml}\n");
	UNIT_ASSERT_TEXT(config.platform->name, "lambda-python3.12-x86_64");
	UNIT_ASSERT_TEXT(config.level.text, "safe");
	CU_ASSERT_EQUAL(config.level.line, 2);
	CU_ASSERT_EQUAL_FATAL(config.skip.nr_items, 2);
	UNIT_ASSERT_TEXT(config.skip.items[1].text, "strip");
	CU_ASSERT_EQUAL(config.only.items[0].line, 5);
	UNIT_ASSERT_TEXT(config.merge.items[0].text, "all");
	CU_ASSERT(config.has_warn_at && config.warn_at == 85);
	UNIT_ASSERT_TEXT(config.baseline.text, "sizes.json");
	CU_ASSERT_EQUAL_FATAL(config.budgets.nr_items, 3);
	CU_ASSERT_EQUAL(config.budgets.items[0].limit, 200000000);
	CU_ASSERT(config.budgets.items[1].is_percent);
	CU_ASSERT_EQUAL(config.budgets.items[2].limit, 62914560);
	UNIT_ASSERT_TEXT(config.budgets.items[2].name, "numpy");
	UNIT_ASSERT_TEXT(config.budgets.items[2].because, path);
	CU_ASSERT_EQUAL_FATAL(config.nr_reports, 1);
	UNIT_ASSERT_TEXT(config.reports[0].file.text, "g.xml");
	CU_ASSERT_EQUAL(config.reports[0].format.line, 15);
	end();
}

static void config_takes_prune(void)
{
	struct config_prune prune;

	begin();
	prune = reads("prune:\n  profile: lambda\n  keep: [a]\n  remove: [b, c]\n"
		      "  botocore_services: [s3]\n  bytecode: compile\n  slim: true\n"
		      "  slimPatterns:\n    - '**/*.egg-info*'\n  slimPatternsAppendDefaults: false\n"
		      "  noDeploy: []\n")
			.prune;
	UNIT_ASSERT_TEXT(prune.profile.text, "lambda");
	UNIT_ASSERT_TEXT(prune.bytecode.text, "compile");
	CU_ASSERT_EQUAL(prune.keep.nr_items, 1);
	CU_ASSERT_EQUAL(prune.remove.nr_items, 2);
	UNIT_ASSERT_TEXT(prune.botocore_services.items[0].text, "s3");
	CU_ASSERT_EQUAL(prune.slim.slim, CONFIG_YES);
	CU_ASSERT_EQUAL(prune.slim.append_defaults, CONFIG_NO);
	UNIT_ASSERT_TEXT(prune.slim.patterns.items[0].text, "**/*.egg-info*");
	CU_ASSERT_EQUAL(prune.slim.patterns.items[0].line, 9);
	CU_ASSERT(prune.slim.no_deploy.line == 11 && !prune.slim.no_deploy.nr_items);
	end();
}

static void config_may_say_nothing(void)
{
	begin();
	CU_ASSERT_PTR_NULL(reads("").platform);
	CU_ASSERT_PTR_NULL(reads("# later\n").level.text);
	CU_ASSERT_EQUAL(reads("---\n...\n").skip.line, 0);
	CU_ASSERT_EQUAL(reads("{}\n").prune.slim.slim, CONFIG_UNSET);
	end();
}

static void config_names_the_line_of_a_wrong_key(void)
{
	begin();
	refuses("level: safe\n\nbogus: 1\n", ":3: unknown key 'bogus'");
	refuses("budgets:\n  - what: a\n    nope: 3\n", ":3: unknown key 'nope'");
	refuses("prune:\n  keep: []\n  slimpatterns: []\n", ":3: unknown key 'slimpatterns'");
	refuses("level: safe\nmerge: []\nlevel: max\n", ":3: 'level' stands here again");
	refuses("budgets:\n  - what: a\n    max: 1\n  - max: 4\n", ":4: 'what' is missing here");
	refuses("reports:\n  - format: csv\n", ":2: 'file' is missing here");
	refuses("reports:\n  - format: csv\n    file: a\n  - {}\n", ":4: 'format' is missing here");
	refuses("level: safe\n\n\"a\\nb\": 1\n", ":3: unknown key 'a\nb'");
	refuses("level: safe\n? [a]\n: b\n", ":2: a key that is no word");
	end();
}

static void config_names_the_line_of_a_wrong_type(void)
{
	begin();
	refuses("level: safe\nplatform:\n  - x\n", ":3: platform takes one value, not a list");
	refuses("level: safe\nplatform: {a: b}\n", ":2: platform takes one value, not keys with values");
	refuses("\nskip: strip\n", ":2: skip takes a list, not one value");
	refuses("skip:\nlevel: safe\n", ":1: skip takes a list, not one value");
	refuses("skip:\n  - a\n  - b: c\n",
		":3: skip takes a list, each item one value, not keys with values");
	refuses("budgets:\n  - x\n", ":2: budgets takes a list, each item keys with values, not one value");
	refuses("budgets:\n  - what: [b]\n", ":2: what takes one value, not a list");
	refuses("level: safe\nprune: all\n", ":2: prune takes keys with values, not one value");
	refuses("- a\n", ":1: the file takes keys with values, not a list");
	refuses("\nword\n", ":2: the file takes keys with values, not one value");
	end();
}

static void config_names_the_line_of_a_wrong_value(void)
{
	begin();
	refuses("\nplatform: windows\n", ":2: 'windows' is no platform known here");
	refuses("platform:\n", ":1: '' is no platform known here");
	refuses("\nwarn_at: 101\n", ":2: '101' is no percentage up to 100");
	refuses("warn_at: 9MB\n", ":1: '9MB' is no percentage up to 100");
	refuses("budgets:\n  - what: native\n    max: 60mb\n",
		":3: '60mb' is no size; write 60MB (1,000,000), 60MiB (1,048,576) or bytes");
	refuses("budgets:\n  - what: layers\n    max: 5MB\n", ":3: '5MB' is no number of layers");
	refuses("budgets:\n  - what: native\n    max_increase: 2 percent\n",
		":3: '2 percent' is no increase; write 2% or 5MB");
	refuses("budgets:\n  - {what: 'a/*', max_increase: 2%}\n",
		":2: a baseline does not know the files of 'a/*'");
	refuses("budgets:\n  - what: a\n", ":2: the budget of 'a' has neither max nor max_increase");
	refuses("budgets:\n  - {what: '', max: 1}\n", ":2: '' is nothing to put a budget on");
	refuses("prune:\n  slim: maybe\n", ":2: 'maybe' is neither true nor false");
	refuses("prune:\n  bytecode: burn\n", ":2: 'burn' is none of keep, drop and compile");
	end();
}

/* Another libcyaml may word its log otherwise. */
static void config_takes_the_line_of_an_unknown_wording(void)
{
	static const char text[] = "level: safe\n\nmerge:\n  - a\n";
	struct document document;
	struct trace trace = {0};
	struct error err = {""};

	begin();
	CU_ASSERT_EQUAL_FATAL(
		document_open(&document, path, (struct span){(const uint8_t *)text, sizeof text - 1}, &err),
		0);
	trace_add(&trace, "Load: This is odd\n");
	trace_add(&trace, "Load: Backtrace:\n");
	trace_add(&trace, "  in sequence entry: 1 (line: 9, column: 1)\n");
	trace_add(&trace, "  in mapping field: merge (line: 1, column: 1)\n");
	is_refused(trace_error(&trace, &document, "", &err), &err, ":9: This is odd");
	trace = (struct trace){0};
	err = (struct error){""};
	trace_add(&trace, "  in mapping field: merge (line: 1, column: 1)\n");
	is_refused(trace_error(&trace, &document, "broken", &err), &err, ":4: broken");
	trace = (struct trace){0};
	err = (struct error){""};
	is_refused(trace_error(&trace, &document, "broken", &err), &err, ":1: broken");
	document_close(&document);
	end();
}

static void config_refuses_what_is_no_plain_yaml(void)
{
	static const char zero[] = "level: safe\nmerge: [a\0b]\n";
	struct error err = {""};
	struct config config;

	begin();
	refuses("level: safe\nmerge: \"a\n", ":3: found unexpected end of stream");
	refuses("level: safe\nmerge: [\xff]\n", ":2: invalid leading UTF-8 octet");
	refuses("a: b\n---\nc: d\n", ":3: a second document in one file");
	refuses("level: !include x\n", ":1: tag '!include' means nothing here");
	refuses("level: \"a\\0b\"\n", ":1: a zero byte in a value");
	refuses("level: &l safe\nmerge: [*l]\n", ":2: YAML alias unsupported");
	put(zero, sizeof zero - 1);
	is_refused(config_read(arena, path, &config, &err), &err, ":2: control characters are not allowed");
	end();
}

static void refuses_bytes(const char *begins, char fill, size_t n, const char *says)
{
	char *text = malloc(n);
	struct error err = {""};
	struct config config;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	memset(text, fill, n);
	memcpy(text, begins, strlen(begins));
	put(text, n);
	CU_ASSERT_EQUAL(config_read(arena, path, &config, &err), ERROR_USAGE);
	CU_ASSERT(strstr(err.message, says) != NULL);
	free(text);
}

static void refuses_repeated(const char *text, size_t times, const char *says)
{
	char *all = calloc(times, strlen(text) + 1);
	size_t i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(all);
	for (i = 0; i < times; i++)
		memcpy(all + i * strlen(text), text, strlen(text));
	refuses(all, says);
	free(all);
}

static void config_survives_hostile_files(void)
{
	begin();
	refuses_bytes("#", 'x', CONFIG_MOST_BYTES + 1, "larger than");
	refuses_bytes("skip: ", '[', CONFIG_MOST_BYTES, ":1: nested deeper than 64");
	refuses_bytes("skip: ", '{', CONFIG_MOST_BYTES, ":1: nested deeper than 64");
	refuses_bytes("skip: ", '-', CONFIG_MOST_BYTES, path);
	refuses_bytes("skip: ", '?', CONFIG_MOST_BYTES, path);
	refuses("a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n"
		"c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\n",
		":1: unknown key 'a'");
	refuses_bytes("skip: [", '&', CONFIG_MOST_BYTES, path);
	refuses_repeated("- &a x\n", 2000, ":1001: more than 1000 anchors and aliases");
	refuses("merge: &a [*a]\n", ":1: YAML alias unsupported");
	end();
}

static void config_reads_regular_files_only(void)
{
	struct error err = {""};
	struct config config;

	begin();
	CU_ASSERT_EQUAL(config_read(arena, path, &config, &err), ERROR_USAGE);
	CU_ASSERT(strstr(err.message, "No such file") != NULL);
	CU_ASSERT_EQUAL(config_read(arena, dir, &config, &err), ERROR_USAGE);
	CU_ASSERT(strstr(err.message, "not a regular file") != NULL);
	err = (struct error){""};
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(config_read(arena, path, &config, &err), ERROR_USAGE);
	CU_ASSERT(strstr(err.message, "not a regular file") != NULL);
	CU_ASSERT_EQUAL(config_read(arena, "/dev/zero", &config, &err), ERROR_USAGE);
	end();
}

/* --------- serverless.yml ------------------ */

static struct config_slim reads_slim(const char *text)
{
	struct error err = {""};
	struct config_slim slim;

	put(text, strlen(text));
	CU_ASSERT_EQUAL(config_read_serverless(arena, path, &slim, &err), 0);
	UNIT_ASSERT_TEXT(err.message, "");
	return slim;
}

static void refuses_slim(const char *text, const char *says)
{
	struct error err = {""};
	struct config_slim slim;

	put(text, strlen(text));
	is_refused(config_read_serverless(arena, path, &slim, &err), &err, says);
}

static void config_takes_slim_from_serverless(void)
{
	struct config_slim slim;

	begin();
	slim = reads_slim("service: ${opt:name}\ncustom:\n  pythonRequirements:\n    dockerizePip: true\n"
			  "    slim: 'true'\n    slimPatterns:\n      - '**/*.egg-info*'\n"
			  "    slimPatternsAppendDefaults: false\n    noDeploy: [boto3, pytest]\n"
			  "resources:\n  Outputs: {A: !GetAtt B.Arn, B: !Sub '${C}'}\n");
	CU_ASSERT_EQUAL(slim.slim, CONFIG_YES);
	CU_ASSERT_EQUAL(slim.append_defaults, CONFIG_NO);
	CU_ASSERT_EQUAL_FATAL(slim.no_deploy.nr_items, 2);
	UNIT_ASSERT_TEXT(slim.no_deploy.items[1].text, "pytest");
	CU_ASSERT_EQUAL(slim.patterns.items[0].line, 7);
	slim = reads_slim("x: &d {slim: true, noDeploy: []}\ncustom:\n  pythonRequirements:\n    <<: *d\n"
			  "    slim: false\n");
	CU_ASSERT_EQUAL(slim.slim, CONFIG_NO);
	CU_ASSERT_EQUAL(slim.no_deploy.line, 1);
	CU_ASSERT_EQUAL(reads_slim("custom:\n  pythonRequirements:\n    slim:\n").slim, CONFIG_UNSET);
	end();
}

static void config_refuses_what_only_serverless_knows(void)
{
	begin();
	refuses_slim("custom:\n  pythonRequirements:\n    slim: ${self:custom.slim}\n",
		     ":3: slim is '${self:custom.slim}', which only serverless can compute");
	refuses_slim("custom: ${file(a.yml)}\n",
		     ":1: custom is '${file(a.yml)}', which only serverless can compute");
	refuses_slim("custom:\n  pythonRequirements:\n    noDeploy:\n      - a\n      - ${b}\n",
		     ":5: noDeploy is '${b}', which only serverless can compute");
	refuses_slim("custom:\n  pythonRequirements:\n    slim: 'yes'\n",
		     ":3: slim takes true or false, not 'yes'");
	refuses_slim("custom:\n  pythonRequirements:\n    slimPatterns: a\n",
		     ":3: slimPatterns takes a list of texts");
	refuses_slim("custom:\n  pythonRequirements:\n    noDeploy: [[a]]\n",
		     ":3: noDeploy takes a list of texts");
	refuses_slim("", " has no custom.pythonRequirements");
	refuses_slim("custom:\n", " has no custom.pythonRequirements");
	refuses_slim("custom: &a\n  <<: *a\n", " has no custom.pythonRequirements");
	refuses_slim("custom: &a\n  <<: [*a, *a]\n", " has no custom.pythonRequirements");
	refuses_slim("custom: [a]\n", ":1: custom takes keys with values");
	refuses_slim("custom:\n\t- a\n", ":2: found character that cannot start any token");
	end();
}

void suite_config(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(config_takes_every_key),
		UNIT_TEST(config_takes_prune),
		UNIT_TEST(config_may_say_nothing),
		UNIT_TEST(config_names_the_line_of_a_wrong_key),
		UNIT_TEST(config_names_the_line_of_a_wrong_type),
		UNIT_TEST(config_names_the_line_of_a_wrong_value),
		UNIT_TEST(config_takes_the_line_of_an_unknown_wording),
		UNIT_TEST(config_refuses_what_is_no_plain_yaml),
		UNIT_TEST(config_survives_hostile_files),
		UNIT_TEST(config_reads_regular_files_only),
		UNIT_TEST(config_takes_slim_from_serverless),
		UNIT_TEST(config_refuses_what_only_serverless_knows),
	};

	unit_suite("config", tests, sizeof tests / sizeof *tests);
}
