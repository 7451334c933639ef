/*
 * FICLONE and copy_file_range refuse for many reasons (other file system,
 * old kernel, special files), all of which show at their first call. A plain
 * loop serves then; it meets the real error again if there is one.
 */
#include "apply/copy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "apply/io.h"

enum { BUFFER_BYTES = 64 * 1024, CHUNK_BYTES = 1 << 30 };

/* 1: all copied; 0: cannot be done so, nothing is copied; -1 and errno. */
static int copy_in_kernel(int from, int to)
{
	bool some = false;
	ssize_t n;

	if (!io.clone(to, from))
		return 1;
	while ((n = io.copy_file_range(from, to, CHUNK_BYTES)) > 0)
		some = true;
	if (!n)
		return some; /* nothing at all: empty, or a file system that does not say */
	return some ? -1 : 0;
}

int copy_contents(int from, int to)
{
	int done = copy_in_kernel(from, to);
	uint8_t buffer[BUFFER_BYTES];
	ssize_t n;

	if (done)
		return done < 0 ? -1 : 0;
	while ((n = read(from, buffer, sizeof buffer)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || io_write_all(to, (struct span){buffer, (size_t)n}))
			return -1;
	}
	return 0;
}
