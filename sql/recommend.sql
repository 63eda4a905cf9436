-- recommend(): the k best items of each user, against a query that says the same
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;

CREATE TABLE customers (customer_id int PRIMARY KEY, age int, budget float8);
CREATE TABLE items (item_id text PRIMARY KEY, kind text, price float8);
CREATE TABLE bought (customer_id bigint, item_id text);
INSERT INTO customers SELECT i, 18 + i % 50, 10 + 90 * grove.u01(1, i) FROM generate_series(1, 200) AS i;
INSERT INTO items SELECT 'item ' || i, 'kind ' || i % 5, 5 + 100 * grove.u01(2, i) FROM generate_series(1, 60) AS i;
INSERT INTO bought SELECT c.customer_id, i.item_id FROM customers AS c, items AS i WHERE grove.keep(0.2, 3, c.customer_id, i.item_id);

CREATE VIEW pairs AS
SELECT c.customer_id, i.item_id, c.age, c.budget, i.kind, i.price, i.price / c.budget AS share,
	   grove.u01(4, c.customer_id, i.item_id) < 0.5 * exp(-abs(ln(i.price / c.budget))) AS likes
FROM customers AS c, items AS i;
CREATE TABLE model AS
SELECT grove.train('pairs', 'likes', '{"num_iterations": 20}', ignore => '{customer_id,item_id}') AS model;

ANALYZE;

CREATE FUNCTION naive(k int) RETURNS TABLE (user_id text, item_id text, rank bigint, score float8) LANGUAGE sql AS $$
	SELECT * FROM (
		SELECT p.customer_id::text, p.item_id,
			   row_number() OVER (PARTITION BY p.customer_id ORDER BY grove.predict(m.model, p) DESC, p.item_id COLLATE "C") AS rank,
			   grove.predict(m.model, p)
		FROM pairs AS p, model AS m
		WHERE NOT EXISTS (SELECT FROM bought AS b WHERE (b.customer_id, b.item_id) = (p.customer_id, p.item_id))) AS ranked
	WHERE rank <= k
$$;
CREATE VIEW ours AS
SELECT r.* FROM model AS m,
	grove.recommend(m.model, 'customers', 'items', 5, pair => 'i.price / u.budget AS share', exclude => 'bought') AS r;

SELECT count(*), count(DISTINCT user_id), min(rank), max(rank) FROM ours;
SELECT count(*) AS differences FROM (
	(TABLE ours EXCEPT SELECT * FROM naive(5)) UNION ALL (SELECT * FROM naive(5) EXCEPT TABLE ours)) AS d;

-- more than there is: every pair that is not excluded
SELECT count(*), count(*) = (SELECT count(*) FROM pairs) - (SELECT count(*) FROM bought) AS complete
FROM model AS m, grove.recommend(m.model, 'customers', 'items', 1000, pair => 'i.price / u.budget AS share', exclude => 'bought');

-- one user, out of a query
SELECT count(*), bool_and(o.rank = r.rank AND o.score = r.score) AS same
FROM model AS m,
	grove.recommend(m.model, 'SELECT * FROM customers WHERE customer_id = 17 -- one', 'items', 5, user_key => 'customer_id',
					pair => 'i.price / u.budget AS share', exclude => 'SELECT * FROM bought WHERE customer_id = 17') AS r
	JOIN ours AS o USING (user_id, item_id);

-- a feature that both sides have: that of the pair decides
SELECT count(*) FROM model AS m,
	grove.recommend(m.model, 'SELECT *, 1 AS kind FROM customers', 'items', 1, user_key => 'customer_id',
					pair => 'i.kind, i.price / u.budget AS share');

-- the same whatever the plan
CREATE TABLE known AS TABLE ours;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) AS differences FROM ((TABLE ours EXCEPT TABLE known) UNION ALL (TABLE known EXCEPT TABLE ours)) AS d;
RESET ALL;

-- nothing to recommend
SELECT count(*) FROM model AS m,
	grove.recommend(m.model, 'SELECT * FROM customers WHERE false', 'items', user_key => 'customer_id', pair => '1.0 AS share');
SELECT count(*) FROM grove.recommend(NULL::bytea, 'customers', 'items');

-- errors
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT pg_temp.try(format('SELECT * FROM model AS m, grove.recommend(m.model, %s)', arguments)) FROM (VALUES
	(1, $$'customers', 'items'$$),
	(2, $$'customers', 'items', 0, pair => '1.0 AS share'$$),
	(3, $$'customers', 'items', NULL, pair => '1.0 AS share'$$),
	(4, $$NULL, 'items'$$),
	(5, $$'SELECT * FROM customers', 'items', pair => '1.0 AS share'$$),
	(6, $$'customers', 'TABLE items', pair => '1.0 AS share'$$),
	(7, $$'customers', 'items', user_key => 'custmer_id', pair => '1.0 AS share'$$),
	(8, $$'SELECT *, 1 AS kind FROM customers', 'items', user_key => 'customer_id', pair => '1.0 AS share'$$),
	(9, $$'customers', 'items', pair => '1.0 AS share) AS p; DROP TABLE items; --'$$),
	(10, $$'customers', 'items', pair => '1.0 AS share', exclude => 'SELECT customer_id FROM bought'$$),
	(11, $$'customers', 'items', pair => '1.0 AS share', exclude => 'DELETE FROM bought RETURNING *'$$),
	(12, $$'SELECT NULL::int AS customer_id, 1 AS age, 1.0 AS budget', 'items', user_key => 'customer_id', pair => '1.0 AS share'$$),
	(13, $$'customers', 'items', pair => '''a'' AS share'$$)) AS calls (n, arguments) ORDER BY n;
SELECT pg_temp.try($$SELECT grove.recommend(grove.train('SELECT i AS x, i % 3 AS y FROM generate_series(1, 300) AS i', 'y', task => 'multiclass'), 'customers', 'items')$$);
SELECT pg_temp.try($$SELECT grove.recommend('\x00'::bytea, 'customers', 'items')$$);

SET grove.max_memory = '512kB';
-- how many fit depends on how the server was built
SELECT regexp_replace(pg_temp.try($$SELECT * FROM model AS m, grove.recommend(m.model, 'customers', 'items', 10000, pair => '1.0 AS share')$$),
	'[0-9]+ users', 'N users');

RESET grove.max_memory;
DROP FUNCTION naive(int);
DROP VIEW ours, pairs;
DROP TABLE customers, items, bought, model, known;
