/*
 * Opening a library. RTLD_LOCAL: two OpenBLAS of one spelling stay apart.
 */
#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ISO C has no conversion from an object pointer to a function's; POSIX's
 * dlsym() needs one. */
static void find(void *handle, const char *name, void *function)
{
	char prefixed[64];
	void *symbol = dlsym(handle, name);

	if (!symbol) {
		snprintf(prefixed, sizeof prefixed, "scipy_%s", name);
		symbol = dlsym(handle, prefixed);
	}
	if (!symbol) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	memcpy(function, &symbol, sizeof symbol);
}

void library_open(struct library *library, const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
#define FIND_CBLAS(p, name, shape)	  find(handle, "cblas_" #p #name "64_", &library->p##name);
#define FIND_FORTRAN(p, name, shape, ...) find(handle, #p #name "_64_", &library->p##name);
	BRIDGE_CBLAS(FIND_CBLAS)
	BRIDGE_BLAS(FIND_FORTRAN)
	BRIDGE_LAPACK(FIND_FORTRAN)
}
