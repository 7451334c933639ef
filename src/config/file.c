/* The bytes of a file nobody vouches for: a FIFO would block, /dev/zero would not end. */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

int config_error(struct error *err, const char *path, unsigned line, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return error_add(err, ERROR_USAGE, "%s:%u: %s", path, line, message);
}

static int usage_errno(struct error *err, const char *path)
{
	error_errno(err, "reading %s", path);
	return ERROR_USAGE;
}

static int read_all(struct arena *arena, int fd, const char *path, struct span *bytes, struct error *err)
{
	uint8_t *room = arena_alloc(arena, CONFIG_MOST_BYTES + 1);
	size_t n = 0;
	ssize_t got = 1;

	while (got > 0 && n <= CONFIG_MOST_BYTES) {
		got = read(fd, room + n, CONFIG_MOST_BYTES + 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return usage_errno(err, path);
	if (n > CONFIG_MOST_BYTES)
		return error_add(err, ERROR_USAGE, "reading %s: larger than %d bytes", path,
				 CONFIG_MOST_BYTES);
	*bytes = (struct span){room, n};
	return 0;
}

int config_load_file(struct arena *arena, const char *path, struct span *bytes, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;
	struct stat st;

	if (fd < 0)
		return usage_errno(err, path);
	if (fstat(fd, &st))
		rc = usage_errno(err, path);
	else if (!S_ISREG(st.st_mode))
		rc = error_add(err, ERROR_USAGE, "reading %s: not a regular file", path);
	else
		rc = read_all(arena, fd, path, bytes, err);
	close(fd);
	return rc;
}
