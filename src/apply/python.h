/*
 * python: talking to an interpreter that was given a script of ours.
 *
 * The interpreter is started with -B (no bytecode is left in the layer by
 * accident) and -s (the user's own packages stay out), and reads questions
 * from its standard input after the script from its command line.
 */
#ifndef APPLY_PYTHON_H
#define APPLY_PYTHON_H

#include <stdio.h>
#include <sys/types.h>

#include "sofold/error.h"

struct python {
	const char *name; /* as the user gave it */
	pid_t pid;
	int to;
	FILE *from;
};

/* Starts name with a script. */
int python_start(struct python *python, const char *name, const char *script, struct error *err);

/* Hands it all questions; it reads them before it answers. */
void python_ask(struct python *python, const char *text);

/* Waits for its end. 0: it was status 0; else how it ended, as a shell says it. */
int python_finish(struct python *python);

#endif
