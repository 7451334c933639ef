/*
 * The new tree of shrink -o: there whole, or not there at all.
 *
 * It is made under another name beside its own and renamed when all is done.
 * A child process makes it, and this one waits: whatever ends the child, an
 * error, a signal passed on to it, or a lack of memory, somebody is left to
 * remove what there is by then.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sofold/apply.h"

int output_begin(struct output *output, struct arena *arena, const char *name, struct error *err)
{
	size_t n = strlen(name);
	const char *slash;
	uint32_t random;
	struct stat st;

	while (n > 1 && name[n - 1] == '/')
		n--;
	name = arena_strndup(arena, name, n);
	if (!lstat(name, &st)) {
		errno = EEXIST;
		return error_errno(err, "making %s", name);
	}
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return error_errno(err, "making %s", name);
	slash = strrchr(name, '/');
	output->name = name;
	output->base = slash ? slash + 1 : name;
	/* A name may have 255 bytes; the end of a long one is left out. */
	output->making_base = arena_printf(arena, ".%.200s.sofold-%08x", output->base, random);
	output->making = arena_printf(arena, "%.*s%s", (int)(output->base - name), name, output->making_base);
	return 0;
}

int output_finish(const struct output *output, struct error *err)
{
	return tree_rename(output->making, output->name, err);
}

void output_rename_in(const struct output *output, struct error *err)
{
	struct error rest;
	char *at;

	while ((at = strstr(err->message, output->making_base))) {
		snprintf(rest.message, sizeof rest.message, "%s", at + strlen(output->making_base));
		snprintf(at, (size_t)(err->message + sizeof err->message - at), "%s%s", output->base,
			 rest.message);
	}
}

/* --------- the process that makes it ------------------ */

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { NR_PASSED_ON = sizeof passed_on / sizeof *passed_on };

static volatile pid_t maker; /* 0: none at work */

static void pass_on(int number)
{
	if (maker)
		kill(maker, number);
}

/* A signal the caller wants ignored (nohup) stays so. */
static void handle_signals(void (*handler)(int))
{
	struct sigaction old, action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	size_t i;

	for (i = 0; i < NR_PASSED_ON; i++)
		if (!sigaction(passed_on[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(passed_on[i], &action, NULL);
}

/* Forks; none of the signals comes before there is somebody to pass it on to. */
static pid_t fork_maker(void)
{
	sigset_t all, before;
	pid_t parent = getpid(), child;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	signal(SIGCHLD, SIG_DFL);
	child = fork();
	if (child) {
		maker = child > 0 ? child : 0;
		handle_signals(pass_on);
	} else if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) {
		_exit(EXIT_RUN); /* nobody is waiting any more */
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return child;
}

/* Waits for the maker, removes what it has left, and ends as it has ended. */
static int await_maker(const struct output *output, struct error *err)
{
	struct stat st;
	int status = 0;

	while (waitpid(maker, &status, 0) < 0 && errno == EINTR)
		;
	maker = 0;
	if (!lstat(output->making, &st))
		tree_remove(output->making, err);
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	return EXIT_RUN;
}

int output_make(const struct output *output, int (*make)(void *context, struct error *err), void *context,
		struct error *err)
{
	pid_t child = fork_maker();

	if (child < 0)
		return status_of(error_errno(err, "starting a process"));
	return child ? await_maker(output, err) : make(context, err);
}
