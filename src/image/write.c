/*
 * The bytes of the new file: chunks copied from the old one, patches over
 * them, the moved string table, sections outside the image, headers.
 *
 * Nothing is copied here. Pieces are noted in the order they would be painted,
 * one over the other, and pieces.c makes of them what is visible at the end.
 *
 * Everything written that is not a copy is noted in result->edited, which is
 * what image_prove() accepts as different and nothing else.
 */
#include "image/layout.h"
#include "image/pieces.h"
#include "sofold/vec.h"

struct writer {
	struct layout *layout;
	struct image_result *result;
	struct painting painting;
};

static void paint(struct writer *writer, uint64_t offset, const void *bytes, uint64_t n)
{
	if (offset > writer->layout->size || n > writer->layout->size - offset)
		BUG("something lies outside the new file");
	*VEC_PUSH(writer->layout->draft->arena, &writer->painting, pieces) = (struct piece){offset,
											    {bytes, n}};
}

static void note_edit(struct writer *writer, uint64_t from, uint64_t to)
{
	*VEC_PUSH(writer->layout->draft->arena, writer->result, edited) = (struct range){from, to};
}

/* Writes at an address of the image. bytes stay where they are till the end. */
static void put(struct writer *writer, uint64_t vaddr, const void *bytes, size_t n)
{
	uint64_t offset;

	if (!layout_offset(writer->layout, vaddr, &offset))
		BUG("a patch lies outside the image");
	paint(writer, offset, bytes, n);
	note_edit(writer, vaddr, vaddr + n);
}

static void copy_chunks(struct writer *writer)
{
	const struct layout *layout = writer->layout;
	const struct image *image = layout->draft->image;
	size_t i;

	for (i = 0; i < layout->nr_chunks; i++) {
		const struct chunk *chunk = &layout->chunks[i];
		const Elf64_Phdr *load;
		uint64_t n, into;

		if (chunk->load == SIZE_MAX)
			continue;
		/* A chunk may be longer than the old segment; the rest is patches. */
		load = &image->loads[chunk->load];
		into = chunk->vaddr - load->p_vaddr;
		n = load->p_filesz - into < chunk->filesz ? load->p_filesz - into : chunk->filesz;
		paint(writer, chunk->offset, image->file.p + load->p_offset + into, n);
	}
}

static void copy_other_sections(struct writer *writer)
{
	const struct layout *layout = writer->layout;
	const struct image *image = layout->draft->image;
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *old = &image->shdrs[i], *new = &layout->shdrs[layout->section_of[i]];

		if (layout->section_of[i] && !(old->sh_flags & SHF_ALLOC) && old->sh_type != SHT_NOBITS &&
		    i != image->ehdr.e_shstrndx)
			paint(writer, new->sh_offset, image->file.p + old->sh_offset, old->sh_size);
	}
	if (layout->names.n)
		paint(writer, layout->shdrs[layout->shstrndx].sh_offset, layout->names.p, layout->names.n);
}

/* A segment that describes part of the image follows it to its new offset. */
static Elf64_Phdr describe(const struct layout *layout, Elf64_Phdr phdr)
{
	const Elf64_Shdr *note = image_misplaced_note(layout->draft->image, &phdr);
	uint64_t offset;

	if (note)
		phdr.p_vaddr = phdr.p_paddr = note->sh_addr;

	if (phdr.p_type == PT_PHDR) {
		phdr.p_vaddr = phdr.p_paddr = layout->phdrs_vaddr;
		phdr.p_filesz = phdr.p_memsz = layout->nr_phdrs * sizeof phdr;
	}
	if ((phdr.p_memsz || phdr.p_filesz) && layout_offset(layout, phdr.p_vaddr, &offset))
		phdr.p_offset = offset;
	return phdr;
}

static Elf64_Phdr load_phdr(const struct layout *layout, const struct chunk *chunk)
{
	uint64_t paddr = chunk->vaddr;

	if (chunk->load != SIZE_MAX) {
		const Elf64_Phdr *old = &layout->draft->image->loads[chunk->load];

		paddr = chunk->vaddr - old->p_vaddr + old->p_paddr;
	}
	return (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = chunk->flags,
		.p_offset = chunk->offset,
		.p_vaddr = chunk->vaddr,
		.p_paddr = paddr,
		.p_filesz = chunk->filesz,
		.p_memsz = chunk->memsz,
		.p_align = chunk->align,
	};
}

/* PT_PHDR and PT_INTERP must precede the loadable segments (gABI), so entries
 * keep their order and all chunks stand where the first PT_LOAD stood. */
static void put_phdrs(struct writer *writer)
{
	const struct layout *layout = writer->layout;
	const struct image *image = layout->draft->image;
	Elf64_Phdr *phdrs = arena_array(layout->draft->arena, layout->nr_phdrs, sizeof *phdrs);
	bool loads_done = false;
	size_t i, j, nr = 0;

	if (layout->add_phdr)
		phdrs[nr++] = describe(layout,
				       (Elf64_Phdr){.p_type = PT_PHDR, .p_flags = PF_R, .p_align = 8});
	for (i = 0; i < image->nr_phdrs; i++) {
		if (layout_drops(layout, &image->phdrs[i]))
			continue;
		if (image->phdrs[i].p_type != PT_LOAD)
			phdrs[nr++] = describe(layout, image->phdrs[i]);
		else if (!loads_done)
			for (loads_done = true, j = 0; j < layout->nr_chunks; j++)
				phdrs[nr++] = load_phdr(layout, &layout->chunks[j]);
	}
	put(writer, layout->phdrs_vaddr, phdrs, nr * sizeof *phdrs);
}

static void put_ehdr(struct writer *writer)
{
	const struct layout *layout = writer->layout;
	const struct image *image = layout->draft->image;
	Elf64_Ehdr ehdr = image->ehdr;

	if (!layout_offset(layout, layout->phdrs_vaddr, &ehdr.e_phoff))
		BUG("the program headers lie outside the image");
	ehdr.e_phnum = (uint16_t)layout->nr_phdrs;
	ehdr.e_shoff = layout->nr_shdrs ? layout->shoff : 0;
	ehdr.e_shnum = (uint16_t)layout->nr_shdrs;
	ehdr.e_shstrndx = (uint16_t)(layout->nr_shdrs ? layout->shstrndx : 0);
	put(writer, image->loads[0].p_vaddr, arena_memdup(layout->draft->arena, &ehdr, sizeof ehdr),
	    sizeof ehdr);
}

/* The old program headers are edited too: what is there now is either the new
 * table or, behind it, whatever the file held. */
static void note_old_phdrs(struct writer *writer)
{
	const struct image *image = writer->layout->draft->image;
	const Elf64_Phdr *load = image_phdrs_load(image);
	uint64_t table = load ? load->p_vaddr + (image->ehdr.e_phoff - load->p_offset) : 0;

	if (load)
		note_edit(writer, table, table + image->nr_phdrs * sizeof(Elf64_Phdr));
}

static void put_moved_strings(struct writer *writer)
{
	const struct layout *layout = writer->layout;
	const struct image *image = layout->draft->image;
	struct span strings = layout->draft->moved_strings;
	Elf64_Dyn dyn = {.d_tag = DT_STRTAB, .d_un.d_ptr = layout->strings_vaddr};
	size_t i;

	if (!strings.p)
		return;
	put(writer, layout->strings_vaddr, strings.p, strings.n);
	for (i = 0; i < image->nr_tags; i++)
		if (image->dynamic[i].d_tag == DT_STRTAB)
			put(writer, image_dynamic_slot(image, i),
			    arena_memdup(layout->draft->arena, &dyn, sizeof dyn), sizeof dyn);
}

/* Behind tables that have got shorter, where the page stays. */
static void put_zeros(struct writer *writer)
{
	const struct layout *layout = writer->layout;
	const struct draft *draft = layout->draft;
	size_t i, k;

	for (i = 0; i < draft->zeros.nr_items; i++) {
		for (k = 0; k < layout->nr_chunks; k++) {
			const struct range *zeros = &draft->zeros.items[i];
			const struct chunk *chunk = &layout->chunks[k];
			uint64_t from = zeros->from > chunk->vaddr ? zeros->from : chunk->vaddr;
			uint64_t end = chunk->vaddr + chunk->filesz;
			uint64_t to = zeros->to < end ? zeros->to : end;

			if (from < to)
				put(writer, from, arena_alloc(draft->arena, to - from), to - from);
		}
	}
}

/* What of the old segments no chunk covers. */
static void note_dropped(struct writer *writer)
{
	const struct layout *layout = writer->layout;
	const struct image *image = layout->draft->image;
	size_t i, j;

	for (i = 0; i < image->nr_loads; i++) {
		uint64_t at = image->loads[i].p_vaddr, end = at + image->loads[i].p_memsz;

		for (j = 0; j < layout->nr_chunks; j++) {
			const struct chunk *chunk = &layout->chunks[j];

			if (chunk->load != i)
				continue;
			if (chunk->vaddr > at)
				*VEC_PUSH(layout->draft->arena, writer->result,
					  dropped) = (struct range){at, chunk->vaddr};
			at = chunk->vaddr + chunk->memsz;
		}
		if (at < end)
			*VEC_PUSH(layout->draft->arena, writer->result, dropped) = (struct range){at, end};
	}
}

void layout_write(struct layout *layout, struct image_result *result)
{
	struct writer writer = {layout, result, {0}};
	const struct image *image = layout->draft->image;
	size_t i;

	/* Without compaction the new file is the old one with something behind. */
	if (!layout->draft->edits->compact)
		paint(&writer, 0, image->file.p, image->file.n);
	copy_chunks(&writer);
	if (layout->nr_shdrs && layout->draft->edits->compact)
		copy_other_sections(&writer);
	for (i = 0; i < layout->draft->nr_patches; i++) {
		const struct patch *patch = &layout->draft->patches[i];

		put(&writer, patch->vaddr, patch->bytes.p, patch->bytes.n);
	}
	put_zeros(&writer);
	put_moved_strings(&writer);
	note_old_phdrs(&writer);
	put_phdrs(&writer);
	put_ehdr(&writer);
	if (layout->nr_shdrs)
		paint(&writer, layout->shoff, layout->shdrs, layout->nr_shdrs * sizeof *layout->shdrs);
	note_dropped(&writer);
	result->size = layout->size;
	pieces_visible(layout->draft->arena, &writer.painting, result);
	result->changed = !pieces_equal(result, image->file);
}
