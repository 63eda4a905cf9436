-- Sources of unusual shape: as many columns as a table can have, features
-- without any information, very many labels, dates without end.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;
CREATE SCHEMA bad_shapes;
SET search_path = bad_shapes;

CREATE FUNCTION try(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE query INTO result;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || regexp_replace(message, 'needs \d+ kB', 'needs N kB'),
					 regexp_replace(nullif(detail, ''), '\d+ kB', 'N kB', 'g'), nullif(hint, ''));
END
$$;

-- 1,600 columns: the row must fit a page, so that most of them are NULL in each
SELECT format('CREATE TABLE wide (id int PRIMARY KEY, y real, %s)', string_agg(format('c%s real', i), ', ')) FROM generate_series(1, 1598) AS i \gexec
SELECT format('INSERT INTO wide SELECT i, i %% 2 + (i %% 1598 >= 1000)::int * 4, %s FROM generate_series(1, 400) AS i',
	string_agg(CASE WHEN c IN (1, 1598) THEN format('i %% %s', CASE c WHEN 1 THEN 3 ELSE 5 END) WHEN c % 4 = 0 THEN format('(i * i * %s + i) %% %s', c, 20 + c % 13) ELSE 'NULL' END, ', ' ORDER BY c))
FROM generate_series(1, 1598) AS c \gexec
UPDATE wide SET y = CASE WHEN c1598 > 1 THEN 10 ELSE 0 END + CASE WHEN c400 > 15 THEN 3 ELSE 0 END;
SELECT count(*) FROM pg_attribute WHERE attrelid = 'wide'::regclass AND attnum > 0;
CREATE TABLE wide_model AS SELECT grove.train('wide', 'y', '{"num_iterations": 30, "num_leaves": 7, "learning_rate": 0.3}', ignore => '{id}') AS m;
SELECT (SELECT array_agg(f ->> 'name' ORDER BY n) FROM jsonb_array_elements(grove.describe(m) -> 'features') WITH ORDINALITY AS e (f, n)) = (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'wide'::regclass AND attnum > 2) AS all_features FROM wide_model;
-- it found the two columns that matter, one of them the last
SELECT feature FROM wide_model, grove.importance(m) WHERE gain > 0 ORDER BY gain DESC LIMIT 2;
SELECT max(abs(grove.predict(m, wide) - y)) < 0.1 AS learned, count(*) FILTER (WHERE grove.predict(m, wide) IS DISTINCT FROM grove.predict(m, to_jsonb(wide))) AS differ,
	count(DISTINCT grove.predict(m, wide)) > 3 AS varied FROM wide, wide_model;
-- the order is looked at apart: beside a DISTINCT aggregate PostgreSQL 16 hands sorted rows to all of them
SELECT count(*), count(DISTINCT s.id), sum(s.c1598) = (SELECT sum(c1598) FROM wide) AS same, (SELECT array_agg(id) FROM grove.shuffle(NULL::wide, 'wide')) <> (SELECT array_agg(id) FROM wide) AS shuffled FROM grove.shuffle(NULL::wide, 'wide') AS s;
SELECT rows, kept_rows FROM grove.prune_plan(NULL::wide, 'wide', n => 100);
-- with the column of the whole row and its weight
SELECT count(*), count(DISTINCT (p.kept).id), sum(p.weight)::numeric(10, 3), bool_and((p.kept).y = w.y AND (p.kept).c1598 = w.c1598) AS whole
FROM grove.prune(NULL::wide, 'wide', n => 100) AS p JOIN wide AS w ON w.id = (p.kept).id;

-- features that tell nothing: the model is its base
CREATE TABLE nothing AS SELECT i, NULL::float8 AS no_number, NULL::text AS no_label, NULL::boolean AS no_truth, 5 AS five, 'same' AS same, date 'infinity' AS never, (i % 4)::float8 AS y, i % 4 = 0 AS b, 'k' || i % 4 AS k
	FROM generate_series(1, 400) AS i;
SELECT features, algorithm, bool_and(abs(grove.predict(m, no_number, no_label, no_truth, five, same, never) - 1.5) < 1e-6) AS base
FROM nothing, (SELECT f AS features, a AS algorithm, grove.train('SELECT ' || f || ', y FROM nothing', 'y', jsonb_build_object('algorithm', a)) AS m
	FROM unnest(ARRAY['no_number, no_label, no_truth, five, same, never']) AS f, unnest(ARRAY['gbdt', 'tree']) AS a) AS models
GROUP BY features, algorithm ORDER BY 2;
SELECT bool_and(abs(grove.predict(m, no_number, no_label) - 1.5) < 1e-6) AS all_null FROM nothing, (SELECT grove.train('SELECT no_number, no_label, y FROM nothing', 'y') AS m) AS model;
-- in a forest that is the mean of its trees' samples
SELECT count(DISTINCT p) AS values, min(p) BETWEEN 1.4 AND 1.6 AS base FROM nothing, (SELECT grove.train('SELECT five, no_label, y FROM nothing', 'y', '{"algorithm": "forest"}') AS m) AS model, grove.predict(m, five, no_label) AS p;
SELECT bool_and(abs(grove.predict(m, five, same) - 0.25) < 1e-6) AS all_constant FROM nothing, (SELECT grove.train('SELECT five, same, b FROM nothing', 'b') AS m) AS model;
SELECT bool_and(abs(p - 0.25) < 1e-4) AS classes, count(*) FROM nothing, (SELECT grove.train('SELECT five, no_label, k FROM nothing', 'k') AS m) AS model, unnest(grove.predict_proba(m, five, no_label)) AS p;
SELECT count(*) AS splits FROM grove.nodes(grove.train('SELECT no_number, no_label, no_truth, five, same, never, y FROM nothing', 'y')) WHERE feature IS NOT NULL;
-- a value that training never saw does not change that
SELECT abs(grove.predict(grove.train('SELECT no_number, five, y FROM nothing', 'y'), 1e300::float8, -7) - 1.5) < 1e-6 AS base;

-- dates and times without end are beyond every other one
CREATE TABLE days AS SELECT i, CASE i % 4 WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE date '2020-01-01' + i END AS day,
	CASE i % 4 WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE timestamp '2020-01-01' + i * interval '1 day' END AS at,
	CASE i % 4 WHEN 0 THEN 'infinity' WHEN 1 THEN '-infinity' ELSE timestamptz '2020-01-01 00:00+00' + i * interval '1 day' END AS at_zone,
	(CASE i % 4 WHEN 0 THEN 30 WHEN 1 THEN 10 ELSE 20 END)::float8 AS y FROM generate_series(1, 400) AS i;
SELECT c, v, round(grove.predict(m, v)::numeric, 3) AS predicted
FROM (SELECT grove.train('SELECT day, y FROM days', 'y', '{"algorithm": "tree"}') AS m) AS model, (VALUES ('day', date '-infinity'), ('day', '2020-06-01'), ('day', 'infinity'), ('day', NULL)) AS v (c, v);
SELECT c, v, round(grove.predict(m, v)::numeric, 3) AS predicted
FROM (SELECT grove.train('SELECT at, y FROM days', 'y', '{"algorithm": "tree"}') AS m) AS model, (VALUES ('at', timestamp '-infinity'), ('at', '2020-06-01'), ('at', 'infinity')) AS v (c, v);
SELECT c, isfinite(v), round(grove.predict(m, v)::numeric, 3) AS predicted
FROM (SELECT grove.train('SELECT at_zone, y FROM days', 'y', '{"algorithm": "tree"}') AS m) AS model, (VALUES ('at_zone', timestamptz '-infinity'), ('at_zone', '2020-06-01 00:00+00'), ('at_zone', 'infinity')) AS v (c, v);

-- a million labels, a label a row: within 64 MB they are refused, with both numbers
SET grove.max_memory = '64MB';
SELECT try($$SELECT grove.train('SELECT ''l'' || i AS label, i % 2 = 0 AS even FROM generate_series(1, 1000000) AS i', 'even', '{"num_iterations": 2}')$$);
-- within more they are read, and so are 990,000 with some that are frequent: those are learned
SET grove.max_memory = '400MB';
SELECT try($$SELECT grove.train('SELECT ''l'' || i AS label, i % 2 = 0 AS even FROM generate_series(1, 1000000) AS i', 'even', '{"num_iterations": 2}')$$);
CREATE TABLE labels AS SELECT CASE WHEN i % 10 = 0 THEN 'often' || i % 50 ELSE 'l' || i END AS label, CASE WHEN i % 10 = 0 THEN i % 50 ELSE 25 END::float8 AS y FROM generate_series(1, 1100000) AS i;
CREATE TABLE labels_model AS SELECT grove.train('labels', 'y', '{"num_iterations": 20, "learning_rate": 0.5, "max_cat_to_onehot": 8}') AS m;
SELECT label, round(grove.predict(m, label)) AS predicted FROM labels_model, (VALUES ('often0'), ('often10'), ('often20'), ('often30'), ('often40'), ('l1'), ('never seen'), (NULL)) AS v (label);
RESET grove.max_memory;

-- columns of more labels than a feature has bins take several of the engine's columns each: where these would be too many,
-- rarer labels count as the rest, and no column is left out
SET grove.max_memory = '1GB';
SELECT format($$SELECT jsonb_array_length(grove.describe(grove.train('SELECT (i %% 1000 < 300)::int AS y, %s FROM generate_series(1, 2000) AS i', 'y', '{"num_iterations": 1, "min_data_per_level": 1}')) -> 'features') AS features$$,
	string_agg(format('((i + %s) %% 1000)::text AS c%s', c, c), ', ')) FROM generate_series(1, 1100) AS c \gexec
RESET grove.max_memory;

SET client_min_messages = warning;
DROP SCHEMA bad_shapes CASCADE;
