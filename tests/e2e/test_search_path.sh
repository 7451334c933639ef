#!/bin/bash
# How consumers find the kept copy: search paths keep their kind, and room for
# longer names is made where there is none.
. "$(dirname "$0")/lib.sh"

# wheels KIND [so's words]: two wheels' copies of libanswer under different
# names, and a consumer each with a search path of that kind.
wheels() {
	local kind=$1
	shift
	answers tree/one.libs/libanswer-11111111.so.1 yes soname=libanswer-11111111.so.1
	answers two.so yes soname=libanswer-22222222.so.1
	mkdir tree/two.libs
	cp two.so tree/two.libs/libanswer-22222222.so.1
	asks tree/one/ask.so needs=tree/one.libs/libanswer-11111111.so.1 "$kind=\$ORIGIN/../one.libs" "$@"
	asks tree/two/ask.so needs=tree/two.libs/libanswer-22222222.so.1 "$kind=\$ORIGIN/../two.libs" "$@"
}

merged() {
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	is answers "$(load tree/one/ask.so tree/two/ask.so | xargs)" "yes yes"
}

test_runpath_stays_runpath() {
	wheels runpath
	shrink --merge all tree
	merged
	is kinds "$(for f in tree/*/ask.so; do search $f; done | cut -d' ' -f1 | sort -u)" RUNPATH
}

test_rpath_stays_rpath() {
	wheels rpath
	shrink --merge all tree
	merged
	is kinds "$(for f in tree/*/ask.so; do search $f; done | cut -d' ' -f1 | sort -u)" RPATH
}

# The names are as long as those they replace: the file must not grow.
test_equal_lengths_fit_in_place() {
	wheels runpath
	shrink --skip strip --merge all tree
	merged
	cp tree/two/ask.so after.so
	wheels runpath 2>/dev/null || { rm -rf tree && wheels runpath; }
	is size "$(stat -c %s after.so)" "$(stat -c %s tree/two/ask.so)"
}

# libanswer needs libbase and has no path of its own: it finds it through the
# RPATH of whoever loads it.
test_library_found_through_its_consumers_rpath() {
	local name
	so tree/one.libs/libbase.so.1 soname=libbase.so.1 <<<'const char *base(void) { return "base"; }'
	so tree/one.libs/libanswer.so.1 soname=libanswer.so.1 needs=tree/one.libs/libbase.so.1 \
		<<<'const char *base(void); const char *answer(void) { return base(); } int answer_count = 7;'
	mkdir tree/two.libs
	cp tree/one.libs/* tree/two.libs/
	for name in one two; do
		asks tree/$name/ask.so needs="tree/$name.libs/libanswer.so.1" rpath="\$ORIGIN/../$name.libs"
	done
	is before "$(load tree/two/ask.so)" base
	shrink tree
	is libraries "$(find tree -name 'lib*.so.1' | wc -l)" 2
	is one "$(load tree/one/ask.so)" base
	is two "$(load tree/two/ask.so)" base
}

# A NEEDED name may be the tail of another string, or the other way round:
# "answer.so.1" inside "libanswer.so.1". The linker shares the bytes.
test_names_that_share_their_tails() {
	local file
	answers tree/one/answer.so.1 yes soname=answer.so.1
	so tree/one/libanswer.so.1 soname=libanswer.so.1 <<<'const char *longer(void) { return "long"; }'
	mkdir tree/two
	cp tree/one/answer.so.1 tree/two/answer-22222222.so.1
	patchelf --set-soname answer-22222222.so.1 tree/two/answer-22222222.so.1
	cp tree/one/answer.so.1 tree/one/answer-11111111.so.1
	patchelf --set-soname answer-11111111.so.1 tree/one/answer-11111111.so.1
	for file in one/answer.so.1 one/answer-11111111.so.1 two/answer-22222222.so.1; do
		so tree/"$(dirname $file)/$(basename $file).ask.so" module needs="tree/$file tree/one/libanswer.so.1" \
			runpath='$ORIGIN:$ORIGIN/../one' <<-'END'
				const char *answer(void), *longer(void);
				const char *ask(void) { return longer() ? answer() : 0; }
			END
	done
	shrink --merge all tree
	for file in tree/*/*.ask.so; do
		is "$file" "$(load "$file")" yes
		needed "$file" >names
		has names libanswer.so.1
	done
	is copies "$(find tree -name 'answer*.so.1' | wc -l)" 1
}

# A symbol's name is the tail of a NEEDED name; renaming must not change it.
test_symbol_in_the_tail_of_a_name() {
	local name
	so tree/one/libx.so.1 soname=libanswer <<<'const char *answer(void) { return "tail"; }'
	mv tree/one/libx.so.1 tree/one/libanswer
	mkdir tree/two
	cp tree/one/libanswer tree/two/libother-answer
	patchelf --set-soname libother-answer tree/two/libother-answer
	for name in one/libanswer two/libother-answer; do
		so "tree/$(dirname $name)/ask.so" module needs="tree/$name" runpath='$ORIGIN' \
			<<<'const char *answer(void); const char *ask(void) { return answer(); }'
	done
	shrink --merge all tree
	is answers "$(load tree/one/ask.so) $(load tree/two/ask.so)" "tail tail"
}

# A longer name does not fit where the linker left no room: a segment of a
# page is added behind the image.
test_longer_name_in_a_tight_object() {
	local long=libanswer-0123456789abcdef0123456789abcdef.so.1
	answers tree/one/libanswer.so.1 yes soname=libanswer.so.1
	# Both are patched: what is asked here is not what makes them equal.
	patchelf --set-soname lib.so.1 tree/one/libanswer.so.1
	patchelf --set-soname libanswer.so.1 tree/one/libanswer.so.1
	mkdir -p tree/a/directory/some/way/down
	cp tree/one/libanswer.so.1 tree/a/directory/some/way/down/$long
	patchelf --set-soname $long tree/a/directory/some/way/down/$long
	asks tree/one/ask.so needs=tree/one/libanswer.so.1 runpath='$ORIGIN'
	asks tree/a/directory/some/way/down/ask.so needs=tree/a/directory/some/way/down/$long runpath='$ORIGIN'
	# Two more who use the long one, so that it is cheaper to keep.
	asks tree/a/directory/some/way/down/ask2.so needs=tree/a/directory/some/way/down/$long runpath='$ORIGIN' -DX
	cp tree/one/ask.so before.so
	shrink --merge libanswer tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	is answers "$(load $(find tree -name 'ask*.so') | sort -u)" yes
	if [ -e "tree/a/directory/some/way/down/$long" ]; then
		needed tree/one/ask.so >names
		has names $long
		eu-elflint --gnu-ld tree/one/ask.so >lint 2>&1 || fail "$(cat lint)"
	fi
}

# No DT_RPATH nor DT_RUNPATH before, but one needed afterwards: the copy beside
# the consumer was found through LD_LIBRARY_PATH or not at all.
test_absolute_and_foreign_entries_stay() {
	wheels runpath
	patchelf --set-rpath '/opt/somewhere/lib:$ORIGIN/../two.libs:$ORIGIN/gone' tree/two/ask.so
	exits 0 "$SOFOLD" shrink --merge all tree
	merged
	search tree/two/ask.so >path
	has path /opt/somewhere/lib
}

test_spaces_and_odd_characters_in_directories() {
	local dir
	for dir in 'with space' 'ünï' 'quo"te'; do
		answers "tree/$dir/libanswer.so.1" yes soname=libanswer.so.1
		so "tree/$dir/ask.so" module runpath='$ORIGIN' <<<'const char *answer(void); const char *ask(void) { return answer(); }'
		patchelf --add-needed libanswer.so.1 "tree/$dir/ask.so"
	done
	shrink tree
	is copies "$(find tree -name libanswer.so.1 | wc -l)" 1
	for dir in 'with space' 'ünï' 'quo"te'; do
		is "$dir" "$(load "tree/$dir/ask.so")" yes
	done
}

run_cases
