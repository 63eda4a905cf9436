#!/usr/bin/env bash
# clients.sh: the same predictions through drivers as through psql, as prepared
# statements with parameters: psycopg 3 (text and binary results) and JDBC.
#
# SKIP where a driver cannot be had: psycopg comes from PyPI, JDBC is Debian's
# libpostgresql-jdbc-java and needs a JDK of 17 or later.  JDBC speaks TCP only,
# so its bytes are carried from a port to the socket.  libpq's environment
# names the server.

set -u
cd "$(dirname "$0")/../.." || exit 1
PSQL=${PSQL:-psql}
CLIENTS=$PWD/test/clients
JDBC=${JDBC:-/usr/share/java/postgresql.jar}
. test/scripts/scratch_db.sh
. test/scripts/python_env.sh
work=$(mktemp -d) || exit 1
forward=
status=0
scratch_db grove_clients

clean_up()
{
	[ -z "$forward" ] || kill "$forward" 2>/dev/null
	drop_scratch_db
	rm -rf "$work"
}
trap clean_up EXIT

query()
{
	"$PSQL" -X -A -t -q -v ON_ERROR_STOP=1 "$@"
}

# compare NAME FILE: the same numbers as psql's, to the last bit
compare()
{
	if [ -s "$2" ] && python3 - "$work/expected" "$2" <<-'PY'; then
		import sys
		lists = [[float(line) for line in open(name)] for name in sys.argv[1:]]
		sys.exit(lists[0] != lists[1])
	PY
		echo "ok - $1"
	else
		echo "not ok - $1"
		diff "$work/expected" "$2" | head -n 10
		status=1
	fi
}

query <<-'SQL' || exit 1
	SET client_min_messages = warning;
	CREATE EXTENSION pg_grove;
	CREATE TABLE model AS
	SELECT grove.train('SELECT i % 23 AS pages, CASE WHEN i % 7 < 3 THEN ''mail'' ELSE ''search'' END AS source,
							   grove.u01(1, i) < (i % 23) / 30.0 AS bought FROM generate_series(1, 3000) AS i', 'bought') AS model;
SQL
query >"$work/expected" <<-'SQL' || exit 1
	SELECT p FROM model,
		generate_series(1, 20) AS pages,
		LATERAL (VALUES (1, grove.predict(model, pages, ('{mail,search,NULL}'::text[])[1 + pages % 3])),
						(2, grove.predict(model, jsonb_build_object('pages', pages, 'source', ('{mail,search,NULL}'::text[])[1 + pages % 3])))) AS v (n, p)
	ORDER BY pages, n;
SQL
query -c "SELECT encode(model, 'hex') FROM model" >"$work/model" || exit 1

if ! command -v python3 >/dev/null || ! python_env psycopg "$CLIENTS/psycopg.txt" >"$work/pip.log" 2>&1; then
	echo "ok - prepared statements of psycopg 3 # SKIP psycopg cannot be had"
else
	"$PYTHON_ENV/bin/python" -B "$CLIENTS/prepared.py" "$work/model" >"$work/psycopg"
	compare "prepared statements of psycopg 3, as values and as jsonb" "$work/psycopg"
fi

if [ ! -f "$JDBC" ] || ! command -v python3 >/dev/null || ! command -v javac >/dev/null || [ "$(javac -version 2>&1 | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -lt 17 ]; then
	echo "ok - prepared statements of JDBC # SKIP needs python3, libpostgresql-jdbc-java and a JDK of 17 or later"
else
	python3 -B "$CLIENTS/tcp_to_socket.py" "$PGHOST/.s.PGSQL.${PGPORT:-5432}" >"$work/port" &
	forward=$!
	for ((i = 0; i < 50; i++)); do
		[ -s "$work/port" ] && break
		sleep 0.1
	done
	javac -d "$work" "$CLIENTS/Prepared.java" &&
		java -cp "$work:$JDBC" Prepared "jdbc:postgresql://127.0.0.1:$(cat "$work/port")/$PGDATABASE?sslmode=disable" "$PGUSER" "$work/model" >"$work/jdbc"
	compare "prepared statements of JDBC, as values and as jsonb" "$work/jdbc"
fi
exit "$status"
