/* What pack has put into a zip. */
#include <inttypes.h>

#include "report/json.h"
#include "report/style.h"
#include "sofold/pack.h"

static void print_entries(FILE *to, const struct packed *packed, const struct report_style *style)
{
	print_heading(to, style, "Entries, with bytes before and after");
	for (size_t i = 0; i < packed->nr_entries; i++) {
		const struct pack_entry *entry = &packed->entries[i];

		fprintf(to, "  %11" PRIu64 " %11" PRIu64 "  %s", entry->size, entry->packed_size,
			report_shown(entry->name));
		if (entry->target)
			fprintf(to, " -> %s", report_shown(entry->target));
		fputc('\n', to);
	}
}

static void print_count(FILE *to, const char *label, size_t nr)
{
	if (nr)
		fprintf(to, "  %-12s %6zu\n", label, nr);
}

void report_pack_text(FILE *to, const char *name, const struct packed *packed,
		      const struct report_style *style)
{
	char size[SIZE_TEXT];
	double saved = packed->bytes ? 100 - 100 * (double)packed->zip_bytes / (double)packed->bytes : 0;

	print_bold(to, style, name);
	fputs("\n\n", to);
	fprintf(to, "  %-12s %6zu  %12s\n", "files", packed->nr_files, size_text(size, packed->bytes));
	print_count(to, "symlinks", packed->nr_symlinks);
	print_count(to, "empty dirs", packed->nr_directories);
	fprintf(to, "  %-12s %6s  %12s  (%+.1f %%)\n", "zip", "", size_text(size, packed->zip_bytes), -saved);
	if (style->verbose)
		print_entries(to, packed, style);
}

static const char *type_of(const struct pack_entry *entry)
{
	return entry->target ? "symlink" : S_ISDIR(entry->mode) ? "directory" : "file";
}

static json_t *json_entry(const struct pack_entry *entry)
{
	json_t *value = json_object();

	json_object_set_new(value, "name", json_text(entry->name));
	json_object_set_new(value, "type", json_text(type_of(entry)));
	json_object_set_new(value, "bytes", json_bytes(entry->size));
	json_object_set_new(value, "compressed_bytes", json_bytes(entry->packed_size));
	return value;
}

bool report_pack_json(FILE *to, const struct packed *packed)
{
	json_t *root = json_object(), *entries = json_array();

	for (size_t i = 0; i < packed->nr_entries; i++)
		json_array_append_new(entries, json_entry(&packed->entries[i]));
	json_object_set_new(root, "schema_version", json_integer(REPORT_SCHEMA_VERSION));
	json_object_set_new(root, "files", json_bytes(packed->nr_files));
	json_object_set_new(root, "symlinks", json_bytes(packed->nr_symlinks));
	json_object_set_new(root, "empty_directories", json_bytes(packed->nr_directories));
	json_object_set_new(root, "bytes", json_bytes(packed->bytes));
	json_object_set_new(root, "compressed_bytes", json_bytes(packed->packed_bytes));
	json_object_set_new(root, "zip_bytes", json_bytes(packed->zip_bytes));
	json_object_set_new(root, "entries", entries);
	return json_print(to, root);
}
