/* The part of shrink's report about what was left out. */
#ifndef SOFOLD_SRC_REPORT_PRUNE_H
#define SOFOLD_SRC_REPORT_PRUNE_H

#include <jansson.h>

#include "sofold/report.h"

/* A line for each rule, and what stays although a rule had it. Nothing when
 * there is none. */
void print_pruned(FILE *to, const struct shrunk *shrunk, const struct report_style *style);

json_t *pruned_json(const struct shrunk *shrunk);     /* [{rule, why, files, bytes}] */
json_t *not_pruned_json(const struct shrunk *shrunk); /* [{path, rule, why, removed}] */

#endif
