/* Unit tests of the platform table. */
#include "suites.h"

#include <elf.h>
#include <string.h>

#include "build_layer.h"
#include "sofold/platform.h"

static const struct platform *platform(const char *name)
{
	const struct platform *found = platform_find(name);

	CU_ASSERT_PTR_NOT_NULL_FATAL(found);
	return found;
}

static void platform_finds_every_name_in_its_table(void)
{
	size_t nr = 0;

	for (const struct platform *p = platform_table(); p->name; p++, nr++)
		CU_ASSERT_PTR_EQUAL(platform_find(p->name), p);
	CU_ASSERT_EQUAL(nr, 1 + 7 * 2 + 4);
	CU_ASSERT_PTR_EQUAL(platform_find("generic-musl-arm64"), platform_find("generic-musl-aarch64"));
	CU_ASSERT_PTR_EQUAL(platform_find("generic-amd64"), platform_find("generic-x86_64"));
	CU_ASSERT_PTR_NULL(platform_find("lambda-python3.7-arm64"));
	CU_ASSERT_PTR_NULL(platform_find("arm64"));
	CU_ASSERT_PTR_NULL(platform_find("lambda-python3.7-aarch64"));
	CU_ASSERT_PTR_NULL(platform_find("lambda-python2.7-x86_64"));
	CU_ASSERT_PTR_NULL(platform_find(""));
}

static void platform_knows_what_lambda_runs_on(void)
{
	const struct platform *new = platform("lambda-python3.12-x86_64");
	const struct platform *old = platform("lambda-python3.8-aarch64");

	UNIT_ASSERT_TEXT(new->tag, "cpython-312");
	CU_ASSERT_EQUAL(new->machine, EM_X86_64);
	CU_ASSERT_EQUAL(new->glibc, 34);
	CU_ASSERT_EQUAL(new->glibcxx, 29);
	CU_ASSERT_EQUAL(new->limit_unzipped, 262144000);
	CU_ASSERT_EQUAL(new->limit_zipped, 52428800);
	UNIT_ASSERT_TEXT(old->tag, "cpython-38");
	CU_ASSERT_EQUAL(old->machine, EM_AARCH64);
	CU_ASSERT_EQUAL(old->glibc, 26);
	CU_ASSERT_EQUAL(old->page, 4096);
	CU_ASSERT_EQUAL(platform("lambda-python3.7-x86_64")->glibc, 17);
	UNIT_ASSERT_TEXT(platform("lambda-python3.7-x86_64")->tag, "cpython-37m");
}

static void platform_promises_nothing_for_generic_machines(void)
{
	const struct platform *generic = platform("generic-aarch64");

	CU_ASSERT_PTR_NULL(generic->tag);
	CU_ASSERT_EQUAL(generic->glibc, 0);
	CU_ASSERT_EQUAL(generic->limit_unzipped, 0);
	CU_ASSERT_EQUAL(generic->page, 65536);
	CU_ASSERT_EQUAL(platform("generic-x86_64")->page, 4096);
	CU_ASSERT_EQUAL(platform("generic-musl-x86_64")->libc, LIBC_MUSL);
}

static void platform_tells_certain_libraries_from_those_of_a_full_host(void)
{
	const struct platform *lambda = platform("lambda-python3.12-x86_64");

	CU_ASSERT_EQUAL(platform_provision(lambda, "libc.so.6"), PROVISION_LOADED);
	CU_ASSERT_EQUAL(platform_provision(lambda, "ld-linux-x86-64.so.2"), PROVISION_LOADED);
	CU_ASSERT_EQUAL(platform_provision(lambda, "libstdc++.so.6"), PROVISION_CERTAIN);
	CU_ASSERT_EQUAL(platform_provision(lambda, "libz.so.1"), PROVISION_CERTAIN);
	CU_ASSERT_EQUAL(platform_provision(lambda, "libGL.so.1"), PROVISION_FULL_HOST);
	CU_ASSERT_EQUAL(platform_provision(lambda, "libpython3.12.so.1.0"), PROVISION_FULL_HOST);
	CU_ASSERT_EQUAL(platform_provision(lambda, "libgfortran.so.5"), PROVISION_NONE);
	CU_ASSERT_EQUAL(platform_provision(lambda, "libz.so"), PROVISION_NONE);
	CU_ASSERT(platform_provides(lambda, "libGL.so.1"));
	CU_ASSERT(!platform_provides(lambda, "libgfortran.so.5"));
}

static void platform_lost_libcrypt_with_amazon_linux_2023(void)
{
	CU_ASSERT_EQUAL(platform_provision(platform("lambda-python3.11-x86_64"), "libcrypt.so.1"),
			PROVISION_CERTAIN);
	CU_ASSERT_EQUAL(platform_provision(platform("lambda-python3.12-x86_64"), "libcrypt.so.1"),
			PROVISION_FULL_HOST);
}

static void platform_musl_answers_for_the_whole_c_library(void)
{
	const struct platform *musl = platform("generic-musl-x86_64");

	CU_ASSERT_EQUAL(platform_provision(musl, "libc.musl-x86_64.so.1"), PROVISION_LOADED);
	CU_ASSERT_EQUAL(platform_provision(musl, "libc.so"), PROVISION_LOADED);
	CU_ASSERT_EQUAL(platform_provision(musl, "libpthread.so.0"), PROVISION_LOADED);
	CU_ASSERT_EQUAL(platform_provision(musl, "libz.so.1"), PROVISION_CERTAIN);
	CU_ASSERT_EQUAL(platform_provision(musl, "libstdc++.so.6"), PROVISION_NONE);
	CU_ASSERT_EQUAL(platform_provision(musl, "libcrypt.so.1"), PROVISION_NONE);
	CU_ASSERT_EQUAL(platform_provision(musl, "ibc.so"), PROVISION_NONE);
}

static void platform_is_inferred_from_most_objects(void)
{
	struct layer *layer = build_layer();

	UNIT_ASSERT_TEXT(platform_infer(layer)->name, "generic-x86_64");
	build_object(layer,
		     (struct build_object){.path = "a.so", .needed = "libc.so.6", .machine = EM_AARCH64});
	build_object(layer, (struct build_object){
				    .path = "b.so", .needed = "libm.so.6 libc.so.6", .machine = EM_AARCH64});
	build_object(layer, (struct build_object){.path = "c.so", .needed = "libc.musl-x86_64.so.1"});
	UNIT_ASSERT_TEXT(platform_infer(layer)->name, "generic-aarch64");
	build_object(layer, (struct build_object){.path = "d.so", .needed = "libc.so"});
	build_object(layer, (struct build_object){.path = "e", .interpreter = "/lib/ld-musl-x86_64.so.1"});
	UNIT_ASSERT_TEXT(platform_infer(layer)->name, "generic-musl-x86_64");
	build_free(layer);
}

static void platform_places_a_layer_and_a_function_package(void)
{
	const struct platform *lambda = platform("lambda-python3.12-x86_64");
	struct layer *layer = build_layer();

	UNIT_ASSERT_TEXT(platform_in_layer(layer->arena, lambda, layer, "/var/task"), "");
	UNIT_ASSERT_TEXT(platform_in_layer(layer->arena, lambda, layer, "/var/task/lib"), "lib");
	UNIT_ASSERT_TEXT(platform_in_layer(layer->arena, lambda, layer, "/var/tasks"), NULL);
	UNIT_ASSERT_TEXT(platform_in_layer(layer->arena, lambda, layer, "/opt/lib"), NULL);
	build_file(layer, "python/a.py");
	UNIT_ASSERT_TEXT(platform_in_layer(layer->arena, lambda, layer, "/opt/lib/"), "lib");
	UNIT_ASSERT_TEXT(platform_in_layer(layer->arena, lambda, layer, "/opt/../etc"), NULL);
	UNIT_ASSERT_TEXT(platform_in_layer(layer->arena, lambda, layer, "/var/task/lib"), NULL);
	UNIT_ASSERT_TEXT(platform_in_layer(layer->arena, platform("generic-x86_64"), layer, "/opt/lib"),
			 NULL);
	build_free(layer);
}

void suite_platform(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(platform_finds_every_name_in_its_table),
		UNIT_TEST(platform_knows_what_lambda_runs_on),
		UNIT_TEST(platform_promises_nothing_for_generic_machines),
		UNIT_TEST(platform_tells_certain_libraries_from_those_of_a_full_host),
		UNIT_TEST(platform_lost_libcrypt_with_amazon_linux_2023),
		UNIT_TEST(platform_musl_answers_for_the_whole_c_library),
		UNIT_TEST(platform_is_inferred_from_most_objects),
		UNIT_TEST(platform_places_a_layer_and_a_function_package),
	};

	unit_suite("platform", tests, sizeof tests / sizeof *tests);
}
