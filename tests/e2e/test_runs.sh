#!/bin/bash
# What may be relied on from run to run: twice is once, a dry run says what a
# real one does, -o leaves the original alone, the same input gives the same
# bytes, and what is not bytes (modes, times) is kept.
. "$(dirname "$0")/lib.sh"

test_twice_is_once() {
	two_wheels tree
	sofold shrink tree
	digest tree >once
	sofold shrink tree
	digest tree >twice
	cmp once twice
	is staging "$(find tree -name '.sofold*' | wc -l)" 0
}

test_dry_run_says_what_happens_and_writes_nothing() {
	two_wheels tree
	digest tree >before
	stat -c '%y' tree tree/* >times
	sofold shrink -n --format json tree
	cp out dry
	digest tree >after
	cmp before after
	stat -c '%y' tree tree/* | cmp - times
	sofold shrink --format json tree
	json dry 'd["dry_run"]' | grep -qx True
	json out 'd["dry_run"]' | grep -qx False
	[ "$(json dry 'len(d["changes"])')" -gt 3 ]
	is plans "$(json out '{k: v for k, v in d.items() if k != "dry_run"}')" \
		"$(json dry '{k: v for k, v in d.items() if k != "dry_run"}')"
}

test_dry_run_sizes_are_true() {
	two_wheels tree
	sofold shrink -n --format json tree
	cp out dry
	sofold shrink tree
	is bytes "$(json dry 'd["bytes_after"]')" "$(find tree -type f -printf '%s\n' | paste -sd+ | bc)"
	json dry '"\n".join(c["path"] + " " + str(c["bytes_after"]) for c in d["changes"] if c["action"] not in ("delete", "prune"))' |
		while read -r path bytes; do
			is "$path" "$(stat -c %s "tree/$path")" "$bytes"
		done
}

test_output_leaves_the_original() {
	two_wheels tree
	digest tree >before
	stat -c '%y %n' $(find tree -type d) >times
	sofold shrink -o new tree
	digest tree >after
	cmp before after
	stat -c '%y %n' $(find tree -type d) | cmp - times
	sofold shrink tree
	digest tree >in-place
	digest new >copy
	cmp in-place copy
}

test_output_must_not_exist() {
	two_wheels tree
	mkdir new
	exits 3 "$SOFOLD" shrink -o new tree
	has err new
	is entries "$(ls -A new | wc -l)" 0
	touch file
	exits 3 "$SOFOLD" shrink -o file tree
	[ -f file ]
}

# A mistake that is found late must not leave half a copy behind.
test_failed_output_is_removed() {
	exits 3 "$SOFOLD" shrink -o new nowhere
	[ ! -e new ]
	two_wheels tree
	exits 3 "$SOFOLD" shrink -o new --run /no/such/python tree
	[ ! -e new ]
}

# interrupt, as often as the command is done before the signal reaches it: on a
# busy machine a copy may be.
interrupt_in_time() {
	local became=0 tries
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		became=$(interrupt "$@")
		[ "$became" = 0 ] || break
		rm -rf new
	done
	echo "$became"
}

# A Python that says that it has been asked, and takes its time.
slow_python() {
	printf '#!/bin/sh\ntouch "%s/asked"\nexec sleep 20\n' "$PWD" >slow
	chmod +x slow
}

test_interrupted_output_is_removed() {
	local name
	two_wheels tree
	mkdir tree/data
	(cd tree/data && seq 5000 | xargs touch)
	digest tree >before
	slow_python
	for name in SIGINT SIGTERM SIGHUP SIGQUIT; do
		is "$name while copying" "$(interrupt_in_time $name '.new.*/*' "$SOFOLD" shrink -o new tree)" killed
		is "entries after $name" "$(ls -A | grep -c new)" 0
		rm -f asked
		is "$name while importing" "$(interrupt $name asked "$SOFOLD" shrink -o new --run ./slow tree)" killed
		is "entries after $name" "$(ls -A | grep -c new)" 0
	done
	digest tree | cmp - before
}

# python_once NAME COMMAND: a Python that asks before the change, and is COMMAND after it.
python_once() {
	cat >"$1" <<-END
		#!/bin/sh
		if [ -e "$PWD/imported" ]; then $2; fi
		touch "$PWD/imported"
		exec "$PYTHON" "\$@"
	END
	chmod +x "$1"
}

# The layer is in its new state by then, and the way back still there.
test_interrupted_run_in_place_is_taken_back() {
	local name
	two_wheels tree
	digest tree >before
	python_once slow-later "touch '$PWD/asked'; exec sleep 20"
	for name in SIGINT SIGTERM SIGHUP SIGQUIT; do
		rm -f asked imported
		is "$name" "$(interrupt $name asked "$SOFOLD" shrink --run ./slow-later tree)" killed
		digest tree | cmp - before
		is staging "$(find tree -name '.sofold*' | wc -l)" 0
	done
	sofold shrink tree
	python tree 'import one, two'
}

# Whoever runs out of memory takes nothing back: the one who has waited does. The
# interpreter answers without end once the layer is in its new state.
test_worker_that_gives_up_is_taken_back() {
	[ -z "$SANITIZE" ] || skip "a sanitizer's shadow takes more memory than that"
	two_wheels tree
	digest tree >before
	python_once endless "exec yes '0	$(printf %300s | tr ' ' x)'"
	(ulimit -v 200000 && exits 3 "$SOFOLD" shrink --run ./endless tree)
	has err "out of memory"
	has err "tree is back as it was before it"
	digest tree | cmp - before
	is staging "$(find tree -name '.sofold*' | wc -l)" 0
}

# The interpreter must not go on writing, nor sleeping, when nobody waits for it.
test_interrupted_run_leaves_no_process() {
	two_wheels tree
	printf '#!/bin/sh\ncd "%s"\nsleep 54321 &\necho $! >sleeper\ntouch asked\nwait\n' "$PWD" >slow
	chmod +x slow
	is SIGTERM "$(interrupt SIGTERM asked "$SOFOLD" shrink --run ./slow tree)" killed
	! kill -0 "$(cat sleeper)" 2>/dev/null || fail "it sleeps on"
}

test_lost_report_is_told() {
	two_wheels tree
	exits 3 sh -c '"$0" shrink tree >/dev/full' "$SOFOLD"
	has err "tree is shrunk; only the report is lost"
	sofold shrink --check tree
}

test_platform_of_another_machine() {
	local other=aarch64
	two_wheels tree
	[ "$(uname -m)" = x86_64 ] || other=x86_64
	digest tree >before
	exits 2 "$SOFOLD" shrink -p "lambda-python3.12-$other" tree
	has err "none of its native files is for the machine of lambda-python3.12-$other"
	digest tree | cmp - before
}

# Nobody can clean up after SIGKILL; but what is called NEW is whole.
test_killed_output_is_not_called_new() {
	two_wheels tree
	slow_python
	is status "$(interrupt SIGKILL asked "$SOFOLD" shrink -o new --run ./slow tree)" killed
	[ ! -e new ]
	sofold shrink -o new tree
	python new 'import one, two'
}

test_output_is_called_by_its_name() {
	two_wheels tree
	exits 3 "$SOFOLD" shrink -o nowhere/new tree
	has err "making nowhere/new: No such file"
	mkdir empty
	"$SOFOLD" shrink -o new/ empty >out 2>err
	is stderr "$(cat err)" "sofold: new/: no native files found"
	exits 3 "$SOFOLD" shrink -o tree/new tree
	has err "into itself"
	hasnt err .sofold-
	mkdir tree/three
	answers "tree/three/_three$SUFFIX" broken
	so "tree/three/_three$SUFFIX" <<<'void nowhere_defined(void); void *PyInit__three(void); void *PyInit__three(void) { nowhere_defined(); return 0; }'
	rm -r tree/one tree/two
	exits 3 "$SOFOLD" shrink -o other --run "$PYTHON" tree
	has err "imports none of"
	has err "$PWD/other/three"
	hasnt err .sofold-
}

test_check() {
	two_wheels tree
	digest tree >before
	exits 1 "$SOFOLD" shrink --check tree
	digest tree >after
	cmp before after
	sofold shrink tree
	exits 0 "$SOFOLD" shrink --check tree
}

test_only_and_skip() {
	local size
	two_wheels tree
	strip -g -o /dev/null "tree/one/_one$SUFFIX"
	size=$(stat -c %s "tree/one/_one$SUFFIX")
	cp -a tree dedupe && cp -a tree strip && cp -a tree neither
	sofold shrink --only dedupe dedupe
	is copies "$(find dedupe -name 'libanswer*' | wc -l)" 1
	is "size of what is not relinked" "$(stat -c %s "dedupe/one/_one$SUFFIX")" "$size"
	readelf -SW "$(find dedupe -name 'libanswer*')" | grep -q '\.symtab'
	sofold shrink --only strip strip
	is copies "$(find strip -name 'libanswer*' | wc -l)" 2
	[ "$(stat -c %s "strip/one/_one$SUFFIX")" -lt "$size" ]
	sofold shrink --skip prune,dedupe,strip neither
	diff -r tree neither
	is answers "$(python dedupe 'import one, two; print(one.ask(), two.ask())')" "42 42"
	is answers "$(python strip 'import one, two; print(one.ask(), two.ask())')" "42 42"
	# One after the other is as good as both at once.
	sofold shrink dedupe
	sofold shrink strip
	diff -r dedupe strip
}

# The order in which a directory lists its entries, and where the tree is,
# change nothing.
test_same_input_same_bytes() {
	two_wheels tree
	mkdir -p elsewhere/b
	(cd tree && find . | LC_ALL=C sort -r | tar -c --format=posix --no-recursion -T - -f ../tar)
	tar -xpf tar -C elsewhere/b
	sofold shrink --format json tree
	cp out first
	"$SOFOLD" shrink --format json elsewhere/b >second
	cmp first second
	digest tree >a
	digest elsewhere/b >b
	cmp a b
}

test_modes_and_times_are_kept() {
	local file
	two_wheels tree
	file="tree/two/_two$SUFFIX"
	chmod 640 "$file"
	touch -d '2001-02-03 04:05:06.123456789' "$file"
	chmod 444 tree/one.libs/*
	stat -c '%a %y' "$file" tree/one.libs/* >before
	sofold shrink tree
	stat -c '%a %y' "$file" tree/one.libs/* | cmp - before
}

# Bytecode stays valid because sources keep their times.
test_bytecode_stays_valid() {
	two_wheels tree
	PYTHONDONTWRITEBYTECODE= "$PYTHON" -m compileall -q tree
	digest tree/one/__pycache__ >before
	shrink tree
	PYTHONDONTWRITEBYTECODE= python tree 'import one, two'
	digest tree/one/__pycache__ >after
	cmp before after
}

test_read_only_tree() {
	two_wheels tree
	chmod -R a-w tree
	digest tree >before
	give_away
	rc=0
	unprivileged "$SOFOLD" shrink tree >out 2>err || rc=$?
	is status $rc 3
	digest tree >after
	cmp before after
	unprivileged "$SOFOLD" audit tree >out 2>err
}

test_empty_layer() {
	local command
	mkdir tree
	# Most likely the path is wrong, so each says so.
	for command in audit shrink verify; do
		"$SOFOLD" $command tree 2>err
		is "$command" "$(cat err)" "sofold: tree: no native files found"
	done
	is entries "$(ls -A tree | wc -l)" 0
}

# Two runs at once: one does the work, the other waits or says so; the layer
# is as after one.
test_two_runs_at_once() {
	two_wheels tree
	cp -a tree alone
	sofold shrink alone
	"$SOFOLD" shrink tree >out1 2>err1 &
	"$SOFOLD" shrink tree >out2 2>err2 || true
	wait $! || true
	digest tree >a
	digest alone >b
	cmp a b
}

run_cases
