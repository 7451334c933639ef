/*
 * PT_DYNAMIC: what the object needs and is called, where it looks.
 *
 * DT_RUNPATH makes every loader ignore DT_RPATH of the same object
 * (glibc elf/dl-load.c, decompose_rpath callers; musl takes either).
 */
#include "scan/object.h"

static const struct segment *find_dynamic(struct reader *reader)
{
	const struct segment *found = NULL;
	size_t i;

	for (i = 0; i < reader->object->nr_segments; i++) {
		if (reader->object->segments[i].type != PT_DYNAMIC)
			continue;
		if (found)
			reader_fail(reader, "more than one dynamic segment");
		found = &reader->object->segments[i];
	}
	return found;
}

static bool read_entries(struct reader *reader)
{
	const struct segment *segment = find_dynamic(reader);
	struct object *object = reader->object;
	Elf_Data *data;
	GElf_Dyn spare;
	size_t i, nr;

	if (!segment || !segment->filesz || !reader->sound)
		return false;
	data = elf_getdata_rawchunk(reader->elf, (int64_t)segment->offset, segment->filesz, ELF_T_DYN);
	if (!data) {
		reader_fail(reader, "the dynamic table lies beyond the end of the file");
		return false;
	}
	nr = data->d_size / gelf_fsize(reader->elf, ELF_T_DYN, 1, EV_CURRENT);
	reader->dynamic = arena_array(reader->arena, nr, sizeof *reader->dynamic);
	for (i = 0; i < nr; i++) {
		GElf_Dyn *dyn = &reader->dynamic[reader->nr_dynamic];

		if (!gelf_getdyn(data, (int)i, dyn))
			break;
		if (dyn->d_tag == DT_NULL) {
			/* A second DT_NULL may become a tag (image/names.c). */
			object->path_fits = gelf_getdyn(data, (int)i + 1, &spare) && spare.d_tag == DT_NULL;
			return true;
		}
		reader->nr_dynamic++;
	}
	reader_fail(reader, "the dynamic table does not end");
	return false;
}

static bool read_strings(struct reader *reader)
{
	uint64_t vaddr = 0, size = 0, offset;
	struct span strings;

	if (!reader_tag(reader, DT_STRTAB, &vaddr) || !reader_tag(reader, DT_STRSZ, &size) ||
	    !reader_at(reader, vaddr, size, &offset) || !span_sub(reader->bytes, offset, size, &strings)) {
		reader_fail(reader, "the dynamic string table is not in any segment");
		return false;
	}
	reader->strings = (struct span){arena_memdup(reader->arena, strings.p, strings.n), strings.n};
	return true;
}

static void take_entry(struct reader *reader, const GElf_Dyn *dyn)
{
	struct object *object = reader->object;

	switch (dyn->d_tag) {
	case DT_SONAME:
		object->soname = reader_string(reader, dyn->d_un.d_val);
		break;
	case DT_NEEDED:
		object->needed[object->nr_needed++] = reader_string(reader, dyn->d_un.d_val);
		break;
	case DT_RELACOUNT: /* only a hint: may become a search path */
		object->path_fits = true;
		break;
	case DT_RPATH:
		object->path_fits = true;
		if (object->search_kind != SEARCH_RUNPATH) {
			object->search_kind = SEARCH_RPATH;
			object->search_path = reader_string(reader, dyn->d_un.d_val);
		}
		break;
	case DT_RUNPATH:
		object->path_fits = true;
		object->search_kind = SEARCH_RUNPATH;
		object->search_path = reader_string(reader, dyn->d_un.d_val);
		break;
	case DT_FLAGS_1:
		object->nodeflib = dyn->d_un.d_val & DF_1_NODEFLIB;
		object->nodelete = dyn->d_un.d_val & DF_1_NODELETE;
		object->noopen = dyn->d_un.d_val & DF_1_NOOPEN;
		break;
	}
}

void read_dynamic(struct reader *reader)
{
	struct object *object = reader->object;
	size_t i;

	if (!read_entries(reader) || !read_strings(reader))
		return;
	object->needed = arena_array(reader->arena, reader->nr_dynamic, sizeof *object->needed);
	for (i = 0; i < reader->nr_dynamic && reader->sound; i++)
		take_entry(reader, &reader->dynamic[i]);
}
