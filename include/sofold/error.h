/*
 * error: why a run cannot go on.
 *
 * sofold knows three kinds of trouble and never mixes them. Facts about the
 * user's layer (a truncated file, a missing library) are findings: data in
 * the report, see layer.h. A run that cannot go on (no such directory, disk
 * full) is an error: the function returns its kind and appends one message
 * that can be printed as it is: doing what, to which path, why. A mistake of
 * ours is a BUG() and aborts.
 *
 * Functions that take a struct error return ERROR_NONE (0) or a negative
 * kind. Only the command line prints messages and turns kinds into an exit
 * status.
 */
#ifndef SOFOLD_ERROR_H
#define SOFOLD_ERROR_H

enum error_kind {
	ERROR_NONE = 0,
	ERROR_USAGE = -1,   /* bad option or configuration; exit status 2 */
	ERROR_RUN = -2,	    /* could not be carried out, layer as it was; 3 */
	ERROR_VERIFY = -3,  /* would not load afterwards, rolled back; 4 */
	ERROR_REFUSED = -4, /* this object is not understood; it stays as it is */
};

struct error {
	char message[1024]; /* "" when nothing went wrong */
};

/* Appends to the message (after "; " when there is one already) and returns
 * kind, so that "return error_add(err, ERROR_RUN, ...)" reads well. A message
 * that would not fit is cut. */
int error_add(struct error *err, int kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with ": " and the text of errno behind it. */
int error_errno(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

_Noreturn void bug_at(const char *file, int line, const char *message);
#define BUG(message) bug_at(__FILE__, __LINE__, (message))

#endif
