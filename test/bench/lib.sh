# shellcheck shell=bash
# lib.sh: what the commands of this directory share.  Sourced, from anywhere.
#
#   bench_main script.py [--dsn CONNINFO] [option ...]
#
# builds the extension from this tree into a private copy of the server, starts
# that, runs the script against it, and removes everything again.  With --dsn
# (first) the caller's server is used as it is; the tables go into its schema
# grove_bench and stay there.
#
# Settings of the caller: those of test/scripts/setup.sh, and
# PG_GROVE_BENCH_VENV, the place of the Python environment.

BENCH_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$BENCH_DIR/../scripts/setup.sh"
. "$BENCH_DIR/../scripts/tmp_server.sh"

# A Python environment with the peers, made once for each list of requirements.
bench_python()
{
	local lists=("$BENCH_DIR/requirements.txt" "$BENCH_DIR/peers.txt") sum venv peer

	sum=$(cat "${lists[@]}" | cksum | cut -d' ' -f1)
	venv=${PG_GROVE_BENCH_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/pg_grove/bench-$sum}
	BENCH_PYTHON=$venv/bin/python
	[ -e "$venv/complete" ] && return 0
	say "Making the Python environment $venv"
	python3 -m venv "$venv" || complain "python3 with its venv module is needed (Debian: python3-venv)" || return
	"$venv/bin/pip" install -q --disable-pip-version-check -r "${lists[0]}" || return
	while IFS= read -r peer; do
		case $peer in
			'' | '#'*) continue ;;
		esac
		"$venv/bin/pip" install -q --disable-pip-version-check "$peer" </dev/null || say "not installed: $peer"
	done <"${lists[1]}"
	touch "$venv/complete"
}

bench_server()
{
	setup_packages && setup_build && setup_private_pg || return
	server_start "shared_buffers = '2GB'" "maintenance_work_mem = '2GB'" "work_mem = '256MB'" "max_wal_size = '8GB'" \
		"jit = off" "autovacuum = off" || return
	"$PG_BINDIR/psql" -qXc 'CREATE EXTENSION pg_grove' || say "Without the extension: only its rivals run"
	BENCH_DSN="host=$SERVER_DIR user=postgres dbname=postgres"
}

bench_main()
{
	local script=$BENCH_DIR/$1

	shift
	setup_begin
	bench_python || exit
	case ${1:-} in
		--help)
			"$BENCH_PYTHON" -B "$script" --help
			say "  --dsn CONNINFO       use this server; must be the first option"
			exit
			;;
		--dsn)
			BENCH_DSN=${2:-}
			shift 2 || exit
			;;
		*)
			bench_server || exit
			;;
	esac
	cd "$GROVE_ROOT" || exit
	run_waiting "$BENCH_PYTHON" -B "$script" --conninfo "$BENCH_DSN" "$@"
}
