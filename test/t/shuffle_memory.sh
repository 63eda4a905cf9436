#!/usr/bin/env bash
# shuffle_memory.sh: the sort of shuffle() keeps within work_mem.
#
# The source calls a function that looks at the memory contexts of the sort
# every so many rows, while rows gather in memory and while they are dealt into
# files.  The largest sum is compared with work_mem; it is no evidence unless
# it is at least a third of it.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
. test/scripts/scratch_db.sh
if [ "$("$PSQL" -X -A -t -d postgres -c "SELECT to_regclass('pg_backend_memory_contexts') IS NULL")" = t ]; then
	echo "ok - memory of shuffle() # SKIP this server does not show memory contexts"
	exit 0
fi
scratch_db grove_shuffle_memory
query -c 'CREATE EXTENSION pg_grove' -c "CREATE FUNCTION look(i bigint) RETURNS bigint LANGUAGE plpgsql AS \$\$
	BEGIN
		IF i % current_setting('look.every')::integer = 0 THEN
			PERFORM set_config('look.peak', greatest(current_setting('look.peak')::bigint, sum(total_bytes))::text, false)
			FROM pg_backend_memory_contexts WHERE name LIKE 'grove shuffle%';
		END IF;
		RETURN i;
	END \$\$" || exit 1

# within NAME WORK_MEM_KB ROWS EVERY COLUMN
within()
{
	local peak

	peak=$(query <<-SQL
		SET work_mem = $2;
		SET look.peak = 0;
		SET look.every = $4;
		SELECT count(*) AS rows FROM grove.shuffle(NULL::record, 'SELECT look(i) AS id, $5 AS filler FROM generate_series(1::bigint, $3) AS i', '{id}', 1)
			AS x (id bigint, filler text) \gset
		SELECT current_setting('look.peak') WHERE :rows = $3;
	SQL
	)
	echo "# $1: $((${peak:-0} / 1024)) kB of $2 kB"
	result "$1 within work_mem" "$([ -n "$peak" ] && [ "$peak" -le $(($2 * 1024)) ] && [ "$peak" -ge $(($2 * 1024 / 3)) ] && echo t)" "peak ${peak:-unknown}"
}

for kb in 1100 2000 4096 9000; do
	within "narrow rows, $kb kB" "$kb" 200000 100 'NULL::text'
done
within "rows of 1 kB" 4096 10000 10 "repeat(''x'', 1000)"
within "rows of all sizes" 4096 2000 1 "repeat(''x'', (i * i % 20011)::integer)"
exit "$status"
