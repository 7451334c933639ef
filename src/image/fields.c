/*
 * Walking the lists of a loaded image: version needs and definitions (gABI
 * extension in LSB "Symbol Versioning": vn_next, vn_aux, vna_next and their
 * verdef twins are byte offsets from the entry itself; 0 ends a list) and
 * every field that refers to a string of .dynstr.
 *
 * A list that does not end is told from a long one by its count: the dynamic
 * table says how many entries there are, and each entry how many it has. Some
 * loaders go by the links and some by the counts, so both must agree.
 */
#include "image/image.h"

uint32_t name_hash_sysv(const char *name)
{
	uint32_t hash = 0, high;

	for (; *name; name++) {
		hash = (hash << 4) + (unsigned char)*name;
		high = hash & 0xf0000000u;
		hash = (hash ^ (high >> 24)) & ~high;
	}
	return hash;
}

uint32_t name_hash_gnu(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

struct relocation_types image_relocation_types(const struct image *image)
{
	if (image->ehdr.e_machine == EM_X86_64)
		return (struct relocation_types){R_X86_64_JUMP_SLOT, R_X86_64_64, R_X86_64_GLOB_DAT,
						 R_X86_64_RELATIVE, R_X86_64_IRELATIVE};
	return (struct relocation_types){R_AARCH64_JUMP_SLOT, R_AARCH64_ABS64, R_AARCH64_GLOB_DAT,
					 R_AARCH64_RELATIVE, R_AARCH64_IRELATIVE};
}

bool tag_is_string(int64_t tag)
{
	switch (tag) {
	case DT_NEEDED:
	case DT_SONAME:
	case DT_RPATH:
	case DT_RUNPATH:
	case DT_CONFIG:
	case DT_DEPAUDIT:
	case DT_AUDIT:
	case DT_AUXILIARY:
	case DT_FILTER:
		return true;
	}
	return false;
}

struct string_walk {
	const struct image *image;
	void (*found)(void *context, enum string_field field, uint64_t vaddr, uint32_t offset);
	void *context;
};

static bool walk_need(struct string_walk *walk, uint64_t vaddr, const Elf64_Verneed *need)
{
	uint64_t at = vaddr + need->vn_aux;
	Elf64_Vernaux aux;
	unsigned i;

	walk->found(walk->context, FIELD_NEED_FILE, vaddr + offsetof(Elf64_Verneed, vn_file), need->vn_file);
	for (i = 0; i < need->vn_cnt; i++) {
		if (!image_read(walk->image, at, &aux, sizeof aux) ||
		    !aux.vna_next != (i + 1 == need->vn_cnt))
			return false;
		walk->found(walk->context, FIELD_NEED_VERSION, at + offsetof(Elf64_Vernaux, vna_name),
			    aux.vna_name);
		at += aux.vna_next;
	}
	return true;
}

static bool walk_needs(struct string_walk *walk)
{
	uint64_t vaddr, nr, i;
	Elf64_Verneed need;

	if (!image_tag(walk->image, DT_VERNEED, &vaddr))
		return true;
	if (!image_tag(walk->image, DT_VERNEEDNUM, &nr))
		return false;
	for (i = 0; i < nr; i++) {
		if (!image_read(walk->image, vaddr, &need, sizeof need) || !walk_need(walk, vaddr, &need))
			return false;
		if (!need.vn_next)
			return i + 1 == nr;
		vaddr += need.vn_next;
	}
	return false;
}

static bool walk_definition(struct string_walk *walk, uint64_t vaddr, const Elf64_Verdef *def)
{
	uint64_t at = vaddr + def->vd_aux;
	Elf64_Verdaux aux;
	unsigned i;

	for (i = 0; i < def->vd_cnt; i++) {
		if (!image_read(walk->image, at, &aux, sizeof aux) || !aux.vda_next != (i + 1 == def->vd_cnt))
			return false;
		walk->found(walk->context, FIELD_DEFINITION, at + offsetof(Elf64_Verdaux, vda_name),
			    aux.vda_name);
		at += aux.vda_next;
	}
	return true;
}

static bool walk_definitions(struct string_walk *walk)
{
	uint64_t vaddr, nr, i;
	Elf64_Verdef def;

	if (!image_tag(walk->image, DT_VERDEF, &vaddr))
		return true;
	if (!image_tag(walk->image, DT_VERDEFNUM, &nr))
		return false;
	for (i = 0; i < nr; i++) {
		if (!image_read(walk->image, vaddr, &def, sizeof def) || !walk_definition(walk, vaddr, &def))
			return false;
		if (!def.vd_next)
			return i + 1 == nr;
		vaddr += def.vd_next;
	}
	return false;
}

static bool walk_symbols(struct string_walk *walk)
{
	const struct image *image = walk->image;
	struct span table;
	Elf64_Sym symbol;
	size_t i;

	if (!image_at(image, image->symtab, image->nr_symbols * sizeof symbol, &table))
		return !image->nr_symbols;
	for (i = 0; i < image->nr_symbols; i++) {
		memcpy(&symbol, table.p + i * sizeof symbol, sizeof symbol);
		walk->found(walk->context, FIELD_SYMBOL,
			    image->symtab + i * sizeof symbol + offsetof(Elf64_Sym, st_name), symbol.st_name);
	}
	return true;
}

bool image_each_version_field(const struct image *image,
			      void (*found)(void *context, enum string_field field, uint64_t vaddr,
					    uint32_t offset),
			      void *context)
{
	struct string_walk walk = {image, found, context};

	return walk_needs(&walk) && walk_definitions(&walk);
}

bool image_each_string_field(const struct image *image,
			     void (*found)(void *context, enum string_field field, uint64_t vaddr,
					   uint32_t offset),
			     void *context)
{
	struct string_walk walk = {image, found, context};

	return walk_needs(&walk) && walk_definitions(&walk) && walk_symbols(&walk);
}

/* DT_RELR: an even word is a place; an odd one has a bit for each of the 63
 * words behind the last (gABI, "Relative relocation table"). */
void image_each_packed(const struct image *image, void (*found)(void *context, uint64_t place), void *context)
{
	uint64_t vaddr, size, i, word, next = 0;
	struct span table;
	unsigned bit;

	if (!image_tag(image, DT_RELR, &vaddr) || !image_tag(image, DT_RELRSZ, &size) ||
	    !image_at(image, vaddr, size, &table))
		return;
	for (i = 0; i + sizeof word <= size; i += sizeof word) {
		memcpy(&word, table.p + i, sizeof word);
		if (!(word & 1)) {
			found(context, word);
			next = word + sizeof word;
			continue;
		}
		for (bit = 1; bit < 64; bit++)
			if (word >> bit & 1)
				found(context, next + (bit - 1) * sizeof word);
		next += 63 * sizeof word;
	}
}
