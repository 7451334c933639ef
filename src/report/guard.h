/* What the reports of guard share: guard.c, guard_json.c, guard_github.c. */
#ifndef SOFOLD_SRC_REPORT_GUARD_H
#define SOFOLD_SRC_REPORT_GUARD_H

#include "sofold/report.h"

const char *guard_state_name(enum guard_state state);

/* A size, or a number of layers. */
const char *amount_text(char buffer[SIZE_TEXT], const struct guard_budget *budget, uint64_t amount);

#endif
