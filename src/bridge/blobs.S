/*
 * The compiled bridges, as bytes in libsofold. bridge.mk compiles them into
 * the directory this is assembled with -I of, and says which machines it has a
 * compiler for by -DHAVE_x86_64, -DHAVE_aarch64; the others' are empty.
 */
#define BLOB(machine, incoming, outgoing, bytes)                                                             \
	.globl bridge_##machine##_##incoming##_##outgoing;                                                   \
	.globl bridge_##machine##_##incoming##_##outgoing##_end;                                             \
	.balign 8;                                                                                           \
	bridge_##machine##_##incoming##_##outgoing : bytes;                                                  \
	bridge_##machine##_##incoming##_##outgoing##_end : .byte 0

#ifdef HAVE_x86_64
#define BYTES_x86_64(file) .incbin file
#else
#define BYTES_x86_64(file)
#endif
#ifdef HAVE_aarch64
#define BYTES_aarch64(file) .incbin file
#else
#define BYTES_aarch64(file)
#endif

	.section .rodata
	BLOB(x86_64, scipy, scipy, BYTES_x86_64("x86_64-scipy-scipy.so"))
	BLOB(x86_64, scipy, plain, BYTES_x86_64("x86_64-scipy-plain.so"))
	BLOB(x86_64, plain, scipy, BYTES_x86_64("x86_64-plain-scipy.so"))
	BLOB(x86_64, plain, plain, BYTES_x86_64("x86_64-plain-plain.so"))
	BLOB(aarch64, scipy, scipy, BYTES_aarch64("aarch64-scipy-scipy.so"))
	BLOB(aarch64, scipy, plain, BYTES_aarch64("aarch64-scipy-plain.so"))
	BLOB(aarch64, plain, scipy, BYTES_aarch64("aarch64-plain-scipy.so"))
	BLOB(aarch64, plain, plain, BYTES_aarch64("aarch64-plain-plain.so"))

	.section .note.GNU-stack, "", %progbits
