# shellcheck shell=bash disable=SC2154,SC2153 # run.sh and lib.sh have the variables
# The small OpenBLAS of fixtures/trim, trimmed in every way; sourced by run.sh.
#
# Why: what is there only once in real libraries, or needs a processor, is there here on
# purpose, in seconds and without a network.
# How: ask() of its user gives the results of all calls. They are those of the untouched
# library for a core that stays, and those of the fallback for one that goes.

# One shape at a time: how ask() is called, by what compiler it was built.
run=() compiler='' goes=() stays=() fallback='' machine=''

on_x86() { # compiler
	compiler=$1 machine=x86_64
	goes=(Prescott Nehalem Sandybridge) stays=(Haswell Zen SkylakeX Cooperlake) fallback=Haswell
	run=("$ROOT/build/trim/load")
}

on_arm() {
	compiler=aarch64-linux-gnu-gcc machine=aarch64
	goes=(cortexa53 thunderx tsv110) stays=(armv8 neoversen1 neoversev1) fallback=armv8
	run=(qemu-aarch64 -cpu neoverse-n1 -L /usr/aarch64-linux-gnu "$ROOT/build/trim/load.arm")
}

# asked TREE CORE: the core's name and block, and a sum of all else that is said.
asked() {
	OPENBLAS_CORETYPE=$2 in_short "${run[@]}" "$1/one/ask.so"
}

in_short() {
	local status=0
	LD_BIND_NOW=1 "$@" >"$work/asked" 2>"$work/asked.err" || status=$?
	echo "$(tail -n 1 "$work/asked" | cut -d' ' -f1,2) $(cksum <"$work/asked")" \
		"$(grep -v 'warning: TCG' "$work/asked.err" | tail -n 1)" "status $status"
}

fixture() { # name, SHAPE, flags
	local name=$1 shape=$2 level poison
	shift 2
	layer=$name work=$ROOT/build/trim/$name before=$ROOT/build/trim/$name/before
	rm -rf "$work"
	mkdir -p "$work"
	SHAPE=$shape "$ROOT/fixtures/trim/build.sh" "$compiler" "$before" "$@" >"$work/build" 2>&1 || {
		not_ok "$name: cannot be built"
		evidence "$work/build"
		return 0
	}
	for level in default max; do
		for poison in '' --trim-poison; do
			after=$work/$level$poison what="$name $level$poison"
			fixture_trimmed "$level" "$poison" || continue
			fixture_answers
			fixture_readers
			[ "$poison" ] || fixture_holes "$level"
		done
	done
}

fixture_trimmed() { # level, poison
	local status=0
	# shellcheck disable=SC2086  # no word where there is no poison
	"$SOFOLD" shrink --platform "lambda-python3.12-$machine" --level "$1" --only trim,strip $2 \
		-o "$after" "$before" >"$work/shrink.out" 2>&1 || status=$?
	equal "$what: shrink: exit status" "$status" 0
	[ "$status" -eq 0 ] || evidence "$work/shrink.out"
	return "$status"
}

# The name of the core is part of what ask() says.
fixture_answers() {
	local core
	for core in "${stays[@]}"; do
		equal "$what: $core" "$(asked "$after" "$core")" "$(asked "$before" "$core")"
	done
	for core in "${goes[@]}"; do
		equal "$what: $core" "$(asked "$after" "$core")" "$(asked "$before" "$fallback")"
	done
	equal "$what: of its own accord" "$(asked "$after" '')" "$(asked "$before" '')"
}

# Of one thing eu-elflint is wrong: it takes the end of a writable segment that does not
# begin on a page for a page earlier (elflint.c), and what lies behind for part of the next
# one, which is read-only where the program headers moved to the end.
fixture_readers() {
	local path
	for path in one/ask.so one.libs/libopenblas-11111111.so; do
		{
			eu-elflint --gnu-ld "$before/$path" >"$work/lint.before" 2>&1 || true
			eu-elflint --gnu-ld "$after/$path" 2>&1 | sed 's/0x[0-9a-f]*\|[0-9][0-9]*/N/g' |
				grep -vxFf <(sed 's/0x[0-9a-f]*\|[0-9][0-9]*/N/g' "$work/lint.before") | grep -v -e '^No errors$' -e 'read-only section modified'
			readelf -aW "$after/$path" 2>"$work/readelf" >/dev/null
			cat "$work/readelf"
		} >"$work/readers" || true
		empty "$what: $path: eu-elflint and readelf say nothing" "$work/readers"
	done
}

# What went, what must not, and that the file is smaller for it.
fixture_holes() { # level
	local library=one.libs/libopenblas-11111111.so name was is
	was=$(stat -c %s "$before/$library") is=$(stat -c %s "$after/$library")
	# Three of seven cores, less the two kernels that others need.
	if [ $((is * 100)) -lt $((was * 75)) ]; then
		ok "$what: $(commas "$was") -> $(commas "$is") bytes"
	else
		not_ok "$what: $(commas "$was") -> $(commas "$is") bytes"
	fi
	nm -D --defined-only "$after/$library" | awk '{ print $3 }' >"$work/names"
	for name in blas_dot blas_named_py blas_named_text openblas_get_corename openblas_get_config; do
		equal "$what: $name stays" "$(grep -cx "$name" "$work/names")" 1
	done
	for name in blas_unused blas_only_unused; do
		equal "$what: $name" "$(grep -cx "$name" "$work/names")" "$([ "$1" = max ] && echo 0 || echo 1)"
	done
	[ "$machine" = x86_64 ] || return 0
	python3 "$TRIM/exports.py" "$before/$library" "$after/$library" "${STAYING[@]}" >"$work/exports" 2>&1 || true
	grep -v '^#' "$work/exports" >"$work/exports.bad" || true
	grep -q '^#' "$work/exports" || echo "exports.py did not finish" >>"$work/exports.bad"
	empty "$what: $(sed -n 's/^# //p' "$work/exports")" "$work/exports.bad"
	# All of Zen's but scal_k, which differs, and what no pass can tell is equal: kernels
	# with jump tables.
	at_least "$what" 24 3
	fixture_below
	fixture_unwinding
}

fixture_below() {
	local cpu status
	command -v qemu-x86_64 >/dev/null || { skip "$what: no qemu-x86_64"; return 0; }
	for cpu in qemu64 Nehalem SandyBridge Haswell,-fma Haswell,-avx2 Haswell,-xsave; do
		status=0
		qemu-x86_64 -cpu "$cpu" "${run[@]}" "$after/one/ask.so" >"$work/below" 2>&1 || status=$?
		equal "$what: on $cpu: exit status" "$status" 1
		contains "$what: on $cpu: the message" "$work/below" AVX2
	done
	for cpu in Haswell max; do
		equal "$what: on $cpu" "$(in_short qemu-x86_64 -cpu "$cpu" "${run[@]}" "$after/one/ask.so")" \
			"$(asked "$before" Haswell)"
		# A core that went is chosen by name where its fallback can run.
		equal "$what: on $cpu, as Nehalem" "$(OPENBLAS_CORETYPE=Nehalem in_short \
			qemu-x86_64 -cpu "$cpu" "${run[@]}" "$after/one/ask.so")" "$(asked "$before" Haswell)"
	done
}

# A thread that ends below a frame of the library's, described or not.
fixture_unwinding() {
	local library=one.libs/libopenblas-11111111.so case
	for case in exit cancel longjmp; do
		equal "$what: $case below a frame of the library" \
			"$("$ROOT/build/trim/unwind" "$case" "$after/$library" 2>&1 || echo "exit status $?")" "$case: done"
	done
}

check_fixtures() {
	on_x86 "${CC:-gcc}"
	fixture fixture default
	fixture fixture-protected protected
	! command -v ld.lld >/dev/null || fixture fixture-lld protected -fuse-ld=lld
	fixture_by_name
	if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
		on_arm
		fixture fixture-arm default
		fixture fixture-arm-protected protected
	else
		skip "fixture-arm: no compiler or emulator"
	fi
	if command -v musl-gcc >/dev/null; then
		fixture_musl
	else
		skip "fixture-musl: no musl-gcc"
	fi
}

# An export that nobody imports goes, and stays when a .py file names it. Only the file
# makes the difference.
fixture_by_name() {
	local tree=$work/unnamed names
	what="$layer max, without its .py file"
	cp -r "$before" "$tree"
	rm "$tree/one/__init__.py"
	"$SOFOLD" shrink --platform lambda-python3.12-x86_64 --level max --only trim,strip "$tree" >"$work/shrink.out" 2>&1 ||
		evidence "$work/shrink.out"
	names=$(nm -D --defined-only "$tree/one.libs/libopenblas-11111111.so" | awk '{ print $3 }')
	equal "$what: blas_named_py goes" "$(grep -cx blas_named_py <<<"$names")" 0
	equal "$what: blas_named_text stays" "$(grep -cx blas_named_text <<<"$names")" 1
}

# No platform with musl states a processor: only exports go.
fixture_musl() {
	local library=one.libs/libopenblas-11111111.so core
	compiler=musl-gcc run=("$ROOT/build/trim/load.musl") layer=fixture-musl what="fixture-musl max"
	work=$ROOT/build/trim/$layer before=$work/before after=$work/after
	rm -rf "$work"
	mkdir -p "$work"
	SHAPE=protected "$ROOT/fixtures/trim/build.sh" musl-gcc "$before" >"$work/build" 2>&1 || {
		not_ok "$what: cannot be built"
		evidence "$work/build"
		return 0
	}
	"$SOFOLD" shrink --level max --only trim,strip -o "$after" "$before" >"$work/shrink.out" 2>&1 ||
		evidence "$work/shrink.out"
	for core in "${goes[@]}" Haswell SkylakeX; do
		equal "$what: $core" "$(asked "$after" "$core")" "$(asked "$before" "$core")"
	done
	equal "$what: blas_unused goes" "$(nm -D --defined-only "$after/$library" | grep -cw blas_unused)" 0
}
