-- prune with method weighted: rows kept in proportion to a weight.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE SCHEMA weighted_test;
SET search_path = weighted_test, public;

-- 500 orders of 500 amounts, one of them beyond all others, 20 without an amount; 480 can be kept.
CREATE TABLE orders (id int PRIMARY KEY, amount float8, whole int, kind text);
INSERT INTO orders SELECT i, CASE WHEN i % 25 = 0 THEN 0 WHEN i = 7 THEN 1e6 ELSE exp(6 * grove.u01(1, i)) END, CASE WHEN i % 25 = 0 THEN 0 ELSE 1 + i % 7 END, 'k' || i % 3
FROM generate_series(1, 500) i;

-- c by bisection, written down a second time: sum(least(1, c * w)) = target
CREATE FUNCTION solve(weights float8[], target float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	a float8 := 0;
	b float8 := 1e9;
	c float8;
BEGIN
	FOR i IN 1..200 LOOP
		c := (a + b) / 2;
		IF (SELECT sum(least(1, c * w)) FROM unnest(weights) w) < target THEN a := c; ELSE b := c; END IF;
	END LOOP;
	RETURN c;
END $$;

-- The probability is min(1, c w), the weight 1/pi, the size n; the threshold of the plan is c.
CREATE TABLE plan AS SELECT * FROM grove.prune_plan(NULL::orders, 'orders', n => 120, method => 'weighted', by => '{amount}', seed => 42);
SELECT design, rows, units, strata, kept_rows, sum_weights, round(threshold::numeric, 9) AS threshold, round(effective_size::numeric, 6) AS effective,
	   readmit_threshold, beta, round(pi_low::numeric, 9) AS pi_low, pi_high, zero_rows, certainty_rows FROM plan;
SELECT abs(threshold / solve((SELECT array_agg(amount) FROM orders), 120) - 1) < 1e-12 AS threshold,
	   certainty_rows = (SELECT count(*) FROM orders WHERE amount * threshold >= 1) AS certain,
	   abs(effective_size / (480 ^ 2 / (SELECT sum(1 / least(1, threshold * amount)) FROM orders WHERE amount > 0)) - 1) < 1e-12 AS effective,
	   abs((SELECT sum(least(1, threshold * amount)) FROM orders) - 120) < 1e-9 AS sum_of_pi FROM plan;
CREATE TABLE kept AS SELECT (kept).*, pi, weight, log_offset FROM grove.prune(NULL::orders, 'orders', n => 120, method => 'weighted', by => '{amount}', seed => 42);
SELECT count(*), count(DISTINCT id) AS ids, count(*) FILTER (WHERE abs(pi - least(1, threshold * amount)) > 1e-12) AS wrong_pi,
	   count(*) FILTER (WHERE weight <> 1 / pi OR log_offset <> 0) AS wrong_weight, count(*) FILTER (WHERE amount = 0) AS without_weight,
	   bool_or(id = 7) AS heaviest, count(*) FILTER (WHERE pi = 1) = min(certainty_rows) AS certain
FROM kept, plan;
-- what the rows are kept in proportion to is estimated without any error but of rounding
SELECT abs(sum(amount * weight) / (SELECT sum(amount) FROM orders) - 1) < 1e-9 AS total FROM kept;

-- Sizes: a share is one of all rows, a half goes up, nothing without a weight is ever kept, and then the rest has pi 1.
SELECT keep, count(k.pi), min(k.pi) = 1 AS all_certain, min((k.kept).amount) > 0 AS weighted
FROM unnest('{0, 0.001, 0.003, 0.5, 0.958, 0.96, 0.97, 1}'::float8[]) keep LEFT JOIN LATERAL grove.prune(NULL::orders, 'orders', keep => keep, method => 'weighted', by => '{amount}') k ON true
GROUP BY keep ORDER BY keep;
SELECT exact, count(*), min(pi), max(weight) FROM unnest('{f,t}'::boolean[]) exact, LATERAL grove.prune(NULL::orders, 'orders', n => 9223372036854775807, method => 'weighted', by => '{amount}', exact => exact) GROUP BY exact ORDER BY exact;
SELECT kept_rows, threshold, zero_rows, certainty_rows FROM grove.prune_plan(NULL::orders, 'orders', n => 480, method => 'weighted', by => '{amount}');
SELECT kept_rows, rows, zero_rows, sum_weights, effective_size FROM grove.prune_plan(NULL::orders, 'SELECT * FROM orders WHERE amount = 0', keep => 0.5, method => 'weighted', by => '{amount}', key => '{id}');
SELECT kept_rows, rows, zero_rows, pi_low FROM grove.prune_plan(NULL::orders, 'SELECT * FROM orders WHERE false', keep => 0.5, method => 'weighted', by => '{amount}', key => '{id}');

-- Poisson: the hash of the key lies below pi; the size is random, what is kept stays when n grows.
CREATE FUNCTION poisson(n bigint) RETURNS TABLE (id int, pi float8) LANGUAGE sql AS
	$$SELECT (kept).id, pi FROM grove.prune(NULL::weighted_test.orders, 'weighted_test.orders', n => n, method => 'weighted', by => '{amount}', seed => 42, exact => false)$$;
SELECT count(*) BETWEEN 90 AND 150 AS about_120, max(abs(pi - least(1, threshold * amount))) < 1e-12 AS pi,
	   (SELECT count(*) FROM (SELECT id FROM poisson(120) EXCEPT SELECT id FROM poisson(200)) q) AS lost_to_more
FROM poisson(120) JOIN orders USING (id), plan;
SELECT design, units, round(kept_rows::numeric, 9) AS kept_rows, zero_rows FROM grove.prune_plan(NULL::orders, 'orders', n => 120, method => 'weighted', by => '{amount}', seed => 42, exact => false);

-- Equal weights are a cell: the lowest hashes of it are kept, a whole number of rows to within one.
CREATE TABLE whole AS SELECT (kept).*, pi FROM grove.prune(NULL::orders, 'orders', n => 100, method => 'weighted', by => '{whole}', seed => 42);
SELECT whole, o.rows, kept, abs(kept - o.rows * pi) < 1 AS within_one, abs(pi / whole - min(pi / whole) OVER ()) < 1e-15 AS in_proportion
FROM (SELECT whole, count(*) AS kept, max(pi) AS pi FROM whole GROUP BY 1) k JOIN (SELECT whole, count(*) AS rows FROM orders GROUP BY 1) o USING (whole) ORDER BY 1;

-- A power of two in front of all weights changes nothing but the threshold; nor does the type of the column.
CREATE FUNCTION rows_of(source text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT count(*) || '' '' || coalesce(md5(string_agg((kept).id || '' '' || float8send(pi)::text, '','' ORDER BY (kept).id)), '''') FROM grove.prune(NULL::weighted_test.idw, %L, method => ''weighted'', by => ''{w}'', key => ''{id}'', %s)',
				   source, arguments) INTO result;
	RETURN result;
END $$;
CREATE TYPE idw AS (id int, w float8);
SELECT arguments, count(DISTINCT rows_of(format('SELECT id, amount * 2::float8 ^ %s AS w FROM weighted_test.orders', power), arguments)) AS answers
FROM unnest('{0, 1, -1, 900, -900}'::int[]) power, unnest(ARRAY['n => 120', 'n => 120, exact => false', 'keep => 0.5, seed => 7', 'n => 1']) arguments GROUP BY 1 ORDER BY 1;
SELECT power, round((threshold * 2::float8 ^ power)::numeric, 9) AS threshold, threshold * 2::float8 ^ power = (SELECT threshold FROM plan) AS equal
FROM unnest('{900, -900}'::int[]) power, LATERAL grove.prune_plan(NULL::idw, format('SELECT id, amount * 2::float8 ^ %s AS w FROM weighted_test.orders', power), n => 120, method => 'weighted', by => '{w}', key => '{id}', seed => 42) ORDER BY 1;
CREATE TABLE typed AS SELECT id, whole::smallint AS a, whole AS b, whole::bigint AS c, whole::real AS d, whole::float8 AS e, whole::numeric AS f, (whole::text || '.00')::numeric AS g FROM orders;
SELECT count(DISTINCT digest) AS answers FROM unnest('{a,b,c,d,e,f,g}'::text[]) w,
LATERAL (SELECT md5(string_agg((kept).id || ' ' || pi, ',' ORDER BY (kept).id)) AS digest FROM grove.prune(NULL::typed, 'typed', n => 100, method => 'weighted', by => ARRAY[w], key => '{id}')) d;

-- Weights far apart, and at both ends of the doubles.
SELECT rows, kept_rows, zero_rows, certainty_rows, pi_low, pi_high FROM grove.prune_plan(NULL::idw, 'SELECT i AS id, (CASE WHEN i <= 2 THEN 1e300 ELSE 1e-300 END)::float8 AS w FROM generate_series(1, 10) i', n => 6, method => 'weighted', by => '{w}', key => '{id}');
SELECT rows, kept_rows, zero_rows, certainty_rows, pi_low > 0 AS possible, pi_high FROM grove.prune_plan(NULL::idw, 'SELECT i AS id, (CASE WHEN i <= 2 THEN 1.7e308 ELSE 5e-324 END)::float8 AS w FROM generate_series(1, 10) i', n => 1, method => 'weighted', by => '{w}', key => '{id}', exact => false);

-- Infinity is a certainty; as many as asked for leave nothing for the others.
CREATE TABLE certain AS SELECT i AS id, CASE WHEN i <= 3 THEN 'Infinity'::float8 ELSE i END AS w FROM generate_series(1, 40) i;
SELECT n, kept_rows, round(threshold * 1e9) / 1e9 AS threshold, zero_rows, certainty_rows, sum_weights FROM unnest('{3, 10, 39, 40}'::int[]) n,
LATERAL grove.prune_plan(NULL::certain, 'certain', n => n, method => 'weighted', by => '{w}', key => '{id}') ORDER BY n;
SELECT bool_and(certain = 3) AS always, min(rows), max(rows) FROM (SELECT seed, count(*) AS rows, count(*) FILTER (WHERE (kept).id <= 3 AND pi = 1) AS certain
	FROM generate_series(1, 50) seed, LATERAL grove.prune(NULL::certain, 'certain', n => 10, method => 'weighted', by => '{w}', key => '{id}', seed => seed) GROUP BY seed) q;
SELECT count(*), sum((kept).id) FROM grove.prune(NULL::certain, 'certain', n => 3, method => 'weighted', by => '{w}', key => '{id}');

-- Keys: rows of one key are one unit with the one weight that they have, and live and die together.
CREATE TABLE lines AS SELECT i / 3 AS customer, i AS line, 1 + i / 3 % 5 AS w FROM generate_series(0, 299) i;
SELECT rows, units, kept_rows FROM grove.prune_plan(NULL::lines, 'lines', n => 20, method => 'weighted', by => '{w}', key => '{customer}');
SELECT exact, count(DISTINCT (kept).customer) = 20 AS twenty, count(*) = 3 * count(DISTINCT (kept).customer) AS together
FROM unnest('{t,f}'::boolean[]) exact, LATERAL grove.prune(NULL::lines, 'lines', n => CASE WHEN exact THEN 20 ELSE 60 END, method => 'weighted', by => '{w}', key => '{customer}', exact => exact, seed => 3) GROUP BY exact ORDER BY exact DESC;
SET work_mem = '64kB';
SELECT exact, pg_temp.error_of(format('SELECT * FROM grove.prune(NULL::record, %L, n => 5, method => ''weighted'', by => ''{w}'', key => ''{id}'', exact => %s) AS p (kept, pi, weight, log_offset)',
	'SELECT i / 2 AS id, (i % 100 + CASE WHEN i = 15001 THEN 1 ELSE 0 END - i % 2)::int AS w FROM generate_series(0, 29999) i', exact::text)) AS one_key_differs FROM unnest('{t,f}'::boolean[]) exact;
RESET work_mem;

-- The same rows in another order of storage.
CREATE TABLE first_order AS SELECT rows_of('SELECT id, amount AS w FROM weighted_test.orders', a) AS digest, a FROM unnest(ARRAY['n => 120', 'n => 120, exact => false']) a;
CREATE INDEX orders_amount ON orders (amount, id);
CLUSTER orders USING orders_amount;
SELECT a, digest = rows_of('SELECT id, amount AS w FROM weighted_test.orders', a) AS same FROM first_order ORDER BY 1;
SELECT a, digest = rows_of('SELECT id, amount AS w FROM weighted_test.orders ORDER BY grove.hash64(1, id)', a) AS same FROM first_order ORDER BY 1;

-- With the threshold a WHERE draws with the same probabilities, without prune.
SELECT count(*) BETWEEN 90 AND 150 AS about_120, round(sum(1 / least(1, threshold * amount)) / 480) AS stand_for_all
FROM orders, plan WHERE grove.keep(least(1, threshold * amount), 42, id);

-- The loop takes it too, and trains with the weights.
SELECT round, rows, decision FROM grove.prune_train('SELECT id, amount, kind, whole::float8 AS y FROM weighted_test.orders', 'y', '{id}', '{0.5}', method => 'weighted', max_loss => 1, params => '{"by": ["amount"], "num_iterations": 3}') WHERE round < 2;

-- What is refused.
SELECT a, pg_temp.error_of(format('SELECT count(*) FROM grove.prune(NULL::orders, ''orders'', method => ''weighted'', %s)', a)) FROM (VALUES
	(1, 'n => 5'), (2, 'n => 5, by => ''{}'''), (3, 'n => 5, by => ''{amount,whole}'''), (4, 'n => 5, by => ''{kind}'''), (5, 'n => 5, by => ''{price}'''),
	(6, 'n => 5, by => ''{amount}'', readmit => 0.1'), (7, 'n => 5, by => ''{amount}'', gamma => 2'), (8, 'by => ''{amount}'''),
	(9, 'n => 5, by => ''{amount}'', params => ''{"pi_min": 0.1}'''), (10, 'n => 5, by => ''{amount}'', params => ''{"weights": "flatten"}'''),
	(11, 'n => 5, by => ''{amount}'', params => ''{"allocation": "equal"}'''), (12, 'n => 5, by => ''{amount}'', model => ''\x00''')) v(n, a) ORDER BY n;
SELECT w, exact, pg_temp.error_of(format('SELECT count(*) FROM grove.prune_plan(NULL::record, %L, n => 5, method => ''weighted'', by => ''{w}'', key => ''{id}'', exact => %s)',
	format('SELECT i AS id, CASE WHEN i = 7 THEN %s ELSE 1 END AS w FROM generate_series(1, 20) i', w), exact::text))
FROM unnest(ARRAY['NULL::float8', '-1', '''-0.5''::numeric', '''NaN''::float8', '''NaN''::numeric', '''-Infinity''::float8', '''-0''::float8', '''Infinity''::float8']) WITH ORDINALITY u(w, n), unnest('{t,f}'::boolean[]) exact ORDER BY n, exact DESC;
SELECT n, pg_temp.error_of(format('SELECT count(*) FROM grove.prune(NULL::certain, ''certain'', %s, method => ''weighted'', by => ''{w}'', key => ''{id}'')', n)) FROM unnest(ARRAY['n => 2', 'keep => 0.05', 'n => 0']) n;
SELECT pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::record, ''SELECT i AS id, current_date + i AS w FROM generate_series(1, 9) i'', n => 5, method => ''weighted'', by => ''{w}'', key => ''{id}'') AS p (kept, pi, weight, log_offset)');
SET grove.max_memory = '1MB';
SELECT regexp_replace(pg_temp.error_of('SELECT count(*) FROM grove.prune_plan(NULL::record, ''SELECT i AS id, i AS w FROM generate_series(1, 30000) i'', n => 5, method => ''weighted'', by => ''{w}'', key => ''{id}'')'), '\d+ different', 'N different') AS too_many;
RESET grove.max_memory;
DROP SCHEMA weighted_test CASCADE;
