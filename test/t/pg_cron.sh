#!/usr/bin/env bash
# pg_cron.sh: the nightly retrain by the real pg_cron, in servers of its own
# that preload it: the job runs, its log is in cron.job_run_details, the new
# version serves; a retrain that fails leaves the old version serving.
#
# pg_cron runs a job over a connection of libpq, or in a background worker
# (cron.use_background_workers): here both, side by side, as it starts jobs
# once a minute.  In both the training has workers of its own.
#
# SKIP where pg_cron is not installed beside the server and cannot be by apt.
# The pg_ctl in PATH tells which server; the extension must
# be installed there.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
skip()
{
	echo "ok - retrain by pg_cron # SKIP $*"
	exit 0
}
bindir=$(dirname "$(command -v pg_ctl)") || skip "no pg_ctl in PATH"
config=$bindir/pg_config
[ -x "$config" ] || skip "no pg_config beside pg_ctl"
libdir=$("$config" --pkglibdir)
major=$("$config" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
if [ ! -e "$libdir/pg_cron.so" ]; then
	[ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null &&
		DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "postgresql-$major-cron" >/dev/null 2>&1
	[ -e "$libdir/pg_cron.so" ] || skip "pg_cron is not installed for PostgreSQL $major"
fi
[ -e "$libdir/pg_grove.so" ] || skip "pg_grove is not installed in $libdir"

. test/scripts/setup.sh
. test/scripts/tmp_server.sh
setup_begin
PG_BINDIR=$bindir

# wait_for QUERY: until it says t, two and a half minutes at most (pg_cron before 1.5 knows minutes only)
wait_for()
{
	local found i

	for ((i = 0; i < 150; i++)); do
		found=$(query -c "$1") || return
		[ "$found" = t ] && break
		sleep 1
	done
	printf '%s\n' "$found"
}

setup()
{
	query <<-'SQL'
		SET client_min_messages = warning;
		CREATE EXTENSION pg_cron;
		CREATE EXTENSION pg_grove;
		CREATE ROLE shop LOGIN;
		ALTER ROLE shop SET grove.min_parallel_cells = 0;
		ALTER ROLE shop SET grove.max_workers = 2;
		ALTER ROLE shop SET log_min_messages = debug1;
		GRANT USAGE ON SCHEMA cron TO shop;
		CREATE TABLE visits AS
		SELECT i AS id, i % 23 AS pages, i % 101 AS minutes, grove.u01(1, i) < (i % 23) / 30.0 AS bought FROM generate_series(1, 60000) AS i;
		CREATE TABLE broken AS TABLE visits;
		GRANT SELECT ON visits, broken TO shop;
		SET ROLE shop;
		SELECT grove.save(name, grove.train('visits', 'bought', '{"num_iterations": 50}', ignore => '{id}'), source => source, key => '{id}')
		FROM (VALUES ('works', 'public.visits'), ('fails', 'public.broken')) AS m (name, source) \g /dev/null
		RESET ROLE;
		DROP TABLE broken;
		SET ROLE shop;
		SELECT cron.schedule('nightly ' || name, '* * * * *', format('SELECT grove.retrain(%L, only_if_better => false)', name))
		FROM (VALUES ('works'), ('fails')) AS m (name) \g /dev/null
	SQL
}

# nightly HOW [SETTING ...]: all of it in a server with these settings
nightly()
{
	GROVE_WORK=$GROVE_WORK/${1// /_}
	mkdir -m 755 "$GROVE_WORK" || return
	trap server_stop EXIT
	server_start "shared_preload_libraries = 'pg_cron'" "cron.database_name = 'postgres'" "log_line_prefix = '%b: '" "${@:2}" ||
		{ echo "not ok - $1: a server with pg_cron starts"; return 1; }
	setup || { echo "not ok - $1: set-up"; return 1; }
	result "$1: pg_cron retrains and the new version serves" \
		"$(wait_for "SELECT EXISTS (SELECT FROM grove.models WHERE name = 'works' AND version >= 2 AND is_current)")"
	result "$1: its log tells so" \
		"$(wait_for "SELECT EXISTS (SELECT FROM cron.job_run_details WHERE command LIKE '%works%' AND status = 'succeeded')")"
	result "$1: a failing retrain is in the log with its reason" \
		"$(wait_for "SELECT EXISTS (SELECT FROM cron.job_run_details WHERE command LIKE '%fails%' AND status = 'failed' AND return_message LIKE '%broken%')")"
	result "$1: and leaves the old version serving" \
		"$(query -c "SELECT count(*) = 1 AND bool_and(version = 1 AND is_current) AND grove.predict('fails', 3, 50) IS NOT NULL FROM grove.models WHERE name = 'fails'")"
	[ "$status" -eq 0 ] || query -c 'SELECT status, return_message FROM cron.job_run_details ORDER BY runid' | tail -n 5
	result "$1: its training was shared with workers" \
		"$(grep -Eq "^$1: DEBUG: *training, workers: 2 wanted, 2 launched, [12] took [1-9]" "$SERVER_DIR/log" && echo t)" \
		"$(grep 'training, workers' "$SERVER_DIR/log" | tail -n 1)"
	query -c "SET ROLE shop" -c "SET grove.max_workers = 0" -c "SELECT grove.retrain('works', only_if_better => false)" >/dev/null
	result "$1: and gave what one process gives" \
		"$(query -c "SELECT count(*) >= 2 AND count(DISTINCT total) = 1
			FROM (SELECT version, sum(grove.predict(model, pages, minutes)) AS total
				FROM grove.models, visits WHERE name = 'works' AND version >= 2 GROUP BY version) AS v")"
	return "$status"
}

(nightly "client backend" "cron.host = '$GROVE_WORK/client_backend/server'") >"$GROVE_WORK/client" 2>&1 &
(nightly "pg_cron" "cron.use_background_workers = on") >"$GROVE_WORK/worker" 2>&1 || status=1
wait $! || status=1
cat "$GROVE_WORK/client" "$GROVE_WORK/worker"
exit "$status"
