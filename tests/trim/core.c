// Opens an OpenBLAS, says which processor's kernels it chose, and multiplies.
//
// Why: what a library does on a processor it was not trimmed for shows when it is loaded,
// and an interpreter under an emulator takes long to get there.
// How: `core LIBRARY [SIZE]` prints the core's name and a sum of products, in hexadecimal.
// Numbers are 64 bits wide: a library with 32-bit integers reads the lower half.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *library;

// Names are spelled in four ways.
static void *find(const char *name)
{
	static const char *const ways[] = {"%s", "%s64_", "scipy_%s", "scipy_%s64_"};
	char spelled[100];

	for (int i = 0; i < 4; i++) {
		snprintf(spelled, sizeof spelled, ways[i], name);
		void *found = dlsym(library, spelled);
		if (found)
			return found;
	}
	return NULL;
}

static void multiply(int64_t n, const double *a, const double *b, double *c)
{
	void (*c_way)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, double, const double *, int64_t,
		      const double *, int64_t, double, double *, int64_t) = find("cblas_dgemm");
	void (*fortran)(const char *, const char *, int64_t *, int64_t *, int64_t *, double *, const double *,
			int64_t *, const double *, int64_t *, double *, double *, int64_t *, size_t,
			size_t) = find("dgemm_");
	double one = 1, none = 0;

	if (c_way)
		c_way(102, 111, 111, n, n, n, 1, a, n, b, n, 0, c, n);
	else if (fortran)
		fortran("N", "N", &n, &n, &n, &one, a, &n, b, &n, &none, c, &n, 1, 1);
	else
		exit(4);
}

int main(int argc, char **argv)
{
	int64_t n = argc > 2 ? atol(argv[2]) : 200, all = n * n;
	double *a, *b, *c, sum = 0;

	library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	const char *(*name)(void) = find("openblas_get_corename");
	a = malloc(3 * (size_t)all * sizeof *a);
	if (!name || !a)
		return 3;
	b = a + all;
	c = b + all;
	for (int64_t i = 0; i < all; i++) {
		a[i] = (double)(i % 17) / 8 - 1;
		b[i] = (double)(i % 23) / 16 - 0.5;
		c[i] = 0;
	}
	multiply(n, a, b, c);
	for (int64_t i = 0; i < all; i++)
		sum += c[i] * (double)(i % 5);
	printf("%s %a\n", name(), sum);
	return 0;
}
