-- block_design_effect: how much worse a sample of blocks is than one of rows.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;

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

-- 250 blocks of 40 rows: a value without order, a trend, a label constant in its block, and one around a large mean.
CREATE TABLE design_t AS
SELECT i, i / 40 AS block, grove.u01(1, i) AS noise, i + grove.u01(2, i) AS trend, (i / 40 % 2)::float8 AS label,
	   1.7e9 + grove.u01(3, i / 40) + grove.u01(4, i) AS epoch
FROM generate_series(0, 9999) i;
-- b * (sum of squares between blocks) / (total sum of squares), written down a second time.
CREATE FUNCTION pg_temp.slow(OUT noise float8, OUT trend float8, OUT label float8, OUT epoch float8) LANGUAGE sql AS $$
SELECT 40 * sum(n * noise_d ^ 2) / sum(noise_s), 40 * sum(n * trend_d ^ 2) / sum(trend_s), 40 * sum(n * label_d ^ 2) / sum(label_s), 40 * sum(n * epoch_d ^ 2) / sum(epoch_s)
FROM (SELECT count(*) AS n, avg(t.noise - m.noise) AS noise_d, sum((t.noise - m.noise) ^ 2) AS noise_s, avg(t.trend - m.trend) AS trend_d, sum((t.trend - m.trend) ^ 2) AS trend_s,
			 avg(t.label - m.label) AS label_d, sum((t.label - m.label) ^ 2) AS label_s, avg(t.epoch - m.epoch) AS epoch_d, sum((t.epoch - m.epoch) ^ 2) AS epoch_s
	  FROM design_t t, (SELECT avg(noise) AS noise, avg(trend) AS trend, avg(label) AS label, avg(epoch) AS epoch FROM design_t) AS m GROUP BY block) AS b
$$;
CREATE TABLE design_serial AS
SELECT grove.block_design_effect(noise, block) AS noise, grove.block_design_effect(trend, block) AS trend,
	   grove.block_design_effect(label, block) AS label, grove.block_design_effect(epoch, block) AS epoch FROM design_t;
SELECT round(noise::numeric, 6) AS noise, round(trend::numeric, 6) AS trend, round(label::numeric, 6) AS label, round(epoch::numeric, 6) AS epoch FROM design_serial;
SELECT abs(f.noise - s.noise) < 1e-9 AS noise, abs(f.trend - s.trend) < 1e-9 AS trend, abs(f.label - s.label) < 1e-9 AS label, abs(f.epoch - s.epoch) < 1e-5 AS epoch
FROM design_serial f, pg_temp.slow() s;
-- It is what a sample of blocks suffers: the variance of the mean over all blocks, against that over rows.
SELECT round((var_pop(m) / (max(v) / 40))::numeric, 6) AS variance_ratio FROM (SELECT block, avg(trend) AS m FROM design_t GROUP BY block) AS b, (SELECT var_pop(trend) AS v FROM design_t) AS r;

-- Bit for bit the same in any order, in parallel, and through text and binary forms of partial states.
CREATE TABLE design_all AS SELECT ARRAY[grove.block_design_effect(noise, block), grove.block_design_effect(trend, block), grove.block_design_effect(label, block), grove.block_design_effect(epoch, block)] AS e FROM design_t;
SELECT e = (SELECT ARRAY[grove.block_design_effect(noise, block), grove.block_design_effect(trend, block), grove.block_design_effect(label, block), grove.block_design_effect(epoch, block)] FROM (SELECT * FROM design_t ORDER BY grove.hash64(9, i)) AS o) AS any_order FROM design_all;
CREATE FUNCTION pg_temp.plan_has(node text, query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		found := found OR position(node IN line) > 0;
	END LOOP;
	RETURN found;
END $$;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
SELECT pg_temp.plan_has('Partial Aggregate', 'SELECT grove.block_design_effect(noise, block) FROM design_t') AS parallel_plan;
SELECT e = (SELECT ARRAY[grove.block_design_effect(noise, block), grove.block_design_effect(trend, block), grove.block_design_effect(label, block), grove.block_design_effect(epoch, block)] FROM design_t) AS parallel FROM design_all;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
CREATE AGGREGATE pg_temp.design_state(float8, bigint) (SFUNC = grove.block_design_trans, STYPE = grove.tally_state);
CREATE AGGREGATE pg_temp.merge_states(grove.tally_state) (SFUNC = grove.tally_combine, STYPE = grove.tally_state, FINALFUNC = grove.block_design_final);
SELECT pg_temp.merge_states(state::text::grove.tally_state ORDER BY part) = (SELECT epoch FROM design_serial) AS through_text
FROM (SELECT i % 7 AS part, pg_temp.design_state(epoch, block) AS state FROM design_t GROUP BY part) AS x;
-- A sort flattens states in memory of its own, where single pieces cannot be freed.
SELECT pg_temp.merge_states(state) = (SELECT epoch FROM design_serial) AS through_sort
FROM (SELECT i % 7 AS part, pg_temp.design_state(epoch, block) AS state FROM design_t GROUP BY part ORDER BY part DESC) AS x;
CREATE TABLE design_states AS SELECT i % 7 AS part, pg_temp.design_state(noise, block) AS state FROM design_t GROUP BY part;
SELECT pg_temp.merge_states(state ORDER BY part DESC) = (SELECT noise FROM design_serial) AS stored,
	   count(DISTINCT grove.tally_state_send(state)) AS states FROM design_states;
SELECT grove.tally_state_send(a) = grove.tally_state_send(b) AS canonical
FROM (SELECT pg_temp.design_state(noise, block ORDER BY i) AS a, pg_temp.design_state(noise, block ORDER BY -i) AS b FROM design_t) AS x;
SELECT grove.block_design_final(grove.tally_combine(NULL, state)) = grove.block_design_final(grove.tally_combine(state, NULL)) AS with_null,
	   grove.tally_combine(NULL, NULL) IS NULL AS only_null FROM design_states WHERE part = 0;

-- Above 2 a notice tells that blocks mislead: once for an aggregate of a plan, whatever the groups, and not for windows or by hand.
RESET client_min_messages;
SELECT grove.block_design_effect(trend, block) > 2 AS told FROM design_t;
SELECT grove.block_design_effect(noise, block) > 2 AS not_told FROM design_t;
SELECT min(effect) > 40 AS of_both, count(*) FROM (SELECT grove.block_design_effect(noise, block) + grove.block_design_effect(label, block) AS effect FROM design_t GROUP BY i / 1000) AS g;
SELECT count(*) AS rows, max(effect) > 2 AS not_told FROM (SELECT grove.block_design_effect(trend, block) OVER (ORDER BY i ROWS BETWEEN 99 PRECEDING AND CURRENT ROW) AS effect FROM design_t) AS w;
SELECT grove.block_design_final(state) > 2 AS not_told FROM (SELECT pg_temp.design_state(trend, block) AS state FROM design_t) AS s;
-- at 2 it is silent: two constant blocks of two rows, and one row more
SELECT grove.block_design_effect(x, b) AS not_told FROM (VALUES (0, 1), (0, 1), (1, 2), (1, 2)) AS v (x, b);
SELECT round(grove.block_design_effect(x, b)::numeric, 9) AS told FROM (VALUES (0, 1), (0, 1), (1, 2), (1, 2), (1, 2)) AS v (x, b);
SET client_min_messages = warning;

-- Window frames, groups, and what has no effect.
SELECT count(*) AS windows, count(DISTINCT round(e::numeric, 9)) AS values FROM (SELECT grove.block_design_effect(trend, block) OVER (ORDER BY i / 2000) AS e FROM design_t) AS x;
SELECT grove.block_design_effect(x, b) AS nothing FROM (VALUES (1::float8, 1::bigint)) AS v (x, b) WHERE false;
SELECT grove.block_design_effect(x, 1) AS one_block FROM (VALUES (1), (2), (3)) AS v (x);
SELECT grove.block_design_effect(5, b) AS constant FROM generate_series(1, 10) b;
SELECT grove.block_design_effect(x, b) AS nulls_skipped FROM (VALUES (1, 1), (2, 2), (NULL, 3), (4, NULL)) AS v (x, b);
SELECT grove.block_design_effect(x, b) AS rows_as_blocks FROM generate_series(1, 10) b, LATERAL (SELECT grove.u01(1, b) AS x) AS v;
SELECT round(grove.block_design_effect(x, b)::numeric, 9) AS negative_blocks FROM (VALUES (1, -5), (1, -5), (3, 9223372036854775807), (3, 9223372036854775807)) AS v (x, b);
SELECT round(grove.block_design_effect(x * 1e140, b)::numeric, 9) AS large, round(grove.block_design_effect(x * 1e-140, b)::numeric, 9) AS small
FROM (VALUES (1, 1), (2, 1), (3, 2), (5, 2)) AS v (x, b);

-- Errors.
SELECT statement, pg_temp.error_of('SELECT ' || statement) FROM unnest(ARRAY[
	'grove.block_design_effect(''NaN'', 1)',
	'grove.block_design_effect(''-infinity'', 1)',
	'grove.block_design_effect(1e200, 1)',
	'grove.block_design_final(''00''::grove.tally_state)',
	'''''::grove.tally_state',
	'''abc''::grove.tally_state',
	'''zz''::grove.tally_state',
	'''02010000000000000000000000000000000000''::grove.tally_state',
	'''01050000000000000000000000000000000000''::grove.tally_state',
	'''01010000000000000001000000000000000000''::grove.tally_state',
	'''010100000000000000000000000000000000''::grove.tally_state',
	'''0101000000000000000000000000000000000000''::grove.tally_state',
	'''01010000000000000000000100000000000000''::grove.tally_state',
	'''0101000000000000000000ffffffffffffffff''::grove.tally_state']) AS statement;
SELECT '01010000000000000000000000000000000000'::grove.tally_state AS empty,
	   grove.block_design_final('01010000000000000000000000000000000000') AS of_empty;
-- Cut short at any byte, or with any byte changed, a state is refused or is another valid one: nothing else.
CREATE FUNCTION pg_temp.try_state(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM grove.block_design_final(encode(bytes, 'hex')::grove.tally_state);
	RETURN 'read';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TABLE design_bytes AS SELECT grove.tally_state_send(pg_temp.design_state(noise, block)) AS bytes FROM design_t WHERE i < 120;
SELECT pg_temp.try_state(substr(bytes, 1, n)) AS cut, count(*) FROM design_bytes, generate_series(0, length(bytes) - 1) n GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE r NOT IN ('read', '22P03', '22023')) AS other, count(*) = (SELECT 3 * length(bytes) FROM design_bytes) AS tried
FROM (SELECT pg_temp.try_state(set_byte(bytes, n, get_byte(bytes, n) # x)) AS r FROM design_bytes, generate_series(0, length(bytes) - 1) n, unnest('{1,128,255}'::integer[]) x) AS y;
SET grove.max_memory = '100kB';
SELECT pg_temp.error_of('SELECT grove.block_design_effect(i, i) FROM generate_series(1, 100000) i') AS too_many;
RESET grove.max_memory;

DROP TABLE design_t, design_serial, design_all, design_states, design_bytes;
