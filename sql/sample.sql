-- sample, weighted_sample, inverse_sample: which rows, in which order, of which types.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA sample_test;
SET search_path = sample_test, public;

-- The rows chosen are frozen: a change here changes every stored sample.
SELECT grove.sample(i, 6, 42), grove.sample(i, 6, 43) AS other_seed FROM generate_series(1, 1000) i;
SELECT grove.sample('user-' || i, 4, 42) FROM generate_series(1, 1000) i;
SELECT grove.weighted_sample(i, i, 6, 42), grove.inverse_sample(i, i, 6, 42) FROM generate_series(1, 1000) i;

CREATE TABLE shop (id int PRIMARY KEY, item text, price numeric, bought boolean, day date, seen timestamptz, score float8);
INSERT INTO shop SELECT i, 'item ' || i % 37, i / 8.0, i % 3 = 0, date '2024-01-01' + i, to_timestamp(i * 1e6), 1.0 / i FROM generate_series(1, 3000) i;
SELECT r.id, r.item, r.price, r.day FROM unnest((SELECT grove.sample(t, 4, 7) FROM shop t)) WITH ORDINALITY AS r ORDER BY ordinality;
SELECT r.id, r.item, r.price, r.day FROM unnest((SELECT grove.weighted_sample(t, price::float8, 4, 7) FROM shop t)) WITH ORDINALITY AS r ORDER BY ordinality;

-- Size: k, all rows when there are not more, an empty array for k = 0, NULL without rows.
SELECT k, cardinality(grove.sample(i, k, 1)) AS sample, cardinality(grove.weighted_sample(i, i, k, 1)) AS weighted,
	cardinality(grove.inverse_sample(i, i, k, 1)) AS inverse
FROM generate_series(1, 100) i, unnest(ARRAY[0, 1, 2, 50, 99, 100, 101, 1000000000]) k GROUP BY k ORDER BY k;
SELECT grove.sample(i, 0, 1) AS zero, grove.weighted_sample(i, 1, 0, 1) AS zero_weighted FROM generate_series(1, 5) i;
SELECT grove.sample(i, 5, 1) IS NULL AS none, grove.weighted_sample(i, 1, 5, 1) IS NULL AS none_weighted, grove.inverse_sample(i, 1, 5, 1) IS NULL AS none_inverse
FROM generate_series(1, 0) i;

-- A longer sample begins with the shorter one.
SELECT bool_and((SELECT grove.sample(id, k, 3) FROM shop) = (SELECT (grove.sample(id, 3000, 3))[:k] FROM shop)) AS prefix FROM generate_series(1, 60, 7) k;
-- A full sample of all is a shuffle of them.
SELECT (SELECT array_agg(u ORDER BY u) FROM unnest(s) u) = (SELECT array_agg(id ORDER BY id) FROM shop) AS complete, s[:8] AS first
FROM (SELECT grove.weighted_sample(id, 1, 3000, 3) AS s FROM shop) q;

-- The order of the rows, their table and their storage do not matter.
CREATE TABLE backwards AS SELECT * FROM shop ORDER BY id DESC;
CREATE TABLE wider (gone int, id bigint, item varchar(20), price numeric, bought boolean, day date, seen timestamptz, score float8);
INSERT INTO wider SELECT 1, id, item, price, bought, day, seen, score FROM shop ORDER BY item, id;
ALTER TABLE wider DROP COLUMN gone;
CREATE TABLE parts (LIKE shop) PARTITION BY HASH (item);
CREATE TABLE parts0 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE parts1 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE parts2 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO parts SELECT * FROM shop ORDER BY score;
CREATE VIEW seen_shop AS SELECT * FROM shop;
CREATE FUNCTION three_samples(source regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT md5(concat_ws(''/'', grove.sample(t, 100, 5), grove.weighted_sample(t, price::float8, 100, 5), grove.inverse_sample(t, price::float8, 100, 5))) FROM %s t', source)
		INTO result;
	RETURN result;
END $$;
SELECT count(DISTINCT three_samples(source)) AS one_result FROM unnest(ARRAY['shop', 'backwards', 'parts', 'seen_shop']::regclass[]) source;
CREATE INDEX ON backwards (item);
CLUSTER backwards USING backwards_item_idx;
SELECT three_samples('backwards') = three_samples('shop') AS clustered;
UPDATE backwards SET score = score;
VACUUM FULL backwards;
SELECT three_samples('backwards') = three_samples('shop') AS rewritten;
-- neither do dropped columns and the width of integers and strings
SELECT (SELECT array_agg(u.id ORDER BY ordinality) FROM unnest((SELECT grove.sample(t, 50, 5) FROM wider t)) WITH ORDINALITY AS u) =
	(SELECT array_agg(u.id::bigint ORDER BY ordinality) FROM unnest((SELECT grove.sample(t, 50, 5) FROM shop t)) WITH ORDINALITY AS u) AS same_ids;

-- Types of elements.
SELECT grove.sample(i::int2, 3, 9) AS int2, grove.sample(i::int4, 3, 9) AS int4, grove.sample(i::int8, 3, 9) AS int8 FROM generate_series(1, 500) i;
CREATE TYPE mood AS ENUM ('low', 'flat', 'high', 'higher');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN some_shop AS shop;
SELECT grove.sample(m, 2, 1), grove.sample(m::text, 2, 1) AS text, pg_typeof(grove.sample(m, 2, 1)) FROM unnest(enum_range(NULL::mood)) m;
SELECT grove.sample(i::positive, 3, 9), pg_typeof(grove.sample(i::positive, 3, 9)) FROM generate_series(1, 500) i;
SELECT pg_typeof(grove.sample(t::some_shop, 3, 9)), (SELECT array_agg(u.id) FROM unnest(grove.sample(t::some_shop, 3, 9)) u) = (SELECT array_agg(u.id) FROM unnest(grove.sample(t, 3, 9)) u) AS same FROM shop t;
SELECT grove.sample(i * 0.5, 3, 1) AS numeric, grove.sample(i * 0.5::float8, 3, 1) AS float8, grove.sample(date '2024-01-01' + i, 2, 1) AS date,
	grove.sample(lpad(to_hex(i), 32, '0')::uuid, 2, 1) AS uuid, grove.sample(i % 2 = 0, 3, 1) AS bool, grove.sample(decode(to_hex(i + 4096), 'hex'), 2, 1) AS bytea,
	grove.sample((i % 26 + 97)::int::"char", 2, 1) AS char
FROM generate_series(1, 100) i;

-- Also types without an order or a canonical form, in rows too.
CREATE TABLE odd_types (id int, place point, doc jsonb, span interval, net inet, days daterange, tags text[], places point[], inner_row shop, inner_rows shop[], bits bit(5), nothing text);
INSERT INTO odd_types SELECT i, point(i, -i), jsonb_build_object('a', i), i * interval '1 hour', '10.0.0.0'::inet + i, daterange(date '2024-01-01', date '2024-01-01' + i),
	ARRAY['t' || i], ARRAY[point(i, 0)], t, ARRAY[t], (i % 32)::bit(5), NULL FROM generate_series(1, 200) i JOIN shop t ON t.id = i;
SELECT grove.sample(place, 2, 1) AS point, grove.sample(doc, 2, 1) AS jsonb, grove.sample(span, 2, 1) AS interval, grove.sample(net, 2, 1) AS inet, grove.sample(days, 1, 1) AS daterange FROM odd_types;
SELECT (SELECT array_agg(u.id) FROM unnest(grove.sample(t, 6, 1)) u) AS ids, grove.sample(t, 200, 1)::text = grove.sample(t, 200, 1 ORDER BY id DESC)::text AS one_result,
	(SELECT count(DISTINCT u.id) FROM unnest(grove.sample(t, 150, 1)) u) AS ids_of_150 FROM odd_types t;

-- A NULL element is a value; NULL rows and rows of NULLs are.
SELECT grove.sample(nullif(i, 3), 10, 1), grove.weighted_sample(nullif(i, 3), i, 10, 1) AS weighted FROM generate_series(1, 6) i;
SELECT grove.sample(NULL::text, 3, 1) FROM generate_series(1, 5);
SELECT (SELECT array_agg(u.id) FROM unnest(grove.sample(CASE WHEN id > 1 THEN t END, 3, 1)) u) AS ids FROM shop t WHERE id < 4;

-- Equal elements come together in a uniform sample, the last one is cut; with weights every row is drawn by itself.
SELECT grove.sample(i % 4, 7, 1), grove.sample(i % 4, 12, 1) AS longer FROM generate_series(1, 20) i;
SELECT u AS item, count(*) FROM unnest((SELECT grove.weighted_sample(i % 4, 1, 12, 1) FROM generate_series(1, 20) i)) u GROUP BY 1 ORDER BY 1;
SELECT u AS item, count(*) FROM unnest((SELECT grove.inverse_sample(item, n, 12, 1) FROM (VALUES ('rare', 4), ('common', 400), ('usual', 40)) v(item, n), generate_series(1, n))) u GROUP BY 1 ORDER BY 1;
-- What is equal but does not look the same is told apart, in a fixed order.
SELECT grove.sample(x, 4, 1 ORDER BY n) AS forward, grove.sample(x, 4, 1 ORDER BY n DESC) AS backward,
	grove.weighted_sample(x, 2, 4, 1 ORDER BY n)::text = grove.weighted_sample(x, 2, 4, 1 ORDER BY n DESC)::text AS weighted
FROM (VALUES (1, 1.0), (2, 1.00), (3, 1), (4, 1.00), (5, 2), (6, 2.0)) v(n, x);

-- Zero weights are never chosen, infinite ones always; more infinite ones than k share the sample.
SELECT grove.weighted_sample(i, i % 2, 10, 1) AS odd, grove.weighted_sample(i, 0, 3, 1) AS none FROM generate_series(1, 6) i;
SELECT bool_and(s @> '{10,20}') AS certain, bool_and(cardinality(s) = 5) AS size
FROM (SELECT grove.weighted_sample(i, CASE WHEN i % 10 = 0 THEN 'Infinity' ELSE 1::float8 END, 5, seed) AS s FROM generate_series(1, 29) i, generate_series(1, 40) seed GROUP BY seed) q;
SELECT bool_and(s <@ '{10,20,30,40,50,60,70,80,90}') AS only_certain, bool_and(cardinality(s) = 5) AS size, count(DISTINCT s) > 30 AS varied
FROM (SELECT grove.weighted_sample(i, CASE WHEN i % 10 = 0 THEN 'Infinity' ELSE 1::float8 END, 5, seed) AS s FROM generate_series(1, 99) i, generate_series(1, 40) seed GROUP BY seed) q;
SELECT grove.inverse_sample(i, CASE WHEN i % 2 = 0 THEN 'Infinity' ELSE i::float8 END, 10, 1) AS finite FROM generate_series(1, 6) i;
-- A weight that alone is larger than its share is certain.
SELECT bool_and(1 = ANY (s)) AS certain FROM (SELECT grove.weighted_sample(i, CASE i WHEN 1 THEN 1000 ELSE 1 END, 3, seed) AS s FROM generate_series(1, 100) i, generate_series(1, 50) seed GROUP BY seed) q;

-- Only ratios of weights matter: powers of two never change the rows.
SELECT count(DISTINCT s) AS one_result FROM (SELECT grove.weighted_sample(id, price::float8 * 2::float8 ^ e, 40, 3) AS s FROM shop, unnest(ARRAY[-900, -1, 0, 1, 900]) e GROUP BY e) q;

-- Many more rows than are remembered.
SELECT cardinality(s) AS size, (SELECT count(DISTINCT u) FROM unnest(s) u) AS distinct_rows, (SELECT count(*) FROM unnest(s) u WHERE u > 270000) AS upper_tenth
FROM (SELECT grove.weighted_sample(i, i, 2000, 8) AS s FROM generate_series(1, 300000) i) q;
SELECT cardinality(s) AS size, (SELECT count(DISTINCT u) FROM unnest(s) u) AS distinct_rows
FROM (SELECT grove.inverse_sample('item ' || i, 1 + i % 100, 2000, 8) AS s FROM generate_series(1, 120000) i) q;

-- Long values: out of line, compressed, made by a function.
CREATE TABLE documents (id int, body text, packed text);
ALTER TABLE documents ALTER body SET STORAGE EXTERNAL;
INSERT INTO documents SELECT i, repeat(md5(i::text), 200), repeat(i::text, 3000) FROM generate_series(1, 60) i;
SELECT bool_and(b = t) AS bodies FROM (SELECT grove.sample(body, 20, 4) AS bodies FROM documents) q,
	LATERAL (SELECT array_agg(length(u)) = array_agg(6400) AS b, true AS t FROM unnest(bodies) u) r;
SELECT (SELECT grove.sample(body, 20, 4) FROM documents) <@ (SELECT array_agg(body) FROM documents) AS bodies,
	(SELECT grove.sample(packed, 20, 4) FROM documents) <@ (SELECT array_agg(packed) FROM documents) AS packed,
	(SELECT array_agg(u.id) FROM unnest((SELECT grove.sample(d, 60, 4) FROM documents d)) u WHERE length(u.body) = 6400) IS NOT NULL AS rows;
CREATE FUNCTION made_shop(i int) RETURNS shop LANGUAGE plpgsql AS $$
DECLARE
	r shop;
BEGIN
	SELECT * INTO r FROM shop WHERE id = i;
	RETURN r;
END $$;
SELECT grove.sample(made_shop(i), 50, 5)::text = (SELECT grove.sample(t, 50, 5)::text FROM shop t WHERE id <= 300) AS expanded FROM generate_series(1, 300) i;

-- Groups, FILTER, DISTINCT, windows.
SELECT g, grove.sample(i, 3, 1), grove.weighted_sample(i, i, g, 1) AS as_many_as_g FROM generate_series(1, 90) i, LATERAL (SELECT i % 3 + 1 AS g) x GROUP BY g ORDER BY g;
SELECT grove.sample(i, 3, 1) FILTER (WHERE i > 80), grove.sample(i, 3, 1) FILTER (WHERE i > 1000) IS NULL AS nothing FROM generate_series(1, 90) i;
SELECT cardinality(grove.sample(DISTINCT i % 4, 12, 1)) AS distinct_elements FROM generate_series(1, 20) i;
SELECT i, grove.sample(i, 2, 1) OVER w AS sample, grove.weighted_sample(i, i, 2, 1) OVER w AS weighted FROM generate_series(1, 6) i WINDOW w AS (ORDER BY i) ORDER BY i;
SELECT i, grove.sample(i, 2, 1) OVER (ORDER BY i ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS moving FROM generate_series(1, 6) i ORDER BY i;
SELECT count(*) AS groups, bool_and(cardinality(s) = 2) AS two_of_each, count(DISTINCT s) AS varied
FROM (SELECT grove.weighted_sample(t, price::float8, 2, 1) AS s FROM shop t GROUP BY id / 3 HAVING count(*) = 3) q;

-- A row type that changes between statements of one session.
PREPARE again AS SELECT cardinality(grove.sample(t, 5, 1)), (grove.sample(t, 1, 1))[1] IS NOT NULL AS there FROM wider t;
EXECUTE again;
ALTER TABLE wider ADD COLUMN extra numeric DEFAULT 1.5;
EXECUTE again;

DROP SCHEMA sample_test CASCADE;
