-- Metric aggregates: values against scikit-learn 1.9.1 and against their
-- definitions written in SQL; NULLs, groups, empty and one-sided input.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

-- 500 rows; scores have ties, all numbers are the same doubles in any language
CREATE TEMP TABLE judged AS
SELECT i,
	(i * 37) % 101 < 30 AS y,
	((i * 7919) % 70 + CASE WHEN (i * 37) % 101 < 30 THEN 20 ELSE 0 END) / 100.0::float8 AS s,
	((i * 104729) % 80 + CASE WHEN (i * 37) % 101 < 30 THEN 15 ELSE 0 END) / 100.0::float8 AS s2,
	1 + (i % 5) * 0.3::float8 AS w,
	((i * 631) % 997) / 10.0::float8 - 20 AS t
FROM generate_series(1, 500) AS i;
CREATE TEMP TABLE regressed AS
SELECT t, t * 0.8::float8 + ((i * 271) % 89) / 7.0::float8 - 5 AS p, w FROM judged;
CREATE TEMP TABLE classified AS
SELECT i, i % 3 AS c, ARRAY[a / (a + b + c), b / (a + b + c), c / (a + b + c)] AS p, w
FROM (SELECT i, (i * 13) % 7 + 1.0::float8, (i * 29) % 11 + 1.0::float8, (i * 31) % 5 + 1.0::float8, w
	FROM judged) AS q(i, a, b, c, w);

-- scikit-learn: roc_auc_score, average_precision_score, log_loss, brier_score_loss, accuracy_score,
-- root_mean_squared_error, mean_absolute_error, r2_score, ndcg_score; each without and with sample_weight
SELECT metric, round(value::numeric, 9) AS value, abs(value - expected) < 1e-9 AS agrees
FROM (
	SELECT 1, 'auc', grove.auc(y, s), 0.7483204084766584 FROM judged UNION ALL
	SELECT 2, 'auc, weight', grove.auc(y, s, w), 0.7488620679242931 FROM judged UNION ALL
	SELECT 3, 'average_precision', grove.average_precision(y, s), 0.6355772323330087 FROM judged UNION ALL
	SELECT 4, 'average_precision, weight', grove.average_precision(y, s, w), 0.6365591892220452 FROM judged UNION ALL
	SELECT 5, 'log_loss', grove.log_loss(y, s), 0.5336221476172573 FROM judged UNION ALL
	SELECT 6, 'log_loss, weight', grove.log_loss(y, s, w), 0.5331370543029245 FROM judged UNION ALL
	SELECT 7, 'brier', grove.brier(y, s), 0.18389 FROM judged UNION ALL
	SELECT 8, 'brier, weight', grove.brier(y, s, w), 0.18364475000000002 FROM judged UNION ALL
	SELECT 9, 'accuracy', grove.accuracy(y, s), 0.68 FROM judged UNION ALL
	SELECT 10, 'accuracy, weight', grove.accuracy(y, s, w), 0.6807500000000002 FROM judged UNION ALL
	SELECT 11, 'rmse', grove.rmse(t, p), 8.351988430479123 FROM regressed UNION ALL
	SELECT 12, 'rmse, weight', grove.rmse(t, p, w), 8.33765883935224 FROM regressed UNION ALL
	SELECT 13, 'mae', grove.mae(t, p), 6.827411428571428 FROM regressed UNION ALL
	SELECT 14, 'mae, weight', grove.mae(t, p, w), 6.819616785714285 FROM regressed UNION ALL
	SELECT 15, 'r2', grove.r2(t, p), 0.9154801291761665 FROM regressed UNION ALL
	SELECT 16, 'r2, weight', grove.r2(t, p, w), 0.9158660413403535 FROM regressed UNION ALL
	SELECT 17, 'log_loss of classes', grove.log_loss(c::text, p, '{0,1,2}'), 1.2544872320524683 FROM classified UNION ALL
	SELECT 18, 'log_loss of classes, weight', grove.log_loss(c::text, p, '{0,1,2}', w), 1.2388030497769036 FROM classified UNION ALL
	SELECT 19, 'accuracy of labels', grove.accuracy(c::text, best), 0.33 FROM classified,
		LATERAL (SELECT (k - 1)::text FROM unnest(p) WITH ORDINALITY AS u(v, k) ORDER BY v DESC, k LIMIT 1) AS b(best) UNION ALL
	SELECT 20, 'accuracy of labels, weight', grove.accuracy(c::text, best, w), 0.32925 FROM classified,
		LATERAL (SELECT (k - 1)::text FROM unnest(p) WITH ORDINALITY AS u(v, k) ORDER BY v DESC, k LIMIT 1) AS b(best) UNION ALL
	SELECT 21, 'ndcg', grove.ndcg(i % 23, (i * 17) % 4, (i * 53) % 13, NULL), 0.7888975747536663 FROM judged UNION ALL
	SELECT 22, 'ndcg at 1', grove.ndcg(i % 23, (i * 17) % 4, (i * 53) % 13, 1), 0.4855072463768116 FROM judged UNION ALL
	SELECT 23, 'ndcg at 5', grove.ndcg(i % 23, (i * 17) % 4, (i * 53) % 13, 5), 0.4943143960104093 FROM judged UNION ALL
	SELECT 24, 'ndcg at 10', grove.ndcg(i % 23, (i * 17) % 4, (i * 53) % 13, 10), 0.5538028217321126 FROM judged
) AS v(n, metric, value, expected)
ORDER BY n;

-- DeLong's test; the expected numbers come from the sums over all pairs in NumPy
SELECT round(auc_a::numeric, 9) AS auc_a, round(auc_b::numeric, 9) AS auc_b, round(difference::numeric, 9) AS difference,
	round(standard_error::numeric, 9) AS standard_error, round(z::numeric, 9) AS z, round(p_value::numeric, 9) AS p_value,
	round(lower::numeric, 9) AS lower, round(upper::numeric, 9) AS upper,
	abs(standard_error - 0.03445901055021827) < 1e-12 AND abs(p_value - 0.03724375440378649) < 1e-12 AS agrees
FROM (SELECT (grove.auc_delong(y, s, s2)).* FROM judged) AS d;
-- a score against itself, and against its reverse
SELECT (grove.auc_delong(y, s, s)).* FROM (VALUES (true, 0.7), (false, 0.7), (false, 0.1), (true, 0.9)) AS v(y, s);
SELECT (d).auc_a + (d).auc_b AS sum, (d).p_value < 1e-20 AS differ
FROM (SELECT grove.auc_delong(y, s, -s) AS d FROM judged) AS q;

-- The definitions, written in SQL
SELECT abs(grove.auc(y, s, w) - (
		SELECT sum(a.w * b.w * CASE WHEN a.s > b.s THEN 1 WHEN a.s = b.s THEN 0.5 ELSE 0 END) / sum(a.w * b.w)
		FROM judged AS a, judged AS b WHERE a.y AND NOT b.y)) < 1e-12 AS auc,
	abs(grove.average_precision(y, s, w) - (
		SELECT sum(CASE WHEN y THEN w * share ELSE 0 END) / sum(CASE WHEN y THEN w ELSE 0 END)
		FROM (SELECT y, w, sum(CASE WHEN y THEN w ELSE 0 END) OVER above / sum(w) OVER above AS share
			FROM judged WINDOW above AS (ORDER BY s DESC)) AS p)) < 1e-12 AS average_precision,
	abs(grove.log_loss(y, s, w) - (
		SELECT sum(w * -ln(CASE WHEN y THEN greatest(s, 1e-15) ELSE 1 - s END)) / sum(w) FROM judged)) < 1e-12 AS log_loss,
	abs(grove.brier(y, s, w) - (SELECT sum(w * (s - y::int) ^ 2) / sum(w) FROM judged)) < 1e-12 AS brier,
	abs(grove.accuracy(y, s, w) - (SELECT sum(CASE WHEN (s >= 0.5) = y THEN w ELSE 0 END) / sum(w) FROM judged)) < 1e-12 AS accuracy
FROM judged;
SELECT abs(grove.rmse(t, p, w) - (SELECT sqrt(sum(w * (p - t) ^ 2) / sum(w)) FROM regressed)) < 1e-12 AS rmse,
	abs(grove.mae(t, p, w) - (SELECT sum(w * abs(p - t)) / sum(w) FROM regressed)) < 1e-12 AS mae,
	abs(grove.r2(t, p, w) - (
		SELECT 1 - sum(w * (p - t) ^ 2) / sum(w * (t - m) ^ 2)
		FROM regressed, (SELECT sum(w * t) / sum(w) AS m FROM regressed) AS mean)) < 1e-12 AS r2
FROM regressed;
-- NDCG: a row in a tie gets the mean discount of the ranks that the tie takes
WITH ranked AS (
	SELECT i % 23 AS q, (i * 17) % 4 AS truth,
		row_number() OVER (PARTITION BY i % 23 ORDER BY (i * 53) % 13 DESC) AS rank,
		row_number() OVER (PARTITION BY i % 23 ORDER BY (i * 17) % 4 DESC) AS best,
		(i * 53) % 13 AS score
	FROM judged),
discounted AS (
	SELECT q, truth,
		avg(CASE WHEN rank <= 5 THEN ln(2) / ln(rank + 1) ELSE 0 END) OVER (PARTITION BY q, score) AS discount,
		CASE WHEN best <= 5 THEN ln(2) / ln(best + 1) ELSE 0 END AS best_discount
	FROM ranked)
SELECT abs(grove.ndcg(i % 23, (i * 17) % 4, (i * 53) % 13, 5) - (
	SELECT avg(n) FROM (
		SELECT sum(truth * discount) / sum(truth * best_discount) AS n FROM discounted GROUP BY q) AS per_query)) < 1e-12 AS ndcg
FROM judged;

-- A weight counts a row that many times
SELECT grove.auc(y, s) = grove.auc(y, s, 3.0) AS auc,
	grove.auc(y, s, (i % 3)::float8) = (SELECT grove.auc(y, s) FROM judged, generate_series(1, i % 3)) AS repeated_auc,
	abs(grove.log_loss(y, s, (i % 3)::float8) - (SELECT grove.log_loss(y, s) FROM judged, generate_series(1, i % 3))) < 1e-15 AS repeated_log_loss,
	abs(grove.r2(t, s, (i % 3)::float8) - (SELECT grove.r2(t, s) FROM judged, generate_series(1, i % 3))) < 1e-15 AS repeated_r2
FROM judged;

-- The truth as boolean or as a number; any integer type
SELECT grove.auc(y, s) = grove.auc(y::int, s) AND grove.auc(y, s, w) = grove.auc(y::int::float8, s, w) AS auc,
	grove.average_precision(y, s) = grove.average_precision(y::int::numeric, s)
		AND grove.average_precision(y, s, w) = grove.average_precision(y::int, s, w) AS average_precision,
	grove.log_loss(y, s) = grove.log_loss(y::int, s) AND grove.log_loss(y, s, w) = grove.log_loss(y::int, s, w) AS log_loss,
	grove.brier(y, s) = grove.brier(y::int::bigint, s) AND grove.brier(y, s, w) = grove.brier(y::int, s, w) AS brier,
	grove.accuracy(y, s) = grove.accuracy(y::int::smallint, s) AND grove.accuracy(y, s, w) = grove.accuracy(y::int, s, w) AS accuracy,
	grove.auc_delong(y, s, s2) = grove.auc_delong(y::int, s, s2) AS auc_delong,
	grove.ndcg(i % 9, y, s, 3) = grove.ndcg(i % 9, y::int, s, 3) AS ndcg
FROM judged;
-- a query id as text finds the same groups
SELECT abs(grove.ndcg(i % 23, i % 4, s, 5) - grove.ndcg('q' || i % 23, i % 4, s, 5)) < 1e-15 AS number_text,
	grove.ndcg('q' || i % 23, y, s, 5) = grove.ndcg('q' || i % 23, y::int, s, 5) AS boolean
FROM judged;

-- accuracy of labels: bytes count; a truth that is not a class has probability 0
SELECT grove.accuracy(t, p) FROM (VALUES ('yes', 'yes'), ('yes', 'Yes'), ('no', 'no'), ('', 'no')) AS v(t, p);
SELECT round(grove.log_loss('d'::text, ARRAY[0.5, 0.5], '{a,b}')::numeric, 6) AS unseen,
	round(grove.log_loss('a'::text, ARRAY[0.0, 1.0], '{a,b}')::numeric, 6) AS impossible,
	grove.log_loss('b'::text, ARRAY[0.0, 1.0], '{a,b}') < 2e-15 AS certain;

-- Probabilities are cut; the threshold of accuracy is included
SELECT round(grove.log_loss(true, 0)::numeric, 6) AS zero, grove.log_loss(true, 1) < 2e-15 AS one, grove.log_loss(false, 1e-300) < 2e-15 AS tiny;
SELECT grove.accuracy(true, 0.5) AS at, grove.accuracy(true, 0.4999999999999999) AS below;
-- Infinite scores have an order; -0 is 0
SELECT grove.auc(y, s) FROM (VALUES (true, 'infinity'::float8), (false, '-infinity'), (false, 3)) AS v(y, s);
SELECT grove.auc(y, s) FROM (VALUES (true, '-0'::float8), (false, 0)) AS v(y, s);

-- No rows, NULLs, weight 0, one class
SELECT grove.auc(y, s) AS auc, grove.log_loss(y, s) AS log_loss, grove.rmse(s, s) AS rmse, grove.r2(s, s) AS r2,
	grove.ndcg(i, y, s, 1) AS ndcg, grove.auc_delong(y, s, s) AS auc_delong
FROM judged WHERE i < 0;
SELECT grove.auc(y, s, w) AS auc, grove.average_precision(y, s, w) AS average_precision, grove.log_loss(y, s, w) AS log_loss,
	grove.brier(y::int, s, w) AS brier, grove.accuracy(y, s, w) AS accuracy, grove.mae(y::int, s, w) AS mae,
	grove.accuracy(y::text, s::text, w) AS labels, grove.log_loss(y::text, ARRAY[1, s - s], '{true,false}', w) AS classes
FROM (VALUES (NULL::boolean, 0.5::float8, 1.0::float8), (true, NULL, 1), (true, 0.5, NULL)) AS v(y, s, w);
SELECT grove.auc(y, s, w) AS auc, grove.log_loss(y, s, w) AS log_loss, grove.rmse(s, s, w) AS rmse, grove.r2(s, s, w) AS r2
FROM (VALUES (true, 0.5, 0.0), (false, 0.4, 0.0)) AS v(y, s, w);
SELECT grove.auc(y, s) = (SELECT grove.auc(y, s) FROM judged WHERE i % 7 <> 0) AS auc,
	grove.brier(y, s) = (SELECT grove.brier(y, s) FROM judged WHERE i % 7 <> 0) AS brier,
	grove.ndcg(1, y, s, NULL) = (SELECT grove.ndcg(1, y, s, NULL) FROM judged WHERE i % 7 <> 0) AS ndcg
FROM (SELECT CASE WHEN i % 14 = 0 THEN NULL ELSE y END AS y, CASE WHEN i % 14 = 7 THEN NULL ELSE s END AS s FROM judged) AS q;
SELECT grove.auc(true, s) AS auc, grove.average_precision(true, s) AS average_precision,
	grove.average_precision(false, s) AS no_positive, grove.auc_delong(false, s, s) AS auc_delong
FROM judged;
SELECT (grove.auc_delong(y, s, t)).* FROM (VALUES (true, 0.5, 0.1), (false, 0.2, 0.3)) AS v(y, s, t);
SELECT grove.r2(3, s) AS constant_truth, grove.r2(0.1, s) AS constant_fraction, grove.rmse(3, 3) AS perfect FROM judged;
-- a query without gain counts 0
SELECT grove.ndcg(q, truth, score, NULL) FROM (VALUES (1, 0, 0.5), (1, 0, 0.4), (2, 1, 0.5)) AS v(q, truth, score);

-- Groups, FILTER, windows
SELECT i % 3 AS g, round(grove.auc(y, s)::numeric, 6) AS auc, round(grove.brier(y, s) FILTER (WHERE w > 1)::numeric, 6) AS brier
FROM judged GROUP BY i % 3 ORDER BY g;
SELECT i, round(grove.auc(y, s) OVER (ORDER BY i)::numeric, 4) AS running, round(grove.mae(t, s) OVER (ORDER BY i ROWS 2 PRECEDING)::numeric, 4) AS moving
FROM judged WHERE i < 12 ORDER BY i;

DROP TABLE judged, regressed, classified;
