/*
 * What everybody asks of a layer: its findings and its owners. Looking up
 * paths is in walk.c.
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
