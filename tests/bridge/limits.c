/*
 * What a bridge does with a call that does not fit.
 *
 *	limits low BRIDGE     one compiled with -DBRIDGE_LIMIT=7
 *	limits real BRIDGE    one as it is shipped
 *	limits huge BRIDGE    the same
 *	limits lengths BRIDGE the same, over lengths.c
 *
 * "low" calls every LAPACK routine with each of its integers too large in turn:
 * INFO must be minus the position of N, RANK 0, nothing else written but
 * workspaces; the same as a query must succeed, whichever length asks; getrf
 * must abort. One line on standard error says so, none for a query.
 *
 * "real" asks for workspaces of sizes up to 2**31, which takes no memory: an
 * answer is either that of a refused query or at least what LAPACK documents,
 * computed in 64 bits.
 *
 * "huge" calls levels 1 to 3 with strides and a length beyond 2**31, in 34 GB of
 * addresses of which little is ever touched.
 *
 * "lengths" calls every LAPACK routine once; lengths.c answers in INFO.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "both.h"
#include "library.h"

static struct library bridge;
static size_t nr_checks, nr_bad;

static void check(bool good, const char *routine, const char *what, int64_t value)
{
	nr_checks++;
	if (good)
		return;
	nr_bad++;
	printf("# %s: %s (%lld)\n", routine, what, (long long)value);
}

/*
 * Low: arguments made by kind. Arrays are one canvas that must stay blank,
 * workspaces and integers that are written each have a place of their own.
 */
enum { FIRST_TOO_LARGE = 8, CANVAS = 4096 };
static unsigned char canvas[CANVAS];
static double work[8];
static int64_t integers[16], out[16], int_work[16];
static size_t nr_integers, nr_lengths, nr_out, nr_int_work;

/* An integer or a length, the one of that number too large or a query. */
static size_t large_one, query_one;

static int64_t *next_integer(void)
{
	int64_t *x = &integers[nr_integers];

	*x = nr_integers++ == large_one
		     ? between(0, 1) ? between(FIRST_TOO_LARGE, 1000) : between(INT32_MAX, INT64_MAX / 2)
		     : between(1, FIRST_TOO_LARGE - 1);
	return x;
}

static int64_t *next_length(void)
{
	int64_t *x = &integers[8 + nr_lengths];

	*x = nr_lengths++ == query_one ? -1 : between(1000, INT64_MAX / 2);
	return x;
}

static int64_t *next_out(void)
{
	int64_t *x = &out[nr_out++];

	*x = (int64_t)both_random();
	return x;
}

static int64_t *next_int_work(void)
{
	int64_t *x = &int_work[nr_int_work++];

	*x = -99;
	return x;
}

static void reset(size_t large, size_t query)
{
	memset(canvas, 0x55, sizeof canvas);
	memset(work, 0, sizeof work);
	nr_integers = nr_lengths = nr_out = nr_int_work = 0;
	large_one = large;
	query_one = query;
}

static bool canvas_is_blank(void)
{
	for (size_t i = 0; i < CANVAS; i++)
		if (canvas[i] != 0x55)
			return false;
	return true;
}

#define MAKE(kind, p, a, ...) , MAKE_##kind(p, a)
#define MAKE_CHARACTER(p, a)  "N"
#define MAKE_INTEGER(p, a)    v_##a
#define MAKE_LENGTH(p, a)     v_##a
#define MAKE_ARRAY(p, a)      (element_##p *)(void *)canvas
#define MAKE_REALS(p, a)      (real_##p *)(void *)canvas
#define MAKE_WORK(p, a)	      (element_##p *)(void *)work
#define MAKE_REAL_WORK(p, a)  (real_##p *)(void *)&work[4]
#define MAKE_PIVOTS(p, a)     (int64_t *)(void *)canvas
#define MAKE_SCRATCH(p, a)    (int64_t *)(void *)canvas
#define MAKE_INT_WORK(p, a)   v_##a
#define MAKE_OUT(p, a)	      v_##a

/* Integers are made before the call, in their order: that of arguments is free. */
#define FIX(kind, p, a, ...) FIX_##kind(a)
#define FIX_CHARACTER(a)
#define FIX_INTEGER(a) int64_t *v_##a = next_integer();
#define FIX_LENGTH(a)  int64_t *v_##a = next_length();
#define FIX_ARRAY(a)
#define FIX_REALS(a)
#define FIX_WORK(a)
#define FIX_REAL_WORK(a)
#define FIX_PIVOTS(a)
#define FIX_SCRATCH(a)
#define FIX_INT_WORK(a) int64_t *v_##a = next_int_work();
#define FIX_OUT(a)	int64_t *v_##a = next_out();

/* Where N stands, counted independently of the bridge. */
#define COUNT(kind, p, a, ...) , #a

#define CALLER(p, name, shape, how)                                                                          \
	static int64_t call_##p##name(void)                                                                  \
	{                                                                                                    \
		SHAPE_##shape(FIX, p);                                                                       \
		bridge.p##name(LIST(SHAPE_##shape(MAKE, p)));                                                \
		return *v_info;                                                                              \
	}
BRIDGE_LAPACK(CALLER)

struct routine {
	const char *name;
	int64_t (*call)(void);
	bool fatal;
	const char *const *arguments; /* their names, NULL at the end */
};

enum { IS_refused = false, IS_fatal = true };
#define ROUTINE(p, name, shape, how)                                                                         \
	{#p #name, call_##p##name, IS_##how, (const char *const[]){LIST(SHAPE_##shape(COUNT, p)), NULL}},
static const struct routine routines[] = {BRIDGE_LAPACK(ROUTINE)};

static int64_t position_of_n(const struct routine *routine)
{
	int64_t i = 0;

	while (strcmp(routine->arguments[i], "n"))
		i++;
	return i + 1;
}

/* How many INTEGER and LENGTH arguments there are: from one call that fits. */
static void count(const struct routine *routine, size_t *nr_int, size_t *nr_len)
{
	reset(0, SIZE_MAX);
	if (routine->fatal) { /* a call would end the process */
		*nr_int = 3;
		*nr_len = 0;
		return;
	}
	routine->call();
	*nr_int = nr_integers;
	*nr_len = nr_lengths;
}

/* What the bridge wrote since the last time; standard error is a file. */
static void check_said(const struct routine *routine, const char *what)
{
	char expected[160] = "", said[160];
	ssize_t n = pread(STDERR_FILENO, said, sizeof said - 1, 0);

	if (what)
		snprintf(expected, sizeof expected,
			 "sofold bridge: %s: too large for the 32-bit OpenBLAS of this layer; %s\n",
			 routine->name, what);
	said[n > 0 ? n : 0] = 0;
	check(!strcmp(said, expected), routine->name, said, n);
	check(!ftruncate(STDERR_FILENO, 0) && !lseek(STDERR_FILENO, 0, SEEK_SET), routine->name,
	      "standard error", 0);
}

static void check_outs(const struct routine *routine, int64_t info)
{
	check(out[nr_out - 1] == info, routine->name, "INFO", out[nr_out - 1]);
	if (nr_out == 2)
		check(out[0] == 0, routine->name, "RANK", out[0]);
	check(canvas_is_blank(), routine->name, "an array was written", 0);
}

static void refuse(const struct routine *routine, size_t large)
{
	reset(large, SIZE_MAX);
	routine->call();
	check_outs(routine, -position_of_n(routine));
	check_said(routine, "refused");
}

static void query(const struct routine *routine, size_t large, size_t asking)
{
	float single;

	reset(large, asking);
	routine->call();
	check_outs(routine, 0);
	check_said(routine, NULL);
	memcpy(&single, work, sizeof single);
	check((single >= 1 || work[0] >= 1), routine->name, "answer", (int64_t)work[0]);
	if (nr_int_work)
		check(int_work[0] == 1, routine->name, "IWORK(1)", int_work[0]);
}

enum { ABORTED = 99 };

static void exit_aborted(int signal)
{
	(void)signal;
	_exit(ABORTED);
}

/* In a child process, which must not come back from the call. Its handler keeps
 * cores from being dumped, and qemu from saying so. */
static void expect_abort(const struct routine *routine, size_t large)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		signal(SIGABRT, exit_aborted);
		reset(large, SIZE_MAX);
		routine->call();
		_exit(0);
	}
	waitpid(child, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == ABORTED, routine->name, "came back", status);
	check_said(routine, "aborting");
}

static void low(void)
{
	FILE *messages = tmpfile();

	if (!messages || dup2(fileno(messages), STDERR_FILENO) < 0)
		abort();
	for (size_t i = 0; i < sizeof routines / sizeof *routines; i++) {
		const struct routine *routine = &routines[i];
		size_t nr_int, nr_len;

		count(routine, &nr_int, &nr_len);
		check_said(routine, routine->fatal ? NULL : "refused");
		for (size_t large = 0; large < nr_int; large++) {
			if (routine->fatal) {
				expect_abort(routine, large);
				continue;
			}
			for (int repeat = 0; repeat < 50; repeat++) {
				refuse(routine, large);
				for (size_t asking = 0; asking < nr_len; asking++)
					query(routine, large, asking);
			}
		}
	}
}

static void lengths(void)
{
	for (size_t i = 0; i < sizeof routines / sizeof *routines; i++) {
		reset(SIZE_MAX, SIZE_MAX);
		check(routines[i].call() == 0, routines[i].name, "lengths of CHARACTER arguments", out[0]);
	}
}

/*
 * Real: least lengths as each LAPACK source file documents them.
 */
static double asked_real;
static int64_t asked_integers;

/* One size, evenly spread over its logarithm. */
static int64_t any_size(void)
{
	return between(1, ((int64_t)1 << between(1, 31)) - 1);
}

/* "refused" answers are 1; everything else must be enough. Single precision
 * rounds a length to nearest. */
static void enough(const char *routine, double answer, double least)
{
	check(answer == 1 || answer >= least * (1 - 1e-6), routine, "asks for less than it needs",
	      (int64_t)answer);
	check(answer <= INT32_MAX * (1 + 1e-6), routine, "asks for more than can be told", (int64_t)answer);
}

static double ask_evd(char which, const char *jobz, int64_t n)
{
	int64_t length = -1, info = 77, lda = n;
	double w = 0, a = 0, answer[2] = {0};
	float *narrow = (float *)(void *)answer, real[2] = {0};

	asked_integers = 0;
	asked_real = 0;
	switch (which) {
	case 's':
		bridge.ssyevd(jobz, "L", &n, real, &lda, real, narrow, &length, &asked_integers, &length,
			      &info);
		break;
	case 'd':
		bridge.dsyevd(jobz, "L", &n, &a, &lda, &w, answer, &length, &asked_integers, &length, &info);
		break;
	default:
		bridge.zheevd(jobz, "L", &n, (void *)&a, &lda, &w, (void *)answer, &length, &asked_real,
			      &length, &asked_integers, &length, &info);
	}
	check(info == 0, "evd", "a query failed", info);
	return which == 's' ? (double)*narrow : *answer;
}

static void real_evd(void)
{
	int64_t n = any_size();
	double m = (double)n;
	const char *jobz = between(0, 1) ? "V" : "N";
	bool vectors = *jobz == 'V';

	enough("ssyevd", ask_evd('s', jobz, n), vectors ? 1 + 6 * m + 2 * m * m : 2 * m + 1);
	enough("dsyevd", ask_evd('d', jobz, n), vectors ? 1 + 6 * m + 2 * m * m : 2 * m + 1);
	check(asked_integers == 1 || asked_integers >= (vectors ? 3 + 5 * n : 1), "dsyevd", "IWORK",
	      asked_integers);
	enough("zheevd", ask_evd('z', jobz, n), vectors ? 2 * m + m * m : m + 1);
	enough("zheevd", asked_real, vectors ? 1 + 5 * m + 2 * m * m : m);
}

static double ask_gesdd(char which, const char *jobz, int64_t m, int64_t n)
{
	int64_t length = -1, info = 77, one = 1, k = lesser(m, n);
	double a[2] = {0}, answer[2] = {0};
	float *narrow = (float *)(void *)answer, b[2] = {0};
	int64_t ldu = *jobz == 'N' ? one : m, ldvt = *jobz == 'N' ? one : *jobz == 'A' ? n : k;

	if (which == 's')
		bridge.sgesdd(jobz, &m, &n, b, &m, b, b, &ldu, b, &ldvt, narrow, &length, &one, &info);
	else if (which == 'd')
		bridge.dgesdd(jobz, &m, &n, a, &m, a, a, &ldu, a, &ldvt, answer, &length, &one, &info);
	else
		bridge.zgesdd(jobz, &m, &n, (void *)a, &m, a, (void *)a, &ldu, (void *)a, &ldvt,
			      (void *)answer, &length, a, &one, &info);
	check(info == 0, "gesdd", "a query failed", info);
	return which == 's' ? (double)*narrow : *answer;
}

/* MINWRK of the paths for a matrix that is nearly square, which is less than the
 * head of the file says. */
static void real_gesdd(void)
{
	int64_t m = any_size(), n = any_size();
	double k = (double)lesser(m, n);
	const char *jobz = (const char *[]){"N", "S", "A"}[between(0, 2)];
	bool vectors = *jobz != 'N';

	enough("sgesdd", ask_gesdd('s', jobz, m, n), vectors ? 3 * k * k + 7 * k : 7 * k);
	enough("dgesdd", ask_gesdd('d', jobz, m, n), vectors ? 3 * k * k + 7 * k : 7 * k);
	enough("zgesdd", ask_gesdd('z', jobz, m, n), 3 * k);
}

static double ask_gelsd(char which, int64_t m, int64_t n, int64_t nrhs, int64_t lda)
{
	int64_t length = -1, info = 77, rank = 77, ldb = m > n ? m : n;
	double a[2] = {0}, answer[2] = {0};

	asked_integers = 0;
	asked_real = 0;
	if (which == 'd')
		bridge.dgelsd(&m, &n, &nrhs, a, &lda, a, &ldb, a, a, &rank, answer, &length, &asked_integers,
			      &info);
	else
		bridge.zgelsd(&m, &n, &nrhs, (void *)a, &lda, (void *)a, &ldb, a, a, &rank, (void *)answer,
			      &length, &asked_real, &asked_integers, &info);
	check(info == 0, "gelsd", "a query failed", info);
	return *answer;
}

static double ask_dgeev(const char *jobvr, int64_t n)
{
	int64_t length = -1, info = 77;
	double a[2] = {0}, answer[2] = {0};

	bridge.dgeev("N", jobvr, &n, a, &n, a, a, a, &n, a, &n, answer, &length, &info);
	check(info == 0, "dgeev", "a query failed", info);
	return *answer;
}

static double ask_zgeev(const char *jobvr, int64_t n)
{
	int64_t length = -1, info = 77;
	double a[2] = {0}, answer[2] = {0};

	bridge.zgeev("N", jobvr, &n, (void *)a, &n, (void *)a, (void *)a, &n, (void *)a, &n, (void *)answer,
		     &length, a, &info);
	check(info == 0, "zgeev", "a query failed", info);
	return *answer;
}

static void real_geev(void)
{
	int64_t n = any_size();

	enough("dgeev", ask_dgeev("N", n), 3 * (double)n);
	enough("dgeev", ask_dgeev("V", n), 4 * (double)n);
	enough("zgeev", ask_zgeev(between(0, 1) ? "N" : "V", n), 2 * (double)n);
}

/* SMLSIZ is 25 (ilaenv.f, ISPEC 9); NLVL at least 0. */
static void real_gelsd(void)
{
	int64_t m = any_size(), n = any_size(), nrhs = any_size();
	double k = (double)lesser(m, n), r = (double)nrhs;

	enough("dgelsd", ask_gelsd('d', m, n, nrhs, m), 12 * k + 2 * k * 25 + k * r);
	check(asked_integers == 1 || (double)asked_integers >= 11 * k, "dgelsd", "IWORK", asked_integers);
	enough("zgelsd", ask_gelsd('z', m, n, nrhs, m), 2 * k + k * r);
	enough("zgelsd", asked_real, 10 * k + 2 * k * 25 + 3 * 25 * r + (double)n * (1 + r) + 2 * r);
}

static void real_qr(int64_t m, int64_t n)
{
	int64_t length = -1, info = 77, k = lesser(m, n);
	double a[2] = {0}, answer[2] = {0};

	bridge.dgeqrf(&m, &n, a, &m, a, answer, &length, &info);
	check(info == 0 && *answer == (double)n * 32, "dgeqrf", "answer", (int64_t)*answer);
	bridge.zgeqrf(&m, &n, (void *)a, &m, (void *)a, (void *)answer, &length, &info);
	check(info == 0 && *answer == (double)n * 32, "zgeqrf", "answer", (int64_t)*answer);
	bridge.dorgqr(&m, &k, &k, a, &m, a, answer, &length, &info);
	check(info == 0 && *answer >= (double)k, "dorgqr", "answer", (int64_t)*answer);
	bridge.zungqr(&m, &k, &k, (void *)a, &m, (void *)a, (void *)answer, &length, &info);
	check(info == 0 && *answer >= (double)k, "zungqr", "answer", (int64_t)*answer);
}

/* Sizes that people have, on either side of a limit. */
static void known(void)
{
	check(ask_gesdd('d', "S", 20000000, 3) > 1, "dgesdd", "a tall matrix is refused", 20000000);
	check(ask_gesdd('d', "A", 23000, 23000) > 1, "dgesdd", "refused", 23000);
	check(ask_gesdd('d', "S", 23300, 23300) == 1, "dgesdd", "not refused", 23300);
	check(ask_gesdd('z', "S", 20600, 20600) > 1, "zgesdd", "refused", 20600);
	check(ask_gesdd('z', "S", 20800, 20800) == 1, "zgesdd", "not refused", 20800);
	check(ask_evd('d', "V", 32766) > 1, "dsyevd", "refused", 32766);
	check(ask_evd('d', "V", 32767) == 1, "dsyevd", "not refused", 32767);
	check(ask_evd('z', "V", 32766) > 1, "zheevd", "refused", 32766);
	check(ask_evd('z', "V", 32767) == 1, "zheevd", "not refused", 32767);
	check(ask_gelsd('d', 40000, 40000, 1, 40000) > 1, "dgelsd", "refused", 40000);
	check(ask_gelsd('d', 50000000, 3, 5, 50000000) > 1, "dgelsd", "a tall matrix is refused", 50000000);
	check(ask_gelsd('d', 46000, 46000, 400, 46000) == 1, "dgelsd", "not refused", 46000);
	check(ask_gelsd('d', 3, 2, 100000000, 3) > 1, "dgelsd", "refused", 100000000);
	check(ask_gelsd('d', 3, 5, 1, 1000000000) == 1, "dgelsd", "not refused for LDA", 1000000000);
	/* Where 64 bits would overflow, too. */
	check(ask_gesdd('d', "S", INT32_MAX, INT32_MAX) == 1, "dgesdd", "not refused", INT32_MAX);
	check(ask_gelsd('d', INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX) == 1, "dgelsd", "not refused",
	      INT32_MAX);
	check(ask_dgeev("V", 33554431) > 1, "dgeev", "refused", 33554431);
	check(ask_dgeev("V", 33554432) == 1, "dgeev", "not refused", 33554432);
	/* numpy's own test: test_blas64_geqrf_lwork_smoketest */
	real_qr(((int64_t)1 << 32) + 1, ((int64_t)1 << 32) + 1);
}

/*
 * Huge: vectors of two elements, and 2 by 2 matrices by rows, 2**31 apart.
 */
static const int64_t FAR = (int64_t)1 << 31;

static double *reserve(void)
{
	void *p = mmap(NULL, (size_t)(FAR + 2) * sizeof(double), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

static void put(double *x, double a, double b, double c, double d)
{
	x[0] = a;
	x[1] = b;
	x[FAR] = c;
	x[FAR + 1] = d;
}

static void expect(const char *routine, const double *x, double a, double b, double c, double d)
{
	check(x[0] == a && x[1] == b && x[FAR] == c && x[FAR + 1] == d, routine, "stride 2**31", (int64_t)*x);
}

static void far_vectors(double *x, double *y)
{
	int64_t one = 1, two = 2;

	put(x, 2, 0, 3, 0);
	put(y, 5, 0, 7, 0);
	check(bridge.ddot(2, x, FAR, y, FAR) == 31, "ddot", "stride 2**31", 31);
	check(bridge.ddot(2, x, FAR, y, -FAR) == 29, "ddot", "stride -2**31", 29);
	bridge.daxpy(2, 10, x, FAR, y, FAR);
	expect("daxpy", y, 25, 0, 37, 0);
	bridge.dcopy(&two, x, &FAR, y, &one);
	expect("dcopy", y, 2, 3, 37, 0);
}

static void far_matrices(double *x, double *y)
{
	const double v[2] = {1, 10};

	put(x, 2, 11, 3, 13);
	put(y, 1, 2, 3, 4);
	bridge.dgemv(101, 111, 2, 2, 1, x, FAR, v, 1, 10, y, FAR);
	expect("dgemv", y, 122, 2, 163, 4);
	bridge.dgemm(101, 111, 111, 2, 2, 2, 1, x, FAR, x, FAR, 0, y, FAR);
	expect("dgemm", y, 37, 165, 45, 202);
	put(y, 1, 2, 3, 4);
	bridge.dsyrk(101, 121, 111, 2, 2, 1, x, FAR, 10, y, FAR);
	expect("dsyrk", y, 135, 169, 3, 218);
}

/* All 0 but the first and the last. */
static void long_vector(float *x)
{
	int64_t n = FAR + 16;

	x[0] = 2;
	x[n - 1] = 3;
	check(bridge.sdot(n, x, 1, x, 1) == 13, "sdot", "length 2**31 + 16", n);
}

static void huge(void)
{
	double *x = reserve(), *y = reserve();

	far_vectors(x, y);
	far_matrices(x, y);
	put(x, 0, 0, 0, 0);
	long_vector((float *)(void *)x);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	both_seed(1);
	library_open(&bridge, argv[2]);
	if (!strcmp(argv[1], "low")) {
		low();
	} else if (!strcmp(argv[1], "huge")) {
		huge();
	} else if (!strcmp(argv[1], "lengths")) {
		lengths();
	} else {
		known();
		for (int i = 0; i < 2000; i++) {
			real_evd();
			real_gesdd();
			real_gelsd();
			real_geev();
			real_qr(any_size(), any_size());
		}
	}
	printf("%zu checks, %zu bad\n", nr_checks, nr_bad);
	return nr_bad != 0;
}
