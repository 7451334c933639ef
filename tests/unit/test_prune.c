/*
 * Unit tests of what is left out: globs, import statements, which rule takes
 * which file, and what may not go after all.
 */
#include "suites.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "build_layer.h"
#include "prune/prune.h"
#include "sofold/platform.h"
#include "sofold/vec.h"

/* --------- globs ------------------ */

/* matched: what of path the glob takes as a whole; NULL: nothing. */
#define MATCHES(glob, path, matched)                                                                         \
	do {                                                                                                 \
		size_t n = prune_match((glob), (path));                                                      \
		UNIT_ASSERT_TEXT(n ? shown("%.*s", (int)n, (path)) : NULL, (matched));                       \
	} while (0)

static const char *shown(const char *format, int n, const char *text)
{
	static char buffer[8192];

	snprintf(buffer, sizeof buffer, format, n, text);
	return buffer;
}

static void glob_stars_stay_within_a_component(void)
{
	MATCHES("*", "a.py", "a.py");
	MATCHES("*", "a/b.py", "a");
	MATCHES("*.py", "a/b.py", NULL);
	MATCHES("a/*", "a", NULL);
	MATCHES("a/*.so", "a/b.so", "a/b.so");
	MATCHES("a/*.so", "a/.so", "a/.so");
	MATCHES("a/*.so", "a/b/c.so", NULL);
	MATCHES("a*c*e", "abcde", "abcde");
	MATCHES("a*c*e", "abcdef", NULL);
	MATCHES("a**e", "abcde", "abcde");
	MATCHES("a?c", "abc", "abc");
	MATCHES("a?c", "ac", NULL);
	MATCHES("a?c", "a/c", NULL);
	MATCHES("*", ".hidden", ".hidden");
}

static void glob_sets(void)
{
	MATCHES("[a-c]", "b", "b");
	MATCHES("[a-c]", "d", NULL);
	MATCHES("[!x]", "y", "y");
	MATCHES("[!x]", "x", NULL);
	MATCHES("[^x]", "x", NULL);
	MATCHES("[]]", "]", "]");
	MATCHES("[!]]", "]", NULL);
	MATCHES("[!]]", "a", "a");
	MATCHES("[]a]", "a", "a");
	MATCHES("[a-]", "-", "-");
	MATCHES("[-a]", "-", "-");
	MATCHES("[*?]", "*", "*");
	MATCHES("[*?]", "a", NULL);
	MATCHES("a[b", "a[b", "a[b");
	MATCHES("a[b", "ab", NULL);
	MATCHES("[", "[", "[");
	MATCHES("[]", "[]", "[]");
	MATCHES("a[/]b", "a/b", NULL);
	MATCHES("*.py[co]", "a.pyc", "a.pyc");
	MATCHES("*.py[co]", "a.py", NULL);
}

static void glob_stars_for_any_number_of_components(void)
{
	MATCHES("**/tests", "tests/a.py", "tests");
	MATCHES("**/tests", "a/tests/b.py", "a/tests");
	MATCHES("**/tests", "a/b/c/tests", "a/b/c/tests");
	MATCHES("**/tests", "a/mytests/b.py", NULL);
	MATCHES("**/tests", "a/tests/b/tests/c", "a/tests");
	MATCHES("a/**/z", "a/z", "a/z");
	MATCHES("a/**/z", "a/b/c/z/y", "a/b/c/z");
	MATCHES("a/**/z", "b/a/z", NULL);
	MATCHES("**/a/**/z/*.py", "x/a/b/a/z/m.py", "x/a/b/a/z/m.py");
	MATCHES("**/a/b/c", "a/b/a/b/c", "a/b/a/b/c");
	MATCHES("**/**/x", "x", "x");
	MATCHES("**/**/x", "a/b/x", "a/b/x");
	MATCHES("a/**", "a/b/c", "a/b");
	MATCHES("a/**", "a", NULL);
	MATCHES("**", "a/b", "a");
	MATCHES("*/**/tests", "tests/a.py", NULL);
	MATCHES("*/**/tests", "a/tests/a.py", "a/tests");
}

static void glob_matches_the_directories_of_a_path(void)
{
	CU_ASSERT_EQUAL(prune_match("a/b", "a/b/c/d.py"), strlen("a/b"));
	CU_ASSERT_EQUAL(prune_match("a/b", "a/bc/d.py"), 0);
	CU_ASSERT_EQUAL(prune_match("a/b/", "a/b/c"), strlen("a/b"));
	CU_ASSERT_EQUAL(prune_match("./a", "a/b"), 1);
	CU_ASSERT_EQUAL(prune_match("././a", "a"), 1);
	CU_ASSERT_EQUAL(prune_match("", "a"), 0);
	CU_ASSERT_EQUAL(prune_match("./", "a"), 0);
	CU_ASSERT_EQUAL(prune_match("a", ""), 0);
	CU_ASSERT_EQUAL(prune_match("**", ""), 0);
	CU_ASSERT_EQUAL(prune_match("a/b/c", "a/b"), 0);
}

static void glob_braces_stand_for_one_of_several_texts(void)
{
	MATCHES("{a,b}/c", "a/c", "a/c");
	MATCHES("{a,b}/c", "b/c", "b/c");
	MATCHES("{a,b}/c", "{a,b}/c", NULL);
	MATCHES("m{,.gz}", "m", "m");
	MATCHES("m{,.gz}", "m.gz", "m.gz");
	MATCHES("m{.gz,}", "m", "m");
	MATCHES("{a}", "a", "a");
	MATCHES("{}a", "a", "a");
	MATCHES("{}", "a", NULL);
	MATCHES("{a,b}{c,d}", "bd", "bd");
	MATCHES("{a,b}{c,d}{e,f}", "acf", "acf");
	MATCHES("**/{tests,test}/{*.py,data}", "a/test/data/x", "a/test/data");
	MATCHES("{a/b,c}", "a/b/d", "a/b");
	MATCHES("{a,a/b}", "a/b/c", "a");
	MATCHES("{a/b,a}", "a/b/c", "a");
	MATCHES("{a,b", "{a,b", "{a,b");
	MATCHES("a}", "a}", "a}");
	MATCHES("{[a-c],x}1", "b1", "b1");
}

/* As minimatch and bash have it, which slimPatterns were written for. */
static void glob_braces_nest(void)
{
	MATCHES("{a,{b,c}}", "a", "a");
	MATCHES("{a,{b,c}}", "b", "b");
	MATCHES("{a,{b,c}}", "c", "c");
	MATCHES("{a,{b,c}}", "c}", NULL);
	MATCHES("x{{a,b},c}y", "xby", "xby");
	MATCHES("x{{a,b},c}y", "xcy", "xcy");
}

/* Its defaults, and what its README shows. */
static void glob_patterns_of_serverless_python_requirements(void)
{
	MATCHES("**/*.py[c|o]", "a/b.pyc", "a/b.pyc");
	MATCHES("**/*.py[c|o]", "b.pyo", "b.pyo");
	MATCHES("**/*.py[c|o]", "a/b.py", NULL);
	MATCHES("**/__pycache__*", "a/__pycache__/b.cpython-312.pyc", "a/__pycache__");
	MATCHES("**/__pycache__*", "__pycache__/b.pyc", "__pycache__");
	MATCHES("**/*.dist-info*", "numpy-1.0.dist-info/RECORD", "numpy-1.0.dist-info");
	MATCHES("**/*.dist-info*", "python/numpy-1.0.dist-info/RECORD", "python/numpy-1.0.dist-info");
	MATCHES("**/*.egg-info*", "a.egg-info/PKG-INFO", "a.egg-info");
	MATCHES("**/tests/**", "a/tests/b/c", "a/tests/b");
}

static void glob_takes_no_time_worth_speaking_of(void)
{
	char path[4000], glob[500];
	clock_t start = clock();

	memset(path, 'a', sizeof path);
	path[sizeof path - 1] = '\0';
	MATCHES("a*a*a*a*a*a*a*a*a*a*b", path, NULL);
	for (size_t i = 1; i < sizeof path - 1; i += 2)
		path[i] = '/';
	MATCHES("**/a/**/a/**/a/**/a/**/a/**/a/**/b", path, NULL);
	memset(glob, '*', sizeof glob);
	glob[sizeof glob - 1] = '\0';
	memset(path, 'a', sizeof path - 1);
	CU_ASSERT_EQUAL(prune_match(glob, path), sizeof path - 1);
	MATCHES("{a,b}{a,b}{a,b}*a*a*a*b", path, NULL);
	CU_ASSERT(clock() - start < CLOCKS_PER_SEC);
}

/* --------- import statements ------------------ */

struct heard {
	char text[4096];
	size_t n, nr;
	unsigned last_line;
};

static void hear(void *context, unsigned line, bool absolute, const char *path)
{
	struct heard *heard = context;
	int n = snprintf(heard->text + heard->n, sizeof heard->text - heard->n, "%s%u %s%s",
			 heard->n ? ", " : "", line, absolute ? "" : "/", path);

	heard->nr++;
	heard->last_line = line;
	if (n > 0 && (size_t)n < sizeof heard->text - heard->n)
		heard->n += (size_t)n;
}

static struct heard heard;

static const char *reads(const char *path, const char *source, size_t n)
{
	heard = (struct heard){.n = 0};
	prune_python_imports(path, (struct span){(const uint8_t *)source, n}, hear, &heard);
	return heard.text;
}

static const char *reads_entry_points(const char *text)
{
	heard = (struct heard){.n = 0};
	prune_entry_points((struct span){(const uint8_t *)text, strlen(text)}, hear, &heard);
	return heard.text;
}

/* "2 a/b": line 2 imports a.b; "/a": from the layer's root. */
#define IMPORTS_AT(path, source, expected)                                                                   \
	UNIT_ASSERT_TEXT(reads((path), (source), sizeof(source) - 1), (expected))
#define IMPORTS(source, expected) IMPORTS_AT("pkg/sub/mod.py", source, expected)

static void imports_of_import_statements(void)
{
	IMPORTS("import a", "1 a");
	IMPORTS("import a.b as c, d", "1 a, 1 a/b, 1 d");
	IMPORTS("import a as b, c.d as e, f;import g", "1 a, 1 c, 1 c/d, 1 f, 1 g");
	IMPORTS("import\ta", "1 a");
	IMPORTS("import a . b", "1 a, 1 a/b");
	IMPORTS("import \\\n  a", "2 a");
	IMPORTS("import", "");
	IMPORTS("import .a", "1 /pkg/sub/a"); /* no Python; what it would mean */
	IMPORTS("", "");
}

static void imports_of_from_statements(void)
{
	IMPORTS("from a import b", "1 a, 1 a/b");
	IMPORTS("from a.b import c as d, e", "1 a, 1 a/b, 1 a/b/c, 1 a, 1 a/b, 1 a/b/e");
	IMPORTS("from a import *", "1 a");
	IMPORTS("from a.b import *", "1 a, 1 a/b");
	IMPORTS("from a import (b)", "1 a, 1 a/b");
	IMPORTS("from a import (b,\n  c as d, # and\n\n  e,\n)\n", "1 a, 1 a/b, 2 a, 2 a/c, 4 a, 4 a/e");
	IMPORTS("from a import(\n\tb\n)", "2 a, 2 a/b");
	IMPORTS("from a \\\n  import b, \\\n  c", "2 a, 2 a/b, 3 a, 3 a/c");
	IMPORTS("from a \\\r\n  import b", "2 a, 2 a/b");
	IMPORTS("from a import b; from c import d", "1 a, 1 a/b, 1 c, 1 c/d");
}

static void imports_go_on_behind_an_alias_on_a_line_of_its_own(void)
{
	IMPORTS("from a import (\n  b\n    as c,\n  d\n)\n", "2 a, 2 a/b, 4 a, 4 a/d");
	IMPORTS("from a import (\n  b as\n  c,\n  d)\n", "2 a, 2 a/b, 4 a, 4 a/d");
}

static void imports_relative_to_the_source(void)
{
	IMPORTS("from . import a", "1 /pkg/sub/a");
	IMPORTS("from .a import b", "1 /pkg/sub/a, 1 /pkg/sub/a/b");
	IMPORTS("from.a import b", "1 /pkg/sub/a, 1 /pkg/sub/a/b");
	IMPORTS("from .. import a", "1 /pkg/a");
	IMPORTS("from ..a.b import (c,\n d as e,\n)", "1 /pkg/a, 1 /pkg/a/b, 1 /pkg/a/b/c, 2 /pkg/a, 2 /pkg/a/b, "
						     "2 /pkg/a/b/d");
	IMPORTS("from ... import a", "1 /a");
	IMPORTS("from .... import a", "");
	IMPORTS("from .......... import a\nimport b", "2 b");
	IMPORTS("from . import *", "1 /pkg/sub");
	IMPORTS_AT("pkg/__init__.py", "from . import tests", "1 /pkg/tests");
	IMPORTS_AT("pkg/__init__.py", "from .. import tests", "1 /tests");
	IMPORTS_AT("pkg/__init__.py", "from ... import tests", "");
	IMPORTS_AT("mod.py", "from . import a", "1 /a");
	IMPORTS_AT("mod.py", "from .. import a", "");
	IMPORTS_AT("a/b/c.py", "from .. import x", "1 /a/x");
}

/* The line is the one an editor goes to. */
static void imports_say_the_line(void)
{
	IMPORTS("import a\nimport b\n", "1 a, 2 b");
	IMPORTS("import a.b as c\n\n\nimport d\n", "1 a, 1 a/b, 4 d");
	IMPORTS("import a\r\nimport b\r\n", "1 a, 2 b");
	IMPORTS("from a import b\nfrom c import d\n", "1 a, 1 a/b, 2 c, 2 c/d");
	IMPORTS("'''x\ny\n'''\nimport a\n", "4 a");
	IMPORTS("x = 'a.b'\n", "1 a, 1 a/b");
	IMPORTS("x = \\\n 1\nimport a", "3 a");
	IMPORTS("'a\\\nb'\nimport c", "3 c");
}

static void imports_wherever_a_statement_stands(void)
{
	IMPORTS("def f():\n    import a\n", "2 a");
	IMPORTS("def f(): import a", "1 a");
	IMPORTS("if x: from a import b", "1 a, 1 a/b");
	IMPORTS("try:\n\timport a\nexcept ImportError:\n\tfrom b import c", "2 a, 4 b, 4 b/c");
	IMPORTS("x = 1; from a import b", "1 a, 1 a/b");
	IMPORTS("if TYPE_CHECKING:\n  from a import b\n", "2 a, 2 a/b");
	IMPORTS("x\0y\nimport a", "2 a");
	IMPORTS("x = '\xe9\xff'\nimport a", "2 a");
	IMPORTS("import \xc3\xa9t\xc3\xa9", "1 \xc3\xa9t\xc3\xa9");
	IMPORTS("\fimport a", "1 a");
}

static void imports_not_of_what_only_looks_like_one(void)
{
	IMPORTS("# import a\n", "");
	IMPORTS("x = 1 # from a import b", "");
	IMPORTS("'import a'", "");
	IMPORTS("'''\nimport a\nfrom b import c\n'''\n", "");
	IMPORTS("\"\"\"It's\nimport a\n\"\"\"", "");
	IMPORTS("r'\\' import a'", "");
	IMPORTS("rb'import a'; Rb'import b'", "");
	IMPORTS("yield from x", "");
	IMPORTS("await f(); x = yield from a.b", "");
	IMPORTS("raise E from e", "");
	IMPORTS("raise E('x') from e", "");
	IMPORTS("important = a\nx.imports\nfromage = 1", "");
}

static void imports_behind_what_has_no_end(void)
{
	IMPORTS("x = 'abc\nimport a", "2 a");
	IMPORTS("'''abc\nimport a", "2 a");
	IMPORTS("\"\"\"abc\nimport a", "2 a");
	IMPORTS("# don't\nimport a", "2 a");
	IMPORTS("'", "");
	IMPORTS("'\\", "");
	IMPORTS("'''", "");
	IMPORTS("''''", "");
	IMPORTS("'''\\", "");
	IMPORTS("x = f'{d['k']}'\nimport a", "2 a");
	IMPORTS("x = f\"{d[\"k\"]}\"; import a", "1 a");
	IMPORTS("x = f'{'\"'}'\nimport a", "2 a");
	IMPORTS("x = f'''{'''a'''}'''\nimport b", "2 b");
	IMPORTS("import a\\", "1 a");
	IMPORTS("x = (\nimport a", "2 a");
	IMPORTS("from a import (b,\nimport c", "1 a, 1 a/b, 2 c");
	IMPORTS("from a import (b as\nimport c", "1 a, 1 a/b, 2 c");
}

/* PEP 263: a source may begin with the mark that editors on Windows write. */
static void imports_behind_a_byte_order_mark(void)
{
	IMPORTS("\xef\xbb\xbfimport a\n", "1 a");
	IMPORTS("\xef\xbb\xbf" "from a import b\n", "1 a, 1 a/b");
}

/* A lone CR ends a line for Python (io.IncrementalNewlineDecoder). */
static void imports_in_lines_that_end_with_cr(void)
{
	IMPORTS("# a comment\rimport a\r", "2 a");
	IMPORTS("x = 1\rfrom a import b\r", "2 a, 2 a/b");
	IMPORTS("x = 'abc\rimport a", "2 a");
}

static void imports_by_name(void)
{
	IMPORTS("import_module(\"x\")", "1 x");
	IMPORTS("importlib.import_module(\n  'x.y')", "2 x, 2 x/y");
	IMPORTS("__import__('x.y')", "1 x, 1 x/y");
	IMPORTS("__import__('x')", "1 x");
	IMPORTS("import_module('.x', 'a')", "1 /pkg/sub/x");
	IMPORTS("import_module(name)", "");
	IMPORTS("f('x')", "");
	IMPORTS("names = ['a.b', \"c.d\"]", "1 a, 1 a/b, 1 c, 1 c/d");
	IMPORTS("x = 'a.b.'", "");
	IMPORTS("x = '.'", "");
	IMPORTS("x = '...'", "");
	IMPORTS("x = ''", "");
	IMPORTS("x = 'a b.c'", "");
	IMPORTS("x = '''a.b'''", "1 a, 1 a/b");
	IMPORTS("from importlib import import_module", "1 importlib, 1 importlib/import_module");
}

static void imports_of_sources_of_any_size(void)
{
	enum { N = 1 << 20 };
	static char big[N];

	memset(big, 'x', N);
	memcpy(big + N - 10, "; import a", 10);
	UNIT_ASSERT_TEXT(reads("m.py", big, N), "1 a");
	memset(big, ' ', N);
	memcpy(big + N - 8, "import a", 8);
	UNIT_ASSERT_TEXT(reads("m.py", big, N), "1 a");
	memset(big, '.', N);
	memcpy(big, "from ", 5);
	UNIT_ASSERT_TEXT(reads("m.py", big, N), "");
	for (size_t i = 0; i < N; i++)
		big[i] = "import a.b.c.d.e.f.g.h."[i < 7 ? i : 7 + (i - 7) % 16];
	reads("m.py", big, N);
	CU_ASSERT(heard.nr < 1000);
	memset(big, 0, N);
	UNIT_ASSERT_TEXT(reads("m.py", big, N), "");
}

/* Time grows with the source, not with its square: quotes behind a backslash
 * begin strings that never end. */
static void imports_take_no_time_worth_speaking_of(void)
{
	enum { N = 1 << 19 };
	static const char *const parts[] = {"\\\"\"\"", "\\'", "'''\\'", "\"\n", "\\\"\"\"\\'''", "f'{", "(((", "\\\n"};
	static char big[N];

	for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
		clock_t start = clock();
		size_t n = strlen(parts[k]);

		for (size_t i = 0; i < N; i++)
			big[i] = parts[k][i % n];
		memcpy(big + N - 10, "\n\nimport a", 10);
		reads("m.py", big, N);
		CU_ASSERT(clock() - start < CLOCKS_PER_SEC);
		if (clock() - start >= CLOCKS_PER_SEC)
			fprintf(stderr, "\n%zu: \"%s\" is slow\n", k, parts[k]);
	}
}

static void imports_of_entry_points(void)
{
	UNIT_ASSERT_TEXT(reads_entry_points("[console_scripts]\nrun = pkg.cli:main\n"), "2 pkg, 2 pkg/cli");
	UNIT_ASSERT_TEXT(reads_entry_points("[a.b]\r\nx=pkg\r\n\r\ny = pkg.m:C.f [extra,other]\r\n"),
			 "2 pkg, 4 pkg, 4 pkg/m");
	UNIT_ASSERT_TEXT(reads_entry_points("# x = a\n; y = b\n\n[x]\nno value\n= c\nz =\n"), "6 c");
	UNIT_ASSERT_TEXT(reads_entry_points("a.b = c"), "1 c");
	UNIT_ASSERT_TEXT(reads_entry_points("x = .rel"), "");
	UNIT_ASSERT_TEXT(reads_entry_points("\n\n=\n="), "");
	UNIT_ASSERT_TEXT(reads_entry_points(""), "");
}

/* --------- tables ------------------ */

static void rules_name_wheels_as_pep_503_does(void)
{
	CU_ASSERT(rule_names_wheel("scikit-learn", "scikit_learn"));
	CU_ASSERT(rule_names_wheel("scikit-learn", "Scikit.Learn"));
	CU_ASSERT(rule_names_wheel("scikit_learn", "scikit-learn"));
	CU_ASSERT(rule_names_wheel("a scikit-learn b", "scikit_learn"));
	CU_ASSERT(rule_names_wheel("*", "anything"));
	CU_ASSERT(rule_names_wheel("PyYAML", "pyyaml"));
	CU_ASSERT_FALSE(rule_names_wheel("scikit-learn", "scikit"));
	CU_ASSERT_FALSE(rule_names_wheel("scikit", "scikit-learn"));
	CU_ASSERT_FALSE(rule_names_wheel("numpy scipy", "numpy scipy"));
	CU_ASSERT_FALSE(rule_names_wheel("", "numpy"));
	CU_ASSERT_FALSE(rule_names_wheel("numpy", ""));
}

static void rules_take_versions(void)
{
	CU_ASSERT(rule_takes_version(NULL, "1"));
	CU_ASSERT(rule_takes_version("", "1"));
	CU_ASSERT(rule_takes_version(">=2.0 <2.3", "2.0"));
	CU_ASSERT(rule_takes_version(">=2.0 <2.3", "2.0.0"));
	CU_ASSERT(rule_takes_version(">=2.0 <2.3", "2.2.9"));
	CU_ASSERT_FALSE(rule_takes_version(">=2.0 <2.3", "2.3"));
	CU_ASSERT_FALSE(rule_takes_version(">=2.0 <2.3", "2.3.0"));
	CU_ASSERT_FALSE(rule_takes_version(">=2.0 <2.3", "1.26.4"));
	CU_ASSERT_FALSE(rule_takes_version(">=2.0 <2.3", "10.0"));
	CU_ASSERT(rule_takes_version("<1.15", "1.9"));
	CU_ASSERT_FALSE(rule_takes_version("<1.15", "1.15rc1"));
	CU_ASSERT_FALSE(rule_takes_version("<1.15", "1.15"));
	CU_ASSERT(rule_takes_version("<=1.15", "1.15"));
	CU_ASSERT(rule_takes_version(">1.15", "1.15.1"));
	CU_ASSERT_FALSE(rule_takes_version(">1.15", "1.15.0"));
	CU_ASSERT_FALSE(rule_takes_version(">=2", ""));
}

/* Every row of every table can be printed, and matches what it can match. */
static void rules_are_whole(void)
{
	for (int profile = PRUNE_RULES; profile <= PRUNE_NAMED; profile++)
		for (const struct rule *rule = rules_of((enum prune_profile)profile); rule->name; rule++) {
			CU_ASSERT_PTR_NOT_NULL(rule->why);
			CU_ASSERT_FATAL(rule->pattern != NULL);
			CU_ASSERT(*rule->pattern && strlen(rule->pattern) < 512);
			CU_ASSERT(!rule->versions || rule->wheels);
			CU_ASSERT(!rule->versions || strchr("<>", *rule->versions));
		}
}

/* --------- a layer to prune ------------------ */

static struct layer *layer;
static struct prune *prune;
static struct {
	const char *path, *text;
} sources[64];
static size_t nr_sources;

static void begin(void)
{
	layer = build_layer();
	nr_sources = 0;
}

static void end(void)
{
	build_free(layer);
	layer = NULL;
}

/* A file of a wheel, or of none (NO_ID). */
static void owned(owner_id owner, const char *path)
{
	build_file(layer, path);
	layer->files[layer_find_file(layer, path)].owner = owner;
}

static void source(owner_id owner, const char *path, const char *text)
{
	owned(owner, path);
	sources[nr_sources].path = path;
	sources[nr_sources++].text = text;
}

static void object_of(owner_id owner, struct build_object spec)
{
	spec.owner_plus_one = owner == NO_ID ? 0 : owner + 1;
	build_object(layer, spec);
}

static void bytecode(const char *path, enum bytecode state)
{
	layer->files[layer_find_file(layer, path)].bytecode = state;
}

struct taking {
	struct python_imports imports;
	file_id file;
};

static void take(void *context, unsigned line, bool absolute, const char *path)
{
	struct taking *taking = context;
	struct python_import import = {taking->file, line, absolute, path};

	if (!prune_asks(prune, &import))
		return;
	import.path = arena_strdup(layer->arena, path);
	*VEC_PUSH(layer->arena, &taking->imports, items) = import;
}

static struct python_imports read_all(void)
{
	struct taking taking = {{0}, NO_ID};

	for (size_t i = 0; i < layer->nr_files; i++)
		for (size_t k = 0; prune_unread(prune)[i] && k < nr_sources; k++) {
			struct span text = {(const uint8_t *)sources[k].text, strlen(sources[k].text)};

			if (strcmp(sources[k].path, layer->files[i].path))
				continue;
			taking.file = (file_id)i;
			if (!strcmp(layer->files[i].name, "entry_points.txt"))
				prune_entry_points(text, take, &taking);
			else
				prune_python_imports(sources[k].path, text, take, &taking);
		}
	return taking.imports;
}

/* What is left out, separated by blanks. */
static const char *pruned(struct prune_options options)
{
	const struct layer *rest;
	struct error err = {""};
	struct python_imports imports;
	const char *text = "";
	unsigned rounds = 0;

	if (!options.platform)
		options.platform = platform_find("generic-x86_64");
	CU_ASSERT_EQUAL_FATAL(prune_select(layer, &options, &prune, &err), 0);
	do
		imports = read_all();
	while (prune_settle(prune, &imports) && rounds++ < 1000);
	CU_ASSERT(rounds < 1000);
	rest = prune_result(prune);
	for (size_t i = 0; i < rest->nr_files; i++)
		if (rest->files[i].pruned)
			text = arena_printf(layer->arena, "%s%s%s", text, *text ? " " : "",
					    rest->files[i].path);
	return text;
}

static const char *noted(void)
{
	size_t nr;
	const struct prune_note *notes = prune_notes(prune, &nr);
	const char *text = "";

	for (size_t i = 0; i < nr; i++)
		text = arena_printf(layer->arena, "%s%s%s %s: %s", text, *text ? "\n" : "",
				    notes[i].removed ? "gone" : "stays", notes[i].path, notes[i].why);
	return text;
}

static const char *rule_for(const char *path)
{
	struct prune_answers answers = prune_explain(prune, path);

	CU_ASSERT_EQUAL_FATAL(answers.nr_items, 1);
	return answers.items[0].rule;
}

#define DEFAULTS ((struct prune_options){.level = LEVEL_DEFAULT})
#define AT(l) ((struct prune_options){.level = (l)})

/* Wheel p with tests that nobody imports. */
static owner_id tested_wheel(void)
{
	owner_id p = build_owner(layer, "p", "1");

	source(p, "p/__init__.py", "");
	source(p, "p/tests/__init__.py", "");
	source(p, "p/tests/test_a.py", "");
	owned(p, "p/tests/data.txt");
	return p;
}

/* --------- rules ------------------ */

static void prune_takes_tests_by_level(void)
{
	owner_id numpy;

	begin();
	tested_wheel();
	numpy = build_owner(layer, "NumPy", "1.26.4");
	source(numpy, "numpy/__init__.py", "");
	owned(numpy, "numpy/tests/test_a.py");
	owned(numpy, "numpy/conftest.py");
	owned(numpy, "numpy/core/include/numpy/a.h");
	owned(numpy, "numpy/__init__.pyi");
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_SAFE)), "numpy/conftest.py numpy/tests/test_a.py");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS),
			 "numpy/conftest.py numpy/core/include/numpy/a.h numpy/tests/test_a.py "
			 "p/tests/__init__.py p/tests/data.txt p/tests/test_a.py");
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_MAX)),
			 "numpy/__init__.pyi numpy/conftest.py numpy/core/include/numpy/a.h "
			 "numpy/tests/test_a.py p/tests/__init__.py p/tests/data.txt p/tests/test_a.py");
	end();
}

static void prune_rules_of_wheels_are_for_what_they_own(void)
{
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	owned(p, "p/__init__.py");
	owned(NO_ID, "p/tests/test_mine.py");
	owned(NO_ID, "tests/test_app.py");
	owned(NO_ID, "numpy/tests/test_a.py");
	owned(NO_ID, "numpy/pyproject.toml");
	owned(p, "tests/test_p.py");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_MAX)), "");
	end();
}

static void prune_finds_wheels_below_their_base(void)
{
	static const char *const bases[] = {"python", "python/lib/python3.12/site-packages"};

	for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
		owner_id scipy;
		const char *base = bases[i];

		begin();
		scipy = build_owner(layer, "scipy", "1.9.1");
		layer->owners[scipy].base = base;
		owned(scipy, arena_printf(layer->arena, "%s/scipy/misc/face.dat", base));
		owned(scipy, arena_printf(layer->arena, "%s/scipy/misc/face.py", base));
		owned(scipy, arena_printf(layer->arena, "%s/scipy/tests/a.py", base));
		UNIT_ASSERT_TEXT(pruned(DEFAULTS), arena_printf(layer->arena, "%s/scipy/misc/face.dat %s/scipy/tests/a.py",
								base, base));
		end();
	}
}

static void prune_rules_end_with_a_version(void)
{
	begin();
	owned(build_owner(layer, "scipy", "1.15.0"), "scipy/misc/face.dat");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	layer->owners[0].version = "1.14.1";
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "scipy/misc/face.dat");
	end();
}

static void prune_exceptions_stand_above(void)
{
	owner_id numpy;

	begin();
	numpy = build_owner(layer, "numpy", "2.2.1");
	owned(numpy, "numpy/_core/tests/__init__.py");
	owned(numpy, "numpy/_core/tests/_natype.py");
	owned(numpy, "numpy/_core/tests/test_x.py");
	owned(numpy, "numpy/f2py/src/fortranobject.c");
	owned(numpy, "numpy/random/lib/a.c");
	owned(numpy, "numpy-2.2.1.dist-info/METADATA");
	owned(numpy, "numpy-2.2.1.dist-info/licenses/x/LICENSE.pyx");
	owned(numpy, "numpy-2.2.1.dist-info/LICENSE_bundled.txt");
	owned(numpy, "numpy-2.2.1.dist-info/INSTALLER");
	owned(numpy, "numpy-2.2.1.dist-info/RECORD");
	owned(numpy, "numpy-2.2.1.dist-info/entry_points.txt");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS),
			 "numpy-2.2.1.dist-info/INSTALLER numpy/_core/tests/test_x.py numpy/random/lib/a.c");
	UNIT_ASSERT_TEXT(rule_for("numpy/_core/tests/_natype.py"), "needed-test-module");
	layer->owners[numpy].version = "2.3.0";
	UNIT_ASSERT_TEXT(pruned(DEFAULTS),
			 "numpy-2.2.1.dist-info/INSTALLER numpy/_core/tests/__init__.py "
			 "numpy/_core/tests/_natype.py numpy/_core/tests/test_x.py numpy/random/lib/a.c");
	end();
}

static void prune_takes_extension_modules_only_where_a_rule_says_so(void)
{
	owner_id numpy;

	begin();
	numpy = build_owner(layer, "numpy", "1.26.4");
	object_of(numpy, (struct build_object){.path = "numpy/core/_simd.cpython-312-x86_64-linux-gnu.so",
					       .exports = "PyInit__simd"});
	object_of(numpy, (struct build_object){.path = "numpy/core/_umath_tests.so", .exports = "other"});
	owned(numpy, "numpy/core/_simd.txt");
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_SAFE)), "");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "numpy/core/_simd.cpython-312-x86_64-linux-gnu.so");
	end();
}

/* Bytecode: stale, of another interpreter, without a source, of a source that goes. */
static void bytecode_layer(void)
{
	owner_id p = tested_wheel();

	object_of(p, (struct build_object){.path = "p/m.cpython-312-x86_64-linux-gnu.so",
					   .tag = "cpython-312-x86_64-linux-gnu",
					   .exports = "PyInit_m"});
	owned(p, "p/__pycache__/__init__.cpython-312.pyc");
	owned(p, "p/__pycache__/__init__.cpython-312.opt-1.pyc");
	owned(p, "p/__pycache__/__init__.cpython-311.pyc");
	owned(p, "p/__pycache__/gone.cpython-312.pyc");
	owned(p, "p/__pycache__/notes.txt");
	owned(p, "p/alone.pyc");
	owned(p, "p/tests/__pycache__/test_a.cpython-312.pyc");
	bytecode("p/__pycache__/__init__.cpython-312.pyc", BYTECODE_VALID);
	bytecode("p/__pycache__/__init__.cpython-312.opt-1.pyc", BYTECODE_STALE);
	bytecode("p/__pycache__/__init__.cpython-311.pyc", BYTECODE_VALID);
	bytecode("p/__pycache__/gone.cpython-312.pyc", BYTECODE_ALONE);
	bytecode("p/alone.pyc", BYTECODE_VALID);
	bytecode("p/tests/__pycache__/test_a.cpython-312.pyc", BYTECODE_VALID);
}

static void prune_takes_useless_bytecode(void)
{
	begin();
	bytecode_layer();
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_SAFE)), "p/__pycache__/__init__.cpython-311.pyc "
						 "p/__pycache__/__init__.cpython-312.opt-1.pyc "
						 "p/__pycache__/gone.cpython-312.pyc");
	end();
}

static void prune_takes_bytecode_of_what_goes(void)
{
	static const char *remove[] = {"p/__init__.py"};

	begin();
	bytecode_layer();
	UNIT_ASSERT_TEXT(pruned((struct prune_options){.profile = PRUNE_NAMED, .remove = remove, .nr_remove = 1}),
			 "p/__init__.py p/__pycache__/__init__.cpython-311.pyc "
			 "p/__pycache__/__init__.cpython-312.opt-1.pyc "
			 "p/__pycache__/__init__.cpython-312.pyc");
	end();
}

/* "drop: all in __pycache__", whatever the profile. */
static void prune_drops_all_bytecode_on_request(void)
{
	struct prune_options drop = {.bytecode = PRUNE_BYTECODE_DROP, .level = LEVEL_SAFE};
	static const char all[] = "p/__pycache__/__init__.cpython-311.pyc "
				  "p/__pycache__/__init__.cpython-312.opt-1.pyc "
				  "p/__pycache__/__init__.cpython-312.pyc p/__pycache__/gone.cpython-312.pyc "
				  "p/tests/__pycache__/test_a.cpython-312.pyc";

	begin();
	bytecode_layer();
	UNIT_ASSERT_TEXT(pruned(drop), all);
	drop.profile = PRUNE_NAMED;
	UNIT_ASSERT_TEXT(pruned(drop), all);
	end();
}

static void prune_asks_the_platform_for_the_sdk(void)
{
	struct prune_options options = {.level = LEVEL_MAX, .platform = platform_find("lambda-python3.12-x86_64")};
	static const char *service[] = {"s3"};

	begin();
	owned(build_owner(layer, "botocore", "1"), "botocore/data/s3/service.json");
	owned(build_owner(layer, "boto3", "1"), "boto3/__init__.py");
	UNIT_ASSERT_TEXT(pruned(options), "");
	options.platform_named = true;
	UNIT_ASSERT_TEXT(pruned(options), "boto3/__init__.py botocore/data/s3/service.json");
	options.level = LEVEL_DEFAULT;
	UNIT_ASSERT_TEXT(pruned(options), "");
	options.level = LEVEL_MAX;
	options.services = service;
	options.nr_services = 1;
	UNIT_ASSERT_TEXT(pruned(options), "");
	options = (struct prune_options){.level = LEVEL_MAX, .platform_named = true};
	UNIT_ASSERT_TEXT(pruned(options), "");
	end();
}

static void services_layer(const char *base)
{
	owner_id botocore = build_owner(layer, "botocore", "1");
	static const char *const paths[] = {"endpoints.json", "s3/2006/service-2.json.gz",
					    "s3/2006/examples-1.json.gz", "s3control/2018/service-2.json.gz",
					    "ec2/2016/service-2.json.gz"};

	layer->owners[botocore].base = base;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		owned(botocore, arena_printf(layer->arena, "%s%sbotocore/data/%s", base, *base ? "/" : "", paths[i]));
	owned(NO_ID, "mine/botocore/data/ec2/x.json");
}

static void prune_keeps_the_services_named(void)
{
	static const char *service[] = {"s3"}, *unknown[] = {"s4"}, *part[] = {"s3contro"};
	struct prune_options options = {.profile = PRUNE_NAMED, .services = service, .nr_services = 1};
	struct error err = {""};

	begin();
	services_layer("");
	UNIT_ASSERT_TEXT(pruned(options), "botocore/data/ec2/2016/service-2.json.gz "
					  "botocore/data/s3/2006/examples-1.json.gz "
					  "botocore/data/s3control/2018/service-2.json.gz");
	options.services = unknown;
	options.platform = platform_find("generic-x86_64");
	CU_ASSERT_EQUAL(prune_select(layer, &options, &prune, &err), ERROR_USAGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "s4"));
	options.services = part;
	CU_ASSERT_EQUAL(prune_select(layer, &options, &prune, &err), ERROR_USAGE);
	end();
	begin();
	services_layer("python");
	options.services = service;
	UNIT_ASSERT_TEXT(pruned(options), "python/botocore/data/ec2/2016/service-2.json.gz "
					  "python/botocore/data/s3/2006/examples-1.json.gz "
					  "python/botocore/data/s3control/2018/service-2.json.gz");
	end();
}

/* The examples of a service that is named go for a reason of their own. */
static void prune_says_why_examples_go(void)
{
	static const char *service[] = {"s3"};
	struct prune_answers answers;

	begin();
	services_layer("");
	pruned((struct prune_options){.profile = PRUNE_NAMED, .services = service, .nr_services = 1});
	answers = prune_explain(prune, "botocore/data/s3/2006/examples-1.json.gz");
	CU_ASSERT_EQUAL_FATAL(answers.nr_items, 1);
	UNIT_ASSERT_TEXT(answers.items[0].why, "only the documentation shows it");
	end();
}

/* --------- the user's word ------------------ */

static void prune_keep_wins(void)
{
	static const char *keep[] = {"p/tests/data.txt", "**/__pycache__"}, *remove[] = {"p/tests", "p/__init__.py"};
	struct prune_options options = {.level = LEVEL_DEFAULT, .keep = keep, .nr_keep = 2};

	begin();
	tested_wheel();
	UNIT_ASSERT_TEXT(pruned(options), "p/tests/__init__.py p/tests/test_a.py");
	UNIT_ASSERT_TEXT(rule_for("p/tests/data.txt"), "--keep");
	options.remove = remove;
	options.nr_remove = 2;
	UNIT_ASSERT_TEXT(pruned(options), "p/__init__.py p/tests/__init__.py p/tests/test_a.py");
	UNIT_ASSERT_TEXT(rule_for("p/tests/test_a.py"), "--prune");
	end();
}

static void prune_of_the_users_goes_with_a_warning(void)
{
	static const char *remove[] = {"p/tests", "lib", "nowhere"};
	struct prune_options options = {
		.profile = PRUNE_NAMED, .level = LEVEL_DEFAULT, .remove = remove, .nr_remove = 3};

	begin();
	tested_wheel();
	source(NO_ID, "app.py", "from p.tests import test_a\nimport p.tests.test_a\n");
	object_of(NO_ID, (struct build_object){.path = "lib/liba.so.1"});
	object_of(NO_ID, (struct build_object){.path = "m.so", .needed = "liba.so.1"});
	UNIT_ASSERT_TEXT(pruned(options), "lib/liba.so.1 p/tests/__init__.py p/tests/data.txt p/tests/test_a.py");
	UNIT_ASSERT_TEXT(noted(), "gone p/tests: app.py:1 imports p.tests\n"
				  "gone lib: m.so needs liba.so.1");
	end();
}

/* The user's globs are of the layer, not of the wheel. */
static void prune_of_the_users_begins_at_the_root(void)
{
	static const char *remove[] = {"p/a", "python/p/b"}, *keep[] = {"p/b"};
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	layer->owners[p].base = "python";
	owned(p, "python/p/a/x");
	owned(p, "python/p/b/x");
	UNIT_ASSERT_TEXT(pruned((struct prune_options){.profile = PRUNE_NAMED,
						       .remove = remove,
						       .nr_remove = 2,
						       .keep = keep,
						       .nr_keep = 1}),
			 "python/p/b/x");
	end();
}

/* Extension modules of Python 3.7 are "cpython-37m", its bytecode is "cpython-37". */
static void prune_knows_the_bytecode_of_old_interpreters(void)
{
	begin();
	tested_wheel();
	object_of(0, (struct build_object){.path = "p/m.cpython-37m-x86_64-linux-gnu.so",
					   .tag = "cpython-37m-x86_64-linux-gnu",
					   .exports = "PyInit_m"});
	owned(0, "p/__pycache__/__init__.cpython-37.pyc");
	owned(0, "p/__pycache__/__init__.cpython-370.pyc");
	bytecode("p/__pycache__/__init__.cpython-37.pyc", BYTECODE_VALID);
	bytecode("p/__pycache__/__init__.cpython-370.pyc", BYTECODE_VALID);
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_SAFE)), "p/__pycache__/__init__.cpython-370.pyc");
	end();
}

static void prune_takes_whole_wheels(void)
{
	static const char *wheels[] = {"scikit.Learn"};

	begin();
	source(NO_ID, "app.py", "import sklearn");
	source(build_owner(layer, "scikit_learn", "1"), "sklearn/__init__.py", "");
	owned(0, "scikit_learn-1.dist-info/RECORD");
	owned(NO_ID, "sklearn/mine.py");
	UNIT_ASSERT_TEXT(pruned((struct prune_options){.profile = PRUNE_NAMED, .wheels = wheels, .nr_wheels = 1}),
			 "scikit_learn-1.dist-info/RECORD sklearn/__init__.py");
	UNIT_ASSERT_TEXT(noted(), "gone sklearn: app.py:1 imports sklearn");
	end();
}

static void prune_slim_patterns_are_not_the_users_word(void)
{
	static const char *slim_patterns[] = {"**/tests", "**/*.egg-info*"};
	struct prune_options options = {.profile = PRUNE_SLIM, .slim = slim_patterns, .nr_slim = 2};

	begin();
	tested_wheel();
	source(NO_ID, "app.py", "import p.tests");
	owned(NO_ID, "q.egg-info/PKG-INFO");
	owned(NO_ID, "q-1.dist-info/METADATA");
	owned(NO_ID, "q/m.pyc");
	owned(NO_ID, "q/__pycache__/m.txt");
	UNIT_ASSERT_TEXT(pruned(options), "q-1.dist-info/METADATA q.egg-info/PKG-INFO q/__pycache__/m.txt q/m.pyc");
	UNIT_ASSERT_TEXT(noted(), "stays p/tests: app.py:1 imports p.tests");
	end();
}

/* --------- what may not go ------------------ */

static void settle_brings_back_what_is_imported(void)
{
	begin();
	tested_wheel();
	source(NO_ID, "app.py", "\n\nfrom p.tests.test_a import x\n");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	UNIT_ASSERT_TEXT(noted(), "stays p/tests: app.py:3 imports p.tests");
	UNIT_ASSERT_TEXT(rule_for("p/tests/data.txt"), "tests");
	end();
}

static void settle_says_the_line_of_a_plain_import(void)
{
	begin();
	tested_wheel();
	source(NO_ID, "app.py", "\n\nimport p.tests\n");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	UNIT_ASSERT_TEXT(noted(), "stays p/tests: app.py:3 imports p.tests");
	end();
}

static void settle_ignores_imports_of_what_goes(void)
{
	owner_id p;

	begin();
	p = tested_wheel();
	source(p, "p/tests/test_b.py", "from . import test_a\nimport p.tests.test_a\nimport q.tests\n");
	source(build_owner(layer, "q", "1"), "q/tests/__init__.py", "import p.tests\n");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "p/tests/__init__.py p/tests/data.txt p/tests/test_a.py "
					   "p/tests/test_b.py q/tests/__init__.py");
	UNIT_ASSERT_TEXT(noted(), "");
	end();
}

static void settle_follows_what_came_back(void)
{
	owner_id p;

	begin();
	p = tested_wheel();
	source(NO_ID, "app.py", "import z.tests\n");
	source(p, "z/tests/__init__.py", "from ...m.tests import a\n");
	source(p, "z/tests/other.py", "import p.tests.test_a\n");
	source(p, "m/tests/a.py", "");
	source(p, "k/tests/a.py", "import app\n");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "k/tests/a.py");
	end();
	begin();
	p = tested_wheel();
	source(NO_ID, "app.py", "import z.tests\n");
	source(p, "z/tests/__init__.py", "from ..m.tests import a\n");
	source(p, "z/m/tests/a.py", "import p.tests\n");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	UNIT_ASSERT_TEXT(noted(), "stays z/tests: app.py:1 imports z.tests\n"
				  "stays z/m/tests: z/tests/__init__.py:1 imports z.m.tests\n"
				  "stays p/tests: z/m/tests/a.py:1 imports p.tests");
	end();
}

static void settle_reads_entry_points(void)
{
	owner_id p;

	begin();
	p = tested_wheel();
	source(p, "p-1.dist-info/entry_points.txt", "[console_scripts]\nselftest = p.tests.test_a:main [all]\n");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	UNIT_ASSERT_TEXT(noted(), "stays p/tests: p-1.dist-info/entry_points.txt:2 imports p.tests");
	end();
}

static void settle_knows_every_kind_of_module(void)
{
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	source(NO_ID, "app.py", "import p.a.tests.m, p.b.tests.m, p.c.tests.m, p.d.tests.m\n");
	owned(p, "p/a/tests/m.py");
	object_of(p, (struct build_object){.path = "p/b/tests/m.so"});
	object_of(p, (struct build_object){.path = "p/c/tests/m.cpython-312-x86_64-linux-gnu.so"});
	owned(p, "p/d/tests/m/__init__.py");
	owned(p, "p/e/tests/m.py");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "p/e/tests/m.py");
	end();
}

/* compileall -b, sources deleted: Python imports m.pyc beside where m.py was
 * (SourcelessFileLoader). */
static void settle_knows_modules_without_a_source(void)
{
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	source(NO_ID, "app.py", "import p.tests.m\n");
	owned(p, "p/__init__.pyc");
	owned(p, "p/tests/__init__.pyc");
	owned(p, "p/tests/m.pyc");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	end();
	begin();
	p = build_owner(layer, "numpy", "2.2.1");
	owned(p, "numpy/testing/__init__.pyc");
	owned(p, "numpy/_core/tests/__init__.pyc");
	owned(p, "numpy/_core/tests/_natype.pyc");
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_SAFE)), "");
	end();
}

/* A package may be a directory without __init__.py (PEP 420): asking for it, as
 * importlib.resources.files("p.tests") does, asks for what lies in it. */
static void settle_knows_namespace_packages(void)
{
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	source(p, "p/__init__.py", "data = files('p.tests')\n");
	owned(p, "p/tests/data.json");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	end();
}

static void settle_looks_below_every_base(void)
{
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	layer->owners[p].base = "python";
	source(NO_ID, "python/app.py", "import p.tests\n");
	owned(p, "python/p/tests/__init__.py");
	owned(p, "python/p/sub/tests/__init__.py");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "python/p/sub/tests/__init__.py");
	UNIT_ASSERT_TEXT(noted(), "stays python/p/tests: python/app.py:1 imports p.tests");
	end();
}

/* The recipe takes tests of no wheel too, as after an earlier run that took
 * dist-info. Where the wheels lie is then to be guessed. */
static void settle_looks_below_the_directories_lambda_knows(void)
{
	static const char *const bases[] = {"", "python/", "python/lib/python3.12/site-packages/"};

	for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
		begin();
		source(NO_ID, arena_printf(layer->arena, "%sp/__init__.py", bases[i]), "import p.tests._needed\n");
		source(NO_ID, arena_printf(layer->arena, "%sp/tests/__init__.py", bases[i]), "");
		source(NO_ID, arena_printf(layer->arena, "%sp/tests/_needed.py", bases[i]), "");
		UNIT_ASSERT_TEXT(pruned((struct prune_options){.profile = PRUNE_RECIPE}), "");
		end();
	}
}

static void settle_brings_back_libraries(void)
{
	owner_id p;

	begin();
	p = tested_wheel();
	object_of(p, (struct build_object){.path = "p/m.so", .needed = "libx.so.1 libc.so.6", .exports = "PyInit_m"});
	object_of(p, (struct build_object){.path = "p/a/tests/libx.so.1"});
	owned(p, "p/a/tests/data");
	object_of(p, (struct build_object){.path = "p/n.so", .needed = "libsoname.so.2", .exports = "PyInit_n"});
	object_of(p, (struct build_object){.path = "p/b/tests/liby.so", .soname = "libsoname.so.2"});
	object_of(p, (struct build_object){.path = "p/c/tests/libz.so"});
	object_of(p, (struct build_object){.path = "p/tests/t.so", .needed = "libz.so"});
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "p/c/tests/libz.so p/tests/__init__.py p/tests/data.txt p/tests/t.so "
					   "p/tests/test_a.py");
	UNIT_ASSERT_TEXT(noted(), "stays p/a/tests: p/m.so needs libx.so.1\nstays p/b/tests: p/n.so needs liby.so");
	end();
}

/* Of a module's files one that stays is enough. */
static void settle_is_content_with_one_file_of_a_module(void)
{
	static const char *keep[] = {"p/tests/m.py"};
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	source(NO_ID, "app.py", "import p.tests.m\n");
	owned(p, "p/tests/m.py");
	object_of(p, (struct build_object){.path = "p/tests/m.so"});
	UNIT_ASSERT_TEXT(pruned((struct prune_options){.level = LEVEL_DEFAULT, .keep = keep, .nr_keep = 1}),
			 "p/tests/m.so");
	end();
}

/* What a library that came back needs comes back too, whichever sorts first. */
static void settle_brings_back_libraries_of_libraries(void)
{
	static const char *const order[][2] = {{"p/a", "p/z"}, {"p/z", "p/a"}};

	for (size_t i = 0; i < 2; i++) {
		owner_id p;

		begin();
		p = build_owner(layer, "p", "1");
		object_of(p, (struct build_object){.path = "p/m.so", .needed = "libone.so", .exports = "PyInit_m"});
		object_of(p, (struct build_object){
				     .path = arena_printf(layer->arena, "%s/tests/libone.so", order[i][0]),
				     .needed = "libtwo.so"});
		object_of(p, (struct build_object){
				     .path = arena_printf(layer->arena, "%s/tests/libtwo.so", order[i][1])});
		UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
		end();
	}
}

/* A symlink brings back an object; that one needs a library. */
static void settle_brings_back_libraries_of_linked_objects(void)
{
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	object_of(p, (struct build_object){.path = "p/a/tests/libone.so"});
	object_of(p, (struct build_object){.path = "p/b/tests/tool.so", .needed = "libone.so"});
	build_symlink(layer, "p/tool.so", "b/tests/tool.so");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	end();
}

static void settle_brings_back_what_symlinks_lead_to(void)
{
	begin();
	tested_wheel();
	build_symlink(layer, "p/data", "tests/data.txt");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	UNIT_ASSERT_TEXT(noted(), "stays p/tests: p/data is a symlink to it");
	end();
	begin();
	tested_wheel();
	build_symlink(layer, "more", "p/tests");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	end();
	begin();
	tested_wheel();
	build_symlink(layer, "out", "../p/tests");
	build_symlink(layer, "absolute", "/p/tests");
	build_symlink(layer, "loop", "loop");
	build_symlink(layer, "nearly", "p/test");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "p/tests/__init__.py p/tests/data.txt p/tests/test_a.py");
	end();
}

/* A link by way of a link that goes: that one must stay too. */
static void settle_brings_back_links_on_the_way(void)
{
	owner_id p;

	begin();
	p = tested_wheel();
	owned(p, "p/real.txt");
	build_symlink(layer, "p/tests/inner", "../real.txt");
	layer->files[layer_find_file(layer, "p/tests/inner")].owner = p;
	build_symlink(layer, "p/outer", "tests/inner");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "");
	end();
}

/* A venv's lib64 is no reason to keep tests: the directory stays. */
static void settle_minds_links_only_to_what_goes(void)
{
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	layer->owners[p].base = "lib";
	owned(p, "lib/p/__init__.py");
	owned(p, "lib/p/tests/test_a.py");
	build_symlink(layer, "lib64", "lib");
	UNIT_ASSERT_TEXT(pruned(DEFAULTS), "lib/p/tests/test_a.py");
	end();
}

static void settle_drops_rules_whose_condition_is_not_met(void)
{
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	source(p, "p/__init__.py", "import os\n");
	owned(p, "p/__init__.pyi");
	owned(p, "p/py.typed");
	owned(p, "p-1.dist-info/METADATA");
	owned(p, "p-1.dist-info/WHEEL");
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_MAX)),
			 "p-1.dist-info/METADATA p-1.dist-info/WHEEL p/__init__.pyi p/py.typed");
	sources[0].text = "import lazy_loader as lazy\n";
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_MAX)), "p-1.dist-info/METADATA p-1.dist-info/WHEEL");
	CU_ASSERT_PTR_NOT_NULL(strstr(noted(), "imports lazy_loader, which may read stubs"));
	sources[0].text = "def f():\n  from importlib import metadata\n";
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_MAX)), "p-1.dist-info/WHEEL p/__init__.pyi p/py.typed");
	CU_ASSERT_PTR_NOT_NULL(strstr(noted(), "p/__init__.py:2 imports importlib.metadata"));
	sources[0].text = "import pkg_resources";
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_MAX)), "p-1.dist-info/WHEEL p/__init__.pyi p/py.typed");
	end();
}

/* lazy_loader's own modules do not count, but only its own. */
static void settle_tells_a_package_from_one_that_begins_alike(void)
{
	owner_id p;

	begin();
	p = build_owner(layer, "p", "1");
	owned(p, "p/__init__.pyi");
	source(NO_ID, "lazy_loader_app.py", "import lazy_loader\n");
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_MAX)), "");
	end();
	begin();
	p = build_owner(layer, "lazy_loader", "1");
	layer->owners[p].base = "python";
	source(p, "python/lazy_loader/__init__.py", "import lazy_loader.x\n");
	owned(p, "python/lazy_loader/__init__.pyi");
	UNIT_ASSERT_TEXT(pruned(AT(LEVEL_MAX)), "python/lazy_loader/__init__.pyi");
	end();
}

/* Files built in another order, and with other ids of owners. */
static void settle_does_not_depend_on_the_order(void)
{
	static const char *const paths[] = {"app.py", "a/tests/__init__.py", "b/tests/__init__.py",
					    "c/tests/__init__.py", "d/tests/__init__.py"};
	static const char *const texts[] = {"import c.tests\n", "import b.tests\n", "", "import a.tests\n", ""};

	for (size_t turn = 0; turn < 5; turn++) {
		owner_id p;

		begin();
		p = build_owner(layer, "p", "1");
		for (size_t i = 0; i < 5; i++) {
			size_t k = (i * 2 + turn) % 5;

			source(k ? p : NO_ID, paths[k], texts[k]);
		}
		UNIT_ASSERT_TEXT(pruned(DEFAULTS), "d/tests/__init__.py");
		UNIT_ASSERT_TEXT(noted(), "stays c/tests: app.py:1 imports c.tests\n"
					  "stays a/tests: c/tests/__init__.py:1 imports a.tests\n"
					  "stays b/tests: a/tests/__init__.py:1 imports b.tests");
		end();
	}
}

/* --------- explaining ------------------ */

static void explain_sums_by_rule_and_reason(void)
{
	struct prune_answers answers;

	begin();
	tested_wheel();
	pruned(DEFAULTS);
	answers = prune_explain(prune, "./p//tests/");
	CU_ASSERT_EQUAL_FATAL(answers.nr_items, 1);
	UNIT_ASSERT_TEXT(answers.items[0].rule, "tests");
	UNIT_ASSERT_TEXT(answers.items[0].level, "default");
	CU_ASSERT(answers.items[0].removed);
	CU_ASSERT_EQUAL(answers.items[0].nr_files, 3);
	answers = prune_explain(prune, "p");
	CU_ASSERT_EQUAL_FATAL(answers.nr_items, 2);
	UNIT_ASSERT_TEXT(answers.items[1].rule, NULL);
	CU_ASSERT_FALSE(answers.items[1].removed);
	CU_ASSERT_EQUAL(prune_explain(prune, "").nr_items, 2);
	CU_ASSERT_EQUAL(prune_explain(prune, "p/test").nr_items, 0);
	CU_ASSERT_EQUAL(prune_explain(prune, "../p").nr_items, 0);
	CU_ASSERT_EQUAL(prune_explain(prune, "/p").nr_items, 0);
	end();
}

void suite_prune(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(glob_stars_stay_within_a_component),
		UNIT_TEST(glob_sets),
		UNIT_TEST(glob_stars_for_any_number_of_components),
		UNIT_TEST(glob_matches_the_directories_of_a_path),
		UNIT_TEST(glob_braces_stand_for_one_of_several_texts),
		UNIT_TEST(glob_braces_nest),
		UNIT_TEST(glob_patterns_of_serverless_python_requirements),
		UNIT_TEST(glob_takes_no_time_worth_speaking_of),
		UNIT_TEST(imports_of_import_statements),
		UNIT_TEST(imports_of_from_statements),
		UNIT_TEST(imports_go_on_behind_an_alias_on_a_line_of_its_own),
		UNIT_TEST(imports_relative_to_the_source),
		UNIT_TEST(imports_say_the_line),
		UNIT_TEST(imports_wherever_a_statement_stands),
		UNIT_TEST(imports_not_of_what_only_looks_like_one),
		UNIT_TEST(imports_behind_what_has_no_end),
		UNIT_TEST(imports_behind_a_byte_order_mark),
		UNIT_TEST(imports_in_lines_that_end_with_cr),
		UNIT_TEST(imports_by_name),
		UNIT_TEST(imports_of_sources_of_any_size),
		UNIT_TEST(imports_take_no_time_worth_speaking_of),
		UNIT_TEST(imports_of_entry_points),
		UNIT_TEST(rules_name_wheels_as_pep_503_does),
		UNIT_TEST(rules_take_versions),
		UNIT_TEST(rules_are_whole),
		UNIT_TEST(prune_takes_tests_by_level),
		UNIT_TEST(prune_rules_of_wheels_are_for_what_they_own),
		UNIT_TEST(prune_finds_wheels_below_their_base),
		UNIT_TEST(prune_rules_end_with_a_version),
		UNIT_TEST(prune_exceptions_stand_above),
		UNIT_TEST(prune_takes_extension_modules_only_where_a_rule_says_so),
		UNIT_TEST(prune_takes_useless_bytecode),
		UNIT_TEST(prune_takes_bytecode_of_what_goes),
		UNIT_TEST(prune_drops_all_bytecode_on_request),
		UNIT_TEST(prune_asks_the_platform_for_the_sdk),
		UNIT_TEST(prune_keeps_the_services_named),
		UNIT_TEST(prune_says_why_examples_go),
		UNIT_TEST(prune_keep_wins),
		UNIT_TEST(prune_of_the_users_goes_with_a_warning),
		UNIT_TEST(prune_of_the_users_begins_at_the_root),
		UNIT_TEST(prune_knows_the_bytecode_of_old_interpreters),
		UNIT_TEST(prune_takes_whole_wheels),
		UNIT_TEST(prune_slim_patterns_are_not_the_users_word),
		UNIT_TEST(settle_brings_back_what_is_imported),
		UNIT_TEST(settle_says_the_line_of_a_plain_import),
		UNIT_TEST(settle_ignores_imports_of_what_goes),
		UNIT_TEST(settle_follows_what_came_back),
		UNIT_TEST(settle_reads_entry_points),
		UNIT_TEST(settle_knows_every_kind_of_module),
		UNIT_TEST(settle_knows_modules_without_a_source),
		UNIT_TEST(settle_knows_namespace_packages),
		UNIT_TEST(settle_looks_below_every_base),
		UNIT_TEST(settle_looks_below_the_directories_lambda_knows),
		UNIT_TEST(settle_brings_back_libraries),
		UNIT_TEST(settle_is_content_with_one_file_of_a_module),
		UNIT_TEST(settle_brings_back_libraries_of_libraries),
		UNIT_TEST(settle_brings_back_libraries_of_linked_objects),
		UNIT_TEST(settle_brings_back_what_symlinks_lead_to),
		UNIT_TEST(settle_brings_back_links_on_the_way),
		UNIT_TEST(settle_minds_links_only_to_what_goes),
		UNIT_TEST(settle_drops_rules_whose_condition_is_not_met),
		UNIT_TEST(settle_tells_a_package_from_one_that_begins_alike),
		UNIT_TEST(settle_does_not_depend_on_the_order),
		UNIT_TEST(explain_sums_by_rule_and_reason),
	};

	unit_suite("prune", tests, sizeof tests / sizeof *tests);
}
