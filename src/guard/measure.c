/* What is there: sums over all inputs. */
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"
#include "sofold/vec.h"

static struct guard_wheel *add_wheel(struct arena *arena, struct guard_measure *measure,
				     const struct owner *owner)
{
	struct guard_wheel *wheel;
	size_t i;

	for (i = 0; i < measure->nr_wheels; i++)
		if (!strcmp(measure->wheels[i].name, owner->name))
			return &measure->wheels[i];
	wheel = VEC_PUSH(arena, measure, wheels);
	*wheel = (struct guard_wheel){.name = owner->name, .version = owner->version};
	return wheel;
}

/* Bytes of each owner's files; the last slot is for files no wheel owns. */
static uint64_t *owner_bytes(struct arena *arena, const struct layer *layer)
{
	uint64_t *bytes = arena_array(arena, layer->nr_owners + 1, sizeof *bytes);
	size_t i;

	for (i = 0; i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];

		if (file->kind == FILE_REGULAR)
			bytes[file->owner == NO_ID ? layer->nr_owners : file->owner] += file->size;
	}
	return bytes;
}

static void add_files(struct arena *arena, struct guard_measure *measure, const struct layer *layer)
{
	uint64_t *bytes = owner_bytes(arena, layer);
	size_t i;

	for (i = 0; i < layer->nr_owners; i++) {
		add_wheel(arena, measure, &layer->owners[i])->bytes += bytes[i];
		measure->unzipped += bytes[i];
	}
	measure->unzipped += bytes[layer->nr_owners];
}

/* Each path of an object is a file of its own once it is unpacked. */
static uint64_t native_bytes(const struct layer *layer)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < layer_count_objects(layer); i++)
		bytes += layer->objects[i].size * layer->objects[i].nr_links;
	return bytes;
}

static bool is_lambda_layer(const struct layer *layer)
{
	static const char top[] = "python/";
	size_t i;

	for (i = 0; i < layer->nr_files; i++)
		if (!strncmp(layer->files[i].path, top, strlen(top)))
			return true;
	return false;
}

static struct guard_duplicate *add_family(struct arena *arena, struct guard_measure *measure,
					  const char *name)
{
	struct guard_duplicate *family;
	size_t i;

	for (i = 0; i < measure->nr_families; i++)
		if (!strcmp(measure->families[i].name, name))
			return &measure->families[i];
	family = VEC_PUSH(arena, measure, families);
	family->name = name;
	return family;
}

static void add_families(struct arena *arena, struct guard_measure *measure, const struct guard_input *input)
{
	size_t i, k;

	for (i = 0; i < input->plan->nr_families; i++) {
		const struct family *family = &input->plan->families[i];
		struct guard_duplicate *sum = add_family(arena, measure, family->name);
		uint64_t largest = 0;

		for (k = 0; k < family->nr_copies; k++) {
			uint64_t size = input->layer->objects[family->copies[k].object].size;

			sum->bytes += size;
			largest = size > largest ? size : largest;
		}
		sum->copies += family->nr_copies;
		sum->bytes -= largest;
	}
}

static int by_family(const void *a, const void *b)
{
	return strcmp(((const struct guard_duplicate *)a)->name, ((const struct guard_duplicate *)b)->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct guard_wheel *)a)->name, ((const struct guard_wheel *)b)->name);
}

struct guard_measure guard_measure(struct arena *arena, const struct guard_input *inputs, size_t nr)
{
	struct guard_measure measure = {.has_zipped = true, .has_families = true};
	size_t i;

	for (i = 0; i < nr; i++) {
		add_files(arena, &measure, inputs[i].layer);
		add_families(arena, &measure, &inputs[i]);
		measure.native += native_bytes(inputs[i].layer);
		measure.duplicates += inputs[i].plan->reclaimable;
		measure.layers += is_lambda_layer(inputs[i].layer);
		measure.zipped += inputs[i].zipped;
		measure.has_zipped &= inputs[i].zipped != 0;
	}
	if (measure.nr_wheels)
		qsort(measure.wheels, measure.nr_wheels, sizeof *measure.wheels, by_name);
	if (measure.nr_families)
		qsort(measure.families, measure.nr_families, sizeof *measure.families, by_family);
	return measure;
}

const struct guard_wheel *guard_wheel(const struct guard_measure *measure, const char *name)
{
	size_t i;

	for (i = 0; i < measure->nr_wheels; i++)
		if (same_wheel_name(name, strlen(name), measure->wheels[i].name))
			return &measure->wheels[i];
	return NULL;
}

const struct guard_duplicate *guard_duplicate(const struct guard_measure *measure, const char *name)
{
	size_t i;

	for (i = 0; i < measure->nr_families; i++)
		if (!strcmp(measure->families[i].name, name))
			return &measure->families[i];
	return NULL;
}

uint64_t guard_new_copies(const struct guard_measure *baseline, const struct guard_duplicate *now)
{
	const struct guard_duplicate *before;

	if (!baseline || !baseline->has_families)
		return 0;
	before = guard_duplicate(baseline, now->name);
	if (!before)
		return now->copies - 1; /* one need not be new */
	return now->copies > before->copies ? now->copies - before->copies : 0;
}
