#!/bin/bash
# What sofold does not edit it lists, counts, and leaves byte for byte, with
# the reason; the rest of the layer is shrunk all the same.
. "$(dirname "$0")/lib.sh"

# left_alone FILE WORDS: the file, beside two ordinary wheels, is untouched and
# listed with this reason.
left_alone() {
	two_wheels tree
	mkdir -p tree/bin
	cp -p "$1" "tree/bin/$1"
	sha256sum "tree/bin/$1" >sum
	exits "${3:-0}" "$SOFOLD" audit -v tree
	has out "$2"
	has out "bin/$1"
	exits 0 "$SOFOLD" shrink tree
	sha256sum -c --quiet sum
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
}

test_fixed_address_program() {
	$CC -no-pie -g -o prog -x c - <<<'int main(void) { return 0; }'
	left_alone prog "left alone"
	tree/bin/prog
}

test_relocatable_object() {
	$CC -c -g -o prog.o -x c - <<<'int main(void) { return 0; }'
	left_alone prog.o "left alone"
}

test_32_bit_object() {
	$CC -m32 -shared -nostdlib -o old.so -x c - <<<'int a;' 2>/dev/null || skip "no -m32"
	left_alone old.so "not a 64-bit object"
}

# No compiler for these here: the bytes of a good object say another machine.
test_big_endian_object() {
	answers big.so yes
	"$PYTHON" - <<-'END'
		data = bytearray(open("big.so", "rb").read()[:64])
		data[5] = 2
		data[16:] = b"\0\3\0\x15" + b"\0\0\0\1" + bytes(24) + b"\0\0\0\0\0\x40" + bytes(10)
		open("big.so", "wb").write(data)
	END
	left_alone big.so "big-endian"
}

test_other_machine() {
	answers riscv.so yes
	printf '\363' | dd of=riscv.so bs=1 seek=18 conv=notrunc status=none
	left_alone riscv.so "does not edit"
}

test_data_behind_the_image() {
	answers payload.so yes
	echo "PK and so on" >>payload.so
	left_alone payload.so "data follows the ELF image"
	load tree/bin/payload.so
}

test_static_program() {
	$CC -static -o static -x c - <<<'int main(void) { return 0; }' || skip "no static libc"
	left_alone static "left alone"
	tree/bin/static
}

test_no_section_headers() {
	answers stripped.so yes
	"$PYTHON" - <<-'END'
		data = bytearray(open("stripped.so", "rb").read())
		data[40:48] = bytes(8)
		data[58:64] = bytes([64, 0, 0, 0, 0, 0])
		open("stripped.so", "wb").write(data)
	END
	two_wheels tree
	cp stripped.so tree/one/
	exits 0 "$SOFOLD" shrink tree
	is answer "$(load tree/one/stripped.so)" yes
}

# A consumer that may not be edited keeps the copy it needs.
test_copy_of_an_untouchable_consumer_stays() {
	two_wheels tree
	cat "tree/two/_two$SUFFIX" - <<<payload >module
	cat module >"tree/two/_two$SUFFIX"
	sha256sum "tree/two/_two$SUFFIX" >sum
	sofold shrink tree
	sha256sum -c --quiet sum
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
	[ -e tree/two.libs/libanswer-11111111.so.1 ]
}

test_both_consumers_untouchable() {
	local name
	two_wheels tree
	for name in one two; do
		echo payload >>"tree/$name/_$name$SUFFIX"
	done
	sofold shrink tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 2
	sofold audit tree
	has out "data follows the ELF image"
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
}

# The image writer finds out late, and a dry run as well: nothing would change.
test_refused_while_written() {
	answers tree/lib.so yes
	PYTHONPATH=$E2E "$PYTHON" - <<-'END'
		import malform
		good = malform.Object(open("tree/lib.so", "rb").read())
		number = good.get("H", malform.E_SHNUM)
		symtab = next(i for i in range(number) if good.get("I", good.shdr(i) + 4) == 2)
		dynsym = next(i for i in range(number) if good.get("I", good.shdr(i) + 4) == 11)
		last = good.get("Q", good.shdr(dynsym) + 32) // 24 - 1
		good.put("H", good.symbol(last) + 6, symtab)
		open("tree/lib.so", "wb").write(good.data)
	END
	sha256sum tree/lib.so >sum
	sofold shrink --check tree
	has out "a dynamic symbol lies in a part of the file that goes"
	sofold shrink tree
	sha256sum -c --quiet sum
}

run_cases
