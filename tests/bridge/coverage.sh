#!/bin/bash
# Does the bridge export what numpy's wheels import of their ILP64 OpenBLAS?
#
# Why: a routine that a numpy imports and the bridge lacks would leave that numpy
# unbridged. One wheel of each minor version tells, for each machine.
# How: takes the last wheel of each version in versions.txt from $SOFOLD_CACHE/wheels,
# or has pip fetch it; what its modules import and its libopenblas64_ or
# libscipy_openblas64_ defines must be exported by the blob of the machine and the
# spelling. Prints a line for each wheel, with what is missing.
#
# usage: coverage.sh [MACHINE...]; B is the build directory
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
B=${B:-build}
wheels=${SOFOLD_CACHE:-$HOME/.cache/sofold}/wheels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# The wheel of a version, or nothing.
cached() { # version, python, machine
	find "$wheels" -name "numpy-$1.*-cp${2/./}-*_$3.whl" 2>/dev/null | sort -V | tail -n 1
}

fetch() { # version, python, machine
	local platforms=() tag
	for tag in manylinux2014 manylinux_2_17 manylinux_2_27 manylinux_2_28; do
		platforms+=(--platform "${tag}_$3")
	done
	mkdir -p "$wheels"
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
		--ignore-requires-python --implementation cp --python-version "$2" "${platforms[@]}" \
		--dest "$wheels" "numpy==$1.*" >&2
}

defined() {
	nm -D --defined-only "$@" 2>/dev/null | awk 'NF == 3 { print $3 }' | sed 's/@.*//' | sort -u
}

# Prints what the modules of an unpacked wheel import of its ILP64 OpenBLAS.
imports() { # directory
	local library=("$1"/numpy.libs/*openblas64_*.so)
	find "$1/numpy" -name '*.so' -print0 | xargs -0 nm -D --undefined-only 2>/dev/null |
		awk 'NF == 2 { print $2 }' | sort -u | comm -12 - <(defined "${library[@]}")
}

check() { # version, python, machine
	local wheel spelling=plain nr missing
	wheel=$(cached "$@")
	if [ -z "$wheel" ]; then
		fetch "$@" || true
		wheel=$(cached "$@")
	fi
	if [ -z "$wheel" ]; then
		echo "not ok coverage: numpy $1 $3: no wheel"
		return 1
	fi
	rm -rf "$work/tree"
	unzip -q -o "$wheel" '*.so' 'numpy.libs/*' -d "$work/tree"
	imports "$work/tree" >"$work/imports"
	nr=$(wc -l <"$work/imports")
	! grep -q '^scipy_' "$work/imports" || spelling=scipy
	missing=$(defined "$B/bridge/$3-$spelling-plain.so" | comm -23 "$work/imports" - | xargs)
	wheel=$(basename "$wheel")
	wheel=${wheel#numpy-}
	if [ "$nr" -gt 0 ] && [ -z "$missing" ]; then
		echo "ok coverage: numpy ${wheel%%-*} $3: all $nr imports, $spelling names"
	else
		echo "not ok coverage: numpy ${wheel%%-*} $3: $nr imports, lacking: ${missing:-none}"
		return 1
	fi
}

[ $# -gt 0 ] || set -- x86_64 aarch64
for machine; do
	if [ ! -e "$B/bridge/$machine-plain-plain.so" ]; then
		echo "# coverage: no bridge was built for $machine"
		continue
	fi
	while read -r version python; do
		check "$version" "$python" "$machine" || failed=1
	done < <(grep -v '^#' "$here/versions.txt")
done
exit $failed
