/*
 * Unit tests of the loader's search. Each compares the whole scope in one
 * text: an object's path, then what its needed names led to.
 */
#include "suites.h"

#include <elf.h>
#include <string.h>

#include "build_layer.h"
#include "sofold/resolve.h"

#define GLIBC  "generic-x86_64"
#define MUSL   "generic-musl-x86_64"
#define LAMBDA "lambda-python3.12-x86_64"

static struct layer *layer;

static void add(struct build_object spec)
{
	build_object(layer, spec);
}

static const char *target_text(const struct target *target)
{
	if (target->kind == TARGET_OBJECT)
		return target->path;
	return target->kind == TARGET_HOST ? "host" : "missing";
}

/* "a.so(libb.so=libs/libb.so libc.so.6=host) libs/libb.so()" */
static const char *scope_text(const char *platform, object_id root)
{
	struct scope scope = resolve_scope(layer->arena, layer, platform_find(platform), root);
	const char *text = "";

	for (size_t i = 0; i < scope.nr_loaded; i++) {
		const struct object *object = &layer->objects[scope.loaded[i].object];

		text = arena_printf(layer->arena, "%s%s%s(", text, i ? " " : "", scope.loaded[i].path);
		for (size_t k = 0; k < object->nr_needed; k++)
			text = arena_printf(layer->arena, "%s%s%s=%s", text, k ? " " : "", object->needed[k],
					    target_text(&scope.loaded[i].targets[k]));
		text = arena_printf(layer->arena, "%s)", text);
	}
	return text;
}

static void loading_goes_breadth_first(void)
{
	struct scope scope;

	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so c.so", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "b.so", .needed = "d.so c.so"});
	add((struct build_object){.path = "c.so", .needed = "d.so e.so libc.so.6"});
	add((struct build_object){.path = "d.so"});
	add((struct build_object){.path = "e.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(b.so=b.so c.so=c.so) b.so(d.so=d.so c.so=c.so) "
					       "c.so(d.so=d.so e.so=e.so libc.so.6=host) d.so() e.so()");
	scope = resolve_scope(layer->arena, layer, platform_find(GLIBC), 0);
	CU_ASSERT_EQUAL(scope.loaded[0].loader, NO_ID);
	CU_ASSERT_EQUAL(scope.loaded[2].loader, 0);
	CU_ASSERT_EQUAL(scope.loaded[3].loader, 1);
	CU_ASSERT_EQUAL(scope.loaded[4].loader, 2);
	build_free(layer);
}

static void loading_survives_circles(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so", .runpath = "$ORIGIN"});
	add((struct build_object){.path = "b.so", .needed = "a.so b.so", .runpath = "$ORIGIN"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(b.so=b.so) b.so(a.so=a.so b.so=b.so)");
	UNIT_ASSERT_TEXT(scope_text(MUSL, 0), "a.so(b.so=b.so) b.so(a.so=a.so b.so=b.so)");
	build_free(layer);
}

static void glibc_inherits_rpath(void)
{
	layer = build_layer();
	add((struct build_object){.path = "m/a.so", .needed = "b.so", .rpath = "$ORIGIN/../libs"});
	add((struct build_object){.path = "libs/b.so", .needed = "c.so"});
	add((struct build_object){.path = "libs/c.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0),
			 "m/a.so(b.so=libs/b.so) libs/b.so(c.so=libs/c.so) libs/c.so()");
	build_free(layer);
}

static void glibc_does_not_inherit_runpath_but_musl_does(void)
{
	layer = build_layer();
	add((struct build_object){.path = "m/a.so", .needed = "b.so", .runpath = "$ORIGIN/../libs"});
	add((struct build_object){.path = "libs/b.so", .needed = "c.so"});
	add((struct build_object){.path = "libs/c.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "m/a.so(b.so=libs/b.so) libs/b.so(c.so=missing)");
	UNIT_ASSERT_TEXT(scope_text(MUSL, 0), "m/a.so(b.so=libs/b.so) libs/b.so(c.so=libs/c.so) libs/c.so()");
	build_free(layer);
}

static void glibc_runpath_shuts_out_inherited_rpath(void)
{
	layer = build_layer();
	add((struct build_object){.path = "m/a.so", .needed = "b.so", .rpath = "$ORIGIN/../libs"});
	add((struct build_object){.path = "libs/b.so", .needed = "c.so", .runpath = "$ORIGIN/none"});
	add((struct build_object){.path = "libs/c.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "m/a.so(b.so=libs/b.so) libs/b.so(c.so=missing)");
	build_free(layer);
}

static void glibc_inherits_rpath_past_an_object_with_runpath(void)
{
	layer = build_layer();
	add((struct build_object){.path = "m/a.so", .needed = "b.so", .rpath = "$ORIGIN/../libs"});
	add((struct build_object){.path = "libs/b.so", .needed = "c.so", .runpath = "$ORIGIN"});
	add((struct build_object){.path = "libs/c.so", .needed = "d.so"});
	add((struct build_object){.path = "libs/d.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "m/a.so(b.so=libs/b.so) libs/b.so(c.so=libs/c.so) "
					       "libs/c.so(d.so=libs/d.so) libs/d.so()");
	build_free(layer);
}

static void lambda_library_path_lies_between_rpath_and_runpath(void)
{
	layer = build_layer();
	add((struct build_object){.path = "python/r.so", .needed = "b.so", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "python/u.so", .needed = "b.so", .runpath = "$ORIGIN"});
	add((struct build_object){.path = "python/b.so"});
	add((struct build_object){.path = "lib/b.so"});
	UNIT_ASSERT_TEXT(scope_text(LAMBDA, 0), "python/r.so(b.so=python/b.so) python/b.so()");
	UNIT_ASSERT_TEXT(scope_text(LAMBDA, 1), "python/u.so(b.so=lib/b.so) lib/b.so()");
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 1), "python/u.so(b.so=python/b.so) python/b.so()");
	build_free(layer);
}

static void lambda_library_path_takes_certain_libraries_from_the_host_first(void)
{
	layer = build_layer();
	add((struct build_object){.path = "python/u.so", .needed = "libz.so.1", .runpath = "$ORIGIN"});
	add((struct build_object){.path = "python/r.so", .needed = "libz.so.1", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "python/libz.so.1"});
	UNIT_ASSERT_TEXT(scope_text(LAMBDA, 0), "python/u.so(libz.so.1=host)");
	UNIT_ASSERT_TEXT(scope_text(LAMBDA, 1), "python/r.so(libz.so.1=python/libz.so.1) python/libz.so.1()");
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "python/u.so(libz.so.1=python/libz.so.1) python/libz.so.1()");
	build_free(layer);
}

static void search_paths_are_taken_in_order(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so", .needed = "b.so", .rpath = "$ORIGIN/none::${ORIGIN}/two:$ORIGIN/one"});
	add((struct build_object){.path = "one/b.so"});
	add((struct build_object){.path = "two/b.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(b.so=two/b.so) two/b.so()");
	build_free(layer);
}

static void search_paths_may_name_the_hosts_directories_first(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so", .needed = "libz.so.1 libGL.so.1", .rpath = "/usr/lib64/:$ORIGIN"});
	add((struct build_object){.path = "libz.so.1"});
	add((struct build_object){.path = "libGL.so.1"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(libz.so.1=host libGL.so.1=libGL.so.1) libGL.so.1()");
	build_free(layer);
}

static void search_paths_lead_nowhere_outside_the_tree(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so", .needed = "b.so", .rpath = "$ORIGIN/..:/nowhere:.:b:$ORIGIN/../$LIB"});
	add((struct build_object){.path = "b.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(b.so=missing)");
	build_free(layer);
}

static void origin_is_the_directory_of_the_link_an_object_was_found_by(void)
{
	layer = build_layer();
	add((struct build_object){.path = "m/a.so", .needed = "b.so", .rpath = "$ORIGIN/../links"});
	add((struct build_object){.path = "real/b.so", .needed = "c.so", .runpath = "$ORIGIN"});
	add((struct build_object){.path = "real/c.so"});
	add((struct build_object){.path = "links/c.so"});
	build_symlink(layer, "links/b.so", "../real/b.so");
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0),
			 "m/a.so(b.so=links/b.so) links/b.so(c.so=links/c.so) links/c.so()");
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 1), "real/b.so(c.so=real/c.so) real/c.so()");
	build_free(layer);
}

static void origin_goes_through_linked_directories_like_the_kernel(void)
{
	layer = build_layer();
	add((struct build_object){.path = "m/a.so", .needed = "b.so", .rpath = "$ORIGIN/../jump/.."});
	add((struct build_object){.path = "far/away/x.so"});
	add((struct build_object){.path = "far/b.so", .needed = "x.so", .runpath = "$ORIGIN/away"});
	add((struct build_object){.path = "b.so"});
	build_symlink(layer, "jump", "far/away");
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0),
			 "m/a.so(b.so=far/b.so) far/b.so(x.so=far/away/x.so) far/away/x.so()");
	build_free(layer);
}

static void glibc_reuses_a_loaded_object_by_soname_but_musl_does_not(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "libb-1.so libb.so", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "libb-1.so", .soname = "libb.so"});
	add((struct build_object){.path = "libb.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(libb-1.so=libb-1.so libb.so=libb-1.so) libb-1.so()");
	UNIT_ASSERT_TEXT(scope_text(MUSL, 0),
			 "a.so(libb-1.so=libb-1.so libb.so=libb.so) libb-1.so() libb.so()");
	build_free(layer);
}

static void glibc_knows_the_root_by_its_soname_only(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "one/a.so", .soname = "liba.so", .needed = "b.so", .rpath = "$ORIGIN/../two"});
	add((struct build_object){.path = "two/b.so", .needed = "liba.so a.so"});
	add((struct build_object){.path = "two/a.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "one/a.so(b.so=two/b.so) "
					       "two/b.so(liba.so=one/a.so a.so=two/a.so) two/a.so()");
	build_free(layer);
}

static void loading_takes_one_object_for_one_inode(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so c.so d.so", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "b.so", .links = "c.so"});
	build_symlink(layer, "d.so", "b.so");
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(b.so=b.so c.so=b.so d.so=b.so) b.so()");
	UNIT_ASSERT_TEXT(scope_text(MUSL, 0), "a.so(b.so=b.so c.so=b.so d.so=b.so) b.so()");
	build_free(layer);
}

static void glibc_records_every_name_an_object_was_found_by(void)
{
	/* The second c.so is not searched for: e.so would find another one. */
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so c.so e.so", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "b.so"});
	build_symlink(layer, "c.so", "b.so");
	add((struct build_object){.path = "e.so", .needed = "c.so", .runpath = "$ORIGIN/other"});
	add((struct build_object){.path = "other/c.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(b.so=b.so c.so=b.so e.so=e.so) b.so() e.so(c.so=b.so)");
	UNIT_ASSERT_TEXT(scope_text(MUSL, 0), "a.so(b.so=b.so c.so=b.so e.so=e.so) b.so() "
					      "e.so(c.so=other/c.so) other/c.so()");
	build_free(layer);
}

static void musl_gives_the_root_a_name_once_it_was_searched_for(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "b.so", .needed = "a.so c.so", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "c.so", .needed = "a.so", .rpath = "$ORIGIN/other"});
	add((struct build_object){.path = "other/a.so"});
	UNIT_ASSERT_TEXT(scope_text(MUSL, 0), "a.so(b.so=b.so) b.so(a.so=a.so c.so=c.so) c.so(a.so=a.so)");
	/* Its own directory is searched before its loaders'. */
	UNIT_ASSERT_TEXT(scope_text(MUSL, 2), "c.so(a.so=other/a.so) other/a.so()");
	build_free(layer);
}

static void loading_takes_a_host_library_again_once_it_is_there(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "libz.so.1 b.so", .runpath = "$ORIGIN"});
	add((struct build_object){.path = "b.so", .needed = "libz.so.1", .rpath = "$ORIGIN/libs"});
	add((struct build_object){.path = "libs/libz.so.1"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(libz.so.1=host b.so=b.so) b.so(libz.so.1=host)");
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 1), "b.so(libz.so.1=libs/libz.so.1) libs/libz.so.1()");
	build_free(layer);
}

static void loading_never_replaces_the_c_library(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "a.so", .needed = "libc.so.6 ld-linux-x86-64.so.2", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "libc.so.6"});
	add((struct build_object){.path = "ld-linux-x86-64.so.2"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(libc.so.6=host ld-linux-x86-64.so.2=host)");
	build_free(layer);
}

static void glibc_nodeflib_skips_the_host_but_not_search_paths(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "libm.so.6 libc.so.6", .nodeflib = true});
	add((struct build_object){
		.path = "b.so", .needed = "libm.so.6", .nodeflib = true, .runpath = "/lib64"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(libm.so.6=missing libc.so.6=host)");
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 1), "b.so(libm.so.6=host)");
	UNIT_ASSERT_TEXT(scope_text(MUSL, 0), "a.so(libm.so.6=host libc.so.6=host)");
	build_free(layer);
}

static void musl_voids_a_path_with_an_unknown_token(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so", .rpath = "$ORIGIN:$ORIGIN/$LIB"});
	add((struct build_object){.path = "b.so"});
	UNIT_ASSERT_TEXT(scope_text(MUSL, 0), "a.so(b.so=missing)");
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(b.so=b.so) b.so()");
	build_free(layer);
}

static void musl_searches_the_loaders_of_an_object_with_a_void_path(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "b.so", .needed = "c.so", .rpath = "$LIB"});
	add((struct build_object){.path = "c.so"});
	UNIT_ASSERT_TEXT(scope_text(MUSL, 0), "a.so(b.so=b.so) b.so(c.so=c.so) c.so()");
	build_free(layer);
}

static void loading_passes_over_other_machines_and_broken_files(void)
{
	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so", .rpath = "$ORIGIN/arm:$ORIGIN/x86"});
	add((struct build_object){.path = "arm/b.so", .machine = EM_AARCH64});
	add((struct build_object){.path = "x86/b.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0), "a.so(b.so=x86/b.so) x86/b.so()");
	build_free(layer);
}

static void names_with_a_slash_are_paths(void)
{
	layer = build_layer();
	add((struct build_object){
		.path = "m/a.so",
		.needed = "$ORIGIN/../libs/b.so libs/b.so /lib64/libm.so.6 /lib64/libx.so /opt/b.so",
		.rpath = "$ORIGIN/.."});
	add((struct build_object){.path = "libs/b.so"});
	UNIT_ASSERT_TEXT(scope_text(GLIBC, 0),
			 "m/a.so($ORIGIN/../libs/b.so=libs/b.so libs/b.so=missing "
			 "/lib64/libm.so.6=host /lib64/libx.so=missing /opt/b.so=missing) libs/b.so()");
	build_free(layer);
}

static void graph_leads_from_each_object_to_its_own_needs(void)
{
	struct target **graph;

	layer = build_layer();
	add((struct build_object){.path = "a.so", .needed = "b.so libc.so.6", .rpath = "$ORIGIN"});
	add((struct build_object){.path = "b.so", .needed = "c.so"});
	add((struct build_object){.path = "c.so"});
	graph = resolve_graph(layer->arena, layer, platform_find(GLIBC));
	CU_ASSERT_EQUAL(graph[0][0].object, 1);
	CU_ASSERT_EQUAL(graph[0][1].kind, TARGET_HOST);
	CU_ASSERT_EQUAL(graph[1][0].kind, TARGET_MISSING);
	build_free(layer);
}

static void collect(void *context, const char *entry)
{
	const char **list = context;

	*list = arena_printf(layer->arena, "%s[%s]", *list, entry);
}

static void escapes_are_entries_that_leave_the_tree(void)
{
	const char *list = "";

	layer = build_layer();
	add((struct build_object){.path = "m/a.so",
				  .rpath = "$ORIGIN/..:$ORIGIN/../..:/usr/lib:/build/lib:rel::$LIB"});
	resolve_escapes(layer->arena, layer, &layer->objects[0], collect, &list);
	UNIT_ASSERT_TEXT(list, "[$ORIGIN/../..][/build/lib][rel][]");
	list = "";
	add((struct build_object){.path = "b.so"});
	resolve_escapes(layer->arena, layer, &layer->objects[1], collect, &list);
	UNIT_ASSERT_TEXT(list, "");
	build_free(layer);
}

static void imports_bind_to_the_first_object_of_the_scope_that_defines_them(void)
{
	struct scope scope;

	layer = build_layer();
	add((struct build_object){.path = "a.so",
				  .needed = "b.so c.so",
				  .rpath = "$ORIGIN",
				  .imports = "f f@V1 malloc@GLIBC_2.2.5"});
	add((struct build_object){.path = "b.so", .exports = "f@@V2 f@V0", .verdefs = "V0 V2"});
	add((struct build_object){.path = "c.so", .exports = "f@@V1", .verdefs = "V1"});
	scope = resolve_scope(layer->arena, layer, platform_find(GLIBC), 0);
	CU_ASSERT_EQUAL(resolve_import(layer->arena, layer, &scope, &layer->objects[0].imports[0]), 1);
	CU_ASSERT_EQUAL(resolve_import(layer->arena, layer, &scope, &layer->objects[0].imports[1]), 2);
	CU_ASSERT_EQUAL(resolve_import(layer->arena, layer, &scope, &layer->objects[0].imports[2]), NO_ID);
	build_free(layer);
}

void suite_resolve(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(loading_goes_breadth_first),
		UNIT_TEST(loading_survives_circles),
		UNIT_TEST(glibc_inherits_rpath),
		UNIT_TEST(glibc_does_not_inherit_runpath_but_musl_does),
		UNIT_TEST(glibc_runpath_shuts_out_inherited_rpath),
		UNIT_TEST(glibc_inherits_rpath_past_an_object_with_runpath),
		UNIT_TEST(lambda_library_path_lies_between_rpath_and_runpath),
		UNIT_TEST(lambda_library_path_takes_certain_libraries_from_the_host_first),
		UNIT_TEST(search_paths_are_taken_in_order),
		UNIT_TEST(search_paths_may_name_the_hosts_directories_first),
		UNIT_TEST(search_paths_lead_nowhere_outside_the_tree),
		UNIT_TEST(origin_is_the_directory_of_the_link_an_object_was_found_by),
		UNIT_TEST(origin_goes_through_linked_directories_like_the_kernel),
		UNIT_TEST(glibc_reuses_a_loaded_object_by_soname_but_musl_does_not),
		UNIT_TEST(glibc_knows_the_root_by_its_soname_only),
		UNIT_TEST(loading_takes_one_object_for_one_inode),
		UNIT_TEST(glibc_records_every_name_an_object_was_found_by),
		UNIT_TEST(musl_gives_the_root_a_name_once_it_was_searched_for),
		UNIT_TEST(loading_takes_a_host_library_again_once_it_is_there),
		UNIT_TEST(loading_never_replaces_the_c_library),
		UNIT_TEST(glibc_nodeflib_skips_the_host_but_not_search_paths),
		UNIT_TEST(musl_voids_a_path_with_an_unknown_token),
		UNIT_TEST(musl_searches_the_loaders_of_an_object_with_a_void_path),
		UNIT_TEST(loading_passes_over_other_machines_and_broken_files),
		UNIT_TEST(names_with_a_slash_are_paths),
		UNIT_TEST(graph_leads_from_each_object_to_its_own_needs),
		UNIT_TEST(escapes_are_entries_that_leave_the_tree),
		UNIT_TEST(imports_bind_to_the_first_object_of_the_scope_that_defines_them),
	};

	unit_suite("resolve", tests, sizeof tests / sizeof *tests);
}
