/*
 * The parts of the image writer, and what they share.
 *
 *	load.c       bytes -> struct image: headers and dynamic table, checked
 *	live.c       which virtual addresses hold something; which pages do not
 *	sound.c      tables a loader would read otherwise than we do: refused
 *	fields.c     walks over version tables, symbols, packed relocations; hashes of names
 *	ranges.c     sorted lists of address ranges
 *	symbols.c    symbols that go -> patches: the symbol and version tables
 *	hashes.c     ... both hash tables
 *	relocations.c ... relocations, which name symbols by number
 *	cuts.c       what a pass has found nobody needs, taken out of the draft
 *	holes.c      ... where there must be no hole
 *	strings.c    who refers to which byte of .dynstr; room for new strings
 *	names.c      name edits -> patches
 *	layout.c     live chunks -> file offsets
 *	sections.c   section headers to match
 *	write.c      what the new file is made of
 *	pieces.c     that as stretches of other files
 *	edit.c       image_lay_out(), image_edit(): the above in order
 *	prove.c      image_prove()
 *	prove_cuts.c ... that no more was cut out than was to be
 *	prove_symbols.c ... that symbols and relocations mean the same
 *	canonical.c  image_canonical()
 *
 * Only layout.c decides about file offsets, and nothing decides about
 * virtual addresses, save that new room may be taken at the end of a segment
 * or behind the last one.
 */
#ifndef SOFOLD_SRC_IMAGE_IMAGE_H
#define SOFOLD_SRC_IMAGE_IMAGE_H

#include <elf.h>

#include "sofold/image.h"

/* A linked ELF64 little-endian file that passed image_load(). */
struct image {
	struct span file;
	Elf64_Ehdr ehdr;
	Elf64_Phdr *phdrs;
	size_t nr_phdrs;
	Elf64_Shdr *shdrs; /* NULL: the file has none */
	size_t nr_shdrs;
	struct span shstrtab;

	/* The PT_LOAD entries, in ascending order of p_vaddr, none overlapping. */
	Elf64_Phdr *loads;
	size_t nr_loads;

	Elf64_Phdr dynamic_phdr;
	Elf64_Dyn *dynamic;  /* all slots, spare DT_NULLs included */
	size_t nr_dynamic;   /* slots */
	size_t nr_tags;	     /* entries before the first DT_NULL */
	uint64_t strtab;     /* virtual address of the dynamic string table */
	struct span strings; /* its bytes in file, DT_STRSZ of them */
	size_t nr_symbols;   /* entries of the dynamic symbol table */
	uint64_t symtab;     /* its virtual address; 0: none */
};

/* ERROR_REFUSED with the reason when the file is not one we would edit. */
int image_load(struct arena *arena, struct span file, struct image *image, struct error *err);

/* True for the kinds of section that patchelf and its like move. */
bool section_is_movable(const Elf64_Shdr *shdr);

/* The last segment that begins at or before an address, or NULL. */
const Elf64_Phdr *image_load_before(const struct image *image, uint64_t vaddr);

/* The bytes at [vaddr, vaddr + length) as loaded from the file; false when
 * they are not all in one segment's file-backed part. */
bool image_at(const struct image *image, uint64_t vaddr, uint64_t length, struct span *out);

/* Copies the n bytes at vaddr to an object of the caller's; false likewise. */
bool image_read(const struct image *image, uint64_t vaddr, void *to, size_t n);

/* Value of the first dynamic entry with this tag; false: none. */
bool image_tag(const struct image *image, int64_t tag, uint64_t *value);

/* The first program header of a type, or NULL. */
const Elf64_Phdr *image_phdr(const struct image *image, uint32_t type);

/* The segment that holds the whole program header table; NULL: none does. */
const Elf64_Phdr *image_phdrs_load(const struct image *image);

/* Whether loaded bytes are of the ELF header or the program headers, which are written anew. */
bool image_in_headers(const struct image *image, uint64_t vaddr, uint64_t size);

/*
 * Old patchelf moved notes and let its longer program header table run over
 * where they had been, with PT_NOTE still pointing there: loaders take program
 * headers for notes. The section such an entry was for: the one note section
 * of its size. NULL: the entry is in order, or nobody can tell.
 */
const Elf64_Shdr *image_misplaced_note(const struct image *image, const Elf64_Phdr *phdr);

/* Virtual address of dynamic slot i. */
static inline uint64_t image_dynamic_slot(const struct image *image, size_t i)
{
	return image->dynamic_phdr.p_vaddr + i * sizeof(Elf64_Dyn);
}

/* "" where there is none, or one longer than a kilobyte. */
const char *image_section_name(const struct image *image, const Elf64_Shdr *shdr);

/* True when an executable section has bytes in [from, to). */
bool image_has_code(const struct image *image, uint64_t from, uint64_t to);

/* True when the kernel starts it: it names an interpreter. */
bool image_is_program(const struct image *image);

/* True for sections that take space in a segment's file-backed part. */
static inline bool section_is_loaded(const Elf64_Shdr *shdr)
{
	return (shdr->sh_flags & SHF_ALLOC) && shdr->sh_type != SHT_NOBITS && shdr->sh_type != SHT_NULL;
}

/* Fields outside .dynamic that hold an offset into the dynamic string table. */
enum string_field {
	FIELD_SYMBOL,	    /* st_name */
	FIELD_NEED_FILE,    /* vn_file */
	FIELD_NEED_VERSION, /* vna_name */
	FIELD_DEFINITION,   /* vda_name */
};

/* Calls back with the address of every such 32-bit field and the offset it
 * holds. False when a list leaves its table or does not end. */
bool image_each_string_field(const struct image *image,
			     void (*found)(void *context, enum string_field field, uint64_t vaddr,
					   uint32_t offset),
			     void *context);

/* The same without symbols: version tables only. */
bool image_each_version_field(const struct image *image,
			      void (*found)(void *context, enum string_field field, uint64_t vaddr,
					    uint32_t offset),
			      void *context);

/* Calls back with the address of every word that a packed relocation (DT_RELR)
 * makes a pointer. */
void image_each_packed(const struct image *image, void (*found)(void *context, uint64_t place),
		       void *context);

/* The part of image_load() that looks at what the dynamic table points to. */
int image_check_tables(const struct image *image, struct error *err);

/* The hash of System V (gABI, Hash Table), by which loaders compare version
 * names too, and the one of DT_GNU_HASH (glibc, elf/dl-new-hash.h). */
uint32_t name_hash_sysv(const char *name);
uint32_t name_hash_gnu(const char *name);

/* The types of relocation that we tell apart. */
struct relocation_types {
	uint32_t jump_slot; /* a function's address, wanted at its first call */
	uint32_t pointer;   /* a symbol's address and an addend */
	uint32_t global;    /* the same, in a slot for code to load it from */
	uint32_t relative;  /* the image's own address and an addend */
	uint32_t indirect;  /* what a function at such an address returns */
};

struct relocation_types image_relocation_types(const struct image *image);

/* Whether a dynamic tag's value is an offset into the string table. */
bool tag_is_string(int64_t tag);

/* A growing list of ranges; ranges_normalize() sorts it and joins neighbours. */
struct ranges {
	struct arena *arena;
	struct range *items;
	size_t nr_items, alloc_items;
};

void ranges_add(struct ranges *ranges, uint64_t from, uint64_t to); /* an empty range is dropped */
void ranges_normalize(struct ranges *ranges);
void ranges_remove(struct ranges *ranges, uint64_t from, uint64_t to);
void ranges_subtract(struct ranges *ranges, const struct ranges *others); /* both normalized */
/* The first range that ends behind vaddr, or NULL. Needs a normalized list. */
const struct range *ranges_next(const struct ranges *ranges, uint64_t vaddr);

/* Every address whose file byte something may read, the program headers
 * aside. Returns false, and all of every segment, when that cannot be told:
 * with compact false, for programs, and where section headers are not complete. */
bool image_live(const struct image *image, bool compact, struct ranges *live);

/* Whether every segment has something in it that tools do not move. In others GNU
 * strip finds nothing, and makes them what no loader takes. */
bool image_is_as_linked(const struct image *image);

/* What an edit wants written, before it has a place in a file. */
struct draft {
	struct arena *arena;
	const struct image *image;
	const struct image_edits *edits;
	struct ranges live;
	bool all_live;	    /* nothing else may be left out, see image_live() */
	struct ranges dead; /* parts of loaded sections that leave live on purpose */
	Elf64_Phdr *loads;  /* the image's, grown where new bytes need it */

	struct patch *patches;
	size_t nr_patches, alloc_patches;

	/* .dynstr afterwards. When it has to move, moved holds all its bytes and
	 * layout.c finds it a place in a new segment. */
	uint64_t strings_size;
	struct span moved_strings;

	/* The dynamic symbol table afterwards; where symbols went, tables that
	 * have got shorter (where they begin and end now) and what they have left
	 * behind them: dead, and zeros where their pages stay. */
	struct span symbols;
	struct ranges shortened, zeros;
};

void draft_patch(struct draft *draft, uint64_t vaddr, const void *bytes, size_t n);

/* Takes what edits->cuts says out of the draft: live loses dead ranges and the
 * unwind tables. ERROR_REFUSED when they do not fit the image. */
int draft_cuts(struct draft *draft, struct error *err);

/* Whether a program header or section describes how to unwind. */
static inline bool phdr_is_unwind(const Elf64_Phdr *phdr)
{
	return phdr->p_type == PT_GNU_EH_FRAME;
}

bool section_is_unwind(const struct image *image, const Elf64_Shdr *shdr);

/* Turns cuts->gone and cuts->patches into patches. ERROR_REFUSED where a symbol
 * cannot go, or a table cannot be kept consistent. */
int draft_symbols(struct draft *draft, struct error *err);

/* Turns name edits into patches. ERROR_REFUSED when there is no safe room. */
int draft_names(struct draft *draft, struct error *err);

/* Lays the draft out into result->bytes, edited and dropped. */
int draft_layout(struct draft *draft, struct image_result *result, struct error *err);

/* What of the old image's sections may be missing on account of cuts; allowed is empty
 * before and normalized afterwards. */
void prove_allows(const struct image *old, const struct cuts *cuts, struct ranges *allowed);

/* That the new image has cuts' patches, save those to relocations. */
int prove_patches(const struct image *old, const struct image *new, const struct cuts *cuts,
		  struct error *err);

/* That what is gone, and only that, is not found any more, and that relocations
 * still mean the same. ERROR_VERIFY with the first difference. */
int prove_symbols(struct arena *arena, const struct image *old, const struct image *new,
		  const struct cuts *cuts, struct error *err);

/* The string table's accounting. */
struct strings {
	struct arena *arena;
	uint8_t *bytes; /* a changing copy */
	uint8_t *used;	/* one flag for each byte: somebody refers to it */
	size_t size;	/* bytes, now */
	size_t room;	/* bytes it may still grow by where it lies */
	bool moves;	/* it has outgrown its room */
};

/* Counts every reference but those the edits replace. ERROR_REFUSED when a
 * field points outside the table. room: bytes free behind the table. */
int strings_init(struct strings *strings, const struct draft *draft, size_t room, struct error *err);

/* Offset of text in the table: found, put in unused bytes, or appended. */
uint32_t strings_place(struct strings *strings, const char *text);

/* What a NEEDED name or a version need's file name becomes; NULL: it stays. */
const char *edits_renamed(const struct image_edits *edits, const char *name);

#endif
