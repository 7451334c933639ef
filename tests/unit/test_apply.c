/*
 * Unit tests of the transaction and of tree_copy and tree_remove, on a real
 * small layer (real_layer.h). Runs that end early are made by giving up
 * after apply_prepare() or a failing rename and calling apply_free(), which
 * leaves the disk alone as a kill does; kills of the real program at every
 * call are in tests/fault.
 */
#include "suites.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "apply/io.h"
#include "apply/journal.h"
#include "real_layer.h"
#include "sofold/apply.h"

/* What every test starts from: a fresh copy of one tree, its model and plan. */
static struct {
	struct arena *arena;
	char *original; /* built once */
	char *root;
	struct layer *layer;
	struct plan *plan;
	char *before; /* snapshot */
	struct error err;
	struct io_ops io;
} t;

static const struct apply_options plain = {.threads = 2};
static const struct apply_options dry = {.dry_run = true};

static void look(void)
{
	t.layer = real_layer(t.arena, t.root);
	t.plan = real_plan(t.arena, t.layer);
}

static void setup(void)
{
	static struct arena *forever;

	if (!forever) {
		forever = arena_new();
		t.original = real_tree(forever);
	}
	if (!t.original) {
		fputs("cannot build the test layer\n", stderr);
		exit(1);
	}
	t.arena = arena_new();
	t.root = real_copy(t.arena, t.original);
	t.before = real_snapshot(t.arena, t.root);
	t.err.message[0] = '\0';
	t.io = io;
	look();
}

static void teardown(void)
{
	io = t.io;
	real_remove(t.root);
	arena_free(t.arena);
}

static void remove_original(void)
{
	if (t.original)
		real_remove(t.original);
	t.original = NULL;
}

static char *in_root(const char *path)
{
	return arena_printf(t.arena, "%s/%s", t.root, path);
}

static bool exists(const char *path)
{
	return !access(in_root(path), F_OK);
}

static char *content(const char *path)
{
	FILE *file = fopen(in_root(path), "r");
	char *text = arena_alloc(t.arena, 65536);

	if (!file)
		return NULL;
	text[fread(text, 1, 65535, file)] = '\0';
	fclose(file);
	return text;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(in_root(path), "w");

	CU_ASSERT_FATAL(file != NULL);
	fputs(text, file);
	fclose(file);
}

static void assert_says(const char *part)
{
	CU_ASSERT(strstr(t.err.message, part) != NULL);
	if (!strstr(t.err.message, part))
		fprintf(stderr, "\nmessage is \"%s\", lacks \"%s\"\n", t.err.message, part);
}

static void assert_as_before(void)
{
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, t.root), t.before);
}

static struct apply *prepared(const struct apply_options *options)
{
	struct apply *apply = NULL;

	if (apply_prepare(t.layer, t.plan, options, &apply, &t.err))
		fprintf(stderr, "\n%s\n", t.err.message);
	CU_ASSERT_FATAL(apply != NULL);
	return apply;
}

static void shrink(void)
{
	struct apply *apply = prepared(&plain);

	CU_ASSERT(!apply_commit(apply, &t.err));
	CU_ASSERT(!apply_finish(apply, &t.err));
	apply_free(apply);
	UNIT_ASSERT_TEXT(t.err.message, "");
}

static int answer(const char *path)
{
	void *module = dlopen(in_root(path), RTLD_NOW | RTLD_LOCAL);
	int (*init)(void);
	int result;

	if (!module)
		fprintf(stderr, "\n%s\n", dlerror());
	if (!module)
		return -1;
	*(void **)&init = dlsym(module, "PyInit__core");
	result = init ? init() : -1;
	dlclose(module);
	return result;
}

/* --------- a whole run ------------------ */

static void apply_writes_nothing_in_a_dry_run(void)
{
	struct apply *apply;
	const struct change *changes;
	size_t nr;

	setup();
	apply = prepared(&dry);
	changes = apply_changes(apply, &nr);
	CU_ASSERT_EQUAL_FATAL(nr, 6);
	UNIT_ASSERT_TEXT(changes[2].path, "gamma/_alias.so");
	CU_ASSERT(changes[2].after < changes[2].before);
	CU_ASSERT_EQUAL(changes[3].after, 0);
	CU_ASSERT_EQUAL(apply_staged(apply, changes[2].action->object).n, changes[2].after);
	CU_ASSERT(!memcmp(apply_staged(apply, changes[2].action->object).p, "\177ELF", 4));
	CU_ASSERT_EQUAL(apply_staged(apply, changes[3].action->object).n, 0);
	apply_free(apply);
	assert_as_before();
	teardown();
}

static void apply_carries_a_plan_out(void)
{
	struct stat core, alias;

	setup();
	shrink();
	CU_ASSERT(!exists(".sofold"));
	CU_ASSERT(!exists("gamma.libs/libfoo-2222bbbb.so.1"));
	CU_ASSERT_EQUAL(answer("alpha/_core.so"), 42);
	CU_ASSERT_EQUAL(answer("gamma/_core.so"), 42);
	CU_ASSERT(!stat(in_root("gamma/_core.so"), &core) && !stat(in_root("gamma/_alias.so"), &alias));
	CU_ASSERT_EQUAL(core.st_ino, alias.st_ino);
	CU_ASSERT_EQUAL(core.st_nlink, 2);
	CU_ASSERT_EQUAL(core.st_mode & 07777, 0640);
	CU_ASSERT_EQUAL(core.st_mtim.tv_nsec, 789000000);
	teardown();
}

/* Hashes of the tree's files by the same tools that made RECORD. */
static void apply_leaves_records_that_are_true(void)
{
	static const char check[] =
		"cd '%s'; cat */RECORD | tr -d '\\r' | while IFS=, read f h s; do [ -z \"$h\" ] || "
		"[ \"$h,$s\" = \"sha256=$(openssl dgst -sha256 -binary $f | base64 | tr '+/' '-_' | tr -d =),"
		"$(stat -c %%s $f)\" ] || exit 1; done";

	setup();
	CU_ASSERT(!system(arena_printf(t.arena, check, t.root)));
	shrink();
	CU_ASSERT(!system(arena_printf(t.arena, check, t.root)));
	CU_ASSERT(strstr(content("gamma-2.0.dist-info/RECORD"), "gamma/_alias.so,sha256=") != NULL);
	CU_ASSERT(!strstr(content("gamma-2.0.dist-info/RECORD"), "libfoo"));
	CU_ASSERT(strstr(content("gamma-2.0.dist-info/RECORD"), "RECORD,,\r\n") != NULL);
	teardown();
}

static void apply_does_nothing_the_second_time(void)
{
	struct stat before, after;
	char *once;
	size_t nr;
	struct apply *apply;

	setup();
	shrink();
	once = real_snapshot(t.arena, t.root);
	stat(t.root, &before);
	look();
	apply = prepared(&plain);
	apply_changes(apply, &nr);
	CU_ASSERT_EQUAL(nr, 0);
	CU_ASSERT(!apply_commit(apply, &t.err) && !apply_finish(apply, &t.err));
	apply_free(apply);
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, t.root), once);
	stat(t.root, &after);
	CU_ASSERT_EQUAL(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	teardown();
}

static void apply_keeps_extended_attributes(void)
{
	char value[8] = "";

	setup();
	if (!setxattr(in_root("gamma/_core.so"), "user.note", "kept", 4, 0)) {
		shrink();
		CU_ASSERT_EQUAL(getxattr(in_root("gamma/_core.so"), "user.note", value, sizeof value), 4);
		CU_ASSERT(!memcmp(value, "kept", 4));
	}
	teardown();
}

static void apply_leaves_links_outside_the_layer_alone(void)
{
	struct stat outside, inside;
	char *kept;

	setup();
	kept = arena_printf(t.arena, "%s.outside", t.root);
	CU_ASSERT(!link(in_root("alpha/_core.so"), kept));
	look();
	shrink();
	CU_ASSERT(!stat(kept, &outside) && !stat(in_root("alpha/_core.so"), &inside));
	CU_ASSERT(outside.st_size > inside.st_size);
	CU_ASSERT_EQUAL(outside.st_nlink, 1);
	unlink(kept);
	teardown();
}

/* --------- undoing ------------------ */

static void apply_rolls_back_what_it_committed(void)
{
	struct apply *apply;

	setup();
	apply = prepared(&plain);
	CU_ASSERT(!apply_commit(apply, &t.err));
	CU_ASSERT(!apply_rollback(apply, &t.err));
	apply_free(apply);
	assert_as_before();
	teardown();
}

static int renames_left;
static int (*real_renameat)(int, const char *, int, const char *);

static int counted_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renames_left-- <= 0) {
		errno = EIO;
		return -1;
	}
	return real_renameat(from_dir, from, to_dir, to);
}

/* Stops a run after some renames, the journal's included. 0: it got through. */
static int stop_after(int renames)
{
	struct apply *apply = NULL;
	int status;

	real_renameat = t.io.renameat;
	io.renameat = counted_renameat;
	renames_left = renames;
	status = apply_prepare(t.layer, t.plan, &plain, &apply, &t.err);
	if (!status)
		status = apply_commit(apply, &t.err);
	apply_free(apply);
	io = t.io;
	return status;
}

static void apply_recovers_from_any_number_of_renames(void)
{
	enum recovery recovered;
	bool done = false;

	for (int n = 0; n < 50 && !done; n++) {
		setup();
		done = !stop_after(n);
		CU_ASSERT_EQUAL(answer("alpha/_core.so"), 42);
		CU_ASSERT_EQUAL(answer("gamma/_alias.so"), 42);
		t.err.message[0] = '\0';
		CU_ASSERT(!apply_recover(t.root, &recovered, &t.err));
		UNIT_ASSERT_TEXT(t.err.message, "");
		CU_ASSERT_EQUAL(recovered, n > 0);
		assert_as_before();
		teardown();
	}
	CU_ASSERT(done);
}

/* A copy has other inodes, and the directory of a killed run is copied too. */
static void apply_recovers_a_copy_of_an_interrupted_layer(void)
{
	enum recovery recovered;
	char *copy;

	setup();
	CU_ASSERT(stop_after(6));
	copy = real_copy(t.arena, t.root);
	CU_ASSERT(!apply_recover(copy, &recovered, &t.err));
	CU_ASSERT(recovered);
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, copy), t.before);
	real_remove(copy);
	teardown();
}

static void apply_recovery_spares_what_was_installed_since(void)
{
	enum recovery recovered;

	setup();
	CU_ASSERT(!stop_after(50));
	put("gamma.libs/libfoo-2222bbbb.so.1", "reinstalled");
	CU_ASSERT(!unlink(in_root("alpha/_core.so")));
	put("alpha/_core.so", "newer");
	CU_ASSERT(!unlink(in_root("alpha.libs/libfoo-1111aaaa.so.1")) && !rmdir(in_root("alpha.libs")));
	CU_ASSERT(!apply_recover(t.root, &recovered, &t.err));
	UNIT_ASSERT_TEXT(content("gamma.libs/libfoo-2222bbbb.so.1"), "reinstalled");
	UNIT_ASSERT_TEXT(content("alpha/_core.so"), "newer");
	CU_ASSERT(!exists("alpha.libs"));
	CU_ASSERT(!exists(".sofold"));
	teardown();
}

static void apply_touches_nothing_when_the_journal_is_damaged(void)
{
	enum recovery recovered;
	char *text, *cut;

	setup();
	CU_ASSERT(!stop_after(50));
	text = content(".sofold/journal");
	cut = strstr(text, "end ");
	CU_ASSERT_FATAL(cut != NULL);
	*cut = '\0';
	put(".sofold/journal", text);
	CU_ASSERT_EQUAL(apply_recover(t.root, &recovered, &t.err), ERROR_RUN);
	assert_says("damaged");
	CU_ASSERT(exists(".sofold/old/4"));
	CU_ASSERT(!exists("gamma.libs/libfoo-2222bbbb.so.1"));
	teardown();
}

static void apply_has_no_way_back_when_it_is_finished(void)
{
	struct apply *apply;

	setup();
	apply = prepared(&plain);
	CU_ASSERT(!apply_commit(apply, &t.err));
	CU_ASSERT(!apply_finish(apply, &t.err));
	CU_ASSERT(!apply_rollback(apply, &t.err));
	apply_free(apply);
	CU_ASSERT(!exists("gamma.libs/libfoo-2222bbbb.so.1"));
	teardown();
}

/* --------- refusing ------------------ */

static void apply_fails_as_a_whole(int kind, const char *message)
{
	struct apply *apply = NULL;

	CU_ASSERT_EQUAL(apply_prepare(t.layer, t.plan, &plain, &apply, &t.err), kind);
	CU_ASSERT(apply == NULL);
	assert_says(message);
	CU_ASSERT(!exists(".sofold"));
}

static void apply_keeps_an_object_that_only_compacting_refuses(void)
{
	struct apply *apply;
	const struct change *changes;
	size_t nr;

	setup();
	put("alpha/_core.so", "no ELF file at all");
	look();
	apply = prepared(&plain);
	changes = apply_changes(apply, &nr);
	CU_ASSERT_EQUAL_FATAL(nr, 6);
	CU_ASSERT(changes[1].kept_because != NULL);
	CU_ASSERT_EQUAL(changes[1].before, changes[1].after);
	CU_ASSERT(!apply_commit(apply, &t.err) && !apply_finish(apply, &t.err));
	apply_free(apply);
	UNIT_ASSERT_TEXT(content("alpha/_core.so"), "no ELF file at all");
	teardown();
}

static void apply_fails_when_a_deletion_rests_on_a_refused_rewrite(void)
{
	setup();
	put("gamma/_core.so", "no ELF file at all");
	look();
	apply_fails_as_a_whole(ERROR_VERIFY, "gamma/_alias.so");
	teardown();
}

static void apply_fails_when_a_file_has_changed_since_the_scan(void)
{
	static const char *const paths[] = {"alpha/_core.so", "gamma.libs/libfoo-2222bbbb.so.1",
					    "alpha-1.0.dist-info/RECORD"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		setup();
		CU_ASSERT(!utimensat(AT_FDCWD, in_root(paths[i]), NULL, 0));
		apply_fails_as_a_whole(ERROR_RUN, paths[i]);
		assert_says("changed since it was scanned");
		teardown();
	}
}

static void apply_replaces_no_file_that_came_after_prepare(void)
{
	struct apply *apply;

	setup();
	apply = prepared(&plain);
	CU_ASSERT(!unlink(in_root("gamma/_core.so")));
	put("gamma/_core.so", "somebody's");
	CU_ASSERT_EQUAL(apply_commit(apply, &t.err), ERROR_RUN);
	assert_says("gamma/_core.so");
	CU_ASSERT(!apply_rollback(apply, &t.err));
	apply_free(apply);
	UNIT_ASSERT_TEXT(content("gamma/_core.so"), "somebody's");
	CU_ASSERT(!exists(".sofold"));
	teardown();
}

static void apply_follows_no_directory_swapped_for_a_symlink(void)
{
	struct apply *apply;
	char *outside, *away;

	setup();
	outside = real_copy(t.arena, t.original);
	away = arena_printf(t.arena, "%s/gamma.away", t.root);
	apply = prepared(&plain);
	CU_ASSERT(!rename(in_root("gamma"), away));
	CU_ASSERT(!symlink(arena_printf(t.arena, "%s/gamma", outside), in_root("gamma")));
	CU_ASSERT_EQUAL(apply_commit(apply, &t.err), ERROR_RUN);
	assert_says("gamma/_alias.so");
	t.err.message[0] = '\0';
	CU_ASSERT(!apply_rollback(apply, &t.err));
	apply_free(apply);
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, outside), t.before);
	CU_ASSERT(!unlink(in_root("gamma")) && !rename(away, in_root("gamma")));
	assert_as_before();
	real_remove(outside);
	teardown();
}

static void apply_undoes_nothing_through_a_symlink(void)
{
	char *outside, *away;
	enum recovery recovered;

	setup();
	outside = real_copy(t.arena, t.original);
	away = arena_printf(t.arena, "%s/gamma.away", t.root);
	CU_ASSERT(!stop_after(50));
	CU_ASSERT(!rename(in_root("gamma"), away));
	CU_ASSERT(!symlink(arena_printf(t.arena, "%s/gamma", outside), in_root("gamma")));
	CU_ASSERT_EQUAL(apply_recover(t.root, &recovered, &t.err), ERROR_RUN);
	assert_says(".sofold/old/");
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, outside), t.before);
	CU_ASSERT(!unlink(in_root("gamma")) && !rename(away, in_root("gamma")));
	CU_ASSERT(!apply_recover(t.root, &recovered, &t.err));
	assert_as_before();
	real_remove(outside);
	teardown();
}

static void apply_lets_one_run_work_at_a_time(void)
{
	struct apply *first;
	enum recovery recovered;
	char *during;

	setup();
	first = prepared(&plain);
	during = real_snapshot(t.arena, t.root);
	CU_ASSERT_EQUAL(apply_prepare(t.layer, t.plan, &plain, &(struct apply *){NULL}, &t.err), ERROR_RUN);
	assert_says("another sofold is at work");
	CU_ASSERT_EQUAL(apply_recover(t.root, &recovered, &t.err), ERROR_RUN);
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, t.root), during);
	t.err.message[0] = '\0';
	CU_ASSERT(!apply_rollback(first, &t.err));
	apply_free(first);
	assert_as_before();
	teardown();
}

static void apply_asks_for_recovery_first(void)
{
	setup();
	CU_ASSERT(stop_after(3));
	look();
	t.err.message[0] = '\0';
	CU_ASSERT_EQUAL(apply_prepare(t.layer, t.plan, &plain, &(struct apply *){NULL}, &t.err), ERROR_RUN);
	assert_says("interrupted");
	CU_ASSERT(exists(".sofold/journal"));
	teardown();
}

static void apply_removes_no_directory_of_the_users(void)
{
	enum recovery recovered;
	char *with;

	setup();
	CU_ASSERT(!mkdir(in_root(".sofold"), 0755));
	put(".sofold/thesis.txt", "ten years of work");
	with = real_snapshot(t.arena, t.root);
	CU_ASSERT_EQUAL(apply_recover(t.root, &recovered, &t.err), ERROR_RUN);
	assert_says("not made by sofold");
	CU_ASSERT_EQUAL(apply_prepare(t.layer, t.plan, &plain, &(struct apply *){NULL}, &t.err), ERROR_RUN);
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, t.root), with);
	teardown();
}

static int refuse_to_link(int from_dir, const char *from, int to_dir, const char *to)
{
	(void)from_dir, (void)from, (void)to_dir, (void)to;
	errno = EPERM;
	return -1;
}

static void apply_copies_originals_where_links_are_refused(void)
{
	struct apply *apply;

	setup();
	CU_ASSERT(!unlink(in_root("gamma/_alias.so")));
	t.before = real_snapshot(t.arena, t.root);
	look();
	io.linkat = refuse_to_link;
	apply = prepared(&plain);
	CU_ASSERT(!apply_commit(apply, &t.err));
	CU_ASSERT(!apply_rollback(apply, &t.err));
	apply_free(apply);
	assert_as_before();
	teardown();
}

/* --------- the journal ------------------ */

static void journal_reads_what_it_wrote(void)
{
	struct transaction out, in;

	setup();
	CU_ASSERT(!transaction_open(&out, t.arena, t.root, &t.err));
	CU_ASSERT(!staging_create(&out.staging, &t.err));
	out.nr_ops = 2;
	out.ops = (struct op[]){
		{.kind = OP_REPLACE, .number = 7, .path = "a b\n\\n/c", .size = 5, .sha256 = {0xff, 0x0a}},
		{.kind = OP_DELETE, .number = 4294967295u, .path = "d"},
	};
	CU_ASSERT(!journal_write(&out, &t.err));
	transaction_close(&out);
	CU_ASSERT(!transaction_open(&in, t.arena, t.root, &t.err));
	CU_ASSERT(!staging_open(&in.staging, &(bool){false}, &t.err));
	CU_ASSERT(!journal_read(&in, STAGING_JOURNAL, &t.err));
	CU_ASSERT_EQUAL_FATAL(in.nr_ops, 2);
	UNIT_ASSERT_TEXT(in.ops[0].path, "a b\n\\n/c");
	CU_ASSERT_EQUAL(in.ops[0].kind, OP_REPLACE);
	CU_ASSERT_EQUAL(in.ops[0].number, 7);
	CU_ASSERT_EQUAL(in.ops[0].size, 5);
	CU_ASSERT(!memcmp(in.ops[0].sha256, out.ops[0].sha256, DIGEST_BYTES));
	CU_ASSERT_EQUAL(in.ops[1].kind, OP_DELETE);
	CU_ASSERT_EQUAL(in.ops[1].number, 4294967295u);
	transaction_close(&in);
	teardown();
}

/* --------- trees ------------------ */

static void tree_copies_links_modes_and_times(void)
{
	char *copy;

	setup();
	CU_ASSERT(!chmod(in_root("alpha"), 0550));
	copy = real_copy(t.arena, t.root);
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, copy), real_snapshot(t.arena, t.root));
	real_remove(copy);
	CU_ASSERT(access(copy, F_OK) && errno == ENOENT);
	teardown();
}

static void tree_leaves_nothing_when_a_copy_fails(void)
{
	char *copy;

	setup();
	copy = arena_printf(t.arena, "%s.copy", t.root);
	CU_ASSERT(!mkfifo(in_root("pipe"), 0600));
	CU_ASSERT_EQUAL(tree_copy(t.root, copy, &t.err), ERROR_RUN);
	assert_says("pipe");
	CU_ASSERT(access(copy, F_OK) && errno == ENOENT);
	teardown();
}

static void tree_does_not_copy_into_itself(void)
{
	setup();
	CU_ASSERT_EQUAL(tree_copy(t.root, in_root("gamma/copy"), &t.err), ERROR_RUN);
	assert_says("itself");
	CU_ASSERT(!exists("gamma/copy"));
	CU_ASSERT_EQUAL(tree_copy(t.root, in_root("gamma"), &t.err), ERROR_RUN);
	assert_as_before();
	teardown();
}

static void tree_removal_follows_no_symlink(void)
{
	char *outside;

	setup();
	outside = real_copy(t.arena, t.root);
	CU_ASSERT(!symlink(outside, in_root("gamma/out")));
	CU_ASSERT_EQUAL(tree_remove(in_root("gamma/out"), &t.err), ERROR_RUN);
	t.err.message[0] = '\0';
	CU_ASSERT(!tree_remove(in_root("gamma"), &t.err));
	CU_ASSERT(!exists("gamma"));
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, outside), t.before);
	real_remove(outside);
	teardown();
}

static void register_apply_tests(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(apply_writes_nothing_in_a_dry_run),
		UNIT_TEST(apply_carries_a_plan_out),
		UNIT_TEST(apply_leaves_records_that_are_true),
		UNIT_TEST(apply_does_nothing_the_second_time),
		UNIT_TEST(apply_keeps_extended_attributes),
		UNIT_TEST(apply_leaves_links_outside_the_layer_alone),
		UNIT_TEST(apply_rolls_back_what_it_committed),
		UNIT_TEST(apply_recovers_from_any_number_of_renames),
		UNIT_TEST(apply_recovers_a_copy_of_an_interrupted_layer),
		UNIT_TEST(apply_recovery_spares_what_was_installed_since),
		UNIT_TEST(apply_touches_nothing_when_the_journal_is_damaged),
		UNIT_TEST(apply_has_no_way_back_when_it_is_finished),
		UNIT_TEST(apply_keeps_an_object_that_only_compacting_refuses),
		UNIT_TEST(apply_fails_when_a_deletion_rests_on_a_refused_rewrite),
		UNIT_TEST(apply_fails_when_a_file_has_changed_since_the_scan),
		UNIT_TEST(apply_replaces_no_file_that_came_after_prepare),
		UNIT_TEST(apply_follows_no_directory_swapped_for_a_symlink),
		UNIT_TEST(apply_undoes_nothing_through_a_symlink),
		UNIT_TEST(apply_lets_one_run_work_at_a_time),
		UNIT_TEST(apply_asks_for_recovery_first),
		UNIT_TEST(apply_removes_no_directory_of_the_users),
		UNIT_TEST(apply_copies_originals_where_links_are_refused),
		UNIT_TEST(journal_reads_what_it_wrote),
	};

	unit_suite("apply", tests, sizeof tests / sizeof *tests);
}

static void register_tree_tests(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(tree_copies_links_modes_and_times),
		UNIT_TEST(tree_leaves_nothing_when_a_copy_fails),
		UNIT_TEST(tree_does_not_copy_into_itself),
		UNIT_TEST(tree_removal_follows_no_symlink),
	};

	unit_suite("tree", tests, sizeof tests / sizeof *tests);
}

void suite_apply(void)
{
	register_apply_tests();
	register_tree_tests();
	atexit(remove_original);
}
