/* Unit tests of what one copy of a library is to another (src/plan/relation.c). */
#include "suites.h"

#include "plan/plan.h"
#include "plan_text.h"

/* Two copies of one library, each with a module of its own. */
static void two_copies(const char *name_a, struct build_object a, const char *name_b, struct build_object b,
		       const char *imports)
{
	struct arena *arena;

	plan_begin();
	arena = plan_subject->arena;
	plan_library(arena_printf(arena, "a.libs/%s", name_a), NULL, NULL, a);
	plan_library(arena_printf(arena, "b.libs/%s", name_b), NULL, NULL, b);
	plan_module("a/m.so", name_a, "$ORIGIN/../a.libs", imports);
	plan_module("b/m.so", name_b, "$ORIGIN/../b.libs", imports);
}

static void expect(const char *text)
{
	UNIT_ASSERT_TEXT(plan_copies(), text);
	plan_end();
}

static void relation_of_equal_bytes_is_identical(void)
{
	two_copies("libx-11111111.so.1", (struct build_object){.exports = "x"}, "libx-22222222.so.1",
		   (struct build_object){.exports = "x"}, "x");
	plan_subject->objects[0].content = plan_subject->objects[1].content = "S";
	expect("keep a.libs/libx-11111111.so.1\n"
	       "merge b.libs/libx-22222222.so.1: identical, the same bytes\n");
}

static void relation_of_equal_images_is_same_image(void)
{
	two_copies("libx-11111111.so.1", (struct build_object){.exports = "x"}, "libx-22222222.so.1",
		   (struct build_object){.exports = "x"}, "x");
	plan_subject->objects[0].image = plan_subject->objects[1].image = "I";
	plan_settings.level = LEVEL_SAFE;
	expect("keep a.libs/libx-11111111.so.1\n"
	       "merge b.libs/libx-22222222.so.1: same image, the same build, names differ\n");
}

static void relation_of_a_promised_family_is_compatible(void)
{
	two_copies("libgomp-11111111.so.1", (struct build_object){.exports = "x@@G_1", .verdefs = "G_1"},
		   "libgomp-22222222.so.1", (struct build_object){.exports = "x@@G_1", .verdefs = "G_1"},
		   "x@G_1");
	expect("keep a.libs/libgomp-11111111.so.1\n"
	       "merge b.libs/libgomp-22222222.so.1: compatible, another build that defines every used "
	       "symbol\n");
}

static void relation_at_level_safe_keeps_other_builds(void)
{
	two_copies("libgomp-11111111.so.1", (struct build_object){.exports = "x"}, "libgomp-22222222.so.1",
		   (struct build_object){.exports = "x"}, "x");
	plan_settings.level = LEVEL_SAFE;
	expect("refuse a.libs/libgomp-11111111.so.1: another build, kept at --level safe\n"
	       "refuse b.libs/libgomp-22222222.so.1: another build, kept at --level safe\n");
}

static void relation_goes_from_older_to_newer_where_versions_are_a_superset(void)
{
	two_copies("libgomp-11111111.so.1", (struct build_object){.exports = "x@@G_1", .verdefs = "G_1"},
		   "libgomp-22222222.so.1",
		   (struct build_object){.exports = "x@@G_1 y@@G_2", .verdefs = "G_1 G_2"}, "x@G_1");
	expect("merge a.libs/libgomp-11111111.so.1: compatible, another build that defines every used "
	       "symbol\n"
	       "keep b.libs/libgomp-22222222.so.1\n");
}

static void relation_is_refused_for_a_symbol_that_is_used(void)
{
	two_copies("libgomp-11111111.so.1", (struct build_object){.exports = "x y"}, "libgomp-22222222.so.1",
		   (struct build_object){.exports = "x z"}, "x ?y ?z");
	expect("refuse a.libs/libgomp-11111111.so.1: y is not in the other copy\n"
	       "refuse b.libs/libgomp-22222222.so.1: z is not in the other copy\n");
}

static void relation_is_refused_for_a_version_of_a_symbol(void)
{
	two_copies("libgomp-11111111.so.1",
		   (struct build_object){.exports = "x@@G_1 y@@G_1", .verdefs = "G_1"},
		   "libgomp-22222222.so.1",
		   (struct build_object){.exports = "x@@G_1 y@@G_2", .verdefs = "G_1 G_2"}, "y@G_1 ?y@G_2");
	expect("refuse a.libs/libgomp-11111111.so.1: y@G_1 is not in the other copy\n"
	       "refuse b.libs/libgomp-22222222.so.1: the other copy does not define version G_2\n");
}

static void relation_of_other_soname_majors_is_refused(void)
{
	two_copies("libgfortran-11111111.so.3", (struct build_object){.exports = "x"},
		   "libgfortran-22222222.so.5", (struct build_object){.exports = "x"}, "x");
	expect("refuse a.libs/libgfortran-11111111.so.3: SONAME majors 3 and 5\n"
	       "refuse b.libs/libgfortran-22222222.so.5: SONAME majors 5 and 3\n");
}

static void relation_of_ilp64_and_lp64_is_refused(void)
{
	two_copies("libopenblas-11111111.so", (struct build_object){.exports = "x"},
		   "libopenblas-22222222.so", (struct build_object){.exports = "x"}, "x");
	plan_subject->objects[0].lp64 = true;
	plan_subject->objects[1].ilp64 = true;
	expect("refuse a.libs/libopenblas-11111111.so: ILP64 (64-bit integers) and LP64 (32-bit)\n"
	       "refuse b.libs/libopenblas-22222222.so: ILP64 (64-bit integers) and LP64 (32-bit)\n");
}

static void relation_of_an_unknown_integer_size_is_refused(void)
{
	two_copies("libopenblas-11111111.so", (struct build_object){.exports = "x"},
		   "libopenblas-22222222.so", (struct build_object){.exports = "x"}, "x");
	plan_subject->objects[0].lp64 = true;
	expect("refuse a.libs/libopenblas-11111111.so: one of the two does not say how large its integers "
	       "are\n"
	       "refuse b.libs/libopenblas-22222222.so: one of the two does not say how large its integers "
	       "are\n");
}

/* Nobody is moved to a library that does not load; from it, yes. */
static void relation_to_a_copy_that_does_not_load_is_refused(void)
{
	two_copies("libgomp-11111111.so.1", (struct build_object){.exports = "x"}, "libgomp-22222222.so.1",
		   (struct build_object){.exports = "x"}, "x");
	layer_add_finding(plan_subject, "misaligned", SEVERITY_ERROR, "a.libs/libgomp-11111111.so.1",
			  "it cannot be mapped");
	UNIT_ASSERT_TEXT(plan_copies(), "merge a.libs/libgomp-11111111.so.1: compatible, another build that "
					"defines every used symbol\n"
					"keep b.libs/libgomp-22222222.so.1\n");
	plan_subject->objects[1].noopen = true;
	expect("refuse a.libs/libgomp-11111111.so.1: the other copy must not be opened by dlopen() "
	       "(DF_1_NOOPEN)\n"
	       "refuse b.libs/libgomp-22222222.so.1: the other copy does not load as it is: it cannot be "
	       "mapped\n");
}

static void relation_of_other_families_is_offered(void)
{
	two_copies("libtiff-11111111.so.6", (struct build_object){.exports = "x"}, "libtiff-22222222.so.6",
		   (struct build_object){.exports = "x"}, "x");
	UNIT_ASSERT_TEXT(plan_copies(),
			 "refuse a.libs/libtiff-11111111.so.6: every used symbol is covered, but build "
			 "options may differ (--merge)\n"
			 "offer b.libs/libtiff-22222222.so.6: every used symbol is covered, but build "
			 "options may differ (--merge)\n");
	plan_settings.merge = (const char *[]){"libtiff"};
	plan_settings.nr_merge = 1;
	expect("keep a.libs/libtiff-11111111.so.6\n"
	       "merge b.libs/libtiff-22222222.so.6: compatible, every used symbol is covered, merged on "
	       "request\n");
}

static void relation_of_smaller_data_is_refused(void)
{
	two_copies("libgomp-11111111.so.1", (struct build_object){.exports = "x"}, "libgomp-22222222.so.1",
		   (struct build_object){.exports = "x"}, "x");
	plan_subject->objects[0].exports[0].flags = plan_subject->objects[1].exports[0].flags = SYMBOL_DATA;
	plan_subject->objects[1].exports[0].size = 16;
	expect("merge a.libs/libgomp-11111111.so.1: compatible, another build that defines every used "
	       "symbol\n"
	       "keep b.libs/libgomp-22222222.so.1\n");
}

static void version_evidence_is_compared_by_numbers(void)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
		{"1.9", "1.10", -1}, {"1.10", "1.9", 1},	  {"1.2", "1.2.1", -1}, {"1.2.1", "1.2", 1},
		{"3.4", "3.4", 0},   {"0.3.29-a", "0.3.29-b", 0}, {NULL, "1", 0},	{"1.2rc1", "1.3", -1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct object a = {.version_hint = cases[i].a}, b = {.version_hint = cases[i].b};

		CU_ASSERT_EQUAL(version_compare(&a, &b), cases[i].order);
	}
}

void suite_relation(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(relation_of_equal_bytes_is_identical),
		UNIT_TEST(relation_of_equal_images_is_same_image),
		UNIT_TEST(relation_of_a_promised_family_is_compatible),
		UNIT_TEST(relation_at_level_safe_keeps_other_builds),
		UNIT_TEST(relation_goes_from_older_to_newer_where_versions_are_a_superset),
		UNIT_TEST(relation_is_refused_for_a_symbol_that_is_used),
		UNIT_TEST(relation_is_refused_for_a_version_of_a_symbol),
		UNIT_TEST(relation_of_other_soname_majors_is_refused),
		UNIT_TEST(relation_of_ilp64_and_lp64_is_refused),
		UNIT_TEST(relation_of_an_unknown_integer_size_is_refused),
		UNIT_TEST(relation_to_a_copy_that_does_not_load_is_refused),
		UNIT_TEST(relation_of_other_families_is_offered),
		UNIT_TEST(relation_of_smaller_data_is_refused),
		UNIT_TEST(version_evidence_is_compared_by_numbers),
	};

	unit_suite("relation", tests, sizeof tests / sizeof *tests);
}
