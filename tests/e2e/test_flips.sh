#!/bin/bash
# One bit of a good object turned, wherever a loader looks: whatever sofold
# makes of the result must load as the result did. In a sanitizer build this
# also shows that no number out of a file is trusted.
. "$(dirname "$0")/lib.sh"

flips_tool() {
	load_tool
	# shellcheck disable=SC2086 # words
	[ -x "$work/flips" ] || $CC $SANITIZE -std=c17 -I"$TOP/include" -o "$work/flips" \
		"$E2E/flips.c" "$B/libsofold.a" $LIBS
}

# An object with all tables and little else.
sweep() {
	flips_tool
	echo 'G_1 { global: answer; local: *; }; G_2 { global: newer; } G_1;' >map
	so good.so soname=libgood.so.1 runpath='$ORIGIN' -Wl,--hash-style=both -Wl,--version-script=map "$@" <<-'END'
		#include <stdio.h>
		const char *texts[] = {"good", "better"};
		int zeros[4];
		const char *newer(void) { return texts[1]; }
		const char *answer(void) { return printf("%s", "") ? 0 : texts[zeros[3]]; }
	END
}

# Every bit costs four loads: CI takes each second one, a sanitizer each third.
STEP=${STEP:-2}
[ -z "$SANITIZE" ] || STEP=3

# flip FROM TO [ENTRY BYTES]: a range of the file; of a table's entries only
# the first bytes.
flip() {
	timeout 200 "$work/flips" "$work/load" good.so "$1" "$2" "$STEP" "${@:3}" >flips || fail "$(head -n 3 flips) $(tail -n 1 flips)"
	[ "$(sed -n 's/ tried.*//p' flips)" -gt 10 ]
}

# section NAME: "FROM TO" in the file.
section() {
	readelf -SW "$1" | sed 's/\[ */[/' | awk -v name="$2" '$2 == name { print "0x" $5, "0x" $6 }' |
		while read -r from size; do
			echo "$from $((from + size))"
		done
}

flip_section() {
	# shellcheck disable=SC2046 # two words
	flip $(section good.so "$1") "${@:2}"
}

test_elf_header() {
	sweep
	flip 0 64
}

test_program_headers() {
	sweep
	flip 64 $((64 + 56 * $(readelf -hW good.so | sed -n 's/.*Number of program headers: *//p')))
}

test_dynamic_section() {
	sweep
	flip_section .dynamic
}

test_version_tables() {
	sweep
	flip_section .gnu.version
	flip_section .gnu.version_d
	flip_section .gnu.version_r
}

test_symbols_and_hashes() {
	sweep
	flip_section .dynsym
	flip_section .hash
	flip_section .gnu.hash
}

test_names() {
	sweep
	flip_section .dynstr
}

# Addends are left out: what they lead to outside the image is the process's.
test_relocations() {
	sweep
	flip_section .rela.dyn 24 16
	flip_section .rela.plt 24 16
}

test_section_headers() {
	local start
	sweep
	start=$(readelf -hW good.so | sed -n 's/.*Start of section headers: *\([0-9]*\).*/\1/p')
	STEP=$((STEP * 4)) flip "$start" "$(stat -c %s good.so)"
}

run_cases
