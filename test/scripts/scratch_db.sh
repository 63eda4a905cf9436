# scratch_db.sh: a database for one check, on the server that libpq's
# environment leads to.  Sourced; PSQL names the program.
#
#   scratch_db NAME     creates it and makes it the default; dropped at exit

scratch_db()
{
	SCRATCH=$1
	drop_scratch_db
	"$PSQL" -X -q -v ON_ERROR_STOP=1 -d postgres \
		-c "CREATE DATABASE $SCRATCH TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'" || exit 1
	trap drop_scratch_db EXIT
	export PGDATABASE=$SCRATCH
}

drop_scratch_db()
{
	"$PSQL" -X -q -d postgres -c 'SET client_min_messages = error' -c "DROP DATABASE IF EXISTS $SCRATCH WITH (FORCE)"
}
