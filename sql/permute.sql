-- permute: a seeded bijection of row numbers, and its inverse.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END $$;

-- Frozen values: a table for short ranges, a cipher for long ones.
SELECT array_agg(grove.permute(i, 10, 42) ORDER BY i) FROM generate_series(0, 9) i;
SELECT array_agg(grove.permute(i, 1000000000000, 42) ORDER BY i) FROM generate_series(0, 3) i;
SELECT grove.permute(0, 1, 42) AS one, grove.permute(4611686018427387903, 4611686018427387904, 42) AS longest;

-- Every place once, and back again, below, at and above the border of 4096.
SELECT n, count(DISTINCT place) = n AS bijection, min(place) = 0 AND max(place) = n - 1 AS in_range,
	   bool_and(grove.unpermute(place, n, 7) = i) AS inverse, count(*) FILTER (WHERE place = i) < 12 AS few_stay
FROM unnest('{2,3,10,100,4095,4096,4097,5000,100000}'::bigint[]) n,
	 LATERAL (SELECT i, grove.permute(i, n, 7) AS place FROM generate_series(0, n - 1) i) AS x
GROUP BY n ORDER BY n;
SELECT n, bool_and(grove.unpermute(grove.permute(i, n, -1), n, -1) = i AND grove.permute(grove.unpermute(i, n, -1), n, -1) = i) AS inverse
FROM unnest('{4294967296,999999999999999,4611686018427387904}'::bigint[]) n,
	 LATERAL (SELECT i FROM generate_series(0, 300) i UNION ALL SELECT n - 1 - i FROM generate_series(0, 300) i) AS x
GROUP BY n ORDER BY n;

-- n and seed may change from row to row.
SELECT bool_and(grove.permute(i % 5, 5 + i % 3, i % 2) = CASE
	WHEN i % 6 = 0 THEN grove.permute(i % 5, 5, 0) WHEN i % 6 = 1 THEN grove.permute(i % 5, 6, 1) WHEN i % 6 = 2 THEN grove.permute(i % 5, 7, 0)
	WHEN i % 6 = 3 THEN grove.permute(i % 5, 5, 1) WHEN i % 6 = 4 THEN grove.permute(i % 5, 6, 0) ELSE grove.permute(i % 5, 7, 1) END) AS as_constant
FROM generate_series(1, 600) i;

-- All 120 orders of five items over 12,000 seeds: chi-square with 119 degrees of freedom, upper 1e-7 point 217.6.
SELECT count(*) AS orders, sum((n - 100)^2 / 100.0) < 217.6 AS even
FROM (SELECT count(*) AS n
	  FROM (SELECT string_agg(grove.permute(i, 5, seed)::text, ' ' ORDER BY i) AS o
			FROM generate_series(1, 12000) seed, generate_series(0, 4) i GROUP BY seed) AS x
	  GROUP BY o) AS y;

-- Errors.
SELECT statement, pg_temp.error_of(statement) FROM unnest(ARRAY[
	'SELECT grove.permute(5, 5, 1)',
	'SELECT grove.permute(-1, 5, 1)',
	'SELECT grove.permute(0, 0, 1)',
	'SELECT grove.permute(0, -5, 1)',
	'SELECT grove.permute(0, 4611686018427387905, 1)',
	'SELECT grove.permute(NULL, 5, 1)',
	'SELECT grove.permute(0, NULL, 1)',
	'SELECT grove.permute(0, 5, NULL)',
	'SELECT grove.unpermute(5, 5, 1)',
	'SELECT grove.unpermute(NULL, 5, 1)',
	'SELECT grove.unpermute(0, 0, 1)']) AS statement;
