/*
 * References in x86-64 code.
 *
 * Position-independent code says where something is by a 32-bit distance from
 * the end of the instruction. They are looked for twice.
 *
 * First without a disassembler, which could be led astray by data among the code:
 * every byte is taken for the first of such a distance. All references there
 * are will be among those found, and some that are none, which only keep more alive.
 * The distance is the last thing in an instruction that jumps, calls or takes an
 * address; a constant of 1, 2 or 4 bytes may follow where a slot is compared
 * or filled. Such a distance counts when a function begins where it leads, or a stub of
 * the linkage table, a slot, or a jump table lies there. Jumps of one byte count in
 * the same way: they reach a neighbour.
 *
 * Then instruction by instruction (decode.c), for what leads into the middle of a
 * function: from a function's hot part to a label of its cold one, and
 * between hand-written functions that share labels. A unit that does not come out
 * even is no clean code: in it whatever looks like a jump, call or operand counts.
 *
 * Larger code models reach data and static functions by 64-bit offsets from
 * _GLOBAL_OFFSET_TABLE_ (x86-64 psABI, "medium" and "large model"), which this does not
 * follow: who computes with such constants and has the table's address keeps everything.
 * The address alone proves nothing; lld lays an empty section's end there.
 */
#include "trim/decode.h"
#include "trim/trim.h"

/* Bytes a linkage stub has at most before its jump: endbr64, bnd. */
enum { STUB_REACH = 16 };

/* A constant behind a distance makes the instruction end so much later; less than a slot. */
static const uint8_t trailing[] = {0, 1, 2, 4};
enum { LONGEST_CONSTANT = 4 };

struct scan {
	struct program *program;
	const struct unit *unit;
	const struct area *text; /* the unit's */
	uint64_t table;		 /* address of _GLOBAL_OFFSET_TABLE_; 0: none */
	bool has_table;		 /* something may take it */
	bool has_constant;	 /* something may be of 64 bits */
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

/* What stands before a distance makes it that of a jump or a call. */
static bool is_branch(const uint8_t *at, uint64_t into)
{
	if (into >= 1 && (at[-1] == 0xe8 || at[-1] == 0xe9))
		return true;
	return into >= 2 && at[-2] == 0x0f && (at[-1] & 0xf0) == 0x80;
}

/* Or of an operand relative to the instruction pointer. */
static bool is_operand(const uint8_t *at, uint64_t into)
{
	return into >= 1 && (at[-1] & 0xc7) == 0x05;
}

static void reach_everything(struct program *program)
{
	for (size_t i = 0; i < program->nr_units; i++)
		reach_unit(program, i);
}

/* --------- byte by byte ------------------ */

static void reach_target(struct scan *scan, const uint8_t *at, uint64_t into, uint64_t target)
{
	struct program *program = scan->program;
	const struct area *text = text_at(program, target);

	if (text) {
		if (area_starts(text, target))
			reach_address(program, target);
	} else if (ranges_hold(&program->linkage, target)) {
		reach_linkage(program, target);
	} else if (ranges_hold(&program->got, target + LONGEST_CONSTANT)) {
		scan->has_table |= target == scan->table;
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

static uint64_t short_target(const struct unit *unit, const uint8_t *bytes, uint64_t i)
{
	return unit->from + i + 2 + (uint64_t)(int64_t)(int8_t)bytes[i + 1];
}

static bool is_movabs(const uint8_t *bytes)
{
	return (bytes[0] & 0xfe) == 0x48 && (bytes[1] & 0xf8) == 0xb8;
}

/* movabs $_GLOBAL_OFFSET_TABLE_ - here, %reg: of the large model. */
static bool takes_table(const struct scan *scan, const uint8_t *bytes, uint64_t vaddr)
{
	uint64_t distance;

	if (!scan->table)
		return false;
	memcpy(&distance, bytes + 2, sizeof distance);
	return scan->table - distance - vaddr + 64 < 128;
}

static uint64_t distance_target(const struct unit *unit, const uint8_t *bytes, uint64_t i)
{
	int32_t distance;

	memcpy(&distance, bytes + i, sizeof distance);
	return unit->from + i + sizeof distance + (uint64_t)(int64_t)distance;
}

static void scan_bytes(struct scan *scan)
{
	struct program *program = scan->program;
	const struct unit *unit = scan->unit;
	const uint8_t *bytes = unit_bytes(program, unit);
	uint64_t n = unit->end - unit->from, left = scan->text->to - unit->from, i, target;
	uint64_t width = program->high - program->low;

	for (i = 0; i < n && i + 4 <= left; i++) {
		target = distance_target(unit, bytes, i);
		if (target - program->low < width)
			reach_target(scan, bytes + i, unit->from + i - scan->text->from, target);
		if (is_short_branch(bytes[i]))
			reach_unit(program, unit_starting(program, short_target(unit, bytes, i)));
		if (i + 10 <= left && is_movabs(bytes + i)) {
			scan->has_constant = true;
			scan->has_table |= takes_table(scan, bytes + i, unit->from + i);
		}
	}
	if (scan->has_table && scan->has_constant)
		reach_everything(program);
}

/* --------- instruction by instruction ------------------ */

/* False: the bytes are not instructions from end to end. */
static bool scan_instructions(struct scan *scan)
{
	const struct unit *unit = scan->unit;
	const uint8_t *bytes = unit_bytes(scan->program, unit);
	uint64_t n = unit->end - unit->from, i;
	struct instruction instruction;

	for (i = 0; i < n; i += instruction.length) {
		if (!x86_decode(bytes + i, n - i, &instruction))
			return false;
		if (instruction.width)
			reach_address(scan->program,
				      x86_distance_target(&instruction, bytes + i, unit->from + i));
	}
	return true;
}

static void scan_likely(struct scan *scan)
{
	struct program *program = scan->program;
	const struct unit *unit = scan->unit;
	const uint8_t *bytes = unit_bytes(program, unit);
	uint64_t n = unit->end - unit->from, left = scan->text->to - unit->from, i;

	for (i = 0; i < n && i + 4 <= left; i++) {
		uint64_t into = unit->from + i - scan->text->from;

		if (is_branch(bytes + i, into) || is_operand(bytes + i, into))
			reach_address(program, distance_target(unit, bytes, i));
		if (is_short_branch(bytes[i]))
			reach_address(program, short_target(unit, bytes, i));
	}
}

void x86_references(struct program *program, const struct unit *unit)
{
	struct scan scan = {.program = program, .unit = unit, .text = &program->texts[unit->text]};

	image_tag(&program->image, DT_PLTGOT, &scan.table);
	scan_bytes(&scan);
	if (!scan_instructions(&scan))
		scan_likely(&scan);
}
