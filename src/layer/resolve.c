/*
 * The loader's search for NEEDED names, on the model.
 *
 * A resolver plays dlopen() of one object in a process that holds only the
 * interpreter and the C library. It keeps two lists: the scope, which are the
 * layer's objects in the order they are loaded, and the maps, which are all
 * libraries in the process with the names the loader knows them by, the
 * host's included. Going through the scope while it grows is breadth first.
 *
 * Each object's search path is turned into directories once, when the object
 * is loaded: a directory of the layer (symlinks in it resolved, which changes
 * nothing that can be opened through it), the host's system directories, or
 * nothing at all. Looking for a name is then one lookup for each directory.
 *
 * The two C libraries differ in when an object already there is taken
 * (reuse_*) and where else is looked (search_*); see resolve.h for their
 * rules. Not modelled: glibc-hwcaps subdirectories, $LIB and $PLATFORM (such
 * entries are taken as empty directories), the program's own RPATH, and
 * dependencies of the host's libraries among themselves.
 */
#include "sofold/resolve.h"

#include <string.h>

#include "layer/exports.h"
#include "layer/walk.h"
#include "sofold/vec.h"

/* A directory to search: one of the layer, or the host's system directories. */
struct directory {
	const char *path; /* NULL: the host's */
};

struct directories {
	struct directory *items;
	size_t nr_items, alloc_items;
};

/* A library in the process. */
struct map {
	uint32_t loaded;    /* index in the scope; NO_ID: the host's */
	const char **names; /* glibc: it was asked for by these; musl: its short name */
	size_t nr_names, alloc_names;
};

struct resolver {
	struct arena *arena;
	const struct layer *layer;
	const struct platform *platform;
	uint16_t machine; /* of the root: the loader passes over other machines' files */
	struct scope scope;
	struct map *maps; /* in the order they were loaded */
	size_t nr_maps, alloc_maps;
	struct directories *paths; /* search path of each loaded object */
	size_t nr_paths, alloc_paths;
	struct directories library_path; /* LD_LIBRARY_PATH */
};

/* ---- Search paths ---- */

static bool is_system_directory(const char *path, size_t length)
{
	static const char *const directories[] = {
		"/lib",
		"/usr/lib",
		"/lib64",
		"/usr/lib64",
		"/usr/local/lib",
		"/lib/x86_64-linux-gnu",
		"/usr/lib/x86_64-linux-gnu",
		"/lib/aarch64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu",
	};

	while (length > 1 && path[length - 1] == '/')
		length--;
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		if (strlen(directories[i]) == length && !memcmp(path, directories[i], length))
			return true;
	}
	return false;
}

/* Bytes of "$ORIGIN" or "${ORIGIN}" at the start of text, or 0. A longer
 * identifier is another one on glibc (elf/dl-load.c, is_dst), while musl looks
 * at no more than the letters (ldso/dynlink.c, fixup_rpath). */
static size_t origin_length(const char *text, enum libc libc)
{
	const char *behind = text + 7;

	if (!strncmp(text, "${ORIGIN}", 9))
		return 9;
	if (strncmp(text, "$ORIGIN", 7) != 0)
		return 0;
	if (libc == LIBC_GLIBC && (*behind == '_' || (*behind >= '0' && *behind <= '9') ||
				   (*behind >= 'A' && *behind <= 'Z') || (*behind >= 'a' && *behind <= 'z')))
		return 0;
	return 7;
}

/* Adds the directory a search path entry stands for; origin is the directory
 * of the object it is found in, NULL in LD_LIBRARY_PATH. Entries relative to
 * the working directory, and directories that do not exist, add nothing. */
static void add_directory(struct resolver *resolver, struct directories *to, const char *entry,
			  const char *origin)
{
	size_t token = origin ? origin_length(entry, resolver->platform->libc) : 0;
	char found[WALK_PATH_MAX];
	const char *way = NULL;

	if (token) {
		way = arena_printf(resolver->arena, "%s%s", origin, entry + token);
		way += strspn(way, "/"); /* the root as origin is "" */
	} else if (*entry == '/') {
		way = platform_in_layer(resolver->arena, resolver->platform, resolver->layer, entry);
		if (!way && is_system_directory(entry, strlen(entry)))
			VEC_PUSH(resolver->arena, to, items);
	}
	if (way && walk_path(resolver->layer, "", way, found) && walk_is_directory(resolver->layer, found))
		VEC_PUSH(resolver->arena, to, items)->path = arena_strdup(resolver->arena, found);
}

/* musl takes no part of a path with a token it does not know (fixup_rpath). */
static bool is_void(const struct resolver *resolver, const char *path)
{
	if (resolver->platform->libc != LIBC_MUSL)
		return false;
	for (const char *p = strchr(path, '$'); p; p = strchr(p + 1, '$')) {
		if (!origin_length(p, LIBC_MUSL))
			return true;
	}
	return false;
}

static struct directories search_path(struct resolver *resolver, const struct object *object,
				      const char *found_under)
{
	const char *separators = resolver->platform->libc == LIBC_MUSL ? ":\n" : ":";
	const char *path = object->search_path ? object->search_path : "";
	const char *origin = path_dir(resolver->arena, found_under);
	struct directories result = {0};

	if (object->search_kind == SEARCH_NONE || is_void(resolver, path))
		return result;
	for (size_t n; *path; path += n + (path[n] != '\0')) {
		n = strcspn(path, separators);
		add_directory(resolver, &result, arena_strndup(resolver->arena, path, n), origin);
	}
	return result;
}

/* ---- What is loaded ---- */

static bool knows_name(const struct map *map, const char *name)
{
	for (size_t i = 0; i < map->nr_names; i++) {
		if (!strcmp(map->names[i], name))
			return true;
	}
	return false;
}

static void add_name(struct resolver *resolver, struct map *map, const char *name)
{
	if (!knows_name(map, name))
		*VEC_PUSH(resolver->arena, map, names) = name;
}

static const struct object *mapped_object(const struct resolver *resolver, const struct map *map)
{
	return &resolver->layer->objects[resolver->scope.loaded[map->loaded].object];
}

/* glibc, _dl_map_object: a library is also known by its SONAME. */
static bool has_soname(const struct resolver *resolver, const struct map *map, const char *name)
{
	const char *soname;

	if (resolver->platform->libc != LIBC_GLIBC || map->loaded == NO_ID)
		return false;
	soname = mapped_object(resolver, map)->soname;
	return soname && !strcmp(soname, name);
}

static struct target target_of(const struct resolver *resolver, const struct map *map)
{
	const struct loaded *loaded;

	if (map->loaded == NO_ID)
		return (struct target){.kind = TARGET_HOST, .object = NO_ID};
	loaded = &resolver->scope.loaded[map->loaded];
	return (struct target){.kind = TARGET_OBJECT, .object = loaded->object, .path = loaded->path};
}

/* The library already in the process that a name without a slash means. */
static bool reuse_by_name(struct resolver *resolver, const char *name, struct target *target)
{
	for (size_t i = 0; i < resolver->nr_maps; i++) {
		struct map *map = &resolver->maps[i];

		if (!knows_name(map, name) && !has_soname(resolver, map, name))
			continue;
		*target = target_of(resolver, map);
		return true;
	}
	return false;
}

static struct target map_host(struct resolver *resolver, const char *name)
{
	struct map *map = VEC_PUSH(resolver->arena, resolver, maps);

	map->loaded = NO_ID;
	add_name(resolver, map, name);
	return target_of(resolver, map);
}

/* The map of an object that is loaded already, under whatever name; NULL. */
static struct map *find_map(const struct resolver *resolver, object_id object)
{
	for (size_t i = 0; i < resolver->nr_maps; i++) {
		struct map *map = &resolver->maps[i];

		if (map->loaded != NO_ID && resolver->scope.loaded[map->loaded].object == object)
			return map;
	}
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* An object was found for a name by searching: loads it, or takes the one
 * with the same inode. name is NULL when it was asked for by path. */
static struct target map_object(struct resolver *resolver, object_id object, const char *path,
				const char *name, uint32_t loader)
{
	struct map *map = find_map(resolver, object);

	if (!map) {
		map = VEC_PUSH(resolver->arena, resolver, maps);
		map->loaded = (uint32_t)resolver->scope.nr_loaded;
		*VEC_PUSH(resolver->arena, &resolver->scope,
			  loaded) = (struct loaded){.object = object, .path = path, .loader = loader};
		*VEC_PUSH(resolver->arena, resolver,
			  paths) = search_path(resolver, &resolver->layer->objects[object], path);
	}
	if (!name)
		return target_of(resolver, map);
	/* glibc records every name (add_name_to_object); musl gives a short name
	 * once, the last component of the path it has (load_library). */
	if (resolver->platform->libc == LIBC_GLIBC)
		add_name(resolver, map, name);
	else if (!map->nr_names)
		add_name(resolver, map, base_name(resolver->scope.loaded[map->loaded].path));
	return target_of(resolver, map);
}

/* ---- Searching ---- */

/* The object a loader would open as name in a directory of the layer, or
 * NO_ID: it passes over other machines' objects (elf/dl-load.c, open_verify). */
static object_id object_in(const struct resolver *resolver, const char *path)
{
	file_id id = layer_find_file(resolver->layer, path);
	const struct object *object;
	object_id found;

	if (id == NO_ID)
		return NO_ID;
	found = resolver->layer->files[id].object;
	if (resolver->layer->files[id].kind == FILE_SYMLINK)
		found = layer_object_at(resolver->layer, path);
	if (found == NO_ID)
		return NO_ID;
	object = &resolver->layer->objects[found];
	return object->class == OBJECT_SHARED && object->machine == resolver->machine ? found : NO_ID;
}

static bool is_certain(const struct resolver *resolver, const char *name)
{
	return platform_provision(resolver->platform, name) >= PROVISION_CERTAIN;
}

static bool search(struct resolver *resolver, const struct directories *in, const char *name, uint32_t loader,
		   struct target *target)
{
	for (size_t i = 0; i < in->nr_items; i++) {
		const char *directory = in->items[i].path;
		const char *path;
		object_id object;

		if (!directory) {
			if (!is_certain(resolver, name))
				continue;
			*target = map_host(resolver, name);
			return true;
		}
		path = arena_printf(resolver->arena, "%s%s%s", directory, *directory ? "/" : "", name);
		object = object_in(resolver, path);
		if (object == NO_ID)
			continue;
		*target = map_object(resolver, object, path, name, loader);
		return true;
	}
	return false;
}

static const struct object *loaded_object(const struct resolver *resolver, uint32_t loaded)
{
	return &resolver->layer->objects[resolver->scope.loaded[loaded].object];
}

/* Searches the paths of an object and of those that had it loaded, of one
 * kind or (SEARCH_NONE) of any. */
static bool search_inherited(struct resolver *resolver, uint32_t from, enum search_kind kind,
			     const char *name, struct target *target)
{
	for (uint32_t i = from; i != NO_ID; i = resolver->scope.loaded[i].loader) {
		if (kind != SEARCH_NONE && loaded_object(resolver, i)->search_kind != kind)
			continue;
		if (search(resolver, &resolver->paths[i], name, from, target))
			return true;
	}
	return false;
}

/* elf/dl-load.c, _dl_map_object. */
static bool search_glibc(struct resolver *resolver, uint32_t loader, const char *name, struct target *target)
{
	bool runpath = loaded_object(resolver, loader)->search_kind == SEARCH_RUNPATH;

	if (!runpath && search_inherited(resolver, loader, SEARCH_RPATH, name, target))
		return true;
	if (search(resolver, &resolver->library_path, name, loader, target))
		return true;
	return runpath && search(resolver, &resolver->paths[loader], name, loader, target);
}

/* ldso/dynlink.c, load_library. */
static bool search_musl(struct resolver *resolver, uint32_t loader, const char *name, struct target *target)
{
	return search(resolver, &resolver->library_path, name, loader, target) ||
	       search_inherited(resolver, loader, SEARCH_NONE, name, target);
}

/* A name with a slash is a path; glibc expands $ORIGIN in it (elf/dl-deps.c,
 * expand_dst). One relative to the working directory leads nowhere. */
static struct target resolve_path(struct resolver *resolver, uint32_t loader, const char *needed)
{
	const char *origin = resolver->platform->libc == LIBC_GLIBC
				     ? path_dir(resolver->arena, resolver->scope.loaded[loader].path)
				     : NULL;
	struct target missing = {.kind = TARGET_MISSING, .object = NO_ID};
	struct directories in = {0};
	const char *path, *name = base_name(needed);
	object_id object;

	add_directory(resolver, &in, path_dir(resolver->arena, needed), origin);
	if (!in.nr_items)
		return missing;
	if (!in.items[0].path)
		return is_certain(resolver, name) ? map_host(resolver, needed) : missing;
	path = path_join(resolver->arena, in.items[0].path, name);
	object = path ? object_in(resolver, path) : NO_ID;
	return object == NO_ID ? missing : map_object(resolver, object, path, NULL, loader);
}

static struct target resolve_needed(struct resolver *resolver, uint32_t loader, const char *name)
{
	bool musl = resolver->platform->libc == LIBC_MUSL;
	enum provision provision = platform_provision(resolver->platform, name);
	struct target target;

	if (strchr(name, '/'))
		return resolve_path(resolver, loader, name);
	if (reuse_by_name(resolver, name, &target))
		return target;
	if (provision == PROVISION_LOADED)
		return map_host(resolver, name);
	if ((musl ? search_musl : search_glibc)(resolver, loader, name, &target))
		return target;
	if (provision != PROVISION_NONE && (musl || !loaded_object(resolver, loader)->nodeflib))
		return map_host(resolver, name);
	return (struct target){.kind = TARGET_MISSING, .object = NO_ID};
}

/* ---- The interface ---- */

static struct resolver resolver_of(struct arena *arena, const struct layer *layer,
				   const struct platform *platform, object_id root)
{
	struct resolver resolver = {
		.arena = arena,
		.layer = layer,
		.platform = platform,
		.machine = layer->objects[root].machine,
	};

	for (const char *const *p = platform->library_path; p && *p; p++)
		add_directory(&resolver, &resolver.library_path, *p, NULL);
	map_object(&resolver, root, object_path(layer, &layer->objects[root]), NULL, NO_ID);
	return resolver;
}

static void load_needed(struct resolver *resolver, uint32_t at)
{
	const struct object *object = loaded_object(resolver, at);
	struct target *targets = arena_array(resolver->arena, object->nr_needed, sizeof *targets);

	for (size_t i = 0; i < object->nr_needed; i++)
		targets[i] = resolve_needed(resolver, at, object->needed[i]);
	resolver->scope.loaded[at].targets = targets;
}

struct scope resolve_scope(struct arena *arena, const struct layer *layer, const struct platform *platform,
			   object_id root)
{
	struct resolver resolver = resolver_of(arena, layer, platform, root);

	for (size_t i = 0; i < resolver.scope.nr_loaded; i++)
		load_needed(&resolver, (uint32_t)i);
	return resolver.scope;
}

struct target **resolve_graph(struct arena *arena, const struct layer *layer, const struct platform *platform)
{
	struct target **graph = arena_array(arena, layer->nr_objects, sizeof *graph);

	for (size_t i = 0; i < layer->nr_objects; i++) {
		struct resolver resolver = resolver_of(arena, layer, platform, (object_id)i);

		/* The root's own names come before everything below them. */
		load_needed(&resolver, 0);
		graph[i] = resolver.scope.loaded[0].targets;
	}
	return graph;
}

static bool leads_out(struct arena *arena, const char *entry, const char *origin)
{
	size_t token = origin_length(entry, LIBC_GLIBC);

	if (token)
		return !path_join(arena, origin, entry + token + strspn(entry + token, "/"));
	if (*entry == '/')
		return !is_system_directory(entry, strlen(entry));
	return *entry != '$'; /* relative or empty: the working directory */
}

void resolve_escapes(struct arena *arena, const struct layer *layer, const struct object *object,
		     void (*found)(void *context, const char *entry), void *context)
{
	const char *path = object->search_path;
	const char *origin = path_dir(arena, object_path(layer, object));

	if (!path || !*path)
		return;
	for (;; path++) {
		size_t n = strcspn(path, ":");
		const char *entry = arena_strndup(arena, path, n);

		if (leads_out(arena, entry, origin))
			found(context, entry);
		path += n;
		if (!*path)
			return;
	}
}

uint32_t resolve_import(struct arena *arena, struct layer *layer, const struct scope *scope,
			const struct symbol *import)
{
	uint32_t hash = symbol_hash(import);

	for (size_t i = 0; i < scope->nr_loaded; i++) {
		struct object *object = &layer->objects[scope->loaded[i].object];

		if (object_find_hashed(arena, object, hash, import->name, import->version))
			return (uint32_t)i;
	}
	return NO_ID;
}
