#!/bin/bash
# Tests of the OpenBLAS bridge: what it calls, computes and refuses.
#
# Why: in a bridged layer numpy computes with scipy's OpenBLAS. No result may be
# garbage, none may be missing, and none should differ.
# How, on pinned layers (fixtures/wheels) of both spellings, of glibc and musl, and of
# aarch64 under qemu:
#   - a blob imports nothing but its routines, is the same bytes when built again;
#   - compiled with a lower limit, so that small arrays take the paths of huge ones,
#     it agrees with plain loops, and refuses, answers or aborts as it should;
#   - its results are those of numpy's own OpenBLAS, bit by bit, on one thread;
#   - in a copy of the layer, placed by sofold's own image writer, numpy.linalg passes
#     its tests with one OpenBLAS in the process.
# Prints "ok", "not ok" with evidence or "skip" for each, and at last their numbers.
# Whether the bridge has all that numpy's versions import is coverage.sh's question.
#
# usage: run.sh [LAYER...]; B is the build directory, CC the compiler
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/wheels/lib.sh
. "$here/../wheels/lib.sh"
# shellcheck source=tests/wheels/loader.sh
. "$WHEELS/loader.sh"
cd "$ROOT"
B=${B:-build}
CC=${CC:-gcc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Two versions of OpenBLAS give the same bits where they have the same kernels. Which
# changed depends on the processor; Haswell's have not, and most machines run them.
export OPENBLAS_NUM_THREADS=1 OPENBLAS_CORETYPE=Haswell
same_kernels=equal
grep -qw avx2 /proc/cpuinfo || {
	unset OPENBLAS_CORETYPE
	same_kernels=close
}

# try NAME COMMAND...: a program that prints a summary last, and details before it.
try() {
	local name=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/err" || status=$?
	if [ $status = 0 ]; then
		ok "$name: $(tail -n 1 "$work/out")"
	else
		not_ok "$name: $(tail -n 1 "$work/out") (status $status)"
		evidence "$work/out"
		evidence "$work/err"
	fi
}

tool() { # compiler, output, sources or libraries...
	local cc=$1 output=$2
	shift 2
	"$cc" -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Iinclude -Isrc -I"$here" -o "$output" "$@"
}

# Programs for a kind of layer: host, musl or aarch64 (loader.sh). libgfortran names
# the host's libz, and needs it for backtraces only.
make_tools() { # kind
	local cc=$CC
	[ ! -d "$work/$1" ] || return 0
	[ "$1" = host ] || cc=$(loader_compiler "$1")
	mkdir -p "$work/$1"
	tool "$cc" "$work/$1/compare" "$here"/{compare,both,library,naive}.c -lm -ldl
	tool "$cc" "$work/$1/limits" "$here"/{limits,both,library}.c -lm -ldl
	tool "$cc" "$work/$1/liblengths.so" -shared -fPIC -Wl,-soname,liblengths.so \
		-DINCOMING= -DOUTGOING=scipy_ "$here/lengths.c"
	[ "$1" != aarch64 ] ||
		echo 'unsigned long crc32(unsigned long c, const void *p, unsigned n) { return p ? c + n : 0; }' |
		"$cc" -shared -fPIC -Wl,-soname,libz.so.1 -o "$work/$1/libz.so.1" -x c -
}

# A blob with a lower limit.
lowered() { # limit, machine, incoming, outgoing
	local blob=$work/limit$1/bridge/$2-$3-$4.so
	[ -e "$blob" ] || make -s B="$work/limit$1" BRIDGE_EXTRA="-DBRIDGE_LIMIT=$1" "$blob" >/dev/null
	echo "$blob"
}

# Calling a layer's LP64 OpenBLAS, from outside the layer.
place() { # blob, layer, output
	"$work/place" "$1" "$3" soname=libsofold-ilp64.so path="$2/scipy.libs" \
		needed="$(basename "$2"/scipy.libs/*openblas*.so)"
}

# How a layer's OpenBLAS spells its names: scipy or plain.
spelling() {
	compgen -G "$1/scipy.libs/libscipy_openblas*" >/dev/null && echo scipy || echo plain
}

# Imports are the exports in the other spelling, and two functions of the C library.
check_blob() { # machine, incoming, outgoing
	local blob=$B/bridge/$1-$2-$3.so prefix=""
	[ "$3" = plain ] || prefix=scipy_
	{
		nm -D --defined-only "$blob" | awk '{ print $3 }' |
			sed -E "s/^scipy_//; s/^(cblas_.*)64_\$/\1/; s/_64_\$/_/; s/^/$prefix/"
		printf 'abort\nwrite\n'
	} | sort >"$work/expected"
	nm -D --undefined-only "$blob" | awk '{ print $2 }' | sort >"$work/imported"
	{
		comm -3 "$work/expected" "$work/imported"
		readelf -VdW "$blob" | grep -E 'Version needs|TEXTREL|RUNPATH|NEEDED.*libc' || true
	} >"$work/differs"
	empty "blob $1 $2 $3: imports what it exports, write and abort" "$work/differs"
}

check_blobs() {
	local machine pair
	for machine in x86_64 aarch64; do
		if [ ! -e "$B/bridge/$machine-plain-plain.so" ]; then
			skip "blobs $machine: no compiler for it"
			continue
		fi
		for pair in "scipy scipy" "scipy plain" "plain scipy" "plain plain"; do
			# shellcheck disable=SC2086
			check_blob $machine $pair
		done
	done
	make -s B="$work/again" bridges >/dev/null
	(cd "$work/again" && sha256sum bridge/*.so) >"$work/again.sums"
	(cd "$B" && sha256sum bridge/*.so) >"$work/first.sums"
	same "blobs are the same bytes when built again" "$work/first.sums" "$work/again.sums"
}

# Everything that needs no interpreter; kind says how to run a program.
check_routines() { # name, layer, kind
	local name=$1 layer=$2 kind=$3 machine=x86_64 how=$same_kernels rounds=200 limit names original
	local run=(env) own=(env -u OPENBLAS_CORETYPE)
	original=$(echo "$layer"/numpy.libs/*openblas64_*.so)
	names=$(spelling "$layer")
	make_tools "$kind"
	case $kind in
	musl) run+=("$(musl_loader)") own+=("$(musl_loader)") ;;
	aarch64)
		machine=aarch64 how=close rounds=20
		run=(qemu-aarch64 -L /usr/aarch64-linux-gnu -E OPENBLAS_CORETYPE=ARMV8
			-E "LD_LIBRARY_PATH=$work/$kind")
		;;
	esac
	for limit in 1 7 15; do
		place "$(lowered $limit $machine "$names" "$names")" "$layer" "$work/$name-$limit.so"
		try "$name: limit $limit, levels 1 to 3 against loops" \
			"${run[@]}" "$work/$kind/compare" naive "$work/$name-$limit.so" $rounds $limit
	done
	try "$name: limit 7, LAPACK refuses" "${run[@]}" "$work/$kind/limits" low "$work/$name-7.so"
	place "blob:$machine-$names-$names" "$layer" "$work/$name.so"
	try "$name: workspace queries of any size" "${run[@]}" "$work/$kind/limits" real "$work/$name.so"
	"$work/place" "blob:$machine-plain-scipy" "$work/$name-lengths.so" soname=libsofold-ilp64.so \
		path="$work/$kind" needed=liblengths.so
	try "$name: lengths of CHARACTER arguments" \
		"${run[@]}" "$work/$kind/limits" lengths "$work/$name-lengths.so"
	try "$name: all routines, $how to numpy's OpenBLAS" \
		"${run[@]}" "$work/$kind/compare" $how "$original" "$work/$name.so" $rounds 1
	[ "$kind" != aarch64 ] || return 0 # slow, and nobody's kernels
	try "$name: strides and lengths beyond 2**31" "${run[@]}" "$work/$kind/limits" huge "$work/$name.so"
	try "$name: all routines with this machine's kernels, close" \
		"${own[@]}" "$work/$kind/compare" close "$original" "$work/$name.so" 40 2
}

# One layer's numpy over another's scipy: names with a prefix on one side only. The
# other layer's libgfortran is found beside it, numpy's by the path.
check_mixed() { # numpy's layer, scipy's layer
	local numpy=$CACHE/pristine/$1 scipy=$CACHE/pristine/$2
	place "blob:x86_64-$(spelling "$numpy")-$(spelling "$scipy")" "$scipy" "$work/$1-$2.so"
	try "$1's numpy over $2's scipy: all routines, close" env LD_LIBRARY_PATH="$numpy/numpy.libs" \
		"$work/host/compare" close "$numpy"/numpy.libs/*openblas64_*.so "$work/$1-$2.so" 40 3
}

# A copy of the layer with the bridge in it and without numpy's OpenBLAS.
drop_in() { # layer, copy, blob
	local layer=$1 copy=$2 blob=$3 module old
	mkdir "$copy"
	(cd "$layer" && cp -r --reflink=auto numpy numpy.libs scipy scipy.libs "$copy")
	old=$(basename "$copy"/numpy.libs/*openblas64_*.so)
	"$work/place" "$blob" "$copy/numpy.libs/libsofold-ilp64.so" soname=libsofold-ilp64.so \
		needed="$(basename "$copy"/scipy.libs/*openblas*.so)" path="\$ORIGIN/../scipy.libs"
	grep -rlF --include='*.so' "$old" "$copy/numpy" | while read -r module; do
		"$work/place" "$module" "$work/module.so" "$old=libsofold-ilp64.so"
		mv "$work/module.so" "$module"
	done
	rm "$copy"/numpy.libs/*openblas64_* "$copy"/numpy.libs/libgfortran-* "$copy"/numpy.libs/libquadmath-*
}

check_numpy() { # name, layer
	local name=$1 layer=$2 names python beside
	names=$(spelling "$layer")
	python=$(python_for "$(pin "$name" python)") || {
		skip "$name: numpy: no Python $(pin "$name" python)"
		return 0
	}
	drop_in "$layer" "$work/$name" "blob:x86_64-$names-$names"
	drop_in "$layer" "$work/$name-low" "$(lowered 7 x86_64 "$names" "$names")"
	beside=$(beside "$python")
	export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$work/$name:$beside
	try "$name: numpy works in one OpenBLAS, one thread" "$python" "$here/numpy_check.py" work
	OPENBLAS_NUM_THREADS=2 try "$name: and in two threads" "$python" "$here/numpy_check.py" work
	try "$name: numpy.linalg's tests" "$python" -m pytest -q -p no:cacheprovider -W ignore \
		-c /dev/null --pyargs numpy.linalg
	export PYTHONPATH=$work/$name-low
	try "$name: limit 7, numpy raises LinAlgError" "$python" "$here/numpy_check.py" refused
	unset PYTHONPATH
	rm -rf "${work:?}/$name" "$work/$name-low"
}

check_layer() { # name
	local name=$1 kind layer
	kind=$(pin "$name" loader)
	kind=${kind:-host}
	if ! can_load "$kind"; then
		skip "$name: no compiler or no loader for $kind"
		return 0
	fi
	layer=$("$WHEELS/fetch.sh" "$name")
	check_routines "$name" "$layer" "$kind"
	[ "$kind" != host ] || check_numpy "$name" "$layer"
}

[ $# -gt 0 ] || set -- cp310 cp312 arm312 musl312
make -s B="$B" CC="$CC" "$B/libsofold.a" >/dev/null
tool "$CC" "$work/place" "$here/place.c" "$B/libsofold.a" -lelf -ldwarf -lcrypto -larchive -ljansson -lpthread

check_blobs
for name; do
	check_layer "$name"
done
if [[ " $* " = *" cp310 "* && " $* " = *" cp312 "* ]]; then
	check_mixed cp310 cp312
	check_mixed cp312 cp310
fi
tally
