#!/bin/bash
# Fuzzing the code that reads and writes untrusted bytes, with libFuzzer.
#
#	FUZZ_SECONDS=60 B=build tests/fuzz/run.sh           all targets, a third each
#	tests/fuzz/run.sh scan|image|prune [LIBFUZZER OPTION...]  one target
#	tests/fuzz/run.sh replay                            fixtures/fuzz only
#
# Seeds are small objects compiled here with all kinds of options. A crash that
# was worth fixing stays in fixtures/fuzz, named after what was wrong with it:
# scan-* are objects, image-* have fuzz_image.c's four bytes in front, prune-*
# fuzz_prune.c's one. Every run replays them first.
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
	local target
	make -s --no-print-directory -C "$top" CC=clang B="$B" CFLAGS="$FLAGS -fsanitize=fuzzer-no-link" "$B/libsofold.a" >/dev/null
	for target in scan image prune; do
		# shellcheck disable=SC2086 # words
		clang $FLAGS -fsanitize=fuzzer -std=c17 -D_GNU_SOURCE -I"$top/include" -o "$B/fuzz_$target" \
			"$top/tests/fuzz/fuzz_$target.c" "$B/libsofold.a" $LIBS
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
	mkdir -p "$work/scan" "$work/image" "$work/prune"
	prune_seeds
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
	for target in scan image prune; do
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
	local target=$1 seconds=$2
	shift 2
	mkdir -p "$B/corpus-$target"
	"$B/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -max_len=24000 -print_final_stats=1 \
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
scan | image | prune)
	target=$1
	shift
	seeds
	fuzz "$target" "$FUZZ_SECONDS" "$@"
	;;
all)
	replay
	seeds
	fuzz scan $((FUZZ_SECONDS / 3))
	fuzz image $((FUZZ_SECONDS / 3))
	fuzz prune $(((FUZZ_SECONDS + 2) / 3))
	;;
*)
	echo "usage: run.sh [replay|scan|image|prune]" >&2
	exit 2
	;;
esac
