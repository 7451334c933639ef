#!/bin/bash
# Makes, or reuses, the untouched trees that the wheel tests start from.
#
# Why: the tests need the real wheels, at pinned versions, on any machine, and
# must never work on half a download.
# How: `fetch.sh NAME...` installs each layer of fixtures/wheels beside its final
# place, compares the native bytes with the pin file, and renames it there. A tree
# that is already in $SOFOLD_CACHE/pristine is checked the same way and kept.
# Prints the directory of each layer.
#
# Any recent pip can install for any interpreter: the wheels are chosen by tag, and
# Requires-Python, which pip compares with its own interpreter, is left out.
set -euo pipefail
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "$0")/lib.sh"

install_layer() {
	local name=$1 target=$2 arguments=() platform
	for platform in $(pin "$name" platforms); do
		arguments+=(--platform "$platform")
	done
	"$(pip_python)" -m pip install --quiet --disable-pip-version-check \
		--root-user-action=ignore --no-compile --no-deps --ignore-requires-python \
		--only-binary=:all: --implementation cp --python-version "$(pin "$name" python)" \
		"${arguments[@]}" --target "$target" -r "$FIXTURES/$name.txt" >&2
}

is_complete() {
	[ -d "$2" ] && [ "$(native_bytes "$2")" = "$(pin "$1" native) $(pin "$1" objects)" ]
}

# Runs in a subshell, so that its trap ends with it.
fetch() (
	name=$1 final=$CACHE/pristine/$1
	mkdir -p "$CACHE/pristine"
	exec 9>"$CACHE/pristine/.lock"
	flock 9
	if ! is_complete "$name" "$final"; then
		fresh=$(mktemp -d "$CACHE/pristine/.$name.XXXXXX")
		trap 'rm -rf "$fresh"' EXIT
		echo "fetching $name" >&2
		install_layer "$name" "$fresh" || die "$name: pip could not install it"
		is_complete "$name" "$fresh" ||
			die "$name: $(native_bytes "$fresh") native bytes and objects, expected $(pin "$name" native) $(pin "$name" objects)"
		chmod 755 "$fresh"
		rm -rf "$final"
		mv "$fresh" "$final"
	fi
	echo "$final"
)

[ $# -gt 0 ] || die "usage: fetch.sh NAME... ($(layers | xargs))"
for name; do
	fetch "$name"
done
