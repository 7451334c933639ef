/* Sorted lists of address ranges. */
#include <stdlib.h>

#include "image/image.h"
#include "sofold/vec.h"

void ranges_add(struct ranges *ranges, uint64_t from, uint64_t to)
{
	if (from < to)
		*VEC_PUSH(ranges->arena, ranges, items) = (struct range){from, to};
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

void ranges_normalize(struct ranges *ranges)
{
	size_t i, kept = 0;

	if (!ranges->nr_items)
		return;
	qsort(ranges->items, ranges->nr_items, sizeof *ranges->items, by_start);
	for (i = 1; i < ranges->nr_items; i++) {
		struct range *last = &ranges->items[kept];

		if (ranges->items[i].from > last->to)
			ranges->items[++kept] = ranges->items[i];
		else if (ranges->items[i].to > last->to)
			last->to = ranges->items[i].to;
	}
	ranges->nr_items = kept + 1;
}

const struct range *ranges_next(const struct ranges *ranges, uint64_t vaddr)
{
	size_t low = 0, high = ranges->nr_items;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->items[middle].to > vaddr)
			high = middle;
		else
			low = middle + 1;
	}
	return low < ranges->nr_items ? &ranges->items[low] : NULL;
}

void ranges_remove(struct ranges *ranges, uint64_t from, uint64_t to)
{
	struct ranges rest = {.arena = ranges->arena};
	size_t i;

	for (i = 0; i < ranges->nr_items; i++) {
		const struct range *r = &ranges->items[i];

		ranges_add(&rest, r->from, r->to < from ? r->to : from);
		ranges_add(&rest, r->from > to ? r->from : to, r->to);
	}
	ranges_normalize(&rest);
	*ranges = rest;
}

void ranges_subtract(struct ranges *ranges, const struct ranges *others)
{
	struct ranges rest = {.arena = ranges->arena};
	size_t i, j;

	for (i = 0, j = 0; i < ranges->nr_items; i++) {
		uint64_t at = ranges->items[i].from, end = ranges->items[i].to;

		while (j < others->nr_items && others->items[j].to <= at)
			j++;
		for (size_t k = j; k < others->nr_items && others->items[k].from < end; k++) {
			ranges_add(&rest, at, others->items[k].from < at ? at : others->items[k].from);
			at = others->items[k].to;
		}
		ranges_add(&rest, at, end);
	}
	*ranges = rest;
}
