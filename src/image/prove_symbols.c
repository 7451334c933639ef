/*
 * Proving that a file without some symbols is the old one otherwise.
 *
 * Nothing here knows how the tables were written. Both files are asked what a
 * loader would ask them:
 *
 *	the list      symbols that are not gone are those of the new table, in
 *	              order, the same but for their section's number
 *	look-ups      each name, with its version, by both kinds of hash table: the
 *	              new file finds what the old one found, or nothing where that is
 *	              gone (glibc, elf/dl-lookup.c; musl, ldso/dynlink.c)
 *	relocations   one by one: the same place, type, symbol and addend, unless
 *	              the symbol is gone or the relocation was patched
 */
#include "image/image.h"

enum { NONE = 0 }; /* symbol 0: none */

/* One file's tables of symbols, and where to look them up; 0: there is none. */
struct side {
	const struct image *image;
	struct span symbols, versions;
	uint64_t gnu_hash, sysv_hash;
};

struct comparison {
	struct arena *arena;
	const struct cuts *cuts;
	struct side old, new;
	uint32_t *place; /* old symbol -> new one; NONE: gone */
	struct error *err;
};

static int fail(const struct comparison *comparison, const char *what, size_t symbol)
{
	return error_add(comparison->err, ERROR_VERIFY, "dynamic symbol %zu: %s", symbol, what);
}

static bool is_gone(const struct comparison *comparison, size_t symbol)
{
	return cuts_symbol(comparison->cuts, symbol);
}

static Elf64_Sym symbol_at(const struct side *side, size_t i)
{
	Elf64_Sym symbol = {0};

	span_read(side->symbols, i * sizeof symbol, &symbol, sizeof symbol);
	return symbol;
}

static uint16_t version_at(const struct side *side, size_t i)
{
	uint16_t version = 0;

	span_read(side->versions, i * sizeof version, &version, sizeof version);
	return version;
}

static const char *name_at(const struct side *side, size_t i)
{
	return span_string(side->image->strings, symbol_at(side, i).st_name);
}

static bool open_side(struct side *side, const struct image *image)
{
	uint64_t versions;

	*side = (struct side){.image = image};
	image_tag(image, DT_GNU_HASH, &side->gnu_hash);
	image_tag(image, DT_HASH, &side->sysv_hash);
	if (image_tag(image, DT_VERSYM, &versions) &&
	    !image_at(image, versions, image->nr_symbols * sizeof(uint16_t), &side->versions))
		return false;
	return !image->nr_symbols ||
	       image_at(image, image->symtab, image->nr_symbols * sizeof(Elf64_Sym), &side->symbols);
}

/* --------- the list ------------------ */

/* Sections are numbered anew; whether there is one, and which of the reserved
 * ones it is, stays. */
static bool same_section(uint16_t a, uint16_t b)
{
	if (a == SHN_UNDEF || a >= SHN_LORESERVE)
		return a == b;
	return b != SHN_UNDEF && b < SHN_LORESERVE;
}

static bool same_symbol(const struct comparison *comparison, size_t i, size_t k)
{
	Elf64_Sym a = symbol_at(&comparison->old, i), b = symbol_at(&comparison->new, k);
	const char *before = name_at(&comparison->old, i), *after = name_at(&comparison->new, k);

	return before && after && !strcmp(before, after) && a.st_value == b.st_value &&
	       a.st_size == b.st_size && a.st_info == b.st_info && a.st_other == b.st_other &&
	       same_section(a.st_shndx, b.st_shndx) &&
	       version_at(&comparison->old, i) == version_at(&comparison->new, k);
}

static int compare_lists(struct comparison *comparison)
{
	size_t nr = comparison->new.image->nr_symbols, i, k = 0;

	for (i = 0; i < comparison->old.image->nr_symbols; i++) {
		if (is_gone(comparison, i))
			continue;
		if (k == nr || !same_symbol(comparison, i, k))
			return fail(comparison, "it is another one in the new file", i);
		comparison->place[i] = (uint32_t)k++;
	}
	if (k != nr || !comparison->old.versions.p != !comparison->new.versions.p)
		return error_add(comparison->err, ERROR_VERIFY, "dynamic symbols are new");
	return 0;
}

/* --------- look-ups ------------------ */

struct sought {
	const char *name;
	uint16_t version; /* its index, without the bit that hides it */
};

static bool is_sought(const struct side *side, size_t i, const struct sought *sought)
{
	const char *name = i < side->image->nr_symbols ? name_at(side, i) : NULL;

	return name && symbol_at(side, i).st_shndx != SHN_UNDEF &&
	       (version_at(side, i) & 0x7fff) == sought->version && !strcmp(name, sought->name);
}

static uint32_t word_at(const struct side *side, uint64_t vaddr, uint64_t i)
{
	uint32_t word = 0;

	image_read(side->image, vaddr + i * sizeof word, &word, sizeof word);
	return word;
}

/* The words of the header: buckets, first symbol, words of the filter, shift. */
static size_t find_gnu(const struct side *side, const struct sought *sought)
{
	uint32_t hash = name_hash_gnu(sought->name), header[4], i, word;
	uint64_t filter = side->gnu_hash + sizeof header, buckets, chains, bits;

	if (!side->gnu_hash || !image_read(side->image, side->gnu_hash, header, sizeof header) ||
	    !header[0] ||
	    !image_read(side->image, filter + (hash / 64 & (header[2] - 1)) * 8ull, &bits, sizeof bits) ||
	    !(bits >> hash % 64 & bits >> (hash >> header[3] % 32) % 64 & 1))
		return NONE;
	buckets = filter + 8ull * header[2];
	chains = buckets + 4ull * header[0];
	i = word_at(side, buckets, hash % header[0]);
	if (i < header[1])
		return NONE;
	do {
		word = word_at(side, chains, i - header[1]);
		if ((word | 1) == (hash | 1) && is_sought(side, i, sought))
			return i;
	} while (++i <= side->image->nr_symbols && !(word & 1));
	return NONE;
}

/* A chain longer than there are symbols goes round in a circle. */
static size_t find_sysv(const struct side *side, const struct sought *sought)
{
	uint32_t header[2], i;
	uint64_t buckets = side->sysv_hash + sizeof header, chains;
	size_t steps = side->image->nr_symbols;

	if (!side->sysv_hash || !image_read(side->image, side->sysv_hash, header, sizeof header) ||
	    !header[0])
		return NONE;
	chains = buckets + 4ull * header[0];
	i = word_at(side, buckets, name_hash_sysv(sought->name) % header[0]);
	for (; i && steps; i = word_at(side, chains, i), steps--)
		if (is_sought(side, i, sought))
			return i;
	return NONE;
}

/* The new file finds what the old one found. */
static int compare_lookup(const struct comparison *comparison, size_t i,
			  size_t (*find)(const struct side *side, const struct sought *sought))
{
	struct sought sought = {name_at(&comparison->old, i), version_at(&comparison->old, i) & 0x7fff};
	size_t before, after;

	if (!sought.name)
		return fail(comparison, "it has no name", i);
	before = find(&comparison->old, &sought);
	after = find(&comparison->new, &sought);
	if (is_gone(comparison, i) && after != NONE)
		return fail(comparison, "it is found in the new file, and should be gone", i);
	if (before != NONE && after != comparison->place[before])
		return fail(comparison, "a look-up finds another one in the new file", i);
	if (before == NONE && after != NONE)
		return fail(comparison, "it is found in the new file only", i);
	return 0;
}

static int compare_lookups(const struct comparison *comparison)
{
	size_t i;

	if (!comparison->old.gnu_hash != !comparison->new.gnu_hash ||
	    !comparison->old.sysv_hash != !comparison->new.sysv_hash)
		return error_add(comparison->err, ERROR_VERIFY, "a hash table is missing or new");
	for (i = 1; i < comparison->old.image->nr_symbols; i++) {
		if (symbol_at(&comparison->old, i).st_shndx == SHN_UNDEF)
			continue;
		if (compare_lookup(comparison, i, find_gnu) || compare_lookup(comparison, i, find_sysv))
			return ERROR_VERIFY;
	}
	return 0;
}

/* --------- relocations ------------------ */

/* A table of the old file with the patches that were asked for. */
static uint8_t *patched(const struct comparison *comparison, uint64_t vaddr, struct span table)
{
	uint8_t *copy = arena_memdup(comparison->arena, table.p, table.n);
	size_t i, k;

	for (i = 0; i < comparison->cuts->nr_patches; i++) {
		const struct patch *patch = &comparison->cuts->patches[i];

		for (k = 0; k < patch->bytes.n; k++)
			if (patch->vaddr + k - vaddr < table.n)
				copy[patch->vaddr + k - vaddr] = patch->bytes.p[k];
	}
	return copy;
}

/* What it has to be in the new file. */
static Elf64_Rela expected(const struct comparison *comparison, Elf64_Rela rela)
{
	struct relocation_types types = image_relocation_types(comparison->old.image);
	uint64_t symbol = ELF64_R_SYM(rela.r_info);
	uint32_t type = ELF64_R_TYPE(rela.r_info);

	if (!symbol || symbol >= comparison->old.image->nr_symbols)
		return rela;
	if (!is_gone(comparison, symbol)) {
		rela.r_info = ELF64_R_INFO((uint64_t)comparison->place[symbol], type);
		return rela;
	}
	rela.r_info = type == types.jump_slot || type == types.relative ? ELF64_R_INFO(0ull, type) : 0;
	if (type == types.pointer || type == types.global) {
		rela.r_info = ELF64_R_INFO(0ull, types.relative);
		rela.r_addend += (int64_t)symbol_at(&comparison->old, symbol).st_value;
	}
	return rela;
}

static int compare_table(const struct comparison *comparison, uint64_t vaddr, struct span old,
			 struct span new)
{
	const uint8_t *bytes = patched(comparison, vaddr, old);
	Elf64_Rela want, is;
	uint64_t i;

	for (i = 0; i + sizeof want <= old.n; i += sizeof want) {
		unsigned long long at = vaddr + i;

		memcpy(&want, bytes + i, sizeof want);
		memcpy(&is, new.p + i, sizeof is);
		want = expected(comparison, want);
		if (memcmp(&want, &is, sizeof is) != 0)
			return error_add(comparison->err, ERROR_VERIFY,
					 "the relocation at %#llx is another one in the new file", at);
	}
	return 0;
}

static bool table_at(const struct side *side, int64_t tag, int64_t size_tag, uint64_t *vaddr,
		     struct span *table)
{
	uint64_t size = 0;

	*vaddr = 0;
	*table = (struct span){0};
	image_tag(side->image, size_tag, &size);
	return !image_tag(side->image, tag, vaddr) || !size || image_at(side->image, *vaddr, size, table);
}

static int compare_relocations(const struct comparison *comparison, int64_t tag, int64_t size_tag)
{
	uint64_t before, after;
	struct span old, new;

	if (!table_at(&comparison->old, tag, size_tag, &before, &old) ||
	    !table_at(&comparison->new, tag, size_tag, &after, &new) || before != after || old.n != new.n)
		return error_add(comparison->err, ERROR_VERIFY, "a table of relocations is another one");
	return compare_table(comparison, before, old, new);
}

/* glibc takes that many for RELATIVE without looking (elf/do-rel.h). */
static int check_relative(const struct comparison *comparison)
{
	uint32_t relative = image_relocation_types(comparison->new.image).relative;
	uint64_t vaddr, counted, i;
	Elf64_Rela old, new;

	if (!image_tag(comparison->new.image, DT_RELA, &vaddr) ||
	    !image_tag(comparison->new.image, DT_RELACOUNT, &counted))
		return 0;
	for (i = 0; i < counted; i++) {
		if (!image_read(comparison->old.image, vaddr + i * sizeof old, &old, sizeof old) ||
		    !image_read(comparison->new.image, vaddr + i * sizeof new, &new, sizeof new))
			break;
		if (ELF64_R_TYPE(old.r_info) == relative && ELF64_R_TYPE(new.r_info) != relative)
			return error_add(comparison->err, ERROR_VERIFY,
					 "the count of relative relocations is wrong");
	}
	return 0;
}

int prove_symbols(struct arena *arena, const struct image *old, const struct image *new,
		  const struct cuts *cuts, struct error *err)
{
	struct comparison comparison = {.arena = arena, .cuts = cuts, .err = err};

	comparison.place = arena_array(arena, old->nr_symbols, sizeof *comparison.place);
	if (!open_side(&comparison.old, old) || !open_side(&comparison.new, new))
		return error_add(err, ERROR_VERIFY, "the dynamic symbols are not loaded any more");
	if (compare_lists(&comparison) || compare_lookups(&comparison) ||
	    compare_relocations(&comparison, DT_RELA, DT_RELASZ) ||
	    compare_relocations(&comparison, DT_JMPREL, DT_PLTRELSZ))
		return ERROR_VERIFY;
	return check_relative(&comparison);
}
