/* Unit tests of record_edit and record_add. The digest of the empty string is known by heart. */
#include "suites.h"

#include <string.h>

#include "layer/record.h"
#include "scan/digest.h"

#define EMPTY_HASH "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

static struct record_change changes[] = {
	{.path = "lib/gone.so", .deleted = true},
	{.path = "lib/odd, \"name\".so", .size = 7},
	{.path = "lib/pkg/a.so", .size = 1234567890123},
};

/* Edits text with the changes above, base "lib". */
static void edits_to(const char *text, const char *expected)
{
	struct arena *arena = arena_new();
	struct span before = {(const uint8_t *)text, strlen(text)}, after;

	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		digest_sha256((struct span){NULL, 0}, changes[i].sha256);
	after = record_edit(arena, before, "lib", changes, sizeof changes / sizeof *changes);
	UNIT_ASSERT_TEXT(after.n ? arena_strndup(arena, (const char *)after.p, after.n) : "", expected);
	CU_ASSERT((after.p == before.p) == !strcmp(text, expected));
	arena_free(arena);
}

static void record_gives_changed_files_their_new_hash_and_size(void)
{
	edits_to("a.py,sha256=x,1\npkg/a.so,sha256=old,99\nRECORD,,\n",
		 "a.py,sha256=x,1\npkg/a.so," EMPTY_HASH ",1234567890123\nRECORD,,\n");
}

static void record_drops_the_rows_of_deleted_files(void)
{
	edits_to("gone.so,sha256=x,1\na.py,,\n", "a.py,,\n");
	edits_to("a.py,,\ngone.so,,", "a.py,,\n");
	edits_to("a.py,,\n\"gone.so\",sha256=x,1\nb.py,,\n", "a.py,,\nb.py,,\n");
}

static void record_keeps_line_endings(void)
{
	edits_to("x,,\r\npkg/a.so,sha256=o,9\r\ny,,\r\n",
		 "x,,\r\npkg/a.so," EMPTY_HASH ",1234567890123\r\ny,,\r\n");
	edits_to("pkg/a.so,sha256=o,9", "pkg/a.so," EMPTY_HASH ",1234567890123");
	edits_to("x,,\rgone.so,,\ry,,\n", "x,,\ry,,\n");
}

static void record_leaves_rows_without_a_hash(void)
{
	edits_to("pkg/a.so,,\n", "pkg/a.so,,\n");
	edits_to("pkg/a.so\n", "pkg/a.so\n");
	edits_to("pkg/a.so,,12\n", "pkg/a.so,,12\n");
}

static void record_reads_quoted_fields_as_python_does(void)
{
	edits_to("\"odd, \"\"name\"\".so\",\"sha256=o\",9\n",
		 "\"odd, \"\"name\"\".so\",\"" EMPTY_HASH "\",7\n");
	/* A quote inside an unquoted field is a quote; what follows a closing quote belongs to the field. */
	edits_to("go\"ne.so,,\n", "go\"ne.so,,\n");
	edits_to("\"go\"ne.so,,\n", "");
	/* A line end inside quotes ends no row. */
	edits_to("\"a\ngone.so\",,\n", "\"a\ngone.so\",,\n");
	edits_to("\"never closed, gone.so\n", "\"never closed, gone.so\n");
}

static void record_resolves_paths_against_its_base(void)
{
	edits_to("../lib/gone.so,,\n./pkg/../gone.so,,\n", "");
	edits_to("../gone.so,,\n../../../lib/gone.so,,\n/lib/gone.so,,\n",
		 "../gone.so,,\n../../../lib/gone.so,,\n/lib/gone.so,,\n");
}

static void record_keeps_what_it_does_not_know(void)
{
	edits_to("", "");
	edits_to("\n,,\n\r\n,\n", "\n,,\n\r\n,\n");
	edits_to("pkg/a.so,sha256=o,9,more,\"x\"\n", "pkg/a.so," EMPTY_HASH ",1234567890123,more,\"x\"\n");
	edits_to("pkg/a.so,sha256=o\n", "pkg/a.so," EMPTY_HASH "\n");
}

/* Adds a row for a file of 7 bytes. */
static void adds_to(const char *text, const char *base, const char *path, const char *expected)
{
	struct arena *arena = arena_new();
	struct record_change change = {.path = path, .added = true, .size = 7};
	struct span before = {(const uint8_t *)text, strlen(text)}, after;

	digest_sha256((struct span){NULL, 0}, change.sha256);
	after = record_edit(arena, before, base, &change, 1);
	after = record_add(arena, after, base, &change);
	UNIT_ASSERT_TEXT(arena_strndup(arena, (const char *)after.p, after.n), expected);
	arena_free(arena);
}

#define NEW_ROW(path, end) path "," EMPTY_HASH ",7" end

static void record_gets_a_row_for_a_new_file(void)
{
	adds_to("a.py,,\nRECORD,,\n", "", "lib/x.so", "a.py,,\nRECORD,,\n" NEW_ROW("lib/x.so", "\n"));
	adds_to("a.py,,\r\n", "", "lib/x.so", "a.py,,\r\n" NEW_ROW("lib/x.so", "\r\n"));
}

static void record_gets_a_row_behind_one_without_an_end(void)
{
	adds_to("a.py,,", "", "x.so", "a.py,,\n" NEW_ROW("x.so", "\n"));
	adds_to("a.py,,\r\nb.py,,", "", "x.so", "a.py,,\r\nb.py,,\r\n" NEW_ROW("x.so", "\r\n"));
	adds_to("", "", "x.so", NEW_ROW("x.so", "\n"));
}

static void record_quotes_the_path_of_a_new_file(void)
{
	adds_to("", "", "odd, \"name\".so", NEW_ROW("\"odd, \"\"name\"\".so\"", "\n"));
	adds_to("", "", "two\nlines.so", NEW_ROW("\"two\nlines.so\"", "\n"));
}

static void record_names_a_new_file_from_its_base(void)
{
	adds_to("", "lib/site", "lib/site/pkg.libs/x.so", NEW_ROW("pkg.libs/x.so", "\n"));
	adds_to("", "lib/site", "lib/site/x.so", NEW_ROW("x.so", "\n"));
	adds_to("", "lib/site", "lib/site.libs/x.so", NEW_ROW("../site.libs/x.so", "\n"));
	adds_to("", "lib/site", "x.so", NEW_ROW("../../x.so", "\n"));
}

static void record_has_one_row_for_a_new_file(void)
{
	adds_to("x.so,sha256=old,3\ny.so,,\n", "", "x.so", "y.so,,\n" NEW_ROW("x.so", "\n"));
}

void suite_record(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(record_gives_changed_files_their_new_hash_and_size),
		UNIT_TEST(record_drops_the_rows_of_deleted_files),
		UNIT_TEST(record_keeps_line_endings),
		UNIT_TEST(record_leaves_rows_without_a_hash),
		UNIT_TEST(record_reads_quoted_fields_as_python_does),
		UNIT_TEST(record_resolves_paths_against_its_base),
		UNIT_TEST(record_keeps_what_it_does_not_know),
		UNIT_TEST(record_gets_a_row_for_a_new_file),
		UNIT_TEST(record_gets_a_row_behind_one_without_an_end),
		UNIT_TEST(record_quotes_the_path_of_a_new_file),
		UNIT_TEST(record_names_a_new_file_from_its_base),
		UNIT_TEST(record_has_one_row_for_a_new_file),
	};

	unit_suite("record", tests, sizeof tests / sizeof *tests);
}
