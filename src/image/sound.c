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

static bool may_repeat(int64_t tag)
{
	return tag == DT_NEEDED || tag == DT_AUXILIARY || tag == DT_FILTER;
}

static int check_tags(const struct image *image, struct error *err)
{
	size_t i, j;

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
	return 0;
}

static bool in_segments(const struct image *image, uint64_t vaddr, uint64_t size)
{
	size_t i;

	for (i = 0; i < image->nr_loads; i++)
		if (vaddr >= image->loads[i].p_vaddr &&
		    vaddr - image->loads[i].p_vaddr <= image->loads[i].p_memsz &&
		    size <= image->loads[i].p_memsz - (vaddr - image->loads[i].p_vaddr))
			return true;
	return false;
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

	if (!image_tag(image, tag, &vaddr) || !image_tag(image, size_tag, &size) ||
	    !image_at(image, vaddr, size, &bytes))
		return 0;
	for (i = 0; i + sizeof rela <= size; i += sizeof rela) {
		memcpy(&rela, bytes.p + i, sizeof rela);
		if (writes_nothing(&rela))
			continue;
		if (!in_segments(image, rela.r_offset, 1))
			return refuse(err, "a relocation writes outside the image");
		/* Hash tables alone do not count imported symbols. */
		if (image->nr_shdrs && ELF64_R_SYM(rela.r_info) &&
		    ELF64_R_SYM(rela.r_info) >= image->nr_symbols)
			return refuse(err, "a relocation names a symbol that is not there");
	}
	return 0;
}

static void ignore_field(void *context, enum string_field field, uint64_t vaddr, uint32_t offset)
{
	(void)context;
	(void)field;
	(void)vaddr;
	(void)offset;
}

int image_check_tables(const struct image *image, struct error *err)
{
	size_t i;

	if (check_tags(image, err) || check_strings(image, err))
		return ERROR_REFUSED;
	for (i = 0; i < sizeof tables / sizeof *tables; i++)
		if (check_table(image, &tables[i], err))
			return ERROR_REFUSED;
	if (check_relocations(image, DT_RELA, DT_RELASZ, err) ||
	    check_relocations(image, DT_JMPREL, DT_PLTRELSZ, err))
		return ERROR_REFUSED;
	if (!image_each_version_field(image, ignore_field, NULL))
		return refuse(err, "a version table and its count disagree");
	return 0;
}
