/*
 * Path walks through a layer (path_resolution(7), on the model).
 *
 * The model has files, not directories: a directory exists when some file's
 * path goes through it, which a binary search in the sorted files tells. A
 * symlink's target is walked from the directory the link is in, then the walk
 * goes on behind it; at most 40 links, like the kernel. A target that begins
 * with "/" leaves the layer: where its root is mounted is not known.
 */
#include "layer/walk.h"

#include <string.h>

enum { LINKS_MAX = 40 };

struct walk {
	const struct layer *layer;
	char *at; /* clean path of where the walk is, WALK_PATH_MAX bytes */
	size_t length;
	unsigned nr_links;
};

size_t layer_first_at(const struct layer *layer, const char *path)
{
	size_t low = 0, high = layer->nr_files;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(layer->files[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

file_id layer_find_file(const struct layer *layer, const char *path)
{
	size_t at = layer_first_at(layer, path);

	return at < layer->nr_files && !strcmp(layer->files[at].path, path) ? (file_id)at : NO_ID;
}

bool walk_is_directory(const struct layer *layer, const char *path)
{
	char below[WALK_PATH_MAX];
	size_t length = strlen(path), at;

	if (!length)
		return true;
	if (length + 2 > sizeof below)
		return false;
	memcpy(below, path, length);
	memcpy(below + length, "/", 2);
	at = layer_first_at(layer, below);
	return at < layer->nr_files && !strncmp(layer->files[at].path, below, length + 1);
}

static void go_up(struct walk *walk)
{
	while (walk->length && walk->at[--walk->length] != '/')
		;
	walk->at[walk->length] = '\0';
}

static bool go_into(struct walk *walk, const char *name, size_t n)
{
	size_t slash = walk->length != 0;

	if (n >= WALK_PATH_MAX - walk->length - slash)
		return false;
	if (slash)
		walk->at[walk->length++] = '/';
	memcpy(walk->at + walk->length, name, n);
	walk->length += n;
	walk->at[walk->length] = '\0';
	return true;
}

static bool walk_on(struct walk *walk, const char *path);

/* The walk has arrived at a name: when it is a symlink, goes where it leads. */
static bool follow_link(struct walk *walk)
{
	file_id id = layer_find_file(walk->layer, walk->at);
	const struct file *file = id == NO_ID ? NULL : &walk->layer->files[id];

	if (!file || file->kind != FILE_SYMLINK)
		return true;
	if (!file->link_target || !*file->link_target || ++walk->nr_links > LINKS_MAX)
		return false;
	go_up(walk);
	return walk_on(walk, file->link_target);
}

static bool walk_on(struct walk *walk, const char *path)
{
	if (*path == '/')
		return false;
	while (*(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");

		if (!walk_is_directory(walk->layer, walk->at))
			return false;
		if (n == 2 && !memcmp(path, "..", 2)) {
			if (!walk->length)
				return false;
			go_up(walk);
		} else if (!(n == 1 && *path == '.')) {
			if (!go_into(walk, path, n) || !follow_link(walk))
				return false;
		}
		path += n;
	}
	return true;
}

bool walk_path(const struct layer *layer, const char *dir, const char *path, char found[WALK_PATH_MAX])
{
	struct walk walk = {.layer = layer, .at = found};

	found[0] = '\0';
	return go_into(&walk, dir, strlen(dir)) && walk_on(&walk, path);
}

object_id layer_object_at(const struct layer *layer, const char *path)
{
	char found[WALK_PATH_MAX];
	file_id id;

	if (!walk_path(layer, "", path, found))
		return NO_ID;
	id = layer_find_file(layer, found);
	return id == NO_ID ? NO_ID : layer->files[id].object;
}
