#!/usr/bin/env bash
# run.sh: the statistical tests of sampling, on the server that libpq's
# environment leads to.
#
#   test/stats/run.sh [FILE.sql ...]
#
# Every test/stats/*.sql gets a database of its own and prints one line a
# check, "ok name" or "not ok name detail".  Seeds are taken from
# GROVE_STATS_SEED on (1), so a run can be repeated, and a failure means an
# error rather than bad luck: test/stats/lib/checks.sql tells how unlikely.

set -u
cd "$(dirname "$0")" || exit 1
PSQL=${PSQL:-psql}
seed=${GROVE_STATS_SEED:-1}
. ../scripts/scratch_db.sh

echo "seeds from $seed on"
[ $# -gt 0 ] || set -- *.sql
status=0
scratch_db grove_stats
for file in "$@"; do
	file=$(basename "$file")
	drop_scratch_db
	scratch_db grove_stats
	lines=$("$PSQL" -X -q -At -v ON_ERROR_STOP=1 -v seed="$seed" -f "$file" 2>&1)
	ended=$?
	printf '%s\n' "$lines"
	if [ $ended -ne 0 ]; then
		echo "not ok $file ended with status $ended"
		status=1
	elif ! grep -q '^ok ' <<<"$lines"; then
		echo "not ok $file reported no check"
		status=1
	elif grep -qv '^ok ' <<<"$lines"; then
		status=1
	fi
done
exit $status
