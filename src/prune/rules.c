/*
 * What nobody needs at run time, as data.
 *
 * "safe" names wheels and versions that were tried; what came later is for
 * "default", where the import statements of the files that stay are the proof.
 * Of the rules that match a file the first decides, so exceptions stand above.
 */
#include <stdlib.h>
#include <string.h>

#include "prune/prune.h"

/* Whose tests were taken away, and what uses the wheel still did its work. */
#define TESTED                                                                                               \
	"numpy scipy pandas scikit-learn scikit-image networkx joblib h5py netcdf4 pyproj shapely pyarrow "  \
	"fiona rasterio cftime tzdata pytz"
#define CYTHONIZED                                                                                           \
	"numpy scipy pandas scikit-learn scikit-image h5py netcdf4 cftime pyproj shapely pyarrow fiona rasterio"

#define KEEPS(wheels, versions, pattern, why)                                                                \
	{                                                                                                    \
		"needed-test-module", LEVEL_SAFE, RULE_KEEPS, wheels, versions, pattern, NEEDS_NOTHING, why, \
			NULL                                                                                 \
	}

static const struct rule table[] = {
	/* Test modules that library code imports. */
	KEEPS("numpy", ">=2.0 <2.3", "numpy/_core/tests/{__init__,_natype}.py{,c}",
	      "numpy.testing imports it"),
	KEEPS("networkx", NULL, "networkx/classes/tests/{__init__,dispatch_interface}.py{,c}",
	      "an entry point of networkx names it"),

	{"tests", LEVEL_SAFE, RULE_REMOVES, TESTED, NULL, "**/tests", NEEDS_NOTHING,
	 "a wheel's own tests; no module imports them",
	 "running the wheel's tests; subclassing pandas.tests"},
	{"tests", LEVEL_SAFE, RULE_REMOVES, "joblib", NULL, "joblib/test", NEEDS_NOTHING,
	 "a wheel's own tests; no module imports them", "running the wheel's tests"},
	{"tests", LEVEL_SAFE, RULE_REMOVES, TESTED, NULL, "**/conftest.py", NEEDS_NOTHING,
	 "read by pytest alone", "running the wheel's tests"},
	{"tests", LEVEL_SAFE, RULE_REMOVES, "scipy", NULL, "scipy/special/{_precompute,_mptestutils.py}",
	 NEEDS_NOTHING, "makes the tables that the tests compare with; no module imports it",
	 "running the wheel's tests"},
	{"tests", LEVEL_DEFAULT, RULE_REMOVES, "*", NULL, "*/**/tests", NEEDS_NOTHING,
	 "a package's own tests; no module that stays imports them", "running the wheel's tests"},

	{"bytecode", LEVEL_SAFE, RULE_REMOVES, NULL, NULL, "**/__pycache__/*.pyc", NEEDS_STALE,
	 "no interpreter of the layer can use it", NULL},

	{"dist-info", LEVEL_MAX, RULE_REMOVES, "*", NULL, "*.dist-info", NEEDS_NO_METADATA,
	 "nothing that stays asks for metadata",
	 "importlib.metadata, entry points, pip; licences and software bills of materials are gone"},
	{"dist-info", LEVEL_SAFE, RULE_KEEPS, "*", NULL,
	 "*.dist-info/{METADATA,RECORD,entry_points.txt,top_level.txt,licenses,license_files,sboms}",
	 NEEDS_NOTHING, "metadata that programs ask for", NULL},
	{"dist-info", LEVEL_SAFE, RULE_KEEPS, "*", NULL,
	 "*.dist-info/{LICEN[CS]E*,COPYING*,NOTICE*,AUTHORS*,[lc]icen[cs]e*}", NEEDS_NOTHING,
	 "a licence goes where its files go", NULL},
	{"dist-info", LEVEL_SAFE, RULE_REMOVES, "*", NULL, "*.dist-info/*", NEEDS_NOTHING,
	 "of use to installers only", "pip telling who installed it, and how"},

	{"example-data", LEVEL_SAFE, RULE_REMOVES, "scipy", "<1.15", "scipy/misc/*.dat", NEEDS_NOTHING,
	 "pictures of scipy.misc, deprecated since scipy 1.10",
	 "scipy.misc.face(), ascent(), electrocardiogram()"},
	{"example-data", LEVEL_DEFAULT, RULE_REMOVES, "numpy", NULL, "numpy/random/_examples", NEEDS_NOTHING,
	 "sources that show how to call numpy.random from C", NULL},

	{"build-leftover", LEVEL_SAFE, RULE_REMOVES, "*", NULL, "*/pyproject.toml", NEEDS_NOTHING,
	 "says how to build the wheel, and to its test runner what to do", "pandas.test()"},
	{"build-leftover", LEVEL_SAFE, RULE_KEEPS, "numpy", NULL, "numpy/{f2py/src,distutils}", NEEDS_NOTHING,
	 "f2py and distutils compile these", NULL},
	{"build-leftover", LEVEL_SAFE, RULE_REMOVES, CYTHONIZED, NULL, "**/*.{pyx,pxi,tp}", NEEDS_NOTHING,
	 "Cython sources of modules that are compiled already", "lines of Cython code in tracebacks"},
	{"build-leftover", LEVEL_SAFE, RULE_REMOVES, CYTHONIZED, NULL, "**/*.{c,cc,cpp,cxx,f,f90}",
	 NEEDS_NOTHING, "C and Fortran sources of modules that are compiled already", NULL},
	{"build-leftover", LEVEL_SAFE, RULE_REMOVES, CYTHONIZED, NULL, "**/meson.build", NEEDS_NOTHING,
	 "says how to build the wheel", NULL},
	{"static-library", LEVEL_SAFE, RULE_REMOVES, "numpy", NULL, "numpy/**/*.a", NEEDS_NOTHING,
	 "linked by extension modules when those are built", "building against numpy's C library"},

	{"headers", LEVEL_DEFAULT, RULE_REMOVES, CYTHONIZED, NULL, "**/*.{h,hpp,hh,hxx}", NEEDS_NOTHING,
	 "read by compilers only", "compiling against the wheel: numpy.get_include(), numba's and cffi's C"},
	{"headers", LEVEL_DEFAULT, RULE_REMOVES, CYTHONIZED, NULL, "**/*.pxd", NEEDS_NOTHING,
	 "read by Cython only", "compiling Cython code against the wheel"},

	/* Not _multiarray_tests: numpy 1.x imports it for its docstrings. */
	{"test-modules", LEVEL_DEFAULT, RULE_REMOVES, "numpy", NULL,
	 "numpy/{core,_core}/{_simd,_umath_tests,_rational_tests,_struct_ufunc_tests,"
	 "_operand_flag_tests}.*",
	 NEEDS_EXTENSION, "extension modules that only numpy's tests import", "running the wheel's tests"},
	{"test-modules", LEVEL_DEFAULT, RULE_REMOVES, "numpy", NULL, "numpy/core/umath_tests.py",
	 NEEDS_NOTHING, "a deprecated name for one of those", "numpy.core.umath_tests"},
	{"test-modules", LEVEL_DEFAULT, RULE_REMOVES, "scipy", NULL,
	 "scipy/{_lib,integrate,io,special}/_test_*.so", NEEDS_EXTENSION,
	 "extension modules that only scipy's tests import", "running the wheel's tests"},
	{"test-modules", LEVEL_DEFAULT, RULE_REMOVES, "scipy", NULL, "scipy/ndimage/{_ctest,_cytest}.*",
	 NEEDS_EXTENSION, "extension modules that only scipy's tests import", "running the wheel's tests"},

	{"stubs", LEVEL_MAX, RULE_REMOVES, "*", NULL, "**/{*.pyi,py.typed}", NEEDS_NO_STUBS,
	 "read by type checkers only", "type checking; lazy_loader.attach_stub()"},

	{"aws-sdk", LEVEL_MAX, RULE_REMOVES, "boto3 botocore s3transfer", NULL,
	 "{boto3,botocore,s3transfer}*", NEEDS_AWS_SDK, "Lambda's Python runtimes bring it",
	 "the version you chose: the runtime's own is used"},
	{0},
};

static const struct rule services[] = {
	{"aws-services", LEVEL_SAFE, RULE_REMOVES, NULL, NULL,
	 "{,python/,**/site-packages/}botocore/data/*/*/examples-1.json{,.gz}", NEEDS_NO_SERVICE,
	 "only the documentation shows it", NULL},
	{"aws-services", LEVEL_SAFE, RULE_REMOVES, NULL, NULL,
	 "{,python/,**/site-packages/}{botocore,boto3}/data/*", NEEDS_NO_SERVICE,
	 "describes an AWS service that was not named", "a client of that service"},
	{0},
};

/* What serverless functions' READMEs have passed on for years. */
static const struct rule recipe[] = {
	KEEPS("numpy", ">=2.0 <2.3", "numpy/_core/tests/{__init__,_natype}.py{,c}",
	      "numpy.testing imports it"),
	{"recipe", LEVEL_SAFE, RULE_REMOVES, NULL, NULL,
	 "**/{tests,*.dist-info,__pycache__,*.pyc,*.pyo,pyproject.toml}", NEEDS_NOTHING, "of the recipe",
	 NULL},
	{"recipe", LEVEL_SAFE, RULE_REMOVES, NULL, NULL, "**/scipy/misc/*.dat", NEEDS_NOTHING,
	 "of the recipe", "scipy.misc.face(), ascent(), electrocardiogram()"},
	{0},
};

static const struct rule slim[] = {
	{"slim", LEVEL_SAFE, RULE_REMOVES, NULL, NULL, "**/{*.py[co],__pycache__*,*.dist-info*}",
	 NEEDS_NOTHING, "of slim", NULL},
	{0},
};

static const struct rule none[] = {{0}};

const struct rule *rules_of(enum prune_profile profile)
{
	static const struct rule *const tables[] = {
		[PRUNE_RULES] = table,
		[PRUNE_RECIPE] = recipe,
		[PRUNE_SLIM] = slim,
		[PRUNE_NAMED] = none,
	};

	return tables[profile];
}

const struct rule *rules_of_services(void)
{
	return services;
}

bool rule_names_wheel(const char *list, const char *name)
{
	size_t n;

	if (!strcmp(list, "*"))
		return true;
	for (; *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (same_wheel_name(list, n, name))
			return true;
	}
	return false;
}

/* By the numbers between the dots; "1.15rc1" is 1.15. */
static int compare_versions(const char *a, const char *b)
{
	while (*a || *b) {
		char *a_end, *b_end;
		unsigned long x = strtoul(a, &a_end, 10), y = strtoul(b, &b_end, 10);

		if (x != y)
			return x < y ? -1 : 1;
		a = *a_end == '.' ? a_end + 1 : "";
		b = *b_end == '.' ? b_end + 1 : "";
	}
	return 0;
}

static bool meets(const char *wanted, const char *version)
{
	bool or_equal = wanted[1] == '=';
	int order = compare_versions(version, wanted + 1 + or_equal);

	return !order ? or_equal : *wanted == '<' ? order < 0 : order > 0;
}

bool rule_takes_version(const char *wanted, const char *version)
{
	for (; wanted && *wanted; wanted += strspn(wanted, " ")) {
		if (!meets(wanted, version))
			return false;
		wanted += strcspn(wanted, " ");
	}
	return true;
}
