/*
 * Unit tests of src/trim/decode.c: encodings of every class, written as the manuals
 * do, and whole objects that objdump has an opinion of, too.
 */
#include "suites.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "build_object.h"
#include "trim/decode.h"

/* Bytes in hexadecimal, "[…]" around a distance to memory and "(…)" around that of a
 * branch. */
static size_t read_form(const char *form, uint8_t *bytes, struct instruction *expected)
{
	size_t n = 0;

	*expected = (struct instruction){0};
	for (; *form; form++) {
		if (*form == '[' || *form == '(') {
			expected->field = (uint8_t)n;
			expected->is_branch = *form == '(';
		} else if (*form == ']' || *form == ')') {
			expected->width = (uint8_t)(n - expected->field);
		} else if (*form != ' ') {
			bytes[n++] = (uint8_t)strtoul((char[]){form[0], form[1], 0}, NULL, 16);
			form++;
		}
	}
	expected->length = (uint8_t)n;
	return n;
}

/* --------- where reading on would be noticed ------------------ */

static uint8_t *fence; /* nothing may be read from here on */

static void put_up_fence(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages;

	if (fence)
		return;
	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE))
		exit(1);
	fence = pages + page;
}

/* Of n bytes that nothing is behind. */
static bool decode_fenced(const uint8_t *bytes, size_t n, struct instruction *instruction)
{
	put_up_fence();
	memcpy(fence - n, bytes, n);
	return x86_decode(fence - n, n, instruction);
}

/* --------- one instruction ------------------ */

static bool is_instruction(const struct instruction *is, const struct instruction *expected)
{
	return is->length == expected->length && is->width == expected->width &&
	       (!is->width || (is->field == expected->field && is->is_branch == expected->is_branch));
}

static bool decodes(const char *form)
{
	uint8_t bytes[32];
	struct instruction expected, is;
	size_t n = read_form(form, bytes, &expected), i;

	if (!decode_fenced(bytes, n, &is) || !is_instruction(&is, &expected))
		return false;
	for (i = 0; i < n; i++)
		if (decode_fenced(bytes, i, &is))
			return false;
	memset(bytes + n, 0xff, sizeof bytes - n); /* what follows says nothing */
	return x86_decode(bytes, sizeof bytes, &is) && is_instruction(&is, &expected);
}

static void expect_all(const char *const *forms)
{
	for (; *forms; forms++) {
		bool right = decodes(*forms);

		if (!right)
			fprintf(stderr, "\nx86_decode: %s\n", *forms);
		CU_ASSERT(right);
	}
}

static void decode_reads_one_byte_opcodes(void)
{
	static const char *const forms[] = {
		"90", "c3", "cc", "c9", "f4", "99", "a4", "ab", "55", "5d", "9b", "98", /* nothing follows */
		"c2 0800", "c8 100001",						/* ret n, enter */
		"04 01", "3c 7f", "a8 01", "6a 80", "b0 05", "e4 60", "cd 80",	/* imm8 */
		"05 01000000", "3d 01000000", "a9 01000000", "68 00000001",	/* imm32 */
		"66 05 0100", "66 3d 0100", "66 a9 0100", "66 68 0100",		/* imm16 */
		"48 05 01000000", "48 a9 01000000", "66 48 05 01000000",
		"b8 01000000", "bf 01000000", "41 b8 01000000", "66 b8 0100", "66 41 bf 0100", /* mov */
		"48 b8 0102030405060708", "49 bf 0102030405060708",			       /* movabs */
		"66 48 b8 0102030405060708",
		"a0 0102030405060708", "a1 0102030405060708", "48 a3 0102030405060708", /* moffs */
		"66 a1 0102030405060708",
		"01 d8", "48 89 e5", "63 c7", "87 d9", "d1 e0", "d3 f8", "d9 c0", "df e0", /* ModRM */
		"83 c0 01", "80 f9 05", "6b c0 0a", "c0 e0 03", "c1 e0 03", "c6 00 01",	   /* … imm8 */
		"81 c0 01000000", "69 c0 01000000", "c7 00 01000000", "48 c7 c0 ffffffff", /* … imm32 */
		"66 81 c0 0100", "66 69 c0 0100", "66 c7 00 0100", "66 48 81 c0 01000000",
		"f6 c1 01", "f6 c9 01", "f7 c1 01000000", "66 f7 c1 0100", "48 f7 c1 01000000", /* test … */
		"f6 d1", "f6 d9", "f7 d1", "f7 d9", "f7 e1", "f7 e9", "f7 f1", "66 f7 f9",	/* and not */
		"fe c0", "ff c0", "ff d0", "41 ff e2", "8f c0", "8f 00", "8f 44 24 08",
		"f3 a4", "f2 ae", "f0 01 18", "64 48 89 18", "65 8b 00", "2e 90", "3e ff e0", "f3 90",
		NULL,
	};

	expect_all(forms);
}

static void decode_reads_operands(void)
{
	static const char *const forms[] = {
		"8b c1", "8b 00", "8b 40 08", "8b 80 00010000",			     /* register, [rax+…] */
		"8b 04 24", "8b 44 24 08", "8b 84 24 00010000",			     /* by a SIB byte */
		"8b 04 c5 00010000", "8b 04 25 00010000", "8b 44 85 08", "8b 84 85 00010000",
		"41 8b 45 00", "49 8b 04 24", "41 8b 85 00010000", "43 8b 44 a5 00", /* r13, r12 */
		"8b 6c c5 00", "8b 45 08", "8b 85 00010000",
		"8b 05 [00010000]", "48 8b 05 [00010000]", "4c 8d 3d [00010000]",    /* by rip */
		"67 8b 05 [00010000]", "67 8b 00", "67 8b 40 04", "66 8b 05 [00010000]",
		"ff 25 [00010000]", "ff 15 [00010000]", "ff 35 [00010000]",
		"80 3d [00010000] 00", "83 3d [00010000] 07", "48 83 3d [00010000] 00", /* imm8 */
		"c6 05 [00010000] 01", "6b 05 [00010000] 03", "f6 05 [00010000] 01", "c1 25 [00010000] 04",
		"66 81 3d [00010000] 3412", "66 c7 05 [00010000] 3412", "66 f7 05 [00010000] 3412", /* 16 */
		"81 3d [00010000] 78563412", "c7 05 [00010000] 78563412", "48 c7 05 [00010000] 78563412",
		"f7 05 [00010000] 78563412", "69 05 [00010000] 78563412",
		"f7 1d [00010000]", "d9 05 [00010000]", "dd 1d [00010000]", "0f b6 05 [00010000]",
		NULL,
	};

	expect_all(forms);
}

static void decode_reads_branches(void)
{
	static const char *const forms[] = {
		"eb (00)", "74 (fe)", "7f (10)", "e0 (00)", "e1 (00)", "e2 (fb)", "e3 (00)", "3e 75 (00)",
		"e8 (00010000)", "e9 (00010000)", "0f 80 (00010000)", "0f 8f (00010000)",
		"f2 e8 (00010000)", "f2 e9 (00010000)", "f2 0f 85 (00010000)", "3e e8 (00010000)",
		"67 e8 (00010000)", "48 e8 (00010000)", "67 e3 (00)",
		"66 e8 (00010000)", "66 66 48 e8 (00010000)", "66 e9 (00010000)", /* as __tls_get_addr() is called */
		NULL,
	};

	expect_all(forms);
}

static void decode_reads_two_byte_opcodes(void)
{
	static const char *const forms[] = {
		"0f 05", "0f 0b", "0f a2", "0f 31", "0f c8", "48 0f cf", "0f 77", "0f 01 d0", "0f 0d 08",
		"0f 1f 00", "0f 1f 40 00", "0f 1f 44 00 00", "66 0f 1f 44 00 00", "0f 1f 80 00000000",
		"66 2e 0f 1f 84 00 00000000", "66 66 2e 0f 1f 84 00 00000000", "f3 0f 1e fa", "f3 48 0f 1e c8",
		"0f 10 07", "66 0f 6f 05 [00010000]", "f2 0f 10 44 24 08", "f3 0f 2a c7", "f2 48 0f 2d c1",
		"0f 28 c1", "0f 38 00 c1", "66 0f 38 00 05 [00010000]", "f2 0f 38 f1 c1", "66 0f 38 f6 c8",
		"0f 3a 0f c1 04", "66 0f 3a 0f 05 [00010000] 04", "66 0f 3a 63 c1 0c", "66 48 0f 3a 16 c0 01",
		"0f 70 c1 00", "66 0f 70 c1 4e", "0f 71 d0 04", "66 0f 73 d8 08", "0f 72 e0 01",
		"0f a4 c8 04", "0f ac c8 04", "0f ba e0 05", "0f ba 25 [00010000] 05", "0f a5 c8", "0f ab 08",
		"0f c2 c1 01", "f2 0f c2 05 [00010000] 06", "0f c4 c1 00", "66 0f c5 c1 00", "0f c6 c1 1b",
		"0f c7 0f", "0f c3 07", "0f c0 c8", "0f 40 c1", "0f 94 c0", "0f 90 05 [00010000]", "0f af c1",
		"0f b0 11", "f0 48 0f b1 15 [00010000]", "f3 0f b8 c1", "0f b9 c1", "f3 0f bc c1", "0f be 00",
		"0f d0 c1", "0f ef c0", "f3 0f d6 c1", "0f ff c1", "0f ae e8", "f3 0f ae d0", "0f 18 05 [00010000]",
		NULL,
	};

	expect_all(forms);
}

static void decode_reads_vectors(void)
{
	static const char *const forms[] = {
		/* VEX of two bytes, and of three in each map */
		"c5 f8 77", "c5 fc 28 c1", "c5 f9 6f 05 [00010000]", "c5 fb 10 44 24 08", "c5 f9 70 c1 4e",
		"c5 f9 73 d8 08", "c5 e8 c6 c1 1b", "c5 f8 ae 5c 24 04", "c5 f9 c5 c1 00",
		"c4 c1 7c 28 04 24", "c4 e1 f9 6e c0", "c4 c1 79 70 c1 4e", "c4 41 7a 6f 85 00010000",
		"c4 e2 7d 58 c1", "c4 e2 7d 18 05 [00010000]", "c4 e2 f5 b8 00", "c4 e2 f2 f7 c0", "c4 e2 79 90 04 00",
		"c4 e3 7d 19 c1 01", "c4 e3 7d 18 05 [00010000] 01", "c4 e3 fd 00 c1 4e", "c4 e3 7b f0 c0 05",
		"c4 e3 71 4a c1 20", "c4 e3 79 0f 44 24 08 04",
		/* EVEX: one byte of displacement stays one, whatever it is multiplied by */
		"62 f1 7c 48 28 c1", "62 f1 7c 48 28 40 01", "62 f1 fd 48 6f 05 [00010000]",
		"62 f1 7d 48 70 c1 4e", "62 f1 f5 48 c2 c1 01", "62 f1 75 58 fe 05 [00010000]",
		"62 f2 7d 48 18 05 [00010000]", "62 f2 f5 48 b8 c1", "62 f2 7d 49 90 04 00", "62 f2 fd 48 a2 44 85 10",
		"62 f3 fd 48 1b c1 01", "62 f3 75 48 25 c1 ff", "62 f3 75 48 25 05 [00010000] ff",
		/* AVX512-FP16: maps 5 and 6 */
		"62 f5 74 48 58 c1", "62 f5 74 48 58 05 [00010000]", "62 f5 7e 48 10 44 24 01", "62 f6 75 48 98 c1",
		"62 f6 75 48 b8 05 [00010000]",
		/* XOP: maps 8, 9, 10 */
		"8f e8 78 c0 c1 05", "8f e8 70 a2 c1 20", "8f e9 78 81 c1", "8f e9 78 81 05 [00010000]",
		"8f ea 78 10 c1 01020304", "8f ea 78 10 05 [00010000] 01020304", "8f e9 f8 01 c8",
		NULL,
	};

	expect_all(forms);
}

static void decode_knows_what_it_does_not_know(void)
{
	static const char *const forms[] = {
		"06", "0e", "16", "1e", "27", "37", "3f", "60", "61", "82 c0 01", "9a 000000000000",
		"ce", "d4 0a", "d5 0a", "d6", "ea 000000000000", /* not in 64-bit mode */
		"0f 04", "0f 24 c0", "0f 39", "0f a6", "0f a7",
		"c4 e0 78 58 c1", "c4 e4 78 58 c1", "c4 e7 78 58 c1", "c4 ff 78 58 c1", /* maps there are not */
		"62 f0 7c 48 58 c1", "62 f4 7c 48 58 c1", "62 f7 7c 48 58 c1",
		"8f eb 78 c0 c1 05", "48 48 89 e5", "40 66 90", NULL,
	};
	uint8_t bytes[32] = {0};
	struct instruction is;

	for (size_t i = 0; forms[i]; i++) {
		size_t n = read_form(forms[i], bytes, &is);

		memset(bytes + n, 0, sizeof bytes - n);
		if (x86_decode(bytes, sizeof bytes, &is))
			fprintf(stderr, "\nx86_decode: %s\n", forms[i]);
		CU_ASSERT(!x86_decode(bytes, sizeof bytes, &is));
	}
}

/* Intel SDM volume 2, 2.3.11: fifteen bytes are the most. */
static void decode_reads_no_more_than_a_processor_does(void)
{
	static const char *const longest[] = {"66 66 66 66 66 66 66 66 66 66 66 66 66 66 90",
					      "66 66 66 2e 64 81 84 85 00010000 3412", NULL};
	uint8_t bytes[32];
	struct instruction is;

	expect_all(longest);
	memset(bytes, 0x66, sizeof bytes);
	bytes[15] = 0x90;
	CU_ASSERT(!x86_decode(bytes, sizeof bytes, &is));
	CU_ASSERT(!decode_fenced(bytes, 15, &is));
	CU_ASSERT(!decode_fenced(bytes, 0, &is));
}

static void decode_counts_distances_from_the_end(void)
{
	static const uint8_t compare[] = {0x83, 0x3d, 0xf0, 0xff, 0xff, 0xff, 0x07};
	static const uint8_t forth[] = {0xeb, 0x7f}, back[] = {0x74, 0x80};
	struct instruction is;

	CU_ASSERT(x86_decode(compare, sizeof compare, &is));
	CU_ASSERT_EQUAL(x86_distance_target(&is, compare, 0x1000), 0x1000 + 7 - 16);
	CU_ASSERT(x86_decode(forth, sizeof forth, &is));
	CU_ASSERT_EQUAL(x86_distance_target(&is, forth, 0x1000), 0x1000 + 2 + 127);
	CU_ASSERT(x86_decode(back, sizeof back, &is));
	CU_ASSERT_EQUAL(x86_distance_target(&is, back, 0x1000), 0x1000 + 2 - 128);
}

/* --------- as objdump has it ------------------ */

struct line {
	uint64_t vaddr, target; /* target 0: none */
	uint8_t bytes[16];
	size_t n;
	bool is_branch;
};

/* "  1139:\t48 8d 05 c4 0e 00 00 \tlea    0xec4(%rip),%rax  # 2004 <x>" */
static bool read_line(char *text, struct line *line)
{
	char *colon = strchr(text, ':'), *p, *hash;

	*line = (struct line){0};
	if (!colon || colon[1] != '\t')
		return false;
	line->vaddr = strtoull(text, NULL, 16);
	for (p = colon + 2; isxdigit((unsigned char)*p) && line->n < sizeof line->bytes; p += 3)
		line->bytes[line->n++] = (uint8_t)strtoul((char[]){p[0], p[1], 0}, NULL, 16);
	p += strspn(p, " ");
	if (*p != '\t' || strstr(p, "(bad)") || strstr(p, ".byte") || !line->n)
		return false;
	hash = strchr(p, '#');
	if (hash && strstr(p, "(%rip)"))
		line->target = strtoull(hash + 1, NULL, 16);
	for (p++; !strncmp(p, "bnd ", 4) || !strncmp(p, "notrack ", 8) || !strncmp(p, "data16 ", 7) ||
		  !strncmp(p, "rex.W ", 6);)
		p = strchr(p, ' ') + 1;
	line->is_branch = *p == 'j' || !strncmp(p, "call", 4) || !strncmp(p, "loop", 4);
	line->is_branch = line->is_branch && !strchr(p, '*');
	if (line->is_branch && (p = strchr(p, ' ')))
		line->target = strtoull(p, NULL, 16);
	return true;
}

static bool agrees(const struct line *line)
{
	struct instruction is;

	if (!decode_fenced(line->bytes, line->n, &is) || is.length != line->n)
		return false;
	if (!line->target)
		return !is.width;
	return is.width && is.is_branch == line->is_branch &&
	       x86_distance_target(&is, line->bytes, line->vaddr) == line->target;
}

/* How many instructions of a file both read alike; the first they do not is printed. */
static size_t count_agreed(const char *path)
{
	FILE *lines = popen(arena_printf(object_arena(), "objdump -dw --section=.text '%s'", path), "r");
	char text[1024];
	struct line line;
	size_t agreed = 0, others = 0;

	while (lines && fgets(text, sizeof text, lines)) {
		if (!read_line(text, &line))
			continue;
		if (agrees(&line))
			agreed++;
		else if (!others++)
			fprintf(stderr, "\nx86_decode of %s: %s", path, text);
	}
	CU_ASSERT_EQUAL(others, 0);
	CU_ASSERT(lines && !pclose(lines));
	return agreed;
}

/* Loops that become vectors of all kinds. */
static const char loops[] =
	"#include <math.h>\n"
	"#include <stddef.h>\n"
	"#include <stdint.h>\n"
	"#define LOOPS(T)"
	"  void add_##T(T *a, const T *b, long n) { for (long i = 0; i < n; i++) a[i] += b[i] * 3; }"
	"  T sum_##T(const T *a, long n) { T s = 0; for (long i = 0; i < n; i++) s += a[i]; return s; }"
	"  void pick_##T(T *a, const T *b, long n) { for (long i = 0; i < n; i++) if (b[i] > 7) a[i] = b[i] - 1; }"
	"  void gather_##T(T *a, const T *b, const int *k, long n) { for (long i = 0; i < n; i++) a[i] = b[k[i]]; }"
	"  void swap_##T(T *a, long n) { for (long i = 0; i < n / 2; i++) { T t = a[i]; a[i] = a[n - 1 - i]; a[n - 1 - i] = t; } }\n"
	"typedef signed char byte; typedef unsigned short half; typedef unsigned long word;\n"
	"LOOPS(double) LOOPS(float) LOOPS(byte) LOOPS(half) LOOPS(int) LOOPS(word)\n"
	"int counter; double share;\n"
	"int kinds(int kind, double *x, long n) {\n"
	"  switch (kind) { case 0: counter = 70000; break; case 1: counter += 3; break; case 2: return n * 77777;\n"
	"  case 3: x[n] = sqrt(x[0]) + share; break; case 4: return __builtin_popcountl(n); case 5: return n << 3 | n >> 61;\n"
	"  case 6: share = floor(x[1]) / (n & 0x7fff); break; case 7: if (counter == 12345) counter = -1; break;\n"
	"  case 8: __atomic_fetch_add(&counter, kind, 5); break; case 9: return n / 7 + (int64_t)x[2]; }\n"
	"  return x[0] > x[1] ? 0x12345678 : kinds(kind + 1, x, n - 1); }\n"
	"__int128 wide(__int128 a, __int128 b) { return a * b / 3; }\n"
	"long double old(long double a, int b) { return a * b + 1.5L; }\n";

static void decode_agrees_with_objdump(void)
{
	static const char *const options[] = {
		"-O2", "-O0", "-Os", "-O3 -mavx2 -mfma -mf16c",
		"-O3 -march=skylake-avx512 -mprefer-vector-width=512", "-O3 -march=bdver4 -ffast-math",
		"-O3 -march=sapphirerapids -ffast-math", NULL,
	};

	for (size_t i = 0; options[i]; i++)
		CU_ASSERT(count_agreed(object_file("loops.so", object_compile(options[i], loops).bytes)) > 500);
	object_forget();
}

/* All this is linked with, and what a C library's startup code adds. */
static void decode_agrees_with_objdump_on_this_program(void)
{
	char path[4096] = {0};

	CU_ASSERT_FATAL(readlink("/proc/self/exe", path, sizeof path - 1) > 0);
	CU_ASSERT(count_agreed(path) > 10000);
	object_forget();
}

void suite_decode(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(decode_reads_one_byte_opcodes),
		UNIT_TEST(decode_reads_operands),
		UNIT_TEST(decode_reads_branches),
		UNIT_TEST(decode_reads_two_byte_opcodes),
		UNIT_TEST(decode_reads_vectors),
		UNIT_TEST(decode_knows_what_it_does_not_know),
		UNIT_TEST(decode_reads_no_more_than_a_processor_does),
		UNIT_TEST(decode_counts_distances_from_the_end),
#ifdef __x86_64__
		UNIT_TEST(decode_agrees_with_objdump),
		UNIT_TEST(decode_agrees_with_objdump_on_this_program),
#endif
	};

	unit_suite("decode", tests, sizeof tests / sizeof *tests);
}
