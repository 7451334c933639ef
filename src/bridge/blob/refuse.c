/*
 * Saying that a call is too large. One write() a message, so that messages of
 * several threads stay whole.
 */
#include "bridge/blob/blob.h"

/* As POSIX and C declare them; freestanding code has no headers that do. */
extern long write(int fd, const void *bytes, size_t n);
extern _Noreturn void abort(void);

static size_t append(char *line, size_t size, size_t n, const char *text)
{
	while (*text && n < size)
		line[n++] = *text++;
	return n;
}

static void say(const char *routine, const char *what)
{
	char line[160];
	size_t n = append(line, sizeof line, 0, "sofold bridge: ");

	n = append(line, sizeof line, n, routine);
	n = append(line, sizeof line, n, ": too large for the 32-bit OpenBLAS of this layer; ");
	n = append(line, sizeof line, n, what);
	if (write(2, line, n) < 0)
		return; /* there is nowhere else to say it */
}

COLD void refused(const char *routine)
{
	say(routine, "refused\n");
}

COLD void fatal(const char *routine)
{
	say(routine, "aborting\n");
	abort();
}
