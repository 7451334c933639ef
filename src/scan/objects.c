/*
 * Parsing the ELF files of a layer, on every core.
 *
 * The walk looks at every file's first four bytes: names say nothing
 * ("libfoo.so.5", "bin/ruff", "_backend"). Whoever finds an ELF file parses it
 * there and then, while it is open. What has several names is left until all
 * are known, since hard links to one inode are parsed once.
 *
 * Each worker parses into a layer of its own, which holds nothing but an
 * arena and findings; when all are done those are joined in the order of
 * files, so that the result does not depend on who was faster.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "layer/exports.h"
#include "scan/parts.h"
#include "scan/walk.h"
#include "sofold/pool.h"
#include "sofold/vec.h"

/* Mappings kept until all are parsed: a process may have 65,530. */
enum { MAX_KEPT = 16 * 1024 };

struct parsed {
	const char *path;
	bool sound;
	struct mapping mapping; /* to be released */
	struct object object;
	struct finding *findings;
	size_t nr_findings;
};

/* What one worker has parsed. */
struct pile {
	struct arena *arena;
	struct parsed **items;
	size_t nr_items, alloc_items;
};

struct job {
	struct layer *layer;
	struct source *source;
	bool walked;	      /* files of one name have been parsed */
	const file_id *files; /* the rest, one of each inode */
	size_t nr_files;
	struct pile piles[POOL_MAX_WORKERS];
	atomic_size_t nr_kept;
};

static void parse(struct job *job, struct pile *pile, struct parsed *parsed)
{
	struct layer scratch = {.arena = pile->arena};

	parsed->sound = scan_object(&scratch, parsed->path, parsed->mapping.bytes, &parsed->object);
	object_index_exports(pile->arena, &parsed->object);
	if (!source_leave(job->source, &parsed->mapping)) {
		parsed->sound = false;
		scratch.nr_findings = 0;
		layer_add_finding(&scratch, "changed", SEVERITY_ERROR, parsed->path,
				  "the file shrank while it was read");
	}
	if (atomic_fetch_add(&job->nr_kept, 1) >= MAX_KEPT)
		source_release(job->source, &parsed->mapping);
	parsed->findings = scratch.findings;
	parsed->nr_findings = scratch.nr_findings;
}

static void note_unreadable(struct pile *pile, struct parsed *parsed, const char *why)
{
	struct layer scratch = {.arena = pile->arena};

	layer_add_finding(&scratch, "unreadable", SEVERITY_ERROR, parsed->path, "%s", why);
	parsed->findings = scratch.findings;
	parsed->nr_findings = scratch.nr_findings;
}

static struct parsed *add_parsed(struct pile *pile, const char *path)
{
	struct parsed *parsed = arena_alloc(pile->arena, sizeof *parsed);

	parsed->path = path;
	return *VEC_PUSH(pile->arena, pile, items) = parsed;
}

/* The walk has found an ELF file. */
static void take_open(void *context, const struct file *file, int fd, struct arena *arena, unsigned worker)
{
	struct job *job = context;
	struct pile *pile = &job->piles[worker];
	struct error err = {0};
	struct parsed *parsed;

	if (file->nr_links > 1)
		return;
	pile->arena = arena;
	parsed = add_parsed(pile, file->path);
	if (mapping_of_fd(&parsed->mapping, fd, file->path, &err))
		note_unreadable(pile, parsed, err.message);
	else
		parse(job, pile, parsed);
}

static void take_by_path(void *context, size_t item, unsigned worker)
{
	struct job *job = context;
	struct pile *pile = &job->piles[worker];
	const struct file *file = &job->layer->files[job->files[item]];
	struct parsed *parsed = add_parsed(pile, file->path);
	struct error err = {0};

	if (source_open(job->source, job->layer, file, &parsed->mapping, &err))
		note_unreadable(pile, parsed, err.message);
	else
		parse(job, pile, parsed);
}

static void adopt(struct layer *layer, const struct parsed *parsed)
{
	file_id file = layer_find_file(layer, parsed->path);
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

/* ELF files that are still to be parsed, the first path of each inode. Sums the
 * layer's bytes on the way, each inode once. */
static file_id *find_rest(const struct job *job, const bool *repeated, size_t *nr)
{
	struct layer *layer = job->layer;
	file_id *out = arena_array(layer->arena, layer->nr_files, sizeof *out);
	size_t i;

	*nr = 0;
	for (i = 0; i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];

		if (file->kind != FILE_REGULAR || repeated[i])
			continue;
		layer->bytes += file->size;
		if (file->is_elf && !(job->walked && file->nr_links == 1))
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
		else if (file->kind == FILE_REGULAR && !file->is_elf && !file->unread &&
			 looks_like_library(file))
			layer_add_finding(layer, "malformed", file->size ? SEVERITY_WARNING : SEVERITY_ERROR,
					  file->path,
					  file->size ? "named like a library, but no ELF file"
						     : "named like a library, but empty");
	}
}

static void parse_rest(struct job *job)
{
	unsigned i, workers = pool_workers(job->nr_files, job->source->threads);

	for (i = 0; i < workers; i++)
		job->piles[i].arena = arena_new();
	pool_run(job->nr_files, job->source->threads, take_by_path, job);
	for (i = 0; i < workers; i++)
		arena_absorb(job->layer->arena, job->piles[i].arena);
}

static int by_path(const void *a, const void *b)
{
	return strcmp((*(struct parsed *const *)a)->path, (*(struct parsed *const *)b)->path);
}

/* All that was parsed, in the order of files. */
static struct parsed **gather(struct job *job, size_t *nr)
{
	struct parsed **all;
	size_t i, at = 0;

	for (*nr = 0, i = 0; i < POOL_MAX_WORKERS; i++)
		*nr += job->piles[i].nr_items;
	all = arena_array(job->layer->arena, *nr, sizeof(struct parsed *));
	for (i = 0; i < POOL_MAX_WORKERS; i++) {
		const struct pile *pile = &job->piles[i];

		if (pile->nr_items)
			memcpy(all + at, pile->items, pile->nr_items * sizeof *all);
		at += pile->nr_items;
	}
	if (*nr)
		qsort(all, *nr, sizeof *all, by_path);
	return all;
}

static void finish(struct job *job)
{
	struct layer *layer = job->layer;
	size_t nr, nr_parsed, i;
	file_id *linked = linked_files(layer, &nr);
	struct mapping **mappings;
	struct parsed **parsed;

	job->files = find_rest(job, find_repeated(layer, linked, nr), &job->nr_files);
	parse_rest(job);
	parsed = gather(job, &nr_parsed);
	mappings = arena_array(layer->arena, nr_parsed, sizeof(struct mapping *));
	for (i = 0; i < nr_parsed; i++)
		mappings[i] = &parsed[i]->mapping;
	if (!job->source->contents)
		*layer->spent = (struct spent){.mappings = mappings, .nr_mappings = nr_parsed};
	for (i = 0; i < nr_parsed; i++)
		adopt(layer, parsed[i]);
	link_paths(layer, linked, nr);
	link_symlinks(layer);
	report_odd_files(layer);
}

int objects_walk(struct layer *layer, struct source *source, struct error *err)
{
	struct job job = {.layer = layer, .source = source, .walked = true};
	struct walk_visitor visitor = {take_open, &job};
	int rc;

	rc = walk_tree(layer, source->root, source->threads, &visitor, err);
	finish(&job);
	return rc;
}

void objects_read(struct layer *layer, struct source *source)
{
	struct job job = {.layer = layer, .source = source};

	finish(&job);
}
