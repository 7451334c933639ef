# sofold: build, tests, checks. `make help` lists the targets.
#
# CC=gcc or clang. V=1 shows commands. B=build picks the output directory.
CC ?= gcc
B ?= build
PREFIX ?= /usr/local
VERSION := 0.1.0

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c17 $(WARNINGS) $(CFLAGS) $(EXTRA_CFLAGS)
# libdwarf's header lies in a directory of its own; its .pc file is not in Debian 12.
CPPFLAGS += -Iinclude -Isrc -D_GNU_SOURCE -DSOFOLD_VERSION='"$(VERSION)"' -isystem /usr/include/libdwarf
LIBS := -lelf -ldwarf -lcrypto -larchive -ljansson -lpthread

Q := $(if $(V),,@)
say = @$(if $(V),:,echo "  $(1)	$@")

SOURCES := $(wildcard src/*/*.c)
LIB_SOURCES := $(filter-out src/cli/%,$(SOURCES))
OBJECTS := $(SOURCES:src/%.c=$B/obj/%.o)
LIB_OBJECTS := $(LIB_SOURCES:src/%.c=$B/obj/%.o)
UNIT_SOURCES := $(wildcard tests/unit/*.c)
UNIT_OBJECTS := $(UNIT_SOURCES:tests/%.c=$B/obj/tests/%.o)

all: $B/sofold

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

$B/sofold: $(filter $B/obj/cli/%,$(OBJECTS)) $B/libsofold.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$B/unit: $(UNIT_OBJECTS) $B/libsofold.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) -lcunit

-include $(OBJECTS:.o=.d) $(UNIT_OBJECTS:.o=.d)

.PHONY: all
