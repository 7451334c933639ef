#!/bin/bash
# Different builds of one library: merged where the library is known to keep
# its promise and every used symbol is there, offered elsewhere.
. "$(dirname "$0")/lib.sh"

# build DIR FILE SONAME VERSION...: a library whose nth version adds
# call_n@@VERSION; every build's code differs.
build() {
	local dir=$1 file=$2 soname=$3 n=0 version parent='' source=''
	shift 3
	mkdir -p "$dir"
	: >map
	for version; do
		n=$((n + 1))
		source+="const char *call_$n(void) { return \"$version of $dir\"; }"
		echo "$version { global: call_$n; $([ -n "$parent" ] || echo 'local: *;') } $parent;" >>map
		parent=$version
	done
	so "$dir/$file" soname="$soname" -Wl,--version-script=map <<<"$source"
}

# use PATH LIBRARY N: a module whose ask() is call_N() of the library.
use() {
	so "$1" module needs="$2" runpath="\$ORIGIN/../$(basename "$(dirname "$2")")" <<-END
		const char *call_$3(void);
		const char *ask(void) { return call_$3(); }
	END
}

# two_builds FILE SONAME: tree with an older build for "one", a newer for "two".
two_builds() {
	build tree/one.libs "$1" "$2" V_1.0
	build tree/two.libs "$1" "$2" V_1.0 V_1.1
	use tree/one/use.so tree/one.libs/"$1" 1
	use tree/two/use.so tree/two.libs/"$1" 2
}

test_gcc_runtime_merges_to_the_build_with_more() {
	two_builds libquadmath-0123abcd.so.0.0.0 libquadmath-0123abcd.so.0.0.0
	sofold audit --format json tree
	copies out >relations
	has relations "one.libs/libquadmath-0123abcd.so.0.0.0 compatible"
	has relations "two.libs/libquadmath-0123abcd.so.0.0.0 kept"
	shrink tree
	[ ! -e tree/one.libs/libquadmath-0123abcd.so.0.0.0 ]
	is one "$(load tree/one/use.so)" "V_1.0 of tree/two.libs"
	is two "$(load tree/two/use.so)" "V_1.1 of tree/two.libs"
}

test_versions_follow_the_new_name() {
	build tree/one.libs libgfortran-11111111.so.5.0.0 libgfortran-11111111.so.5.0.0 GFORTRAN_8
	build tree/two.libs libgfortran-22222222-33333333.so.5.0.0 libgfortran-22222222-33333333.so.5.0.0 GFORTRAN_8 GFORTRAN_9
	use tree/one/use.so tree/one.libs/libgfortran-11111111.so.5.0.0 1
	use tree/two/use.so tree/two.libs/libgfortran-22222222-33333333.so.5.0.0 2
	shrink tree
	# glibc asserts that each version need's file is among the NEEDED names.
	readelf -VW tree/one/use.so >versions
	has versions "File: libgfortran-22222222-33333333.so.5.0.0"
	hasnt versions 11111111
	needed tree/one/use.so >names
	has names libgfortran-22222222-33333333.so.5.0.0
	is answer "$(load tree/one/use.so)" "GFORTRAN_8 of tree/two.libs"
}

test_level_safe_keeps_other_builds() {
	two_builds libquadmath.so.0 libquadmath.so.0
	shrink --level safe tree
	is copies "$(find tree -name 'libquadmath*' | wc -l)" 2
	sofold shrink -n --level safe tree
	is one "$(load tree/one/use.so)" "V_1.0 of tree/one.libs"
}

# The first by path is the one that could go: the offer must not depend on it.
test_other_families_are_offered_only() {
	two_builds libwhatever.so.3 libwhatever.so.3
	sofold audit tree
	has out "build options may differ (--merge)"
	has out "with --merge libwhatever"
	sofold audit --format json tree
	is reclaimable "$(json out 'd["reclaimable_bytes"]')" 0
	[ "$(json out 'd["families"][0]["offered_bytes"]')" -gt 0 ]
	shrink tree
	is copies "$(find tree -name 'libwhatever*' | wc -l)" 2
}

test_merge_names_a_family() {
	two_builds libwhatever.so.3 libwhatever.so.3
	build tree/one.libs libother.so.1 libother.so.1 O_1
	build tree/two.libs libother.so.1 libother.so.1 O_1 O_2
	use tree/one/other.so tree/one.libs/libother.so.1 1
	use tree/two/other.so tree/two.libs/libother.so.1 2
	shrink --merge libwhatever tree
	is merged "$(find tree -name 'libwhatever*' | wc -l)" 1
	is untouched "$(find tree -name 'libother*' | wc -l)" 2
	shrink --merge all tree
	is merged "$(find tree -name 'libother*' | wc -l)" 1
	is one "$(load tree/one/use.so)" "V_1.0 of tree/two.libs"
	is other "$(load tree/one/other.so)" "O_1 of tree/two.libs"
}

# Without a --merge the newer build may not take what it does not define.
test_neither_build_has_all() {
	build tree/one.libs libquadmath.so.0 libquadmath.so.0 V_1.0 OLD_1
	build tree/two.libs libquadmath.so.0 libquadmath.so.0 V_1.0 NEW_1
	use tree/one/use.so tree/one.libs/libquadmath.so.0 2
	use tree/two/use.so tree/two.libs/libquadmath.so.0 2
	sofold audit tree
	has out "does not define version"
	shrink tree
	is copies "$(find tree -name 'libquadmath*' | wc -l)" 2
	is one "$(load tree/one/use.so)" "OLD_1 of tree/one.libs"
	is two "$(load tree/two/use.so)" "NEW_1 of tree/two.libs"
}

run_cases
