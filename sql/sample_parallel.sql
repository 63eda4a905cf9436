-- Sampling aggregates give the same array from serial and parallel plans and
-- from any division into parts, empty ones included.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA sample_parallel;
SET search_path = sample_parallel, public;
CREATE TABLE events (id int, item text, amount float8, place int, note text);
INSERT INTO events SELECT i, 'item ' || i * 7919 % 1000, (i * 104729::bigint % 1000) / 10.0 + 0.1, i % 7, CASE WHEN i % 50 = 0 THEN repeat(i::text, 500) END
FROM generate_series(1, 30000) i;
CREATE TABLE weights AS SELECT item, count(*)::int AS frequency FROM events GROUP BY item;
ANALYZE events, weights;

-- What is compared: text of the array, so that representations count.
CREATE TABLE calls (n int, call text);
INSERT INTO calls VALUES
	(1, 'sample(e, 500, 1)'), (2, 'sample(id, 500, 1)'), (3, 'sample(id, 40000, 1)'), (4, 'sample(item, 500, 1)'), (5, 'sample(note, 100, 1)'),
	(6, 'weighted_sample(e, amount, 500, 1)'), (7, 'weighted_sample(id, amount, 500, 1)'), (8, 'weighted_sample(item, amount, 500, 1)'),
	(9, 'weighted_sample(note, place, 500, 1)'), (10, 'weighted_sample(e, amount, 20000, 1)'), (11, 'weighted_sample(id, amount * 1e300, 40000, 1)'),
	(12, 'weighted_sample(e, CASE WHEN id % 100 = 0 THEN ''Infinity'' ELSE amount END, 200, 1)'), (13, 'weighted_sample(e, 0, 200, 1)'),
	(14, 'inverse_sample(e, amount, 500, 1)'), (15, 'inverse_sample(item, amount, 500, 1)'), (16, 'sample(e, 0, 1)'),
	(17, 'sample(id, 5, 1) FILTER (WHERE id = 777)'), (18, 'weighted_sample(e, amount, 5, 1) FILTER (WHERE id BETWEEN 100 AND 110)'),
	(19, 'sample(id, 5, 1) FILTER (WHERE id < 0)');
CREATE FUNCTION results(source text) RETURNS TABLE (n int, result text) LANGUAGE plpgsql AS $$
DECLARE
	results text[];
BEGIN
	EXECUTE (SELECT format('SELECT ARRAY[%s] FROM %s e', string_agg('grove.' || call || '::text', ', ' ORDER BY c.n), source) FROM calls c) INTO results;
	RETURN QUERY SELECT c.n, results[c.n] FROM calls c;
END $$;
CREATE FUNCTION plan_has(node text, statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
		found := found OR strpos(line, node) > 0;
	END LOOP;
	RETURN found;
END $$;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT * FROM results('events');
-- the calls whose result is not that of the serial plan
CREATE FUNCTION differing(source text) RETURNS text LANGUAGE sql AS
	$$SELECT coalesce(string_agg(call, ', ' ORDER BY n), 'none') FROM calls JOIN serial s USING (n) JOIN results(source) r USING (n) WHERE s.result IS DISTINCT FROM r.result$$;
SELECT count(*) AS calls, count(result) AS arrays, count(DISTINCT result) AS different FROM serial;

-- Parallel plans.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 1;
SELECT plan_has('Partial Aggregate', 'SELECT grove.sample(e, 5, 1), grove.inverse_sample(e, 1, 5, 1) FROM events e') AS partial;
SELECT differing('events') AS one_worker;
SET max_parallel_workers_per_gather = 4;
ALTER TABLE events SET (parallel_workers = 4);
SELECT differing('events') AS four_workers;
SET parallel_leader_participation = off;
SELECT differing('events') AS without_leader;
RESET parallel_leader_participation;

-- Groups in workers.
SELECT plan_has('Partial', 'SELECT place, grove.weighted_sample(e, amount, 50, 1) FROM events e GROUP BY place') AS partial;
CREATE TABLE grouped AS SELECT place, grove.sample(e, 50, 1)::text AS a, grove.weighted_sample(e, amount, 50, 1)::text AS b FROM events e GROUP BY place;
SET max_parallel_workers_per_gather = 0;
SELECT count(*) AS groups, bool_and(g.a = s.a AND g.b = s.b) AS same
FROM grouped g JOIN (SELECT place, grove.sample(e, 50, 1)::text AS a, grove.weighted_sample(e, amount, 50, 1)::text AS b FROM events e GROUP BY place) s USING (place);

-- A frequency from a join, as one writes it.
SET max_parallel_workers_per_gather = 4;
CREATE TABLE joined AS SELECT grove.inverse_sample(e, frequency, 300, 1)::text AS r FROM events e JOIN weights USING (item);
SET max_parallel_workers_per_gather = 0;
SELECT (SELECT r FROM joined) = grove.inverse_sample(e, frequency, 300, 1)::text AS same FROM events e JOIN weights USING (item);

-- Partial states of partitions: empty, one row, most rows; a NULL state on either side of the combine function and on both.
SET enable_partitionwise_aggregate = on;
CREATE TABLE parts (LIKE events) PARTITION BY RANGE (id);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (-20) TO (-10);
CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM (-10) TO (1);
CREATE TABLE parts_c PARTITION OF parts FOR VALUES FROM (1) TO (2);
CREATE TABLE parts_d PARTITION OF parts FOR VALUES FROM (2) TO (25000);
CREATE TABLE parts_e PARTITION OF parts FOR VALUES FROM (25000) TO (40000);
CREATE TABLE parts_f PARTITION OF parts FOR VALUES FROM (40000) TO (50000);
INSERT INTO parts SELECT * FROM events;
ANALYZE parts;
SELECT plan_has('Partial Aggregate', 'SELECT grove.sample(id, 5, 1) FROM parts') AS partial;
-- rows of parts have another type than rows of events
SELECT differing('parts') AS partitions;
SELECT grove.sample(id, 5, 1) IS NULL AS nothing, grove.weighted_sample(id, 1, 5, 1) IS NULL AS nothing_weighted FROM parts WHERE id < 0 OR id > 40000;
SET max_parallel_workers_per_gather = 4;
SET enable_parallel_append = on;
SELECT differing('parts') AS parallel_partitions;

-- Different arguments in different parts are still an error.
DO $$
BEGIN
	PERFORM grove.sample(id, CASE WHEN id < 25000 THEN 3 ELSE 4 END, 1) FROM parts;
EXCEPTION WHEN OTHERS THEN
	RAISE WARNING '% %', SQLSTATE, SQLERRM;
END $$;
DROP SCHEMA sample_parallel CASCADE;
