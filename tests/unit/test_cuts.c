/*
 * Unit tests of where nothing may be cut out: src/image/cuts.c and holes.c. The
 * function that goes is four pages long; what a loader uses is then moved into it.
 */
#include "suites.h"

#include <stdio.h>
#include <string.h>

#include "build_object.h"

static const char source[] =
	"int value = 41;\n"
	"int *volatile pointer = &value;\n"
	"void large(void) { __asm__ volatile(\".balign 4096; .fill 16384, 1, 0x90\"); }\n"
	"int answer(void) { return *pointer + 1; }\n";

enum { PAGE = 4096 };

/* What one test cuts, with room to change it. */
static struct {
	struct elf elf;
	struct range dead;
	struct cuts cuts;
	struct image_edits edits;
} t;

/* Cuts two whole pages out of the large function. */
static void setup(const char *options)
{
	const Elf64_Shdr *text;

	t.elf = object_compile(options, source);
	text = object_section(&t.elf, ".text");
	t.dead.from = (text->sh_addr + 2 * PAGE) & ~(uint64_t)(PAGE - 1);
	t.dead.to = t.dead.from + 2 * PAGE;
	t.cuts = (struct cuts){.dead = &t.dead, .nr_dead = 1};
	t.edits = (struct image_edits){.cuts = &t.cuts, .compact = true, .page = PAGE};
}

static Elf64_Sym *symbol(unsigned i)
{
	return (Elf64_Sym *)(void *)(t.elf.p + object_section(&t.elf, ".dynsym")->sh_offset) + i;
}

static Elf64_Rela *relocation(void)
{
	return (Elf64_Rela *)(void *)(t.elf.p + object_section(&t.elf, ".rela.dyn")->sh_offset);
}

static void expect_refused(const char *why)
{
	CU_ASSERT_PTR_NULL(object_edit(t.elf.bytes, &t.edits).p);
	CU_ASSERT_EQUAL(object_error_kind(), ERROR_REFUSED);
	UNIT_ASSERT_TEXT(object_error(), why);
	object_forget();
}

static void cuts_leave_the_rest(void)
{
	struct elf new;

	setup("");
	new = object_edit(t.elf.bytes, &t.edits);
	UNIT_ASSERT_TEXT(object_error(), "");
	CU_ASSERT(new.bytes.n + PAGE < t.elf.bytes.n);
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

static const char used[] = "what is to be cut out is something that loaders use as well";

static void cuts_leave_no_hole_where_a_relocation_writes(void)
{
	setup("");
	relocation()->r_offset = t.dead.from + 100;
	expect_refused(used);
	setup("");
	relocation()->r_offset = t.dead.from - 4;
	expect_refused(used);
}

static void cuts_leave_no_hole_where_a_packed_relocation_writes(void)
{
	Elf64_Shdr *relr;

	setup("-Wl,-z,pack-relative-relocs");
	relr = object_section(&t.elf, ".relr.dyn");
	if (relr)
		memcpy(t.elf.p + relr->sh_offset, &t.dead.from, sizeof t.dead.from);
	expect_refused(used);
}

static void cuts_leave_no_hole_where_the_loader_calls(void)
{
	setup("");
	object_dynamic(&t.elf, DT_INIT)->d_un.d_ptr = t.dead.from + 8;
	expect_refused(used);
}

static void cuts_leave_no_hole_in_the_headers(void)
{
	setup("-Wl,-z,noseparate-code");
	t.dead = (struct range){0, PAGE};
	expect_refused("what is to be cut out is a table that loaders use, or changed");
	setup("-Wl,-z,noseparate-code");
	t.dead = (struct range){0, sizeof(Elf64_Ehdr)};
	expect_refused(used);
}

static void cuts_leave_no_hole_in_what_two_sections_share(void)
{
	setup("");
	object_section(&t.elf, ".fini")->sh_addr = t.dead.from + 16;
	object_section(&t.elf, ".fini")->sh_offset = object_section(&t.elf, ".text")->sh_offset +
						     (t.dead.from + 16 -
						      object_section(&t.elf, ".text")->sh_addr);
	expect_refused(used);
}

static void cuts_leave_no_hole_where_a_change_goes(void)
{
	static const uint8_t trap = 0xcc;
	struct patch patch = {0, {&trap, 1}};

	setup("");
	patch.vaddr = t.dead.from + 1;
	t.cuts.patches = &patch;
	t.cuts.nr_patches = 1;
	expect_refused("what is to be cut out is a table that loaders use, or changed");
}

static void cuts_need_names_that_can_be_compared(void)
{
	setup("");
	symbol(1)->st_name = 0x7fffffff;
	expect_refused("a symbol's name lies outside the string table");
}

static bool *gone(const char *name)
{
	const Elf64_Shdr *dynsym = object_section(&t.elf, ".dynsym");
	const char *names = (const char *)t.elf.p + object_section(&t.elf, ".dynstr")->sh_offset;
	unsigned nr = (unsigned)(dynsym->sh_size / sizeof(Elf64_Sym)), i;
	bool *flags = arena_array(object_arena(), nr, sizeof *flags);

	for (i = 1; i < nr; i++)
		flags[i] = !strcmp(names + symbol(i)->st_name, name);
	t.cuts.nr_gone = nr;
	return flags;
}

/* Relocations of what goes would name it. */
static void cuts_need_an_empty_first_symbol(void)
{
	setup("");
	t.cuts.gone = gone("large");
	symbol(0)->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC);
	expect_refused("the first symbol is not the empty one");
}

static void cuts_need_a_symbol_section_that_is_loaded(void)
{
	setup("");
	t.cuts.gone = gone("large");
	object_section(&t.elf, ".dynsym")->sh_flags = 0;
	expect_refused("the symbol table and its section disagree");
}

static void cuts_need_names_that_are_there_once(void)
{
	const Elf64_Shdr *dynsym;
	unsigned nr, i;

	setup("-Wl,--hash-style=sysv");
	t.cuts.gone = gone("large");
	dynsym = object_section(&t.elf, ".dynsym");
	nr = (unsigned)(dynsym->sh_size / sizeof(Elf64_Sym));
	for (i = 1; i < nr; i++)
		if (symbol(i)->st_shndx != SHN_UNDEF && !t.cuts.gone[i])
			break;
	for (unsigned k = 1; k < nr; k++)
		if (t.cuts.gone[k])
			symbol(i)->st_name = symbol(k)->st_name;
	expect_refused("one of two symbols of the same name is to go");
}

static void cuts_need_strings_outside_the_headers(void)
{
	setup("");
	object_dynamic(&t.elf, DT_STRTAB)->d_un.d_ptr = 8;
	expect_refused("the dynamic string table reaches over the headers");
}

/* As it takes minutes to look up a hundred thousand symbols of one chain. */
static void cuts_need_short_chains(void)
{
	char many[64 * 1024] = "", *end = many;
	unsigned i;
	uint32_t *hash, nr;

	for (i = 0; i < 2000; i++)
		end += sprintf(end, "int a%u;", i);
	t.elf = object_compile("-Wl,--hash-style=sysv", many);
	t.cuts = (struct cuts){.unwind = true};
	t.edits = (struct image_edits){.cuts = &t.cuts, .compact = true, .page = PAGE};
	hash = (uint32_t *)(void *)(t.elf.p + object_section(&t.elf, ".hash")->sh_offset);
	nr = hash[1];
	for (i = 1; i + 1 < nr; i++)
		hash[2 + hash[0] + i] = i + 1;
	for (i = 0; i < hash[0]; i++)
		hash[2 + i] = i == 0;
	expect_refused("a hash table has chains that are too long, or is broken");
}

void suite_cuts(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(cuts_leave_the_rest),
		UNIT_TEST(cuts_leave_no_hole_where_a_relocation_writes),
		UNIT_TEST(cuts_leave_no_hole_where_a_packed_relocation_writes),
		UNIT_TEST(cuts_leave_no_hole_where_the_loader_calls),
		UNIT_TEST(cuts_leave_no_hole_in_the_headers),
		UNIT_TEST(cuts_leave_no_hole_in_what_two_sections_share),
		UNIT_TEST(cuts_leave_no_hole_where_a_change_goes),
		UNIT_TEST(cuts_need_names_that_can_be_compared),
		UNIT_TEST(cuts_need_an_empty_first_symbol),
		UNIT_TEST(cuts_need_a_symbol_section_that_is_loaded),
		UNIT_TEST(cuts_need_names_that_are_there_once),
		UNIT_TEST(cuts_need_strings_outside_the_headers),
		UNIT_TEST(cuts_need_short_chains),
	};

	unit_suite("cuts", tests, sizeof tests / sizeof *tests);
}
