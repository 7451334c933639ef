/*
 * libarchive, loaded when an archive is first read.
 *
 * Why: it brings a dozen libraries more (libxml2, ICU, nettle ...), and to load
 * and relocate them costs every run on a directory more than a millisecond of
 * the twenty it takes. `make static` links it, and this is then a table of
 * plain addresses.
 */
#ifndef SOFOLD_SRC_SCAN_LIBARCHIVE_H
#define SOFOLD_SRC_SCAN_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include "sofold/error.h"

/* What is used of it. */
#define LIBARCHIVE_FUNCTIONS(F)                                                                              \
	F(archive_entry_filetype)                                                                            \
	F(archive_entry_mode)                                                                                \
	F(archive_entry_pathname)                                                                            \
	F(archive_entry_symlink)                                                                             \
	F(archive_error_string)                                                                              \
	F(archive_read_data)                                                                                 \
	F(archive_read_free)                                                                                 \
	F(archive_read_new)                                                                                  \
	F(archive_read_next_header)                                                                          \
	F(archive_read_open_fd)                                                                              \
	F(archive_read_support_filter_all)                                                                   \
	F(archive_read_support_format_tar)                                                                   \
	F(archive_read_support_format_zip)

#define LIBARCHIVE_POINTER(name) __typeof__(name) *name; /* NOLINT(bugprone-macro-parentheses): declares */

/* The functions, each under its own name. */
struct libarchive {
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_POINTER)
};

/* Loads it unless that was done before; it stays loaded. ERROR_RUN with the
 * loader's reason when it is not installed. Not for concurrent first calls. */
int libarchive_load(const struct libarchive **functions, struct error *err);

#endif
