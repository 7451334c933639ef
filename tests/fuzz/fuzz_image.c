/*
 * The image writer on any bytes and any edits. What it writes must pass its
 * own proof, must read back as planned, and must not change when laid out once
 * more.
 *
 *	byte 0   which edits: see enum below
 *	byte 1   how long the new names are
 *	byte 2   which NEEDED names are renamed
 *	byte 3   unused
 *	rest     the object
 */
#include <stdio.h>
#include <stdlib.h>

#include "sofold/image.h"
#include "sofold/scan.h"

enum { EDIT_COMPACT = 1, EDIT_PAGE = 2, EDIT_SONAME = 4, EDIT_PATH = 8, EDIT_RUNPATH = 16, EDIT_NEEDED = 32 };
enum { CHOICES = 4, MAX_RENAMES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what, const struct error *err)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_image: %s: %s\n", what, err->message);
	abort();
}

static char *long_name(struct arena *arena, char letter, size_t n)
{
	char *name = arena_alloc(arena, n + 1);

	memset(name, letter, n);
	name[n] = 0;
	return name;
}

static void choose_edits(struct arena *arena, const uint8_t *choices, const struct object *object,
			 struct rename *renames, struct image_edits *edits)
{
	size_t i, n = choices[1] ? choices[1] : 1;

	*edits = (struct image_edits){
		.compact = choices[0] & EDIT_COMPACT,
		.page = choices[0] & EDIT_PAGE ? 65536 : 4096,
		.soname = choices[0] & EDIT_SONAME ? long_name(arena, 's', n) : NULL,
		.search_path = choices[0] & EDIT_PATH ? long_name(arena, 'p', n * 2) : NULL,
		.search_kind = choices[0] & EDIT_RUNPATH ? SEARCH_RUNPATH : SEARCH_RPATH,
		.needed = renames,
	};
	for (i = 0; i < object->nr_needed && i < MAX_RENAMES && choices[0] & EDIT_NEEDED; i++)
		if (choices[2] >> i & 1)
			renames[edits->nr_needed++] =
				(struct rename){object->needed[i], long_name(arena, (char)('a' + i), n + i)};
}

static const char *renamed(const struct image_edits *edits, const char *name)
{
	size_t i;

	for (i = 0; i < edits->nr_needed; i++)
		if (!strcmp(edits->needed[i].from, name))
			return edits->needed[i].to;
	return name;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_symbols(const struct symbol *a, size_t nr_a, const struct symbol *b, size_t nr_b)
{
	size_t i;

	for (i = 0; nr_a == nr_b && i < nr_a; i++)
		if (!same_text(a[i].name, b[i].name) || !same_text(a[i].version, b[i].version))
			return false;
	return nr_a == nr_b;
}

/* The new file says what the old one said, with the edits made. */
static void check_reread(struct layer *layer, struct span bytes, const struct object *before,
			 const struct image_edits *edits)
{
	struct error err = {"the result differs"};
	struct object after;
	size_t i;

	require(scan_object(layer, "after.so", bytes, &after), "the result is not sound", &err);
	require(after.nr_needed == before->nr_needed, "number of needed names", &err);
	for (i = 0; i < after.nr_needed; i++)
		require(same_text(after.needed[i], renamed(edits, before->needed[i])), "a needed name", &err);
	require(same_symbols(after.exports, after.nr_exports, before->exports, before->nr_exports), "exports",
		&err);
	require(same_symbols(after.imports, after.nr_imports, before->imports, before->nr_imports), "imports",
		&err);
	if (edits->soname && before->soname)
		require(same_text(after.soname, edits->soname), "the soname", &err);
	if (edits->search_path)
		require(same_text(after.search_path, edits->search_path), "the path", &err);
}

static void check_final(struct arena *arena, struct span bytes, const struct image_edits *edits)
{
	struct image_edits none = {.compact = true, .page = edits->page};
	struct image_result again;
	struct error err = {""};

	require(!image_edit(arena, bytes, &none, &again, &err), "its own result is refused", &err);
	require(!again.changed, "a second layout changes it", &err);
}

/* Some inputs are not what the proof asks for to begin with. */
static bool is_provable(struct span file)
{
	struct image_result same = {.bytes = file};
	struct error err = {""};

	return !image_prove(file, &same, 4096, &err);
}

static void edit(struct layer *layer, const uint8_t *choices, struct span file, const struct object *object)
{
	struct rename renames[MAX_RENAMES];
	struct image_edits edits;
	struct image_result result;
	struct error err = {""};

	choose_edits(layer->arena, choices, object, renames, &edits);
	if (image_edit(layer->arena, file, &edits, &result, &err))
		return;
	if (is_provable(file))
		require(!image_prove(file, &result, edits.page, &err), "the proof fails", &err);
	else if (image_prove(file, &result, edits.page, &err))
		return; /* and so it would not be used */
	check_reread(layer, result.bytes, object, &edits);
	if (edits.compact)
		check_final(layer->arena, result.bytes, &edits);
}

static void ignore(void *context, struct span bytes)
{
	*(size_t *)context += bytes.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct layer layer = {.arena = arena};
	struct error err = {""};
	struct object object;
	size_t bytes = 0;

	if (size > CHOICES) {
		struct span file = {data + CHOICES, size - CHOICES};

		image_canonical(arena, file, ignore, &bytes, &err);
		if (scan_object(&layer, "before.so", file, &object))
			edit(&layer, data, file, &object);
	}
	arena_free(arena);
	return 0;
}
