-- What train() refuses, with SQLSTATE, message, detail and hint; and what
-- looks dangerous but is handled.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE FUNCTION pg_temp.try(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE query INTO result;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || regexp_replace(message, 'needs \d+ kB', 'needs N kB'),
					 regexp_replace(nullif(detail, ''), 'columns take \d+ kB', 'columns take N kB'), nullif(hint, ''));
END
$$;

CREATE TABLE orders AS SELECT i AS id, i % 10 AS a, 'k' || i % 3 AS k, (i % 7)::float8 AS y, i % 2 = 0 AS b, ARRAY[i] AS list
	FROM generate_series(1, 200) AS i;

\pset format unaligned
\pset tuples_only on

-- arguments
SELECT pg_temp.try($$SELECT grove.train(NULL, 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('orders', NULL)$$);
SELECT pg_temp.try($$SELECT grove.train('orders', 'y', NULL)$$);
SELECT pg_temp.try($$SELECT grove.train('orders', 'y', task => NULL)$$);
SELECT pg_temp.try($$SELECT grove.train('orders', 'y', seed => NULL)$$);
SELECT pg_temp.try($$SELECT grove.train('orders', 'y', task => 'clustering')$$);
SELECT pg_temp.try($$SELECT grove.train('orders', 'y', ignore => ARRAY['a', NULL])$$);

-- sources
SELECT pg_temp.try($$SELECT grove.train('no_such_table', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT 1; SELECT 2', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('INSERT INTO orders SELECT * FROM orders RETURNING *', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT * FROM orders FOR UPDATE', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('DROP TABLE orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders WHERE false', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y / (a - 3) AS y FROM orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, a, y FROM orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT y FROM orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT 1e15 + i AS a, y + random() AS y FROM orders, generate_series(1, 2000) AS i', 'y', '{"num_iterations": 1}')$$);

-- columns
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders', 'z')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders', 'y', weight => 'weigth')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders', 'y', ignore => '{b}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders', 'y', weight => 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, k, y FROM orders', 'y', weight => 'k')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, k, y FROM orders', 'y', validation => 'a')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, k, y FROM orders', 'y', base_margin => 'k')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, list, y FROM orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, list FROM orders', 'list')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, k FROM orders', 'k', task => 'regression')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, k FROM orders', 'k', task => 'binary')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT i % 3 AS a, i FROM generate_series(1, 1100) AS i', 'i', task => 'multiclass')$$);

-- targets
SELECT pg_temp.try($$SELECT grove.train('SELECT a, nullif(y, 3) AS y FROM orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, CASE WHEN y = 3 THEN ''NaN'' ELSE y END AS y FROM orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, CASE WHEN y = 3 THEN ''infinity'' ELSE y END AS y FROM orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y * 1e38 AS y FROM orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, b FROM orders WHERE b', 'b')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, 1 AS one FROM orders', 'one')$$);

-- weights, margins, validation rows
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, nullif(y, 3) AS w FROM orders', 'y', weight => 'w')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, y - 3 AS w FROM orders', 'y', weight => 'w')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, ''NaN''::float8 AS w FROM orders', 'y', weight => 'w')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, ''infinity''::float8 AS w FROM orders', 'y', weight => 'w')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, NULL::float8 AS m FROM orders', 'y', base_margin => 'm')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, ''NaN''::float8 AS m FROM orders', 'y', base_margin => 'm')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, 1e38::float8 AS m FROM orders', 'y', base_margin => 'm')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, k, 0.5 AS m FROM orders', 'k', base_margin => 'm')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, k, ARRAY[1, 2]::float8[] AS m FROM orders', 'k', base_margin => 'm')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, k, CASE WHEN a = 1 THEN ARRAY[1, 2]::float8[] ELSE ARRAY[1, 2, 3] END AS m FROM orders', 'k', base_margin => 'm')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, y AS m FROM orders', 'y', '{"algorithm": "tree"}', base_margin => 'm')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, nullif(b, true) AS v FROM orders', 'y', validation => 'v')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, true AS v FROM orders', 'y', validation => 'v')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, false AS v FROM orders', 'y', '{"early_stopping_rounds": 5}', validation => 'v')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders', 'y', '{"early_stopping_rounds": 5}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, k FROM orders', 'y', task => 'regression', group_by => 'k')$$);

-- options that do not fit
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders', 'y', '{"objective": "binary"}', task => 'regression')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders', 'y', '{"positive_class": "1"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, b FROM orders', 'b', '{"positive_class": "maybe"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders', 'y', '{"scale_pos_weight": 2}')$$);

-- memory is refused before it is taken
SET grove.max_memory = '100kB';
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM orders', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT i::text || ''-label'' AS label, i::float8 AS y FROM generate_series(1, 70000) AS i', 'y')$$);
SET grove.max_memory = '6MB';
SELECT pg_temp.try($$SELECT grove.train('SELECT i % 97 AS a, i % 7 AS b, (i * 31) % 1009 AS y FROM generate_series(1, 2000) AS i', 'y', '{"num_iterations": 5000}')$$);
RESET grove.max_memory;

-- handled: few rows, constant and empty features, very many columns
SELECT pg_temp.try($$SELECT grove.train('SELECT 1 AS a, 2.5::float8 AS y', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, NULL::text AS n, 5 AS five, y FROM orders', 'y')$$);
SELECT pg_temp.try(format($$SELECT grove.train('SELECT y, %s FROM orders', 'y', '{"num_iterations": 2}')$$,
	(SELECT string_agg(format('a + %s AS c%s', i, i), ', ') FROM generate_series(1, 1599) AS i)));

DROP TABLE orders;
