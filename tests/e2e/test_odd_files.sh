#!/bin/bash
# Files that are no files, files nobody may read, trees without a bottom, and
# trees that change while they are read: the run goes on with the rest.
. "$(dirname "$0")/lib.sh"

test_empty_files() {
	two_wheels tree
	: >tree/one/empty.so
	: >tree/one/libempty.so.1
	: >tree/one/empty.py
	record tree one 1.0
	exits 1 "$SOFOLD" audit tree
	has out one/empty.so
	has out one/libempty.so.1
	hasnt out one/empty.py
	survives "$SOFOLD" shrink tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
}

test_unreadable_file_and_directory() {
	two_wheels tree
	cp "tree/one/_one$SUFFIX" tree/one/secret.so
	mkdir tree/closed
	cp "tree/one/_one$SUFFIX" tree/closed/
	chmod 0 tree/one/secret.so tree/closed
	give_away
	rc=0
	unprivileged timeout 20 "$SOFOLD" audit tree >out 2>err || rc=$?
	is status $rc 1
	has out one/secret.so
	has out closed
	has out "Permission denied"
	# What they need cannot be told, so nothing may go.
	refuses_unread tree/closed
	chmod 755 tree/closed
	refuses_unread tree/one/secret.so
	chmod 644 tree/one/secret.so
	unprivileged "$SOFOLD" shrink -q tree
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
	[ -e tree/one/secret.so ]
}

refuses_unread() {
	local option rc
	for option in '' -n; do
		find tree -printf '%p %s %T@\n' | sort >listed
		rc=0
		unprivileged timeout 20 "$SOFOLD" shrink $option tree >out 2>err || rc=$?
		is status $rc 3
		has err "$1: cannot be read: Permission denied"
		find tree -printf '%p %s %T@\n' | sort | cmp - listed
	done
}

test_fifo_and_socket() {
	two_wheels tree
	mkfifo tree/one/pipe.so
	"$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("tree/one/socket.so")'
	survives "$SOFOLD" audit tree
	has out one/pipe.so
	survives "$SOFOLD" shrink tree
	[ -p tree/one/pipe.so ] && [ -S tree/one/socket.so ]
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	# -o copies it or says why not; it must not open it and wait.
	rc=0
	timeout 20 "$SOFOLD" shrink -o new tree >out 2>err || rc=$?
	[ $rc = 0 ] || [ $rc = 3 ] || fail "status $rc"
}

test_symlink_loops() {
	two_wheels tree
	ln -s loop.so tree/one/loop.so
	ln -s b tree/a
	ln -s a tree/b
	ln -s . tree/one/self
	ln -s .. tree/two/up
	survives "$SOFOLD" audit tree
	survives "$SOFOLD" shrink tree
	is copies "$(find tree -type f -name 'libanswer*' | wc -l)" 1
	is link "$(readlink tree/one/self)" .
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
}

# nested NAME: 300 directories, one in the other, with a module at the bottom.
nested() {
	local i
	answers bottom.so deep
	(
		cd tree
		for i in $(seq 300); do
			mkdir "$1"
			cd -P "$1" 2>/dev/null || cd "$1"
		done
		cp "$work/case/$2/bottom.so" .
	)
}

test_deep_directories() {
	two_wheels tree
	nested d test_deep_directories
	survives "$SOFOLD" audit tree
	has out "nest deeper"
	exits 3 timeout 20 "$SOFOLD" shrink tree
	has err "nest deeper"
	is copies "$(find tree -name 'libanswer*' | wc -l)" 2
	is bottom "$(find tree -name bottom.so | wc -l)" 1
	exits 3 timeout 20 "$SOFOLD" shrink -o new tree
	[ ! -e new ]
}

# Paths longer than any system call takes.
test_endless_paths() {
	two_wheels tree
	nested a-directory-with-a-rather-long-name test_endless_paths
	survives "$SOFOLD" audit tree
	exits 3 timeout 20 "$SOFOLD" shrink tree
	has err "nest deeper"
	is copies "$(find tree -name 'libanswer*' | wc -l)" 2
}

# big PATH: 48 MB of symbols of its own.
big() {
	so "$1" <<<'char big[48000000] = {1}; const char *answer(void) { return "big"; }'
}

# While it is read, the file loses its pages and gets them back.
test_file_that_shrinks_while_mapped() {
	local i pid rc
	two_wheels tree
	big tree/one/big.so
	cp tree/one/big.so tree/two/big.so
	head -c 8192 tree/one/big.so >start
	(
		while :; do
			truncate -s 8192 tree/one/big.so
			truncate -s 48016000 tree/one/big.so
		done
	) &
	pid=$!
	for i in 1 2 3 4 5 6 7 8; do
		rc=0
		timeout 30 "$SOFOLD" audit --format json tree >out 2>err || rc=$?
		[ $rc -le 3 ] || break
		rc=0
		timeout 30 "$SOFOLD" shrink -n tree >out 2>err || rc=$?
		[ $rc -le 4 ] || break
	done
	[ $rc -gt 4 ] || timeout 60 "$SOFOLD" shrink tree >out 2>err || rc=$?
	kill $pid
	wait $pid 2>/dev/null || true
	[ $rc -le 4 ] || fail "status $rc: $(tail -n 2 err)"
	is staging "$(find tree -name '.sofold*' | wc -l)" 0
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
}

# Files come and go while the tree is walked.
test_tree_that_changes() {
	local i pid rc
	two_wheels tree
	cp "tree/one/_one$SUFFIX" module
	(
		while :; do
			mkdir -p tree/coming && cp module tree/coming/a.so && rm -rf tree/coming
		done
	) 2>/dev/null &
	pid=$!
	for i in $(seq 20); do
		rc=0
		timeout 20 "$SOFOLD" audit tree >out 2>err || rc=$?
		[ $rc -le 3 ] || break
	done
	kill $pid
	wait $pid 2>/dev/null || true
	[ $rc -le 3 ] || fail "status $rc"
}

# RECORD files are read too.
test_broken_records() {
	two_wheels tree
	head -c 300 /dev/urandom >tree/one-1.0.dist-info/RECORD
	printf '"never closed,,\n' >>tree/two-1.0.dist-info/RECORD
	survives "$SOFOLD" audit tree
	survives "$SOFOLD" shrink tree
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
	: >tree/one-1.0.dist-info/RECORD
	rm tree/two-1.0.dist-info/RECORD
	mkdir tree/two-1.0.dist-info/RECORD
	survives "$SOFOLD" shrink tree
}

test_huge_sparse_file() {
	two_wheels tree
	truncate -s 1T tree/one/sparse.bin 2>/dev/null || skip "no sparse files of that size"
	printf '\177ELF\2\1\1' >tree/one/sparse.so
	truncate -s 20G tree/one/sparse.so
	survives "$SOFOLD" audit tree
	survives "$SOFOLD" shrink tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
}

run_cases
