#!/bin/sh
# The architecture, tested: src/README.md says what each folder may know.
#
#   core (layer, image, trim, plan, prune) calls nothing but itself, base's arena and the like, and a short
#   list of pure C functions: read off the object files' undefined symbols.
#   in (scan) alone includes headers of libelf, libdwarf, libcrypto, libarchive;
#   config alone those of libcyaml and libyaml; report and cli may have jansson and argp.
set -eu
B=${1:-build}
cd "$(dirname "$0")/.."
failed=0

pure='snprintf memchr memcmp memcpy memmem memmove memset memrchr rawmemchr
strchr strchrnul strcmp strcpy strcspn strlen strncmp strndup strnlen strpbrk strrchr strspn strstr
strtol strtoul strtoull bsearch qsort qsort_r __ctype_b_loc __stack_chk_fail __assert_fail
__isoc23_strtoul __isoc23_strtol __isoc23_strtoull
_GLOBAL_OFFSET_TABLE_'

symbols() { # kind, object files: names of defined (T) or undefined (U) symbols
	kind=$1
	shift
	nm "$@" 2>/dev/null | awk -v kind="$kind" '
		kind == "U" && $1 == "U" { print $2 }
		kind == "T" && NF == 3 && $2 ~ /[TDBR]/ { print $3 }' | sort -u
}

own=$(symbols T "$B"/obj/layer/*.o "$B"/obj/image/*.o "$B"/obj/trim/*.o "$B"/obj/plan/*.o "$B"/obj/prune/*.o \
	"$B"/obj/base/arena.o "$B"/obj/base/vec.o "$B"/obj/base/error.o "$B"/obj/base/size.o "$B"/obj/base/texts.o)
for object in "$B"/obj/layer/*.o "$B"/obj/image/*.o "$B"/obj/trim/*.o "$B"/obj/plan/*.o "$B"/obj/prune/*.o; do
	for symbol in $(symbols U "$object"); do
		case " $(echo $own $pure) " in
		*" $symbol "*) ;;
		*__asan_* | *__ubsan_*) ;;
		*)
			echo "not ok layering: $object calls $symbol, which is not pure"
			failed=1
			;;
		esac
	done
done

headers='gelf\.h|libelf\.h|libdwarf\.h|dwarf\.h|openssl/|archive\.h|archive_entry\.h'
if grep -nE "#include [<\"]($headers)" src/*/*.[ch] include/sofold/*.h | grep -v '^src/scan/'; then
	echo "not ok layering: a header of the scanner's libraries outside src/scan"
	failed=1
fi
if grep -nE '#include [<"](cyaml/|yaml\.h)' src/*/*.[ch] include/sofold/*.h | grep -v '^src/config/'; then
	echo "not ok layering: a header of the YAML libraries outside src/config"
	failed=1
fi
if grep -nE '#include [<"](scan|apply|report|cli)/' src/layer/* src/image/* src/trim/* src/plan/* src/prune/* src/base/*; then
	echo "not ok layering: the core includes what depends on it"
	failed=1
fi
if grep -nE '#include "(apply|report|cli)/' src/scan/*; then
	echo "not ok layering: the scanner includes what depends on it"
	failed=1
fi
[ $failed = 0 ] && echo "ok layering: the core is pure"
exit $failed
