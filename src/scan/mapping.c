/*
 * Mapping with a net: see mapping.h.
 *
 * SIGBUS is delivered to the thread that touched the page, so a list per
 * thread is enough, and the handler reads it without a lock. mmap() is a
 * plain system call and safe there. A fault outside the list is somebody
 * else's and gets the default action.
 */
#include "scan/mapping.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
		mapping->damaged = 1;
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

int mapping_of_fd(struct mapping *mapping, int fd, const char *path, struct error *err)
{
	struct stat st;
	void *p;

	*mapping = (struct mapping){0};
	pthread_once(&handler_once, install_handler);
	if (fstat(fd, &st))
		return error_errno(err, "reading %s", path);
	if (!S_ISREG(st.st_mode))
		return error_add(err, ERROR_RUN, "reading %s: not a regular file", path);
	if (st.st_size) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			return error_errno(err, "mapping %s", path);
		mapping->bytes = (struct span){p, (size_t)st.st_size};
	}
	mapping->outer = mappings;
	mappings = mapping;
	return 0;
}

int mapping_open(struct mapping *mapping, int dirfd, const char *path, struct error *err)
{
	/* O_NONBLOCK: a FIFO put in the file's place must not hang us. */
	int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return error_errno(err, "opening %s", path);
	rc = mapping_of_fd(mapping, fd, path, err);
	close(fd);
	return rc;
}

bool mapping_close(struct mapping *mapping)
{
	bool sound = !mapping->damaged;

	mappings = mapping->outer;
	if (mapping->bytes.n)
		munmap((void *)(uintptr_t)mapping->bytes.p, mapping->bytes.n);
	mapping->bytes = (struct span){0};
	return sound;
}
