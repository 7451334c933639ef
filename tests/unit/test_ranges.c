/* Unit tests of src/image/ranges.c. */
#include "suites.h"

#include "image/image.h"

static struct ranges list;

/* "1-3 5-9" of the list, which is then freed. */
static void expect(const char *text)
{
	char *said = arena_strdup(list.arena, "");

	for (size_t i = 0; i < list.nr_items; i++)
		said = arena_printf(list.arena, "%s%s%llu-%llu", said, i ? " " : "",
				    (unsigned long long)list.items[i].from,
				    (unsigned long long)list.items[i].to);
	UNIT_ASSERT_TEXT(said, text);
	arena_free(list.arena);
}

static void begin(void)
{
	list = (struct ranges){.arena = arena_new()};
}

static void ranges_are_sorted_and_neighbours_joined(void)
{
	begin();
	ranges_add(&list, 7, 9);
	ranges_add(&list, 1, 3);
	ranges_add(&list, 3, 5);
	ranges_add(&list, 8, 12);
	ranges_add(&list, 2, 3);
	ranges_normalize(&list);
	expect("1-5 7-12");
}

static void ranges_of_no_length_are_dropped(void)
{
	begin();
	ranges_add(&list, 7, 7);
	ranges_add(&list, 9, 4);
	ranges_normalize(&list);
	expect("");
}

static void ranges_are_found_by_the_first_that_ends_behind(void)
{
	begin();
	ranges_add(&list, 10, 20);
	ranges_add(&list, 30, 40);
	ranges_normalize(&list);
	CU_ASSERT_EQUAL(ranges_next(&list, 0)->from, 10);
	CU_ASSERT_EQUAL(ranges_next(&list, 19)->from, 10);
	CU_ASSERT_EQUAL(ranges_next(&list, 20)->from, 30);
	CU_ASSERT_PTR_NULL(ranges_next(&list, 40));
	expect("10-20 30-40");
}

static void ranges_removed_leave_what_is_on_both_sides(void)
{
	begin();
	ranges_add(&list, 10, 20);
	ranges_add(&list, 30, 40);
	ranges_normalize(&list);
	ranges_remove(&list, 15, 35);
	ranges_remove(&list, 11, 12);
	ranges_remove(&list, 100, 200);
	expect("10-11 12-15 35-40");
}

static void ranges_removed_whole_are_gone(void)
{
	begin();
	ranges_add(&list, 10, 20);
	ranges_remove(&list, 0, 100);
	expect("");
}

void suite_ranges(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(ranges_are_sorted_and_neighbours_joined),
		UNIT_TEST(ranges_of_no_length_are_dropped),
		UNIT_TEST(ranges_are_found_by_the_first_that_ends_behind),
		UNIT_TEST(ranges_removed_leave_what_is_on_both_sides),
		UNIT_TEST(ranges_removed_whole_are_gone),
	};

	unit_suite("ranges", tests, sizeof tests / sizeof *tests);
}
