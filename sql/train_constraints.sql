-- Constraints on trees: monotone features, interactions, smoothing towards the
-- node above, random thresholds.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE demand AS
	SELECT i AS id, (i * 7919) % 100 AS price, (i * 104729) % 50 AS income, (i * 613) % 30 AS age, 's' || i % 4 AS shop,
		CASE WHEN i % 9 = 0 THEN NULL ELSE (i * 31) % 77 END AS stock
	FROM generate_series(1, 4000::bigint) AS i;
ALTER TABLE demand ADD sold float8, ADD sells boolean;
UPDATE demand SET sold = 50 - 0.4 * price + 0.5 * income + 4 * sin(price * 0.7) + 3 * cos(income * 1.1) + (id * 17) % 13 + coalesce(stock, 30) * 0.02;
UPDATE demand SET sells = sold > 45 + (id * 7) % 11;

-- a prediction on a grid: never rises with the price, never falls with the income, at any value of the others
CREATE FUNCTION pg_temp.violations(model bytea, OUT price bigint, OUT income bigint)
LANGUAGE sql AS $$
	WITH grid AS MATERIALIZED (
		SELECT p, i, a, grove.predict_raw($1, p, i, a, 's1', 12) AS y
		FROM generate_series(-2, 102, 2) AS p, generate_series(-2, 52, 2) AS i, generate_series(0, 30, 10) AS a)
	SELECT count(*) FILTER (WHERE y > before_p), count(*) FILTER (WHERE y < before_i)
	FROM (SELECT y, lag(y) OVER (PARTITION BY i, a ORDER BY p) AS before_p, lag(y) OVER (PARTITION BY p, a ORDER BY i) AS before_i FROM grid) AS g
$$;
CREATE FUNCTION pg_temp.trained(params jsonb, roles text) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	model bytea;
BEGIN
	EXECUTE format('SELECT grove.train(%L, %L, %L %s)', 'SELECT price, income, ' || CASE WHEN roles = '' THEN 'age,' ELSE '1 + age AS age, age AS copy,' END ||
		' shop, stock, greatest(sold, 0.1) AS sold FROM demand', 'sold', params, roles) INTO model;
	RETURN model;
END $$;
SELECT label, (v).price > 0 AS rises_with_price, (v).income > 0 AS falls_with_income
FROM (VALUES (1, 'free', '{}'), (2, 'price', '{"monotone_constraints": {"price": -1}}'),
		(3, 'both', '{"monotone_constraints": {"price": -1, "income": 1}}'),
		(4, 'both, smoothed', '{"monotone_constraints": {"price": -1, "income": 1}, "path_smooth": 20}'),
		(5, 'both, steps bounded', '{"monotone_constraints": {"price": -1, "income": 1}, "max_delta_step": 1, "lambda_l1": 3}'),
		(6, 'both, random thresholds', '{"monotone_constraints": {"price": -1, "income": 1}, "extra_trees": true}')) AS c(nr, label, params),
	LATERAL (SELECT pg_temp.violations(grove.train('SELECT price, income, age, shop, stock, sold FROM demand', 'sold', params::jsonb)) AS v) AS v
ORDER BY nr;
SELECT (v).price > 0 AS rises_with_price, (v).income > 0 AS falls_with_income
FROM (SELECT pg_temp.violations(grove.train('SELECT price, income, age, shop, stock, sells FROM demand', 'sells',
	'{"monotone_constraints": {"price": -1, "income": 1}}')) AS v) AS v;

-- so with every loss whose leaves can be bounded, with weights, samples and in a forest; without the constraint none is monotone
SELECT label, (free).price > 0 AND (free).income > 0 AS free_is_not, (held).price AS rises_with_price, (held).income AS falls_with_income
FROM (VALUES (1, 'huber', '{"objective": "huber", "huber_delta": 3}', ''),
		(2, 'poisson', '{"objective": "poisson"}', ''),
		(3, 'gamma', '{"objective": "gamma"}', ''),
		(4, 'tweedie', '{"objective": "tweedie"}', ', weight => ''age'''),
		(5, 'weights', '{}', ', weight => ''age'''),
		(6, 'margins', '{}', ', base_margin => ''age'''),
		(7, 'goss', '{"data_sample_strategy": "goss", "learning_rate": 0.5, "num_iterations": 30}', ''),
		(8, 'mvs', '{"data_sample_strategy": "mvs", "bagging_fraction": 0.5}', ''),
		(9, 'bagging', '{"bagging_fraction": 0.5, "feature_fraction_bynode": 0.7}', ''),
		(10, 'forest', '{"algorithm": "forest", "num_iterations": 30}', ''),
		(11, 'tree', '{"algorithm": "tree", "num_leaves": 200}', ', weight => ''age''')) AS c(nr, label, params, roles),
	LATERAL (SELECT pg_temp.trained(params::jsonb, roles) AS free_model,
		pg_temp.trained(params::jsonb || '{"monotone_constraints": {"price": -1, "income": 1}}', roles) AS held_model) AS m,
	LATERAL (SELECT pg_temp.violations(free_model) AS free, pg_temp.violations(held_model) AS held) AS v
ORDER BY nr;

-- the constraint costs little where it is true
SELECT label, round(grove.r2(sold, grove.predict(model, price, income, age, shop, stock))::numeric, 2) AS r2
FROM (VALUES ('constrained', '{"monotone_constraints": {"price": -1, "income": 1}}'), ('free', '{}')) AS c(label, params),
	LATERAL (SELECT grove.train('SELECT price, income, age, shop, stock, sold FROM demand', 'sold', params::jsonb) AS model) AS m, demand
GROUP BY label ORDER BY label;

-- interactions: no path of a tree splits on features of different groups; a feature in no group stands alone
CREATE FUNCTION pg_temp.paths(model bytea) RETURNS TABLE (features text)
LANGUAGE sql AS $$
	WITH RECURSIVE n AS MATERIALIZED (SELECT * FROM grove.nodes($1)),
	walk AS (
		SELECT tree, node, feature, left_child, right_child, ARRAY[feature] AS path FROM n WHERE parent IS NULL AND feature IS NOT NULL
		UNION ALL
		SELECT n.tree, n.node, n.feature, n.left_child, n.right_child, path || n.feature
		FROM walk JOIN n ON n.tree = walk.tree AND n.node IN (walk.left_child, walk.right_child) WHERE n.feature IS NOT NULL)
	SELECT DISTINCT (SELECT string_agg(DISTINCT f, ',' ORDER BY f) FROM unnest(path) AS f) FROM walk
$$;
SELECT features FROM pg_temp.paths(grove.train('SELECT price, income, age, shop, stock, sold FROM demand', 'sold',
	'{"interaction_constraints": [["price", "income"], ["income", "age"]], "num_iterations": 40}')) ORDER BY features;
SELECT count(*) > 8 AS free_paths_mix FROM pg_temp.paths(grove.train('SELECT price, income, age, shop, stock, sold FROM demand', 'sold'));

-- path_smooth: (n * step + rows * output above) / (n + rows), here for the two leaves of a stump under a base of 0
CREATE TABLE two AS SELECT (i > 40)::int AS x, CASE WHEN i > 40 THEN -1.0 ELSE 3.0 END::float8 AS y FROM generate_series(1, 100) AS i;
SELECT round(grove.predict(model, 0)::numeric, 5) AS at_0, round((40 * 3 + 60 * 0.6) / 100.0, 5) AS expected_0,
	round(grove.predict(model, 1)::numeric, 5) AS at_1, round((60 * -1 + 60 * 0.6) / 120.0, 5) AS expected_1
FROM (SELECT grove.train('SELECT x, y FROM two', 'y',
	'{"algorithm": "tree", "num_leaves": 2, "path_smooth": 60, "boost_from_average": false}') AS model) AS m;

-- extra_trees: thresholds differ from seed to seed, the best one does not
SELECT label, count(DISTINCT threshold) > 5 AS thresholds_vary
FROM (VALUES ('best', '{}'), ('random', '{"extra_trees": true}')) AS c(label, params), generate_series(1, 20) AS seed,
	LATERAL (SELECT threshold FROM grove.nodes(grove.train('SELECT price, sold FROM demand', 'sold',
		params::jsonb || '{"algorithm": "tree", "num_leaves": 2}', seed => seed)) WHERE node = 0) AS n
GROUP BY label ORDER BY label;

-- max_seconds: a time that is over at once still gives a model of at least one round
SELECT (grove.metrics(grove.train('SELECT price, income, age, sold FROM demand', 'sold',
	'{"num_iterations": 100000, "max_seconds": 0.01}')) ->> 'rounds')::int BETWEEN 1 AND 99999 AS stopped;

-- reading counts: when it takes longer one round is left, of all classes; and two folds
WITH slow AS MATERIALIZED (
	SELECT 'WITH s AS MATERIALIZED (SELECT pg_sleep(0.2)::text AS done) SELECT price, income, age, shop, sold FROM demand, s WHERE done = ''''' AS source)
SELECT grove.metrics(grove.train(source, 'sold', '{"num_iterations": 1000, "max_seconds": 0.1}')) ->> 'rounds' AS rounds,
	grove.describe(grove.train(source, 'shop', '{"num_iterations": 1000, "max_seconds": 0.1, "objective": "multiclass"}')) ->> 'trees' AS trees,
	grove.metrics(grove.train(source, 'sold', '{"algorithm": "tree", "ccp_folds": 100, "max_seconds": 0.1}')) ->> 'ccp_folds' AS folds
FROM slow;

-- what is refused
CREATE FUNCTION pg_temp.try(params jsonb, columns text DEFAULT 'price, income, shop, sold', target text DEFAULT 'sold') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
BEGIN
	PERFORM grove.train(format('SELECT %s FROM demand', columns), target, params);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(hint, ''));
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.try('{"monotone_constraints": {"prize": 1}}');
SELECT pg_temp.try('{"monotone_constraints": {"price": 2}}');
SELECT pg_temp.try('{"monotone_constraints": [1, 0]}');
SELECT pg_temp.try('{"monotone_constraints": {"price": [1]}}');
SELECT pg_temp.try('{"monotone_constraints": {"shop": 1}}');
SELECT pg_temp.try('{"monotone_constraints": {"price": 1}}', 'price, shop', 'shop');
SELECT pg_temp.try('{"interaction_constraints": [["price", "nothing"]]}');
SELECT pg_temp.try('{"interaction_constraints": ["price"]}');
SELECT pg_temp.try('{"interaction_constraints": [["price", ["income"]]]}');
SELECT pg_temp.try('{"interaction_constraints": {"price": 1}}');
SELECT pg_temp.try('{"interaction_constraints": 7}');
SELECT pg_temp.try(jsonb_build_object('interaction_constraints', (SELECT jsonb_agg('["price"]'::jsonb) FROM generate_series(1, 65))));

DROP TABLE demand, two;
