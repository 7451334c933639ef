/* Unit tests of record_edit. The digest of the empty string is known by heart. */
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
	};

	unit_suite("record", tests, sizeof tests / sizeof *tests);
}
