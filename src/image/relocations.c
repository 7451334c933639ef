/*
 * Relocations where symbols go.
 *
 * A relocation names its symbol by number, and numbers have changed. One that
 * names a symbol that goes is dead by the word of whoever says that it goes:
 *
 *	JUMP_SLOT    stays one, of symbol 0. glibc accepts hardly any other type
 *	             where it binds lazily (sysdeps/x86_64/dl-machine.h,
 *	             elf_machine_lazy_rel)
 *	a pointer    becomes RELATIVE: a table of pointers keeps what it held
 *	another      becomes NONE
 *
 * Nothing moves, so DT_RELACOUNT, which counts the RELATIVE ones in front, stays
 * right.
 *
 * Patches may be to relocations too. They name symbols by their old numbers, so
 * they are made first, in a copy.
 */
#include "image/symbols.h"

static int refuse(struct error *err, const char *why)
{
	return error_add(err, ERROR_REFUSED, "%s", why);
}

struct relocations {
	const struct removal *removal;
	struct relocation_types types;
	struct range tables[2]; /* addresses; none inside the other */
	size_t nr_tables;
	struct range lazy; /* those of DT_JMPREL */
};

static struct range table_of(const struct image *image, int64_t tag, int64_t size_tag)
{
	uint64_t vaddr, size;
	struct span bytes;

	if (!image_tag(image, tag, &vaddr) || !image_tag(image, size_tag, &size) ||
	    !image_at(image, vaddr, size, &bytes))
		return (struct range){0};
	return (struct range){vaddr, vaddr + size};
}

static bool overlap(struct range a, struct range b)
{
	return a.from < b.to && b.from < a.to;
}

static bool is_inside(struct range inner, struct range outer)
{
	return inner.from >= outer.from && inner.to <= outer.to;
}

/* DT_RELASZ may count what is DT_JMPREL's as well (glibc, elf/dynamic-link.h). */
static bool find_tables(struct relocations *relocations)
{
	const struct image *image = relocations->removal->image;
	struct range all = table_of(image, DT_RELA, DT_RELASZ);
	struct range lazy = table_of(image, DT_JMPREL, DT_PLTRELSZ);

	relocations->lazy = lazy;
	if (all.from < all.to)
		relocations->tables[relocations->nr_tables++] = all;
	if (lazy.from == lazy.to)
		return true;
	if (is_inside(lazy, all))
		return (lazy.from - all.from) % sizeof(Elf64_Rela) == 0;
	relocations->tables[relocations->nr_tables++] = lazy;
	return !overlap(lazy, all);
}

static bool overlaps_any(struct range table, const struct ranges *others)
{
	size_t i;

	for (i = 0; i < others->nr_items; i++)
		if (overlap(table, others->items[i]))
			return true;
	return false;
}

/* Nor may they share bytes with tables that have been written anew. */
static int check_tables(const struct relocations *relocations, struct error *err)
{
	const struct draft *draft = relocations->removal->draft;
	size_t i;

	for (i = 0; i < relocations->nr_tables; i++)
		if (overlaps_any(relocations->tables[i], &draft->shortened) ||
		    overlaps_any(relocations->tables[i], &draft->zeros))
			return refuse(err, "relocations and symbols overlap");
	return 0;
}

/* --------- patches ------------------ */

/* Makes the patches to one table in a copy of its bytes. */
static void merge_patches(const struct relocations *relocations, struct range table, uint8_t *bytes)
{
	const struct cuts *cuts = relocations->removal->draft->edits->cuts;
	size_t i;

	for (i = 0; i < cuts->nr_patches; i++) {
		const struct patch *patch = &cuts->patches[i];
		struct range to = {patch->vaddr, patch->vaddr + patch->bytes.n};

		if (is_inside(to, table))
			memcpy(bytes + (patch->vaddr - table.from), patch->bytes.p, patch->bytes.n);
	}
}

/* All others are painted as they are. */
static int draft_patches(const struct relocations *relocations, struct error *err)
{
	struct draft *draft = relocations->removal->draft;
	const struct cuts *cuts = draft->edits->cuts;
	size_t i, k;

	for (i = 0; i < cuts->nr_patches; i++) {
		const struct patch *patch = &cuts->patches[i];
		struct range to = {patch->vaddr, patch->vaddr + patch->bytes.n};
		bool merged = false;

		for (k = 0; k < relocations->nr_tables; k++) {
			if (!overlap(to, relocations->tables[k]))
				continue;
			if (!is_inside(to, relocations->tables[k]))
				return refuse(err, "a patch reaches beyond a table of relocations");
			merged = true;
		}
		if (!merged)
			draft_patch(draft, patch->vaddr, patch->bytes.p, patch->bytes.n);
	}
	return 0;
}

/* --------- symbols ------------------ */

/* A pointer to a symbol that is no address of the image says nothing without it. */
static int make_relative(const struct relocations *relocations, Elf64_Rela *rela, const Elf64_Sym *symbol,
			 struct error *err)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	if (symbol->st_shndx == SHN_ABS || type == STT_TLS || type == STT_GNU_IFUNC)
		return refuse(err, "a pointer to a symbol that is to go cannot do without it");
	rela->r_info = ELF64_R_INFO(0ull, relocations->types.relative);
	rela->r_addend += (int64_t)symbol->st_value;
	return 0;
}

static int forget_symbol(const struct relocations *relocations, Elf64_Rela *rela, uint64_t vaddr,
			 struct error *err)
{
	const Elf64_Sym *symbol = &relocations->removal->symbols[ELF64_R_SYM(rela->r_info)];
	uint32_t type = ELF64_R_TYPE(rela->r_info);

	if (type == relocations->types.pointer || type == relocations->types.global)
		return make_relative(relocations, rela, symbol, err);
	if (type == relocations->types.jump_slot || type == relocations->types.relative) {
		rela->r_info = ELF64_R_INFO(0ull, type);
		return 0;
	}
	if (vaddr >= relocations->lazy.from && vaddr < relocations->lazy.to)
		return refuse(err, "a symbol that is to go is bound lazily in an unusual way");
	rela->r_info = 0;
	return 0;
}

static int map_relocation(const struct relocations *relocations, Elf64_Rela *rela, uint64_t vaddr,
			  struct error *err)
{
	const struct removal *removal = relocations->removal;
	uint64_t symbol = ELF64_R_SYM(rela->r_info);
	uint32_t type = ELF64_R_TYPE(rela->r_info);

	if (!symbol || !removal->nr_gone)
		return 0;
	if (symbol >= removal->nr_symbols)
		return refuse(err, "a relocation names a symbol that is not there");
	if (removal->gone[symbol])
		return forget_symbol(relocations, rela, vaddr, err);
	rela->r_info = ELF64_R_INFO((uint64_t)removal->rank[symbol], type);
	return 0;
}

/* Loaders take the first ones for RELATIVE without looking. */
static int check_count(const struct relocations *relocations, const struct range *table,
		       const Elf64_Rela *old, const Elf64_Rela *new, struct error *err)
{
	uint64_t vaddr = 0, counted = 0, i, nr = (table->to - table->from) / sizeof *new;
	uint32_t relative = relocations->types.relative;

	if (!image_tag(relocations->removal->image, DT_RELACOUNT, &counted) ||
	    !image_tag(relocations->removal->image, DT_RELA, &vaddr) || vaddr != table->from)
		return 0;
	for (i = 0; i < counted && i < nr; i++)
		if (ELF64_R_TYPE(old[i].r_info) == relative && ELF64_R_TYPE(new[i].r_info) != relative)
			return refuse(err, "the count of relative relocations would be wrong");
	return 0;
}

/* Drafts what differs, run by run. */
static void draft_changes(struct draft *draft, const Elf64_Rela *old, const Elf64_Rela *new, size_t nr,
			  uint64_t vaddr)
{
	size_t i = 0, start;

	while (i < nr) {
		start = i;
		while (i < nr && memcmp(&old[i], &new[i], sizeof *old) != 0)
			i++;
		if (i > start)
			draft_patch(draft, vaddr + start * sizeof *old, &new[start],
				    (i - start) * sizeof *old);
		else
			i++;
	}
}

static int map_table(const struct relocations *relocations, struct range table, struct error *err)
{
	struct draft *draft = relocations->removal->draft;
	size_t nr = (table.to - table.from) / sizeof(Elf64_Rela), i;
	Elf64_Rela *old, *new;
	struct span bytes;

	if (!image_at(relocations->removal->image, table.from, table.to - table.from, &bytes))
		return refuse(err, "relocations are not loaded from the file");
	old = arena_memdup(draft->arena, bytes.p, bytes.n);
	new = arena_memdup(draft->arena, bytes.p, bytes.n);
	merge_patches(relocations, table, (uint8_t *)new);
	for (i = 0; i < nr; i++)
		if (map_relocation(relocations, &new[i], table.from + i * sizeof *new, err))
			return ERROR_REFUSED;
	if (check_count(relocations, &table, old, new, err))
		return ERROR_REFUSED;
	draft_changes(draft, old, new, nr, table.from);
	return 0;
}

int removal_relocations(const struct removal *removal, struct error *err)
{
	struct relocations relocations = {.removal = removal,
					  .types = image_relocation_types(removal->image)};
	size_t i;

	if (!find_tables(&relocations))
		return refuse(err, "tables of relocations overlap");
	if (check_tables(&relocations, err) || draft_patches(&relocations, err))
		return ERROR_REFUSED;
	for (i = 0; i < relocations.nr_tables; i++)
		if (map_table(&relocations, relocations.tables[i], err))
			return ERROR_REFUSED;
	return 0;
}
