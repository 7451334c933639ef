/* What every suite uses: registration, and texts that show their difference. */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void unit_suite(const char *name, const struct unit_test *tests, size_t nr)
{
	CU_pSuite suite = CU_add_suite(name, NULL, NULL);

	for (size_t i = 0; suite && i < nr; i++) {
		if (!CU_add_test(suite, tests[i].name, tests[i].run))
			suite = NULL;
	}
	if (!suite) {
		fprintf(stderr, "unit: suite %s: %s\n", name, CU_get_error_msg());
		exit(1);
	}
}

int unit_text_equal(const char *actual, const char *expected, const char *file, int line)
{
	if (actual == expected || (actual && expected && !strcmp(actual, expected)))
		return 1;
	fprintf(stderr, "\n%s:%d: is       \"%s\"\n%s:%d: expected \"%s\"\n", file, line,
		actual ? actual : "(null)", file, line, expected ? expected : "(null)");
	return 0;
}
