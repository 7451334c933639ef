/*
 * trim: code of a shared object that cannot run where the layer goes.
 *
 * trim_find() looks at one object's bytes and says what may be cut out of it
 * (struct cuts, image.h). Nothing is assumed of how the object was built but
 * the ABI: where functions begin comes from the dynamic symbols and the unwind
 * table, who reaches whom from the instructions themselves. Three things make
 * code dead:
 *
 *	cpu       libraries with one table of kernels for each processor, as
 *	          OpenBLAS has it (src/trim/percpu.c describes them as data):
 *	          tables for processors below the platform's baseline. Their
 *	          initialiser becomes a check and a jump to a table that stays
 *	fold      kernels of two tables that are the same code: one is enough
 *	exports   functions that are only there for callers nobody has
 *
 * What the analysis is not sure of is not dead: bytes that belong to no known
 * function, functions without a frame that anything like a branch points into,
 * everything that data points to. An object for which it cannot speak at all
 * (no section headers, text relocations, C++ landing pads where exports are
 * concerned) is ERROR_REFUSED with the reason.
 */
#ifndef SOFOLD_TRIM_H
#define SOFOLD_TRIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sofold/image.h"
#include "sofold/platform.h"

struct trim_request {
	enum cpu_baseline cpu;		/* CPU_ANY: every processor's table stays */
	bool fold;			/* fold kernels that are the same */
	bool exports;			/* drop functions only unwanted exports lead to */
	bool unwind;			/* drop the unwind tables */
	uint64_t page;			/* bytes: what is cut out comes in whole ones of these */
	bool poison;			/* traps instead of holes, byte by byte: to test the analysis */
	const struct extent *functions; /* of the unwind table, by address */
	size_t nr_functions;
	const char *const *wanted; /* names somebody imports or may look up, sorted (texts.h) */
	size_t nr_wanted;
};

/* What was found, for reports. */
struct trim_result {
	struct cuts cuts;
	uint64_t cut;	      /* bytes of code in cuts.dead */
	uint64_t dead;	      /* bytes of functions that cannot run, in whole pages or not */
	uint64_t unwind;      /* bytes of unwind tables */
	const char **removed; /* the tables that went: "PRESCOTT" */
	size_t nr_removed, alloc_removed;
	const char *serves; /* the table that serves in their place */
	size_t folded;	    /* kernels folded into others */
};

/* Whether trim_find() could have anything to say of an object under a request
 * like this, by what the scan knows of it: saves reading those it could not. */
bool trim_concerns(const struct object *object, const struct trim_request *request);

/* Whether nothing ever unwinds through a library's code, by what is known of it. */
bool trim_never_unwound(const struct object *object);

/* Finds what may be cut. Nothing of the result points into file. */
int trim_find(struct arena *arena, struct span file, const struct trim_request *request,
	      struct trim_result *result, struct error *err);

#endif
