/* Bytes of a layer's files: mapped from a directory, or kept from an archive. */
#include <unistd.h>

#include "scan/parts.h"

int source_open(const struct source *source, const struct layer *layer, const struct file *file,
		struct mapping *mapping, struct error *err)
{
	if (!source->contents)
		return mapping_open(mapping, source->root, file->path, err);
	*mapping = (struct mapping){.bytes = source->contents[file - layer->files]};
	return 0;
}

bool source_close(const struct source *source, struct mapping *mapping)
{
	return source->contents ? true : mapping_close(mapping);
}

bool source_leave(const struct source *source, struct mapping *mapping)
{
	return source->contents ? true : mapping_leave(mapping);
}

void source_release(const struct source *source, struct mapping *mapping)
{
	if (!source->contents)
		mapping_release(mapping);
}

/* --------- two files ------------------ */

static enum same same_kept(const struct source *source, const struct layer *layer, const struct file *a,
			   const struct file *b, uint64_t offset, uint64_t size)
{
	struct span x, y;

	if (!span_sub(source->contents[a - layer->files], offset, size, &x) ||
	    !span_sub(source->contents[b - layer->files], offset, size, &y))
		return UNREADABLE;
	return span_equal(x, y) ? SAME : DIFFERENT;
}

static enum same same_read(int a, int b, uint64_t offset, uint64_t size, uint8_t *buffer)
{
	const size_t half = SOURCE_BUFFER / 2;
	size_t n;

	for (; size; offset += n, size -= n) {
		n = size < half ? (size_t)size : half;
		if (mapping_read(a, buffer, n, offset) != n || mapping_read(b, buffer + half, n, offset) != n)
			return UNREADABLE;
		if (memcmp(buffer, buffer + half, n) != 0)
			return DIFFERENT;
	}
	return SAME;
}

/* Reads, since bytes that are looked at once are copied faster than they are mapped
 * and unmapped: two files of 30 MB in 3.1 ms on two cores, and 4.5 ms. */
enum same source_same(const struct source *source, const struct layer *layer, const struct file *a,
		      const struct file *b, uint64_t offset, uint64_t size, uint8_t *buffer)
{
	enum same same = UNREADABLE;
	int x, y;

	if (source->contents)
		return same_kept(source, layer, a, b, offset, size);
	x = mapping_open_fd(source->root, a->path);
	y = mapping_open_fd(source->root, b->path);
	if (x >= 0 && y >= 0)
		same = same_read(x, y, offset, size, buffer);
	if (x >= 0)
		close(x);
	if (y >= 0)
		close(y);
	return same;
}
