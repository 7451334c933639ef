# shellcheck shell=bash
# Loading every object of a layer with a small program; sourced by run.sh.
#
# Why: whether an object loads is the loader's word, not ours, and a musl or aarch64
# layer has no interpreter here.
# How: the interpreter's symbols that the objects import become a library of zeros,
# which the program (load.c) is linked with, so that RTLD_NOW asks the layer and the
# host for all the others. KIND is host, musl or aarch64.
#
# Wheels of today hold DT_RELR relocations, which musl reads from 1.2.4 on; Debian 12
# has 1.2.3. The loader of the next release is then unpacked into the cache, and
# called by its path: it is one file that needs nothing else.

# interpreter_symbols DIR: names in Py* and _Py* that some object imports.
interpreter_symbols() {
	find "$1" -name '*.so*' -type f -exec readelf -W --dyn-syms {} + 2>/dev/null |
		awk '$7 == "UND" && $8 ~ /^_?Py/ { sub(/@.*/, "", $8); print $8 }' | sort -u
}

loader_compiler() {
	case $1 in
	musl) echo musl-gcc ;;
	aarch64) echo aarch64-linux-gnu-gcc ;;
	*) echo gcc ;;
	esac
}

# make_loader KIND LAYER OUT: OUT/load with the libraries beside it that an
# interpreter's process or its host would have.
make_loader() {
	local compiler
	compiler=$(loader_compiler "$1")
	mkdir -p "$3/host"
	interpreter_symbols "$2" | sed 's/.*/char &[64];/' >"$3/interpreter.c"
	"$compiler" -w -shared -fPIC -o "$3/libinterpreter.so" "$3/interpreter.c"
	"$compiler" -O1 -o "$3/load" "$WHEELS/load.c" -Wl,--no-as-needed \
		"$3/libinterpreter.so" -Wl,-rpath,"$3" -lm -ldl -lpthread
	# libgfortran names libz and imports nothing of it; cross compilers have none.
	[ "$1" != aarch64 ] ||
		"$compiler" -shared -Wl,-soname,libz.so.1 -o "$3/host/libz.so.1" -x c /dev/null
}

musl_version() {
	"$1" 2>&1 | sed -n 's/^Version //p'
}

is_new_musl() {
	[ -x "$1" ] && [ "$(printf '%s\n' 1.2.4 "$(musl_version "$1")" | sort -V | head -1)" = 1.2.4 ]
}

# musl_loader: the path of a musl loader that reads DT_RELR.
musl_loader() {
	local system=/lib/ld-musl-x86_64.so.1 cached=$CACHE/musl/usr/lib/x86_64-linux-musl/libc.so
	if is_new_musl "$system"; then
		echo "$system"
		return
	fi
	is_new_musl "$cached" || unpack_musl >&2 || return 1
	echo "$cached"
}

# unpack_musl: the musl package of Debian 13, from the mirror this Debian uses.
unpack_musl() (
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	# shellcheck disable=SC2016  # apt expands these
	mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
	[ -n "$mirror" ] && [ -f "$keyring" ] || return 1
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$CACHE"
	echo "deb [signed-by=$keyring] $mirror trixie main" >"$work/sources.list"
	options=(-qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
		-o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache"
		-o APT::Sandbox::User= -o Acquire::Languages=none)
	cd "$work" || return 1
	apt-get "${options[@]}" update && apt-get "${options[@]}" download musl:amd64 &&
		dpkg -x musl_*.deb unpacked && rm -rf "$CACHE/musl" && mv unpacked "$CACHE/musl"
)

# can_load KIND: whether this machine has what load_all needs.
can_load() {
	command -v "$(loader_compiler "$1")" >/dev/null || return 1
	case $1 in
	musl) musl_loader >/dev/null ;;
	aarch64) command -v qemu-aarch64 >/dev/null ;;
	esac
}

# load_all KIND LAYER PROGRAM-DIR: "ok PATH" and "fail PATH: reason" of every object.
load_all() {
	local run=(env "LD_LIBRARY_PATH=$3/host")
	case $1 in
	musl) run+=("$(musl_loader)") ;;
	aarch64) run=(qemu-aarch64 -L /usr/aarch64-linux-gnu -E "LD_LIBRARY_PATH=$3/host") ;;
	esac
	objects_of "$2" | OPENBLAS_NUM_THREADS=1 "${run[@]}" "$3/load" "$2"
}
