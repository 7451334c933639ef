/* Bytes of a layer's files: mapped from a directory, or kept from an archive. */
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

static void release_spent(void *context)
{
	struct source *source = context;
	size_t i;

	for (i = 0; i < source->nr_spent; i++)
		mapping_release(source->spent[i]);
}

void source_release_all(struct source *source, struct mapping **mappings, size_t nr)
{
	if (source->contents)
		return;
	source->spent = mappings;
	source->nr_spent = nr;
	pool_begin_aside(&source->releasing, release_spent, source);
}

void source_wait(struct source *source)
{
	pool_end_aside(&source->releasing);
}

void source_release(const struct source *source, struct mapping *mapping)
{
	if (!source->contents)
		mapping_release(mapping);
}
