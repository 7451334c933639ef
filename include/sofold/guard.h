/*
 * guard: does a deployment stay within its budgets?
 *
 * What is deployed together (a function and its layers, directories or zips)
 * is measured as one and held against limits: those of a platform, those the
 * user states, and growth against a baseline kept in the repository.
 *
 *	struct guard_measure now = guard_measure(arena, inputs, nr);
 *	guard_platform_budgets(arena, &budgets, platform);
 *	guard_parse_budget(arena, &budgets, "wheel:numpy=60MB", err);
 *	struct guard_verdicts verdicts = guard_judge(arena, &now, baseline, &budgets, inputs, nr);
 *	if (guard_is_exceeded(&verdicts))
 *		... fill inputs[].pruned
 *	guard_advise(&advice, inputs, nr, &verdicts);
 *
 * Sizes are bytes. Hard links count once for each path, since an unpacked zip
 * has a file for each; symlinks count nothing.
 */
#ifndef SOFOLD_GUARD_H
#define SOFOLD_GUARD_H

#include <stdio.h>

#include "sofold/error.h"
#include "sofold/layer.h"
#include "sofold/plan.h"
#include "sofold/platform.h"

/* --------- sizes ------------------ */

/* "262144000", "250MB" (1,000,000), "250 MiB" (1,048,576), "1.5GB"; kB, KiB, B
 * likewise. False when it is none, no whole number of bytes, or too large. */
bool guard_parse_size(const char *text, uint64_t *bytes);

/* "85" or "85%", up to 100. */
bool guard_parse_percent(const char *text, unsigned *percent);

/* --------- measuring ------------------ */

/* An input without what prune takes out, as shrink would plan on it. */
struct guard_ground {
	struct layer *layer;		   /* NULL: not known */
	const struct bridge_offer *offers; /* in it */
	size_t nr_offers;
};

enum { GUARD_LEVELS = LEVEL_MAX + 1 };

/* One directory or archive. */
struct guard_input {
	const char *name;
	struct layer *layer;
	const struct plan *plan;	    /* what shrink would do */
	const struct plan_options *options; /* that plan's */
	uint64_t zipped;		    /* bytes of the archive; 0: a directory */

	/* For advice alone. */
	struct guard_ground pruned[GUARD_LEVELS];
	const char *uncounted;	  /* what its numbers lack, and why; NULL: nothing */
	const uint64_t *stripped; /* bytes that stripping each object saves; NULL: not known, see there */
};

/* A wheel over all inputs; version of the first. */
struct guard_wheel {
	const char *name, *version;
	uint64_t bytes;
};

/* A library that is there more than once, over all inputs. */
struct guard_duplicate {
	const char *name; /* "libgfortran.so.5" */
	uint64_t copies;
	uint64_t bytes; /* of all copies but the largest of each input and machine */
};

struct guard_measure {
	uint64_t unzipped;	    /* all files */
	uint64_t zipped;	    /* archives only */
	uint64_t native;	    /* ELF objects */
	uint64_t duplicates;	    /* what keeping one copy of each library would free */
	uint64_t layers;	    /* inputs with a directory "python": the rest are functions */
	bool has_zipped;	    /* every input is an archive */
	struct guard_wheel *wheels; /* by name */
	size_t nr_wheels, alloc_wheels;
	bool has_families;		  /* baselines of old do not list them */
	struct guard_duplicate *families; /* by name */
	size_t nr_families, alloc_families;
};

struct guard_measure guard_measure(struct arena *arena, const struct guard_input *inputs, size_t nr);

/* NULL: no such wheel. */
const struct guard_wheel *guard_wheel(const struct guard_measure *measure, const char *name);

/* NULL: it is there once, or not at all. */
const struct guard_duplicate *guard_duplicate(const struct guard_measure *measure, const char *name);

/* How many copies came to be since the baseline; 0 too when that does not know. */
uint64_t guard_new_copies(const struct guard_measure *baseline, const struct guard_duplicate *now);

/* --------- budgets ------------------ */

enum guard_what {
	GUARD_UNZIPPED,
	GUARD_ZIPPED,
	GUARD_NATIVE,
	GUARD_DUPLICATES,
	GUARD_LAYERS, /* a number */
	GUARD_WHEEL,  /* bytes of the wheel of that name */
	GUARD_PATHS,  /* bytes of files whose path matches a glob; "*" matches "/" too (fnmatch) */
};

struct guard_budget {
	enum guard_what what;
	const char *name; /* of the wheel, or the glob; else what it is called: "unzipped" */
	uint64_t limit;	  /* bytes, or layers */
	bool is_growth;	  /* limit is on the increase since the baseline */
	bool is_percent;  /* then limit counts hundredths of a percent */
	bool only_warns;
	const char *because; /* who asked: "lambda-python3.12-x86_64", "--budget", ".sofold.yml" */
};

struct guard_budgets {
	struct guard_budget *items;
	size_t nr_items, alloc_items;
};

/* The platform's limits, if it has any: unzipped (fails), zipped (warns: larger
 * ones go by way of S3), five layers (fails). */
void guard_platform_budgets(struct arena *arena, struct guard_budgets *budgets,
			    const struct platform *platform);

/* "unzipped=250MB", "wheel:numpy=60MB", "layers=5"; anything that is no known
 * word is a glob of paths. ERROR_USAGE with the reason. */
int guard_parse_budget(struct arena *arena, struct guard_budgets *budgets, const char *text,
		       struct error *err);

/* "5MB", "2%" (of what is unzipped), "native=1%", "wheel:numpy=0". */
int guard_parse_increase(struct arena *arena, struct guard_budgets *budgets, const char *text,
			 struct error *err);

/* The same with what and limit apart, and who asks. what is copied, because is not. */
int guard_add_budget(struct arena *arena, struct guard_budgets *budgets, const char *what, const char *limit,
		     const char *because, struct error *err);
int guard_add_increase(struct arena *arena, struct guard_budgets *budgets, const char *what,
		       const char *limit, const char *because, struct error *err);

/* Is there one on the same thing, whatever its limit? */
bool guard_has_budget(const struct guard_budgets *budgets, const struct guard_budget *like);

/* --------- judging ------------------ */

enum guard_state {
	GUARD_KEPT,
	GUARD_NEAR, /* above warn_at hundredths of the limit */
	GUARD_OVER,
	GUARD_UNKNOWN, /* zipped, of directories; growth of what the baseline does not have */
};

struct guard_verdict {
	const struct guard_budget *budget;
	uint64_t used, before; /* before: in the baseline, of a growth */
	uint64_t limit;	       /* what used may be at most */
	enum guard_state state;
};

struct guard_verdicts {
	struct guard_verdict *items;
	size_t nr_items, alloc_items;
	size_t nr_over;	  /* that fail */
	size_t nr_warned; /* near, or over and only warning */
};

/* baseline may be NULL; growth budgets need one. */
struct guard_verdicts guard_judge(struct arena *arena, const struct guard_measure *now,
				  const struct guard_measure *baseline, const struct guard_budgets *budgets,
				  const struct guard_input *inputs, size_t nr_inputs, unsigned warn_at);

/* Is any, if only to be warned of? */
bool guard_is_exceeded(const struct guard_verdicts *verdicts);

/* --------- remedies ------------------ */

/* What a run of shrink over all inputs would free: what prune takes out, with
 * its rows in RECORDs, and by its plan deleted libraries, less what is placed for
 * them, and what is stripped; where that is not known, symbol tables and debug
 * information. */
struct guard_remedy {
	const char *options; /* "", "--level safe", "--merge all": beside the configuration's */
	uint64_t frees;	     /* of what is unzipped */
	bool enough;	     /* for every exceeded budget */
	const struct guard_verdict *lacking; /* the one that lacks most; NULL: enough */
	uint64_t missing;		     /* bytes it lacks; 0: nobody can say (zipped, layers) */
};

enum { GUARD_REMEDIES = 6 };

struct guard_advice {
	struct guard_remedy remedies[GUARD_REMEDIES]; /* careful ones first */
	size_t nr;				      /* 0: no budget is exceeded */
	/* The first that is enough, or else one that frees most, within 1 %; NULL:
	 * none frees any. */
	const struct guard_remedy *best;
	uint64_t services_bytes; /* descriptions of AWS services; 0: not worth a word */
};

/* Plans each input anew, with the passes its own plan has, on what prune leaves
 * of it where that is known. Allocates in the layers' arenas. */
void guard_advise(struct guard_advice *advice, const struct guard_input *inputs, size_t nr_inputs,
		  const struct guard_verdicts *verdicts);

/* --------- baseline ------------------ */

/* Reads what guard_write_baseline() wrote. ERROR_RUN with the reason. */
int guard_read_baseline(struct arena *arena, const char *path, struct guard_measure *measure,
			struct error *err);

/* JSON, stable, for a repository. */
int guard_write_baseline(const char *path, const struct guard_measure *measure, struct error *err);

/* --------- files ------------------ */

typedef bool guard_print(FILE *to, void *context); /* false: it failed */

/* Writes beside and renames; into what is no regular file (/dev/stderr), directly.
 * what is for the message: "baseline". */
int guard_write_file(const char *what, const char *path, guard_print *print, void *context,
		     struct error *err);

#endif
