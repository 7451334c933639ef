#!/bin/bash
# What shrink leaves out: which files, that the rest still works and says so in
# RECORD, and what the user may say about it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/prune_lib.sh"

# gone TREE PATH..., there TREE PATH...
gone() {
	local tree=$1 path
	shift
	for path; do
		[ ! -e "$tree/$path" ] && [ ! -L "$tree/$path" ] || fail "$path is there"
	done
}

there() {
	local tree=$1 path
	shift
	for path; do
		[ -e "$tree/$path" ] || [ -L "$tree/$path" ] || fail "$path is gone"
	done
}

# pruned_in FILE: the paths that a report in JSON says go.
pruned_in() {
	json "$1" '"\n".join(sorted(c["path"] for c in d["changes"] if c["action"] == "prune"))'
}

test_tests_go_and_the_rest_works() {
	pure tree
	shrink tree
	gone tree alpha/tests alpha/sub/tests
	there tree alpha/__init__.py alpha/sub/__init__.py alpha-1.0.dist-info/METADATA
	records_hold tree
	hasnt tree/alpha-1.0.dist-info/RECORD tests/
	is answer "$(python tree 'import alpha.sub; print(alpha.sub.answer)')" 42
	has shrunk "Left out"
	has shrunk "tests 5 files"
}

test_dry_run_says_the_same() {
	pure tree
	digest tree >before
	stat -c '%y' tree tree/* >times
	sofold shrink -n --format json tree
	cp out dry
	digest tree | cmp - before
	stat -c '%y' tree tree/* | cmp - times
	sofold shrink -o new tree
	digest tree | cmp - before
	sofold shrink --format json tree
	is plans "$(json out '{k: v for k, v in d.items() if k != "dry_run"}')" \
		"$(json dry '{k: v for k, v in d.items() if k != "dry_run"}')"
	digest new >a
	digest tree >b
	cmp a b
	pruned_in dry >said
	[ "$(wc -l <said)" -ge 5 ]
	is bytes "$(json dry 'd["bytes_after"]')" "$(find tree -type f -printf '%s\n' | paste -sd+ | bc)"
}

test_twice_is_once() {
	local level profile
	for level in safe default max; do
		for profile in rules recipe slim none; do
			rm -rf tree
			pure tree
			compiled tree
			sofold shrink --level $level --profile $profile tree
			digest tree >once
			sofold shrink --level $level --profile $profile --format json tree
			digest tree >twice
			cmp once twice || fail "$level $profile"
			is "$level $profile" "$(json out 'len(d["changes"])')" 0
		done
	done
}

test_twice_is_once_below_python() {
	local profile
	for profile in rules recipe slim; do
		rm -rf tree
		pure tree/python
		file tree/python/app.py 'from alpha.tests.helper import value'
		sofold shrink --level max --profile $profile tree
		python tree/python 'import app'
		digest tree >once
		sofold shrink --level max --profile $profile tree
		digest tree >twice
		cmp once twice || fail "$profile"
	done
}

test_what_is_imported_stays() {
	pure tree
	file tree/app.py '' 'def f():' '    from alpha.tests.helper import value' '    return value'
	shrink tree
	there tree alpha/tests/helper.py alpha/tests/test_one.py
	gone tree alpha/sub/tests
	has shrunk "stays alpha/tests (tests)"
	has shrunk "app.py:3 imports alpha.tests"
	is answer "$(python tree 'import app; print(app.f())')" 7
	records_hold tree
}

test_what_came_back_imports_more() {
	pure tree
	file tree/app.py 'import alpha.tests.helper'
	file tree/alpha/tests/test_one.py 'from ..sub.tests import deep'
	record tree alpha 1.0
	shrink tree
	there tree alpha/tests/helper.py alpha/sub/tests/deep.py
	has shrunk "alpha/tests/test_one.py:1 imports alpha.sub.tests"
}

test_entry_points_are_imports() {
	pure tree
	file tree/alpha-1.0.dist-info/entry_points.txt '[console_scripts]' 'selftest = alpha.tests.helper:main'
	shrink tree
	there tree alpha/tests/helper.py
	has shrunk "alpha-1.0.dist-info/entry_points.txt:2 imports alpha.tests"
}

test_libraries_in_tests_that_are_needed_stay() {
	two_wheels tree
	mkdir -p tree/one/tests
	mv tree/one.libs/libanswer-11111111.so.1 tree/one/tests/
	rmdir tree/one.libs
	file tree/one/tests/test_x.py 'pass'
	extension "tree/one/_one$SUFFIX" _one runpath="\$ORIGIN/tests" needs=tree/one/tests/libanswer-11111111.so.1
	record tree one 1.0
	shrink --only prune tree
	there tree one/tests/libanswer-11111111.so.1
	has shrunk "needs libanswer-11111111.so.1"
	is answers "$(python tree 'import one; print(one.ask())')" 42
}

test_symlinks_into_tests_keep_them() {
	pure tree
	ln -s tests/data.txt tree/alpha/data.txt
	shrink tree
	there tree alpha/tests/data.txt
	is text "$(cat tree/alpha/data.txt)" data
	has shrunk "alpha/data.txt is a symlink to it"
}

# --prune is the user's word; it goes, and is told of.
test_named_paths_go_with_a_warning() {
	pure tree
	file tree/app.py 'import alpha.tests.helper'
	sofold shrink --prune alpha/tests tree
	gone tree alpha/tests
	has out "warning alpha/tests (--prune)"
	has out "app.py:1 imports alpha.tests"
	records_hold tree
}

test_keep_wins() {
	pure tree
	sofold shrink --prune 'alpha/**' --keep 'alpha/tests/*.txt' --keep alpha/sub tree
	gone tree alpha/__init__.py alpha/tests/helper.py
	there tree alpha/tests/data.txt alpha/sub/tests/deep.py
}

test_passes() {
	pure tree
	cp -a tree skipped
	shrink --skip prune skipped
	is paths "$(cd skipped && find . | sort)" "$(cd tree && find . | sort)"
	shrink --only prune tree
	gone tree alpha/tests
	exits 2 "$SOFOLD" shrink --skip prune --explain alpha skipped
}

test_levels() {
	pure tree
	file tree/alpha/__init__.pyi ''
	file tree/numpy/__init__.py ''
	file tree/numpy/core/include/a.h ''
	file tree/numpy/random/lib/b.c ''
	record tree numpy 1.26.4
	record tree alpha 1.0
	cp -a tree safe && cp -a tree max
	shrink --level safe safe
	there safe alpha/tests numpy/core/include/a.h alpha/__init__.pyi
	gone safe numpy/random/lib
	shrink tree
	gone tree alpha/tests numpy/core/include numpy/random
	there tree alpha/__init__.pyi alpha-1.0.dist-info/METADATA
	shrink --level max max
	gone max alpha/__init__.pyi alpha-1.0.dist-info
	is answer "$(python max 'import alpha.sub; print(alpha.sub.answer)')" 42
}

test_dist_info_keeps_what_programs_ask_for() {
	local info=alpha-1.0.dist-info
	pure tree
	file tree/$info/INSTALLER pip
	file tree/$info/REQUESTED
	file tree/$info/direct_url.json '{}'
	file tree/$info/LICENSE.txt free
	file tree/$info/licenses/sub/COPYING free
	file tree/$info/top_level.txt alpha
	file tree/$info/entry_points.txt '[x]'
	listed tree $info/{INSTALLER,REQUESTED,direct_url.json,LICENSE.txt,licenses/sub/COPYING,top_level.txt,entry_points.txt}
	shrink --level safe tree
	there tree $info/METADATA $info/RECORD $info/LICENSE.txt $info/licenses/sub/COPYING $info/top_level.txt \
		$info/entry_points.txt
	gone tree $info/INSTALLER $info/REQUESTED $info/direct_url.json $info/WHEEL
	records_hold tree
	hasnt tree/$info/RECORD WHEEL
	is version "$(python tree 'import importlib.metadata as m; print(m.version("alpha"))')" 1.0
}

test_profiles() {
	local name
	pure tree
	compiled tree
	file tree/mine/tests/test_mine.py ''
	file tree/pyproject.toml ''
	for name in recipe slim none; do
		cp -a tree $name
		sofold shrink --profile $name $name
	done
	gone recipe alpha/tests mine/tests alpha-1.0.dist-info alpha/__pycache__ pyproject.toml
	there recipe alpha/__init__.py
	gone slim alpha-1.0.dist-info alpha/__pycache__
	there slim alpha/tests/helper.py mine/tests/test_mine.py pyproject.toml
	is paths "$(cd none && find . | sort)" "$(cd tree && find . | sort)"
	shrink tree
	there tree mine/tests/test_mine.py pyproject.toml alpha/__pycache__
	exits 2 "$SOFOLD" shrink --profile lambda tree
	has err "'lambda'"
}

test_serverless() {
	pure tree
	pure tree beta
	file serverless.yml 'service: x' 'custom:' '  pythonRequirements:' '    slim: true' \
		'    slimPatterns: ["**/tests", "**/*.egg-info*"]' '    slimPatternsAppendDefaults: false' \
		'    noDeploy: [Beta]'
	file tree/a.egg-info/PKG-INFO x
	cp -a tree defaults
	sofold shrink --serverless serverless.yml tree
	gone tree beta beta-1.0.dist-info alpha/tests a.egg-info
	there tree alpha-1.0.dist-info/WHEEL alpha/__init__.py
	sed -i /AppendDefaults/d serverless.yml
	sofold shrink --serverless serverless.yml defaults
	gone defaults beta alpha/tests alpha-1.0.dist-info
	exits 2 "$SOFOLD" shrink --bytecode no tree
	exits 2 "$SOFOLD" shrink --serverless missing.yml tree
	file bad.yml 'custom:' '  pythonRequirements:' '    slim: ${x}'
	exits 2 "$SOFOLD" shrink --serverless bad.yml tree
	has err "bad.yml:3:"
}

test_configuration() {
	pure tree
	compiled tree
	file tree/extra/x.txt ''
	file .sofold.yml 'prune:' '  keep: [alpha/sub/tests]' '  remove: [extra]' '  bytecode: drop'
	cp -a tree flags && cp -a tree slim && cp -a tree none
	sofold shrink tree
	gone tree alpha/tests extra alpha/__pycache__
	there tree alpha/sub/tests/deep.py
	sofold shrink --bytecode keep --profile none flags
	there flags alpha/tests/helper.py alpha/__pycache__
	gone flags extra
	file .sofold.yml 'prune:' '  slim: true' '  slimPatterns: ["alpha/tests"]' '  noDeploy: [nobody, alpha.sub]'
	sofold shrink slim
	gone slim alpha/tests alpha-1.0.dist-info alpha/__pycache__
	file .sofold.yml 'prune:' '  profile: slim'
	sofold shrink --profile none none
	there none alpha-1.0.dist-info/WHEEL
	file .sofold.yml 'prune:' '  profile: thin'
	exits 2 "$SOFOLD" shrink none
	has err ".sofold.yml:2:"
	file .sofold.yml 'prune:' '  keep: []' '  bytecode: burn'
	exits 2 "$SOFOLD" shrink none
	has err ".sofold.yml:3:"
	file .sofold.yml 'prune:' '  forget: x'
	exits 2 "$SOFOLD" shrink none
}

test_botocore_services() {
	local service
	for service in s3 sts s3control ec2; do
		file tree/botocore/data/$service/2006/service-2.json.gz x
		file tree/botocore/data/$service/2006/examples-1.json x
	done
	file tree/botocore/__init__.py
	answers tree/botocore/native.so 42
	file tree/botocore/data/endpoints.json '{}'
	record tree botocore 1.34.0
	file .sofold.yml 'prune:' '  botocore_services: [ec2]'
	cp -a tree configured
	shrink --botocore-services s3,sts tree
	there tree botocore/data/s3/2006/service-2.json.gz botocore/data/sts botocore/data/endpoints.json
	gone tree botocore/data/ec2 botocore/data/s3control botocore/data/s3/2006/examples-1.json
	shrink configured
	gone configured botocore/data/s3
	there configured botocore/data/ec2
	records_hold tree
	exits 2 "$SOFOLD" shrink --botocore-services s3,s33 tree
	has err s33
}

test_bytecode() {
	pure tree
	compiled tree
	cp -a tree dropped
	file tree/alpha/__pycache__/gone.cpython-312.pyc x
	touch -d 2001-01-01 tree/alpha/sub/__init__.py
	shrink tree
	there tree alpha/__pycache__
	gone tree alpha/__pycache__/gone.cpython-312.pyc alpha/sub/__pycache__
	digest tree/alpha/__pycache__ >before
	PYTHONDONTWRITEBYTECODE= python tree 'import alpha, alpha.sub'
	digest tree/alpha/__pycache__ | cmp - before
	cp dropped/alpha/__pycache__/__init__.*.pyc dropped/alpha/alone.pyc
	shrink --bytecode drop dropped
	is caches "$(find dropped -name __pycache__ | wc -l)" 0
	there dropped alpha/alone.pyc
	python dropped 'import alpha.sub, alpha.alone'
}

# Of an interpreter that the extension modules are not for.
test_foreign_bytecode() {
	local tag name
	two_wheels tree
	compiled tree
	tag=$("$PYTHON" -c 'import sys; print(sys.implementation.cache_tag)')
	for name in cpython-27 cpython-399 pypy39; do
		cp -p "tree/one/__pycache__/__init__.$tag.pyc" tree/one/__pycache__/__init__.$name.pyc
	done
	shrink tree
	is left "$(ls tree/one/__pycache__)" "__init__.$tag.pyc"
}

# compileall -b, sources deleted: what is imported stays.
test_layer_without_sources() {
	pure tree
	file tree/numpy/testing/__init__.py 'from numpy._core.tests._natype import x'
	file tree/numpy/_core/tests/_natype.py 'x = 1'
	file tree/numpy/_core/tests/test_x.py 'x = 1'
	record tree numpy 2.2.1
	"$PYTHON" -m compileall -b -q tree
	find tree -name '*.py' -delete
	record tree numpy 2.2.1
	record tree alpha 1.0
	shrink tree
	python tree 'import numpy.testing, alpha.sub'
}

test_explain() {
	pure tree
	file tree/app.py 'import alpha.tests.helper'
	digest tree >before
	sofold shrink --explain alpha/sub/tests/deep.py tree
	has out "goes 1 file"
	has out "rule tests (default)"
	sofold shrink --explain ./alpha/tests/ tree
	has out "stays 4 files"
	has out "app.py:1 imports alpha.tests"
	sofold shrink --explain alpha --explain app.py tree
	has out "goes"
	has out "no rule of prune has it"
	sofold shrink --explain alpha/__init__.py --prune 'alpha/*.py' tree
	has out "rule --prune"
	exits 2 "$SOFOLD" shrink --explain alpha/nothing tree
	has err alpha/nothing
	exits 2 "$SOFOLD" shrink --explain ../tree tree
	exits 2 "$SOFOLD" shrink --explain "$PWD/tree/alpha" tree
	digest tree | cmp - before
}

# Explaining makes nothing.
test_explain_writes_no_other_tree() {
	pure tree
	"$SOFOLD" shrink --explain alpha -o new tree >out 2>err || true
	[ ! -e new ]
}

test_globs_that_match_nothing_are_named() {
	pure tree
	exits 0 "$SOFOLD" shrink -n --keep 'alhpa/**' --prune alpha/nothing --keep alpha/native.so tree
	has err "--keep alhpa/**: there is no such path"
	has err "--prune alpha/nothing: there is no such path"
	hasnt err native.so
}

# Names of all kinds, and reports by them.
test_reports_are_valid() {
	pure tree
	file tree/app.py 'import alpha.tests.helper'
	file $'tree/alpha/sub/tests/a\nb\033[31m.py' 'x = 1'
	record tree alpha 1.0
	printf 'x' >$'tree/alpha/sub/tests/\xff\xfe.txt'
	listed tree $'alpha/sub/tests/\xff\xfe.txt'
	sofold shrink -n --format json tree
	is_valid sofold-shrink-1.json out
	is rules "$(json out 'sorted({p["rule"] for p in d["pruned"]})')" "['dist-info', 'tests']"
	is files "$(json out 'sum(p["files"] for p in d["pruned"])')" \
		"$(json out 'sum(c["action"] == "prune" for c in d["changes"])')"
	is bytes "$(json out 'sum(p["bytes"] for p in d["pruned"])')" \
		"$(json out 'sum(c["bytes_before"] for c in d["changes"] if c["action"] == "prune")')"
	is stays "$(json out '[(n["path"], n["rule"], n["removed"]) for n in d["not_pruned"]]')" \
		"[('alpha/tests', 'tests', False)]"
}

test_text_has_no_control_bytes() {
	local name=$'bad\033[31m\nname'
	pure tree
	file "tree/$name.py" 'import alpha.tests.helper'
	file "tree/alpha/$name/tests/x.py" 'x = 1'
	file "tree/alpha/tests/$name.py" 'x = 1'
	record tree alpha 1.0
	sofold shrink -n -v tree
	! grep -q $'\033' out || fail "escapes in the report"
	sofold shrink --explain "$name.py" --explain alpha tree
	! grep -q $'\033' out || fail "escapes in explanations"
	exits 2 "$SOFOLD" shrink --explain "no$name" tree
	! grep -q $'\033' err || fail "escapes in the message"
	sofold shrink tree
	gone tree "alpha/$name"
	there tree "alpha/tests/$name.py"
}

test_hard_links() {
	pure tree
	ln tree/alpha/tests/data.txt tree/alpha/kept.txt
	ln tree/alpha/tests/data.txt tree/alpha/sub/tests/again.txt
	ln -s ../__init__.py tree/alpha/tests/link.py
	ln -s nowhere tree/alpha/tests/dangling
	listed tree alpha/kept.txt alpha/sub/tests/again.txt alpha/tests/link.py alpha/tests/dangling
	mkdir -p outside && ln tree/alpha/tests/helper.py outside/helper.py
	sofold shrink tree
	gone tree alpha/tests/helper.py alpha/tests/data.txt alpha/sub/tests
	there tree alpha/kept.txt alpha/__init__.py
	is text "$(cat tree/alpha/kept.txt)" data
	is links "$(stat -c %h outside/helper.py)" 1
}

test_empty_directories_go() {
	pure tree
	mkdir tree/empty tree/alpha/empty
	file tree/alpha/only/deep/tests/a.py
	record tree alpha 1.0
	shrink tree
	gone tree alpha/tests alpha/only
	there tree empty alpha/empty
	is directories "$(find tree/alpha -type d | sort | tr '\n' ' ')" "tree/alpha tree/alpha/empty tree/alpha/sub "
}

test_read_only_directory_inside_tests() {
	pure tree
	chmod 555 tree/alpha/sub/tests
	digest tree >before
	give_away
	rc=0
	unprivileged "$SOFOLD" shrink tree >out 2>err || rc=$?
	is status $rc 3
	digest tree | cmp - before
	is staging "$(find tree -name '.sofold*' | wc -l)" 0
}

# Killed anywhere: the next run first puts everything back, then does it all.
test_killed_run_is_made_good() {
	need strace
	local n status
	pure tree
	cp -a tree done
	sofold shrink done
	digest done >wanted
	for n in 1 3 6 9 12; do
		rm -rf killed
		cp -a tree killed
		strace -f -qq -o /dev/null -e trace=renameat,renameat2,rename,unlinkat,linkat \
			-e inject=renameat,renameat2,rename,unlinkat,linkat:signal=SIGKILL:when=$n \
			"$SOFOLD" shrink killed >out 2>err || true
		# What it would do then says nothing of what it will do.
		[ ! -e killed/.sofold ] || exits 3 "$SOFOLD" shrink -n killed
		"$SOFOLD" shrink killed >out 2>err
		is staging "$(find killed -name '.sofold*' | wc -l)" 0
		digest killed | cmp - wanted || fail "killed at $n"
	done
}

# With --run that fails everything is put back, directories too.
test_failed_run_puts_everything_back() {
	two_wheels tree
	file tree/one/tests/deep/test_x.py 'pass'
	record tree one 1.0
	digest tree >before
	printf '#!/bin/sh\n[ -e "%s/tree/one/tests/deep/test_x.py" ] && exec "%s" "$@"\nexit 1\n' "$PWD" "$PYTHON" >python3
	chmod +x python3
	rc=0
	"$SOFOLD" shrink --run ./python3 tree >out 2>err || rc=$?
	[ "$rc" = 3 ] || [ "$rc" = 4 ] || fail "status $rc"
	digest tree | cmp - before
}

run_cases
