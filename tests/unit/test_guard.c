/* Unit tests of the guard: sizes, budgets, verdicts, baselines. */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "build_layer.h"
#include "sofold/guard.h"

static void size_is(const char *text, uint64_t expected)
{
	uint64_t bytes = 0;

	CU_ASSERT(guard_parse_size(text, &bytes));
	CU_ASSERT_EQUAL(bytes, expected);
}

static void guard_reads_sizes_exactly(void)
{
	static const char *const wrong[] = {
		"",
		"MB",
		"1.5",
		"0.1B",
		"1.23456789MB",
		"-1",
		"1 M",
		"5mb",
		"1e6",
		"1.2.3MB",
		"99999999999999999999",
		"18446744073709551615GB",
		"1.0000000000000000000000001GB",
	};
	uint64_t bytes;
	size_t i;

	size_is("0", 0);
	size_is("262144000", 262144000);
	size_is("250MB", 250000000);
	size_is("250 MiB", 262144000);
	size_is("1.5MB", 1500000);
	size_is("0.5KiB", 512);
	size_is("2.GB", 2000000000);
	for (i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CU_ASSERT(!guard_parse_size(wrong[i], &bytes));
}

static struct arena *arena;
static struct guard_budgets budgets;

static void begin(void)
{
	arena = arena_new();
	budgets = (struct guard_budgets){0};
}

static void rejects(int (*parse)(struct arena *, struct guard_budgets *, const char *, struct error *),
		    const char *text, const char *says)
{
	struct error err = {""};

	CU_ASSERT_EQUAL(parse(arena, &budgets, text, &err), ERROR_USAGE);
	CU_ASSERT(strstr(err.message, says) != NULL);
}

static struct guard_budget *budget(const char *text)
{
	struct error err = {""};

	CU_ASSERT_EQUAL_FATAL(guard_parse_budget(arena, &budgets, text, &err), 0);
	return &budgets.items[budgets.nr_items - 1];
}

static struct guard_budget *increase(const char *text)
{
	struct error err = {""};

	CU_ASSERT_EQUAL_FATAL(guard_parse_increase(arena, &budgets, text, &err), 0);
	return &budgets.items[budgets.nr_items - 1];
}

static void guard_reads_budgets(void)
{
	begin();
	CU_ASSERT_EQUAL(budget("unzipped=250MB")->what, GUARD_UNZIPPED);
	CU_ASSERT_EQUAL(budget("layers=5")->limit, 5);
	CU_ASSERT_EQUAL(budget("wheel:numpy=60MB")->what, GUARD_WHEEL);
	UNIT_ASSERT_TEXT(budgets.items[2].name, "numpy");
	CU_ASSERT_EQUAL(budget("scipy/*=.so=7")->what, GUARD_PATHS);
	UNIT_ASSERT_TEXT(budgets.items[3].name, "scipy/*=.so");
	CU_ASSERT_EQUAL(increase("2.5%")->limit, 250);
	CU_ASSERT(budgets.items[4].is_percent && budgets.items[4].is_growth);
	CU_ASSERT_EQUAL(increase("native=5MB")->limit, 5000000);
	CU_ASSERT(!budgets.items[5].is_percent);
	rejects(guard_parse_budget, "250MB", "WHAT=SIZE");
	rejects(guard_parse_budget, "=5", "WHAT=SIZE");
	rejects(guard_parse_budget, "native=much", "'much' is no size");
	rejects(guard_parse_budget, "layers=5MB", "no number of layers");
	rejects(guard_parse_increase, "a/*=5", "does not know the files");
	rejects(guard_parse_increase, "0.001%", "write 2% or 5MB");
	CU_ASSERT_EQUAL(budgets.nr_items, 6);
	arena_free(arena);
}

static struct guard_wheel old_wheels[] = {{"gone", "1", 50}, {"numpy", "1", 1000}};
static struct guard_wheel new_wheels[] = {{"numpy", "2", 1100}};
static struct guard_duplicate old_families[] = {{"liba.so", 2, 70}, {"libb.so", 3, 80}};
static const struct guard_measure before = {.unzipped = 10000,
					    .native = 900,
					    .wheels = old_wheels,
					    .nr_wheels = 2,
					    .has_families = true,
					    .families = old_families,
					    .nr_families = 2};
static const struct guard_measure now = {
	.unzipped = 10200, .native = 901, .layers = 5, .wheels = new_wheels, .nr_wheels = 1};

static struct guard_verdict judge(const struct guard_measure *baseline)
{
	struct guard_verdicts verdicts = guard_judge(arena, &now, baseline, &budgets, NULL, 0, 90);

	return verdicts.items[verdicts.nr_items - 1];
}

static void guard_judges_limits(void)
{
	begin();
	budget("unzipped=10200");
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_NEAR);
	budget("unzipped=10199");
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_OVER);
	budget("unzipped=20000");
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_KEPT);
	budget("layers=5");
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_KEPT);
	budget("wheel:numpy=1099");
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_OVER);
	budget("wheel:NumPy=1099");
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_OVER);
	budget("wheel:absent=0");
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_UNKNOWN);
	budget("absent/*=0");
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_UNKNOWN);
	budget("zipped=1");
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_UNKNOWN);
	CU_ASSERT_EQUAL(guard_judge(arena, &now, NULL, &budgets, NULL, 0, 90).nr_over, 3);
	CU_ASSERT_EQUAL(guard_judge(arena, &now, NULL, &budgets, NULL, 0, 90).nr_warned, 1);
	arena_free(arena);
}

static void guard_judges_growth(void)
{
	begin();
	increase("2%");
	CU_ASSERT_EQUAL(judge(&before).state, GUARD_KEPT);
	CU_ASSERT_EQUAL(judge(&before).limit, 10200);
	increase("1.99%");
	CU_ASSERT_EQUAL(judge(&before).state, GUARD_OVER);
	increase("native=0");
	CU_ASSERT_EQUAL(judge(&before).state, GUARD_OVER);
	increase("wheel:numpy=100");
	CU_ASSERT_EQUAL(judge(&before).state, GUARD_KEPT);
	increase("wheel:gone=0");
	CU_ASSERT_EQUAL(judge(&before).state, GUARD_KEPT);
	CU_ASSERT_EQUAL(judge(NULL).state, GUARD_UNKNOWN);
	arena_free(arena);
}

static void guard_knows_lambda(void)
{
	begin();
	guard_platform_budgets(arena, &budgets, platform_find("generic-x86_64"));
	CU_ASSERT_EQUAL(budgets.nr_items, 0);
	guard_platform_budgets(arena, &budgets, platform_find("lambda-python3.12-x86_64"));
	CU_ASSERT_EQUAL_FATAL(budgets.nr_items, 3);
	CU_ASSERT_EQUAL(budgets.items[0].limit, 262144000);
	CU_ASSERT(!budgets.items[0].only_warns);
	CU_ASSERT_EQUAL(budgets.items[1].limit, 52428800);
	CU_ASSERT(budgets.items[1].only_warns);
	CU_ASSERT_EQUAL(budgets.items[2].limit, 5);
	arena_free(arena);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static void guard_reads_the_baseline_it_writes(void)
{
	static const char *const wrong[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"schema_version\": 2}",
		"{\"schema_version\": 1}",
		"{\"schema_version\": 1, \"unzipped\": -5, \"native\": 1, \"duplicates\": 0, \"layers\": 0, "
		"\"wheels\": {}}",
		"{\"schema_version\": 1, \"unzipped\": 5, \"native\": 1, \"duplicates\": 0, \"layers\": 0, "
		"\"wheels\": {\"a\": {}}}",
		"{\"schema_version\": 1, \"unzipped\": 5, \"native\": 1, \"duplicates\": 0, \"layers\": 0, "
		"\"wheels\": {}, \"families\": []}",
		"{\"schema_version\": 1, \"unzipped\": 5, \"native\": 1, \"duplicates\": 0, \"layers\": 0, "
		"\"wheels\": {}, \"families\": {\"a\": {\"copies\": 1}}}",
	};
	char dir[] = "/tmp/sofold-guard-XXXXXX", path[64];
	struct guard_measure read;
	struct error err = {""};
	size_t i;

	begin();
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/baseline.json", dir);
	CU_ASSERT_EQUAL(guard_write_baseline(path, &before, &err), 0);
	CU_ASSERT_EQUAL_FATAL(guard_read_baseline(arena, path, &read, &err), 0);
	CU_ASSERT_EQUAL(read.unzipped, before.unzipped);
	CU_ASSERT_EQUAL(read.native, before.native);
	CU_ASSERT(!read.has_zipped);
	CU_ASSERT_EQUAL(read.nr_wheels, 2);
	CU_ASSERT_EQUAL(guard_wheel(&read, "numpy")->bytes, 1000);
	CU_ASSERT(read.has_families);
	CU_ASSERT_EQUAL(guard_duplicate(&read, "libb.so")->copies, 3);
	CU_ASSERT_EQUAL(guard_duplicate(&read, "liba.so")->bytes, 70);
	for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		write_text(path, wrong[i]);
		CU_ASSERT_EQUAL(guard_read_baseline(arena, path, &read, &err), ERROR_RUN);
	}
	CU_ASSERT(strstr(err.message, path) != NULL);
	unlink(path);
	CU_ASSERT_EQUAL(guard_read_baseline(arena, path, &read, &err), ERROR_RUN);
	rmdir(dir);
	CU_ASSERT_EQUAL(guard_write_baseline(path, &before, &err), ERROR_RUN);
	arena_free(arena);
}

static void guard_reads_baselines_without_families(void)
{
	char path[] = "/tmp/sofold-guard-XXXXXX";
	struct guard_measure read;
	struct error err = {""};
	int fd = mkstemp(path);

	begin();
	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	write_text(path, "{\"schema_version\": 1, \"unzipped\": 5, \"zipped\": null, \"native\": 1, "
			 "\"duplicates\": 0, \"layers\": 0, \"wheels\": {}}");
	CU_ASSERT_EQUAL(guard_read_baseline(arena, path, &read, &err), 0);
	CU_ASSERT(!read.has_families);
	unlink(path);
	arena_free(arena);
}

static void guard_counts_new_copies(void)
{
	static const struct guard_measure unaware = {0};
	const struct guard_duplicate same = {"liba.so", 2, 0}, more = {"liba.so", 4, 0},
				     less = {"libb.so", 2, 0}, fresh = {"libc.so", 2, 0};

	CU_ASSERT_EQUAL(guard_new_copies(&before, &same), 0);
	CU_ASSERT_EQUAL(guard_new_copies(&before, &more), 2);
	CU_ASSERT_EQUAL(guard_new_copies(&before, &less), 0);
	CU_ASSERT_EQUAL(guard_new_copies(&before, &fresh), 1);
	CU_ASSERT_EQUAL(guard_new_copies(&unaware, &fresh), 0);
	CU_ASSERT_EQUAL(guard_new_copies(NULL, &fresh), 0);
}

static void guard_advises_only_when_exceeded(void)
{
	struct guard_verdict kept = {.state = GUARD_KEPT};
	const struct guard_verdicts verdicts = {.items = &kept, .nr_items = 1};
	struct guard_advice advice;

	guard_advise(&advice, NULL, 0, &verdicts);
	CU_ASSERT_EQUAL(advice.nr, 0);
	CU_ASSERT_PTR_NULL(advice.best);
}

/* A layer of 10,000 bytes beside two objects, "one/tests" of which may go. */
static struct layer *tested_layer(void)
{
	static const struct {
		const char *path;
		uint64_t size;
	} files[] = {{"one-1.dist-info/RECORD", 600}, {"one/a.py", 400}, {"one/tests/data", 9000}};
	struct layer *layer = build_layer();
	owner_id one = build_owner(layer, "one", "1");
	size_t i;

	for (i = 0; i < sizeof files / sizeof *files; i++)
		build_file(layer, files[i].path);
	build_object(layer, (struct build_object){.path = "one/m.so", .exports = "PyInit_m", .size = 5000});
	build_object(layer,
		     (struct build_object){.path = "one/tests/t.so", .exports = "PyInit_t", .size = 3000});
	build_symlink(layer, "one/tests/link", "../../one/a.py");
	for (i = 0; i < sizeof files / sizeof *files; i++)
		layer->files[layer_find_file(layer, files[i].path)].size = files[i].size;
	for (i = 0; i < layer->nr_files; i++)
		layer->files[i].owner = one;
	layer->files[layer_find_file(layer, "one/m.so")].size = 5000;
	layer->files[layer_find_file(layer, "one/tests/t.so")].size = 3000;
	layer->objects[0].symtab_bytes = 700;
	layer->owners[one].record = layer_find_file(layer, "one-1.dist-info/RECORD");
	return layer;
}

static struct layer *without_tests(struct layer *layer)
{
	static const struct pruned tests = {"tests", "nobody needs them"};
	const struct pruned **pruned = arena_array(layer->arena, layer->nr_files, sizeof *pruned);
	size_t i;

	for (i = 0; i < layer->nr_files; i++)
		if (!strncmp(layer->files[i].path, "one/tests/", strlen("one/tests/")))
			pruned[i] = &tests;
	return layer_without(layer, pruned);
}

/* What the remedy of these options frees of what the budget counts. */
static void frees(const struct guard_input *input, const char *text, const char *options, uint64_t bytes,
		  bool enough)
{
	struct guard_measure measure = guard_measure(arena, input, 1);
	struct guard_verdicts verdicts;
	struct guard_advice advice;
	size_t i = 0;

	budgets = (struct guard_budgets){0};
	budget(text);
	verdicts = guard_judge(arena, &measure, NULL, &budgets, input, 1, 90);
	CU_ASSERT_EQUAL_FATAL(verdicts.nr_over, 1);
	CU_ASSERT(guard_is_exceeded(&verdicts));
	guard_advise(&advice, input, 1, &verdicts);
	while (i < advice.nr && strcmp(advice.remedies[i].options, options))
		i++;
	CU_ASSERT_FATAL(i < advice.nr);
	CU_ASSERT_EQUAL(advice.remedies[i].frees, bytes);
	CU_ASSERT_EQUAL(advice.remedies[i].enough, enough);
}

static void guard_counts_what_prune_takes_out(void)
{
	/* Rows of "one/tests/data", "one/tests/t.so" and "one/tests/link". */
	enum { ROWS = 3 * (14 + 10 + 43) + 4 + 4 + 2, GONE = 12000 + ROWS };
	struct plan_options options = {
		.level = LEVEL_DEFAULT, .passes = PASS_ALL, .platform = platform_find("generic-x86_64")};
	struct layer *layer = tested_layer();
	struct plan *plan = plan_layer(layer, &options);
	const uint64_t stripped[] = {1000, 50};
	struct guard_input input = {.name = "x", .layer = layer, .plan = plan, .options = &options};

	begin();
	frees(&input, "unzipped=100", "", 700, false);
	input.pruned[LEVEL_DEFAULT].layer = without_tests(layer);
	frees(&input, "unzipped=100", "--level safe", 700, false);
	frees(&input, "unzipped=100", "", GONE + 700, false);
	frees(&input, "unzipped=100", "--merge all", GONE + 700, false);
	frees(&input, "unzipped=10000", "", GONE + 700, true);
	frees(&input, "wheel:one=10000", "", GONE + 700, true);
	frees(&input, "native=4300", "", GONE + 700, true);
	frees(&input, "native=4299", "", GONE + 700, false);
	frees(&input, "one/tests/*=0", "", GONE + 700, true);
	frees(&input, "one/a*=0", "", GONE + 700, false);
	input.stripped = stripped;
	frees(&input, "native=4000", "", GONE + 1000, true);
	frees(&input, "native=6950", "--only strip", 1050, true);
	options.passes &= ~(unsigned)PASS_PRUNE;
	frees(&input, "native=4000", "", 1050, false);
	arena_free(arena);
	build_free(layer);
}

static void guard_hints_at_the_data_of_services(void)
{
	struct plan_options options = {.passes = PASS_ALL, .platform = platform_find("generic-x86_64")};
	struct layer *layer = tested_layer();
	struct guard_input input = {
		.name = "x", .layer = layer, .plan = plan_layer(layer, &options), .options = &options};
	struct guard_verdict over = {
		.budget = &(struct guard_budget){.what = GUARD_ZIPPED}, .state = GUARD_OVER, .used = 1};
	const struct guard_verdicts verdicts = {.items = &over, .nr_items = 1};
	struct guard_advice advice;

	build_file(layer, "python/botocore/data/s3/service-2.json.gz");
	guard_advise(&advice, &input, 1, &verdicts);
	CU_ASSERT_EQUAL(advice.services_bytes, 0);
	layer->files[layer_find_file(layer, "python/botocore/data/s3/service-2.json.gz")].size = 5000;
	guard_advise(&advice, &input, 1, &verdicts);
	CU_ASSERT_EQUAL(advice.services_bytes, 5000);
	options.passes = PASS_STRIP;
	guard_advise(&advice, &input, 1, &verdicts);
	CU_ASSERT_EQUAL(advice.services_bytes, 0);
	build_free(layer);
}

static void guard_reads_percentages(void)
{
	unsigned percent;

	CU_ASSERT(guard_parse_percent("0", &percent) && percent == 0);
	CU_ASSERT(guard_parse_percent("85%", &percent) && percent == 85);
	CU_ASSERT(guard_parse_percent("100", &percent) && percent == 100);
	CU_ASSERT(!guard_parse_percent("101", &percent));
	CU_ASSERT(!guard_parse_percent("8.5%", &percent));
	CU_ASSERT(!guard_parse_percent("", &percent));
	CU_ASSERT(!guard_parse_percent("-1", &percent));
	CU_ASSERT(!guard_parse_percent("5MB", &percent));
}

void suite_guard(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(guard_reads_sizes_exactly),
		UNIT_TEST(guard_reads_budgets),
		UNIT_TEST(guard_judges_limits),
		UNIT_TEST(guard_judges_growth),
		UNIT_TEST(guard_knows_lambda),
		UNIT_TEST(guard_reads_the_baseline_it_writes),
		UNIT_TEST(guard_reads_baselines_without_families),
		UNIT_TEST(guard_counts_new_copies),
		UNIT_TEST(guard_advises_only_when_exceeded),
		UNIT_TEST(guard_counts_what_prune_takes_out),
		UNIT_TEST(guard_hints_at_the_data_of_services),
		UNIT_TEST(guard_reads_percentages),
	};

	unit_suite("guard", tests, sizeof tests / sizeof *tests);
}
