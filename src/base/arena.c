/*
 * A list of blocks, newest first; allocation bumps a pointer in the newest.
 * Objects larger than a quarter of a block get a block of their own, linked
 * behind the newest so that its free room is not lost.
 *
 * Many arenas live for one file and stay small, so the first block is small
 * and each next one larger. Memory is zeroed when it is handed out: what is
 * never handed out is never touched, and costs no page.
 */
#include "sofold/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	FIRST_BYTES = 4 * 1024,
	BLOCK_BYTES = 64 * 1024,
	BIG_BYTES = BLOCK_BYTES / 4,
	HUGE_BYTES = 4 * 1024 * 1024,
};

struct block {
	struct block *next;
	size_t used, size; /* bytes of data */
	size_t mapped;	   /* bytes of the whole, when it is a mapping of its own */
	max_align_t data[];
};

struct arena {
	struct block *blocks;
	struct block *spare; /* empty, from before a reset */
	size_t next_size;    /* of the next block */
};

static _Noreturn void out_of_memory(void)
{
	fputs("sofold: out of memory\n", stderr);
	_Exit(3);
}

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof *arena);

	if (!arena)
		out_of_memory();
	arena->next_size = FIRST_BYTES;
	return arena;
}

static void free_blocks(struct block *block)
{
	struct block *next;

	for (; block; block = next) {
		next = block->next;
		if (block->mapped)
			munmap(block, block->mapped);
		else
			free(block);
	}
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	free_blocks(arena->blocks);
	free_blocks(arena->spare);
	free(arena);
}

void arena_reset(struct arena *arena)
{
	struct block **end = &arena->blocks;

	for (; *end; end = &(*end)->next)
		(*end)->used = 0;
	*end = arena->spare;
	arena->spare = arena->blocks;
	arena->blocks = NULL;
	arena->next_size = FIRST_BYTES;
}

/* A spare block of fitting size, or NULL: none much too large, which another
 * request will need. */
static struct block *take_spare(struct arena *arena, size_t bytes)
{
	struct block **at, *block;

	for (at = &arena->spare; (block = *at); at = &block->next) {
		if (block->size >= bytes && block->size / 4 <= bytes) {
			*at = block->next;
			return block;
		}
	}
	return NULL;
}

/* A whole file's worth of memory, on huge pages where the system has them:
 * one fault for 2 MiB instead of 512. */
static struct block *map_block(size_t bytes)
{
	size_t whole = sizeof(struct block) + bytes;
	struct block *block = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (block == MAP_FAILED)
		return NULL;
	madvise(block, whole, MADV_HUGEPAGE);
	block->mapped = whole;
	return block;
}

/* Fresh pages need no zeroing, which calloc() knows and malloc() does not. */
static struct block *new_big_block(size_t bytes)
{
	struct block *block = NULL;

	if (bytes <= SIZE_MAX - sizeof *block)
		block = bytes >= HUGE_BYTES ? map_block(bytes) : calloc(1, sizeof *block + bytes);
	if (!block)
		out_of_memory();
	block->size = bytes;
	return block;
}

static void *big_alloc(struct arena *arena, size_t bytes)
{
	struct block *block = take_spare(arena, bytes);

	if (block)
		memset(block->data, 0, bytes);
	else
		block = new_big_block(bytes);
	block->used = block->size;
	if (arena->blocks) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		arena->blocks = block;
	}
	return block->data;
}

static void add_block(struct arena *arena, size_t at_least)
{
	size_t size = arena->next_size < at_least ? at_least : arena->next_size;
	struct block *block = take_spare(arena, size);

	if (!block) {
		block = malloc(sizeof *block + size);
		if (!block)
			out_of_memory();
		*block = (struct block){.size = size};
	}
	block->next = arena->blocks;
	arena->blocks = block;
	if (arena->next_size < BLOCK_BYTES)
		arena->next_size *= 2;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	const size_t align = _Alignof(max_align_t);
	struct block *block = arena->blocks;
	void *p;

	if (bytes > BIG_BYTES)
		return big_alloc(arena, bytes);
	bytes = (bytes + align - 1) / align * align;
	if (!block || block->size - block->used < bytes) {
		add_block(arena, bytes);
		block = arena->blocks;
	}
	p = (char *)block->data + block->used;
	block->used += bytes;
	return memset(p, 0, bytes);
}

void *arena_array(struct arena *arena, size_t nr, size_t size)
{
	if (size && nr > SIZE_MAX / size)
		out_of_memory();
	return arena_alloc(arena, nr * size);
}

void *arena_memdup(struct arena *arena, const void *p, size_t n)
{
	void *copy = arena_alloc(arena, n);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
	size_t length = strnlen(s, n);
	char *copy = arena_alloc(arena, length + 1);

	memcpy(copy, s, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		out_of_memory();
	text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, args);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

void arena_absorb(struct arena *arena, struct arena *other)
{
	struct block **end = &arena->blocks;

	while (*end)
		end = &(*end)->next;
	*end = other->blocks;
	other->blocks = NULL; /* spare blocks go with other */
	arena_free(other);
}
