# shellcheck shell=bash disable=SC2154,SC2153 # run.sh and lib.sh have the variables
# A trimmed layer under its interpreter; sourced by run.sh.
#
# Why: whether a kernel that went was needed is known only when it is called.
# How: each check compares with the untouched layer, for each processor whose kernels this
# machine can run: single results bit by bit, test suites outcome by outcome.

# Results of every routine, for every kept core; under another's name they are Haswell's.
check_results() {
	local core
	for core in $(kept_cores "$(the_openblas "$before" scipy)"); do
		compare_results "$core" "$core"
	done
	for core in "$@"; do
		compare_results "$core" Haswell
	done
}

compare_results() { # name of the core, whose results
	answer "trim-results-$2" "$TRIM/results.py" -- results_of "$before" "$2" >"$work/results.before" ||
		die "$layer: results.py fails on the untouched layer as $2"
	[ "$(wc -l <"$work/results.before")" -ge 4000 ] ||
		die "$layer: only $(wc -l <"$work/results.before") results before as $2"
	results_of "$after" "$1" >"$work/results.after" || echo "exit status $?" >>"$work/results.after"
	same "$what: as $1, $(wc -l <"$work/results.before") results of BLAS and LAPACK are those of $2" \
		"$work/results.before" "$work/results.after"
}

# LAPACK writes of what it refuses to the same stdout; that is a result, too.
results_of() {
	OPENBLAS_CORETYPE=$2 in_layer "$1" "$python" -S "$TRIM/results.py" 2>/dev/null
}

# Every name OPENBLAS_CORETYPE knows chooses what it did, or Haswell.
check_core_names() {
	local package name library expected
	for package in numpy scipy; do
		library=$(the_openblas "$after" "$package") || continue
		for name in "${CORE_NAMES[@]}"; do
			expected=$(named_core "$(the_openblas "$before" "$package")" "$name")
			is_staying "$expected" || expected=Haswell
			echo "$name $expected" >&3
			echo "$name $(named_core "$library" "$name")"
		done 3>"$work/names.before" >"$work/names.after"
		same "$what: $package: ${#CORE_NAMES[@]} names choose what stays" "$work/names.before" "$work/names.after"
	done
}

# check_suites CORE WHOSE SUITE...: the same outcome of each test.
check_suites() {
	local core=$1 whose=$2
	shift 2
	answer "trim-suites-$whose" "$WHEELS/outcomes.py" "$@" -- suites_of "$before" "$whose" "$@" >"$work/suites.before" ||
		die "$layer: the suites do not run on the untouched layer"
	[ "$(wc -l <"$work/suites.before")" -ge 400 ] ||
		die "$layer: only $(wc -l <"$work/suites.before") tests before"
	suites_of "$after" "$core" "$@" >"$work/suites.after" || true
	same "$what: as $core, the same outcome of $(wc -l <"$work/suites.before") tests" \
		"$work/suites.before" "$work/suites.after"
}

suites_of() { # tree, core, suites
	local tree=$1 core=$2
	shift 2
	rm -f "$work/outcomes"
	(
		cd "$work"
		OPENBLAS_CORETYPE=$core SOFOLD_OUTCOMES=$work/outcomes in_layer "$tree" "$python" -m pytest \
			-p outcomes -p no:cacheprovider -p xdist -n "$JOBS" -q --tb=no --rootdir="$tree" --pyargs "$@" \
			>"$work/pytest.log" 2>&1 || [ $? -eq 1 ]
	) || { evidence "$work/pytest.log" >&2; return 1; }
	cat "$work/outcomes"
}

# check_imports [--together]
check_imports() {
	answer trim-imports "$WHEELS/import_probe.py" "$@" -- import_tree "$before" "$@" >"$work/imports.before"
	import_tree "$after" "$@" >"$work/imports.after" || true
	[ -s "$work/imports.before" ] || die "$layer: nothing can be imported before"
	same "$what: the same $(wc -l <"$work/imports.before") extension modules import" \
		"$work/imports.before" "$work/imports.after"
}

import_tree() {
	local tree=$1
	shift
	SOFOLD_PYCACHE=$ROOT/build/pycache/$layer in_layer "$tree" "$python" "$WHEELS/import_probe.py" "$tree" "$@" 2>/dev/null
}

# Every library of the wheels: see exports.py. $1 is the least number of names that go
# from each OpenBLAS, $2 that of kernels folded in each.
check_exports() {
	local library name
	for library in "$after"/*.libs/*.so*; do
		name=${library#"$after"/}
		case $name in
		*openblas*) exports_of "$library" "${STAYING[@]}" ;;
		*ilp64*) continue ;;
		*) exports_of "$library" ;;
		esac >"$work/exports" || true
		grep -v '^#' "$work/exports" >"$work/exports.bad" || true
		grep -q '^#' "$work/exports" || echo "exports.py did not finish" >>"$work/exports.bad"
		empty "$what: $name: $(sed -n 's/^# //p' "$work/exports")" "$work/exports.bad"
		[[ $name != *openblas* ]] || at_least "$what: $name" "$1" "$2"
	done
}

exports_of() { # library, cores
	local library=$1
	shift
	LD_LIBRARY_PATH=$(dirname "$library") OPENBLAS_NUM_THREADS=1 python3 "$TRIM/exports.py" \
		"$before/${library#"$after"/}" "$library" "$@" 2>&1
}

# at_least NAME GONE FOLDED: numbers in exports.py's last line.
at_least() {
	local gone folded
	read -r gone folded < <(sed -n 's/^# .* left, \([0-9]*\) gone, .* slots, \([0-9]*\) folded/\1 \2/p' "$work/exports")
	if [ "${gone:-0}" -ge "$2" ] && [ "${folded:-0}" -ge "$3" ]; then
		ok "$1: at least $2 names and $3 kernels went"
	else
		not_ok "$1: ${gone:-no} names and ${folded:-no} kernels went, expected $2 and $3"
	fi
}

# What each case of processes.py says and ends with, in any layer.
check_processes() {
	local case status said
	local raised='ZeroDivisionError KeyError ZeroDivisionError IndexError ValueError ZeroDivisionError True'
	local refused='LinAlgError LinAlgError LinAlgError TypeError ValueError ValueError ValueError TypeError'
	while read -r case said; do
		status=0
		process "$after" "$case" >"$work/process" 2>"$work/process.err" || status=$?
		case $case in
		at_exit) cat "$work/process.err" >>"$work/process" ;;
		crash) reported "$work/process.err" >>"$work/process" ;;
		esac
		equal "$what: $case" "$(xargs <"$work/process"), status $status" "$said"
	done <<-END
		fork True True, status 0
		threads True, status 0
		raise_through_lapack $raised, status 0
		errors $refused, status 0
		at_exit going, status 0
		at_exit going, status 0
		at_exit going, status 0
		crash crashing Fatal Python error: Segmentation fault in crash in <module>, status 139
	END
}

process() {
	THREADS=2 in_layer "$1" timeout 120 "$python" "$TRIM/processes.py" "$2"
}

# reported FILE: what faulthandler says, less the address of the thread.
reported() {
	sed -n -e '/^Fatal Python error/p' -e 's/^ *File .* in /  in /p' "$1"
}

# On processors the layer's platform does not have.
check_below() {
	local package library cpu expected status
	command -v qemu-x86_64 >/dev/null || { skip "$what: no qemu-x86_64"; return 0; }
	for package in numpy scipy; do
		library=$(the_openblas "$after" "$package") || continue
		for cpu in qemu64 Nehalem SandyBridge Haswell,-avx2 Haswell,-xsave; do
			status=0
			on_cpu "$cpu" "$library" >"$work/below" 2>&1 || status=$?
			equal "$what: $package on $cpu: exit status" "$status" 1
			contains "$what: $package on $cpu: the message" "$work/below" AVX2
		done
		for cpu in Haswell max EPYC; do
			expected=$(on_cpu "$cpu" "$(the_openblas "$before" "$package")" 2>/dev/null)
			is_staying "${expected%% *}" || expected="Haswell ${expected#* }"
			equal "$what: $package on $cpu" "$(on_cpu "$cpu" "$library" 2>/dev/null)" "$expected"
		done
	done
	# As users meet it.
	status=0
	in_layer "$after" qemu-x86_64 -cpu Nehalem "$python" -c 'import scipy.linalg' >"$work/below" 2>&1 || status=$?
	equal "$what: import on Nehalem: exit status" "$status" 1
	contains "$what: import on Nehalem: the message" "$work/below" AVX2
	in_layer "$before" qemu-x86_64 -cpu Nehalem "$python" -c 'import scipy.linalg' >"$work/below" 2>&1 ||
		die "$layer: the untouched layer does not import on Nehalem either"
}

on_cpu() {
	OPENBLAS_NUM_THREADS=1 LD_LIBRARY_PATH=$(dirname "$2") qemu-x86_64 -cpu "$1" "$ROOT/build/trim/core" "$2" 40
}

# sofold itself.
check_again() { # the options it was shrunk with
	local options status=0
	mapfile -t options < <(platform)
	"$SOFOLD" shrink --check "${options[@]}" "$@" "$after" >"$work/again" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		ok "$what: a second run changes nothing"
	else
		not_ok "$what: a second run, exit status $status"
		evidence "$work/again"
	fi
	status=0
	"$SOFOLD" verify "$after" >"$work/verify" 2>&1 || status=$?
	equal "$what: verify: exit status" "$status" 0
	python3 "$WHEELS/record_check.py" "$before" | sort >"$work/record.before"
	python3 "$WHEELS/record_check.py" "$after" | sort >"$work/record.after"
	comm -13 "$work/record.before" "$work/record.after" >"$work/record.new"
	empty "$what: RECORD agrees with the files" "$work/record.new"
}
