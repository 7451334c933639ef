/*
 * scan_layer(): the parts of parts.h in order.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scan/parts.h"
#include "sofold/apply.h"

static int read_files(struct layer *layer, int fd, struct source *source, struct error *err)
{
	struct stat st;
	int rc;

	if (fstat(fd, &st))
		return error_errno(err, "reading %s", layer->root);
	if (S_ISDIR(st.st_mode)) {
		source->root = fd;
		if (!faccessat(fd, APPLY_STAGING, F_OK, AT_SYMLINK_NOFOLLOW))
			layer_add_finding(layer, "interrupted-run", SEVERITY_WARNING, APPLY_STAGING,
					  "left by a run that was cut short; the next shrink cleans up");
		return objects_walk(layer, source, err);
	}
	if (!S_ISREG(st.st_mode))
		return error_add(err, ERROR_RUN, "reading %s: neither a directory nor an archive",
				 layer->root);
	rc = archive_read(layer, fd, source, err);
	if (!rc)
		objects_read(layer, source);
	return rc;
}

static void name_families(struct layer *layer)
{
	size_t i;

	for (i = 0; i < layer->nr_objects; i++) {
		struct object *object = &layer->objects[i];
		owner_id owner = layer->files[object->file].owner;

		object->family = family_name(layer->arena, object_name(layer, object),
					     owner == NO_ID ? NULL : layer->owners[owner].name);
	}
}

static void release(void *context)
{
	struct spent *spent = context;

	mapping_release_all(spent->mappings, spent->nr_mappings);
}

int scan_layer(const char *path, const struct scan_options *options, struct layer **out, struct error *err)
{
	struct arena *arena = arena_new();
	struct layer *layer = arena_alloc(arena, sizeof *layer);
	struct spent *spent = layer->spent = arena_alloc(arena, sizeof *spent);
	struct source source = {.root = -1, .threads = options->threads};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	*out = NULL;
	layer->arena = arena;
	layer->root = arena_strdup(arena, path);
	if (fd < 0)
		rc = error_errno(err, "opening %s", path);
	else
		rc = read_files(layer, fd, &source, err);
	if (!rc) {
		owners_read(layer, &source);
		name_families(layer);
		if (options->frames)
			frames_read(layer, &source);
		digests_read(layer, &source, options->hash_families);
		*out = layer;
	}
	if (spent->nr_mappings)
		pool_begin_aside(&spent->releasing, release, spent);
	if (fd >= 0)
		close(fd);
	if (rc)
		layer_free(layer);
	return rc;
}

void layer_free(struct layer *layer)
{
	if (!layer)
		return;
	pool_end_aside(&layer->spent->releasing);
	arena_free(layer->arena);
}
