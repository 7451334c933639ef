/*
 * An object as functions, pointers and linkage table.
 *
 * Sections say what is code, what is constant and what is linkage table; a
 * loader needs none of that, so an object without section headers is refused.
 * Pointers are what relocations make: position-independent code has no other way
 * to have an address in its data. (Text relocations break that rule, and
 * are refused.)
 */
#include "trim/trim.h"

#include <stdlib.h>

#include "sofold/vec.h"

/* No library anybody has built takes that much work; OpenBLAS, the largest, takes a step for
 * seven bytes. */
enum { STEPS_A_BYTE = 4, LEAST_STEPS = 1 << 24 };

/* Names are compared again and again. */
enum { LONGEST_NAME = 1 << 16 };

static int refuse(struct error *err, const char *why)
{
	return error_add(err, ERROR_REFUSED, "%s", why);
}

bool spend(struct program *program, uint64_t steps)
{
	program->budget = program->budget > steps ? program->budget - steps : 0;
	return program->budget;
}

const char *program_name(const struct program *program, uint32_t symbol)
{
	const char *name = span_string(program->image.strings, program->symbols[symbol].st_name);

	return name ? name : "";
}

bool program_is_function(const struct program *program, uint32_t symbol)
{
	const Elf64_Sym *entry = &program->symbols[symbol];
	unsigned type = ELF64_ST_TYPE(entry->st_info);

	return entry->st_shndx != SHN_UNDEF && entry->st_shndx != SHN_ABS &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) &&
	       text_at(program, entry->st_value);
}

/* --------- sections ------------------ */

struct area *area_at(struct area *areas, size_t nr, uint64_t vaddr)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (areas[middle].to > vaddr)
			high = middle;
		else
			low = middle + 1;
	}
	return low < nr && areas[low].from <= vaddr ? &areas[low] : NULL;
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static void sort_section(struct program *program, const Elf64_Shdr *shdr, const uint8_t *bytes)
{
	static const char *const stubs[] = {".plt", ".plt.got", ".plt.sec", ".plt.bnd", ".iplt", NULL};
	static const char *const slots[] = {".got", ".got.plt", NULL};
	const char *name = image_section_name(&program->image, shdr);
	uint64_t from = shdr->sh_addr, to = from + shdr->sh_size;
	struct area area = {.from = from, .to = to, .bytes = bytes};

	area.starts = arena_array(program->arena, shdr->sh_size / 8 + 1, 1);
	if ((shdr->sh_flags & SHF_EXECINSTR) && is_one_of(name, stubs))
		ranges_add(&program->linkage, from, to);
	else if (shdr->sh_flags & SHF_EXECINSTR)
		*VEC_PUSH(program->arena, program, texts) = area;
	else if (is_one_of(name, slots))
		ranges_add(&program->got, from, to);
	else if (shdr->sh_type == SHT_PROGBITS && !(shdr->sh_flags & SHF_WRITE) &&
		 !section_is_unwind(&program->image, shdr))
		*VEC_PUSH(program->arena, program, constants) = area;
}

static int by_address(const void *a, const void *b)
{
	const struct area *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static bool meets(const struct ranges *ranges, const struct area *area)
{
	const struct range *next = ranges_next(ranges, area->from);

	return next && next->from < area->to;
}

/* With each other, or with what holds stubs and slots. */
static bool areas_overlap(const struct program *program, const struct area *areas, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if ((i && areas[i].from < areas[i - 1].to) || meets(&program->linkage, &areas[i]) ||
		    meets(&program->got, &areas[i]))
			return true;
	return false;
}

static int read_sections(struct program *program, struct error *err)
{
	const struct image *image = &program->image;
	struct span bytes;
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (!section_is_loaded(shdr) || !shdr->sh_size)
			continue;
		if (!image_at(image, shdr->sh_addr, shdr->sh_size, &bytes))
			return refuse(err, "a section is not loaded from the file");
		sort_section(program, shdr, bytes.p);
	}
	if (!program->nr_texts)
		return refuse(err, "it has no code");
	qsort(program->texts, program->nr_texts, sizeof *program->texts, by_address);
	if (program->nr_constants)
		qsort(program->constants, program->nr_constants, sizeof *program->constants, by_address);
	ranges_normalize(&program->linkage);
	ranges_normalize(&program->got);
	if (areas_overlap(program, program->texts, program->nr_texts) ||
	    areas_overlap(program, program->constants, program->nr_constants))
		return refuse(err, "sections overlap");
	program->low = image->loads[0].p_vaddr;
	program->high = image->loads[image->nr_loads - 1].p_vaddr + image->loads[image->nr_loads - 1].p_memsz;
	return 0;
}

/* --------- pointers ------------------ */

enum pointer { POINTER_NONE, POINTER_ADDEND, POINTER_SYMBOL };

/* What a relocation makes of its place. */
static enum pointer pointer_kind(const struct image *image, uint32_t type)
{
	struct relocation_types types = image_relocation_types(image);

	if (type == types.relative || type == types.indirect)
		return POINTER_ADDEND;
	return type == types.pointer || type == types.global || type == types.jump_slot ? POINTER_SYMBOL
											: POINTER_NONE;
}

/* A use of a symbol that makes no pointer we follow: its size, a distance, … */
static void add_other(struct program *program, uint32_t symbol)
{
	if (symbol && symbol < program->image.nr_symbols && program->symbols[symbol].st_shndx != SHN_UNDEF &&
	    ELF64_ST_TYPE(program->symbols[symbol].st_info) != STT_TLS)
		*VEC_PUSH(program->arena, program, others) = program->symbols[symbol].st_value;
}

static void add_slot(struct program *program, const Elf64_Rela *rela, uint64_t entry)
{
	uint32_t symbol = (uint32_t)ELF64_R_SYM(rela->r_info), type = (uint32_t)ELF64_R_TYPE(rela->r_info);
	enum pointer kind = pointer_kind(&program->image, type);
	uint64_t target = (uint64_t)rela->r_addend;

	if (kind == POINTER_NONE)
		add_other(program, symbol);
	if (kind == POINTER_NONE || (kind == POINTER_SYMBOL && symbol >= program->image.nr_symbols))
		return;
	if (kind == POINTER_SYMBOL) {
		if (program->symbols[symbol].st_shndx == SHN_UNDEF)
			return;
		target += program->symbols[symbol].st_value;
	}
	*VEC_PUSH(program->arena, program, slots) = (struct slot){
		.at = rela->r_offset,
		.target = target,
		.entry = entry,
		.symbol = kind == POINTER_SYMBOL ? symbol : 0,
		.type = type,
	};
}

static void read_relocations(struct program *program, int64_t tag, int64_t size_tag)
{
	uint64_t vaddr, size, i;
	struct span table;
	Elf64_Rela rela;

	if (!image_tag(&program->image, tag, &vaddr) || !image_tag(&program->image, size_tag, &size) ||
	    !image_at(&program->image, vaddr, size, &table))
		return;
	for (i = 0; i + sizeof rela <= size; i += sizeof rela) {
		memcpy(&rela, table.p + i, sizeof rela);
		add_slot(program, &rela, vaddr + i);
	}
}

static void add_packed(void *context, uint64_t place)
{
	struct program *program = context;
	uint64_t target;

	/* Each needs a word of its own; what is too many is refused below. */
	if (program->nr_slots <= program->image.file.n / sizeof target &&
	    image_read(&program->image, place, &target, sizeof target))
		*VEC_PUSH(program->arena, program, slots) = (struct slot){.at = place, .target = target};
}

static int by_place(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static int read_slots(struct program *program, struct error *err)
{
	uint64_t flags = 0, ignored;
	size_t i;

	image_tag(&program->image, DT_FLAGS, &flags);
	if ((flags & DF_TEXTREL) || image_tag(&program->image, DT_TEXTREL, &ignored))
		return refuse(err, "it has text relocations");
	read_relocations(program, DT_RELA, DT_RELASZ);
	read_relocations(program, DT_JMPREL, DT_PLTRELSZ);
	image_each_packed(&program->image, add_packed, program);
	if (program->nr_slots > program->image.file.n / sizeof(uint64_t))
		return refuse(err, "it has more pointers than words");
	if (program->nr_slots)
		qsort(program->slots, program->nr_slots, sizeof *program->slots, by_place);
	for (i = 1; i < program->nr_slots; i++)
		if (program->slots[i].at == program->slots[i - 1].at)
			return refuse(err, "two relocations write to one place");
	return 0;
}

size_t program_slot_from(const struct program *program, uint64_t vaddr)
{
	size_t low = 0, high = program->nr_slots;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (program->slots[middle].at >= vaddr)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

const struct slot *program_slot_at(const struct program *program, uint64_t vaddr)
{
	size_t i = program_slot_from(program, vaddr);

	return i < program->nr_slots && program->slots[i].at == vaddr ? &program->slots[i] : NULL;
}

/* --------- all ------------------ */

static bool is_short_name(struct span strings, uint32_t at)
{
	struct span rest;

	if (at > strings.n || !span_sub(strings, at, strings.n - at, &rest))
		return false;
	return memchr(rest.p, 0, rest.n < LONGEST_NAME ? rest.n : LONGEST_NAME);
}

static int read_symbols(struct program *program, struct error *err)
{
	size_t nr = program->image.nr_symbols;
	struct span table;

	if (!nr || !image_at(&program->image, program->image.symtab, nr * sizeof(Elf64_Sym), &table))
		return refuse(err, "it has no dynamic symbols");
	program->symbols = arena_memdup(program->arena, table.p, table.n);
	for (size_t i = 0; i < nr; i++)
		if (!is_short_name(program->image.strings, program->symbols[i].st_name))
			return refuse(err, "a symbol's name is too long");
	return 0;
}

int program_read(struct program *program, struct error *err)
{
	struct arena *arena = program->arena;

	program->budget = program->image.file.n * STEPS_A_BYTE + LEAST_STEPS;
	program->linkage.arena = program->got.arena = program->tables.arena = arena;
	if (!program->image.nr_shdrs)
		return refuse(err, "it has no section headers");
	if (read_symbols(program, err) || read_sections(program, err) || read_slots(program, err))
		return ERROR_REFUSED;
	return 0;
}
