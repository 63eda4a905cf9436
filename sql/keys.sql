-- Keys: canonical bytes, the hash, and the decisions made of it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

-- The hash, written down a second time with arbitrary-precision numbers.
CREATE FUNCTION pg_temp.wrap(n numeric) RETURNS numeric LANGUAGE sql AS
	$$SELECT mod(mod(n, 18446744073709551616) + 18446744073709551616, 18446744073709551616)$$;
CREATE FUNCTION pg_temp.word(n numeric) RETURNS bigint LANGUAGE sql AS
	$$SELECT (CASE WHEN pg_temp.wrap(n) >= 9223372036854775808 THEN pg_temp.wrap(n) - 18446744073709551616
			  ELSE pg_temp.wrap(n) END)::bigint$$;
CREATE FUNCTION pg_temp.xorshift(n numeric, bits int) RETURNS numeric LANGUAGE sql AS
	$$SELECT pg_temp.wrap(pg_temp.word(n) # pg_temp.word(div(pg_temp.wrap(n), 2::numeric ^ bits)))$$;
CREATE FUNCTION pg_temp.mix(x numeric) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
	x := pg_temp.wrap(pg_temp.xorshift(x, 30) * 13787848793156543929);	-- bf58476d1ce4e5b9
	x := pg_temp.wrap(pg_temp.xorshift(x, 27) * 10723151780598845931);	-- 94d049bb133111eb
	RETURN pg_temp.xorshift(x, 31);
END $$;
CREATE FUNCTION pg_temp.rng_key(seed bigint, purpose int) RETURNS numeric LANGUAGE sql AS
	$$SELECT pg_temp.mix(pg_temp.mix(seed + 11400714819323198485) + (purpose + 1) * 15074714826142052245)$$;
CREATE FUNCTION pg_temp.ref_integer(key numeric, x bigint) RETURNS bigint LANGUAGE sql AS
	$$SELECT pg_temp.word(pg_temp.mix(pg_temp.mix(x # pg_temp.word(key)) + pg_temp.wrap(pg_temp.word(key) | 1)))$$;
CREATE FUNCTION pg_temp.ref_bytes(key numeric, bytes bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	state numeric := pg_temp.mix(key + length(bytes) * 11400714819323198485);
	word numeric;
BEGIN
	FOR i IN 0 .. (length(bytes) + 7) / 8 - 1 LOOP
		word := 0;
		FOR j IN REVERSE least(8 * i + 7, length(bytes) - 1) .. 8 * i LOOP
			word := word * 256 + get_byte(bytes, j);
		END LOOP;
		state := pg_temp.mix(pg_temp.word(state) # pg_temp.word(word)) + key;
	END LOOP;
	RETURN pg_temp.word(pg_temp.mix(state));
END $$;

-- One integer column: the 64-bit path.
SELECT i, grove.hash64(42, i), grove.hash64(42, i) = pg_temp.ref_integer(pg_temp.rng_key(42, 0), i) AS as_reference
FROM unnest('{0,1,-1,42,4294967296,30064771078,9223372036854775807,-9223372036854775808}'::bigint[]) i;
SELECT count(*) AS equal
FROM generate_series(1, 50) i, unnest('{0,-1,7,9223372036854775807}'::bigint[]) seed
WHERE grove.hash64(seed, i) = pg_temp.ref_integer(pg_temp.rng_key(seed, 0), i);
-- All widths alike; with NULL it is an error, not a row that drops out.
SELECT grove.hash64(1, 7::smallint) = grove.hash64(1, 7::integer) AS int2_int4,
	   grove.hash64(1, 7::integer) = grove.hash64(1, 7::bigint) AS int4_int8,
	   grove.hash64(1, -7::smallint) = grove.hash64(1, -7::bigint) AS negative,
	   grove.hash64(1, 7::smallint, -7::integer) = grove.hash64(1, 7::bigint, -7::smallint) AS two_columns;
-- A bijection: keys that share their low or folded 32 bits stay apart.
SELECT count(DISTINCT grove.hash64(42, k))
FROM (SELECT i * 4294967296 AS k FROM generate_series(1, 10000) i UNION SELECT i FROM generate_series(1, 10000) i) AS keys;
SELECT count(DISTINCT grove.hash64(s, 1)) FROM generate_series(-5000, 4999) s;

-- Canonical bytes of every type, and the hash of those bytes.
CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN pg_temp.sku AS text CHECK (value <> '');
CREATE DOMAIN pg_temp.sku_id AS integer;
CREATE TYPE pg_temp.pair AS (a integer, b text);
CREATE FUNCTION pg_temp.golden(type text, bytes bytea, hash bigint, OUT type text, OUT bytes text, OUT hash bigint, OUT as_reference boolean)
LANGUAGE sql AS $$SELECT $1, encode($2, 'hex'), $3, $3 = pg_temp.ref_bytes(pg_temp.rng_key(42, 0), $2)$$;
SELECT golden.* FROM (VALUES
	('text', grove.key_bytes('grove'::text), grove.hash64(42, 'grove'::text)),
	('empty text', grove.key_bytes(''::text), grove.hash64(42, ''::text)),
	('text, 2-byte letters', grove.key_bytes(U&'B\00e4ume'::text), grove.hash64(42, U&'B\00e4ume'::text)),
	('literal', grove.key_bytes('grove'), grove.hash64(42, 'grove')),
	('varchar', grove.key_bytes('grove '::varchar), grove.hash64(42, 'grove '::varchar)),
	('char(9)', grove.key_bytes('grove'::char(9)), grove.hash64(42, 'grove'::char(9))),
	('name', grove.key_bytes('grove'::name), grove.hash64(42, 'grove'::name)),
	('"char"', grove.key_bytes('g'::"char"), grove.hash64(42, 'g'::"char")),
	('enum', grove.key_bytes('happy'::pg_temp.mood), grove.hash64(42, 'happy'::pg_temp.mood)),
	('domain', grove.key_bytes('grove'::pg_temp.sku), grove.hash64(42, 'grove'::pg_temp.sku)),
	('bytea', grove.key_bytes('\x00ff00'::bytea), grove.hash64(42, '\x00ff00'::bytea)),
	('uuid', grove.key_bytes('00112233-4455-6677-8899-aabbccddeeff'::uuid), grove.hash64(42, '00112233-4455-6677-8899-aabbccddeeff'::uuid)),
	('numeric', grove.key_bytes(-12.5), grove.hash64(42, -12.5)),
	('numeric, NaN', grove.key_bytes('NaN'::numeric), grove.hash64(42, 'NaN'::numeric)),
	('double precision', grove.key_bytes(1.5::float8), grove.hash64(42, 1.5::float8)),
	('double, zero', grove.key_bytes('-0'::float8), grove.hash64(42, '-0'::float8)),
	('double, NaN', grove.key_bytes('NaN'::float8), grove.hash64(42, 'NaN'::float8)),
	('real', grove.key_bytes('-inf'::float4), grove.hash64(42, '-inf'::float4)),
	('boolean', grove.key_bytes(true), grove.hash64(42, true)),
	('date', grove.key_bytes('1999-12-31'::date), grove.hash64(42, '1999-12-31'::date)),
	('date, -infinity', grove.key_bytes('-infinity'::date), grove.hash64(42, '-infinity'::date)),
	('date, infinity', grove.key_bytes('infinity'::date), grove.hash64(42, 'infinity'::date)),
	('time', grove.key_bytes('00:00:01'::time), grove.hash64(42, '00:00:01'::time)),
	('timestamp', grove.key_bytes('2000-01-01 00:00:01'::timestamp), grove.hash64(42, '2000-01-01 00:00:01'::timestamp)),
	('timestamp, infinity', grove.key_bytes('infinity'::timestamp), grove.hash64(42, 'infinity'::timestamp)),
	('timestamptz', grove.key_bytes('2000-01-01 00:00:01+01'::timestamptz), grove.hash64(42, '2000-01-01 00:00:01+01'::timestamptz)),
	('row', grove.key_bytes(ROW(1, 'x')::pg_temp.pair), grove.hash64(42, ROW(1, 'x')::pg_temp.pair)),
	('row, anonymous', grove.key_bytes(ROW(1, 'x', NULL)), grove.hash64(42, ROW(1, 'x', NULL))),
	('array', grove.key_bytes(ARRAY[1, NULL, 2]), grove.hash64(42, ARRAY[1, NULL, 2])),
	('array, empty', grove.key_bytes('{}'::int[]), grove.hash64(42, '{}'::int[])),
	('array of rows', grove.key_bytes(ARRAY[ROW(1, 'x')::pg_temp.pair]), grove.hash64(42, ARRAY[ROW(1, 'x')::pg_temp.pair])),
	('two columns', grove.key_bytes(1, 'x'::text), grove.hash64(42, 1, 'x'::text))) AS v (type, bytes, hash),
	pg_temp.golden(v.type, v.bytes, v.hash) AS golden;

-- Equal values, equal bytes, whatever they look like.
SELECT what, a = b AS equal FROM (VALUES
	('numeric scale', grove.key_bytes(5::numeric), grove.key_bytes(5.0)),
	('numeric scale', grove.key_bytes(5.00), grove.key_bytes(5::numeric(20, 10))),
	('numeric, large', grove.key_bytes(1e40), grove.key_bytes(10000000000000000000000000000000000000000.000)),
	('numeric, small', grove.key_bytes(1e-40), grove.key_bytes(0.00000000000000000000000000000000000000010)),
	('numeric, zero', grove.key_bytes(0.000), grove.key_bytes(-0.0)),
	('trailing blanks', grove.key_bytes('a'::char(3)), grove.key_bytes('a'::char(10))),
	('trailing blanks', grove.key_bytes('a'::char(3)), grove.key_bytes('a'::text)),
	('float zero', grove.key_bytes('-0'::float8), grove.key_bytes(0::float4)),
	('float NaN', grove.key_bytes('NaN'::float8), grove.key_bytes('NaN'::float4)),
	('float width', grove.key_bytes(0.5::float4), grove.key_bytes(0.5::float8)),
	('enum label', grove.key_bytes('ok'::pg_temp.mood), grove.key_bytes('ok'::text)),
	('time zone', grove.key_bytes('2020-06-01 12:00+02'::timestamptz), grove.key_bytes('2020-06-01 10:00+00'::timestamptz)),
	('domain', grove.key_bytes(7::pg_temp.sku_id), grove.key_bytes(7)),
	('row type', grove.key_bytes(ROW(1, 'x'::text)), grove.key_bytes(ROW(1, 'x')::pg_temp.pair)),
	('toasted', grove.key_bytes(repeat('x', 100000)), grove.key_bytes(repeat('x', 50000) || repeat('x', 50000)))) AS v (what, a, b);
-- Different values, different bytes.
SELECT count(*) AS keys, count(DISTINCT bytes) AS distinct_bytes, count(DISTINCT pg_temp.ref_bytes(pg_temp.rng_key(1, 0), bytes)) AS distinct_hashes FROM (VALUES
	(grove.key_bytes('a', 'bc')), (grove.key_bytes('ab', 'c')), (grove.key_bytes('abc')), (grove.key_bytes('abc', '')), (grove.key_bytes('', 'abc')),
	(grove.key_bytes(1)), (grove.key_bytes(1::numeric)), (grove.key_bytes(1::float8)), (grove.key_bytes('1')), (grove.key_bytes('1'::bytea)), (grove.key_bytes(true)),
	(grove.key_bytes('a '::text)), (grove.key_bytes('a'::text)), (grove.key_bytes(1, 1)), (grove.key_bytes(ROW(1, 1))), (grove.key_bytes(ARRAY[1, 1])),
	(grove.key_bytes(ARRAY[[1], [1]])), (grove.key_bytes(ARRAY[[1, 1]])), (grove.key_bytes('[2:3]={1,1}'::int[])), (grove.key_bytes(ROW(1), 1)), (grove.key_bytes(ROW(NULL, 1))),
	(grove.key_bytes('2000-01-01'::date)), (grove.key_bytes('2000-01-01'::timestamp)), (grove.key_bytes('2000-01-01'::timestamptz)), (grove.key_bytes('00:00'::time)),
	(grove.key_bytes('24:00'::time)), (grove.key_bytes(0.1::float4)), (grove.key_bytes(0.1::float8)), (grove.key_bytes('infinity'::float8)), (grove.key_bytes('-infinity'::float8)),
	(grove.key_bytes('1970-01-01 00:00:00.000001'::timestamp)), (grove.key_bytes('1970-01-01'::timestamp))) AS v (bytes);

-- VARIADIC arrays are columns, as many as they have elements, also when that changes from row to row.
SELECT grove.hash64(42, VARIADIC ARRAY[1, 2]) = grove.hash64(42, 1, 2) AS two,
	   grove.hash64(42, VARIADIC ARRAY[1]) = grove.hash64(42, 1) AS one,
	   grove.hash64(42, VARIADIC ARRAY['a', 'b', 'c']) = grove.hash64(42, 'a', 'b', 'c') AS three,
	   grove.keep(0.5, 42, VARIADIC ARRAY['a', 'b']) = grove.keep(0.5, 42, 'a', 'b') AS keep,
	   grove.key_bytes(VARIADIC ARRAY[1, NULL]) = grove.key_bytes(1, NULL::int) AS bytes;
SELECT n, grove.hash64(1, VARIADIC a) = CASE n WHEN 1 THEN grove.hash64(1, 7) WHEN 2 THEN grove.hash64(1, 7, 7) ELSE grove.hash64(1, 7, 7, 7) END AS equal
FROM (SELECT i, i % 3 + 1 AS n, array_fill(7, ARRAY[i % 3 + 1]) AS a FROM generate_series(1, 6) i) AS x ORDER BY i;

-- A row type is looked up again after ALTER TYPE, dropped columns do not count.
CREATE TABLE key_rows (id integer, gone text, label text);
INSERT INTO key_rows VALUES (1, 'x', 'a');
CREATE FUNCTION key_rows_bytes() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r key_rows;
	result text := '';
BEGIN
	FOR i IN 1 .. 2 LOOP
		EXECUTE 'SELECT * FROM key_rows' INTO r;
		result := result || (grove.key_bytes(r) = grove.key_bytes(ROW(1, 'a'::text)))::text || ' ';
	END LOOP;
	RETURN result;
END $$;
ALTER TABLE key_rows DROP COLUMN gone;
SELECT key_rows_bytes(), grove.hash64(42, k) = grove.hash64(42, ROW(1, 'a'::text)) AS dropped FROM key_rows k;
ALTER TABLE key_rows ADD COLUMN later integer DEFAULT 5;
SELECT grove.hash64(42, k) = grove.hash64(42, ROW(1, 'a'::text, 5)) AS added FROM key_rows k;
-- Anonymous rows of different shapes through one call site.
CREATE FUNCTION pg_temp.shape(i integer) RETURNS record LANGUAGE plpgsql AS
	$$BEGIN IF i % 2 = 0 THEN RETURN ROW(i); END IF; RETURN ROW(i, 'odd'::text); END $$;
SELECT i, grove.hash64(42, pg_temp.shape(i)) = CASE WHEN i % 2 = 0 THEN grove.hash64(42, ROW(i)) ELSE grove.hash64(42, ROW(i, 'odd'::text)) END AS equal
FROM generate_series(1, 4) i;

-- u01: inside (0, 1), even, of the same hash.
SELECT min(u) > 0 AS above_0, max(u) < 1 AS below_1, abs(avg(u) - 0.5) < 5 * 0.2887 / sqrt(count(*)) AS mean,
	   bool_and(u = (floor(pg_temp.wrap(h) / 4096)::float8 + 0.5) / 4503599627370496) AS of_the_hash
FROM (SELECT grove.u01(42, i) AS u, grove.hash64(42, i) AS h FROM generate_series(1, 2000) i) AS x;

-- keep: share, edges, a fraction that differs from row to row, nested for one seed.
SELECT count(*) FILTER (WHERE grove.keep(0.1, 42, i)) AS tenth, count(*) FILTER (WHERE grove.keep(0, 42, i)) AS none,
	   count(*) FILTER (WHERE grove.keep(1, 42, i)) AS every,
	   count(*) FILTER (WHERE grove.keep(0.1, 42, i) AND NOT grove.keep(0.2, 42, i)) AS lost_by_more,
	   abs(count(*) FILTER (WHERE grove.keep(i / 100000.0, 43, i)) - 50000) < 5 * sqrt(100000 / 6.0) AS by_row
FROM generate_series(1, 100000) i;
SELECT bool_and(grove.keep(0.3, 42, i) = (pg_temp.wrap(pg_temp.ref_integer(pg_temp.rng_key(42, 1), i)) < floor(0.3 * 18446744073709551616))) AS as_reference
FROM generate_series(1, 500) i;

-- split: shares, parts that nothing falls into, one part; key = user keeps a user together.
SELECT part, count(*) FROM (SELECT grove.split('{0.7,0.2,0.1}', 42, i) AS part FROM generate_series(1, 100000) i) AS x GROUP BY part ORDER BY part;
SELECT part, count(*) FROM (SELECT grove.split('{0,0.5,0,0.5,0}', 42, i) AS part FROM generate_series(1, 1000) i) AS x GROUP BY part ORDER BY part;
SELECT DISTINCT grove.split('{1}', 42, i) AS one, grove.split('[0:1]={0,1}', 42, i) AS two FROM generate_series(1, 100) i;
SELECT max(parts) AS parts_of_a_user FROM (SELECT count(DISTINCT grove.split('{0.5,0.5}', 1, i % 100)) AS parts FROM generate_series(1, 1000) i GROUP BY i % 100) AS x;
SELECT bool_and(grove.split(f, 42, i) = grove.split(CASE i % 2 WHEN 0 THEN '{0.5,0.5}'::float8[] ELSE '{0.1,0.9}'::float8[] END, 42, i)) AS changing_fractions
FROM (SELECT i, CASE i % 2 WHEN 0 THEN '{0.5,0.5}'::float8[] ELSE '{0.1,0.9}'::float8[] END AS f FROM generate_series(1, 100) i) AS x;
SELECT pg_temp.error_of($$SELECT grove.split(ARRAY[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1], 1, 1)$$) AS decimals;

-- fold: 0 to k - 1, even.
SELECT fold, count(*) FROM (SELECT grove.fold(5, 42, i) AS fold FROM generate_series(1, 50000) i) AS x GROUP BY fold ORDER BY fold;
SELECT DISTINCT grove.fold(1, 42, i) FROM generate_series(1, 100) i;

-- Two decisions under one seed have nothing in common: half of each half.
SELECT abs(count(*) FILTER (WHERE grove.keep(0.5, 42, i) AND grove.split('{0.5,0.5}', 42, i) = 1) - 25000) < 5 * 137 AS keep_split,
	   abs(count(*) FILTER (WHERE grove.keep(0.5, 42, i) AND grove.fold(2, 42, i) = 0) - 25000) < 5 * 137 AS keep_fold,
	   abs(count(*) FILTER (WHERE grove.fold(2, 42, i) = 0 AND grove.split('{0.5,0.5}', 42, i) = 1) - 25000) < 5 * 137 AS fold_split,
	   abs(count(*) FILTER (WHERE grove.u01(42, i) < 0.5 AND grove.keep(0.5, 42, i)) - 25000) < 5 * 137 AS u01_keep,
	   abs(count(*) FILTER (WHERE grove.shuffle_hash(42, i) < 0 AND grove.hash64(42, i) < 0) - 25000) < 5 * 137 AS shuffle_hash64
FROM generate_series(1, 100000) i;

-- inverse_pi and prior_correct.
SELECT f, grove.inverse_pi(f, 1, 2, 0.01) AS gamma_1, grove.inverse_pi(f, 0.5, 2, 0.01) AS gamma_half, grove.inverse_pi(f, 0, 0.25, 0) AS gamma_0
FROM unnest('{1,2,4,16,100,10000,1e300}'::float8[]) f;
SELECT grove.inverse_pi(1e-300, 2, 0, 0) AS tau_0, grove.inverse_pi(NULL, 1, 1, 0) AS null_frequency, grove.inverse_pi(5, 1, 1, 1) AS floor_1;
SELECT p, round(grove.prior_correct(p, 1, 0.1)::numeric, 6) AS negatives_pruned, round(grove.prior_correct(p, 0.5, 0.5)::numeric, 6) AS alike
FROM unnest('{0,0.1,0.5,0.9,1}'::float8[]) p;
-- Of 1,000 positives and 9,000 negatives all and 1,000 are kept: 0.5 there is 0.1 here.
SELECT round(grove.prior_correct(0.5, 1, 1000 / 9000.0)::numeric, 6) AS prior, grove.prior_correct(NULL, 1, 1) AS null_p,
	   grove.prior_correct(0.5, 1e-320, 1) AS tiny;

-- Errors.
SELECT statement, pg_temp.error_of(statement) FROM unnest(ARRAY[
	'SELECT grove.hash64(NULL, 1)',
	'SELECT grove.hash64(1, NULL::int)',
	'SELECT grove.hash64(1, NULL)',
	'SELECT grove.hash64(1, 1, NULL::text)',
	'SELECT grove.hash64(1)',
	'SELECT grove.hash64(1, VARIADIC NULL::int[])',
	'SELECT grove.hash64(1, VARIADIC ''{}''::int[])',
	'SELECT grove.hash64(1, VARIADIC ARRAY[1,NULL])',
	'SELECT grove.hash64(1, ''{}''::jsonb)',
	'SELECT grove.hash64(1, 1, ''1 day''::interval)',
	'SELECT grove.hash64(1, ROW(1, ''{}''::json))',
	'SELECT grove.hash64(1, ARRAY[point(1,2)])',
	'SELECT grove.u01(1, NULL::uuid)',
	'SELECT grove.keep(NULL, 1, 1)',
	'SELECT grove.keep(0.5, NULL, 1)',
	'SELECT grove.keep(0.5, 1, NULL::int)',
	'SELECT grove.keep(-0.1, 1, 1)',
	'SELECT grove.keep(1.5, 1, 1)',
	'SELECT grove.keep(''NaN'', 1, 1)',
	'SELECT grove.split(NULL, 1, 1)',
	'SELECT grove.split(''{0.5,0.5}'', NULL, 1)',
	'SELECT grove.split(''{0.5,0.5}'', 1, NULL::int)',
	'SELECT grove.split(''{}'', 1, 1)',
	'SELECT grove.split(''{{0.5,0.5}}'', 1, 1)',
	'SELECT grove.split(''{0.5,NULL}'', 1, 1)',
	'SELECT grove.split(''{0.5,0.4}'', 1, 1)',
	'SELECT grove.split(''{1.5,-0.5}'', 1, 1)',
	'SELECT grove.split(''{NaN}'', 1, 1)',
	'SELECT grove.fold(0, 1, 1)',
	'SELECT grove.fold(-3, 1, 1)',
	'SELECT grove.fold(NULL, 1, 1)',
	'SELECT grove.fold(5, 1, NULL::date)',
	'SELECT grove.inverse_pi(0, 1, 1, 0)',
	'SELECT grove.inverse_pi(''NaN'', 1, 1, 0)',
	'SELECT grove.inverse_pi(''infinity'', 1, 1, 0)',
	'SELECT grove.inverse_pi(1, -1, 1, 0)',
	'SELECT grove.inverse_pi(1, 1, -1, 0)',
	'SELECT grove.inverse_pi(1, 1, 1, 1.1)',
	'SELECT grove.prior_correct(1.1, 1, 1)',
	'SELECT grove.prior_correct(0.5, 0, 1)',
	'SELECT grove.prior_correct(0.5, 1, 2)']) AS statement;

-- A bad value of the array does not stay behind in the call site.
CREATE FUNCTION pg_temp.split_twice() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	fractions float8[][] := ARRAY['{0.5,0.4}'::float8[], '{0.5,0.4}'::float8[], '{0.5,0.5}'::float8[]];
	f float8[];
	result text := '';
BEGIN
	FOREACH f SLICE 1 IN ARRAY fractions LOOP
		BEGIN
			result := result || grove.split(f, 1, 1) || ' ';
		EXCEPTION WHEN OTHERS THEN
			result := result || SQLSTATE || ' ';
		END;
	END LOOP;
	RETURN result;
END $$;
SELECT pg_temp.split_twice();

-- Immutable: an index on it, and a parallel plan that keeps the same rows.
CREATE TABLE key_parallel AS SELECT i AS id, 'user ' || i % 1000 AS name FROM generate_series(1, 50000) i;
CREATE INDEX ON key_parallel (grove.hash64(1, id));
SELECT md5(string_agg(id::text, ',' ORDER BY id)) AS serial FROM key_parallel WHERE grove.keep(0.1, 7, name, id) \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT md5(string_agg(id::text, ',' ORDER BY id)) = :'serial' AS same_in_parallel FROM key_parallel WHERE grove.keep(0.1, 7, name, id);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- The planner expects as many rows as the fraction says.
ANALYZE key_parallel;
CREATE FUNCTION pg_temp.expected_rows(condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) SELECT * FROM key_parallel WHERE ' || condition INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
SELECT condition, round(pg_temp.expected_rows(condition), -2) AS rows
FROM unnest('{"grove.keep(0.1, 7, id)","grove.keep(0.5 / 2, 7, name)","grove.keep(1, 7, id)","NOT grove.keep(0.1, 7, id)","grove.keep(0.1, 7, id) AND grove.keep(0.5, 8, id)"}'::text[]) condition;

DROP TABLE key_parallel;
DROP FUNCTION key_rows_bytes();
DROP TABLE key_rows;
