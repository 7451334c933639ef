#!/bin/bash
# What audit takes: directories, archives, several of them, and file names that
# nobody would choose.
. "$(dirname "$0")/lib.sh"

# the_same A B: equal JSON audits, but for what an archive has none of.
the_same() {
	"$PYTHON" - "$1" "$2" <<-'END'
		import json, sys
		a, b = (json.load(open(name)) for name in sys.argv[1:])
		for key in a:
		    assert a[key] == b[key], (key, a[key], b[key])
	END
}

archive() {
	"$PYTHON" - "$@" <<-'END'
		import os, sys, zipfile
		tree, name, method = sys.argv[1:]
		with zipfile.ZipFile(name, "w", getattr(zipfile, method)) as out:
		    for directory, _, names in os.walk(tree):
		        for n in names:
		            path = os.path.join(directory, n)
		            out.write(path, os.path.relpath(path, tree))
	END
}

test_zip_equals_its_directory() {
	two_wheels tree
	sofold audit --format json tree
	cp out directory
	archive tree layer.zip ZIP_DEFLATED
	sofold audit --format json layer.zip
	the_same directory out
	archive tree stored.zip ZIP_STORED
	sofold audit --format json stored.zip
	the_same directory out
	tar -C tree -czf layer.tar.gz .
	sofold audit --format json layer.tar.gz
	the_same directory out
}

test_wheel_equals_its_directory() {
	two_wheels tree
	rm -r tree/two*
	sofold audit --format json tree
	cp out directory
	archive tree one-1.0-cp311-cp311-linux_x86_64.whl ZIP_DEFLATED
	sofold audit --format json one-1.0-cp311-cp311-linux_x86_64.whl
	the_same directory out
}

test_archive_cannot_be_shrunk() {
	two_wheels tree
	archive tree layer.zip ZIP_DEFLATED
	sha256sum layer.zip >sum
	exits 2 "$SOFOLD" shrink layer.zip
	has err "unpack it"
	exits 2 "$SOFOLD" shrink -n layer.zip
	sha256sum -c --quiet sum
}

test_names_that_lead_out_of_an_archive() {
	two_wheels tree
	archive tree layer.zip ZIP_DEFLATED
	"$PYTHON" - <<-'END'
		import zipfile
		with zipfile.ZipFile("layer.zip", "a") as out:
		    out.writestr("../../evil.so", b"\x7fELF")
		    out.writestr("/absolute.so", b"\x7fELF")
	END
	exits 1 "$SOFOLD" audit layer.zip
	has out unsafe-name
	has out evil.so
}

test_broken_archives() {
	two_wheels tree
	archive tree layer.zip ZIP_DEFLATED
	head -c 5000 layer.zip >cut.zip
	exits 3 "$SOFOLD" audit cut.zip
	has err cut.zip
	echo "no archive" >text.zip
	exits 3 "$SOFOLD" audit text.zip
	has err text.zip
	: >empty.zip
	"$SOFOLD" audit empty.zip >out 2>err || [ $? = 3 ]
}

# bomb NAME START MEGABYTES: a zip with one file of that much, nearly all zeros.
bomb() {
	"$PYTHON" - "$@" <<-'END'
		import sys, zipfile
		name, start, megabytes = sys.argv[1:]
		with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as out:
		    with out.open(name, "w") as file:
		        file.write(start.encode())
		        for _ in range(int(megabytes)):
		            file.write(bytes(1 << 20))
	END
}

test_zip_bombs() {
	bomb lib.so $'\x7fELF' 300
	exits 3 "$SOFOLD" audit bomb.zip
	has err "bomb.zip: more than 256 MiB come out of it"
	bomb x-1.0.dist-info/RECORD x 300
	exits 3 "$SOFOLD" verify bomb.zip
	has err bomb.zip
	bomb data x 300
	exits 3 "$SOFOLD" audit bomb.zip
	# What is only well packed is none.
	bomb data x 200
	exits 0 "$SOFOLD" audit bomb.zip
}

# Of files that are neither ELF nor RECORD nothing is kept.
test_big_files_in_an_archive() {
	[ -z "$SANITIZE" ] || skip "the sanitizer needs more memory itself"
	two_wheels tree
	head -c 150M /dev/urandom >tree/data
	mkdir tree/three
	cp tree/data tree/three/RECORD
	archive tree layer.zip ZIP_STORED
	(ulimit -v 130000 && exits 0 "$SOFOLD" audit layer.zip)
	has out "reclaimable 1"
}

test_several_paths() {
	two_wheels tree
	cp -a tree copy
	sofold audit --format json tree copy
	is objects "$(json out 'd["totals"]["objects"]')" 8
	is families "$(json out 'len(d["families"])')" 2
	json out '"\n".join(c["path"] for f in d["families"] for c in f["copies"])' >paths
	has paths tree/one.libs/libanswer-11111111.so.1
	has paths copy/one.libs/libanswer-11111111.so.1
	sofold audit tree/ copy/
	has out "tree/"
	has out "copy/"
	exits 3 "$SOFOLD" audit tree nowhere
	has err nowhere
}

test_path_forms() {
	two_wheels tree
	sofold audit --format json tree
	cp out plain
	sofold audit --format json ./tree/
	the_same plain out
	sofold audit --format json "$PWD/tree//"
	the_same plain out
	(cd tree && "$SOFOLD" audit --format json .) >out
	the_same plain out
	ln -s tree link
	sofold audit --format json link
	the_same plain out
	sofold shrink link
	is copies "$(find tree -name 'libanswer*' | wc -l)" 1
	[ -L link ]
}

test_strange_file_names() {
	local strange=$'new\nline\ttab \\ back "quoted" \xff\xfe\x80 -n'
	two_wheels tree
	mkdir -p "tree/$strange"
	answers "tree/$strange/lib.so" strange
	cp "tree/$strange/lib.so" "tree/$strange/--help"
	asks "tree/$strange/ask.so" needs=tree/one.libs/libanswer-11111111.so.1 runpath='$ORIGIN/../one.libs'
	sofold audit --format json tree
	json out d >text
	has text quoted
	sofold shrink tree
	is answer "$(load "tree/$strange/ask.so")" 42
	sofold audit -v tree
	sofold verify tree
}

# A library whose own name is strange is a name in NEEDED too.
test_strange_library_names() {
	local strange=$'lib \xff\n"x".so.1'
	answers "tree/one.libs/$strange" odd soname="$strange"
	mkdir tree/two.libs
	cp "tree/one.libs/$strange" tree/two.libs/
	asks tree/one/ask.so needs="tree/one.libs/plain.so" runpath='$ORIGIN/../one.libs' 2>/dev/null || true
	for name in one two; do
		so "tree/$name/ask.so" module runpath="\$ORIGIN/../$name.libs" \
			<<<'const char *answer(void); const char *ask(void) { return answer(); }'
		patchelf --add-needed "$strange" "tree/$name/ask.so"
		record tree $name 1.0 2>/dev/null || rm -rf tree/*.dist-info
	done
	shrink tree
	is answers "$(load tree/one/ask.so tree/two/ask.so | xargs)" "odd odd"
	is copies "$(find tree -name 'lib*' | grep -c so.1)" 1
}

test_ten_thousand_small_files() {
	two_wheels tree
	mkdir tree/data
	(cd tree/data && seq 10000 | xargs touch)
	timeout 20 "$SOFOLD" audit --format json tree >out
	is files "$(json out 'd["totals"]["files"]')" $(find tree -type f | wc -l)
	timeout 20 "$SOFOLD" shrink tree >out
}

run_cases
