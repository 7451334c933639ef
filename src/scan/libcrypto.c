/* As libarchive.c: the SONAME that the headers were installed with. */
#include "scan/libcrypto.h"

#ifdef SOFOLD_STATIC

#define ADDRESS(name) .name = name,

const struct libcrypto *libcrypto_load(void)
{
	static const struct libcrypto linked = {LIBCRYPTO_FUNCTIONS(ADDRESS)};

	return &linked;
}

#else

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SOFOLD_LIBCRYPTO
#define SOFOLD_LIBCRYPTO "libcrypto.so"
#endif

#define NAME(name) #name,

static const char *const names[] = {LIBCRYPTO_FUNCTIONS(NAME)};

enum { NR_NAMES = sizeof names / sizeof *names };

_Static_assert(sizeof(struct libcrypto) == NR_NAMES * sizeof(void *), "functions and nothing else");

static struct libcrypto loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	void *library = dlopen(SOFOLD_LIBCRYPTO, RTLD_NOW | RTLD_LOCAL), *found[NR_NAMES];
	size_t i;

	for (i = 0; library && i < NR_NAMES; i++)
		if (!(found[i] = dlsym(library, names[i])))
			break;
	if (!library || i < NR_NAMES) {
		fprintf(stderr, "sofold: digests are made by libcrypto, which does not load: %s\n",
			dlerror());
		_Exit(3);
	}
	memcpy(&loaded, found, sizeof loaded);
}

const struct libcrypto *libcrypto_load(void)
{
	pthread_once(&once, load);
	return &loaded;
}

#endif
