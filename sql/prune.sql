-- prune: which rows stay, with which probability, against a second implementation in SQL.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA prune_test;
SET search_path = prune_test, public;

-- The hash that decides, written down with arbitrary-precision numbers: purpose 7 keeps, 8 draws back.
CREATE FUNCTION wrap(n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS
	$$SELECT mod(mod(n, 18446744073709551616) + 18446744073709551616, 18446744073709551616)$$;
CREATE FUNCTION word(n numeric) RETURNS bigint LANGUAGE sql IMMUTABLE AS
	$$SELECT (CASE WHEN wrap(n) >= 9223372036854775808 THEN wrap(n) - 18446744073709551616 ELSE wrap(n) END)::bigint$$;
CREATE FUNCTION xorshift(n numeric, bits int) RETURNS numeric LANGUAGE sql IMMUTABLE AS
	$$SELECT wrap(word(n) # word(div(wrap(n), 2::numeric ^ bits)))$$;
CREATE FUNCTION mix(x numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS
	$$SELECT xorshift(wrap(xorshift(wrap(xorshift(x, 30) * 13787848793156543929), 27) * 10723151780598845931), 31)$$;
CREATE FUNCTION rng_key(seed bigint, purpose int) RETURNS numeric LANGUAGE sql IMMUTABLE AS
	$$SELECT mix(mix(seed + 11400714819323198485) + (purpose + 1) * 15074714826142052245)$$;
CREATE FUNCTION key_hash(seed bigint, purpose int, id bigint) RETURNS numeric LANGUAGE sql IMMUTABLE AS
	$$SELECT mix(mix(wrap(id # word(rng_key(seed, purpose)))) + wrap(word(rng_key(seed, purpose)) | 1))$$;

CREATE TABLE shop (id int PRIMARY KEY, item text, price float8, bought boolean);
INSERT INTO shop SELECT i, 'item ' || floor(300 / i), i % 13, i % 9 = 0 FROM generate_series(1, 300) i;
UPDATE shop SET item = NULL WHERE id BETWEEN 4 AND 8;
CREATE TABLE hashes AS SELECT id, item, bought, key_hash(42, 7, id) AS hash, key_hash(42, 8, id) AS back FROM shop;

-- Random, exact size: the lowest hashes.
SELECT count(*), min(pi), max(pi), min(log_offset), max(log_offset), round(sum(weight)::numeric, 6) AS sum_weights
FROM grove.prune(NULL::shop, 'shop', keep => 0.3, seed => 42);
SELECT count(*) AS differences FROM (SELECT (kept).id FROM grove.prune(NULL::shop, 'shop', keep => 0.3, seed => 42)) a
FULL JOIN (SELECT id FROM hashes ORDER BY hash LIMIT 90) b USING (id) WHERE a.id IS NULL OR b.id IS NULL;

-- Random, Poisson: the hashes below the share.
SELECT count(*) AS differences
FROM (SELECT (kept).id FROM grove.prune(NULL::shop, 'shop', keep => 0.3, seed => 42, exact => false)) a
FULL JOIN (SELECT id FROM hashes WHERE hash < 0.3::float8::numeric * 18446744073709551616) b USING (id)
WHERE a.id IS NULL OR b.id IS NULL;

-- Half rounds up; the kept rows are nested in n; everything, nothing, more than there is.
SELECT keep, (SELECT count(*) FROM grove.prune(NULL::shop, 'SELECT * FROM shop WHERE id <= 5', keep => keep, key => '{id}'))
FROM unnest('{0, 0.09, 0.1, 0.29, 0.3, 0.5, 0.9, 1}'::float8[]) keep ORDER BY keep;
SELECT n, (SELECT array_agg((kept).id ORDER BY (kept).id) FROM grove.prune(NULL::shop, 'shop', n => n, seed => 1)) AS ids
FROM generate_series(0, 5) n ORDER BY n;
SELECT count(*), min(pi), max(weight) FROM grove.prune(NULL::shop, 'shop', n => 301);
SELECT count(*), min(pi), max(weight) FROM grove.prune(NULL::shop, 'shop', n => 9223372036854775807, exact => false);

-- Stratified: the share within every stratum, one row at least, the lowest hashes.
CREATE TABLE strata AS SELECT coalesce(item, 'none') AS item, count(*) AS rows FROM shop GROUP BY 1;
CREATE FUNCTION sizes(exact boolean, seed bigint, keep float8, params jsonb DEFAULT NULL, gamma float8 DEFAULT 1)
RETURNS TABLE (item text, rows bigint, kept bigint, pi float8) LANGUAGE sql AS $$
	SELECT s.item, s.rows, count(p.pi), max(p.pi) FROM strata s
	LEFT JOIN grove.prune(NULL::shop, 'shop', keep => keep, method => 'stratified', by => '{item}', seed => seed,
						  exact => exact, params => params, gamma => gamma) p ON coalesce((p.kept).item, 'none') = s.item
	GROUP BY 1, 2
$$;
SELECT item, rows, kept, round(pi::numeric, 6) AS pi FROM sizes(true, 42, 0.2) ORDER BY rows DESC, item;
SELECT sum(kept) = round(sum(greatest(1, 0.2 * rows))) AS total, bool_and(kept >= 1) AS one_at_least,
	   max(abs(kept - greatest(1, 0.2 * rows))) < 1 AS within_one, bool_and(pi = kept::float8 / rows) AS pi_right
FROM sizes(true, 42, 0.2);
SELECT count(*) FILTER (WHERE pi <> greatest(0.2::float8, 1::float8 / rows)) AS wrong_pi FROM sizes(false, 42, 0.2) WHERE kept > 0;
-- with a number instead of a share, the number is kept: what goes to small strata is missing in the others
SELECT sum(kept), max(kept) FROM (SELECT count(*) AS kept FROM grove.prune(NULL::shop, 'shop', n => 60, method => 'stratified', by => '{item}') GROUP BY (kept).item) q;
SELECT count(*) AS differences
FROM (SELECT (kept).id FROM grove.prune(NULL::shop, 'shop', keep => 0.2, method => 'stratified', by => '{item}', seed => 42)) a
FULL JOIN (SELECT id FROM (SELECT id, coalesce(item, 'none') AS item, row_number() OVER (PARTITION BY item ORDER BY hash) AS place FROM hashes) h
		   JOIN sizes(true, 42, 0.2) s USING (item) WHERE place <= s.kept) b USING (id)
WHERE a.id IS NULL OR b.id IS NULL;

-- Other allocations: equal, tempered by gamma, Neyman by the spread of a column.
SELECT item, rows, e.kept AS equal, p.kept AS half, q.kept AS proportional, n.kept AS neyman
FROM sizes(true, 42, 0.2, '{"allocation": "equal"}') e
JOIN sizes(true, 42, 0.2, '{"allocation": "power"}', 0.5) p USING (item, rows)
JOIN sizes(true, 42, 0.2, '{"allocation": "power"}', 0) q USING (item, rows)
JOIN sizes(true, 42, 0.2, '{"allocation": "neyman", "spread": "price"}') n USING (item, rows) ORDER BY rows DESC, item;
-- equal from the same bounds in SQL: the level at which min(rows, level), one at least, sums to 60
SELECT sum(least(rows, 3)) AS below, sum(least(rows, 4)) AS above FROM strata;

-- Inverse: min(1, c / frequency), and the threshold of the plan is c.
CREATE TABLE plan AS SELECT * FROM grove.prune_plan(NULL::shop, 'shop', keep => 0.2, method => 'inverse', by => '{item}', seed => 42);
SELECT design, rows, units, strata, kept_rows, sum_weights, round(threshold::numeric, 6) AS threshold, round(effective_size::numeric, 6) AS effective,
	   round(pi_low::numeric, 6) AS pi_low, pi_high, zero_rows, certainty_rows FROM plan;
SELECT round(sum(rows * least(1, threshold / rows))::numeric, 9) AS kept_rows,
	   round((300 ^ 2 / sum(rows / least(1, threshold / rows)))::numeric, 6) AS effective,
	   sum(rows) FILTER (WHERE rows <= threshold) AS certainty_rows
FROM (SELECT s.rows, threshold FROM strata s, plan) q;
CREATE TABLE inverse AS SELECT (kept).*, pi, weight, log_offset FROM grove.prune(NULL::shop, 'shop', keep => 0.2, method => 'inverse', by => '{item}', seed => 42);
SELECT count(*), count(*) FILTER (WHERE abs(pi - least(1, threshold / s.rows)) > 1e-9) AS wrong_pi,
	   count(*) FILTER (WHERE weight <> 1 / pi OR log_offset <> 0) AS wrong_weight
FROM inverse i JOIN strata s ON s.item = coalesce(i.item, 'none'), plan;
SELECT max(abs(kept - s.rows * least(1, threshold / s.rows))) < 1 AS within_one
FROM (SELECT coalesce(item, 'none') AS item, count(*) AS kept FROM inverse GROUP BY 1) k JOIN strata s USING (item), plan;
SELECT count(*) AS not_lowest FROM hashes h
JOIN (SELECT h.item, max(h.hash) AS cut FROM inverse JOIN hashes h USING (id) GROUP BY 1) c ON c.item IS NOT DISTINCT FROM h.item
WHERE (h.hash <= cut) <> (h.id IN (SELECT id FROM inverse));
-- Flattened on purpose: the same rows, none of which stands for more than itself.
SELECT count(*) AS same_rows, min(f.weight), max(f.weight), bool_and(f.pi = i.pi) AS same_pi
FROM grove.prune(NULL::shop, 'shop', keep => 0.2, method => 'inverse', by => '{item}', seed => 42, params => '{"weights": "flatten"}') f JOIN inverse i ON i.id = (f.kept).id;
SELECT count(*) AS differences
FROM grove.prune(NULL::shop, 'shop', keep => 0.2, method => 'inverse', by => '{item}', seed => 42, params => '{"weights": "restore"}') f JOIN inverse i ON i.id = (f.kept).id
WHERE f.weight <> i.weight;

-- Inverse, Poisson, by reference; a power of the frequency; a lower bound.
WITH plans AS MATERIALIZED (
	SELECT v.*, jsonb_build_object('pi_min', pi_min) AS params, plan.threshold
	FROM (VALUES (0, 0), (0.5, 0), (1, 0.1), (2, 0.05)) v(gamma, pi_min),
	LATERAL grove.prune_plan(NULL::shop, 'shop', keep => 0.2, method => 'inverse', by => '{item}', exact => false, gamma => gamma,
							 params => jsonb_build_object('pi_min', pi_min)) plan),
expected AS MATERIALIZED (
	SELECT gamma, h.id, greatest(pi_min, least(1, threshold * s.rows ^ -gamma)) AS pi, h.hash
	FROM plans, hashes h JOIN strata s ON s.item = coalesce(h.item, 'none')),
kept AS MATERIALIZED (
	SELECT gamma, (p.kept).id, p.pi FROM plans,
	LATERAL grove.prune(NULL::shop, 'shop', keep => 0.2, method => 'inverse', by => '{item}', seed => 42, exact => false, gamma => gamma, params => params) p)
SELECT gamma, count(k.id) AS kept, count(*) FILTER (WHERE (k.id IS NOT NULL) <> (hash < e.pi::numeric * 18446744073709551616)) AS differences,
	   round(max(abs(k.pi - e.pi))::numeric, 12) AS pi_error
FROM expected e LEFT JOIN kept k USING (gamma, id) GROUP BY 1 ORDER BY 1;

-- Negatives: every positive, of the others the lowest hashes; the offset is ln(1 / beta).
SELECT (kept).bought, count(*), min(pi), max(pi), min(log_offset) = max(log_offset) AND min(log_offset) = -ln(46.0::float8 / 267) AS offset_right
FROM grove.prune(NULL::shop, 'shop', n => 79, method => 'negatives', target => 'bought', seed => 42) GROUP BY 1 ORDER BY 1;
SELECT count(*) AS differences
FROM (SELECT (kept).id FROM grove.prune(NULL::shop, 'shop', n => 79, method => 'negatives', target => 'bought', seed => 42) WHERE NOT (kept).bought) a
FULL JOIN (SELECT id FROM hashes WHERE NOT bought ORDER BY hash LIMIT 46) b USING (id) WHERE a.id IS NULL OR b.id IS NULL;
SELECT beta = 46.0::float8 / 267 AS beta, kept_rows, certainty_rows
FROM grove.prune_plan(NULL::shop, 'shop', n => 79, method => 'negatives', target => 'bought');
CREATE TYPE pair AS (id int, v text);
-- The positive class sorts last: by number, or by the bytes of the label; or it is named.
SELECT label, min((kept).v) AS least_of_certain, max((kept).v) AS greatest_of_certain
FROM (VALUES (1, 'numbers', 'SELECT i AS id, CASE WHEN i % 5 = 0 THEN ''10'' ELSE ''9'' END AS v, CASE WHEN i % 5 = 0 THEN 10 ELSE 9 END AS y FROM generate_series(1, 50) i', NULL),
			 (2, 'labels', 'SELECT i AS id, CASE WHEN i % 5 = 0 THEN ''10'' ELSE ''9'' END AS v, CASE WHEN i % 5 = 0 THEN ''10'' ELSE ''9'' END AS y FROM generate_series(1, 50) i', NULL),
			 (3, 'named', 'SELECT i AS id, CASE WHEN i % 5 = 0 THEN ''10'' ELSE ''9'' END AS v, CASE WHEN i % 5 = 0 THEN 10 ELSE 9 END AS y FROM generate_series(1, 50) i', '{"positive_class": "9"}'),
			 (4, 'case', 'SELECT i AS id, CASE WHEN i % 5 = 0 THEN ''a'' ELSE ''B'' END AS v, CASE WHEN i % 5 = 0 THEN ''a'' ELSE ''B'' END AS y FROM generate_series(1, 50) i', NULL)) s(n, label, source, params),
LATERAL grove.prune(NULL::prune_test.pair, source, keep => 0.9, method => 'negatives', target => 'y', key => '{id}', params => params::jsonb) p
WHERE pi = 1 GROUP BY n, label ORDER BY n;

-- By columns of random and negatives leave pi alone; the sizes of the groups are then balanced to one row.
SELECT count(*), min(pi), max(pi) FROM grove.prune(NULL::shop, 'shop', keep => 0.3, by => '{bought}', seed => 42);
SELECT max(abs(kept - 0.3 * rows)) < 1 AS within_one FROM
	(SELECT bought, count(*) AS rows, count(*) FILTER (WHERE id IN (SELECT (kept).id FROM grove.prune(NULL::shop, 'shop', keep => 0.3, by => '{bought}', seed => 42))) AS kept
	 FROM shop GROUP BY 1) s;

-- Rows of one key live and die together, and sizes count keys.
CREATE TABLE visits AS SELECT u AS "user", v AS visit, u % 3 AS region FROM generate_series(1, 40) u, generate_series(1, 5) v WHERE v <= 1 + u % 5;
SELECT count(DISTINCT (kept)."user") AS users, count(*) = (SELECT count(*) FROM visits v WHERE v."user" = ANY (array_agg((kept)."user"))) AS whole, min(pi), max(pi)
FROM grove.prune(NULL::visits, 'visits', keep => 0.25, key => '{user}');
SELECT units, rows, round(kept_rows::numeric, 9) AS kept_rows FROM grove.prune_plan(NULL::visits, 'visits', keep => 0.25, key => '{user}');
SELECT (kept).region, count(DISTINCT (kept)."user") AS users, min(pi) = max(pi) AS one_pi
FROM grove.prune(NULL::visits, 'visits', keep => 0.25, key => '{user}', by => '{region}', method => 'stratified') GROUP BY 1 ORDER BY 1;

-- The same rows whatever their order, the plan, the memory, the storage.
CREATE TABLE many (id bigint PRIMARY KEY, a int, b text, c text);
CREATE FUNCTION fingerprint(source text) RETURNS text LANGUAGE sql AS $$
	SELECT count(*) || ' ' || md5(string_agg((kept).id || ' ' || pi, ',' ORDER BY (kept).id))
	FROM grove.prune(NULL::prune_test.many, source, keep => 0.37, method => 'inverse', by => '{a,b}', readmit => 0.1, key => '{id}', seed => 7)
$$;
INSERT INTO many SELECT i, i % 97 % 11, 'b' || (i * i) % 53, repeat('x', i % 200) FROM generate_series(1, 20000) i;
CREATE TABLE prints AS SELECT 'table' AS way, fingerprint('many') AS print;
INSERT INTO prints SELECT 'query', fingerprint('SELECT * FROM prune_test.many');
INSERT INTO prints SELECT 'ordered query', fingerprint('SELECT c, b, a, id FROM prune_test.many ORDER BY md5(id::text)');
SET work_mem = '64kB';
INSERT INTO prints SELECT 'little memory, table', fingerprint('many');
INSERT INTO prints SELECT 'little memory, query', fingerprint('SELECT * FROM prune_test.many');
RESET work_mem;
CREATE INDEX many_b ON many (b, id DESC);
CLUSTER many USING many_b;
INSERT INTO prints SELECT 'clustered', fingerprint('many');
UPDATE many SET c = c || 'y' WHERE id % 3 = 0;
VACUUM FULL many;
INSERT INTO prints SELECT 'rewritten', fingerprint('many');
CREATE TABLE split (LIKE many) PARTITION BY HASH (id);
CREATE TABLE split_0 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE split_1 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE split_2 PARTITION OF split FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO split SELECT * FROM many;
INSERT INTO prints SELECT 'partitioned', fingerprint('split');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
SET parallel_leader_participation = off;
-- only rows that workers have read
CREATE FUNCTION reader() RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS $$ BEGIN RETURN pg_backend_pid(); END $$;
INSERT INTO prints SELECT 'parallel', fingerprint(format('SELECT id, max(a) AS a, max(b) AS b, max(c) AS c FROM prune_test.many GROUP BY id HAVING bool_and(prune_test.reader() <> %s)', pg_backend_pid()));
RESET parallel_leader_participation;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
SELECT way, print = (SELECT print FROM prints WHERE way = 'table') AS same FROM prints ORDER BY way;
-- frozen: a change of any bit breaks every stored sample
SELECT print FROM prints WHERE way = 'table';

-- Duplicate keys and little memory: one key in most rows, many keys in many rows.
CREATE TABLE heavy AS SELECT CASE WHEN i % 10 < 6 THEN 1 ELSE i % 9000 END AS id, i % 3 AS g FROM generate_series(1, 60000) i;
CREATE FUNCTION heavy_print() RETURNS text LANGUAGE sql AS $$
	SELECT count(*) || ' ' || count(DISTINCT (kept).id) || ' ' || md5(string_agg(pi || ' ' || (kept).id || ' ' || (kept).g, ',' ORDER BY (kept).id, (kept).g))
	FROM grove.prune(NULL::prune_test.heavy, 'prune_test.heavy', keep => 0.4, method => 'stratified', by => '{g}', key => '{id}')
$$;
CREATE TABLE heavies AS SELECT heavy_print() AS print;
SET work_mem = '64kB';
SELECT print = heavy_print() AS same FROM heavies;
RESET work_mem;
SELECT units = (SELECT count(*) FROM (SELECT DISTINCT id, g FROM heavy) d) AS units_right, strata
FROM grove.prune_plan(NULL::heavy, 'heavy', keep => 0.4, method => 'stratified', by => '{g}', key => '{id}');

-- Row types: columns by name, extra columns for by and key, dropped and added columns, long values, record.
CREATE TABLE shape (gone int, id int PRIMARY KEY, body text, gone_too int);
INSERT INTO shape SELECT 0, i, repeat(md5(i::text), 1000 * i), 0 FROM generate_series(1, 4) i;
ALTER TABLE shape DROP COLUMN gone;
ALTER TABLE shape DROP COLUMN gone_too;
ALTER TABLE shape ADD COLUMN added int DEFAULT 77;
INSERT INTO shape VALUES (5, 'short', 78);
SELECT (kept).id, length((kept).body), (kept).body = repeat(md5((kept).id::text), 1000 * (kept).id) AS intact, (kept).added
FROM grove.prune(NULL::shape, 'shape', keep => 1) ORDER BY 1;
SELECT (kept).id, (kept).added, pi FROM grove.prune(NULL::shape, 'SELECT added, id % 2 AS odd, body, id FROM prune_test.shape',
	keep => 0.5, key => '{id}', by => '{odd}', method => 'stratified', seed => 3) ORDER BY 1;
SELECT kept, pi FROM grove.prune(NULL::record, 'SELECT id, added FROM prune_test.shape', n => 5, key => '{id}') ORDER BY 1;
SELECT pg_typeof(kept), to_jsonb(kept) FROM grove.prune(NULL::pair, 'SELECT 1 AS id, ''x''::text AS v', n => 1, key => '{id}');
SELECT (grove.prune(NULL::pair, 'SELECT 1 AS id, ''x''::text AS v', n => 1, key => '{id}')).pi;

-- No rows: no rows, and a plan with zeros.
SELECT count(*) FROM grove.prune(NULL::shop, 'SELECT * FROM shop WHERE false', keep => 0.5, key => '{id}', by => '{item}', method => 'inverse', readmit => 0.5);
SELECT count(*) FROM grove.prune(NULL::shop, 'SELECT * FROM shop WHERE false', keep => 0.5, key => '{id}', target => 'bought', method => 'negatives');
SELECT rows, units, strata, kept_rows, sum_weights, effective_size, pi_low, pi_high, zero_rows, certainty_rows
FROM grove.prune_plan(NULL::shop, 'SELECT * FROM shop WHERE false', keep => 0.5, key => '{id}', by => '{item}', method => 'stratified');

-- keep => 0: nothing, and the plan says so.
SELECT count(*) FROM grove.prune(NULL::shop, 'shop', keep => 0);
SELECT kept_rows, sum_weights, effective_size, zero_rows FROM grove.prune_plan(NULL::shop, 'shop', keep => 0);

-- Two seeds, two samples; a negative seed; the source stays as it was.
SELECT count(*) FROM (SELECT (kept).id FROM grove.prune(NULL::shop, 'shop', keep => 0.5, seed => 1) INTERSECT
					  SELECT (kept).id FROM grove.prune(NULL::shop, 'shop', keep => 0.5, seed => -1)) q;
SELECT count(*) FROM shop;

DROP SCHEMA prune_test CASCADE;
