/*
 * Layout: where each part of the new file goes. Internal to layout.c,
 * sections.c and write.c, which build it in that order.
 */
#ifndef SOFOLD_SRC_IMAGE_LAYOUT_H
#define SOFOLD_SRC_IMAGE_LAYOUT_H

#include "image/image.h"

/* A stretch of the image that becomes one PT_LOAD. */
struct chunk {
	uint64_t vaddr, filesz, memsz; /* bytes */
	uint32_t flags;		       /* PF_* */
	uint64_t align;		       /* p_align */
	uint64_t offset;	       /* in the new file */
	size_t load;		       /* which of the draft's loads; SIZE_MAX: of none, it is new */
};

struct layout {
	struct draft *draft;
	struct chunk *chunks;
	size_t nr_chunks, alloc_chunks;

	uint64_t phdrs_vaddr; /* of the new program header table */
	size_t nr_phdrs;
	bool add_phdr;		/* the table gets a PT_PHDR */
	uint64_t strings_vaddr; /* of .dynstr */
	uint64_t image_end;	/* file offset behind the last chunk */
	struct ranges gaps;	/* file offsets between chunks that nothing uses yet */

	Elf64_Shdr *shdrs; /* new section headers; NULL: none */
	size_t nr_shdrs, alloc_shdrs;
	size_t *section_of; /* old index -> new index, of the first part; 0: dropped */
	size_t *parts_of;   /* old index -> how many sections it has become */
	size_t shstrndx;
	struct span names; /* contents of the new .shstrtab */
	uint64_t shoff;	   /* file offset of the section headers */
	uint64_t size;	   /* of the new file */
};

/* File offset of an address in the new file. An address at the very end of a
 * chunk counts as inside. False: in no chunk. */
bool layout_offset(const struct layout *layout, uint64_t vaddr, uint64_t *offset);

/* Whether a program header leaves the file. */
bool layout_drops(const struct layout *layout, const Elf64_Phdr *phdr);

int layout_chunks(struct layout *layout, struct error *err);
int layout_sections(struct layout *layout, struct error *err);
void layout_write(struct layout *layout, struct image_result *result);

#endif
