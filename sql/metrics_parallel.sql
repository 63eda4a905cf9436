-- Metrics depend on the set of rows only: any order, serial or parallel, cut
-- up and merged in any way, the results are equal to the last bit.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

-- magnitudes from 1e-150 to 1e150 of both signs: plain sums depend on the order
CREATE TABLE judged AS
SELECT i,
	(i * 7919) % 1009 < 300 AS y,
	CASE WHEN i % 3 = 0 THEN (i * 104729::bigint % 100) / 100.0::float8 ELSE (i * 15485863::bigint % 1000003) / 1000003.0::float8 END AS s,
	(i * 32452843::bigint % 999983) / 999983.0::float8 AS s2,
	CASE WHEN i % 11 = 0 THEN 0 ELSE 10.0::float8 ^ ((i * 31) % 13 - 6) * 1.1::float8 END AS w,
	CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END * 10.0::float8 ^ ((i / 2 * 37) % 301 - 150) AS t
FROM generate_series(1, 20000) AS i;
ANALYZE judged;
SELECT count(DISTINCT total) > 1 AS plain_sums_differ
FROM (SELECT sum(t) AS total FROM (SELECT t FROM judged ORDER BY i) AS a UNION ALL
	SELECT sum(t) FROM (SELECT t FROM judged ORDER BY abs(t)) AS b) AS c;

CREATE TEMP TABLE calls AS
SELECT * FROM unnest(ARRAY[
	'auc(y, s)', 'auc(y, s, w)', 'auc(y::int, round(s::numeric, 1)::float8)',
	'average_precision(y, s)', 'average_precision(y, s, w)',
	'log_loss(y, s)', 'log_loss(y, s, w)', 'brier(y, s)', 'brier(y, s, w)',
	'accuracy(y, s)', 'accuracy(y, s, w)', 'accuracy(y::text, (s > 0.3)::text, w)',
	'log_loss(y::text, ARRAY[s, 1 - s], ''{true,false}'', w)',
	'rmse(t, s)', 'rmse(t, s, w)', 'mae(t * 1e150, s)', 'mae(t, s, w)', 'r2(t, s)', 'r2(t, s, w)', 'r2(1e9 + s, 1e9 + s2, w)',
	'ndcg(i % 100, s2, s, 10)', 'ndcg((i % 100)::text, y, s, NULL)', 'auc_delong(y, s, s2)'])
WITH ORDINALITY AS c(metric, n);
-- one query with all of them
CREATE FUNCTION pg_temp.judge_query(source text) RETURNS text
LANGUAGE sql AS $$
	SELECT format('SELECT ARRAY[%s] FROM %s', string_agg('grove.' || metric || '::text', ', ' ORDER BY n), source) FROM calls
$$;
CREATE FUNCTION pg_temp.judge(source text) RETURNS TABLE (metric text, result text)
LANGUAGE plpgsql AS $$
DECLARE
	results text[];
BEGIN
	EXECUTE pg_temp.judge_query(source) INTO results;
	RETURN QUERY SELECT c.metric, results[n] FROM calls AS c;
END
$$;
CREATE FUNCTION pg_temp.partial_aggregate(source text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || pg_temp.judge_query(source) LOOP
		found := found OR line LIKE '%Partial Aggregate%';
	END LOOP;
	RETURN found;
END
$$;

SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS SELECT * FROM pg_temp.judge('judged');
SELECT count(*) AS metrics, count(result) AS results FROM serial;
SELECT metric FROM serial JOIN pg_temp.judge('(SELECT * FROM judged ORDER BY s2) AS q') AS other USING (metric)
WHERE other.result IS DISTINCT FROM serial.result ORDER BY 1;
SELECT metric FROM serial JOIN pg_temp.judge('(SELECT * FROM judged ORDER BY t DESC, y, s) AS q') AS other USING (metric)
WHERE other.result IS DISTINCT FROM serial.result ORDER BY 1;
SELECT metric FROM serial JOIN pg_temp.judge('(SELECT * FROM judged ORDER BY abs(t), i % 7, i DESC) AS q') AS other USING (metric)
WHERE other.result IS DISTINCT FROM serial.result ORDER BY 1;

SET max_parallel_workers_per_gather = 3;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT pg_temp.partial_aggregate('judged') AS parallel;
SELECT metric FROM serial JOIN pg_temp.judge('judged') AS other USING (metric)
WHERE other.result IS DISTINCT FROM serial.result ORDER BY 1;
SET parallel_leader_participation = off;
SELECT metric FROM serial JOIN pg_temp.judge('judged') AS other USING (metric)
WHERE other.result IS DISTINCT FROM serial.result ORDER BY 1;
-- workers that see no row
SELECT metric, result FROM pg_temp.judge('judged WHERE i < 0') WHERE result IS NOT NULL;
RESET parallel_leader_participation;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Cut by hand into raw states, which travel as text and as binary and are merged in any order
CREATE AGGREGATE pg_temp.log_loss_state(boolean, float8, float8) (SFUNC = grove.log_loss_trans_bool, STYPE = grove.metric_state);
CREATE AGGREGATE pg_temp.r2_state(float8, float8, float8) (SFUNC = grove.r2_trans, STYPE = grove.metric_state);
CREATE AGGREGATE pg_temp.ranked_state(boolean, float8, float8) (SFUNC = grove.ranked_trans_bool, STYPE = grove.metric_state);
CREATE AGGREGATE pg_temp.delong_state(boolean, float8, float8) (SFUNC = grove.auc_delong_trans_bool, STYPE = grove.metric_state);
CREATE AGGREGATE pg_temp.ndcg_state(bigint, float8, float8, integer) (SFUNC = grove.ndcg_trans, STYPE = grove.metric_state);
CREATE AGGREGATE pg_temp.merged(grove.metric_state) (SFUNC = grove.metric_combine, STYPE = grove.metric_state);
CREATE TEMP TABLE parts AS
SELECT i % 7 AS part, pg_temp.log_loss_state(y, s, w) AS log_loss, pg_temp.r2_state(t, s, w) AS r2, pg_temp.ranked_state(y, s, w) AS ranked,
	pg_temp.delong_state(y, s, s2) AS delong, pg_temp.ndcg_state(i % 100, s2, s, 10) AS ndcg
FROM judged GROUP BY i % 7;
CREATE TEMP TABLE whole AS
SELECT grove.log_loss(y, s, w) AS log_loss, grove.r2(t, s, w) AS r2, grove.auc(y, s, w) AS auc, grove.average_precision(y, s, w) AS average_precision,
	grove.auc_delong(y, s, s2) AS delong, grove.ndcg(i % 100, s2, s, 10) AS ndcg
FROM judged;
SELECT grove.metric_final(pg_temp.merged(p.log_loss ORDER BY part)) = min(w.log_loss) AS log_loss,
	grove.metric_final(pg_temp.merged(p.r2 ORDER BY part DESC)) = min(w.r2) AS r2,
	grove.auc_final(pg_temp.merged(p.ranked ORDER BY part DESC)) = min(w.auc) AS auc,
	grove.average_precision_final(pg_temp.merged(p.ranked ORDER BY part * 3 % 7)) = min(w.average_precision) AS average_precision,
	grove.auc_delong_final(pg_temp.merged(p.delong ORDER BY part * 5 % 7))::text = min(w.delong::text) AS delong,
	grove.ndcg_final(pg_temp.merged(p.ndcg ORDER BY part DESC)) = min(w.ndcg) AS ndcg
FROM parts AS p, whole AS w;
SELECT grove.metric_final(pg_temp.merged(p.log_loss::text::grove.metric_state)) = min(w.log_loss) AS log_loss,
	grove.metric_final(pg_temp.merged(p.r2::text::grove.metric_state)) = min(w.r2) AS r2,
	grove.auc_final(pg_temp.merged(p.ranked::text::grove.metric_state)) = min(w.auc) AS auc,
	grove.auc_delong_final(pg_temp.merged(p.delong::text::grove.metric_state))::text = min(w.delong::text) AS delong,
	grove.ndcg_final(pg_temp.merged(p.ndcg::text::grove.metric_state)) = min(w.ndcg) AS ndcg
FROM parts AS p, whole AS w;
-- the text form is the binary form in hexadecimal digits, and sums have one form only
SELECT bool_and(encode(grove.metric_state_send(log_loss), 'hex') = log_loss::text AND encode(grove.metric_state_send(ranked), 'hex') = ranked::text) AS send
FROM parts;
SELECT pg_temp.merged(log_loss ORDER BY part)::text = pg_temp.merged(log_loss ORDER BY part DESC)::text AS log_loss,
	pg_temp.merged(r2 ORDER BY part)::text = pg_temp.merged(r2 ORDER BY part DESC)::text AS r2,
	pg_temp.merged(delong ORDER BY part)::text = pg_temp.merged(delong ORDER BY part DESC)::text AS delong
FROM parts;
-- NULL on either side, and the same state twice
SELECT grove.metric_combine(NULL, NULL) IS NULL AS both, grove.metric_combine(log_loss, NULL)::text = log_loss::text AS second,
	grove.metric_combine(NULL, log_loss)::text = log_loss::text AS first,
	grove.metric_final(grove.metric_combine(log_loss, log_loss)) = grove.metric_final(log_loss) AS twice
FROM parts WHERE part = 0;
-- a plain call leaves its argument alone
SELECT a::text = before AS unchanged, grove.metric_final(b) AS one_more
FROM (SELECT grove.mae_trans(NULL, 1, 2) AS a) AS s,
	LATERAL (SELECT a::text AS before) AS t,
	LATERAL (SELECT grove.mae_trans(a, 1, 4) AS b) AS u;

DROP TABLE judged, parts, whole, serial, calls;
