#!/bin/bash
# sofold pack: the zip holds the tree, is the same every time, and is there whole
# or not at all. Judged by unzip, Python's zipfile and, where it is, bsdtar.
. "$(dirname "$0")/lib.sh"

# a_tree: files that shrink and one that does not, modes, links, an empty directory,
# names with spaces and in UTF-8, and a file of more than 8 MiB of each kind.
a_tree() {
	mkdir -p tree/pkg/data tree/empty
	seq 100000 >tree/pkg/numbers.txt
	head -c 100000 /dev/urandom >tree/pkg/random
	: >tree/pkg/data/nothing
	echo 'print("ran")' >tree/pkg/run
	echo x >"tree/pkg/a name"
	echo x >tree/pkg/näme
	ln -s numbers.txt tree/pkg/link
	ln -s pkg tree/dir-link
	ln tree/pkg/numbers.txt tree/pkg/hard
	seq 1500000 >tree/large
	head -c 9000000 /dev/urandom >tree/large-random
	chmod 755 tree/pkg/run
	chmod 600 tree/pkg/random
	chmod 700 tree/empty
	touch -d '2021-03-04 05:06:07 UTC' tree/pkg/numbers.txt
}

# same_as_zip TREE ZIP [PREFIX]: names, contents, types, permissions, order.
same_as_zip() {
	"$PYTHON" - "$@" <<-'END'
		import os, stat, sys, zipfile
		tree, archive, prefix = (sys.argv[1:] + [""])[:3]
		want = {}
		for top, dirs, files in os.walk(tree):
		    below = os.path.relpath(top, tree)
		    links = [d for d in dirs if os.path.islink(os.path.join(top, d))]
		    for name in files + links:
		        path = os.path.join(top, name)
		        data = os.readlink(path).encode() if os.path.islink(path) else open(path, "rb").read()
		        want[prefix + os.path.normpath(os.path.join(below, name))] = os.lstat(path).st_mode, data
		    if not dirs + files and (below != "." or prefix):
		        want[prefix + (below + "/" if below != "." else "")] = os.stat(top).st_mode, b""
		zip = zipfile.ZipFile(archive)
		names = zip.namelist()
		assert names == sorted(want, key=os.fsencode), set(names) ^ set(want)
		for info in zip.infolist():
		    mode, data = want[info.filename]
		    assert info.external_attr >> 16 == mode, info
		    assert info.create_system == 3, info
		    assert zip.read(info) == data, info
		    assert info.compress_size <= info.file_size, info
	END
}

test_zip_holds_the_tree() {
	a_tree
	sofold pack tree -o new.zip
	unzip -tq new.zip
	same_as_zip tree new.zip
}

test_unzip_gives_the_tree_back() {
	a_tree
	sofold pack tree -o new.zip
	mkdir out.d
	TZ=Asia/Tokyo unzip -q new.zip -d out.d
	rm tree/pkg/hard out.d/pkg/hard # two files now
	diff -r --no-dereference tree out.d
	(cd tree && find . -type f -printf '%P %M %Ts\n' | sort) >wanted
	(cd out.d && find . -type f -printf '%P %M %Ts\n' | sort) >got
	diff wanted got
	is directory "$(stat -c %a out.d/empty)" 700
}

test_bsdtar_reads_it() {
	need bsdtar
	a_tree
	sofold pack tree -o new.zip
	mkdir out.d
	bsdtar -xpf new.zip -C out.d
	diff -r --no-dereference tree out.d
	# As a stream, local headers only.
	bsdtar -tf - <new.zip >/dev/null
}

# sofold's own reader is libarchive.
test_sofold_reads_it() {
	two_wheels tree
	sofold pack tree -o new.zip
	sofold verify new.zip
	sofold audit --format json new.zip
	cp out zip
	sofold audit --format json tree
	is copies "$(json zip 'len(d["families"])')" "$(json out 'len(d["families"])')"
}

test_same_tree_same_bytes() {
	a_tree
	sofold pack tree -o one.zip
	mkdir elsewhere
	(cd tree && find . | LC_ALL=C sort -r | tar -c --format=posix --no-recursion -T - -f ../tar)
	tar -xpf tar -C elsewhere
	(umask 077 && TZ=America/New_York LC_ALL=C "$SOFOLD" pack elsewhere -o two.zip >out)
	cmp one.zip two.zip
	taskset -c 0 "$SOFOLD" pack tree -o three.zip >out
	cmp one.zip three.zip
}

test_source_date_epoch() {
	a_tree
	SOURCE_DATE_EPOCH=1700000001 sofold pack tree -o one.zip
	find tree -exec touch -h -d '2001-02-03' {} +
	SOURCE_DATE_EPOCH=1700000001 TZ=Asia/Tokyo sofold pack tree -o two.zip
	cmp one.zip two.zip
	is times "$("$PYTHON" -c '
import zipfile
print({i.date_time for i in zipfile.ZipFile("one.zip").infolist()})')" "{(2023, 11, 14, 22, 13, 20)}"
	SOURCE_DATE_EPOCH=0 sofold pack tree -o three.zip
	is times "$("$PYTHON" -c '
import zipfile
print({i.date_time for i in zipfile.ZipFile("three.zip").infolist()})')" "{(1980, 1, 1, 0, 0, 0)}"
	local bad
	for bad in '' x 12x -1 99999999999999999999; do
		SOURCE_DATE_EPOCH=$bad exits 2 "$SOFOLD" pack tree -o four.zip
		has err SOURCE_DATE_EPOCH
	done
	[ ! -e four.zip ]
}

test_lib_prefix() {
	a_tree
	sofold pack tree -o new.zip --lib-prefix ./python//lib/python3.12/site-packages
	same_as_zip tree new.zip python/lib/python3.12/site-packages/
	local bad
	for bad in /opt ../x a/../b; do
		exits 2 "$SOFOLD" pack tree -o other.zip --lib-prefix "$bad"
		has err "$bad"
	done
	[ ! -e other.zip ]
}

test_python_imports_from_it() {
	mkdir -p tree/pkg
	echo 'answer = 42' >tree/pkg/__init__.py
	sofold pack tree -o new.zip --lib-prefix python
	is answer "$(python "$PWD/new.zip/python" 'import pkg; print(pkg.answer)')" 42
}

test_does_not_overwrite() {
	a_tree
	echo old >new.zip
	exits 3 "$SOFOLD" pack tree -o new.zip
	has err "new.zip: it exists"
	is content "$(cat new.zip)" old
	sofold pack tree -o new.zip --force
	same_as_zip tree new.zip
	mkdir directory
	exits 3 "$SOFOLD" pack tree -o directory --force
	exits 3 "$SOFOLD" pack tree -o directory/
	exits 3 "$SOFOLD" pack tree -o nowhere/new.zip
	has err "making nowhere/new.zip: No such file"
	mkfifo fifo
	exits 3 "$SOFOLD" pack tree -o fifo --force
	[ -p fifo ]
}

test_not_into_its_own_tree() {
	a_tree
	exits 3 "$SOFOLD" pack tree -o tree/pkg/new.zip
	has err "inside the tree"
	(cd tree && exits 3 "$SOFOLD" pack . -o new.zip)
	rm -f tree/out tree/err
	ln -s tree/pkg beside
	exits 3 "$SOFOLD" pack tree -o beside/new.zip
	is zips "$(find . -name '*.zip*' | wc -l)" 0
}

test_usage() {
	mkdir tree
	exits 2 "$SOFOLD" pack tree
	has err "-o layer.zip"
	exits 2 "$SOFOLD" pack -o new.zip
	exits 3 "$SOFOLD" pack nowhere -o new.zip
	has err "opening nowhere: No such file"
	: >file
	exits 3 "$SOFOLD" pack file -o new.zip
	[ ! -e new.zip ]
}

test_reports() {
	a_tree
	sofold pack -q tree -o a.zip
	[ ! -s out ]
	sofold pack tree -o b.zip
	has out "files 9"
	has out "symlinks 2"
	has out "empty dirs 1"
	hasnt out numbers.txt
	sofold pack -v tree -o c.zip
	has out "pkg/link -> numbers.txt"
	sofold pack --format json tree -o d.zip
	is zip "$(json out 'd["zip_bytes"]')" "$(stat -c %s d.zip)"
	is sum "$(json out 'sum(e["compressed_bytes"] for e in d["entries"]) == d["compressed_bytes"]')" True
	is bytes "$(json out 'd["bytes"]')" \
		"$("$PYTHON" -c 'import zipfile; print(sum(i.file_size for i in zipfile.ZipFile("d.zip").infolist()))')"
}

# refused NAME WORDS: nothing is packed, and the message names the culprit.
refused() {
	exits 3 "$SOFOLD" pack tree -o new.zip
	has err "$1"
	has err "$2"
	is left "$(find . -maxdepth 1 -name '*new.zip*' | wc -l)" 0
}

test_what_a_zip_cannot_hold() {
	a_tree
	mkfifo tree/pkg/pipe
	refused pkg/pipe FIFO
	rm tree/pkg/pipe
	"$PYTHON" -c 'import socket; socket.socket(socket.AF_UNIX).bind("tree/pkg/sock")'
	refused pkg/sock socket
	rm tree/pkg/sock
	echo x >"$(printf 'tree/pkg/\344')"
	refused pkg/ "not UTF-8"
	rm "$(printf 'tree/pkg/\344')"
	mkdir tree/.sofold
	refused tree "sofold shrink first"
	rmdir tree/.sofold
	sofold pack tree -o new.zip
}

test_symlinks_that_lead_out() {
	local target
	a_tree
	for target in /etc/passwd ../../x ../.. ../dir-link/../../x; do
		ln -sfn "$target" tree/pkg/out
		refused pkg/out "leads out"
	done
	ln -sfn no/such tree/pkg/out
	sofold pack tree -o new.zip
	same_as_zip tree new.zip
}

test_unreadable_file() {
	a_tree
	chmod 0 tree/pkg/random
	give_away
	rc=0
	unprivileged "$SOFOLD" pack tree -o new.zip >out 2>err || rc=$?
	is status $rc 3
	has err "pkg/random: Permission denied"
	chmod 644 tree/pkg/random
	chmod 0 tree/empty
	rc=0
	unprivileged "$SOFOLD" pack tree -o new.zip >out 2>err || rc=$?
	is status $rc 3
	has err "empty: Permission denied"
	is left "$(find . -maxdepth 1 -name '*new.zip*' | wc -l)" 0
}

# while_packing COMMAND: on a tree that takes a while, once it is under way; then the
# status. The last file by name is the one to change.
while_packing() {
	local pid rc=0
	mkdir -p tree
	seq 4000000 >tree/a
	cp tree/a tree/b
	seq "${size:-10}" >tree/z
	"$SOFOLD" pack -q tree -o new.zip 2>err &
	pid=$!
	until ls .new.zip.sofold-* >/dev/null 2>&1; do sleep 0.01; done
	"$@"
	wait $pid || rc=$?
	is status $rc 3
	is left "$(find . -maxdepth 1 -name '*new.zip*' | wc -l)" 0
}

append_to_z() {
	echo x >>tree/z
}

same_size_other_bytes() {
	printf y | dd of=tree/a conv=notrunc status=none
}

test_file_that_changes() {
	while_packing append_to_z
	has err "packing z: it has changed"
	while_packing rm tree/z
	has err "packing z: No such file"
	while_packing same_size_other_bytes
	has err "packing a: it has changed"
	# Cut short while it is mapped.
	while_packing truncate -s 100 tree/a
	has err "it has changed"
}

test_interrupted_run_leaves_nothing() {
	local name
	mkdir tree
	seq 3000000 >tree/a
	cp tree/a tree/b
	echo old >other.zip
	for name in SIGINT SIGTERM SIGHUP SIGQUIT; do
		is $name "$(interrupt $name '.new.zip.sofold-*' "$SOFOLD" pack -q tree -o new.zip)" killed
		is "left by $name" "$(find . -name '*new.zip*' | wc -l)" 0
	done
	is SIGKILL "$(interrupt SIGKILL '.new.zip.sofold-*' "$SOFOLD" pack -q tree -o new.zip)" killed
	[ ! -e new.zip ]
	sofold pack tree -o new.zip
	same_as_zip tree new.zip
}

test_full_disk_leaves_nothing() {
	a_tree
	rc=0
	(ulimit -f 2000 && "$SOFOLD" pack -q tree -o new.zip 2>err) || rc=$?
	is status $rc 3
	has err "writing new.zip: File too large"
	is left "$(find . -name '*new.zip*' | wc -l)" 0
}

test_empty_tree() {
	mkdir tree
	sofold pack tree -o new.zip
	is bytes "$(stat -c %s new.zip)" 22
	same_as_zip tree new.zip
	sofold pack tree -o prefixed.zip --lib-prefix python
	same_as_zip tree prefixed.zip python/
}

test_more_entries_than_16_bits() {
	mkdir tree
	(cd tree && seq 66000 | xargs touch)
	sofold pack -q tree -o new.zip
	unzip -tqq new.zip
	is names "$("$PYTHON" -c 'import zipfile; print(len(zipfile.ZipFile("new.zip").namelist()))')" 66000
}

# 4 GiB and a byte, a hole: what sizes of more than 32 bits look like to readers.
test_file_of_more_than_32_bits() {
	[ -z "$SANITIZE" ] || skip "too slow under a sanitizer"
	[ -n "${HUGE:-}" ] || skip "takes a minute; HUGE=1 runs it"
	mkdir tree
	truncate -s 4294967297 tree/huge
	echo x >tree/last
	sofold pack -q tree -o new.zip
	unzip -tqq new.zip
	is size "$("$PYTHON" -c 'import zipfile; print(zipfile.ZipFile("new.zip").getinfo("huge").file_size)')" 4294967297
}

run_cases
