-- sample_rows.sql: TABLESAMPLE grove.sample_rows(k) draws every set of k rows alike, over :trials seeds from :seed on.
\ir lib/checks.sql
\set trials 4000
\set last (:seed::bigint + :trials - 1)

-- Twelve rows in three blocks, between rows that are gone; nine and six rows, a block each.
CREATE TABLE twelve (id int, filler text) WITH (autovacuum_enabled = off);
ALTER TABLE twelve ALTER filler SET STORAGE PLAIN;
INSERT INTO twelve SELECT CASE WHEN i % 2 = 0 THEN i / 2 ELSE -1 END, repeat('x', 930) FROM generate_series(0, 23) i;
DELETE FROM twelve WHERE id < 0;
CREATE TABLE places AS SELECT id, (ctid::text::point)[0]::int AS block FROM twelve;
SELECT stats.line(count(*) = 3 AND bool_and(n = 4), 'sample_rows: four rows in each of three blocks') FROM (SELECT block, count(*) AS n FROM places GROUP BY 1) q;
CREATE TABLE nine (id int, filler text);
ALTER TABLE nine ALTER filler SET STORAGE PLAIN;
INSERT INTO nine SELECT i, repeat('x', 5000) FROM generate_series(0, 8) i;
CREATE TABLE six (LIKE nine INCLUDING STORAGE);
INSERT INTO six SELECT * FROM nine WHERE id < 6;
ANALYZE twelve, nine, six;

-- Sizes, every row, every pair: neighbours in a block and rows of two blocks alike.
CREATE TABLE draws AS
SELECT s AS seed, id, block FROM generate_series(:seed::bigint, :last) s, LATERAL (SELECT id FROM twelve TABLESAMPLE grove.sample_rows (5) REPEATABLE (s)) d JOIN places USING (id);
ANALYZE draws;
SELECT stats.line(count(*) = :trials AND bool_and(n = 5), 'sample_rows: sizes', min(n) || ' to ' || max(n)) FROM (SELECT seed, count(DISTINCT id) AS n FROM draws GROUP BY 1) q;
CREATE VIEW counts AS SELECT id, count(seed) AS n FROM places LEFT JOIN draws USING (id) GROUP BY id;
SELECT stats.frequencies('sample_rows: inclusion', array_agg(n), :trials, array_agg(5 / 12.0)) FROM counts;
-- omnibus for equal probabilities and a fixed size: T ~ chi-square(N - 1)
SELECT stats.line(abs(z_of_chi_square(t, 11)) < z_limit(1), 'sample_rows: omnibus', 'T = ' || t || ' with 11 df')
FROM (SELECT sum((n - :trials * 5 / 12.0) ^ 2)::float8 / (:trials * 5 / 12.0 * 7 / 12 * 12 / 11) AS t FROM counts) q;
CREATE TABLE joint AS
SELECT p.id AS i, q.id AS j, p.block = q.block AS near, count(d.seed) AS together FROM places p JOIN places q ON p.id < q.id
LEFT JOIN (SELECT x.seed, x.id AS i, y.id AS j FROM draws x JOIN draws y USING (seed) WHERE x.id < y.id) d ON d.i = p.id AND d.j = q.id GROUP BY 1, 2, 3;
SELECT stats.frequencies('sample_rows: pairs ' || CASE WHEN near THEN 'of a block' ELSE 'of two blocks' END, array_agg(together), :trials, array_agg(5 * 4 / (12 * 11.0))) FROM joint GROUP BY near ORDER BY near;
-- the number of pairs of a block in a sample, over seeds: neither together nor apart more often than by chance
SELECT stats.line(abs(mean - 18 * 5 * 4 / (12 * 11.0)) < z_limit(1) * sd / sqrt(:trials), 'sample_rows: pairs of a block in a sample', mean::text)
FROM (SELECT avg(n)::float8 AS mean, stddev_samp(n)::float8 AS sd FROM (SELECT seed, sum(k * (k - 1) / 2) AS n FROM (SELECT seed, block, count(*) AS k FROM draws GROUP BY 1, 2) b GROUP BY 1) q) m;

-- All 20 sets of 3 out of 6.
CREATE TABLE subsets AS SELECT ARRAY[a, b, c] AS ids FROM generate_series(0, 5) a JOIN generate_series(0, 5) b ON a < b JOIN generate_series(0, 5) c ON b < c;
SELECT stats.frequencies('sample_rows: sets of 3 out of 6', array_agg(n), :trials, array_agg(1 / 20.0))
FROM (SELECT ids, count(s) AS n FROM subsets LEFT JOIN (SELECT s, ARRAY(SELECT id FROM six TABLESAMPLE grove.sample_rows (3) REPEATABLE (s) ORDER BY id) AS ids FROM generate_series(:seed::bigint, :last) s) d USING (ids) GROUP BY ids) q;

-- Many rows, so that the list is cut on the way; half of them are gone: T over all rows, and over blocks.
CREATE TABLE many AS SELECT i AS id FROM generate_series(0, 5999) i;
DELETE FROM many WHERE id % 2 = 1;
CREATE TABLE drawn AS SELECT s AS seed, id FROM generate_series(:seed::bigint, :seed + 999) s, LATERAL (SELECT id FROM many TABLESAMPLE grove.sample_rows (300) REPEATABLE (s)) d;
SELECT stats.line(count(*) = 1000 * 300 AND bool_and(id % 2 = 0), 'sample_rows: sizes of 300 out of 3,000', count(*)::text) FROM drawn;
SELECT stats.line(abs(z_of_chi_square(t, 2999)) < z_limit(1), 'sample_rows: omnibus of 300 out of 3,000', 'T = ' || t || ' with 2999 df')
FROM (SELECT sum((n - 100) ^ 2)::float8 / (100 * 0.9 * 3000 / 2999) AS t FROM (SELECT m.id, count(d.seed) AS n FROM many m LEFT JOIN drawn d USING (id) GROUP BY 1) c) q;
SELECT stats.line(abs(z_of_chi_square(t, 29)) < z_limit(1), 'sample_rows: thirtieths of the table', 'T = ' || t || ' with 29 df')
FROM (SELECT sum((n - 10000) ^ 2)::float8 / (10000 * 0.9 * 3000 / 2999) AS t FROM (SELECT id / 200, count(*) AS n FROM drawn GROUP BY 1) c) q;

-- With one seed: nothing to do with the order of block_shuffle, with what BERNOULLI and SYSTEM keep, with the next seed, nor with another table of the same shape.
CREATE TABLE parts (LIKE nine INCLUDING STORAGE) PARTITION BY LIST (id);
CREATE TABLE part_a PARTITION OF parts FOR VALUES IN (0, 1, 2, 3, 4, 5, 6, 7, 8);
CREATE TABLE part_b PARTITION OF parts FOR VALUES IN (10, 11, 12, 13, 14, 15, 16, 17, 18);
ALTER TABLE part_a ALTER filler SET STORAGE PLAIN;
ALTER TABLE part_b ALTER filler SET STORAGE PLAIN;
INSERT INTO parts SELECT id + d, filler FROM unnest('{0,10}'::int[]) d, nine ORDER BY d, id;
CREATE TABLE ones AS
SELECT s AS seed, (SELECT id FROM nine TABLESAMPLE grove.sample_rows (1) REPEATABLE (s)) AS ours, (SELECT id FROM nine TABLESAMPLE grove.block_shuffle (100) REPEATABLE (s) LIMIT 1) AS block_shuffle,
	   (SELECT id FROM nine TABLESAMPLE grove.sample_rows (1) REPEATABLE (s + 1)) AS next_seed, (SELECT id FROM part_a TABLESAMPLE grove.sample_rows (1) REPEATABLE (s)) AS other_table
FROM generate_series(:seed::bigint, :last) s;
SELECT stats.frequencies('sample_rows: the one row and ' || what, array_agg(n), :trials, array_agg(1 / 81.0))
FROM (SELECT what, i, j, count(seed) AS n FROM unnest('{first of block_shuffle,that of the next seed,that of another table}'::text[]) what CROSS JOIN generate_series(0, 8) i CROSS JOIN generate_series(0, 8) j
	  LEFT JOIN ones ON ours = i AND j = CASE what WHEN 'first of block_shuffle' THEN block_shuffle WHEN 'that of the next seed' THEN next_seed ELSE other_table END GROUP BY 1, 2, 3) q GROUP BY what ORDER BY what;
CREATE TABLE kept AS
SELECT s AS seed, ours.id, method FROM generate_series(:seed::bigint, :last) s, LATERAL (SELECT id FROM nine TABLESAMPLE grove.sample_rows (4) REPEATABLE (s)) ours,
	 LATERAL (SELECT id, 'BERNOULLI' AS method FROM nine TABLESAMPLE BERNOULLI (50) REPEATABLE (s) UNION ALL SELECT id, 'SYSTEM' FROM nine TABLESAMPLE SYSTEM (50) REPEATABLE (s)) theirs WHERE theirs.id = ours.id;
SELECT stats.frequencies('sample_rows: rows that ' || method || ' keeps too', array_agg(n), :trials, array_agg(4 / 9.0 / 2))
FROM (SELECT m.method, i, count(seed) AS n FROM unnest('{BERNOULLI,SYSTEM}'::text[]) m (method) CROSS JOIN generate_series(0, 8) i LEFT JOIN kept ON kept.id = i AND kept.method = m.method GROUP BY 1, 2) q GROUP BY method ORDER BY method;
SELECT stats.frequencies('sample_rows: a row of each of two partitions', array_agg(n), :trials, array_agg(1 / 81.0))
FROM (SELECT i, j, count(seed) AS n FROM generate_series(0, 8) i CROSS JOIN generate_series(0, 8) j
	  LEFT JOIN (SELECT s AS seed, (SELECT min(id) FROM parts TABLESAMPLE grove.sample_rows (1) REPEATABLE (s)) AS a, (SELECT max(id) - 10 FROM parts TABLESAMPLE grove.sample_rows (1) REPEATABLE (s)) AS b
				 FROM generate_series(:seed::bigint, :last) s) d ON a = i AND b = j GROUP BY 1, 2) q;
