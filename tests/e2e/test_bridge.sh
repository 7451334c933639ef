#!/bin/bash
# The bridge: numpy's OpenBLAS with 64-bit integers goes, a small object that
# calls scipy's takes its place. The libraries are openblas.c, the bridge is
# the real one.
. "$(dirname "$0")/lib.sh"

ILP64=numpy.libs/libscipy_openblas64_-11111111.so
LP64=scipy.libs/libscipy_openblas-22222222.so
BRIDGE=numpy.libs/libsofold-ilp64.so

# openblas PATH [-DILP64] [-DPREFIX=...] [-DVERSION=...] [so's words]
openblas() {
	local path=$1 word defines=() words=()
	shift
	for word; do
		case $word in
		-D*) defines+=("$word") ;;
		*) words+=("$word") ;;
		esac
	done
	$CC -O1 -fPIC -I"$TOP/src" "${defines[@]}" -c -o works.o "$E2E/openblas.c"
	$CC -O1 -fPIC -I"$TOP/src" "${defines[@]}" -DSTUBS -c -o stubs.o "$E2E/openblas.c"
	so "$path" soname="$(basename "$path")" "${words[@]}" works.o stubs.o <<<''
}

# ilp64 PATH PREFIX [openblas's words], and lp64: numpy's and scipy's.
ilp64() {
	openblas "$1" -DILP64 -DPREFIX="$2" -DVERSION='"0.3.30"' "${@:3}"
}

lp64() {
	openblas "$1" -DPREFIX="$2" -DVERSION='"0.3.29"' "${@:3}"
}

# calculates PREFIX SUFFIX INTEGER: C that sets text to "32 2 3", by a dot
# product and by the solution of two equations.
calculates() {
	cat <<-END
		#include <stdint.h>
		#include <stdio.h>
		double $1cblas_ddot$2($3 n, const double *x, $3 incx, const double *y, $3 incy);
		void $1dgesv_$2(const $3 *n, const $3 *nrhs, double *a, const $3 *lda, $3 *pivots, double *b,
				const $3 *ldb, $3 *info);
		static char text[80];
		static const char *calculate(void)
		{
			double x[] = {1, 2, 3}, y[] = {4, 5, 6}, a[] = {2, 1, 1, 3}, b[] = {7, 11};
			$3 n = 2, one = 1, pivots[2], info = 77;
			$1dgesv_$2(&n, &one, a, &n, pivots, b, &n, &info);
			snprintf(text, sizeof text, "%g %g %g %ld %ld%ld", $1cblas_ddot$2(3, x, 1, y, 1), b[0], b[1],
				 (long)info, (long)pivots[0], (long)pivots[1]);
			return text;
		}
	END
}
ANSWER="32 2 3 0 12"

# calculating PATH LIBRARY PREFIX SUFFIX INTEGER [so's words]: a module.
calculating() {
	{
		calculates "$3" "$4" "$5"
		echo 'const char *ask(void) { return calculate(); }'
	} >source.c
	so "$1" module needs="$2" rpath="\$ORIGIN/../$(basename "$(dirname "$2")")" "${@:6}" <source.c
}

# blas_wheels TREE [PREFIX]: numpy and scipy, each with its OpenBLAS.
blas_wheels() {
	local prefix=${2-scipy_}
	ilp64 "$1/$ILP64" "$prefix"
	lp64 "$1/$LP64" "$prefix"
	calculating "$1/numpy/_core.so" "$1/$ILP64" "$prefix" 64_ int64_t
	calculating "$1/scipy/_blas.so" "$1/$LP64" "$prefix" "" int32_t
	records "$1"
}

records() {
	record "$1" numpy 2.4.6
	record "$1" scipy 1.17.0
}

both_stay() {
	[ -e "$1/$ILP64" ] && [ -e "$1/$LP64" ] && [ ! -e "$1/$BRIDGE" ]
	is answers "$(load "$1/numpy/_core.so" "$1/scipy/_blas.so")" "$ANSWER"$'\n'"$ANSWER"
}

bridged() {
	[ ! -e "$1/$ILP64" ] && [ -e "$1/$LP64" ] && [ -e "$1/$BRIDGE" ]
	is answers "$(load "$1/numpy/_core.so" "$1/scipy/_blas.so")" "$ANSWER"$'\n'"$ANSWER"
	records_hold "$1"
}

test_audit_tells() {
	blas_wheels tree
	sofold audit tree
	has out bridge
	has out "numpy's 0.3.30 -> scipy's 0.3.29, through libsofold-ilp64.so"
	sofold audit --format json tree
	copies out >relations
	has relations "$ILP64 bridgeable"
	has relations "$LP64 kept"
	is bridge "$(json out 'd["families"][0]["copies"][0]["bridge"]')" "$BRIDGE"
	is served "$(json out 'd["families"][0]["copies"][1]["bridge"]')" None
	is reclaimable "$(json out '0 < d["reclaimable_bytes"] < '"$(stat -c %s tree/$ILP64)")" True
	both_stay tree
}

test_one_openblas_serves_both() {
	blas_wheels tree
	shrink tree
	bridged tree
	mapped tree/numpy/_core.so >files
	has files "$LP64"
	has files "$BRIDGE"
	is "needed by the module" "$(needed tree/numpy/_core.so | head -1)" libsofold-ilp64.so
	is "needed by the bridge" "$(needed tree/$BRIDGE)" "$(basename "$LP64")"
	is "path of the bridge" "$(search tree/$BRIDGE)" 'RPATH $ORIGIN/../scipy.libs'
	readelf -dW tree/$BRIDGE >dynamic
	has dynamic "soname: [libsofold-ilp64.so]"
	sofold audit tree
}

test_all_spellings() {
	local in out
	for in in scipy_ ''; do
		for out in scipy_ ''; do
			rm -rf tree
			ilp64 tree/$ILP64 "$in"
			lp64 tree/$LP64 "$out"
			calculating tree/numpy/_core.so tree/$ILP64 "$in" 64_ int64_t
			calculating tree/scipy/_blas.so tree/$LP64 "$out" "" int32_t
			records tree
			shrink tree
			bridged tree
		done
	done
}

test_python_imports_it() {
	ilp64 tree/$ILP64 scipy_
	lp64 tree/$LP64 scipy_
	{
		calculates scipy_ 64_ int64_t
		cat <<-END
			#include "python_stub.h"
			static PyObject *ask(PyObject *self, PyObject *args) { return PyUnicode_FromString(calculate()); }
			static PyMethodDef methods[] = {{"ask", ask, METH_NOARGS, 0}, {0}};
			static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", 0, -1, methods};
			PyObject *PyInit__core(void) { return PyModule_Create2(&module, PYTHON_API_VERSION); }
		END
	} >source.c
	so "tree/numpy/_core$SUFFIX" -I"$E2E" needs=tree/$ILP64 rpath='$ORIGIN/../numpy.libs' <source.c
	echo "from ._core import ask" >tree/numpy/__init__.py
	extension "tree/scipy/_blas$SUFFIX" _blas needs=tree/$LP64 rpath='$ORIGIN/../scipy.libs' \
		-Danswer=scipy_openblas_get_config
	echo "from ._blas import ask" >tree/scipy/__init__.py
	records tree
	shrink --run "$PYTHON" tree
	[ ! -e tree/$ILP64 ]
	is answer "$(python tree 'import numpy, scipy; print(numpy.ask(), scipy.ask()[:15])')" \
		"$ANSWER OpenBLAS 0.3.29"
}

test_record_has_the_new_file() {
	blas_wheels tree
	sed -i 's/$/\r/' tree/numpy-2.4.6.dist-info/RECORD
	cp tree/scipy-1.17.0.dist-info/RECORD scipy.before
	shrink tree
	bridged tree
	is rows "$(grep -c "^$BRIDGE,sha256=[A-Za-z0-9_-]*,$(stat -c %s tree/$BRIDGE)"$'\r$' \
		tree/numpy-2.4.6.dist-info/RECORD)" 1
	hasnt tree/numpy-2.4.6.dist-info/RECORD libscipy_openblas64_
	is "line ends" "$(grep -c $'\r$' tree/numpy-2.4.6.dist-info/RECORD)" \
		"$(wc -l <tree/numpy-2.4.6.dist-info/RECORD)"
	hasnt tree/scipy-1.17.0.dist-info/RECORD libsofold
}

test_looks_like_what_it_replaces() {
	blas_wheels tree
	chmod 751 tree/$ILP64
	touch -d '2001-02-03 04:05:06.789' tree/$ILP64
	stat -c '%a %y %u %g' tree/$ILP64 >before
	shrink tree
	stat -c '%a %y %u %g' tree/$BRIDGE | cmp - before
}

test_dry_run_writes_nothing() {
	blas_wheels tree
	digest tree >before
	sofold shrink -n tree
	has out "$BRIDGE"
	digest tree | cmp - before
	sofold shrink -n --format json tree
	is bytes "$(json out '[c for c in d["changes"] if c["path"] == "'$BRIDGE'"][0]["bytes_before"]')" 0
	digest tree | cmp - before
	both_stay tree
}

test_pass_can_be_left_out() {
	blas_wheels tree
	shrink --skip bridge tree
	both_stay tree
	shrink --only strip,dedupe tree
	both_stay tree
	shrink --only bridge tree
	bridged tree
}

test_level_safe_keeps_both() {
	blas_wheels tree
	sofold shrink -n --level safe tree
	shrink --level safe tree
	both_stay tree
}

test_into_another_tree() {
	blas_wheels tree
	digest tree >before
	sofold shrink -o new tree
	digest tree | cmp - before
	bridged new
	sofold verify new
}

# What only numpy's OpenBLAS needed goes with it.
test_orphans_go() {
	answers tree/numpy.libs/libonly-11111111.so.0 1 soname=libonly-11111111.so.0
	blas_wheels tree
	ilp64 tree/$ILP64 scipy_ needs=tree/numpy.libs/libonly-11111111.so.0 rpath='$ORIGIN'
	records tree
	shrink tree
	bridged tree
	[ ! -e tree/numpy.libs/libonly-11111111.so.0 ]
}

# An older scipy's OpenBLAS has no search path: it finds libgfortran by that of
# the modules, and now by that of the bridge.
test_lp64_copy_without_a_search_path() {
	answers tree/scipy.libs/libgfortran-22222222.so.5.0.0 1 soname=libgfortran-22222222.so.5.0.0
	blas_wheels tree
	lp64 tree/$LP64 scipy_ needs=tree/scipy.libs/libgfortran-22222222.so.5.0.0
	records tree
	shrink tree
	bridged tree
}

# The same with DT_RUNPATH, which nobody inherits.
test_modules_with_runpath() {
	blas_wheels tree
	calculates scipy_ 64_ int64_t >source.c
	echo 'const char *ask(void) { return calculate(); }' >>source.c
	so tree/numpy/_core.so module needs=tree/$ILP64 runpath='$ORIGIN/../numpy.libs' <source.c
	records tree
	shrink tree
	bridged tree
}

# --- where there is none --------------------------------------------------------

test_routine_that_is_not_in_the_bridge() {
	blas_wheels tree
	echo 'void scipy_dgeequ_64_(void) {}' | $CC -fPIC -c -o other.o -x c -
	ilp64 tree/$ILP64 scipy_ other.o
	so tree/numpy/_linalg.so module needs=tree/$ILP64 rpath='$ORIGIN/../numpy.libs' <<-END
		void scipy_dgeequ_64_(void);
		const char *ask(void) { scipy_dgeequ_64_(); return "asked"; }
	END
	records tree
	sofold audit tree
	has out "scipy_dgeequ_64_ is not in the bridge"
	shrink tree
	both_stay tree
}

test_lp64_copy_that_lacks_a_routine() {
	blas_wheels tree
	echo '{ local: scipy_zgesdd_; };' >map
	lp64 tree/$LP64 scipy_ -Wl,--version-script=map
	records tree
	sofold audit tree
	has out "the LP64 copy does not define scipy_zgesdd_"
	shrink tree
	both_stay tree
}

test_code_names_the_library() {
	blas_wheels tree
	echo "import ctypes; ctypes.CDLL('$(basename $ILP64)')" >tree/numpy/load.py
	records tree
	shrink tree
	both_stay tree
}

test_name_is_taken() {
	blas_wheels tree
	echo mine >tree/$BRIDGE
	records tree
	sofold audit tree
	has out "its directory has a libsofold-ilp64.so already"
	shrink tree
	[ -e tree/$ILP64 ]
	is content "$(cat tree/$BRIDGE)" mine
}

test_lp64_copy_alone() {
	blas_wheels tree
	rm -r tree/numpy*
	shrink tree
	is answer "$(load tree/scipy/_blas.so)" "$ANSWER"
}

test_other_machines() {
	need aarch64-linux-gnu-gcc
	CC=aarch64-linux-gnu-gcc blas_wheels tree
	shrink tree
	[ ! -e tree/$ILP64 ]
	readelf -hW tree/$BRIDGE >header
	has header AArch64
	records_hold tree
}

# Its float32 products are wrong on processors with SME, which Lambda has not.
test_defective_openblas() {
	need aarch64-linux-gnu-gcc
	CC=aarch64-linux-gnu-gcc blas_wheels tree
	sed 's/0\.3\.29/0.3.30/' tree/$LP64 >newer
	cat newer >tree/$LP64
	records tree
	shrink tree
	[ -e tree/$ILP64 ]
	shrink --platform lambda-python3.12-aarch64 tree
	[ ! -e tree/$ILP64 ]
}

# --- trouble ----------------------------------------------------------------------

test_directory_that_may_not_be_written() {
	blas_wheels tree
	chmod 555 tree/numpy.libs
	digest tree >before
	give_away
	rc=0
	unprivileged "$SOFOLD" shrink tree >out 2>err || rc=$?
	is status $rc 3
	has err "$BRIDGE"
	chmod 555 tree/numpy.libs
	digest tree | cmp - before
}

# numpy must not be moved to a library that does not load, whatever it defines.
test_lp64_copy_that_cannot_be_mapped() {
	blas_wheels tree
	# p_vaddr of the second program header, no longer congruent to its offset
	printf '\200' | dd of=tree/$LP64 bs=1 seek=136 conv=notrunc status=none
	exits 1 "$SOFOLD" verify tree
	exits 0 "$SOFOLD" shrink tree
	[ -e tree/$ILP64 ]
	[ ! -e tree/$BRIDGE ]
	is answer "$(load tree/numpy/_core.so)" "$ANSWER"
}

test_lp64_copy_that_must_not_be_opened() {
	blas_wheels tree
	lp64 tree/$LP64 scipy_ -Wl,-z,nodlopen
	shrink tree
	[ -e tree/$ILP64 ]
	is answer "$(load tree/numpy/_core.so)" "$ANSWER"
}

# Without its section headers nobody can say that it is one.
test_lp64_copy_that_does_not_say_so() {
	blas_wheels tree
	objcopy --rename-section .rodata=.text.data tree/$LP64
	shrink tree
	[ -e tree/$ILP64 ]
	is answer "$(load tree/numpy/_core.so)" "$ANSWER"
}

# Somebody removes scipy later on: verify says what numpy lacks.
test_verify_misses_the_lp64_copy() {
	blas_wheels tree
	shrink tree
	rm tree/$LP64
	exits 1 "$SOFOLD" verify tree
	has out "$(basename $LP64)"
}

# A new numpy brings its own again, into what a shrunk layer holds.
test_numpy_comes_back() {
	blas_wheels tree
	blas_wheels other
	shrink tree
	rm -r tree/numpy tree/numpy.libs tree/numpy-*
	cp -a other/numpy other/numpy.libs other/numpy-* tree/
	shrink tree
	bridged tree
}

test_archive_is_audited() {
	need zip
	blas_wheels tree
	(cd tree && zip -qr ../layer.zip .)
	sofold audit layer.zip
	has out "numpy's 0.3.30 -> scipy's 0.3.29, through libsofold-ilp64.so"
}

run_cases
