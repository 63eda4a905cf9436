-- prune with readmit: removed rows are drawn back inversely to the frequency of their by value.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA readmit_test;
SET search_path = readmit_test, public;

CREATE TABLE shop (id int PRIMARY KEY, item int, bought boolean);
INSERT INTO shop SELECT i, (600 / i)::int, i % 9 = 0 FROM generate_series(1, 600) i;
CREATE TABLE items AS SELECT item, count(*) AS rows, count(*) FILTER (WHERE bought) AS buyers FROM shop GROUP BY 1;

-- The overall probability is keep + (1 - keep) * r with r = min(1, c / frequency), c from the whole source.
CREATE TABLE plan AS SELECT * FROM grove.prune_plan(NULL::shop, 'shop', keep => 0.3, readmit => 0.2, by => '{item}', seed => 5);
SELECT design, rows, units, strata, kept_rows, sum_weights, threshold, round(readmit_threshold::numeric, 9) AS readmit_threshold,
	   round(pi_low::numeric, 9) AS pi_low, round(pi_high::numeric, 9) AS pi_high, zero_rows, certainty_rows FROM plan;
SELECT round(sum(0.7 * rows * least(1, c / rows))::numeric, 9) AS drawn_back FROM (SELECT i.rows, readmit_threshold AS c FROM items i, plan) q;
SELECT count(*) AS rows, count(*) FILTER (WHERE abs(pi - (0.3 + 0.7 * least(1, c / rows))) > 1e-9) AS wrong_pi,
	   count(*) FILTER (WHERE weight <> 1 / pi) AS wrong_weight, count(*) FILTER (WHERE log_offset <> 0) AS wrong_offset,
	   count(*) FILTER (WHERE pi = 1) = sum(DISTINCT certain) AS certain_all_there
FROM (SELECT p.*, i.rows, readmit_threshold AS c, (SELECT sum(rows) FROM items WHERE rows <= readmit_threshold) AS certain
	  FROM grove.prune(NULL::shop, 'shop', keep => 0.3, readmit => 0.2, by => '{item}', seed => 5) p, plan, items i WHERE i.item = (p.kept).item) q;

-- Exact sizes: 600 * 0.3 stay and 420 * readmit come back, whatever the seed.
SELECT readmit, min(kept), max(kept) FROM unnest('{0, 0.1, 0.25, 0.5, 1}'::float8[]) readmit, generate_series(1, 20) seed,
LATERAL (SELECT count(*) AS kept FROM grove.prune(NULL::shop, 'shop', keep => 0.3, readmit => readmit, by => '{item}', seed => seed)) p
GROUP BY 1 ORDER BY 1;

-- Poisson sampling takes the two steps literally: what is kept without readmission stays, what comes back was removed.
CREATE FUNCTION kept_ids(readmit float8, seed bigint) RETURNS SETOF int LANGUAGE sql AS
	$$SELECT (kept).id FROM grove.prune(NULL::readmit_test.shop, 'readmit_test.shop', keep => 0.3, readmit => readmit, by => '{item}', seed => seed, exact => false)$$;
SELECT seed, (SELECT count(*) FROM (SELECT kept_ids(0, seed) EXCEPT SELECT kept_ids(0.2, seed)) q) AS lost,
	   (SELECT count(*) FROM (SELECT kept_ids(0.2, seed) EXCEPT SELECT kept_ids(0.5, seed)) q) AS lost_to_more,
	   (SELECT count(*) FROM (SELECT kept_ids(0.2, seed) EXCEPT SELECT kept_ids(0, seed)) q) BETWEEN 50 AND 120 AS about_84_back
FROM generate_series(1, 5) seed ORDER BY 1;
SELECT count(*) FILTER (WHERE abs(pi - (0.3 + 0.7 * least(1, c / rows))) > 1e-12) AS wrong_pi
FROM (SELECT p.*, i.rows, plan.readmit_threshold AS c FROM grove.prune(NULL::shop, 'shop', keep => 0.3, readmit => 0.2, by => '{item}', exact => false) p,
	  grove.prune_plan(NULL::shop, 'shop', keep => 0.3, readmit => 0.2, by => '{item}', exact => false) plan, items i WHERE i.item = (p.kept).item) q;

-- gamma: 0 draws back evenly, a larger one prefers the rare more.
SELECT gamma, round((min(pi))::numeric, 6) AS common, round((max(pi))::numeric, 6) AS rare
FROM unnest('{0, 0.5, 1, 2}'::float8[]) gamma,
LATERAL (SELECT pi FROM grove.prune(NULL::shop, 'shop', keep => 0.3, readmit => 0.2, by => '{item}', gamma => gamma, exact => false)) p
GROUP BY 1 ORDER BY 1;

-- With the other methods: the first step's probability, then the same composition.
SELECT method, count(*) AS kept, round(sum(weight) / 600) AS sum_weights,
	   count(*) FILTER (WHERE abs(pi - (keep + (1 - keep) * least(1, plan.readmit_threshold / i.rows))) > 1e-9) AS wrong_pi
FROM (VALUES ('stratified'), ('inverse')) m(method),
LATERAL grove.prune(NULL::shop, 'shop', keep => 0.3, method => method, readmit => 0.2, by => '{item}', exact => method <> 'inverse') p,
LATERAL grove.prune_plan(NULL::shop, 'shop', keep => 0.3, method => method, readmit => 0.2, by => '{item}', exact => method <> 'inverse') plan,
LATERAL (SELECT items.rows, CASE method WHEN 'inverse' THEN least(1, threshold / items.rows)
				ELSE (SELECT count(*) FROM grove.prune(NULL::shop, 'shop', keep => 0.3, method => 'stratified', by => '{item}') s
					  WHERE (s.kept).item = items.item) / items.rows::float8 END AS keep
		 FROM items WHERE item = (p.kept).item) i
GROUP BY 1 ORDER BY 1;

-- Negatives: positives stay certain; a negative's probability depends on its item, and so does the offset of both classes.
SELECT (kept).bought, count(*) AS kept, count(*) FILTER (WHERE abs(pi - CASE WHEN (kept).bought THEN 1 ELSE beta + (1 - beta) * least(1, c / rows) END) > 1e-9) AS wrong_pi,
	   count(*) FILTER (WHERE abs(log_offset + ln(beta + (1 - beta) * least(1, c / rows))) > 1e-9) AS wrong_offset
FROM (SELECT p.*, i.rows, plan.beta, plan.readmit_threshold AS c
	  FROM grove.prune(NULL::shop, 'shop', keep => 0.3, method => 'negatives', target => 'bought', readmit => 0.2, by => '{item}') p,
	  grove.prune_plan(NULL::shop, 'shop', keep => 0.3, method => 'negatives', target => 'bought', readmit => 0.2, by => '{item}') plan,
	  items i WHERE i.item = (p.kept).item) q
GROUP BY 1 ORDER BY 1;

-- A share of everything that was removed: all of it comes back.
SELECT count(*), min(pi), max(weight) FROM grove.prune(NULL::shop, 'shop', keep => 0, readmit => 1, by => '{item}');
SELECT count(*), min(pi), max(pi) FROM grove.prune(NULL::shop, 'shop', keep => 1, readmit => 0.5, by => '{item}');

DROP SCHEMA readmit_test CASCADE;
