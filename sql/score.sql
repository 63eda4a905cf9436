-- score: a table with its predictions, against predict() row by row.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA score;
SET search_path = score, public;

CREATE TABLE shop AS
SELECT i AS id, (i * 37 % 101) / 7.0::float8 AS price, (i * 53 % 29)::int AS visits,
	   (ARRAY['mail', 'ads', 'search', NULL])[i % 4 + 1] AS source, 'item ' || i % 300 AS item, date '2024-01-01' + i % 90 AS day,
	   CASE WHEN i % 11 <> 0 THEN sin(i) END AS mood, i % 3 AS kind, (i * 31 % 7 + i % 13 > 9) AS bought
FROM generate_series(1, 3000) AS i;
ALTER TABLE shop ADD COLUMN gone int;
ALTER TABLE shop DROP COLUMN gone;
CREATE TABLE models (name text, model bytea);
INSERT INTO models VALUES
	('numbers', grove.train('SELECT price, visits, mood, bought FROM shop', 'bought', '{"num_iterations": 40}')),
	('binary', grove.train('SELECT price, visits, source, item, day, mood, bought FROM shop', 'bought', '{"num_iterations": 40}')),
	('few trees', grove.train('SELECT price, visits, source, bought FROM shop', 'bought', '{"num_iterations": 3}')),
	('regression', grove.train('SELECT visits, source, mood, price FROM shop', 'price', '{"num_iterations": 40}')),
	('large trees', grove.train('SELECT visits, mood, id, price FROM shop', 'price', '{"num_iterations": 12, "num_leaves": 600, "min_data_in_leaf": 1}')),
	('poisson', grove.train('SELECT mood, price, day, visits FROM shop', 'visits', '{"num_iterations": 40, "objective": "poisson"}')),
	('multiclass', grove.train('SELECT mood, price, day, visits, kind FROM shop', 'kind', '{"num_iterations": 20}', task => 'multiclass')),
	('ranking', grove.train('SELECT mood, price, visits, kind, id / 10 AS query FROM shop', 'kind', '{"num_iterations": 20}', group_by => 'query', task => 'ranking')),
	('forest', grove.train('SELECT price, visits, mood, source, bought FROM shop', 'bought', '{"algorithm": "forest", "num_iterations": 20}'));

-- bit-equal scores, and each row once
SELECT name, count(*) AS rows, count(DISTINCT (scored).id) AS ids, count(DISTINCT score) > 20 AS varied,
	   count(*) FILTER (WHERE score IS DISTINCT FROM grove.predict(model, scored)) AS different
FROM models, LATERAL grove.score(NULL::shop, model, 'shop') GROUP BY name ORDER BY name;

-- rows come as they are, in the order of the source; tiles that are not full
SELECT n, count(*) AS rows, bool_and((scored).id = place) AS in_order,
	   count(*) FILTER (WHERE scored IS DISTINCT FROM (SELECT s FROM shop AS s WHERE s.id = place)) AS changed_rows,
	   count(*) FILTER (WHERE score IS DISTINCT FROM grove.predict(model, scored)) AS different
FROM models, unnest(ARRAY[1, 31, 32, 33, 127, 128, 129, 300]) AS n,
	 LATERAL (SELECT row_number() OVER () AS place, scored, score
			  FROM grove.score(NULL::shop, model, format('SELECT * FROM shop WHERE id <= %s ORDER BY id', n))) AS s
WHERE name = 'binary' GROUP BY n ORDER BY n;

-- a query, a view, a type of its own, other types of columns, values beyond those of training
CREATE VIEW visitors AS SELECT bought, source, visits::numeric AS visits, price::real AS price, mood::numeric AS mood, id FROM shop;
SELECT count(*), count(*) FILTER (WHERE score IS DISTINCT FROM grove.predict(model, scored)) AS different
FROM models, LATERAL grove.score(NULL::visitors, model, 'visitors') WHERE name = 'forest';
CREATE TYPE person AS (id int, price float8);
SELECT count(*), count(DISTINCT (scored).price) AS prices,
	   count(*) FILTER (WHERE score IS DISTINCT FROM grove.predict(model, s)) AS different
FROM models, LATERAL grove.score(NULL::person, model, 'shop') AS p, shop AS s WHERE name = 'forest' AND s.id = (p.scored).id;
CREATE TYPE guest AS (i bigint, price float8, visits int, source text, mood float8);
SELECT (scored).i, score = grove.predict(model, scored) AS same
FROM models, LATERAL grove.score(NULL::guest, model,
	$$SELECT i, v AS price, 3 AS visits, 'unseen'::text AS source, NULL::float8 AS mood
	  FROM unnest('{NaN, -infinity, infinity, 1e308, NULL}'::float8[]) WITH ORDINALITY AS u (v, i)$$) WHERE name = 'forest';
SELECT pg_typeof(scored), count(*) FROM models, LATERAL grove.score(NULL::record, model, 'shop') WHERE name = 'numbers' GROUP BY 1;
SELECT count(*) AS of_nothing FROM models, LATERAL grove.score(NULL::shop, model, 'SELECT * FROM shop WHERE false');
SELECT count(*) FROM models, LATERAL grove.score(NULL::shop, model, 'SELECT * FROM shop') WHERE name = 'numbers' AND score > 0.5
	AND (scored).bought;

-- by a name
SELECT grove.save('score test', model) FROM models WHERE name = 'multiclass';
SELECT count(*), count(*) FILTER (WHERE score IS DISTINCT FROM grove.predict('score test', scored)) AS different
FROM grove.score(NULL::shop, 'score test', 'shop');
SELECT count(*) AS classes, sum(probability)::real AS together FROM shop, grove.predict_top('score test', 9, shop) WHERE id = 1;
SELECT grove.drop_model('score test');

-- larger than work_mem
SET work_mem = '64kB';
SELECT count(*), count(*) FILTER (WHERE score IS DISTINCT FROM grove.predict(model, scored)) AS different
FROM models, LATERAL grove.score(NULL::shop, model, 'shop') WHERE name = 'numbers';
RESET work_mem;

-- the planner knows how many rows a table has
ANALYZE shop;
CREATE FUNCTION planned(query text, what text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> what;
END $$;
SELECT planned($$SELECT * FROM grove.score(NULL::score.shop, NULL, 'shop')$$, 'Plan Rows') AS of_table,
	   planned($$SELECT * FROM grove.score(NULL::score.shop, NULL, 'score."shop"')$$, 'Plan Rows') AS of_qualified,
	   planned($$SELECT * FROM grove.score(NULL::score.shop, NULL, 'nothing')$$, 'Plan Rows') AS unknown,
	   planned($$SELECT * FROM grove.score(NULL::score.shop, NULL, 'a.b.c.d')$$, 'Plan Rows') AS no_name,
	   planned($$SELECT * FROM grove.score(NULL::score.shop, NULL, 'SELECT * FROM shop')$$, 'Plan Rows') AS of_query;

-- and what a model costs, when it is a constant or a parameter
CREATE FUNCTION cost_of(name text) RETURNS float8 LANGUAGE sql AS
	$$SELECT planned(format('SELECT grove.predict(%L::bytea, s) FROM score.shop AS s', m.model), 'Total Cost') FROM models AS m WHERE m.name = $1$$;
CREATE FUNCTION cost_of_scan() RETURNS float8 LANGUAGE sql AS $$SELECT planned('SELECT s FROM score.shop AS s', 'Total Cost')$$;
SELECT cost_of('few trees') > cost_of_scan() AS above_scan, cost_of('few trees') < cost_of('forest') AS three_below_twenty,
	   cost_of('numbers') - cost_of_scan() > 4 * (cost_of('few trees') - cost_of_scan()) AS forty_above_three,
	   planned('SELECT grove.predict((SELECT model FROM score.models LIMIT 1), s) FROM score.shop AS s', 'Total Cost') > cost_of('numbers')
		   AS usual_above_forty;
PREPARE scores(bytea) AS SELECT grove.predict($1, s) FROM shop AS s;
SELECT model AS few FROM models WHERE name = 'few trees' \gset
SELECT model AS many FROM models WHERE name = 'numbers' \gset
SET plan_cache_mode = force_custom_plan;
SELECT planned(format('EXECUTE scores(%L)', :'many'), 'Total Cost') = cost_of('numbers') AS many,
	   planned(format('EXECUTE scores(%L)', :'few'), 'Total Cost') = cost_of('few trees') AS few;
SET plan_cache_mode = force_generic_plan;
SELECT planned(format('EXECUTE scores(%L)', :'many'), 'Total Cost') = planned(format('EXECUTE scores(%L)', :'few'), 'Total Cost') AS generic_plan;
RESET plan_cache_mode;
SELECT planned($$SELECT grove.predict('\x00'::bytea, s) FROM score.shop AS s$$, 'Total Cost') =
	   planned($$SELECT grove.predict(NULL::bytea, s) FROM score.shop AS s$$, 'Total Cost') AS no_model;

-- what does not fit
CREATE FUNCTION outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT call, outcome('SELECT count(*) FROM models, LATERAL grove.score(' || call || ') WHERE name = ''forest''') FROM unnest(ARRAY[
	'NULL::shop, NULL, ''shop''',
	'NULL::shop, model, NULL',
	'NULL::shop, model, ''missing''',
	'NULL::shop, model, ''DELETE FROM shop''',
	'NULL::shop, model, ''SELECT price, source, bought FROM shop''',
	'NULL::shop, model, ''SELECT id, price, visits, source, item, day, kind, bought, 1 AS mood FROM shop''',
	'NULL::person, model, ''SELECT 1 AS id, 1::float8 AS price''',
	'NULL::person, model, ''SELECT 1 AS id, 1::float8 AS price, 1 AS visits, 1 AS mood, now() AS source''',
	'1, model, ''shop''',
	'NULL::shop, ''\x00''::bytea, ''shop''']) AS call;
DROP SCHEMA score CASCADE;
