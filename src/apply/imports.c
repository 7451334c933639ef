/*
 * Importing every extension module of a layer in a real interpreter.
 *
 * The interpreter gets a script on its command line and the modules on its
 * standard input, a line each: base directory, tab, path below it. It forks
 * for every module, as many at a time as there are cores, and answers with a
 * line each: number, tab, "ok" or what went wrong. The child imports by the
 * dotted name, so packages run their __init__ as they would in use.
 *
 * The base goes first on sys.path. A child that dies by a signal has failed.
 */
#include "sofold/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/python.h"

static const char script[] = "import os,sys\n"
			     "def run(base,path,out):\n"
			     "    sys.path.insert(0,base)\n"
			     "    name=path.split('/')\n"
			     "    name[-1]=name[-1].split('.')[0]\n"
			     "    if name[-1]=='__init__': name.pop()\n"
			     "    try:\n"
			     "        null=os.open(os.devnull,os.O_RDWR)\n"
			     "        for fd in (0,1,2): os.dup2(null,fd)\n"
			     "        __import__('.'.join(name))\n"
			     "        os.write(out,b'ok')\n"
			     "    except BaseException as e:\n"
			     "        text='%s: %s'%(type(e).__name__,e)\n"
			     "        os.write(out,' '.join(text.split()).encode('utf-8','replace')[:400])\n"
			     "    os._exit(0)\n"
			     "lines=[l.rstrip('\\n').split('\\t') for l in sys.stdin]\n"
			     "running={}\n"
			     "def reap():\n"
			     "    pid,status=os.wait()\n"
			     "    number,end=running.pop(pid)\n"
			     "    text=os.read(end,4096).decode('utf-8','replace')\n"
			     "    os.close(end)\n"
			     "    if not text: text='died with status %d'%status\n"
			     "    sys.stdout.write('%d\\t%s\\n'%(number,text))\n"
			     "    sys.stdout.flush()\n"
			     "for number,(base,path) in enumerate(lines):\n"
			     "    if len(running)>=(os.cpu_count() or 1): reap()\n"
			     "    r,w=os.pipe()\n"
			     "    pid=os.fork()\n"
			     "    if not pid:\n"
			     "        os.close(r)\n"
			     "        run(base,path,w)\n"
			     "    os.close(w)\n"
			     "    running[pid]=(number,r)\n"
			     "while running: reap()\n";

/* The directory a module's dotted name starts below: its wheel's, or the
 * nearest place Python would have on its path. */
static const char *module_base(const struct layer *layer, const struct file *file)
{
	return file->owner == NO_ID ? "" : layer->owners[file->owner].base;
}

/* All questions as one text. */
static char *questions(struct arena *arena, const struct layer *layer, const char *root,
		       struct imports *imports)
{
	char *text = arena_strdup(arena, "");
	size_t i, length = 0, room = 0;

	imports->modules = arena_array(arena, layer->nr_objects, sizeof *imports->modules);
	imports->failed = arena_array(arena, layer->nr_objects, sizeof *imports->failed);
	for (i = 0; i < layer->nr_objects; i++) {
		const struct file *file = &layer->files[layer->objects[i].file];
		const char *base = module_base(layer, file), *below = file->path + strlen(base) + !!*base;
		char *line;
		size_t n;

		if (!layer->objects[i].is_extension || file->kind != FILE_REGULAR ||
		    strpbrk(file->path, "\t\n"))
			continue;
		imports->modules[imports->nr_modules++] = file->path;
		line = arena_printf(arena, "%s%s%s\t%s\n", root, *base ? "/" : "", base, below);
		n = strlen(line);
		if (length + n >= room) {
			char *grown = arena_alloc(arena, room = 2 * (length + n) + 1);

			memcpy(grown, text, length);
			text = grown;
		}
		memcpy(text + length, line, n + 1);
		length += n;
	}
	return text;
}

static void tell(const struct interpreter *interpreter, const char *module, size_t done, size_t nr)
{
	if (interpreter->progress)
		interpreter->progress(interpreter->context, module, done, nr);
}

static size_t receive(struct arena *arena, FILE *from, const struct interpreter *interpreter,
		      struct imports *imports)
{
	char *line = NULL, *tab, *end;
	size_t room = 0, answers = 0;

	tell(interpreter, NULL, 0, imports->nr_modules);
	while (getline(&line, &room, from) > 0) {
		unsigned long number = strtoul(line, &tab, 10);

		if (tab == line || *tab != '\t' || number >= imports->nr_modules)
			break;
		end = strchr(tab, '\n');
		if (end)
			*end = 0;
		imports->failed[number] = strcmp(tab + 1, "ok") ? arena_strdup(arena, tab + 1) : NULL;
		tell(interpreter, imports->modules[number], ++answers, imports->nr_modules);
	}
	free(line);
	return answers;
}

int imports_probe(struct arena *arena, const struct layer *layer, const struct interpreter *interpreter,
		  struct imports *imports, struct error *err)
{
	char *root = realpath(layer->root, NULL);
	struct python python;
	const char *text;
	size_t answers;
	int rc, status;

	*imports = (struct imports){0};
	if (!root)
		return error_errno(err, "opening %s", layer->root);
	text = questions(arena, layer, root, imports);
	free(root);
	rc = python_start(&python, interpreter->python, script, err);
	if (rc)
		return rc;
	python_ask(&python, text);
	answers = receive(arena, python.from, interpreter, imports);
	status = python_finish(&python);
	if (!status && answers == imports->nr_modules)
		return 0;
	return error_add(err, ERROR_RUN, "%s did not answer for every module (status %d)",
			 interpreter->python, status);
}

size_t imports_count(const struct imports *imports)
{
	size_t i, nr = 0;

	for (i = 0; i < imports->nr_modules; i++)
		nr += !imports->failed[i];
	return nr;
}

int imports_compare(const struct imports *before, const struct imports *after, struct error *err)
{
	size_t i, j = 0;

	for (i = 0; i < before->nr_modules; i++) {
		if (before->failed[i])
			continue;
		while (j < after->nr_modules && strcmp(after->modules[j], before->modules[i]) < 0)
			j++;
		if (j == after->nr_modules || strcmp(after->modules[j], before->modules[i]))
			return error_add(err, ERROR_VERIFY, "%s imported before and is gone",
					 before->modules[i]);
		if (after->failed[j])
			return error_add(err, ERROR_VERIFY, "%s imported before and does not now: %s",
					 before->modules[i], after->failed[j]);
	}
	return 0;
}
