/*
 * The hash tables without the symbols that go.
 *
 * DT_GNU_HASH covers the symbols from some index on, sorted by bucket: a bucket
 * says where its first one is, and a word for each symbol holds its hash, odd
 * for the last of the bucket. A filter of two bits for each symbol says of most
 * names that they are not there (glibc, elf/dl-lookup.c do_lookup_x; musl,
 * ldso/dynlink.c gnu_lookup_filtered). With the same number of buckets a symbol
 * stays in the bucket it was in. The filter needs to be only as long as it takes to
 * let no more names through than it did.
 *
 * DT_HASH (gABI, Hash Table) links the symbols of a bucket; what stays is linked
 * in the order it was, so that of two equal names the same comes first.
 *
 * What does not find a symbol that is there would be another table afterwards:
 * both are read through once and refused when not every word is as it should be.
 */
#include "image/symbols.h"

static int refuse(struct error *err)
{
	return error_add(err, ERROR_REFUSED, "a hash table does not agree with its symbols");
}

/* --------- DT_GNU_HASH ------------------ */

struct gnu_header {
	uint32_t nr_buckets;
	uint32_t first;	   /* symbol that it covers */
	uint32_t nr_words; /* of the filter, 64 bits each */
	uint32_t shift;
};

/* A table, old or new; the pointers lead into one block. */
struct gnu_table {
	struct gnu_header header;
	uint32_t *words; /* the whole of it */
	size_t nr_words;
	uint32_t *filter, *buckets, *chains;
};

static struct gnu_table gnu_table(struct arena *arena, struct gnu_header header, size_t nr_symbols)
{
	struct gnu_table table = {.header = header};
	size_t head = sizeof header / sizeof *table.words;

	table.nr_words = head + 2 * (size_t)header.nr_words + header.nr_buckets + nr_symbols - header.first;
	table.words = arena_array(arena, table.nr_words, sizeof *table.words);
	table.filter = table.words + head;
	table.buckets = table.filter + 2 * (size_t)header.nr_words;
	table.chains = table.buckets + header.nr_buckets;
	memcpy(table.words, &header, sizeof header);
	return table;
}

static bool read_gnu_table(const struct removal *removal, uint64_t vaddr, struct gnu_table *table)
{
	struct gnu_header header;
	struct span bytes;
	uint64_t size;

	if (!image_read(removal->image, vaddr, &header, sizeof header) ||
	    header.first > removal->nr_symbols || header.shift >= 32)
		return false;
	size = sizeof header + 8ull * header.nr_words + 4ull * header.nr_buckets +
	       4ull * (removal->nr_symbols - header.first);
	if (!image_at(removal->image, vaddr, size, &bytes))
		return false;
	*table = gnu_table(removal->draft->arena, header, removal->nr_symbols);
	memcpy(table->words, bytes.p, bytes.n);
	return true;
}

static void filter_add(struct gnu_table *table, uint32_t hash)
{
	uint32_t *word = table->filter + 2 * (size_t)(hash / 64 & (table->header.nr_words - 1));
	uint32_t one = hash % 64, two = (hash >> table->header.shift) % 64;

	word[one / 32] |= 1u << one % 32;
	word[two / 32] |= 1u << two % 32;
}

/* Fills a new table with symbols that have consecutive numbers from first on. */
static void gnu_table_add(struct gnu_table *table, uint32_t symbol, uint32_t hash)
{
	uint32_t *bucket = &table->buckets[hash % table->header.nr_buckets];
	uint32_t *word = &table->chains[symbol - table->header.first];

	filter_add(table, hash);
	/* Odd until the bucket goes on. */
	*word = hash | 1;
	if (*bucket)
		word[-1] &= ~1u;
	else
		*bucket = symbol;
}

/* The filter gets shorter while that does not make it fuller than it was. */
static struct gnu_header header_without_gone(const struct removal *removal, struct gnu_header header)
{
	uint64_t before = removal->nr_symbols - header.first, after, words = header.nr_words;

	header.first = removal->rank[header.first];
	after = removal->nr_symbols - removal->nr_gone - header.first;
	while (header.nr_words > 1 && after * words <= before * (header.nr_words / 2))
		header.nr_words /= 2;
	return header;
}

/* A table of the symbols that stay, or of all. */
static struct gnu_table build_gnu_table(const struct removal *removal, struct gnu_header header, bool all)
{
	uint32_t old_first = header.first, i;
	struct gnu_table table;
	size_t nr = all ? removal->nr_symbols : removal->nr_symbols - removal->nr_gone;

	if (!all)
		header = header_without_gone(removal, header);
	table = gnu_table(removal->draft->arena, header, nr);
	for (i = old_first; i < removal->nr_symbols; i++)
		if (all || !removal->gone[i])
			gnu_table_add(&table, all ? i : removal->rank[i],
				      name_hash_gnu(removal_name(removal, i)));
	return table;
}

/* Whether the old table is the one we would have built: the same buckets and
 * words, and a filter that lets all symbols through. */
static bool gnu_table_is_sound(const struct removal *removal, const struct gnu_table *old)
{
	struct gnu_table sound = build_gnu_table(removal, old->header, true);
	size_t i;

	for (i = 0; i < 2 * (size_t)old->header.nr_words; i++)
		if (sound.filter[i] & ~old->filter[i])
			return false;
	return !memcmp(sound.buckets, old->buckets,
		       (size_t)((sound.words + sound.nr_words) - sound.buckets) * sizeof *sound.words);
}

static int shorten_gnu_hash(const struct removal *removal, struct error *err)
{
	struct gnu_table old, new;
	uint64_t vaddr;

	if (!image_tag(removal->image, DT_GNU_HASH, &vaddr))
		return 0;
	if (!read_gnu_table(removal, vaddr, &old) || !gnu_table_is_sound(removal, &old))
		return refuse(err);
	new = build_gnu_table(removal, old.header, false);
	removal_shorten(removal, vaddr, new.words, new.nr_words * sizeof *new.words,
			old.nr_words * sizeof *old.words);
	return 0;
}

/* --------- DT_HASH ------------------ */

struct sysv_table {
	uint32_t nr_buckets, nr_chains;
	uint32_t *words; /* the whole of it */
	size_t nr_words;
	uint32_t *buckets, *chains;
};

static struct sysv_table sysv_table(struct arena *arena, uint32_t nr_buckets, size_t nr_symbols)
{
	struct sysv_table table = {nr_buckets, (uint32_t)nr_symbols, NULL, 2 + nr_buckets + nr_symbols, NULL,
				   NULL};

	table.words = arena_array(arena, table.nr_words, sizeof *table.words);
	table.words[0] = table.nr_buckets;
	table.words[1] = table.nr_chains;
	table.buckets = table.words + 2;
	table.chains = table.buckets + nr_buckets;
	return table;
}

static bool read_sysv_table(const struct removal *removal, uint64_t vaddr, struct sysv_table *table)
{
	uint32_t header[2];
	struct span bytes;

	if (!image_read(removal->image, vaddr, header, sizeof header) || header[1] != removal->nr_symbols ||
	    !image_at(removal->image, vaddr, sizeof header + 4ull * header[0] + 4ull * header[1], &bytes))
		return false;
	*table = sysv_table(removal->draft->arena, header[0], header[1]);
	memcpy(table->words, bytes.p, bytes.n);
	return true;
}

/* Links what stays of one bucket. False when a symbol does not belong there, or
 * was met before. */
static bool relink_bucket(const struct removal *removal, const struct sysv_table *old, uint32_t bucket,
			  struct sysv_table *new, bool *met)
{
	uint32_t *link = &new->buckets[bucket], i;

	for (i = old->buckets[bucket]; i; i = old->chains[i]) {
		if (i >= removal->nr_symbols || met[i] ||
		    name_hash_sysv(removal_name(removal, i)) % old->nr_buckets != bucket)
			return false;
		met[i] = true;
		if (removal->gone[i])
			continue;
		*link = removal->rank[i];
		link = &new->chains[removal->rank[i]];
	}
	return true;
}

static bool relink_sysv_table(const struct removal *removal, const struct sysv_table *old,
			      struct sysv_table *new)
{
	bool *met = arena_array(removal->draft->arena, removal->nr_symbols, sizeof *met);
	uint32_t bucket;
	size_t i;

	for (bucket = 0; bucket < old->nr_buckets; bucket++)
		if (!relink_bucket(removal, old, bucket, new, met))
			return false;
	for (i = 0; i < removal->nr_symbols; i++)
		if (removal->gone[i] && !met[i])
			return false;
	return true;
}

static int shorten_sysv_hash(const struct removal *removal, struct error *err)
{
	struct sysv_table old, new;
	uint64_t vaddr;

	if (!image_tag(removal->image, DT_HASH, &vaddr))
		return 0;
	if (!read_sysv_table(removal, vaddr, &old))
		return refuse(err);
	new = sysv_table(removal->draft->arena, old.nr_buckets, removal->nr_symbols - removal->nr_gone);
	if (!relink_sysv_table(removal, &old, &new))
		return refuse(err);
	removal_shorten(removal, vaddr, new.words, new.nr_words * sizeof *new.words,
			old.nr_words * sizeof *old.words);
	return 0;
}

int removal_hashes(const struct removal *removal, struct error *err)
{
	return shorten_gnu_hash(removal, err) ? ERROR_REFUSED : shorten_sysv_hash(removal, err);
}

/* --------- both ------------------ */

/* Chains this long make each look-up slow; the proof does one for every symbol. */
enum { LONGEST_CHAIN = 1024 };

/* A table that finds nothing has empty buckets, and may have no chains at all. */
static bool gnu_chains_are_short(const struct removal *removal, uint64_t vaddr)
{
	const struct image *image = removal->image;
	size_t steps = 0, length;
	struct gnu_header header;
	uint64_t buckets, chains;
	uint32_t bucket, i, word;

	if (!image_read(image, vaddr, &header, sizeof header))
		return false;
	buckets = vaddr + sizeof header + 8ull * header.nr_words;
	chains = buckets + 4ull * header.nr_buckets;
	for (bucket = 0; bucket < header.nr_buckets; bucket++) {
		if (!image_read(image, buckets + 4ull * bucket, &i, sizeof i))
			return false;
		for (length = 0, word = i < header.first; !(word & 1); i++)
			if (!image_read(image, chains + 4ull * (i - header.first), &word, sizeof word) ||
			    ++length > LONGEST_CHAIN || ++steps > removal->nr_symbols)
				return false;
	}
	return true;
}

/* No symbol is in two chains. */
static bool sysv_chains_are_short(const struct removal *removal, uint64_t vaddr)
{
	struct sysv_table table;
	size_t steps = 0, length;
	uint32_t bucket, i;

	if (!read_sysv_table(removal, vaddr, &table))
		return false;
	for (bucket = 0; bucket < table.nr_buckets; bucket++) {
		length = 0;
		for (i = table.buckets[bucket]; i; i = table.chains[i])
			if (i >= table.nr_chains || ++length > LONGEST_CHAIN || ++steps > removal->nr_symbols)
				return false;
	}
	return true;
}

int removal_check_chains(const struct removal *removal, struct error *err)
{
	uint64_t vaddr;

	if ((image_tag(removal->image, DT_GNU_HASH, &vaddr) && !gnu_chains_are_short(removal, vaddr)) ||
	    (image_tag(removal->image, DT_HASH, &vaddr) && !sysv_chains_are_short(removal, vaddr)))
		return error_add(err, ERROR_REFUSED,
				 "a hash table has chains that are too long, or is broken");
	return 0;
}
