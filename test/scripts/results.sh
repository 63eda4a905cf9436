# shellcheck shell=bash
# results.sh: how a script of test/t asks the server and says what it found.
# Sourced; PSQL names the program (default: psql), status is what to exit with.
#
#   query [option ...]              psql, bare values, the first error ends it
#   result NAME CONDITION [DETAIL]  the condition is t, or the test has failed
#   same NAME VALUE VALUE           both are there and equal
#   sqlstate STATEMENT [option ...] the SQLSTATE that it ends with, or what it answers
#   session_open [option ...]       one psql that stays, with its backend
#   session_ask STATEMENT           what it answers; "no answer" after a minute
#   session_close

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

same()
{
	result "$1" "$([ -n "$2" ] && [ "$2" = "$3" ] && echo t)" "'$2' and '$3'"
}

sqlstate()
{
	local statement=$1

	shift
	query -v VERBOSITY=sqlstate "$@" -c "$statement" 2>&1 | sed -n 's/^ERROR: *//;$p'
}

session_open()
{
	coproc SESSION { "$PSQL" -X -A -t -q "$@" 2>&1; }
}

# The mark comes from the server: what psql prints itself may stay in its buffer.
session_ask()
{
	local line answer=

	printf "%s;\nSELECT '--end';\n" "$1" >&"${SESSION[1]}"
	while IFS= read -r -t 60 line <&"${SESSION[0]}"; do
		[ "$line" != --end ] || { printf '%s\n' "$answer"; return; }
		answer=$answer${answer:+ }$line
	done
	printf 'no answer\n'
}

session_close()
{
	local pid=$SESSION_PID

	printf '\\q\n' >&"${SESSION[1]}"
	wait "$pid"
}
