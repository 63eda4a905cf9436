-- models of LightGBM and XGBoost, ours for LightGBM, in JSON and in SQL; texts that
-- are no models.  test/parity compares with the libraries themselves.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA interchange;
SET search_path = interchange;
SET jit = off;
SET extra_float_digits = 0;
SET datestyle = 'ISO';
SET timezone = 'UTC';

-- what LightGBM and XGBoost wrote, and what they predict
CREATE TABLE texts (name text, body text);
INSERT INTO texts VALUES ('lightgbm', $$tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=binary sigmoid:1
feature_names=a b c
feature_infos=[-2.8500000000000001:3.3199999999999998] [-3.0600000000000001:2.6499999999999999] -1:3:4:1:0:2
tree_sizes=574 580

Tree=0
num_leaves=4
num_cat=1
split_feature=0 2 0
split_gain=190.33 99.5304 5.45917
threshold=0.42500000000000004 0 0.64500000000000013
decision_type=10 1 10
left_child=1 -1 -2
right_child=2 -3 -4
leaf_value=-0.24316373775500366 -0.23280675251571878 -0.49874898582152111 -0.12006294598976824
leaf_weight=13.062599837779999 5.3217999339103725 56.12079930305481 22.254799723625183
leaf_count=54 22 232 92
internal_value=-0.363965 -0.452513 -0.141821
internal_weight=96.76 69.1834 27.5766
internal_count=400 286 114
cat_boundaries=0 1
cat_threshold=4
is_linear=0
shrinkage=1


Tree=1
num_leaves=4
num_cat=1
split_feature=0 2 0
split_gain=154.345 88.3249 8.01292
threshold=0.34500000000000003 0 0.60500000000000009
decision_type=10 1 10
left_child=1 -1 -2
right_child=2 -3 -4
leaf_value=0.11149410915392646 0.090100320976269244 -0.13188478509922741 0.21317766211083222
leaf_weight=13.056050360202789 6.8131613880395916 52.656942844390869 23.657241180539131
leaf_count=53 28 224 95
internal_value=-0.000372416 -0.0866325 0.185658
internal_weight=96.1834 65.713 30.4704
internal_count=400 277 123
cat_boundaries=0 1
cat_threshold=4
is_linear=0
shrinkage=0.1


end of trees
$$), ('xgboost', $${"learner":{"attributes":{},"feature_names":["a","b","c"],"feature_types":["q","q","c"],"gradient_booster":{"model":{"cats":{"enc":[],"feature_segments":[],"sorted_idx":[]},"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"2"},"iteration_indptr":[0,1,2],"tree_info":[0,0],"trees":[{"base_weights":[6.46286E-8,-8.8431036E-1,2.146191E0,5.919382E-1,-4.6806064E-1,2.980473E-1,7.0119476E-1],"categories":[0,1,3,4],"categories_nodes":[1],"categories_segments":[0],"categories_sizes":[4],"default_left":[1,1,0,0,0,0,0],"id":0,"left_children":[1,3,5,-1,-1,-1,-1],"loss_changes":[1.8743651E2,1.381578E2,4.026886E0,0E0,0E0,0E0,0E0],"parents":[2147483647,0,0,1,1,2,2],"right_children":[2,4,6,-1,-1,-1,-1],"split_conditions":[4.2E-1,1E-45,6.3E-1,5.919382E-1,-4.6806064E-1,2.980473E-1,7.0119476E-1],"split_indices":[0,2,0,0,0,0,0],"split_type":[0,1,0,0,0,0,0],"sum_hessian":[9.676E1,6.8941505E1,2.78185E1,1.2820701E1,5.6120804E1,4.8380003E0,2.2980501E1],"tree_param":{"num_deleted":"0","num_feature":"3","num_nodes":"7","size_leaf_vector":"1"}},{"base_weights":[-1.0513695E-2,-7.5609505E-1,1.4776216E0,4.1534048E-1,-4.0922502E-1,2.3047115E-1,4.927794E-1],"categories":[0,1,3,4],"categories_nodes":[1],"categories_segments":[0],"categories_sizes":[4],"default_left":[1,1,0,0,0,0,0],"id":1,"left_children":[1,3,5,-1,-1,-1,-1],"loss_changes":[1.0228089E2,8.1803604E1,2.3394089E0,0E0,0E0,0E0,0E0],"parents":[2147483647,0,0,1,1,2,2],"right_children":[2,4,6,-1,-1,-1,-1],"split_conditions":[3.5E-1,1E-45,6.3E-1,4.1534048E-1,-4.0922502E-1,2.3047115E-1,4.927794E-1],"split_indices":[0,2,0,0,0,0,0],"split_type":[0,1,0,0,0,0,0],"sum_hessian":[9.017738E1,6.040524E1,2.9772144E1,1.3079325E1,4.7325912E1,6.6847835E0,2.308736E1],"tree_param":{"num_deleted":"0","num_feature":"3","num_nodes":"7","size_leaf_vector":"1"}}]},"name":"gbtree"},"learner_model_param":{"base_score":"[4.1E-1]","boost_from_average":"1","num_class":"0","num_feature":"3","num_target":"1"},"objective":{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[3,2,0]}$$);
CREATE TABLE imported AS
SELECT name, CASE name WHEN 'lightgbm' THEN grove.import_lightgbm(body) ELSE grove.import_xgboost(body) END AS model FROM texts;
SELECT i.name, abs(grove.predict(i.model, a, b, c) - expected) < 1e-7 AS equal, grove.predict_class(i.model, a, b, c) AS class
FROM (VALUES ('lightgbm', 0.1, 0.2, 2, 0.46713006767009385), ('lightgbm', NULL, 1, 2, 0.46713006767009385),
			 ('lightgbm', 0.5, NULL, 9, 0.4643838156149585), ('lightgbm', -1, -1, NULL, 0.347366846066821),
			 ('xgboost', 0.1, 0.2, 2, 0.6555021), ('xgboost', NULL, 1, 2, 0.6555021), ('xgboost', 0.5, NULL, 1, 0.54104567),
			 ('xgboost', -1, -1, NULL, 0.6555021)) AS v (name, a, b, c, expected)
JOIN imported AS i USING (name);
-- below c in single precision: the number before c goes left, c goes right
SELECT (grove.predict_leaf(model, 0.41999996::real, NULL, 0))[1] <> (grove.predict_leaf(model, 0.42::real, NULL, 0))[1] AS strict FROM imported WHERE name = 'xgboost';
SELECT name, d - 'digest' - 'bytes' - 'format_version' AS description FROM imported, grove.describe(model) AS d ORDER BY name;
SELECT name, tree, node, feature, threshold, categories, missing_left, cover, count, round(value::numeric, 6) AS value
FROM imported, grove.nodes(model) WHERE tree = 0 ORDER BY name, node;

-- every kind of model of ours
CREATE TABLE rows AS
SELECT CASE WHEN i % 11 > 0 THEN i % 7 END AS n, CASE WHEN i % 13 > 0 THEN ((i * 37 % 101) / 10.0)::real ELSE 'NaN' END AS r,
	   CASE WHEN i % 5 > 0 THEN 'c''' || i % 4 END AS "the label", 'item ' || i * 7 % 300 AS item, CASE WHEN i % 9 > 0 THEN date '2024-01-01' + i % 50 END AS day,
	   timestamptz '2024-03-01 12:00+00' + i % 13 * interval '1.5 hours' AS at, timestamp '1999-12-31 23:59:50' + i % 17 * interval '1.25 s' AS moment,
	   i % 3 = 0 AS flag, CASE WHEN i % 3 > 0 THEN 1.0 * (i % 29) END AS d, ('x' || i % 3)::char(5) AS padded
FROM generate_series(1, 2000) AS i;
INSERT INTO rows VALUES (1, 'Infinity', 'new', 'new', 'infinity', '-infinity', 'infinity', NULL, 'NaN', 'x1'), (NULL, '-Infinity', NULL, NULL, '-infinity', NULL, NULL, NULL, 0, NULL);
CREATE VIEW answers AS
SELECT r.*, coalesce(n, 3) + CASE WHEN r.r < 11 THEN r.r ELSE 5 END + right(item, 1)::int * 5 + CASE WHEN flag THEN 4 ELSE coalesce(day - '2024-01-01', 60) / 8 END
	+ coalesce(nullif(d, 'NaN'), 40) / 5 + CASE WHEN moment > '2000-01-01' THEN 2 ELSE 0 END + CASE WHEN at > '2024-03-01 18:00+00' THEN 2 ELSE 0 END
	+ right("the label", 1)::int * 2 + right(trim(padded), 1)::int AS y FROM rows AS r WHERE "the label" <> 'new' AND isfinite(coalesce(day, '2000-01-01'));
CREATE TABLE models AS
SELECT 'regression' AS name, grove.train('answers', 'y', '{"num_iterations": 20}') AS model
UNION ALL SELECT 'binary', grove.train('SELECT *, y > 25 AS big FROM answers', 'big', '{"num_iterations": 10}', ignore => '{y}')
UNION ALL SELECT 'multiclass', grove.train('SELECT *, floor(y / 9)::int AS class FROM answers', 'class', '{"num_iterations": 4}', 'multiclass', ignore => '{y}')
UNION ALL SELECT 'poisson', grove.train('answers', 'y', '{"num_iterations": 8, "objective": "poisson"}')
UNION ALL SELECT 'forest', grove.train('SELECT *, y > 25 AS big FROM answers', 'big', '{"num_iterations": 5, "algorithm": "forest"}', ignore => '{y}')
UNION ALL SELECT 'classes of a tree', grove.train('SELECT *, floor(y / 9)::int AS class FROM answers', 'class', '{"algorithm": "tree"}', 'multiclass', ignore => '{y}')
UNION ALL SELECT 'constant', grove.train('SELECT n, 5 AS y FROM rows', 'y', task => 'regression');
-- every feature is in use, so that every kind of condition is written
SELECT string_agg(feature, ', ' ORDER BY feature) FROM models, grove.importance(model) WHERE name = 'regression' AND splits > 0;

-- as SQL: the same numbers
CREATE FUNCTION in_sql(model bytea, source text) RETURNS TABLE (id bigint, value jsonb) LANGUAGE plpgsql AS $f$
BEGIN
	RETURN QUERY EXECUTE format('SELECT id, to_jsonb(%s) FROM (SELECT row_number() OVER () AS id, * FROM %s) AS r', grove.export_sql(model), source);
END $f$;
CREATE FUNCTION ours(model bytea, source text) RETURNS TABLE (id bigint, value jsonb) LANGUAGE plpgsql AS $f$
BEGIN
	RETURN QUERY EXECUTE format('SELECT id, CASE WHEN cardinality(grove.classes($1)) > 2 THEN to_jsonb(grove.predict_proba($1, whole)) ELSE to_jsonb(grove.predict($1, whole)) END
		FROM (SELECT row_number() OVER () AS id, * FROM %s) AS whole', source) USING model;
END $f$;
CREATE FUNCTION far(a jsonb, b jsonb) RETURNS float8 LANGUAGE sql AS
	$f$ SELECT max(abs(x::text::float8 - y::text::float8)) FROM jsonb_array_elements('[]'::jsonb || a) WITH ORDINALITY AS v (x, i) JOIN jsonb_array_elements('[]'::jsonb || b) WITH ORDINALITY AS w (y, i) USING (i) $f$;
SELECT m.name, count(*), max(far(s.value, o.value)) < 1e-12 AS equal, count(DISTINCT o.value) > 1 AS varied
FROM models AS m, LATERAL (SELECT * FROM in_sql(m.model, 'rows')) AS s JOIN LATERAL ours(m.model, 'rows') AS o USING (id) GROUP BY m.name ORDER BY m.name;
SELECT m.name, max(far(s.value, o.value)) < 1e-12 AS equal, count(DISTINCT o.value) > 1 AS varied
FROM imported AS m, LATERAL (SELECT '(SELECT (i % 9 / 4.0 - 1)::real AS a, i / 4.0 AS b, abs(i) % 5 AS c FROM generate_series(-20, 20) AS i) AS v' AS source) AS v,
	 LATERAL in_sql(m.model, source) AS s JOIN LATERAL ours(m.model, source) AS o USING (id) GROUP BY m.name ORDER BY m.name;
SELECT grove.export_sql(model) FROM imported WHERE name = 'lightgbm';

-- through LightGBM's text and back: the same predictions; a label is then its place, from 0
CREATE FUNCTION place(model bytea, feature text, label text) RETURNS text LANGUAGE sql AS
	$f$ SELECT (l.ordinality - 1)::text FROM jsonb_array_elements(grove.export_json(model) -> 'features') AS f, jsonb_array_elements_text(f -> 'levels') WITH ORDINALITY AS l
		WHERE f ->> 'name' = feature AND l.value = label $f$;
CREATE TABLE numbers AS
SELECT n, r, "the label", item, day, at, moment, flag, d, padded FROM rows
WHERE isfinite(coalesce(day, '2000-01-01')) AND isfinite(coalesce(moment, '2000-01-01')) AND isfinite(coalesce(at, '2000-01-01')) LIMIT 40;
SELECT m.name, max(abs(grove.predict(back, n, r, place(model, 'the label', "the label"), place(model, 'item', item), day - date '2000-01-01',
									 extract(epoch FROM at - '2000-01-01 00:00+00')::float8, extract(epoch FROM moment - '2000-01-01')::float8,
									 place(model, 'flag', flag::text), d, place(model, 'padded', padded::text)) -
					   grove.predict(model, n, r, "the label", item, day, at, moment, flag, d, padded))) < 1e-12 AS equal
FROM (SELECT *, grove.import_lightgbm(grove.export_lightgbm(model)) AS back FROM models WHERE name IN ('regression', 'binary', 'poisson', 'forest') OFFSET 0) AS m, numbers
GROUP BY m.name ORDER BY m.name;
SELECT grove.predict(grove.import_lightgbm(grove.export_lightgbm(model)), 3) FROM models WHERE name = 'constant';
SELECT grove.export_lightgbm(model) = grove.export_lightgbm(grove.import_lightgbm(grove.export_lightgbm(model))) AS stable FROM imported WHERE name = 'lightgbm';
SELECT grove.export_lightgbm(model) FROM imported WHERE name = 'lightgbm';

-- as JSON
SELECT grove.export_json(model) - 'params' - 'metrics' AS json FROM models WHERE name = 'constant';
SELECT j -> 'features' -> 2 AS feature, j -> 'trees' -> 0 -> 1 AS node, j -> 'base' AS base, j -> 'link' AS link FROM imported, grove.export_json(model) AS j WHERE name = 'lightgbm';
SELECT bool_and((j -> 'trees' -> n.tree -> n.node ->> CASE WHEN n.value IS NULL THEN 'cover' ELSE 'value' END)::float8 = coalesce(n.value, n.cover)) AS equal, count(*) = max(jsonb_array_length(j -> 'trees' -> 0)) AS all_nodes
FROM models AS m, grove.export_json(model) AS j, grove.nodes(model) AS n WHERE m.name = 'binary' AND n.tree = 0;

-- NULL
SELECT grove.import_lightgbm(NULL) IS NULL, grove.import_xgboost(NULL) IS NULL, grove.export_lightgbm(NULL) IS NULL, grove.export_json(NULL) IS NULL, grove.export_sql(NULL) IS NULL;

-- what cannot be had
SELECT grove.export_lightgbm(model) FROM models WHERE name = 'classes of a tree';
SELECT grove.export_sql('\x00');
SELECT grove.import_lightgbm('');
SELECT grove.import_lightgbm(replace(body, 'binary sigmoid:1', 'multiclassova num_class:1')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'binary sigmoid:1', 'regression sqrt')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'sigmoid:1', 'sigmoid:-1')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'is_linear=0', 'is_linear=1')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'decision_type=10', 'decision_type=6')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'max_feature_idx=2', 'max_feature_idx=5000')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'a b c', 'a b a')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'left_child=1 -1', 'left_child=0 -1')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'left_child=1 -1', 'left_child=9 -1')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'threshold=0.4', 'threshold=nan 0.4')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'split_feature=0 2', 'split_feature=0 0')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'cat_boundaries=0 1', 'cat_boundaries=1 0')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'leaf_value=', 'leaf_value=x ')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_lightgbm(replace(body, 'leaf_value', 'leaf_values')) FROM texts WHERE name = 'lightgbm';
SELECT grove.import_xgboost('{}');
SELECT grove.import_xgboost('[]');
SELECT grove.import_xgboost(replace(body, '"gbtree"', '"dart"')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(replace(body, 'binary:logistic', 'binary:hinge')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(replace(body, '"enc":[]', '"enc":[1]')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(replace(body, '"left_children":[1,3', '"left_children":[1,0')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(replace(body, '"left_children":[1,3', '"left_children":[1,99')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(regexp_replace(body, '"left_children":\[[^]]*\]', '"left_children":{}')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(replace(body, '"split_indices":[0', '"split_indices":[7')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(replace(body, '"split_indices":[0', '"split_indices":["0"')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(regexp_replace(body, '"split_indices":\[[^]]*\]', '"split_indices":{}')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(replace(body, '"categories_segments":[0', '"categories_segments":[3')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(replace(body, '"categories":[0,1', '"categories":[0,1e9')) FROM texts WHERE name = 'xgboost';
SELECT grove.import_xgboost(regexp_replace(body, '"base_score":"[^"]*"', '"base_score":"2"')) FROM texts WHERE name = 'xgboost';

-- cut off or changed anywhere: a model or a clean error
CREATE FUNCTION outcome(name text, body text) RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
	PERFORM grove.nodes(CASE name WHEN 'lightgbm' THEN grove.import_lightgbm(body) ELSE grove.import_xgboost(body) END);
	RETURN 'a model';
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate;
END $f$;
SELECT name, count(*) FILTER (WHERE o !~ '^(a model|22P02|0A000)$') AS unclean, count(*) FILTER (WHERE o = 'a model') > 0 AS some_models, count(*) FILTER (WHERE o <> 'a model') > 100 AS many_errors
FROM texts, LATERAL (SELECT outcome(name, left(body, i)) AS o FROM generate_series(0, length(body) - 1, 7) AS i
					 UNION ALL SELECT outcome(name, overlay(body PLACING c FROM i FOR 1)) FROM generate_series(1, length(body), 3) AS i, unnest(ARRAY['9', '-', ' ']) AS c) AS t
GROUP BY name ORDER BY name;
DROP SCHEMA interchange CASCADE;
