/*
 * What the real loader does: opens an object of a directory and prints what
 * has come into the process with it, in the order it was loaded.
 *
 *	loader_probe DIR ROOT
 *
 * Lines: a path in DIR (of the link it was found by, directories resolved);
 * "host NAME" for libraries from elsewhere, sorted behind those; "answer PATH"
 * what ROOT's function ask() returns, when it has one. Or nothing but
 * "missing NAME" when a library was not found. resolve_tool prints the same
 * from the simulation.
 */
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The name between words of the C library's message. */
static int print_missing(const char *message)
{
	static const char glibc[] = ": cannot open shared object file";
	static const char musl[] = "Error loading shared library ";
	const char *end = strstr(message, glibc);

	if (!strncmp(message, musl, sizeof musl - 1)) {
		message += sizeof musl - 1;
		end = strstr(message, ": ");
	}
	if (end)
		printf("missing %.*s\n", (int)(end - message), message);
	else
		printf("error %s\n", message);
	return 0;
}

static void print_path(const char *root, char *path, char **hosts, size_t *nr_hosts)
{
	char *name = strrchr(path, '/'), real[PATH_MAX];

	if (!name)
		return; /* the kernel's own object */
	*name++ = '\0';
	if (!realpath(path, real))
		exit(2);
	if (!strncmp(real, root, strlen(root)) && (!real[strlen(root)] || real[strlen(root)] == '/'))
		printf("%s%s%s\n", real + strlen(root) + (real[strlen(root)] == '/'),
		       real[strlen(root)] ? "/" : "", name);
	else
		hosts[(*nr_hosts)++] = name;
}

int main(int argc, char **argv)
{
	char root[PATH_MAX], path[2 * PATH_MAX], *hosts[64];
	const char *(*ask)(void);
	struct link_map *map;
	size_t nr_hosts = 0;
	void *handle;

	if (argc != 3 || !realpath(argv[1], root))
		return 2;
	snprintf(path, sizeof path, "%s/%s", root, argv[2]);
	handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!handle)
		return print_missing(dlerror());
	if (dlinfo(handle, RTLD_DI_LINKMAP, &map))
		return 2;
	for (; map && nr_hosts < sizeof hosts / sizeof *hosts; map = map->l_next)
		print_path(root, strdup(map->l_name), hosts, &nr_hosts);
	qsort(hosts, nr_hosts, sizeof *hosts, compare);
	for (size_t i = 0; i < nr_hosts; i++)
		printf("host %s\n", hosts[i]);
	*(void **)&ask = dlsym(handle, "ask");
	if (ask)
		printf("answer %s\n", ask());
	return 0;
}
