#!/bin/bash
# The other loaders: musl, and glibc on AArch64 under an emulator.
. "$(dirname "$0")/lib.sh"

# pair_of COMPILE: two wheels' copies under different names, and who asks.
pair_of() {
	local COMPILE=$1
	answers tree/one.libs/libanswer-11111111.so.1 yes soname=libanswer-11111111.so.1 $FLAGS
	answers two.so yes soname=libanswer-22222222.so.1 $FLAGS
	mkdir -p tree/two.libs
	cp two.so tree/two.libs/libanswer-22222222.so.1
	asks tree/one/ask.so needs=tree/one.libs/libanswer-11111111.so.1 "$KIND"='$ORIGIN/../one.libs' $FLAGS
	asks tree/two/ask.so needs=tree/two.libs/libanswer-22222222.so.1 "$KIND"='$ORIGIN/../two.libs' $FLAGS
}
FLAGS= KIND=runpath

run_musl() {
	LD_BIND_NOW=1 ./load.musl "$@"
}

test_musl() {
	need musl-gcc
	musl-gcc -o load.musl "$E2E/load.c"
	pair_of musl-gcc
	is before "$(run_musl tree/one/ask.so tree/two/ask.so | xargs)" "yes yes"
	sofold audit --format json tree
	is platform "$(json out 'd["platform"]')" "generic-musl-$(uname -m)"
	shrink --merge all tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	is after "$(run_musl tree/one/ask.so tree/two/ask.so | xargs)" "yes yes"
	is mapped "$(LD_BIND_NOW=1 ./load.musl -m "$PWD/" tree/one/ask.so tree/two/ask.so | grep answer | sort -u | wc -l)" 1
}

# musl looks at file names only: a kept file must carry the name in NEEDED.
test_musl_file_names() {
	need musl-gcc
	musl-gcc -o load.musl "$E2E/load.c"
	KIND=rpath pair_of musl-gcc
	mv tree/two.libs/libanswer-22222222.so.1 tree/two.libs/other-name.so
	patchelf --replace-needed libanswer-22222222.so.1 other-name.so tree/two/ask.so
	is before "$(run_musl tree/one/ask.so tree/two/ask.so | xargs)" "yes yes"
	shrink --merge all tree
	is after "$(run_musl tree/one/ask.so tree/two/ask.so | xargs)" "yes yes"
}

run_arm() {
	LD_BIND_NOW=1 qemu-aarch64 -L /usr/aarch64-linux-gnu ./load.arm "$@"
}

arm() {
	need aarch64-linux-gnu-gcc qemu-aarch64
	aarch64-linux-gnu-gcc -o load.arm "$E2E/load.c" -ldl
	FLAGS=$1 pair_of aarch64-linux-gnu-gcc
	is before "$(run_arm tree/one/ask.so tree/two/ask.so | xargs)" "yes yes"
	sofold audit --format json tree
	is platform "$(json out 'd["platform"]')" generic-aarch64
	cp tree/one/ask.so before.so
	shrink --merge all tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	is after "$(run_arm tree/one/ask.so tree/two/ask.so | xargs)" "yes yes"
	aarch64-linux-gnu-readelf -aW tree/one/ask.so >/dev/null 2>readelf.err
	[ ! -s readelf.err ]
	if command -v eu-elflint >/dev/null; then
		eu-elflint --gnu-ld before.so >lint.before 2>&1 || true
		eu-elflint --gnu-ld tree/one/ask.so >lint.after 2>&1 || true
		is "eu-elflint's lines" "$(wc -l <lint.after)" "$(wc -l <lint.before)"
	fi
	# AArch64 kernels may have pages of 64 KiB.
	aarch64-linux-gnu-readelf -lW tree/one/ask.so | while read -r type offset vaddr _; do
		[ "$type" != LOAD ] || [ $(((offset - vaddr) % 65536)) = 0 ] || fail "not aligned to 64 KiB: $offset $vaddr"
	done
}

test_aarch64() { arm ''; }
test_aarch64_separate_code() { arm -Wl,-z,separate-code; }

test_aarch64_strip_and_patchelf() {
	need aarch64-linux-gnu-strip
	arm ''
	aarch64-linux-gnu-strip tree/one/ask.so
	patchelf --set-rpath "$(search tree/one/ask.so | cut -d' ' -f2):\$ORIGIN/some/more/places" tree/two/ask.so
	run_arm tree/one/ask.so tree/two/ask.so
}

run_cases
