#!/bin/bash
# Code that cannot run is cut out, and what can runs as before: the small OpenBLAS of
# fixtures/trim and its user, on this processor and, where there is an emulator, on others.
. "$(dirname "$0")/lib.sh"
unset OPENBLAS_CORETYPE || true

LIBRARY=one.libs/libopenblas-11111111.so
LAMBDA="--platform lambda-python3.12-x86_64"
STAY="Haswell Zen SkylakeX Cooperlake"
GO="Prescott Nehalem Sandybridge"

# layer TREE: compiled once.
layer() {
	[ "$(uname -m)" = x86_64 ] || skip "kernels of x86-64"
	[ -d "$work/untouched" ] || "$TOP/fixtures/trim/build.sh" "$CC" "$work/untouched"
	cp -a "$work/untouched" "$1"
}

# asked TREE CORE: what the user of the library computes with the kernels of a core.
asked() {
	OPENBLAS_CORETYPE=$2 load "$1/one/ask.so"
}

# computes TREE CORE OTHER: as the untouched library does with OTHER.
computes() {
	is "$2" "$(asked "$1" "$2")" "$(asked "$work/untouched" "$3")"
}

all_compute() {
	local core
	for core in $STAY ''; do
		computes "$1" "$core" "$core"
	done
	for core in $GO; do
		computes "$1" "$core" "${2:-$core}"
	done
}

# exports FILE NAME: 1 or 0.
exports() {
	nm -D --defined-only "$1" | awk '{ print $3 }' | grep -cx "$2" || true
}

size() {
	stat -c %s "$1"
}

change() { # EXPRESSION over the library's change c
	json out "[c for c in d['changes'] if c['path'] == '$LIBRARY'][0]$1"
}

# --- what goes ------------------------------------------------------------------

test_nothing_is_known_of_processors() {
	layer tree
	sofold shrink -n --format json tree
	is removed "$(change "['trim']['removed_cores']")" "[]"
	[ "$(change "['trim']['folded_kernels']")" -gt 4 ]
	shrink tree
	all_compute tree
	is "a kernel that went" "$(exports tree/$LIBRARY scal_k_PRESCOTT)" 1
	is "an export nobody imports" "$(exports tree/$LIBRARY blas_unused)" 1
}

test_lambda_has_newer_processors() {
	layer tree
	sofold shrink -n --format json $LAMBDA tree
	is removed "$(change "['trim']['removed_cores']" | tr -d "[]'," | xargs -n1 | sort | xargs)" "NEHALEM PRESCOTT SANDYBRIDGE"
	is serves "$(change "['trim']['served_by']")" HASWELL
	[ "$(change "['trim']['code_bytes']")" -gt 100000 ]
	shrink $LAMBDA tree
	all_compute tree Haswell
	is scal_k_PRESCOTT "$(exports tree/$LIBRARY scal_k_PRESCOTT)" 0
	is copy_k_PRESCOTT "$(exports tree/$LIBRARY copy_k_PRESCOTT)" 1 # blas_copy() calls it
	is blas_unused "$(exports tree/$LIBRARY blas_unused)" 1
	[ $(($(size tree/$LIBRARY) * 4)) -lt $(($(size "$work/untouched/$LIBRARY") * 3)) ]
}

test_max_drops_exports_nobody_asks_for() {
	layer tree
	shrink $LAMBDA --level max tree
	all_compute tree Haswell
	is blas_unused "$(exports tree/$LIBRARY blas_unused)" 0
	is blas_only_unused "$(exports tree/$LIBRARY blas_only_unused)" 0
	is blas_dot "$(exports tree/$LIBRARY blas_dot)" 1
	is blas_named_py "$(exports tree/$LIBRARY blas_named_py)" 1
	is blas_named_text "$(exports tree/$LIBRARY blas_named_text)" 1
	readelf -lW tree/$LIBRARY >headers
	hasnt headers GNU_EH_FRAME
}

# Only the words of a .py file make the difference.
test_python_names_an_export() {
	layer tree
	rm tree/one/__init__.py
	cp -a tree named
	echo 'call = ctypes.CDLL(path)["blas_unused"]' >named/one/use.py
	sofold shrink $LAMBDA --level max tree
	is "without its name" "$(exports tree/$LIBRARY blas_named_py) $(exports tree/$LIBRARY blas_unused)" "0 0"
	sofold shrink $LAMBDA --level max named
	is "with its name" "$(exports named/$LIBRARY blas_named_py) $(exports named/$LIBRARY blas_unused)" "0 1"
}

test_name_that_is_gone_is_not_found() {
	layer tree
	shrink $LAMBDA --level max tree
	cat >look.py <<-END
		import ctypes, one
		library = ctypes.CDLL("tree/$LIBRARY")
		one.nine("tree/$LIBRARY")
		for name in "blas_unused", "blas_only_unused", "scal_k_NEHALEM":
		    try:
		        getattr(library, name)
		        print("found", name)
		    except AttributeError as error:
		        print("undefined symbol" in str(error))
		print(library.blas_block())
	END
	is "look-ups" "$(python tree "$(cat look.py)")" \
		"$(printf 'True\nTrue\nTrue\n%s' "$(python "$work/untouched" "import ctypes
print(ctypes.CDLL('$work/untouched/$LIBRARY').blas_block())")")"
}

# Whoever opens a library by itself may ask it for anything.
test_library_nobody_needs_keeps_its_exports() {
	layer tree
	rm tree/one/ask.so
	sofold shrink $LAMBDA --level max tree
	is blas_unused "$(exports tree/$LIBRARY blas_unused)" 1
	is scal_k_PRESCOTT "$(exports tree/$LIBRARY scal_k_PRESCOTT)" 0
}

# --- options ----------------------------------------------------------------------

test_traps_in_place_of_holes() {
	local level
	for level in default max; do
		rm -rf tree
		layer tree
		sofold shrink $LAMBDA --level $level --trim-poison tree
		all_compute tree Haswell
		[ "$(size tree/$LIBRARY)" -gt 400000 ]
		objdump -d --section=.text tree/$LIBRARY >code
		[ "$(grep -c 'int3' code)" -gt 5000 ]
	done
}

test_pass_can_be_left_out() {
	layer tree
	cp -a tree again
	sofold shrink $LAMBDA --level max --skip trim tree
	hasnt out "cuts out"
	is blas_unused "$(exports tree/$LIBRARY blas_unused)" 1
	all_compute tree
	sofold shrink $LAMBDA --level safe again
	hasnt out "cuts out"
	cmp tree/$LIBRARY again/$LIBRARY
}

test_dry_run_says_what_and_why() {
	layer tree
	digest tree >before
	sofold shrink -n -v $LAMBDA --level max tree
	has out "trim $LIBRARY"
	has out "HASWELL serves instead of"
	has out "AVX2 and FMA"
	has out "of code nobody reaches"
	has out "go with their code"
	has out "B of unwind tables"
	digest tree | cmp - before
	exits 1 "$SOFOLD" shrink --check $LAMBDA tree
	digest tree | cmp - before
}

# What another run finds in the holes of the first is nothing, and it keeps what it needs.
test_default_then_max() {
	layer tree
	shrink $LAMBDA tree
	cp tree/$LIBRARY first
	shrink $LAMBDA --level max tree
	all_compute tree Haswell
	[ "$(size tree/$LIBRARY)" -lt "$(size first)" ]
	is blas_unused "$(exports tree/$LIBRARY blas_unused)" 0
}

# --- other processors -----------------------------------------------------------------

# on CPU: loads the user of the library; output to out and err.
on() {
	qemu-x86_64 -cpu "$1" "$work/load" tree/one/ask.so >out 2>err
}

test_processor_below_the_baseline_is_told_so() {
	local cpu
	need qemu-x86_64
	layer tree
	load_tool
	on Nehalem || skip "qemu-x86_64 does not run the untouched library"
	has out Nehalem
	shrink $LAMBDA tree
	for cpu in qemu64 Nehalem SandyBridge Haswell,-fma Haswell,-avx2 Haswell,-xsave; do
		rc=0
		on $cpu || rc=$?
		is "status on $cpu" $rc 1
		has err "AVX2"
		has err "OpenBLAS"
		is "output on $cpu" "$(cat out)" ""
	done
	on Haswell
	is answer "$(cat out)" "$(asked "$work/untouched" Haswell)"
}

# A core may be asked for by name where its kernels are gone.
test_core_that_went_is_asked_for_by_name() {
	need qemu-x86_64
	layer tree
	load_tool
	shrink $LAMBDA tree
	OPENBLAS_CORETYPE=Nehalem on Haswell
	is answer "$(cat out)" "$(asked "$work/untouched" Haswell)"
	rc=0
	OPENBLAS_CORETYPE=Haswell on Nehalem || rc=$?
	is "status of what stays" $rc 0 # whoever forces a core is not asked
}

# --- other tools ------------------------------------------------------------------------

# A tool may refuse the library; it may not break it.
test_tools_edit_it_afterwards() {
	local tool
	layer tree
	shrink $LAMBDA --level max tree
	for tool in "strip" "strip -g" "eu-strip" "objcopy"; do
		command -v "${tool%% *}" >/dev/null || continue
		rm -rf edited
		cp -a tree edited
		$tool edited/$LIBRARY 2>tool.err || cmp edited/$LIBRARY tree/$LIBRARY || fail "$tool: $(cat tool.err)"
		computes edited '' '' || fail "after $tool"
		computes edited Zen Zen
		computes edited Nehalem Haswell
	done
}

# Where the program headers had to move, behind holes, patchelf 0.14.3 writes a PT_PHDR
# that lies in one of them, and the loader reads it.
test_patchelf_edits_it_afterwards() {
	need patchelf
	layer tree
	shrink $LAMBDA tree
	patchelf --add-needed libm.so.6 tree/$LIBRARY 2>tool.err || return 0
	computes tree '' ''
	computes tree Nehalem Haswell
}

# eu-elflint takes the end of a writable segment that does not begin on a page for a page
# earlier, so it says of program headers at the end that they are in a writable segment.
test_elflint_has_no_more_to_say() {
	local path level
	need eu-elflint
	for level in default max; do
		rm -rf tree
		layer tree
		shrink $LAMBDA --level $level tree
		for path in $LIBRARY one/ask.so; do
			{ eu-elflint --gnu-ld "$work/untouched/$path" || true; } 2>&1 | sed 's/[0-9][0-9a-fx]*/N/g' | sort -u >lint.before
			{ eu-elflint --gnu-ld "tree/$path" || true; } 2>&1 | sed 's/[0-9][0-9a-fx]*/N/g' | sort -u >lint.after
			comm -13 lint.before lint.after | grep -v -e '^No errors' -e 'read-only section modified' >lint.new || true
			[ ! -s lint.new ] || fail "eu-elflint of $path: $(cat lint.new)"
			readelf -aW "tree/$path" 2>readelf.err >/dev/null
			[ ! -s readelf.err ] || fail "readelf of $path: $(cat readelf.err)"
		done
	done
}

# --- exceptions ---------------------------------------------------------------------------

# C that is called by C++, and calls it back: an exception passes through its frame.
test_exceptions_pass_through_c() {
	need g++
	so tree/one.libs/libcall.so soname=libcall.so -O2 <<-END
		int counted;
		void call(void (*back)(void)) { counted++; back(); counted--; }
		void unwanted(void (*back)(void)) { back(); counted--; }
	END
	mkdir tree/one
	cat >ask.cc <<-END
		extern "C" {
		void call(void (*back)(void));
		static void throws() { throw 42; }
		const char *ask() { try { call(throws); } catch (int) { return "caught"; } return "passed"; }
		}
	END
	g++ -shared -fPIC -O2 -o tree/one/ask.so ask.cc tree/one.libs/libcall.so -Wl,-rpath,'$ORIGIN/../one.libs'
	is before "$(load tree/one/ask.so)" caught
	shrink --level max tree
	is after "$(load tree/one/ask.so)" caught
	is unwanted "$(exports tree/one.libs/libcall.so unwanted)" 0
}

# --- trouble ------------------------------------------------------------------------------

test_killed_run_leaves_a_layer() {
	local delay
	layer tree
	for delay in 0.01 0.02 0.03 0.04 0.05 0.06 0.08 0.1 0.15; do
		timeout -s KILL $delay "$SOFOLD" shrink $LAMBDA --level max tree >out 2>err || true
		computes tree '' ''
		computes tree Zen Zen
	done
	exits 0 "$SOFOLD" shrink $LAMBDA --level max tree
	[ ! -e tree/.sofold* ] || fail "left: $(ls -d tree/.sofold*)"
	all_compute tree Haswell
	is blas_unused "$(exports tree/$LIBRARY blas_unused)" 0
}

# Without section headers nobody can say what is code; it is left whole, for a reason.
test_library_without_section_headers() {
	need eu-elflint
	layer tree
	"$PYTHON" - tree/$LIBRARY <<-END
		import struct, sys
		f = open(sys.argv[1], "r+b")
		f.seek(40); f.write(struct.pack("<Q", 0))
		f.seek(60); f.write(struct.pack("<HH", 0, 0))
	END
	exits 0 "$SOFOLD" shrink $LAMBDA --level max tree
	hasnt out "cuts out"
	is blas_unused "$(exports "$work/untouched/$LIBRARY" blas_unused)" 1
	all_compute tree
}

run_cases
