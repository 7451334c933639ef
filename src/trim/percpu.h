/*
 * Libraries that bring one table of kernels for each processor, as data. Internal
 * to percpu.c, stub.c and trim.c.
 */
#ifndef SOFOLD_SRC_TRIM_PERCPU_H
#define SOFOLD_SRC_TRIM_PERCPU_H

#include "trim/trim.h"

struct percpu_family {
	const char *library;	 /* as messages call it */
	const char *prefix;	 /* of the tables' exported names, before that of the core */
	const char *current;	 /* the exported pointer to the table in use */
	const char *const *goes; /* tables for these cores go; NULL-terminated … */
	const char *serves;	 /* … and this one serves whoever asks for them … */
	enum cpu_baseline cpu;	 /* … on platforms with this baseline */
	uint16_t machine;
	bool never_unwound;	  /* no exception or cancellation passes through it */
	const char *const *asked; /* parts of names that programs look up by themselves:
				   * exports with one of them stay; NULL-terminated */
};

extern const struct percpu_family percpu_families[]; /* ended by one whose prefix is NULL */

#endif
