/* Text, so that a person can finish by hand what a broken disk interrupts. */
#include "apply/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/io.h"
#include "sofold/apply.h"
#include "sofold/span.h"
#include "sofold/vec.h"

#define HEADER "sofold journal 1"

static int failed(const struct transaction *transaction, const char *doing, struct error *err)
{
	return error_errno(err, "%s %s/%s/%s", doing, transaction->root_path, APPLY_STAGING, STAGING_JOURNAL);
}

/* --------- writing ------------------ */

static void print_hex(FILE *out, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", bytes[i]);
}

static void print_path(FILE *out, const char *path)
{
	for (; *path; path++) {
		if (*path == '\n')
			fputs("\\n", out);
		else if (*path == '\\')
			fputs("\\\\", out);
		else
			fputc(*path, out);
	}
}

static const char *const op_words[] = {
	[OP_CREATE] = "create", [OP_REPLACE] = "replace", [OP_DELETE] = "delete"};

static void print_op(FILE *out, const struct op *op)
{
	if (op->kind != OP_DELETE) {
		fprintf(out, "%s %" PRIu32 " %" PRIu64 " ", op_words[op->kind], op->number, op->size);
		print_hex(out, op->sha256, sizeof op->sha256);
		fputc(' ', out);
	} else {
		fprintf(out, "%s %" PRIu32 " ", op_words[op->kind], op->number);
	}
	print_path(out, op->path);
	fputc('\n', out);
}

/* The journal's text, to free(); NULL when there is no memory. */
static char *journal_text(const struct transaction *transaction, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	bool whole;

	if (!out)
		return NULL;
	fprintf(out, "%s\n", HEADER);
	for (size_t i = 0; i < transaction->nr_ops; i++)
		print_op(out, &transaction->ops[i]);
	fprintf(out, "end %zu\n", transaction->nr_ops);
	whole = !ferror(out);
	if (fclose(out) || !whole) {
		free(text);
		return NULL;
	}
	return text;
}

static int write_synced(int dir, const char *name, struct span text)
{
	int status, fd = io.openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	status = io_write_all(fd, text) || io.fsync(fd) ? -1 : 0;
	close(fd);
	return status;
}

int journal_write(struct transaction *transaction, struct error *err)
{
	int dir = transaction->staging.dir, status = 0;
	size_t length;
	char *text = journal_text(transaction, &length);

	if (!text || write_synced(dir, STAGING_JOURNAL_NEW, (struct span){(const uint8_t *)text, length}) ||
	    io.renameat(dir, STAGING_JOURNAL_NEW, dir, STAGING_JOURNAL) || io.fsync(dir))
		status = failed(transaction, "writing", err);
	free(text);
	return status;
}

/* --------- reading ------------------ */

/* Takes the decimal number and the space at *text. */
static bool take_number(char **text, uint64_t max, uint64_t *number)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoumax(*text, &end, 10);
	if (errno || *number > max || *end != ' ')
		return false;
	*text = end + 1;
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(char **text, uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++, *text += 2) {
		int high = hex_digit((*text)[0]), low = high < 0 ? -1 : hex_digit((*text)[1]);

		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return *(*text)++ == ' ';
}

/* Undoes print_path() in place. */
static bool unescape(char *path)
{
	char *to = path;

	for (; *path; path++) {
		if (*path != '\\')
			*to++ = *path;
		else if (*++path == 'n')
			*to++ = '\n';
		else if (*path == '\\')
			*to++ = '\\';
		else
			return false;
	}
	*to = '\0';
	return true;
}

/* Takes the word of a kind and the space at *line. */
static bool take_word(char **line, enum op_kind *kind)
{
	size_t n = strcspn(*line, " ");

	for (*kind = OP_CREATE; *kind <= OP_DELETE; ++*kind) {
		if (strlen(op_words[*kind]) == n && !strncmp(*line, op_words[*kind], n) && (*line)[n]) {
			*line += n + 1;
			return true;
		}
	}
	return false;
}

static bool parse_op(char *line, struct op *op)
{
	uint64_t number;

	*op = (struct op){0};
	if (!take_word(&line, &op->kind) || !take_number(&line, UINT32_MAX, &number))
		return false;
	op->number = (uint32_t)number;
	if (op->kind != OP_DELETE &&
	    (!take_number(&line, SSIZE_MAX, &op->size) || !take_hex(&line, op->sha256, sizeof op->sha256)))
		return false;
	op->path = line;
	return unescape(line) && *line;
}

/* Parses the lines of text, which ends in a newline and a NUL. */
static bool parse(struct transaction *transaction, char *text)
{
	char *line = text, *newline;
	char end[32];

	for (; (newline = strchr(line, '\n')); line = newline + 1) {
		*newline = '\0';
		if (line == text) {
			if (strcmp(line, HEADER) != 0)
				return false;
		} else if (!strncmp(line, "end ", 4)) {
			snprintf(end, sizeof end, "end %zu", transaction->nr_ops);
			return !strcmp(line, end) && !newline[1];
		} else if (!parse_op(line, VEC_PUSH(transaction->arena, transaction, ops))) {
			return false;
		}
	}
	return false;
}

/* The file's text in the arena; NULL and errno. */
static char *read_text(struct arena *arena, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t n = 0;
	size_t used = 0;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode)) {
		text = arena_alloc(arena, (size_t)st.st_size + 1);
		while (used < (size_t)st.st_size &&
		       (n = read(fd, text + used, (size_t)st.st_size - used)) > 0)
			used += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return n < 0 ? NULL : text;
}

int journal_read(struct transaction *transaction, const char *name, struct error *err)
{
	char *text;

	errno = EINVAL; /* for what is no regular file */
	text = read_text(transaction->arena, transaction->staging.dir, name);
	if (!text)
		return failed(transaction, "reading", err);
	if (!parse(transaction, text))
		return error_add(err, ERROR_RUN, "%s/%s/%s is damaged; nothing has been touched",
				 transaction->root_path, APPLY_STAGING, name);
	return 0;
}
