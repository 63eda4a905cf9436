#!/usr/bin/env bash
# run_checked.sh ubsan|asan|asserts|memcheck [TEST ...]: the regression and
# isolation tests (or the named regression tests) in a server that looks for
# what a test cannot see.
#
# ubsan     pg_grove built with the undefined-behaviour sanitizer
# asan      with the address sanitizer too.  A server of a distribution gets it
#           preloaded, and then only memory outside of palloc() is watched
# asserts   a server with assertions; DISCARD_CACHES=1 lets it forget its
#           caches of the catalogue whenever it may
# memcheck  the server under valgrind; what it finds counts when a function of
#           pg_grove is on the stack.  Slow: name a few tests
#
# A finding of the sanitizers, and a failed assertion, aborts the backend, which
# fails the test.  Servers that watch palloc() as well are built by
# checked_server.sh and chosen by PG_CONFIG.
#
# The build goes into a private copy of the server, never into the installed
# one.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/setup.sh
. test/scripts/tmp_server.sh

skip()
{
	say "ok - $mode # SKIP $*"
	exit 0
}

# The sanitizer has to be in a program before the library that uses it.
preload_asan()
{
	local runtime

	if nm -D "$PG_BINDIR/postgres" 2>/dev/null | grep -q ' __asan_init'; then
		return 0
	fi
	runtime=$(readlink -f "$(gcc -print-file-name=libasan.so)")
	[ -f "$runtime" ] || skip "no libasan.so"
	gcc -O1 -shared -fPIC -Wl,-z,initfirst -o "$GROVE_WORK/asan_early.so" test/checked/asan_early.c || return 1
	SERVER_ENV+=("LD_PRELOAD=$runtime $GROVE_WORK/asan_early.so")
	LD_PRELOAD="$runtime $GROVE_WORK/asan_early.so" timeout -s KILL 20 "$PG_BINDIR/postgres" -V >/dev/null ||
		skip "the address sanitizer does not start in this server"
}

# The server's program becomes a script that puts valgrind before it.
wrap_in_valgrind()
{
	local supp

	command -v valgrind >/dev/null 2>&1 || skip "no valgrind"
	supp=$("$PG_CONFIG" --sharedir)/valgrind.supp
	mkdir -m 1777 "$GROVE_WORK/memcheck"
	mv "$PG_BINDIR/postgres" "$PG_BINDIR/postgres.bin"
	cat >"$PG_BINDIR/postgres" <<TXT
#!/bin/sh
[ "\$1" = -V ] && exec "$PG_BINDIR/postgres.bin" "\$@"
[ -e "$GROVE_WORK/memcheck/on" ] || exec "$PG_BINDIR/postgres.bin" "\$@"
exec valgrind -q --trace-children=yes --log-file="$GROVE_WORK/memcheck/%p.log" --num-callers=30 \\
	$([ -f "$supp" ] && printf -- '--suppressions="%s"' "$supp") "$PG_BINDIR/postgres.bin" "\$@"
TXT
	chmod 755 "$PG_BINDIR/postgres"
}

mode=${1:-}
[ "$#" -gt 0 ] && shift
flags='-O1 -g -fno-omit-frame-pointer'
case $mode in
	ubsan) flags="$flags -fsanitize=undefined -fno-sanitize-recover=undefined" ;;
	asan) flags="$flags -fsanitize=address,undefined -fno-sanitize-recover=undefined" ;;
	asserts | memcheck) ;;
	*) echo "usage: $0 ubsan|asan|asserts|memcheck [TEST ...]" >&2; exit 2 ;;
esac

export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=0
export UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1
setup_begin
setup_packages || exit 1
if [ "$mode" = asserts ] && ! "$PG_CONFIG" --configure | grep -q enable-cassert; then
	skip "needs a server with assertions (checked_server.sh)"
fi
setup_build COPT="$flags" || exit 1
setup_private_pg || exit 1
case $mode in
	asan) preload_asan || exit 1 ;;
	memcheck) wrap_in_valgrind || exit 1 ;;
esac
if [ -n "${DISCARD_CACHES:-}" ]; then
	server_start "debug_discard_caches = 1" || exit 1
else
	server_start || exit 1
fi
if [ "$mode" = memcheck ]; then
	# initdb is not what is tested: only now the server goes under valgrind.
	touch "$GROVE_WORK/memcheck/on"
	server_restart || exit 1
fi

# run_tests NAME DIRECTORY PROGRAM TEST ...
run_tests()
{
	local name=$1 input=$2 program=$3

	shift 3
	mkdir "$GROVE_WORK/$name"
	run_waiting "$program" --inputdir="$input" --outputdir="$GROVE_WORK/$name" --bindir="$PG_BINDIR" \
		--host="$PGHOST" --port="$PGPORT" --user="$PGUSER" --dbname="grove_$name" "$@" </dev/null && return
	status=1
	if [ -s "$GROVE_WORK/$name/regression.diffs" ]; then
		cat "$GROVE_WORK/$name/regression.diffs"
	fi
}

names()
{
	find "$1" -maxdepth 1 -name "*.$2" -exec basename {} ".$2" \; | sort
}

status=0
programs=$(dirname "$("$PG_CONFIG" --pgxs)")/../../src/test
if [ "$#" -gt 0 ]; then
	run_tests regress "$GROVE_BUILD" "$programs/regress/pg_regress" "$@"
else
	# shellcheck disable=SC2046
	run_tests regress "$GROVE_BUILD" "$programs/regress/pg_regress" $(names sql sql)
	# shellcheck disable=SC2046
	run_tests isolation "$GROVE_BUILD/test/isolation" "$programs/isolation/pg_isolation_regress" $(names test/isolation/specs spec)
fi
if as_server grep -aE -A 60 'runtime error:|ERROR: AddressSanitizer|TRAP:' "$SERVER_DIR/log"; then
	status=1
fi
if [ "$mode" = memcheck ]; then
	# Findings are paragraphs; those without a frame of pg_grove are the server's.
	if cat "$GROVE_WORK"/memcheck/*.log | sed 's/^==[0-9]*== *$//' |
		awk 'BEGIN { RS = ""; ORS = "\n\n" } /pg_grove\.so|\((core|grove)[a-z_]*\.c:|grove_|grovepg_/ { print; found = 1 } END { exit !found }'; then
		status=1
	fi
fi
exit "$status"
