-- Columns that cannot play the role they are named for: dates, times and JSON
-- as target, weight or margin; weights that are all 0; a positive class that is
-- none; names that are nothing like a column.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

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

CREATE DOMAIN bad_roles_day AS date;
CREATE TABLE bad_roles AS SELECT i AS id, i % 10 AS a, (i % 7)::float8 AS y, i % 3 AS relevance, i % 20 AS query, i % 2 = 0 AS b, 'k' || i % 3 AS k,
	date '2024-01-01' + i AS day, date '2024-01-01' + i AS domain_day, timestamp '2024-01-01' + i * interval '1 hour' AS at,
	timestamptz '2024-01-01 00:00+00' + i * interval '1 hour' AS at_zone, interval '1 day' * i AS span, time '00:00' AS clock,
	json_build_object('i', i) AS js, jsonb_build_object('i', i) AS jsb, i % 5 = 0 AS held_out, 0 AS zero, (i % 5 = 0)::int AS only_held_out, 1e-300 AS tiny
	FROM generate_series(1, 200) AS i;
ALTER TABLE bad_roles ALTER domain_day TYPE bad_roles_day;

\pset format unaligned
\pset tuples_only on

-- dates, times and JSON are no target, no weight and no margin
SELECT c, pg_temp.try(format('SELECT grove.train(%L, %L)', format('SELECT a, %I FROM bad_roles', c), c))
FROM unnest('{day,domain_day,at,at_zone,span,clock,js,jsb}'::text[]) AS c;
SELECT c, pg_temp.try(format('SELECT grove.train(%L, ''y'', weight => %L)', format('SELECT a, y, %I FROM bad_roles', c), c))
FROM unnest('{day,domain_day,at,at_zone,span,js,jsb,b}'::text[]) AS c;
SELECT c, pg_temp.try(format('SELECT grove.train(%L, ''y'', base_margin => %L)', format('SELECT a, y, %I FROM bad_roles', c), c))
FROM unnest('{day,domain_day,at,at_zone,span,js,jsb,b}'::text[]) AS c;
SELECT pg_temp.try($$SELECT grove.train('SELECT a, query, day FROM bad_roles', 'day', group_by => 'query')$$);
SELECT pg_temp.try($$SELECT grove.train_agg(grove.features(day, a), '{}') FROM bad_roles$$);
SELECT pg_temp.try($$SELECT count(*) FROM grove.balance('bad_roles', 'bad_roles', weight => 'day', ignore => '{js,jsb,span,clock}')$$);
-- as what they are good for: features, and the number that the hint names
SELECT pg_temp.try($$SELECT grove.train('SELECT a, day, at, at_zone, y FROM bad_roles', 'y')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, extract(epoch FROM day) / 86400 AS day FROM bad_roles', 'day')$$);

-- weights of which none counts
SELECT algorithm, pg_temp.try(format('SELECT grove.train(%L, ''y'', ''{"algorithm": "%s"}'', weight => ''zero'')', 'SELECT a, y, zero FROM bad_roles', algorithm))
FROM unnest('{gbdt,tree,forest}'::text[]) AS algorithm;
SELECT algorithm, pg_temp.try(format('SELECT grove.train(%L, ''b'', ''{"algorithm": "%s"}'', weight => ''zero'')', 'SELECT a, b, zero FROM bad_roles', algorithm))
FROM unnest('{gbdt,tree,forest}'::text[]) AS algorithm;
SELECT algorithm, pg_temp.try(format('SELECT grove.train(%L, ''k'', ''{"algorithm": "%s"}'', weight => ''zero'')', 'SELECT a, k, zero FROM bad_roles', algorithm))
FROM unnest('{gbdt,tree,forest}'::text[]) AS algorithm;
SELECT pg_temp.try($$SELECT grove.train('SELECT a, relevance, query, zero FROM bad_roles', 'relevance', group_by => 'query', weight => 'zero')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, tiny FROM bad_roles', 'y', weight => 'tiny')$$);
-- also when only validation rows have one
SELECT algorithm, pg_temp.try(format('SELECT grove.train(%L, ''y'', ''{"algorithm": "%s"}'', weight => ''only_held_out'', validation => ''held_out'')',
	'SELECT a, y, held_out, only_held_out FROM bad_roles', algorithm))
FROM unnest('{gbdt,tree,forest}'::text[]) AS algorithm;
SELECT pg_temp.try($$SELECT grove.train('SELECT a, relevance, query, held_out, only_held_out FROM bad_roles', 'relevance', group_by => 'query', weight => 'only_held_out', validation => 'held_out')$$);
-- one training row of weight is enough: the model says what that row says
SELECT grove.predict(grove.train('SELECT a, y, (id = 6)::int AS w FROM bad_roles', 'y', weight => 'w'), 3), y FROM bad_roles WHERE id = 6;
-- rows without weight in training do not hinder those of validation
SELECT pg_temp.try($$SELECT grove.train('SELECT a, y, held_out, 1 - only_held_out AS w FROM bad_roles', 'y', weight => 'w', validation => 'held_out')$$);

-- the positive class of prune()
SELECT c, class, pg_temp.try(format($$SELECT count(*) FROM grove.prune(NULL::bad_roles, 'bad_roles', keep => 0.99, key => '{id}', method => 'negatives', target => %L,
	params => jsonb_build_object('positive_class', %L::text))$$, c, class))
FROM (VALUES ('b', 'maybe'), ('b', ''), ('b', 'yes'), ('b', 'true'), ('relevance', 'two'), ('relevance', '7'), ('relevance', '2'), ('k', 'K1'), ('k', 'k1'), ('id', '0'), ('y', 'NaN'), ('day', '2024-01-05')) AS v (c, class);

-- a name that is nothing like a column gets all columns to choose from
SELECT pg_temp.try(format($$SELECT grove.train('SELECT a, y, k FROM bad_roles', %L)$$, name))
FROM unnest('{z,yy,kk,target,""}'::text[]) AS name;
SELECT pg_temp.try($$SELECT grove.train('SELECT y FROM bad_roles', 'price')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT only_held_out, y FROM bad_roles', 'y', weight => 'only_heldout')$$);
SELECT pg_temp.try($$SELECT grove.train('SELECT * FROM bad_roles', 'y', weight => 'sample_weight')$$);
SELECT pg_temp.try(format('SELECT grove.train(%L, ''price'')', 'SELECT ' || string_agg(format('%s AS column_%s', i, i), ', '))) FROM generate_series(1, 30) AS i;
SELECT pg_temp.try('SELECT grove.train(''SELECT a AS "Größe", y FROM bad_roles'', ''Größen'')');

DROP TABLE bad_roles;
DROP DOMAIN bad_roles_day;
