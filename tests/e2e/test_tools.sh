#!/bin/bash
# Whatever linkers make, sofold's output is accepted by the tools people use:
# eu-elflint finds nothing that it did not find before, readelf and gdb read
# it, patchelf and GNU strip edit it, and it loads after each of them.
. "$(dirname "$0")/lib.sh"

# complaints FILE: eu-elflint's, without what names places in the file.
complaints() {
	{ eu-elflint --gnu-ld "$1" 2>&1 || true; } | sed 's/[0-9][0-9a-fx]*/N/g' | grep -v '^No errors' | sort -u || true
}

no_new_complaints() {
	command -v eu-elflint >/dev/null || return 0
	complaints "$1" >lint.before
	complaints "$2" >lint.after
	comm -13 lint.before lint.after >lint.new
	[ ! -s lint.new ] || fail "eu-elflint: $(cat lint.new)"
}

# Every byte a loader would map is what it was, by sofold-free means: the
# sections that are loaded hold the same, except those with names.
same_sections() {
	local name
	for name in .text .rodata .eh_frame .data.rel.ro .data .tdata .init_array .gcc_except_table; do
		objcopy -O binary --only-section="$name" "$1" section.before 2>/dev/null || continue
		objcopy -O binary --only-section="$name" "$2" section.after 2>/dev/null
		cmp section.before section.after || fail "$name differs"
	done
}

# accepted FILE ANSWER: shrinks a layer that holds the file, then asks everybody.
accepted() {
	local name
	name=$(basename "$1")
	mkdir -p tree
	cp "$1" tree/
	is "before" "$(load "tree/$name")" "$2"
	shrink "${@:3}" tree
	same_sections "$1" "tree/$name"
	tools_accept "$1" "tree/$name" "$2"
}

tools_accept() {
	is "after" "$(load "$2")" "$3"
	no_new_complaints "$1" "$2"
	readelf -aW "$2" >readelf.out 2>readelf.err
	[ ! -s readelf.err ] || fail "readelf: $(cat readelf.err)"
	LC_ALL=C objdump -h -T "$2" >/dev/null
	if command -v gdb >/dev/null; then
		gdb -nx -batch -ex 'info files' "$2" >gdb.out 2>gdb.err
		has gdb.out ".text"
		hasnt gdb.err "BFD"
	fi
	tool_loads "patchelf" "$2" "$3" patchelf --set-rpath '$ORIGIN:$ORIGIN/a/longer/path/than/any/there/was'
	tool_loads "patchelf again" tree/patched.so "$3" patchelf --set-soname libsomething-else-entirely.so
	tool_loads "strip" "$2" "$3" strip
	tool_loads "objcopy" "$2" "$3" objcopy
}

# tool_loads WHAT FILE ANSWER TOOL...: a copy edited in place loads.
tool_loads() {
	# Beside the original, whose neighbours it may need.
	cp "$2" tree/edited.so
	"${@:4}" tree/edited.so 2>/dev/null
	is "after $1" "$(load tree/edited.so)" "$3"
	mv tree/edited.so tree/patched.so
}

# Something of everything: code, constants, relocated data, zeroed data.
source='
#include <stdio.h>
static const char *words[] = {"one", "two", "three"};
static char buffer[70000];
int counter = 5;
int helper(int x) { return x + counter; }
const char *answer(void)
{
	sprintf(buffer, "%s %d", words[2], helper(2));
	return buffer;
}'

plain() {
	so lib.so "$@" <<<"$source"
	accepted lib.so "three 7"
}

test_gcc() { plain; }
test_gcc_no_relro() { plain -Wl,-z,norelro; }
test_full_relro() { plain -Wl,-z,now,-z,relro; }
test_separate_code() { plain -Wl,-z,separate-code; }
test_noseparate_code() { plain -Wl,-z,noseparate-code; }
test_hash_style_sysv() { plain -Wl,--hash-style=sysv; }
test_hash_style_both() { plain -Wl,--hash-style=both; }
test_debug_info() { plain -g3 -gdwarf-5; }
test_compressed_debug_info() { plain -g -gz=zlib; }
test_large_page_size() { plain -Wl,-z,max-page-size=0x10000; }
test_two_megabyte_pages() { plain -Wl,-z,max-page-size=0x200000; }
test_no_build_id() { plain -Wl,--build-id=none; }
test_symbolic() { plain -Wl,-Bsymbolic; }
test_gc_sections() { plain -ffunction-sections -fdata-sections -Wl,--gc-sections; }
test_versions() {
	echo 'V_1 { global: answer; helper; counter; local: *; };' >map
	plain -Wl,--version-script=map
}
test_pack_relative_relocs() {
	$CC -shared -Wl,-z,pack-relative-relocs -o probe.so -x c - <<<'' 2>/dev/null || skip "the linker has no such option"
	readelf -dW probe.so >/dev/null
	plain -Wl,-z,pack-relative-relocs
	readelf -dW tree/lib.so | grep -q RELR || fail "no DT_RELR"
}
test_gold() {
	need ld.gold
	plain -fuse-ld=gold
}
test_lld() {
	need clang ld.lld
	COMPILE=clang plain -fuse-ld=lld
}
test_lld_full_relro() {
	need clang ld.lld
	COMPILE=clang plain -fuse-ld=lld -Wl,-z,now,-z,relro
}
test_lld_separate_code() {
	need clang ld.lld
	COMPILE=clang plain -fuse-ld=lld -Wl,-z,separate-code
}
test_lld_rosegment_off() {
	need clang ld.lld
	COMPILE=clang plain -fuse-ld=lld -Wl,--no-rosegment
}

test_thread_local_data() {
	so lib.so <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		static _Thread_local char mine[100] = "tls";
		static _Thread_local int zero;
		static _Alignas(256) _Thread_local int aligned = 3;
		static void *thread(void *text) { sprintf(text, "%s %d %d %d", mine, zero, aligned, (int)((unsigned long)&aligned % 256)); return 0; }
		const char *answer(void)
		{
			static char text[200];
			pthread_t id;
			mine[0] = 'T', zero = 9, aligned = 4;
			pthread_create(&id, 0, thread, text);
			pthread_join(id, 0);
			return text;
		}
	END
	accepted lib.so "tls 0 3 0"
}

test_indirect_functions() {
	so lib.so <<-'END'
		static const char *fast(void) { return "resolved"; }
		static const char *(*choose(void))(void) { return fast; }
		const char *which(void) __attribute__((ifunc("choose")));
		const char *answer(void) { return which(); }
	END
	accepted lib.so resolved
}

test_constructors() {
	so lib.so <<-'END'
		#include <string.h>
		static char text[100];
		__attribute__((constructor(101))) static void first(void) { strcat(text, "a"); }
		__attribute__((constructor(102))) static void second(void) { strcat(text, "b"); }
		__attribute__((destructor)) static void last(void) { text[0] = 0; }
		const char *answer(void) { return text; }
	END
	accepted lib.so ab
}

test_exceptions_across_libraries() {
	need g++
	echo '#include <stdexcept>
extern "C" void thrower(int n) { if (n > 3) throw std::runtime_error("caught"); thrower(n + 1); }' |
		g++ -shared -fPIC -g -o libthrow.so -Wl,-soname,libthrow.so -x c++ -
	echo '#include <stdexcept>
#include <string>
extern "C" void thrower(int);
extern "C" void *PyInit_catch() { return 0; }
struct guard { ~guard() { text += "+unwound"; } static std::string text; };
std::string guard::text;
extern "C" const char *answer() { try { guard g; thrower(0); } catch (std::exception &e) { guard::text = e.what() + guard::text; } return guard::text.c_str(); }' |
		g++ -shared -fPIC -g -o catch.so -Wl,--enable-new-dtags,-rpath,'$ORIGIN' -x c++ - -x none libthrow.so
	mkdir tree && cp libthrow.so tree/
	accepted catch.so caught+unwound
}

test_big_alignment() {
	so lib.so <<-'END'
		#include <stdint.h>
		_Alignas(65536) char table[65536] = "aligned";
		const char *answer(void) { return (uintptr_t)table % 65536 ? "misaligned" : table; }
	END
	cp lib.so alone.so
	[ "$(load alone.so)" = aligned ] || skip "this loader places it wrongly (glibc before 2.35)"
	accepted lib.so aligned
}

test_big_zeroed_data() {
	so lib.so <<-'END'
		char zeros[50000000];
		int marker = 1;
		const char *answer(void)
		{
			for (int i = 0; i < 50000000; i += 4096)
				if (zeros[i])
					return "dirty";
			return "zero";
		}
	END
	accepted lib.so zero
}

# crtbegin.o's .tm_clone_table: an empty section whose address is its
# neighbour's end.
test_empty_sections() {
	so lib.so <<-'END'
		__asm__(".section .empty_ro,\"a\"; .section .empty_code,\"ax\"; .text");
		__attribute__((section(".tm_clone_table"))) const char *none[0];
		const char *answer(void) { return "empty"; }
	END
	accepted lib.so empty
}

test_own_sections() {
	so lib.so <<-'END'
		__attribute__((section("plugins"), used)) static const char *const a = " section";
		__attribute__((section("plugins"), used)) static const char *const b = "own";
		extern const char *const __start_plugins[], *const __stop_plugins[];
		#include <string.h>
		const char *answer(void)
		{
			static char text[100];
			for (const char *const *p = __start_plugins; p < __stop_plugins; p++)
				strcat(text, *p);
			return text;
		}
	END
	accepted lib.so "own section"
}

test_patched_before() {
	local i
	need patchelf
	so lib.so soname=libx.so <<<"$source"
	for i in 1 2 3; do
		patchelf --set-rpath "$(printf '%0*d' $((i * 500)) 0)" lib.so
		patchelf --set-soname "lib$(printf '%0*d' $((i * 300)) 0).so" lib.so
	done
	accepted lib.so "three 7"
	[ "$(stat -c %s tree/lib.so)" -lt "$(stat -c %s lib.so)" ]
}

test_stripped_before() {
	so lib.so -g <<<"$source"
	strip lib.so
	accepted lib.so "three 7"
}

test_debug_link() {
	so lib.so -g <<<"$source"
	objcopy --only-keep-debug lib.so lib.debug
	strip -g lib.so
	objcopy --add-gnu-debuglink=lib.debug lib.so
	accepted lib.so "three 7"
}

# Programs lie in bin/ of a layer.
test_programs_run() {
	local flags name
	mkdir -p tree/bin
	for flags in -pie -static-pie -no-pie '-pie -Wl,-z,now' '-pie -Wl,-z,noseparate-code'; do
		name=prog$(tr -dc a-z <<<"$flags")
		# shellcheck disable=SC2086 # words
		$CC -fPIE -g $flags -o "tree/bin/$name" -x c - <<<"$source"'
int main(int argc, char **argv) { puts(answer()); return argc == 2 ? 3 : 0; }'
		cp "tree/bin/$name" .
	done
	[ ! -e tree/bin/progpie ] || shrink tree
	for name in prog*; do
		is "$name" "$("tree/bin/$name")" "three 7"
		no_new_complaints "$name" "tree/bin/$name"
	done
}

test_program_finds_the_kept_library() {
	answers tree/one.libs/libanswer-11111111.so.1 "42" soname=libanswer-11111111.so.1
	mkdir -p tree/two.libs tree/bin
	cp tree/one.libs/* tree/two.libs/
	asks tree/one/ask.so needs=tree/one.libs/libanswer-11111111.so.1 runpath='$ORIGIN/../one.libs'
	$CC -fPIE -pie -o tree/bin/prog -x c - -x none tree/two.libs/libanswer-11111111.so.1 \
		-Wl,-rpath,'$ORIGIN/../two.libs' <<<'#include <stdio.h>
const char *answer(void); int main(void) { puts(answer()); }'
	is before "$(tree/bin/prog)" 42
	shrink tree
	is after "$(tree/bin/prog)" 42
}

# A debugger still sees functions by the dynamic symbols, and unwinds.
test_backtrace() {
	so lib.so <<-'END'
		#include <execinfo.h>
		#include <stdio.h>
		static void *places[20];
		__attribute__((noinline)) int inner(void) { return backtrace(places, 20); }
		__attribute__((noinline)) int outer(void) { return inner() + 1; }
		const char *answer(void)
		{
			int n = outer() - 1;
			char **names = backtrace_symbols(places, n);
			static char text[8192];
			snprintf(text, sizeof text, "%s", n > 3 && names ? names[1] : "?");
			return text;
		}
	END
	mkdir tree && cp lib.so tree/
	shrink tree
	load tree/lib.so >trace
	has trace "(outer+"
}

run_cases
