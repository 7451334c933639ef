/*
 * Where the parts of an image go in the new file.
 *
 * Each segment is cut at runs of whole dead pages into chunks; each chunk
 * becomes a PT_LOAD. Only whole pages go: should a section be described a
 * little shorter than what it holds, nothing is lost. Chunks are written in
 * address order, each at the first offset that is congruent to its address
 * modulo the page, so two of them may share a page of the file but nothing is
 * padded beyond that. p_align becomes the page too: an alignment of 2 MiB, as
 * older linkers wrote it, would force holes of that size, and nothing needs it
 * unless a section asks for it.
 *
 * The program header table stays where it is, if it fits there; cuts are given
 * up, smallest first, until it does. When a new segment is needed for a moved
 * .dynstr the table may go there as well. When a pass has asked for many cuts, it
 * goes to the beginning of a hole, at an offset that is its address: patchelf 0.14 takes
 * the difference of the two for the address of the whole image. Failing that it gets a
 * segment of its own. It always lies in a segment: musl's
 * dl_iterate_phdr(), and with it the unwinder, has no other way to find it
 * (ldso/dynlink.c map_library). A table that moves gets a PT_PHDR if it has
 * none, or glibc might take it for part of the zeroed memory behind .data.
 */
#include "image/layout.h"

#include "sofold/vec.h"

bool layout_drops(const struct layout *layout, const Elf64_Phdr *phdr)
{
	const struct cuts *cuts = layout->draft->edits->cuts;

	return cuts && cuts->unwind && phdr_is_unwind(phdr);
}

bool layout_offset(const struct layout *layout, uint64_t vaddr, uint64_t *offset)
{
	size_t i;

	for (i = 0; i < layout->nr_chunks; i++) {
		const struct chunk *chunk = &layout->chunks[i];
		bool last = i + 1 == layout->nr_chunks || layout->chunks[i + 1].vaddr > vaddr;

		if (vaddr >= chunk->vaddr && vaddr - chunk->vaddr <= chunk->memsz && last) {
			uint64_t into = vaddr - chunk->vaddr;

			*offset = chunk->offset + (into < chunk->filesz ? into : chunk->filesz);
			return true;
		}
	}
	return false;
}

/* The largest alignment any loaded section asks for. No loader reads sections,
 * so one that is no power of two has been obeyed by nobody. */
static uint64_t section_alignment(const struct image *image)
{
	uint64_t align = 1;
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		uint64_t wanted = image->shdrs[i].sh_addralign;

		if ((image->shdrs[i].sh_flags & SHF_ALLOC) && wanted > align && !(wanted & (wanted - 1)))
			align = wanted;
	}
	return align;
}

/*
 * Where a section wants more than a page, the loader must place the whole
 * image at such a multiple (glibc since 2.35 takes the largest p_align of all
 * segments, elf/dl-load.c). The first segment, at offset 0 and address 0, can
 * say so for all without a byte of padding.
 */
static void set_alignments(struct layout *layout)
{
	const struct draft *draft = layout->draft;
	uint64_t page = draft->edits->page, wanted = section_alignment(draft->image);
	bool known = draft->edits->compact && draft->image->nr_shdrs;
	size_t i;

	for (i = 0; i < layout->nr_chunks; i++) {
		struct chunk *chunk = &layout->chunks[i];

		/* Without section headers nobody can say what an alignment was for. */
		if (chunk->load == SIZE_MAX)
			chunk->align = page;
		else if (!known || (wanted > page && draft->loads[0].p_vaddr % wanted))
			chunk->align = draft->loads[chunk->load].p_align;
		else
			chunk->align = i == 0 && wanted > page ? wanted : page;
	}
}

static uint64_t page_up(const struct layout *layout, uint64_t vaddr)
{
	uint64_t page = layout->draft->edits->page;

	return (vaddr + page - 1) & ~(page - 1);
}

static uint64_t page_down(const struct layout *layout, uint64_t vaddr)
{
	return vaddr & ~(layout->draft->edits->page - 1);
}

/* A piece cut off a segment that holds code need not be executable itself,
 * and eu-elflint asks why it is. */
static uint32_t piece_flags(const struct image *image, const Elf64_Phdr *load, uint64_t from, uint64_t to)
{
	bool whole = from == load->p_vaddr && to >= load->p_vaddr + load->p_filesz;

	if (whole || !image->nr_shdrs || image_has_code(image, from, to))
		return load->p_flags;
	return load->p_flags & ~(uint32_t)PF_X;
}

static void add_chunk(struct layout *layout, size_t load, uint64_t from, uint64_t to, uint64_t mem_to)
{
	const Elf64_Phdr *phdr = &layout->draft->loads[load];

	*VEC_PUSH(layout->draft->arena, layout, chunks) = (struct chunk){
		.vaddr = from,
		.filesz = to - from,
		.memsz = mem_to - from,
		.flags = piece_flags(layout->draft->image, phdr, from, to),
		.load = load,
	};
}

/* Cuts one segment at its runs of dead pages. */
static void cut_load(struct layout *layout, size_t load)
{
	const struct draft *draft = layout->draft;
	const Elf64_Phdr *phdr = &draft->loads[load];
	uint64_t start = phdr->p_vaddr, end = start + phdr->p_filesz, from, to;
	const struct range *live = ranges_next(&draft->live, start);

	if (!phdr->p_filesz) {
		add_chunk(layout, load, start, start, start + phdr->p_memsz);
		return;
	}
	if (!live || live->from >= end)
		return; /* nothing alive: the whole segment goes */
	from = page_down(layout, live->from) > start ? page_down(layout, live->from) : start;
	/* A range may go on in the segment behind, where that begins at once. */
	for (to = live->to; to < end; to = live->to) {
		live = ranges_next(&draft->live, to);
		if (!live || live->from >= end)
			break;
		if (page_up(layout, to) < page_down(layout, live->from)) {
			add_chunk(layout, load, from, page_up(layout, to), page_up(layout, to));
			from = page_down(layout, live->from);
		}
	}
	to = page_up(layout, to) < end ? page_up(layout, to) : end;
	add_chunk(layout, load, from, to, phdr->p_memsz > phdr->p_filesz ? start + phdr->p_memsz : to);
}

/* Entries that stay and are no PT_LOAD. */
static size_t other_phdrs(const struct layout *layout)
{
	const struct image *image = layout->draft->image;
	size_t i, nr = 0;

	for (i = 0; i < image->nr_phdrs; i++)
		nr += image->phdrs[i].p_type != PT_LOAD && !layout_drops(layout, &image->phdrs[i]);
	return nr;
}

/* How many program headers fit where the table is now; 0: it is in no segment
 * and has to move. Sets the table's address. */
static size_t phdr_capacity(struct layout *layout)
{
	const struct draft *draft = layout->draft;
	const struct image *image = draft->image;
	const struct range *next;
	const Elf64_Phdr *load = image_phdrs_load(image);
	uint64_t limit, old_end;

	if (!load)
		return 0;
	layout->phdrs_vaddr = load->p_vaddr + (image->ehdr.e_phoff - load->p_offset);
	if (draft->all_live)
		return image->nr_phdrs;
	next = ranges_next(&draft->live, layout->phdrs_vaddr);
	limit = load->p_vaddr + load->p_filesz;
	if (next && next->from < limit)
		limit = next->from;
	/* Old patchelf laid its longer table over notes and left PT_NOTE pointing
	 * into it. What the table covers now is the table's. */
	old_end = layout->phdrs_vaddr + image->nr_phdrs * sizeof(Elf64_Phdr);
	return ((limit > old_end ? limit : old_end) - layout->phdrs_vaddr) / sizeof(Elf64_Phdr);
}

/* Joins the two chunks of one segment that lie closest; false: none left. */
static bool join_closest(struct layout *layout)
{
	uint64_t gap, least = UINT64_MAX;
	size_t i, best = 0;

	for (i = 1; i < layout->nr_chunks; i++) {
		const struct chunk *a = &layout->chunks[i - 1], *b = &layout->chunks[i];

		gap = b->vaddr - (a->vaddr + a->filesz);
		if (a->load == b->load && gap < least) {
			least = gap;
			best = i;
		}
	}
	if (!best)
		return false;
	layout->chunks[best - 1].flags |= layout->chunks[best].flags;
	layout->chunks[best - 1].filesz += least + layout->chunks[best].filesz;
	layout->chunks[best - 1].memsz = layout->chunks[best].vaddr + layout->chunks[best].memsz -
					 layout->chunks[best - 1].vaddr;
	memmove(&layout->chunks[best], &layout->chunks[best + 1],
		(layout->nr_chunks - best - 1) * sizeof *layout->chunks);
	layout->nr_chunks--;
	return true;
}

static void cut_loads(struct layout *layout)
{
	size_t i;

	layout->nr_chunks = 0;
	for (i = 0; i < layout->draft->image->nr_loads; i++)
		cut_load(layout, i);
}

static size_t phdrs_needed(const struct layout *layout, bool append)
{
	return layout->nr_chunks + other_phdrs(layout) + append;
}

static bool holds_table(const struct layout *layout, const struct chunk *chunk)
{
	return layout->phdrs_vaddr >= chunk->vaddr && layout->phdrs_vaddr - chunk->vaddr < chunk->filesz;
}

/* The same for a table that stays: it may be all that its segment is for. */
static size_t phdrs_needed_in_place(const struct layout *layout, bool append)
{
	size_t i;

	for (i = 0; i < layout->nr_chunks; i++)
		if (holds_table(layout, &layout->chunks[i]))
			return phdrs_needed(layout, append);
	return phdrs_needed(layout, append) + 1;
}

/* Cuts the segments so that the table fits where it is. Its bytes are live
 * from here on, which may make one cut more where it lies among dead pages. */
static void fit_table(struct layout *layout, size_t capacity, bool append)
{
	struct draft *draft = layout->draft;
	size_t nr = phdrs_needed_in_place(layout, append);

	if (!draft->all_live) {
		nr = nr < capacity ? nr : capacity;
		ranges_add(&draft->live, layout->phdrs_vaddr, layout->phdrs_vaddr + nr * sizeof(Elf64_Phdr));
		ranges_normalize(&draft->live);
		cut_loads(layout);
	}
	while (phdrs_needed(layout, append) > capacity && join_closest(layout))
		;
}

/* Whether the page at an offset is the last one of a segment that goes on in
 * zeroed memory, of the first nr. Where there is no PT_PHDR glibc takes the
 * program headers from the first segment whose pages reach over them, and has
 * zeroed what follows the segment's own bytes (elf/dl-load.h,
 * _dl_postprocess_loadcmd). */
static bool is_zeroed(const struct layout *layout, size_t nr, uint64_t offset)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct chunk *chunk = &layout->chunks[i];

		if (chunk->memsz > chunk->filesz && offset >= page_down(layout, chunk->offset) &&
		    offset < page_up(layout, chunk->offset + chunk->filesz))
			return true;
	}
	return false;
}

static void set_offsets(struct layout *layout)
{
	uint64_t cursor = 0;
	size_t i;

	for (i = 0; i < layout->nr_chunks; i++) {
		struct chunk *chunk = &layout->chunks[i];
		uint64_t align = chunk->align > 1 ? chunk->align : 1;

		if (!layout->draft->edits->compact) {
			chunk->offset = layout->draft->loads[chunk->load].p_offset;
			cursor = layout->draft->image->file.n;
			continue;
		}
		chunk->offset = cursor + ((chunk->vaddr - cursor) & (align - 1));
		/* Zeroed memory alone needs no bytes, but an offset within the file. */
		if (!chunk->filesz && chunk->offset > cursor && chunk->offset >= align) {
			chunk->offset -= align;
			continue;
		}
		if (holds_table(layout, chunk) && !image_phdr(layout->draft->image, PT_PHDR) &&
		    is_zeroed(layout, i, chunk->offset + (layout->phdrs_vaddr - chunk->vaddr)))
			chunk->offset += align > layout->draft->edits->page ? align
									    : layout->draft->edits->page;
		cursor = chunk->offset + chunk->filesz;
	}
	layout->image_end = cursor;
}

/* The new segment: program headers if they had to move, then .dynstr. Its
 * address takes its page offset from where the file happens to end, so that
 * no padding is needed. */
static void append_segment(struct layout *layout, bool with_phdrs)
{
	struct draft *draft = layout->draft;
	const struct chunk *last = &layout->chunks[layout->nr_chunks - 1];
	uint64_t offset = (layout->image_end + 7) & ~(uint64_t)7, size = 0, vaddr;

	vaddr = page_up(layout, last->vaddr + last->memsz) + (offset & (draft->edits->page - 1));
	if (with_phdrs) {
		layout->phdrs_vaddr = vaddr;
		size += layout->nr_phdrs * sizeof(Elf64_Phdr);
	}
	if (draft->moved_strings.p) {
		layout->strings_vaddr = vaddr + size;
		size += draft->moved_strings.n;
	}
	*VEC_PUSH(draft->arena, layout, chunks) = (struct chunk){
		.vaddr = vaddr,
		.filesz = size,
		.memsz = size,
		.flags = PF_R,
		.align = draft->edits->page,
		.offset = offset,
		.load = SIZE_MAX,
	};
	layout->image_end = offset + size;
}

/* Whether the table fits behind a chunk, before the next of the same segment. */
static bool has_room(const struct layout *layout, size_t i, uint64_t bytes)
{
	const struct chunk *chunk = &layout->chunks[i], *next = &chunk[1];
	uint64_t end = chunk->vaddr + chunk->filesz;

	return chunk->load == next->load && chunk->filesz == chunk->memsz && chunk->offset == chunk->vaddr &&
	       end == page_up(layout, end) && page_up(layout, end + bytes) <= page_down(layout, next->vaddr);
}

/* A segment of its own for the table, behind chunk i. GNU strip takes program headers
 * for the beginning of whatever segment they lie in. */
static void insert_table(struct layout *layout, size_t i, uint64_t bytes)
{
	struct chunk *table;

	(void)VEC_PUSH(layout->draft->arena, layout, chunks);
	table = &layout->chunks[i + 1];
	memmove(table + 1, table, (layout->nr_chunks - i - 2) * sizeof *table);
	layout->phdrs_vaddr = table[-1].vaddr + table[-1].filesz;
	*table = (struct chunk){
		.vaddr = layout->phdrs_vaddr,
		.filesz = bytes,
		.memsz = bytes,
		.flags = PF_R,
		.load = SIZE_MAX,
	};
}

/* Puts the table into the first hole that will do. False: there is none. */
static bool use_hole(struct layout *layout)
{
	uint64_t bytes = (phdrs_needed(layout, false) + 1) * sizeof(Elf64_Phdr);
	size_t i;

	set_alignments(layout);
	set_offsets(layout);
	for (i = 0; i + 1 < layout->nr_chunks; i++) {
		if (!has_room(layout, i, bytes))
			continue;
		insert_table(layout, i, bytes);
		return true;
	}
	return false;
}

int layout_chunks(struct layout *layout, struct error *err)
{
	const struct draft *draft = layout->draft;
	const struct image *image = draft->image;
	bool append = draft->moved_strings.p, move_phdrs, in_hole;
	size_t capacity = phdr_capacity(layout);

	layout->strings_vaddr = image->strtab;
	cut_loads(layout);
	/* A new segment has room for the table; without one, cuts must give way, save
	 * those made on purpose. */
	move_phdrs = !capacity ||
		     ((append || draft->dead.nr_items) && phdrs_needed_in_place(layout, append) > capacity);
	in_hole = move_phdrs && !append && use_hole(layout);
	move_phdrs = move_phdrs && !in_hole;
	append = append || move_phdrs;
	if ((append || in_hole) && image_is_program(image))
		return error_add(err, ERROR_REFUSED, "a program's headers cannot move");
	if (!move_phdrs && !in_hole)
		fit_table(layout, capacity, append);
	layout->add_phdr = move_phdrs && !image_phdr(image, PT_PHDR);
	layout->nr_phdrs = phdrs_needed(layout, append) + layout->add_phdr;
	if (layout->nr_phdrs >= PN_XNUM || (!move_phdrs && !in_hole && layout->nr_phdrs > capacity))
		return error_add(err, ERROR_REFUSED, "the program headers do not fit");
	set_alignments(layout);
	set_offsets(layout);
	if (append)
		append_segment(layout, move_phdrs);
	return 0;
}
