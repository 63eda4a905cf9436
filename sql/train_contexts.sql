-- Where a training with workers may run: in a trigger, in a transaction that
-- has written, in subtransactions, on tables that only this session sees.  The
-- model is that of one process on the same rows, byte for byte.
-- test/t/train_workers.sh makes sure that the workers take part.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;
\set SHOW_CONTEXT never

CREATE TABLE orders AS
	SELECT i AS id, (i * 7919) % 1009 * 0.1 AS a, CASE WHEN i % 11 = 0 THEN NULL ELSE (i * 104729) % 997 END AS b, (i * 613) % 50 AS c,
		((i * 7919) % 1009) * 0.1 + (i * 17) % 60 > 80 AS paid
	FROM generate_series(1, 40000::bigint) AS i;

-- a model of the rows that a condition selects; the source is the same text, whoever asks
CREATE FUNCTION digest(condition text DEFAULT 'true', source text DEFAULT 'orders') RETURNS text LANGUAGE sql AS $$
	SELECT md5(grove.train(format('SELECT a, b, c, id %% 7 AS d, id %% 11 AS e, id %% 13 AS f, id %% 17 AS g, id %% 19 AS h, id %% 23 AS i, paid FROM %s WHERE %s', source, condition), 'paid', '{"num_iterations": 20}'))
$$;
SET grove.min_parallel_cells = 0;
SET grove.max_workers = 0;
CREATE TABLE alone AS SELECT digest() AS whole, digest('id <= 25000') AS part, digest('id <= 25000 OR id = 1') = digest('id <= 25000') AS by_rows;
SELECT whole <> part AS rows_matter, by_rows FROM alone;
SET grove.max_workers = 2;

-- triggers: of a statement, of rows, deferred to the end of the transaction
CREATE TABLE events(what text);
CREATE TABLE trained(what text, digest text);
CREATE FUNCTION train_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO trained VALUES (TG_NAME, digest());
	RETURN NULL;
END $$;
CREATE TRIGGER of_statement AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION train_now();
CREATE TRIGGER of_row AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION train_now();
CREATE CONSTRAINT TRIGGER of_commit AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION train_now();
INSERT INTO events VALUES ('one'), ('two');
SELECT what, count(*), bool_and(digest = whole) AS same FROM trained, alone GROUP BY what ORDER BY what;
-- one that fails takes its statement with it; the next one works
TRUNCATE trained;
ALTER TABLE orders RENAME COLUMN paid TO gone;
\set VERBOSITY sqlstate
INSERT INTO events VALUES ('three');
\set VERBOSITY default
ALTER TABLE orders RENAME COLUMN gone TO paid;
INSERT INTO events VALUES ('four');
SELECT what, count(*), bool_and(digest = whole) AS same FROM trained, alone GROUP BY what ORDER BY what;

-- a transaction that has written the rows that it trains on, and goes on writing
BEGIN;
DELETE FROM orders WHERE id > 25000;
SELECT digest() = part AS same FROM alone;
INSERT INTO trained SELECT 'written', digest();
CREATE TABLE copied AS TABLE orders;
SELECT digest(source => 'copied') = part AS same FROM alone;
SELECT digest = part AS same FROM trained, alone WHERE what = 'written';
ROLLBACK;
SELECT digest() = whole AS same FROM alone;

-- savepoints: rows written and taken back around a training
BEGIN;
SAVEPOINT before;
DELETE FROM orders WHERE id > 25000;
SELECT digest() = part AS same FROM alone;
SAVEPOINT inside;
SELECT digest('id / 0 = 1');
ROLLBACK TO inside;
SELECT digest() = part AS same FROM alone;
ROLLBACK TO before;
SELECT digest() = whole AS same FROM alone;
RELEASE before;
COMMIT;

-- exception blocks: a subtransaction that writes, trains, fails and is taken back
DO $$
DECLARE
	expected alone;
	inside text;
BEGIN
	SELECT * INTO expected FROM alone;
	BEGIN
		DELETE FROM orders WHERE id > 25000;
		inside := digest();
		PERFORM digest('id / (id - 9000) >= 0');
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE 'inside: %, after it: %', inside = expected.part, digest() = expected.whole;
	END;
	BEGIN
		DELETE FROM orders WHERE id > 25000;
		inside := digest();
	EXCEPTION WHEN OTHERS THEN
		RAISE NOTICE 'not reached';
	END;
	RAISE NOTICE 'kept: %', inside = expected.part AND digest() = expected.part;
	RAISE EXCEPTION 'back' USING ERRCODE = 'P0001';
EXCEPTION WHEN raise_exception THEN
	RAISE NOTICE 'all back: %', digest() = expected.whole;
END $$;

-- a table of this session; other kinds of transactions
CREATE TEMPORARY TABLE own AS TABLE orders;
SELECT digest(source => 'own') = whole AS same FROM alone;
BEGIN ISOLATION LEVEL SERIALIZABLE;
DELETE FROM orders WHERE id > 25000;
SELECT digest() = part AS same FROM alone;
ROLLBACK;
BEGIN READ ONLY;
SELECT digest() = whole AS same FROM alone;
COMMIT;

-- nothing of it is left
SELECT count(*) AS workers FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND leader_pid = pg_backend_pid();
SELECT count(*) AS trainings FROM grove.training_progress WHERE pid = pg_backend_pid();

DROP TABLE orders, alone, events, trained, own;
DROP FUNCTION digest(text, text);
DROP FUNCTION train_now();
