#!/bin/bash
# Reports and exit statuses: what people see and what programs rely on.
. "$(dirname "$0")/lib.sh"

test_audit_json_has_its_keys() {
	two_wheels tree
	sofold audit --format json tree
	"$PYTHON" - <<-'END'
		import hashlib, json
		d = json.load(open("out"))
		assert d["schema_version"] == 1
		assert d["platform"].startswith("generic-")
		assert set(d["totals"]) >= {"files", "bytes", "objects", "native_bytes"}
		assert all(type(d["totals"][k]) is int for k in d["totals"])
		assert type(d["reclaimable_bytes"]) is int and d["reclaimable_bytes"] > 0
		assert d["findings"] == []
		for family in d["families"]:
		    assert set(family) >= {"name", "relation", "keep", "copies", "reclaimable_bytes", "reason"}
		    for copy in family["copies"]:
		        assert set(copy) >= {"path", "bytes", "owner", "sha256", "build_id"}
		        data = open("tree/" + copy["path"], "rb").read()
		        assert len(data) == copy["bytes"]
		        assert hashlib.sha256(data).hexdigest() == copy["sha256"]
		        assert copy["owner"] in ("one 1.0", "two 1.0"), copy["owner"]
		text = open("out").read()
		assert "/tmp" not in text and text.endswith("}\n")
	END
}

test_findings_have_their_keys() {
	asks tree/ask.so needs=tree/none 2>/dev/null || true
	answers libgone.so yes soname=libgone.so
	asks tree/ask.so needs=libgone.so
	exits 1 "$SOFOLD" audit --format json tree
	"$PYTHON" - <<-'END'
		import json
		d = json.load(open("out"))
		(finding,) = d["findings"]
		assert set(finding) == {"rule", "severity", "path", "message"}
		assert finding["rule"] == "missing-library" and finding["path"] == "ask.so"
		assert finding["severity"] == "error" and "libgone.so" in finding["message"]
	END
	json out 'd["findings"]' >findings
	"$SOFOLD" shrink -n --format json tree >out
	is findings "$(json out 'd["findings"]')" "$(cat findings)"
	exits 1 "$SOFOLD" verify tree
	has out missing-library
	has out libgone.so
	exits 1 "$SOFOLD" verify -q tree
	[ ! -s out ]
}

# A layer for another interpreter has as many warnings as modules.
test_many_equal_findings_are_cut() {
	local i
	mkdir tree
	answers tree/0.so yes runpath=/opt/away
	for i in $(seq 12); do
		cp tree/0.so tree/$i.so
	done
	for command in audit verify; do
		sofold $command tree
		is "$command" "$(grep -c '(escaping-path)' out)" 10
		has out "and 3 more of escaping-path (-v lists them)"
		sofold $command -v tree
		is "$command -v" "$(grep -c '(escaping-path)' out)" 13
		hasnt out "more of"
	done
}

test_totals_are_true() {
	two_wheels tree
	ln tree/one.libs/* tree/hard
	ln -s one.libs tree/soft
	sofold audit --format json tree
	is bytes "$(json out 'd["totals"]["bytes"]')" "$(find tree -type f -printf '%i %s\n' | sort -u | awk '{ s += $2 } END { print s }')"
	is native "$(json out 'd["totals"]["native_bytes"]')" \
		"$(find tree -name '*.so*' -type f -printf '%s\n' | awk '{ s += $1 } END { print s }')"
	is objects "$(json out 'd["totals"]["objects"]')" 4
}

# A file that is no sound ELF file is a finding, and neither counted nor summed.
test_totals_leave_out_what_is_malformed() {
	local bytes
	two_wheels tree
	sofold audit --format json tree
	bytes=$(json out 'd["totals"]["native_bytes"]')
	head -c 5000 tree/one.libs/libanswer-11111111.so.1 >tree/cut.so
	"$SOFOLD" audit --format json tree >out || true
	is findings "$(json out 'd["findings"][0]["path"]')" cut.so
	is native "$(json out 'd["totals"]["objects"], d["totals"]["native_bytes"]')" "(4, $bytes)"
	"$SOFOLD" shrink -n --format json tree >out
	is "native bytes of shrink" "$(json out 'd["native_bytes_before"]')" "$bytes"
	"$SOFOLD" verify --format json tree >out || true
	is "native bytes of verify" "$(json out 'd["totals"]["native_bytes"]')" "$bytes"
}

test_totals_of_each_layer() {
	two_wheels tree
	mkdir -p other/sub
	answers other/sub/tree/lib.so yes
	sofold audit --format json tree other/sub/tree/
	"$PYTHON" - <<-'END'
		import json
		d = json.load(open("out"))
		first, second = d["layers"]
		assert first["path_prefix"] == second["path_prefix"] == "tree"
		assert first["platform"] == second["platform"] == d["platform"]
		assert (first["totals"]["objects"], second["totals"]["objects"]) == (4, 1)
		for key, value in d["totals"].items():
		    assert value == first["totals"][key] + second["totals"][key]
		assert first["reclaimable_bytes"] == d["reclaimable_bytes"] > 0 == second["reclaimable_bytes"]
	END
	sofold audit --format json tree/
	"$PYTHON" - <<-'END'
		import json
		d = json.load(open("out"))
		assert d["layers"] == [{"path_prefix": None, "platform": d["platform"],
		                        "totals": d["totals"], "reclaimable_bytes": d["reclaimable_bytes"]}]
	END
	sofold audit --format json tree/ other
	hasnt out "//"
}

test_usage_errors() {
	mkdir tree
	exits 2 "$SOFOLD"
	exits 2 "$SOFOLD" frobnicate
	has err frobnicate
	exits 2 "$SOFOLD" audit
	exits 2 "$SOFOLD" shrink
	exits 2 "$SOFOLD" verify
	exits 2 "$SOFOLD" shrink a b
	exits 2 "$SOFOLD" audit --format xml tree
	exits 2 "$SOFOLD" audit --platform nowhere tree
	has err generic-x86_64
	exits 2 "$SOFOLD" audit --color sometimes tree
	exits 2 "$SOFOLD" shrink --only nothing tree
	has err dedupe
	exits 2 "$SOFOLD" shrink --level deep tree
	exits 2 "$SOFOLD" shrink -n -o new tree
	exits 2 "$SOFOLD" shrink -n --run python3 tree
	has err "nothing is imported"
	exits 2 "$SOFOLD" shrink --run python3 --check tree
	exits 2 "$SOFOLD" audit --no-such-option tree
	is "nothing on stdout" "$(stat -c %s out)" 0
}

test_run_errors() {
	exits 3 "$SOFOLD" audit nowhere
	has err "nowhere: No such file"
	is "nothing on stdout" "$(stat -c %s out)" 0
	exits 3 "$SOFOLD" shrink nowhere
	has err nowhere
	exits 3 "$SOFOLD" verify nowhere
	exits 3 "$SOFOLD" audit /dev/null
	answers file.so yes
	exits 2 "$SOFOLD" shrink file.so
}

test_help() {
	local command
	exits 0 "$SOFOLD" --help
	has out "Exit status"
	cp out help
	for command in -h help; do
		exits 0 "$SOFOLD" $command
		cmp out help
	done
	exits 0 "$SOFOLD" --version
	cp out version
	exits 0 "$SOFOLD" -V
	cmp out version
	for command in audit shrink verify; do
		exits 0 "$SOFOLD" $command --help
		[ "$(wc -l <out)" -gt 10 ]
		[ ! -s err ]
		has out "--format"
		cp out help
		exits 0 "$SOFOLD" $command -h
		cmp out help
		exits 0 "$SOFOLD" help $command
		cmp out help
		exits 0 "$SOFOLD" $command -V
		cmp out version
	done
	exits 2 "$SOFOLD" help frobnicate
	has err frobnicate
}

test_one_file_is_singular() {
	mkdir tree
	answers tree/lib.so yes
	sofold shrink -n tree
	has out "would be: 1 file rewritten, 0 deleted"
	sofold verify tree
	has out " 1 native file, 0 errors"
}

test_quiet() {
	two_wheels tree
	sofold audit -q tree
	[ ! -s out ]
	sofold shrink -q tree
	[ ! -s out ]
	sofold verify -q tree
	[ ! -s out ]
}

# Only lines with a path in them may be longer.
test_eighty_columns() {
	local text
	two_wheels tree
	answers tree/one.libs/libwhat.so.3 a soname=libwhat.so.3
	answers tree/two.libs/libwhat.so.4 b soname=libwhat.so.4
	answers libgone.so yes soname=libgone-with-a-rather-long-name-that-nobody-would-choose.so
	asks tree/one/ask.so needs=libgone.so runpath=/opt/somewhere/else/quite/far/away
	echo payload >>tree/one.libs/libwhat.so.3
	"$SOFOLD" audit -v tree >text || true
	"$SOFOLD" verify tree >>text || true
	"$SOFOLD" shrink -n -v tree >>text
	"$SOFOLD" shrink tree >>text
	"$SOFOLD" --help >>text
	for command in audit shrink verify; do
		"$SOFOLD" $command --help >>text
	done
	awk 'length($0) > 80 && $0 !~ /\.so|\// { print; bad = 1 } END { exit bad }' text
}

test_color() {
	two_wheels tree
	sofold audit tree
	hasnt out $'\033'
	sofold audit --color always tree
	has out $'\033['
	NO_COLOR=1 sofold audit --color always tree
	has out $'\033['
	NO_COLOR=1 sofold audit tree
	hasnt out $'\033'
	on_a_terminal "$SOFOLD audit tree"
	has typescript $'\033['
	on_a_terminal "$SOFOLD audit --color never tree"
	hasnt typescript $'\033['
	on_a_terminal "NO_COLOR=1 $SOFOLD audit tree"
	hasnt typescript $'\033['
}

on_a_terminal() {
	need script
	script -qec "$1" /dev/null </dev/null >typescript
}

test_full_device() {
	local command
	[ -w /dev/full ] || skip "no /dev/full"
	two_wheels tree
	for command in audit verify 'shrink -n' 'audit --format json' 'shrink -n --format json'; do
		rc=0
		# shellcheck disable=SC2086 # words
		"$SOFOLD" $command tree >/dev/full 2>err || rc=$?
		is "$command" $rc 3
		has err "writing the report"
	done
}

test_help_on_a_full_device() {
	[ -w /dev/full ] || skip "no /dev/full"
	rc=0
	"$SOFOLD" --help >/dev/full 2>err || rc=$?
	is status $rc 3
}

# A reader that goes away is no reason to leave the layer half done.
test_closed_pipe() {
	two_wheels tree
	cp -a tree other
	sofold shrink other
	"$SOFOLD" shrink -v tree 2>err | true || true
	digest tree >a
	digest other >b
	cmp a b || {
		# Killed by SIGPIPE before: then the layer is as it was or finished.
		sofold shrink tree
		digest tree >a
		cmp a b
	}
	python tree 'import one, two'
}

test_closed_stdout() {
	two_wheels tree
	rc=0
	"$SOFOLD" audit tree >&- 2>err || rc=$?
	is status $rc 3
}

# AWS says arm64 where ELF says aarch64; Debian says amd64.
test_platform_has_other_names() {
	two_wheels tree
	exits 1 "$SOFOLD" audit --platform lambda-python3.12-arm64 tree
	has out "platform lambda-python3.12-aarch64"
	sofold audit --platform generic-amd64 tree
	has out "platform generic-x86_64"
}

test_platform_is_checked() {
	two_wheels tree
	exits 1 "$SOFOLD" audit --platform generic-aarch64 tree
	has out foreign-machine
	exits 0 "$SOFOLD" audit --platform generic-x86_64 tree
}

run_cases
