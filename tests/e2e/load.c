/*
 * load [-m PREFIX] FILE...: opens each file as an interpreter would and prints
 * what its ask(), or answer(), returns; "-" when it has neither. With -m prints
 * the mapped files below PREFIX instead.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int open_and_ask(const char *path, int quiet)
{
	char name[8192];
	const char *(*ask)(void);
	void *handle;

	/* A name without a slash would be searched for. */
	snprintf(name, sizeof name, "%s%s", strchr(path, '/') ? "" : "./", path);
	handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&ask = dlsym(handle, "ask");
	if (!ask)
		*(void **)&ask = dlsym(handle, "answer");
	if (!quiet)
		puts(ask ? ask() : "-");
	return 0;
}

static void print_mapped(const char *prefix)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[8192], *path;

	while (maps && fgets(line, sizeof line, maps))
		if ((path = strchr(line, '/')) && !strncmp(path, prefix, strlen(prefix)))
			fputs(path + strlen(prefix), stdout);
}

int main(int argc, char **argv)
{
	const char *prefix = NULL;
	int i = 1;

	if (argc > 2 && !strcmp(argv[1], "-m")) {
		prefix = argv[2];
		i = 3;
	}
	for (; i < argc; i++)
		if (open_and_ask(argv[i], prefix != NULL))
			return 1;
	if (prefix)
		print_mapped(prefix);
	return 0;
}
