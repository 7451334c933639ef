#!/bin/bash
# The trim tier: layers whose kernels and exports nobody needs are cut out of the files.
#
# Why: code that was removed and needed shows when somebody calls it, on his processor.
# How: `run.sh quick|all|fixture|NAME...` (pin files in fixtures/wheels). A small OpenBLAS
# (fixtures/trim) and pinned layers are trimmed, really or with traps in place of what is
# dead, and asked the same questions as the untouched ones: results bit by bit, test suites,
# imports, other ELF tools, processors below the platform's, processes that fork, crash or
# end. quick is what CI runs. Each check prints "ok", "not ok" with evidence, or "skip".
# Trees stay in build/trim/NAME until the next run. SOFOLD is the program.
set -euo pipefail
export LC_ALL=C
# shellcheck source=tests/wheels/lib.sh
. "$(dirname "$0")/../wheels/lib.sh"
# shellcheck source=tests/wheels/loader.sh
. "$WHEELS/loader.sh"
# shellcheck source=tests/wheels/qemu.sh
. "$WHEELS/qemu.sh"
# shellcheck source=tests/wheels/tools.sh
. "$WHEELS/tools.sh"
# shellcheck source=tests/trim/lib.sh
. "$ROOT/tests/trim/lib.sh"
# shellcheck source=tests/trim/layers.sh
. "$TRIM/layers.sh"
# shellcheck source=tests/trim/files.sh
. "$TRIM/files.sh"
# shellcheck source=tests/trim/fixture.sh
. "$TRIM/fixture.sh"

SUITES=(numpy.linalg scipy.linalg)
FEW_SUITES=(numpy.linalg scipy.linalg.tests.test_decomp scipy.linalg.tests.test_lapack scipy.linalg.tests.test_blas)

# The programs that ask.
make_programs() {
	local flags=(-std=c17 -D_GNU_SOURCE -Wall -Wextra)
	mkdir -p "$ROOT/build/trim"
	cd "$ROOT/build/trim"
	# As gdb likes it.
	gcc "${flags[@]}" -g -O0 -o core "$TRIM/core.c" -ldl
	gcc "${flags[@]}" -o unwind "$TRIM/unwind.c" -ldl -pthread
	gcc -o load "$ROOT/tests/e2e/load.c" -ldl
	! command -v musl-gcc >/dev/null || musl-gcc -o load.musl "$ROOT/tests/e2e/load.c"
	! command -v aarch64-linux-gnu-gcc >/dev/null || aarch64-linux-gnu-gcc -o load.arm "$ROOT/tests/e2e/load.c" -ldl
	cd "$ROOT"
}

timed() {
	local started=$SECONDS status=0
	"$@" || status=$?
	[ $((SECONDS - started)) -lt 5 ] || echo "# ${what:-$layer}: $*: $((SECONDS - started)) s"
	return "$status"
}

# numpy's own arrays, whose tests have another name from 2.0 on.
multiarray() {
	[ -e "$before/numpy/_core/tests/test_multiarray.py" ] && echo numpy._core.tests.test_multiarray || echo numpy.core.tests.test_multiarray
}

# quick NAME [SUITE...]: what CI runs of a layer: with traps the suites, really trimmed the
# rest.
quick() {
	local core
	begin "$1"
	shift
	[ -n "$python" ] || { skip "$layer: no Python $(pin "$layer" python | cut -d. -f1,2) here"; return 0; }
	if timed trimmed poison --only trim,strip --level max --trim-poison; then
		timed check_results Nehalem
		[ $# -eq 0 ] || for core in Haswell SkylakeX; do
			! has_kept "$core" || timed check_suites "$core" "$core" "$@"
		done
	fi
	timed trimmed max --only trim,strip --level max || return 0
	timed check_exports 1000 0
	timed check_results Prescott Sandybridge
	timed check_core_names
	timed check_imports --together
	timed check_readers numpy.libs scipy.libs numpy/linalg scipy/linalg
	timed check_openblas_files
	timed check_processes
	timed check_below
	timed check_again --only trim,strip --level max
	timed trimmed default --only trim,strip || return 0
	timed check_exports 0 0
	timed check_results
	timed check_openblas_files
	timed check_again --only trim,strip
}

# Everything, at both levels.
whole() {
	local level core cores=()
	begin "$1"
	[ -n "$python" ] || { skip "$layer: no Python $(pin "$layer" python | cut -d. -f1,2) here"; return 0; }
	mapfile -t cores < <(kept_cores "$(the_openblas "$before" scipy)")
	for level in default max; do
		if timed trimmed "$level-poison" --only trim,strip --level "$level" --trim-poison; then
			timed check_results Nehalem
			for core in "${cores[@]}"; do
				timed check_suites "$core" "$core" "${SUITES[@]}" "$(multiarray)"
			done
		fi
		timed trimmed "$level" --only trim,strip --level "$level" || continue
		timed check_exports "$([ "$level" = max ] && echo 1000 || echo 0)" 0
		timed check_results Prescott Nehalem Sandybridge Bulldozer
		timed check_core_names
		timed check_imports
		timed check_readers
		timed check_loads
		timed check_openblas_files
		timed check_processes
		timed check_below
		timed check_again --only trim,strip --level "$level"
		for core in "${cores[@]}"; do
			timed check_suites "$core" "$core" "${SUITES[@]}" "$(multiarray)"
		done
		timed check_suites Nehalem Haswell "${SUITES[@]}"
	done
	bridged "${cores[@]}"
}

# With all passes: one OpenBLAS, which two packages and the bridge import from.
bridged() {
	local core
	timed trimmed bridged --skip prune --level max || return 0
	for core; do
		timed check_suites "$core" "$core" "${FEW_SUITES[@]}"
	done
	timed check_processes
	timed check_imports
	timed check_again --skip prune --level max
}

# Layers whose loader is not the host's.
foreign() {
	local level
	begin "$1"
	for level in default max; do
		timed trimmed "$level" --only trim,strip --level "$level" || continue
		timed check_loads
		timed check_readers
		timed check_openblas_files
		timed check_again --only trim,strip --level "$level"
		[ -n "$python" ] || continue
		timed check_imports --together
		foreign_results
	done
	if [ -n "$python" ] && timed trimmed poison --only trim,strip --level max --trim-poison; then
		foreign_results
	fi
}

# Two of the kept cores of aarch64, and one that goes and is served by the plain one.
foreign_results() {
	timed compare_results NEOVERSEN1 NEOVERSEN1
	timed compare_results ARMV8 ARMV8
	timed compare_results CORTEXA57 ARMV8
}

layer_of() {
	case $1 in
	quick-*) quick "${1#quick-}" "${FEW_SUITES[@]}" ;;
	arm* | musl*) foreign "$1" ;;
	*) whole "$1" ;;
	esac
}

[ -x "$SOFOLD" ] || die "no $SOFOLD: run make"
[ $# -gt 0 ] || die "usage: run.sh quick|all|fixture|NAME..."
make_programs
for part; do
	case $part in
	fixture) timed check_fixtures ;;
	quick)
		timed check_fixtures
		quick cp310 "${FEW_SUITES[@]}" || true
		quick cp312 || true
		;;
	all)
		timed check_fixtures
		for name in cp310 cp312 musl312 arm312 arm311; do
			layer_of "$name" || true
		done
		;;
	*) layer_of "$part" || true ;;
	esac
done
tally
