#!/usr/bin/env bash
# run_checked.sh ubsan|memcheck [TEST ...]: the regression tests in a server that
# looks for what a test cannot see.
#
# ubsan     pg_grove built with the undefined-behaviour sanitizer; a finding
#           aborts the backend, which fails the test
# memcheck  the server under valgrind; what it finds counts when a function of
#           pg_grove is on the stack.  Slow: name a few tests
#
# The build goes into a private copy of the server, never into the installed
# one.  (The address sanitizer cannot do this: preloaded into Debian's server
# it deadlocks before main().  The unit tests have it.)

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/setup.sh
. test/scripts/tmp_server.sh

mode=${1:-}
[ "$#" -gt 0 ] && shift
case $mode in
	ubsan) flags='-O1 -g -fno-omit-frame-pointer -fsanitize=undefined -fno-sanitize-recover=undefined' ;;
	memcheck) flags='-O1 -g -fno-omit-frame-pointer' ;;
	*) echo "usage: $0 ubsan|memcheck [TEST ...]" >&2; exit 2 ;;
esac

setup_begin
setup_packages || exit 1
setup_build COPT="$flags" || exit 1
setup_private_pg || exit 1
if [ "$mode" = ubsan ]; then
	SERVER_ENV=("UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1")
else
	command -v valgrind >/dev/null 2>&1 || complain "needs valgrind" || exit 1
	mkdir -m 1777 "$GROVE_WORK/memcheck"
	mv "$PG_BINDIR/postgres" "$PG_BINDIR/postgres.bin"
	cat >"$PG_BINDIR/postgres" <<TXT
#!/bin/sh
[ "\$1" = -V ] && exec "$PG_BINDIR/postgres.bin" "\$@"
[ -e "$GROVE_WORK/memcheck/on" ] || exec "$PG_BINDIR/postgres.bin" "\$@"
exec valgrind -q --trace-children=yes --log-file="$GROVE_WORK/memcheck/%p.log" --num-callers=30 "$PG_BINDIR/postgres.bin" "\$@"
TXT
	chmod 755 "$PG_BINDIR/postgres"
fi
server_start || exit 1
if [ "$mode" = memcheck ]; then
	# initdb is not what is tested: only now the server goes under valgrind.
	touch "$GROVE_WORK/memcheck/on"
	server_restart || exit 1
fi

if [ "$#" -eq 0 ]; then
	# shellcheck disable=SC2046
	set -- $(find sql -maxdepth 1 -name '*.sql' -exec basename {} .sql \; | sort)
fi
mkdir "$GROVE_WORK/regress"
run_waiting "$(dirname "$("$PG_CONFIG" --pgxs)")/../../src/test/regress/pg_regress" \
	--inputdir="$GROVE_BUILD" --outputdir="$GROVE_WORK/regress" --bindir="$PG_BINDIR" \
	--host="$PGHOST" --port="$PGPORT" --user="$PGUSER" --dbname=grove_regress "$@" </dev/null
status=$?
if [ -s "$GROVE_WORK/regress/regression.diffs" ]; then
	cat "$GROVE_WORK/regress/regression.diffs"
fi
if as_server grep -aE -A 30 'runtime error:' "$SERVER_DIR/log"; then
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
