/*
 * Mapping with a net: see mapping.h.
 *
 * SIGBUS is delivered to the thread that touched the page, so a list per
 * thread is enough, and the handler reads it without a lock. mmap() is a
 * plain system call and safe there. A fault outside the list is somebody
 * else's and gets the default action.
 */
#include "scan/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 64 * 1024 };

static _Thread_local struct mapping *mappings;
static pthread_once_t handler_once = PTHREAD_ONCE_INIT;
static size_t page_size;

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(uintptr_t)(page_size - 1);
	struct mapping *mapping;

	(void)context;
	for (mapping = mappings; mapping; mapping = mapping->outer) {
		uintptr_t start = (uintptr_t)mapping->bytes.p;

		if (at < start || at >= start + mapping->bytes.n)
			continue;
		if (mmap((void *)at, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED)
			break;
		mapping->damaged = true;
		return;
	}
	/* Returning runs the instruction again, now with the default action. */
	(void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

static void install_handler(void)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

size_t mapping_read(int fd, void *p, size_t n, uint64_t offset)
{
	size_t done = 0;
	ssize_t got = 1;

	while (done < n && got) {
		got = pread(fd, (uint8_t *)p + done, n - done, (off_t)(offset + done));
		if (got < 0 && errno != EINTR)
			return SIZE_MAX;
		done += got > 0 ? (size_t)got : 0;
	}
	return done;
}

/* A file that has become shorter than it was a moment ago is as damaged as
 * one that shrinks while it is mapped. */
static int copy_bytes(struct mapping *mapping, int fd, size_t size, const char *path, struct error *err)
{
	uint8_t *copy = malloc(size);
	size_t done = copy ? mapping_read(fd, copy, size, 0) : SIZE_MAX;

	if (done == SIZE_MAX) {
		free(copy);
		return error_errno(err, "reading %s", path);
	}
	mapping->bytes = (struct span){copy, done};
	mapping->damaged = done < size;
	mapping->copied = true;
	return 0;
}

static int map_bytes(struct mapping *mapping, int fd, size_t size, const char *path, struct error *err)
{
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return error_errno(err, "mapping %s", path);
	mapping->bytes = (struct span){p, size};
	return 0;
}

int mapping_of_fd(struct mapping *mapping, int fd, const char *path, struct error *err)
{
	struct stat st;
	size_t size;
	int rc = 0;

	*mapping = (struct mapping){0};
	pthread_once(&handler_once, install_handler);
	if (fstat(fd, &st))
		return error_errno(err, "reading %s", path);
	if (!S_ISREG(st.st_mode))
		return error_add(err, ERROR_RUN, "reading %s: not a regular file", path);
	size = (size_t)st.st_size;
	if (size)
		rc = size <= COPY_BYTES ? copy_bytes(mapping, fd, size, path, err)
					: map_bytes(mapping, fd, size, path, err);
	if (rc)
		return rc;
	mapping->outer = mappings;
	mappings = mapping;
	return 0;
}

int mapping_open_fd(int dirfd, const char *path)
{
	/* O_NONBLOCK: a FIFO put in the file's place must not hang us. */
	return openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

int mapping_open(struct mapping *mapping, int dirfd, const char *path, struct error *err)
{
	int fd = mapping_open_fd(dirfd, path), rc;

	if (fd < 0)
		return error_errno(err, "opening %s", path);
	rc = mapping_of_fd(mapping, fd, path, err);
	close(fd);
	return rc;
}

/* A copy's memory serves for the next one while it is still in the cache. */
bool mapping_leave(struct mapping *mapping)
{
	mappings = mapping->outer;
	if (mapping->copied) {
		free((void *)(uintptr_t)mapping->bytes.p);
		mapping->bytes = (struct span){0};
	}
	return !mapping->damaged;
}

void mapping_release(struct mapping *mapping)
{
	if (mapping->bytes.n)
		munmap((void *)(uintptr_t)mapping->bytes.p, mapping->bytes.n);
	mapping->bytes = (struct span){0};
}

bool mapping_close(struct mapping *mapping)
{
	bool sound = mapping_leave(mapping);

	mapping_release(mapping);
	return sound;
}

static int by_address(const void *a, const void *b)
{
	const struct mapping *x = *(struct mapping *const *)a, *y = *(struct mapping *const *)b;

	return x->bytes.p < y->bytes.p ? -1 : x->bytes.p > y->bytes.p;
}

static size_t whole_pages(size_t bytes)
{
	return (bytes + page_size - 1) / page_size * page_size;
}

/* The kernel puts most mappings side by side; what it takes to stop all threads is paid
 * once for each stretch. */
void mapping_release_all(struct mapping **all, size_t nr)
{
	const uint8_t *start = NULL;
	size_t bytes = 0, i;

	if (nr)
		qsort(all, nr, sizeof *all, by_address);
	for (i = 0; i < nr; i++) {
		struct span *span = &all[i]->bytes;

		if (bytes && span->p != start + bytes) {
			munmap((void *)(uintptr_t)start, bytes);
			bytes = 0;
		}
		if (!bytes)
			start = span->p;
		bytes += whole_pages(span->n);
		*span = (struct span){0};
	}
	if (bytes)
		munmap((void *)(uintptr_t)start, bytes);
}
