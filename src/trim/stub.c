/*
 * What a removed table's initialiser becomes.
 *
 * x86-64: ask CPUID for FMA and AVX2 and XGETBV for whether the kernel saves
 * their registers (Intel SDM volume 1, 14.7.1 "Detection of Intel AVX2"). With all
 * three, make the table that serves the current one and go on in its
 * initialiser. Without, say so and end the process: the next kernel called would
 * be an illegal instruction, with nobody to tell why.
 *
 * AArch64: the table that serves is the plain ARMv8 one, which every processor
 * can run; so there is nothing to ask.
 *
 * The pointer to the current table is written through its slot where there is one,
 * as the library's own code does: another object may have taken the name over.
 */
#include "trim/percpu.h"

#include "sofold/vec.h"

struct code {
	struct arena *arena;
	uint64_t vaddr; /* of the first byte */
	uint8_t *bytes;
	size_t nr_bytes, alloc_bytes;
	bool too_far; /* a distance does not fit its field */
};

static void emit(struct code *code, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*VEC_PUSH(code->arena, code, bytes) = ((const uint8_t *)bytes)[i];
}

static uint64_t here(const struct code *code)
{
	return code->vaddr + code->nr_bytes;
}

/* --------- x86-64 ------------------ */

/* A distance to target, counted from behind its own four bytes. */
static void emit_distance(struct code *code, uint64_t target)
{
	int64_t distance = (int64_t)(target - here(code) - 4);
	int32_t field = (int32_t)distance;

	code->too_far |= field != distance;
	emit(code, &field, sizeof field);
}

/* The offset of a byte to be set by land() when the place to jump to is known. */
static size_t emit_jump(struct code *code, uint8_t opcode)
{
	emit(code, (uint8_t[]){opcode, 0}, 2);
	return code->nr_bytes - 1;
}

static void land(struct code *code, size_t jump)
{
	code->bytes[jump] = (uint8_t)(code->nr_bytes - jump - 1);
}

#define JE  0x74
#define JNE 0x75

static void x86_set_current(struct code *code, const struct percpu *percpu)
{
	emit(code, "\x48\x8d\x05", 3); /* lea table(%rip), %rax */
	emit_distance(code, percpu->serves->from);
	if (percpu->current_slot) {
		emit(code, "\x48\x8b\x0d", 3); /* mov slot(%rip), %rcx */
		emit_distance(code, percpu->current_slot);
		emit(code, "\x48\x89\x01", 3); /* mov %rax, (%rcx) */
	} else {
		emit(code, "\x48\x89\x05", 3); /* mov %rax, current(%rip) */
		emit_distance(code, percpu->current);
	}
}

static void x86_complain(struct code *code, const char *message)
{
	uint32_t n = (uint32_t)strlen(message);
	uint64_t behind = 5 + 2 + 5 + 5 + 2 + 2; /* bytes of what follows the distance */

	emit(code, "\xbf\x02\x00\x00\x00", 5); /* mov $2, %edi */
	emit(code, "\x48\x8d\x35", 3);	       /* lea message(%rip), %rsi */
	emit_distance(code, here(code) + 4 + 5 + behind);
	emit(code, "\xba", 1); /* mov $n, %edx */
	emit(code, &n, sizeof n);
	emit(code, "\xb8\x01\x00\x00\x00\x0f\x05", 7); /* mov $SYS_write, %eax; syscall */
	emit(code, "\xbf\x01\x00\x00\x00", 5);	       /* mov $1, %edi */
	emit(code, "\xb8\xe7\x00\x00\x00\x0f\x05", 7); /* mov $SYS_exit_group, %eax; syscall */
	emit(code, "\x0f\x0b", 2);		       /* ud2 */
	emit(code, message, n);
}

static void x86_stub(struct code *code, const struct percpu *percpu, uint64_t go_on, const char *message)
{
	size_t no_fma, no_state, no_avx2;

	emit(code, "\xf3\x0f\x1e\xfa", 4);	       /* endbr64 */
	emit(code, "\x53", 1);			       /* push %rbx */
	emit(code, "\xb8\x01\x00\x00\x00\x0f\xa2", 7); /* mov $1, %eax; cpuid */
	emit(code, "\x81\xe1\x00\x10\x00\x08", 6);     /* and $(OSXSAVE | FMA), %ecx */
	emit(code, "\x81\xf9\x00\x10\x00\x08", 6);     /* cmp $(OSXSAVE | FMA), %ecx */
	no_fma = emit_jump(code, JNE);
	emit(code, "\x31\xc9\x0f\x01\xd0", 5);	   /* xor %ecx, %ecx; xgetbv */
	emit(code, "\x83\xe0\x06\x83\xf8\x06", 6); /* and $6, %eax; cmp $6, %eax: XMM, YMM */
	no_state = emit_jump(code, JNE);
	emit(code, "\xb8\x07\x00\x00\x00\x31\xc9\x0f\xa2", 9); /* mov $7, %eax; xor %ecx, %ecx; cpuid */
	emit(code, "\xf6\xc3\x20", 3);			       /* test $AVX2, %bl */
	no_avx2 = emit_jump(code, JE);
	emit(code, "\x5b", 1); /* pop %rbx */
	x86_set_current(code, percpu);
	emit(code, "\xe9", 1); /* jmp */
	emit_distance(code, go_on);
	land(code, no_fma);
	land(code, no_state);
	land(code, no_avx2);
	x86_complain(code, message);
}

/* --------- AArch64 ------------------ */

static void emit_word(struct code *code, uint32_t word)
{
	emit(code, &word, sizeof word);
}

enum { X0, X1 };

/* adrp reg, page of target */
static void emit_adrp(struct code *code, unsigned reg, uint64_t target)
{
	int64_t pages = (int64_t)(target >> 12) - (int64_t)(here(code) >> 12);
	uint32_t field = (uint32_t)pages & 0x1fffff;

	code->too_far |= pages >= 1 << 20 || pages < -(1 << 20);
	emit_word(code, 0x90000000u | (field & 3) << 29 | field >> 2 << 5 | reg);
}

/* adrp and add: reg = target */
static void emit_address(struct code *code, unsigned reg, uint64_t target)
{
	emit_adrp(code, reg, target);
	emit_word(code, 0x91000000u | (uint32_t)(target & 0xfff) << 10 | reg << 5 | reg);
}

static void aarch64_stub(struct code *code, const struct percpu *percpu, uint64_t go_on)
{
	int64_t words;

	emit_word(code, 0xd503245f); /* bti c */
	emit_address(code, X0, percpu->serves->from);
	if (percpu->current_slot) {
		emit_adrp(code, X1, percpu->current_slot);
		emit_word(code, 0xf9400000u | (uint32_t)(percpu->current_slot & 0xff8) << 7 | X1 << 5 | X1);
	} else {
		emit_address(code, X1, percpu->current);
	}
	emit_word(code, 0xf9000000u | X1 << 5 | X0); /* str x0, [x1] */
	words = (int64_t)(go_on - here(code)) / 4;
	code->too_far |= words >= 1 << 25 || words < -(1 << 25);
	emit_word(code, 0x14000000u | ((uint32_t)words & 0x3ffffff)); /* b go_on */
}

struct span stub_make(const struct program *program, const struct percpu *percpu, uint64_t vaddr, size_t room)
{
	struct code code = {.arena = program->arena, .vaddr = vaddr};
	const struct slot *go_on = program_slot_at(program, percpu->serves->from + percpu->initialiser);

	if (program->image.ehdr.e_machine == EM_X86_64)
		x86_stub(&code, percpu, go_on->target,
			 arena_printf(program->arena,
				      "%s: this copy was trimmed (sofold) for processors with AVX2 and FMA, "
				      "which this one lacks\n",
				      percpu->family->library));
	else
		aarch64_stub(&code, percpu, go_on->target);
	if (code.too_far || code.nr_bytes > room)
		return (struct span){0};
	return (struct span){code.bytes, code.nr_bytes};
}
