#!/usr/bin/env bash
# serving_concurrently.sh: clients that predict by name while other sessions
# save, deploy, retrain and drop models under them.
#
# Each version of a model says its own number, so a prediction tells which
# version it came from.  A client's statement asks twice for two rows: both
# answers must be of one version, and of one that was committed.  No statement
# of a client may fail.
#
#   SECONDS_LONG=300 CLIENTS=32 test/t/serving_concurrently.sh
#
# prints pgbench's latencies as well.  libpq's environment names the server.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
SECONDS_LONG=${SECONDS_LONG:-8}
CLIENTS=${CLIENTS:-32}
. test/scripts/scratch_db.sh
work=$(mktemp -d) || exit 1
scratch_db grove_serving
trap 'drop_scratch_db; rm -rf "$work"' EXIT

query <<-'SQL' || exit 1
	SET client_min_messages = warning;
	CREATE EXTENSION pg_grove;
	-- a model that says n
	CREATE FUNCTION constant(n int) RETURNS bytea LANGUAGE sql AS $$
		SELECT grove.train(format('SELECT i AS x, %s AS y FROM generate_series(1, 40) AS i', n), 'y', '{"algorithm": "tree"}', task => 'regression') $$;
	CREATE TABLE constants AS SELECT n, constant(n) AS model FROM generate_series(1, 50) AS n;
	SELECT grove.save('served', model, source => 'SELECT i AS x, 1 AS y FROM generate_series(1, 400) AS i') FROM constants WHERE n = 1 \g /dev/null
SQL
cat >"$work/predict.sql" <<-'SQL'
	\set x random(1, 40)
	SELECT 1 / (a = b AND a = grove.predict(m.model, 1))::int
	FROM (SELECT grove.predict('served', :x) AS a, grove.predict('served', 41 - :x) AS b) AS p,
	     (SELECT model FROM grove.models WHERE name = 'served' AND is_current) AS m;
SQL
cat >"$work/predict_plpgsql.sql" <<-'SQL'
	DO $$
	DECLARE a float8; b float8; told float8;
	BEGIN
		FOR i IN 1..5 LOOP
			SELECT grove.predict('served', i), grove.predict('served', 41 - i), grove.predict(model, 1) INTO a, b, told
			FROM grove.models WHERE name = 'served' AND is_current;
			IF a <> b OR a <> told THEN
				RAISE 'torn: %, %, %', a, b, told;
			END IF;
			a := grove.predict('served', i);
		END LOOP;
	END $$;
SQL
# saving and deploying must not fail either; a version that was dropped meanwhile is looked for before it is deployed
cat >"$work/change.sql" <<-'SQL'
	\set n random(1, 50)
	SELECT grove.save('served', model) FROM constants WHERE n = :n;
	SELECT grove.save(format('other %s', :n), model) FROM constants WHERE n = :n;
	BEGIN;
	SELECT grove.save('served', model, deploy => false) AS v FROM constants WHERE n = :n \gset
	SELECT grove.deploy('served', :v);
	SELECT grove.drop_model('served', min(version)) FROM grove.models WHERE name = 'served' HAVING min(version) < :v;
	COMMIT;
	SELECT grove.drop_model(format('other %s', :n));
	SELECT grove.save('served', grove.model('served'), source => 'SELECT i AS x, 1 AS y FROM generate_series(1, 400) AS i');
	SELECT version FROM grove.retrain('served', false);
	BEGIN;
	SELECT grove.save('served', model) FROM constants WHERE n = :n;
	ROLLBACK;
SQL

pgbench -n -T "$SECONDS_LONG" -c 1 -f "$work/change.sql" >"$work/change" 2>&1 &
changing=$!
pgbench -n -T "$SECONDS_LONG" -c "$CLIENTS" -j 2 -f "$work/predict.sql@10" -f "$work/predict_plpgsql.sql@1" >"$work/predict" 2>&1
predicting=$?
wait "$changing"
changed=$?
grep -E 'latency|tps|number of (clients|transactions actually|failed)' "$work/predict" | sed 's/^/# /'
grep -E 'number of transactions actually' "$work/change" | sed 's/^/# changes: /'
[ "$predicting" -eq 0 ] && ! grep -qE 'ERROR|aborted' "$work/predict" && found=t || found=$(grep -E 'ERROR|aborted' "$work/predict" | head -n 3)
result "predictions by name never fail and are never torn while the model changes" "${found:-pgbench ended with status $predicting}"
[ "$changed" -eq 0 ] && ! grep -qE 'ERROR|aborted' "$work/change" && found=t || found=$(grep -E 'ERROR|aborted' "$work/change" | head -n 3)
result "nor does saving, deploying, dropping and retraining" "${found:-pgbench ended with status $changed}"
result "one version is current" "$(query -c "SELECT count(*) = 1 FROM grove.models WHERE name = 'served' AND is_current")"
exit "$status"
