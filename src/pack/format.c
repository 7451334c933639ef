/*
 * A zip's headers, as bytes.
 *
 * Why by hand: libarchive's and Info-ZIP's writers take the time zone, owners or
 * stream flags into the headers, and what has to be the same every time is best
 * written out field by field.
 *
 * How: each function appends the fields of one record in the order of the
 * specification; section numbers are those of APPNOTE.TXT 6.3.10. zip64 follows
 * one rule: a value that does not fit its field is replaced by all ones there and
 * stands in an extra field or record, and nothing of zip64 appears otherwise.
 */
#include <string.h>
#include <time.h>

#include "pack/pack.h"

enum {
	LOCAL_SIGNATURE = 0x04034b50,
	CENTRAL_SIGNATURE = 0x02014b50,
	END64_SIGNATURE = 0x06064b50,
	LOCATOR64_SIGNATURE = 0x07064b50,
	END_SIGNATURE = 0x06054b50,

	EXTRA_ZIP64 = 0x0001,
	EXTRA_TIMESTAMP = 0x5455,

	/* 4.4.3: what a reader has to know */
	VERSION_PLAIN = 10,
	VERSION_DEFLATE = 20, /* directories too */
	VERSION_ZIP64 = 45,
	MADE_BY_UNIX = 3 << 8 | VERSION_ZIP64, /* 4.4.2 */

	FLAG_UTF8 = 1 << 11,
	METHOD_STORED = 0,
	METHOD_DEFLATED = 8,
	DOS_DIRECTORY = 0x10,

	/* More than the fixed parts and extra fields of any record below. */
	MOST_BYTES = 160,
};

struct bytes {
	uint8_t *p;
	size_t n;
};

static void put(struct bytes *bytes, uint64_t value, size_t width)
{
	while (width--) {
		bytes->p[bytes->n++] = (uint8_t)value;
		value >>= 8;
	}
}

static void put_name(struct bytes *bytes, const char *name)
{
	size_t n = strlen(name);

	memcpy(bytes->p + bytes->n, name, n);
	bytes->n += n;
}

static struct bytes start(struct arena *arena, const char *name)
{
	return (struct bytes){arena_alloc(arena, MOST_BYTES + strlen(name)), 0};
}

static struct span finish(const struct bytes *bytes)
{
	return (struct span){bytes->p, bytes->n};
}

/* --------- values ------------------ */

/* All ones mean "see zip64", so they are out of range themselves. */
static bool fits(uint64_t value)
{
	return value < UINT32_MAX;
}

static uint64_t or_ones(uint64_t value)
{
	return fits(value) ? value : UINT32_MAX;
}

uint32_t zip_time(int64_t seconds)
{
	static const int64_t first = 315532800, last = 4354819198; /* 1980-01-01, 2107-12-31 23:59:58 */
	time_t moment = (time_t)(seconds < first ? first : seconds > last ? last : seconds);
	struct tm tm = {0};
	unsigned date, time;

	gmtime_r(&moment, &tm);
	date = (unsigned)(tm.tm_year - 80) << 9 | (unsigned)(tm.tm_mon + 1) << 5 | (unsigned)tm.tm_mday;
	time = (unsigned)tm.tm_hour << 11 | (unsigned)tm.tm_min << 5 | (unsigned)tm.tm_sec / 2;
	return date << 16 | time;
}

static unsigned flags_of(const struct pack_entry *entry)
{
	return name_is_ascii(entry->name) ? 0 : FLAG_UTF8;
}

static unsigned version_needed(const struct pack_entry *entry, bool zip64)
{
	if (zip64)
		return VERSION_ZIP64;
	return entry->deflated || S_ISDIR(entry->mode) ? VERSION_DEFLATE : VERSION_PLAIN;
}

/* --------- extra fields ------------------ */

/* 4.6.1; Info-ZIP's extrafld.txt: 1 says that the time of modification follows.
 * It is a signed number, and some readers do not believe one before 1970. */
static void put_timestamp(struct bytes *extra, int64_t mtime)
{
	if (mtime < 0 || mtime > INT32_MAX)
		return;
	put(extra, EXTRA_TIMESTAMP, 2);
	put(extra, 5, 2);
	put(extra, 1, 1);
	put(extra, (uint64_t)mtime, 4);
}

/* 4.5.3: a local header has both sizes or none. */
static void put_local64(struct bytes *extra, const struct pack_entry *entry)
{
	put(extra, EXTRA_ZIP64, 2);
	put(extra, 16, 2);
	put(extra, entry->size, 8);
	put(extra, entry->packed_size, 8);
}

/* 4.5.3: a central one has, in this order, what does not fit. */
static void put_central64(struct bytes *extra, const struct pack_entry *entry)
{
	const uint64_t values[] = {entry->size, entry->packed_size, entry->offset};
	size_t length = extra->n + 2;

	put(extra, EXTRA_ZIP64, 2);
	put(extra, 0, 2);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (!fits(values[i]))
			put(extra, values[i], 8);
	extra->p[length] = (uint8_t)(extra->n - length - 2);
}

/* --------- records ------------------ */

/* What both headers have alike, from "version needed" to "CRC". */
static void put_common(struct bytes *bytes, const struct pack_entry *entry, bool zip64)
{
	put(bytes, version_needed(entry, zip64), 2);
	put(bytes, flags_of(entry), 2);
	put(bytes, entry->deflated ? METHOD_DEFLATED : METHOD_STORED, 2);
	put(bytes, zip_time(entry->mtime), 4);
	put(bytes, entry->crc, 4);
}

struct span zip_local(struct arena *arena, const struct pack_entry *entry)
{
	bool zip64 = !fits(entry->size) || !fits(entry->packed_size);
	uint8_t room[MOST_BYTES];
	struct bytes bytes = start(arena, entry->name), extra = {room, 0};

	if (zip64)
		put_local64(&extra, entry);
	put_timestamp(&extra, entry->mtime);

	put(&bytes, LOCAL_SIGNATURE, 4);
	put_common(&bytes, entry, zip64);
	put(&bytes, zip64 ? UINT32_MAX : entry->packed_size, 4);
	put(&bytes, zip64 ? UINT32_MAX : entry->size, 4);
	put(&bytes, strlen(entry->name), 2);
	put(&bytes, extra.n, 2);
	put_name(&bytes, entry->name);
	memcpy(bytes.p + bytes.n, room, extra.n);
	bytes.n += extra.n;
	return finish(&bytes);
}

struct span zip_central(struct arena *arena, const struct pack_entry *entry)
{
	bool zip64 = !fits(entry->size) || !fits(entry->packed_size) || !fits(entry->offset);
	uint8_t room[MOST_BYTES];
	struct bytes bytes = start(arena, entry->name), extra = {room, 0};

	if (zip64)
		put_central64(&extra, entry);
	put_timestamp(&extra, entry->mtime);

	put(&bytes, CENTRAL_SIGNATURE, 4);
	put(&bytes, MADE_BY_UNIX, 2);
	put_common(&bytes, entry, zip64);
	put(&bytes, or_ones(entry->packed_size), 4);
	put(&bytes, or_ones(entry->size), 4);
	put(&bytes, strlen(entry->name), 2);
	put(&bytes, extra.n, 2);
	put(&bytes, 0, 2); /* comment */
	put(&bytes, 0, 2); /* disk */
	put(&bytes, 0, 2); /* internal attributes, 4.4.14 */
	put(&bytes, (uint64_t)entry->mode << 16 | (S_ISDIR(entry->mode) ? DOS_DIRECTORY : 0), 4);
	put(&bytes, or_ones(entry->offset), 4);
	put_name(&bytes, entry->name);
	memcpy(bytes.p + bytes.n, room, extra.n);
	bytes.n += extra.n;
	return finish(&bytes);
}

static void put_end64(struct bytes *bytes, uint64_t nr, uint64_t size, uint64_t offset)
{
	put(bytes, END64_SIGNATURE, 4);
	put(bytes, 44, 8); /* bytes of this record that follow */
	put(bytes, MADE_BY_UNIX, 2);
	put(bytes, VERSION_ZIP64, 2);
	put(bytes, 0, 4); /* this disk */
	put(bytes, 0, 4); /* disk of the central directory */
	put(bytes, nr, 8);
	put(bytes, nr, 8);
	put(bytes, size, 8);
	put(bytes, offset, 8);

	put(bytes, LOCATOR64_SIGNATURE, 4);
	put(bytes, 0, 4); /* disk of the record above */
	put(bytes, offset + size, 8);
	put(bytes, 1, 4); /* disks */
}

struct span zip_end(struct arena *arena, uint64_t nr, uint64_t size, uint64_t offset)
{
	struct bytes bytes = start(arena, "");
	bool many = nr >= UINT16_MAX;

	if (many || !fits(size) || !fits(offset))
		put_end64(&bytes, nr, size, offset);
	put(&bytes, END_SIGNATURE, 4);
	put(&bytes, 0, 2); /* this disk */
	put(&bytes, 0, 2); /* disk of the central directory */
	put(&bytes, many ? UINT16_MAX : nr, 2);
	put(&bytes, many ? UINT16_MAX : nr, 2);
	put(&bytes, or_ones(size), 4);
	put(&bytes, or_ones(offset), 4);
	put(&bytes, 0, 2); /* comment */
	return finish(&bytes);
}
