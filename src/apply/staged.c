/*
 * A new file on its way into ".sofold/new", or into memory in a dry run: the
 * old one it is made from, what it is made of, its metadata, and the mapping
 * it is read back by.
 *
 * The staging directory is made when the first file is ready to go there: a
 * run that turns out to change nothing writes nothing, on a read-only tree
 * too.
 */
#include "apply/staged.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apply/dirs.h"
#include "apply/io.h"
#include "apply/meta.h"

/* --------- reading the old file ------------------ */

bool stage_is_unchanged(const struct file *file, const struct stat *st)
{
	return st->st_dev == file->dev && st->st_ino == file->ino && (uint64_t)st->st_size == file->size &&
	       st->st_mtim.tv_sec == file->mtime_sec && st->st_mtim.tv_nsec == file->mtime_nsec;
}

void original_close(struct original *original)
{
	if (original->bytes.n)
		munmap((void *)(uintptr_t)original->bytes.p, original->bytes.n);
	if (original->fd >= 0)
		close(original->fd);
}

int original_open(struct apply *apply, struct original *original, const struct file *file, struct error *err)
{
	void *bytes = NULL;

	original->bytes = (struct span){NULL, 0};
	original->fd = dir_open_file(apply->transaction.root, file->path, &original->st);
	if (original->fd < 0)
		return error_errno(err, "opening %s", file->path);
	if (!stage_is_unchanged(file, &original->st))
		return error_add(err, ERROR_RUN, "%s has changed since it was scanned", file->path);
	if (file->size)
		bytes = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, original->fd, 0);
	if (bytes == MAP_FAILED)
		return error_errno(err, "reading %s", file->path);
	original->bytes = (struct span){bytes, file->size};
	return 0;
}

/* --------- writing the new one ------------------ */

int stage_ensure_directory(struct apply *apply, struct error *err)
{
	int status = 0;

	pthread_mutex_lock(&apply->creating);
	if (!apply->created)
		status = staging_create(&apply->transaction.staging, err);
	apply->created |= !status;
	pthread_mutex_unlock(&apply->creating);
	return status;
}

/* All pages at once: write() from pages that are not mapped yet stops at each, and the
 * file system zeroes and looks up the rest of a large folio anew every time. Before
 * Linux 5.14 it is only slower. */
static void populate(struct span bytes)
{
#ifdef MADV_POPULATE_READ
	if (bytes.n)
		(void)madvise((void *)(uintptr_t)bytes.p, bytes.n, MADV_POPULATE_READ);
#else
	(void)bytes;
#endif
}

static int write_staged(int fd, const struct content *content, const struct original *like, const char *path,
			struct error *err)
{
	populate(like->bytes);
	if (io_write_pieces(fd, content->pieces, content->nr_pieces, content->size))
		return error_errno(err, "writing the new %s", path);
	/* Only a start for sync_staged(), which also hears of errors. */
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return meta_copy(like->fd, &like->st, fd, path, err);
}

/* Writes .sofold/new/NUMBER and maps it. */
static int stage_on_disk(struct apply *apply, struct item *item, const struct content *content,
			 const struct original *like, struct error *err)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd, status = stage_ensure_directory(apply, err);
	void *mapped;

	if (status)
		return status;
	fd = io.openat(apply->transaction.staging.new, op_name(item->number).text, flags, 0600);
	if (fd < 0)
		return error_errno(err, "writing the new %s", item->path);
	status = write_staged(fd, content, like, item->path, err);
	if (!status && content->size) {
		mapped = mmap(NULL, content->size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (mapped == MAP_FAILED)
			status = error_errno(err, "reading back the new %s", item->path);
		else
			item->staged = (struct span){mapped, content->size};
	}
	close(fd);
	return status;
}

static int stage_in_memory(struct item *item, const struct content *content, struct error *err)
{
	uint8_t *mapped = mmap(NULL, content->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);
	size_t i;

	if (mapped == MAP_FAILED)
		return error_errno(err, "keeping the new %s", item->path);
	item->staged = (struct span){mapped, content->size};
	for (i = 0; i < content->nr_pieces; i++)
		memcpy(mapped + content->pieces[i].offset, content->pieces[i].bytes.p,
		       content->pieces[i].bytes.n);
	return 0;
}

int stage_content(struct apply *apply, struct item *item, const struct content *content,
		  const struct original *like, struct error *err)
{
	item->after = content->size;
	if (!apply->options.dry_run)
		return stage_on_disk(apply, item, content, like, err);
	return content->size ? stage_in_memory(item, content, err) : 0;
}

int unstage(struct apply *apply, struct item *item, struct error *err)
{
	if (item->staged.n)
		munmap((void *)(uintptr_t)item->staged.p, item->staged.n);
	item->staged = (struct span){NULL, 0};
	item->after = item->before;
	if (!apply->options.dry_run &&
	    io.unlinkat(apply->transaction.staging.new, op_name(item->number).text, 0))
		return error_errno(err, "removing the new %s", item->path);
	return 0;
}

void stage_accept(struct item *item)
{
	item->changed = true;
	digest_sha256(item->staged, item->sha256);
}
