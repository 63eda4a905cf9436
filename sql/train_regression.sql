-- Training a regression: a single tree against group means, boosting on
-- awkward targets, and the options that shrink leaves against their formulas.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE steps AS
	SELECT i AS id, i % 8 AS x, CASE WHEN i % 8 < 3 THEN 1.5 WHEN i % 8 < 6 THEN -2.25 ELSE 10 END::float8
		+ CASE WHEN i % 3 = 0 THEN 0.5 ELSE -0.25 END AS y
	FROM generate_series(1, 2400) AS i;

-- a tree with a leaf for each value of x predicts the mean of y there
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT x, y FROM steps', 'y',
		'{"algorithm": "tree", "num_leaves": 8, "min_data_in_leaf": 1}') AS model)
SELECT x, round(avg(y)::numeric, 6) = round(max(grove.predict(model, x))::numeric, 6) AS is_mean,
	max(grove.predict(model, x)) = min(grove.predict(model, x)) AS is_constant
FROM steps, m GROUP BY x ORDER BY x;

-- a stump: the split that a search over all thresholds finds
WITH totals AS (SELECT sum(y) AS g, count(*) AS n, avg(y) AS mean FROM steps),
candidates AS (
	SELECT c.x, power(sum(y - mean), 2) / count(*) + power(sum(mean - y), 2) / (max(n) - count(*)) AS gain,
		avg(y) AS below, (max(g) - sum(y)) / (max(n) - count(*)) AS above
	FROM (SELECT DISTINCT x FROM steps) AS c, steps, totals
	WHERE steps.x <= c.x AND c.x < 7 GROUP BY c.x ORDER BY gain DESC LIMIT 1),
m AS MATERIALIZED (
	SELECT grove.train('SELECT x, y FROM steps', 'y', '{"algorithm": "tree", "num_leaves": 2}') AS model)
SELECT x AS threshold, round((grove.predict(model, x) - below)::numeric, 6) AS left_error,
	round((grove.predict(model, x + 1) - above)::numeric, 6) AS right_error,
	grove.predict(model, x::float8 + 0.49) = grove.predict(model, x) AS left_of_the_middle
FROM candidates, m;

-- leaf values of a stump around a base of 0: -(G -+ l1) / (n + l2), cut at max_delta_step
CREATE TABLE two AS SELECT i % 2 AS x, CASE i % 2 WHEN 0 THEN 3.0 ELSE -1.0 END::float8 AS y FROM generate_series(1, 100) AS i;
SELECT options, round(grove.predict(model, 0)::numeric, 4) AS at_0, round(grove.predict(model, 1)::numeric, 4) AS at_1
FROM (VALUES
	(1, '{}'), (2, '{"lambda_l2": 50}'), (3, '{"lambda_l1": 25}'), (4, '{"lambda_l1": 60}'),
	(5, '{"max_delta_step": 0.5}'), (6, '{"lambda_l2": 50, "lambda_l1": 25}'), (7, '{"min_gain_to_split": 399}'),
	(8, '{"min_gain_to_split": 401}'), (9, '{"min_data_in_leaf": 50}'), (10, '{"min_data_in_leaf": 51}')) AS o(nr, options),
	LATERAL (SELECT grove.train('SELECT x, y FROM two', 'y', options::jsonb ||
		'{"algorithm": "tree", "num_leaves": 2, "boost_from_average": false}') AS model) AS m
ORDER BY nr;

-- gradient clipping bounds every step of boosting, too: ten rounds at rate 0.1 move at most 10 * 0.1 * 0.5
SELECT round(grove.predict(grove.train('SELECT x, y FROM two', 'y',
	'{"max_delta_step": 0.5, "num_iterations": 10, "boost_from_average": false, "min_data_in_leaf": 1}'), 0)::numeric, 4) AS clipped,
	round(grove.predict(grove.train('SELECT x, y FROM two', 'y',
	'{"num_iterations": 10, "boost_from_average": false, "min_data_in_leaf": 1}'), 0)::numeric, 4) AS free;

-- num_leaves and max_depth
SELECT options, count(DISTINCT grove.predict(model, x)) AS leaves
FROM (VALUES (1, '{"num_leaves": 3}'), (2, '{"max_depth": 1}'), (3, '{"max_depth": 2}'), (4, '{"max_depth": 0}')) AS o(nr, options),
	LATERAL (SELECT grove.train('SELECT x, y + x * 0.01 AS y FROM steps', 'y', options::jsonb || '{"algorithm": "tree", "min_data_in_leaf": 1}') AS model) AS m,
	steps GROUP BY nr, options ORDER BY nr;

-- targets far from 0, tiny, huge, constant
SELECT label, round(grove.r2(y * scale + shift, grove.predict(model, x))::numeric, 3) AS r2
FROM (VALUES ('far', 1.0, 1e9), ('tiny', 1e-25, 0.0), ('huge', 1e30, 0.0)) AS v(label, scale, shift),
	LATERAL (SELECT grove.train(format('SELECT x, y * %s + %s AS y FROM steps', scale::float8, shift::float8), 'y') AS model) AS m, steps
GROUP BY label ORDER BY label;
SELECT grove.predict(grove.train('SELECT x, 42.5::float8 AS y FROM steps', 'y'), 3) AS constant;

-- features that cannot help: constant, all null; every numeric type
SELECT round(grove.rmse(y, grove.predict(model, a, b, c, d, e, f, g, h))::numeric, 4) < 0.4 AS fits
FROM (SELECT grove.train('SELECT 7 AS a, NULL::float8 AS b, x::smallint AS c, x::bigint AS d, x::real AS e, x::numeric AS f,
			date ''2024-01-01'' + x AS g, timestamp ''2024-01-01'' + x * interval ''1 hour'' AS h, y FROM steps', 'y') AS model) AS m,
	(SELECT 7 AS a, NULL::float8 AS b, x::smallint AS c, x::bigint AS d, x::real AS e, x::numeric AS f,
			date '2024-01-01' + x AS g, timestamp '2024-01-01' + x * interval '1 hour' AS h, y FROM steps) AS r;

-- infinite features count as the largest finite value
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT CASE WHEN x < 3 THEN ''-infinity''::float8 WHEN x < 6 THEN x ELSE ''infinity'' END AS x, y FROM steps', 'y',
		'{"algorithm": "tree", "min_data_in_leaf": 1}') AS model)
SELECT v, round(grove.predict(model, v)::numeric, 3) AS p
FROM m, (VALUES ('-infinity'::float8), (-1e300), (4), (1e300), ('infinity')) AS t(v);

DROP TABLE steps, two;
