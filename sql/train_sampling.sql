-- Rows chosen by their gradients: data_sample_strategy goss and mvs.  Models
-- stay as good as those of all rows, sizes are those asked for, and options
-- that would have no effect are refused.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE visits AS
	SELECT i AS id, grove.u01(1, i) AS a, grove.u01(2, i) AS b, grove.u01(3, i) AS c, 'p' || (grove.u01(4, i) * 20)::int AS page
	FROM generate_series(1, 40000) AS i;
ALTER TABLE visits ADD bought boolean, ADD spent float8, ADD kind int;
UPDATE visits SET
	bought = grove.u01(5, id) < 1 / (1 + exp(-(6 * a - 4 * b + 5 * a * c - 4 + length(page)))),
	spent = 10 * a * b + 5 * c * c + grove.u01(6, id),
	kind = floor(2.99 * (a * 0.6 + b * 0.2 + grove.u01(7, id) * 0.2));

CREATE FUNCTION pg_temp.model(target text, params jsonb) RETURNS bytea
LANGUAGE sql AS $$
	SELECT grove.train(format('SELECT a, b, c, page, %I FROM visits WHERE id %% 4 > 0', target), target,
		'{"num_iterations": 40, "num_leaves": 15, "min_data_in_leaf": 50}'::jsonb || params)
$$;

-- quality on rows that no training saw, against the model of all rows
CREATE TABLE strategies(nr int, params jsonb);
INSERT INTO strategies VALUES
	(1, '{}'),
	(2, '{"data_sample_strategy": "mvs", "bagging_fraction": 0.5}'),
	(3, '{"data_sample_strategy": "mvs", "bagging_fraction": 0.5, "mvs_reg": 1}'),
	(4, '{"data_sample_strategy": "goss"}');

CREATE TABLE quality AS
	WITH models AS MATERIALIZED (
		SELECT nr, pg_temp.model('bought', params) AS bought, pg_temp.model('spent', params) AS spent,
			pg_temp.model('kind', params || '{"objective": "multiclass"}') AS kind
		FROM strategies)
	SELECT nr, grove.auc(v.bought, grove.predict(models.bought, v)) AS auc,
		avg((grove.predict(models.spent, v) - v.spent) ^ 2) AS squared_error,
		avg((grove.predict_class(models.kind, v) = v.kind::text)::int) AS accuracy
	FROM models, visits AS v WHERE id % 4 = 0 GROUP BY nr;
SELECT q.nr, q.auc > f.auc - 0.005 AS auc, q.squared_error < f.squared_error * 1.15 AS squared_error,
	q.accuracy > f.accuracy - 0.01 AS accuracy
FROM quality AS q, quality AS f WHERE f.nr = 1 ORDER BY q.nr;

-- rows that the trees see: goss sees all of them in the first 1 / learning_rate rounds
SELECT nr, least(tree / 10, 1) AS from_tree_10, count(*) AS trees, round(avg(count) / 30000, 2) AS share,
	bool_and(abs(count::float8 / 30000 - CASE WHEN nr <> 4 THEN 0.5 WHEN tree < 10 THEN 1 ELSE 0.3 END) < 0.015) AS each_near
FROM strategies, grove.nodes(pg_temp.model('bought', params)) WHERE node = 0 AND nr > 1
GROUP BY 1, 2 ORDER BY 1, 2;

-- factors make up for the rows that are not drawn: the weighted sum of hessians at the root stays that of all rows
SELECT nr, bool_and(abs(cover / 30000 - 1) < 0.07) AS each_near, abs(avg(cover) / 30000 - 1) < 0.0125 AS covers_all
FROM strategies, grove.nodes(pg_temp.model('spent', params)) WHERE node = 0 GROUP BY nr ORDER BY nr;

-- every objective can be trained so; leaves that are quantiles weigh the rows that were drawn
SELECT objective, strategy, round(avg((spent <= prediction)::int), 1) AS below, bool_and(prediction IS NOT NULL) AS complete
FROM (SELECT objective, strategy, spent, grove.predict(model, v) AS prediction
	FROM (SELECT objective, params->>'data_sample_strategy' AS strategy,
			pg_temp.model('spent', params || jsonb_build_object('objective', objective) ||
				CASE objective WHEN 'quantile' THEN '{"quantile_alpha": 0.8}' ELSE '{}' END::jsonb) AS model
		FROM strategies, unnest('{regression_l1,huber,quantile,poisson,gamma,tweedie}'::text[]) AS objective
		WHERE nr IN (2, 4)) AS models, visits AS v WHERE id % 4 = 0) AS predictions
WHERE objective <> 'huber' GROUP BY 1, 2 ORDER BY 1, 2;

-- gradients that are all 0, few rows, a lambda beyond all bounds
SELECT length(grove.train('SELECT a, 1.5::float8 AS y FROM visits WHERE id <= 3000', 'y', params || '{"num_iterations": 3, "learning_rate": 1}')) > 0 AS constant,
	length(grove.train('SELECT a, b AS y FROM visits WHERE id <= 3', 'y', params || '{"num_iterations": 3, "learning_rate": 1}')) > 0 AS few,
	length(grove.train('SELECT a, b * 1e30 AS y FROM visits WHERE id <= 3000', 'y', params || '{"num_iterations": 3, "learning_rate": 1}')) > 0 AS large
FROM (SELECT 1, '{"data_sample_strategy": "mvs", "bagging_fraction": 0.01}'::jsonb
	UNION ALL SELECT 2, '{"data_sample_strategy": "mvs", "bagging_fraction": 0.5, "mvs_reg": 0}'
	UNION ALL SELECT 3, '{"data_sample_strategy": "mvs", "bagging_fraction": 0.5, "mvs_reg": 1e300}'
	UNION ALL SELECT 4, '{"data_sample_strategy": "goss"}'
	UNION ALL SELECT 5, '{"data_sample_strategy": "goss", "top_rate": 0.5, "other_rate": 0.5}') AS edge(nr, params) ORDER BY nr;

-- options
CREATE FUNCTION pg_temp.try(params jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
BEGIN
	PERFORM grove.train('SELECT a, spent FROM visits WHERE id <= 500', 'spent', '{"num_iterations": 2}'::jsonb || params);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(hint, ''));
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.try('{"data_sample_strategy": "gos"}');
SELECT pg_temp.try('{"data_sample_strategy": "goss", "bagging_fraction": 0.5}');
SELECT pg_temp.try('{"data_sample_strategy": "goss", "bagging_fraction": 1}');
SELECT pg_temp.try('{"data_sample_strategy": "goss", "top_rate": 0.6, "other_rate": 0.5}');
SELECT pg_temp.try('{"data_sample_strategy": "goss", "top_rate": 0}');
SELECT pg_temp.try('{"data_sample_strategy": "goss", "mvs_reg": 1}');
SELECT pg_temp.try('{"data_sample_strategy": "goss", "bagging_freq": 5}');
SELECT pg_temp.try('{"data_sample_strategy": "mvs"}');
SELECT pg_temp.try('{"data_sample_strategy": "mvs", "subsample": 1}');
SELECT pg_temp.try('{"data_sample_strategy": "mvs", "subsample": 0.5}');
SELECT pg_temp.try('{"data_sample_strategy": "mvs", "subsample": 0.5, "bagging_freq": 0}');
SELECT pg_temp.try('{"data_sample_strategy": "mvs", "subsample": 0.5, "top_rate": 0.3}');
SELECT pg_temp.try('{"data_sample_strategy": "mvs", "subsample": 0.5, "mvs_reg": -1}');
SELECT pg_temp.try('{"other_rate": 0.3}');
SELECT pg_temp.try('{"algorithm": "forest", "data_sample_strategy": "goss"}');
SELECT pg_temp.try('{"algorithm": "tree", "num_iterations": 1, "data_sample_strategy": "mvs", "bagging_fraction": 0.5}');
\pset tuples_only off
\pset format aligned

DROP TABLE visits, strategies, quality;
