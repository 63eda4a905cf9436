/*
 * demo.sql: from two tables to predictions, step by step.
 *
 * demo/run.sh runs this file in a database of its own.  To run it by hand:
 *
 *   psql -d mydb -v sessions=generated -f demo/demo.sql
 *   zcat online_shoppers.csv.gz | psql -d mydb -v sessions=real -f demo/demo.sql
 *
 * All objects go into the schema "shop".
 */
\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
\pset null '(null)'
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA shop;
SET search_path = shop, pg_catalog;

\echo
\echo '== 1. Load: one row a shop session, did it end in a purchase?'
/*
 * Numbers are continuous features; text, boolean and enum columns are
 * categories.  A code that merely looks like a number (browser 2 is not twice
 * browser 1) is therefore a text column.
 */
CREATE TABLE sessions (
	id						int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	administrative			int,
	administrative_duration float8,
	informational			int,
	informational_duration	float8,
	product_related			int,
	product_related_duration float8,
	bounce_rates			float8,
	exit_rates				float8,
	page_values				float8,
	special_day				float8,
	month					text,
	operating_systems		text,
	browser					text,
	region					text,
	traffic_type			text,
	visitor_type			text,
	weekend					boolean,
	revenue					boolean NOT NULL
);

SELECT :'sessions' = 'real' AS real \gset
\if :real
\copy sessions (administrative, administrative_duration, informational, informational_duration, product_related, product_related_duration, bounce_rates, exit_rates, page_values, special_day, month, operating_systems, browser, region, traffic_type, visitor_type, weekend, revenue) FROM pstdin WITH (FORMAT csv, HEADER true)
\echo 'Online Shoppers Purchasing Intention (UCI Machine Learning Repository 468, CC BY 4.0)'
\else
\ir generate_sessions.sql
\echo 'GENERATED sessions: the real data is not here, see demo/data/README.md.  The steps are'
\echo 'the same; the numbers below say nothing about a real shop.'
\endif
ANALYZE sessions;

SELECT count(*) AS sessions, count(*) FILTER (WHERE revenue) AS purchases,
	   round(100.0 * count(*) FILTER (WHERE revenue) / count(*), 2) AS percent
FROM sessions;

\echo '== 2. Split by key: the same session is always on the same side'
/*
 * grove.split hashes the key, so the split needs no column, no random() and no
 * second run that happens to fall the same way.
 */
CREATE VIEW training AS SELECT * FROM sessions WHERE grove.split('{0.7,0.3}', 1, id) = 1;
CREATE VIEW holdout  AS SELECT * FROM sessions WHERE grove.split('{0.7,0.3}', 1, id) = 2;

SELECT 'training' AS part, count(*) AS sessions, round(100 * avg(revenue::int), 2) AS "bought %" FROM training
UNION ALL
SELECT 'holdout', count(*), round(100 * avg(revenue::int), 2) FROM holdout;

\echo '== 3. Shuffle: every row once, in an order that only the seed decides'
SELECT id, month, traffic_type, product_related, revenue
FROM grove.shuffle(NULL::sessions, 'SELECT * FROM training', key => '{id}', seed => 42)
LIMIT 5;

SELECT count(*) AS shuffled, count(DISTINCT id) AS different
FROM grove.shuffle(NULL::sessions, 'SELECT * FROM training', key => '{id}', seed => 42);

\echo '== 4. Prune: keep 30 % at random, then draw back a quarter of what was removed,'
\echo '      rare combinations of month and traffic type more likely than common ones'
/*
 * pi is the probability with which a row of this kind ended up in the result,
 * weight is 1/pi.  Weighted, the pruned table still describes the full one.
 */
SELECT clock_timestamp() AS started \gset
CREATE TABLE pruned AS
SELECT (kept).*, pi, weight
FROM grove.prune(NULL::sessions, 'SELECT * FROM training',
				 keep => 0.3, method => 'random', readmit => 0.25,
				 by => '{month,traffic_type}', key => '{id}', seed => 7);
SELECT extract(epoch FROM clock_timestamp() - :'started') AS prune_seconds \gset

SELECT count(*) AS "rows", round(min(pi)::numeric, 3) AS "least pi", round(max(pi)::numeric, 3) AS "largest pi",
	   round(sum(weight)) AS "sum of weights", (SELECT count(*) FROM training) AS "rows before"
FROM pruned;

\echo 'What is left of each month: rare months lose little, and the weights add up'
SELECT month, t.n AS "rows before", p.n AS "rows kept", round(100.0 * p.n / t.n) AS "kept %",
	   round(p.w) AS "sum of weights"
FROM (SELECT month, count(*) AS n FROM training GROUP BY month) AS t
JOIN (SELECT month, count(*) AS n, sum(weight) AS w FROM pruned GROUP BY month) AS p USING (month)
ORDER BY t.n DESC;

\echo '== 5. Train: on everything and on the pruned rows with their weights'
/*
 * page_values is left out for now: it is computed from the purchase itself, so
 * a shop does not have it while the customer is still looking (step 7).
 * Options are named as in LightGBM; the same seed gives the same bytes.
 */
CREATE TABLE models (
	name		text PRIMARY KEY,
	started		timestamptz DEFAULT clock_timestamp(),
	"rows"		bigint,
	share		numeric,		-- of the training rows
	row_bytes	bigint,
	seconds		numeric,		-- to prune into a table, if it was, and to train on that
	model		bytea
);
\set options '{"num_iterations": 60, "learning_rate": 0.1, "num_leaves": 15, "lambda_l2": 1}'

SELECT clock_timestamp() AS started \gset
INSERT INTO models (name, model)
SELECT 'everything', grove.train('SELECT * FROM training', 'revenue', :'options',
								 ignore => '{id,page_values}', seed => 1);
UPDATE models SET seconds = extract(epoch FROM clock_timestamp() - :'started') WHERE name = 'everything';

SELECT clock_timestamp() AS started \gset
INSERT INTO models (name, model)
SELECT 'pruned', grove.train('SELECT * FROM pruned', 'revenue', :'options',
							 weight => 'weight', ignore => '{id,page_values,pi}', seed => 1);
UPDATE models SET seconds = :prune_seconds + extract(epoch FROM clock_timestamp() - :'started') WHERE name = 'pruned';

UPDATE models SET ("rows", row_bytes) = (SELECT count(*), sum(pg_column_size(t)) FROM training AS t) WHERE name = 'everything';
UPDATE models SET ("rows", row_bytes) = (SELECT count(*), sum(pg_column_size(p)) FROM pruned AS p) WHERE name = 'pruned';
UPDATE models SET share = "rows"::numeric / (SELECT count(*) FROM training);

\echo '== 6. Compare both on the hold-out, which neither has seen'
/*
 * predict takes a row and binds its columns by name; it is an ordinary
 * function, and auc and log_loss are ordinary aggregates.
 */
CREATE VIEW curve AS
SELECT m.name, m.share, m."rows", m.row_bytes, length(m.model) AS model_bytes, m.seconds,
	   grove.auc(h.revenue, grove.predict(m.model, h)) AS auc,
	   grove.log_loss(h.revenue, grove.predict(m.model, h)) AS log_loss
FROM models AS m CROSS JOIN holdout AS h
GROUP BY m.name;

\echo 'Seconds are those of pruning into a table and training on it; with everything, of training.'
\echo 'Row bytes are those of the rows that were trained on, when pruned with pi and weight.'
SELECT name, round(100 * share, 1) AS "rows %", "rows", row_bytes AS "row bytes", model_bytes AS "model bytes",
	   round(seconds, 3) AS seconds, round(auc::numeric, 4) AS auc, round(log_loss::numeric, 4) AS log_loss
FROM curve
ORDER BY "rows" DESC;

\echo 'The same over several shares: the curve that tells how far one can go'
/*
 * For each share six statements: the clock starts, prune, train, the clock
 * stops, count, away with the rows.  The share given is kept at random, and a
 * quarter of the rest drawn back.
 */
SELECT format('INSERT INTO models (name) VALUES (%L)', name),
	   format($$
		CREATE TABLE kept AS
		SELECT (kept).*, pi, weight
		FROM grove.prune(NULL::sessions, 'SELECT * FROM training', keep => %s, method => 'random',
						 readmit => 0.25, by => '{month,traffic_type}', key => '{id}', seed => 7)
	   $$, keep),
	   format($$
		UPDATE models SET model = grove.train('SELECT * FROM kept', 'revenue', %L, weight => 'weight', ignore => '{id,page_values,pi}', seed => 1)
		WHERE name = %L
	   $$, :'options', name),
	   format('UPDATE models SET seconds = extract(epoch FROM clock_timestamp() - started) WHERE name = %L', name),
	   format($$
		UPDATE models
		SET ("rows", share, row_bytes) = (SELECT count(*), count(*)::numeric / (SELECT count(*) FROM training), sum(pg_column_size(k)) FROM kept AS k)
		WHERE name = %L
	   $$, name),
	   'DROP TABLE kept'
FROM unnest('{0.7,0.5,0.2,0.1,0.05,0.02}'::numeric[]) AS keep, concat('keep ', keep) AS name
\gexec

SELECT name, round(100 * share, 1) AS "rows %", "rows", row_bytes AS "row bytes", model_bytes AS "model bytes",
	   round(seconds, 3) AS seconds, round(auc::numeric, 4) AS auc, round(log_loss::numeric, 4) AS log_loss,
	   repeat('#', greatest(0, round((auc - 0.5) * 80))::int) AS "auc from 0.5"
FROM curve
ORDER BY "rows" DESC;

\echo '== 7. The trap: page_values nearly is the answer'
INSERT INTO models (name, model)
SELECT 'with page_values',
	   grove.train('SELECT * FROM training', 'revenue', :'options', ignore => '{id}', seed => 1);

SELECT name, round(auc::numeric, 4) AS auc, round(log_loss::numeric, 4) AS log_loss
FROM curve
WHERE name IN ('everything', 'with page_values')
ORDER BY name;

\echo '== 8. Predict: the ten sessions of the hold-out most likely to buy'
SELECT h.id, h.month, h.visitor_type, h.product_related AS pages,
	   round(grove.predict(m.model, h)::numeric, 3) AS probability, h.revenue AS "did buy"
FROM holdout AS h, models AS m
WHERE m.name = 'pruned'
ORDER BY grove.predict(m.model, h) DESC, h.id
LIMIT 10;

\echo '== 9. What the model looks at'
SELECT feature, round(gain::numeric, 1) AS gain, splits
FROM models AS m, grove.importance(m.model)
WHERE m.name = 'pruned'
ORDER BY gain DESC, feature
LIMIT 8;

\echo '== 10. Every night: prune, train and replace the model in one statement'
/*
 * It is one statement because a source may be any SELECT: the rows go from
 * prune to train without a table between them.  It is kept in a table here,
 * which is what pg_cron does.  \gexec runs it as a scheduler would.
 */
CREATE TABLE jobs (name text PRIMARY KEY, schedule text, command text);
INSERT INTO jobs VALUES ('retrain', '15 3 * * *', $job$
UPDATE shop.models SET model = grove.train($src$
    SELECT (kept).*, weight
    FROM grove.prune(NULL::shop.sessions, 'SELECT * FROM shop.training',
                     keep => 0.3, method => 'random', readmit => 0.25,
                     by => '{month,traffic_type}', key => '{id}', seed => 7)
    $src$, 'revenue', '{"num_iterations": 60, "num_leaves": 15, "lambda_l2": 1}',
    weight => 'weight', ignore => '{id,page_values}', seed => 1)
WHERE name = 'pruned'$job$);

\echo 'With pg_cron in the database, this line schedules it:'
\pset format unaligned
\pset tuples_only on
SELECT format('SELECT cron.schedule(%L, %L, $job$%s$job$);', name, schedule, command) FROM jobs;
\pset tuples_only off
\pset format aligned
SELECT md5(model) AS before FROM models WHERE name = 'pruned' \gset
SELECT command FROM jobs WHERE name = 'retrain' \gexec
SELECT name, md5(model) = :'before' AS "same rows, same seed, same bytes" FROM models WHERE name = 'pruned';

\ir personal.sql
\if :{?retail}
\ir personal_real.sql
\endif
