/* Text in XML. See xml.c. */
#ifndef SOFOLD_SRC_REPORT_XML_H
#define SOFOLD_SRC_REPORT_XML_H

#include <stdio.h>

/* As content, or between double quotes. Whatever bytes text has, what is printed
 * is well-formed: control characters become \xNN, what is no UTF-8 or no
 * character of XML U+FFFD. */
void xml_text(FILE *to, const char *text);

/* A space and name="value". */
void xml_attribute(FILE *to, const char *name, const char *value);

#endif
