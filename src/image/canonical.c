/*
 * What an image is, apart from what wheel tools have done to it.
 *
 * auditwheel and patchelf give a library a new SONAME, rename what it needs,
 * set its search path, and to make room move .dynstr, .dynamic, .gnu.hash,
 * .dynsym, version tables and notes to new addresses. Two wheels that bundle
 * one build therefore carry different bytes:
 *
 *	scs     .dynstr at 0x1f25000, NEEDED libgfortran-2e0d59d6.so.5
 *	cvxopt  .dynstr at 0x1f26000, NEEDED libgfortran-040039e1.so.5
 *
 * The canonical stream has, in this order: what other segments say (TLS,
 * stack, relro, unwind index); every loaded section that such tools leave in
 * place, with its address; the dynamic symbols in their order, each with its
 * version's name; version definitions; relocations; the dynamic flags. Names
 * take the place of offsets into moved tables. Sections of the linker's are
 * told from moved tables by type, never by name.
 *
 * Symbol order is part of the stream because relocations refer to it, and hash
 * tables because look-ups do.
 */
#include "image/image.h"

struct stream {
	const struct image *image;
	void (*sink)(void *context, struct span bytes);
	void *context;
	const char **versions; /* name of version index i; NULL: none */
	size_t nr_versions;
	bool sound;
};

static void emit(struct stream *stream, const void *bytes, size_t n)
{
	stream->sink(stream->context, (struct span){bytes, n});
}

static void emit_number(struct stream *stream, uint64_t value)
{
	emit(stream, &value, sizeof value);
}

static void emit_text(struct stream *stream, const char *text)
{
	if (!text) {
		stream->sound = false;
		text = "";
	}
	emit(stream, text, strlen(text) + 1);
}

/* In the order of this list, since patchelf sorts program headers. */
static void emit_segments(struct stream *stream)
{
	static const uint32_t types[] = {PT_TLS, PT_GNU_STACK, PT_GNU_RELRO, PT_GNU_EH_FRAME};
	const struct image *image = stream->image;
	size_t i, j;

	emit_number(stream, image->ehdr.e_machine);
	for (i = 0; i < sizeof types / sizeof *types; i++) {
		emit_number(stream, types[i]);
		for (j = 0; j < image->nr_phdrs; j++) {
			const Elf64_Phdr *phdr = &image->phdrs[j];

			if (phdr->p_type != types[i])
				continue;
			emit_number(stream, phdr->p_flags);
			emit_number(stream, phdr->p_vaddr);
			emit_number(stream, phdr->p_memsz);
			emit_number(stream, phdr->p_type == PT_TLS ? phdr->p_align : 0);
		}
	}
}

/* The segment around a section says how its pages are protected and where its
 * zeroed memory ends. Segments of moved tables alone are the tools' own. */
static void emit_segment_of(struct stream *stream, const Elf64_Shdr *shdr)
{
	const struct image *image = stream->image;
	size_t i;

	for (i = 0; i < image->nr_loads; i++) {
		const Elf64_Phdr *load = &image->loads[i];

		if (shdr->sh_addr < load->p_vaddr || shdr->sh_addr >= load->p_vaddr + load->p_memsz)
			continue;
		emit_number(stream, load->p_flags);
		emit_number(stream, load->p_memsz > load->p_filesz ? load->p_vaddr + load->p_memsz : 0);
	}
}

static void emit_sections(struct stream *stream)
{
	const struct image *image = stream->image;
	struct span bytes;
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (!(shdr->sh_flags & SHF_ALLOC) || section_is_movable(shdr))
			continue;
		emit_number(stream, shdr->sh_addr);
		emit_number(stream, shdr->sh_size);
		emit_number(stream, shdr->sh_flags);
		emit_segment_of(stream, shdr);
		if (section_is_loaded(shdr) && image_at(image, shdr->sh_addr, shdr->sh_size, &bytes))
			stream->sink(stream->context, bytes);
	}
}

/* Hash tables move, but their contents depend on the symbols alone. */
static void emit_hashes(struct stream *stream)
{
	const struct image *image = stream->image;
	struct span bytes;
	size_t i;

	for (i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if ((shdr->sh_type == SHT_HASH || shdr->sh_type == SHT_GNU_HASH) && section_is_loaded(shdr) &&
		    image_at(image, shdr->sh_addr, shdr->sh_size, &bytes))
			stream->sink(stream->context, bytes);
	}
}

static void name_version(struct stream *stream, unsigned index, uint32_t name)
{
	index &= 0x7fff; /* VERSYM_HIDDEN */
	if (index < stream->nr_versions)
		stream->versions[index] = span_string(stream->image->strings, name);
}

/* Fills the table of version names from needs; files are left out. */
static void name_needed_version(void *context, enum string_field field, uint64_t vaddr, uint32_t offset)
{
	struct stream *stream = context;
	uint64_t aux = vaddr - offsetof(Elf64_Vernaux, vna_name);
	uint16_t index;

	if (field == FIELD_NEED_VERSION &&
	    image_read(stream->image, aux + offsetof(Elf64_Vernaux, vna_other), &index, sizeof index))
		name_version(stream, index, offset);
}

/* Fills it from definitions and emits those, the base entry (the file's own
 * name, VER_FLG_BASE) left out. */
static void emit_definitions(struct stream *stream)
{
	const struct image *image = stream->image;
	uint64_t vaddr, nr;
	Elf64_Verdef def;
	Elf64_Verdaux aux;

	if (!image_tag(image, DT_VERDEF, &vaddr) || !image_tag(image, DT_VERDEFNUM, &nr))
		return;
	for (; nr && image_read(image, vaddr, &def, sizeof def); nr--, vaddr += def.vd_next) {
		if (!image_read(image, vaddr + def.vd_aux, &aux, sizeof aux))
			return;
		if (!(def.vd_flags & VER_FLG_BASE)) {
			name_version(stream, def.vd_ndx, aux.vda_name);
			emit_text(stream, span_string(image->strings, aux.vda_name));
			emit_number(stream, def.vd_flags);
		}
		if (!def.vd_next)
			break;
	}
}

static void emit_symbols(struct stream *stream)
{
	const struct image *image = stream->image;
	uint64_t versym = 0;
	uint16_t version = 0;
	Elf64_Sym symbol;
	size_t i;

	image_tag(image, DT_VERSYM, &versym);
	for (i = 0; i < image->nr_symbols; i++) {
		if (!image_read(image, image->symtab + i * sizeof symbol, &symbol, sizeof symbol))
			return;
		emit_text(stream, span_string(image->strings, symbol.st_name));
		emit_number(stream, symbol.st_value);
		emit_number(stream, symbol.st_size);
		emit(stream, &symbol.st_info, 1);
		emit(stream, &symbol.st_other, 1);
		emit_number(stream,
			    symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS ? symbol.st_shndx : 1);
		if (versym && image_read(image, versym + i * sizeof version, &version, sizeof version)) {
			unsigned index = version & 0x7fff;

			emit_number(stream, version >> 15);
			emit_text(stream, index < stream->nr_versions && stream->versions[index]
						  ? stream->versions[index]
					  : index ? "*"
						  : "");
		}
	}
}

static void emit_table(struct stream *stream, int64_t tag, int64_t size_tag)
{
	uint64_t vaddr, size;
	struct span bytes;

	if (image_tag(stream->image, tag, &vaddr) && image_tag(stream->image, size_tag, &size) &&
	    image_at(stream->image, vaddr, size, &bytes))
		stream->sink(stream->context, bytes);
	emit_number(stream, (uint64_t)tag);
}

static void emit_dynamic(struct stream *stream)
{
	static const int64_t tags[] = {DT_INIT,	      DT_FINI,	       DT_INIT_ARRAY, DT_INIT_ARRAYSZ,
				       DT_FINI_ARRAY, DT_FINI_ARRAYSZ, DT_PLTREL,     DT_SYMBOLIC,
				       DT_TEXTREL,    DT_BIND_NOW,     DT_FLAGS,      DT_FLAGS_1};
	uint64_t value;
	size_t i, needed = 0;

	for (i = 0; i < sizeof tags / sizeof *tags; i++) {
		emit_number(stream, (uint64_t)tags[i]);
		if (image_tag(stream->image, tags[i], &value))
			emit_number(stream, value);
	}
	for (i = 0; i < stream->image->nr_tags; i++) {
		const Elf64_Dyn *dyn = &stream->image->dynamic[i];

		needed += dyn->d_tag == DT_NEEDED;
		if (dyn->d_tag == DT_AUXILIARY || dyn->d_tag == DT_FILTER) {
			emit_number(stream, (uint64_t)dyn->d_tag);
			emit_text(stream, span_string(stream->image->strings, dyn->d_un.d_val));
		}
	}
	emit_number(stream, needed);
}

int image_canonical(struct arena *arena, struct span file, void (*sink)(void *context, struct span bytes),
		    void *context, struct error *err)
{
	enum { MAX_VERSIONS = 0x8000 }; /* an index has 15 bits */
	struct image image;
	struct stream stream = {&image, sink, context, NULL, MAX_VERSIONS, true};

	if (image_load(arena, file, &image, err))
		return ERROR_REFUSED;
	if (!image.nr_shdrs)
		return error_add(err, ERROR_REFUSED, "no section headers to tell tables by");
	stream.versions = arena_array(arena, MAX_VERSIONS, sizeof *stream.versions);
	emit_segments(&stream);
	emit_sections(&stream);
	emit_hashes(&stream);
	stream.sound = image_each_string_field(&image, name_needed_version, &stream);
	emit_definitions(&stream);
	emit_symbols(&stream);
	emit_table(&stream, DT_RELA, DT_RELASZ);
	emit_table(&stream, DT_JMPREL, DT_PLTRELSZ);
	emit_table(&stream, DT_RELR, DT_RELRSZ);
	emit_dynamic(&stream);
	return stream.sound ? 0 : error_add(err, ERROR_REFUSED, "a name lies outside its table");
}
