# shellcheck shell=bash
# Shared by the scripts of the wheel tier; sourced, never run.
#
# Why: fetch.sh, run.sh, demo.sh and the benchmark all read the pin files of
# fixtures/wheels, need an interpreter of a given version, and count results
# in the same words. What a layer is: see fixtures/wheels/README.md.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034  # used by those who source this
WHEELS=$ROOT/tests/wheels
FIXTURES=$ROOT/fixtures/wheels
CACHE=${SOFOLD_CACHE:-$HOME/.cache/sofold}
SOFOLD=${SOFOLD:-$ROOT/build/sofold}
# shellcheck disable=SC2034
JOBS=$(nproc)

# What tells OpenBLAS what to do is the tests' alone.
unset OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS OMP_NUM_THREADS GOTO_NUM_THREADS OPENBLAS_L2_SIZE \
	OPENBLAS_VERBOSE LD_LIBRARY_PATH || true

die() {
	echo "${0##*/}: $*" >&2
	exit 3
}

# pin NAME KEY: the value of "# KEY: value" in the layer's pin file.
pin() {
	[ -f "$FIXTURES/$1.txt" ] || die "no pin file $FIXTURES/$1.txt"
	sed -n "s/^# $2: *//p" "$FIXTURES/$1.txt"
}

# layers: every layer that has a pin file.
layers() {
	local file
	for file in "$FIXTURES"/*.txt; do
		grep -q '^# python:' "$file" && basename "$file" .txt
	done
}

# python_for X.Y[.Z]: an interpreter of that minor version. pyenv's own binaries
# come first: its shims answer for versions that are not switched on.
python_for() {
	local minor found
	minor=$(cut -d. -f1,2 <<<"$1")
	for found in "$HOME/.pyenv/versions/$minor".*/bin/python "$(command -v "python$minor" || true)"; do
		if [ -x "$found" ] && is_python "$found" "$minor"; then
			echo "$found"
			return 0
		fi
	done
	return 1
}

is_python() {
	[ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$2" ]
}

# A pip new enough to know today's platform tags.
pip_python() {
	local candidate
	for candidate in "$(python_for 3.12 || true)" "$(python_for 3.11 || true)" \
		"$(python_for 3.10 || true)" "$(command -v python3 || true)"; do
		if [ -n "$candidate" ] && "$candidate" -m pip --version >/dev/null 2>&1; then
			echo "$candidate"
			return
		fi
	done
	die "no python3 with pip; run tests/setup.sh"
}

# beside PYTHON: a directory with the packages of beside.txt for that interpreter. Its
# own pip knows best which; one without pip is recent.
beside() (
	version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	final=$CACHE/beside/$version-$(sha256sum <"$FIXTURES/beside.txt" | cut -c1-8)
	mkdir -p "$CACHE/beside"
	exec 9>"$CACHE/beside/.lock"
	flock 9
	if [ ! -d "$final" ]; then
		fresh=$(mktemp -d "$CACHE/beside/.$version.XXXXXX")
		trap 'rm -rf "$fresh"' EXIT
		installer=$1
		"$1" -m pip --version >/dev/null 2>&1 || installer=$(pip_python)
		PIP_ROOT_USER_ACTION=ignore "$installer" -m pip install --quiet --disable-pip-version-check \
			--no-compile --no-deps --only-binary=:all: --python-version "$version" --target "$fresh" \
			-r "$FIXTURES/beside.txt" >&2 || die "could not install beside.txt for Python $version"
		mv "$fresh" "$final"
	fi
	echo "$final"
)

# answer WHAT [WORD|FILE...] -- COMMAND...: what COMMAND wrote when it was first run for
# these words, with these files, on this layer, by this interpreter and on a processor like
# this. Only for the untouched layer: layer, python and emulator say which.
# shellcheck disable=SC2154
answer() {
	local what=$1 words=() files=("$FIXTURES/$layer.txt" "$FIXTURES/beside.txt") file
	shift
	while [ "$1" != -- ]; do
		if [ -f "$1" ]; then files+=("$1"); else words+=("$1"); fi
		shift
	done
	shift
	file=$CACHE/answers/$layer-$what-$({
		echo "${words[*]} $("$python" -VV)$emulator $(grep -m1 'model name' /proc/cpuinfo || uname -m)"
		cat "${files[@]}"
	} | sha256sum | cut -c1-16)
	if [ ! -f "$file" ]; then
		mkdir -p "$CACHE/answers"
		"$@" >"$file.$$" || {
			rm -f "$file.$$"
			return 1
		}
		mv "$file.$$" "$file"
	fi
	cat "$file"
}

# native_bytes DIR: "BYTES COUNT" of shared objects by name, hard links once.
native_bytes() {
	find "$1" -type f -name '*.so*' -printf '%s\n' | awk '{ s += $1 } END { print s + 0, NR }'
}

# objects_of DIR: sorted paths, below DIR, of its ELF files with a library's name.
objects_of() {
	(cd "$1" && find . -name '*.so*' -type f -printf '%P\n' | sort) |
		while IFS= read -r path; do
			[ "$(head -c 4 "$1/$path" | tr -d '\0')" != $'\177ELF' ] || echo "$path"
		done
}

# identical_bytes DIR: bytes in second and further copies of equal files.
identical_bytes() {
	find "$1" -type f -name '*.so*' -exec sha256sum {} + | sort |
		awk '$1 == last { print $2 } { last = $1 }' | xargs -r stat -c %s |
		awk '{ s += $1 } END { print s + 0 }'
}

# commas NUMBER
commas() {
	sed -e :a -e 's/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/;ta' <<<"$1"
}

# Results. One line a check; a failure shows the evidence it is given, indented.
passed=0 failed=0 skipped=0

ok() {
	passed=$((passed + 1))
	echo "ok $*"
}

not_ok() {
	failed=$((failed + 1))
	echo "not ok $*"
}

skip() {
	skipped=$((skipped + 1))
	echo "skip $*"
}

evidence() {
	head -n "${2:-20}" "$1" | sed 's/^/    /'
}

# same NAME BEFORE AFTER: two files must be equal.
same() {
	if cmp -s "$2" "$3"; then
		ok "$1"
	else
		not_ok "$1"
		diff "$2" "$3" | head -20 | sed 's/^/    /' || true
	fi
}

# empty NAME FILE: a list of complaints must be empty.
empty() {
	if [ ! -s "$2" ]; then
		ok "$1"
	else
		not_ok "$1"
		evidence "$2"
	fi
}

tally() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}
