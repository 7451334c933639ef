# shellcheck shell=bash disable=SC2154,SC2153 # run.sh and lib.sh have the variables
# Trimmed files in the hands of other programs; sourced by run.sh.
#
# Why: a file with holes in its code must still be one to linkers, debuggers and loaders.
# How: eu-elflint, readelf, nm, objdump and gdb say of it what they say of the untouched
# file; tools that write leave something that works, or refuse and leave it as it was.

# What readers complain about. SOME: these paths below the layer only.
check_readers() {
	local path some=("$@")
	[ ${#some[@]} -gt 0 ] || some=(.)
	for path in "${some[@]}"; do
		elflint_layer "$before/$path" >>"$work/elflint.before"
		elflint_layer "$after/$path" >>"$work/elflint.after"
		readelf_layer "$before/$path" >>"$work/readelf.before"
		readelf_layer "$after/$path" >>"$work/readelf.after"
	done
	new_complaints "$work/elflint.before" "$work/elflint.after" >"$work/elflint.new"
	empty "$what: eu-elflint says nothing new" "$work/elflint.new"
	new_complaints "$work/readelf.before" "$work/readelf.after" >"$work/readelf.new"
	empty "$what: readelf says nothing new" "$work/readelf.new"
	rm "$work"/{elflint,readelf}.{before,after}
}

check_openblas_files() {
	local package library
	for package in numpy scipy; do
		library=$(the_openblas "$after" "$package") || continue
		check_binutils "$package" "$library"
		[ -n "$kind" ] || check_gdb "$package" "$library"
		[ -n "$kind" ] || check_writers "$package" "$library"
	done
}

# nm, objdump -d of a kept function; neither warns.
check_binutils() {
	local name address
	{
		"$(binutil nm)" -D "$2" >/dev/null
		"$(binutil objdump)" -d --start-address=0 "$2" | head -20 >"$work/objdump"
	} 2>"$work/binutils"
	read -r address name < <("$(binutil nm)" -D --defined-only "$2" 2>/dev/null |
		awk '$3 ~ /(openblas_get_corename|openblas_get_corename64_)$/ { print $1, $3; exit }')
	"$(binutil objdump)" -d --disassemble="$name" --start-address="0x$address" "$2" \
		>"$work/objdump.one" 2>>"$work/binutils" || echo "objdump: exit status $?" >>"$work/binutils"
	empty "$what: $1: nm and objdump say nothing" "$work/binutils"
	contains "$what: $1: objdump prints $name" "$work/objdump.one" "<$name"
}

binutil() {
	[ "$kind" != aarch64 ] || printf 'aarch64-linux-gnu-'
	echo "$1"
}

# gdb opens the file, stops in a kernel and, where frames are described, finds its way
# back to main.
check_gdb() {
	local kernels
	command -v gdb >/dev/null || { skip "$what: $1: no gdb"; return 0; }
	gdb -nx -batch -ex 'info files' "$2" >"$work/gdb" 2>&1 || echo "exit status $?" >>"$work/gdb"
	contains "$what: $1: gdb reads its sections" "$work/gdb" 'is .text'
	# The kernels of Haswell and Zen are the same code; one of them is left.
	mapfile -t kernels < <(nm -D "$(the_openblas "$before" "$1")" | awk '/ dgemm_kernel_(HASWELL|ZEN)$/ { print "0x" $1 }')
	OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 LD_LIBRARY_PATH=$(dirname "$2") timeout 60 \
		gdb -nx -batch -ex 'set startup-with-shell off' -ex 'break multiply' -ex run \
		-ex "source $TRIM/breakpoint.py" -ex "kernel $2 ${kernels[*]}" -ex continue -ex bt \
		--args "$ROOT/build/trim/core" "$2" >"$work/gdb" 2>&1 || echo "exit status $?" >>"$work/gdb"
	contains "$what: $1: gdb stops in a kernel" "$work/gdb" 'stopped at 0x'
	case $what in
	*max*) ;; # at this level the frames are not described any more
	*) contains "$what: $1: gdb finds the way back to main" "$work/gdb" ' in main (' ;;
	esac
}

# The tools people use on libraries afterwards.
check_writers() {
	local tool copy=$work/written wanted status
	wanted=$(core_of "$(the_openblas "$before" "$1")" Haswell)
	# shellcheck disable=SC2016  # the loader expands it
	for tool in 'strip --strip-unneeded' strip eu-strip \
		'patchelf --set-rpath /a/directory/that/is/not/there:$ORIGIN' 'patchelf --set-soname another.so'; do
		rm -rf "$copy"
		cp -r "$(dirname "$2")" "$copy"
		status=0
		# shellcheck disable=SC2086  # words
		$tool "$copy/${2##*/}" >"$work/written.out" 2>&1 || status=$?
		if [ "$status" -ne 0 ]; then
			same "$what: $1: ${tool%% /*} refuses and changes nothing" "$2" "$copy/${2##*/}"
		else
			equal "$what: $1: works after ${tool%% /*}" "$(core_of "$copy/${2##*/}" Haswell)" "$wanted"
		fi
	done
	rm -rf "$copy"
}

# What opens before opens after, by the loader of its C library.
check_loads() {
	local on=${kind:-host}
	if ! can_load "$on"; then
		skip "$what: loading every object: no compiler or loader for $on"
		return
	fi
	make_loader "$on" "$before" "$work/loader"
	load_all "$on" "$before" "$work/loader" >"$work/load.before"
	load_all "$on" "$after" "$work/loader" >"$work/load.after"
	grep '^ok' "$work/load.before" >"$work/load.wanted"
	[ -s "$work/load.wanted" ] || die "$layer: nothing opens before"
	grep -vxFf <(grep '^ok' "$work/load.after") "$work/load.wanted" | cut -d' ' -f2 |
		while read -r path; do grep -F " $path" "$work/load.after" || echo "$path: not tried"; done >"$work/load.bad"
	empty "$what: the $(wc -l <"$work/load.wanted") objects open that did" "$work/load.bad"
}
