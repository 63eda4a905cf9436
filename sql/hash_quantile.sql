-- hash_quantile and hash_threshold: the cut for a sample of exact size by key, in two scans.
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

CREATE TABLE quantile_t AS SELECT i, grove.hash64(42, i) AS h FROM generate_series(1, 20000) i;
-- Against the sorted hashes: round(fraction * rows) of them.
SELECT f, count(*) FILTER (WHERE h <= cut) AS rows, bool_and(cut = expected OR expected IS NULL) AS as_sorted
FROM quantile_t, unnest('{0.0001,0.1,0.25,0.33333,0.5,0.9,0.9999,1}'::float8[]) f,
	 LATERAL (SELECT grove.hash_quantile(h, f) AS cut FROM quantile_t) AS q,
	 LATERAL (SELECT h AS expected FROM quantile_t WHERE f < 1 ORDER BY h OFFSET round((f * 20000)::numeric)::bigint - 1 LIMIT 1) AS s
GROUP BY f ORDER BY f;
SELECT grove.hash_quantile(h, 1) = 9223372036854775807 AS every, grove.hash_quantile(h, 0) IS NULL AS none, grove.hash_quantile(h, 0.00001) IS NULL AS less_than_one_row FROM quantile_t;
SELECT k, count(*) FILTER (WHERE h <= cut) AS rows
FROM quantile_t, unnest('{1,2,500,19999,20000,1000000}'::bigint[]) k, LATERAL (SELECT grove.hash_threshold(h, k) AS cut FROM quantile_t) AS q
GROUP BY k ORDER BY k;
-- Two scans, exactly a tenth of the users, all rows of each.
SELECT count(DISTINCT i / 10) AS users, count(*) AS rows
FROM quantile_t, (SELECT grove.hash_threshold(DISTINCT grove.hash64(7, i / 10), 200) AS cut FROM quantile_t) AS q
WHERE grove.hash64(7, i / 10) <= cut;
-- Duplicates count by rows: the smallest cut that reaches the share.
SELECT grove.hash_quantile(x, 0.5) AS median, grove.hash_quantile(x, 0.51) AS above, grove.hash_threshold(x, 1) AS first, grove.hash_quantile(NULLIF(x, 3), 0.5) AS nulls_skipped
FROM unnest('{1,1,1,2,3,3}'::bigint[]) x;
SELECT grove.hash_quantile(x, 0.4) AS extremes FROM unnest('{-9223372036854775808,9223372036854775807,0,-1,1}'::bigint[]) x;
SELECT grove.hash_quantile(h, 0.5) AS nothing, grove.hash_threshold(h, 5) AS nothing_either FROM quantile_t WHERE false;

-- 550,000 hashes are more than are kept; still exact, in any order and in parallel.
CREATE TABLE quantile_many AS SELECT grove.hash64(1, i) AS h FROM generate_series(1, 550000) i;
CREATE TABLE quantile_serial AS SELECT ARRAY[grove.hash_quantile(h, 0.3), grove.hash_threshold(h, 12345)] AS cut FROM quantile_many;
SELECT count(*) FILTER (WHERE h <= cut[1]) AS three_tenths, count(*) FILTER (WHERE h <= cut[2]) AS k FROM quantile_many, quantile_serial;
SELECT cut = (SELECT ARRAY[grove.hash_quantile(h, 0.3), grove.hash_threshold(h, 12345)] FROM (SELECT * FROM quantile_many ORDER BY h) AS o) AS sorted FROM quantile_serial;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
SELECT cut = (SELECT ARRAY[grove.hash_quantile(h, 0.3), grove.hash_threshold(h, 12345)] FROM quantile_many) AS parallel FROM quantile_serial;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
CREATE AGGREGATE pg_temp.quantile_state(bigint, float8) (SFUNC = grove.hash_quantile_trans, STYPE = grove.tally_state);
CREATE AGGREGATE pg_temp.merge_states(grove.tally_state) (SFUNC = grove.tally_combine, STYPE = grove.tally_state);
SELECT grove.hash_quantile_final(pg_temp.merge_states(state::text::grove.tally_state)) = (SELECT grove.hash_quantile(h, 0.3) FROM quantile_t) AS through_text,
	   grove.tally_state_send(pg_temp.merge_states(state)) = (SELECT grove.tally_state_send(pg_temp.quantile_state(h, 0.3)) FROM quantile_t) AS as_direct
FROM (SELECT i % 5 AS part, pg_temp.quantile_state(h, 0.3) AS state FROM quantile_t GROUP BY part) AS x;

-- What is not spread like a hash is answered exactly or not at all.
SELECT pg_temp.error_of('SELECT grove.hash_quantile(i, 0.5) FROM generate_series(1, 530000) i') AS not_hashes;
SELECT grove.hash_quantile(i, 0.1) AS few_of_them FROM generate_series(1, 200000) i;
-- Errors.
SELECT statement, pg_temp.error_of('SELECT grove.' || statement) FROM unnest(ARRAY[
	'hash_quantile(1, NULL)',
	'hash_quantile(1, -0.1)',
	'hash_quantile(1, 1.1)',
	'hash_quantile(1, ''NaN'')',
	'hash_quantile(i, i / 10.0) FROM generate_series(1, 2) i',
	'hash_threshold(1, NULL)',
	'hash_threshold(1, 0)',
	'hash_threshold(h, 300000) FROM quantile_many',
	'hash_threshold_final(grove.hash_quantile_trans(NULL, 1, 0.5))',
	'tally_combine(grove.hash_quantile_trans(NULL, 1, 0.5), grove.hash_quantile_trans(NULL, 1, 0.6))']) AS statement;
CREATE FUNCTION pg_temp.try_state(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM grove.hash_quantile_final(encode(bytes, 'hex')::grove.tally_state);
	RETURN 'read';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TABLE quantile_bytes AS SELECT grove.tally_state_send(pg_temp.quantile_state(h, 0.5)) AS bytes FROM quantile_t WHERE i < 6;
SELECT pg_temp.try_state(substr(bytes, 1, n)) AS cut, count(*) FROM quantile_bytes, generate_series(0, length(bytes) - 1) n GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE r NOT IN ('read', '22P03', '22023', '22000')) AS other, count(*) = (SELECT 3 * length(bytes) FROM quantile_bytes) AS tried
FROM (SELECT pg_temp.try_state(set_byte(bytes, n, get_byte(bytes, n) # x)) AS r FROM quantile_bytes, generate_series(0, length(bytes) - 1) n, unnest('{1,128,255}'::integer[]) x) AS y;

DROP TABLE quantile_t, quantile_many, quantile_serial, quantile_bytes;
