/*
 * check: what is wrong with a layer, and whether a change kept it right.
 *
 * Pure functions on the model. layer_check() is what audit and verify print;
 * bindings_compare() is what shrink proves before it writes anything.
 *
 * Rules of layer_check(), by name:
 *   missing-library     a NEEDED name neither the layer nor the host has (error)
 *   host-library        a NEEDED name only a full host has, not the platform's
 *                       minimum: "the host must provide" (note)
 *   glibc-too-new       needs a GLIBC_2.x or GLIBCXX_3.4.x above the platform's (error)
 *   foreign-interpreter an extension module tagged for another interpreter than
 *                       the platform's, or than most of the layer's (warning)
 *   foreign-machine     an object for another machine than the platform's (warning;
 *                       error when the platform was named by the user)
 *   mixed-machines      objects of several machines in one tree, once (warning)
 *   escaping-path       a search path entry that leads out of the tree (warning)
 *   missing-version     a version the providing object of the layer lacks (error)
 *   misaligned          PT_LOAD offset and address not congruent modulo p_align or
 *                       the page: some strip has broken the file (error)
 * of layer_check_bytecode(), once for each wheel:
 *   stale-bytecode      .pyc files of another state of their sources (warning), or
 *                       in __pycache__ without one (note)
 *   foreign-bytecode    .pyc files tagged for another interpreter than the layer's (note)
 */
#ifndef SOFOLD_CHECK_H
#define SOFOLD_CHECK_H

#include "sofold/error.h"
#include "sofold/layer.h"
#include "sofold/plan.h"
#include "sofold/platform.h"

/* The interpreter a layer is for, as bytecode names it ("cpython-312"): the
 * platform's, or that of all extension modules, without the letter that those of some
 * builds have behind it ("cpython-37m", "-313t"); NULL: unknown, or there are several.
 * Allocates in layer->arena. */
const char *layer_interpreter(const struct layer *layer, const struct platform *platform);

/* Whether a .pyc file of __pycache__ is for another interpreter than
 * layer_interpreter() says: "a.cpython-312.opt-1.pyc" is for "cpython-312". False when nothing is known, or
 * the layer is not for CPython. */
bool bytecode_is_foreign(const struct file *file, const char *interpreter);

struct roots;

/* Adds findings to the layer. named: the user chose the platform, so what
 * does not fit it is an error rather than a warning. */
void layer_check(struct layer *layer, const struct platform *platform, bool named);

/* The same for bytecode; scan_bytecode() comes before. */
void layer_check_bytecode(struct layer *layer, const struct platform *platform);

/*
 * For every root (each extension module and executable, and each object
 * nobody needs) loaded before and after a plan: every import of every object
 * in its scope that was bound to some object must bind, to the same object, to
 * the one that replaces it (plan->replaced_by) or to a copy with the same bytes or image; what a version need
 * asks of the providing object must be defined there; no NEEDED name that was found may be missing. ids mean
 * the same objects in before and after. Returns ERROR_NONE, or ERROR_VERIFY with the first differences in
 * words: which object, which symbol, where it was bound, where it is now. roots are those of before
 * (roots_load()). What it needs meanwhile is allocated in arena; export indexes in the layers' own.
 */
int bindings_compare(struct arena *arena, struct layer *before, const struct roots *roots,
		     struct layer *after, const struct plan *plan, const struct platform *platform,
		     struct error *err);

#endif
