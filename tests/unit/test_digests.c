/*
 * Unit tests of digests_read() on files that were there when they were parsed, and are not
 * any more when they are compared.
 */
#include "suites.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_object.h"
#include "build_tree.h"
#include "scan/parts.h"
#include "sofold/arena.h"

static struct layer *layer;

static void put(const char *name)
{
	tree_put(name, object_compile("", "int answer(void) { return 42; }").bytes);
}

/* Three equal libraries. */
static void begin(void)
{
	tree_plant();
	put("a.so");
	put("b.so");
	put("c.so");
	layer = tree_survey();
	CU_ASSERT_EQUAL_FATAL(layer->nr_objects, 3);
	CU_ASSERT_EQUAL(layer->nr_findings, 0);
}

static void compare_again(void)
{
	struct source source = {.root = open(tree_path(""), O_RDONLY | O_DIRECTORY)};

	for (size_t i = 0; i < layer->nr_objects; i++)
		layer->objects[i].content = layer->objects[i].image = NULL;
	digests_read(layer, &source, true);
	close(source.root);
	layer_sort_findings(layer);
}

static bool equal(object_id a, object_id b)
{
	return object_same_bytes(&layer->objects[a], &layer->objects[b]);
}

static const char *finding(size_t i)
{
	const struct finding *found = &layer->findings[i];

	return i < layer->nr_findings
		       ? arena_printf(object_arena(), "%s %s: %s", found->rule, found->path, found->message)
		       : "none";
}

static void end(void)
{
	layer_free(layer);
	tree_fell();
}

static void digests_find_equal_files(void)
{
	begin();
	compare_again();
	CU_ASSERT(equal(0, 1) && equal(0, 2));
	CU_ASSERT(layer->objects[0].sha256 && !strcmp(layer->objects[0].sha256, layer->objects[2].sha256));
	CU_ASSERT_EQUAL(layer->nr_findings, 0);
	end();
}

static void digests_tell_of_a_file_that_is_gone(void)
{
	begin();
	unlink(tree_path("b.so"));
	compare_again();
	CU_ASSERT(equal(0, 2) && !equal(0, 1) && !layer->objects[1].sha256);
	UNIT_ASSERT_TEXT(
		finding(0),
		"unreadable b.so: could not be compared with a.so: one of the two cannot be read again");
	UNIT_ASSERT_TEXT(finding(1), "none");
	end();
}

/* The others are compared with each other. */
static void digests_tell_of_a_first_file_that_is_gone(void)
{
	begin();
	unlink(tree_path("a.so"));
	compare_again();
	CU_ASSERT(equal(1, 2) && !equal(0, 1));
	CU_ASSERT_EQUAL(layer->nr_findings, 3);
	end();
}

static void digests_tell_of_a_file_that_shrank(void)
{
	begin();
	if (truncate(tree_path("c.so"), 100))
		exit(1);
	compare_again();
	CU_ASSERT(equal(0, 1) && !equal(0, 2));
	UNIT_ASSERT_TEXT(
		finding(0),
		"unreadable c.so: could not be compared with a.so: one of the two cannot be read again");
	end();
}

static void digests_wait_for_no_fifo(void)
{
	begin();
	unlink(tree_path("c.so"));
	if (mkfifo(tree_path("c.so"), 0600))
		exit(1);
	compare_again();
	CU_ASSERT(equal(0, 1) && !equal(0, 2) && !layer->objects[2].sha256);
	CU_ASSERT(layer->nr_findings > 0);
	end();
}

void suite_digests(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(digests_find_equal_files),
		UNIT_TEST(digests_tell_of_a_file_that_is_gone),
		UNIT_TEST(digests_tell_of_a_first_file_that_is_gone),
		UNIT_TEST(digests_tell_of_a_file_that_shrank),
		UNIT_TEST(digests_wait_for_no_fifo),
	};

	unit_suite("digests", tests, sizeof tests / sizeof *tests);
}
