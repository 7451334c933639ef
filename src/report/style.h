/* What text reports share. See style.c. */
#ifndef SOFOLD_SRC_REPORT_STYLE_H
#define SOFOLD_SRC_REPORT_STYLE_H

#include "sofold/report.h"

/* A heading on a line of its own, an empty line before it. */
void print_heading(FILE *to, const struct report_style *style, const char *text);

/* A label in bold where colors are on. */
void print_bold(FILE *to, const struct report_style *style, const char *text);

/* Words wrapped at 80 columns, every line indented. Ends the line. */
void print_wrapped(FILE *to, unsigned indent, const char *text);

/* The findings, errors first; the first ten of each rule unless verbose.
 * Nothing when there are none. */
void print_findings(FILE *to, const struct layer *layer, const struct report_style *style);

/* Of the objects; a malformed file is none. */
uint64_t native_bytes(const struct layer *layer);

const char *severity_name(enum severity severity);

#endif
