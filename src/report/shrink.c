/*
 * What shrink did, or would do: every file that changes, with the reason, and
 * the sum.
 */
#include <inttypes.h>
#include <string.h>

#include "report/json.h"
#include "report/prune.h"
#include "report/style.h"

struct sums {
	uint64_t before, after; /* bytes of the layer */
	uint64_t native_before, native_after;
	size_t placed, rewritten, deleted, left;
	uint64_t code, unwind; /* bytes that trim has cut out */
	uint64_t traps;	       /* or has put traps into */
};

static bool is_native(const struct shrunk *shrunk, const struct change *change)
{
	if (change->action->kind == ACTION_PRUNE) {
		file_id file = layer_find_file(shrunk->before, change->path);

		return file != NO_ID && shrunk->before->files[file].object != NO_ID;
	}
	return change->action->kind != ACTION_RECORD;
}

static struct sums sum(const struct shrunk *shrunk)
{
	struct sums sums = {.before = shrunk->before->bytes, .native_before = native_bytes(shrunk->before)};
	size_t i;

	sums.after = sums.before + shrunk->compiled->new_bytes;
	sums.native_after = sums.native_before;
	for (i = 0; i < shrunk->nr_changes; i++) {
		const struct change *change = &shrunk->changes[i];

		if (change->kept_because) {
			sums.left++;
			continue;
		}
		sums.after += change->after - change->before;
		if (is_native(shrunk, change))
			sums.native_after += change->after - change->before;
		if (change->action->trim) {
			sums.code += change->action->trim->result.cut;
			sums.unwind += change->action->trim->result.unwind;
			if (change->action->trim->request.poison)
				sums.traps += change->action->trim->result.dead;
		}
		sums.placed += change->action->kind == ACTION_PLACE;
		sums.rewritten += change->action->kind == ACTION_REWRITE;
		sums.deleted += action_removes(change->action);
	}
	return sums;
}

static const char *verb(const struct change *change)
{
	if (change->kept_because)
		return "leave";
	switch (change->action->kind) {
	case ACTION_PLACE:
		return "place";
	case ACTION_REWRITE:
		if (change->action->edits.nr_needed || change->action->edits.search_path)
			return "relink";
		return change->action->trim ? "trim" : "strip";
	case ACTION_DELETE:
		return "delete";
	case ACTION_PRUNE:
		return "prune";
	case ACTION_RECORD:
		return "record";
	}
	return "?";
}

static bool is_worth_a_line(const struct change *change, const struct report_style *style)
{
	if (change->action->kind == ACTION_PRUNE && !style->verbose)
		return false;
	return style->verbose || change->kept_because || change->action->kind == ACTION_DELETE ||
	       change->action->edits.nr_needed || change->action->edits.search_path ||
	       (change->action->trim && change->action->trim->result.nr_removed);
}

/* Of a placed file only what it has got: what it had is of no interest. */
static void print_edits(FILE *to, const struct image_edits *edits, bool placed)
{
	size_t i;

	for (i = 0; i < edits->nr_needed && !placed; i++)
		fprintf(to, "          NEEDED %s\n              -> %s\n", report_shown(edits->needed[i].from),
			report_shown(edits->needed[i].to));
	for (i = 0; i < edits->nr_needed && placed; i++)
		fprintf(to, "          NEEDED %s\n", report_shown(edits->needed[i].to));
	if (edits->search_path)
		fprintf(to, "          search path %s\n",
			*edits->search_path ? report_shown(edits->search_path) : "(none)");
}

static void print_change(FILE *to, const struct change *change)
{
	char before[SIZE_TEXT], after[SIZE_TEXT];

	fprintf(to, "  %-7s %s\n", verb(change), report_shown(change->path));
	if (change->kept_because)
		print_wrapped(to, 10, change->kept_because);
	else if (action_removes(change->action))
		fprintf(to, "          %s\n", size_text(before, change->before));
	else if (change->action->kind == ACTION_PLACE)
		fprintf(to, "          %s\n", size_text(after, change->after));
	else
		fprintf(to, "          %s -> %s\n", size_text(before, change->before),
			size_text(after, change->after));
	if (!change->kept_because) {
		print_wrapped(to, 10, change->action->because);
		print_edits(to, &change->action->edits, change->action->kind == ACTION_PLACE);
	}
}

static void print_changes(FILE *to, const struct shrunk *shrunk, const struct report_style *style)
{
	bool any = false;
	size_t i;

	for (i = 0; i < shrunk->nr_changes; i++) {
		if (!is_worth_a_line(&shrunk->changes[i], style))
			continue;
		if (!any)
			print_heading(to, style, shrunk->dry_run ? "Would change" : "Changed");
		any = true;
		print_change(to, &shrunk->changes[i]);
	}
}

static double percent(uint64_t before, uint64_t after)
{
	return before ? 100.0 * ((double)after - (double)before) / (double)before : 0;
}

static void print_row(FILE *to, const char *label, uint64_t before, uint64_t after)
{
	char a[SIZE_TEXT], b[SIZE_TEXT];

	fprintf(to, "  %-8s %12s -> %12s  (%+.1f %%)\n", label, size_text(a, before), size_text(b, after),
		percent(before, after));
}

static void print_compiled(FILE *to, const struct compiled *compiled)
{
	char size[SIZE_TEXT];

	if (!compiled->tag)
		return;
	fprintf(to, "  with %s of bytecode (%s) for %zu sources", size_text(size, compiled->bytes),
		compiled->tag, compiled->nr_files);
	if (compiled->nr_failed)
		fprintf(to, ", %zu do not compile", compiled->nr_failed);
	fprintf(to, ";\n  importing every package took %u.%03u s before and %u.%03u s with it\n",
		compiled->ms_before / 1000, compiled->ms_before % 1000, compiled->ms_after / 1000,
		compiled->ms_after % 1000);
}

static void print_counts(FILE *to, const struct shrunk *shrunk, const struct report_style *style,
			 const struct sums *sums)
{
	fputs(shrunk->dry_run ? "  would be: " : "  ", to);
	if (sums->placed)
		fprintf(to, "%zu placed, ", sums->placed);
	fprintf(to, "%zu file%s rewritten, %zu deleted", sums->rewritten, sums->rewritten == 1 ? "" : "s",
		sums->deleted);
	if (sums->left)
		fprintf(to, ", %zu left alone", sums->left);
	fputs(style->verbose || !sums->rewritten ? "\n" : " (-v lists every file)\n", to);
}

static void print_trimmed(FILE *to, const struct sums *sums)
{
	char code[SIZE_TEXT], unwind[SIZE_TEXT];

	if (sums->traps)
		fprintf(to, "  poisoned: traps in %s of code nobody reaches\n", size_text(code, sums->traps));
	else if (sums->code || sums->unwind)
		fprintf(to, "  trimmed: %s of code nobody reaches%s%s\n", size_text(code, sums->code),
			sums->unwind ? ", unwind tables of " : "",
			sums->unwind ? size_text(unwind, sums->unwind) : "");
}

static void print_errors(FILE *to, const struct shrunk *shrunk)
{
	size_t nr = report_count(shrunk->before, SEVERITY_ERROR);

	if (nr)
		fprintf(to, "  %zu error%s in the layer before, not changed: see sofold verify\n", nr,
			nr == 1 ? "" : "s");
}

/* Of modules that did not import before nothing is known: a wheel may be missing. */
static void print_untried(FILE *to, const struct imports *imports)
{
	size_t i = 0, nr = imports->nr_modules - imports_count(imports);

	if (!nr)
		return;
	while (!imports->failed[i])
		i++;
	fprintf(to, "  %zu did not before, which proves nothing of %s (verify --run lists all); the first:\n",
		nr, nr == 1 ? "it" : "them");
	fprintf(to, "    %s\n", report_shown(imports->modules[i]));
	print_wrapped(to, 6, imports->failed[i]);
}

/* imports: NULL without --run. */
static void print_proof(FILE *to, const struct imports *imports)
{
	fputs("  verified: every library and symbol binds as before", to);
	if (imports)
		fprintf(to, ";\n  %zu of %zu extension modules import, as before", imports_count(imports),
			imports->nr_modules);
	fputc('\n', to);
	if (imports)
		print_untried(to, imports);
}

void report_shrink_text(FILE *to, const struct shrunk *shrunk, const struct report_style *style)
{
	struct sums sums = sum(shrunk);

	print_bold(to, style, shrunk->name);
	fprintf(to, "  (platform %s)%s\n", shrunk->platform->name,
		shrunk->dry_run ? "  dry run, nothing written" : "");
	print_pruned(to, shrunk, style);
	print_changes(to, shrunk, style);
	print_heading(to, style, "Sum");
	print_row(to, "layer", sums.before, sums.after);
	print_row(to, "native", sums.native_before, sums.native_after);
	print_trimmed(to, &sums);
	print_counts(to, shrunk, style, &sums);
	print_errors(to, shrunk);
	if (shrunk->dry_run)
		return;
	print_compiled(to, shrunk->compiled);
	print_proof(to, shrunk->imports);
}

static json_t *edits_json(const struct image_edits *edits)
{
	json_t *json = json_object(), *needed = json_array();
	size_t i;

	for (i = 0; i < edits->nr_needed; i++) {
		json_t *rename = json_object();

		json_object_set_new(rename, "from", json_text(edits->needed[i].from));
		json_object_set_new(rename, "to", json_text(edits->needed[i].to));
		json_array_append_new(needed, rename);
	}
	json_object_set_new(json, "needed", needed);
	json_object_set_new(json, "search_path", json_text(edits->search_path));
	return json;
}

static json_t *names_json(const char *const *names, size_t nr)
{
	json_t *json = json_array();
	size_t i;

	for (i = 0; i < nr; i++)
		json_array_append_new(json, json_text(names[i]));
	return json;
}

static json_t *trim_json(const struct trim_task *task)
{
	const struct trim_result *result = &task->result;
	json_t *json = json_object();

	json_object_set_new(json, "code_bytes", json_bytes(result->cut));
	json_object_set_new(json, "unwind_bytes", json_bytes(result->unwind));
	json_object_set_new(json, "removed_cores", names_json(result->removed, result->nr_removed));
	json_object_set_new(json, "served_by", json_text(result->serves));
	json_object_set_new(json, "folded_kernels", json_bytes(result->folded));
	json_object_set_new(json, "removed_exports", names_json(task->gone, task->nr_gone));
	return json;
}

static json_t *change_json(const struct change *change)
{
	struct json_input input = {NULL};
	json_t *json = json_object();

	json_object_set_new(json, "action", json_text(verb(change)));
	json_object_set_new(json, "path", json_path(&input, change->path));
	json_object_set_new(json, "bytes_before", json_bytes(change->before));
	json_object_set_new(json, "bytes_after",
			    json_bytes(change->kept_because ? change->before : change->after));
	json_object_set_new(json, "because",
			    json_text(change->kept_because ? change->kept_because : change->action->because));
	json_object_set_new(
		json, "edits",
		(change->action->kind == ACTION_REWRITE || change->action->kind == ACTION_PLACE) &&
				!change->kept_because
			? edits_json(&change->action->edits)
			: json_null());
	json_object_set_new(json, "trim",
			    change->action->trim && !change->kept_because ? trim_json(change->action->trim)
									  : json_null());
	return json;
}

bool report_shrink_json(FILE *to, const struct shrunk *shrunk)
{
	json_t *root = json_object(), *changes = json_array();
	struct json_input input = {NULL};
	struct sums sums = sum(shrunk);
	size_t i;

	for (i = 0; i < shrunk->nr_changes; i++)
		json_array_append_new(changes, change_json(&shrunk->changes[i]));
	json_object_set_new(root, "schema_version", json_integer(REPORT_SCHEMA_VERSION));
	json_object_set_new(root, "platform", json_text(shrunk->platform->name));
	json_object_set_new(root, "dry_run", json_boolean(shrunk->dry_run));
	json_object_set_new(root, "bytes_before", json_bytes(sums.before));
	json_object_set_new(root, "bytes_after", json_bytes(sums.after));
	json_object_set_new(root, "native_bytes_before", json_bytes(sums.native_before));
	json_object_set_new(root, "native_bytes_after", json_bytes(sums.native_after));
	json_object_set_new(root, "pruned", pruned_json(shrunk));
	json_object_set_new(root, "not_pruned", not_pruned_json(shrunk));
	json_object_set_new(root, "changes", changes);
	json_object_set_new(root, "findings", json_findings(&input, shrunk->before, json_array()));
	json_object_set_new(root, "bytecode_bytes",
			    shrunk->compiled->tag ? json_bytes(shrunk->compiled->bytes) : json_null());
	json_object_set_new(root, "modules_importing",
			    shrunk->imports ? json_bytes(imports_count(shrunk->imports)) : json_null());
	return json_print(to, root);
}
