# shellcheck shell=bash
# results.sh: how a script of test/t asks the server and says what it found.
# Sourced; PSQL names the program (default: psql), status is what to exit with.
#
#   query [option ...]              psql, bare values, the first error ends it
#   result NAME CONDITION [DETAIL]  the condition is t, or the test has failed

PSQL=${PSQL:-psql}
status=0

query()
{
	"$PSQL" -X -A -t -q -v ON_ERROR_STOP=1 "$@"
}

result()
{
	if [ "$2" = t ]; then
		echo "ok - $1"
	else
		echo "not ok - $1: ${3:-$2}"
		status=1
	fi
}
