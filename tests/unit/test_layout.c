/*
 * Unit tests of where src/image/layout.c puts things, on objects the compiler
 * made; sections.c and write.c come with it.
 */
#include "suites.h"

#include <stdio.h>
#include <string.h>

#include "build_object.h"

#define LONG_NAME "libneeded-with-a-name-that-is-a-good-deal-longer-than-the-one-it-replaces.so.1"

static const struct image_edits compact = {.compact = true, .page = 4096};
static const struct image_edits outgrow = {
	.needed = NULL,
	.soname = LONG_NAME,
	.compact = true,
	.page = 4096,
};

/* Asks the loader for its own program headers: what the unwinder, dladdr and
 * RTLD_NEXT go by. Enough zeroed memory follows .data to cover a page. */
static const char asks_for_headers[] =
	"#define _GNU_SOURCE\n#include <link.h>\n"
	"char zeros[8192]; int data = 1;\n"
	"static int look(struct dl_phdr_info *info, size_t n, void *found) {\n"
	"	for (int i = 0; i < info->dlpi_phnum; i++) {\n"
	"		const ElfW(Phdr) *p = &info->dlpi_phdr[i];\n"
	"		char *from = (char *)info->dlpi_addr + p->p_vaddr;\n"
	"		if (p->p_type == PT_LOAD && (char *)look >= from && (char *)look < from + "
	"p->p_memsz)\n"
	"			*(int *)found = 42;\n"
	"	}\n"
	"	return 0;\n"
	"}\n"
	"int answer(void) { int found = 0; dl_iterate_phdr(look, &found); return found; }\n";

static void layout_that_moves_the_program_headers_leaves_them_where_the_loader_finds_them(void)
{
	struct elf elf = object_compile("-Wl,-soname,libx.so", asks_for_headers), new;

	CU_ASSERT_EQUAL(object_run(elf.bytes), 42);
	new = object_edit(elf.bytes, &outgrow);
	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT(new.ehdr->e_phoff != sizeof(Elf64_Ehdr));
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

static void layout_that_moves_the_program_headers_does_so_without_compaction_too(void)
{
	struct elf elf = object_compile("-s -Wl,-soname,libx.so", asks_for_headers), new;
	struct image_edits edits = outgrow;

	edits.compact = false;
	new = object_edit(elf.bytes, &edits);
	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT(new.ehdr->e_phoff != sizeof(Elf64_Ehdr));
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

static void layout_changes_nothing_the_second_time_after_a_move(void)
{
	struct elf elf = object_compile("-Wl,-soname,libx.so", asks_for_headers);
	struct elf once = object_edit(elf.bytes, &outgrow), twice = object_edit(once.bytes, &outgrow);
	struct elf only_compact = object_edit(once.bytes, &compact);

	CU_ASSERT_FATAL(once.p && twice.p && only_compact.p);
	CU_ASSERT(span_equal(once.bytes, twice.bytes));
	CU_ASSERT(span_equal(once.bytes, only_compact.bytes));
	object_forget();
}

static void layout_that_slides_the_program_headers_keeps_them_from_being_zeroed(void)
{
	/* They lie behind debug info, far from .data's zeroed page, until that goes. */
	struct elf elf = object_compile("-g3 -Wl,-soname,libx.so", asks_for_headers), moved, new;
	struct image_edits edits = outgrow;

	edits.compact = false;
	moved = object_edit(elf.bytes, &edits);
	CU_ASSERT_FATAL(moved.p != NULL);
	CU_ASSERT(moved.ehdr->e_phoff % 4096 != 0);
	CU_ASSERT_EQUAL(object_run(moved.bytes), 42);
	new = object_edit(moved.bytes, &compact);
	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

/* What old rewriters do: the table at the file's end, in no segment. */
static struct elf put_table_at_the_end(struct elf elf)
{
	size_t n = elf.ehdr->e_phnum * sizeof(Elf64_Phdr);
	uint8_t *bytes = arena_alloc(object_arena(), elf.bytes.n + n + 8);
	size_t at = (elf.bytes.n + 7) & ~(size_t)7;

	memcpy(bytes, elf.p, elf.bytes.n);
	memcpy(bytes + at, elf.phdrs, n);
	elf = object_open((struct span){bytes, at + n});
	elf.ehdr->e_phoff = at;
	return object_open(elf.bytes);
}

static void layout_gives_a_table_in_no_segment_one_and_leaves_it_there(void)
{
	struct elf elf = put_table_at_the_end(object_compile("-Wl,-soname,libx.so", asks_for_headers));
	struct elf once = object_edit(elf.bytes, &compact), twice;

	CU_ASSERT_FATAL(once.p != NULL);
	CU_ASSERT_EQUAL(object_run(once.bytes), 42);
	twice = object_edit(once.bytes, &compact);
	CU_ASSERT_FATAL(twice.p != NULL);
	CU_ASSERT(span_equal(once.bytes, twice.bytes));
	object_forget();
}

static void layout_parts_segments_that_touch(void)
{
	struct elf elf = object_compile("", "int answer(void) { return 42; }"), new;
	Elf64_Phdr *code = object_phdr(&elf, PT_LOAD, 1), *data = object_phdr(&elf, PT_LOAD, 2);
	Elf64_Shdr *fini = object_section(&elf, ".fini");

	/* lld -z separate-loadable-segments fills the last page of code. */
	CU_ASSERT_FATAL(code->p_vaddr + 4096 == data->p_vaddr);
	code->p_filesz = code->p_memsz = 4096;
	fini->sh_size = data->p_vaddr - fini->sh_addr;
	new = object_edit(elf.bytes, &compact);
	UNIT_ASSERT_TEXT(object_error(), "");
	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT_EQUAL(object_phdr(&new, PT_LOAD, 1)->p_filesz, 4096);
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

/* Page-aligned sections, of which the third loses its header and its bytes. */
static struct elf compile_with_a_dead_page(void)
{
	static const char pages[] =
		"__attribute__((aligned(4096), section(\".one\"))) static char one[4096] = {40};\n"
		"__attribute__((aligned(4096), section(\".two\"))) static char two[12288] = {1};\n"
		"__attribute__((aligned(4096), section(\".end\"))) static char end[4096] = {2};\n"
		"int answer(void) { return one[0] + end[0]; } char *uses(void) { return two; }\n";
	struct elf elf = object_compile("-O0", pages);

	object_section(&elf, ".two")->sh_size = 0;
	return elf;
}

static void layout_drops_dead_pages_of_objects_whose_tables_were_moved_only(void)
{
	static const struct image_edits longer = {
		.search_path = "$ORIGIN/a/path/that/fits/in/no/gap/of/the/string/table",
		.search_kind = SEARCH_RPATH,
		.page = 4096,
	};
	/* Outgrows that again, so that the program headers get room for the cut. */
	static const struct image_edits longest = {
		.search_path = "$ORIGIN/a/path/that/fits/in/no/gap/of/the/string/table/and/goes/on/and/on",
		.search_kind = SEARCH_RPATH,
		.compact = true,
		.page = 4096,
	};
	struct elf elf = compile_with_a_dead_page(), new = object_edit(elf.bytes, &compact), moved;

	/* A linker leaves no page dead: the header may lie. */
	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT(new.bytes.n > 12288);
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	moved = object_edit(elf.bytes, &longer);
	CU_ASSERT_FATAL(moved.p != NULL);
	new = object_edit(moved.bytes, &longest);
	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT(moved.bytes.n - new.bytes.n >= 12288);
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

static void layout_lowers_alignments_nothing_asks_for(void)
{
	struct elf elf = object_compile("-Wl,-z,max-page-size=2097152 -Wl,-z,noseparate-code",
					"int data = 42; int answer(void) { return data; }");
	struct elf new = object_edit(elf.bytes, &compact);

	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT_EQUAL(object_phdr(&elf, PT_LOAD, 1)->p_align, 2097152);
	CU_ASSERT_EQUAL(object_phdr(&new, PT_LOAD, 1)->p_align, 4096);
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

static void layout_keeps_an_alignment_a_section_asks_for(void)
{
	static const char wide[] =
		"#include <stdint.h>\n__attribute__((aligned(65536))) char data[10] = {1};\n"
		"int answer(void) { return (uintptr_t)data % 65536 ? 1 : 42; }";
	struct elf elf = object_compile("", wide), new = object_edit(elf.bytes, &compact);

	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT_EQUAL(object_phdr(&new, PT_LOAD, 0)->p_align, 65536);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

static void layout_aligns_for_the_largest_page_of_the_platform(void)
{
	static const struct image_edits large = {.compact = true, .page = 65536};
	struct elf elf = object_compile("-Wl,-z,max-page-size=65536",
					"int data = 42; int answer(void) { return data; }");
	struct elf new = object_edit(elf.bytes, &large);

	CU_ASSERT_FATAL(new.p != NULL);
	for (unsigned i = 0; object_phdr(&new, PT_LOAD, i); i++) {
		const Elf64_Phdr *load = object_phdr(&new, PT_LOAD, i);

		CU_ASSERT_EQUAL(load->p_align, 65536);
		CU_ASSERT_EQUAL((load->p_vaddr - load->p_offset) % 65536, 0);
	}
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

static void layout_renumbers_sections_and_what_refers_to_them(void)
{
	struct elf elf = object_compile("-g", "int data = 42; int answer(void) { return data; }");
	struct elf new = object_edit(elf.bytes, &compact);
	const Elf64_Shdr *dynsym, *needs;

	CU_ASSERT_FATAL(new.p != NULL);
	dynsym = object_section(&new, ".dynsym");
	needs = object_section(&new, ".gnu.version_r");
	CU_ASSERT_PTR_EQUAL(&new.shdrs[dynsym->sh_link], object_section(&new, ".dynstr"));
	if (needs) /* a count, not a section */
		CU_ASSERT_EQUAL(needs->sh_info, object_section(&elf, ".gnu.version_r")->sh_info);
	CU_ASSERT_PTR_EQUAL(&new.shdrs[new.ehdr->e_shstrndx], object_section(&new, ".shstrtab"));
	CU_ASSERT(new.ehdr->e_shnum < elf.ehdr->e_shnum);
	object_forget();
}

static void layout_lets_descriptions_without_memory_follow_their_bytes(void)
{
	struct image_edits edits = {.compact = true, .page = 4096};
	struct elf elf = object_compile("", "int answer(void) { return 42; }"), new;

	object_phdr(&elf, PT_GNU_RELRO, 0)->p_memsz = 0;
	new = object_edit(elf.bytes, &edits);
	UNIT_ASSERT_TEXT(object_error(), "");
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

/* It asks for an offset, and the section headers may all lie before that. */
static void layout_keeps_a_segment_of_zeroed_memory_inside_the_file(void)
{
	struct image_edits edits = {.compact = true, .page = 4096};
	struct elf elf = object_compile("-s", "int answer(void) { return 42; }"), new;
	Elf64_Phdr *stack = object_phdr(&elf, PT_GNU_STACK, 0);

	*stack = (Elf64_Phdr){.p_type = PT_LOAD,
			      .p_flags = PF_R | PF_W,
			      .p_offset = 0xff0,
			      .p_vaddr = 0x100ff0,
			      .p_paddr = 0x100ff0,
			      .p_memsz = 16,
			      .p_align = 4096};
	new = object_edit(elf.bytes, &edits);
	UNIT_ASSERT_TEXT(object_error(), "");
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	object_forget();
}

static void layout_refuses_section_names_that_are_loaded(void)
{
	struct image_edits edits = {.compact = true, .page = 4096};
	struct elf elf = object_compile("", "int answer(void) { return 42; }");

	elf.ehdr->e_shstrndx = (uint16_t)(object_section(&elf, ".dynstr") - elf.shdrs);
	CU_ASSERT_PTR_NULL(object_edit(elf.bytes, &edits).p);
	UNIT_ASSERT_TEXT(object_error(), "the section names are loaded");
	object_forget();
}

void suite_layout(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(layout_that_moves_the_program_headers_leaves_them_where_the_loader_finds_them),
		UNIT_TEST(layout_that_moves_the_program_headers_does_so_without_compaction_too),
		UNIT_TEST(layout_changes_nothing_the_second_time_after_a_move),
		UNIT_TEST(layout_that_slides_the_program_headers_keeps_them_from_being_zeroed),
		UNIT_TEST(layout_gives_a_table_in_no_segment_one_and_leaves_it_there),
		UNIT_TEST(layout_parts_segments_that_touch),
		UNIT_TEST(layout_drops_dead_pages_of_objects_whose_tables_were_moved_only),
		UNIT_TEST(layout_lowers_alignments_nothing_asks_for),
		UNIT_TEST(layout_keeps_an_alignment_a_section_asks_for),
		UNIT_TEST(layout_aligns_for_the_largest_page_of_the_platform),
		UNIT_TEST(layout_renumbers_sections_and_what_refers_to_them),
		UNIT_TEST(layout_lets_descriptions_without_memory_follow_their_bytes),
		UNIT_TEST(layout_keeps_a_segment_of_zeroed_memory_inside_the_file),
		UNIT_TEST(layout_refuses_section_names_that_are_loaded),
	};

	unit_suite("layout", tests, sizeof tests / sizeof *tests);
}
