-- The same rows, options and seed give the same bytes: for any order of rows,
-- any number of workers, with duplicates, with every kind of sampling; and
-- another seed gives other bytes where anything is random.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE clicks AS
	SELECT i AS id, (i * 7919) % 1009 * 0.1 AS a, CASE WHEN i % 11 = 0 THEN NULL ELSE (i * 104729) % 997 END AS b,
		'p' || (i * 31) % 40 AS page, (i * 613) % 500 AS c
	FROM generate_series(1, 24000::bigint) AS i;
ALTER TABLE clicks ADD bought boolean, ADD spent float8, ADD kind int, ADD held boolean, ADD w float8;
UPDATE clicks SET bought = a + coalesce(b, 500) * 0.05 + (id * 17) % 60 > 110, spent = a * 0.5 + (id * 13) % 29,
	kind = (a::int / 40 + (id * 7) % 2) % 3, held = id % 5 = 0, w = 1 + id % 4;
INSERT INTO clicks SELECT * FROM clicks WHERE id <= 300;
INSERT INTO clicks SELECT * FROM clicks WHERE id <= 100;

CREATE TABLE cases(nr int, target text, params jsonb, roles text, columns text DEFAULT '');
INSERT INTO cases (nr, target, params, roles) VALUES
	(1, 'bought', '{}', ''),
	(2, 'spent', '{}', ''),
	(3, 'kind', '{"num_iterations": 4, "objective": "multiclass"}', ''),
	(4, 'bought', '{"bagging_fraction": 0.5, "feature_fraction": 0.7, "feature_fraction_bynode": 0.6}', ''),
	(5, 'bought', '{"early_stopping_rounds": 3}', ', validation => ''held'''),
	(6, 'spent', '{"bagging_fraction": 0.3, "bagging_freq": 2}', ', weight => ''w'', validation => ''held'''),
	(7, 'bought', '{"algorithm": "forest", "num_iterations": 5}', ''),
	(8, 'kind', '{"algorithm": "forest", "num_iterations": 2, "objective": "multiclass"}', ', weight => ''w'''),
	(9, 'spent', '{"algorithm": "tree", "max_depth": 6, "num_leaves": 64}', ''),
	(10, 'spent', '{"objective": "regression_l1", "bagging_fraction": 0.6}', ''),
	(11, 'spent', '{"objective": "quantile", "quantile_alpha": 0.8, "early_stopping_rounds": 3}', ', weight => ''w'', validation => ''held'''),
	(12, 'spent', '{"objective": "huber"}', ', weight => ''w'''),
	(13, 'spent', '{"objective": "poisson", "early_stopping_rounds": 3}', ', validation => ''held'''),
	(14, 'a', '{"objective": "gamma", "bagging_fraction": 0.6}', ', weight => ''w'''),
	(15, 'spent', '{"objective": "tweedie"}', ''),
	(16, 'kind', '{"objective": "lambdarank", "early_stopping_rounds": 3, "bagging_fraction": 0.6}', ', group_by => ''c'', weight => ''w'', validation => ''held'''),
	(17, 'kind', '{"objective": "lambdarank", "lambdarank_norm": false}', ', group_by => ''page'''),
	(18, 'kind', '{"num_iterations": 4, "objective": "multiclass", "class_weight": "balanced"}', ''),
	(19, 'spent', '{"objective": "quantile", "algorithm": "forest", "num_iterations": 5}', ''),
	(20, 'bought', '{"data_sample_strategy": "goss", "learning_rate": 0.3}', ''),
	(21, 'kind', '{"data_sample_strategy": "goss", "learning_rate": 0.5, "num_iterations": 4, "objective": "multiclass"}', ', weight => ''w'''),
	(22, 'bought', '{"data_sample_strategy": "mvs", "bagging_fraction": 0.5, "early_stopping_rounds": 3}', ', validation => ''held'''),
	(23, 'spent', '{"data_sample_strategy": "mvs", "bagging_fraction": 0.3, "mvs_reg": 2}', ', weight => ''w'''),
	(24, 'spent', '{"data_sample_strategy": "mvs", "bagging_fraction": 0.4, "objective": "quantile", "quantile_alpha": 0.8}', ''),
	(25, 'kind', '{"data_sample_strategy": "mvs", "bagging_fraction": 0.6, "objective": "lambdarank"}', ', group_by => ''page'''),
	(26, 'bought', '{"extra_trees": true}', ''),
	(27, 'bought', '{"monotone_constraints": {"a": 1, "b": -1}, "path_smooth": 3}', ''),
	(28, 'spent', '{"interaction_constraints": [["a", "b"], ["page", "c"]], "bagging_fraction": 0.5}', ', weight => ''w'''),
	(29, 'spent', '{"algorithm": "tree", "num_leaves": 64, "min_data_in_leaf": 5, "ccp_folds": 4}', '');
INSERT INTO cases VALUES
	(30, 'bought', '{"min_data_per_level": 1}', '', ', ''item'' || id % 700 AS item'),
	(31, 'bought', '{"min_data_per_level": 30, "extra_trees": true}', ', weight => ''w''', ', ''item'' || id % 700 AS item'),
	(32, 'spent', '{}', ', base_margin => ''m''', ', coalesce(b, 500) * 0.01 AS m'),
	(33, 'bought', '{"data_sample_strategy": "goss", "learning_rate": 0.5}', ', base_margin => ''m''', ', coalesce(b * 0.01, 3) AS m'),
	(34, 'kind', '{"num_iterations": 4, "objective": "multiclass"}', ', base_margin => ''m''', ', ARRAY[a * 0.01, c * 0.001, 0]::float8[] AS m');

-- one model, with its row order and its number of workers
CREATE FUNCTION pg_temp.digest(c cases, ordering text, seed bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT md5(grove.train(%L, %L, %L, seed => %s %s))',
		format('SELECT %s b, page, c, %s AS %I %s%s FROM clicks %s', CASE c.target WHEN 'a' THEN '' ELSE 'a,' END,
			CASE c.target WHEN 'a' THEN 'a + 0.1' ELSE c.target END, c.target,
			CASE WHEN c.roles LIKE '%held%' THEN ', held' ELSE '' END || CASE WHEN c.roles LIKE '%''w''%' THEN ', w' ELSE '' END,
			c.columns, ordering),
		c.target, c.params || CASE WHEN c.params ? 'num_iterations' OR c.params @> '{"algorithm": "tree"}' THEN '{}' ELSE '{"num_iterations": 10}'::jsonb END,
		seed, c.roles) INTO result;
	RETURN result;
END
$$;

SET grove.min_parallel_cells = 0;
SET maintenance_work_mem = '256MB';
SET max_parallel_maintenance_workers = 0;
CREATE TABLE digests AS SELECT nr, 'alone' AS how, pg_temp.digest(cases, '', 1) AS digest FROM cases;
INSERT INTO digests SELECT nr, 'by b', pg_temp.digest(cases, 'ORDER BY b, a', 1) FROM cases;
INSERT INTO digests SELECT nr, 'backwards', pg_temp.digest(cases, 'ORDER BY id DESC', 1) FROM cases;
INSERT INTO digests SELECT nr, 'shuffled', pg_temp.digest(cases, 'ORDER BY grove.hash64(5, id)', 1) FROM cases;
SET max_parallel_maintenance_workers = 4;
SET grove.max_workers = 1;
INSERT INTO digests SELECT nr, '1 worker', pg_temp.digest(cases, '', 1) FROM cases;
SET grove.max_workers = 2;
INSERT INTO digests SELECT nr, '2 workers', pg_temp.digest(cases, 'ORDER BY a', 1) FROM cases;
SET grove.max_workers = 4;
INSERT INTO digests SELECT nr, '4 workers', pg_temp.digest(cases, '', 1) FROM cases;
SET grove.max_workers = 4;
SET max_parallel_workers = 0;
INSERT INTO digests SELECT nr, 'no worker came', pg_temp.digest(cases, '', 1) FROM cases;
RESET max_parallel_workers;
SELECT nr, count(*) AS runs, count(DISTINCT digest) AS models FROM digests GROUP BY nr ORDER BY nr;

-- what is random follows the seed; squared error without sampling rounds nothing at random
SELECT nr, (SELECT digest FROM digests WHERE digests.nr = cases.nr AND how = 'alone') <> pg_temp.digest(cases, '', 2) AS differs
FROM cases ORDER BY nr;

-- the second reading sees the rows of the first one: what the statement itself wrote before
BEGIN;
CREATE TABLE first_half AS SELECT md5(grove.train('SELECT a, b, bought FROM clicks WHERE id <= 12000', 'bought', '{"num_iterations": 2}')) AS digest;
DELETE FROM clicks WHERE id > 12000;
SELECT md5(grove.train('SELECT a, b, bought FROM clicks WHERE true', 'bought', '{"num_iterations": 2}')) = digest AS sees_own_changes FROM first_half;
ROLLBACK;

-- from PL/pgSQL with an exception block, in a cursor, in CREATE TABLE AS; after an error, too
SET grove.max_workers = 2;
DO $$
DECLARE
	model bytea;
BEGIN
	BEGIN
		model := grove.train('SELECT a, b, bought, 1 / (id - 23999) AS bad FROM clicks', 'bought');
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE 'caught: %', SQLERRM;
	END;
	model := grove.train('SELECT a, b, bought FROM clicks', 'bought', '{"num_iterations": 2}');
	UPDATE clicks SET c = 0 WHERE id = 1;
	RAISE NOTICE 'trained: %', length(model) > 0;
END
$$;
SET statement_timeout = '100ms';
DO $$
BEGIN
	PERFORM grove.train('SELECT a, b, c, bought FROM clicks', 'bought', '{"num_iterations": 10000}');
EXCEPTION WHEN query_canceled THEN
	RAISE NOTICE 'cancelled';
END
$$;
RESET statement_timeout;
SELECT count(*) AS workers_left FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND leader_pid = pg_backend_pid();

DROP TABLE clicks, digests;
SET client_min_messages = warning;
DROP TABLE cases CASCADE;
