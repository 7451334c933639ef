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

void suite_layout(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(layout_that_moves_the_program_headers_leaves_them_where_the_loader_finds_them),
		UNIT_TEST(layout_that_moves_the_program_headers_does_so_without_compaction_too),
		UNIT_TEST(layout_changes_nothing_the_second_time_after_a_move),
		UNIT_TEST(layout_that_slides_the_program_headers_keeps_them_from_being_zeroed),
		UNIT_TEST(layout_gives_a_table_in_no_segment_one_and_leaves_it_there),
	};

	unit_suite("layout", tests, sizeof tests / sizeof *tests);
}
