-- grove.keep(grove.inverse_pi(...)) in WHERE, with the threshold of prune_plan: inverse sampling without a second visit.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA keep_inverse;
SET search_path = keep_inverse, public;
CREATE TABLE views AS SELECT i AS id, floor(2000 / (i % 2000 + 1))::int AS item FROM generate_series(1, 40000) i;
ALTER TABLE views ADD PRIMARY KEY (id);
CREATE TABLE frequency AS SELECT item, count(*)::float8 AS f FROM views GROUP BY item;
CREATE TABLE plans (name text, gamma float8, pi_min float8, threshold float8);
INSERT INTO plans SELECT 'plain', 1, 0, threshold FROM grove.prune_plan(NULL::views, 'views', n => 8000, method => 'inverse', by => '{item}', exact => false);
INSERT INTO plans SELECT 'gamma', 0.5, 0, threshold FROM grove.prune_plan(NULL::views, 'views', n => 8000, method => 'inverse', by => '{item}', gamma => 0.5, exact => false);
INSERT INTO plans SELECT 'floor', 2, 0.05, threshold FROM grove.prune_plan(NULL::views, 'views', n => 8000, method => 'inverse', by => '{item}', gamma => 2, exact => false, params => '{"pi_min": 0.05}');
INSERT INTO plans SELECT 'all', 1, 0, threshold FROM grove.prune_plan(NULL::views, 'views', n => 40000, method => 'inverse', by => '{item}', exact => false);

-- The threshold is the tau of inverse_pi: the probabilities sum to n, and are those that prune reports.  It is infinite when all are kept.
SELECT name, abs(sum(grove.inverse_pi(f, gamma, threshold, pi_min)) - CASE name WHEN 'all' THEN 40000 ELSE 8000 END) < 1e-6 AS sums_to_n,
	   count(DISTINCT grove.inverse_pi(f, gamma, threshold, pi_min)) > 1 AS differ, threshold = 'Infinity' AS infinite
FROM views JOIN frequency USING (item) CROSS JOIN plans GROUP BY name, threshold ORDER BY name;
SELECT count(*) > 7000 AS rows, max(abs(p.pi - grove.inverse_pi(f, 0.5, threshold, 0))) < 1e-12 AS pi
FROM grove.prune(NULL::views, 'views', n => 8000, method => 'inverse', by => '{item}', gamma => 0.5, exact => false, seed => 1) p
JOIN frequency ON item = (p.kept).item JOIN plans ON name = 'gamma';

-- The size: a sum of independent decisions, whose tails are below Chernoff's bound for as many decisions with their mean
-- probability, exp(-N KL(size / N, n / N)).  No size here is one that comes less than once in 10^6 seeds.
SELECT name, bool_and(40000 * (q * ln(q / 0.2) + (1 - q) * ln((1 - q) / 0.8)) <= ln(2 * 12 * 1e6)) AS near_n, count(DISTINCT q) > 1 AS sizes_differ
FROM (SELECT name, seed, count(*) / 40000::float8 AS q
	  FROM views JOIN frequency USING (item) CROSS JOIN plans CROSS JOIN generate_series(1, 4) seed
	  WHERE name <> 'all' AND grove.keep(grove.inverse_pi(f, gamma, threshold, pi_min), seed, id) GROUP BY 1, 2) s GROUP BY name ORDER BY name;
SELECT count(*) AS rows FROM views JOIN frequency USING (item) CROSS JOIN plans WHERE name = 'all' AND grove.keep(grove.inverse_pi(f, gamma, threshold, pi_min), 1, id);
-- Every item has about as many rows, or all that it has; weights restore the number of rows.
SELECT bool_and(kept = f) FILTER (WHERE f <= threshold) AS rare_whole, bool_and(abs(kept - threshold) < 6 * sqrt(threshold)) FILTER (WHERE f > threshold) AS frequent_alike,
	   count(*) FILTER (WHERE f <= threshold) AS rare, count(*) FILTER (WHERE f > threshold) AS frequent, abs(sum(weights) / 40000 - 1) < 0.1 AS restored
FROM (SELECT item, f, threshold, count(*) FILTER (WHERE kept) AS kept, sum(1 / pi) FILTER (WHERE kept) AS weights
	  FROM (SELECT item, f, threshold, grove.inverse_pi(f, 1, threshold, 0) AS pi, grove.keep(grove.inverse_pi(f, 1, threshold, 0), 42, id) AS kept
			FROM views JOIN frequency USING (item) JOIN plans ON name = 'plain') d GROUP BY 1, 2, 3) q;

-- The same rows from no and from two workers, which run.
CREATE FUNCTION launched(statement text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	line text;
	launched int := 0;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
		launched := launched + coalesce(substring(line FROM 'Workers Launched: (\d+)')::int, 0);
	END LOOP;
	RETURN launched;
END $$;
ALTER TABLE views SET (parallel_workers = 2);
ANALYZE views, frequency, plans;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
\set statement 'SELECT id, item FROM views JOIN frequency USING (item) JOIN plans ON name = \'plain\' WHERE grove.keep(grove.inverse_pi(f, gamma, threshold, pi_min), 42, id)'
SET max_parallel_workers_per_gather = 0;
SELECT launched(:'statement');
CREATE TABLE serial AS :statement;
SET max_parallel_workers_per_gather = 2;
SELECT launched(:'statement') >= 2 AS launched;
CREATE TABLE parallel AS :statement;
SELECT (SELECT count(*) > 7000 FROM serial) AS rows, count(*) AS differences
FROM ((TABLE serial EXCEPT ALL TABLE parallel) UNION ALL (TABLE parallel EXCEPT ALL TABLE serial)) d;
DROP SCHEMA keep_inverse CASCADE;
