/*
 * load [-m PREFIX] FILE...: opens each file as an interpreter would and prints
 * what its ask(), or answer(), returns; "-" when it has neither. With -m prints
 * the mapped files below PREFIX instead. load -e TEXT FILE prints nothing and
 * tells by its status whether TEXT is what is returned.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the file answers, or NULL: it does not load. */
static const char *open_and_ask(const char *path)
{
	char name[8192];
	const char *(*ask)(void);
	void *handle;

	/* A name without a slash would be searched for. */
	snprintf(name, sizeof name, "%s%s", strchr(path, '/') ? "" : "./", path);
	handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		return NULL;
	}
	*(void **)&ask = dlsym(handle, "ask");
	if (!ask)
		*(void **)&ask = dlsym(handle, "answer");
	return ask ? ask() : "-";
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
	const char *prefix = NULL, *answer;
	int i = 1;

	alarm(60); /* a broken file may send anybody round in circles */
	if (argc == 4 && !strcmp(argv[1], "-e"))
		return !(answer = open_and_ask(argv[3])) || strcmp(answer, argv[2]);
	if (argc > 2 && !strcmp(argv[1], "-m")) {
		prefix = argv[2];
		i = 3;
	}
	for (; i < argc; i++) {
		answer = open_and_ask(argv[i]);
		if (!answer)
			return 1;
		if (!prefix)
			puts(answer);
	}
	if (prefix)
		print_mapped(prefix);
	return 0;
}
