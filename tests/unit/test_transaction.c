/*
 * Unit tests of files that are put where none was: the operation by itself, in
 * a directory of its own, and a whole plan with one on a real layer
 * (real_layer.h).
 */
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply/io.h"
#include "apply/journal.h"
#include "real_layer.h"
#include "sofold/apply.h"

#define PATH "dir/sub/new.so"
#define OLD  "gamma.libs/libfoo-2222bbbb.so.1"

static struct {
	struct arena *arena;
	char *root;
	struct transaction transaction;
	struct op op;
	struct error err;
	struct io_ops io;

	/* Of the real layer. */
	const char *original, *before;
	struct layer *layer;
	struct plan *plan;
} t;

static const struct apply_options plain = {.threads = 2};

static char *in_root(const char *path)
{
	return arena_printf(t.arena, "%s/%s", t.root, path);
}

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(in_root(path), &st);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(in_root(path), "w");

	CU_ASSERT_FATAL(file != NULL);
	fputs(text, file);
	fclose(file);
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

static void assert_says(const char *part)
{
	CU_ASSERT(strstr(t.err.message, part) != NULL);
	if (!strstr(t.err.message, part))
		fprintf(stderr, "\nmessage is \"%s\", lacks \"%s\"\n", t.err.message, part);
	t.err.message[0] = '\0';
}

/* --------- one operation ------------------ */

static void open_transaction(void)
{
	bool there;

	CU_ASSERT(!transaction_open(&t.transaction, t.arena, t.root, &t.err));
	t.transaction.ops = &t.op;
	t.transaction.nr_ops = t.transaction.alloc_ops = 1;
	if (exists(".sofold"))
		CU_ASSERT(!staging_open(&t.transaction.staging, &there, &t.err))
	else
		CU_ASSERT(!staging_create(&t.transaction.staging, &t.err));
}

/* An empty directory, and "bytes" staged to be put at PATH. */
static void begin(void)
{
	static const char text[] = "bytes";

	t.arena = arena_new();
	t.err.message[0] = '\0';
	t.root = arena_strdup(t.arena, "/tmp/sofold-place.XXXXXX");
	CU_ASSERT_FATAL(mkdtemp(t.root) != NULL);
	CU_ASSERT(!mkdir(in_root("dir"), 0755) && !mkdir(in_root("dir/sub"), 0755));
	t.op = (struct op){.kind = OP_CREATE, .number = 3, .path = PATH, .size = sizeof text - 1};
	digest_sha256((struct span){(const uint8_t *)text, sizeof text - 1}, t.op.sha256);
	open_transaction();
	put(".sofold/new/3", text);
}

static void end(void)
{
	transaction_close(&t.transaction);
	real_remove(t.root);
	arena_free(t.arena);
}

static void create_puts_a_file_where_none_is(void)
{
	begin();
	CU_ASSERT(!transaction_run(&t.transaction, &t.err));
	UNIT_ASSERT_TEXT(content(PATH), "bytes");
	CU_ASSERT(!exists(".sofold/new/3"));
	UNIT_ASSERT_TEXT(t.err.message, "");
	end();
}

static void create_is_undone_as_often_as_one_likes(void)
{
	begin();
	CU_ASSERT(!transaction_run(&t.transaction, &t.err));
	for (int i = 0; i < 3; i++) {
		CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
		CU_ASSERT(!exists(PATH) && exists("dir/sub"));
	}
	end();
}

static void create_that_was_not_run_is_not_undone(void)
{
	begin();
	put(PATH, "bytes"); /* somebody's, though the same */
	CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
	UNIT_ASSERT_TEXT(content(PATH), "bytes");
	CU_ASSERT(exists(".sofold/new/3"));
	end();
}

static void create_keeps_what_somebody_changed(void)
{
	static const char *const texts[] = {"other", "longer bytes", ""};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		begin();
		CU_ASSERT(!transaction_run(&t.transaction, &t.err));
		put(PATH, texts[i]);
		CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
		UNIT_ASSERT_TEXT(content(PATH), texts[i]);
		end();
	}
}

static void create_keeps_what_is_no_file_any_more(void)
{
	begin();
	CU_ASSERT(!transaction_run(&t.transaction, &t.err));
	put("dir/copy", "bytes");
	CU_ASSERT(!unlink(in_root(PATH)) && !symlink("../copy", in_root(PATH)));
	CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
	UNIT_ASSERT_TEXT(content(PATH), "bytes");
	CU_ASSERT(!unlink(in_root(PATH)) && !mkdir(in_root(PATH), 0755));
	CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
	CU_ASSERT(exists(PATH) && exists("dir/copy"));
	CU_ASSERT(!rmdir(in_root(PATH)) && !mkfifo(in_root(PATH), 0600));
	CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
	CU_ASSERT(exists(PATH));
	end();
}

static void create_takes_no_path_that_is_taken(void)
{
	begin();
	put(PATH, "somebody's");
	CU_ASSERT_EQUAL(transaction_run(&t.transaction, &t.err), ERROR_RUN);
	assert_says("placing " PATH);
	UNIT_ASSERT_TEXT(content(PATH), "somebody's");
	UNIT_ASSERT_TEXT(content(".sofold/new/3"), "bytes");
	CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
	UNIT_ASSERT_TEXT(content(PATH), "somebody's");
	end();
}

static void create_takes_no_symlink_that_leads_nowhere(void)
{
	begin();
	CU_ASSERT(!symlink("nowhere", in_root(PATH)));
	CU_ASSERT_EQUAL(transaction_run(&t.transaction, &t.err), ERROR_RUN);
	assert_says("placing " PATH);
	CU_ASSERT(exists(PATH) && !exists("dir/sub/nowhere"));
	end();
}

static int put_and_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	put(PATH, "somebody's");
	return t.io.rename_new(from_dir, from, to_dir, to);
}

/* Somebody comes between the last look and the rename. */
static void create_never_overwrites(void)
{
	begin();
	t.io = io;
	io.rename_new = put_and_rename;
	CU_ASSERT_EQUAL(transaction_run(&t.transaction, &t.err), ERROR_RUN);
	io = t.io;
	assert_says("File exists");
	UNIT_ASSERT_TEXT(content(PATH), "somebody's");
	CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
	UNIT_ASSERT_TEXT(content(PATH), "somebody's");
	end();
}

static void create_fails_without_its_directory(void)
{
	begin();
	CU_ASSERT(!rmdir(in_root("dir/sub")));
	CU_ASSERT_EQUAL(transaction_run(&t.transaction, &t.err), ERROR_RUN);
	assert_says("placing " PATH);
	UNIT_ASSERT_TEXT(content(".sofold/new/3"), "bytes");
	CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
	CU_ASSERT(!exists("dir/sub"));
	end();
}

static void create_needs_no_undoing_when_its_directory_is_gone(void)
{
	begin();
	CU_ASSERT(!transaction_run(&t.transaction, &t.err));
	CU_ASSERT(!unlink(in_root(PATH)) && !rmdir(in_root("dir/sub")) && !rmdir(in_root("dir")));
	CU_ASSERT(!transaction_undo(&t.transaction, &t.err));
	UNIT_ASSERT_TEXT(t.err.message, "");
	end();
}

static void create_is_not_undone_through_a_symlink(void)
{
	begin();
	CU_ASSERT(!transaction_run(&t.transaction, &t.err));
	CU_ASSERT(!rename(in_root("dir/sub"), in_root("dir/away")));
	CU_ASSERT(!symlink("away", in_root("dir/sub")));
	CU_ASSERT_EQUAL(transaction_undo(&t.transaction, &t.err), ERROR_RUN);
	assert_says("removing " PATH " again");
	UNIT_ASSERT_TEXT(content("dir/away/new.so"), "bytes");
	end();
}

/* --------- the journal ------------------ */

static void journal_knows_creations(void)
{
	struct op written;

	begin();
	t.op.path = "a b\n\\n/c";
	t.op.number = 4294967295u;
	written = t.op;
	CU_ASSERT(!journal_write(&t.transaction, &t.err));
	transaction_close(&t.transaction);
	open_transaction();
	t.transaction.ops = NULL;
	t.transaction.nr_ops = t.transaction.alloc_ops = 0;
	CU_ASSERT(!journal_read(&t.transaction, STAGING_JOURNAL, &t.err));
	CU_ASSERT_EQUAL_FATAL(t.transaction.nr_ops, 1);
	CU_ASSERT_EQUAL(t.transaction.ops[0].kind, OP_CREATE);
	CU_ASSERT_EQUAL(t.transaction.ops[0].number, 4294967295u);
	CU_ASSERT_EQUAL(t.transaction.ops[0].size, 5);
	CU_ASSERT(!memcmp(t.transaction.ops[0].sha256, written.sha256, DIGEST_BYTES));
	UNIT_ASSERT_TEXT(t.transaction.ops[0].path, "a b\n\\n/c");
	end();
}

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static int read_journal(const char *line)
{
	put(".sofold/journal", arena_printf(t.arena, "sofold journal 1\n%s\nend 1\n", line));
	t.transaction.ops = NULL;
	t.transaction.nr_ops = t.transaction.alloc_ops = 0;
	return journal_read(&t.transaction, STAGING_JOURNAL, &t.err);
}

static void journal_takes_no_malformed_creation(void)
{
	static const char *const lines[] = {
		"create",
		"create ",
		"create 0",
		"create 0 ",
		"create 0 5",
		"create 0 5 ",
		"create 0 5 p",
		"create 0 5 " HEX,
		"create 0 5 " HEX " ",
		"create 0 5  " HEX " p",
		"create 0 5 0" HEX " p",
		"create 0 5 \xff" HEX " p",
		"create x 5 " HEX " p",
		"create -1 5 " HEX " p",
		"create 0 -5 " HEX " p",
		"create 4294967296 5 " HEX " p",
		"create 0 99999999999999999999 " HEX " p",
		"create 0 " HEX " p",
		"create 0 p",
		"create 0 5 " HEX " p\\x",
		"create 0 5 " HEX " p\\",
		"created 0 5 " HEX " p",
		"creat 0 5 " HEX " p",
		"Create 0 5 " HEX " p",
		" create 0 5 " HEX " p",
		"",
	};

	begin();
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		CU_ASSERT_EQUAL(read_journal(lines[i]), ERROR_RUN);
		assert_says("damaged");
	}
	CU_ASSERT(!read_journal("create 0 5 " HEX " p"));
	UNIT_ASSERT_TEXT(t.transaction.ops[0].path, "p");
	end();
}

/* No journal makes undoing leave the tree. */
static void journal_leads_to_nothing_outside(void)
{
	static const char *const paths[] = {"../", "dir/../../", "./../"};
	char *name, *outside;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		begin();
		outside = arena_printf(t.arena, "%s.outside", t.root);
		name = strrchr(outside, '/') + 1;
		CU_ASSERT(!unlink(in_root(".sofold/new/3")));
		put(arena_printf(t.arena, "../%s", name), "bytes");
		t.op.path = arena_printf(t.arena, "%s%s", paths[i], name);
		CU_ASSERT_EQUAL(transaction_undo(&t.transaction, &t.err), ERROR_RUN);
		CU_ASSERT(!unlink(outside));
		end();
	}
}

/* --------- a whole plan ------------------ */

static void setup(void)
{
	static struct arena *forever;

	if (!forever) {
		forever = arena_new();
		t.original = real_tree(forever);
	}
	CU_ASSERT_FATAL(t.original != NULL);
	t.arena = arena_new();
	t.err.message[0] = '\0';
	t.io = io;
	t.root = real_copy(t.arena, t.original);
	t.before = real_snapshot(t.arena, t.root);
	t.layer = real_layer(t.arena, t.root);
	t.plan = real_placing_plan(t.arena, t.layer);
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

static struct apply *prepared(void)
{
	struct apply *apply = NULL;

	if (apply_prepare(t.layer, t.plan, &plain, &apply, &t.err))
		fprintf(stderr, "\n%s\n", t.err.message);
	CU_ASSERT_FATAL(apply != NULL);
	return apply;
}

static void assert_as_before(void)
{
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, t.root), t.before);
}

static void place_is_the_first_change(void)
{
	struct apply *apply;
	const struct change *changes;
	struct stat old, new;
	size_t nr;

	setup();
	CU_ASSERT(!stat(in_root(OLD), &old));
	apply = prepared();
	changes = apply_changes(apply, &nr);
	CU_ASSERT_EQUAL_FATAL(nr, 7);
	UNIT_ASSERT_TEXT(changes[0].path, REAL_PLACED);
	CU_ASSERT_EQUAL(changes[0].before, 0);
	CU_ASSERT(changes[0].after > 0 &&
		  changes[0].after == apply_staged(apply, changes[0].action->object).n);
	CU_ASSERT(!exists(REAL_PLACED));
	CU_ASSERT(!apply_commit(apply, &t.err) && !apply_finish(apply, &t.err));
	CU_ASSERT(exists(REAL_PLACED) && !exists(OLD) && !exists(".sofold"));
	CU_ASSERT(!stat(in_root(REAL_PLACED), &new));
	CU_ASSERT_EQUAL((uint64_t) new.st_size, changes[0].after);
	CU_ASSERT_EQUAL(new.st_mode, old.st_mode);
	CU_ASSERT_EQUAL(new.st_mtim.tv_nsec, old.st_mtim.tv_nsec);
	apply_free(apply);
	teardown();
}

static void place_adds_a_row_to_the_record(void)
{
	struct apply *apply;
	const char *row;

	setup();
	apply = prepared();
	CU_ASSERT(!apply_commit(apply, &t.err) && !apply_finish(apply, &t.err));
	apply_free(apply);
	row = strstr(content("gamma-2.0.dist-info/RECORD"), "\r\n" REAL_PLACED ",sha256=");
	CU_ASSERT_FATAL(row != NULL);
	UNIT_ASSERT_TEXT(strchr(row + 2, '\r'), "\r\n"); /* the last one */
	CU_ASSERT(!strstr(content("alpha-1.0.dist-info/RECORD"), REAL_PLACED));
	teardown();
}

static void place_is_rolled_back(void)
{
	struct apply *apply;

	setup();
	apply = prepared();
	CU_ASSERT(!apply_commit(apply, &t.err));
	CU_ASSERT(!apply_rollback(apply, &t.err));
	apply_free(apply);
	assert_as_before();
	teardown();
}

static void place_finds_its_path_taken(void)
{
	struct apply *apply = NULL;

	setup();
	put(REAL_PLACED, "somebody's");
	t.before = real_snapshot(t.arena, t.root);
	CU_ASSERT_EQUAL(apply_prepare(t.layer, t.plan, &plain, &apply, &t.err), ERROR_RUN);
	assert_says(REAL_PLACED " is there already");
	assert_as_before();
	teardown();
}

static void place_finds_its_path_taken_after_prepare(void)
{
	struct apply *apply;

	setup();
	apply = prepared();
	put(REAL_PLACED, "somebody's");
	CU_ASSERT_EQUAL(apply_commit(apply, &t.err), ERROR_RUN);
	assert_says(REAL_PLACED);
	CU_ASSERT(!apply_rollback(apply, &t.err));
	apply_free(apply);
	UNIT_ASSERT_TEXT(content(REAL_PLACED), "somebody's");
	CU_ASSERT(!unlink(in_root(REAL_PLACED)));
	assert_as_before();
	teardown();
}

static int renames_left;

static bool is_refused(void)
{
	errno = EIO;
	return renames_left-- <= 0;
}

static int counted_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return is_refused() ? -1 : t.io.renameat(from_dir, from, to_dir, to);
}

static int counted_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	return is_refused() ? -1 : t.io.rename_new(from_dir, from, to_dir, to);
}

/* Stops a run after some renames, the journal's included, as a kill does. 0:
 * it got through. */
static int stop_after(int renames)
{
	struct apply *apply = NULL;
	int status;

	io.renameat = counted_renameat;
	io.rename_new = counted_rename_new;
	renames_left = renames;
	status = apply_prepare(t.layer, t.plan, &plain, &apply, &t.err);
	if (!status)
		status = apply_commit(apply, &t.err);
	apply_free(apply);
	io = t.io;
	t.err.message[0] = '\0';
	return status;
}

static void place_is_recovered_from_after_any_number_of_renames(void)
{
	enum recovery recovered;
	bool done = false;

	for (int n = 0; n < 50 && !done; n++) {
		setup();
		done = !stop_after(n);
		CU_ASSERT_EQUAL(exists(REAL_PLACED), n > 1);
		CU_ASSERT(!apply_recover(t.root, &recovered, &t.err));
		UNIT_ASSERT_TEXT(t.err.message, "");
		assert_as_before();
		teardown();
	}
	CU_ASSERT(done);
}

/* The file has another inode in a copy, and nothing of it in .sofold/old. */
static void place_is_recovered_from_in_a_copy(void)
{
	enum recovery recovered;
	char *copy;

	setup();
	CU_ASSERT(stop_after(4));
	copy = real_copy(t.arena, t.root);
	CU_ASSERT(!apply_recover(copy, &recovered, &t.err));
	CU_ASSERT(recovered);
	UNIT_ASSERT_TEXT(real_snapshot(t.arena, copy), t.before);
	real_remove(copy);
	teardown();
}

static void register_one(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(create_puts_a_file_where_none_is),
		UNIT_TEST(create_is_undone_as_often_as_one_likes),
		UNIT_TEST(create_that_was_not_run_is_not_undone),
		UNIT_TEST(create_keeps_what_somebody_changed),
		UNIT_TEST(create_keeps_what_is_no_file_any_more),
		UNIT_TEST(create_takes_no_path_that_is_taken),
		UNIT_TEST(create_takes_no_symlink_that_leads_nowhere),
		UNIT_TEST(create_never_overwrites),
		UNIT_TEST(create_fails_without_its_directory),
		UNIT_TEST(create_needs_no_undoing_when_its_directory_is_gone),
		UNIT_TEST(create_is_not_undone_through_a_symlink),
		UNIT_TEST(journal_knows_creations),
		UNIT_TEST(journal_takes_no_malformed_creation),
		UNIT_TEST(journal_leads_to_nothing_outside),
	};

	unit_suite("transaction", tests, sizeof tests / sizeof *tests);
}

static void register_whole(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(place_is_the_first_change),
		UNIT_TEST(place_adds_a_row_to_the_record),
		UNIT_TEST(place_is_rolled_back),
		UNIT_TEST(place_finds_its_path_taken),
		UNIT_TEST(place_finds_its_path_taken_after_prepare),
		UNIT_TEST(place_is_recovered_from_after_any_number_of_renames),
		UNIT_TEST(place_is_recovered_from_in_a_copy),
	};

	unit_suite("place", tests, sizeof tests / sizeof *tests);
}

void suite_transaction(void)
{
	register_one();
	register_whole();
	atexit(remove_original);
}
