/*
 * One walk over a tree, on all cores: names, sizes and kinds of everything in
 * it, and which files are ELF.
 *
 * Directories are opened one below the other (openat, O_NOFOLLOW), so a
 * directory swapped for a symlink while we walk cannot lead us out. Symlinks
 * are noted, never followed. A regular file is opened once, for its size and
 * its first four bytes: names say nothing of what is ELF, and an open next to
 * an open directory costs less than two look-ups by path.
 *
 * Workers share a stack of directories that are open and wait to be read. A
 * worker that finds a subdirectory puts it there while the stack is short,
 * and reads it itself otherwise, which bounds the number of open files. Each
 * worker has a pile of its own for what it finds, and sorts it; at the end they are merged
 * and copied into the layer.
 */
#include "scan/walk.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sofold/apply.h"
#include "sofold/pool.h"
#include "sofold/vec.h"

/* Deeper trees than any path can name are somebody's joke. A few files are added to
 * a layer later (layer_add_offer()): there is room for them. */
enum { MAX_DEPTH = 256, MAX_WAITING = 64, ROOM = 8 };

struct directory {
	int fd;
	unsigned depth;
	const char *path;
};

/* What one worker has found. */
struct pile {
	struct layer layer; /* its arena and findings */
	const struct file **files;
	size_t nr_files, alloc_files;
};

struct walk {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct directory waiting[MAX_WAITING];
	size_t nr_waiting, nr_busy;
	struct pile piles[POOL_MAX_WORKERS];
	const struct walk_visitor *visitor;
};

struct walker {
	struct walk *walk;
	struct pile *pile; /* its own */
	struct arena *arena;
	unsigned number;
	unsigned depth; /* of the directory it reads */
};

static enum file_kind kind_of(mode_t mode)
{
	return S_ISREG(mode) ? FILE_REGULAR : S_ISLNK(mode) ? FILE_SYMLINK : FILE_OTHER;
}

static const char *read_link(struct arena *arena, int dirfd, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(dirfd, name, target, sizeof target);

	return n < 0 ? "" : arena_strndup(arena, target, (size_t)n);
}

static void unreadable(struct walker *walker, const char *path)
{
	layer_add_finding(&walker->pile->layer, "unreadable", SEVERITY_ERROR, path, "cannot be read: %s",
			  strerror(errno));
}

/* Takes ownership of the directory, or says that there is no room. */
static bool put_off(struct walk *walk, const struct directory *directory)
{
	bool room;

	pthread_mutex_lock(&walk->lock);
	room = walk->nr_waiting < MAX_WAITING;
	if (room)
		walk->waiting[walk->nr_waiting++] = *directory;
	pthread_cond_signal(&walk->changed);
	pthread_mutex_unlock(&walk->lock);
	return room;
}

static void read_directory(struct walker *walker, const struct directory *directory);

static void enter(struct walker *walker, int dirfd, const char *path, const char *name)
{
	struct directory directory = {-1, walker->depth + 1, path};

	if (directory.depth > MAX_DEPTH) {
		layer_add_finding(&walker->pile->layer, "unreadable", SEVERITY_ERROR, path,
				  "directories nest deeper than %d levels", MAX_DEPTH);
		return;
	}
	directory.fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory.fd < 0)
		unreadable(walker, path);
	else if (!put_off(walker->walk, &directory))
		read_directory(walker, &directory);
}

static struct file *add_file(struct walker *walker, const char *path, const char *name, const struct stat *st)
{
	struct file *file = arena_alloc(walker->arena, sizeof *file);

	*file = (struct file){
		.path = path,
		.name = path + strlen(path) - strlen(name),
		.kind = kind_of(st->st_mode),
		.mode = st->st_mode,
		.size = (uint64_t)st->st_size,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.nr_links = st->st_nlink,
		.mtime_sec = st->st_mtim.tv_sec,
		.mtime_nsec = st->st_mtim.tv_nsec,
		.owner = NO_ID,
		.object = NO_ID,
	};
	*VEC_PUSH(walker->arena, walker->pile, files) = file;
	return file;
}

static bool has_magic(int fd, const struct stat *st)
{
	char magic[SELFMAG];

	return st->st_size >= SELFMAG && pread(fd, magic, SELFMAG, 0) == SELFMAG &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

/* A regular file: one open for everything. False when it cannot be opened or
 * turns out to be something else. */
static bool visit_file(struct walker *walker, int dirfd, const char *path, const char *name)
{
	const struct walk_visitor *visitor = walker->walk->visitor;
	struct file *file;
	struct stat st;
	bool good;
	/* O_NONBLOCK: a FIFO put in the file's place must not hang us. */
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	good = !fstat(fd, &st) && S_ISREG(st.st_mode);
	if (good) {
		file = add_file(walker, path, name, &st);
		file->is_elf = has_magic(fd, &st);
		if (file->is_elf)
			visitor->elf(visitor->context, file, fd, walker->arena, walker->number);
	}
	close(fd);
	return good;
}

/* Anything else, and what could not be opened. */
static void visit_other(struct walker *walker, int dirfd, const char *path, const char *name)
{
	int why = errno;
	struct stat st;
	struct file *file;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		unreadable(walker, path);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		enter(walker, dirfd, path, name);
		return;
	}
	file = add_file(walker, path, name, &st);
	if (file->kind == FILE_SYMLINK)
		file->link_target = read_link(walker->arena, dirfd, name);
	errno = why;
	file->unread = file->kind == FILE_REGULAR;
	if (file->unread)
		unreadable(walker, path);
}

static void visit(struct walker *walker, int dirfd, const char *dir, const struct dirent *entry)
{
	size_t n = strlen(dir), m = strlen(entry->d_name);
	char *path = arena_alloc(walker->arena, n + 1 + m + 1);

	memcpy(path, dir, n);
	if (n)
		path[n++] = '/';
	memcpy(path + n, entry->d_name, m + 1);
	if (entry->d_type == DT_DIR)
		enter(walker, dirfd, path, entry->d_name);
	else if (entry->d_type != DT_REG || !visit_file(walker, dirfd, path, entry->d_name))
		visit_other(walker, dirfd, path, entry->d_name);
}

static bool is_skipped(const struct walker *walker, const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || (!walker->depth && !strcmp(name, APPLY_STAGING));
}

/* Reads and closes a directory. */
static void read_directory(struct walker *walker, const struct directory *directory)
{
	unsigned outer = walker->depth;
	DIR *dir = fdopendir(directory->fd);
	struct dirent *entry;

	if (!dir) {
		unreadable(walker, directory->path);
		close(directory->fd);
		return;
	}
	walker->depth = directory->depth;
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (!is_skipped(walker, entry->d_name))
			visit(walker, dirfd(dir), directory->path, entry);
	if (errno)
		unreadable(walker, directory->path);
	walker->depth = outer;
	closedir(dir);
}

/* The next directory; false when none waits and nobody can find more. */
static bool take(struct walk *walk, struct directory *directory)
{
	bool found;

	pthread_mutex_lock(&walk->lock);
	while (!walk->nr_waiting && walk->nr_busy)
		pthread_cond_wait(&walk->changed, &walk->lock);
	found = walk->nr_waiting;
	if (found) {
		*directory = walk->waiting[--walk->nr_waiting];
		walk->nr_busy++;
	} else {
		pthread_cond_broadcast(&walk->changed);
	}
	pthread_mutex_unlock(&walk->lock);
	return found;
}

static void done(struct walk *walk)
{
	pthread_mutex_lock(&walk->lock);
	walk->nr_busy--;
	pthread_cond_broadcast(&walk->changed);
	pthread_mutex_unlock(&walk->lock);
}

static int by_path(const void *a, const void *b)
{
	return strcmp((*(const struct file *const *)a)->path, (*(const struct file *const *)b)->path);
}

/* Pointers are sorted, which are a tenth of what they point to. */
static void sort(const struct file **files, size_t nr)
{
	if (nr)
		qsort(files, nr, sizeof *files, by_path);
}

/* Puts sorted files among others, behind which there is room for them; returns how many
 * that makes. */
static size_t merge(const struct file **files, size_t nr, const struct file *const *others, size_t nr_others)
{
	size_t sum = nr + nr_others, at = sum;

	while (nr_others)
		if (nr && by_path(&files[nr - 1], &others[nr_others - 1]) > 0)
			files[--at] = files[--nr];
		else
			files[--at] = others[--nr_others];
	return sum;
}

static void set_files(struct layer *layer, const struct file *const *files, size_t nr)
{
	size_t i;

	layer->alloc_files = nr + ROOM;
	layer->files = arena_array(layer->arena, layer->alloc_files, sizeof *layer->files);
	for (i = 0; i < nr; i++)
		layer->files[i] = *files[i];
	layer->nr_files = nr;
}

void walk_sort(struct layer *layer)
{
	const struct file **files = arena_array(layer->arena, layer->nr_files, sizeof *files);
	size_t i;

	for (i = 0; i < layer->nr_files; i++)
		files[i] = &layer->files[i];
	sort(files, layer->nr_files);
	set_files(layer, files, layer->nr_files);
}

static void walk_until_done(void *context, size_t item, unsigned worker)
{
	struct walk *walk = context;
	struct pile *pile = &walk->piles[item];
	struct walker walker = {walk, pile, pile->layer.arena, (unsigned)item, 0};
	struct directory directory;

	(void)worker;
	while (take(walk, &directory)) {
		read_directory(&walker, &directory);
		done(walk);
	}
	sort(pile->files, pile->nr_files);
}

static void join(struct layer *layer, struct pile *piles, unsigned nr)
{
	const struct file **files;
	size_t nr_files = 0, i;
	unsigned k;

	for (k = 0; k < nr; k++)
		nr_files += piles[k].nr_files;
	files = arena_array(layer->arena, nr_files, sizeof *files);
	nr_files = 0;
	for (k = 0; k < nr; k++) {
		const struct pile *pile = &piles[k];

		nr_files = merge(files, nr_files, pile->files, pile->nr_files);
		for (i = 0; i < pile->layer.nr_findings; i++)
			*VEC_PUSH(layer->arena, layer, findings) = pile->layer.findings[i];
		arena_absorb(layer->arena, pile->layer.arena);
	}
	set_files(layer, files, nr_files);
}

int walk_tree(struct layer *layer, int root, unsigned threads, const struct walk_visitor *visitor,
	      struct error *err)
{
	struct walk walk = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	unsigned workers = pool_workers(POOL_MAX_WORKERS, threads), i;

	walk.waiting[0] = (struct directory){openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0, ""};
	if (walk.waiting[0].fd < 0)
		return error_errno(err, "opening %s", layer->root);
	walk.nr_waiting = 1;
	walk.visitor = visitor;
	for (i = 0; i < workers; i++)
		walk.piles[i].layer.arena = arena_new();
	pool_run(workers, threads, walk_until_done, &walk);
	join(layer, walk.piles, workers);
	return 0;
}
