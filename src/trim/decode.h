/* Lengths of x86-64 instructions, and the distances in them. Internal to x86.c and fold.c. */
#ifndef SOFOLD_SRC_TRIM_DECODE_H
#define SOFOLD_SRC_TRIM_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct instruction {
	uint8_t length; /* bytes */
	uint8_t field;	/* offset of a distance counted from the instruction's end; width 0: none */
	uint8_t width;	/* bytes of it: 1 or 4 */
	bool is_branch; /* jmp, jcc, call, loop; else an operand in memory */
};

/* Reads the instruction at bytes, of which n are there. False: none that this knows. */
bool x86_decode(const uint8_t *bytes, size_t n, struct instruction *instruction);

/* What the distance of an instruction at vaddr leads to. */
uint64_t x86_distance_target(const struct instruction *instruction, const uint8_t *bytes, uint64_t vaddr);

#endif
