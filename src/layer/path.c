/*
 * Paths inside a layer. All are relative to its root, so "is it inside?" is
 * answered by text alone: a path that climbs above the root has no name.
 *
 * Joining works on a copy of both parts: each component is kept, skipped
 * (".") or takes the last kept one back ("..").
 */
#include "sofold/layer.h"

#include <string.h>

/* Appends the components of part to the clean path of length bytes at path.
 * Returns its new length, or SIZE_MAX when it would climb above the root. */
static size_t append_components(char *path, size_t length, const char *part)
{
	while (*(part += strspn(part, "/"))) {
		size_t n = strcspn(part, "/");

		if (n == 2 && !memcmp(part, "..", 2)) {
			if (!length)
				return SIZE_MAX;
			while (length && path[--length] != '/')
				;
		} else if (!(n == 1 && *part == '.')) {
			if (length)
				path[length++] = '/';
			memcpy(path + length, part, n);
			length += n;
		}
		part += n;
	}
	return length;
}

char *path_join(struct arena *arena, const char *dir, const char *name)
{
	char *path = arena_alloc(arena, strlen(dir) + strlen(name) + 2);
	size_t length = append_components(path, 0, dir);

	if (*name == '/' || length == SIZE_MAX)
		return NULL;
	length = append_components(path, length, name);
	if (length == SIZE_MAX)
		return NULL;
	path[length] = '\0';
	return path;
}

char *path_of_source(struct arena *arena, const char *path)
{
	static const char cache[] = "__pycache__/";
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t dir = (size_t)(name - path), n = strlen(cache);

	if (dir < n || memcmp(name - n, cache, n) || (dir > n && name[-(ptrdiff_t)n - 1] != '/'))
		return NULL;
	return arena_printf(arena, "%.*s%.*s.py", (int)(dir - n), path, (int)strcspn(name, "."), name);
}

char *path_dir(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return arena_strndup(arena, path, slash ? (size_t)(slash - path) : 0);
}

/* Bytes of the leading components that a and b share, the slash behind them
 * not counted. */
static size_t common_prefix(const char *a, const char *b)
{
	size_t common = 0, i;

	for (i = 0; a[i] && a[i] == b[i]; i++) {
		if (a[i] == '/')
			common = i;
	}
	if ((!a[i] || a[i] == '/') && (!b[i] || b[i] == '/'))
		common = i;
	return common;
}

char *path_relative(struct arena *arena, const char *from, const char *to)
{
	size_t common = common_prefix(from, to), up = 0, length = 0;
	char *path;

	from += common + (from[common] == '/');
	to += common + (to[common] == '/');
	for (const char *p = from; *p; p++)
		up += *p == '/';
	up += *from != '\0';
	if (!up && !*to)
		return arena_strdup(arena, ".");
	path = arena_alloc(arena, 3 * up + strlen(to) + 1);
	for (; up; up--) {
		memcpy(path + length, "../", 3);
		length += 3;
	}
	if (*to)
		memcpy(path + length, to, strlen(to));
	else
		path[length - 1] = '\0';
	return path;
}
