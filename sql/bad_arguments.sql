-- Every function of the extension, called with each of its arguments replaced
-- by values that make no sense there: no call ends in an internal error, every
-- ERROR has the SQLSTATE of a class that says whose fault it is, and a hint.
-- Values of a wrong type are not among them: the server refuses those itself.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA bad_arguments;
SET search_path = bad_arguments;
SET max_parallel_workers_per_gather = 0;

CREATE TABLE shop (id int PRIMARY KEY, item text, price float8, query int, later boolean, w float8, p float8, b boolean, y float8, popularity int);
INSERT INTO shop SELECT i, 'i' || i % 7, i % 10, i % 8, i % 4 = 0, 1 + i % 3, (i % 9) / 9.0, i % 3 = 0, i % 5, i % 7 FROM generate_series(1, 240) AS i;
CREATE TABLE models AS SELECT grove.train('SELECT item, price, b FROM shop', 'b', '{"num_iterations": 3}') AS m;
SELECT grove.save('bad', m, 'SELECT item, price, b FROM shop') FROM models;

-- a call: how it is made, and its arguments; %s stands for all of them
CREATE TABLE calls (name text, form text, args text[]);
INSERT INTO calls (name, args, form)
SELECT name, args, 'SELECT count(r::text) FROM ' || CASE WHEN frm IS NULL THEN format('grove.%s(%%s) AS r', name) ELSE format('(SELECT grove.%s(%%s) AS r FROM shop %s) AS s', name, frm) END
FROM (VALUES
	('hash64', '{1::bigint,7}'::text[], NULL), ('u01', '{1::bigint,7}', NULL), ('shuffle_hash', '{1::bigint,7}', NULL), ('key_bytes', '{7}', NULL),
	('keep', '{0.5::float8,1::bigint,7}', NULL), ('fold', '{5,1::bigint,7}', NULL), ('split', ARRAY['ARRAY[0.5,0.5]::float8[]', '1::bigint', '7'], NULL),
	('permute', '{3::bigint,10::bigint,1::bigint}', NULL), ('unpermute', '{3::bigint,10::bigint,1::bigint}', NULL),
	('inverse_pi', '{2::float8,1::float8,1::float8,0.1::float8}', NULL), ('prior_correct', '{0.5::float8,1::float8,0.5::float8}', NULL),
	('shuffle', ARRAY['NULL::shop', '''shop''::text', '''{id}''::text[]', '1::bigint'], NULL),
	('shuffle_stream', ARRAY['NULL::shop', '''shop''::text', '100::bigint', '1::bigint'], NULL),
	('block_design_effect', '{price,id::bigint}', ''), ('pps_threshold', '{w,5::bigint}', ''), ('hash_quantile', '{id::bigint,0.5::float8}', ''), ('hash_threshold', '{id::bigint,5::bigint}', ''),
	('prune', ARRAY['NULL::shop', '''shop''::text', '0.5::float8', 'NULL::bigint', '''inverse''::text', '''{id}''::text[]', '''{item}''::text[]', '0.1::float8', '1::float8', 'NULL::text', 'NULL::bytea', 'true', '1::bigint', '''{}''::jsonb'], NULL),
	('prune', ARRAY['NULL::shop', '''shop''::text', '0.7::float8', 'NULL::bigint', '''negatives''::text', '''{id}''::text[]', 'NULL::text[]', '0::float8', '1::float8', '''b''::text', 'NULL::bytea', 'true', '1::bigint', '''{}''::jsonb'], NULL),
	('prune_plan', ARRAY['NULL::shop', '''shop''::text', 'NULL::float8', '50::bigint', '''stratified''::text', '''{id}''::text[]', '''{item}''::text[]', '0::float8', '1::float8', 'NULL::text', 'NULL::bytea', 'true', '1::bigint', '''{}''::jsonb'], NULL),
	('balance', ARRAY['''shop''::text', '''SELECT * FROM shop WHERE later''::text', '''w''::text', '''{id}''::text[]'], NULL),
	('sample', '{item,3,1::bigint}', ''), ('weighted_sample', '{item,w,3,1::bigint}', ''), ('inverse_sample', '{item,w,3,1::bigint}', ''),
	('train', ARRAY['''SELECT item, price, query, later, w, p, b FROM shop''::text', '''b''::text', '''{"num_iterations": 2}''::jsonb', '''binary''::text', '''w''::text', '''p''::text', 'NULL::text', '''later''::text', '''{query}''::text[]', '1::bigint'], NULL),
	('train', ARRAY['''SELECT item, price, query, y FROM shop''::text', '''y''::text', '''{"num_iterations": 2}''::jsonb', '''ranking''::text', 'NULL::text', 'NULL::text', '''query''::text', 'NULL::text', '''{}''::text[]', '1::bigint'], NULL),
	('train_agg', ARRAY['grove.features(y, price, item)', '''{"num_iterations": 2}''::jsonb'], ''),
	('features', '{y,price,item}', ''),
	('training_progress_rows', '{}', NULL),
	('evaluate', ARRAY['(SELECT m FROM models)', '''shop''::text', 'NULL::text', '''query''::text', '''item''::text', '''popularity''::text', '5::bigint'], NULL),
	('evaluate', ARRAY['''bad''::text', '''shop''::text', '''w''::text', 'NULL::text', 'NULL::text', 'NULL::text', '5::bigint'], NULL),
	('roc_curve', ARRAY['''shop''::text', '''b''::text', '''p''::text', '''w''::text'], NULL), ('lift_curve', ARRAY['''shop''::text', '''b''::text', '''p''::text', '''w''::text', '5'], NULL),
	('calibration', ARRAY['''shop''::text', '''b''::text', '''p''::text', '''w''::text', '5'], NULL), ('confusion_matrix', ARRAY['''shop''::text', '''item''::text', '''item''::text'], NULL),
	('permutation_importance', ARRAY['(SELECT m FROM models)', '''shop''::text', '''auc''::text', '''w''::text', '2', '1::bigint'], NULL), ('permutation_importance', ARRAY['''bad''::text', '''shop''::text', '''auc''::text', '''w''::text', '2', '1::bigint'], NULL),
	('partial_dependence', ARRAY['(SELECT m FROM models)', '''shop''::text', '''price''::text', '5', '''w''::text'], NULL), ('partial_dependence', ARRAY['''bad''::text', '''shop''::text', '''price''::text', '5', '''w''::text'], NULL),
	('recommend', ARRAY['(SELECT m FROM models)', '''SELECT id, item FROM shop WHERE id < 4''::text', '''SELECT query, price FROM shop WHERE id < 4''::text', '2', '''id''::text', '''query''::text', 'NULL::text', 'NULL::text'], NULL),
	('recommend', ARRAY['''bad''::text', '''SELECT id, item FROM shop WHERE id < 4''::text', '''SELECT query, price FROM shop WHERE id < 4''::text', '2', '''id''::text', '''query''::text', 'NULL::text', 'NULL::text'], NULL),
	('prune_train', ARRAY['''shop''::text', '''b''::text', '''{id}''::text[]', 'ARRAY[0.5]::float8[]', '0.1::float8', '0.9::float8', '''random''::text', '''{query}''::text[]', 'NULL::text', '''{"num_iterations": 2}''::jsonb', '1::bigint'], NULL),
	('report', ARRAY['(SELECT m FROM models)', '''shop''::text', '''title''::text', 'NULL::text'], NULL),
	('import_lightgbm', '{grove.export_lightgbm((SELECT m FROM models))}', NULL), ('import_xgboost', ARRAY['''{}''::text'], NULL),
	('export_json', '{(SELECT m FROM models)}', NULL), ('export_lightgbm', '{(SELECT m FROM models)}', NULL), ('export_sql', '{(SELECT m FROM models)}', NULL),
	('save', ARRAY['''other''::text', '(SELECT m FROM models)', '''SELECT item, price, b FROM shop''::text', 'NULL::text', 'NULL::text', 'NULL::text', 'NULL::text', 'NULL::text[]', '1::bigint', 'true'], NULL),
	('deploy', ARRAY['''bad''::text', '1'], NULL), ('drop_model', ARRAY['''bad''::text', '1'], NULL), ('model', ARRAY['''bad''::text', '1'], NULL),
	('grant_model', ARRAY['''bad''::text', 'current_user::text'], NULL), ('revoke_model', ARRAY['''bad''::text', 'current_user::text'], NULL),
	('may_use_model', ARRAY['10::oid', '''{10}''::oid[]'], NULL),
	('retrain', ARRAY['''bad''::text', 'true', '0.3::float8'], NULL),
	('create_scoring_view', ARRAY['''bad''::text', '''shop''::regclass', '''scored''::text', '''score''::text'], NULL)) AS v (name, args, frm)
UNION ALL
SELECT name, model || rest, format('SELECT count(r::text) FROM grove.%s(%%s) AS r', name)
FROM (VALUES ('predict', '{''i1''::text,3::float8}'::text[]), ('predict_class', '{''i1''::text,3::float8}'), ('predict_proba', '{''i1''::text,3::float8}'), ('predict_raw', '{''i1''::text,3::float8}'),
	('predict_leaf', '{''i1''::text,3::float8}'), ('predict_top', '{2,''i1''::text,3::float8}'), ('explain', '{''i1''::text,3::float8}'), ('classes', '{}'), ('describe', '{}'), ('metrics', '{}'),
	('importance', '{}'), ('nodes', '{}'), ('tree_text', '{1}'), ('tree_dot', '{1}')) AS v (name, rest), unnest(ARRAY['(SELECT m FROM models)', '''bad''::text']) AS model
UNION ALL
SELECT 'score', ARRAY['NULL::shop', model, '''shop''::text'], 'SELECT count(*) FROM grove.score(%s) AS r' FROM unnest(ARRAY['(SELECT m FROM models)', '''bad''::text']) AS model
UNION ALL
SELECT name, args || weight, format('SELECT grove.%s(%%s) AS r FROM shop', name)
FROM (VALUES ('auc', '{b,p}'::text[]), ('auc', '{b::int::float8,p}'), ('average_precision', '{b,p}'), ('average_precision', '{b::int::float8,p}'), ('log_loss', '{b,p}'), ('log_loss', '{b::int::float8,p}'),
	('brier', '{b,p}'), ('brier', '{b::int::float8,p}'), ('accuracy', '{b,p}'), ('accuracy', '{b::int::float8,p}'), ('accuracy', '{item,item}'), ('rmse', '{y,price}'), ('mae', '{y,price}'), ('r2', '{y,price}'),
	('log_loss', ARRAY['item', 'ARRAY[0.5,0.5]::float8[]', '''{i1,i2}''::text[]'])) AS v (name, args), unnest(ARRAY['{}'::text, '{w}']) AS w, CAST(w AS text[]) AS weight
UNION ALL
SELECT name, args, format('SELECT grove.%s(%%s) AS r FROM shop', name)
FROM (VALUES ('auc_delong', '{b,p,price}'::text[]), ('auc_delong', '{b::int::float8,p,price}'), ('ndcg', '{query::bigint,b,p,5}'), ('ndcg', '{query::bigint,y,p,5}'), ('ndcg', '{item,b,p,5}'), ('ndcg', '{item,y,p,5}')) AS v (name, args);

-- every function that a user can call is there
SELECT DISTINCT proname AS not_called FROM pg_proc
WHERE pronamespace = 'grove'::regnamespace AND proname NOT IN (SELECT name FROM calls)
	AND proname !~ '_(trans|combine|final|serial|deserial|support|in|out|recv|send)(_|$)' AND prorettype <> 'tsm_handler'::regtype ORDER BY 1;

CREATE TABLE bad (type regtype, value text);
INSERT INTO bad
SELECT 'int4'::regtype, unnest('{NULL,0,-1,2147483647,-2147483648}'::text[])
UNION ALL SELECT 'int8', unnest('{NULL,0,-1,9223372036854775807,-9223372036854775808}'::text[])
UNION ALL SELECT 'float8', unnest('{NULL,0,-1,2,1e300,-1e300,1e-300,NaN,Infinity,-Infinity}'::text[])
UNION ALL SELECT 'text', unnest(ARRAY[NULL, '', ' ', 'no such thing', 'nosuch', 'shop', 'item', 'id', 'SELECT 1; SELECT 2', 'SELECT', 'DELETE FROM shop', 'SELECT * FROM shop WHERE false', 'SELECT NULL::int AS id', '"', repeat('x', 100)])
UNION ALL SELECT 'bytea', unnest(ARRAY[NULL, '', '\x00', '\x9347524f56450d0a'])
UNION ALL SELECT 'jsonb', unnest(ARRAY[NULL, '[]', '1', 'null', '"x"', '{"nosuch": 1}', '{"num_leaves": -1}', '{"num_leaves": null}', '{"seed": {}}'])
UNION ALL SELECT 'text[]', unnest(ARRAY[NULL, '{}', '{NULL}', '{nosuch}', '{id,id}', '{{id,item},{b,y}}', '{""}'])
UNION ALL SELECT 'float8[]', unnest(ARRAY[NULL, '{}', '{NULL}', '{NaN}', '{-1,2}', '{0.3,0.3}', '{{0.5,0.5},{0,0}}', '{2}', '{Infinity}'])
UNION ALL SELECT 'oid', unnest(ARRAY[NULL, '0']) UNION ALL SELECT 'oid[]', unnest(ARRAY[NULL, '{}', '{NULL}']) UNION ALL SELECT 'regclass', unnest(ARRAY[NULL, '0', '1'])
UNION ALL SELECT 'bool', unnest('{NULL,true,false}'::text[]) UNION ALL SELECT 'shop', NULL UNION ALL SELECT 'grove.feature_rows', NULL;

-- what a call ends in; whatever it does to the registry is undone
CREATE FUNCTION outcome(query text, OUT state text, OUT message text, OUT hint text) AS $$
BEGIN
	EXECUTE query;
	RAISE EXCEPTION SQLSTATE 'ZZ000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	state := CASE SQLSTATE WHEN 'ZZ000' THEN '00000' ELSE SQLSTATE END;
END $$ LANGUAGE plpgsql;
CREATE FUNCTION type_of(expression text) RETURNS regtype LANGUAGE plpgsql AS $$
DECLARE
	result regtype;
BEGIN
	EXECUTE format('SELECT pg_typeof(%s) FROM shop LIMIT 1', expression) INTO result;
	RETURN result;
END $$;

-- as they stand they succeed, but for import_xgboost(), which has nothing to read, and drop_model() of a version that is in use
SELECT name, state, message FROM calls, outcome(format(form, array_to_string(args, ', '))) AS o WHERE state <> '00000' ORDER BY 1;

CREATE TABLE ends AS SELECT name, place, value, o.*
FROM calls, unnest(args) WITH ORDINALITY AS a (arg, place), bad,
	LATERAL outcome(format(form, array_to_string(args[:place - 1] || format('%L::%s', value, type) || args[place + 1:], ', '))) AS o
WHERE bad.type = type_of(arg);
SELECT count(*) > 2000 AS many, count(*) FILTER (WHERE state = '00000') > 500 AS allowed, count(*) FILTER (WHERE state <> '00000') > 1000 AS refused FROM ends;
SELECT state, message, value, count(DISTINCT name) AS functions FROM ends WHERE state <> '00000' AND left(state, 2) NOT IN ('22', '42', '0A', '54') GROUP BY state, message, value ORDER BY 1, 2, 3;
SELECT name, place, state, message, hint FROM ends WHERE name IN ('inverse_pi', 'prior_correct') AND value = 'NaN' ORDER BY 1, 2;
-- without a hint are only errors of the server's own: of syntax, and for what it does not find or finds twice
SELECT state, array_agg(DISTINCT name ORDER BY name) AS functions FROM ends
WHERE state <> '00000' AND hint = '' AND message !~ '^(syntax error|unterminated|zero-length|invalid name syntax|role ".*" does not exist|column .* (does not exist|specified more than once)$|invalid input syntax for type json|relation "shop" already exists)'
GROUP BY state ORDER BY 1;

SET client_min_messages = warning;
SELECT grove.drop_model('bad');
DROP SCHEMA bad_arguments CASCADE;
