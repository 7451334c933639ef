/*
 * Unit tests of the bridge pass (src/plan/bridge.c) on models: which ILP64
 * OpenBLAS goes, which stays and with what words. Offers are made by hand.
 */
#include "suites.h"

#include <string.h>

#include "plan_text.h"
#include "sofold/bridge.h"

#define NUMPY_BLAS "numpy.libs/libscipy_openblas64_-11111111.so"
#define SCIPY_BLAS "scipy.libs/libscipy_openblas-22222222.so"
#define TAKEN                                                                                                \
	"merge " NUMPY_BLAS ": bridgeable, numpy's 0.3.30 -> scipy's 0.3.29, through libsofold-ilp64.so\n"
#define REFUSED "refuse " NUMPY_BLAS ": ILP64 and LP64, and "

static struct bridge_offer offers[2];
static owner_id numpy, scipy;

/* All names of one side, with blanks between. */
static const char *names(bool exported)
{
	size_t nr;
	const struct bridge_routine *routines = bridge_routines(&nr);
	char *text = arena_strdup(plan_subject->arena, "");

	for (size_t i = 0; i < nr; i++)
		text = arena_printf(plan_subject->arena, "%s%s ", text,
				    exported ? routines[i].exported : routines[i].forwarded);
	return text;
}

static void own(object_id id, owner_id owner)
{
	plan_subject->files[plan_subject->objects[id].file].owner = owner;
}

static object_id library(const char *path, const char *content, bool ilp64, const char *needed)
{
	object_id id = plan_library(
		path, content, NULL,
		(struct build_object){.exports = arena_printf(plan_subject->arena, "%s extra_%s",
							      names(ilp64), ilp64 ? "64_" : ""),
				      .needed = needed,
				      .runpath = needed ? "$ORIGIN" : NULL,
				      .size = 30000000});

	plan_subject->objects[id].ilp64 = ilp64;
	plan_subject->objects[id].lp64 = !ilp64;
	plan_subject->objects[id].version_hint = ilp64 ? "0.3.30" : "0.3.29";
	own(id, ilp64 ? numpy : scipy);
	return id;
}

/* The object in a blob, as the scanner reads it. */
static struct object blob(void)
{
	struct layer scratch = {.arena = plan_subject->arena};
	struct object object;

	build_object(&scratch, (struct build_object){
				       .path = BRIDGE_NAME,
				       .needed = BRIDGE_NEEDED,
				       .rpath = "",
				       .exports = names(true),
				       .imports = arena_printf(scratch.arena, "%swrite abort", names(false)),
				       .size = 20000,
			       });
	object = scratch.objects[0];
	object.family = BRIDGE_NAME;
	object.offer = (struct span){(const uint8_t *)"blob", 4};
	return object;
}

static void offer(object_id ilp64)
{
	const struct object *old = &plan_subject->objects[ilp64], object = blob();
	const char *dir = path_dir(plan_subject->arena, object_path(plan_subject, old));
	struct bridge_offer *new = &offers[plan_settings.nr_offers++];

	*new = (struct bridge_offer){.ilp64 = ilp64};
	new->object = layer_add_offer(plan_subject, path_join(plan_subject->arena, dir, BRIDGE_NAME),
				      plan_subject->files[old->file].owner, &object);
	plan_settings.offers = offers;
}

static owner_id wheel(const char *name, const char *record)
{
	owner_id owner = build_owner(plan_subject, name, "1.0");

	build_file(plan_subject, record);
	plan_subject->owners[owner].record = layer_find_file(plan_subject, record);
	return owner;
}

static void begin(void)
{
	plan_begin();
	plan_settings.passes = PASS_DEDUPE | PASS_BRIDGE;
	numpy = wheel("numpy", "numpy.dist-info/RECORD");
	scipy = wheel("scipy", "scipy.dist-info/RECORD");
}

/* numpy and scipy, each with a module that imports these of its OpenBLAS. */
static void two_wheels(const char *numpy_imports)
{
	begin();
	library(NUMPY_BLAS, NULL, true, NULL);
	library(SCIPY_BLAS, NULL, false, NULL);
	own(plan_module("numpy/core.so", "libscipy_openblas64_-11111111.so", "$ORIGIN/../numpy.libs",
			numpy_imports),
	    numpy);
	plan_module("scipy/m.so", "libscipy_openblas-22222222.so", "$ORIGIN/../scipy.libs", "dgesv_");
}

static void expect(const char *text)
{
	UNIT_ASSERT_TEXT(plan_copies(), text);
	plan_end();
}

/* --------- taken ------------------ */

static void bridge_takes_the_place_of_the_ilp64_copy(void)
{
	const struct plan *plan;

	two_wheels("dgesv_64_ cblas_ddot64_ malloc");
	offer(0);
	UNIT_ASSERT_TEXT(plan_copies(), TAKEN "keep " SCIPY_BLAS "\n");
	UNIT_ASSERT_TEXT(plan_edits(),
			 "numpy.libs/libsofold-ilp64.so: libsofold-bridge-needed.so = "
			 "libscipy_openblas-22222222.so, $ORIGIN/../scipy.libs\n"
			 "numpy/core.so: libscipy_openblas64_-11111111.so = libsofold-ilp64.so, -\n");
	UNIT_ASSERT_TEXT(plan_actions(), "place numpy.libs/libsofold-ilp64.so\n"
					 "rewrite numpy/core.so\n"
					 "delete " NUMPY_BLAS "\n"
					 "record numpy.dist-info/RECORD\n");
	plan = plan_last();
	CU_ASSERT_EQUAL(plan->families[0].copies[0].served_by, 1);
	CU_ASSERT_EQUAL(plan->families[0].copies[0].bridge, offers[0].object);
	CU_ASSERT_EQUAL(plan->replaced_by[0], offers[0].object);
	CU_ASSERT(plan->deleted[0] && !plan->deleted[1]);
	UNIT_ASSERT_TEXT(plan_subject->files[plan->actions[0].like].path, NUMPY_BLAS);
	UNIT_ASSERT_TEXT(plan->actions[0].edits.soname, BRIDGE_NAME);
	CU_ASSERT(plan->actions[0].edits.compact);
	CU_ASSERT_EQUAL(plan->actions[0].edits.page, plan_settings.platform->page);
	plan_end();
}

static void bridge_counts_what_it_adds(void)
{
	two_wheels("dgesv_64_");
	offer(0);
	(void)plan_copies();
	CU_ASSERT_EQUAL(plan_last()->reclaimable, 30000000 - 20000);
	CU_ASSERT_EQUAL(plan_last()->families[0].reclaimable, 30000000 - 20000);
	plan_end();
}

static void bridge_that_gains_nothing_is_not_taken(void)
{
	two_wheels("dgesv_64_");
	plan_subject->objects[0].size = 20000;
	offer(0);
	expect(REFUSED "the bridge is no smaller\n"
		       "refuse " SCIPY_BLAS ": ILP64 (64-bit integers) and LP64 (32-bit)\n");
}

static void bridge_lets_orphans_go(void)
{
	begin();
	library(NUMPY_BLAS, NULL, true, "libonly-11111111.so.0");
	library(SCIPY_BLAS, NULL, false, NULL);
	plan_library("numpy.libs/libonly-11111111.so.0", NULL, NULL, (struct build_object){.size = 7});
	plan_module("numpy/core.so", "libscipy_openblas64_-11111111.so", "$ORIGIN/../numpy.libs",
		    "dgesv_64_");
	plan_module("scipy/m.so", "libscipy_openblas-22222222.so", "$ORIGIN/../scipy.libs", "dgesv_");
	offer(0);
	UNIT_ASSERT_TEXT(plan_copies(), TAKEN "keep " SCIPY_BLAS "\n");
	UNIT_ASSERT_TEXT(plan_actions(), "place numpy.libs/libsofold-ilp64.so\n"
					 "rewrite numpy/core.so\n"
					 "delete " NUMPY_BLAS "\n"
					 "delete numpy.libs/libonly-11111111.so.0\n"
					 "record numpy.dist-info/RECORD\n");
	CU_ASSERT_EQUAL(plan_last()->reclaimable, 30000000 + 7 - 20000);
	plan_end();
}

static void bridge_needs_no_dedupe(void)
{
	two_wheels("dgesv_64_");
	offer(0);
	plan_settings.passes = PASS_BRIDGE;
	expect(TAKEN "keep " SCIPY_BLAS "\n");
}

/* Of a wheel nobody has a RECORD of; libraries that do not say their version. */
static void bridge_speaks_of_what_it_knows(void)
{
	two_wheels("dgesv_64_");
	own(0, NO_ID);
	plan_subject->objects[0].version_hint = plan_subject->objects[1].version_hint = NULL;
	offer(0);
	expect("merge " NUMPY_BLAS ": bridgeable, the layer's OpenBLAS -> scipy's OpenBLAS, through "
	       "libsofold-ilp64.so\n"
	       "keep " SCIPY_BLAS "\n");
}

static void bridge_calls_the_lp64_copy_that_stays(void)
{
	two_wheels("dgesv_64_");
	library("other.libs/libopenblasp-r0-33333333.3.29.so", "S", false, NULL);
	plan_subject->objects[1].content = "S";
	plan_module("other/m.so", "libopenblasp-r0-33333333.3.29.so", "$ORIGIN/../other.libs", "dgesv_");
	plan_subject->objects[5].size = 100000; /* so that this copy is the one kept */
	offer(0);
	UNIT_ASSERT_TEXT(plan_copies(), TAKEN "merge " SCIPY_BLAS ": identical, the same bytes\n"
					      "keep other.libs/libopenblasp-r0-33333333.3.29.so\n");
	UNIT_ASSERT_TEXT(plan_edits(),
			 "numpy.libs/libsofold-ilp64.so: libsofold-bridge-needed.so = "
			 "libopenblasp-r0-33333333.3.29.so, $ORIGIN/../other.libs\n"
			 "numpy/core.so: libscipy_openblas64_-11111111.so = libsofold-ilp64.so, -\n"
			 "scipy/m.so: libscipy_openblas-22222222.so = libopenblasp-r0-33333333.3.29.so, "
			 "$ORIGIN/../other.libs\n");
	plan_end();
}

static void bridge_serves_those_of_a_merged_ilp64_copy(void)
{
	two_wheels("dgesv_64_");
	library("other.libs/libscipy_openblas64_-33333333.so", "S", true, NULL);
	plan_subject->objects[0].content = "S";
	plan_module("other/m.so", "libscipy_openblas64_-33333333.so", "$ORIGIN/../other.libs", "dgesv_64_");
	offer(0);
	offer(4);
	UNIT_ASSERT_TEXT(plan_copies(), TAKEN
			 "keep " SCIPY_BLAS "\n"
			 "merge other.libs/libscipy_openblas64_-33333333.so: identical, the same bytes\n");
	UNIT_ASSERT_TEXT(plan_edits(),
			 "numpy.libs/libsofold-ilp64.so: libsofold-bridge-needed.so = "
			 "libscipy_openblas-22222222.so, $ORIGIN/../scipy.libs\n"
			 "numpy/core.so: libscipy_openblas64_-11111111.so = libsofold-ilp64.so, -\n"
			 "other/m.so: libscipy_openblas64_-33333333.so = libsofold-ilp64.so, "
			 "$ORIGIN/../numpy.libs\n");
	CU_ASSERT_EQUAL(plan_last()->replaced_by[4], offers[0].object);
	CU_ASSERT_EQUAL(plan_last()->reclaimable, 60000000 - 20000);
	plan_end();
}

/* A module with RUNPATH provides for nobody, so the LP64 copy gets a path of
 * its own. It must have it before anybody loads it through the bridge. */
static void bridge_is_used_when_the_lp64_copy_finds_its_own(void)
{
	begin();
	library(NUMPY_BLAS, NULL, true, NULL);
	plan_module("numpy/core.so", "libscipy_openblas64_-11111111.so", "$ORIGIN/../numpy.libs",
		    "dgesv_64_");
	library(SCIPY_BLAS, NULL, false, "libq-22222222.so.0");
	plan_subject->objects[2].search_kind = SEARCH_NONE;
	plan_subject->objects[2].search_path = NULL;
	plan_library("scipy.libs/libq-22222222.so.0", NULL, NULL, (struct build_object){.exports = "q"});
	plan_module_rpath("scipy/m.so", "libscipy_openblas-22222222.so", "$ORIGIN/../scipy.libs", "dgesv_");
	offer(0);
	UNIT_ASSERT_TEXT(plan_copies(), TAKEN "keep " SCIPY_BLAS "\n");
	UNIT_ASSERT_TEXT(plan_actions(), "place numpy.libs/libsofold-ilp64.so\n"
					 "rewrite " SCIPY_BLAS "\n"
					 "rewrite numpy/core.so\n"
					 "delete " NUMPY_BLAS "\n"
					 "record numpy.dist-info/RECORD\n"
					 "record scipy.dist-info/RECORD\n");
	plan_end();
}

/* --------- refused ------------------ */

static void refused(const char *why)
{
	const char *first = plan_copies();

	UNIT_ASSERT_TEXT(arena_strndup(plan_subject->arena, first, strcspn(first, "\n")),
			 arena_printf(plan_subject->arena, "refuse " NUMPY_BLAS ": %s", why));
	CU_ASSERT(!plan_last()->deleted[0]);
	CU_ASSERT_EQUAL(plan_last()->reclaimable, 0);
	CU_ASSERT(!strstr(plan_actions(), "place"));
	UNIT_ASSERT_TEXT(plan_edits(), "");
	plan_end();
}

static void bridge_without_a_routine_is_refused(void)
{
	two_wheels("dgesv_64_ extra_64_");
	offer(0);
	refused("ILP64 and LP64, and extra_64_ is not in the bridge");
}

static void bridge_names_a_few_missing_routines(void)
{
	begin();
	plan_library(NUMPY_BLAS, NULL, NULL,
		     (struct build_object){.exports = "a_64_ b_64_ c_64_ d_64_ e_64_"});
	plan_subject->objects[0].ilp64 = true;
	library(SCIPY_BLAS, NULL, false, NULL);
	plan_module("numpy/core.so", "libscipy_openblas64_-11111111.so", "$ORIGIN/../numpy.libs",
		    "a_64_ b_64_ c_64_");
	plan_module("numpy/linalg.so", "libscipy_openblas64_-11111111.so", "$ORIGIN/../numpy.libs",
		    "b_64_ d_64_ e_64_");
	offer(0);
	refused("ILP64 and LP64, and a_64_, b_64_, c_64_ and 2 more are not in the bridge");
}

static void bridge_needs_a_whole_lp64_copy(void)
{
	two_wheels("dgesv_64_");
	plan_subject->objects[1].nr_exports = 3;
	offer(0);
	refused(arena_printf(plan_subject->arena, "ILP64 and LP64, and the LP64 copy does not define %s",
			     bridge_routines(&(size_t){0})[3].forwarded));
}

static void bridge_needs_an_lp64_copy(void)
{
	begin();
	library(NUMPY_BLAS, NULL, true, NULL);
	library("other.libs/libopenblas64_-33333333.so", NULL, true, NULL);
	plan_module("numpy/core.so", "libscipy_openblas64_-11111111.so", "$ORIGIN/../numpy.libs",
		    "dgesv_64_");
	plan_subject->objects[0].named_by = NULL;
	plan_subject->objects[1].named_by = "other/load.py";
	plan_settings.level = LEVEL_DEFAULT;
	plan_settings.passes = PASS_BRIDGE;
	offer(0);
	refused("ILP64 and LP64, and no LP64 copy stays");
}

static void bridge_is_not_for_level_safe(void)
{
	two_wheels("dgesv_64_");
	offer(0);
	plan_settings.level = LEVEL_SAFE;
	refused("ILP64 and LP64, and a bridge is for --level default");
}

static void bridge_can_be_left_out(void)
{
	two_wheels("dgesv_64_");
	offer(0);
	plan_settings.passes = PASS_DEDUPE;
	refused("ILP64 and LP64, and the pass bridge is left out");
}

static void bridge_says_why_none_is_offered(void)
{
	two_wheels("dgesv_64_");
	offers[0] = (struct bridge_offer){.ilp64 = 0, .object = NO_ID, .refused = "there is none for a test"};
	plan_settings.offers = offers;
	plan_settings.nr_offers = 1;
	refused("ILP64 and LP64, and there is none for a test");
}

static void bridge_spares_what_code_names(void)
{
	two_wheels("dgesv_64_");
	plan_subject->objects[0].named_by = "numpy/load.py";
	offer(0);
	refused("code names this file: numpy/load.py");
}

static void bridge_spares_what_a_symlink_leads_to(void)
{
	two_wheels("dgesv_64_");
	build_symlink(plan_subject, "numpy.libs/libopenblas.so", "libscipy_openblas64_-11111111.so");
	offer(0);
	refused("a symlink leads to it: numpy.libs/libopenblas.so");
}

static void bridge_spares_what_nobody_needs(void)
{
	two_wheels("dgesv_64_");
	plan_subject->objects[2].nr_needed = 0;
	offer(0);
	refused("nothing needs it by name, so it is opened by its path");
}

static void bridge_needs_consumers_that_can_be_edited(void)
{
	two_wheels("dgesv_64_");
	plan_subject->objects[2].untouchable = "data follows";
	offer(0);
	refused("ILP64 and LP64, and a bridge would break a load: numpy/core.so would have to be edited, but: "
		"data follows");
}

/* What numpy's module brings in first defines a routine the bridge calls. */
static void bridge_calls_nobody_else(void)
{
	begin();
	library(NUMPY_BLAS, NULL, true, NULL);
	library(SCIPY_BLAS, NULL, false, NULL);
	plan_library("numpy.libs/libextra.so.1", NULL, NULL, (struct build_object){.exports = "dgesv_"});
	plan_module("numpy/core.so", "libextra.so.1 libscipy_openblas64_-11111111.so",
		    "$ORIGIN/../numpy.libs", "dgesv_64_");
	plan_module("scipy/m.so", "libscipy_openblas-22222222.so", "$ORIGIN/../scipy.libs", "dgesv_");
	offer(0);
	refused("ILP64 and LP64, and a bridge would break a load: numpy.libs/libsofold-ilp64.so: dgesv_ would "
		"be bound to numpy.libs/libextra.so.1");
}

/* A merge that was decided before a refused bridge stays decided. */
static void bridge_that_is_refused_takes_nothing_back(void)
{
	two_wheels("dgesv_64_");
	plan_subject->objects[2].untouchable = "data follows";
	plan_library("numpy.libs/libq-1.so.1", "Q", NULL, (struct build_object){.exports = "q"});
	plan_library("scipy.libs/libq-2.so.1", "Q", NULL, (struct build_object){.exports = "q"});
	plan_module("numpy/q.so", "libq-1.so.1", "$ORIGIN/../numpy.libs", "q");
	plan_module("scipy/q.so", "libq-2.so.1", "$ORIGIN/../scipy.libs", "q");
	offer(0);
	(void)plan_copies();
	UNIT_ASSERT_TEXT(plan_actions(), "rewrite scipy/q.so\ndelete scipy.libs/libq-2.so.1\n");
	plan_end();
}

/* --------- the model ------------------ */

static void predicts_a_placed_object(void)
{
	struct layer *after;
	const struct object *placed;
	file_id file;

	two_wheels("dgesv_64_");
	offer(0);
	(void)plan_copies();
	CU_ASSERT_EQUAL(layer_object_at(plan_subject, "numpy.libs/libsofold-ilp64.so"), NO_ID);
	after = plan_predict(plan_subject->arena, plan_subject, plan_last());
	placed = &after->objects[offers[0].object];
	file = layer_find_file(after, "numpy.libs/libsofold-ilp64.so");
	CU_ASSERT_EQUAL_FATAL(file, placed->file);
	CU_ASSERT_EQUAL(after->files[file].kind, FILE_REGULAR);
	CU_ASSERT(after->files[file].is_elf);
	CU_ASSERT_EQUAL(layer_object_at(after, "numpy.libs/libsofold-ilp64.so"), offers[0].object);
	UNIT_ASSERT_TEXT(placed->needed[0], "libscipy_openblas-22222222.so");
	UNIT_ASSERT_TEXT(placed->soname, BRIDGE_NAME);
	UNIT_ASSERT_TEXT(placed->search_path, "$ORIGIN/../scipy.libs");
	CU_ASSERT_EQUAL(placed->search_kind, SEARCH_RPATH);
	CU_ASSERT_EQUAL(layer_object_at(after, NUMPY_BLAS), NO_ID);
	UNIT_ASSERT_TEXT(plan_subject->objects[offers[0].object].needed[0], BRIDGE_NEEDED);
	plan_end();
}

static void predicts_nothing_of_an_offer_that_is_not_taken(void)
{
	struct layer *after;

	two_wheels("dgesv_64_");
	offer(0);
	plan_settings.passes = PASS_DEDUPE;
	(void)plan_copies();
	after = plan_predict(plan_subject->arena, plan_subject, plan_last());
	CU_ASSERT_EQUAL(layer_object_at(after, "numpy.libs/libsofold-ilp64.so"), NO_ID);
	CU_ASSERT_EQUAL(layer_count_objects(after), 4);
	CU_ASSERT_EQUAL(layer_count_files(after), 6);
	plan_end();
}

static void register_taken(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(bridge_takes_the_place_of_the_ilp64_copy),
		UNIT_TEST(bridge_counts_what_it_adds),
		UNIT_TEST(bridge_lets_orphans_go),
		UNIT_TEST(bridge_needs_no_dedupe),
		UNIT_TEST(bridge_speaks_of_what_it_knows),
		UNIT_TEST(bridge_calls_the_lp64_copy_that_stays),
		UNIT_TEST(bridge_serves_those_of_a_merged_ilp64_copy),
		UNIT_TEST(bridge_is_used_when_the_lp64_copy_finds_its_own),
		UNIT_TEST(predicts_a_placed_object),
		UNIT_TEST(predicts_nothing_of_an_offer_that_is_not_taken),
	};

	unit_suite("bridge taken", tests, sizeof tests / sizeof *tests);
}

static void register_refused(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(bridge_that_gains_nothing_is_not_taken),
		UNIT_TEST(bridge_without_a_routine_is_refused),
		UNIT_TEST(bridge_names_a_few_missing_routines),
		UNIT_TEST(bridge_needs_a_whole_lp64_copy),
		UNIT_TEST(bridge_needs_an_lp64_copy),
		UNIT_TEST(bridge_is_not_for_level_safe),
		UNIT_TEST(bridge_can_be_left_out),
		UNIT_TEST(bridge_says_why_none_is_offered),
		UNIT_TEST(bridge_spares_what_code_names),
		UNIT_TEST(bridge_spares_what_a_symlink_leads_to),
		UNIT_TEST(bridge_spares_what_nobody_needs),
		UNIT_TEST(bridge_needs_consumers_that_can_be_edited),
		UNIT_TEST(bridge_calls_nobody_else),
		UNIT_TEST(bridge_that_is_refused_takes_nothing_back),
	};

	unit_suite("bridge refused", tests, sizeof tests / sizeof *tests);
}

void suite_bridge(void)
{
	register_taken();
	register_refused();
}
