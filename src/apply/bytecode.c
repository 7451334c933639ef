/*
 * Bytecode for every source of a layer, made by the interpreter that will read
 * it.
 *
 * The interpreter imports the top-level packages once to warm up and once to
 * measure, compiles, and measures again. Bytecode is of the kind that is not
 * compared with its source (PEP 552, "unchecked hash"): times do not survive
 * every way to a function, and a layer is read-only there. What is compiled
 * already in that way is left as it is, so a second run changes nothing. File
 * names in it are relative to the layer, whose place does not matter then.
 *
 * Bytecode of an unchanged source does no harm whatever happens afterwards, so
 * a run that is killed may leave it; one that fails takes away what it made.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/dirs.h"
#include "apply/python.h"
#include "sofold/apply.h"
#include "sofold/vec.h"

/* Lines in: the root, the expected cache tag or nothing, then a line each: "s" TAB base
 * of sys.path, or "f" TAB source.
 * Lines out: "made" TAB path; "done" TAB tag, files, bytes, bytes of new files, files that do not
 * compile, milliseconds before and after; or "error" TAB text. */
static const char script[] =
	"import sys,os,time,subprocess\n"
	"lines=[l.rstrip('\\n') for l in sys.stdin]\n"
	"root=lines[0]\n"
	"bases=[os.path.join(root,l[2:]) for l in lines[2:] if l[0]=='s']\n"
	"files=[l[2:] for l in lines[2:] if l[0]=='f']\n"
	"tag=sys.implementation.cache_tag\n"
	"def names():\n"
	"    for base in bases:\n"
	"        for name in sorted(os.listdir(base)):\n"
	"            stem=name[:-3] if name.endswith('.py') else name\n"
	"            if stem.isidentifier() and (stem!=name or \n"
	"                    os.path.exists(os.path.join(base,name,'__init__.py'))): yield stem\n"
	"def seconds():\n"
	"    code='import sys\\nsys.path[:0]=%r\\nfor n in %r:\\n'%(bases,sorted(set(names())))\n"
	"    code+=' try: __import__(n)\\n except BaseException: pass\\n'\n"
	"    start=time.perf_counter()\n"
	"    subprocess.call([sys.executable,'-B','-s','-c',code],stdin=subprocess.DEVNULL,\n"
	"                    stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)\n"
	"    return time.perf_counter()-start\n"
	"def compile_one(name):\n"
	"    import importlib.util,py_compile\n"
	"    path=os.path.join(root,name)\n"
	"    cache=importlib.util.cache_from_source(path)\n"
	"    try:\n"
	"        with open(path,'rb') as f: data=f.read()\n"
	"        head=importlib.util.MAGIC_NUMBER+b'\\1\\0\\0\\0'+importlib.util.source_hash(data)\n"
	"        new=not os.path.exists(cache)\n"
	"        with open(cache,'rb') if not new else open(os.devnull,'rb') as f:\n"
	"            if f.read(16)==head: return os.path.getsize(cache),None,None\n"
	"        py_compile.compile(path,cache,name,True,\n"
	"            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)\n"
	"        return os.path.getsize(cache),os.path.relpath(cache,root) if new else None,None\n"
	"    except OSError as e: return 0,None,str(e)\n"
	"    except Exception: return -1,None,None\n"
	"def main():\n"
	"    from concurrent.futures import ProcessPoolExecutor\n"
	"    from multiprocessing import get_context\n"
	"    seconds()\n"
	"    before=seconds()\n"
	"    count=total=bad=new=0\n"
	"    with ProcessPoolExecutor(mp_context=get_context('fork')) as pool:\n"
	"        for size,made,error in pool.map(compile_one,files,chunksize=16):\n"
	"            if error:\n"
	"                print('error\\t'+' '.join(error.split()))\n"
	"                return\n"
	"            if made:\n"
	"                print('made\\t'+made)\n"
	"                new+=size\n"
	"            if size<0: bad+=1\n"
	"            else:\n"
	"                count+=1\n"
	"                total+=size\n"
	"    print('done\\t%s\\t%d\\t%d\\t%d\\t%d\\t%d\\t%d'%(tag,count,total,new,bad,\n"
	"          before*1000,seconds()*1000))\n"
	"if sys.version_info<(3,7): print('error\\tPython 3.7 or later is needed for unchecked bytecode')\n"
	"elif lines[1] not in ('',tag,tag.rstrip('t')): print('error\\tit is %s, and the layer is for %s'%(tag,lines[1]))\n"
	"else: main()\n";

static bool is_source(const struct file *file)
{
	return file->kind == FILE_REGULAR && file_has_suffix(file, ".py") && !strpbrk(file->path, "\n\t");
}

static void ask(struct python *python, const struct layer *layer, const char *root, const char *tag)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		BUG("out of memory");
	fprintf(to, "%s\n%s\ns\t\n", root, tag ? tag : "");
	for (i = 0; i < layer->nr_owners; i++)
		if (*layer->owners[i].base)
			fprintf(to, "s\t%s\n", layer->owners[i].base);
	for (i = 0; i < layer->nr_files; i++)
		if (is_source(&layer->files[i]))
			fprintf(to, "f\t%s\n", layer->files[i].path);
	fclose(to);
	python_ask(python, text);
	free(text);
}

/* "cpython-312", then numbers, with tabs between. */
static void take_sum(struct arena *arena, struct compiled *compiled, const char *text)
{
	enum { FILES, BYTES, NEW_BYTES, FAILED, BEFORE, AFTER, NR_NUMBERS };
	unsigned long long numbers[NR_NUMBERS];
	size_t n = strcspn(text, "\t"), i;
	const char *p = text + n;
	char *end;

	for (i = 0; i < NR_NUMBERS && *p == '\t'; i++, p = end)
		numbers[i] = strtoull(p + 1, &end, 10);
	if (i < NR_NUMBERS)
		return;
	compiled->tag = arena_strndup(arena, text, n);
	compiled->nr_files = (size_t)numbers[FILES];
	compiled->bytes = numbers[BYTES];
	compiled->new_bytes = numbers[NEW_BYTES];
	compiled->nr_failed = (size_t)numbers[FAILED];
	compiled->ms_before = (unsigned)numbers[BEFORE];
	compiled->ms_after = (unsigned)numbers[AFTER];
}

static void take_line(struct arena *arena, struct compiled *compiled, char *line, const char **problem)
{
	char *value = strchr(line, '\t');

	line[strcspn(line, "\n")] = '\0';
	if (!value)
		return;
	*value++ = '\0';
	if (!strcmp(line, "made"))
		*VEC_PUSH(arena, compiled, made) = arena_strdup(arena, value);
	else if (!strcmp(line, "error"))
		*problem = arena_strdup(arena, value);
	else if (!strcmp(line, "done"))
		take_sum(arena, compiled, value);
}

static void listen(struct arena *arena, struct python *python, struct compiled *compiled,
		   const char **problem)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, python->from) > 0)
		take_line(arena, compiled, line, problem);
	free(line);
}

int bytecode_compile(struct arena *arena, const struct layer *layer, const char *name, const char *tag,
		     struct compiled *compiled, struct error *err)
{
	char *root = realpath(layer->root, NULL);
	const char *problem = NULL;
	struct python python;
	int rc, status;

	*compiled = (struct compiled){0};
	if (!root)
		return error_errno(err, "opening %s", layer->root);
	rc = python_start(&python, name, script, err);
	if (!rc) {
		ask(&python, layer, root, tag);
		listen(arena, &python, compiled, &problem);
		status = python_finish(&python);
		if (problem)
			rc = error_add(err, ERROR_RUN, "compiling with %s: %s", name, problem);
		else if (status || !compiled->tag)
			rc = error_add(err, ERROR_RUN, "compiling with %s: it ended with status %d", name,
				       status);
	}
	free(root);
	return rc;
}

static void remove_at(int root, const char *path, int flags)
{
	const char *name;
	int dir = dir_open_parent(root, path, &name);

	if (dir < 0)
		return;
	unlinkat(dir, name, flags);
	close(dir);
}

void bytecode_remove(struct arena *arena, const struct layer *layer, const struct compiled *compiled)
{
	int root = open(layer->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; root >= 0 && i < compiled->nr_made; i++) {
		remove_at(root, compiled->made[i], 0);
		remove_at(root, path_dir(arena, compiled->made[i]), AT_REMOVEDIR);
	}
	if (root >= 0)
		close(root);
}
