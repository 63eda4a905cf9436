-- prune.sql: inclusion probabilities of every design of grove.prune against theory, over :trials seeds from :seed on.
\ir lib/checks.sql
\set trials 4000

-- 30 rows in five groups of 1, 2, 3, 6 and 18; 6 positives; a skewed and a rare value to be totalled; one that spreads more in small groups;
-- weights from 0.5 on, ten of them equal, one beyond its share and one infinite.
CREATE TABLE population (id bigint PRIMARY KEY, g text, y boolean, money float8, rare int, spread float8, w float8);
INSERT INTO population
SELECT i, CASE WHEN i = 1 THEN 'a' WHEN i <= 3 THEN 'b' WHEN i <= 6 THEN 'c' WHEN i <= 12 THEN 'd' ELSE 'e' END,
	   i % 5 = 0, exp(i / 5.0), CASE WHEN i IN (4, 20) THEN 1 ELSE 0 END,
	   i * i % 17 * CASE WHEN i <= 3 THEN 6 WHEN i <= 6 THEN 4 WHEN i <= 12 THEN 2 ELSE 1 END,
	   CASE WHEN i = 29 THEN 'Infinity' WHEN i = 28 THEN 1000 WHEN i % 3 = 0 THEN 5 ELSE i / 2.0 END
FROM generate_series(1, 30) i;

-- Theory, solved by plain bisection: sum(units * least(1, greatest(low, c * weight))) = target.
CREATE FUNCTION solve(units float8[], weights float8[], lows float8[], target float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	a float8 := 0;
	b float8 := 1e9;
	c float8;
BEGIN
	FOR i IN 1..200 LOOP
		c := (a + b) / 2;
		IF (SELECT sum(u * least(1, greatest(low, c * w))) FROM unnest(units, weights, lows) x(u, w, low)) < target THEN a := c; ELSE b := c; END IF;
	END LOOP;
	RETURN c;
END $$;
CREATE FUNCTION inverse_theory(gamma float8, low float8, target float8) RETURNS TABLE (id bigint, pi float8) LANGUAGE sql AS $$
	WITH f AS (SELECT g, count(*)::float8 AS rows FROM population GROUP BY 1),
	c AS (SELECT solve(array_agg(rows), array_agg(rows ^ -gamma), array_agg(low), target) AS c FROM f)
	SELECT id, least(1, greatest(low, c * rows ^ -gamma)) FROM c, population JOIN f USING (g)
$$;
CREATE FUNCTION weighted_theory(target float8) RETURNS TABLE (id bigint, pi float8) LANGUAGE sql AS $$
	WITH c AS (SELECT solve(array_agg(1::float8), array_agg(w), array_agg(0::float8), target) AS c FROM population)
	SELECT id, least(1, c * w) FROM c, population
$$;
-- Strata that get rows in proportion to rows * weight, one at least and all at most; whole: the largest remainders are rounded up.
CREATE FUNCTION allocation_theory(weight text, target float8, whole boolean) RETURNS TABLE (id bigint, pi float8) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		WITH f AS (SELECT g, count(*)::float8 AS rows, (%s)::float8 AS weight FROM population GROUP BY g),
		c AS (SELECT solve(array_agg(rows), array_agg(weight), array_agg(1 / rows), $1) AS c FROM f),
		a AS (SELECT g, rows, round((rows * least(1, greatest(1 / rows, c * weight)))::numeric, 9) AS amount FROM c, f),
		r AS (SELECT *, row_number() OVER (ORDER BY amount - floor(amount) DESC) <= $1::numeric - sum(floor(amount)) OVER () AS up FROM a)
		SELECT id, ((CASE WHEN $2 THEN floor(amount) + up::int ELSE amount END) / rows::numeric)::float8 FROM r JOIN population USING (g)', weight)
	USING target, whole;
END $$;
-- Two steps: the probabilities of the first, and a share of what it removes, drawn back inversely to the frequency.
CREATE FUNCTION readmit_theory(first text, share float8, whole boolean) RETURNS TABLE (id bigint, pi float8) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		WITH f AS (SELECT id, count(*) OVER (PARTITION BY g)::float8 AS f FROM population),
		k AS (SELECT id, q.pi::float8 AS keep, f FROM (%s) q (id, pi) JOIN f USING (id)),
		t AS (SELECT $1 * round(sum(1 - keep)::numeric, 9)::float8 AS t FROM k),
		c AS (SELECT solve(array_agg(1 - keep), array_agg(1 / f), array_agg(0::float8), CASE WHEN $2 THEN floor(t + 0.5) ELSE t END) AS c FROM k, t GROUP BY t)
		SELECT id, keep + (1 - keep) * least(1, c / f) FROM c, k', first)
	USING share, whole;
END $$;

-- Scores that are given: p as prune rounds it, to 1/16 of its log-odds; c by the same bisection.
CREATE TABLE guide AS
SELECT grove.train('population', 'y', '{"min_data_in_leaf": 2, "num_iterations": 4, "learning_rate": 0.4}', ignore => '{id,rare,spread,w}') AS model;
CREATE FUNCTION guided_theory(even float8, lambda float8, target float8) RETURNS TABLE (id bigint, pi float8) LANGUAGE sql AS $$
	WITH p AS (SELECT id, y, grove.predict((SELECT model FROM guide), p) AS p FROM population p),
	s AS (SELECT id, abs(y::int - 1 / (1 + exp(-floor(16 * ln(p / (1 - p)) + 0.5) / 16))) AS s FROM p),
	g AS (SELECT id, sqrt(s ^ 2 + lambda * (s * (1 - s)) ^ 2) AS size FROM s),
	c AS (SELECT solve(array_agg(1 - even), array_agg(size / (1 - even)), array_agg(0::float8), target - 30 * even) AS c FROM g)
	SELECT id, least(1, even + c * size) FROM c, g
$$;

CREATE TABLE designs (design text PRIMARY KEY, arguments text, size int, theory text);
INSERT INTO designs VALUES
	('random', 'keep => 0.3', 9, 'SELECT id, 0.3 FROM population'),
	('random, Poisson', 'keep => 0.3, exact => false', NULL, 'SELECT id, 0.3 FROM population'),
	('random by group', 'keep => 0.3, by => ''{g}''', 9, 'SELECT id, 0.3 FROM population'),
	('stratified', 'n => 11, method => ''stratified'', by => ''{g}''', 11,
		'SELECT id, CASE g WHEN ''a'' THEN 1 WHEN ''b'' THEN 1/2.0 WHEN ''c'' THEN 1/3.0 WHEN ''d'' THEN 2/6.0 ELSE 6/18.0 END FROM population'),
	('equal', 'n => 11, method => ''stratified'', by => ''{g}'', params => ''{"allocation": "equal"}''', 11, NULL),
	('inverse', 'n => 10, method => ''inverse'', by => ''{g}''', 10, 'SELECT * FROM inverse_theory(1, 0, 10)'),
	('inverse, Poisson', 'n => 10, method => ''inverse'', by => ''{g}'', exact => false', NULL, 'SELECT * FROM inverse_theory(1, 0, 10)'),
	('inverse, gamma, floor', 'n => 10, method => ''inverse'', by => ''{g}'', gamma => 2, params => ''{"pi_min": 0.15}''', 10, 'SELECT * FROM inverse_theory(2, 0.15, 10)'),
	('negatives', 'n => 13, method => ''negatives'', target => ''y''', 13, 'SELECT id, CASE WHEN y THEN 1 ELSE 7/24.0 END FROM population'),
	('weighted', 'n => 8, method => ''weighted'', by => ''{w}''', 8, 'SELECT * FROM weighted_theory(8)'),
	('weighted, many', 'keep => 0.8, method => ''weighted'', by => ''{w}''', 24, 'SELECT * FROM weighted_theory(24)'),
	('weighted, Poisson', 'n => 8, method => ''weighted'', by => ''{w}'', exact => false', NULL, 'SELECT * FROM weighted_theory(8)'),
	('surprise', 'n => 9, target => ''y'', model => (SELECT model FROM stats.guide)', 9, 'SELECT * FROM guided_theory(0.06, 0, 9)'),
	('surprise, Poisson', 'n => 9, target => ''y'', model => (SELECT model FROM stats.guide), exact => false', NULL, 'SELECT * FROM guided_theory(0.06, 0, 9)'),
	('gradient', 'n => 9, method => ''gradient'', target => ''y'', model => (SELECT model FROM stats.guide)', 9, 'SELECT * FROM guided_theory(0, 1, 9)'),
	('equal, whole', 'n => 12, method => ''stratified'', by => ''{g}'', params => ''{"allocation": "equal"}''', 12, 'SELECT * FROM allocation_theory(''1.0 / count(*)'', 12, true)'),
	('equal, Poisson', 'n => 11, method => ''stratified'', by => ''{g}'', exact => false, params => ''{"allocation": "equal"}''', NULL,
		'SELECT * FROM allocation_theory(''1.0 / count(*)'', 11, false)'),
	('power', 'n => 13, method => ''stratified'', by => ''{g}'', gamma => 0.3, params => ''{"allocation": "power"}''', 13,
		'SELECT * FROM allocation_theory(''count(*) ^ -0.3'', 13, true)'),
	('power, Poisson', 'n => 13, method => ''stratified'', by => ''{g}'', gamma => 0.3, exact => false, params => ''{"allocation": "power"}''', NULL,
		'SELECT * FROM allocation_theory(''count(*) ^ -0.3'', 13, false)'),
	('neyman', 'n => 14, method => ''stratified'', by => ''{g}'', params => ''{"allocation": "neyman", "spread": "spread"}''', 14,
		'SELECT * FROM allocation_theory(''coalesce(stddev_samp(spread), 0)'', 14, true)'),
	('neyman, Poisson', 'n => 14, method => ''stratified'', by => ''{g}'', exact => false, params => ''{"allocation": "neyman", "spread": "spread"}''', NULL,
		'SELECT * FROM allocation_theory(''coalesce(stddev_samp(spread), 0)'', 14, false)'),
	('readmit', 'keep => 0.2, readmit => 0.25, by => ''{g}''', 12, 'SELECT * FROM readmit_theory(''SELECT id, 0.2 FROM population'', 0.25, true)'),
	('readmit, Poisson', 'keep => 0.2, readmit => 0.25, by => ''{g}'', exact => false', NULL, 'SELECT * FROM readmit_theory(''SELECT id, 0.2 FROM population'', 0.25, false)'),
	('readmit, stratified', 'n => 11, readmit => 0.25, method => ''stratified'', by => ''{g}''', 16,
		'SELECT * FROM readmit_theory(''SELECT id, CASE g WHEN ''''a'''' THEN 1 WHEN ''''b'''' THEN 1/2.0 WHEN ''''c'''' THEN 1/3.0 WHEN ''''d'''' THEN 2/6.0 ELSE 6/18.0 END FROM population'', 0.25, true)'),
	('readmit, inverse', 'n => 10, readmit => 0.25, method => ''inverse'', by => ''{g}''', 15, 'SELECT * FROM readmit_theory(''SELECT * FROM inverse_theory(1, 0, 10)'', 0.25, true)'),
	('readmit, inverse, Poisson', 'n => 10, readmit => 0.25, method => ''inverse'', by => ''{g}'', exact => false', NULL,
		'SELECT * FROM readmit_theory(''SELECT * FROM inverse_theory(1, 0, 10)'', 0.25, false)'),
	('readmit, negatives', 'n => 13, readmit => 0.25, method => ''negatives'', target => ''y'', by => ''{g}''', 17,
		'SELECT * FROM readmit_theory(''SELECT id, CASE WHEN y THEN 1 ELSE 7/24.0 END FROM population'', 0.25, true)');

CREATE TABLE draws (design text, seed bigint, id bigint, pi float8, weight float8);
CREATE FUNCTION draw(first bigint, trials bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	d record;
BEGIN
	FOR d IN SELECT * FROM designs LOOP
		EXECUTE format('INSERT INTO draws SELECT %L, s, (kept).id, pi, weight FROM generate_series(%s::bigint, %s) s, LATERAL grove.prune(NULL::stats.population, ''stats.population'', seed => s, %s)',
					   d.design, first, first + trials - 1, d.arguments);
	END LOOP;
END $$;
SELECT draw(:seed, :trials) AS nothing \gset
CREATE TABLE theory (design text, id bigint, pi float8);
CREATE FUNCTION theorise() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	d record;
BEGIN
	FOR d IN SELECT * FROM designs WHERE designs.theory IS NOT NULL LOOP
		EXECUTE format('INSERT INTO theory SELECT %L, * FROM (%s) q', d.design, d.theory);
	END LOOP;
END $$;
SELECT theorise() AS nothing \gset
ANALYZE draws;

-- The probability that comes with a row is the design's.
SELECT stats.line(max(abs(d.pi - t.pi)) < 1e-9, 'prune: pi of ' || design, 'differs by ' || max(abs(d.pi - t.pi)))
FROM draws d JOIN theory t USING (design, id) GROUP BY design ORDER BY design;
SELECT stats.line(bool_and(weight = 1 / pi), 'prune: weight is 1/pi') FROM draws;

-- First order: how often each row was kept.
CREATE VIEW counts AS
SELECT t.design, t.id, t.pi, count(d.id) AS kept FROM theory t LEFT JOIN draws d USING (design, id) GROUP BY 1, 2, 3;
SELECT stats.frequencies('prune: inclusion under ' || design, array_agg(kept), :trials, array_agg(pi)) FROM counts GROUP BY design ORDER BY design;

-- Sizes: always n, or those of independent decisions.
CREATE VIEW sizes AS
SELECT s.design, s.size AS wanted, x.seed, count(d.id) AS size
FROM designs s CROSS JOIN (SELECT DISTINCT seed FROM draws) x LEFT JOIN draws d USING (design, seed) GROUP BY 1, 2, 3;
SELECT stats.line(min(size) = max(wanted) AND max(size) = max(wanted), 'prune: size of ' || design, min(size) || ' to ' || max(size))
FROM sizes WHERE wanted IS NOT NULL GROUP BY design ORDER BY design;
SELECT stats.line(abs(mean - expected) / sqrt(variance / :trials) < z_limit(1), 'prune: mean size of ' || design, mean || ' against ' || expected),
	   stats.line(abs(observed / variance - 1) / sqrt(2.0 / :trials) < 1.5 * z_limit(1), 'prune: variance of the size of ' || design, observed || ' against ' || variance)
FROM (SELECT design, avg(size) AS mean, var_samp(size) AS observed FROM sizes WHERE wanted IS NULL GROUP BY 1) s
JOIN (SELECT design, sum(pi) AS expected, sum(pi * (1 - pi)) AS variance FROM theory GROUP BY 1) t USING (design) ORDER BY design \g (format=unaligned fieldsep='\n')

-- Omnibus for equal probabilities and a fixed size: T ~ chi-square(N - 1).
SELECT stats.line(abs(z_of_chi_square(t, 29)) < z_limit(1), 'prune: omnibus of random', 'T = ' || t || ' with 29 df')
FROM (SELECT sum((kept - :trials * 0.3) ^ 2) / (:trials * 0.3 * 0.7 * 30 / 29) AS t FROM counts WHERE design = 'random') q;

-- Second order, all pairs, neighbours among them: n(n-1)/N(N-1) for a fixed size, products for Poisson.
CREATE TABLE joint AS
SELECT t.design, a.id AS i, b.id AS j, p.pi AS p, q.pi AS q, coalesce(d.n, 0) AS together
FROM (SELECT DISTINCT design FROM theory) t
JOIN population a ON true JOIN population b ON a.id < b.id
JOIN theory p ON p.design = t.design AND p.id = a.id JOIN theory q ON q.design = t.design AND q.id = b.id
LEFT JOIN (SELECT x.design, x.id AS i, y.id AS j, count(*) AS n FROM draws x JOIN draws y USING (design, seed) WHERE x.id < y.id GROUP BY 1, 2, 3) d
	ON d.design = t.design AND d.i = a.id AND d.j = b.id;
SELECT stats.frequencies('prune: pairs of random', array_agg(together), :trials, array_agg((9 * 8)::float8 / (30 * 29))) FROM joint WHERE design = 'random';
SELECT stats.frequencies('prune: pairs of ' || design, array_agg(together), :trials, array_agg(p * q)) FROM joint WHERE design LIKE '%Poisson' GROUP BY design ORDER BY design;
-- Within a cell whose size is T, pairs have E(T(T-1)) / f(f-1); T is the integer below or above pi * f.
SELECT stats.frequencies('prune: pairs within cells of ' || design, array_agg(together), :trials, array_agg(probability))
FROM (SELECT design, together, (low * (low - 1) * (1 - (t - low)) + (low + 1) * low * (t - low)) / (f * (f - 1)) AS probability
	  FROM (SELECT design, together, f, round((p * f)::numeric, 9) AS t, floor(round((p * f)::numeric, 9)) AS low
			FROM joint JOIN population a ON a.id = i JOIN population b ON b.id = j AND a.g = b.g
			JOIN (SELECT g, count(*) AS f FROM population GROUP BY 1) c ON c.g = a.g
			WHERE design IN ('random by group', 'inverse', 'inverse, gamma, floor', 'readmit', 'readmit, inverse', 'readmit, stratified',
							 'stratified', 'equal, whole', 'power', 'neyman')) r) q
GROUP BY design ORDER BY design;

-- The rows of one weight are such a cell too.
SELECT stats.frequencies('prune: pairs of one weight under ' || design, array_agg(together), :trials,
	array_agg((low * (low - 1) * (1 - (t - low)) + (low + 1) * low * (t - low)) / (10 * 9)))
FROM (SELECT design, together, p * 10 AS t, floor(p * 10) AS low
	  FROM joint JOIN population a ON a.id = i JOIN population b ON b.id = j AND a.w = 5 AND b.w = 5 WHERE design IN ('weighted', 'weighted, many')) q
GROUP BY design ORDER BY design;
-- What is certain is in every sample, no row of weight 0 ever; a power of two in front of the weights changes nothing.
SELECT stats.line(count(*) FILTER (WHERE id IN (28, 29) AND pi = 1) = 3 * 2 * :trials, 'prune: certainties of weighted', count(*) FILTER (WHERE id IN (28, 29)) || ' times')
FROM draws WHERE design LIKE 'weighted%';
CREATE VIEW gaps AS SELECT id, CASE WHEN id % 4 = 0 THEN 0 ELSE w END AS w, CASE WHEN id % 4 = 0 THEN 0 ELSE w END * 2::float8 ^ 900 AS large,
	CASE WHEN id % 4 = 0 THEN 0 ELSE w END * 2::float8 ^ -900 AS small FROM population;
CREATE TABLE gap_draws AS
SELECT w, exact, s AS seed, array_agg((kept).id ORDER BY (kept).id) AS ids, count(*) FILTER (WHERE (kept).id % 4 = 0) AS without, sum(weight) AS rows
FROM unnest('{w,large,small}'::text[]) w, unnest('{t,f}'::boolean[]) exact, generate_series(:seed::bigint, :seed + :trials / 4 - 1) s,
LATERAL grove.prune(NULL::gaps, 'stats.gaps', n => 8, method => 'weighted', by => ARRAY[w], key => '{id}', seed => s, exact => exact) GROUP BY 1, 2, 3;
SELECT stats.line(max(without) = 0, 'prune: rows without weight') FROM gap_draws;
SELECT stats.line(min(n) = 3 AND max(answers) = 1, 'prune: weights times 2^900 and 2^-900', min(n) || ' draws, ' || max(answers) || ' answers')
FROM (SELECT count(*) AS n, count(DISTINCT ids || (1e6 * rows)::bigint) AS answers FROM gap_draws GROUP BY exact, seed) q;

-- Cells of whole sizes are drawn independently of one another.
SELECT stats.frequencies('prune: pairs across cells of ' || design, array_agg(together), :trials, array_agg(p * q))
FROM joint JOIN population a ON a.id = i JOIN population b ON b.id = j AND a.g <> b.g WHERE design IN ('stratified', 'equal, whole', 'power', 'neyman') GROUP BY design ORDER BY design;
-- Others are laid end to end in any order and rounded systematically: E(T U) is the mean over all orders and starts.  Amounts are
-- multiples of 1/30 here, so 30 starts are all there are.
CREATE TABLE cell_pairs AS
WITH amounts AS (SELECT design, g, round(30 * sum(pi))::int AS amount, abs(round(30 * sum(pi)) - 30 * sum(pi)) AS off FROM theory JOIN population USING (id)
				 WHERE design IN ('random by group', 'inverse') GROUP BY 1, 2),
orders AS (SELECT a || b || c || d || e AS cells FROM unnest('{a,b,c,d,e}'::text[]) a, unnest('{a,b,c,d,e}'::text[]) b, unnest('{a,b,c,d,e}'::text[]) c,
		   unnest('{a,b,c,d,e}'::text[]) d, unnest('{a,b,c,d,e}'::text[]) e WHERE (SELECT count(DISTINCT x) FROM unnest(ARRAY[a, b, c, d, e]) x) = 5),
places AS (SELECT design, cells, g, amount, off, sum(amount) OVER (PARTITION BY design, cells ORDER BY strpos(cells, g)) AS upto FROM amounts, orders),
sizes AS (SELECT design, cells, start, g, off, (2 * upto + 2 * start + 1) / 60 - (2 * (upto - amount) + 2 * start + 1) / 60 AS size FROM places, generate_series(0, 29) start)
SELECT x.design, x.g, y.g AS other, avg(x.size * y.size) AS mean, max(x.off) AS off, count(*) AS n FROM sizes x JOIN sizes y USING (design, cells, start) WHERE x.g < y.g GROUP BY 1, 2, 3;
SELECT stats.line(count(*) = 20 AND min(n) = 120 * 30 AND max(n) = 120 * 30 AND max(off) < 1e-9, 'prune: all orders of cells and all starts', count(*) || ' pairs') FROM cell_pairs;
SELECT stats.frequencies('prune: pairs across cells of ' || design, array_agg(together), :trials, array_agg((mean / (f * h))::float8))
FROM joint JOIN population a ON a.id = i JOIN population b ON b.id = j
JOIN cell_pairs USING (design)
JOIN (SELECT g, count(*) AS f FROM population GROUP BY 1) c ON c.g = a.g JOIN (SELECT g, count(*) AS h FROM population GROUP BY 1) d ON d.g = b.g
WHERE cell_pairs.g = a.g AND cell_pairs.other = b.g GROUP BY design ORDER BY design;

-- Strata of whole sizes have them in every draw; Neyman's are those of stddev_samp.
SELECT stats.line(bool_and(n = wanted), 'prune: sizes of strata under ' || design, string_agg(DISTINCT g || ' ' || n || ' against ' || wanted, ', ') FILTER (WHERE n <> wanted))
FROM (SELECT t.design, s.seed, p.g, round(sum(t.pi)) AS wanted, count(d.id) AS n
	  FROM theory t JOIN population p USING (id) CROSS JOIN (SELECT DISTINCT seed FROM draws) s LEFT JOIN draws d ON d.design = t.design AND d.seed = s.seed AND d.id = p.id
	  WHERE t.design IN ('stratified', 'equal, whole', 'power', 'neyman') GROUP BY 1, 2, 3) q GROUP BY design ORDER BY design;

-- Horvitz-Thompson totals: the mean over seeds is the truth.
SELECT stats.line(abs(mean - truth) <= z_limit(1) * sd / sqrt(:trials) + 1e-9 * truth, 'prune: total of ' || what || ' under ' || design, mean || ' against ' || truth)
FROM (SELECT design, what, avg(total) AS mean, stddev_samp(total) AS sd
	  FROM (SELECT s.design, s.seed, what, coalesce(sum(d.weight * CASE what WHEN 'rows' THEN 1 WHEN 'money' THEN p.money ELSE p.rare END), 0) AS total
			FROM sizes s CROSS JOIN unnest('{rows,money,rare}'::text[]) what
			LEFT JOIN draws d USING (design, seed) LEFT JOIN population p ON p.id = d.id GROUP BY 1, 2, 3) t GROUP BY 1, 2) m
JOIN (SELECT what, CASE what WHEN 'rows' THEN 30 WHEN 'money' THEN (SELECT sum(money) FROM population) ELSE 2 END AS truth FROM unnest('{rows,money,rare}'::text[]) what) t USING (what)
ORDER BY design, what;

-- An exact size in proportion to the weights has no error in their own total, those of certain rows apart.
SELECT stats.line(max(abs(total / (SELECT sum(w) FROM population WHERE id NOT IN (28, 29)) - 1)) < 1e-9, 'prune: total of the weights', max(total)::text)
FROM (SELECT seed, sum(weight * w) AS total FROM draws JOIN population USING (id) WHERE design = 'weighted' AND id NOT IN (28, 29) GROUP BY 1) q;

-- Equal allocation: probabilities depend on which strata round up, so only unbiasedness and bounds are known.
SELECT stats.line(bool_and(n BETWEEN 1 AND 4), 'prune: sizes of strata under equal', min(n) || ' to ' || max(n))
FROM (SELECT count(d.id) AS n FROM (SELECT DISTINCT seed FROM draws WHERE design = 'equal') s CROSS JOIN population p
	  LEFT JOIN draws d ON d.design = 'equal' AND d.seed = s.seed AND d.id = p.id GROUP BY s.seed, p.g) q;

-- All subsets of 3 out of 6 are equally likely.
CREATE VIEW six AS SELECT * FROM population WHERE id <= 6;
SELECT stats.frequencies('prune: all subsets of 3 out of 6', array_agg(n), :trials, array_agg(1 / 20.0)), count(*) = 20 AS twenty
FROM (SELECT ids, count(*) AS n FROM (SELECT s, array_agg((kept).id ORDER BY (kept).id) AS ids
	  FROM generate_series(:seed::bigint, :seed + :trials - 1) s, LATERAL grove.prune(NULL::population, 'stats.six', n => 3, key => '{id}', seed => s) GROUP BY 1) q GROUP BY 1) r \gset all_
\echo :all_frequencies
SELECT stats.line(:'all_twenty'::boolean, 'prune: every subset of 3 out of 6 occurs');

-- One seed, two purposes; two seeds, one purpose: no row's decisions depend on one another.
SELECT stats.frequencies('prune: independent of grove.keep', array_agg(n), :trials, array_agg(0.3 * 0.3))
FROM (SELECT p.id, count(d.id) AS n FROM population p LEFT JOIN draws d ON d.id = p.id AND d.design = 'random' AND grove.keep(0.3, d.seed, d.id) GROUP BY 1) q;
SELECT stats.frequencies('prune: independent of grove.' || other, array_agg(n), :trials, array_agg(0.3 * p))
FROM (SELECT other, p::float8, i.id, count(*) FILTER (WHERE CASE WHEN d.id IS NULL THEN false ELSE CASE other
			WHEN 'split' THEN grove.split('{0.4,0.6}', d.seed, d.id) = 1 WHEN 'fold' THEN grove.fold(4, d.seed, d.id) = 3 WHEN 'u01' THEN grove.u01(d.seed, d.id) < 0.3
			WHEN 'shuffle' THEN grove.shuffle_hash(d.seed, d.id) < 0 WHEN 'permute' THEN grove.permute(d.id, 40, d.seed) < 10 END END) AS n
	  FROM (VALUES ('split', 0.4), ('fold', 0.25), ('u01', 0.3), ('shuffle', 0.5), ('permute', 0.25)) o (other, p) CROSS JOIN population i
	  LEFT JOIN draws d ON d.id = i.id AND d.design = 'random' GROUP BY 1, 2, 3) q GROUP BY other ORDER BY other;
SELECT stats.frequencies('prune: independent of the next seed', array_agg(n), :trials - 1, array_agg(0.3 * 0.3))
FROM (SELECT p.id, count(e.id) AS n FROM population p LEFT JOIN draws d ON d.id = p.id AND d.design = 'random'
	  LEFT JOIN draws e ON e.id = d.id AND e.design = d.design AND e.seed = d.seed + 1 GROUP BY 1) q;

-- Keys that weak hashes mix badly: high bits only, a common prefix, two columns, uuids in order of time.
CREATE TABLE keys AS
SELECT i AS id, i::bigint << 40 AS high, 'customer-number-0000' || i AS name, i % 4 AS left_part, i / 4 AS right_part,
	   ('018f2a3b-4c5d-7000-8000-0000000000' || lpad(to_hex(i), 2, '0'))::uuid AS stamp, i::numeric / 1000 AS decimal
FROM generate_series(1, 20) i;
CREATE TABLE key_draws AS
SELECT k AS columns, s AS seed, (p.kept).id FROM unnest('{"{high}","{name}","{left_part,right_part}","{stamp}","{decimal}"}'::text[]) k,
	   generate_series(:seed::bigint, :seed + :trials / 2 - 1) s, LATERAL grove.prune(NULL::keys, 'stats.keys', n => 5, key => k::text[], seed => s) p;
ANALYZE key_draws;
SELECT stats.frequencies('prune: inclusion by key ' || columns, array_agg(n), :trials / 2, array_agg(0.25))
FROM (SELECT c.columns, k.id, count(d.id) AS n FROM (SELECT DISTINCT columns FROM key_draws) c CROSS JOIN keys k
	  LEFT JOIN key_draws d ON d.columns = c.columns AND d.id = k.id GROUP BY 1, 2) q GROUP BY columns ORDER BY columns;
SELECT stats.frequencies('prune: pairs by key ' || columns, array_agg(n), :trials / 2, array_agg(5 * 4 / (20 * 19.0)))
FROM (SELECT c.columns, i.id, j.id AS other, count(d.seed) AS n FROM (SELECT DISTINCT columns FROM key_draws) c CROSS JOIN keys i JOIN keys j ON i.id < j.id
	  LEFT JOIN (SELECT a.columns, a.seed, a.id, b.id AS other FROM key_draws a JOIN key_draws b USING (columns, seed)) d
		ON d.columns = c.columns AND d.id = i.id AND d.other = j.id GROUP BY 1, 2, 3) q
GROUP BY columns ORDER BY columns;

-- Whole keys: users of 1 to 4 rows, kept with one probability, all their rows or none.
CREATE TABLE visits AS SELECT u AS customer, v AS visit FROM generate_series(1, 20) u, generate_series(1, 4) v WHERE v <= 1 + u % 4;
CREATE TABLE visit_draws AS
SELECT s AS seed, (p.kept).customer, count(*) AS rows, min(p.pi) AS pi
FROM generate_series(:seed::bigint, :seed + :trials - 1) s, LATERAL grove.prune(NULL::visits, 'stats.visits', keep => 0.35, key => '{customer}', seed => s) p GROUP BY 1, 2;
SELECT stats.frequencies('prune: inclusion of whole keys', array_agg(n), :trials, array_agg(0.35)) FROM (SELECT c, count(d.seed) AS n FROM generate_series(1, 20) c LEFT JOIN visit_draws d ON d.customer = c GROUP BY 1) q;
SELECT stats.line(bool_and(rows = 1 + customer % 4) AND bool_and(abs(pi - 0.35) < 1e-15), 'prune: keys keep all their rows') FROM visit_draws;
SELECT stats.line(min(n) = 7 AND max(n) = 7, 'prune: number of whole keys') FROM (SELECT count(*) AS n FROM visit_draws GROUP BY seed) q;
