/*
 * Levels 1 to 3 by their definitions, for the elements of LETTER; naive.c
 * includes this once for each. Written to be checked by eye against the BLAS
 * Technical Forum standard, and for nothing else.
 */
#define WITH_LETTER(name) PASTE(name, _, LETTER, , )
#define element		  WITH_LETTER(element)
#define scalar		  WITH_LETTER(scalar)
#ifdef COMPLEX
#define VALUE(s)     (*(s))
#define CONJUGATE(x) conjl(x)
#else
#define VALUE(s)     (s)
#define CONJUGATE(x) (x)
#endif

/* What is added to: not read if beta is 0. */
#define SCALED(beta, y) (VALUE(beta) == 0 ? 0 : (number)VALUE(beta) * (y))

/* Element i of a vector of n. */
#define AT(x, n, inc, i) (x)[(inc) < 0 ? ((n)-1 - (i)) * -(inc) : (i) * (inc)]

static number WITH_LETTER(sum)(int64_t n, const element *x, int64_t incx, const element *y, int64_t incy,
			       bool conjugate)
{
	number sum = 0;
	int64_t i;

	for (i = 0; i < n; i++) {
		number left = AT(x, n, incx, i);

		sum += (conjugate ? CONJUGATE(left) : left) * AT(y, n, incy, i);
	}
	return sum;
}

#ifdef COMPLEX
static void WITH_LETTER(dotu_sub)(int64_t n, const element *x, int64_t incx, const element *y, int64_t incy,
				  element *dot)
{
	*dot = (element)WITH_LETTER(sum)(n, x, incx, y, incy, false);
}

static void WITH_LETTER(dotc_sub)(int64_t n, const element *x, int64_t incx, const element *y, int64_t incy,
				  element *dot)
{
	*dot = (element)WITH_LETTER(sum)(n, x, incx, y, incy, true);
}
#else
static element WITH_LETTER(dot)(int64_t n, const element *x, int64_t incx, const element *y, int64_t incy)
{
	return (element)WITH_LETTER(sum)(n, x, incx, y, incy, false);
}
#endif

static void WITH_LETTER(axpy)(int64_t n, scalar alpha, const element *x, int64_t incx, element *y,
			      int64_t incy)
{
	int64_t i;

	for (i = 0; i < n; i++)
		AT(y, n, incy, i) = (element)(AT(y, n, incy, i) + (number)VALUE(alpha) * AT(x, n, incx, i));
}

static int64_t WITH_LETTER(copy)(const int64_t *n, const element *x, const int64_t *incx, element *y,
				 const int64_t *incy)
{
	int64_t i;

	for (i = 0; i < *n; i++)
		AT(y, *n, *incy, i) = AT(x, *n, *incx, i);
	return 0;
}

/* op(A)(i, j). */
static number WITH_LETTER(entry)(int order, int trans, const element *a, int64_t lda, int64_t i, int64_t j)
{
	int64_t row = trans == PLAIN ? i : j, column = trans == PLAIN ? j : i;
	number x = order == BY_ROWS ? a[row * lda + column] : a[column * lda + row];

	return trans == CONJUGATED ? CONJUGATE(x) : x;
}

static void WITH_LETTER(gemv)(int order, int trans, int64_t m, int64_t n, scalar alpha, const element *a,
			      int64_t lda, const element *x, int64_t incx, scalar beta, element *y,
			      int64_t incy)
{
	int64_t len_y = trans == PLAIN ? m : n, len_x = trans == PLAIN ? n : m, i, j;

	if (!m || !n)
		return;
	for (i = 0; i < len_y; i++) {
		number sum = 0;

		for (j = 0; j < len_x; j++)
			sum += WITH_LETTER(entry)(order, trans, a, lda, i, j) * AT(x, len_x, incx, j);
		AT(y, len_y, incy, i) = (element)(VALUE(alpha) * sum + SCALED(beta, AT(y, len_y, incy, i)));
	}
}

static void WITH_LETTER(gemm)(int order, int transa, int transb, int64_t m, int64_t n, int64_t k,
			      scalar alpha, const element *a, int64_t lda, const element *b, int64_t ldb,
			      scalar beta, element *c, int64_t ldc)
{
	int64_t i, j, l;

	for (i = 0; i < m; i++) {
		for (j = 0; j < n; j++) {
			element *to = order == BY_ROWS ? &c[i * ldc + j] : &c[j * ldc + i];
			number sum = 0;

			for (l = 0; l < k; l++)
				sum += WITH_LETTER(entry)(order, transa, a, lda, i, l) *
				       WITH_LETTER(entry)(order, transb, b, ldb, l, j);
			*to = (element)(VALUE(alpha) * sum + SCALED(beta, *to));
		}
	}
}

static void WITH_LETTER(syrk)(int order, int uplo, int trans, int64_t n, int64_t k, scalar alpha,
			      const element *a, int64_t lda, scalar beta, element *c, int64_t ldc)
{
	int64_t i, j, l;

	for (i = 0; i < n; i++) {
		for (j = uplo == ABOVE ? i : 0; j < (uplo == ABOVE ? n : i + 1); j++) {
			element *to = order == BY_ROWS ? &c[i * ldc + j] : &c[j * ldc + i];
			number sum = 0;

			for (l = 0; l < k; l++)
				sum += WITH_LETTER(entry)(order, trans, a, lda, i, l) *
				       WITH_LETTER(entry)(order, trans, a, lda, j, l);
			*to = (element)(VALUE(alpha) * sum + SCALED(beta, *to));
		}
	}
}

#undef WITH_LETTER
#undef element
#undef scalar
#undef VALUE
#undef CONJUGATE
#undef SCALED
#undef AT
