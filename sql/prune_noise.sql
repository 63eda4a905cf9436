-- prune, method noise: rows whose label models that have not seen them contradict.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA prune_noise;
SET search_path = prune_noise, public;
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

-- 6,000 rows of three classes that two numbers tell apart, 300 labels of which were changed.
CREATE TABLE labelled AS
SELECT id, a, b, (ARRAY['x', 'y', 'z'])[1 + (truth + wrong) % 3] AS label, wrong <> 0 AS wrong
FROM (SELECT id, grove.u01(1, id) AS a, grove.u01(2, id) AS b, (id % 20 = 0)::int * (1 + id / 20 % 2) AS wrong FROM generate_series(1, 6000) AS id) AS r,
	 LATERAL (SELECT (a > 0.4)::int + (a + b > 1.2)::int AS truth) AS t;
ALTER TABLE labelled ADD PRIMARY KEY (id);

-- Nearly all that goes is wrong, and most of what is wrong goes; what stays has neither weights nor offsets.
SELECT design, rows, kept_rows < 6000 AND kept_rows >= 5700 AS kept, kept_rows + zero_rows AS total, certainty_rows = kept_rows AS certain, threshold > 1 AS contradicted
FROM grove.prune_plan(NULL::labelled, 'labelled', keep => 0.95, method => 'noise', target => 'label', params => '{"ignore": ["wrong"]}');
CREATE TABLE kept AS
SELECT (kept).*, pi, weight, log_offset FROM grove.prune(NULL::labelled, 'labelled', keep => 0.95, method => 'noise', target => 'label', params => '{"ignore": ["wrong"]}');
CREATE TABLE removed AS SELECT * FROM labelled WHERE id NOT IN (SELECT id FROM kept);
SELECT count(*) <= 300 AS within, avg(wrong::int) > 0.95 AS precise, count(*) FILTER (WHERE wrong) > 240 AS complete FROM removed;
SELECT min(pi), max(pi), min(weight), max(weight), min(log_offset), max(log_offset) FROM kept;

-- No more of a class than the cap; no more in all than asked for, whatever the cap.
SELECT label, count(*) <= 0.02 * (SELECT count(*) FROM labelled AS l WHERE l.label = r.label) AS within
FROM (SELECT * FROM labelled WHERE id NOT IN
	(SELECT (kept).id FROM grove.prune(NULL::labelled, 'labelled', keep => 0.5, method => 'noise', target => 'label', params => '{"ignore": ["wrong"], "class_cap": 0.02}'))) AS r
GROUP BY 1 ORDER BY 1;
SELECT count(*) >= 5990 AS few FROM grove.prune(NULL::labelled, 'labelled', n => 5990, method => 'noise', target => 'label', params => '{"class_cap": 1}');
SELECT count(*) FROM grove.prune(NULL::labelled, 'labelled', keep => 1, method => 'noise', target => 'label');
SELECT count(*) FROM grove.prune(NULL::labelled, 'labelled', keep => 0.5, method => 'noise', target => 'label', params => '{"class_cap": 0}');

-- Only what is contradicted goes, however much may go: with clean labels next to nothing.
SELECT count(*) > 5900 AS nearly_all FROM grove.prune(NULL::record, 'SELECT id, a, b, (a > 0.4)::int AS label FROM labelled', key => '{id}', keep => 0, method => 'noise', target => 'label', params => '{"class_cap": 1}');

-- In any order the same rows.
CREATE TABLE turned AS SELECT * FROM labelled ORDER BY grove.hash64(9, id);
SELECT count(*) AS differences FROM (
	SELECT (kept).id FROM grove.prune(NULL::labelled, 'turned', key => '{id}', keep => 0.95, method => 'noise', target => 'label', params => '{"ignore": ["wrong"]}')
	EXCEPT SELECT id FROM kept) AS x;

-- Errors.
SELECT a, pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::labelled, ''labelled'', method => ''noise'', ' || a || ')') FROM (VALUES
	(1, 'target => ''label'''), (2, 'keep => 0.9'), (3, 'keep => 0.9, target => ''a'''), (4, 'keep => 0.9, target => ''label'', exact => false'),
	(5, 'keep => 0.9, target => ''label'', by => ''{wrong}'''), (6, 'keep => 0.9, target => ''label'', params => ''{"class_cap": 1.5}'''),
	(7, 'keep => 0.9, target => ''label'', params => ''{"lambda": 1}'''), (8, 'keep => 0.9, target => ''label'', params => ''{"weights": "flatten"}''')) AS v(n, a) ORDER BY n;
INSERT INTO labelled VALUES (6001, 0.5, 0.5, 'rare', true);
SELECT pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::labelled, ''labelled'', method => ''noise'', keep => 0.9, target => ''label'')');
DROP SCHEMA prune_noise CASCADE;
