-- Training classifiers: labels of every kind, which class is positive, base
-- rates, weights of classes, several classes.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TYPE answer AS ENUM ('yes', 'no');
CREATE TABLE sessions AS
	SELECT i AS id, (i * 7919) % 100 AS pages, (i * 104729) % 24 AS hour, (i * 31) % 5 AS kind
	FROM generate_series(1, 3000) AS i;
ALTER TABLE sessions ADD buys boolean;
UPDATE sessions SET buys = pages > 60 AND (hour > 12 OR kind = 1);

-- the label comes back as it was in the table
SELECT grove.classes(grove.train('SELECT pages, hour, buys FROM sessions', 'buys')) AS boolean,
	grove.classes(grove.train('SELECT pages, hour, buys::int AS buys FROM sessions', 'buys')) AS integer,
	grove.classes(grove.train('SELECT pages, hour, CASE WHEN buys THEN ''buy'' ELSE ''leave'' END AS buys FROM sessions', 'buys')) AS text,
	grove.classes(grove.train('SELECT pages, hour, CASE WHEN buys THEN ''yes'' ELSE ''no'' END::answer AS buys FROM sessions', 'buys')) AS enum,
	grove.classes(grove.train('SELECT pages, hour, CASE WHEN buys THEN 2.5 ELSE -1 END::float8 AS buys FROM sessions', 'buys', task => 'binary')) AS float;

-- the positive class is the last in order, or the one that is named
WITH m AS MATERIALIZED (
	SELECT grove.train('SELECT pages, hour, kind, CASE WHEN buys THEN ''buy'' ELSE ''leave'' END AS c FROM sessions', 'c') AS plain,
		grove.train('SELECT pages, hour, kind, CASE WHEN buys THEN ''buy'' ELSE ''leave'' END AS c FROM sessions', 'c', '{"positive_class": "buy"}') AS named)
SELECT grove.classes(plain), grove.classes(named),
	round(avg(abs(grove.predict(plain, pages, hour, kind) + grove.predict(named, pages, hour, kind) - 1))::numeric, 2) AS complement_error,
	count(*) FILTER (WHERE grove.predict_class(named, pages, hour, kind) <> CASE WHEN buys THEN 'buy' ELSE 'leave' END) AS errors
FROM m, sessions GROUP BY 1, 2;

-- boosting separates them; a model without useful features gives the base rate
SELECT round(grove.auc(buys, grove.predict(model, pages, hour, kind))::numeric, 3) AS auc,
	grove.log_loss(buys, grove.predict(model, pages, hour, kind)) < 0.01 AS sure
FROM sessions, (SELECT grove.train('SELECT pages, hour, kind, buys FROM sessions', 'buys') AS model) AS m;
SELECT round(grove.predict(grove.train('SELECT 1 AS one, buys FROM sessions', 'buys'), 1)::numeric, 6) AS predicted,
	round(avg(buys::int), 6) AS observed FROM sessions;

-- one tree and a forest give shares of the leaf
SELECT algorithm, grove.auc(buys, grove.predict(model, pages, hour, kind)) > 0.99 AS separates,
	min(grove.predict(model, pages, hour, kind)) >= 0 AND max(grove.predict(model, pages, hour, kind)) <= 1 AS are_shares,
	abs(avg(grove.predict(model, pages, hour, kind)) - avg(buys::int)) < 0.01 AS calibrated
FROM sessions, (VALUES ('tree'), ('forest')) AS a(algorithm),
	LATERAL (SELECT grove.train('SELECT pages, hour, kind, buys FROM sessions', 'buys', jsonb_build_object('algorithm', algorithm)) AS model) AS m
GROUP BY algorithm ORDER BY algorithm;

-- scale_pos_weight moves the base rate as if positives were that much more frequent
SELECT round(grove.predict(grove.train('SELECT 1 AS one, buys FROM sessions', 'buys', '{"scale_pos_weight": 3}'), 1)::numeric, 5) AS predicted,
	round(3.0 * count(*) FILTER (WHERE buys) / (3 * count(*) FILTER (WHERE buys) + count(*) FILTER (WHERE NOT buys)), 5) AS expected
FROM sessions;

-- several classes: text and integer, probabilities sum to 1, the likeliest is predict_class
SELECT algorithm, count(*) FILTER (WHERE grove.predict_class(model, pages, hour) <> c) AS errors,
	bool_and(abs((SELECT sum(p) FROM unnest(grove.predict_proba(model, pages, hour)) AS p) - 1) < 1e-9) AS sums_to_1,
	bool_and((grove.classes(model))[array_position(grove.predict_proba(model, pages, hour),
		(SELECT max(p) FROM unnest(grove.predict_proba(model, pages, hour)) AS p))] = grove.predict_class(model, pages, hour)) AS is_likeliest
FROM (SELECT pages, hour, CASE WHEN pages < 30 THEN 'low' WHEN hour < 10 THEN 'early' ELSE 'late' END AS c FROM sessions) AS s,
	(VALUES ('gbdt'), ('tree'), ('forest')) AS a(algorithm),
	LATERAL (SELECT grove.train('SELECT pages, hour, CASE WHEN pages < 30 THEN ''low'' WHEN hour < 10 THEN ''early'' ELSE ''late'' END AS c FROM sessions',
		'c', jsonb_build_object('algorithm', algorithm)) AS model) AS m
GROUP BY algorithm ORDER BY algorithm;
SELECT grove.classes(grove.train('SELECT pages, kind * 5 AS c FROM sessions', 'c', task => 'multiclass'));

-- what "auto" makes of a target
SELECT grove.describe(grove.train('SELECT pages, kind::text AS y FROM sessions', 'y', '{"num_iterations": 1}')) ->> 'task' AS text5,
	grove.describe(grove.train('SELECT pages, kind AS y FROM sessions', 'y', '{"num_iterations": 1}')) ->> 'task' AS int5,
	grove.describe(grove.train('SELECT pages, (kind = 1)::int AS y FROM sessions', 'y', '{"num_iterations": 1}')) ->> 'task' AS int2,
	grove.describe(grove.train('SELECT pages, (kind = 1)::int::float8 AS y FROM sessions', 'y', '{"num_iterations": 1}')) ->> 'task' AS float2,
	grove.describe(grove.train('SELECT pages, (kind = 1)::int::float8 AS y FROM sessions', 'y', '{"num_iterations": 1, "objective": "binary"}')) ->> 'task' AS objective;

DROP TABLE sessions;
DROP TYPE answer;
