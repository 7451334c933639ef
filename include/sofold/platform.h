/*
 * platform: where a layer is going to run, and what is known of the place.
 *
 * One table holds every known platform (src/layer/platform.c). A platform
 * says which interpreter and machine the layer must fit, which libraries the
 * host brings, the C library and its version, the page size objects must be
 * aligned to, and the size limits. "generic-*" platforms promise nothing but
 * the machine.
 */
#ifndef SOFOLD_PLATFORM_H
#define SOFOLD_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sofold/layer.h"

enum libc { LIBC_GLIBC, LIBC_MUSL };

/* What every processor of a platform can do at least. */
enum cpu_baseline {
	CPU_ANY,	 /* nothing is known but the machine */
	CPU_AVX2_FMA,	 /* x86-64: AVX2 and FMA, as Intel's Haswell and AMD's Zen */
	CPU_NEOVERSE_N1, /* AArch64: Arm's Neoverse N1 and what came after it */
};

struct platform {
	const char *name;    /* "lambda-python3.12-x86_64" */
	uint16_t machine;    /* EM_X86_64 or EM_AARCH64 */
	bool sme;	     /* aarch64: its processors may have the Scalable Matrix Extension */
	bool brings_aws_sdk; /* boto3, botocore, s3transfer */
	enum libc libc;
	enum cpu_baseline cpu;
	const char *tag;		 /* SOABI prefix of its interpreter, "cpython-312"; NULL: any */
	unsigned glibc;			 /* newest GLIBC_2.x it has: x; 0: unknown */
	unsigned glibcxx;		 /* newest GLIBCXX_3.4.x it has: x; 0: unknown */
	uint64_t page;			 /* bytes objects must stay aligned to in their files */
	const char *const *library_path; /* directories of LD_LIBRARY_PATH, NULL-terminated; NULL: none */
	const char *layer_mount;	 /* where a layer appears there: "/opt"; NULL: unknown */
	const char *function_mount;	 /* where a function package does: "/var/task"; NULL: unknown */
	uint64_t limit_unzipped, limit_zipped; /* bytes; 0: none */
};

/* The platform of that name, or NULL. The machine at its end may also be
 * called arm64 or amd64. */
const struct platform *platform_find(const char *name);

/* All platforms, ended by one whose name is NULL. */
const struct platform *platform_table(void);

/* The platform a layer looks built for: the machine and C library of most of
 * its objects; always a generic one, since a tree cannot say that it goes to
 * Lambda. Never NULL. */
const struct platform *platform_infer(const struct layer *layer);

/* How sure it is that a host of the platform has a library. */
enum provision {
	PROVISION_NONE,
	PROVISION_FULL_HOST, /* wheels may expect it, but a minimal image lacks it */
	PROVISION_CERTAIN,   /* every host of the platform has it */
	PROVISION_LOADED,    /* in the process before any object: the C library, its loader */
};

/* What is known of a library by its NEEDED name (the manylinux and musllinux
 * policies' lists, less what the platform is known to lack). */
enum provision platform_provision(const struct platform *platform, const char *needed);

/* Whether the platform's host provides a library of this name, for certain or
 * when it is a full one. */
bool platform_provides(const struct platform *platform, const char *needed);

/* Where a directory of that host lies in the layer: "/opt/lib" -> "lib" for a
 * layer under /opt. A tree with a top-level directory "python" is a layer,
 * any other a function package. Allocated in arena; NULL: not in the layer. */
char *platform_in_layer(struct arena *arena, const struct platform *platform, const struct layer *layer,
			const char *directory);

#endif
