/*
 * Unit tests of src/trim: which functions may run. The compiler makes the objects, or
 * the assembler where no compiler would write it so; what is left is loaded and asked.
 */
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "build_layer.h"
#include "build_trim.h"

/* --------- exports ------------------ */

static const char exports[] = CODE(
	static __attribute__((noipa)) int helper(int x) { return x * 3; }
	static __attribute__((noipa)) int shared(int x) { return x * 5; }
	int unwanted(int x) { return helper(x) + shared(x) + 1; }
	__attribute__((noipa)) int wanted(int x) { return shared(x) - 164; }
	int taken(int x) { return x; }
	int (*take(void))(int) { return taken; }
	int answer(void) { return wanted(41) + 1; });

static void trim_cuts_out_what_only_unwanted_exports_lead_to(void)
{
	trimmed_begin("-O2", exports);
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "helper take taken unwanted");
	UNIT_ASSERT_TEXT(trimmed_gone(), "take taken unwanted");
	CU_ASSERT(trimmed_result.dead >= trimmed_symbol("unwanted")->st_size + trimmed_symbol("helper")->st_size);
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	UNIT_ASSERT_TEXT(trimmed_dead("answer unwanted"), "take taken");
	UNIT_ASSERT_TEXT(trimmed_gone(), "take taken");
	UNIT_ASSERT_TEXT(trimmed_dead("take"), "answer helper shared unwanted wanted");
	UNIT_ASSERT_TEXT(trimmed_dead(""), "answer helper shared take taken unwanted wanted");
	trimmed_request.exports = false;
	UNIT_ASSERT_TEXT(trimmed_dead(""), "");
	UNIT_ASSERT_TEXT(trimmed_gone(), "");
	trimmed_end();
}

/* Calls and addresses through the linkage table and its slots, as all linkers write them. */
static void trim_follows_linkage_of_every_kind(void)
{
	static const char *const options[] = {
		"-O1", "-O2 -fno-plt", "-O2 -Wl,-z,now", "-O2 -fcf-protection -Wl,-z,ibtplt", "-Os -Wl,-z,norelro",
		"-O2 -Wl,-Bsymbolic", "-O2 -fvisibility=protected", "-O0", "-O2 -Wl,-z,separate-code",
		"-O2 -fno-plt -Wl,-z,now -Wl,--hash-style=sysv", NULL,
	};

	for (size_t i = 0; options[i]; i++) {
		trimmed_begin(options[i], exports);
		UNIT_ASSERT_TEXT(trimmed_dead("answer"), "helper take taken unwanted");
		CU_ASSERT_EQUAL(trimmed_answer(), 42);
		UNIT_ASSERT_TEXT(trimmed_dead("answer take"), "helper unwanted");
		UNIT_ASSERT_TEXT(trimmed_dead("unwanted"), "answer take taken wanted");
		trimmed_end();
	}
}

/* As gcc asks whether a weak function is there; the others for the sake of it. A constant
 * follows the distance. */
static const char compared[] = CODE(
	int none(int x) { return x; }
	int one(int x) { return x; }
	int two(int x) { return x; }
	int four(int x) { return x; }
	asm(".text; .globl asks; .type asks, @function;"
	    "asks: cmpq $0, one@GOTPCREL(%rip); cmpw $0x1234, two@GOTPCREL(%rip);"
	    "cmpq $0x12345678, four@GOTPCREL(%rip); ret; .size asks, . - asks");
	int answer(void) { return 42; });

static void trim_finds_slots_with_a_constant_behind(void)
{
	trimmed_begin("-O2", compared);
	UNIT_ASSERT_TEXT(trimmed_dead("answer asks"), "none");
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "asks four none one two");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* --------- data ------------------ */

static const char pointers[] = CODE(
	static __attribute__((noipa)) int hidden(int x) { return x - 1; }
	static __attribute__((noipa)) int constant(int x) { return x + 1; }
	static __attribute__((used, noipa)) int unused(int x) { return x; }
	int shown(int x) { return x * 2; }
	int other(int x) { return x * 2; }
	int (*volatile table[])(int) = {shown, hidden};
	static __attribute__((used)) int (*const constants[])(int) = {constant};
	int answer(void) { return table[1](table[0](21)) + 1; });

static void trim_keeps_what_data_points_to(void)
{
	trimmed_begin("-O2", pointers);
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "other unused");
	UNIT_ASSERT_TEXT(trimmed_gone(), "other");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	UNIT_ASSERT_TEXT(trimmed_dead(""), "answer other unused");
	trimmed_end();
}

/* DT_RELR. */
static void trim_keeps_what_packed_pointers_point_to(void)
{
	if (system("ld --help | grep -q pack-relative-relocs"))
		return;
	trimmed_begin("-O2 -Wl,-Bsymbolic -Wl,-z,pack-relative-relocs", pointers);
	CU_ASSERT(object_dynamic(&trimmed_subject, 36) != NULL);
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "other unused");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

static void trim_keeps_what_the_loader_calls(void)
{
	trimmed_begin("-O2 -Wl,-init=begins -Wl,-fini=ends", CODE(
		static int sum;
		__attribute__((visibility("hidden"))) void begins(void) { sum += 40; }
		__attribute__((visibility("hidden"))) void ends(void) { sum = 0; }
		__attribute__((visibility("hidden"))) void middles(void) { sum = 0; }
		__attribute__((constructor)) static void listed(void) { sum += 2; }
		__attribute__((destructor)) static void unlisted(void) { sum = 1; }
		int answer(void) { return sum; }));
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "middles");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* The loader calls a resolver whoever asks for the function, or nobody. */
static void trim_keeps_resolvers_the_loader_calls(void)
{
	trimmed_begin("-O2", CODE(
		static __attribute__((noipa)) int inner(int x) { return x + 1; }
		static __attribute__((noipa)) int outer(int x) { return x + 2; }
		static void *pick_inner(void) { return inner; }
		static void *pick_outer(void) { return outer; }
		__attribute__((ifunc("pick_inner"), visibility("hidden"))) int inside(int x);
		__attribute__((ifunc("pick_outer"))) int outside(int x);
		int unwanted(int x) { return inside(x) + 1; }
		int answer(void) { return 42; }));
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "outer pick_outer unwanted");
	UNIT_ASSERT_TEXT(trimmed_gone(), "outside unwanted");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	UNIT_ASSERT_TEXT(trimmed_dead("answer outside"), "unwanted");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* --------- jumps between functions ------------------ */

#define BEGIN(name) ".type " #name ", @function; " #name ": "
#define END(name)   ".size " #name ", . - " #name "; "
#define SHOWN(name) ".globl " #name "; " BEGIN(name)
#define ASM(...)    FRONT "asm(\".text; " __VA_ARGS__ "\");"
#define ANSWER	    "int answer(void) { return 42; }"

static void trim_follows_jumps_to_other_functions(void)
{
	trimmed_begin("-O2", ASM(
		SHOWN(jumps) "nop; .byte 0xe9; .long long_target - . - 4;" END(jumps)
		SHOWN(hops) "nop; .byte 0xeb, short_target - . - 1;" END(hops)
		BEGIN(short_target) "lea 7(%rdi), %rax; ret;" END(short_target)
		SHOWN(falters) "test %edi, %edi; .byte 0x0f, 0x84; .long maybe_target - . - 4; ret;" END(falters)
		SHOWN(stutters) "test %edi, %edi; .byte 0x74, near_target - . - 1; ret;" END(stutters)
		BEGIN(near_target) "lea 9(%rdi), %rax; ret;" END(near_target)
		BEGIN(maybe_target) "lea 8(%rdi), %rax; ret;" END(maybe_target)
		BEGIN(long_target) "lea 6(%rdi), %rax; ret;" END(long_target)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer jumps hops falters stutters"), "");
	UNIT_ASSERT_TEXT(trimmed_dead("answer hops falters stutters"), "jumps long_target");
	UNIT_ASSERT_TEXT(trimmed_dead("answer jumps falters stutters"), "hops short_target");
	UNIT_ASSERT_TEXT(trimmed_dead("answer jumps hops stutters"), "falters maybe_target");
	UNIT_ASSERT_TEXT(trimmed_dead("answer jumps hops falters"), "near_target stutters");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* Data in code looks like the first bytes of an instruction that ends where the next does. */
static void trim_finds_jumps_behind_data(void)
{
	trimmed_begin("-O2", ASM(
		SHOWN(misleads) "jmp 1f; .byte 0x48, 0xb8; 1: .byte 0xe9; .long target - . - 4; nop; nop; nop;"
		END(misleads)
		SHOWN(hops) "jmp 1f; .byte 0x48, 0xb8; 1: .byte 0xeb, near_target - . - 1; nop; nop; nop; nop; nop; nop;"
		END(hops)
		BEGIN(near_target) "lea 9(%rdi), %rax; ret;" END(near_target)
		BEGIN(target) "lea 7(%rdi), %rax; ret;" END(target)
		SHOWN(other) "lea 8(%rdi), %rax; ret;" END(other)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer misleads"), "hops near_target other");
	UNIT_ASSERT_TEXT(trimmed_dead("answer hops"), "misleads other target");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* What gcc moves to .text.unlikely is a function of its own that is never entered at its
 * beginning. */
#define COLD(name) ".section .text.unlikely; " BEGIN(name) "nop; nop; 9: mov $71, %eax; ret; " END(name) ".text;"

static void trim_follows_jumps_into_a_cold_part(void)
{
	trimmed_begin("-O2", ASM(
		SHOWN(hot) "test %edi, %edi; js 9f; mov $72, %eax; ret; " END(hot) COLD(hot_cold)
		SHOWN(warm) "test %edi, %edi; jmp 9f; " END(warm) COLD(warm_cold)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer hot"), "warm warm_cold");
	UNIT_ASSERT_TEXT(trimmed_dead("answer warm"), "hot hot_cold");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

static void trim_follows_jump_tables_into_a_cold_part(void)
{
	trimmed_begin("-O2", ASM(
		SHOWN(hot) "lea 5f(%rip), %rdx; movslq (%rdx,%rdi,4), %rax; add %rdx, %rax; jmp *%rax;"
		"1: mov $72, %eax; ret;" END(hot)
		".section .rodata; .balign 4; 5: .long 1b - 5b, 9f - 5b, 1b - 5b, -1, 8f - 5b; .text; "
		BEGIN(beyond) "8: lea 9(%rdi), %rax; ret;" END(beyond) COLD(hot_cold)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer hot"), "beyond"); /* -1 is no entry */
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "beyond hot hot_cold");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* gcc's own, at work. */
static const char moved[] = CODE(
	__attribute__((cold, noipa)) static int complain(int x) { return x * 1000; }
	__attribute__((noipa)) static int work(int kind, int x) {
		if (__builtin_expect(x < 0, 0))
			return complain(x) - 1;
		switch (kind) {
		case 0: return x + 1;
		case 1: return x * 3;
		case 2: return x * x;
		case 3: return complain(x) + 7;
		case 4: return complain(complain(x));
		case 5: return x / 7;
		case 6: return x ^ 5;
		}
		return 0;
	}
	int unwanted(int x) { return work(x, x); }
	int answer(void) {
		return work(0, 5) == 6 && work(1, 5) == 15 && work(3, 5) == 5007 && work(4, -1) == -1001 &&
		       work(2, 5) == 25 && work(4, 2) == 2000000 && work(5, 14) == 2 && work(6, 5) == 0 ? 42 : 0;
	});

static void trim_keeps_parts_that_gcc_has_moved(void)
{
	trimmed_begin("-O2", moved);
	CU_ASSERT(trimmed_symbol("work.cold") != NULL);
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "unwanted");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	UNIT_ASSERT_TEXT(trimmed_dead(""), "answer complain unwanted work work.cold");
	trimmed_end();
}

/* --------- hand-written code ------------------ */

/* What stands behind a function that has a size belongs to nobody. */
static void trim_keeps_code_without_a_name(void)
{
	trimmed_begin("-O2", ASM(
		SHOWN(sized) "ret;" END(sized) "call called; mov $3, %eax; ret;"
		BEGIN(called) "lea 6(%rdi), %rax; ret;" END(called)
		BEGIN(uncalled) "lea 6(%rdi), %rax; ret;" END(uncalled)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "sized uncalled");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

static void trim_follows_jumps_between_labels(void)
{
	trimmed_begin("-O2", ASM(
		SHOWN(asm_jumper) "mov $71, %eax; .byte 0xe9; .long 7f - . - 4;" END(asm_jumper)
		SHOWN(asm_hopper) "mov $71, %eax; .byte 0xeb, 8f - . - 1;" END(asm_hopper)
		SHOWN(asm_near) "nop; nop; 8: mov $72, %ecx; ret; " END(asm_near)
		SHOWN(asm_far) "nop; nop; 7: mov $72, %ecx; ret; " END(asm_far)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer asm_jumper"), "asm_hopper asm_near");
	UNIT_ASSERT_TEXT(trimmed_dead("answer asm_hopper"), "asm_far asm_jumper");
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "asm_far asm_hopper asm_jumper asm_near");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* Its bytes do not come out even: whatever looks like a jump may be one. */
static void trim_follows_jumps_in_code_with_data(void)
{
	trimmed_begin("-O2", ASM(
		SHOWN(asm_jumper) "jmp 1f; .byte 0x06; 1: .byte 0xe9; .long 7f - . - 4; .byte 0x48, 0xb8, 0xc3;"
		END(asm_jumper)
		SHOWN(asm_hopper) "jmp 1f; .byte 0x06; 1: .byte 0xeb, 8f - . - 1; .byte 0x48, 0xb8, 0xc3;" END(asm_hopper)
		SHOWN(asm_near) "nop; nop; 8: mov $72, %ecx; ret; " END(asm_near)
		SHOWN(asm_far) "nop; nop; 7: mov $72, %ecx; ret; " END(asm_far)
		SHOWN(asm_other) "nop; nop; 7: mov $72, %ecx; ret; " END(asm_other)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer asm_jumper"), "asm_hopper asm_near asm_other");
	UNIT_ASSERT_TEXT(trimmed_dead("answer asm_hopper"), "asm_far asm_jumper asm_other");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

static void trim_follows_hand_written_code_into_the_next(void)
{
	trimmed_begin("-O2", ASM(
		SHOWN(asm_falls) "mov $71, %eax; " END(asm_falls)
		BEGIN(below) "mov $72, %ecx; ret;" END(below)
		SHOWN(asm_returns) "mov $71, %eax; ret; " END(asm_returns)
		BEGIN(behind) "mov $72, %ecx; ret;" END(behind)
		SHOWN(compiled) "mov $71, %eax; call abort@PLT; " END(compiled)
		BEGIN(last) "mov $72, %ecx; ret;" END(last)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer asm_falls"), "asm_returns behind compiled last");
	UNIT_ASSERT_TEXT(trimmed_dead("answer asm_returns"), "asm_falls behind below compiled last");
	UNIT_ASSERT_TEXT(trimmed_dead("answer compiled"), "asm_falls asm_returns behind below last");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* A name within another function: either may run when the other does. */
static void trim_keeps_functions_that_overlap_together(void)
{
	trimmed_begin("-O2", ASM(
		SHOWN(outer) "mov $71, %eax; " SHOWN(inner) "mov $72, %ecx; ret; " END(inner) "mov $3, %ecx; ret;" END(outer)
		SHOWN(other) "mov $4, %ecx; ret;" END(other)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer inner"), "other");
	UNIT_ASSERT_TEXT(trimmed_dead("answer outer"), "other");
	UNIT_ASSERT_TEXT(trimmed_dead("answer other"), "inner outer");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* --------- what is too much ------------------ */

/* The large model reaches everything by offsets from its table. */
static void trim_keeps_all_in_the_large_model(void)
{
	trimmed_begin("-O2 -mcmodel=large", exports);
	UNIT_ASSERT_TEXT(trimmed_dead("answer unwanted take"), "");
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

static void trim_refuses_what_it_cannot_read(void)
{
	trimmed_begin("-O2 -Wl,-z,notext", FRONT "asm(\".text; .quad answer\");" ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "refused: it has text relocations");
	trimmed_begin("-pie", "int main(void) { return 0; }" ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "refused: it is a program");
	trimmed_end();
}

static void trim_refuses_objects_without_section_headers(void)
{
	struct trim_request request = {.exports = true, .page = 4096};
	struct elf elf = object_compile("-O2", exports);
	struct error err = {""};

	object_drop_sections(&elf);
	CU_ASSERT_EQUAL(trim_find(object_arena(), elf.bytes, &request, &trimmed_result, &err), ERROR_REFUSED);
	UNIT_ASSERT_TEXT(err.message, "it has no section headers");
	object_forget();
}

static void trim_refuses_two_relocations_of_one_place(void)
{
	Elf64_Shdr *table;
	Elf64_Rela *relas;

	trimmed_begin("-O2", pointers);
	table = object_section(&trimmed_subject, ".rela.dyn");
	relas = (Elf64_Rela *)(void *)(trimmed_subject.p + table->sh_offset);
	relas[0].r_offset = relas[1].r_offset;
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "refused: two relocations write to one place");
	trimmed_end();
}

/* --------- cuts ------------------ */

static const char large[] = ASM(
	SHOWN(unwanted) ".skip 0x28000, 0x90; ret;" END(unwanted)
	SHOWN(wanted) ".skip 0x1800, 0x90; ret;" END(wanted)
	SHOWN(small) ".skip 0x2800, 0x90; ret;" END(small)) ANSWER;

static uint64_t dead_pages(void)
{
	const struct cuts *cuts = &trimmed_result.cuts;
	uint64_t page = trimmed_request.page, n = 0;

	for (size_t i = 0; i < cuts->nr_dead; i++) {
		CU_ASSERT(!(cuts->dead[i].from % page) && !(cuts->dead[i].to % page));
		n += (cuts->dead[i].to - cuts->dead[i].from) / page;
	}
	return n;
}

static void trim_cuts_out_whole_pages(void)
{
	const Elf64_Sym *unwanted;

	trimmed_begin("-O2", large);
	unwanted = trimmed_symbol("unwanted");
	trimmed_request.poison = false;
	UNIT_ASSERT_TEXT(trimmed_dead("answer wanted"), "");
	UNIT_ASSERT_TEXT(trimmed_gone(), "small unwanted");
	/* Of the small one there is one whole page, or it begins on one: then two. */
	CU_ASSERT_EQUAL(trimmed_result.cuts.dead[0].from, (unwanted->st_value + 4095) & ~4095ul);
	CU_ASSERT_EQUAL(trimmed_result.cuts.dead[0].to, (unwanted->st_value + unwanted->st_size) & ~4095ul);
	CU_ASSERT(dead_pages() >= 0x27 && trimmed_result.dead >= 0x2a800);
	CU_ASSERT(trimmed_edit().bytes.n + 0x27000 <= trimmed_subject.bytes.n);
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

static void trim_cuts_out_whole_large_pages(void)
{
	trimmed_begin("-O2 -Wl,-z,max-page-size=65536", large);
	trimmed_request.poison = false;
	trimmed_request.page = 65536;
	trimmed_dead("answer wanted");
	CU_ASSERT_EQUAL(trimmed_result.cuts.nr_dead, dead_pages() ? 1 : 0);
	CU_ASSERT(trimmed_result.dead >= 0x2a800);
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

/* A single page is not worth a hole. */
static void trim_leaves_short_runs(void)
{
	trimmed_begin("-O2", ASM(".balign 4096, 0xcc; " SHOWN(one) ".skip 0x1fff, 0x90; ret;" END(one)
				 SHOWN(kept) "ret;" END(kept) ".balign 4096, 0xcc; "
				 SHOWN(two) ".skip 0x1fff, 0x90; ret;" END(two)
				 SHOWN(stays) ".skip 0x800, 0x90; ret;" END(stays)
				 SHOWN(three) ".skip 0x1fff, 0x90; ret;" END(three)
				 SHOWN(last) "ret;" END(last)) ANSWER);
	trimmed_request.poison = false;
	trimmed_dead("answer kept stays last");
	CU_ASSERT_EQUAL_FATAL(trimmed_result.cuts.nr_dead, 2);
	CU_ASSERT_EQUAL(trimmed_result.cuts.dead[0].from, trimmed_symbol("one")->st_value);
	CU_ASSERT_EQUAL(trimmed_result.cuts.dead[1].from, trimmed_symbol("two")->st_value);
	CU_ASSERT_EQUAL(trimmed_result.cuts.dead[1].to, trimmed_symbol("two")->st_value + 0x2000);
	CU_ASSERT_EQUAL(trimmed_answer(), 42);
	trimmed_end();
}

static void trim_drops_unwind_tables(void)
{
	struct elf new;

	trimmed_begin("-O2 -fasynchronous-unwind-tables", exports);
	trimmed_request.exports = false;
	trimmed_request.unwind = true;
	UNIT_ASSERT_TEXT(trimmed_dead(""), "");
	CU_ASSERT_EQUAL(trimmed_result.unwind, object_section(&trimmed_subject, ".eh_frame")->sh_size +
						       object_section(&trimmed_subject, ".eh_frame_hdr")->sh_size);
	CU_ASSERT(trimmed_result.cuts.unwind);
	new = trimmed_edit();
	CU_ASSERT(object_phdr(&trimmed_subject, PT_GNU_EH_FRAME, 0) && !object_phdr(&new, PT_GNU_EH_FRAME, 0));
	CU_ASSERT_EQUAL(object_run(new.bytes), 42);
	trimmed_end();
}

/* --------- AArch64 ------------------ */

static const char arm[] = OBJECT_CROSS CODE(
	static __attribute__((noipa)) int helper(int x) { return x * 3; }
	static __attribute__((noipa)) int held(int x) { return x * 7; }
	static __attribute__((noipa)) int listed(int x) { return x * 9; }
	static __attribute__((used)) int (*const list[])(int) = {listed};
	int unwanted(int x) { return helper(x) + 1; }
	int taken(int x) { return x; }
	int (*take(void))(int) { return taken; }
	int (*hold(void))(int) { return held; }
	__attribute__((noipa)) int wanted(int x) { return x + 1; }
	int answer(void) { return wanted(41); });

static void trim_follows_aarch64_code(void)
{
	static const char *const options[] = {"-O2", "-O2 -fno-plt", "-O0", "-Os -mbranch-protection=standard",
					      "-O2 -fvisibility=protected", "-O2 -Wl,-z,now", NULL};

	if (!object_can_cross())
		return;
	for (size_t i = 0; options[i]; i++) {
		trimmed_begin(options[i], arm);
		UNIT_ASSERT_TEXT(trimmed_dead("answer"), "held helper hold take taken unwanted");
		UNIT_ASSERT_TEXT(trimmed_gone(), "hold take taken unwanted");
		UNIT_ASSERT_TEXT(trimmed_dead("answer take"), "held helper hold unwanted");
		UNIT_ASSERT_TEXT(trimmed_dead("answer hold"), "helper take taken unwanted");
		UNIT_ASSERT_TEXT(trimmed_dead("unwanted"), "answer held hold take taken wanted");
		trimmed_edit();
		trimmed_end();
	}
}

#define ARM_BEGIN(name) ".type " #name ", %function; " #name ": "
#define ARM_SHOWN(name) ".globl " #name "; " ARM_BEGIN(name)

static void trim_follows_aarch64_instructions(void)
{
	if (!object_can_cross())
		return;
	trimmed_begin("-O2", OBJECT_CROSS ASM(
		ARM_SHOWN(jumps) "b 1f;" END(jumps)
		ARM_SHOWN(tests) "cbz x0, 2f; ret;" END(tests)
		ARM_SHOWN(bits) "tbnz x0, 5, 3f; ret;" END(bits)
		ARM_SHOWN(conditions) "b.eq 4f; ret;" END(conditions)
		ARM_SHOWN(addresses) "adr x0, 5f; ret;" END(addresses)
		ARM_SHOWN(literals) "ldr x0, 6f; ret;" END(literals)
		".balign 4096; " ARM_BEGIN(far1) "nop; 1: mov x0, 1; ret;" END(far1)
		ARM_BEGIN(far2) "nop; 2: mov x0, 1; ret;" END(far2)
		ARM_BEGIN(far3) "nop; 3: mov x0, 1; ret;" END(far3)
		ARM_BEGIN(far4) "nop; 4: mov x0, 1; ret;" END(far4)
		ARM_BEGIN(far5) "nop; 5: mov x0, 1; ret;" END(far5)
		".balign 8; " ARM_BEGIN(far6) "nop; nop; 6: mov x0, 1; ret;" END(far6)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer jumps"), "addresses bits conditions far2 far3 far4 far5 far6 literals tests");
	UNIT_ASSERT_TEXT(trimmed_dead("answer tests"), "addresses bits conditions far1 far3 far4 far5 far6 jumps literals");
	UNIT_ASSERT_TEXT(trimmed_dead("answer bits"), "addresses conditions far1 far2 far4 far5 far6 jumps literals tests");
	UNIT_ASSERT_TEXT(trimmed_dead("answer conditions"), "addresses bits far1 far2 far3 far5 far6 jumps literals tests");
	UNIT_ASSERT_TEXT(trimmed_dead("answer addresses"), "bits conditions far1 far2 far3 far4 far6 jumps literals tests");
	UNIT_ASSERT_TEXT(trimmed_dead("answer literals"), "addresses bits conditions far1 far2 far3 far4 far5 jumps tests");
	trimmed_edit();
	trimmed_end();
}

/* A page may be made in one block and completed in another, before it in the file. */
static void trim_follows_aarch64_pages(void)
{
	if (!object_can_cross())
		return;
	trimmed_begin("-O2", OBJECT_CROSS ASM(
		ARM_SHOWN(split) "b 2f; 1: add x3, x3, :lo12:target; br x3; 2: adrp x3, target; b 1b;" END(split)
		ARM_SHOWN(other) "adrp x3, away; add x4, x3, :lo12:away; br x4;" END(other)
		ARM_SHOWN(vague) "adrp x5, lost; mov x6, x5; add x6, x6, :lo12:lost; br x6;" END(vague)
		".balign 4096;" ARM_BEGIN(target) "mov x0, 1; ret;" END(target)
		".balign 4096;" ARM_BEGIN(away) "mov x0, 1; ret;" END(away)
		".balign 4096; " ARM_BEGIN(lost) "mov x0, 1; ret;" END(lost)
		ARM_BEGIN(same_page) "mov x0, 1; ret;" END(same_page)
		".balign 4096;" ARM_BEGIN(next_page) "mov x0, 1; ret;" END(next_page)) ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer split"), "away lost next_page other same_page vague");
	UNIT_ASSERT_TEXT(trimmed_dead("answer other"), "lost next_page same_page split target vague");
	UNIT_ASSERT_TEXT(trimmed_dead("answer vague"), "away next_page other split target");
	trimmed_edit();
	trimmed_end();
}

static void trim_follows_aarch64_jump_tables(void)
{
	if (!object_can_cross())
		return;
	trimmed_begin("-O2", OBJECT_CROSS ASM(
		ARM_SHOWN(hot) "adrp x1, 5f; add x1, x1, :lo12:5f; ldrsw x2, [x1, x0, lsl 2]; add x1, x1, x2; br x1;"
		"1: mov w0, 2; ret;" END(hot)
		".section .rodata; .balign 4; 5: .word 1b - 5b, 9f - 5b, -1; "
		".section .text.unlikely; " ARM_BEGIN(hot_cold) "nop; 9: mov w0, 1; ret; " END(hot_cold) ".text;") ANSWER);
	UNIT_ASSERT_TEXT(trimmed_dead("answer hot"), "");
	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "hot hot_cold");
	trimmed_edit();
	trimmed_end();
}

static void trim_keeps_parts_that_gcc_has_moved_on_aarch64(void)
{
	static const char *const options[] = {"-O2", "-O2 -fno-plt -mcmodel=small", "-Os", NULL};

	if (!object_can_cross())
		return;
	for (size_t i = 0; options[i]; i++) {
		static char source[4096] = OBJECT_CROSS;

		strcpy(source + strlen(OBJECT_CROSS), moved);
		trimmed_begin(options[i], source);
		UNIT_ASSERT_TEXT(trimmed_dead("answer"), "unwanted");
		CU_ASSERT(strstr(trimmed_dead(""), "complain unwanted work") != NULL);
		trimmed_edit();
		trimmed_end();
	}
}

/* --------- by what the scan knows ------------------ */

static void trim_concerns_tables_of_kernels(void)
{
	struct layer *layer = build_layer();
	object_id blas = build_object(layer, (struct build_object){.path = "a.so", .exports = "gotoblas_ZEN sgemm_"});
	object_id plain = build_object(layer, (struct build_object){.path = "b.so", .exports = "gotoblas sgemm_"});
	struct object *a = &layer->objects[blas], *b = &layer->objects[plain];
	struct trim_request request = {.cpu = CPU_AVX2_FMA, .fold = true};

	CU_ASSERT(!trim_concerns(a, &request) && !trim_never_unwound(a)); /* functions are no tables */
	a->exports[0].flags = b->exports[0].flags = SYMBOL_DATA;
	CU_ASSERT(trim_concerns(a, &request) && trim_never_unwound(a));
	CU_ASSERT(!trim_concerns(b, &request) && !trim_never_unwound(b));
	a->machine = EM_AARCH64;
	CU_ASSERT(trim_concerns(a, &request));
	a->machine = EM_386;
	CU_ASSERT(!trim_concerns(a, &request) && !trim_never_unwound(a));
	CU_ASSERT(trim_concerns(b, &(struct trim_request){.exports = true}));
	CU_ASSERT(trim_concerns(b, &(struct trim_request){.unwind = true}));
	build_free(layer);
}

void suite_trim(void)
{
	static const struct unit_test tests[] = {
#ifdef __x86_64__
		UNIT_TEST(trim_cuts_out_what_only_unwanted_exports_lead_to),
		UNIT_TEST(trim_follows_linkage_of_every_kind),
		UNIT_TEST(trim_finds_slots_with_a_constant_behind),
		UNIT_TEST(trim_keeps_what_data_points_to),
		UNIT_TEST(trim_keeps_what_packed_pointers_point_to),
		UNIT_TEST(trim_keeps_what_the_loader_calls),
		UNIT_TEST(trim_keeps_resolvers_the_loader_calls),
		UNIT_TEST(trim_follows_jumps_to_other_functions),
		UNIT_TEST(trim_finds_jumps_behind_data),
		UNIT_TEST(trim_follows_jumps_into_a_cold_part),
		UNIT_TEST(trim_follows_jump_tables_into_a_cold_part),
		UNIT_TEST(trim_keeps_parts_that_gcc_has_moved),
		UNIT_TEST(trim_keeps_code_without_a_name),
		UNIT_TEST(trim_follows_jumps_between_labels),
		UNIT_TEST(trim_follows_jumps_in_code_with_data),
		UNIT_TEST(trim_follows_hand_written_code_into_the_next),
		UNIT_TEST(trim_keeps_functions_that_overlap_together),
		UNIT_TEST(trim_keeps_all_in_the_large_model),
		UNIT_TEST(trim_refuses_what_it_cannot_read),
		UNIT_TEST(trim_refuses_objects_without_section_headers),
		UNIT_TEST(trim_refuses_two_relocations_of_one_place),
		UNIT_TEST(trim_cuts_out_whole_pages),
		UNIT_TEST(trim_cuts_out_whole_large_pages),
		UNIT_TEST(trim_leaves_short_runs),
		UNIT_TEST(trim_drops_unwind_tables),
#endif
		UNIT_TEST(trim_follows_aarch64_code),
		UNIT_TEST(trim_follows_aarch64_instructions),
		UNIT_TEST(trim_follows_aarch64_pages),
		UNIT_TEST(trim_follows_aarch64_jump_tables),
		UNIT_TEST(trim_keeps_parts_that_gcc_has_moved_on_aarch64),
		UNIT_TEST(trim_concerns_tables_of_kernels),
	};

	unit_suite("trim", tests, sizeof tests / sizeof *tests);
}
