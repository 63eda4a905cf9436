#!/usr/bin/env bash
# dump_restore.sh: saved models after pg_dump and pg_restore: the same versions,
# bytes, owners and readers, the same predictions, and a retrain that works.
#
# libpq's environment names the server; pg_dump and pg_restore come from PATH.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
. test/scripts/scratch_db.sh
work=$(mktemp -d) || exit 1
scratch_db grove_dumped
roles="grove_dump_ann, grove_dump_bob"

clean_up()
{
	drop_scratch_db
	query -d postgres -c 'SET client_min_messages = error' -c 'DROP DATABASE IF EXISTS grove_restored WITH (FORCE)' \
		-c "DROP ROLE IF EXISTS $roles"
	rm -rf "$work"
}
trap clean_up EXIT

query -d postgres -c 'SET client_min_messages = error' -c "DROP ROLE IF EXISTS $roles" || exit 1
query <<-'SQL' || exit 1
	SET client_min_messages = warning;
	CREATE ROLE grove_dump_ann;
	CREATE ROLE grove_dump_bob;
	CREATE EXTENSION pg_grove;
	CREATE TABLE visits AS
	SELECT i AS id, i % 23 AS pages, ('{mail,search}'::text[])[1 + i % 2] AS source, grove.u01(1, i) < (i % 23) / 30.0 AS bought
	FROM generate_series(1, 3000) AS i;
	GRANT SELECT ON visits TO PUBLIC;
	SET ROLE grove_dump_ann;
	DO $$ BEGIN
		FOR i IN 1..3 LOOP
			PERFORM grove.save('a ''quoted'' name', grove.train('visits', 'bought', jsonb_build_object('num_iterations', 20 * i), ignore => '{id}'),
							   source => 'public.visits', key => '{id}');
		END LOOP;
		PERFORM grove.deploy('a ''quoted'' name', 2);
		PERFORM grove.grant_model('a ''quoted'' name', 'grove_dump_bob');
	END $$;
SQL

what="SELECT md5(string_agg(m::text, chr(10) ORDER BY name, version)) FROM grove.models AS m"
scores="SET ROLE grove_dump_bob; SELECT md5(string_agg(grove.predict('a ''quoted'' name', v)::text, ',' ORDER BY id)) FROM visits AS v"
pg_dump -Fc -f "$work/dump" && query -d postgres -c 'CREATE DATABASE grove_restored TEMPLATE template0' &&
	pg_restore --exit-on-error -d grove_restored "$work/dump" || { echo "not ok - dump and restore"; exit 1; }
same "every version of the models comes back" "$(query -c "$what")" "$(query -d grove_restored -c "$what")"
same "a reader's predictions are the same" "$(query -c "$scores")" "$(query -d grove_restored -c "$scores")"
retrain="SET ROLE grove_dump_ann; SELECT version, deployed, round(new_value::numeric, 9) FROM grove.retrain('a ''quoted'' name', false)"
same "the restored query trains the same model" "$(query -c "$retrain")" "$(query -d grove_restored -c "$retrain")"
same "rows sampled by key are the same" \
	"$(query -c "SELECT md5(string_agg(id::text, ',' ORDER BY id)) FROM visits WHERE grove.keep(0.3, 7, id)")" \
	"$(query -d grove_restored -c "SELECT md5(string_agg(id::text, ',' ORDER BY id)) FROM visits WHERE grove.keep(0.3, 7, id)")"
exit "$status"
