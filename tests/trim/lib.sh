# shellcheck shell=bash
# What the parts of the trim tier share; sourced by run.sh.
#
# Why: untouched and trimmed layers are asked the same questions, and what the untouched
# ones answer is worth keeping.
# How: one tree at a time; `layer`, `before`, `after` and the others below say which.

# shellcheck disable=SC2034
TRIM=$ROOT/tests/trim
# shellcheck disable=SC2034  # the parts read these
# Those of x86-64 that stay, as gotoblas_ spells them.
STAYING=(HASWELL ZEN SKYLAKEX COOPERLAKE SAPPHIRERAPIDS)
# shellcheck disable=SC2034
# Every name OPENBLAS_CORETYPE understands there.
CORE_NAMES=(Katmai Coppermine Northwood Prescott Banias Atom Core2 Penryn Dunnington Nehalem Athlon
	Opteron Opteron_SSE3 Barcelona Nano Sandybridge Bobcat Bulldozer Piledriver Haswell
	Steamroller Excavator Zen SkylakeX Cooperlake SapphireRapids)

# shellcheck disable=SC2034  # the parts set and read these
layer='' what='' before='' after='' work='' python='' emulator='' kind=''

# in_layer TREE COMMAND...: as someone who uses the layer would run it.
in_layer() {
	local tree=$1
	shift
	PYTHONPATH=$(beside "$python"):$tree:$WHEELS PYTHONDONTWRITEBYTECODE=1 \
		OPENBLAS_NUM_THREADS="${THREADS:-1}" "$@"
}

# the_openblas TREE PACKAGE
the_openblas() {
	compgen -G "$1/$2.libs/*openblas*.so" | head -1
}

# core_of LIBRARY [CORE]: what core.c prints of it. Libraries beside it are found by path.
core_of() {
	{
		env ${2:+"OPENBLAS_CORETYPE=$2"} OPENBLAS_NUM_THREADS=1 LD_LIBRARY_PATH="$(dirname "$1")" \
			"$ROOT/build/trim/core" "$1" 2>&1 || echo "exit status $?"
	} 2>/dev/null # what the shell says of a crash
}

# named_core LIBRARY [CORE]: its first word.
named_core() {
	core_of "$@" | cut -d' ' -f1
}

is_staying() {
	local name
	for name in "${STAYING[@]}"; do
		[ "${1^^}" != "$name" ] || return 0
	done
	return 1
}

# kept_cores LIBRARY: the names that choose kernels of their own here, and stay.
kept_cores() {
	local name
	for name in Haswell Zen SkylakeX Cooperlake SapphireRapids; do
		[ "$(named_core "$1" "$name")" != "$name" ] || echo "$name"
	done
}

# The options for the Lambda this layer is for. There is none with musl.
machine() {
	case $kind in
	aarch64) echo aarch64 ;;
	*) echo x86_64 ;;
	esac
}

platform() {
	[ "$kind" = musl ] || printf '%s\n' --platform "lambda-python$(pin "$layer" python | cut -d. -f1,2)-$(machine)"
}

begin() { # layer
	layer=$1 what=$1
	kind=$(pin "$layer" loader)
	before=$("$WHEELS/fetch.sh" "$layer") || die "$layer: no untouched tree"
	work=$ROOT/build/trim/$layer
	python='' emulator=''
	if [ "$(pin "$layer" interpreter)" = qemu-aarch64 ]; then
		! can_emulate || { python=$(emulated_python "$(pin "$layer" python)") emulator=$(emulator); }
	elif [ -z "$kind" ]; then
		python=$(python_for "$(pin "$layer" python)" || true)
	fi
	rm -rf "$work"
	mkdir -p "$work"
}

# trimmed NAME OPTION...: a shrunk copy of the layer, which the checks then ask. Nothing
# can be asked without.
trimmed() {
	local name=$1 options status=0
	shift
	what="$layer $name" after=$work/$name
	rm -rf "$after"
	mapfile -t options < <(platform)
	"$SOFOLD" shrink "${options[@]}" "$@" -o "$after" "$before" >"$work/shrink.out" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		ok "$what: shrink, $(commas "$(native_bytes "$before" | cut -d' ' -f1)") -> $(commas "$(native_bytes "$after" | cut -d' ' -f1)") native bytes"
	else
		not_ok "$what: shrink, exit status $status"
		evidence "$work/shrink.out"
	fi
	return "$status"
}

# has_kept CORE: whether its kernels are there, and run here.
has_kept() {
	[[ $(kept_cores "$(the_openblas "$before" scipy)" | xargs) = *$1* ]]
}

# contains NAME FILE WORDS
contains() {
	if grep -qF -- "$3" "$2"; then
		ok "$1"
	else
		not_ok "$1: no '$3'"
		evidence "$2"
	fi
}

# equal NAME FOUND EXPECTED
equal() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1: '$2', expected '$3'"
	fi
}
