-- shuffle: every row exactly once, in the order of its key's hash; shuffle_stream: buffer by buffer.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

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

CREATE TABLE shuffle_t (id integer PRIMARY KEY, gone text, label varchar(20), amount numeric(10, 2), payload text);
ALTER TABLE shuffle_t DROP COLUMN gone;
INSERT INTO shuffle_t SELECT i, 'label ' || i % 7, i / 4.0, CASE WHEN i % 10 <> 0 THEN repeat('x', i % 50) END
FROM generate_series(1, 5000) i;
ANALYZE shuffle_t;

-- Every row once, and whole.
SELECT (SELECT count(*) FROM grove.shuffle(NULL::shuffle_t, 'shuffle_t', seed => 42)) AS rows,
	   (SELECT count(*) FROM (SELECT * FROM grove.shuffle(NULL::shuffle_t, 'shuffle_t', seed => 42)
							  EXCEPT ALL SELECT * FROM shuffle_t) AS x) AS too_many,
	   (SELECT count(*) FROM (SELECT * FROM shuffle_t
							  EXCEPT ALL SELECT * FROM grove.shuffle(NULL::shuffle_t, 'shuffle_t', seed => 42)) AS x) AS missing;
-- In the order of the hash: golden beginning, and the whole order against a sort in SQL.
SELECT id, label, amount, payload FROM grove.shuffle(NULL::shuffle_t, 'shuffle_t', key => '{id}', seed => 42) LIMIT 3;
CREATE TEMPORARY TABLE orders (what text, ids integer[]);
INSERT INTO orders SELECT 'reference', array_agg(id ORDER BY grove.shuffle_hash(42, id)) FROM shuffle_t;
CREATE FUNCTION pg_temp.order_of(source text, seed bigint DEFAULT 42, key text[] DEFAULT '{id}') RETURNS integer[] LANGUAGE sql AS
	$$SELECT array_agg(id ORDER BY ordinality) FROM grove.shuffle(NULL::shuffle_t, source, key, seed) WITH ORDINALITY$$;
INSERT INTO orders SELECT 'plain', pg_temp.order_of('shuffle_t');
INSERT INTO orders SELECT 'default key', pg_temp.order_of('shuffle_t', key => NULL);
-- The same order whatever the source looks like and wherever the rows lie.
CREATE VIEW shuffle_view AS SELECT * FROM shuffle_t;
INSERT INTO orders SELECT 'view', pg_temp.order_of('shuffle_view');
INSERT INTO orders SELECT 'query', pg_temp.order_of('SELECT payload, id::integer, amount, label, 1 AS more FROM shuffle_t ORDER BY id DESC -- comment');
INSERT INTO orders SELECT 'with', pg_temp.order_of('WITH x AS (SELECT * FROM shuffle_t) SELECT * FROM x;');
INSERT INTO orders SELECT 'bigint key', pg_temp.order_of('SELECT *, id::bigint AS wide FROM shuffle_t', key => '{wide}');
UPDATE shuffle_t SET payload = payload WHERE id % 3 = 0;
INSERT INTO orders SELECT 'update', pg_temp.order_of('shuffle_t');
VACUUM FULL shuffle_t;
INSERT INTO orders SELECT 'vacuum full', pg_temp.order_of('shuffle_t');
CREATE INDEX shuffle_by_label ON shuffle_t (label, amount);
CLUSTER shuffle_t USING shuffle_by_label;
INSERT INTO orders SELECT 'cluster', pg_temp.order_of('shuffle_t');
CREATE TABLE shuffle_parts (id integer, label varchar(20), amount numeric(10, 2), payload text) PARTITION BY HASH (id);
CREATE TABLE shuffle_part_0 PARTITION OF shuffle_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shuffle_part_1 PARTITION OF shuffle_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO shuffle_parts SELECT * FROM shuffle_t;
INSERT INTO orders SELECT 'partitions', pg_temp.order_of('shuffle_parts');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
INSERT INTO orders SELECT 'parallel', pg_temp.order_of('shuffle_t');
INSERT INTO orders SELECT 'parallel, partitions', pg_temp.order_of('shuffle_parts');
-- What runs in workers is the source's scan: here all of it does.
CREATE FUNCTION shuffle_pid(id integer) RETURNS integer LANGUAGE plpgsql PARALLEL SAFE AS 'BEGIN RETURN pg_backend_pid(); END';
SET parallel_leader_participation = off;
SELECT count(*) AS rows, count(*) FILTER (WHERE pid = pg_backend_pid()) AS read_by_leader
FROM grove.shuffle(NULL::record, 'SELECT id, shuffle_pid(id) AS pid FROM shuffle_t', '{id}', 42) AS x (id integer, pid integer);
RESET parallel_leader_participation;
-- The sort in workers is the server's, and gives the same order.
EXPLAIN (COSTS OFF) SELECT id, payload FROM shuffle_t ORDER BY grove.shuffle_hash(42, id);
INSERT INTO orders SELECT 'sorted in workers', array_agg(id) FROM (SELECT id, payload FROM shuffle_t ORDER BY grove.shuffle_hash(42, id) OFFSET 0) AS x;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
SET work_mem = '64kB';
INSERT INTO orders SELECT 'little memory', pg_temp.order_of('shuffle_t');
-- Files of files: more rows than 64 files of this memory hold; a text key is ordered by its bytes where hashes are equal.
CREATE TABLE shuffle_many AS SELECT i AS id, 'key ' || i / 2 AS name, repeat('y', i % 300) AS payload FROM generate_series(1, 60000) i;
SELECT array_agg(id ORDER BY place) = (SELECT array_agg(id ORDER BY grove.shuffle_hash(7, id)) FROM shuffle_many) AS integer_key
FROM (SELECT id, ordinality AS place FROM grove.shuffle(NULL::shuffle_many, 'shuffle_many', '{id}', 7) WITH ORDINALITY) AS x;
SELECT array_agg(name ORDER BY place) = (SELECT array_agg(name ORDER BY grove.shuffle_hash(7, name), grove.key_bytes(name)) FROM shuffle_many) AS text_key,
	   count(DISTINCT id) AS rows, md5(string_agg(payload, ',' ORDER BY id)) = (SELECT md5(string_agg(payload, ',' ORDER BY id)) FROM shuffle_many) AS whole
FROM (SELECT x.*, ordinality AS place FROM grove.shuffle(NULL::shuffle_many, 'shuffle_many', '{name}', 7) WITH ORDINALITY AS x) AS x;
-- One key in more rows than memory holds, between others; rows wider than a block of memory.
SELECT name, count(*), min(place), max(place) FROM (
	SELECT name, ordinality AS place
	FROM grove.shuffle(NULL::shuffle_many, 'SELECT id, CASE WHEN id % 6 < 3 THEN ''many'' ELSE ''key '' || id % 6 END AS name, payload FROM shuffle_many',
					   '{name}', 7) WITH ORDINALITY) AS x
GROUP BY name ORDER BY name;
SELECT id, length(payload), md5(payload) = md5(repeat('z', id * 20000)) AS whole
FROM grove.shuffle(NULL::shuffle_many, 'SELECT i AS id, NULL::text AS name, repeat(''z'', i * 20000) AS payload FROM generate_series(1, 8) i', '{id}', 7);
SELECT count(*), count(DISTINCT payload) FROM grove.shuffle(NULL::shuffle_many, 'SELECT 1 AS id, NULL::text AS name, repeat(''z'', i * 100) AS payload FROM generate_series(1, 500) i', '{id}', 7);
SELECT count(*) FROM grove.shuffle(NULL::shuffle_many, 'SELECT * FROM shuffle_many LIMIT 0', '{id}', 7);
RESET work_mem;
SET search_path = pg_catalog;
INSERT INTO pg_temp.orders SELECT 'search_path', array_agg(id ORDER BY ordinality)
FROM grove.shuffle(NULL::public.shuffle_t, 'public.shuffle_t', seed => 42) WITH ORDINALITY;
RESET search_path;
SELECT what, ids = (SELECT ids FROM orders WHERE what = 'reference') AS same FROM orders ORDER BY what COLLATE "C";
-- Another seed, another order.
SELECT count(*) FILTER (WHERE a.id = b.id) < 10 AS differs
FROM unnest(pg_temp.order_of('shuffle_t', 42)) WITH ORDINALITY AS a (id, i), unnest(pg_temp.order_of('shuffle_t', 43)) WITH ORDINALITY AS b (id, i)
WHERE a.i = b.i;
-- All 120 orders of five keys over 12,000 seeds: chi-square with 119 degrees of freedom, upper 1e-7 point 217.6.
SELECT count(*) AS orders, sum((n - 100)^2 / 100.0) < 217.6 AS even
FROM (SELECT count(*) AS n
	  FROM (SELECT string_agg(id, ' ' ORDER BY grove.shuffle_hash(seed, id)) AS o
			FROM generate_series(1, 12000) seed, unnest('{a,b,c,d,e}'::text[]) id GROUP BY seed) AS x
	  GROUP BY o) AS y;

-- Keys of several columns, of other types, and the primary key of several columns.
CREATE TABLE shuffle_pairs (customer text, item integer, n integer, PRIMARY KEY (item, customer));
INSERT INTO shuffle_pairs SELECT 'customer ' || i / 10, i % 10, i FROM generate_series(0, 999) i;
CREATE FUNCTION pg_temp.pairs_of(source text, key text[] DEFAULT NULL) RETURNS integer[] LANGUAGE sql AS
	$$SELECT array_agg(n ORDER BY ordinality) FROM grove.shuffle(NULL::shuffle_pairs, source, key, 42) WITH ORDINALITY$$;
SELECT pg_temp.pairs_of('shuffle_pairs') = pg_temp.pairs_of('shuffle_pairs', '{customer,item}') AS default_in_column_order,
	   pg_temp.pairs_of('shuffle_pairs') = (SELECT array_agg(n ORDER BY grove.shuffle_hash(42, customer, item)) FROM shuffle_pairs) AS by_both,
	   pg_temp.pairs_of('SELECT *, md5(n::text)::uuid AS u FROM shuffle_pairs', '{u}') =
			(SELECT array_agg(n ORDER BY grove.shuffle_hash(42, md5(n::text)::uuid)) FROM shuffle_pairs) AS by_uuid;
-- Rows with equal keys stand together.
SELECT count(*) AS runs FROM (
	SELECT customer IS DISTINCT FROM lag(customer) OVER (ORDER BY ordinality) AS begins
	FROM grove.shuffle(NULL::shuffle_pairs, 'shuffle_pairs', '{customer}', 42) WITH ORDINALITY) AS x WHERE begins;
-- Names that need quotes; a composite type; record with a column list; in the select list; nothing to shuffle.
CREATE TABLE "Shuffle me" ("Id" integer PRIMARY KEY, "select" text);
INSERT INTO "Shuffle me" VALUES (1, 'a'), (2, 'b'), (3, 'c');
SELECT * FROM grove.shuffle(NULL::"Shuffle me", '"Shuffle me"');
CREATE TYPE shuffle_pair AS (n integer, customer text);
SELECT * FROM grove.shuffle(NULL::shuffle_pair, 'SELECT * FROM shuffle_pairs WHERE n < 5', '{n}', 1);
SELECT * FROM grove.shuffle(NULL::record, 'VALUES (1, ''one''), (2, ''two''), (3, ''three'')', '{column1}', 1) AS v (column2 text, column1 integer);
SELECT (grove.shuffle(NULL::shuffle_pair, 'SELECT * FROM shuffle_pairs WHERE n < 3', '{n}', 1)).n;
SELECT count(*) FROM grove.shuffle(NULL::shuffle_t, 'SELECT * FROM shuffle_t WHERE false', '{id}');

-- shuffle_stream: every row once; within each buffer and not beyond it; repeatable.
CREATE FUNCTION pg_temp.stream_of(n bigint, seed bigint DEFAULT 42, source text DEFAULT 'SELECT * FROM shuffle_t ORDER BY id') RETURNS integer[] LANGUAGE sql AS
	$$SELECT array_agg(id ORDER BY ordinality) FROM grove.shuffle_stream(NULL::shuffle_t, source, buffer_rows => n, seed => seed) WITH ORDINALITY$$;
SELECT n, count(*) AS rows, count(DISTINCT id) AS ids, bool_and((id - 1) / n = (i - 1) / n) AS in_their_buffer, count(*) FILTER (WHERE id = i) AS stayed
FROM unnest('{1,2,100,1024,2500,5000,100000}'::bigint[]) n, unnest(pg_temp.stream_of(n)) WITH ORDINALITY AS o (id, i)
GROUP BY n ORDER BY n;
SELECT count(*) AS too_many FROM (SELECT * FROM grove.shuffle_stream(NULL::shuffle_t, 'SELECT payload, amount, label, id FROM shuffle_t', 700, 1)
								  EXCEPT ALL SELECT * FROM shuffle_t) AS x;
SELECT pg_temp.stream_of(500) = pg_temp.stream_of(500) AS repeatable, pg_temp.stream_of(500) <> pg_temp.stream_of(500, 43) AS by_seed,
	   (pg_temp.stream_of(500))[1:8] AS golden;
SELECT count(*) FROM grove.shuffle_stream(NULL::shuffle_t, 'SELECT * FROM shuffle_t WHERE false');
-- Even within a buffer: item by position for buffers of 5 rows, (n - 1) / m * sum((count - m / n)^2), 16 degrees of freedom, upper 1e-7 point 65.0.
SELECT sum((count - 200)^2) * 4 / 1000.0 < 65.0 AS even, count(*) AS cells
FROM (SELECT count(*) FROM unnest(pg_temp.stream_of(5)) WITH ORDINALITY AS o (id, i) GROUP BY id % 5, i % 5) AS x;

-- Errors.
CREATE TABLE shuffle_no_key (id integer, payload json);
INSERT INTO shuffle_no_key VALUES (1, '{}'), (NULL, '{}');
SELECT statement, pg_temp.error_of('SELECT * FROM grove.' || statement) FROM unnest(ARRAY[
	'shuffle(NULL::shuffle_t, NULL)',
	'shuffle(NULL::shuffle_t, ''shuffle_t'', seed => NULL)',
	'shuffle(NULL::shuffle_t, '''')',
	'shuffle(NULL::shuffle_t, ''nothing'')',
	'shuffle(NULL::shuffle_t, ''SELECT * FROM shuffle_t'')',
	'shuffle(NULL::shuffle_no_key, ''shuffle_no_key'')',
	'shuffle(NULL::shuffle_t, ''shuffle_view'')',
	'shuffle(NULL::shuffle_t, ''shuffle_t'', key => ''{}'')',
	'shuffle(NULL::shuffle_t, ''shuffle_t'', key => ''{NULL}'')',
	'shuffle(NULL::shuffle_t, ''shuffle_t'', key => ''{idd}'')',
	'shuffle(NULL::shuffle_no_key, ''shuffle_no_key'', key => ''{id}'')',
	'shuffle(NULL::shuffle_no_key, ''shuffle_no_key'', key => ''{payload}'')',
	'shuffle(NULL::shuffle_no_key, ''SELECT * FROM shuffle_no_key WHERE false'', key => ''{payload}'')',
	'shuffle(NULL::integer, ''shuffle_t'')',
	'shuffle(NULL::record, ''shuffle_t'')',
	'shuffle(NULL::shuffle_t, ''SELECT id, label, amount FROM shuffle_t'', key => ''{id}'')',
	'shuffle(NULL::shuffle_t, ''SELECT id, label::text, amount, payload FROM shuffle_t'', key => ''{id}'')',
	'shuffle(NULL::shuffle_t, ''SELECT id, label, amount::numeric(12,2), payload FROM shuffle_t'', key => ''{id}'')',
	'shuffle(NULL::shuffle_t, ''SELECT *, 1 AS id FROM shuffle_t'', key => ''{label}'')',
	'shuffle(NULL::shuffle_t, ''DELETE FROM shuffle_t'', key => ''{id}'')',
	'shuffle(NULL::shuffle_t, ''SELECT 1) AS q; SELECT (1'', key => ''{id}'')',
	'shuffle_stream(NULL::shuffle_t, NULL)',
	'shuffle_stream(NULL::shuffle_t, ''shuffle_t'', buffer_rows => 0)',
	'shuffle_stream(NULL::shuffle_t, ''shuffle_t'', buffer_rows => NULL)',
	'shuffle_stream(NULL::shuffle_t, ''shuffle_t'', seed => NULL)',
	'shuffle_stream(NULL::integer, ''shuffle_t'')',
	'shuffle_stream(NULL::shuffle_t, ''SELECT 1 AS id'')']) AS statement;
SET grove.max_memory = '300kB';
-- how many rows that are depends on the server's memory contexts
SELECT regexp_replace(pg_temp.error_of('SELECT * FROM grove.shuffle_stream(NULL::shuffle_t, ''shuffle_t'', 100000)'), '[1-9][0-9]{3} rows', 'some rows') AS does_not_fit;
SELECT count(*) AS fits FROM grove.shuffle_stream(NULL::shuffle_t, 'shuffle_t', 1000);
RESET grove.max_memory;

-- The source runs as the caller.
CREATE ROLE regress_shuffle_reader;
GRANT SELECT ON shuffle_pairs TO regress_shuffle_reader;
ALTER TABLE shuffle_pairs ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON shuffle_pairs USING (n < 10);
SET ROLE regress_shuffle_reader;
SELECT count(*) AS visible FROM grove.shuffle(NULL::shuffle_pairs, 'shuffle_pairs');
SELECT pg_temp.error_of('SELECT * FROM grove.shuffle(NULL::shuffle_t, ''shuffle_t'')') AS no_privilege,
	   pg_temp.error_of('SELECT * FROM grove.shuffle_stream(NULL::shuffle_t, ''shuffle_t'')') AS no_privilege_either;
RESET ROLE;

SET client_min_messages = warning;
DROP TABLE shuffle_t, shuffle_parts, shuffle_pairs, shuffle_no_key, "Shuffle me" CASCADE;
DROP TYPE shuffle_pair;
DROP ROLE regress_shuffle_reader;
