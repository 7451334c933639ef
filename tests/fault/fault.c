/*
 * fault: whatever goes wrong, the layer loads and the next run finishes.
 *
 *	fault [-w] [-b TOP] COMMAND [ARGUMENT…]
 *
 * runs "COMMAND ARGUMENT… ROOT" of a build with -DSOFOLD_FAULT on copies of a
 * small real layer (tests/unit/real_layer.h), with -b of the one with two
 * OpenBLAS made from the source tree TOP, and makes every call that
 * changes the disk fail, fall short or be the last, one after the other
 * (src/apply/fault.c). What must hold after each run:
 *
 *	status 0   the tree is what an unharmed run leaves
 *	status 3   the tree is as before, or finished; a message names a file;
 *		   ".sofold" is left only when something could not be removed
 *	killed	   both modules load; when the command works in a child process (-w) and
 *		   that alone is killed, the tree is as before, or finished
 *	always	   both modules load, and an unharmed run makes the tree what it
 *		   would have been
 *
 * As root, in a mount namespace of its own, also: file systems that fill up,
 * read-only ones, overlayfs, another user's tree. Ends with the sums.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/real_layer.h"
#include "sofold/apply.h"

enum { KILLED = -SIGKILL, NOBODY = 65534, MAX_ARGUMENTS = 30 };

static struct {
	char **command; /* ends with a free slot for the root, then NULL */
	int slot;
	struct arena *arena; /* of the whole program */
	const char *original;
	const char *before, *after; /* snapshots */
	unsigned long calls;	    /* of an unharmed run */
	bool works_in_child;
	unsigned passed, failed;
} t;

/* One run of the command. */
struct outcome {
	int status; /* exit status, or minus the signal */
	char message[2048];
};

/* --------- checking ------------------ */

static void check(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void check(bool good, const char *format, ...)
{
	va_list args;

	*(good ? &t.passed : &t.failed) += 1;
	if (good)
		return;
	fputs("FAILED: ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* --------- running ------------------ */

static void become(const char *fault, uid_t uid)
{
	if (fault)
		setenv("SOFOLD_FAULT", fault, 1);
	else
		unsetenv("SOFOLD_FAULT");
	if (uid && (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
		_exit(126);
}

static pid_t start(const char *root, const char *fault, uid_t uid, int *messages)
{
	int ends[2], null;
	pid_t pid;

	if (pipe(ends))
		return -1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		setpgid(0, 0); /* all of it can be killed at once */
		become(fault, uid);
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(ends[1], 2);
		t.command[t.slot] = (char *)(uintptr_t)root;
		execvp(t.command[0], t.command);
		_exit(127);
	}
	close(ends[1]);
	*messages = ends[0];
	return pid;
}

static struct outcome run_as(const char *root, const char *fault, uid_t uid)
{
	struct outcome outcome = {.status = 127};
	size_t used = 0;
	int messages, status;
	ssize_t n;
	pid_t pid = start(root, fault, uid, &messages);

	if (pid < 0)
		return outcome;
	while ((n = read(messages, outcome.message + used, sizeof outcome.message - 1 - used)) > 0)
		used += (size_t)n;
	close(messages);
	waitpid(pid, &status, 0);
	while (waitpid(-pid, NULL, 0) > 0) /* what it has left of its own children */
		;
	outcome.status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
	return outcome;
}

static struct outcome run(const char *root, const char *fault)
{
	return run_as(root, fault, 0);
}

/* Loads each module in a process of its own, as Python's import does. */
static bool loads(const char *root)
{
	static const char *const modules[] = {"alpha/_core.so", "gamma/_core.so", "gamma/_alias.so"};
	bool all = true;

	for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
		char path[512];
		int status;
		pid_t pid;

		snprintf(path, sizeof path, "%s/%s", root, modules[i]);
		fflush(stdout);
		pid = fork();
		if (!pid) {
			void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
			int (*init)(void) = NULL;

			if (!module)
				fprintf(stderr, "%s\n", dlerror());
			else
				*(void **)&init = dlsym(module, "PyInit__core");
			_exit(init && init() == 42 ? 0 : 1);
		}
		waitpid(pid, &status, 0);
		all &= !status;
	}
	return all;
}

static bool has_staging(const char *root)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", root, APPLY_STAGING);
	return !access(path, F_OK);
}

static bool looks(const char *root, const char *snapshot)
{
	struct arena *arena = arena_new();
	bool same = !strcmp(real_snapshot(arena, root), snapshot);

	arena_free(arena);
	return same;
}

/* --------- what must hold ------------------ */

/* A message a person can use: it names the root or something in it. */
static bool names_a_file(const struct outcome *outcome, const char *root)
{
	return strstr(outcome->message, root) || strstr(outcome->message, "alpha") ||
	       strstr(outcome->message, "gamma");
}

static void check_finishes(const char *root, const char *what)
{
	struct outcome again = run(root, NULL);

	check(again.status == 0, "%s: the next run ends with %d: %s", what, again.status, again.message);
	check(looks(root, t.after), "%s: the next run does not finish the work", what);
	check(loads(root), "%s: modules do not load after the next run", what);
}

/* After a run in which one call has failed. */
static void check_whole(const char *root, const char *what, const struct outcome *outcome)
{
	bool left = has_staging(root);

	check(loads(root), "%s: modules do not load", what);
	if (outcome->status == 0) {
		check(looks(root, t.after), "%s: status 0, but not what an unharmed run leaves", what);
		return;
	}
	check(outcome->status == 3, "%s: status %d: %s", what, outcome->status, outcome->message);
	check(names_a_file(outcome, root), "%s: the message names no file: %s", what, outcome->message);
	check(left || looks(root, t.before) || looks(root, t.after),
	      "%s: the tree is neither old nor new: %s", what, outcome->message);
	check_finishes(root, what);
}

/* --------- the n-th call ------------------ */

static char *fault_text(struct arena *arena, const char *mode, unsigned long n, const char *error)
{
	return arena_printf(arena, "%s:%lu%s%s", mode, n, *error ? ":" : "", error);
}

static void announce(const char *what, unsigned failed_before)
{
	/* Columns, not bytes: an ellipsis has three of these. */
	int width = strstr(what, "…") ? 46 : 44;

	printf("%-*s %s\n", width, what, t.failed == failed_before ? "ok" : "FAILED");
	fflush(stdout);
}

/* Runs with a fault at call 1, 2, … of an unharmed run, each on a fresh copy. */
static void each_call(const char *mode, const char *error,
		      void (*judge)(const char *root, const char *what, const struct outcome *outcome))
{
	unsigned failed = t.failed;
	char title[64];

	for (unsigned long n = 1; n <= t.calls; n++) {
		struct arena *arena = arena_new();
		char *root = real_copy(arena, t.original);
		char *fault = fault_text(arena, mode, n, error);
		struct outcome outcome = run(root, fault);

		judge(root, fault, &outcome);
		real_remove(root);
		arena_free(arena);
	}
	snprintf(title, sizeof title, "%s:1…%lu%s%s", mode, t.calls, *error ? ":" : "", error);
	announce(title, failed);
}

static void judge_dead_disk(const char *root, const char *what, const struct outcome *outcome)
{
	check(outcome->status == 3 || outcome->status == 0, "%s: status %d: %s", what, outcome->status,
	      outcome->message);
	check(loads(root), "%s: modules do not load", what);
	check_finishes(root, what);
}

static void judge_harmless(const char *root, const char *what, const struct outcome *outcome)
{
	check(outcome->status == 0, "%s: status %d: %s", what, outcome->status, outcome->message);
	check(looks(root, t.after), "%s: not what an unharmed run leaves", what);
}

static void judge_killed(const char *root, const char *what, const struct outcome *outcome)
{
	check(outcome->status == KILLED, "%s: status %d instead of a kill", what, outcome->status);
	check(loads(root), "%s: modules do not load", what);
	check_finishes(root, what);
}

/* The process that has waited tidies up, and ends as the one that was killed. */
static void judge_worker_killed(const char *root, const char *what, const struct outcome *outcome)
{
	check(!has_staging(root), "%s: something is left", what);
	check(looks(root, t.before) || looks(root, t.after), "%s: the tree is neither old nor new: %s", what,
	      outcome->message);
	judge_killed(root, what, outcome);
}

/* A run that is killed, then a recovery that is killed, at every call of it. */
static void kill_recovery(void)
{
	unsigned failed = t.failed;

	for (unsigned long first = 2; first <= t.calls; first += 4) {
		struct outcome outcome = {.status = KILLED};

		for (unsigned long second = 1; outcome.status == KILLED && second <= 80; second++) {
			struct arena *arena = arena_new();
			char *root = real_copy(arena, t.original);
			char *what = arena_printf(arena, "kill:%lu, then kill:%lu", first, second);

			run(root, fault_text(arena, "kill", first, ""));
			outcome = run(root, fault_text(arena, "kill", second, ""));
			check(loads(root), "%s: modules do not load", what);
			check_finishes(root, what);
			real_remove(root);
			arena_free(arena);
		}
	}
	announce("kill, then kill the recovery", failed);
}

/* A run that fails and is killed while it takes back what it has done. */
static void kill_rollback(void)
{
	unsigned failed = t.failed;

	for (unsigned long first = t.calls / 2; first <= t.calls; first++) {
		struct outcome outcome = {.status = KILLED};

		for (unsigned long more = 1; outcome.status == KILLED && more <= 40; more++) {
			struct arena *arena = arena_new();
			char *root = real_copy(arena, t.original);
			char *what = arena_printf(arena, "fail:%lu:EIO:%lu", first, first + more);

			outcome = run(root, what);
			check(loads(root), "%s: modules do not load", what);
			check_finishes(root, what);
			real_remove(root);
			arena_free(arena);
		}
	}
	announce("fail, then kill the rollback", failed);
}

/* A run that is killed, then a recovery one call of which fails. */
static void fail_recovery(void)
{
	unsigned failed = t.failed;

	for (unsigned long first = 2; first <= t.calls; first += 4) {
		for (unsigned long second = 1; second <= 40; second++) {
			struct arena *arena = arena_new();
			char *root = real_copy(arena, t.original);
			char *what = arena_printf(arena, "kill:%lu, then fail:%lu:EIO", first, second);
			struct outcome outcome;

			run(root, fault_text(arena, "kill", first, ""));
			outcome = run(root, fault_text(arena, "fail", second, "EIO"));
			judge_dead_disk(root, what, &outcome);
			real_remove(root);
			arena_free(arena);
		}
	}
	announce("kill, then fail the recovery", failed);
}

/* --------- the world around ------------------ */

static void second_run_waits_for_nobody(void)
{
	unsigned failed = t.failed;
	char *root = real_copy(t.arena, t.original);
	char *staging = arena_printf(t.arena, "%s/%s", root, APPLY_STAGING);
	struct outcome outcome;
	int lock;

	mkdir(staging, 0700);
	lock = open(arena_printf(t.arena, "%s/lock", staging), O_RDWR | O_CREAT, 0600);
	flock(lock, LOCK_EX);
	outcome = run(root, NULL);
	check(outcome.status == 3, "a second run ends with %d", outcome.status);
	check(strstr(outcome.message, "another sofold") != NULL, "it says: %s", outcome.message);
	close(lock);
	check_finishes(root, "a second run");
	real_remove(root);
	announce("two runs on one layer", failed);
}

/* Somebody swaps a package's directory for a symlink to another tree, and
 * back, all the time. */
static void swapped_directory(void)
{
	unsigned failed = t.failed;
	char *root = real_copy(t.arena, t.original), *outside = real_copy(t.arena, t.original);
	char *gamma = arena_printf(t.arena, "%s/gamma", root),
	     *other = arena_printf(t.arena, "%s/other", root);
	struct stat st;
	pid_t swapper;

	if (symlink(arena_printf(t.arena, "%s/gamma", outside), other))
		check(false, "cannot make a symlink");
	fflush(stdout);
	swapper = fork();
	if (!swapper) {
		for (;;) {
			renameat2(AT_FDCWD, gamma, AT_FDCWD, other, RENAME_EXCHANGE);
			usleep(300);
		}
	}
	for (int i = 0; i < 200; i++)
		run(root, NULL);
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	check(looks(outside, t.before), "something was written through a symlink");
	if (!lstat(gamma, &st) && S_ISLNK(st.st_mode))
		renameat2(AT_FDCWD, gamma, AT_FDCWD, other, RENAME_EXCHANGE);
	unlink(other);
	/* A run that met the directory under its other name has finished a layer
	 * in which that is its name; so no comparison, but everything must load. */
	check(run(root, NULL).status == 0, "after swapping: the next run fails");
	check(loads(root), "after swapping: modules do not load after the next run");
	real_remove(root);
	real_remove(outside);
	announce("a directory swapped for a symlink", failed);
}

/* A directory of our own to mount something on; NULL and a printed reason
 * where that is not allowed. */
static char *mount_point(const char *what)
{
	static int allowed = -1;
	char *point = arena_strdup(t.arena, "/tmp/sofold-mount.XXXXXX");

	if (allowed < 0)
		allowed = !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (!allowed || !mkdtemp(point)) {
		printf("%-44s skipped: mounting takes root\n", what);
		return NULL;
	}
	return point;
}

static void unmount(const char *point)
{
	umount2(point, MNT_DETACH);
	rmdir(point);
}

/* A copy of the layer on a new tmpfs; NULL when it does not fit. */
static char *copy_to_tmpfs(const char *point, unsigned kib)
{
	char *root = arena_printf(t.arena, "%s/layer", point);
	struct error err = {""};

	if (mount("none", point, "tmpfs", 0, arena_printf(t.arena, "size=%uk", kib)))
		return NULL;
	if (!tree_copy(t.original, root, &err))
		return root;
	umount2(point, MNT_DETACH);
	return NULL;
}

/* Sizes from "the layer just fits" to "everything fits". */
static void full_file_system(void)
{
	static const char title[] = "a file system that fills up";
	unsigned failed = t.failed, full = 0;
	char *point = mount_point(title);
	struct outcome outcome = {.status = 3};

	if (!point)
		return;
	for (unsigned kib = 48; kib < 2048 && outcome.status == 3; kib += 4) {
		char *root = copy_to_tmpfs(point, kib), *what = arena_printf(t.arena, "%u KiB", kib);

		if (!root)
			continue;
		outcome = run(root, NULL);
		full += outcome.status == 3;
		check(outcome.status == 0 || outcome.status == 3, "%s: status %d", what, outcome.status);
		check(loads(root), "%s: modules do not load", what);
		check(looks(root, outcome.status ? t.before : t.after), "%s: status %d, but the tree differs",
		      what, outcome.status);
		check(!outcome.status || names_a_file(&outcome, root), "%s: %s", what, outcome.message);
		umount2(point, MNT_DETACH);
	}
	check(full > 0 && !outcome.status, "%u runs found no room, the last one ended with %d", full,
	      outcome.status);
	rmdir(point);
	announce(title, failed);
}

static void read_only_file_system(void)
{
	static const char title[] = "a read-only file system";
	unsigned failed = t.failed;
	char *point = mount_point(title), *root = point ? copy_to_tmpfs(point, 4096) : NULL;
	struct outcome outcome;

	if (!root)
		return;
	check(!mount("none", point, NULL, MS_REMOUNT | MS_RDONLY, NULL), "cannot remount");
	outcome = run(root, NULL);
	check(outcome.status == 3, "read-only: status %d", outcome.status);
	check(names_a_file(&outcome, root), "read-only: %s", outcome.message);
	check(looks(root, t.before), "read-only, but the tree differs");
	check(!mount("none", point, NULL, MS_REMOUNT, NULL), "cannot remount");
	check_finishes(root, "read-only");
	check(!mount("none", point, NULL, MS_REMOUNT | MS_RDONLY, NULL), "cannot remount");
	outcome = run(root, NULL);
	check(outcome.status == 0, "nothing to do, but status %d: %s", outcome.status, outcome.message);
	unmount(point);
	announce(title, failed);
}

/* A package's directory is a mount of its own: renames cannot reach it. */
static void mounted_inside(void)
{
	static const char title[] = "a file system mounted inside";
	unsigned failed = t.failed;
	char *point = mount_point(title), *root = point ? copy_to_tmpfs(point, 4096) : NULL;
	struct outcome outcome;
	char *gamma;

	if (!root)
		return;
	gamma = arena_printf(t.arena, "%s/gamma.libs", root);
	check(!mount(gamma, gamma, NULL, MS_BIND, NULL), "cannot bind");
	outcome = run(root, NULL);
	check(outcome.status == 3, "mounted inside: status %d", outcome.status);
	check(names_a_file(&outcome, root), "mounted inside: %s", outcome.message);
	check(looks(root, t.before), "mounted inside, but the tree differs");
	umount2(gamma, MNT_DETACH);
	unmount(point);
	announce(title, failed);
}

static bool mount_overlay(const char *point)
{
	char *lower = arena_printf(t.arena, "%s/lower", point);
	char *options = arena_printf(t.arena, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, point,
				     point);

	if (mount("none", point, "tmpfs", 0, "size=8m") || tree_copy(t.original, lower, &(struct error){""}))
		return false;
	mkdir(arena_printf(t.arena, "%s/merged", point), 0755);
	mkdir(arena_printf(t.arena, "%s/upper", point), 0755);
	mkdir(arena_printf(t.arena, "%s/work", point), 0755);
	return !mount("overlay", arena_printf(t.arena, "%s/merged", point), "overlay", 0, options);
}

/* The files lie in a lower layer, as after an earlier RUN of a container
 * build. Whatever touches a file there copies it up, which parts hard links;
 * so after a kill the modules load but the tree is not to the letter what an
 * unharmed run leaves. */
static void overlay(void)
{
	static const char title[] = "overlayfs";
	unsigned failed = t.failed;
	char *point = mount_point(title), *root = point ? arena_printf(t.arena, "%s/merged", point) : NULL;
	bool there = root && mount_overlay(point);

	if (there) {
		check_finishes(root, title);
		check(looks(arena_printf(t.arena, "%s/lower", point), t.before),
		      "the lower layer has changed");
		umount2(root, MNT_DETACH);
		umount2(point, MNT_DETACH);
	}
	if (there && mount_overlay(point)) {
		char *fault = fault_text(t.arena, "kill", t.calls * 3 / 4, "");

		check(run(root, fault).status == KILLED, "overlay: not killed");
		check(loads(root), "overlay: modules do not load after a kill");
		check(run(root, NULL).status == 0, "overlay: the next run fails");
		check(loads(root), "overlay: modules do not load after the next run");
		check(!has_staging(root), "overlay: something is left");
		umount2(root, MNT_DETACH);
	}
	if (there)
		announce(title, failed);
	else if (point)
		printf("%-44s skipped: %s\n", title, strerror(errno));
	if (point)
		unmount(point);
}

/* Runs without privilege: on a tree of one's own, and on somebody else's. */
static void unprivileged(void)
{
	static const char title[] = "without privilege";
	unsigned failed = t.failed;
	char *root = real_copy(t.arena, t.original);
	struct outcome outcome;

	if (geteuid()) {
		printf("%-44s skipped: changing users takes root\n", title);
		return;
	}
	chmod(root, 0755);
	outcome = run_as(root, NULL, NOBODY);
	check(outcome.status == 3, "somebody else's tree: status %d", outcome.status);
	check(names_a_file(&outcome, root), "somebody else's tree: %s", outcome.message);
	check(looks(root, t.before), "somebody else's tree has changed");
	check(!system(arena_printf(t.arena, "chown -Rh %d:%d %s", NOBODY, NOBODY, root)), "cannot chown");
	outcome = run_as(root, NULL, NOBODY);
	check(outcome.status == 0, "one's own tree: status %d: %s", outcome.status, outcome.message);
	check(!system(arena_printf(t.arena, "chown -Rh 0:0 %s", root)), "cannot chown");
	check(looks(root, t.after), "one's own tree: not what root's run leaves");
	real_remove(root);
	announce(title, failed);
}

/* --------- all of it ------------------ */

/* What a run without faults does, and how many calls it takes. */
static bool unharmed_run(void)
{
	char *root = real_copy(t.arena, t.original);
	struct outcome outcome = run(root, "count");
	const char *count = strstr(outcome.message, "fault: ");

	t.before = real_snapshot(t.arena, t.original);
	t.after = real_snapshot(t.arena, root);
	t.calls = count ? strtoul(count + 7, NULL, 10) : 0;
	check(outcome.status == 0, "an unharmed run ends with %d: %s", outcome.status, outcome.message);
	check(strcmp(t.before, t.after) != 0, "an unharmed run changes nothing");
	check(loads(t.original) && loads(root), "modules do not load");
	check(t.calls > 0, "no calls were counted: is it a build with -DSOFOLD_FAULT?");
	check(!run(root, NULL).status && looks(root, t.after), "a second run changes something");
	real_remove(root);
	return !t.failed;
}

static void run_all(void)
{
	each_call("fail", "EIO", check_whole);
	each_call("fail", "ENOSPC", check_whole);
	each_call("fail", "EACCES", check_whole);
	each_call("fail", "EPERM", check_whole);
	each_call("failall", "ENOSPC", judge_dead_disk);
	each_call("failall", "EIO", judge_dead_disk);
	each_call("short", "", judge_harmless);
	each_call("kill", "", judge_killed);
	if (t.works_in_child)
		each_call("killone", "", judge_worker_killed);
	kill_recovery();
	kill_rollback();
	fail_recovery();
	second_run_waits_for_nobody();
	swapped_directory();
	full_file_system();
	read_only_file_system();
	mounted_inside();
	overlay();
	unprivileged();
}

static int usage(void)
{
	fputs("usage: fault [-w] [-b TOP] COMMAND [ARGUMENT…]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	char *command[MAX_ARGUMENTS + 2] = {NULL};
	const char *top = NULL;
	int first = 1;

	if (argc > first && !strcmp(argv[first], "-w")) {
		t.works_in_child = true;
		first++;
	}
	if (argc > first + 1 && !strcmp(argv[first], "-b")) {
		top = argv[first + 1];
		first += 2;
	}
	if (argc <= first || argc - first > MAX_ARGUMENTS)
		return usage();
	memcpy(command, argv + first, (size_t)(argc - first) * sizeof *command);
	t.command = command;
	t.slot = argc - first;
	t.arena = arena_new();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	t.original = top ? real_blas_tree(t.arena, top) : real_tree(t.arena);
	check(t.original != NULL, "cannot build the test layer");
	if (t.original && unharmed_run())
		run_all();
	if (t.original)
		real_remove(t.original);
	arena_free(t.arena);
	printf("%u passed, %u failed\n", t.passed, t.failed);
	return t.failed != 0;
}
