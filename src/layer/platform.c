/*
 * The table of platforms, and what their hosts bring.
 *
 * Lambda: python3.7 runs on Amazon Linux 1 (glibc 2.17), 3.8 to 3.11 on
 * Amazon Linux 2 (glibc 2.26, GCC 7 runtime), later ones on Amazon Linux 2023
 * (glibc 2.34, GCC 11 runtime). Sizes and LD_LIBRARY_PATH are from the Lambda
 * developer guide ("quotas", "defined runtime environment variables").
 *
 * Lambda's x86-64 processors have AVX2 (developer guide, "instruction set
 * architectures"), and with it FMA: no processor by Intel or AMD that EC2 has ever
 * had lacks one of the two alone. Its arm64 ones are Graviton2 (Neoverse N1) and
 * later. No Graviton that Lambda runs on has SME.
 *
 * The host's libraries are those a wheel may leave outside (PEP 600, PEP 656
 * and auditwheel's policy files). Only the C library's own, the GCC runtime's
 * two and zlib are in a minimal image as well; X11, GL and glib are there
 * when somebody has installed them. libcrypt.so.1 and libnsl.so.1 left the
 * base systems with their move out of glibc, before 2.34 in Amazon Linux.
 */
#include "sofold/platform.h"

#include <elf.h>
#include <string.h>

#include "layer/walk.h"

#define PAGE_4K	  4096
#define PAGE_64K  65536
#define MAX_LAYER 262144000 /* bytes, unzipped, function and layers together */
#define MAX_ZIP	  52428800  /* bytes, for direct upload */

static const char *const lambda_library_path[] = {
	"/var/lang/lib", "/lib64",	  "/usr/lib64", "/var/runtime", "/var/runtime/lib",
	"/var/task",	 "/var/task/lib", "/opt/lib",	NULL,
};

#define LAMBDA(python, soabi, machine_name, elf_machine, glibc_minor, glibcxx_minor)                         \
	{                                                                                                    \
		.name = "lambda-python" python "-" machine_name, .machine = (elf_machine),                   \
		.libc = LIBC_GLIBC, .tag = "cpython-" soabi, .glibc = (glibc_minor),                         \
		.glibcxx = (glibcxx_minor), .page = PAGE_4K, .library_path = lambda_library_path,            \
		.layer_mount = "/opt", .function_mount = "/var/task", .limit_unzipped = MAX_LAYER,           \
		.limit_zipped = MAX_ZIP, .brings_aws_sdk = true,                                             \
		.cpu = (elf_machine) == EM_AARCH64 ? CPU_NEOVERSE_N1 : CPU_AVX2_FMA,                         \
	}
#define LAMBDA_BOTH(python, soabi, glibc_minor, glibcxx_minor)                                               \
	LAMBDA(python, soabi, "x86_64", EM_X86_64, glibc_minor, glibcxx_minor),                              \
		LAMBDA(python, soabi, "aarch64", EM_AARCH64, glibc_minor, glibcxx_minor)
#define GENERIC(suffix, elf_machine, c_library, page_size)                                                   \
	{                                                                                                    \
		.name = "generic-" suffix, .machine = (elf_machine), .libc = (c_library),                    \
		.sme = (elf_machine) == EM_AARCH64, .page = (page_size),                                     \
	}

static const struct platform platforms[] = {
	/* arm64 functions came after Amazon Linux 1. */
	LAMBDA("3.7", "37m", "x86_64", EM_X86_64, 17, 0),
	LAMBDA_BOTH("3.8", "38", 26, 24),
	LAMBDA_BOTH("3.9", "39", 26, 24),
	LAMBDA_BOTH("3.10", "310", 26, 24),
	LAMBDA_BOTH("3.11", "311", 26, 24),
	LAMBDA_BOTH("3.12", "312", 34, 29),
	LAMBDA_BOTH("3.13", "313", 34, 29),
	LAMBDA_BOTH("3.14", "314", 34, 29),
	GENERIC("x86_64", EM_X86_64, LIBC_GLIBC, PAGE_4K),
	GENERIC("aarch64", EM_AARCH64, LIBC_GLIBC, PAGE_64K),
	GENERIC("musl-x86_64", EM_X86_64, LIBC_MUSL, PAGE_4K),
	GENERIC("musl-aarch64", EM_AARCH64, LIBC_MUSL, PAGE_64K),
	{.name = NULL},
};

struct host_library {
	const char *name;
	enum provision provision;
	unsigned dropped_in; /* CERTAIN only on glibc before 2.x: x; 0: on all */
};

static const struct host_library glibc_host[] = {
	{"libc.so.6", PROVISION_LOADED, 0},
	{"libm.so.6", PROVISION_CERTAIN, 0},
	{"libmvec.so.1", PROVISION_CERTAIN, 0},
	{"libpthread.so.0", PROVISION_CERTAIN, 0},
	{"libdl.so.2", PROVISION_CERTAIN, 0},
	{"librt.so.1", PROVISION_CERTAIN, 0},
	{"libutil.so.1", PROVISION_CERTAIN, 0},
	{"libanl.so.1", PROVISION_CERTAIN, 0},
	{"libresolv.so.2", PROVISION_CERTAIN, 0},
	{"libnsl.so.1", PROVISION_CERTAIN, 34},
	{"libcrypt.so.1", PROVISION_CERTAIN, 34},
	{"ld-linux-x86-64.so.2", PROVISION_LOADED, 0},
	{"ld-linux-aarch64.so.1", PROVISION_LOADED, 0},
	{"libgcc_s.so.1", PROVISION_CERTAIN, 0},
	{"libstdc++.so.6", PROVISION_CERTAIN, 0},
	{"libz.so.1", PROVISION_CERTAIN, 0},
	{"libatomic.so.1", PROVISION_FULL_HOST, 0},
	{"libexpat.so.1", PROVISION_FULL_HOST, 0},
	{"libX11.so.6", PROVISION_FULL_HOST, 0},
	{"libXext.so.6", PROVISION_FULL_HOST, 0},
	{"libXrender.so.1", PROVISION_FULL_HOST, 0},
	{"libICE.so.6", PROVISION_FULL_HOST, 0},
	{"libSM.so.6", PROVISION_FULL_HOST, 0},
	{"libxcb.so.1", PROVISION_FULL_HOST, 0},
	{"libGL.so.1", PROVISION_FULL_HOST, 0},
	{"libEGL.so.1", PROVISION_FULL_HOST, 0},
	{"libGLX.so.0", PROVISION_FULL_HOST, 0},
	{"libOpenGL.so.0", PROVISION_FULL_HOST, 0},
	{"libglib-2.0.so.0", PROVISION_FULL_HOST, 0},
	{"libgobject-2.0.so.0", PROVISION_FULL_HOST, 0},
	{"libgthread-2.0.so.0", PROVISION_FULL_HOST, 0},
	{NULL, PROVISION_NONE, 0},
};

static const struct host_library musl_host[] = {
	{"ld-musl-x86_64.so.1", PROVISION_LOADED, 0},
	{"ld-musl-aarch64.so.1", PROVISION_LOADED, 0},
	{"libz.so.1", PROVISION_CERTAIN, 0},
	{NULL, PROVISION_NONE, 0},
};

const struct platform *platform_table(void)
{
	return platforms;
}

/* What AWS, Docker and Debian call the machines. */
static bool is_machine_alias(const char *alias, const char *machine)
{
	return (!strcmp(alias, "arm64") && !strcmp(machine, "aarch64")) ||
	       (!strcmp(alias, "amd64") && !strcmp(machine, "x86_64"));
}

/* Each name ends in "-" and a machine. */
static bool is_called(const char *platform, const char *name)
{
	size_t n = (size_t)(strrchr(platform, '-') + 1 - platform);

	return !strcmp(platform, name) ||
	       (!strncmp(platform, name, n) && is_machine_alias(name + n, platform + n));
}

const struct platform *platform_find(const char *name)
{
	for (const struct platform *platform = platforms; platform->name; platform++) {
		if (is_called(platform->name, name))
			return platform;
	}
	return NULL;
}

/* musl answers for all parts of the C library itself, under any version
 * (ldso/dynlink.c, load_library: "block attempts to reload the
 * implementation itself"). */
static bool is_musl_itself(const char *needed)
{
	static const char *const parts[] = {"c", "pthread", "rt", "m", "dl", "util", "xnet"};

	if (strncmp(needed, "lib", 3) != 0)
		return false;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		size_t n = strlen(parts[i]);

		if (!strncmp(needed + 3, parts[i], n) && needed[3 + n] == '.')
			return true;
	}
	return false;
}

/* A Python built with --enable-shared is in the process already. */
static bool is_libpython(const char *needed)
{
	return !strncmp(needed, "libpython3.", 11);
}

enum provision platform_provision(const struct platform *platform, const char *needed)
{
	const struct host_library *library = platform->libc == LIBC_MUSL ? musl_host : glibc_host;

	for (; library->name; library++) {
		if (strcmp(library->name, needed) != 0)
			continue;
		if (library->dropped_in && platform->glibc >= library->dropped_in)
			return PROVISION_FULL_HOST;
		return library->provision;
	}
	if (platform->libc == LIBC_MUSL && is_musl_itself(needed))
		return PROVISION_LOADED;
	return is_libpython(needed) ? PROVISION_FULL_HOST : PROVISION_NONE;
}

bool platform_provides(const struct platform *platform, const char *needed)
{
	return platform_provision(platform, needed) != PROVISION_NONE;
}

char *platform_in_layer(struct arena *arena, const struct platform *platform, const struct layer *layer,
			const char *directory)
{
	const char *mount = platform->function_mount;
	size_t length;

	if (walk_is_directory(layer, "python"))
		mount = platform->layer_mount;
	length = mount ? strlen(mount) : 0;
	if (!mount || strncmp(directory, mount, length) != 0)
		return NULL;
	if (directory[length] && directory[length] != '/')
		return NULL;
	return path_join(arena, "", directory + length + strspn(directory + length, "/"));
}

static bool needs_musl(const struct object *object)
{
	if (object->interpreter && strstr(object->interpreter, "ld-musl-"))
		return true;
	for (size_t i = 0; i < object->nr_needed; i++) {
		if (!strcmp(object->needed[i], "libc.so") || !strncmp(object->needed[i], "libc.musl-", 10))
			return true;
	}
	return false;
}

static bool needs_glibc(const struct object *object)
{
	for (size_t i = 0; i < object->nr_needed; i++) {
		if (!strcmp(object->needed[i], "libc.so.6"))
			return true;
	}
	return false;
}

const struct platform *platform_infer(const struct layer *layer)
{
	size_t x86_64 = 0, aarch64 = 0, musl = 0, glibc = 0;

	for (size_t i = 0; i < layer->nr_objects; i++) {
		const struct object *object = &layer->objects[i];

		x86_64 += object->machine == EM_X86_64;
		aarch64 += object->machine == EM_AARCH64;
		if (needs_musl(object))
			musl++;
		else if (needs_glibc(object))
			glibc++;
	}
	if (musl > glibc)
		return platform_find(aarch64 > x86_64 ? "generic-musl-aarch64" : "generic-musl-x86_64");
	return platform_find(aarch64 > x86_64 ? "generic-aarch64" : "generic-x86_64");
}
