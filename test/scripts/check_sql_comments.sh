#!/usr/bin/env bash
# check_sql_comments.sh PSQL: the catalogue of a database with the extension.
#
# - every object of the extension has a comment;
# - the functions that are not parallel safe are those of the list below, each
#   for its reason;
# - an IMMUTABLE function takes no query text: one that reads tables is at most
#   STABLE;
# - README.md lists the functions that there are, and no others;
# - the extension can be dropped and created again, and leaves nothing behind.
#
# libpq's environment names the server.

set -u
cd "$(dirname "$0")/../.." || exit 1
PSQL=${1:?usage: check_sql_comments.sh PSQL}
. test/scripts/scratch_db.sh
scratch_db grove_catalogue
status=0

query()
{
	"$PSQL" -X -A -t -q -v ON_ERROR_STOP=1 "$@" || { echo "psql failed"; exit 1; }
}

expect_nothing()
{
	local what=$1 rows

	rows=$(query -c "$2") || exit 1
	if [ -n "$rows" ]; then
		printf '%s:\n' "$what"
		printf '%s\n' "$rows" | sed 's/^/  /'
		status=1
	fi
}

query -c 'CREATE EXTENSION pg_grove' || exit 1

# Toast tables, row types and the array types of types come with their owner.
expect_nothing "objects without a comment" "
	SELECT pg_describe_object(d.classid, d.objid, d.objsubid)
	FROM pg_depend AS d
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_grove')
	  AND obj_description(d.objid, d.classid::regclass::text::name) IS NULL
	  AND NOT (d.classid = 'pg_type'::regclass
			   AND EXISTS (SELECT FROM pg_type AS t WHERE t.oid = d.objid AND (t.typrelid <> 0 OR t.typelem <> 0)))
	ORDER BY 1"

# What runs a query of the caller: it can have parallel workers only where no
# parallel query is running already, which this label sees to.  And what writes.
unsafe='train|prune_train|retrain|prune|prune_plan|balance|shuffle|shuffle_stream|score|evaluate|permutation_importance|recommend|report'
unsafe="$unsafe|save|deploy|drop_model|grant_model|revoke_model|create_scoring_view"
expect_nothing "functions that are PARALLEL UNSAFE and not expected to be" "
	SELECT p.oid::regprocedure FROM pg_proc AS p
	WHERE p.pronamespace = 'grove'::regnamespace AND p.proparallel = 'u' AND p.proname !~ '^($unsafe)\$'
	ORDER BY 1"

expect_nothing "IMMUTABLE functions that read tables" "
	SELECT p.oid::regprocedure FROM pg_proc AS p
	WHERE p.pronamespace = 'grove'::regnamespace AND p.provolatile = 'i' AND 'source' = ANY (p.proargnames)
	ORDER BY 1"

# Support functions of types, aggregates and the table sample method are not
# for users; the rest is in the reference, and the reference has nothing else.
listed=$(sed -n '/^## Functions/,/^## Settings/p' README.md |
	grep -oE '`[^`]*`' | grep -oE '[a-z_0-9]+' | sort -u | tr '\n' ',')
expect_nothing "functions that README.md does not mention" "
	SELECT DISTINCT p.proname FROM pg_proc AS p
	WHERE p.pronamespace = 'grove'::regnamespace
	  AND NOT EXISTS (SELECT FROM pg_aggregate AS a
					  WHERE p.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn))
	  AND NOT EXISTS (SELECT FROM pg_type AS t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend))
	  AND p.proname <> ALL (string_to_array('$listed', ','))
	ORDER BY 1"
named=$(sed -n '/^## Functions/,/^## Settings/s/^| *\(`[^|]*\)|.*/\1/p' README.md |
	grep -oE '`[a-z_0-9]+[(`]' | tr -d '`(' | sort -u | grep -vxE 'random|stratified|inverse|negatives|weighted|surprise|gradient|noise|duplicates' | tr '\n' ',')
expect_nothing "functions in README.md that do not exist" "
	SELECT name FROM unnest(string_to_array(trim(',' FROM '$named'), ',')) AS name
	WHERE NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.pronamespace = 'grove'::regnamespace AND p.proname = name)"

query -c 'DROP EXTENSION pg_grove' || exit 1
expect_nothing "objects left by DROP EXTENSION" "
	SELECT proname FROM pg_proc WHERE probin LIKE '%pg_grove%'
	UNION ALL
	SELECT relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE nspname = 'grove'"
query -c 'CREATE EXTENSION pg_grove' || status=1

exit "$status"
