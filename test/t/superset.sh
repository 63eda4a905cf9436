#!/usr/bin/env bash
# superset.sh: predict() in a BI tool.  Apache Superset connects to the test's
# server, reads a scoring view as it reads any table, and draws charts of it,
# which a headless Chromium looks at.
#
#   test/t/superset.sh [SCREENSHOT.png]
#
# SKIP where Python's venv module, the packages of test/clients/superset.txt or
# a Chromium (as root tried by apt) cannot be had.  libpq's environment names the server.

set -u
cd "$(dirname "$0")/../.." || exit 1
PSQL=${PSQL:-psql}
CLIENTS=$PWD/test/clients
work=$(mktemp -d) || exit 1
screenshot=${1:-$work/superset.png}
server=
. test/scripts/scratch_db.sh
. test/scripts/python_env.sh

skip()
{
	echo "ok - predict() in a chart of Superset # SKIP $*"
	exit 0
}

clean_up()
{
	[ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null
	[ -z "${SCRATCH:-}" ] || drop_scratch_db
	rm -rf "$work"
}
trap clean_up EXIT

if ! command -v chromium >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null 2>&1
fi
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no Chromium"
python_env superset "$CLIENTS/superset.txt" >"$work/pip.log" 2>&1 || skip "$(tail -n 1 "$work/pip.log")"

scratch_db grove_superset
trap clean_up EXIT
"$PSQL" -X -q -v ON_ERROR_STOP=1 >"$work/expected.json" <<-'SQL' || exit 1
	\pset tuples_only on
	\pset format unaligned
	SET client_min_messages = warning;
	CREATE EXTENSION pg_grove;
	CREATE TABLE visits (id int PRIMARY KEY, pages int, source text, bought boolean);
	INSERT INTO visits
	SELECT i, 1 + floor(30 * grove.u01(1, i))::int, ('{mail,search,social,shop}'::text[])[1 + i % 4],
		   grove.u01(2, i) < grove.u01(1, i) * ('{0.7,0.2,0.1,0.4}'::float8[])[1 + i % 4]
	FROM generate_series(1, 8000) AS i;
	SELECT grove.save('propensity', grove.train('visits', 'bought', ignore => '{id}')) \g /dev/null
	SELECT grove.create_scoring_view('propensity', 'visits') \g /dev/null
	SELECT json_object_agg(source, score) FROM (
		SELECT source, avg(grove.predict('propensity', v)) AS score FROM visits AS v GROUP BY source) AS s;
SQL

export SUPERSET_HOME=$work/superset SUPERSET_CONFIG_PATH=$CLIENTS/superset_config.py FLASK_APP=superset
export GROVE_SUPERSET_KEY PYTHONWARNINGS=ignore PYTHONDONTWRITEBYTECODE=1
GROVE_SUPERSET_KEY=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
mkdir "$SUPERSET_HOME"
superset=$PYTHON_ENV/bin/superset
for step in "db upgrade" "fab create-admin --username grove --firstname g --lastname g --email g@localhost --password grove" init; do
	# shellcheck disable=SC2086
	"$superset" $step >"$work/log" 2>&1 || { tail -n 5 "$work/log"; echo "not ok - superset ${step%% *}"; exit 1; }
done
port=$("$PYTHON_ENV/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$superset" run -h 127.0.0.1 -p "$port" --with-threads >"$work/server.log" 2>&1 &
server=$!
for ((i = 0; i < 120; i++)); do
	"$PYTHON_ENV/bin/python" -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/health')" 2>/dev/null && break
	sleep 1
done

if ! "$PYTHON_ENV/bin/python" -B "$CLIENTS/superset_chart.py" "http://127.0.0.1:$port" \
	"postgresql://$PGUSER@/$PGDATABASE?host=$PGHOST&port=${PGPORT:-5432}" \
	"$work/expected.json" "$chromium" "$screenshot" 2>"$work/chart.log"; then
	tail -n 20 "$work/chart.log" "$work/server.log"
	echo "not ok - Superset: the charts can be made"
	exit 1
fi
