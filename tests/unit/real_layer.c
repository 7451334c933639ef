/* See real_layer.h. The tree is built by a shell script, as a person would. */
#include "real_layer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply/dirs.h"
#include "sofold/apply.h"
#include "sofold/vec.h"

/* Small libraries in each package, under the names $alpha and $gamma. */
static const char small[] =
	"alpha=libfoo-1111aaaa.so.1 gamma=libfoo-2222bbbb.so.1\n"
	"echo 'int foo(int x); int foo(int x) { return x + 1; }' > foo.c\n"
	"echo 'int foo(int); int PyInit__core(void); int PyInit__core(void) { return foo(41); }' > core.c\n"
	"lib() { ${CC:-gcc} -g -shared -fPIC -Wl,--build-id=none -Wl,-soname,$(basename $1) -o $1 foo.c; }\n"
	"ext() { ${CC:-gcc} -g -shared -fPIC -o $1/_core.so core.c $2 -Wl,-rpath,'$ORIGIN'/../$1.libs; }\n";

/* What passes for an OpenBLAS (tests/e2e/openblas.c, in the source tree that
 * is the script's second argument): LP64 in alpha, ILP64 in gamma. */
static const char blas[] =
	"alpha=libopenblas-1111aaaa.so gamma=libopenblas64_-2222bbbb.so\n"
	"model() { case $1 in alpha*) echo -DN=int -DDOT=cblas_ddot;;\n"
	"  *) echo -DILP64 -DN=long -DDOT=cblas_ddot64_;; esac; }\n"
	"echo 'double DOT(N, const double *, N, const double *, N); int PyInit__core(void);\n"
	"  int PyInit__core(void) { double x[] = {1, 4}; return (int)DOT(2, x, 1, (double[]){2, 10}, 1); }' > "
	"core.c\n"
	"top=$2; part() { ${CC:-gcc} -g -fPIC -I$top/src $* -c $top/tests/e2e/openblas.c; }\n"
	"lib() { part $(model $1) -o works.o; part $(model $1) -DSTUBS -o stubs.o;\n"
	"  ${CC:-gcc} -shared -Wl,--build-id=none -Wl,-soname,$(basename $1) -o $1 works.o stubs.o; rm *.o; }\n"
	"ext() { ${CC:-gcc} -g -shared -fPIC $(model $1) -o $1/_core.so core.c $2 "
	"-Wl,-rpath,'$ORIGIN'/../$1.libs; }\n";

static const char script[] =
	"mkdir alpha alpha.libs alpha-1.0.dist-info gamma gamma.libs gamma-2.0.dist-info\n"
	"lib alpha.libs/$alpha; lib gamma.libs/$gamma\n"
	"ext alpha alpha.libs/$alpha; ext gamma gamma.libs/$gamma\n"
	"ln gamma/_core.so gamma/_alias.so; rm *.c\n"
	"mkdir -p gamma/tests/data; echo test > gamma/tests/test_a.py; echo 1 > gamma/tests/data/a.txt\n"
	"echo 2 > gamma/tests/data/b.txt\n"
	"echo notes > alpha/notes.txt; ln -s alpha/notes.txt notes.txt\n"
	"chmod 640 gamma/_core.so; chmod 755 alpha.libs/$alpha\n"
	"row() { h=$(openssl dgst -sha256 -binary $1 | base64 | tr '+/' '-_' | tr -d '=');\n"
	"  printf '%s,sha256=%s,%s\\r\\n' $1 $h $(stat -c %s $1); }\n"
	"wheel() { for f in $(find $1 $1.libs -type f | sort); do row $f; done > $2/RECORD; printf '%s\\r\\n' $2/RECORD,, >> "
	"$2/RECORD; }\n"
	"wheel alpha alpha-1.0.dist-info; wheel gamma gamma-2.0.dist-info\n"
	"find . -type f -exec touch -d '2021-02-03 04:05:06.789 UTC' {} +\n";

/* --------- the tree ------------------ */

static char *new_directory(struct arena *arena)
{
	const char *tmp = getenv("TMPDIR");
	char *root = arena_printf(arena, "%s/sofold-real.XXXXXX", tmp && *tmp ? tmp : "/tmp");

	return mkdtemp(root);
}

static char *build(struct arena *arena, const char *libraries, const char *top)
{
	char *root = new_directory(arena);
	char *command = arena_printf(arena, "sh -s '%s' '%s'", root ? root : "", top);
	FILE *shell = root ? popen(command, "w") : NULL;

	if (!shell)
		return NULL;
	fprintf(shell, "set -e; cd \"$1\"\n%s%s", libraries, script);
	return pclose(shell) ? NULL : root;
}

char *real_tree(struct arena *arena)
{
	return build(arena, small, "");
}

char *real_blas_tree(struct arena *arena, const char *top)
{
	return build(arena, blas, top);
}

char *real_copy(struct arena *arena, const char *root)
{
	char *copy = new_directory(arena);
	struct error err = {""};

	if (!copy || rmdir(copy) || tree_copy(root, copy, &err)) {
		fprintf(stderr, "real_copy: %s\n", err.message);
		exit(1);
	}
	return copy;
}

void real_remove(const char *root)
{
	struct error err = {""};

	if (tree_remove(root, &err))
		fprintf(stderr, "real_remove: %s\n", err.message);
}

/* --------- its model ------------------ */

static bool is_object(const char *path)
{
	return strstr(path, ".so") != NULL;
}

static void add_object(struct layer *layer, file_id id)
{
	struct file *file = &layer->files[id];
	struct object *object;
	size_t i;

	for (i = 0; i < layer->nr_objects; i++)
		if (layer->files[layer->objects[i].file].ino == file->ino)
			break;
	if (i == layer->nr_objects) {
		object = VEC_PUSH(layer->arena, layer, objects);
		object->file = id;
		object->size = file->size;
		object->links = arena_array(layer->arena, 8, sizeof *object->links);
	}
	object = &layer->objects[i];
	object->links[object->nr_links++] = id;
	file->object = (object_id)i;
}

static void add_owner(struct layer *layer, file_id id)
{
	struct owner *owner = VEC_PUSH(layer->arena, layer, owners);

	*owner = (struct owner){.name = layer->files[id].path, .version = "1", .base = "", .record = id};
}

static void add_directory(struct layer *layer, int parent, const char *name, const char *path)
{
	int dir = openat(parent, name, O_RDONLY | O_DIRECTORY);
	struct dir_names names = {0};
	struct stat st;

	dir_list(layer->arena, dir, &names);
	for (size_t i = 0; i < names.nr_names; i++) {
		const char *entry = names.names[i];
		char *full = arena_printf(layer->arena, "%s%s%s", path, *path ? "/" : "", entry);

		fstatat(dir, entry, &st, AT_SYMLINK_NOFOLLOW);
		if (S_ISDIR(st.st_mode) && strcmp(entry, APPLY_STAGING) != 0)
			add_directory(layer, dir, entry, full);
		else if (!S_ISDIR(st.st_mode))
			*VEC_PUSH(layer->arena, layer, files) = (struct file){
				.path = full,
				.name = entry,
				.kind = S_ISREG(st.st_mode) ? FILE_REGULAR : FILE_SYMLINK,
				.mode = st.st_mode,
				.size = (uint64_t)st.st_size,
				.dev = st.st_dev,
				.ino = st.st_ino,
				.nr_links = st.st_nlink,
				.mtime_sec = st.st_mtim.tv_sec,
				.mtime_nsec = st.st_mtim.tv_nsec,
				.owner = NO_ID,
				.object = NO_ID,
			};
	}
	close(dir);
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

struct layer *real_layer(struct arena *arena, const char *root)
{
	struct layer *layer = arena_alloc(arena, sizeof *layer);

	layer->arena = arena;
	layer->root = root;
	add_directory(layer, AT_FDCWD, root, "");
	qsort(layer->files, layer->nr_files, sizeof *layer->files, compare_files);
	for (file_id i = 0; i < layer->nr_files; i++) {
		if (layer->files[i].kind == FILE_REGULAR && is_object(layer->files[i].path))
			add_object(layer, i);
		if (!strcmp(layer->files[i].name, "RECORD"))
			add_owner(layer, i);
	}
	return layer;
}

/* --------- its plan ------------------ */

static file_id find(const struct layer *layer, const char *path)
{
	for (file_id i = 0; i < layer->nr_files; i++)
		if (!strcmp(layer->files[i].path, path))
			return i;
	return NO_ID;
}

static struct action *add_action(struct arena *arena, struct plan *plan, const struct layer *layer,
				 enum action_kind kind, const char *path)
{
	struct action *action = VEC_PUSH(arena, plan, actions);

	action->kind = kind;
	action->file = find(layer, path);
	action->object = layer->files[action->file].object;
	action->edits.compact = true;
	action->edits.page = 4096;
	action->because = "a test wants it";
	return action;
}

static const struct rename to_alpha = {"libfoo-2222bbbb.so.1", "libfoo-1111aaaa.so.1"};
static const struct rename to_placed = {"libfoo-2222bbbb.so.1", "libplaced.so.1"};

static void redirect(struct action *action, const struct rename *rename, const char *search_path)
{
	action->edits.needed = rename;
	action->edits.nr_needed = 1;
	action->edits.search_path = search_path;
	action->edits.search_kind = SEARCH_RUNPATH;
}

/* Whatever gamma's modules need instead of their library; NULL: nothing. */
static void add_modules(struct arena *arena, struct plan *plan, const struct layer *layer,
			const struct rename *rename, const char *search_path)
{
	static const char *const paths[] = {"gamma/_alias.so", "gamma/_core.so"};
	file_id alias = find(layer, paths[0]), core = find(layer, paths[1]);

	/* One inode, unless somebody has parted the two. */
	for (size_t i = alias == NO_ID; i < 2; i++) {
		struct action *action;

		if (i && alias != NO_ID && layer->files[core].object == layer->files[alias].object)
			continue;
		action = add_action(arena, plan, layer, ACTION_REWRITE, paths[i]);
		if (rename)
			redirect(action, rename, search_path);
	}
}

static void add_alpha(struct arena *arena, struct plan *plan, const struct layer *layer)
{
	add_action(arena, plan, layer, ACTION_REWRITE, "alpha.libs/libfoo-1111aaaa.so.1");
	add_action(arena, plan, layer, ACTION_REWRITE, "alpha/_core.so");
}

static void add_rest(struct arena *arena, struct plan *plan, const struct layer *layer)
{
	if (find(layer, "gamma.libs/libfoo-2222bbbb.so.1") != NO_ID)
		add_action(arena, plan, layer, ACTION_DELETE, "gamma.libs/libfoo-2222bbbb.so.1");
	add_action(arena, plan, layer, ACTION_RECORD, "alpha-1.0.dist-info/RECORD");
	add_action(arena, plan, layer, ACTION_RECORD, "gamma-2.0.dist-info/RECORD");
}

struct plan *real_plan(struct arena *arena, const struct layer *layer)
{
	struct plan *plan = arena_alloc(arena, sizeof *plan);
	bool first_run = find(layer, "gamma.libs/libfoo-2222bbbb.so.1") != NO_ID;

	add_alpha(arena, plan, layer);
	add_modules(arena, plan, layer, first_run ? &to_alpha : NULL, "$ORIGIN/../alpha.libs");
	add_rest(arena, plan, layer);
	return plan;
}

/* --------- the plan that places a file ------------------ */

static struct span read_bytes(struct arena *arena, const char *root, const struct file *file)
{
	int fd = open(arena_printf(arena, "%s/%s", root, file->path), O_RDONLY);
	uint8_t *bytes = arena_alloc(arena, file->size);
	ssize_t n = read(fd, bytes, file->size);

	close(fd);
	return (struct span){bytes, n < 0 ? 0 : (size_t)n};
}

static void place(struct arena *arena, struct plan *plan, struct layer *layer)
{
	const struct file *old = &layer->files[find(layer, "gamma.libs/libfoo-2222bbbb.so.1")];
	struct object object = {.offer = read_bytes(arena, layer->root, old)};
	object_id id = layer_add_offer(layer, REAL_PLACED, (owner_id)(layer->nr_owners - 1), &object);
	struct action *action = VEC_PUSH(arena, plan, actions);

	action->kind = ACTION_PLACE;
	action->file = layer->objects[id].file;
	action->object = id;
	action->like = find(layer, "gamma.libs/libfoo-2222bbbb.so.1");
	action->edits.compact = true;
	action->edits.page = 4096;
	action->edits.soname = "libplaced.so.1";
	action->because = "a test wants it";
}

struct plan *real_placing_plan(struct arena *arena, struct layer *layer)
{
	struct plan *plan = arena_alloc(arena, sizeof *plan);
	bool first_run = find(layer, "gamma.libs/libfoo-2222bbbb.so.1") != NO_ID;

	if (first_run)
		place(arena, plan, layer);
	else
		add_action(arena, plan, layer, ACTION_REWRITE, REAL_PLACED);
	add_alpha(arena, plan, layer);
	add_modules(arena, plan, layer, first_run ? &to_placed : NULL, NULL);
	add_rest(arena, plan, layer);
	return plan;
}

/* --------- snapshots ------------------ */

static uint64_t checksum(int dir, const char *name, uint64_t size)
{
	uint64_t sum = 0xcbf29ce484222325u;
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW);
	uint8_t *bytes = malloc(size + 1);
	ssize_t n = fd < 0 ? readlinkat(dir, name, (char *)bytes, size) : read(fd, bytes, size);

	for (ssize_t i = 0; i < n; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3u;
	free(bytes);
	if (fd >= 0)
		close(fd);
	return sum;
}

/* The first path with the same inode: how links are told in the text. */
struct seen {
	ino_t ino;
	const char *path;
};

struct picture {
	struct arena *arena;
	FILE *out;
	struct seen *seen;
	size_t nr_seen, alloc_seen;
};

static const char *first_path(struct picture *picture, const struct stat *st, const char *path)
{
	for (size_t i = 0; i < picture->nr_seen; i++)
		if (picture->seen[i].ino == st->st_ino)
			return picture->seen[i].path;
	*VEC_PUSH(picture->arena, picture, seen) = (struct seen){st->st_ino, path};
	return path;
}

/* Whether a directory has a file in it, however far below. */
static bool has_files(struct arena *arena, int parent, const char *name)
{
	int dir = openat(parent, name, O_RDONLY | O_DIRECTORY);
	struct dir_names names = {0};
	bool found = false;
	struct stat st;

	dir_list(arena, dir, &names);
	for (size_t i = 0; i < names.nr_names && !found; i++)
		found = !fstatat(dir, names.names[i], &st, AT_SYMLINK_NOFOLLOW) &&
			(!S_ISDIR(st.st_mode) || has_files(arena, dir, names.names[i]));
	close(dir);
	return found;
}

/* An empty directory may stay where it may not be removed. */
static bool is_drawn(struct picture *picture, int dir, const char *entry, const struct stat *st)
{
	return !S_ISDIR(st->st_mode) || !strcmp(entry, APPLY_STAGING) ||
	       has_files(picture->arena, dir, entry);
}

static void draw(struct picture *picture, int parent, const char *name, const char *path)
{
	int dir = openat(parent, name, O_RDONLY | O_DIRECTORY);
	struct dir_names names = {0};
	struct stat st;

	dir_list(picture->arena, dir, &names);
	for (size_t i = 0; i < names.nr_names; i++) {
		const char *entry = names.names[i];
		char *full = arena_printf(picture->arena, "%s%s%s", path, *path ? "/" : "", entry);

		fstatat(dir, entry, &st, AT_SYMLINK_NOFOLLOW);
		if (!is_drawn(picture, dir, entry, &st))
			continue;
		fprintf(picture->out, "%s %o %u:%u", full, (unsigned)st.st_mode, st.st_uid, st.st_gid);
		if (S_ISDIR(st.st_mode)) {
			fputc('\n', picture->out);
			draw(picture, dir, entry, full);
			continue;
		}
		fprintf(picture->out, " =%s %lld.%09ld %lld %016" PRIx64 "\n", first_path(picture, &st, full),
			(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_size,
			checksum(dir, entry, (uint64_t)st.st_size));
	}
	close(dir);
}

char *real_snapshot(struct arena *arena, const char *root)
{
	struct picture picture = {.arena = arena};
	char *text = NULL, *copy;
	size_t n;

	picture.out = open_memstream(&text, &n);
	draw(&picture, AT_FDCWD, root, "");
	fclose(picture.out);
	copy = arena_strdup(arena, text);
	free(text);
	return copy;
}
