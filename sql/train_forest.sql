-- What a forest measures: rows on the trees that did not see them, and
-- validation rows.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE points AS
	SELECT i, grove.u01(1, i) AS a, grove.u01(2, i) AS b, grove.u01(3, i) AS c, grove.u01(4, i) AS noise, i % 2 = 0 AS held, 1 + i % 4 AS w
	FROM generate_series(1, 4000::bigint) AS i;
ALTER TABLE points ADD y float8, ADD hit boolean, ADD kind text;
UPDATE points SET y = 3 * a + sin(6 * b) + noise, hit = a + b + 0.6 * noise > 1.3,
	kind = CASE WHEN a + 0.3 * noise > 0.8 THEN 'far' WHEN b + 0.3 * noise > 0.6 THEN 'up' ELSE 'near' END;

CREATE FUNCTION pg_temp.fit(columns text, target text, more text, held boolean) RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	model bytea;
BEGIN
	EXECUTE format('SELECT grove.train(%L, %L, %L %s)', 'SELECT a, b, c, held, ' || columns || ' FROM points' || CASE WHEN held THEN '' ELSE ' WHERE NOT held' END,
		target, '{"algorithm": "forest", "num_iterations": 60}', ', validation => ''held''' || more)
	INTO model;
	RETURN model;
END
$$;

-- every target: what is reported
CREATE TABLE forests AS
	SELECT target, pg_temp.fit(target, target, '', true) AS model FROM unnest('{y, hit, kind}'::text[]) AS target;
ALTER TABLE forests ADD m jsonb;
UPDATE forests SET m = grove.metrics(model);
SELECT target, array_agg(key ORDER BY key) AS reported
FROM (SELECT target, jsonb_object_keys(m) AS key FROM forests) AS k GROUP BY target ORDER BY target;
SELECT target, m -> 'oob_rows' AS oob_rows, m -> 'validation_rows' AS validation_rows
FROM forests ORDER BY target;

-- rows left out by trees tell what other rows tell
SELECT target, round((m ->> 'oob_accuracy')::numeric, 2) AS oob, abs((m ->> 'oob_accuracy')::float8 - (m ->> 'validation_accuracy')::float8) < 0.02 AS close
FROM forests WHERE target <> 'y' ORDER BY target;
SELECT (m ->> 'oob_squared_error')::float8 BETWEEN 0.11 AND 0.12 AS oob, (m ->> 'oob_squared_error')::float8 / (m ->> 'validation_squared_error')::float8 BETWEEN 0.9 AND 1.1 AS close
FROM forests WHERE target = 'y';
SELECT round((m ->> 'oob_brier')::numeric, 2) AS oob, (m ->> 'oob_brier')::float8 / (m ->> 'validation_brier')::float8 BETWEEN 0.9 AND 1.1 AS close
FROM forests WHERE target = 'hit';

-- and not what the rows tell that the trees saw
SELECT avg((grove.predict_class(model, a, b, c) = kind)::int) > min(m ->> 'oob_accuracy')::float8 + 0.05 AS memorised
FROM forests, points WHERE target = 'kind' AND NOT held;

-- validation metrics are those of the model
SELECT round((avg((grove.predict(model, a, b, c) - y) ^ 2) / min(m ->> 'validation_squared_error')::float8)::numeric, 4) AS quotient
FROM forests, points WHERE target = 'y' AND held;
SELECT round((avg((grove.predict(model, a, b, c) - hit::int) ^ 2) / min(m ->> 'validation_brier')::float8)::numeric, 4) AS quotient,
	round((avg(((grove.predict(model, a, b, c) >= 0.5) = hit)::int) - min(m ->> 'validation_accuracy')::float8)::numeric, 3) AS difference
FROM forests, points WHERE target = 'hit' AND held;
SELECT round((avg((grove.predict_class(model, a, b, c) = kind)::int) - min(m ->> 'validation_accuracy')::float8)::numeric, 3) AS difference
FROM forests, points WHERE target = 'kind' AND held;

-- weighted means
WITH f AS MATERIALIZED (SELECT pg_temp.fit('y, w', 'y', ', weight => ''w''', true) AS model)
SELECT round((sum(w * (grove.predict(model, a, b, c) - y) ^ 2) / sum(w) / (SELECT (grove.metrics(model) ->> 'validation_squared_error')::float8 FROM f))::numeric, 4) AS quotient
FROM f, points WHERE held;

-- other objectives report their own loss
SELECT o, round((avg(CASE o WHEN 'regression_l1' THEN abs(p - y) ELSE (y - p) * (0.8 - (y < p)::int) END) / min(loss))::numeric, 4) AS quotient
FROM (VALUES ('regression_l1', '{}', 'validation_absolute_error'), ('quantile', '{"quantile_alpha": 0.8}', 'validation_quantile_loss')) AS v(o, more, name),
	LATERAL (SELECT grove.train('SELECT a, b, c, y, held FROM points', 'y',
		more::jsonb || jsonb_build_object('algorithm', 'forest', 'num_iterations', 10, 'objective', o), validation => 'held') AS model) AS f,
	LATERAL (SELECT (grove.metrics(model) ->> name)::float8 AS loss) AS l, points, LATERAL (SELECT grove.predict(model, a, b, c) AS p) AS x
WHERE held GROUP BY o ORDER BY o;

-- validation rows do not change the trees: without any the same nodes
SELECT target, (SELECT md5(string_agg(n::text, ',' ORDER BY tree, node)) FROM grove.nodes(model) AS n) =
	(SELECT md5(string_agg(n::text, ',' ORDER BY tree, node)) FROM grove.nodes(alone) AS n) AS same_trees,
	m -> 'oob_rows' = grove.metrics(alone) -> 'oob_rows' AS same_rows
FROM forests, LATERAL (SELECT pg_temp.fit(target, target, '', false) AS alone OFFSET 0) AS f ORDER BY target;

-- one tree: the rows that its bootstrap sample lacks, about 1 in e
SELECT (grove.metrics(grove.train('SELECT a, b, y FROM points', 'y', '{"algorithm": "forest", "num_iterations": 1}')) ->> 'oob_rows')::int BETWEEN 1350 AND 1590 AS third;

-- the same bytes for any order of rows and number of workers
SET grove.min_parallel_cells = 0;
SET maintenance_work_mem = '256MB';
CREATE TABLE digests(target text, how text, digest text);
SET max_parallel_maintenance_workers = 0;
INSERT INTO digests SELECT target, 'alone', md5(pg_temp.fit(target, target, '', true)) FROM forests;
INSERT INTO digests SELECT target, 'before', md5(model) FROM forests;
SET max_parallel_maintenance_workers = 4;
SET grove.max_workers = 3;
INSERT INTO digests SELECT target, '3 workers', md5(pg_temp.fit(target, target, '', true)) FROM forests;
INSERT INTO digests SELECT target, 'shuffled', md5(grove.train(format('SELECT a, b, c, held, %I FROM points ORDER BY grove.hash64(9, i)', target), target,
	'{"algorithm": "forest", "num_iterations": 60}', validation => 'held')) FROM forests;
SELECT target, count(*) AS runs, count(DISTINCT digest) AS models FROM digests GROUP BY target ORDER BY target;
RESET grove.min_parallel_cells;
RESET grove.max_workers;
RESET maintenance_work_mem;
RESET max_parallel_maintenance_workers;

-- ended early, the trees that there are count in full
CREATE TABLE early AS SELECT grove.train('SELECT a, b, y, held FROM points', 'y',
	'{"algorithm": "forest", "num_iterations": 100000, "max_seconds": 0.01}', validation => 'held') AS model;
ALTER TABLE early ADD m jsonb;
UPDATE early SET m = grove.metrics(model);
SELECT bool_and((m ->> 'rounds')::int < 100000) AS ended_early, abs(avg(grove.predict(model, a, b)) - avg(y)) < 0.1 AS in_full,
	abs(avg((grove.predict(model, a, b) - y) ^ 2) / min(m ->> 'validation_squared_error')::float8 - 1) < 0.001 AS measured
FROM early, points WHERE held;

-- nothing to measure on
SELECT grove.metrics(grove.train('SELECT a, y, true AS v, 0 AS w FROM points WHERE i < 3 UNION ALL SELECT a, y, false, 1 FROM points WHERE i < 40', 'y',
	'{"algorithm": "forest", "num_iterations": 2}', validation => 'v', weight => 'w')) -> 'validation_squared_error' AS no_weight;

CREATE FUNCTION pg_temp.try(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END
$$;
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, held FROM points', 'y', '{"algorithm": "forest", "early_stopping_rounds": 5}', validation => 'held')$$);

DROP TABLE points, forests, digests, early;
