/*
 * Tables of kernels, one for each processor.
 *
 * OpenBLAS built with DYNAMIC_ARCH has, for each core it knows, an exported
 * struct gotoblas_<CORE> of sizes and pointers to kernels, and calls whatever
 * `gotoblas` points to (OpenBLAS, common_param.h and driver/others/dynamic.c). When
 * it is loaded it picks a table by CPUID or OPENBLAS_CORETYPE, and calls the
 * table's `init`. That is the one slot whose target is a static function; the
 * kernels themselves are exported.
 *
 * A table for a core below the platform's baseline keeps its data, and its `init`
 * becomes a stub that goes on with another table (stub.c). So whoever
 * picks a core that went, be it an older OpenBLAS on a processor it does not know,
 * gets kernels that the baseline can run. A core that this list does not
 * name stays.
 */
#include "trim/percpu.h"

#include "sofold/vec.h"

/* More tables than any library has. */
enum { MOST_TABLES = 64 };

static const char *const x86_goes[] = {
	"KATMAI",     "COPPERMINE",   "NORTHWOOD", "PRESCOTT", "BANIAS",      "ATHLON",
	"OPTERON",    "OPTERON_SSE3", "CORE2",	   "PENRYN",   "DUNNINGTON",  "NEHALEM",
	"ATOM",	      "NANO",	      "BARCELONA", "BOBCAT",   "SANDYBRIDGE", "BULLDOZER",
	"PILEDRIVER", "STEAMROLLER",  "EXCAVATOR", NULL,
};

static const char *const aarch64_goes[] = {
	"CORTEXA53", "CORTEXA55", "CORTEXA57",	  "CORTEXA72",	   "CORTEXA73", "FALKOR", "THUNDERX",
	"TSV110",    "EMAG8180",  "THUNDERX2T99", "THUNDERX3T110", "FT2000",	"A64FX",  NULL,
};

/* threadpoolctl, and through it scikit-learn and joblib, look these up by ctypes. */
static const char *const openblas_asked[] = {"openblas_get_", "openblas_set_", NULL};

/* LAPACK calls back Fortran and C functions that return; f2py leaves them by longjmp(). */
const struct percpu_family percpu_families[] = {
	{
		.library = "OpenBLAS",
		.prefix = "gotoblas_",
		.current = "gotoblas",
		.goes = x86_goes,
		.serves = "HASWELL",
		.cpu = CPU_AVX2_FMA,
		.machine = EM_X86_64,
		.never_unwound = true,
		.asked = openblas_asked,
	},
	{
		.library = "OpenBLAS",
		.prefix = "gotoblas_",
		.current = "gotoblas",
		.goes = aarch64_goes,
		.serves = "ARMV8",
		.cpu = CPU_NEOVERSE_N1,
		.machine = EM_AARCH64,
		.never_unwound = true,
		.asked = openblas_asked,
	},
	{.prefix = NULL},
};

static bool is_listed(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

static bool is_object(const struct program *program, const Elf64_Sym *symbol)
{
	struct span bytes;

	return ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT && symbol->st_shndx != SHN_UNDEF &&
	       symbol->st_size >= sizeof(uint64_t) &&
	       image_at(&program->image, symbol->st_value, symbol->st_size, &bytes);
}

static bool names_core(const char *text)
{
	return *text >= 'A' && *text <= 'Z';
}

/* Tables without bytes in the file (.bss) are of cores the library was not built for. */
static void add_tables(struct program *program, struct percpu *percpu)
{
	size_t i, n = strlen(percpu->family->prefix);

	for (i = 1; i < program->image.nr_symbols && percpu->nr_tables <= MOST_TABLES; i++) {
		const Elf64_Sym *symbol = &program->symbols[i];
		const char *name = program_name(program, (uint32_t)i);

		if (strncmp(name, percpu->family->prefix, n) != 0 || !names_core(name + n) ||
		    !is_object(program, symbol))
			continue;
		*VEC_PUSH(program->arena, percpu, tables) = (struct table){
			.core = arena_strdup(program->arena, name + n),
			.from = symbol->st_value,
			.to = symbol->st_value + symbol->st_size,
		};
		ranges_add(&program->tables, symbol->st_value, symbol->st_value + symbol->st_size);
	}
	ranges_normalize(&program->tables);
}

/* Words of a table, each with a relocation of its own or none. */
static bool is_aligned(const struct program *program, const struct table *table)
{
	for (size_t i = program_slot_from(program, table->from);
	     i < program->nr_slots && program->slots[i].at < table->to; i++)
		if ((program->slots[i].at - table->from) % sizeof(uint64_t))
			return false;
	return true;
}

static bool are_apart(const struct table *a, const struct table *b)
{
	return (a->to <= b->from || b->to <= a->from) && strcmp(a->core, b->core) != 0;
}

/* Several, of one size, that have nothing in common. */
static bool tables_agree(const struct program *program, const struct percpu *percpu)
{
	size_t i, k;

	for (i = 0; i < percpu->nr_tables; i++) {
		const struct table *table = &percpu->tables[i];

		if (table->to - table->from != percpu->tables[0].to - percpu->tables[0].from ||
		    !is_aligned(program, table))
			return false;
		for (k = 0; k < i; k++)
			if (!are_apart(table, &percpu->tables[k]))
				return false;
	}
	return percpu->nr_tables > 1 && percpu->nr_tables <= MOST_TABLES;
}

/* --------- the initialiser ------------------ */

/* The one slot whose target is no export; false: none, or several. */
static bool find_initialiser(const struct program *program, const struct table *table, uint64_t *offset)
{
	size_t i, nr = 0;

	for (i = program_slot_from(program, table->from);
	     i < program->nr_slots && program->slots[i].at < table->to && nr < 2; i++) {
		size_t unit = unit_starting(program, program->slots[i].target);

		if (unit == NO_UNIT || program->units[unit].named)
			continue;
		*offset = program->slots[i].at - table->from;
		nr++;
	}
	return nr == 1;
}

/* The same in all tables, or the tables are something else. */
static bool find_initialisers(const struct program *program, struct percpu *percpu)
{
	uint64_t offset;

	for (size_t i = 0; i < percpu->nr_tables; i++) {
		if (!find_initialiser(program, &percpu->tables[i], &offset))
			return false;
		if (i && offset != percpu->initialiser)
			return false;
		percpu->initialiser = offset;
	}
	return true;
}

static const struct slot *initialiser(const struct program *program, const struct percpu *percpu,
				      const struct table *table)
{
	return program_slot_at(program, table->from + percpu->initialiser);
}

/* How many slots, in any table or elsewhere, lead to an address. */
static size_t count_pointers(const struct program *program, uint64_t target)
{
	size_t i, nr = 0;

	for (i = 0; i < program->nr_slots; i++)
		nr += program->slots[i].target == target;
	return nr;
}

/* --------- which go ------------------ */

static const struct table *find_table(const struct percpu *percpu, const char *core)
{
	for (size_t i = 0; i < percpu->nr_tables; i++)
		if (!strcmp(percpu->tables[i].core, core))
			return &percpu->tables[i];
	return NULL;
}

static bool find_current(const struct program *program, struct percpu *percpu)
{
	size_t i;

	for (i = 1; i < program->image.nr_symbols; i++)
		if (!strcmp(program_name(program, (uint32_t)i), percpu->family->current) &&
		    program->symbols[i].st_shndx != SHN_UNDEF)
			percpu->current = program->symbols[i].st_value;
	for (i = 0; i < program->nr_slots && percpu->current; i++)
		if (program->slots[i].symbol && program->slots[i].target == percpu->current &&
		    ranges_hold(&program->got, program->slots[i].at))
			percpu->current_slot = program->slots[i].at;
	return percpu->current;
}

/* An initialiser of its own, with room for the stub: the table can go. */
static void remove_table(struct program *program, struct percpu *percpu, struct table *table)
{
	const struct slot *slot = initialiser(program, percpu, table);
	size_t i = unit_starting(program, slot->target);
	const struct unit *unit = &program->units[i];
	struct span stub;

	if (count_pointers(program, slot->target) != 1 || unit->runs_on || !unit->framed)
		return;
	stub = stub_make(program, percpu, unit->from, unit->end - unit->from);
	if (!stub.n)
		return;
	*VEC_PUSH(program->arena, percpu, stubs) = (struct patch){unit->from, stub};
	table->removed = true;
}

static void remove_tables(struct program *program, struct percpu *percpu)
{
	const struct percpu_family *family = percpu->family;

	percpu->serves = find_table(percpu, family->serves);
	if (program->request->cpu != family->cpu || !percpu->serves || !find_current(program, percpu))
		return;
	for (size_t i = 0; i < percpu->nr_tables; i++)
		if (is_listed(family->goes, percpu->tables[i].core))
			remove_table(program, percpu, &percpu->tables[i]);
}

static void prepare_tables(struct program *program, struct percpu *percpu)
{
	size_t words = (percpu->tables[0].to - percpu->tables[0].from) / sizeof(uint64_t) + 1;

	for (size_t i = 0; i < percpu->nr_tables; i++)
		percpu->tables[i].folded = arena_array(program->arena, words, sizeof(bool));
	remove_tables(program, percpu);
}

/* Tables that nothing is sure of are data like any other; whose they are is known. */
static void forget_tables(struct program *program, struct percpu *percpu)
{
	*percpu = (struct percpu){.family = percpu->nr_tables ? percpu->family : NULL};
	program->tables = (struct ranges){.arena = program->arena};
}

void percpu_find(struct program *program, struct percpu *percpu)
{
	const struct percpu_family *family;

	*percpu = (struct percpu){0};
	for (family = percpu_families; family->prefix && !percpu->family; family++) {
		if (family->machine != program->image.ehdr.e_machine)
			continue;
		percpu->family = family;
		add_tables(program, percpu);
		if (tables_agree(program, percpu) && find_initialisers(program, percpu))
			prepare_tables(program, percpu);
		else
			forget_tables(program, percpu);
	}
}

/* --------- reach ------------------ */

/* A stub's own bytes stay; what the initialiser led to does not for its sake. */
static void keep_stubs(struct program *program, const struct percpu *percpu)
{
	for (size_t i = 0; i < percpu->nr_stubs; i++)
		program->units[unit_starting(program, percpu->stubs[i].vaddr)].live = true;
}

void percpu_reach(struct program *program, const struct percpu *percpu)
{
	size_t i, k;

	keep_stubs(program, percpu);
	for (i = 0; i < percpu->nr_tables; i++) {
		const struct table *table = &percpu->tables[i];

		if (table->removed)
			continue;
		for (k = program_slot_from(program, table->from);
		     k < program->nr_slots && program->slots[k].at < table->to; k++)
			if (!table->folded[(program->slots[k].at - table->from) / 8])
				reach_address(program, program->slots[k].target);
	}
}
