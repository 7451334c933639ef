/*
 * What the parts of a bridge share: integers, element types, and names.
 *
 * A bridge is compiled once for each pair of spellings, with
 *
 *	-DINCOMING=scipy_   it exports scipy_dgesv_64_; empty: dgesv_64_
 *	-DOUTGOING=scipy_   it calls scipy_dgesv_;      empty: dgesv_
 *
 * It is freestanding: no heap, no headers of a C library, and of its functions
 * only write() and abort(), when a call must be turned down. That keeps it free
 * of symbol versions, so that one object serves every glibc and musl.
 */
#ifndef SOFOLD_BRIDGE_BLOB_H
#define SOFOLD_BRIDGE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/routines.h"

/* The largest integer passed on. Tests lower it, to reach with small arrays
 * what otherwise takes gigabytes. */
#ifndef BRIDGE_LIMIT
#define BRIDGE_LIMIT INT32_MAX
#endif
enum { LIMIT = BRIDGE_LIMIT, CHUNK = BRIDGE_LIMIT / 2 + 1 };
_Static_assert((BRIDGE_LIMIT & ((int64_t)BRIDGE_LIMIT + 1)) == 0, "all_fit() takes a power of two less one");

#define unlikely(x) __builtin_expect(!!(x), 0)
#define COLD	    __attribute__((cold, noinline))
#define EXPORT	    __attribute__((visibility("default")))

/* The smallest integer passed on becomes 0. So all of several fit when the
 * bits of any of them, raised, stay below those of 2 * (LIMIT + 1): one
 * comparison for a whole list of arguments. */
static inline uint64_t raised(int64_t x)
{
	return (uint64_t)x + LIMIT + 1u;
}

static inline bool all_fit(uint64_t bits)
{
	return bits < 2 * ((uint64_t)LIMIT + 1);
}

static inline bool fits(int64_t x)
{
	return all_fit(raised(x));
}

static inline int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

typedef float element_s;
typedef double element_d;
typedef float _Complex element_c;
typedef double _Complex element_z;

typedef float real_s, real_c;
typedef double real_d, real_z;

/* How CBLAS takes one element: cblas.h has "const void *" for complex. */
typedef float scalar_s;
typedef double scalar_d;
typedef const float _Complex *scalar_c;
typedef const double _Complex *scalar_z;

#define PASTE_(a, b, c, d, e) a##b##c##d##e
#define PASTE(a, b, c, d, e)  PASTE_(a, b, c, d, e)

#define CBLAS_IN(p, name)    PASTE(INCOMING, cblas_, p, name, 64_)
#define CBLAS_OUT(p, name)   PASTE(OUTGOING, cblas_, p, name, )
#define FORTRAN_IN(p, name)  PASTE(INCOMING, , p, name, _64_)
#define FORTRAN_OUT(p, name) PASTE(OUTGOING, , p, name, _)

/* A list built of ", a" and ", b" without the comma in front. */
#define LIST(...)	  LIST_(__VA_ARGS__)
#define LIST_(first, ...) __VA_ARGS__

/* Parameters of the exported function. */
#define TAKE(kind, p, ...)	     , TAKE_##kind(p, __VA_ARGS__)
#define TAKE_ENUM(p, a)		     int a
#define TAKE_SIZE(p, a)		     int64_t a
#define TAKE_SCALAR(p, a)	     scalar_##p a
#define TAKE_INPUT(p, a)	     const element_##p *a
#define TAKE_ARRAY(p, a)	     element_##p *a
#define TAKE_REALS(p, a)	     real_##p *a
#define TAKE_CHARACTER(p, a)	     const char *a
#define TAKE_INTEGER(p, a)	     const int64_t *a
#define TAKE_LENGTH(p, a)	     const int64_t *a
#define TAKE_WORK(p, a, answer)	     element_##p *a
#define TAKE_REAL_WORK(p, a, answer) real_##p *a
#define TAKE_PIVOTS(p, a, nr)	     int64_t *a
#define TAKE_SCRATCH(p, a)	     int64_t *a
#define TAKE_INT_WORK(p, a)	     int64_t *a
#define TAKE_OUT(p, a)		     int64_t *a

/* Only a dot product returns something. */
#define RESULT_dot(p)	  element_##p
#define RESULT_dot_sub(p) void
#define RESULT_axpy(p)	  void
#define RESULT_gemv(p)	  void
#define RESULT_gemm(p)	  void
#define RESULT_syrk(p)	  void

/* Parameters of the function that is called. Arrays of integers are the
 * caller's own: an int64_t[n] has room for an int32_t[n]. */
#define GIVE(kind, p, ...) , GIVE_##kind(p)
#define GIVE_ENUM(p)	   int
#define GIVE_SIZE(p)	   int32_t
#define GIVE_SCALAR(p)	   scalar_##p
#define GIVE_INPUT(p)	   const element_##p *
#define GIVE_ARRAY(p)	   element_##p *
#define GIVE_REALS(p)	   real_##p *
#define GIVE_CHARACTER(p)  const char *
#define GIVE_INTEGER(p)	   const int32_t *
#define GIVE_LENGTH(p)	   const int32_t *
#define GIVE_WORK(p)	   element_##p *
#define GIVE_REAL_WORK(p)  real_##p *
#define GIVE_PIVOTS(p)	   int32_t *
#define GIVE_SCRATCH(p)	   int32_t *
#define GIVE_INT_WORK(p)   int32_t *
#define GIVE_OUT(p)	   int32_t *

/* ORed together: the bits of every size. */
#define BITS(kind, p, ...) BITS_##kind(p, __VA_ARGS__)
#define BITS_ENUM(p, a)
#define BITS_SIZE(p, a) | raised(a)
#define BITS_SCALAR(p, a)
#define BITS_INPUT(p, a)
#define BITS_ARRAY(p, a)
#define BITS_REALS(p, a)
#define BITS_CHARACTER(p, a)
#define BITS_INTEGER(p, a) | raised(*a)
#define BITS_LENGTH(p, a)
#define BITS_WORK(p, a, answer)
#define BITS_REAL_WORK(p, a, answer)
#define BITS_PIVOTS(p, a, nr)
#define BITS_SCRATCH(p, a)
#define BITS_INT_WORK(p, a)
#define BITS_OUT(p, a)

/* Turns a call down: says so on standard error. refused() comes back. */
void refused(const char *routine);
_Noreturn void fatal(const char *routine);

#endif
