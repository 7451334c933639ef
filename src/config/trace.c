/*
 * What libcyaml says, in words for people, with the right line. It logs
 *
 *	Load: Unexpected key: nope
 *	Load: Backtrace:
 *	  in mapping (line: 2, column: 11)
 *	  in sequence entry '1' (line: 2, column: 5)
 *	  in mapping field 'budgets' (line: 2, column: 3)
 *
 * whose lines are of the value read last, before "nope". The steps lead to the
 * node in the tree, which knows its own; where they do not (another version's
 * wording), the line libcyaml has must do.
 */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* Behind word in text; NULL: not there. */
static const char *behind(const char *text, const char *word)
{
	const char *found = strstr(text, word);

	return found ? found + strlen(word) : NULL;
}

static unsigned number_behind(const char *text, const char *word)
{
	const char *number = behind(text, word);

	return number ? (unsigned)strtoul(number, NULL, 10) : 0;
}

/* "'budgets' (line: ..." or ": budgets (line: ...". */
static void take_name(struct trace_step *step, const char *text)
{
	size_t n;

	text += strspn(text, ":' ");
	n = strcspn(text, "' (\n");
	if (n < TRACE_NAME)
		memcpy(step->field, text, n);
}

static void take_step(struct trace *trace, const char *text)
{
	const char *field = behind(text, "in mapping field");
	struct trace_step *step = &trace->steps[trace->nr];

	if (trace->nr == TRACE_STEPS || (!field && !strstr(text, "in sequence entry")))
		return;
	*step = (struct trace_step){.line = number_behind(text, "line: ")};
	if (field)
		take_name(step, field);
	else
		step->entry = number_behind(text, "in sequence entry '");
	trace->nr++;
}

/* Without the newline behind it; a key may hold others. */
static void take_head(struct trace *trace, const char *text)
{
	size_t n = strlen(text);

	while (n && text[n - 1] == '\n')
		n--;
	snprintf(trace->head, sizeof trace->head, "%.*s", (int)n, text);
}

void trace_add(struct trace *trace, const char *text)
{
	const char *load = behind(text, "Load: ");

	if (strstr(text, "Backtrace"))
		return;
	if (load && !*trace->head)
		take_head(trace, load);
	else
		take_step(trace, text);
}

/* The node the steps from first on lead to; *line is its line, or libcyaml's. */
static yaml_node_t *follow(const struct trace *trace, struct document *document, size_t first, unsigned *line)
{
	yaml_node_t *node = document_root(document);
	size_t i;

	*line = node_line(node);
	for (i = trace->nr; i-- > first;) {
		const struct trace_step *step = &trace->steps[i];

		node = *step->field ? document_field(document, node, step->field)
				    : document_item(document, node, (size_t)step->entry - 1);
		*line = node ? node_line(node) : step->line;
	}
	return node;
}

static int key_error(const struct trace *trace, struct document *document, const char *key, unsigned nth,
		     const char *what, struct error *err)
{
	bool inside = trace->nr && !strcmp(trace->steps[0].field, key);
	unsigned line;
	const yaml_node_t *node = follow(trace, document, inside, &line);
	const yaml_node_pair_t *pair = document_pair(document, node, key, nth);

	if (pair)
		line = node_line(yaml_document_get_node(&document->yaml, pair->key));
	return config_error(err, document->path, line, what, key);
}

static int missing_error(const struct trace *trace, struct document *document, const char *key,
			 struct error *err)
{
	unsigned line;

	follow(trace, document, trace->nr && *trace->steps[0].field, &line);
	return config_error(err, document->path, line, "'%s' is missing here", key);
}

static const char *type_word(const char *type)
{
	if (!strncmp(type, "SEQUENCE", 8))
		return "a list";
	if (!strncmp(type, "MAPPING", 7))
		return "keys with values";
	return "one value";
}

static int type_error(const struct trace *trace, struct document *document, const char *wanted,
		      struct error *err)
{
	const char *got = behind(wanted, "event: "), *name = "the file";
	unsigned line;
	size_t i;

	follow(trace, document, 0, &line);
	for (i = trace->nr; i-- > 0;)
		if (*trace->steps[i].field)
			name = trace->steps[i].field;
	return config_error(err, document->path, line, "%s takes %s%s, not %s", name,
			    trace->nr && !*trace->steps[0].field ? "a list, each item " : "",
			    type_word(wanted), type_word(got ? got : ""));
}

int trace_error(const struct trace *trace, struct document *document, const char *otherwise,
		struct error *err)
{
	const char *rest;
	unsigned line;

	if ((rest = behind(trace->head, "Unexpected key: ")))
		return key_error(trace, document, rest, 0, "unknown key '%s'", err);
	if ((rest = behind(trace->head, "already seen: ")))
		return key_error(trace, document, rest, 1, "'%s' stands here again", err);
	if ((rest = behind(trace->head, "Missing required mapping field: ")))
		return missing_error(trace, document, rest, err);
	if ((rest = behind(trace->head, "Expecting ")))
		return type_error(trace, document, rest, err);
	follow(trace, document, 0, &line);
	return config_error(err, document->path, line, "%s", *trace->head ? trace->head : otherwise);
}
