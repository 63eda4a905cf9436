-- class_weight: factors for the weights of classes.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE visits AS
	SELECT i AS id, (i * 7919) % 100 AS pages, CASE WHEN i % 10 < 7 THEN 'none' WHEN i % 10 < 9 THEN 'cart' ELSE 'order' END AS outcome,
		i % 10 = 0 AS bought, 1 + i % 2 AS w, i % 4 = 0 AS held FROM generate_series(1, 3000) AS i;

-- the base rate of a model without useful features: shares of weighted rows
SELECT options, (SELECT array_agg(round(p::numeric, 4)) FROM unnest(grove.predict_proba(model, 1)) AS p) AS shares, grove.classes(model)
FROM (VALUES ('{}'), ('{"class_weight": {"order": 4}}'), ('{"class_weight": {"order": 4, "none": 0.5}}'), ('{"class_weight": "balanced"}'), ('{"class_weight": {}}')) AS o(options),
	LATERAL (SELECT grove.train('SELECT 1 AS one, outcome FROM visits', 'outcome', options::jsonb) AS model) AS m ORDER BY options;
SELECT options, round(grove.predict(model, 1)::numeric, 4) AS share
FROM (VALUES ('{}'), ('{"class_weight": {"true": 3}}'), ('{"scale_pos_weight": 3}'), ('{"class_weight": "balanced"}'),
		('{"class_weight": "balanced", "algorithm": "tree"}')) AS o(options),
	LATERAL (SELECT grove.train('SELECT 1 AS one, bought FROM visits', 'bought', options::jsonb) AS model) AS m ORDER BY options;

-- a weight for the positive class is scale_pos_weight; a factor is a weight column with it; balanced is rows / (classes * rows of the class)
CREATE TABLE models AS SELECT
	grove.train('SELECT pages, id, bought FROM visits', 'bought', '{"num_iterations": 5, "scale_pos_weight": 3}') AS scaled,
	grove.train('SELECT pages, id, bought FROM visits', 'bought', '{"num_iterations": 5, "class_weight": {"true": 3}}') AS weighted,
	grove.train('SELECT pages, id, outcome, w FROM visits', 'outcome', '{"num_iterations": 5, "class_weight": {"order": 2.5}}', weight => 'w') AS factor,
	grove.train('SELECT pages, id, outcome, CASE outcome WHEN ''order'' THEN 2.5 ELSE 1 END * w AS w FROM visits', 'outcome', '{"num_iterations": 5}', weight => 'w') AS by_column,
	grove.train('SELECT pages, id, outcome, held FROM visits', 'outcome', '{"num_iterations": 5, "class_weight": "balanced"}', validation => 'held') AS balanced,
	grove.train('SELECT pages, id, outcome, held FROM visits', 'outcome', jsonb_build_object('num_iterations', 5, 'class_weight',
		(SELECT jsonb_object_agg(outcome, weight) FROM (SELECT outcome, sum(count(*)) OVER () / 3 / count(*) AS weight FROM visits WHERE NOT held GROUP BY outcome) AS s)),
		validation => 'held') AS by_hand;
SELECT max(abs(grove.predict(scaled, pages, id) - grove.predict(weighted, pages, id))) = 0 AS as_scale_pos_weight,
	max(abs((grove.predict_proba(factor, pages, id))[3] - (grove.predict_proba(by_column, pages, id))[3])) < 1e-4 AS as_weight_column,
	max(abs((grove.predict_proba(balanced, pages, id))[1] - (grove.predict_proba(by_hand, pages, id))[1])) < 1e-6 AS balanced,
	max((grove.metrics(balanced)->>'validation_log_loss')::numeric(9, 5)) = max((grove.metrics(by_hand)->>'validation_log_loss')::numeric(9, 5)) AS same_loss
FROM visits, models;

-- numeric classes are named by what they print
SELECT round(grove.predict(grove.train('SELECT 1 AS one, bought::int AS b FROM visits', 'b', '{"class_weight": {"1": 9}}'), 1)::numeric, 4) AS share,
	round(grove.predict(grove.train('SELECT 1 AS one, CASE WHEN bought THEN 2.5 ELSE -1 END::float8 AS b FROM visits', 'b', '{"class_weight": {"2.5": 9}}', task => 'binary'), 1)::numeric, 4) AS share;

-- the model tells it
SELECT grove.describe(weighted)->'params'->'class_weight' AS object, grove.describe(balanced)->'params'->'class_weight' AS balanced,
	grove.describe(scaled)->'params'->'class_weight' AS none FROM models;

-- more than 63 bytes of labels
SELECT grove.predict_class(grove.train('SELECT i AS a, ''a label of a quite considerable length, number '' || i % 3 AS label FROM generate_series(1, 300) AS i', 'label',
	'{"class_weight": {"a label of a quite considerable length, number 0": 1, "a label of a quite considerable length, number 1": 50}, "num_iterations": 1, "num_leaves": 2}'), 1) AS heaviest;

-- what is refused
CREATE FUNCTION pg_temp.try(params text, target text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	PERFORM grove.train(format('SELECT pages, id::float8 AS number, %s FROM visits', target), target, params::jsonb);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''));
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.try('{"class_weight": {"maybe": 2}}', 'bought');
SELECT pg_temp.try('{"class_weight": {"true": 0}}', 'bought');
SELECT pg_temp.try('{"class_weight": {"true": "2"}}', 'bought');
SELECT pg_temp.try('{"class_weight": {"true": {"a": 2}}}', 'bought');
SELECT pg_temp.try('{"class_weight": "unbalanced"}', 'bought');
SELECT pg_temp.try('{"class_weight": 3}', 'bought');
SELECT pg_temp.try('{"class_weight": [1, 3]}', 'bought');
SELECT pg_temp.try('{"class_weight": "balanced", "scale_pos_weight": 2}', 'bought');
SELECT pg_temp.try('{"class_weight": "balanced", "objective": "regression"}', 'w');

DROP TABLE visits, models;
