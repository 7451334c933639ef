#!/bin/bash
# Broken files: each is a finding that names the file and says why, nothing
# crashes or hangs, the file stays as it is, and the rest of the layer is
# shrunk as if it were not there.
. "$(dirname "$0")/lib.sh"

# The object that malform.py breaks: every table it knows is there.
# With -DCALLS it needs libanswer, where two wheels keep theirs.
good_object() {
	echo 'G_1 { global: answer; helper; PyInit_*; local: *; }; G_2 { global: newer; } G_1;' >map
	so good.so soname=libgood.so.1 runpath='$ORIGIN:$ORIGIN/../two.libs' -Wl,--hash-style=both \
		-Wl,--version-script=map "$@" <<-'END'
		#include <stdio.h>
		const char *texts[] = {"good", "better"};
		int zeros[100];
		int helper(void) { return printf("%s", ""); }
		const char *newer(void) { return texts[1]; }
		#ifdef CALLS
		extern int answer_count;
		int calls(void) { return answer_count; }
		#endif
		const char *answer(void) { return texts[zeros[3]]; }
	END
}

# says FILE: what loading it and asking comes to, in one line.
says() {
	load_tool
	(LD_BIND_NOW=1 timeout 10 "$work/load" "$1" 2>&1 || echo "status $?") 2>/dev/null | sed 's/^.*\.so: //' | head -n 3 | xargs -0
}

make_broken() {
	good_object
	mkdir broken
	"$PYTHON" "$E2E/malform.py" good.so broken >verdicts
	[ "$(wc -l <verdicts)" -gt 150 ]
}

test_each_is_named_with_a_reason() {
	make_broken
	two_wheels tree
	cp broken/* tree/
	(cd tree && sha256sum ./*.so) >sums
	survives "$SOFOLD" audit --format json tree
	"$PYTHON" - <<-'END'
		import json
		d = json.load(open("out"))
		named = {f["path"] for f in d["findings"] if len(f["message"]) > 10}
		missing = [name for name, verdict in map(str.split, open("verdicts"))
		           if verdict == "bad" and name + ".so" not in named]
		assert not missing, "no finding for " + " ".join(missing)
	END
	survives "$SOFOLD" verify tree
	survives "$SOFOLD" shrink tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
	(cd tree && sha256sum -c --quiet "../sums" 2>/dev/null) | sed 's/^\.\/\(.*\)\.so: .*/\1/' >changed || true
	while read -r name; do
		grep -qx "$name any" verdicts || fail "$name was changed"
	done <changed
}

# One by one, so that a crash is not hidden by another file's refusal; what is
# rewritten must load as it did, where it did.
test_each_on_its_own() {
	local name verdict
	make_broken
	: >wrong
	while read -r name verdict; do
		rm -rf tree
		mkdir tree
		cp "broken/$name.so" tree/
		survives "$SOFOLD" audit --merge all tree || echo "$name: audit" >>wrong
		survives "$SOFOLD" shrink --merge all tree || echo "$name: shrink" >>wrong
		cmp -s "broken/$name.so" "tree/$name.so" || loads_as_before "$name" >>wrong
	done <verdicts
	[ ! -s wrong ] || fail "$(cat wrong)"
}

loads_as_before() {
	local before after
	before=$(says "broken/$1.so")
	after=$(says "tree/$1.so")
	[ "$before" != good ] || [ "$after" = good ] || echo "$1 said '$before', says '$after'"
}

# Beside a good copy, with a module for each: whoever had the good one must
# not end with the broken one. Two kinds of damage are left out, which only
# show when the code is run.
test_broken_copies_do_not_replace_good_ones() {
	local name verdict
	make_broken
	so use.so module needs=good.so runpath='$ORIGIN' \
		<<<'const char *answer(void); const char *ask(void) { return answer(); }'
	: >wrong
	while read -r name verdict; do
		case $name in rela_*_huge | init_arraysz_huge) continue ;; esac
		rm -rf tree
		mkdir -p tree/one tree/two
		cp use.so tree/one
		cp use.so tree/two
		cp "broken/$name.so" tree/one/libgood.so.1
		cp good.so tree/two/libgood.so.1
		survives "$SOFOLD" shrink --merge all tree || echo "$name: shrink" >>wrong
		[ "$(says tree/two/use.so)" = good ] || echo "$name took over: $(says tree/two/use.so)" >>wrong
	done <verdicts
	[ ! -s wrong ] || fail "$(cat wrong)"
}

# As those who need a copy that goes, and get new names for it.
test_broken_consumers() {
	local name verdict
	answers one.so yes soname=libanswer-11111111.so.1
	cp one.so two.so
	patchelf --set-soname libanswer-22222222-33333333.so.1 two.so
	patchelf --set-soname libanswer.so.1 --set-soname libanswer-11111111.so.1 one.so
	asks use.so needs=one.so runpath='$ORIGIN/../one.libs'
	good_object needs=two.so module -DCALLS
	mkdir broken
	"$PYTHON" "$E2E/malform.py" good.so broken >verdicts
	: >wrong
	while read -r name verdict; do
		rm -rf tree
		mkdir -p tree/one tree/two tree/one.libs tree/two.libs
		cp one.so tree/one.libs/libanswer-11111111.so.1
		cp two.so tree/two.libs/libanswer-22222222-33333333.so.1
		cp use.so tree/one/use.so
		cp "broken/$name.so" tree/two/good.so
		before=$(says tree/two/good.so)
		# Keeping the first is less work: its consumer is there twice.
		cp use.so tree/one/again.so
		timeout 20 "$SOFOLD" shrink --merge all tree >out 2>err || [ $? -le 4 ] || echo "$name: crash" >>wrong
		[ "$before" != good ] || [ "$(says tree/two/good.so)" = good ] ||
			echo "$name said good, says '$(says tree/two/good.so)'" >>wrong
	done <verdicts
	[ ! -s wrong ] || fail "$(cat wrong)"
}

run_cases
