/*
 * The object reader on any bytes: it must come back, whatever they are, and
 * what it reports must be whole: terminated names, counts that are true.
 */
#include <stdlib.h>

#include "sofold/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t touched;

static void touch(const char *text)
{
	touched += text ? strlen(text) : 0;
}

static void touch_symbols(const struct symbol *symbols, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		touch(symbols[i].name);
		touch(symbols[i].version);
	}
}

static void touch_object(const struct object *object)
{
	size_t i, j;

	touch(object->untouchable);
	touch(object->soname);
	touch(object->search_path);
	touch(object->build_id);
	touch(object->interpreter);
	touch(object->version_hint);
	touch(object->compiler);
	for (i = 0; i < object->nr_needed; i++)
		touch(object->needed[i]);
	for (i = 0; i < object->nr_verdefs; i++)
		touch(object->verdefs[i]);
	for (i = 0; i < object->nr_verneeds; i++)
		for (touch(object->verneeds[i].file), j = 0; j < object->verneeds[i].nr_versions; j++)
			touch(object->verneeds[i].versions[j]);
	touch_symbols(object->exports, object->nr_exports);
	touch_symbols(object->imports, object->nr_imports);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct layer layer = {.arena = arena};
	struct object object;
	size_t i;

	if (scan_object(&layer, "fuzz/libfuzz.so.1", (struct span){data, size}, &object))
		touch_object(&object);
	else if (!layer.nr_findings)
		abort(); /* not sound, and nobody says why */
	for (i = 0; i < layer.nr_findings; i++)
		touch(layer.findings[i].message);
	arena_free(arena);
	return 0;
}
