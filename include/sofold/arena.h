/*
 * arena: memory that is freed all at once.
 *
 * A run keeps everything it learns in one arena and frees it at the end.
 * Worker threads fill arenas of their own, which the run's arena then
 * absorbs, so no allocation takes a lock.
 *
 *	struct arena *arena = arena_new();
 *	char *path = arena_printf(arena, "%s/%s", dir, name);
 *	...
 *	arena_free(arena);
 *
 * Allocation never returns NULL. When the system has no memory left the
 * process ends with status 3; that is safe at any moment because changes to
 * a layer happen by rename only (see apply.h).
 */
#ifndef SOFOLD_ARENA_H
#define SOFOLD_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

#define ARENA_NONNULL __attribute__((returns_nonnull))

struct arena *arena_new(void) ARENA_NONNULL;
void arena_free(struct arena *arena); /* NULL is fine */

/* Everything allocated so far is void, and its memory used for what comes: for
 * work done piece by piece, whose pages need not be faulted in each time. */
void arena_reset(struct arena *arena);

/* Zeroed memory, aligned for any object, that lives as long as the arena. */
void *arena_alloc(struct arena *arena, size_t bytes) ARENA_NONNULL;

/* The same for nr elements of some size; a product that overflows ends the
 * process like memory that has run out. */
void *arena_array(struct arena *arena, size_t nr, size_t size) ARENA_NONNULL;

char *arena_strdup(struct arena *arena, const char *s) ARENA_NONNULL;
char *arena_strndup(struct arena *arena, const char *s, size_t n) ARENA_NONNULL;
void *arena_memdup(struct arena *arena, const void *p, size_t n) ARENA_NONNULL;
char *arena_printf(struct arena *arena, const char *format, ...) ARENA_NONNULL
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args) ARENA_NONNULL
	__attribute__((format(printf, 2, 0)));

/* Moves all that other holds into arena and frees other itself; pointers
 * into it stay valid as long as arena lives. */
void arena_absorb(struct arena *arena, struct arena *other);

#endif
