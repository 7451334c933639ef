/*
 * span: a view of bytes somebody else owns.
 *
 * Every offset and length that comes out of a file passes through
 * span_sub(); nothing in sofold adds a file's number to a pointer by itself.
 * The numbers are 64 bits wide and unsigned, so "offset + length" may wrap:
 * the helpers compare by subtraction and cannot.
 */
#ifndef SOFOLD_SPAN_H
#define SOFOLD_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p;
	size_t n; /* bytes */
};

/* The bytes [offset, offset + length) of s, or false when they are not all
 * inside it. A zero length at offset s.n is inside. */
static inline bool span_sub(struct span s, uint64_t offset, uint64_t length, struct span *out)
{
	if (offset > s.n || length > s.n - offset)
		return false;
	*out = (struct span){s.p + offset, (size_t)length};
	return true;
}

/* Copies sizeof-many bytes at offset into an object of the caller's, which
 * frees callers from the file's alignment. */
static inline bool span_read(struct span s, uint64_t offset, void *to, size_t length)
{
	struct span part;

	if (!span_sub(s, offset, length, &part))
		return false;
	memcpy(to, part.p, length);
	return true;
}

/* The NUL-terminated string at offset, or NULL when the offset is outside or
 * the string does not end inside s. Points into s. */
static inline const char *span_string(struct span s, uint64_t offset)
{
	if (offset >= s.n || !memchr(s.p + offset, 0, s.n - offset))
		return NULL;
	return (const char *)(s.p + offset);
}

/* True when both hold the same bytes. */
static inline bool span_equal(struct span a, struct span b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

#endif
