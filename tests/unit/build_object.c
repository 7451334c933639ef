/* See build_object.h. */
#include "build_object.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One compiled object, for the whole run. */
struct compiled {
	const char *options, *source;
	struct span bytes;
	struct compiled *next;
};

static struct arena *forever, *present;
static struct compiled *all;
static char directory[4000];
static struct error error;
static int error_kind;

static void leave(void)
{
	char command[sizeof directory + 16];

	snprintf(command, sizeof command, "rm -rf '%s'", directory);
	if (system(command))
		perror(directory);
	arena_free(forever);
	arena_free(present);
}

static void enter(void)
{
	const char *tmp = getenv("TMPDIR");

	if (forever)
		return;
	forever = arena_new();
	snprintf(directory, sizeof directory, "%s/sofold-object.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(directory))
		exit(1);
	atexit(leave);
}

struct arena *object_arena(void)
{
	if (!present)
		present = arena_new();
	return present;
}

void object_forget(void)
{
	arena_free(present);
	present = NULL;
}

/* --------- files ------------------ */

static struct span read_all(struct arena *arena, const char *path)
{
	FILE *in = fopen(path, "rb");
	long n = -1;
	uint8_t *bytes;

	if (!in || fseek(in, 0, SEEK_END) || (n = ftell(in)) < 0) {
		perror(path);
		exit(1);
	}
	rewind(in);
	bytes = arena_alloc(arena, (size_t)n);
	if (fread(bytes, 1, (size_t)n, in) != (size_t)n)
		exit(1);
	fclose(in);
	return (struct span){bytes, (size_t)n};
}

const char *object_file(const char *name, struct span bytes)
{
	char *path;
	FILE *out;

	enter();
	path = arena_printf(forever, "%s/%s", directory, name);
	out = fopen(path, "wb");
	if (!out || fwrite(bytes.p, 1, bytes.n, out) != bytes.n || fclose(out)) {
		perror(path);
		exit(1);
	}
	return path;
}

static const char *new_name(const char *suffix)
{
	static unsigned nr;

	return arena_printf(forever, "object-%u%s", nr++, suffix);
}

static void run(const char *command)
{
	if (system(command)) {
		fprintf(stderr, "cannot run: %s\n", command);
		exit(1);
	}
}

/* "-Ldir" for "-LDIR". */
static const char *options_here(const char *options)
{
	const char *at = strstr(options, "DIR");

	if (!at)
		return options;
	return arena_printf(forever, "%.*s%s%s", (int)(at - options), options, directory,
			    options_here(at + 3));
}

static struct span compile(const char *options, const char *source)
{
	bool plus = !strncmp(source, "//c++", 5), cross = !strncmp(source, OBJECT_CROSS, strlen(OBJECT_CROSS));
	const char *in, *out;

	in = object_file(new_name(plus ? ".cc" : ".c"),
			 (struct span){(const uint8_t *)source, strlen(source)});
	out = arena_printf(forever, "%s.so", in);
	run(arena_printf(forever, "%s -w -shared -fPIC -o %s %s %s", plus ? "g++" : cross ? "aarch64-linux-gnu-gcc" : "gcc", out, in,
			 options_here(options)));
	return read_all(forever, out);
}

struct elf object_compile(const char *options, const char *source)
{
	struct compiled *one;

	enter();
	for (one = all; one; one = one->next)
		if (!strcmp(one->options, options) && !strcmp(one->source, source))
			return object_open(one->bytes);
	one = arena_alloc(forever, sizeof *one);
	*one = (struct compiled){options, source, compile(options, source), all};
	all = one;
	return object_open(one->bytes);
}

bool object_can_cross(void)
{
	return !system("command -v aarch64-linux-gnu-gcc >/dev/null");
}

struct elf object_filter(struct span bytes, const char *command)
{
	const char *path;

	enter();
	path = object_file(new_name(".so"), bytes);
	run(arena_printf(forever, "cd %s && set -- %s && %s", directory, path, command));
	return object_open(read_all(object_arena(), path));
}

/* --------- looking inside ------------------ */

struct elf object_open(struct span bytes)
{
	struct elf elf = {.p = arena_memdup(object_arena(), bytes.p, bytes.n)};

	elf.bytes = (struct span){elf.p, bytes.n};
	elf.ehdr = (Elf64_Ehdr *)(void *)elf.p;
	if (bytes.n < sizeof *elf.ehdr)
		return elf;
	elf.phdrs = (Elf64_Phdr *)(void *)(elf.p + elf.ehdr->e_phoff);
	elf.shdrs = (Elf64_Shdr *)(void *)(elf.p + elf.ehdr->e_shoff);
	return elf;
}

Elf64_Shdr *object_section(const struct elf *elf, const char *name)
{
	const char *names = (const char *)elf->p + elf->shdrs[elf->ehdr->e_shstrndx].sh_offset;

	for (unsigned i = 1; i < elf->ehdr->e_shnum; i++)
		if (!strcmp(names + elf->shdrs[i].sh_name, name))
			return &elf->shdrs[i];
	return NULL;
}

Elf64_Phdr *object_phdr(const struct elf *elf, uint32_t type, unsigned n)
{
	for (unsigned i = 0; i < elf->ehdr->e_phnum; i++)
		if (elf->phdrs[i].p_type == type && !n--)
			return &elf->phdrs[i];
	return NULL;
}

Elf64_Dyn *object_dynamic(const struct elf *elf, int64_t tag)
{
	const Elf64_Phdr *phdr = object_phdr(elf, PT_DYNAMIC, 0);
	Elf64_Dyn *dynamic = (Elf64_Dyn *)(void *)(elf->p + phdr->p_offset);

	for (size_t i = 0; i < phdr->p_filesz / sizeof *dynamic; i++)
		if (dynamic[i].d_tag == tag)
			return &dynamic[i];
	return NULL;
}

void object_drop_sections(struct elf *elf)
{
	elf->bytes.n = elf->ehdr->e_shoff;
	elf->ehdr->e_shoff = 0;
	elf->ehdr->e_shnum = elf->ehdr->e_shstrndx = 0;
	/* What only they described is in nobody's way any more. */
	uint64_t end = 0;
	for (unsigned i = 0; i < elf->ehdr->e_phnum; i++)
		if (elf->phdrs[i].p_type == PT_LOAD)
			end = elf->phdrs[i].p_offset + elf->phdrs[i].p_filesz;
	elf->bytes.n = end;
}

/* --------- editing and running ------------------ */

struct elf object_edit(struct span bytes, const struct image_edits *edits)
{
	struct image_result result;

	error = (struct error){""};
	error_kind = image_edit(object_arena(), bytes, edits, &result, &error);
	if (!error_kind)
		error_kind = image_prove(bytes, &result, edits->page, &error);
	return error_kind ? (struct elf){0} : object_open(result.bytes);
}

const char *object_error(void)
{
	return error.message;
}

int object_error_kind(void)
{
	return error_kind;
}

static int load_and_ask(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*answer)(void);

	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		return 255;
	}
	*(void **)&answer = dlsym(handle, "answer");
	return answer ? answer() : 254;
}

int object_run(struct span bytes)
{
	const char *path;
	int status;
	pid_t child;

	enter();
	path = object_file(new_name(".so"), bytes);
	fflush(NULL);
	child = fork();
	if (!child)
		_exit(load_and_ask(path));
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}
