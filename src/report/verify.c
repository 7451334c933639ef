/* What verify found: the findings, and what the interpreter said. */
#include "report/json.h"
#include "report/style.h"

static void print_imports(FILE *to, const struct imports *imports, const struct report_style *style)
{
	size_t i;

	print_heading(to, style, "Imports");
	fprintf(to, "  %zu of %zu extension modules import\n", imports_count(imports), imports->nr_modules);
	for (i = 0; i < imports->nr_modules; i++) {
		if (!imports->failed[i])
			continue;
		fprintf(to, "  fails: %s\n", report_shown(imports->modules[i]));
		print_wrapped(to, 6, imports->failed[i]);
	}
}

void report_verify_text(FILE *to, const struct audit *audit, const struct imports *imports,
			const struct report_style *style)
{
	size_t errors = report_count(audit->layer, SEVERITY_ERROR);
	size_t warnings = report_count(audit->layer, SEVERITY_WARNING);

	print_bold(to, style, audit->name);
	fprintf(to, "  (platform %s%s): %zu native file%s, %zu error%s, %zu warning%s\n",
		audit->platform->name, audit->platform_named ? "" : ", inferred", audit->layer->nr_objects,
		audit->layer->nr_objects == 1 ? "" : "s", errors, errors == 1 ? "" : "s", warnings,
		warnings == 1 ? "" : "s");
	print_findings(to, audit->layer, style);
	if (imports)
		print_imports(to, imports, style);
}

bool report_verify_json(FILE *to, const struct audit *audit, const struct imports *imports)
{
	json_t *root = json_object(), *modules = json_array();
	struct json_input input = {NULL};
	size_t i;

	for (i = 0; imports && i < imports->nr_modules; i++) {
		json_t *module = json_object();

		json_object_set_new(module, "path", json_path(&input, imports->modules[i]));
		json_object_set_new(module, "imports", json_boolean(!imports->failed[i]));
		json_object_set_new(module, "error", json_text(imports->failed[i]));
		json_array_append_new(modules, module);
	}
	json_object_set_new(root, "schema_version", json_integer(REPORT_SCHEMA_VERSION));
	json_object_set_new(root, "platform", json_text(audit->platform->name));
	json_object_set_new(root, "totals", json_totals(audit, 1));
	json_object_set_new(root, "findings", json_findings(&input, audit->layer, json_array()));
	json_object_set_new(root, "modules", modules);
	return json_print(to, root);
}
