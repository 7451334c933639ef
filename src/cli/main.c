/*
 * sofold: the table of commands.
 *
 * Only this file prints errors and turns them into an exit status.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct command commands[] = {
	{"audit", command_audit, "list duplicate native libraries, and why look-alikes differ"},
	{"shrink", command_shrink, "keep one copy of each library, relink, strip, verify"},
	{"guard", command_guard, "fail when a budget or a baseline is exceeded"},
	{"pack", command_pack, "write a layer as a zip, the same bytes every time"},
	{"verify", command_verify, "simulate loading every object; --run imports them"},
};

enum { NR_COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *to)
{
	size_t i;

	fputs("usage: sofold COMMAND [OPTION...] PATH...\n"
	      "\n"
	      "Makes the native part of a Python layer small and keeps it working.\n"
	      "\n"
	      "commands:\n",
	      to);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\n"
	      "examples:\n"
	      "  sofold audit layer/                what is there twice\n"
	      "  sofold shrink -n layer/            what would be done, and why\n"
	      "  sofold shrink layer/ --run python3.12\n"
	      "  sofold guard function.zip layer/ --platform lambda-python3.12-x86_64\n"
	      "\n"
	      "sofold COMMAND --help says more. Exit status: 0 fine, 1 findings, 2 usage,\n"
	      "3 could not be carried out (layer as it was), 4 verification failed (rolled\n"
	      "back).\n",
	      to);
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	fprintf(stderr, "sofold: unknown command '%s'; see sofold --help\n", name);
	return EXIT_USAGE;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct error err = {0};
	/* argp takes the program's name from argv[0] for its messages. */
	char name[32];
	int status;

	snprintf(name, sizeof name, "sofold %s", command->name);
	argv[0] = name;
	status = command->run(argc, argv, &err);
	if (*err.message)
		fprintf(stderr, "sofold: %s\n", report_shown(err.message));
	return status;
}

static int run_named(const char *name, int argc, char **argv)
{
	const struct command *command = find_command(name);

	return command ? run_command(command, argc, argv) : unknown_command(name);
}

/* "help audit" is "audit --help". */
static int help(const char *about)
{
	char option[] = "--help", *argv[] = {option, option, NULL};

	if (about)
		return run_named(about, 2, argv);
	print_usage(stdout);
	return EXIT_FINE;
}

static bool is_either(const char *word, const char *one, const char *other)
{
	return !strcmp(word, one) || !strcmp(word, other);
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (is_either(argv[1], "--help", "-h"))
		return help(NULL);
	if (!strcmp(argv[1], "help"))
		return help(argv[2]);
	if (is_either(argv[1], "--version", "-V")) {
		puts(argp_program_version);
		return EXIT_FINE;
	}
	return run_named(argv[1], argc - 1, argv + 1);
}

/* Memory that is asked of the system or given back piece by piece is time that other
 * threads have to wait, and what unmaps files is such a thread. */
static void keep_memory(void)
{
	mallopt(M_TOP_PAD, 1024 * 1024);
	mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
}

int main(int argc, char **argv)
{
	int status;

	keep_memory();
	status = dispatch(argc, argv);
	/* A report that did not reach its reader must not pass for one. */
	if (fflush(stdout) || ferror(stdout)) {
		perror("sofold: writing the report");
		return EXIT_RUN;
	}
	return status;
}
