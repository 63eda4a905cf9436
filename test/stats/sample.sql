-- sample.sql: inclusion probabilities of the sampling aggregates against theory, over :trials seeds from :seed on.
\ir lib/checks.sql
\set trials 4000
\set last (:seed::bigint + :trials - 1)

-- The 20 items on which order sampling is off by up to 56 %, and weights with ties, a certainty, an infinity and a zero.
CREATE TABLE items AS
SELECT id, frequency::float8, CASE WHEN id = 1 THEN 'Infinity' WHEN id = 2 THEN 0 WHEN id = 3 THEN 1000 ELSE id % 4 + 0.5 END AS weight, exp(id / 4.0) AS money
FROM unnest(ARRAY[1, 1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 62, 92, 137, 204, 303, 450, 668, 1000, 2000]) WITH ORDINALITY AS u(frequency, id);

-- Theory by plain bisection: sum(rows * least(1, c * weight)) = target.
CREATE FUNCTION solve(rows float8[], weights float8[], target float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	a float8 := 0;
	b float8 := 1e12;
	c float8;
BEGIN
	FOR i IN 1..400 LOOP
		c := (a + b) / 2;
		IF (SELECT sum(r * least(1, c * w)) FROM unnest(rows, weights) x(r, w)) < target THEN a := c; ELSE b := c; END IF;
	END LOOP;
	RETURN c;
END $$;
CREATE TABLE theory (design text, id bigint, pi float8);
INSERT INTO theory SELECT 'uniform', id, 5 / 20.0 FROM items;
INSERT INTO theory SELECT 'inverse', id, least(1, c / frequency) FROM items, (SELECT solve(array_agg(1.0::float8), array_agg(1 / frequency), 6) AS c FROM items) s;
INSERT INTO theory SELECT 'weighted', id, CASE WHEN weight = 'Infinity' THEN 1 ELSE least(1, c * weight) END
	FROM items, (SELECT solve(array_agg(1.0::float8), array_agg(weight), 7 - 1) AS c FROM items WHERE weight < 'Infinity') s;

CREATE TABLE draws AS
SELECT 'uniform' AS design, s AS seed, unnest(grove.sample(id, 5, s)) AS id FROM items, generate_series(:seed::bigint, :last) s GROUP BY s
UNION ALL SELECT 'inverse', s, unnest(grove.inverse_sample(id, frequency, 6, s)) FROM items, generate_series(:seed::bigint, :last) s GROUP BY s
UNION ALL SELECT 'weighted', s, unnest(grove.weighted_sample(id, weight, 7, s)) FROM items, generate_series(:seed::bigint, :last) s GROUP BY s;
ANALYZE draws;

-- First order, and sizes.
CREATE VIEW counts AS SELECT t.design, t.id, t.pi, count(d.id) AS n FROM theory t LEFT JOIN draws d USING (design, id) GROUP BY 1, 2, 3;
SELECT stats.frequencies('sample: inclusion, ' || design, array_agg(n), :trials, array_agg(pi)) FROM counts GROUP BY design ORDER BY design;
SELECT stats.line(bool_and(n = CASE design WHEN 'uniform' THEN 5 WHEN 'inverse' THEN 6 ELSE 7 END) AND count(*) = 3 * :trials, 'sample: sizes', min(n) || ' to ' || max(n))
FROM (SELECT design, seed, count(DISTINCT id) AS n FROM draws GROUP BY 1, 2) q;

-- Omnibus for equal probabilities and a fixed size: T ~ chi-square(N - 1).
SELECT stats.line(abs(z_of_chi_square(t, 19)) < z_limit(1), 'sample: omnibus of uniform', 'T = ' || t || ' with 19 df')
FROM (SELECT sum((n - :trials * 0.25) ^ 2) / (:trials * 0.25 * 0.75 * 20 / 19) AS t FROM counts WHERE design = 'uniform') q;

-- Second order: k(k-1)/N(N-1) for uniform; for the others every pair of rows that are not sure to be left out is drawn.
CREATE TABLE joint AS
SELECT p.design, p.id AS i, q.id AS j, p.pi AS p, q.pi AS q, count(d.seed) AS together
FROM theory p JOIN theory q ON q.design = p.design AND p.id < q.id
LEFT JOIN (SELECT x.design, x.seed, x.id AS i, y.id AS j FROM draws x JOIN draws y USING (design, seed) WHERE x.id < y.id) d
	ON d.design = p.design AND d.i = p.id AND d.j = q.id
GROUP BY 1, 2, 3, 4, 5;
SELECT stats.frequencies('sample: pairs of uniform', array_agg(together), :trials, array_agg(5 * 4 / (20 * 19.0))) FROM joint WHERE design = 'uniform';
SELECT stats.line(bool_and(together > 0), 'sample: no pair is left out of weighted', count(*) FILTER (WHERE together = 0) || ' are') FROM joint WHERE design = 'weighted' AND p > 0 AND q > 0;
SELECT stats.line(max(stats.chernoff(together, :trials, p * q)) <= limit_of(count(*)), 'sample: no pair of weighted comes more often than independent rows', 'up to ' || max(together / (:trials * p * q)) || ' times')
FROM joint WHERE design = 'weighted' AND p > 0 AND q > 0 AND together > :trials * p * q;

-- Horvitz-Thompson totals: the mean over seeds is the truth.
SELECT stats.line(abs(mean - truth) <= z_limit(1) * sd / sqrt(:trials) + 1e-9 * truth, 'sample: total of ' || what || ', ' || design, mean || ' against ' || truth)
FROM (SELECT design, what, avg(total) AS mean, stddev_samp(total) AS sd
	  FROM (SELECT design, seed, what, sum(CASE what WHEN 'rows' THEN 1 WHEN 'money' THEN money WHEN 'rare' THEN (id IN (8, 17))::int END / pi) AS total
			FROM draws JOIN theory USING (design, id) JOIN items USING (id) CROSS JOIN unnest('{rows,money,rare}'::text[]) what GROUP BY 1, 2, 3) t GROUP BY 1, 2) m
JOIN (SELECT design, what, sum(CASE what WHEN 'rows' THEN 1 WHEN 'money' THEN money WHEN 'rare' THEN (id IN (8, 17))::int END) AS truth
	  FROM theory JOIN items USING (id) CROSS JOIN unnest('{rows,money,rare}'::text[]) what WHERE pi > 0 GROUP BY 1, 2) t USING (design, what)
ORDER BY design, what;

-- All subsets of 3 out of 6 are equally likely, from each aggregate.
CREATE TABLE six AS
SELECT 'sample' AS call, s, grove.sample(id, 3, s) AS ids FROM items, generate_series(:seed::bigint, :last) s WHERE id <= 6 GROUP BY s
UNION ALL SELECT 'weighted_sample', s, grove.weighted_sample(id, 2, 3, s) FROM items, generate_series(:seed::bigint, :last) s WHERE id <= 6 GROUP BY s
UNION ALL SELECT 'inverse_sample', s, grove.inverse_sample(id, 7, 3, s) FROM items, generate_series(:seed::bigint, :last) s WHERE id <= 6 GROUP BY s;
CREATE VIEW subsets AS
SELECT call, subset, count(*) AS n FROM (SELECT call, s, (SELECT array_agg(id ORDER BY id) FROM unnest(ids) id) AS subset FROM six) q GROUP BY 1, 2;
SELECT stats.frequencies('sample: subsets of 3 out of 6 by ' || call, array_agg(n), :trials, array_agg(1 / 20.0)) FROM subsets GROUP BY call ORDER BY call;
SELECT stats.line(count(*) = 20, 'sample: every subset of 3 out of 6 by ' || call, count(*) || ' occur') FROM subsets GROUP BY call ORDER BY call;
-- also their order, so that a part of a sample is a sample
SELECT stats.frequencies('sample: first of the sample by ' || call, array_agg(n), :trials, array_agg(1 / 6.0)) FROM (SELECT call, i, count(*) FILTER (WHERE ids[1] = i) AS n FROM six CROSS JOIN generate_series(1, 6) i GROUP BY 1, 2) q GROUP BY call ORDER BY call;

-- Weights of 2^900 and 2^-900: the same rows.
SELECT stats.line(bool_and(n = 1), 'sample: powers of two do not change the rows')
FROM (SELECT s, count(DISTINCT ids) AS n
	  FROM (SELECT s, e, grove.weighted_sample(id, weight * 2::float8 ^ e, 7, s) AS ids FROM items, generate_series(:seed::bigint, :seed + 99) s, unnest('{-900,0,900}'::int[]) e GROUP BY 1, 2) q GROUP BY 1) r;

-- One seed, two purposes; two seeds, one purpose.
SELECT stats.frequencies('sample: independent of grove.keep', array_agg(n), :trials, array_agg(0.25 * 0.3))
FROM (SELECT i.id, count(d.id) AS n FROM items i LEFT JOIN draws d ON d.id = i.id AND d.design = 'uniform' AND grove.keep(0.3, d.seed, d.id) GROUP BY 1) q;
SELECT stats.frequencies('sample: independent of grove.' || other, array_agg(n), :trials, array_agg(0.25 * p))
FROM (SELECT other, p::float8, i.id, count(*) FILTER (WHERE CASE WHEN d.id IS NULL THEN false ELSE CASE other
			WHEN 'split' THEN grove.split('{0.4,0.6}', d.seed, d.id) = 1 WHEN 'fold' THEN grove.fold(4, d.seed, d.id) = 3 WHEN 'u01' THEN grove.u01(d.seed, d.id) < 0.3
			WHEN 'shuffle' THEN grove.shuffle_hash(d.seed, d.id) < 0 WHEN 'permute' THEN grove.permute(d.id, 40, d.seed) < 10 END END) AS n
	  FROM (VALUES ('split', 0.4), ('fold', 0.25), ('u01', 0.3), ('shuffle', 0.5), ('permute', 0.25)) o (other, p) CROSS JOIN items i
	  LEFT JOIN draws d ON d.id = i.id AND d.design = 'uniform' GROUP BY 1, 2, 3) q GROUP BY other ORDER BY other;
SELECT stats.frequencies('sample: independent of the next seed', array_agg(n), :trials - 1, array_agg(0.25 * 0.25))
FROM (SELECT i.id, count(e.id) AS n FROM items i LEFT JOIN draws d ON d.id = i.id AND d.design = 'uniform'
	  LEFT JOIN draws e ON e.id = d.id AND e.design = d.design AND e.seed = d.seed + 1 GROUP BY 1) q;

-- Elements that weak hashes mix badly, rows among them: uniform and weighted.
CREATE TYPE pair AS (left_part int, right_part int);
CREATE TABLE keys AS
SELECT i AS id, i::bigint << 40 AS high, 'customer-number-0000' || i AS name, ROW(i % 4, i / 4)::pair AS pair, ROW(i / 4, i % 4)::pair AS turned,
	   ('018f2a3b-4c5d-7000-8000-0000000000' || lpad(to_hex(i), 2, '0'))::uuid AS stamp, i / 1024.0::float8 AS fraction, jsonb_build_object('i', i) AS doc
FROM generate_series(1, 20) i;
CREATE FUNCTION draw_keys(first bigint, last bigint) RETURNS TABLE (elem text, call text, drawn text) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH elem IN ARRAY '{k.high,k.name,k.pair,k.turned,k.stamp,k.fraction,k.doc,k}'::text[] LOOP
		RETURN QUERY EXECUTE format('SELECT %L, ''sample'', unnest(grove.sample(%s, 5, s))::text FROM keys k, generate_series($1, $2) s GROUP BY s', elem, elem) USING first, last;
		RETURN QUERY EXECUTE format('SELECT %L, ''weighted_sample'', unnest(grove.weighted_sample(%s, 1, 5, s))::text FROM keys k, generate_series($1, $2) s GROUP BY s', elem, elem) USING first, last;
	END LOOP;
END $$;
SELECT stats.frequencies('sample: inclusion of ' || elem || ' by ' || call, array_agg(n), :trials / 4, array_agg(0.25)), stats.line(count(*) = 20, 'sample: every ' || elem || ' is drawn by ' || call)
FROM (SELECT elem, call, drawn, count(*) AS n FROM draw_keys(:seed, :seed + :trials / 4 - 1) GROUP BY 1, 2, 3) q GROUP BY elem, call ORDER BY elem, call \g (format=unaligned fieldsep='\n')

-- Elements that occur in several rows: every row has its probability, whether a sample knows all elements or not.
CREATE TABLE visits AS SELECT item, f, f / 1000.0 AS price FROM generate_series(1, 30) item, LATERAL (SELECT (item * item) AS f) x, generate_series(1, f);
CREATE TABLE visit_draws AS
SELECT 'inverse' AS design, s AS seed, unnest(grove.inverse_sample(item, f, 12, s)) AS item FROM visits, generate_series(:seed::bigint, :seed + 199) s GROUP BY s
UNION ALL SELECT 'weighted', s, unnest(grove.weighted_sample(item, price, 12, s)) FROM visits, generate_series(:seed::bigint, :seed + 199) s GROUP BY s;
-- 30 items, 12 rows: an item gets the whole number below or above its share
SELECT stats.line(bool_and(n - share BETWEEN -1 AND 1), 'sample: rows of an item near their share, ' || design, max(abs(n - share))::text)
FROM (SELECT d.design, d.seed, t.item, count(v.item) AS n, t.share
	  FROM (SELECT DISTINCT design, seed FROM visit_draws) d
	  JOIN (SELECT 'inverse' AS design, item, 12 * 1 / 30.0 AS share FROM generate_series(1, 30) item
			UNION ALL SELECT 'weighted', item, 12 * sum(price) / (SELECT sum(price) FROM visits) FROM visits GROUP BY item) t USING (design)
	  LEFT JOIN visit_draws v ON v.design = d.design AND v.seed = d.seed AND v.item = t.item GROUP BY 1, 2, 3, 5) q GROUP BY design ORDER BY design;
SELECT stats.frequencies('sample: items of equal share', array_agg(n), 200, array_agg(12 / 30.0)) FROM (SELECT i, count(d.item) AS n FROM generate_series(1, 30) i LEFT JOIN visit_draws d ON d.design = 'inverse' AND d.item = i GROUP BY 1) q;

-- More rows than are remembered: 24,000 rows of five weights; the size is kept and every weight gets its share.
CREATE TABLE many AS SELECT i AS id, (i % 5 + 1)::float8 AS weight, 'row ' || i AS name FROM generate_series(1, 24000) i;
CREATE TABLE many_draws AS
SELECT s AS seed, (unnest(grove.weighted_sample(m, weight, 60, s))).* FROM many m, generate_series(:seed::bigint, :seed + 149) s GROUP BY s;
SELECT stats.line(count(*) = 150 AND bool_and(n = 60), 'sample: size with many rows') FROM (SELECT seed, count(DISTINCT id) AS n FROM many_draws GROUP BY 1) q;
-- counts of a weight vary less than independent decisions would
SELECT stats.line(max(abs(n - expected) / sqrt(expected)) < z_limit(5), 'sample: weights with many rows', string_agg(weight || ': ' || n || ' against ' || expected, ', '))
FROM (SELECT w AS weight, count(d.id) AS n, 150 * 60 * w / 15.0 AS expected FROM generate_series(1, 5) w LEFT JOIN many_draws d ON d.weight = w GROUP BY 1) q;
-- parts of the table get their share too
SELECT stats.line(max(abs(n - 900) / 30) < z_limit(10), 'sample: tenths with many rows', string_agg(n::text, ', ')) FROM (SELECT part, count(d.id) AS n FROM generate_series(0, 9) part LEFT JOIN many_draws d ON (d.id - 1) / 2400 = part GROUP BY 1) q;
