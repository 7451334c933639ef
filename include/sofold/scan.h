/*
 * scan: from a directory (or a zip) to a layer.
 *
 * One walk over the tree, one parse of each ELF file on all cores, digests
 * only where sizes or image shapes collide. Reads only; follows no symlink
 * out of the tree; opens regular files only. What is wrong with a single file
 * is a finding in the layer and the scan goes on; what is wrong with the
 * whole (no such directory) is an error.
 */
#ifndef SOFOLD_SCAN_H
#define SOFOLD_SCAN_H

#include "sofold/error.h"
#include "sofold/layer.h"
#include "sofold/plan.h"
#include "sofold/prune.h"
#include "sofold/span.h"

struct scan_options {
	bool hash_families; /* SHA-256 of all copies of a family, not only of equal sizes */
	bool frames;	    /* function extents and producers of every object (libdwarf) */
	unsigned threads;   /* 0: one for each core */
};

/* Scans path, a directory or an archive libarchive can read (.zip, .whl,
 * .tar…). The layer holds its own arena: layer_free() when done. */
int scan_layer(const char *path, const struct scan_options *options, struct layer **layer, struct error *err);

/* Parses one object from bytes in memory, as scan_layer() does for each file:
 * what the strip and dedupe passes wrote is read back with it before use.
 * Findings go to layer under path. Returns false when it is no ELF file or
 * not a sound one. */
bool scan_object(struct layer *layer, const char *path, struct span bytes, struct object *object);

/*
 * Looks for code that names the files of some objects: their names in .py
 * files, and in the read-only data of ELF files, as an argument of dlopen()
 * would stand there. wanted has a flag for each object; the first file found
 * to name one goes to its named_by. Only for a layer that is a directory.
 */
int scan_mentions(struct layer *layer, const bool *wanted, struct error *err);

/* Looks for names in .py files, and among the strings of objects that look symbols up
 * by name (dlsym): sets names->found. A name in a .py file may also be part
 * of the export's: threadpoolctl puts prefix and suffix to "openblas_get_config". Only
 * for a layer that is a directory. */
int scan_names(const struct layer *layer, struct names *names, struct error *err);

/* Reads each task's object, and fills its result. What is refused is no error. */
int scan_trims(struct layer *layer, struct trims *trims, struct error *err);

/* Reads the import statements of the sources that prune_unread() flags, and
 * gives those that prune_asks() for, in the order of files. What cannot be read
 * imports nothing; the walk has said so. Only for a layer that is a directory. */
int scan_imports(struct layer *layer, const struct prune *prune, struct python_imports *imports,
		 struct error *err);

/* Compares each .pyc file with its source: fills file.bytecode. Only for a
 * layer that is a directory. */
int scan_bytecode(struct layer *layer, struct error *err);

void layer_free(struct layer *layer); /* NULL is fine */

#endif
