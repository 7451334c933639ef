/*
 * digest: SHA-256 of bytes and of images. The only part that knows OpenSSL.
 */
#ifndef SOFOLD_SRC_SCAN_DIGEST_H
#define SOFOLD_SRC_SCAN_DIGEST_H

#include "sofold/arena.h"
#include "sofold/error.h"
#include "sofold/span.h"

enum { DIGEST_BYTES = 32 };

void digest_sha256(struct span bytes, uint8_t out[DIGEST_BYTES]);

/* SHA-256 of the canonical stream of an image (image.h image_canonical). */
int digest_image(struct span bytes, uint8_t out[DIGEST_BYTES], struct error *err);

/* Lower-case hexadecimal, in the arena. */
const char *digest_hex(struct arena *arena, const uint8_t *bytes, size_t n);

#endif
