/*
 * Parsing the ELF files of a layer, on every core.
 *
 * The walk has looked at every file's first four bytes: names say nothing
 * ("libfoo.so.5", "bin/ruff", "_backend"). Hard links to one inode are parsed
 * once.
 *
 * Each worker parses into a layer of its own, which holds nothing but an
 * arena and findings; when all are done those are joined in the order of
 * files, so that the result does not depend on who was faster.
 */
#include <stdlib.h>

#include "scan/parts.h"
#include "sofold/pool.h"
#include "sofold/vec.h"

/* Mappings kept until all are parsed: a process may have 65,530. */
enum { MAX_KEPT = 16 * 1024 };

struct parsed {
	bool sound;
	struct mapping mapping; /* to be released */
	struct object object;
	struct finding *findings;
	size_t nr_findings;
};

struct job {
	struct layer *layer;
	const struct source *source;
	const file_id *files; /* one of each inode */
	size_t nr_files;
	struct parsed *parsed;
	struct arena *arenas[POOL_MAX_WORKERS]; /* one for each worker */
};

static void parse(struct job *job, const struct file *file, struct parsed *parsed, struct arena *arena)
{
	struct layer scratch = {.arena = arena};
	struct error err = {0};

	if (source_open(job->source, job->layer, file, &parsed->mapping, &err)) {
		layer_add_finding(&scratch, "unreadable", SEVERITY_ERROR, file->path, "%s", err.message);
	} else {
		parsed->sound = scan_object(&scratch, file->path, parsed->mapping.bytes, &parsed->object);
		if (!source_leave(job->source, &parsed->mapping)) {
			parsed->sound = false;
			scratch.nr_findings = 0;
			layer_add_finding(&scratch, "changed", SEVERITY_ERROR, file->path,
					  "the file shrank while it was read");
		}
	}
	parsed->findings = scratch.findings;
	parsed->nr_findings = scratch.nr_findings;
}

static void look_at(void *context, size_t item, unsigned worker)
{
	struct job *job = context;
	const struct file *file = &job->layer->files[job->files[item]];

	parse(job, file, &job->parsed[item], job->arenas[worker]);
	if (item >= MAX_KEPT)
		source_release(job->source, &job->parsed[item].mapping);
}

static void adopt(struct layer *layer, const struct parsed *parsed, file_id file)
{
	size_t i;

	for (i = 0; i < parsed->nr_findings; i++)
		*VEC_PUSH(layer->arena, layer, findings) = parsed->findings[i];
	if (!parsed->sound)
		return;
	layer->files[file].object = (object_id)layer->nr_objects;
	*VEC_PUSH(layer->arena, layer, objects) = parsed->object;
	layer->objects[layer->nr_objects - 1].file = file;
}

static int by_inode(const void *a, const void *b, void *context)
{
	const struct layer *layer = context;
	const struct file *x = &layer->files[*(const file_id *)a], *y = &layer->files[*(const file_id *)b];

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return *(const file_id *)a < *(const file_id *)b ? -1 : 1;
}

static bool same_inode(const struct file *a, const struct file *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* The regular files that have other names, sorted so that those of one inode are
 * neighbours: hardly ever any. */
static file_id *linked_files(struct layer *layer, size_t *nr)
{
	file_id *ids = arena_array(layer->arena, layer->nr_files, sizeof *ids);
	size_t i;

	*nr = 0;
	for (i = 0; i < layer->nr_files; i++)
		if (layer->files[i].kind == FILE_REGULAR && layer->files[i].nr_links > 1)
			ids[(*nr)++] = (file_id)i;
	if (*nr)
		qsort_r(ids, *nr, sizeof *ids, by_inode, layer);
	return ids;
}

/* A flag for each file that is another name of one before it. */
static bool *find_repeated(struct layer *layer, const file_id *linked, size_t nr)
{
	bool *repeated = arena_array(layer->arena, layer->nr_files, sizeof *repeated);

	for (size_t i = 1; i < nr; i++)
		repeated[linked[i]] = same_inode(&layer->files[linked[i]], &layer->files[linked[i - 1]]);
	return repeated;
}

/* ELF files, the first path of each inode. Sums the layer's bytes on the way,
 * each inode once. */
static file_id *candidates(struct layer *layer, const bool *repeated, size_t *nr)
{
	file_id *out = arena_array(layer->arena, layer->nr_files, sizeof *out);
	size_t i;

	*nr = 0;
	for (i = 0; i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];

		if (file->kind != FILE_REGULAR || repeated[i])
			continue;
		layer->bytes += file->size;
		if (file->is_elf)
			out[(*nr)++] = (file_id)i;
	}
	return out;
}

static void set_links(struct layer *layer, object_id id, const file_id *links, size_t nr)
{
	if (id == NO_ID)
		return;
	layer->objects[id].links = arena_memdup(layer->arena, links, nr * sizeof *links);
	layer->objects[id].nr_links = nr;
}

/* Every path of each object's inode, and the object of each path. */
static void link_paths(struct layer *layer, const file_id *linked, size_t nr)
{
	size_t i, j;

	for (i = 0; i < layer->nr_objects; i++)
		set_links(layer, (object_id)i, &layer->objects[i].file, 1);
	for (i = 0; i < nr; i = j) {
		object_id id = layer->files[linked[i]].object;

		for (j = i + 1; j < nr && same_inode(&layer->files[linked[i]], &layer->files[linked[j]]); j++)
			layer->files[linked[j]].object = id;
		set_links(layer, id, &linked[i], j - i);
	}
}

static void link_symlinks(struct layer *layer)
{
	size_t i;

	for (i = 0; i < layer->nr_files; i++)
		if (layer->files[i].kind == FILE_SYMLINK)
			layer->files[i].object = layer_object_at(layer, layer->files[i].path);
}

static bool looks_like_library(const struct file *file)
{
	const char *so = strstr(file->name, ".so");

	return so && (!so[3] || so[3] == '.');
}

/* Files that are not there to be parsed, but that a user would miss. */
static void report_odd_files(struct layer *layer)
{
	size_t i;

	for (i = 0; i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];

		if (file->kind == FILE_OTHER)
			layer_add_finding(layer, "special-file", SEVERITY_WARNING, file->path,
					  "neither a file nor a directory nor a symlink; left alone");
		else if (file->kind == FILE_REGULAR && !file->is_elf && looks_like_library(file))
			layer_add_finding(layer, "malformed", file->size ? SEVERITY_WARNING : SEVERITY_ERROR,
					  file->path,
					  file->size ? "named like a library, but no ELF file"
						     : "named like a library, but empty");
	}
}

void objects_read(struct layer *layer, const struct source *source)
{
	struct job job = {.layer = layer, .source = source};
	unsigned workers, i;
	size_t nr, item;
	file_id *linked = linked_files(layer, &nr);

	job.files = candidates(layer, find_repeated(layer, linked, nr), &job.nr_files);
	job.parsed = arena_array(layer->arena, job.nr_files, sizeof *job.parsed);
	workers = pool_workers(job.nr_files, source->threads);
	for (i = 0; i < workers; i++)
		job.arenas[i] = arena_new();
	pool_run(job.nr_files, source->threads, look_at, &job);
	for (i = 0; i < workers; i++)
		arena_absorb(layer->arena, job.arenas[i]);
	for (item = 0; item < job.nr_files; item++) {
		source_release(source, &job.parsed[item].mapping);
		adopt(layer, &job.parsed[item], job.files[item]);
	}
	link_paths(layer, linked, nr);
	link_symlinks(layer);
	report_odd_files(layer);
}
