/*
 * bridge: one OpenBLAS where numpy and scipy bring two.
 *
 * Since 1.22 numpy calls an OpenBLAS with 64-bit integers (ILP64), scipy one
 * with 32-bit integers (LP64). A bridge is a small shared object that exports
 * the names numpy imports and calls scipy's. sofold carries it compiled, for
 * each machine and for each spelling of either side's names:
 *
 *	dgesv_64_  or  scipy_dgesv_64_	exported to numpy ("incoming")
 *	dgesv_     or  scipy_dgesv_	called in the kept library ("outgoing")
 *
 * To place one, edit a copy of its bytes (image.h):
 *
 *	struct bridge_blob blob;
 *	struct rename needed = {BRIDGE_NEEDED, "libopenblasp-r0-24bff013.3.26.dev.so"};
 *	struct image_edits edits = {
 *		.needed = &needed, .nr_needed = 1,
 *		.soname = "libsofold-ilp64.so",
 *		.search_path = "$ORIGIN/../scipy.libs",
 *		.page = 4096,
 *	};
 *	if (!blob || !blob->bytes.n)
 *		... no bridge for that machine, or built without its compiler
 *	image_edit(arena, blob->bytes, &edits, &result, err);
 *
 * Any name of up to 255 bytes fits. The search path is a DT_RPATH, which the
 * kept library inherits: older ones of scipy's find libgfortran only by it.
 *
 * A bridge imports, beside its routines, write and abort, without a version
 * and without a NEEDED entry for the C library: one object serves every glibc
 * and musl. What a bridged layer cannot do any more is in src/bridge/README.md.
 */
#ifndef SOFOLD_BRIDGE_H
#define SOFOLD_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sofold/layer.h"
#include "sofold/plan.h"
#include "sofold/span.h"

/* The only NEEDED name of every blob. */
#define BRIDGE_NEEDED "libsofold-bridge-needed.so"

/* File name and SONAME of a bridge: neutral, so that nobody who goes by names
 * (threadpoolctl) takes it for an OpenBLAS. */
#define BRIDGE_NAME "libsofold-ilp64.so"

/* In front of a routine's names in the spelling with a prefix. */
#define BRIDGE_PREFIX "scipy_"

struct bridge_blob {
	uint16_t machine;     /* EM_X86_64, EM_AARCH64 */
	bool incoming_prefix; /* exports scipy_dgesv_64_, not dgesv_64_ */
	bool outgoing_prefix; /* calls scipy_dgesv_, not dgesv_ */
	struct span bytes;    /* an ELF file; n = 0: built without a compiler for the machine */
};

/* The blob for a machine and the two spellings; false: there is none for such
 * a machine. The bytes are static. */
bool bridge_find(uint16_t machine, bool incoming_prefix, bool outgoing_prefix, struct bridge_blob *blob);

/* A routine, both names without the prefix. */
struct bridge_routine {
	const char *exported;  /* "cblas_ddot64_", "dgesv_64_" */
	const char *forwarded; /* "cblas_ddot", "dgesv_" */
};

/* All routines of every blob, in the order of routines.h. */
const struct bridge_routine *bridge_routines(size_t *nr);

/* The routine of an exported name, with the prefix or without; NULL: none. */
const struct bridge_routine *bridge_routine(const char *exported);

/*
 * Adds a bridge for each ILP64 OpenBLAS of a layer that has an LP64 one for the
 * same machine, as an object a plan may place (layer_add_offer()), and says
 * why where there can be none. For plan_options.offers. Allocates in
 * layer->arena.
 */
struct bridge_offer *bridge_offers(struct layer *layer, size_t *nr);

#endif
