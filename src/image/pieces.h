/*
 * pieces: a file made of stretches of others, without copying them.
 */
#ifndef SOFOLD_SRC_IMAGE_PIECES_H
#define SOFOLD_SRC_IMAGE_PIECES_H

#include "sofold/image.h"

/* Pieces in the order they are painted: later ones cover earlier ones. */
struct painting {
	struct piece *pieces;
	size_t nr_pieces, alloc_pieces;
};

/* Adds to result what of a painting is visible. */
void pieces_visible(struct arena *arena, const struct painting *painting, struct image_result *result);

/* Whether the file made of result's pieces would equal file. */
bool pieces_equal(const struct image_result *result, struct span file);

#endif
