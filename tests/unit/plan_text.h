/*
 * plan_text: plans of model layers as text, so that a test says in a few
 * lines what it has and what it expects.
 *
 *	plan_begin();
 *	plan_library("a.libs/libx-1.so.1", "S1", NULL, (struct build_object){…});
 *	plan_module("b/m.so", "libx-2.so.1", "$ORIGIN/../b.libs", "x");
 *	UNIT_ASSERT_TEXT(plan_copies(), "keep a.libs/libx-1.so.1\n"
 *					"merge b.libs/libx-2.so.1: identical, the same bytes\n");
 *	UNIT_ASSERT_TEXT(plan_edits(), "b/m.so: libx-2.so.1 = libx-1.so.1, $ORIGIN/../a.libs\n");
 *	plan_end();
 */
#ifndef SOFOLD_UNIT_PLAN_TEXT_H
#define SOFOLD_UNIT_PLAN_TEXT_H

#include "build_layer.h"
#include "sofold/plan.h"

extern struct layer *plan_subject;	  /* the layer being built */
extern struct plan_options plan_settings; /* reset by plan_begin() */

void plan_begin(void);
void plan_end(void);

/* An object with a family; content and image may be NULL. */
object_id plan_library(const char *path, const char *content, const char *image, struct build_object spec);

/* An extension module with DT_RUNPATH, NULL: none, that needs and imports. */
object_id plan_module(const char *path, const char *needed, const char *runpath, const char *imports);

/* The same with DT_RPATH. */
object_id plan_module_rpath(const char *path, const char *needed, const char *rpath, const char *imports);

/* Plans anew: one line for each copy of each family. */
const char *plan_copies(void);

/* Of the last plan: one line for each object that gets new names. */
const char *plan_edits(void);

/* Of the last plan: one line for each action, "delete a/libx.so". */
const char *plan_actions(void);

const struct plan *plan_last(void);

#endif
