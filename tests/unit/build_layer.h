/*
 * build_layer: a model layer in a few lines, for unit tests.
 *
 *	struct layer *layer = build_layer();
 *	object_id core = build_object(layer, (struct build_object){
 *		.path = "numpy/core.so",
 *		.needed = "libblas.so.3 libc.so.6",
 *		.runpath = "$ORIGIN/../numpy.libs",
 *		.exports = "PyInit_core",
 *		.imports = "dgemm_ memcpy@GLIBC_2.14 ?__gmon_start__",
 *		.verneeds = "libc.so.6:GLIBC_2.2.5,?GLIBC_2.14",
 *	});
 *	build_symlink(layer, "numpy.libs/libblas.so.3", "libblas-1.so");
 *	...
 *	build_free(layer);
 *
 * Lists are separated by blanks. An object's id is its number in the order of
 * building; files are kept sorted by path, so file ids move while building.
 */
#ifndef SOFOLD_UNIT_BUILD_LAYER_H
#define SOFOLD_UNIT_BUILD_LAYER_H

#include "sofold/layer.h"

struct build_object {
	const char *path;
	const char *links; /* further hard links */
	const char *soname;
	const char *needed;
	const char *rpath;    /* DT_RPATH … */
	const char *runpath;  /* … or DT_RUNPATH */
	const char *exports;  /* "name", "name@@V" the default version, "name@V" a hidden one; "?" in front:
				 weak */
	const char *imports;  /* "name" or "name@V"; "?" in front: weak */
	const char *verneeds; /* "file:V1,V2"; "?" before a version: weak */
	const char *verdefs;
	const char *tag;	 /* of an extension module */
	const char *interpreter; /* makes it an executable */
	uint16_t machine;	 /* 0: EM_X86_64 */
	enum object_class class; /* 0: SHARED, or EXECUTABLE with an interpreter */
	uint64_t size;		 /* 0: 4096 */
	bool nodeflib;
	bool foreign;		 /* OBJECT_FOREIGN */
	owner_id owner_plus_one; /* 0: no wheel owns it */
};

/* An empty layer in an arena of its own. */
struct layer *build_layer(void);
void build_free(struct layer *layer);

/* A copy whose files and objects can be changed while the original stays;
 * shares its arena. */
struct layer *build_copy(const struct layer *layer);

object_id build_object(struct layer *layer, struct build_object spec);
void build_file(struct layer *layer, const char *path);
void build_symlink(struct layer *layer, const char *path, const char *target);
owner_id build_owner(struct layer *layer, const char *name, const char *version);

/* Adds a PT_LOAD to an object. */
void build_segment(struct layer *layer, object_id object, uint64_t offset, uint64_t vaddr, uint64_t align);

/* Splits a blank-separated list into the layer's arena. */
const char **build_words(struct layer *layer, const char *list, size_t *nr);

#endif
