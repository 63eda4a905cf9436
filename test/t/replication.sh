#!/usr/bin/env bash
# replication.sh: predictions on a hot standby and on a logical subscriber.
#
# Three servers of its own: a primary, a standby that follows it by streaming,
# and a subscriber with a publication of grove.models.  Each version of the
# model says a number, so an answer tells the version; one session of each
# server stays the whole time, with plans and models in its cache.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
. test/scripts/tmp_server.sh
PG_BINDIR=$(dirname "$(command -v initdb || echo "$(pg_config --bindir)/initdb")")
export PATH=$PG_BINDIR:$PATH
work=$(mktemp -d) && chmod 755 "$work" || exit 1

say()
{
	printf '%s\n' "$*"
}

# at SERVER: it is the one that is asked
at()
{
	SERVER_DIR=$work/$1/server
	export PGHOST=$SERVER_DIR PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
}

clean_up()
{
	local server

	for server in subscriber standby primary; do
		at "$server"
		[ ! -d "$SERVER_DIR" ] || server_stop
	done
	rm -rf "$work"
}
trap clean_up EXIT

# begin SERVER [line of postgresql.conf ...]
begin()
{
	GROVE_WORK=$work/$1
	mkdir -m 755 "$GROVE_WORK" && shift && server_start "$@"
}

# The standby has what the primary has committed; asked of the standby afterwards.
follow()
{
	local lsn

	at primary
	lsn=$(query -c "SELECT pg_current_wal_insert_lsn()")
	at standby
	wait_for "SELECT pg_last_wal_replay_lsn() >= '$lsn'"
}

# wait_for CONDITION: until it is true, for a minute
wait_for()
{
	local tries

	for tries in $(seq 600); do
		[ "$(query -c "$1" 2>/dev/null)" != t ] || return 0
		sleep 0.1
	done
	say "# not within a minute: $1"
	return 1
}

# A model that says n, as SQL.
says()
{
	echo "grove.train('SELECT i AS x, $1 AS y FROM generate_series(1, 40) AS i', 'y', '{\"algorithm\": \"tree\"}', task => 'regression')"
}

changed()
{
	at primary
	query -c "$1" >/dev/null
}

told="EXECUTE by_name; SELECT told(); SELECT grove.predict('said', x) FROM generate_series(1, 2) AS x"

# -------------------------------------------------------------------- physical

begin primary "wal_level = logical" || { say "not ok - a server of its own starts"; exit 1; }
query <<-SQL || exit 1
	CREATE ROLE ann;
	CREATE ROLE bob;
	CREATE ROLE eve;
	CREATE EXTENSION pg_grove;
	GRANT CREATE ON SCHEMA public TO ann;
	CREATE TABLE numbers AS SELECT 1 AS x, 1 AS y;
	CREATE TABLE visits AS SELECT i AS id, i % 31 AS pages, i % 7 AS day, i % 31 > 12 AS bought FROM generate_series(1, 20000) AS i;
	GRANT SELECT ON numbers, visits TO PUBLIC;
	CREATE FUNCTION told() RETURNS float8 LANGUAGE plpgsql AS 'BEGIN RETURN grove.predict(''said'', 1); END';
	SET ROLE ann;
	SELECT grove.save('said', $(says 1), source => 'SELECT i AS x, n.y FROM public.numbers AS n, generate_series(1, 400) AS i') \g /dev/null
	SELECT grove.grant_model('said', 'bob') \g /dev/null
SQL
mkdir -m 755 "$work/standby" && mkdir -m 700 "$work/standby/server" || exit 1
[ -z "$SERVER_USER" ] || chown "$SERVER_USER" "$work/standby/server"
primary=$PGHOST
at standby
as_server "$PG_BINDIR/pg_basebackup" -h "$primary" -U postgres -D "$SERVER_DIR/data" -R -X stream -c fast --no-sync >"$work/basebackup" 2>&1 ||
	{ cat "$work/basebackup"; say "not ok - a base backup"; exit 1; }
echo "unix_socket_directories = '$SERVER_DIR'" | as_server tee -a "$SERVER_DIR/data/postgresql.conf" >/dev/null
server_ctl start || { say "not ok - the standby starts"; exit 1; }
result "the standby is one" "$(query -c "SELECT pg_is_in_recovery()")"
session_open
session_ask "PREPARE by_name AS SELECT grove.predict('said', 1)" >/dev/null
same "the standby predicts by name" "$(session_ask "$told")" "1 1 1 1"
for n in 2 3; do
	changed "SET ROLE ann; SELECT grove.save('said', $(says $n), source => 'SELECT i AS x, n.y FROM public.numbers AS n, generate_series(1, 400) AS i')"
	follow
	same "it follows version $n, with the same backend" "$(session_ask "$told")" "$n $n $n $n"
done
changed "SELECT grove.deploy('said', 1)"
follow
same "and a deployment of an older one" "$(session_ask "$told")" "1 1 1 1"
same "a transaction with a snapshot of its own stays with it" "$(session_ask "BEGIN ISOLATION LEVEL REPEATABLE READ; $told")" "1 1 1 1"
changed "UPDATE numbers SET y = 7; SET ROLE ann; SELECT grove.retrain('said', false)"
follow
same "while a model is trained again" "$(session_ask "$told; COMMIT")" "1 1 1 1"
same "and sees that one afterwards" "$(session_ask "$told")" "7 7 7 7"
changed "BEGIN; SELECT grove.save('said', $(says 8)); ROLLBACK; SELECT grove.drop_model('said', 2)"
follow
same "nothing of a transaction that was rolled back" "$(session_ask "$told")" "7 7 7 7"
same "roles are those of the primary" "$(query -c "SET ROLE bob; SELECT grove.predict('said', 1)") $(sqlstate "SELECT grove.predict('said', 1)" -c "SET ROLE eve")" "7 42704"

train="grove.train('visits', 'bought', '{\"num_iterations\": 5}', ignore => '{id}')"
for statement in \
	"SELECT md5($train)" \
	"SET grove.max_workers = 2; SET grove.min_parallel_cells = 0; SELECT md5($train)" \
	"SELECT md5(string_agg(p.kept::text, ',' ORDER BY p.kept)) FROM grove.prune(NULL::visits, 'visits', 0.3, key => '{id}') AS p" \
	"SELECT md5(string_agg(s.id::text, ',')) FROM grove.shuffle(NULL::visits, 'visits', '{id}') AS s" \
	"SELECT round(value::numeric, 9) FROM grove.evaluate($train, 'visits') LIMIT 1" \
	"SELECT string_agg(decision, ',' ORDER BY round) FROM grove.prune_train('visits', 'bought', '{id}', '{0.5}', 0.03, method => 'random', params => '{\"num_iterations\": 5}')"; do
	at primary
	there=$(query -c "$statement")
	at standby
	same "on the standby as on the primary: ${statement:0:60}" "$(query -c "$statement")" "$there"
done
for call in "save('new', model('said'))" "deploy('said', 1)" "drop_model('said')" "grant_model('said', 'eve')" "revoke_model('said', 'bob')" \
	"retrain('said')" "create_scoring_view('said', 'public.numbers')"; do
	same "on the standby, ${call%%(*} ends with 25006" "$(sqlstate "SELECT $call" -c "SET search_path = grove, pg_catalog")" 25006
done

server_ctl promote || { say "not ok - the standby is promoted"; exit 1; }
wait_for "SELECT NOT pg_is_in_recovery()"
same "promoted, the same backend goes on" "$(session_ask "$told")" "7 7 7 7"
session_ask "SET ROLE ann; SELECT grove.save('said', $(says 9)); RESET ROLE" >/dev/null
same "saves" "$(session_ask "$told")" "9 9 9 9"
same "and retrains" "$(session_ask "SET ROLE ann; SELECT deployed FROM grove.retrain('said', false); RESET ROLE; $told")" \
	"ERROR:  model \"said\" was saved without a source HINT:  Save it again with grove.save(..., source => ...). 9 9 9 9"
session_close

# --------------------------------------------------------------------- logical

changed "CREATE PUBLICATION models FOR TABLE grove.models"
begin subscriber "wal_retrieve_retry_interval = '200ms'" || { say "not ok - a third server starts"; exit 1; }
# roles of the same names with other OIDs
query <<-SQL || exit 1
	CREATE ROLE eve;
	CREATE ROLE carol;
	CREATE ROLE bob;
	CREATE ROLE ann;
	CREATE EXTENSION pg_grove;
	CREATE FUNCTION told() RETURNS float8 LANGUAGE plpgsql AS 'BEGIN RETURN grove.predict(''said'', 1); END';
	SET client_min_messages = warning;
	CREATE SUBSCRIPTION models CONNECTION 'host=$work/primary/server user=postgres dbname=postgres' PUBLICATION models;
SQL
wait_for "SELECT grove.predict('said', 1) = 7"
session_open
session_ask "PREPARE by_name AS SELECT grove.predict('said', 1)" >/dev/null
same "the subscriber predicts with the models that were there" "$(session_ask "$told")" "7 7 7 7"
for n in 2 3; do
	changed "SET ROLE ann; SELECT grove.save('said', $(says $n))"
	at subscriber
	wait_for "SELECT grove.predict('said', 1) = $n"
	same "it follows a version that says $n, with the same backend" "$(session_ask "$told")" "$n $n $n $n"
done
changed "SELECT grove.deploy('said', 1)"
at subscriber
wait_for "SELECT grove.predict('said', 1) = 1"
same "and a deployment" "$(session_ask "$told")" "1 1 1 1"
rows="SELECT md5(string_agg(m::text, ',' ORDER BY name, version)) FROM grove.models AS m"
at primary
there=$(query -c "$rows")
at subscriber
same "the rows are the same, roles by their names" "$(query -c "$rows")" "$there"
same "a reader of the primary reads here, others do not" \
	"$(query -c "SET ROLE bob; SELECT grove.predict('said', 1)") $(sqlstate "SELECT grove.predict('said', 1)" -c "SET ROLE eve")" "1 42704"
changed "CREATE ROLE late; SELECT grove.grant_model('said', 'late'); SELECT grove.deploy('said', 3)"
at subscriber
sleep 1
same "a role that is missing here stops the changes" "$(session_ask "$told")" "1 1 1 1"
query -c "CREATE ROLE late"
wait_for "SELECT grove.predict('said', 1) = 3"
same "which go on when it is there" "$(session_ask "$told") $(query -c "SET ROLE late; SELECT grove.predict('said', 1)")" "3 3 3 3 3"
same "names of its own are saved beside" "$(session_ask "SELECT grove.save('own', $(says 6)); SELECT grove.predict('own', 1)")" "1 6"
changed "SELECT grove.drop_model('said')"
at subscriber
wait_for "SELECT count(*) = 0 FROM grove.models WHERE name = 'said'"
same "a name that is dropped goes" "$(sqlstate "SELECT grove.predict('said', 1)") $(session_ask "SELECT grove.predict('own', 1)")" "42704 6"
session_close
query -c "SET client_min_messages = warning" -c "DROP SUBSCRIPTION models"
exit "$status"
