/*
 * Room for names in .dynstr.
 *
 * A string table is shared: a symbol's name may be the tail of a version's
 * name, and the same bytes may serve SONAME, NEEDED and a version need. So
 * bytes are counted by reference: every field that holds an offset (symbols,
 * version tables, dynamic entries) marks the bytes from there to the NUL.
 * Fields the edits are about to replace do not count. What nobody marks is
 * free: replaced names, patchelf's "XXXX", leftovers. Where the symbols cannot
 * be counted nothing is.
 *
 * A new name goes, in this order: where the same bytes already stand (also as
 * a tail), into the smallest free run that holds it, behind the end of the
 * table. When the table outgrows the room behind it, it moves as a whole.
 */
#include "image/image.h"

struct marking {
	struct strings *strings;
	const struct draft *draft;
	bool sound;
};

/* Marks up to the NUL. A byte marked before ends the walk: whoever marked it
 * went on to the NUL. */
static void mark(struct marking *marking, uint64_t offset)
{
	struct strings *strings = marking->strings;

	if (!span_string((struct span){strings->bytes, strings->size}, offset)) {
		marking->sound = false;
		return;
	}
	while (!strings->used[offset]) {
		strings->used[offset] = 1;
		if (!strings->bytes[offset++])
			break;
	}
}

const char *edits_renamed(const struct image_edits *edits, const char *name)
{
	size_t i;

	for (i = 0; i < edits->nr_needed; i++)
		if (!strcmp(edits->needed[i].from, name))
			return edits->needed[i].to;
	return NULL;
}

static bool is_renamed(const struct marking *marking, uint64_t offset)
{
	const char *name = span_string(marking->draft->image->strings, offset);

	return name && edits_renamed(marking->draft->edits, name);
}

static void mark_field(void *context, enum string_field field, uint64_t vaddr, uint32_t offset)
{
	struct marking *marking = context;

	(void)vaddr;
	if (field != FIELD_NEED_FILE || !is_renamed(marking, offset))
		mark(marking, offset);
}

static void mark_tag(struct marking *marking, const Elf64_Dyn *dyn)
{
	const struct image_edits *edits = marking->draft->edits;

	if (!tag_is_string(dyn->d_tag) || (dyn->d_tag == DT_NEEDED && is_renamed(marking, dyn->d_un.d_val)) ||
	    (dyn->d_tag == DT_SONAME && edits->soname) ||
	    ((dyn->d_tag == DT_RPATH || dyn->d_tag == DT_RUNPATH) && edits->search_path))
		return;
	mark(marking, dyn->d_un.d_val);
}

/* DT_STRSZ may claim more than .dynstr has; what follows is not ours then. */
static bool reaches_too_far(const struct image *image)
{
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (section_is_loaded(shdr) && shdr->sh_size && shdr->sh_addr != image->strtab &&
		    shdr->sh_addr < image->strtab + image->strings.n &&
		    image->strtab < shdr->sh_addr + shdr->sh_size)
			return true;
	}
	return false;
}

/* Whether all symbols are known. DT_GNU_HASH tells only of those it finds: an
 * object that exports nothing has an empty one, whatever it imports. */
static bool knows_symbols(const struct image *image)
{
	uint64_t unused;
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++)
		if (image->shdrs[i].sh_type == SHT_DYNSYM && image->shdrs[i].sh_addr == image->symtab)
			return true;
	return !image->symtab || image_tag(image, DT_HASH, &unused);
}

int strings_init(struct strings *strings, const struct draft *draft, size_t room, struct error *err)
{
	const struct image *image = draft->image;
	struct marking marking = {strings, draft, true};
	size_t i;

	*strings = (struct strings){.arena = draft->arena, .size = image->strings.n, .room = room};
	strings->bytes = arena_memdup(draft->arena, image->strings.p, image->strings.n);
	strings->used = arena_alloc(draft->arena, image->strings.n + 1);
	if (reaches_too_far(image))
		return error_add(err, ERROR_REFUSED, "the dynamic string table reaches into another section");
	if (strings->size)
		strings->used[0] = 1; /* gABI: index 0 is the empty name */
	if (!knows_symbols(image))
		memset(strings->used, 1, strings->size);
	if (!image_each_string_field(image, mark_field, &marking))
		return error_add(err, ERROR_REFUSED, "a version table is broken");
	for (i = 0; i < image->nr_tags; i++)
		mark_tag(&marking, &image->dynamic[i]);
	if (!marking.sound)
		return error_add(err, ERROR_REFUSED, "a name lies outside the dynamic string table");
	return 0;
}

/* Copies text with its NUL to offset and marks it used. */
static uint32_t put(struct strings *strings, size_t offset, const char *text)
{
	size_t n = strlen(text) + 1;

	memcpy(strings->bytes + offset, text, n);
	memset(strings->used + offset, 1, n);
	return (uint32_t)offset;
}

/* Smallest run of unused bytes that holds n. */
static bool find_free(const struct strings *strings, size_t n, size_t *offset)
{
	size_t i = 0, start, best = SIZE_MAX;

	while (i < strings->size) {
		if (strings->used[i++])
			continue;
		start = i - 1;
		while (i < strings->size && !strings->used[i])
			i++;
		if (i - start >= n && i - start < best) {
			best = i - start;
			*offset = start;
		}
	}
	return best != SIZE_MAX;
}

/* Makes the table n bytes larger and returns where they begin. */
static size_t append(struct strings *strings, size_t n)
{
	size_t old = strings->size, size = old + n;
	uint8_t *bytes = arena_alloc(strings->arena, size), *used = arena_alloc(strings->arena, size + 1);

	memcpy(bytes, strings->bytes, old);
	memcpy(used, strings->used, old);
	strings->bytes = bytes;
	strings->used = used;
	strings->size = size;
	if (n > strings->room)
		strings->moves = true;
	else
		strings->room -= n;
	return old;
}

uint32_t strings_place(struct strings *strings, const char *text)
{
	size_t n = strlen(text) + 1, offset = 0;
	const uint8_t *found = memmem(strings->bytes, strings->size, text, n);

	if (found)
		return put(strings, (size_t)(found - strings->bytes), text);
	if (find_free(strings, n, &offset))
		return put(strings, offset, text);
	return put(strings, append(strings, n), text);
}
