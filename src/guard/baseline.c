/*
 * What was there: a small JSON file, one line a wheel, to be kept in the
 * repository so that a pull request shows in its diff what it costs.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "guard/guard.h"
#include "sofold/vec.h"

enum { BASELINE_SCHEMA = 1 };

/* --------- reading ------------------ */

static bool take_bytes(const json_t *object, const char *key, uint64_t *bytes)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*bytes = (uint64_t)json_integer_value(value);
	return true;
}

/* Sorted keys on the way out are sorted names on the way in; not relied on. */
static bool take_wheels(struct arena *arena, json_t *object, struct guard_measure *measure)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return false;
	json_object_foreach(object, name, value)
	{
		struct guard_wheel *wheel = VEC_PUSH(arena, measure, wheels);
		const char *version = json_string_value(json_object_get(value, "version"));

		*wheel = (struct guard_wheel){.name = arena_strdup(arena, name),
					      .version = arena_strdup(arena, version ? version : "")};
		if (!take_bytes(value, "bytes", &wheel->bytes))
			return false;
	}
	return true;
}

/* Files of before there was this key go without. */
static bool take_families(struct arena *arena, json_t *object, struct guard_measure *measure)
{
	const char *name;
	json_t *value;

	if (!object)
		return true;
	if (!json_is_object(object))
		return false;
	measure->has_families = true;
	json_object_foreach(object, name, value)
	{
		struct guard_duplicate *family = VEC_PUSH(arena, measure, families);

		family->name = arena_strdup(arena, name);
		if (!take_bytes(value, "copies", &family->copies) ||
		    !take_bytes(value, "bytes", &family->bytes))
			return false;
	}
	return true;
}

static bool take_measure(struct arena *arena, const json_t *root, struct guard_measure *measure)
{
	*measure = (struct guard_measure){0};
	measure->has_zipped = take_bytes(root, "zipped", &measure->zipped);
	return take_bytes(root, "unzipped", &measure->unzipped) &&
	       take_bytes(root, "native", &measure->native) &&
	       take_bytes(root, "duplicates", &measure->duplicates) &&
	       take_bytes(root, "layers", &measure->layers) &&
	       take_wheels(arena, json_object_get(root, "wheels"), measure) &&
	       take_families(arena, json_object_get(root, "families"), measure);
}

int guard_read_baseline(struct arena *arena, const char *path, struct guard_measure *measure,
			struct error *err)
{
	FILE *file = fopen(path, "re");
	json_error_t why;
	json_t *root;
	uint64_t schema;
	int rc = 0;

	if (!file)
		return error_errno(err, "opening the baseline %s (--update-baseline makes one)", path);
	root = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
	fclose(file);
	if (!root)
		return error_add(err, ERROR_RUN, "the baseline %s, line %d: %s", path, why.line, why.text);
	if (!take_bytes(root, "schema_version", &schema) || schema != BASELINE_SCHEMA)
		rc = error_add(err, ERROR_RUN, "the baseline %s is of another version of sofold", path);
	else if (!take_measure(arena, root, measure))
		rc = error_add(err, ERROR_RUN, "the baseline %s is no baseline of sofold guard", path);
	json_decref(root);
	return rc;
}

/* --------- writing ------------------ */

static json_t *wheels_json(const struct guard_measure *measure)
{
	json_t *wheels = json_object();
	size_t i;

	for (i = 0; i < measure->nr_wheels; i++) {
		const struct guard_wheel *wheel = &measure->wheels[i];

		json_object_set_new(wheels, wheel->name,
				    json_pack("{s:s, s:I}", "version", wheel->version, "bytes",
					      (json_int_t)wheel->bytes));
	}
	return wheels;
}

static json_t *families_json(const struct guard_measure *measure)
{
	json_t *families = json_object();
	size_t i;

	for (i = 0; i < measure->nr_families; i++)
		json_object_set_new(families, measure->families[i].name,
				    json_pack("{s:I, s:I}", "copies", (json_int_t)measure->families[i].copies,
					      "bytes", (json_int_t)measure->families[i].bytes));
	return families;
}

static char *baseline_text(const struct guard_measure *measure)
{
	json_t *root = json_object();
	char *text;

	json_object_set_new(root, "schema_version", json_integer(BASELINE_SCHEMA));
	json_object_set_new(root, "unzipped", json_integer((json_int_t)measure->unzipped));
	json_object_set_new(root, "zipped",
			    measure->has_zipped ? json_integer((json_int_t)measure->zipped) : json_null());
	json_object_set_new(root, "native", json_integer((json_int_t)measure->native));
	json_object_set_new(root, "duplicates", json_integer((json_int_t)measure->duplicates));
	json_object_set_new(root, "layers", json_integer((json_int_t)measure->layers));
	json_object_set_new(root, "wheels", wheels_json(measure));
	json_object_set_new(root, "families", families_json(measure));
	text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	return text;
}

static bool print_text(FILE *to, void *text)
{
	return text && fprintf(to, "%s\n", (const char *)text) > 0;
}

int guard_write_baseline(const char *path, const struct guard_measure *measure, struct error *err)
{
	char *text = baseline_text(measure);
	int rc = guard_write_file("baseline", path, print_text, text, err);

	free(text);
	return rc;
}
