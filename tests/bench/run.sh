#!/bin/bash
# Times sofold against what people run today on the same tree.
#
# Why: whether it is fast enough for every build is a matter of ratios on one machine,
# in one run; the figures themselves mean little elsewhere. Gives no verdict.
# How: `run.sh [NAME...]`, on the layers of fixtures/wheels named, or on four. hyperfine
# runs the commands of one comparison, after a warm-up; the table shows medians. Commands
# of some milliseconds take turns: one after the other's ten runs, a busy moment of the
# machine falls on one side of a ratio, which then differs by a third from run to run.
#   audit   against jdupes -r and scanelf -R together, and find -type f -printf %s;
#           --format json besides, which also has the SHA-256 of every copy
#   shrink  --only dedupe,strip, in place on a fresh copy (copied and synced untimed),
#           against strip over every .so, one call a file as the recipes in use have it
#           (serverless-python-requirements, aws-sdk-pandas), and patchelf --set-rpath
#           over the objects whose names or search path shrink edits
# shrink also verifies, syncs and hashes (for RECORD) what it writes, which the others
# do not. Used copies stay until the end: ext4 gives out no inode that was freed in the
# last minutes, and looks at each of them whenever somebody creates a file. They leave the
# page cache: on a virtual machine new memory may cost ten times what used memory does.
# At the end bridge.sh compares numpy in an untouched and in a shrunk layer, and pack.sh
# compares pack with zip.
set -euo pipefail
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "$0")/../wheels/lib.sh"
# shellcheck source=tests/wheels/tools.sh
. "$WHEELS/tools.sh"

BENCH=$ROOT/build/bench
RUNS=${RUNS:-10}
SHRINK_RUNS=${SHRINK_RUNS:-5} # each leaves two copies of the layer on the disk

# medians CSV: one number a command, in order.
medians() {
	awk -F, 'NR > 1 { print $(NF - 4) }' "$1"
}

peak() {
	/usr/bin/time -f %M -o "$BENCH/peak" "$@" >/dev/null 2>&1 || true
	tail -1 "$BENCH/peak"
}

row() {
	local megabytes=''
	[ -z "${4:-}" ] || megabytes="$(awk -v k="$4" 'BEGIN { printf "%.0f MB peak", k / 1024 }')"
	awk -v what="$1" -v t="$2" -v own="$3" -v memory="$megabytes" \
		'BEGIN { printf "  %-40s %8.3f s  %6.2f x  %s\n", what, t, t / own, memory }'
}

# in_turn COMMAND...: medians, one number a command, of RUNS rounds behind one that warms up.
in_turn() {
	local csv=$BENCH/round.csv rounds=$BENCH/rounds i
	: >"$rounds"
	for ((i = 0; i <= RUNS; i++)); do
		hyperfine -N --style none --runs 1 --export-csv "$csv" --output null "$@" >/dev/null 2>&1
		[ "$i" -eq 0 ] || medians "$csv" | paste -sd ' ' >>"$rounds"
	done
	for ((i = 1; i <= $#; i++)); do
		cut -d ' ' -f "$i" "$rounds" | sort -g |
			awk '{ t[NR] = $1 } END { print (t[int((NR + 1) / 2)] + t[int(NR / 2) + 1]) / 2 }'
	done
}

bench_audit() {
	local tree=$1 times
	mapfile -t times < <(in_turn "$SOFOLD audit $tree" "$SOFOLD audit --format json $tree" \
		"jdupes -q -r $tree" "scanelf -q -R $tree" "find $tree -type f -printf %s\\n")
	row "sofold audit" "${times[0]}" "${times[0]}" "$(peak "$SOFOLD" audit "$tree")"
	row "sofold audit --format json" "${times[1]}" "${times[0]}" "$(peak "$SOFOLD" audit -f json "$tree")"
	row "jdupes -r, scanelf -R" "$(awk "BEGIN { print ${times[2]} + ${times[3]} }")" "${times[0]}" \
		"$(peak jdupes -q -r "$tree")"
	row "find -type f -printf %s" "${times[4]}" "${times[0]}"
}

# names_of DIR: "PATH NEEDED... PATHTAG" of every object.
names_of() {
	objects_of "$1" | while IFS= read -r path; do
		echo "$path $(readelf -dW "$1/$path" | sed -n 's/.*(\(NEEDED\|R[UN]*PATH\)).*\[\(.*\)\]/\1=\2/p' | xargs)"
	done
}

# edited BEFORE AFTER: "PATH SEARCH-PATH" of each object that was relinked.
edited() {
	awk 'NR == FNR { before[$0]; next } !($0 in before) {
		for (i = 2; i <= NF; i++) if ($i ~ /^R[UN]*PATH=/) { sub(/^[^=]*=/, "", $i); print $1, $i } }' \
		<(names_of "$1") <(names_of "$2")
}

# write_by_hand BEFORE AFTER SCRIPT: what people would run for the same result.
write_by_hand() {
	# shellcheck disable=SC2016  # $1 is for the script that is written
	{
		echo 'cd "$1" && find . -name "*.so*" -type f -exec strip {} \;'
		edited "$1" "$2" | while read -r path search; do
			echo "patchelf --force-rpath --set-rpath '$search' '$path'"
		done
	} >"$3"
}

# write_fresh TREE COPY: puts the used copy aside, out of the page cache, and makes another.
write_fresh() {
	cat <<-END
		if [ -e '$2' ]; then
			used=\$(mktemp -d '$BENCH/used/XXXXXX')
			mv '$2' "\$used"
			sync
			find "\$used" -name '*.so*' -type f -exec dd if={} iflag=nocache count=0 status=none \;
		fi
		cp -a '$1' '$2' && sync
	END
}

bench_shrink() {
	local tree=$1 copy=$BENCH/copy csv=$BENCH/shrink.csv by_hand=$BENCH/by_hand.sh fresh=$BENCH/fresh.sh times
	rm -rf "$BENCH/after" # not made by a timed run
	"$SOFOLD" shrink --only dedupe,strip -o "$BENCH/after" "$tree" >/dev/null
	write_by_hand "$tree" "$BENCH/after" "$by_hand"
	mkdir -p "$BENCH/used"
	write_fresh "$tree" "$copy" >"$fresh"
	hyperfine -N --style none --warmup 1 --runs "$SHRINK_RUNS" --ignore-failure --export-csv "$csv" --output null \
		--prepare "sh $fresh" "$SOFOLD shrink --only dedupe,strip $copy" \
		--prepare "sh $fresh" "sh $by_hand $copy" >/dev/null 2>&1
	mapfile -t times < <(medians "$csv")
	sh "$fresh"
	row "sofold shrink --only dedupe,strip" "${times[0]}" "${times[0]}" \
		"$(peak "$SOFOLD" shrink --only dedupe,strip "$copy")"
	sh "$fresh"
	row "strip, patchelf on $(($(wc -l <"$by_hand") - 1)) objects" "${times[1]}" "${times[0]}" \
		"$(peak sh "$by_hand" "$copy")"
	bytes_row "bytes before" "$tree"
	bytes_row "bytes after strip and patchelf" "$copy"
	bytes_row "bytes after sofold shrink" "$BENCH/after"
}

bytes_row() {
	printf '  %-40s %15s\n' "$1" "$(commas "$(native_bytes "$2" | cut -d' ' -f1)")"
}

bench() {
	local tree
	tree=$("$WHEELS/fetch.sh" "$1")
	printf '\n%s: %s\n' "$1" "$(grep -v '^#' "$FIXTURES/$1.txt" | xargs)"
	bench_audit "$tree"
	bench_shrink "$tree"
}

[ -x "$SOFOLD" ] || die "no $SOFOLD: run make"
[ $# -gt 0 ] || set -- cp36 cp38 cp310 cp312
mkdir -p "$BENCH"
echo "medians of $RUNS runs ($SHRINK_RUNS of shrink), warm cache, $JOBS cores; x: times sofold"
for name; do
	bench "$name"
done
rm -rf "$BENCH/copy" "$BENCH/used" "$BENCH/after"
for name; do
	case $name in
	cp310 | cp312)
		"$ROOT/tests/bench/bridge.sh" "$name"
		"$ROOT/tests/bench/pack.sh" "$name"
		;;
	esac
done
