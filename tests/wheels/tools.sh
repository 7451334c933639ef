# shellcheck shell=bash
# What other ELF tools say about a shrunk layer; sourced by run.sh.
#
# Why: the output must stay ordinary objects, which readelf, eu-elflint, patchelf and
# strip accept as they accepted the input, and a later strip or patchelf must not
# break it.
# How: each function writes complaints, one a line, to its last argument or to stdout;
# none is what we want. Changes are made on copies.

strip_for() {
	case $1 in
	aarch64) echo aarch64-linux-gnu-strip ;;
	*) echo strip ;;
	esac
}

# elflint_layer DIR: "PATH MESSAGE", sorted, with every number replaced: section
# indexes, offsets and addresses of the non-allocated sections legally change.
elflint_layer() {
	objects_of "$1" | while IFS= read -r path; do
		{ eu-elflint --gnu-ld "$1/$path" 2>&1 || true; } |
			sed -e '/^No errors$/d' -e 's/0x[0-9a-f]*/N/g' -e 's/[0-9][0-9]*/N/g' \
				-e 's/\[ *N\]/[N]/g' -e "s|^|$path |"
	done | sort -u
}

# new_complaints BEFORE AFTER: lines of AFTER that BEFORE does not have for that path;
# a path that is new may say what any path said.
new_complaints() {
	awk '
	function message() { return substr($0, length($1) + 2) }
	NR == FNR { said[$0]; known[$1]; anywhere[message()]; next }
	$0 in said { next }
	!($1 in known) && (message() in anywhere) { next }
	{ print }' "$1" "$2"
}

# readelf_layer DIR: what readelf warns about or fails on.
readelf_layer() {
	objects_of "$1" | while IFS= read -r path; do
		{ readelf -lSdW "$1/$path" 2>&1 >/dev/null || echo "exit status $?"; } |
			sed -e "s|^|$path |" -e "s|$1/||g" -e 's/0x[0-9a-f]*/N/g'
	done | sort -u
}

# patchelf_prints DIR: objects whose needed names patchelf cannot print, or prints
# otherwise than readelf does.
patchelf_prints() {
	objects_of "$1" | while IFS= read -r path; do
		diff <(patchelf --print-needed "$1/$path" 2>&1) \
			<(readelf -dW "$1/$path" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') >/dev/null ||
			echo "$path"
	done
}

# strip_layer KIND DIR: GNU strip over every object, as people do it.
strip_layer() {
	local strip
	strip=$(strip_for "$1")
	objects_of "$2" | (cd "$2" && xargs -d '\n' "$strip" --strip-unneeded) 2>&1 || true
}

# patch_layer DIR: gives every object that has a search path a longer one, of the same
# kind, so that patchelf has to move its strings.
patch_layer() {
	objects_of "$1" | while IFS= read -r path; do
		dynamic=$(readelf -dW "$1/$path")
		current=$(sed -n 's/.*(R[UN]*PATH).*\[\(.*\)\]/\1/p' <<<"$dynamic")
		option=()
		! grep -q '(RPATH)' <<<"$dynamic" || option=(--force-rpath)
		[ -z "$current" ] ||
			patchelf "${option[@]}" --set-rpath "$current:\$ORIGIN/a/directory/that/is/not/there" \
				"$1/$path" 2>&1 || echo "$path: exit status $?"
	done
}
