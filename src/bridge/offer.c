/*
 * Bridges a layer could use, as objects the planner may place.
 *
 * Each OpenBLAS with 64-bit integers gets one, in its own directory: its
 * consumers look there already, so that nothing of them changes but a name.
 * The bytes are parsed as those of any file, and the planner treats the object
 * as any other. Whether it is placed is decided there (plan/bridge.c); what is
 * found here are the two spellings and reasons why there is no bridge.
 */
#include <string.h>

#include "sofold/bridge.h"
#include "sofold/scan.h"
#include "sofold/vec.h"

static bool has_prefix(const char *name)
{
	return !strncmp(name, BRIDGE_PREFIX, strlen(BRIDGE_PREFIX));
}

/* Whether an ILP64 library's names have the prefix; false: it has none of the
 * names. */
static bool incoming_spelling(const struct object *object, bool *prefix)
{
	size_t i;

	for (i = 0; i < object->nr_exports; i++) {
		*prefix = has_prefix(object->exports[i].name);
		if (bridge_routine(object->exports[i].name))
			return true;
	}
	return false;
}

/* The same of an LP64 library: any name that bridges call tells. */
static bool outgoing_spelling(struct layer *layer, struct object *object, bool *prefix)
{
	size_t i, nr;
	const struct bridge_routine *routines = bridge_routines(&nr);

	for (i = 0; i < nr; i++) {
		const char *plain = routines[i].forwarded;

		*prefix = !object_find_export(layer->arena, object, plain, NULL);
		if (!*prefix ||
		    object_find_export(layer->arena, object,
				       arena_printf(layer->arena, BRIDGE_PREFIX "%s", plain), NULL))
			return true;
	}
	return false;
}

static bool is_openblas(const struct object *object, bool ilp64)
{
	return object->class == OBJECT_SHARED && !object->is_extension && object->ilp64 == ilp64 &&
	       !strncmp(object->family, "libopenblas.", strlen("libopenblas."));
}

/* The first LP64 OpenBLAS for a machine that has the names. */
static bool find_lp64(struct layer *layer, uint16_t machine, bool *prefix)
{
	size_t i;

	for (i = 0; i < layer->nr_objects; i++)
		if (layer->objects[i].machine == machine && is_openblas(&layer->objects[i], false) &&
		    outgoing_spelling(layer, &layer->objects[i], prefix))
			return true;
	return false;
}

static bool parse(struct layer *layer, const char *path, struct span bytes, struct object *object)
{
	struct layer scratch = {.arena = layer->arena};

	if (!scan_object(&scratch, path, bytes, object))
		return false;
	object->family = BRIDGE_NAME;
	object->offer = bytes;
	object->search_path = ""; /* what stands there only keeps room for one */
	return true;
}

/* Adds the object; NULL, or why there is none. */
static const char *make_offer(struct layer *layer, object_id ilp64, bool outgoing, object_id *offer)
{
	const struct object *old = &layer->objects[ilp64];
	char *path = path_join(layer->arena, path_dir(layer->arena, object_path(layer, old)), BRIDGE_NAME);
	struct bridge_blob blob;
	struct object object;
	bool incoming;

	if (!incoming_spelling(old, &incoming))
		return "it defines none of the names numpy uses";
	if (!bridge_find(old->machine, incoming, outgoing, &blob))
		return "there is no bridge for this machine";
	if (!blob.bytes.n)
		return "this sofold was built without a bridge for this machine";
	if (!path || layer_find_file(layer, path) != NO_ID)
		return "its directory has a " BRIDGE_NAME " already";
	if (!parse(layer, path, blob.bytes, &object))
		return "the bridge in this sofold is damaged";
	*offer = layer_add_offer(layer, path, layer->files[old->file].owner, &object);
	return NULL;
}

struct bridge_offer *bridge_offers(struct layer *layer, size_t *nr_offers)
{
	struct {
		struct bridge_offer *items;
		size_t nr_items, alloc_items;
	} offers = {0};
	size_t i, nr = layer->nr_objects;
	bool outgoing;

	for (i = 0; i < nr; i++) {
		struct bridge_offer *offer;

		if (!is_openblas(&layer->objects[i], true) ||
		    !find_lp64(layer, layer->objects[i].machine, &outgoing))
			continue;
		offer = VEC_PUSH(layer->arena, &offers, items);
		*offer = (struct bridge_offer){.ilp64 = (object_id)i, .object = NO_ID};
		offer->refused = make_offer(layer, offer->ilp64, outgoing, &offer->object);
	}
	*nr_offers = offers.nr_items;
	return offers.items;
}
