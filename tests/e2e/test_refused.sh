#!/bin/bash
# Look-alikes that stay apart, each with a reason a person can check.
. "$(dirname "$0")/lib.sh"

# pair FILE1 SOURCE1 FILE2 SOURCE2 USE: libraries tree/one.libs/FILE1 and
# tree/two.libs/FILE2, each with a module that runs USE.
pair() {
	mkdir -p tree
	so tree/one.libs/"$1" soname="$1" <<<"$2"
	so tree/two.libs/"$3" soname="$3" <<<"$4"
	so tree/one/use.so module needs="tree/one.libs/$1" runpath='$ORIGIN/../one.libs' <<<"$5"
	so tree/two/use.so module needs="tree/two.libs/$3" runpath='$ORIGIN/../two.libs' <<<"${6:-$5}"
}

# stays WORDS: nothing is merged, even when asked to, for this reason.
stays() {
	local before
	before="$(load tree/one/use.so) $(load tree/two/use.so)"
	sofold audit --merge all tree
	has out "$1"
	is reclaimable "$(sofold audit --merge all --format json tree; json out 'd["reclaimable_bytes"]')" 0
	shrink --merge all tree
	[ -e tree/one.libs/* ] && [ -e tree/two.libs/* ]
	is answers "$(load tree/one/use.so) $(load tree/two/use.so)" "$before"
}

test_soname_majors() {
	pair libanswer.so.3 'const char *answer(void) { return "3"; }' \
		libanswer.so.5 'const char *answer(void) { return "5"; }' \
		'const char *answer(void), *ask(void); const char *ask(void) { return answer(); }'
	stays "SONAME majors 5 and 3"
}

test_missing_symbol_is_named() {
	pair libquadmath.so.0 'const char *alpha(void) { return "a"; }' \
		libquadmath.so.0 'const char *beta(void) { return "b"; }' \
		'const char *alpha(void); const char *ask(void) { return alpha(); }' \
		'const char *beta(void); const char *ask(void) { return beta(); }'
	stays "beta is not in the other copy"
}

test_missing_symbols_are_counted() {
	pair libquadmath.so.0 'int a(void) { return 1; } int b(void) { return 2; } int c(void) { return 3; }' \
		libquadmath.so.0 'int z(void) { return 4; }' \
		'int a(void); int b(void); int c(void); const char *ask(void) { return a() + b() + c() == 6 ? "y" : "n"; }' \
		'int z(void); const char *ask(void) { return z() == 4 ? "y" : "n"; }'
	stays "more symbols"
}

test_missing_version_definition() {
	echo 'Q_1 { global: *; }; Q_2 { } Q_1;' >map1
	echo 'Q_1 { global: *; };' >map2
	so tree/one.libs/libquadmath.so.0 soname=libquadmath.so.0 -Wl,--version-script=map1 <<<'const char *two(void) { return "2"; } __asm__(".symver two, two@@Q_2");'
	so tree/two.libs/libquadmath.so.0 soname=libquadmath.so.0 -Wl,--version-script=map2 <<<'const char *two(void) { return "1"; } int more(void) { return 0; }'
	so tree/one/use.so module needs=tree/one.libs/libquadmath.so.0 runpath='$ORIGIN/../one.libs' <<<'const char *two(void); const char *ask(void) { return two(); }'
	so tree/two/use.so module needs=tree/two.libs/libquadmath.so.0 runpath='$ORIGIN/../two.libs' <<<'int more(void); const char *two(void); const char *ask(void) { return more() ? 0 : two(); }'
	stays "does not define version Q_2"
}

# Data is copied into programs at its size (and arrays are indexed): the
# smaller one cannot serve for the larger.
test_smaller_data() {
	pair libquadmath.so.0 'char table[64] = "big"; const char *name(void) { return table; }' \
		libquadmath.so.0 'char table[8] = "small"; const char *extra(void) { return "x"; } const char *name(void) { return table; }' \
		'extern char table[]; const char *ask(void) { return table; }' \
		'extern char table[]; const char *extra(void); const char *ask(void) { return extra() ? table : 0; }'
	stays "data table is 64 bytes, 8 in the other copy"
}

test_integer_sizes_of_openblas() {
	local base='const char *openblas_get_config(void) { return "OpenBLAS 0.3.27 "'
	pair libscipy_openblas-11111111.so "$base \"DYNAMIC_ARCH\"; } int dgemm_(void) { return 4; }" \
		libscipy_openblas64_-22222222.so "$base \"USE64BITINT\"; } int dgemm_(void) { return 8; }" \
		'int dgemm_(void); const char *ask(void) { return dgemm_() == 4 ? "4" : "8"; }'
	stays "ILP64"
}

# Extension modules are loaded by path: equal ones are no duplicates.
test_extension_modules_are_never_copies() {
	answers lib.so yes
	extension tree/one/_same"$SUFFIX" _same
	mkdir tree/two && cp tree/one/* tree/two/
	answers tree/libanswer.so yes
	shrink tree
	is modules "$(find tree -name '_same*' | wc -l)" 2
}

test_other_machines_copy() {
	need aarch64-linux-gnu-gcc
	answers tree/one/libanswer.so.1 yes soname=libanswer.so.1
	COMPILE=aarch64-linux-gnu-gcc answers tree/two/libanswer.so.1 yes soname=libanswer.so.1
	exits 0 "$SOFOLD" audit --merge all tree
	has out mixed-machines
	exits 0 "$SOFOLD" shrink --merge all tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 2
}

run_cases
