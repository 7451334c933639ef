/*
 * What everybody asks of a layer: its findings and its owners, and objects it
 * might get. Looking up paths is in walk.c.
 */
#include "sofold/layer.h"

#include <stdlib.h>
#include <string.h>

#include "sofold/vec.h"

void layer_add_finding(struct layer *layer, const char *rule, enum severity severity, const char *path,
		       const char *format, ...)
{
	va_list args;
	const char *message;

	va_start(args, format);
	message = arena_vprintf(layer->arena, format, args);
	va_end(args);
	*VEC_PUSH(layer->arena, layer, findings) = (struct finding){
		.rule = rule,
		.severity = severity,
		.path = arena_strdup(layer->arena, path),
		.message = message,
	};
}

/* Errors first; the message last, so that the order is total. */
static int compare_findings(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int difference = (y->severity > x->severity) - (y->severity < x->severity);

	if (!difference)
		difference = strcmp(x->rule, y->rule);
	if (!difference)
		difference = strcmp(x->path, y->path);
	return difference ? difference : strcmp(x->message, y->message);
}

void layer_sort_findings(struct layer *layer)
{
	if (layer->nr_findings)
		qsort(layer->findings, layer->nr_findings, sizeof *layer->findings, compare_findings);
}

const char *object_owner(struct arena *arena, const struct layer *layer, const struct object *object)
{
	owner_id id = layer->files[object->file].owner;

	if (id == NO_ID)
		return "-";
	return arena_printf(arena, "%s %s", layer->owners[id].name, layer->owners[id].version);
}

static void move_up(file_id *id, file_id from)
{
	if (*id != NO_ID && *id >= from)
		++*id;
}

/* Makes room for a file at its place by path, and corrects who refers to those
 * behind it. */
static file_id insert_file(struct layer *layer, const char *path)
{
	file_id at = 0;

	VEC_PUSH(layer->arena, layer, files);
	while (at < layer->nr_files - 1 && strcmp(layer->files[at].path, path) < 0)
		at++;
	memmove(&layer->files[at + 1], &layer->files[at], (layer->nr_files - 1 - at) * sizeof *layer->files);
	for (size_t i = 0; i < layer->nr_objects; i++) {
		struct object *object = &layer->objects[i];

		move_up(&object->file, at);
		for (size_t k = 0; k < object->nr_links; k++)
			move_up(&object->links[k], at);
	}
	for (size_t i = 0; i < layer->nr_owners; i++)
		move_up(&layer->owners[i].record, at);
	return at;
}

object_id layer_add_offer(struct layer *layer, const char *path, owner_id owner, const struct object *object)
{
	const char *slash = strrchr(path, '/');
	file_id file = insert_file(layer, path);
	struct object *offer = VEC_PUSH(layer->arena, layer, objects);

	layer->files[file] = (struct file){
		.path = path,
		.name = slash ? slash + 1 : path,
		.kind = FILE_OTHER,
		.owner = owner,
		.object = NO_ID,
	};
	*offer = *object;
	offer->file = file;
	offer->links = arena_memdup(layer->arena, &file, sizeof file);
	offer->nr_links = 1;
	layer->nr_offers++;
	return (object_id)(layer->nr_objects - 1);
}
