/*
 * LAPACK: the exported functions.
 *
 * A call whose sizes and workspaces fit is passed on: integers narrowed, arrays
 * of integers passed as they are (the int64_t[n] of the caller holds the
 * int32_t[n] of the routine) and widened in place afterwards, INFO and RANK
 * written as the 64 bits numpy reads, which it does not initialise.
 *
 * A call that does not fit cannot be cut into pieces. It is refused with
 * INFO = -(position of N), which numpy raises as LinAlgError. But not when it
 * asks for workspace lengths: numpy takes a failed query for a reason to give
 * up without raising anything, and its results stay uninitialised. So a query
 * always succeeds; the call that follows it is refused.
 */
#include "bridge/blob/blob.h"

/*
 * Workspaces. Sizes are bounded before they are multiplied, so nothing here
 * overflows. Bounds that depend on block sizes are from above.
 */

/* Block size and crossover point of xGEQRF and xORGQR (ilaenv.f, ISPEC 1, 3). */
enum { BLOCK = 32, CROSSOVER = 128 };

/* What they ask for (dgeqrf.f: LWKOPT = N*NB). */
static double blocks_length(int64_t n)
{
	return n > 0 ? (double)n * (double)BLOCK : 1;
}

/* N*NB overflows first. Up to the crossover the blocked code, which would use
 * it, is not entered, so only the query matters. */
static inline bool blocks_exceed(int64_t k, int64_t n, int64_t lwork)
{
	return unlikely(n > LIMIT / BLOCK) && (lwork == -1 || k > CROSSOVER);
}

static inline bool is_option(char given, char option)
{
	return (given & ~0x20) == option;
}

/* xGEEV: block sizes of two reductions times N (dgeev.f: MAXWRK). */
static inline bool ev_exceeds(int64_t n)
{
	return 2 * BLOCK * n > LIMIT;
}

/* xSYEVD, xHEEVD: 1 + 6 N + 2 N**2 with vectors (dsyevd.f, zheevd.f: LWMIN,
 * LRWMIN), 2 N + N*NB without (LOPT). N fits in 32 bits. */
static inline bool evd_exceeds(char jobz, int64_t n)
{
	return (is_option(jobz, 'V') ? 1 + 6 * n + 2 * n * n : (2 + BLOCK) * n) > LIMIT;
}

/*
 * xGESDD with K = min(M, N): real 4 K**2 + 7 K, complex 5 K**2 + 5 K of RWORK
 * (dgesdd.f, zgesdd.f), and block sizes times the sum of the sides. The long
 * side counts only where it is less than 11/6 K, or for 'A', where the caller
 * holds its square: a tall matrix with few columns must pass.
 */
static inline bool sdd_exceeds(char jobz, int64_t m, int64_t n, int64_t squares)
{
	int64_t k = lesser(m, n), sides = 3 * k + (is_option(jobz, 'A') ? m + n : 0);

	if (k <= 0)
		return false;
	if (is_option(jobz, 'N'))
		return 10 * k + 160 * sides > LIMIT;
	return k > UINT16_MAX || squares * k * k + 10 * k + 160 * sides > LIMIT;
}

/*
 * xGELSD with K = min(M, N): bounds MINWRK of dgelsd.f and LRWORK of zgelsd.f
 * from above. For a wide matrix the routine also computes M*LDA, to see whether
 * the workspace would hold that much. LRWORK has 3*SMLSIZ + 2 numbers for each
 * right hand side, and N*(1 + NRHS) even if N is not the short side.
 *
 * MAXWRK has NRHS blocks, which overflow unnoticed, and may: it is the largest of
 * several, and blocks are used from K = 33 on, when K*NRHS is larger than they.
 */
static inline bool lsd_exceeds(int64_t m, int64_t n, int64_t nrhs, int64_t lda, bool is_complex)
{
	int64_t k = lesser(m, n), wide = m < n;

	if (k <= 0)
		return false;
	if (k > UINT16_MAX)
		return true;
	return k * (wide ? lda : k) + 1000 * k + (wide ? n : 0) + (is_complex ? n : k) * (nrhs + 1) +
		       (is_complex ? 3 * 25 + 2 : 0) * nrhs >
	       LIMIT;
}

/* A workspace may be longer than the routine can be told, and -1 is a query. */
static inline int32_t clamped(int64_t x)
{
	return (int32_t)(x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x);
}

/* int32_t[n] at p becomes int64_t[n], last element first because the new ones
 * lie over the old. lapack_lite's arrays may be aligned to 4 bytes only. */
static inline void widen(void *p, int64_t n)
{
	char *bytes = p;
	int32_t narrow;
	int64_t wide;

	while (n-- > 0) {
		__builtin_memcpy(&narrow, bytes + n * (int64_t)sizeof narrow, sizeof narrow);
		wide = narrow;
		__builtin_memcpy(bytes + n * (int64_t)sizeof wide, &wide, sizeof wide);
	}
}

static inline void set(void *p, int64_t wide)
{
	__builtin_memcpy(p, &wide, sizeof wide);
}

/* In each function "narrow" holds every integer of the call. */
#define NARROW(kind, p, ...) NARROW_##kind(__VA_ARGS__)
#define NARROW_CHARACTER(a)
#define NARROW_INTEGER(a) int32_t narrow_##a = (int32_t)*a;
#define NARROW_LENGTH(a)  int32_t narrow_##a = clamped(*a);
#define NARROW_ARRAY(a)
#define NARROW_REALS(a)
#define NARROW_WORK(a, answer)
#define NARROW_REAL_WORK(a, answer)
#define NARROW_PIVOTS(a, nr)
#define NARROW_SCRATCH(a)
#define NARROW_INT_WORK(a)
#define NARROW_OUT(a) int32_t narrow_##a = 0;

#define PASS(kind, p, ...)	  , PASS_##kind(__VA_ARGS__)
#define PASS_CHARACTER(a)	  a
#define PASS_INTEGER(a)		  &narrow_##a
#define PASS_LENGTH(a)		  &narrow_##a
#define PASS_ARRAY(a)		  a
#define PASS_REALS(a)		  a
#define PASS_WORK(a, answer)	  a
#define PASS_REAL_WORK(a, answer) a
#define PASS_PIVOTS(a, nr)	  (int32_t *)(void *)a
#define PASS_SCRATCH(a)		  (int32_t *)(void *)a
#define PASS_INT_WORK(a)	  (int32_t *)(void *)a
#define PASS_OUT(a)		  &narrow_##a

/* Behind all arguments: the lengths of the CHARACTER ones. */
#define HIDDEN(kind, p, ...)	  HIDDEN_##kind(, (size_t)1)
#define HIDDEN_TYPE(kind, p, ...) HIDDEN_##kind(, size_t)
#define HIDDEN_CHARACTER(...)	  __VA_ARGS__
#define HIDDEN_INTEGER(...)
#define HIDDEN_LENGTH(...)
#define HIDDEN_ARRAY(...)
#define HIDDEN_REALS(...)
#define HIDDEN_WORK(...)
#define HIDDEN_REAL_WORK(...)
#define HIDDEN_PIVOTS(...)
#define HIDDEN_SCRATCH(...)
#define HIDDEN_INT_WORK(...)
#define HIDDEN_OUT(...)

/* After the call. With INFO < 0 the routine has looked at its arguments only. */
#define WIDEN(kind, p, ...) WIDEN_##kind(__VA_ARGS__)
#define WIDEN_CHARACTER(a)
#define WIDEN_INTEGER(a)
#define WIDEN_LENGTH(a)
#define WIDEN_ARRAY(a)
#define WIDEN_REALS(a)
#define WIDEN_WORK(a, answer)
#define WIDEN_REAL_WORK(a, answer)
#define WIDEN_PIVOTS(a, nr)                                                                                  \
	if (narrow_info >= 0)                                                                                \
		widen(a, nr);
#define WIDEN_SCRATCH(a)
#define WIDEN_INT_WORK(a) widen(a, 1);
#define WIDEN_OUT(a)	  set(a, narrow_##a);

/* Is it a query? Any length will do. */
#define QUERY(kind, p, ...) QUERY_##kind(__VA_ARGS__)
#define QUERY_CHARACTER(a)
#define QUERY_INTEGER(a)
#define QUERY_LENGTH(a) || *a == -1
#define QUERY_ARRAY(a)
#define QUERY_REALS(a)
#define QUERY_WORK(a, answer)
#define QUERY_REAL_WORK(a, answer)
#define QUERY_PIVOTS(a, nr)
#define QUERY_SCRATCH(a)
#define QUERY_INT_WORK(a)
#define QUERY_OUT(a)

/* The answer of a query that is not passed on. */
#define ANSWER(kind, p, ...) ANSWER_##kind(p, __VA_ARGS__)
#define ANSWER_CHARACTER(p, a)
#define ANSWER_INTEGER(p, a)
#define ANSWER_LENGTH(p, a)
#define ANSWER_ARRAY(p, a)
#define ANSWER_REALS(p, a)
#define ANSWER_WORK(p, a, answer)      a[0] = (element_##p)(answer);
#define ANSWER_REAL_WORK(p, a, answer) a[0] = (real_##p)(answer);
#define ANSWER_PIVOTS(p, a, nr)
#define ANSWER_SCRATCH(p, a)
#define ANSWER_INT_WORK(p, a) set(a, 1);
#define ANSWER_OUT(p, a)      set(a, 0);

/* Positions as LAPACK counts them in INFO: enumerators at_n and so on. */
#define POSITION(kind, p, ...)	      , POSITION_##kind(__VA_ARGS__)
#define POSITION_CHARACTER(a)	      at_##a
#define POSITION_INTEGER(a)	      at_##a
#define POSITION_LENGTH(a)	      at_##a
#define POSITION_ARRAY(a)	      at_##a
#define POSITION_REALS(a)	      at_##a
#define POSITION_WORK(a, answer)      at_##a
#define POSITION_REAL_WORK(a, answer) at_##a
#define POSITION_PIVOTS(a, nr)	      at_##a
#define POSITION_SCRATCH(a)	      at_##a
#define POSITION_INT_WORK(a)	      at_##a
#define POSITION_OUT(a)		      at_##a

/* What does not fit ends here. OUT arguments are set in any case: RANK is 0,
 * and INFO 0 for a query. */
#define TURN_DOWN(p, name, shape, how)                                                                       \
	do {                                                                                                 \
		bool is_query = false SHAPE_##shape(QUERY, p);                                               \
                                                                                                             \
		SHAPE_##shape(ANSWER, p);                                                                    \
		if (!is_query) {                                                                             \
			how(#p #name);                                                                       \
			set(info, -at_n);                                                                    \
		}                                                                                            \
	} while (0)

#define DECLARE(p, name, shape, how)                                                                         \
	void FORTRAN_OUT(p, name)(LIST(SHAPE_##shape(GIVE, p) SHAPE_##shape(HIDDEN_TYPE, p)));               \
	EXPORT int64_t FORTRAN_IN(p, name)(LIST(SHAPE_##shape(TAKE, p)));

/* The result is what numpy's lapack_lite declares; Fortran has none. */
#define DEFINE(p, name, shape, how)                                                                          \
	int64_t FORTRAN_IN(p, name)(LIST(SHAPE_##shape(TAKE, p)))                                            \
	{                                                                                                    \
		enum { at_start SHAPE_##shape(POSITION, p) };                                                \
		SHAPE_##shape(NARROW, p);                                                                    \
                                                                                                             \
		if (unlikely(!all_fit(0 SHAPE_##shape(BITS, p)) || EXCEEDS_##shape)) {                       \
			TURN_DOWN(p, name, shape, how);                                                      \
			return 0;                                                                            \
		}                                                                                            \
		FORTRAN_OUT(p, name)(LIST(SHAPE_##shape(PASS, p) SHAPE_##shape(HIDDEN, p)));                 \
		SHAPE_##shape(WIDEN, p);                                                                     \
		return 0;                                                                                    \
	}

BRIDGE_LAPACK(DECLARE)
BRIDGE_LAPACK(DEFINE)
