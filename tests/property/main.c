/*
 * Opens a library and prints its answer, after asking what the loader makes
 * of it: its program headers must be in memory, since the unwinder reads
 * them there, and dladdr() must find the function.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

static int look(struct dl_phdr_info *info, size_t n, void *address)
{
	(void)n;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		char *from = (char *)(info->dlpi_addr + p->p_vaddr);

		if (p->p_type == PT_LOAD && (char *)address >= from && (char *)address < from + p->p_memsz)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	void *handle = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	int (*answer)(void);
	Dl_info info;

	if (!handle) {
		puts(dlerror());
		return 1;
	}
	*(void **)&answer = dlsym(handle, "answer");
	if (!answer || !dl_iterate_phdr(look, *(void **)&answer) || !dladdr(*(void **)&answer, &info)) {
		puts("the loader has lost the program headers");
		return 1;
	}
	printf("%d\n", answer());
	return 0;
}
