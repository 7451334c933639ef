/*
 * Unit tests of image_prove(): a sound result passes, and each way to break
 * one is found. Where a break must be seen in the file alone, the list of
 * declared edits is emptied of it first.
 */
#include "suites.h"

#include <string.h>

#include "build_object.h"

static const char source[] = "int zeros[4000], data = 42; const int fixed = 7;\n"
			     "int answer(void) { return data + zeros[1]; }";

/* What every test starts from: a proven edit, and its bytes to change. */
static struct {
	struct elf old, new;
	struct image_result result;
} t;

static void setup(void)
{
	static const struct image_edits edits = {.soname = "libq.so", .compact = true, .page = 4096};
	struct error err = {""};

	t.old = object_compile("-Wl,-soname,liblonger.so", source);
	CU_ASSERT_EQUAL_FATAL(image_edit(object_arena(), t.old.bytes, &edits, &t.result, &err), 0);
	CU_ASSERT_EQUAL_FATAL(image_prove(t.old.bytes, &t.result, 4096, &err), 0);
	t.new = object_open(t.result.bytes);
	t.result.bytes = t.new.bytes;
}

static void expect(const char *why)
{
	struct error err = {""};

	CU_ASSERT_EQUAL(image_prove(t.old.bytes, &t.result, 4096, &err), *why ? ERROR_VERIFY : 0);
	CU_ASSERT(strstr(err.message, why) != NULL);
	if (!strstr(err.message, why))
		UNIT_ASSERT_TEXT(err.message, why);
	object_forget();
}

static Elf64_Phdr *load(unsigned n)
{
	return object_phdr(&t.new, PT_LOAD, n);
}

static void prove_accepts_a_sound_result(void)
{
	setup();
	expect("");
}

static void prove_finds_a_changed_byte(void)
{
	static const char *const sections[] = {".text",	  ".rodata",   ".data",
					       ".dynsym", ".gnu.hash", ".rela.dyn"};

	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		setup();
		t.new.p[object_section(&t.new, sections[i])->sh_offset] ^= 1;
		expect("live bytes differ");
	}
}

static void prove_finds_changed_permissions(void)
{
	setup();
	load(1)->p_flags |= PF_W;
	expect("permissions differ");
	setup();
	load(3)->p_flags &= ~(Elf64_Word)PF_W;
	expect("permissions differ");
}

static void prove_finds_a_wrong_offset(void)
{
	setup();
	load(3)->p_offset -= 4096; /* congruent, but other bytes */
	expect("a program header describes bytes that are not loaded");
	setup();
	load(1)->p_offset += 16;
	expect("not congruent");
}

static void prove_finds_a_segment_that_went(void)
{
	setup();
	load(2)->p_type = PT_NULL;
	expect("describes bytes that are not loaded");
	setup();
	load(1)->p_type = PT_NULL;
	expect("section headers disagree with segments");
}

static void prove_finds_a_dropped_section(void)
{
	const Elf64_Shdr *text;

	setup();
	text = object_section(&t.new, ".text");
	t.result.dropped = arena_array(object_arena(), 1, sizeof *t.result.dropped);
	t.result.dropped[0] = (struct range){text->sh_addr, text->sh_addr + 1};
	t.result.nr_dropped = 1;
	expect("a loaded section was dropped");
}

static void prove_finds_zeroed_memory_of_another_length(void)
{
	setup();
	load(3)->p_memsz -= 4096;
	expect("zeroed memory differs");
	setup();
	load(3)->p_memsz += 8;
	expect("zeroed memory differs");
	setup();
	load(3)->p_memsz = load(3)->p_filesz;
	expect("zeroed memory differs");
}

static void prove_finds_an_alignment_below_the_page(void)
{
	setup();
	load(1)->p_align = 8;
	expect("alignment is below the page size");
}

static void prove_finds_program_headers_that_are_not_loaded(void)
{
	size_t n, at;
	uint8_t *bytes;

	setup();
	n = t.new.ehdr->e_phnum * sizeof(Elf64_Phdr);
	at = (t.new.bytes.n + 7) & ~(size_t)7;
	bytes = arena_alloc(object_arena(), at + n);
	memcpy(bytes, t.new.p, t.new.bytes.n);
	memcpy(bytes + at, t.new.phdrs, n);
	((Elf64_Ehdr *)(void *)bytes)->e_phoff = at;
	t.result.bytes = (struct span){bytes, at + n};
	expect("the program headers");
}

static void prove_finds_a_changed_description(void)
{
	setup();
	object_phdr(&t.new, PT_GNU_RELRO, 0)->p_memsz += 4096;
	expect("a segment's description differs");
	setup();
	object_phdr(&t.new, PT_GNU_STACK, 0)->p_flags |= PF_X;
	expect("a segment's description differs");
	setup();
	object_phdr(&t.new, PT_GNU_EH_FRAME, 0)->p_offset += 4;
	expect("a program header describes bytes that are not loaded");
}

static void prove_finds_what_is_no_object_any_more(void)
{
	setup();
	t.result.bytes.n = 100;
	expect("program headers lie beyond the end of the file");
	setup();
	t.new.p[1] = 'X';
	expect("not an ELF file");
}

void suite_prove(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(prove_accepts_a_sound_result),
		UNIT_TEST(prove_finds_a_changed_byte),
		UNIT_TEST(prove_finds_changed_permissions),
		UNIT_TEST(prove_finds_a_wrong_offset),
		UNIT_TEST(prove_finds_a_segment_that_went),
		UNIT_TEST(prove_finds_a_dropped_section),
		UNIT_TEST(prove_finds_zeroed_memory_of_another_length),
		UNIT_TEST(prove_finds_an_alignment_below_the_page),
		UNIT_TEST(prove_finds_program_headers_that_are_not_loaded),
		UNIT_TEST(prove_finds_a_changed_description),
		UNIT_TEST(prove_finds_what_is_no_object_any_more),
	};

	unit_suite("prove", tests, sizeof tests / sizeof *tests);
}
