/*
 * Unit tests of symbols that go: src/image/symbols.c, hashes.c, relocations.c
 * and what prove_symbols.c says of them. The compiler makes the objects, the
 * loader is asked what it finds.
 */
#include "suites.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_object.h"

/* What is called gone_… goes. Each is referred to in a way of its own; answer()
 * needs only the table of pointers. */
static const char source[] =
	"#define PAIR(n) int gone_##n(void) { return n; } int kept_##n(void) { return n; }\n"
	"#define FOUR(n) PAIR(n##0) PAIR(n##1) PAIR(n##2) PAIR(n##3)\n"
	"FOUR(1) FOUR(2) FOUR(3) FOUR(4) FOUR(5) FOUR(6)\n"
	"int gone_called(int x) { return x; }\n"
	"int gone_taken(int x) { return x; }\n"
	"int gone_listed(int x) { return x; }\n"
	"int kept_called(int x) { return x; }\n"
	"int kept_listed(int x) { return x + 1; }\n"
	"int kept_data = 41;\n"
	"int (*volatile table[])(int) = {gone_listed, kept_listed};\n"
	"int call(void) { return gone_called(1); }\n"
	"int (*take(void))(int) { return gone_taken; }\n"
	"int answer(void) { return kept_called(table[0](kept_data)) + 1; }\n";

/* Options outlive the test. */
static const char *const styles[] = {"-Wl,--hash-style=gnu", "-Wl,--hash-style=sysv",
				     "-Wl,--hash-style=both"};
enum { GNU, SYSV, BOTH, NR_STYLES };

static struct elf build(int style)
{
	return object_compile(styles[style], source);
}

static bool starts_with(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static Elf64_Sym *symbols_of(const struct elf *elf, size_t *nr)
{
	Elf64_Shdr *dynsym = object_section(elf, ".dynsym");

	*nr = dynsym->sh_size / sizeof(Elf64_Sym);
	return (Elf64_Sym *)(void *)(elf->p + dynsym->sh_offset);
}

static const char *name_of(const struct elf *elf, const Elf64_Sym *symbol)
{
	return (const char *)elf->p + object_section(elf, ".dynstr")->sh_offset + symbol->st_name;
}

static size_t number_of(const struct elf *elf, const char *name)
{
	size_t nr;
	const Elf64_Sym *symbols = symbols_of(elf, &nr);

	for (size_t i = 1; i < nr; i++)
		if (!strcmp(name_of(elf, &symbols[i]), name))
			return i;
	return 0;
}

/* What one test cuts, with room to change it. */
static struct {
	struct cuts cuts;
	struct image_edits edits;
	bool *gone;
} t;

static struct image_edits *cut(const struct elf *elf, const char *prefix)
{
	size_t nr;
	const Elf64_Sym *symbols = symbols_of(elf, &nr);

	t.gone = arena_array(object_arena(), nr, sizeof *t.gone);
	for (size_t i = 1; i < nr; i++)
		t.gone[i] = starts_with(name_of(elf, &symbols[i]), prefix);
	t.cuts = (struct cuts){.gone = t.gone, .nr_gone = nr};
	t.edits = (struct image_edits){.cuts = &t.cuts, .compact = true, .page = 4096};
	return &t.edits;
}

static struct elf edit(struct span bytes, const struct image_edits *edits)
{
	struct elf new = object_edit(bytes, edits);

	UNIT_ASSERT_TEXT(object_error(), "");
	CU_ASSERT_FATAL(new.p != NULL);
	return new;
}

/* --------- asking the loader ------------------ */

/* A bit for each name there is, in order; "name@version" asks for that one. */
static int ask_loader(const char *path, const char *const names[])
{
	void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	int found = 0;

	if (!handle)
		fprintf(stderr, "%s\n", dlerror());
	for (int i = 0; handle && names[i]; i++) {
		const char *at = strchr(names[i], '@');
		char *name = at ? strndup(names[i], (size_t)(at - names[i])) : strdup(names[i]);

		if (at ? dlvsym(handle, name, at + 1) : dlsym(handle, name))
			found |= 1 << i;
		free(name);
	}
	return handle ? found : 128;
}

static int found(struct span bytes, const char *const names[])
{
	static unsigned nr;
	const char *path;
	char name[32];
	int status;
	pid_t child;

	snprintf(name, sizeof name, "symbols-%u.so", nr++);
	path = object_file(name, bytes);
	fflush(NULL);
	child = fork();
	if (!child)
		_exit(ask_loader(path, names));
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static const char *const some[] = {"kept_11", "gone_11", "kept_63", "gone_63", "answer", "gone_listed", NULL};
enum { ONLY_KEPT = 1 | 4 | 16 };

static bool lints(struct span bytes)
{
	struct elf said = object_filter(bytes, "eu-elflint --gnu-ld $1 > lint; mv lint $1");

	return said.bytes.n == strlen("No errors\n");
}

/* --------- what goes ------------------ */

static void symbols_that_go_are_not_found_and_others_are(void)
{
	for (int i = 0; i < NR_STYLES; i++) {
		struct elf elf = build(i), new;

		CU_ASSERT_EQUAL(found(elf.bytes, some), 63);
		new = edit(elf.bytes, cut(&elf, "gone_"));
		CU_ASSERT_EQUAL(found(new.bytes, some), ONLY_KEPT);
		CU_ASSERT_EQUAL(object_run(new.bytes), 42);
		object_forget();
	}
}

static void symbols_go_to_the_last(void)
{
	static const char *const none[] = {"kept_11", "answer", "kept_data", NULL};

	for (int i = 0; i < NR_STYLES; i++) {
		struct elf elf = build(i), new;
		size_t nr, undefined = 0;
		const Elf64_Sym *symbols = symbols_of(&elf, &nr);

		cut(&elf, "");
		for (size_t k = 0; k < nr; k++)
			t.gone[k] = symbols[k].st_shndx != SHN_UNDEF;
		new = edit(elf.bytes, &t.edits);
		CU_ASSERT_EQUAL(found(new.bytes, none), 0);
		for (size_t k = 0; k < nr; k++)
			undefined += !t.gone[k];
		CU_ASSERT_EQUAL(image_symbol_count(new.bytes), undefined);
		object_forget();
	}
}

static void symbols_that_go_leave_shorter_tables_and_zeros(void)
{
	static const char *const tables[] = {".dynsym", ".gnu.hash", ".hash"};
	struct elf elf = build(BOTH), new = edit(elf.bytes, cut(&elf, "gone_"));

	for (size_t i = 0; i < 3; i++) {
		const Elf64_Shdr *before = object_section(&elf, tables[i]),
				 *after = object_section(&new, tables[i]);

		CU_ASSERT_EQUAL(before->sh_addr, after->sh_addr);
		CU_ASSERT(after->sh_size < before->sh_size);
		for (uint64_t k = after->sh_size; k < before->sh_size; k++)
			CU_ASSERT_EQUAL(new.p[after->sh_offset + k], 0);
	}
	CU_ASSERT_EQUAL(object_section(&elf, ".dynsym")->sh_info, object_section(&new, ".dynsym")->sh_info);
	CU_ASSERT(
		span_equal(object_edit(new.bytes, &(struct image_edits){.compact = true, .page = 4096}).bytes,
			   new.bytes));
	object_forget();
}

static void symbols_that_go_leave_what_elflint_accepts(void)
{
	for (int i = 0; i < NR_STYLES; i++) {
		struct elf elf = build(i);

		CU_ASSERT(lints(elf.bytes));
		cut(&elf, "gone_");
		/* elflint knows no object in which a relocation does nothing. */
		t.gone[number_of(&elf, "gone_taken")] = false;
		CU_ASSERT(lints(edit(elf.bytes, &t.edits).bytes));
		object_forget();
	}
}

/* --------- versions ------------------ */

static struct elf build_versioned(void)
{
	static const char script[] = "V1 { global: *; }; V2 { global: twice; } V1;";
	static const char versioned[] = "__asm__(\".symver first,twice@V1\");\n"
					"__asm__(\".symver second,twice@@V2\");\n"
					"int first(void) { return 1; } int second(void) { return 2; }\n"
					"int kept(void) { return 3; } int gone_one(void) { return 4; }\n"
					"int answer(void) { return 42; }\n";

	object_file("versions", (struct span){(const uint8_t *)script, strlen(script)});
	return object_compile("-Wl,--hash-style=both -Wl,--version-script=DIR/versions", versioned);
}

static void symbols_that_go_take_their_versions_along(void)
{
	static const char *const names[] = {"twice@V1",	 "twice@V2",	"kept@V1", "kept",
					    "answer@V1", "gone_one@V1", "twice",   NULL};
	struct elf elf = build_versioned(), new;

	CU_ASSERT_EQUAL(found(elf.bytes, names), 127);
	new = edit(elf.bytes, cut(&elf, "gone_"));
	CU_ASSERT_EQUAL(found(new.bytes, names), 127 - 32);
	CU_ASSERT_EQUAL(object_section(&new, ".gnu.version")->sh_size,
			object_section(&elf, ".gnu.version")->sh_size - 2);
	CU_ASSERT(lints(new.bytes));
	object_forget();
}

static void symbols_go_in_one_of_two_versions(void)
{
	static const char *const names[] = {"twice@V1", "twice@V2", "twice", NULL};
	struct elf elf = build_versioned(), new;
	size_t nr;
	const Elf64_Sym *symbols = symbols_of(&elf, &nr);
	const Elf64_Shdr *versions = object_section(&elf, ".gnu.version");

	cut(&elf, "no such");
	for (size_t i = 1; i < nr; i++)
		t.gone[i] = !strcmp(name_of(&elf, &symbols[i]), "twice") &&
			    elf.p[versions->sh_offset + 2 * i + 1] & 0x80;
	new = edit(elf.bytes, &t.edits);
	CU_ASSERT_EQUAL(found(new.bytes, names), 2 | 4);
	object_forget();
}

/* --------- relocations ------------------ */

static Elf64_Rela *relocation(const struct elf *elf, const char *section, uint64_t place)
{
	const Elf64_Shdr *shdr = object_section(elf, section);
	Elf64_Rela *relas = (Elf64_Rela *)(void *)(elf->p + shdr->sh_offset);

	for (size_t i = 0; i < shdr->sh_size / sizeof *relas; i++)
		if (relas[i].r_offset == place)
			return &relas[i];
	return NULL;
}

/* The relocation that names a symbol. */
static Elf64_Rela *relocation_for(const struct elf *elf, const char *section, const char *name)
{
	const Elf64_Shdr *shdr = object_section(elf, section);
	Elf64_Rela *relas = (Elf64_Rela *)(void *)(elf->p + shdr->sh_offset);

	for (size_t i = 0; i < shdr->sh_size / sizeof *relas; i++)
		if (ELF64_R_SYM(relas[i].r_info) == number_of(elf, name))
			return &relas[i];
	return NULL;
}

struct expected {
	const char *section, *name;
	uint32_t type; /* afterwards */
};

static void expect_relocations(const struct elf *old, const struct elf *new, const struct expected *expected,
			       size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const Elf64_Rela *before = relocation_for(old, expected[i].section, expected[i].name), *after;
		bool gone = starts_with(expected[i].name, "gone_");

		CU_ASSERT_FATAL(before != NULL);
		after = relocation(new, expected[i].section, before->r_offset);
		CU_ASSERT_FATAL(after != NULL);
		CU_ASSERT_EQUAL(ELF64_R_TYPE(after->r_info), expected[i].type);
		CU_ASSERT_EQUAL(ELF64_R_SYM(after->r_info), gone ? 0 : number_of(new, expected[i].name));
	}
}

static void symbols_that_go_leave_relocations_that_loaders_accept(void)
{
	static const struct expected expected[] = {
		{".rela.plt", "gone_called", R_X86_64_JUMP_SLOT},
		{".rela.plt", "kept_called", R_X86_64_JUMP_SLOT},
		{".rela.dyn", "gone_taken", R_X86_64_RELATIVE},
		{".rela.dyn", "gone_listed", R_X86_64_RELATIVE},
		{".rela.dyn", "kept_listed", R_X86_64_64},
		{".rela.dyn", "kept_data", R_X86_64_GLOB_DAT},
	};
	struct elf elf = build(GNU), new = edit(elf.bytes, cut(&elf, "gone_"));
	const Elf64_Rela *listed = relocation_for(&elf, ".rela.dyn", "gone_listed");
	size_t nr;

	expect_relocations(&elf, &new, expected, sizeof expected / sizeof *expected);
	CU_ASSERT_EQUAL((uint64_t)relocation(&new, ".rela.dyn", listed->r_offset)->r_addend,
			symbols_of(&elf, &nr)[number_of(&elf, "gone_listed")].st_value);
	object_forget();
}

static void symbols_that_go_leave_relocations_of_aarch64(void)
{
	static const struct expected expected[] = {
		{".rela.plt", "gone_called", R_AARCH64_JUMP_SLOT},
		{".rela.plt", "kept_called", R_AARCH64_JUMP_SLOT},
		{".rela.dyn", "gone_taken", R_AARCH64_RELATIVE},
		{".rela.dyn", "gone_listed", R_AARCH64_RELATIVE},
		{".rela.dyn", "kept_listed", R_AARCH64_ABS64},
	};
	struct elf elf, new;

	if (system("command -v aarch64-linux-gnu-gcc > /dev/null"))
		return;
	elf = object_filter((struct span){(const uint8_t *)source, strlen(source)},
			    "aarch64-linux-gnu-gcc -w -shared -fPIC -Wl,--hash-style=both -o arm -x c $1 && "
			    "mv arm $1");
	cut(&elf, "gone_")->page = 65536;
	new = edit(elf.bytes, &t.edits);
	expect_relocations(&elf, &new, expected, sizeof expected / sizeof *expected);
	t.gone[number_of(&elf, "gone_taken")] = false;
	CU_ASSERT(lints(edit(elf.bytes, &t.edits).bytes));
	object_forget();
}

/* --------- patches ------------------ */

/* What table[0] holds becomes kept_listed, by its number of before. */
static struct patch retarget(const struct elf *elf, Elf64_Rela *to)
{
	const Elf64_Rela *from = relocation_for(elf, ".rela.dyn", "gone_listed");
	const Elf64_Shdr *rela = object_section(elf, ".rela.dyn");

	*to = *from;
	to->r_info = ELF64_R_INFO((uint64_t)number_of(elf, "kept_listed"), R_X86_64_64);
	return (struct patch){rela->sh_addr + (uint64_t)((const uint8_t *)from - elf->p) - rela->sh_offset,
			      {(const uint8_t *)to, sizeof *to}};
}

static void symbols_keep_their_meaning_in_patched_relocations(void)
{
	struct elf elf = build(BOTH), new;
	Elf64_Rela to;
	struct patch patch = retarget(&elf, &to);

	cut(&elf, "gone_");
	t.cuts.patches = &patch;
	t.cuts.nr_patches = 1;
	new = edit(elf.bytes, &t.edits);
	CU_ASSERT_EQUAL(found(new.bytes, some), ONLY_KEPT);
	CU_ASSERT_EQUAL(object_run(new.bytes), 43);
	/* With no symbol gone, too. */
	t.cuts.gone = NULL;
	t.cuts.nr_gone = 0;
	CU_ASSERT_EQUAL(object_run(edit(elf.bytes, &t.edits).bytes), 43);
	object_forget();
}

static void symbols_let_other_patches_through(void)
{
	struct elf elf = build(BOTH);
	const Elf64_Sym *symbols;
	int value = 50;
	struct patch patch = {.bytes = {(const uint8_t *)&value, sizeof value}};
	size_t nr;

	symbols = symbols_of(&elf, &nr);
	patch.vaddr = symbols[number_of(&elf, "kept_data")].st_value;
	cut(&elf, "gone_");
	t.cuts.patches = &patch;
	t.cuts.nr_patches = 1;
	CU_ASSERT_EQUAL(object_run(edit(elf.bytes, &t.edits).bytes), 51);
	object_forget();
}

/* --------- what is refused ------------------ */

static void expect_refused(const struct elf *elf, const char *why)
{
	CU_ASSERT_PTR_NULL(object_edit(elf->bytes, &t.edits).p);
	CU_ASSERT_EQUAL(object_error_kind(), ERROR_REFUSED);
	UNIT_ASSERT_TEXT(object_error(), why);
	object_forget();
}

static void symbols_that_are_not_exported_do_not_go(void)
{
	struct elf elf = build(BOTH);

	cut(&elf, "__cxa_finalize");
	expect_refused(&elf, "a symbol that is to go is not exported");
	elf = build(BOTH);
	cut(&elf, "gone_");
	t.gone[0] = true;
	expect_refused(&elf, "a symbol that is to go is not exported");
}

static void symbols_of_another_file_do_not_go(void)
{
	struct elf elf = build(BOTH);

	cut(&elf, "gone_");
	t.cuts.nr_gone--;
	expect_refused(&elf, "symbols that are to go were counted otherwise");
}

static void symbols_stay_where_an_unknown_table_may_name_them(void)
{
	struct elf elf = build(BOTH);

	object_dynamic(&elf, DT_RELACOUNT)->d_tag = DT_SYMINFO;
	cut(&elf, "gone_");
	expect_refused(&elf, "dynamic entry 0x6ffffeff may be about symbols that go");
}

static void symbols_stay_where_a_hash_table_is_wrong(void)
{
	static const char *const tables[] = {".gnu.hash", ".hash"};

	for (size_t i = 0; i < 2; i++) {
		struct elf elf = build(BOTH);
		const Elf64_Shdr *shdr = object_section(&elf, tables[i]);

		/* The last chain's hash; the first bucket. */
		elf.p[shdr->sh_offset + (i ? 8 : shdr->sh_size - 2)] ^= 1;
		cut(&elf, "gone_");
		expect_refused(&elf, "a hash table does not agree with its symbols");
	}
}

static void symbols_stay_where_their_section_counts_otherwise(void)
{
	struct elf elf = build(BOTH);

	cut(&elf, "gone_");
	object_section(&elf, ".dynsym")->sh_size -= sizeof(Elf64_Sym);
	expect_refused(&elf, "the symbol table and its section disagree");
}

static void symbols_stay_where_a_table_is_something_else_as_well(void)
{
	struct elf elf = build(BOTH);

	object_section(&elf, ".hash")->sh_size += 64;
	cut(&elf, "gone_");
	expect_refused(&elf, "a table of the dynamic section reaches into another section");
	elf = build(GNU);
	object_dynamic(&elf, DT_JMPREL)->d_un.d_ptr = object_dynamic(&elf, DT_RELA)->d_un.d_ptr + 8;
	cut(&elf, "gone_");
	expect_refused(&elf, "tables of relocations overlap");
}

static void symbols_refuse_patches_to_tables_of_their_own(void)
{
	struct elf elf = build(BOTH);
	struct patch patch = {object_section(&elf, ".dynsym")->sh_addr + 24, {elf.p, 8}};

	cut(&elf, "gone_");
	t.cuts.patches = &patch;
	t.cuts.nr_patches = 1;
	expect_refused(&elf, "a patch to a table that is written anew");
	elf = build(BOTH);
	cut(&elf, "gone_");
	t.cuts.patches = &patch;
	t.cuts.nr_patches = 1;
	patch.vaddr = object_section(&elf, ".rela.dyn")->sh_addr - 4;
	expect_refused(&elf, "a patch reaches beyond a table of relocations");
	elf = build(BOTH);
	cut(&elf, "gone_");
	t.cuts.patches = &patch;
	t.cuts.nr_patches = 1;
	patch.vaddr = 1 << 30;
	expect_refused(&elf, "a patch lies outside the image");
}

static void symbols_that_a_pointer_cannot_do_without_stay(void)
{
	static const char indirect[] = "int one(void) { return 42; }\n"
				       "static void *pick(void) { return one; }\n"
				       "int gone_picked(void) __attribute__((ifunc(\"pick\")));\n"
				       "int (*table[])(void) = {gone_picked};\n"
				       "int answer(void) { return 42; }\n";
	struct elf elf = object_compile("", indirect);

	cut(&elf, "gone_");
	expect_refused(&elf, "a pointer to a symbol that is to go cannot do without it");
}

/* --------- the proof ------------------ */

static struct {
	struct elf old, new;
	struct image_result result;
} p;

static void setup_proof(int style)
{
	struct error err = {""};

	p.old = build(style);
	CU_ASSERT_EQUAL_FATAL(image_edit(object_arena(), p.old.bytes, cut(&p.old, "gone_"), &p.result, &err),
			      0);
	p.new = object_open(p.result.bytes);
	p.result.bytes = p.new.bytes;
}

static void expect_unproved(const char *why)
{
	struct error err = {""};

	CU_ASSERT_EQUAL(image_prove(p.old.bytes, &p.result, 4096, &err), ERROR_VERIFY);
	CU_ASSERT(strstr(err.message, why) != NULL);
	if (!strstr(err.message, why))
		UNIT_ASSERT_TEXT(err.message, why);
	object_forget();
}

static void prove_symbols_finds_another_symbol(void)
{
	size_t nr;

	setup_proof(GNU);
	symbols_of(&p.new, &nr)[number_of(&p.new, "kept_data")].st_value += 8;
	expect_unproved("it is another one in the new file");
	setup_proof(GNU);
	symbols_of(&p.new, &nr)[number_of(&p.new, "kept_21")].st_name =
		symbols_of(&p.new, &nr)[number_of(&p.new, "kept_22")].st_name;
	expect_unproved("it is another one in the new file");
	setup_proof(GNU);
	object_section(&p.new, ".dynsym")->sh_size += sizeof(Elf64_Sym);
	expect_unproved("dynamic symbols are new");
	setup_proof(GNU);
	t.gone[number_of(&p.old, "kept_21")] = true;
	expect_unproved("it is another one in the new file");
}

static void prove_symbols_finds_a_broken_look_up(void)
{
	const Elf64_Shdr *shdr;

	setup_proof(SYSV);
	shdr = object_section(&p.new, ".hash");
	memset(p.new.p + shdr->sh_offset + 8, 0, 16);
	expect_unproved("a look-up finds another one in the new file");
	setup_proof(GNU);
	shdr = object_section(&p.new, ".gnu.hash");
	memset(p.new.p + shdr->sh_offset + 16, 0, 8); /* of the filter */
	expect_unproved("a look-up finds another one in the new file");
}

/* A name given to another symbol, in a table that still finds it. */
static void prove_symbols_finds_a_name_that_should_be_gone(void)
{
	setup_proof(BOTH);
	p.result.bytes = p.old.bytes;
	expect_unproved("it is another one in the new file");
}

static void prove_symbols_finds_another_relocation(void)
{
	setup_proof(GNU);
	relocation_for(&p.new, ".rela.dyn", "kept_listed")->r_addend++;
	expect_unproved("is another one in the new file");
	setup_proof(GNU);
	relocation_for(&p.new, ".rela.plt", "kept_called")->r_info = ELF64_R_INFO(
		(uint64_t)number_of(&p.new, "kept_11"), R_X86_64_JUMP_SLOT);
	expect_unproved("is another one in the new file");
	setup_proof(GNU);
	relocation(&p.new, ".rela.dyn", relocation_for(&p.old, ".rela.dyn", "gone_listed")->r_offset)
		->r_addend++;
	expect_unproved("is another one in the new file");
}

void suite_symbols(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(symbols_that_go_are_not_found_and_others_are),
		UNIT_TEST(symbols_go_to_the_last),
		UNIT_TEST(symbols_that_go_leave_shorter_tables_and_zeros),
		UNIT_TEST(symbols_that_go_leave_what_elflint_accepts),
		UNIT_TEST(symbols_that_go_take_their_versions_along),
		UNIT_TEST(symbols_go_in_one_of_two_versions),
		UNIT_TEST(symbols_that_go_leave_relocations_that_loaders_accept),
		UNIT_TEST(symbols_that_go_leave_relocations_of_aarch64),
		UNIT_TEST(symbols_keep_their_meaning_in_patched_relocations),
		UNIT_TEST(symbols_let_other_patches_through),
		UNIT_TEST(symbols_that_are_not_exported_do_not_go),
		UNIT_TEST(symbols_of_another_file_do_not_go),
		UNIT_TEST(symbols_stay_where_an_unknown_table_may_name_them),
		UNIT_TEST(symbols_stay_where_a_hash_table_is_wrong),
		UNIT_TEST(symbols_stay_where_their_section_counts_otherwise),
		UNIT_TEST(symbols_stay_where_a_table_is_something_else_as_well),
		UNIT_TEST(symbols_refuse_patches_to_tables_of_their_own),
		UNIT_TEST(symbols_that_a_pointer_cannot_do_without_stay),
		UNIT_TEST(prove_symbols_finds_another_symbol),
		UNIT_TEST(prove_symbols_finds_a_broken_look_up),
		UNIT_TEST(prove_symbols_finds_a_name_that_should_be_gone),
		UNIT_TEST(prove_symbols_finds_another_relocation),
	};

	unit_suite("symbols", tests, sizeof tests / sizeof *tests);
}
