/*
 * From roots along references to all that may run.
 *
 * Roots: what data points to (tables of kernels aside), what the loader calls,
 * what somebody imports, data among the code that has a name, and code nobody has
 * described. A linkage table's slot is no root: it counts for the functions that
 * jump or load through it.
 */
#include "trim/trim.h"

#include "sofold/vec.h"

#define AARCH64_NOP 0xd503201f

static void mark(struct program *program, size_t unit)
{
	if (program->units[unit].live)
		return;
	program->units[unit].live = true;
	*VEC_PUSH(program->arena, program, work) = (uint32_t)unit;
}

void reach_unit(struct program *program, size_t unit)
{
	size_t i;

	if (unit == NO_UNIT || program->units[unit].live)
		return;
	mark(program, unit);
	for (i = unit; program->units[i].runs_on && i + 1 < program->nr_units; i++)
		mark(program, i + 1);
	for (i = unit; i && program->units[i - 1].runs_on; i--)
		mark(program, i - 1);
}

void reach_address(struct program *program, uint64_t vaddr)
{
	reach_unit(program, unit_at(program, vaddr));
}

/* With an addend a pointer leads elsewhere than its symbol; both count. */
static void reach_pointer(struct program *program, const struct slot *slot)
{
	reach_address(program, slot->target);
	if (slot->symbol)
		reach_address(program, program->symbols[slot->symbol].st_value);
}

bool reach_slot(struct program *program, uint64_t vaddr)
{
	const struct slot *slot = program_slot_at(program, vaddr);

	if (slot)
		reach_pointer(program, slot);
	return slot;
}

uint64_t linkage_slot(const struct program *program, uint64_t vaddr)
{
	return program->image.ehdr.e_machine == EM_X86_64 ? x86_linkage_slot(program, vaddr)
							  : aarch64_linkage_slot(program, vaddr);
}

void reach_linkage(struct program *program, uint64_t vaddr)
{
	uint64_t slot = linkage_slot(program, vaddr);

	if (slot)
		reach_slot(program, slot);
}

/* However long the table is, its entries lead to code; the first that does not ends
 * it. Most of what is tried is no table at all, and no entry leads anywhere. */
void reach_jump_table(struct program *program, uint64_t vaddr)
{
	struct area *area = vaddr & 3 ? NULL : area_at(program->constants, program->nr_constants, vaddr);
	uint64_t at, target;
	int32_t offset;

	if (!area || area_starts(area, vaddr))
		return;
	area_set_start(area, vaddr);
	for (at = vaddr; at + sizeof offset <= area->to; at += sizeof offset) {
		memcpy(&offset, area->bytes + (at - area->from), sizeof offset);
		target = vaddr + (uint64_t)(int64_t)offset;
		if (!text_at(program, target) || !spend(program, 1))
			return;
		reach_address(program, target);
	}
}

/* The loader calls what these lead to. */
static bool is_indirect(const struct program *program, const struct slot *slot)
{
	return slot->type == image_relocation_types(&program->image).indirect ||
	       (slot->symbol && ELF64_ST_TYPE(program->symbols[slot->symbol].st_info) == STT_GNU_IFUNC);
}

static void reach_data(struct program *program)
{
	size_t i;

	for (i = 0; i < program->nr_slots; i++) {
		const struct slot *slot = &program->slots[i];

		if (is_indirect(program, slot) ||
		    (!ranges_hold(&program->got, slot->at) && !ranges_hold(&program->tables, slot->at)))
			reach_pointer(program, slot);
	}
	for (i = 0; i < program->nr_others; i++)
		reach_address(program, program->others[i]);
}

/* All units that have a byte of [from, to). */
static void reach_extent(struct program *program, uint64_t from, uint64_t to)
{
	for (size_t i = unit_behind(program, from); i < program->nr_units && program->units[i].from < to; i++)
		if (spend(program, 1))
			reach_unit(program, i);
}

static void reach_named_data(struct program *program)
{
	for (uint32_t i = 1; i < program->image.nr_symbols; i++) {
		const Elf64_Sym *symbol = &program->symbols[i];
		uint64_t end = symbol->st_value + (symbol->st_size ? symbol->st_size : 1);

		if (symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
		    ELF64_ST_TYPE(symbol->st_info) != STT_TLS && !program_is_function(program, i) &&
		    text_at(program, symbol->st_value))
			reach_extent(program, symbol->st_value, end < symbol->st_value ? UINT64_MAX : end);
	}
}

static void reach_tag(struct program *program, int64_t tag)
{
	uint64_t vaddr;

	if (image_tag(&program->image, tag, &vaddr))
		reach_address(program, vaddr);
}

static void reach_roots(struct program *program)
{
	size_t i;

	for (i = 0; i < program->nr_units; i++)
		if (program->units[i].stays)
			reach_unit(program, i);
	reach_data(program);
	reach_named_data(program);
	reach_tag(program, DT_INIT);
	reach_tag(program, DT_FINI);
	reach_address(program, program->image.ehdr.e_entry);
}

/* Whether what lies between a unit and the next is there to be run through. */
static bool is_runnable(const struct program *program, const struct unit *unit)
{
	const uint8_t *padding = unit_bytes(program, unit) + (unit->end - unit->from);

	if (unit->end == unit->to)
		return true;
	return program->image.ehdr.e_machine == EM_X86_64 ? *padding && *padding != 0xcc : *padding == 0x1f;
}

static bool x86_leaves(const uint8_t *end, uint64_t n)
{
	for (; n && (end[-1] == 0x90 || end[-1] == 0xcc); n--)
		end--;
	return (n >= 1 && (end[-1] == 0xc3 || end[-1] == 0xf4)) || (n >= 2 && end[-2] == 0xeb) ||
	       (n >= 2 && end[-2] == 0x0f && end[-1] == 0x0b) || (n >= 5 && end[-5] == 0xe9);
}

/* ret, br, b, udf; behind them there may be NOPs. */
static bool aarch64_leaves(const uint8_t *end, uint64_t n)
{
	uint32_t word = AARCH64_NOP;

	for (; n >= sizeof word && word == AARCH64_NOP; n -= sizeof word, end -= sizeof word)
		memcpy(&word, end - sizeof word, sizeof word);
	return (word & 0xfffffc1f) == 0xd65f0000 || (word & 0xfffffc1f) == 0xd61f0000 ||
	       (word & 0xfc000000) == 0x14000000 || !word;
}

/* Hand-written code may run into what follows when it ends in nothing that
 * leaves it. Compilers' functions end where they end. */
bool may_fall_through(const struct program *program, const struct unit *unit)
{
	const uint8_t *end = unit_bytes(program, unit) + (unit->end - unit->from);
	uint64_t n = unit->end - unit->from;

	if (unit->framed || unit->runs_on || !is_runnable(program, unit))
		return false;
	return program->image.ehdr.e_machine == EM_X86_64 ? !x86_leaves(end, n) : !aarch64_leaves(end, n);
}

void reach_all(struct program *program)
{
	reach_roots(program);
	while (program->nr_work && program->budget) {
		uint32_t i = program->work[--program->nr_work];
		const struct unit *unit = &program->units[i];

		if (program->image.ehdr.e_machine == EM_X86_64)
			x86_references(program, unit);
		else
			aarch64_references(program, unit);
		if (may_fall_through(program, unit) && i + 1 < program->nr_units)
			reach_unit(program, i + 1);
	}
}
