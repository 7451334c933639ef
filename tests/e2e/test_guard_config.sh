#!/bin/bash
# .sofold.yml: which file is read, what wins over it, and where mistakes are.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/guard_lib.sh"

# tree: 2 MB, and a file of budgets that it exceeds.
layer_over_budget() {
	wheel tree alpha 1.0 2000000
	printf 'budgets:\n  - what: unzipped\n    max: 1MB\n' >"$1"
}

test_reads_the_file_of_the_directory() {
	layer_over_budget .sofold.yml
	exits 1 "$SOFOLD" guard tree
	says "FAILED: 1 of 1 budgets exceeded"
	exits 0 "$SOFOLD" guard tree --no-config
	says "no budget"
	exits 0 "$SOFOLD" guard tree --config none
	SOFOLD_CONFIG=none exits 0 "$SOFOLD" guard tree
}

test_reads_the_file_it_is_told() {
	layer_over_budget ci.yml
	exits 0 "$SOFOLD" guard tree
	exits 1 "$SOFOLD" guard tree --config ci.yml
	exits 1 "$SOFOLD" guard --config=ci.yml tree
	SOFOLD_CONFIG=ci.yml exits 1 "$SOFOLD" guard tree
	SOFOLD_CONFIG=absent.yml exits 1 "$SOFOLD" guard tree --conf ci.yml
	SOFOLD_CONFIG=absent.yml exits 2 "$SOFOLD" guard tree
	says "absent.yml: No such file"
}

test_flags_win_over_environment_over_file() {
	layer_over_budget .sofold.yml
	exits 0 "$SOFOLD" guard tree -b unzipped=3MB
	says "ok: 1 budget,"
	exits 1 "$SOFOLD" guard tree -b native=3MB
	says "FAILED: 1 of 2 budgets"
	printf 'platform: generic-x86_64\nwarn_at: 10\nbaseline: file.json\n' >.sofold.yml
	exits 3 "$SOFOLD" guard tree
	says "file.json"
	SOFOLD_BASELINE=env.json exits 3 "$SOFOLD" guard tree
	says "env.json"
	SOFOLD_BASELINE=env.json exits 0 "$SOFOLD" guard tree --baseline flag.json --update-baseline
	[ -f flag.json ]
	exits 0 "$SOFOLD" guard tree -b unzipped=9MB --baseline flag.json
	says "1 warning"
	SOFOLD_WARN_AT=50% exits 0 "$SOFOLD" guard tree -b unzipped=9MB --baseline flag.json
	says "0 warnings"
	SOFOLD_WARN_AT=50% exits 0 "$SOFOLD" guard tree -b unzipped=9MB --baseline flag.json --warn-at 20
	says "1 warning"
	exits 0 "$SOFOLD" audit tree
	says "platform generic-x86_64"
	SOFOLD_PLATFORM=generic-aarch64 exits 0 "$SOFOLD" audit tree
	says "platform generic-aarch64"
	SOFOLD_PLATFORM=generic-aarch64 exits 0 "$SOFOLD" audit tree -p generic-x86_64
	says "platform generic-x86_64"
}

test_passes_and_levels_reach_audit_and_shrink() {
	duplicate one two
	mkdir tree
	mv one two tree
	exits 0 "$SOFOLD" audit tree
	says "reclaimable       1"
	exits 0 "$SOFOLD" shrink -n tree
	says "1 deleted"
	printf 'only: [strip]\nlevel: safe\n' >.sofold.yml
	exits 0 "$SOFOLD" audit tree
	says "reclaimable       0"
	exits 0 "$SOFOLD" shrink -n tree
	says "0 deleted"
	exits 0 "$SOFOLD" shrink -n tree --only dedupe
	says "1 deleted"
	exits 2 "$SOFOLD" shrink -n tree --skip strip
	says "no pass is left to run"
	exits 2 "$SOFOLD" shrink -n tree --only trim,strip
	says "trim is for --level default and max"
	printf 'only: [strip]\nskip:\n - strip\n' >.sofold.yml
	exits 2 "$SOFOLD" audit tree
	says "sofold: .sofold.yml:1: only and skip: no pass is left to run"
}

# refused LINE TEXT MESSAGE
refused() {
	printf '%b' "$2" >.sofold.yml
	local command
	for command in audit guard "shrink -n"; do
		exits 2 "$SOFOLD" $command tree
		says "sofold: .sofold.yml:$1: $3"
		[ "$(wc -l <out)" -eq 1 ] || fail "more than a line: $(cat out)"
	done
}

test_mistakes_have_file_and_line() {
	mkdir tree
	refused 2 'level: safe\nbogus: 1\n' "unknown key 'bogus'"
	refused 2 '\nlevel: fast\n' "level is safe, default or max, not 'fast'"
	refused 3 'skip:\n- strip\n- squash\n' "unknown pass 'squash'"
	refused 1 'only: [strip]\nskip: [strip]\n' "only and skip: no pass is left to run"
	refused 2 'level: max\nonly: [trim, dedupe]\n' "only and skip: trim works only together with strip"
	refused 1 'skip: strip\n' "skip takes a list, not one value"
	refused 3 'budgets:\n- what: zipped\n  max: 5 megs\n' "'5 megs' is no size"
	refused 1 'warn_at: most\n' "'most' is no percentage"
	refused 2 'level: safe\n\tx\n' ""
	exits 0 "$SOFOLD" guard --help
	says "Usage"
}

test_odd_files_are_no_configuration() {
	mkdir tree .sofold.yml
	exits 2 "$SOFOLD" guard tree
	says ".sofold.yml: not a regular file"
	rmdir .sofold.yml
	mkfifo .sofold.yml
	exits 2 timeout 10 "$SOFOLD" guard tree
	rm .sofold.yml
	head -c 2000000 /dev/zero | tr '\0' '[' >.sofold.yml
	exits 2 timeout 10 "$SOFOLD" guard tree
	says "larger than"
	truncate -s 1000000 .sofold.yml
	exits 2 timeout 10 "$SOFOLD" guard tree
	says "nested deeper"
	SOFOLD_PLATFORM=windows exits 2 "$SOFOLD" guard tree --no-config
	says "SOFOLD_PLATFORM"
	SOFOLD_WARN_AT=most exits 2 "$SOFOLD" guard tree --no-config
	says "SOFOLD_WARN_AT"
}

run_cases
