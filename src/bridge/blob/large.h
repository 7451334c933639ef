/*
 * Levels 1 to 3 for sizes that do not fit, for the elements of LETTER.
 *
 * blas.c includes this once for every letter (COMPLEX is defined for c and z).
 * Each function cuts its operands into pieces (pieces.h) and calls the 32-bit
 * routine for each; nothing is computed here but sums of dot products, and
 * those in double precision.
 */
#include "bridge/blob/pieces.h"

#define WITH_LETTER(name) PASTE(name, _, LETTER, , )
#define element		  WITH_LETTER(element)
#define scalar		  WITH_LETTER(scalar)

/* This letter's: what is defined here, and what it calls. */
#define large_dot      WITH_LETTER(large_dot)
#define dot_function   WITH_LETTER(dot_function)
#define sum_pieces     WITH_LETTER(sum_pieces)
#define large_dotu_sub WITH_LETTER(large_dotu_sub)
#define large_dotc_sub WITH_LETTER(large_dotc_sub)
#define large_axpy     WITH_LETTER(large_axpy)
#define large_copy     WITH_LETTER(large_copy)
#define large_gemv     WITH_LETTER(large_gemv)
#define large_gemm     WITH_LETTER(large_gemm)
#define syrk_block     WITH_LETTER(syrk_block)
#define large_syrk     WITH_LETTER(large_syrk)
#define lp64_dot       CBLAS_OUT(LETTER, dot)
#define lp64_dotu_sub  CBLAS_OUT(LETTER, dotu_sub)
#define lp64_dotc_sub  CBLAS_OUT(LETTER, dotc_sub)
#define lp64_axpy      CBLAS_OUT(LETTER, axpy)
#define lp64_copy      FORTRAN_OUT(LETTER, copy)
#define lp64_gemv      CBLAS_OUT(LETTER, gemv)
#define lp64_gemm      CBLAS_OUT(LETTER, gemm)
#define lp64_syrk      CBLAS_OUT(LETTER, syrk)

#ifdef COMPLEX
static const element WITH_LETTER(unit) = 1;
#define ONE (&WITH_LETTER(unit))
#else
#define ONE ((element)1)
#endif

#ifndef COMPLEX
static COLD element large_dot(int64_t n, const element *x, int64_t incx, const element *y, int64_t incy)
{
	int64_t step = lesser(pace(incx), pace(incy)), i, nr;
	double sum = 0;

	for (i = 0; i < n; i += step) {
		nr = lesser(step, n - i);
		sum += lp64_dot((int32_t)nr, x + piece(n, incx, i, nr), increment(incx),
				y + piece(n, incy, i, nr), increment(incy));
	}
	return (element)sum;
}
#else
typedef void dot_function(int32_t, const element *, int32_t, const element *, int32_t, element *);

static void sum_pieces(dot_function *dot, int64_t n, const element *x, int64_t incx, const element *y,
		       int64_t incy, element *result)
{
	int64_t step = lesser(pace(incx), pace(incy)), i, nr;
	double _Complex sum = 0;
	element part;

	for (i = 0; i < n; i += step) {
		nr = lesser(step, n - i);
		dot((int32_t)nr, x + piece(n, incx, i, nr), increment(incx), y + piece(n, incy, i, nr),
		    increment(incy), &part);
		sum += part;
	}
	*result = (element)sum;
}

static COLD void large_dotu_sub(int64_t n, const element *x, int64_t incx, const element *y, int64_t incy,
				element *result)
{
	sum_pieces(lp64_dotu_sub, n, x, incx, y, incy, result);
}

static COLD void large_dotc_sub(int64_t n, const element *x, int64_t incx, const element *y, int64_t incy,
				element *result)
{
	sum_pieces(lp64_dotc_sub, n, x, incx, y, incy, result);
}
#endif

static COLD void large_axpy(int64_t n, scalar alpha, const element *x, int64_t incx, element *y, int64_t incy)
{
	int64_t step = lesser(pace(incx), pace(incy)), i, nr;

	for (i = 0; i < n; i += step) {
		nr = lesser(step, n - i);
		lp64_axpy((int32_t)nr, alpha, x + piece(n, incx, i, nr), increment(incx),
			  y + piece(n, incy, i, nr), increment(incy));
	}
}

static COLD void large_copy(int64_t n, const element *x, int64_t incx, element *y, int64_t incy)
{
	int64_t step = lesser(pace(incx), pace(incy)), i, nr;
	int32_t to_x = increment(incx), to_y = increment(incy), n32;

	for (i = 0; i < n; i += step) {
		nr = lesser(step, n - i);
		n32 = (int32_t)nr;
		lp64_copy(&n32, x + piece(n, incx, i, nr), &to_x, y + piece(n, incy, i, nr), &to_y);
	}
}

/* y = alpha op(A) x + beta y: i runs over y, j over x. beta counts once. */
static COLD void large_gemv(int order, int trans, int64_t m, int64_t n, scalar alpha, const element *a,
			    int64_t lda, const element *x, int64_t incx, scalar beta, element *y,
			    int64_t incy)
{
	struct strides at = strides(order, trans, lda);
	int64_t len_y = trans == NO_TRANSPOSE ? m : n, len_x = trans == NO_TRANSPOSE ? n : m;
	int64_t step_y = lesser(pace(at.down), pace(incy)), step_x = lesser(pace(at.right), pace(incx));
	int64_t i, j;

	for (i = 0; i < len_y; i += step_y) {
		int64_t ni = lesser(step_y, len_y - i);

		for (j = 0; j < len_x; j += step_x) {
			int64_t nj = lesser(step_x, len_x - j);

			lp64_gemv(order, trans, (int32_t)(trans == NO_TRANSPOSE ? ni : nj),
				  (int32_t)(trans == NO_TRANSPOSE ? nj : ni), alpha, a + offset(at, i, j),
				  leading(lda), x + piece(len_x, incx, j, nj), increment(incx),
				  j ? ONE : beta, y + piece(len_y, incy, i, ni), increment(incy));
		}
	}
}

/* C = alpha op(A) op(B) + beta C: i runs over C's rows, j over its columns, l
 * over what is summed. Without anything to sum C is still scaled. */
static COLD void large_gemm(int order, int transa, int transb, int64_t m, int64_t n, int64_t k, scalar alpha,
			    const element *a, int64_t lda, const element *b, int64_t ldb, scalar beta,
			    element *c, int64_t ldc)
{
	struct strides at_a = strides(order, transa, lda), at_b = strides(order, transb, ldb),
		       at_c = strides(order, NO_TRANSPOSE, ldc);
	int64_t step_m = lesser(pace(at_a.down), pace(at_c.down)),
		step_n = lesser(pace(at_b.right), pace(at_c.right)),
		step_k = lesser(pace(at_a.right), pace(at_b.down)), i, j, l;

	for (i = 0; i < m; i += step_m) {
		for (j = 0; j < n; j += step_n) {
			l = 0;
			do {
				lp64_gemm(order, transa, transb, (int32_t)lesser(step_m, m - i),
					  (int32_t)lesser(step_n, n - j), (int32_t)lesser(step_k, k - l),
					  alpha, a + offset(at_a, i, l), leading(lda), b + offset(at_b, l, j),
					  leading(ldb), l ? ONE : beta, c + offset(at_c, i, j), leading(ldc));
				l += step_k;
			} while (l < k);
		}
	}
}

/* One block of C = alpha op(A) op(A)' + beta C. On the diagonal only uplo's
 * triangle is written; beside it the block is a product of different rows. */
static void syrk_block(int order, int uplo, int trans, bool diagonal, int64_t m, int64_t n, int64_t k,
		       scalar alpha, const element *a, const element *b, int64_t lda, scalar beta, element *c,
		       int64_t ldc)
{
	int other = trans == NO_TRANSPOSE ? TRANSPOSE : NO_TRANSPOSE;

	if (diagonal)
		lp64_syrk(order, uplo, trans, (int32_t)n, (int32_t)k, alpha, a, leading(lda), beta, c,
			  leading(ldc));
	else
		lp64_gemm(order, trans, other, (int32_t)m, (int32_t)n, (int32_t)k, alpha, a, leading(lda), b,
			  leading(lda), beta, c, leading(ldc));
}

/* Blocks (i, j) of the triangle, square on the diagonal. */
static COLD void large_syrk(int order, int uplo, int trans, int64_t n, int64_t k, scalar alpha,
			    const element *a, int64_t lda, scalar beta, element *c, int64_t ldc)
{
	struct strides at_a = strides(order, trans, lda), at_c = strides(order, NO_TRANSPOSE, ldc);
	int64_t step = lesser(pace(at_a.down), pace(ldc)), step_k = pace(at_a.right), i, j, l;

	for (i = 0; i < n; i += step) {
		for (j = uplo == UPPER ? i : 0; j < (uplo == UPPER ? n : i + 1); j += step) {
			l = 0;
			do {
				syrk_block(order, uplo, trans, i == j, lesser(step, n - i),
					   lesser(step, n - j), lesser(step_k, k - l), alpha,
					   a + offset(at_a, i, l), a + offset(at_a, j, l), lda,
					   l ? ONE : beta, c + offset(at_c, i, j), ldc);
				l += step_k;
			} while (l < k);
		}
	}
}

#undef WITH_LETTER
#undef element
#undef scalar
#undef ONE
#undef large_dot
#undef dot_function
#undef sum_pieces
#undef large_dotu_sub
#undef large_dotc_sub
#undef large_axpy
#undef large_copy
#undef large_gemv
#undef large_gemm
#undef syrk_block
#undef large_syrk
#undef lp64_dot
#undef lp64_dotu_sub
#undef lp64_dotc_sub
#undef lp64_axpy
#undef lp64_copy
#undef lp64_gemv
#undef lp64_gemm
#undef lp64_syrk
