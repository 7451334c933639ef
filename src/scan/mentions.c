/*
 * Code that names a library's file.
 *
 * ctypes.CDLL("libfoo-1a2b3c4d.so") and dlopen("libfoo.so.5") do not stand in
 * any NEEDED entry. Before a file goes, every .py file, and the bytes of every
 * ELF file outside its dynamic string table, are searched for its name. An ELF
 * file that could not be parsed may need libraries all the same, by whatever
 * loader takes it: all its bytes are searched. A
 * name counts when it stands alone: what follows must end a file name and what
 * precedes must begin one, so "libz.so" is not found in "libxyz.so.1".
 */
#include <elf.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "scan/parts.h"
#include "sofold/pool.h"

struct search {
	struct layer *layer;
	const struct source *source;
	const object_id *wanted;
	size_t nr_wanted;
	size_t *so_at;		    /* where ".so" stands in each wanted name; SIZE_MAX: nowhere */
	_Atomic(file_id) *named_by; /* for each wanted: lowest file that names it */
};

static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-' || c == '.' || c == '+';
}

static bool stands_alone(struct span bytes, size_t at, size_t n)
{
	return (!at || !is_name_byte(bytes.p[at - 1])) &&
	       (at + n == bytes.n || !is_name_byte(bytes.p[at + n]));
}

/* The next place of text at or behind at, or SIZE_MAX. */
static size_t find(struct span bytes, size_t at, const char *text)
{
	const uint8_t *found = at < bytes.n ? memmem(bytes.p + at, bytes.n - at, text, strlen(text)) : NULL;

	return found ? (size_t)(found - bytes.p) : SIZE_MAX;
}

static bool names(struct span bytes, const char *name)
{
	size_t at;

	for (at = find(bytes, 0, name); at != SIZE_MAX; at = find(bytes, at + 1, name))
		if (stands_alone(bytes, at, strlen(name)))
			return true;
	return false;
}

static void note(struct search *search, size_t wanted, file_id file)
{
	file_id known = atomic_load(&search->named_by[wanted]);

	while (file < known && !atomic_compare_exchange_weak(&search->named_by[wanted], &known, file))
		;
}

static const char *wanted_name(const struct search *search, size_t wanted)
{
	return object_name(search->layer, &search->layer->objects[search->wanted[wanted]]);
}

/* Which wanted names stand where a ".so" was found. */
static void compare_at(struct search *search, struct span bytes, size_t so, file_id file)
{
	size_t i;

	for (i = 0; i < search->nr_wanted; i++) {
		const char *name = wanted_name(search, i);
		size_t n = strlen(name);

		if (search->so_at[i] > so || n > bytes.n - (so - search->so_at[i]) ||
		    search->layer->files[file].object == search->wanted[i])
			continue;
		if (!memcmp(bytes.p + so - search->so_at[i], name, n) &&
		    stands_alone(bytes, so - search->so_at[i], n))
			note(search, i, file);
	}
}

enum { BLOCK_BYTES = 64 };

/* Whether a ".so" begins in the block; two bytes behind it are read as well. A loop
 * without a way out, which compilers turn into vectors. */
static bool block_has_so(const uint8_t *p)
{
	uint8_t any = 0;

	for (int i = 0; i < BLOCK_BYTES; i++)
		any |= (uint8_t)((p[i] == '.') & (p[i + 1] == 's') & (p[i + 2] == 'o'));
	return any;
}

/* find() for ".so", six times as fast as memmem(), which has little to skip by. */
static size_t find_so(struct span bytes, size_t at)
{
	while (bytes.n >= BLOCK_BYTES + 2 && at <= bytes.n - BLOCK_BYTES - 2 && !block_has_so(bytes.p + at))
		at += BLOCK_BYTES;
	return find(bytes, at, ".so");
}

/* Nearly every library's name has a ".so": one search serves all of those. */
static void search_bytes(struct search *search, struct span bytes, file_id file)
{
	size_t i, at;

	for (at = find_so(bytes, 0); at != SIZE_MAX; at = find_so(bytes, at + 1))
		compare_at(search, bytes, at, file);
	for (i = 0; i < search->nr_wanted; i++)
		if (search->so_at[i] == SIZE_MAX && search->layer->files[file].object != search->wanted[i] &&
		    names(bytes, wanted_name(search, i)))
			note(search, i, file);
}

struct here {
	struct search *search;
	file_id file;
};

static void search_constants(void *context, struct span part)
{
	const struct here *here = context;

	search_bytes(here->search, part, here->file);
}

void constants_each(struct span bytes, void (*found)(void *context, struct span part), void *context)
{
	Elf64_Ehdr ehdr;
	Elf64_Shdr shdr;
	struct span part;
	uint16_t i;

	if (!span_read(bytes, 0, &ehdr, sizeof ehdr) || ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_shentsize != sizeof shdr)
		return;
	for (i = 1; i < ehdr.e_shnum; i++) {
		if (!span_read(bytes, ehdr.e_shoff + i * sizeof shdr, &shdr, sizeof shdr))
			return;
		if (shdr.sh_type == SHT_PROGBITS && (shdr.sh_flags & SHF_ALLOC) &&
		    !(shdr.sh_flags & SHF_EXECINSTR) && span_sub(bytes, shdr.sh_offset, shdr.sh_size, &part))
			found(context, part);
	}
}

static void search_file(void *context, size_t item, unsigned worker)
{
	struct search *search = context;
	const struct file *file = &search->layer->files[item];
	struct mapping mapping;
	struct error err = {0};

	(void)worker;
	if (file->kind != FILE_REGULAR ||
	    (file->object == NO_ID && !file->is_elf && !file_has_suffix(file, ".py")))
		return;
	/* What cannot be read was a finding of the scan already. */
	if (source_open(search->source, search->layer, file, &mapping, &err))
		return;
	if (file->object == NO_ID)
		search_bytes(search, mapping.bytes, (file_id)item);
	else
		constants_each(mapping.bytes, search_constants, &(struct here){search, (file_id)item});
	source_close(search->source, &mapping);
}

static void publish(struct search *search)
{
	struct layer *layer = search->layer;
	size_t i;

	for (i = 0; i < search->nr_wanted; i++) {
		file_id file = atomic_load(&search->named_by[i]);

		if (file != NO_ID)
			layer->objects[search->wanted[i]].named_by = layer->files[file].path;
	}
}

int scan_mentions(struct layer *layer, const bool *wanted, struct error *err)
{
	struct source source = {.root = open(layer->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct search search = {.layer = layer, .source = &source};
	object_id *ids = arena_array(layer->arena, layer->nr_objects, sizeof *ids);
	size_t i;

	if (source.root < 0)
		return error_errno(err, "opening %s", layer->root);
	search.named_by = arena_array(layer->arena, layer->nr_objects, sizeof *search.named_by);
	for (i = 0; i < layer->nr_objects; i++) {
		if (!wanted[i])
			continue;
		atomic_store(&search.named_by[search.nr_wanted], NO_ID);
		ids[search.nr_wanted++] = (object_id)i;
	}
	search.wanted = ids;
	search.so_at = arena_array(layer->arena, search.nr_wanted, sizeof *search.so_at);
	for (i = 0; i < search.nr_wanted; i++) {
		const char *name = wanted_name(&search, i), *so = strstr(name, ".so");

		search.so_at[i] = so ? (size_t)(so - name) : SIZE_MAX;
	}
	if (search.nr_wanted)
		pool_run(layer->nr_files, 0, search_file, &search);
	publish(&search);
	close(source.root);
	return 0;
}
