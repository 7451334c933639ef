#!/bin/bash
# Does the bridge export what numpy's wheels import of their ILP64 OpenBLAS?
#
# Why: a routine that a numpy imports and the bridge lacks would leave that numpy
# unbridged. One wheel of each minor version tells, for each machine.
# How: takes the last wheel of each version in versions.txt from $SOFOLD_CACHE/wheels,
# or has pip download it there; what its modules import and its libopenblas64_ or
# libscipy_openblas64_ defines must be exported by the blob of the machine and the
# spelling. The newest numpy that pip finds must be of a version in the list. Prints a
# line for each wheel, with what is missing, then the versions, then numbers.
#
# usage: coverage.sh [MACHINE...]; B is the build directory
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/wheels/lib.sh
. "$here/../wheels/lib.sh"
cd "$ROOT"
B=${B:-build}
wheels=$CACHE/wheels
covered=()
mkdir -p "$wheels"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The wheel of a version, or nothing.
cached() { # version, python, machine
	find "$wheels" -name "numpy-$1.*-cp${2/./}-manylinux*_$3.whl" -size +0 | sort -V | tail -n 1
}

# Downloads beside the cache and renames, so that no half a wheel stays.
fetch() { # requirement, python, machine
	local platforms=() tag fresh
	for tag in manylinux2014 manylinux_2_17 manylinux_2_27 manylinux_2_28; do
		platforms+=(--platform "${tag}_$3")
	done
	fresh=$(mktemp -d "$wheels/.fresh.XXXXXX")
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
		--ignore-requires-python --implementation cp --python-version "$2" "${platforms[@]}" \
		--dest "$fresh" "$1" >"$work/pip" 2>&1 && mv -f "$fresh"/*.whl "$wheels"
	rm -rf "$fresh"
}

defined() {
	nm -D --defined-only "$@" 2>/dev/null | awk 'NF == 3 { print $3 }' | sed 's/@.*//' | sort -u
}

# Prints what the modules of an unpacked wheel import of its ILP64 OpenBLAS.
imports() { # directory
	local library=("$1"/numpy.libs/*openblas64_*.so)
	[ -e "${library[0]}" ] || return 0
	find "$1/numpy" -name '*.so' -print0 | xargs -0 nm -D --undefined-only 2>/dev/null |
		awk 'NF == 2 { print $2 }' | sed 's/@.*//' | sort -u | comm -12 - <(defined "${library[@]}")
}

check() { # version, python, machine
	local wheel name spelling=plain nr
	wheel=$(cached "$@")
	if [ -z "$wheel" ]; then
		fetch "numpy==$1.*" "$2" "$3" || true
		wheel=$(cached "$@")
	fi
	if [ -z "$wheel" ]; then
		not_ok "numpy $1 $3: no wheel"
		evidence "$work/pip"
		return 0
	fi
	name=$(basename "$wheel" | cut -d- -f2)
	rm -rf "$work/tree"
	if ! unzip -q -o "$wheel" '*.so' 'numpy.libs/*' -d "$work/tree" 2>"$work/unzip"; then
		not_ok "numpy $name $3: $(basename "$wheel") is damaged; remove it"
		evidence "$work/unzip"
		return 0
	fi
	imports "$work/tree" >"$work/imports"
	nr=$(wc -l <"$work/imports")
	! grep -q '^scipy_' "$work/imports" || spelling=scipy
	defined "$B/bridge/$3-$spelling-plain.so" | comm -23 "$work/imports" - >"$work/missing"
	if [ "$nr" -eq 0 ]; then
		not_ok "numpy $name $3: imports nothing of an ILP64 OpenBLAS"
	else
		empty "numpy $name $3: all $nr imports, $spelling names" "$work/missing"
	fi
	covered+=("$name")
}

# A version that is not in the list yet is no failure of the bridge, but of the list.
check_newest() {
	local python newest
	python=$(grep -v '^#' "$here/versions.txt" | tail -n 1 | cut -d' ' -f2)
	if ! fetch numpy "$python" x86_64; then
		skip "newest numpy: pip found none"
		return 0
	fi
	newest=$(find "$wheels" -name "numpy-*-cp${python/./}-manylinux*_x86_64.whl" -printf '%f\n' |
		cut -d- -f2 | sort -V | tail -n 1)
	if grep -q "^${newest%.*} " "$here/versions.txt"; then
		ok "newest numpy for Python $python, $newest, is in versions.txt"
	else
		not_ok "newest numpy for Python $python, $newest, is not in versions.txt"
	fi
}

make -s B="$B" bridges >/dev/null
[ $# -gt 0 ] || set -- x86_64 aarch64
for machine; do
	if [ ! -e "$B/bridge/$machine-plain-plain.so" ]; then
		skip "$machine: no bridge was built for it"
		continue
	fi
	while read -r version python; do
		check "$version" "$python" "$machine"
	done < <(grep -v '^#' "$here/versions.txt")
done
check_newest
echo "# versions: $(printf '%s\n' "${covered[@]}" | sort -uV | xargs)"
tally
