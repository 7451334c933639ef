/*
 * texts: lists of names in strcmp() order, to be looked up in.
 */
#ifndef SOFOLD_TEXTS_H
#define SOFOLD_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

void texts_sort(const char **texts, size_t nr);

/* Sorts them and leaves each once; returns how many are left. */
size_t texts_unite(const char **texts, size_t nr);

/* Whether a sorted list has this one. */
bool texts_hold(const char *const *texts, size_t nr, const char *text);

#endif
