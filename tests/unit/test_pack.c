/* Unit tests of zip headers and of what a zip may hold (src/pack). */
#include "suites.h"

#include <stdio.h>
#include <string.h>

#include "pack/pack.h"

static struct arena *arena; /* of all tests; the last one frees it */
static char text[1024];

/* Hexadecimal, so that a header can be compared with the specification. */
static const char *hex(struct span bytes)
{
	size_t i;

	*text = 0;
	for (i = 0; i < bytes.n && 2 * i + 2 < sizeof text; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes.p[i]);
	return text;
}

static struct pack_entry entry(const char *name, uint64_t size, uint64_t packed_size, uint64_t offset)
{
	return (struct pack_entry){
		.name = name,
		.path = name,
		.mode = S_IFREG | 0644,
		.mtime = 315532800 + 3661, /* 1980-01-01 01:01:01 */
		.size = size,
		.packed_size = packed_size,
		.offset = offset,
		.crc = 0x12345678,
		.deflated = true,
	};
}

static void dos_time_is_utc_even_seconds_and_clamped(void)
{
	CU_ASSERT_EQUAL(zip_time(315532800), 0x00210000);
	CU_ASSERT_EQUAL(zip_time(315532801), 0x00210000);
	CU_ASSERT_EQUAL(zip_time(315532802), 0x00210001);
	CU_ASSERT_EQUAL(zip_time(0), 0x00210000);
	CU_ASSERT_EQUAL(zip_time(INT64_MIN), 0x00210000);
	/* 2024-02-29 23:59:59 */
	CU_ASSERT_EQUAL(zip_time(1709251199), (44u << 9 | 2u << 5 | 29u) << 16 | 23u << 11 | 59u << 5 | 29u);
	/* 2107-12-31 23:59:58 and all that comes after */
	CU_ASSERT_EQUAL(zip_time(4354819198), 0xff9fbf7d);
	CU_ASSERT_EQUAL(zip_time(4354819200), 0xff9fbf7d);
	CU_ASSERT_EQUAL(zip_time(INT64_MAX), 0xff9fbf7d);
}

static void local_header_has_sizes_and_time(void)
{
	struct pack_entry small = entry("a", 0x30, 0x20, 7);

	UNIT_ASSERT_TEXT(hex(zip_local(arena, &small)), "504b0304"
							"1400"		       /* version 2.0 */
							"0000"		       /* flags */
							"0800"		       /* deflate */
							"20082100"	       /* 01:01:00, 1980-01-01 */
							"78563412"	       /* CRC */
							"20000000"	       /* packed */
							"30000000"	       /* size */
							"01000900"	       /* lengths */
							"61"		       /* name */
							"55540500014db4ce12"); /* whole second */
}

static void central_header_has_mode_and_offset(void)
{
	struct pack_entry small = entry("a", 0x30, 0x20, 7);

	UNIT_ASSERT_TEXT(hex(zip_central(arena, &small)), "504b0102"
							  "2d03" /* Unix, 4.5 */
							  "1400000008002008210078563412"
							  "2000000030000000"
							  "010009000000" /* no comment */
							  "00000000"	 /* disk, internal */
							  "0000a481"	 /* 0100644 */
							  "07000000"	 /* offset */
							  "61"
							  "55540500014db4ce12");
}

static void stored_entry_needs_less(void)
{
	struct pack_entry stored = entry("a", 3, 3, 0), directory = entry("d/", 0, 0, 0);
	struct span local;

	stored.deflated = directory.deflated = false;
	local = zip_local(arena, &stored);
	CU_ASSERT_EQUAL(local.p[4], 10);
	CU_ASSERT_EQUAL(local.p[8], 0);
	directory.mode = S_IFDIR | 0755;
	CU_ASSERT_EQUAL(zip_local(arena, &directory).p[4], 20);
	/* Attributes: drwxr-xr-x, and the directory of MS-DOS. */
	CU_ASSERT_EQUAL(memcmp(zip_central(arena, &directory).p + 38, "\x10\x00\xed\x41", 4), 0);
}

static void name_that_is_not_ascii_sets_the_flag(void)
{
	struct pack_entry umlaut = entry("\xc3\xa4", 3, 3, 0), plain = entry("a", 3, 3, 0);

	CU_ASSERT_EQUAL(zip_local(arena, &umlaut).p[7], 8);
	CU_ASSERT_EQUAL(zip_central(arena, &umlaut).p[9], 8);
	CU_ASSERT_EQUAL(zip_local(arena, &plain).p[7], 0);
}

static void time_before_1970_has_no_extra_field(void)
{
	struct pack_entry old = entry("a", 3, 3, 0);

	old.mtime = -1;
	CU_ASSERT_EQUAL(zip_local(arena, &old).n, 31);
	old.mtime = INT32_MAX;
	CU_ASSERT_EQUAL(zip_local(arena, &old).n, 40);
	old.mtime++;
	CU_ASSERT_EQUAL(zip_local(arena, &old).n, 31);
}

/* The extra fields of a header whose fixed part is that long, name "a". */
static const char *extra(struct span header, size_t fixed)
{
	return hex((struct span){header.p + fixed + 1, header.n - fixed - 1});
}

static void local_zip64_has_both_sizes(void)
{
	struct pack_entry big = entry("a", 0xffffffff, 0x20, 0x123456789a);
	struct span local;

	big.mtime = -1;
	local = zip_local(arena, &big);
	CU_ASSERT_EQUAL(local.p[4], 45);
	CU_ASSERT_EQUAL(memcmp(local.p + 18, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), 0);
	UNIT_ASSERT_TEXT(extra(local, 30), "01001000"
					   "ffffffff00000000"
					   "2000000000000000");
	/* The largest size that needs none. An offset is not in a local header. */
	big.size--;
	local = zip_local(arena, &big);
	CU_ASSERT_EQUAL(local.n, 31);
	CU_ASSERT_EQUAL(local.p[4], 20);
}

static void central_zip64_has_what_does_not_fit(void)
{
	struct pack_entry big = entry("a", 0x100000000, 0x20, 0x123456789a);
	struct span central;

	big.mtime = -1;
	central = zip_central(arena, &big);
	CU_ASSERT_EQUAL(central.p[6], 45);
	CU_ASSERT_EQUAL(memcmp(central.p + 20, "\x20\x00\x00\x00\xff\xff\xff\xff", 8), 0);
	CU_ASSERT_EQUAL(memcmp(central.p + 42, "\xff\xff\xff\xff", 4), 0);
	UNIT_ASSERT_TEXT(extra(central, 46), "01001000"
					     "0000000001000000"
					     "9a78563412000000");
	big.packed_size = 0xffffffff;
	UNIT_ASSERT_TEXT(extra(zip_central(arena, &big), 46), "01001800"
							      "0000000001000000"
							      "ffffffff00000000"
							      "9a78563412000000");
	big = entry("a", 0x30, 0x20, 0xffffffff);
	big.mtime = -1;
	UNIT_ASSERT_TEXT(extra(zip_central(arena, &big), 46), "01000800"
							      "ffffffff00000000");
}

static void end_is_plain_where_all_fits(void)
{
	UNIT_ASSERT_TEXT(hex(zip_end(arena, 0, 0, 0)), "504b0506000000000000000000000000000000000000");
	UNIT_ASSERT_TEXT(hex(zip_end(arena, 65534, 0xfffffffe, 0xfffffffe)),
			 "504b050600000000fefffefffefffffffeffffff0000");
}

static void end_has_zip64_where_something_does_not_fit(void)
{
	UNIT_ASSERT_TEXT(hex(zip_end(arena, 65535, 0x10, 0x20)), "504b0606"
								 "2c00000000000000"
								 "2d032d00"
								 "0000000000000000"
								 "ffff000000000000"
								 "ffff000000000000"
								 "1000000000000000"
								 "2000000000000000"
								 "504b0607"
								 "00000000"
								 "3000000000000000"
								 "01000000"
								 "504b0506"
								 "00000000"
								 "ffffffff"
								 "1000000020000000"
								 "0000");
	CU_ASSERT_EQUAL(zip_end(arena, 1, 0x10, 0xffffffff).n, 98);
	CU_ASSERT_EQUAL(zip_end(arena, 1, 0xffffffff, 0x10).n, 98);
}

static void utf8_is_told_from_other_bytes(void)
{
	static const char *const good[] = {
		"", "a b\n", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80",
					  "\xc3",
					  "\xc0\x80",
					  "\xe0\x80\x80",
					  "\xed\xa0\x80",
					  "\xe4\xbd",
					  "\xf4\x90\x80\x80",
					  "\xff",
					  "\xf0\x8f\xbf\xbf",
					  "a\344b"};
	size_t i;

	for (i = 0; i < sizeof good / sizeof *good; i++)
		CU_ASSERT(name_is_utf8(good[i]));
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_FALSE(name_is_utf8(bad[i]));
}

static const char *prefix(const char *given)
{
	struct error err = {0};
	const char *normal;

	return pack_prefix(arena, given, &normal, &err) ? err.message[0] ? "refused" : "?" : normal;
}

static void prefix_is_normalised(void)
{
	UNIT_ASSERT_TEXT(prefix(""), "");
	UNIT_ASSERT_TEXT(prefix("."), "");
	UNIT_ASSERT_TEXT(prefix("./"), "");
	UNIT_ASSERT_TEXT(prefix("python"), "python/");
	UNIT_ASSERT_TEXT(prefix("./python//lib/./x/"), "python/lib/x/");
	UNIT_ASSERT_TEXT(prefix("..x/y.."), "..x/y../");
	UNIT_ASSERT_TEXT(prefix("/python"), "refused");
	UNIT_ASSERT_TEXT(prefix("a/../b"), "refused");
	UNIT_ASSERT_TEXT(prefix(".."), "refused");
	UNIT_ASSERT_TEXT(prefix("\xff"), "refused");
}

/* A tree of "name -> target" pairs, sorted; below a prefix, as in a zip. */
static bool stays(const char *const (*links)[2], size_t nr, const char *path)
{
	struct packed packed = {.arena = arena};
	const struct pack_entry *found = NULL;
	size_t i;

	packed.entries = arena_array(arena, nr, sizeof *packed.entries);
	packed.nr_entries = nr;
	for (i = 0; i < nr; i++) {
		struct pack_entry *link = &packed.entries[i];

		*link = entry(arena_printf(arena, "p/%s", links[i][0]), 0, 0, 0);
		link->path = links[i][0];
		link->target = links[i][1];
		if (!strcmp(path, link->path))
			found = link;
	}
	return link_stays(&packed, found);
}

static void links_are_followed_inside_the_tree(void)
{
	static const char *const links[][2] = {
		{"a/b/deep", "../.."},	 {"a/b/out", "deep/../x"},
		{"a/b/stays", "deep/x"}, {"absolute", "/usr"},
		{"dangling", "no/such"}, {"loop", "loop"},
		{"next", "absolute/x"},	 {"self", "."},
		{"up", "a/../.."},	 {"up-and-back", "../tree/x"},
	};
	const size_t nr = sizeof links / sizeof *links;

	CU_ASSERT(stays(links, nr, "a/b/deep"));
	CU_ASSERT_FALSE(stays(links, nr, "a/b/out"));
	CU_ASSERT(stays(links, nr, "a/b/stays"));
	CU_ASSERT_FALSE(stays(links, nr, "absolute"));
	CU_ASSERT(stays(links, nr, "dangling"));
	CU_ASSERT(stays(links, nr, "loop"));
	CU_ASSERT_FALSE(stays(links, nr, "next"));
	CU_ASSERT(stays(links, nr, "self"));
	CU_ASSERT_FALSE(stays(links, nr, "up"));
	CU_ASSERT_FALSE(stays(links, nr, "up-and-back"));
}

/* "a-b" comes before the empty directory "a/", though "a" comes before "a-b". */
static void links_are_found_beside_directories(void)
{
	struct pack_entry entries[] = {entry("a-b", 0, 0, 0), entry("a/", 0, 0, 0), entry("c", 0, 0, 0)};
	struct packed packed = {.entries = entries, .nr_entries = 3};

	entries[0].target = "/out";
	entries[1].mode = S_IFDIR | 0755;
	entries[1].path = "a";
	entries[2].target = "a-b";
	CU_ASSERT_FALSE(link_stays(&packed, &entries[2]));
}

static void nothing_is_left(void)
{
	arena_free(arena);
	arena = NULL;
}

void suite_pack(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(dos_time_is_utc_even_seconds_and_clamped),
		UNIT_TEST(local_header_has_sizes_and_time),
		UNIT_TEST(central_header_has_mode_and_offset),
		UNIT_TEST(stored_entry_needs_less),
		UNIT_TEST(name_that_is_not_ascii_sets_the_flag),
		UNIT_TEST(time_before_1970_has_no_extra_field),
		UNIT_TEST(local_zip64_has_both_sizes),
		UNIT_TEST(central_zip64_has_what_does_not_fit),
		UNIT_TEST(end_is_plain_where_all_fits),
		UNIT_TEST(end_has_zip64_where_something_does_not_fit),
		UNIT_TEST(utf8_is_told_from_other_bytes),
		UNIT_TEST(prefix_is_normalised),
		UNIT_TEST(links_are_followed_inside_the_tree),
		UNIT_TEST(links_are_found_beside_directories),
		UNIT_TEST(nothing_is_left),
	};

	arena = arena_new();
	unit_suite("pack", tests, sizeof tests / sizeof *tests);
}
