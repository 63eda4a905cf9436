#!/usr/bin/env bash
# checked_server.sh asan|asserts SOURCE PREFIX: builds PostgreSQL from the
# unpacked SOURCE (apt-get source postgresql-15, or a release) and installs it
# into PREFIX, as a server that watches over its memory.
#
# asserts   assertions, memory filled with rubbish when it is handed out and
#           when it is freed, ends of pieces of memory guarded; with valgrind's
#           headers the server tells valgrind what it does with memory
# asan      the same and the address sanitizer, which is told instead
#
# Then: PG_CONFIG=PREFIX/bin/pg_config test/scripts/run_checked.sh ...

set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD

if [ "$#" -ne 3 ] || [ ! -x "$2/configure" ] || [ "${3#/}" = "$3" ]; then
	echo "usage: $0 asan|asserts SOURCE PREFIX (SOURCE has \"configure\", PREFIX begins with /)" >&2
	exit 2
fi
source=$(cd "$2" && pwd -P)
prefix=$3
has_header()
{
	printf '#include <%s>\nint main(void) { return 0; }\n' "$1" | gcc -x c -o /dev/null - 2>/dev/null
}

flags='-O1 -g -fno-omit-frame-pointer -DRANDOMIZE_ALLOCATED_MEMORY'
case $1 in
	asan) flags="$flags -fsanitize=address -DUSE_VALGRIND -I$prefix/include/checked" ;;
	asserts) has_header valgrind/memcheck.h && flags="$flags -DUSE_VALGRIND" ;;
	*) echo "$0: neither asan nor asserts: $1" >&2; exit 2 ;;
esac
options=(--enable-cassert --enable-debug --without-readline)
has_header zlib.h || options+=(--without-zlib)
if grep -q with-icu "$source/configure" && has_header unicode/ucol.h; then
	options+=(--with-icu)
fi

# Programs that end are not worth a report of what they did not free.
export ASAN_OPTIONS=detect_leaks=0
build=$(mktemp -d) || exit 1
trap 'rm -rf "$build"' EXIT
mkdir -p "$prefix/include/checked" || exit 1
cp -r test/checked/valgrind "$prefix/include/checked/" || exit 1
cd "$build" || exit 1
if ! { "$source/configure" --prefix="$prefix" "${options[@]}" CFLAGS="$flags" && make -s -j"$(nproc)" && make -s install &&
	make -s -C src/test/isolation install; } >log 2>&1; then
	tail -n 40 log
	exit 1
fi
# where run_checked.sh memcheck looks for it
cp "$source/src/tools/valgrind.supp" "$("$prefix/bin/pg_config" --sharedir)/" || exit 1
printf '%s\n' "installed into $prefix; use it with PG_CONFIG=$prefix/bin/pg_config $root/test/scripts/run_checked.sh"
