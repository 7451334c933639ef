#!/bin/bash
# RECORD files say what is there: hashes and sizes of changed files follow,
# rows of removed files go, everything else stays as it was written.
. "$(dirname "$0")/lib.sh"

test_rows_follow() {
	two_wheels tree
	records_hold tree
	shrink tree
	records_hold tree
	is rows "$(grep -h libanswer tree/*.dist-info/RECORD | wc -l)" 1
	grep -q '^one-1.0.dist-info/RECORD,,' tree/one-1.0.dist-info/RECORD
}

test_pip_can_uninstall() {
	"$PYTHON" -m pip --version >/dev/null 2>&1 || skip "no pip"
	two_wheels tree
	shrink tree
	PYTHONPATH=tree "$PYTHON" -m pip check >/dev/null
	PYTHONPATH=tree "$PYTHON" - <<-'END'
		import importlib.metadata as m
		for name in "one", "two":
		    for path in m.files(name):
		        assert path.locate().exists(), path
	END
}

test_untouched_wheels_record_is_untouched() {
	two_wheels tree
	mkdir tree/three && echo pass >tree/three/__init__.py
	record tree three 3.0
	touch -d '2001-02-03 04:05:06.789' tree/three-3.0.dist-info/RECORD
	stat -c '%Y %i' tree/three-3.0.dist-info/RECORD >before
	sha256sum tree/three-3.0.dist-info/RECORD >sum
	shrink --skip prune tree
	stat -c '%Y %i' tree/three-3.0.dist-info/RECORD | cmp - before
	sha256sum -c --quiet sum
}

# Quoted names, CRLF line ends, rows without a hash, a row of a file that is
# not there, absolute-looking rows: all pass through.
test_odd_rows_pass_through() {
	two_wheels tree
	echo 'x = 1' >'tree/one/od,d "name".py'
	record tree one 1.0
	{
		echo 'one/not-there.py,sha256=AAAA,12'
		echo 'one/no-hash.py,,'
		echo '../../../bin/script,sha256=BBBB,7'
	} >>tree/one-1.0.dist-info/RECORD
	sed -i 's/$/\r/' tree/one-1.0.dist-info/RECORD
	shrink tree
	grep -q '^one/not-there.py,sha256=AAAA,12' tree/one-1.0.dist-info/RECORD
	grep -q '^\.\./\.\./\.\./bin/script,sha256=BBBB,7' tree/one-1.0.dist-info/RECORD
	grep -qF '"one/od,d ""name"".py"' tree/one-1.0.dist-info/RECORD
	is "line ends" "$(grep -c $'\r$' tree/one-1.0.dist-info/RECORD)" "$(wc -l <tree/one-1.0.dist-info/RECORD)"
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
}

# Whose a file is does not depend on how, or in which order, a RECORD names it.
test_owners_of_odd_rows() {
	local name
	two_wheels tree/site
	for name in site/one.libs/{a,b,e} site/c d; do
		cp tree/site/one.libs/libanswer-11111111.so.1 tree/$name.so
	done
	{
		echo './one.libs/../one.libs//b.so,,'
		echo '"one.libs/a.so","sha256=with, comma",12'
		echo '/site/one.libs/e.so,,'
		echo 'c.so'
		echo '../d.so,,,"and
			more"'
		echo '../../d.so,,'
	} >tree/site/one-1.0.dist-info/RECORD
	sofold audit --format json tree
	"$PYTHON" - >owners <<-'END'
		import json
		for family in json.load(open("out"))["families"]:
		    for copy in family["copies"]:
		        print(copy["path"], copy["owner"])
	END
	has owners "site/one.libs/b.so one 1.0"
	has owners "site/one.libs/a.so one 1.0"
	has owners "site/c.so one 1.0"
	has owners "d.so one 1.0"
	has owners "site/two.libs/libanswer-11111111.so.1 two 1.0"
	has owners "site/one.libs/e.so -"
}

# In an archive a name may stand twice, and in a RECORD a row: what is claimed is one file.
test_names_that_stand_twice() {
	"$PYTHON" -W ignore - <<-'END'
		import zipfile
		for name, rows in ("once.zip", 1), ("twice.zip", 2):
		    with zipfile.ZipFile(name, "w") as out:
		        out.writestr("w/0.bin", b"x" * 20)
		        out.writestr("w/a.bin", b"x" * 1000)
		        out.writestr("w/a.bin", b"x" * 5000)
		        out.writestr("w-1.0.dist-info/RECORD", "w/a.bin,,\n" * rows + "w/b.bin,,\n")
		        out.writestr("w/b.bin", b"x" * 300)
	END
	exits 0 "$SOFOLD" guard --format json once.zip
	grep -A4 '"wheels"' out >once
	exits 0 "$SOFOLD" guard --format json twice.zip
	grep -A4 '"wheels"' out >twice
	has once '"bytes": '
	cmp once twice
}

test_layer_without_records() {
	two_wheels tree
	rm -r tree/*.dist-info
	shrink tree
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
}

# python/lib/python3.x/site-packages, as Lambda layers have it.
test_records_below_the_root() {
	two_wheels layer/python/lib/python3.12/site-packages
	shrink layer
	records_hold layer/python/lib/python3.12/site-packages
	is answers "$(python layer/python/lib/python3.12/site-packages 'import one, two; print(one.ask(), two.ask())')" "42 42"
}

run_cases
