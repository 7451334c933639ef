/*
 * Function extents and producers, by libdwarf.
 *
 * .eh_frame describes where each function begins and how long it is, also in
 * a stripped object, because exceptions must unwind through it (LSB, "DWARF
 * Extensions"). Hand-written assembly often has no entry; so this is a lower
 * bound of what is code, never a list of all of it. An entry outside an
 * executable segment is the mistake of some tool and is left out.
 *
 * Where there is debug information, the first compilation unit's producer
 * says which compiler with which options made it: more than .comment does.
 *
 * This costs a few milliseconds an object, so it is done only when asked for.
 */
#include <dwarf.h>
#include <fcntl.h>
#include <libdwarf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <elf.h>

#include "scan/parts.h"
#include "sofold/pool.h"

struct framing {
	struct layer *layer;
	const struct source *source;
	struct arena *arenas[POOL_MAX_WORKERS];
};

/* libdwarf changed this call with 0.3, and says so by a macro. */
static int open_dwarf(int fd, Dwarf_Debug *dbg, Dwarf_Error *error)
{
#ifdef DW_LIBDWARF_VERSION_MAJOR
	return dwarf_init_b(fd, DW_GROUPNUMBER_ANY, NULL, NULL, dbg, error);
#else
	return dwarf_init_b(fd, DW_DLC_READ, DW_GROUPNUMBER_ANY, NULL, NULL, dbg, error);
#endif
}

static void close_dwarf(Dwarf_Debug dbg)
{
#ifdef DW_LIBDWARF_VERSION_MAJOR
	dwarf_finish(dbg);
#else
	Dwarf_Error error = NULL;

	dwarf_finish(dbg, &error);
#endif
}

static bool is_code(const struct object *object, uint64_t vaddr, uint64_t size)
{
	size_t i;

	for (i = 0; i < object->nr_segments; i++) {
		const struct segment *s = &object->segments[i];

		if (s->type == PT_LOAD && (s->flags & PF_X) && vaddr >= s->vaddr &&
		    vaddr - s->vaddr < s->filesz && size <= s->filesz - (vaddr - s->vaddr))
			return true;
	}
	return false;
}

static int by_vaddr(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

/* A frame with a handler names a personality routine in its CIE ('P' in the
 * augmentation: LSB, "The CIE Structure"). */
static bool has_handler(Dwarf_Cie cie)
{
	Dwarf_Unsigned length, code_align, nr_instructions;
	Dwarf_Half return_register, offset_size;
	Dwarf_Signed data_align;
	Dwarf_Error error = NULL;
	Dwarf_Small version;
	char *augmentation = NULL;
	void *instructions; /* its type is not the same in all versions of libdwarf */

	/* What cannot be read may be anything. */
	return dwarf_get_cie_info_b(cie, &length, &version, &augmentation, &code_align, &data_align,
				    &return_register, (void *)&instructions, &nr_instructions, &offset_size,
				    &error) != DW_DLV_OK ||
	       (augmentation && strchr(augmentation, 'P'));
}

static void take_functions(Dwarf_Debug dbg, struct arena *arena, struct object *object)
{
	Dwarf_Signed nr_cies = 0, nr_fdes = 0, i;
	Dwarf_Cie *cies = NULL;
	Dwarf_Fde *fdes = NULL;
	Dwarf_Error error = NULL;

	if (dwarf_get_fde_list_eh(dbg, &cies, &nr_cies, &fdes, &nr_fdes, &error) != DW_DLV_OK)
		return;
	object->functions = arena_array(arena, (size_t)nr_fdes, sizeof *object->functions);
	for (i = 0; i < nr_cies; i++)
		object->has_handlers |= has_handler(cies[i]);
	for (i = 0; i < nr_fdes; i++) {
		Dwarf_Addr low = 0;
		Dwarf_Unsigned length = 0;

		if (dwarf_get_fde_range(fdes[i], &low, &length, NULL, NULL, NULL, NULL, NULL, &error) !=
		    DW_DLV_OK)
			break;
		if (length && is_code(object, low, length))
			object->functions[object->nr_functions++] = (struct extent){low, length};
	}
#ifdef DW_LIBDWARF_VERSION_MAJOR
	dwarf_dealloc_fde_cie_list(dbg, cies, nr_cies, fdes, nr_fdes);
#else
	dwarf_fde_cie_list_dealloc(dbg, cies, nr_cies, fdes, nr_fdes);
#endif
	if (object->nr_functions)
		qsort(object->functions, object->nr_functions, sizeof *object->functions, by_vaddr);
}

static void take_producer(Dwarf_Debug dbg, struct arena *arena, struct object *object)
{
	Dwarf_Error error = NULL;
	Dwarf_Attribute attribute = NULL;
	Dwarf_Die die = NULL;
	char *text = NULL;

	if (dwarf_next_cu_header_d(dbg, true, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
				   &error) != DW_DLV_OK ||
	    dwarf_siblingof_b(dbg, NULL, true, &die, &error) != DW_DLV_OK)
		return;
	if (dwarf_attr(die, DW_AT_producer, &attribute, &error) == DW_DLV_OK) {
		if (dwarf_formstring(attribute, &text, &error) == DW_DLV_OK)
			object->compiler = arena_strdup(arena, text);
		dwarf_dealloc(dbg, attribute, DW_DLA_ATTR);
	}
	dwarf_dealloc(dbg, die, DW_DLA_DIE);
}

void frames_read_one(struct arena *arena, struct object *object, int fd)
{
	Dwarf_Error error = NULL;
	Dwarf_Debug dbg = NULL;

	if (object->functions || open_dwarf(fd, &dbg, &error) != DW_DLV_OK)
		return;
	take_functions(dbg, arena, object);
	take_producer(dbg, arena, object);
	close_dwarf(dbg);
}

static void frame_object(void *context, size_t item, unsigned worker)
{
	struct framing *framing = context;
	struct object *object = &framing->layer->objects[item];
	const struct file *file = &framing->layer->files[object->file];
	int fd;

	if (object->class != OBJECT_SHARED)
		return;
	fd = openat(framing->source->root, file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	frames_read_one(framing->arenas[worker], object, fd);
	close(fd);
}

void frames_read(struct layer *layer, const struct source *source)
{
	struct framing framing = {.layer = layer, .source = source};
	unsigned workers = pool_workers(layer->nr_objects, source->threads), i;

	if (source->contents)
		return; /* libdwarf reads files */
	for (i = 0; i < workers; i++)
		framing.arenas[i] = arena_new();
	pool_run(layer->nr_objects, source->threads, frame_object, &framing);
	for (i = 0; i < workers; i++)
		arena_absorb(layer->arena, framing.arenas[i]);
}
