-- Cost-complexity pruning of a single tree: fewer leaves as ccp_alpha grows,
-- each smaller tree a part of the larger one, and loss + alpha * leaves the
-- least of all trees of the path.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE trees_in AS
	SELECT i, ((i * 7919) % 200)::float8 AS a, ((i * 104729) % 150)::float8 AS b, ((i * 613) % 100)::float8 AS c,
		'p' || (i * 31) % 12 AS page
	FROM generate_series(1, 1500::bigint) AS i;
ALTER TABLE trees_in ADD y float8, ADD sold boolean, ADD w float8;
UPDATE trees_in SET y = CASE WHEN a < 70 THEN 3 ELSE 0 END + b * 0.02 + CASE WHEN c > 50 AND a > 120 THEN 2 ELSE 0 END
	+ ((i * 37) % 101) * 0.02, w = 1 + i % 3;
UPDATE trees_in SET y = y + 1 WHERE page IN ('p1', 'p4', 'p7');
UPDATE trees_in SET sold = y > 3;

CREATE FUNCTION pg_temp.fit(columns text, target text, alpha float8, more text DEFAULT '') RETURNS bytea
LANGUAGE plpgsql AS $$
DECLARE
	model bytea;
BEGIN
	EXECUTE format('SELECT grove.train(%L, %L, %L %s)', 'SELECT ' || columns || ' FROM trees_in', target,
		jsonb_build_object('algorithm', 'tree', 'num_leaves', 200, 'min_data_in_leaf', 5, 'ccp_alpha', alpha), more)
	INTO model;
	RETURN model;
END
$$;

CREATE TABLE path AS
	SELECT alpha, pg_temp.fit('a, b, c, page, y', 'y', alpha) AS model
	FROM unnest('{0, 0.0003, 0.001, 0.003, 0.01, 0.05, 0.2, 1, 5}'::float8[]) AS alpha;
ALTER TABLE path ADD leaves int, ADD loss float8;
UPDATE path SET leaves = (SELECT count(*) FROM grove.nodes(model) WHERE feature IS NULL),
	loss = (grove.metrics(model) ->> 'train_squared_error')::float8;
SELECT alpha, leaves, round(loss::numeric, 4) AS loss FROM path ORDER BY alpha;

-- the tree of its own alpha is the best of them
SELECT p.alpha, p.loss + p.alpha * p.leaves <= min(q.loss + p.alpha * q.leaves) + 1e-9 AS best
FROM path AS p, path AS q GROUP BY p.alpha, p.loss, p.leaves ORDER BY p.alpha;

-- the loss in metrics is that of the predictions
SELECT p.alpha, round((avg((grove.predict(p.model, t.a, t.b, t.c, t.page) - t.y) ^ 2) / p.loss)::numeric, 5) AS quotient
FROM path AS p, trees_in AS t GROUP BY p.alpha, p.loss ORDER BY p.alpha;

-- nested: rows of one leaf of the larger tree stay together in the smaller one
SELECT p.alpha, bool_and(together) AS nested
FROM path AS p, LATERAL
	(SELECT count(DISTINCT grove.predict(p.model, a, b, c, page)) = 1 AS together
	 FROM trees_in GROUP BY grove.predict((SELECT model FROM path WHERE alpha = 0), a, b, c, page)) AS g
GROUP BY p.alpha ORDER BY p.alpha;

-- pruned to the root: the mean
SELECT round((grove.predict(model, 1, 1, 1, 'p1') - (SELECT avg(y) FROM trees_in))::numeric, 6) AS off FROM path WHERE alpha = 5;

-- weights, and a binary target as numbers 0 and 1
SELECT alpha, (SELECT count(*) FROM grove.nodes(pg_temp.fit('a, b, c, y, w', 'y', alpha, ', weight => ''w''')) WHERE feature IS NULL) AS weighted,
	(SELECT count(*) FROM grove.nodes(pg_temp.fit('a, b, c, sold', 'sold', alpha)) WHERE feature IS NULL) AS sold,
	(SELECT count(*) FROM grove.nodes(pg_temp.fit('a, b, c, sold::int::float8 AS y', 'y', alpha)) WHERE feature IS NULL) AS number
FROM unnest('{0, 0.001, 0.01, 0.1}'::float8[]) AS alpha ORDER BY alpha;

-- the same bytes again, and for another order of the rows
SELECT md5(pg_temp.fit('a, b, c, page, y', 'y', 0.003)) = md5(pg_temp.fit('a, b, c, page, y', 'y', 0.003)) AS again,
	(SELECT md5(model) FROM path WHERE alpha = 0.003) =
	md5(grove.train('SELECT a, b, c, page, y FROM trees_in ORDER BY grove.hash64(1, i)', 'y',
		'{"algorithm": "tree", "num_leaves": 200, "min_data_in_leaf": 5, "ccp_alpha": 0.003}')) AS other_order;

-- chosen by cross-validation: the candidate of the least loss, the same for any order of the rows, and the tree is
-- that of the chosen cost
CREATE TABLE chosen AS
	SELECT r AS rule, grove.train('SELECT a, b, c, page, y FROM trees_in', 'y', jsonb_build_object('algorithm', 'tree',
		'num_leaves', 200, 'min_data_in_leaf', 5, 'ccp_folds', 5, 'ccp_rule', r)) AS model
	FROM unnest('{min, one_se}'::text[]) AS r;
ALTER TABLE chosen ADD alpha float8;
UPDATE chosen SET alpha = (grove.metrics(model) ->> 'ccp_alpha')::float8;
SELECT rule, (SELECT count(*) FROM grove.nodes(model) WHERE feature IS NULL) AS leaves, round(alpha::numeric, 4) AS alpha,
	round((grove.metrics(model) ->> 'train_squared_error')::numeric, 3) AS loss
FROM chosen ORDER BY rule;
CREATE TABLE candidates AS
	SELECT c.rule, c.alpha = m.alpha::float8 AS chosen, m.alpha::float8 AS alpha, m.mean::float8 AS mean, m.error::float8 AS error,
		min(m.mean::float8) OVER (PARTITION BY c.rule) AS least
	FROM chosen AS c, LATERAL (SELECT grove.metrics(model)::jsonb AS j) AS k,
		LATERAL ROWS FROM (jsonb_array_elements_text(j -> 'ccp_alphas'), jsonb_array_elements_text(j -> 'ccp_losses'),
			jsonb_array_elements_text(j -> 'ccp_errors')) AS m(alpha, mean, error);
SELECT c.rule, count(*) > 100 AS many,
	max(c.alpha) FILTER (WHERE c.mean <= c.least + CASE WHEN c.rule = 'one_se' THEN b.error ELSE 0 END) =
	max(c.alpha) FILTER (WHERE chosen) AS largest
FROM candidates AS c, LATERAL (SELECT error FROM candidates AS b WHERE b.rule = c.rule AND b.mean = b.least
	ORDER BY alpha DESC LIMIT 1) AS b
GROUP BY c.rule ORDER BY c.rule;
SELECT c.rule, bool_and(a.value IS NOT DISTINCT FROM b.value AND a.threshold IS NOT DISTINCT FROM b.threshold) AS same_tree
FROM chosen AS c, LATERAL grove.nodes(c.model) AS a
	FULL JOIN LATERAL grove.nodes(pg_temp.fit('a, b, c, page, y', 'y', c.alpha)) AS b USING (tree, node)
GROUP BY c.rule ORDER BY c.rule;
SELECT c.rule, md5(c.model) = md5(grove.train('SELECT a, b, c, page, y FROM trees_in ORDER BY grove.hash64(1, i)', 'y',
	jsonb_build_object('algorithm', 'tree', 'num_leaves', 200, 'min_data_in_leaf', 5, 'ccp_folds', 5, 'ccp_rule', c.rule))) AS other_order
FROM chosen AS c ORDER BY c.rule;

-- classes, weights and validation rows
SELECT grove.metrics(grove.train('SELECT a, b, c, page, sold FROM trees_in', 'sold',
	'{"algorithm": "tree", "num_leaves": 200, "ccp_folds": 4}')) ->> 'ccp_folds' AS binary,
	grove.metrics(grove.train('SELECT a, b, c, page FROM trees_in', 'page',
	'{"algorithm": "tree", "ccp_folds": 3}')) ->> 'ccp_alpha' IS NOT NULL AS multiclass,
	grove.metrics(grove.train('SELECT a, b, c, page, y, w, i % 4 = 0 AS held FROM trees_in', 'y',
	'{"algorithm": "tree", "ccp_folds": 3}', weight => 'w', validation => 'held')) ->> 'validation_rows' AS validation_rows;

CREATE FUNCTION pg_temp.try(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in', 'y', '{"ccp_alpha": 0.1}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in', 'y', '{"algorithm": "forest", "ccp_alpha": 0.1}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in', 'y', '{"algorithm": "tree", "objective": "quantile", "ccp_alpha": 0.1}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in', 'y', '{"algorithm": "tree", "ccp_alpha": -1}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in', 'y', '{"ccp_folds": 5}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in', 'y', '{"algorithm": "tree", "ccp_folds": 1}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in', 'y', '{"algorithm": "tree", "ccp_folds": 5, "ccp_alpha": 0.1}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in', 'y', '{"algorithm": "tree", "ccp_rule": "one_se"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in', 'y', '{"algorithm": "tree", "ccp_folds": 5, "objective": "quantile"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y FROM trees_in LIMIT 3', 'y', '{"algorithm": "tree", "ccp_folds": 90}')$$);

DROP TABLE trees_in, path, chosen, candidates;
