/*
 * The audit for people: totals, families that can be merged, look-alikes that
 * cannot, findings, where the bytes are.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/style.h"

static void print_total(FILE *to, const char *label, size_t nr, uint64_t bytes, const char *note)
{
	char size[SIZE_TEXT];

	fprintf(to, "  %-12s %6zu  %12s%s\n", label, nr, size_text(size, bytes), note);
}

static size_t count_deleted(const struct audit *audit)
{
	size_t i, nr = 0;

	for (i = 0; i < audit->layer->nr_objects; i++)
		nr += audit->plan->deleted[i];
	return nr;
}

static uint64_t offered_bytes(const struct plan *plan)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < plan->nr_families; i++)
		bytes += plan->families[i].offered;
	return bytes;
}

/* What shrink drops besides: each object's symbol tables and debug info. */
static void print_strippable(FILE *to, const struct layer *layer)
{
	uint64_t bytes = 0;
	size_t i, nr = 0;

	for (i = 0; i < layer_count_objects(layer); i++) {
		uint64_t own = layer->objects[i].symtab_bytes + layer->objects[i].debug_bytes;

		bytes += own;
		nr += own != 0;
	}
	print_total(to, "strippable", nr, bytes, "  of symbol tables and debug info");
}

static void print_headline(FILE *to, const struct audit *audit, const struct report_style *style)
{
	const struct layer *layer = audit->layer;
	char size[SIZE_TEXT];

	print_bold(to, style, audit->name);
	fprintf(to, "  (platform %s%s)\n\n", audit->platform->name,
		audit->platform_named ? "" : ", inferred");
	print_total(to, "files", layer_count_files(layer), layer->bytes, "");
	print_total(to, "native", layer_count_objects(layer), native_bytes(layer), "");
	print_total(to, "reclaimable", count_deleted(audit), audit->plan->reclaimable,
		    "  by keeping one copy of each library");
	print_strippable(to, layer);
	if (offered_bytes(audit->plan))
		fprintf(to, "  %-12s %6s  %12s  more with --merge, see below\n", "offered", "",
			size_text(size, offered_bytes(audit->plan)));
}

static const char *verb(const struct copy *copy)
{
	if (copy->orphan)
		return "drop";
	if (copy->served_by == copy->object)
		return "keep";
	if (copy->relation == RELATION_BRIDGEABLE)
		return "bridge";
	return copy->served_by == NO_ID ? "stays" : "merge";
}

static void print_copy(FILE *to, const struct audit *audit, const struct copy *copy)
{
	const struct layer *layer = audit->layer;
	const struct object *object = &layer->objects[copy->object];
	char size[SIZE_TEXT];

	fprintf(to, "    %-6s %9s  %s\n", verb(copy), size_text(size, object->size),
		report_shown(object_path(layer, object)));
	fprintf(to, "      %s%s", report_shown(object_owner(layer->arena, layer, object)),
		object->version_hint ? ", version " : "");
	fprintf(to, "%s\n", object->version_hint ? report_shown(object->version_hint) : "");
	if (copy->served_by != NO_ID && copy->served_by != copy->object)
		print_wrapped(
			to, 6,
			arena_printf(layer->arena, "%s: %s", relation_name(copy->relation), copy->reason));
	else if (copy->reason)
		print_wrapped(to, 6, copy->reason);
}

static const char *machine_name(uint16_t machine)
{
	return machine == EM_X86_64 ? "x86-64" : machine == EM_AARCH64 ? "aarch64" : "other machine";
}

static void print_family(FILE *to, const struct audit *audit, const struct family *family,
			 const struct report_style *style)
{
	char size[SIZE_TEXT];
	size_t i;

	fputs("  ", to);
	print_bold(to, style, family->name);
	fprintf(to, "  %zu copies (%s)", family->nr_copies, machine_name(family->machine));
	if (family->reclaimable)
		fprintf(to, ", %s reclaimable", size_text(size, family->reclaimable));
	if (family->offered)
		fprintf(to, ", %s with --merge %.*s", size_text(size, family->offered),
			(int)strcspn(family->name, "."), family->name);
	fputc('\n', to);
	for (i = 0; i < family->nr_copies; i++)
		print_copy(to, audit, &family->copies[i]);
}

static void print_families(FILE *to, const struct audit *audit, bool merged, const char *heading,
			   const struct report_style *style)
{
	bool any = false;
	size_t i;

	for (i = 0; i < audit->plan->nr_families; i++) {
		const struct family *family = &audit->plan->families[i];

		if (!!family->reclaimable != merged)
			continue;
		if (!any)
			print_heading(to, style, heading);
		any = true;
		print_family(to, audit, family, style);
	}
}

static int by_size(const void *a, const void *b, void *context)
{
	const struct layer *layer = context;
	const struct object *x = &layer->objects[*(const object_id *)a];
	const struct object *y = &layer->objects[*(const object_id *)b];

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return strcmp(object_path(layer, x), object_path(layer, y));
}

static uint64_t function_bytes(const struct object *object)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < object->nr_functions; i++)
		bytes += object->functions[i].size;
	return bytes;
}

static void print_biggest(FILE *to, const struct audit *audit, const struct report_style *style)
{
	enum { SHOWN = 10 };
	struct layer *layer = audit->layer;
	size_t i, nr = layer_count_objects(layer), shown = style->verbose || nr < SHOWN ? nr : SHOWN;
	object_id *ids = arena_array(layer->arena, nr, sizeof *ids);
	char size[SIZE_TEXT], symbols[SIZE_TEXT];

	for (i = 0; i < nr; i++)
		ids[i] = (object_id)i;
	if (!nr)
		return;
	qsort_r(ids, nr, sizeof *ids, by_size, layer);
	print_heading(to, style, style->verbose ? "Native files" : "Biggest native files");
	for (i = 0; i < shown; i++) {
		const struct object *object = &layer->objects[ids[i]];

		fprintf(to, "  %10s  %s\n", size_text(size, object->size),
			report_shown(object_path(layer, object)));
		if (object->symtab_bytes || object->debug_bytes)
			fprintf(to, "              of which %s symbols and debug info\n",
				size_text(symbols, object->symtab_bytes + object->debug_bytes));
		if (style->verbose && object->untouchable)
			fprintf(to, "              left alone: %s\n", object->untouchable);
		if (style->verbose && object->nr_functions)
			fprintf(to, "              %zu functions in .eh_frame, %s\n", object->nr_functions,
				size_text(symbols, function_bytes(object)));
		if (style->verbose && object->compiler)
			print_wrapped(to, 14, arena_printf(layer->arena, "built by %s", object->compiler));
	}
}

void report_audit_text(FILE *to, const struct audit *audit, const struct report_style *style)
{
	print_headline(to, audit, style);
	print_families(to, audit, true, "Duplicate native libraries", style);
	print_families(to, audit, false, "Look-alikes that stay apart", style);
	print_findings(to, audit->layer, style);
	print_biggest(to, audit, style);
}
