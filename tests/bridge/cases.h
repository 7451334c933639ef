/*
 * One random call of each routine, for the elements of LETTER; compare.c
 * includes this once for each. Sizes, orders, triangles, transpositions and
 * increments vary, leading dimensions are up to "slack" longer than they must
 * be, and numbers may be missing altogether (n = 0).
 */
#define WITH_LETTER(name) PASTE(name, _, LETTER, , )
#define element		  WITH_LETTER(element)
#define real		  WITH_LETTER(real)
#define scalar		  WITH_LETTER(scalar)
#define NAME(name)	  TEXT(LETTER) #name
#define TEXT(x)		  TEXT_(x)
#define TEXT_(x)	  #x
#define CALL(side, name)  sides[side].PASTE(LETTER, name, , , )
#ifdef COMPLEX
#define NUMBERS	     2
#define PASS(scalar) (&(scalar))
#else
#define NUMBERS	     1
#define PASS(scalar) (scalar)
#endif

static struct both WITH_LETTER(elements)(int64_t nr)
{
	return both_numbers(nr * NUMBERS, sizeof(real));
}

static struct both WITH_LETTER(vector)(int64_t n, int64_t inc)
{
	return WITH_LETTER(elements)(n > 0 ? 1 + (n - 1) * (inc < 0 ? -inc : inc) : 0);
}

/* 0, 1 or anything: BLAS has shortcuts for the first two. */
static element WITH_LETTER(factor)(void)
{
	int64_t kind = between(0, 3);
	struct both one = WITH_LETTER(elements)(1);

	return kind < 2 ? (element)kind : *(element *)one.p[0];
}

/* beta = 0 writes without reading: numpy does not initialise its results. */
static void WITH_LETTER(forget)(struct both *c, element beta)
{
	for (size_t i = 0; beta == 0 && i < c->nr; i++)
		((real *)c->p[0])[i] = (real)NAN;
	both_share(c);
}

#ifdef COMPLEX
static void WITH_LETTER(case_dot)(void)
{
	int64_t n = size(), incx = increment(), incy = increment();
	struct both x = WITH_LETTER(vector)(n, incx), y = WITH_LETTER(vector)(n, incy),
		    u = WITH_LETTER(elements)(1), c = WITH_LETTER(elements)(1);

	for (int i = 0; i < 2; i++) {
		CALL(i, dotu_sub)(n, x.p[i], incx, y.p[i], incy, u.p[i]);
		CALL(i, dotc_sub)(n, x.p[i], incx, y.p[i], incy, c.p[i]);
	}
	both_check(NAME(dotu_sub), "result", &u);
	both_check(NAME(dotc_sub), "result", &c);
}
#else
static void WITH_LETTER(case_dot)(void)
{
	int64_t n = size(), incx = increment(), incy = increment();
	struct both x = WITH_LETTER(vector)(n, incx), y = WITH_LETTER(vector)(n, incy),
		    result = WITH_LETTER(elements)(1);

	for (int i = 0; i < 2; i++)
		*(element *)result.p[i] = CALL(i, dot)(n, x.p[i], incx, y.p[i], incy);
	both_check(NAME(dot), "result", &result);
}
#endif

static void WITH_LETTER(case_axpy)(void)
{
	int64_t n = size(), incx = increment(), incy = increment();
	struct both x = WITH_LETTER(vector)(n, incx), y = WITH_LETTER(vector)(n, incy);
	element alpha = WITH_LETTER(factor)();

	for (int i = 0; i < 2; i++)
		CALL(i, axpy)(n, PASS(alpha), x.p[i], incx, y.p[i], incy);
	both_check(NAME(axpy), "y", &y);
}

static void WITH_LETTER(case_copy)(void)
{
	int64_t n = size(), incx = increment(), incy = increment();
	struct both x = WITH_LETTER(vector)(n, incx), y = WITH_LETTER(vector)(n, incy);

	for (int i = 0; i < 2; i++)
		CALL(i, copy)(&n, x.p[i], &incx, y.p[i], &incy);
	both_check(NAME(copy), "y", &y);
}

/* A matrix as stored: the lines of BY_ROWS are rows. */
static struct both WITH_LETTER(matrix)(int order, int64_t rows, int64_t columns, int64_t *ld)
{
	int64_t line = order == BY_ROWS ? columns : rows, nr = order == BY_ROWS ? rows : columns;

	*ld = longest(1, line) + between(0, slack);
	return WITH_LETTER(elements)(*ld * nr);
}

static void WITH_LETTER(case_gemv)(void)
{
	int order = any_order(), trans = any_transposition(true);
	int64_t m = size(), n = size(), incx = increment(), incy = increment(), lda;
	struct both a = WITH_LETTER(matrix)(order, m, n, &lda),
		    x = WITH_LETTER(vector)(trans == PLAIN ? n : m, incx),
		    y = WITH_LETTER(vector)(trans == PLAIN ? m : n, incy);
	element alpha = WITH_LETTER(factor)(), beta = WITH_LETTER(factor)();

	WITH_LETTER(forget)(&y, beta);
	for (int i = 0; i < 2; i++)
		CALL(i, gemv)
	(order, trans, m, n, PASS(alpha), a.p[i], lda, x.p[i], incx, PASS(beta), y.p[i], incy);
	both_check(NAME(gemv), "y", &y);
}

static void WITH_LETTER(case_gemm)(void)
{
	int order = any_order(), ta = any_transposition(true), tb = any_transposition(true);
	int64_t m = size(), n = size(), k = size(), lda, ldb, ldc;
	struct both a = WITH_LETTER(matrix)(order, ta == PLAIN ? m : k, ta == PLAIN ? k : m, &lda),
		    b = WITH_LETTER(matrix)(order, tb == PLAIN ? k : n, tb == PLAIN ? n : k, &ldb),
		    c = WITH_LETTER(matrix)(order, m, n, &ldc);
	element alpha = WITH_LETTER(factor)(), beta = WITH_LETTER(factor)();

	WITH_LETTER(forget)(&c, beta);
	for (int i = 0; i < 2; i++)
		CALL(i, gemm)
	(order, ta, tb, m, n, k, PASS(alpha), a.p[i], lda, b.p[i], ldb, PASS(beta), c.p[i], ldc);
	both_check(NAME(gemm), "c", &c);
}

static void WITH_LETTER(case_syrk)(void)
{
	int order = any_order(), uplo = (int)between(121, 122), trans = any_transposition(NUMBERS == 1);
	int64_t n = size(), k = size(), lda, ldc;
	struct both a = WITH_LETTER(matrix)(order, trans == PLAIN ? n : k, trans == PLAIN ? k : n, &lda),
		    c = WITH_LETTER(matrix)(order, n, n, &ldc);
	element alpha = WITH_LETTER(factor)(), beta = WITH_LETTER(factor)();

	WITH_LETTER(forget)(&c, beta);
	for (int i = 0; i < 2; i++)
		CALL(i, syrk)(order, uplo, trans, n, k, PASS(alpha), a.p[i], lda, PASS(beta), c.p[i], ldc);
	both_check(NAME(syrk), "c", &c);
}

static struct both WITH_LETTER(columns)(int64_t rows, int64_t columns, int64_t *ld)
{
	return WITH_LETTER(matrix)(BY_COLUMNS, rows, columns, ld);
}

/* Now and then a matrix is singular: INFO > 0. */
static void WITH_LETTER(spoil)(struct both *a, int64_t ld)
{
	if (a->nr && !between(0, 5)) {
		memset(a->p[0], 0, (size_t)longest(1, ld) * sizeof(element));
		both_share(a);
	}
}

/* What a WORK or REAL_WORK query answered, taken from the original. */
static int64_t WITH_LETTER(answer)(const char *routine, const struct both *work)
{
	both_check(routine, "answer", work);
	return longest(1, (int64_t) * (real *)work->p[0]);
}

static void WITH_LETTER(case_gesv)(void)
{
	int64_t n = size(), nrhs = few(), lda, ldb;
	struct both a = WITH_LETTER(columns)(n, n, &lda), b = WITH_LETTER(columns)(n, nrhs, &ldb),
		    ipiv = both_integers(n), info = both_integers(1);

	WITH_LETTER(spoil)(&a, lda);
	for (int i = 0; i < 2; i++)
		CALL(i, gesv)(&n, &nrhs, a.p[i], &lda, ipiv.p[i], b.p[i], &ldb, info.p[i]);
	both_check(NAME(gesv), "a", &a);
	both_check(NAME(gesv), "ipiv", &ipiv);
	both_check(NAME(gesv), "b", &b);
	both_check(NAME(gesv), "info", &info);
}

static void WITH_LETTER(case_getrf)(void)
{
	int64_t m = size(), n = size(), lda;
	struct both a = WITH_LETTER(columns)(m, n, &lda), ipiv = both_integers(lesser(m, n)),
		    info = both_integers(1);

	WITH_LETTER(spoil)(&a, lda);
	for (int i = 0; i < 2; i++)
		CALL(i, getrf)(&m, &n, a.p[i], &lda, ipiv.p[i], info.p[i]);
	both_check(NAME(getrf), "a", &a);
	both_check(NAME(getrf), "ipiv", &ipiv);
	both_check(NAME(getrf), "info", &info);
}

static void WITH_LETTER(case_potrf)(void)
{
	int64_t n = size(), lda, i, heavy = between(0, 5) ? n : 0;
	struct both a = WITH_LETTER(columns)(n, n, &lda), info = both_integers(1);
	const char *uplo = between(0, 1) ? "U" : "L";

	for (i = 0; i < n; i++)
		((element *)a.p[0])[i * lda + i] = (real)(heavy + 1);
	both_share(&a);
	for (i = 0; i < 2; i++)
		CALL(i, potrf)(uplo, &n, a.p[i], &lda, info.p[i]);
	both_check(NAME(potrf), "a", &a);
	both_check(NAME(potrf), "info", &info);
}

#ifdef HAS_QR
/* Factor, then make the orthogonal matrix of the same reflectors. */
static void WITH_LETTER(case_qr)(void)
{
	int64_t m = size(), n = size(), k = lesser(m, n), lda, lwork = -1;
	struct both a = WITH_LETTER(columns)(m, n, &lda), tau = WITH_LETTER(elements)(k),
		    asked = WITH_LETTER(elements)(1), info = both_integers(1), work;

	for (int i = 0; i < 2; i++)
		CALL(i, geqrf)(&m, &n, a.p[i], &lda, tau.p[i], asked.p[i], &lwork, info.p[i]);
	both_check(NAME(geqrf), "query info", &info);
	lwork = WITH_LETTER(answer)(NAME(geqrf), &asked);
	work = WITH_LETTER(elements)(lwork);
	for (int i = 0; i < 2; i++)
		CALL(i, geqrf)(&m, &n, a.p[i], &lda, tau.p[i], work.p[i], &lwork, info.p[i]);
	both_check(NAME(geqrf), "a", &a);
	both_check(NAME(geqrf), "tau", &tau);
	both_check(NAME(geqrf), "info", &info);
	both_share(&a);
	lwork = -1;
	for (int i = 0; i < 2; i++)
		CALL(i, HAS_QR)(&m, &k, &k, a.p[i], &lda, tau.p[i], asked.p[i], &lwork, info.p[i]);
	lwork = WITH_LETTER(answer)(NAME(orgqr), &asked);
	work = WITH_LETTER(elements)(lwork);
	for (int i = 0; i < 2; i++)
		CALL(i, HAS_QR)(&m, &k, &k, a.p[i], &lda, tau.p[i], work.p[i], &lwork, info.p[i]);
	both_check(NAME(orgqr), "a", &a);
	both_check(NAME(orgqr), "info", &info);
}
#endif

/* Arrays that a job leaves alone must stay as they are. */
#ifndef COMPLEX
static void WITH_LETTER(case_geev)(void)
{
	const char *left = between(0, 1) ? "V" : "N", *right = between(0, 1) ? "V" : "N";
	int64_t n = size(), lda, ldvl, ldvr, lwork = -1;
	struct both a = WITH_LETTER(columns)(n, n, &lda), vl = WITH_LETTER(columns)(n, n, &ldvl),
		    vr = WITH_LETTER(columns)(n, n, &ldvr), wr = WITH_LETTER(elements)(n),
		    wi = WITH_LETTER(elements)(n), work = WITH_LETTER(elements)(1), info = both_integers(1);

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 2; i++)
			CALL(i, geev)
		(left, right, &n, a.p[i], &lda, wr.p[i], wi.p[i], vl.p[i], &ldvl, vr.p[i], &ldvr, work.p[i],
		 &lwork, info.p[i]);
		if (!pass) {
			lwork = WITH_LETTER(answer)(NAME(geev), &work);
			work = WITH_LETTER(elements)(lwork);
		}
		both_check(NAME(geev), "info", &info);
	}
	both_check_loosely(NAME(geev), "wr", &wr);
	both_check_loosely(NAME(geev), "wi", &wi);
	both_check_loosely(NAME(geev), "vl", &vl);
	both_check_loosely(NAME(geev), "vr", &vr);
}
#elif defined HAS_QR
static void WITH_LETTER(case_geev)(void)
{
	const char *left = between(0, 1) ? "V" : "N", *right = between(0, 1) ? "V" : "N";
	int64_t n = size(), lda, ldvl, ldvr, lwork = -1;
	struct both a = WITH_LETTER(columns)(n, n, &lda), vl = WITH_LETTER(columns)(n, n, &ldvl),
		    vr = WITH_LETTER(columns)(n, n, &ldvr), w = WITH_LETTER(elements)(n),
		    rwork = WITH_LETTER(elements)(2 * n + 1), work = WITH_LETTER(elements)(1),
		    info = both_integers(1);

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 2; i++)
			CALL(i, geev)
		(left, right, &n, a.p[i], &lda, w.p[i], vl.p[i], &ldvl, vr.p[i], &ldvr, work.p[i], &lwork,
		 rwork.p[i], info.p[i]);
		if (!pass) {
			lwork = WITH_LETTER(answer)(NAME(geev), &work);
			work = WITH_LETTER(elements)(lwork);
		}
		both_check(NAME(geev), "info", &info);
	}
	both_check_loosely(NAME(geev), "w", &w);
	both_check_loosely(NAME(geev), "vl", &vl);
	both_check_loosely(NAME(geev), "vr", &vr);
}
#endif

/* Any of the lengths alone makes it a query. */
#ifdef COMPLEX
static void WITH_LETTER(case_evd)(void)
{
	const char *jobz = between(0, 1) ? "V" : "N", *uplo = between(0, 1) ? "U" : "L";
	int which = (int)between(0, 2);
	int64_t n = size(), lda, lwork = which == 0 ? -1 : 1 << 20, lrwork = which == 1 ? -1 : 1 << 20,
		liwork = which == 2 ? -1 : 1 << 20;
	struct both a = WITH_LETTER(columns)(n, n, &lda), w = both_numbers(n, sizeof(real)),
		    work = WITH_LETTER(elements)(1), rwork = both_numbers(1, sizeof(real)),
		    iwork = both_integers(1), info = both_integers(1);

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 2; i++)
			CALL(i, heevd)
		(jobz, uplo, &n, a.p[i], &lda, w.p[i], work.p[i], &lwork, rwork.p[i], &lrwork, iwork.p[i],
		 &liwork, info.p[i]);
		both_check(NAME(heevd), "info", &info);
		if (pass)
			break;
		lwork = WITH_LETTER(answer)(NAME(heevd), &work);
		lrwork = WITH_LETTER(answer)(NAME(heevd), &rwork);
		liwork = first(NAME(heevd), &iwork);
		work = WITH_LETTER(elements)(lwork);
		rwork = both_numbers(lrwork, sizeof(real));
		iwork = both_integers(liwork);
	}
	if (*jobz == 'V')
		both_check_loosely(NAME(heevd), "a", &a);
	both_check(NAME(heevd), "w", &w);
	first(NAME(heevd), &iwork);
}
#else
static void WITH_LETTER(case_evd)(void)
{
	const char *jobz = between(0, 1) ? "V" : "N", *uplo = between(0, 1) ? "U" : "L";
	int which = (int)between(0, 1);
	int64_t n = size(), lda, lwork = which == 0 ? -1 : 1 << 20, liwork = which == 1 ? -1 : 1 << 20;
	struct both a = WITH_LETTER(columns)(n, n, &lda), w = WITH_LETTER(elements)(n),
		    work = WITH_LETTER(elements)(1), iwork = both_integers(1), info = both_integers(1);

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 2; i++)
			CALL(i, syevd)
		(jobz, uplo, &n, a.p[i], &lda, w.p[i], work.p[i], &lwork, iwork.p[i], &liwork, info.p[i]);
		both_check(NAME(syevd), "info", &info);
		if (pass)
			break;
		lwork = WITH_LETTER(answer)(NAME(syevd), &work);
		liwork = first(NAME(syevd), &iwork);
		work = WITH_LETTER(elements)(lwork);
		iwork = both_integers(liwork);
	}
	if (*jobz == 'V')
		both_check_loosely(NAME(syevd), "a", &a);
	both_check(NAME(syevd), "w", &w);
	first(NAME(syevd), &iwork);
}
#endif

/* numpy's jobs: no vectors, the thin ones, all. The lengths of RWORK and IWORK
 * are those it computes itself. */
static void WITH_LETTER(case_gesdd)(void)
{
	const char *jobz = (const char *[]){"N", "S", "A"}[between(0, 2)];
	int64_t m = size(), n = size(), k = lesser(m, n), lda, ldu, ldvt, lwork = -1;
	struct both a = WITH_LETTER(columns)(m, n, &lda), u = WITH_LETTER(columns)(m, m, &ldu),
		    vt = WITH_LETTER(columns)(n, n, &ldvt), s = both_numbers(k, sizeof(real)),
		    work = WITH_LETTER(elements)(1), iwork = both_integers(8 * k + 1),
		    info = both_integers(1), rwork = both_numbers(5 * k * k + 7 * k + 1, sizeof(real));

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 2; i++) {
#ifdef COMPLEX
			CALL(i, gesdd)
			(jobz, &m, &n, a.p[i], &lda, s.p[i], u.p[i], &ldu, vt.p[i], &ldvt, work.p[i], &lwork,
			 rwork.p[i], iwork.p[i], info.p[i]);
#else
			CALL(i, gesdd)
			(jobz, &m, &n, a.p[i], &lda, s.p[i], u.p[i], &ldu, vt.p[i], &ldvt, work.p[i], &lwork,
			 iwork.p[i], info.p[i]);
			(void)rwork;
#endif
		}
		both_check(NAME(gesdd), "info", &info);
		if (!pass) {
			lwork = WITH_LETTER(answer)(NAME(gesdd), &work);
			work = WITH_LETTER(elements)(lwork);
		}
	}
	both_check(NAME(gesdd), "s", &s);
	both_check_loosely(NAME(gesdd), "u", &u);
	both_check_loosely(NAME(gesdd), "vt", &vt);
}

static void WITH_LETTER(case_gelsd)(void)
{
	int64_t m = size(), n = size(), nrhs = few(), k = lesser(m, n), lda, ldb, lwork = -1, lrwork = 1;
	struct both a = WITH_LETTER(columns)(m, n, &lda), b = WITH_LETTER(columns)(longest(m, n), nrhs, &ldb),
		    s = both_numbers(k, sizeof(real)), rcond = both_numbers(1, sizeof(real)),
		    work = WITH_LETTER(elements)(1), rwork = both_numbers(1, sizeof(real)),
		    iwork = both_integers(1), rank = both_integers(1), info = both_integers(1);

	WITH_LETTER(spoil)(&a, lda);
	for (int i = 0; i < 2; i++)
		*(real *)rcond.p[i] = (real)1e-3;
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 2; i++)
#ifdef COMPLEX
			CALL(i, gelsd)
		(&m, &n, &nrhs, a.p[i], &lda, b.p[i], &ldb, s.p[i], rcond.p[i], rank.p[i], work.p[i], &lwork,
		 rwork.p[i], iwork.p[i], info.p[i]);
#else
			CALL(i, gelsd)
		(&m, &n, &nrhs, a.p[i], &lda, b.p[i], &ldb, s.p[i], rcond.p[i], rank.p[i], work.p[i], &lwork,
		 iwork.p[i], info.p[i]);
#endif
		both_check(NAME(gelsd), "info", &info);
		if (pass)
			break;
		lwork = WITH_LETTER(answer)(NAME(gelsd), &work);
		if (NUMBERS == 2)
			lrwork = WITH_LETTER(answer)(NAME(gelsd), &rwork);
		work = WITH_LETTER(elements)(lwork);
		rwork = both_numbers(lrwork, sizeof(real));
		iwork = both_integers(first(NAME(gelsd), &iwork));
	}
	both_check(NAME(gelsd), "b", &b);
	both_check(NAME(gelsd), "s", &s);
	both_check(NAME(gelsd), "rank", &rank);
	first(NAME(gelsd), &iwork);
}

static void WITH_LETTER(levels)(void)
{
	WITH_LETTER(case_dot)();
	WITH_LETTER(case_axpy)();
	WITH_LETTER(case_copy)();
	WITH_LETTER(case_gemv)();
	WITH_LETTER(case_gemm)();
	WITH_LETTER(case_syrk)();
	both_reset();
}

static void WITH_LETTER(lapack)(void)
{
	WITH_LETTER(case_gesv)();
	WITH_LETTER(case_getrf)();
	WITH_LETTER(case_potrf)();
	both_reset();
	WITH_LETTER(case_evd)();
	WITH_LETTER(case_gesdd)();
	WITH_LETTER(case_gelsd)();
	both_reset();
#if !defined COMPLEX || defined HAS_QR
	WITH_LETTER(case_geev)();
#endif
#ifdef HAS_QR
	WITH_LETTER(case_qr)();
#endif
	both_reset();
}

#undef WITH_LETTER
#undef element
#undef real
#undef scalar
#undef NAME
#undef TEXT
#undef TEXT_
#undef CALL
#undef NUMBERS
#undef PASS
