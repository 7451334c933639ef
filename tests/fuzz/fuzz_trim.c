/*
 * trim and the image writer's cuts on any bytes and any request.
 *
 * What trim finds goes to the image writer. It may refuse; what it writes must
 * pass the proof, and everything a loader touches must still be there. Cutting
 * the result once more must not make it shorter: asked of sane objects only
 * (FUZZ_SANE in the environment), since in others two answers may both be right.
 *
 *	byte 0   what is asked for: see enum below
 *	byte 1   which exports are wanted
 *	byte 2   modulo 4: functions of the unwind table, none, invented ones, both
 *	byte 3   how they are invented
 *	rest     the object
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "sofold/image.h"
#include "sofold/scan.h"
#include "sofold/trim.h"

enum {
	ASK_CPU = 1,
	ASK_FOLD = 2,
	ASK_EXPORTS = 4,
	ASK_UNWIND = 8,
	ASK_POISON = 16,
	ASK_PAGE = 32,
	ASK_WANTED = 64
};
enum { FUNCTIONS_UNWIND, FUNCTIONS_NONE, FUNCTIONS_INVENTED, FUNCTIONS_BOTH };
enum { CHOICES = 4, MAX_INVENTED = 64, MAX_FRAMES = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what, const struct error *err)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_trim: %s: %s\n", what, err ? err->message : "");
	abort();
}

/* --------- a file as a loader sees it ------------------ */

struct view {
	struct span file;
	Elf64_Ehdr ehdr;
};

static bool open_view(struct view *view, struct span file)
{
	view->file = file;
	return span_read(file, 0, &view->ehdr, sizeof view->ehdr) &&
	       view->ehdr.e_phentsize == sizeof(Elf64_Phdr);
}

static bool phdr_at(const struct view *view, size_t i, Elf64_Phdr *phdr)
{
	return i < view->ehdr.e_phnum &&
	       span_read(view->file, view->ehdr.e_phoff + i * sizeof *phdr, phdr, sizeof *phdr);
}

/* Bytes of the file at an address. */
static bool read_at(const struct view *view, uint64_t vaddr, void *to, size_t n)
{
	Elf64_Phdr phdr;
	size_t i;

	for (i = 0; phdr_at(view, i, &phdr); i++)
		if (phdr.p_type == PT_LOAD && vaddr >= phdr.p_vaddr &&
		    vaddr - phdr.p_vaddr <= phdr.p_filesz && n <= phdr.p_filesz - (vaddr - phdr.p_vaddr))
			return span_read(view->file, phdr.p_offset + (vaddr - phdr.p_vaddr), to, n);
	return false;
}

static bool is_mapped(const struct view *view, uint64_t vaddr)
{
	Elf64_Phdr phdr;
	size_t i;

	for (i = 0; phdr_at(view, i, &phdr); i++)
		if (phdr.p_type == PT_LOAD && vaddr >= phdr.p_vaddr && vaddr - phdr.p_vaddr < phdr.p_memsz)
			return true;
	return false;
}

static bool find_tag(const struct view *view, int64_t tag, uint64_t *value)
{
	Elf64_Phdr phdr;
	Elf64_Dyn dyn;
	size_t i, k;

	for (i = 0; phdr_at(view, i, &phdr); i++)
		for (k = 0; phdr.p_type == PT_DYNAMIC && (k + 1) * sizeof dyn <= phdr.p_filesz; k++) {
			if (!read_at(view, phdr.p_vaddr + k * sizeof dyn, &dyn, sizeof dyn) ||
			    dyn.d_tag == DT_NULL)
				return false;
			if (dyn.d_tag == tag) {
				*value = dyn.d_un.d_val;
				return true;
			}
		}
	return false;
}

/* --------- what is asked for ------------------ */

/* One entry of .eh_frame_hdr's table as GNU ld and lld write it (LSB, "The
 * .eh_frame_hdr section"): distances from the section, sorted by function. */
static bool frame_at(const struct view *view, uint64_t header, uint32_t i, struct extent *function)
{
	int32_t entry[2];
	uint32_t fde[4]; /* length, CIE, function's distance, its size */
	uint64_t at;

	if (!read_at(view, header + 12 + i * sizeof entry, entry, sizeof entry))
		return false;
	at = header + (uint64_t)(int64_t)entry[1];
	if (!read_at(view, at, fde, sizeof fde))
		return false;
	*function = (struct extent){header + (uint64_t)(int64_t)entry[0], fde[3]};
	return true;
}

static size_t read_frames(const struct view *view, struct extent *functions)
{
	uint32_t header[3]; /* encodings, where .eh_frame is, entries of the table */
	Elf64_Phdr phdr;
	size_t i, nr = 0;

	for (i = 0; phdr_at(view, i, &phdr); i++) {
		if (phdr.p_type != PT_GNU_EH_FRAME || !read_at(view, phdr.p_vaddr, header, sizeof header))
			continue;
		while (nr < header[2] && nr < MAX_FRAMES &&
		       frame_at(view, phdr.p_vaddr, (uint32_t)nr, &functions[nr]))
			nr++;
		break;
	}
	return nr;
}

static uint32_t next_random(uint32_t *state)
{
	return *state = *state * 1664525u + 1013904223u;
}

/* Extents in, around and far from the code: empty, overlapping, larger than memory. */
static size_t invent_functions(const struct view *view, uint8_t seed, struct extent *functions)
{
	static const uint64_t sizes[] = {0, 1, 5, 64, 4096, 65536, UINT32_MAX, UINT64_MAX};
	uint32_t state = seed, nr = next_random(&state) >> 24 & (MAX_INVENTED - 1), i;
	Elf64_Phdr phdr = {0}, code = {0};
	size_t k;

	for (k = 0; phdr_at(view, k, &phdr); k++)
		if (phdr.p_type == PT_LOAD && phdr.p_flags & PF_X)
			code = phdr;
	for (i = 0; i < nr; i++) {
		uint64_t into = next_random(&state) >> 8;

		functions[i].vaddr = i % 8 == 7 ? into << 32 : code.p_vaddr + into % (code.p_memsz + 2);
		functions[i].size = sizes[next_random(&state) >> 29];
	}
	return nr;
}

static int by_vaddr(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static void choose_functions(struct arena *arena, const uint8_t *choices, struct span file,
			     struct trim_request *request)
{
	struct extent *functions = arena_array(arena, MAX_FRAMES + MAX_INVENTED, sizeof *functions);
	unsigned how = choices[2] & 3;
	struct view view;
	size_t nr = 0;

	if (!open_view(&view, file))
		return;
	if (how == FUNCTIONS_UNWIND || how == FUNCTIONS_BOTH)
		nr = read_frames(&view, functions);
	if (how == FUNCTIONS_INVENTED || how == FUNCTIONS_BOTH)
		nr += invent_functions(&view, choices[3], functions + nr);
	qsort(functions, nr, sizeof *functions, by_vaddr);
	request->functions = functions;
	request->nr_functions = nr;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void choose_wanted(struct arena *arena, const uint8_t *choices, const struct object *object,
			  struct trim_request *request)
{
	const char **names = arena_array(arena, object->nr_exports + 1, sizeof *names);
	uint32_t state = choices[1];
	size_t i, nr = 0;

	for (i = 0; i < object->nr_exports; i++)
		if (next_random(&state) >> 30 == 0)
			names[nr++] = object->exports[i].name;
	qsort(names, nr, sizeof *names, by_name);
	request->wanted = names;
	request->nr_wanted = nr;
}

static void choose_request(struct arena *arena, const uint8_t *choices, const struct object *object,
			   struct span file, struct trim_request *request)
{
	uint8_t asked = choices[0];

	*request = (struct trim_request){
		.cpu = !(asked & ASK_CPU)	       ? CPU_ANY
		       : object->machine == EM_AARCH64 ? CPU_NEOVERSE_N1
						       : CPU_AVX2_FMA,
		.fold = asked & ASK_FOLD,
		.exports = asked & ASK_EXPORTS,
		.unwind = asked & ASK_UNWIND,
		.poison = asked & ASK_POISON,
		.page = asked & ASK_PAGE ? 65536 : 4096,
	};
	choose_functions(arena, choices, file, request);
	if (asked & ASK_WANTED)
		choose_wanted(arena, choices, object, request);
}

/* --------- what must be so ------------------ */

static void check_cuts(const struct trim_result *result, const struct trim_request *request)
{
	const struct cuts *cuts = &result->cuts;
	size_t i;

	for (i = 0; i < cuts->nr_dead; i++) {
		const struct range *dead = &cuts->dead[i];

		require(dead->from < dead->to && !((dead->from | dead->to) & (request->page - 1)),
			"a cut is no whole page", NULL);
		require(!i || dead[-1].to < dead->from, "cuts are out of order", NULL);
	}
	require(!request->poison || !cuts->nr_dead, "holes where traps were asked for", NULL);
}

/* Old and new, and what is being said of both. */
struct pair {
	struct view old, new;
};

/* What was there is there. */
static void check_kept(const struct pair *pair, uint64_t vaddr, const char *what)
{
	require(!is_mapped(&pair->old, vaddr) || is_mapped(&pair->new, vaddr), what, NULL);
}

static bool symbol_at(const struct view *view, uint64_t i, Elf64_Sym *symbol)
{
	uint64_t table;

	return find_tag(view, DT_SYMTAB, &table) &&
	       read_at(view, table + i * sizeof *symbol, symbol, sizeof *symbol);
}

static bool is_address(const Elf64_Sym *symbol)
{
	return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
	       ELF64_ST_TYPE(symbol->st_info) != STT_TLS;
}

/* A loader writes to the place, and calls what chooses a function. */
static void check_relocation(const struct pair *pair, const Elf64_Rela *rela)
{
	uint32_t type = ELF64_R_TYPE(rela->r_info);
	bool indirect = type ==
			(pair->old.ehdr.e_machine == EM_X86_64 ? R_X86_64_IRELATIVE : R_AARCH64_IRELATIVE);
	Elf64_Sym symbol;

	if (!type)
		return;
	check_kept(pair, rela->r_offset, "a relocation writes where nothing is");
	if (indirect)
		check_kept(pair, (uint64_t)rela->r_addend, "what chooses a function is gone");
	if (ELF64_R_SYM(rela->r_info) && symbol_at(&pair->new, ELF64_R_SYM(rela->r_info), &symbol) &&
	    is_address(&symbol) && ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC)
		check_kept(pair, symbol.st_value, "a symbol's chooser is gone");
}

static void check_relocations(const struct pair *pair, int64_t tag, int64_t size_tag)
{
	uint64_t table, size, i;
	Elf64_Rela rela;

	if (!find_tag(&pair->new, tag, &table) || !find_tag(&pair->new, size_tag, &size))
		return;
	for (i = 0; i + sizeof rela <= size && read_at(&pair->new, table + i, &rela, sizeof rela);
	     i += sizeof rela)
		check_relocation(pair, &rela);
}

static void check_packed(const struct pair *pair)
{
	uint64_t table, size, i, word, place = 0;

	if (!find_tag(&pair->new, DT_RELR, &table) || !find_tag(&pair->new, DT_RELRSZ, &size))
		return;
	for (i = 0; i + sizeof word <= size && read_at(&pair->new, table + i, &word, sizeof word);
	     i += sizeof word) {
		if (word & 1) {
			for (unsigned bit = 1; bit < 64; bit++)
				if (word >> bit & 1)
					check_kept(pair, place + (bit - 1) * 8,
						   "a packed relocation's place is gone");
			place += 63 * 8;
		} else {
			check_kept(pair, word, "a packed relocation's place is gone");
			place = word + 8;
		}
	}
}

static void check_symbols(const struct pair *pair, size_t nr)
{
	Elf64_Sym symbol;
	size_t i;

	for (i = 1; i < nr && symbol_at(&pair->new, i, &symbol); i++)
		if (is_address(&symbol) && ELF64_ST_TYPE(symbol.st_info) != STT_SECTION &&
		    ELF64_ST_BIND(symbol.st_info) != STB_LOCAL)
			check_kept(pair, symbol.st_value, "an exported address is gone");
}

static void check_loads(struct span old, struct span new)
{
	static const int64_t calls[] = {DT_INIT, DT_FINI};
	struct pair pair;
	uint64_t vaddr;
	size_t i;

	require(open_view(&pair.old, old) && open_view(&pair.new, new), "no ELF header", NULL);
	for (i = 0; i < sizeof calls / sizeof *calls; i++)
		if (find_tag(&pair.new, calls[i], &vaddr))
			check_kept(&pair, vaddr, "what the loader calls is gone");
	check_relocations(&pair, DT_RELA, DT_RELASZ);
	check_relocations(&pair, DT_JMPREL, DT_PLTRELSZ);
	check_packed(&pair);
	check_symbols(&pair, image_symbol_count(new));
}

/* Some inputs are not what the proof asks for to begin with. */
static bool is_provable(struct span file)
{
	struct image_result same = {.bytes = file};
	struct error err = {""};

	return !image_prove(file, &same, 4096, &err);
}

/* Cuts file; false: that is refused. */
static bool cut(struct arena *arena, struct span file, const struct trim_request *request,
		struct image_result *result)
{
	struct image_edits edits = {.compact = true, .page = request->page};
	struct trim_result *found = arena_alloc(arena, sizeof *found);
	struct error err = {""};

	if (trim_find(arena, file, request, found, &err))
		return false;
	check_cuts(found, request);
	edits.cuts = &found->cuts;
	if (image_edit(arena, file, &edits, result, &err))
		return false;
	if (image_prove(file, result, request->page, &err)) {
		require(!is_provable(file), "the proof fails", &err);
		return false;
	}
	return true;
}

static void check_again(struct arena *arena, struct span first, const struct trim_request *request)
{
	struct image_result again;

	if (getenv("FUZZ_SANE") && cut(arena, first, request, &again))
		require(again.bytes.n >= first.n, "cutting once more shortens it", NULL);
}

static void trim(struct layer *layer, const uint8_t *choices, struct span file)
{
	struct object object = {0}, after;
	bool sound = scan_object(layer, "before.so", file, &object);
	struct trim_request request;
	struct image_result result;

	choose_request(layer->arena, choices, &object, file, &request);
	if (!cut(layer->arena, file, &request, &result))
		return;
	if (sound)
		require(scan_object(layer, "after.so", result.bytes, &after), "the result is not sound",
			NULL);
	check_loads(file, result.bytes);
	check_again(layer->arena, result.bytes, &request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct layer layer = {.arena = arena};

	if (size > CHOICES)
		trim(&layer, data, (struct span){data + CHOICES, size - CHOICES});
	arena_free(arena);
	return 0;
}
