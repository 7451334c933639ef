/*
 * References in x86-64 code, without a disassembler.
 *
 * Position-independent code says where something is by a 32-bit distance from
 * the end of the instruction. Instructions begin anywhere, so every byte is
 * taken for the first of such a distance: all references there are will be
 * among those found, and some that are none, which only keep more alive. The
 * distance is the last thing in an instruction that jumps, calls or takes an
 * address; a constant of 1, 2 or 4 bytes may follow where a slot is compared
 * or filled.
 *
 * What a compiler has made is entered at its beginning, so a distance counts
 * when a function begins where it leads. Hand-written code has no frame, and may
 * jump to labels of its neighbours; and where nobody knows how far a function
 * reaches, others may be hidden in it. There the opcode before the distance must be
 * that of a jump, call, or address.
 *
 * Jumps of one byte reach over a function's end too: a call in tail position of a
 * neighbour.
 *
 * _GLOBAL_OFFSET_TABLE_ itself in a distance is the mark of a code model with
 * offsets from there (x86-64 psABI, "large model"), which this does not follow:
 * whoever has its address keeps everything the table leads to.
 */
#include "trim/trim.h"

/* Bytes a linkage stub has at most before its jump: endbr64, bnd. */
enum { STUB_REACH = 16 };

/* A constant behind a distance makes the instruction end so much later. */
static const uint8_t trailing[] = {0, 1, 2, 4};

struct scan {
	struct program *program;
	const struct unit *unit;
	const struct area *text; /* the unit's */
	uint64_t table;		 /* address of _GLOBAL_OFFSET_TABLE_; 0: none */
};

uint64_t x86_linkage_slot(const struct program *program, uint64_t vaddr)
{
	struct span stub;
	int32_t distance;
	size_t i;

	for (i = STUB_REACH; i >= 6; i--)
		if (image_at(&program->image, vaddr, i, &stub))
			break;
	for (size_t at = 0; i >= 6 && at + 6 <= i; at++) {
		if (stub.p[at] != 0xff || stub.p[at + 1] != 0x25)
			continue;
		memcpy(&distance, stub.p + at + 2, sizeof distance);
		return vaddr + at + 6 + (uint64_t)(int64_t)distance;
	}
	return 0;
}

/* jmp, call, jcc, or an operand relative to the instruction pointer end before at. */
static bool is_branch(const uint8_t *at, uint64_t into)
{
	if (into >= 1 && (at[-1] == 0xe8 || at[-1] == 0xe9))
		return true;
	return into >= 2 && at[-2] == 0x0f && (at[-1] & 0xf0) == 0x80;
}

static bool is_operand(const uint8_t *at, uint64_t into)
{
	return into >= 1 && (at[-1] & 0xc7) == 0x05;
}

/* Whether code may lead into the middle of a unit. */
static bool may_enter(const struct scan *scan, const struct unit *unit, const uint8_t *at, uint64_t into)
{
	if (unit->framed)
		return false;
	if (!unit->sized)
		return is_branch(at, into) || is_operand(at, into);
	return !scan->unit->framed && is_branch(at, into);
}

static void reach_text(struct scan *scan, const struct area *text, const uint8_t *at, uint64_t into,
		       uint64_t target)
{
	struct program *program = scan->program;
	size_t unit;

	if (target >= scan->unit->from && target < scan->unit->to)
		return;
	if (text_starts(text, target)) {
		reach_address(program, target);
		return;
	}
	unit = unit_at(program, target);
	if (unit != NO_UNIT && may_enter(scan, &program->units[unit], at, into))
		reach_unit(program, unit);
}

static void reach_table(struct program *program)
{
	for (size_t i = 0; i < program->nr_slots; i++)
		if (ranges_hold(&program->got, program->slots[i].at))
			reach_address(program, program->slots[i].target);
}

static void reach_target(struct scan *scan, const uint8_t *at, uint64_t into, uint64_t target)
{
	struct program *program = scan->program;
	const struct area *text = text_at(program, target);

	if (text) {
		reach_text(scan, text, at, into, target);
	} else if (ranges_hold(&program->linkage, target)) {
		reach_linkage(program, target);
	} else if (ranges_hold(&program->got, target)) {
		if (target == scan->table)
			reach_table(program);
		for (size_t i = 0; i < sizeof trailing; i++)
			reach_slot(program, target + trailing[i]);
	} else if (is_operand(at, into)) {
		reach_jump_table(program, target);
	}
}

/* The short forms: jmp, jcc, loop, jrcxz. */
static bool is_short_branch(uint8_t opcode)
{
	return opcode == 0xeb || (opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0;
}

static void reach_neighbour(struct scan *scan, uint64_t target)
{
	struct program *program = scan->program;
	size_t unit;

	if (target < scan->text->from || target >= scan->text->to)
		return;
	unit = unit_at(program, target);
	if (unit != NO_UNIT && (program->units[unit].from == target || !scan->unit->framed))
		reach_unit(program, unit);
}

static void scan_short(struct scan *scan, const uint8_t *bytes, uint64_t i)
{
	const struct unit *unit = scan->unit;
	uint64_t target = unit->from + i + 2 + (uint64_t)(int64_t)(int8_t)bytes[i + 1];

	if (target < unit->from || target >= unit->to)
		reach_neighbour(scan, target);
}

/* movabs $_GLOBAL_OFFSET_TABLE_ - here, %reg: of the large model. */
static bool takes_table(const struct scan *scan, const uint8_t *bytes, uint64_t vaddr)
{
	uint64_t distance;

	if ((bytes[0] & 0xfe) != 0x48 || (bytes[1] & 0xf8) != 0xb8 || !scan->table)
		return false;
	memcpy(&distance, bytes + 2, sizeof distance);
	return scan->table - distance - vaddr + 64 < 128;
}

void x86_references(struct program *program, const struct unit *unit)
{
	struct scan scan = {.program = program, .unit = unit, .text = &program->texts[unit->text]};
	const uint8_t *bytes = unit_bytes(program, unit);
	uint64_t n = unit->end - unit->from, left = scan.text->to - unit->from, i, target;
	uint64_t width = program->high - program->low;
	int32_t distance;

	image_tag(&program->image, DT_PLTGOT, &scan.table);
	for (i = 0; i < n && i + sizeof distance <= left; i++) {
		memcpy(&distance, bytes + i, sizeof distance);
		target = unit->from + i + sizeof distance + (uint64_t)(int64_t)distance;
		if (target - program->low < width)
			reach_target(&scan, bytes + i, unit->from + i - scan.text->from, target);
		if (is_short_branch(bytes[i]))
			scan_short(&scan, bytes, i);
		if (i + 10 <= left && takes_table(&scan, bytes + i, unit->from + i))
			reach_table(program);
	}
}
