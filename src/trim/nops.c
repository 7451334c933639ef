/*
 * Padding between functions.
 *
 * What assemblers put there: zeros, one-byte traps and no-operations, and on x86-64
 * the long forms of the latter (Intel SDM volume 2, NOP). Anything else is code or
 * data nobody has described.
 */
#include "trim/trim.h"

/* Bytes of a ModRM operand behind an opcode, with its displacement. */
static size_t operand_length(const uint8_t *bytes, size_t n)
{
	size_t length = 1;
	unsigned mod, rm;

	if (!n)
		return 0;
	mod = bytes[0] >> 6;
	rm = bytes[0] & 7;
	if (mod == 3)
		return 0; /* no long no-operation is written so */
	if (rm == 4)
		length++;
	if (mod == 1)
		length += 1;
	else if (mod == 2 || rm == 5)
		length += 4;
	return length;
}

/* Length of the no-operation at the beginning; 0: there is none. */
static size_t nop_length(const uint8_t *bytes, size_t n)
{
	size_t prefixes = 0, operand;

	if (bytes[0] == 0 || bytes[0] == 0xcc || bytes[0] == 0x90)
		return 1;
	while (prefixes < n && (bytes[prefixes] == 0x66 || bytes[prefixes] == 0x2e))
		prefixes++;
	bytes += prefixes;
	n -= prefixes;
	if (n && bytes[0] == 0x90)
		return prefixes + 1;
	if (n >= 3 && bytes[0] == 0x0f && bytes[1] == 0x1f) {
		operand = operand_length(bytes + 2, n - 2);
		return operand && operand + 2 <= n ? prefixes + 2 + operand : 0;
	}
	return 0;
}

static bool is_padding_x86(const uint8_t *bytes, size_t n)
{
	size_t length;

	for (; n; bytes += length, n -= length) {
		length = nop_length(bytes, n);
		if (!length || length > n)
			return false;
	}
	return true;
}

/* Zeros and NOP; what stands at no multiple of four can only be zeros. */
static bool is_padding_aarch64(const uint8_t *bytes, size_t n)
{
	static const uint8_t nop[4] = {0x1f, 0x20, 0x03, 0xd5};

	while (n) {
		if (n >= sizeof nop && !memcmp(bytes, nop, sizeof nop)) {
			bytes += sizeof nop;
			n -= sizeof nop;
		} else if (!*bytes) {
			bytes++;
			n--;
		} else {
			return false;
		}
	}
	return true;
}

bool is_padding(uint16_t machine, const uint8_t *bytes, size_t n)
{
	return machine == EM_X86_64 ? is_padding_x86(bytes, n) : is_padding_aarch64(bytes, n);
}
