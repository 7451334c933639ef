#!/bin/bash
# The demonstration: numpy, scipy and pandas of today, before and after.
#
# Why: shows in a minute what sofold does to a real layer, on this machine.
# How: `PYTHON=python3 demo.sh`. Installs the three packages with what they need into
# build/demo/layer, audits, shrinks to build/demo/shrunk, and lets the interpreter
# compute with the result. The layer of an earlier run is used again.
set -euo pipefail
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "$0")/lib.sh"

PYTHON=${PYTHON:-python3}
DEMO=$ROOT/build/demo

install_packages() {
	[ ! -d "$DEMO/layer" ] || return 0
	rm -rf "$DEMO/layer.new"
	mkdir -p "$DEMO"
	PIP_ROOT_USER_ACTION=ignore "$PYTHON" -m pip install --quiet --disable-pip-version-check \
		--no-compile --only-binary=:all: --no-warn-conflicts --target "$DEMO/layer.new" numpy scipy pandas
	mv "$DEMO/layer.new" "$DEMO/layer"
}

title() {
	printf '\n== %s\n' "$*"
}

bytes_of() {
	find "$1" -type f -printf '%s\n' | awk '{ s += $1 } END { print s }'
}

line() {
	printf '%-22s %15s %15s  %5.1f %%\n' "$1" "$(commas "$2")" "$(commas "$3")" \
		"$(awk -v a="$2" -v b="$3" 'BEGIN { print 100 * (b - a) / a }')"
}

title "pip install --target build/demo/layer numpy scipy pandas"
install_packages
cd "$DEMO"
title "sofold audit layer"
"$SOFOLD" audit layer
title "sofold shrink -o shrunk layer"
rm -rf shrunk
"$SOFOLD" shrink -o shrunk layer
title "$PYTHON, with the shrunk layer"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$DEMO/shrunk "$PYTHON" "$WHEELS/demo_check.py"
title "bytes"
printf '%-22s %15s %15s\n' '' before after
line "layer" "$(bytes_of layer)" "$(bytes_of shrunk)"
line "native files" "$(native_bytes layer | cut -d' ' -f1)" "$(native_bytes shrunk | cut -d' ' -f1)"
