/*
 * Which objects are copies of each other, asked of those only that may be.
 *
 * Two files can hold the same bytes only if their sizes are equal; two images
 * can be the same only if machine, bytes of code and number of symbols are.
 * Objects are grouped by the one and then by the other; groups of one are
 * left alone. Files of a group are compared byte by byte, which is faster
 * than any digest worth trusting and leaves nothing to trust, and in parts, since
 * most often one pair of large files is all there is to do. Of equal files
 * the image digest is computed for one. SHA-256 is for reports only.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "scan/digest.h"
#include "scan/parts.h"
#include "sofold/pool.h"
#include "sofold/vec.h"

struct digesting {
	struct layer *layer;
	const struct source *source;
	object_id *ids; /* to do */
	size_t nr_ids;
	uint8_t (*digests)[DIGEST_BYTES]; /* one for each of ids */
	bool *done, *unread;
	int (*digest)(struct span bytes, uint8_t out[DIGEST_BYTES], struct error *err);
};

static int sha256(struct span bytes, uint8_t out[DIGEST_BYTES], struct error *err)
{
	(void)err;
	digest_sha256(bytes, out);
	return 0;
}

static const struct file *file_of(const struct layer *layer, object_id id)
{
	return &layer->files[layer->objects[id].file];
}

static void digest_one(void *context, size_t item, unsigned worker)
{
	struct digesting *job = context;
	struct mapping mapping;
	struct error err = {0};

	(void)worker;
	if (source_open(job->source, job->layer, file_of(job->layer, job->ids[item]), &mapping, &err)) {
		job->unread[item] = true;
		return;
	}
	job->done[item] = !job->digest(mapping.bytes, job->digests[item], &err);
	job->unread[item] = !source_close(job->source, &mapping);
}

/* Every object was read a moment ago. Now files change under us, or there is a lack of
 * something: the user is told what is therefore not known. */
static const char unreadable[] = "unreadable";

static void note_no_digest(struct layer *layer, object_id id)
{
	const char *path = file_of(layer, id)->path;
	size_t i;

	for (i = 0; i < layer->nr_findings; i++)
		if (!strcmp(layer->findings[i].path, path) && !strcmp(layer->findings[i].rule, unreadable))
			return;
	layer_add_finding(layer, unreadable, SEVERITY_WARNING, path,
			  "was read once, and could not be read again to be compared");
}

static void note_not_compared(struct layer *layer, object_id id, object_id with)
{
	layer_add_finding(layer, unreadable, SEVERITY_WARNING, file_of(layer, id)->path,
			  "could not be compared with %s: one of the two cannot be read again",
			  file_of(layer, with)->path);
}

/* Runs digest over ids and puts the hex digits where member() says. */
static void digest_ids(struct digesting *job, const char **(*member)(struct object *object))
{
	struct arena *arena = job->layer->arena;
	size_t i;

	job->digests = arena_array(arena, job->nr_ids, sizeof *job->digests);
	job->done = arena_array(arena, job->nr_ids, sizeof *job->done);
	job->unread = arena_array(arena, job->nr_ids, sizeof *job->unread);
	pool_run(job->nr_ids, job->source->threads, digest_one, job);
	for (i = 0; i < job->nr_ids; i++) {
		if (job->unread[i])
			note_no_digest(job->layer, job->ids[i]);
		else if (job->done[i])
			*member(&job->layer->objects[job->ids[i]]) = digest_hex(arena, job->digests[i],
										DIGEST_BYTES);
	}
}

static const char **sha256_of(struct object *object)
{
	return &object->sha256;
}

static const char **image_of(struct object *object)
{
	return &object->image;
}

typedef int compare_fn(const struct object *a, const struct object *b);

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_shape(const struct object *a, const struct object *b)
{
	int order = compare_numbers(a->machine, b->machine);

	if (!order)
		order = compare_numbers(a->text_bytes, b->text_bytes);
	if (!order)
		order = compare_numbers(a->nr_exports, b->nr_exports);
	return order ? order : compare_numbers(a->nr_imports, b->nr_imports);
}

/* Equal bytes mean equal sizes and equal shapes; comparing both spares files
 * that have a size in common by chance. */
static int by_size(const struct object *a, const struct object *b)
{
	int order = compare_numbers(a->size, b->size);

	return order ? order : by_shape(a, b);
}

struct sorting {
	const struct layer *layer;
	compare_fn *compare;
};

static int compare_ids(const void *a, const void *b, void *context)
{
	const struct sorting *sorting = context;
	object_id x = *(const object_id *)a, y = *(const object_id *)b;
	int order = sorting->compare(&sorting->layer->objects[x], &sorting->layer->objects[y]);

	return order ? order : compare_numbers(x, y);
}

/* All objects, those that compare equal side by side. */
static object_id *sorted_ids(struct layer *layer, compare_fn *compare)
{
	object_id *ids = arena_array(layer->arena, layer->nr_objects, sizeof *ids);
	struct sorting sorting = {layer, compare};
	size_t i;

	for (i = 0; i < layer->nr_objects; i++)
		ids[i] = (object_id)i;
	if (layer->nr_objects)
		qsort_r(ids, layer->nr_objects, sizeof *ids, compare_ids, &sorting);
	return ids;
}

static size_t group_end(const struct layer *layer, const object_id *ids, size_t start, compare_fn *compare)
{
	size_t end = start + 1;

	while (end < layer->nr_objects && !compare(&layer->objects[ids[start]], &layer->objects[ids[end]]))
		end++;
	return end;
}

/* --------- equal files ------------------ */

enum { STRETCH_BYTES = 2 * 1024 * 1024 };

/* What one worker compares: a part of two files of equal size. */
struct stretch {
	size_t leader, other; /* indexes into ids */
	uint64_t offset, size;
};

struct comparing {
	struct layer *layer;
	const struct source *source;
	const object_id *ids; /* groups of equal size side by side */
	size_t *groups;	      /* where each starts; one more for the end */
	size_t nr_groups;
	object_id *first; /* for each of ids: the first of its group with the same bytes */
	struct stretch *stretches;
	size_t nr_stretches, alloc_stretches;
	atomic_bool *differs; /* from the leader compared with last; for each of ids */
	atomic_bool *unread;  /* could not be compared with it, since one of the two cannot be read */
	uint8_t *buffers;     /* one for each worker */
};

static void compare_stretch(void *context, size_t item, unsigned worker)
{
	const struct comparing *job = context;
	const struct stretch *stretch = &job->stretches[item];
	enum same same;

	if (atomic_load(&job->differs[stretch->other]))
		return;
	same = source_same(job->source, job->layer, file_of(job->layer, job->ids[stretch->leader]),
			   file_of(job->layer, job->ids[stretch->other]), stretch->offset, stretch->size,
			   job->buffers + (size_t)worker * SOURCE_BUFFER);
	if (same != SAME)
		atomic_store(&job->differs[stretch->other], true);
	if (same == UNREADABLE)
		atomic_store(&job->unread[stretch->other], true);
}

static void compare_stretches(struct comparing *job)
{
	unsigned threads = job->source->threads;
	struct arena *arena = arena_new();

	job->buffers = arena_array(arena, pool_workers(job->nr_stretches, threads), SOURCE_BUFFER);
	pool_run(job->nr_stretches, threads, compare_stretch, job);
	arena_free(arena);
}

static void add_stretches(struct comparing *job, size_t leader, size_t other)
{
	uint64_t size = job->layer->objects[job->ids[leader]].size, at;

	for (at = 0; at < size; at += STRETCH_BYTES)
		*VEC_PUSH(job->layer->arena, job, stretches) = (struct stretch){
			leader, other, at, size - at < STRETCH_BYTES ? size - at : STRETCH_BYTES};
}

/* The first object of a group that no other is known to equal, or end. */
static size_t find_leader(const struct comparing *job, size_t group)
{
	size_t at = job->groups[group];

	while (at < job->groups[group + 1] && job->first[at] != NO_ID)
		at++;
	return at;
}

/* Compares the rest of each group with its leader; false when nothing is left. */
static bool compare_round(struct comparing *job)
{
	size_t group, leader, i;
	bool any = false;

	job->nr_stretches = 0;
	for (group = 0; group < job->nr_groups; group++) {
		leader = find_leader(job, group);
		for (i = leader; i < job->groups[group + 1]; i++) {
			if (job->first[i] != NO_ID)
				continue;
			any = true;
			job->first[i] = job->ids[leader];
			atomic_store(&job->differs[i], false);
			if (i != leader)
				add_stretches(job, leader, i);
		}
	}
	if (job->nr_stretches)
		compare_stretches(job);
	for (i = 0; i < job->groups[job->nr_groups]; i++) {
		if (atomic_exchange(&job->unread[i], false))
			note_not_compared(job->layer, job->ids[i], job->first[i]);
		if (atomic_load(&job->differs[i]))
			job->first[i] = NO_ID;
	}
	return any;
}

/* The groups of more than one object, moved to the front of ids. */
static void keep_groups(struct comparing *job, object_id *ids)
{
	const struct layer *layer = job->layer;
	size_t i, end, nr = 0;

	for (i = 0; i < layer->nr_objects; i = end) {
		end = group_end(layer, ids, i, by_size);
		if (end - i < 2)
			continue;
		job->groups[job->nr_groups++] = nr;
		memmove(ids + nr, ids + i, (end - i) * sizeof *ids);
		nr += end - i;
	}
	job->groups[job->nr_groups] = nr;
}

static void compare_equal_sizes(struct layer *layer, const struct source *source)
{
	struct arena *arena = layer->arena;
	object_id *ids = sorted_ids(layer, by_size);
	struct comparing job = {.layer = layer, .source = source, .ids = ids};
	size_t i;

	job.groups = arena_array(arena, layer->nr_objects + 1, sizeof *job.groups);
	job.first = arena_array(arena, layer->nr_objects, sizeof *job.first);
	job.differs = arena_array(arena, layer->nr_objects, sizeof *job.differs);
	job.unread = arena_array(arena, layer->nr_objects, sizeof *job.unread);
	for (i = 0; i < layer->nr_objects; i++)
		job.first[i] = NO_ID;
	keep_groups(&job, ids);
	while (compare_round(&job))
		;
	for (i = 0; i < job.groups[job.nr_groups]; i++)
		if (job.first[i] != NO_ID)
			layer->objects[ids[i]].content = arena_printf(arena, "%u", (unsigned)job.first[i]);
}

/* --------- equal images ------------------ */

/* Whether a group has two objects whose bytes differ. */
static bool has_different(const struct layer *layer, const object_id *ids, size_t start, size_t end)
{
	size_t i;

	for (i = start + 1; i < end; i++)
		if (!object_same_bytes(&layer->objects[ids[start]], &layer->objects[ids[i]]))
			return true;
	return false;
}

/* An object of the group before at that has the same bytes, or NO_ID. */
static object_id twin(const struct layer *layer, const object_id *ids, size_t start, size_t at)
{
	size_t i;

	for (i = start; i < at; i++)
		if (object_same_bytes(&layer->objects[ids[i]], &layer->objects[ids[at]]))
			return ids[i];
	return NO_ID;
}

static void hash_equal_shapes(struct layer *layer, const struct source *source)
{
	object_id *ids = sorted_ids(layer, by_shape);
	object_id *twins = arena_array(layer->arena, layer->nr_objects, sizeof *twins);
	struct digesting job = {.layer = layer, .source = source, .digest = digest_image};
	size_t i, start, end;

	job.ids = arena_array(layer->arena, layer->nr_objects, sizeof *job.ids);
	for (start = 0; start < layer->nr_objects; start = end) {
		bool differ;

		end = group_end(layer, ids, start, by_shape);
		differ = has_different(layer, ids, start, end);
		for (i = start; i < end; i++) {
			const struct object *object = &layer->objects[ids[i]];

			twins[i] = twin(layer, ids, start, i);
			if (differ && twins[i] == NO_ID && object->class == OBJECT_SHARED)
				job.ids[job.nr_ids++] = ids[i];
		}
	}
	digest_ids(&job, image_of);
	for (i = 0; i < layer->nr_objects; i++)
		if (twins[i] != NO_ID)
			layer->objects[ids[i]].image = layer->objects[twins[i]].image;
}

static int by_family(const struct object *a, const struct object *b)
{
	int order = compare_numbers(a->machine, b->machine);

	return order ? order : strcmp(a->family, b->family);
}

/* --------- for reports ------------------ */

/* SHA-256 of every copy of a library, for reports: whose family has others, or that
 * is another's equal under a name of another family. */
static void hash_families(struct layer *layer, const struct source *source)
{
	object_id *ids = sorted_ids(layer, by_family);
	struct digesting job = {.layer = layer, .source = source, .digest = sha256};
	size_t i, j, end;

	job.ids = arena_array(layer->arena, layer->nr_objects, sizeof *job.ids);
	for (i = 0; i < layer->nr_objects; i = end) {
		end = group_end(layer, ids, i, by_family);
		for (j = i; j < end; j++)
			if (end - i > 1 || layer->objects[ids[j]].content || layer->objects[ids[j]].image)
				job.ids[job.nr_ids++] = ids[j];
	}
	digest_ids(&job, sha256_of);
}

void digests_read(struct layer *layer, const struct source *source, bool all_families)
{
	compare_equal_sizes(layer, source);
	hash_equal_shapes(layer, source);
	if (all_families)
		hash_families(layer, source);
}
