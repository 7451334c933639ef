/*
 * What to look for in which object, and what becomes of it.
 *
 *	default   kernels for processors that the platform does not have, and kernels
 *	          that are the same twice
 *	max       functions that are only there for callers nobody has; unwind tables
 *	          of code nothing unwinds through
 *
 * Wanted is what any object of the layer imports, whichever library it would bind
 * to, and what some code names. A library that nobody names in NEEDED is opened by
 * somebody who may ask it for anything: its exports stay.
 *
 * Nothing unwinds through an extension module in C: exceptions do not pass the
 * interpreter, which is C itself, and a thread that is cancelled, or that the interpreter
 * ends (pthread_exit), takes a frame without a description for the last one of its stack
 * and is done (glibc, nptl/unwind.c unwind_stop; libgcc, unwind.inc). A library is
 * another matter, since C++ may call it and be called back from it, unless everybody
 * who loads it is C.
 */
#include "plan/plan.h"
#include "sofold/size.h"
#include "sofold/texts.h"
#include "sofold/vec.h"

static void read_wanted(struct trims *trims, const struct layer *after)
{
	size_t i, k;

	for (i = 0; i < after->nr_objects; i++) {
		const struct object *object = &after->objects[i];

		if (after->files[object->file].kind == FILE_GONE)
			continue;
		for (k = 0; k < object->nr_imports; k++)
			*VEC_PUSH(after->arena, trims, wanted) = object->imports[k].name;
	}
	trims->nr_wanted = texts_unite(trims->wanted, trims->nr_wanted);
}

/* --------- unwinding ------------------ */

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* What only somebody who throws, catches, or walks stacks asks for. */
static bool is_unwinding(const char *name)
{
	return begins_with(name, "_Unwind_") || begins_with(name, "__gxx_personality") ||
	       begins_with(name, "__gcc_personality") || begins_with(name, "__cxa_throw") ||
	       begins_with(name, "__cxa_begin_catch") || begins_with(name, "__register_frame") ||
	       begins_with(name, "unw_") || !strcmp(name, "backtrace");
}

static bool is_cxx_runtime(const char *needed)
{
	return begins_with(needed, "libstdc++") || begins_with(needed, "libc++") ||
	       begins_with(needed, "libunwind") || strstr(needed, "libstdc++");
}

/* Whether an object has nothing to do with exceptions, as far as its names tell. */
static bool is_plain_c(const struct object *object)
{
	size_t i;

	for (i = 0; i < object->nr_needed; i++)
		if (is_cxx_runtime(object->needed[i]))
			return false;
	for (i = 0; i < object->nr_imports; i++)
		if (is_unwinding(object->imports[i].name))
			return false;
	return true;
}

static bool is_loaded_by_c(const struct usage *usage, const struct layer *layer, object_id id)
{
	size_t i;

	for (i = 0; i < usage->nr_users[id]; i++)
		if (!is_plain_c(&layer->objects[usage->users[id][i]]))
			return false;
	return usage->nr_users[id];
}

static bool may_lose_unwind(const struct usage *usage, const struct layer *layer, object_id id)
{
	const struct object *object = &layer->objects[id];

	return is_plain_c(object) &&
	       (object->is_extension || trim_never_unwound(object) || is_loaded_by_c(usage, layer, id));
}

/* --------- tasks ------------------ */

static const struct action *rewrite_of(const struct plan *plan, object_id id)
{
	for (size_t i = 0; i < plan->nr_actions; i++)
		if (plan->actions[i].kind == ACTION_REWRITE && plan->actions[i].object == id)
			return &plan->actions[i];
	return NULL;
}

static void add_task(struct trims *trims, const struct layer *layer, const struct usage *usage, object_id id,
		     const struct plan_options *options)
{
	const struct object *object = &layer->objects[id];
	bool max = options->level >= LEVEL_MAX;
	struct trim_request request = {
		.cpu = options->platform->cpu,
		.fold = true,
		.exports = max && !object->is_extension && usage->nr_consumers[id],
		.unwind = max && may_lose_unwind(usage, layer, id),
		.page = options->platform->page,
		.poison = options->poison,
		.wanted = trims->wanted,
		.nr_wanted = trims->nr_wanted,
	};

	if (object->class == OBJECT_SHARED && trim_concerns(object, &request))
		*VEC_PUSH(layer->arena, trims, tasks) = (struct trim_task){.object = id, .request = request};
}

static void read_names(struct trims *trims, const struct layer *layer)
{
	struct names *names = &trims->names;
	size_t i, k, alloc = 0;

	for (i = 0; i < trims->nr_tasks; i++) {
		const struct object *object = &layer->objects[trims->tasks[i].object];

		for (k = 0; k < object->nr_exports && trims->tasks[i].request.exports; k++) {
			if (texts_hold(trims->wanted, trims->nr_wanted, object->exports[k].name))
				continue;
			names->items = vec_grow(layer->arena, names->items, names->nr_items, &alloc,
						sizeof *names->items);
			names->items[names->nr_items++] = object->exports[k].name;
		}
	}
	names->nr_items = texts_unite(names->items, names->nr_items);
	names->found = arena_array(layer->arena, names->nr_items, sizeof *names->found);
}

struct trims plan_trims(const struct layer *layer, const struct plan *plan,
			const struct plan_options *options)
{
	struct trims trims = {0};
	struct layer *after;
	struct planning planning;

	if (!(options->passes & PASS_TRIM) || !(options->passes & PASS_STRIP) ||
	    options->level < LEVEL_DEFAULT)
		return trims;
	after = plan_predict(layer->arena, layer, plan);
	planning = (struct planning){.layer = after, .arena = layer->arena, .options = options};
	usage_read(&planning);
	read_wanted(&trims, after);
	for (object_id id = 0; id < layer_count_objects(layer); id++)
		if (rewrite_of(plan, id))
			add_task(&trims, after, &planning.usage, id, options);
	read_names(&trims, after);
	return trims;
}

void plan_keep_named(struct arena *arena, struct trims *trims)
{
	struct names *names = &trims->names;
	size_t i;

	for (i = 0; i < names->nr_items; i++)
		if (names->found[i])
			*VEC_PUSH(arena, trims, wanted) = names->items[i];
	trims->nr_wanted = texts_unite(trims->wanted, trims->nr_wanted);
	for (i = 0; i < trims->nr_tasks; i++) {
		trims->tasks[i].request.wanted = trims->wanted;
		trims->tasks[i].request.nr_wanted = trims->nr_wanted;
	}
}

/* --------- results ------------------ */

static const char *cpu_words(enum cpu_baseline cpu)
{
	return cpu == CPU_AVX2_FMA ? "AVX2 and FMA" : "ARMv8-A";
}

static const char *listed(struct arena *arena, const char *const *names, size_t nr)
{
	const char *text = names[0];
	size_t i;

	for (i = 1; i < nr; i++)
		text = arena_printf(arena, "%s, %s", text, names[i]);
	return text;
}

/* What is said of an object, after what else happens to it. */
static const char *why(const struct layer *layer, const struct trim_task *task, const char *text)
{
	const struct trim_result *result = &task->result;
	struct arena *arena = layer->arena;
	char size[SIZE_TEXT];

	if (result->nr_removed)
		text = arena_printf(arena, "%s; %s serves instead of %s: it now needs a processor with %s",
				    text, result->serves, listed(arena, result->removed, result->nr_removed),
				    cpu_words(task->request.cpu));
	if (task->request.poison)
		text = arena_printf(arena, "%s; puts traps into %s of code nobody reaches", text,
				    size_text(size, result->dead));
	else if (result->cut)
		text = arena_printf(arena, "%s; cuts out %s of code nobody reaches", text,
				    size_text(size, result->cut));
	if (result->folded)
		text = arena_printf(arena, "%s; %zu kernels share another's code", text, result->folded);
	if (task->nr_gone)
		text = arena_printf(arena, "%s; the names of %zu functions go with their code", text,
				    task->nr_gone);
	if (result->unwind)
		text = arena_printf(arena, "%s; drops %s of unwind tables", text,
				    size_text(size, result->unwind));
	return text;
}

static bool has_cuts(const struct cuts *cuts)
{
	return cuts->nr_dead || cuts->nr_patches || cuts->nr_gone || cuts->unwind;
}

void plan_take_trims(const struct layer *layer, struct plan *plan, const struct trims *trims)
{
	size_t i, k;

	for (i = 0; i < trims->nr_tasks; i++) {
		const struct trim_task *task = &trims->tasks[i];

		for (k = 0; k < plan->nr_actions && !task->refused; k++) {
			struct action *action = &plan->actions[k];

			if (action->kind != ACTION_REWRITE || action->object != task->object ||
			    !has_cuts(&task->result.cuts))
				continue;
			action->edits.cuts = &task->result.cuts;
			action->trim = task;
			action->because = why(layer, task, action->because);
		}
	}
}
