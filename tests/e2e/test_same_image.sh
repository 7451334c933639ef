#!/bin/bash
# One build that wheel tools have patched in different ways is one library:
# names, search paths and where patchelf put them do not count.
. "$(dirname "$0")/lib.sh"

# vendored TREE WHEEL HASH: what auditwheel does when it bundles libanswer.so.1:
# a new file name, SONAME and NEEDED.
vendored() {
	local tree=$1 wheel=$2 name=libanswer-$3.so.1
	mkdir -p "$tree/$wheel.libs" "$tree/$wheel"
	cp libanswer.so.1 "$tree/$wheel.libs/$name"
	patchelf --set-soname "$name" "$tree/$wheel.libs/$name"
	asks "$tree/$wheel/ask.so" needs=libanswer.so.1 runpath=/build/lib
	patchelf --replace-needed libanswer.so.1 "$name" "$tree/$wheel/ask.so"
	patchelf --set-rpath "\$ORIGIN/../$wheel.libs" "$tree/$wheel/ask.so"
}

test_patched_twice() {
	need patchelf
	answers libanswer.so.1 yes soname=libanswer.so.1
	vendored tree one 11111111
	vendored tree two 222222222222
	patchelf --set-rpath '$ORIGIN/of/some/length' tree/two.libs/*
	is before "$(load tree/*/ask.so | xargs)" "yes yes"
	sofold audit --format json tree
	copies out >relations
	has relations "kept"
	has relations "same image"
	shrink tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	is after "$(load tree/*/ask.so | xargs)" "yes yes"
}

test_patched_and_never_patched() {
	need patchelf
	answers libanswer.so.1 yes soname=libanswer.so.1
	vendored tree one 11111111
	mkdir tree/two
	cp libanswer.so.1 tree/two/
	asks tree/two/ask.so needs=libanswer.so.1 runpath='$ORIGIN'
	sofold audit --format json tree
	copies out >relations
	has relations "same image"
	shrink tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	is after "$(load tree/*/ask.so | xargs)" "yes yes"
}

# Files are read in parts: one byte that differs is met wherever it lies.
test_one_byte_differs() {
	local at size
	answers libanswer.so.1 yes soname=libanswer.so.1
	size=$(stat -c %s libanswer.so.1)
	mkdir -p tree/one tree/two
	asks tree/one/ask.so needs=libanswer.so.1 runpath='$ORIGIN'
	asks tree/two/ask.so needs=libanswer.so.1 runpath='$ORIGIN'
	truncate -s 9000001 libanswer.so.1
	for at in none "$size" 49151 49152 98303 98304 2097151 2097152 4194303 4194304 8388607 9000000; do
		cp libanswer.so.1 tree/one/
		cp libanswer.so.1 tree/two/
		[ $at = none ] || printf x | dd of=tree/two/libanswer.so.1 bs=1 seek=$at conv=notrunc status=none
		sofold audit --format json tree
		copies out >relations
		if [ $at = none ]; then has relations "identical"; else has relations "same image"; fi
	done
}

# A stripped copy of the same build loads the same image.
test_stripped_copy() {
	answers libanswer.so.1 yes soname=libanswer.so.1 -g
	mkdir -p tree/one tree/two
	cp libanswer.so.1 tree/one
	strip -o tree/two/libanswer.so.1 libanswer.so.1
	asks tree/one/ask.so needs=libanswer.so.1 runpath='$ORIGIN'
	asks tree/two/ask.so needs=libanswer.so.1 runpath='$ORIGIN'
	sofold audit --format json tree
	copies out >relations
	has relations "same image"
	shrink tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	is after "$(load tree/*/ask.so | xargs)" "yes yes"
}

# One byte of data apart is another library, of the same size and symbols.
test_other_data_is_another_image() {
	mkdir -p tree/one tree/two
	answers tree/one/libanswer.so.1 yes soname=libanswer.so.1 -Wl,--build-id=none
	answers tree/two/libanswer.so.1 yea soname=libanswer.so.1 -Wl,--build-id=none
	asks tree/one/ask.so needs=tree/one/libanswer.so.1 runpath='$ORIGIN'
	asks tree/two/ask.so needs=tree/two/libanswer.so.1 runpath='$ORIGIN'
	is sizes "$(stat -c %s tree/*/libanswer.so.1 | uniq | wc -l)" 1
	sofold audit --format json tree
	copies out >relations
	hasnt relations "same image"
	hasnt relations identical
	shrink tree
	is answers "$(load tree/one/ask.so) $(load tree/two/ask.so)" "yes yea"
}

run_cases
