/*
 * What tells two builds of one library apart: build id, compiler, and what a
 * library says of itself.
 *
 * None of this decides whether two copies may be merged; symbols and bytes do
 * that. It orders copies by age and gives reports something a person knows.
 */
#include "scan/object.h"

#include <ctype.h>

#include "scan/digest.h"

static void take_notes(struct reader *reader, Elf_Data *data)
{
	size_t at = 0, name, desc;
	GElf_Nhdr note;
	struct span bytes = {data->d_buf, data->d_size}, part;

	while ((at = gelf_getnote(data, at, &note, &name, &desc)))
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU &&
		    span_sub(bytes, name, note.n_namesz, &part) && !memcmp(part.p, ELF_NOTE_GNU, part.n) &&
		    span_sub(bytes, desc, note.n_descsz, &part) && part.n)
			reader->object->build_id = digest_hex(reader->arena, part.p, part.n);
}

/* The last producer in .comment: the linker's or the newest compiler's. */
static void take_comment(struct reader *reader, Elf_Data *data)
{
	struct span bytes = {data->d_buf, data->d_size};
	const char *text;
	size_t at = 0;

	while ((text = span_string(bytes, at))) {
		if (*text)
			reader->object->compiler = arena_strdup(reader->arena, text);
		at += strlen(text) + 1;
	}
}

static const char *find_text(struct span bytes, const char *text)
{
	return bytes.n ? memmem(bytes.p, bytes.n, text, strlen(text)) : NULL;
}

/* openblas_get_config() returns "OpenBLAS 0.3.30  USE64BITINT DYNAMIC_ARCH …";
 * the string's parts stand in the read-only data. */
static void take_openblas(struct reader *reader, struct span bytes)
{
	struct object *object = reader->object;
	const char *found = find_text(bytes, "OpenBLAS "), *end = (const char *)bytes.p + bytes.n, *at;

	for (; found && !object->version_hint;
	     found = find_text((struct span){(const uint8_t *)at, (size_t)(end - at)}, "OpenBLAS ")) {
		const char *start = found + strlen("OpenBLAS ");

		for (at = start; at < end && (isalnum((unsigned char)*at) || *at == '.'); at++)
			;
		if (at > start && isdigit((unsigned char)*start))
			object->version_hint = arena_strndup(reader->arena, start, (size_t)(at - start));
	}
	object->ilp64 |= find_text(bytes, "USE64BITINT") != NULL;
	object->lp64 = object->version_hint && !object->ilp64;
}

/* "libfoo.so.5.0.0" says 5.0.0. */
static void take_file_version(struct reader *reader)
{
	const char *at = strstr(reader->path, ".so.");

	if (at && isdigit((unsigned char)at[4]))
		reader->object->version_hint = arena_strdup(reader->arena, at + 4);
}

void read_evidence(struct reader *reader)
{
	Elf_Scn *section = NULL;
	GElf_Shdr shdr;
	size_t names;

	if (elf_getshdrstrndx(reader->elf, &names))
		names = 0;
	while ((section = elf_nextscn(reader->elf, section))) {
		const char *name = gelf_getshdr(section, &shdr) ? elf_strptr(reader->elf, names, shdr.sh_name)
								: NULL;
		bool rodata = name && reader->is_openblas && !strncmp(name, ".rodata", strlen(".rodata")),
		     comment = name && !strcmp(name, ".comment");
		Elf_Data *data;

		if (!name || (shdr.sh_type != SHT_NOTE && !rodata && !comment))
			continue;
		data = elf_rawdata(section, NULL);
		if (!data || !data->d_buf)
			continue;
		if (rodata)
			take_openblas(reader, (struct span){data->d_buf, data->d_size});
		else if (comment)
			take_comment(reader, data);
		else
			take_notes(reader, data);
	}
	if (!reader->object->version_hint)
		take_file_version(reader);
}
