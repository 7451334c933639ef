/*
 * The file is cut into rows and the rows into fields, as Python's csv.reader
 * does with its default dialect: a quote opens a quoted field only at the
 * field's beginning; inside, "" is one quote and commas and line ends are
 * data; behind the closing quote anything is taken literally up to the next
 * comma. Each field remembers the bytes it was written with, so that a row is
 * put together again from its own bytes, except for the two that change.
 */
#include "layer/record.h"

#include <inttypes.h>
#include <stdio.h>

#include <stdlib.h>
#include <string.h>

#include "sofold/layer.h"

struct field {
	struct span raw; /* as written, quotes included */
	char *value;	 /* in the scratch arena */
};

/* Only the first three fields of a row mean something. */
enum { PATH, HASH, SIZE, NR_FIELDS };

struct row {
	struct span raw;  /* with its line end */
	struct span tail; /* behind the fields below: further fields, line end */
	struct field fields[NR_FIELDS];
	size_t nr_fields;
};

/* --------- reading ------------------ */

static bool ends_line(uint8_t c)
{
	return c == '\n' || c == '\r';
}

/* Where the field that begins at i ends: at its comma, line end or the end of
 * the file. */
static size_t field_end(struct span text, size_t i)
{
	bool quoted = i < text.n && text.p[i] == '"';

	for (i += quoted; i < text.n; i++) {
		if (quoted && text.p[i] == '"') {
			if (i + 1 < text.n && text.p[i + 1] == '"')
				i++;
			else
				quoted = false;
		} else if (!quoted && (text.p[i] == ',' || ends_line(text.p[i]))) {
			break;
		}
	}
	return i;
}

/* What a field says, its quotes resolved. */
static char *field_value(struct arena *arena, struct span raw)
{
	char *value = arena_alloc(arena, raw.n + 1);
	bool quoted = raw.n && raw.p[0] == '"';
	size_t n = 0;

	for (size_t i = quoted; i < raw.n; i++) {
		if (!quoted || raw.p[i] != '"')
			value[n++] = (char)raw.p[i];
		else if (i + 1 < raw.n && raw.p[i + 1] == '"')
			value[n++] = (char)raw.p[i++];
		else
			quoted = false;
	}
	return value;
}

static struct field read_field(struct arena *arena, struct span text, size_t *at)
{
	size_t end = field_end(text, *at);
	struct span raw = {text.p + *at, end - *at};

	*at = end;
	return (struct field){raw, field_value(arena, raw)};
}

static bool another_field(struct span text, size_t at)
{
	return at < text.n && text.p[at] == ',';
}

static void skip_line_end(struct span text, size_t *at)
{
	if (*at < text.n && text.p[*at] == '\r')
		++*at;
	if (*at < text.n && text.p[*at] == '\n')
		++*at;
}

/* Reads the row at *at and moves to the next. */
static struct row read_row(struct arena *arena, struct span text, size_t *at)
{
	size_t start = *at, tail;
	struct row row = {.nr_fields = 0};

	do {
		struct field field;

		if (row.nr_fields)
			++*at; /* the comma */
		field = read_field(arena, text, at);
		if (row.nr_fields < NR_FIELDS)
			row.fields[row.nr_fields++] = field;
	} while (another_field(text, *at));
	skip_line_end(text, at);
	tail = (size_t)(row.fields[row.nr_fields - 1].raw.p - text.p) + row.fields[row.nr_fields - 1].raw.n;
	row.raw = (struct span){text.p + start, *at - start};
	row.tail = (struct span){text.p + tail, *at - tail};
	return row;
}

const char *record_next_path(struct arena *arena, struct span record, size_t *at)
{
	const char *path;

	if (*at >= record.n)
		return NULL;
	path = read_field(arena, record, at).value;
	while (another_field(record, *at))
		*at = field_end(record, *at + 1);
	skip_line_end(record, at);
	return path;
}

/* --------- writing ------------------ */

struct buffer {
	uint8_t *p;
	size_t n, alloc;
};

static void append(struct arena *arena, struct buffer *buffer, const void *bytes, size_t n)
{
	if (buffer->alloc - buffer->n < n) {
		size_t alloc = (buffer->n + n) * 2;
		uint8_t *grown = arena_alloc(arena, alloc);

		if (buffer->n)
			memcpy(grown, buffer->p, buffer->n);
		buffer->p = grown;
		buffer->alloc = alloc;
	}
	if (n)
		memcpy(buffer->p + buffer->n, bytes, n);
	buffer->n += n;
}

static void append_span(struct arena *arena, struct buffer *buffer, struct span span)
{
	append(arena, buffer, span.p, span.n);
}

/* The new value of a field, quoted when the old one was. */
static void append_value(struct arena *arena, struct buffer *buffer, const struct field *old,
			 const char *value)
{
	bool quoted = old->raw.n && old->raw.p[0] == '"';

	append(arena, buffer, ",\"", quoted ? 2 : 1);
	append(arena, buffer, value, strlen(value));
	append(arena, buffer, "\"", quoted ? 1 : 0);
}

/* "sha256=" and the digest in base64url without padding: 43 digits, the last
 * of which holds four bits only. */
static void hash_text(const uint8_t sha256[32], char text[7 + 43 + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned bits = 0, nr_bits = 0;

	memcpy(text, "sha256=", 7);
	text += 7;
	for (size_t i = 0; i < 32; i++) {
		bits = (bits << 8 | sha256[i]) & 0xffff;
		nr_bits += 8;
		for (; nr_bits >= 6; nr_bits -= 6)
			*text++ = digits[bits >> (nr_bits - 6) & 63];
	}
	*text++ = digits[bits << (6 - nr_bits) & 63];
	*text = '\0';
}

static void append_changed_row(struct arena *arena, struct buffer *buffer, const struct row *row,
			       const struct record_change *change)
{
	char hash[7 + 43 + 1], size[24];

	hash_text(change->sha256, hash);
	snprintf(size, sizeof size, "%" PRIu64, change->size);
	append_span(arena, buffer, row->fields[PATH].raw);
	append_value(arena, buffer, &row->fields[HASH], hash);
	if (row->nr_fields > SIZE)
		append_value(arena, buffer, &row->fields[SIZE], size);
	append_span(arena, buffer, row->tail);
}

/* --------- deciding ------------------ */

static int compare_path(const void *key, const void *change)
{
	return strcmp(key, ((const struct record_change *)change)->path);
}

static const struct record_change *find_change(struct arena *arena, const char *base, const char *row_path,
					       const struct record_change *changes, size_t nr_changes)
{
	const char *path = *row_path && *row_path != '/' ? path_join(arena, base, row_path) : NULL;

	if (!path || !nr_changes)
		return NULL;
	return bsearch(path, changes, nr_changes, sizeof *changes, compare_path);
}

static bool has_hash(const struct row *row)
{
	return row->nr_fields > HASH && *row->fields[HASH].value;
}

struct span record_edit(struct arena *arena, struct span record, const char *base,
			const struct record_change *changes, size_t nr_changes)
{
	struct arena *scratch = arena_new();
	struct buffer buffer = {0};
	size_t at = 0;
	bool changed;

	while (at < record.n) {
		struct row row = read_row(scratch, record, &at);
		const struct record_change *change = find_change(scratch, base, row.fields[PATH].value,
								 changes, nr_changes);

		if (change && (change->deleted || change->added))
			continue;
		if (change && has_hash(&row))
			append_changed_row(arena, &buffer, &row, change);
		else
			append_span(arena, &buffer, row.raw);
	}
	arena_free(scratch);
	changed = !span_equal((struct span){buffer.p, buffer.n}, record);
	return changed ? (struct span){buffer.p, buffer.n} : record;
}

/* --------- adding ------------------ */

/* A path as a field, quoted when it has to be (csv.QUOTE_MINIMAL). */
static void append_path(struct arena *arena, struct buffer *buffer, const char *path)
{
	bool quoted = strpbrk(path, ",\"\r\n") != NULL;

	append(arena, buffer, "\"", quoted);
	for (; *path; path++)
		append(arena, buffer, *path == '"' ? "\"\"" : path, *path == '"' ? 2 : 1);
	append(arena, buffer, "\"", quoted);
}

/* Rows end as the first one does. */
static const char *line_end(struct span record)
{
	const uint8_t *newline = record.n ? memchr(record.p, '\n', record.n) : NULL;

	return newline && newline > record.p && newline[-1] == '\r' ? "\r\n" : "\n";
}

struct span record_add(struct arena *arena, struct span record, const char *base,
		       const struct record_change *change)
{
	char hash[7 + 43 + 1], size[24];
	struct buffer buffer = {0};
	const char *end = line_end(record);

	hash_text(change->sha256, hash);
	snprintf(size, sizeof size, ",%" PRIu64, change->size);
	append_span(arena, &buffer, record);
	if (record.n && record.p[record.n - 1] == '\r')
		append(arena, &buffer, "\n", 1); /* cut off */
	else if (record.n && !ends_line(record.p[record.n - 1]))
		append(arena, &buffer, end, strlen(end));
	append_path(arena, &buffer, path_relative(arena, base, change->path));
	append(arena, &buffer, ",", 1);
	append(arena, &buffer, hash, strlen(hash));
	append(arena, &buffer, size, strlen(size));
	append(arena, &buffer, end, strlen(end));
	return (struct span){buffer.p, buffer.n};
}
