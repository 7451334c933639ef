#!/bin/bash
# Times `sofold pack` against `zip -9 -r` on the same tree, and compares sizes.
#
# Why: libdeflate does more work for each byte than zlib at 9; whether all
# cores together make up for it is a ratio on one machine. Gives no verdict.
# How: `pack.sh [NAME...]`, on the layers of fixtures/wheels named, or on two. Medians of
# RUNS runs by hyperfine, both with a warm cache.
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../wheels/lib.sh"

BENCH=${BENCH:-$ROOT/build/bench}

pack_row() {
	awk -v what="$1" -v t="$2" -v own="$3" -v bytes="$4" -v least="$5" 'BEGIN {
		printf "  %-40s %8.3f s  %6.2f x  %12d bytes  %.3f x\n", what, t, t / own, bytes, bytes / least }'
}

bench_pack() {
	local tree=$1 csv=$BENCH/pack.csv times sizes
	mkdir -p "$BENCH"
	hyperfine --style none --runs "${RUNS:-3}" --export-csv "$csv" --output null \
		--prepare "rm -f '$BENCH/own.zip'" "'$SOFOLD' pack -q '$tree' -o '$BENCH/own.zip'" \
		--prepare "rm -f '$BENCH/zip.zip'" "cd '$tree' && zip -9 -q -r '$BENCH/zip.zip' ." >/dev/null 2>&1
	mapfile -t times < <(awk -F, 'NR > 1 { print $(NF - 4) }' "$csv")
	mapfile -t sizes < <(stat -c %s "$BENCH/own.zip" "$BENCH/zip.zip")
	pack_row "sofold pack" "${times[0]}" "${times[0]}" "${sizes[0]}" "${sizes[0]}"
	pack_row "zip -9 -r" "${times[1]}" "${times[0]}" "${sizes[1]}" "${sizes[0]}"
	rm -f "$BENCH"/{own,zip}.zip
}

main() {
	local name
	[ -x "$SOFOLD" ] || die "no $SOFOLD: run make"
	[ $# -gt 0 ] || set -- cp310 cp312
	echo "medians of ${RUNS:-3} runs, warm cache, $JOBS cores; x: times sofold"
	for name; do
		printf '\n%s\n' "$name"
		bench_pack "$("$WHEELS/fetch.sh" "$name")"
	done
}

# Sourced, it only defines bench_pack.
[ "${BASH_SOURCE[0]}" != "$0" ] || {
	set -euo pipefail
	main "$@"
}
