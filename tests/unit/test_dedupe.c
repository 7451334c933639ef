/* Unit tests of which copies stay and which go (src/plan/dedupe.c, families.c). */
#include "suites.h"

#include "plan_text.h"

static const struct build_object x = {.exports = "x"};

static void expect(const char *text)
{
	UNIT_ASSERT_TEXT(plan_copies(), text);
	plan_end();
}

/* Three equal copies in a.libs, b.libs and c.libs; modules need them. */
static void three_copies(void)
{
	plan_begin();
	plan_library("a.libs/libx-1.so.1", "S", NULL, x);
	plan_library("b.libs/libx-2.so.1", "S", NULL, x);
	plan_library("c.libs/libx-3.so.1", "S", NULL, x);
	plan_module("a/m.so", "libx-1.so.1", "$ORIGIN/../a.libs", "x");
	plan_module("b/m.so", "libx-2.so.1", "$ORIGIN/../b.libs", "x");
	plan_module("c/m.so", "libx-3.so.1", "$ORIGIN/../c.libs", "x");
}

static void dedupe_keeps_the_first_of_equals(void)
{
	three_copies();
	expect("keep a.libs/libx-1.so.1\n"
	       "merge b.libs/libx-2.so.1: identical, the same bytes\n"
	       "merge c.libs/libx-3.so.1: identical, the same bytes\n");
}

static void dedupe_keeps_the_copy_whose_consumers_are_the_most_bytes(void)
{
	three_copies();
	plan_subject->objects[5].size = 100000;
	expect("merge a.libs/libx-1.so.1: identical, the same bytes\n"
	       "merge b.libs/libx-2.so.1: identical, the same bytes\n"
	       "keep c.libs/libx-3.so.1\n");
}

static void dedupe_keeps_what_code_names(void)
{
	three_copies();
	plan_subject->objects[1].named_by = "b/load.py";
	/* It is as good a keeper as any; with two of them one stays beside it. */
	UNIT_ASSERT_TEXT(plan_copies(), "merge a.libs/libx-1.so.1: identical, the same bytes\n"
					"keep b.libs/libx-2.so.1\n"
					"merge c.libs/libx-3.so.1: identical, the same bytes\n");
	plan_subject->objects[0].named_by = "a/load.py";
	expect("keep a.libs/libx-1.so.1\n"
	       "refuse b.libs/libx-2.so.1: code names this file: b/load.py\n"
	       "merge c.libs/libx-3.so.1: identical, the same bytes\n");
}

static void dedupe_keeps_what_a_symlink_leads_to(void)
{
	three_copies();
	build_symlink(plan_subject, "b.libs/libx.so", "libx-2.so.1");
	expect("merge a.libs/libx-1.so.1: identical, the same bytes\n"
	       "keep b.libs/libx-2.so.1\n"
	       "merge c.libs/libx-3.so.1: identical, the same bytes\n");
}

static void dedupe_keeps_what_nothing_needs_by_name(void)
{
	/* Plugins: somebody lists the directory and opens what is there. */
	plan_begin();
	plan_library("a/plugins/libx.so", "S", NULL, x);
	plan_library("b/plugins/libx.so", "S", NULL, x);
	(void)plan_copies();
	for (object_id i = 0; i < 2; i++)
		CU_ASSERT_FALSE(plan_layer(plan_subject, &plan_settings)->deleted[i]);
	plan_end();
}

static void dedupe_merges_the_names_of_one_library_in_one_directory(void)
{
	struct build_object named = x;

	plan_begin();
	named.soname = "libx.so.1";
	plan_library("a.libs/libx.so", "S", NULL, named);
	plan_library("a.libs/libx.so.1", "S", NULL, named);
	plan_library("a.libs/libx.so.1.2", "S", NULL, named);
	plan_module("a/m.so", "libx.so.1", "$ORIGIN/../a.libs", "x");
	expect("merge a.libs/libx.so: identical, the same bytes\n"
	       "keep a.libs/libx.so.1\n"
	       "merge a.libs/libx.so.1.2: identical, the same bytes\n");
}

static void dedupe_never_takes_extension_modules_for_copies(void)
{
	plan_begin();
	plan_module("a/m.so", "", NULL, "");
	plan_module("b/m.so", "", NULL, "");
	plan_subject->objects[0].content = plan_subject->objects[1].content = "S";
	expect("");
}

static void dedupe_keeps_machines_apart(void)
{
	struct build_object arm = x;

	plan_begin();
	arm.machine = 183;
	plan_library("a.libs/libx-1.so.1", NULL, NULL, x);
	plan_library("b.libs/libx-2.so.1", NULL, NULL, arm);
	expect("");
}

static void dedupe_finds_equal_bytes_under_other_names(void)
{
	plan_begin();
	plan_library("a.libs/libarrow.so.15", "S", NULL, x);
	plan_library("a.libs/libother.so.15", "S", NULL, x);
	plan_module("a/m.so", "libarrow.so.15", "$ORIGIN/../a.libs", "x");
	plan_module("b/m.so", "libother.so.15", "$ORIGIN/../a.libs", "x");
	expect("keep a.libs/libarrow.so.15\n"
	       "merge a.libs/libother.so.15: identical, the same bytes\n");
}

static void dedupe_refuses_where_a_consumer_cannot_be_edited(void)
{
	plan_begin();
	plan_library("a.libs/libx-1.so.1", "S", NULL, x);
	plan_library("b.libs/libx-2.so.1", "S", NULL, x);
	plan_module("a/m.so", "libx-1.so.1", "$ORIGIN/../a.libs", "x");
	plan_module("b/m.so", "libx-2.so.1", "$ORIGIN/../b.libs", "x");
	plan_subject->objects[2].untouchable = plan_subject->objects[3].untouchable = "data follows";
	plan_copies();
	for (object_id i = 0; i < 2; i++)
		CU_ASSERT_FALSE(plan_layer(plan_subject, &plan_settings)->deleted[i]);
	plan_end();
}

static void dedupe_lets_orphans_go(void)
{
	/* b's libblas goes, and libq-2 was there for it alone. */
	static const struct build_object blas = {
		.exports = "x", .needed = "libq-11111111.so.0", .runpath = "$ORIGIN", .size = 9000};
	struct build_object other = blas;

	plan_begin();
	other.needed = "libq-22222222.so.0";
	plan_library("a.libs/libblas-1.so.1", NULL, "I", blas);
	plan_library("a.libs/libq-11111111.so.0", NULL, NULL, (struct build_object){.exports = "q"});
	plan_library("b.libs/libblas-2.so.1", NULL, "I", other);
	plan_library("b.libs/libq-22222222.so.0", NULL, NULL, (struct build_object){.exports = "q"});
	plan_module("a/m.so", "libblas-1.so.1", "$ORIGIN/../a.libs", "x");
	plan_module("b/m.so", "libblas-2.so.1", "$ORIGIN/../b.libs", "x");
	expect("keep a.libs/libblas-1.so.1\n"
	       "merge b.libs/libblas-2.so.1: same image, the same build, names differ\n"
	       "refuse a.libs/libq-11111111.so.0: the only copy left\n"
	       "orphan b.libs/libq-22222222.so.0\n");
}

static void dedupe_decides_families_one_by_one_when_together_they_break(void)
{
	/* b/m.so cannot be edited, so libx stays; liby goes all the same. */
	plan_begin();
	plan_library("a.libs/libx-1.so.1", "X", NULL, x);
	plan_library("a.libs/liby-1.so.1", "Y", NULL, (struct build_object){.exports = "y"});
	plan_library("b.libs/libx-2.so.1", "X", NULL, x);
	plan_library("b.libs/liby-2.so.1", "Y", NULL, (struct build_object){.exports = "y"});
	plan_module("a/m.so", "libx-1.so.1 liby-1.so.1", "$ORIGIN/../a.libs", "x y");
	plan_module("b/m.so", "libx-2.so.1", "$ORIGIN/../b.libs", "x");
	plan_module("b/n.so", "liby-2.so.1", "$ORIGIN/../b.libs", "y");
	plan_subject->objects[4].untouchable = "a test says so";
	plan_subject->objects[5].untouchable = "a test says so";
	(void)plan_copies();
	UNIT_ASSERT_TEXT(plan_edits(),
			 "b/n.so: liby-2.so.1 = liby-1.so.1, $ORIGIN/../b.libs:$ORIGIN/../a.libs\n");
	plan_end();
}

static void dedupe_keeps_what_different_loaders_find_differently(void)
{
	/* c/helper.so has no path: what it finds depends on who loads it. */
	plan_begin();
	plan_library("a.libs/libx.so.1", "S", NULL, x);
	plan_library("b.libs/libx.so.1", "S", NULL, x);
	plan_library("c/libhelper.so", NULL, NULL,
		     (struct build_object){.needed = "libx.so.1", .imports = "x"});
	plan_module_rpath("a/m.so", "libhelper.so", "$ORIGIN/../c:$ORIGIN/../a.libs", "");
	plan_module_rpath("b/m.so", "libhelper.so", "$ORIGIN/../c:$ORIGIN/../b.libs", "");
	expect("refuse a.libs/libx.so.1: c/libhelper.so finds different copies depending on who loads it\n"
	       "refuse b.libs/libx.so.1: c/libhelper.so finds different copies depending on who loads it\n");
}

static void dedupe_asks_for_candidates_only(void)
{
	bool wanted[4];

	plan_begin();
	plan_library("a.libs/libx-11111111.so.1", NULL, NULL, x);
	plan_library("a.libs/liby-1.so.1", NULL, NULL, x);
	plan_library("b.libs/libx-22222222.so.1", NULL, NULL, x);
	plan_module("b/m.so", "", NULL, "");
	plan_candidates(plan_subject, wanted);
	CU_ASSERT(wanted[0] && !wanted[1] && wanted[2] && !wanted[3]);
	plan_end();
}

void suite_dedupe(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(dedupe_keeps_the_first_of_equals),
		UNIT_TEST(dedupe_keeps_the_copy_whose_consumers_are_the_most_bytes),
		UNIT_TEST(dedupe_keeps_what_code_names),
		UNIT_TEST(dedupe_keeps_what_a_symlink_leads_to),
		UNIT_TEST(dedupe_keeps_what_nothing_needs_by_name),
		UNIT_TEST(dedupe_merges_the_names_of_one_library_in_one_directory),
		UNIT_TEST(dedupe_never_takes_extension_modules_for_copies),
		UNIT_TEST(dedupe_keeps_machines_apart),
		UNIT_TEST(dedupe_finds_equal_bytes_under_other_names),
		UNIT_TEST(dedupe_refuses_where_a_consumer_cannot_be_edited),
		UNIT_TEST(dedupe_lets_orphans_go),
		UNIT_TEST(dedupe_decides_families_one_by_one_when_together_they_break),
		UNIT_TEST(dedupe_keeps_what_different_loaders_find_differently),
		UNIT_TEST(dedupe_asks_for_candidates_only),
	};

	unit_suite("dedupe", tests, sizeof tests / sizeof *tests);
}
