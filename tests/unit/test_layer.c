/* Unit tests of findings, owners, and the walk through symlinks. */
#include "suites.h"

#include "build_layer.h"
#include "layer/walk.h"

static struct layer *layer;

/* A layer with liba.so in a directory and some ways to it. */
static void begin(void)
{
	layer = build_layer();
	build_object(layer, (struct build_object){.path = "a/b/liba.so"});
	build_symlink(layer, "liba.so", "a/b/liba.so");
	build_symlink(layer, "a/up", "../a/b");
	build_symlink(layer, "x/there", "../a/b/./liba.so");
	build_symlink(layer, "x/chain", "there");
	build_symlink(layer, "x/loop", "loop");
	build_symlink(layer, "x/out", "../../liba.so");
	build_symlink(layer, "x/absolute", "/a/b/liba.so");
	build_symlink(layer, "x/nowhere", "nothing");
	build_symlink(layer, "x/deep", "../a/b");
}

#define LEADS_TO(path, object) CU_ASSERT_EQUAL(layer_object_at(layer, (path)), (object))

static void layer_finds_files_by_exact_path(void)
{
	begin();
	CU_ASSERT_NOT_EQUAL(layer_find_file(layer, "a/b/liba.so"), NO_ID);
	CU_ASSERT_EQUAL(layer_find_file(layer, "a/b/liba.s"), NO_ID);
	CU_ASSERT_EQUAL(layer_find_file(layer, "a/b"), NO_ID);
	CU_ASSERT_EQUAL(layer_find_file(layer, ""), NO_ID);
	CU_ASSERT_EQUAL(layer_find_file(layer, "zzz"), NO_ID);
	for (size_t i = 0; i < layer->nr_files; i++)
		CU_ASSERT_EQUAL(layer_find_file(layer, layer->files[i].path), i);
	build_free(layer);
}

static void walk_goes_through_symlinks(void)
{
	begin();
	LEADS_TO("a/b/liba.so", 0);
	LEADS_TO("liba.so", 0);
	LEADS_TO("x/there", 0);
	LEADS_TO("x/chain", 0);
	LEADS_TO("a/up/liba.so", 0);
	LEADS_TO("./a//b/../b/liba.so", 0);
	build_free(layer);
}

static void walk_takes_the_parent_of_what_a_link_points_to(void)
{
	begin();
	LEADS_TO("x/deep/../b/liba.so", 0);
	LEADS_TO("x/deep/../there", NO_ID);
	build_free(layer);
}

static void walk_does_not_leave_the_layer(void)
{
	begin();
	LEADS_TO("x/out", NO_ID);
	LEADS_TO("x/absolute", NO_ID);
	LEADS_TO("../liba.so", NO_ID);
	LEADS_TO("/liba.so", NO_ID);
	build_free(layer);
}

static void walk_ends_in_loops_and_missing_places(void)
{
	begin();
	LEADS_TO("x/loop", NO_ID);
	LEADS_TO("x/nowhere", NO_ID);
	LEADS_TO("no/../liba.so", NO_ID);
	LEADS_TO("liba.so/../liba.so", NO_ID);
	LEADS_TO("a/b", NO_ID);
	LEADS_TO("", NO_ID);
	build_free(layer);
}

static void walk_refuses_paths_no_kernel_takes(void)
{
	char long_path[2 * WALK_PATH_MAX];

	begin();
	for (size_t i = 0; i < sizeof long_path; i++)
		long_path[i] = 'a';
	long_path[sizeof long_path - 1] = '\0';
	LEADS_TO(long_path, NO_ID);
	build_symlink(layer, "x/long", arena_strdup(layer->arena, long_path));
	LEADS_TO("x/long", NO_ID);
	build_free(layer);
}

static void layer_sorts_findings_by_severity_rule_and_path(void)
{
	static const char *const expected[] = {"a b 2", "b a 1", "b b 1", "a a 1", "c a 1"};

	layer = build_layer();
	layer_add_finding(layer, "c", SEVERITY_NOTE, "a", "%d", 1);
	layer_add_finding(layer, "b", SEVERITY_ERROR, "b", "%d", 1);
	layer_add_finding(layer, "a", SEVERITY_WARNING, "a", "%d", 1);
	layer_add_finding(layer, "b", SEVERITY_ERROR, "a", "%d", 1);
	layer_add_finding(layer, "a", SEVERITY_ERROR, "b", "%d", 2);
	layer_sort_findings(layer);
	for (size_t i = 0; i < layer->nr_findings; i++) {
		const struct finding *finding = &layer->findings[i];

		UNIT_ASSERT_TEXT(arena_printf(layer->arena, "%s %s %s", finding->rule, finding->path,
					      finding->message),
				 expected[i]);
	}
	build_free(layer);
}

static void layer_names_the_wheel_that_owns_an_object(void)
{
	owner_id numpy;

	layer = build_layer();
	numpy = build_owner(layer, "numpy", "2.4.6");
	build_object(layer, (struct build_object){.path = "numpy/core.so", .owner_plus_one = numpy + 1});
	build_object(layer, (struct build_object){.path = "other.so"});
	UNIT_ASSERT_TEXT(object_owner(layer->arena, layer, &layer->objects[0]), "numpy 2.4.6");
	UNIT_ASSERT_TEXT(object_owner(layer->arena, layer, &layer->objects[1]), "-");
	build_free(layer);
}

void suite_layer(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(layer_finds_files_by_exact_path),
		UNIT_TEST(walk_goes_through_symlinks),
		UNIT_TEST(walk_takes_the_parent_of_what_a_link_points_to),
		UNIT_TEST(walk_does_not_leave_the_layer),
		UNIT_TEST(walk_ends_in_loops_and_missing_places),
		UNIT_TEST(walk_refuses_paths_no_kernel_takes),
		UNIT_TEST(layer_sorts_findings_by_severity_rule_and_path),
		UNIT_TEST(layer_names_the_wheel_that_owns_an_object),
	};

	unit_suite("layer", tests, sizeof tests / sizeof *tests);
}
