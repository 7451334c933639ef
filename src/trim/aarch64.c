/*
 * References in AArch64 code.
 *
 * Instructions are four bytes at multiples of four, so code is read word by word
 * (Arm ARM, C4.1). Branches and ADR hold a distance. ADRP holds the distance to a
 * page, and instructions with the same register add the rest: each ADD and load of the
 * function with an offset to a register is tried with each page that
 * ADRP gives that register anywhere in the function, in any order. A page that
 * nobody adds anything to may be used in some other way: all that begins in
 * it counts, and so does every slot as far as an offset reaches.
 *
 * Words that are data between the instructions are read as instructions, which only
 * keeps more alive.
 */
#include "trim/trim.h"

/* A function with more pages to try is taken in all its pages. */
enum { PAGES = 64, PAGE = 4096, OFFSETS = 4096 * 8 };

struct page {
	uint64_t vaddr;
	uint8_t reg;
	bool used;
};

struct scan {
	struct program *program;
	const struct unit *unit;
	struct page pages[PAGES];
	size_t nr_pages;
};

static uint32_t word_at(const uint8_t *bytes, uint64_t at)
{
	uint32_t word;

	memcpy(&word, bytes + at, sizeof word);
	return word;
}

/* The low bits of value as a signed number. */
static uint64_t extend(uint32_t value, unsigned bits)
{
	uint64_t sign = (uint64_t)1 << (bits - 1);

	return ((value & ((sign << 1) - 1)) ^ sign) - sign;
}

bool aarch64_is_adrp(uint32_t word)
{
	return (word & 0x9f000000) == 0x90000000;
}

uint64_t aarch64_page(uint32_t word, uint64_t vaddr)
{
	uint32_t imm = (word >> 5 & 0x7ffff) << 2 | (word >> 29 & 3);

	return (vaddr & ~(uint64_t)(PAGE - 1)) + (extend(imm, 21) << 12);
}

/* Instructions that hold a distance in words, and where in them it is. ADR's is in
 * bytes and in two parts. */
static const struct form {
	uint32_t mask, value;
	unsigned shift, bits;
} forms[] = {
	{0x7c000000, 0x14000000, 0, 26}, /* b, bl */
	{0xff000000, 0x54000000, 5, 19}, /* b.cond, bc.cond */
	{0x7e000000, 0x34000000, 5, 19}, /* cbz, cbnz */
	{0x7e000000, 0x36000000, 5, 14}, /* tbz, tbnz */
	{0x3b000000, 0x18000000, 5, 19}, /* ldr, ldrsw, prfm of a literal */
};

static const struct form *form_of(uint32_t word)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if ((word & forms[i].mask) == forms[i].value)
			return &forms[i];
	return NULL;
}

static bool is_adr(uint32_t word)
{
	return (word & 0x9f000000) == 0x10000000;
}

bool aarch64_target(uint32_t word, uint64_t vaddr, uint64_t *target)
{
	const struct form *form = form_of(word);

	if (is_adr(word))
		*target = vaddr + extend((word >> 5 & 0x7ffff) << 2 | (word >> 29 & 3), 21);
	else if (form)
		*target = vaddr + (extend(word >> form->shift, form->bits) << 2);
	else
		return false;
	return true;
}

uint32_t aarch64_distance_bits(uint32_t word)
{
	const struct form *form = form_of(word);

	if (is_adr(word))
		return 0x60ffffe0;
	return form ? ((1u << form->bits) - 1) << form->shift : 0;
}

/* What an instruction adds to its register Rn: add, or a load or store with an unsigned
 * offset. False: nothing of the kind. */
static bool offset_of(uint32_t word, uint64_t *offset)
{
	if ((word & 0xff800000) == 0x91000000)
		*offset = (uint64_t)(word >> 10 & 0xfff) << (word & 0x400000 ? 12 : 0);
	else if ((word & 0x3f000000) == 0x39000000) /* general registers */
		*offset = (uint64_t)(word >> 10 & 0xfff) << (word >> 30);
	else if ((word & 0x3f000000) == 0x3d000000) /* vector registers, 128 bits by opc */
		*offset = (uint64_t)(word >> 10 & 0xfff) << (word & 0x800000 ? 4 : word >> 30);
	else
		return false;
	return true;
}

uint64_t aarch64_linkage_slot(const struct program *program, uint64_t vaddr)
{
	uint64_t page = 0, offset;
	struct span word;

	for (unsigned i = 0; i < 4; i++, vaddr += 4) {
		uint32_t instruction;

		if (!image_at(&program->image, vaddr, sizeof instruction, &word))
			return 0;
		instruction = word_at(word.p, 0);
		if (aarch64_is_adrp(instruction))
			page = aarch64_page(instruction, vaddr);
		else if (page && (instruction & 0xffc00000) == 0xf9400000 && offset_of(instruction, &offset))
			return page + offset;
	}
	return 0;
}

static void reach_target(struct scan *scan, uint64_t target)
{
	struct program *program = scan->program;

	if (target >= scan->unit->from && target < scan->unit->to)
		return;
	if (text_at(program, target))
		reach_address(program, target);
	else if (ranges_hold(&program->linkage, target))
		reach_linkage(program, target);
	else if (ranges_hold(&program->got, target))
		reach_slot(program, target);
	else
		reach_jump_table(program, target);
}

/* All of a page that some code has the address of. */
static void reach_page(struct scan *scan, uint64_t page)
{
	struct program *program = scan->program;
	size_t i;

	for (i = unit_behind(program, page); i < program->nr_units; i++) {
		if (program->units[i].from >= page + PAGE || !spend(program, 1))
			break;
		reach_unit(program, i);
	}
	for (i = program_slot_from(program, page); i < program->nr_slots; i++) {
		if (program->slots[i].at >= page + OFFSETS || !spend(program, 1))
			break;
		reach_slot(program, program->slots[i].at);
	}
}

static void note_page(struct scan *scan, uint32_t word, uint64_t vaddr)
{
	uint64_t page = aarch64_page(word, vaddr);
	uint8_t reg = word & 31;
	size_t i;

	if (page + PAGE <= scan->program->low || page >= scan->program->high)
		return;
	for (i = 0; i < scan->nr_pages; i++)
		if (scan->pages[i].vaddr == page && scan->pages[i].reg == reg)
			return;
	if (scan->nr_pages == PAGES)
		reach_page(scan, page);
	else
		scan->pages[scan->nr_pages++] = (struct page){page, reg, false};
}

static void try_pages(struct scan *scan, uint32_t word)
{
	uint8_t reg = word >> 5 & 31;
	uint64_t offset;

	if (!offset_of(word, &offset))
		return;
	for (size_t i = 0; i < scan->nr_pages; i++) {
		struct page *page = &scan->pages[i];

		if (page->reg != reg)
			continue;
		page->used = true;
		reach_target(scan, page->vaddr + offset);
	}
}

void aarch64_references(struct program *program, const struct unit *unit)
{
	struct scan scan = {.program = program, .unit = unit};
	const uint8_t *bytes = unit_bytes(program, unit);
	uint64_t n = unit->end - unit->from, first = -unit->from & 3, i, target;

	for (i = first; i + 4 <= n; i += 4)
		if (aarch64_is_adrp(word_at(bytes, i)))
			note_page(&scan, word_at(bytes, i), unit->from + i);
	for (i = first; i + 4 <= n; i += 4) {
		if (aarch64_target(word_at(bytes, i), unit->from + i, &target))
			reach_target(&scan, target);
		try_pages(&scan, word_at(bytes, i));
	}
	for (i = 0; i < scan.nr_pages; i++)
		if (!scan.pages[i].used)
			reach_page(&scan, scan.pages[i].vaddr);
}
