\set SHOW_CONTEXT never
-- explain: contributions that add up to the margin, for every task and kind of
-- feature; against the definition written in SQL over grove.nodes().
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA explain;
SET search_path = explain;
SET jit = off;
SET extra_float_digits = 0;
SET datestyle = 'ISO';
SET timezone = 'UTC';

CREATE TABLE visits AS
SELECT CASE WHEN i % 11 > 0 THEN i % 7 END AS pages, ((i * 37 % 101) / 10.0)::real AS seconds,
	   CASE WHEN i % 5 > 0 THEN 'c' || i % 4 END AS city, 'item ' || i * 7 % 900 AS item,
	   date '2024-01-01' + i % 50 AS day, timestamptz '2024-03-01 12:00+00' + i % 13 * interval '1 hour' AS at, i % 3 = 0 AS member
FROM generate_series(1, 3000) AS i;
CREATE TABLE targets AS
SELECT v.*, coalesce(pages, 3) + seconds + length(item) + CASE WHEN member THEN 4 ELSE extract(day FROM day) / 8 END AS value
FROM visits AS v;
CREATE TABLE models AS
SELECT 1 AS id, grove.train('SELECT *, value > 15 AS y FROM targets', 'y', '{"num_iterations": 15}', ignore => '{value}') AS model
UNION ALL SELECT 2, grove.train('SELECT *, floor(value / 6)::int AS y FROM targets', 'y', '{"num_iterations": 4}', 'multiclass', ignore => '{value}')
UNION ALL SELECT 3, grove.train('targets', 'value', '{"num_iterations": 15, "objective": "poisson"}')
UNION ALL SELECT 4, grove.train('targets', 'value', '{"num_iterations": 8, "algorithm": "forest"}')
UNION ALL SELECT 5, grove.train('SELECT *, value > 15 AS y FROM targets', 'y', '{"algorithm": "tree", "num_leaves": 200, "min_data_in_leaf": 2}', ignore => '{value}')
UNION ALL SELECT 6, grove.train('SELECT *, floor(value / 6)::int AS y FROM targets', 'y', '{"algorithm": "forest", "num_iterations": 3}', 'multiclass', ignore => '{value}');

-- every task and algorithm: the base value and one row a feature, which add up to the margin
SELECT m.id, count(*) AS rows, max(n) AS entries, max(abs(total - grove.predict_raw(m.model, v))) < 1e-9 AS adds_up
FROM models AS m, (SELECT * FROM visits LIMIT 60) AS v,
	 LATERAL (SELECT sum(contribution) AS total, count(*) AS n FROM grove.explain(m.model, v)) AS e
GROUP BY m.id ORDER BY m.id;
SELECT m.id, max(abs(total - grove.predict_raw(m.model, NULL::visits))) < 1e-9 AS adds_up_without_values
FROM models AS m, LATERAL (SELECT sum(contribution) AS total FROM grove.explain(m.model, NULL::visits)) AS e
GROUP BY m.id ORDER BY m.id;
-- the base value of several classes is that of the likeliest one
SELECT count(DISTINCT e.contribution) = count(DISTINCT grove.predict_class(m.model, v)) AS a_base_a_class
FROM models AS m, (SELECT * FROM visits LIMIT 200) AS v, grove.explain(m.model, v) AS e
WHERE m.id = 2 AND e.feature IS NULL;

-- order and values: as the model sees them
SELECT e.ordinality, e.feature, e.value, e.contribution <> 0 AS counts
FROM models AS m, grove.explain(m.model, 2, 7.3::real, 'c1', 'never seen', date 'infinity', '2024-03-01 15:30:00.25+00'::timestamptz, true)
	WITH ORDINALITY AS e
WHERE m.id = 3 ORDER BY coalesce(e.feature, '');
SELECT bool_and(abs(contribution) <= before) AS largest_first FROM (
	SELECT contribution, lag(abs(contribution)) OVER (ORDER BY ordinality) AS before
	FROM models AS m, grove.explain(m.model, (SELECT v FROM visits AS v LIMIT 1)) WITH ORDINALITY AS e
	WHERE m.id = 1 AND feature IS NOT NULL) AS e;
SELECT string_agg(e.feature || '=' || coalesce(e.value, '-'), ' ' ORDER BY e.feature)
FROM models AS m, grove.explain(m.model, NULL, 'NaN'::real, NULL, 'item 7', '0044-03-15 BC'::date, '-infinity'::timestamptz, NULL) AS e
WHERE m.id = 3;
-- by name and by position alike
SELECT count(*) AS differ
FROM models AS m, (SELECT * FROM visits LIMIT 20) AS v,
	 LATERAL ((SELECT * FROM grove.explain(m.model, v) EXCEPT
			   SELECT * FROM grove.explain(m.model, v.pages, v.seconds, v.city, v.item, v.day, v.at, v.member)) UNION ALL
			  (SELECT * FROM grove.explain(m.model, v) EXCEPT SELECT * FROM grove.explain(m.model, to_jsonb(v)))) AS e
WHERE m.id = 1;

-- the definition: the worth of each set of features, from the nodes
CREATE TABLE few AS
SELECT CASE WHEN i % 9 > 0 THEN i % 17 END AS a, CASE WHEN i % 6 > 0 THEN chr(97 + i % 5) END AS b, i * 31 % 23 AS c,
	   i % 17 * (i * 31 % 23) + ascii(chr(97 + i % 5)) * (i % 3) + CASE WHEN i % 6 = 0 THEN 40 ELSE 0 END AS y, 1 + i % 4 AS w
FROM generate_series(1, 1500) AS i;
CREATE TABLE few_model AS
SELECT grove.train('few', 'y', '{"num_iterations": 3, "num_leaves": 12}', weight => 'w') AS model;
CREATE TABLE few_nodes AS SELECT n.* FROM few_model, grove.nodes(model) AS n;
CREATE TABLE few_rows AS
SELECT row_number() OVER (ORDER BY a, b, c) AS id, a, b, c FROM (SELECT DISTINCT ON (a, b) a, b, c FROM few ORDER BY a, b, c) AS f LIMIT 25;
CREATE TABLE worth AS
WITH RECURSIVE walk AS (
	SELECT r.id, s.known, n.tree, n.node, 1::float8 AS share
	FROM few_rows AS r, (VALUES ('{}'::text[]), ('{a}'), ('{b}'), ('{c}'), ('{a,b}'), ('{a,c}'), ('{b,c}'), ('{a,b,c}')) AS s (known), few_nodes AS n
	WHERE n.node = 0
	UNION ALL
	SELECT w.id, w.known, w.tree, child.node,
		   w.share * CASE WHEN NOT n.feature = ANY (w.known) THEN child.cover / (l.cover + r.cover)
						  WHEN (child.node = n.left_child) = side.goes_left THEN 1 ELSE 0 END
	FROM walk AS w
	JOIN few_nodes AS n USING (tree, node)
	JOIN few_rows AS f ON f.id = w.id
	JOIN few_nodes AS l ON l.tree = n.tree AND l.node = n.left_child
	JOIN few_nodes AS r ON r.tree = n.tree AND r.node = n.right_child
	JOIN few_nodes AS child ON child.tree = n.tree AND child.node IN (n.left_child, n.right_child)
	CROSS JOIN LATERAL (SELECT coalesce(CASE n.feature WHEN 'a' THEN f.a <= n.threshold WHEN 'c' THEN f.c <= n.threshold
											ELSE f.b = ANY (n.categories) END, n.missing_left) AS goes_left) AS side
)
SELECT w.id, w.known, sum(w.share * n.value) AS worth FROM walk AS w JOIN few_nodes AS n USING (tree, node)
WHERE n.left_child IS NULL GROUP BY w.id, w.known;
WITH naive AS (
	SELECT f.id, p.feature,
		   sum((has.worth - hasnot.worth) * (ARRAY[1/3.0, 1/6.0, 1/3.0])[1 + cardinality(hasnot.known)]) AS contribution
	FROM few_rows AS f, unnest('{a,b,c}'::text[]) AS p (feature)
	JOIN worth AS hasnot ON NOT p.feature = ANY (hasnot.known)
	JOIN worth AS has ON has.id = hasnot.id AND has.known @> (hasnot.known || p.feature) AND cardinality(has.known) = cardinality(hasnot.known) + 1
	WHERE hasnot.id = f.id
	GROUP BY f.id, p.feature
)
SELECT count(*) AS contributions, bool_or(abs(n.contribution) > 1) AS not_all_small, max(abs(n.contribution - e.contribution)) < 1e-9 AS equal
FROM naive AS n JOIN few_rows AS f USING (id) CROSS JOIN few_model AS m
JOIN LATERAL grove.explain(m.model, f) AS e ON e.feature = n.feature;

-- in the list of columns, in parallel, and without a model
SELECT count(*), count((e).feature) FROM (SELECT grove.explain(model, 1, 2, 'c1', '', NULL, NULL, NULL) AS e FROM models WHERE id = 1) AS s;
SELECT count(*) AS no_model FROM grove.explain(NULL::bytea, 1, 2);
SELECT id, (SELECT count(*) FROM grove.explain(CASE WHEN id < 3 THEN model END, NULL::visits)) FROM models ORDER BY id;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT abs(sum(total) - sum(grove.predict_raw(m.model, v))) < 1e-6 AS adds_up
FROM models AS m, visits AS v, LATERAL (SELECT sum(contribution) AS total FROM grove.explain(m.model, v) OFFSET 0) AS e WHERE m.id = 1;

-- errors
SELECT * FROM models AS m, grove.explain(m.model, 1, 2) WHERE id = 1;
SELECT * FROM models AS m, grove.explain(m.model, (SELECT f FROM few AS f LIMIT 1)) WHERE id = 1;
SELECT * FROM grove.explain('\x00'::bytea, 1);
SELECT * FROM models AS m, grove.explain(m.model, '{"pages": 1}'::jsonb) WHERE id = 1;
DROP SCHEMA explain CASCADE;
