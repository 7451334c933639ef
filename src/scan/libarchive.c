/* One dlopen() of the SONAME that the headers were installed with (the Makefile
 * asks the linker's libarchive.so), and one dlsym() for each function. */
#include "scan/libarchive.h"

#ifdef SOFOLD_STATIC

#define ADDRESS(name) .name = name,

int libarchive_load(const struct libarchive **functions, struct error *err)
{
	static const struct libarchive linked = {LIBARCHIVE_FUNCTIONS(ADDRESS)};

	(void)err;
	*functions = &linked;
	return 0;
}

#else

#include <dlfcn.h>
#include <string.h>

#ifndef SOFOLD_LIBARCHIVE
#define SOFOLD_LIBARCHIVE "libarchive.so"
#endif

#define NAME(name) #name,

static const char *const names[] = {LIBARCHIVE_FUNCTIONS(NAME)};

enum { NR_NAMES = sizeof names / sizeof *names };

_Static_assert(sizeof(struct libarchive) == NR_NAMES * sizeof(void *), "functions and nothing else");

int libarchive_load(const struct libarchive **functions, struct error *err)
{
	static struct libarchive loaded;
	static void *library;
	void *found[NR_NAMES];
	size_t i;

	*functions = &loaded;
	if (library)
		return 0;
	library = dlopen(SOFOLD_LIBARCHIVE, RTLD_NOW | RTLD_LOCAL);
	for (i = 0; library && i < NR_NAMES; i++)
		if (!(found[i] = dlsym(library, names[i])))
			break;
	if (!library || i < NR_NAMES) {
		library = NULL;
		return error_add(err, ERROR_RUN, "archives are read by libarchive, which does not load: %s",
				 dlerror());
	}
	memcpy(&loaded, found, sizeof loaded);
	return 0;
}

#endif
