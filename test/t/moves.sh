#!/usr/bin/env bash
# moves.sh: what happens around a backend that has models in its cache.
#
# The extension is dropped and created again by another session, by its own;
# the database is renamed, copied, and the copy changed.  DROP EXTENSION takes
# away every row of the catalogue that CREATE EXTENSION made.
#
# libpq's environment names the server.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
. test/scripts/scratch_db.sh
scratch_db grove_moves

clean_up()
{
	local database

	for database in grove_moves grove_moved grove_copied; do
		query -d postgres -c 'SET client_min_messages = error' -c "DROP DATABASE IF EXISTS $database WITH (FORCE)"
	done
}
trap clean_up EXIT

# Rows of each catalogue of the database; statistics come and go by themselves.
count_catalogues()
{
	query <<-'SQL'
		SELECT format('SELECT %L, count(*) FROM pg_catalog.%I', relname, relname)
		FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND NOT relisshared AND relname NOT LIKE 'pg_statistic%'
		ORDER BY relname \gexec
		SELECT 'pg_shdepend', count(*) FROM pg_shdepend WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database());
	SQL
}

# A model that says n, as SQL.
says()
{
	echo "grove.train('SELECT i AS x, $1 AS y FROM generate_series(1, 40) AS i', 'y', '{\"algorithm\": \"tree\"}', task => 'regression')"
}

# Saves that one, and answers nothing.
save()
{
	echo "DO \$do\$ BEGIN PERFORM grove.save('said', $(says "$1")); END \$do\$"
}

before=$(count_catalogues)
query -c "CREATE EXTENSION pg_grove" -c "$(save 1)" -c "DROP EXTENSION pg_grove" || exit 1
after=$(count_catalogues)
result "DROP EXTENSION leaves nothing in $(wc -l <<<"$before") catalogues" "$([ "$before" = "$after" ] && echo t)" \
	"$(diff <(echo "$before") <(echo "$after") | grep '^>' | tr '\n' ' ')"

query -c "CREATE EXTENSION pg_grove" -c "CREATE TABLE kept AS SELECT $(says 5) AS model" -c "$(save 1)" \
	-c "CREATE FUNCTION told() RETURNS float8 LANGUAGE plpgsql AS 'BEGIN RETURN grove.predict(''said'', 1); END'" || exit 1
session_open
session_ask "PREPARE by_name AS SELECT grove.predict('said', 1); PREPARE by_value AS SELECT grove.predict(model, 1) FROM kept" >/dev/null
all="EXECUTE by_name; EXECUTE by_value; SELECT told()"
same "a backend predicts by name, by value, in a function" "$(session_ask "$all")" "1 5 1"
query -c "DROP EXTENSION pg_grove" || exit 1
without=$(session_ask "$all")
result "without the extension it is told so" "$(grep -q 'schema "grove" does not exist' <<<"$without" && echo t)" "$without"
query -c "CREATE EXTENSION pg_grove" -c "$(save 2)" || exit 1
same "with the extension of another session it goes on" "$(session_ask "$all")" "2 5 2"
same "it drops and creates the extension itself" \
	"$(session_ask "DROP EXTENSION pg_grove; CREATE EXTENSION pg_grove; SELECT grove.save('said', $(says 3))")" 1
same "and goes on" "$(session_ask "$all")" "3 5 3"
same "also in the transaction that does so, rolled back" \
	"$(session_ask "BEGIN; DROP EXTENSION pg_grove; CREATE EXTENSION pg_grove; SELECT grove.save('said', $(says 4)); $all; ROLLBACK; $all")" "1 4 5 4 3 5 3"
session_close

same "the extension cannot be moved to another schema" "$(sqlstate "ALTER EXTENSION pg_grove SET SCHEMA public")" 0A000
everything="SELECT told() || ' ' || grove.predict(model, 1) || ' ' || (SELECT md5(string_agg(m::text, ',')) FROM grove.models AS m) FROM kept"
there=$(query -c "$everything")
query -d postgres -c "ALTER DATABASE grove_moves RENAME TO grove_moved" -c "CREATE DATABASE grove_copied TEMPLATE grove_moved" || exit 1
same "a renamed database is the same" "$(query -d grove_moved -c "$everything")" "$there"
same "a copied database is the same" "$(query -d grove_copied -c "$everything")" "$there"
query -d grove_copied -c "$(save 9)" || exit 1
same "the copy goes its own way" "$(query -d grove_copied -c "SELECT told()") $(query -d grove_moved -c "SELECT told()")" "9 3"
exit "$status"
