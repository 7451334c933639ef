/*
 * Names and symlinks a zip may hold.
 *
 * A zip is unpacked somewhere else, by somebody else's program. A name has to
 * mean the same there, so it is UTF-8; and a symlink has to lead to what it leads
 * to here, so it stays inside the tree.
 *
 * Whether a link stays cannot be told from its text: in "a/../b", when a is itself
 * a link, ".." is the parent of what a leads to. So links are followed as the
 * kernel follows them (path_resolution(7)), over the list of entries in place of
 * the disk: a component that is a link is replaced by its target, ".." goes up,
 * and going up from the root is the way out. What is not there needs no link to
 * be a way out: it is taken for a directory.
 */
#include <stdlib.h>
#include <string.h>

#include "pack/pack.h"

bool name_is_ascii(const char *name)
{
	for (; *name; name++)
		if (*name & 0x80)
			return false;
	return true;
}

/* Length of the character at p, or 0: too long a form, a surrogate, beyond
 * U+10FFFF, or no UTF-8 at all (RFC 3629, section 4). */
static size_t character(const unsigned char *p)
{
	static const struct {
		unsigned char first, last, second_from, second_to;
		size_t length;
	} forms[] = {
		{0x01, 0x7f, 0, 0, 1},	     {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	size_t form = 0, i;

	while (form < sizeof forms / sizeof *forms && (*p < forms[form].first || *p > forms[form].last))
		form++;
	if (form == sizeof forms / sizeof *forms)
		return 0;
	if (forms[form].length > 1 && (p[1] < forms[form].second_from || p[1] > forms[form].second_to))
		return 0;
	for (i = 2; i < forms[form].length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return forms[form].length;
}

bool name_is_utf8(const char *name)
{
	const unsigned char *p = (const unsigned char *)name;
	size_t n;

	for (; *p; p += n)
		if (!(n = character(p)))
			return false;
	return true;
}

static bool is_word(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && !memcmp(p, word, n);
}

int pack_prefix(struct arena *arena, const char *text, const char **prefix, struct error *err)
{
	char *to = arena_alloc(arena, strlen(text) + 2);
	const char *p;
	size_t n;

	*prefix = to;
	if (*text == '/')
		return error_add(err, ERROR_USAGE, "prefix %s: absolute", text);
	if (!name_is_utf8(text))
		return error_add(err, ERROR_USAGE, "prefix %s: not UTF-8", text);
	for (p = text; *p; p += n + (p[n] == '/')) {
		n = strcspn(p, "/");
		if (is_word(p, n, ".."))
			return error_add(err, ERROR_USAGE, "prefix %s: leads up", text);
		if (!n || is_word(p, n, "."))
			continue;
		memcpy(to, p, n);
		to[n] = '/';
		to += n + 1;
	}
	return 0;
}

/* --------- links ------------------ */

/* Linux gives up after 40 (ELOOP), and so do we: such a link leads nowhere. */
enum { MOST_LINKS = 40 };

/* The order is that of names, "/" of a directory included. */
static int by_path(const void *path, const void *member)
{
	const struct pack_entry *entry = member;
	size_t rest = strlen(entry->path) + (S_ISDIR(entry->mode) ? 1 : 0);

	return strcmp(path, entry->name + strlen(entry->name) - rest);
}

static const char *target_of(const struct packed *packed, const char *path)
{
	const struct pack_entry *entry = bsearch(path, packed->entries, packed->nr_entries,
						 sizeof *packed->entries, by_path);

	return entry ? entry->target : NULL;
}

/* A place in the tree on the way along a link. */
struct place {
	struct arena *arena;
	char *at;	  /* directory, "" being the root */
	const char *rest; /* components to go */
	unsigned links;	  /* followed so far */
};

static bool go_up(struct place *place)
{
	char *slash = strrchr(place->at, '/');

	if (!*place->at)
		return false;
	*(slash ? slash : place->at) = 0;
	return true;
}

/* False when the link found at the name leads out at once. */
static bool go_down(const struct packed *packed, struct place *place, const char *name, size_t n)
{
	char *path = arena_printf(place->arena, "%s%s%.*s", place->at, *place->at ? "/" : "", (int)n, name);
	const char *target = target_of(packed, path);

	if (!target) {
		place->at = path;
		return true;
	}
	place->links++;
	place->rest = arena_printf(place->arena, "%s/%s", target, place->rest);
	return *target != '/';
}

/* Takes one component of the rest. */
static bool step(const struct packed *packed, struct place *place)
{
	const char *name = place->rest;
	size_t n = strcspn(name, "/");

	place->rest += n + (name[n] == '/');
	if (!n || is_word(name, n, "."))
		return true;
	return is_word(name, n, "..") ? go_up(place) : go_down(packed, place, name, n);
}

bool link_stays(const struct packed *packed, const struct pack_entry *link)
{
	struct place place = {.arena = arena_new(), .rest = link->target};
	bool stays = *link->target != '/';

	place.at = arena_strdup(place.arena, link->path);
	go_up(&place);
	while (stays && *place.rest && place.links < MOST_LINKS)
		stays = step(packed, &place);
	arena_free(place.arena);
	return stays;
}
