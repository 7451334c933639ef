/* See plan_text.h. */
#include "plan_text.h"

struct layer *plan_subject;
struct plan_options plan_settings;

static struct plan *plan;

void plan_begin(void)
{
	plan_subject = build_layer();
	plan_settings = (struct plan_options){
		.level = LEVEL_DEFAULT,
		.passes = PASS_DEDUPE,
		.platform = platform_find("generic-x86_64"),
	};
}

void plan_end(void)
{
	build_free(plan_subject);
}

object_id plan_library(const char *path, const char *content, const char *image, struct build_object spec)
{
	struct object *object;
	object_id id;

	spec.path = path;
	id = build_object(plan_subject, spec);
	object = &plan_subject->objects[id];
	object->family = family_name(plan_subject->arena, object_name(plan_subject, object), NULL);
	object->content = content;
	object->image = image;
	return id;
}

static struct build_object module_spec(const char *needed, const char *imports)
{
	return (struct build_object){.needed = needed, .imports = imports, .exports = "PyInit_m"};
}

object_id plan_module(const char *path, const char *needed, const char *runpath, const char *imports)
{
	struct build_object spec = module_spec(needed, imports);

	spec.runpath = runpath;
	return plan_library(path, NULL, NULL, spec);
}

object_id plan_module_rpath(const char *path, const char *needed, const char *rpath, const char *imports)
{
	struct build_object spec = module_spec(needed, imports);

	spec.rpath = rpath;
	return plan_library(path, NULL, NULL, spec);
}

static const char *path_of(object_id id)
{
	return object_path(plan_subject, &plan_subject->objects[id]);
}

static char *copy_line(struct arena *arena, const struct copy *copy)
{
	if (copy->orphan)
		return arena_printf(arena, "orphan %s\n", path_of(copy->object));
	if (copy->served_by == copy->object)
		return arena_printf(arena, "keep %s\n", path_of(copy->object));
	if (copy->served_by == NO_ID)
		return arena_printf(arena, "%s %s: %s\n", copy->offered ? "offer" : "refuse",
				    path_of(copy->object), copy->reason);
	return arena_printf(arena, "merge %s: %s, %s\n", path_of(copy->object), relation_name(copy->relation),
			    copy->reason);
}

const char *plan_copies(void)
{
	struct arena *arena = plan_subject->arena;
	char *text = arena_strdup(arena, "");

	plan = plan_layer(plan_subject, &plan_settings);
	for (size_t i = 0; i < plan->nr_families; i++)
		for (size_t j = 0; j < plan->families[i].nr_copies; j++)
			text = arena_printf(arena, "%s%s", text,
					    copy_line(arena, &plan->families[i].copies[j]));
	return text;
}

const char *plan_edits(void)
{
	struct arena *arena = plan_subject->arena;
	char *text = arena_strdup(arena, "");

	for (size_t i = 0; i < plan->nr_actions; i++) {
		const struct action *action = &plan->actions[i];

		if (action->kind != ACTION_REWRITE && action->kind != ACTION_PLACE)
			continue;
		text = arena_printf(arena, "%s%s:", text, path_of(action->object));
		for (size_t j = 0; j < action->edits.nr_needed; j++)
			text = arena_printf(arena, "%s %s = %s,", text, action->edits.needed[j].from,
					    action->edits.needed[j].to);
		text = arena_printf(arena, "%s %s\n", text,
				    action->edits.search_path ? action->edits.search_path : "-");
	}
	return text;
}

const char *plan_actions(void)
{
	static const char *const words[] = {[ACTION_PLACE] = "place",
					    [ACTION_REWRITE] = "rewrite",
					    [ACTION_DELETE] = "delete",
					    [ACTION_PRUNE] = "prune",
					    [ACTION_RECORD] = "record"};
	struct arena *arena = plan_subject->arena;
	char *text = arena_strdup(arena, "");

	for (size_t i = 0; i < plan->nr_actions; i++)
		text = arena_printf(arena, "%s%s %s\n", text, words[plan->actions[i].kind],
				    plan_subject->files[plan->actions[i].file].path);
	return text;
}

const struct plan *plan_last(void)
{
	return plan;
}
