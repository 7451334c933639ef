/*
 * One ELF file -> struct object.
 *
 * libelf gives headers and tables; this code checks what libelf does not
 * promise: that tables lie where the file says, that lists end, that names
 * are terminated. Loaders find tables through PT_DYNAMIC, so sections are
 * asked only for what no loader needs (sizes of symbol tables, build ids).
 *
 * All facts are copied into the layer's arena; no pointer into the file or
 * into libelf outlives the call. What the image writer thinks of the file is
 * asked here as well, so that a report can say why an object is left alone.
 */
#include "scan/object.h"

#include "sofold/image.h"
#include "sofold/scan.h"
#include "sofold/vec.h"

void reader_fail(struct reader *reader, const char *why)
{
	if (reader->sound)
		layer_add_finding(reader->layer, "malformed", SEVERITY_ERROR, reader->path,
				  "not a sound ELF file: %s", why);
	reader->sound = false;
}

bool reader_tag(const struct reader *reader, int64_t tag, uint64_t *value)
{
	size_t i;

	for (i = 0; i < reader->nr_dynamic; i++) {
		if (reader->dynamic[i].d_tag == tag) {
			*value = reader->dynamic[i].d_un.d_val;
			return true;
		}
	}
	return false;
}

bool reader_at(const struct reader *reader, uint64_t vaddr, uint64_t size, uint64_t *offset)
{
	const struct object *object = reader->object;
	struct span segment, part;
	size_t i;

	for (i = 0; i < object->nr_segments; i++) {
		const struct segment *s = &object->segments[i];

		if (s->type != PT_LOAD || vaddr < s->vaddr || vaddr - s->vaddr > s->filesz)
			continue;
		if (span_sub(reader->bytes, s->offset, s->filesz, &segment) &&
		    span_sub(segment, vaddr - s->vaddr, size, &part)) {
			*offset = (uint64_t)(part.p - reader->bytes.p);
			return true;
		}
	}
	return false;
}

Elf_Data *reader_table(const struct reader *reader, uint64_t vaddr, uint64_t size, Elf_Type type)
{
	uint64_t offset;

	if (!size || !reader_at(reader, vaddr, size, &offset))
		return NULL;
	return elf_getdata_rawchunk(reader->elf, (int64_t)offset, size, type);
}

const char *reader_string(struct reader *reader, uint64_t offset)
{
	const char *text = span_string(reader->strings, offset);

	if (!text)
		reader_fail(reader, "a name lies outside the dynamic string table or does not end");
	return text;
}

static void read_segments(struct reader *reader)
{
	struct object *object = reader->object;
	size_t i, nr;
	GElf_Phdr phdr;

	if (elf_getphdrnum(reader->elf, &nr)) {
		reader_fail(reader, "program headers lie beyond the end of the file");
		return;
	}
	/* libelf shortens the count to what the file holds. */
	if (reader->ehdr.e_phnum != PN_XNUM && nr != reader->ehdr.e_phnum) {
		reader_fail(reader, "program headers lie beyond the end of the file");
		return;
	}
	/* The count is the file's word; the table must be there. */
	if (nr > reader->bytes.n / sizeof(Elf32_Phdr)) {
		reader_fail(reader, "more program headers than the file can hold");
		return;
	}
	object->segments = arena_array(reader->arena, nr, sizeof *object->segments);
	for (i = 0; i < nr; i++) {
		if (!gelf_getphdr(reader->elf, (int)i, &phdr)) {
			reader_fail(reader, "program headers lie beyond the end of the file");
			return;
		}
		object->segments[object->nr_segments++] = (struct segment){
			phdr.p_type,   phdr.p_flags, phdr.p_offset, phdr.p_vaddr,
			phdr.p_filesz, phdr.p_memsz, phdr.p_align,
		};
	}
}

static bool check_segment(struct reader *reader, const struct segment *s, uint64_t *end)
{
	struct span bytes;

	if (!span_sub(reader->bytes, s->offset, s->filesz, &bytes)) {
		reader_fail(reader, "a segment lies beyond the end of the file (truncated?)");
		return false;
	}
	if (s->filesz > s->memsz || s->vaddr + s->memsz < s->vaddr) {
		reader_fail(reader, "a segment's sizes make no sense");
		return false;
	}
	if (s->vaddr < *end) {
		reader_fail(reader, "loadable segments overlap or are not in order");
		return false;
	}
	*end = s->vaddr + s->memsz;
	return true;
}

static void check_segments(struct reader *reader)
{
	const struct object *object = reader->object;
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < object->nr_segments; i++)
		if (object->segments[i].type == PT_LOAD && !check_segment(reader, &object->segments[i], &end))
			return;
}

static void read_interpreter(struct reader *reader)
{
	struct object *object = reader->object;
	struct span name;
	size_t i;

	for (i = 0; i < object->nr_segments; i++) {
		const struct segment *s = &object->segments[i];

		if (s->type == PT_INTERP && span_sub(reader->bytes, s->offset, s->filesz, &name) &&
		    span_string(name, 0))
			object->interpreter = arena_strdup(reader->arena, (const char *)name.p);
	}
}

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static void add_section(struct object *object, const GElf_Shdr *shdr, const char *name)
{
	if (shdr->sh_type == SHT_NOBITS)
		return;
	if (shdr->sh_type == SHT_SYMTAB || !strcmp(name, ".strtab"))
		object->symtab_bytes += shdr->sh_size;
	else if (starts_with(name, ".debug") || starts_with(name, ".zdebug") ||
		 starts_with(name, ".gnu_debug"))
		object->debug_bytes += shdr->sh_size;
	else if ((shdr->sh_flags & SHF_ALLOC) && (shdr->sh_flags & SHF_EXECINSTR))
		object->text_bytes += shdr->sh_size;
}

/* Sizes of sections. A file whose section headers are broken still loads, so
 * that is noted but not fatal. */
static void read_sections(struct reader *reader)
{
	Elf_Scn *section = NULL;
	struct span bytes;
	GElf_Shdr shdr;
	size_t names;

	if (!reader->ehdr.e_shoff)
		return;
	if (elf_getshdrstrndx(reader->elf, &names)) {
		reader_fail(reader, "section headers lie beyond the end of the file");
		return;
	}
	while ((section = elf_nextscn(reader->elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &shdr))
			continue;
		if (shdr.sh_type != SHT_NOBITS && shdr.sh_type != SHT_NULL &&
		    !span_sub(reader->bytes, shdr.sh_offset, shdr.sh_size, &bytes)) {
			reader_fail(reader, "a section lies beyond the end of the file (truncated?)");
			return;
		}
		name = elf_strptr(reader->elf, names, shdr.sh_name);
		add_section(reader->object, &shdr, name ? name : "");
	}
}

static enum object_class classify(const struct reader *reader)
{
	const struct object *object = reader->object;

	if (object->elf_class != ELFCLASS64 || object->elf_data != ELFDATA2LSB ||
	    (object->machine != EM_X86_64 && object->machine != EM_AARCH64))
		return OBJECT_FOREIGN;
	if (object->interpreter)
		return OBJECT_EXECUTABLE;
	if (object->type == ET_DYN && reader->nr_dynamic)
		return OBJECT_SHARED;
	return object->type == ET_EXEC ? OBJECT_EXECUTABLE : OBJECT_PLAIN;
}

static const char *why_foreign(const struct object *object)
{
	if (object->elf_class != ELFCLASS64)
		return "not a 64-bit object";
	if (object->elf_data != ELFDATA2LSB)
		return "a big-endian object";
	return "an object for a machine sofold does not edit";
}

/* Asks the image writer with no edits at all: what it refuses it leaves. */
static void ask_writer(struct reader *reader)
{
	struct object *object = reader->object;
	struct error err = {0};

	if (object->class == OBJECT_FOREIGN)
		object->untouchable = why_foreign(object);
	else if (image_check(reader->bytes, &err))
		object->untouchable = arena_strdup(reader->arena, err.message);
}

/* "numpy/_core/_simd.cpython-312-x86_64-linux-gnu.so": what stands between
 * the module's name and ".so" says which interpreter it is for (PEP 3149). */
static const char *extension_tag(struct reader *reader)
{
	const char *slash = strrchr(reader->path, '/'), *name = slash ? slash + 1 : reader->path;
	const char *dot = strchr(name, '.');
	size_t n = dot ? strlen(dot) : 0;

	if (n < strlen(".x.so") || strcmp(dot + n - 3, ".so"))
		return NULL;
	return arena_strndup(reader->arena, dot + 1, n - 4);
}

static bool read_header(struct reader *reader)
{
	struct object *object = reader->object;

	if (elf_kind(reader->elf) != ELF_K_ELF || !gelf_getehdr(reader->elf, &reader->ehdr)) {
		reader_fail(reader, "the ELF header is cut off or of an unknown class");
		return false;
	}
	object->machine = reader->ehdr.e_machine;
	object->type = reader->ehdr.e_type;
	object->elf_class = reader->ehdr.e_ident[EI_CLASS];
	object->elf_data = reader->ehdr.e_ident[EI_DATA];
	object->size = reader->bytes.n;
	return true;
}

static void read_all(struct reader *reader)
{
	void (*const steps[])(struct reader *) = {read_segments, check_segments, read_interpreter,
						  read_sections, read_dynamic,	 read_versions,
						  read_symbols,	 read_evidence};
	size_t i;

	if (!read_header(reader))
		return;
	for (i = 0; i < sizeof steps / sizeof *steps && reader->sound; i++)
		steps[i](reader);
	reader->object->class = classify(reader);
	if (reader->object->is_extension)
		reader->object->tag = extension_tag(reader);
	ask_writer(reader);
}

bool scan_object(struct layer *layer, const char *path, struct span bytes, struct object *object)
{
	struct reader reader = {.layer = layer,
				.arena = layer->arena,
				.path = path,
				.bytes = bytes,
				.object = object,
				.sound = true};

	*object = (struct object){.file = NO_ID};
	elf_version(EV_CURRENT);
	/* libelf's interface takes char *, but reads only (ELF_C_READ). */
	reader.elf = elf_memory((char *)(uintptr_t)bytes.p, bytes.n);
	if (!reader.elf) {
		reader_fail(&reader, elf_errmsg(-1));
		return false;
	}
	read_all(&reader);
	elf_end(reader.elf);
	return reader.sound;
}
