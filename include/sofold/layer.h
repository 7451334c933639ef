/*
 * layer: the model of a Python layer: files, ELF objects, what they import,
 * export and need, and what was found wrong with them.
 *
 * The scanner fills a layer from disk (scan.h); everything else reads it.
 * A layer is plain data in one arena. Things refer to each other by index
 * ("object 7"), so a layer can be copied, changed and compared without
 * chasing pointers: the planner predicts the layer after its changes by
 * editing a copy (plan.h) and the verifier compares the two (verify.h).
 *
 * Paths are relative to the layer's root, with "/" between components and
 * neither "./" nor "/" in front. Sizes are bytes. Arrays are in a fixed order
 * that does not depend on the file system: files by path, objects by the path
 * they are first met at.
 */
#ifndef SOFOLD_LAYER_H
#define SOFOLD_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sofold/arena.h"
#include "sofold/span.h"

/* Indexes into the layer's arrays. */
typedef uint32_t file_id;
typedef uint32_t object_id;
typedef uint32_t owner_id;
#define NO_ID UINT32_MAX

/* A wheel that owns files, from its *.dist-info/RECORD. */
struct owner {
	const char *name;    /* as in the dist-info directory: "numpy" */
	const char *version; /* "2.4.6" */
	const char *base;    /* directory RECORD's paths are relative to; "" = root */
	file_id record;	     /* the RECORD file */
};

enum file_kind {
	FILE_REGULAR,
	FILE_SYMLINK,
	FILE_OTHER, /* FIFO, socket, device: counted, never opened */
	FILE_GONE,  /* not there: pruned, deleted in a prediction, or an offer not placed yet */
};

/* What a .pyc file is worth to an interpreter of its tag (scan_bytecode()). */
enum bytecode {
	BYTECODE_NONE,	/* not looked at, or no .pyc */
	BYTECODE_VALID, /* loaded in place of compiling the source */
	BYTECODE_STALE, /* made from another state of its source: read, and thrown away */
	BYTECODE_ALONE, /* in __pycache__ without a source: never read */
};

/* Why a file was taken out of a layer (prune.h). */
struct pruned {
	const char *rule; /* "tests" */
	const char *why;  /* in words */
};

struct file {
	const char *path;
	const char *name;	 /* last component of path */
	const char *link_target; /* of a symlink, as stored */
	enum file_kind kind;
	bool is_elf; /* regular, and starts with the ELF magic */
	bool unread; /* regular, and could not be opened: nobody knows whether it is ELF */
	uint32_t mode;
	uint64_t size; /* bytes; of a symlink the length of its target */
	uint64_t dev, ino;
	uint64_t nr_links; /* st_nlink; may count links outside the layer */
	int64_t mtime_sec, mtime_nsec;
	owner_id owner;	  /* NO_ID: in no RECORD */
	object_id object; /* the ELF object in it or, for a symlink, behind it; NO_ID: none */
	enum bytecode bytecode;
	const struct pruned *pruned; /* of one that prune has taken out: kind is FILE_GONE */
};

enum search_kind {
	SEARCH_NONE,
	SEARCH_RPATH,	/* DT_RPATH without DT_RUNPATH: inherited by dependencies on glibc */
	SEARCH_RUNPATH, /* DT_RUNPATH (a DT_RPATH beside it is ignored by every loader) */
};

enum symbol_flag {
	SYMBOL_WEAK = 1,
	SYMBOL_UNIQUE = 2, /* STB_GNU_UNIQUE */
	SYMBOL_HIDDEN = 4, /* not the default version: VERSYM_HIDDEN */
	SYMBOL_FUNCTION = 8,
	SYMBOL_TLS = 16,
	SYMBOL_DATA = 32, /* STT_OBJECT or STT_COMMON */
};

struct symbol {
	const char *name;
	const char *version; /* NULL: none */
	uint64_t size;	     /* bytes, st_size */
	uint32_t flags;	     /* enum symbol_flag */
	uint32_t index;	     /* in .dynsym */
	uint32_t hash;	     /* of the name, for look-ups; 0: not worked out */
};

/* One file name of .gnu.version_r and the versions wanted from it. */
struct verneed {
	const char *file; /* vn_file: equals a NEEDED name in a sound object */
	const char **versions;
	bool *weak; /* VER_FLG_WEAK: its absence is tolerated */
	size_t nr_versions;
};

struct segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz, align; /* bytes */
};

/* Where one function lies. */
struct extent {
	uint64_t vaddr, size; /* bytes */
};

/* What an object is good for, strongest claim last. */
enum object_class {
	OBJECT_FOREIGN, /* ELF, but 32 bits, big-endian or another machine: listed only */
	OBJECT_PLAIN,	/* ours to read, not a shared object we edit: .o, static, core */
	OBJECT_EXECUTABLE,
	OBJECT_SHARED,
};

struct object {
	file_id file;	/* the first path of this inode */
	file_id *links; /* every path of this inode, first one included; hard links only */
	size_t nr_links;
	uint64_t size; /* bytes of the file */
	enum object_class class;
	uint16_t machine; /* EM_X86_64 … */
	uint8_t elf_class, elf_data;
	uint16_t type; /* ET_DYN … */

	/* Why sofold leaves the bytes of this object alone; NULL: it may edit. */
	const char *untouchable;

	/* PT_DYNAMIC */
	const char *soname; /* NULL: none */
	const char **needed;
	size_t nr_needed;
	enum search_kind search_kind;
	const char *search_path; /* as stored, tokens unexpanded; NULL: none */
	bool nodeflib;		 /* DF_1_NODEFLIB */
	bool nodelete;		 /* DF_1_NODELETE */
	bool noopen;		 /* DF_1_NOOPEN: dlopen() refuses whatever needs it */
	bool path_fits;		 /* it has a search path, or a dynamic entry to spare for one */

	struct verneed *verneeds;
	size_t nr_verneeds;
	const char **verdefs; /* version names defined, without the base entry */
	size_t nr_verdefs;

	struct symbol *exports; /* in .dynsym order */
	size_t nr_exports;
	struct symbol *imports; /* likewise */
	size_t nr_imports;

	struct segment *segments;
	size_t nr_segments;

	uint64_t symtab_bytes;	  /* .symtab and its .strtab */
	uint64_t debug_bytes;	  /* .debug*, .zdebug*, .gnu_debug* */
	uint64_t text_bytes;	  /* executable sections */
	const char *build_id;	  /* lower-case hex; NULL: none */
	const char *interpreter;  /* PT_INTERP; NULL: none */
	const char *version_hint; /* what the library says of its own version; NULL: unknown */
	const char *compiler;	  /* last .comment string or DW_AT_producer; NULL: none */
	struct extent *functions; /* of .eh_frame, by address; NULL unless asked for */
	size_t nr_functions;
	bool has_handlers; /* some of them say what to do with an exception; with functions */
	bool ilp64;	   /* OpenBLAS built with 64-bit integers, by its own word */
	bool lp64;	   /* likewise with 32-bit integers; neither: no OpenBLAS, or it does not say */
	bool is_extension; /* exports PyInit_*: Python loads it by path */
	const char *tag;   /* of an extension module's name: "cpython-312-x86_64-linux-gnu", NULL */

	const char *family;   /* family_name() of its file: "libgfortran.so.5" */
	const char *named_by; /* a file whose code names this one's file; NULL: none found, or not
			       * looked for, see scan_mentions() */
	const char *content;  /* equal text: the same bytes; NULL: nothing of the same size */
	const char *sha256;   /* lower-case hex, where a report asked for it; or NULL */
	const char *image;    /* digest of the loaded image without names; NULL: nothing alike */

	/* The bytes of an object that is not in the layer, but that a plan may
	 * place at its path: see layer_add_offer(). n = 0: it is in the layer. */
	struct span offer;

	struct export_index *index; /* see object_find_export(); filled on demand */
};

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

/* A fact about the user's layer that the user should know. */
struct finding {
	const char *rule; /* stable name: "missing-library" */
	enum severity severity;
	const char *path;
	const char *message; /* one sentence without the path */
};

struct spent; /* what scan_layer() leaves for layer_free() to tidy up */

struct layer {
	struct arena *arena; /* holds everything below */
	struct spent *spent;
	const char *root; /* path as the user gave it */

	struct file *files;
	size_t nr_files, alloc_files;
	struct object *objects;
	size_t nr_objects, alloc_objects;
	struct owner *owners;
	size_t nr_owners, alloc_owners;
	struct finding *findings;
	size_t nr_findings, alloc_findings;

	size_t nr_offers;  /* objects at the end of objects, and files, that are not there yet */
	uint64_t bytes;	   /* of all files; each inode once */
	bool from_archive; /* a zip: can be audited, not changed */
};

/* What is there: without offers. */
static inline size_t layer_count_files(const struct layer *layer)
{
	return layer->nr_files - layer->nr_offers;
}

static inline size_t layer_count_objects(const struct layer *layer)
{
	return layer->nr_objects - layer->nr_offers;
}

/* Whether a file's name ends in this: ".py". */
static inline bool file_has_suffix(const struct file *file, const char *suffix)
{
	size_t n = strlen(file->name), m = strlen(suffix);

	return n >= m && !strcmp(file->name + n - m, suffix);
}

/* Adds a finding; the message is formatted into the layer's arena. */
void layer_add_finding(struct layer *layer, const char *rule, enum severity severity, const char *path,
		       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Puts findings in their final order (by severity, rule, path). */
void layer_sort_findings(struct layer *layer);

/*
 * Adds an object that a plan may place at path, which must not be taken. It
 * stands behind all others, and nothing leads to it: its file has kind
 * FILE_GONE and no object until plan_predict() makes one of it. owner is the
 * wheel it would belong to. Ids of files behind path move up by one, so this
 * comes before anything outside the layer keeps any.
 */
object_id layer_add_offer(struct layer *layer, const char *path, owner_id owner, const struct object *object);

/*
 * The layer without some files: pruned has an entry for each file, NULL
 * where it stays. Ids of files mean the same in both, those of objects do not;
 * an object goes with the last of its paths, and what was found about a file
 * that goes is not said any more. Shares what it does not change with layer;
 * allocates in layer->arena. Comes before layer_add_offer().
 */
struct layer *layer_without(struct layer *layer, const struct pruned *const *pruned);

/* Index of the first file whose path does not sort before path. Those that begin alike
 * are neighbours. */
size_t layer_first_at(const struct layer *layer, const char *path);

/* The file with this exact path, or NO_ID. Files are sorted: binary search. */
file_id layer_find_file(const struct layer *layer, const char *path);

/* The object that a path leads to, through symlinks inside the layer, or
 * NO_ID. Symlinks that leave the tree or loop lead nowhere. path may hold
 * "." and ".." components. */
object_id layer_object_at(const struct layer *layer, const char *path);

/* dir/name resolved lexically ("a/b" + "../c" = "a/c"); NULL when it climbs
 * out of the root. Allocated in arena. */
char *path_join(struct arena *arena, const char *dir, const char *name);

/* The source of bytecode: "a/__pycache__/b.cpython-312.pyc" -> "a/b.py". NULL for
 * a path not in __pycache__; a .pyc there is loaded without a source
 * (importlib/_bootstrap_external.py, SourcelessFileLoader). Allocated in arena. */
char *path_of_source(struct arena *arena, const char *path);

/* The directory of a path, "" for one in the root. Allocated in arena. */
char *path_dir(struct arena *arena, const char *path);

/* How to get from one directory to another: ("a/b", "a/c") -> "../c"; "." for
 * the same. Both relative to the root. Allocated in arena. */
char *path_relative(struct arena *arena, const char *from, const char *to);

/* Path of the object's first file. */
static inline const char *object_path(const struct layer *layer, const struct object *object)
{
	return layer->files[object->file].path;
}

static inline const char *object_name(const struct layer *layer, const struct object *object)
{
	return layer->files[object->file].name;
}

static inline bool same_digest(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* The same bytes; and the same once loaded, whatever wheel tools called it. */
static inline bool object_same_bytes(const struct object *a, const struct object *b)
{
	return same_digest(a->content, b->content);
}

static inline bool object_same_image(const struct object *a, const struct object *b)
{
	return same_digest(a->image, b->image);
}

/* "numpy 2.4.6", or "-" for an object no wheel owns. Allocated in arena. */
const char *object_owner(struct arena *arena, const struct layer *layer, const struct object *object);

/*
 * The export that binds an import of name with version, by glibc's rules
 * (elf/dl-lookup.c, check_match): with a version wanted, the same version or
 * an unversioned definition; with none wanted, the base or default version.
 * NULL: not defined here. Builds the object's index in arena on first use, so
 * the arena must live as long as the object, and not for concurrent first
 * calls.
 */
const struct symbol *object_find_export(struct arena *arena, struct object *object, const char *name,
					const char *version);

/* Whether the n bytes at a are the wheel that b names: "scikit_learn" is
 * "Scikit-Learn" (PEP 503). */
bool same_wheel_name(const char *a, size_t n, const char *b);

/* Which wheel tools' additions to drop from a library's file name:
 * "libgfortran-040039e1-0352e75f.so.5.0.0" -> "libgfortran.so.5",
 * "libopenblasp-r0-34a18dc3.3.7.so" -> "libopenblas.so". owner is the
 * wheel's name for package tags ("libgdal-fiona-e8f6bdb0.so.35"), or NULL.
 * Allocated in arena. */
char *family_name(struct arena *arena, const char *file_name, const char *owner);

#endif
