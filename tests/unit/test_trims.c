/*
 * Unit tests of src/plan/trim.c, src/scan/names.c and src/scan/trims.c: which objects are
 * looked into and for what, and what becomes of the answers.
 */
#include "suites.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "build_object.h"
#include "build_tree.h"
#include "plan_text.h"
#include "sofold/scan.h"
#include "sofold/vec.h"

static struct trims trims;

static void begin(enum level level, const char *platform)
{
	plan_begin();
	plan_settings.level = level;
	plan_settings.passes = PASS_DEDUPE | PASS_STRIP | PASS_TRIM;
	plan_settings.platform = platform_find(platform);
}

static const char *task_line(const struct trim_task *task)
{
	const struct trim_request *request = &task->request;
	static const char *const processors[] = {"", " avx2", " n1"};

	return arena_printf(plan_subject->arena, "%s:%s%s%s%s%s\n",
			    object_path(plan_subject, &plan_subject->objects[task->object]),
			    processors[request->cpu], request->fold ? " fold" : "",
			    request->exports ? " exports" : "", request->unwind ? " unwind" : "",
			    request->poison ? " poison" : "");
}

/* Plans anew: one line for each object that is looked into. */
static const char *tasks(void)
{
	const char *text = "";

	plan_copies();
	trims = plan_trims(plan_subject, plan_last(), &plan_settings);
	for (size_t i = 0; i < trims.nr_tasks; i++)
		text = arena_printf(plan_subject->arena, "%s%s", text, task_line(&trims.tasks[i]));
	return text;
}

static const char *join(const char *const *names, size_t nr)
{
	const char *text = "";

	for (size_t i = 0; i < nr; i++)
		text = arena_printf(plan_subject->arena, "%s%s%s", text, i ? " " : "", names[i]);
	return text;
}

/* A library with tables of kernels. */
static object_id openblas(const char *path, uint16_t machine)
{
	struct build_object spec = {.exports = "gotoblas_ZEN dgemm_ openblas_get_config", .machine = machine};
	object_id id = plan_library(path, NULL, NULL, spec);

	plan_subject->objects[id].exports[0].flags = SYMBOL_DATA;
	return id;
}

/* --------- which, and for what ------------------ */

static void trims_look_for_kernels_by_default(void)
{
	begin(LEVEL_DEFAULT, "lambda-python3.12-x86_64");
	openblas("a.libs/libblas.so", EM_X86_64);
	plan_library("a.libs/libx.so", NULL, NULL, (struct build_object){.exports = "x"});
	plan_module("a/m.so", "libblas.so libx.so", "$ORIGIN/../a.libs", "dgemm_ x");
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libblas.so: avx2 fold\n");
	CU_ASSERT_EQUAL(trims.tasks[0].request.page, plan_settings.platform->page);
	CU_ASSERT_EQUAL(trims.names.nr_items, 0);
	plan_settings.poison = true;
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libblas.so: avx2 fold poison\n");
	plan_settings.poison = false;
	plan_settings.platform = platform_find("generic-x86_64");
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libblas.so: fold\n");
	plan_end();
}

static void trims_know_what_the_platform_can_do(void)
{
	begin(LEVEL_DEFAULT, "lambda-python3.12-aarch64");
	openblas("a.libs/libblas.so", EM_AARCH64);
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libblas.so: n1 fold\n");
	CU_ASSERT_EQUAL(trims.tasks[0].request.page, plan_settings.platform->page);
	plan_end();
}

static void trims_are_none_when_not_asked_for(void)
{
	begin(LEVEL_SAFE, "lambda-python3.12-x86_64");
	openblas("a.libs/libblas.so", EM_X86_64);
	UNIT_ASSERT_TEXT(tasks(), "");
	plan_settings.level = LEVEL_DEFAULT;
	plan_settings.passes = PASS_ALL & ~PASS_TRIM;
	UNIT_ASSERT_TEXT(tasks(), "");
	plan_settings.passes = PASS_ALL & ~PASS_STRIP;
	UNIT_ASSERT_TEXT(tasks(), "");
	plan_settings.passes = PASS_STRIP | PASS_TRIM;
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libblas.so: avx2 fold\n");
	plan_library("a.libs/libx-1.so.1", "S", "I", (struct build_object){.exports = "x"});
	plan_library("b.libs/libx-2.so.1", "S", "I", (struct build_object){.exports = "x"});
	plan_module("a/m.so", "libx-1.so.1", "$ORIGIN/../a.libs", "x");
	plan_module("b/m.so", "libx-2.so.1", "$ORIGIN/../b.libs", "x");
	plan_settings.level = LEVEL_MAX;
	plan_settings.passes = PASS_DEDUPE | PASS_TRIM; /* names are rewritten, but nothing is laid out anew */
	UNIT_ASSERT_TEXT(tasks(), "");
	plan_end();
}

/* Nobody edits it, so nobody cuts anything out of it. */
static void trims_leave_what_is_not_rewritten(void)
{
	object_id id;

	begin(LEVEL_DEFAULT, "lambda-python3.12-x86_64");
	id = openblas("a.libs/libblas.so", EM_X86_64);
	plan_subject->objects[id].untouchable = "it is signed";
	UNIT_ASSERT_TEXT(tasks(), "");
	plan_end();
}

static void trims_drop_exports_of_libraries_somebody_needs(void)
{
	begin(LEVEL_MAX, "generic-x86_64");
	plan_library("a.libs/libx.so", NULL, NULL, (struct build_object){.exports = "x", .imports = "__cxa_throw"});
	plan_library("a.libs/libopened.so", NULL, NULL, (struct build_object){.exports = "x", .imports = "__cxa_throw"});
	plan_library("a/m.so", NULL, NULL,
		     (struct build_object){.exports = "PyInit_m helper", .imports = "x __cxa_throw",
					   .needed = "libx.so", .runpath = "$ORIGIN/../a.libs"});
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libx.so: fold exports\n");
	plan_library("a/n.so", NULL, NULL, /* a module is opened by Python, whoever needs it */
		     (struct build_object){.exports = "PyInit_n", .imports = "__cxa_throw", .needed = "m.so", .runpath = "$ORIGIN"});
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libx.so: fold exports\n");
	plan_settings.level = LEVEL_DEFAULT;
	UNIT_ASSERT_TEXT(tasks(), "");
	plan_end();
}

static void trims_drop_unwind_tables_of_plain_c(void)
{
	static const char *const throws[] = {"__cxa_throw", "__cxa_begin_catch", "_Unwind_Resume", "backtrace",
					     "__gxx_personality_v0", "__gcc_personality_v0", "unw_step",
					     "__register_frame", NULL};

	begin(LEVEL_MAX, "generic-x86_64");
	plan_module("a/m.so", NULL, NULL, "malloc");
	UNIT_ASSERT_TEXT(tasks(), "a/m.so: fold unwind\n");
	plan_end();
	for (size_t i = 0; throws[i]; i++) {
		begin(LEVEL_MAX, "generic-x86_64");
		plan_module("a/m.so", NULL, NULL, throws[i]);
		UNIT_ASSERT_TEXT(tasks(), "");
		plan_end();
	}
	begin(LEVEL_MAX, "generic-x86_64");
	plan_module("a/m.so", "libstdc++.so.6", NULL, "malloc");
	plan_module("b/m.so", "libc++.so.1", NULL, "malloc");
	plan_module("c/m.so", "libunwind.so.8", NULL, "malloc");
	UNIT_ASSERT_TEXT(tasks(), "");
	plan_end();
}

/* A library may be called from C++, and call it back. */
static void trims_keep_unwind_tables_below_cxx(void)
{
	begin(LEVEL_MAX, "generic-x86_64");
	plan_library("a.libs/libx.so", NULL, NULL, (struct build_object){.exports = "x"});
	plan_module("a/m.so", "libx.so", "$ORIGIN/../a.libs", "x");
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libx.so: fold exports unwind\na/m.so: fold unwind\n");
	plan_module("a/n.so", "libx.so", "$ORIGIN/../a.libs", "x __cxa_throw");
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libx.so: fold exports\na/m.so: fold unwind\n");
	plan_end();
	begin(LEVEL_MAX, "generic-x86_64"); /* nobody is known to load it */
	plan_library("a.libs/libx.so", NULL, NULL, (struct build_object){.exports = "x"});
	UNIT_ASSERT_TEXT(tasks(), "");
	plan_end();
	begin(LEVEL_MAX, "generic-x86_64"); /* returns whatever it calls back */
	openblas("a.libs/libblas.so", EM_X86_64);
	plan_module("a/n.so", "libblas.so", "$ORIGIN/../a.libs", "dgemm_ __cxa_throw");
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libblas.so: fold exports unwind\n");
	plan_end();
}

/* --------- names ------------------ */

static void trims_want_what_is_imported_after_the_plan(void)
{
	begin(LEVEL_MAX, "generic-x86_64");
	plan_library("a.libs/libx-1.so.1", "S", "I", (struct build_object){.exports = "x y z", .imports = "malloc"});
	plan_library("b.libs/libx-2.so.1", "S", "I", (struct build_object){.exports = "x y z", .imports = "malloc"});
	plan_module("a/m.so", "libx-1.so.1", "$ORIGIN/../a.libs", "x free malloc");
	plan_module("b/m.so", "libx-2.so.1", "$ORIGIN/../b.libs", "y");
	tasks();
	UNIT_ASSERT_TEXT(join(trims.wanted, trims.nr_wanted), "free malloc x y");
	UNIT_ASSERT_TEXT(join(trims.names.items, trims.names.nr_items), "z");
	CU_ASSERT_EQUAL(trims.nr_tasks, 3); /* one copy goes */
	plan_end();
}

/* What goes asks for nothing. */
static void trims_do_not_want_what_files_that_are_gone_import(void)
{
	begin(LEVEL_MAX, "generic-x86_64");
	plan_library("a.libs/libx-1.so.1", NULL, NULL, (struct build_object){.exports = "x y"});
	plan_module("a/m.so", "libx-1.so.1", "$ORIGIN/../a.libs", "x");
	plan_module("b/m.so", NULL, NULL, "y");
	plan_subject->files[plan_subject->objects[2].file].kind = FILE_GONE;
	tasks();
	UNIT_ASSERT_TEXT(join(trims.wanted, trims.nr_wanted), "x");
	plan_end();
}

static void trims_want_names_that_were_found(void)
{
	begin(LEVEL_MAX, "generic-x86_64");
	plan_library("a.libs/libx.so", NULL, NULL, (struct build_object){.exports = "n b x a z"});
	plan_library("a.libs/liby.so", NULL, NULL, (struct build_object){.exports = "b q"});
	plan_module("a/m.so", "libx.so liby.so", "$ORIGIN/../a.libs", "x m");
	tasks();
	UNIT_ASSERT_TEXT(join(trims.names.items, trims.names.nr_items), "a b n q z");
	trims.names.found[1] = trims.names.found[3] = true;
	plan_keep_named(plan_subject->arena, &trims);
	for (size_t i = 0; i < trims.nr_tasks; i++)
		UNIT_ASSERT_TEXT(join(trims.tasks[i].request.wanted, trims.tasks[i].request.nr_wanted), "b m q x");
	plan_end();
}

/* --------- answers ------------------ */

static const struct action *action_of(object_id id)
{
	const struct plan *plan = plan_last();

	for (size_t i = 0; i < plan->nr_actions; i++)
		if (plan->actions[i].kind == ACTION_REWRITE && plan->actions[i].object == id)
			return &plan->actions[i];
	return NULL;
}

static void take(void)
{
	plan_take_trims(plan_subject, (struct plan *)(uintptr_t)plan_last(), &trims);
}

static void trims_become_part_of_a_rewrite(void)
{
	static const bool gone[] = {false, true};
	const char *cores[] = {"PRESCOTT", "ATOM"};
	object_id a, b;
	const char *before;

	begin(LEVEL_MAX, "lambda-python3.12-x86_64");
	a = openblas("a.libs/libblas.so", EM_X86_64);
	b = plan_module("a/m.so", "libblas.so", "$ORIGIN/../a.libs", "dgemm_");
	UNIT_ASSERT_TEXT(tasks(), "a.libs/libblas.so: avx2 fold exports unwind\na/m.so: avx2 fold unwind\n");
	before = action_of(a)->because;
	take(); /* nothing was found */
	CU_ASSERT(!action_of(a)->edits.cuts && !action_of(b)->edits.cuts && !action_of(a)->trim);
	trims.tasks[0].result = (struct trim_result){.dead = 12345,
						     .cut = 8192,
						     .unwind = 678,
						     .removed = cores,
						     .nr_removed = 2,
						     .serves = "HASWELL",
						     .folded = 9,
						     .cuts = {.gone = gone, .nr_gone = 2, .unwind = true}};
	trims.tasks[0].nr_gone = 3;
	take();
	CU_ASSERT(action_of(a)->trim == &trims.tasks[0]);
	CU_ASSERT(action_of(a)->edits.cuts == &trims.tasks[0].result.cuts);
	CU_ASSERT(!action_of(b)->trim && !action_of(b)->edits.cuts);
	CU_ASSERT(!strncmp(action_of(a)->because, before, strlen(before)));
	UNIT_ASSERT_TEXT(action_of(a)->because + strlen(before),
			 "; HASWELL serves instead of PRESCOTT, ATOM: it now needs a processor with AVX2 and FMA; "
			 "cuts out 8.2 kB of code nobody reaches; 9 kernels share another's code; "
			 "the names of 3 functions go with their code; drops 678 B of unwind tables");
	plan_end();
}

static void trims_with_traps_say_so(void)
{
	object_id a;

	begin(LEVEL_DEFAULT, "lambda-python3.12-x86_64");
	plan_settings.poison = true;
	a = openblas("a.libs/libblas.so", EM_X86_64);
	tasks();
	trims.tasks[0].result = (struct trim_result){.dead = 12345, .cuts = {.nr_patches = 1}};
	take();
	CU_ASSERT(strstr(action_of(a)->because, "; puts traps into 12.3 kB of code nobody reaches") != NULL);
	plan_end();
}

static void trims_that_were_refused_change_nothing(void)
{
	object_id a;

	begin(LEVEL_MAX, "lambda-python3.12-x86_64");
	a = openblas("a.libs/libblas.so", EM_X86_64);
	tasks();
	trims.tasks[0].result = (struct trim_result){.unwind = 678, .cuts = {.unwind = true}};
	trims.tasks[0].refused = "it has text relocations";
	take();
	CU_ASSERT(!action_of(a)->trim && !action_of(a)->edits.cuts);
	trims.tasks[0].refused = NULL;
	take();
	CU_ASSERT(action_of(a)->trim != NULL);
	plan_end();
}

/* --------- on the disk ------------------ */

static void put_text(const char *name, const char *text)
{
	tree_put(name, (struct span){(const uint8_t *)text, strlen(text)});
}

/* Which of these names are found; ascending. */
static const char *found(const char *const *items, size_t nr)
{
	struct layer *layer = tree_survey();
	struct names names = {.items = (const char **)(uintptr_t)items,
			      .found = arena_array(layer->arena, nr, sizeof(bool)),
			      .nr_items = nr};
	struct error err = {""};
	const char *text = "";

	CU_ASSERT(!scan_names(layer, &names, &err));
	for (size_t i = 0; i < nr; i++)
		if (names.found[i])
			text = arena_printf(object_arena(), "%s%s%s", text, *text ? " " : "", items[i]);
	layer_free(layer);
	return text;
}

static void names_are_words_of_sources(void)
{
	static const char *const names[] = {"blas_alone", "blas_comment", "blas_in_another", "blas_text", "z"};

	tree_plant();
	put_text("a.py", "call = library.blas_alone # or blas_comment()\nmyblas_in_another blas_in_another2 zz");
	put_text("a.txt", "blas_text");
	put_text("a.pyc", "blas_text");
	UNIT_ASSERT_TEXT(found(names, 5), "blas_alone blas_comment");
	put_text("b.py", "z");
	UNIT_ASSERT_TEXT(found(names, 5), "blas_alone blas_comment z");
	put_text("c.py", "\"blas_text\"");
	UNIT_ASSERT_TEXT(found(names, 5), "blas_alone blas_comment blas_text z");
	CU_ASSERT(!strcmp(found(names, 0), ""));
	tree_fell();
}

/* "scipy_" + "openblas_get_config" + "64_" */
static void names_may_be_without_what_is_put_on_at_run_time(void)
{
	static const char *const names[] = {
		"dgemm_", "long_enough_", "openblas_get_config64_", "scipy_cblas_dgemm", "scipy_cblas_sgemm64_",
		"scipy_dgemm_", "scipy_openblas_get_config", "scipy_openblas_get_config64_",
		"scipy_openblas_get_config_64_", "scipy_openblas_get_parallel64_"};
	enum { NR = sizeof names / sizeof *names };

	tree_plant();
	put_text("a.py", "openblas_get_config");
	UNIT_ASSERT_TEXT(found(names, NR), "openblas_get_config64_ scipy_openblas_get_config "
					   "scipy_openblas_get_config64_ scipy_openblas_get_config_64_");
	put_text("a.py", "cblas_dgemm cblas_sgemm");
	UNIT_ASSERT_TEXT(found(names, NR), "scipy_cblas_dgemm scipy_cblas_sgemm64_");
	put_text("a.py", "dgemm dgemm_64"); /* too short to mean anything */
	UNIT_ASSERT_TEXT(found(names, NR), "");
	put_text("a.py", "long_enough scipy_openblas_get_parallel");
	UNIT_ASSERT_TEXT(found(names, NR), "long_enough_ scipy_openblas_get_parallel64_");
	put_text("a.py", "dgemm_");
	UNIT_ASSERT_TEXT(found(names, NR), "dgemm_");
	tree_fell();
}

static void names_are_strings_of_objects_that_look_symbols_up(void)
{
	static const char *const names[] = {"blas_asked", "blas_other", "blas_versioned"};

	tree_plant();
	tree_put("asks.so", object_compile("-O2", "#include <dlfcn.h>\n"
					     "void *ask(void) { return dlsym(RTLD_DEFAULT, \"blas_asked\"); }").bytes);
	tree_put("other.so", object_compile("-O2", "const char *ask(void) { return \"blas_other\"; }").bytes);
	UNIT_ASSERT_TEXT(found(names, 3), "blas_asked");
	tree_put("versioned.so",
	    object_compile("-O2", "#define _GNU_SOURCE\n#include <dlfcn.h>\n"
				  "void *ask(void) { return dlvsym(RTLD_DEFAULT, \"blas_versioned\", \"V\"); }").bytes);
	UNIT_ASSERT_TEXT(found(names, 3), "blas_asked blas_versioned");
	tree_fell();
}

/* --------- all of it ------------------ */

static struct layer *look(void)
{
	struct plan_options options = {.level = LEVEL_MAX,
				       .passes = PASS_STRIP | PASS_TRIM,
				       .platform = platform_find("generic-x86_64"),
				       .poison = true};
	struct layer *layer = tree_survey();

	trims = plan_trims(layer, plan_layer(layer, &options), &options);
	return layer;
}

static const struct trim_task *task_of(const struct layer *layer, const char *path)
{
	for (size_t i = 0; i < trims.nr_tasks; i++)
		if (!strcmp(object_path(layer, &layer->objects[trims.tasks[i].object]), path))
			return &trims.tasks[i];
	return NULL;
}

static void plant_wheel(void)
{
	tree_plant();
	tree_put("libplain.so", object_compile("-O2 -Wl,-soname,libplain.so",
					  "int plain_wanted(void) { return 2; } int plain_unwanted(void) { return 1; }").bytes);
	tree_put("libcatches.so", object_compile("-O2 -Wl,-soname,libcatches.so",
					    "//c++\nextern \"C\" { int caught; void other(void);\n"
					    "int catches_wanted(void) { try { other(); } catch (...) { caught++; } return 2; }\n"
					    "int catches_unwanted(void) { return 1; } }").bytes);
	tree_put("libtext.so", object_compile("-O2 -Wl,-soname,libtext.so,-z,notext",
					 "asm(\".text; .quad text_wanted\"); int text_wanted(void) { return 2; }").bytes);
	object_file("libplain.so", object_compile("-O2 -Wl,-soname,libplain.so",
						  "int plain_wanted(void) { return 2; } int plain_unwanted(void) { return 1; }").bytes);
	tree_put("m.so", object_compile("-O2 -LDIR -Wl,--no-as-needed,-l:libplain.so -Wl,-rpath,'$ORIGIN'",
				   "int plain_wanted(void); int PyInit_m(void) { return plain_wanted(); }").bytes);
}

static void trims_are_looked_for_in_files(void)
{
	struct layer *layer;
	const struct trim_task *task;
	struct error err = {""};

	plant_wheel();
	layer = look();
	task = task_of(layer, "libplain.so");
	CU_ASSERT_FATAL(task != NULL);
	CU_ASSERT(!scan_trims(layer, &trims, &err));
	UNIT_ASSERT_TEXT(task->refused, NULL);
	CU_ASSERT_EQUAL_FATAL(task->nr_gone, 1);
	UNIT_ASSERT_TEXT(task->gone[0], "plain_unwanted");
	CU_ASSERT(task->result.dead >= 6 && task->result.unwind && task->result.cuts.unwind);
	layer_free(layer);
	tree_fell();
}

/* Landing pads are found by tables that nobody reads here. */
static void trims_leave_functions_that_catch(void)
{
	struct layer *layer;
	struct trim_task *task;
	struct error err = {""};

	plant_wheel();
	layer = look();
	trims.nr_tasks = 1;
	task = &trims.tasks[0];
	task->request.exports = task->request.unwind = true;
	task->object = layer->files[layer_find_file(layer, "libcatches.so")].object;
	CU_ASSERT(!scan_trims(layer, &trims, &err));
	UNIT_ASSERT_TEXT(task->refused, NULL);
	CU_ASSERT(!task->nr_gone && !task->result.dead && !task->result.unwind && !task->result.cuts.unwind);
	layer_free(layer);
	tree_fell();
}

static void trims_say_what_they_cannot_do(void)
{
	struct layer *layer;
	struct trim_task *task;
	struct error err = {""};

	plant_wheel();
	layer = look();
	trims.nr_tasks = 1;
	task = &trims.tasks[0];
	task->request.exports = true;
	task->object = layer->files[layer_find_file(layer, "libtext.so")].object;
	CU_ASSERT(!scan_trims(layer, &trims, &err));
	UNIT_ASSERT_TEXT(task->refused, "it has text relocations");
	CU_ASSERT(!task->nr_gone && !task->result.dead);
	task->refused = NULL;
	task->object = layer->files[layer_find_file(layer, "libplain.so")].object;
	CU_ASSERT(!unlink(tree_path("libplain.so")));
	CU_ASSERT(!scan_trims(layer, &trims, &err));
	UNIT_ASSERT_TEXT(task->refused, "it cannot be read");
	layer_free(layer);
	tree_fell();
}

void suite_trims(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(trims_look_for_kernels_by_default),
		UNIT_TEST(trims_know_what_the_platform_can_do),
		UNIT_TEST(trims_are_none_when_not_asked_for),
		UNIT_TEST(trims_leave_what_is_not_rewritten),
		UNIT_TEST(trims_drop_exports_of_libraries_somebody_needs),
		UNIT_TEST(trims_drop_unwind_tables_of_plain_c),
		UNIT_TEST(trims_keep_unwind_tables_below_cxx),
		UNIT_TEST(trims_want_what_is_imported_after_the_plan),
		UNIT_TEST(trims_do_not_want_what_files_that_are_gone_import),
		UNIT_TEST(trims_want_names_that_were_found),
		UNIT_TEST(trims_become_part_of_a_rewrite),
		UNIT_TEST(trims_with_traps_say_so),
		UNIT_TEST(trims_that_were_refused_change_nothing),
		UNIT_TEST(names_are_words_of_sources),
		UNIT_TEST(names_may_be_without_what_is_put_on_at_run_time),
		UNIT_TEST(names_are_strings_of_objects_that_look_symbols_up),
#ifdef __x86_64__
		UNIT_TEST(trims_are_looked_for_in_files),
		UNIT_TEST(trims_leave_functions_that_catch),
		UNIT_TEST(trims_say_what_they_cannot_do),
#endif
	};

	unit_suite("trims", tests, sizeof tests / sizeof *tests);
}
