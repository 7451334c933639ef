/*
 * The routines of the bridge, as data.
 *
 * numpy's ILP64 OpenBLAS takes 64-bit integers (cblas_ddot64_, dgesv_64_),
 * scipy's LP64 one 32-bit integers (cblas_ddot, dgesv_). A bridge exports the
 * first kind of names and calls the second. Everything about a routine that
 * differs from routine to routine stands here; blob/ turns it into C and
 * find.c into names for the planner.
 *
 * A row is X(letter, name, shape): the letter of the element type (s float,
 * d double, c float _Complex, z double _Complex), the rest of the name, and
 * the shape, which is the list of arguments. LAPACK rows say in a fourth
 * column what becomes of a call whose sizes do not fit: "refused" (INFO < 0,
 * which numpy raises as LinAlgError) or "fatal".
 *
 * Interfaces: CBLAS as in the BLAS Technical Forum standard, annex B (cblas.h);
 * LAPACK as in its Fortran sources, http://www.netlib.org/lapack/. The rows are
 * what numpy 1.22 to 2.5 imports: tests/bridge/coverage.sh compares.
 */
#ifndef SOFOLD_BRIDGE_ROUTINES_H
#define SOFOLD_BRIDGE_ROUTINES_H

/* clang-format off */

/* Of all four types. */
#define BRIDGE_SDCZ(X, ...) X(s, __VA_ARGS__) X(d, __VA_ARGS__) X(c, __VA_ARGS__) X(z, __VA_ARGS__)

/* CBLAS: sizes by value. */
#define BRIDGE_CBLAS(X) \
	X(s, dot, dot) X(d, dot, dot) \
	X(c, dotu_sub, dot_sub) X(z, dotu_sub, dot_sub) \
	X(c, dotc_sub, dot_sub) X(z, dotc_sub, dot_sub) \
	BRIDGE_SDCZ(X, axpy, axpy) \
	BRIDGE_SDCZ(X, gemv, gemv) \
	BRIDGE_SDCZ(X, gemm, gemm) \
	BRIDGE_SDCZ(X, syrk, syrk)

/* BLAS's Fortran interface: sizes by pointer. */
#define BRIDGE_BLAS(X) BRIDGE_SDCZ(X, copy, copy)

/* LAPACK: sizes by pointer, an INFO, and calls that cannot be cut into pieces.
 * numpy's det takes any INFO of getrf for a singular matrix and answers 0, so
 * getrf must not come back. */
#define BRIDGE_LAPACK(X) \
	BRIDGE_SDCZ(X, gesv, gesv, refused) \
	BRIDGE_SDCZ(X, getrf, getrf, fatal) \
	BRIDGE_SDCZ(X, potrf, potrf, refused) \
	X(d, geqrf, geqrf, refused) X(z, geqrf, geqrf, refused) \
	X(d, orgqr, orgqr, refused) X(z, ungqr, orgqr, refused) \
	X(s, geev, geev_real, refused) X(d, geev, geev_real, refused) \
	X(z, geev, geev_complex, refused) \
	X(s, syevd, syevd, refused) X(d, syevd, syevd, refused) \
	X(c, heevd, heevd, refused) X(z, heevd, heevd, refused) \
	X(s, gesdd, gesdd_real, refused) X(d, gesdd, gesdd_real, refused) \
	X(c, gesdd, gesdd_complex, refused) X(z, gesdd, gesdd_complex, refused) \
	X(s, gelsd, gelsd_real, refused) X(d, gelsd, gelsd_real, refused) \
	X(c, gelsd, gelsd_complex, refused) X(z, gelsd, gelsd_complex, refused)

/*
 * Shapes. _(KIND, letter, name) is one argument:
 *
 *	ENUM       order, transposition, triangle: an int on both sides
 *	SIZE       int64_t by value
 *	SCALAR     one element: by value for s and d, by pointer for c and z
 *	INPUT      elements that are only read
 *	ARRAY      elements
 *	REALS      of the real type that belongs to the element type
 *
 *	CHARACTER  const char *; Fortran appends its length, size_t 1, behind all
 *	           arguments. numpy does not pass it, so the bridge does.
 *	INTEGER    const int64_t *
 *	LENGTH     the same, of a workspace; -1 asks for the length to use
 *	WORK       elements; a query answers in the first. A fourth operand is the
 *	           answer when the query cannot be passed on
 *	REAL_WORK  the same, of the real type
 *	PIVOTS     int64_t[count] that the routine fills; a fourth operand, the count
 *	SCRATCH    int64_t[] that nobody reads afterwards
 *	INT_WORK   int64_t[]; the routine answers in the first
 *	OUT        int64_t * that the routine sets: INFO, RANK
 */
#define SHAPE_dot(_, p) \
	_(SIZE, p, n) _(INPUT, p, x) _(SIZE, p, incx) _(INPUT, p, y) _(SIZE, p, incy)

#define SHAPE_dot_sub(_, p) \
	_(SIZE, p, n) _(INPUT, p, x) _(SIZE, p, incx) _(INPUT, p, y) _(SIZE, p, incy) \
	_(ARRAY, p, dot)

#define SHAPE_axpy(_, p) \
	_(SIZE, p, n) _(SCALAR, p, alpha) _(INPUT, p, x) _(SIZE, p, incx) _(ARRAY, p, y) \
	_(SIZE, p, incy)

#define SHAPE_gemv(_, p) \
	_(ENUM, p, order) _(ENUM, p, trans) _(SIZE, p, m) _(SIZE, p, n) _(SCALAR, p, alpha) \
	_(INPUT, p, a) _(SIZE, p, lda) _(INPUT, p, x) _(SIZE, p, incx) _(SCALAR, p, beta) \
	_(ARRAY, p, y) _(SIZE, p, incy)

#define SHAPE_gemm(_, p) \
	_(ENUM, p, order) _(ENUM, p, transa) _(ENUM, p, transb) _(SIZE, p, m) _(SIZE, p, n) \
	_(SIZE, p, k) _(SCALAR, p, alpha) _(INPUT, p, a) _(SIZE, p, lda) _(INPUT, p, b) \
	_(SIZE, p, ldb) _(SCALAR, p, beta) _(ARRAY, p, c) _(SIZE, p, ldc)

#define SHAPE_syrk(_, p) \
	_(ENUM, p, order) _(ENUM, p, uplo) _(ENUM, p, trans) _(SIZE, p, n) _(SIZE, p, k) \
	_(SCALAR, p, alpha) _(INPUT, p, a) _(SIZE, p, lda) _(SCALAR, p, beta) _(ARRAY, p, c) \
	_(SIZE, p, ldc)

#define SHAPE_copy(_, p) \
	_(INTEGER, p, n) _(INPUT, p, x) _(INTEGER, p, incx) _(ARRAY, p, y) _(INTEGER, p, incy)

#define SHAPE_gesv(_, p) \
	_(INTEGER, p, n) _(INTEGER, p, nrhs) _(ARRAY, p, a) _(INTEGER, p, lda) \
	_(PIVOTS, p, ipiv, *n) _(ARRAY, p, b) _(INTEGER, p, ldb) _(OUT, p, info)

#define SHAPE_getrf(_, p) \
	_(INTEGER, p, m) _(INTEGER, p, n) _(ARRAY, p, a) _(INTEGER, p, lda) \
	_(PIVOTS, p, ipiv, lesser(*m, *n)) _(OUT, p, info)

#define SHAPE_potrf(_, p) \
	_(CHARACTER, p, uplo) _(INTEGER, p, n) _(ARRAY, p, a) _(INTEGER, p, lda) _(OUT, p, info)

#define SHAPE_geqrf(_, p) \
	_(INTEGER, p, m) _(INTEGER, p, n) _(ARRAY, p, a) _(INTEGER, p, lda) _(ARRAY, p, tau) \
	_(WORK, p, work, blocks_length(*n)) _(LENGTH, p, lwork) _(OUT, p, info)

#define SHAPE_orgqr(_, p) \
	_(INTEGER, p, m) _(INTEGER, p, n) _(INTEGER, p, k) _(ARRAY, p, a) _(INTEGER, p, lda) \
	_(ARRAY, p, tau) _(WORK, p, work, blocks_length(*n)) _(LENGTH, p, lwork) _(OUT, p, info)

#define SHAPE_geev_real(_, p) \
	_(CHARACTER, p, jobvl) _(CHARACTER, p, jobvr) _(INTEGER, p, n) _(ARRAY, p, a) \
	_(INTEGER, p, lda) _(ARRAY, p, wr) _(ARRAY, p, wi) _(ARRAY, p, vl) _(INTEGER, p, ldvl) \
	_(ARRAY, p, vr) _(INTEGER, p, ldvr) _(WORK, p, work, 1) _(LENGTH, p, lwork) _(OUT, p, info)

#define SHAPE_geev_complex(_, p) \
	_(CHARACTER, p, jobvl) _(CHARACTER, p, jobvr) _(INTEGER, p, n) _(ARRAY, p, a) \
	_(INTEGER, p, lda) _(ARRAY, p, w) _(ARRAY, p, vl) _(INTEGER, p, ldvl) _(ARRAY, p, vr) \
	_(INTEGER, p, ldvr) _(WORK, p, work, 1) _(LENGTH, p, lwork) _(REALS, p, rwork) \
	_(OUT, p, info)

#define SHAPE_syevd(_, p) \
	_(CHARACTER, p, jobz) _(CHARACTER, p, uplo) _(INTEGER, p, n) _(ARRAY, p, a) \
	_(INTEGER, p, lda) _(ARRAY, p, w) _(WORK, p, work, 1) _(LENGTH, p, lwork) \
	_(INT_WORK, p, iwork) _(LENGTH, p, liwork) _(OUT, p, info)

#define SHAPE_heevd(_, p) \
	_(CHARACTER, p, jobz) _(CHARACTER, p, uplo) _(INTEGER, p, n) _(ARRAY, p, a) \
	_(INTEGER, p, lda) _(REALS, p, w) _(WORK, p, work, 1) _(LENGTH, p, lwork) \
	_(REAL_WORK, p, rwork, 1) _(LENGTH, p, lrwork) _(INT_WORK, p, iwork) _(LENGTH, p, liwork) \
	_(OUT, p, info)

#define SHAPE_gesdd_real(_, p) \
	_(CHARACTER, p, jobz) _(INTEGER, p, m) _(INTEGER, p, n) _(ARRAY, p, a) _(INTEGER, p, lda) \
	_(REALS, p, s) _(ARRAY, p, u) _(INTEGER, p, ldu) _(ARRAY, p, vt) _(INTEGER, p, ldvt) \
	_(WORK, p, work, 1) _(LENGTH, p, lwork) _(SCRATCH, p, iwork) _(OUT, p, info)

#define SHAPE_gesdd_complex(_, p) \
	_(CHARACTER, p, jobz) _(INTEGER, p, m) _(INTEGER, p, n) _(ARRAY, p, a) _(INTEGER, p, lda) \
	_(REALS, p, s) _(ARRAY, p, u) _(INTEGER, p, ldu) _(ARRAY, p, vt) _(INTEGER, p, ldvt) \
	_(WORK, p, work, 1) _(LENGTH, p, lwork) _(REALS, p, rwork) _(SCRATCH, p, iwork) \
	_(OUT, p, info)

#define SHAPE_gelsd_real(_, p) \
	_(INTEGER, p, m) _(INTEGER, p, n) _(INTEGER, p, nrhs) _(ARRAY, p, a) _(INTEGER, p, lda) \
	_(ARRAY, p, b) _(INTEGER, p, ldb) _(REALS, p, s) _(REALS, p, rcond) _(OUT, p, rank) \
	_(WORK, p, work, 1) _(LENGTH, p, lwork) _(INT_WORK, p, iwork) _(OUT, p, info)

#define SHAPE_gelsd_complex(_, p) \
	_(INTEGER, p, m) _(INTEGER, p, n) _(INTEGER, p, nrhs) _(ARRAY, p, a) _(INTEGER, p, lda) \
	_(ARRAY, p, b) _(INTEGER, p, ldb) _(REALS, p, s) _(REALS, p, rcond) _(OUT, p, rank) \
	_(WORK, p, work, 1) _(LENGTH, p, lwork) _(REAL_WORK, p, rwork, 1) _(INT_WORK, p, iwork) \
	_(OUT, p, info)

/*
 * What limits a LAPACK routine beside its sizes: workspaces whose lengths
 * LAPACK computes in 32 bits although every size fits. EXCEEDS_ is whether
 * those of a call would not. The functions are in blob/lapack.c.
 */
#define EXCEEDS_gesv	      false
#define EXCEEDS_getrf	      false
#define EXCEEDS_potrf	      false
#define EXCEEDS_geqrf	      blocks_exceed(lesser(*m, *n), *n, *lwork)
#define EXCEEDS_orgqr	      blocks_exceed(*k, *n, *lwork)
#define EXCEEDS_geev_real     ev_exceeds(*n)
#define EXCEEDS_geev_complex  ev_exceeds(*n)
#define EXCEEDS_syevd	      evd_exceeds(*jobz, *n)
#define EXCEEDS_heevd	      evd_exceeds(*jobz, *n)
#define EXCEEDS_gesdd_real    sdd_exceeds(*jobz, *m, *n, 4)
#define EXCEEDS_gesdd_complex sdd_exceeds(*jobz, *m, *n, 5)
#define EXCEEDS_gelsd_real    lsd_exceeds(*m, *n, *nrhs, *lda, false)
#define EXCEEDS_gelsd_complex lsd_exceeds(*m, *n, *nrhs, *lda, true)

/* clang-format on */

#endif
