/*
 * Kernels that are the same code.
 *
 * OpenBLAS compiles one source for several cores, often with the same options: of
 * numpy 1.26's kernels for ZEN 553 are those for HASWELL. Two functions are the
 * same when their instructions are, but for distances that lead to the same address, or
 * to two functions that are the same in turn. Those are supposed to be the same and
 * looked at later: if nothing differs anywhere, nothing does.
 *
 * A slot that holds one of two such kernels then gets the other, from the table
 * that comes first; numbers come out bit by bit as before.
 */
#include "trim/decode.h"
#include "trim/trim.h"

#include "sofold/vec.h"

struct pair {
	uint32_t a, b; /* units */
};

/* Sets of units known, or supposed, to be the same: each leads to another, the last
 * to itself. */
struct folding {
	struct program *program;
	struct percpu *percpu;
	uint32_t *same;
	struct pair *supposed; /* a leads to b; in order */
	size_t nr_supposed, alloc_supposed;
	struct pair *compared; /* and which two units to look at for each */
	size_t nr_compared, alloc_compared;
};

static uint32_t leader(const struct folding *folding, size_t unit)
{
	while (folding->same[unit] != unit && spend(folding->program, 1))
		unit = folding->same[unit];
	return (uint32_t)unit;
}

static bool is_same(struct folding *folding, size_t a, size_t b);
static bool lead_to_same(struct folding *folding, uint64_t a, uint64_t b);

/* What is behind a stub of the linkage table; other addresses are what they are. */
static uint64_t behind_linkage(const struct program *program, uint64_t vaddr)
{
	const struct slot *slot;

	if (!ranges_hold(&program->linkage, vaddr))
		return vaddr;
	slot = program_slot_at(program, linkage_slot(program, vaddr));
	return slot ? slot->target : vaddr;
}

/* Two slots that only code refers to, with pointers to the same. */
static bool hold_same(struct folding *folding, uint64_t a, uint64_t b)
{
	const struct program *program = folding->program;
	const struct slot *x, *y;

	if (!ranges_hold(&program->got, a) || !ranges_hold(&program->got, b))
		return false;
	x = program_slot_at(program, a);
	y = program_slot_at(program, b);
	return x && y && lead_to_same(folding, x->target, y->target);
}

static bool lead_to_same(struct folding *folding, uint64_t a, uint64_t b)
{
	size_t x, y;

	if (a == b || hold_same(folding, a, b))
		return true;
	x = unit_starting(folding->program, behind_linkage(folding->program, a));
	y = unit_starting(folding->program, behind_linkage(folding->program, b));
	return x != NO_UNIT && y != NO_UNIT && is_same(folding, x, y);
}

/* --------- x86-64 ------------------ */

/* Whether two instructions are the same but for a distance that leads to the same; inside
 * both functions that is the same way from the beginning. */
static bool x86_agree(struct folding *folding, const struct unit *a, const struct unit *b, uint64_t at,
		      const struct instruction *instruction)
{
	const uint8_t *x = unit_bytes(folding->program, a) + at, *y = unit_bytes(folding->program, b) + at;
	size_t field = instruction->field, rest = field + instruction->width;
	uint64_t to_a, to_b;

	if (!instruction->width)
		return !memcmp(x, y, instruction->length);
	if (memcmp(x, y, field) != 0 || memcmp(x + rest, y + rest, instruction->length - rest) != 0)
		return false;
	to_a = x86_distance_target(instruction, x, a->from + at);
	to_b = x86_distance_target(instruction, y, b->from + at);
	if (to_a >= a->from && to_a < a->end)
		return to_a - a->from == to_b - b->from;
	return lead_to_same(folding, to_a, to_b);
}

static bool x86_same(struct folding *folding, const struct unit *a, const struct unit *b)
{
	const uint8_t *x = unit_bytes(folding->program, a);
	uint64_t n = a->end - a->from, i;
	struct instruction instruction;

	for (i = 0; i < n; i += instruction.length)
		if (!x86_decode(x + i, n - i, &instruction) || !x86_agree(folding, a, b, i, &instruction))
			return false;
	return true;
}

/* --------- AArch64 ------------------ */

/* Where both instructions lead, if both are alike but for a distance. */
static bool words_agree(struct folding *folding, uint32_t a, uint64_t at_a, uint32_t b, uint64_t at_b)
{
	uint64_t to_a, to_b;

	if (aarch64_is_adrp(a) && aarch64_is_adrp(b))
		return (a & 31) == (b & 31) && aarch64_page(a, at_a) == aarch64_page(b, at_b);
	if (!aarch64_target(a, at_a, &to_a) || !aarch64_target(b, at_b, &to_b))
		return a == b;
	return (a & ~aarch64_distance_bits(a)) == (b & ~aarch64_distance_bits(b)) &&
	       lead_to_same(folding, to_a, to_b);
}

/* Within the function the same distance is the same place. */
static bool stays_inside(const struct unit *unit, uint32_t word, uint64_t at)
{
	uint64_t target;

	return aarch64_target(word, at, &target) && target >= unit->from && target < unit->end;
}

static bool aarch64_same(struct folding *folding, const struct unit *a, const struct unit *b)
{
	const uint8_t *x = unit_bytes(folding->program, a), *y = unit_bytes(folding->program, b);
	size_t n = a->end - a->from, i;
	uint32_t v, w;

	for (i = 0; i + 4 <= n; i += 4) {
		memcpy(&v, x + i, sizeof v);
		memcpy(&w, y + i, sizeof w);
		if (v == w && stays_inside(a, v, a->from + i))
			continue;
		if (!words_agree(folding, v, a->from + i, w, b->from + i))
			return false;
	}
	return !(n & 3);
}

/* --------- both ------------------ */

static bool same_code(struct folding *folding, const struct unit *a, const struct unit *b)
{
	if (!spend(folding->program, a->end - a->from))
		return false;
	return folding->program->image.ehdr.e_machine == EM_X86_64 ? x86_same(folding, a, b)
								   : aarch64_same(folding, a, b);
}

static bool is_comparable(const struct program *program, const struct unit *a, const struct unit *b)
{
	return a->end - a->from == b->end - b->from && !a->stays && !b->stays && !a->runs_on && !b->runs_on &&
	       !may_fall_through(program, a) && !may_fall_through(program, b);
}

/* Supposes it, if nothing speaks against it at first sight. */
static bool is_same(struct folding *folding, size_t a, size_t b)
{
	struct program *program = folding->program;
	uint32_t x = leader(folding, a), y = leader(folding, b);

	if (x == y)
		return true;
	if (!is_comparable(program, &program->units[a], &program->units[b]))
		return false;
	folding->same[x] = y;
	*VEC_PUSH(program->arena, folding, supposed) = (struct pair){x, y};
	*VEC_PUSH(program->arena, folding, compared) = (struct pair){(uint32_t)a, (uint32_t)b};
	return true;
}

/* Either all that was supposed on the way is true, or none of it is known. */
static bool prove_same(struct folding *folding, size_t a, size_t b)
{
	const struct unit *units = folding->program->units;
	bool same;

	folding->nr_supposed = folding->nr_compared = 0;
	same = is_same(folding, a, b);
	for (size_t i = 0; same && i < folding->nr_compared; i++)
		same = same_code(folding, &units[folding->compared[i].a], &units[folding->compared[i].b]);
	while (!same && folding->nr_supposed) {
		uint32_t unit = folding->supposed[--folding->nr_supposed].a;

		folding->same[unit] = unit;
	}
	return same;
}

/* Slots whose contents can be exchanged: the same kind of relocation. */
static bool are_alike(const struct slot *a, const struct slot *b)
{
	return a->type == b->type && !a->entry == !b->entry && !a->symbol == !b->symbol;
}

static const struct slot *find_twin(struct folding *folding, size_t table, const struct slot *slot)
{
	const struct percpu *percpu = folding->percpu;
	uint64_t offset = slot->at - percpu->tables[table].from;
	size_t own = unit_starting(folding->program, slot->target), i, unit;

	for (i = 0; i < table && spend(folding->program, 1); i++) {
		const struct slot *other = program_slot_at(folding->program, percpu->tables[i].from + offset);

		if (percpu->tables[i].removed || percpu->tables[i].folded[offset / 8] || !other ||
		    !are_alike(slot, other) || other->target == slot->target)
			continue;
		unit = unit_starting(folding->program, other->target);
		if (own != NO_UNIT && unit != NO_UNIT && prove_same(folding, own, unit))
			return other;
	}
	return NULL;
}

static void fold_table(struct folding *folding, size_t table)
{
	struct percpu *percpu = folding->percpu;
	const struct program *program = folding->program;
	const struct table *own = &percpu->tables[table];
	size_t i;

	for (i = program_slot_from(program, own->from);
	     i < program->nr_slots && program->slots[i].at < own->to; i++) {
		const struct slot *slot = &program->slots[i], *twin;

		if (slot->at - own->from == percpu->initialiser)
			continue;
		twin = find_twin(folding, table, slot);
		if (!twin)
			continue;
		own->folded[(slot->at - own->from) / 8] = true;
		percpu->nr_folded++;
		*VEC_PUSH(program->arena, percpu, retargets) = (struct retarget){slot, twin};
	}
}

void fold_find(struct program *program, struct percpu *percpu)
{
	struct folding folding = {.program = program, .percpu = percpu};
	size_t i;

	folding.same = arena_array(program->arena, program->nr_units, sizeof *folding.same);
	for (i = 0; i < program->nr_units; i++)
		folding.same[i] = (uint32_t)i;
	for (i = 1; i < percpu->nr_tables; i++)
		if (!percpu->tables[i].removed)
			fold_table(&folding, i);
}
