/*
 * What of the code is which function.
 *
 * Functions begin where a dynamic symbol or the unwind table says so (.symtab
 * says more, but the next run would not have it any more). They end where their
 * size says; what follows up to the next is padding, or nobody knows what, and
 * then stays. Without a size a function goes up to the next.
 *
 * A name inside another function's extent divides it. The parts hang together:
 * if one may run so may the other.
 */
#include "trim/trim.h"

#include <stdlib.h>

#include "sofold/vec.h"

struct beginning {
	uint64_t from, size; /* size 0: unknown */
	bool framed, named;
};

struct division {
	struct program *program;
	struct beginning *beginnings; /* by address, one for each */
	size_t nr_beginnings, alloc_beginnings;
	size_t next; /* the first that no text has had */
};

size_t unit_behind(const struct program *program, uint64_t vaddr)
{
	size_t low = 0, high = program->nr_units;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (program->units[middle].to > vaddr)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

size_t unit_at(const struct program *program, uint64_t vaddr)
{
	size_t unit = unit_behind(program, vaddr);

	return unit < program->nr_units && program->units[unit].from <= vaddr ? unit : NO_UNIT;
}

size_t unit_starting(const struct program *program, uint64_t vaddr)
{
	size_t unit = unit_at(program, vaddr);

	return unit != NO_UNIT && program->units[unit].from == vaddr ? unit : NO_UNIT;
}

const uint8_t *unit_bytes(const struct program *program, const struct unit *unit)
{
	const struct area *text = &program->texts[unit->text];

	return text->bytes + (unit->from - text->from);
}

/* --------- beginnings ------------------ */

static void add_beginning(struct division *division, uint64_t from, uint64_t size, bool framed)
{
	const struct area *text = text_at(division->program, from);

	if (!text)
		return;
	*VEC_PUSH(division->program->arena, division, beginnings) = (struct beginning){
		.from = from,
		.size = size < text->to - from ? size : text->to - from,
		.framed = framed,
		.named = !framed,
	};
}

static int by_address(const void *a, const void *b)
{
	const struct beginning *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Of several at one address the longest counts. */
static void unite(struct division *division)
{
	struct beginning *items = division->beginnings;
	size_t i, kept = 0;

	for (i = 1; i < division->nr_beginnings; i++) {
		if (items[i].from != items[kept].from) {
			items[++kept] = items[i];
			continue;
		}
		if (items[i].size > items[kept].size)
			items[kept].size = items[i].size;
		items[kept].framed |= items[i].framed;
		items[kept].named |= items[i].named;
	}
	division->nr_beginnings = division->nr_beginnings ? kept + 1 : 0;
}

static void gather(struct division *division)
{
	const struct program *program = division->program;
	const struct trim_request *request = program->request;
	size_t i;

	for (i = 0; i < request->nr_functions; i++)
		add_beginning(division, request->functions[i].vaddr, request->functions[i].size, true);
	for (i = 1; i < program->image.nr_symbols; i++)
		if (program_is_function(program, (uint32_t)i))
			add_beginning(division, program->symbols[i].st_value, program->symbols[i].st_size,
				      false);
	if (division->nr_beginnings)
		qsort(division->beginnings, division->nr_beginnings, sizeof *division->beginnings,
		      by_address);
	unite(division);
}

/* --------- units ------------------ */

static struct unit *add_unit(struct program *program, size_t text, uint64_t from, uint64_t to)
{
	struct unit *unit = VEC_PUSH(program->arena, program, units);

	*unit = (struct unit){.from = from, .to = to, .end = to, .text = (uint32_t)text};
	area_set_start(&program->texts[text], from);
	return unit;
}

static bool is_padded(const struct program *program, const struct area *text, uint64_t from, uint64_t to)
{
	return is_padding(program->image.ehdr.e_machine, text->bytes + (from - text->from), to - from);
}

/* Bytes that no function claims. */
static void add_unknown(struct program *program, size_t text, uint64_t from, uint64_t to)
{
	if (from < to)
		add_unit(program, text, from, to)->stays = true;
}

/* One function, and what is between it and the next at limit. covered: how far any so
 * far has claimed to reach. */
static void add_function(struct program *program, size_t text, const struct beginning *item, uint64_t limit,
			 uint64_t *covered)
{
	uint64_t claimed = item->size ? item->from + item->size : limit, end;
	struct unit *unit;

	if (claimed > *covered)
		*covered = claimed;
	end = *covered < limit ? *covered : limit;
	unit = add_unit(program, text, item->from, end);
	unit->framed = item->framed;
	unit->named = item->named;
	unit->runs_on = *covered > limit;
	if (is_padded(program, &program->texts[text], end, limit))
		unit->to = limit;
	else
		add_unknown(program, text, end, limit);
}

static void divide(struct division *division, size_t text)
{
	struct program *program = division->program;
	const struct area *area = &program->texts[text];
	size_t i = division->next, nr = division->nr_beginnings;
	const struct beginning *items = division->beginnings;
	uint64_t covered = 0;

	while (i < nr && items[i].from < area->from)
		i++;
	add_unknown(program, text, area->from, i < nr && items[i].from < area->to ? items[i].from : area->to);
	for (; i < nr && items[i].from < area->to; i++)
		add_function(program, text, &items[i],
			     i + 1 < nr && items[i + 1].from < area->to ? items[i + 1].from : area->to,
			     &covered);
	division->next = i;
}

void units_find(struct program *program)
{
	struct division division = {.program = program};

	gather(&division);
	for (size_t i = 0; i < program->nr_texts; i++)
		divide(&division, i);
}
