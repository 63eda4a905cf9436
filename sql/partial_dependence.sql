-- partial_dependence: mean predictions against SQL, numbers, labels and NULL;
-- errors.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
\set SHOW_CONTEXT never
CREATE SCHEMA partial;
SET search_path = partial;
SET jit = off;
SET extra_float_digits = 0;
SET datestyle = 'ISO';

CREATE TABLE rows AS
SELECT CASE WHEN i % 8 > 0 THEN i * 37 % 101 END AS a, CASE WHEN i % 7 > 0 THEN 'c' || i % 4 END AS label, i % 3 = 0 AS flag,
	   date '2024-01-01' + i % 30 AS day, 1 + i % 3 AS w
FROM generate_series(1, 900) AS i;
CREATE VIEW answers AS
SELECT r.*, coalesce(a, 120) + ascii(right(coalesce(label, 'c9'), 1)) * CASE WHEN flag THEN 2 ELSE 1 END + extract(day FROM day)::int AS y FROM rows AS r;
CREATE TABLE models AS
SELECT 1 AS id, grove.train('answers', 'y', '{"num_iterations": 20}', ignore => '{w}') AS model
UNION ALL SELECT 2, grove.train('SELECT *, y > 150 AS positive FROM answers', 'positive', '{"num_iterations": 10}', ignore => '{w,y}')
UNION ALL SELECT 3, grove.train('SELECT *, y / 100 AS class FROM answers', 'class', '{"num_iterations": 5}', 'multiclass', ignore => '{w,y}');

-- against SQL
SELECT m.id, count(*) AS points, max(abs(p.prediction - e.expected)) < 1e-9 AS equal
FROM models AS m, grove.partial_dependence(m.model, 'rows', 'a', 12, weight => 'w') AS p,
	 LATERAL (SELECT sum(w * CASE WHEN p.class IS NULL THEN grove.predict(m.model, p.value::int, label, flag, day)
								  ELSE (grove.predict_proba(m.model, p.value::int, label, flag, day))[array_position(grove.classes(m.model), p.class)] END) / sum(w) AS expected
			  FROM rows) AS e
GROUP BY m.id ORDER BY m.id;
SELECT m.id, p.value, p.class, round(p.share::numeric, 4) AS share, abs(p.prediction - e.expected) < 1e-9 AS equal
FROM models AS m, grove.partial_dependence(m.model, 'rows', 'label', weight => 'w') WITH ORDINALITY AS p,
	 LATERAL (SELECT sum(w * CASE WHEN p.class IS NULL THEN grove.predict(m.model, a, p.value, flag, day)
								  ELSE (grove.predict_proba(m.model, a, p.value, flag, day))[array_position(grove.classes(m.model), p.class)] END) / sum(w) AS expected
			  FROM rows) AS e
ORDER BY m.id, p.ordinality;
-- the grid of a number: at most so many values, the smallest and largest among them, and each share that of its part
SELECT p.value, round(p.share::numeric, 4) = round(e.share, 4) AS share
FROM models AS m, LATERAL (SELECT *, lag(value::int) OVER (ORDER BY value::int) AS before FROM grove.partial_dependence(m.model, 'rows', 'a', 5)) AS p,
	 LATERAL (SELECT count(*) FILTER (WHERE CASE WHEN p.value IS NULL THEN a IS NULL ELSE a <= p.value::int AND a > coalesce(before, -1) END)::numeric / count(*) AS share FROM rows) AS e
WHERE m.id = 1 ORDER BY p.value::int;
SELECT value, share FROM models, grove.partial_dependence(model, 'SELECT * FROM rows LIMIT 10', 'flag') WHERE id = 1 ORDER BY value;
SELECT value FROM models, grove.partial_dependence(model, 'rows', 'day', 3) WHERE id = 1;
SELECT value FROM models, grove.partial_dependence(model, 'rows', 'label', 2) WHERE id = 1;
-- an unknown label is missing; no rows give none; nor does no model
SELECT value, share FROM models, grove.partial_dependence(model, 'SELECT 1 AS a, ''new'' AS label, true AS flag, current_date AS day', 'label') WHERE id = 1;
SELECT count(*) FROM models, grove.partial_dependence(model, 'SELECT * FROM rows WHERE false', 'a') WHERE id = 1;
SELECT count(*) FROM grove.partial_dependence(NULL, 'rows', 'a');
-- any order of the rows
CREATE TABLE shuffled AS SELECT * FROM rows ORDER BY grove.hash64(1, w, coalesce(a, 0), day);
SELECT count(*) AS differ FROM (
	SELECT p.* FROM models, grove.partial_dependence(model, 'rows', 'a') AS p
	EXCEPT SELECT p.* FROM models, grove.partial_dependence(model, 'shuffled', 'a') AS p) AS d;

-- errors
SELECT * FROM models, grove.partial_dependence(model, 'rows', 'lable') WHERE id = 1;
SELECT * FROM models, grove.partial_dependence(model, 'rows', NULL) WHERE id = 1;
SELECT * FROM models, grove.partial_dependence(model, 'rows', 'a', 1) WHERE id = 1;
SELECT * FROM models, grove.partial_dependence(model, 'SELECT a FROM rows', 'a') WHERE id = 1;
SELECT * FROM models, grove.partial_dependence(model, 'rows', 'a', weight => 'x') WHERE id = 1;
SELECT * FROM models, grove.partial_dependence(model, 'INSERT INTO rows DEFAULT VALUES', 'a') WHERE id = 1;
SET grove.max_memory = '64kB';
SELECT * FROM models, grove.partial_dependence(model, 'SELECT r.* FROM rows AS r, generate_series(1, 100)', 'a') WHERE id = 1;
DROP SCHEMA partial CASCADE;
