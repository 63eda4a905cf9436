#!/usr/bin/env bash
# run_unit.sh [TEST ...]: compiles the core alone, with the sanitizers where the
# compiler has them, and runs test/unit/test_*.c (or the named ones) against
# it.  One line a test program: "ok - test_rng" or "not ok - test_rng".  What
# tests share is in the other files of test/unit.  Then pg/test_*.c run files of
# src/pg on the fuzz targets' stand-in for the server, and the fuzz targets
# (test/fuzz) run on their corpora, without libFuzzer; pg/test_NAME and fuzz_NAME
# name one, too.
#
# UNIT_FLAGS replaces the sanitizer flags; UNIT_RUN is put before each program
# (valgrind, say).

set -u
root=$(cd "$(dirname "$0")/../.." && pwd -P)
. "$root/test/scripts/fuzz_targets.sh"
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
cc=${CC:-gcc}
ar=${AR:-ar}

if [ -z "${UNIT_FLAGS+set}" ]; then
	UNIT_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -DGROVE_ARENA_GUARDS"
	if ! printf 'int main(void) { return 0; }\n' |
		$cc $UNIT_FLAGS -x c -o "$out/probe" - 2>/dev/null || ! "$out/probe"; then
		echo "no sanitizers here: testing without them"
		UNIT_FLAGS=
	fi
fi
flags="-std=c11 -Wall -Wextra -O1 -g -ffp-contract=off $UNIT_FLAGS"

status=0
for source in "$root"/src/core/*.c; do
	# shellcheck disable=SC2086
	$cc $flags -c -o "$out/$(basename "$source" .c).core.o" "$source" || status=1
done
if [ "$status" -ne 0 ]; then
	echo "not ok - the core compiles alone"
	exit 1
fi
"$ar" rcs "$out/core.a" "$out"/*.core.o
for source in "$root"/test/unit/*.c; do
	case $(basename "$source") in
		test_*) continue ;;
	esac
	# shellcheck disable=SC2086
	if ! $cc $flags -c -o "$out/$(basename "$source" .c).shared.o" "$source"; then
		echo "not ok - $(basename "$source") compiles"
		exit 1
	fi
done
"$ar" rcs "$out/shared.a" "$out"/*.shared.o

if [ "$#" -eq 0 ]; then
	for source in "$root"/test/unit/test_*.c; do
		set -- "$@" "$(basename "$source" .c)"
	done
	for source in "$root"/test/unit/pg/test_*.c; do
		set -- "$@" "pg/$(basename "$source" .c)"
	done
	for name in $(fuzz_names ""); do
		set -- "$@" "fuzz_$name"
	done
fi

# replay NAME: a fuzz target on its corpus
replay()
{
	local why input

	why=$(fuzz_missing "$1")
	# shellcheck disable=SC2086
	if [ -z "$why" ] && [ "${1#pg_}" != "$1" ] && ! printf 'int pg_printf(const char *, ...);
		int main(void) { return pg_printf("x"); }\n' | $cc $flags -o "$out/probe" -x c - -x none "$(fuzz_library pgport)" 2>/dev/null; then
		why="the libraries of the server are for another kind of machine"
	fi
	if [ -n "$why" ]; then
		echo "ok - fuzz_$1 # SKIP $why"
		return
	fi
	# the server's conventions for parameters and initializers are not ours
	# shellcheck disable=SC2086
	set -- "$1" "$cc" $flags -Wno-unused-parameter -Wno-missing-field-initializers
	if fuzz_compile "$out" "${@:2}" && fuzz_link "$out" "$1" "$out/fuzz_$1" test/fuzz/replay.c "${@:2}"; then
		${UNIT_RUN:-} "$out/fuzz_$1" "$root/test/fuzz/corpus/$1"/* && echo "ok - fuzz_$1" && return
		for input in "$root/test/fuzz/corpus/$1"/*; do
			"$out/fuzz_$1" "$input" >/dev/null 2>&1 || echo "fails: $input"
		done
	fi
	echo "not ok - fuzz_$1"
	return 1
}

# on_shim NAME FILE ...: the test pg/NAME of these files of src/pg
on_shim()
{
	local name=$1 why

	shift
	why=$(fuzz_headers_missing)
	if [ -z "$why" ] && ! echo '#include "postgres.h"' | compile_server -c -o "$out/probe.o" -x c - 2>/dev/null; then
		why="the headers of the server are for another kind of machine"
	fi
	if [ -n "$why" ]; then
		echo "ok - pg/$name # SKIP $why"
		return
	fi
	if compile_server -o "$out/pg_$name" "test/unit/pg/$name.c" "${@/#/src/pg/}" test/fuzz/server_shim.c "$out/core.a" -lm &&
		${UNIT_RUN:-} "$out/pg_$name"; then
		echo "ok - pg/$name"
	else
		echo "not ok - pg/$name"
		return 1
	fi
}

# The server's conventions for parameters and initializers are not ours.  Its printf() is in a library that may be for
# another kind of machine.
compile_server()
{
	# shellcheck disable=SC2086
	(cd "$root" && $cc $flags -Wno-unused-parameter -Wno-missing-field-initializers -std=gnu11 -D_GNU_SOURCE \
		-Dpg_printf=printf -Dpg_fprintf=fprintf -Dpg_sprintf=sprintf -Dpg_vsnprintf=vsnprintf \
		-isystem "$("${PG_CONFIG:-pg_config}" --includedir-server)" "$@")
}

for name in "$@"; do
	case $name in
		fuzz_*) replay "${name#fuzz_}" || status=1; continue ;;
		pg/test_keys) on_shim test_keys keys.c key_bytes.c || status=1; continue ;;
	esac
	source=$root/test/unit/$name.c
	# shellcheck disable=SC2086
	if $cc $flags -I"$root/src/core" -I"$root/test/unit" -o "$out/$name" "$source" "$out/shared.a" "$out/core.a" -lm &&
		(cd "$root" && ${UNIT_RUN:-} "$out/$name"); then
		echo "ok - $name"
	else
		echo "not ok - $name"
		status=1
	fi
done
exit "$status"
