-- evaluate(): the values are those of the aggregates over predict(), the
-- intervals those of the documented formulas; what it refuses.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE visits AS
SELECT i, (i * 7919 % 1009) / 1009.0::float8 AS pages, (ARRAY['mail', 'ads', 'direct'])[1 + i % 3] AS channel,
	CASE WHEN i % 17 = 0 THEN NULL ELSE (i * 104729::bigint % 997)::int END AS seconds,
	1 + (i % 4) / 2.0::float8 AS w,
	(i * 7919 % 1009) / 1009.0::float8 + (i * 15485863::bigint % 1000003) / 1000003.0::float8 + (i % 3) / 4.0::float8 AS spent
FROM generate_series(1, 2400) AS i;
ALTER TABLE visits ADD buys boolean, ADD class text, ADD label int;
UPDATE visits SET buys = spent > 1.4, class = CASE WHEN spent > 1.6 THEN 'high' WHEN spent > 0.9 THEN 'middle' ELSE 'low' END,
	label = CASE WHEN spent > 1.4 THEN 7 ELSE 3 END;
CREATE VIEW trained AS SELECT * FROM visits WHERE i <= 1200;
CREATE VIEW held_out AS SELECT * FROM visits WHERE i > 1200;
CREATE TABLE judged (task text, m bytea);
INSERT INTO judged VALUES
	('binary', grove.train('SELECT pages, channel, seconds, buys FROM trained', 'buys', '{"num_iterations": 20}')),
	('number labels', grove.train('SELECT pages, channel, seconds, label FROM trained', 'label', '{"num_iterations": 20}')),
	('multiclass', grove.train('SELECT pages, channel, seconds, class FROM trained', 'class', '{"num_iterations": 20}')),
	('regression', grove.train('SELECT pages, channel, seconds, spent FROM trained', 'spent', '{"num_iterations": 20}')),
	('forest', grove.train('SELECT pages, channel, seconds, buys FROM trained', 'buys', '{"algorithm": "forest", "num_iterations": 5}'));

-- what comes out, in this order, with and without a weight
SELECT task, metric, value BETWEEN lower AND upper AS inside, upper - lower BETWEEN 0.001 AND 0.3 AS narrow
FROM judged, LATERAL grove.evaluate(m, 'held_out') WITH ORDINALITY AS e(metric, value, lower, upper, n)
ORDER BY task, n;

-- equal, to the last bit, to the aggregates over predict()
CREATE TEMP TABLE expected AS
SELECT task, v.*
FROM judged, LATERAL (
	SELECT grove.auc(buys, p), grove.auc(buys, p, w), grove.log_loss(buys, p), grove.log_loss(buys, p, w),
		grove.brier(buys, p), grove.brier(buys, p, w), grove.accuracy(buys, p), grove.accuracy(buys, p, w),
		grove.average_precision(buys, p), grove.average_precision(buys, p, w),
		sum(p) / sum(buys::int), sum(p * w) / sum(buys::int * w)
	FROM (SELECT h.buys, h.w, grove.predict(m, h) AS p FROM held_out AS h) AS q) AS a(auc, auc_w, ll, ll_w, b, b_w, acc, acc_w, ap, ap_w, c, c_w),
	LATERAL (VALUES ('auc', auc, auc_w), ('log_loss', ll, ll_w), ('brier', b, b_w), ('accuracy', acc, acc_w),
		('average_precision', ap, ap_w), ('calibration_ratio', c, c_w)) AS v(metric, value, weighted)
WHERE task IN ('binary', 'number labels', 'forest');
INSERT INTO expected
SELECT task, v.*
FROM judged, LATERAL (
	SELECT grove.log_loss(class, grove.predict_proba(m, h), '{high,low,middle}'),
		grove.log_loss(class, grove.predict_proba(m, h), '{high,low,middle}', w),
		grove.accuracy(class, grove.predict_class(m, h)), grove.accuracy(class, grove.predict_class(m, h), w)
	FROM held_out AS h) AS a(ll, ll_w, acc, acc_w),
	LATERAL (VALUES ('log_loss', ll, ll_w), ('accuracy', acc, acc_w)) AS v(metric, value, weighted)
WHERE task = 'multiclass';
INSERT INTO expected
SELECT task, v.*
FROM judged, LATERAL (
	SELECT grove.rmse(spent, p), grove.rmse(spent, p, w), grove.mae(spent, p), grove.mae(spent, p, w), grove.r2(spent, p), grove.r2(spent, p, w)
	FROM (SELECT h.spent, h.w, grove.predict(m, h) AS p FROM held_out AS h) AS q) AS a(rmse, rmse_w, mae, mae_w, r2, r2_w),
	LATERAL (VALUES ('rmse', rmse, rmse_w), ('mae', mae, mae_w), ('r2', r2, r2_w)) AS v(metric, value, weighted)
WHERE task = 'regression';
SELECT task, x.metric,
	CASE WHEN x.metric = 'calibration_ratio' THEN abs(e.value - x.value) < 1e-12 ELSE e.value = x.value END AS equal,
	CASE WHEN x.metric = 'calibration_ratio' THEN abs(ew.value - x.weighted) < 1e-12 ELSE ew.value = x.weighted END AS equal_weighted
FROM expected AS x JOIN judged USING (task),
	LATERAL grove.evaluate(m, 'held_out') AS e,
	LATERAL grove.evaluate(m, 'SELECT * FROM held_out', 'w') AS ew
WHERE e.metric = x.metric AND ew.metric = x.metric
ORDER BY task, x.metric;

-- intervals, from their definitions
WITH scored AS (
	SELECT h.buys, h.w, grove.predict(m, h) AS p FROM held_out AS h, judged WHERE task = 'binary'),
placed AS (
	SELECT a.buys, a.w, sum(b.w * CASE WHEN (a.p > b.p) = a.buys AND a.p <> b.p THEN 1 WHEN a.p = b.p THEN 0.5 ELSE 0 END) / sum(b.w) AS v
	FROM (SELECT row_number() OVER () AS n, * FROM scored) AS a JOIN scored AS b ON a.buys <> b.buys GROUP BY a.n, a.buys, a.w),
class_variance AS (
	SELECT count(*) / (count(*) - 1.0) * sum((w * (v - auc)) ^ 2) / sum(w) ^ 2 AS variance
	FROM placed, (SELECT grove.auc(buys, p, w) AS auc FROM scored) AS a GROUP BY buys),
losses AS (
	SELECT w, -ln(CASE WHEN buys THEN p ELSE 1 - p END) AS l, grove.log_loss(buys, p, w) OVER () AS mean FROM scored),
errors AS (
	SELECT 'auc' AS metric, sqrt(sum(variance)) AS error FROM class_variance UNION ALL
	SELECT 'log_loss', sqrt(count(*) / (count(*) - 1.0) * sum((w * (l - mean)) ^ 2)) / sum(w) FROM losses UNION ALL
	SELECT 'calibration_ratio', sqrt(count(*) / (count(*) - 1.0) * sum((w * (p - r * buys::int)) ^ 2)) / sum(w * buys::int)
	FROM scored, (SELECT sum(w * p) / sum(w * buys::int) AS r FROM scored) AS ratio)
SELECT metric, abs((upper - lower) / 2 - 1.959963984540054 * error) < 1e-9 AS agrees
FROM errors JOIN (SELECT e.* FROM judged, LATERAL grove.evaluate(m, 'held_out', 'w') AS e WHERE task = 'binary') AS e USING (metric)
ORDER BY metric;
WITH scored AS (
	SELECT h.spent AS t, h.w, grove.predict(m, h) AS p FROM held_out AS h, judged WHERE task = 'regression'),
parts AS (
	SELECT w, (p - t) ^ 2 AS e, (t - mean) ^ 2 AS d FROM scored, (SELECT sum(w * t) / sum(w) AS mean FROM scored) AS m),
ratios AS (
	SELECT sum(w * e) / sum(w) AS mse, sum(w * e) / sum(w * d) AS rest FROM parts),
errors AS (
	SELECT 'rmse' AS metric, sqrt(count(*) / (count(*) - 1.0) * sum((w * (e - mse)) ^ 2)) / sum(w) / (2 * sqrt(max(mse))) AS error FROM parts, ratios UNION ALL
	SELECT 'r2', sqrt(count(*) / (count(*) - 1.0) * sum((w * (e - rest * d)) ^ 2)) / sum(w * d) FROM parts, ratios)
SELECT metric, abs((upper - lower) / 2 - 1.959963984540054 * error) < 1e-9 AS agrees
FROM errors JOIN (SELECT e.* FROM judged, LATERAL grove.evaluate(m, 'held_out', 'w') AS e WHERE task = 'regression') AS e USING (metric)
ORDER BY metric;

-- any order and plan of the source
SELECT count(*) AS metrics, bool_and(a = b AND b = c) AS equal
FROM judged,
	LATERAL (SELECT array_agg(e::text) FROM grove.evaluate(m, 'SELECT * FROM held_out', 'w') AS e) AS x(a),
	LATERAL (SELECT array_agg(e::text) FROM grove.evaluate(m, 'SELECT * FROM held_out ORDER BY spent', 'w') AS e) AS y(b),
	LATERAL (SELECT array_agg(e::text) FROM grove.evaluate(m, 'SELECT class, w, label, seconds, buys, spent, channel, pages FROM held_out ORDER BY pages DESC', 'w') AS e) AS z(c);

-- rows without a target or a weight are skipped; weight 0 counts nothing
SELECT bool_and(a = b AND a = c) AS equal
FROM judged,
	LATERAL (SELECT array_agg(e::text) FROM grove.evaluate(m, 'SELECT * FROM held_out WHERE i % 5 <> 0', 'w') AS e) AS x(a),
	LATERAL (SELECT array_agg(e::text) FROM grove.evaluate(m, 'SELECT pages, channel, seconds, CASE WHEN i % 5 <> 0 THEN w END AS w, buys, class, label, spent FROM held_out', 'w') AS e) AS y(b),
	LATERAL (SELECT array_agg(e::text) FROM grove.evaluate(m, 'SELECT pages, channel, seconds, CASE WHEN i % 5 <> 0 THEN w ELSE 0 END AS w, buys, class, label, spent FROM held_out', 'w') AS e) AS z(c);
SELECT a = b AS equal
FROM judged,
	LATERAL (SELECT array_agg(e::text) FROM grove.evaluate(m, 'SELECT * FROM held_out WHERE i % 5 <> 0') AS e) AS x(a),
	LATERAL (SELECT array_agg(e::text) FROM grove.evaluate(m, 'SELECT pages, channel, seconds, CASE WHEN i % 5 <> 0 THEN class END AS class FROM held_out') AS e) AS y(b)
WHERE task = 'multiclass';

-- no rows, one class, one row: what is not defined is NULL
SELECT task, metric, value, lower, upper
FROM judged, LATERAL grove.evaluate(m, 'SELECT * FROM held_out WHERE false') WITH ORDINALITY AS e(metric, value, lower, upper, n)
WHERE task IN ('binary', 'regression') ORDER BY task, n;
SELECT metric, value IS NULL AS value, lower IS NULL AS lower
FROM judged, LATERAL grove.evaluate(m, 'SELECT * FROM held_out WHERE buys') WITH ORDINALITY AS e(metric, value, lower, upper, n)
WHERE task = 'binary' ORDER BY n;
SELECT metric, value IS NULL AS value, lower IS NULL AS lower
FROM judged, LATERAL grove.evaluate(m, 'SELECT * FROM held_out ORDER BY i LIMIT 1') WITH ORDINALITY AS e(metric, value, lower, upper, n)
WHERE task = 'regression' ORDER BY n;
-- a class that training did not see is a row that is wrong
SELECT e.metric, round(e.value::numeric, 6) AS value
FROM judged, LATERAL grove.evaluate(m, 'SELECT pages, channel, seconds, ''new''::text AS class FROM held_out') AS e
WHERE task = 'multiclass' ORDER BY metric;
-- labels that are numbers fit any type of number, and their text
SELECT count(DISTINCT e) AS results FROM judged,
	LATERAL (VALUES ('label'), ('label::bigint'), ('label::float8'), ('label::numeric'), ('label::text')) AS v(expression),
	LATERAL (SELECT array_agg(e::text) FROM grove.evaluate(m, 'SELECT pages, channel, seconds, ' || expression || ' AS label FROM held_out') AS e) AS r(e)
WHERE task = 'number labels';
-- no model, no metrics
SELECT * FROM grove.evaluate(NULL, 'held_out');

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
SELECT pg_temp.try($$SELECT grove.evaluate(m, NULL) FROM judged$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'nowhere') FROM judged$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'DELETE FROM held_out') FROM judged$$);
SELECT pg_temp.try($$SELECT grove.evaluate('\x00'::bytea, 'held_out')$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT pages, channel, buys FROM held_out') FROM judged WHERE task = 'binary'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT pages, channel, seconds FROM held_out') FROM judged WHERE task = 'binary'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT pages::text, channel, seconds, buys FROM held_out') FROM judged WHERE task = 'binary'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT pages, channel, seconds, ''perhaps''::text AS buys FROM held_out') FROM judged WHERE task = 'binary'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT pages, channel, seconds, 1 AS buys FROM held_out') FROM judged WHERE task = 'binary'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT pages, channel, seconds, ''{}''::json AS buys FROM held_out') FROM judged WHERE task = 'binary'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT pages, channel, seconds, ''much''::text AS spent FROM held_out') FROM judged WHERE task = 'regression'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT pages, channel, seconds, current_date AS spent FROM held_out') FROM judged WHERE task = 'regression'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT pages, channel, seconds, ''NaN''::float8 AS spent FROM held_out') FROM judged WHERE task = 'regression'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'held_out', 'wait') FROM judged$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'held_out', 'channel') FROM judged$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT *, -1 AS negative FROM held_out', 'negative') FROM judged WHERE task = 'binary'$$);
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT *, ''NaN''::float8 AS odd FROM held_out', 'odd') FROM judged WHERE task = 'multiclass'$$);
-- runs with the rights of the caller
CREATE ROLE grove_judge_nobody;
GRANT SELECT ON judged TO grove_judge_nobody;
GRANT USAGE ON SCHEMA grove TO grove_judge_nobody;
SET ROLE grove_judge_nobody;
SELECT pg_temp.try($$SELECT grove.evaluate(m, 'SELECT * FROM visits') FROM judged$$);
RESET ROLE;

REVOKE ALL ON judged FROM grove_judge_nobody;
REVOKE USAGE ON SCHEMA grove FROM grove_judge_nobody;
DROP ROLE grove_judge_nobody;
DROP VIEW trained, held_out;
DROP TABLE visits, judged, expected;
