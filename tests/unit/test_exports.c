/* Unit tests of object_find_export. */
#include "suites.h"

#include "build_layer.h"

static struct layer *layer;
static struct object *object;

static void define(const char *exports, const char *verdefs)
{
	layer = build_layer();
	build_object(layer, (struct build_object){.path = "liba.so", .exports = exports, .verdefs = verdefs});
	object = &layer->objects[0];
}

/* What binds an import: "name@version"; "" for nothing. */
static const char *found(const char *name, const char *version)
{
	const struct symbol *symbol = object_find_export(layer->arena, object, name, version);

	if (!symbol)
		return "";
	return arena_printf(layer->arena, "%s@%s", symbol->name, symbol->version ? symbol->version : "-");
}

static void exports_find_a_name_among_many(void)
{
	char *list;

	layer = build_layer();
	list = arena_strdup(layer->arena, "");
	for (int i = 0; i < 500; i++)
		list = arena_printf(layer->arena, "%s f%d", list, i);
	build_object(layer, (struct build_object){.path = "liba.so", .exports = list});
	object = &layer->objects[0];
	for (int i = 0; i < 500; i++) {
		const char *name = arena_printf(layer->arena, "f%d", i);

		CU_ASSERT_PTR_EQUAL(object_find_export(layer->arena, object, name, NULL),
				    &object->exports[i]);
	}
	UNIT_ASSERT_TEXT(found("f500", NULL), "");
	UNIT_ASSERT_TEXT(found("", NULL), "");
	build_free(layer);
}

static void exports_of_an_empty_object_bind_nothing(void)
{
	define("", "");
	UNIT_ASSERT_TEXT(found("f", NULL), "");
	build_free(layer);
}

static void exports_bind_the_version_that_is_wanted(void)
{
	define("f@V1 f@@V2 g@@V2", "V1 V2");
	UNIT_ASSERT_TEXT(found("f", "V1"), "f@V1");
	UNIT_ASSERT_TEXT(found("f", "V2"), "f@V2");
	UNIT_ASSERT_TEXT(found("f", "V3"), "");
	UNIT_ASSERT_TEXT(found("g", "V1"), "");
	build_free(layer);
}

static void exports_without_versions_bind_any_wanted_version(void)
{
	define("f", "");
	UNIT_ASSERT_TEXT(found("f", "V1"), "f@-");
	build_free(layer);
}

static void exports_with_the_base_version_bind_a_wanted_version(void)
{
	/* check_match: its version index has no name to differ by. */
	define("f g@@V1", "V1");
	UNIT_ASSERT_TEXT(found("f", "V1"), "f@-");
	build_free(layer);
}

static void exports_bind_an_unversioned_import_to_the_base_or_first_version(void)
{
	define("f@V1 f@@V2 g g@@V2 h@@V2", "V1 V2");
	UNIT_ASSERT_TEXT(found("f", NULL), "f@V1");
	UNIT_ASSERT_TEXT(found("g", NULL), "g@-");
	UNIT_ASSERT_TEXT(found("h", NULL), "h@V2");
	build_free(layer);
}

static void exports_hide_later_versions_from_unversioned_imports(void)
{
	define("f@V2", "V1 V2");
	UNIT_ASSERT_TEXT(found("f", NULL), "");
	UNIT_ASSERT_TEXT(found("f", "V2"), "f@V2");
	build_free(layer);
}

static void exports_are_indexed_anew_when_they_are_replaced(void)
{
	define("f", "");
	UNIT_ASSERT_TEXT(found("f", NULL), "f@-");
	object->exports = NULL;
	object->nr_exports = 0;
	UNIT_ASSERT_TEXT(found("f", NULL), "");
	build_free(layer);
}

void suite_exports(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(exports_find_a_name_among_many),
		UNIT_TEST(exports_of_an_empty_object_bind_nothing),
		UNIT_TEST(exports_bind_the_version_that_is_wanted),
		UNIT_TEST(exports_without_versions_bind_any_wanted_version),
		UNIT_TEST(exports_with_the_base_version_bind_a_wanted_version),
		UNIT_TEST(exports_bind_an_unversioned_import_to_the_base_or_first_version),
		UNIT_TEST(exports_hide_later_versions_from_unversioned_imports),
		UNIT_TEST(exports_are_indexed_anew_when_they_are_replaced),
	};

	unit_suite("exports", tests, sizeof tests / sizeof *tests);
}
