/* Unit tests of findings, owners, offers, and the walk through symlinks. */
#include "suites.h"

#include <string.h>

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

/* --------- offers ------------------ */

static object_id offer(const char *path, owner_id owner)
{
	static const uint8_t bytes[4];
	struct object object = {.machine = 62, .offer = {bytes, sizeof bytes}};

	return layer_add_offer(layer, path, owner, &object);
}

static void layer_takes_an_offer_without_leading_to_it(void)
{
	const struct file *file;
	owner_id numpy;
	object_id id;

	begin();
	numpy = build_owner(layer, "numpy", "2.4.6");
	id = offer("a/b/libb.so", numpy);
	CU_ASSERT_EQUAL(id, layer->nr_objects - 1);
	CU_ASSERT_EQUAL(layer->nr_offers, 1);
	CU_ASSERT_EQUAL(layer_count_files(layer), layer->nr_files - 1);
	CU_ASSERT_EQUAL(layer_count_objects(layer), 1);
	LEADS_TO("a/b/libb.so", NO_ID);
	file = &layer->files[layer->objects[id].file];
	UNIT_ASSERT_TEXT(file->path, "a/b/libb.so");
	UNIT_ASSERT_TEXT(file->name, "libb.so");
	CU_ASSERT_EQUAL(file->kind, FILE_GONE);
	CU_ASSERT_EQUAL(file->owner, numpy);
	CU_ASSERT_EQUAL(layer->objects[id].nr_links, 1);
	CU_ASSERT_EQUAL(layer->objects[id].links[0], layer->objects[id].file);
	UNIT_ASSERT_TEXT(object_name(layer, &layer->objects[offer("root.so", NO_ID)]), "root.so");
	build_free(layer);
}

/* Everything that names a file by its id names the same one afterwards. */
static void layer_moves_ids_up_for_an_offer(void)
{
	static const char *const places[] = {"0", "a/b/liba.sn", "a/b/liba.so.0", "zzz"};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		owner_id none, owner;

		begin();
		build_object(layer, (struct build_object){.path = "m/one.so", .links = "a/two.so z/three.so"});
		build_file(layer, "m.dist-info/RECORD");
		owner = build_owner(layer, "m", "1");
		none = build_owner(layer, "n", "1");
		layer->owners[owner].record = layer_find_file(layer, "m.dist-info/RECORD");
		layer_add_finding(layer, "rule", SEVERITY_NOTE, "m/one.so", "a message");
		offer(places[i], NO_ID);
		for (size_t k = 1; k < layer->nr_files; k++)
			CU_ASSERT(strcmp(layer->files[k - 1].path, layer->files[k].path) < 0);
		CU_ASSERT_NOT_EQUAL(layer_find_file(layer, places[i]), NO_ID);
		UNIT_ASSERT_TEXT(object_path(layer, &layer->objects[1]), "m/one.so");
		CU_ASSERT_EQUAL_FATAL(layer->objects[1].nr_links, 3);
		UNIT_ASSERT_TEXT(layer->files[layer->objects[1].links[1]].path, "a/two.so");
		UNIT_ASSERT_TEXT(layer->files[layer->objects[1].links[2]].path, "z/three.so");
		UNIT_ASSERT_TEXT(layer->files[layer->owners[owner].record].path, "m.dist-info/RECORD");
		CU_ASSERT_EQUAL(layer->owners[none].record, NO_ID);
		UNIT_ASSERT_TEXT(layer->findings[0].path, "m/one.so");
		LEADS_TO("x/chain", 0);
		LEADS_TO("z/three.so", 1);
		build_free(layer);
	}
}

static void layer_takes_several_offers(void)
{
	object_id second, first;

	begin();
	second = offer("b/two.so", NO_ID);
	first = offer("a/one.so", NO_ID);
	CU_ASSERT_EQUAL(layer->nr_offers, 2);
	UNIT_ASSERT_TEXT(object_path(layer, &layer->objects[first]), "a/one.so");
	UNIT_ASSERT_TEXT(object_path(layer, &layer->objects[second]), "b/two.so");
	UNIT_ASSERT_TEXT(layer->files[layer->objects[second].links[0]].path, "b/two.so");
	build_free(layer);
}

/* Takes out the paths of a list separated by blanks. */
static struct layer *without(const char *list)
{
	static const struct pruned reason = {"tests", "nobody needs them"};
	const struct pruned **pruned = arena_array(layer->arena, layer->nr_files, sizeof *pruned);
	size_t nr;
	const char **paths = build_words(layer, list, &nr);

	for (size_t i = 0; i < nr; i++)
		pruned[layer_find_file(layer, paths[i])] = &reason;
	return layer_without(layer, pruned);
}

static void layer_without_some_files(void)
{
	struct layer *rest;
	file_id gone;

	begin();
	build_file(layer, "a/b/data");
	rest = without("a/b/data x/chain");
	gone = layer_find_file(rest, "a/b/data");
	CU_ASSERT_EQUAL(gone, layer_find_file(layer, "a/b/data"));
	CU_ASSERT_EQUAL(rest->nr_files, layer->nr_files);
	CU_ASSERT_EQUAL(rest->files[gone].kind, FILE_GONE);
	UNIT_ASSERT_TEXT(rest->files[gone].pruned->rule, "tests");
	CU_ASSERT_EQUAL(layer->files[gone].kind, FILE_REGULAR);
	CU_ASSERT_PTR_NULL(layer->files[gone].pruned);
	CU_ASSERT_EQUAL(rest->nr_objects, 1);
	CU_ASSERT_EQUAL(layer_object_at(rest, "liba.so"), 0);
	CU_ASSERT_EQUAL(layer_object_at(rest, "x/there"), 0);
	CU_ASSERT_EQUAL(layer_object_at(rest, "x/chain"), NO_ID);
	LEADS_TO("x/chain", 0);
	build_free(layer);
}

static void layer_without_an_object(void)
{
	struct layer *rest;

	begin();
	build_object(layer, (struct build_object){.path = "m/one.so"});
	build_object(layer, (struct build_object){.path = "z/two.so"});
	build_symlink(layer, "y", "m/one.so");
	layer_add_finding(layer, "rule", SEVERITY_NOTE, "m/one.so", "a message");
	layer_add_finding(layer, "rule", SEVERITY_NOTE, "z/two.so", "a message");
	layer_add_finding(layer, "rule", SEVERITY_NOTE, "nowhere", "a message");
	rest = without("m/one.so");
	CU_ASSERT_EQUAL_FATAL(rest->nr_objects, 2);
	UNIT_ASSERT_TEXT(object_path(rest, &rest->objects[0]), "a/b/liba.so");
	UNIT_ASSERT_TEXT(object_path(rest, &rest->objects[1]), "z/two.so");
	CU_ASSERT_EQUAL(rest->files[layer_find_file(rest, "z/two.so")].object, 1);
	CU_ASSERT_EQUAL(rest->files[layer_find_file(rest, "y")].object, NO_ID);
	CU_ASSERT_EQUAL(layer_object_at(rest, "y"), NO_ID);
	CU_ASSERT_EQUAL(rest->nr_findings, 2);
	UNIT_ASSERT_TEXT(rest->findings[0].path, "z/two.so");
	UNIT_ASSERT_TEXT(rest->findings[1].path, "nowhere");
	CU_ASSERT_EQUAL(layer->nr_objects, 3);
	CU_ASSERT_EQUAL(layer->nr_findings, 3);
	CU_ASSERT_EQUAL(layer->files[layer_find_file(layer, "y")].object, 1);
	build_free(layer);
}

/* An object goes with the last of its paths, not with the first. */
static void layer_without_links_of_an_object(void)
{
	struct layer *rest;

	layer = build_layer();
	build_object(layer, (struct build_object){.path = "a/one.so", .links = "b/two.so c/three.so"});
	rest = without("a/one.so c/three.so");
	CU_ASSERT_EQUAL_FATAL(rest->nr_objects, 1);
	CU_ASSERT_EQUAL(rest->objects[0].nr_links, 1);
	UNIT_ASSERT_TEXT(object_path(rest, &rest->objects[0]), "b/two.so");
	CU_ASSERT_EQUAL(layer->objects[0].nr_links, 3);
	UNIT_ASSERT_TEXT(object_path(layer, &layer->objects[0]), "a/one.so");
	rest = without("a/one.so b/two.so c/three.so");
	CU_ASSERT_EQUAL(rest->nr_objects, 0);
	build_free(layer);
}

/* What is left takes offers, and the layer it comes from does not see them. */
static void layer_without_files_takes_offers(void)
{
	struct layer *whole, *rest;
	object_id id;
	owner_id owner;

	begin();
	build_object(layer, (struct build_object){.path = "m/one.so", .links = "z/three.so"});
	build_file(layer, "m.dist-info/RECORD");
	owner = build_owner(layer, "m", "1");
	layer->owners[owner].record = layer_find_file(layer, "m.dist-info/RECORD");
	whole = layer;
	rest = layer = without("a/b/liba.so");
	id = offer("a/new.so", NO_ID);
	layer = whole;
	CU_ASSERT_EQUAL(whole->nr_offers, 0);
	CU_ASSERT_EQUAL(layer_find_file(whole, "a/new.so"), NO_ID);
	UNIT_ASSERT_TEXT(object_path(rest, &rest->objects[id]), "a/new.so");
	UNIT_ASSERT_TEXT(object_path(rest, &rest->objects[0]), "m/one.so");
	UNIT_ASSERT_TEXT(object_path(whole, &whole->objects[1]), "m/one.so");
	UNIT_ASSERT_TEXT(whole->files[whole->objects[1].links[1]].path, "z/three.so");
	UNIT_ASSERT_TEXT(whole->files[whole->owners[owner].record].path, "m.dist-info/RECORD");
	UNIT_ASSERT_TEXT(rest->files[rest->owners[owner].record].path, "m.dist-info/RECORD");
	for (size_t i = 1; i < rest->nr_files; i++)
		CU_ASSERT(strcmp(rest->files[i - 1].path, rest->files[i].path) < 0);
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
		UNIT_TEST(layer_takes_an_offer_without_leading_to_it),
		UNIT_TEST(layer_moves_ids_up_for_an_offer),
		UNIT_TEST(layer_takes_several_offers),
		UNIT_TEST(layer_without_some_files),
		UNIT_TEST(layer_without_an_object),
		UNIT_TEST(layer_without_links_of_an_object),
		UNIT_TEST(layer_without_files_takes_offers),
	};

	unit_suite("layer", tests, sizeof tests / sizeof *tests);
}
