#!/bin/bash
# Tests of the OpenBLAS bridge: what it exports, computes and refuses.
#
# Why: in a bridged layer numpy computes with scipy's OpenBLAS. No result may be
# garbage, none may be missing, and none should differ.
# How, on the pinned layers cp312 and cp310 (scipy_ names and none) and, under qemu,
# arm312:
#   - what the wheels of numpy's versions import is exported (coverage.sh);
#   - a blob imports nothing but its routines, is the same bytes when built again;
#   - compiled with a lower limit, so that small arrays take the paths of huge ones,
#     it agrees with plain loops, and refuses, answers or aborts as it should;
#   - its results are those of numpy's own OpenBLAS, bit by bit, on one thread;
#   - in a copy of the layer, placed by sofold's own image writer, numpy.linalg passes
#     its tests with one OpenBLAS in the process.
# Prints a line for each, and "N passed, N failed".
#
# usage: run.sh; B is the build directory, CC the compiler
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tests/wheels/lib.sh
. "$root/tests/wheels/lib.sh"
cd "$root"
B=${B:-build}
CC=${CC:-gcc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
export OPENBLAS_NUM_THREADS=1

result() { # status, name, more
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $2${3:+: $3}"
	else
		failed=$((failed + 1))
		echo "not ok $2${3:+: $3}"
	fi
}

# Runs a program that prints a summary last, and details before it.
try() { # name, command...
	local name=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/err" || status=$?
	sed '$d' "$work/out" | head -n 20
	[ $status = 0 ] || grep -v '^sofold bridge:' "$work/err" | head -n 20 >&2 || true
	result $status "$name" "$(tail -n 1 "$work/out")"
}

# Counts a script's own ok and not ok lines.
counted() { # command...
	"$@" >"$work/out" || true
	cat "$work/out"
	passed=$((passed + $(grep -c '^ok' "$work/out" || true)))
	failed=$((failed + $(grep -c '^not ok' "$work/out" || true)))
}

tool() { # compiler, output, name, sources or libraries...
	local cc=$1 output=$2
	shift 2
	"$cc" -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Iinclude -Isrc -I"$here" -o "$output" "$@"
}

tools() { # compiler, directory
	mkdir -p "$2"
	tool "$1" "$2/compare" "$here"/{compare,both,library,naive}.c -lm -ldl
	tool "$1" "$2/limits" "$here"/{limits,both,library}.c -lm -ldl
}

# A blob with a lower limit.
lowered() { # limit, machine, incoming, outgoing
	local blob=$work/limit$1/bridge/$2-$3-$4.so
	[ -e "$blob" ] || make -s B="$work/limit$1" BRIDGE_EXTRA="-DBRIDGE_LIMIT=$1" "$blob" >/dev/null
	echo "$blob"
}

# Beside the layer's LP64 OpenBLAS: libsofold-ilp64.so, outside the layer.
place() { # blob, layer, output, machine's tool directory
	"$work/place" "$1" "$3" soname=libsofold-ilp64.so path="$2/scipy.libs" \
		needed="$(basename "$2"/scipy.libs/*openblas*.so)"
}

# Imports are the exports in the other spelling, and two functions of the C library.
check_blob() { # machine, incoming, outgoing
	local blob=$B/bridge/$1-$2-$3.so prefix="" differs
	[ "$3" = plain ] || prefix=scipy_
	nm -D --defined-only "$blob" | awk '{ print $3 }' |
		sed -E "s/^scipy_//; s/^(cblas_.*)64_\$/\1/; s/_64_\$/_/; s/^/$prefix/" >"$work/expected"
	printf 'abort\nwrite\n' >>"$work/expected"
	nm -D --undefined-only "$blob" | awk '{ print $2 }' | sort >"$work/imported"
	differs=$(sort "$work/expected" | comm -3 - "$work/imported" | xargs)
	differs+=$(readelf -VdW "$blob" | grep -E 'Version needs|TEXTREL|RUNPATH|NEEDED.*libc' || true)
	[ -z "$differs" ] && result 0 "blob $1 $2 $3: imports what it exports, write and abort" ||
		result 1 "blob $1 $2 $3: imports" "$differs"
}

check_bytes() {
	local blob status=0
	make -s B="$work/again" bridges >/dev/null
	for blob in "$work"/again/bridge/*.so; do
		cmp -s "$blob" "$B/bridge/$(basename "$blob")" || status=1
	done
	result $status "blobs are the same bytes when built again"
}

# Everything that needs no interpreter; the rest of the arguments runs a program.
check_pair() { # layer, machine, spelling, tool directory, how, rounds, command...
	local layer=$1 machine=$2 spelling=$3 tools=$4 how=$5 rounds=$6 name limit
	shift 6
	name=$(basename "$layer")
	for limit in 1 7 15; do
		place "$(lowered $limit "$machine" "$spelling" "$spelling")" "$layer" "$work/$name-$limit.so"
		try "$name: limit $limit, levels 1 to 3 against loops" \
			"$@" "$tools/compare" naive "$work/$name-$limit.so" "$rounds" $limit
	done
	try "$name: limit 7, LAPACK" "$@" "$tools/limits" low "$work/$name-7.so"
	place "blob:$machine-$spelling-$spelling" "$layer" "$work/$name.so"
	try "$name: workspace queries of any size" "$@" "$tools/limits" real "$work/$name.so"
	try "$name: all routines, $how to numpy's OpenBLAS" \
		"$@" "$tools/compare" "$how" "$layer"/numpy.libs/*openblas64_*.so "$work/$name.so" "$rounds" 1
}

# A copy of the layer with the bridge in it and without numpy's OpenBLAS. Files are
# linked, not copied: what changes is written anew.
drop_in() { # layer, copy, blob
	local layer=$1 copy=$2 blob=$3 module old
	mkdir "$copy"
	(cd "$layer" && cp -rl numpy numpy.libs scipy scipy.libs "$copy") 2>/dev/null ||
		(cd "$layer" && cp -r numpy numpy.libs scipy scipy.libs "$copy")
	old=$(basename "$copy"/numpy.libs/*openblas64_*.so)
	"$work/place" "$blob" "$copy/numpy.libs/libsofold-ilp64.so" soname=libsofold-ilp64.so \
		needed="$(basename "$copy"/scipy.libs/*openblas*.so)" path="\$ORIGIN/../scipy.libs"
	grep -rlF --include='*.so' "$old" "$copy/numpy" | while read -r module; do
		"$work/place" "$module" "$work/module.so" "$old=libsofold-ilp64.so"
		rm "$module"
		mv "$work/module.so" "$module"
	done
	rm "$copy"/numpy.libs/*openblas64_* "$copy"/numpy.libs/libgfortran-* "$copy"/numpy.libs/libquadmath-*
}

check_numpy() { # layer, python version, spelling
	local layer=$1 spelling=$3 python name
	name=$(basename "$layer")
	python=$(python_for "$2") || {
		echo "# $name: no Python $2"
		return
	}
	drop_in "$layer" "$work/$name" "blob:x86_64-$spelling-$spelling"
	drop_in "$layer" "$work/$name-low" "$(lowered 7 x86_64 "$spelling" "$spelling")"
	export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/$name:$(beside "$python")
	try "$name: numpy works in one OpenBLAS, one thread" "$python" "$here/numpy_check.py" work
	OPENBLAS_NUM_THREADS=2 try "$name: and in two threads" "$python" "$here/numpy_check.py" work
	try "$name: numpy.linalg's tests" "$python" -m pytest -q -p no:cacheprovider -W ignore \
		-c /dev/null --pyargs numpy.linalg
	export PYTHONPATH=$work/$name-low
	try "$name: limit 7, numpy raises LinAlgError" "$python" "$here/numpy_check.py" refused
	unset PYTHONPATH
}

# Under qemu; libgfortran wants the machine's libz, for backtraces.
check_aarch64() {
	local cc=aarch64-linux-gnu-gcc layer
	command -v $cc >/dev/null && command -v qemu-aarch64 >/dev/null || {
		echo "# aarch64: no cross compiler or no qemu-aarch64"
		return 0
	}
	layer=$("$WHEELS/fetch.sh" arm312)
	tools $cc "$work/aarch64"
	echo 'unsigned long crc32(unsigned long c, const void *p, unsigned n) { return p ? c + n : 0; }' |
		$cc -shared -fPIC -Wl,-soname,libz.so.1 -x c - -o "$work/aarch64/libz.so.1"
	check_pair "$layer" aarch64 scipy "$work/aarch64" close 20 \
		qemu-aarch64 -L /usr/aarch64-linux-gnu -E "LD_LIBRARY_PATH=$work/aarch64"
}

make -s B="$B" CC="$CC" "$B/libsofold.a" >/dev/null
tools "$CC" "$work/host"
tool "$CC" "$work/place" "$here/place.c" "$B/libsofold.a" -lelf -ldwarf -lcrypto -larchive -ljansson -lpthread
cp312=$("$WHEELS/fetch.sh" cp312)
cp310=$("$WHEELS/fetch.sh" cp310)

counted env B="$B" "$here/coverage.sh"
for machine in x86_64 aarch64; do
	[ -e "$B/bridge/$machine-plain-plain.so" ] || continue
	for pair in "scipy scipy" "scipy plain" "plain scipy" "plain plain"; do
		# shellcheck disable=SC2086
		check_blob $machine $pair
	done
done
check_bytes
check_pair "$cp312" x86_64 scipy "$work/host" equal 200 env
check_pair "$cp310" x86_64 plain "$work/host" equal 200 env
check_aarch64
check_numpy "$cp312" 3.12 scipy
check_numpy "$cp310" 3.10 plain

echo "$passed passed, $failed failed"
[ $failed = 0 ]
