/*
 * Unit tests of bindings_compare: two wheels with a library each, a plan that
 * merges one into the other, and the ways in which that can go wrong.
 */
#include "suites.h"

#include <string.h>

#include "build_layer.h"
#include "layer/roots.h"
#include "sofold/check.h"

enum { A, B, LIB_A, LIB_B, NR_OBJECTS };

static struct layer *before, *after;
static struct plan plan;
static struct error err;

static void replace(object_id object, object_id by)
{
	struct file *file = &after->files[after->objects[object].file];

	plan.replaced_by[object] = by;
	plan.deleted[object] = true;
	file->kind = FILE_GONE;
	file->object = NO_ID;
}

static void start_plan(void)
{
	after = build_copy(before);
	plan = (struct plan){
		.replaced_by = arena_array(before->arena, before->nr_objects, sizeof *plan.replaced_by),
		.deleted = arena_array(before->arena, before->nr_objects, sizeof *plan.deleted),
	};
	for (size_t i = 0; i < before->nr_objects; i++)
		plan.replaced_by[i] = NO_ID;
	err = (struct error){{0}};
}

/* a.so and b.so import from a library of their own; the plan so far: b.so's
 * library goes, and b.so needs a.so's. */
static void begin(const char *exports_a, const char *verdefs_a)
{
	before = build_layer();
	build_object(before, (struct build_object){.path = "a/a.so",
						   .exports = "PyInit_a",
						   .needed = "libx-1.so libc.so.6",
						   .rpath = "$ORIGIN/../a.libs",
						   .imports = "f@V1 malloc@GLIBC_2.2.5",
						   .verneeds = "libx-1.so:V1"});
	build_object(before, (struct build_object){.path = "b/b.so",
						   .exports = "PyInit_b",
						   .needed = "libx-2.so libc.so.6",
						   .rpath = "$ORIGIN/../b.libs",
						   .imports = "f@V1 g@V2 malloc@GLIBC_2.2.5 ?h",
						   .verneeds = "libx-2.so:V1,V2 libc.so.6:GLIBC_2.2.5"});
	build_object(before, (struct build_object){
				     .path = "a.libs/libx-1.so", .exports = exports_a, .verdefs = verdefs_a});
	build_object(before, (struct build_object){.path = "b.libs/libx-2.so",
						   .exports = "f@@V1 g@@V2 h",
						   .verdefs = "V1 V2"});
	start_plan();
	replace(LIB_B, LIB_A);
	after->objects[B].needed[0] = "libx-1.so";
	after->objects[B].search_path = "$ORIGIN/../a.libs";
	after->objects[B].verneeds = arena_memdup(before->arena, after->objects[B].verneeds,
						  after->objects[B].nr_verneeds *
							  sizeof *after->objects[B].verneeds);
	after->objects[B].verneeds[0].file = "libx-1.so";
}

static int compare(void)
{
	const struct platform *platform = platform_find("generic-x86_64");
	struct roots roots = roots_load(before->arena, before, platform);

	return bindings_compare(before->arena, before, &roots, after, &plan, platform, &err);
}

static void expect(int kind, const char *message)
{
	CU_ASSERT_EQUAL(compare(), kind);
	UNIT_ASSERT_TEXT(err.message, message);
	build_free(before);
}

static void bindings_may_move_to_the_copy_that_replaces_theirs(void)
{
	begin("f@@V1 g@@V2 h", "V1 V2");
	expect(ERROR_NONE, "");
}

static void bindings_must_not_get_lost(void)
{
	begin("f@@V1 h", "V1 V2");
	expect(ERROR_VERIFY, "b/b.so: g@V2 was bound to b.libs/libx-2.so and would be bound to nothing");
}

static void bindings_of_weak_imports_must_not_get_lost(void)
{
	begin("f@@V1 g@@V2", "V1 V2");
	expect(ERROR_VERIFY, "b/b.so: h was bound to b.libs/libx-2.so and would be bound to nothing");
}

static void bindings_need_the_versions_glibc_checks(void)
{
	begin("f@@V1 g h", "V1");
	expect(ERROR_VERIFY, "b/b.so: its need for V2 of libx-1.so would not be met (loading b/b.so)");
}

static void bindings_need_version_file_names_that_something_is_loaded_under(void)
{
	begin("f@@V1 g@@V2 h", "V1 V2");
	after->objects[B].verneeds[0].file = "libx-2.so";
	expect(ERROR_VERIFY, "b/b.so: its need for libx-2.so of libx-2.so would not be met (loading b/b.so)");
}

static void bindings_need_libraries_that_were_found(void)
{
	begin("f@@V1 g@@V2 h", "V1 V2");
	after->objects[B].search_path = "$ORIGIN/../b.libs";
	expect(ERROR_VERIFY, "b/b.so: f@V1 was bound to b.libs/libx-2.so and would be bound to nothing; "
			     "b/b.so: g@V2 was bound to b.libs/libx-2.so and would be bound to nothing; "
			     "b/b.so: h was bound to b.libs/libx-2.so and would be bound to nothing; "
			     "b/b.so: libx-1.so would not be found (loading b/b.so)");
}

static void bindings_to_the_host_must_not_be_caught(void)
{
	begin("f@@V1 g@@V2 h hosted", "V1 V2");
	before->objects[B].imports[2] = after->objects[B].imports[2] = (struct symbol){.name = "hosted"};
	expect(ERROR_VERIFY, "b/b.so: hosted was bound to the host and would be bound to a.libs/libx-1.so");
}

static void bindings_to_the_c_library_are_not_compared(void)
{
	begin("f@@V1 g@@V2 h malloc@@GLIBC_2.2.5", "V1 V2 GLIBC_2.2.5");
	after->objects[A].needed[1] = "libm.so.6";
	expect(ERROR_NONE, "");
}

static void bindings_say_nothing_of_what_was_broken_before(void)
{
	begin("f@@V1 g@@V2 h", "V1 V2");
	before->objects[A].needed[1] = after->objects[A].needed[1] = "libgone.so";
	before->objects[A].verneeds[0].versions[0] = "V9";
	expect(ERROR_NONE, "");
}

static void bindings_must_not_be_taken_by_a_third_object(void)
{
	begin("f@@V1 g@@V2 h", "V1 V2");
	/* LIB_A brings in another library, in front of which nothing else is. */
	build_free(before);
	before = build_layer();
	build_object(before, (struct build_object){.path = "a.so",
						   .exports = "PyInit_a",
						   .needed = "one.so two.so",
						   .imports = "f",
						   .rpath = "$ORIGIN"});
	build_object(before, (struct build_object){.path = "one.so", .exports = "f"});
	build_object(before, (struct build_object){.path = "two.so", .exports = "f"});
	start_plan();
	after->objects[0].needed[0] = "two.so";
	after->objects[0].needed[1] = "one.so";
	expect(ERROR_VERIFY, "a.so: f was bound to one.so and would be bound to two.so");
}

/* A kept copy comes into a scope with its own dependencies: they are compared
 * with a scope in which it was before. */
static void bindings_of_a_kept_copy_hold_in_its_new_scopes(bool sound)
{
	before = build_layer();
	build_object(before, (struct build_object){.path = "a.so",
						   .exports = "PyInit_a",
						   .needed = "x1.so",
						   .imports = "f",
						   .rpath = "$ORIGIN/a"});
	build_object(before, (struct build_object){.path = "b.so",
						   .exports = "PyInit_b",
						   .needed = "x2.so",
						   .imports = "f",
						   .rpath = "$ORIGIN/b"});
	build_object(before, (struct build_object){
				     .path = "a/x1.so", .exports = "f", .imports = "q", .needed = "y1.so"});
	build_object(before, (struct build_object){.path = "a/y1.so", .exports = "q"});
	build_object(before, (struct build_object){
				     .path = "b/x2.so", .exports = "f", .imports = "q", .needed = "y2.so"});
	build_object(before, (struct build_object){.path = "b/y2.so", .exports = "q"});
	start_plan();
	replace(4, 2);
	after->objects[1].needed[0] = "x1.so";
	after->objects[1].search_path = sound ? "$ORIGIN/a" : "$ORIGIN/b:$ORIGIN/x";
	if (!sound) {
		/* x1.so is found through a link, beside which y1.so is not. */
		build_symlink(after, "x/x1.so", "../a/x1.so");
		expect(ERROR_VERIFY, "a/x1.so: q was bound to a/y1.so and would be bound to nothing; "
				     "a/x1.so: y1.so would not be found (loading b.so)");
		return;
	}
	expect(ERROR_NONE, "");
}

static void bindings_of_a_kept_copy_hold_where_it_was_not_before(void)
{
	bindings_of_a_kept_copy_hold_in_its_new_scopes(true);
}

static void bindings_of_a_kept_copy_fail_where_its_library_is_not_found(void)
{
	bindings_of_a_kept_copy_hold_in_its_new_scopes(false);
}

/* Two modules need lib.so, which takes f from one.so; by the plan from two.so. The first
 * module may define f itself: there the change does not show. */
static void begin_two_roots(const char *exports_p)
{
	before = build_layer();
	build_object(before,
		     (struct build_object){
			     .path = "p.so", .exports = exports_p, .needed = "lib.so", .rpath = "$ORIGIN"});
	build_object(before, (struct build_object){.path = "q.so",
						   .exports = "PyInit_q",
						   .needed = "lib.so libm.so.6",
						   .rpath = "$ORIGIN"});
	build_object(before, (struct build_object){.path = "lib.so",
						   .imports = "f",
						   .needed = "one.so two.so",
						   .rpath = "$ORIGIN"});
	build_object(before, (struct build_object){.path = "one.so", .exports = "f"});
	build_object(before, (struct build_object){.path = "two.so", .exports = "f"});
	build_object(before, (struct build_object){.path = "extra.so", .exports = "f"});
	start_plan();
}

static void bindings_hidden_under_one_root_are_compared_under_the_next(void)
{
	begin_two_roots("PyInit_p f");
	after->objects[2].needed[0] = "two.so";
	after->objects[2].needed[1] = "one.so";
	expect(ERROR_VERIFY, "lib.so: f was bound to one.so and would be bound to two.so");
}

static void bindings_found_alike_under_one_root_are_compared_under_others(void)
{
	begin_two_roots("PyInit_p");
	after->objects[1].needed[1] = "extra.so"; /* which comes before what lib.so needs */
	expect(ERROR_VERIFY, "lib.so: f was bound to one.so and would be bound to extra.so");
}

static void bindings_found_alike_under_one_root_serve_for_others(void)
{
	begin_two_roots("PyInit_p");
	replace(3, 4);
	after->objects[2].needed[0] = "two.so";
	expect(ERROR_NONE, "");
}

static void bindings_follow_a_chain_of_replacements(void)
{
	before = build_layer();
	build_object(before, (struct build_object){.path = "a.so",
						   .exports = "PyInit_a",
						   .needed = "1.so",
						   .imports = "f",
						   .rpath = "$ORIGIN"});
	build_object(before, (struct build_object){.path = "1.so", .exports = "f"});
	build_object(before, (struct build_object){.path = "2.so", .exports = "f"});
	build_object(before, (struct build_object){.path = "3.so", .exports = "f"});
	start_plan();
	replace(1, 2);
	replace(2, 3);
	after->objects[0].needed[0] = "3.so";
	expect(ERROR_NONE, "");
}

static void bindings_count_the_differences_that_are_not_shown(void)
{
	before = build_layer();
	build_object(before, (struct build_object){.path = "a.so",
						   .exports = "PyInit_a",
						   .needed = "1.so",
						   .imports = "f g h i j k",
						   .rpath = "$ORIGIN"});
	build_object(before, (struct build_object){.path = "1.so", .exports = "f g h i j k"});
	start_plan();
	after->objects[1].exports = NULL;
	after->objects[1].nr_exports = 0;
	CU_ASSERT_EQUAL(compare(), ERROR_VERIFY);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "; and 2 more"));
	build_free(before);
}

void suite_bindings(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(bindings_may_move_to_the_copy_that_replaces_theirs),
		UNIT_TEST(bindings_must_not_get_lost),
		UNIT_TEST(bindings_of_weak_imports_must_not_get_lost),
		UNIT_TEST(bindings_need_the_versions_glibc_checks),
		UNIT_TEST(bindings_need_version_file_names_that_something_is_loaded_under),
		UNIT_TEST(bindings_need_libraries_that_were_found),
		UNIT_TEST(bindings_to_the_host_must_not_be_caught),
		UNIT_TEST(bindings_to_the_c_library_are_not_compared),
		UNIT_TEST(bindings_say_nothing_of_what_was_broken_before),
		UNIT_TEST(bindings_must_not_be_taken_by_a_third_object),
		UNIT_TEST(bindings_of_a_kept_copy_hold_where_it_was_not_before),
		UNIT_TEST(bindings_of_a_kept_copy_fail_where_its_library_is_not_found),
		UNIT_TEST(bindings_hidden_under_one_root_are_compared_under_the_next),
		UNIT_TEST(bindings_found_alike_under_one_root_are_compared_under_others),
		UNIT_TEST(bindings_found_alike_under_one_root_serve_for_others),
		UNIT_TEST(bindings_follow_a_chain_of_replacements),
		UNIT_TEST(bindings_count_the_differences_that_are_not_shown),
	};

	unit_suite("bindings", tests, sizeof tests / sizeof *tests);
}
