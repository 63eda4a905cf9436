-- pps_threshold: the tau with sum(least(1, weight / tau)) = n.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END $$;

-- Small sets whose answer is known: nothing certain; the largest certain; ties; all certain.
SELECT n, grove.pps_threshold(w, n) AS tau, string_agg(round(least(1, w / tau)::numeric, 4)::text, ' ' ORDER BY w) AS pi
FROM (SELECT n, w, grove.pps_threshold(w, n) OVER (PARTITION BY n) AS tau FROM unnest('{1,2,3,4,5,6}'::bigint[]) n, unnest('{1,2,3,4,10}'::float8[]) w) AS x
GROUP BY n ORDER BY n;
SELECT grove.pps_threshold(w, 2) AS ties FROM unnest('{5,5,5,1}'::float8[]) w;
SELECT grove.pps_threshold(0, 3) AS all_zero, grove.pps_threshold(NULL, 3) FILTER (WHERE false) AS none;
SELECT grove.pps_threshold(w, 2) AS zeros_do_not_count FROM unnest('{0,1,1,2,0}'::float8[]) w;
SELECT grove.pps_threshold(w, 3) AS one_is_certain FROM unnest('{infinity,1,1,1,1}'::float8[]) w;
SELECT grove.pps_threshold(w, 1) AS infinity_takes_all FROM unnest('{infinity,1,2}'::float8[]) w;
SELECT grove.pps_threshold(w, 2) AS only_infinity FROM unnest('{infinity}'::float8[]) w;
-- Multiplying all weights by a power of two multiplies tau by it.
SELECT bool_and(grove_tau = base * 2 ^ e) AS scales
FROM (SELECT e, grove.pps_threshold(w * 2 ^ e, 3) AS grove_tau FROM unnest('{-900,-30,0,30,900}'::float8[]) e, unnest('{1,2,3,4,10,0.1}'::float8[]) w GROUP BY e) AS x,
	 (SELECT grove.pps_threshold(w, 3) AS base FROM unnest('{1,2,3,4,10,0.1}'::float8[]) w) AS y;

-- Inverse frequencies: few distinct weights, exact.  Heavy tail: many, nearly exact.
CREATE TABLE pps_t AS SELECT i, 1 / (1 + i % 500)::float8 AS inverse, grove.u01(1, i) ^ -1.5 AS heavy FROM generate_series(1, 60000) i;
SELECT n, abs(inverse_sum / n - 1) < 1e-12 AS inverse_is_exact, heavy_certain > 0 AS some_certain, abs(heavy_sum / n - 1) < 1e-6 AS heavy_is_close
FROM (SELECT n, sum(least(1, inverse / inverse_tau)) AS inverse_sum, sum(least(1, heavy / heavy_tau)) AS heavy_sum, count(*) FILTER (WHERE heavy >= heavy_tau) AS heavy_certain
	  FROM pps_t, (SELECT n, grove.pps_threshold(inverse, n) AS inverse_tau, grove.pps_threshold(heavy, n) AS heavy_tau
				   FROM pps_t, unnest('{10,1000,20000,50000}'::bigint[]) n GROUP BY n) AS t
	  GROUP BY n) AS s ORDER BY n;
-- The Poisson sample that it plans has n rows on average.
SELECT abs(count(*) - 1000) < 5 * sqrt(1000) AS near_n
FROM pps_t, (SELECT grove.pps_threshold(heavy, 1000) AS tau FROM pps_t) AS t WHERE grove.keep(least(1, heavy / tau), 42, i);

-- Bit for bit the same in any order, in parallel, and through partial states.
CREATE TABLE pps_serial AS SELECT ARRAY[grove.pps_threshold(inverse, 1000), grove.pps_threshold(heavy, 1000)] AS tau FROM pps_t;
SELECT tau = (SELECT ARRAY[grove.pps_threshold(inverse, 1000), grove.pps_threshold(heavy, 1000)] FROM (SELECT * FROM pps_t ORDER BY grove.hash64(9, i)) AS o) AS any_order FROM pps_serial;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
SELECT tau = (SELECT ARRAY[grove.pps_threshold(inverse, 1000), grove.pps_threshold(heavy, 1000)] FROM pps_t) AS parallel FROM pps_serial;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
CREATE AGGREGATE pg_temp.pps_state(float8, bigint) (SFUNC = grove.pps_threshold_trans, STYPE = grove.tally_state);
CREATE AGGREGATE pg_temp.merge_states(grove.tally_state) (SFUNC = grove.tally_combine, STYPE = grove.tally_state);
CREATE TABLE pps_states AS SELECT i % 3 AS part, pg_temp.pps_state(heavy, 1000) AS state FROM pps_t GROUP BY part;
SELECT grove.pps_threshold_final(pg_temp.merge_states(state)) = (SELECT tau[2] FROM pps_serial) AS through_sort
FROM (SELECT i % 3 AS part, pg_temp.pps_state(heavy, 1000) AS state FROM pps_t GROUP BY part ORDER BY part DESC) AS x;
SELECT grove.pps_threshold_final(pg_temp.merge_states(state::text::grove.tally_state)) = (SELECT tau[2] FROM pps_serial) AS through_text,
	   grove.tally_state_send(pg_temp.merge_states(state ORDER BY part)) = grove.tally_state_send(pg_temp.merge_states(state ORDER BY -part)) AS canonical
FROM pps_states;
SELECT grove.tally_state_send(pg_temp.merge_states(state)) = (SELECT grove.tally_state_send(pg_temp.pps_state(heavy, 1000)) FROM pps_t) AS as_direct FROM pps_states;

-- Errors.
SELECT statement, pg_temp.error_of('SELECT grove.' || statement) FROM unnest(ARRAY[
	'pps_threshold(-1, 5)',
	'pps_threshold(''NaN'', 5)',
	'pps_threshold(NULL, 5)',
	'pps_threshold(1, NULL)',
	'pps_threshold(1, 0)',
	'pps_threshold(1, i) FROM generate_series(1, 2) i',
	'pps_threshold(''infinity'', 2) FROM generate_series(1, 3)',
	'block_design_final(grove.pps_threshold_trans(NULL, 1, 1))',
	'pps_threshold_final(grove.block_design_trans(NULL, 1, 1))',
	'tally_combine(grove.pps_threshold_trans(NULL, 1, 1), grove.pps_threshold_trans(NULL, 1, 2))',
	'tally_combine(grove.pps_threshold_trans(NULL, 1, 1), grove.block_design_trans(NULL, 1, 2))']) AS statement;
CREATE FUNCTION pg_temp.try_state(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM grove.pps_threshold_final(encode(bytes, 'hex')::grove.tally_state);
	RETURN 'read';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TABLE pps_bytes AS SELECT grove.tally_state_send(pg_temp.pps_state(inverse, 2)) AS bytes FROM pps_t WHERE i < 6;
SELECT pg_temp.try_state(substr(bytes, 1, n)) AS cut, count(*) FROM pps_bytes, generate_series(0, length(bytes) - 1) n GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE r NOT IN ('read', '22P03', '22023', '22000')) AS other, count(*) = (SELECT 3 * length(bytes) FROM pps_bytes) AS tried
FROM (SELECT pg_temp.try_state(set_byte(bytes, n, get_byte(bytes, n) # x)) AS r FROM pps_bytes, generate_series(0, length(bytes) - 1) n, unnest('{1,128,255}'::integer[]) x) AS y;

DROP TABLE pps_t, pps_serial, pps_states, pps_bytes;
