/*
 * exports: looking a symbol up in many objects while hashing its name once.
 */
#ifndef SOFOLD_LAYER_EXPORTS_H
#define SOFOLD_LAYER_EXPORTS_H

#include "sofold/layer.h"

/* Makes the index that the functions below use, and that they make themselves where it
 * is missing: for a caller that has time for it, on a thread of its own. */
void object_index_exports(struct arena *arena, struct object *object);

uint32_t export_hash(const char *name, size_t n); /* n: its length */

static inline uint32_t symbol_hash(const struct symbol *symbol)
{
	return symbol->hash ? symbol->hash : export_hash(symbol->name, strlen(symbol->name));
}

/* object_find_export() for a caller that has the name's hash. */
const struct symbol *object_find_hashed(struct arena *arena, struct object *object, uint32_t hash,
					const char *name, const char *version);

#endif
