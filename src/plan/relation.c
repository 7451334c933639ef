/*
 * What one copy of a library is to another.
 *
 * "k serves d" is asked: may k take over from d for everybody who loads d?
 * Strongest first: the same bytes; the same image but for names wheel tools
 * wrote; or compatible:
 *
 *	- the same SONAME major, which is the library's own word on its ABI;
 *	- both LP64 or both ILP64 (OpenBLAS);
 *	- k defines every version d defines;
 *	- k defines, with its version, every symbol of d that anything loaded
 *	  together with d imports, and data is as large as it was;
 *	- k needs every library of the layer that d needs, since that is where
 *	  optional features show (a libtiff with and without liblzma);
 *	- and the family is known to keep the promise behind the SONAME across
 *	  builds, or the user has said --merge.
 *
 * The table of families that keep it is short on purpose. Between builds of
 * others, options may differ in ways nothing shows (a thread-safe libhdf5 and
 * one that is not); that is what every distribution lives with, so it is
 * offered, not done. The families above are spared the question of features:
 * they have none to choose.
 */
#include "plan/plan.h"

#include <ctype.h>
#include <stdlib.h>

/* Libraries whose newer builds serve whatever an older one of the same SONAME
 * serves. GCC's runtime libraries version every symbol and never drop one
 * (gcc.gnu.org, "ABI Policy and Guidelines"); OpenBLAS exports the BLAS and
 * LAPACK interfaces, fixed since decades, and is checked symbol by symbol. */
static const char *const keeps_promise[] = {
	"libgcc_s.so.1",    "libstdc++.so.6", "libgfortran.so.3", "libgfortran.so.4", "libgfortran.so.5",
	"libquadmath.so.0", "libgomp.so.1",   "libatomic.so.1",	  "libopenblas.so",
};

static bool is_merge_wanted(const struct plan_options *options, const char *family)
{
	size_t i;

	for (i = 0; i < options->nr_merge; i++) {
		const char *wanted = options->merge[i];
		size_t n = strlen(wanted);

		/* "libtiff" means libtiff.so.6 too. */
		if (!strcmp(wanted, "all") ||
		    (!strncmp(wanted, family, n) && (!family[n] || !strncmp(family + n, ".so", 3))))
			return true;
	}
	return false;
}

static bool is_promised(const char *family)
{
	size_t i;

	for (i = 0; i < sizeof keeps_promise / sizeof *keeps_promise; i++)
		if (!strcmp(family, keeps_promise[i]))
			return true;
	return false;
}

/* "libgfortran.so.5" -> "5"; "" without a major. */
static const char *major_of(const char *family)
{
	const char *so = strstr(family, ".so.");

	return so ? so + 4 : "";
}

int version_compare(const struct object *a, const struct object *b)
{
	const char *x = a->version_hint, *y = b->version_hint;

	if (!x || !y)
		return 0;
	while (*x && *y) {
		if (isdigit((unsigned char)*x) && isdigit((unsigned char)*y)) {
			unsigned long m = strtoul(x, (char **)(uintptr_t)&x, 10);
			unsigned long n = strtoul(y, (char **)(uintptr_t)&y, 10);

			if (m != n)
				return m < n ? -1 : 1;
		} else if (*x++ != *y++) {
			return 0; /* letters tell nothing */
		}
	}
	return isdigit((unsigned char)*x) || (*x == '.' && !*y) ? 1 : *y == '.' && !*x ? -1 : 0;
}

static bool defines_version(const struct object *object, const char *version)
{
	size_t i;

	for (i = 0; i < object->nr_verdefs; i++)
		if (!strcmp(object->verdefs[i], version))
			return true;
	return false;
}

static bool covers_versions(struct planning *planning, const struct object *k, const struct object *d,
			    const char **reason)
{
	size_t i;

	for (i = 0; i < d->nr_verdefs; i++) {
		if (!defines_version(k, d->verdefs[i])) {
			*reason = arena_printf(planning->arena, "the other copy does not define version %s",
					       d->verdefs[i]);
			return false;
		}
	}
	return true;
}

static const char *versioned(struct arena *arena, const struct symbol *symbol)
{
	return symbol->version ? arena_printf(arena, "%s@%s", symbol->name, symbol->version) : symbol->name;
}

/* Does k define what one user imports from d? */
static bool covers_user(struct planning *planning, struct object *k, struct object *d,
			const struct object *user, size_t *missing, const char **reason)
{
	struct arena *arena = planning->layer->arena;
	size_t i, before = *missing;

	for (i = 0; i < user->nr_imports; i++) {
		const struct symbol *import = &user->imports[i], *old, *new;

		old = object_find_export(arena, d, import->name, import->version);
		if (!old)
			continue;
		new = object_find_export(arena, k, import->name, import->version);
		if (!new && !(*missing)++)
			*reason = arena_printf(planning->arena, "%s is not in the other copy",
					       versioned(planning->arena, import));
		if (new && (old->flags & SYMBOL_DATA) && new->size < old->size && !(*missing)++)
			*reason = arena_printf(planning->arena,
					       "data %s is %llu bytes, %llu in the other copy", import->name,
					       (unsigned long long)old->size, (unsigned long long)new->size);
	}
	return *missing == before;
}

static bool covers_imports(struct planning *planning, object_id k, object_id d, const char **reason)
{
	struct layer *layer = planning->layer;
	const struct usage *usage = &planning->usage;
	size_t i, missing = 0;

	for (i = 0; i < usage->nr_users[d]; i++)
		covers_user(planning, &layer->objects[k], &layer->objects[d],
			    &layer->objects[usage->users[d][i]], &missing, reason);
	if (missing > 1)
		*reason = arena_printf(planning->arena, "%s, nor %zu more symbols that are used", *reason,
				       missing - 1);
	return !missing;
}

static bool needs_family(struct planning *planning, const struct object *object, const char *family)
{
	size_t i;

	for (i = 0; i < object->nr_needed; i++)
		if (!strcmp(family_name(planning->arena, object->needed[i], NULL), family))
			return true;
	return false;
}

/* What a library was built with shows in what it needs: a libtiff without
 * liblzma exports the same functions and fails on a file that needs it. */
static bool covers_features(struct planning *planning, object_id k, object_id d, const char **reason)
{
	const struct layer *layer = planning->layer;
	size_t i;

	for (i = 0; i < layer->objects[d].nr_needed; i++) {
		object_id target = planning->usage.needs[d][i].target;

		if (target == NO_ID ||
		    needs_family(planning, &layer->objects[k], layer->objects[target].family))
			continue;
		*reason = arena_printf(planning->arena, "the other copy is built without %s",
				       layer->objects[target].family);
		return false;
	}
	return true;
}

static enum relation refuse(const char **reason, const char *why)
{
	*reason = why;
	return RELATION_REFUSED;
}

static enum relation weigh_builds(struct planning *planning, object_id k, object_id d, const char **reason,
				  bool *offered)
{
	struct arena *arena = planning->arena;
	const struct object *a = &planning->layer->objects[k], *b = &planning->layer->objects[d];

	if (strcmp(major_of(a->family), major_of(b->family)))
		return refuse(reason, arena_printf(arena, "SONAME majors %s and %s", major_of(b->family),
						   major_of(a->family)));
	if ((a->ilp64 && b->lp64) || (a->lp64 && b->ilp64))
		return refuse(reason, "ILP64 (64-bit integers) and LP64 (32-bit)");
	if (a->ilp64 != b->ilp64 || a->lp64 != b->lp64)
		return refuse(reason, "one of the two does not say how large its integers are");
	if (!covers_versions(planning, a, b, reason) || !covers_imports(planning, k, d, reason) ||
	    (!is_promised(a->family) && !covers_features(planning, k, d, reason)))
		return RELATION_REFUSED;
	if (planning->suppose_merge || is_merge_wanted(planning->options, a->family)) {
		*reason = "every used symbol is covered, merged on request";
		return RELATION_COMPATIBLE;
	}
	if (!is_promised(a->family)) {
		*offered = true;
		return refuse(reason, "every used symbol is covered, but build options may differ (--merge)");
	}
	if (planning->options->level < LEVEL_DEFAULT)
		return refuse(reason, "another build, kept at --level safe");
	*reason = "another build that defines every used symbol";
	return RELATION_COMPATIBLE;
}

void errors_read(struct planning *planning)
{
	const struct layer *layer = planning->layer;
	size_t i;

	planning->errors = arena_array(planning->arena, layer->nr_objects, sizeof *planning->errors);
	for (i = 0; i < layer->nr_findings; i++) {
		const struct finding *finding = &layer->findings[i];
		file_id file = layer_find_file(layer, finding->path);
		object_id object = file == NO_ID ? NO_ID : layer->files[file].object;

		if (finding->severity == SEVERITY_ERROR && object != NO_ID &&
		    layer->files[file].kind == FILE_REGULAR && !planning->errors[object])
			planning->errors[object] = finding;
	}
}

const char *why_no_keeper(struct planning *planning, object_id k)
{
	const struct object *object = &planning->layer->objects[k];
	const struct finding *error = planning->errors[k];

	if (object->untouchable)
		return arena_printf(planning->arena, "the other copy is left alone: %s", object->untouchable);
	if (object->noopen)
		return "the other copy must not be opened by dlopen() (DF_1_NOOPEN)";
	return error ? arena_printf(planning->arena, "the other copy does not load as it is: %s",
				    error->message)
		     : NULL;
}

enum relation relation_of(struct planning *planning, object_id k, object_id d, const char **reason,
			  bool *offered)
{
	const struct object *a = &planning->layer->objects[k], *b = &planning->layer->objects[d];

	*offered = false;
	*reason = why_no_keeper(planning, k);
	if (*reason)
		return RELATION_REFUSED;
	if (object_same_bytes(a, b)) {
		*reason = "the same bytes";
		return RELATION_IDENTICAL;
	}
	if (object_same_image(a, b)) {
		*reason = "the same build, names differ";
		return RELATION_SAME_IMAGE;
	}
	return weigh_builds(planning, k, d, reason, offered);
}
