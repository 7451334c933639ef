/*
 * build_object: real ELF files for the tests of src/image, made by the
 * compiler and then bent by hand where no linker would make them so.
 *
 *	struct elf elf = object_compile("-Wl,-z,now", "int answer(void) { return 42; }");
 *	elf.phdrs[0].p_align = 4;
 *	image_edit(arena, elf.bytes, …);
 *	CU_ASSERT_EQUAL(object_run(result.bytes), 42);
 *
 * The same options and source are compiled once in a run; every call gives a
 * copy of its own. Everything is in an arena that object_forget() frees, and
 * a directory that goes when the process ends.
 */
#ifndef SOFOLD_UNIT_BUILD_OBJECT_H
#define SOFOLD_UNIT_BUILD_OBJECT_H

#include <elf.h>

#include "sofold/image.h"

/* An ELF file in memory; the pointers lead into its bytes. */
struct elf {
	struct span bytes;
	uint8_t *p; /* the same, to change */
	Elf64_Ehdr *ehdr;
	Elf64_Phdr *phdrs;
	Elf64_Shdr *shdrs;
};

/* Compiles a shared object with gcc, or g++ where the source starts with
 * "//c++", or for AArch64 where it starts with OBJECT_CROSS. In options "DIR" stands for the directory with the files that
 * object_file() has written. Ends the process when that fails. */
#define OBJECT_CROSS "//aarch64\n"

struct elf object_compile(const char *options, const char *source);

/* Whether there is a compiler for AArch64. */
bool object_can_cross(void);

/* Runs a shell command there with "$1" = a file holding bytes; the file
 * afterwards. */
struct elf object_filter(struct span bytes, const char *command);

/* Writes bytes under this name in the directory; the path. */
const char *object_file(const char *name, struct span bytes);

/* Looks at bytes as an ELF file, in a copy. */
struct elf object_open(struct span bytes);

/* Loads the object in a process of its own, with every symbol bound, and
 * calls int answer(void); negative when that fails. */
int object_run(struct span bytes);

/* The first section of this name, or NULL. */
Elf64_Shdr *object_section(const struct elf *elf, const char *name);

/* The n-th program header of a type, counted from 0, or NULL. */
Elf64_Phdr *object_phdr(const struct elf *elf, uint32_t type, unsigned n);

/* The dynamic entry with this tag, or NULL. */
Elf64_Dyn *object_dynamic(const struct elf *elf, int64_t tag);

/* Takes the section headers away, as sstrip does. */
void object_drop_sections(struct elf *elf);

/* image_edit() and image_prove() in one; the new file, empty when either
 * fails. What they said is in object_error(). */
struct elf object_edit(struct span bytes, const struct image_edits *edits);
const char *object_error(void);
int object_error_kind(void);

struct arena *object_arena(void);
void object_forget(void);

#endif
