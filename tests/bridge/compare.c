/*
 * Two libraries, the same random calls, the same results?
 *
 *	compare equal ORIGINAL BRIDGE ROUNDS SEED
 *	compare close ORIGINAL BRIDGE ROUNDS SEED
 *	compare naive BRIDGE ROUNDS SEED
 *
 * "equal" calls every routine of an ILP64 OpenBLAS and of a bridge; results are
 * to be equal bit by bit, which they are on one thread where both OpenBLAS have
 * the same kernels. "close" is for where they have not: integers must be equal,
 * nothing may become or cease to be a number, numbers agree as well as sums in
 * another order do, but for what both_check_loosely() is for, and eight results of
 * ten must be equal bit by bit. "naive" calls levels 1 to 3 of a bridge compiled
 * with a low limit, so that nearly every call is cut into pieces, beside plain
 * loops; results are to agree to rounding.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "both.h"
#include "library.h"

enum { BY_ROWS = 101, BY_COLUMNS = 102, PLAIN = 111, CONJUGATED = 113 };

static struct library sides[2];
static int64_t largest = 40, slack = 5;

static int64_t longest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Mostly small; 0 and the large ones, where OpenBLAS blocks, now and then. */
static int64_t size(void)
{
	return between(0, 15) ? between(0, largest) : between(0, 6 * largest);
}

/* Right hand sides: never none, for which OpenBLAS's versions differ in what
 * they leave undefined. */
static int64_t few(void)
{
	return between(1, 4);
}

static int64_t increment(void)
{
	int64_t inc = between(1, 1 + slack);

	return between(0, 1) ? 1 : between(0, 1) ? inc : -inc;
}

static int any_order(void)
{
	return (int)between(BY_ROWS, BY_COLUMNS);
}

static int any_transposition(bool conjugated)
{
	return (int)between(PLAIN, conjugated ? CONJUGATED : CONJUGATED - 1);
}

/* The first of an INT_WORK array: all that is defined in it. */
static int64_t first(const char *routine, const struct both *iwork)
{
	struct both one = *iwork;
	int64_t x;

	one.nr = 1;
	both_check(routine, "iwork[0]", &one);
	memcpy(&x, iwork->p[0], sizeof x);
	return longest(1, x);
}

#define LETTER s
#include "cases.h"
#undef LETTER
#define HAS_QR orgqr
#define LETTER d
#include "cases.h"
#undef LETTER
#undef HAS_QR
#define COMPLEX
#define LETTER c
#include "cases.h"
#undef LETTER
#define HAS_QR ungqr
#define LETTER z
#include "cases.h"
#undef LETTER

static void run(int64_t rounds, bool with_lapack)
{
	while (rounds-- > 0) {
		levels_s();
		levels_d();
		levels_c();
		levels_z();
		if (!with_lapack)
			continue;
		lapack_s();
		lapack_d();
		lapack_c();
		lapack_z();
	}
}

int main(int argc, char **argv)
{
	bool naive = argc > 1 && !strcmp(argv[1], "naive");

	if (argc != (naive ? 5 : 6))
		return 2;
	library_open(&sides[1], argv[argc - 3]);
	if (naive)
		library_naive(&sides[0]);
	else
		library_open(&sides[0], argv[2]);
	both_seed(strtoull(argv[argc - 1], NULL, 10));
	if (!strcmp(argv[1], "close")) {
		tally.tolerance = 1e5;
		tally.loose = DBL_MAX;
	}
	if (naive) {
		largest = 30;
		slack = 12;
		tally.tolerance = 500;
	}
	run(strtoll(argv[argc - 2], NULL, 10), !naive);
	printf("%zu results, %zu equal bit by bit, worst %.3g units in the last place, %zu bad\n", tally.nr,
	       tally.nr_equal, tally.worst, tally.nr_bad);
	return tally.nr_bad || (!naive && tally.nr_equal < tally.nr * 8 / 10);
}
