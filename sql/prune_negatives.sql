-- prune, method negatives, to the end: with the offset in training, or prior_correct afterwards, a model tells the probabilities of the full table.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA prune_negatives;
SET search_path = prune_negatives, public;
-- 40,000 rows, one in eleven positive; what decides is known.
CREATE TABLE clicks AS
SELECT i AS id, grove.u01(1, i) AS age, grove.u01(2, i) AS depth, (ARRAY['ad', 'mail', 'search'])[1 + floor(grove.u01(3, i) * 3)::int] AS channel FROM generate_series(1, 40000) i;
ALTER TABLE clicks ADD bought boolean, ADD truth float8;
UPDATE clicks SET truth = 1 / (1 + exp(5 - 2.5 * age - 1.5 * depth - (channel = 'mail')::int));
UPDATE clicks SET bought = grove.u01(4, id) < truth;
ALTER TABLE clicks ADD PRIMARY KEY (id);
SELECT round(avg(bought::int), 2) AS positive FROM clicks;
CREATE TABLE few AS SELECT (kept).*, pi, log_offset FROM grove.prune(NULL::clicks, 'clicks', n => 6000, method => 'negatives', target => 'bought', seed => 1);
CREATE TABLE plan AS SELECT beta FROM grove.prune_plan(NULL::clicks, 'clicks', n => 6000, method => 'negatives', target => 'bought', seed => 1);
SELECT count(*), count(*) FILTER (WHERE bought) = (SELECT count(*) FROM clicks WHERE bought) AS all_positives, bool_and(pi = CASE WHEN bought THEN 1 ELSE beta END) AS pi,
	   max(abs(log_offset + ln(beta))) < 1e-12 AS log_offset
FROM few, plan;

CREATE TABLE models AS
SELECT grove.train('few', 'bought', '{"num_iterations": 60, "num_leaves": 8, "learning_rate": 0.1}', base_margin => 'log_offset', ignore => '{id,pi,truth}') AS with_offset,
	   grove.train('few', 'bought', '{"num_iterations": 60, "num_leaves": 8, "learning_rate": 0.1}', ignore => '{id,pi,truth,log_offset}') AS without;
CREATE TABLE scored AS
SELECT c.*, grove.predict(with_offset, c) AS p, grove.predict(without, c) AS raw, grove.prior_correct(grove.predict(without, c), 1, beta) AS corrected FROM clicks c, models, plan;

-- Mean prediction and observed rate on the full table agree to 3 %, and to 15 % in each fifth of the rows by true probability; without a correction they do not.
SELECT abs(avg(p) / avg(bought::int) - 1) < 0.03 AS with_offset, abs(avg(corrected) / avg(bought::int) - 1) < 0.03 AS corrected, avg(raw) / avg(bought::int) > 4 AS raw_is_off FROM scored;
SELECT fifth, abs(avg(p) / avg(bought::int) - 1) < 0.15 AS with_offset, abs(avg(corrected) / avg(bought::int) - 1) < 0.15 AS corrected
FROM (SELECT *, ntile(5) OVER (ORDER BY truth) AS fifth FROM scored) s GROUP BY fifth ORDER BY fifth;
-- The two ways agree row by row, to a tenth of log-odds on average, and both are near the truth.
SELECT avg(abs(ln(p / (1 - p)) - ln(corrected / (1 - corrected)))) < 0.1 AS agree, corr(p, corrected) > 0.98 AS correlated,
	   avg(abs(p - truth)) < 0.015 AS near_truth, avg(abs(corrected - truth)) < 0.015 AS corrected_near_truth, avg(abs(raw - truth)) > 0.1 AS raw_far
FROM scored;
DROP SCHEMA prune_negatives CASCADE;
