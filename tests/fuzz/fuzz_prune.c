/*
 * Import statements, entry points and globs on any bytes.
 *
 * An import behind whatever came before must be found, with its line: a source
 * that is no Python must not hide one. Globs without braces are compared with a
 * slow matcher of a few lines on top of fnmatch().
 *
 *	byte 0   modulo 3: a source, an entry_points.txt, a glob
 *	rest     the text; of a glob its line, then the path
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "sofold/prune.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char marker[] = "zz_marker";

struct heard {
	bool marked;
	unsigned marked_line;
	size_t touched;
};

static void require(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_prune: %s\n", what);
	abort();
}

static void hear(void *context, unsigned line, bool absolute, const char *path)
{
	struct heard *heard = context;

	heard->touched += strlen(path);
	require(line > 0, "no line");
	if (absolute && !strcmp(path, marker)) {
		heard->marked = true;
		heard->marked_line = line;
	}
}

/* The text with another behind it; the caller frees it. */
static struct span join(const uint8_t *data, size_t size, const char *tail)
{
	size_t n = strlen(tail);
	uint8_t *text = malloc(size + n);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	memcpy(text + size, tail, n);
	return (struct span){text, size + n};
}

/* Of the last line but one: it ends with LF. */
static unsigned last_line(struct span text)
{
	unsigned line = 0;

	for (size_t i = 0; i < text.n; i++)
		line += text.p[i] == '\n' ||
			(text.p[i] == '\r' && (i + 1 == text.n || text.p[i + 1] != '\n'));
	return line;
}

static void fuzz_source(const uint8_t *data, size_t size)
{
	struct span text = join(data, size, "\n\nimport zz_marker\n");
	struct heard heard = {0};

	prune_python_imports("pkg/sub/mod.py", text, hear, &heard);
	require(heard.marked, "an import is hidden");
	require(heard.marked_line == last_line(text), "its line");
	free((void *)(uintptr_t)text.p);
}

static void fuzz_entry_points(const uint8_t *data, size_t size)
{
	struct span text = join(data, size, "\nx = zz_marker:main\n");
	struct heard heard = {0};

	prune_entry_points(text, hear, &heard);
	require(heard.marked, "an entry point is hidden");
	free((void *)(uintptr_t)text.p);
}

/* --------- globs ------------------ */

static size_t match_components(const char *glob, const char *path, const char *at)
{
	size_t n = strcspn(glob, "/"), m = strcspn(at, "/"), found;
	const char *rest = glob + n + (glob[n] == '/'), *next = at + m + (at[m] == '/');
	char one[64], text[64];

	snprintf(one, sizeof one, "%.*s", (int)n, glob);
	snprintf(text, sizeof text, "%.*s", (int)m, at);
	if (!strcmp(one, "**")) {
		if (!*rest)
			return *at ? (size_t)(at - path) + m : 0;
		found = match_components(rest, path, at);
		return found || !*at ? found : match_components(glob, path, next);
	}
	if (!*at || fnmatch(one, text, FNM_NOESCAPE))
		return 0;
	return *rest ? match_components(rest, path, next) : (size_t)(at - path) + m;
}

static bool is_path(const char *path)
{
	return *path && *path != '/' && !strstr(path, "//") && path[strlen(path) - 1] != '/';
}

/* What fnmatch() and prune_match() agree on. */
static bool is_plain(const char *glob)
{
	for (const char *p = glob; *p; p++)
		if (*p == '{' || *p == '[' || (*p & 0x80))
			return false;
	return !strstr(glob, "//") && *glob != '/' && strncmp(glob, "./", 2) && *glob;
}

static void fuzz_glob(const uint8_t *data, size_t size)
{
	char glob[1024], path[1024];
	const uint8_t *newline = memchr(data, '\n', size);
	size_t n = newline ? (size_t)(newline - data) : size, m = newline ? size - n - 1 : 0, found;

	if (n >= sizeof glob || m >= sizeof path)
		return;
	memcpy(glob, data, n);
	glob[n] = '\0';
	if (m)
		memcpy(path, newline + 1, m);
	path[m] = '\0';
	found = prune_match(glob, path);
	require(found <= strlen(path), "more than there is");
	require(!found || !path[found] || path[found] == '/', "half a component");
	if (is_plain(glob) && is_path(path) && strlen(glob) < 24 && strlen(path) < 24)
		require(found == match_components(glob, path, path), "another match");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (*data % 3) {
	case 0:
		fuzz_source(data + 1, size - 1);
		break;
	case 1:
		fuzz_entry_points(data + 1, size - 1);
		break;
	default:
		fuzz_glob(data + 1, size - 1);
	}
	return 0;
}
