/*
 * .sofold.yml by libcyaml, which is told once which keys there are and of what
 * type. Every value is a text to it: its own booleans take "maybe" for true, and
 * sizes are guard's to read (values.c).
 */
#include <cyaml/cyaml.h>

#include "config/config.h"

enum { MOST_ITEMS = 10000 };

#define TEXT(key, type, member)                                                                              \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0,               \
			       CYAML_UNLIMITED)
#define NEEDED(key, type, member)                                                                            \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 0, CYAML_UNLIMITED)
#define ITEMS(key, type, member, count, item)                                                                \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, count, item, \
				   0, MOST_ITEMS)

static const cyaml_schema_value_t text = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};

static const cyaml_schema_field_t budget_fields[] = {
	NEEDED("what", struct raw_budget, what),
	TEXT("max", struct raw_budget, max),
	TEXT("max_increase", struct raw_budget, max_increase),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t budget = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_budget, budget_fields)};

static const cyaml_schema_field_t report_fields[] = {
	NEEDED("format", struct raw_report, format),
	NEEDED("file", struct raw_report, file),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t report = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_report, report_fields)};

static const cyaml_schema_field_t prune_fields[] = {
	TEXT("profile", struct raw_prune, profile),
	TEXT("bytecode", struct raw_prune, bytecode),
	ITEMS("keep", struct raw_prune, keep.items, keep.nr, &text),
	ITEMS("remove", struct raw_prune, remove.items, remove.nr, &text),
	ITEMS("botocore_services", struct raw_prune, botocore_services.items, botocore_services.nr, &text),
	TEXT("slim", struct raw_prune, slim),
	ITEMS("slimPatterns", struct raw_prune, patterns.items, patterns.nr, &text),
	TEXT("slimPatternsAppendDefaults", struct raw_prune, append_defaults),
	ITEMS("noDeploy", struct raw_prune, no_deploy.items, no_deploy.nr, &text),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
	TEXT("platform", struct raw_config, platform),
	TEXT("level", struct raw_config, level),
	ITEMS("skip", struct raw_config, skip.items, skip.nr, &text),
	ITEMS("only", struct raw_config, only.items, only.nr, &text),
	ITEMS("merge", struct raw_config, merge.items, merge.nr, &text),
	TEXT("warn_at", struct raw_config, warn_at),
	TEXT("baseline", struct raw_config, baseline),
	ITEMS("budgets", struct raw_config, budgets, nr_budgets, &budget),
	ITEMS("reports", struct raw_config, reports, nr_reports, &report),
	CYAML_FIELD_MAPPING_PTR("prune", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_config, prune,
				prune_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t top = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, fields)};

__attribute__((format(printf, 3, 0))) static void take_log(cyaml_log_t level, void *trace, const char *format,
							   va_list args)
{
	char line[512];

	(void)level;
	vsnprintf(line, sizeof line, format, args);
	trace_add(trace, line);
}

static int load(struct arena *arena, struct document *document, struct span bytes, struct config *config,
		struct error *err)
{
	struct trace trace = {0};
	const cyaml_config_t how = {
		.log_fn = take_log,
		.log_ctx = &trace,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	struct raw_config *raw = NULL;
	cyaml_err_t bad = cyaml_load_data(bytes.p, bytes.n, &how, &top, (cyaml_data_t **)&raw, NULL);
	int rc = 0;

	if (bad)
		return trace_error(&trace, document, cyaml_strerror(bad), err);
	if (raw)
		rc = config_take(arena, document, raw, config, err);
	cyaml_free(&how, &top, raw, 0);
	return rc;
}

int config_read(struct arena *arena, const char *path, struct config *config, struct error *err)
{
	struct document document;
	struct span bytes;
	int rc = config_load_file(arena, path, &bytes, err);

	*config = (struct config){.path = arena_strdup(arena, path)};
	if (!rc)
		rc = document_open(&document, config->path, bytes, err);
	if (rc)
		return rc;
	rc = document_check_plain(&document, err);
	if (!rc && document_root(&document) && !node_is_null(document_root(&document)))
		rc = load(arena, &document, bytes, config, err);
	document_close(&document);
	return rc;
}
