/*
 * Which wheel a file belongs to: the wheel whose *.dist-info/RECORD lists it
 * (PEP 376). The directory's name gives the wheel's: "numpy-2.4.6.dist-info".
 */
#include "layer/record.h"
#include "scan/parts.h"
#include "sofold/vec.h"

static bool ends_with(const char *text, size_t n, const char *suffix)
{
	size_t m = strlen(suffix);

	return n >= m && !memcmp(text + n - m, suffix, m);
}

/* "site/numpy-2.4.6.dist-info/RECORD": base "site", "numpy", "2.4.6". */
static bool parse_record_path(struct layer *layer, const char *path, struct owner *owner)
{
	char *dir = path_dir(layer->arena, path), *slash = strrchr(dir, '/'), *name = slash ? slash + 1 : dir;
	size_t n = strlen(name);
	char *dash;

	if (!ends_with(name, n, ".dist-info"))
		return false;
	name[n - strlen(".dist-info")] = 0;
	if (slash)
		*slash = 0;
	dash = strrchr(name, '-');
	if (dash)
		*dash = 0;
	*owner = (struct owner){.name = name, .version = dash ? dash + 1 : "", .base = slash ? dir : ""};
	return true;
}

static void claim(struct layer *layer, owner_id id, struct span record)
{
	struct arena *scratch = arena_new();
	const char *base = layer->owners[id].base, *row;
	size_t at = 0;

	while ((row = record_next_path(scratch, record, &at))) {
		const char *path = *row && *row != '/' ? path_join(scratch, base, row) : NULL;
		file_id file = path ? layer_find_file(layer, path) : NO_ID;

		if (file != NO_ID)
			layer->files[file].owner = id;
	}
	arena_free(scratch);
}

static void read_record(struct layer *layer, const struct source *source, file_id file)
{
	struct mapping mapping;
	struct error err = {0};
	struct owner owner;

	if (!parse_record_path(layer, layer->files[file].path, &owner))
		return;
	if (source_open(source, layer, &layer->files[file], &mapping, &err)) {
		layer_add_finding(layer, "unreadable", SEVERITY_WARNING, layer->files[file].path, "%s",
				  err.message);
		return;
	}
	owner.record = file;
	*VEC_PUSH(layer->arena, layer, owners) = owner;
	claim(layer, (owner_id)(layer->nr_owners - 1), mapping.bytes);
	source_close(source, &mapping);
}

void owners_read(struct layer *layer, const struct source *source)
{
	size_t i;

	for (i = 0; i < layer->nr_files; i++)
		if (layer->files[i].kind == FILE_REGULAR && !strcmp(layer->files[i].name, "RECORD"))
			read_record(layer, source, (file_id)i);
}
