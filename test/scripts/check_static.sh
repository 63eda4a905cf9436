#!/usr/bin/env bash
# check_static.sh [--tidy]: what analyzers and compilers find without running
# anything: cppcheck, gcc and clang with -Wall -Wextra -Werror, and with --tidy
# clang-tidy, which takes a minute or two.
#
# One line a tool; one that is not installed is skipped, and so are the files of
# src/pg where PG_CONFIG has no server headers.  A finding that is none is marked
# on its line (cppcheck-suppress, NOLINT) with the reason, or left out below or
# in .clang-tidy.

set -u
cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
status=0
jobs=$(nproc)

report()
{
	if [ "$2" -eq 0 ]; then
		echo "ok - $1"
	else
		cat "$out/log"
		echo "not ok - $1"
		status=1
	fi
}

# files PART COMMAND ...: runs it for each source of src/PART in place of {}, several at a time
files()
{
	local part=$1

	shift
	find "src/$part" -name '*.c' | sort | xargs -I{} -P "$jobs" "$@"
}

config=${PG_CONFIG:-pg_config}
server=()
if command -v "$config" >/dev/null && [ -f "$("$config" --includedir-server)/postgres.h" ]; then
	# -isystem: warnings about the server's headers are not ours
	server=(-D_GNU_SOURCE -isystem "$("$config" --includedir-server)" -isystem "$("$config" --includedir)")
fi

# invalidPointerCast: what a buffer of bytes holds is aligned to 8 where it is
# laid out (arena.h).  cppcheck does not see the server's headers, so one macro
# has to be told; oldest and newest version have other branches in pg_compat.h.
if command -v cppcheck >/dev/null; then
	echo '#define foreach(cell, list) for (cell = list_head(list); cell != NULL; cell = lnext(list, cell))' >"$out/macros.h"
	for version in 130000 180000; do
		cppcheck -q -j "$jobs" --std=c11 --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
			--suppress=invalidPointerCast -DPG_VERSION_NUM=$version --include="$out/macros.h" src >"$out/log" 2>&1
		report "cppcheck, PG_VERSION_NUM $version" $?
	done
else
	echo "ok - cppcheck # SKIP not installed"
fi

# Of the server's callbacks not every one needs every parameter, {x} sets the
# other fields to 0 on purpose, and PG_FINALLY goes back to no place where a
# variable that longjmp() clobbers is read.
for cc in gcc clang; do
	if ! command -v "$cc" >/dev/null; then
		echo "ok - $cc # SKIP not installed"
		continue
	fi
	files core "$cc" -std=c11 -O2 -ffp-contract=off -Wall -Wextra -Werror -c -o /dev/null {} >"$out/log" 2>&1
	report "$cc, src/core" $?
	if [ "${#server[@]}" -eq 0 ]; then
		echo "ok - $cc, src/pg # SKIP no server headers"
		continue
	fi
	own=(-Wno-unused-parameter -Wno-missing-field-initializers)
	[ "$cc" = gcc ] && own+=(-Wno-clobbered)
	files pg "$cc" -std=gnu11 -O2 -ffp-contract=off -Wall -Wextra -Werror "${own[@]}" "${server[@]}" -c -o /dev/null {} \
		>"$out/log" 2>&1
	report "$cc, src/pg" $?
done

if [ "${1:-}" = --tidy ]; then
	tidy=${CLANG_TIDY:-clang-tidy}
	if ! command -v "$tidy" >/dev/null; then
		echo "ok - clang-tidy # SKIP not installed"
	elif [ "${#server[@]}" -eq 0 ]; then
		echo "ok - clang-tidy # SKIP no server headers"
	else
		for part in core pg; do
			files "$part" "$tidy" --quiet {} -- -std=gnu11 "${server[@]}" >"$out/log" 2>&1
			report "clang-tidy, src/$part" $?
		done
	fi
fi
exit "$status"
