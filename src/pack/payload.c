/*
 * One entry's data: read, checked, compressed.
 *
 * libdeflate works on whole buffers. A file is read into memory, a large one
 * mapped, since the kernel can take a mapping's pages back while we are at it.
 * Compressing gets room for one byte less than the file has: when that does not
 * do, the file is stored.
 *
 * The CRC must be that of the bytes that go into the zip. A file read once has
 * only one version; a mapped one is read up to three times, and so is compared
 * with what the walk has seen after the last of them. It is anyway, since all
 * files of a zip should be of one state of the tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pack/pack.h"

/* From this many bytes on a file is mapped. */
enum { LARGE = 8 << 20 };

static bool is_mapped(const struct pack_entry *entry)
{
	return entry->size >= LARGE;
}

uint64_t payload_need(const struct pack_entry *entry)
{
	return is_mapped(entry) ? entry->size : 2 * entry->size;
}

static int changed(const struct pack_entry *entry, struct error *err)
{
	return error_add(err, ERROR_RUN, "packing %s: it has changed meanwhile", entry->path);
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static int check_unchanged(int fd, const struct pack_entry *entry, struct error *err)
{
	const struct stat *seen = &entry->seen;
	struct stat st;

	if (fstat(fd, &st))
		return error_errno(err, "packing %s", entry->path);
	if (st.st_dev == seen->st_dev && st.st_ino == seen->st_ino && st.st_mode == seen->st_mode &&
	    st.st_size == seen->st_size && is_same_time(&st.st_mtim, &seen->st_mtim) &&
	    is_same_time(&st.st_ctim, &seen->st_ctim))
		return 0;
	return changed(entry, err);
}

int payload_release(struct payload *payload, const struct pack_entry *entry, struct error *err)
{
	int rc = 0;

	free(payload->buffer);
	payload->buffer = NULL;
	if (payload->mapping.p) {
		rc = check_unchanged(payload->fd, entry, err);
		munmap((void *)(uintptr_t)payload->mapping.p, payload->mapping.n);
		close(payload->fd);
		payload->mapping = (struct span){0};
	}
	return rc;
}

/* --------- reading ------------------ */

static int read_whole(int fd, uint8_t *to, const struct pack_entry *entry, struct error *err)
{
	size_t done = 0;
	ssize_t n;

	while (done < entry->size) {
		n = read(fd, to + done, entry->size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "packing %s", entry->path);
		if (!n)
			return changed(entry, err);
		done += (size_t)n;
	}
	return 0;
}

static int no_memory(const struct pack_entry *entry, struct error *err)
{
	errno = ENOMEM;
	return error_errno(err, "packing %s", entry->path);
}

/* The payload owns fd from here on when it is mapped. */
static int map_file(struct payload *payload, int fd, const struct pack_entry *entry, struct error *err)
{
	void *p = mmap(NULL, entry->size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED) {
		error_errno(err, "packing %s", entry->path);
		close(fd);
		return ERROR_RUN;
	}
	payload->mapping = payload->data = (struct span){p, entry->size};
	payload->fd = fd;
	return 0;
}

static int read_file(struct payload *payload, int fd, const struct pack_entry *entry, struct error *err)
{
	int rc = 0;

	payload->buffer = malloc(entry->size ? entry->size : 1);
	if (!payload->buffer)
		rc = no_memory(entry, err);
	rc = rc ? rc : read_whole(fd, payload->buffer, entry, err);
	rc = rc ? rc : check_unchanged(fd, entry, err);
	payload->data = (struct span){payload->buffer, entry->size};
	close(fd);
	return rc;
}

static int open_file(struct payload *payload, int root, const struct pack_entry *entry, struct error *err)
{
	/* O_NONBLOCK: a FIFO put in the file's place must not hang us. */
	int fd = openat(root, entry->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return error_errno(err, "packing %s", entry->path);
	rc = check_unchanged(fd, entry, err);
	if (rc) {
		close(fd);
		return rc;
	}
	return is_mapped(entry) ? map_file(payload, fd, entry, err) : read_file(payload, fd, entry, err);
}

/* --------- compressing ------------------ */

/* Puts the shorter form in the place of the file's bytes, if there is one. */
static int deflate(struct payload *payload, struct pack_entry *entry,
		   struct libdeflate_compressor *compressor, struct error *err)
{
	size_t room = payload->data.n ? payload->data.n - 1 : 0, n;
	uint8_t *to, *cut;

	if (!room)
		return 0;
	to = malloc(room);
	if (!to)
		return no_memory(entry, err);
	n = libdeflate_deflate_compress(compressor, payload->data.p, payload->data.n, to, room);
	if (!n) {
		free(to);
		return 0;
	}
	if (payload_release(payload, entry, err)) {
		free(to);
		return ERROR_RUN;
	}
	cut = realloc(to, n);
	payload->buffer = cut ? cut : to;
	payload->data = (struct span){payload->buffer, n};
	entry->deflated = true;
	return 0;
}

int payload_make(struct payload *payload, int root, struct pack_entry *entry,
		 struct libdeflate_compressor *compressor, struct error *err)
{
	int rc = 0;

	if (entry->target)
		payload->data = (struct span){(const uint8_t *)entry->target, entry->size};
	else if (S_ISREG(entry->mode))
		rc = open_file(payload, root, entry, err);
	if (rc)
		return rc;
	target_reads_mapped(payload->mapping.p ? entry->path : NULL);
	entry->crc = libdeflate_crc32(0, payload->data.p, payload->data.n);
	if (S_ISREG(entry->mode))
		rc = deflate(payload, entry, compressor, err);
	target_reads_mapped(NULL);
	entry->packed_size = payload->data.n;
	return rc;
}
