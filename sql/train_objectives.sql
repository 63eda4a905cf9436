-- Objectives of a regression: each against the optimum that is known for it,
-- its metric against its formula, margins, and what they refuse.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

-- y is skewed, count and amount have zeros, w is a weight; 1,999 rows, so that quantiles are single rows
CREATE TABLE claims AS
	SELECT i AS id, i % 4 AS x, (i * 7919) % 2003 AS u, 1 + i % 3 AS w, i % 5 = 0 AS held FROM generate_series(1, 1999) AS i;
ALTER TABLE claims ADD y float8, ADD count int, ADD amount float8, ADD exposure float8;
UPDATE claims SET y = (x + 1) * (0.1 + u * u / 1e6), count = (x + 1) * u / 1500, exposure = 0.5 + (id % 7) / 3.0,
	amount = CASE WHEN u % 3 = 0 THEN 0 ELSE (x + 1) * u / 500.0 END;

-- the rows of one objective: its options, its target, and the optimum over rows
CREATE FUNCTION pg_temp.fit(target text, options jsonb, features text, roles text DEFAULT '') RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	model bytea;
BEGIN
	EXECUTE format('SELECT grove.train(%L, %L, %L %s)', format('SELECT %s, %s FROM claims', features, target), target, options, roles) INTO model;
	RETURN model;
END
$$;

-- without a useful feature the model is the best constant
SELECT round(grove.predict(pg_temp.fit('y', '{"objective": "regression"}', '1 AS one'), 1)::numeric, 5) = round(avg(y)::numeric, 5) AS mean,
	round(grove.predict(pg_temp.fit('y', '{"objective": "regression_l1"}', '1 AS one'), 1)::numeric, 5)
		= round((percentile_disc(0.5) WITHIN GROUP (ORDER BY y))::numeric, 5) AS median,
	round(grove.predict(pg_temp.fit('y', '{"objective": "quantile", "quantile_alpha": 0.9}', '1 AS one'), 1)::numeric, 5)
		= round((percentile_disc(0.9) WITHIN GROUP (ORDER BY y))::numeric, 5) AS quantile_90,
	round(grove.predict(pg_temp.fit('y', '{"objective": "quantile", "quantile_alpha": 0.05}', '1 AS one'), 1)::numeric, 5)
		= round((percentile_disc(0.05) WITHIN GROUP (ORDER BY y))::numeric, 5) AS quantile_5,
	round(grove.predict(pg_temp.fit('count', '{"objective": "poisson"}', '1 AS one'), 1)::numeric, 4) = round(avg(count), 4) AS poisson,
	round(grove.predict(pg_temp.fit('y', '{"objective": "gamma"}', '1 AS one'), 1)::numeric, 4) = round(avg(y)::numeric, 4) AS gamma,
	round(grove.predict(pg_temp.fit('amount', '{"objective": "tweedie"}', '1 AS one'), 1)::numeric, 4) = round(avg(amount)::numeric, 4) AS tweedie
FROM claims;

-- the middle of an even number of rows is between two of them
SELECT grove.predict(grove.train('SELECT 1 AS one, y FROM (VALUES (1.0::float8), (2), (5), (100)) AS v(y)', 'y', '{"objective": "regression_l1"}'), 1) AS median;

-- Huber's loss: pulls of the residuals, cut at delta, cancel
SELECT delta, round((sum(greatest(-delta, least(delta, y - p))) / count(*))::numeric, 5) AS pull, p BETWEEN median AND mean AS between_median_and_mean
FROM (VALUES (0.1), (1), (100)) AS d(delta),
	LATERAL (SELECT grove.predict(pg_temp.fit('y', jsonb_build_object('objective', 'huber', 'huber_delta', delta), '1 AS one'), 1) AS p) AS m,
	(SELECT avg(y) + 1e-5 AS mean, percentile_disc(0.5) WITHIN GROUP (ORDER BY y) AS median FROM claims) AS s, claims
GROUP BY delta, p, median, mean ORDER BY delta;

-- with a leaf for each x, one full step gives the medians and quantiles there, and steps of log-link losses lead to the means
WITH m AS MATERIALIZED (
	SELECT pg_temp.fit('y', '{"objective": "regression_l1", "num_iterations": 1, "learning_rate": 1}', 'x') AS l1,
		pg_temp.fit('y', '{"objective": "regression_l1", "algorithm": "tree"}', 'x') AS tree,
		pg_temp.fit('y', '{"objective": "quantile", "quantile_alpha": 0.75, "num_iterations": 1, "learning_rate": 1}', 'x') AS quantile,
		pg_temp.fit('count', '{"objective": "poisson", "num_iterations": 200, "learning_rate": 0.5}', 'x') AS poisson,
		pg_temp.fit('y', '{"objective": "gamma", "num_iterations": 200, "learning_rate": 0.5}', 'x') AS gamma,
		pg_temp.fit('amount', '{"objective": "tweedie", "tweedie_variance_power": 1.2, "num_iterations": 200, "learning_rate": 0.5}', 'x') AS tweedie)
SELECT x, abs(grove.predict(l1, x) - percentile_cont(0.5) WITHIN GROUP (ORDER BY y)) < 1e-5 AS median,
	abs(grove.predict(tree, x) - percentile_cont(0.5) WITHIN GROUP (ORDER BY y)) < 1e-5 AS tree,
	grove.predict(quantile, x) BETWEEN percentile_disc(0.749) WITHIN GROUP (ORDER BY y) AND percentile_disc(0.753) WITHIN GROUP (ORDER BY y) AS quantile,
	abs(grove.predict(poisson, x) / avg(count) - 1) < 1e-4 AS poisson, abs(grove.predict(gamma, x) / avg(y) - 1) < 1e-4 AS gamma,
	abs(grove.predict(tweedie, x) / avg(amount) - 1) < 1e-4 AS tweedie
FROM claims, m GROUP BY x, l1, tree, quantile, poisson, gamma, tweedie ORDER BY x;

-- the share below a quantile, and the weighted sums of gradients of log-link losses, which are 0, on a model of the usual size
SELECT options, round(avg((y <= grove.predict(model, x, id))::int), 2) AS below
FROM (VALUES (0.1), (0.5), (0.9)) AS a(alpha),
	LATERAL (SELECT jsonb_build_object('objective', 'quantile', 'quantile_alpha', alpha) AS options) AS o,
	LATERAL (SELECT pg_temp.fit('y', options, 'x, id') AS model) AS m, claims
GROUP BY options ORDER BY options;
SELECT objective, round((sum(w * t * p ^ (1 - power)) / sum(w * p ^ (2 - power)))::numeric, 2) AS observed_to_predicted
FROM (VALUES ('poisson', 'count', 1), ('gamma', 'y', 2), ('tweedie', 'amount', 1.5)) AS o(objective, target, power),
	LATERAL (SELECT pg_temp.fit(target, jsonb_build_object('objective', objective), 'x, id, w', ', weight => ''w''') AS model) AS m, claims,
	LATERAL (SELECT grove.predict(model, x, id) AS p, CASE objective WHEN 'poisson' THEN count WHEN 'gamma' THEN y ELSE amount END AS t) AS r
GROUP BY objective ORDER BY objective;

-- a row of weight 3 is three rows
SELECT options->>'objective' AS objective, max(abs(grove.predict(weighted, x) / grove.predict(repeated, x) - 1)) < 1e-3 AS same
FROM (VALUES ('{"objective": "regression_l1"}'::jsonb), ('{"objective": "huber"}'), ('{"objective": "quantile", "quantile_alpha": 0.8}'),
		('{"objective": "poisson"}'), ('{"objective": "gamma"}'), ('{"objective": "tweedie"}')) AS o(options),
	LATERAL (SELECT options || '{"num_iterations": 20, "min_data_in_leaf": 0, "min_sum_hessian_in_leaf": 1}' AS p) AS p,
	LATERAL (SELECT grove.train('SELECT x, count + 0.5 AS y, w FROM claims', 'y', p, weight => 'w') AS weighted,
		grove.train('SELECT x, count + 0.5 AS y FROM claims, generate_series(1, w)', 'y', p) AS repeated) AS m, claims
GROUP BY options ORDER BY options;

-- log of an exposure as margin: the constant is the rate
SELECT round((grove.predict(pg_temp.fit('count', '{"objective": "poisson"}', '1 AS one, ln(exposure) AS e', ', base_margin => ''e'''), 1)
		/ (sum(count) / sum(exposure)))::numeric, 4) AS poisson,
	round((grove.predict(pg_temp.fit('y', '{"objective": "gamma"}', '1 AS one, ln(exposure) AS e', ', base_margin => ''e'''), 1)
		/ avg(y / exposure))::numeric, 4) AS gamma,
	round((grove.predict(pg_temp.fit('amount', '{"objective": "tweedie"}', '1 AS one, ln(exposure) AS e', ', base_margin => ''e'''), 1)
		/ (sum(amount * exposure ^ -0.5) / sum(exposure ^ 0.5)))::numeric, 4) AS tweedie,
	round((grove.predict(pg_temp.fit('y', '{"objective": "regression_l1"}', '1 AS one, exposure AS e', ', base_margin => ''e'''), 1)
		- percentile_disc(0.5) WITHIN GROUP (ORDER BY y - exposure))::numeric, 4) AS median
FROM claims;

-- one step from 0 instead of the best constant; a bound on every leaf
SELECT round(grove.predict(pg_temp.fit('count', '{"objective": "poisson", "boost_from_average": false}', '1 AS one'), 1)::numeric, 4) AS from_exp_0,
	round(grove.predict(pg_temp.fit('y', '{"objective": "regression_l1", "boost_from_average": false}', '1 AS one'), 1)::numeric, 4) AS from_0;
SELECT max(abs(grove.predict(bounded, x) - grove.predict(base, x))) < 0.1001 AS bounded, max(abs(grove.predict(free, x) - grove.predict(base, x))) > 0.5 AS free
FROM claims, (SELECT pg_temp.fit('y', '{"objective": "regression_l1", "num_iterations": 2, "learning_rate": 0.5, "max_delta_step": 0.1}', 'x') AS bounded,
	pg_temp.fit('y', '{"objective": "regression_l1", "num_iterations": 2, "learning_rate": 0.5}', 'x') AS free,
	pg_temp.fit('y', '{"objective": "regression_l1"}', '0 AS x') AS base) AS m;

-- every objective stops by its own loss, and reports it
CREATE TABLE runs AS
	SELECT objective, target, model, grove.metrics(model) AS metrics
	FROM (VALUES ('regression_l1', 'y'), ('huber', 'y'), ('quantile', 'y'), ('poisson', 'count'), ('gamma', 'y'), ('tweedie', 'amount')) AS o(objective, target),
		LATERAL (SELECT pg_temp.fit(target, jsonb_build_object('objective', objective, 'early_stopping_rounds', 10, 'num_iterations', 400, 'learning_rate', 0.3),
			'x, u % 50 AS a, held', ', validation => ''held''') AS model) AS m;
WITH loss AS (
	SELECT objective, held, avg(CASE objective
		WHEN 'regression_l1' THEN abs(t - s)
		WHEN 'quantile' THEN 0.5 * abs(t - s)
		WHEN 'huber' THEN CASE WHEN abs(t - s) <= 1 THEN 0.5 * (t - s) ^ 2 ELSE abs(t - s) - 0.5 END
		WHEN 'poisson' THEN 2 * (CASE WHEN t > 0 THEN t * (ln(t) - s) ELSE 0 END - t + exp(s))
		WHEN 'gamma' THEN 2 * (s - ln(t) + t * exp(-s) - 1)
		ELSE 2 * (-4 * sqrt(t) + 2 * t * exp(-0.5 * s) + 2 * exp(0.5 * s)) END) AS value
	FROM (SELECT objective, held, grove.predict_raw(model, x, u % 50) AS s,
			CASE target WHEN 'y' THEN y WHEN 'count' THEN count ELSE amount END AS t FROM runs, claims) AS r
	GROUP BY objective, held)
SELECT r.objective, name, round((metrics->>('validation_' || name))::numeric, 4) = round(value::numeric, 4) AS as_formula,
	(metrics->>'rounds')::int < (metrics->>'rounds_run')::int AND (metrics->>'rounds_run')::int < 400 AS stopped,
	(metrics->'validation_history'->>((metrics->>'rounds')::int - 1))::float8
		= (SELECT min(v::text::float8) FROM jsonb_array_elements(metrics->'validation_history') AS v) AS is_best
FROM runs AS r JOIN loss USING (objective), LATERAL (SELECT substr(key, 12) AS name FROM jsonb_object_keys(metrics) AS key
	WHERE key LIKE 'validation\_%' AND key NOT IN ('validation_rows', 'validation_history')) AS n
WHERE held ORDER BY objective;

-- the model tells what it was trained for
SELECT grove.describe(model)->>'objective' AS objective, grove.describe(model)->'params'->>'objective' AS option FROM runs ORDER BY 1;

-- a forest of medians
SELECT round(grove.mae(y, grove.predict(model, x))::numeric, 2) = round(avg(abs(y - median))::numeric, 2) AS as_medians
FROM (SELECT pg_temp.fit('y', '{"objective": "regression_l1", "algorithm": "forest", "num_iterations": 20, "feature_fraction_bynode": 1}', 'x') AS model) AS m,
	claims JOIN (SELECT x, percentile_cont(0.5) WITHIN GROUP (ORDER BY y) AS median FROM claims GROUP BY x) AS g USING (x);

-- outliers move the median no more than other rows; a heavy tail, tiny and huge scales
SELECT round(grove.predict(grove.train('SELECT x, CASE WHEN id % 100 = 0 THEN 1e30 ELSE y END AS y FROM claims', 'y', '{"objective": "regression_l1"}'), 2)::numeric, 1)
	= round((percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN id % 100 = 0 THEN 1e30 ELSE y END))::numeric, 1) AS robust FROM claims WHERE x = 2;
SELECT scale, bool_and(abs(grove.predict(model, claims.x) / mean - 1) < 0.01) AS fits
FROM (VALUES (1e-30), (1), (1e30)) AS s(scale),
	LATERAL (SELECT grove.train(format('SELECT x, y * %s AS y FROM claims', scale::float8), 'y', '{"objective": "gamma", "num_iterations": 200}') AS model) AS m,
	claims JOIN (SELECT x, avg(y) AS y_mean FROM claims GROUP BY x) AS g USING (x), LATERAL (SELECT y_mean * scale AS mean) AS e
GROUP BY scale ORDER BY scale;

-- what is refused
CREATE FUNCTION pg_temp.try(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE query INTO result;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y - 1 AS t FROM claims', 't', '{"objective": "poisson"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y - 1 AS t FROM claims', 't', '{"objective": "tweedie"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, count FROM claims', 'count', '{"objective": "gamma"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, 1e-40::float8 AS t FROM claims', 't', '{"objective": "gamma"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, 0 AS t FROM claims', 't', '{"objective": "poisson"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, ''a'' || x AS t FROM claims', 't', '{"objective": "quantile"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "gamma"}', task => 'binary')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "gamma", "algorithm": "forest"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "huber", "algorithm": "tree"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"quantile_alpha": 0.9}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "quantile", "quantile_alpha": 1}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "quantile", "alpha": 0.9}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"alpha": 0.9, "objective": "huber"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "quantile", "reg_alpha": 0.9, "num_iterations": 1}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "poisson", "tweedie_variance_power": 1.2}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "tweedie", "tweedie_variance_power": 2}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, held FROM claims', 'held', '{"lambdarank_sigma": 2}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "regression_l1", "monotone_constraints": {"x": 1}}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT x, y FROM claims', 'y', '{"objective": "quantile", "path_smooth": 1}')$$);

DROP TABLE claims, runs;
