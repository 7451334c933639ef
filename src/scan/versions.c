/*
 * Version definitions and needs (LSB, "Symbol Versioning").
 *
 * Both are lists of lists, linked by byte offsets from each entry. libelf
 * checks that an entry lies inside the table; that the list ends is checked
 * here: the dynamic table gives the number of entries, and an entry the
 * number of its own.
 */
#include "scan/object.h"

/* The table from vaddr to the end of the segment that holds it: its true size
 * stands in section headers only. */
static Elf_Data *open_table(struct reader *reader, int64_t tag, int64_t nr_tag, Elf_Type type, uint64_t *nr)
{
	const struct object *object = reader->object;
	uint64_t vaddr;
	size_t i;
	Elf_Data *data;

	*nr = 0;
	if (!reader_tag(reader, tag, &vaddr) || !reader_tag(reader, nr_tag, nr))
		return NULL;
	for (i = 0; i < object->nr_segments; i++) {
		const struct segment *s = &object->segments[i];

		if (s->type != PT_LOAD || vaddr < s->vaddr || vaddr - s->vaddr >= s->filesz)
			continue;
		data = reader_table(reader, vaddr, s->filesz - (vaddr - s->vaddr), type);
		/* An entry takes more than a byte: the count cannot be larger. */
		if (data && *nr <= data->d_size)
			return data;
	}
	reader_fail(reader, "a version table is not in any segment");
	return NULL;
}

static void set_version(struct reader *reader, unsigned index, const char *name)
{
	index &= 0x7fff;
	if (index >= reader->nr_versions) {
		size_t nr = index + 16;
		const char **grown = arena_array(reader->arena, nr, sizeof *grown);

		if (reader->nr_versions)
			memcpy(grown, reader->versions, reader->nr_versions * sizeof *grown);
		reader->versions = grown;
		reader->nr_versions = nr;
	}
	reader->versions[index] = name;
}

static void read_definitions(struct reader *reader)
{
	struct object *object = reader->object;
	uint64_t nr, i;
	Elf_Data *data = open_table(reader, DT_VERDEF, DT_VERDEFNUM, ELF_T_VDEF, &nr);
	GElf_Verdef def;
	GElf_Verdaux aux;
	size_t at = 0;

	if (!data)
		return;
	object->verdefs = arena_array(reader->arena, nr, sizeof *object->verdefs);
	for (i = 0; i < nr; i++, at += def.vd_next) {
		const char *name;

		if (at > INT32_MAX || !gelf_getverdef(data, (int)at, &def) || at + def.vd_aux > INT32_MAX ||
		    !gelf_getverdaux(data, (int)(at + def.vd_aux), &aux)) {
			reader_fail(reader, "a version definition lies outside its table");
			return;
		}
		name = reader_string(reader, aux.vda_name);
		if (!name)
			return;
		if (!(def.vd_flags & VER_FLG_BASE)) {
			object->verdefs[object->nr_verdefs++] = name;
			set_version(reader, def.vd_ndx, name);
		}
		if (!def.vd_next)
			return;
	}
}

static bool read_need(struct reader *reader, Elf_Data *data, size_t at, const GElf_Verneed *need,
		      struct verneed *out)
{
	size_t i, next = at + need->vn_aux;
	GElf_Vernaux aux;

	out->file = reader_string(reader, need->vn_file);
	out->versions = arena_array(reader->arena, need->vn_cnt, sizeof *out->versions);
	out->weak = arena_array(reader->arena, need->vn_cnt, sizeof *out->weak);
	for (i = 0; i < need->vn_cnt; i++, next += aux.vna_next) {
		if (next > INT32_MAX || !gelf_getvernaux(data, (int)next, &aux)) {
			reader_fail(reader, "a version need lies outside its table");
			return false;
		}
		out->versions[i] = reader_string(reader, aux.vna_name);
		out->weak[i] = aux.vna_flags & VER_FLG_WEAK;
		if (!out->versions[i])
			return false;
		set_version(reader, aux.vna_other, out->versions[i]);
		out->nr_versions++;
		if (!aux.vna_next)
			break;
	}
	return reader->sound;
}

static void read_needs(struct reader *reader)
{
	struct object *object = reader->object;
	uint64_t nr, i;
	Elf_Data *data = open_table(reader, DT_VERNEED, DT_VERNEEDNUM, ELF_T_VNEED, &nr);
	GElf_Verneed need;
	size_t at = 0;

	if (!data)
		return;
	object->verneeds = arena_array(reader->arena, nr, sizeof *object->verneeds);
	for (i = 0; i < nr; i++, at += need.vn_next) {
		if (at > INT32_MAX || !gelf_getverneed(data, (int)at, &need)) {
			reader_fail(reader, "a version need lies outside its table");
			return;
		}
		if (!read_need(reader, data, at, &need, &object->verneeds[object->nr_verneeds]))
			return;
		object->nr_verneeds++;
		if (!need.vn_next)
			return;
	}
}

void read_versions(struct reader *reader)
{
	read_definitions(reader);
	if (reader->sound)
		read_needs(reader);
}
