/*
 * exports: looking a symbol up in many objects while hashing its name once.
 */
#ifndef SOFOLD_LAYER_EXPORTS_H
#define SOFOLD_LAYER_EXPORTS_H

#include "sofold/layer.h"

uint32_t export_hash(const char *name);

/* object_find_export() for a caller that has the name's hash. */
const struct symbol *object_find_hashed(struct arena *arena, struct object *object, uint32_t hash,
					const char *name, const char *version);

#endif
