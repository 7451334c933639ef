/*
 * The section headers of the new file.
 *
 * No loader reads them, but readelf, gdb, patchelf and strip do, so they are
 * kept and made to match. Loaded sections stay. Of the others only those go
 * that are known to be read by tools alone: symbol tables, comments, debug
 * information. A section nobody has heard of may be data its program reads
 * from its own file, so it is copied.
 *
 * A loaded section that has lost pages becomes several of the same name, one for
 * each part that is left.
 *
 * Dropping or splitting a section renumbers those behind it; sh_link, sh_info and
 * the section index of dynamic symbols follow (gABI, Sections).
 */
#include "image/layout.h"

#include "sofold/vec.h"

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_for_tools(const struct image *image, const Elf64_Shdr *shdr)
{
	static const char *const prefixes[] = {".debug",
					       ".zdebug",
					       ".gnu_debug",
					       ".comment",
					       ".stab",
					       ".line",
					       ".gdb_index",
					       ".GCC.command.line",
					       ".gnu.lto_",
					       ".gnu.build.attributes",
					       ".note.gnu.gold-version",
					       ".annobin",
					       ".llvm"};
	const char *name = image_section_name(image, shdr);
	size_t i;

	if (shdr->sh_type == SHT_SYMTAB || shdr->sh_type == SHT_SYMTAB_SHNDX || !strcmp(name, ".strtab"))
		return true;
	/* ld --emit-relocs: they refer to .symtab. */
	if (shdr->sh_type == SHT_RELA || shdr->sh_type == SHT_REL)
		return true;
	for (i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (starts_with(name, prefixes[i]))
			return true;
	return false;
}

static bool is_kept(const struct layout *layout, size_t i)
{
	const struct image *image = layout->draft->image;
	const Elf64_Shdr *shdr = &image->shdrs[i];
	const struct cuts *cuts = layout->draft->edits->cuts;

	if (cuts && cuts->unwind && section_is_unwind(image, shdr))
		return false;
	if (!layout->draft->edits->compact || (shdr->sh_flags & SHF_ALLOC))
		return true;
	/* SHT_NULL: a slot some other tool has emptied. */
	return i == 0 || i == image->ehdr.e_shstrndx ||
	       (shdr->sh_type != SHT_NULL && !is_for_tools(image, shdr));
}

/* A name is looked for in all that came before it; with so many sections the names
 * stay as they are. */
enum { MANY_SECTIONS = 1024 };

/* The new name table: each name once, in order. */
static void build_names(struct layout *layout)
{
	const struct draft *draft = layout->draft;
	const struct image *image = draft->image;
	size_t i, k, size = 1, room = 1, n;
	const char *name;
	uint8_t *names, *found;

	if (image->nr_shdrs > MANY_SECTIONS) {
		layout->names = image->shstrtab;
		return;
	}
	for (i = 1; i < image->nr_shdrs; i++)
		room += strlen(image_section_name(image, &image->shdrs[i])) + 1;
	names = arena_alloc(draft->arena, room);
	for (i = 1; i < image->nr_shdrs; i++) {
		if (!is_kept(layout, i))
			continue;
		name = image_section_name(image, &image->shdrs[i]);
		n = strlen(name) + 1;
		found = memmem(names, size, name, n);
		if (!found) {
			found = names + size;
			memcpy(found, name, n);
			size += n;
		}
		for (k = 0; k < layout->parts_of[i]; k++)
			layout->shdrs[layout->section_of[i] + k].sh_name = (uint32_t)(found - names);
	}
	layout->names = (struct span){names, size};
}

static size_t new_index(const struct layout *layout, size_t old)
{
	return old < layout->draft->image->nr_shdrs ? layout->section_of[old] : 0;
}

/* Where a loaded section lies now; the string table may have moved or grown. */
static void place_loaded(struct layout *layout, Elf64_Shdr *shdr)
{
	const struct draft *draft = layout->draft;
	uint64_t offset;

	if (shdr->sh_type == SHT_STRTAB && shdr->sh_addr == draft->image->strtab) {
		shdr->sh_addr = layout->strings_vaddr;
		shdr->sh_size = draft->strings_size;
	}
	if (layout_offset(layout, shdr->sh_addr, &offset))
		shdr->sh_offset = offset;
}

/* The stretches of the file between chunks, there for congruence only. */
static void find_gaps(struct layout *layout)
{
	uint64_t end = 0;
	size_t i;

	layout->gaps = (struct ranges){.arena = layout->draft->arena};
	for (i = 0; i < layout->nr_chunks; i++) {
		const struct chunk *chunk = &layout->chunks[i];

		if (!chunk->filesz)
			continue;
		if (chunk->offset > end)
			ranges_add(&layout->gaps, end, chunk->offset);
		end = chunk->offset + chunk->filesz;
	}
}

static uint64_t align_up(uint64_t offset, uint64_t align)
{
	return (offset + align - 1) / align * align;
}

/* A place in the file for something no segment holds: the first gap with room
 * for it, else the end. */
static uint64_t place(struct layout *layout, uint64_t size, uint64_t align)
{
	uint64_t offset;
	size_t i;

	for (i = 0; i < layout->gaps.nr_items; i++) {
		struct range *gap = &layout->gaps.items[i];

		offset = align_up(gap->from, align);
		if (offset <= gap->to && size <= gap->to - offset) {
			gap->from = offset + size;
			return offset;
		}
	}
	offset = align_up(layout->size, align);
	layout->size = offset + size;
	return offset;
}

/* Section headers and their names often fit between two segments: 2 kB a file
 * that would otherwise be padding there and bytes at the end. */
static void place_others(struct layout *layout)
{
	const struct image *image = layout->draft->image;
	Elf64_Shdr *names = &layout->shdrs[layout->shstrndx];
	uint64_t align;
	size_t i;

	find_gaps(layout);
	layout->size = layout->image_end;
	for (i = 1; i < image->nr_shdrs; i++) {
		Elf64_Shdr *shdr = &layout->shdrs[layout->section_of[i]];

		if (!is_kept(layout, i) || (image->shdrs[i].sh_flags & SHF_ALLOC) ||
		    i == image->ehdr.e_shstrndx)
			continue;
		/* Nobody maps it, so a wild alignment need not be obeyed. */
		align = shdr->sh_addralign > 1 && shdr->sh_addralign <= 4096 ? shdr->sh_addralign : 1;
		shdr->sh_offset = place(layout, shdr->sh_type == SHT_NOBITS ? 0 : shdr->sh_size, align);
	}
	layout->shoff = place(layout, layout->nr_shdrs * sizeof(Elf64_Shdr), 8);
	names->sh_offset = place(layout, layout->names.n, 1);
	names->sh_size = layout->names.n;
}

/* The section an address of an old one lies in now; 0: it is gone. An address at the
 * very end of a part counts as inside. */
static uint16_t section_at(const struct layout *layout, size_t old, uint64_t vaddr)
{
	size_t first = layout->section_of[old], i = layout->parts_of[old];

	while (i > 1 && vaddr < layout->shdrs[first + i - 1].sh_addr)
		i--;
	if (!i || (layout->parts_of[old] > 1 &&
		   vaddr > layout->shdrs[first + i - 1].sh_addr + layout->shdrs[first + i - 1].sh_size))
		return 0;
	return (uint16_t)(first + i - 1);
}

/* Dynamic symbols name the section they lie in by number. */
static int renumber_symbols(struct layout *layout, struct error *err)
{
	struct draft *draft = layout->draft;
	const struct image *image = draft->image;
	Elf64_Sym symbol;
	uint16_t index;
	size_t i;

	for (i = 0; i < draft->symbols.n / sizeof symbol; i++) {
		memcpy(&symbol, draft->symbols.p + i * sizeof symbol, sizeof symbol);
		if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= image->nr_shdrs)
			continue;
		index = section_at(layout, symbol.st_shndx, symbol.st_value);
		if (!index)
			return error_add(err, ERROR_REFUSED,
					 "a dynamic symbol lies in a part of the file that goes");
		if (index != symbol.st_shndx)
			draft_patch(draft, image->symtab + i * sizeof symbol + offsetof(Elf64_Sym, st_shndx),
				    &index, sizeof index);
	}
	return 0;
}

/* Where an old section ends now. Tables that list symbols are shorter where some
 * have gone. */
static uint64_t end_of(const struct layout *layout, const Elf64_Shdr *shdr)
{
	const struct ranges *shortened = &layout->draft->shortened;
	uint64_t end = shdr->sh_addr + shdr->sh_size;
	size_t i;

	for (i = 0; i < shortened->nr_items; i++)
		if (section_is_loaded(shdr) && shdr->sh_addr == shortened->items[i].from &&
		    end > shortened->items[i].to)
			return shortened->items[i].to;
	return end;
}

/* Adds a section header for [from, to) of an old section. */
static void add_part(struct layout *layout, size_t old, uint64_t from, uint64_t to)
{
	Elf64_Shdr *shdr = VEC_PUSH(layout->draft->arena, layout, shdrs);

	*shdr = layout->draft->image->shdrs[old];
	if (from != shdr->sh_addr && shdr->sh_addralign > layout->draft->edits->page)
		shdr->sh_addralign = layout->draft->edits->page;
	shdr->sh_addr = from;
	shdr->sh_size = to - from;
	layout->parts_of[old]++;
}

/* What chunks hold of a loaded section. Those that meet hold one part. */
static void add_parts(struct layout *layout, size_t old)
{
	const Elf64_Shdr *shdr = &layout->draft->image->shdrs[old];
	uint64_t end = end_of(layout, shdr), from = 0, to = 0;
	size_t i;

	for (i = 0; i < layout->nr_chunks; i++) {
		const struct chunk *chunk = &layout->chunks[i];
		uint64_t left = chunk->vaddr > shdr->sh_addr ? chunk->vaddr : shdr->sh_addr;
		uint64_t right = chunk->vaddr + chunk->filesz < end ? chunk->vaddr + chunk->filesz : end;

		if (chunk->load == SIZE_MAX || left >= right)
			continue;
		if (from < to && left != to)
			add_part(layout, old, from, to);
		from = from < to && left == to ? from : left;
		to = right;
	}
	if (from < to)
		add_part(layout, old, from, to);
}

/* Whether pages may have been cut out of it. The string table has its own rules. */
static bool may_be_cut(const struct layout *layout, const Elf64_Shdr *shdr)
{
	const struct range *dead = ranges_next(&layout->draft->dead, shdr->sh_addr);

	return section_is_loaded(shdr) && shdr->sh_addr != layout->draft->image->strtab && dead &&
	       dead->from < end_of(layout, shdr);
}

static void keep_sections(struct layout *layout)
{
	const struct draft *draft = layout->draft;
	const struct image *image = draft->image;
	size_t i;

	layout->section_of = arena_array(draft->arena, image->nr_shdrs, sizeof *layout->section_of);
	layout->parts_of = arena_array(draft->arena, image->nr_shdrs, sizeof *layout->parts_of);
	for (i = 0; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (!is_kept(layout, i))
			continue;
		layout->section_of[i] = layout->nr_shdrs;
		if (may_be_cut(layout, shdr))
			add_parts(layout, i);
		else
			add_part(layout, i, shdr->sh_addr, end_of(layout, shdr));
		if (!layout->parts_of[i])
			layout->section_of[i] = 0;
	}
}

/* Makes the new headers speak of new places and numbers. */
static void settle_sections(struct layout *layout)
{
	size_t i;

	layout->shstrndx = layout->section_of[layout->draft->image->ehdr.e_shstrndx];
	for (i = 0; i < layout->nr_shdrs; i++) {
		Elf64_Shdr *shdr = &layout->shdrs[i];

		shdr->sh_link = (uint32_t)new_index(layout, shdr->sh_link);
		/* sh_info holds a section index in relocation sections only, and
		 * where SHF_INFO_LINK says so. */
		if (shdr->sh_type == SHT_REL || shdr->sh_type == SHT_RELA || (shdr->sh_flags & SHF_INFO_LINK))
			shdr->sh_info = (uint32_t)new_index(layout, shdr->sh_info);
		if (shdr->sh_flags & SHF_ALLOC)
			place_loaded(layout, shdr);
	}
}

/* Without compaction the file keeps its shape: headers where they were. */
static void keep_shape(struct layout *layout)
{
	const struct image *image = layout->draft->image;

	layout->shoff = image->ehdr.e_shoff;
	layout->names = (struct span){0};
	layout->size = layout->image_end;
}

/* A new table of names needs a place of its own. */
static bool names_are_loaded(const struct image *image)
{
	return image->shdrs[image->ehdr.e_shstrndx].sh_flags & SHF_ALLOC;
}

int layout_sections(struct layout *layout, struct error *err)
{
	layout->size = layout->image_end;
	if (!layout->draft->image->nr_shdrs)
		return 0;
	keep_sections(layout);
	if (layout->nr_shdrs >= SHN_LORESERVE)
		return error_add(err, ERROR_REFUSED, "the new file would have too many sections");
	settle_sections(layout);
	if (!layout->draft->edits->compact) {
		keep_shape(layout);
		return 0;
	}
	if (names_are_loaded(layout->draft->image))
		return error_add(err, ERROR_REFUSED, "the section names are loaded");
	build_names(layout);
	place_others(layout);
	return renumber_symbols(layout, err);
}
