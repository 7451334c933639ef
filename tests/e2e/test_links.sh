#!/bin/bash
# Symlinks and hard links stay what they are, a file that code names stays
# where it is, and nothing outside the tree is touched.
. "$(dirname "$0")/lib.sh"

test_hard_links_stay_hard_links() {
	two_wheels tree
	ln tree/two.libs/libanswer-11111111.so.1 tree/two.libs/libalias.so
	ln "tree/one/_one$SUFFIX" tree/one/alias.so
	record tree one 1.0
	record tree two 1.0
	is "bytes counted once" "$(sofold audit --format json tree; json out 'd["totals"]["native_bytes"]')" \
		"$(($(stat -c %s tree/one.libs/* "tree/one/_one$SUFFIX" "tree/two/_two$SUFFIX" | paste -sd+) + $(stat -c %s tree/two.libs/libalias.so)))"
	shrink tree
	is "one inode" "$(stat -c %i "tree/one/_one$SUFFIX")" "$(stat -c %i tree/one/alias.so)"
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
	records_hold tree
}

test_symlinks_stay_symlinks() {
	two_wheels tree
	ln -s libanswer-11111111.so.1 tree/one.libs/libanswer.so
	ln -s "_two$SUFFIX" tree/two/link.so
	ln -s nowhere tree/two/dangling
	shrink tree
	is link "$(readlink tree/one.libs/libanswer.so)" libanswer-11111111.so.1
	is module "$(readlink tree/two/link.so)" "_two$SUFFIX"
	is dangling "$(readlink tree/two/dangling)" nowhere
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
	[ -e tree/one.libs/libanswer.so ]
}

# Each copy has a symlink that leads to it: neither may leave it dangling.
test_no_symlink_dangles_afterwards() {
	two_wheels tree
	ln -s libanswer-11111111.so.1 tree/one.libs/libanswer.so
	ln -s libanswer-11111111.so.1 tree/two.libs/libanswer.so
	shrink tree
	is dangling "$(find tree -xtype l | wc -l)" 0
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
}

# A directory that is a symlink within the tree, as lib64 -> lib often is.
test_directory_symlink() {
	answers tree/lib/libanswer.so.1 yes soname=libanswer.so.1
	ln -s lib tree/lib64
	asks tree/bin/ask.so needs=tree/lib/libanswer.so.1 runpath='$ORIGIN/../lib64'
	mkdir tree/other && cp tree/lib/libanswer.so.1 tree/other/
	asks tree/other/ask.so needs=tree/other/libanswer.so.1 runpath='$ORIGIN'
	shrink tree
	is answers "$(load tree/bin/ask.so tree/other/ask.so | xargs)" "yes yes"
	is copies "$(find tree -type f -name 'libanswer*' | wc -l)" 1
	is link "$(readlink tree/lib64)" lib
}

test_nothing_outside_is_touched() {
	two_wheels tree
	answers outside/libanswer-11111111.so.1 outside soname=libanswer-11111111.so.1 -g
	ln -s ../../outside/libanswer-11111111.so.1 tree/one.libs/liboutside.so
	ln -s ../outside tree/outside
	digest outside >before
	shrink tree
	digest outside >after
	cmp before after
	is link "$(readlink tree/one.libs/liboutside.so)" ../../outside/libanswer-11111111.so.1
}

# A hard link to a file outside: the outside name keeps the old bytes.
test_hard_link_from_outside() {
	two_wheels tree
	ln tree/two.libs/libanswer-11111111.so.1 outside.so
	ln "tree/one/_one$SUFFIX" outside-module.so
	sha256sum outside.so outside-module.so >sums
	shrink tree
	sha256sum -c --quiet sums
}

test_file_a_py_names_stays() {
	two_wheels tree
	cat >tree/two/__init__.py <<-'END'
		import ctypes, os
		_path = os.path.join(os.path.dirname(__file__), "..", "two.libs", "libanswer-11111111.so.1")
		_library = ctypes.CDLL(_path)
		_library.answer.restype = ctypes.c_char_p
		def ask():
		    return _library.answer().decode()
	END
	record tree two 1.0
	shrink tree
	is answers "$(python tree 'import one, two; print(one.ask(), two.ask())')" "42 42"
	sofold shrink -n --verbose tree
}

# Named by nobody but a dlopen() in C.
test_file_a_dlopen_names_stays() {
	answers tree/one/libanswer-11111111.so.1 yes soname=libanswer-11111111.so.1
	mkdir tree/two
	cp tree/one/libanswer-11111111.so.1 tree/two/libanswer-22222222.so.1
	asks tree/one/ask.so needs=tree/one/libanswer-11111111.so.1 runpath='$ORIGIN'
	so tree/two/ask.so module runpath='$ORIGIN' -ldl <<-'END'
		#include <dlfcn.h>
		const char *ask(void)
		{
			void *library = dlopen("libanswer-22222222.so.1", RTLD_NOW);
			const char *(*answer)(void) = library ? (const char *(*)(void))dlsym(library, "answer") : 0;
			return answer ? answer() : dlerror();
		}
	END
	shrink tree
	is answers "$(load tree/one/ask.so) $(load tree/two/ask.so)" "yes yes"
}

# Nobody needs these plugins; somebody lists the directory and opens them.
test_plugins_nobody_names_stay() {
	answers tree/one/plugins/answer.so yes
	mkdir -p tree/two/plugins && cp tree/one/plugins/answer.so tree/two/plugins/
	cat >tree/two/__init__.py <<-'END'
		import ctypes, os
		_here = os.path.join(os.path.dirname(__file__), "plugins")
		def ask():
		    for name in os.listdir(_here):
		        library = ctypes.CDLL(os.path.join(_here, name))
		        library.answer.restype = ctypes.c_char_p
		        return library.answer().decode()
	END
	is before "$(python tree 'import two; print(two.ask())')" yes
	shrink tree
	is after "$(python tree 'import two; print(two.ask())')" yes
}

run_cases
