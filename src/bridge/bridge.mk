# The bridges: blob/*.c compiled for each machine and pair of spellings into
# small shared objects, which blobs.S puts into libsofold.a as bytes. A machine
# without a compiler here (Debian: gcc-aarch64-linux-gnu, gcc-x86-64-linux-gnu)
# gets none; sofold then says so when such a layer asks for one.
BRIDGE_MACHINES := x86_64 aarch64
BRIDGE_PAGE_x86_64 := 4096
BRIDGE_PAGE_aarch64 := 65536

# $(CC) when it compiles for the machine, else Debian's cross compiler, else none.
bridge_target := $(shell $(CC) -dumpmachine 2>/dev/null)
bridge_cc = $(if $(filter $1-%,$(bridge_target)),$(CC),$(shell command -v $1-linux-gnu-gcc))
$(foreach m,$(BRIDGE_MACHINES),$(eval BRIDGE_CC_$m := $(call bridge_cc,$m)))
BRIDGE_HAVE := $(foreach m,$(BRIDGE_MACHINES),$(if $(BRIDGE_CC_$m),$m))
BRIDGE_LACK := $(filter-out $(BRIDGE_HAVE),$(BRIDGE_MACHINES))

# The same bytes on every machine and whatever a distribution's compiler adds
# by itself: no stack protector, no notes, no build ID, no symbols.
BRIDGE_CFLAGS := -std=c17 $(WARNINGS) -O2 -g0 -fPIC -fno-plt -ffreestanding -fvisibility=hidden -fno-ident \
	-fno-stack-protector -fno-stack-clash-protection -U_FORTIFY_SOURCE -Isrc
BRIDGE_CFLAGS_x86_64 := -fcf-protection=none
BRIDGE_CFLAGS_aarch64 := -mbranch-protection=none -mno-outline-atomics

# Names that sofold replaces; the long ones leave room for any. DT_RPATH, not
# DT_RUNPATH: a kept OpenBLAS without a search path of its own finds libgfortran
# by its loader's DT_RPATH only.
BRIDGE_NEEDED := $(shell sed -n 's/^.define BRIDGE_NEEDED "\(.*\)"/\1/p' include/sofold/bridge.h)
bridge_room := $(subst x,XXXXXXXXXXXXXXXX,xxxxxxxxxxxxxxxx)
BRIDGE_LDFLAGS := -shared -nostdlib -s -Wl,-soname,bridge-$(bridge_room) -Wl,-rpath,$(bridge_room) \
	-Wl,--disable-new-dtags -Wl,--no-as-needed -Wl,-z,defs -Wl,-z,now -Wl,-z,noexecstack \
	-Wl,-z,noseparate-code -Wl,--hash-style=gnu -Wl,--build-id=none

BRIDGE_SOURCES := $(addprefix src/bridge/blob/,blas.c lapack.c refuse.c)
BRIDGE_HEADERS := src/bridge/routines.h $(wildcard src/bridge/blob/*.h)

# $1 machine, $2 incoming and $3 outgoing spelling: scipy or plain.
bridge_prefix = $(if $(filter scipy,$1),scipy_)
define bridge_rules
$B/bridge/$1-$2-$3.so: $(BRIDGE_SOURCES) $B/bridge/$1-$3-stub.so $(BRIDGE_HEADERS) src/bridge/bridge.mk
	$$(call say,BRIDGE)
	$$(Q)$(BRIDGE_CC_$1) $(BRIDGE_CFLAGS) $(BRIDGE_CFLAGS_$1) -DINCOMING=$(call bridge_prefix,$2) \
		-DOUTGOING=$(call bridge_prefix,$3) $(BRIDGE_EXTRA) $(BRIDGE_LDFLAGS) \
		-Wl,-z,max-page-size=$(BRIDGE_PAGE_$1) -o $$@ $(BRIDGE_SOURCES) $B/bridge/$1-$3-stub.so
endef
define bridge_stub_rules
$B/bridge/$1-$2-stub.so: src/bridge/blob/stub.c $(BRIDGE_HEADERS) include/sofold/bridge.h src/bridge/bridge.mk
	@mkdir -p $$(@D)
	$$(Q)$(BRIDGE_CC_$1) $(BRIDGE_CFLAGS) $(BRIDGE_CFLAGS_$1) -DINCOMING= -DOUTGOING=$(call bridge_prefix,$2) \
		-shared -nostdlib -Wl,-soname,$(BRIDGE_NEEDED) -o $$@ $$<
endef

BRIDGE_BLOBS :=
$(foreach m,$(BRIDGE_HAVE),$(foreach out,scipy plain,\
	$(eval $(call bridge_stub_rules,$m,$(out)))\
	$(foreach in,scipy plain,\
		$(eval $(call bridge_rules,$m,$(in),$(out)))\
		$(eval BRIDGE_BLOBS += $B/bridge/$m-$(in)-$(out).so))))

$B/obj/bridge/blobs.o: src/bridge/blobs.S $(BRIDGE_BLOBS)
	@mkdir -p $(@D)
	$(call say,AS)
	@$(foreach m,$(BRIDGE_LACK),echo "  note	no $m-linux-gnu-gcc: built without the OpenBLAS bridge for $m";)
	$(Q)$(CC) $(addprefix -DHAVE_,$(BRIDGE_HAVE)) -I$B/bridge -c -o $@ $<

LIB_OBJECTS += $B/obj/bridge/blobs.o

bridges: $(BRIDGE_BLOBS)
.PHONY: bridges
