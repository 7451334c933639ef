/* Unit tests of path_join, path_dir, path_relative and path_of_source. */
#include "suites.h"

#include "sofold/layer.h"

static struct arena *arena;

#define JOINS(dir, name, expected)                                                                           \
	do {                                                                                                 \
		arena = arena_new();                                                                         \
		UNIT_ASSERT_TEXT(path_join(arena, (dir), (name)), (expected));                               \
		arena_free(arena);                                                                           \
	} while (0)

#define LEADS(from, to, expected)                                                                            \
	do {                                                                                                 \
		arena = arena_new();                                                                         \
		UNIT_ASSERT_TEXT(path_relative(arena, (from), (to)), (expected));                            \
		arena_free(arena);                                                                           \
	} while (0)

static void path_joins_a_name_to_its_directory(void)
{
	JOINS("a/b", "c.so", "a/b/c.so");
	JOINS("", "c.so", "c.so");
	JOINS("a/b", "", "a/b");
	JOINS("", "", "");
}

static void path_resolves_dots_lexically(void)
{
	JOINS("a/b", "../c", "a/c");
	JOINS("a/b", "./c//d/.", "a/b/c/d");
	JOINS("a/b", "../..", "");
	JOINS("a/../b", "c", "b/c");
	JOINS("a", "..c/...", "a/..c/...");
}

static void path_refuses_to_climb_out_of_the_root(void)
{
	JOINS("a/b", "../../..", NULL);
	JOINS("", "..", NULL);
	JOINS("a", "../../a/b", NULL);
	JOINS("a", "/usr/lib", NULL);
}

static void path_names_the_directory_of_a_path(void)
{
	arena = arena_new();
	UNIT_ASSERT_TEXT(path_dir(arena, "a/b/c.so"), "a/b");
	UNIT_ASSERT_TEXT(path_dir(arena, "c.so"), "");
	arena_free(arena);
}

static void path_leads_from_one_directory_to_another(void)
{
	LEADS("a/b", "a/c", "../c");
	LEADS("a/b", "a/b", ".");
	LEADS("", "", ".");
	LEADS("", "numpy.libs", "numpy.libs");
	LEADS("a/b", "", "../..");
	LEADS("a", "a/b/c", "b/c");
	LEADS("a/b/c", "a", "../..");
	LEADS("scipy/linalg", "scipy.libs", "../../scipy.libs");
	LEADS("abc", "ab", "../ab");
}

#define COMPILED_FROM(path, expected)                                                                        \
	do {                                                                                                 \
		arena = arena_new();                                                                         \
		UNIT_ASSERT_TEXT(path_of_source(arena, (path)), (expected));                                 \
		arena_free(arena);                                                                           \
	} while (0)

static void path_of_the_source_of_bytecode(void)
{
	COMPILED_FROM("a/__pycache__/b.cpython-312.pyc", "a/b.py");
	COMPILED_FROM("a/__pycache__/b.cpython-312.opt-1.pyc", "a/b.py");
	COMPILED_FROM("__pycache__/b.pypy39.pyc", "b.py");
	COMPILED_FROM("a/b/__pycache__/__init__.cpython-36.pyc", "a/b/__init__.py");
	COMPILED_FROM("a/__pycache__/b.pyc", "a/b.py");
	COMPILED_FROM("a/__pycache__/b", "a/b.py");
}

static void path_of_no_source(void)
{
	COMPILED_FROM("a/b.pyc", NULL);
	COMPILED_FROM("b.pyc", NULL);
	COMPILED_FROM("a/__pycache__/c/b.pyc", NULL);
	COMPILED_FROM("pycache__/b.pyc", NULL);
	COMPILED_FROM("a/__pycache__", NULL);
}

/* "my__pycache__" is a directory like any other. */
static void path_of_a_directory_that_ends_like_a_cache(void)
{
	COMPILED_FROM("a/my__pycache__/b.cpython-312.pyc", NULL);
	COMPILED_FROM("my__pycache__/b.cpython-312.pyc", NULL);
}

void suite_path(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(path_joins_a_name_to_its_directory),
		UNIT_TEST(path_resolves_dots_lexically),
		UNIT_TEST(path_refuses_to_climb_out_of_the_root),
		UNIT_TEST(path_names_the_directory_of_a_path),
		UNIT_TEST(path_leads_from_one_directory_to_another),
		UNIT_TEST(path_of_the_source_of_bytecode),
		UNIT_TEST(path_of_no_source),
		UNIT_TEST(path_of_a_directory_that_ends_like_a_cache),
	};

	unit_suite("path", tests, sizeof tests / sizeof *tests);
}
