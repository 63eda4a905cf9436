-- predict() by name is never stale and never early: what a statement sees is what it scores with
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA visibility;
SET search_path = visibility;

-- models that say their number: predict('m', 1) is n
CREATE FUNCTION constant(n int) RETURNS bytea LANGUAGE sql AS $$
	SELECT grove.train(format('SELECT i AS x, %s AS y FROM generate_series(1, 40) AS i', n), 'y', '{"algorithm": "tree"}', task => 'regression') $$;
CREATE FUNCTION say() RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN grove.predict('m', 1); END $$;

SELECT grove.save('m', constant(i)) FROM generate_series(1, 3) AS i;
SELECT grove.predict('m', 1), say();

-- a PL/pgSQL loop that deploys: one expression, one call site, another answer each time
DO $$
DECLARE
	found float8[] := '{}';
BEGIN
	FOR i IN 1..3 LOOP
		PERFORM grove.deploy('m', i);
		found := found || grove.predict('m', 1);
	END LOOP;
	RAISE WARNING 'deployed in a loop: %', found;
END $$;

-- saving and rolling back in subtransactions
DO $$
DECLARE
	found float8[] := '{}';
BEGIN
	FOR i IN 1..3 LOOP
		BEGIN
			PERFORM grove.save('m', visibility.constant(10 * i));
			found := found || grove.predict('m', 1);
			RAISE 'back';
		EXCEPTION WHEN raise_exception THEN
			found := found || grove.predict('m', 1);
		END;
	END LOOP;
	RAISE WARNING 'saved and rolled back: %', found;
END $$;
BEGIN;
SELECT grove.save('m', constant(50));
SELECT grove.predict('m', 1), say();
SAVEPOINT s;
SELECT grove.save('m', constant(60));
SELECT grove.predict('m', 1), say();
ROLLBACK TO s;
SELECT grove.predict('m', 1), say();
ROLLBACK;
SELECT grove.predict('m', 1), say();

-- prepared statements
PREPARE p AS SELECT grove.predict('m', $1::int);
EXECUTE p (1);
SELECT grove.deploy('m', 1);
EXECUTE p (1);
PREPARE n AS SELECT grove.predict($1::text, 1);
EXECUTE n ('m');
SELECT grove.save('n', constant(9));
EXECUTE n ('n');
EXECUTE n ('m');

-- a name that changes from row to row
SELECT array_agg(grove.predict(name, 1) ORDER BY i) FROM (SELECT i, ('{m,n}'::text[])[1 + i % 2] AS name FROM generate_series(1, 6) AS i) AS t;

-- one statement, one version: what it saves itself it does not see
SELECT (SELECT grove.save('m', constant(70))) AS version, grove.predict('m', i) AS before FROM generate_series(1, 2) AS i;
SELECT grove.predict('m', 1) AS after;

-- a cursor keeps the version of its snapshot
BEGIN;
DECLARE c CURSOR FOR SELECT grove.predict('m', i) FROM generate_series(1, 4) AS i;
FETCH 2 FROM c;
SELECT grove.save('m', constant(80));
FETCH 2 FROM c;
SELECT grove.predict('m', 1) AS after;
COMMIT;

-- parallel workers
CREATE TABLE numbers AS SELECT i FROM generate_series(1, 20000) AS i;
ANALYZE numbers;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT count(*), min(grove.predict('m', i)), max(grove.predict('m', i)) FROM numbers;
SELECT count(*), min(grove.predict('m', i)), max(grove.predict('m', i)) FROM numbers;
BEGIN;
SELECT grove.deploy('m', 2);
SELECT count(*), min(grove.predict('m', i)), max(grove.predict('m', i)) FROM numbers;
ROLLBACK;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- a thousand names under a small cache
SET grove.model_cache_size = '64kB';
SELECT count(grove.save('number ' || i, constant(i))) FROM generate_series(1, 1000) AS i;
SELECT count(*) FILTER (WHERE grove.predict('number ' || i, 1) = i) FROM generate_series(1, 1000) AS i;
SELECT count(*) FILTER (WHERE grove.predict('number ' || 1 + i % 20, 1) = 1 + i % 20) FROM generate_series(1, 2000) AS i;
RESET grove.model_cache_size;

SELECT count(grove.drop_model(name)) FROM (SELECT DISTINCT name FROM grove.models WHERE name ~ '^(m|n|number [0-9]+)$') AS n;
DROP SCHEMA visibility CASCADE;
