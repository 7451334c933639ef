// Opens shared objects with the loader this program was built for.
//
// Why: some layers have no interpreter here (musl, aarch64), and whether an object
// loads is the loader's word, not ours.
// How: `load LAYER < paths`, one path a line, relative to LAYER. Each object is
// opened with RTLD_NOW in a child process of its own. Prints "ok PATH" or
// "fail PATH: reason" in the order given. The program is linked with a library that
// defines the interpreter's symbols (run.sh makes it), so every other symbol has to
// come from the layer or the host.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void open_object(const char *path)
{
	char here[4096];

	snprintf(here, sizeof here, "./%s", path);
	if (dlopen(here, RTLD_NOW)) {
		printf("ok %s\n", path);
	} else {
		printf("fail %s: %s\n", path, dlerror());
	}
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	char path[4000];

	if (argc != 2 || chdir(argv[1]))
		return 2;
	while (fgets(path, sizeof path, stdin)) {
		int status = 0;

		path[strcspn(path, "\n")] = 0;
		fflush(stdout);
		pid_t child = fork();
		if (child < 0)
			return 3;
		if (child == 0)
			open_object(path);
		waitpid(child, &status, 0);
		if (WIFSIGNALED(status))
			printf("fail %s: signal %d\n", path, WTERMSIG(status));
	}
	return 0;
}
