/*
 * The zip in the making: there whole, or not there at all.
 *
 * It is written beside its place under another name, synced, and renamed. Errors
 * and signals remove the other name. A signal's handler has only that name: it
 * calls unlink(), which a handler may, and lets the signal end the process as it
 * would have. Removing a name that is gone or not there yet does no harm, so the
 * handler needs no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "pack/pack.h"

/* --------- signals ------------------ */

static const char *volatile leftover; /* what a handler removes; NULL: nothing */
static _Thread_local const char *volatile mapped;

void target_reads_mapped(const char *path)
{
	mapped = path;
}

static void end_by_signal(int number)
{
	if (leftover)
		unlink(leftover);
	signal(number, SIG_DFL);
	raise(number);
}

static void say(const char *text)
{
	ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

	(void)ignored;
}

/* A mapped file has become shorter than it was: to whoever reads it that is no
 * error but a signal, in the thread that reads. */
static void end_by_cut(int number)
{
	if (!mapped)
		end_by_signal(number);
	if (leftover)
		unlink(leftover);
	say("sofold: packing ");
	say(mapped ? mapped : "a file");
	say(": it has changed meanwhile\n");
	_exit(3);
}

static const struct {
	int number;
	void (*handler)(int);
} handled[] = {
	{SIGINT, end_by_signal},  {SIGTERM, end_by_signal}, {SIGHUP, end_by_signal},
	{SIGQUIT, end_by_signal}, {SIGBUS, end_by_cut},	    {SIGXFSZ, SIG_IGN}, /* EFBIG says it better */
};

enum { NR_HANDLED = sizeof handled / sizeof *handled };

static struct sigaction before[NR_HANDLED];

/* A signal the caller wants ignored (nohup) stays so. */
static void handle_signals(void)
{
	for (size_t i = 0; i < NR_HANDLED; i++) {
		struct sigaction action = {.sa_handler = handled[i].handler, .sa_flags = SA_RESTART};

		sigaction(handled[i].number, NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(handled[i].number, &action, NULL);
	}
}

static void restore_signals(void)
{
	for (size_t i = 0; i < NR_HANDLED; i++)
		sigaction(handled[i].number, &before[i], NULL);
	leftover = NULL;
}

/* --------- the place ------------------ */

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* Opens the directory the zip is in. */
static int open_place(const char *name, int flags)
{
	char dir[PATH_MAX];
	size_t n = (size_t)(base_of(name) - name);

	if (n >= sizeof dir) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(dir, sizeof dir, "%.*s", n ? (int)n : 1, n ? name : ".");
	return open(dir, flags | O_DIRECTORY | O_CLOEXEC);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Goes up from the place until the top. 1: it is in the tree; -1: errno. */
static int is_inside(int place, const struct stat *root)
{
	struct stat st, up;
	int parent;

	for (;;) {
		if (fstat(place, &st))
			return -1;
		if (is_same(&st, root))
			return 1;
		parent = openat(place, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (parent < 0)
			return -1;
		if (fstat(parent, &up) || dup3(parent, place, O_CLOEXEC) < 0) {
			close(parent);
			return -1;
		}
		close(parent);
		if (is_same(&st, &up))
			return 0;
	}
}

/* A zip in its own tree would be packed next time, and make another zip. */
static int check_outside(const char *name, const char *root, struct error *err)
{
	struct stat st;
	int place = open_place(name, O_PATH), inside;

	if (place < 0)
		return error_errno(err, "making %s", name);
	inside = stat(root, &st) ? -1 : is_inside(place, &st);
	if (inside < 0)
		error_errno(err, "making %s", name);
	if (inside > 0)
		error_add(err, ERROR_RUN, "making %s: it would be inside the tree it packs", name);
	close(place);
	return inside ? ERROR_RUN : 0;
}

int target_check(const char *name, const char *root, bool replace, struct error *err)
{
	struct stat st;
	bool taken = !lstat(name, &st);

	if (!*base_of(name))
		return error_add(err, ERROR_RUN, "making %s: a zip is a file, not a directory", name);
	if (taken && !replace)
		return error_add(err, ERROR_RUN, "making %s: it exists; --force replaces it", name);
	if (taken && !S_ISREG(st.st_mode))
		return error_add(err, ERROR_RUN, "making %s: what is there is not a file", name);
	return check_outside(name, root, err);
}

/* --------- the file ------------------ */

int target_open(struct target *target, struct arena *arena, const char *name, struct error *err)
{
	const char *base = base_of(name);
	uint32_t random;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return error_errno(err, "making %s", name);
	target->name = name;
	/* A name may have 255 bytes; the end of a long one is left out. */
	target->making = arena_printf(arena, "%.*s.%.200s.sofold-%08x", (int)(base - name), name, base,
				      random);
	target->offset = 0;
	leftover = target->making;
	handle_signals();
	target->fd = open(target->making, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (target->fd >= 0)
		return 0;
	restore_signals();
	return error_errno(err, "making %s", name);
}

int target_write(struct target *target, struct span bytes, struct error *err)
{
	ssize_t n;

	while (bytes.n) {
		n = write(target->fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, "writing %s", target->name);
		bytes = (struct span){bytes.p + n, bytes.n - (size_t)n};
		target->offset += (uint64_t)n;
	}
	return 0;
}

void target_abandon(struct target *target)
{
	unlink(target->making);
	close(target->fd);
	restore_signals();
}

/* Somebody may have made a file of that name since target_check(). */
static int rename_whole(const struct target *target, bool replace)
{
	int rc = renameat2(AT_FDCWD, target->making, AT_FDCWD, target->name, replace ? 0 : RENAME_NOREPLACE);

	/* Not every file system and kernel has such a rename. */
	if (rc && (errno == EINVAL || errno == ENOSYS))
		return rename(target->making, target->name);
	return rc;
}

/* So that the new name is on the disk too. */
static int sync_place(const char *name)
{
	int place = open_place(name, O_RDONLY), rc;

	/* One may be allowed to write in it and not to read it. */
	if (place < 0)
		return 0;
	rc = fsync(place) && errno != EINVAL; /* not every file system can */
	close(place);
	return rc;
}

int target_finish(struct target *target, bool replace, struct error *err)
{
	if (fsync(target->fd) || rename_whole(target, replace)) {
		error_errno(err, "making %s", target->name);
		target_abandon(target);
		return ERROR_RUN;
	}
	close(target->fd);
	restore_signals();
	return sync_place(target->name) ? error_errno(err, "making %s", target->name) : 0;
}
