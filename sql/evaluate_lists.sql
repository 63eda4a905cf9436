-- evaluate() with group_by: lists of items, against plain SQL.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA evaluate_lists;
SET search_path = evaluate_lists, public;
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, regexp_replace(SQLERRM, 'more than \d+ rows', 'more than N rows'), nullif(detail, ''), nullif(hint, ''));
END $$;

-- 60 users see about 40 of 100 items each; items are popular by their number.
CREATE TABLE seen AS
SELECT u AS user_id, 'item ' || i AS item, i AS number, floor(1000.0 / i) AS views, grove.u01(1, u, i) AS fit, u % 7 AS taste,
	   (grove.u01(2, u, i) < 0.4 * grove.u01(1, u, i))::int * (1 + i % 2) AS relevance, grove.u01(2, u, i) < 0.4 * grove.u01(1, u, i) AS bought
FROM generate_series(1, 60) AS u, generate_series(1, 100) AS i WHERE grove.u01(3, u, i) < 0.4;
CREATE TABLE models AS
SELECT 'ranking' AS name, grove.train('SELECT user_id, fit, taste, number, relevance FROM seen', 'relevance', '{"num_iterations": 10}', group_by => 'user_id') AS model
UNION ALL SELECT 'binary', grove.train('SELECT fit, taste, number, bought FROM seen', 'bought', '{"num_iterations": 10}')
UNION ALL SELECT 'regression', grove.train('SELECT fit, taste, number, relevance FROM seen', 'relevance', '{"num_iterations": 10}', task => 'regression');

CREATE FUNCTION pg_temp.slow(name text, k int) RETURNS TABLE (metric text, value float8) LANGUAGE sql AS $$
	WITH scored AS (
		SELECT s.user_id, s.item, s.views, CASE WHEN m.name = 'binary' THEN s.bought::int ELSE s.relevance END AS truth, grove.predict_raw(m.model, s) AS score
		FROM models AS m, seen AS s WHERE m.name = slow.name),
	ranked AS (
		SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY score DESC, (grove.hash64(0, item)::numeric + CASE WHEN grove.hash64(0, item) < 0 THEN 18446744073709551616 ELSE 0 END)) <= k AS shown FROM scored),
	items AS (SELECT item, views, sum(views) OVER (ORDER BY views DESC, item) - views AS before, sum(views) OVER () AS total FROM (SELECT DISTINCT item, views FROM scored) AS i),
	tail AS (SELECT item FROM items WHERE views < (SELECT min(views) FROM items WHERE before < 0.8 * total)),
	users AS (
		SELECT sum((truth > 0 AND shown)::int)::float8 / nullif(sum((truth > 0)::int), 0) AS recall,
			   sum((truth > 0 AND shown AND item IN (SELECT item FROM tail))::int)::float8 / nullif(sum((truth > 0 AND item IN (SELECT item FROM tail))::int), 0) AS tail_recall
		FROM ranked GROUP BY user_id)
	SELECT 'ndcg', grove.ndcg(user_id, truth::float8, score, k) FROM scored
	UNION ALL SELECT 'recall', avg(recall) FROM users
	UNION ALL SELECT 'catalogue_coverage', count(DISTINCT item) FILTER (WHERE shown)::float8 / count(DISTINCT item) FROM ranked
	UNION ALL SELECT 'long_tail_recall', avg(tail_recall) FROM users
$$;
SELECT name, k, e.metric, abs(e.value - s.value) < 1e-12 AS equal, e.value BETWEEN e.lower AND e.upper AS inside, e.upper - e.lower < 0.2 AS narrow, e.value BETWEEN 0.01 AND 1 AS proper
FROM models, unnest(ARRAY[1, 5, 1000]) AS k, LATERAL grove.evaluate(model, 'seen', group_by => 'user_id', item => 'item', popularity => 'views', k => k)
	WITH ORDINALITY AS e(metric, value, lower, upper, n) JOIN LATERAL pg_temp.slow(name, k) AS s USING (metric)
ORDER BY name, k, e.n;

-- Only what was asked for; in any order of rows; ten rows if nothing is said; rows without truth do not count.
SELECT metric FROM models, grove.evaluate(model, 'seen', group_by => 'user_id') WHERE name = 'ranking';
SELECT metric FROM models, grove.evaluate(model, 'seen', group_by => 'user_id', item => 'item') WHERE name = 'ranking';
SELECT count(*) AS differences FROM models, LATERAL (
	(SELECT * FROM grove.evaluate(model, 'SELECT * FROM seen ORDER BY fit', group_by => 'user_id', item => 'item', popularity => 'views')
	 UNION ALL SELECT * FROM grove.evaluate(model, 'SELECT * FROM seen UNION ALL SELECT 61, ''new'', 0, 7, fit, taste, NULL, NULL FROM seen', group_by => 'user_id', item => 'item', popularity => 'views', k => 10))
	EXCEPT SELECT * FROM grove.evaluate(model, 'seen', group_by => 'user_id', item => 'item', popularity => 'views')) AS d;
SELECT metric, value, lower, upper FROM models, grove.evaluate(model, 'SELECT * FROM seen WHERE false', group_by => 'user_id', popularity => 'views', item => 'item') WHERE name = 'ranking';

-- A model that shows everybody the best sellers covers little and finds nothing of the tail.
CREATE TABLE best AS SELECT number, views AS relevance, 1 AS one FROM seen;
SELECT metric, value < 0.2 AS little FROM grove.evaluate(grove.train('best', 'relevance', ignore => '{one}', task => 'regression'),
	'SELECT user_id, item, number, views, relevance FROM seen', group_by => 'user_id', item => 'item', popularity => 'views', k => 3) WHERE metric ~ 'tail';

-- Errors.
SELECT a, pg_temp.error_of('SELECT count(*) FROM models, grove.evaluate(model, ''seen'', ' || a || ') WHERE name = ''binary''') FROM (VALUES
	(1, 'group_by => ''user'''), (2, 'group_by => ''user_id'', k => 0'), (3, 'group_by => ''user_id'', k => NULL'), (4, 'group_by => ''user_id'', popularity => ''views'''),
	(5, 'item => ''item'''), (6, 'popularity => ''views'''), (7, 'group_by => ''user_id'', weight => ''views'''),
	(8, 'group_by => ''user_id'', item => ''item'', popularity => ''fit'''), (9, 'group_by => ''user_id'', item => ''item'', popularity => ''item''')) AS v(n, a) ORDER BY n;
SELECT pg_temp.error_of('SELECT count(*) FROM models, grove.evaluate(model, ''seen'') WHERE name = ''ranking''');
SELECT pg_temp.error_of('SELECT count(*) FROM grove.evaluate(grove.train(''SELECT fit, (ARRAY[''''a'''', ''''b'''', ''''c''''])[1 + taste % 3] AS c FROM seen'', ''c''), ''SELECT *, ''''a'''' AS c FROM seen'', group_by => ''user_id'')');
SELECT s, pg_temp.error_of(format('SELECT count(*) FROM models, grove.evaluate(model, %L, group_by => ''user_id'', item => ''item'', popularity => ''views'') WHERE name = ''regression''', s)) FROM (VALUES
	(1, 'SELECT NULL::int AS user_id, item, views, fit, taste, number, relevance FROM seen'), (2, 'SELECT user_id, NULL::text AS item, views, fit, taste, number, relevance FROM seen'),
	(3, 'SELECT user_id, item, -views AS views, fit, taste, number, relevance FROM seen'), (4, 'SELECT user_id, item, NULL::int AS views, fit, taste, number, relevance FROM seen'),
	(5, 'SELECT user_id, item, views, fit, taste, number, -1 AS relevance FROM seen')) AS v(n, s) ORDER BY n;
SET grove.max_memory = '1MB';
SELECT pg_temp.error_of('SELECT count(*) FROM models, grove.evaluate(model, ''SELECT s.* FROM seen AS s, generate_series(1, 10)'', group_by => ''user_id'') WHERE name = ''binary''');
RESET grove.max_memory;
DROP SCHEMA evaluate_lists CASCADE;
