/* Growth by doubling; see vec.h. */
#include "sofold/vec.h"

#include <string.h>

void *vec_grow(struct arena *arena, void *items, size_t nr, size_t *alloc, size_t size)
{
	size_t more;
	void *grown;

	if (nr < *alloc)
		return items;
	more = *alloc ? *alloc * 2 : 8;
	grown = arena_array(arena, more, size);
	if (nr)
		memcpy(grown, items, nr * size);
	*alloc = more;
	return grown;
}
