#!/bin/sh
# Compares the simulated loader with the real ones, rule by rule.
#
#	B=build CC=gcc tests/e2e/loader_rules.sh [FIXTURE...]
#
# Each directory of fixtures/loader has a build.sh, which makes libraries with
# lib() below, and an expect file with cases:
#
#	== LOADER ROOT [LIBRARY_DIR]
#	what loader_probe and resolve_tool shall print
#
# LOADER is glibc or musl; LIBRARY_DIR is put in LD_LIBRARY_PATH. The musl
# cases are left out where there is no musl-gcc. The machine's own C libraries
# are asked, so this runs on any Linux with a compiler.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
B=${B:-$top/build}
CC=${CC:-gcc}
LIBS="-lelf -ldwarf -lcrypto -larchive -ljansson -lpthread"
# A library built for a sanitizer wants its tools linked the same way.
[ "$(nm "$B/libsofold.a" 2>/dev/null | grep -c __asan_init)" = 0 ] || LIBS="$LIBS -fsanitize=address,undefined"
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0

die() {
	echo "loader_rules: $*" >&2
	exit 3
}

# lib PATH [soname=NAME] [needs="NAME..."] [rpath=PATH] [runpath=PATH] [defines] [asks] [FLAG...]
#
# Links a library that needs these names. "defines" gives it answer(), which
# returns PATH; "asks" gives it ask(), which calls answer() wherever that is.
# The linker copies the SONAME of what it links, so each needed name gets an
# empty library with that SONAME to link against.
lib() {
	path=$1 needs='' flags=''
	shift
	mkdir -p "$(dirname "$path")"
	: >"$work/lib.c"
	for word; do
		case $word in
		soname=*) flags="$flags -Wl,-soname,${word#*=}" ;;
		needs=*) needs=${word#*=} ;;
		rpath=*) flags="$flags -Wl,--disable-new-dtags,-rpath,${word#*=}" ;;
		runpath=*) flags="$flags -Wl,--enable-new-dtags,-rpath,${word#*=}" ;;
		defines) echo "const char *answer(void) { return \"$path\"; }" >>"$work/lib.c" ;;
		asks)
			echo "const char *answer(void), *ask(void);" >>"$work/lib.c"
			echo "const char *ask(void) { return answer(); }" >>"$work/lib.c"
			;;
		*) flags="$flags $word" ;;
		esac
	done
	set -f
	stubs=
	for need in $needs; do
		stub=$work/stubs/$(echo "$need" | tr '/$' '__')
		$COMPILE -shared -nostdlib -o "$stub" -Wl,-soname,"$need" -x c /dev/null || die "cannot link $need"
		stubs="$stubs $stub"
	done
	$COMPILE -shared -fPIC -nostdlib -Wl,--no-as-needed -o "$path" "$work/lib.c" $stubs $flags ||
		die "cannot link $path"
	set +f
}

# Makes a fixture's tree once for each loader.
build() {
	fixture=$1 loader=$2
	mkdir -p "$work/$loader/$fixture"
	(cd "$work/$loader/$fixture" && . "$top/fixtures/loader/$fixture/build.sh") || die "cannot build $fixture"
}

compare() {
	name=$1 who=$2
	if cmp -s "$work/expected" "$work/got"; then
		echo "ok $name: $who"
		passed=$((passed + 1))
	else
		echo "not ok $name: $who: expected \"$(tr '\n' ' ' <"$work/expected")\" got \"$(tr '\n' ' ' <"$work/got")\""
		failed=$((failed + 1))
	fi
}

run_case() {
	fixture=$1 loader=$2 root=$3 library=${4:-}
	tree=$work/$loader/$fixture
	case $loader in
	glibc) platform=generic-$(uname -m) COMPILE=$CC ;;
	musl) platform=generic-musl-$(uname -m) COMPILE=musl-gcc ;;
	*) die "$fixture/expect: no loader $loader" ;;
	esac
	test -d "$tree" || build "$fixture" "$loader"
	LD_LIBRARY_PATH=${library:+$tree/$library} "$work/probe.$loader" "$tree" "$root" >"$work/got" 2>&1
	compare "$fixture $loader $root" "the loader"
	"$work/resolve_tool" "$tree" "$platform" "$root" $library >"$work/got" 2>&1
	compare "$fixture $loader $root" "sofold"
}

# Reads an expect file; a case ends at the next one or at the file's end.
run_fixture() {
	fixture=$1 header=
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'== '*)
			run_header
			header=${line#== }
			: >"$work/expected"
			;;
		'#'* | '') ;;
		*) echo "$line" >>"$work/expected" ;;
		esac
	done <"$top/fixtures/loader/$fixture/expect"
	run_header
}

run_header() {
	test -n "$header" || return 0
	case $header in musl\ *) test -x "$work/probe.musl" || return 0 ;; esac
	# shellcheck disable=SC2086 # the words of the header are the arguments
	run_case "$fixture" $header </dev/null
}

mkdir "$work/stubs"
test -e "$B/libsofold.a" || die "no $B/libsofold.a; run make first"
$CC -std=c17 -D_GNU_SOURCE -I"$top/include" -o "$work/resolve_tool" "$top/tests/e2e/resolve_tool.c" \
	"$B/libsofold.a" $LIBS || die "cannot build resolve_tool"
$CC -D_GNU_SOURCE -o "$work/probe.glibc" "$top/tests/e2e/loader_probe.c" -ldl || die "cannot build loader_probe"
if command -v musl-gcc >/dev/null; then
	musl-gcc -D_GNU_SOURCE -o "$work/probe.musl" "$top/tests/e2e/loader_probe.c" || die "cannot build loader_probe"
fi
if [ $# -eq 0 ]; then
	for fixture in "$top"/fixtures/loader/*/; do
		set -- "$@" "$(basename "$fixture")"
	done
fi
for fixture; do
	run_fixture "$fixture"
done
echo "$passed passed, $failed failed"
test "$failed" -eq 0
