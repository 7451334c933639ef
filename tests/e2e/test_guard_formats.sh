#!/bin/bash
# The guard's formats: valid by published schemas, whatever names hold.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guard_lib.sh"

SCHEMAS=$TOP/fixtures/schemas

# is_valid SCHEMA FILE, both JSON
is_valid() {
	local python=$PYTHON
	"$python" -c 'import jsonschema' 2>/dev/null || python=/usr/bin/python3 # Debian's package is for this one
	"$python" -c 'import jsonschema' 2>/dev/null || skip "no python3-jsonschema"
	"$python" - "$SCHEMAS/$1" "$2" <<-'END'
		import json, jsonschema, sys
		schema, document = (json.load(open(path)) for path in sys.argv[1:])
		validator = jsonschema.validators.validator_for(schema)
		validator.check_schema(schema)
		for error in validator(schema).iter_errors(document):
		    sys.exit(f"{list(error.absolute_path)}: {error.message[:300]}")
	END
}

is_valid_junit() {
	need xmllint
	xmllint --noout --schema "$SCHEMAS/junit-10.xsd" "$1" 2>xmllint.log || fail "$(cat xmllint.log)"
}

# Two wheels; budgets that are kept, near, over, only warned of and unknown.
every_state=(-b unzipped=1MB -b native=1MB -b wheel:alpha=2MB -b 'alpha/*=2.1MB' -b zipped=1 -b layers=5)

test_junit_is_valid() {
	wheel tree alpha 1.0 2000000
	exits 1 "$SOFOLD" guard tree --format junit "${every_state[@]}"
	is_valid_junit out
	"$PYTHON" - <<-'END'
		import xml.etree.ElementTree as ET
		suite = ET.parse("out").getroot()[0]
		assert suite.attrib == {"name": "sofold guard", "tests": "6", "failures": "2", "errors": "0",
		                        "skipped": "1"}, suite.attrib
		cases = {case.get("name"): case[0] for case in suite}
		assert cases["unzipped"].tag == "failure"
		assert cases["unzipped"].get("message").startswith("unzipped is 2.00 MB, over the limit of 1.00 MB")
		assert cases["native"].tag == "system-out" and cases["zipped"].tag == "skipped"
		assert cases["alpha/*"].text.startswith("warning: alpha/* is 2.00 MB, near")
	END
}

test_sarif_is_valid() {
	wheel tree alpha 1.0 2000000
	mkdir -p 'odd %dir'
	exits 1 "$SOFOLD" guard tree 'odd %dir' --format sarif "${every_state[@]}"
	is_valid sarif-schema-2.1.0.json out
	"$PYTHON" - <<-'END'
		import json
		run = json.load(open("out"))["runs"][0]
		rules = run["tool"]["driver"]["rules"]
		results = {result["ruleId"]: result for result in run["results"]}
		assert {name: result["level"] for name, result in results.items()} == {
		    "unzipped": "error", "wheel": "error", "paths": "warning", "zipped": "note"}, results
		for result in run["results"]:
		    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
		uris = [l["physicalLocation"]["artifactLocation"]["uri"] for l in results["unzipped"]["locations"]]
		assert uris == ["tree", "odd%20%25dir"], uris
	END
}

test_json_is_valid() {
	wheel tree alpha 1.0 2000000
	so tree/a.so soname=a.so <<<'int a(void) { return 1; }'
	so tree/b.so soname=a.so <<<'int a(void) { return 1; }'
	"$SOFOLD" guard tree --baseline b.json --update-baseline >/dev/null
	for baseline in "" "--baseline b.json --max-increase 0"; do
		"$SOFOLD" guard tree "${every_state[@]}" $baseline --format json >out || true
		is_valid sofold-guard-1.json out
	done
	"$SOFOLD" audit tree --format json >out
	is_valid sofold-audit-1.json out
	"$SOFOLD" audit tree tree --format json >out
	is_valid sofold-audit-1.json out
	"$SOFOLD" shrink -n tree --format json >out
	is_valid sofold-shrink-1.json out
	"$SOFOLD" shrink tree --format json >out
	is_valid sofold-shrink-1.json out
}

test_csv_is_read_by_csv() {
	wheel tree alpha 1.0 2000000
	exits 1 "$SOFOLD" guard tree --format csv "${every_state[@]}" -b 'a"b,c*=1'
	"$PYTHON" - <<-'END'
		import csv
		rows = list(csv.DictReader(open("out", newline="")))
		by = {(row["kind"], row["name"]): row for row in rows}
		assert by["budget", "unzipped"]["state"] == "over" and by["budget", "unzipped"]["limit"] == "1000000"
		assert by["budget", "zipped"]["state"] == "unknown" and by["budget", "zipped"]["now"] == ""
		assert by["budget", 'a"b,c*']["state"] == "unknown"
		assert 2000000 <= int(by["wheel", "alpha"]["now"]) < 2000100
		assert by["total", "layers"]["now"] == "0" and by["total", "zipped"]["now"] == ""
	END
}

test_markdown_has_tables() {
	wheel tree alpha 1.0 1000000
	"$SOFOLD" guard tree --baseline b.json --update-baseline >/dev/null
	wheel tree alpha 1.0 2000000
	exits 1 "$SOFOLD" guard tree --baseline b.json --format markdown -b 'a|b<c>`d`*=0' -b unzipped=1MB
	says "FAILED: 1 of 2 budgets exceeded"
	says '| a\|b&lt;c>\`d\`'
	says "| alpha 1.0 | 1.00 MB | 2.00 MB | +1.00 MB |"
}

test_hostile_names_stay_data() {
	local bad=$'x\x01\x1b[31m\xff\xc3\x28\xed\xa0\x80\xef\xbf\xbf]]>"<&\'|é\n::error::'
	wheel tree alpha 1.0 1000
	mkdir -p "$bad"
	echo x >"$bad/x"
	for format in text csv junit sarif markdown github json; do
		GITHUB_STEP_SUMMARY=$PWD/summary exits 1 "$SOFOLD" guard tree "$bad" --format $format \
			-b unzipped=1 -b "$bad=0" -b "*$bad*=1GB"
		! grep -q $'\x01\|\x1b' out || fail "a control character in $format"
		! grep -q '^::error::' out || fail "a forged annotation in $format"
	done
	"$SOFOLD" guard tree "$bad" --format junit -b "$bad=0" >j.xml
	is_valid_junit j.xml
	"$SOFOLD" guard tree "$bad" --format sarif -b unzipped=1 >s.json || true
	is_valid sarif-schema-2.1.0.json s.json
	"$SOFOLD" guard tree "$bad" --format json -b "$bad=0" >g.json
	is_valid sofold-guard-1.json g.json
}

test_writes_several_reports() {
	wheel tree alpha 1.0 2000000
	exits 1 "$SOFOLD" guard tree -b unzipped=1MB --report junit=g.xml --report sarif=g.sarif \
		--report csv=g.csv --report json=g.json --report markdown=g.md --report text=g.txt
	says "FAILED: 1 of 1 budgets exceeded"
	cmp out g.txt
	is_valid_junit g.xml
	is_valid sarif-schema-2.1.0.json g.sarif
	is_valid sofold-guard-1.json g.json
	[ "$(stat -c %a g.csv)" = 644 ]
	[ "$(ls | wc -l)" -eq 9 ] || fail "something else was left: $(ls)"
	"$SOFOLD" guard tree --report json=- >g.json
	is_valid sofold-guard-1.json g.json
	exits 0 "$SOFOLD" guard tree -q --report csv=q.csv
	[ ! -s out ] && [ -s q.csv ]
	printf 'reports:\n- {format: csv, file: from-config.csv}\n' >.sofold.yml
	exits 0 "$SOFOLD" guard tree
	[ -s from-config.csv ]
	rm from-config.csv
	exits 0 "$SOFOLD" guard tree --report csv=flag.csv
	[ ! -e from-config.csv ]
}

test_summary_is_appended_once() {
	wheel tree alpha 1.0 2000000
	echo before >summary
	GITHUB_STEP_SUMMARY=$PWD/summary exits 1 "$SOFOLD" guard tree -b unzipped=1MB --format github \
		--report github=notes
	[ "$(head -1 summary)" = before ]
	[ "$(grep -c '### sofold guard' summary)" -eq 1 ]
	grep -q '^::error' notes
	GITHUB_STEP_SUMMARY=/nowhere/summary exits 3 "$SOFOLD" guard tree --format github
	says "/nowhere/summary"
}

test_report_mistakes() {
	mkdir tree
	exits 2 "$SOFOLD" guard tree --report junit
	exits 2 "$SOFOLD" guard tree --report xml=x
	says "there is no format 'xml'"
	exits 2 "$SOFOLD" guard tree --report csv=- --report json=-
	exits 2 "$SOFOLD" guard tree --format xml
	exits 2 "$SOFOLD" audit tree --format csv
	exits 3 "$SOFOLD" guard tree --report csv=no/such/dir.csv
	says "writing the report no/such/dir.csv: No such file"
	exits 3 "$SOFOLD" guard tree --report csv=/dev/full
	[ -c /dev/full ]
	printf 'reports:\n- format: xml\n  file: x\n' >.sofold.yml
	exits 2 "$SOFOLD" guard tree
	says ".sofold.yml:2: there is no format 'xml'"
}

run_cases
