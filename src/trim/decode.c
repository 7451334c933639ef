/*
 * Lengths of x86-64 instructions (Intel SDM volume 2, chapter 2 "Instruction
 * format" and appendix A "Opcode map"; AMD APM volume 3 for XOP).
 *
 *	prefixes | REX, VEX, EVEX or XOP | opcode | ModRM SIB displacement | immediate
 *
 * A length follows from the opcode map: whether there is a ModRM byte, and how long
 * the immediate is. What an instruction does matters only where it holds a distance:
 * relative branches, and operands relative to the instruction pointer (ModRM with
 * mod 0 and r/m 5). What no compiler emits in user code is left out, and unknown.
 */
#include "trim/decode.h"

#include <string.h>

enum map { MAP_ONE, MAP_0F, MAP_0F38, MAP_0F3A, MAP_FP16, MAP_XOP8, MAP_XOP9, MAP_XOPA };

struct reading {
	const uint8_t *bytes;
	size_t n, at;
	bool wide;   /* REX.W */
	bool half;   /* operand size 16 */
	bool vector; /* VEX, EVEX, XOP */
	enum map map;
	uint8_t opcode;
	struct instruction *out;
};

static bool next(struct reading *reading, uint8_t *byte)
{
	if (reading->at >= reading->n)
		return false;
	*byte = reading->bytes[reading->at++];
	return true;
}

static bool skip(struct reading *reading, size_t n)
{
	reading->at += n;
	return reading->at <= reading->n;
}

/* --------- up to the opcode ------------------ */

static bool is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0xf0 || byte == 0xf2 || byte == 0xf3 || byte == 0x2e ||
	       byte == 0x36 || byte == 0x3e || byte == 0x26 || byte == 0x64 || byte == 0x65;
}

/* The map that the low bits of a VEX or EVEX prefix name. */
static bool vector_map(struct reading *reading, unsigned number)
{
	static const enum map maps[] = {MAP_ONE, MAP_0F, MAP_0F38, MAP_0F3A, MAP_ONE, MAP_FP16, MAP_FP16};

	if (!number || number == 4 || number >= sizeof maps / sizeof *maps)
		return false;
	reading->map = maps[number];
	reading->vector = true;
	return next(reading, &reading->opcode);
}

static bool read_vector(struct reading *reading, uint8_t prefix)
{
	uint8_t byte, ignored;

	if (!next(reading, &byte))
		return false;
	switch (prefix) {
	case 0xc5:
		return vector_map(reading, 1);
	case 0xc4:
		return next(reading, &ignored) && vector_map(reading, byte & 31);
	default: /* 0x62 */
		return skip(reading, 2) && vector_map(reading, byte & 7);
	}
}

/* 8f is POP with a ModRM byte whose reg is 0; else XOP, whose map is at least 8. */
static bool read_xop(struct reading *reading)
{
	static const enum map maps[] = {MAP_XOP8, MAP_XOP9, MAP_XOPA};
	uint8_t byte, ignored;

	if (reading->at >= reading->n || (reading->bytes[reading->at] & 31) < 8)
		return true;
	if (!next(reading, &byte) || (byte & 31) > 10 || !next(reading, &ignored))
		return false;
	reading->map = maps[(byte & 31) - 8];
	reading->vector = true;
	return next(reading, &reading->opcode);
}

static bool read_escape(struct reading *reading)
{
	if (!next(reading, &reading->opcode))
		return false;
	reading->map = MAP_0F;
	if (reading->opcode != 0x38 && reading->opcode != 0x3a)
		return true;
	reading->map = reading->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
	return next(reading, &reading->opcode);
}

static bool read_opcode(struct reading *reading)
{
	uint8_t byte;

	do {
		if (!next(reading, &byte))
			return false;
		reading->half |= byte == 0x66;
	} while (is_prefix(byte));
	if ((byte & 0xf0) == 0x40) {
		reading->wide = byte & 8;
		if (!next(reading, &byte))
			return false;
	}
	reading->opcode = byte;
	switch (byte) {
	case 0xc4:
	case 0xc5:
	case 0x62:
		return read_vector(reading, byte);
	case 0x8f:
		return read_xop(reading);
	case 0x0f:
		return read_escape(reading);
	}
	return true;
}

/* --------- what follows ------------------ */

/* For each opcode of the one-byte map: '.' neither ModRM nor immediate, 'm' ModRM, 'b' an
 * immediate byte, 'z' of 4 bytes (2 with 16-bit operands), 'B' and 'Z' ModRM and that, 'j'
 * a distance of a byte, 'J' of 4, 'w' two bytes, 'e' three, 'v' a register's size, 'a' an
 * address of 8 bytes, 't' ModRM and perhaps an immediate (TEST), 'x' not in 64-bit mode,
 * or a prefix. */
static const char one_byte[] = "mmmmbzxxmmmmbzxx"  /* 00 */
			       "mmmmbzxxmmmmbzxx"  /* 10 */
			       "mmmmbzxxmmmmbzxx"  /* 20 */
			       "mmmmbzxxmmmmbzxx"  /* 30 */
			       "xxxxxxxxxxxxxxxx"  /* 40 */
			       "................"  /* 50 */
			       "xxxmxxxxzZbB...."  /* 60 */
			       "jjjjjjjjjjjjjjjj"  /* 70 */
			       "BZxBmmmmmmmmmmmm"  /* 80 */
			       "..........x....."  /* 90 */
			       "aaaa....bz......"  /* a0 */
			       "bbbbbbbbvvvvvvvv"  /* b0 */
			       "BBw.xxBZe.w..bx."  /* c0 */
			       "mmmmxxx.mmmmmmmm"  /* d0 */
			       "jjjjbbbbJJxj...."  /* e0 */
			       "x.xx..tt......mm"; /* f0 */

/* The same for the map behind 0f. */
static const char two_byte[] = "mmmmx......x.m.B"  /* 00: 0b below */
			       "mmmmmmmmmmmmmmmm"  /* 10 */
			       "mmmmxxxxmmmmmmmm"  /* 20 */
			       "........xxxxxxxx"  /* 30 */
			       "mmmmmmmmmmmmmmmm"  /* 40 */
			       "mmmmmmmmmmmmmmmm"  /* 50 */
			       "mmmmmmmmmmmmmmmm"  /* 60 */
			       "BBBBmmm.mmmmmmmm"  /* 70 */
			       "JJJJJJJJJJJJJJJJ"  /* 80 */
			       "mmmmmmmmmmmmmmmm"  /* 90 */
			       "...mBmxx...mBmmm"  /* a0 */
			       "mmmmmmmmmmBmmmmm"  /* b0 */
			       "mmBmBBBm........"  /* c0 */
			       "mmmmmmmmmmmmmmmm"  /* d0 */
			       "mmmmmmmmmmmmmmmm"  /* e0 */
			       "mmmmmmmmmmmmmmmm"; /* f0 */

static char shape(const struct reading *reading)
{
	switch (reading->map) {
	case MAP_ONE:
		return one_byte[reading->opcode];
	case MAP_0F:
		return reading->opcode == 0x0b ? '.' : two_byte[reading->opcode];
	case MAP_0F3A:
	case MAP_XOP8:
		return 'B';
	case MAP_XOPA:
		return 'Z';
	default:
		return 'm';
	}
}

static void note_distance(struct reading *reading, uint8_t width, bool is_branch)
{
	reading->out->field = (uint8_t)reading->at;
	reading->out->width = width;
	reading->out->is_branch = is_branch;
}

static bool read_operand(struct reading *reading, uint8_t *modrm)
{
	uint8_t mod, rm, sib = 0;

	if (!next(reading, modrm))
		return false;
	mod = *modrm >> 6;
	rm = *modrm & 7;
	if (mod == 3)
		return true;
	if (rm == 4 && !next(reading, &sib))
		return false;
	if (mod == 1)
		return skip(reading, 1);
	if (mod == 0 && rm == 5)
		note_distance(reading, 4, false);
	if (mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (sib & 7) == 5))))
		return skip(reading, 4);
	return true;
}

static size_t immediate_size(const struct reading *reading, char kind, uint8_t modrm)
{
	size_t word = reading->half && !reading->wide ? 2 : 4;

	switch (kind) {
	case 'b':
	case 'B':
		return 1;
	case 'z':
	case 'Z':
		return reading->map == MAP_XOPA ? 4 : word;
	case 'w':
		return 2;
	case 'e':
		return 3;
	case 'v':
		return reading->wide ? 8 : word;
	case 'a':
		return 8;
	case 't':
		if (modrm >> 3 & 6)
			return 0;
		return reading->opcode == 0xf6 ? 1 : word;
	}
	return 0;
}

static bool read_rest(struct reading *reading)
{
	char kind = shape(reading);
	uint8_t modrm = 0;

	switch (kind) {
	case 'x':
		return false;
	case 'j':
	case 'J':
		note_distance(reading, kind == 'j' ? 1 : 4, true);
		return skip(reading, kind == 'j' ? 1 : 4);
	case 'm':
	case 'B':
	case 'Z':
	case 't':
		if (!read_operand(reading, &modrm))
			return false;
	}
	return skip(reading, immediate_size(reading, kind, modrm));
}

bool x86_decode(const uint8_t *bytes, size_t n, struct instruction *instruction)
{
	struct reading reading = {.bytes = bytes, .n = n < 15 ? n : 15, .out = instruction};

	*instruction = (struct instruction){0};
	if (!read_opcode(&reading) || !read_rest(&reading))
		return false;
	instruction->length = (uint8_t)reading.at;
	return true;
}

uint64_t x86_distance_target(const struct instruction *instruction, const uint8_t *bytes, uint64_t vaddr)
{
	int32_t distance;

	if (instruction->width == 1)
		return vaddr + instruction->length + (uint64_t)(int64_t)(int8_t)bytes[instruction->field];
	memcpy(&distance, bytes + instruction->field, sizeof distance);
	return vaddr + instruction->length + (uint64_t)(int64_t)distance;
}
