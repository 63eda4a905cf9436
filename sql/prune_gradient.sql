-- prune, method gradient: probabilities proportional to the length of the gradient, for two classes, more, and numbers.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA prune_gradient;
SET search_path = prune_gradient, public;
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END $$;
CREATE TABLE trips AS
SELECT id, a, b, a * 3 + (b > 0.5)::int * 2 + 0.3 * (grove.u01(3, id) - 0.5) + (id % 100 = 0)::int * 10 AS fare,
	   CASE WHEN a < 0.3 THEN 'short' WHEN a + b < 1.2 THEN 'middle' ELSE 'long' END AS kind,
	   grove.u01(4, id) < 0.8 * a * b AS tip
FROM (SELECT id, grove.u01(1, id) AS a, grove.u01(2, id) AS b FROM generate_series(1, 6000) AS id) AS x;
ALTER TABLE trips ADD PRIMARY KEY (id);
CREATE TABLE models AS
SELECT target, grove.train('trips', target, ignore => ARRAY['id', 'fare', 'kind', 'tip'], params => '{"num_iterations": 20}') AS model
FROM (VALUES ('tip'), ('kind'), ('fare')) AS t(target);
CREATE FUNCTION pg_temp.model_of(name text) RETURNS bytea LANGUAGE sql AS $$SELECT model FROM models WHERE target = name$$;

-- Two classes: sqrt(g^2 + lambda h^2) / tau, g = p - y, h = p (1 - p); tau is 1 / threshold.
CREATE FUNCTION pg_temp.binary_off(lambda float8) RETURNS TABLE (n bigint, worst boolean, weights boolean) LANGUAGE sql AS $$
	WITH plan AS (
		SELECT threshold AS c FROM grove.prune_plan(NULL::trips, 'trips', n => 1500, method => 'gradient', target => 'tip',
			model => pg_temp.model_of('tip'), params => jsonb_build_object('lambda', lambda))),
	scored AS (
		SELECT r.*, grove.predict(pg_temp.model_of('tip'), r.kept) AS p, (r.kept).tip::int AS y
		FROM grove.prune(NULL::trips, 'trips', n => 1500, method => 'gradient', target => 'tip',
			model => pg_temp.model_of('tip'), params => jsonb_build_object('lambda', lambda)) AS r)
	SELECT count(*), max(abs(ln(pi / least(1, c * sqrt((p - y) ^ 2 + lambda * (p * (1 - p)) ^ 2))))) < 0.035, bool_and(weight = 1 / pi)
	FROM scored, plan
$$;
SELECT lambda, b.* FROM (VALUES (0), (1), (25)) AS l(lambda), LATERAL pg_temp.binary_off(lambda) AS b ORDER BY 1;

-- More classes: the gradient is p less 1 at the row's class; sizes are known to 1/16 of themselves.
WITH plan AS (SELECT threshold AS c FROM grove.prune_plan(NULL::trips, 'trips', n => 1500, method => 'gradient', target => 'kind', model => pg_temp.model_of('kind'))),
scored AS (
	SELECT r.pi, (SELECT sqrt(sum((p - (c = (r.kept).kind)::int) ^ 2 + (p * (1 - p)) ^ 2))
				  FROM unnest(grove.classes(pg_temp.model_of('kind')), grove.predict_proba(pg_temp.model_of('kind'), r.kept)) AS u(c, p)) AS size
	FROM grove.prune(NULL::trips, 'trips', n => 1500, method => 'gradient', target => 'kind', model => pg_temp.model_of('kind')) AS r)
SELECT count(*), max(abs(ln(pi / least(1, c * size)))) < 0.065 AS right FROM scored, plan;

-- Numbers: the distance counts in units of the mean distance, and the hessian is 1.
WITH plan AS (SELECT threshold AS c FROM grove.prune_plan(NULL::trips, 'trips', n => 1500, method => 'gradient', target => 'fare', model => pg_temp.model_of('fare'))),
mean AS (SELECT avg(abs(fare - grove.predict(pg_temp.model_of('fare'), trips))) AS m FROM trips),
scored AS (
	SELECT r.pi, abs((r.kept).fare - grove.predict(pg_temp.model_of('fare'), r.kept)) AS d
	FROM grove.prune(NULL::trips, 'trips', n => 1500, method => 'gradient', target => 'fare', model => pg_temp.model_of('fare')) AS r)
SELECT count(*), max(abs(ln(pi / least(1, c * sqrt((d / m) ^ 2 + 1))))) < 0.065 AS right FROM scored, plan, mean;

-- Weights restore totals; pilots are trained when no model is given.
SELECT target, count(*), abs(sum(weight) / 6000 - 1) < 0.1 AS total, max(pi) > min(pi) AS differ
FROM unnest(ARRAY['tip', 'kind', 'fare']) AS target, LATERAL grove.prune(NULL::trips, 'trips', keep => 0.3, method => 'gradient', target => target, seed => 5)
GROUP BY 1 ORDER BY 1;

-- Errors.
SELECT a, pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::trips, ''trips'', keep => 0.5, method => ''gradient'', ' || a || ')') FROM (VALUES
	(1, 'target => NULL'), (2, 'target => ''tip'', params => ''{"lambda": -1}'''), (3, 'target => ''tip'', params => ''{"lambda": "1"}'''),
	(4, 'target => ''tip'', params => ''{"lambda": 1e7}'''), (5, 'target => ''tip'', params => ''{"class_cap": 0.1}'''),
	(6, 'target => ''tip'', by => ''{kind}'''), (7, 'target => ''kind'', params => ''{"pilot": {"objective": "regression"}}'''),
	(8, 'target => ''fare'', params => ''{"task": "ranking"}'''), (9, 'target => ''fare'', params => ''{"pilot": {"objective": "lambdarank"}}''')) AS v(n, a) ORDER BY n;
CREATE TABLE endless AS SELECT id, a, CASE WHEN id = 3 THEN 'Infinity'::float8 ELSE fare END AS fare FROM trips;
SELECT pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::record, ''endless'', key => ''{id}'', keep => 0.5, method => ''gradient'', target => ''fare'')');
SELECT pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::record, ''SELECT *, fare AS b FROM endless'', key => ''{id}'', keep => 0.5, method => ''gradient'', target => ''fare'', model => (SELECT model FROM models WHERE target = ''fare''))');
DROP SCHEMA prune_gradient CASCADE;
