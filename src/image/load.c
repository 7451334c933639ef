/*
 * Reading a linked ELF file into struct image.
 *
 * Everything later parts rely on is checked here once: the tables lie inside
 * the file, loadable segments ascend and do not overlap (gABI, Program
 * Loading: "PT_LOAD entries ... appear in ascending order, sorted on
 * p_vaddr"), the dynamic table and its strings are loaded from the file, and
 * section headers agree with the segments that hold them. What fails a check
 * is refused, never repaired.
 */
#include "image/image.h"

/* Of a section, with its NUL. Thousands of longer ones that share their ends would take
 * minutes to read. */
enum { LONGEST_NAME = 1024 };

static int refuse(struct error *err, const char *why)
{
	return error_add(err, ERROR_REFUSED, "%s", why);
}

const Elf64_Phdr *image_load_before(const struct image *image, uint64_t vaddr)
{
	size_t low = 0, high = image->nr_loads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (image->loads[middle].p_vaddr > vaddr)
			high = middle;
		else
			low = middle + 1;
	}
	return low ? &image->loads[low - 1] : NULL;
}

bool image_at(const struct image *image, uint64_t vaddr, uint64_t length, struct span *out)
{
	const Elf64_Phdr *load = image_load_before(image, vaddr);
	struct span segment;

	return load && span_sub(image->file, load->p_offset, load->p_filesz, &segment) &&
	       span_sub(segment, vaddr - load->p_vaddr, length, out);
}

bool image_read(const struct image *image, uint64_t vaddr, void *to, size_t n)
{
	struct span bytes;

	if (!image_at(image, vaddr, n, &bytes))
		return false;
	memcpy(to, bytes.p, n);
	return true;
}

const Elf64_Phdr *image_phdrs_load(const struct image *image)
{
	uint64_t from = image->ehdr.e_phoff, to = from + image->nr_phdrs * sizeof(Elf64_Phdr);
	size_t i;

	for (i = 0; i < image->nr_loads; i++) {
		const Elf64_Phdr *load = &image->loads[i];

		if (from >= load->p_offset && to <= load->p_offset + load->p_filesz)
			return load;
	}
	return NULL;
}

bool image_in_headers(const struct image *image, uint64_t vaddr, uint64_t size)
{
	const Elf64_Phdr *load = image_phdrs_load(image);
	uint64_t first = image->loads[0].p_vaddr;
	uint64_t table = load ? load->p_vaddr + (image->ehdr.e_phoff - load->p_offset) : first;
	uint64_t table_size = load ? image->nr_phdrs * sizeof(Elf64_Phdr) : 0;

	return (vaddr < first + sizeof(Elf64_Ehdr) && first < vaddr + size) ||
	       (vaddr < table + table_size && table < vaddr + size);
}

const Elf64_Phdr *image_phdr(const struct image *image, uint32_t type)
{
	size_t i;

	for (i = 0; i < image->nr_phdrs; i++)
		if (image->phdrs[i].p_type == type)
			return &image->phdrs[i];
	return NULL;
}

static bool in_table(const struct image *image, const Elf64_Phdr *phdr)
{
	uint64_t from = image->ehdr.e_phoff, to = from + image->nr_phdrs * sizeof(Elf64_Phdr);

	return phdr->p_offset < to && phdr->p_offset + phdr->p_filesz > from;
}

const Elf64_Shdr *image_misplaced_note(const struct image *image, const Elf64_Phdr *phdr)
{
	const Elf64_Shdr *found = NULL;
	size_t i;

	if (phdr->p_type != PT_NOTE || !phdr->p_filesz || !in_table(image, phdr))
		return NULL;
	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (shdr->sh_type != SHT_NOTE || !(shdr->sh_flags & SHF_ALLOC) ||
		    shdr->sh_size != phdr->p_filesz)
			continue;
		if (found)
			return NULL;
		found = shdr;
	}
	return found;
}

bool image_tag(const struct image *image, int64_t tag, uint64_t *value)
{
	size_t i;

	for (i = 0; i < image->nr_tags; i++) {
		if (image->dynamic[i].d_tag == tag) {
			*value = image->dynamic[i].d_un.d_val;
			return true;
		}
	}
	return false;
}

const char *image_section_name(const struct image *image, const Elf64_Shdr *shdr)
{
	struct span names = image->shstrtab;
	const char *name;

	if (shdr->sh_name < names.n && names.n - shdr->sh_name > LONGEST_NAME)
		names.n = shdr->sh_name + LONGEST_NAME;
	name = span_string(names, shdr->sh_name);

	return name ? name : "";
}

bool section_is_movable(const Elf64_Shdr *shdr)
{
	switch (shdr->sh_type) {
	case SHT_DYNAMIC:
	case SHT_DYNSYM:
	case SHT_STRTAB:
	case SHT_HASH:
	case SHT_GNU_HASH:
	case SHT_GNU_versym:
	case SHT_GNU_verdef:
	case SHT_GNU_verneed:
	case SHT_NOTE:
	case SHT_RELA:
	case SHT_RELR:
		return true;
	}
	return false;
}

static int load_header(struct image *image, struct error *err)
{
	Elf64_Ehdr *ehdr = &image->ehdr;

	if (!span_read(image->file, 0, ehdr, sizeof *ehdr) || memcmp(ehdr->e_ident, ELFMAG, SELFMAG))
		return refuse(err, "not an ELF file");
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64 || ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(err, "not 64-bit little-endian");
	if (ehdr->e_machine != EM_X86_64 && ehdr->e_machine != EM_AARCH64)
		return refuse(err, "machine is neither x86-64 nor AArch64");
	if (ehdr->e_type != ET_DYN)
		return refuse(err, "not a shared object");
	if (ehdr->e_phentsize != sizeof(Elf64_Phdr) || ehdr->e_phnum == PN_XNUM)
		return refuse(err, "unusual program header table");
	if (ehdr->e_shnum && ehdr->e_shentsize != sizeof(Elf64_Shdr))
		return refuse(err, "unusual section header table");
	return 0;
}

static int load_phdrs(struct arena *arena, struct image *image, struct error *err)
{
	image->nr_phdrs = image->ehdr.e_phnum;
	image->phdrs = arena_array(arena, image->nr_phdrs, sizeof *image->phdrs);
	if (!span_read(image->file, image->ehdr.e_phoff, image->phdrs,
		       image->nr_phdrs * sizeof *image->phdrs))
		return refuse(err, "program headers lie beyond the end of the file");
	return 0;
}

static int check_load(const struct image *image, const Elf64_Phdr *load, struct error *err)
{
	struct span bytes;

	if (load->p_filesz > load->p_memsz)
		return refuse(err, "a segment is larger in the file than in memory");
	if (!span_sub(image->file, load->p_offset, load->p_filesz, &bytes))
		return refuse(err, "a segment lies beyond the end of the file");
	if (load->p_vaddr + load->p_memsz < load->p_vaddr || load->p_vaddr + load->p_memsz > INT64_MAX)
		return refuse(err, "a segment wraps around the address space");
	if (load->p_align & (load->p_align - 1))
		return refuse(err, "a segment's alignment is not a power of two");
	if (load->p_align > 1 && (load->p_vaddr - load->p_offset) % load->p_align)
		return refuse(err, "a segment's file offset is not congruent to its address (broken by an "
				   "earlier strip?)");
	return 0;
}

static int load_loads(struct arena *arena, struct image *image, struct error *err)
{
	uint64_t end = 0;
	size_t i;

	image->loads = arena_array(arena, image->nr_phdrs, sizeof *image->loads);
	for (i = 0; i < image->nr_phdrs; i++) {
		const Elf64_Phdr *phdr = &image->phdrs[i];

		if (phdr->p_type != PT_LOAD)
			continue;
		if (check_load(image, phdr, err))
			return ERROR_REFUSED;
		if (image->nr_loads && phdr->p_vaddr < end)
			return refuse(err, "loadable segments overlap or are not in order");
		end = phdr->p_vaddr + phdr->p_memsz;
		image->loads[image->nr_loads++] = *phdr;
	}
	if (!image->nr_loads)
		return refuse(err, "no loadable segment");
	if (image->loads[0].p_offset || image->loads[0].p_filesz < sizeof(Elf64_Ehdr))
		return refuse(err, "the first segment does not hold the ELF header");
	return 0;
}

/* A loaded section must lie in one segment at the offset its address says. */
static int check_section(const struct image *image, const Elf64_Shdr *shdr, struct error *err)
{
	struct span bytes, loaded;

	if (shdr->sh_type == SHT_NOBITS || shdr->sh_type == SHT_NULL)
		return 0;
	if (!span_sub(image->file, shdr->sh_offset, shdr->sh_size, &bytes))
		return refuse(err, "a section lies beyond the end of the file");
	if (!(shdr->sh_flags & SHF_ALLOC) || !shdr->sh_size)
		return 0;
	if (!image_at(image, shdr->sh_addr, shdr->sh_size, &loaded) || loaded.p != bytes.p)
		return refuse(err, "section headers disagree with segments");
	return 0;
}

/* What other program headers describe must be loaded bytes, so that they can
 * follow them. */
static int check_described(const struct image *image, struct error *err)
{
	struct span loaded, bytes;
	size_t i;

	for (i = 0; i < image->nr_phdrs; i++) {
		const Elf64_Phdr *phdr = &image->phdrs[i];

		if (phdr->p_type == PT_LOAD || phdr->p_type == PT_NULL || !phdr->p_filesz)
			continue;
		if (!span_sub(image->file, phdr->p_offset, phdr->p_filesz, &bytes) ||
		    !image_at(image, phdr->p_vaddr, phdr->p_filesz, &loaded) || loaded.p != bytes.p)
			return refuse(err, "a program header describes bytes that are not loaded");
	}
	return 0;
}

static int load_sections(struct arena *arena, struct image *image, struct error *err)
{
	const Elf64_Ehdr *ehdr = &image->ehdr;
	size_t i;

	if (!ehdr->e_shoff || !ehdr->e_shnum)
		return ehdr->e_shoff ? refuse(err, "unusual section header table") : 0;
	image->nr_shdrs = ehdr->e_shnum;
	image->shdrs = arena_array(arena, image->nr_shdrs, sizeof *image->shdrs);
	if (!span_read(image->file, ehdr->e_shoff, image->shdrs, image->nr_shdrs * sizeof *image->shdrs))
		return refuse(err, "section headers lie beyond the end of the file");
	if (ehdr->e_shstrndx >= image->nr_shdrs || image->shdrs[ehdr->e_shstrndx].sh_type != SHT_STRTAB)
		return refuse(err, "no section name table");
	for (i = 1; i < image->nr_shdrs; i++)
		if (check_section(image, &image->shdrs[i], err))
			return ERROR_REFUSED;
	if (!span_sub(image->file, image->shdrs[ehdr->e_shstrndx].sh_offset,
		      image->shdrs[ehdr->e_shstrndx].sh_size, &image->shstrtab))
		return refuse(err, "section names lie beyond the end of the file");
	return 0;
}

static int load_dynamic(struct arena *arena, struct image *image, struct error *err)
{
	struct span bytes;
	size_t i, found = 0;

	for (i = 0; i < image->nr_phdrs; i++) {
		if (image->phdrs[i].p_type == PT_DYNAMIC) {
			image->dynamic_phdr = image->phdrs[i];
			found++;
		}
	}
	if (found != 1)
		return refuse(err, found ? "more than one dynamic segment" : "not dynamically linked");
	image->nr_dynamic = image->dynamic_phdr.p_filesz / sizeof(Elf64_Dyn);
	if (!image_at(image, image->dynamic_phdr.p_vaddr, image->nr_dynamic * sizeof(Elf64_Dyn), &bytes))
		return refuse(err, "the dynamic table is not loaded from the file");
	image->dynamic = arena_memdup(arena, bytes.p, bytes.n);
	while (image->nr_tags < image->nr_dynamic && image->dynamic[image->nr_tags].d_tag != DT_NULL)
		image->nr_tags++;
	if (image->nr_tags == image->nr_dynamic)
		return refuse(err, "the dynamic table does not end");
	return 0;
}

static int load_strings(struct image *image, struct error *err)
{
	uint64_t size;

	if (!image_tag(image, DT_STRTAB, &image->strtab) || !image_tag(image, DT_STRSZ, &size) ||
	    !image_at(image, image->strtab, size, &image->strings))
		return refuse(err, "the dynamic string table is not loaded from the file");
	return 0;
}

static uint32_t word_at(struct span words, size_t i)
{
	uint32_t word;

	memcpy(&word, words.p + i * sizeof word, sizeof word);
	return word;
}

/* Where the chain of the last symbols begins: the bucket that starts highest. */
static uint32_t highest_bucket(struct span buckets)
{
	uint32_t highest = 0;
	size_t i;

	for (i = 0; i < buckets.n / sizeof highest; i++)
		if (word_at(buckets, i) > highest)
			highest = word_at(buckets, i);
	return highest;
}

/* Symbols reachable through DT_GNU_HASH: up to the end of that chain. 0 when
 * the table is broken. */
static size_t count_gnu_hash(const struct image *image, uint64_t table)
{
	uint32_t header[4]; /* buckets, first symbol, words of the filter, its shift */
	uint64_t buckets, chains;
	struct span words;
	uint32_t i;

	if (!image_read(image, table, header, sizeof header))
		return 0;
	buckets = table + sizeof header + (uint64_t)header[2] * sizeof(uint64_t);
	chains = buckets + (uint64_t)header[0] * sizeof(uint32_t);
	if (!image_at(image, buckets, (uint64_t)header[0] * sizeof(uint32_t), &words))
		return 0;
	i = highest_bucket(words);
	if (i < header[1])
		return header[1];
	/* The last word of a chain is odd. */
	for (;; i++) {
		if (!image_at(image, chains + (uint64_t)(i - header[1]) * sizeof(uint32_t), sizeof(uint32_t),
			      &words))
			return 0;
		if (word_at(words, 0) & 1)
			return (size_t)i + 1;
	}
}

/* The dynamic symbol table has no size of its own: its section header, either
 * hash table, whichever says most. */
static int count_symbols(struct image *image, struct error *err)
{
	uint64_t table;
	struct span bytes;
	uint32_t hash[2];
	size_t i, nr = 0;

	if (!image_tag(image, DT_SYMTAB, &image->symtab))
		return 0;
	for (i = 1; i < image->nr_shdrs; i++)
		if (image->shdrs[i].sh_type == SHT_DYNSYM && image->shdrs[i].sh_addr == image->symtab)
			nr = image->shdrs[i].sh_size / sizeof(Elf64_Sym);
	if (image_tag(image, DT_HASH, &table) && image_at(image, table, sizeof hash, &bytes)) {
		memcpy(hash, bytes.p, sizeof hash);
		nr = hash[1] > nr ? hash[1] : nr;
	}
	if (image_tag(image, DT_GNU_HASH, &table)) {
		size_t reached = count_gnu_hash(image, table);

		nr = reached > nr ? reached : nr;
	}
	if (!image_at(image, image->symtab, nr * sizeof(Elf64_Sym), &bytes))
		return refuse(err, "the dynamic symbol table is not loaded from the file");
	image->nr_symbols = nr;
	return 0;
}

int image_load(struct arena *arena, struct span file, struct image *image, struct error *err)
{
	*image = (struct image){.file = file};
	if (load_header(image, err) || load_phdrs(arena, image, err) || load_loads(arena, image, err) ||
	    check_described(image, err) || load_sections(arena, image, err) ||
	    load_dynamic(arena, image, err) || load_strings(image, err) || count_symbols(image, err) ||
	    image_check_tables(image, err))
		return ERROR_REFUSED;
	return 0;
}
