-- Ranking: rows of a group against each other.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

-- 300 queries of 5 to 24 rows; relevance follows a and b within a query, level moves all rows of a query alike
CREATE TABLE hits AS
	SELECT q, d, 'query ' || q AS name, (q * 7919) % 1000 AS level, (q * 31 + d * 7907) % 97 AS a, (q * 17 + d * 104729) % 89 AS b,
		q % 4 = 0 AS held FROM generate_series(1, 300) AS q, generate_series(1, 5 + q % 20) AS d;
ALTER TABLE hits ADD relevance int;
UPDATE hits SET relevance = greatest(0, least(4, (a * 2 + b + (q * 13 + d * 7) % 40 - 60) / 40));

-- it orders queries that it has not seen
CREATE TABLE models AS
	SELECT grove.train('SELECT q, level, a, b, relevance, held FROM hits', 'relevance', '{"num_iterations": 60}', task => 'ranking', group_by => 'q', validation => 'held') AS model;
SELECT round(grove.ndcg(q, 2.0 ^ relevance - 1, grove.predict(model, level, a, b), 10)::numeric, 2) AS ndcg,
	round(grove.ndcg(q, 2.0 ^ relevance - 1, 0, 10)::numeric, 2) AS by_chance
FROM hits, models WHERE held;

-- the group is not a feature; the prediction is the score
SELECT grove.describe(model)->>'task' AS task, grove.describe(model)->>'objective' AS objective,
	(SELECT string_agg(feature, ', ' ORDER BY feature) FROM grove.importance(model)) AS features,
	(SELECT bool_and(grove.predict(model, level, a, b) = grove.predict_raw(model, level, a, b)) FROM hits) AS is_margin FROM models;

-- the loss that it measures is that of grove.ndcg(), over the groups of each part
SELECT part, round((metrics->>(part || '_ndcg_loss_at_10'))::numeric, 6) = round((1 - grove.ndcg(q, 2.0 ^ relevance - 1, grove.predict(model, level, a, b), 10))::numeric, 6) AS as_ndcg
FROM (SELECT model, grove.metrics(model) AS metrics FROM models) AS m, hits, LATERAL (SELECT CASE WHEN held THEN 'validation' ELSE 'train' END AS part) AS p
GROUP BY part, metrics ORDER BY part;

-- groups are equal values in any order of rows and of any type; a group_by alone makes it a ranking
SELECT count(DISTINCT md5(model)) AS models
FROM (VALUES ('q', 'q, d'), ('q', 'd, q'), ('q', 'grove.hash64(1, q, d)'), ('q::bigint', 'a, b, q'), ('q::smallint', 'q DESC, d')) AS o(grp, ordering),
	LATERAL (SELECT grove.train(format('SELECT %s AS g, level, a, b, relevance FROM hits ORDER BY %s', grp, ordering), 'relevance',
		'{"num_iterations": 10}', group_by => 'g') AS model) AS m;
SELECT grp, round(grove.ndcg(q, 2.0 ^ relevance - 1, grove.predict(model, level, a, b), 10)::numeric, 2) AS ndcg
FROM (VALUES ('q'), ('name'), ('md5(name)::uuid'), ('date ''2024-01-01'' + q'), ('q::numeric / 7')) AS o(grp),
	LATERAL (SELECT grove.train(format('SELECT %s AS g, level, a, b, relevance FROM hits', grp), 'relevance', group_by => 'g') AS model) AS m, hits
GROUP BY grp ORDER BY grp;

-- what is constant within each group cannot help; labels that are all alike, groups of one row: nothing to learn
SELECT max(abs(grove.predict(model, one))) < 1e-6 AS nothing
FROM (SELECT grove.train('SELECT q, 1 AS one, relevance FROM hits', 'relevance', '{"num_iterations": 3}', group_by => 'q') AS model) AS m, (SELECT 1 AS one FROM hits) AS h;
SELECT rows, max(abs(grove.predict(model, a, b))) < 1e-9 AS nothing
FROM (VALUES (1, 'SELECT q, a, b, 3 AS r FROM hits'), (2, 'SELECT q * 1000 + d AS q, a, b, relevance AS r FROM hits'), (3, 'SELECT q, a, b, 0 AS r FROM hits')) AS o(rows, source),
	LATERAL (SELECT grove.train(source, 'r', group_by => 'q') AS model) AS m, hits
GROUP BY rows ORDER BY rows;

-- the further down pairs are looked at, the better the order there
SELECT truncation, round(grove.ndcg(q, 2.0 ^ relevance - 1, p, 1)::numeric, 2) AS ndcg_1, round(grove.ndcg(q, 2.0 ^ relevance - 1, p, 20)::numeric, 3) AS ndcg_20
FROM (VALUES (1), (5), (1000)) AS t(truncation),
	LATERAL (SELECT grove.train('SELECT q, level, a, b, relevance FROM hits', 'relevance',
		jsonb_build_object('lambdarank_truncation_level', truncation, 'num_iterations', 10), group_by => 'q') AS model) AS m,
	hits, LATERAL (SELECT grove.predict(model, level, a, b) AS p) AS r
GROUP BY truncation ORDER BY truncation;

-- early stopping, weights, margins, labels up to 31
SELECT (metrics->>'rounds')::int < (metrics->>'rounds_run')::int AS stopped
FROM (SELECT grove.metrics(grove.train('SELECT q, level, a, b, relevance, held FROM hits', 'relevance',
	'{"num_iterations": 500, "early_stopping_rounds": 10, "learning_rate": 0.3}', group_by => 'q', validation => 'held')) AS metrics) AS m;
SELECT count(*) FILTER (WHERE (metrics->>'train_ndcg_loss_at_10')::float8 < 1e-9) AS perfect
FROM (SELECT grove.metrics(grove.train('SELECT q, 1 AS one, relevance + 27 AS r, 1000.0 * relevance AS known FROM hits', 'r',
	'{"num_iterations": 1}', group_by => 'q', base_margin => 'known')) AS metrics) AS m;

-- what is refused
CREATE FUNCTION pg_temp.try(query text) RETURNS text
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
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance FROM hits', 'relevance', task => 'ranking')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance FROM hits', 'relevance', '{"objective": "lambdarank"}')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance FROM hits', 'relevance', '{"objective": "poisson"}', group_by => 'q')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance FROM hits', 'relevance', group_by => 'relevance')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance FROM hits', 'relevance', group_by => 'query')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT nullif(q, 7) AS q, a, relevance FROM hits', 'relevance', group_by => 'q')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT point(q, 1) AS q, a, relevance FROM hits', 'relevance', group_by => 'q')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance - 1 AS r FROM hits', 'r', group_by => 'q')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance + 28 AS r FROM hits', 'r', group_by => 'q')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance / 2.0 AS r FROM hits', 'r', group_by => 'q')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance > 1 AS r FROM hits', 'r', group_by => 'q')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT q, a, relevance FROM hits', 'relevance', '{"algorithm": "forest"}', group_by => 'q')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT 1 AS q, i % 7 AS a, i % 3 AS r FROM generate_series(1, 100001) AS i', 'r', group_by => 'q')$$);
SELECT pg_temp.try($$SELECT grove.predict_proba(model, 1, 2, 3) FROM models$$);

DROP TABLE hits, models;
