/* See build_trim.h. */
#include "build_trim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sofold/vec.h"
#include "suites.h"

struct elf trimmed_subject;
struct trim_request trimmed_request;
struct trim_result trimmed_result;

struct words {
	const char **items;
	size_t nr_items, alloc_items;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(struct words *words)
{
	if (words->nr_items)
		qsort(words->items, words->nr_items, sizeof *words->items, by_name);
}

static const char *join(struct words *words)
{
	const char *text = "";

	sort(words);
	for (size_t i = 0; i < words->nr_items; i++)
		text = arena_printf(object_arena(), "%s%s%s", text, i ? " " : "", words->items[i]);
	return text;
}

static struct words split(const char *text)
{
	struct words words = {0};
	char *copy = arena_strdup(object_arena(), text), *word, *rest;

	for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		*VEC_PUSH(object_arena(), &words, items) = word;
	sort(&words);
	return words;
}

/* --------- symbols ------------------ */

struct symbols {
	const Elf64_Sym *items;
	const char *names;
	size_t nr;
};

static struct symbols symbols_of(const char *table, const char *names)
{
	const Elf64_Shdr *shdr = object_section(&trimmed_subject, table);
	const Elf64_Shdr *strings = object_section(&trimmed_subject, names);

	return (struct symbols){
		.items = (const Elf64_Sym *)(const void *)(trimmed_subject.p + shdr->sh_offset),
		.names = (const char *)trimmed_subject.p + strings->sh_offset,
		.nr = shdr->sh_size / sizeof(Elf64_Sym),
	};
}

static bool is_function(const Elf64_Sym *symbol)
{
	return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF && symbol->st_size;
}

const Elf64_Sym *trimmed_symbol(const char *name)
{
	struct symbols symbols = symbols_of(".symtab", ".strtab");

	for (size_t i = 0; i < symbols.nr; i++)
		if (!strcmp(symbols.names + symbols.items[i].st_name, name))
			return &symbols.items[i];
	fprintf(stderr, "build_trim: no %s\n", name);
	exit(1);
}

static int by_address(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static void add_functions(void)
{
	struct symbols symbols = symbols_of(".symtab", ".strtab");
	struct extent *functions = arena_array(object_arena(), symbols.nr, sizeof *functions);
	size_t nr = 0;

	for (size_t i = 0; i < symbols.nr; i++)
		if (is_function(&symbols.items[i]) &&
		    strncmp(symbols.names + symbols.items[i].st_name, "asm_", 4) != 0)
			functions[nr++] =
				(struct extent){symbols.items[i].st_value, symbols.items[i].st_size};
	qsort(functions, nr, sizeof *functions, by_address);
	trimmed_request.functions = functions;
	trimmed_request.nr_functions = nr;
}

void trimmed_begin(const char *options, const char *source)
{
	trimmed_subject = object_compile(options, source);
	trimmed_request = (struct trim_request){.exports = true, .page = 4096, .poison = true};
	add_functions();
}

void trimmed_end(void)
{
	object_forget();
}

/* --------- what is found ------------------ */

static bool is_trap(const struct patch *patch)
{
	uint8_t trap = trimmed_subject.ehdr->e_machine == EM_X86_64 ? 0xcc : 0;

	for (size_t i = 0; i < patch->bytes.n; i++)
		if (patch->bytes.p[i] != trap)
			return false;
	return true;
}

/* Bytes of [from, to) that lie under traps. */
static uint64_t count_trapped(uint64_t from, uint64_t to)
{
	const struct cuts *cuts = &trimmed_result.cuts;
	uint64_t n = 0;

	for (size_t i = 0; i < cuts->nr_patches; i++) {
		uint64_t first = cuts->patches[i].vaddr, last = first + cuts->patches[i].bytes.n;

		first = first > from ? first : from;
		last = last < to ? last : to;
		if (first < last && is_trap(&cuts->patches[i]))
			n += last - first;
	}
	return n;
}

const char *trimmed_dead(const char *wanted)
{
	struct symbols symbols = symbols_of(".symtab", ".strtab");
	struct words words = split(wanted), dead = {0};
	struct error err = {""};
	uint64_t trapped;

	trimmed_request.wanted = words.items;
	trimmed_request.nr_wanted = words.nr_items;
	if (trim_find(object_arena(), trimmed_subject.bytes, &trimmed_request, &trimmed_result, &err))
		return arena_printf(object_arena(), "refused: %s", err.message);
	for (size_t i = 0; i < symbols.nr; i++) {
		const Elf64_Sym *symbol = &symbols.items[i];
		const char *name = symbols.names + symbol->st_name;

		if (!is_function(symbol) || !strcmp(name, "front"))
			continue;
		trapped = count_trapped(symbol->st_value, symbol->st_value + symbol->st_size);
		if (trapped)
			*VEC_PUSH(object_arena(), &dead, items) =
				trapped == symbol->st_size ? name
							   : arena_printf(object_arena(), "half:%s", name);
	}
	return join(&dead);
}

const char *trimmed_gone(void)
{
	struct symbols symbols = symbols_of(".dynsym", ".dynstr");
	struct words gone = {0};

	for (size_t i = 0; i < trimmed_result.cuts.nr_gone; i++)
		if (trimmed_result.cuts.gone[i])
			*VEC_PUSH(object_arena(), &gone, items) = symbols.names + symbols.items[i].st_name;
	return join(&gone);
}

struct elf trimmed_edit(void)
{
	struct image_edits edits = {
		.cuts = &trimmed_result.cuts, .compact = true, .page = trimmed_request.page};
	struct elf new = object_edit(trimmed_subject.bytes, &edits);

	UNIT_ASSERT_TEXT(object_error(), "");
	CU_ASSERT_FATAL(new.p != NULL);
	return new;
}

int trimmed_answer(void)
{
	return object_run(trimmed_edit().bytes);
}
