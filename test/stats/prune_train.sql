-- prune_train.sql: how often grove.prune_train accepts a model that loses more than max_loss, over :trials seeds from :seed on.
\ir lib/checks.sql
\set trials 200

-- Each trial has 3,000 rows of its own; 20,000 others tell what a model truly loses.
CREATE FUNCTION drawn(trial bigint, n int) RETURNS TABLE (id bigint, x1 float8, x2 float8, x3 float8, y boolean) LANGUAGE sql AS $$
	SELECT i, a, b, c, grove.u01(trial, i, 4) < 1 / (1 + exp(1 - 3 * a - 2 * b * b + 2 * c * a))
	FROM (SELECT i::bigint, grove.u01(trial, i, 1) * 2 - 1 AS a, grove.u01(trial, i, 2) * 2 - 1 AS b, grove.u01(trial, i, 3) * 2 - 1 AS c
		FROM generate_series(1, n) AS i) AS s
$$;
CREATE TABLE large AS SELECT * FROM drawn(-1, 20000);

CREATE TABLE trials (trial bigint, decision text, loss float8);
CREATE FUNCTION run_trial(trial bigint, share float8, margin float8) RETURNS void LANGUAGE sql AS $$
	WITH loop AS MATERIALIZED (
		SELECT t.round, t.decision, t.model FROM grove.prune_train(format('SELECT * FROM stats.drawn(%s, 3000)', trial), 'y', '{id}', ARRAY[share], margin, method => 'random',
			params => '{"num_iterations": 15, "holdout": 0.3, "sealed": 0.1, "calibration": 10}', seed => trial) AS t)
	INSERT INTO trials
	SELECT trial, p.decision, (SELECT (grove.auc_delong(l.y, grove.predict(f.model, l.x1, l.x2, l.x3), grove.predict(p.model, l.x1, l.x2, l.x3))).difference FROM large AS l)
	FROM loop AS f, loop AS p WHERE f.round = 0 AND p.round = 1 AND p.decision IN ('accepted', 'rejected', 'inconclusive')
$$;

-- The true loss of most models is beyond the margin, if not by much: such a model is accepted in at most 5 of 100 cases.
SELECT count(run_trial(s, 0.2, 0.009)) AS done FROM generate_series(:seed::bigint, :seed::bigint + :trials - 1) AS s \gset
-- Were it less than half of them, the next check would say little.
SELECT stats.line(stats.binomial_tail('at most', count(*), :trials, 0.5) <= limit_of(1), 'prune_train: models that lose too much were tried', count(*) || ' of ' || :trials)
FROM trials WHERE loss > 0.009;
SELECT stats.line(stats.binomial_tail('at least', count(*) FILTER (WHERE decision = 'accepted'), count(*), 0.05) <= limit_of(1),
	'prune_train: models that lose too much are accepted in one case of twenty at most', count(*) FILTER (WHERE decision = 'accepted') || ' of ' || count(*))
FROM trials WHERE loss > 0.009;
SELECT stats.line(count(*) = :trials, 'prune_train: every trial was decided', count(*)::text) FROM trials;

-- A margin that the true loss does not come near: it is accepted in nine cases of ten at least, or the loop would be of no use.
TRUNCATE trials;
SELECT count(run_trial(s, 0.8, 0.03)) AS done FROM generate_series(:seed::bigint, :seed::bigint + 39) AS s \gset
SELECT stats.line(count(*) = 40 AND stats.binomial_tail('at most', count(*) FILTER (WHERE decision = 'accepted'), count(*), 0.9) <= limit_of(1),
	'prune_train: models that lose little are accepted', count(*) FILTER (WHERE decision = 'accepted') || ' of ' || count(*))
FROM trials;
