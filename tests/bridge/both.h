/*
 * both: the same call twice, on equal copies of its arrays.
 *
 * A case makes its arrays with elements(), reals() and integers(), calls side 0
 * and side 1 each with its own copies, and compares every array it passed to
 * its last byte: what a routine must not touch is compared, too. Arrays live
 * until both_reset().
 */
#ifndef SOFOLD_TEST_BRIDGE_BOTH_H
#define SOFOLD_TEST_BRIDGE_BOTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct both {
	void *p[2];
	size_t nr;     /* numbers: two for a complex element */
	size_t size;   /* bytes of one */
	bool integers; /* else float or double */
};

/* What the comparisons of a run came to. */
struct tally {
	size_t nr, nr_equal;	 /* arrays; those equal bit by bit */
	size_t nr_bad;		 /* arrays that differ by more than the tolerance, or integers that differ */
	double worst;		 /* of bounded ones; units in the last place of the array's largest number */
	double tolerance, loose; /* of both_check(), both_check_loosely() */
};
extern struct tally tally;

/* The generator of both_ and of cases: xorshift64*, so that a seed says it all. */
void both_seed(uint64_t seed);
uint64_t both_random(void);
int64_t between(int64_t least, int64_t most);

struct both both_numbers(int64_t nr, size_t size);
struct both both_integers(int64_t nr);

/* Makes side 1 equal to side 0. */
void both_share(struct both *both);
void both_check(const char *routine, const char *what, const struct both *both);

/* For what two right libraries may answer differently: the vectors of a singular
 * value or an eigenvalue may turn around, and eigenvalues come in another order. */
void both_check_loosely(const char *routine, const char *what, const struct both *both);
void both_reset(void);

#endif
