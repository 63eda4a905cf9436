#!/usr/bin/env bash
# run_majors.sh PG_CONFIG ...: builds for each of these servers with warnings as
# errors, and runs the regression and isolation tests on a private server of it.
#
# One line a test, with the server's version in front; the differences of a
# failed one follow it.  Nothing is installed: each build goes into a private
# copy of its server.  TESTS names some regression tests instead of all.
# Isolation tests are left out where the packages of the server lack their runner.

set -u
cd "$(dirname "$0")/../.." || exit 1

if [ "$#" -eq 0 ]; then
	echo "usage: $0 PG_CONFIG ..." >&2
	exit 2
fi
# A server a process: each has its own scratch directory and clean-up.
if [ "$#" -gt 1 ]; then
	status=0
	for config in "$@"; do
		"$0" "$config" || status=1
	done
	exit "$status"
fi

. test/scripts/setup.sh
. test/scripts/tmp_server.sh
export PG_CONFIG=$1
version=$("$PG_CONFIG" --version)

fail()
{
	say "not ok - $version: $*"
	exit 1
}

# regress NAME PROGRAM INPUT DATABASE TEST ...
regress()
{
	local kind=$1 program=$2 input=$3 database=$4 out=$GROVE_WORK/$1

	shift 4
	mkdir "$out"
	run_waiting "$program" --inputdir="$input" --outputdir="$out" --bindir="$PG_BINDIR" --host="$PGHOST" \
		--port="$PGPORT" --user="$PGUSER" --dbname="$database" "$@" </dev/null >"$out.log" 2>&1
	status=$((status | $?))
	# "test name ... ok" up to PostgreSQL 15, "ok 1 - name" after it
	sed -nE "s/^(test )?([a-z0-9_]+) +\.\.\. +(ok|FAILED).*/\3 - \2/
		s/^(not )?ok [0-9]+ +[-+] ([a-z0-9_]+).*/\1ok - \2/; t out
		/^(ok|FAILED) - /! d
		: out
		s/^FAILED/not ok/; s/ - / - $version: $kind /p" "$out.log" >"$out.lines"
	cat "$out.lines"
	[ -s "$out.lines" ] || { cat "$out.log"; fail "$kind ran no test"; }
	if [ -s "$out/regression.diffs" ]; then
		cat "$out/regression.diffs"
	fi
}

setup_begin
setup_packages >"$GROVE_WORK/setup.log" || fail "packages"
setup_build COPT=-Werror >"$GROVE_WORK/setup.log" || { cat "$GROVE_WORK/setup.log"; fail "build with -Werror"; }
say "ok - $version: build with -Werror"
setup_private_pg || fail "private copy of the server"
server_start || fail "server"

status=0
pgxs=$(dirname "$("$PG_CONFIG" --pgxs)")/../..
if [ -z "${TESTS:-}" ]; then
	TESTS=$(find sql -maxdepth 1 -name '*.sql' -exec basename {} .sql \; | sort)
fi
# shellcheck disable=SC2086
regress regress "$pgxs/src/test/regress/pg_regress" "$GROVE_BUILD" grove_regress $TESTS
if [ -x "$pgxs/src/test/isolation/pg_isolation_regress" ]; then
	# shellcheck disable=SC2046
	regress isolation "$pgxs/src/test/isolation/pg_isolation_regress" "$GROVE_BUILD/test/isolation" grove_isolation \
		$(find test/isolation/specs -name '*.spec' -exec basename {} .spec \; | sort)
else
	say "ok - $version: isolation # SKIP no pg_isolation_regress"
fi
if as_server grep -aE 'PANIC|terminated by signal' "$SERVER_DIR/log"; then
	fail "a server process died"
fi
exit $((status != 0))
