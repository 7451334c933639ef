/*
 * Guard as SARIF 2.1.0: a rule for each kind of budget, a result for each that is
 * exceeded, near or cannot be judged. Kept ones are no findings.
 */
#include <string.h>

#include "report/guard.h"
#include "report/json.h"

static const struct {
	const char *id, *about;
} rules[] = {
	[GUARD_UNZIPPED] = {"unzipped", "Bytes of all files"},
	[GUARD_ZIPPED] = {"zipped", "Bytes of the archives"},
	[GUARD_NATIVE] = {"native", "Bytes of native libraries and extension modules"},
	[GUARD_DUPLICATES] = {"duplicates", "Bytes of libraries that are there twice"},
	[GUARD_LAYERS] = {"layers", "Number of layers"},
	[GUARD_WHEEL] = {"wheel", "Bytes of one wheel"},
	[GUARD_PATHS] = {"paths", "Bytes of the files whose path matches a pattern"},
};

static json_t *text_json(const char *text)
{
	json_t *json = json_object();

	json_object_set_new(json, "text", json_text(text));
	return json;
}

static json_t *driver_json(void)
{
	json_t *driver = json_object(), *array = json_array();
	size_t i;

	for (i = 0; i < sizeof rules / sizeof *rules; i++) {
		json_t *rule = json_object();

		json_object_set_new(rule, "id", json_text(rules[i].id));
		json_object_set_new(rule, "shortDescription", text_json(rules[i].about));
		json_array_append_new(array, rule);
	}
	json_object_set_new(driver, "name", json_text("sofold"));
	json_object_set_new(driver, "version", json_text(SOFOLD_VERSION));
	json_object_set_new(driver, "rules", array);
	return driver;
}

/* Of a path: what a URI has no place for, "%" included, as %NN. */
static const char *uri(struct arena *arena, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	const char *scheme = *path == '/' ? "file://" : "";
	char *out = arena_alloc(arena, strlen(scheme) + 3 * strlen(path) + 1), *p = stpcpy(out, scheme);

	for (; *path; path++) {
		if (strchr(plain, *path))
			*p++ = *path;
		else
			p += sprintf(p, "%%%02X", (unsigned char)*path);
	}
	return out;
}

static json_t *location_json(struct arena *arena, const struct guard_input *input)
{
	json_t *artifact = json_object(), *physical = json_object(), *location = json_object();

	json_object_set_new(artifact, "uri", json_text(uri(arena, input->name)));
	json_object_set_new(physical, "artifactLocation", artifact);
	json_object_set_new(location, "physicalLocation", physical);
	return location;
}

static const char *level(const struct guard_verdict *verdict)
{
	if (verdict->state == GUARD_UNKNOWN)
		return "note";
	return verdict->state == GUARD_OVER && !verdict->budget->only_warns ? "error" : "warning";
}

/* What is exceeded says why. */
static const char *message(struct arena *arena, const struct guarded *guarded,
			   const struct guard_verdict *verdict)
{
	const char *text = guard_sentence(arena, verdict);
	const struct guard_why why = guard_why(arena, guarded);
	size_t i;

	for (i = 0; verdict->state == GUARD_OVER && i < why.nr_lines; i++)
		text = arena_printf(arena, "%s\n%s", text, why.lines[i]);
	return text;
}

static json_t *result_json(struct arena *arena, const struct guarded *guarded,
			   const struct guard_verdict *verdict)
{
	json_t *result = json_object(), *locations = json_array();
	size_t i;

	for (i = 0; i < guarded->nr_inputs; i++)
		json_array_append_new(locations, location_json(arena, &guarded->inputs[i]));
	json_object_set_new(result, "ruleId", json_text(rules[verdict->budget->what].id));
	json_object_set_new(result, "ruleIndex", json_integer(verdict->budget->what));
	json_object_set_new(result, "level", json_text(level(verdict)));
	json_object_set_new(result, "message", text_json(message(arena, guarded, verdict)));
	json_object_set_new(result, "locations", locations);
	return result;
}

bool report_guard_sarif(FILE *to, const struct guarded *guarded)
{
	json_t *root = json_object(), *run = json_object(), *tool = json_object(), *results = json_array(),
	       *runs = json_array();
	struct arena *arena = arena_new();
	size_t i;

	for (i = 0; i < guarded->verdicts->nr_items; i++)
		if (guarded->verdicts->items[i].state != GUARD_KEPT)
			json_array_append_new(results,
					      result_json(arena, guarded, &guarded->verdicts->items[i]));
	json_object_set_new(tool, "driver", driver_json());
	json_object_set_new(run, "tool", tool);
	json_object_set_new(run, "results", results);
	json_array_append_new(runs, run);
	json_object_set_new(root, "$schema", json_text("https://json.schemastore.org/sarif-2.1.0.json"));
	json_object_set_new(root, "version", json_text("2.1.0"));
	json_object_set_new(root, "runs", runs);
	arena_free(arena);
	return json_print(to, root);
}
