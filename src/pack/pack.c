/*
 * From a tree to a zip: list, compress on all cores, write in order.
 *
 * Workers take entries in order. Each compresses its own and leaves the payload in
 * a row; whoever finds the next payload in the row ready, and nobody writing, writes
 * as many as are ready. So there is no writing thread that waits, and no worker
 * that waits for the disk while others write.
 *
 * Compressed payloads wait behind one that takes long. What they and the files
 * being read may take is bounded: a worker starts only when its need fits into
 * PACK_MEMORY beside what is held, or when its entry is the next to be written.
 * That one may always start, so nobody waits for ever.
 *
 * After an error nothing more is started, and the first one is reported.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "pack/pack.h"
#include "sofold/pool.h"

/* Level 12 takes nearly twice the time and saves another 0.2 %. */
enum { LEVEL = 10 };

struct packing {
	struct packed *packed;
	int root;
	struct target target;
	struct libdeflate_compressor *compressors[POOL_MAX_WORKERS]; /* made when first used */

	pthread_mutex_t lock; /* for all below, and the entries' offsets */
	pthread_cond_t changed;
	struct payload *payloads; /* one for each entry */
	size_t next;		  /* entry to be written */
	uint64_t held;		  /* bytes of memory, see PACK_MEMORY */
	struct arena *headers;	  /* reset after each */
	bool writing, failed;
	struct error *err; /* the first */
};

/* --------- writing ------------------ */

static int write_payload(struct packing *packing, size_t i, struct error *err)
{
	struct pack_entry *entry = &packing->packed->entries[i];
	struct payload *payload = &packing->payloads[i];
	int rc;

	entry->offset = packing->target.offset;
	rc = target_write(&packing->target, zip_local(packing->headers, entry), err);
	target_reads_mapped(payload->mapping.p ? entry->path : NULL);
	rc = rc ? rc : target_write(&packing->target, payload->data, err);
	target_reads_mapped(NULL);
	arena_reset(packing->headers);
	return rc;
}

static void fail(struct packing *packing, const struct error *err)
{
	if (!packing->failed)
		*packing->err = *err;
	packing->failed = true;
	pthread_cond_broadcast(&packing->changed);
}

/* Writes what is ready, the lock being held when it is called and when it
 * returns, but not while it writes. */
static void write_ready(struct packing *packing)
{
	const struct packed *packed = packing->packed;

	if (packing->writing)
		return;
	packing->writing = true;
	while (!packing->failed && packing->next < packed->nr_entries &&
	       packing->payloads[packing->next].ready) {
		struct payload *payload = &packing->payloads[packing->next];
		struct error err = {0};
		int rc;

		pthread_mutex_unlock(&packing->lock);
		rc = write_payload(packing, packing->next, &err);
		rc = payload_release(payload, &packed->entries[packing->next], &err) ? ERROR_RUN : rc;
		pthread_mutex_lock(&packing->lock);
		if (rc)
			fail(packing, &err);
		packing->held -= payload->held;
		packing->next++;
		pthread_cond_broadcast(&packing->changed);
	}
	packing->writing = false;
}

/* --------- compressing ------------------ */

/* Waits until there is room for entry i; false after an error. */
static bool admit(struct packing *packing, size_t i)
{
	uint64_t need = payload_need(&packing->packed->entries[i]);
	bool go;

	pthread_mutex_lock(&packing->lock);
	while (!packing->failed && i != packing->next && packing->held + need > PACK_MEMORY)
		pthread_cond_wait(&packing->changed, &packing->lock);
	go = !packing->failed;
	if (go)
		packing->held += packing->payloads[i].held = need;
	pthread_mutex_unlock(&packing->lock);
	return go;
}

static struct libdeflate_compressor *compressor_of(struct packing *packing, unsigned worker,
						   struct error *err)
{
	struct libdeflate_compressor **compressor = &packing->compressors[worker];

	if (!*compressor)
		*compressor = libdeflate_alloc_compressor(LEVEL);
	if (!*compressor)
		error_add(err, ERROR_RUN, "no memory for compressing");
	return *compressor;
}

static void hand_over(struct packing *packing, size_t i, const struct error *err)
{
	struct payload *payload = &packing->payloads[i];

	pthread_mutex_lock(&packing->lock);
	packing->held -= payload->held - payload->data.n;
	payload->held = payload->data.n;
	payload->ready = !err;
	if (err)
		fail(packing, err);
	else
		write_ready(packing);
	pthread_cond_broadcast(&packing->changed);
	pthread_mutex_unlock(&packing->lock);
}

static void pack_entry(void *context, size_t i, unsigned worker)
{
	struct packing *packing = context;
	struct libdeflate_compressor *compressor;
	struct error err = {0};
	int rc = ERROR_RUN;

	if (!admit(packing, i))
		return;
	compressor = compressor_of(packing, worker, &err);
	if (compressor)
		rc = payload_make(&packing->payloads[i], packing->root, &packing->packed->entries[i],
				  compressor, &err);
	hand_over(packing, i, rc ? &err : NULL);
}

/* --------- the whole ------------------ */

/* What an error has left of the payloads; changes no longer matter. */
static void release_payloads(struct packing *packing)
{
	struct error ignored = {0};

	for (size_t i = packing->next; i < packing->packed->nr_entries; i++)
		payload_release(&packing->payloads[i], &packing->packed->entries[i], &ignored);
	for (size_t i = 0; i < POOL_MAX_WORKERS; i++)
		libdeflate_free_compressor(packing->compressors[i]);
}

static int write_entries(struct packing *packing, unsigned threads, struct error *err)
{
	size_t nr = packing->packed->nr_entries;

	packing->payloads = arena_array(packing->packed->arena, nr, sizeof *packing->payloads);
	packing->err = err;
	pthread_mutex_init(&packing->lock, NULL);
	pthread_cond_init(&packing->changed, NULL);
	pool_run(nr, threads, pack_entry, packing);
	release_payloads(packing);
	pthread_cond_destroy(&packing->changed);
	pthread_mutex_destroy(&packing->lock);
	return packing->failed ? ERROR_RUN : 0;
}

static int write_directory(struct packing *packing, struct error *err)
{
	const struct packed *packed = packing->packed;
	struct target *target = &packing->target;
	uint64_t offset = target->offset;
	int rc = 0;

	for (size_t i = 0; i < packed->nr_entries && !rc; i++) {
		rc = target_write(target, zip_central(packing->headers, &packed->entries[i]), err);
		arena_reset(packing->headers);
	}
	return rc ? rc
		  : target_write(
			    target,
			    zip_end(packing->headers, packed->nr_entries, target->offset - offset, offset),
			    err);
}

static int write_zip(struct packing *packing, const char *to, const struct pack_options *options,
		     struct error *err)
{
	int rc = target_open(&packing->target, packing->packed->arena, to, err);

	if (rc)
		return rc;
	rc = write_entries(packing, options->threads, err);
	rc = rc ? rc : write_directory(packing, err);
	if (!rc)
		return target_finish(&packing->target, options->replace, err);
	target_abandon(&packing->target);
	return rc;
}

static void sum(struct packed *packed, uint64_t zip_bytes)
{
	for (size_t i = 0; i < packed->nr_entries; i++) {
		packed->bytes += packed->entries[i].size;
		packed->packed_bytes += packed->entries[i].packed_size;
	}
	packed->zip_bytes = zip_bytes;
}

static int pack_open_tree(struct packing *packing, const char *root, const char *to,
			  const struct pack_options *options, struct error *err)
{
	int rc = tree_list(packing->packed, packing->root, root, options, err);

	if (rc)
		return rc;
	packing->headers = arena_new();
	rc = write_zip(packing, to, options, err);
	arena_free(packing->headers);
	sum(packing->packed, packing->target.offset);
	return rc;
}

static struct packed *packed_new(void)
{
	struct arena *arena = arena_new();
	struct packed *packed = arena_alloc(arena, sizeof *packed);

	packed->arena = arena;
	return packed;
}

int pack_tree(const char *root, const char *to, const struct pack_options *options, struct packed **packed,
	      struct error *err)
{
	struct packing packing = {.root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	int rc;

	*packed = NULL;
	if (packing.root < 0)
		return error_errno(err, "opening %s", root);
	packing.packed = packed_new();
	rc = target_check(to, root, options->replace, err);
	rc = rc ? rc : pack_open_tree(&packing, root, to, options, err);
	close(packing.root);
	if (rc)
		pack_free(packing.packed);
	else
		*packed = packing.packed;
	return rc;
}

void pack_free(struct packed *packed)
{
	if (packed)
		arena_free(packed->arena);
}
