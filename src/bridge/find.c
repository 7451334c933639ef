/*
 * What the planner asks: which bridges there are, and what they bridge.
 *
 * The names come from the same rows (routines.h) as the code in the blobs, the
 * blobs themselves from blobs.S.
 */
#include "sofold/bridge.h"

#include <elf.h>
#include <string.h>

#include "bridge/routines.h"

#define CBLAS_ROW(p, name, ...)	  {"cblas_" #p #name "64_", "cblas_" #p #name},
#define FORTRAN_ROW(p, name, ...) {#p #name "_64_", #p #name "_"},

static const struct bridge_routine routines[] = {BRIDGE_CBLAS(CBLAS_ROW) BRIDGE_BLAS(FORTRAN_ROW)
							 BRIDGE_LAPACK(FORTRAN_ROW)};

enum { NR_ROUTINES = sizeof routines / sizeof *routines };

/* X(machine, incoming, outgoing): the labels of blobs.S. */
#define BLOBS_OF(X, machine)                                                                                 \
	X(machine, scipy, scipy) X(machine, scipy, plain) X(machine, plain, scipy) X(machine, plain, plain)
#define DECLARE(machine, in, out)                                                                            \
	extern const uint8_t bridge_##machine##_##in##_##out[], bridge_##machine##_##in##_##out##_end[];

BLOBS_OF(DECLARE, x86_64)
BLOBS_OF(DECLARE, aarch64)

#define MACHINE_x86_64	EM_X86_64
#define MACHINE_aarch64 EM_AARCH64
#define PREFIX_scipy	true
#define PREFIX_plain	false

struct entry {
	struct bridge_blob blob; /* but for the length of its bytes, which no constant expression has */
	const uint8_t *end;
};

#define ENTRY(of, in, out)                                                                                   \
	{{MACHINE_##of, PREFIX_##in, PREFIX_##out, {bridge_##of##_##in##_##out, 0}},                         \
	 bridge_##of##_##in##_##out##_end},

static const struct entry entries[] = {BLOBS_OF(ENTRY, x86_64) BLOBS_OF(ENTRY, aarch64)};

bool bridge_find(uint16_t machine, bool incoming_prefix, bool outgoing_prefix, struct bridge_blob *blob)
{
	size_t i;

	for (i = 0; i < sizeof entries / sizeof *entries; i++) {
		*blob = entries[i].blob;
		blob->bytes.n = (size_t)(entries[i].end - blob->bytes.p);
		if (blob->machine == machine && blob->incoming_prefix == incoming_prefix &&
		    blob->outgoing_prefix == outgoing_prefix)
			return true;
	}
	return false;
}

const struct bridge_routine *bridge_routines(size_t *nr)
{
	*nr = NR_ROUTINES;
	return routines;
}

const struct bridge_routine *bridge_routine(const char *exported)
{
	size_t i;

	if (!strncmp(exported, BRIDGE_PREFIX, strlen(BRIDGE_PREFIX)))
		exported += strlen(BRIDGE_PREFIX);
	for (i = 0; i < NR_ROUTINES; i++)
		if (!strcmp(routines[i].exported, exported))
			return &routines[i];
	return NULL;
}
