/*
 * The library of naive loops: naive.h for each element type.
 */
#include <complex.h>

#include "library.h"

enum { BY_ROWS = 101, PLAIN = 111, CONJUGATED = 113, ABOVE = 121 };

#define number long double
#define LETTER s
#include "naive.h"
#undef LETTER
#define LETTER d
#include "naive.h"
#undef LETTER
#undef number

#define number long double _Complex
#define COMPLEX
#define LETTER c
#include "naive.h"
#undef LETTER
#define LETTER z
#include "naive.h"
#undef LETTER

void library_naive(struct library *library)
{
#define SET(p, name, ...) .p##name = name##_##p,
	*library = (struct library){BRIDGE_CBLAS(SET) BRIDGE_BLAS(SET)};
}
