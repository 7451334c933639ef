/*
 * library: an ILP64 BLAS and LAPACK as a table of functions.
 *
 * Made of the rows of src/bridge/routines.h, so that a test can put anything
 * with that interface beside a bridge: numpy's own OpenBLAS, or naive loops.
 */
#ifndef SOFOLD_TEST_BRIDGE_LIBRARY_H
#define SOFOLD_TEST_BRIDGE_LIBRARY_H

#include "bridge/blob/blob.h"

struct library {
#define CBLAS_FIELD(p, name, shape)	   RESULT_##shape(p) (*p##name)(LIST(SHAPE_##shape(TAKE, p)));
#define FORTRAN_FIELD(p, name, shape, ...) int64_t (*p##name)(LIST(SHAPE_##shape(TAKE, p)));
	BRIDGE_CBLAS(CBLAS_FIELD)
	BRIDGE_BLAS(FORTRAN_FIELD)
	BRIDGE_LAPACK(FORTRAN_FIELD)
};

/* Fills the table from a shared object of either spelling; ends the process
 * with a message when something is missing. */
void library_open(struct library *library, const char *path);

/* Levels 1 to 3 by the definition, in long double; LAPACK stays NULL. */
void library_naive(struct library *library);

#endif
