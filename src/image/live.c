/*
 * Which bytes of an image may still be read, and which nobody can reach.
 *
 * patchelf and its kind move a table (.dynstr, .gnu.hash, .dynamic, notes) to
 * a new segment at the end of the file and leave the old bytes where they
 * were; each further edit leaves another copy. In scipy 1.17's OpenBLAS that
 * is 1.4 MB of mapped bytes no section describes.
 *
 * A byte is live when something accounts for it: a loaded section, the ELF
 * header, a segment with a purpose of its own (dynamic,
 * notes, unwind index …), a table the dynamic section points to, a place a
 * relocation writes or points to, a dynamic symbol's value. What is left is
 * dead, but only where the section headers can be trusted to be complete:
 * every table the loader uses must lie in a section, and so must the entry
 * points; and tables must have been moved at all, since a linker leaves nothing
 * dead. Otherwise all is live, and nothing is lost but size. (The program headers
 * are not in the list: layout.c writes a new table and decides where.)
 *
 * Pages the loader makes read-only after relocation (PT_GNU_RELRO) stay
 * whole: mprotect() there must not meet a hole.
 */
#include "image/image.h"

static void add_sections(const struct image *image, struct ranges *live)
{
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (section_is_loaded(shdr))
			ranges_add(live, shdr->sh_addr, shdr->sh_addr + shdr->sh_size);
	}
}

static bool in_ranges(const struct ranges *ranges, uint64_t vaddr)
{
	const struct range *next = ranges_next(ranges, vaddr);

	return next && next->from <= vaddr;
}

/* True when the address a tag holds, if there is one, lies in a section. */
static bool tag_in_sections(const struct image *image, const struct ranges *sections, int64_t tag)
{
	uint64_t vaddr;

	return !image_tag(image, tag, &vaddr) || in_ranges(sections, vaddr);
}

static bool sections_are_complete(const struct image *image, const struct ranges *sections)
{
	static const int64_t tags[] = {DT_STRTAB, DT_SYMTAB,	 DT_HASH,	DT_GNU_HASH,
				       DT_RELA,	  DT_JMPREL,	 DT_RELR,	DT_INIT,
				       DT_FINI,	  DT_INIT_ARRAY, DT_FINI_ARRAY, DT_PREINIT_ARRAY,
				       DT_VERSYM, DT_VERNEED,	 DT_VERDEF,	DT_PLTGOT};
	size_t i;

	for (i = 0; i < sizeof tags / sizeof *tags; i++)
		if (!tag_in_sections(image, sections, tags[i]))
			return false;
	return in_ranges(sections, image->dynamic_phdr.p_vaddr) &&
	       (!image->ehdr.e_entry || in_ranges(sections, image->ehdr.e_entry));
}

/* Segments that only describe others own nothing: PT_LOAD itself, the stack's
 * flags. PT_GNU_RELRO is kept whole, see above. */
static void add_segments(const struct image *image, struct ranges *live)
{
	size_t i;

	for (i = 0; i < image->nr_phdrs; i++) {
		const Elf64_Phdr *phdr = &image->phdrs[i];
		uint64_t size = phdr->p_type == PT_GNU_RELRO ? phdr->p_memsz : phdr->p_filesz;

		if (image_misplaced_note(image, phdr))
			continue;
		if (phdr->p_type != PT_LOAD && phdr->p_type != PT_GNU_STACK && phdr->p_type != PT_PHDR &&
		    size && phdr->p_vaddr + size > phdr->p_vaddr)
			ranges_add(live, phdr->p_vaddr, phdr->p_vaddr + size);
	}
}

/* Marks what is not marked yet; the list stays normalized for look-ups
 * because strays are gathered apart. */
static void add_stray(const struct ranges *live, struct ranges *strays, uint64_t vaddr, uint64_t size)
{
	const struct range *next = ranges_next(live, vaddr);

	if (!next || next->from > vaddr || next->to - vaddr < size)
		ranges_add(strays, vaddr, vaddr + size);
}

static bool is_relative(const struct image *image, uint64_t info)
{
	struct relocation_types types = image_relocation_types(image);
	uint32_t type = ELF64_R_TYPE(info);

	return type == types.relative || type == types.indirect;
}

static void add_rela(const struct image *image, int64_t tag, int64_t size_tag, const struct ranges *live,
		     struct ranges *strays)
{
	uint64_t vaddr, size, i;
	struct span table;
	Elf64_Rela rela;

	if (!image_tag(image, tag, &vaddr) || !image_tag(image, size_tag, &size) ||
	    !image_at(image, vaddr, size, &table))
		return;
	ranges_add(strays, vaddr, vaddr + size);
	for (i = 0; i + sizeof rela <= size; i += sizeof rela) {
		memcpy(&rela, table.p + i, sizeof rela);
		add_stray(live, strays, rela.r_offset, sizeof(uint64_t));
		if (is_relative(image, rela.r_info))
			add_stray(live, strays, (uint64_t)rela.r_addend, 1);
	}
}

struct packed {
	const struct image *image;
	const struct ranges *live;
	struct ranges *strays;
};

/* A packed relative relocation: the place, and what the word there points to. */
static void add_packed(void *context, uint64_t place)
{
	const struct packed *packed = context;
	uint64_t points_to;

	add_stray(packed->live, packed->strays, place, sizeof points_to);
	if (image_read(packed->image, place, &points_to, sizeof points_to))
		add_stray(packed->live, packed->strays, points_to, 1);
}

static void add_relr(const struct image *image, const struct ranges *live, struct ranges *strays)
{
	struct packed packed = {image, live, strays};
	uint64_t vaddr, size;

	if (!image_tag(image, DT_RELR, &vaddr) || !image_tag(image, DT_RELRSZ, &size))
		return;
	ranges_add(strays, vaddr, vaddr + size);
	image_each_packed(image, add_packed, &packed);
}

static void add_symbols(const struct image *image, const struct ranges *live, struct ranges *strays)
{
	struct span table;
	Elf64_Sym symbol;
	size_t i;

	if (!image_at(image, image->symtab, image->nr_symbols * sizeof symbol, &table))
		return;
	for (i = 0; i < image->nr_symbols; i++) {
		memcpy(&symbol, table.p + i * sizeof symbol, sizeof symbol);
		if (symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS &&
		    ELF64_ST_TYPE(symbol.st_info) != STT_TLS)
			add_stray(live, strays, symbol.st_value, symbol.st_size ? symbol.st_size : 1);
	}
}

static void add_references(const struct image *image, struct ranges *live)
{
	struct ranges strays = {.arena = live->arena};
	size_t i;

	add_rela(image, DT_RELA, DT_RELASZ, live, &strays);
	add_rela(image, DT_JMPREL, DT_PLTRELSZ, live, &strays);
	add_relr(image, live, &strays);
	add_symbols(image, live, &strays);
	for (i = 0; i < strays.nr_items; i++)
		ranges_add(live, strays.items[i].from, strays.items[i].to);
	ranges_normalize(live);
}

/* Keeps only what lies in a segment's file-backed part, and makes the end of
 * a segment that goes on in zeroed memory live, so that it stays the end. */
static void clip_to_loads(const struct image *image, struct ranges *live)
{
	struct ranges clipped = {.arena = live->arena};
	size_t i, j;

	for (i = 0; i < image->nr_loads; i++) {
		const Elf64_Phdr *load = &image->loads[i];
		uint64_t end = load->p_vaddr + load->p_filesz;

		for (j = 0; j < live->nr_items; j++) {
			const struct range *r = &live->items[j];

			ranges_add(&clipped, r->from > load->p_vaddr ? r->from : load->p_vaddr,
				   r->to < end ? r->to : end);
		}
		if (load->p_memsz > load->p_filesz && load->p_filesz)
			ranges_add(&clipped, end - 1, end);
	}
	ranges_normalize(&clipped);
	*live = clipped;
}

static void all_live(const struct image *image, struct ranges *live)
{
	size_t i;

	live->nr_items = 0;
	for (i = 0; i < image->nr_loads; i++)
		ranges_add(live, image->loads[i].p_vaddr, image->loads[i].p_vaddr + image->loads[i].p_filesz);
	ranges_normalize(live);
}

bool image_has_code(const struct image *image, uint64_t from, uint64_t to)
{
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (section_is_loaded(shdr) && (shdr->sh_flags & SHF_EXECINSTR) && shdr->sh_addr < to &&
		    shdr->sh_addr + shdr->sh_size > from)
			return true;
	}
	return false;
}

bool image_is_program(const struct image *image)
{
	return image_phdr(image, PT_INTERP) != NULL;
}

static bool is_within(const Elf64_Shdr *shdr, const Elf64_Phdr *load)
{
	return (shdr->sh_flags & SHF_ALLOC) && shdr->sh_addr >= load->p_vaddr &&
	       shdr->sh_addr < load->p_vaddr + load->p_memsz;
}

/* Sections in a segment: tables that tools move, and others. */
struct census {
	size_t tables, others;
};

static struct census take_census(const struct image *image, size_t load)
{
	struct census census = {0};

	for (size_t i = 1; i < image->nr_shdrs; i++) {
		if (!is_within(&image->shdrs[i], &image->loads[load]))
			continue;
		if (section_is_movable(&image->shdrs[i]))
			census.tables++;
		else
			census.others++;
	}
	return census;
}

/* Whether some segment holds tables that tools move, and nothing else: the
 * trace patchelf leaves, and no linker. */
static bool has_moved_tables(const struct image *image)
{
	for (size_t i = 1; i < image->nr_loads; i++) {
		struct census census = take_census(image, i);

		if (census.tables && !census.others)
			return true;
	}
	return false;
}

bool image_is_as_linked(const struct image *image)
{
	for (size_t i = 1; i < image->nr_loads; i++)
		if (!take_census(image, i).others)
			return false;
	return true;
}

bool image_live(const struct image *image, bool compact, struct ranges *live)
{
	add_sections(image, live);
	ranges_normalize(live);
	if (!compact || image_is_program(image) || !has_moved_tables(image) ||
	    !sections_are_complete(image, live)) {
		all_live(image, live);
		return false;
	}
	ranges_add(live, image->loads[0].p_vaddr, image->loads[0].p_vaddr + sizeof(Elf64_Ehdr));
	add_segments(image, live);
	ranges_normalize(live);
	add_references(image, live);
	clip_to_loads(image, live);
	return true;
}
