/*
 * A process of its own for what changes the disk.
 *
 * Whatever ends it, a mistake of ours, a signal passed on to it, or a lack of
 * memory, the one that has waited is left to tidy up: what it could not take back
 * itself, and processes it had started. When that one is killed the
 * worker goes with it, and the next run finds what both have left.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { NR_PASSED_ON = sizeof passed_on / sizeof *passed_on };

static volatile pid_t at_work; /* 0: nobody */

static void pass_on(int number)
{
	if (at_work)
		kill(at_work, number);
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
static pid_t fork_worker(void)
{
	sigset_t all, before;
	pid_t parent = getpid(), child;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	signal(SIGCHLD, SIG_DFL);
	child = fork();
	if (child) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		at_work = child > 0 ? child : 0;
		handle_signals(pass_on);
	} else if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) {
		_exit(EXIT_RUN); /* nobody is waiting any more */
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return child;
}

static struct ending await(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		return (struct ending){.signal = WTERMSIG(status)};
	return (struct ending){.status = WEXITSTATUS(status)};
}

/* The processes there are below this one; false: none. Where the kernel does not list
 * them they live on. */
static bool end_children(void)
{
	FILE *file = fopen("/proc/thread-self/children", "re");
	char *list = NULL, *at, *end;
	size_t size = 0;
	bool any = false;
	pid_t child;

	if (file && getline(&list, &size, file) > 0) {
		for (at = list; (child = (pid_t)strtol(at, &end, 10)) > 0; at = end) {
			any = true;
			kill(child, SIGKILL);
			await(child);
		}
	}
	free(list);
	if (file)
		fclose(file);
	return any;
}

/* Interpreters that a worker had started, and theirs, which write to the layer. Each
 * comes to this process when its parent ends. */
static void end_orphans(void)
{
	while (end_children())
		;
}

/* Ends as the worker has ended, once all is tidy. */
static int follow(const struct work *work, struct error *err)
{
	struct ending ending = await(at_work);
	int rc;

	at_work = 0;
	if (ending.status || ending.signal)
		end_orphans();
	rc = work->tidy(work->context, &ending, err);
	if (!ending.signal)
		return ending.status;
	if (rc)
		return status_of(rc);
	signal(ending.signal, SIG_DFL);
	raise(ending.signal);
	return EXIT_RUN;
}

int worker_run(const struct work *work, struct error *err)
{
	pid_t child = fork_worker();

	if (child < 0)
		return status_of(error_errno(err, "starting a process"));
	return child ? follow(work, err) : work->run(work->context, err);
}
