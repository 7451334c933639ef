# What the tests of pruning share; sourced behind lib.sh.

# file PATH LINE...
file() {
	mkdir -p "$(dirname "$1")"
	if [ $# -gt 1 ]; then
		printf '%s\n' "${@:2}" >"$1"
	else
		: >"$1"
	fi
}

# pure TREE [PACKAGE]: a wheel with two tests/ directories that nobody imports,
# and one extension module, since a layer has some.
pure() {
	local tree=$1 name=${2:-alpha}
	file "$tree/$name/__init__.py" 'answer = 42'
	file "$tree/$name/sub/__init__.py" 'from .. import answer'
	file "$tree/$name/tests/__init__.py"
	file "$tree/$name/tests/helper.py" 'value = 7'
	file "$tree/$name/tests/test_one.py" "import $name.sub"
	file "$tree/$name/tests/data.txt" data
	file "$tree/$name/sub/tests/deep.py" 'x = 1'
	answers "$tree/$name/native.so" 42
	record "$tree" "$name" 1.0
}

# listed TREE PATH...: rows in alpha's RECORD, without hashes.
listed() {
	local tree=$1
	shift
	printf '%s,,\n' "$@" >>"$tree/alpha-1.0.dist-info/RECORD"
}

# compiled TREE: bytecode of every source.
compiled() {
	PYTHONDONTWRITEBYTECODE= "$PYTHON" -m compileall -q "$1"
}

# is_valid SCHEMA FILE, both JSON
is_valid() {
	local python=$PYTHON
	"$python" -c 'import jsonschema' 2>/dev/null || python=/usr/bin/python3 # Debian's package is for this one
	"$python" -c 'import jsonschema' 2>/dev/null || skip "no python3-jsonschema"
	"$python" - "$TOP/fixtures/schemas/$1" "$2" <<-'END'
		import json, jsonschema, sys
		schema, document = (json.load(open(path)) for path in sys.argv[1:])
		validator = jsonschema.validators.validator_for(schema)
		for error in validator(schema).iter_errors(document):
		    sys.exit(f"{list(error.absolute_path)}: {error.message[:300]}")
	END
}
