-- What is sampled does not depend on settings, nor on the encoding of client and database.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA sample_settings;
SET search_path = sample_settings, public;

-- Strings inside other types, with letters that LATIN1 has, and one that it has not.
CREATE TYPE words AS RANGE (subtype = text, collation = "C");
CREATE TYPE pair AS (n integer, doc jsonb);
CREATE TYPE pairs AS (pairs pair[]);
CREATE TABLE docs AS SELECT i AS id, word, json_build_object('word', word) AS doc, jsonb_build_object('word', word) AS docb, jsonb_build_array(i % 9, word) AS list,
	array_to_tsvector(ARRAY[word, 'x']) AS vector, words(word, NULL) AS range, ROW(i, jsonb_build_object('word', word))::pair AS pair,
	ROW(ARRAY[ROW(i, NULL)::pair, ROW(i, to_jsonb(word))::pair])::pairs AS pairs
FROM (SELECT i, i || CASE i % 3 WHEN 0 THEN U&'\00e4' WHEN 1 THEN U&'\2713' ELSE 'a' END AS word FROM generate_series(1, 800) AS i) AS w;
-- Types without a send function, whose text depends on settings.
CREATE TYPE bare_number;
CREATE FUNCTION bare_number_in(cstring) RETURNS bare_number AS 'float8in' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION bare_number_out(bare_number) RETURNS cstring AS 'float8out' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE bare_number (INPUT = bare_number_in, OUTPUT = bare_number_out, LIKE = float8);
CREATE TYPE bare_time;
CREATE FUNCTION bare_time_in(cstring, oid, integer) RETURNS bare_time AS 'timestamptz_in' LANGUAGE internal STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION bare_time_out(bare_time) RETURNS cstring AS 'timestamptz_out' LANGUAGE internal STABLE STRICT PARALLEL SAFE;
CREATE TYPE bare_time (INPUT = bare_time_in, OUTPUT = bare_time_out, LIKE = timestamptz);
CREATE TYPE bare_span;
CREATE FUNCTION bare_span_in(cstring, oid, integer) RETURNS bare_span AS 'interval_in' LANGUAGE internal STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION bare_span_out(bare_span) RETURNS cstring AS 'interval_out' LANGUAGE internal STABLE STRICT PARALLEL SAFE;
CREATE TYPE bare_span (INPUT = bare_span_in, OUTPUT = bare_span_out, LIKE = interval);
CREATE TYPE bare_bytes;
CREATE FUNCTION bare_bytes_in(cstring) RETURNS bare_bytes AS 'byteain' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION bare_bytes_out(bare_bytes) RETURNS cstring AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE bare_bytes (INPUT = bare_bytes_in, OUTPUT = bare_bytes_out, LIKE = bytea);
CREATE TYPE bare_text;
CREATE FUNCTION bare_text_in(cstring) RETURNS bare_text AS 'textin' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION bare_text_out(bare_text) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE bare_text (INPUT = bare_text_in, OUTPUT = bare_text_out, LIKE = text);
CREATE TABLE bare AS SELECT id, (id / 7.0::float8)::text::bare_number AS number, (timestamptz '2024-06-01 00:00+00' + id * interval '1 hour')::text::bare_time AS time,
	(id * interval '61 minutes')::text::bare_span AS span, ('\x0' || to_hex(id + 65536))::bare_bytes AS bytes, word::bare_text AS text FROM docs;
ANALYZE docs, bare;

CREATE FUNCTION samples() RETURNS TABLE (what text, digest text) LANGUAGE plpgsql AS $$
DECLARE
	source text;
	elem text;
BEGIN
	FOR source, elem IN SELECT attrelid::regclass::text, attname::text FROM pg_attribute WHERE attrelid IN ('docs'::regclass, 'bare'::regclass) AND attnum > 1
		UNION ALL SELECT * FROM (VALUES ('docs', 'docs'), ('bare', 'bare')) AS rows
	LOOP
		what := source || '.' || elem;
		EXECUTE format('SELECT md5(array_agg(id ORDER BY id)::text) FROM %1$I WHERE %2$I::text = ANY (
			(SELECT grove.sample(%2$I, 20, 1) || grove.weighted_sample(%2$I, id, 20, 1) FROM %1$I)::text[])', source, elem) INTO digest;
		RETURN NEXT;
	END LOOP;
END $$;
CREATE TABLE seen (setting text, what text, digest text);
SET max_parallel_workers_per_gather = 0;
INSERT INTO seen SELECT 'UTF8', * FROM samples();
SET client_encoding = 'LATIN1';
INSERT INTO seen SELECT 'LATIN1', * FROM samples();
SET client_encoding = 'EUC_JP';
INSERT INTO seen SELECT 'EUC_JP', * FROM samples();
SET client_encoding = 'SQL_ASCII';
INSERT INTO seen SELECT 'SQL_ASCII', * FROM samples();
SET client_encoding = 'LATIN1';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE docs SET (parallel_workers = 2);
ALTER TABLE bare SET (parallel_workers = 2);
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT grove.sample(docb, 20, 1) FROM docs;
INSERT INTO seen SELECT 'LATIN1, two workers', * FROM samples();
RESET client_encoding;
RESET max_parallel_workers_per_gather;
-- the encoding is the client's again, also after an error in a send function
SET client_encoding = 'LATIN1';
CREATE TYPE bad;
CREATE FUNCTION bad_in(cstring) RETURNS bad AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION bad_out(bad) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE bad (INPUT = bad_in, OUTPUT = bad_out, LIKE = text);
CREATE FUNCTION bad_send(bad) RETURNS bytea LANGUAGE plpgsql STABLE AS $$BEGIN RAISE '% in %', $1, pg_client_encoding(); END $$;
ALTER TYPE bad SET (SEND = bad_send);
SELECT grove.sample('sent'::bad, 1, 1);
SELECT pg_client_encoding();
RESET client_encoding;

-- settings of numbers, times and bytes
SET max_parallel_workers_per_gather = 0;
SET extra_float_digits = -9;
INSERT INTO seen SELECT 'digits', * FROM samples();
SET DateStyle = 'SQL, DMY';
INSERT INTO seen SELECT 'dates', * FROM samples();
RESET DateStyle;
SET TimeZone = 'Asia/Kolkata';
INSERT INTO seen SELECT 'zone', * FROM samples();
SET IntervalStyle = 'iso_8601';
INSERT INTO seen SELECT 'intervals', * FROM samples();
SET bytea_output = 'escape';
INSERT INTO seen SELECT 'bytes', * FROM samples();
RESET extra_float_digits;
RESET TimeZone;
RESET IntervalStyle;
RESET bytea_output;
SELECT what, count(*) AS settings, count(DISTINCT digest) AS samples, count(digest) FROM seen GROUP BY what ORDER BY what COLLATE "C";

-- a database of another encoding
SELECT current_database() AS home \gset
CREATE DATABASE grove_settings_latin1 TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';
SELECT string_agg(x ->> 'id', ' ') AS ids FROM unnest((SELECT grove.sample(jsonb_build_object('id', i, 'word', U&'\00e4'), 10, 1) FROM generate_series(1, 500) AS i)) AS x;
\c grove_settings_latin1
CREATE EXTENSION pg_grove;
SET client_encoding = 'UTF8';
SELECT string_agg(x ->> 'id', ' ') AS ids FROM unnest((SELECT grove.sample(jsonb_build_object('id', i, 'word', chr(228)), 10, 1) FROM generate_series(1, 500) AS i)) AS x;
SET client_encoding = 'LATIN1';
SELECT string_agg(x ->> 'id', ' ') AS ids FROM unnest((SELECT grove.sample(jsonb_build_object('id', i, 'word', chr(228)), 10, 1) FROM generate_series(1, 500) AS i)) AS x;
\c :home
SET client_min_messages = warning;
DROP DATABASE grove_settings_latin1;
DROP SCHEMA sample_settings CASCADE;
