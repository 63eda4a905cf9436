-- orders.sql: shuffle, shuffle_stream, permute and block_shuffle give every order alike, over :trials seeds from :seed on.
\ir lib/checks.sql
\set trials 4000
\set last (:seed::bigint + :trials - 1)

-- Rows of one, two and several to a page; a row a page for blocks.
CREATE TABLE five AS SELECT i AS id, 'row ' || i AS name FROM generate_series(0, 4) i;
CREATE TABLE nine AS SELECT i AS id, 'row ' || i AS name FROM generate_series(0, 8) i;
CREATE TABLE blocks (id int, filler text);
ALTER TABLE blocks ALTER filler SET STORAGE PLAIN;
INSERT INTO blocks SELECT i, repeat('x', 5000) FROM generate_series(0, 8) i;
CREATE TABLE five_blocks (LIKE blocks INCLUDING STORAGE);
INSERT INTO five_blocks SELECT * FROM blocks WHERE id < 5;
SELECT stats.line(count(DISTINCT (ctid::text::point)[0]) = 9, 'orders: a block a row') FROM blocks;
ANALYZE five, nine, blocks, five_blocks;

-- What stands at each place, from 0 on: five things for all 120 orders, nine for places and pairs.
CREATE TABLE orders AS
SELECT 'shuffle' AS way, s AS seed, ARRAY(SELECT id FROM grove.shuffle(NULL::five, 'stats.five', key => '{id}', seed => s)) AS few,
	   ARRAY(SELECT id FROM grove.shuffle(NULL::nine, 'stats.nine', key => '{id}', seed => s)) AS ids FROM generate_series(:seed::bigint, :last) s
UNION ALL SELECT 'shuffle by text', s, ARRAY(SELECT id FROM grove.shuffle(NULL::five, 'stats.five', key => '{name}', seed => s)),
	   ARRAY(SELECT id FROM grove.shuffle(NULL::nine, 'stats.nine', key => '{name}', seed => s)) FROM generate_series(:seed::bigint, :last) s
UNION ALL SELECT 'shuffle_stream', s, ARRAY(SELECT id FROM grove.shuffle_stream(NULL::five, 'stats.five', 10, s)),
	   ARRAY(SELECT id FROM grove.shuffle_stream(NULL::nine, 'stats.nine', 9, s)) FROM generate_series(:seed::bigint, :last) s
UNION ALL SELECT 'permute', s, ARRAY(SELECT i FROM generate_series(0, 4) i ORDER BY grove.permute(i, 5, s)),
	   ARRAY(SELECT i FROM generate_series(0, 8) i ORDER BY grove.permute(i, 9, s)) FROM generate_series(:seed::bigint, :last) s
UNION ALL SELECT 'unpermute', s, ARRAY(SELECT grove.unpermute(i, 5, s)::int FROM generate_series(0, 4) i), ARRAY(SELECT grove.unpermute(i, 9, s)::int FROM generate_series(0, 8) i) FROM generate_series(:seed::bigint, :last) s
UNION ALL SELECT 'permute, large n', s, ARRAY(SELECT i FROM generate_series(0, 4) i ORDER BY grove.permute(i, 5000, s)),
	   ARRAY(SELECT i FROM generate_series(0, 8) i ORDER BY grove.permute(i, 1000000000000, s)) FROM generate_series(:seed::bigint, :last) s
UNION ALL SELECT 'block_shuffle', s, ARRAY(SELECT id FROM five_blocks TABLESAMPLE grove.block_shuffle(100) REPEATABLE (s)),
	   ARRAY(SELECT id FROM blocks TABLESAMPLE grove.block_shuffle(100) REPEATABLE (s)) FROM generate_series(:seed::bigint, :last) s;
SELECT stats.line(count(*) = :trials AND bool_and((SELECT array_agg(x ORDER BY x) FROM unnest(few) x) = '{0,1,2,3,4}') AND
				  bool_and((SELECT array_agg(x ORDER BY x) FROM unnest(ids) x) = '{0,1,2,3,4,5,6,7,8}'), 'orders: everything once by ' || way, count(*)::text)
FROM orders GROUP BY way ORDER BY way;

CREATE TABLE every_order AS SELECT ARRAY[a, b, c, d, e] AS few
FROM generate_series(0, 4) a, generate_series(0, 4) b, generate_series(0, 4) c, generate_series(0, 4) d, generate_series(0, 4) e
WHERE (SELECT count(DISTINCT x) FROM unnest(ARRAY[a, b, c, d, e]) x) = 5;
SELECT stats.frequencies('orders: all 120 orders of five by ' || way, array_agg(n), :trials, array_agg(1 / 120.0)),
	   stats.line(count(*) = 120 AND abs(z_of_chi_square(sum((n - :trials / 120.0) ^ 2 / (:trials / 120.0))::float8, 119)) < z_limit(1), 'orders: chi-square of the orders by ' || way, sum((n - :trials / 120.0) ^ 2 / (:trials / 120.0))::text)
FROM (SELECT way, e.few, coalesce(n, 0) AS n FROM (SELECT DISTINCT way FROM orders) w CROSS JOIN every_order e LEFT JOIN (SELECT way, few, count(*) AS n FROM orders GROUP BY 1, 2) o USING (way, few)) q
GROUP BY way ORDER BY way \g (format=unaligned fieldsep='\n')

-- Every place, and every pair at two places that follow each other, up to the last ones.
CREATE TABLE placed AS SELECT way, seed, id, place - 1 AS place FROM orders, unnest(ids) WITH ORDINALITY u (id, place);
ANALYZE placed;
SELECT stats.frequencies('orders: places by ' || way, array_agg(n), :trials, array_agg(1 / 9.0))
FROM (SELECT way, id, place, coalesce(n, 0) AS n FROM (SELECT DISTINCT way FROM orders) w CROSS JOIN generate_series(0, 8) id CROSS JOIN generate_series(0, 8) place
	  LEFT JOIN (SELECT way, id, place, count(*) AS n FROM placed GROUP BY 1, 2, 3) d USING (way, id, place)) q GROUP BY way ORDER BY way;
SELECT stats.frequencies('orders: neighbours at each place by ' || way, array_agg(n), :trials, array_agg(1 / 72.0))
FROM (SELECT w.way, p, i, j, coalesce(n, 0) AS n FROM (SELECT DISTINCT way FROM orders) w CROSS JOIN generate_series(0, 7) p CROSS JOIN generate_series(0, 8) i JOIN generate_series(0, 8) j ON i <> j
	  LEFT JOIN (SELECT a.way, a.place, a.id, b.id AS other, count(*) AS n FROM placed a JOIN placed b ON b.way = a.way AND b.seed = a.seed AND b.place = a.place + 1 GROUP BY 1, 2, 3, 4) d
		ON d.way = w.way AND d.place = p AND d.id = i AND d.other = j) q GROUP BY way ORDER BY way;

-- Two ways with one seed have nothing to do with each other, nor has an order with the next seed's.
CREATE TABLE firsts AS SELECT way, seed, ids[1] AS id FROM orders;
ANALYZE firsts;
CREATE FUNCTION firsts_of(a text, b text, later int) RETURNS TABLE (n bigint) LANGUAGE sql AS $$
	SELECT coalesce(k, 0) FROM generate_series(0, 8) i CROSS JOIN generate_series(0, 8) j
	LEFT JOIN (SELECT x.id AS i, y.id AS j, count(*) AS k FROM firsts x JOIN firsts y ON y.seed = x.seed + later WHERE x.way = a AND y.way = b GROUP BY 1, 2) c USING (i, j)
$$;
SELECT stats.frequencies('orders: first of ' || a || ' and of ' || b, array_agg(n), :trials, array_agg(1 / 81.0))
FROM unnest('{shuffle,shuffle by text,shuffle_stream,permute,block_shuffle}'::text[]) a, unnest('{shuffle,shuffle_stream,permute,block_shuffle}'::text[]) b, firsts_of(a, b, 0)
WHERE a < b AND NOT a || b LIKE 'shuffle%by text' GROUP BY a, b ORDER BY a, b;
SELECT stats.frequencies('orders: first of ' || w || ' and by the next seed', array_agg(n), :trials - 1, array_agg(1 / 81.0))
FROM unnest('{shuffle,shuffle by text,shuffle_stream,permute,block_shuffle}'::text[]) w, firsts_of(w, w, 1) GROUP BY w ORDER BY w;

-- A part of the blocks: a quarter of nine is two or three, each with its probability, in any order.
CREATE TABLE parts AS
SELECT s AS seed, id, place FROM generate_series(:seed::bigint, :last) s,
	 LATERAL (SELECT id, row_number() OVER () AS place FROM blocks TABLESAMPLE grove.block_shuffle(25) REPEATABLE (s)) b;
ANALYZE parts;
SELECT stats.frequencies('orders: blocks of a quarter', array_agg(n), :trials, array_agg(0.25)) FROM (SELECT i, count(seed) AS n FROM generate_series(0, 8) i LEFT JOIN parts ON id = i GROUP BY 1) q;
SELECT stats.frequencies('orders: first block of a quarter', array_agg(n), :trials, array_agg(1 / 9.0)) FROM (SELECT i, count(seed) AS n FROM generate_series(0, 8) i LEFT JOIN parts ON id = i AND place = 1 GROUP BY 1) q;
SELECT stats.frequencies('orders: number of blocks of a quarter', array_agg(n), :trials, array_agg(p))
FROM (SELECT p, (SELECT count(*) FROM (SELECT seed FROM parts GROUP BY seed HAVING count(*) = size) s) AS n FROM (VALUES (2, 0.75::float8), (3, 0.25)) v (size, p)) q;
SELECT stats.frequencies('orders: pairs of blocks of a quarter', array_agg(n), :trials, array_agg((0.75 * 2 + 0.25 * 6) / 72))
FROM (SELECT i, j, count(b.seed) AS n FROM generate_series(0, 8) i JOIN generate_series(0, 8) j ON i < j LEFT JOIN parts a ON a.id = i LEFT JOIN parts b ON b.seed = a.seed AND b.id = j GROUP BY 1, 2) q;

-- shuffle_stream with a buffer of three: rows stay in their buffer and stand anywhere in it.
CREATE TABLE streamed AS
SELECT s AS seed, id, place FROM generate_series(:seed::bigint, :last) s,
	 LATERAL (SELECT id, row_number() OVER () - 1 AS place FROM grove.shuffle_stream(NULL::nine, 'SELECT * FROM stats.nine ORDER BY id', 3, s)) b;
ANALYZE streamed;
SELECT stats.line(count(*) = 9 * :trials AND bool_and(id / 3 = place / 3), 'orders: buffers of shuffle_stream') FROM streamed;
SELECT stats.frequencies('orders: places within buffers of shuffle_stream', array_agg(n), :trials, array_agg(1 / 3.0))
FROM (SELECT i, p, count(seed) AS n FROM generate_series(0, 8) i JOIN generate_series(0, 8) p ON p / 3 = i / 3 LEFT JOIN streamed ON id = i AND place = p GROUP BY 1, 2) q;
SELECT stats.frequencies('orders: two buffers of shuffle_stream', array_agg(n), :trials, array_agg(1 / 9.0))
FROM (SELECT i, j, count(b.seed) AS n FROM generate_series(0, 2) i CROSS JOIN generate_series(3, 5) j LEFT JOIN streamed a ON a.id = i AND a.place = 0 LEFT JOIN streamed b ON b.seed = a.seed AND b.id = j AND b.place = 3 GROUP BY 1, 2) q;

-- permute beyond its table of exchanges: places of single elements, and of pairs, in tenths of n.
CREATE TABLE far AS
SELECT n, s AS seed, i, grove.permute(i, n, s)::numeric * 10 / n AS tenth FROM unnest('{4096,4097,5000,1000000,4611686018427387904}'::bigint[]) n, generate_series(0, 5) i, generate_series(:seed::bigint, :last) s;
ANALYZE far;
SELECT stats.frequencies('orders: tenths by permute of ' || n, array_agg(k), :trials, array_agg(p))
FROM (SELECT n, e, d, count(seed) AS k, ((ceil((d + 1) * (n / 10.0)) - ceil(d * (n / 10.0))) / n)::float8 AS p FROM (SELECT DISTINCT n FROM far) f CROSS JOIN generate_series(0, 5) e CROSS JOIN generate_series(0, 9) d
	  LEFT JOIN (SELECT n, seed, i AS e, floor(tenth)::int AS d FROM far) x USING (n, e, d) GROUP BY 1, 2, 3) q GROUP BY n ORDER BY n;
SELECT stats.frequencies('orders: pairs of halves by permute of ' || n, array_agg(k), :trials, array_agg(h * (h - 1 / n::float8) / (1 - 1 / n::float8)))
FROM (SELECT x.n, x.i, y.i AS j, count(*) FILTER (WHERE x.tenth < 5 AND y.tenth < 5) AS k, (ceil(x.n / 2.0) / x.n)::float8 AS h FROM far x JOIN far y USING (n, seed) WHERE x.i < y.i GROUP BY 1, 2, 3) q GROUP BY n ORDER BY n;
SELECT stats.line(bool_and(places = n AND back AND lowest = 0 AND highest = n - 1), 'orders: permute is one to one')
FROM (SELECT n, count(DISTINCT grove.permute(i, n, s)) AS places, bool_and(grove.unpermute(grove.permute(i, n, s), n, s) = i) AS back, min(grove.permute(i, n, s)) AS lowest, max(grove.permute(i, n, s)) AS highest
	  FROM unnest('{1,2,3,63,4096,4097,5000}'::bigint[]) n, LATERAL generate_series(0, n - 1) i, generate_series(:seed::bigint, :seed + 2) s GROUP BY n, s) q;
