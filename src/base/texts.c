/* libc sorts and searches; what it lacks is an order for texts. */
#include "sofold/texts.h"

#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* An empty list may be NULL, which qsort() and bsearch() do not allow. */
void texts_sort(const char **texts, size_t nr)
{
	if (nr)
		qsort(texts, nr, sizeof *texts, by_text);
}

size_t texts_unite(const char **texts, size_t nr)
{
	size_t kept = 0, i;

	texts_sort(texts, nr);
	for (i = 0; i < nr; i++)
		if (!kept || strcmp(texts[i], texts[kept - 1]) != 0)
			texts[kept++] = texts[i];
	return kept;
}

bool texts_hold(const char *const *texts, size_t nr, const char *text)
{
	return nr && bsearch(&text, texts, nr, sizeof *texts, by_text);
}
