/*
 * Taking symbols out of an image.
 *
 * A library exports eleven thousand names, and its consumers ask for two
 * thousand. A symbol that goes leaves four tables, and one that stays has a new
 * number in all of them:
 *
 *	.dynsym        0 a b c d	0 b d
 *	.gnu.version   0 1 2 1 1	0 2 1
 *	.gnu.hash      buckets, chains, filter: hashes.c
 *	.rela.*        b, d by number: relocations.c
 *
 * Those that stay keep their order. Local symbols stay in front so, and since
 * the number of buckets stays too, the symbols of a bucket of DT_GNU_HASH still
 * stand side by side. Every table keeps its address and ends earlier; what is
 * behind it is dead.
 *
 * Other tables may refer to symbols by number (DT_SYMINFO, DT_MIPS_GOTSYM …). An
 * object with a dynamic entry we do not know is refused.
 */
#include "image/symbols.h"

#include <stdlib.h>

static int refuse(struct error *err, const char *why)
{
	return error_add(err, ERROR_REFUSED, "%s", why);
}

const char *removal_name(const struct removal *removal, size_t symbol)
{
	return span_string(removal->image->strings, removal->symbols[symbol].st_name);
}

void removal_shorten(const struct removal *removal, uint64_t vaddr, const void *bytes, size_t n, size_t old)
{
	struct draft *draft = removal->draft;

	if (n > old)
		BUG("a table without some symbols is longer");
	draft_patch(draft, vaddr, bytes, n);
	ranges_add(&draft->shortened, vaddr, vaddr + n);
	ranges_add(&draft->zeros, vaddr + n, vaddr + old);
	ranges_add(&draft->dead, vaddr + n, vaddr + old);
}

/* --------- what is refused ------------------ */

/* Entries that hold no symbol's number and no count of them, and lead to no
 * table that does but to those we change. */
static bool tag_is_known(int64_t tag)
{
	switch (tag) {
	case DT_PLTRELSZ:
	case DT_PLTGOT:
	case DT_HASH:
	case DT_STRTAB:
	case DT_SYMTAB:
	case DT_RELA:
	case DT_RELASZ:
	case DT_RELAENT:
	case DT_STRSZ:
	case DT_SYMENT:
	case DT_INIT:
	case DT_FINI:
	case DT_SYMBOLIC:
	case DT_PLTREL:
	case DT_DEBUG:
	case DT_TEXTREL:
	case DT_JMPREL:
	case DT_BIND_NOW:
	case DT_INIT_ARRAY:
	case DT_FINI_ARRAY:
	case DT_INIT_ARRAYSZ:
	case DT_FINI_ARRAYSZ:
	case DT_FLAGS:
	case DT_PREINIT_ARRAY:
	case DT_PREINIT_ARRAYSZ:
	case DT_RELRSZ:
	case DT_RELR:
	case DT_RELRENT:
	case DT_GNU_HASH:
	case DT_TLSDESC_PLT:
	case DT_TLSDESC_GOT:
	case DT_VERSYM:
	case DT_RELACOUNT:
	case DT_FLAGS_1:
	case DT_VERDEF:
	case DT_VERDEFNUM:
	case DT_VERNEED:
	case DT_VERNEEDNUM:
	case DT_LOPROC:	    /* DT_X86_64_PLT */
	case DT_LOPROC + 1: /* DT_X86_64_PLTSZ, DT_AARCH64_BTI_PLT */
	case DT_LOPROC + 3: /* DT_X86_64_PLTENT, DT_AARCH64_PAC_PLT */
	case DT_LOPROC + 5: /* DT_AARCH64_VARIANT_PCS */
		return true;
	}
	return tag_is_string(tag);
}

static int check_tags(const struct image *image, struct error *err)
{
	uint64_t kind;
	size_t i;

	for (i = 0; i < image->nr_tags; i++)
		if (!tag_is_known(image->dynamic[i].d_tag))
			return error_add(err, ERROR_REFUSED,
					 "dynamic entry %#llx may be about symbols that go",
					 (unsigned long long)image->dynamic[i].d_tag);
	if (image_tag(image, DT_PLTREL, &kind) && kind != DT_RELA)
		return refuse(err, "relocations are of an unusual form");
	return 0;
}

/* The proof compares names, and hashes each; thousands of long ones that share their ends
 * would take minutes. */
enum { LONGEST_NAME = 65536 };

static int check_names(const struct removal *removal, struct error *err)
{
	size_t i;

	for (i = 0; i < removal->nr_symbols; i++) {
		struct span name;

		if (!span_sub(removal->image->strings, removal->symbols[i].st_name, 1, &name))
			return refuse(err, "a symbol's name lies outside the string table");
		name.n = removal->image->strings.n - removal->symbols[i].st_name;
		if (!memchr(name.p, 0, name.n < LONGEST_NAME ? name.n : LONGEST_NAME))
			return refuse(err, "a symbol's name does not end, or is very long");
	}
	return 0;
}

/* --------- names that are there twice ------------------ */

struct naming {
	const char *name;
	uint16_t version;
	bool gone;
};

static int by_name(const void *a, const void *b)
{
	const struct naming *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->version - y->version;
}

/* Where one of two equal names goes a look-up finds the other, or still finds it. */
static int check_twins(const struct removal *removal, struct error *err)
{
	struct naming *namings = arena_array(removal->draft->arena, removal->nr_symbols, sizeof *namings);
	uint64_t versions = 0;
	size_t i, nr = 0;

	image_tag(removal->image, DT_VERSYM, &versions);
	for (i = 1; i < removal->nr_symbols; i++) {
		uint16_t version = 0;

		if (removal->symbols[i].st_shndx == SHN_UNDEF)
			continue;
		if (versions)
			image_read(removal->image, versions + i * sizeof version, &version, sizeof version);
		namings[nr++] = (struct naming){removal_name(removal, i), version & 0x7fff, removal->gone[i]};
	}
	qsort(namings, nr, sizeof *namings, by_name);
	for (i = 1; i < nr; i++)
		if (namings[i].gone != namings[i - 1].gone && !by_name(&namings[i], &namings[i - 1]))
			return refuse(err, "one of two symbols of the same name is to go");
	return 0;
}

/* Relocations of symbols that go name symbol 0, which is no symbol (gABI). */
static bool has_null_symbol(const struct removal *removal)
{
	static const Elf64_Sym none;

	return !memcmp(&removal->symbols[0], &none, sizeof none);
}

/* A symbol nobody else could see stays: what uses it is not known here. */
static int check_gone(const struct removal *removal, struct error *err)
{
	size_t i;

	if (!has_null_symbol(removal))
		return refuse(err, "the first symbol is not the empty one");
	for (i = 0; i < removal->nr_symbols; i++) {
		const Elf64_Sym *symbol = &removal->symbols[i];

		if (removal->gone[i] &&
		    (symbol->st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol->st_info) == STB_LOCAL))
			return refuse(err, "a symbol that is to go is not exported");
	}
	return 0;
}

/* The section header counts the symbols too, and says which are local. */
static int check_section(const struct removal *removal, struct error *err)
{
	const struct image *image = removal->image;
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (shdr->sh_type != SHT_DYNSYM)
			continue;
		if (!section_is_loaded(shdr) || shdr->sh_addr != image->symtab ||
		    shdr->sh_size != removal->nr_symbols * sizeof(Elf64_Sym) ||
		    shdr->sh_info > removal->nr_symbols || removal->rank[shdr->sh_info] != shdr->sh_info)
			return refuse(err, "the symbol table and its section disagree");
	}
	return 0;
}

static bool overlap(struct range a, struct range b)
{
	return a.from < b.to && b.from < a.to;
}

/* A table of so many bytes, where there is one. */
static size_t add_table(const struct image *image, int64_t tag, uint64_t size, struct range *tables,
			size_t nr)
{
	uint64_t vaddr;

	if (!image_tag(image, tag, &vaddr))
		return nr;
	tables[nr] = (struct range){vaddr, vaddr + size};
	return nr + 1;
}

size_t image_tables(const struct image *image, struct range tables[6])
{
	uint32_t hash[2] = {0}, gnu[4] = {0};
	size_t nr = 0, symbols = image->nr_symbols;
	uint64_t vaddr;

	if (image_tag(image, DT_HASH, &vaddr))
		image_read(image, vaddr, hash, sizeof hash);
	if (image_tag(image, DT_GNU_HASH, &vaddr))
		image_read(image, vaddr, gnu, sizeof gnu);
	nr = add_table(image, DT_SYMTAB, symbols * sizeof(Elf64_Sym), tables, nr);
	nr = add_table(image, DT_VERSYM, symbols * sizeof(uint16_t), tables, nr);
	nr = add_table(image, DT_HASH, sizeof hash + 4ull * hash[0] + 4ull * hash[1], tables, nr);
	nr = add_table(image, DT_GNU_HASH,
		       sizeof gnu + 4ull * gnu[0] + 8ull * gnu[2] +
			       (symbols > gnu[1] ? 4ull * (symbols - gnu[1]) : 0),
		       tables, nr);
	nr = add_table(image, DT_STRTAB, image->strings.n, tables, nr);
	tables[nr++] = (struct range){image->dynamic_phdr.p_vaddr,
				      image->dynamic_phdr.p_vaddr + image->dynamic_phdr.p_filesz};
	return nr;
}

/* Whether a section begins elsewhere and has bytes of a table. */
static bool is_in_other_section(const struct image *image, struct range table)
{
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (section_is_loaded(shdr) && shdr->sh_size && shdr->sh_addr != table.from &&
		    overlap((struct range){shdr->sh_addr, shdr->sh_addr + shdr->sh_size}, table))
			return true;
	}
	return false;
}

/* What is written anew must be nothing else as well. */
static int check_overlaps(const struct removal *removal, const struct range *tables, size_t nr,
			  struct error *err)
{
	size_t i, k;

	for (i = 0; i < nr; i++) {
		if (image_in_headers(removal->image, tables[i].from, tables[i].to - tables[i].from))
			return refuse(err, "a table of the dynamic section reaches over the headers");
		if (is_in_other_section(removal->image, tables[i]))
			return refuse(err, "a table of the dynamic section reaches into another section");
		for (k = 0; k < i; k++)
			if (overlap(tables[i], tables[k]))
				return refuse(err, "tables of the dynamic section overlap");
	}
	return 0;
}

static int check_patches(const struct removal *removal, const struct range *tables, size_t nr,
			 struct error *err)
{
	const struct cuts *cuts = removal->draft->edits->cuts;
	struct span unused;
	size_t i, k;

	for (i = 0; i < cuts->nr_patches; i++) {
		const struct patch *patch = &cuts->patches[i];

		if (!image_at(removal->image, patch->vaddr, patch->bytes.n, &unused))
			return refuse(err, "a patch lies outside the image");
		for (k = 0; k < nr; k++)
			if (overlap((struct range){patch->vaddr, patch->vaddr + patch->bytes.n}, tables[k]))
				return refuse(err, "a patch to a table that is written anew");
	}
	return 0;
}

static int check(const struct removal *removal, struct error *err)
{
	struct range tables[6];
	size_t nr = image_tables(removal->image, tables);

	if (check_patches(removal, tables, nr, err) || check_names(removal, err))
		return ERROR_REFUSED;
	if (removal->nr_symbols && removal_check_chains(removal, err))
		return ERROR_REFUSED;
	if (!removal->nr_gone)
		return 0;
	if (check_overlaps(removal, tables, nr, err) || check_tags(removal->image, err) ||
	    check_gone(removal, err) || check_twins(removal, err) || check_section(removal, err))
		return ERROR_REFUSED;
	return 0;
}

/* --------- the tables ------------------ */

static void shorten_symbols(const struct removal *removal)
{
	struct draft *draft = removal->draft;
	size_t nr = removal->nr_symbols - removal->nr_gone, i;
	Elf64_Sym *symbols = arena_array(draft->arena, nr, sizeof *symbols);

	for (i = 0; i < removal->nr_symbols; i++)
		if (!removal->gone[i])
			symbols[removal->rank[i]] = removal->symbols[i];
	removal_shorten(removal, removal->image->symtab, symbols, nr * sizeof *symbols,
			removal->nr_symbols * sizeof *symbols);
	draft->symbols = (struct span){(const uint8_t *)symbols, nr * sizeof *symbols};
}

static int shorten_versions(const struct removal *removal, struct error *err)
{
	size_t nr = removal->nr_symbols - removal->nr_gone, i;
	uint16_t *versions, *old;
	struct span table;
	uint64_t vaddr;

	if (!image_tag(removal->image, DT_VERSYM, &vaddr))
		return 0;
	if (!image_at(removal->image, vaddr, removal->nr_symbols * sizeof *old, &table))
		return refuse(err, "the symbols' versions are not loaded from the file");
	old = arena_memdup(removal->draft->arena, table.p, table.n);
	versions = arena_array(removal->draft->arena, nr, sizeof *versions);
	for (i = 0; i < removal->nr_symbols; i++)
		if (!removal->gone[i])
			versions[removal->rank[i]] = old[i];
	removal_shorten(removal, vaddr, versions, nr * sizeof *versions, table.n);
	return 0;
}

static int init(struct removal *removal, struct draft *draft, struct error *err)
{
	const struct cuts *cuts = draft->edits->cuts;
	size_t nr = draft->image->nr_symbols, i;

	if (cuts->gone && cuts->nr_gone && cuts->nr_gone != nr)
		return refuse(err, "symbols that are to go were counted otherwise");
	*removal = (struct removal){.draft = draft, .image = draft->image, .nr_symbols = nr};
	removal->symbols = arena_memdup(draft->arena, draft->symbols.p, draft->symbols.n);
	removal->gone = cuts->gone && cuts->nr_gone ? cuts->gone
						    : arena_array(draft->arena, nr, sizeof(bool));
	removal->rank = arena_array(draft->arena, nr + 1, sizeof *removal->rank);
	for (i = 0; i < nr; i++) {
		removal->nr_gone += removal->gone[i];
		removal->rank[i + 1] = removal->rank[i] + !removal->gone[i];
	}
	return 0;
}

int draft_symbols(struct draft *draft, struct error *err)
{
	const struct image *image = draft->image;
	struct removal removal = {.draft = draft, .image = image};

	if (!image_at(image, image->symtab, image->nr_symbols * sizeof(Elf64_Sym), &draft->symbols))
		draft->symbols = (struct span){0};
	if (!draft->edits->cuts)
		return 0;
	if (init(&removal, draft, err) || check(&removal, err))
		return ERROR_REFUSED;
	if (removal.nr_gone) {
		shorten_symbols(&removal);
		if (shorten_versions(&removal, err) || removal_hashes(&removal, err))
			return ERROR_REFUSED;
	}
	return removal_relocations(&removal, err);
}
