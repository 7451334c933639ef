/*
 * plan: what is going to be done to a layer, as data.
 *
 * Passes look at a layer and add to a plan; nothing else decides. A plan can
 * be printed (--dry-run), applied (apply.h) and predicted: plan_predict()
 * gives the layer the plan leads to, which the verifier checks before
 * anything is written.
 */
#ifndef SOFOLD_PLAN_H
#define SOFOLD_PLAN_H

#include "sofold/image.h"
#include "sofold/layer.h"
#include "sofold/platform.h"
#include "sofold/trim.h"

enum level { LEVEL_SAFE, LEVEL_DEFAULT, LEVEL_MAX };

enum pass {
	PASS_DEDUPE = 1,
	PASS_STRIP = 2,
	PASS_BRIDGE = 4,
	PASS_PRUNE = 8, /* prune.h: decides before a plan is made */
	PASS_TRIM = 16, /* trim.h: needs bytes, so it follows a plan; nothing without PASS_STRIP */
	PASS_ALL = PASS_DEDUPE | PASS_STRIP | PASS_BRIDGE | PASS_PRUNE | PASS_TRIM,
};

/* Relations between two copies of one family, strongest first. */
enum relation {
	RELATION_IDENTICAL,  /* same bytes */
	RELATION_SAME_IMAGE, /* the same but for names wheel tools wrote */
	RELATION_COMPATIBLE, /* serves every import, and the family promises the rest */
	RELATION_BRIDGEABLE, /* ILP64 OpenBLAS whose used names a small object can forward to LP64 */
	RELATION_REFUSED,
};

const char *relation_name(enum relation relation); /* "identical" … */

/* A bridge that could take over from an ILP64 OpenBLAS (bridge.h). */
struct bridge_offer {
	object_id ilp64;
	object_id object;    /* what would be placed: layer_add_offer(); NO_ID: nothing */
	const char *refused; /* then, why */
};

struct plan_options {
	enum level level;
	unsigned passes;    /* enum pass, or-ed */
	const char **merge; /* families of --merge; "all" = every one */
	size_t nr_merge;
	const struct platform *platform;
	const struct bridge_offer *offers;
	size_t nr_offers;
	bool poison; /* PASS_TRIM: traps instead of holes */
};

/* One copy of a library. */
struct copy {
	object_id object;
	object_id served_by;	/* the kept copy that takes over; itself when kept; NO_ID: refused */
	enum relation relation; /* to served_by; of a refused copy to the family's first kept one */
	bool offered;		/* refused only for want of --merge */
	object_id bridge;	/* of a bridgeable copy: what is placed for it, calling served_by */
	bool orphan;		/* goes without a successor: only merged copies needed it */
	const char *reason;	/* why kept, merged or refused, in words */
};

/* Copies of one library for one machine, whatever their files are called:
 * same family name, or one the other's bytes under another name. Copies whose
 * SONAME major differs stand together too, so that a report can say why they
 * stay apart. */
struct family {
	const char *name; /* "libgfortran.so.5"; "libgfortran.so" with several majors */
	uint16_t machine;
	struct copy *copies; /* by path */
	size_t nr_copies, alloc_copies;
	uint64_t reclaimable; /* bytes of the copies merged away */
	uint64_t offered;     /* bytes --merge would add */
};

enum action_kind {
	ACTION_PLACE,	/* write an offered object (layer_add_offer()), with these edits */
	ACTION_REWRITE, /* the object's image with these edits */
	ACTION_DELETE,	/* remove the file (all links to its inode) */
	ACTION_PRUNE,	/* remove this path alone (file.pruned) */
	ACTION_RECORD,	/* bring a wheel's RECORD up to date */
};

struct action {
	enum action_kind kind;
	file_id file;		      /* first path */
	object_id object;	      /* NO_ID for PRUNE and RECORD */
	file_id like;		      /* PLACE: whose owner, mode and times it gets */
	struct image_edits edits;     /* PLACE, REWRITE */
	const char *because;	      /* a reason a person can check */
	const struct trim_task *trim; /* REWRITE: what is cut out; NULL: nothing */
	const char *rule;	      /* PRUNE: its name */
};

/* Whether the action takes its file away. */
static inline bool action_removes(const struct action *action)
{
	return action->kind == ACTION_DELETE || action->kind == ACTION_PRUNE;
}

/* Actions in the order they are applied: every prefix leaves a layer that
 * loads. New files, rewrites of kept copies, rewrites of consumers, deletions,
 * what prune takes out, RECORDs. */
struct plan {
	struct family *families; /* with two or more copies, by bytes */
	size_t nr_families, alloc_families;
	struct action *actions;
	size_t nr_actions, alloc_actions;
	object_id *replaced_by; /* for each object: who serves its consumers, or NO_ID */
	bool *deleted;		/* for each object: merged away, or left without a consumer by that */
	uint64_t reclaimable;	/* bytes of all deleted objects, less those of placed ones */
};

/* Sets a flag for each object that a plan might delete: those whose names
 * scan_mentions() should look for before plan_layer() is asked. */
void plan_candidates(const struct layer *layer, bool *wanted);

/* Decides everything for a layer. The layer is read, and its export indexes
 * are built; findings are not added. Allocates in layer->arena. */
struct plan *plan_layer(struct layer *layer, const struct plan_options *options);

/*
 * The pass trim: plan_trims() says which objects to look at, and for what;
 * scan_trims() (scan.h) looks; plan_take_trims() adds what was found to the plan's
 * actions.
 *
 *	trims = plan_trims(layer, plan, options);
 *	scan_names(layer, &trims.names, err);
 *	plan_keep_named(&trims);
 *	scan_trims(layer, &trims, err);
 *	plan_take_trims(layer, plan, &trims);
 */
struct trim_task {
	object_id object;
	struct trim_request request;
	struct trim_result result;
	const char **gone; /* exports that went, by name */
	size_t nr_gone;
	const char *refused; /* why nothing was cut; NULL */
};

/* Names of exports nobody imports: perhaps some code asks for one in another way. */
struct names {
	const char **items; /* ascending by strcmp(), each once */
	bool *found;
	size_t nr_items;
};

struct trims {
	struct trim_task *tasks;
	size_t nr_tasks, alloc_tasks;
	const char **wanted; /* of all tasks */
	size_t nr_wanted, alloc_wanted;
	struct names names; /* empty below LEVEL_MAX */
};

/* Reads the layer as the plan leaves it. Allocates in layer->arena. */
struct trims plan_trims(const struct layer *layer, const struct plan *plan,
			const struct plan_options *options);

/* Makes the names that were found wanted. */
void plan_keep_named(struct arena *arena, struct trims *trims);

void plan_take_trims(const struct layer *layer, struct plan *plan, const struct trims *trims);

/* The layer after the plan: placed files there, deleted files gone (their slots stay, with kind
 * FILE_GONE and no object, so ids mean the same in both), names edited.
 * Sizes are not predicted. */
struct layer *plan_predict(struct arena *arena, const struct layer *layer, const struct plan *plan);

#endif
