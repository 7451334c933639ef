/*
 * Reading Python sources for their import statements, on all cores.
 *
 * Of some ten thousand names a layer imports only those matter that lead to
 * what is to go: prune_asks() is put to each where it is found, so that hardly
 * any is copied.
 */
#include <fcntl.h>
#include <unistd.h>

#include "scan/parts.h"
#include "sofold/pool.h"
#include "sofold/vec.h"

struct reading {
	struct layer *layer;
	const struct source *source;
	const struct prune *prune;
	struct python_imports *found; /* for each file */
	struct arena *arenas[POOL_MAX_WORKERS];
};

/* One file being read. */
struct one {
	struct reading *reading;
	struct arena *arena;
	file_id file;
};

static void note(void *context, unsigned line, bool absolute, const char *path)
{
	struct one *one = context;
	struct python_import import = {one->file, line, absolute, path};

	if (!prune_asks(one->reading->prune, &import))
		return;
	import.path = arena_strdup(one->arena, path);
	*VEC_PUSH(one->arena, &one->reading->found[one->file], items) = import;
}

static void read_source(void *context, size_t item, unsigned worker)
{
	struct reading *reading = context;
	const struct file *file = &reading->layer->files[item];
	struct one one = {reading, reading->arenas[worker], (file_id)item};
	struct mapping mapping;
	struct error err = {0};

	if (!prune_unread(reading->prune)[item] ||
	    source_open(reading->source, reading->layer, file, &mapping, &err))
		return;
	if (!strcmp(file->name, "entry_points.txt"))
		prune_entry_points(mapping.bytes, note, &one);
	else
		prune_python_imports(file->path, mapping.bytes, note, &one);
	source_close(reading->source, &mapping);
}

int scan_imports(struct layer *layer, const struct prune *prune, struct python_imports *imports,
		 struct error *err)
{
	struct source source = {.root = open(layer->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct reading reading = {.layer = layer, .source = &source, .prune = prune};
	unsigned workers = pool_workers(layer->nr_files, 0), i;
	size_t file, k;

	*imports = (struct python_imports){0};
	if (source.root < 0)
		return error_errno(err, "opening %s", layer->root);
	reading.found = arena_array(layer->arena, layer->nr_files, sizeof *reading.found);
	for (i = 0; i < workers; i++)
		reading.arenas[i] = arena_new();
	pool_run(layer->nr_files, 0, read_source, &reading);
	for (i = 0; i < workers; i++)
		arena_absorb(layer->arena, reading.arenas[i]);
	for (file = 0; file < layer->nr_files; file++)
		for (k = 0; k < reading.found[file].nr_items; k++)
			*VEC_PUSH(layer->arena, imports, items) = reading.found[file].items[k];
	close(source.root);
	return 0;
}
