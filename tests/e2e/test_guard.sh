#!/bin/bash
# The guard: budgets over directories and zips, baselines, what CI sees.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guard_lib.sh"

test_sums_directories_and_zips() {
	need zip
	wheel layer/python alpha 1.0 3000000
	wheel function beta 2.0 1000000
	(cd function && zip -qr ../function.zip .)
	exits 0 "$SOFOLD" guard layer function.zip -b unzipped=5MB -b wheel:alpha=3.1MB -b layers=1
	says "ok: 3 budgets"
	exits 1 "$SOFOLD" guard layer function.zip -b unzipped=4MB
	says "FAILED: 1 of 1 budgets exceeded"
	"$SOFOLD" guard layer function.zip -b zipped=1 --format json >json
	"$PYTHON" - <<-'END'
		import json
		report = json.load(open("json"))
		assert report["totals"]["layers"] == 1, report
		assert report["totals"]["zipped"] is None, report
		assert report["budgets"][0]["state"] == "unknown", report
		sizes = {wheel["name"]: wheel["bytes"] for wheel in report["wheels"]}
		assert 3000000 <= sizes["alpha"] < 3000100 and 1000000 <= sizes["beta"] < 1000100, sizes
	END
	exits 1 "$SOFOLD" guard function.zip -b zipped=100
}

test_counts_hard_links_as_files() {
	wheel tree alpha 1.0 500000
	ln tree/alpha/data.bin tree/alpha/again.bin
	exits 1 "$SOFOLD" guard tree -b unzipped=999999
	exits 0 "$SOFOLD" guard tree -b unzipped=1001000
}

test_warns_near_a_limit() {
	wheel tree alpha 1.0 950000
	exits 0 "$SOFOLD" guard tree -b unzipped=1MB
	says "near"
	says "ok: 1 budget, 1 warning"
	exits 0 "$SOFOLD" guard tree -b unzipped=1MB --warn-at 99%
	says "0 warnings"
}

# One that nothing answers to is kept, since a layer may be without that wheel; but it is told.
test_counts_unknown_budgets() {
	wheel tree alpha 1.0 1000
	exits 0 "$SOFOLD" guard tree -b wheel:alhpa=1MB -b unzipped=1MB
	says "ok: 2 budgets, 0 warnings, 1 unknown"
}

test_limits_paths_by_glob() {
	wheel tree alpha 1.0 5000
	wheel tree beta 1.0 7000
	exits 0 "$SOFOLD" guard tree -b '*/data.bin=12000'
	exits 1 "$SOFOLD" guard tree -b 'beta/*.bin=6999'
	says "beta/*.bin"
}

test_compares_with_a_baseline() {
	wheel tree alpha 1.0 100000
	wheel tree beta 1.0 100000
	exits 3 "$SOFOLD" guard tree --baseline base.json --max-increase 2%
	says "base.json"
	exits 0 "$SOFOLD" guard tree --baseline base.json --update-baseline
	cp base.json first.json
	exits 0 "$SOFOLD" guard tree --baseline base.json --update-baseline
	cmp base.json first.json
	exits 0 "$SOFOLD" guard tree --baseline base.json --max-increase 0
	rm -r tree/alpha*
	wheel tree alpha 2.0 150000
	exits 1 "$SOFOLD" guard tree --baseline base.json --max-increase 20%
	says "alpha 1.0 -> 2.0"
	says "+50.0 kB"
	exits 0 "$SOFOLD" guard tree --baseline base.json --max-increase 30%
	exits 0 "$SOFOLD" guard tree --baseline base.json --max-increase wheel:beta=0
	exits 1 "$SOFOLD" guard tree --baseline base.json --max-increase wheel:alpha=1kB --update-baseline
	cmp base.json first.json
}

test_a_broken_baseline_is_named() {
	wheel tree alpha 1.0 10
	echo '{"schema_version": 1,' >base.json
	exits 3 "$SOFOLD" guard tree --baseline base.json --max-increase 1%
	says "the baseline base.json, line"
	mkdir ro
	exits 3 "$SOFOLD" guard tree --baseline ro/none/base.json --update-baseline
	says "writing the baseline ro/none/base.json"
}

test_says_what_shrink_would_free() {
	mkdir -p one two
	so one/liba-11111111.so soname=liba-11111111.so <<<'int a(void) { return 1; }'
	cp one/liba-11111111.so two/liba-11111111.so
	exits 1 "$SOFOLD" guard . -b native=1
	says "sofold shrink . --only strip"
	says "too little for native"
}

test_says_which_options_bring_it_under() {
	duplicate one two
	mkdir "it's"
	mv one two "it's"
	local bytes
	bytes=$(find "it's" -type f -printf '%s\n' | awk '{ s += $1 } END { print s }')
	exits 1 "$SOFOLD" guard "it's" -b unzipped=$((bytes - 400000))
	says "--only strip"
	says "So it fits:"
	says "sofold shrink 'it'\\''s' --level safe"
	cp -r "it's" copy
	"$SOFOLD" shrink copy --level safe >/dev/null
	exits 0 "$SOFOLD" guard copy -b unzipped=$((bytes - 400000))
	printf 'level: safe\n' >.sofold.yml
	exits 1 "$SOFOLD" guard "it's" -b unzipped=100000
	says "--level default --merge all"
	rm .sofold.yml
	exits 1 "$SOFOLD" guard "it's" -b unzipped=100000
	says "Nothing is enough"
	says "too little for unzipped"
	"$SOFOLD" guard "it's" -b unzipped=100000 --format json >json || true
	"$PYTHON" - <<-'END'
		import json
		remedies = json.load(open("json"))["remedies"]
		assert [r["options"] for r in remedies] == ["--only strip", "--level safe", "", "--level max",
		                                           "--merge all", "--level max --merge all"]
		assert not any(r["enough"] for r in remedies) and remedies[1]["frees_bytes"] > 500000, remedies
		assert all(r["missing_bytes"] > 0 and r["lacking"] == "unzipped" for r in remedies), remedies
	END
}

test_says_which_duplicates_appeared() {
	duplicate one two
	mkdir tree
	mv one tree
	exits 0 "$SOFOLD" guard tree --baseline b.json --update-baseline
	mv two tree
	exits 0 "$SOFOLD" guard tree --baseline b.json
	says "Duplicates that appeared"
	says "libdup-one.so"
	for format in junit sarif markdown; do
		exits 1 "$SOFOLD" guard tree --baseline b.json --max-increase 0 --format $format
		says "libdup-one.so"
		says "sofold shrink tree --level safe"
	done
	exits 0 "$SOFOLD" guard tree --baseline b.json --update-baseline
	exits 0 "$SOFOLD" guard tree --baseline b.json
	! grep -q appeared out
	"$PYTHON" - <<-'END'
		import json
		old = json.load(open("b.json"))
		assert old["schema_version"] == 1 and len(old["families"]) == 1, old
		del old["families"]
		json.dump(old, open("b.json", "w"))
	END
	exits 0 "$SOFOLD" guard tree --baseline b.json
	! grep -q appeared out
}

test_speaks_to_github() {
	wheel tree alpha 1.0 2000
	GITHUB_STEP_SUMMARY=$PWD/summary exits 1 "$SOFOLD" guard tree --format github \
		-b 'alpha/*%|x=0' -b unzipped=1kB -b native=1kB
	[ "$(grep -c '^::' out)" -eq 1 ] || fail "$(cat out)"
	says "::error title=sofold guard::unzipped is 2.0 kB, over the limit of 1.0 kB (--budget)"
	grep -F '| alpha/*%\|x |' summary | grep -q unknown
	! "$SOFOLD" guard tree -b unziped=1MB 2>err
	has err "unknown budget 'unziped'"
	exits 2 "$SOFOLD" audit tree --format github
}

test_lambda_has_limits() {
	mkdir -p tree/python
	truncate -s 262144001 tree/python/big
	exits 1 "$SOFOLD" guard tree --platform lambda-python3.12-x86_64
	says "over"
	truncate -s 262144000 tree/python/big
	exits 0 "$SOFOLD" guard tree --platform lambda-python3.12-x86_64
	for n in 1 2 3 4 5; do mkdir -p "l$n/python" && echo >"l$n/python/x"; done
	rm tree/python/big
	echo >tree/python/x
	exits 1 "$SOFOLD" guard tree l1 l2 l3 l4 l5 --platform lambda-python3.12-x86_64
	says "layers"
}

test_mistakes_are_usage_errors() {
	mkdir tree
	exits 2 "$SOFOLD" guard tree -b 250MB
	exits 2 "$SOFOLD" guard tree -b unzipped=1.23456789MB
	exits 2 "$SOFOLD" guard tree --max-increase 2%
	exits 2 "$SOFOLD" guard tree --update-baseline
	exits 2 "$SOFOLD" guard tree --warn-at 101
	exits 2 "$SOFOLD" guard
	exits 3 "$SOFOLD" guard nowhere -b unzipped=1
	says "nowhere"
}

run_cases
