# Shared by the end-to-end tests; sourced, never run.
#
# A test file defines functions called test_*, each one case, and ends with
# run_cases. A case runs in a shell of its own with "set -e", in an empty
# directory of its own; it fails with the first command that does, and that
# command is the reason printed. Everything is compiled on the spot, so that
# the tests say what they are about and need no binaries in the tree.

set -euo pipefail

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$E2E/../.." && pwd)
B=$(cd "${B:-$TOP/build}" && pwd)
SOFOLD=$B/sofold
CC=${CC:-gcc}
LIBS="-lelf -ldwarf -lcrypto -larchive -ljansson -lpthread"
PYTHON=${PYTHON:-$(python3 -c 'import sys; print(sys.executable)')}
SUFFIX=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')

work=$(mktemp -d "${TMPDIR:-/tmp}/sofold-e2e.XXXXXX")
trap 'chmod -R u+rwX "$work" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0
export LC_ALL=C.UTF-8
unset NO_COLOR LD_LIBRARY_PATH LD_BIND_NOW PYTHONPATH || true
export PYTHONDONTWRITEBYTECODE=1

# A library built for a sanitizer wants its tools linked the same way,
# and its complaints told from exit status 1.
if [ "$(nm "$B/libsofold.a" 2>/dev/null | grep -c __asan_init)" != 0 ]; then
	SANITIZE="-fsanitize=address,undefined"
else
	SANITIZE=
fi
export ASAN_OPTIONS=abort_on_error=1:exitcode=99 UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1

# --- cases ------------------------------------------------------------------

fail() {
	echo "$*"
	return 1
}

skip() {
	echo "SKIP $*"
	exit 77
}

need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || skip "no $tool"
	done
}

run_case() {
	local name=$1 rc=0
	mkdir -p "$work/case/$name"
	set +e
	(
		set -eE
		trap 'echo "line $LINENO: $BASH_COMMAND" >>"$work/why"' ERR
		: >"$work/why"
		cd "$work/case/$name"
		"$name"
	) >"$work/log" 2>&1 </dev/null
	rc=$?
	set -e
	case $rc in
	0) ok "$name" ;;
	77) echo "skip $name: $(sed -n 's/^SKIP //p' "$work/log" | tail -1)" ;;
	*) not_ok "$name" "$(reason "$rc")" ;;
	esac
	if [ -z "${KEEP:-}" ]; then
		chmod -R u+rwX "$work/case/$name" 2>/dev/null || true
		rm -rf "$work/case/$name"
	fi
}

reason() {
	{
		tail -n 4 "$work/log"
		head -n 1 "$work/why"
		echo "(status $1)"
	} | tr '\n' ' ' | cut -c1-900
}

ok() {
	passed=$((passed + 1))
	echo "ok $1"
}

not_ok() {
	failed=$((failed + 1))
	echo "not ok $1: $2"
}

# run_cases [CASE...]: all by default. Ends the script.
run_cases() {
	local name
	[ $# -gt 0 ] || set -- $(declare -F | sed -n 's/^declare -f \(test_.*\)/\1/p')
	for name; do
		run_case "$name"
	done
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

# --- what is expected ---------------------------------------------------------

# is WHAT GOT WANTED
is() {
	[ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"
}

# has FILE WORDS: the file, its lines joined, holds the words.
has() {
	tr -s ' \n' '  ' <"$1" | grep -qF -- "$2" || fail "not in $1: $2"
}

hasnt() {
	! tr -s ' \n' '  ' <"$1" | grep -qF -- "$2" || fail "should not be in $1: $2"
}

# exits STATUS COMMAND...; output to out and err in the current directory.
exits() {
	local wanted=$1 rc=0
	shift
	"$@" >out 2>err || rc=$?
	[ "$rc" = "$wanted" ] || {
		tail -n 3 out err
		fail "exit status $rc, wanted $wanted: $*"
	}
}

# sofold ARGUMENT...: must exit 0 and say nothing on stderr.
sofold() {
	exits 0 "$SOFOLD" "$@"
	[ ! -s err ] || fail "stderr: $(cat err)"
}

# survives COMMAND...: no crash, no hang, and a layer that is still one.
survives() {
	local rc=0
	timeout 20 "$@" >out 2>err || rc=$?
	case $rc in
	0 | 1) ;;
	*)
		tail -n 3 err
		fail "status $rc: $*"
		;;
	esac
}

# unprivileged COMMAND...: as somebody whom modes concern. give_away first lets
# him read what the case has made and run a copy of sofold: the source may lie
# in a directory that is closed to him, such as /root.
give_away() {
	if [ "$(id -u)" = 0 ]; then
		need setpriv
		install -m 755 "$SOFOLD" "$work/sofold"
		SOFOLD=$work/sofold
		chmod 755 "$work" "$work/case" .
		chown -R -h 65534:65534 .
	fi
}

unprivileged() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# shrink ARGUMENT...: and the result must verify, and be final.
shrink() {
	local tree=${!#}
	sofold shrink "$@"
	cp out shrunk
	sofold verify "$tree"
	sofold shrink --format json "$@"
	is "changes of a second run" "$(json out 'len(d["changes"])')" 0
	cp shrunk out
}

# json FILE EXPRESSION: prints a Python expression over the document d.
json() {
	"$PYTHON" -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$1" "$2"
}

# copies FILE: "path relation" for each copy of each family of an audit's JSON.
copies() {
	json "$1" '"\n".join(c["path"] + " " + c["relation"] for f in d["families"] for c in f["copies"])'
}

# digest TREE: one line for all there is to know of it: names, kinds, modes,
# times, link targets, which files are one inode, contents. Directories' times
# are left out: renames change them.
digest() {
	"$PYTHON" "$E2E/wheel.py" digest "$@" | sha256sum
}

# --- making things --------------------------------------------------------------

# so PATH [soname=NAME] [needs="PATH..."] [rpath=P] [runpath=P] [module] [FLAG...] <SOURCE
so() {
	local path=$1 word flags=(-fPIC -shared -O1 -Wl,--no-as-needed) libraries=()
	shift
	mkdir -p "$(dirname "$path")"
	for word; do
		case $word in
		soname=*) flags+=("-Wl,-soname,${word#*=}") ;;
		needs=*) read -ra libraries <<<"${word#*=}" ;;
		rpath=*) flags+=("-Wl,--disable-new-dtags,-rpath,${word#*=}") ;;
		runpath=*) flags+=("-Wl,--enable-new-dtags,-rpath,${word#*=}") ;;
		module) flags+=(-include "$E2E/module.h") ;;
		*) flags+=("$word") ;;
		esac
	done
	# Libraries go where they will be looked for; the link only needs names.
	${COMPILE:-$CC} "${flags[@]}" -Wl,--allow-shlib-undefined -o "$path" -x c - -x none "${libraries[@]}"
}

# answers PATH TEXT [so's words]: a library that defines answer(), which
# returns TEXT, and has some code and data to be worth merging.
answers() {
	local path=$1 text=$2
	shift 2
	so "$path" "$@" <<-END
		const char answer_padding[20000] = "$text";
		int answer_count = 7;
		const char *answer(void) { return answer_padding; }
	END
}

# asks PATH [so's words]: a module whose ask() returns what answer() says.
asks() {
	local path=$1
	shift
	so "$path" module "$@" <<-END
		const char *answer(void);
		extern int answer_count;
		const char *ask(void) { return answer_count == 7 ? answer() : "miscounted"; }
	END
}

# extension PATH MODULE [so's words]: a Python module whose ask() does so.
extension() {
	local path=$1 module=$2
	shift 2
	so "$path" -I"$E2E" "$@" <<-END
		#include "python_stub.h"
		const char *answer(void);
		static PyObject *ask(PyObject *self, PyObject *args) { return PyUnicode_FromString(answer()); }
		static PyMethodDef methods[] = {{"ask", ask, METH_NOARGS, 0}, {0}};
		static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "$module", 0, -1, methods};
		PyObject *PyInit_$module(void) { return PyModule_Create2(&module, PYTHON_API_VERSION); }
	END
}

# record TREE PACKAGE VERSION: dist-info with a RECORD of PACKAGE and
# PACKAGE.libs as they are now.
record() {
	"$PYTHON" "$E2E/wheel.py" record "$@"
}

# records_hold TREE: every RECORD row's file is there with its hash and size,
# and every file of a listed package is in a row.
records_hold() {
	"$PYTHON" "$E2E/wheel.py" check "$1"
}

# interrupt SIGNAL FILE COMMAND...: sends it once FILE (a pattern) is there, whole as it may
# be; prints what became of the command. Whoever runs tests in the background ignores some.
interrupt() {
	"$PYTHON" - "$@" <<-'END'
		import glob, signal, subprocess, sys, time
		number = getattr(signal, sys.argv[1])
		default = None if number == signal.SIGKILL else lambda: signal.signal(number, signal.SIG_DFL)
		run = subprocess.Popen(sys.argv[3:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=default)
		while run.poll() is None and not glob.glob(sys.argv[2]):
		    time.sleep(0.001)
		run.send_signal(number)
		status = run.wait()
		print("killed" if status == -number else status)
	END
}

# two_wheels TREE: packages one and two, each with an extension module and a
# copy, the same bytes, of libanswer; what most tests start from.
two_wheels() {
	local tree=$1 name
	answers "$tree/one.libs/libanswer-11111111.so.1" "42" soname=libanswer-11111111.so.1
	mkdir -p "$tree/two.libs"
	cp -p "$tree/one.libs/libanswer-11111111.so.1" "$tree/two.libs/"
	for name in one two; do
		extension "$tree/$name/_$name$SUFFIX" "_$name" runpath="\$ORIGIN/../$name.libs" \
			needs="$tree/$name.libs/libanswer-11111111.so.1"
		echo "from ._$name import ask" >"$tree/$name/__init__.py"
		record "$tree" $name 1.0
	done
}

# --- loading things --------------------------------------------------------------

load_tool() {
	[ -x "$work/load" ] || $CC -o "$work/load" "$E2E/load.c" -ldl
}

# load FILE...: what ask() or answer() of each says, bound at once, with the
# real loader, which must have nothing to complain about.
load() {
	load_tool
	LD_BIND_NOW=1 "$work/load" "$@" 2>load.err || {
		cat load.err
		fail "does not load: $*"
	}
	[ ! -s load.err ] || fail "the loader says: $(cat load.err)"
}

# mapped FILE...: what is mapped of this case's directory once all are loaded.
mapped() {
	load_tool
	LD_BIND_NOW=1 "$work/load" -m "$PWD/" "$@" | sort -u
}

# python TREE CODE: CODE with TREE first on the path.
python() {
	PYTHONPATH=$1 LD_BIND_NOW=1 "$PYTHON" -c "$2" 2>python.err || {
		tail -n 1 python.err
		fail "python: $2"
	}
	[ ! -s python.err ] || fail "python says: $(cat python.err)"
}

# needed FILE, search FILE: as readelf prints them.
needed() {
	readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

search() {
	readelf -dW "$1" | sed -n 's/.*(\(RPATH\|RUNPATH\)).*\[\(.*\)\]/\1 \2/p'
}
