/* Headings and wrapped words: what every text report is made of. */
#include "report/style.h"

#include <string.h>

enum { COLUMNS = 80 };

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

const char *report_shown(const char *text)
{
	enum { BUFFERS = 4, ROOM = 4096 };
	static char buffers[BUFFERS][ROOM];
	static unsigned next;
	size_t n = 0;
	char *out;

	for (out = NULL; text[n] && !is_control((unsigned char)text[n]); n++)
		;
	if (!text[n])
		return text;
	out = buffers[next++ % BUFFERS];
	for (n = 0; *text && n + 5 < ROOM; text++) {
		if (is_control((unsigned char)*text))
			n += (size_t)snprintf(out + n, ROOM - n, "\\x%02x", (unsigned char)*text);
		else
			out[n++] = *text;
	}
	out[n] = 0;
	return out;
}

void print_bold(FILE *to, const struct report_style *style, const char *text)
{
	fprintf(to, style->color ? "\033[1m%s\033[0m" : "%s", report_shown(text));
}

void print_heading(FILE *to, const struct report_style *style, const char *text)
{
	fputc('\n', to);
	print_bold(to, style, text);
	fputc('\n', to);
}

void print_wrapped(FILE *to, unsigned indent, const char *text)
{
	unsigned column = 0;

	text = report_shown(text);
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > COLUMNS) {
			fputc('\n', to);
			column = 0;
		}
		if (!column)
			column = (unsigned)fprintf(to, "%*s", (int)indent, "");
		else
			column += (unsigned)fprintf(to, " ");
		column += (unsigned)fprintf(to, "%.*s", (int)n, text);
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', to);
}

const char *severity_name(enum severity severity)
{
	switch (severity) {
	case SEVERITY_NOTE:
		return "note";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_ERROR:
		return "error";
	}
	return "?";
}

size_t report_count(const struct layer *layer, enum severity severity)
{
	size_t i, nr = 0;

	for (i = 0; i < layer->nr_findings; i++)
		nr += layer->findings[i].severity == severity;
	return nr;
}

uint64_t native_bytes(const struct layer *layer)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < layer_count_objects(layer); i++)
		bytes += layer->objects[i].size;
	return bytes;
}

static void print_finding(FILE *to, const struct finding *finding)
{
	fprintf(to, "  %s: %s (%s)\n", severity_name(finding->severity), report_shown(finding->path),
		finding->rule);
	print_wrapped(to, 6, finding->message);
}

/* Behind the last finding of the same rule and severity; they are sorted. */
static size_t end_of_rule(const struct layer *layer, size_t i)
{
	const struct finding *first = &layer->findings[i];

	while (i < layer->nr_findings && layer->findings[i].severity == first->severity &&
	       !strcmp(layer->findings[i].rule, first->rule))
		i++;
	return i;
}

void print_findings(FILE *to, const struct layer *layer, const struct report_style *style)
{
	enum { SHOWN = 10 };
	size_t i, end, shown;

	if (layer->nr_findings)
		print_heading(to, style, "Findings");
	for (i = 0; i < layer->nr_findings; i = end) {
		end = end_of_rule(layer, i);
		shown = style->verbose || end - i < SHOWN ? end : i + SHOWN;
		for (; i < shown; i++)
			print_finding(to, &layer->findings[i]);
		if (i < end)
			fprintf(to, "  ... and %zu more of %s (-v lists them)\n", end - i,
				layer->findings[i].rule);
	}
}
