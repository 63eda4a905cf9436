-- weighted.sql: weighted_sample and inverse_sample with the probabilities that a user computes, least(1, weight / tau), over :trials seeds from :seed on.
\ir lib/checks.sql
\set trials 4000
\set last (:seed::bigint + :trials - 1)

-- Skewed frequencies; weights with ties, a certainty, an infinity and a zero.
CREATE TABLE items AS
SELECT id, frequency::float8, CASE WHEN id = 1 THEN 'Infinity' WHEN id = 2 THEN 0 WHEN id = 3 THEN 1000 ELSE id % 4 + 0.5 END AS weight, exp(id / 4.0) AS money
FROM unnest(ARRAY[1, 1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 62, 92, 137, 204, 303, 450, 668, 1000, 2000]) WITH ORDINALITY AS u(frequency, id);
CREATE TABLE designs (design text, call text, weight text, k int);
INSERT INTO designs VALUES
	('weighted', 'weighted_sample(id, weight, 7, s)', 'weight', 7),
	('inverse', 'inverse_sample(id, frequency, 6, s)', '1 / frequency', 6),
	('inverse, gamma', 'inverse_sample(id, frequency ^ 0.5, 6, s)', '1 / frequency ^ 0.5', 6),
	('inverse, gamma, clipped', 'inverse_sample(id, least(frequency, 100) ^ 0.8, 8, s)', '1 / least(frequency, 100) ^ 0.8', 8),
	('inverse, frequencies of 2^900', 'inverse_sample(id, frequency * 2::float8 ^ 900, 6, s)', '1 / (frequency * 2::float8 ^ 900)', 6),
	('inverse, frequencies of 2^-900', 'inverse_sample(id, frequency * 2::float8 ^ -900, 6, s)', '1 / (frequency * 2::float8 ^ -900)', 6);
CREATE TABLE theory (design text, id bigint, pi float8);
CREATE TABLE draws (design text, seed bigint, id bigint);
CREATE FUNCTION draw(first bigint, last bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	d record;
BEGIN
	FOR d IN SELECT * FROM designs LOOP
		EXECUTE format('INSERT INTO theory SELECT %L, id, least(1, %s / tau) FROM items, (SELECT grove.pps_threshold(%2$s, %s) AS tau FROM items) t', d.design, d.weight, d.k);
		EXECUTE format('INSERT INTO draws SELECT %L, s, unnest(grove.%s) FROM items, generate_series($1, $2) s GROUP BY s', d.design, d.call) USING first, last;
	END LOOP;
END $$;
SELECT draw(:seed, :last) AS nothing \gset
ANALYZE draws;

-- The probabilities sum to k, and are in proportion to the weights where they are below 1.
SELECT stats.line(abs(sum(pi) - max(k)) < 1e-9 AND count(*) = 20, 'weighted: probabilities of ' || design, sum(pi)::text)
FROM theory JOIN designs USING (design) GROUP BY design ORDER BY design;
SELECT stats.line(min(ratio) > 1 - 1e-12 AND max(ratio) < 1 + 1e-12, 'weighted: in proportion to frequency ^ -' || gamma, min(ratio) || ' to ' || max(ratio))
FROM (SELECT gamma, pi * least(frequency, ceiling) ^ gamma / avg(pi * least(frequency, ceiling) ^ gamma) OVER (PARTITION BY gamma) AS ratio
	  FROM theory JOIN items USING (id) JOIN (VALUES ('inverse', 1, 1e9), ('inverse, gamma', 0.5, 1e9), ('inverse, gamma, clipped', 0.8, 100)) v (design, gamma, ceiling) USING (design) WHERE pi < 1) q
GROUP BY gamma ORDER BY gamma;
-- First order, and sizes.
SELECT stats.frequencies('weighted: inclusion under ' || design, array_agg(n), :trials, array_agg(pi))
FROM (SELECT t.design, t.id, t.pi, count(d.id) AS n FROM theory t LEFT JOIN draws d USING (design, id) GROUP BY 1, 2, 3) q GROUP BY design ORDER BY design;
SELECT stats.line(count(*) = :trials AND bool_and(n = k), 'weighted: size under ' || design, min(n) || ' to ' || max(n))
FROM (SELECT design, seed, k, count(DISTINCT id) AS n FROM draws JOIN designs USING (design) GROUP BY 1, 2, 3) q GROUP BY design ORDER BY design;
-- Horvitz-Thompson totals: the mean over seeds is the truth, of all rows that can be drawn.
SELECT stats.line(abs(mean - truth) <= z_limit(1) * sd / sqrt(:trials) + 1e-9 * truth, 'weighted: total of ' || what || ' under ' || design, mean || ' against ' || truth)
FROM (SELECT design, what, avg(total) AS mean, stddev_samp(total) AS sd
	  FROM (SELECT design, seed, what, sum(CASE what WHEN 'rows' THEN 1 WHEN 'money' THEN money WHEN 'weight' THEN least(weight, 1000) WHEN 'rare' THEN (id IN (8, 17))::int END / pi) AS total
			FROM draws JOIN theory USING (design, id) JOIN items USING (id) CROSS JOIN unnest('{rows,money,weight,rare}'::text[]) what GROUP BY 1, 2, 3) t GROUP BY 1, 2) m
JOIN (SELECT design, what, sum(CASE what WHEN 'rows' THEN 1 WHEN 'money' THEN money WHEN 'weight' THEN least(weight, 1000) WHEN 'rare' THEN (id IN (8, 17))::int END) AS truth
	  FROM theory JOIN items USING (id) CROSS JOIN unnest('{rows,money,weight,rare}'::text[]) what WHERE pi > 0 GROUP BY 1, 2) t USING (design, what)
ORDER BY design, what;
-- Kish's effective size of a sample is what the probabilities say: sum(1/pi) and sum(1/pi^2) over the sample estimate N and sum(1/pi).
SELECT stats.line(abs(avg(w) - max(rows)) <= z_limit(1) * stddev_samp(w) / sqrt(:trials) + 1e-9 * max(rows) AND abs(avg(squares) - max(sums)) <= z_limit(1) * stddev_samp(squares) / sqrt(:trials) + 1e-9 * max(sums),
	'weighted: parts of the effective size under ' || design, avg(w) || ' and ' || avg(squares) || ' against ' || max(rows) || ' and ' || max(sums))
FROM (SELECT design, seed, sum(1 / pi) AS w, sum(1 / pi ^ 2) AS squares FROM draws JOIN theory USING (design, id) GROUP BY 1, 2) q
JOIN (SELECT design, count(*) AS rows, sum(1 / pi) AS sums FROM theory WHERE pi > 0 GROUP BY 1) t USING (design) GROUP BY design ORDER BY design;
-- Powers of two do not change a row.
SELECT stats.line(count(*) = :trials AND bool_and(n = 1), 'weighted: frequencies of 2^900 and 2^-900 draw the same rows', count(*) FILTER (WHERE n > 1) || ' seeds differ')
FROM (SELECT seed, count(DISTINCT ids) AS n FROM (SELECT design, seed, array_agg(id ORDER BY id) AS ids FROM draws WHERE design = 'inverse' OR design LIKE 'inverse, frequencies%' GROUP BY 1, 2) d GROUP BY 1) q;
-- One seed, two purposes.
SELECT stats.frequencies('weighted: ' || design || ' is independent of grove.' || other, array_agg(n), :trials, array_agg(pi * p))
FROM (SELECT t.design, other, p::float8, t.id, t.pi, count(*) FILTER (WHERE CASE WHEN d.id IS NULL THEN false ELSE CASE other
			WHEN 'keep' THEN grove.keep(0.3, d.seed, d.id) WHEN 'split' THEN grove.split('{0.4,0.6}', d.seed, d.id) = 1 WHEN 'fold' THEN grove.fold(4, d.seed, d.id) = 3
			WHEN 'u01' THEN grove.u01(d.seed, d.id) < 0.3 WHEN 'shuffle' THEN grove.shuffle_hash(d.seed, d.id) < 0 END END) AS n
	  FROM (VALUES ('keep', 0.3), ('split', 0.4), ('fold', 0.25), ('u01', 0.3), ('shuffle', 0.5)) o (other, p) CROSS JOIN theory t
	  LEFT JOIN draws d USING (design, id) WHERE t.design IN ('weighted', 'inverse') GROUP BY 1, 2, 3, 4, 5) q GROUP BY design, other ORDER BY design, other;
