/*
 * A list of blocks; allocation bumps a pointer in the first, which is the one
 * with the most room left.
 *
 * Many arenas live for one file and stay small, so the first block is small
 * and each next one as large as all before it, until blocks are chunks
 * (chunks.h). What asks for more than some chunks gets a mapping of its own.
 * Memory is zeroed when it is handed out: what is never handed out is never
 * touched.
 */
#include "sofold/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/chunks.h"

enum { FIRST_BYTES = 4 * 1024 };

enum origin { FROM_MALLOC, FROM_CHUNKS, FROM_MMAP };

struct block {
	struct block *next;
	size_t used, size; /* bytes of data */
	enum origin origin;
	bool fresh; /* what has not been handed out is zero */
	max_align_t data[];
};

struct arena {
	struct block *blocks;
	struct block *spare; /* empty, from before a reset */
	size_t total;	     /* bytes of those in use */
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
	return arena;
}

static void free_block(struct block *block)
{
	switch (block->origin) {
	case FROM_MALLOC:
		free(block);
		break;
	case FROM_CHUNKS:
		chunks_give(block, (sizeof *block + block->size) / CHUNK_BYTES);
		break;
	case FROM_MMAP:
		munmap(block, sizeof *block + block->size);
		break;
	}
}

static void free_blocks(struct block *block)
{
	struct block *next;

	for (; block; block = next) {
		next = block->next;
		free_block(block);
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

	for (; *end; end = &(*end)->next) {
		(*end)->used = 0;
		(*end)->fresh = false;
	}
	*end = arena->spare;
	arena->spare = arena->blocks;
	arena->blocks = NULL;
	arena->total = 0;
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

static struct block *malloc_block(size_t whole)
{
	struct block *block = malloc(whole);

	if (block)
		*block = (struct block){.size = whole - sizeof *block, .origin = FROM_MALLOC};
	return block;
}

static struct block *chunk_block(size_t whole)
{
	size_t nr = (whole + CHUNK_BYTES - 1) / CHUNK_BYTES;
	bool fresh;
	struct block *block = chunks_take(nr, &fresh);

	if (block)
		*block = (struct block){
			.size = nr * CHUNK_BYTES - sizeof *block, .origin = FROM_CHUNKS, .fresh = fresh};
	return block;
}

static struct block *mmap_block(size_t whole)
{
	struct block *block = mmap(NULL, whole, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (block == MAP_FAILED)
		return NULL;
	madvise(block, whole, MADV_HUGEPAGE); /* as many as fit in */
	*block = (struct block){.size = whole - sizeof *block, .origin = FROM_MMAP, .fresh = true};
	return block;
}

static struct block *new_block(size_t bytes)
{
	size_t whole = sizeof(struct block) + bytes;
	struct block *block;

	if (bytes > SIZE_MAX / 2)
		out_of_memory();
	block = whole > MAX_CHUNKS * CHUNK_BYTES ? mmap_block(whole)
		: whole > CHUNK_BYTES / 2	 ? chunk_block(whole)
						 : malloc_block(whole);
	if (!block)
		out_of_memory();
	return block;
}

/* As large as all before it, up to a chunk. */
static size_t next_size(const struct arena *arena)
{
	if (arena->total >= CHUNK_BYTES / 2)
		return CHUNK_BYTES - sizeof(struct block);
	return arena->total ? arena->total : FIRST_BYTES;
}

static size_t room(const struct block *block)
{
	return block->size - block->used;
}

/* A block with that much room; it does not become the first when that has
 * more left than this will have. */
static struct block *add_block(struct arena *arena, size_t bytes)
{
	size_t size = bytes > next_size(arena) ? bytes : next_size(arena);
	struct block *block = take_spare(arena, size), **at = &arena->blocks;

	if (!block)
		block = new_block(size);
	arena->total += block->size;
	if (*at && room(*at) > block->size - bytes)
		at = &(*at)->next;
	block->next = *at;
	return *at = block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	const size_t align = _Alignof(max_align_t);
	struct block *block = arena->blocks;
	void *p;

	if (bytes <= SIZE_MAX - align)
		bytes = (bytes + align - 1) / align * align;
	if (!block || room(block) < bytes)
		block = add_block(arena, bytes);
	p = (char *)block->data + block->used;
	block->used += bytes;
	return block->fresh ? p : memset(p, 0, bytes);
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

static void append(struct block **list, struct block *blocks)
{
	while (*list)
		list = &(*list)->next;
	*list = blocks;
}

/* Spare blocks go with other. */
void arena_absorb(struct arena *arena, struct arena *other)
{
	struct block *mine = arena->blocks;

	if (!mine || (other->blocks && room(other->blocks) > room(mine))) {
		arena->blocks = other->blocks;
		other->blocks = mine;
	}
	append(&arena->blocks, other->blocks);
	arena->total += other->total;
	other->blocks = NULL;
	arena_free(other);
}
