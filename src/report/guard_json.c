/* Guard for programs. */
#include "report/guard.h"
#include "report/json.h"

static json_t *measure_json(const struct guard_measure *measure)
{
	json_t *json;

	if (!measure)
		return json_null();
	json = json_object();
	json_object_set_new(json, "unzipped", json_bytes(measure->unzipped));
	json_object_set_new(json, "zipped", measure->has_zipped ? json_bytes(measure->zipped) : json_null());
	json_object_set_new(json, "native", json_bytes(measure->native));
	json_object_set_new(json, "duplicates", json_bytes(measure->duplicates));
	json_object_set_new(json, "layers", json_bytes(measure->layers));
	return json;
}

static json_t *wheels_json(const struct guarded *guarded)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < guarded->now->nr_wheels; i++) {
		const struct guard_wheel *wheel = &guarded->now->wheels[i], *before = NULL;
		json_t *json = json_object();

		if (guarded->baseline)
			before = guard_wheel(guarded->baseline, wheel->name);
		json_object_set_new(json, "name", json_text(wheel->name));
		json_object_set_new(json, "version", json_text(wheel->version));
		json_object_set_new(json, "bytes", json_bytes(wheel->bytes));
		json_object_set_new(json, "bytes_before", before ? json_bytes(before->bytes) : json_null());
		json_array_append_new(array, json);
	}
	return array;
}

static json_t *families_json(const struct guarded *guarded)
{
	const struct guard_measure *old = guarded->baseline;
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < guarded->now->nr_families; i++) {
		const struct guard_duplicate *family = &guarded->now->families[i];
		bool known = old && old->has_families;
		json_t *json = json_object();

		json_object_set_new(json, "name", json_text(family->name));
		json_object_set_new(json, "copies", json_bytes(family->copies));
		json_object_set_new(json, "new_copies",
				    known ? json_bytes(guard_new_copies(old, family)) : json_null());
		json_object_set_new(json, "bytes", json_bytes(family->bytes));
		json_array_append_new(array, json);
	}
	return array;
}

static json_t *remedies_json(const struct guard_advice *advice)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < advice->nr; i++) {
		const struct guard_remedy *remedy = &advice->remedies[i];
		json_t *json = json_object();

		json_object_set_new(json, "options", json_text(remedy->options));
		json_object_set_new(json, "frees_bytes", json_bytes(remedy->frees));
		json_object_set_new(json, "enough", json_boolean(remedy->enough));
		json_object_set_new(json, "lacking",
				    json_text(remedy->lacking ? remedy->lacking->budget->name : NULL));
		json_object_set_new(json, "missing_bytes",
				    remedy->missing ? json_bytes(remedy->missing) : json_null());
		json_object_set_new(json, "best", json_boolean(remedy == advice->best));
		json_array_append_new(array, json);
	}
	return array;
}

static json_t *verdict_json(const struct guard_verdict *verdict)
{
	const struct guard_budget *budget = verdict->budget;
	bool known = verdict->state != GUARD_UNKNOWN;
	json_t *json = json_object();

	json_object_set_new(json, "budget", json_text(budget->name));
	json_object_set_new(json, "of",
			    json_text(budget->what == GUARD_WHEEL   ? "wheel"
				      : budget->what == GUARD_PATHS ? "paths"
								    : "total"));
	json_object_set_new(json, "growth", json_boolean(budget->is_growth));
	json_object_set_new(json, "state", json_text(guard_state_name(verdict->state)));
	json_object_set_new(json, "fails", json_boolean(verdict->state == GUARD_OVER && !budget->only_warns));
	json_object_set_new(json, "used", known ? json_bytes(verdict->used) : json_null());
	json_object_set_new(json, "limit", known ? json_bytes(verdict->limit) : json_null());
	json_object_set_new(json, "because", json_text(budget->because));
	return json;
}

bool report_guard_json(FILE *to, const struct guarded *guarded)
{
	json_t *root = json_object(), *budgets = json_array();
	size_t i;

	for (i = 0; i < guarded->verdicts->nr_items; i++)
		json_array_append_new(budgets, verdict_json(&guarded->verdicts->items[i]));
	json_object_set_new(root, "schema_version", json_integer(REPORT_SCHEMA_VERSION));
	json_object_set_new(root, "platform", json_text(guarded->platform ? guarded->platform->name : NULL));
	json_object_set_new(root, "totals", measure_json(guarded->now));
	json_object_set_new(root, "baseline", measure_json(guarded->baseline));
	json_object_set_new(root, "budgets", budgets);
	json_object_set_new(root, "exceeded", json_bytes(guarded->verdicts->nr_over));
	json_object_set_new(root, "warnings", json_bytes(guarded->verdicts->nr_warned));
	json_object_set_new(root, "wheels", wheels_json(guarded));
	json_object_set_new(root, "families", families_json(guarded));
	json_object_set_new(root, "remedies", remedies_json(guarded->advice));
	return json_print(to, root);
}
