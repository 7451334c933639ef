/*
 * Unit tests of layer_check. Each compares all findings of a layer in one
 * text, one line for each: severity, rule, path: message.
 */
#include "suites.h"

#include <elf.h>

#include "build_layer.h"
#include "sofold/check.h"

#define GLIBC  "generic-x86_64"
#define LAMBDA "lambda-python3.12-x86_64"

static struct layer *layer;

static object_id add(struct build_object spec)
{
	return build_object(layer, spec);
}

static const char *findings(const char *platform, bool named)
{
	static const char *const severities[] = {"note", "warning", "error"};
	const char *text = "";

	layer_check(layer, platform_find(platform), named);
	layer_sort_findings(layer);
	for (size_t i = 0; i < layer->nr_findings; i++) {
		const struct finding *finding = &layer->findings[i];

		text = arena_printf(layer->arena, "%s%s %s %s: %s\n", text, severities[finding->severity],
				    finding->rule, finding->path, finding->message);
	}
	return text;
}

static void check_finds_nothing_wrong_with_a_sound_layer(void)
{
	layer = build_layer();
	add((struct build_object){.path = "m/a.so",
				  .needed = "libb.so libc.so.6",
				  .exports = "PyInit_a",
				  .rpath = "$ORIGIN/../libs",
				  .verneeds = "libb.so:V1 libc.so.6:GLIBC_2.34",
				  .tag = "cpython-312-x86_64-linux-gnu"});
	build_segment(layer, add((struct build_object){.path = "libs/libb.so", .verdefs = "V1"}), 0x1010,
		      0x3010, 0x1000);
	UNIT_ASSERT_TEXT(findings(LAMBDA, true), "");
	build_free(layer);
}

static void check_finds_missing_libraries_once(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so", .needed = "libb.so", .exports = "PyInit_a", .rpath = "$ORIGIN"});
	add((struct build_object){
		.path = "b.so", .needed = "libb.so", .exports = "PyInit_b", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "libb.so", .needed = "libgone.so.1"});
	UNIT_ASSERT_TEXT(findings(GLIBC, false),
			 "error missing-library libb.so: needs libgone.so.1, which neither the layer nor "
			 "generic-x86_64 has (when a.so is loaded)\n");
	build_free(layer);
}

static void check_lets_a_consumer_provide_the_search_path(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "m/a.so", .needed = "libb.so", .exports = "PyInit_a", .rpath = "$ORIGIN/../libs"});
	add((struct build_object){.path = "libs/libb.so", .needed = "libc-1.so"});
	add((struct build_object){.path = "libs/libc-1.so"});
	UNIT_ASSERT_TEXT(findings(GLIBC, false), "");
	/* With RUNPATH the dependency is on its own. */
	layer->objects[0].search_kind = SEARCH_RUNPATH;
	UNIT_ASSERT_TEXT(findings(GLIBC, false),
			 "error missing-library libs/libb.so: needs libc-1.so, which neither the layer nor "
			 "generic-x86_64 has (when m/a.so is loaded)\n");
	build_free(layer);
}

static void check_does_not_open_what_only_its_consumers_can_load(void)
{
	/* libb.so and what is below it have no search path: opened by
	 * themselves they would miss each other. */
	layer = build_layer();
	add((struct build_object){.path = "libs/libd.so", .needed = "libe.so"});
	add((struct build_object){.path = "libs/libe.so"});
	add((struct build_object){.path = "libs/libb.so", .needed = "libd.so"});
	add((struct build_object){.path = "z/a.so", .needed = "libb.so", .rpath = "$ORIGIN/../libs"});
	UNIT_ASSERT_TEXT(findings(GLIBC, false), "");
	layer->objects[3].is_extension = true;
	UNIT_ASSERT_TEXT(findings(GLIBC, false), "");
	build_free(layer);
}

static void check_loads_circles_that_nothing_opens(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so gone.so", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "b.so", .needed = "a.so", .rpath = "$ORIGIN"});
	UNIT_ASSERT_TEXT(findings(GLIBC, false),
			 "error missing-library a.so: needs gone.so, which neither the layer nor "
			 "generic-x86_64 has\n");
	build_free(layer);
}

static void check_notes_what_only_a_full_host_has(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "libGL.so.1 libm.so.6 libcrypt.so.1"});
	UNIT_ASSERT_TEXT(findings(LAMBDA, true),
			 "note host-library a.so: needs libGL.so.1, which the host must provide\n"
			 "note host-library a.so: needs libcrypt.so.1, which the host must provide\n");
	build_free(layer);
}

static void check_compares_host_versions_with_the_platform(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so",
		.needed = "libc.so.6 libstdc++.so.6",
		.verneeds = "libc.so.6:GLIBC_2.2.5,GLIBC_2.35,GLIBC_2.38,GLIBC_2.36,?GLIBC_2.40 "
			    "libstdc++.so.6:GLIBCXX_3.4,GLIBCXX_3.4.30,CXXABI_1.3.15"});
	add((struct build_object){
		.path = "b.so", .needed = "libc.so.6", .verneeds = "libc.so.6:GLIBC_ABI_DT_RELR"});
	UNIT_ASSERT_TEXT(findings(LAMBDA, true),
			 "error glibc-too-new a.so: needs GLIBCXX_3.4.30; lambda-python3.12-x86_64 has no "
			 "more than GLIBCXX_3.4.29\n"
			 "error glibc-too-new a.so: needs GLIBC_2.38; lambda-python3.12-x86_64 has no "
			 "more than GLIBC_2.34\n"
			 "error glibc-too-new b.so: needs GLIBC_ABI_DT_RELR; lambda-python3.12-x86_64 has "
			 "no more than GLIBC_2.34\n");
	build_free(layer);
}

static void check_takes_versions_from_a_library_of_the_layer(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so",
		.needed = "libstdc++.so.6",
		.rpath = "$ORIGIN",
		.verneeds = "libstdc++.so.6:GLIBCXX_3.4.32,GLIBCXX_3.4.33,?GLIBCXX_3.4.34"});
	add((struct build_object){.path = "libstdc++.so.6", .verdefs = "GLIBCXX_3.4.31 GLIBCXX_3.4.32"});
	UNIT_ASSERT_TEXT(findings(LAMBDA, true),
			 "error missing-version a.so: wants GLIBCXX_3.4.33 of libstdc++.so.6, which "
			 "libstdc++.so.6 lacks\n");
	build_free(layer);
}

static void check_tolerates_a_library_that_defines_no_versions(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so", .needed = "libb.so", .rpath = "$ORIGIN", .verneeds = "libb.so:V1"});
	add((struct build_object){
		.path = "libb.so", .needed = "libc.so.6", .verneeds = "libc.so.6:GLIBC_2.2.5"});
	UNIT_ASSERT_TEXT(findings(GLIBC, false), "");
	build_free(layer);
}

static void check_finds_a_library_without_version_indexes(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so", .needed = "libb.so", .rpath = "$ORIGIN", .verneeds = "libb.so:V1"});
	add((struct build_object){.path = "libb.so"});
	UNIT_ASSERT_TEXT(findings(GLIBC, false),
			 "error missing-version a.so: wants V1 of libb.so, which libb.so lacks\n");
	build_free(layer);
}

static void check_finds_version_needs_of_a_name_nothing_is_loaded_under(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so", .needed = "libb-1.so", .rpath = "$ORIGIN", .verneeds = "libb.so:V1"});
	add((struct build_object){.path = "libb-1.so", .soname = "libb.so", .verdefs = "V1"});
	UNIT_ASSERT_TEXT(findings(GLIBC, false),
			 "error missing-version a.so: wants versions of libb.so, a name nothing is loaded "
			 "under\n");
	UNIT_ASSERT_TEXT((layer->nr_findings = 0, findings("generic-musl-x86_64", false)), "");
	build_free(layer);
}

static void check_finds_modules_for_another_interpreter(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so", .exports = "PyInit_a", .tag = "cpython-312-x86_64-linux-gnu"});
	add((struct build_object){.path = "b.so", .exports = "PyInit_b", .tag = "cpython-311-x86_64"});
	add((struct build_object){.path = "c.so", .exports = "PyInit_c", .tag = "cpython-311"});
	add((struct build_object){.path = "d.so", .exports = "PyInit_d", .tag = "abi3"});
	add((struct build_object){.path = "e.so", .exports = "PyInit_e"});
	UNIT_ASSERT_TEXT(findings(GLIBC, false),
			 "warning foreign-interpreter a.so: is for cpython-312, which is not the cpython-311 "
			 "of most of the layer\n");
	layer->nr_findings = 0;
	UNIT_ASSERT_TEXT(findings(LAMBDA, true),
			 "warning foreign-interpreter b.so: is for cpython-311, which is not the cpython-312 "
			 "of lambda-python3.12-x86_64\n"
			 "warning foreign-interpreter c.so: is for cpython-311, which is not the cpython-312 "
			 "of lambda-python3.12-x86_64\n");
	build_free(layer);
}

static void check_finds_objects_for_other_machines(void)
{
	object_id cubin;

	layer = build_layer();
	add((struct build_object){.path = "a.so"});
	add((struct build_object){.path = "arm.so", .machine = EM_AARCH64, .foreign = true});
	cubin = add((struct build_object){.path = "kernel.cubin", .machine = EM_CUDA, .foreign = true});
	layer->objects[cubin].type = ET_EXEC;
	UNIT_ASSERT_TEXT(findings(GLIBC, false),
			 "warning foreign-machine arm.so: is a 64-bit object for AArch64, which "
			 "generic-x86_64 does not load\n"
			 "warning mixed-machines .: objects of several machines in one tree: x86-64 (1), "
			 "AArch64 (1)\n");
	layer->nr_findings = 0;
	UNIT_ASSERT_TEXT(findings(LAMBDA, true),
			 "error foreign-machine arm.so: is a 64-bit object for AArch64, which "
			 "lambda-python3.12-x86_64 does not load\n"
			 "warning mixed-machines .: objects of several machines in one tree: x86-64 (1), "
			 "AArch64 (1)\n");
	build_free(layer);
}

static void check_finds_search_paths_that_leave_the_tree(void)
{
	layer = build_layer();
	add((struct build_object){.path = "python/a.so",
				  .runpath = "$ORIGIN/../..:/opt/lib:/var/lang/lib:/b"});
	UNIT_ASSERT_TEXT(findings(LAMBDA, true),
			 "warning escaping-path python/a.so: its search path leads out of the tree: "
			 "\"$ORIGIN/../..\"\n"
			 "warning escaping-path python/a.so: its search path leads out of the tree: "
			 "\"/b\"\n");
	build_free(layer);
}

static void check_finds_segments_a_tool_has_shifted(void)
{
	object_id id;

	layer = build_layer();
	id = add((struct build_object){.path = "a.so"});
	build_segment(layer, id, 0, 0, 0x1000);
	build_segment(layer, id, 0x2000, 0x201000, 0x200000);
	build_segment(layer, add((struct build_object){.path = "b.so"}), 0x10, 0x1020, 0x1000);
	build_segment(layer, add((struct build_object){.path = "c.so"}), 0x1000, 0x201000, 0x200000);
	UNIT_ASSERT_TEXT(findings(GLIBC, false), "error misaligned a.so: file offsets and addresses of its "
						 "segments do not agree; a tool has broken it\n"
						 "error misaligned b.so: file offsets and addresses of its "
						 "segments do not agree; a tool has broken it\n");
	build_free(layer);
}

static void check_finds_segments_too_fine_for_large_pages(void)
{
	layer = build_layer();
	build_segment(layer, add((struct build_object){.path = "a.so", .machine = EM_AARCH64}), 0x1000,
		      0x2000, 0x1000);
	UNIT_ASSERT_TEXT(findings("generic-aarch64", false),
			 "warning misaligned a.so: does not load where pages are 65536 bytes\n");
	UNIT_ASSERT_TEXT((layer->nr_findings = 0, findings("lambda-python3.12-aarch64", true)), "");
	build_free(layer);
}

static void add_bytecode(const char *path, enum bytecode bytecode, owner_id owner)
{
	struct file *file;

	build_file(layer, path);
	file = &layer->files[layer_find_file(layer, path)];
	file->bytecode = bytecode;
	file->owner = owner;
}

static void check_sums_up_useless_bytecode_by_wheel(void)
{
	owner_id alpha, beta;

	layer = build_layer();
	alpha = build_owner(layer, "alpha", "1");
	beta = build_owner(layer, "beta", "1");
	add_bytecode("a/x.py", BYTECODE_NONE, alpha);
	add_bytecode("a/__pycache__/w.cpython-37.pyc", BYTECODE_VALID, alpha);
	add_bytecode("a/__pycache__/x.cpython-37.pyc", BYTECODE_STALE, NO_ID); /* compiled later */
	add_bytecode("a/__pycache__/y.cpython-37.opt-1.pyc", BYTECODE_STALE, alpha);
	add_bytecode("a/__pycache__/z.cpython-37.pyc", BYTECODE_ALONE, alpha);
	add_bytecode("a/__pycache__/x.cpython-38.pyc", BYTECODE_VALID, NO_ID);
	add_bytecode("a/sourceless.pyc", BYTECODE_VALID, alpha);
	add_bytecode("b/__pycache__/x.cpython-37.pyc", BYTECODE_STALE, beta);
	add((struct build_object){
		.path = "a/m.so", .exports = "PyInit_m", .tag = "cpython-37m-x86_64-linux-gnu"});
	layer_check_bytecode(layer, platform_find(GLIBC));
	UNIT_ASSERT_TEXT(
		findings(GLIBC, false),
		"warning stale-bytecode a/__pycache__/x.cpython-37.pyc: bytecode made from another state of "
		"its source, 2 files: each import compiles the source again; sofold shrink removes it\n"
		"warning stale-bytecode b/__pycache__/x.cpython-37.pyc: bytecode made from another state of "
		"its source, 1 file: each import compiles the source again; sofold shrink removes it\n"
		"note foreign-bytecode a/__pycache__/x.cpython-38.pyc: bytecode for another interpreter than "
		"the layer's, 1 file: nothing reads it; sofold shrink removes it\n"
		"note stale-bytecode a/__pycache__/z.cpython-37.pyc: bytecode without its source, 1 file: "
		"nothing reads it; sofold shrink removes it\n");
	build_free(layer);
}

static void check_lets_bytecode_be_when_no_interpreter_is_known(void)
{
	layer = build_layer();
	add_bytecode("a/__pycache__/x.cpython-37.pyc", BYTECODE_VALID, NO_ID);
	add_bytecode("a/__pycache__/x.cpython-38.pyc", BYTECODE_VALID, NO_ID);
	add_bytecode("a/__pycache__/y.cpython-38.pyc", BYTECODE_NONE, NO_ID);
	layer_check_bytecode(layer, platform_find(GLIBC));
	UNIT_ASSERT_TEXT(findings(GLIBC, false), "");
	build_free(layer);
}

void suite_check(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(check_finds_nothing_wrong_with_a_sound_layer),
		UNIT_TEST(check_finds_missing_libraries_once),
		UNIT_TEST(check_lets_a_consumer_provide_the_search_path),
		UNIT_TEST(check_does_not_open_what_only_its_consumers_can_load),
		UNIT_TEST(check_loads_circles_that_nothing_opens),
		UNIT_TEST(check_notes_what_only_a_full_host_has),
		UNIT_TEST(check_compares_host_versions_with_the_platform),
		UNIT_TEST(check_takes_versions_from_a_library_of_the_layer),
		UNIT_TEST(check_tolerates_a_library_that_defines_no_versions),
		UNIT_TEST(check_finds_a_library_without_version_indexes),
		UNIT_TEST(check_finds_version_needs_of_a_name_nothing_is_loaded_under),
		UNIT_TEST(check_finds_modules_for_another_interpreter),
		UNIT_TEST(check_finds_objects_for_other_machines),
		UNIT_TEST(check_finds_search_paths_that_leave_the_tree),
		UNIT_TEST(check_finds_segments_a_tool_has_shifted),
		UNIT_TEST(check_finds_segments_too_fine_for_large_pages),
		UNIT_TEST(check_sums_up_useless_bytecode_by_wheel),
		UNIT_TEST(check_lets_bytecode_be_when_no_interpreter_is_known),
	};

	unit_suite("check", tests, sizeof tests / sizeof *tests);
}
