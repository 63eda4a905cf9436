-- balance: how well kept rows stand for the full set, against the definitions in SQL.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA balance_test;
SET search_path = balance_test, public;
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

CREATE TYPE mood AS ENUM ('fine', 'poor');
CREATE TABLE shop (id int PRIMARY KEY, item text, price float8, stock numeric, seen date, feeling mood, sold boolean);
INSERT INTO shop
SELECT i, 'item ' || floor(500 / i), CASE WHEN i % 7 <> 0 THEN sqrt(i) * (i % 5 - 2) END, (i * 37 % 101) / 4.0,
	   date '2020-01-01' + i % 30, (ARRAY['fine', 'poor', NULL]::mood[])[1 + i % 3], i % 4 = 0
FROM generate_series(1, 500) i;
CREATE TABLE kept AS SELECT (kept).*, pi, weight, log_offset
FROM grove.prune(NULL::shop, 'shop', keep => 0.3, method => 'inverse', by => '{item}', gamma => 0.5, seed => 3);

SELECT feature, kind, rows, kept_rows, round(missing::numeric, 4) AS missing, round(kept_missing::numeric, 4) AS kept_missing,
	   round(mean::numeric, 4) AS mean, round(kept_mean::numeric, 4) AS kept_mean, round(weighted_mean::numeric, 4) AS weighted_mean
FROM grove.balance('shop', 'kept', weight => 'weight', ignore => '{id}');
SELECT feature, round(smd::numeric, 4) AS smd, round(weighted_smd::numeric, 4) AS weighted_smd, round(psi::numeric, 4) AS psi,
	   round(weighted_psi::numeric, 4) AS weighted_psi, round(ks::numeric, 4) AS ks, round(weighted_ks::numeric, 4) AS weighted_ks
FROM grove.balance('shop', 'kept', weight => 'weight', ignore => '{id}');

-- The same numbers from their definitions.
CREATE FUNCTION reference(whole float8[], part float8[], weights float8[]) RETURNS TABLE (smd float8, psi float8, ks float8) LANGUAGE sql AS $$
	WITH w AS (SELECT x FROM unnest(whole) x), p AS (SELECT x, v FROM unnest(part, weights) u(x, v)),
	points AS (SELECT x FROM w WHERE x IS NOT NULL UNION SELECT x FROM p WHERE x IS NOT NULL),
	curves AS (SELECT x, (SELECT count(*) FROM w WHERE w.x <= points.x)::float8 / (SELECT count(x) FROM w) AS f,
					  (SELECT sum(v) FROM p WHERE p.x <= points.x) / (SELECT sum(v) FROM p WHERE p.x IS NOT NULL) AS g,
					  ((SELECT count(*) FROM w WHERE w.x < points.x) + (SELECT count(*) FROM w WHERE w.x <= points.x)) / 2.0 / (SELECT count(x) FROM w) AS middle
			   FROM points),
	bins AS (SELECT b, (SELECT count(*) FROM w LEFT JOIN curves c USING (x) WHERE CASE WHEN w.x IS NULL THEN -1 ELSE least(9, floor(10 * c.middle)) END = b)::float8 AS n,
					(SELECT coalesce(sum(v), 0) FROM p LEFT JOIN curves c USING (x) WHERE CASE WHEN p.x IS NULL THEN -1 ELSE least(9, floor(10 * c.middle)) END = b) AS m
			 FROM generate_series(-1, 9) b),
	shares AS (SELECT greatest(n, 0.5) / (SELECT count(*) FROM w) AS p, CASE WHEN m > 0 THEN m / (SELECT sum(v) FROM p) ELSE 0.5 / (SELECT count(*) FROM p) END AS q
			   FROM bins WHERE n > 0 OR m > 0)
	SELECT ((SELECT sum(x * v) / sum(v) FROM p WHERE x IS NOT NULL) - (SELECT avg(x) FROM w)) / (SELECT stddev_samp(x) FROM w),
		   (SELECT sum((q - p) * ln(q / p)) FROM shares), (SELECT max(abs(coalesce(g, 0) - f)) FROM curves)
$$;
SELECT feature, round(abs(b.smd - r.smd)::numeric, 9) AS smd, round(abs(b.psi - r.psi)::numeric, 9) AS psi, round(abs(b.ks - r.ks)::numeric, 9) AS ks,
	   round(abs(b.weighted_smd - v.smd)::numeric, 9) AS weighted_smd, round(abs(b.weighted_psi - v.psi)::numeric, 9) AS weighted_psi, round(abs(b.weighted_ks - v.ks)::numeric, 9) AS weighted_ks
FROM grove.balance('shop', 'kept', weight => 'weight') b,
LATERAL (SELECT array_agg(w) AS whole FROM (SELECT CASE b.feature WHEN 'id' THEN id WHEN 'price' THEN price WHEN 'stock' THEN stock ELSE seen - date '2000-01-01' END::float8 AS w FROM shop) q) x,
LATERAL (SELECT array_agg(w) AS part, array_agg(weight) AS weights, array_agg(1::float8) AS ones
		 FROM (SELECT CASE b.feature WHEN 'id' THEN id WHEN 'price' THEN price WHEN 'stock' THEN stock ELSE seen - date '2000-01-01' END::float8 AS w, weight FROM kept) q) y,
LATERAL reference(whole, part, ones) r, LATERAL reference(whole, part, weights) v
WHERE b.kind = 'numeric' ORDER BY feature;
SELECT round(abs(b.smd - r.smd)::numeric, 9) AS smd, round(abs(b.weighted_smd - r.weighted_smd)::numeric, 9) AS weighted_smd,
	   round(abs(b.psi - r.psi)::numeric, 9) AS psi, round(abs(b.weighted_psi - r.weighted_psi)::numeric, 9) AS weighted_psi
FROM grove.balance('shop', 'kept', weight => 'weight') b,
	 (WITH levels AS (SELECT item, count(*) / 500.0 AS p, coalesce(max(q), 0) AS q, coalesce(max(v), 0) AS v FROM shop
					  LEFT JOIN (SELECT item, count(*) / 150.0 AS q, sum(weight) / (SELECT sum(weight) FROM kept) AS v FROM kept GROUP BY 1) k USING (item) GROUP BY 1),
	  bins AS (SELECT sum(p) AS p, coalesce(nullif(sum(q), 0), 0.5 / 150) AS q, coalesce(nullif(sum(v), 0), 0.5 / 150) AS v FROM levels GROUP BY CASE WHEN p < 0.01 THEN 'rare' ELSE item END)
	  SELECT (SELECT (q - p) / sqrt(p * (1 - p)) FROM levels ORDER BY abs((q - p) / sqrt(p * (1 - p))) DESC LIMIT 1) AS smd,
			 (SELECT (v - p) / sqrt(p * (1 - p)) FROM levels ORDER BY abs((v - p) / sqrt(p * (1 - p))) DESC LIMIT 1) AS weighted_smd,
			 (SELECT sum((q - p) * ln(q / p)) FROM bins) AS psi, (SELECT sum((v - p) * ln(v / p)) FROM bins) AS weighted_psi) r
WHERE feature = 'item';

-- The full set stands for itself; without weights there are no weighted numbers.
SELECT feature, round(abs(smd)::numeric, 12) AS smd, round(psi::numeric, 12) AS psi, round(ks::numeric, 12) AS ks, weighted_smd, weighted_psi, weighted_ks
FROM grove.balance('shop', 'SELECT * FROM shop ORDER BY md5(id::text)');

-- The order of rows and the memory do not matter.
CREATE TABLE prints AS SELECT md5(string_agg(b::text, ';' ORDER BY feature)) AS print FROM grove.balance('shop', 'kept', weight => 'weight') b;
SET work_mem = '64kB';
SELECT md5(string_agg(b::text, ';' ORDER BY feature)) = print AS same FROM grove.balance('SELECT * FROM shop ORDER BY md5(id::text)', 'SELECT * FROM kept ORDER BY md5(id::text) DESC', weight => 'weight') b, prints GROUP BY print;
RESET work_mem;

-- Edges: nothing kept, nothing at all, one row, constant, all missing, infinities.
CREATE TABLE edges AS SELECT i, 5 AS same, NULL::float8 AS never, CASE WHEN i = 3 THEN 'Infinity' WHEN i = 4 THEN 'NaN' ELSE i::text END::float8 AS wild FROM generate_series(1, 10) i;
SELECT feature, rows, kept_rows, missing, kept_missing, mean, kept_mean, round(smd::numeric, 6) AS smd, round(psi::numeric, 6) AS psi, round(ks::numeric, 6) AS ks FROM grove.balance('edges', 'SELECT * FROM edges WHERE i <= 5');
SELECT feature, rows, kept_rows, kept_missing, kept_mean, smd, psi, ks FROM grove.balance('edges', 'SELECT * FROM edges WHERE false');
SELECT feature, rows, kept_rows, missing, mean, smd, psi, ks FROM grove.balance('SELECT * FROM edges WHERE false', 'SELECT * FROM edges WHERE false');
SELECT feature, rows, smd, psi, ks FROM grove.balance('SELECT * FROM edges WHERE i = 1', 'SELECT * FROM edges WHERE i = 1');
SELECT count(*) FROM grove.balance('edges', 'edges', ignore => '{i,same,never,wild}');
SELECT feature, weighted_smd, weighted_psi, weighted_ks FROM grove.balance('SELECT i FROM edges', 'SELECT i, 0.0::float8 AS w FROM edges', weight => 'w');

-- Refused.
CREATE TABLE odd AS SELECT i AS id, point(i, i) AS place, i::text AS label FROM generate_series(1, 3) i;
SELECT a, pg_temp.error_of(format('SELECT * FROM grove.balance(%s)', a)) FROM (VALUES
	(1, 'NULL, ''kept'''), (2, '''shop'', NULL'), (3, '''shop'', ''nowhere'''), (4, '''shop'', ''SELECT id FROM kept'''),
	(5, '''odd'', ''odd'''), (6, '''SELECT id, label FROM odd'', ''SELECT id::bigint, label FROM odd'''),
	(7, '''SELECT id FROM shop'', ''kept'', weight => ''wait'''), (8, '''SELECT id FROM shop'', ''kept'', weight => ''item'''),
	(9, '''shop'', ''kept'', ignore => ''{ids}'''), (10, '''shop'', ''kept'', ignore => ''{NULL}'''),
	(11, '''SELECT id FROM shop'', ''SELECT id, NULL::float8 AS w FROM kept'', weight => ''w'''),
	(12, '''SELECT id FROM shop'', ''SELECT id, -1.5 AS w FROM kept'', weight => ''w'''),
	(13, '''SELECT id FROM shop'', ''SELECT id, ''''NaN''''::float8 AS w FROM kept'', weight => ''w'''),
	(14, '''SELECT id FROM shop'', ''SELECT id, ''''Infinity''''::float8 AS w FROM kept'', weight => ''w''')) v(n, a) ORDER BY n;

DROP SCHEMA balance_test CASCADE;
