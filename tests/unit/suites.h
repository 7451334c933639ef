/*
 * suites: the unit suites, and how one is written.
 *
 *	static void joins_a_name_to_a_directory(void) { CU_ASSERT(...); }
 *
 *	void suite_path(void)
 *	{
 *		static const struct unit_test tests[] = {
 *			UNIT_TEST(joins_a_name_to_a_directory),
 *		};
 *		unit_suite("path", tests, sizeof tests / sizeof *tests);
 *	}
 *
 * One line here and one in main.c's table for each.
 */
#ifndef SOFOLD_UNIT_SUITES_H
#define SOFOLD_UNIT_SUITES_H

#include <stddef.h>

#include <CUnit/CUnit.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

#define UNIT_TEST(function)                                                                                  \
	{                                                                                                    \
#function, function                                                                          \
	}

/* Registers a suite; ends the process when CUnit cannot. */
void unit_suite(const char *name, const struct unit_test *tests, size_t nr);

/* Prints both texts when they differ; NULL equals only NULL. */
#define UNIT_ASSERT_TEXT(actual, expected)                                                                   \
	CU_ASSERT(unit_text_equal((actual), (expected), __FILE__, __LINE__))

int unit_text_equal(const char *actual, const char *expected, const char *file, int line);

void suite_path(void);
void suite_family(void);
void suite_resolve(void);
void suite_bindings(void);
void suite_check(void);
void suite_platform(void);
void suite_exports(void);
void suite_layer(void);
void suite_record(void);
void suite_apply(void);
void suite_transaction(void);
void suite_layout(void);
void suite_ranges(void);
void suite_image(void);
void suite_prove(void);
void suite_canonical(void);
void suite_relation(void);
void suite_dedupe(void);
void suite_digests(void);
void suite_relink(void);
void suite_bridge(void);
void suite_config(void);
void suite_guard(void);
void suite_strings(void);
void suite_symbols(void);
void suite_decode(void);
void suite_trim(void);
void suite_kernels(void);
void suite_trims(void);
void suite_cuts(void);
void suite_prune(void);
void suite_pack(void);
void suite_base(void);

#endif
