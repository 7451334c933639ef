/*
 * The default table: each function is the system call of its name. Those
 * with more arguments than we use get them here, so that a replacement has
 * little to imitate.
 */
#include "apply/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static int plain_openat(int dir, const char *path, int flags, mode_t mode)
{
	return openat(dir, path, flags, mode);
}

static int plain_clone(int to, int from)
{
	return ioctl(to, FICLONE, from);
}

static ssize_t plain_copy_file_range(int from, int to, size_t n)
{
	return copy_file_range(from, NULL, to, NULL, n, 0);
}

static int plain_linkat(int from_dir, const char *from, int to_dir, const char *to)
{
	return linkat(from_dir, from, to_dir, to, 0);
}

/* Some file systems cannot be told not to replace; the caller has looked. */
static int plain_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	int rc = renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);

	if (rc && (errno == EINVAL || errno == ENOSYS))
		rc = renameat(from_dir, from, to_dir, to);
	return rc;
}

static int plain_lchownat(int dir, const char *path, uid_t uid, gid_t gid)
{
	return fchownat(dir, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

static int plain_lutimensat(int dir, const char *path, const struct timespec times[2])
{
	return utimensat(dir, path, times, AT_SYMLINK_NOFOLLOW);
}

static int plain_fsetxattr(int fd, const char *name, const void *value, size_t n)
{
	return fsetxattr(fd, name, value, n, 0);
}

struct io_ops io = {
	.openat = plain_openat,
	.flock = flock,
	.write = write,
	.writev = writev,
	.clone = plain_clone,
	.copy_file_range = plain_copy_file_range,
	.fsync = fsync,
	.mkdirat = mkdirat,
	.linkat = plain_linkat,
	.symlinkat = symlinkat,
	.renameat = renameat,
	.rename_new = plain_rename_new,
	.unlinkat = unlinkat,
	.fchmod = fchmod,
	.fchown = fchown,
	.lchownat = plain_lchownat,
	.futimens = futimens,
	.lutimensat = plain_lutimensat,
	.fsetxattr = plain_fsetxattr,
};

#ifdef SOFOLD_FAULT
/* Takes fault.o out of the archive: nobody else names anything in it. */
void (*const io_fault_is_linked)(void) = fault_install;
#endif

int io_write_all(int fd, struct span bytes)
{
	while (bytes.n) {
		ssize_t n = io.write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return 0;
}

enum { MAX_PARTS = 512 };

struct batch {
	int fd;
	struct iovec parts[MAX_PARTS];
	int nr;
};

static int flush(struct batch *batch)
{
	struct iovec *part = batch->parts;
	int left = batch->nr;

	while (left) {
		ssize_t n = io.writev(batch->fd, part, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		while (left && (size_t)n >= part->iov_len) {
			n -= (ssize_t)part->iov_len;
			part++;
			left--;
		}
		if (left) {
			part->iov_base = (uint8_t *)part->iov_base + n;
			part->iov_len -= (size_t)n;
		}
	}
	batch->nr = 0;
	return 0;
}

static int add_part(struct batch *batch, const uint8_t *bytes, size_t n)
{
	if (batch->nr == MAX_PARTS && flush(batch))
		return -1;
	batch->parts[batch->nr++] = (struct iovec){(void *)(uintptr_t)bytes, n};
	return 0;
}

static int add_zeros(struct batch *batch, uint64_t n)
{
	static const uint8_t zeros[64 * 1024];

	for (uint64_t share; n; n -= share) {
		share = n < sizeof zeros ? n : sizeof zeros;
		if (add_part(batch, zeros, share))
			return -1;
	}
	return 0;
}

int io_write_pieces(int fd, const struct piece *pieces, size_t nr, uint64_t size)
{
	struct batch batch = {.fd = fd};
	uint64_t at = 0;
	size_t i;

	for (i = 0; i < nr; i++) {
		if (add_zeros(&batch, pieces[i].offset - at) ||
		    add_part(&batch, pieces[i].bytes.p, pieces[i].bytes.n))
			return -1;
		at = pieces[i].offset + pieces[i].bytes.n;
	}
	return add_zeros(&batch, size - at) || flush(&batch) ? -1 : 0;
}
