#!/usr/bin/env bash
# training_progress.sh: a training seen from other sessions, and stopped from
# there: what the view shows, how soon it ends, and that nothing is left.
#
# The training that is stopped would take hours.  It is stopped by
# pg_cancel_backend, pg_terminate_backend and statement_timeout, with one
# process and with two parallel workers, while it reads and while it grows
# trees; so is one that loses a worker to the first two.  Afterwards there is no row in the view, no worker and no file of its
# shared memory, and a session that is still there trains again.
#
# LIMIT_MS is how long an end may take.  libpq's environment names the server.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
LIMIT_MS=${LIMIT_MS:-1000}
. test/scripts/scratch_db.sh
scratch_db grove_progress
work=$(mktemp -d) || exit 1
roles="grove_progress_trainer, grove_progress_monitor, grove_progress_other"
session=

clean_up()
{
	[ -z "$session" ] || kill "$session" 2>/dev/null
	drop_scratch_db
	"$PSQL" -X -q -d postgres -c 'SET client_min_messages = error' -c "DROP ROLE IF EXISTS $roles"
	rm -rf "$work"
}
trap clean_up EXIT

setup()
{
	query -d postgres -c 'SET client_min_messages = error' -c "DROP ROLE IF EXISTS $roles" || return
	query <<-'SQL'
		SET client_min_messages = warning;
		CREATE EXTENSION pg_grove;
		CREATE ROLE grove_progress_trainer LOGIN;
		CREATE ROLE grove_progress_monitor LOGIN IN ROLE pg_read_all_stats;
		CREATE ROLE grove_progress_other LOGIN;
		CREATE SCHEMA progress;
		GRANT USAGE ON SCHEMA progress TO PUBLIC;
		SET search_path = progress;
		CREATE TABLE rows AS
			SELECT i, i % 997 AS a, i % 101 AS b, i % 13 AS c, (i * 31) % 1009 + i % 7 > 500 AS y, i % 10 = 0 AS held
			FROM generate_series(1, 100000::bigint) AS i;
		GRANT SELECT ON rows TO PUBLIC;

		-- waits until a condition on the view p holds; false after the limit
		CREATE FUNCTION wait_for(condition text, limit_ms float8 DEFAULT 30000) RETURNS boolean LANGUAGE plpgsql AS $$
		DECLARE
			ends timestamptz := clock_timestamp() + limit_ms * interval '1 ms';
			holds boolean;
		BEGIN
			LOOP
				PERFORM pg_stat_clear_snapshot();
				EXECUTE 'SELECT EXISTS (SELECT FROM grove.training_progress AS p WHERE datname = current_database() AND '
					|| condition || ')' INTO holds;
				IF holds THEN
					RETURN true;
				END IF;
				IF clock_timestamp() > ends THEN
					RETURN false;
				END IF;
				PERFORM pg_sleep(0.01);
			END LOOP;
		END $$;

		-- stops a training, or waits until its statement_timeout is over; milliseconds from then until neither its row
		-- nor a worker of it is left, NULL after the limit
		CREATE FUNCTION stop(leader int, how text, limit_ms float8) RETURNS float8 LANGUAGE plpgsql AS $$
		DECLARE
			begins timestamptz := clock_timestamp();
			elapsed float8 := 0;
		BEGIN
			IF how = 'statement_timeout' THEN
				SELECT query_start + interval '4 s' INTO STRICT begins FROM pg_stat_activity WHERE pid = leader;
				PERFORM pg_sleep_until(begins);
			ELSE
				EXECUTE format('SELECT %I($1)', how) USING leader;
			END IF;
			WHILE elapsed <= limit_ms LOOP
				PERFORM pg_stat_clear_snapshot();
				elapsed := extract(epoch FROM clock_timestamp() - begins) * 1000;
				IF NOT EXISTS (SELECT FROM grove.training_progress WHERE pid = leader AND started_at <= begins)
					AND NOT EXISTS (SELECT FROM pg_stat_activity
									WHERE leader_pid = leader AND pid <> leader AND backend_start <= begins) THEN
					RETURN elapsed;
				END IF;
				PERFORM pg_sleep(0.005);
			END LOOP;
			RETURN NULL;
		END $$;
	SQL
}

# A session of the trainer in the background; its output is in $work/out.
begin_session()
{
	PGOPTIONS="-c search_path=progress" query -U grove_progress_trainer -v ON_ERROR_STOP=0 <&0 >"$work/out" 2>&1 &
	session=$!
}

end_session()
{
	wait "$session"
	session=
}

# Something about the training, asked by a role
ask()
{
	query -U "$1" -c "SET search_path = progress" -c "$2"
}

# ---------------------------------------------------------------- what is seen

# A source that is read twice, since values of z are too close to each other to wait in single precision, and that
# sleeps in each reading so that nobody can miss it.
see_phases()
{
	begin_session <<-'SQL'
		SELECT grove.train('SELECT y, held, a, b, c, i, a + b AS d, a + c AS e, b + c AS f, a - b AS g, a - c AS h, i % 5 AS k, 1 + i * 1e-12::float8 AS z
				FROM (SELECT r.*, CASE WHEN r.i = 70000 AND n IN (1, 3) THEN pg_sleep(2) IS NULL END AS asleep
					FROM generate_series(1, 4) AS n, rows AS r) AS r WHERE asleep IS NOT true', 'y',
			'{"num_iterations": 100000, "num_leaves": 31}', validation => 'held') IS NOT NULL;
	SQL
	result "the first reading is seen" "$(ask grove_progress_trainer "
		SELECT wait_for('phase = ''first reading'' AND rows_read BETWEEN 1 AND 399999 AND rows_total IS NULL')")"
	result "it has the pid, role and start of its session" "$(ask grove_progress_trainer "
		SELECT wait_for('usename = current_user AND (pid, true) IN (SELECT pid, started_at BETWEEN query_start AND clock_timestamp() FROM pg_stat_activity)')")"
	result "rows are seen to grow" "$(ask grove_progress_trainer "
		SELECT wait_for('phase = ''first reading'' AND rows_read > 200000')")"
	result "the second reading is seen" "$(ask grove_progress_trainer "
		SELECT wait_for('phase = ''second reading'' AND rows_read BETWEEN 1 AND 399999 AND rows_total = 400000 AND rounds_done = 0')")"
	result "rounds and the validation loss are seen" "$(ask grove_progress_trainer "
		SELECT wait_for('phase = ''trees'' AND rounds_done > 0 AND rounds_total = 100000 AND validation_loss BETWEEN 0.01 AND 0.7')")"
	rounds=$(ask grove_progress_trainer "SELECT rounds_done FROM grove.training_progress WHERE datname = current_database()")
	result "rounds are seen to grow" "$(ask grove_progress_trainer "SELECT wait_for('rounds_done > ${rounds:-0}')")"
	result "a monitor sees them" "$(ask grove_progress_monitor "SELECT wait_for('rounds_done > 0', 1000)")"
	result "another role sees that there is a training, and no more" "$(ask grove_progress_other "
		SELECT pid IS NOT NULL AND usename = 'grove_progress_trainer' AND started_at IS NULL AND phase IS NULL
			AND rows_read IS NULL AND rows_total IS NULL AND rounds_done IS NULL AND rounds_total IS NULL AND validation_loss IS NULL
		FROM grove.training_progress WHERE datname = current_database()")"
	# however slow the machine, what was to be seen has been seen
	query -c "SELECT pg_cancel_backend(pid) FROM grove.training_progress WHERE datname = current_database()" >/dev/null
	end_session
}

see_folds()
{
	begin_session <<-'SQL'
		SELECT grove.train('SELECT y, a, b, c, i FROM rows', 'y',
			'{"algorithm": "tree", "num_leaves": 1000, "min_data_in_leaf": 5, "ccp_folds": 100, "max_seconds": 3}') IS NOT NULL;
		SELECT 'rows left: ' || count(*) FROM grove.training_progress;
	SQL
	result "folds are seen" "$(ask grove_progress_trainer "
		SELECT wait_for('phase = ''folds'' AND rounds_done BETWEEN 1 AND 100 AND rounds_total = 100')")"
	end_session
	result "nothing is left at the normal end" "$([ "$(cat "$work/out")" = "$(printf 't\nrows left: 0')" ] && echo t)" "$(cat "$work/out")"
}

# ------------------------------------------------------------------ how it ends

# Files of shared memory that are large enough to be a training's and that this backend has mapped.
segments()
{
	sed -n 's|.* \(/dev/shm/PostgreSQL\.[0-9]*\)\( (deleted)\)\?$|\1|p' "/proc/$1/maps" 2>/dev/null | sort -u |
		while IFS= read -r file; do
			find "$file" -size +3M 2>/dev/null
		done
}

# begin_long WORKERS PHASE [SETTING]: a session with a training that does not end; its pid is then in $pid
begin_long()
{
	local source="SELECT y, a, b, c, i FROM rows" condition="phase = ''trees'' AND rounds_done > 0"

	if [ "$2" = reading ]; then
		source="SELECT y, a, b, c, r.i FROM rows AS r, generate_series(1, 10000) AS n"
		condition="phase = ''first reading'' AND rows_read > 0"
	fi
	if [ "$1" -gt 0 ]; then
		condition="$condition AND (SELECT count(*) FROM pg_stat_activity AS w WHERE w.leader_pid = p.pid AND w.pid <> p.pid) = $1"
	fi
	begin_session <<-SQL
		SET grove.min_parallel_cells = 0;
		SET grove.max_workers = $1;
		SET max_parallel_workers_per_gather = 0;
		${3:-}
		SELECT grove.train('$source', 'y', '{"num_iterations": 100000, "num_leaves": 255, "learning_rate": 0.001}') IS NULL;
		SET statement_timeout = 0;
		SELECT 'rows left: ' || count(*) FROM grove.training_progress;
		SELECT 'trains again: ' || (grove.train('SELECT y, a, b, c, i FROM rows', 'y', '{"num_iterations": 2}') IS NOT NULL);
	SQL
	[ "$(ask grove_progress_trainer "SELECT wait_for('$condition')")" = t ] || return
	pid=$(ask grove_progress_trainer "SELECT pid FROM grove.training_progress WHERE datname = current_database()")
}

# Of a training that was stopped: no file of its shared memory is there any more.
check_memory()
{
	local name=$1 mapped=$2 readable=$3 file left=

	if [ -z "$mapped" ] && { [ "$readable" != t ] || [ "$(query -c 'SHOW dynamic_shared_memory_type')" != posix ]; }; then
		echo "ok - $name # SKIP it cannot be seen here"
		return
	fi
	for file in $mapped; do
		[ ! -e "$file" ] || left="$left $file"
	done
	result "$name" "$([ -n "$mapped" ] && [ -z "$left" ] && echo t)" "was: ${mapped:-none}, left: ${left:-none}"
}

# stop_by HOW WORKERS PHASE MESSAGE
stop_by()
{
	local how=$1 workers=$2 name="$1, $2 workers, $3" setting= mapped readable took

	[ "$how" != statement_timeout ] || setting="SET statement_timeout = '4s';"
	if ! begin_long "$workers" "$3" "$setting"; then
		result "$name: the training is seen" f "$(cat "$work/out")"
		kill "$session" 2>/dev/null
		end_session
		return
	fi
	mapped=$(segments "$pid")
	readable=$([ -r "/proc/$pid/maps" ] && echo t)
	took=$(query -c "SELECT round(progress.stop($pid, '$how', 30000))")
	end_session
	result "$name: it and its workers end within $LIMIT_MS ms" "$([ -n "$took" ] && [ "$took" -le "$LIMIT_MS" ] && echo t)" \
		"${took:-more than 30000} ms"
	result "$name: it says so" "$(grep -q "$4" "$work/out" && echo t)" "$(cat "$work/out")"
	if [ "$how" != pg_terminate_backend ]; then
		result "$name: its session goes on" \
			"$([ "$(grep -vE '^(ERROR|CONTEXT):' "$work/out")" = "$(printf 'rows left: 0\ntrains again: true')" ] && echo t)" \
			"$(cat "$work/out")"
	fi
	[ "$workers" -eq 0 ] || check_memory "$name: its shared memory is gone" "$mapped" "$readable"
}

# stop_worker HOW MESSAGE: one of the two workers is stopped, not the session that trains
stop_worker()
{
	local name="$1 of a worker" mapped readable

	if ! begin_long 2 trees; then
		result "$name: the training is seen" f "$(cat "$work/out")"
		kill "$session" 2>/dev/null
		end_session
		return
	fi
	mapped=$(segments "$pid")
	readable=$([ -r "/proc/$pid/maps" ] && echo t)
	result "$name: it is there to be stopped" \
		"$(query -c "SELECT $1(max(pid)) FROM pg_stat_activity WHERE leader_pid = $pid AND pid <> $pid")"
	end_session
	result "$name: the training ends and says why" "$(grep -q "$2" "$work/out" && echo t)" "$(cat "$work/out")"
	result "$name: its session goes on" \
		"$([ "$(grep -vE '^(ERROR|CONTEXT):' "$work/out")" = "$(printf 'rows left: 0\ntrains again: true')" ] && echo t)" \
		"$(cat "$work/out")"
	check_memory "$name: its shared memory is gone" "$mapped" "$readable"
}

setup || { echo "not ok - set-up"; exit 1; }
see_phases
see_folds
while read -r how message; do
	stop_by "$how" 0 reading "$message"
	stop_by "$how" 0 trees "$message"
	stop_by "$how" 2 trees "$message"
done <<-'EOT'
	pg_cancel_backend canceling statement due to user request
	pg_terminate_backend terminating connection due to administrator command
	statement_timeout canceling statement due to statement timeout
EOT
stop_worker pg_cancel_backend 'canceling statement due to user request'
stop_worker pg_terminate_backend 'terminating .* due to administrator command'
result "the server is still up" "$(query -c 'SELECT true')"
exit $status
