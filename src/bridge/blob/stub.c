/*
 * A library with every name a bridge calls, and nothing in it.
 *
 * A bridge is linked against it for two things: a NEEDED entry, whose name
 * sofold replaces when it places the bridge, and with -z defs the proof that
 * the bridge calls nothing else (no helper of the compiler's, no memcpy).
 */
#include "bridge/blob/blob.h"

#define STUB(name)                                                                                           \
	EXPORT void name(void);                                                                              \
	void name(void)                                                                                      \
	{                                                                                                    \
	}
#define STUB_CBLAS(p, name, ...)   STUB(CBLAS_OUT(p, name))
#define STUB_FORTRAN(p, name, ...) STUB(FORTRAN_OUT(p, name))

BRIDGE_CBLAS(STUB_CBLAS)
BRIDGE_BLAS(STUB_FORTRAN)
BRIDGE_LAPACK(STUB_FORTRAN)
STUB(write)
STUB(abort)
