/*
 * From roots along references to all that may run.
 *
 * Roots: what data points to (tables of kernels aside), what the loader calls,
 * what somebody imports, and code nobody has described. A linkage table's slot is
 * no root: it counts for the functions that jump or load through it.
 */
#include "trim/trim.h"

#include "sofold/vec.h"

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

bool reach_slot(struct program *program, uint64_t vaddr)
{
	const struct slot *slot = program_slot_at(program, vaddr);

	if (slot)
		reach_address(program, slot->target);
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
		if (!text_at(program, target))
			return;
		reach_address(program, target);
	}
}

static bool is_indirect(const struct slot *slot, uint16_t machine)
{
	return slot->type == (machine == EM_X86_64 ? R_X86_64_IRELATIVE : R_AARCH64_IRELATIVE);
}

static void reach_data(struct program *program)
{
	for (size_t i = 0; i < program->nr_slots; i++) {
		const struct slot *slot = &program->slots[i];

		if (is_indirect(slot, program->image.ehdr.e_machine) ||
		    (!ranges_hold(&program->got, slot->at) && !ranges_hold(&program->tables, slot->at)))
			reach_address(program, slot->target);
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
	reach_tag(program, DT_INIT);
	reach_tag(program, DT_FINI);
	reach_address(program, program->image.ehdr.e_entry);
}

/* Hand-written code may run into what follows when it ends in nothing that
 * leaves it. Compilers' functions end where they end. */
static bool may_fall_through(const struct program *program, const struct unit *unit)
{
	const uint8_t *end = unit_bytes(program, unit) + (unit->end - unit->from);
	uint64_t n = unit->end - unit->from;
	uint32_t word;

	if (unit->framed || unit->runs_on || unit->end != unit->to)
		return false;
	if (program->image.ehdr.e_machine == EM_X86_64)
		return !((n >= 1 && (end[-1] == 0xc3 || end[-1] == 0xf4)) || (n >= 2 && end[-2] == 0xeb) ||
			 (n >= 2 && end[-2] == 0x0f && end[-1] == 0x0b) || (n >= 5 && end[-5] == 0xe9));
	if (n < 4)
		return true;
	memcpy(&word, end - 4, sizeof word);
	return !((word & 0xfffffc1f) == 0xd65f0000 || (word & 0xfffffc1f) == 0xd61f0000 ||
		 (word & 0xfc000000) == 0x14000000 || !word);
}

void reach_all(struct program *program)
{
	reach_roots(program);
	while (program->nr_work) {
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
