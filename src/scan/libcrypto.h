/*
 * libcrypto, loaded when the first digest is asked for.
 *
 * Why: to map and relocate its five megabytes costs every run half a millisecond,
 * and an audit whose look-alikes differ in size needs no digest. `make static`
 * links it, and this is then a table of plain addresses.
 */
#ifndef SOFOLD_SRC_SCAN_LIBCRYPTO_H
#define SOFOLD_SRC_SCAN_LIBCRYPTO_H

#include <openssl/evp.h>

/* What is used of it. */
#define LIBCRYPTO_FUNCTIONS(F)                                                                               \
	F(EVP_Digest)                                                                                        \
	F(EVP_DigestFinal_ex)                                                                                \
	F(EVP_DigestInit_ex)                                                                                 \
	F(EVP_DigestUpdate)                                                                                  \
	F(EVP_MD_CTX_free)                                                                                   \
	F(EVP_MD_CTX_new)                                                                                    \
	F(EVP_sha256)

#define LIBCRYPTO_POINTER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses): declares */

/* The functions, each under its own name. */
struct libcrypto {
	LIBCRYPTO_FUNCTIONS(LIBCRYPTO_POINTER)
};

/* Loads it unless that was done before, on any thread. When it is not installed
 * the process ends with status 3, as it would if it were linked. */
const struct libcrypto *libcrypto_load(void) __attribute__((returns_nonnull));

#endif
