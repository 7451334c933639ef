# What the tests of guard share; sourced after lib.sh.

unset SOFOLD_CONFIG SOFOLD_PLATFORM SOFOLD_BASELINE SOFOLD_WARN_AT GITHUB_STEP_SUMMARY || true

# wheel TREE NAME VERSION BYTES: a wheel with one file of that size.
wheel() {
	local info=$1/$2-$3.dist-info
	mkdir -p "$1/$2" "$info"
	head -c "$4" /dev/zero >"$1/$2/data.bin"
	printf '%s/data.bin,,\n%s/RECORD,,\n' "$2" "$(basename "$info")" >"$info/RECORD"
}

# exits STATUS COMMAND...: its output goes to out.
exits() {
	local wanted=$1 status=0
	shift
	"$@" >out 2>&1 || status=$?
	[ "$status" -eq "$wanted" ] || fail "exit status $status, not $wanted: $(cat out)"
}

says() {
	grep -qF -- "$1" out || fail "does not say '$1': $(cat out)"
}

# duplicate DIR...: the same library in each, with a consumer beside it.
duplicate() {
	local dir
	for dir; do
		mkdir -p "$dir"
		so "$dir/libdup-$dir.so" soname="libdup-$dir.so" <<<'char big[500000] = "x"; int dup(void) { return big[9]; }'
		so "$dir/user$SUFFIX" -L"$dir" "-l:libdup-$dir.so" '-Wl,-rpath,$ORIGIN' \
			<<<'int dup(void); int PyInit_user(void) { return dup(); }'
	done
}
