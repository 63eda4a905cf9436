-- grove.prune_train: the rounds, what they decide, and what they are made of.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
\set SHOW_CONTEXT never
RESET client_min_messages;
CREATE SCHEMA prune_train_test;
SET search_path = prune_train_test;
CREATE TABLE visits (id bigint PRIMARY KEY, user_id bigint, x1 float8, x2 float8, kind text, later boolean, bought boolean, spent float8, size text);
INSERT INTO visits
SELECT i, i / 4, x1, x2, kind, i > 14000,
	grove.u01(5, i) < 1 / (1 + exp(-(x1 + 0.8 * x2 * x2 - 2 + CASE kind WHEN 'a' THEN 1 ELSE 0 END))),
	x1 + x2 * x2 + grove.u01(6, i),
	CASE WHEN x1 + grove.u01(7, i) > 1 THEN 'l' WHEN x1 + grove.u01(7, i) > 0 THEN 'm' ELSE 's' END
FROM (SELECT i, grove.u01(1, i) * 4 - 2 AS x1, grove.u01(2, i) * 4 - 2 AS x2, chr(97 + (grove.u01(3, i) * 3)::int) AS kind
	FROM generate_series(1, 20000) AS i) AS s;
CREATE FUNCTION shown(VARIADIC args text[]) RETURNS TABLE (round int, rows bigint, metric text, difference numeric, upper numeric, decision text, kept_model boolean)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'SELECT t.round, t.rows, t.metric, t.difference::numeric(12,4), t.upper::numeric(12,4), t.decision, t.model IS NOT NULL FROM grove.prune_train(' ||
		array_to_string(args, ', ') || ') AS t';
END $$;

-- The default: surprise, AUC, DeLong by user.
SELECT * FROM shown($$'visits', 'bought', '{id}', split_by => '{user_id}', max_loss => 0.02, params => '{"num_iterations": 20, "ignore": ["later", "spent", "size"]}'$$);

-- Random, and random with what is drawn back, in the same call; the margin is too small to be shown.
SELECT * FROM shown($$'visits', 'bought', '{id}', '{0.5,0.25,0.03}', 0.03, method => 'random', params => '{"num_iterations": 20, "ignore": ["later", "spent", "size"]}'$$);
SELECT * FROM shown($$'visits', 'bought', '{id}', '{0.5,0.25}', 0.03, method => 'random', params => '{"num_iterations": 20, "ignore": ["later", "spent", "size"], "readmit": 0.2, "by": ["kind"]}'$$);
SELECT * FROM shown($$'visits', 'bought', '{id}', '{0.5,0.25}', method => 'random', params => '{"num_iterations": 20, "ignore": ["later", "spent", "size"]}'$$);

-- The other methods, a split by time, early stopping.
SELECT * FROM shown($$'visits', 'bought', '{id}', '{0.5}', 0.03, method => 'stratified', validation => 'later', params => '{"num_iterations": 20, "early_stopping_rounds": 3, "ignore": ["spent", "size"], "by": ["kind"], "prune": {"allocation": "equal"}}'$$);
SELECT * FROM shown($$'visits', 'bought', '{id}', '{0.5}', 0.03, method => 'inverse', params => '{"num_iterations": 20, "ignore": ["later", "spent", "size"], "by": ["kind"], "gamma": 0.5}'$$);
SELECT * FROM shown($$'visits', 'bought', '{id}', '{0.6}', 0.03, method => 'negatives', params => '{"num_iterations": 20, "ignore": ["later", "spent", "size"]}'$$);
SELECT * FROM shown($$'visits', 'bought', '{id}', '{0.6}', 0.05, method => 'gradient', params => '{"num_iterations": 20, "ignore": ["later", "spent", "size"], "metric": "log_loss"}'$$);

-- Numbers and several classes: the loss is relative, its error from a bootstrap of users.
SELECT * FROM shown($$'visits', 'spent', '{id}', '{0.5}', 0.1, method => 'random', split_by => '{user_id}', params => '{"num_iterations": 20, "ignore": ["later", "bought", "size"]}'$$);
SELECT * FROM shown($$'visits', 'spent', '{id}', '{0.5}', 0.1, params => '{"num_iterations": 20, "ignore": ["later", "bought", "size"], "metric": "mae"}'$$);
SELECT * FROM shown($$'visits', 'size', '{id}', '{0.5}', 0.2, method => 'random', params => '{"num_iterations": 20, "ignore": ["later", "bought", "spent"]}'$$);

-- A forest takes no offsets: weights then.
SELECT * FROM shown($$'visits', 'bought', '{id}', '{0.5}', 0.03, params => '{"algorithm": "forest", "num_iterations": 20, "ignore": ["later", "spent", "size"]}'$$);

-- Too little to train on.
SELECT * FROM shown($$'visits', 'bought', '{id}', '{0.001}', method => 'random', params => '{"num_iterations": 5, "ignore": ["later", "spent", "size"]}'$$);

-- The rows of round 0 and of a random round are those of grove.split and grove.prune, and so are the models.
CREATE TYPE part AS (id bigint, x1 float8, x2 float8, bought boolean);
WITH loop AS MATERIALIZED (
	SELECT round, model FROM grove.prune_train('SELECT id, x1, x2, bought FROM visits', 'bought', '{id}', '{0.5}', 0.03, method => 'random',
		params => '{"num_iterations": 10}', seed => 3) WHERE decision IN ('reference', 'accepted')),
pool AS MATERIALIZED (SELECT $q$SELECT id, x1, x2, bought FROM prune_train_test.visits WHERE grove.split('{0.6,0.2,0.2}', 3, id) = 1$q$ AS query)
SELECT round, model = CASE round
	WHEN 0 THEN grove.train(query, 'bought', '{"num_iterations": 10}', ignore => '{id}', seed => 3)
	ELSE grove.train('SELECT (p.kept).* FROM grove.prune(NULL::prune_train_test.part, $p$' || query || '$p$, keep => 0.5, method => ''random'', key => ''{id}'', seed => 3) AS p',
		'bought', '{"num_iterations": 10}', ignore => '{id}', seed => 3) END AS same
FROM loop, pool;

-- The difference is that of grove.auc on the hold-out; the order of rows decides nothing.
SELECT bool_and(abs(full_value - by_hand) < 1e-12) AS same_auc
FROM grove.prune_train('SELECT id, x1, x2, bought FROM visits', 'bought', '{id}', '{0.5}', 0.03, method => 'random', params => '{"num_iterations": 10}', seed => 3) AS t,
	LATERAL (SELECT grove.auc(v.bought, grove.predict(t.model, v.x1, v.x2)) AS by_hand FROM visits AS v
		WHERE grove.split('{0.6,0.2,0.2}', 3, v.id) = 2) AS h
WHERE round = 0;
SELECT array_agg((t.*)::text ORDER BY t) = (SELECT array_agg((u.*)::text ORDER BY u) FROM (
	SELECT round, rows, share, full_value, pruned_value, difference, upper, decision, model
	FROM grove.prune_train('SELECT id, x1, x2, bought FROM visits ORDER BY grove.hash64(9, id)', 'bought', '{id}', '{0.5}', 0.03, params => '{"num_iterations": 10}')) AS u) AS same
FROM (SELECT round, rows, share, full_value, pruned_value, difference, upper, decision, model
	FROM grove.prune_train('SELECT id, x1, x2, bought FROM visits ORDER BY id', 'bought', '{id}', '{0.5}', 0.03, params => '{"num_iterations": 10}')) AS t;

-- What is accepted is confirmed on the sealed part or the model on everything stands in.
SELECT count(*) FILTER (WHERE decision = 'confirmed') AS confirmed, count(DISTINCT model) FILTER (WHERE decision IN ('accepted', 'confirmed')) AS models
FROM grove.prune_train('visits', 'bought', '{id}', '{0.5}', 0.03, params => '{"num_iterations": 20, "ignore": ["later", "spent", "size"]}');

-- Errors.
SELECT * FROM grove.prune_train('visits', 'bougth', '{id}');
SELECT * FROM grove.prune_train('visits', 'bought', '{nr}');
SELECT * FROM grove.prune_train('SELECT * FROM visits', 'bought', NULL);
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', '{0.5,0.6}');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', '{1}');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', '{0.5,NULL}');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', max_loss => -1);
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', confidence => 1);
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', method => 'suprise');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', validation => 'kind');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', params => '{"num_iteration": 3}');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', params => '{"holdout": 2}');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', params => '{"holdout": 0.6, "sealed": 0.6}');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', params => '{"by": "kind"}');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', params => '{"metric": "aux"}');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', params => '{"metric": "rmse", "num_iterations": 2}');
SELECT * FROM grove.prune_train('visits', 'bought', '{id}', method => 'inverse', params => '{"num_iterations": 2}');
SELECT * FROM grove.prune_train('SELECT *, 1 AS grove_weight FROM visits', 'bought', '{id}');
SELECT * FROM grove.prune_train('SELECT id, x1, NULLIF(bought, false) AS bought FROM visits', 'bought', '{id}');
SELECT * FROM grove.prune_train('DELETE FROM visits', 'bought', '{id}');
SELECT * FROM grove.prune_train('SELECT * FROM visits WHERE false', 'bought', '{id}');
-- The name under which rows are passed on is gone after an error, and was never there for others.
SELECT * FROM grove.prune_train('SELECT * FROM grove_loop_rows', 'bought', '{id}');

DROP SCHEMA prune_train_test CASCADE;
