-- One model for each group: the aggregate gives what train() gives for the same rows.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TYPE sort AS ENUM ('new', 'old');
CREATE DOMAIN price AS numeric CHECK (VALUE >= 0);
CREATE TABLE sales AS
	SELECT i AS id, i % 3 AS shop, (i * 7919) % 100 AS a, ((i * 104729) % 37)::real / 3 AS b,
		CASE WHEN i % 11 > 0 THEN 'item ' || i % 7 END AS item, date '2020-01-01' + i % 500 AS day,
		CASE WHEN i % 13 > 0 THEN (i % 4 = 1) END AS member, (ARRAY['new', 'old'])[1 + i % 2]::sort AS sort,
		(i * 31 % 1000)::numeric / 100 AS cost, ('00000000-0000-0000-0000-00000000000' || i % 5)::uuid AS who,
		1 + i % 4 AS w, i % 5 = 0 AS held, timestamptz '2020-01-01 00:00+00' + i % 97 * interval '1 hour' AS at
	FROM generate_series(1, 3000) AS i;
ALTER TABLE sales ALTER cost TYPE price, ADD y float8, ADD won boolean, ADD kind text;
UPDATE sales SET y = a * 0.1 + b + coalesce(right(item, 1), '9')::int * (shop + 1) + sin(id),
	won = a + b * 3 + id * 61 % 80 > 110, kind = 'kind ' || (a / 30);

-- positions: the features are f1, f2, ...; regression
SELECT shop, model = grove.train(format('SELECT y AS target, a AS f1, b AS f2, item AS f3 FROM sales WHERE shop = %s', shop),
		'target', '{"num_iterations": 20}') AS same
FROM (SELECT shop, grove.train_agg(grove.features(y, a, b, item), '{"num_iterations": 20}') AS model
	FROM sales GROUP BY shop) AS m
ORDER BY shop;

-- a row: the columns keep their names; every type; binary, several classes; task and seed
SELECT shop, model = grove.train(format('SELECT won AS target, a, b, item, day, member, sort, cost, who, at FROM sales WHERE shop = %s', shop),
		'target', '{"num_iterations": 20, "bagging_fraction": 0.5, "bagging_freq": 1}', seed => 7) AS same,
	grove.describe(model) ->> 'task' AS task
FROM (SELECT shop, grove.train_agg(grove.features(won, f), '{"seed": 7, "num_iterations": 20, "bagging_fraction": 0.5, "bagging_freq": 1}') AS model
	FROM sales, LATERAL (SELECT a, b, item, day, member, sort, cost, who, at) AS f GROUP BY shop) AS m
ORDER BY shop;
SELECT jsonb_pretty(grove.describe(model) -> 'features') AS features
FROM (SELECT grove.train_agg(grove.features(kind, f), '{"num_iterations": 2}') AS model
	FROM sales, LATERAL (SELECT a, item, sort, cost, day) AS f) AS m;
SELECT grove.train_agg(grove.features(kind, f), '{"num_iterations": 5}') =
		grove.train('SELECT kind AS target, a, item, sort FROM sales', 'target', '{"num_iterations": 5}') AS multiclass,
	grove.train_agg(grove.features(s.a % 2, f), '{"task": "regression", "algorithm": "forest", "num_iterations": 5}') =
		grove.train('SELECT a % 2 AS target, a, item, sort FROM sales', 'target', '{"algorithm": "forest", "num_iterations": 5}', task => 'regression') AS task,
	grove.train_agg(grove.features(s.sort, f), '{"num_iterations": 5}') =
		grove.train('SELECT sort AS target, a, item, sort FROM sales', 'target', '{"num_iterations": 5}') AS enum_target
FROM sales AS s, LATERAL (SELECT a, item, sort) AS f;

-- the other roles of train()
SELECT grove.train_agg(grove.features(s.y, f), '{"weight": "w", "validation": "held", "ignore": ["id", "y"], "num_iterations": 50, "early_stopping_rounds": 3}') =
		grove.train('SELECT y AS target, id, y, a, b, held, w FROM sales', 'target', '{"num_iterations": 50, "early_stopping_rounds": 3}',
			weight => 'w', validation => 'held', ignore => '{id, y}') AS roles,
	grove.train_agg(grove.features(s.y, f), '{"base_margin": "w", "ignore": ["id", "y"], "num_iterations": 5}') =
		grove.train('SELECT y AS target, id, y, a, b, held, w FROM sales', 'target', '{"num_iterations": 5}',
			base_margin => 'w', ignore => '{id, y}') AS margin
FROM sales AS s, LATERAL (SELECT id, y, a, b, held, w) AS f;

-- a row of the table itself, a column of which has been dropped
ALTER TABLE sales ADD gone int DEFAULT 1;
ALTER TABLE sales DROP gone;
ALTER TABLE sales ADD late text DEFAULT 'x';
SELECT grove.train_agg(grove.features(s.y, s), '{"ignore": ["id", "y", "won", "kind", "cost"], "num_iterations": 5}') =
		grove.train('SELECT y AS target, * FROM sales', 'target', '{"num_iterations": 5}', ignore => '{id, y, won, kind, cost}') AS whole_row
FROM sales AS s;
ALTER TABLE sales DROP late;

-- predictions, by position and by name
WITH m AS MATERIALIZED (
	SELECT shop, grove.train_agg(grove.features(s.y, s.a, s.b), '{}') AS positional, grove.train_agg(grove.features(s.y, f), '{}') AS named
	FROM sales AS s, LATERAL (SELECT a, b) AS f GROUP BY shop)
SELECT m.shop, round(grove.r2(s.y, grove.predict(positional, a, b))::numeric, 1) AS r2,
	bool_and(grove.predict(positional, a, b) = grove.predict(named, s)) AS same
FROM m JOIN sales AS s USING (shop) GROUP BY m.shop ORDER BY m.shop;

-- no order of rows, no plan makes a difference
SELECT count(DISTINCT model) AS models FROM (
	SELECT grove.train_agg(grove.features(won, a, b, item), '{"num_iterations": 5}' ORDER BY id) FROM sales
	UNION ALL
	SELECT grove.train_agg(grove.features(won, a, b, item), '{"num_iterations": 5}' ORDER BY -id) FROM sales
	UNION ALL
	SELECT grove.train('SELECT won AS target, a AS f1, b AS f2, item AS f3 FROM sales', 'target', '{"num_iterations": 5}')) AS m (model);
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;
CREATE TABLE serial_models AS
	SELECT shop, grove.train_agg(grove.features(won, a, b, item), '{"num_iterations": 5}') AS model FROM sales GROUP BY shop;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET enable_hashagg = off;
SELECT line FROM plan('SELECT shop, grove.train_agg(grove.features(won, a, b, item), ''{"num_iterations": 5}'') FROM sales GROUP BY shop') AS line
WHERE line ~ 'Aggregate|Gather';
SELECT shop, p.model = s.model AS same
FROM (SELECT shop, grove.train_agg(grove.features(won, a, b, item), '{"num_iterations": 5}') AS model FROM sales GROUP BY shop) AS p
	JOIN serial_models AS s USING (shop) ORDER BY shop;
-- the whole group in one worker
CREATE TABLE parts (LIKE sales) PARTITION BY LIST (shop);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES IN (0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
INSERT INTO parts SELECT * FROM sales ORDER BY -id;
ANALYZE parts;
SET enable_partitionwise_aggregate = on;
SELECT shop, p.model = s.model AS same
FROM (SELECT shop, grove.train_agg(grove.features(won, a, b, item), '{"num_iterations": 5}') AS model FROM parts GROUP BY shop) AS p
	JOIN serial_models AS s USING (shop) ORDER BY shop;
RESET enable_partitionwise_aggregate;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
RESET enable_hashagg;

-- rows as values: text and binary forms, which other nodes could send
CREATE TABLE gathered AS SELECT shop, grove.features(won, a, b, item)::text::grove.feature_rows AS row FROM sales;
SELECT g.shop, grove.train_agg(row, '{"num_iterations": 5}') = model AS same
FROM gathered AS g JOIN serial_models USING (shop) GROUP BY g.shop, model ORDER BY g.shop;
SELECT grove.features(1.5::float8, 7, 'a'::text, NULL::bool) AS row;
SELECT grove.train_agg_final(grove.train_agg_combine(grove.train_agg_trans(NULL, f[1], p), grove.train_agg_trans(NULL, f[2], p))) IS NOT NULL AS trained
FROM (SELECT array_agg(grove.features(y, a, b)) AS f, '{"task": "regression"}'::jsonb AS p FROM sales WHERE id < 3) AS x;

-- windows, groups without rows
SELECT count(DISTINCT model) AS models, count(*) AS rows
FROM (SELECT grove.train_agg(grove.features(won, a), '{"num_iterations": 2}') OVER (PARTITION BY shop) AS model FROM sales) AS m;
SELECT grove.train_agg(grove.features(won, a), '{}') FROM sales WHERE false;
SELECT shop, grove.train_agg(grove.features(won, a), '{"num_iterations": 2}') FILTER (WHERE shop = 1) IS NULL AS none
FROM sales GROUP BY shop ORDER BY shop;

-- errors
SELECT grove.train_agg(f, '{}') FROM (SELECT grove.features(1, 2) AS f UNION ALL SELECT grove.features(1, 2, 3)) AS s;
SELECT grove.train_agg(f, '{}') FROM (SELECT grove.features(1, 2, 'a'::text) AS f UNION ALL SELECT grove.features(1, 2, true)) AS s;
SELECT grove.train_agg(grove.features(y, r), '{}') FROM (VALUES (1, ROW(1, 2)), (2, ROW(1))) AS v (y, r);
SELECT grove.features(NULL::int, 1);
SELECT grove.features(1, NULL::sales);
SELECT grove.features(1, point(1, 2));
SELECT grove.features(point(1, 2), 1);
SELECT grove.features('untyped', 1);
SELECT grove.features(1, 2, s) FROM sales AS s;
SELECT grove.features(1, VARIADIC ARRAY[1, 2]);
SELECT grove.features(target, s) FROM (SELECT 1 AS target, 2 AS a) AS s;
SELECT grove.features(1, none) FROM (VALUES (1)) AS v, LATERAL (SELECT) AS none;
SELECT grove.train_agg(NULL, '{}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), NULL) FROM sales;
SELECT grove.train_agg(grove.features(y, a), '[]') FROM sales;
SELECT grove.train_agg(grove.features(y, a), jsonb_build_object('seed', id)) FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"num_leafs": 3}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"seed": 1.5}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"seed": "1"}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"task": 1}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"task": "guess"}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"task": "ranking"}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"objective": "lambdarank"}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"group_by": "f1"}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"ignore": "f1"}') FROM sales;
SELECT grove.train_agg(grove.features(y, a), '{"ignore": ["f2"]}') FROM sales;
SELECT grove.train_agg(grove.features(y, a, item), '{"weight": "f2"}') FROM sales;
SELECT grove.train_agg(grove.features('NaN'::float8, a), '{}') FROM sales;
SELECT grove.train_agg(grove.features(1, a), '{}') FROM sales;
SELECT 'xyz'::grove.feature_rows;
SELECT '00'::grove.feature_rows;
SELECT ('02' || substr(grove.features(1, 2)::text, 3))::grove.feature_rows;
SELECT (grove.features(1, 2)::text || '00')::grove.feature_rows;
SELECT left(grove.features(1, 2)::text, -2)::grove.feature_rows;
SELECT replace(grove.features(1, 2)::text, '17000000', '2b000000')::grove.feature_rows;
SELECT grove.train_agg_final(grove.features(1, 2));
SET grove.max_memory = '64kB';
SELECT grove.train_agg(grove.features(y, a, b, item), '{}') FROM sales;
RESET grove.max_memory;

DROP TABLE sales, serial_models, gathered, parts;
DROP FUNCTION plan;
DROP DOMAIN price;
DROP TYPE sort;
