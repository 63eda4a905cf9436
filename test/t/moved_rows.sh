#!/usr/bin/env bash
# moved_rows.sh: the same rows are chosen wherever they lie: after UPDATE,
# CLUSTER and VACUUM FULL, in partitions, after a dump and restore, and under
# parallel plans of 1, 2 and 4 workers.
#
# Every way to choose rows is a query below whose result becomes one digest.
# libpq's environment names the server.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
. test/scripts/scratch_db.sh
scratch_db grove_moved
work=$(mktemp -d) || exit 1
trap 'drop_scratch_db; rm -rf "$work"' EXIT

digest() { printf "SELECT \$\$%s\$\$, md5(string_agg(x::text, ',' ORDER BY x)), count(*) FROM (%s) AS q (x);\n" "$1" "$2"; }
prune() { digest "prune $1 $2" "SELECT ((p.kept).id, p.pi, p.weight, p.log_offset) FROM grove.prune(NULL::item, 'item', method => '$1', key => '{id}', seed => 7, $2) AS p"; }

{
	digest keep 'SELECT id FROM item WHERE grove.keep(0.3, 7, id)'
	digest "keep of a row" 'SELECT id FROM item WHERE grove.keep(0.3, 7, kind, name, price)'
	digest split "SELECT (id, grove.split('{0.5,0.3,0.2}', 7, id)) FROM item"
	digest fold 'SELECT (id, grove.fold(5, 7, name)) FROM item'
	digest hash_threshold 'SELECT id FROM item WHERE grove.hash64(7, id) <= (SELECT grove.hash_threshold(grove.hash64(7, id), 500) FROM item)'
	digest pps_threshold 'SELECT id FROM item WHERE grove.keep(least(1, weight / (SELECT grove.pps_threshold(weight, 500) FROM item)), 7, id)'
	digest shuffle "SELECT string_agg(id::text, ' ') FROM grove.shuffle(NULL::item, 'item', key => '{id}', seed => 7)"
	digest sample 'SELECT grove.sample(id, 200, 7) FROM item'
	digest "sample of rows" 'SELECT grove.sample(i, 200, 7) FROM item AS i'
	digest weighted_sample 'SELECT grove.weighted_sample(id, weight, 200, 7) FROM item'
	digest "weighted_sample of rows" 'SELECT grove.weighted_sample(i, weight, 200, 7) FROM item AS i'
	digest inverse_sample 'SELECT grove.inverse_sample(i, weight, 200, 7) FROM item AS i'
	prune random "keep => 0.3"
	prune random "keep => 0.3, exact => false"
	prune random "keep => 0.3, by => '{kind}', readmit => 0.2"
	prune stratified "keep => 0.3, by => '{kind}'"
	prune inverse "keep => 0.3, by => '{kind}'"
	prune negatives "keep => 0.3, target => 'sold'"
	prune duplicates "target => 'sold', params => '{\"ignore\": [\"name\", \"price\", \"weight\", \"day\"]}'"
	digest train "SELECT grove.train('item', 'sold', '{\"num_iterations\": 5, \"bagging_fraction\": 0.5, \"bagging_freq\": 1}', ignore => '{id}')"
} > "$work/choose.sql"

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

query <<-'SQL' || exit 1
	SET client_min_messages = warning;
	CREATE EXTENSION pg_grove;
	CREATE TABLE item (id int PRIMARY KEY, kind text, name varchar(20), price numeric(10, 2), weight float8, day date, sold boolean);
	INSERT INTO item SELECT i, 'kind ' || floor(40 / (i % 40 + 1)), 'näme ' || i % 700, i % 997 / 100.0, 1 + i % 13 / 3.0, date '2020-01-01' + i % 50, i % 9 = 0
	FROM generate_series(1, 8000) AS i;
	CREATE INDEX item_price ON item (price, id);
	ANALYZE item;
SQL
choose "$SCRATCH" "$work/first" || exit 1
if [ "$(cut -d'|' -f3 "$work/first" | grep -vc '^0$')" -eq "$(grep -c . "$work/choose.sql")" ]; then
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
	same "$workers workers" -c 'SET parallel_setup_cost = 0' -c 'SET parallel_tuple_cost = 0' \
		-c 'SET min_parallel_table_scan_size = 0' -c "SET max_parallel_workers_per_gather = $workers" \
		-c "SET grove.max_workers = $workers" -c 'SET grove.min_parallel_cells = 0'
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
