-- Sampling aggregates: what they refuse, with SQLSTATE, detail and hint.
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
-- %s is a call; i counts from 1 to 10
CREATE FUNCTION pg_temp.call_error(call text) RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.error_of(format('SELECT grove.%s FROM generate_series(1, 10) i', call))$$;

-- k and seed.
SELECT c AS call, pg_temp.call_error(c) FROM (VALUES
	(1, 'sample(i, NULL, 1)'), (2, 'sample(i, -1, 1)'), (3, 'sample(i, 3, NULL)'), (4, 'sample(i, i, 1)'), (5, 'sample(i, 3, i)'),
	(6, 'weighted_sample(i, 1, NULL, 1)'), (7, 'weighted_sample(i, 1, -5, 1)'), (8, 'weighted_sample(i, 1, 3, NULL)'), (9, 'weighted_sample(i, 1, 3 + i / 10, 1)'),
	(10, 'weighted_sample(i, 1, 3, -i)'), (11, 'inverse_sample(i, 1, NULL, 1)'), (12, 'inverse_sample(i, 1, -2147483648, 1)'), (13, 'inverse_sample(i, 1, 3, NULL)'),
	(14, 'sample(i, nullif(3, i - 1), 1)'), (15, 'sample(i, 3, nullif(3, i - 1))'), (16, 'sample(i, CASE i WHEN 10 THEN -3 ELSE 3 END, 1)')) v(n, c) ORDER BY n;

-- Weights and frequencies; also when no row is wanted.
SELECT c AS call, pg_temp.call_error(c) FROM (VALUES
	(1, 'weighted_sample(i, NULL, 3, 1)'), (2, 'weighted_sample(i, nullif(i, 9), 3, 1)'), (3, 'weighted_sample(i, -1, 3, 1)'), (4, 'weighted_sample(i, ''NaN'', 3, 1)'),
	(5, 'weighted_sample(i, ''-Infinity'', 3, 1)'), (6, 'weighted_sample(i, 5 - i, 3, 1)'), (7, 'weighted_sample(i, -1, 0, 1)'), (8, 'weighted_sample(i, -0.0, 3, 1)'),
	(9, 'inverse_sample(i, NULL, 3, 1)'), (10, 'inverse_sample(i, 0, 3, 1)'), (11, 'inverse_sample(i, -1, 3, 1)'), (12, 'inverse_sample(i, ''NaN'', 3, 1)'),
	(13, 'inverse_sample(i, ''-Infinity'', 3, 1)'), (14, 'inverse_sample(i, 10 - i, 3, 1)')) v(n, c) ORDER BY n;

-- Types.
SELECT c AS call, pg_temp.call_error(c) FROM (VALUES
	(1, 'sample(ROW(i, 2), 3, 1)'), (2, 'weighted_sample(ROW(i, 2), 1, 3, 1)'), (3, 'inverse_sample(ROW(i, 2), 1, 3, 1)'), (4, 'sample(ARRAY[i], 3, 1)'), (5, 'sample(''i'', 3, 1)')) v(n, c) ORDER BY n;
SELECT pg_temp.error_of('SELECT grove.sample(q, 3, 1) FROM (SELECT i, 2 FROM generate_series(1, 10) i) q') AS subquery;

-- Support functions are not for calling.
-- (the code is 0A000 before PostgreSQL 14)
SELECT pg_temp.error_of('SELECT grove.sample_trans(NULL, 1, 1, 1)') ~ '^(42883|0A000) ' AS trans, pg_temp.error_of('SELECT grove.sample_final(NULL, 1, 1, 1)') ~ '^(42883|0A000) ' AS final;

-- Memory.
SET grove.max_memory = '2MB';
SELECT c AS call, pg_temp.error_of(format('SELECT cardinality(grove.%s) FROM generate_series(1, 100000) i', c)) FROM (VALUES
	(1, 'sample(i, 100, 1)'), (2, 'sample(i, 50000, 1)'), (3, 'sample(repeat(i::text, 300), 3000, 1)'), (4, 'weighted_sample(i, i, 100, 1)')) v(n, c) ORDER BY n;
RESET grove.max_memory;

-- An element that outweighs all others, of more different ones than are remembered.
CREATE TABLE sample_uneven AS SELECT CASE WHEN i % 2 = 0 THEN 'all the same' ELSE 'item ' || i END AS item FROM generate_series(1, 300000) i;
SELECT DISTINCT pg_temp.error_of(format('SELECT grove.weighted_sample(item, 1, 500, %s) FROM sample_uneven', seed)) FROM generate_series(1, 4) seed;
SELECT cardinality(grove.sample(item, 500, 1)) AS uniform_is_none_the_worse FROM sample_uneven;

DROP TABLE sample_uneven;
