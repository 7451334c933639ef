/*
 * The parts of trim, and what they share.
 *
 *	program.c   an object as functions, pointers and linkage table
 *	units.c     what of the code is which function
 *	nops.c      padding between functions
 *	reach.c     from roots along references to all that may run
 *	x86.c       references in x86-64 code
 *	decode.c    lengths of its instructions
 *	aarch64.c   references in AArch64 code
 *	percpu.c    tables of kernels for each processor; which of them go
 *	stub.c      what a removed table's initialiser becomes
 *	fold.c      kernels that are the same code
 *	cut.c       what is dead, as cuts
 *	trim.c      trim_find(): the above in order
 */
#ifndef SOFOLD_SRC_TRIM_TRIM_H
#define SOFOLD_SRC_TRIM_TRIM_H

#include "image/image.h"
#include "sofold/trim.h"

/* A section. */
struct area {
	uint64_t from, to; /* virtual addresses */
	const uint8_t *bytes;
	uint8_t *starts; /* one bit for each byte of code: a unit begins there; of constants: taken
			  * for the beginning of a jump table already */
};

/* A function, or bytes of the text that belong to none. */
struct unit {
	uint64_t from, to; /* virtual addresses, with the padding behind it */
	uint64_t end;	   /* without */
	uint32_t text;	   /* index */
	bool framed;	   /* described by the unwind table: made by a compiler, entered at its start */
	bool named;	   /* a dynamic symbol's address */
	bool runs_on;	   /* it overlaps the next: a name within a function */
	bool stays;	   /* whatever refers to it: nobody knows what it is */
	bool live;	   /* something that may run refers to it */
};

/* A word of data that the loader makes a pointer into this object. */
struct slot {
	uint64_t at, target; /* virtual addresses */
	uint64_t entry;	     /* address of its Elf64_Rela; 0: packed (DT_RELR) */
	uint32_t symbol;     /* index in the dynamic symbol table; 0: none */
	uint32_t type;	     /* R_* */
};

struct program {
	struct arena *arena;
	struct image image;
	const struct trim_request *request;

	struct area *texts; /* code that is not the procedure linkage table, by address */
	size_t nr_texts, alloc_texts;
	struct area *constants; /* data that is neither code nor written to, by address */
	size_t nr_constants, alloc_constants;
	struct unit *units; /* by address */
	size_t nr_units, alloc_units;
	struct slot *slots; /* by address */
	size_t nr_slots, alloc_slots;
	uint64_t *others; /* symbols that relocations of other kinds use: their addresses */
	size_t nr_others, alloc_others;
	Elf64_Sym *symbols;    /* the dynamic ones */
	struct ranges linkage; /* sections of stubs that jump through a slot: .plt and its kind */
	struct ranges got;     /* slots that only code refers to: .got, .got.plt */
	struct ranges tables;  /* of kernels: their slots count one by one, see percpu.c */
	uint64_t low, high;    /* of all of the image */

	uint64_t budget; /* steps of work that are left; 0: given up, see spend() */
	bool all_slots;	 /* some code has the address of the linkage table's slots */
	uint32_t *work;	 /* units that are live and not looked through yet */
	size_t nr_work, alloc_work;
};

#define NO_UNIT SIZE_MAX

int program_read(struct program *program, struct error *err);

/* Takes steps of work off the budget. False, from then on: it is spent, and what was
 * found so far means nothing. Only files made to be slow get there. */
bool spend(struct program *program, uint64_t steps);

/* The one of some sorted areas that holds an address, or NULL. */
struct area *area_at(struct area *areas, size_t nr, uint64_t vaddr);

static inline const struct area *text_at(const struct program *program, uint64_t vaddr)
{
	return area_at(program->texts, program->nr_texts, vaddr);
}

const char *program_name(const struct program *program, uint32_t symbol);

/* Whether a dynamic symbol is a function defined in the text. */
bool program_is_function(const struct program *program, uint32_t symbol);

/* The first slot at or behind an address, as an index. */
size_t program_slot_from(const struct program *program, uint64_t vaddr);
/* The slot at exactly this address, or NULL. */
const struct slot *program_slot_at(const struct program *program, uint64_t vaddr);

static inline bool ranges_hold(const struct ranges *ranges, uint64_t vaddr)
{
	const struct range *next = ranges_next(ranges, vaddr);

	return next && next->from <= vaddr;
}

/* Divides the text into units. */
void units_find(struct program *program);

/* The first unit that ends behind an address; nr_units: none. */
size_t unit_behind(const struct program *program, uint64_t vaddr);
/* The unit that holds an address, NO_UNIT outside the text. */
size_t unit_at(const struct program *program, uint64_t vaddr);
/* The unit that begins at an address, or NO_UNIT. */
size_t unit_starting(const struct program *program, uint64_t vaddr);
const uint8_t *unit_bytes(const struct program *program, const struct unit *unit);

static inline bool area_starts(const struct area *area, uint64_t vaddr)
{
	return area->starts[(vaddr - area->from) >> 3] >> ((vaddr - area->from) & 7) & 1;
}

static inline void area_set_start(struct area *area, uint64_t vaddr)
{
	area->starts[(vaddr - area->from) >> 3] |= (uint8_t)(1 << ((vaddr - area->from) & 7));
}

/* Whether bytes are what compilers and assemblers put between functions. */
bool is_padding(uint16_t machine, const uint8_t *bytes, size_t n);

/* --------- reach ------------------ */

/* Marks a unit as one that may run. */
void reach_unit(struct program *program, size_t unit);
/* The unit that holds an address; no text there: nothing. */
void reach_address(struct program *program, uint64_t vaddr);
/* What is behind a slot that code loads. False: there is none at this address. */
bool reach_slot(struct program *program, uint64_t vaddr);
/* Where a stub of the linkage table leads. */
void reach_linkage(struct program *program, uint64_t vaddr);
/* Offsets from vaddr itself to code, as switch statements have them. */
void reach_jump_table(struct program *program, uint64_t vaddr);
/* Whether a unit may run on into the one behind it. */
bool may_fall_through(const struct program *program, const struct unit *unit);
/* Follows all references until nothing new is found. */
void reach_all(struct program *program);

/* Marks what one unit refers to. */
void x86_references(struct program *program, const struct unit *unit);
void aarch64_references(struct program *program, const struct unit *unit);
/* Address of the slot that the linkage stub at vaddr jumps through; 0: none. */
uint64_t linkage_slot(const struct program *program, uint64_t vaddr);
uint64_t x86_linkage_slot(const struct program *program, uint64_t vaddr);
uint64_t aarch64_linkage_slot(const struct program *program, uint64_t vaddr);

/* Where a branch, ADR or literal load leads; false: it is none of them. */
bool aarch64_target(uint32_t word, uint64_t vaddr, uint64_t *target);
/* The bits of such an instruction that hold the distance. */
uint32_t aarch64_distance_bits(uint32_t word);
bool aarch64_is_adrp(uint32_t word);
/* The page an ADRP at vaddr makes. */
uint64_t aarch64_page(uint32_t word, uint64_t vaddr);

/* --------- tables for each processor ------------------ */

struct table {
	const char *core;  /* "HASWELL" */
	uint64_t from, to; /* virtual addresses */
	bool removed;
	bool *folded; /* for each slot's offset / 8: folded into another table's */
};

/* A slot that gets what its twin in another table holds. */
struct retarget {
	const struct slot *slot, *twin;
};

struct percpu {
	const struct percpu_family *family;
	struct table *tables;
	size_t nr_tables, alloc_tables;
	const struct table *serves; /* in place of the removed ones */
	uint64_t initialiser;	    /* offset in each table of the slot for its initialiser */
	uint64_t current;	    /* address of the pointer to the table in use */
	uint64_t current_slot;	    /* of the slot with its address; 0: none */

	struct retarget *retargets;
	size_t nr_retargets, alloc_retargets;
	struct patch *stubs;
	size_t nr_stubs, alloc_stubs;
	size_t nr_folded;
};

/* Finds tables, and decides which go. No tables: family is NULL; nothing sure: nr_tables
 * is 0. */
void percpu_find(struct program *program, struct percpu *percpu);

/* Makes the code for a removed table's initialiser, at most room bytes, to lie at vaddr;
 * n = 0: it does not fit, or cannot be said. */
struct span stub_make(const struct program *program, const struct percpu *percpu, uint64_t vaddr,
		      size_t room);

/* Finds kernels to fold. */
void fold_find(struct program *program, struct percpu *percpu);

/* Marks the tables' kernels that stay. */
void percpu_reach(struct program *program, const struct percpu *percpu);

/* Everything that is not live, in result->cuts. */
void cut_dead(struct program *program, const struct percpu *percpu, struct trim_result *result);

#endif
