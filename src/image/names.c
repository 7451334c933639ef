/*
 * From name edits to patches.
 *
 * All names change in one go, because .dynstr must be laid out once: editing
 * it twice from remembered offsets is how rewriters have corrupted each
 * other's names. A NEEDED entry and the version needs of the same file are
 * one edit (glibc asserts that it finds the library a version need names,
 * elf/dl-version.c _dl_check_map_versions).
 *
 * A search path that was not there needs a dynamic entry: a spare DT_NULL
 * behind the terminator, else DT_RELACOUNT, which only tells loaders how many
 * relocations they may process faster. With neither the edit is refused;
 * .dynamic never moves.
 */
#include "image/image.h"
#include "sofold/vec.h"

void draft_patch(struct draft *draft, uint64_t vaddr, const void *bytes, size_t n)
{
	*VEC_PUSH(draft->arena, draft, patches) = (struct patch){vaddr,
								 {arena_memdup(draft->arena, bytes, n), n}};
}

struct naming {
	struct draft *draft;
	struct strings strings;
};

static void patch_field(struct naming *naming, uint64_t vaddr, const char *text)
{
	uint32_t offset = strings_place(&naming->strings, text);

	draft_patch(naming->draft, vaddr, &offset, sizeof offset);
}

static void patch_tag(struct naming *naming, size_t slot, int64_t tag, const char *text)
{
	Elf64_Dyn dyn = {.d_tag = tag, .d_un.d_val = strings_place(&naming->strings, text)};

	draft_patch(naming->draft, image_dynamic_slot(naming->draft->image, slot), &dyn, sizeof dyn);
}

static void rename_need(void *context, enum string_field field, uint64_t vaddr, uint32_t offset)
{
	struct naming *naming = context;
	const char *name, *to;

	if (field != FIELD_NEED_FILE)
		return;
	name = span_string(naming->draft->image->strings, offset);
	to = name ? edits_renamed(naming->draft->edits, name) : NULL;
	if (to)
		patch_field(naming, vaddr, to);
}

static void rename_tags(struct naming *naming)
{
	const struct image *image = naming->draft->image;
	const struct image_edits *edits = naming->draft->edits;
	const char *name, *to;
	size_t i;

	for (i = 0; i < image->nr_tags; i++) {
		const Elf64_Dyn *dyn = &image->dynamic[i];

		if (dyn->d_tag == DT_NEEDED) {
			name = span_string(image->strings, dyn->d_un.d_val);
			to = name ? edits_renamed(edits, name) : NULL;
			if (to)
				patch_tag(naming, i, DT_NEEDED, to);
		} else if (dyn->d_tag == DT_SONAME && edits->soname) {
			patch_tag(naming, i, DT_SONAME, edits->soname);
		}
	}
}

/* A slot for one more dynamic entry, or SIZE_MAX. */
static size_t free_slot(const struct image *image)
{
	size_t i;

	if (image->nr_dynamic - image->nr_tags >= 2 && image->dynamic[image->nr_tags + 1].d_tag == DT_NULL)
		return image->nr_tags;
	for (i = 0; i < image->nr_tags; i++)
		if (image->dynamic[i].d_tag == DT_RELACOUNT)
			return i;
	return SIZE_MAX;
}

/* Changes every search path entry there is (an object with both DT_RPATH and
 * DT_RUNPATH keeps both, equal), or adds one. */
static int set_search_path(struct naming *naming, struct error *err)
{
	const struct image *image = naming->draft->image;
	const struct image_edits *edits = naming->draft->edits;
	bool found = false;
	size_t i, slot;

	for (i = 0; i < image->nr_tags; i++) {
		int64_t tag = image->dynamic[i].d_tag;

		if (tag == DT_RPATH || tag == DT_RUNPATH) {
			patch_tag(naming, i, tag, edits->search_path);
			found = true;
		}
	}
	if (found)
		return 0;
	slot = free_slot(image);
	if (slot == SIZE_MAX)
		return error_add(err, ERROR_REFUSED, "the dynamic table has no room for a search path");
	patch_tag(naming, slot, edits->search_kind == SEARCH_RUNPATH ? DT_RUNPATH : DT_RPATH,
		  edits->search_path);
	return 0;
}

/* Bytes behind the string table that are nobody's: dead ones up to the next
 * live one and, when its segment ends there and nothing follows in memory, on
 * to the next segment's first page. */
static size_t room_behind(const struct draft *draft)
{
	const struct image *image = draft->image;
	uint64_t end = image->strtab + image->strings.n, limit = 0;
	const struct range *next = ranges_next(&draft->live, end);
	size_t i;

	/* Without compaction every segment keeps its place in the file. */
	if (!draft->edits->compact)
		return 0;
	for (i = 0; i < image->nr_loads; i++) {
		const Elf64_Phdr *load = &image->loads[i];

		if (end < load->p_vaddr || end > load->p_vaddr + load->p_filesz)
			continue;
		limit = load->p_vaddr + load->p_filesz;
		if (load->p_memsz == load->p_filesz)
			limit = i + 1 < image->nr_loads ? load[1].p_vaddr & ~(draft->edits->page - 1)
							: limit + UINT16_MAX;
		break;
	}
	if (next && next->from < limit)
		limit = next->from < end ? end : next->from;
	return limit > end ? limit - end : 0;
}

/* Lets the segment that holds the string table end behind it. */
static void grow_segment(struct draft *draft, uint64_t end)
{
	uint64_t at = draft->image->strtab;
	size_t i;

	for (i = 0; i < draft->image->nr_loads; i++) {
		Elf64_Phdr *load = &draft->loads[i];

		if (at < load->p_vaddr || at >= load->p_vaddr + load->p_filesz ||
		    end <= load->p_vaddr + load->p_filesz)
			continue;
		load->p_filesz = load->p_memsz = end - load->p_vaddr;
	}
}

static void patch_value(struct draft *draft, int64_t tag, uint64_t value)
{
	const struct image *image = draft->image;
	Elf64_Dyn dyn = {.d_tag = tag, .d_un.d_val = value};
	size_t i;

	for (i = 0; i < image->nr_tags; i++)
		if (image->dynamic[i].d_tag == tag)
			draft_patch(draft, image_dynamic_slot(image, i), &dyn, sizeof dyn);
}

/* Writes back what changed of the table, byte run by byte run, so that the
 * declared edits are exactly the bytes that differ. */
static void patch_strings(struct draft *draft, const struct strings *strings)
{
	const struct image *image = draft->image;
	size_t i = 0, start;

	while (i < strings->size) {
		if (i < image->strings.n && strings->bytes[i] == image->strings.p[i]) {
			i++;
			continue;
		}
		start = i;
		while (i < strings->size &&
		       (i >= image->strings.n || strings->bytes[i] != image->strings.p[i]))
			i++;
		draft_patch(draft, image->strtab + start, strings->bytes + start, i - start);
	}
}

static void place_strings(struct draft *draft, const struct strings *strings)
{
	uint64_t end = draft->image->strtab + strings->size;

	draft->strings_size = strings->size;
	if (strings->size != draft->image->strings.n)
		patch_value(draft, DT_STRSZ, strings->size);
	if (strings->moves) {
		draft->moved_strings = (struct span){strings->bytes, strings->size};
		/* The old table's pages are dead now, if nothing else may be. */
		if (!draft->all_live)
			ranges_remove(&draft->live, draft->image->strtab,
				      draft->image->strtab + draft->image->strings.n);
		return;
	}
	patch_strings(draft, strings);
	ranges_add(&draft->live, draft->image->strtab, end);
	ranges_normalize(&draft->live);
	grow_segment(draft, end);
}

int draft_names(struct draft *draft, struct error *err)
{
	const struct image_edits *edits = draft->edits;
	struct naming naming = {.draft = draft};

	draft->strings_size = draft->image->strings.n;
	if (!edits->nr_needed && !edits->soname && !edits->search_path)
		return 0;
	if (strings_init(&naming.strings, draft, room_behind(draft), err))
		return ERROR_REFUSED;
	rename_tags(&naming);
	if (edits->search_path && set_search_path(&naming, err))
		return ERROR_REFUSED;
	/* The walk was sound when strings_init() took it. */
	image_each_string_field(draft->image, rename_need, &naming);
	place_strings(draft, &naming.strings);
	return 0;
}
