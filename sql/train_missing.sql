-- Missing values and categories: NULL and NaN are one thing, the side is
-- learned, unseen and rare labels count as missing.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE visits AS
	SELECT i AS id, CASE WHEN i % 4 = 0 THEN NULL ELSE (i * 37) % 50 END AS x,
		'c' || (i * 7) % 12 AS city, (i % 3 = 0) AS member
	FROM generate_series(1, 4000) AS i;

-- y depends on whether x is there: missing goes to the side where it belongs
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT x, CASE WHEN x IS NULL OR x > 40 THEN 5.0 ELSE 1.0 END::float8 AS y FROM visits', 'y',
		'{"algorithm": "tree", "num_leaves": 2}') AS high,
		grove.train('SELECT x, CASE WHEN x IS NULL OR x < 10 THEN 5.0 ELSE 1.0 END::float8 AS y FROM visits', 'y',
		'{"algorithm": "tree", "num_leaves": 2}') AS low,
		grove.train('SELECT x, CASE WHEN x IS NULL THEN 5.0 ELSE 1.0 END::float8 AS y FROM visits', 'y',
		'{"algorithm": "tree", "num_leaves": 2}') AS alone)
SELECT v, round(grove.predict(high, v)::numeric, 4) AS high, round(grove.predict(low, v)::numeric, 4) AS low,
	round(grove.predict(alone, v)::numeric, 4) AS alone
FROM m, (VALUES (NULL::float8), ('NaN'), (5), (25), (45), ('infinity'), ('-infinity')) AS t(v);

-- NULL and NaN give one model
SELECT md5(grove.train('SELECT x::float8 AS x, city, member FROM visits', 'member')) =
	md5(grove.train('SELECT coalesce(x::float8, ''NaN'') AS x, city, member FROM visits', 'member')) AS same_bytes;

-- a missing value where training saw none goes with the larger child
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT id % 10 AS x, CASE WHEN id % 10 < 2 THEN 1.0 ELSE 0 END::float8 AS y FROM visits', 'y',
		'{"algorithm": "tree", "num_leaves": 2}') AS model)
SELECT round(grove.predict(model, NULL::int)::numeric, 4) AS missing, round(grove.predict(model, 9)::numeric, 4) AS larger FROM m;

-- sets of categories: one split finds any set of cities; few categories split one against the rest
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT city, CASE WHEN city IN (''c1'', ''c4'', ''c7'', ''c11'') THEN 3.0 ELSE 1.0 END::float8 AS y FROM visits', 'y',
		'{"algorithm": "tree", "num_leaves": 2, "cat_l2": 0, "cat_smooth": 0}') AS many,
		grove.train('SELECT CASE WHEN city IN (''c1'', ''c2'') THEN city ELSE ''other'' END AS city, CASE WHEN city = ''c2'' THEN 3.0 ELSE 1.0 END::float8 AS y FROM visits', 'y',
		'{"algorithm": "tree", "num_leaves": 2}') AS few)
SELECT city, round(grove.predict(many, city)::numeric, 4) AS many,
	round(grove.predict(few, CASE WHEN city IN ('c1', 'c2') THEN city ELSE 'other' END)::numeric, 4) AS few
FROM m, (SELECT DISTINCT city FROM visits) AS c ORDER BY city;

-- a label that training did not see is missing
WITH m AS MATERIALIZED (SELECT grove.train('SELECT city, x, member FROM visits', 'member') AS model)
SELECT grove.predict(model, 'nowhere', 7) = grove.predict(model, NULL::text, 7) AS unseen_is_missing FROM m;

-- more labels than bins: the frequent ones have bins, the others are missing
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT CASE WHEN i % 2 = 0 THEN ''often'' ELSE ''l'' || i END AS label, (i % 2)::float8 AS y FROM generate_series(1, 3000) AS i', 'y',
		'{"algorithm": "tree", "num_leaves": 2}') AS model)
SELECT round(grove.predict(model, 'often')::numeric, 3) AS often, round(grove.predict(model, 'l2999')::numeric, 3) AS rare,
	jsonb_array_length(grove.describe(model) -> 'features') AS features
FROM m;

-- boolean, enum, uuid, char(n) and domains are categories like text
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE DOMAIN code AS text CHECK (length(value) < 5);
CREATE VIEW typed AS
	SELECT member AS a, (ARRAY['red', 'green', 'blue'])[1 + id % 3]::colour AS b, ('00000000-0000-0000-0000-00000000000' || id % 3)::uuid AS c,
		('z' || id % 3)::char(4) AS d, ('k' || id % 3)::code AS e, (id % 3)::float8 AS y FROM visits;
SELECT feature.column, round(grove.rmse(y, grove.predict(model, typed))::numeric, 3) AS rmse
FROM (VALUES ('a'), ('b'), ('c'), ('d'), ('e')) AS feature("column"),
	LATERAL (SELECT grove.train(format('SELECT %I, y FROM typed', feature.column), 'y', '{"algorithm": "tree", "min_data_in_leaf": 1}') AS model) AS m, typed
GROUP BY 1 ORDER BY 1;

DROP VIEW typed;
DROP TYPE colour;
DROP DOMAIN code;
DROP TABLE visits;

-- more labels than a byte can tell apart: 600 of 50 rows each, none of them frequent
CREATE TABLE items AS SELECT i AS id, 'item' || i % 600 AS item, (i % 600 * 7919) % 97 < 40 AS liked FROM generate_series(1, 30000) AS i;
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT item, liked FROM items', 'liked', '{"num_iterations": 60}') AS model,
		grove.train('SELECT item, liked FROM items', 'liked', '{"num_iterations": 60, "min_data_per_level": 51}') AS few)
SELECT round(grove.auc(liked, grove.predict(model, item))::numeric, 3) AS auc, max((grove.describe(model) -> 'features' -> 0 ->> 'levels')) AS levels,
	round(grove.auc(liked, grove.predict(few, item))::numeric, 3) < 0.9 AS too_few, max((grove.describe(few) -> 'features' -> 0 ->> 'levels')) AS few_levels
FROM m, items;
SELECT md5(grove.train('SELECT item, liked FROM items', 'liked', '{"num_iterations": 5}')) =
	md5(grove.train('SELECT item, liked FROM items ORDER BY grove.hash64(1, id)', 'liked', '{"num_iterations": 5}')) AS same_bytes;
DROP TABLE items;

-- 6,000 labels of 20 rows each: the rarest 1 % of the rows count as missing
CREATE TABLE items AS SELECT 'item' || i % 6000 AS item, (i % 6000 * 7919) % 97 < 40 AS liked FROM generate_series(1, 120000) AS i;
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT item, liked FROM items', 'liked', '{"num_iterations": 40, "num_leaves": 63, "learning_rate": 0.3, "max_cat_threshold": 255}') AS model)
SELECT grove.describe(model) -> 'features' -> 0 ->> 'levels' AS levels,
	(SELECT round(grove.auc(liked, grove.predict(model, item))::numeric, 2) FROM items) AS auc FROM m;

-- how rare a label may be: 40 rows, or 20 or 10 where those of more have less than half of the rows
SELECT many, rows, few, rare_rows, grove.describe(grove.train(format('SELECT label, y FROM (
		SELECT ''a'' || i AS label, k %% 2 = 0 AS y FROM generate_series(1, %s) AS i, generate_series(1, %s) AS k
		UNION ALL SELECT ''b'' || i, k %% 2 = 0 FROM generate_series(1, %s) AS i, generate_series(1, %s) AS k) AS r',
	many, rows, few, rare_rows), 'y', '{"num_iterations": 1}')) -> 'features' -> 0 ->> 'levels' AS levels
FROM (VALUES (300, 60, 300, 39), (300, 60, 470, 39), (300, 60, 470, 19), (300, 20, 300, 19), (300, 19, 300, 11), (300, 9, 300, 2)) AS v(many, rows, few, rare_rows);
DROP TABLE items;
