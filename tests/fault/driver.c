/*
 * driver: carries out a plan of tests/unit/real_layer.c on a tree as "sofold
 * shrink" carries out its own, so that the transaction can be tested without
 * scanner, planner and verifier around it.
 *
 *	driver [-p] ROOT
 *
 * With -p the plan that places a file.
 *
 * Exit status as sofold's: 0, 3 could not run, 4 the result was not sound.
 */
#include <stdio.h>
#include <string.h>

#include "../unit/real_layer.h"
#include "sofold/apply.h"

static int carry_out(struct apply *apply, struct error *err)
{
	int status = apply_commit(apply, err);

	if (!status)
		status = apply_finish(apply, err);
	if (status)
		apply_rollback(apply, err);
	return status;
}

static int run(struct arena *arena, const char *root, bool placing, struct error *err)
{
	const struct apply_options options = {.threads = 2};
	struct apply *apply = NULL;
	struct layer *layer;
	struct plan *plan;
	enum recovery recovered;
	int status = apply_recover(root, &recovered, err);

	if (status)
		return status;
	layer = real_layer(arena, root);
	plan = placing ? real_placing_plan(arena, layer) : real_plan(arena, layer);
	status = apply_prepare(layer, plan, &options, &apply, err);
	if (!status)
		status = carry_out(apply, err);
	apply_free(apply);
	return status;
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct error err = {""};
	bool placing = argc == 3 && !strcmp(argv[1], "-p");
	int status;

	if (argc != 2 + placing)
		return 2;
	status = run(arena, argv[1 + placing], placing, &err);
	if (status)
		fprintf(stderr, "driver: %s\n", err.message);
	arena_free(arena);
	return status ? 1 - status : 0;
}
