/* A file that is there whole, or as it was. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard/guard.h"

static int print_to(int fd, bool sync, guard_print *print, void *context)
{
	FILE *file = fdopen(fd, "w");
	bool bad;

	if (!file) {
		close(fd);
		return -1;
	}
	bad = !print(file, context) || fflush(file) || (sync && fsync(fd));
	return fclose(file) || bad ? -1 : 0;
}

/* /dev/stderr must not be replaced by a file. */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode);
}

static int print_into(const char *path, guard_print *print, void *context)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : print_to(fd, false, print, context);
}

/* errno stays what it was. */
static int drop(const char *path)
{
	int why = errno;

	unlink(path);
	errno = why;
	return -1;
}

static int print_beside(const char *path, guard_print *print, void *context)
{
	char *beside;
	int fd, rc = -1;

	if (asprintf(&beside, "%s.XXXXXX", path) < 0)
		return -1;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd >= 0) {
		rc = fchmod(fd, 0644);
		rc |= print_to(fd, true, print, context);
		if (rc || rename(beside, path))
			rc = drop(beside);
	}
	free(beside);
	return rc;
}

int guard_write_file(const char *what, const char *path, guard_print *print, void *context, struct error *err)
{
	int rc = is_special(path) ? print_into(path, print, context) : print_beside(path, print, context);

	return rc ? error_errno(err, "writing the %s %s", what, path) : 0;
}
