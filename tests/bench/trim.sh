#!/bin/bash
# Measures what trimming saves, and whether anything gets slower by it.
#
# Why: pages that are not there need not be read, and a file with many pieces needs more
# system calls to load. What both come to is a number on one machine. Gives no verdict.
# How: `trim.sh [NAME...]`, on the layers of fixtures/wheels named, or on three. Sizes are
# those of whole layers after all passes, zipped by sofold; times are of trees that differ
# by the pass alone. trim.py runs in the layer's interpreter.
set -euo pipefail
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "$0")/../wheels/lib.sh"
unset OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS OPENBLAS_L2_SIZE LD_LIBRARY_PATH || true

BENCH=$ROOT/build/bench

platform() { # name
	local machine=x86_64
	[ "$(pin "$1" loader)" != aarch64 ] || machine=aarch64
	[ "$(pin "$1" loader)" = musl ] || printf '%s\n' --platform "lambda-python$(pin "$1" python | cut -d. -f1,2)-$machine"
}

# shrunk NAME TREE OPTION...
shrunk() {
	local name=$1 tree=$2 options
	shift 2
	mapfile -t options < <(platform "$name")
	rm -rf "$tree"
	"$SOFOLD" shrink "${options[@]}" "$@" -o "$tree" "$CACHE/pristine/$name" >/dev/null
}

bytes_of() {
	find "$1" -type f -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }'
}

zipped() {
	rm -f "$BENCH/layer.zip"
	"$SOFOLD" pack "$1" -o "$BENCH/layer.zip" --lib-prefix python/ >/dev/null
	stat -c %s "$BENCH/layer.zip"
}

# size WHAT TREE
size() {
	printf '  %-44s %14s %14s %14s\n' "$1" "$(commas "$(native_bytes "$2" | cut -d' ' -f1)")" \
		"$(commas "$(bytes_of "$2")")" "$(commas "$(zipped "$2")")"
}

sizes() { # name
	local name=$1 tree=$BENCH/trimmed options
	printf '\n%s\n  %-44s %14s %14s %14s\n' "$name" '' native all zipped
	size untouched "$("$WHEELS/fetch.sh" "$name")"
	for options in '--only trim,strip' '--only trim,strip --level max' '--skip trim' '' '--level max'; do
		# shellcheck disable=SC2086  # words
		shrunk "$name" "$tree" $options
		size "shrink $options" "$tree"
	done
	rm -rf "$tree"
}

times() { # name
	local name=$1 python
	[ -z "$(pin "$name" loader)" ] || return 0
	python=$(python_for "$(pin "$name" python)") || {
		echo "  no Python $(pin "$name" python | cut -d. -f1,2) here"
		return 0
	}
	shrunk "$name" "$BENCH/stripped" --only strip
	shrunk "$name" "$BENCH/trimmed" --only trim,strip --level max
	PYTHONPATH=$(beside "$python") "$python" "$ROOT/tests/bench/trim.py" "$CACHE/pristine/$name" \
		"$BENCH/stripped" "$BENCH/trimmed"
	rm -rf "$BENCH/stripped" "$BENCH/trimmed"
}

[ -x "$SOFOLD" ] || die "no $SOFOLD: run make"
[ $# -gt 0 ] || set -- cp310 cp312 arm312
mkdir -p "$BENCH"
for name; do
	sizes "$name"
	times "$name"
done
