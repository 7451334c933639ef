/*
 * What a Python source imports, without an interpreter.
 *
 * The source is cut into tokens as far as import statements need it: names,
 * dots, commas, stars, parentheses and strings; comments and everything else
 * are one kind. "import" is a keyword, so wherever it stands a statement
 * begins; "from" counts where a statement may begin (not in "yield from x").
 * Statements within functions and "try:" count like all others, and so does
 * every string that looks like a dotted name: numpy 1.26 imports what it calls
 * "numpy.core._multiarray_tests" by a variable. A string without a dot counts
 * where it is handed to import_module() or __import__().
 *
 * A source that is no Python, or newer than this, must not hide an import: a
 * string that does not end is taken for a single quote and reading goes on
 * behind it.
 */
#include <string.h>

#include "sofold/prune.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_NAME,
	TOKEN_STRING, /* text is what stands between the quotes */
	TOKEN_DOT,
	TOKEN_COMMA,
	TOKEN_STAR,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_BREAK, /* ":" or ";": a statement may follow */
	TOKEN_OTHER,
};

struct token {
	enum token_kind kind;
	struct span text;
};

struct reader {
	const uint8_t *p, *end;
	unsigned line;
	struct token token;	     /* the current one */
	const uint8_t *no_end[2][2]; /* by quote, single or triple: no string ends before this */
	const char *path;	     /* of the source */
	prune_found_fn *found;
	void *context;
};

/* Dotted names longer than this are nobody's. */
enum { MAX_NAME = 1024 };

/* --------- tokens ------------------ */

static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c >= 0x80;
}

static bool is_quote(uint8_t c)
{
	return c == '"' || c == '\'';
}

/* LF, CR LF or CR, as Python reads sources: whether a line ends with this byte. */
static bool ends_line(const uint8_t *p, const uint8_t *end)
{
	return *p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'));
}

/* Spaces, comments and lines continued by a backslash. */
static void skip_blanks(struct reader *reader)
{
	while (reader->p < reader->end) {
		const uint8_t *p = reader->p;

		if (*p == ' ' || *p == '\t' || *p == '\f' || (*p == '\r' && !ends_line(p, reader->end))) {
			reader->p++;
		} else if (*p == '\\' && p + 1 < reader->end && (p[1] == '\n' || p[1] == '\r')) {
			reader->p += p[1] == '\r' && p + 2 < reader->end && p[2] == '\n' ? 3 : 2;
			reader->line++;
		} else if (*p == '#') {
			while (reader->p < reader->end && !ends_line(reader->p, reader->end))
				reader->p++;
		} else {
			return;
		}
	}
}

/* Where a string's closing quotes stand, or NULL. Where they were looked for in
 * vain all further ones stand behind a backslash: nobody looks there again, or
 * a source of such quotes would take hours. */
static const uint8_t *string_end(struct reader *reader, const uint8_t *p, size_t quotes, uint8_t quote)
{
	const uint8_t **no_end = &reader->no_end[quote == '"'][quotes == 3];

	if (*no_end && p < *no_end)
		return NULL;
	for (; (size_t)(reader->end - p) >= quotes; p++) {
		if (*p == '\\') {
			p += p + 2 < reader->end && p[1] == '\r' && p[2] == '\n' ? 2 : 1;
			if (p == reader->end)
				break;
		} else if (quotes == 1 && ends_line(p, reader->end)) {
			*no_end = p;
			return NULL;
		} else if (*p == quote && (quotes == 1 || (p[1] == quote && p[2] == quote))) {
			return p;
		}
	}
	*no_end = reader->end;
	return NULL;
}

static void count_lines(struct reader *reader, const uint8_t *p, const uint8_t *end)
{
	for (; p < end; p++)
		reader->line += ends_line(p, end);
}

static void read_string(struct reader *reader)
{
	const uint8_t *p = reader->p, *close;
	uint8_t quote = *p;
	size_t quotes = reader->end - p >= 3 && p[1] == quote && p[2] == quote ? 3 : 1;

	close = string_end(reader, p + quotes, quotes, quote);
	if (!close) {
		reader->token = (struct token){TOKEN_OTHER, {p, 1}};
		reader->p++;
		return;
	}
	reader->token = (struct token){TOKEN_STRING, {p + quotes, (size_t)(close - p) - quotes}};
	count_lines(reader, p, close);
	reader->p = close + quotes;
}

/* A name; or a string behind its prefix, r"" or f"". */
static void read_name(struct reader *reader)
{
	const uint8_t *start = reader->p;

	while (reader->p < reader->end && is_name_byte(*reader->p))
		reader->p++;
	if (reader->p < reader->end && is_quote(*reader->p) && reader->p - start <= 2)
		read_string(reader);
	else
		reader->token = (struct token){TOKEN_NAME, {start, (size_t)(reader->p - start)}};
}

static enum token_kind kind_of(uint8_t c)
{
	switch (c) {
	case '\n':
	case '\r': /* alone: skip_blanks() */
		return TOKEN_NEWLINE;
	case '.':
		return TOKEN_DOT;
	case ',':
		return TOKEN_COMMA;
	case '*':
		return TOKEN_STAR;
	case '(':
		return TOKEN_OPEN;
	case ')':
		return TOKEN_CLOSE;
	case ':':
	case ';':
		return TOKEN_BREAK;
	}
	return TOKEN_OTHER;
}

static void next(struct reader *reader)
{
	skip_blanks(reader);
	if (reader->p == reader->end) {
		reader->token = (struct token){TOKEN_END, {reader->p, 0}};
	} else if (is_quote(*reader->p)) {
		read_string(reader);
	} else if (is_name_byte(*reader->p)) {
		read_name(reader);
	} else {
		reader->token = (struct token){kind_of(*reader->p), {reader->p, 1}};
		reader->line += reader->token.kind == TOKEN_NEWLINE;
		reader->p++;
	}
}

static bool is_word(const struct reader *reader, const char *word)
{
	return reader->token.kind == TOKEN_NAME && reader->token.text.n == strlen(word) &&
	       !memcmp(reader->token.text.p, word, reader->token.text.n);
}

/* --------- names ------------------ */

/* A dotted name as a path. What does not fit is cut: nothing has that name. */
struct name {
	char text[MAX_NAME];
	size_t n;
	unsigned dots; /* in front */
	unsigned line; /* it stands on */
};

static void add_part(struct name *name, struct span part)
{
	if (name->n && name->n < MAX_NAME - 1)
		name->text[name->n++] = '/';
	if (part.n > MAX_NAME - 1 - name->n)
		part.n = MAX_NAME - 1 - name->n;
	memcpy(name->text + name->n, part.p, part.n);
	name->n += part.n;
	name->text[name->n] = '\0';
}

/* Begins a relative name with the directory that its dots mean; false when
 * they climb out of the layer. */
static bool begin_relative(struct name *full, const char *path, unsigned dots)
{
	size_t n = strlen(path);

	while (dots--) {
		if (!n)
			return false;
		while (n && path[--n] != '/')
			;
	}
	if (n)
		add_part(full, (struct span){(const uint8_t *)path, n});
	return true;
}

/* Tells of a name and of every package it lies in: importing it imports those. */
static void tell(struct reader *reader, const struct name *name)
{
	struct name full = {.n = 0};
	size_t i, from;

	if (name->dots && !begin_relative(&full, reader->path, name->dots))
		return;
	from = full.n;
	if (name->n)
		add_part(&full, (struct span){(const uint8_t *)name->text, name->n});
	for (i = from + (from && name->n); i < full.n; i++)
		if (full.text[i] == '/') {
			full.text[i] = '\0';
			reader->found(reader->context, name->line, !name->dots, full.text);
			full.text[i] = '/';
		}
	reader->found(reader->context, name->line, !name->dots, full.text);
}

/* "..a.b"; leaves the token behind it. */
static void read_dotted(struct reader *reader, struct name *name)
{
	*name = (struct name){.line = reader->line};
	for (; reader->token.kind == TOKEN_DOT; next(reader))
		name->dots++;
	while (reader->token.kind == TOKEN_NAME && !is_word(reader, "import") && !is_word(reader, "as")) {
		add_part(name, reader->token.text);
		next(reader);
		if (reader->token.kind != TOKEN_DOT)
			break;
		next(reader);
	}
}

/* --------- statements ------------------ */

/* within: parentheses, where lines do not end statements. */
static void skip_newlines(struct reader *reader, bool within)
{
	while (within && reader->token.kind == TOKEN_NEWLINE)
		next(reader);
}

static void skip_alias(struct reader *reader, bool within)
{
	if (!is_word(reader, "as"))
		return;
	next(reader);
	skip_newlines(reader, within);
	if (reader->token.kind == TOKEN_NAME && !is_word(reader, "import"))
		next(reader);
}

/* Behind "import": a.b as c, d */
static void read_import(struct reader *reader)
{
	struct name name;

	do {
		next(reader);
		read_dotted(reader, &name);
		if (name.n)
			tell(reader, &name);
		skip_alias(reader, false);
	} while (reader->token.kind == TOKEN_COMMA);
}

/* Behind "from a import": b as c, (d, e), * */
static void read_imported(struct reader *reader, const struct name *module)
{
	bool within;

	next(reader);
	within = reader->token.kind == TOKEN_OPEN;
	if (within)
		next(reader);
	skip_newlines(reader, within);
	while (reader->token.kind == TOKEN_NAME && !is_word(reader, "import")) {
		struct name name = *module;

		name.line = reader->line;
		add_part(&name, reader->token.text);
		tell(reader, &name);
		next(reader);
		skip_newlines(reader, within);
		skip_alias(reader, within);
		skip_newlines(reader, within);
		if (reader->token.kind != TOKEN_COMMA)
			return;
		next(reader);
		skip_newlines(reader, within);
	}
	if (reader->token.kind == TOKEN_STAR)
		tell(reader, module);
}

static void read_from(struct reader *reader)
{
	struct name module;

	next(reader);
	read_dotted(reader, &module);
	if (is_word(reader, "import") && (module.n || module.dots))
		read_imported(reader, &module);
}

/* Whether a string could be a dotted name: "a.b" or ".b". */
static bool is_dotted(struct span text)
{
	bool dot = false;

	for (size_t i = 0; i < text.n; i++) {
		if (!is_name_byte(text.p[i]) && text.p[i] != '.')
			return false;
		dot |= text.p[i] == '.';
	}
	return dot && text.p[text.n - 1] != '.' && text.n < MAX_NAME;
}

static void tell_text(struct reader *reader, struct span text)
{
	struct name name = {.line = reader->line};

	for (; text.n && *text.p == '.'; text.p++, text.n--)
		name.dots++;
	while (text.n) {
		const uint8_t *dot = memchr(text.p, '.', text.n);
		size_t n = dot ? (size_t)(dot - text.p) : text.n;

		add_part(&name, (struct span){text.p, n});
		text.p += n + (dot != NULL);
		text.n -= n + (dot != NULL);
	}
	if (name.n)
		tell(reader, &name);
}

static void read_text(struct reader *reader)
{
	tell_text(reader, reader->token.text);
	next(reader);
}

/* A literal handed to import_module() or __import__(), which need not have a
 * dot. */
static void read_call(struct reader *reader)
{
	next(reader);
	if (reader->token.kind != TOKEN_OPEN)
		return;
	next(reader);
	skip_newlines(reader, true);
	if (reader->token.kind == TOKEN_STRING && !is_dotted(reader->token.text))
		tell_text(reader, reader->token.text);
}

void prune_python_imports(const char *path, struct span text, prune_found_fn *found, void *context)
{
	struct reader reader = {.p = text.p,
				.end = text.p + text.n,
				.line = 1,
				.path = path,
				.found = found,
				.context = context};
	bool may_begin = true;

	if (text.n >= 3 && !memcmp(text.p, "\xef\xbb\xbf", 3)) // a byte order mark
		reader.p += 3;
	next(&reader);
	while (reader.token.kind != TOKEN_END) {
		bool begins = may_begin;

		may_begin = reader.token.kind == TOKEN_NEWLINE || reader.token.kind == TOKEN_BREAK;
		if (begins && is_word(&reader, "from"))
			read_from(&reader);
		else if (is_word(&reader, "import"))
			read_import(&reader);
		else if (reader.token.kind == TOKEN_STRING && is_dotted(reader.token.text))
			read_text(&reader);
		else if (is_word(&reader, "import_module") || is_word(&reader, "__import__"))
			read_call(&reader);
		else
			next(&reader);
	}
}

/* "name = package.module:attribute [extra]", a line each (the entry points
 * specification of PyPA); "[section]" lines have no "=". */
static void read_entry_point(struct span line, unsigned number, prune_found_fn *found, void *context)
{
	const uint8_t *value = memchr(line.p, '=', line.n);
	struct reader reader = {.line = number, .path = "", .found = found, .context = context};
	struct name name;

	if (!value || *line.p == '#' || *line.p == ';')
		return;
	reader.p = value + 1;
	reader.end = line.p + line.n;
	next(&reader);
	read_dotted(&reader, &name);
	if (name.n)
		tell(&reader, &name);
}

void prune_entry_points(struct span text, prune_found_fn *found, void *context)
{
	unsigned number = 1;

	for (; text.n; number++) {
		const uint8_t *newline = memchr(text.p, '\n', text.n);
		size_t n = newline ? (size_t)(newline - text.p) : text.n;

		if (n)
			read_entry_point((struct span){text.p, n}, number, found, context);
		n += newline != NULL;
		text.p += n;
		text.n -= n;
	}
}
