#!/bin/bash
# Measures what the OpenBLAS bridge costs and saves at run time.
#
# Why: a bridged layer has one OpenBLAS, with one pool of threads, and one more call
# between numpy and it. What both come to is a ratio on one machine. Gives no verdict.
# How: `bridge.sh [NAME...]`, on the layers of fixtures/wheels named, or on two.
# bridge.py runs in the layer's interpreter, with the untouched and the shrunk tree.
set -euo pipefail
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "$0")/../wheels/lib.sh"

BENCH=$ROOT/build/bench
POOLS=threadpoolctl==3.5.0

# pools: a directory with threadpoolctl, which is pure Python, outside every layer.
pools() {
	local final=$CACHE/beside/$POOLS fresh
	if [ ! -d "$final" ]; then
		mkdir -p "$CACHE/beside"
		fresh=$(mktemp -d "$CACHE/beside/.pools.XXXXXX")
		PIP_ROOT_USER_ACTION=ignore "$(pip_python)" -m pip install --quiet --disable-pip-version-check \
			--no-compile --no-deps --only-binary=:all: --target "$fresh" "$POOLS" >&2 ||
			die "could not install $POOLS"
		mv "$fresh" "$final"
	fi
	echo "$final"
}

bridge() {
	local tree python
	tree=$("$WHEELS/fetch.sh" "$1")
	printf '\n%s: numpy with an OpenBLAS of its own, and with that of scipy\n' "$1"
	python=$(python_for "$(pin "$1" python)") || {
		echo "  no Python $(pin "$1" python | cut -d. -f1,2) here"
		return 0
	}
	rm -rf "$BENCH/bridged"
	"$SOFOLD" shrink -o "$BENCH/bridged" "$tree" >/dev/null
	PYTHONPATH=$(pools) "$python" "$ROOT/tests/bench/bridge.py" "$tree" "$BENCH/bridged"
	rm -rf "$BENCH/bridged"
}

[ -x "$SOFOLD" ] || die "no $SOFOLD: run make"
[ $# -gt 0 ] || set -- cp310 cp312
mkdir -p "$BENCH"
for name; do
	bridge "$name"
done
