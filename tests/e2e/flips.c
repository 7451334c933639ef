/*
 * flips FILE FROM TO STEP [ENTRY BYTES]: turns every bit of bytes [FROM, TO) of
 * an object, one at a time (each STEP-th; of each ENTRY bytes the first BYTES
 * only), and puts each result through the scanner and the writer. What the writer accepts must pass its proof, and must load as
 * the input loads. Prints one line for each that does not, then how many were
 * tried and how many rewritten.
 *
 * Loading is done in a child, since ld.so believes what it reads.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sofold/image.h"
#include "sofold/scan.h"

enum outcome { LOADS, FAILS, CRASHES };

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

/* In the child: 0 when answer() says "good". */
static int ask(const char *path)
{
	const char *(*answer)(void);
	void *handle;
	int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	size_t i;

	/* Sanitizers would report what is the loader's. */
	for (i = 0; i < sizeof signals / sizeof *signals; i++)
		signal(signals[i], SIG_DFL);
	alarm(10);
	if (!freopen("/dev/null", "w", stderr) || !(handle = dlopen(path, RTLD_NOW)))
		return 1;
	*(void **)&answer = dlsym(handle, "answer");
	return answer && !strcmp(answer(), "good") ? 0 : 1;
}

static enum outcome load(const char *path)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(ask(path));
	waitpid(child, &status, 0);
	return !WIFEXITED(status) ? CRASHES : WEXITSTATUS(status) ? FAILS : LOADS;
}

static void compare(struct span before, struct span after, const char *what, struct tally *tally)
{
	write_file("./flipped.so", before);
	if (load("./flipped.so") != LOADS)
		return;
	write_file("./rewritten.so", after);
	if (load("./rewritten.so") == LOADS)
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

	if (argc < 5)
		return 2;
	bytes = read_file(argv[1], &n);
	from = strtoul(argv[2], NULL, 0);
	to = strtoul(argv[3], NULL, 0);
	step = strtoul(argv[4], NULL, 0);
	entry = argc > 6 ? strtoul(argv[5], NULL, 0) : 1;
	used = argc > 6 ? strtoul(argv[6], NULL, 0) : 1;
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
