#!/bin/bash
# --run PYTHON: every extension module imports as before, or nothing changes.
. "$(dirname "$0")/lib.sh"

test_all_modules_import() {
	two_wheels tree
	sofold shrink --run "$PYTHON" tree
	has out "2 of 2 extension modules import"
	sofold shrink --format json --run "$PYTHON" tree
	sofold verify --run "$PYTHON" tree
	has out "2 of 2 extension modules import"
}

# A module that looks for the file itself, in words no search can find.
hidden_check() {
	cat >"tree/two/__init__.py" <<-'END'
		import os
		_name = "".join(map(chr, [108, 105, 98])) + "answer-" + "1" * 8 + ".so.1"
		_here = os.path.dirname(__file__)
		for _wheel in "one", "two":
		    if not os.path.exists(os.path.join(_here, "..", _wheel + ".libs", _name)):
		        raise ImportError("a file this package looks for is gone: " + _wheel)
		from ._two import ask
	END
	record tree two 1.0
}

test_broken_import_rolls_back() {
	two_wheels tree
	hidden_check
	digest tree >before
	python tree 'import one, two'
	exits 4 "$SOFOLD" shrink --run "$PYTHON" tree
	has err two
	has err "a file this package looks for is gone"
	digest tree >after
	cmp before after
	is staging "$(find tree -name '.sofold*' | wc -l)" 0
	python tree 'import one, two'
}

test_broken_import_removes_the_output() {
	two_wheels tree
	hidden_check
	digest tree >before
	exits 4 "$SOFOLD" shrink -o new --run "$PYTHON" tree
	[ ! -e new ]
	digest tree >after
	cmp before after
}

# What never imported may go on failing.
test_module_broken_before() {
	two_wheels tree
	mkdir tree/three
	so "tree/three/_three$SUFFIX" <<<'void nowhere_defined(void); void *PyInit__three(void); void *PyInit__three(void) { nowhere_defined(); return 0; }'
	sofold shrink --run "$PYTHON" tree
	has out "2 of 3 extension modules import"
	has out "1 did not before"
	has out "three/_three$SUFFIX"
	has out "ImportError:"
	exits 1 "$SOFOLD" verify --run "$PYTHON" tree
	has out "fails: three/_three"
}

test_crash_on_import_is_a_failure() {
	two_wheels tree
	mkdir tree/three
	so "tree/three/_three$SUFFIX" <<<'void *PyInit__three(void); void *PyInit__three(void) { __builtin_trap(); return 0; }'
	sofold shrink --run "$PYTHON" tree
	has out "2 of 3 extension modules import"
}

test_module_that_prints_and_exits() {
	two_wheels tree
	echo 'import sys; print("chatter"); print("more", file=sys.stderr)' >>tree/one/__init__.py
	mkdir tree/three
	so "tree/three/_three$SUFFIX" <<<'#include <stdlib.h>
void *PyInit__three(void); void *PyInit__three(void) { _Exit(0); }'
	sofold shrink --run "$PYTHON" tree
	has out "extension modules import"
	hasnt out chatter
}

# On a terminal stderr says how far it is, on a line that does not stay.
test_progress() {
	local clear=$'\r\033[K'
	need script
	export TERM=xterm
	two_wheels tree
	script -qec "$SOFOLD verify --run $PYTHON tree >out" /dev/null </dev/null >typescript
	has typescript "${clear}importing 0/2"
	has typescript "${clear}importing 2/2 "
	grep -q '/2 two/_two' typescript
	is "what is left" "$(tail -c 4 typescript)" "$clear"
	hasnt out importing
	script -qec "$SOFOLD shrink --run $PYTHON tree >out" /dev/null </dev/null >typescript
	has typescript "importing before the change 2/2 "
	has typescript "importing after the change 2/2 "
	is "what is left" "$(tail -c 4 typescript)" "$clear"
	script -qec "$SOFOLD verify -q --run $PYTHON tree" /dev/null </dev/null >typescript
	[ ! -s typescript ]
	TERM=dumb script -qec "$SOFOLD verify --run $PYTHON tree >out" /dev/null </dev/null >typescript
	[ ! -s typescript ]
}

test_no_such_python() {
	two_wheels tree
	digest tree >before
	exits 3 "$SOFOLD" shrink --run /no/such/python tree
	has err /no/such/python
	digest tree >after
	cmp before after
	exits 3 "$SOFOLD" verify --run /bin/true tree
}

run_cases
