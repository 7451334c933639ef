/* What JSON reports share; see audit_json.c. */
#ifndef SOFOLD_SRC_REPORT_JSON_H
#define SOFOLD_SRC_REPORT_JSON_H

#include <jansson.h>

#include "sofold/report.h"

struct json_input {
	const char *prefix; /* put before each path; NULL: none */
};

json_t *json_text(const char *text); /* null for NULL */
json_t *json_bytes(uint64_t bytes);
json_t *json_path(const struct json_input *input, const char *path);
json_t *json_totals(const struct audit *audits, size_t nr);

/* Appends the layer's findings to array and returns it. */
json_t *json_findings(const struct json_input *input, const struct layer *layer, json_t *array);

/* Prints and releases root; false when either failed. */
bool json_print(FILE *to, json_t *root);

#endif
