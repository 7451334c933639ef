/*
 * Which wheel a file belongs to: the wheel whose *.dist-info/RECORD lists it
 * (PEP 376). The directory's name gives the wheel's: "numpy-2.4.6.dist-info".
 * RECORDs are read in parallel, and their claims entered one after the other.
 */
#include "layer/record.h"
#include "scan/parts.h"
#include "sofold/pool.h"
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

struct claims {
	struct layer *layer;
	const struct source *source;
	struct claimed {
		file_id *files;
		size_t nr_files, alloc_files;
		const char *unreadable;		/* why */
	} * owners;				/* one for each */
	struct arena *arenas[POOL_MAX_WORKERS]; /* one for each worker */
};

/* Whether path is what base and row make, both as they are. */
static bool is_joined(const char *path, const char *base, const char *row)
{
	size_t n = strlen(base);

	return n ? !strncmp(path, base, n) && path[n] == '/' && !strcmp(path + n + 1, row)
		 : !strcmp(path, row);
}

static file_id find_row(const struct layer *layer, struct arena *scratch, const char *base, const char *row)
{
	const char *path = *row && *row != '/' ? path_join(scratch, base, row) : NULL;

	return path ? layer_find_file(layer, path) : NO_ID;
}

/* Finds the files a RECORD lists, and leaves the layer alone: several RECORDs
 * are read at once. Installers sort them as the layer is, so the next row most often
 * names the next file; in an archive that may be another of the same name. */
static void read_rows(struct claims *claims, owner_id id, struct span record, struct arena *arena)
{
	const struct layer *layer = claims->layer;
	const char *base = layer->owners[id].base, *row;
	struct claimed *claimed = &claims->owners[id];
	struct arena *scratch = arena_new();
	file_id file, next = 0;
	size_t at = 0;

	for (; (row = record_next_path(scratch, record, &at)); arena_reset(scratch)) {
		file = next < layer->nr_files && !layer->from_archive &&
				       is_joined(layer->files[next].path, base, row)
			       ? next
			       : find_row(layer, scratch, base, row);
		if (file == NO_ID)
			continue;
		*VEC_PUSH(arena, claimed, files) = file;
		next = file + 1;
	}
	arena_free(scratch);
}

static void read_record(void *context, size_t item, unsigned worker)
{
	struct claims *claims = context;
	const struct layer *layer = claims->layer;
	struct mapping mapping;
	struct error err = {0};

	if (source_open(claims->source, layer, &layer->files[layer->owners[item].record], &mapping, &err)) {
		claims->owners[item].unreadable = arena_strdup(claims->arenas[worker], err.message);
		return;
	}
	read_rows(claims, (owner_id)item, mapping.bytes, claims->arenas[worker]);
	source_close(claims->source, &mapping);
}

/* Where two wheels list one file, the later wheel in path order has it: that
 * one was most likely installed over the other's. */
static void claim(struct layer *layer, const struct claims *claims)
{
	size_t i, k;

	for (i = 0; i < layer->nr_owners; i++) {
		const struct claimed *claimed = &claims->owners[i];

		if (claimed->unreadable)
			layer_add_finding(layer, "unreadable", SEVERITY_WARNING,
					  layer->files[layer->owners[i].record].path, "%s",
					  claimed->unreadable);
		for (k = 0; k < claimed->nr_files; k++)
			layer->files[claimed->files[k]].owner = (owner_id)i;
	}
}

static void find_records(struct layer *layer)
{
	struct owner owner;
	size_t i;

	for (i = 0; i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];

		if (file->kind != FILE_REGULAR || strcmp(file->name, "RECORD") ||
		    !parse_record_path(layer, file->path, &owner))
			continue;
		owner.record = (file_id)i;
		*VEC_PUSH(layer->arena, layer, owners) = owner;
	}
}

void owners_read(struct layer *layer, const struct source *source)
{
	struct claims claims = {.layer = layer, .source = source};
	unsigned workers, i;

	find_records(layer);
	claims.owners = arena_array(layer->arena, layer->nr_owners, sizeof *claims.owners);
	workers = pool_workers(layer->nr_owners, source->threads);
	for (i = 0; i < workers; i++)
		claims.arenas[i] = arena_new();
	pool_run(layer->nr_owners, source->threads, read_record, &claims);
	claim(layer, &claims);
	for (i = 0; i < workers; i++)
		arena_free(claims.arenas[i]);
}
