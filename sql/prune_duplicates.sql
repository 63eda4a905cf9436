-- prune, method duplicates: rows that training cannot tell apart become one row with their number as weight.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA prune_duplicates;
SET search_path = prune_duplicates, public;

CREATE TABLE t AS SELECT i AS id, (grove.hash64(1, i) & 7)::int AS a,
	CASE WHEN grove.u01(2, i) < 0.1 THEN NULL WHEN grove.u01(2, i) < 0.15 THEN 'NaN' ELSE floor(6 * grove.u01(3, i) ^ 2) END AS b,
	'g' || (grove.hash64(4, i) & 3) AS g, grove.u01(5, i) < 0.3 AS f, grove.u01(9, i) AS noise FROM generate_series(1, 8000) AS i;
ALTER TABLE t ADD PRIMARY KEY (id), ADD y float8, ADD z boolean, ADD m text;
UPDATE t SET y = round((a * 1.3 + coalesce(nullif(b, 'NaN'), 2) ^ 2 * 0.37 - 2.1 * a * f::int + substr(g, 2)::int * 0.71 + (grove.hash64(6, id) & 3))::numeric, 1);
UPDATE t SET z = grove.u01(7, id) < 1 / (1 + exp(-(y - 8) / 3)), m = CASE WHEN y + 4 * grove.u01(8, id) < 6 THEN 'low' WHEN y + 4 * grove.u01(8, id) < 12 THEN 'mid' END;
UPDATE t SET m = coalesce(m, 'high');

CREATE TYPE strata AS (id int, a int, b float8, g text, f boolean, target text);

-- The groups are those of GROUP BY: null and NaN are both missing.  keep => 0 of a stratified design gives one row a
-- stratum, that of the lowest hash; the same row stays here.
CREATE FUNCTION differences(target text, seed bigint) RETURNS TABLE (kept bigint, weights numeric, whole boolean, wrong bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		WITH k AS (SELECT (kept).id, pi, weight, log_offset
				   FROM grove.prune(NULL::t, 't', method => 'duplicates', target => %1$L, seed => %2$s,
									params => jsonb_build_object('ignore', array_remove('{noise,y,z,m}'::text[], %1$L)))),
		c AS (SELECT a, nullif(b, 'NaN') AS b, g, f, %1$I AS target, count(*) AS n FROM t GROUP BY 1, 2, 3, 4, 5),
		r AS (SELECT id, n FROM (SELECT id, a, nullif(b, 'NaN') AS b, g, f, %1$I AS target FROM t) AS q JOIN c
			  ON q.a = c.a AND q.b IS NOT DISTINCT FROM c.b AND q.g = c.g AND q.f = c.f AND q.target = c.target
			  WHERE id IN (SELECT (kept).id FROM grove.prune(NULL::strata, 'SELECT id, a, nullif(b, ''NaN'') AS b, g, f, %1$I::text AS target FROM t',
						   keep => 0, method => 'stratified', by => '{a,b,g,f,target}', key => '{id}', seed => %2$s)))
		SELECT (SELECT count(*) FROM k), (SELECT sum(weight)::numeric FROM k), (SELECT bool_and(pi = 1 AND log_offset = 0) FROM k),
			   (SELECT count(*) FROM k FULL JOIN r USING (id) WHERE k.weight IS DISTINCT FROM r.n)
	$q$, target, seed);
END $$;
SELECT target, seed, d.* FROM (VALUES ('y', 0), ('z', 42), ('m', -7)) AS v(target, seed), LATERAL differences(target, seed) AS d ORDER BY target;

-- The plan.
SELECT * FROM grove.prune_plan(NULL::t, 't', method => 'duplicates', target => 'z', params => '{"ignore": ["noise", "y", "m"]}') \gx
SELECT plan.effective_size = r.effective_size AS size_right
FROM grove.prune_plan(NULL::t, 't', method => 'duplicates', target => 'z', params => '{"ignore": ["noise", "y", "m"]}') AS plan,
	(SELECT sum(n) ^ 2 / sum(n ^ 2) AS effective_size FROM (SELECT count(*)::float8 AS n FROM t GROUP BY a, nullif(b, 'NaN'), g, f, z) AS c) AS r;

-- Nothing equal: every row stays.  Everything equal: one row.  No rows: none, and a plan of zeros.
SELECT count(*), min(weight), max(weight) FROM grove.prune(NULL::record, 'SELECT i AS id, i AS x, i % 2 AS y FROM generate_series(1, 200) AS i',
	method => 'duplicates', key => '{id}', target => 'y');
SELECT count(*), min(weight), max(weight) FROM grove.prune(NULL::record, 'SELECT i AS id, 1 AS x, 2 AS y FROM generate_series(1, 200) AS i',
	method => 'duplicates', key => '{id}', target => 'y');
SELECT count(*) FROM grove.prune(NULL::t, 'SELECT * FROM t WHERE false', method => 'duplicates', key => '{id}', target => 'y');
SELECT * FROM grove.prune_plan(NULL::t, 'SELECT * FROM t WHERE false', method => 'duplicates', key => '{id}', target => 'y', params => '{"max_bin": 16}') \gx

-- The same rows whatever their order, the plan, the memory, the storage.  Keys that many rows share: the rows of a key
-- differ in what is ignored, and the one that stays is the same.
CREATE TABLE many AS SELECT i AS id, i % 9 AS a, grove.u01(1, i)::numeric(6,2) AS x, repeat('x', i % 100) AS c, i % 5 = 0 AS y,
	point(i % 7, 0) AS place, i % 40 AS "user" FROM generate_series(1, 20000) AS i;
CREATE FUNCTION fingerprint(source text, keys text[]) RETURNS text LANGUAGE sql AS $$
	SELECT count(*) || ' ' || sum(weight) || ' ' || md5(string_agg((kept).id || ' ' || weight, ',' ORDER BY (kept).id))
	FROM grove.prune(NULL::many, source, method => 'duplicates', key => keys, target => 'y', seed => 7,
					 params => '{"ignore": ["id", "c", "place", "user"], "max_bin": 20}')
$$;
CREATE TABLE prints (way text, by_id text, by_user text);
CREATE FUNCTION print(way text, source text) RETURNS prints LANGUAGE sql AS
	$$SELECT way, fingerprint(source, '{id}'), fingerprint(source, '{user}')$$;
INSERT INTO prints SELECT * FROM print('table', 'many');
INSERT INTO prints SELECT * FROM print('query', 'SELECT * FROM many');
INSERT INTO prints SELECT * FROM print('ordered query', 'SELECT * FROM many ORDER BY md5(id::text)');
SET work_mem = '64kB';
INSERT INTO prints SELECT * FROM print('little memory', 'SELECT * FROM many ORDER BY id DESC');
RESET work_mem;
CREATE INDEX many_c ON many (c, id DESC);
CLUSTER many USING many_c;
INSERT INTO prints SELECT * FROM print('clustered', 'many');
CREATE TABLE parts (LIKE many) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO parts SELECT * FROM many;
INSERT INTO prints SELECT * FROM print('partitioned', 'parts');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
INSERT INTO prints SELECT * FROM print('parallel', 'many');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
SELECT way, by_id = (SELECT by_id FROM prints WHERE way = 'table') AS same_by_id,
	by_user = (SELECT by_user FROM prints WHERE way = 'table') AS same_by_user FROM prints ORDER BY way;
-- frozen: a change of any bit breaks every stored set
SELECT by_id, by_user, by_id <> by_user AS key_matters FROM prints WHERE way = 'table';
-- settings do not count for rows of one key
CREATE TABLE looks AS SELECT i AS id, i % 9 AS a, i % 5 = 0 AS y, timestamptz '2024-01-01 00:00+00' + i * interval '1 hour' AS at, i * interval '61 min' AS span,
	(i / 7.0)::float8 AS x, decode(to_hex(i + 4096), 'hex') AS bytes, jsonb_build_object('word', U&'\2713' || i) AS doc, 1 AS unit FROM generate_series(1, 2000) AS i;
CREATE FUNCTION kept_ids() RETURNS integer[] LANGUAGE sql AS $$
	SELECT array_agg((kept).id ORDER BY (kept).id) FROM grove.prune(NULL::looks, 'looks', method => 'duplicates', key => '{unit}', target => 'y', seed => 7,
		params => '{"ignore": ["id", "at", "span", "x", "bytes", "doc"]}')
$$;
CREATE TABLE looks_kept AS SELECT 'as it is' AS setting, kept_ids() AS ids;
SET TimeZone = 'Asia/Kolkata';
INSERT INTO looks_kept SELECT 'TimeZone', kept_ids();
RESET TimeZone;
SET DateStyle = 'German';
INSERT INTO looks_kept SELECT 'DateStyle', kept_ids();
RESET DateStyle;
SET IntervalStyle = 'iso_8601';
INSERT INTO looks_kept SELECT 'IntervalStyle', kept_ids();
RESET IntervalStyle;
SET extra_float_digits = -9;
INSERT INTO looks_kept SELECT 'extra_float_digits', kept_ids();
RESET extra_float_digits;
SET bytea_output = 'escape';
INSERT INTO looks_kept SELECT 'bytea_output', kept_ids();
RESET bytea_output;
SET client_encoding = 'LATIN1';
INSERT INTO looks_kept SELECT 'client_encoding', kept_ids();
RESET client_encoding;
SELECT setting, cardinality(ids) AS kept, ids = (SELECT ids FROM looks_kept WHERE setting = 'as it is') AS same FROM looks_kept ORDER BY setting COLLATE "C";
-- what is equal but looks different is told apart, so that the order of rows does not count
CREATE TYPE alike_pair AS (n integer, one numeric);
CREATE TABLE alike AS SELECT i % 50 AS a, i % 2 AS y, round(1, i % 30) AS one, CASE WHEN i % 4 < 2 THEN '-0' ELSE '0' END::float8 AS zero, ('a' || repeat(' ', i % 7))::bpchar AS text,
	ARRAY[round(1, i % 3)] AS ones, ROW(1, round(1, i % 3))::alike_pair AS pair, 1 AS unit FROM generate_series(1, 2000) AS i;
CREATE FUNCTION kept_looks(source text) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(kept::text, ',' ORDER BY (kept).a, (kept).y)) FROM grove.prune(NULL::alike, source, method => 'duplicates', key => '{unit}', target => 'y', seed => 7,
		params => '{"ignore": ["one", "zero", "text", "ones", "pair"]}')
$$;
SELECT count(DISTINCT kept_looks(format('SELECT * FROM alike ORDER BY %s', o))) AS sets FROM unnest('{one,one DESC,zero::text,zero::text DESC,text::bytea,md5(alike::text)}'::text[]) AS o;
-- rows that are equal in every column: one of them
SELECT count(*), sum(weight) FROM grove.prune(NULL::record, 'SELECT i % 2 AS id, i % 2 AS x, 1 AS y FROM generate_series(1, 10) AS i',
	method => 'duplicates', key => '{id}', target => 'y');
-- another seed, other rows of the same groups
SELECT count(*) AS both, sum(a.weight - b.weight) AS difference
FROM grove.prune(NULL::t, 't', method => 'duplicates', target => 'z', seed => 1, params => '{"ignore": ["noise", "y", "m"]}') AS a
JOIN grove.prune(NULL::t, 't', method => 'duplicates', target => 'z', seed => 2, params => '{"ignore": ["noise", "y", "m"]}') AS b
ON ROW((a.kept).a, coalesce(nullif((a.kept).b, 'NaN'), -1), (a.kept).g, (a.kept).f, (a.kept).z) = ROW((b.kept).a, coalesce(nullif((b.kept).b, 'NaN'), -1), (b.kept).g, (b.kept).f, (b.kept).z);

-- Continuous features: the bins are those of train(), whose thresholds are the edges.  The target is random, so that a
-- tree of one row a leaf uses all of them.
CREATE TABLE bins AS SELECT i AS id, (100 * grove.u01(11, i) ^ 3)::float8 AS u, timestamp '2024-01-01' + i * interval '37 min' AS at, grove.u01(12, i) < 0.5 AS y
	FROM generate_series(1, 5000) AS i;
CREATE TABLE edges AS SELECT DISTINCT feature, threshold
	FROM grove.nodes(grove.train('SELECT u, at, y FROM bins', 'y', '{"algorithm": "tree", "num_leaves": 4000, "max_bin": 12, "min_data_in_leaf": 0}')) WHERE feature IS NOT NULL;
SELECT feature, count(*) FROM edges GROUP BY feature ORDER BY feature;
CREATE TABLE binned AS SELECT id, y, (SELECT count(*) FROM edges WHERE feature = 'u' AND threshold < u) AS u,
	(SELECT count(*) FROM edges WHERE feature = 'at' AND threshold < extract(epoch FROM at - timestamp '2000-01-01')) AS at FROM bins;
SELECT count(*) AS groups, sum(k.weight) AS rows, count(*) FILTER (WHERE k.weight IS DISTINCT FROM c.n) AS wrong
FROM (SELECT b.u, b.at, b.y, p.weight FROM grove.prune(NULL::bins, 'bins', method => 'duplicates', key => '{id}', target => 'y', params => '{"max_bin": 12}') AS p
	  JOIN binned AS b ON b.id = (p.kept).id) AS k
FULL JOIN (SELECT u, at, y, count(*) AS n FROM binned GROUP BY 1, 2, 3) AS c USING (u, at, y);
-- 255 bins by default, each with both targets
SELECT kept_rows FROM grove.prune_plan(NULL::bins, 'bins', method => 'duplicates', key => '{id}', target => 'y', params => '{"ignore": ["at"]}');
SELECT kept_rows FROM grove.prune_plan(NULL::bins, 'bins', method => 'duplicates', key => '{id}', target => 'y', params => '{"ignore": ["at"], "max_bin": 60}');

-- Labels: rare ones beyond 255 count as missing, as min_data_per_level says; 1 % are left out in any case.
SELECT p, kept_rows FROM (VALUES (1, '{"min_data_per_level": 11}'), (2, '{}'), (3, '{"max_bin": 20}'), (4, '{"max_bin": 20, "min_data_per_level": 1}')) AS v(nr, p),
	grove.prune_plan(NULL::record, 'SELECT i AS id, ''l'' || i % 300 AS label, 1.5 AS y FROM generate_series(1, 3000) AS i',
					 method => 'duplicates', key => '{id}', target => 'y', params => p::jsonb) ORDER BY nr;

-- Every type of feature; -0 is 0, an infinite value the largest one; a target of any type.
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE kinds AS SELECT i AS id, (i % 2)::smallint AS s, (i % 2)::bigint AS l, (i % 2)::numeric(9,2) AS n, date '2024-01-01' + i % 2 AS d,
	timestamptz '2024-01-01 00:00+00' + i % 2 * interval '1 hour' AS tz, CASE i % 4 WHEN 0 THEN 0 WHEN 2 THEN -0.0 ELSE real 'Infinity' END::real AS r,
	('v' || i % 2)::char(9) AS c, (ARRAY['sad', 'ok'])[1 + i % 2]::mood AS mood, md5((i % 2)::text)::uuid AS uuid, i % 2 = 0 AS y FROM generate_series(1, 100) AS i;
SELECT target, (SELECT array_agg(weight ORDER BY (kept).s) FROM grove.prune(NULL::kinds, 'kinds', method => 'duplicates', key => '{id}', target => target)) AS weights
FROM unnest('{y,s,l,n,d,tz,c,mood,uuid}'::text[]) AS target ORDER BY target;

-- The identical model: the leaves of every tree hold the same rows, and predictions agree to single precision.
CREATE FUNCTION models(target text, task text, params text, OUT whole bytea, OUT merged bytea, OUT unweighted bytea) LANGUAGE sql AS $$
	SELECT grove.train(format('SELECT a, b, g, f, %I, 1 AS weight FROM t', target), target, params::jsonb, task, weight => 'weight'),
		grove.train(kept, target, params::jsonb, task, weight => 'weight'),
		grove.train(kept, target, params::jsonb, task, ignore => '{weight}')
	FROM format($q$SELECT (kept).a, (kept).b, (kept).g, (kept).f, (kept).%1$I, weight FROM grove.prune(NULL::t, 't', method => 'duplicates',
			target => %1$L, params => jsonb_build_object('ignore', array_remove('{noise,y,z,m}'::text[], %1$L)))$q$, target) AS kept
$$;
CREATE FUNCTION compare(a bytea, b bytea, OUT leaves bigint, OUT same boolean, OUT close boolean) LANGUAGE sql AS $$
	WITH l AS MATERIALIZED (SELECT DISTINCT tree, u.v, u.w FROM t, LATERAL unnest(grove.predict_leaf($1, a, b, g, f), grove.predict_leaf($2, a, b, g, f)) WITH ORDINALITY AS u(v, w, tree))
	SELECT count(DISTINCT (tree, v)), count(DISTINCT (tree, v, w)) = count(DISTINCT (tree, v)) AND count(DISTINCT (tree, v, w)) = count(DISTINCT (tree, w)),
		CASE WHEN cardinality(grove.classes($1)) > 0 THEN
			(SELECT max(abs(v.p - v.q)) < 1e-5 FROM t, LATERAL unnest(grove.predict_proba($1, a, b, g, f), grove.predict_proba($2, a, b, g, f)) AS v(p, q))
		ELSE (SELECT max(abs(grove.predict($1, a, b, g, f) - grove.predict($2, a, b, g, f))) < 1e-4 FROM t) END
	FROM l
$$;
CREATE TABLE grown AS SELECT target, algorithm, o.* FROM (VALUES ('y', 'regression'), ('z', 'binary'), ('m', 'multiclass')) AS v(target, task),
	(VALUES ('gbdt', '{"num_iterations": 20, "num_leaves": 15, "min_data_in_leaf": 0, "min_data_per_group": 1}'),
			('tree', '{"algorithm": "tree", "num_leaves": 25, "min_data_in_leaf": 0, "min_data_per_group": 1, "min_sum_hessian_in_leaf": 10}')) AS p(algorithm, params),
	LATERAL models(target, task, params) AS o;
SELECT target, algorithm, w.leaves, w.same, w.close, u.close AS close_without_weight
FROM grown, LATERAL compare(whole, merged) AS w, LATERAL compare(whole, unweighted) AS u ORDER BY target, algorithm;

-- What is refused.
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, regexp_replace(nullif(detail, ''), 'columns take \d+ kB', 'columns take N kB'), nullif(hint, ''));
END $$;
CREATE FUNCTION pg_temp.refused(arguments text, row_type text DEFAULT 't') RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.error_of(format('SELECT count(*) FROM grove.prune(NULL::%s, %s, method => ''duplicates'')', row_type, arguments))$$;
SELECT a, pg_temp.refused(a) FROM (VALUES
	(1, $$'t'$$), (2, $$'t', target => 'z', keep => 0.5$$), (3, $$'t', target => 'z', n => 10$$), (4, $$'t', target => 'z', by => '{a}'$$),
	(5, $$'t', target => 'z', readmit => 0.1$$), (6, $$'t', target => 'z', gamma => 2$$), (7, $$'t', target => 'z', exact => false$$),
	(8, $$'t', target => 'z', model => '\x00'$$), (9, $$'t', target => 'zz'$$), (10, $$'SELECT * FROM t', target => 'z'$$),
	(11, $$'t', target => 'z', key => '{idd}'$$), (12, $$'t', target => 'z', readmit => NULL$$)) AS v(n, a) ORDER BY n;
SELECT p, pg_temp.refused(format($$'t', target => 'z', params => %L$$, p)) FROM (VALUES
	(1, '{"ignore": "y"}'), (2, '{"ignore": {"y": 1}}'), (3, '{"ignore": [1]}'), (4, '{"ignore": ["yy"]}'), (5, '{"ignore": ["z"]}'), (6, '{"ignore": [["y"]]}'),
	(7, '{"max_bin": 1}'), (8, '{"max_bin": 256}'), (9, '{"max_bin": 2.5}'), (10, '{"max_bin": "a"}'), (11, '{"min_data_per_level": 0}'), (12, '{"max_bins": 3}'),
	(13, '{"pi_min": 0.1}'), (14, '{"ignore": []}'), (15, '{"ignore": ["id", "id"]}')) AS v(n, p) ORDER BY n;
SELECT p, pg_temp.error_of(format($$SELECT count(*) FROM grove.prune(NULL::t, 't', keep => 0.5, params => %L)$$, p)) FROM (VALUES
	(1, '{"ignore": ["y"]}'), (2, '{"max_bin": 9}'), (3, '{"min_data_per_level": 9}')) AS v(n, p) ORDER BY n;
SELECT a, pg_temp.refused(a, 'record') FROM (VALUES
	(1, $$'many', target => 'y', key => '{id}'$$), (2, $$'many', target => 'place', key => '{id}'$$),
	(3, $$'SELECT id, a, nullif(z, true) AS z FROM t', target => 'z', key => '{id}'$$), (4, $$'SELECT nullif(id, 5) AS id, a, z FROM t', target => 'z', key => '{id}'$$),
	(5, $$'SELECT id, a, b FROM t WHERE b IS NOT NULL', target => 'b', key => '{id}'$$), (6, $$'SELECT id, a, a, z FROM t', target => 'z', key => '{id}'$$), (7, $$'SELECT id, z FROM t', target => 'z', key => '{id}'$$)) AS v(n, a) ORDER BY n;
-- more groups, or labels, than memory allows
SET grove.max_memory = '9MB';
SELECT pg_temp.refused($$'SELECT i AS id, i % 250 AS a, i / 250 % 250 AS b, i / 62500 AS c, 1 AS y FROM generate_series(1, 130000) AS i', key => '{id}', target => 'y'$$, 'record');
SET grove.max_memory = '1MB';
SELECT pg_temp.refused($$'SELECT i AS id, md5(i::text) AS a, 1 AS y FROM generate_series(1, 40000) AS i', key => '{id}', target => 'y'$$, 'record');
SELECT pg_temp.refused($$'SELECT i AS id, 1 AS a, md5(i::text) AS y FROM generate_series(1, 40000) AS i', key => '{id}', target => 'y'$$, 'record');
RESET grove.max_memory;
SELECT count(*) FROM grove.prune(NULL::record, 'SELECT i AS id, i % 200 AS a, i / 200 AS b, 1 AS y FROM generate_series(1, 40000) AS i', method => 'duplicates', key => '{id}', target => 'y');
-- cancelled while it reads
\set VERBOSITY terse
SET statement_timeout = '50ms';
SELECT count(*) FROM grove.prune(NULL::record, 'SELECT i AS id, i % 3 AS a, 1 AS y FROM generate_series(1, 100000000) AS i', method => 'duplicates', key => '{id}', target => 'y');
RESET statement_timeout;

DROP SCHEMA prune_duplicates CASCADE;
