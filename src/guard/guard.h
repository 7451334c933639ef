/*
 * The parts of the guard.
 *
 *	size.c      sizes as people write them
 *	budgets.c   what is allowed: platform, --budget, --max-increase
 *	measure.c   what is there
 *	judge.c     the one held against the other
 *	advice.c    what shrink could do about it
 *	baseline.c  what was there: a JSON file
 *	file.c      writing one
 */
#ifndef SOFOLD_SRC_GUARD_GUARD_H
#define SOFOLD_SRC_GUARD_GUARD_H

#include "sofold/guard.h"

/* digits/scale. */
struct decimal {
	uint64_t digits, scale;
};

/* Takes "12.5" from the front of *text. */
bool guard_take_decimal(const char **text, struct decimal *decimal);

/* decimal * unit, when that is a whole number that fits. */
bool guard_scale(const struct decimal *decimal, uint64_t unit, uint64_t *value);

/* The word of a thing that has no name of its own: "unzipped". */
const char *guard_word(enum guard_what what);

#endif
