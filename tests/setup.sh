#!/bin/bash
# Installs what building, the demonstration and the tests need and this machine lacks.
#
# Why: `make demo` and `make test` promise to work on a fresh Debian 12 or 13, or
# Ubuntu, that has a shell, make and a network.
# How: `setup.sh SET...`, sets being build, demo and test. Asks dpkg what is missing;
# if nothing is, does nothing and needs no rights. Else runs apt-get, as root, or by
# sudo. Asks no question.
set -euo pipefail

# libc6-dev and libstdc++6-arm64-cross: only recommended by the compilers.
build=(gcc libc6-dev pkg-config libcyaml-dev libelf-dev libdeflate-dev libdwarf-dev libarchive-dev
	libjansson-dev libssl-dev libyaml-dev uthash-dev)
demo=(ca-certificates python3)
test=(bc binutils ca-certificates clang clang-format clang-tidy elfutils file g++ gcc-aarch64-linux-gnu
	gfortran hyperfine jdupes libc6-dev-arm64-cross libcunit1-dev libstdc++6-arm64-cross libxml2-utils llvm
	lld musl-tools patchelf pax-utils python3 python3-jsonschema python3-venv qemu-user time unzip zip)

die() {
	echo "setup.sh: $*" >&2
	exit 3
}

# pip may belong to another python3 than Debian's; only Debian's comes without it.
pip_package() {
	python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
}

# The runtime of clang's sanitizers and libFuzzer, which clang only recommends.
clang_runtime() {
	compgen -G "$(clang -print-resource-dir 2>/dev/null)/lib/*/libclang_rt.fuzzer*" >/dev/null ||
		echo libclang-rt-dev
}

wanted() {
	local set
	for set; do
		case $set in
		build) printf '%s\n' "${build[@]}" ;;
		demo) printf '%s\n' "${demo[@]}" "$(pip_package)" ;;
		test) printf '%s\n' "${test[@]}" "$(pip_package)" "$(clang_runtime)" ;;
		*) die "no set $set; there are build, demo, test" ;;
		esac
	done | sed '/^$/d' | sort -u
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing() {
	local package
	wanted "$@" | while read -r package; do
		is_installed "$package" || echo "$package"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

[ $# -gt 0 ] || set -- build
command -v dpkg-query >/dev/null || die "no dpkg here; install what corresponds to: $(wanted "$@" | xargs)"
mapfile -t packages < <(missing "$@")
[ ${#packages[@]} -gt 0 ] || exit 0

echo "installing: ${packages[*]}" >&2
as_root apt-get -qq update
# Before 2023 (Ubuntu 22.04) it is part of a package that clang depends on.
apt-cache show libclang-rt-dev >/dev/null 2>&1 ||
	mapfile -t packages < <(printf '%s\n' "${packages[@]}" | grep -vx libclang-rt-dev)
as_root env DEBIAN_FRONTEND=noninteractive \
	apt-get -qq install -y --no-install-recommends "${packages[@]}" >&2
