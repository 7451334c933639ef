/*
 * Unit tests of image_edit() on files no linker makes but some tool does, and
 * of what it refuses. Files are made by the compiler and bent by hand.
 */
#include "suites.h"

#include <stdio.h>
#include <string.h>

#include "build_object.h"

static const struct image_edits compact = {.compact = true, .page = 4096};
static const struct image_edits new_soname = {.soname = "libq.so", .compact = true, .page = 4096};

static const char plain[] = "#include <stdlib.h>\n"
			    "int zeros[64], data = 41;\n"
			    "int answer(void) { return data + abs(1) + zeros[3]; }";

static struct elf build(void)
{
	return object_compile("-Wl,-soname,libwith-some-name.so.1 -Wl,--build-id", plain);
}

/* The edit is refused, for this reason. */
static void expect_refused(struct span bytes, const struct image_edits *edits, const char *why)
{
	CU_ASSERT_PTR_NULL(object_edit(bytes, edits).p);
	CU_ASSERT_EQUAL(object_error_kind(), ERROR_REFUSED);
	UNIT_ASSERT_TEXT(object_error(), why);
	object_forget();
}

/* The edit is made, and the object answers as before. */
static struct elf expect_answer(struct span bytes, const struct image_edits *edits)
{
	struct elf new = object_edit(bytes, edits);

	UNIT_ASSERT_TEXT(object_error(), "");
	CU_ASSERT(new.p != NULL);
	if (new.p)
		CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	return new;
}

static const char *soname_of(const struct elf *elf)
{
	const Elf64_Dyn *soname = object_dynamic(elf, DT_SONAME);
	const Elf64_Shdr *dynstr = object_section(elf, ".dynstr");

	return (const char *)elf->p + dynstr->sh_offset + soname->d_un.d_val;
}

/* --------- edits ------------------ */

static void image_edit_changes_a_soname_in_place(void)
{
	struct elf elf = build(), new = expect_answer(elf.bytes, &new_soname);

	UNIT_ASSERT_TEXT(soname_of(&new), "libq.so");
	CU_ASSERT_EQUAL(new.ehdr->e_phoff, elf.ehdr->e_phoff);
	object_forget();
}

static void image_edit_without_edits_and_compaction_changes_nothing(void)
{
	static const struct image_edits nothing = {.page = 4096};
	struct elf elf = build(), new = expect_answer(elf.bytes, &nothing);

	CU_ASSERT(span_equal(elf.bytes, new.bytes));
	object_forget();
}

static void image_edit_is_idempotent(void)
{
	struct elf once = expect_answer(build().bytes, &new_soname);
	struct elf twice = expect_answer(once.bytes, &new_soname);

	CU_ASSERT(span_equal(once.bytes, twice.bytes));
	object_forget();
}

static void image_edit_drops_symbol_tables_and_keeps_unknown_sections(void)
{
	struct elf elf = object_compile("-g", plain), new;

	elf = object_filter(elf.bytes, "echo payload >p && objcopy --add-section .mine=p \"$1\"");
	new = expect_answer(elf.bytes, &compact);
	CU_ASSERT_PTR_NULL(object_section(&new, ".symtab"));
	CU_ASSERT_PTR_NULL(object_section(&new, ".debug_info"));
	CU_ASSERT_PTR_NULL(object_section(&new, ".comment"));
	CU_ASSERT_FATAL(object_section(&new, ".mine") != NULL);
	CU_ASSERT(!memcmp(new.p + object_section(&new, ".mine")->sh_offset, "payload\n", 8));
	object_forget();
}

static void image_edit_adds_a_search_path_of_the_wanted_kind(void)
{
	static const struct image_edits rpath = {
		.search_path = "$ORIGIN", .search_kind = SEARCH_RPATH, .compact = true, .page = 4096};
	static const struct image_edits runpath = {
		.search_path = "$ORIGIN", .search_kind = SEARCH_RUNPATH, .compact = true, .page = 4096};
	struct elf new = expect_answer(build().bytes, &rpath);

	CU_ASSERT_PTR_NOT_NULL(object_dynamic(&new, DT_RPATH));
	new = expect_answer(new.bytes, &runpath); /* it has one: its kind stays */
	CU_ASSERT_PTR_NULL(object_dynamic(&new, DT_RUNPATH));
	new = expect_answer(build().bytes, &runpath);
	CU_ASSERT_PTR_NOT_NULL(object_dynamic(&new, DT_RUNPATH));
	object_forget();
}

static void image_edit_without_spare_dynamic_entries_gives_up_relacount(void)
{
	static const struct image_edits path = {.search_path = "$ORIGIN", .compact = true, .page = 4096};
	struct elf elf = object_compile("-Wl,-z,now -Wl,--spare-dynamic-tags=1", plain), new;

	new = expect_answer(elf.bytes, &path);
	CU_ASSERT_PTR_NOT_NULL(object_dynamic(&elf, DT_RELACOUNT));
	CU_ASSERT_PTR_NULL(object_dynamic(&new, DT_RELACOUNT));
	object_forget();
}

static void image_edit_renames_needed_and_version_need_together(void)
{
	static const struct rename rename = {"libdep-one.so.1", "libd.so.1"};
	static const struct image_edits edits = {
		.needed = &rename, .nr_needed = 1, .compact = true, .page = 4096};
	static const char uses[] = "int dep(void); int answer(void) { return dep(); }";
	struct elf dep, elf, new;

	object_file("dep.map", (struct span){(const uint8_t *)"D_1 { global: dep; };", 21});
	dep = object_compile("-Wl,-soname,libdep-one.so.1 -Wl,--version-script=DIR/dep.map",
			     "int dep(void) { return 42; }");
	object_file("libdep.so", dep.bytes);
	object_file("libd.so.1", dep.bytes);
	elf = object_compile("-LDIR -ldep -Wl,-rpath,DIR", uses);
	new = expect_answer(elf.bytes, &edits);
	CU_ASSERT_PTR_NULL(memmem(new.p, new.bytes.n, "libdep-one", 10));
	object_forget();
}

static void image_edit_lets_two_version_needs_name_one_file(void)
{
	static const struct rename renames[] = {{"libone.so.1", "libboth.so.1"},
						{"libtwo.so.1", "libboth.so.1"}};
	static const struct image_edits edits = {
		.needed = renames, .nr_needed = 2, .compact = true, .page = 4096};
	static const char map[] = "V_1 { global: one; }; V_2 { global: two; };";
	static const char defines[] = "int one(void) { return 40; } int two(void) { return 2; }";
	struct elf elf;

	object_file("both.map", (struct span){(const uint8_t *)map, strlen(map)});
	object_file("libone.so", object_compile("-Wl,-soname,libone.so.1 -Wl,--version-script=DIR/both.map",
						"int one(void) { return 40; }")
					 .bytes);
	object_file("libtwo.so", object_compile("-Wl,-soname,libtwo.so.1 -Wl,--version-script=DIR/both.map",
						"int two(void) { return 2; }")
					 .bytes);
	object_file(
		"libboth.so.1",
		object_compile("-Wl,-soname,libboth.so.1 -Wl,--version-script=DIR/both.map", defines).bytes);
	elf = object_compile("-LDIR -lone -ltwo -Wl,-rpath,DIR",
			     "int one(void), two(void); int answer(void) { return one() + two(); }");
	/* glibc minds neither two NEEDED entries of one name nor two version needs. */
	expect_answer(elf.bytes, &edits);
	object_forget();
}

/* --------- bent files ------------------ */

static void image_edit_takes_objects_without_section_headers(void)
{
	struct elf elf = build();

	object_drop_sections(&elf);
	CU_ASSERT_EQUAL(object_run(elf.bytes), 42);
	expect_answer(elf.bytes, &compact);
	expect_answer(elf.bytes, &new_soname);
	object_forget();
}

static void image_edit_without_section_headers_keeps_names_no_hash_table_counts(void)
{
	static const struct image_edits longer = {
		.soname = "libas-long-as-a-few-of-the-imported-names.so", .compact = true, .page = 4096};
	/* GNU ld writes an empty .gnu.hash for an object that exports nothing,
	 * which says nothing of the symbols it imports. */
	static const char silent[] = "#include <unistd.h>\n#include <stdlib.h>\n#include <string.h>\n"
				     "__attribute__((constructor)) static void run(void) {\n"
				     "	_exit(abs(-40) + (int)strlen(getenv(\"PATH\") ? \"ab\" : \"\")); }";
	struct elf elf = object_compile("-Wl,--hash-style=gnu -Wl,-z,now -Wl,-soname,libwith-some-name.so.1",
					silent);

	object_drop_sections(&elf);
	CU_ASSERT_EQUAL(object_run(elf.bytes), 42);
	expect_answer(elf.bytes, &longer);
	object_forget();
}

static void image_edit_refuses_a_string_table_that_reaches_into_other_sections(void)
{
	struct elf elf = build();

	/* What lies behind .dynstr is no free room, whatever DT_STRSZ says. */
	object_dynamic(&elf, DT_STRSZ)->d_un.d_val += 64;
	CU_ASSERT_EQUAL(object_run(elf.bytes), 42);
	expect_refused(elf.bytes, &new_soname, "a table lies inside the dynamic string table");
}

static void image_edit_refuses_names_outside_the_string_table(void)
{
	struct elf elf = build();

	object_dynamic(&elf, DT_STRSZ)->d_un.d_val = 8;
	expect_refused(elf.bytes, &new_soname, "a name lies outside the dynamic string table");
}

static void image_edit_keeps_pages_that_relr_relocations_point_into(void)
{
	/* A page of data, and a pointer to it, that no section header owns. */
	static const char pages[] =
		"__attribute__((aligned(4096), section(\".first\"))) char first[4096] = {1};\n"
		"__attribute__((aligned(4096), section(\".owned\"))) char owned[8192] = {42};\n"
		"__attribute__((section(\".points\"))) char *points = owned + 4097;\n"
		"__attribute__((aligned(4096), section(\".then\"))) char then[8192] = {1};\n"
		"__attribute__((visibility(\"default\"))) int answer(void) { return points[-4097] + first[1] + then[1] + *points; }";
	struct elf elf = object_compile("-O0 -Wl,-z,pack-relative-relocs -fvisibility=hidden "
					"-Wl,-soname,libwith-some-name.so.1",
					pages);
	Elf64_Shdr *owned = object_section(&elf, ".owned"), *points = object_section(&elf, ".points");

	CU_ASSERT_PTR_NOT_NULL(object_dynamic(&elf, DT_RELR));
	owned->sh_size = 8;
	points->sh_size = 0;
	elf.ehdr->e_phnum--; /* PT_GNU_RELRO makes room for one more segment */
	expect_answer(elf.bytes, &compact);
	object_forget();
}

static void image_edit_pads_for_a_page_the_first_address_is_no_multiple_of(void)
{
	/* The ELF header must stay at the file's start. */
	static const struct image_edits large = {.compact = true, .page = 65536};
	struct elf elf = object_compile("-Wl,-Ttext-segment=0x1000 -Wl,-z,max-page-size=4096", plain);

	expect_refused(elf.bytes, &large, "the first segment's address is no multiple of the page size");
}

/* One more segment, far up in the address space, whose bytes in the file lie
 * before those of others: no offset behind theirs is congruent for a long way. */
static void bend_alignments(struct elf *elf)
{
	*object_phdr(elf, PT_GNU_STACK, 0) = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_offset = 64,
		.p_vaddr = ((uint64_t)1 << 40) + 64,
		.p_filesz = 8,
		.p_memsz = 8,
		.p_align = (uint64_t)1 << 40,
	};
}

static void image_edit_is_not_led_to_huge_files_by_wild_alignments(void)
{
	struct elf elf = build();

	object_section(&elf, ".comment")->sh_addralign = (uint64_t)1 << 62;
	expect_answer(elf.bytes, &compact); /* .comment goes */
	object_section(&elf, ".shstrtab")->sh_addralign = (uint64_t)1 << 62;
	expect_answer(elf.bytes, &compact);
	elf = object_filter(build().bytes, "echo payload >p && objcopy --add-section .mine=p \"$1\"");
	object_section(&elf, ".mine")->sh_addralign = UINT64_MAX;
	expect_answer(elf.bytes, &compact);
	elf = build();
	object_drop_sections(&elf);
	bend_alignments(&elf);
	expect_refused(elf.bytes, &compact, "the new file would be much larger");
}

static void image_edit_takes_objects_with_emitted_relocations(void)
{
	struct elf elf = object_compile("-Wl,--emit-relocs", plain), new = expect_answer(elf.bytes, &compact);

	/* They refer to .symtab, which goes. */
	CU_ASSERT_PTR_NOT_NULL(object_section(&elf, ".rela.text"));
	CU_ASSERT_PTR_NULL(object_section(&new, ".rela.text"));
	object_forget();
}

static void image_edit_takes_files_with_zeros_behind(void)
{
	struct elf elf = object_filter(build().bytes, "truncate -s +5000 \"$1\"");

	expect_answer(elf.bytes, &compact);
	elf = object_filter(elf.bytes, "echo payload >>\"$1\"");
	expect_refused(elf.bytes, &compact, "data follows the ELF image");
}

static void image_edit_refuses_what_it_does_not_understand(void)
{
	struct elf elf = build();

	elf.phdrs[1].p_type == PT_LOAD ? elf.phdrs[1].p_offset += 8 : (void)0;
	expect_refused(
		elf.bytes, &compact,
		"a segment's file offset is not congruent to its address (broken by an earlier strip?)");
	elf = build();
	elf.ehdr->e_type = ET_EXEC;
	expect_refused(elf.bytes, &compact, "not a shared object");
	elf = build();
	elf.ehdr->e_machine = EM_ARM;
	expect_refused(elf.bytes, &compact, "machine is neither x86-64 nor AArch64");
	elf = build();
	elf.ehdr->e_shnum = 0;
	expect_refused(elf.bytes, &compact, "unusual section header table");
	elf = build();
	object_phdr(&elf, PT_LOAD, 1)->p_vaddr = 0;
	expect_refused(elf.bytes, &compact, "loadable segments overlap or are not in order");
	elf = build();
	object_phdr(&elf, PT_NOTE, 0)->p_vaddr += 4096 * 100;
	expect_refused(elf.bytes, &compact, "a program header describes bytes that are not loaded");
	elf = build();
	object_phdr(&elf, PT_NOTE, 0)->p_type = PT_DYNAMIC;
	expect_refused(elf.bytes, &compact, "more than one dynamic segment");
	elf = build();
	object_section(&elf, ".text")->sh_offset += 16;
	expect_refused(elf.bytes, &compact, "section headers disagree with segments");
	elf = build();
	elf.bytes.n = 100;
	expect_refused(elf.bytes, &compact, "program headers lie beyond the end of the file");
}

static void image_check_agrees_with_image_edit(void)
{
	struct elf elf = build();
	struct error err = {""};

	CU_ASSERT_EQUAL(image_check(elf.bytes, &err), 0);
	elf.ehdr->e_type = ET_REL;
	CU_ASSERT_EQUAL(image_check(elf.bytes, &err), ERROR_REFUSED);
	UNIT_ASSERT_TEXT(err.message, "not a shared object");
	object_forget();
}

static void image_symbols_are_counted_by_either_hash_table(void)
{
	struct elf gnu = object_compile("-Wl,--hash-style=gnu", plain);
	struct elf sysv = object_compile("-Wl,--hash-style=sysv", plain);
	size_t nr = object_section(&gnu, ".dynsym")->sh_size / sizeof(Elf64_Sym);

	CU_ASSERT_EQUAL(image_symbol_count(gnu.bytes), nr);
	object_drop_sections(&gnu);
	object_drop_sections(&sysv);
	CU_ASSERT_EQUAL(image_symbol_count(gnu.bytes), nr);
	CU_ASSERT_EQUAL(image_symbol_count(sysv.bytes), nr);
	CU_ASSERT_EQUAL(image_symbol_count((struct span){(const uint8_t *)"", 0}), 0);
	object_forget();
}

void suite_image(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(image_edit_changes_a_soname_in_place),
		UNIT_TEST(image_edit_without_edits_and_compaction_changes_nothing),
		UNIT_TEST(image_edit_is_idempotent),
		UNIT_TEST(image_edit_drops_symbol_tables_and_keeps_unknown_sections),
		UNIT_TEST(image_edit_adds_a_search_path_of_the_wanted_kind),
		UNIT_TEST(image_edit_without_spare_dynamic_entries_gives_up_relacount),
		UNIT_TEST(image_edit_renames_needed_and_version_need_together),
		UNIT_TEST(image_edit_lets_two_version_needs_name_one_file),
		UNIT_TEST(image_edit_takes_objects_without_section_headers),
		UNIT_TEST(image_edit_without_section_headers_keeps_names_no_hash_table_counts),
		UNIT_TEST(image_edit_refuses_a_string_table_that_reaches_into_other_sections),
		UNIT_TEST(image_edit_refuses_names_outside_the_string_table),
		UNIT_TEST(image_edit_keeps_pages_that_relr_relocations_point_into),
		UNIT_TEST(image_edit_pads_for_a_page_the_first_address_is_no_multiple_of),
		UNIT_TEST(image_edit_is_not_led_to_huge_files_by_wild_alignments),
		UNIT_TEST(image_edit_takes_objects_with_emitted_relocations),
		UNIT_TEST(image_edit_takes_files_with_zeros_behind),
		UNIT_TEST(image_edit_refuses_what_it_does_not_understand),
		UNIT_TEST(image_check_agrees_with_image_edit),
		UNIT_TEST(image_symbols_are_counted_by_either_hash_table),
	};

	unit_suite("image", tests, sizeof tests / sizeof *tests);
}
