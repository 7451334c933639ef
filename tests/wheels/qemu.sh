# shellcheck shell=bash
# An aarch64 interpreter on any machine; sourced by run.sh.
#
# Why: that a layer's objects load does not show that numpy computes with them, and
# Debian gives a machine programs of another architecture only as a second dpkg
# architecture, which tests must not set up.
# How: the packages named in fixtures/wheels/aarch64-pythonX.Y.debs are unpacked into
# the cache, with no word to dpkg. A script bin/python there runs the interpreter
# under qemu-user and tells it the script's own name. So sys.executable is something
# that the kernel can start: subprocesses, virtual environments, pytest-xdist and
# `sofold verify --run` work as with a native interpreter.
#
# The processor is a Graviton2's. qemu's own choice has SME, where row-major cblas_sgemm
# of OpenBLAS 0.3.30, untouched, does not write its result (OpenMathLib/OpenBLAS#5528);
# scipy 1.17.1 carries that version, and a bridged numpy calls it.
EMULATED_CPU=neoverse-n1

can_emulate() {
	command -v dpkg-deb >/dev/null && [ -x /usr/lib/apt/apt-helper ] &&
		grep -qw "$EMULATED_CPU" <<<"$(qemu-aarch64 -cpu help 2>/dev/null)"
}

# emulator: what runs the interpreter, in words.
emulator() {
	echo "$(qemu-aarch64 --version | head -1), $EMULATED_CPU"
}

# debian_mirrors: where packages may be, best first. A mirror drops a package for its
# next version; the snapshots keep all.
debian_mirrors() {
	# shellcheck disable=SC2016  # apt expands it
	apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' | sort -u
	echo http://deb.debian.org/debian
	echo http://snapshot.debian.org/archive/debian/20260712T000000Z
}

# download SHA256 PATH FILE: apt checks the digest.
download() {
	local mirror
	for mirror in $(debian_mirrors); do
		! /usr/lib/apt/apt-helper -qq -o APT::Sandbox::User= download-file \
			"$mirror/$2" "$3" "SHA256:$1" 2>"$3.why" || return 0
	done
	cat "$3.why" >&2
	return 1
}

# write_emulated FILE VERSION: the script, which finds the interpreter beside itself.
write_emulated() {
	cat >"$1" <<-END
		#!/bin/sh
		root=\$(dirname "\$(dirname "\$(dirname "\$(readlink -f "\$0")")")")
		exec qemu-aarch64 -cpu $EMULATED_CPU -L "\$root" -0 "\$0" "\$root/usr/bin/python$2" "\$@"
	END
	chmod 755 "$1"
}

# emulated_python X.Y[.Z]: the path of that script, after unpacking if need be.
emulated_python() (
	version=$(cut -d. -f1,2 <<<"$1")
	debs=$FIXTURES/aarch64-python$version.debs
	[ -f "$debs" ] || die "no $debs"
	final=$CACHE/qemu/aarch64-python$version-$({
		cat "$debs"
		echo "$EMULATED_CPU"
		declare -f write_emulated
	} | sha256sum | cut -c1-8)
	mkdir -p "$CACHE/qemu"
	exec 9>"$CACHE/qemu/.lock"
	flock 9
	if [ ! -d "$final" ]; then
		fresh=$(mktemp -d "$CACHE/qemu/.python.XXXXXX")
		trap 'rm -rf "$fresh"' EXIT
		echo "fetching Python $version for aarch64" >&2
		grep -v '^#' "$debs" | while read -r digest path; do
			download "$digest" "$path" "$fresh/package.deb" || die "could not download $path"
			dpkg-deb -x "$fresh/package.deb" "$fresh/root" || die "could not unpack $path"
			rm "$fresh/package.deb"
		done || exit
		write_emulated "$fresh/root/usr/bin/python" "$version"
		is_python "$fresh/root/usr/bin/python" "$version" || die "Python $version for aarch64 does not run"
		chmod 755 "$fresh/root"
		mv "$fresh/root" "$final"
	fi
	echo "$final/usr/bin/python"
)
