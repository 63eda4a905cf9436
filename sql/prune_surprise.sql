-- prune, method surprise: probabilities, offsets, what a model trained on the kept rows is worth, and the ways to get it wrong.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA prune_surprise;
SET search_path = prune_surprise, public;
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

-- 24,000 visits, about 7 % of them buy; what decides is known, half of it is chance.
CREATE TABLE all_visits AS
SELECT id, pages, hour, channel, loyal, noise,
	   grove.u01(6, id) < 1 / (1 + exp(4.2 - 1.1 * ln(1 + pages) - 1.2 * sin(hour / 4.0) - 2 * (channel = 'mail' AND loyal > 0.5)::int)) AS bought
FROM (SELECT id, floor(-ln(grove.u01(1, id)) * 5) AS pages, floor(grove.u01(2, id) * 24) AS hour,
			 (ARRAY['ad', 'mail', 'search', 'none'])[1 + floor(grove.u01(3, id) * 4)::int] AS channel,
			 grove.u01(4, id) AS loyal, grove.u01(5, id) AS noise
	  FROM generate_series(1, 24000) AS id) AS x;
CREATE TABLE visits AS SELECT * FROM all_visits WHERE id <= 12000;
ALTER TABLE visits ADD PRIMARY KEY (id);
CREATE TABLE hold_out AS SELECT * FROM all_visits WHERE id > 12000;
CREATE TABLE models (name text PRIMARY KEY, model bytea);
INSERT INTO models SELECT 'full', grove.train('visits', 'bought', ignore => '{id}');

-- Surprise is what a target alone asks for; the size is exact, Poisson only on average.
SELECT design, rows, units, strata, kept_rows, round(sum_weights) AS sum_weights, beta, zero_rows
FROM grove.prune_plan(NULL::visits, 'visits', keep => 0.25, target => 'bought', seed => 1);
SELECT design, abs(kept_rows - 3000) < 1e-6 AS kept_rows
FROM grove.prune_plan(NULL::visits, 'visits', keep => 0.25, target => 'bought', seed => 1, exact => false);
CREATE TABLE kept AS
SELECT (kept).*, pi, weight, log_offset FROM grove.prune(NULL::visits, 'visits', keep => 0.25, target => 'bought', seed => 1);
SELECT count(*), count(DISTINCT id) AS ids, bool_and(weight = 1 / pi) AS weights, abs(sum(weight) / 12000 - 1) < 0.05 AS total,
	   min(pi) >= 0.05 - 1e-9 AS even, sum(bought::int) > 300 AS keeps_positives
FROM kept;
SELECT abs(count(*) - 3000) < 150 AS near FROM grove.prune(NULL::visits, 'visits', keep => 0.25, target => 'bought', seed => 1, exact => false);

-- With a given model the probabilities can be recomputed: eps + c |y - p|, p known to 1/32 of its log-odds.
WITH plan AS (
	SELECT threshold AS c FROM grove.prune_plan(NULL::visits, 'visits', keep => 0.25, target => 'bought', seed => 1,
		model => (SELECT model FROM models))),
scored AS (
	SELECT r.*, grove.predict((SELECT model FROM models), r.kept) AS p, (r.kept).bought AS y
	FROM grove.prune(NULL::visits, 'visits', keep => 0.25, target => 'bought', seed => 1, model => (SELECT model FROM models)) AS r)
SELECT count(*), max(abs(ln(pi / least(1, 0.05 + c * abs(y::int - p))))) < 0.035 AS probability,
	   max(abs(log_offset - ln(least(1, 0.05 + c * (1 - p)) / least(1, 0.05 + c * p)))) < 0.05 AS offset_right
FROM scored, plan;

-- Permanent random numbers: what a smaller share keeps, a larger one keeps too; an exact size to one row for each cell.
CREATE FUNCTION pg_temp.ids(share float8, is_exact boolean, seed bigint DEFAULT 1, source text DEFAULT 'visits') RETURNS SETOF bigint LANGUAGE sql AS $$
	SELECT (kept).id FROM grove.prune(NULL::visits, source, keep => share, key => '{id}', target => 'bought', exact => is_exact, seed => seed, model => (SELECT model FROM models))
$$;
SELECT (SELECT count(*) FROM (SELECT pg_temp.ids(0.1, false) EXCEPT SELECT pg_temp.ids(0.25, false)) x) AS poisson_lost,
	   (SELECT count(*) FROM (SELECT pg_temp.ids(0.1, true) EXCEPT SELECT pg_temp.ids(0.25, true)) x) < 20 AS exact_lost_few,
	   (SELECT count(*) FROM (SELECT pg_temp.ids(0.1, true) INTERSECT SELECT pg_temp.ids(0.1, true, 2)) x) < 900 AS seeds_differ;

-- The same rows in any order, from a table and from a query, with and without workers.
CREATE TABLE turned AS SELECT * FROM visits ORDER BY grove.hash64(9, id);
SELECT count(*) AS differences FROM (
	(TABLE kept EXCEPT SELECT (kept).*, pi, weight, log_offset FROM grove.prune(NULL::visits, 'SELECT * FROM turned', key => '{id}', keep => 0.25, target => 'bought', seed => 1))
	UNION ALL
	(SELECT (kept).*, pi, weight, log_offset FROM grove.prune(NULL::visits, 'turned', key => '{id}', keep => 0.25, target => 'bought', seed => 1) EXCEPT TABLE kept)) AS x;

-- Everything, nothing, and no rows.
SELECT count(*), min(pi), max(weight), max(abs(log_offset)) FROM grove.prune(NULL::visits, 'visits', keep => 1, target => 'bought');
SELECT count(*) FROM grove.prune(NULL::visits, 'visits', keep => 0, target => 'bought');
SELECT count(*) FROM grove.prune(NULL::visits, 'SELECT * FROM visits WHERE false', key => '{id}', keep => 0.5, target => 'bought', model => (SELECT model FROM models));

-- What models trained on a quarter of the rows are worth. The offset restores the model, as nothing else does.
INSERT INTO models
SELECT 'offset', grove.train('kept', 'bought', base_margin => 'log_offset', ignore => '{id,pi,weight}')
UNION ALL SELECT 'nothing', grove.train('kept', 'bought', ignore => '{id,pi,weight,log_offset}')
UNION ALL SELECT 'both', grove.train('kept', 'bought', base_margin => 'log_offset', weight => 'weight', ignore => '{id,pi}');
CREATE TABLE even AS SELECT (kept).* FROM grove.prune(NULL::visits, 'visits', keep => 0.25, seed => 1);
INSERT INTO models SELECT 'random', grove.train('even', 'bought', ignore => '{id}');
-- The trap of the hardest rows: those that a model is most surprised by, and no others.
CREATE TABLE hardest AS
SELECT v.* FROM visits AS v ORDER BY abs(v.bought::int - grove.predict((SELECT model FROM models WHERE name = 'full'), v)) DESC LIMIT 3000;
INSERT INTO models SELECT 'hardest', grove.train('hardest', 'bought', ignore => '{id}');
CREATE VIEW judged AS
SELECT name, grove.auc(h.bought, p) AS auc, avg(p) / avg(h.bought::int) AS calibration
FROM models, hold_out AS h, LATERAL (SELECT grove.predict(model, h) AS p) AS s GROUP BY name;
CREATE TABLE judged_once AS TABLE judged;
SELECT j.name, f.auc - j.auc < (f.auc - r.auc) / 2 AS half_the_loss_of_random, f.auc - j.auc > 0.1 AS destroyed,
	   j.calibration BETWEEN 0.95 AND 1.05 AS calibrated
FROM judged_once AS j, judged_once AS f, judged_once AS r WHERE f.name = 'full' AND r.name = 'random' AND j.name <> 'full' ORDER BY 1;

-- At a tenth, weights are too noisy, where the offset holds.
CREATE TABLE tenth AS
SELECT (kept).*, pi, weight, log_offset FROM grove.prune(NULL::visits, 'visits', keep => 0.1, target => 'bought', seed => 2);
INSERT INTO models
SELECT 'tenth, offset', grove.train('tenth', 'bought', base_margin => 'log_offset', ignore => '{id,pi,weight}')
UNION ALL SELECT 'tenth, weight', grove.train('tenth', 'bought', weight => 'weight', ignore => '{id,pi,log_offset}');
SELECT a.auc > b.auc AS offset_beats_weight FROM judged AS a, judged AS b WHERE a.name = 'tenth, offset' AND b.name = 'tenth, weight';

-- Pruning the kept rows again, with scores of the population as if nothing had been pruned, compounds the
-- wrong probabilities; from the whole source with the same seed the probability is right for any share.
CREATE TABLE again AS
SELECT (kept).id, (kept).pages, (kept).hour, (kept).channel, (kept).loyal, (kept).noise, (kept).bought, r.log_offset
FROM grove.prune(NULL::kept, 'kept', key => '{id}', keep => 0.4, target => 'bought', seed => 3, model => (SELECT model FROM models WHERE name = 'full')) AS r;
INSERT INTO models SELECT 'again', grove.train('again', 'bought', base_margin => 'log_offset', ignore => '{id}');
SELECT a.auc > b.auc AS one_step_beats_compounding, b.calibration NOT BETWEEN 0.9 AND 1.1 AS compounding_is_off
FROM judged AS a, judged AS b WHERE a.name = 'tenth, offset' AND b.name = 'again';

-- Other targets: more than two classes and numbers carry weights.
SELECT count(*), max(abs(log_offset)) AS log_offset, abs(sum(weight) / 12000 - 1) < 0.05 AS total, max(pi) > min(pi) AS differ
FROM grove.prune(NULL::visits, 'visits', keep => 0.25, target => 'channel');
SELECT count(*), max(abs(log_offset)) AS log_offset, abs(sum(weight) / 12000 - 1) < 0.05 AS total, max(pi) > min(pi) AS differ
FROM grove.prune(NULL::visits, 'visits', keep => 0.25, target => 'loyal');

-- Options of the pilots are options of train().
SELECT count(*) FROM grove.prune(NULL::visits, 'visits', n => 500, target => 'bought',
	params => '{"pilot": {"algorithm": "forest", "num_iterations": 10}, "folds": 5, "pilot_rows": 2000, "ignore": ["noise"], "task": "binary"}');
SELECT a, pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::record, ''visits'', key => ''{id}'', keep => 0.5, ' || a || ')') FROM (VALUES
	(1, 'method => ''surprise'''), (2, 'target => ''sold'''), (3, 'target => ''bought'', by => ''{channel}'''), (4, 'target => ''bought'', readmit => 0.1'),
	(5, 'target => ''bought'', gamma => 0.5'), (6, 'target => ''bought'', params => ''{"folds": 1}'''), (7, 'target => ''bought'', params => ''{"folds": 2.5}'''),
	(8, 'target => ''bought'', params => ''{"pilot_rows": 0}'''), (9, 'target => ''bought'', params => ''{"pilot": 3}'''),
	(10, 'target => ''bought'', params => ''{"pilot": {"num_leafs": 3}}'''), (11, 'target => ''bought'', params => ''{"lambda": 1}'''),
	(12, 'target => ''bought'', params => ''{"class_cap": 1}'''), (13, 'target => ''bought'', params => ''{"task": "ordinal"}'''),
	(14, 'target => ''channel'', params => ''{"task": "binary"}'''), (15, 'target => ''bought'', params => ''{"task": "ranking"}'''),
	(16, 'target => ''bought'', params => ''{"ignore": ["bought"]}'''), (17, 'target => ''bought'', model => ''\x00'''),
	(18, 'target => ''channel'', model => (SELECT model FROM models WHERE name = ''full'')'),
	(19, 'target => ''bought'', model => (SELECT model FROM models WHERE name = ''full''), params => ''{"folds": 3}'''),
	(20, 'method => ''random'', params => ''{"folds": 3}'''), (21, 'method => ''random'', model => (SELECT model FROM models WHERE name = ''full'')'),
	(22, 'target => ''bought'', params => ''{"max_bin": 9}''')) AS v(n, a) ORDER BY n;
CREATE TABLE holes AS SELECT id, pages, CASE WHEN id <> 7 THEN bought END AS bought FROM visits;
CREATE TABLE alone AS SELECT id, pages, false AS bought FROM visits WHERE NOT bought;
CREATE TABLE ranked AS SELECT id, id / 20 AS query, pages, (id % 3)::int AS relevance FROM visits;
INSERT INTO models SELECT 'ranking', grove.train('ranked', 'relevance', group_by => 'query', ignore => '{id}', params => '{"num_iterations": 3}');
SELECT pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::record, ''holes'', key => ''{id}'', keep => 0.5, target => ''bought'')');
SELECT pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::record, ''holes'', key => ''{id}'', keep => 0.5, target => ''bought'', model => (SELECT grove.train(''SELECT id, pages, bought FROM visits'', ''bought'', ignore => ''{id}'')))');
SELECT pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::record, ''alone'', key => ''{id}'', keep => 0.5, target => ''bought'')');
SELECT pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::record, ''ranked'', key => ''{id}'', keep => 0.5, target => ''relevance'', model => (SELECT model FROM models WHERE name = ''ranking''))');
SELECT pg_temp.error_of('SELECT count(*) FROM grove.prune(NULL::record, ''SELECT * FROM visits WHERE false'', key => ''{id}'', keep => 0.5, target => ''bought'')');
DROP SCHEMA prune_surprise CASCADE;
