/*
 * Code that names an export.
 *
 * ctypes and cffi look functions up by name, and so does C with dlsym(): no
 * import says so. A word of a .py file counts when it is an export's name, or
 * what is left of it without the prefix and suffix that are often put on at run
 * time ("scipy_" + "openblas_get_config" + "64_"). In objects that import
 * dlsym() or its like the words of constant sections count in the same way.
 *
 * Each name is entered under all those keys. Most words are told by a bit of their
 * hash to be no key.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "scan/parts.h"
#include "sofold/pool.h"
#include "sofold/vec.h"

enum {
	PART_LENGTH = 8, /* a shorter part of a name is an accident */
	FILTER_BITS = 1 << 20,
};

struct key {
	const char *text;
	size_t n;
	uint32_t name; /* index */
};

struct search {
	struct arena *arena;
	const struct layer *layer;
	const struct source *source;
	const struct names *names;
	struct key *keys; /* by text */
	size_t nr_keys, alloc_keys;
	uint8_t *filter; /* one bit a hash */
	atomic_bool *found;
};

/* --------- keys ------------------ */

/* FNV-1a, byte by byte. */
static const uint32_t hash_start = 2166136261u;

static uint32_t hash_byte(uint32_t hash, uint8_t byte)
{
	return (hash ^ byte) * 16777619u;
}

static uint32_t hash_text(const char *text, size_t n)
{
	uint32_t hash = hash_start;

	for (size_t i = 0; i < n; i++)
		hash = hash_byte(hash, (uint8_t)text[i]);
	return hash % FILTER_BITS;
}

static void add_key(struct search *search, const char *text, size_t n, uint32_t name)
{
	uint32_t bit = hash_text(text, n);

	search->filter[bit >> 3] |= (uint8_t)(1 << (bit & 7));
	*VEC_PUSH(search->arena, search, keys) = (struct key){text, n, name};
}

/* Length of text without one of the usual endings, or 0. */
static size_t without(const char *text, const char *ending)
{
	size_t n = strlen(text), m = strlen(ending);

	return n > m && !memcmp(text + n - m, ending, m) ? n - m : 0;
}

static void add_endings(struct search *search, const char *text, uint32_t name)
{
	static const char *const endings[] = {"_", "64_", "_64_", "__"};

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t n = without(text, endings[i]);

		if (n >= PART_LENGTH)
			add_key(search, text, n, name);
	}
}

static void add_name(struct search *search, uint32_t i)
{
	const char *name = search->names->items[i], *rest = strchr(name, '_');

	add_key(search, name, strlen(name), i);
	add_endings(search, name, i);
	if (!rest || strlen(++rest) < PART_LENGTH)
		return;
	add_key(search, rest, strlen(rest), i);
	add_endings(search, rest, i);
}

static int compare(const char *a, size_t n, const char *b, size_t m)
{
	int order = memcmp(a, b, n < m ? n : m);

	return order ? order : (n > m) - (n < m);
}

static int by_text(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return compare(x->text, x->n, y->text, y->n);
}

static void index_names(struct search *search)
{
	search->filter = arena_array(search->arena, FILTER_BITS / 8, 1);
	for (size_t i = 0; i < search->names->nr_items; i++)
		add_name(search, (uint32_t)i);
	qsort(search->keys, search->nr_keys, sizeof *search->keys, by_text);
}

/* --------- words ------------------ */

static void look_up(struct search *search, const char *word, size_t n)
{
	size_t low = 0, high = search->nr_keys;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct key *key = &search->keys[middle];

		if (compare(key->text, key->n, word, n) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < search->nr_keys; low++) {
		const struct key *key = &search->keys[low];

		if (compare(key->text, key->n, word, n) != 0)
			return;
		atomic_store(&search->found[key->name], true);
	}
}

static bool is_word_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void search_words(void *context, struct span bytes)
{
	struct search *search = context;
	size_t i = 0, from;

	while (i < bytes.n) {
		uint32_t hash = hash_start;

		for (from = i; i < bytes.n && is_word_byte(bytes.p[i]); i++)
			hash = hash_byte(hash, bytes.p[i]);
		hash %= FILTER_BITS;
		if (i > from && search->filter[hash >> 3] >> (hash & 7) & 1)
			look_up(search, (const char *)bytes.p + from, i - from);
		i += i == from;
	}
}

/* --------- files ------------------ */

static bool looks_up_symbols(const struct object *object)
{
	for (size_t i = 0; i < object->nr_imports; i++)
		if (!strcmp(object->imports[i].name, "dlsym") || !strcmp(object->imports[i].name, "dlvsym"))
			return true;
	return false;
}

static void search_file(void *context, size_t item, unsigned worker)
{
	struct search *search = context;
	const struct file *file = &search->layer->files[item];
	bool object = file->object != NO_ID && file->kind == FILE_REGULAR;
	struct mapping mapping;
	struct error ignored = {0};

	(void)worker;
	if (file->kind != FILE_REGULAR ||
	    (object ? !looks_up_symbols(&search->layer->objects[file->object])
		    : !file_has_suffix(file, ".py")) ||
	    source_open(search->source, search->layer, file, &mapping, &ignored))
		return;
	if (object)
		constants_each(mapping.bytes, search_words, search);
	else
		search_words(search, mapping.bytes);
	source_close(search->source, &mapping);
}

int scan_names(const struct layer *layer, struct names *names, struct error *err)
{
	struct source source = {.root = -1};
	struct search search = {.arena = layer->arena, .layer = layer, .source = &source, .names = names};

	if (!names->nr_items)
		return 0;
	source.root = open(layer->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source.root < 0)
		return error_errno(err, "opening %s", layer->root);
	search.found = arena_array(layer->arena, names->nr_items, sizeof *search.found);
	index_names(&search);
	pool_run(layer->nr_files, 0, search_file, &search);
	for (size_t i = 0; i < names->nr_items; i++)
		names->found[i] = atomic_load(&search.found[i]);
	close(source.root);
	return 0;
}
