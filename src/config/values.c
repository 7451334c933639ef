/* From texts to what they mean; each with its line, for the complaint. */
#include <string.h>

#include "config/config.h"
#include "sofold/vec.h"

struct taking {
	struct arena *arena;
	struct document *document;
	struct config *config;
	struct error *err;
};

static struct config_text take_text(const struct taking *taking, const yaml_node_t *parent, const char *key,
				    const char *text)
{
	if (!text)
		return (struct config_text){0};
	return (struct config_text){arena_strdup(taking->arena, text),
				    node_line(document_field(taking->document, parent, key))};
}

static struct config_list take_list(const struct taking *taking, const yaml_node_t *parent, const char *key,
				    const struct raw_list *raw)
{
	const yaml_node_t *node = document_field(taking->document, parent, key);
	struct config_list list = {.line = node ? node_line(node) : 0};
	unsigned i;

	for (i = 0; i < raw->nr; i++)
		*VEC_PUSH(taking->arena, &list,
			  items) = (struct config_text){arena_strdup(taking->arena, raw->items[i]),
							node_line(document_item(taking->document, node, i))};
	return list;
}

static int refuse(const struct taking *taking, const struct config_text *value, const char *wanted)
{
	return config_error(taking->err, taking->config->path, value->line, "'%s' is %s", value->text,
			    wanted);
}

static int take_platform(const struct taking *taking, const struct config_text *name)
{
	if (!name->text)
		return 0;
	taking->config->platform = platform_find(name->text);
	return taking->config->platform ? 0 : refuse(taking, name, "no platform known here");
}

static int take_warn_at(const struct taking *taking, const struct config_text *percent)
{
	struct config *config = taking->config;

	if (!percent->text)
		return 0;
	config->has_warn_at = guard_parse_percent(percent->text, &config->warn_at);
	return config->has_warn_at ? 0 : refuse(taking, percent, "no percentage up to 100");
}

/* --------- budgets and reports ------------------ */

typedef int add_budget(struct arena *arena, struct guard_budgets *budgets, const char *what,
		       const char *limit, const char *because, struct error *err);

static int take_limit(const struct taking *taking, const char *what, const struct config_text *limit,
		      add_budget *add)
{
	struct config *config = taking->config;
	struct error why = {""};

	if (limit->text && add(taking->arena, &config->budgets, what, limit->text, config->path, &why))
		return config_error(taking->err, config->path, limit->line, "%s", why.message);
	return 0;
}

static int take_budget(const struct taking *taking, const yaml_node_t *node, const struct raw_budget *raw)
{
	struct config_text what = take_text(taking, node, "what", raw->what),
			   max = take_text(taking, node, "max", raw->max),
			   more = take_text(taking, node, "max_increase", raw->max_increase);
	int rc;

	if (!what.text || !*what.text)
		return refuse(taking, &what, "nothing to put a budget on");
	if (!max.text && !more.text)
		return config_error(taking->err, taking->config->path, what.line,
				    "the budget of '%s' has neither max nor max_increase", what.text);
	rc = take_limit(taking, what.text, &max, guard_add_budget);
	return rc ? rc : take_limit(taking, what.text, &more, guard_add_increase);
}

static int take_budgets(const struct taking *taking, const yaml_node_t *root, const struct raw_config *raw)
{
	const yaml_node_t *list = document_field(taking->document, root, "budgets");
	unsigned i;
	int rc = 0;

	for (i = 0; i < raw->nr_budgets && !rc; i++)
		rc = take_budget(taking, document_item(taking->document, list, i), &raw->budgets[i]);
	return rc;
}

static void take_reports(const struct taking *taking, const yaml_node_t *root, const struct raw_config *raw)
{
	const yaml_node_t *list = document_field(taking->document, root, "reports");
	unsigned i;

	for (i = 0; i < raw->nr_reports; i++) {
		const yaml_node_t *node = document_item(taking->document, list, i);

		*VEC_PUSH(taking->arena, taking->config, reports) = (struct config_report){
			.format = take_text(taking, node, "format", raw->reports[i].format),
			.file = take_text(taking, node, "file", raw->reports[i].file)};
	}
}

/* --------- prune ------------------ */

bool config_take_flag(const char *text, enum config_flag *flag)
{
	static const struct {
		const char *text;
		enum config_flag flag;
	} words[] = {
		{"true", CONFIG_YES}, {"True", CONFIG_YES}, {"TRUE", CONFIG_YES},
		{"false", CONFIG_NO}, {"False", CONFIG_NO}, {"FALSE", CONFIG_NO},
	};
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(text, words[i].text)) {
			*flag = words[i].flag;
			return true;
		}
	return false;
}

static int take_flag(const struct taking *taking, const yaml_node_t *parent, const char *key,
		     const char *text, enum config_flag *flag)
{
	struct config_text value = take_text(taking, parent, key, text);

	if (!text || config_take_flag(text, flag))
		return 0;
	return refuse(taking, &value, "neither true nor false");
}

static int check_bytecode(const struct taking *taking, const struct config_text *bytecode)
{
	const char *text = bytecode->text;

	if (!text || !strcmp(text, "keep") || !strcmp(text, "drop") || !strcmp(text, "compile"))
		return 0;
	return refuse(taking, bytecode, "none of keep, drop and compile");
}

static int take_prune(const struct taking *taking, const yaml_node_t *node, const struct raw_prune *raw)
{
	struct config_prune *prune = &taking->config->prune;
	int rc;

	prune->profile = take_text(taking, node, "profile", raw->profile);
	prune->bytecode = take_text(taking, node, "bytecode", raw->bytecode);
	prune->keep = take_list(taking, node, "keep", &raw->keep);
	prune->remove = take_list(taking, node, "remove", &raw->remove);
	prune->botocore_services = take_list(taking, node, "botocore_services", &raw->botocore_services);
	prune->slim.patterns = take_list(taking, node, "slimPatterns", &raw->patterns);
	prune->slim.no_deploy = take_list(taking, node, "noDeploy", &raw->no_deploy);
	rc = take_flag(taking, node, "slim", raw->slim, &prune->slim.slim);
	if (!rc)
		rc = take_flag(taking, node, "slimPatternsAppendDefaults", raw->append_defaults,
			       &prune->slim.append_defaults);
	return rc ? rc : check_bytecode(taking, &prune->bytecode);
}

int config_take(struct arena *arena, struct document *document, const struct raw_config *raw,
		struct config *config, struct error *err)
{
	const struct taking taking = {arena, document, config, err};
	const yaml_node_t *root = document_root(document);
	struct config_text platform = take_text(&taking, root, "platform", raw->platform),
			   warn_at = take_text(&taking, root, "warn_at", raw->warn_at);
	int rc;

	config->level = take_text(&taking, root, "level", raw->level);
	config->baseline = take_text(&taking, root, "baseline", raw->baseline);
	config->skip = take_list(&taking, root, "skip", &raw->skip);
	config->only = take_list(&taking, root, "only", &raw->only);
	config->merge = take_list(&taking, root, "merge", &raw->merge);
	take_reports(&taking, root, raw);
	rc = take_platform(&taking, &platform);
	if (!rc)
		rc = take_warn_at(&taking, &warn_at);
	if (!rc)
		rc = take_budgets(&taking, root, raw);
	if (!rc && raw->prune)
		rc = take_prune(&taking, document_field(document, root, "prune"), raw->prune);
	return rc;
}
