/*
 * A small OpenBLAS that passes for a real one: it says what it is, and defines
 * every routine a bridge knows. Two of them work.
 *
 *	gcc -c -fPIC -Isrc [-DILP64] [-DPREFIX=scipy_] [-DVERSION='"0.3.30"'] openblas.c
 *	gcc -c -fPIC -Isrc -DSTUBS [the same] openblas.c
 *
 * Both go into one library: a weak definition of every name, and what works.
 */
#include <stddef.h>
#include <stdint.h>

#include "bridge/routines.h"

#ifndef PREFIX
#define PREFIX
#endif
#ifndef VERSION
#define VERSION "0.3.29"
#endif

#ifdef ILP64
typedef int64_t integer;
#define SUFFIX 64_
#define MODEL  "USE64BITINT "
#else
typedef int32_t integer;
#define SUFFIX
#define MODEL
#endif

#define PASTE_(a, b, c, d, e) a##b##c##d##e
#define PASTE(a, b, c, d, e)  PASTE_(a, b, c, d, e)
#define CBLAS(p, name, ...)   PASTE(PREFIX, cblas_, p, name, SUFFIX)
#define FORTRAN(p, name, ...) PASTE(PREFIX, p, name, _, SUFFIX)

#ifdef STUBS

#define STUB(name)                                                                                           \
	__attribute__((weak)) void name(void)                                                                \
	{                                                                                                    \
	}
#define STUB_CBLAS(...)	  STUB(CBLAS(__VA_ARGS__))
#define STUB_FORTRAN(...) STUB(FORTRAN(__VA_ARGS__))

BRIDGE_CBLAS(STUB_CBLAS)
BRIDGE_BLAS(STUB_FORTRAN)
BRIDGE_LAPACK(STUB_FORTRAN)

#else

/* A real one is no smaller than a bridge. */
const char PASTE(PREFIX, openblas, _, padding, SUFFIX)[100000] = "a table of kernels";

const char *PASTE(PREFIX, openblas, _get, _config, SUFFIX)(void)
{
	return "OpenBLAS " VERSION "  " MODEL "DYNAMIC_ARCH Haswell MAX_THREADS=64";
}

double CBLAS(d, dot)(integer n, const double *x, integer incx, const double *y, integer incy)
{
	double sum = 0;

	for (integer i = 0; i < n; i++)
		sum += x[i * incx] * y[i * incy];
	return sum;
}

/* Solves A X = B by elimination without a search for pivots. */
void FORTRAN(d, gesv)(const integer *n, const integer *nrhs, double *a, const integer *lda, integer *pivots,
		      double *b, const integer *ldb, integer *info)
{
	*info = 0;
	for (integer k = 0; k < *n; k++) {
		pivots[k] = k + 1;
		for (integer i = 0; i < *n; i++) {
			double factor = a[i + k * *lda] / a[k + k * *lda];

			for (integer j = k; i != k && j < *n; j++)
				a[i + j * *lda] -= factor * a[k + j * *lda];
			for (integer j = 0; i != k && j < *nrhs; j++)
				b[i + j * *ldb] -= factor * b[k + j * *ldb];
		}
	}
	for (integer k = 0; k < *n; k++)
		for (integer j = 0; j < *nrhs; j++)
			b[k + j * *ldb] /= a[k + k * *lda];
}

#endif
