/*
 * Builds model layers for unit tests. Files are inserted where they sort, and
 * every file id in the objects follows; slow and simple, for tens of files.
 */
#include "build_layer.h"

#include <elf.h>
#include <string.h>

#include "sofold/vec.h"

struct layer *build_layer(void)
{
	struct arena *arena = arena_new();
	struct layer *layer = arena_alloc(arena, sizeof *layer);

	layer->arena = arena;
	layer->root = "layer";
	return layer;
}

void build_free(struct layer *layer)
{
	if (layer)
		arena_free(layer->arena);
}

struct layer *build_copy(const struct layer *layer)
{
	struct layer *copy = arena_memdup(layer->arena, layer, sizeof *layer);

	copy->files = arena_memdup(layer->arena, layer->files, layer->nr_files * sizeof *layer->files);
	copy->objects = arena_memdup(layer->arena, layer->objects,
				     layer->nr_objects * sizeof *layer->objects);
	copy->alloc_files = copy->nr_files;
	copy->alloc_objects = copy->nr_objects;
	for (size_t i = 0; i < copy->nr_objects; i++) {
		struct object *object = &copy->objects[i];

		object->needed = arena_memdup(layer->arena, object->needed,
					      object->nr_needed * sizeof *object->needed);
	}
	return copy;
}

const char **build_words(struct layer *layer, const char *list, size_t *nr)
{
	const char **words = arena_array(layer->arena, list ? strlen(list) : 0, sizeof *words);

	*nr = 0;
	while (list && *(list += strspn(list, " "))) {
		size_t length = strcspn(list, " ");

		words[(*nr)++] = arena_strndup(layer->arena, list, length);
		list += length;
	}
	return words;
}

static void shift_file_ids(struct layer *layer, file_id from)
{
	for (size_t i = 0; i < layer->nr_objects; i++) {
		struct object *object = &layer->objects[i];

		for (size_t k = 0; k < object->nr_links; k++)
			object->links[k] += object->links[k] >= from;
		object->file += object->file >= from;
	}
	for (size_t i = 0; i < layer->nr_owners; i++)
		layer->owners[i].record += layer->owners[i].record != NO_ID &&
					   layer->owners[i].record >= from;
}

static file_id insert_file(struct layer *layer, const char *path, enum file_kind kind)
{
	const char *slash = strrchr(path, '/');
	size_t at = 0;

	while (at < layer->nr_files && strcmp(layer->files[at].path, path) < 0)
		at++;
	shift_file_ids(layer, (file_id)at);
	VEC_PUSH(layer->arena, layer, files);
	memmove(&layer->files[at + 1], &layer->files[at], (layer->nr_files - 1 - at) * sizeof *layer->files);
	layer->files[at] = (struct file){
		.path = path,
		.name = slash ? slash + 1 : path,
		.kind = kind,
		.mode = kind == FILE_SYMLINK ? 0120777 : 0100644,
		.size = 1,
		.ino = layer->nr_files,
		.nr_links = 1,
		.owner = NO_ID,
		.object = NO_ID,
	};
	return (file_id)at;
}

void build_file(struct layer *layer, const char *path)
{
	insert_file(layer, path, FILE_REGULAR);
}

void build_symlink(struct layer *layer, const char *path, const char *target)
{
	file_id at = insert_file(layer, path, FILE_SYMLINK); /* may move the files */
	struct file *file = &layer->files[at];

	file->link_target = target;
	file->size = strlen(target);
	file->object = layer_object_at(layer, path);
}

owner_id build_owner(struct layer *layer, const char *name, const char *version)
{
	*VEC_PUSH(layer->arena, layer,
		  owners) = (struct owner){.name = name, .version = version, .base = "", .record = NO_ID};
	return (owner_id)(layer->nr_owners - 1);
}

static struct symbol parse_symbol(struct layer *layer, const char *word)
{
	struct symbol symbol = {.size = 8, .flags = SYMBOL_FUNCTION};
	const char *at;

	if (*word == '?') {
		symbol.flags |= SYMBOL_WEAK;
		word++;
	}
	at = strchr(word, '@');
	symbol.name = at ? arena_strndup(layer->arena, word, (size_t)(at - word)) : word;
	if (at && at[1] == '@')
		symbol.version = at + 2;
	else if (at)
		symbol.version = at + 1;
	return symbol;
}

static struct symbol *parse_symbols(struct layer *layer, const char *list, bool exported, size_t *nr)
{
	const char **words = build_words(layer, list, nr);
	struct symbol *symbols = arena_array(layer->arena, *nr, sizeof *symbols);

	for (size_t i = 0; i < *nr; i++) {
		const char *at = strchr(words[i], '@');

		symbols[i] = parse_symbol(layer, words[i]);
		if (exported && at && at[1] != '@')
			symbols[i].flags |= SYMBOL_HIDDEN;
	}
	return symbols;
}

static struct verneed parse_verneed(struct layer *layer, const char *word)
{
	const char *colon = strchr(word, ':');
	struct verneed need = {.file = arena_strndup(layer->arena, word, strcspn(word, ":"))};
	size_t most = colon ? strlen(colon) : 0;

	need.versions = arena_array(layer->arena, most, sizeof *need.versions);
	need.weak = arena_array(layer->arena, most, sizeof *need.weak);
	for (const char *p = colon; p && *p; p += strcspn(p, ",")) {
		bool weak = *++p == '?';

		p += weak;
		need.weak[need.nr_versions] = weak;
		need.versions[need.nr_versions++] = arena_strndup(layer->arena, p, strcspn(p, ","));
	}
	return need;
}

static void fill_dynamic(struct layer *layer, struct object *object, const struct build_object *spec)
{
	const char **words;

	object->soname = spec->soname;
	object->needed = build_words(layer, spec->needed, &object->nr_needed);
	object->search_path = spec->runpath ? spec->runpath : spec->rpath;
	object->path_fits = true;
	object->search_kind = spec->runpath ? SEARCH_RUNPATH : spec->rpath ? SEARCH_RPATH : SEARCH_NONE;
	object->nodeflib = spec->nodeflib;
	object->exports = parse_symbols(layer, spec->exports, true, &object->nr_exports);
	object->imports = parse_symbols(layer, spec->imports, false, &object->nr_imports);
	object->verdefs = build_words(layer, spec->verdefs, &object->nr_verdefs);
	words = build_words(layer, spec->verneeds, &object->nr_verneeds);
	object->verneeds = arena_array(layer->arena, object->nr_verneeds, sizeof *object->verneeds);
	for (size_t i = 0; i < object->nr_verneeds; i++)
		object->verneeds[i] = parse_verneed(layer, words[i]);
	for (size_t i = 0; i < object->nr_exports; i++)
		object->is_extension |= !strncmp(object->exports[i].name, "PyInit_", 7);
}

static enum object_class class_of(const struct build_object *spec)
{
	if (spec->foreign)
		return OBJECT_FOREIGN;
	if (spec->class)
		return spec->class;
	return spec->interpreter ? OBJECT_EXECUTABLE : OBJECT_SHARED;
}

object_id build_object(struct layer *layer, struct build_object spec)
{
	object_id id = (object_id)layer->nr_objects;
	size_t nr_links;
	const char **links = build_words(layer, spec.links, &nr_links);
	struct object object = {
		.size = spec.size ? spec.size : 4096,
		.machine = spec.machine ? spec.machine : EM_X86_64,
		.elf_class = ELFCLASS64,
		.elf_data = ELFDATA2LSB,
		.type = ET_DYN,
		.class = class_of(&spec),
		.interpreter = spec.interpreter,
		.tag = spec.tag,
	};

	fill_dynamic(layer, &object, &spec);
	object.links = arena_array(layer->arena, nr_links + 1, sizeof *object.links);
	*VEC_PUSH(layer->arena, layer, objects) = object;
	for (size_t i = 0; i <= nr_links; i++) {
		file_id at = insert_file(layer, i ? links[i - 1] : spec.path, FILE_REGULAR);
		struct object *pushed = &layer->objects[id];

		layer->files[at].object = id;
		layer->files[at].size = object.size;
		layer->files[at].nr_links = nr_links + 1;
		layer->files[at].owner = spec.owner_plus_one ? spec.owner_plus_one - 1 : NO_ID;
		pushed->links[pushed->nr_links++] = at;
		if (!i)
			pushed->file = at;
	}
	layer->bytes += object.size;
	return id;
}

void build_segment(struct layer *layer, object_id id, uint64_t offset, uint64_t vaddr, uint64_t align)
{
	struct object *object = &layer->objects[id];
	struct segment *segments = arena_array(layer->arena, object->nr_segments + 1,
					       sizeof *object->segments);

	if (object->nr_segments)
		memcpy(segments, object->segments, object->nr_segments * sizeof *segments);
	segments[object->nr_segments++] = (struct segment){
		.type = PT_LOAD,
		.flags = PF_R,
		.offset = offset,
		.vaddr = vaddr,
		.filesz = 16,
		.memsz = 16,
		.align = align,
	};
	object->segments = segments;
}
