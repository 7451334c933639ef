#!/bin/bash
# The real-wheel tier: shrinks pinned layers and asks everyone else whether they still work.
#
# Why: sofold's own verification cannot vouch for itself. Here the layer's interpreter,
# the loaders of glibc and musl, numpy's and scipy's own test suites and the usual ELF
# tools judge the shrunk layer against the untouched one.
# How: `run.sh NAME...` (see fixtures/wheels). For each layer the functions named
# check_* below run in order; each prints "ok", "not ok" with evidence, or "skip" with
# the reason. Files stay in build/wheels/NAME for a look afterwards: `after` is the
# shrunk layer. What an untouched layer answers is kept in $SOFOLD_CACHE/answers,
# filed by everything it depends on.
set -euo pipefail
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/wheels/loader.sh
. "$WHEELS/loader.sh"
# shellcheck source=tests/wheels/qemu.sh
. "$WHEELS/qemu.sh"
# shellcheck source=tests/wheels/tools.sh
. "$WHEELS/tools.sh"

# One layer at a time; these say which. before and after are the two trees; emulator
# is what runs the interpreter, if anything does.
layer='' kind='' before='' after='' work='' python='' emulator=''

begin() {
	layer=$1 work=$ROOT/build/wheels/$1
	before=$("$WHEELS/fetch.sh" "$layer") || die "$layer: no untouched tree"
	after=$work/after
	kind=$(pin "$layer" loader)
	choose_python
	rm -rf "$work"
	mkdir -p "$work"
	find "$before" -printf '%P %y %s %T@ %l\n' | sort >"$work/untouched.list"
	echo "# $layer: $(grep -v '^#' "$FIXTURES/$layer.txt" | xargs)"
}

wants_python() {
	[ -z "$kind" ] || [ -n "$(pin "$layer" interpreter)" ]
}

# python is empty where nothing here can run the layer.
choose_python() {
	local version
	version=$(pin "$layer" python)
	python='' emulator=''
	if [ -n "$(pin "$layer" interpreter)" ]; then
		can_emulate || return 0
		python=$(emulated_python "$version") || die "$layer: no interpreter"
		emulator=$(emulator)
	elif wants_python; then
		python=$(python_for "$version" || true)
	fi
}

# in_layer TREE COMMAND...: COMMAND in the environment of someone who uses the layer.
in_layer() {
	local tree=$1
	shift
	PYTHONPATH=$(beside "$python"):$tree:$WHEELS PYTHONDONTWRITEBYTECODE=1 \
		OPENBLAS_NUM_THREADS=1 "$@"
}

check_identical() {
	local found
	found=$(identical_bytes "$before")
	[ "$found" = "$(pin "$layer" identical)" ] ||
		die "$layer: $found identical bytes, the pin file says $(pin "$layer" identical)"
	if "$SOFOLD" audit --format json "$before" >"$work/audit.json" 2>"$work/audit.err" &&
		python3 "$WHEELS/audit_check.py" "$work/audit.json" "$before" >"$work/audit.bad"; then
		ok "$layer: audit counts $(commas "$(pin "$layer" native)") native bytes, $(commas "$found") of them identical"
	else
		not_ok "$layer: audit"
		cat "$work/audit.err" "$work/audit.bad" >"$work/audit.why"
		evidence "$work/audit.why"
	fi
}

# What this layer is shrunk with, a line a word. Its own tests are what is asked
# afterwards, so none are pruned; tests/prune is about that pass.
shrink_options() {
	local key
	printf '%s\n' --skip prune
	for key in merge platform; do
		[ -z "$(pin "$layer" $key)" ] || printf '%s\n' "--$key" "$(pin "$layer" $key)"
	done
}

# Without a shrunk layer there is nothing to ask about.
check_shrink() {
	local options status=0
	mapfile -t options < <(shrink_options)
	"$SOFOLD" shrink "${options[@]}" -o "$after" "$before" >"$work/shrink.out" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		ok "$layer: shrink"
	else
		not_ok "$layer: shrink, exit status $status"
		evidence "$work/shrink.out"
		return 1
	fi
	find "$before" -printf '%P %y %s %T@ %l\n' | sort >"$work/untouched.again"
	same "$layer: shrink -o leaves the layer untouched" "$work/untouched.list" "$work/untouched.again"
}

check_size() {
	local size limit
	size=$(native_bytes "$after" | cut -d' ' -f1)
	limit=$(pin "$layer" at-most)
	if [ -z "$limit" ]; then
		echo "# $layer: $(commas "$(pin "$layer" native)") -> $(commas "$size") native bytes"
	elif [ "$size" -le "$limit" ]; then
		ok "$layer: $(commas "$(pin "$layer" native)") -> $(commas "$size") native bytes, at most $(commas "$limit")"
	else
		not_ok "$layer: $(commas "$size") native bytes, at most $(commas "$limit")"
	fi
}

# What the other passes come to by themselves.
check_size_unbridged() {
	local size limit
	limit=$(pin "$layer" at-most-unbridged)
	[ -n "$limit" ] || return 0
	size=$("$SOFOLD" shrink -n --skip prune,bridge --format json "$before" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["native_bytes_after"])')
	if [ "$size" -le "$limit" ]; then
		ok "$layer: $(commas "$size") native bytes without the bridge, at most $(commas "$limit")"
	else
		not_ok "$layer: $(commas "$size") native bytes without the bridge, at most $(commas "$limit")"
	fi
}

check_again() {
	local options
	mapfile -t options < <(shrink_options)
	"$SOFOLD" shrink "${options[@]}" -o "$work/again" "$after" >"$work/again.out" 2>&1 ||
		echo "exit status $?" >"$work/again.diff"
	diff -r "$after" "$work/again" >>"$work/again.diff" 2>&1 || true
	empty "$layer: a second shrink changes nothing" "$work/again.diff"
	rm -rf "$work/again"
}

check_verify() {
	if "$SOFOLD" verify "$after" >"$work/verify.out" 2>&1; then
		ok "$layer: verify"
	else
		not_ok "$layer: verify"
		evidence "$work/verify.out"
	fi
}

# verify --run must name the modules that import_probe.py finds. It keeps PYTHONPATH
# from its interpreter, so the packages beside the layer come by a virtual environment.
# It has a process for each module, which takes an emulated interpreter many minutes.
check_verify_run() {
	[ -n "$python" ] && [ -z "$emulator" ] || return 0
	"$python" -m venv --without-pip "$work/venv"
	beside "$python" >"$(echo "$work"/venv/lib/python*/site-packages)/beside.pth"
	"$SOFOLD" verify --run "$work/venv/bin/python" --format json "$after" \
		>"$work/verify.json" 2>"$work/verify.err" || [ $? -eq 1 ] ||
		evidence "$work/verify.err"
	python3 -c '
import json, re, sys
for module in json.load(sys.stdin)["modules"]:
    if module["imports"]:
        print(re.sub(r"\.[^/]*$", "", module["path"]).replace("/", "."))
' <"$work/verify.json" | LC_ALL=C sort >"$work/imports.verify"
	LC_ALL=C sort "$work/imports.after" >"$work/imports.probe"
	same "$layer: verify --run imports the same modules" "$work/imports.probe" "$work/imports.verify"
}

check_record() {
	python3 "$WHEELS/record_check.py" "$before" >"$work/record.before"
	python3 "$WHEELS/record_check.py" "$after" >"$work/record.after"
	new_complaints "$work/record.before" "$work/record.after" >"$work/record.new"
	empty "$layer: RECORD agrees with the files" "$work/record.new"
}

check_tools() {
	elflint_layer "$before" >"$work/elflint.before"
	elflint_layer "$after" >"$work/elflint.after"
	new_complaints "$work/elflint.before" "$work/elflint.after" >"$work/elflint.new"
	empty "$layer: eu-elflint says nothing new" "$work/elflint.new"
	readelf_layer "$before" >"$work/readelf.before"
	readelf_layer "$after" >"$work/readelf.after"
	new_complaints "$work/readelf.before" "$work/readelf.after" >"$work/readelf.new"
	empty "$layer: readelf says nothing new" "$work/readelf.new"
	patchelf_prints "$after" >"$work/patchelf.prints"
	empty "$layer: patchelf prints what is needed" "$work/patchelf.prints"
}

# What opens before opens after, and new paths open; then the same of copies that GNU
# strip and patchelf have been over. On today's untouched wheels that strip breaks
# OpenBLAS and libgfortran.
check_loads() {
	local on=${kind:-host} program=$work/loader
	if ! can_load "$on"; then
		skip "$layer: loading every object: no compiler or loader for $on"
		return
	fi
	make_loader "$on" "$before" "$program"
	load_all "$on" "$before" "$program" >"$work/load.before"
	compare_loads "every object opens" "$after" load
	changed_copy stripped strip_layer "$on"
	changed_copy patched patch_layer
}

compare_loads() {
	load_all "${kind:-host}" "$2" "$work/loader" >"$work/$3.after"
	# A failure is new unless this path failed before.
	sed -n 's/^fail \([^:]*\): .*/\1/p' "$work/load.before" >"$work/load.failed"
	sed -n 's/^fail //p' "$work/$3.after" |
		awk -F: 'NR == FNR { failed[$0]; next } !($1 in failed)' "$work/load.failed" - >"$work/$3.new"
	empty "$layer: $1 ($(grep -c '^ok' "$work/$3.after") do)" "$work/$3.new"
}

changed_copy() {
	local name=$1
	shift
	cp -a "$after" "$work/$name"
	"$@" "$work/$name" >"$work/$name.out" 2>&1
	empty "$layer: the tool says nothing, $name" "$work/$name.out"
	compare_loads "every object opens, $name" "$work/$name" "$name"
	rm -rf "${work:?}/$name"
}

check_imports() {
	[ -n "$python" ] || return 0
	answer imports "$WHEELS/import_probe.py" -- import_tree "$before" >"$work/imports.before"
	import_tree "$after" >"$work/imports.after"
	[ -s "$work/imports.before" ] || die "$layer: nothing can be imported before"
	same "$layer: the same $(wc -l <"$work/imports.before") extension modules import" \
		"$work/imports.before" "$work/imports.after"
}

import_tree() {
	local options=()
	[ -z "$emulator" ] || options=(--together)
	SOFOLD_PYCACHE=$ROOT/build/pycache/$layer in_layer "$1" "$python" "$WHEELS/import_probe.py" "$1" "${options[@]}"
}

check_suites() {
	local suites
	read -r -a suites <<<"$(pin "$layer" suites)"
	[ "${#suites[@]}" -gt 0 ] && [ -n "$python" ] || return 0
	answer suites "$WHEELS/outcomes.py" -- suites_of "$before" "${suites[@]}" >"$work/suites.before"
	suites_of "$after" "${suites[@]}" >"$work/suites.after"
	[ "$(wc -l <"$work/suites.before")" -ge 400 ] ||
		die "$layer: only $(wc -l <"$work/suites.before") tests before"
	same "$layer: ${suites[*]}: the same outcome of $(wc -l <"$work/suites.before") tests ($(outcomes_in_words "$work/suites.before"))" \
		"$work/suites.before" "$work/suites.after"
}

suites_of() {
	local tree=$1
	shift
	(
		cd "$work"
		SOFOLD_OUTCOMES=$work/outcomes in_layer "$tree" "$python" -m pytest -p outcomes \
			-p no:cacheprovider -p xdist -n "$JOBS" -q --tb=no --rootdir="$tree" --pyargs "$@" \
			>"$work/pytest.log" 2>&1 || [ $? -eq 1 ]
	) || { evidence "$work/pytest.log" >&2; return 1; }
	cat "$work/outcomes"
	rm "$work/outcomes"
}

outcomes_in_words() {
	cut -d' ' -f1 "$1" | sort | uniq -c | awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }'
}

check_work() {
	local script
	script=$(pin "$layer" work)
	[ -n "$script" ] && [ -n "$python" ] || return 0
	in_layer "$before" "$python" "$WHEELS/$script" >"$work/work.before" 2>"$work/work.err" ||
		die "$layer: $script fails on the untouched layer: $(tail -1 "$work/work.err")"
	in_layer "$after" "$python" "$WHEELS/$script" >"$work/work.after" 2>"$work/work.said" ||
		echo "exit status $?: $(tail -1 "$work/work.said")" >>"$work/work.after"
	sed -n '/Warning/s/^/# /p' "$work/work.said"
	same "$layer: $script computes the same" "$work/work.before" "$work/work.after"
}

# timed FUNCTION: runs it, and says how long it took if one would notice.
timed() {
	local started=$SECONDS status=0
	"$1" || status=$?
	[ $((SECONDS - started)) -lt 5 ] || echo "# $layer: $1: $((SECONDS - started)) s"
	return "$status"
}

run_layer() {
	local started=$SECONDS check
	begin "$1"
	timed check_identical
	timed check_shrink || return 0
	! wants_python || [ -n "$python" ] ||
		skip "$layer: imports, suites and work: no Python $(pin "$layer" python | cut -d. -f1,2) here"
	for check in size size_unbridged again verify record tools loads imports verify_run suites work; do
		timed "check_$check"
	done
	echo "# $layer: $((SECONDS - started)) s"
}

[ $# -gt 0 ] || die "usage: run.sh NAME... ($(layers | xargs))"
[ -x "$SOFOLD" ] || die "no $SOFOLD: run make"
for name; do
	run_layer "$name"
done
tally
