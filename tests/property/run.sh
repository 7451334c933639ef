#!/bin/bash
# Random link options, random patchelf and strip passes, random edits of ours:
# the program must go on printing its answer, with empty stderr, and readelf
# and eu-elflint must find nothing they did not find before.
#
#	SEED=7 N=40 B=build tests/property/run.sh
#
# Each case builds liba.so (the object edited), the library it needs and a
# program that opens it. A failing case prints its seed, which ONLY=seed runs
# again alone, and every command it ran; KEEP=1 leaves its directory.
set -u
B=${B:-build} N=${N:-40} SEED=${SEED:-1} KEEP=${KEEP:-}
here=$(cd "$(dirname "$0")" && pwd) top=$(cd "$here/../.." && pwd)
case $B in /*) ;; *) B=$PWD/$B ;; esac
work=$(mktemp -d "${TMPDIR:-/tmp}/sofold-property.XXXXXX")
trap '[ "$KEEP" ] || rm -rf "$work"' EXIT
${CC:-gcc} -std=c17 -D_GNU_SOURCE -O1 -g -I"$top/include" -o "$work/edit" "$here/edit.c" "$B/libsofold.a" \
	-lpthread ${LDFLAGS:-} || exit 2

# --------- chance ------------------

# Sets R below $1; no subshell, which would draw the same number for ever.
roll() { R=$((RANDOM % $1)); }
one_in() { roll "$1"; [ "$R" = 0 ]; }
pick() { roll $#; shift "$R"; P=$1; }
# Sets P to a library's file name of 8 to 99 characters.
random_name() {
	pick q quad openblas really-rather-long-name a-name-that-goes-on-and-on-and-on-until-it-fills-a-line-of-text
	P=lib$P-$((RANDOM % 100000)).so.$((RANDOM % 10))
}
random_path() {
	pick '$ORIGIN' '$ORIGIN/../x/deps' '$ORIGIN:$ORIGIN/../some.libs:$ORIGIN/../../another/rather/long.libs' \
		'${ORIGIN}/.'
	case $P in '$ORIGIN'*|'${ORIGIN}'*) P="$P:\$ORIGIN/deps" ;; esac
}
has() { command -v "$1" >/dev/null; }

# --------- one case ------------------

run() { echo "$(printf ' %q' "$@")" >>log; "$@" >>log 2>&1; }
fail() { echo "property: seed $seed: $*" >&2; [ -e log ] && tail -n 40 log >&2; failed=$((failed + 1)); return 1; }

# What the case is built with: an interpreter to run under, compilers, page.
choose_target() {
	runner= page=4096 cc=gcc cxx=g++ target=glibc
	roll 8
	if [ "$R" = 0 ] && has musl-gcc; then
		target=musl cc=musl-gcc cxx=
	elif [ "$R" = 1 ] && has aarch64-linux-gnu-gcc && has qemu-aarch64; then
		target=aarch64 cc=aarch64-linux-gnu-gcc cxx= page=65536
		runner='qemu-aarch64 -L /usr/aarch64-linux-gnu'
		one_in 2 && runner="$runner -p 65536"
	elif [ "$R" -lt 4 ] && has clang; then
		cc=clang cxx=clang++
	fi
	linker=bfd
	if [ $target = glibc ]; then
		pick bfd bfd gold lld; has "ld.$P" && linker=$P
	fi
}

choose_options() {
	options=("-fuse-ld=$linker")
	[ $linker = bfd ] && options=()
	add() { one_in "$1" && { shift; pick "$@"; options+=($P); }; }
	[ $linker != gold ] && add 2 -Wl,-z,separate-code -Wl,-z,noseparate-code
	[ $linker = lld ] && add 2 -Wl,--no-rosegment -Wl,-z,separate-loadable-segments
	add 2 -Wl,-z,relro -Wl,-z,norelro
	add 2 -Wl,-z,now -Wl,-z,lazy
	if [ $target = aarch64 ]; then
		options+=(-Wl,-z,max-page-size=65536)
	else
		add 2 -Wl,-z,max-page-size=4096 -Wl,-z,max-page-size=65536 -Wl,-z,max-page-size=2097152
	fi
	[ $target != musl ] && add 1 -Wl,--hash-style=gnu -Wl,--hash-style=both -Wl,--hash-style=sysv
	[ $target = glibc ] && case $linker in
		bfd) add 4 -Wl,-z,pack-relative-relocs ;;
		lld) add 4 -Wl,--pack-dyn-relocs=relr ;;
	esac
	add 2 -g -s -O2
	add 2 -Wl,--build-id=none -Wl,--build-id=sha1
	add 2 -Wl,--version-script=DIR/a.map
	add 6 -Wl,--emit-relocs
	add 6 -Wl,-z,stack-size=65536
	add 6 -Wl,-Bsymbolic -Wl,-z,nodelete
	[ $linker = bfd ] && add 8 -Wl,-Ttext-segment=0x10000 -Wl,-z,nognustack
	[ $linker = gold ] && add 4 -Wl,--no-eh-frame-hdr
	options=("${options[@]//DIR/$PWD}")
	search=()
	pick none rpath runpath
	[ $P = rpath ] && search=(-Wl,--disable-new-dtags '-Wl,-rpath,$ORIGIN/deps')
	[ $P = runpath ] && search=(-Wl,--enable-new-dtags '-Wl,-rpath,$ORIGIN/deps')
}

# The source: some features, each adding to the answer what it must.
write_sources() {
	local kind=c symbols=0
	[ "$cxx" ] && one_in 3 && kind=cc
	one_in 3 && symbols=300
	source=a.$kind
	{
		[ $kind = cc ] && echo '#include <stdexcept>' && echo 'extern "C" {'
		echo 'extern int base(void); extern int optional(void) __attribute__((weak));'
		echo 'static int zeros[3000], started; int data = 1; int *pointers[] = {&data, zeros, &zeros[9]};'
		echo '__attribute__((constructor)) static void start(void) { started = 1; }'
		one_in 2 && features+=' TLS' && echo 'static __thread int mine = 5, none; int tls(void) { return mine++ - 5 + none; }' || echo 'static int tls(void) { return 0; }'
		[ $target = glibc ] && one_in 3 && echo 'static int real(void) { return 0; } static int (*choose(void))(void) { return real; } int ifunc(void) __attribute__((ifunc("choose")));' || echo 'static int ifunc(void) { return 0; }'
		one_in 8 && echo 'static int wide __attribute__((aligned(16384))) = 1;' || echo 'static int wide = 1;'
		for ((i = 0; i < symbols; i++)); do echo "int exported_function_number_$i(void) { return $i; }"; done
		echo 'static int thrown(void) {'
		[ $kind = cc ] && echo 'try { throw std::runtime_error("x"); } catch (const std::exception &) { return 0; } return 7;' || echo 'return 0;'
		echo '}'
		echo 'int PyInit_liba(void) { return 0; } int answer(void) { zeros[17]++; return 38 + base() + started + *pointers[0] + wide + *pointers[1] + tls() + ifunc() + thrown() + (optional ? 1 : 0); }'
		[ $kind = cc ] && echo '}'
	} >$source
	echo 'A_1 { global: answer; PyInit*; exported*; }; A_2 { global: data; local: *; } A_1;' >a.map
	echo 'int base(void) { return 1; }' >b.c
	echo 'B_1.0 { global: base; local: *; };' >b.map
}

build() {
	random_name
	needed=$P
	mkdir -p x/deps
	local b=() compiler=$cc
	one_in 2 && b=(-Wl,--version-script=b.map)
	run $cc -w -shared -fPIC -o "x/deps/$needed" b.c "-Wl,-soname,$needed" "${b[@]}" || return 1
	[ "$source" = a.cc ] && compiler=$cxx
	run $compiler -w -shared -fPIC -o x/liba.so $source "x/deps/$needed" -Wl,-soname,liba.so "${options[@]}" \
		"${search[@]}" || return 1
	run $cc -w -o x/main "$here/main.c" -ldl
}

# The answer of a liba.so, put where the program looks for it.
answer_of() {
	cp "$1" x/liba.so && (cd x && LD_LIBRARY_PATH=$PWD/deps LD_BIND_NOW=1 $runner ./main ./liba.so) 2>&1
}
expect() { # file, what
	local said
	said=$(answer_of "$1")
	[ "$said" = 42 ] || { fail "$2: said '$said'"; return 1; }
}

# Findings of readelf and eu-elflint, numbers and names taken out.
complaints() {
	{
		readelf -aW "$1" 2>&1 >/dev/null
		# A segment cut at dead pages may leave a part without the sections its
		# permissions are for, and a .symtab that stays knows the old .dynstr.
		eu-elflint --gnu-ld "$1" 2>&1 |
			grep -v -e '^No errors' -e 'but contains no .* sections' -e 'st_value out of bounds'
	} | sed 's/'"${1//\//\\/}"'//g; s/0x[0-9a-f]*//g; s/[0-9][0-9]*//g; s/\[ *\]//g; s/'\''[^'\'']*'\''//g' | sort -u
}

# A few passes of other tools over $1; some break what they touch, and then
# the case starts from what they were given.
other_tools() {
	local i n
	roll 4; n=$R
	for ((i = 0; i < n; i++)); do
		cp "$1" before
		pick rpath short soname needed add page strip unneeded llvm eu
		case $P in
		rpath) random_path; run patchelf --set-rpath "$P" "$1" ;;
		short) run patchelf --force-rpath --set-rpath '$ORIGIN' "$1" ;;
		soname) random_name; run patchelf --set-soname "$P" "$1" ;;
		needed)
			random_name
			cp "x/deps/$needed" "x/deps/$P"
			run patchelf --replace-needed "$needed" "$P" "$1"
			other=$needed needed=$P ;;
		add) run patchelf --add-needed "$needed" "$1" ;;
		page) run patchelf --page-size 65536 --set-rpath '$ORIGIN/deps' "$1" ;;
		strip) run ${strip:-strip} -s "$1" ;;
		unneeded) run ${strip:-strip} --strip-unneeded "$1" ;;
		llvm) has llvm-strip && run llvm-strip "$1" ;;
		eu) run eu-strip "$1" ;;
		esac
		if [ "$(answer_of "$1")" != 42 ]; then
			cp before "$1"
			[ -n "${other:-}" ] && needed=$other
			tools_broke=$((tools_broke + 1))
		fi
		other=
	done
}

our_edit() {
	local arguments=(-p $page)
	one_in 2 && random_path && arguments+=(-r "$P")
	one_in 2 && pick rpath runpath && arguments+=(-k "$P")
	one_in 3 && random_name && arguments+=(-s "$P")
	if one_in 2; then
		random_name
		cp "x/deps/$needed" "x/deps/$P"
		arguments+=(-n "$needed=$P")
	fi
	one_in 4 && arguments+=(-l)
	run "$work/edit" "${arguments[@]}" in.so out.so
	case $? in
	0) ;;
	5) refused=$((refused + 1)); cp in.so out.so; return 0 ;;
	*) fail "edit ${arguments[*]}"; return 1 ;;
	esac
	expect out.so "after edit ${arguments[*]}" || return 1
	run "$work/edit" "${arguments[@]}" out.so again.so || { fail "a second edit"; return 1; }
	cmp -s out.so again.so || { fail "a second edit changes something"; return 1; }
	complaints in.so >in.txt
	complaints out.so >out.txt
	[ -z "$(comm -13 in.txt out.txt)" ] || { fail "new complaints: $(comm -13 in.txt out.txt)"; return 1; }
	[ $target = glibc ] && [ "${arguments[*]//-l/}" = "${arguments[*]}" ] && same_stream in.so out.so
	return 0
}

# Our own edits are what the canonical stream leaves out.
same_stream() {
	local a b
	a=$("$work/edit" -c "$1" 2>&1) || return 0
	b=$("$work/edit" -c "$2" 2>&1)
	[ "$a" = "$b" ] || fail "canonical streams differ"
}

# What others do to our output later must leave it as sound as what they do
# to our input.
later_tools() {
	local tool
	for tool in "${strip:-strip} -s" "patchelf --set-rpath \$ORIGIN/deps:/a/rather/long/directory" eu-strip; do
		cp out.so later.so
		run $tool later.so
		[ "$(answer_of later.so)" = 42 ] && continue
		cp in.so later.so
		run $tool later.so
		[ "$(answer_of later.so)" = 42 ] || { tools_broke=$((tools_broke + 1)); continue; }
		# None of them can follow program headers that stand elsewhere.
		phoff() { readelf -hW "$1" | sed -n 's/.*Start of program headers: *\([0-9]*\).*/\1/p'; }
		[ "$(phoff in.so)" != "$(phoff out.so)" ] && { moved_broke=$((moved_broke + 1)); continue; }
		fail "$tool breaks our output and not our input"
		return 1
	done
	return 0
}

# The whole command on a tree of two wheels that bundle the same library.
whole_shrink() {
	[ -x "$B/sofold" ] || return 0
	mkdir -p tree/one tree/two tree/one.libs tree/two.libs
	local way=(patchelf --set-rpath)
	one_in 2 && way=(patchelf --force-rpath --set-rpath)
	cp "x/deps/$needed" "tree/one.libs/$needed" && cp "x/deps/$needed" "tree/two.libs/$needed"
	for i in one two; do
		cp in.so tree/$i/liba.so
		run "${way[@]}" "\$ORIGIN/../$i.libs" tree/$i/liba.so
	done
	tree_answers || return 0 # patchelf broke it
	run "$B/sofold" shrink --platform generic-$([ $target = aarch64 ] && echo aarch64 || echo x86_64) tree
	[ $? -le 1 ] || { fail "sofold shrink"; return 1; }
	tree_answers || { fail "after shrink"; return 1; }
	rm -rf copy && cp -a tree copy
	run "$B/sofold" shrink --platform generic-$([ $target = aarch64 ] && echo aarch64 || echo x86_64) tree
	diff -r tree copy >>log 2>&1 || { fail "a second shrink changes something"; return 1; }
	shrunk=$((shrunk + 1))
}
tree_answers() {
	local i
	for i in one two; do
		[ "$(cd tree && LD_BIND_NOW=1 $runner ../x/main ./$i/liba.so 2>&1)" = 42 ] || return 1
	done
}

one_case() {
	RANDOM=$seed
	rm -rf "$work/case" && mkdir "$work/case" && cd "$work/case" || exit 2
	choose_target
	strip=strip
	[ $target = aarch64 ] && strip=aarch64-linux-gnu-strip
	choose_options
	targets[$target]=$((${targets[$target]:-0} + 1))
	write_sources
	build || { unbuilt=$((unbuilt + 1)); return 0; }
	cp x/liba.so in.so
	[ "$(answer_of in.so)" = 42 ] || { unbuilt=$((unbuilt + 1)); return 0; }
	other_tools in.so
	our_edit || return 1
	later_tools || return 1
	one_in 3 && { whole_shrink || return 1; }
	return 0
}

declare -A targets=()
failed=0 moved_broke=0 refused=0 unbuilt=0 tools_broke=0 shrunk=0
first=$SEED last=$((SEED + N - 1))
[ -n "${ONLY:-}" ] && first=$ONLY last=$ONLY
for ((seed = first; seed <= last; seed++)); do
	one_case
done
echo "property: seeds $first to $last: $failed failed, $refused refused, $shrunk shrunk," \
	"$unbuilt not built, $tools_broke broken by other tools," \
	"$moved_broke because the program headers moved"
echo "property: ${targets[glibc]:-0} for glibc, ${targets[musl]:-0} for musl, ${targets[aarch64]:-0} for aarch64"
[ $failed = 0 ]
