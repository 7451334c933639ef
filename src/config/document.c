/*
 * A YAML file as a tree, by libyaml. An alias is a second way to the same node,
 * so a tree is never larger than its file; but it may contain itself: nothing
 * here follows it further than a caller names keys.
 */
#include <string.h>

#include "config/config.h"

/* Of a byte; what libyaml's reader refuses has no line yet. */
static unsigned line_at(struct span bytes, size_t offset)
{
	unsigned line = 1;
	size_t i;

	for (i = 0; i < offset && i < bytes.n; i++)
		line += bytes.p[i] == '\n';
	return line;
}

static int parser_error(const yaml_parser_t *parser, const char *path, struct span bytes, struct error *err)
{
	unsigned line = parser->error == YAML_READER_ERROR ? line_at(bytes, parser->problem_offset)
							   : (unsigned)parser->problem_mark.line + 1;

	return config_error(err, path, line, "%s", parser->problem ? parser->problem : "no YAML");
}

/* --------- bounds ------------------ */

/*
 * What would keep libyaml busy, by tokens alone: at each token it looks at every
 * open "[" again, at each alias at every anchor, so a megabyte of them takes
 * minutes; the loader of old versions calls itself for each level.
 */
enum { MOST_DEPTH = 64, MOST_ANCHORS = 1000 };

static int depth_change(const yaml_token_t *token)
{
	switch (token->type) {
	case YAML_FLOW_SEQUENCE_START_TOKEN:
	case YAML_FLOW_MAPPING_START_TOKEN:
	case YAML_BLOCK_SEQUENCE_START_TOKEN:
	case YAML_BLOCK_MAPPING_START_TOKEN:
		return 1;
	case YAML_FLOW_SEQUENCE_END_TOKEN:
	case YAML_FLOW_MAPPING_END_TOKEN:
	case YAML_BLOCK_END_TOKEN:
		return -1;
	default:
		return 0;
	}
}

struct bounds {
	int depth, anchors;
	unsigned line;
};

static const char *beyond(const struct bounds *bounds)
{
	if (bounds->depth > MOST_DEPTH)
		return "nested deeper than 64";
	return bounds->anchors > MOST_ANCHORS ? "more than 1000 anchors and aliases" : NULL;
}

/* NULL: nothing, or the loader will find a mistake. */
static const char *scan_bounds(yaml_parser_t *parser, struct bounds *bounds)
{
	yaml_token_t token;
	bool ends = false;

	while (!ends && !beyond(bounds) && yaml_parser_scan(parser, &token)) {
		bounds->depth += depth_change(&token);
		bounds->anchors += token.type == YAML_ANCHOR_TOKEN || token.type == YAML_ALIAS_TOKEN;
		bounds->line = (unsigned)token.start_mark.line + 1;
		ends = token.type == YAML_STREAM_END_TOKEN;
		yaml_token_delete(&token);
	}
	return beyond(bounds);
}

static int check_bounds(const char *path, struct span bytes, struct error *err)
{
	struct bounds bounds = {0};
	yaml_parser_t parser;
	const char *problem;

	if (!yaml_parser_initialize(&parser))
		return error_add(err, ERROR_RUN, "reading %s: out of memory", path);
	yaml_parser_set_input_string(&parser, bytes.p, bytes.n);
	problem = scan_bounds(&parser, &bounds);
	yaml_parser_delete(&parser);
	return problem ? config_error(err, path, bounds.line, "%s", problem) : 0;
}

/* --------- loading ------------------ */

static int refuse_second(yaml_parser_t *parser, const char *path, struct span bytes, struct error *err)
{
	yaml_document_t second;
	yaml_node_t *root;
	int rc = 0;

	if (!yaml_parser_load(parser, &second))
		return parser_error(parser, path, bytes, err);
	root = yaml_document_get_root_node(&second);
	if (root)
		rc = config_error(err, path, node_line(root), "a second document in one file");
	yaml_document_delete(&second);
	return rc;
}

int document_open(struct document *document, const char *path, struct span bytes, struct error *err)
{
	yaml_parser_t parser;
	int rc = check_bounds(path, bytes, err);

	document->path = path;
	if (rc)
		return rc;
	if (!yaml_parser_initialize(&parser))
		return error_add(err, ERROR_RUN, "reading %s: out of memory", path);
	yaml_parser_set_input_string(&parser, bytes.p, bytes.n);
	if (!yaml_parser_load(&parser, &document->yaml)) {
		rc = parser_error(&parser, path, bytes, err);
	} else {
		rc = document_root(document) ? refuse_second(&parser, path, bytes, err) : 0;
		if (rc)
			document_close(document);
	}
	yaml_parser_delete(&parser);
	return rc;
}

void document_close(struct document *document)
{
	yaml_document_delete(&document->yaml);
}

yaml_node_t *document_root(struct document *document)
{
	return yaml_document_get_root_node(&document->yaml);
}

static yaml_node_t *node_at(struct document *document, int index)
{
	return yaml_document_get_node(&document->yaml, index);
}

static bool is_scalar(const yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE;
}

yaml_node_pair_t *document_pair(struct document *document, const yaml_node_t *node, const char *key,
				unsigned nth)
{
	yaml_node_pair_t *pair;

	if (!node || node->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = node_at(document, pair->key);

		if (is_scalar(name) && !strcmp((const char *)name->data.scalar.value, key) && !nth--)
			return pair;
	}
	return NULL;
}

yaml_node_t *document_field(struct document *document, const yaml_node_t *node, const char *key)
{
	const yaml_node_pair_t *pair = document_pair(document, node, key, 0);

	return pair ? node_at(document, pair->value) : NULL;
}

yaml_node_t *document_item(struct document *document, const yaml_node_t *node, size_t i)
{
	if (!node || node->type != YAML_SEQUENCE_NODE ||
	    i >= (size_t)(node->data.sequence.items.top - node->data.sequence.items.start))
		return NULL;
	return node_at(document, node->data.sequence.items.start[i]);
}

unsigned node_line(const yaml_node_t *node)
{
	return node ? (unsigned)node->start_mark.line + 1 : 1;
}

bool node_is_null(const yaml_node_t *node)
{
	const char *text = is_scalar(node) ? (const char *)node->data.scalar.value : NULL;

	return text && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*text || !strcmp(text, "~") || !strcmp(text, "null"));
}

/* --------- plainness ------------------ */

static int check_node(const struct document *document, const yaml_node_t *node, struct error *err)
{
	static const char core[] = "tag:yaml.org,2002:";
	const char *tag = (const char *)node->tag;

	if (tag && strncmp(tag, core, strlen(core)))
		return config_error(err, document->path, node_line(node), "tag '%s' means nothing here", tag);
	if (is_scalar(node) && strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
		return config_error(err, document->path, node_line(node), "a zero byte in a value");
	return 0;
}

static int check_keys(struct document *document, const yaml_node_t *node, struct error *err)
{
	const yaml_node_pair_t *pair;

	if (node->type != YAML_MAPPING_NODE)
		return 0;
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++)
		if (!is_scalar(node_at(document, pair->key)))
			return config_error(err, document->path, node_line(node_at(document, pair->key)),
					    "a key that is no word");
	return 0;
}

int document_check_plain(struct document *document, struct error *err)
{
	const yaml_node_t *node;
	int rc = 0;

	for (node = document->yaml.nodes.start; node < document->yaml.nodes.top && !rc; node++) {
		rc = check_node(document, node, err);
		if (!rc)
			rc = check_keys(document, node, err);
	}
	return rc;
}
