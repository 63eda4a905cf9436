#!/usr/bin/env bash
# run.sh: shows pg_grove at work, on a server of its own or on the caller's.

usage()
{
	cat <<'TXT'
usage: demo/run.sh [--keep] [--dsn CONNINFO] [--data FILE | --generated]

Installs what is missing, builds and installs pg_grove, starts a private
PostgreSQL, runs demo/demo.sql in it and removes the server again.

  --keep          leave the server and the demo's database; print how to reach
                  and how to remove them
  --dsn CONNINFO  use this server instead (a libpq connection string or URI);
                  the demo runs in a database of its own, which is dropped at
                  the end, and the server is neither started nor stopped
  --data FILE     the Online Shoppers data, as CSV or gzip; default
                  demo/data/online_shoppers.csv.gz, else
                  online_shoppers_intention.csv.gz in the directory that
                  PG_GROVE_DATA names (../shared/data), whichever exists;
                  else demo/data/fetch.sh downloads it from its publisher.
                  Without a network the demo generates shop sessions
  --generated     generate shop sessions in any case

Where PG_GROVE_DATA, or demo/data, also has online_retail_lines.csv.gz and
online_retail_products.csv.gz, the demo ends with real purchases.

PG_CONFIG in the environment chooses the PostgreSQL installation.
TXT
}

set -u

refuse()
{
	printf '%s\n' "demo/run.sh: $*" >&2
	exit 2
}

# An option without its value must not become another choice of server or data.
take_dsn()
{
	[ -n "$1" ] || refuse "--dsn needs a connection string"
	dsn=$1
}

take_data()
{
	[[ -f $1 && -r $1 ]] || refuse "cannot read the data \"$1\""
	data=$(realpath -- "$1") || exit 2
}

keep=
dsn=
data=
generated=
while [ "$#" -gt 0 ]; do
	case $1 in
		--keep) keep=yes ;;
		--dsn | --data)
			[ "$#" -ge 2 ] || { usage >&2; exit 2; }
			if [ "$1" = --dsn ]; then take_dsn "$2"; else take_data "$2"; fi
			shift
			;;
		--dsn=*) take_dsn "${1#*=}" ;;
		--data=*) take_data "${1#*=}" ;;
		--generated) generated=yes ;;
		-h | --help) usage; exit 0 ;;
		*) usage >&2; exit 2 ;;
	esac
	shift
done

cd "$(dirname "$0")/.." || exit 1
. test/scripts/setup.sh
. test/scripts/tmp_server.sh

lent=$(realpath -- "${PG_GROVE_DATA:-../shared/data}" 2>/dev/null)
retail=
for file in demo/data/online_shoppers.csv.gz "$lent/online_shoppers_intention.csv.gz"; do
	if [ -z "$data$generated" ] && [ -r "$file" ]; then
		data=$file
	fi
done
for directory in "$PWD/demo/data" "$lent"; do
	if [ -z "$retail$generated" ] && [ -r "$directory/online_retail_lines.csv.gz" ] && [ -r "$directory/online_retail_products.csv.gz" ]; then
		retail=$directory
	fi
done

if [ -n "$dsn" ]; then
	setup_begin keep_libpq
else
	setup_begin
fi
export PGCLIENTENCODING=UTF8

psql_on()
{
	"$PG_BINDIR/psql" -X -v ON_ERROR_STOP=1 -d "$dsn" "$@"
}

# The extension must be built for the major version of the caller's server.
match_server()
{
	local number major here

	number=$(psql_on -Atc 'SHOW server_version_num') || return
	major=$((number / 10000))
	here=$("$PG_CONFIG" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
	if [ "$here" != "$major" ]; then
		PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
		pg_complete "$PG_CONFIG" ||
			complain "the server is of version $major, no development files for it are here (package postgresql-server-dev-$major, or set PG_CONFIG)" || return
		PG_BINDIR=$("$PG_CONFIG" --bindir)
	fi
}

# A database of the demo's own where the role may create one, else a schema in
# the database that the connection string leads to.
scratch=
private=
at_exit()
{
	if [ -z "$keep" ] && [ -z "$private" ] && [ -n "$scratch" ]; then
		psql_on -qc "$scratch" </dev/null >/dev/null 2>&1 || complain "could not clean up: $scratch"
	fi
}

demo_database()
{
	local name=grove_demo_$$ extension

	database=

	if [ "$(psql_on -Atc 'SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user')" = t ]; then
		# The C locale exists everywhere and sorts the same everywhere.
		psql_on -qc "CREATE DATABASE $name TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'" || return
		scratch="DROP DATABASE $name WITH (FORCE)"
		database=$name
		connect=(-c "\\connect $name")
		where="database $name"
	else
		extension=$(psql_on -Atc "SELECT count(*) FROM pg_extension WHERE extname = 'pg_grove'") || return
		[ "$(psql_on -Atc "SELECT count(*) FROM pg_namespace WHERE nspname = 'shop'")" = 0 ] ||
			complain "the role may not create a database, and a schema \"shop\" exists already" || return
		scratch="DROP SCHEMA IF EXISTS shop CASCADE;"
		[ "$extension" = 1 ] || scratch="$scratch DROP EXTENSION IF EXISTS pg_grove"
		connect=()
		where="schema shop"
	fi
	[ "$(psql_on -Atc "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_grove'")" = 1 ] ||
		complain "the server does not see the files installed here: is it on another machine, or of another installation (PG_CONFIG)?"
}

run_demo()
{
	local source=generated with=()

	if [ -n "$data" ]; then
		source=real
		case $data in
			*.gz) gzip -dc -- "$data" ;;
			*) cat -- "$data" ;;
		esac >"$GROVE_WORK/sessions.csv" || return
	else
		: >"$GROVE_WORK/sessions.csv"
	fi
	if [ -n "$retail" ]; then
		export GROVE_RETAIL=$retail
		with=(-v retail=yes)
	fi
	run_waiting psql_on -q "${connect[@]}" -v sessions="$source" "${with[@]}" -f demo/demo.sql <"$GROVE_WORK/sessions.csv"
}

# GROVE_INSTALLED=1: the extension is installed already (the tests set it).
setup_packages || exit 1
if [ -z "$data$generated" ]; then
	say "Downloading the data"
	command -v curl >/dev/null 2>&1 || command -v python3 >/dev/null 2>&1 || command -v wget >/dev/null 2>&1 ||
		apt_install curl ca-certificates
	if demo/data/fetch.sh; then
		data=demo/data/online_shoppers.csv.gz
	else
		echo "Not to be had; the demo generates shop sessions."
	fi
fi
if [ -n "$dsn" ]; then
	match_server || exit 1
fi
if [ -z "${GROVE_INSTALLED:-}" ]; then
	setup_build || exit 1
	if [ -n "$dsn" ]; then
		setup_install required || exit 1
	else
		setup_install || exit 1
	fi
fi
if [ -z "$dsn" ]; then
	say "Starting a private PostgreSQL"
	server_start || exit 1
	dsn="host=$SERVER_DIR port=5432 user=postgres dbname=postgres"
	private=yes
fi
demo_database || exit 1
run_demo
status=$?

if [ -n "$keep" ]; then
	echo
	if [ -n "$private" ]; then
		GROVE_KEEP=yes
		echo "The server is still running.  To use it:"
		echo "  $(printf '%q ' "$PG_BINDIR/psql" -h "$SERVER_DIR" -p 5432 -U postgres -d "$database")"
		echo "To stop and remove it:"
		echo "  $(server_how_to_stop)"
	else
		echo "The demo's objects are still in $where.  To remove them:"
		echo "  $scratch"
	fi
fi
exit "$status"
