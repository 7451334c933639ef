/*
 * A build that can be told to fail (make EXTRA_CFLAGS=-DSOFOLD_FAULT). In a
 * normal build this file is empty.
 *
 * The environment's SOFOLD_FAULT says what goes wrong. Calls through the io
 * table are counted from 1:
 *
 *	fail:N:EIO	 call N fails with that errno
 *	fail:N:EIO:K	 the same, and SIGKILL just before call K
 *	failall:N:ENOSPC call N and every later one fail
 *	short:N		 call N, when it writes or copies, does half of it
 *	kill:N		 SIGKILL to the process group just before call N
 *	killone:N	 SIGKILL to the process that makes call N, before it
 *	count		 nothing; the number of calls is printed at exit
 *
 * Each wrapper asks fault_due() first and then makes the real call. A typing
 * error in the variable ends the run, so that no test passes by accident.
 */
#include "apply/io.h"

/* ISO C wants something in every file. */
typedef int fault_is_optional;

#ifdef SOFOLD_FAULT

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum fault_mode { FAULT_NONE, FAULT_FAIL, FAULT_FAIL_ALL, FAULT_SHORT, FAULT_COUNT };

static struct {
	enum fault_mode mode;
	unsigned long number;
	unsigned long kill; /* call before which to die; 0: none */
	bool alone;	    /* the others of the process group live on */
	int error;	    /* errno */
	atomic_ulong *calls;
	struct io_ops real;
} fault;

static _Thread_local unsigned long this_call;

/* Counts a call; true: the caller fails with the errno that is set. */
static bool fault_due(void)
{
	unsigned long call = atomic_fetch_add(fault.calls, 1) + 1;

	this_call = call;
	if (call == fault.kill)
		kill(fault.alone ? getpid() : 0, SIGKILL);
	if ((fault.mode == FAULT_FAIL && call == fault.number) ||
	    (fault.mode == FAULT_FAIL_ALL && call >= fault.number)) {
		errno = fault.error;
		return true;
	}
	return false;
}

/* What of n bytes the call just counted gets to write. */
static size_t fault_share(size_t n)
{
	return fault.mode == FAULT_SHORT && this_call == fault.number && n > 1 ? n / 2 : n;
}

static int fault_openat(int dir, const char *path, int flags, mode_t mode)
{
	return fault_due() ? -1 : fault.real.openat(dir, path, flags, mode);
}

static int fault_flock(int fd, int operation)
{
	return fault_due() ? -1 : fault.real.flock(fd, operation);
}

static ssize_t fault_write(int fd, const void *bytes, size_t n)
{
	return fault_due() ? -1 : fault.real.write(fd, bytes, fault_share(n));
}

/* A short one writes part of its first part. */
static ssize_t fault_writev(int fd, const struct iovec *parts, int nr)
{
	size_t share;

	if (fault_due())
		return -1;
	share = fault_share(parts[0].iov_len);
	return share < parts[0].iov_len ? fault.real.write(fd, parts[0].iov_base, share)
					: fault.real.writev(fd, parts, nr);
}

static int fault_clone(int to, int from)
{
	return fault_due() ? -1 : fault.real.clone(to, from);
}

static ssize_t fault_copy_file_range(int from, int to, size_t n)
{
	return fault_due() ? -1 : fault.real.copy_file_range(from, to, fault_share(n));
}

static int fault_fsync(int fd)
{
	return fault_due() ? -1 : fault.real.fsync(fd);
}

static int fault_mkdirat(int dir, const char *path, mode_t mode)
{
	return fault_due() ? -1 : fault.real.mkdirat(dir, path, mode);
}

static int fault_linkat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fault_due() ? -1 : fault.real.linkat(from_dir, from, to_dir, to);
}

static int fault_symlinkat(const char *target, int dir, const char *path)
{
	return fault_due() ? -1 : fault.real.symlinkat(target, dir, path);
}

static int fault_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fault_due() ? -1 : fault.real.renameat(from_dir, from, to_dir, to);
}

static int fault_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	return fault_due() ? -1 : fault.real.rename_new(from_dir, from, to_dir, to);
}

static int fault_unlinkat(int dir, const char *path, int flags)
{
	return fault_due() ? -1 : fault.real.unlinkat(dir, path, flags);
}

static int fault_fchmod(int fd, mode_t mode)
{
	return fault_due() ? -1 : fault.real.fchmod(fd, mode);
}

static int fault_fchown(int fd, uid_t uid, gid_t gid)
{
	return fault_due() ? -1 : fault.real.fchown(fd, uid, gid);
}

static int fault_lchownat(int dir, const char *path, uid_t uid, gid_t gid)
{
	return fault_due() ? -1 : fault.real.lchownat(dir, path, uid, gid);
}

static int fault_futimens(int fd, const struct timespec times[2])
{
	return fault_due() ? -1 : fault.real.futimens(fd, times);
}

static int fault_lutimensat(int dir, const char *path, const struct timespec times[2])
{
	return fault_due() ? -1 : fault.real.lutimensat(dir, path, times);
}

static int fault_fsetxattr(int fd, const char *name, const void *value, size_t n)
{
	return fault_due() ? -1 : fault.real.fsetxattr(fd, name, value, n);
}

static const struct io_ops faulty = {
	.openat = fault_openat,
	.flock = fault_flock,
	.write = fault_write,
	.writev = fault_writev,
	.clone = fault_clone,
	.copy_file_range = fault_copy_file_range,
	.fsync = fault_fsync,
	.mkdirat = fault_mkdirat,
	.linkat = fault_linkat,
	.symlinkat = fault_symlinkat,
	.renameat = fault_renameat,
	.rename_new = fault_rename_new,
	.unlinkat = fault_unlinkat,
	.fchmod = fault_fchmod,
	.fchown = fault_fchown,
	.lchownat = fault_lchownat,
	.futimens = fault_futimens,
	.lutimensat = fault_lutimensat,
	.fsetxattr = fault_fsetxattr,
};

static _Noreturn void misspelt(const char *text)
{
	fprintf(stderr, "sofold: SOFOLD_FAULT=%s is not understood\n", text);
	_Exit(2);
}

static int error_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} table[] = {
		{"EIO", EIO},	  {"ENOSPC", ENOSPC}, {"EACCES", EACCES}, {"EPERM", EPERM},
		{"EROFS", EROFS}, {"EDQUOT", EDQUOT}, {"EXDEV", EXDEV},	  {"EMLINK", EMLINK},
		{"EINTR", EINTR}, {"ENOMEM", ENOMEM}, {"EMFILE", EMFILE},
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (!strcmp(table[i].name, name))
			return table[i].number;
	return 0;
}

static void print_count(void)
{
	fprintf(stderr, "fault: %lu calls\n", atomic_load(fault.calls));
}

static void parse(const char *text)
{
	char mode[16], error[16] = "";
	int fields = sscanf(text, "%15[a-z]:%lu:%15[A-Z]:%lu", mode, &fault.number, error, &fault.kill);

	fault.error = error_number(error);
	if (!strcmp(text, "count") && !atexit(print_count))
		fault.mode = FAULT_COUNT;
	else if (fields >= 3 && fault.error && !strcmp(mode, "fail"))
		fault.mode = FAULT_FAIL;
	else if (fields == 3 && fault.error && !strcmp(mode, "failall"))
		fault.mode = FAULT_FAIL_ALL;
	else if (fields == 2 && !strcmp(mode, "short"))
		fault.mode = FAULT_SHORT;
	else if (fields == 2 && (!strcmp(mode, "kill") || !strcmp(mode, "killone")))
		fault.kill = fault.number;
	else
		misspelt(text);
	fault.alone = !strcmp(mode, "killone");
}

__attribute__((constructor)) void fault_install(void)
{
	const char *text = getenv("SOFOLD_FAULT");

	if (!text || !*text)
		return;
	parse(text);
	fault.calls = mmap(NULL, sizeof *fault.calls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			   0);
	if (fault.calls == MAP_FAILED)
		misspelt("no memory");
	fault.real = io;
	io = faulty;
}

#endif
