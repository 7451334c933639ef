/*
 * size: numbers of bytes as people read them.
 */
#ifndef SOFOLD_SIZE_H
#define SOFOLD_SIZE_H

#include <stdint.h>

/* "35.13 MB", "812 B"; into a buffer of the caller's, which is returned. */
enum { SIZE_TEXT = 32 };
const char *size_text(char buffer[SIZE_TEXT], uint64_t bytes);

#endif
