#!/bin/bash
# The prune tier: shrinks pinned layers at each level and asks whether what is left works.
#
# Why: a rule that removes a file too many shows when a user calls the function that needs
# it, weeks later. So real work is done before and after, every module that is left is
# imported, and a second reader (oracle.py) follows all import statements.
# How: `run.sh [NAME...]` (pin files in fixtures/wheels). PRUNE_LEVELS says which levels
# (safe default max). For each layer and level the functions named check_* run in order; each
# prints "ok", "not ok" with evidence, or "skip". Trees stay in build/prune/NAME-LEVEL until
# the next run. The interpreter runs with -S, so that nothing but the layer is found.
# SOFOLD is the program.
set -euo pipefail
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "$0")/../wheels/lib.sh"

PRUNE=$ROOT/tests/prune
LEVELS=${PRUNE_LEVELS:-safe default max}

# One layer at a time; these say which.
layer='' level='' before='' after='' work='' python='' path_end=''

begin() {
	layer=$1 level=$2 work=$ROOT/build/prune/$1-$2
	before=$("$WHEELS/fetch.sh" "$layer") || die "$layer: no untouched tree"
	after=$work/after
	python=$(python_for "$(pin "$layer" python)") || return 1
	# The older pin files leave the pure Python packages out.
	path_end=''
	[ -d "$before/dateutil" ] || path_end=:$(beside "$python")
	rm -rf "$work"
	mkdir -p "$work"
}

bytes_of() {
	find "$1" -type f -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }'
}

# in_layer TREE ARGUMENT...: the interpreter, with TREE and what a user adds.
in_layer() {
	local tree=$1
	shift
	PYTHONPATH=$tree$path_end PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=2 "$python" -S "$@"
}

# Any recent interpreter reads the source of all of them.
oracle() {
	"$(pip_python)" -W ignore "$PRUNE/oracle.py" "$@"
}

# shrunk NAME TREE OPTION...: a shrunk copy of the layer.
shrunk() {
	local name=$1 tree=$2 status=0
	shift 2
	"$SOFOLD" shrink "$@" -o "$tree" "$before" >"$work/shrink.out" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		ok "$layer $level: $name: $(commas "$(bytes_of "$before")") -> $(commas "$(bytes_of "$tree")") bytes"
	else
		not_ok "$layer $level: $name, exit status $status"
		evidence "$work/shrink.out"
	fi
	return "$status"
}

# What the level promises to be gone. WORD is how a failure names it.
check_gone() {
	local names=(-path '*/tests/test_*.py' -o -path './scipy/misc/*.dat' -o -path './*/pyproject.toml')
	case $level in
	default) names+=(-o -name '_simd.*.so' -o -path '*/include/numpy/*.h' -o -name '*.pxd') ;;
	max) names+=(-o -name '_simd.*.so' -o -path '*/include/numpy/*.h' -o -name '*.pxd') ;;
	esac
	(cd "$after" && find . -type f \( "${names[@]}" \)) >"$work/left"
	empty "$layer $level: no test suites, and at default no headers, are left" "$work/left"
}

# Sizes that are promised, in bytes of all files.
check_size() {
	local most=''
	case $layer-$level in
	cp310-default) most=143500000 ;;
	cp312-default) most=130500000 ;;
	esac
	[ -n "$most" ] || return 0
	if [ "$(bytes_of "$after")" -le "$most" ]; then
		ok "$layer $level: at most $(commas "$most") bytes"
	else
		not_ok "$layer $level: $(commas "$(bytes_of "$after")") bytes, at most $(commas "$most")"
	fi
}

check_oracle() {
	oracle "$before" "$after" >"$work/oracle" || true
	empty "$layer $level: whatever kept files import is there" "$work/oracle"
}

# Licences, versions and entry points outlive every level that keeps the directories.
check_metadata() {
	[ "$level" != max ] || return 0
	diff <(metadata_files "$before") <(metadata_files "$after") >"$work/metadata" || true
	empty "$layer $level: METADATA, RECORD, entry_points.txt and licences of every wheel stay" "$work/metadata"
}

metadata_files() {
	(cd "$1" && find . -path '*.dist-info/*' -type f \( -name METADATA -o -name RECORD -o -name entry_points.txt \
		-o -ipath '*licen*' -o -iname '*copying*' -o -iname '*notice*' \) | sort)
}

# Hashes and sizes of what is listed, and no row of what is gone.
check_record() {
	[ -n "$(find "$after" -maxdepth 2 -path '*.dist-info/RECORD' -print -quit)" ] || return 0
	python3 "$WHEELS/record_check.py" "$before" | sort >"$work/record.before"
	python3 "$WHEELS/record_check.py" "$after" | sort >"$work/record.after"
	comm -13 "$work/record.before" "$work/record.after" >"$work/record.new"
	empty "$layer $level: RECORD lists what is there, with its hash and size" "$work/record.new"
}

# The same names are tried in both trees: those that are left in the shrunk one.
check_import_all() {
	in_layer "$before" "$PRUNE/import_all.py" "$after" >"$work/imports.before" 2>"$work/imports.err" ||
		die "$layer: import_all.py: $(tail -1 "$work/imports.err")"
	in_layer "$after" "$PRUNE/import_all.py" "$after" >"$work/imports.after" 2>"$work/imports.err" ||
		echo "exit status $?: $(tail -1 "$work/imports.err")" >>"$work/imports.after"
	same "$layer $level: the same of $(wc -l <"$work/imports.before") Python modules import" \
		"$work/imports.before" "$work/imports.after"
}

# Extension modules one by one, each in a process of its own; those that went are left out.
# The untouched layer is asked once for all levels.
check_import_probe() {
	local once=$ROOT/build/prune/probe-$layer
	[ -s "$once" ] || { import_probe "$before" | sort >"$once.new" && mv "$once.new" "$once"; }
	import_probe "$after" | sort >"$work/probe.after"
	(cd "$after" && find . -name '*.so' -printf '%P\n' | sed -e 's/\..*//' -e 's|/|.|g' | sort) >"$work/probe.kept"
	comm -12 "$once" "$work/probe.kept" >"$work/probe.wanted"
	same "$layer $level: the same $(wc -l <"$work/probe.wanted") extension modules import" \
		"$work/probe.wanted" "$work/probe.after"
}

import_probe() {
	SOFOLD_PYCACHE=$ROOT/build/pycache/$layer in_layer "$1" "$WHEELS/import_probe.py" "$1"
}

# works SCRIPT ARGUMENT...: the script says the same in both trees. Lines that start with
# "# " are about the layer, not about its work.
works() {
	local script=$1 name
	shift
	name=${script%.py}
	in_layer "$before" "$PRUNE/$script" "$@" >"$work/$name.before" 2>"$work/$name.err" ||
		die "$layer: $script fails on the untouched layer: $(tail -1 "$work/$name.before" "$work/$name.err")"
	in_layer "$after" "$PRUNE/$script" "$@" >"$work/$name.after" 2>"$work/$name.err" ||
		echo "exit status $?: $(tail -1 "$work/$name.err")" >>"$work/$name.after"
	grep -v '^# ' "$work/$name.before" >"$work/$name.wanted" || true
	grep -v '^# ' "$work/$name.after" >"$work/$name.said" || true
	same "$layer $level: $script computes the same ($(wc -l <"$work/$name.wanted") checks)" \
		"$work/$name.wanted" "$work/$name.said"
}

check_work() {
	case $layer in
	boto) works work_boto.py s3 dynamodb sts sqs lambda ;;
	*) works work_science.py ;;
	esac
	[ ! -d "$before/sklearn" ] || works work_ml.py
}

# A second run finds nothing to do.
check_again() {
	local status=0
	"$SOFOLD" shrink --check --level "$level" "$after" >"$work/again" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		ok "$layer $level: a second run changes nothing"
	else
		not_ok "$layer $level: a second run, exit status $status"
		evidence "$work/again"
	fi
}

# What judges the others must itself find what is missing.
check_the_oracle() {
	mkdir -p "$ROOT/build/prune"
	if "$(pip_python)" "$PRUNE/oracle_test.py" >"$ROOT/build/prune/oracle_test"; then
		ok "oracle: $(tail -1 "$ROOT/build/prune/oracle_test")"
	else
		not_ok "oracle"
		evidence "$ROOT/build/prune/oracle_test" 60
	fi
}

# timed FUNCTION: runs it, and says how long it took if one would notice.
timed() {
	local started=$SECONDS status=0
	"$1" || status=$?
	[ $((SECONDS - started)) -lt 10 ] || echo "# $layer $level: $1: $((SECONDS - started)) s"
	return "$status"
}

run_layer() {
	local check
	if ! begin "$1" "$2"; then
		skip "$layer: no Python $(pin "$layer" python | cut -d. -f1,2) here"
		return 0
	fi
	shrunk "shrink --level $level" "$after" --level "$level" || return 0
	for check in gone size oracle metadata record import_all import_probe work again; do
		timed "check_$check"
	done
	rm -rf "$after"
}

# The services that are named work, all others are unknown, and the data is small.
run_services() {
	local services=$1 most=$2 size
	begin boto "services-$services" || return 0
	shrunk "--botocore-services $services" "$after" --botocore-services "$services" || return 0
	# shellcheck disable=SC2086  # one word a service
	works work_boto.py ${services//,/ }
	grep '^# ' "$work/work_boto.after" | grep -v ': unknown$' >"$work/others" || true
	empty "$layer $level: the other services are unknown" "$work/others"
	check_oracle
	check_record
	check_import_all
	size=$(bytes_of "$after/botocore/data")
	if [ "$size" -lt "$most" ]; then
		ok "$layer $level: botocore/data has $(commas "$size") bytes, fewer than $(commas "$most")"
	else
		not_ok "$layer $level: botocore/data has $(commas "$size") bytes, not fewer than $(commas "$most")"
	fi
	rm -rf "$after"
}

# Every module that is left has bytecode, valid whatever the files' times say, and needs no
# source to be read; the work is the same.
run_bytecode() {
	begin "$1" bytecode || return 0
	shrunk "--bytecode compile" "$after" --bytecode compile --python "$python" || return 0
	"$python" -S "$PRUNE/bytecode_check.py" "$after" >"$work/bytecode" 2>&1 || true
	empty "$layer $level: every module has bytecode that this interpreter takes" "$work/bytecode"
	check_work
	rm -rf "$after"
}

[ -x "$SOFOLD" ] || die "no $SOFOLD: run make"
[ $# -gt 0 ] || set -- ml126 ml22 ml24 cp310 cp312 boto
check_the_oracle
for name; do
	rm -f "$ROOT/build/prune/probe-$name"
	for one in $LEVELS; do
		run_layer "$name" "$one"
	done
	if [ "$name" = boto ]; then
		run_services s3 1500000
		run_services s3,dynamodb 1700000
	fi
	run_bytecode "$name"
done
tally
