#!/bin/bash
# Pruning trees that somebody made to be trouble: no crash, no hang, nothing
# gone that no rule has, nothing touched outside.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/prune_lib.sh"

# seconds MOST COMMAND...: and must exit 0.
seconds() {
	local most=$1 start=$SECONDS
	shift
	timeout $((most * 10)) "$@" >out 2>err || fail "status $?: $(tail -n 2 err)"
	[ $((SECONDS - start)) -le "$most" ] || fail "$((SECONDS - start)) s: $*"
}

test_huge_sources() {
	pure tree
	truncate -s 100M tree/alpha/zeros.py
	head -c 100M /dev/zero | tr '\0' x >tree/alpha/line.py
	"$PYTHON" - <<-'END'
		for name, part, bytes in (("many", 'x = "a.b"; import os\n', 20), ("quotes", "\\\"\"\"\\'''", 20),
		                          ("open", "(" * 16, 10), ("from", "from a import (b,", 10)):
		    with open(f"tree/alpha/{name}.py", "w") as out:
		        out.write(part * (bytes * 1000000 // len(part)))
	END
	seconds 10 "$SOFOLD" shrink tree
	[ ! -e tree/alpha/tests ]
	[ -e tree/alpha/zeros.py ]
}

test_binary_sources() {
	pure tree
	head -c 5M /dev/urandom >tree/alpha/noise.py
	cp tree/alpha/native.so tree/alpha/object.py
	printf '\xff\xfei\0m\0p\0o\0r\0t\0' >tree/alpha/utf16.py
	: >tree/alpha/empty.py
	seconds 10 "$SOFOLD" shrink tree
	[ ! -e tree/alpha/tests ]
}

test_sources_that_are_no_files() {
	pure tree
	mkfifo tree/alpha/fifo.py tree/alpha/tests/fifo.py tree/alpha/fifo.pyc
	mkdir tree/alpha/directory.py tree/alpha/__pycache__
	mkfifo tree/alpha/__pycache__/__init__.cpython-312.pyc
	ln -s /dev/zero tree/alpha/zero.py
	ln -s /etc/passwd tree/alpha/tests/passwd.py
	ln -s loop.py tree/alpha/loop.py
	ln -s . tree/alpha/self
	ln -s ../.. tree/alpha/up
	seconds 5 "$SOFOLD" shrink --keep nothing tree
	[ -p tree/alpha/fifo.py ] && [ -p tree/alpha/tests/fifo.py ] && [ -L tree/alpha/loop.py ]
}

# A link to all that is there does not keep all that is there.
test_symlink_loops_do_not_keep_everything() {
	pure tree
	ln -s . tree/alpha/self
	shrink tree
	[ ! -e tree/alpha/tests ]
}

test_unreadable_sources() {
	[ "$(id -u)" = 0 ] && need setpriv
	pure tree
	file tree/secret.py 'import alpha.tests'
	chmod 0 tree/secret.py
	give_away
	rc=0
	unprivileged timeout 20 "$SOFOLD" shrink tree >out 2>err || rc=$?
	is status $rc 3
	has err "secret.py: cannot be read"
}

test_tests_that_are_no_directories() {
	pure tree
	file tree/alpha/a/tests 'a file'
	file tree/alpha/b/real/x.py 'x = 1'
	ln -s real tree/alpha/b/tests
	listed tree alpha/a/tests alpha/b/tests alpha/b/real/x.py
	ln -s ../outside tree/alpha/out
	file outside/tests/x.py 'x = 1'
	shrink tree
	[ -e tree/alpha/b/real/x.py ] && [ -e outside/tests/x.py ]
	[ ! -e tree/alpha/tests ]
}

# A wheel's RECORD may claim what it likes: rules take what lies in the layer.
test_records_that_claim_too_much() {
	mkdir case && cd case
	pure tree
	pure tree beta
	file outside/tests/x.py 'x = 1'
	file tree/mine/tests/x.py 'x = 1'
	{
		echo 'beta/tests/helper.py,,'
		echo '../outside/tests/x.py,,'
		echo "$PWD/outside/tests/x.py,,"
		echo 'mine/../../outside/tests/x.py,,'
		echo 'alpha,,'
		echo ',,'
		echo '"unclosed'
	} >>tree/alpha-1.0.dist-info/RECORD
	seconds 5 "$SOFOLD" shrink --prune '**/outside' tree
	[ -e outside/tests/x.py ] && [ -e tree/mine/tests/x.py ] && [ -e tree/beta/__init__.py ]
	python tree 'import alpha.sub, beta.sub'
}

# noDeploy of a wheel that claims another's files.
test_no_deploy_takes_no_other_wheel() {
	pure tree
	pure tree beta
	echo 'beta/__init__.py,,' >>tree/alpha-1.0.dist-info/RECORD
	file .sofold.yml 'prune:' '  noDeploy: [alpha]'
	"$SOFOLD" shrink tree >out 2>err
	[ ! -e tree/alpha ]
	python tree 'import beta.sub'
}

test_twenty_thousand_files() {
	local i
	pure tree
	mkdir -p tree/alpha/big/tests tree/alpha/lib
	"$PYTHON" - <<-'END'
		for i in range(10000):
		    open(f"tree/alpha/big/tests/t{i}.py", "w").write(f"import alpha.lib.m{i}\nimport alpha.tests\n")
		    open(f"tree/alpha/lib/m{i}.py", "w").write(f"import alpha.lib.m{(i + 1) % 10000}, os, sys, a.b.c\n")
	END
	record tree alpha 1.0
	seconds 5 "$SOFOLD" shrink -n tree
	seconds 10 "$SOFOLD" shrink tree
	[ ! -e tree/alpha/big ]
	[ -e tree/alpha/lib/m9999.py ]
}

# Every file is its own reason to stay.
test_ten_thousand_refusals() {
	pure tree
	"$PYTHON" - <<-'END'
		import os
		for i in range(5000):
		    os.makedirs(f"tree/alpha/p{i}/tests")
		    open(f"tree/alpha/p{i}/tests/h.py", "w").write(f"import alpha.p{(i + 1) % 5000}.tests.h\n")
		    open(f"tree/alpha/p{i}/x.py", "w").write(f"from .tests import h\n")
	END
	record tree alpha 1.0
	seconds 10 "$SOFOLD" shrink -n tree
	seconds 10 "$SOFOLD" shrink -n --prune '**/h.py' tree
}

# Each import leads to the next directory: as many rounds as directories.
test_long_chain_of_what_comes_back() {
	pure tree
	"$PYTHON" - <<-'END'
		import os
		for i in range(300):
		    os.makedirs(f"tree/alpha/p{i}/tests")
		    open(f"tree/alpha/p{i}/tests/h.py", "w").write(f"import alpha.p{i + 1}.tests.h\n")
	END
	file tree/app.py 'import alpha.p0.tests.h'
	record tree alpha 1.0
	seconds 10 "$SOFOLD" shrink tree
	[ -e tree/alpha/p299/tests/h.py ]
	[ ! -e tree/alpha/tests ]
}

test_long_and_odd_globs() {
	local stars a
	pure tree
	stars=$(printf '**/%.0s' {1..100})
	a=$(printf '*a%.0s' {1..200})
	seconds 5 "$SOFOLD" shrink -n --prune "$stars$a" --prune '{{{{{a,b},c},d},e},f}' --prune '[' --prune '{' \
		--prune '' --prune / --prune '//' --keep '' --keep '***' tree
	seconds 5 "$SOFOLD" shrink -n --prune "$(printf '{a,b}%.0s' {1..60})" tree
}

# A --keep that cannot be honoured is no reason to delete.
test_a_very_long_keep_is_not_forgotten() {
	local name
	name=$(printf 'd%.0s' {1..200})
	pure tree
	file "tree/alpha/tests/$name/$name/$name/x.txt" text
	record tree alpha 1.0
	"$SOFOLD" shrink --keep "alpha/tests/$name/$name/$name/x.txt" tree >out 2>err || return 0
	[ -e "tree/alpha/tests/$name/$name/$name/x.txt" ]
}

# Paths as long as the kernel takes them.
test_deep_trees() {
	"$PYTHON" - <<-'END'
		import os
		os.mkdir("tree"); os.chdir("tree")
		for i in range(18):
		    os.mkdir("d" * 200); os.chdir("d" * 200)
		os.mkdir("tests"); open("tests/a.py", "w").write("from ....... import x, y\n" * 10)
	END
	answers tree/native.so 42
	seconds 5 "$SOFOLD" shrink --profile recipe tree
	is tests "$(find tree -name tests | wc -l)" 0
}

test_everything_pruned() {
	pure tree
	seconds 5 "$SOFOLD" shrink --prune '**' tree
	is left "$(find tree -mindepth 1 | wc -l)" 0
}

run_cases
