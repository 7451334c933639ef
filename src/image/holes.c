/*
 * Where a hole must not be.
 *
 * Whoever cuts goes by sections and instructions. Loaders go by neither, and a file
 * may give the same bytes two meanings: code that is a table as well, a word
 * that is relocated in the middle of a function. What a loader reads, writes or
 * calls stays, whatever else it is, and so does what two sections share.
 *
 *	cut out:	code	=======
 *	sections:	.text	--------------
 *			.rela.dyn	 -------	refused: shared
 */
#include "image/symbols.h"

#include <stdlib.h>

struct holes {
	const struct image *image;
	const struct ranges *dead; /* normalized */
	const struct cuts *cuts;
	bool touched; /* one of them holds something a loader needs */
};

static void need(struct holes *holes, uint64_t vaddr, uint64_t size)
{
	const struct range *next = ranges_next(holes->dead, vaddr);

	if (next && size && (next->from <= vaddr || next->from - vaddr < size))
		holes->touched = true;
}

static void need_address(struct holes *holes, int64_t tag)
{
	uint64_t vaddr;

	if (image_tag(holes->image, tag, &vaddr))
		need(holes, vaddr, 1);
}

/* --------- what loaders use ------------------ */

static void need_headers(struct holes *holes)
{
	const struct image *image = holes->image;
	const Elf64_Phdr *load = image_phdrs_load(image);
	size_t i;

	need(holes, image->loads[0].p_vaddr, sizeof(Elf64_Ehdr));
	if (load)
		need(holes, load->p_vaddr + (image->ehdr.e_phoff - load->p_offset),
		     image->nr_phdrs * sizeof(Elf64_Phdr));
	for (i = 0; i < image->nr_phdrs; i++) {
		const Elf64_Phdr *phdr = &image->phdrs[i];

		if (phdr->p_type != PT_LOAD && phdr->p_type != PT_GNU_STACK && phdr->p_type != PT_PHDR &&
		    !(holes->cuts->unwind && phdr_is_unwind(phdr)))
			need(holes, phdr->p_vaddr,
			     phdr->p_type == PT_GNU_RELRO ? phdr->p_memsz : phdr->p_filesz);
	}
}

static void need_relocations(struct holes *holes, int64_t tag, int64_t size_tag)
{
	uint64_t vaddr, size, i;
	struct span table;
	Elf64_Rela rela;

	if (!image_tag(holes->image, tag, &vaddr) || !image_tag(holes->image, size_tag, &size) ||
	    !image_at(holes->image, vaddr, size, &table))
		return;
	need(holes, vaddr, size);
	for (i = 0; i + sizeof rela <= size; i += sizeof rela) {
		memcpy(&rela, table.p + i, sizeof rela);
		if (ELF64_R_TYPE(rela.r_info))
			need(holes, rela.r_offset, sizeof(uint64_t));
	}
}

static void need_packed(void *context, uint64_t place)
{
	need(context, place, sizeof(uint64_t));
}

static void need_array(struct holes *holes, int64_t tag, int64_t size_tag)
{
	uint64_t vaddr, size;

	if (image_tag(holes->image, tag, &vaddr) && image_tag(holes->image, size_tag, &size))
		need(holes, vaddr, size);
}

static void need_field(void *context, enum string_field field, uint64_t vaddr, uint32_t offset)
{
	(void)field;
	(void)offset;
	need(context, vaddr, sizeof(uint32_t));
}

static void need_tables(struct holes *holes)
{
	need_relocations(holes, DT_RELA, DT_RELASZ);
	need_relocations(holes, DT_JMPREL, DT_PLTRELSZ);
	need_array(holes, DT_RELR, DT_RELRSZ);
	image_each_packed(holes->image, need_packed, holes);
	need_array(holes, DT_INIT_ARRAY, DT_INIT_ARRAYSZ);
	need_array(holes, DT_FINI_ARRAY, DT_FINI_ARRAYSZ);
	need_address(holes, DT_INIT);
	need_address(holes, DT_FINI);
	need_address(holes, DT_PLTGOT);
	need_address(holes, DT_VERNEED);
	need_address(holes, DT_VERDEF);
	image_each_version_field(holes->image, need_field, holes);
}

/* --------- sections ------------------ */

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Bytes of more than one loaded section. */
static void need_shared(struct holes *holes)
{
	struct ranges sections = {.arena = holes->dead->arena};
	uint64_t end = 0;
	size_t i;

	for (i = 1; i < holes->image->nr_shdrs; i++)
		if (section_is_loaded(&holes->image->shdrs[i]))
			ranges_add(&sections, holes->image->shdrs[i].sh_addr,
				   holes->image->shdrs[i].sh_addr + holes->image->shdrs[i].sh_size);
	if (sections.nr_items)
		qsort(sections.items, sections.nr_items, sizeof *sections.items, by_start);
	for (i = 0; i < sections.nr_items; i++) {
		const struct range *section = &sections.items[i];

		if (section->from < end)
			need(holes, section->from, (section->to < end ? section->to : end) - section->from);
		if (section->to > end)
			end = section->to;
	}
}

int check_holes(const struct image *image, const struct cuts *cuts, const struct ranges *dead,
		struct error *err)
{
	struct holes holes = {.image = image, .dead = dead, .cuts = cuts};

	need_headers(&holes);
	need_tables(&holes);
	need_shared(&holes);
	if (holes.touched)
		return error_add(err, ERROR_REFUSED,
				 "what is to be cut out is something that loaders use as well");
	return 0;
}

int check_tables_whole(const struct image *image, const struct cuts *cuts, const struct ranges *dead,
		       struct error *err)
{
	struct holes holes = {.image = image, .dead = dead, .cuts = cuts};
	struct range tables[6];
	size_t nr = image_tables(image, tables), i;

	for (i = 0; i < nr; i++)
		need(&holes, tables[i].from, tables[i].to - tables[i].from);
	for (i = 0; i < cuts->nr_patches; i++)
		need(&holes, cuts->patches[i].vaddr, cuts->patches[i].bytes.n);
	if (holes.touched)
		return error_add(err, ERROR_REFUSED,
				 "what is to be cut out is a table that loaders use, or changed");
	return 0;
}
