-- The memory that a training asks for is that of the table in
-- docs/architecture.md, within 5 %: for each line of it a training that needs
-- it.  What is allowed is a fifth less, so that each is refused and tells.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE readings AS
	SELECT i % 997 AS a, i % 101 AS b, i % 89 AS c, i % 83 AS d, i % 79 AS e, i % 73 AS f, i % 71 AS g, i % 67 AS h, i % 61 AS i, i % 59 AS j,
		i % 7 AS s1, i % 6 AS s2, i % 5 AS s3, 'p' || i % 600 AS page,
		i % 3 AS y, i % 2 = 0 AS yes, 1 + i % 4 AS w, i % 5 = 0 AS held, i / 20 AS q
	FROM generate_series(1, 200000) AS i;

-- n rows, c columns of one byte, w of two, f features, k outputs; one process
CREATE FUNCTION pg_temp.expected(c float8, w float8, f float8, k float8, rows_more float8, filling float8, small_kb float8, leaves float8, more float8)
RETURNS float8 LANGUAGE sql AS $$
	SELECT 200000 * (c + 2 * w + ceil(c / 4) * 4 + 10 + 4 * k + 16 + rows_more + filling)
		+ 6144 * f * (200000 / 16384 + 1) + 1024 * small_kb * f * (least(leaves, 256) + 3) + 6144 * f + 700 * 1024 + 256 * 1024 + more
$$;

CREATE FUNCTION pg_temp.needed(columns text, params jsonb, roles text, allowed float8) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('grove.max_memory', (allowed / 1024)::int || 'kB', true);
	EXECUTE format('SELECT grove.train(%L, %s, %L %s)', 'SELECT ' || columns || ' FROM readings', quote_literal(substring(columns from '\w+$')), params, roles);
	RETURN NULL;
EXCEPTION WHEN program_limit_exceeded THEN
	RETURN coalesce(substring(SQLERRM FROM 'training needs (\d+) kB')::float8 * 1024, -1);
END $$;
SET grove.max_workers = 0;
SELECT what, needed / expected BETWEEN 0.95 AND 1.05 AS as_documented,
	CASE WHEN NOT needed / expected BETWEEN 0.95 AND 1.05 THEN format('%s of %s', needed, expected) END AS but
FROM (VALUES
		(1, 'classes of two', 'a, b, c, d, e, f, g, h, i, j, yes', '{}', '', pg_temp.expected(10, 0, 10, 1, 0, 24, 2, 31, 0)),
		(2, 'many leaves', 'a, b, c, d, e, f, g, h, i, j, yes', '{"num_leaves": 255}', '', pg_temp.expected(10, 0, 10, 1, 0, 24, 2, 255, 0)),
		(3, 'squared error', 'a, b, c, d, e, f, g, h, i, j, y', '{"objective": "regression"}', '', pg_temp.expected(10, 0, 10, 1, 0, 24, 2, 31, 0)),
		(4, 'weights', 'w, a, b, c, d, e, f, g, h, i, j, yes', '{}', ', weight => ''w''', pg_temp.expected(10, 0, 10, 1, 4 + 4, 24, 4, 31, 0)),
		(5, 'log link', 'a, b, c, d, e, f, g, h, i, j, y', '{"objective": "poisson"}', '', pg_temp.expected(10, 0, 10, 1, 4, 24, 4, 31, 0)),
		(6, 'three classes', 'a, b, c, d, e, f, g, h, i, j, y', '{"objective": "multiclass"}', '', pg_temp.expected(10, 0, 10, 3, 12, 24, 2, 31, 0)),
		(7, 'bagging', 'a, b, c, d, e, f, g, h, i, j, yes', '{"bagging_fraction": 0.5}', '', pg_temp.expected(10, 0, 10, 1, 9, 24, 2, 31, 0)),
		(8, 'validation rows', 'held, a, b, c, d, e, f, g, h, i, j, yes', '{}', ', validation => ''held''', pg_temp.expected(10, 0, 10, 1, 1, 24, 2, 31, 0)),
		(9, 'forest', 'a, b, c, d, e, f, g, h, i, j, y', '{"algorithm": "forest", "objective": "regression", "num_leaves": 200}', '', pg_temp.expected(10, 0, 10, 1, 9 + 8, 24, 2, 200, 0)),
		(10, 'ranking', 'q, a, b, c, d, e, f, g, h, i, j, y', '{}', ', task => ''ranking'', group_by => ''q''', pg_temp.expected(10, 0, 10, 1, 24 + 4, 40, 4, 31, 0)),
		(11, 'goss', 'a, b, c, d, e, f, g, h, i, j, yes', '{"data_sample_strategy": "goss", "learning_rate": 0.5}', '', pg_temp.expected(10, 0, 10, 1, 9 + 4, 24, 2, 31, 0)),
		(12, 'columns that share one', 'a, b, c, d, e, f, g, h, i, j, s1, s2, s3, yes', '{}', '', pg_temp.expected(12, 0, 13, 1, 0, 24, 2, 31, 0)),
		(13, 'more than 255 labels', 'a, b, c, d, e, f, g, h, i, j, page, yes', '{"min_data_per_level": 1}', '', pg_temp.expected(10, 1, 13, 1, 0, 24, 2, 31, 600 * 100)),
		(14, 'folds', 'a, b, c, d, e, f, g, h, i, j, y', '{"algorithm": "tree", "objective": "regression", "ccp_folds": 5}', '', pg_temp.expected(10, 0, 10, 1, 2 + 8, 24, 2, 31, 120 * 31))
	) AS c (nr, what, columns, params, roles, expected),
	LATERAL (SELECT pg_temp.needed(columns, params::jsonb, roles, 0.8 * expected) AS needed) AS n
ORDER BY nr;

DROP TABLE readings;
