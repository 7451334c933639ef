/* Unit tests of family_name, on names that real wheels hold. */
#include "suites.h"

#include "sofold/layer.h"

#define FAMILY(name, owner, expected)                                                                        \
	do {                                                                                                 \
		struct arena *arena = arena_new();                                                           \
		UNIT_ASSERT_TEXT(family_name(arena, (name), (owner)), (expected));                           \
		arena_free(arena);                                                                           \
	} while (0)

static void family_drops_hashes_and_minor_versions(void)
{
	FAMILY("libgfortran-040039e1.so.5.0.0", NULL, "libgfortran.so.5");
	FAMILY("libquadmath-96973f99.so.0.0.0", "scipy", "libquadmath.so.0");
	FAMILY("libgomp-a34b3233.so.1.0.0", NULL, "libgomp.so.1");
	FAMILY("libcrypto-ff0a1b2c.so.1.1", NULL, "libcrypto.so.1");
	FAMILY("libarrow.so.1400", NULL, "libarrow.so.1400");
	FAMILY("libtorch_cpu.so", NULL, "libtorch_cpu.so");
}

static void family_drops_doubled_hashes(void)
{
	FAMILY("libgfortran-040039e1-0352e75f.so.5.0.0", NULL, "libgfortran.so.5");
	FAMILY("libopenblasp-r0-34a18dc3-0352e75f.3.7.so", NULL, "libopenblas.so");
}

static void family_drops_the_wheels_own_tag_before_a_hash(void)
{
	FAMILY("libgdal-fiona-e8f6bdb0.so.35", "fiona", "libgdal.so.35");
	FAMILY("libgdal-fiona-e8f6bdb0.so.35", "rasterio", "libgdal-fiona.so.35");
	FAMILY("libz-opencv_python_headless-eb09ad1d.so.1.2.3", "opencv-python-headless", "libz.so.1");
	FAMILY("libz-Pillow-eb09ad1d.so.1", "pillow", "libz.so.1");
	FAMILY("libfoo-fiona.so.1", "fiona", "libfoo-fiona.so.1");
	FAMILY("libgdal-fiona-e8f6bdb0-00112233.so.35", "fiona", "libgdal.so.35");
}

static void family_keeps_digits_that_belong_to_the_name(void)
{
	FAMILY("libz-eb09ad1d.so.1.2.3", NULL, "libz.so.1");
	FAMILY("libbz2-a273e504.so.1.0.6", NULL, "libbz2.so.1");
	FAMILY("libpng16-cfdb1654.so.16.44.0", NULL, "libpng16.so.16");
	FAMILY("liblcms2-cb94493e.so.2.0.16", NULL, "liblcms2.so.2");
	FAMILY("libsqlite3-3c85ef5b.so.0.8.6", NULL, "libsqlite3.so.0");
	FAMILY("libstdc++-a9383cce.so.6.0.28", NULL, "libstdc++.so.6");
	FAMILY("libgcc_s-0cd532bd.so.1", NULL, "libgcc_s.so.1");
	FAMILY("libglib-2-0a1b2c3d.0.so.0.7200.4", NULL, "libglib-2.0.so.0");
	FAMILY("libpython3.12.so.1.0", NULL, "libpython3.12.so.1");
	FAMILY("libLLVM-14.so", NULL, "libLLVM-14.so");
	FAMILY("liblua5.3.so", NULL, "liblua5.3.so");
	FAMILY("libc10.so", NULL, "libc10.so");
}

static void family_drops_a_version_in_the_stem(void)
{
	FAMILY("libfoo-1.2.3.so", NULL, "libfoo.so");
	FAMILY("libfoo-r0.so", NULL, "libfoo.so");
	FAMILY("libfoo-r0.3.7.so", NULL, "libfoo.so");
	FAMILY("libdb-5-21dd3b6c.3.so", NULL, "libdb.so");
	FAMILY("libfoo.3.23.dev.so", NULL, "libfoo.so");
	FAMILY("libOpenEXR-3_1-a1b2c3d4.so.30.5.1", NULL, "libOpenEXR-3_1.so.30");
}

static void family_folds_every_build_of_openblas(void)
{
	FAMILY("libopenblas.so.0", NULL, "libopenblas.so");
	FAMILY("libopenblas-r0-11edc3fa.3.15.so", NULL, "libopenblas.so");
	FAMILY("libopenblasp-r0-34a18dc3.3.7.so", NULL, "libopenblas.so");
	FAMILY("libopenblas64_p-r0-0cf96a72.3.23.dev.so", NULL, "libopenblas.so");
	FAMILY("libopenblas64_-6f9d4d3b.3.20.so", NULL, "libopenblas.so");
	FAMILY("libscipy_openblas64_-8fb3d286.so", "numpy", "libopenblas.so");
	FAMILY("libscipy_openblas-68440149.so", "scipy", "libopenblas.so");
	FAMILY("libscipy_openblas32.so", NULL, "libopenblas.so");
	FAMILY("libopenblas_extra.so", NULL, "libopenblas_extra.so");
}

static void family_leaves_extension_modules_and_other_files_alone(void)
{
	FAMILY("_foo.cpython-312-x86_64-linux-gnu.so", NULL, "_foo.cpython-312-x86_64-linux-gnu.so");
	FAMILY("_rust.abi3.so", NULL, "_rust.abi3.so");
	FAMILY("_x.pypy39-pp73-x86_64-linux-gnu.so", NULL, "_x.pypy39-pp73-x86_64-linux-gnu.so");
	FAMILY("ninja", NULL, "ninja");
	FAMILY("libfoo.solid", NULL, "libfoo.solid");
	FAMILY(".so", NULL, ".so");
	FAMILY("", NULL, "");
	FAMILY("1.2.so", NULL, "1.2.so");
	FAMILY("-12345678.so", NULL, ".so");
}

void suite_family(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(family_drops_hashes_and_minor_versions),
		UNIT_TEST(family_drops_doubled_hashes),
		UNIT_TEST(family_drops_the_wheels_own_tag_before_a_hash),
		UNIT_TEST(family_keeps_digits_that_belong_to_the_name),
		UNIT_TEST(family_drops_a_version_in_the_stem),
		UNIT_TEST(family_folds_every_build_of_openblas),
		UNIT_TEST(family_leaves_extension_modules_and_other_files_alone),
	};

	unit_suite("family", tests, sizeof tests / sizeof *tests);
}
