-- roc_curve, lift_curve, calibration, confusion_matrix against their
-- definitions in SQL; ties, weights, NULLs, one class; what they refuse.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE scored AS
SELECT i, (i * 37) % 101 < 30 AS y, ((i * 7919) % 70 + CASE WHEN (i * 37) % 101 < 30 THEN 20 ELSE 0 END) / 100.0::float8 AS s,
	1 + (i % 4)::float8 / 2 AS w, (ARRAY['a', 'b', 'c'])[1 + i % 3] AS label, (ARRAY['a', 'b', 'c'])[1 + i * i % 3] AS guess
FROM generate_series(1, 300) AS i;

-- ROC: 20 rows in full
SELECT threshold, round(false_positive_rate::numeric, 6) AS fpr, round(true_positive_rate::numeric, 6) AS tpr
FROM grove.roc_curve('SELECT y, round(s::numeric, 1) AS s FROM scored WHERE i <= 20', 'y', 's') ORDER BY threshold DESC;
-- rates at the threshold; the area below is the AUC, so nothing was left out but points on lines
SELECT count(*) > 20 AS enough, bool_and(false_positive_rate = fpr AND true_positive_rate = tpr) AS rates
FROM grove.roc_curve('scored', 'y', 's'),
	LATERAL (SELECT avg((s >= threshold)::int) FILTER (WHERE NOT y), avg((s >= threshold)::int) FILTER (WHERE y) FROM scored) AS r(fpr, tpr);
SELECT abs(area - (SELECT grove.auc(y, s, w) FROM scored)) < 1e-12 AS area
FROM (SELECT sum((x - before_x) * (y + before_y) / 2)
	FROM (SELECT x, y, lag(x) OVER down AS before_x, lag(y) OVER down AS before_y
		FROM grove.roc_curve('scored', 'y', 's', 'w') AS r(t, x, y) WINDOW down AS (ORDER BY t DESC)) AS p) AS a(area);

-- lift: ten buckets of thirty rows; ties are shared out
SELECT bucket, share, lowest_score, round(rate::numeric, 6) AS rate, round(lift::numeric, 6) AS lift, round(gain::numeric, 6) AS gain
FROM grove.lift_curve('scored', 'y', 's') ORDER BY bucket;
WITH places AS (
	SELECT row_number() OVER (ORDER BY s DESC) AS place, s, avg(y::int) OVER (PARTITION BY s) AS positives FROM scored)
SELECT buckets, bool_and(abs(rate - expected) < 1e-12 AND lowest = lowest_score AND abs(lift - rate / total) < 1e-12) AS agrees
FROM (VALUES (1), (3), (10), (50), (300)) AS n(buckets),
	LATERAL grove.lift_curve('scored', 'y', 's', buckets => buckets),
	LATERAL (SELECT avg(positives), min(s) FROM places WHERE (place - 1) * buckets / 300 = bucket - 1) AS e(expected, lowest),
	LATERAL (SELECT avg(y::int) FROM scored) AS t(total)
GROUP BY buckets ORDER BY buckets;
SELECT bool_and(abs(a.gain - b.gain) < 1e-12) AS weights_repeat
FROM grove.lift_curve('SELECT y, s, (2 * w)::float8 AS w FROM scored', 'y', 's', 'w') AS a
	JOIN grove.lift_curve('SELECT y, s FROM scored, generate_series(1, (2 * w)::int)', 'y', 's') AS b USING (bucket);

-- calibration: bins by rank, equal scores together
SELECT bin, weight_sum, round(mean_score::numeric, 6) AS mean_score, round(observed::numeric, 6) AS observed,
	round(lower::numeric, 6) AS lower, round(upper::numeric, 6) AS upper
FROM grove.calibration('scored', 'y', 's', bins => 5) ORDER BY bin;
WITH groups AS (
	SELECT s, sum(w) AS w, sum(w * w) AS w2, sum(w) FILTER (WHERE y) AS positive FROM scored GROUP BY s),
placed AS (
	SELECT *, 1 + floor((sum(w) OVER (ORDER BY s) - w / 2) / sum(w) OVER () * 7) AS bin FROM groups),
expected AS (
	SELECT bin, sum(w) AS weight_sum, sum(w * s) / sum(w) AS mean_score, sum(positive) / sum(w) AS p, sum(w) ^ 2 / sum(w2) AS n FROM placed GROUP BY bin),
wilson AS (
	SELECT *, (p + z * z / (2 * n)) / (1 + z * z / n) AS centre, z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) AS distance
	FROM expected, (VALUES (1.959963984540054)) AS q(z))
SELECT count(*) AS bins, bool_and(c.weight_sum = e.weight_sum AND abs(c.mean_score - e.mean_score) < 1e-12 AND abs(observed - p) < 1e-12
	AND abs(lower - (centre - distance)) < 1e-12 AND abs(upper - (centre + distance)) < 1e-12) AS agrees
FROM grove.calibration('scored', 'y', 's', 'w', 7) AS c JOIN wilson AS e USING (bin);
-- three scores fill three of ten bins
SELECT bin, weight_sum, mean_score FROM grove.calibration('SELECT i % 2 = 0 AS y, i % 3 / 4.0 AS s FROM scored', 'y', 's') ORDER BY bin;

-- confusion matrix
SELECT * FROM grove.confusion_matrix('scored', 'label', 'guess') ORDER BY 1, 2;
SELECT * FROM grove.confusion_matrix('SELECT y, s > 0.5 AS p FROM scored', 'y', 'p');
SELECT * FROM grove.confusion_matrix('SELECT i % 12 AS t, CASE WHEN i % 12 = 11 THEN NULL ELSE 10 END AS "p x" FROM scored -- the end', 't', 'p x') LIMIT 3;

-- the truth as a number; the order of the rows does not matter; no rows; NULLs; one class
SELECT bool_and(a = b AND b = c) AS equal
FROM (SELECT array_agg(r::text) FROM grove.roc_curve('SELECT y, s, w FROM scored', 'y', 's', 'w') AS r) AS x(a),
	(SELECT array_agg(r::text) FROM grove.roc_curve('SELECT y::int AS y, s::numeric AS s, w FROM scored ORDER BY s', 'y', 's', 'w') AS r) AS y(b),
	(SELECT array_agg(r::text) FROM grove.roc_curve('SELECT y::int AS y, s, w FROM scored UNION ALL VALUES (NULL, 0.5, 1), (1, NULL, 1), (0, 0.5, NULL), (1, 0.5, 0)', 'y', 's', 'w') AS r) AS z(c);
SELECT (SELECT count(*) FROM grove.roc_curve('SELECT * FROM scored WHERE false', 'y', 's')) AS roc,
	(SELECT count(*) FROM grove.lift_curve('SELECT * FROM scored WHERE false', 'y', 's')) AS lift,
	(SELECT count(*) FROM grove.calibration('SELECT * FROM scored WHERE false', 'y', 's')) AS calibration,
	(SELECT count(*) FROM grove.confusion_matrix('SELECT * FROM scored WHERE false', 'y', 's')) AS confusion;
SELECT * FROM grove.roc_curve('SELECT true AS y, s FROM scored WHERE i < 4', 'y', 's') ORDER BY threshold DESC;
SELECT bucket, rate, lift, gain FROM grove.lift_curve('SELECT false AS y, s FROM scored WHERE i < 4', 'y', 's', NULL, 2) ORDER BY bucket;

CREATE FUNCTION pg_temp.try(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE query INTO result;
	RETURN 'no error: ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.try($$SELECT grove.roc_curve(NULL, 'y', 's')$$);
SELECT pg_temp.try($$SELECT grove.roc_curve('scored', NULL, 's')$$);
SELECT pg_temp.try($$SELECT grove.roc_curve('scored', 'y', 'score')$$);
SELECT pg_temp.try($$SELECT grove.roc_curve('scored', 'label', 's')$$);
SELECT pg_temp.try($$SELECT grove.roc_curve('scored', 'y', 'y')$$);
SELECT pg_temp.try($$SELECT grove.roc_curve('SELECT 2 AS i, s FROM scored', 'i', 's')$$);
SELECT pg_temp.try($$SELECT grove.roc_curve('SELECT y, ''NaN''::float8 AS s FROM scored', 'y', 's')$$);
SELECT pg_temp.try($$SELECT grove.roc_curve('SELECT y, s, -w AS w FROM scored', 'y', 's', 'w')$$);
SELECT pg_temp.try($$SELECT grove.roc_curve('SELECT y, s, ''infinity''::float8 AS w FROM scored', 'y', 's', 'w')$$);
SELECT pg_temp.try($$SELECT grove.roc_curve('SELECT 1; SELECT 2', 'y', 's')$$);
SELECT pg_temp.try($$SELECT grove.lift_curve('scored', 'y', 's', buckets => 0)$$);
SELECT pg_temp.try($$SELECT grove.lift_curve('scored', 'y', 's', buckets => 10001)$$);
SELECT pg_temp.try($$SELECT grove.calibration('scored', 'y', 's', bins => NULL)$$);
SELECT pg_temp.try($$SELECT grove.calibration('SELECT y, s + 0.5 AS s FROM scored', 'y', 's')$$);
SELECT pg_temp.try($$SELECT grove.confusion_matrix('scored', 'label', 'gues')$$);
SELECT pg_temp.try($$SELECT grove.confusion_matrix('scored', 'label', NULL)$$);
SELECT pg_temp.try($$SELECT grove.confusion_matrix('SELECT label, ''{}''::json AS guess FROM scored', 'label', 'guess')$$);
SELECT pg_temp.try($$SELECT grove.confusion_matrix('DROP TABLE scored', 'label', 'guess')$$);

DROP TABLE scored;
