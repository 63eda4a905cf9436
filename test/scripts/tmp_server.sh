# tmp_server.sh: a private, throw-away PostgreSQL.
#
# Sourced after setup.sh.
#
#   server_start [line of postgresql.conf ...]
#   server_restart
#   server_stop
#   server_how_to_stop      the command that stops and deletes a kept server
#
# It has its own data directory below the scratch directory and listens on a
# unix socket there and nowhere else, so it meets no other server and no used
# port.  The socket's directory is closed to other users: the server trusts
# whoever reaches it, and that must not lend anybody the server's account.
# PostgreSQL refuses to run as root; as root it runs as "postgres", or as
# "nobody" where that user does not exist.
#
# SERVER_ENV may hold settings for the server's environment (an array).

SERVER_DIR=
SERVER_USER=
SERVER_ENV=()

as_server()
{
	if [ -n "$SERVER_USER" ]; then
		(cd "$SERVER_DIR" && runuser -u "$SERVER_USER" -- "$@")
	else
		(cd "$SERVER_DIR" && "$@")
	fi
}

server_start()
{
	local user locale line

	SERVER_DIR=$GROVE_WORK/server
	mkdir -m 700 "$SERVER_DIR" || return 1
	if [ "$(id -u)" -eq 0 ]; then
		for user in postgres nobody; do
			if id "$user" >/dev/null 2>&1; then
				SERVER_USER=$user
				break
			fi
		done
		[ -n "$SERVER_USER" ] || { say "no user \"postgres\" or \"nobody\" to run the server as"; return 1; }
		chown "$SERVER_USER" "$SERVER_DIR" || return 1
	fi

	locale=C
	if locale -a 2>/dev/null | grep -qix 'c\.utf-\?8'; then
		locale=C.UTF-8
	fi
	as_server "$PG_BINDIR/initdb" -D "$SERVER_DIR/data" -U postgres -A trust -E UTF8 --locale="$locale" \
		--no-sync >"$GROVE_WORK/initdb.log" 2>&1 || { cat "$GROVE_WORK/initdb.log"; return 1; }

	{
		printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$SERVER_DIR'" \
			"unix_socket_permissions = 0700" \
			"fsync = off" "synchronous_commit = off" "full_page_writes = off" \
			"shared_buffers = '128MB'" "maintenance_work_mem = '512MB'" "max_wal_size = '4GB'" \
			"max_worker_processes = 16" "max_parallel_workers = 8" \
			"timezone = 'UTC'" "log_timezone = 'UTC'" "lc_messages = 'C'"
		for line in "$@"; do
			printf '%s\n' "$line"
		done
	} | as_server tee -a "$SERVER_DIR/data/postgresql.conf" >/dev/null || return 1

	server_ctl start || return 1
	export PGHOST=$SERVER_DIR PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
}

server_ctl()
{
	as_server env "${SERVER_ENV[@]}" "$PG_BINDIR/pg_ctl" -D "$SERVER_DIR/data" -l "$SERVER_DIR/log" -t 120 -m fast -w "$1" \
		>/dev/null 2>&1 </dev/null || { as_server tail -n 50 "$SERVER_DIR/log"; return 1; }
}

server_restart()
{
	server_ctl stop && server_ctl start
}

server_stop()
{
	[ -n "$SERVER_DIR" ] && [ -z "${GROVE_KEEP:-}" ] || return 0
	if [ -f "$SERVER_DIR/data/postmaster.pid" ]; then
		as_server "$PG_BINDIR/pg_ctl" -D "$SERVER_DIR/data" -m fast -t 30 -w stop >/dev/null 2>&1 ||
			as_server "$PG_BINDIR/pg_ctl" -D "$SERVER_DIR/data" -m immediate -w stop >/dev/null 2>&1
	fi
	rm -rf "$SERVER_DIR"
	SERVER_DIR=
}

# Quoted for a shell; sudo only where the caller is not root already.
server_how_to_stop()
{
	local stop

	stop=$(printf '%q ' "$PG_BINDIR/pg_ctl" -D "$SERVER_DIR/data" -m fast stop)
	if [ -n "$SERVER_USER" ]; then
		stop="runuser -u $SERVER_USER -- $stop"
	fi
	printf '%s&& rm -rf %q\n' "$stop" "$GROVE_WORK"
}
