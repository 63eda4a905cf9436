#!/usr/bin/env bash
# faults.sh: what happens when things are taken away in the middle of the work.
#
# On a server of its own, which it may kill: at random moments of training
# (alone, with two workers, while rows are read), pruning, shuffling, sampling,
# prune_train, and of sessions that retrain, or save, deploy and drop versions
# without end, a query is cancelled, timed out, its backend terminated, or a
# worker, the leader or the postmaster killed with SIGKILL.  After each: the
# server is up or starts again, every stored version decodes and each name has
# one that is current, a model that nobody changes predicts what it did before,
# and what was cancelled ended within LIMIT_MS.  When the postmaster is gone,
# what trains ends by itself; no shared memory and no temporary file survives
# the start.  At the end: no process and no file of shared memory is left.
# Then resources: no workers, no free worker slots, no room for temporary
# files, little shared memory, little address space, and the memory of a
# training beside grove.max_memory.
#
#   FAULTS=500 test/t/faults.sh      more injections than the short run; SEED
#                                    makes a run repeat its choices

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
. test/scripts/tmp_server.sh

FAULTS=${FAULTS:-20}
LIMIT_MS=${LIMIT_MS:-1000}
RANDOM=${SEED:-1}
PG_BINDIR=$(dirname "$(command -v initdb || echo "$(pg_config --bindir)/initdb")")
export PATH=$PG_BINDIR:$PATH
GROVE_WORK=$(mktemp -d) && chmod 755 "$GROVE_WORK" || exit 1
declare -A count worst

say()
{
	printf '%s\n' "$*"
}

clean_up()
{
	server_stop
	if mountpoint -q "$GROVE_WORK/small" 2>/dev/null; then
		umount "$GROVE_WORK/small"
	fi
	rm -rf "$GROVE_WORK"
}
trap clean_up EXIT

setup()
{
	query <<-'SQL'
		CREATE EXTENSION pg_grove;
		CREATE TABLE rows AS
			SELECT i, i % 997 AS a, i % 101 AS b, i % 13 AS c, (i * 31) % 1009 + i % 7 > 500 AS y
			FROM generate_series(1, 50000::bigint) AS i;
		CREATE TABLE models AS SELECT grove.train('SELECT a, b, c, y FROM rows', 'y', '{"num_iterations": 20}') AS model;
		CREATE TABLE expected AS SELECT sum(grove.predict(model, a, b, c)) AS total FROM models, rows WHERE i <= 1000;
		SELECT grove.save(name, model, source => 'SELECT a, b, c, y FROM public.rows') FROM models, unnest('{served,retrained,saved}'::text[]) AS name \g /dev/null
		ANALYZE;

		-- changes of the registry without end, each committed
		CREATE PROCEDURE retrain_on() LANGUAGE plpgsql AS $$
		BEGIN
			LOOP
				PERFORM grove.retrain('retrained', only_if_better => false);
				COMMIT;
				PERFORM grove.drop_model(name, version) FROM grove.models WHERE name = 'retrained' AND NOT is_current;
				COMMIT;
			END LOOP;
		END $$;
		CREATE PROCEDURE save_on() LANGUAGE plpgsql AS $$
		DECLARE
			next int;
		BEGIN
			LOOP
				next := grove.save('saved', model, deploy => false) FROM models;
				COMMIT;
				PERFORM grove.deploy('saved', next);
				COMMIT;
				PERFORM grove.save('saved', model), grove.deploy('saved', next) FROM models;
				PERFORM grove.drop_model(name, version) FROM grove.models WHERE name = 'saved' AND NOT is_current;
				COMMIT;
			END LOOP;
		END $$;

		-- ends what a backend does; milliseconds until neither it nor a worker of it is busy, NULL after 30 s
		CREATE FUNCTION stop(target int, how text) RETURNS float8 LANGUAGE plpgsql AS $$
		DECLARE
			begins timestamptz := clock_timestamp();
			elapsed float8 := 0;
		BEGIN
			EXECUTE format('SELECT %I($1)', how) USING target;
			WHILE elapsed <= 30000 LOOP
				PERFORM pg_stat_clear_snapshot();
				elapsed := extract(epoch FROM clock_timestamp() - begins) * 1000;
				IF NOT EXISTS (SELECT FROM pg_stat_activity
							   WHERE (pid = target AND state = 'active') OR (leader_pid = target AND pid <> target)) THEN
					RETURN elapsed;
				END IF;
				PERFORM pg_sleep(0.002);
			END LOOP;
			RETURN NULL;
		END $$;
		CHECKPOINT;
	SQL
}

# The statements that are disturbed; each takes seconds at least.
long_statement()
{
	local endless="'{\"num_iterations\": 100000, \"num_leaves\": 255, \"learning_rate\": 0.001}'"
	local endless_rows="SELECT r.i * 10000 + n AS i FROM rows AS r, generate_series(1, 10000) AS n"
	local many="SELECT r.i * 1000 + n AS i, a, b, c, y FROM rows AS r, generate_series(1, 100) AS n"

	case $1 in
		train) echo "SET grove.max_workers = 0; SELECT grove.train('SELECT a, b, c, y FROM rows', 'y', $endless) IS NULL" ;;
		team) echo "SET grove.max_workers = 2; SET grove.min_parallel_cells = 0; SELECT grove.train('SELECT a, b, c, y FROM rows', 'y', $endless) IS NULL" ;;
		read) echo "SELECT grove.train('$many', 'y', $endless) IS NULL" ;;
		prune) echo "SELECT count(*) FROM grove.prune(NULL::rows, '$many', 0.5, key => '{i}')" ;;
		shuffle) echo "SELECT count(*) FROM grove.shuffle(NULL::rows, '$many', '{i}')" ;;
		prune_train) echo "SELECT count(*) FROM grove.prune_train('SELECT i, a, b, c, y FROM rows', 'y', '{i}', '{0.7,0.5,0.3}', 0.5, params => '{\"num_iterations\": 500}')" ;;
		retrain) echo "CALL retrain_on()" ;;
		save) echo "CALL save_on()" ;;
		sample) echo "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SELECT cardinality(grove.sample(q.i, 100000, 1)) FROM ($endless_rows) AS q" ;;
	esac
}

# The server answers again, the registry is whole, and what is stored still predicts the same, as bytes and by name.
check_server()
{
	local tries whole

	for tries in $(seq 600); do
		if [ "$(query -c 'SELECT 1' 2>/dev/null)" = 1 ]; then
			whole=$(query <<-'SQL' 2>&1
				SELECT sum(grove.predict(model, a, b, c)) = min(total) AND sum(grove.predict('served', a, b, c)) = min(total)
				FROM models, rows, expected WHERE i <= 1000;
				SELECT count(*) = 3 AND bool_and(good) FROM (
					SELECT count(*) FILTER (WHERE is_current) = 1 AND count(DISTINCT version) = count(*) AND
						bool_and(grove.describe(model) ->> 'task' = task AND grove.describe(model) -> 'rows' = to_jsonb(rows)
							AND grove.predict(model, 1, 2, 3) BETWEEN 0 AND 1) AS good
					FROM grove.models GROUP BY name) AS q;
			SQL
			)
			[ "$whole" = "t"$'\n'"t" ] || { say "# after it: $whole"; return 1; }
			return
		fi
		sleep 0.05
	done
	say "# after it: no answer"
	return 1
}

# Files of dynamic shared memory that came after the start, that no process has mapped, and that stay: another
# server may be making or removing one.
orphan_segments()
{
	local file suspects

	suspects=$(find /dev/shm -maxdepth 1 -name 'PostgreSQL.*' -user "${SERVER_USER:-$(id -un)}" -newer "$GROVE_WORK/began" 2>/dev/null)
	for file in $suspects; do
		! is_orphan "$file" || { sleep 1; ! is_orphan "$file" || echo "$file"; }
	done
}

is_orphan()
{
	! cat /proc/[0-9]*/maps 2>/dev/null | grep -qF "$1" && [ -e "$1" ]
}

# Out of /proc, since a small machine has no pgrep.  children_of PID: its children.
children_of()
{
	local file line state parent

	for file in /proc/[0-9]*/stat; do
		{ IFS= read -r line <"$file"; } 2>/dev/null || continue
		read -r state parent line <<<"${line##*) }"
		[ "$parent" != "$1" ] || basename "${file%/stat}"
	done
}

# The postmasters, and programs that start one, of the private server.
postmasters()
{
	local file words

	for file in /proc/[0-9]*/cmdline; do
		{ mapfile -d '' words <"$file"; } 2>/dev/null || continue
		[[ " ${words[*]} " != *" -D $SERVER_DIR/data "* ]] || basename "${file%/cmdline}"
	done
}

# Kills the postmaster.  What trains ends by itself; the other children go on with their queries until
# they are ended one by one, as a service manager would.
kill_postmaster()
{
	local what=$1 postmaster children child tries left alive=

	postmaster=$(head -n 1 "$SERVER_DIR/data/postmaster.pid")
	children=$(children_of "$postmaster")
	kill -9 "$postmaster" || return 1
	for tries in $(seq 200); do
		alive=
		for child in $children; do
			! kill -0 "$child" 2>/dev/null || alive="$alive $child"
		done
		[ -n "$alive" ] || break
		[ "$tries" -lt 40 ] || case $what in
			train | team | read | retrain | prune_train) ;;
			*) break ;;
		esac
		sleep 0.05
	done
	[ -z "$alive" ] || count[orphans]=$((${count[orphans]:-0} + 1))
	for child in $alive; do
		kill -9 "$child"
	done
	while [ -n "$(postmasters)" ] || { [ -n "$alive" ] && kill -0 $alive 2>/dev/null; }; do
		sleep 0.05
	done
	server_ctl start || return 1
	case $what in
		train | team | read | retrain | prune_train) [ -z "$alive" ] || { say "# $what goes on without a postmaster"; return 1; } ;;
	esac
	left=$(orphan_segments; as_server find "$SERVER_DIR/data/base" -path '*pgsql_tmp*' -type f)
	[ -z "$left" ] || { say "# $what: left after the start: $left"; return 1; }
}

# inject N: one fault at a random moment
inject()
{
	local whats=(train team read prune shuffle sample prune_train retrain save)
	local hows=(pg_cancel_backend pg_terminate_backend statement_timeout pg_cancel_backend kill_worker kill_leader kill_postmaster)
	local what=${whats[RANDOM % ${#whats[@]}]} how=${hows[RANDOM % ${#hows[@]}]} delay=$((RANDOM % 400 + 20)) before= pid= victim tries took session

	[ "$how" != statement_timeout ] || before="SET statement_timeout = $((delay + 20));"
	[ "$how" != kill_worker ] || { what=team; delay=$((delay + 200)); }
	PGAPPNAME=fault_$1 psql -X -q -c "$before" -c "$(long_statement "$what")" >"$GROVE_WORK/out" 2>&1 &
	session=$!
	count[$how]=$((${count[$how]:-0} + 1))
	count[$what]=$((${count[$what]:-0} + 1))
	for tries in $(seq 200); do
		pid=$(query -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'fault_$1' AND state = 'active' AND leader_pid IS NULL OR application_name = 'fault_$1' AND state = 'active' AND leader_pid = pid LIMIT 1")
		[ -z "$pid" ] || break
		kill -0 "$session" 2>/dev/null || break
	done
	case $how in
		pg_*)
			sleep "$(printf '0.%03d' "$delay")"
			took=$(query -c "SELECT ceil(stop($pid, '$how'))" 2>&1)
			[[ "$took" =~ ^[0-9]+$ ]] || { say "# $what $how: $took"; return 1; }
			[ "$took" -le "${worst[$how]:-0}" ] || worst[$how]=$took
			[ "$took" -le "$LIMIT_MS" ] || { say "# $what $how: $took ms"; return 1; }
			;;
		kill_postmaster)
			sleep "$(printf '0.%03d' "$delay")"
			kill_postmaster "$what" || { kill "$session" 2>/dev/null; wait "$session"; return 1; }
			;;
		kill_*)
			sleep "$(printf '0.%03d' "$delay")"
			victim=$pid
			[ "$how" = kill_leader ] || victim=$(query -c "SELECT coalesce((SELECT max(pid) FROM pg_stat_activity WHERE leader_pid = ${pid:-0} AND pid <> leader_pid), ${pid:-0})")
			kill -9 "$victim" || return 1
			;;
	esac
	wait "$session"
	case $how in
		pg_cancel_backend) grep -q 'canceling statement due to user request' "$GROVE_WORK/out" ;;
		statement_timeout) grep -q 'canceling statement due to statement timeout' "$GROVE_WORK/out" ;;
		pg_terminate_backend) grep -q 'terminating connection' "$GROVE_WORK/out" ;;
		*) grep -qE 'server closed the connection|terminating connection|SSL' "$GROVE_WORK/out" ;;
	esac || { say "# $what $how: $(head -2 "$GROVE_WORK/out")"; check_server; return 1; }
	check_server
}

faults()
{
	local i bad=0 left

	for ((i = 1; i <= FAULTS; i++)); do
		inject "$i" || { bad=$((bad + 1)); say "# injection $i"; }
	done
	for i in "${!count[@]}"; do
		say "# $i: ${count[$i]}${worst[$i]:+, answered after at most ${worst[$i]} ms}"
	done
	result "$FAULTS faults: errors as they should be, answers within $LIMIT_MS ms, the old model serves" "$([ "$bad" -eq 0 ] && echo t)" "$bad bad"
	left=$(query -c "SELECT count(*) FROM pg_stat_activity WHERE backend_type IN ('client backend', 'parallel worker') AND pid <> pg_backend_pid()")
	result "no backend and no worker is left" "$([ "$left" = 0 ] && echo t)" "$left"
	server_ctl stop
	left=$(postmasters)
	result "no process is left" "$([ -z "$left" ] && echo t)" "$left"
	left=$(orphan_segments)
	result "no shared memory is left" "$([ -z "$left" ] && echo t)" "$left"
	server_ctl start
}

# ------------------------------------------------------------------ resources

# trained SETTINGS: md5 of a model trained with workers wanted; errors as psql prints them
trained()
{
	query -v VERBOSITY=sqlstate -c "SET client_min_messages = warning" -c "SET grove.min_parallel_cells = 0" -c "SET grove.max_workers = 4" -c "$1" \
		-c "SELECT md5(grove.train('SELECT a, b, c, y FROM rows', 'y', '{\"num_iterations\": 30}'))" 2>&1
}

no_workers()
{
	local reference session

	reference=$(trained "SET grove.max_workers = 0")
	result "max_parallel_workers 0: the same model" "$([ "$(trained "SET max_parallel_workers = 0")" = "$reference" ] && echo t)"
	psql -X -q -c "SET max_parallel_workers = 16; $(long_statement team | sed 's/max_workers = 2/max_workers = 16/')" >/dev/null 2>&1 &
	session=$!
	sleep 1
	result "no free worker slot: the same model" "$([ "$(trained "SET max_parallel_workers = 16")" = "$reference" ] && echo t)"
	query -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'" >/dev/null
	wait "$session"
}

# fails SQLSTATE SETTINGS STATEMENT
fails()
{
	local out

	out=$(query -v VERBOSITY=sqlstate -c "$2" -c "$3" 2>&1)
	[ "$out" = "ERROR:  $1" ] && [ "$(query -c 'SELECT 1')" = 1 ] && echo t && return
	echo "$out" | tail -1 | cut -c 1-200
}

# The same with an error that the server may find in more than one way
fails_out_of_memory()
{
	local out

	out=$(query -v VERBOSITY=sqlstate -c "$1" -c "$2" 2>&1)
	{ [ "$out" = "ERROR:  53200" ] || [ "$out" = "ERROR:  54000" ]; } && [ "$(query -c 'SELECT 1')" = 1 ] && echo t && return
	echo "$out" | tail -1 | cut -c 1-200
}

no_disk()
{
	local what statement

	for what in prune shuffle; do
		statement=$(long_statement $what)
		result "temp_file_limit, $what" "$(fails 53400 "SET work_mem = '64kB'; SET temp_file_limit = '1MB'" "$statement")"
	done
	mkdir "$GROVE_WORK/small"
	if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=4m tmpfs "$GROVE_WORK/small" 2>/dev/null; then
		say "ok - disk full # SKIP cannot mount a small file system"
		return
	fi
	mkdir "$GROVE_WORK/small/space" && chown "${SERVER_USER:-root}" "$GROVE_WORK/small/space"
	query -c "CREATE TABLESPACE small LOCATION '$GROVE_WORK/small/space'" -c "GRANT CREATE ON TABLESPACE small TO PUBLIC"
	for what in prune shuffle; do
		result "disk full, $what" "$(fails 53100 "SET work_mem = '64kB'; SET temp_tablespaces = 'small'" "$(long_statement $what)")"
	done
	result "the full disk is empty again" "$([ "$(find "$GROVE_WORK/small" -type f -size +100k | wc -l)" = 0 ] && echo t)"
	query -c "DROP TABLESPACE small"
	umount "$GROVE_WORK/small"
}

little_shared_memory()
{
	local reference out

	if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
		say "ok - little shared memory # SKIP needs a mount name space"
		return
	fi
	reference=$(trained "SET grove.max_workers = 0")
	server_ctl stop
	cat >"$GROVE_WORK/start" <<-SH
		mount -t tmpfs -o size=64m,mode=1777 tmpfs /dev/shm
		cd "$SERVER_DIR" && exec runuser -u "$SERVER_USER" -- "$PG_BINDIR/pg_ctl" -D "$SERVER_DIR/data" -l "$SERVER_DIR/log" -w start
	SH
	unshare -m sh "$GROVE_WORK/start" >/dev/null 2>&1 </dev/null
	result "/dev/shm of 64 MB: the same model" "$([ "$(trained "SET client_min_messages = warning")" = "$reference" ] && echo t)"
	out=$(query -c "SET client_min_messages = notice" -c "SET grove.max_workers = 2" -c "SET grove.min_parallel_cells = 0" -c "SET grove.max_memory = '1GB'" \
		-c "SELECT grove.train('SELECT a, b, c, y FROM rows, generate_series(1, 60)', 'y', '{\"num_iterations\": 2}') IS NOT NULL" 2>&1)
	result "/dev/shm of 64 MB: a larger training goes on alone and says so" \
		"$(grep -q '^t$' <<<"$out" && grep -q 'runs without parallel workers' <<<"$out" && echo t)" "$out"
	server_ctl stop
	server_ctl start
}

little_address_space()
{
	server_ctl stop
	as_server bash -c "ulimit -v 700000; exec '$PG_BINDIR/pg_ctl' -D '$SERVER_DIR/data' -l '$SERVER_DIR/log' -w start" >/dev/null 2>&1 </dev/null
	result "out of memory, train" "$(fails_out_of_memory "SET grove.max_memory = '8GB'; SET grove.max_workers = 0" \
		"SELECT grove.train('SELECT a, b, c, y, i FROM rows, generate_series(1, 200)', 'y', '{\"num_iterations\": 2}') IS NULL")"
	result "out of memory, shuffle_stream" "$(fails_out_of_memory "SET grove.max_memory = '8GB'" \
		"SELECT count(*) FROM grove.shuffle_stream(NULL::rows, 'SELECT r.* FROM rows r, generate_series(1, 400)', 20000000)")"
	result "out of memory, sample" "$(fails_out_of_memory "SET max_parallel_workers_per_gather = 0" \
		"SELECT cardinality(grove.sample(r, 20000000, 1)) FROM rows r, generate_series(1, 400)")"
	server_ctl stop
	server_ctl start
}

# needed SOURCE PARAMS: the kB that the training says it needs, rounded up
needed()
{
	local limit

	# enough for the first reading, too little for the trainer
	for limit in 8MB 12MB 16MB 24MB 115MB; do
		query -c "SET grove.max_workers = 0" -c "SET grove.max_memory = '$limit'" -c "SELECT grove.train('$1', 'y', '$2') IS NULL" 2>&1 |
			sed -n 's/^ERROR: .*training needs \([0-9]*\) kB.*/\1/p'
	done | head -n 1 | awk '{ print $1 + 1 }'
}

# peak KB SOURCE PARAMS: "SQLSTATE kB", how the training ends when so much is allowed, and by
# how much the backend grows above what the source's query made of it alone
peak()
{
	local highest="substring(pg_read_file('/proc/self/status', 0, 100000) FROM 'VmHWM:\s*(\d+)')"

	query -v ON_ERROR_STOP=0 2>"$GROVE_WORK/errors" <<-SQL
		SET grove.max_workers = 0;
		SET max_parallel_workers_per_gather = 0;
		SET jit = off;
		SELECT grove.train('SELECT a, b, c, y FROM rows WHERE i <= 100', 'y') IS NULL \g /dev/null
		SELECT count(q) FROM ($2) AS q \g /dev/null
		SELECT $highest AS before \gset
		SET grove.max_memory = '$1kB';
		SELECT grove.train('$2', 'y', '$3') IS NULL \g /dev/null
		SELECT :'SQLSTATE', $highest::int - :before;
	SQL
}

# within KB SQLSTATE SOURCE PARAMS
within()
{
	local state grew

	IFS='|' read -r state grew <<<"$(peak "$1" "$3" "$4")"
	say "# ${1:-?} kB allowed, ${grew:-?} kB taken: $4 $3"
	result "a training that ends with $2 takes no more than grove.max_memory and 10 %" \
		"$([ "$state" = "$2" ] && [ "$grew" -le $(($1 + $1 / 10)) ] && echo t)" "$1 kB allowed, $grew kB taken, $state"
}

# team_within KB SOURCE PARAMS: the same for a training with two workers: what the backend grows by, with the memory
# that all of them map, and what each worker has for itself
team_within()
{
	local highest="substring(pg_read_file('/proc/self/status', 0, 100000) FROM 'VmHWM:\s*(\d+)')"
	local pids sum own=0 grew session

	query -v ON_ERROR_STOP=0 >"$GROVE_WORK/team" 2>&1 <<-SQL &
		SET application_name = 'team';
		SET max_parallel_workers_per_gather = 0;
		SET jit = off;
		SET grove.max_workers = 2;
		SET grove.min_parallel_cells = 0;
		SELECT grove.train('SELECT a, b, c, y FROM rows WHERE i <= 100', 'y') IS NULL \g /dev/null
		SELECT count(q) FROM ($2) AS q \g /dev/null
		SELECT $highest AS before \gset
		SET grove.max_memory = '$1kB';
		SELECT grove.train('$2', 'y', '$3') IS NULL \g /dev/null
		SELECT $highest::int - :before;
	SQL
	session=$!
	while kill -0 "$session" 2>/dev/null; do
		pids=$(query -c "SELECT string_agg(w.pid::text, ' ') FROM pg_stat_activity AS w JOIN pg_stat_activity AS l ON l.pid = w.leader_pid
			WHERE l.application_name = 'team' AND w.pid <> l.pid")
		sum=0
		for pid in $pids; do
			sum=$((sum + $(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null || echo 0)))
		done
		[ "$sum" -le "$own" ] || own=$sum
		sleep 0.05
	done
	wait "$session"
	grew=$(cat "$GROVE_WORK/team")
	say "# $1 kB allowed, ${grew:-?} kB taken and $own kB by the workers: $2"
	result "two workers: all together take no more than grove.max_memory and 10 %" \
		"$([[ "$grew" =~ ^[0-9]+$ ]] && [ "$own" -gt 0 ] && [ $((grew + own)) -le $(($1 + $1 / 10)) ] && echo t)" \
		"$1 kB allowed, $grew and $own kB taken"
}

memory_limit()
{
	local wide="SELECT r.*, a + b AS d, a + c AS e, b + c AS f, a - b AS g, a - c AS h, b - c AS k, i % 5 AS l, i % 77 AS m, i * 0.5 AS n FROM rows AS r, generate_series(1, TIMES)"
	local labels="SELECT (i * 20 + n)::text AS t, a, b, y FROM rows, generate_series(1, 20) AS n"
	local trees='{"num_iterations": 500, "num_leaves": 255, "min_data_in_leaf": 5}' few='{"num_iterations": 3}' source

	for source in "SELECT a, b, c, y FROM rows, generate_series(1, 20)" "${wide/TIMES/4}" "${wide/TIMES/40}"; do
		within "$(needed "$source" "$few")" 00000 "$source" "$few"
	done
	source="${wide/TIMES/20}"
	team_within $(($(needed "$source" "$few") + 2000)) "$source" '{"num_iterations": 60}'
	team_within $(($(needed "$source" "$few") + 60000)) "$source" '{"num_iterations": 60}'
	within 60000 54000 "$labels" "$few"
	within "$(needed "$labels" "$few")" 00000 "$labels" "$few"
	within 10000 54000 "SELECT a, b, c, y FROM rows" "$trees"
	within 17000 00000 "SELECT a, b, c, y FROM rows" "$trees"
}

server_start "max_worker_processes = 6" "log_min_messages = fatal" "restart_after_crash = on" || { say "not ok - a server of its own starts"; exit 1; }
touch "$GROVE_WORK/began"
setup || { say "not ok - set-up"; exit 1; }
faults
no_workers
no_disk
little_shared_memory
little_address_space
memory_limit
result "the server is still up" "$(query -c 'SELECT true')"
exit $status
