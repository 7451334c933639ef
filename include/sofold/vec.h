/*
 * vec: growing arrays in an arena.
 *
 * A vector is three fields of whatever struct owns it, named by suffix:
 *
 *	struct layer { struct file *files; size_t nr_files, alloc_files; ... };
 *	*VEC_PUSH(arena, layer, files) = (struct file){...};
 *
 * Growth copies to a block twice the size; the old block stays in the arena
 * until the arena is freed, so pointers to elements go stale but never
 * dangle. Keep indexes, not pointers, across a push.
 */
#ifndef SOFOLD_VEC_H
#define SOFOLD_VEC_H

#include "sofold/arena.h"

void *vec_grow(struct arena *arena, void *items, size_t nr, size_t *alloc, size_t size)
	__attribute__((returns_nonnull));

/* Pointer to a new zeroed element at the end of owner->field. */
#define VEC_PUSH(arena, owner, field)                                                                        \
	((owner)->field = vec_grow((arena), (owner)->field, (owner)->nr_##field, &(owner)->alloc_##field,    \
				   sizeof *(owner)->field),                                                  \
	 &(owner)->field[(owner)->nr_##field++])

#endif
