/*
 * Pairs of arrays: see both.h.
 */
#include "both.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally tally;

static uint64_t state = 1;
static void *blocks[256];
static size_t nr_blocks;

void both_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15u | 1;
}

uint64_t both_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1du;
}

int64_t between(int64_t least, int64_t most)
{
	return least + (int64_t)((both_random() >> 16) % (uint64_t)(most - least + 1));
}

static void *block(size_t bytes)
{
	size_t rounded = (bytes + 127) / 64 * 64;
	void *p = aligned_alloc(64, rounded);

	if (!p || nr_blocks == sizeof blocks / sizeof *blocks)
		abort();
	memset(p, 0, rounded);
	return blocks[nr_blocks++] = p;
}

struct both both_numbers(int64_t nr, size_t size)
{
	struct both both = {.nr = (size_t)nr, .size = size};
	size_t i;

	both.p[0] = block(both.nr * size);
	both.p[1] = block(both.nr * size);
	for (i = 0; i < both.nr; i++) {
		double x = (double)(both_random() >> 11) / 0x1p53 - 0.5;

		if (size == sizeof(float))
			((float *)both.p[0])[i] = (float)x;
		else
			((double *)both.p[0])[i] = x;
	}
	both_share(&both);
	return both;
}

/* Garbage in all 64 bits, and every other time aligned to 4 bytes only, as
 * numpy's are: neither may matter. */
struct both both_integers(int64_t nr)
{
	struct both both = {.nr = (size_t)nr, .size = sizeof(int64_t), .integers = true};
	size_t shift = both_random() & 4, i;

	for (i = 0; i < 2; i++)
		both.p[i] = (char *)block(both.nr * both.size + 4) + shift;
	for (i = 0; i < both.nr; i++) {
		uint64_t x = both_random();

		memcpy((char *)both.p[0] + i * sizeof x, &x, sizeof x);
	}
	both_share(&both);
	return both;
}

void both_share(struct both *both)
{
	memcpy(both->p[1], both->p[0], both->nr * both->size);
}

static double number(const struct both *both, int side, size_t i)
{
	return both->size == sizeof(float) ? (double)((const float *)both->p[side])[i]
					   : ((const double *)both->p[side])[i];
}

/* Largest difference, in units in the last place of the largest number. */
static double difference(const struct both *both)
{
	double largest = 0, differs = 0;
	size_t i;

	for (i = 0; i < both->nr; i++) {
		double a = number(both, 0, i), b = number(both, 1, i);

		if (isnan(a) != isnan(b) || isinf(a) != isinf(b))
			return INFINITY;
		if (isnan(a) || isinf(a))
			continue;
		largest = fmax(largest, fmax(fabs(a), fabs(b)));
		differs = fmax(differs, fabs(a - b));
	}
	return differs / (fmax(largest, 1e-3) * (both->size == sizeof(float) ? 0x1p-23 : 0x1p-52));
}

static void compare(const char *routine, const char *what, const struct both *both, double tolerance)
{
	double by;

	tally.nr++;
	if (!memcmp(both->p[0], both->p[1], both->nr * both->size)) {
		tally.nr_equal++;
		return;
	}
	by = both->integers ? INFINITY : difference(both);
	if (tolerance < DBL_MAX)
		tally.worst = fmax(tally.worst, by);
	if (by <= tolerance)
		return;
	if (tally.nr_bad++ < 20)
		printf("# %s: %s differs by %g units in the last place\n", routine, what, by);
}

void both_check(const char *routine, const char *what, const struct both *both)
{
	compare(routine, what, both, tally.tolerance);
}

void both_check_loosely(const char *routine, const char *what, const struct both *both)
{
	compare(routine, what, both, tally.loose);
}

void both_reset(void)
{
	while (nr_blocks)
		free(blocks[--nr_blocks]);
}
