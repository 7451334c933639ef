/*
 * trim_find():
 *
 *	read     sections, pointers, symbols
 *	divide   the text into functions
 *	tables   of kernels: which go, which kernels are the same
 *	reach    all that may run
 *	cut      the rest
 */
#include "trim/percpu.h"

#include "sofold/texts.h"
#include "sofold/vec.h"

static bool contains(const char *name, const char *const *parts)
{
	for (; *parts; parts++)
		if (strstr(name, *parts))
			return true;
	return false;
}

/* Kernels are exported, but called through their tables. */
static void mark_kernels(const struct program *program, bool *kernels)
{
	for (size_t i = 0; i < program->nr_slots; i++) {
		size_t unit = unit_starting(program, program->slots[i].target);

		if (unit != NO_UNIT && ranges_hold(&program->tables, program->slots[i].at))
			kernels[unit] = true;
	}
}

static void reach_exports(struct program *program, const struct percpu *percpu)
{
	const struct trim_request *request = program->request;
	bool *kernels = arena_array(program->arena, program->nr_units, sizeof *kernels);

	mark_kernels(program, kernels);
	for (uint32_t i = 1; i < program->image.nr_symbols; i++) {
		const char *name = program_name(program, i);
		size_t unit;

		if (!program_is_function(program, i))
			continue;
		unit = unit_at(program, program->symbols[i].st_value);
		if (unit == NO_UNIT)
			continue;
		if ((!request->exports && !kernels[unit]) ||
		    texts_hold(request->wanted, request->nr_wanted, name) ||
		    (percpu->family && contains(name, percpu->family->asked)))
			reach_unit(program, unit);
	}
}

static void name_removed(struct program *program, const struct percpu *percpu, struct trim_result *result)
{
	for (size_t i = 0; i < percpu->nr_tables; i++)
		if (percpu->tables[i].removed)
			*VEC_PUSH(program->arena, result, removed) = percpu->tables[i].core;
	if (result->nr_removed)
		result->serves = percpu->serves->core;
	result->folded = percpu->nr_folded;
}

static bool wants_code(const struct trim_request *request)
{
	return request->cpu != CPU_ANY || request->fold || request->exports;
}

static int find_code(struct program *program, struct trim_result *result, struct error *err)
{
	struct percpu percpu;

	units_find(program);
	percpu_find(program, &percpu);
	if (!percpu.nr_tables && !program->request->exports)
		return 0;
	if (program->request->fold)
		fold_find(program, &percpu);
	reach_exports(program, &percpu);
	percpu_reach(program, &percpu);
	reach_all(program);
	if (!program->budget)
		return error_add(err, ERROR_REFUSED, "its code is too entangled to follow");
	cut_dead(program, &percpu, result);
	name_removed(program, &percpu, result);
	return 0;
}

static void find_unwind(struct program *program, struct trim_result *result)
{
	for (size_t i = 1; i < program->image.nr_shdrs; i++)
		if (section_is_unwind(&program->image, &program->image.shdrs[i]))
			result->unwind += program->image.shdrs[i].sh_size;
	result->cuts.unwind = result->unwind;
}

/* --------- by what the scan knows ------------------ */

static const struct percpu_family *family_of(const struct object *object)
{
	const struct percpu_family *family;

	for (family = percpu_families; family->prefix; family++)
		for (size_t i = 0; family->machine == object->machine && i < object->nr_exports; i++)
			if (!strncmp(object->exports[i].name, family->prefix, strlen(family->prefix)) &&
			    (object->exports[i].flags & SYMBOL_DATA))
				return family;
	return NULL;
}

bool trim_never_unwound(const struct object *object)
{
	const struct percpu_family *family = family_of(object);

	return family && family->never_unwound;
}

bool trim_concerns(const struct object *object, const struct trim_request *request)
{
	return request->exports || request->unwind || family_of(object);
}

int trim_find(struct arena *arena, struct span file, const struct trim_request *request,
	      struct trim_result *result, struct error *err)
{
	struct program program = {.arena = arena, .request = request};

	*result = (struct trim_result){0};
	if (image_load(arena, file, &program.image, err))
		return ERROR_REFUSED;
	if (image_is_program(&program.image))
		return error_add(err, ERROR_REFUSED, "it is a program");
	if (wants_code(request)) {
		if (program_read(&program, err) || find_code(&program, result, err))
			return ERROR_REFUSED;
	}
	if (request->unwind)
		find_unwind(&program, result);
	return 0;
}
