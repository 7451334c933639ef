/*
 * Whether bytecode is still that of its source.
 *
 * A .pyc file begins with a magic number of four bytes and, since Python 3.7
 * (PEP 552), a word of flags: 0 when time and size of the source follow, 1 or
 * 3 when a hash of it does (3: to be checked at import). An interpreter that
 * finds another time or size compiles the source again at every import, and
 * cannot keep the result where the layer is read-only. Hashes are not computed
 * here: nobody gets them wrong by copying files.
 */
#include <endian.h>
#include <fcntl.h>
#include <unistd.h>

#include "scan/parts.h"

/* Of 3.7 and later: magic, flags, time or hash, size. */
enum { FLAGS_AT = 4, TIME_AT = 8, SIZE_AT = 12, HEADER_BYTES = 16 };

static uint32_t word_at(const uint8_t *header, size_t at)
{
	uint32_t word;

	memcpy(&word, header + at, sizeof word);
	return le32toh(word);
}

/* "cpython-36" and before: no flags; time and size are one word further on. */
static bool is_old_format(const struct file *file)
{
	const char *tag = strstr(file->name, ".cpython-3");
	const char *minor = tag ? tag + strlen(".cpython-3") : NULL;

	return minor && *minor >= '0' && *minor <= '6' && (minor[1] == '.');
}

static enum bytecode judge(const struct file *file, const struct file *py, const uint8_t *header)
{
	size_t back = is_old_format(file) ? 4 : 0;

	if (!back && word_at(header, FLAGS_AT))
		return BYTECODE_VALID;
	return word_at(header, TIME_AT - back) == (uint32_t)py->mtime_sec &&
			       word_at(header, SIZE_AT - back) == (uint32_t)py->size
		       ? BYTECODE_VALID
		       : BYTECODE_STALE;
}

static enum bytecode look_at(struct layer *layer, int root, const struct file *file)
{
	const char *source = path_of_source(layer->arena, file->path);
	file_id py = source ? layer_find_file(layer, source) : NO_ID;
	uint8_t header[HEADER_BYTES];
	ssize_t n;
	int fd;

	if (!source)
		return BYTECODE_VALID;
	if (py == NO_ID || layer->files[py].kind == FILE_GONE)
		return BYTECODE_ALONE;
	fd = openat(root, file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return BYTECODE_NONE;
	n = pread(fd, header, sizeof header, 0);
	close(fd);
	return n == sizeof header ? judge(file, &layer->files[py], header) : BYTECODE_STALE;
}

int scan_bytecode(struct layer *layer, struct error *err)
{
	int root = open(layer->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return error_errno(err, "opening %s", layer->root);
	for (size_t i = 0; i < layer->nr_files; i++) {
		struct file *file = &layer->files[i];

		if (file->kind == FILE_REGULAR && file_has_suffix(file, ".pyc"))
			file->bytecode = look_at(layer, root, file);
	}
	close(root);
	return 0;
}
