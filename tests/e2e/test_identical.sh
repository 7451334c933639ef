#!/bin/bash
# Copies with the same bytes become one, and everybody who used one of them
# still loads, with one library mapped instead of two.
. "$(dirname "$0")/lib.sh"

test_identical_copies_merge() {
	two_wheels tree
	sofold audit --format json tree
	is family "$(json out 'd["families"][0]["name"]')" libanswer.so.1
	is relation "$(json out 'd["families"][0]["relation"]')" identical
	is reclaimable "$(json out 'd["reclaimable_bytes"]')" "$(stat -c %s tree/one.libs/*)"
	shrink tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
}

test_consumers_load_afterwards() {
	two_wheels tree
	is before "$(python tree 'import one, two; print(one.ask() + two.ask())')" 4242
	shrink tree
	is after "$(python tree 'import one, two; print(one.ask() + two.ask())')" 4242
	is alone "$(python tree 'import two; print(two.ask())')" 42
}

# patched DIR NAME: gives the library in tree/DIR another name, as auditwheel does.
patched() {
	patchelf --set-soname "$2" "tree/$1/libanswer.so.1"
	patchelf --replace-needed libanswer.so.1 "$2" "tree/$1/ask.so"
	mv "tree/$1/libanswer.so.1" "tree/$1/$2"
}

test_one_copy_is_mapped() {
	need patchelf
	answers tree/a/libanswer.so.1 yes soname=libanswer.so.1
	mkdir tree/b && cp tree/a/libanswer.so.1 tree/b/
	asks tree/a/ask.so needs=tree/a/libanswer.so.1 runpath='$ORIGIN'
	asks tree/b/ask.so needs=tree/b/libanswer.so.1 runpath='$ORIGIN'
	is before "$(mapped tree/a/ask.so tree/b/ask.so | grep -c answer)" 1
	patched a libanswer-11111111.so.1
	patched b libanswer-22222222.so.1
	is patched "$(mapped tree/a/ask.so tree/b/ask.so | grep -c answer)" 2
	shrink tree
	is after "$(mapped tree/a/ask.so tree/b/ask.so | grep -c answer)" 1
	is answers "$(load tree/a/ask.so tree/b/ask.so | xargs)" "yes yes"
}

test_three_names_of_one_library() {
	answers tree/lib/libanswer.so.1.2.3 yes soname=libanswer.so.1
	cp tree/lib/libanswer.so.1.2.3 tree/lib/libanswer.so.1
	cp tree/lib/libanswer.so.1.2.3 tree/lib/libanswer.so
	asks tree/ask.so needs=tree/lib/libanswer.so.1 runpath='$ORIGIN/lib'
	sofold audit --format json tree
	is digests "$(json out '[c["sha256"] for f in d["families"] for c in f["copies"]]')" \
		"$(printf "['%s', '%s', '%s']" $(sha256sum tree/lib/* | cut -d' ' -f1))"
	shrink tree
	is kept "$(ls tree/lib)" libanswer.so.1
	is answer "$(load tree/ask.so)" yes
}

test_chain_of_merged_libraries() {
	local name
	answers tree/one.libs/libbase.so.1 base soname=libbase.so.1
	so tree/one.libs/libmid.so.1 soname=libmid.so.1 needs=tree/one.libs/libbase.so.1 runpath='$ORIGIN' <<<"const char *answer(void), *ask(void); const char *ask(void) { return answer(); }"
	mkdir tree/two.libs && cp tree/one.libs/* tree/two.libs/
	for name in one two; do
		so tree/$name/use_$name.so module runpath="\$ORIGIN/../$name.libs" needs="tree/$name.libs/libmid.so.1" <<-END
			const char *ask(void);
			const char *answer(void); /* of the base library: this one only asks */
			int use_$name(void) { return ask() == answer(); }
		END
	done
	is before "$(load tree/one/use_one.so tree/two/use_two.so | xargs)" "base base"
	shrink tree
	is libraries "$(find tree -name 'lib*.so*' | wc -l)" 2
	is after "$(load tree/one/use_one.so tree/two/use_two.so | xargs)" "base base"
}

run_cases
