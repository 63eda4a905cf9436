-- What a "source text" argument takes and what it refuses, shown with prune(keep => 1), which gives every row.
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

CREATE SCHEMA source_test;
SET search_path = source_test, public;
CREATE TABLE shop (id int PRIMARY KEY, item text);
INSERT INTO shop VALUES (1, 'tea'), (2, 'rye'), (3, 'oil');

CREATE FUNCTION pg_temp.read_source(source text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT string_agg((kept).id || ' ' || (kept).item, ', ' ORDER BY (kept).id)
			FROM grove.prune(NULL::shop, source, keep => 1, key => '{id}'));
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- Statements.
SELECT source, pg_temp.read_source(source) FROM (VALUES
	(1, 'SELECT * FROM shop'),
	(2, 'select id, item from shop where id < 3;'),
	(3, '  -- a comment
  /* and /* another */ one */ SELECT * FROM shop -- the end'),
	(4, 'WITH w AS (SELECT * FROM shop) SELECT * FROM w ORDER BY id LIMIT 1'),
	(5, 'VALUES (7, ''salt'')'),
	(6, 'SELECT column1 AS id, column2 AS item FROM (VALUES (7, ''salt''::text)) v'),
	(7, 'TABLE shop'),
	(8, '(SELECT * FROM shop WHERE id = 1) UNION ALL (SELECT * FROM shop WHERE id = 2)'),
	(9, 'SELECT item, id, item AS other FROM shop'),
	(10, 'SELECT * FROM shop WHERE false'),
	(11, 'SELECT*FROM shop'),
	(12, 'SELECT 1 AS id, $x$);DROP TABLE shop;--$x$::text AS item')) v(n, source) ORDER BY n;

-- Names: plain, qualified, quoted, folded.
CREATE TABLE "Odd Name" AS SELECT 10 AS id, 'quoted'::text AS item;
CREATE TABLE "select" AS SELECT 11 AS id, 'keyword'::text AS item;
CREATE TABLE selection AS SELECT 12 AS id, 'prefix'::text AS item;
CREATE TABLE "a.b" AS SELECT 13 AS id, 'dot'::text AS item;
CREATE VIEW view_of_shop AS SELECT * FROM shop WHERE id > 1;
CREATE MATERIALIZED VIEW stored_shop AS SELECT * FROM shop WHERE id > 2;
CREATE TEMP TABLE temporary_shop AS SELECT 14 AS id, 'temp'::text AS item;
CREATE TABLE parted (id int, item text) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
INSERT INTO parted VALUES (1, 'left'), (2, 'right');
SELECT source, pg_temp.read_source(source) FROM (VALUES
	(1, 'shop'), (2, '  SHOP '), (3, 'source_test.shop'), (4, 'source_test . shop'), (5, '"source_test"."shop"'),
	(6, '"Odd Name"'), (7, '"select"'), (8, 'selection'), (9, '"a.b"'), (10, 'view_of_shop'), (11, 'stored_shop'),
	(12, 'temporary_shop'), (13, 'pg_temp.temporary_shop'), (14, 'parted'), (15, '/* named */ shop')) v(n, source) ORDER BY n;

-- Refused before anything runs.
CREATE SEQUENCE counter;
CREATE INDEX shop_item ON shop (item);
CREATE TYPE pair AS (id int, item text);
SELECT source, pg_temp.error_of(format('SELECT count(*) FROM grove.prune(NULL::source_test.shop, %L, keep => 1, key => ''{id}'')', source))
FROM (VALUES
	(1, ''), (2, '   '), (3, '-- nothing'), (4, '/* open'), (5, 'SELECT * FROM shop; SELECT * FROM shop'),
	(6, 'SELECT * FROM shop; DELETE FROM shop'), (7, 'INSERT INTO shop VALUES (4, ''new'')'),
	(8, 'DELETE FROM shop RETURNING *'), (9, 'EXPLAIN SELECT 1'), (10, 'SET work_mem = 64'),
	(11, 'WITH gone AS (DELETE FROM shop RETURNING *) SELECT * FROM gone'),
	(12, 'SELECT * FROM (WITH gone AS (UPDATE shop SET item = ''x'' RETURNING *) SELECT * FROM gone) q'),
	(13, 'SELECT * FROM shop FOR UPDATE'), (14, 'SELECT * FROM (SELECT * FROM shop FOR SHARE) q'),
	(15, 'SELECT * FROM shop WHERE id IN (SELECT id FROM shop FOR KEY SHARE)'),
	(16, 'SELECT * INTO other FROM shop'), (17, 'SELECT * FROM shop) AS q, (SELECT 1'),
	(18, 'SELECT * FRM shop'), (19, 'SELECT * FROM nowhere'), (20, 'nowhere'), (21, 'no_schema.shop'),
	(22, 'a.b.c.d'), (23, 'other_database.source_test.shop'), (24, 'shop_item'), (25, 'counter'), (26, 'pair'),
	(27, 'SELECT nothing FROM shop'), (28, 'two words'), (29, ';'), (30, 'SELECT $1 AS id, ''x''::text AS item')) v(n, source)
ORDER BY n;
SELECT * FROM shop ORDER BY id;

-- A syntax error points into the source.
\set VERBOSITY default
SELECT * FROM grove.prune(NULL::shop, 'SELECT id, item
FROM shop WHERE id = = 1', keep => 1, key => '{id}');

-- The caller's rights count: table, column, row security.
CREATE ROLE source_reader;
GRANT USAGE ON SCHEMA source_test, grove TO source_reader;
SET ROLE source_reader;
SELECT pg_temp.error_of($$SELECT * FROM grove.prune(NULL::source_test.shop, 'source_test.shop', keep => 1)$$);
RESET ROLE;
GRANT SELECT (id) ON shop TO source_reader;
SET ROLE source_reader;
SELECT pg_temp.error_of($$SELECT * FROM grove.prune(NULL::source_test.shop, 'source_test.shop', keep => 1)$$);
SELECT pg_temp.read_source('SELECT id, ''hidden''::text AS item FROM source_test.shop');
RESET ROLE;
GRANT SELECT ON shop TO source_reader;
ALTER TABLE shop ENABLE ROW LEVEL SECURITY;
CREATE POLICY odd ON shop USING (id % 2 = 1);
SET ROLE source_reader;
SELECT pg_temp.read_source('source_test.shop');
SELECT pg_temp.read_source('SELECT * FROM source_test.shop');
RESET ROLE;
SELECT pg_temp.read_source('shop');

-- A volatile policy gives other rows when the table is read again; that is seen.
DROP POLICY odd ON shop;
CREATE SEQUENCE calls;
GRANT USAGE ON calls TO source_reader;
CREATE POLICY fickle ON shop USING ((nextval('source_test.calls') / 3) % 2 = id % 2);
SET ROLE source_reader;
SELECT pg_temp.error_of($$SELECT * FROM grove.prune(NULL::source_test.shop, 'source_test.shop', keep => 0.5)$$);
RESET ROLE;
ALTER TABLE shop DISABLE ROW LEVEL SECURITY;

-- The statement's own snapshot: what a function wrote before is seen, what the calling INSERT writes is not.
CREATE FUNCTION write_then_read() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO source_test.shop VALUES (4, 'new');
	RETURN (SELECT count(*) FROM grove.prune(NULL::source_test.shop, 'source_test.shop', keep => 1));
END $$;
SELECT write_then_read();
INSERT INTO shop SELECT (kept).id + 10, (kept).item FROM grove.prune(NULL::shop, 'shop', keep => 1);
SELECT count(*) FROM shop;

-- A query is run once, so one that gives other rows each time is no trouble.
SELECT count(*) FROM grove.prune(NULL::shop, 'SELECT * FROM shop ORDER BY random() LIMIT 6', key => '{id}', n => 3);

-- A parallel plan below the source gives the same rows: those that workers have read, which are all.
CREATE FUNCTION reader() RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS $$ BEGIN RETURN pg_backend_pid(); END $$;
SET parallel_leader_participation = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE shop SET (parallel_workers = 2);
SELECT pg_temp.read_source(format('SELECT id %% 4 AS id, min(item) AS item FROM shop GROUP BY 1 HAVING bool_and(source_test.reader() <> %s)', pg_backend_pid()));
RESET parallel_leader_participation;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

DROP SCHEMA source_test CASCADE;
REVOKE USAGE ON SCHEMA grove FROM source_reader;
DROP ROLE source_reader;
