-- block_shuffle: the blocks of a table in seeded random order, and a share of them.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM);
END $$;

-- A label in storage order, as tables often have it; 40 rows a block, whatever the block size of the server.
CREATE TABLE block_t (id integer, label integer, filler text);
ALTER TABLE block_t ALTER filler SET STORAGE PLAIN;
INSERT INTO block_t SELECT i, i / 10000, repeat('x', current_setting('block_size')::integer / 41 - 40)
FROM generate_series(1, 20000) i;
VACUUM ANALYZE block_t;
SELECT count(DISTINCT (ctid::text::point)[0]) >= 400 AS enough_blocks FROM block_t;

-- Every row once; block by block; rows of a block in their order.
SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM block_t TABLESAMPLE grove.block_shuffle(100) REPEATABLE (1);
CREATE VIEW block_runs AS
SELECT row_number() OVER () AS i, id, (ctid::text::point)[0]::bigint AS block FROM block_t TABLESAMPLE grove.block_shuffle(100) REPEATABLE (1);
SELECT (SELECT count(DISTINCT block) FROM block_runs) = count(*) FILTER (WHERE begins) AS one_visit_a_block,
	   count(*) FILTER (WHERE NOT begins AND id <> previous + 1) AS out_of_order_in_block,
	   count(*) FILTER (WHERE begins AND block = previous_block + 1) < 10 AS order_is_random
FROM (SELECT id, lag(id) OVER w AS previous, block, lag(block) OVER w AS previous_block,
			 block IS DISTINCT FROM lag(block) OVER w AS begins
	  FROM block_runs WINDOW w AS (ORDER BY i)) AS x;
-- The same seed gives the same order, again and in a rescan; another seed, or none, another order.
CREATE FUNCTION pg_temp.order_of(percent float8, seed float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT md5(string_agg(id::text, '','')) FROM block_t TABLESAMPLE grove.block_shuffle(%L) REPEATABLE (%L)', percent, seed) INTO result;
	RETURN result;
END $$;
SELECT pg_temp.order_of(100, 1) = pg_temp.order_of(100, 1) AS repeatable, pg_temp.order_of(30, 1) = pg_temp.order_of(30, 1) AS repeatable_share,
	   pg_temp.order_of(100, 1) <> pg_temp.order_of(100, 2) AS by_seed;
SELECT count(DISTINCT o) AS orders
FROM (SELECT seed, (SELECT md5(string_agg(id::text, ',')) FROM block_t TABLESAMPLE grove.block_shuffle(100) REPEATABLE (seed % 3)) AS o
	  FROM generate_series(1, 9) seed) AS x;
SELECT (SELECT md5(string_agg(id::text, ',')) FROM block_t TABLESAMPLE grove.block_shuffle(100)) <>
	   (SELECT md5(string_agg(id::text, ',')) FROM block_t TABLESAMPLE grove.block_shuffle(100)) AS unseeded_differ;

-- Shares of the blocks: exact to a block; 0 is nothing; whole blocks only.
SELECT percent, (SELECT count(DISTINCT (ctid::text::point)[0]) FROM block_t TABLESAMPLE grove.block_shuffle(percent) REPEATABLE (7))
			- percent / 100 * (SELECT count(DISTINCT (ctid::text::point)[0]) FROM block_t) BETWEEN -1 AND 1 AS share_of_blocks
FROM unnest('{0,0.5,10,33.3,50,99,100}'::float8[]) percent;
SELECT count(*) AS nothing FROM block_t TABLESAMPLE grove.block_shuffle(0);

-- Each block has the same chance: 400 samples of a quarter; a table of 8 blocks, so that a tenth is less than a block.
CREATE TABLE block_small AS SELECT * FROM block_t WHERE id <= 320;
SELECT bool_and(abs(n - 0.25 * 400) < 6 * sqrt(400 * 0.25 * 0.75)) AS even
FROM (SELECT block, count(*) AS n
	  FROM (SELECT DISTINCT seed, (x.ctid::text::point)[0] AS block
			FROM generate_series(1, 400) seed, LATERAL (SELECT ctid FROM block_t TABLESAMPLE grove.block_shuffle(25) REPEATABLE (seed)) AS x) AS y
	  GROUP BY block) AS z;
SELECT count(DISTINCT block) AS blocks, sum((n - 50)^2 / (500 * 0.1 * 0.9)) * 7 / 8 < 46 AS even
FROM (SELECT block, count(seed) AS n
	  FROM generate_series(0, (SELECT max((ctid::text::point)[0])::integer FROM block_small)) block
	  LEFT JOIN (SELECT DISTINCT seed, (x.ctid::text::point)[0] AS b
				 FROM generate_series(1, 500) seed, LATERAL (SELECT ctid FROM block_small TABLESAMPLE grove.block_shuffle(10) REPEATABLE (seed)) AS x) AS y
	  ON b = block GROUP BY block) AS z;

-- Places of the blocks over seeds: is the first delivered block even over the table?
SELECT bool_and(abs(n - 100) < 6 * sqrt(100)) AS first_block_even, count(*) AS tenths
FROM (SELECT (block * 10) / (SELECT max((ctid::text::point)[0])::bigint + 1 FROM block_t) AS tenth, count(*) AS n
	  FROM (SELECT seed, (SELECT (ctid::text::point)[0]::bigint FROM block_t TABLESAMPLE grove.block_shuffle(100) REPEATABLE (seed) LIMIT 1) AS block
			FROM generate_series(1, 1000) seed) AS x GROUP BY 1) AS y;

-- A table of more than 2,048 blocks is read in runs of neighbours; still every row once, from a random run on.
CREATE TABLE block_many (id integer, filler text);
ALTER TABLE block_many ALTER filler SET STORAGE PLAIN;
INSERT INTO block_many SELECT i, repeat('x', current_setting('block_size')::integer * 6 / 10) FROM generate_series(1, 3000) i;
SELECT percent, count(*) - percent * 30 BETWEEN -1 AND 1 AS share, count(DISTINCT id) = count(*) AS once,
	   round(count(*) FILTER (WHERE id = previous + 1) / count(*)::numeric, 1) AS share_behind_their_neighbour
FROM (SELECT percent, id, lag(id) OVER (PARTITION BY percent ORDER BY i) AS previous
	  FROM unnest('{100,80,20}'::integer[]) percent,
		   LATERAL (SELECT id, row_number() OVER () AS i FROM block_many TABLESAMPLE grove.block_shuffle(percent) REPEATABLE (4)) AS x) AS y
GROUP BY percent ORDER BY percent DESC;

-- Deleted rows stay away, an empty table is empty, partitions are shuffled each.
DELETE FROM block_t WHERE id % 2 = 0;
SELECT count(*) AS rows, bool_and(id % 2 = 1) AS live FROM block_t TABLESAMPLE grove.block_shuffle(100);
CREATE TABLE block_empty (id integer);
SELECT count(*) FROM block_empty TABLESAMPLE grove.block_shuffle(100);
CREATE TABLE block_parts (id integer) PARTITION BY RANGE (id);
CREATE TABLE block_part_0 PARTITION OF block_parts FOR VALUES FROM (0) TO (1000);
CREATE TABLE block_part_1 PARTITION OF block_parts FOR VALUES FROM (1000) TO (9000);
INSERT INTO block_parts SELECT generate_series(0, 8999);
SELECT count(DISTINCT id), count(*) FROM block_parts TABLESAMPLE grove.block_shuffle(100) REPEATABLE (3);
-- With the second level: far from the order of storage.
SELECT avg(label) BETWEEN 0.3 AND 0.7 AS mixed
FROM (SELECT label FROM grove.shuffle_stream(NULL::block_t, 'SELECT * FROM block_t TABLESAMPLE grove.block_shuffle(100) REPEATABLE (1)', 2000, 1) LIMIT 1000) AS x;

-- Errors.
SELECT percent, pg_temp.error_of(format('SELECT count(*) FROM block_t TABLESAMPLE grove.block_shuffle(%s)', percent))
FROM unnest('{-1,100.1,''NaN'',"NULL","1, 2"}'::text[]) percent;
SELECT pg_temp.error_of('SELECT count(*) FROM block_runs TABLESAMPLE grove.block_shuffle(10)') AS view;
PREPARE by_parameter (float8) AS SELECT count(*) BETWEEN 4000 AND 6000 AS half FROM block_t TABLESAMPLE grove.block_shuffle($1) REPEATABLE (1);
EXECUTE by_parameter(50);

SET client_min_messages = warning;
DROP TABLE block_t, block_small, block_many, block_empty, block_parts CASCADE;
