/* SHA-256 by libcrypto, which uses the processor's instructions for it. */
#include "scan/digest.h"

#include "scan/libcrypto.h"
#include "sofold/image.h"

void digest_sha256(struct span bytes, uint8_t out[DIGEST_BYTES])
{
	const struct libcrypto *lib = libcrypto_load();

	if (lib->EVP_Digest(bytes.p, bytes.n, out, NULL, lib->EVP_sha256(), NULL) != 1)
		BUG("libcrypto has no SHA-256");
}

static void update(void *context, struct span bytes)
{
	if (bytes.n && libcrypto_load()->EVP_DigestUpdate(context, bytes.p, bytes.n) != 1)
		BUG("libcrypto failed to go on with a digest");
}

int digest_image(struct span bytes, uint8_t out[DIGEST_BYTES], struct error *err)
{
	const struct libcrypto *lib = libcrypto_load();
	EVP_MD_CTX *context = lib->EVP_MD_CTX_new();
	struct arena *scratch = arena_new();
	int rc;

	if (!context || lib->EVP_DigestInit_ex(context, lib->EVP_sha256(), NULL) != 1)
		BUG("libcrypto has no SHA-256");
	rc = image_canonical(scratch, bytes, update, context, err);
	if (lib->EVP_DigestFinal_ex(context, out, NULL) != 1)
		BUG("libcrypto failed to end a digest");
	arena_free(scratch);
	lib->EVP_MD_CTX_free(context);
	return rc;
}

const char *digest_hex(struct arena *arena, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = arena_alloc(arena, 2 * n + 1);
	size_t i;

	for (i = 0; i < n; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	return hex;
}
