-- Parallel workers do run below whatever chooses rows, and what is chosen is the same under 0, 1, 2 and 4 of them.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA workers_test;
SET search_path = workers_test, public;
CREATE TABLE item (id int PRIMARY KEY, kind int, price float8, sold boolean);
INSERT INTO item SELECT i, floor(400 / (i % 400 + 1)), i % 997 / 100.0 + 0.01, i % 9 = 0 FROM generate_series(1, 20000) i;
ALTER TABLE item SET (parallel_workers = 4);
CREATE TABLE frequency AS SELECT kind, count(*)::float8 AS f FROM item GROUP BY kind;
CREATE TABLE plan AS SELECT threshold FROM grove.prune_plan(NULL::item, 'item', n => 5000, method => 'inverse', by => '{kind}', exact => false);
ANALYZE item, frequency, plan;

-- The process that reads a row.
CREATE FUNCTION reader() RETURNS int LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$ BEGIN RETURN pg_backend_pid(); END $$;
CREATE TYPE seen AS (id int, kind int, price float8, sold boolean, pid int);

-- scan, aggregate: EXPLAIN tells the workers; source: rows carry the process that read them, in the column pid.
CREATE TABLE ways (way text, kind text, statement text, source text);
INSERT INTO ways SELECT way, kind, replace(statement, 'SOURCE', coalesce(quote_literal(source), '')), source FROM (VALUES
	('keep', 'scan', 'SELECT id FROM item WHERE grove.keep(0.3, 7, id)', NULL),
	('keep of inverse_pi', 'scan', 'SELECT id FROM item JOIN frequency USING (kind) JOIN plan ON true WHERE grove.keep(grove.inverse_pi(f, 1, threshold, 0), 7, id)', NULL),
	('split', 'scan', 'SELECT id FROM item WHERE grove.split(''{0.4,0.6}'', 7, id) = 1', NULL),
	('fold', 'scan', 'SELECT id FROM item WHERE grove.fold(5, 7, id) = 3', NULL),
	('sample', 'aggregate', 'SELECT grove.sample(id, 200, 7) FROM item', NULL),
	('sample of rows', 'aggregate', 'SELECT grove.sample(i, 200, 7) FROM item i', NULL),
	('sample by group', 'aggregate', 'SELECT sold, grove.sample(id, 200, 7) FROM item GROUP BY sold', NULL),
	('weighted_sample', 'aggregate', 'SELECT grove.weighted_sample(i, price, 200, 7) FROM item i', NULL),
	('inverse_sample', 'aggregate', 'SELECT grove.inverse_sample(i, kind + 1, 200, 7) FROM item i', NULL),
	('pps_threshold', 'aggregate', 'SELECT grove.pps_threshold(price, 500) FROM item', NULL),
	('hash_quantile', 'aggregate', 'SELECT grove.hash_quantile(grove.hash64(7, id), 0.1) FROM item', NULL),
	('hash_threshold', 'aggregate', 'SELECT grove.hash_threshold(grove.hash64(7, id), 500) FROM item', NULL),
	('block_design_effect', 'aggregate', 'SELECT grove.block_design_effect(price, id / 100) FROM item', NULL),
	('prune', 'source', 'SELECT (kept).id, (kept).pid, pi FROM grove.prune(NULL::seen, SOURCE, keep => 0.3, method => ''inverse'', by => ''{kind}'', readmit => 0.1, key => ''{id}'', seed => 7)', 'SELECT *, workers_test.reader() AS pid FROM workers_test.item'),
	('prune of groups', 'source', 'SELECT (kept).id, (kept).pid, pi FROM grove.prune(NULL::seen, SOURCE, keep => 0.3, key => ''{id}'', seed => 7)', 'SELECT id, max(kind) AS kind, max(price) AS price, bool_or(sold) AS sold, max(workers_test.reader()) AS pid FROM workers_test.item GROUP BY id'),
	('prune, negatives', 'source', 'SELECT (kept).id, (kept).pid, pi FROM grove.prune(NULL::seen, SOURCE, keep => 0.3, method => ''negatives'', target => ''sold'', key => ''{id}'', seed => 7)', 'SELECT *, workers_test.reader() AS pid FROM workers_test.item'),
	('prune, weighted', 'source', 'SELECT (kept).id, (kept).pid, pi FROM grove.prune(NULL::seen, SOURCE, keep => 0.3, method => ''weighted'', by => ''{price}'', key => ''{id}'', seed => 7)', 'SELECT *, workers_test.reader() AS pid FROM workers_test.item'),
	('prune, weighted, Poisson', 'source', 'SELECT (kept).id, (kept).pid, pi FROM grove.prune(NULL::seen, SOURCE, keep => 0.3, method => ''weighted'', by => ''{price}'', key => ''{id}'', exact => false, seed => 7)', 'SELECT *, workers_test.reader() AS pid FROM workers_test.item'),
	('shuffle', 'source', 'SELECT id, pid, row_number() OVER () FROM grove.shuffle(NULL::seen, SOURCE, key => ''{id}'', seed => 7)', 'SELECT *, workers_test.reader() AS pid FROM workers_test.item')) v (way, kind, statement, source);

CREATE FUNCTION lines(statement text, OUT launched int, OUT partial boolean) LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	launched := 0;
	partial := false;
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
		launched := launched + coalesce(substring(line FROM 'Workers Launched: (\d+)')::int, 0);
		partial := partial OR strpos(line, 'Partial') > 0;
	END LOOP;
END $$;
-- Without the leader's help all rows of a source are read by workers.  A single worker without the leader is never planned;
-- with the leader it is not known who reads what, so of one worker only its launch is looked at.
CREATE FUNCTION ran(kind text, statement text, source text, workers int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	plan record;
	pids int[];
BEGIN
	SELECT * INTO plan FROM lines(coalesce(source, statement));
	IF kind <> 'source' OR workers = 1 THEN
		RETURN CASE workers WHEN 0 THEN plan.launched = 0 ELSE plan.launched >= workers END AND (kind = 'source' OR plan.partial = (kind = 'aggregate' AND workers > 0));
	END IF;
	EXECUTE format('SELECT array_agg(DISTINCT pid) FROM (%s) q', statement) INTO pids;
	RETURN CASE workers WHEN 0 THEN plan.launched = 0 ELSE plan.launched >= workers END AND
		CASE workers WHEN 0 THEN pids = ARRAY[pg_backend_pid()] ELSE cardinality(pids) BETWEEN 1 AND workers AND pg_backend_pid() <> ALL (pids) END;
END $$;
CREATE FUNCTION print(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	print text;
BEGIN
	EXECUTE format('SELECT count(*) || '' '' || md5(string_agg(x, '','' ORDER BY x)) FROM (SELECT (to_jsonb(q) - ''pid'')::text AS x FROM (%s) q) r', statement) INTO print;
	RETURN print;
END $$;

SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE prints AS SELECT 0 AS workers, way, ran(kind, statement, source, 0) AS ran, print(statement) AS print FROM ways;
SET max_parallel_workers_per_gather = 1;
INSERT INTO prints SELECT 1, way, ran(kind, statement, source, 1), print(statement) FROM ways;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 2;
INSERT INTO prints SELECT 2, way, ran(kind, statement, source, 2), print(statement) FROM ways;
SET max_parallel_workers_per_gather = 4;
INSERT INTO prints SELECT 4, way, ran(kind, statement, source, 4), print(statement) FROM ways;
SET parallel_leader_participation = on;
INSERT INTO prints SELECT 4, way, NULL, print(statement) FROM ways;
SELECT way, string_agg(workers::text, ' ' ORDER BY workers) FILTER (WHERE ran) AS workers_ran, count(DISTINCT print) AS results, max(split_part(print, ' ', 1))::int > 0 AS rows
FROM prints GROUP BY way ORDER BY way COLLATE "C";
DROP SCHEMA workers_test CASCADE;
