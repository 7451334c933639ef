# sofold: build, tests, checks. `make help` lists the targets.
#
# SHARED=1 links shared libraries where archives would do.
# CC=gcc or clang. V=1 shows commands. B=build picks the output directory.
CC ?= gcc
B ?= build
PREFIX ?= /usr/local
VERSION := 0.1.0

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c17 $(WARNINGS) $(CFLAGS) $(EXTRA_CFLAGS)
# libdwarf's headers lie in a directory of their own. Debian 12 has no .pc file for
# it, and Debian 13's names another directory than the one they lie in.
DWARF_CFLAGS := $(shell pkg-config --cflags libdwarf 2>/dev/null) -isystem /usr/include/libdwarf
CPPFLAGS += -Iinclude -Isrc -D_GNU_SOURCE -DSOFOLD_VERSION='"$(VERSION)"' $(DWARF_CFLAGS)
LIBS := -lelf -ldwarf -ljansson -lcyaml -lyaml -ldeflate -lpthread
# The same from archives, and what they need: the program begins in two thirds of the time
# and runs where nothing but libc is installed. SHARED=1, for distributions, does without.
# Debian 13's libelf.a lacks a part of itself: there it is shared libraries, too.
ARCHIVES := -Wl,-Bstatic -ldwarf -lelf -ljansson -lcyaml -lyaml -ldeflate -lzstd -lz -Wl,-Bdynamic -lpthread
# The names libarchive and libcrypto have on machines like this one: src/scan/libarchive.h.
soname = $(shell readelf -d "$$($(CC) -print-file-name=$1.so)" 2>/dev/null | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
LIBARCHIVE := $(call soname,libarchive)
LIBCRYPTO := $(call soname,libcrypto)

Q := $(if $(V),,@)
say = @$(if $(V),:,echo "  $(1)	$@")

SOURCES := $(wildcard src/*/*.c)
LIB_SOURCES := $(filter-out src/cli/%,$(SOURCES))
OBJECTS := $(SOURCES:src/%.c=$B/obj/%.o)
LIB_OBJECTS := $(LIB_SOURCES:src/%.c=$B/obj/%.o)
UNIT_SOURCES := $(wildcard tests/unit/*.c)
UNIT_OBJECTS := $(UNIT_SOURCES:tests/%.c=$B/obj/tests/%.o)

all: $B/sofold

include src/bridge/bridge.mk

$B/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$B/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$B/libsofold.a: $(LIB_OBJECTS)
	$(call say,AR)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

LINK = $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^
$B/sofold: $(filter $B/obj/cli/%,$(OBJECTS)) $B/libsofold.a
	$(call say,LD)
	$(Q)$(if $(SHARED),,$(LINK) $(ARCHIVES) 2>/dev/null ||) $(LINK) $(LIBS)

$B/unit: $(UNIT_OBJECTS) $B/libsofold.a
	$(call say,LD)
	$(Q)$(LINK) $(LIBS) -lcunit

ifdef LIBARCHIVE
$B/obj/scan/libarchive.o: private CPPFLAGS += -DSOFOLD_LIBARCHIVE='"$(LIBARCHIVE)"'
endif
ifdef LIBCRYPTO
$B/obj/scan/libcrypto.o: private CPPFLAGS += -DSOFOLD_LIBCRYPTO='"$(LIBCRYPTO)"'
endif
$B/obj/static/%.o: src/scan/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -DSOFOLD_STATIC -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d) $(UNIT_OBJECTS:.o=.d)

# One file that runs on any Linux of this machine: static libraries for what
# sofold links, found by pkg-config.
STATIC_LIBS = $(shell pkg-config --static --libs libelf libcrypto libarchive jansson libcyaml) -ldwarf -ldeflate -lz -lpthread
static: $B/sofold-static
$B/sofold-static: $(filter $B/obj/cli/%,$(OBJECTS)) $B/obj/static/libarchive.o $B/obj/static/libcrypto.o $B/libsofold.a
	$(call say,LD)
	$(Q)$(CC) -static $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--start-group $(STATIC_LIBS) -Wl,--end-group

install: $B/sofold
	install -D -m 755 $B/sofold $(DESTDIR)$(PREFIX)/bin/sofold

# Unit tests.
unit: $B/unit
	$B/unit

# Unit and end-to-end tests under the address and undefined behaviour sanitizers.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan:
	$(MAKE) B=$B/asan CFLAGS="-O1 -g" EXTRA_CFLAGS="$(SANITIZE)" LDFLAGS="$(SANITIZE)" unit e2e

# The core (layer, image, plan) is pure: no system call, clock or environment,
# no third-party library. See src/README.md.
layering: $(LIB_OBJECTS)
	sh tests/layering.sh $B

tidy:
	$(Q)printf '%s\n' $(SOURCES) | xargs -P "$$(nproc)" -n 4 sh -c \
		'clang-tidy --quiet "$$@" -- $(subst ','\'',$(CPPFLAGS)) -std=c17 2>/dev/null' _
	clang-format --dry-run --Werror $(SOURCES) $(wildcard src/*/*.h include/sofold/*.h)

format:
	clang-format -i $(SOURCES) $(wildcard src/*/*.h include/sofold/*.h)

clean:
	rm -rf $B

help:
	@sed -n 's/^# \{0,1\}//p;/^CC/q' Makefile
	@echo "targets: all static install unit e2e property fault fuzz replay bridge prune trim-tests wheels test"
	@echo "         test-all bench demo asan layering tidy format clean"

.PHONY: all static install unit asan layering tidy format clean help

# Tests of the built program. `test` is what CI runs: every tier, even after one
# failed; `test-all` adds the other layers. Both install first what is missing.
WHEEL_LAYERS := cp310 cp312
ALL_WHEEL_LAYERS := cp36 cp38 cp38-mixed cp310 cp312 cp313 musl312 arm311 arm312 geo arrow

e2e: $B/sofold
	B=$B tests/e2e/run.sh

fault:
	tests/fault/run.sh

property: $B/libsofold.a
	B=$B tests/property/run.sh

fuzz: $B/libsofold.a
	B=$B tests/fuzz/run.sh

# What fuzzing has found once, as tests that give the same answer every time.
replay: $B/libsofold.a
	B=$B tests/fuzz/run.sh replay

# The bridge's blobs against loops and against numpy's own OpenBLAS; then which
# routines numpy's wheels import.
bridge: $B/libsofold.a
	B=$B tests/bridge/run.sh

bridge-coverage: $B/libsofold.a
	B=$B tests/bridge/coverage.sh

# What pruned layers of scientific wheels still do, module by module.
PRUNE_LAYERS := ml126 ml22 ml24 boto
PRUNE_LEVELS := default
prune: $B/sofold
	SOFOLD=$(abspath $B)/sofold PRUNE_LEVELS="$(PRUNE_LEVELS)" tests/prune/run.sh $(PRUNE_LAYERS)

prune-mutants:
	tests/prune/mutants.sh

# Layers whose unneeded code was cut out, and what runs of them: TRIM=all is every
# processor and suite.
TRIM := quick
trim-tests: $B/sofold
	SOFOLD=$(abspath $B)/sofold tests/trim/run.sh $(TRIM)

wheels: $B/sofold
	SOFOLD=$(abspath $B)/sofold tests/wheels/run.sh $(WHEEL_LAYERS)

test:
	tests/setup.sh build test
	$(MAKE) -j$$(nproc) all
	$(MAKE) -k unit e2e property fault replay bridge prune wheels trim-tests

test-all:
	$(MAKE) test WHEEL_LAYERS="$(ALL_WHEEL_LAYERS)" TRIM=all
	$(MAKE) prune PRUNE_LAYERS="cp310 cp312 $(PRUNE_LAYERS)" PRUNE_LEVELS="safe default max"
	$(MAKE) bridge-coverage prune-mutants

# numpy, scipy and pandas for this machine's python3, before and after.
PYTHON ?= python3
demo:
	tests/setup.sh build demo
	$(MAKE) -j$$(nproc) all
	SOFOLD=$(abspath $B)/sofold PYTHON=$(PYTHON) tests/wheels/demo.sh

# Prints times, ratios and peak memory; no verdict.
bench: $B/sofold
	tests/setup.sh test
	SOFOLD=$(abspath $B)/sofold tests/bench/run.sh

.PHONY: e2e fault property fuzz replay bridge bridge-coverage prune prune-mutants trim-tests wheels test test-all demo bench
