-- Weights, margins, validation rows and early stopping.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE sales AS
	SELECT i AS id, (i * 7919) % 100 AS a, (i * 104729) % 37 AS b, 1 + i % 3 AS w
	FROM generate_series(1, 1500) AS i;
ALTER TABLE sales ADD y float8, ADD won boolean;
UPDATE sales SET y = a * 0.1 + (b % 5) + sin(id), won = a + b * 2 + (id * 61) % 80 > 120;

-- a row of weight 3 is three rows (leaves are bounded by hessians, which are weights, not by rows)
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT a, b, y, w FROM sales', 'y', p, weight => 'w') AS weighted,
		grove.train('SELECT a, b, y FROM sales, generate_series(1, w)', 'y', p) AS repeated
	FROM (SELECT '{"num_iterations": 20, "min_data_in_leaf": 0, "min_sum_hessian_in_leaf": 20}'::jsonb AS p) AS p)
SELECT max(abs(grove.predict(weighted, a, b) - grove.predict(repeated, a, b))) < 1e-4 AS same FROM m, sales;
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT a, b, won, w FROM sales', 'won', p, weight => 'w') AS weighted,
		grove.train('SELECT a, b, won FROM sales, generate_series(1, w)', 'won', p) AS repeated
	FROM (SELECT '{"num_iterations": 5, "algorithm": "tree", "num_iterations": 1, "min_data_in_leaf": 0, "min_sum_hessian_in_leaf": 20}'::jsonb AS p) AS p)
SELECT max(abs(grove.predict(weighted, a, b) - grove.predict(repeated, a, b))) < 1e-4 AS same FROM m, sales;

-- rows of weight 0 do not count
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT a, b, CASE WHEN a < 50 THEN y ELSE 1e6 END AS y, (a < 50)::int AS w FROM sales', 'y',
		'{"algorithm": "tree", "num_leaves": 2}', weight => 'w') AS model)
SELECT max(grove.predict(model, a, b)) < 1000 AS ignored FROM m, sales;

-- a margin that already knows the answer leaves nothing to learn
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT a, b, y, y - 7 AS known FROM sales', 'y', base_margin => 'known') AS model)
SELECT round(min(grove.predict(model, a, b))::numeric, 4) AS lowest, round(max(grove.predict(model, a, b))::numeric, 4) AS highest FROM m, sales;

-- negatives kept at a tenth, with the log-odds offset of that as margin: probabilities are those of all rows
CREATE TABLE rare AS SELECT i AS id, (i * 7919) % 1000 AS x, grove.u01(3, i) < 0.01 + 0.00006 * ((i * 7919) % 1000) AS hit FROM generate_series(1, 20000) AS i;
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT x, hit FROM rare WHERE hit OR grove.keep(0.1, 7, id)', 'hit', p) AS uncorrected,
		grove.train('SELECT x, hit, ln(10) AS offset_ FROM rare WHERE hit OR grove.keep(0.1, 7, id)', 'hit', p, base_margin => 'offset_') AS corrected
	FROM (SELECT '{"num_iterations": 50}'::jsonb AS p) AS p)
SELECT round(avg(hit::int), 3) AS observed, round(avg(grove.predict(corrected, x))::numeric, 2) AS corrected,
	avg(grove.predict(uncorrected, x)) > 3 * avg(hit::int) AS uncorrected_is_far FROM m, rare;

-- several classes take an array of margins
SELECT round(grove.accuracy(c, grove.predict_class(model, a))::numeric, 2) AS accuracy
FROM (SELECT a, (a / 34)::text AS c FROM sales) AS s,
	(SELECT grove.train('SELECT a, (a / 34)::text AS c, ARRAY[0.5, 0, -0.5]::float8[] AS m FROM sales', 'c', base_margin => 'm') AS model) AS m;

-- each row has its own, one for each class: margins that know the answer leave nothing to learn and nothing to lose;
-- those of another row, or of the next class, are wrong
CREATE TABLE groups AS SELECT id, a, b, id * 31 % 101 % 3 AS k, (id + 1) * 31 % 101 % 3 AS of_next FROM sales;
WITH m AS MATERIALIZED (
	SELECT what, grove.train(format('SELECT a, b, chr(97 + k) AS c, ARRAY[%s, %s, %s]::float8[] AS m FROM groups', p1, p2, p3), 'c',
		'{"num_iterations": 5}', base_margin => 'm') AS model
	FROM (VALUES ('right', '(k = 0)::int * 8', '(k = 1)::int * 8', '(k = 2)::int * 8'),
		('next class', '(k = 1)::int * 8', '(k = 2)::int * 8', '(k = 0)::int * 8'),
		('next row', '(of_next = 0)::int * 8', '(of_next = 1)::int * 8', '(of_next = 2)::int * 8')) AS w (what, p1, p2, p3))
SELECT what, round((grove.metrics(model) ->> 'train_log_loss')::numeric, 4) < 0.001 AS knows,
	max((SELECT max(abs(p - 1 / 3.0)) FROM unnest(grove.predict_proba(model, a, b)) AS p)) < 0.01 AS nothing_learned
FROM m, groups GROUP BY what, model ORDER BY what;

-- the other objectives: what is left to learn is the constant
WITH m AS MATERIALIZED (
	SELECT objective, grove.train(format('SELECT a, b, y + 1 AS y, %s AS known FROM sales', known), 'y', p, base_margin => 'known') AS model
	FROM (VALUES ('regression', 'y - 6', '{}'), ('regression_l1', 'y - 6', '{}'), ('huber', 'y - 6', '{}'),
			('quantile', 'y - 6', '{"quantile_alpha": 0.2}'), ('poisson', 'ln(y + 1) - ln(7)', '{}'), ('gamma', 'ln(y + 1) - ln(7)', '{}'),
			('tweedie', 'ln(y + 1) - ln(7)', '{}')) AS o (objective, known, more),
		LATERAL (SELECT more::jsonb || jsonb_build_object('objective', objective) AS p) AS p)
SELECT objective, round(min(grove.predict(model, a, b))::numeric, 3) AS lowest, round(max(grove.predict(model, a, b))::numeric, 3) AS highest
FROM m, sales WHERE sales.y > -0.9 GROUP BY objective ORDER BY objective;
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT a, b, won, CASE WHEN won THEN 8 ELSE -8 END::float8 AS known FROM sales', 'won', base_margin => 'known') AS model)
SELECT round((grove.metrics(model) ->> 'train_log_loss')::numeric, 4) < 0.001 AS knows FROM m;

-- early stopping: fewer rounds than asked for, the best one kept, the history in metrics
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT a, b, won, id % 4 = 0 AS held FROM sales', 'won',
		'{"num_iterations": 500, "early_stopping_rounds": 10, "min_data_in_leaf": 5}', validation => 'held') AS model)
SELECT (grove.metrics(model) ->> 'rounds')::int < 500 AS stopped,
	(grove.metrics(model) ->> 'rounds_run')::int - (grove.metrics(model) ->> 'rounds')::int AS rounds_behind_the_best,
	(grove.metrics(model) ->> 'validation_rows')::int AS validation_rows,
	jsonb_array_length(grove.metrics(model) -> 'validation_history') = (grove.metrics(model) ->> 'rounds_run')::int AS history_is_whole,
	(SELECT min(v::float8) FROM jsonb_array_elements_text(grove.metrics(model) -> 'validation_history') AS v) =
		(grove.metrics(model) ->> 'validation_log_loss')::float8 AS best_is_least
FROM m;

-- the validation loss is the log-loss of those rows
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT a, b, won, id % 4 = 0 AS held FROM sales', 'won', '{"num_iterations": 30}', validation => 'held') AS model)
SELECT abs((grove.metrics(model) ->> 'validation_log_loss')::float8 -
	grove.log_loss(won, grove.predict(model, a, b)) FILTER (WHERE id % 4 = 0)) < 1e-5 AS validation,
	abs((grove.metrics(model) ->> 'train_log_loss')::float8 -
	grove.log_loss(won, grove.predict(model, a, b)) FILTER (WHERE id % 4 <> 0)) < 1e-5 AS train
FROM m, sales GROUP BY model;
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT a, b, y, id % 4 = 0 AS held FROM sales', 'y', '{"num_iterations": 30}', validation => 'held') AS model)
SELECT abs((grove.metrics(model) ->> 'validation_squared_error')::float8 /
	power(grove.rmse(y, grove.predict(model, a, b)) FILTER (WHERE id % 4 = 0), 2) - 1) < 1e-4 AS validation
FROM m, sales GROUP BY model;

-- validation rows teach nothing: without early stopping the trees are those of the other rows alone
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT a, b, CASE WHEN id % 4 = 0 THEN 1e5 ELSE y END AS y, id % 4 = 0 AS held FROM sales', 'y', validation => 'held') AS with_rows,
		grove.train('SELECT a, b, y FROM sales WHERE id % 4 <> 0', 'y') AS without)
SELECT max(abs(grove.predict(with_rows, a, b) - grove.predict(without, a, b))) AS difference FROM m, sales;

-- log_training: the loss after each round is that of a training of so many rounds; trees do not change
CREATE TABLE logs AS
	SELECT target, n, grove.train(format('SELECT a, b, %s FROM sales', columns), target, options || jsonb_build_object('num_iterations', n)) AS plain,
		grove.train(format('SELECT a, b, %s FROM sales', columns), target, options || jsonb_build_object('num_iterations', n, 'log_training', true)) AS logged
	FROM (VALUES ('won', 'won', '{}'::jsonb), ('y', 'y', '{"bagging_fraction": 0.5}'), ('class', '(id % 3)::text AS class', '{}'),
		('count', 'id % 5 AS count', '{"objective": "poisson"}'), ('y', 'y', '{"objective": "regression_l1"}')) AS o(target, columns, options), generate_series(1, 5) AS n;
SELECT l.target, grove.describe(l.logged) -> 'params' ->> 'objective' AS objective,
	bool_and((grove.metrics(l.logged) -> 'train_history' ->> (p.n - 1))::float8 = value::float8) AS same_losses, count(*),
	grove.metrics(l.plain) -> 'train_history' IS NULL AS not_asked_for,
	NOT EXISTS (SELECT FROM grove.nodes(l.plain) AS a FULL JOIN grove.nodes(l.logged) AS b USING (tree, node)
		WHERE (a.threshold, a.value, a.gain) IS DISTINCT FROM (b.threshold, b.value, b.gain)) AS same_trees
FROM logs AS l JOIN logs AS p ON p.target = l.target AND
	grove.describe(l.logged) -> 'params' ->> 'objective' = grove.describe(p.plain) -> 'params' ->> 'objective',
	LATERAL jsonb_each_text(grove.metrics(p.plain)) AS loss(name, value)
WHERE l.n = 5 AND name LIKE 'train\_%' GROUP BY l.target, l.logged, l.plain ORDER BY 1, 2;
SELECT jsonb_array_length(metrics -> 'train_history') = jsonb_array_length(metrics -> 'validation_history') AS both
FROM (SELECT grove.metrics(grove.train('SELECT a, b, won, id % 4 = 0 AS held FROM sales', 'won',
	'{"num_iterations": 7, "is_provide_training_metric": true}', validation => 'held')) AS metrics) AS m;
DO $$
BEGIN
	PERFORM grove.train('SELECT a, b, won FROM sales', 'won', '{"algorithm": "forest", "log_training": true}');
EXCEPTION WHEN invalid_parameter_value THEN
	RAISE NOTICE '%', SQLERRM;
END $$;

DROP TABLE sales, rare, groups, logs;
