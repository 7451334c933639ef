#!/bin/bash
# Fuzzing the code that reads and writes untrusted bytes, with libFuzzer.
#
#	FUZZ_SECONDS=60 B=build tests/fuzz/run.sh           all targets, a quarter each
#	tests/fuzz/run.sh scan|image|trim|prune [LIBFUZZER OPTION...]  one target
#	tests/fuzz/run.sh replay                            fixtures/fuzz only
#
# Seeds are small objects compiled here with all kinds of options. A crash that
# was worth fixing stays in fixtures/fuzz, named after what was wrong with it:
# scan-* are objects, image-* and trim-* have their target's four bytes in front,
# prune-* fuzz_prune.c's one. Every run replays them first.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-$top/build}
mkdir -p "$B"
B=$(cd "$B" && pwd)/fuzz
FUZZ_SECONDS=${FUZZ_SECONDS:-60}
LIBS="-lelf -ldwarf -lcrypto -larchive -ljansson -lpthread"
FLAGS="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}

command -v clang >/dev/null || {
	echo "skip fuzz: no clang"
	exit 0
}

build() {
	local target more
	make -s --no-print-directory -C "$top" CC=clang B="$B" CFLAGS="$FLAGS -fsanitize=fuzzer-no-link" "$B/libsofold.a" >/dev/null
	for target in scan image trim prune; do
		more=()
		[ "$target" = trim ] && more=("$top/tests/fuzz/mutate_elf.c")
		# shellcheck disable=SC2086 # words
		clang $FLAGS -fsanitize=fuzzer -std=c17 -D_GNU_SOURCE -I"$top/include" -o "$B/fuzz_$target" \
			"$top/tests/fuzz/fuzz_$target.c" ${more[@]+"${more[@]}"} "$B/libsofold.a" $LIBS
	done
}

# seed NAME FLAG...: one object, and the same with bytes that choose edits.
seed() {
	local name=$1 choice
	shift
	gcc -shared -fPIC -nostdlib -o "$work/scan/$name" -x c "$work/seed.c" -x none "$work/libneeded.so" "$@" 2>/dev/null || return 0
	for choice in '\1\4\1\0' '\51\60\377\0' '\75\200\377\0'; do
		{ printf '%b' "$choice" && cat "$work/scan/$name"; } >"$work/image/$name${choice//\\/-}"
	done
}

# trim_seed NAME CC CORE... -- FLAG...: a library with tables of kernels for CORE...
trim_seed() {
	local name=$1 cc=$2 core choice tables=
	shift 2
	command -v "$cc" >/dev/null || return 0
	while [ "$1" != -- ]; do
		core=$1
		tables="$tables KERNELS($core, ${#core})"
		shift
	done
	shift
	"$cc" -shared -fPIC -O1 -nostdlib -DTABLES="$tables" -o "$work/blas.so" -x c "$work/blas.c" "$@" 2>/dev/null || return 0
	# Everything at once; pages of 64 KiB; only wanted names; poison; functions of its own.
	for choice in '\17\0\0\0' '\57\0\0\0' '\113\5\0\0' '\27\0\0\0' '\17\0\3\11' '\3\0\0\0' '\4\0\1\0'; do
		{ printf '%b' "$choice" && cat "$work/blas.so"; } >"$work/trim/$name${choice//\\/-}"
	done
}

# Libraries like OpenBLAS: kernels fill pages, some are the same, some call each other.
trim_seeds() {
	local small=(-s -Wl,-z,noseparate-code,-z,norelro,--build-id=none) x86=(PRESCOTT NEHALEM HASWELL ZEN SKYLAKEX)
	local arm=(CORTEXA53 CORTEXA57 ARMV8 NEOVERSEN1)
	cat >"$work/blas.c" <<-'END'
		#define FILL(n) __asm__ volatile(".fill " #n ", 4, 0x1f1f1f1f")
		struct table { long n; int (*copy)(int), (*scale)(int); void (*init)(void); long m; };
		extern struct table *gotoblas;
		int shared(int x);
		int common(int x) { FILL(64); return shared(x) + 1; }
		#define KERNELS(core, k) \
			extern struct table gotoblas_##core; \
			int copy_##core(int x) { FILL(2500); return common(x) * k; } \
			int scale_##core(int x) { FILL(2500); return copy_##core(x) + x / 3; } \
			static void init_##core(void) { FILL(100); gotoblas_##core.n = k; } \
			struct table gotoblas_##core = {k, copy_##core, scale_##core, init_##core, 0};
		TABLES
		#define TABLE_OF(core) gotoblas_##core
		#define TABLE(core) TABLE_OF(core)
		struct table *gotoblas = &TABLE(FIRST);
		static int (*const list[])(int) = {common, shared};
		int shared(int x)
		{
			FILL(2500);
			switch (x) {
			case 1: return 7; case 2: return common(x); case 3: return 11; case 4: return x * 9;
			case 5: return x ^ 7; case 6: return 99; default: return list[x & 1](x);
			}
		}
		int unused(int x) { FILL(5000); return x; }
		int blas_copy(int x) { return gotoblas->copy(x); }
		char *openblas_get_config(void) { return "fuzz"; }
	END
	trim_seed small gcc "${x86[@]}" -- "${small[@]}" -DFIRST=HASWELL
	trim_seed plain gcc "${x86[@]}" -- -DFIRST=HASWELL
	trim_seed sysv gcc PRESCOTT HASWELL ZEN -- "${small[@]}" -DFIRST=ZEN -Wl,--hash-style=both
	trim_seed relr gcc "${x86[@]}" -- "${small[@]}" -DFIRST=HASWELL -Wl,-z,pack-relative-relocs,-Bsymbolic
	trim_seed hidden gcc "${x86[@]}" -- "${small[@]}" -DFIRST=HASWELL -fvisibility=protected
	trim_seed lld gcc "${x86[@]}" -- -s -DFIRST=HASWELL -fuse-ld=lld
	trim_seed frameless gcc "${x86[@]}" -- "${small[@]}" -DFIRST=HASWELL -fno-asynchronous-unwind-tables
	trim_seed arm aarch64-linux-gnu-gcc "${arm[@]}" -- "${small[@]}" -DFIRST=ARMV8
	trim_seed arm_plain aarch64-linux-gnu-gcc "${arm[@]}" -- -DFIRST=ARMV8
}

# Sources, entry points and globs; the first byte says which.
prune_seeds() {
	printf '0import a.b as c, d\nfrom . import x\nfrom ..a.b import (c,\n d as e,\n)\n' >"$work/prune/imports"
	printf '0def f():\n\tx = r"a.b"; from a import *\n\tyield from x # import y\n' >"$work/prune/nested"
	printf "0'''doc\n'''\nimport_module('x.y')\n__import__(\"z\")\nf'{a[\"b\"]}'\n" >"$work/prune/strings"
	printf '1[console_scripts]\r\nrun = pkg.cli:main [extra]\n# no = x\n' >"$work/prune/entry_points"
	printf '2**/{tests,[a-z]*}/*.py[!co]\na/b/tests/m.pyx' >"$work/prune/glob"
	printf '2./a/**/b?\na/x/y/bc' >"$work/prune/middle"
}

seeds() {
	mkdir -p "$work/scan" "$work/image" "$work/trim" "$work/prune"
	prune_seeds
	trim_seeds
	echo 'V_1 { global: first; words; local: *; }; V_2 { global: second; } V_1;' >"$work/map"
	echo 'N_1 { global: *; };' >"$work/needed.map"
	gcc -shared -fPIC -nostdlib -o "$work/libneeded.so" -Wl,-soname,libneeded.so.1 \
		-Wl,--version-script="$work/needed.map" -x c - <<<'int needed(void) { return 1; }'
	cat >"$work/seed.c" <<-'END'
		int needed(void);
		const char *words[] = {"a", "b"};
		int zero[10];
		_Thread_local int mine = 3;
		int first(void) { return needed() + mine; }
		const char *second(int i) { return words[i] + zero[i]; }
	END
	# Small ones first: what is found in them makes a small fixture.
	small=(-s -Wl,-z,noseparate-code,-z,norelro,--build-id=none)
	seed small "${small[@]}"
	seed small_named "${small[@]}" -Wl,-soname,libseed.so.1,-rpath,'$ORIGIN/../lib'
	seed small_versions "${small[@]}" -Wl,--version-script="$work/map",--hash-style=both
	seed small_lld -s -fuse-ld=lld -Wl,-z,norelro
	seed plain
	seed named -Wl,-soname,libseed.so.1,-rpath,'$ORIGIN/../lib'
	seed rpath -Wl,--disable-new-dtags,-rpath,'$ORIGIN'
	seed versions -Wl,--version-script="$work/map"
	seed both_hashes -Wl,--hash-style=both
	seed sysv_hash -Wl,--hash-style=sysv
	seed one_segment -Wl,-z,noseparate-code
	seed relr -Wl,-z,pack-relative-relocs
	seed no_relro -Wl,-z,norelro
	seed stripped -s
	seed lld -fuse-ld=lld
	seed gold -fuse-ld=gold
	if command -v patchelf >/dev/null && cp "$work/scan/named" "$work/scan/patched"; then
		patchelf --set-soname libanother-name.so.3 --set-rpath '$ORIGIN/a/longer/path/it/is' "$work/scan/patched"
		{ printf '\75\200\377\0' && cat "$work/scan/patched"; } >"$work/image/patched"
	fi
}

replay() {
	local target found=("$top"/fixtures/fuzz/*)
	[ -e "${found[0]}" ] || return 0
	seeds
	FUZZ_SANE=1 "$B/fuzz_trim" -timeout=20 "$work"/trim/* >"$work/log" 2>&1 || {
		tail -n 40 "$work/log"
		echo "not ok fuzz_trim: libraries as compilers make them"
		return 1
	}
	for target in scan image trim prune; do
		"$B/fuzz_$target" -timeout=20 "${found[@]}" >"$work/log" 2>&1 || {
			tail -n 40 "$work/log"
			echo "not ok fuzz_$target: replaying fixtures/fuzz"
			return 1
		}
		echo "ok fuzz_$target: ${#found[@]} fixtures replayed"
	done
}

# fuzz TARGET SECONDS [OPTION...]
fuzz() {
	local target=$1 seconds=$2 longest=24000
	shift 2
	[ "$target" = trim ] && longest=150000
	mkdir -p "$B/corpus-$target"
	"$B/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -max_len="$longest" -print_final_stats=1 \
		-artifact_prefix="$B/$target-" "$@" "$B/corpus-$target" "$work/$target" >"$work/log" 2>&1 || {
		grep -v '^#' "$work/log" | tail -n 60
		echo "not ok fuzz_$target: see $B/$target-*"
		return 1
	}
	echo "ok fuzz_$target: $(sed -n 's/stat::number_of_executed_units: *//p' "$work/log") inputs in $seconds s"
}

build
case ${1:-all} in
replay) replay ;;
scan | image | trim | prune)
	target=$1
	shift
	seeds
	fuzz "$target" "$FUZZ_SECONDS" "$@"
	;;
all)
	replay
	seeds
	fuzz scan $((FUZZ_SECONDS / 4))
	fuzz image $((FUZZ_SECONDS / 4))
	fuzz trim $((FUZZ_SECONDS / 4))
	fuzz prune $(((FUZZ_SECONDS + 3) / 4))
	;;
*)
	echo "usage: run.sh [replay|scan|image|trim|prune]" >&2
	exit 2
	;;
esac
