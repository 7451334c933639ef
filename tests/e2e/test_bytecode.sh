#!/bin/bash
# What audit says of bytecode, and that shrink does what it says.
. "$(dirname "$0")/lib.sh"

# compiled TREE NAME: a wheel of two modules, with bytecode of this Python's.
compiled() {
	mkdir -p "$1/$2"
	echo "x = 1" >"$1/$2/__init__.py"
	echo "y = 2" >"$1/$2/more.py"
	record "$1" "$2" 1.0
	"$PYTHON" -m compileall -q "$1/$2"
}

# An extension module says which interpreter the layer is for.
of_this_python() {
	so "$1/ext$SUFFIX" module <<<'int x;'
}

# findings TREE: "SEVERITY RULE PATH" a line.
findings() {
	"$SOFOLD" audit "$@" --format json >json
	"$PYTHON" -c 'import json
for f in json.load(open("json"))["findings"]:
    if "bytecode" in f["rule"]: print(f["severity"], f["rule"], f["path"])'
}

TAG=$("$PYTHON" -c 'import sys; print(sys.implementation.cache_tag)')

test_sound_bytecode_is_no_finding() {
	compiled tree alpha
	of_this_python tree
	is findings "$(findings tree)" ""
}

test_stale_bytecode_is_a_warning_for_each_wheel() {
	compiled tree alpha
	compiled tree beta
	of_this_python tree
	echo "x = 1234" >tree/alpha/__init__.py
	touch -d 2001-01-01 tree/alpha/more.py tree/beta/more.py
	is findings "$(findings tree)" "warning stale-bytecode alpha/__pycache__/__init__.$TAG.pyc
warning stale-bytecode beta/__pycache__/more.$TAG.pyc"
	"$SOFOLD" audit tree >out
	has out "bytecode made from another state of its source, 2 files: each import compiles the source again"
	"$SOFOLD" shrink tree >/dev/null
	is findings "$(findings tree)" ""
	[ ! -e "tree/alpha/__pycache__/more.$TAG.pyc" ] && [ -e "tree/beta/__pycache__/__init__.$TAG.pyc" ]
}

test_useless_bytecode_is_a_note() {
	compiled tree alpha
	of_this_python tree
	rm tree/alpha/more.py
	cp "tree/alpha/__pycache__/__init__.$TAG.pyc" tree/alpha/__pycache__/__init__.cpython-399.pyc
	is findings "$(findings tree)" "note foreign-bytecode alpha/__pycache__/__init__.cpython-399.pyc
note stale-bytecode alpha/__pycache__/more.$TAG.pyc"
	"$SOFOLD" shrink tree >/dev/null
	is findings "$(findings tree)" ""
	is left "$(find tree -name '*.pyc')" "tree/alpha/__pycache__/__init__.$TAG.pyc"
}

test_archives_are_not_looked_into() {
	need zip
	compiled tree alpha
	touch -d 2001-01-01 tree/alpha/more.py
	(cd tree && zip -qr ../layer.zip .)
	is findings "$(findings layer.zip)" ""
}

test_unreadable_bytecode_is_no_error() {
	compiled tree alpha
	of_this_python tree
	: >"tree/alpha/__pycache__/more.$TAG.pyc"
	chmod 000 "tree/alpha/__pycache__/__init__.$TAG.pyc"
	chmod 755 .
	unprivileged "$SOFOLD" audit tree >out 2>err || [ $? -eq 1 ]
	has out "bytecode made from another state of its source, 1 file:"
}

run_cases
