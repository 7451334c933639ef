/*
 * Levels 1 to 3: the exported functions.
 *
 * Sizes that fit are passed on as they are. Those that do not are rare (they
 * take gigabytes) and go to large.h, which cuts the work into calls that fit.
 */
#include "bridge/blob/blob.h"

/* Arguments for the function that is called, from those that were taken. */
#define PASS(kind, p, a) , PASS_##kind(a)
#define PASS_ENUM(a)	 a
#define PASS_SIZE(a)	 (int32_t) a
#define PASS_SCALAR(a)	 a
#define PASS_INPUT(a)	 a
#define PASS_ARRAY(a)	 a
#define PASS_INTEGER(a)                                                                                      \
	&(int32_t)                                                                                           \
	{                                                                                                    \
		(int32_t) * a                                                                                \
	}

/* The same for large.h, which takes every size by value. */
#define KEEP(kind, p, a) , KEEP_##kind(a)
#define KEEP_ENUM(a)	 a
#define KEEP_SIZE(a)	 a
#define KEEP_SCALAR(a)	 a
#define KEEP_INPUT(a)	 a
#define KEEP_ARRAY(a)	 a
#define KEEP_INTEGER(a)	 *a

/* Only a dot product returns something (blob.h: RESULT_). */
#define RETURN_dot return
#define RETURN_dot_sub
#define RETURN_axpy
#define RETURN_gemv
#define RETURN_gemm
#define RETURN_syrk

#define DECLARE_CBLAS(p, name, shape)                                                                        \
	RESULT_##shape(p) CBLAS_OUT(p, name)(LIST(SHAPE_##shape(GIVE, p)));                                  \
	EXPORT RESULT_##shape(p) CBLAS_IN(p, name)(LIST(SHAPE_##shape(TAKE, p)));
#define DECLARE_BLAS(p, name, shape)                                                                         \
	void FORTRAN_OUT(p, name)(LIST(SHAPE_##shape(GIVE, p)));                                             \
	EXPORT int64_t FORTRAN_IN(p, name)(LIST(SHAPE_##shape(TAKE, p)));

BRIDGE_CBLAS(DECLARE_CBLAS)
BRIDGE_BLAS(DECLARE_BLAS)

/* Defines large_gemm_s() and the others; a letter at a time. */
#define LETTER s
#include "bridge/blob/large.h"
#undef LETTER
#define LETTER d
#include "bridge/blob/large.h"
#undef LETTER
#define COMPLEX
#define LETTER c
#include "bridge/blob/large.h"
#undef LETTER
#define LETTER z
#include "bridge/blob/large.h"
#undef LETTER

#define DEFINE_CBLAS(p, name, shape)                                                                         \
	RESULT_##shape(p) CBLAS_IN(p, name)(LIST(SHAPE_##shape(TAKE, p)))                                    \
	{                                                                                                    \
		if (unlikely(!all_fit(0 SHAPE_##shape(BITS, p))))                                            \
			RETURN_##shape large_##name##_##p(LIST(SHAPE_##shape(KEEP, p)));                     \
		else                                                                                         \
			RETURN_##shape CBLAS_OUT(p, name)(LIST(SHAPE_##shape(PASS, p)));                     \
	}

/* A Fortran subroutine has no result, but numpy declares one: 0. */
#define DEFINE_BLAS(p, name, shape)                                                                          \
	int64_t FORTRAN_IN(p, name)(LIST(SHAPE_##shape(TAKE, p)))                                            \
	{                                                                                                    \
		if (unlikely(!all_fit(0 SHAPE_##shape(BITS, p))))                                            \
			large_##name##_##p(LIST(SHAPE_##shape(KEEP, p)));                                    \
		else                                                                                         \
			FORTRAN_OUT(p, name)(LIST(SHAPE_##shape(PASS, p)));                                  \
		return 0;                                                                                    \
	}

BRIDGE_CBLAS(DEFINE_CBLAS)
BRIDGE_BLAS(DEFINE_BLAS)
