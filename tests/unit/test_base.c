/* Unit tests of src/base and of span.h: what everything else stands on. */
#include "suites.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "sofold/arena.h"
#include "sofold/error.h"
#include "sofold/pool.h"
#include "sofold/size.h"
#include "sofold/span.h"
#include "sofold/texts.h"
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

/* Pieces on both sides of every border between kinds of blocks, each piece written to,
 * in arenas that come and go on several threads. */
static void fill_an_arena(void *context, size_t item, unsigned worker)
{
	struct arena *arena = arena_new();
	atomic_uint *dirty = context;
	uint8_t *pieces[40];
	size_t i, n;

	(void)worker;
	for (i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		n = (item + i) % 6 * (128u << 10) + 200 * i + 1;
		pieces[i] = arena_alloc(arena, n);
		if (!all_zero(pieces[i], n))
			atomic_fetch_add(dirty, 1);
		memset(pieces[i], (int)i + 1, n);
	}
	for (i = 0; i < sizeof pieces / sizeof *pieces; i++)
		if (*pieces[i] != i + 1) /* another piece lies over it */
			atomic_fetch_add(dirty, 1);
	arena_free(arena);
}

static void arenas_share_memory_between_threads(void)
{
	atomic_uint dirty = 0;

	pool_run(60, 4, fill_an_arena, &dirty);
	CU_ASSERT_EQUAL(atomic_load(&dirty), 0);
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

static void texts_are_sorted_united_and_found(void)
{
	const char *texts[] = {"b", "", "a", "b", "ab", "a"};
	size_t nr = texts_unite(texts, 6);

	CU_ASSERT_EQUAL_FATAL(nr, 4);
	UNIT_ASSERT_TEXT(texts[0], "");
	UNIT_ASSERT_TEXT(texts[1], "a");
	UNIT_ASSERT_TEXT(texts[2], "ab");
	UNIT_ASSERT_TEXT(texts[3], "b");
	CU_ASSERT(texts_hold(texts, nr, "ab") && texts_hold(texts, nr, "") && !texts_hold(texts, nr, "abc"));
	CU_ASSERT(!texts_hold(NULL, 0, "a"));
	CU_ASSERT_EQUAL(texts_unite(NULL, 0), 0);
}

static void sizes_are_told_in_decimal_units(void)
{
	char text[SIZE_TEXT];

	UNIT_ASSERT_TEXT(size_text(text, 0), "0 B");
	UNIT_ASSERT_TEXT(size_text(text, 999), "999 B");
	UNIT_ASSERT_TEXT(size_text(text, 1000), "1.0 kB");
	UNIT_ASSERT_TEXT(size_text(text, 262144000), "262.14 MB");
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

struct placing {
	cpu_set_t all;
	atomic_uint elsewhere, workers[4];
};

/* Workers wait for each other, so that each of them has to be there. */
static void look_where(void *context, size_t item, unsigned worker)
{
	struct placing *placing = context;
	const struct timespec moment = {.tv_nsec = 1000000};
	unsigned other, moments = 0;
	cpu_set_t own;

	(void)item;
	atomic_fetch_add(&placing->workers[worker], 1);
	for (other = 0; other < 4; other++)
		while (!atomic_load(&placing->workers[other]) && moments++ < 5000)
			nanosleep(&moment, NULL);
	if (sched_getaffinity(0, sizeof own, &own) || !CPU_EQUAL(&own, &placing->all))
		atomic_fetch_add(&placing->elsewhere, 1);
}

/* A processor is named for a thread's first step only; and there may be but one. */
static void pool_workers_may_run_where_the_caller_may(void)
{
	struct placing placing = {.elsewhere = 0};
	cpu_set_t before, one;

	CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof before, &before), 0);
	placing.all = before;
	pool_run(4, 4, look_where, &placing);
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(atomic_load(&placing.workers[i]), 1);
	CU_ASSERT_EQUAL(atomic_load(&placing.elsewhere), 0);

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	CU_ASSERT_EQUAL_FATAL(sched_setaffinity(0, sizeof one, &one), 0);
	placing = (struct placing){.all = one};
	pool_run(4, 4, look_where, &placing);
	CU_ASSERT_EQUAL(atomic_load(&placing.elsewhere), 0);
	sched_setaffinity(0, sizeof before, &before);
}

static void set_flag(void *context)
{
	atomic_store((atomic_bool *)context, true);
}

static void pool_does_one_thing_beside_the_caller(void)
{
	struct pool_aside aside = {0};
	atomic_bool done = false;

	pool_end_aside(&aside);
	pool_begin_aside(&aside, set_flag, &done);
	pool_end_aside(&aside);
	CU_ASSERT(atomic_load(&done));
	pool_end_aside(&aside);
}

void suite_base(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(arena_gives_zeroed_aligned_memory_of_any_size),
		UNIT_TEST(arena_reset_gives_its_memory_out_again),
		UNIT_TEST(arenas_share_memory_between_threads),
		UNIT_TEST(arena_keeps_what_it_has_absorbed),
		UNIT_TEST(vectors_grow_and_keep_their_elements),
		UNIT_TEST(spans_give_only_what_is_inside),
		UNIT_TEST(errors_are_joined_and_cut),
		UNIT_TEST(texts_are_sorted_united_and_found),
		UNIT_TEST(sizes_are_told_in_decimal_units),
		UNIT_TEST(pool_does_every_item_once),
		UNIT_TEST(pool_workers_may_run_where_the_caller_may),
		UNIT_TEST(pool_does_one_thing_beside_the_caller),
	};

	unit_suite("base", tests, sizeof tests / sizeof *tests);
}
