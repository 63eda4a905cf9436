#!/usr/bin/env bash
# run_asan.sh [TEST ...]: the regression tests in a server whose pg_grove was
# built with the address and undefined-behaviour sanitizers.  The build goes
# into a private copy of the server, never into the installed one.  A finding
# aborts the backend, which fails the test and is in the printed log.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/setup.sh
. test/scripts/tmp_server.sh

setup_begin
setup_packages || exit 1
setup_build COPT='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined' || exit 1
setup_private_pg || exit 1
# The server itself is not instrumented: the run-time library must come first,
# and what the server does not free at exit is not a leak of ours.
SERVER_ENV=("LD_PRELOAD=$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
	"ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:disable_coredump=1:use_sigaltstack=0"
	"UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:abort_on_error=1")
server_start "max_stack_depth = '1MB'" || exit 1

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
if as_server grep -aE -A 40 'ERROR: AddressSanitizer|runtime error:' "$SERVER_DIR/log"; then
	status=1
fi
exit "$status"
