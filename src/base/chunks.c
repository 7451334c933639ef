/*
 * Where the system has huge pages, one fault for 2 MiB costs what some dozens cost for
 * 4 KiB each. But all of a huge page is cleared at once, so arenas of a few hundred KiB
 * share them. Address space for many is taken at once, since whoever maps memory waits
 * for those who unmap some. Chunks that were given back are handed out first, as they
 * are; none goes back to the system.
 */
#include "base/chunks.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

enum { HUGE_BYTES = 2 * 1024 * 1024, REGION_BYTES = 16 * HUGE_BYTES };

struct given {
	struct given *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct given *given_back[MAX_CHUNKS + 1]; /* for each number in a row */
static uint8_t *rest;				 /* of the last region */
static size_t rest_bytes;

static size_t to_huge_page(const uint8_t *p)
{
	return -(uintptr_t)p % HUGE_BYTES;
}

/* From where a huge page begins, which kernels before 6.7 do not see to. */
static bool map_region(size_t bytes)
{
	uint8_t *p = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return false;
	rest = p + to_huge_page(p);
	rest_bytes = bytes;
	madvise(rest, rest_bytes, MADV_HUGEPAGE);
	return true;
}

/* A page of several threads is touched by one: of two that meet in the fault, each
 * clears a page, and one of those is thrown away. */
static void touch(uint8_t *p, size_t bytes)
{
	size_t at;

	for (at = to_huge_page(p); at < bytes; at += HUGE_BYTES)
		*(volatile uint8_t *)(p + at) = 0;
}

static void *take(size_t nr, bool *fresh)
{
	struct given *chunks = given_back[nr];
	size_t bytes = nr * CHUNK_BYTES;

	*fresh = !chunks;
	if (chunks) {
		given_back[nr] = chunks->next;
		return chunks;
	}
	if (rest_bytes < bytes && !map_region(REGION_BYTES) && !map_region(HUGE_BYTES))
		return NULL;
	touch(rest, bytes);
	rest += bytes;
	rest_bytes -= bytes;
	return rest - bytes;
}

void *chunks_take(size_t nr, bool *fresh)
{
	void *chunks;

	pthread_mutex_lock(&lock);
	chunks = take(nr, fresh);
	pthread_mutex_unlock(&lock);
	return chunks;
}

void chunks_give(void *chunks, size_t nr)
{
	struct given *given = chunks;

	pthread_mutex_lock(&lock);
	given->next = given_back[nr];
	given_back[nr] = given;
	pthread_mutex_unlock(&lock);
}
