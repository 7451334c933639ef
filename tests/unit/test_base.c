/* Unit tests of src/base and of span.h: what everything else stands on. */
#include "suites.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "sofold/arena.h"
#include "sofold/error.h"
#include "sofold/pool.h"
#include "sofold/span.h"
#include "sofold/vec.h"

static void arena_gives_zeroed_aligned_memory_of_any_size(void)
{
	struct arena *arena = arena_new();

	for (size_t n = 0; n < 100000; n = n * 3 + 1) {
		uint8_t *p = arena_alloc(arena, n);

		CU_ASSERT_EQUAL((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			if (p[i])
				CU_FAIL("not zeroed");
		memset(p, 0xff, n);
	}
	arena_free(arena);
	arena_free(NULL);
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n && !*p)
		p++, n--;
	return !n;
}

/* Small, large and huge pieces, each written to: what comes back after a reset
 * is zeroed again, and taken from the same memory. */
static void arena_reset_gives_its_memory_out_again(void)
{
	static const size_t sizes[] = {100, 40000, 5u << 20};
	struct arena *arena = arena_new();
	uint8_t *first[3], *p;
	size_t i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 3; i++) {
			p = arena_alloc(arena, sizes[i]);
			CU_ASSERT(all_zero(p, sizes[i]));
			memset(p, 0xff, sizes[i]);
			if (!round)
				first[i] = p;
			else
				CU_ASSERT_PTR_EQUAL(p, first[i]);
		}
		arena_reset(arena);
	}
	arena_free(arena);
}

static void arena_keeps_what_it_has_absorbed(void)
{
	struct arena *arena = arena_new(), *other = arena_new();
	char *text = arena_printf(other, "%s-%d", "kept", 7);

	arena_absorb(arena, other);
	for (int i = 0; i < 1000; i++)
		memset(arena_alloc(arena, 100), 0xff, 100);
	UNIT_ASSERT_TEXT(text, "kept-7");
	UNIT_ASSERT_TEXT(arena_strndup(arena, "abcdef", 3), "abc");
	arena_free(arena);
}

static void vectors_grow_and_keep_their_elements(void)
{
	struct arena *arena = arena_new();
	struct {
		int *items;
		size_t nr_items, alloc_items;
	} list = {0};

	for (int i = 0; i < 1000; i++)
		*VEC_PUSH(arena, &list, items) = i;
	CU_ASSERT_EQUAL(list.nr_items, 1000);
	for (int i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(list.items[i], i);
	arena_free(arena);
}

static void spans_give_only_what_is_inside(void)
{
	struct span s = {(const uint8_t *)"abc\0de", 6}, part;
	char two[2];

	CU_ASSERT(span_sub(s, 6, 0, &part) && !part.n);
	CU_ASSERT_FALSE(span_sub(s, 7, 0, &part));
	CU_ASSERT_FALSE(span_sub(s, 1, UINT64_MAX, &part));
	CU_ASSERT_FALSE(span_sub(s, UINT64_MAX, 2, &part));
	CU_ASSERT(span_read(s, 4, two, 2) && two[0] == 'd' && two[1] == 'e');
	CU_ASSERT_FALSE(span_read(s, 5, two, 2));
	UNIT_ASSERT_TEXT(span_string(s, 1), "bc");
	UNIT_ASSERT_TEXT(span_string(s, 4), NULL); /* does not end */
	UNIT_ASSERT_TEXT(span_string(s, 6), NULL);
	CU_ASSERT(span_equal((struct span){NULL, 0}, (struct span){(const uint8_t *)"x", 0}));
	CU_ASSERT_FALSE(span_equal(s, (struct span){s.p, 5}));
}

static void errors_are_joined_and_cut(void)
{
	struct error err = {""};

	CU_ASSERT_EQUAL(error_add(&err, ERROR_RUN, "reading %s", "a"), ERROR_RUN);
	errno = ENOENT;
	CU_ASSERT_EQUAL(error_errno(&err, "opening %s", "b"), ERROR_RUN);
	UNIT_ASSERT_TEXT(err.message, "reading a; opening b: No such file or directory");
	for (int i = 0; i < 100; i++)
		error_add(&err, ERROR_RUN, "and another long message, number %d", i);
	CU_ASSERT(strlen(err.message) < sizeof err.message);
}

struct counting {
	unsigned times[1000];
	unsigned workers;
};

static void count(void *context, size_t item, unsigned worker)
{
	struct counting *counting = context;

	counting->times[item]++;
	if (worker >= counting->workers)
		counting->times[item] = 99;
}

static void pool_does_every_item_once(void)
{
	static struct counting counting;

	for (unsigned threads = 0; threads < 5; threads++) {
		memset(&counting, 0, sizeof counting);
		counting.workers = pool_workers(1000, threads);
		CU_ASSERT(counting.workers >= 1);
		pool_run(1000, threads, count, &counting);
		for (size_t i = 0; i < 1000; i++)
			CU_ASSERT_EQUAL(counting.times[i], 1);
	}
	pool_run(0, 4, count, NULL);
}

void suite_base(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(arena_gives_zeroed_aligned_memory_of_any_size),
		UNIT_TEST(arena_reset_gives_its_memory_out_again),
		UNIT_TEST(arena_keeps_what_it_has_absorbed),
		UNIT_TEST(vectors_grow_and_keep_their_elements),
		UNIT_TEST(spans_give_only_what_is_inside),
		UNIT_TEST(errors_are_joined_and_cut),
		UNIT_TEST(pool_does_every_item_once),
	};

	unit_suite("base", tests, sizeof tests / sizeof *tests);
}
