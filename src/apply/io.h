/*
 * io: every system call that changes the disk, in one table.
 *
 * The transaction promises that a call that fails, and a kill before any
 * call, leave a layer that loads. A promise about "any call" can only be
 * tested when all of them pass through one place: nothing in src/apply
 * creates, writes, links, renames or removes but through io. The fault build
 * (fault.c) and the unit tests put their own functions into the table before
 * a run starts; after that it is only read.
 *
 * The functions behave like the system calls they are named after: -1 and
 * errno on failure. Calls that only read (open for reading, stat, mmap) can
 * harm nobody and are made directly.
 */
#ifndef APPLY_IO_H
#define APPLY_IO_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#include "sofold/image.h"
#include "sofold/span.h"

struct io_ops {
	int (*openat)(int dir, const char *path, int flags, mode_t mode); /* with O_CREAT, or to lock */
	int (*flock)(int fd, int operation);
	ssize_t (*write)(int fd, const void *bytes, size_t n);
	ssize_t (*writev)(int fd, const struct iovec *parts, int nr);
	int (*clone)(int to, int from);				/* ioctl(FICLONE): share all bytes */
	ssize_t (*copy_file_range)(int from, int to, size_t n); /* at the files' positions */
	int (*fsync)(int fd);
	int (*mkdirat)(int dir, const char *path, mode_t mode);
	int (*linkat)(int from_dir, const char *from, int to_dir, const char *to);
	int (*symlinkat)(const char *target, int dir, const char *path);
	int (*renameat)(int from_dir, const char *from, int to_dir, const char *to);
	int (*rename_new)(int from_dir, const char *from, int to_dir, const char *to); /* to must not be */
	int (*unlinkat)(int dir, const char *path, int flags);
	int (*fchmod)(int fd, mode_t mode);
	int (*fchown)(int fd, uid_t uid, gid_t gid);
	int (*lchownat)(int dir, const char *path, uid_t uid, gid_t gid);
	int (*futimens)(int fd, const struct timespec times[2]);
	int (*lutimensat)(int dir, const char *path, const struct timespec times[2]);
	int (*fsetxattr)(int fd, const char *name, const void *value, size_t n);
};

extern struct io_ops io;

#ifdef SOFOLD_FAULT
void fault_install(void); /* runs by itself, before main() */
#endif

/* Writes all bytes, however many calls that takes. 0, or -1 and errno. */
int io_write_all(int fd, struct span bytes);

/* Writes a file of size bytes, made of pieces in order and zeros between them. */
int io_write_pieces(int fd, const struct piece *pieces, size_t nr, uint64_t size);

#endif
