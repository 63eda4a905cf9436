#!/usr/bin/env bash
# moved_rows.sh: the same rows are chosen wherever they lie: after UPDATE,
# CLUSTER and VACUUM FULL, in partitions, after a dump and restore, and under
# parallel plans of 1, 2 and 4 workers.
#
# Every way to choose rows is a query below whose result becomes one digest.
# That workers do run is looked at too: in the plan as it was executed, and,
# where a function reads the rows, by rows that carry the process that read them.
# libpq's environment names the server.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
. test/scripts/scratch_db.sh
scratch_db grove_moved
work=$(mktemp -d) || exit 1
trap 'drop_scratch_db; rm -rf "$work"' EXIT

# direct: the query's own plan is what may be parallel; through: that of what a function reads
digest() { printf "SELECT \$\$%s\$\$, md5(string_agg(x::text, ',' ORDER BY x)), count(*) FROM (%s) AS q (x);\n" "$1" "$2" >> "$work/choose.sql"; }
direct() { digest "$1" "$2"; printf "SELECT \$\$%s\$\$, launched(\$\$%s\$\$) > 0;\n" "$1" "$2" >> "$work/launched.sql"; }
through() { printf "SELECT \$\$%s\$\$, coalesce(bool_and(pid <> pg_backend_pid()), false) FROM (%s) AS q (pid);\n" "$1" "$2" >> "$work/read.sql"; }
prune()
{
	digest "prune $1 $2" "SELECT ((p.kept).id, p.pi, p.weight, p.log_offset) FROM grove.prune(NULL::item, 'item', method => '$1', key => '{id}', seed => 7, $2) AS p"
	through "prune $1 $2" "SELECT (p.kept).pid FROM grove.prune(NULL::item_read, 'SELECT *, reader() AS pid FROM item', method => '$1', key => '{id}', seed => 7, $2) AS p"
}

direct keep 'SELECT id FROM item WHERE grove.keep(0.3, 7, id)'
direct "keep of a row" 'SELECT id FROM item WHERE grove.keep(0.3, 7, kind, name, price)'
direct split "SELECT (id, grove.split('{0.5,0.3,0.2}', 7, id)) FROM item"
direct fold 'SELECT (id, grove.fold(5, 7, name)) FROM item'
direct hash_threshold 'SELECT id FROM item WHERE grove.hash64(7, id) <= (SELECT grove.hash_threshold(grove.hash64(7, id), 500) FROM item)'
direct pps_threshold 'SELECT id FROM item WHERE grove.keep(least(1, weight / (SELECT grove.pps_threshold(weight, 500) FROM item)), 7, id)'
direct hash_quantile 'SELECT id FROM item WHERE grove.hash64(7, id) <= (SELECT grove.hash_quantile(grove.hash64(7, id), 0.1) FROM item)'
# prune_plan() is not for a parallel plan: its threshold is asked for first
cat >> "$work/choose.sql" <<-'SQL'
	SELECT threshold FROM grove.prune_plan(NULL::item, 'item', n => 2000, method => 'inverse', by => '{kind}', exact => false) \gset
SQL
inversely="SELECT id FROM item JOIN (SELECT kind, count(*) AS f FROM item GROUP BY kind) AS k USING (kind) WHERE grove.keep(grove.inverse_pi(f, 1, :threshold, 0), 7, id)"
digest "keep of inverse_pi" "$inversely"
printf "SELECT 'keep of inverse_pi', launched(\$\$%s\$\$) > 0;\n" "${inversely/:threshold/4.5}" >> "$work/launched.sql"
digest shuffle "SELECT string_agg(id::text, ' ') FROM grove.shuffle(NULL::item, 'item', key => '{id}', seed => 7)"
through shuffle "SELECT pid FROM grove.shuffle(NULL::item_read, 'SELECT *, reader() AS pid FROM item', key => '{id}', seed => 7)"
direct sample 'SELECT grove.sample(id, 200, 7) FROM item'
direct "sample of rows" 'SELECT grove.sample(i, 200, 7) FROM item AS i'
direct weighted_sample 'SELECT grove.weighted_sample(id, weight, 200, 7) FROM item'
direct "weighted_sample of rows" 'SELECT grove.weighted_sample(i, weight, 200, 7) FROM item AS i'
direct inverse_sample 'SELECT grove.inverse_sample(i, weight, 200, 7) FROM item AS i'
prune random "keep => 0.3"
prune random "keep => 0.3, exact => false"
prune random "keep => 0.3, by => '{kind}', readmit => 0.2"
prune stratified "keep => 0.3, by => '{kind}'"
prune stratified "n => 2000, by => '{kind}', params => '{\"allocation\": \"equal\"}'"
prune stratified "n => 2000, by => '{kind}', gamma => 0.5, params => '{\"allocation\": \"power\"}'"
prune stratified "n => 2000, by => '{kind}', params => '{\"allocation\": \"neyman\", \"spread\": \"price\"}'"
prune inverse "keep => 0.3, by => '{kind}'"
prune negatives "keep => 0.3, target => 'sold'"
prune weighted "keep => 0.3, by => '{weight}'"
prune weighted "keep => 0.3, by => '{weight}', exact => false"
prune surprise "keep => 0.3, target => 'sold'"
prune gradient "keep => 0.3, target => 'sold', exact => false"
prune noise "keep => 0.9, target => 'sold'"
prune duplicates "target => 'sold', params => '{\"ignore\": [\"name\", \"price\", \"weight\", \"day\"]}'"
digest train "SELECT grove.train('item', 'sold', '{\"num_iterations\": 5, \"bagging_fraction\": 0.5, \"bagging_freq\": 1}', ignore => '{id}')"

# choose DATABASE FILE [SETTING...]
choose()
{
	local database=$1 file=$2

	shift 2
	query -d "$database" "$@" -f "$work/choose.sql" > "$file"
}

# same NAME [SETTING...]: what is chosen now is what was chosen first
same()
{
	local name=$1 database=${database:-$SCRATCH}

	shift
	if choose "$database" "$work/now" "$@" && diff "$work/first" "$work/now"; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		status=1
	fi
}

# workers NAME FILE [SETTING...]: all of what FILE asks for is true
workers()
{
	local name=$1 file=$2

	shift 2
	if query "$@" -f "$file" > "$work/answers" && [ -s "$work/answers" ] && ! grep -v '|t$' "$work/answers"; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		status=1
	fi
}

query <<-'SQL' || exit 1
	SET client_min_messages = warning;
	CREATE EXTENSION pg_grove;
	CREATE FUNCTION reader() RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS 'BEGIN RETURN pg_backend_pid(); END';
	CREATE FUNCTION launched(statement text) RETURNS int LANGUAGE plpgsql AS $$
	DECLARE
		line text;
		launched int := 0;
	BEGIN
		FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
			launched := launched + coalesce(substring(line FROM 'Workers Launched: (\d+)')::int, 0);
		END LOOP;
		RETURN launched;
	END $$;
	CREATE TYPE item_read AS (id int, kind text, name varchar(20), price numeric(10, 2), weight float8, day date, sold boolean, pid int);
	CREATE TABLE item (id int PRIMARY KEY, kind text, name varchar(20), price numeric(10, 2), weight float8, day date, sold boolean);
	INSERT INTO item SELECT i, 'kind ' || floor(40 / (i % 40 + 1)), 'näme ' || i % 700, i % 997 / 100.0, 1 + i % 13 / 3.0, date '2020-01-01' + i % 50, i % 9 = 0
	FROM generate_series(1, 8000) AS i;
	CREATE INDEX item_price ON item (price, id);
	ANALYZE item;
SQL
choose "$SCRATCH" "$work/first" || exit 1
if [ "$(cut -d'|' -f3 "$work/first" | grep -vc '^0$')" -eq "$(grep -c '^SELECT \$\$' "$work/choose.sql")" ]; then
	echo "ok - every query chooses rows"
else
	echo "not ok - every query chooses rows"
	status=1
fi

query -c 'UPDATE item SET day = day WHERE id % 3 = 0' -c 'VACUUM item'
same "rows that were updated"
query -c 'CLUSTER item USING item_price'
same "CLUSTER"
query -c 'DELETE FROM item WHERE id % 4 = 1' -c "INSERT INTO item SELECT i, 'kind ' || floor(40 / (i % 40 + 1)), 'näme ' || i % 700, i % 997 / 100.0, 1 + i % 13 / 3.0, date '2020-01-01' + i % 50, i % 9 = 0 FROM generate_series(8000, 1, -1) AS i WHERE i % 4 = 1" -c 'VACUUM FULL item'
same "VACUUM FULL"
for workers in 1 2 4; do
	parallel=(-c 'SET parallel_setup_cost = 0' -c 'SET parallel_tuple_cost = 0'
		-c 'SET min_parallel_table_scan_size = 0' -c "SET max_parallel_workers_per_gather = $workers"
		-c "SET grove.max_workers = $workers" -c 'SET grove.min_parallel_cells = 0')
	same "$workers workers" "${parallel[@]}"
	workers "$workers workers were launched" "$work/launched.sql" "${parallel[@]}"
	# one worker without the leader is never planned
	[ "$workers" = 1 ] || workers "$workers workers read what functions read" "$work/read.sql" "${parallel[@]}" -c 'SET parallel_leader_participation = off'
done

query -c "CREATE DATABASE ${SCRATCH}_restored TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
trap 'query -d postgres -c "DROP DATABASE IF EXISTS ${SCRATCH}_restored WITH (FORCE)"; drop_scratch_db; rm -rf "$work"' EXIT
pg_dump -d "$SCRATCH" -f "$work/dump.sql" && query -d "${SCRATCH}_restored" -f "$work/dump.sql" > /dev/null
database=${SCRATCH}_restored same "dump and restore"

query <<-'SQL'
	ALTER TABLE item RENAME TO item_whole;
	CREATE TABLE item (LIKE item_whole, PRIMARY KEY (id)) PARTITION BY HASH (id);
	CREATE TABLE item_0 PARTITION OF item FOR VALUES WITH (MODULUS 3, REMAINDER 0);
	CREATE TABLE item_1 PARTITION OF item FOR VALUES WITH (MODULUS 3, REMAINDER 1);
	CREATE TABLE item_2 PARTITION OF item FOR VALUES WITH (MODULUS 3, REMAINDER 2);
	INSERT INTO item SELECT * FROM item_whole;
SQL
same "partitions"
exit "$status"
