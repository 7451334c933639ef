/*
 * build_trim: what trim_find() says of a compiled object, as text.
 *
 *	trimmed_begin("-O2", CODE(
 *		int unwanted(void) { return 0; }
 *		int answer(void) { return 42; }));
 *	UNIT_ASSERT_TEXT(trimmed_dead("answer"), "unwanted");
 *	CU_ASSERT_EQUAL(trimmed_answer(), 42);
 *	trimmed_end();
 *
 * Traps are asked for, down to the last byte of a function, so dead is what
 * lies under them. The functions of .symtab stand for the unwind table, but for
 * those called "asm_…", which somebody wrote by hand.
 */
#ifndef SOFOLD_UNIT_BUILD_TRIM_H
#define SOFOLD_UNIT_BUILD_TRIM_H

#include "build_object.h"
#include "sofold/trim.h"

/* The C library's startup code stands in front of everything, and nobody has described
 * it; so it may run into what comes next. */
#define FRONT "asm(\".text; .type front, %function; front: ret; .size front, . - front\");\n"

/* C as it stands; commas and quotation marks are its own. */
#define CODE(...) FRONT #__VA_ARGS__

extern struct elf trimmed_subject;
extern struct trim_request trimmed_request; /* reset by trimmed_begin(): exports, poison */
extern struct trim_result trimmed_result;

/* options and source outlive the test. */
void trimmed_begin(const char *options, const char *source);
void trimmed_end(void);

/* Finds what may be cut when these names are wanted: the dead functions' names,
 * sorted, "half:…" where it is only part of one; "refused: …" with the reason. */
const char *trimmed_dead(const char *wanted);

/* Of the last time: exports that go, sorted. */
const char *trimmed_gone(void);

/* The object with that cut out of it. Fails the test where it cannot be. */
struct elf trimmed_edit(void);

/* What answer() of that returns. */
int trimmed_answer(void);

/* The symbol of .symtab; it must be there. */
const Elf64_Sym *trimmed_symbol(const char *name);

#endif
