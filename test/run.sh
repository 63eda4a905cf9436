#!/usr/bin/env bash
# run.sh: sets up what is missing and runs every test.
#
#   test/run.sh
#
# The last line is "N passed, N failed", with ", N skipped" when something
# could not run here; the exit status is 0 only when nothing failed.  Whatever
# keeps a test from running (a build that fails, a server that does not start,
# a script that dies) is counted as a failure.
#
# Scripts under test report one line a test, beginning with "ok " or "not ok ";
# pg_regress has its own form.  Other lines are only printed.

set -u
cd "$(dirname "$0")/.." || exit 1
. test/scripts/setup.sh
. test/scripts/tmp_server.sh

passed=0
failed=0
skipped=0

ok()
{
	passed=$((passed + 1))
	say "ok - $*"
}

not_ok()
{
	failed=$((failed + 1))
	say "not ok - $*"
}

skip()
{
	skipped=$((skipped + 1))
	say "ok - $* # SKIP"
}

finish()
{
	if [ "$skipped" -gt 0 ]; then
		say "$passed passed, $failed failed, $skipped skipped"
	else
		say "$passed passed, $failed failed"
	fi
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	exit
}

heading()
{
	printf '\n== %s\n' "$*"
}

# One command, one test.
check()
{
	local name=$1

	shift
	if run_waiting "$@" </dev/null; then
		ok "$name"
	else
		not_ok "$name"
	fi
}

# A command whose output holds one line a test.  Its lines are printed and
# counted; a non-zero status without a failed test among them is one more
# failure, and so is a command that reported nothing.
check_lines()
{
	local name=$1 log=$GROVE_WORK/lines.log status good bad omitted

	shift
	run_waiting "$@" </dev/null >"$log" 2>&1
	status=$?
	cat "$log"
	omitted=$(grep -ciE '^ok .*# *skip' "$log")
	good=$(($(grep -cE '^ok ' "$log") - omitted))
	bad=$(grep -cE '^not ok ' "$log")
	passed=$((passed + good))
	failed=$((failed + bad))
	skipped=$((skipped + omitted))
	if [ "$bad" -eq 0 ] && [ "$status" -ne 0 ]; then
		not_ok "$name ended with status $status"
	elif [ $((good + bad + omitted)) -eq 0 ]; then
		not_ok "$name reported no test"
	fi
}

# pg_regress and pg_isolation_regress: "test name ... ok" up to PostgreSQL 15,
# "ok 1 - name" after it.
check_regress()
{
	local name=$1 out=$2 log=$GROVE_WORK/regress.log status good bad

	shift 2
	run_waiting "$@" </dev/null >"$log" 2>&1
	status=$?
	cat "$log"
	good=$(grep -cE '^(test .*\.\.\. ok|ok [0-9])' "$log")
	bad=$(grep -cE '^(test .*\.\.\. FAILED|not ok [0-9])' "$log")
	passed=$((passed + good))
	failed=$((failed + bad))
	if [ "$status" -ne 0 ] && [ -s "$out/regression.diffs" ]; then
		cat "$out/regression.diffs"
	fi
	if [ "$bad" -eq 0 ] && [ "$status" -ne 0 ]; then
		not_ok "$name ended with status $status"
	elif [ $((good + bad)) -eq 0 ]; then
		not_ok "$name ran no test"
	fi
}

# names DIRECTORY SUFFIX: its files without the suffix
names()
{
	find "$1" -maxdepth 1 -name "*.$2" -exec basename {} ".$2" \; | sort
}

setup_begin
setup_packages || { not_ok "packages"; finish; }

heading "build"
if setup_build; then
	ok "build"
else
	not_ok "build"
	finish
fi
if grep -qE '^src/.*: warning:' "$GROVE_WORK/build.log"; then
	not_ok "the sources compile without warnings"
else
	ok "the sources compile without warnings"
fi

heading "unit tests of the core"
check_lines "unit tests" test/scripts/run_unit.sh
check_lines "the same models with and without wider vectors" test/scripts/check_clones.sh

heading "fuzz targets"
check_lines "fuzz targets" test/scripts/run_fuzz.sh

heading "lint"
check "layers" test/scripts/check_layers.sh
check "sizes" test/scripts/check_sizes.sh
check "lists" test/scripts/check_lists.sh
check "version" test/scripts/check_version.sh
check "symbols" test/scripts/check_symbols.sh "$GROVE_BUILD/pg_grove.so"
check "labels of the SQL functions" test/scripts/check_sql_labels.sh
check_lines "static analysis" test/scripts/check_static.sh
if [ -x test/scripts/gen_params_doc.sh ]; then
	check "generated documentation" test/scripts/check_docs.sh
fi

heading "server"
if setup_install && server_start; then
	ok "a private server starts"
else
	not_ok "a private server starts"
	finish
fi
pgxs=$(dirname "$("$PG_CONFIG" --pgxs)")/../..

heading "regression tests"
# pg_regress writes below its own directory only.
tests=$(names "$GROVE_BUILD/sql" sql)
mkdir "$GROVE_WORK/regress"
# shellcheck disable=SC2086
check_regress "pg_regress" "$GROVE_WORK/regress" "$pgxs/src/test/regress/pg_regress" \
	--inputdir="$GROVE_BUILD" --outputdir="$GROVE_WORK/regress" --bindir="$PG_BINDIR" \
	--host="$PGHOST" --port="$PGPORT" --user="$PGUSER" --dbname=grove_regress $tests

if [ -d test/isolation/specs ]; then
	heading "isolation tests"
	specs=$(names "$GROVE_BUILD/test/isolation/specs" spec)
	mkdir "$GROVE_WORK/isolation"
	# shellcheck disable=SC2086
	check_regress "pg_isolation_regress" "$GROVE_WORK/isolation" "$pgxs/src/test/isolation/pg_isolation_regress" \
		--inputdir="$GROVE_BUILD/test/isolation" --outputdir="$GROVE_WORK/isolation" --bindir="$PG_BINDIR" \
		--host="$PGHOST" --port="$PGPORT" --user="$PGUSER" --dbname=grove_isolation $specs
fi

heading "catalogue"
check "comments and labels in the catalogue" test/scripts/check_sql_comments.sh "$PG_BINDIR/psql"

for script in test/t/*.sh test/stats/run.sh; do
	if [ -x "$script" ]; then
		heading "$script"
		PATH=$PG_BINDIR:$PATH check_lines "$script" "$script"
	fi
done

heading "examples of the documentation"
check_lines "examples" test/scripts/check_examples.sh "$PG_BINDIR/psql"

heading "demo"
check_lines "demo" test/scripts/check_demo.sh "$PG_BINDIR/psql"

if "$PG_BINDIR/pg_isready" -q; then
	ok "the server is still up"
else
	not_ok "the server is still up"
fi
if grep -aE 'PANIC|terminated by signal' "$SERVER_DIR/log" 2>/dev/null; then
	not_ok "no server process died"
else
	ok "no server process died"
fi

heading "result"
finish
