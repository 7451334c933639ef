/*
 * A layer that is still a zip (or a wheel, or a tar): read by libarchive.
 *
 * The bytes of ELF files and of RECORDs are kept in memory; of the rest only
 * name and size. An archive can be audited but not changed. Names that climb
 * out ("../x") or are absolute are findings and left out.
 *
 * A few kilobytes can be made to unpack to any number of gigabytes. Wheels
 * shrink to a third or a quarter, so an archive that gives a hundred times
 * its own size is refused, unless that is little.
 */
#include <elf.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "scan/libarchive.h"
#include "scan/parts.h"
#include "scan/walk.h"
#include "sofold/vec.h"

/* Always allowed, in bytes: Lambda's limit for a whole layer is 250 MiB. */
#define ALWAYS_ALLOWED ((uint64_t)256 << 20)
enum { MAX_RATIO = 100 };

struct entry {
	const char *path;
	struct span contents;
};

struct reading {
	struct layer *layer;
	const struct libarchive *lib;
	struct archive *archive;
	struct entry *entries;
	size_t nr_entries, alloc_entries;
	uint64_t unpacked, limit; /* bytes of all files so far; and at most */
};

static uint64_t unpacked_limit(int fd)
{
	struct stat st;
	uint64_t limit = fstat(fd, &st) ? 0 : (uint64_t)st.st_size * MAX_RATIO;

	return limit > ALWAYS_ALLOWED ? limit : ALWAYS_ALLOWED;
}

static bool is_wanted(const char *path, struct span start)
{
	static const char record[] = ".dist-info/RECORD";
	size_t n = strlen(path), m = strlen(record);

	return (start.n >= SELFMAG && !memcmp(start.p, ELFMAG, SELFMAG)) ||
	       (n >= m && !strcmp(path + n - m, record));
}

/* Reads an entry's data; keeps it only when it is wanted. */
static int read_data(struct reading *reading, const char *path, uint64_t *size, struct span *contents,
		     struct error *err)
{
	struct arena *arena = reading->layer->arena;
	uint8_t *bytes = NULL, start[64 * 1024];
	size_t room = 0;
	la_ssize_t n;

	*size = 0;
	while ((n = reading->lib->archive_read_data(reading->archive, start, sizeof start)) > 0) {
		if (!*size && is_wanted(path, (struct span){start, (size_t)n}))
			bytes = arena_alloc(arena, room = sizeof start);
		*size += (uint64_t)n;
		reading->unpacked += (uint64_t)n;
		if (reading->unpacked > reading->limit)
			return error_add(err, ERROR_RUN,
					 "reading %s: more than %" PRIu64 " MiB come out of it, "
					 "the limit for an archive of its size",
					 reading->layer->root, reading->limit >> 20);
		if (bytes && *size > room) {
			uint8_t *grown = arena_alloc(arena, room *= 2);

			memcpy(grown, bytes, *size - (size_t)n);
			bytes = grown;
		}
		if (bytes)
			memcpy(bytes + *size - (size_t)n, start, (size_t)n);
	}
	if (n < 0)
		return error_add(err, ERROR_RUN, "reading %s: %s: %s", reading->layer->root, path,
				 reading->lib->archive_error_string(reading->archive));
	*contents = bytes ? (struct span){bytes, *size} : (struct span){0};
	return 0;
}

static int read_entry(struct reading *reading, struct archive_entry *entry, struct error *err)
{
	struct layer *layer = reading->layer;
	const char *name = reading->lib->archive_entry_pathname(entry), *path;
	mode_t mode = reading->lib->archive_entry_filetype(entry);
	struct span contents = {0};
	struct file *file;
	uint64_t size;

	if (mode == S_IFDIR)
		return 0;
	path = name && *name != '/' ? path_join(layer->arena, "", name) : NULL;
	if (!path || !*path) {
		layer_add_finding(layer, "unsafe-name", SEVERITY_ERROR, name ? name : "?",
				  "the archive's name for this file leads out of it; left out");
		return 0;
	}
	if (read_data(reading, path, &size, &contents, err))
		return ERROR_RUN;
	file = VEC_PUSH(layer->arena, layer, files);
	*file = (struct file){
		.path = path,
		.name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path,
		.kind = mode == S_IFREG || !mode ? FILE_REGULAR
			: mode == S_IFLNK	 ? FILE_SYMLINK
						 : FILE_OTHER,
		.is_elf = contents.n >= SELFMAG && !memcmp(contents.p, ELFMAG, SELFMAG),
		.mode = reading->lib->archive_entry_mode(entry),
		.size = size,
		.ino = layer->nr_files,
		.nr_links = 1,
		.owner = NO_ID,
		.object = NO_ID,
	};
	if (file->kind == FILE_SYMLINK)
		file->link_target = arena_strdup(layer->arena,
						 reading->lib->archive_entry_symlink(entry) ?: "");
	*VEC_PUSH(layer->arena, reading, entries) = (struct entry){path, contents};
	return 0;
}

static int read_entries(struct reading *reading, struct error *err)
{
	struct archive_entry *entry;
	int rc;

	while ((rc = reading->lib->archive_read_next_header(reading->archive, &entry)) == ARCHIVE_OK ||
	       rc == ARCHIVE_WARN)
		if (read_entry(reading, entry, err))
			return ERROR_RUN;
	if (rc != ARCHIVE_EOF)
		return error_add(err, ERROR_RUN, "reading %s: %s", reading->layer->root,
				 reading->lib->archive_error_string(reading->archive));
	return 0;
}

/* Contents by file index, once the files are sorted. Their inode numbers
 * still say in which order they came. */
static void order_contents(struct reading *reading, struct source *source)
{
	struct layer *layer = reading->layer;
	size_t i;

	source->contents = arena_array(layer->arena, layer->nr_files, sizeof *source->contents);
	for (i = 0; reading->entries && i < layer->nr_files; i++)
		source->contents[i] = reading->entries[layer->files[i].ino - 1].contents;
}

static int open_archive(struct reading *reading, int fd, struct error *err)
{
	const struct libarchive *lib = reading->lib;

	lib->archive_read_support_filter_all(reading->archive);
	lib->archive_read_support_format_zip(reading->archive);
	lib->archive_read_support_format_tar(reading->archive);
	if (lib->archive_read_open_fd(reading->archive, fd, 1 << 16) != ARCHIVE_OK)
		return error_add(err, ERROR_RUN, "reading %s: neither a directory nor an archive: %s",
				 reading->layer->root, lib->archive_error_string(reading->archive));
	return 0;
}

int archive_read(struct layer *layer, int fd, struct source *source, struct error *err)
{
	struct reading reading = {.layer = layer, .limit = unpacked_limit(fd)};
	int rc = libarchive_load(&reading.lib, err);

	if (rc)
		return rc;
	reading.archive = reading.lib->archive_read_new();
	if (!reading.archive)
		return error_add(err, ERROR_RUN, "reading %s: out of memory", layer->root);
	rc = open_archive(&reading, fd, err);
	if (!rc)
		rc = read_entries(&reading, err);
	reading.lib->archive_read_free(reading.archive);
	if (rc)
		return rc;
	layer->from_archive = true;
	walk_sort(layer);
	order_contents(&reading, source);
	return 0;
}
