/*
 * What is dead, as cuts.
 *
 * Functions nothing reaches that lie next to each other make a run; whole pages of a
 * run leave the file. Very short runs stay: each hole costs the loader two
 * mappings, and the file a program header, a section header, and on average the
 * page that neighbours of a hole share.
 *
 * To test the analysis, traps can take the place of holes, down to the last byte of
 * a run.
 */
#include "trim/trim.h"

#include "sofold/vec.h"

enum {
	LEAST_PAGES = 2,
	MOST_HOLES = 1000, /* a process may have 65,530 mappings (vm.max_map_count) */
};

struct cutting {
	struct program *program;
	struct trim_result *result;
	uint64_t least; /* bytes of a hole */
	struct range *dead;
	size_t nr_dead, alloc_dead;
	struct patch *patches;
	size_t nr_patches, alloc_patches;
};

static void add_patch(struct cutting *cutting, uint64_t vaddr, struct span bytes)
{
	*VEC_PUSH(cutting->program->arena, cutting, patches) = (struct patch){vaddr, bytes};
}

/* int3; udf #0 */
static void add_traps(struct cutting *cutting, uint64_t from, uint64_t to)
{
	uint8_t *traps = arena_alloc(cutting->program->arena, to - from);

	if (cutting->program->image.ehdr.e_machine == EM_X86_64)
		memset(traps, 0xcc, to - from);
	add_patch(cutting, from, (struct span){traps, to - from});
}

static void add_hole(struct cutting *cutting, uint64_t from, uint64_t to)
{
	*VEC_PUSH(cutting->program->arena, cutting, dead) = (struct range){from, to};
	cutting->result->cut += to - from;
}

static void add_run(struct cutting *cutting, uint64_t from, uint64_t to)
{
	uint64_t page = cutting->program->request->page;
	uint64_t first = (from + page - 1) & ~(page - 1), last = to & ~(page - 1);

	cutting->result->dead += to - from;
	if (cutting->program->request->poison)
		add_traps(cutting, from, to);
	else if (first < last && last - first >= cutting->least)
		add_hole(cutting, first, last);
}

static void find_runs(struct cutting *cutting)
{
	const struct program *program = cutting->program;
	size_t i = 0, first;

	while (i < program->nr_units) {
		if (program->units[i].live) {
			i++;
			continue;
		}
		first = i;
		while (i < program->nr_units && !program->units[i].live &&
		       program->units[i].text == program->units[first].text)
			i++;
		add_run(cutting, program->units[first].from, program->units[i - 1].to);
	}
}

static void add_runs(struct cutting *cutting)
{
	size_t patches = cutting->nr_patches;

	for (cutting->least = LEAST_PAGES * cutting->program->request->page;; cutting->least *= 2) {
		cutting->nr_dead = 0;
		cutting->nr_patches = patches;
		cutting->result->cut = cutting->result->dead = 0;
		find_runs(cutting);
		if (cutting->nr_dead <= MOST_HOLES)
			return;
	}
}

static void mark_gone(struct cutting *cutting)
{
	const struct program *program = cutting->program;
	bool *gone = arena_array(program->arena, program->image.nr_symbols, sizeof *gone);
	size_t unit, nr = 0;

	for (uint32_t i = 1; i < program->image.nr_symbols; i++) {
		if (!program_is_function(program, i) ||
		    ELF64_ST_BIND(program->symbols[i].st_info) == STB_LOCAL)
			continue;
		unit = unit_at(program, program->symbols[i].st_value);
		gone[i] = unit != NO_UNIT && !program->units[unit].live;
		nr += gone[i];
	}
	cutting->result->cuts.gone = nr ? gone : NULL;
	cutting->result->cuts.nr_gone = nr ? program->image.nr_symbols : 0;
}

/* A folded slot is relocated as its twin is. */
static void add_retarget(struct cutting *cutting, const struct retarget *retarget)
{
	const struct program *program = cutting->program;
	const struct slot *slot = retarget->slot, *twin = retarget->twin;
	Elf64_Rela rela;

	if (!slot->entry) {
		add_patch(cutting, slot->at,
			  (struct span){arena_memdup(program->arena, &twin->target, sizeof twin->target),
					sizeof twin->target});
		return;
	}
	if (!image_read(&program->image, twin->entry, &rela, sizeof rela))
		BUG("a relocation that was read is not there");
	rela.r_offset = slot->at;
	add_patch(cutting, slot->entry,
		  (struct span){arena_memdup(program->arena, &rela, sizeof rela), sizeof rela});
}

void cut_dead(struct program *program, const struct percpu *percpu, struct trim_result *result)
{
	struct cutting cutting = {.program = program, .result = result};
	size_t i;

	for (i = 0; i < percpu->nr_retargets; i++)
		add_retarget(&cutting, &percpu->retargets[i]);
	for (i = 0; i < percpu->nr_stubs; i++)
		add_patch(&cutting, percpu->stubs[i].vaddr, percpu->stubs[i].bytes);
	add_runs(&cutting);
	mark_gone(&cutting);
	result->cuts.dead = cutting.dead;
	result->cuts.nr_dead = cutting.nr_dead;
	result->cuts.patches = cutting.patches;
	result->cuts.nr_patches = cutting.nr_patches;
}
