#!/bin/bash
# The end-to-end tier: the built program on layers made on the spot, judged by
# the real loaders, by Python and by the tools people use on ELF files.
#
#	B=build JOBS=2 tests/e2e/run.sh [FILE...]
#
# Every test_*.sh (and loader_rules.sh) runs as a process of its own in a
# temporary directory of its own. Their lines are printed as each one ends, and
# one line sums them all.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
B=$(cd "${B:-$here/../../build}" && pwd) || exit 3
export B
JOBS=${JOBS:-2}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'exit 1' HUP INT TERM

[ -x "$B/sofold" ] || {
	echo "run.sh: no $B/sofold; run make first" >&2
	exit 3
}
# The long ones first, so that nobody waits for them at the end.
[ $# -gt 0 ] || set -- "$here"/test_{malformed,tools,flips}.sh "$here/loader_rules.sh" \
	$(ls "$here"/test_*.sh | grep -v -e malformed -e tools -e flips)

# One file: its lines are printed in one piece, so that files do not mix. A
# script that ends without its sum counts as one failure.
run_one() {
	local name log start=$SECONDS
	name=$(basename "$1" .sh)
	log=$2/$name
	bash "$1" >"$log" 2>&1 || true
	grep -qE '^[0-9]+ passed, [0-9]+ failed' "$log" ||
		printf 'not ok %s: ended early\n0 passed, 1 failed\n' "$name" >>"$log"
	{
		flock 9
		echo "# $name ($((SECONDS - start)) s)"
		cat "$log"
	} 9>"$2/.lock"
}
export -f run_one

printf '%s\0' "$@" | xargs -0 -P "$JOBS" -I '{}' bash -c 'run_one "$1" "$2"' run_one '{}' "$logs"
cat "$logs"/* | awk '/^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3 }
	END { print p + 0 " passed, " f + 0 " failed"; exit f > 0 }'
