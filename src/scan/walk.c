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
 * worker has a layer of its own for what it finds; they are joined and sorted
 * at the end.
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

/* Deeper trees than any path can name are somebody's joke. */
enum { MAX_DEPTH = 256, MAX_WAITING = 64 };

struct directory {
	int fd;
	unsigned depth;
	const char *path;
};

struct walk {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct directory waiting[MAX_WAITING];
	size_t nr_waiting, nr_busy;
	struct layer walkers[POOL_MAX_WORKERS];
	const struct walk_visitor *visitor;
};

struct walker {
	struct walk *walk;
	struct layer *layer; /* its own */
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
	layer_add_finding(walker->layer, "unreadable", SEVERITY_ERROR, path, "cannot be read: %s",
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
		layer_add_finding(walker->layer, "unreadable", SEVERITY_ERROR, path,
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
	struct file *file = VEC_PUSH(walker->layer->arena, walker->layer, files);

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
			visitor->elf(visitor->context, file, fd, walker->layer->arena, walker->number);
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
		file->link_target = read_link(walker->layer->arena, dirfd, name);
	errno = why;
	if (file->kind == FILE_REGULAR)
		unreadable(walker, path);
}

static void visit(struct walker *walker, int dirfd, const char *dir, const struct dirent *entry)
{
	struct arena *arena = walker->layer->arena;
	size_t n = strlen(dir), m = strlen(entry->d_name);
	char *path = arena_alloc(arena, n + 1 + m + 1);

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

static void walk_until_done(void *context, size_t item, unsigned worker)
{
	struct walk *walk = context;
	struct walker walker = {.walk = walk, .layer = &walk->walkers[item], .number = (unsigned)item};
	struct directory directory;

	(void)worker;
	while (take(walk, &directory)) {
		read_directory(&walker, &directory);
		done(walk);
	}
}

static int by_path(const void *a, const void *b)
{
	return strcmp((*(const struct file *const *)a)->path, (*(const struct file *const *)b)->path);
}

/* Pointers are sorted, which are a tenth of what they point to. */
void walk_sort(struct layer *layer)
{
	size_t nr = layer->nr_files, i;
	const struct file **sorted = arena_array(layer->arena, nr, sizeof *sorted);
	struct file *files = arena_array(layer->arena, nr, sizeof *files);

	for (i = 0; i < nr; i++)
		sorted[i] = &layer->files[i];
	if (nr)
		qsort(sorted, nr, sizeof *sorted, by_path);
	for (i = 0; i < nr; i++)
		files[i] = *sorted[i];
	layer->files = files;
	layer->alloc_files = nr;
}

static void join(struct layer *layer, struct layer *parts, unsigned nr)
{
	size_t files = 0, i;
	unsigned part;

	for (part = 0; part < nr; part++)
		files += parts[part].nr_files;
	layer->files = arena_array(layer->arena, files, sizeof *layer->files);
	layer->alloc_files = files;
	for (part = 0; part < nr; part++) {
		if (parts[part].nr_files)
			memcpy(layer->files + layer->nr_files, parts[part].files,
			       parts[part].nr_files * sizeof *layer->files);
		layer->nr_files += parts[part].nr_files;
		for (i = 0; i < parts[part].nr_findings; i++)
			*VEC_PUSH(layer->arena, layer, findings) = parts[part].findings[i];
		arena_absorb(layer->arena, parts[part].arena);
	}
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
		walk.walkers[i].arena = arena_new();
	pool_run(workers, threads, walk_until_done, &walk);
	join(layer, walk.walkers, workers);
	walk_sort(layer);
	return 0;
}
