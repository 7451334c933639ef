/*
 * Globs, component by component.
 *
 * The glob and the path are walked together, a component a step; "**" tries
 * every number of components, a "*" within one every number of bytes. Both
 * try again only from the last star, so the time is bounded by the product of
 * the lengths for each of the texts that braces stand for. Braces are opened
 * first, into a buffer: a glob of a user's is short.
 */
#include <string.h>

#include "sofold/prune.h"

/* Bytes of a glob with braces: more than any path has. */
enum { MAX_GLOB = 8192, MAX_BRACES = 3 };

static size_t component_length(const char *text)
{
	return strcspn(text, "/");
}

/* The end of "[a-z]" that begins at set, or NULL: then "[" is a plain byte. */
static const char *set_end(const char *set, const char *end)
{
	const char *p = set + 1;

	p += p < end && (*p == '!' || *p == '^');
	p += p < end && *p == ']';
	while (p < end && *p != ']')
		p++;
	return p < end ? p : NULL;
}

static bool in_set(const char *set, const char *end, char c)
{
	const char *p = set + 1;
	bool inverted = *p == '!' || *p == '^', found = false;

	for (p += inverted; p < end; p++) {
		if (p + 2 < end && p[1] == '-') {
			found |= *p <= c && c <= p[2];
			p += 2;
		} else {
			found |= *p == c;
		}
	}
	return found != inverted;
}

/* The glob behind what matches one byte c; NULL: it does not. */
static const char *match_byte(const char *glob, const char *end, char c)
{
	const char *close;

	if (glob == end)
		return NULL;
	if (*glob == '[' && (close = set_end(glob, end)))
		return in_set(glob, close, c) ? close + 1 : NULL;
	return *glob == '?' || *glob == c ? glob + 1 : NULL;
}

static bool match_component(const char *glob, size_t glob_n, const char *text, size_t n)
{
	const char *end = glob + glob_n, *stop = text + n, *star = NULL, *star_text = NULL, *next;

	while (text < stop) {
		if (glob < end && *glob == '*') {
			star = ++glob;
			star_text = text;
		} else if ((next = match_byte(glob, end, *text))) {
			glob = next;
			text++;
		} else if (star) {
			glob = star;
			text = ++star_text;
		} else {
			return false;
		}
	}
	while (glob < end && *glob == '*')
		glob++;
	return glob == end;
}

static bool is_globstar(const char *glob)
{
	return component_length(glob) == 2 && glob[0] == '*' && glob[1] == '*';
}

static const char *next_component(const char *text)
{
	text += component_length(text);
	return *text ? text + 1 : text;
}

/* Bytes of path that a glob without braces matches, from at on; 0: none. */
static size_t match_from(const char *glob, const char *path, const char *at)
{
	const char *star = NULL, *star_at = NULL;

	for (;;) {
		if (is_globstar(glob)) {
			glob = star = next_component(glob);
			star_at = at;
			if (!*glob) // everything below what the glob begins with
				return *at ? (size_t)(at - path) + component_length(at) : 0;
			continue; // "**" may stand behind another
		}
		if (*at && match_component(glob, component_length(glob), at, component_length(at))) {
			const char *end = at + component_length(at);

			glob = next_component(glob);
			at = next_component(at);
			if (!*glob)
				return (size_t)(end - path);
		} else if (star && *star_at) {
			glob = star;
			at = star_at = next_component(star_at);
		} else {
			return 0;
		}
	}
}

static size_t shorter(size_t a, size_t b)
{
	return !a || (b && b < a) ? b : a;
}

static size_t match_open(const char *glob, const char *path, unsigned depth);

/* The "," or "}" that ends what begins at text, behind inner braces; or the end. */
static const char *option_end(const char *text)
{
	unsigned inner = 0;

	for (; *text && (inner || (*text != ',' && *text != '}')); text++) {
		inner += *text == '{';
		inner -= *text == '}';
	}
	return text;
}

/* The "}" for the "{" at open, or NULL. */
static const char *find_close(const char *open)
{
	const char *end = open;

	do
		end = option_end(end + 1);
	while (*end == ',');
	return *end ? end : NULL;
}

/* Tries each text between the braces at open and close. */
static size_t match_braces(const char *glob, const char *open, const char *close, const char *path,
			   unsigned depth)
{
	size_t head = (size_t)(open - glob), tail = strlen(close + 1), best = 0;
	const char *option = open + 1;
	char opened[MAX_GLOB];

	while (option <= close) {
		size_t n = (size_t)(option_end(option) - option);

		memcpy(opened, glob, head);
		memcpy(opened + head, option, n);
		memcpy(opened + head + n, close + 1, tail + 1);
		best = shorter(best, match_open(opened, path, depth + 1));
		option += n + 1;
	}
	return best;
}

static size_t match_open(const char *glob, const char *path, unsigned depth)
{
	const char *open = depth < MAX_BRACES ? strchr(glob, '{') : NULL;
	const char *close = open ? find_close(open) : NULL;

	return close ? match_braces(glob, open, close, path, depth) : match_from(glob, path, path);
}

size_t prune_match(const char *glob, const char *path)
{
	while (!strncmp(glob, "./", 2))
		glob += 2;
	if (!*glob)
		return 0;
	return strlen(glob) < MAX_GLOB ? match_open(glob, path, 0) : match_from(glob, path, path);
}
