/*
 * Reading back what was staged.
 *
 * The writer has proved that the live bytes are the old ones. This asks the
 * other question: do the new files say what the plan wanted? Each is parsed
 * as the scanner parses any file, and compared with the predicted object:
 * names, search path, versions, symbols. The prediction itself has been shown
 * to bind as the layer did (check.h), so equal means the new layer does.
 */
#include "sofold/apply.h"
#include "sofold/pool.h"
#include "sofold/scan.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_texts(const char **a, size_t nr_a, const char **b, size_t nr_b)
{
	size_t i;

	for (i = 0; nr_a == nr_b && i < nr_a; i++)
		if (!same_text(a[i], b[i]))
			return false;
	return nr_a == nr_b;
}

static bool same_verneeds(const struct object *a, const struct object *b)
{
	size_t i;

	for (i = 0; a->nr_verneeds == b->nr_verneeds && i < a->nr_verneeds; i++)
		if (!same_text(a->verneeds[i].file, b->verneeds[i].file) ||
		    !same_texts(a->verneeds[i].versions, a->verneeds[i].nr_versions, b->verneeds[i].versions,
				b->verneeds[i].nr_versions))
			return false;
	return a->nr_verneeds == b->nr_verneeds;
}

static bool same_symbols(const struct symbol *a, size_t nr_a, const struct symbol *b, size_t nr_b)
{
	size_t i;

	for (i = 0; nr_a == nr_b && i < nr_a; i++)
		if (!same_text(a[i].name, b[i].name) || !same_text(a[i].version, b[i].version) ||
		    a[i].flags != b[i].flags || a[i].size != b[i].size)
			return false;
	return nr_a == nr_b;
}

/* What differs, in a word; NULL: nothing. */
static const char *difference(const struct object *wanted, const struct object *got)
{
	if (!same_text(wanted->soname, got->soname))
		return "SONAME";
	if (!same_texts(wanted->needed, wanted->nr_needed, got->needed, got->nr_needed))
		return "NEEDED";
	if (!same_text(wanted->search_path, got->search_path) || wanted->search_kind != got->search_kind)
		return "search path";
	if (!same_verneeds(wanted, got))
		return "version needs";
	if (!same_texts(wanted->verdefs, wanted->nr_verdefs, got->verdefs, got->nr_verdefs))
		return "version definitions";
	if (!same_symbols(wanted->exports, wanted->nr_exports, got->exports, got->nr_exports) ||
	    !same_symbols(wanted->imports, wanted->nr_imports, got->imports, got->nr_imports))
		return "symbols";
	return NULL;
}

static int reread(const struct apply *apply, const struct layer *predicted, object_id id, struct error *err)
{
	struct span bytes = apply_staged(apply, id);
	const struct object *wanted = &predicted->objects[id];
	const char *path = object_path(predicted, wanted), *what;
	struct layer scratch = {.arena = arena_new()};
	struct object got;
	int rc = 0;

	if (!bytes.n) {
		arena_free(scratch.arena);
		return 0;
	}
	if (!scan_object(&scratch, path, bytes, &got))
		rc = error_add(err, ERROR_VERIFY, "%s: the rewritten file does not parse: %s", path,
			       scratch.nr_findings ? scratch.findings[0].message : "unknown");
	else if ((what = difference(wanted, &got)))
		rc = error_add(err, ERROR_VERIFY, "%s: the rewritten file has another %s than planned", path,
			       what);
	arena_free(scratch.arena);
	return rc;
}

struct rereading {
	const struct apply *apply;
	const struct layer *predicted;
	struct error *errors; /* one for each object */
	int *status;
};

static void reread_one(void *context, size_t item, unsigned worker)
{
	struct rereading *work = context;

	(void)worker;
	work->status[item] = reread(work->apply, work->predicted, (object_id)item, &work->errors[item]);
}

int apply_reread(const struct apply *apply, const struct layer *predicted, struct error *err)
{
	struct rereading work = {.apply = apply, .predicted = predicted};
	struct arena *arena = arena_new();
	int status = 0;
	size_t i;

	work.errors = arena_array(arena, predicted->nr_objects, sizeof *work.errors);
	work.status = arena_array(arena, predicted->nr_objects, sizeof *work.status);
	pool_run(predicted->nr_objects, 0, reread_one, &work);
	for (i = 0; i < predicted->nr_objects && !status; i++)
		if ((status = work.status[i]))
			error_add(err, status, "%s", work.errors[i].message);
	arena_free(arena);
	return status;
}
