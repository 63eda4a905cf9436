-- sample_rows: exactly k rows of a table, by place, repeatable by seed.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
-- The rows of a sample as one text, in the order in which they come.
CREATE FUNCTION pg_temp.rows_of(source text, k bigint, seed float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT string_agg(id::text, '','') FROM %s TABLESAMPLE grove.sample_rows(%L) REPEATABLE (%L)', source, k, seed) INTO result;
	RETURN result;
END $$;

-- 40 rows a block, whatever the block size of the server; nobody cleans up in between.
CREATE TABLE rows_t (id integer, filler text) WITH (autovacuum_enabled = off);
ALTER TABLE rows_t ALTER filler SET STORAGE PLAIN;
INSERT INTO rows_t SELECT i, repeat('x', current_setting('block_size')::integer / 41 - 40) FROM generate_series(1, 20000) i;
ANALYZE rows_t;

-- Exactly k rows, none twice, whole ones, in the order of the table; all when there are no more.
SELECT k, count(x.id) AS rows, count(DISTINCT x.id) AS ids, coalesce(bool_and(length(filler) > 30), true) AS whole, coalesce(bool_and(id > previous), true) AS in_order
FROM unnest('{0,1,2,100,750,1000,5000,19999,20000,20001,9223372036854775807}'::bigint[]) k
LEFT JOIN LATERAL (SELECT id, filler, lag(id, 1, 0) OVER (ORDER BY i) AS previous
				   FROM (SELECT id, filler, row_number() OVER () AS i FROM rows_t TABLESAMPLE grove.sample_rows(k) REPEATABLE (k % 7)) AS y) AS x ON true
GROUP BY k ORDER BY k;
-- A smaller sample is a part of a larger one.
SELECT count(*) AS not_in_the_larger_one FROM rows_t small TABLESAMPLE grove.sample_rows(1000) REPEATABLE (5)
WHERE small.id NOT IN (SELECT id FROM rows_t TABLESAMPLE grove.sample_rows(3000) REPEATABLE (5));

-- The same rows for the same seed, others for another or none; of another table, too.
SELECT pg_temp.rows_of('rows_t', 100, 1) = pg_temp.rows_of('rows_t', 100, 1) AS repeatable, pg_temp.rows_of('rows_t', 100, 1) <> pg_temp.rows_of('rows_t', 100, 2) AS by_seed;
SELECT (SELECT string_agg(id::text, ',') FROM rows_t TABLESAMPLE grove.sample_rows(100)) <>
	   (SELECT string_agg(id::text, ',') FROM rows_t TABLESAMPLE grove.sample_rows(100)) AS unseeded_differ;
CREATE TABLE rows_copy AS TABLE rows_t ORDER BY id;
SELECT pg_temp.rows_of('rows_t', 100, 1) <> pg_temp.rows_of('rows_copy', 100, 1) AS by_table;

-- Rescans: the same sample again, and one for each k and seed.
SELECT count(DISTINCT ids) AS samples, count(*) AS scans
FROM (SELECT seed, (SELECT string_agg(id::text, ',') FROM rows_t TABLESAMPLE grove.sample_rows(50) REPEATABLE (seed % 3)) AS ids FROM generate_series(1, 9) seed) AS x;
SELECT k, count(*) AS rows FROM unnest('{3,0,7,7,2000,1}'::bigint[]) WITH ORDINALITY u (k, i), LATERAL (SELECT id FROM rows_t TABLESAMPLE grove.sample_rows(k) REPEATABLE (1)) AS x GROUP BY k, i ORDER BY i;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
EXPLAIN (COSTS OFF) SELECT b.id FROM generate_series(1, 20) a LEFT JOIN rows_t b TABLESAMPLE grove.sample_rows(30) ON b.id > a - 100;
SELECT count(*) AS pairs, count(DISTINCT b.id) AS ids FROM generate_series(1, 20) a LEFT JOIN rows_t b TABLESAMPLE grove.sample_rows(30) ON b.id > a - 100;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
-- Backwards, and given up half-way.
CREATE FUNCTION pg_temp.move(reading refcursor, movement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	IF movement = 'to the end' THEN MOVE FORWARD ALL FROM reading;
	ELSIF movement = 'to the start' THEN MOVE BACKWARD ALL FROM reading;
	ELSE MOVE FORWARD 10 FROM reading;
	END IF;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
BEGIN;
DECLARE reading SCROLL CURSOR FOR SELECT id FROM rows_t TABLESAMPLE grove.sample_rows(50) REPEATABLE (1);
SELECT pg_temp.move('reading', 'to the end') AS forward, pg_temp.move('reading', 'to the start') AS backward, pg_temp.move('reading', 'by ten') AS again;
CLOSE reading;
COMMIT;

-- What the snapshot does not see is never drawn and does not count: deleted rows, old versions, rows of an aborted transaction.
DELETE FROM rows_t WHERE id % 2 = 0;
UPDATE rows_t SET id = -id WHERE id % 5 = 0;
BEGIN;
INSERT INTO rows_t SELECT 1000000 + i, 'aborted' FROM generate_series(1, 5000) i;
DELETE FROM rows_t WHERE id % 3 = 0;
UPDATE rows_t SET filler = 'aborted' WHERE id % 7 = 0;
ROLLBACK;
SELECT k, count(*) AS rows, count(DISTINCT abs(id)) AS ids, bool_and(id % 2 <> 0 AND (id < 0) = (id % 5 = 0) AND filler <> 'aborted') AS visible
FROM unnest('{1,100,9999,10000,10001}'::bigint[]) k, LATERAL (SELECT * FROM rows_t TABLESAMPLE grove.sample_rows(k) REPEATABLE (k)) AS x GROUP BY k ORDER BY k;
-- As many again after pruning, after VACUUM, and when the table is written anew.
SELECT count(*) FROM rows_t;
SELECT count(DISTINCT id) FROM rows_t TABLESAMPLE grove.sample_rows(4000) REPEATABLE (1);
CREATE TABLE rows_before AS SELECT pg_temp.rows_of('rows_t', 4000, 1) AS ids;
VACUUM rows_t;
SELECT ids = pg_temp.rows_of('rows_t', 4000, 1) AS same_rows_after_vacuum FROM rows_before;
SELECT count(DISTINCT id) FROM rows_t TABLESAMPLE grove.sample_rows(10001) REPEATABLE (1);
VACUUM FULL rows_t;
SELECT count(DISTINCT id), bool_and(id % 2 <> 0) AS visible FROM rows_t TABLESAMPLE grove.sample_rows(4000) REPEATABLE (1);
SELECT count(DISTINCT id) FROM rows_t TABLESAMPLE grove.sample_rows(10001);
-- Pages that VACUUM found all visible, of which a row has gone since.
VACUUM rows_t;
DELETE FROM rows_t WHERE id = (SELECT max(id) FROM rows_t);
SELECT count(*) FROM rows_t TABLESAMPLE grove.sample_rows(10000);

-- What the transaction itself has done counts; what a later command does to the table, while a cursor reads, does not.
BEGIN;
INSERT INTO rows_t SELECT 2000000 + i, 'new' FROM generate_series(1, 30000) i;
SELECT count(*) AS rows, count(*) FILTER (WHERE filler = 'new') BETWEEN 2000 AND 2500 AS with_new_ones FROM rows_t TABLESAMPLE grove.sample_rows(3000) REPEATABLE (1);
DECLARE reading CURSOR FOR SELECT id FROM rows_t TABLESAMPLE grove.sample_rows(3000) REPEATABLE (1);
SELECT pg_temp.move('reading', 'by ten') AS read;
DELETE FROM rows_t WHERE id > 0;
INSERT INTO rows_t SELECT 3000000 + i, 'newer' FROM generate_series(1, 50000) i;
SELECT pg_temp.move('reading', 'to the end') AS read;
CLOSE reading;
SELECT count(*) AS rows, bool_and(id < 0 OR id > 3000000) AS visible FROM rows_t TABLESAMPLE grove.sample_rows(3000) REPEATABLE (1);
SAVEPOINT inner_one;
DELETE FROM rows_t;
SELECT count(*) FROM rows_t TABLESAMPLE grove.sample_rows(3000);
ROLLBACK TO inner_one;
SELECT count(*) FROM rows_t TABLESAMPLE grove.sample_rows(3000);
ROLLBACK;
-- A statement sees the table as it was when it began, and one that writes to its own source comes to an end.
WITH gone AS (DELETE FROM rows_t WHERE id > 0 RETURNING id) SELECT (SELECT count(*) FROM rows_t TABLESAMPLE grove.sample_rows(9999)) AS rows, (SELECT count(*) FROM gone) AS gone;
INSERT INTO rows_t SELECT -id, 'again' FROM rows_t TABLESAMPLE grove.sample_rows(500);
SELECT count(*) AS rows, count(*) FILTER (WHERE filler = 'again') AS again FROM rows_t;
UPDATE rows_t SET filler = 'marked' WHERE ctid = ANY (ARRAY(SELECT ctid FROM rows_t TABLESAMPLE grove.sample_rows(123)));
SELECT count(*) AS marked FROM rows_t WHERE filler = 'marked';
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM rows_t TABLESAMPLE grove.sample_rows(321);
SELECT count(*) > 0 AS locks_the_table FROM pg_locks WHERE mode = 'SIReadLock' AND relation = 'rows_t'::regclass AND page IS NULL;
COMMIT;

-- No rows, no blocks; temporary, unlogged and toasted ones; a materialized view; partitions give k rows each, at places of their own.
CREATE TABLE rows_empty (id integer);
SELECT count(*) FROM rows_empty TABLESAMPLE grove.sample_rows(10);
INSERT INTO rows_empty VALUES (1), (2);
DELETE FROM rows_empty;
SELECT count(*) FROM rows_empty TABLESAMPLE grove.sample_rows(10);
CREATE TEMP TABLE rows_temp AS SELECT generate_series(1, 3000) AS id;
CREATE UNLOGGED TABLE rows_unlogged AS SELECT i AS id, (SELECT string_agg(md5((i * 1000 + j)::text), '') FROM generate_series(1, 200) j) AS long FROM generate_series(1, 50) i;
CREATE MATERIALIZED VIEW rows_view AS SELECT generate_series(1, 3000) AS id;
SELECT (SELECT count(DISTINCT id) FROM rows_temp TABLESAMPLE grove.sample_rows(1234)) AS temporary, (SELECT count(DISTINCT id) FROM rows_view TABLESAMPLE grove.sample_rows(1234)) AS view,
	   (SELECT sum(length(long)) / 6400 FROM rows_unlogged TABLESAMPLE grove.sample_rows(12)) AS toasted;
CREATE TABLE rows_parts (id integer) PARTITION BY RANGE (id);
CREATE TABLE rows_part_0 PARTITION OF rows_parts FOR VALUES FROM (0) TO (3000);
CREATE TABLE rows_part_1 PARTITION OF rows_parts FOR VALUES FROM (3000) TO (6000);
CREATE TABLE rows_part_2 PARTITION OF rows_parts FOR VALUES FROM (6000) TO (9000);
INSERT INTO rows_parts SELECT generate_series(0, 8999);
SELECT count(*), count(DISTINCT id), count(DISTINCT id % 3000) BETWEEN 280 AND 299 AS places_of_their_own FROM rows_parts TABLESAMPLE grove.sample_rows(100) REPEATABLE (3);
SELECT tableoid::regclass, count(*) FROM rows_parts TABLESAMPLE grove.sample_rows(100) REPEATABLE (3) GROUP BY 1 ORDER BY 1;
-- WHERE comes after the sample.
SELECT count(*) BETWEEN 20 AND 80 AS half FROM rows_view TABLESAMPLE grove.sample_rows(100) REPEATABLE (3) WHERE id % 2 = 0;

-- Each row has the same chance, whatever its place in the table and its block: 1,000 samples of a tenth of 400, in tenths, and in places of a block.
CREATE TABLE rows_even AS SELECT id, (id - 1) * 10 / 400 AS tenth FROM generate_series(1, 400) id;
SELECT sum((n - 4000)^2 / (4000 * 0.9)) FILTER (WHERE what = 'tenth') < 40 AS even_over_the_table, sum((n - 4000)^2 / (4000 * 0.9)) FILTER (WHERE what = 'place') < 40 AS even_over_places
FROM (SELECT what, CASE what WHEN 'tenth' THEN tenth ELSE id % 10 END AS cell, count(*) AS n
	  FROM generate_series(1, 1000) seed, LATERAL (SELECT * FROM rows_even TABLESAMPLE grove.sample_rows(40) REPEATABLE (seed)) AS x, unnest('{tenth,place}'::text[]) what GROUP BY 1, 2) AS y;

-- Plans: k rows, all of them at most; the price of a scan; not in workers, each of which would draw its own rows.
CREATE FUNCTION pg_temp.plan_of(statement text, OUT node text, OUT rows float8, OUT cost float8) LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
	SELECT plan -> 0 -> 'Plan' ->> 'Node Type', plan -> 0 -> 'Plan' ->> 'Plan Rows', plan -> 0 -> 'Plan' ->> 'Total Cost' INTO node, rows, cost;
END $$;
ANALYZE rows_copy;
SELECT k, node, rows FROM unnest('{0,1,777,1000000,NULL}'::text[]) k, pg_temp.plan_of(format('SELECT * FROM rows_copy TABLESAMPLE grove.sample_rows(%s)', coalesce(k, '(SELECT 5)')));
SELECT sample.cost / scan.cost BETWEEN 0.5 AND 1 AS price_of_a_scan FROM pg_temp.plan_of('SELECT * FROM rows_copy TABLESAMPLE grove.sample_rows(1)') sample, pg_temp.plan_of('SELECT * FROM rows_copy') scan;
SET random_page_cost = 0;
SELECT rows FROM pg_temp.plan_of('SELECT * FROM rows_copy TABLESAMPLE grove.sample_rows(10)');
RESET random_page_cost;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.in_workers(method text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE format('EXPLAIN (FORMAT JSON) SELECT count(*) FROM rows_copy JOIN rows_view v TABLESAMPLE %s USING (id)', method) INTO plan;
	RETURN plan @? '$.** ? (@."Node Type" starts with "Gather").** ? (@."Node Type" == "Sample Scan")';
END $$;
ANALYZE rows_view;
SELECT pg_temp.in_workers('SYSTEM (10)') AS system, pg_temp.in_workers('grove.sample_rows (10)') AS sample_rows;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
PREPARE by_parameter (bigint) AS SELECT count(*) FROM rows_copy TABLESAMPLE grove.sample_rows($1) REPEATABLE (1);
EXECUTE by_parameter(50);
EXECUTE by_parameter(60);

-- Errors.
SELECT k, pg_temp.error_of(format('SELECT count(*) FROM rows_copy TABLESAMPLE grove.sample_rows(%s)', k))
FROM unnest('{-1,-9223372036854775808,"NULL","''x''","1, 2",9223372036854775808}'::text[]) k;
SELECT pg_temp.error_of('SELECT count(*) FROM (SELECT 1) AS x TABLESAMPLE grove.sample_rows(10)') LIKE '42601 |%' AS subquery, pg_temp.error_of('SELECT count(*) FROM pg_stats TABLESAMPLE grove.sample_rows(10)') AS view;
-- PostgreSQL 13 has another reason not to call the handler.
SELECT pg_temp.error_of('SELECT grove.sample_rows(NULL)') ~ '^(42883|0A000) ' AS handler_refused;
-- A list that does not fit: up to 16 bytes a row of the sample; what the table does not have takes nothing.
SET grove.max_memory = '64kB';
SELECT k, pg_temp.error_of(format('SELECT count(*) FROM rows_copy TABLESAMPLE grove.sample_rows(%s)', k)) FROM unnest('{3500,5000,9223372036854775807}'::bigint[]) k;
SELECT pg_temp.error_of('SELECT count(*) FROM rows_view TABLESAMPLE grove.sample_rows(9223372036854775807)');
RESET grove.max_memory;

SET client_min_messages = warning;
DROP TABLE rows_t, rows_copy, rows_before, rows_empty, rows_unlogged, rows_parts, rows_even;
DROP MATERIALIZED VIEW rows_view;
