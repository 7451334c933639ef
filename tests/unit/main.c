/*
 * Runs every unit suite and ends with their sums; the exit status says
 * whether all passed. A suite is a function that registers its tests under
 * one name; add a line for it in the table.
 */
#include <stdio.h>

#include <CUnit/Basic.h>

#include "suites.h"

/* clang-format off */
static void (*const suites[])(void) = {
	suite_path,
	suite_family,
	suite_resolve,
	suite_check,
	suite_bindings,
	suite_platform,
	suite_exports,
	suite_layer,
	suite_record,
	suite_apply,
	suite_transaction,
	suite_layout,
	suite_ranges,
	suite_image,
	suite_prove,
	suite_canonical,
	suite_relation,
	suite_dedupe,
	suite_digests,
	suite_relink,
	suite_bridge,
	suite_config,
	suite_guard,
	suite_strings,
	suite_symbols,
	suite_decode,
	suite_trim,
	suite_kernels,
	suite_trims,
	suite_cuts,
	suite_prune,
	suite_pack,
	suite_base,
};
/* clang-format on */

int main(void)
{
	unsigned failures;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
		suites[i]();
	CU_basic_set_mode(CU_BRM_NORMAL);
	if (CU_basic_run_tests() != CUE_SUCCESS) {
		fprintf(stderr, "unit: %s\n", CU_get_error_msg());
		return 1;
	}
	failures = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
	CU_cleanup_registry();
	return failures != 0;
}
