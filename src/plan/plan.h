/*
 * The planner's parts, and what they share.
 *
 *	plan.c      plan_layer(): the passes in order, then the actions
 *	families.c  which objects are copies of one library
 *	usage.c     who loads whom, and what is asked of each object
 *	relation.c  what one copy is to another
 *	dedupe.c    which copies are kept, who takes over from whom
 *	bridge.c    which ILP64 OpenBLAS goes for a bridge to an LP64 one
 *	settle.c    decisions -> what goes, and whether the layer still loads
 *	relink.c    names and search paths of the consumers
 *	actions.c   decisions -> the ordered list
 *	predict.c   the layer afterwards
 */
#ifndef SOFOLD_SRC_PLAN_PLAN_H
#define SOFOLD_SRC_PLAN_PLAN_H

#include "layer/roots.h"
#include "sofold/plan.h"

/* A NEEDED entry of an object, seen over every way to load it. */
struct need {
	object_id target; /* NO_ID: the host's, or missing */
	bool ambiguous;	  /* different ways to load the object find different files */
};

struct usage {
	struct roots roots;
	struct need **needs; /* needs[object][i] for needed[i] */
	object_id **users;   /* for each object: those loaded together with it, itself excluded */
	size_t *nr_users;
	object_id **consumers; /* for each object: those that name it in NEEDED */
	size_t *nr_consumers;
};

/* What a pass knows and adds to. */
struct planning {
	struct layer *layer;
	struct arena *arena;
	struct arena *scratch; /* of holds(), which is asked again and again */
	const struct plan_options *options;
	struct plan *plan;
	struct usage usage;
	const struct finding **errors; /* for each object: the first error found in it, or NULL */
	bool suppose_merge;	       /* answer relation_of() as if --merge all were given */

	/* Decided by dedupe and relink, for each object. */
	struct image_edits *edits; /* name edits; compact unset */
	const char **edit_because;
	const char **delete_because;
};

void usage_read(struct planning *planning);

void families_find(struct planning *planning);

/* Whether two family names differ in their SONAME major at most. */
bool family_same_stem(const char *a, const char *b);

/* What copy d is to k, if k is to take over from it. *reason says why in
 * words; of a refusal the first reason. */
enum relation relation_of(struct planning *planning, object_id k, object_id d, const char **reason,
			  bool *offered);

/* Orders two copies by the evidence of their version: negative when a is
 * older, 0 when nothing tells them apart. */
int version_compare(const struct object *a, const struct object *b);

void dedupe(struct planning *planning);

/* Needs usage; dedupe, when it is to run, comes first. */
void bridge(struct planning *planning);

/* Fills planning->errors: an error found in an object is one of loading it. */
void errors_read(struct planning *planning);

/* Why k may take over from no other copy, whoever that is; NULL: it may. */
const char *why_no_keeper(struct planning *planning, object_id k);

/* Why d may not go in favour of k, whatever k can do; NULL: it may. */
const char *why_stays(struct planning *planning, object_id k, object_id d);

/* Turns what the families' copies say into who replaces whom and what goes. */
void settle(struct planning *planning);

/* settle(), and whether the layer would load as before; *why says what would
 * not. Leaves edits and actions of that in planning. */
bool holds(struct planning *planning, const char **why);

/* Says of copies that settle() found to be orphans that they are. */
void mark_orphans(struct planning *planning);

/* Fills in the bytes of families and plan, once. */
void count_bytes(struct planning *planning);

/* Edits of every consumer of a copy that went. False: some NEEDED name would
 * not be found, *why says which; nothing is to be merged that way. */
bool relink(struct planning *planning, const char **why);

void add_actions(struct planning *planning);

/* The directory part of the name a consumer should use for k, and that name:
 * its SONAME where a file of that name leads to it, else its file name. */
const char *object_link_name(const struct planning *planning, object_id k, const char **dir);

#endif
