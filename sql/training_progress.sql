-- What training_progress shows, and to whom.  A function in the source looks
-- at it while the training reads; test/t/training_progress.sh looks from other sessions.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
DROP ROLE IF EXISTS regress_grove_other;
DROP ROLE IF EXISTS regress_grove_member;
DROP ROLE IF EXISTS regress_grove_monitor;
RESET client_min_messages;
\set SHOW_CONTEXT never
CREATE ROLE regress_grove_member;
DO $$ BEGIN EXECUTE format('GRANT %I TO regress_grove_member', session_user); END $$;
CREATE ROLE regress_grove_monitor IN ROLE pg_read_all_stats;
CREATE ROLE regress_grove_other;

-- nothing runs
SELECT count(*) FROM grove.training_progress WHERE pid = pg_backend_pid();
SELECT attname AS column_name, format_type(atttypid, atttypmod) AS type
FROM pg_attribute WHERE attrelid = 'grove.training_progress'::regclass AND attnum > 0 ORDER BY attnum;
SELECT has_table_privilege('regress_grove_other', 'grove.training_progress', 'SELECT') AS may_select,
	has_table_privilege('regress_grove_other', 'grove.training_progress', 'UPDATE') AS may_update;

-- the row of this session as the caller sees it
CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	p record;
BEGIN
	PERFORM pg_stat_clear_snapshot();
	SELECT * INTO p FROM grove.training_progress WHERE pid = pg_backend_pid();
	IF NOT FOUND THEN
		RETURN 'no row';
	END IF;
	RETURN format('%s, %s of %s rows, %s of %s rounds, loss %s, database and user %s, started %s', p.phase, p.rows_read,
		p.rows_total, p.rounds_done, p.rounds_total, p.validation_loss,
		p.datname = current_database() AND p.usename = session_user,
		p.started_at BETWEEN statement_timestamp() AND clock_timestamp());
END $$;

CREATE FUNCTION look_at(i bigint) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '%', look();
	RETURN 1;
END $$;
CREATE TABLE visits AS SELECT i, i % 7 AS a, i % 3 = 0 AS bought FROM generate_series(1, 140000::bigint) AS i;

SELECT grove.train('SELECT a, bought FROM visits WHERE CASE WHEN i IN (1, 70000, 140000) THEN look_at(i) = 1 ELSE true END',
	'bought', '{"num_iterations": 2}') IS NOT NULL AS trained;
SELECT look();

-- two readings, as single precision does not tell the values of b apart
SELECT grove.train('SELECT a, bought, 1e15 + i AS b FROM visits WHERE CASE WHEN i = 70000 THEN look_at(i) = 1 ELSE true END',
	'bought', '{"num_iterations": 2}') IS NOT NULL AS trained;

-- a training inside a training, and one that fails there, take the row over; the outer one takes it back
CREATE FUNCTION train_inside(i bigint) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'before: %', look();
	IF i = 1 THEN
		PERFORM grove.train('SELECT a, bought FROM visits WHERE i < 200 AND CASE WHEN i = 100 THEN look_at(i) = 1 ELSE true END',
			'bought', '{"num_iterations": 1}');
	ELSE
		BEGIN
			PERFORM grove.train('SELECT a, bought FROM visits WHERE i < 200 AND CASE WHEN i = 100 THEN 1 / (look_at(i) - 1) = 1 ELSE true END',
				'bought', '{"num_iterations": 1}');
		EXCEPTION WHEN division_by_zero THEN
			RAISE NOTICE 'failed';
		END;
	END IF;
	RAISE NOTICE 'after: %', look();
	RETURN 1;
END $$;
SELECT grove.train('SELECT a, bought FROM visits WHERE CASE WHEN i IN (1, 70000) THEN train_inside(i) = 1 WHEN i = 140000 THEN look_at(i) = 1 ELSE true END',
	'bought', '{"num_iterations": 2}') IS NOT NULL AS trained;

-- an error leaves no row, in its transaction and after it
DO $$
BEGIN
	PERFORM grove.train('SELECT a, 1 / (i - 70000) AS b, bought FROM visits', 'bought');
EXCEPTION WHEN division_by_zero THEN
	RAISE NOTICE 'failed: %', look();
END $$;
SELECT grove.train('SELECT a, 1 / (i - 70000) AS b, bought FROM visits', 'bought');
SELECT look();

-- members of the role that trains and monitors see everything, others that there is a training
CREATE FUNCTION look_as(role name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seen text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	SELECT format('pid %s, database %s, user %s, phase %s, started %s, rows %s, rounds %s of %s, loss %s',
		p.pid = pg_backend_pid(), p.datname = current_database(), p.usename = session_user, p.phase, p.started_at IS NOT NULL,
		p.rows_read, p.rounds_done, p.rounds_total, p.validation_loss)
	INTO seen FROM grove.training_progress AS p WHERE p.pid = pg_backend_pid();
	RESET ROLE;
	RETURN seen;
END $$;
CREATE FUNCTION look_as_all() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	role name;
BEGIN
	PERFORM pg_stat_clear_snapshot();
	FOREACH role IN ARRAY '{regress_grove_member,regress_grove_monitor,regress_grove_other}'::name[] LOOP
		RAISE NOTICE '%: %', role, look_as(role);
	END LOOP;
	RETURN 1;
END $$;
SELECT grove.train('SELECT a, bought FROM visits WHERE CASE WHEN i = 70000 THEN look_as_all() = 1 ELSE true END',
	'bought', '{"num_iterations": 2}') IS NOT NULL AS trained;

-- nothing is told when the server tracks no activities
SET track_activities = off;
SELECT grove.train('SELECT a, bought FROM visits WHERE CASE WHEN i = 70000 THEN look_at(i) = 1 ELSE true END',
	'bought', '{"num_iterations": 2}') IS NOT NULL AS trained;
RESET track_activities;

DROP TABLE visits;
DROP FUNCTION look(), look_at(bigint), train_inside(bigint), look_as(name), look_as_all();
DROP ROLE regress_grove_member, regress_grove_monitor, regress_grove_other;
