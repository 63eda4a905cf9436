-- prune and prune_plan: what they refuse, with SQLSTATE, detail and hint.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
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
CREATE SCHEMA prune_errors;
SET search_path = prune_errors, public;
CREATE TABLE shop (id int PRIMARY KEY, item text, price float8, bought boolean, place point);
INSERT INTO shop SELECT i, 'i' || i % 4, i, i % 10 = 0, point(i, i) FROM generate_series(1, 100) i;
CREATE TABLE keyless AS SELECT * FROM shop;
CREATE TABLE holes AS SELECT id, nullif(item, 'i3') AS item, CASE WHEN id <> 9 THEN price END AS price,
	CASE WHEN id <> 7 THEN bought END AS bought, nullif(id, 5) AS maybe FROM shop;
CREATE TABLE nans AS SELECT i AS id, CASE WHEN i = 3 THEN 'NaN'::float8 ELSE i % 2 END AS y,
	CASE WHEN i = 4 THEN 'Infinity'::float8 ELSE i END AS x FROM generate_series(1, 10) i;
CREATE TYPE other AS (id int, item text, colour text);
CREATE TYPE wrong AS (id bigint, item text);
CREATE TYPE narrow AS (id int, item varchar(5));

-- %s is the list of arguments behind the row type
CREATE FUNCTION pg_temp.prune_error(arguments text, row_type text DEFAULT 'shop') RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.error_of(format('SELECT count(*) FROM grove.prune(NULL::%s, %s)', row_type, arguments))$$;

-- Sizes.
SELECT a, pg_temp.prune_error(a) FROM (VALUES
	(1, '''shop'''), (2, '''shop'', keep => 0.5, n => 3'), (3, '''shop'', keep => -0.1'), (4, '''shop'', keep => 1.5'),
	(5, '''shop'', keep => ''NaN'''), (6, '''shop'', keep => ''Infinity'''), (7, '''shop'', n => -1'),
	(8, '''shop'', keep => 0.5, readmit => 2, by => ''{item}'''), (9, '''shop'', keep => 0.5, readmit => ''NaN'', by => ''{item}'''),
	(10, '''shop'', keep => 0.5, gamma => -1'), (11, '''shop'', keep => 0.5, gamma => ''NaN'''), (12, '''shop'', keep => 0.5, gamma => 11')) v(n, a) ORDER BY n;

-- NULL where a value is needed.
SELECT a, pg_temp.prune_error(a) FROM (VALUES
	(1, 'NULL, keep => 0.5'), (2, '''shop'', keep => 0.5, key => NULL, by => NULL, method => ''inverse'''), (3, '''shop'', keep => 0.5, readmit => NULL'),
	(4, '''shop'', keep => 0.5, gamma => NULL'), (5, '''shop'', keep => 0.5, exact => NULL'), (6, '''shop'', keep => 0.5, seed => NULL'),
	(7, '''shop'', keep => 0.5, key => ''{NULL}'''), (8, '''shop'', keep => 0.5, by => ''{NULL}''')) v(n, a) ORDER BY n;

-- Methods and their roles.
SELECT a, pg_temp.prune_error(a) FROM (VALUES
	(1, '''shop'', keep => 0.5, method => ''rendom'''), (2, '''shop'', keep => 0.5, method => '''''), (3, '''shop'', keep => 0.5, method => ''Random'''),
	(4, '''shop'', keep => 0.5, target => ''bought'''), (5, '''shop'', keep => 0.5, method => ''gradient'''),
	(6, '''shop'', keep => 0.5, method => ''noise'''), (7, '''shop'', keep => 0.5, method => ''duplicates'''),
	(8, '''shop'', keep => 0.5, method => ''stratified'''), (9, '''shop'', keep => 0.5, method => ''inverse'''),
	(10, '''shop'', keep => 0.5, readmit => 0.1'), (11, '''shop'', keep => 0.5, method => ''negatives'''),
	(12, '''shop'', keep => 0.5, model => ''\x00'''), (13, '''shop'', keep => 0.5, method => ''inverse'', by => ''{}''')) v(n, a) ORDER BY n;

-- Columns.
SELECT a, pg_temp.prune_error(a) FROM (VALUES
	(1, '''shop'', keep => 0.5, key => ''{idd}'''), (2, '''shop'', keep => 0.5, key => ''{}'''), (3, '''keyless'', keep => 0.5'),
	(4, '''SELECT * FROM shop'', keep => 0.5'), (5, '''shop'', keep => 0.5, by => ''{itme}'', method => ''inverse'''),
	(6, '''shop'', keep => 0.5, by => ''{item,item}'', method => ''inverse'''), (7, '''shop'', keep => 0.5, target => ''sold'', method => ''negatives'''),
	(8, '''shop'', keep => 0.5, target => ''sold'''), (9, '''shop'', keep => 0.5, target => ''place'', method => ''negatives'''),
	(10, '''shop'', keep => 0.5, key => ''{place}'''), (11, '''shop'', keep => 0.5, by => ''{place}'', method => ''stratified'''),
	(12, '''SELECT *, id AS item FROM shop'', keep => 0.5, key => ''{item}'''),
	(13, '''SELECT *, 1 AS zz, 2 AS zz FROM shop'', keep => 0.5, key => ''{id}''')) v(n, a) ORDER BY n;

-- Row types.
SELECT t, a, pg_temp.prune_error(a, t) FROM (VALUES
	(1, 'int', '''shop'', keep => 0.5'), (2, 'text', '''shop'', keep => 0.5'), (3, 'other', '''shop'', keep => 0.5'),
	(4, 'wrong', '''shop'', keep => 0.5'), (5, 'narrow', '''SELECT id, item::varchar FROM shop'', keep => 0.5, key => ''{id}'''),
	(6, 'narrow', '''SELECT id, item::varchar(5) FROM shop'', keep => 0.5, key => ''{id}'''),
	(7, 'shop', '''SELECT id, item FROM shop'', keep => 0.5, key => ''{id}'''),
	(8, 'shop', '''SELECT *, id AS item FROM shop'', keep => 0.5, key => ''{id}''')) v(n, t, a) ORDER BY n;
SELECT pg_temp.error_of('SELECT * FROM grove.prune(NULL, ''shop'', keep => 0.5)');

-- Data.
SELECT a, pg_temp.prune_error(a, 'record') FROM (VALUES
	(1, '''holes'', keep => 0.5, key => ''{maybe}'''), (2, '''holes'', keep => 0.5, key => ''{id,maybe}'', exact => false'),
	(3, '''holes'', keep => 0.5, key => ''{id}'', by => ''{item}'', method => ''inverse'''),
	(4, '''holes'', keep => 0.5, key => ''{id}'', target => ''bought'', method => ''negatives'''),
	(5, '''nans'', keep => 0.9, key => ''{id}'', target => ''y'', method => ''negatives'''),
	(6, '''SELECT id, true AS y FROM shop'', keep => 0.5, key => ''{id}'', target => ''y'', method => ''negatives'''),
	(7, '''shop'', keep => 0.05, target => ''bought'', method => ''negatives'''), (8, '''shop'', keep => 0.1, target => ''bought'', method => ''negatives'''),
	(9, '''shop'', n => 11, target => ''bought'', method => ''negatives'''), (10, '''shop'', n => 3, by => ''{item}'', method => ''stratified'''),
	(11, '''shop'', n => 4, by => ''{item}'', method => ''stratified''')) v(n, a) ORDER BY n;

-- Options of a method.
SELECT p, pg_temp.prune_error(format('''shop'', keep => 0.5, by => ''{item}'', target => ''bought'', method => %L, params => %L', m, p)) FROM (VALUES
	(1, 'stratified', '[]'), (2, 'stratified', '{"alocation": "equal"}'), (3, 'stratified', '{"allocation": "optimal"}'),
	(4, 'stratified', '{"allocation": 3}'), (5, 'stratified', '{"allocation": "neyman"}'), (6, 'stratified', '{"spread": "price"}'),
	(7, 'stratified', '{"allocation": "neyman", "spread": "prize"}'), (8, 'stratified', '{"allocation": "neyman", "spread": "item"}'),
	(9, 'stratified', '{"pi_min": 0.1}'), (10, 'inverse', '{"pi_min": "a"}'), (11, 'inverse', '{"pi_min": 2}'), (12, 'inverse', '{"pi_min": -1e400}'),
	(13, 'inverse', '{"pi_min": 0.6}'), (14, 'inverse', '{"allocation": "equal"}'), (15, 'random', '{"positive_class": "x"}'),
	(16, 'negatives', '{"positive_class": "maybe"}'), (17, 'negatives', '{"positive_class": null}'), (18, 'negatives', '{"positive_class": {}}'),
	(19, 'random', '{}'), (20, 'random', '{"weights": "flatten"}'), (21, 'inverse', '{"weights": "flat"}'), (22, 'inverse', '{"weights": true}')) v(n, m, p) ORDER BY n;
SELECT pg_temp.prune_error('''SELECT id, item FROM shop'', keep => 0.5, key => ''{id}'', target => ''item'', method => ''negatives'', params => ''{"positive_class": "i9"}''', 'record');
SELECT pg_temp.prune_error('''holes'', keep => 0.5, key => ''{id}'', by => ''{item}'', method => ''stratified'', params => ''{"allocation": "neyman", "spread": "price"}''', 'record');
SELECT pg_temp.prune_error('''nans'', keep => 0.5, key => ''{id}'', by => ''{y}'', method => ''stratified'', params => ''{"allocation": "neyman", "spread": "x"}''', 'record');

-- More strata than memory allows.
SET grove.max_memory = '1MB';
SELECT pg_temp.error_of($$SELECT count(*) FROM grove.prune(NULL::record, 'SELECT i AS id FROM generate_series(1, 50000) i', keep => 0.5, key => '{id}', by => '{id}', method => 'inverse')$$);
RESET grove.max_memory;
SELECT count(*) FROM grove.prune(NULL::record, 'SELECT i AS id FROM generate_series(1, 50000) i', keep => 0.5, key => '{id}', by => '{id}', method => 'inverse');

-- The plan checks the same.
SELECT pg_temp.error_of('SELECT * FROM grove.prune_plan(NULL::shop, ''shop'', keep => 2)');
SELECT pg_temp.error_of('SELECT * FROM grove.prune_plan(NULL::wrong, ''shop'', keep => 0.2)');
SELECT pg_temp.error_of('SELECT * FROM grove.prune_plan(NULL::shop, ''shop; shop'', keep => 0.2)');

-- Cancelled while it counts.
\set VERBOSITY terse
SET statement_timeout = '50ms';
SELECT count(*) FROM grove.prune(NULL::record, 'SELECT i AS id FROM generate_series(1, 100000000) i', keep => 0.5, key => '{id}');
RESET statement_timeout;

DROP SCHEMA prune_errors CASCADE;
