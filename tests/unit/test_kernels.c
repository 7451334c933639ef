/*
 * Unit tests of src/trim/percpu.c, stub.c and fold.c: tables of kernels for each
 * processor in small libraries that have the shape of an OpenBLAS. What is left is
 * loaded, and every table asked for what it computes.
 */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_trim.h"

/* CORE(core, number, one, two): a table, its initialiser, and two kernels that return these
 * expressions of x. Initialisers are as long as a check needs, and kernels so long that
 * no number in one is by accident the distance to another. */
#define LIBRARY                                                                                              \
	FRONT                                                                                                \
	"#include <stdlib.h>\n"                                                                              \
	"#include <string.h>\n"                                                                              \
	"#define APART __attribute__((noipa))\n"                                                             \
	"struct table { long size; int (*one)(int), (*two)(int); void (*init)(void);\n"                     \
	"               volatile long number, more[40]; };\n"                                                \
	"struct table *gotoblas;\n"                                                                          \
	"#define TWO(a) a a\n"                                                                               \
	"#define MANY(a) TWO(TWO(TWO(TWO(TWO(a)))))\n"                                                       \
	"#define DECLARE(core) APART int one_##core(int), two_##core(int);\n"                                \
	"#define PAD asm volatile(\".skip 160, 0x90\");\n"                                                  \
	"#define KERNEL(name, value) APART int name(int x) { PAD int y = value; PAD return y; }\n"          \
	"#define KERNELS(core, first, second) DECLARE(core)\\\n"                                             \
	"  KERNEL(one_##core, first) KERNEL(two_##core, second)\n"                                          \
	"#define INIT(core, k, work) extern struct table gotoblas_##core;\\\n"                               \
	"  static void init_##core(void) { gotoblas_##core.number = k; work }\n"                             \
	"#define LONG(core) int i = 0; MANY(gotoblas_##core.more[i++] = i;)\n"                               \
	"#define TABLE(core, initialiser) struct table gotoblas_##core = {\\\n"                              \
	"  1, one_##core, two_##core, initialiser, 0, {sizeof(struct table)}};\n"                            \
	"#define CORE(core, k, first, second) KERNELS(core, first, second) INIT(core, k, LONG(core))\\\n"   \
	"  TABLE(core, init_##core)\n"                                                                       \
	"#define CHOICE(rows) static const struct { const char *name; struct table *table; } list[] = {rows};\\\n" \
	"  int answer(void) { for (unsigned i = 0; i < sizeof list / sizeof *list; i++)\\\n"                 \
	"    if (!strcmp(getenv(\"CORE\"), list[i].name)) gotoblas = list[i].table;\\\n"                     \
	"    gotoblas->init(); return gotoblas->number + gotoblas->one(1) + gotoblas->two(2); }\n"          \
	"#define ROW(core) {#core, &gotoblas_##core},\n"

static int answer_of(struct span bytes, const char *core)
{
	setenv("CORE", core, 1);
	return object_run(bytes);
}

static void begin(const char *options, const char *source)
{
	trimmed_begin(options, source);
	trimmed_request.exports = false;
	trimmed_request.fold = true;
	trimmed_request.cpu = CPU_AVX2_FMA;
}

/* The cores whose tables went: "PRESCOTT, ATOM"; NULL: none. */
static const char *removed(void)
{
	const char *text = NULL;

	for (size_t i = 0; i < trimmed_result.nr_removed; i++)
		text = text ? arena_printf(object_arena(), "%s, %s", text, trimmed_result.removed[i])
			    : trimmed_result.removed[i];
	return text;
}

/* Every core after the change says what it did before, or what another did. */
static void expect_answers(const char *cores)
{
	struct elf new = trimmed_edit();
	char name[32], other[32];
	int n;

	for (; sscanf(cores, " %31[A-Z]%n", name, &n) == 1; cores += n) {
		strcpy(other, name);
		if (cores[n] == '=')
			n += 1 + (int)strlen(strcpy(other, "HASWELL"));
		CU_ASSERT_EQUAL(answer_of(new.bytes, name), answer_of(trimmed_subject.bytes, other));
	}
	CU_ASSERT(answer_of(new.bytes, "HASWELL") > 0);
}

/* Which kernels are dead, whosoever: of two that are the same either may go. */
static const char *folded(const char *wanted)
{
	const char *dead = trimmed_dead(wanted);
	char *text = arena_strdup(object_arena(), ""), name[32];
	int n;

	for (; sscanf(dead, " %31[a-z:]_%*[A-Z0-9]%n", name, &n) == 1; dead += n)
		text = arena_printf(object_arena(), "%s%s%s", text, *text ? " " : "", name);
	return text;
}

/* --------- which go ------------------ */

static const char cores[] = LIBRARY
	"CORE(PRESCOTT, 1, x + 1, x + 2) CORE(SANDYBRIDGE, 2, x + 3, x + 4) CORE(HASWELL, 3, x * 5, x * 6)\n"
	"CORE(ZEN, 4, x * 7, x * 8) CORE(SKYLAKEX, 5, x * 9, x * 10) CORE(FUTURE, 6, x * 11, x * 12)\n"
	"CHOICE(ROW(PRESCOTT) ROW(SANDYBRIDGE) ROW(HASWELL) ROW(ZEN) ROW(SKYLAKEX) ROW(FUTURE))\n";

static const char gone[] = "one_PRESCOTT one_SANDYBRIDGE two_PRESCOTT two_SANDYBRIDGE";

static void kernels_of_lesser_processors_go(void)
{
	static const char *const options[] = {"-O2", "-O2 -fvisibility=protected", "-O2 -fno-plt -Wl,-z,now", "-O0",
					      "-O2 -Wl,-Bsymbolic -Wl,--hash-style=sysv", NULL};

	for (size_t i = 0; options[i]; i++) {
		begin(options[i], cores);
		UNIT_ASSERT_TEXT(trimmed_dead(""), gone);
		UNIT_ASSERT_TEXT(trimmed_gone(), gone);
		CU_ASSERT(!strcmp(removed(), "PRESCOTT, SANDYBRIDGE") ||
			  !strcmp(removed(), "SANDYBRIDGE, PRESCOTT"));
		UNIT_ASSERT_TEXT(trimmed_result.serves, "HASWELL");
		CU_ASSERT_EQUAL(trimmed_result.folded, 0);
		expect_answers("PRESCOTT=HASWELL SANDYBRIDGE=HASWELL HASWELL ZEN SKYLAKEX FUTURE");
		trimmed_end();
	}
}

static void kernels_leave_whole_pages(void)
{
	begin("-O2 -fvisibility=protected", LIBRARY
	      "#define BIG(n) ({ asm volatile(\".skip 0x3000, 0x90\"); n; })\n"
	      "CORE(PRESCOTT, 1, BIG(x + 1), BIG(x + 2)) CORE(HASWELL, 3, BIG(x * 5), BIG(x * 6))\n"
	      "CHOICE(ROW(PRESCOTT) ROW(HASWELL))\n");
	trimmed_request.poison = false;
	UNIT_ASSERT_TEXT(trimmed_dead(""), "");
	UNIT_ASSERT_TEXT(trimmed_gone(), "one_PRESCOTT two_PRESCOTT");
	CU_ASSERT_EQUAL(trimmed_result.cuts.nr_dead, 1);
	expect_answers("PRESCOTT=HASWELL HASWELL");
	trimmed_end();
}

static void kernels_stay_where_nothing_is_known_of_processors(void)
{
	begin("-O2", cores);
	trimmed_request.cpu = CPU_ANY;
	UNIT_ASSERT_TEXT(trimmed_dead(""), "");
	CU_ASSERT(!removed() && !trimmed_result.serves);
	trimmed_request.cpu = CPU_NEOVERSE_N1; /* another machine's */
	UNIT_ASSERT_TEXT(trimmed_dead(""), "");
	trimmed_end();
}

static void kernels_that_somebody_wants_stay(void)
{
	begin("-O2", cores);
	UNIT_ASSERT_TEXT(trimmed_dead("one_PRESCOTT"), gone + strlen("one_PRESCOTT "));
	UNIT_ASSERT_TEXT(trimmed_result.serves, "HASWELL");
	trimmed_begin("-O2", cores);
	trimmed_end();
	begin("-O2", LIBRARY "CORE(PRESCOTT, 1, x + 1, x + 2) CORE(SANDYBRIDGE, 2, x + 3, two_PRESCOTT(x))\n"
			     "CORE(HASWELL, 3, x * 5, one_SANDYBRIDGE(x)) CHOICE(ROW(PRESCOTT) ROW(SANDYBRIDGE) ROW(HASWELL))\n"
			     "int other(int x) { return one_PRESCOTT(x); }\n");
	UNIT_ASSERT_TEXT(trimmed_dead(""), "two_PRESCOTT two_SANDYBRIDGE");
	trimmed_request.exports = true; /* "other" goes, and with it what only it calls */
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "one_PRESCOTT other two_PRESCOTT two_SANDYBRIDGE");
	expect_answers("PRESCOTT=HASWELL SANDYBRIDGE=HASWELL HASWELL");
	trimmed_end();
}

static void kernels_stay_where_none_could_serve(void)
{
	begin("-O2", LIBRARY "CORE(PRESCOTT, 1, x + 1, x + 2) CORE(ZEN, 2, x + 3, x + 4) CHOICE(ROW(PRESCOTT) ROW(ZEN))\n");
	UNIT_ASSERT_TEXT(trimmed_dead(""), "");
	CU_ASSERT(!removed());
	trimmed_end();
}

static void kernels_stay_with_an_initialiser_that_is_shared(void)
{
	begin("-O2", LIBRARY
	      "KERNELS(PRESCOTT, x + 1, x + 2) KERNELS(NEHALEM, x + 3, x + 4) INIT(PRESCOTT, 1, LONG(PRESCOTT))\n"
	      "TABLE(PRESCOTT, init_PRESCOTT) TABLE(NEHALEM, init_PRESCOTT)\n"
	      "CORE(ATOM, 2, x + 5, x + 6) CORE(HASWELL, 3, x * 7, x * 8)\n"
	      "CHOICE(ROW(PRESCOTT) ROW(NEHALEM) ROW(HASWELL) ROW(ATOM))\n");
	UNIT_ASSERT_TEXT(trimmed_dead(""), "one_ATOM two_ATOM");
	UNIT_ASSERT_TEXT(removed(), "ATOM");
	expect_answers("PRESCOTT NEHALEM HASWELL ATOM=HASWELL");
	trimmed_end();
}

static void kernels_stay_with_an_initialiser_that_is_short(void)
{
	begin("-O2", LIBRARY
	      "KERNELS(PRESCOTT, x + 1, x + 2) INIT(PRESCOTT, 77, ) TABLE(PRESCOTT, init_PRESCOTT)\n"
	      "CORE(ATOM, 2, x + 5, x + 6) CORE(HASWELL, 3, x * 7, x * 8)\n"
	      "CHOICE(ROW(PRESCOTT) ROW(ATOM) ROW(HASWELL))\n");
	UNIT_ASSERT_TEXT(trimmed_dead(""), "one_ATOM two_ATOM");
	UNIT_ASSERT_TEXT(removed(), "ATOM");
	expect_answers("PRESCOTT HASWELL ATOM=HASWELL");
	trimmed_end();
}

/* Where the initialiser ends, only the unwind table says. */
static void kernels_stay_with_an_initialiser_nobody_has_described(void)
{
	begin("-O2", cores);
	trimmed_request.nr_functions = 0;
	UNIT_ASSERT_TEXT(trimmed_dead(""), "");
	CU_ASSERT(!removed());
	trimmed_end();
}

/* Bytes behind the last function that is described may be anything's. */
static void kernels_stay_with_an_initialiser_in_unknown_code(void)
{
	begin("-O2 -falign-functions=1 -Wl,-Bsymbolic", LIBRARY
	      "KERNELS(PRESCOTT, x + 1, x + 2) extern struct table gotoblas_PRESCOTT;\n"
	      "static void asm_init(void) { gotoblas_PRESCOTT.number = 1; LONG(PRESCOTT) } TABLE(PRESCOTT, asm_init)\n"
	      "CORE(ATOM, 2, x + 5, x + 6) CORE(HASWELL, 3, x * 7, x * 8) CHOICE(ROW(PRESCOTT) ROW(ATOM) ROW(HASWELL))\n");
	UNIT_ASSERT_TEXT(trimmed_dead(""), "one_ATOM two_ATOM");
	UNIT_ASSERT_TEXT(removed(), "ATOM");
	expect_answers("PRESCOTT HASWELL ATOM=HASWELL");
	trimmed_end();
}

/* Tables that are not what they should be are data like any other. */
static void kernels_stay_where_tables_disagree(void)
{
	static const char *const sources[] = {
		LIBRARY "KERNELS(PRESCOTT, x + 1, x + 2) CORE(HASWELL, 3, x * 7, x * 8) static volatile long room[200];\n"
			"static void init(void) { int i = 0; MANY(room[i++] = i;) }\n"
			"struct table gotoblas_PRESCOTT[2] = {{1, one_PRESCOTT, two_PRESCOTT, init}};\n",
		LIBRARY "static int hidden(int x) { return x - 1; } INIT(PRESCOTT, 1, LONG(PRESCOTT))\n"
			"KERNELS(PRESCOTT, x + 1, x + 2) CORE(HASWELL, 3, x * 7, x * 8)\n"
			"struct table gotoblas_PRESCOTT = {1, one_PRESCOTT, hidden, init_PRESCOTT};\n",
		LIBRARY "KERNELS(PRESCOTT, x + 1, x + 2) INIT(PRESCOTT, 1, LONG(PRESCOTT)) CORE(HASWELL, 3, x * 7, x * 8)\n"
			"struct table gotoblas_PRESCOTT = {1, one_PRESCOTT, (void *)init_PRESCOTT, (void *)two_PRESCOTT};\n",
		LIBRARY "KERNELS(PRESCOTT, x + 1, x + 2) CORE(HASWELL, 3, x * 7, x * 8)\n"
			"struct table gotoblas_PRESCOTT = {1, one_PRESCOTT, two_PRESCOTT};\n",
		NULL,
	};

	for (size_t i = 0; sources[i]; i++) {
		begin("-O2", sources[i]);
		UNIT_ASSERT_TEXT(trimmed_dead(""), "");
		CU_ASSERT(!removed() && !trimmed_result.folded);
		trimmed_end();
	}
}

/* threadpoolctl looks them up by name. */
static void kernels_libraries_keep_what_is_asked_for_by_name(void)
{
	begin("-O2", LIBRARY "CORE(PRESCOTT, 1, x + 1, x + 2) CORE(HASWELL, 2, x + 3, x + 4) CHOICE(ROW(PRESCOTT) ROW(HASWELL))\n"
			     "int openblas_get_config(void) { return 1; } int scipy_openblas_set_num_threads64_(int n) { return n; }\n"
			     "int goto_set_num_threads(int n) { return n; }\n");
	trimmed_request.exports = true;
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "goto_set_num_threads one_PRESCOTT two_PRESCOTT");
	trimmed_end();
	/* Also where the tables cannot be read. */
	begin("-O2", LIBRARY "KERNELS(PRESCOTT, x + 1, x + 2) CORE(HASWELL, 2, x + 3, x + 4)\n"
			     "struct table gotoblas_PRESCOTT = {1, one_PRESCOTT, two_PRESCOTT};\n"
			     "KERNEL(openblas_get_config, 777) KERNEL(unwanted, x)\n");
	trimmed_request.exports = true;
	UNIT_ASSERT_TEXT(trimmed_dead(""), "unwanted");
	trimmed_end();
}

/* --------- the same twice ------------------ */

#define TWINS(first, second, others)                                                                         \
	LIBRARY others "CORE(HASWELL, 3, " first ", " second ") CORE(ZEN, 4, " first ", " second ")\n"       \
		       "CORE(SKYLAKEX, 5, x * 9 - 3, x * 10 - 3) CHOICE(ROW(HASWELL) ROW(ZEN) ROW(SKYLAKEX))\n"

static const char twins[] = TWINS("x * 5 + 77", "x * 6 - 1", "");

static void kernels_that_are_the_same_fold(void)
{
	static const char *const options[] = {"-O2", "-O2 -fvisibility=protected", "-O0", "-O2 -fno-plt",
					      "-O2 -Wl,-Bsymbolic -Wl,--hash-style=sysv", NULL};

	for (size_t i = 0; options[i]; i++) {
		begin(options[i], twins);
		UNIT_ASSERT_TEXT(folded(""), "one two");
		CU_ASSERT_EQUAL(trimmed_result.folded, 2);
		CU_ASSERT(!removed());
		expect_answers("HASWELL ZEN SKYLAKEX");
		trimmed_request.fold = false;
		UNIT_ASSERT_TEXT(folded(""), "");
		CU_ASSERT_EQUAL(trimmed_result.folded, 0);
		trimmed_end();
	}
}

static void kernels_fold_in_packed_tables(void)
{
	if (system("ld --help | grep -q pack-relative-relocs"))
		return;
	begin("-O2 -Wl,-Bsymbolic -Wl,-z,pack-relative-relocs", twins);
	UNIT_ASSERT_TEXT(folded(""), "one two");
	expect_answers("HASWELL ZEN SKYLAKEX");
	trimmed_end();
}

static void kernels_fold_on_every_processor(void)
{
	begin("-O2", twins);
	trimmed_request.cpu = CPU_ANY;
	UNIT_ASSERT_TEXT(folded(""), "one two");
	expect_answers("HASWELL ZEN SKYLAKEX");
	trimmed_end();
}

static void kernels_of_many_tables_fold_into_one(void)
{
	begin("-O2", LIBRARY "CORE(HASWELL, 3, x * 5, x * 6) CORE(ZEN, 4, x * 5, x * 6) CORE(SKYLAKEX, 5, x * 5, x * 7)\n"
			     "CORE(COOPERLAKE, 6, x * 5, x * 7) CHOICE(ROW(HASWELL) ROW(ZEN) ROW(SKYLAKEX) ROW(COOPERLAKE))\n");
	UNIT_ASSERT_TEXT(folded(""), "one one one two two");
	CU_ASSERT_EQUAL(trimmed_result.folded, 5);
	expect_answers("HASWELL ZEN SKYLAKEX COOPERLAKE");
	trimmed_end();
}

/* Kernels of a table that goes are nobody's twins. */
static void kernels_do_not_fold_into_what_goes(void)
{
	begin("-O2", LIBRARY "CORE(PRESCOTT, 1, x * 5, x * 6) CORE(HASWELL, 3, x * 5, x * 6) CORE(ATOM, 2, x * 5, x * 6)\n"
			     "CORE(NEHALEM, 4, x * 5, x * 6) CORE(NANO, 5, x * 5, x * 6) CORE(BANIAS, 6, x * 5, x * 6)\n"
			     "CHOICE(ROW(PRESCOTT) ROW(HASWELL) ROW(ATOM) ROW(NEHALEM) ROW(NANO) ROW(BANIAS))\n");
	UNIT_ASSERT_TEXT(trimmed_dead(""), "one_ATOM one_BANIAS one_NANO one_NEHALEM one_PRESCOTT "
					   "two_ATOM two_BANIAS two_NANO two_NEHALEM two_PRESCOTT");
	CU_ASSERT_EQUAL(trimmed_result.folded, 0);
	expect_answers("PRESCOTT=HASWELL HASWELL ATOM=HASWELL BANIAS=HASWELL");
	trimmed_end();
}

static void kernels_that_are_wanted_stay_when_they_fold(void)
{
	begin("-O2", twins);
	UNIT_ASSERT_TEXT(folded("one_HASWELL one_ZEN"), "two");
	CU_ASSERT_EQUAL(trimmed_result.folded, 2);
	expect_answers("HASWELL ZEN SKYLAKEX");
	trimmed_end();
}

/* Calls of the other kernel of the same core, through the PLT or not, and back. */
static void kernels_fold_when_they_call_each_other(void)
{
	static const char source[] = LIBRARY
		"DECLARE(HASWELL) DECLARE(ZEN)\n"
		"CORE(HASWELL, 3, x > 40 ? x : two_HASWELL(x * 2) + 1, x & 1 ? x + 7 : one_HASWELL(x + 3) + 1)\n"
		"CORE(ZEN, 4, x > 40 ? x : two_ZEN(x * 2) + 1, x & 1 ? x + 7 : one_ZEN(x + 3) + 1)\n"
		"CHOICE(ROW(HASWELL) ROW(ZEN))\n";
	static const char *const options[] = {"-O2", "-O2 -fvisibility=protected", "-O2 -fno-plt", NULL};

	for (size_t i = 0; options[i]; i++) {
		begin(options[i], source);
		UNIT_ASSERT_TEXT(folded(""), "one two");
		expect_answers("HASWELL ZEN");
		trimmed_end();
	}
}

static void kernels_fold_with_the_functions_they_share(void)
{
	static const char source[] = TWINS("shared(x) + 1", "own(x) + abs(x - 20)",
					   "APART int shared(int x) { return x * 3; }\n"
					   "static APART int own(int x) { return x * 7; } int common = 5;\n");
	static const char *const options[] = {"-O2", "-O2 -fvisibility=protected", "-O2 -fno-plt", NULL};

	for (size_t i = 0; options[i]; i++) {
		begin(options[i], source);
		UNIT_ASSERT_TEXT(folded(""), "one two");
		expect_answers("HASWELL ZEN SKYLAKEX");
		trimmed_end();
	}
	begin("-O2", TWINS("x + common", "x * common", "int common = 5;\n"));
	UNIT_ASSERT_TEXT(folded(""), "one two");
	expect_answers("HASWELL ZEN SKYLAKEX");
	trimmed_end();
}

static void kernels_with_another_constant_do_not_fold(void)
{
	begin("-O2", LIBRARY "CORE(HASWELL, 3, x * 5 + 1000, x * 6) CORE(ZEN, 4, x * 5 + 1001, x * 6)\n"
			     "CHOICE(ROW(HASWELL) ROW(ZEN))\n");
	UNIT_ASSERT_TEXT(folded(""), "two");
	CU_ASSERT_EQUAL(trimmed_result.folded, 1);
	expect_answers("HASWELL ZEN");
	trimmed_end();
}

/* The instructions are the same but for which data they touch, or what they call. */
static void kernels_with_data_of_their_own_do_not_fold(void)
{
	static const char *const sources[] = {
		LIBRARY "static int a = 5, b = 5;\n"
			"CORE(HASWELL, 3, x + a++, x * 6) CORE(ZEN, 4, x + b++, x * 6) CHOICE(ROW(HASWELL) ROW(ZEN))\n",
		LIBRARY "int a = 5, b = 6;\n"
			"CORE(HASWELL, 3, x + a, x * 6) CORE(ZEN, 4, x + b, x * 6) CHOICE(ROW(HASWELL) ROW(ZEN))\n",
		LIBRARY "APART int a(int x) { return x + 5; } APART int b(int x) { return x + 6; }\n"
			"CORE(HASWELL, 3, a(x) + 1, x * 6) CORE(ZEN, 4, b(x) + 1, x * 6) CHOICE(ROW(HASWELL) ROW(ZEN))\n",
		LIBRARY "static APART int a(int x) { return x + 5; } static APART int b(int x) { return x + 6; }\n"
			"CORE(HASWELL, 3, a(x) + 1, x * 6) CORE(ZEN, 4, b(x) + 1, x * 6) CHOICE(ROW(HASWELL) ROW(ZEN))\n",
		LIBRARY "CORE(HASWELL, 3, labs(x) + 1, x * 6) CORE(ZEN, 4, rand() * 0 + 1, x * 6)\n"
			"CHOICE(ROW(HASWELL) ROW(ZEN))\n",
		LIBRARY "CORE(HASWELL, 3, two_HASWELL(x) + 1, x * 6) CORE(ZEN, 4, two_ZEN(x) + 1, x * 7)\n"
			"CHOICE(ROW(HASWELL) ROW(ZEN))\n",
		NULL,
	};
	static const char *const options[] = {"-O2", "-O2 -fvisibility=protected", "-O2 -fno-plt -fno-builtin", NULL};

	for (size_t i = 0; sources[i]; i++)
		for (size_t k = 0; options[k]; k++) {
			begin(options[k], sources[i]);
			UNIT_ASSERT_TEXT(folded(""), i < 5 ? "two" : "");
			expect_answers("HASWELL ZEN");
			trimmed_end();
		}
}

/* The same bytes, down to the distance: each calls what lies behind it. */
static void kernels_with_equal_distances_to_other_code_do_not_fold(void)
{
	static const char source[] = LIBRARY
		"#define BEHIND(core, n) asm(\".text; .globl one_\" #core \"; .type one_\" #core \", @function; one_\" #core \":\"\\\n"
		"  \"call behind_\" #core \"; ret; .size one_\" #core \", . - one_\" #core \";\"\\\n"
		"  \".type behind_\" #core \", @function; behind_\" #core \": lea \" #n \"(%rdi), %eax; ret;\"\\\n"
		"  \".size behind_\" #core \", . - behind_\" #core);\\\n"
		"  int one_##core(int), two_##core(int); APART int two_##core(int x) { return x * 6; }\n"
		"BEHIND(HASWELL, 5) INIT(HASWELL, 3, LONG(HASWELL)) TABLE(HASWELL, init_HASWELL)\n"
		"BEHIND(ZEN, 6) INIT(ZEN, 4, LONG(ZEN)) TABLE(ZEN, init_ZEN) CHOICE(ROW(HASWELL) ROW(ZEN))\n";
	const Elf64_Sym *one, *other;

	begin("-O2", source);
	one = trimmed_symbol("one_HASWELL");
	other = trimmed_symbol("one_ZEN");
	CU_ASSERT(!memcmp(trimmed_subject.p + one->st_value, trimmed_subject.p + other->st_value, one->st_size));
	UNIT_ASSERT_TEXT(folded(""), "two");
	expect_answers("HASWELL ZEN");
	trimmed_end();
}

/* A branch inside a kernel is the same when it goes as far. */
static void kernels_with_loops_fold(void)
{
	begin("-O2", TWINS("({ volatile int i = 0; while (i < x * 20) i += 3; (int)i; })", "x > 1 ? abs(x) * 3 : rand()", ""));
	UNIT_ASSERT_TEXT(folded(""), "one two");
	expect_answers("HASWELL ZEN SKYLAKEX");
	trimmed_end();
	begin("-O2", LIBRARY /* over what it jumps is all that differs */
	      "#define OVER(n) ({ int y = x; asm volatile(\"jmp \" #n \"f; add $70, %0; 1: add $50, %0; 2:\" : \"+r\"(y)); y; })\n"
	      "CORE(HASWELL, 3, OVER(1), x * 6) CORE(ZEN, 4, OVER(2), x * 6) CHOICE(ROW(HASWELL) ROW(ZEN))\n");
	UNIT_ASSERT_TEXT(folded(""), "two");
	expect_answers("HASWELL ZEN");
	trimmed_end();
}

/* One calls what the table is for, whatever the other does. */
static void kernels_fold_but_not_initialisers(void)
{
	begin("-O2", LIBRARY "static int common; KERNELS(HASWELL, x * 5, x * 6) KERNELS(ZEN, x * 7, x * 8)\n"
			     "static APART void init_HASWELL(void) { common = 3; } static APART void init_ZEN(void) { common = 3; }\n"
			     "TABLE(HASWELL, init_HASWELL) TABLE(ZEN, init_ZEN) CHOICE(ROW(HASWELL) ROW(ZEN))\n");
	UNIT_ASSERT_TEXT(trimmed_dead(""), "");
	CU_ASSERT_EQUAL(trimmed_result.folded, 0);
	expect_answers("HASWELL ZEN");
	trimmed_end();
}

/* --------- AArch64 ------------------ */

static void kernels_for_aarch64_go_and_fold(void)
{
	static const char source[] = OBJECT_CROSS LIBRARY
		"static __attribute__((aligned(4096))) int a = 5, b = 5; APART int shared(int x) { return x * 3; }\n"
		"CORE(THUNDERX, 1, x * 5, x * 6) CORE(ARMV8, 2, shared(x) + 5, x + a++)\n"
		"CORE(NEOVERSEN1, 3, shared(x) + 5, x + b++) CORE(NEOVERSEV1, 3, x * 11, x * 12)\n"
		"CHOICE(ROW(THUNDERX) ROW(ARMV8) ROW(NEOVERSEN1) ROW(NEOVERSEV1))\n";
	static const char *const options[] = {"-O2 -fno-section-anchors", "-O2 -fvisibility=protected", "-O2 -fno-plt", NULL};

	if (!object_can_cross())
		return;
	for (size_t i = 0; options[i]; i++) {
		begin(options[i], source);
		trimmed_request.cpu = CPU_NEOVERSE_N1;
		UNIT_ASSERT_TEXT(folded(""), "one one two");
		UNIT_ASSERT_TEXT(removed(), "THUNDERX");
		UNIT_ASSERT_TEXT(trimmed_result.serves, "ARMV8");
		CU_ASSERT_EQUAL(trimmed_result.folded, 1);
		trimmed_edit();
		trimmed_request.cpu = CPU_AVX2_FMA;
		UNIT_ASSERT_TEXT(folded(""), "one");
		trimmed_end();
	}
}

/* --------- the check ------------------ */

/* What a stub says where it cannot go on, in the file. */
static void kernels_that_went_leave_a_message(void)
{
	static const char words[] = "OpenBLAS: this copy was trimmed (sofold) for processors with AVX2 and FMA";
	struct elf new;

	begin("-O2", cores);
	CU_ASSERT(!memmem(trimmed_subject.p, trimmed_subject.bytes.n, words, strlen(words)));
	trimmed_dead("");
	new = trimmed_edit();
	CU_ASSERT(memmem(new.p, new.bytes.n, words, strlen(words)) != NULL);
	trimmed_end();
}

/* Found again, a removed table's initialiser is a stub: it goes again, and nothing changes. */
static void kernels_that_went_go_again(void)
{
	struct elf once, twice;

	begin("-O2", cores);
	trimmed_dead("");
	once = trimmed_edit();
	trimmed_subject.bytes = once.bytes;
	CU_ASSERT(!trim_find(object_arena(), once.bytes, &trimmed_request, &trimmed_result, &(struct error){""}));
	twice = trimmed_edit();
	CU_ASSERT(span_equal(once.bytes, twice.bytes));
	trimmed_end();
}

void suite_kernels(void)
{
	static const struct unit_test tests[] = {
#ifdef __x86_64__
		UNIT_TEST(kernels_of_lesser_processors_go),
		UNIT_TEST(kernels_leave_whole_pages),
		UNIT_TEST(kernels_stay_where_nothing_is_known_of_processors),
		UNIT_TEST(kernels_that_somebody_wants_stay),
		UNIT_TEST(kernels_stay_where_none_could_serve),
		UNIT_TEST(kernels_stay_with_an_initialiser_that_is_shared),
		UNIT_TEST(kernels_stay_with_an_initialiser_that_is_short),
		UNIT_TEST(kernels_stay_with_an_initialiser_nobody_has_described),
		UNIT_TEST(kernels_stay_with_an_initialiser_in_unknown_code),
		UNIT_TEST(kernels_stay_where_tables_disagree),
		UNIT_TEST(kernels_libraries_keep_what_is_asked_for_by_name),
		UNIT_TEST(kernels_that_are_the_same_fold),
		UNIT_TEST(kernels_fold_in_packed_tables),
		UNIT_TEST(kernels_fold_on_every_processor),
		UNIT_TEST(kernels_of_many_tables_fold_into_one),
		UNIT_TEST(kernels_do_not_fold_into_what_goes),
		UNIT_TEST(kernels_that_are_wanted_stay_when_they_fold),
		UNIT_TEST(kernels_fold_when_they_call_each_other),
		UNIT_TEST(kernels_fold_with_the_functions_they_share),
		UNIT_TEST(kernels_with_another_constant_do_not_fold),
		UNIT_TEST(kernels_with_data_of_their_own_do_not_fold),
		UNIT_TEST(kernels_with_equal_distances_to_other_code_do_not_fold),
		UNIT_TEST(kernels_with_loops_fold),
		UNIT_TEST(kernels_fold_but_not_initialisers),
		UNIT_TEST(kernels_that_went_leave_a_message),
		UNIT_TEST(kernels_that_went_go_again),
#endif
		UNIT_TEST(kernels_for_aarch64_go_and_fold),
	};

	unit_suite("kernels", tests, sizeof tests / sizeof *tests);
}
