/*
 * How a vector or a matrix that does not fit is cut.
 *
 * A piece is at most CHUNK long in every direction, so its sizes fit. What is
 * left are strides: an increment or a leading dimension beyond the limit lies
 * between neighbours, and a piece one element long has none. So a direction
 * whose stride does not fit is walked one by one, any other CHUNK by CHUNK, and
 * the stride of a single element may be passed as anything that is allowed.
 * (Walking one by one is not slow: the elements are gigabytes apart.)
 */
#ifndef SOFOLD_BRIDGE_PIECES_H
#define SOFOLD_BRIDGE_PIECES_H

#include "bridge/blob/blob.h"

enum { ROW_MAJOR = 101, COLUMN_MAJOR = 102 }; /* enum CBLAS_LAYOUT */
enum { NO_TRANSPOSE = 111, TRANSPOSE = 112 }; /* enum CBLAS_TRANSPOSE */
enum { UPPER = 121, LOWER = 122 };	      /* enum CBLAS_UPLO */

/* How many elements of a direction are taken at once. */
static inline int64_t pace(int64_t stride)
{
	return fits(stride) ? CHUNK : 1;
}

/* An increment to pass on. */
static inline int32_t increment(int64_t inc)
{
	return fits(inc) ? (int32_t)inc : 1;
}

/* A leading dimension to pass on: at least as long as what is contiguous. */
static inline int32_t leading(int64_t ld)
{
	return fits(ld) ? (int32_t)ld : CHUNK;
}

/* Where the elements [from, from + nr) of a vector of n begin, as an offset
 * from its pointer. That pointer is the lowest address (BLAS), so a negative
 * increment begins at the far end and the piece's lowest address is its last
 * element's. */
static inline int64_t piece(int64_t n, int64_t inc, int64_t from, int64_t nr)
{
	return inc < 0 ? (n - from - nr) * -inc : from * inc;
}

/* Element (i, j) of op(A) lies i * down + j * right from A's pointer. */
struct strides {
	int64_t down, right;
};

static inline struct strides strides(int order, int transpose, int64_t ld)
{
	if ((order == ROW_MAJOR) == (transpose == NO_TRANSPOSE))
		return (struct strides){ld, 1};
	return (struct strides){1, ld};
}

static inline int64_t offset(struct strides at, int64_t i, int64_t j)
{
	return i * at.down + j * at.right;
}

#endif
