/*
 * flips LOADER FILE FROM TO STEP [ENTRY BYTES]: turns every bit of bytes [FROM, TO) of
 * an object, one at a time (each STEP-th; of each ENTRY bytes the first BYTES
 * only), and puts each result through the scanner and the writer. What the writer accepts must pass its proof, and must load as
 * the input loads. Prints one line for each that does not, then how many were
 * tried and how many rewritten.
 *
 * LOADER is load.c's program: ld.so believes what it reads, and may crash.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sofold/image.h"
#include "sofold/scan.h"

static const char *loader; /* load.c's program */

struct tally {
	size_t tried, rewritten, wrong;
};

static void write_file(const char *path, struct span bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n) {
		perror(path);
		exit(3);
	}
	close(fd);
}

/* Whether a program of its own, which no sanitizer slows down, can load the
 * file and is told "good". */
static bool loads(const char *path)
{
	char *const words[] = {(char *)(uintptr_t)loader, "-e", "good", (char *)(uintptr_t)path, NULL};
	char *const environment[] = {"LD_BIND_NOW=1", NULL};
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status = 1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&child, loader, &actions, NULL, words, environment)) {
		perror(loader);
		exit(3);
	}
	waitpid(child, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void compare(struct span before, struct span after, const char *what, struct tally *tally)
{
	write_file("./flipped.so", before);
	if (!loads("./flipped.so"))
		return;
	write_file("./rewritten.so", after);
	if (loads("./rewritten.so"))
		return;
	tally->wrong++;
	printf("%s: loaded, and does not any more\n", what);
}

static void try_edits(struct layer *layer, struct span file, const struct object *object, bool rename,
		      const char *what, struct tally *tally)
{
	struct rename needed = {"libc.so.6", "libc.so.6"};
	struct image_edits edits = {.compact = true, .page = 4096};
	struct image_result result;
	struct error err = {""};

	/* A path of another length makes .dynstr move or grow. */
	if (rename) {
		edits.search_path = "$ORIGIN/../a/longer/path/than/there/was/room/for";
		edits.needed = &needed;
		edits.nr_needed = object->nr_needed > 0;
	}
	if (image_edit(layer->arena, file, &edits, &result, &err))
		return;
	if (image_prove(file, &result, edits.page, &err))
		return; /* such a file stays as it is */
	tally->rewritten++;
	compare(file, result.bytes, what, tally);
}

static void try_flip(struct span file, const char *what, struct tally *tally)
{
	struct arena *arena = arena_new();
	struct layer layer = {.arena = arena};
	struct object object;

	tally->tried++;
	if (scan_object(&layer, "flipped.so", file, &object) && !object.untouchable) {
		try_edits(&layer, file, &object, false, what, tally);
		try_edits(&layer, file, &object, true, what, tally);
	} else if (!layer.nr_findings && !object.untouchable) {
		tally->wrong++;
		printf("%s: not sound, and nobody says why\n", what);
	}
	arena_free(arena);
}

static uint8_t *read_file(const char *path, size_t *n)
{
	FILE *from = fopen(path, "rb");
	uint8_t *bytes = malloc(1 << 20);

	if (!from || !bytes) {
		perror(path);
		exit(3);
	}
	*n = fread(bytes, 1, 1 << 20, from);
	fclose(from);
	return bytes;
}

int main(int argc, char **argv)
{
	struct tally tally = {0};
	size_t n, at, bit, nr = 0, from, to, step, entry, used;
	uint8_t *bytes, *copy;
	char what[64];

	if (argc < 6)
		return 2;
	loader = argv[1];
	bytes = read_file(argv[2], &n);
	from = strtoul(argv[3], NULL, 0);
	to = strtoul(argv[4], NULL, 0);
	step = strtoul(argv[5], NULL, 0);
	entry = argc > 7 ? strtoul(argv[6], NULL, 0) : 1;
	used = argc > 7 ? strtoul(argv[7], NULL, 0) : 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (at = from; at < to && at < n; at++) {
		if ((at - from) % entry >= used)
			continue;
		for (bit = 0; bit < 8; bit++) {
			if (nr++ % step)
				continue;
			/* Of its own size, so that a sanitizer sees its end. */
			copy = malloc(n);
			if (!copy)
				return 3;
			memcpy(copy, bytes, n);
			copy[at] ^= (uint8_t)(1 << bit);
			snprintf(what, sizeof what, "byte %zu bit %zu", at, bit);
			try_flip((struct span){copy, n}, what, &tally);
			free(copy);
		}
	}
	free(bytes);
	printf("%zu tried, %zu rewritten, %zu wrong\n", tally.tried, tally.rewritten, tally.wrong);
	return tally.wrong > 0;
}
