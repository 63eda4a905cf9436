-- grove.report: a page that is well-formed, stands alone, and escapes what comes from outside.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
\set SHOW_CONTEXT never
CREATE SCHEMA report_test;
SET search_path = report_test;
CREATE TABLE visits AS
SELECT i AS id, grove.u01(1, i) * 4 - 2 AS "x<1>&", grove.u01(2, i) AS x2, chr(97 + (grove.u01(3, i) * 3)::int) AS kind,
	grove.u01(5, i) < 1 / (1 + exp(1 - grove.u01(1, i) * 4)) AS bought, grove.u01(1, i) + grove.u01(6, i) AS spent, grove.split('{0.8,0.2}', 1, i) = 2 AS held
FROM generate_series(1, 4000) AS i;
CREATE TABLE models AS
SELECT 'binary' AS name, grove.train('SELECT "x<1>&", x2, kind, bought, held FROM visits', 'bought', '{"num_iterations": 10}', validation => 'held') AS model
UNION ALL SELECT 'regression', grove.train('SELECT "x<1>&", x2, kind, spent FROM visits', 'spent', '{"num_iterations": 10}')
UNION ALL SELECT 'multiclass', grove.train('SELECT "x<1>&", x2, kind FROM visits', 'kind', '{"num_iterations": 3}')
UNION ALL SELECT 'ranking', grove.train('SELECT "x<1>&", x2, id / 10 AS query, bought::int AS bought FROM visits', 'bought', '{"num_iterations": 3}', group_by => 'query');
CREATE TABLE rounds AS SELECT * FROM grove.prune_train('SELECT id, "x<1>&", x2, kind, bought FROM visits', 'bought', '{id}', '{0.5,0.3}', 0.1, method => 'random', params => '{"num_iterations": 10}');
CREATE TABLE pages AS
SELECT name, grove.report(model, 'SELECT * FROM visits WHERE held', title => '<b>"' || name || '" & co</b>', pruning => CASE name WHEN 'binary' THEN 'rounds' END) AS page FROM models;

SELECT name, page LIKE '<!DOCTYPE html>%</html>' || chr(10) AS whole, page ~* '<script|<link|src=|href=|url\(' AS refers, position('<b>' IN page) > 0 AS raw_title,
	position('&lt;b&gt;&quot;' || name || '&quot; &amp; co&lt;/b&gt;' IN page) > 0 AS escaped, position('x&lt;1&gt;&amp;' IN page) > 0 AS feature, position('x<1>' IN page) > 0 AS raw_feature
FROM pages ORDER BY name;
SELECT name, array_agg(h[1] ORDER BY n) AS chapters FROM pages, regexp_matches(page, '<h2>([^<]*)</h2>', 'g') WITH ORDINALITY AS m(h, n) GROUP BY name ORDER BY name;
-- Every element is closed in order: what is left after taking away pairs of tags without children, again and again.
CREATE FUNCTION unbalanced(page text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	tags text := (SELECT string_agg(CASE WHEN t[1] LIKE '/%' THEN '</' || substr(t[1], 2) || '>' ELSE '<' || t[1] || '>' END, '' ORDER BY n)
		FROM regexp_matches(page, '<(/?[a-z0-9]+)(?:\s[^>]*[^/>])?>', 'g') WITH ORDINALITY AS m(t, n));
	before text;
BEGIN
	LOOP
		before := tags;
		tags := regexp_replace(tags, '<([a-z0-9]+)></\1>', '', 'g');
		EXIT WHEN tags = before;
	END LOOP;
	RETURN tags;
END $$;
SELECT name, unbalanced(page), page ~ 'nan|NaN|inf"' AS odd_numbers FROM pages ORDER BY name;
-- The numbers are those of the functions.
SELECT count(*) AS metrics, bool_and(abs(substring(page FROM '<td>' || e.metric || '</td><td>([^<]*)</td>')::float8 / e.value - 1) < 1e-4) AS shown
FROM pages JOIN models USING (name), grove.evaluate(model, 'SELECT * FROM visits WHERE held') AS e WHERE name = 'binary';
SELECT count(*) AS rounds, bool_and(position('<td>' || decision || '</td>' IN page) > 0) AS shown FROM rounds, pages WHERE name = 'binary';
SELECT page = grove.report(model, 'SELECT * FROM visits WHERE held ORDER BY grove.hash64(1, id)', '<b>"binary" & co</b>', 'rounds') AS same FROM pages JOIN models USING (name) WHERE name = 'binary';

SELECT grove.report(NULL, 'visits') IS NULL AS is_null;
SELECT grove.report(model, 'SELECT x2 FROM visits') FROM models WHERE name = 'binary';
SELECT grove.report(model, 'visits', pruning => 'SELECT 1 AS round') FROM models WHERE name = 'binary';
SELECT grove.report('\x00', 'visits');
SELECT grove.report(model, NULL) FROM models WHERE name = 'binary';

DROP SCHEMA report_test CASCADE;
