/*
 * Which export of an object binds an import.
 *
 * A hash table over the exports: chains of symbols with the same bucket, in
 * .dynsym order, so that several versions of one name are met in the order in
 * which the loader meets them. Most names asked for are not there, and the
 * chains are seldom in the cache: eight bits for each tell of most of these
 * names that they need not be looked for. The table remembers which exports it was made
 * from; an object whose exports were replaced gets a new one.
 *
 * The choice among versions is glibc's (elf/dl-lookup.c, check_match):
 * - A version is wanted: the definition with that version; or one without a
 *   version (the base version, or an object that has none), not hidden.
 * - None is wanted: a definition with the base version or with the first
 *   version the object defines (version indexes 0 to 2: what an object had
 *   before it got versions); else the default version, when there is just one.
 */
#include "layer/exports.h"

#include <string.h>

#define NO_SYMBOL UINT32_MAX

struct export_index {
	const struct symbol *exports; /* made from these */
	size_t nr_exports;
	uint32_t mask;	   /* number of buckets - 1 */
	uint8_t *tags;	   /* of each chain: a bit for each tag_of() in it */
	uint32_t *buckets; /* first symbol of each chain */
	uint32_t *next;	   /* for each symbol */
};

/* Eight bytes a step, the last eight overlapping those before: mangled names are long. */
uint32_t export_hash(const char *name, size_t n)
{
	const uint64_t factor = 0x9e3779b97f4a7c15u; /* 2^64 divided by the golden ratio */
	uint64_t hash = n, word = 0;
	size_t i;

	for (i = 0; i + sizeof word <= n; i += sizeof word) {
		memcpy(&word, name + i, sizeof word);
		hash = (hash ^ word) * factor;
		hash ^= hash >> 32;
	}
	if (n >= sizeof word)
		memcpy(&word, name + n - sizeof word, sizeof word);
	else
		for (i = 0; i < n; i++)
			word = word << 8 | (uint8_t)name[i];
	hash = (hash ^ word) * factor;
	return (uint32_t)(hash >> 32);
}

static uint8_t tag_of(uint32_t hash)
{
	return (uint8_t)(1u << (hash >> 29));
}

void object_index_exports(struct arena *arena, struct object *object)
{
	struct export_index *index = arena_alloc(arena, sizeof *index);
	size_t nr = object->nr_exports, nr_buckets = 1;

	while (nr_buckets < nr && nr_buckets < NO_SYMBOL / 2)
		nr_buckets *= 2;
	index->exports = object->exports;
	index->nr_exports = nr;
	index->mask = (uint32_t)(nr_buckets - 1);
	index->tags = arena_array(arena, nr_buckets, sizeof *index->tags);
	index->buckets = arena_array(arena, nr_buckets, sizeof *index->buckets);
	index->next = arena_array(arena, nr, sizeof *index->next);
	memset(index->buckets, 0xff, nr_buckets * sizeof *index->buckets);
	/* Backwards, so that each chain is in .dynsym order. */
	for (size_t i = nr; i--;) {
		uint32_t hash = symbol_hash(&object->exports[i]);
		uint32_t *bucket = &index->buckets[hash & index->mask];

		index->tags[hash & index->mask] |= tag_of(hash);
		index->next[i] = *bucket;
		*bucket = (uint32_t)i;
	}
	object->index = index;
}

static bool is_indexed(const struct object *object)
{
	const struct export_index *index = object->index;

	return index && index->exports == object->exports && index->nr_exports == object->nr_exports;
}

/* Whether this definition binds an import that wants a version. */
static bool has_version(const struct symbol *symbol, const char *version)
{
	if (!symbol->version)
		return !(symbol->flags & SYMBOL_HIDDEN);
	return !strcmp(symbol->version, version);
}

/* Whether this definition was there before the object had versions, or was
 * given its first one. */
static bool is_base(const struct object *object, const struct symbol *symbol)
{
	return !symbol->version || (object->nr_verdefs && !strcmp(symbol->version, object->verdefs[0]));
}

const struct symbol *object_find_hashed(struct arena *arena, struct object *object, uint32_t hash,
					const char *name, const char *version)
{
	const struct export_index *index;
	const struct symbol *by_default = NULL;
	unsigned nr_defaults = 0;

	if (!object->nr_exports)
		return NULL;
	if (!is_indexed(object))
		object_index_exports(arena, object);
	index = object->index;
	if (!(index->tags[hash & index->mask] & tag_of(hash)))
		return NULL;
	for (uint32_t i = index->buckets[hash & index->mask]; i != NO_SYMBOL; i = index->next[i]) {
		const struct symbol *symbol = &object->exports[i];

		if (symbol_hash(symbol) != hash || strcmp(symbol->name, name) != 0)
			continue;
		if (version ? has_version(symbol, version) : is_base(object, symbol))
			return symbol;
		if (!(symbol->flags & SYMBOL_HIDDEN) && nr_defaults++ == 0)
			by_default = symbol;
	}
	return !version && nr_defaults == 1 ? by_default : NULL;
}

const struct symbol *object_find_export(struct arena *arena, struct object *object, const char *name,
					const char *version)
{
	return object_find_hashed(arena, object, export_hash(name, strlen(name)), name, version);
}
