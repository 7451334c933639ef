#!/bin/sh
# The fault tier: builds sofold so that it can be told to fail, then lets
# every call that changes the disk fail, one after the other. See fault.c.
#
#	tests/fault/run.sh [driver|sofold]
#
# From the top of the source tree. Without an argument both: driver is the
# transaction alone, sofold the whole command. Each is tried on a layer whose
# files are replaced and removed, and on one that also gets a new file.
set -eu

B=${B:-build/fault}
CC=${CC:-gcc}
FLAGS="-std=c17 -O2 -g -Wall -Wextra -Iinclude -Isrc -D_GNU_SOURCE -DSOFOLD_FAULT"
# Thousands of small trees, each synced: in memory where there is such a place.
if [ -w /dev/shm ]; then export TMPDIR="${TMPDIR:-/dev/shm}"; fi
LIBS="-lelf -ldwarf -lcrypto -ljansson -lpthread -ldl"

# tier [-w] [-b TOP] COMMAND [ARGUMENT...]
tier() {
	echo "== $*"
	SOFOLD_FAULT= "$B/fault" "$@" || failed=1
}

failed=0
make -s B="$B" EXTRA_CFLAGS=-DSOFOLD_FAULT "$B/libsofold.a"
for program in fault driver; do
	$CC $FLAGS -o "$B/$program" tests/fault/$program.c tests/unit/real_layer.c "$B/libsofold.a" $LIBS
done
case ${1:-all} in
driver | all)
	tier "$B/driver"
	tier "$B/driver" -p
	;;
esac
case ${1:-all} in
sofold | all)
	make -s B="$B" EXTRA_CFLAGS=-DSOFOLD_FAULT "$B/sofold"
	tier -w "$B/sofold" shrink -q
	tier -w -b "$PWD" "$B/sofold" shrink -q
	;;
esac
exit $failed
