#!/usr/bin/env bash
# memory_flat.sh: a backend that predicts and trains for long does not grow.
#
# In one backend: PREDICTIONS calls of predict(), each a statement of its own
# in a function's loop, and TRAININGS trainings, a model of each scored.  The
# resident memory afterwards is compared with that after a tenth of them.

set -u
cd "$(dirname "$0")/../.." || exit 1
PSQL=${PSQL:-psql}
PREDICTIONS=${PREDICTIONS:-10000}
TRAININGS=${TRAININGS:-200}
LIMIT_KB=${LIMIT_KB:-2048}
. test/scripts/scratch_db.sh
scratch_db grove_memory_flat

"$PSQL" -X -A -t -q -v ON_ERROR_STOP=1 <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION pg_grove;
	CREATE TABLE rows AS SELECT i % 97 AS a, 'l' || i % 11 AS b, i % 2 = 0 AS y FROM generate_series(1, 2000) AS i;
	CREATE TABLE models AS SELECT grove.train('SELECT a, b, y FROM rows', 'y') AS model;
	SET grove.max_workers = 0;
	CREATE FUNCTION resident() RETURNS integer LANGUAGE sql VOLATILE AS \$\$
		SELECT substring(pg_read_file('/proc/self/status', 0, 100000) FROM 'VmRSS:\s*(\d+)')::integer
	\$\$;
	-- memory before and after, once it has settled
	CREATE FUNCTION predict_many(times integer, OUT before integer, OUT after integer) LANGUAGE plpgsql AS \$\$
	BEGIN
		FOR n IN 1 .. times LOOP
			PERFORM grove.predict(model, n % 100, 'l' || n % 12) FROM models;
			IF n = times / 10 THEN
				before := resident();
			END IF;
		END LOOP;
		after := resident();
	END \$\$;
	CREATE PROCEDURE train_many(times integer, INOUT before integer, INOUT after integer) LANGUAGE plpgsql AS \$\$
	DECLARE
		trained bytea;
	BEGIN
		FOR n IN 1 .. times LOOP
			trained := grove.train('SELECT a, b, y FROM rows', 'y', '{"num_iterations": 20}', seed => n);
			PERFORM grove.predict(trained, a, b) FROM rows WHERE a < 10;
			COMMIT;
			IF n = times / 10 THEN
				before := resident();
			END IF;
		END LOOP;
		after := resident();
	END \$\$;
	SELECT before AS predict_before, after AS predict_after FROM predict_many($PREDICTIONS) \gset
	-- the cache of models would fill with the models of the trainings
	SET grove.model_cache_size = '1MB';
	CALL train_many($TRAININGS, NULL, NULL) \gset train_
	SELECT format('# %s: %s kB, then %s kB', what, before, after) || E'\n' ||
		CASE WHEN after - before <= $LIMIT_KB THEN 'ok' ELSE 'not ok' END || format(' - %s leave the memory of a backend as it was', what)
	FROM (VALUES ('$PREDICTIONS predictions', :predict_before, :predict_after), ('$TRAININGS trainings', :train_before, :train_after)) AS v (what, before, after);
SQL
