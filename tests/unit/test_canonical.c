/*
 * Unit tests of image_canonical(): equal streams for what wheel tools make of
 * one build, another stream for another build.
 */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_object.h"

static const char source[] =
	"#include <stdlib.h>\n#include <math.h>\n"
	"static __thread int mine = 3, none; int zeros[99], data = 38; int *points = &data;\n"
	"__attribute__((constructor)) static void start(void) { zeros[1] = 1; }\n"
	"int answer(void) { return *points + zeros[1] + mine + none + abs((int)floor(0.5)); }";
#define OPTIONS "-lm -fno-builtin -Wl,-soname,libx.so.1 -Wl,--build-id"

static void append(void *context, struct span bytes)
{
	fwrite(bytes.p, 1, bytes.n, context);
}

static struct span stream_of(struct span file)
{
	struct error err = {""};
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	struct span stream;

	CU_ASSERT_EQUAL(image_canonical(object_arena(), file, append, out, &err), 0);
	UNIT_ASSERT_TEXT(err.message, "");
	fclose(out);
	stream = (struct span){arena_memdup(object_arena(), text, n), n};
	free(text);
	return stream;
}

static bool same(struct span a, struct span b)
{
	return span_equal(stream_of(a), stream_of(b));
}

/* A shell command leaves the stream as it was. */
static void expect_same_after(const char *command)
{
	struct elf elf = object_compile(OPTIONS, source), after = object_filter(elf.bytes, command);
	bool equal = same(elf.bytes, after.bytes);

	CU_ASSERT(!span_equal(elf.bytes, after.bytes));
	CU_ASSERT(equal);
	if (!equal)
		fprintf(stderr, "another stream after: %s\n", command);
	object_forget();
}

static void canonical_is_the_same_after_patchelf(void)
{
	expect_same_after("patchelf --set-soname libquite-another-name-1a2b3c4d.so.1 \"$1\"");
	expect_same_after("patchelf --replace-needed libm.so.6 libm-deadbeef.so.6.1 \"$1\"");
	expect_same_after("patchelf --set-rpath '$ORIGIN/../a/directory/of/some/length' \"$1\"");
	expect_same_after("patchelf --force-rpath --set-rpath '$ORIGIN' \"$1\"");
	expect_same_after(
		"patchelf --set-rpath '$ORIGIN' \"$1\" && patchelf --set-soname libz-1.so.1 \"$1\" && "
		"patchelf --replace-needed libm.so.6 libm-1234.so \"$1\"");
	expect_same_after("patchelf --page-size 65536 --set-rpath '$ORIGIN' \"$1\" && patchelf --set-rpath "
			  "'$ORIGIN:$ORIGIN/../lib' \"$1\"");
}

static void canonical_is_the_same_for_patches_in_another_order(void)
{
	struct elf elf = object_compile(OPTIONS, source);
	struct elf a = object_filter(elf.bytes, "patchelf --set-rpath '$ORIGIN/../some/place' \"$1\" && "
						"patchelf --set-soname libfirst.so \"$1\"");
	struct elf b = object_filter(elf.bytes, "patchelf --set-soname libsecond-and-longer.so \"$1\" && "
						"patchelf --set-rpath '$ORIGIN' \"$1\"");

	CU_ASSERT(same(a.bytes, b.bytes));
	object_forget();
}

static void canonical_is_the_same_after_strip(void)
{
	expect_same_after("strip \"$1\"");
	expect_same_after(
		"objcopy --only-keep-debug \"$1\" x.debug && objcopy --add-gnu-debuglink=x.debug \"$1\"");
}

static void canonical_is_the_same_after_our_edits(void)
{
	static const struct image_edits edits = {
		.soname = "libname-of-a-length-that-needs-room-somewhere-else-in-the-file.so.1",
		.search_path = "$ORIGIN/here/and/there",
		.compact = true,
		.page = 4096,
	};
	struct elf elf = object_compile(OPTIONS, source), new = object_edit(elf.bytes, &edits);

	CU_ASSERT_FATAL(new.p != NULL);
	CU_ASSERT(same(elf.bytes, new.bytes));
	object_forget();
}

static void canonical_tells_one_changed_byte_in_code_or_data(void)
{
	static const char *const sections[] = {".text",	    ".data",	   ".eh_frame",
					       ".rela.dyn", ".init_array", ".tdata"};

	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		struct elf elf = object_compile(OPTIONS, source), bent = object_open(elf.bytes);

		bent.p[object_section(&bent, sections[i])->sh_offset] ^= 1;
		CU_ASSERT(!same(elf.bytes, bent.bytes));
		object_forget();
	}
}

/* The same source with other options. */
static void expect_another(const char *options, const char *other)
{
	CU_ASSERT(!same(object_compile(options, source).bytes, object_compile(other, source).bytes));
	object_forget();
}

static void canonical_tells_another_symbol_or_version(void)
{
	static const char one[] = "A_1 { global: *; };", two[] = "A_2 { global: *; };";
	struct elf elf, bent;
	Elf64_Shdr *dynsym;

	object_file("one.map", (struct span){(const uint8_t *)one, strlen(one)});
	object_file("two.map", (struct span){(const uint8_t *)two, strlen(two)});
	expect_another(OPTIONS " -Wl,--version-script=DIR/one.map",
		       OPTIONS " -Wl,--version-script=DIR/two.map");
	expect_another(OPTIONS, OPTIONS " -Wl,--version-script=DIR/one.map");
	elf = object_compile(OPTIONS, source);
	bent = object_open(elf.bytes);
	dynsym = object_section(&bent, ".dynsym");
	((Elf64_Sym *)(void *)(bent.p + dynsym->sh_offset))[1].st_info ^= STB_WEAK << 4;
	CU_ASSERT(!same(elf.bytes, bent.bytes));
	object_forget();
}

static void canonical_tells_how_it_is_loaded(void)
{
	expect_another(OPTIONS, OPTIONS " -Wl,-z,now");
	expect_another(OPTIONS, OPTIONS " -Wl,-Bsymbolic");
	expect_another(OPTIONS, OPTIONS " -Wl,-z,execstack");
	expect_another(OPTIONS " -Wl,-f,libaux.so", OPTIONS " -Wl,-f,libbux.so");
	expect_another(OPTIONS, OPTIONS " -Wl,-f,libaux.so");
}

static void canonical_needs_section_headers(void)
{
	struct elf elf = object_compile(OPTIONS, source);
	struct error err = {""};

	object_drop_sections(&elf);
	CU_ASSERT_EQUAL(image_canonical(object_arena(), elf.bytes, append, stderr, &err), ERROR_REFUSED);
	object_forget();
}

void suite_canonical(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(canonical_is_the_same_after_patchelf),
		UNIT_TEST(canonical_is_the_same_for_patches_in_another_order),
		UNIT_TEST(canonical_is_the_same_after_strip),
		UNIT_TEST(canonical_is_the_same_after_our_edits),
		UNIT_TEST(canonical_tells_one_changed_byte_in_code_or_data),
		UNIT_TEST(canonical_tells_another_symbol_or_version),
		UNIT_TEST(canonical_tells_how_it_is_loaded),
		UNIT_TEST(canonical_needs_section_headers),
	};

	unit_suite("canonical", tests, sizeof tests / sizeof *tests);
}
