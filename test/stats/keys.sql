-- keys.sql: decisions by key (keep, split, fold and the cuts of two passes) against theory, over :trials seeds from :seed on.
\ir lib/checks.sql
\set trials 4000
\set last (:seed::bigint + :trials - 1)

CREATE TABLE items AS
SELECT id, 'customer-number-0000' || id AS name, frequency::float8, CASE WHEN id = 1 THEN 'Infinity' WHEN id = 2 THEN 0 WHEN id = 3 THEN 1000 ELSE id % 4 + 0.5 END AS weight, exp(id / 4.0) AS money
FROM unnest(ARRAY[1, 1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 62, 92, 137, 204, 303, 450, 668, 1000, 2000]) WITH ORDINALITY AS u(frequency, id);
ANALYZE items;

-- Each decision as an event of known probability, by an integer and by a text key.
CREATE TABLE events AS
SELECT kind, s AS seed, id, e.* FROM items, unnest('{integer,text}'::text[]) kind, generate_series(:seed::bigint, :last) s,
	 LATERAL (SELECT grove.keep(0.3, s, id) AS keep, grove.split('{0.2,0.5,0.3}', s, id) = 1 AS split_1, grove.split('{0.2,0.5,0.3}', s, id) = 2 AS split_2,
				grove.fold(4, s, id) = 0 AS fold_0, grove.fold(4, s, id) = 3 AS fold_3, grove.u01(s, id) < 0.4 AS u01, grove.shuffle_hash(s, id) < 0 AS shuffle WHERE kind = 'integer'
			  UNION ALL
			  SELECT grove.keep(0.3, s, name), grove.split('{0.2,0.5,0.3}', s, name) = 1, grove.split('{0.2,0.5,0.3}', s, name) = 2,
				grove.fold(4, s, name) = 0, grove.fold(4, s, name) = 3, grove.u01(s, name) < 0.4, grove.shuffle_hash(s, name) < 0 WHERE kind = 'text') e;
CREATE TABLE chances (event text, p float8, purpose text);
INSERT INTO chances VALUES ('keep', 0.3, 'keep'), ('split_1', 0.2, 'split'), ('split_2', 0.5, 'split'), ('fold_0', 0.25, 'fold'), ('fold_3', 0.25, 'fold'), ('u01', 0.4, 'u01'), ('shuffle', 0.5, 'shuffle');
CREATE FUNCTION counted(a text, b text, first bigint) RETURNS TABLE (kind text, id bigint, other bigint, seeds bigint, n bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format(CASE first WHEN 0
		THEN 'SELECT kind, id, id, count(*), count(*) FILTER (WHERE %I AND %I) FROM events GROUP BY 1, 2'
		ELSE 'SELECT kind, x.id, y.id, count(*), count(*) FILTER (WHERE x.%I AND y.%I) FROM events x JOIN events y USING (kind, seed) WHERE y.id = x.id + 1 OR y.id = x.id + 7 GROUP BY 1, 2, 3' END, a, b);
END $$;
SELECT stats.frequencies('keys: ' || event || ' by ' || kind || ' key', array_agg(n), :trials, array_agg(p)) FROM chances, counted(event, event, 0) GROUP BY event, kind ORDER BY event, kind;
-- One seed, two purposes.
SELECT stats.frequencies('keys: ' || a.event || ' is independent of ' || b.event || ' by ' || kind || ' key', array_agg(n), :trials, array_agg(a.p * b.p))
FROM chances a JOIN chances b ON a.event < b.event AND a.purpose <> b.purpose, counted(a.event, b.event, 0) GROUP BY a.event, b.event, kind ORDER BY a.event, b.event, kind;
-- One purpose, two keys, neighbours among them.
SELECT stats.frequencies('keys: two rows of ' || event || ' by ' || kind || ' key', array_agg(n), :trials, array_agg(p * p)) FROM chances, counted(event, event, 1) GROUP BY event, kind ORDER BY event, kind;
SELECT stats.line(count(*) = 2 * 20 * :trials AND bool_and(NOT (split_1 AND split_2)), 'keys: every row in one part') FROM events;
SELECT stats.line(count(*) = 20 * :trials / 2 AND bool_and(small <= middle AND middle <= large), 'keys: a larger fraction keeps what a smaller one keeps')
FROM (SELECT grove.keep(0.2, s, id) AS small, grove.keep(0.2000001, s, id) AS middle, grove.keep(0.7, s, id) AS large FROM items, generate_series(:seed::bigint, :seed + :trials / 2 - 1) s) q;

-- Samples drawn in two passes.  Sizes of keep() are sums of independent decisions.
CREATE TABLE plan AS
SELECT grove.pps_threshold(weight, 7) AS tau, (SELECT threshold FROM grove.prune_plan(NULL::record, 'SELECT id, id2 FROM stats.items, generate_series(1, frequency::int) id2', n => 700, method => 'inverse', by => '{id}',
																					  key => '{id,id2}', gamma => 0.5, exact => false, params => '{"pi_min": 0.05}')) AS threshold FROM items;
CREATE TABLE theory AS
SELECT 'hash_quantile' AS design, id, 0.25::float8 AS pi FROM items
UNION ALL SELECT 'hash_threshold', id, 0.25 FROM items
UNION ALL SELECT 'pps_threshold', id, least(1, weight / tau) FROM items, plan
UNION ALL SELECT 'inverse_pi', id, least(1, greatest(0.05, threshold / sqrt(frequency))) FROM items, plan;
SELECT stats.line(abs(sum(pi) - 7) < 1e-9, 'keys: tau keeps n', sum(pi)::text) FROM theory WHERE design = 'pps_threshold';
SELECT stats.line(abs(sum(frequency * pi) - 700) < 1e-6, 'keys: threshold of prune_plan keeps n', sum(frequency * pi)::text) FROM theory JOIN items USING (id) WHERE design = 'inverse_pi';
CREATE TABLE draws AS
SELECT 'hash_quantile' AS design, s AS seed, id FROM generate_series(:seed::bigint, :last) s,
	 LATERAL (SELECT grove.hash_quantile(grove.hash64(s, id), 0.25) AS cut FROM items) c, LATERAL (SELECT id FROM items WHERE grove.hash64(s, id) <= cut) i
UNION ALL SELECT 'hash_threshold', s, id FROM generate_series(:seed::bigint, :last) s,
	 LATERAL (SELECT grove.hash_threshold(grove.hash64(s, name), 5) AS cut FROM items) c, LATERAL (SELECT id FROM items WHERE grove.hash64(s, name) <= cut) i
UNION ALL SELECT 'pps_threshold', s, id FROM generate_series(:seed::bigint, :last) s, items, plan WHERE grove.keep(least(1, weight / tau), s, id)
UNION ALL SELECT 'inverse_pi', s, id FROM generate_series(:seed::bigint, :last) s, items, plan WHERE grove.keep(grove.inverse_pi(frequency, 0.5, threshold, 0.05), s, id);
ANALYZE draws;
CREATE VIEW counts AS SELECT t.design, t.id, t.pi, count(d.id) AS n FROM theory t LEFT JOIN draws d USING (design, id) GROUP BY 1, 2, 3;
SELECT stats.frequencies('keys: inclusion by ' || design, array_agg(n), :trials, array_agg(pi)) FROM counts GROUP BY design ORDER BY design;
CREATE VIEW sizes AS
SELECT t.design, s AS seed, count(d.id) AS size FROM (SELECT DISTINCT design FROM theory) t CROSS JOIN generate_series(:seed::bigint, :last) s LEFT JOIN draws d ON d.design = t.design AND d.seed = s GROUP BY 1, 2;
SELECT stats.line(min(size) = 5 AND max(size) = 5, 'keys: size by ' || design, min(size) || ' to ' || max(size)) FROM sizes WHERE design LIKE 'hash%' GROUP BY design ORDER BY design;
SELECT stats.line(abs(z_of_chi_square(t, 19)) < z_limit(1), 'keys: omnibus of ' || design, 'T = ' || t || ' with 19 df')
FROM (SELECT design, sum((n - :trials * 0.25) ^ 2) / (:trials * 0.25 * 0.75 * 20 / 19) AS t FROM counts WHERE design LIKE 'hash%' GROUP BY 1) q ORDER BY design;
CREATE TABLE joint AS
SELECT p.design, p.id AS i, q.id AS j, p.pi AS p, q.pi AS q, coalesce(n, 0) AS together
FROM theory p JOIN theory q ON q.design = p.design AND p.id < q.id
LEFT JOIN (SELECT x.design, x.id AS i, y.id AS j, count(*) AS n FROM draws x JOIN draws y USING (design, seed) WHERE x.id < y.id GROUP BY 1, 2, 3) d
	ON d.design = p.design AND d.i = p.id AND d.j = q.id;
SELECT stats.frequencies('keys: pairs by ' || design, array_agg(together), :trials, array_agg(CASE WHEN design LIKE 'hash%' THEN 5 * 4 / (20 * 19.0) ELSE p * q END)) FROM joint GROUP BY design ORDER BY design;
-- Horvitz-Thompson totals: the mean over seeds is the truth.
SELECT stats.line(abs(mean - truth) <= z_limit(1) * sd / sqrt(:trials) + 1e-9 * truth, 'keys: total of ' || what || ' by ' || design, mean || ' against ' || truth)
FROM (SELECT design, what, avg(total) AS mean, stddev_samp(total) AS sd
	  FROM (SELECT s.design, s.seed, what, coalesce(sum(CASE what WHEN 'rows' THEN 1 WHEN 'money' THEN money WHEN 'rare' THEN (s.id IN (8, 17))::int END / pi), 0) AS total
			FROM (SELECT design, seed, d.id FROM sizes LEFT JOIN draws d USING (design, seed)) s LEFT JOIN theory t USING (design, id) LEFT JOIN items USING (id)
			CROSS JOIN unnest('{rows,money,rare}'::text[]) what GROUP BY 1, 2, 3) t GROUP BY 1, 2) m
JOIN (SELECT design, what, sum(CASE what WHEN 'rows' THEN 1 WHEN 'money' THEN money WHEN 'rare' THEN (id IN (8, 17))::int END) AS truth
	  FROM theory JOIN items USING (id) CROSS JOIN unnest('{rows,money,rare}'::text[]) what WHERE pi > 0 GROUP BY 1, 2) t USING (design, what)
ORDER BY design, what;

-- The size of keep(inverse_pi(...)) over rows: independent decisions are no further from their mean than Chernoff's bound for the mean probability.
CREATE TABLE views AS SELECT id AS item, frequency, visit FROM items, generate_series(1, frequency::int) visit;
SELECT stats.line(max(stats.chernoff(size, total, 700.0 / total)) <= limit_of(40), 'keys: size of keep(inverse_pi) near n', min(size) || ' to ' || max(size))
FROM (SELECT s, count(*) FILTER (WHERE grove.keep(grove.inverse_pi(frequency, 0.5, threshold, 0.05), s, item, visit)) AS size, count(*) AS total
	  FROM views, plan, generate_series(:seed::bigint, :seed + 39) s GROUP BY s) q;
