/*
 * Places a bridge, or relinks one object, as sofold's bridge pass will: by
 * image_edit() and image_prove().
 *
 *	place FROM TO [soname=NAME] [path=PATH] [OLD=NEW]...
 *
 * FROM is a file, or blob:MACHINE-INCOMING-OUTGOING as in src/bridge/blobs.S.
 * OLD=NEW renames a NEEDED entry; "needed=NEW" the one of a blob.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sofold/bridge.h"
#include "sofold/image.h"

static struct span read_file(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;
	long n;

	if (!file || fseek(file, 0, SEEK_END) || (n = ftell(file)) < 0) {
		perror(path);
		exit(2);
	}
	rewind(file);
	bytes = arena_alloc(arena, (size_t)n + 1);
	if (fread(bytes, 1, (size_t)n, file) != (size_t)n)
		exit(2);
	fclose(file);
	return (struct span){bytes, (size_t)n};
}

static struct span blob(const char *name)
{
	struct bridge_blob found;
	char machine[16], in[16], out[16];

	if (sscanf(name, "%15[^-]-%15[^-]-%15s", machine, in, out) != 3 ||
	    !bridge_find(!strcmp(machine, "x86_64") ? EM_X86_64 : EM_AARCH64, !strcmp(in, "scipy"),
			 !strcmp(out, "scipy"), &found) ||
	    !found.bytes.n) {
		fprintf(stderr, "no blob %s\n", name);
		exit(2);
	}
	return found.bytes;
}

static void write_file(const char *path, struct span bytes)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes.p, 1, bytes.n, file) != bytes.n || fclose(file)) {
		perror(path);
		exit(2);
	}
}

static void take(struct image_edits *edits, struct rename *needed, char *argument)
{
	char *to = strchr(argument, '=');

	if (!to)
		exit(2);
	*to++ = 0;
	if (!strcmp(argument, "soname"))
		edits->soname = to;
	else if (!strcmp(argument, "path"))
		edits->search_path = to;
	else
		needed[edits->nr_needed++] = (struct rename){
			strcmp(argument, "needed") ? argument : BRIDGE_NEEDED, to};
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new();
	struct rename needed[16];
	struct image_edits edits = {.needed = needed, .search_kind = SEARCH_RPATH, .page = 4096};
	struct image_result result;
	struct error err = {{0}};
	struct span from;
	int i;

	if (argc < 3 || argc > 16)
		return 2;
	from = strncmp(argv[1], "blob:", 5) ? read_file(arena, argv[1]) : blob(argv[1] + 5);
	for (i = 3; i < argc; i++)
		take(&edits, needed, argv[i]);
	if (image_edit(arena, from, &edits, &result, &err) || image_prove(from, &result, edits.page, &err)) {
		fprintf(stderr, "%s: %s\n", argv[1], err.message);
		return 1;
	}
	write_file(argv[2], result.bytes);
	arena_free(arena);
	return 0;
}
