/* One message, appended to from the inside out. */
#include "sofold/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(struct error *err, const char *separator, const char *format, va_list args)
{
	size_t used = strlen(err->message);
	int n;

	if (used) {
		n = snprintf(err->message + used, sizeof err->message - used, "%s", separator);
		used += n > 0 ? (size_t)n : 0;
	}
	if (used < sizeof err->message)
		vsnprintf(err->message + used, sizeof err->message - used, format, args);
}

int error_add(struct error *err, int kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(err, "; ", format, args);
	va_end(args);
	return kind;
}

int error_errno(struct error *err, const char *format, ...)
{
	const char *why = strerror(errno);
	va_list args;
	size_t used;

	va_start(args, format);
	append(err, "; ", format, args);
	va_end(args);
	used = strlen(err->message);
	snprintf(err->message + used, sizeof err->message - used, ": %s", why);
	return ERROR_RUN;
}

_Noreturn void bug_at(const char *file, int line, const char *message)
{
	fprintf(stderr, "sofold: bug at %s:%d: %s\n", file, line, message);
	abort();
}
