-- retrain(): the stored query again, an honest hold-out, and the better model stays
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE ROLE grove_retrain_ann;
CREATE ROLE grove_retrain_bob;
GRANT grove_retrain_ann TO grove_retrain_bob;
CREATE SCHEMA retrain;
GRANT USAGE, CREATE ON SCHEMA retrain TO grove_retrain_ann, grove_retrain_bob;
SET search_path = retrain;
SET ROLE grove_retrain_ann;

CREATE TABLE visits (id int PRIMARY KEY, pages int, source text, bought boolean, w float8, held boolean, value float8, day int, grade int);
INSERT INTO visits
SELECT i, 1 + floor(30 * grove.u01(1, i))::int, ('{mail,search}'::text[])[1 + i % 2],
	   grove.u01(2, i) < grove.u01(1, i) * (1 + i % 2) / 2.0, 1 + i % 3, i % 10 = 0, grove.u01(3, i), i / 20, i % 3
FROM generate_series(1, 4000) AS i;

SELECT grove.save('propensity', grove.train('visits', 'bought', '{"num_iterations": 2}', ignore => '{id,w,held,value,day,grade}'),
				  source => 'visits -- all', key => '{id}');
SELECT grove.save('propensity', grove.train('visits', 'bought', '{"num_iterations": 2}', ignore => '{id,w,held,value,day,grade}'),
				  source => 'SELECT * FROM visits -- all', key => '{id}', seed => 5);

-- the new model is what train() makes of the rows that are not held out
SELECT version, deployed, metric, holdout_rows = (SELECT count(*) FROM visits WHERE grove.keep(0.2, 1, id)) AS held FROM grove.retrain('propensity', only_if_better => false);
SELECT grove.model('propensity') = grove.train('SELECT pages, source, bought FROM visits WHERE NOT grove.keep(0.2, 1, id)', 'bought',
											   '{"num_iterations": 2}', seed => 5) AS same;
SELECT metrics -> 'retrain' ->> 'metric' AS metric, metrics -> 'retrain' -> 'deployed' AS deployed FROM grove.models WHERE is_current;
-- and its metric that of evaluate()
SELECT (m.metrics -> 'retrain' ->> 'new_value')::float8 = e.value AS same
FROM grove.models AS m, grove.evaluate(m.model, 'SELECT * FROM visits WHERE grove.keep(0.2, 1, id)') AS e
WHERE m.is_current AND e.metric = 'log_loss';

-- a worse one is kept, but not deployed
CREATE TABLE good AS TABLE visits;
UPDATE visits SET bought = NOT bought WHERE NOT grove.keep(0.2, 1, id);
SELECT version, deployed, new_value > current_value AS worse FROM grove.retrain('propensity');
SELECT version, is_current FROM grove.models ORDER BY version;
-- unless told to
SELECT version, deployed, new_value > current_value AS worse FROM grove.retrain('propensity', only_if_better => false);
-- and a better one is
UPDATE visits SET bought = good.bought FROM good WHERE good.id = visits.id;
SELECT version, deployed, new_value < current_value AS better FROM grove.retrain('propensity');

-- other tasks and roles of columns
SELECT grove.save('value', grove.train('visits', 'value', '{"num_iterations": 2}', weight => 'w', validation => 'held', ignore => '{id,bought,day,grade}'),
				  source => 'visits', weight => 'w', validation => 'held');
SELECT version, deployed, metric, holdout_rows > 0 AS held FROM grove.retrain('value', only_if_better => false);
SELECT grove.save('order', grove.train('visits', 'grade', '{"num_iterations": 2}', group_by => 'day', ignore => '{id,bought,w,held,value}'),
				  source => 'visits', group_by => 'day');
SELECT version, deployed, metric, holdout_rows = (SELECT count(*) FROM visits WHERE grove.keep(0.3, 1, day)) AS held
FROM grove.retrain('order', false, 0.3);
SELECT grove.save('grade', grove.train('visits', 'grade', '{"num_iterations": 2}', task => 'multiclass', ignore => '{id,bought,w,held,value,day}'),
				  source => 'visits', key => '{id}');
SELECT version, deployed, metric FROM grove.retrain('grade', false);
SELECT name, version, is_current, recipe FROM grove.models WHERE name <> 'propensity' ORDER BY name, version;

-- training and both judgements see the rows of one snapshot, also when the source adds some each time it is read
CREATE TABLE growing AS SELECT i AS id, i % 30 AS x, i % 30 + i % 2 AS y FROM generate_series(1, 600) AS i;
CREATE FUNCTION add_rows() RETURNS int LANGUAGE sql VOLATILE
AS $$ INSERT INTO retrain.growing SELECT i, 1, 1000 FROM generate_series(601, 900) AS i; SELECT 1 $$;
SELECT grove.save('growing', grove.train('growing', 'y', '{"algorithm": "tree"}', task => 'regression', ignore => '{id}'),
				  source => 'SELECT g.* FROM retrain.growing AS g, (SELECT add_rows() OFFSET 0) AS a', key => '{id}');
SELECT deployed, new_value < 1 AS small, holdout_rows = (SELECT count(*) FROM growing WHERE id <= 600 AND grove.keep(0.2, 1, id)) AS held
FROM grove.retrain('growing', false);
SELECT count(*) > 600 AS grew FROM growing;

-- without a key the rows held out are told by their features, whatever the session's settings
CREATE TABLE days AS SELECT date '2020-01-01' + i AS day, timestamptz '2026-01-01 00:00+00' - i * interval '1 hour' AS at, i / 7.0::float8 AS x, i AS y FROM generate_series(1, 400) AS i;
SELECT grove.save('days', grove.train('days', 'y', '{"num_iterations": 2}', task => 'regression'), source => 'retrain.days');
SELECT metric FROM grove.retrain('days', false);
SET datestyle = 'German';
SET timezone = 'America/New_York';
SET extra_float_digits = -3;
SELECT metric FROM grove.retrain('days', false);
RESET datestyle;
RESET timezone;
RESET extra_float_digits;
SELECT count(DISTINCT model) AS models, count(DISTINCT metrics #> '{retrain,holdout_rows}') AS holdouts FROM grove.models WHERE name = 'days' AND version > 1;

-- what the current version may have seen is said, where the judgement decides
SET client_min_messages = notice;
SELECT metric FROM grove.retrain('days');
SELECT metric FROM grove.retrain('days', holdout => 0.3);
SELECT metric FROM grove.retrain('days', false, holdout => 0.1);
SELECT metric FROM grove.retrain('days', holdout => 0.1);
SELECT metric FROM grove.retrain('days');
SELECT grove.deploy('days', 1);
SELECT metric FROM grove.retrain('days');
SELECT grove.deploy('days', 1);
SELECT metric FROM grove.retrain('days', false);
SET client_min_messages = warning;

-- it runs as the owner: one that may not read the table gets no further
RESET ROLE;
REVOKE grove_retrain_ann FROM grove_retrain_bob;
CREATE TABLE secret AS SELECT i AS x, i % 2 = 0 AS y FROM generate_series(1, 500) AS i;
SET ROLE grove_retrain_bob;
CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
GRANT EXECUTE ON FUNCTION try(text) TO PUBLIC;
SELECT grove.save('spy', grove.train('SELECT i AS x, i % 2 = 0 AS y FROM generate_series(1, 500) AS i', 'y'), source => 'retrain.secret');
SELECT try($$SELECT grove.retrain('spy')$$);
-- nor does its query run as another role, which could read it: not as a superuser, not as a member of the owner
RESET ROLE;
SELECT try($$SELECT grove.retrain('spy')$$);
GRANT grove_retrain_bob TO grove_retrain_ann;
SET ROLE grove_retrain_ann;
SELECT try($$SELECT grove.retrain('spy')$$);

RESET ROLE;
REVOKE grove_retrain_bob FROM grove_retrain_ann;
SET ROLE grove_retrain_ann;

-- what cannot work
SELECT grove.save('bare', grove.model('value', 1));
SELECT grove.save('writes', grove.model('value', 1), source => 'DELETE FROM visits RETURNING *');
SELECT grove.save('small', grove.model('propensity', 1), source => 'SELECT * FROM visits WHERE id BETWEEN 1 AND 40', key => '{id}');
SELECT grove.save('nokey', grove.model('propensity', 1), source => 'visits', key => '{nothing}');
SELECT grove.save('nogroup', grove.model('order', 1), source => 'visits');
SELECT try(s) FROM (VALUES
	(1, $$SELECT grove.retrain('bare')$$), (2, $$SELECT grove.retrain('writes')$$), (3, $$SELECT grove.retrain('nobody')$$),
	(4, $$SELECT grove.retrain('propensity', holdout => 0)$$), (5, $$SELECT grove.retrain('propensity', holdout => NULL)$$),
	(6, $$SELECT grove.retrain('small', holdout => 0.001)$$), (7, $$SELECT grove.retrain('nokey')$$),
	(8, $$SELECT grove.retrain('nogroup')$$), (9, $$SELECT grove.retrain(NULL)$$)) AS t (n, s) ORDER BY n;
-- and changes nothing
SELECT name, count(*) FROM grove.models WHERE name IN ('bare', 'writes', 'small', 'nokey', 'nogroup') GROUP BY name ORDER BY name;

-- a view whose score is a column
SELECT grove.create_scoring_view('propensity', 'visits');
SELECT count(*), count(*) FILTER (WHERE score = grove.predict('propensity', pages, source)) AS same FROM visits_scored;
SELECT grove.create_scoring_view('propensity', 'visits', 'retrain."odd Name"', 'how likely');
SELECT "how likely" IS NOT NULL AS scored FROM "odd Name" LIMIT 1;
-- up to PostgreSQL 15 with the table's name before each column
SELECT regexp_replace(pg_get_viewdef('"odd Name"'::regclass), ' t\.(\w)', ' \1', 'g') AS view;
SELECT try(s) FROM (VALUES
	(1, $$SELECT grove.create_scoring_view('propensity', 'visits')$$),
	(2, $$SELECT grove.create_scoring_view('nobody', 'visits')$$),
	(3, $$SELECT grove.create_scoring_view('propensity', 'retrain.good', 'a b; DROP TABLE visits')$$),
	(4, $$SELECT grove.create_scoring_view('propensity', 'pg_class')$$),
	(5, $$SELECT grove.create_scoring_view('propensity', 'visits', 'x', 'pages')$$),
	(6, $$SELECT grove.create_scoring_view('propensity', NULL)$$)) AS t (n, s) ORDER BY n;
SELECT grove.create_scoring_view('propensity', 'visits', 'quoted', 'it''s "x"');

RESET ROLE;
SELECT count(grove.drop_model(name)) FROM (SELECT DISTINCT name FROM grove.models) AS n;
DROP SCHEMA retrain CASCADE;
DROP ROLE grove_retrain_ann, grove_retrain_bob;
