/*
 * edit: image_edit() on one file, proven before it is written.
 *
 *	edit [option…] IN OUT
 *	  -n FROM=TO  rename a NEEDED entry     -r PATH  search path
 *	  -s NAME     SONAME                    -k KIND  rpath or runpath
 *	  -p BYTES    page                      -l       no compaction
 *	edit -c FILE  prints the canonical stream's length and a checksum
 *
 * Exit status: 0 done, 1 the proof failed, 2 usage, 5 refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sofold/image.h"

struct sum {
	uint64_t bytes, hash;
};

static void add_to_sum(void *context, struct span bytes)
{
	struct sum *sum = context;

	for (size_t i = 0; i < bytes.n; i++)
		sum->hash = (sum->hash ^ bytes.p[i]) * 0x100000001b3u;
	sum->bytes += bytes.n;
}

static struct span read_file(struct arena *arena, const char *path)
{
	FILE *in = fopen(path, "rb");
	uint8_t *bytes;
	long n;

	if (!in || fseek(in, 0, SEEK_END) || (n = ftell(in)) < 0) {
		perror(path);
		exit(2);
	}
	rewind(in);
	bytes = arena_alloc(arena, (size_t)n + 1);
	if (fread(bytes, 1, (size_t)n, in) != (size_t)n)
		exit(2);
	fclose(in);
	return (struct span){bytes, (size_t)n};
}

static void write_file(const char *path, struct span bytes)
{
	FILE *out = fopen(path, "wb");

	if (!out || fwrite(bytes.p, 1, bytes.n, out) != bytes.n || fclose(out)) {
		perror(path);
		exit(2);
	}
}

static int canonical(struct arena *arena, const char *path)
{
	struct sum sum = {0, 0xcbf29ce484222325u};
	struct error err = {""};

	if (image_canonical(arena, read_file(arena, path), add_to_sum, &sum, &err)) {
		fprintf(stderr, "edit: %s\n", err.message);
		return 5;
	}
	printf("%llu %016llx\n", (unsigned long long)sum.bytes, (unsigned long long)sum.hash);
	return 0;
}

static int edit(struct arena *arena, const struct image_edits *edits, const char *in, const char *out)
{
	struct span file = read_file(arena, in);
	struct image_result result;
	struct error err = {""};

	if (image_edit(arena, file, edits, &result, &err)) {
		fprintf(stderr, "edit: refused: %s\n", err.message);
		return 5;
	}
	if (image_prove(file, &result, edits->page, &err)) {
		fprintf(stderr, "edit: not proven: %s\n", err.message);
		return 1;
	}
	write_file(out, result.bytes);
	return 0;
}

static struct rename parse_rename(char *text)
{
	char *equals = strchr(text, '=');

	if (!equals)
		exit(2);
	*equals = 0;
	return (struct rename){text, equals + 1};
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct rename renames[8];
	struct image_edits edits = {
		.needed = renames, .search_kind = SEARCH_RPATH, .compact = true, .page = 4096};
	int option, status = 2;
	bool sum = false;

	while ((option = getopt(argc, argv, "n:s:r:k:p:lc")) != -1) {
		if (option == 'n' && edits.nr_needed < 8)
			renames[edits.nr_needed++] = parse_rename(optarg);
		else if (option == 's')
			edits.soname = optarg;
		else if (option == 'r')
			edits.search_path = optarg;
		else if (option == 'k')
			edits.search_kind = strcmp(optarg, "rpath") ? SEARCH_RUNPATH : SEARCH_RPATH;
		else if (option == 'p')
			edits.page = strtoull(optarg, NULL, 0);
		else if (option == 'l')
			edits.compact = false;
		else if (option == 'c')
			sum = true;
		else
			return 2;
	}
	if (sum && argc - optind == 1)
		status = canonical(arena, argv[optind]);
	else if (argc - optind == 2)
		status = edit(arena, &edits, argv[optind], argv[optind + 1]);
	arena_free(arena);
	return status;
}
