/* The audit for programs. See report.h for what the format promises. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/json.h"
#include "report/style.h"

/* Paths and names come from file systems and ELF files: bytes that are not
 * UTF-8 become U+FFFD, since JSON has no other way to say them. */
json_t *json_text(const char *text)
{
	json_t *value;
	char *clean, *to;

	if (!text)
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	clean = to = malloc(3 * strlen(text) + 1);
	if (!clean)
		return NULL;
	for (; *text; text++) {
		if ((unsigned char)*text < 0x80) {
			*to++ = *text;
		} else {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
		}
	}
	*to = 0;
	value = json_string(clean);
	free(clean);
	return value;
}

json_t *json_bytes(uint64_t bytes)
{
	return json_integer((json_int_t)bytes);
}

json_t *json_path(const struct json_input *input, const char *path)
{
	json_t *value;
	char *joined;

	if (!input->prefix)
		return json_text(path);
	if (asprintf(&joined, "%s/%s", input->prefix, path) < 0)
		return NULL;
	value = json_text(joined);
	free(joined);
	return value;
}

json_t *json_findings(const struct json_input *input, const struct layer *layer, json_t *array)
{
	size_t i;

	for (i = 0; i < layer->nr_findings; i++) {
		const struct finding *finding = &layer->findings[i];
		json_t *object = json_object();

		json_object_set_new(object, "rule", json_text(finding->rule));
		json_object_set_new(object, "severity", json_text(severity_name(finding->severity)));
		json_object_set_new(object, "path", json_path(input, finding->path));
		json_object_set_new(object, "message", json_text(finding->message));
		json_array_append_new(array, object);
	}
	return array;
}

bool json_print(FILE *to, json_t *root)
{
	bool good = root && !json_dumpf(root, to, JSON_INDENT(2)) && fputc('\n', to) != EOF;

	json_decref(root);
	return good;
}

static const char *copy_relation(const struct copy *copy)
{
	if (copy->orphan)
		return "orphan";
	return copy->served_by == copy->object ? "kept" : relation_name(copy->relation);
}

static json_t *copy_json(const struct json_input *input, const struct layer *layer, const struct copy *copy)
{
	const struct object *object = &layer->objects[copy->object];
	json_t *json = json_object();

	json_object_set_new(json, "path", json_path(input, object_path(layer, object)));
	json_object_set_new(json, "bytes", json_bytes(object->size));
	json_object_set_new(json, "owner", json_text(object_owner(layer->arena, layer, object)));
	json_object_set_new(json, "sha256", json_text(object->sha256));
	json_object_set_new(json, "build_id", json_text(object->build_id));
	json_object_set_new(json, "version", json_text(object->version_hint));
	json_object_set_new(json, "relation", json_text(copy_relation(copy)));
	json_object_set_new(json, "served_by",
			    copy->served_by == NO_ID
				    ? json_null()
				    : json_path(input, object_path(layer, &layer->objects[copy->served_by])));
	json_object_set_new(json, "bridge",
			    copy->relation == RELATION_BRIDGEABLE
				    ? json_path(input, object_path(layer, &layer->objects[copy->bridge]))
				    : json_null());
	json_object_set_new(json, "reason", json_text(copy->reason));
	return json;
}

/* A family has one relation: the weakest that merges a copy, or refused. */
static enum relation family_relation(const struct family *family)
{
	enum relation weakest = RELATION_REFUSED;
	size_t i;

	for (i = 0; i < family->nr_copies; i++) {
		const struct copy *copy = &family->copies[i];

		if (copy->served_by == NO_ID || copy->served_by == copy->object)
			continue;
		if (weakest == RELATION_REFUSED || copy->relation > weakest)
			weakest = copy->relation;
	}
	return weakest;
}

static const char *family_relation_name(const struct family *family)
{
	enum relation relation = family_relation(family);
	size_t i;

	for (i = 0; relation == RELATION_REFUSED && i < family->nr_copies; i++)
		if (family->copies[i].orphan)
			return "orphan";
	return relation_name(relation);
}

static const struct copy *first_kept(const struct family *family)
{
	size_t i;

	for (i = 0; i < family->nr_copies; i++)
		if (family->copies[i].served_by == family->copies[i].object)
			return &family->copies[i];
	return NULL;
}

static const char *family_reason(const struct family *family)
{
	size_t i;

	for (i = 0; i < family->nr_copies; i++)
		if (family->copies[i].served_by != family->copies[i].object)
			return family->copies[i].reason;
	return NULL;
}

static json_t *family_json(const struct json_input *input, const struct layer *layer,
			   const struct family *family)
{
	const struct copy *kept = first_kept(family);
	json_t *json = json_object(), *copies = json_array();
	size_t i;

	json_object_set_new(json, "name", json_text(family->name));
	json_object_set_new(json, "relation", json_text(family_relation_name(family)));
	json_object_set_new(json, "keep",
			    kept ? json_path(input, object_path(layer, &layer->objects[kept->object]))
				 : json_null());
	for (i = 0; i < family->nr_copies; i++)
		json_array_append_new(copies, copy_json(input, layer, &family->copies[i]));
	json_object_set_new(json, "copies", copies);
	json_object_set_new(json, "reclaimable_bytes", json_bytes(family->reclaimable));
	json_object_set_new(json, "offered_bytes", json_bytes(family->offered));
	json_object_set_new(json, "reason", json_text(family_reason(family)));
	return json;
}

static const char *last_component(struct arena *arena, const char *path)
{
	size_t end = strlen(path), n;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (n = end; n > 0 && path[n - 1] != '/'; n--)
		;
	return arena_strndup(arena, path + n, end - n);
}

json_t *json_totals(const struct audit *audits, size_t nr)
{
	uint64_t files = 0, bytes = 0, objects = 0, native = 0;
	json_t *json = json_object();
	size_t i;

	for (i = 0; i < nr; i++) {
		files += layer_count_files(audits[i].layer);
		bytes += audits[i].layer->bytes;
		objects += layer_count_objects(audits[i].layer);
		native += native_bytes(audits[i].layer);
	}
	json_object_set_new(json, "files", json_bytes(files));
	json_object_set_new(json, "bytes", json_bytes(bytes));
	json_object_set_new(json, "objects", json_bytes(objects));
	json_object_set_new(json, "native_bytes", json_bytes(native));
	return json;
}

static json_t *layer_json(const struct json_input *input, const struct audit *audit)
{
	json_t *json = json_object();

	json_object_set_new(json, "path_prefix", json_text(input->prefix));
	json_object_set_new(json, "platform", json_text(audit->platform->name));
	json_object_set_new(json, "totals", json_totals(audit, 1));
	json_object_set_new(json, "reclaimable_bytes", json_bytes(audit->plan->reclaimable));
	return json;
}

bool report_audit_json(FILE *to, const struct audit *audits, size_t nr)
{
	json_t *root = json_object(), *layers = json_array(), *families = json_array(),
	       *findings = json_array();
	uint64_t reclaimable = 0;
	size_t i, j;

	for (i = 0; i < nr; i++) {
		struct layer *layer = audits[i].layer;
		struct json_input input = {nr > 1 ? last_component(layer->arena, audits[i].name) : NULL};
		const struct plan *plan = audits[i].plan;

		json_array_append_new(layers, layer_json(&input, &audits[i]));
		for (j = 0; j < plan->nr_families; j++)
			json_array_append_new(families, family_json(&input, layer, &plan->families[j]));
		json_findings(&input, layer, findings);
		reclaimable += plan->reclaimable;
	}
	json_object_set_new(root, "schema_version", json_integer(REPORT_SCHEMA_VERSION));
	json_object_set_new(root, "platform", json_text(audits[0].platform->name));
	json_object_set_new(root, "totals", json_totals(audits, nr));
	json_object_set_new(root, "layers", layers);
	json_object_set_new(root, "families", families);
	json_object_set_new(root, "reclaimable_bytes", json_bytes(reclaimable));
	json_object_set_new(root, "findings", findings);
	return json_print(to, root);
}
