-- What the metric aggregates refuse, with SQLSTATE, message and hint; states
-- that did not come out of an aggregate.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

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

-- truths
SELECT pg_temp.try($$SELECT grove.auc(2, 0.5)$$);
SELECT pg_temp.try($$SELECT grove.average_precision('NaN'::float8, 0.5)$$);
SELECT pg_temp.try($$SELECT grove.log_loss(0.5, 0.5)$$);
SELECT pg_temp.try($$SELECT grove.brier(-1, 0.5)$$);
SELECT pg_temp.try($$SELECT grove.accuracy(3, 3)$$);
SELECT pg_temp.try($$SELECT grove.auc_delong(7, 1, 2)$$);
SELECT pg_temp.try($$SELECT grove.rmse('NaN', 1)$$);
SELECT pg_temp.try($$SELECT grove.mae('infinity', 1)$$);
SELECT pg_temp.try($$SELECT grove.r2('-infinity', 1)$$);
SELECT pg_temp.try($$SELECT grove.ndcg(1, -0.5, 1, 3)$$);
SELECT pg_temp.try($$SELECT grove.ndcg(1, 'NaN'::float8, 1, 3)$$);
SELECT pg_temp.try($$SELECT grove.ndcg(1, 'infinity'::float8, 1, 3)$$);

-- scores
SELECT pg_temp.try($$SELECT grove.auc(true, 'NaN')$$);
SELECT pg_temp.try($$SELECT grove.average_precision(true, 'NaN')$$);
SELECT pg_temp.try($$SELECT grove.log_loss(true, 'NaN')$$);
SELECT pg_temp.try($$SELECT grove.log_loss(true, 1.5)$$);
SELECT pg_temp.try($$SELECT grove.log_loss(true, '-infinity')$$);
SELECT pg_temp.try($$SELECT grove.brier(false, -0.0001)$$);
SELECT pg_temp.try($$SELECT grove.accuracy(false, 'NaN')$$);
SELECT pg_temp.try($$SELECT grove.auc_delong(true, 0.5, 'NaN')$$);
SELECT pg_temp.try($$SELECT grove.rmse(1, 'NaN')$$);
SELECT pg_temp.try($$SELECT grove.mae(1, 'infinity')$$);
SELECT pg_temp.try($$SELECT grove.ndcg(1, 1, 'NaN', 3)$$);
SELECT pg_temp.try($$SELECT grove.log_loss('a'::text, ARRAY[0.5, 'NaN'], '{a,b}')$$);
SELECT pg_temp.try($$SELECT grove.log_loss('a'::text, ARRAY[-0.5, 1.5], '{a,b}')$$);
SELECT pg_temp.try($$SELECT grove.log_loss('a'::text, ARRAY[1.0], '{a,b}')$$);
SELECT pg_temp.try($$SELECT grove.log_loss('a'::text, ARRAY[0.5, NULL], '{a,b}')$$);
SELECT pg_temp.try($$SELECT grove.log_loss('a'::text, ARRAY[0.5, 0.5], ARRAY['a', NULL])$$);
SELECT pg_temp.try($$SELECT grove.log_loss('a'::text, ARRAY[[0.5], [0.5]], '{a,b}')$$);

-- weights
SELECT pg_temp.try($$SELECT grove.auc(true, 0.5, -1)$$);
SELECT pg_temp.try($$SELECT grove.average_precision(true, 0.5, 'NaN')$$);
SELECT pg_temp.try($$SELECT grove.log_loss(true, 0.5, 'infinity')$$);
SELECT pg_temp.try($$SELECT grove.rmse(1, 0.5, -1e-300)$$);
SELECT pg_temp.try($$SELECT grove.accuracy('a'::text, 'b', 'NaN')$$);
SELECT pg_temp.try($$SELECT grove.log_loss('a'::text, '{1}', '{a}', -2)$$);

-- k
SELECT pg_temp.try($$SELECT grove.ndcg(1, 1, 1, 0)$$);
SELECT pg_temp.try($$SELECT grove.ndcg('a', true, 1, -3)$$);
SELECT pg_temp.try($$SELECT grove.ndcg(1, 1, 1, k) FROM (VALUES (1), (2)) AS v(k)$$);
SELECT pg_temp.try($$SELECT grove.ndcg(1, 1, 1, k) FROM (VALUES (1), (NULL)) AS v(k)$$);

-- beyond the doubles
SELECT pg_temp.try($$SELECT grove.rmse(1e200, -1e200)$$);
SELECT pg_temp.try($$SELECT grove.mae(1e308, -1e308)$$);
SELECT pg_temp.try($$SELECT grove.r2(1e160, 1e160)$$);
SELECT pg_temp.try($$SELECT grove.mae(1e308, 0) FROM generate_series(1, 2)$$);
SELECT pg_temp.try($$SELECT grove.ndcg(1, 1.7e308, 1, NULL) FROM generate_series(1, 9)$$);
SELECT pg_temp.try($$SELECT grove.auc(y, 1, 1.7e308) FROM (VALUES (true), (true), (false)) AS v(y)$$);

-- labels instead of a truth value
SELECT pg_temp.try($$SELECT grove.auc('yes'::text, 0.5)$$);

-- states of another metric, and bytes that are no state
CREATE TEMP TABLE states AS
SELECT grove.log_loss_trans_bool(grove.log_loss_trans_bool(NULL, true, 0.3), false, 0.1) AS log_loss,
	grove.r2_trans(grove.r2_trans(NULL, 1.5, 0.3), 1e100, 0.1) AS r2,
	grove.ranked_trans_bool(grove.ranked_trans_bool(NULL, true, 0.3), false, 0.1) AS ranked,
	grove.auc_delong_trans_bool(grove.auc_delong_trans_bool(NULL, true, 0.3, 0.2), false, 0.1, 0.3) AS paired,
	grove.ndcg_trans(grove.ndcg_trans(NULL, 1, 1, 0.3, 5), 1, 0, 0.4, 5) AS query;
SELECT pg_temp.try($$SELECT grove.metric_combine(log_loss, r2) FROM states$$);
SELECT pg_temp.try($$SELECT grove.metric_combine(log_loss, ranked) FROM states$$);
SELECT pg_temp.try($$SELECT grove.metric_combine(query, grove.ndcg_trans(NULL, 1, 1, 0.3, 6)) FROM states$$);
SELECT pg_temp.try($$SELECT grove.brier_trans(log_loss, 1, 0.5) FROM states$$);
SELECT pg_temp.try($$SELECT grove.ranked_trans(paired, 1, 0.5) FROM states$$);
SELECT pg_temp.try($$SELECT grove.metric_final(ranked) FROM states$$);
SELECT pg_temp.try($$SELECT grove.auc_final(log_loss) FROM states$$);
SELECT pg_temp.try($$SELECT grove.average_precision_final(query) FROM states$$);
SELECT pg_temp.try($$SELECT grove.auc_delong_final(ranked) FROM states$$);
SELECT pg_temp.try($$SELECT grove.ndcg_final(paired) FROM states$$);
SELECT pg_temp.try($$SELECT ''::grove.metric_state$$);
SELECT pg_temp.try($$SELECT 'abc'::grove.metric_state$$);
SELECT pg_temp.try($$SELECT 'xyz0'::grove.metric_state$$);
SELECT pg_temp.try($$SELECT '01010000000000000000'::grove.metric_state$$);
SELECT pg_temp.try($$SELECT '0110ffffffffffffffff'::grove.metric_state$$);

-- every truncation is refused, every changed byte is refused or is a state of which the final functions make something of
CREATE FUNCTION pg_temp.damage(good text, final text) RETURNS TABLE (outcome text, times bigint)
LANGUAGE plpgsql AS $$
DECLARE
	bad text;
	place int;
	value int;
	state grove.metric_state;
	outcomes text[] := '{}';
BEGIN
	FOR place IN 0 .. length(good) / 2 - 1 LOOP
		BEGIN
			state := left(good, place * 2)::grove.metric_state;
			outcomes := outcomes || 'truncated state accepted'::text;
		EXCEPTION WHEN invalid_binary_representation THEN
			outcomes := outcomes || 'truncated state refused'::text;
		END;
		FOREACH value IN ARRAY ARRAY[0, 1, 2, 16, 127, 128, 255] LOOP
			bad := overlay(good PLACING lpad(to_hex(value), 2, '0') FROM place * 2 + 1 FOR 2);
			BEGIN
				state := bad::grove.metric_state;
				EXECUTE format('SELECT %s(grove.metric_combine($1, $1))', final) USING state;
			EXCEPTION WHEN invalid_binary_representation OR invalid_parameter_value OR numeric_value_out_of_range THEN
				NULL;
			WHEN OTHERS THEN
				outcomes := outcomes || (SQLSTATE || ' ' || SQLERRM);
			END;
		END LOOP;
	END LOOP;
	RETURN QUERY SELECT o, count(*) FROM unnest(outcomes) AS o GROUP BY o ORDER BY o;
END
$$;
SELECT damage.* FROM states, pg_temp.damage(log_loss::text, 'grove.metric_final') AS damage;
SELECT damage.* FROM states, pg_temp.damage(r2::text, 'grove.metric_final') AS damage;
SELECT damage.* FROM states, pg_temp.damage(ranked::text, 'grove.auc_final') AS damage;
SELECT damage.* FROM states, pg_temp.damage(paired::text, 'grove.auc_delong_final') AS damage;
SELECT damage.* FROM states, pg_temp.damage(query::text, 'grove.ndcg_final') AS damage;

DROP TABLE states;
