/*
 * serverless.yml: four keys of serverless-python-requirements, in a file that is
 * mostly about something else. CloudFormation's tags, anchors and other plugins'
 * keys are passed by; what stands in these four must be said right there, since
 * only serverless knows what ${...} is.
 */
#include <string.h>

#include "config/config.h"
#include "sofold/vec.h"

enum { MOST_MERGES = 8 }; /* a mapping may contain itself */

struct looking {
	struct arena *arena;
	struct document document;
	struct error *err;
};

static yaml_node_t *look(struct document *document, const yaml_node_t *node, const char *key, unsigned depth);

/* "<<: *defaults" or "<<: [*a, *b]". */
static yaml_node_t *look_in_merged(struct document *document, const yaml_node_t *node, const char *key,
				   unsigned depth)
{
	yaml_node_t *merged = document_field(document, node, "<<"), *item, *found = NULL;
	size_t i;

	if (!merged || depth == MOST_MERGES)
		return NULL;
	if (merged->type == YAML_MAPPING_NODE)
		return look(document, merged, key, depth + 1);
	for (i = 0; i < MOST_MERGES && !found && (item = document_item(document, merged, i)); i++)
		found = look(document, item, key, MOST_MERGES);
	return found;
}

static yaml_node_t *look(struct document *document, const yaml_node_t *node, const char *key, unsigned depth)
{
	yaml_node_t *found = document_field(document, node, key);

	return found ? found : look_in_merged(document, node, key, depth);
}

static const char *text_of(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* Refuses what is not of that type, and variables. */
static int check(struct looking *looking, const yaml_node_t *node, const char *key, yaml_node_type_t type,
		 const char *wanted)
{
	const char *text = text_of(node), *path = looking->document.path;

	if (text && strstr(text, "${"))
		return config_error(looking->err, path, node_line(node),
				    "%s is '%s', which only serverless can compute", key, text);
	if (node->type != type || (text && strlen(text) != node->data.scalar.length))
		return config_error(looking->err, path, node_line(node), "%s takes %s", key, wanted);
	return 0;
}

static int take_flag(struct looking *looking, const yaml_node_t *parent, const char *key,
		     enum config_flag *flag)
{
	static const char wanted[] = "true or false";
	const yaml_node_t *node = look(&looking->document, parent, key, 0);
	int rc;

	if (!node || node_is_null(node))
		return 0;
	rc = check(looking, node, key, YAML_SCALAR_NODE, wanted);
	if (!rc && !config_take_flag(text_of(node), flag))
		rc = config_error(looking->err, looking->document.path, node_line(node),
				  "%s takes %s, not '%s'", key, wanted, text_of(node));
	return rc;
}

static int take_list(struct looking *looking, const yaml_node_t *parent, const char *key,
		     struct config_list *list)
{
	static const char wanted[] = "a list of texts";
	const yaml_node_t *node = look(&looking->document, parent, key, 0), *item;
	int rc;

	if (!node || node_is_null(node))
		return 0;
	rc = check(looking, node, key, YAML_SEQUENCE_NODE, wanted);
	list->line = node_line(node);
	while (!rc && (item = document_item(&looking->document, node, list->nr_items))) {
		rc = check(looking, item, key, YAML_SCALAR_NODE, wanted);
		if (!rc)
			*VEC_PUSH(looking->arena, list, items) = (struct config_text){
				arena_strdup(looking->arena, text_of(item)), node_line(item)};
	}
	return rc;
}

/* A mapping on the way there; *node becomes NULL when there is none. */
static int descend(struct looking *looking, yaml_node_t **node, const char *key)
{
	*node = look(&looking->document, *node, key, 0);
	if (*node && node_is_null(*node))
		*node = NULL;
	return *node ? check(looking, *node, key, YAML_MAPPING_NODE, "keys with values") : 0;
}

static int take_slim(struct looking *looking, struct config_slim *slim)
{
	yaml_node_t *node = document_root(&looking->document);
	int rc = descend(looking, &node, "custom");

	if (!rc && node)
		rc = descend(looking, &node, "pythonRequirements");
	if (!rc && !node)
		rc = error_add(looking->err, ERROR_USAGE, "%s has no custom.pythonRequirements",
			       looking->document.path);
	if (rc)
		return rc;
	rc = take_flag(looking, node, "slim", &slim->slim);
	if (!rc)
		rc = take_list(looking, node, "slimPatterns", &slim->patterns);
	if (!rc)
		rc = take_flag(looking, node, "slimPatternsAppendDefaults", &slim->append_defaults);
	return rc ? rc : take_list(looking, node, "noDeploy", &slim->no_deploy);
}

int config_read_serverless(struct arena *arena, const char *path, struct config_slim *slim, struct error *err)
{
	struct looking looking = {.arena = arena, .err = err};
	struct span bytes;
	int rc = config_load_file(arena, path, &bytes, err);

	*slim = (struct config_slim){0};
	if (!rc)
		rc = document_open(&looking.document, path, bytes, err);
	if (rc)
		return rc;
	rc = take_slim(&looking, slim);
	document_close(&looking.document);
	return rc;
}
