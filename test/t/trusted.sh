#!/usr/bin/env bash
# trusted.sh: a role that is no superuser installs the extension and uses it;
# another one sees nothing of its models until it is granted.
#
# libpq's environment names the server, a superuser there and psql.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
. test/scripts/scratch_db.sh
scratch_db grove_trusted
roles="grove_trusted_ann, grove_trusted_bob"

clean_up()
{
	drop_scratch_db
	query -d postgres -c 'SET client_min_messages = error' -c "DROP ROLE IF EXISTS $roles"
}
trap clean_up EXIT

# as ROLE STATEMENT: what it answers, or the SQLSTATE; the session is the role's, as after a login
as()
{
	sqlstate "$2" -c "SET SESSION AUTHORIZATION grove_trusted_$1"
}

query -d postgres -c 'SET client_min_messages = error' -c "DROP ROLE IF EXISTS $roles" || exit 1
query -c "CREATE ROLE grove_trusted_ann" -c "CREATE ROLE grove_trusted_bob" -c "GRANT CREATE ON DATABASE grove_trusted TO grove_trusted_ann" || exit 1

source="SELECT i % 10 AS x, i % 10 > 4 AS y FROM generate_series(1, 500) AS i"
same "no superuser is at work" "$(as ann "SHOW is_superuser")" off
same "without CREATE on the database it cannot be installed" "$(as bob "CREATE EXTENSION pg_grove")" 42501
same "a schema of that name from before is not taken" "$(as ann "CREATE SCHEMA grove; CREATE EXTENSION pg_grove")" 42P06
same "with CREATE it can" "$(as ann "CREATE EXTENSION pg_grove; SELECT extowner::regrole FROM pg_extension WHERE extname = 'pg_grove'")" grove_trusted_ann
same "the installer trains and saves" "$(as ann "SELECT grove.save('a', grove.train('$source', 'y'), source => '$source') + grove.save('a', grove.train('$source', 'y', '{\"num_iterations\": 9}'), deploy => false)")" 3
same "deploys" "$(as ann "SELECT grove.deploy('a', 2) IS NOT NULL; SELECT version FROM grove.models WHERE is_current" | tail -1)" 2
same "predicts" "$(as ann "SELECT grove.predict('a', 7) > 0.5 AND grove.predict('a', 3) < 0.5")" t
same "prunes and shuffles" "$(as ann "CREATE TEMPORARY TABLE pairs AS SELECT i FROM generate_series(1, 500) AS i; SELECT (SELECT count(*) BETWEEN 1 AND 499 FROM grove.prune(NULL::pairs, 'pairs', 0.5, key => '{i}')) AND (SELECT count(*) = 500 FROM grove.shuffle(NULL::pairs, 'pairs', '{i}'))")" t
same "retrains" "$(as ann "SELECT grove.deploy('a', 1); SELECT version FROM grove.retrain('a', false)" | tail -1)" 3

same "another role sees no row of it" "$(as bob "SELECT count(*) FROM grove.models")" 0
for call in "predict('a', 7)" "model('a')" "describe('a')" "drop_model('a')" "evaluate('a', '$source')"; do
	case $call in
		drop*) expected=42501 ;;
		*) expected=42704 ;;
	esac
	same "another role: ${call%%(*} ends with $expected" "$(as bob "SELECT grove.$call")" "$expected"
done
same "another role cannot save under the name" "$(as bob "SELECT grove.save('a', grove.train('$source', 'y'))")" 42501
as ann "SELECT grove.grant_model('a', 'grove_trusted_bob')" >/dev/null
same "granted, it predicts" "$(as bob "SELECT grove.predict('a', 7) > 0.5")" t
same "but does not deploy" "$(as bob "SELECT grove.deploy('a', 1)")" 42501
as ann "SELECT grove.revoke_model('a', 'grove_trusted_bob')" >/dev/null
same "revoked, it does not predict" "$(as bob "SELECT grove.predict('a', 7)")" 42704

same "other roles use the extension for themselves" "$(as bob "SELECT grove.save('b', grove.train('$source', 'y')); SELECT grove.predict('b', 7) > 0.5" | tail -1)" t
same "whose models the installer does not see" "$(as ann "SELECT string_agg(DISTINCT name, ',') FROM grove.models")" a
same "the installer cannot write into the table of models" "$(as ann "UPDATE grove.models SET owner = 'grove_trusted_ann'")" 42501
same "nor put anything beside the functions" "$(as ann "CREATE FUNCTION grove.predict(text, integer) RETURNS float8 LANGUAGE sql AS 'SELECT 1.0::float8'")" 42501
same "nor move the schema" "$(as ann "ALTER SCHEMA grove RENAME TO mine")" 42501
same "it can drop the extension, which leaves nothing" "$(as ann "DROP EXTENSION pg_grove; SELECT count(*) FROM pg_namespace WHERE nspname = 'grove'")" 0
exit "$status"
