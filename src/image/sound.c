/*
 * Whether the tables of an image are what a loader will take them for.
 *
 * A loader believes the dynamic table and reads the rest through it, without
 * looking at sections or counts: glibc takes the last of two equal tags, walks
 * version lists by their links alone (elf/dl-version.c), and writes wherever a
 * relocation says. Where sofold would have to choose between two answers, it
 * could free a byte the loader still reads. So every table must lie in one
 * segment, have one size by every account, and keep to itself.
 */
#include "image/image.h"

static int refuse(struct error *err, const char *why)
{
	return error_add(err, ERROR_REFUSED, "%s", why);
}

/* Each is compared with all others, and looked for one by one. */
enum { MOST_TAGS = 16384 };

static bool may_repeat(int64_t tag)
{
	return tag == DT_NEEDED || tag == DT_AUXILIARY || tag == DT_FILTER;
}

static int check_tags(const struct image *image, struct error *err)
{
	size_t i, j;

	if (image->nr_tags > MOST_TAGS)
		return refuse(err, "it has too many dynamic entries");
	for (i = 0; i < image->nr_tags; i++)
		for (j = 0; j < i && !may_repeat(image->dynamic[i].d_tag); j++)
			if (image->dynamic[i].d_tag == image->dynamic[j].d_tag)
				return refuse(err, "a dynamic entry stands there twice");
	return 0;
}

/* Tables with their size in a tag of its own, and the size of an entry. */
static const struct table {
	int64_t tag, size_tag, entry_tag;
	uint64_t entry; /* bytes */
} tables[] = {
	{DT_RELA, DT_RELASZ, DT_RELAENT, sizeof(Elf64_Rela)},
	{DT_JMPREL, DT_PLTRELSZ, 0, sizeof(Elf64_Rela)},
	{DT_RELR, DT_RELRSZ, DT_RELRENT, sizeof(Elf64_Relr)},
	{DT_INIT_ARRAY, DT_INIT_ARRAYSZ, 0, sizeof(Elf64_Addr)},
	{DT_FINI_ARRAY, DT_FINI_ARRAYSZ, 0, sizeof(Elf64_Addr)},
	{DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ, 0, sizeof(Elf64_Addr)},
	{DT_SYMTAB, 0, DT_SYMENT, sizeof(Elf64_Sym)},
};

static int check_table(const struct image *image, const struct table *table, struct error *err)
{
	uint64_t vaddr, size = 0, entry = 0;
	struct span bytes;

	if (!image_tag(image, table->tag, &vaddr))
		return 0;
	if (table->entry_tag && (!image_tag(image, table->entry_tag, &entry) || entry != table->entry))
		return refuse(err, "the entries of a table have an unusual size");
	if (!table->size_tag)
		return 0;
	if (!image_tag(image, table->size_tag, &size) || size % table->entry)
		return refuse(err, "a table's size is missing or no multiple of its entries");
	if (size && !image_at(image, vaddr, size, &bytes))
		return refuse(err, "a table of the dynamic section is not loaded from the file");
	return 0;
}

/* No other table may begin inside the string table: DT_STRSZ would be wrong,
 * and what looks unused could be that table's. */
static int check_strings(const struct image *image, struct error *err)
{
	static const int64_t others[] = {DT_SYMTAB, DT_HASH,	   DT_GNU_HASH,	  DT_RELA,   DT_JMPREL,
					 DT_RELR,   DT_VERSYM,	   DT_VERNEED,	  DT_VERDEF, DT_INIT,
					 DT_FINI,   DT_INIT_ARRAY, DT_FINI_ARRAY, DT_PLTGOT};
	uint64_t vaddr;
	size_t i;

	for (i = 0; i < sizeof others / sizeof *others; i++)
		if (image_tag(image, others[i], &vaddr) && vaddr >= image->strtab &&
		    vaddr < image->strtab + image->strings.n)
			return refuse(err, "a table lies inside the dynamic string table");
	if (image_in_headers(image, image->strtab, image->strings.n))
		return refuse(err, "the dynamic string table reaches over the headers");
	return 0;
}

static bool in_segment(const Elf64_Phdr *load, uint64_t vaddr, uint64_t size)
{
	return load && vaddr >= load->p_vaddr && vaddr - load->p_vaddr <= load->p_memsz &&
	       size <= load->p_memsz - (vaddr - load->p_vaddr);
}

static bool in_segments(const struct image *image, uint64_t vaddr, uint64_t size)
{
	return in_segment(image_load_before(image, vaddr), vaddr, size);
}

/* R_X86_64_NONE and R_AARCH64_NONE: nothing is written. */
static bool writes_nothing(const Elf64_Rela *rela)
{
	return ELF64_R_TYPE(rela->r_info) == 0;
}

static int check_relocations(const struct image *image, int64_t tag, int64_t size_tag, struct error *err)
{
	uint64_t vaddr, size, i;
	struct span bytes;
	Elf64_Rela rela;
	const Elf64_Phdr *last = NULL; /* most write to the same segment as the one before */

	if (!image_tag(image, tag, &vaddr) || !image_tag(image, size_tag, &size) ||
	    !image_at(image, vaddr, size, &bytes))
		return 0;
	for (i = 0; i + sizeof rela <= size; i += sizeof rela) {
		memcpy(&rela, bytes.p + i, sizeof rela);
		if (writes_nothing(&rela))
			continue;
		if (!in_segment(last, rela.r_offset, 1))
			last = image_load_before(image, rela.r_offset);
		if (!in_segment(last, rela.r_offset, 1))
			return refuse(err, "a relocation writes outside the image");
		/* Hash tables alone do not count imported symbols. */
		if (image->nr_shdrs && ELF64_R_SYM(rela.r_info) &&
		    ELF64_R_SYM(rela.r_info) >= image->nr_symbols)
			return refuse(err, "a relocation names a symbol that is not there");
	}
	return 0;
}

/* glibc takes the filter's words modulo their number by masking, and hashes
 * modulo the number of buckets (elf/dl-setup_hash.c, elf/dl-lookup.c). */
static int check_gnu_hash(const struct image *image, struct error *err)
{
	uint32_t header[4]; /* buckets, first symbol, words of the filter, its shift */
	struct span bytes;
	uint64_t vaddr;

	if (!image_tag(image, DT_GNU_HASH, &vaddr))
		return 0;
	if (!image_read(image, vaddr, header, sizeof header) ||
	    !image_at(image, vaddr + sizeof header, header[2] * 8ull + header[0] * 4ull, &bytes))
		return refuse(err, "the hash table is not loaded from the file");
	if (!header[0] || !header[2] || (header[2] & (header[2] - 1)) || header[3] >= 64)
		return refuse(err, "the hash table's header makes no sense");
	return 0;
}

struct versions {
	const struct image *image;
	unsigned highest; /* index any version has */
	bool sound;
};

static void check_version(void *context, enum string_field field, uint64_t vaddr, uint32_t offset)
{
	struct versions *versions = context;
	const char *name = span_string(versions->image->strings, offset);
	Elf64_Vernaux aux;

	if (!name || !*name) {
		versions->sound = false;
		return;
	}
	if (field != FIELD_NEED_VERSION)
		return;
	if (!image_read(versions->image, vaddr - offsetof(Elf64_Vernaux, vna_name), &aux, sizeof aux) ||
	    aux.vna_hash != name_hash_sysv(name))
		versions->sound = false;
	else if ((aux.vna_other & 0x7fffu) > versions->highest)
		versions->highest = aux.vna_other & 0x7fffu;
}

static void count_definitions(struct versions *versions)
{
	uint64_t vaddr, nr;
	Elf64_Verdef def;

	if (!image_tag(versions->image, DT_VERDEF, &vaddr) || !image_tag(versions->image, DT_VERDEFNUM, &nr))
		return;
	for (; nr && image_read(versions->image, vaddr, &def, sizeof def); nr--, vaddr += def.vd_next)
		if ((def.vd_ndx & 0x7fffu) > versions->highest)
			versions->highest = def.vd_ndx & 0x7fffu;
}

/* Each symbol's version must be one there is: loaders index an array by it. */
static bool indexes_are_known(const struct versions *versions)
{
	const struct image *image = versions->image;
	uint16_t index;
	struct span table;
	uint64_t vaddr;
	size_t i;

	if (!image_tag(image, DT_VERSYM, &vaddr))
		return true;
	if (!image_at(image, vaddr, image->nr_symbols * sizeof index, &table))
		return false;
	for (i = 0; i < image->nr_symbols; i++) {
		memcpy(&index, table.p + i * sizeof index, sizeof index);
		if ((index & 0x7fffu) > VER_NDX_GLOBAL && (index & 0x7fffu) > versions->highest)
			return false;
	}
	return true;
}

static int check_versions(const struct image *image, struct error *err)
{
	struct versions versions = {image, 0, true};

	if (!image_each_version_field(image, check_version, &versions))
		return refuse(err, "a version table and its count disagree");
	count_definitions(&versions);
	if (!versions.sound || !indexes_are_known(&versions))
		return refuse(err, "a version table is broken");
	return 0;
}

/* What the loader calls there would be whatever it has mapped behind the image. */
static int check_calls(const struct image *image, struct error *err)
{
	uint64_t vaddr;

	if ((image_tag(image, DT_INIT, &vaddr) && !in_segments(image, vaddr, 1)) ||
	    (image_tag(image, DT_FINI, &vaddr) && !in_segments(image, vaddr, 1)))
		return refuse(err, "a function to call lies outside the image");
	return 0;
}

int image_check_tables(const struct image *image, struct error *err)
{
	size_t i;

	if (check_tags(image, err) || check_strings(image, err) || check_calls(image, err))
		return ERROR_REFUSED;
	for (i = 0; i < sizeof tables / sizeof *tables; i++)
		if (check_table(image, &tables[i], err))
			return ERROR_REFUSED;
	if (check_relocations(image, DT_RELA, DT_RELASZ, err) ||
	    check_relocations(image, DT_JMPREL, DT_PLTRELSZ, err) || check_gnu_hash(image, err))
		return ERROR_REFUSED;
	return check_versions(image, err);
}
