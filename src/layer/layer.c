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

static void remove_files(struct layer *layer, const struct pruned *const *pruned)
{
	for (size_t i = 0; i < layer->nr_files; i++) {
		struct file *file = &layer->files[i];

		file->pruned = pruned[i];
		if (!file->pruned)
			continue;
		file->kind = FILE_GONE;
		file->object = NO_ID;
	}
}

/* The paths of an object that are still there; false: none. */
static bool keep_links(struct layer *layer, struct object *object)
{
	file_id *links = arena_array(layer->arena, object->nr_links, sizeof *links);
	size_t nr = 0;

	for (size_t i = 0; i < object->nr_links; i++)
		if (layer->files[object->links[i]].kind != FILE_GONE)
			links[nr++] = object->links[i];
	object->links = links; /* its own: layer_add_offer() changes ids in place */
	object->nr_links = nr;
	if (nr)
		object->file = links[0];
	return nr;
}

/* Objects move up into the places of those that go; files follow. */
static void remove_objects(struct layer *layer)
{
	object_id *moved = arena_array(layer->arena, layer->nr_objects, sizeof *moved);
	size_t nr = 0;

	for (size_t i = 0; i < layer->nr_objects; i++) {
		moved[i] = NO_ID;
		layer->objects[nr] = layer->objects[i];
		if (keep_links(layer, &layer->objects[nr]))
			moved[i] = (object_id)nr++;
	}
	layer->nr_objects = layer->alloc_objects = nr;
	for (size_t i = 0; i < layer->nr_files; i++)
		if (layer->files[i].object != NO_ID)
			layer->files[i].object = moved[layer->files[i].object];
}

static void remove_findings(struct layer *layer)
{
	size_t nr = 0;

	for (size_t i = 0; i < layer->nr_findings; i++) {
		file_id file = layer_find_file(layer, layer->findings[i].path);

		if (file == NO_ID || layer->files[file].kind != FILE_GONE)
			layer->findings[nr++] = layer->findings[i];
	}
	layer->nr_findings = layer->alloc_findings = nr;
}

struct layer *layer_without(struct layer *layer, const struct pruned *const *pruned)
{
	struct arena *arena = layer->arena;
	struct layer *rest = arena_memdup(arena, layer, sizeof *layer);

	rest->files = arena_memdup(arena, layer->files, layer->nr_files * sizeof *layer->files);
	rest->alloc_files = layer->nr_files;
	rest->objects = arena_memdup(arena, layer->objects, layer->nr_objects * sizeof *layer->objects);
	rest->findings = arena_memdup(arena, layer->findings, layer->nr_findings * sizeof *layer->findings);
	rest->owners = arena_memdup(arena, layer->owners, layer->nr_owners * sizeof *layer->owners);
	rest->alloc_owners = layer->nr_owners;
	remove_files(rest, pruned);
	remove_objects(rest);
	remove_findings(rest);
	return rest;
}

object_id layer_add_offer(struct layer *layer, const char *path, owner_id owner, const struct object *object)
{
	const char *slash = strrchr(path, '/');
	file_id file = insert_file(layer, path);
	struct object *offer = VEC_PUSH(layer->arena, layer, objects);

	layer->files[file] = (struct file){
		.path = path,
		.name = slash ? slash + 1 : path,
		.kind = FILE_GONE,
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

static char normal_byte(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '_' || c == '.' ? '-' : c;
}

bool same_wheel_name(const char *a, size_t n, const char *b)
{
	size_t i;

	for (i = 0; i < n && b[i]; i++)
		if (normal_byte(a[i]) != normal_byte(b[i]))
			return false;
	return i == n && !b[i];
}
