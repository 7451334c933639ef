/*
 * What is wrong with a layer as it is.
 *
 * Two kinds of rules. Some look at one object by itself: its machine, its
 * interpreter tag, its segments, its search path. The others ask what happens
 * when it is loaded. They are asked of every object in the scope of every
 * root (roots.h), because an object may find its libraries under one root and
 * not under another; what several roots have in common is reported once.
 */
#include "sofold/check.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "layer/roots.h"

/* Bytes; the smallest page of every machine there is a platform for. */
#define SMALLEST_PAGE 4096

struct check {
	struct arena *arena;
	struct layer *layer;
	const struct platform *platform;
	bool named;
	const struct object *object; /* looked at */
	bool **reported; /* for each object: of its needed names, of its verneeds, of its host versions */
};

static void add_finding(struct check *check, const char *rule, enum severity severity, const char *message)
{
	layer_add_finding(check->layer, rule, severity, object_path(check->layer, check->object), "%s",
			  message);
}

/* ---- Machines ---- */

/* The name of a processor; NULL for a coprocessor (CUDA, BPF …), whose objects
 * the system's loader never meets. */
static const char *machine_name(const struct object *object)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{EM_386, "i386"},      {EM_X86_64, "x86-64"}, {EM_ARM, "ARM"},	    {EM_AARCH64, "AArch64"},
		{EM_PPC64, "PPC64"},   {EM_S390, "S/390"},    {EM_RISCV, "RISC-V"}, {EM_MIPS, "MIPS"},
		{EM_SPARCV9, "SPARC"}, {258, "LoongArch"}, /* EM_LOONGARCH */
	};

	if (object->type != ET_DYN && object->type != ET_EXEC)
		return NULL;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (names[i].machine == object->machine)
			return names[i].name;
	}
	return NULL;
}

static bool fits_machine(const struct check *check, const struct object *object)
{
	return object->machine == check->platform->machine && object->elf_class == ELFCLASS64;
}

static void check_machine(struct check *check)
{
	const char *name = machine_name(check->object);

	if (!name || fits_machine(check, check->object))
		return;
	add_finding(check, "foreign-machine", check->named ? SEVERITY_ERROR : SEVERITY_WARNING,
		    arena_printf(check->arena, "is a %s-bit object for %s, which %s does not load",
				 check->object->elf_class == ELFCLASS64 ? "64" : "32", name,
				 check->platform->name));
}

static size_t count_machine(const struct layer *layer, const char *name)
{
	size_t nr = 0;

	for (size_t i = 0; i < layer->nr_objects; i++) {
		const char *other = machine_name(&layer->objects[i]);

		nr += other && !strcmp(other, name);
	}
	return nr;
}

/* Says once, for the whole tree, which machines its objects are for. */
static void check_machines(struct check *check)
{
	const struct layer *layer = check->layer;
	const char *list = "";
	size_t nr_machines = 0;

	for (size_t i = 0; i < layer->nr_objects; i++) {
		const char *name = machine_name(&layer->objects[i]);
		size_t before = 0;

		while (name && before < i && layer->objects[before].machine != layer->objects[i].machine)
			before++;
		if (!name || before < i)
			continue;
		list = arena_printf(check->arena, "%s%s%s (%zu)", list, nr_machines++ ? ", " : "", name,
				    count_machine(layer, name));
	}
	if (nr_machines > 1)
		layer_add_finding(check->layer, "mixed-machines", SEVERITY_WARNING, ".",
				  "objects of several machines in one tree: %s", list);
}

/* ---- Interpreters ---- */

/* Bytes of the interpreter in an extension module's tag: "cpython-312" of
 * "cpython-312-x86_64-linux-gnu". 0: any interpreter may load it. */
static size_t interpreter_length(const struct object *object)
{
	const char *dash;

	if (!object->is_extension || !object->tag || !strncmp(object->tag, "abi", 3))
		return 0;
	dash = strchr(object->tag, '-');
	return dash ? (size_t)(dash - object->tag) + 1 + strcspn(dash + 1, "-") : strlen(object->tag);
}

static bool same_interpreter(const struct object *object, const char *tag, size_t length)
{
	return interpreter_length(object) == length && !memcmp(object->tag, tag, length);
}

/* The interpreter most extension modules are for; NULL: none says. Among
 * equals the one met first. */
static const char *usual_interpreter(const struct check *check)
{
	const struct layer *layer = check->layer;
	const struct object *usual = NULL;
	size_t most = 0;

	for (size_t i = 0; i < layer->nr_objects; i++) {
		const struct object *object = &layer->objects[i];
		size_t length = interpreter_length(object), nr = 0;

		if (!length || (usual && same_interpreter(object, usual->tag, interpreter_length(usual))))
			continue;
		for (size_t k = i; k < layer->nr_objects; k++)
			nr += same_interpreter(&layer->objects[k], object->tag, length);
		if (nr > most) {
			most = nr;
			usual = object;
		}
	}
	return usual ? arena_strndup(check->arena, usual->tag, interpreter_length(usual)) : NULL;
}

/* That of all extension modules, when there is one. */
static const char *only_interpreter(const struct layer *layer)
{
	const char *only = NULL;

	for (size_t i = 0; i < layer->nr_objects; i++) {
		const struct object *object = &layer->objects[i];
		size_t length = interpreter_length(object);

		if (length && only && !same_interpreter(object, only, strlen(only)))
			return NULL;
		if (length && !only)
			only = arena_strndup(layer->arena, object->tag, length);
	}
	return only;
}

const char *layer_interpreter(const struct layer *layer, const struct platform *platform)
{
	const char *tag = platform->tag ? platform->tag : only_interpreter(layer);
	size_t n = tag ? strlen(tag) : 0;

	return n ? arena_strndup(layer->arena, tag, n - (tag[n - 1] == 'm' || tag[n - 1] == 't')) : NULL;
}

static void check_interpreter(struct check *check, const char *expected)
{
	size_t length = interpreter_length(check->object);

	if (!expected || !length || same_interpreter(check->object, expected, strlen(expected)))
		return;
	add_finding(check, "foreign-interpreter", SEVERITY_WARNING,
		    arena_printf(check->arena, "is for %.*s, which is not the %s of %s", (int)length,
				 check->object->tag, expected,
				 check->platform->tag ? check->platform->name : "most of the layer"));
}

/* ---- Segments ---- */

static bool is_congruent(const struct segment *segment, uint64_t align)
{
	return align <= 1 || (segment->offset - segment->vaddr) % align == 0;
}

/*
 * gABI, "Program Loading": p_offset and p_vaddr are congruent modulo p_align
 * and the page. glibc before 2.35 tests p_align, later ones the page
 * (elf/dl-load.c, _dl_map_object_from_fd), mmap in any case the page.
 */
static void check_segments(struct check *check)
{
	bool broken = false, large = false;

	for (size_t i = 0; i < check->object->nr_segments; i++) {
		const struct segment *segment = &check->object->segments[i];

		if (segment->type != PT_LOAD || !segment->filesz)
			continue;
		broken |= !is_congruent(segment, segment->align) || !is_congruent(segment, SMALLEST_PAGE);
		large |= !is_congruent(segment, check->platform->page);
	}
	if (broken)
		add_finding(check, "misaligned", SEVERITY_ERROR,
			    "file offsets and addresses of its segments do not agree; a tool has broken it");
	else if (large)
		add_finding(check, "misaligned", SEVERITY_WARNING,
			    arena_printf(check->arena, "does not load where pages are %llu bytes",
					 (unsigned long long)check->platform->page));
}

/* ---- Search paths ---- */

static void report_escape(void *context, const char *entry)
{
	struct check *check = context;

	/* Directories the platform is known to have are no surprise there. */
	if (platform_in_layer(check->arena, check->platform, check->layer, entry))
		return;
	for (const char *const *p = check->platform->library_path; p && *p; p++) {
		if (!strcmp(*p, entry))
			return;
	}
	add_finding(check, "escaping-path", SEVERITY_WARNING,
		    arena_printf(check->arena, "its search path leads out of the tree: \"%s\"", entry));
}

/* ---- What loading finds ---- */

/* True the first time it is asked about a slot of the object looked at. */
static bool first_time(struct check *check, size_t slot)
{
	size_t id = (size_t)(check->object - check->layer->objects);
	bool first;

	if (!check->reported[id])
		check->reported[id] = arena_array(check->arena,
						  check->object->nr_needed + check->object->nr_verneeds + 1,
						  sizeof **check->reported);
	first = !check->reported[id][slot];
	check->reported[id][slot] = true;
	return first;
}

/* " (when scipy/foo.so is loaded)" when the object is not the root itself. */
static const char *under(const struct check *check, const struct root *root)
{
	const struct object *object = &check->layer->objects[root->object];

	if (object == check->object)
		return "";
	return arena_printf(check->arena, " (when %s is loaded)", object_path(check->layer, object));
}

static void check_needed(struct check *check, const struct root *root, const struct loaded *loaded)
{
	for (size_t i = 0; i < check->object->nr_needed; i++) {
		const char *name = check->object->needed[i];

		if (loaded->targets[i].kind == TARGET_MISSING && first_time(check, i))
			add_finding(check, "missing-library", SEVERITY_ERROR,
				    arena_printf(check->arena,
						 "needs %s, which neither the layer nor %s has%s", name,
						 check->platform->name, under(check, root)));
		if (loaded->targets[i].kind == TARGET_HOST &&
		    platform_provision(check->platform, name) == PROVISION_FULL_HOST && first_time(check, i))
			add_finding(
				check, "host-library", SEVERITY_NOTE,
				arena_printf(check->arena, "needs %s, which the host must provide", name));
	}
}

static void check_version_need(struct check *check, const struct root *root, const struct target *target,
			       const struct verneed *need, size_t slot)
{
	const struct object *provider;

	if (!target && first_time(check, slot))
		add_finding(check, "missing-version", SEVERITY_ERROR,
			    arena_printf(check->arena,
					 "wants versions of %s, a name nothing is loaded under%s", need->file,
					 under(check, root)));
	if (!target || target->kind != TARGET_OBJECT)
		return;
	provider = &check->layer->objects[target->object];
	for (size_t i = 0; i < need->nr_versions; i++) {
		if (!object_lacks_version(provider, need, i) || !first_time(check, slot))
			continue;
		add_finding(check, "missing-version", SEVERITY_ERROR,
			    arena_printf(check->arena, "wants %s of %s, which %s lacks%s", need->versions[i],
					 need->file, object_path(check->layer, provider),
					 under(check, root)));
	}
}

/* x of "GLIBC_2.x" or "GLIBC_2.x.y" for the prefix "GLIBC_2."; -1: another
 * name. Relative relocations came with 2.36 under a name of their own. */
static long minor_version(const char *version, const char *prefix)
{
	size_t length = strlen(prefix);

	if (!strcmp(version, "GLIBC_ABI_DT_RELR") && !strcmp(prefix, "GLIBC_2."))
		return 36;
	if (strncmp(version, prefix, length) != 0 || version[length] < '0' || version[length] > '9')
		return -1;
	return strtol(version + length, NULL, 10);
}

/* The newest version that the object wants of the host's libraries; NULL:
 * none above has. */
static const char *newest_wanted(const struct check *check, const struct root *root, size_t at,
				 const char *prefix, unsigned has)
{
	const char *newest = NULL;
	long above = has;

	for (size_t i = 0; i < check->object->nr_verneeds; i++) {
		const struct verneed *need = &check->object->verneeds[i];
		const struct target *target = scope_verneed_target(check->layer, &root->scope, at, need);

		for (size_t k = 0; target && target->kind == TARGET_HOST && k < need->nr_versions; k++) {
			long minor = minor_version(need->versions[k], prefix);

			if (minor <= above || need->weak[k])
				continue;
			above = minor;
			newest = need->versions[k];
		}
	}
	return newest;
}

static void check_host_version(struct check *check, const struct root *root, size_t at, const char *prefix,
			       unsigned has)
{
	const char *newest = has ? newest_wanted(check, root, at, prefix, has) : NULL;

	if (newest)
		add_finding(check, "glibc-too-new", SEVERITY_ERROR,
			    arena_printf(check->arena, "needs %s; %s has no more than %s%u", newest,
					 check->platform->name, prefix, has));
}

static void check_loaded(struct check *check, const struct root *root, size_t at)
{
	const struct object *object = &check->layer->objects[root->scope.loaded[at].object];

	check->object = object;
	check_needed(check, root, &root->scope.loaded[at]);
	if (check->platform->libc != LIBC_GLIBC)
		return; /* musl ignores required versions */
	for (size_t i = 0; i < object->nr_verneeds; i++) {
		const struct verneed *need = &object->verneeds[i];

		check_version_need(check, root, scope_verneed_target(check->layer, &root->scope, at, need),
				   need, object->nr_needed + i);
	}
	if (first_time(check, object->nr_needed + object->nr_verneeds)) {
		check_host_version(check, root, at, "GLIBC_2.", check->platform->glibc);
		check_host_version(check, root, at, "GLIBCXX_3.4.", check->platform->glibcxx);
	}
}

static void check_loading(struct check *check)
{
	struct roots roots = roots_load(check->arena, check->layer, check->platform);

	for (size_t i = 0; i < roots.nr_items; i++) {
		for (size_t k = 0; k < roots.items[i].scope.nr_loaded; k++)
			check_loaded(check, &roots.items[i], k);
	}
}

/* ---- Bytecode ---- */

enum trouble { STALE, ALONE, FOREIGN, NR_TROUBLES, NO_TROUBLE = NR_TROUBLES };

static const struct {
	const char *rule;
	enum severity severity;
	const char *what, *means;
} troubles[NR_TROUBLES] = {
	[STALE] = {"stale-bytecode", SEVERITY_WARNING, "made from another state of its source",
		   "each import compiles the source again"},
	[ALONE] = {"stale-bytecode", SEVERITY_NOTE, "without its source", "nothing reads it"},
	[FOREIGN] = {"foreign-bytecode", SEVERITY_NOTE, "for another interpreter than the layer's",
		     "nothing reads it"},
};

/* Of one wheel. */
struct tally {
	size_t nr;
	const char *first;
};

bool bytecode_is_foreign(const struct file *file, const char *interpreter)
{
	const char *tag = strchr(file->name, '.');
	size_t n = interpreter ? strlen(interpreter) : 0;

	if (!tag || !n || strncmp(interpreter, "cpython-", strlen("cpython-")))
		return false;
	if (strncmp(tag + 1, interpreter, n))
		return true;
	tag += 1 + n;
	tag += *tag == 't';
	return *tag != '.';
}

static enum trouble bytecode_trouble(const struct file *file, const char *interpreter)
{
	if (file->bytecode == BYTECODE_NONE)
		return NO_TROUBLE;
	if (strstr(file->path, "__pycache__/") && bytecode_is_foreign(file, interpreter))
		return FOREIGN;
	if (file->bytecode == BYTECODE_VALID)
		return NO_TROUBLE;
	return file->bytecode == BYTECODE_STALE ? STALE : ALONE;
}

/* Its own, or else its source's: what was compiled after the installation stands
 * in no RECORD. */
static owner_id bytecode_owner(struct arena *arena, const struct layer *layer, const struct file *file)
{
	const char *source = file->owner == NO_ID ? path_of_source(arena, file->path) : NULL;
	file_id py = source ? layer_find_file(layer, source) : NO_ID;

	return py == NO_ID ? file->owner : layer->files[py].owner;
}

static void add_tally(struct layer *layer, enum trouble trouble, const struct tally *tally)
{
	if (tally->nr)
		layer_add_finding(layer, troubles[trouble].rule, troubles[trouble].severity, tally->first,
				  "bytecode %s, %zu file%s: %s; sofold shrink removes it",
				  troubles[trouble].what, tally->nr, tally->nr == 1 ? "" : "s",
				  troubles[trouble].means);
}

void layer_check_bytecode(struct layer *layer, const struct platform *platform)
{
	struct arena *arena = arena_new();
	const char *interpreter = layer_interpreter(layer, platform);
	struct tally(*tallies)[NR_TROUBLES] = arena_array(arena, layer->nr_owners + 1, sizeof *tallies);

	for (size_t i = 0; i < layer->nr_files; i++) {
		const struct file *file = &layer->files[i];
		enum trouble trouble = bytecode_trouble(file, interpreter);
		owner_id owner = trouble == NO_TROUBLE ? NO_ID : bytecode_owner(arena, layer, file);
		struct tally *tally = tallies[owner == NO_ID ? layer->nr_owners : owner];

		if (trouble == NO_TROUBLE)
			continue;
		tally += trouble;
		if (!tally->nr++)
			tally->first = file->path;
	}
	for (size_t i = 0; i <= layer->nr_owners; i++)
		for (enum trouble trouble = STALE; trouble < NR_TROUBLES; trouble++)
			add_tally(layer, trouble, &tallies[i][trouble]);
	arena_free(arena);
}

/* ---- The checks ---- */

void layer_check(struct layer *layer, const struct platform *platform, bool named)
{
	struct check check = {.arena = arena_new(), .layer = layer, .platform = platform, .named = named};
	const char *interpreter;

	check.reported = arena_array(check.arena, layer->nr_objects, sizeof *check.reported);
	interpreter = platform->tag ? platform->tag : usual_interpreter(&check);
	for (size_t i = 0; i < layer->nr_objects; i++) {
		check.object = &layer->objects[i];
		check_machine(&check);
		check_interpreter(&check, interpreter);
		check_segments(&check);
		resolve_escapes(check.arena, layer, check.object, report_escape, &check);
	}
	check_machines(&check);
	check_loading(&check);
	arena_free(check.arena);
}
