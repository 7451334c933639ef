/*
 * resolve: which file the loader takes for each NEEDED name, and which
 * object each import binds to; simulated on the model, without a disk.
 *
 * glibc (elf/dl-load.c _dl_map_object, elf/dl-deps.c): for a name without a
 * slash, an object already loaded under that name, an earlier used name or
 * that SONAME is reused. Else DT_RPATH of the needing object, its loaders and
 * the program, unless the needing object has DT_RUNPATH; LD_LIBRARY_PATH; the
 * needing object's DT_RUNPATH; then the host (cache and default directories;
 * only default directories are skipped by DF_1_NODEFLIB, and what the host
 * has is platform.h's list). $ORIGIN is the directory of the path an object
 * was found under, not of its real path.
 *
 * musl (ldso/dynlink.c load_library): an object already loaded is reused when
 * the *file name* it was found under equals the name; SONAME is never looked
 * at. LD_LIBRARY_PATH, then the search path of the needing object and its
 * loaders (RPATH and RUNPATH alike, both inherited), then the host. A "$"
 * token other than $ORIGIN voids the whole path.
 *
 * Dependencies are loaded breadth first; that order is the lookup scope.
 */
#ifndef SOFOLD_RESOLVE_H
#define SOFOLD_RESOLVE_H

#include "sofold/layer.h"
#include "sofold/platform.h"

enum target_kind {
	TARGET_OBJECT,	/* a file of the layer */
	TARGET_HOST,	/* the host provides it */
	TARGET_MISSING, /* nobody does */
};

struct target {
	enum target_kind kind;
	object_id object; /* for TARGET_OBJECT */
	const char *path; /* the path it was found under, relative to the root */
};

/* One object in a root's scope. */
struct loaded {
	object_id object;
	const char *path;	/* found under; $ORIGIN is its directory */
	uint32_t loader;	/* index in the scope of who needed it first; NO_ID: the root */
	struct target *targets; /* one for each needed name, in order */
};

/* What loading one root brings in: itself first, then breadth first. */
struct scope {
	struct loaded *loaded;
	size_t nr_loaded, alloc_loaded;
};

/* Simulates dlopen(path of root) in a fresh interpreter. Allocates in arena. */
struct scope resolve_scope(struct arena *arena, const struct layer *layer, const struct platform *platform,
			   object_id root);

/* What each object's NEEDED names lead to when the object itself is opened
 * as a root: graph[object][i] is the target of needed[i]. */
struct target **resolve_graph(struct arena *arena, const struct layer *layer,
			      const struct platform *platform);

/* Search path entries that lead out of the tree ("$ORIGIN/../../.." too far
 * up, or an absolute directory the host may not have). Calls back for each. */
void resolve_escapes(struct arena *arena, const struct layer *layer, const struct object *object,
		     void (*found)(void *context, const char *entry), void *context);

/* Where an import binds: index into scope->loaded, or NO_ID when no object of
 * the layer in this scope defines it (the host or the interpreter does, or
 * nobody). */
uint32_t resolve_import(struct arena *arena, struct layer *layer, const struct scope *scope,
			const struct symbol *import);

#endif
