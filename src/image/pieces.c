/*
 * One sweep over the file: at each offset where a piece begins or ends, the
 * one painted last of those that cover what follows is visible up to the next
 * such offset. Few pieces cover one byte, so those are looked through.
 */
#include "image/pieces.h"

#include <stdlib.h>

#include "sofold/vec.h"

struct sweep {
	struct arena *arena;
	const struct piece *pieces; /* as painted */
	size_t nr_pieces;
	struct image_result *result;
	size_t *by_offset; /* indexes of pieces */
	uint64_t *edges;   /* where pieces begin and end, in order */
	size_t *open;	   /* indexes of pieces that cover the current offset */
	size_t nr_open;
};

static uint64_t end_of(const struct piece *piece)
{
	return piece->offset + piece->bytes.n;
}

static int by_offset(const void *a, const void *b, void *context)
{
	const struct piece *pieces = context;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	uint64_t x = pieces[i].offset, y = pieces[k].offset;

	if (x != y)
		return x < y ? -1 : 1;
	return i < k ? -1 : i > k;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void sort(struct sweep *sweep)
{
	size_t nr = sweep->nr_pieces, i;

	sweep->by_offset = arena_array(sweep->arena, nr, sizeof *sweep->by_offset);
	sweep->edges = arena_array(sweep->arena, 2 * nr, sizeof *sweep->edges);
	sweep->open = arena_array(sweep->arena, nr, sizeof *sweep->open);
	for (i = 0; i < nr; i++) {
		sweep->by_offset[i] = i;
		sweep->edges[2 * i] = sweep->pieces[i].offset;
		sweep->edges[2 * i + 1] = end_of(&sweep->pieces[i]);
	}
	qsort_r(sweep->by_offset, nr, sizeof *sweep->by_offset, by_offset, (void *)(uintptr_t)sweep->pieces);
	qsort(sweep->edges, 2 * nr, sizeof *sweep->edges, by_value);
}

/* Forgets pieces that end at or before an offset; the one on top of the rest,
 * or NULL. */
static const struct piece *top(struct sweep *sweep, uint64_t offset)
{
	const struct piece *pieces = sweep->pieces;
	size_t i, kept = 0, best = 0;

	for (i = 0; i < sweep->nr_open; i++) {
		if (end_of(&pieces[sweep->open[i]]) <= offset)
			continue;
		sweep->open[kept++] = sweep->open[i];
		if (sweep->open[kept - 1] > sweep->open[best])
			best = kept - 1;
	}
	sweep->nr_open = kept;
	return kept ? &pieces[sweep->open[best]] : NULL;
}

/* Adds [from, to) of the file out of a piece, to the last one if that goes on. */
static void show(struct sweep *sweep, const struct piece *piece, uint64_t from, uint64_t to)
{
	struct image_result *result = sweep->result;
	struct piece *last = result->nr_pieces ? &result->pieces[result->nr_pieces - 1] : NULL;
	const uint8_t *bytes = piece->bytes.p + (from - piece->offset);

	if (last && end_of(last) == from && last->bytes.p + last->bytes.n == bytes)
		last->bytes.n += to - from;
	else
		*VEC_PUSH(sweep->arena, result, pieces) = (struct piece){from, {bytes, to - from}};
}

void pieces_visible(struct arena *arena, const struct painting *painting, struct image_result *result)
{
	struct sweep sweep = {.arena = arena,
			      .pieces = painting->pieces,
			      .nr_pieces = painting->nr_pieces,
			      .result = result};
	size_t nr = painting->nr_pieces, next = 0, i;

	if (!sweep.pieces)
		return;
	sort(&sweep);
	for (i = 0; i + 1 < 2 * nr; i++) {
		uint64_t from = sweep.edges[i], to = sweep.edges[i + 1];
		const struct piece *visible;

		if (from == to)
			continue;
		while (next < nr && sweep.pieces[sweep.by_offset[next]].offset <= from)
			sweep.open[sweep.nr_open++] = sweep.by_offset[next++];
		visible = top(&sweep, from);
		if (visible)
			show(&sweep, visible, from, to);
	}
}

static bool all_zero(struct span file, uint64_t from, uint64_t to)
{
	while (from < to && !file.p[from])
		from++;
	return from == to;
}

bool pieces_equal(const struct image_result *result, struct span file)
{
	uint64_t at = 0;
	size_t i;

	if (result->size != file.n)
		return false;
	for (i = 0; i < result->nr_pieces; i++) {
		const struct piece *piece = &result->pieces[i];
		const uint8_t *there = file.p + piece->offset;

		if (!all_zero(file, at, piece->offset) ||
		    (piece->bytes.p != there && memcmp(piece->bytes.p, there, piece->bytes.n) != 0))
			return false;
		at = end_of(piece);
	}
	return all_zero(file, at, file.n);
}

void image_assemble(const struct image_result *result, uint8_t *out)
{
	size_t i;

	for (i = 0; i < result->nr_pieces; i++)
		memcpy(out + result->pieces[i].offset, result->pieces[i].bytes.p, result->pieces[i].bytes.n);
}
