-- Every option of train() reaches the engine: another value than the default
-- gives other trees or other predictions (not just other bytes: those hold the
-- options themselves).  The list is complete: what describe() tells is asked.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE visits AS
	SELECT i AS id, (i * 7919) % 1009 * 0.1::float8 AS a, CASE WHEN i % 5 = 0 THEN NULL ELSE (i * 104729) % 97 END AS b,
		'c' || (i * 31 % 1601) % 16 AS city, 's' || i % 3 AS shop, 'i' || (i * 17) % 300 AS item, (i * 613) % 41 AS c
	FROM generate_series(1, 3000) AS i;
ALTER TABLE visits ADD y float8, ADD visits int, ADD won boolean, ADD kind int, ADD held boolean, ADD w int;
UPDATE visits SET y = a * 0.1 + coalesce(b, 30) * 0.05 + length(city) + (substr(city, 2)::int * 7) % 5 + (id * 7907) % 1013 * 0.004
	+ (substr(item, 2)::int * 11) % 7 + CASE shop WHEN 's1' THEN 1.5 ELSE 0 END;
UPDATE visits SET visits = floor(y * y * 0.03), won = y + (id * 61) % 10 > 16, kind = (y::int / 4) % 3, held = id % 4 = 0;

-- what the options are set beside (another option that makes them matter), and for which target
CREATE TABLE options(name text, value jsonb, beside jsonb, target text, roles text);
INSERT INTO options VALUES
	('algorithm', '"forest"', '{}', 'y', ''),
	('objective', '"huber"', '{}', 'y', ''),
	('quantile_alpha', '0.8', '{"objective": "quantile"}', 'y', ''),
	('huber_delta', '0.5', '{"objective": "huber"}', 'y', ''),
	('poisson_max_delta_step', '0.1', '{"objective": "poisson"}', 'visits', ''),
	('tweedie_variance_power', '1.2', '{"objective": "tweedie"}', 'visits', ''),
	('lambdarank_truncation_level', '3', '{"objective": "lambdarank"}', 'kind', 'group_by => ''c'''),
	('lambdarank_sigma', '2', '{"objective": "lambdarank"}', 'kind', 'group_by => ''c'''),
	('lambdarank_norm', 'false', '{"objective": "lambdarank"}', 'kind', 'group_by => ''c'''),
	('num_iterations', '6', '{}', 'y', ''),
	('learning_rate', '0.2', '{}', 'y', ''),
	('num_leaves', '8', '{}', 'y', ''),
	('max_depth', '3', '{}', 'y', ''),
	('min_data_in_leaf', '200', '{}', 'y', ''),
	('min_sum_hessian_in_leaf', '100', '{}', 'y', ''),
	('max_bin', '16', '{}', 'y', ''),
	('lambda_l1', '5', '{}', 'y', ''),
	('lambda_l2', '5', '{}', 'y', ''),
	('min_gain_to_split', '300', '{}', 'y', ''),
	('ccp_alpha', '0.05', '{"algorithm": "tree"}', 'y', ''),
	('ccp_folds', '3', '{"algorithm": "tree", "num_leaves": 200, "min_data_in_leaf": 2}', 'y', ''),
	('ccp_rule', '"one_se"', '{"algorithm": "tree", "num_leaves": 200, "min_data_in_leaf": 2, "ccp_folds": 3}', 'y', ''),
	('max_delta_step', '0.5', '{}', 'y', ''),
	('bagging_fraction', '0.5', '{}', 'y', ''),
	('bagging_freq', '2', '{"bagging_fraction": 0.5}', 'y', ''),
	('data_sample_strategy', '"mvs"', '{"bagging_fraction": 0.5}', 'y', ''),
	('top_rate', '0.5', '{"data_sample_strategy": "goss", "learning_rate": 0.5}', 'y', ''),
	('other_rate', '0.4', '{"data_sample_strategy": "goss", "learning_rate": 0.5}', 'y', ''),
	('mvs_reg', '100', '{"data_sample_strategy": "mvs", "bagging_fraction": 0.5}', 'y', ''),
	('feature_fraction', '0.5', '{}', 'y', ''),
	('feature_fraction_bynode', '0.5', '{}', 'y', ''),
	('early_stopping_rounds', '1', '{"num_iterations": 300, "learning_rate": 1}', 'won', 'validation => ''held'''),
	('scale_pos_weight', '3', '{}', 'won', ''),
	('class_weight', '"balanced"', '{}', 'won', ''),
	('class_weight', '{"1": 4}', '{"objective": "multiclass"}', 'kind', ''),
	('boost_from_average', 'false', '{}', 'y', ''),
	('path_smooth', '50', '{}', 'y', ''),
	('extra_trees', 'true', '{}', 'y', ''),
	('monotone_constraints', '{"a": -1}', '{}', 'y', ''),
	('interaction_constraints', '[["a", "b"]]', '{}', 'y', ''),
	('max_seconds', '1e-9', '{}', 'y', ''),
	('positive_class', '"false"', '{}', 'won', ''),
	('max_cat_threshold', '2', '{}', 'y', ''),
	('cat_l2', '1000', '{}', 'y', ''),
	('cat_smooth', '2000', '{}', 'y', ''),
	('max_cat_to_onehot', '20', '{}', 'y', ''),
	('min_data_per_level', '5', '{"min_data_per_group": 5, "cat_l2": 0, "cat_smooth": 0}', 'y', ''),
	('min_data_per_group', '700', '{}', 'y', '');
UPDATE options SET beside = '{"min_data_per_level": 1000}' || CASE beside ->> 'algorithm' WHEN 'tree' THEN '{}' ELSE '{"num_iterations": 5}'::jsonb END || beside;

-- which options there are; log_training is to change nothing but metrics
SELECT name AS untested_or_unknown
FROM jsonb_object_keys((SELECT grove.describe(grove.train('SELECT a, y FROM visits', 'y', '{"num_iterations": 1}')) -> 'params')) AS p (name)
	FULL JOIN (SELECT DISTINCT name FROM options) AS o USING (name)
WHERE (p.name IS NULL OR o.name IS NULL) AND p.name IS DISTINCT FROM 'log_training';

-- a training: its trees, and what it predicts for some rows
CREATE FUNCTION pg_temp.trained(o options, params jsonb, OUT nodes text, OUT predictions text)
LANGUAGE plpgsql AS $$
DECLARE
	model bytea;
BEGIN
	EXECUTE format('SELECT grove.train(%L, %L, %L, ignore => %L, seed => 1 %s)', 'visits', o.target, params,
		(SELECT array_agg(t) FROM unnest('{id,y,visits,won,kind,held,w}'::text[]) AS t WHERE t <> o.target AND o.roles NOT LIKE '%''' || t || '''%'),
		CASE o.roles WHEN '' THEN '' ELSE ', ' || o.roles END) INTO model;
	SELECT md5(string_agg(n::text, ' ' ORDER BY tree, node, class)) INTO nodes FROM grove.nodes(model) AS n;
	EXECUTE format('SELECT md5(string_agg((%s)::text, '' '' ORDER BY id)) FROM visits WHERE id <= 500',
		CASE WHEN params ->> 'objective' = 'multiclass' THEN 'grove.predict_proba($1, a, b, city, shop, item, c)'
			WHEN params ->> 'objective' = 'lambdarank' THEN 'grove.predict($1, a, b, city, shop, item)'
			ELSE 'grove.predict($1, a, b, city, shop, item, c)' END) USING model INTO predictions;
END $$;
SELECT o.name, value, base.nodes <> other.nodes AS other_trees, base.predictions <> other.predictions AS other_predictions,
	base = again AS same_again
FROM options AS o, pg_temp.trained(o, beside) AS base, pg_temp.trained(o, beside) AS again,
	pg_temp.trained(o, beside || jsonb_build_object(o.name, value)) AS other
ORDER BY name, value;

DROP TABLE visits;
SET client_min_messages = warning;
DROP TABLE options CASCADE;
