/* One child process between two pipes. */
#include "apply/python.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* An interrupted script ends without a traceback; a signal that is ignored stays so. */
static const char prelude[] = "import signal\n"
			      "if signal.getsignal(signal.SIGINT) is signal.default_int_handler:\n"
			      "    signal.signal(signal.SIGINT,signal.SIG_DFL)\n";

static int spawn(struct python *python, const char *script, int in, int out)
{
	char *argv[] = {(char *)(uintptr_t)python->name, "-B", "-s", "-c", NULL, NULL}, *code;
	posix_spawn_file_actions_t actions;
	int rc;

	if (asprintf(&code, "%s%s", prelude, script) < 0)
		return ENOMEM;
	argv[4] = code;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	rc = posix_spawnp(&python->pid, python->name, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(code);
	return rc;
}

int python_start(struct python *python, const char *name, const char *script, struct error *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, rc;

	*python = (struct python){.name = name, .to = -1};
	rc = pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ? errno : spawn(python, script, in[0], out[1]);
	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	python->to = in[1];
	python->from = rc ? NULL : fdopen(out[0], "r");
	if (!rc && python->from)
		return 0;
	if (in[1] >= 0)
		close(in[1]);
	if (out[0] >= 0 && !python->from)
		close(out[0]);
	errno = rc ? rc : errno;
	return error_errno(err, "starting %s", name);
}

void python_ask(struct python *python, const char *text)
{
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	size_t left = strlen(text);
	ssize_t n;

	for (; left; text += n, left -= (size_t)n) {
		n = write(python->to, text, left);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			break; /* a reader that is gone shows in the answers */
	}
	close(python->to);
	signal(SIGPIPE, old);
}

int python_finish(struct python *python)
{
	int status = 0;

	fclose(python->from);
	while (waitpid(python->pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
