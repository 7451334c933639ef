/* Unit tests of names and search paths after a merge (src/plan/relink.c). */
#include "suites.h"

#include <string.h>

#include "plan_text.h"

static const struct build_object x = {.exports = "x"};

/* Plans, and expects these new names. */
static void expect(const char *edits)
{
	(void)plan_copies();
	UNIT_ASSERT_TEXT(plan_edits(), edits);
	plan_end();
}

/* Equal copies in one.libs, which stays, and two.libs. */
static void begin(void)
{
	plan_begin();
	plan_library("one.libs/libx-11111111.so.1", "S", NULL, x);
	plan_library("two.libs/libx-22222222.so.1", "S", NULL, x);
	plan_subject->objects[0].named_by = "a test";
}

#define RENAMED " libx-22222222.so.1 = libx-11111111.so.1,"

static void relink_replaces_a_directory_that_empties(void)
{
	begin();
	plan_module("two/m.so", "libx-22222222.so.1", "$ORIGIN/../two.libs", "x");
	expect("two/m.so:" RENAMED " $ORIGIN/../one.libs\n");
}

static void relink_appends_to_a_directory_that_stays(void)
{
	begin();
	plan_library("two.libs/liby.so.1", NULL, NULL, (struct build_object){.exports = "y"});
	plan_module("two/m.so", "libx-22222222.so.1 liby.so.1", "$ORIGIN/../two.libs", "x y");
	expect("two/m.so:" RENAMED " $ORIGIN/../two.libs:$ORIGIN/../one.libs\n");
}

static void relink_keeps_entries_that_lead_elsewhere(void)
{
	begin();
	plan_module("two/m.so", "libx-22222222.so.1", "/opt/lib:$ORIGIN/../two.libs:$LIB/x", "x");
	expect("two/m.so:" RENAMED " /opt/lib:$LIB/x:$ORIGIN/../one.libs\n");
}

static void relink_keeps_the_path_where_only_the_name_changes(void)
{
	plan_begin();
	plan_library("libs/libx-11111111.so.1", "S", NULL, x);
	plan_library("libs/libx-22222222.so.1", "S", NULL, x);
	plan_subject->objects[0].named_by = "a test";
	plan_module("m.so", "libx-22222222.so.1", "$ORIGIN/libs", "x");
	expect("m.so:" RENAMED " -\n");
}

static void relink_changes_only_the_path_of_an_equal_name(void)
{
	plan_begin();
	plan_library("one.libs/libx.so.1", "S", NULL, x);
	plan_library("two.libs/libx.so.1", "S", NULL, x);
	plan_module("one/m.so", "libx.so.1", "$ORIGIN/../one.libs", "x");
	plan_module("two/m.so", "libx.so.1", "${ORIGIN}/../two.libs", "x");
	expect("two/m.so: $ORIGIN/../one.libs\n");
}

static void relink_names_a_symlink_that_is_the_soname(void)
{
	plan_begin();
	plan_library("one.libs/libx-11111111.so.1.2", "S", NULL,
		     (struct build_object){.exports = "x", .soname = "libx-11111111.so.1"});
	plan_library("two.libs/libx-22222222.so.1", "S", NULL, x);
	build_symlink(plan_subject, "one.libs/libx-11111111.so.1", "libx-11111111.so.1.2");
	plan_module("two/m.so", "libx-22222222.so.1", "$ORIGIN/../two.libs", "x");
	expect("two/m.so:" RENAMED " $ORIGIN/../one.libs\n");
}

/* two.libs/libx needs libq of its wheel, found by its consumers' paths only. */
static void begin_with_dependency(void)
{
	static const struct build_object needs_q = {.exports = "x", .needed = "libq.so.0", .imports = "q"};

	plan_begin();
	plan_library("one.libs/libq.so.0", NULL, NULL, (struct build_object){.exports = "q"});
	plan_library("one.libs/libx-11111111.so.1", NULL, "I", needs_q);
	plan_library("two.libs/libx-22222222.so.1", NULL, "I", needs_q);
	plan_library("two.libs/libq.so.0", NULL, NULL, (struct build_object){.exports = "q"});
	plan_subject->objects[1].named_by = "a test";
	plan_module_rpath("one/m.so", "libx-11111111.so.1", "$ORIGIN/../one.libs", "x");
}

static void relink_lets_a_library_inherit_an_rpath(void)
{
	begin_with_dependency();
	plan_module_rpath("two/m.so", "libx-22222222.so.1", "$ORIGIN/../two.libs", "x");
	(void)plan_copies();
	/* The kept library gets no path: one/m.so and two/m.so both provide for it. */
	CU_ASSERT_PTR_NULL(strstr(plan_edits(), "libx-11111111.so.1:"));
	plan_end();
}

static void relink_gives_a_library_behind_a_runpath_its_own_path(void)
{
	static const struct build_object needs_q = {
		.exports = "x", .needed = "libq.so.0", .imports = "q", .runpath = "$ORIGIN"};

	/* two's copy had a path; one's, which stays, is found through DT_RPATH. */
	plan_begin();
	plan_library("one.libs/libq.so.0", "Q", NULL, (struct build_object){.exports = "q"});
	plan_library("one.libs/libx-11111111.so.1", NULL, "I",
		     (struct build_object){.exports = "x", .needed = "libq.so.0", .imports = "q"});
	plan_library("two.libs/libx-22222222.so.1", NULL, "I", needs_q);
	plan_library("two.libs/libq.so.0", "Q", NULL, (struct build_object){.exports = "q"});
	plan_subject->objects[0].named_by = plan_subject->objects[1].named_by = "a test";
	plan_module_rpath("one/m.so", "libx-11111111.so.1", "$ORIGIN/../one.libs", "x");
	plan_module("two/m.so", "libx-22222222.so.1", "$ORIGIN/../two.libs", "x");
	for (object_id i = 0; i < plan_subject->nr_objects; i++)
		plan_subject->objects[i].path_fits = true;
	expect("one.libs/libx-11111111.so.1: $ORIGIN\n"
	       "two/m.so:" RENAMED " $ORIGIN/../one.libs\n");
}

static void relink_refuses_links_in_several_directories(void)
{
	begin();
	plan_library("two/m.so", NULL, NULL,
		     (struct build_object){.links = "three/m.so",
					   .exports = "PyInit_m",
					   .needed = "libx-22222222.so.1",
					   .runpath = "$ORIGIN/../two.libs",
					   .imports = "x"});
	expect("");
}

static void relink_renames_two_needs_to_one(void)
{
	begin();
	plan_library("two.libs/libx-33333333.so.1", "S", NULL, x);
	plan_module("two/m.so", "libx-22222222.so.1 libx-33333333.so.1", "$ORIGIN/../two.libs", "x");
	expect("two/m.so:" RENAMED " libx-33333333.so.1 = libx-11111111.so.1, $ORIGIN/../one.libs\n");
}

void suite_relink(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(relink_replaces_a_directory_that_empties),
		UNIT_TEST(relink_appends_to_a_directory_that_stays),
		UNIT_TEST(relink_keeps_entries_that_lead_elsewhere),
		UNIT_TEST(relink_keeps_the_path_where_only_the_name_changes),
		UNIT_TEST(relink_changes_only_the_path_of_an_equal_name),
		UNIT_TEST(relink_names_a_symlink_that_is_the_soname),
		UNIT_TEST(relink_lets_a_library_inherit_an_rpath),
		UNIT_TEST(relink_gives_a_library_behind_a_runpath_its_own_path),
		UNIT_TEST(relink_refuses_links_in_several_directories),
		UNIT_TEST(relink_renames_two_needs_to_one),
	};

	unit_suite("relink", tests, sizeof tests / sizeof *tests);
}
