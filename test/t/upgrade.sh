#!/usr/bin/env bash
# upgrade.sh: ALTER EXTENSION UPDATE leads to what CREATE EXTENSION makes.
#
# In a private copy of the server, which can be given more scripts.  Each way
# to the current version must end in the same lines of extension_catalogue.sql
# as a fresh install, and leave a saved model as it was.  The ways start at
#
#   0.0.9   made here: the install script without its last part, and that part as the upgrade
#   0.0.8   the same with an upgrade that does nothing, which has to be found out
#   each released version in sql/upgrade

set -u
cd "$(dirname "$0")/../.." || exit 1
PG_CONFIG=$(dirname "$(command -v initdb || echo "${PG_CONFIG:-$(command -v pg_config)}")")/pg_config
[ -x "$PG_CONFIG" ] || PG_CONFIG=$(command -v pg_config)
. test/scripts/setup.sh
. test/scripts/tmp_server.sh
. test/scripts/results.sh
setup_begin
private_pg || { echo "not ok - a private copy of the server"; exit 1; }
PATH=$PG_BINDIR:$PATH
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" pg_grove.control)
sql_parts=$(sed -n 's/^SQL_PARTS *= *//p' Makefile)
last=${sql_parts##* }

# script NAME PART ...: the parts as a script of the extension
script()
{
	local name=$1 part

	shift
	echo '\echo This file is read by CREATE or ALTER EXTENSION. \quit' >"$PRIVATE_EXTDIR/pg_grove--$name.sql"
	for part in "$@"; do
		cat "sql/install/$part.sql" >>"$PRIVATE_EXTDIR/pg_grove--$name.sql"
	done
}

# catalogue DATABASE: its lines, in a file of its name
catalogue()
{
	query -d "$1" -f test/scripts/extension_catalogue.sql >"$GROVE_WORK/$1" 2>&1
}

# upgraded VERSION: a database that came from it, with a model of that time
upgraded()
{
	query -c "CREATE DATABASE \"from_$1\"" &&
		query -d "from_$1" -c "CREATE EXTENSION pg_grove VERSION '$1'" \
			-c "DO \$\$ BEGIN PERFORM grove.save('m', grove.train('SELECT i AS x, i % 7 AS y FROM generate_series(1, 500) AS i', 'y')); END \$\$" \
			-c "CREATE TABLE kept AS SELECT (SELECT md5(m::text) FROM grove.models AS m) AS models, grove.predict('m', 5) AS prediction" \
			-c "ALTER EXTENSION pg_grove UPDATE" && catalogue "from_$1"
}

# shellcheck disable=SC2086
{
	script 0.0.9 ${sql_parts% *}
	script 0.0.8 ${sql_parts% *}
	script "0.0.9--$version"
	# what an upgrade script has to say itself, since only the first part of an install script says it
	echo 'SET LOCAL search_path = grove, pg_temp;' >>"$PRIVATE_EXTDIR/pg_grove--0.0.9--$version.sql"
	cat "sql/install/$last.sql" >>"$PRIVATE_EXTDIR/pg_grove--0.0.9--$version.sql"
	script "0.0.8--$version"
}
server_start || { echo "not ok - a server of its own starts"; exit 1; }
query -c "CREATE DATABASE fresh" && query -d fresh -c "CREATE EXTENSION pg_grove" && catalogue fresh
result "a fresh install is described" "$([ "$(grep -c '^function' "$GROVE_WORK/fresh")" -gt 100 ] && echo t)" "$(head -3 "$GROVE_WORK/fresh")"
upgraded 0.0.8
result "an upgrade that forgets the part \"$last\" is found out" "$(diff "$GROVE_WORK/fresh" "$GROVE_WORK/from_0.0.8" | grep -q '^< function' && echo t)"
for from in 0.0.9 $(find sql/upgrade -name 'pg_grove--*.sql' 2>/dev/null | sed -n 's/.*pg_grove--\([^-]*\)\.sql$/\1/p' | sort -V); do
	upgraded "$from"
	result "from $from: the same catalogue as a fresh install" "$(cmp -s "$GROVE_WORK/fresh" "$GROVE_WORK/from_$from" && echo t)" \
		"$(diff "$GROVE_WORK/fresh" "$GROVE_WORK/from_$from" | cut -c 1-200 | head -5)"
	result "from $from: a saved model is as it was" \
		"$(query -d "from_$from" -c "SELECT models = (SELECT md5(m::text) FROM grove.models AS m) AND prediction = grove.predict('m', 5) FROM kept" 2>&1)"
done
exit "$status"
