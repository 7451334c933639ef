#!/bin/bash
# What guard's advice is worth: shrink carries it out, and guard passes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guard_lib.sh"

# package TREE NAME BYTES TESTS: a wheel of a module with BYTES of data and TESTS
# of tests.
package() {
	mkdir -p "$1/$2/tests"
	echo "x = 1" >"$1/$2/__init__.py"
	head -c "$3" /dev/zero >"$1/$2/data.bin"
	echo "import $2" >"$1/$2/tests/__init__.py"
	head -c "$4" /dev/zero >"$1/$2/tests/data.bin"
	record "$1" "$2" 1.0
}

# remedies GUARD-ARGUMENTS...: "OPTIONS=BYTES" a line.
remedies() {
	"$SOFOLD" guard "$@" -b unzipped=1 --format json >json || true
	"$PYTHON" -c 'import json
for r in json.load(open("json"))["remedies"]: print("%s=%d" % (r["options"], r["frees_bytes"]))'
}

# frees LAYER OPTIONS...: what shrink -n says.
frees() {
	"$SOFOLD" shrink -n "$@" --format json >dry
	"$PYTHON" -c 'import json
d = json.load(open("dry")); print(d["bytes_before"] - d["bytes_after"])'
}

# agree LAYER [BYTES]: each remedy frees what shrink -n says, but for 100 bytes.
agree() {
	local options bytes wanted most=${2:-100}
	while IFS== read -r options bytes; do
		wanted=$(frees "$1" $options)
		[ $((wanted - bytes)) -lt $most ] && [ $((bytes - wanted)) -lt $most ] ||
			fail "shrink $options: predicted $bytes, it frees $wanted"
	done < <(remedies "$1")
}

test_counts_what_is_left_out() {
	package tree alpha 50000 300000
	agree tree
	[ "$(remedies tree | sed -n 's/^=//p')" -gt 300000 ]
	[ "$(remedies tree | sed -n 's/^--only strip=//p')" -eq 0 ]
	exits 1 "$SOFOLD" guard tree -b unzipped=100000
	says "So it fits:"
	says "sofold shrink tree"
	exits 1 "$SOFOLD" guard tree -b wheel:alpha=100000 -b 'alpha/tests/*=0'
	says "So it fits:"
}

test_counts_what_imports_bring_back() {
	package tree alpha 50000 300000
	echo "import alpha.tests" >tree/app.py
	agree tree
	exits 1 "$SOFOLD" guard tree -b unzipped=100000
	says "Nothing is enough"
}

test_counts_by_the_configuration() {
	package tree alpha 50000 300000
	printf 'prune:\n  keep: [alpha/tests]\n' >.sofold.yml
	agree tree
	exits 1 "$SOFOLD" guard tree -b unzipped=100000
	says "Nothing is enough"
	printf 'prune:\n  remove: [alpha/data.bin]\n' >.sofold.yml
	agree tree
	printf 'skip: [prune]\n' >.sofold.yml
	[ "$(remedies tree | sed -n 's/^=//p')" -eq 0 ]
	printf 'prune:\n  bytecode: compile\n' >.sofold.yml
	exits 1 "$SOFOLD" guard tree -b unzipped=100000
	says "Not counted of tree: the bytecode that will be compiled"
	printf 'prune:\n  profile: least\n' >.sofold.yml
	exits 2 "$SOFOLD" guard tree
	says ".sofold.yml:2: profile is"
}

test_counts_native_tests_and_merged_copies() {
	duplicate one two
	mkdir tree
	mv one two tree
	package tree alpha 1000 1000
	cp tree/one/libdup-one.so tree/alpha/tests/libdup-again.so
	record tree alpha 1.0
	agree tree 4096 # a search path may need a page
	exits 1 "$SOFOLD" guard tree -b native=600000 -b duplicates=0
	says "So it fits:"
	"$SOFOLD" shrink tree >/dev/null
	exits 0 "$SOFOLD" guard tree -b native=600000 -b duplicates=0
}

test_archives_are_counted_without() {
	need zip
	package tree alpha 50000 300000
	(cd tree && zip -qr ../layer.zip .)
	[ "$(remedies layer.zip | sed -n 's/^=//p')" -eq 0 ]
	exits 1 "$SOFOLD" guard layer.zip -b unzipped=100000
	says "Not counted of layer.zip: what the pass prune takes out; unpack the archive"
}

test_budgets_are_judged_whatever_shrink_would_say() {
	package tree alpha 50000 300000
	printf 'prune:\n  botocore_services: [s3]\n' >.sofold.yml
	exits 2 "$SOFOLD" shrink -n tree
	exits 0 "$SOFOLD" guard tree -b unzipped=1MB
	exits 1 "$SOFOLD" guard tree -b unzipped=100000
	tr -s ' \n' '  ' <out | grep -qF "(--botocore-services: there is no botocore/data/s3" || fail "$(cat out)"
}

test_hints_at_services() {
	package tree botocore 1000 10
	mkdir -p tree/botocore/data/{s3,ec2}/2006-03-01
	head -c 300000 /dev/zero | tee tree/botocore/data/{s3,ec2}/2006-03-01/service-2.json >/dev/null
	record tree botocore 1.0
	exits 1 "$SOFOLD" guard tree -b unzipped=400000
	says "600.0 kB describe AWS services; --botocore-services s3,... keeps yours alone"
	printf 'prune:\n  botocore_services: [s3]\n' >.sofold.yml
	agree tree
	exits 1 "$SOFOLD" guard tree -b unzipped=400000
	says "So it fits:"
	rm .sofold.yml
	"$SOFOLD" shrink tree --botocore-services s3 >/dev/null
	exits 0 "$SOFOLD" guard tree -b unzipped=400000
}

test_reads_nothing_when_all_is_well() {
	package tree alpha 50000 300000
	chmod 000 tree/alpha/__init__.py
	unprivileged "$SOFOLD" guard tree -b unzipped=1MB >out 2>err
	[ ! -s err ] || fail "$(cat err)"
}

# The whole of it: a pull request adds a wheel, the build fails and says what to
# do, that is done, the build passes and the new baseline is committed.
test_a_build_is_brought_under_by_its_advice() {
	duplicate one two
	mkdir layer
	mv one layer
	package layer alpha 400000 50000
	cat >.sofold.yml <<-END
		baseline: sizes.json
		budgets:
		  - {what: unzipped, max: 1.2MB, max_increase: 10%}
		  - {what: 'wheel:alpha', max: 500kB}
	END
	cat >ci.sh <<-'END'
		"$SOFOLD" guard layer --report junit=guard.xml --report sarif=guard.sarif "$@"
	END
	export SOFOLD
	exits 0 bash ci.sh --update-baseline
	cp sizes.json first.json
	mv two layer
	package layer beta 20000 200000
	exits 1 bash ci.sh --update-baseline
	cmp sizes.json first.json
	says "FAILED: 2 of 3 budgets exceeded"
	says "beta 1.0 (new)"
	says "Duplicates that appeared"
	says "So it fits:"
	"$PYTHON" - <<-'END'
		import json, xml.etree.ElementTree as ET
		cases = {case.get("name"): case for case in ET.parse("guard.xml").iter("testcase")}
		failed = sorted(name for name, case in cases.items() if case.find("failure") is not None)
		assert failed == ["unzipped", "unzipped, growth"], failed
		results = [r for r in json.load(open("guard.sarif"))["runs"][0]["results"] if r["level"] == "error"]
		assert [r["ruleId"] for r in results] == ["unzipped", "unzipped"], results
		for text in cases["unzipped"].find("failure").text, results[1]["message"]["text"]:
		    assert "beta 1.0 (new): +" in text, text
		    advice = [line for line in text.split("\n") if line.startswith("sofold shrink ")]
		    assert advice == ["sofold shrink layer"], text
		open("advice.sh", "w").write(advice[0].replace("sofold", '"$SOFOLD"', 1))
	END
	bash advice.sh >/dev/null
	[ ! -e layer/beta/tests ] && [ ! -e layer/two/libdup-two.so ]
	records_hold layer
	PYTHONPATH=layer "$PYTHON" -c 'import alpha, beta'
	exits 0 bash ci.sh --update-baseline
	says "ok: 3 budgets"
	! cmp -s sizes.json first.json
	exits 0 bash ci.sh
}

run_cases
