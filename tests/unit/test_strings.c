/* Unit tests of the accounting of .dynstr (src/image/strings.c). */
#include "suites.h"

#include <string.h>

#include "build_object.h"
#include "image/image.h"

/* "\0printf\0libc.so.6\0XXXXXXXX\0" with the middle name in use, as "so.6" too. */
static struct strings strings;

static void begin(size_t room)
{
	static const char table[] = "\0printf\0libc.so.6\0XXXXXXXX";

	strings = (struct strings){.arena = object_arena(), .size = sizeof table, .room = room};
	strings.bytes = arena_memdup(object_arena(), table, sizeof table);
	strings.used = arena_alloc(object_arena(), sizeof table + 1);
	memset(strings.used, 1, 18);
}

static void strings_share_a_name_that_is_there(void)
{
	begin(0);
	CU_ASSERT_EQUAL(strings_place(&strings, "printf"), 1);
	CU_ASSERT_EQUAL(strings_place(&strings, "so.6"), 13);
	CU_ASSERT_EQUAL(strings_place(&strings, ""), 0);
	CU_ASSERT_EQUAL(strings.size, 27);
	object_forget();
}

static void strings_use_free_bytes_before_they_grow(void)
{
	begin(0);
	CU_ASSERT_EQUAL(strings_place(&strings, "libq.so"), 18);
	UNIT_ASSERT_TEXT((const char *)strings.bytes + 18, "libq.so");
	UNIT_ASSERT_TEXT((const char *)strings.bytes + 8, "libc.so.6");
	CU_ASSERT_FALSE(strings.moves);
	/* What has been placed is in use: nothing may go over it. */
	CU_ASSERT_EQUAL(strings_place(&strings, "libr.so"), 27);
	CU_ASSERT(strings.moves);
	object_forget();
}

static void strings_grow_into_room_before_they_move(void)
{
	begin(20);
	CU_ASSERT_EQUAL(strings_place(&strings, "liblonger.so.1"), 27);
	CU_ASSERT_FALSE(strings.moves);
	CU_ASSERT_EQUAL(strings.room, 5);
	CU_ASSERT_EQUAL(strings_place(&strings, "liblongest.so.1"), 42);
	CU_ASSERT(strings.moves);
	UNIT_ASSERT_TEXT((const char *)strings.bytes + 27, "liblonger.so.1");
	object_forget();
}

static void strings_take_the_smallest_free_run(void)
{
	begin(0);
	strings.used[1] = strings.used[2] = strings.used[3] = strings.used[4] = 0;
	CU_ASSERT_EQUAL(strings_place(&strings, "abc"), 1);
	object_forget();
}

/* A SONAME that a version definition shares is not overwritten. */
static void strings_that_somebody_else_uses_stay(void)
{
	static const struct image_edits edits = {.soname = "liby", .compact = true, .page = 4096};
	static const char map[] = "libx.so { global: answer; };";
	struct elf elf, new;

	object_file("shared.map", (struct span){(const uint8_t *)map, strlen(map)});
	elf = object_compile("-Wl,-soname,libx.so -Wl,--version-script=DIR/shared.map",
			     "int answer(void) { return 42; }");
	new = object_edit(elf.bytes, &edits);
	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT_PTR_NOT_NULL(memmem(new.p, new.bytes.n, "libx.so", 8));
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

void suite_strings(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(strings_share_a_name_that_is_there),
		UNIT_TEST(strings_use_free_bytes_before_they_grow),
		UNIT_TEST(strings_grow_into_room_before_they_move),
		UNIT_TEST(strings_take_the_smallest_free_run),
		UNIT_TEST(strings_that_somebody_else_uses_stay),
	};

	unit_suite("strings", tests, sizeof tests / sizeof *tests);
}
