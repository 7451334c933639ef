/*
 * The name a library had before wheel tools renamed it, short of its minor
 * version: what copies of one library have in common.
 *
 * auditwheel puts the first 8 hex digits of a file's SHA-256 before the first
 * dot of its name (auditwheel/repair.py, copylib), sometimes behind a tag of
 * its wheel, and again when a repaired wheel is repaired:
 *
 *	libgfortran.so.5.0.0	libgfortran-040039e1-0352e75f.so.5.0.0
 *	libgdal.so.35		libgdal-fiona-e8f6bdb0.so.35
 *	libopenblasp-r0.3.7.so	libopenblasp-r0-34a18dc3.3.7.so
 *
 * So: split the name at ".so" into a stem and what is behind it; take hashes,
 * and the owner's tag before them, out of the stem; take a version off its
 * end; keep the first number behind ".so", which is the SONAME's major
 * version. OpenBLAS alone is known by many stems, which a table folds.
 *
 * A family only says which files are worth comparing. Whether two of them can
 * stand for each other is decided by their symbols.
 */
#include "sofold/layer.h"

#include <string.h>

/* The stems OpenBLAS is built under. */
static const char *const openblas_stems[] = {
	"libopenblas",		/* upstream, distributions: LP64 */
	"libopenblas_",		/* SYMBOLSUFFIX=_ */
	"libopenblasp",		/* upstream, threads; numpy and scipy to 1.21 */
	"libopenblaso",		/* Fedora, OpenMP */
	"libopenblas64",	/* Debian, Fedora: ILP64 without a suffix */
	"libopenblas64_",	/* ILP64, SYMBOLSUFFIX=64_ */
	"libopenblasp64",	/* Fedora: ILP64, threads */
	"libopenblasp64_",	/* the same with suffixed symbols */
	"libopenblaso64",	/* Fedora: ILP64, OpenMP */
	"libopenblaso64_",	/* the same with suffixed symbols */
	"libopenblas64_p",	/* upstream, ILP64, threads; numpy 1.22 to 1.25 */
	"libscipy_openblas",	/* scipy-openblas32: LP64, symbols scipy_* */
	"libscipy_openblas32",	/* the same, older name */
	"libscipy_openblas32_", /* the same */
	"libscipy_openblas64_", /* scipy-openblas64: ILP64, symbols scipy_*64_ */
	"libscipy_openblas64",	/* the same */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static char fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' || c == '.' ? '-' : c;
}

/* Bytes of a hash "-1a2b3c4d" at p, or 0. */
static size_t hash_length(const char *p)
{
	enum { HASH = 1 + 8 };

	if (*p != '-')
		return 0;
	for (size_t i = 1; i < HASH; i++) {
		if (!is_hex(p[i]))
			return 0;
	}
	return !p[HASH] || p[HASH] == '-' || p[HASH] == '.' ? HASH : 0;
}

/* Length of the first length bytes of stem without "-owner" at their end. */
static size_t drop_owner(const char *stem, size_t length, const char *owner)
{
	size_t n = owner ? strlen(owner) : 0;

	if (!n || length < n + 2 || stem[length - n - 1] != '-')
		return length;
	for (size_t i = 0; i < n; i++) {
		if (fold(stem[length - n + i]) != fold(owner[i]))
			return length;
	}
	return length - n - 1;
}

static void drop_hashes(char *stem, const char *owner)
{
	size_t length = 0, hash;
	bool dropped = false;

	for (const char *p = stem; *p;) {
		hash = hash_length(p);
		if (hash) {
			if (!dropped)
				length = drop_owner(stem, length, owner);
			dropped = true;
			p += hash;
		} else {
			stem[length++] = *p++;
		}
	}
	stem[length] = '\0';
}

/* Length of stem without its last component when that is ".7" or ".dev";
 * length itself when it is something else. */
static size_t drop_component(const char *stem, size_t length)
{
	size_t at = length;

	while (at && is_digit(stem[at - 1]))
		at--;
	if (at >= 4 && !memcmp(stem + at - 4, ".dev", 4))
		return at - 4;
	return at && at < length && stem[at - 1] == '.' ? at - 1 : length;
}

/* Length of stem without a number at its end and prefix before that; length
 * itself when it does not end so. */
static size_t drop_number(const char *stem, size_t length, const char *prefix)
{
	size_t at = length, n = strlen(prefix);

	while (at && is_digit(stem[at - 1]))
		at--;
	if (at == length || at < n || memcmp(stem + at - n, prefix, n) != 0)
		return length;
	return at - n;
}

/*
 * Takes a version off the end of a stem: "-r0", "-r0.3.7", "-1.2.3", ".3.23".
 * Digits that belong to the name stay: "libpng16", "libLLVM-14", "liblua5.3";
 * and so does "-2.0" in "libglib-2.0.so.0", where the version is behind .so.
 */
static void drop_version(char *stem, bool versioned)
{
	size_t length = strlen(stem), head = length, dashed, next;
	unsigned nr = 0;

	while ((next = drop_component(stem, head)) != head) {
		head = next;
		nr++;
	}
	dashed = drop_number(stem, head, "-r");
	if (dashed == head)
		dashed = drop_number(stem, head, "-");
	else
		nr = 2; /* "-r0" is a release even when it is alone */
	if (dashed != head) {
		if (nr >= 2 || (nr == 1 && !versioned))
			length = dashed;
	} else if (head && !is_digit(stem[head - 1])) {
		length = head;
	}
	if (length)
		stem[length] = '\0';
}

/* ".so" of a name: at its end or before a version; NULL: there is none. */
static const char *find_so(const char *name)
{
	for (const char *p = strstr(name, ".so"); p; p = strstr(p + 1, ".so")) {
		if (!p[3] || (p[3] == '.' && is_digit(p[4])))
			return p;
	}
	return NULL;
}

/* An extension module's name is Python's: PEP 3149, PEP 384. */
static bool is_extension_name(const char *stem)
{
	const char *dot = strchr(stem, '.');

	return dot && (!strncmp(dot, ".cpython-", 9) || !strncmp(dot, ".pypy", 5) ||
		       !strncmp(dot, ".abi", 4) || !strncmp(dot, ".graalpy", 8));
}

static bool is_openblas(const char *stem)
{
	for (size_t i = 0; i < sizeof openblas_stems / sizeof *openblas_stems; i++) {
		if (!strcmp(stem, openblas_stems[i]))
			return true;
	}
	return false;
}

char *family_name(struct arena *arena, const char *file_name, const char *owner)
{
	const char *so = find_so(file_name);
	size_t major = 0;
	char *stem;

	if (!so)
		return arena_strdup(arena, file_name);
	stem = arena_strndup(arena, file_name, (size_t)(so - file_name));
	if (is_extension_name(stem))
		return arena_strdup(arena, file_name);
	drop_hashes(stem, owner);
	drop_version(stem, so[3] != '\0');
	if (is_openblas(stem))
		return arena_strdup(arena, "libopenblas.so");
	if (so[3])
		major = 1 + strspn(so + 4, "0123456789");
	return arena_printf(arena, "%s.so%.*s", stem, (int)major, so + 3);
}
