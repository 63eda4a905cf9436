-- Rows are kept from the first reading as long as grove.max_memory has room,
-- else the source runs again; the model is the same either way.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE FUNCTION tell(i bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'reading';
	RETURN true;
END $$;

DO $$
BEGIN
	EXECUTE format('CREATE TABLE samples AS SELECT i AS id, %s FROM generate_series(1, 20000::bigint) AS i',
		(SELECT string_agg(format('grove.u01(%s, i) * 3 - 1 AS f%s', k, k), ', ') FROM generate_series(1, 26) AS k));
END $$;
-- numbers of few values, with a rare one that comes late; missing ones, infinite ones; labels, few and many
ALTER TABLE samples ADD few float8, ADD hole real, ADD page text, ADD city text, ADD y float8, ADD bought boolean, ADD kind text,
	ADD grade int, ADD query int, ADD w float8, ADD held boolean, ADD margin float8;
UPDATE samples SET few = CASE WHEN id > 19990 THEN 7.7 ELSE id % 3 * 0.1 END,
	hole = CASE WHEN id % 7 = 0 THEN NULL WHEN id % 1001 = 0 THEN 'infinity' ELSE f1 * f2 END,
	page = nullif('p' || id % 40, 'p3'), city = 'c' || (id * id) % 700,
	y = f1 + f2 * f3 + id % 3 + f4 * 0.1, bought = f1 + f2 * f3 + f5 > 1, kind = 'k' || floor((f1 + 1) * 1.3),
	grade = floor(abs(f1 + f2))::int, query = id / 9, w = 1 + id % 4 * 0.3, held = id % 5 = 0, margin = f3 * 0.5;

CREATE TABLE cases(nr int, target text, params jsonb, also text, roles text);
INSERT INTO cases VALUES
	(1, 'bought', '{}', '', ''),
	(2, 'y', '{}', ', w, held, margin', ', weight => ''w'', validation => ''held'', base_margin => ''margin'''),
	(3, 'kind', '{}', '', ''),
	(4, 'grade', '{"objective": "lambdarank"}', ', query', ', group_by => ''query'''),
	(5, 'grade', '{"objective": "multiclass"}', ', w', ', weight => ''w'''),
	(6, 'y', '{"algorithm": "forest", "max_bin": 60}', ', held', ', validation => ''held''');

CREATE FUNCTION digest(c cases) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT md5(grove.train(%L, %L, %L %s))',
		format('SELECT %s, few, hole, page, city, %s %s FROM samples WHERE CASE WHEN id = 11 THEN tell(id) ELSE true END',
			(SELECT string_agg('f' || k, ', ') FROM generate_series(1, 26) AS k), c.target, c.also),
		c.target, c.params || '{"num_iterations": 3, "num_leaves": 15}', c.roles) INTO result;
	RETURN result;
END
$$;

SET grove.min_parallel_cells = 0;
SET grove.max_workers = 0;
SET grove.max_memory = '64MB';
CREATE TABLE digests AS SELECT nr, 'kept' AS how, digest(c) AS digest FROM cases AS c;
SET grove.max_memory = '7MB';
INSERT INTO digests SELECT nr, 'read again', digest(c) FROM cases AS c;
SET grove.max_workers = 2;
SET grove.max_memory = '8MB';
INSERT INTO digests SELECT nr, 'read again, 2 workers', digest(c) FROM cases AS c WHERE nr < 3;
SET grove.max_memory = '64MB';
INSERT INTO digests SELECT nr, 'kept, 2 workers', digest(c) FROM cases AS c;
SET grove.max_workers = 1;
INSERT INTO digests SELECT nr, 'kept, 1 worker', digest(c) FROM cases AS c WHERE nr < 3;
SELECT nr, count(*) AS runs, count(DISTINCT digest) AS models FROM digests GROUP BY nr ORDER BY nr;

-- a source that gives other rows each time can be kept, but not read again
SELECT grove.train('SELECT random() AS a, i % 2 = 0 AS y FROM generate_series(1, 3000) AS i', 'y', '{"num_iterations": 1}') IS NOT NULL AS trained;

-- values that single precision cannot tell apart: a column of many is read again, few are kept as they are
SELECT grove.train('SELECT 1e15 + i AS a, i >= 500 AS y FROM generate_series(1, 1000::bigint) AS i WHERE CASE WHEN i = 1 THEN tell(i) ELSE true END', 'y',
	'{"num_iterations": 1, "algorithm": "tree", "num_leaves": 2}') AS many \gset
SELECT grove.train('SELECT 1e15 + i % 200 AS a, i % 200 >= 50 AS y FROM generate_series(1, 1000::bigint) AS i WHERE CASE WHEN i = 1 THEN tell(i) ELSE true END', 'y',
	'{"num_iterations": 1, "algorithm": "tree", "num_leaves": 2}') AS few \gset
SELECT max(a - 1e15) FILTER (WHERE NOT grove.predict(:'many'::bytea, a) > 0.5) AS many
FROM generate_series(1, 1000) AS i, LATERAL (SELECT 1e15 + i AS a) AS v;
SELECT max(a - 1e15) FILTER (WHERE NOT grove.predict(:'few'::bytea, a) > 0.5) AS few
FROM generate_series(0, 199) AS i, LATERAL (SELECT 1e15 + i AS a) AS v;

DROP FUNCTION tell, digest;
DROP TABLE samples, cases, digests;
