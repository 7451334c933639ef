/*
 * In place of an LP64 OpenBLAS: are the lengths of CHARACTER arguments passed?
 *
 * gfortran's callee finds a size_t for each behind all arguments. OpenBLAS's
 * routines hardly ever read theirs, so a missing one would go unnoticed until one
 * does. Here a LAPACK routine answers INFO = 0 if all of them are 1, else 99.
 */
#include "bridge/blob/blob.h"

enum { NOT_ONE = 99 };

#define PARAMETER(kind, p, a, ...) , GIVE_##kind(p) a

#define LENGTH(kind, p, a, ...) LENGTH_##kind(, size_t length_##a)
#define IS_ONE(kind, p, a, ...) LENGTH_##kind(&&length_##a == 1)
#define LENGTH_CHARACTER(...)	__VA_ARGS__
#define LENGTH_INTEGER(...)
#define LENGTH_LENGTH(...)
#define LENGTH_ARRAY(...)
#define LENGTH_REALS(...)
#define LENGTH_WORK(...)
#define LENGTH_REAL_WORK(...)
#define LENGTH_PIVOTS(...)
#define LENGTH_SCRATCH(...)
#define LENGTH_INT_WORK(...)
#define LENGTH_OUT(...)

/* What is not looked at. */
#define MENTION(kind, p, a, ...) (void)a;

#define DEFINE(p, name, shape, how)                                                                          \
	EXPORT void FORTRAN_OUT(p, name)(LIST(SHAPE_##shape(PARAMETER, p) SHAPE_##shape(LENGTH, p)));        \
	void FORTRAN_OUT(p, name)(LIST(SHAPE_##shape(PARAMETER, p) SHAPE_##shape(LENGTH, p)))                \
	{                                                                                                    \
		SHAPE_##shape(MENTION, p);                                                                   \
		*info = true SHAPE_##shape(IS_ONE, p) ? 0 : NOT_ONE;                                         \
	}

/* The rest only has to be there. */
#define STUB(name)                                                                                           \
	EXPORT void name(void);                                                                              \
	void name(void)                                                                                      \
	{                                                                                                    \
	}
#define STUB_CBLAS(p, name, ...) STUB(CBLAS_OUT(p, name))
#define STUB_BLAS(p, name, ...)	 STUB(FORTRAN_OUT(p, name))

BRIDGE_CBLAS(STUB_CBLAS)
BRIDGE_BLAS(STUB_BLAS)
BRIDGE_LAPACK(DEFINE)
