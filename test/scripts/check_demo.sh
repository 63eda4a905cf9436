#!/usr/bin/env bash
# check_demo.sh PSQL: demo/run.sh on a server that is there (--dsn), as a role
# that may create no database, and on servers of its own: what it prints, what
# it keeps, and that nothing else of it stays.  One line a check is printed.
#
# libpq's environment names the server; the extension is installed.  Real data
# is taken where demo/run.sh finds it, but not downloaded.

set -u
cd "$(dirname "$0")/../.." || exit 1
PSQL=${1:?usage: check_demo.sh PSQL}
server="host=$PGHOST port=$PGPORT"
work=$(mktemp -d "${GROVE_TMP:-/tmp}/demo.XXXXXX") || exit 1
guest=grove_demo_guest
drop=
stop=
failed=0

postgres()
{
	"$PSQL" -X -A -t -q -v ON_ERROR_STOP=1 -d postgres -c 'SET client_min_messages = error' "$@"
}

drop_guest()
{
	postgres -c "DROP DATABASE IF EXISTS $guest WITH (FORCE)" -c "DROP ROLE IF EXISTS $guest"
}

at_end()
{
	[ -z "$drop" ] || postgres -c "$drop"
	drop_guest
	[ -z "$stop" ] || eval "$stop" >/dev/null
	rm -rf "$work"
}
trap at_end EXIT

# verdict NAME STATUS
verdict()
{
	if [ "$2" -eq 0 ]; then
		echo "ok - demo: $1"
	else
		echo "not ok - demo: $1"
		failed=1
	fi
}

# demo LOG OPTION ...: runs it with its output in $work/LOG, which is printed if it fails.
demo()
{
	local log=$work/$1

	shift
	demo/run.sh "$@" </dev/null >"$log" 2>&1 || { cat "$log"; return 1; }
}

# refused WORD OPTION ...: the options end it at once, with status 2 and a message that has the word.
refused()
{
	local word=$1 said status

	shift
	said=$(GROVE_INSTALLED=1 timeout 20 demo/run.sh "$@" 2>&1 </dev/null)
	status=$?
	[ "$status" -eq 2 ] && [[ $said == *"$word"* ]]
	verdict "refuses $*" "$?"
}

# lines LOG FROM PATTERN: lines with the pattern from the first one that begins with FROM up to the next step.
lines()
{
	awk -v from="$2" 'index($0, "== ") == 1 { on = 0 } index($0, from) == 1 { on = 1 } on' "$work/$1" | grep -cE -- "$3"
}

# printed NAME NUMBER LOG FROM PATTERN
printed()
{
	local found

	found=$(lines "$3" "$4" "$5")
	if [ "$found" -eq "$2" ]; then
		echo "ok - demo, $3: $1"
	else
		echo "not ok - demo, $3: $1: $found lines, not $2"
		failed=1
	fi
}

# A cell of psql's, of 0 or more characters
C='[^|]*'
complete()
{
	printed "the curve has all shares" 8 "$1" "The same over" "^ (everything|pruned|keep 0[.0-9]+) +\|$C\|$C\|$C\|$C\|$C\|$C\|$C\| #+"
	printed "ten sessions are predicted" 10 "$1" "== 8. " "^ +[0-9]+ \|$C\|$C\|$C\| +[01]\.[0-9]{3} \| [tf]"
	printed "eight features have an importance" 8 "$1" "== 9. " "^ [a-z_]+ +\| +[0-9.]+ \| +[0-9]+"
	printed "pg_cron's line is there" 1 "$1" "== 10. " "^SELECT cron\\.schedule\('retrain', '15 3 \* \* \*', \\\$job\\\$"
	printed "the retrain gives the same bytes" 1 "$1" "== 10. " "^ pruned \| t"
	printed "five items for one customer" 5 "$1" "== 12. " "^ +[0-9]+ \| [a-z]+ +\| +[0-9.]+ \| +0\.[0-9]{3}"
}

refused "cannot read" --data /missing-dir/x.csv
refused "cannot read" --data=/missing-dir/x.csv
refused "cannot read" --data ''
refused "--dsn needs" --dsn ''
refused "--dsn needs" --dsn=

# On a server that is there, with real data if it is here
lent=${PG_GROVE_DATA:-../shared/data}
kind=(--generated)
if [ -r demo/data/online_shoppers.csv.gz ] || [ -r "$lent/online_shoppers_intention.csv.gz" ]; then
	kind=()
fi
GROVE_INSTALLED=1 demo dsn "${kind[@]}" --keep --dsn "$server user=$PGUSER dbname=postgres"
status=$?
drop=$(sed -n 's/^  \(DROP DATABASE .*\)$/\1/p' "$work/dsn")
database=$(printf '%s\n' "$drop" | sed 's/^DROP DATABASE \([^ ]*\).*/\1/')
verdict "runs on a server that is there" "$status"
[ "$status" -eq 0 ] && [ -n "$database" ] || exit 1

# holds NAME QUERY: the query's one value is true.
holds()
{
	[ "$("$PSQL" -X -A -t -q -d "$database" -c "SET search_path = shop, pg_catalog" -c "$2")" = t ]
	verdict "$1" "$?"
}

complete dsn
if [ "${#kind[@]}" -eq 0 ]; then
	printed "the sessions are the real ones" 1 dsn "== 1. " "^ +12330 \| +1908 \| +15.47"
else
	echo "ok - demo: the real sessions # SKIP the data is not here"
fi
holds "the split loses no session" \
	"SELECT (SELECT count(*) FROM training) + (SELECT count(*) FROM holdout) = (SELECT count(*) FROM sessions)"
holds "the pruned rows are training rows, each once" \
	"SELECT count(*) = count(DISTINCT p.id) AND count(*) = count(t.id) FROM pruned AS p LEFT JOIN training AS t USING (id)"
holds "weights are the inverse of the probabilities" \
	"SELECT bool_and(abs(weight * pi - 1) < 1e-9 AND pi BETWEEN 0.3 AND 1) FROM pruned"
holds "pruning removed rows, and about as many as asked for" \
	"SELECT (SELECT count(*) FROM pruned)::float8 / (SELECT count(*) FROM training) BETWEEN 0.42 AND 0.53"
holds "the weights add up to the full table within a tenth" \
	"SELECT abs(sum(weight) / (SELECT count(*) FROM training) - 1) < 0.1 FROM pruned"
holds "rare strata are kept more often than common ones" \
	"SELECT corr(n, kept::float8 / n) < 0
	 FROM (SELECT count(*) AS n, count(p.id) AS kept FROM training AS t LEFT JOIN pruned AS p USING (id)
		   GROUP BY t.month, t.traffic_type) AS strata"
holds "every model is better than chance on the hold-out" \
	"SELECT count(*) >= 9 AND bool_and(auc > 0.6 AND log_loss < 0.7) FROM curve WHERE name NOT LIKE 'personal%'"
holds "half of the rows cost little" \
	"SELECT abs(a.auc - b.auc) < 0.03 FROM curve AS a, curve AS b WHERE a.name = 'everything' AND b.name = 'pruned'"
holds "page_values leaks the answer" \
	"SELECT a.auc < b.auc FROM curve AS a, curve AS b WHERE a.name = 'everything' AND b.name = 'with page_values'"
holds "the nightly statement trains what pruning and training in two steps train" \
	"SELECT m.model = grove.train('SELECT * FROM pruned', 'revenue', '{\"num_iterations\": 60, \"num_leaves\": 15, \"lambda_l2\": 1}',
		weight => 'weight', ignore => '{id,page_values,pi}', seed => 1)
	 FROM models AS m WHERE m.name = 'pruned'"
holds "negatives: all purchases are kept" \
	"SELECT (SELECT count(*) FROM pairs_pruned WHERE bought) = (SELECT count(*) FROM pairs_training WHERE bought)"
holds "the personal model beats popularity for customers it never saw" \
	"SELECT grove.auc(h.bought, grove.predict(m.model, h)) > grove.auc(h.bought, t.shown_often::float8) + 0.05
	 FROM pairs_holdout AS h JOIN items AS t USING (item_id), models AS m WHERE m.name = 'personal'"
holds "its probabilities are those of the full table" \
	"SELECT abs(avg(grove.predict(m.model, h)) / avg(h.bought::int) - 1) < 0.2
	 FROM pairs_holdout AS h, models AS m WHERE m.name = 'personal'"
holds "bytes of rows fall with the rows, and seconds are told of each" \
	"SELECT count(*) = 8 AND corr(\"rows\", row_bytes) > 0.99 AND min(seconds) > 0 AND min(model_bytes) > 1000
	 FROM curve WHERE name = 'everything' OR name = 'pruned' OR name LIKE 'keep %'"
if grep -q '^== 13\.' "$work/dsn"; then
	printed "five things for one real customer" 5 dsn "== 14. " "^ [0-9A-Z]+ +\| [^|]* \| +0\.[0-9]{3} \| +[0-9]+ \| [tf]"
	holds "real purchases: the personal model beats popularity for customers and a month it never saw" \
		"SELECT grove.auc(bought, probability) > grove.auc(bought, customers::float8) + 0.1
			AND NOT EXISTS (SELECT customer_id FROM real_pruned INTERSECT SELECT customer_id FROM real_scored)
		 FROM real_scored"
else
	echo "ok - demo: real purchases # SKIP the data is not here"
fi

# A role that may create no database, in one that is its own
drop_guest
postgres -c "CREATE ROLE $guest LOGIN" -c "CREATE DATABASE $guest OWNER $guest TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
GROVE_INSTALLED=1 demo guest --generated --dsn "$server user=$guest dbname=$guest"
verdict "runs as a role without CREATEDB" "$?"
complete guest
left=$("$PSQL" -X -A -t -q -d "$guest" -c "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'shop') + (SELECT count(*) FROM pg_extension WHERE extname = 'pg_grove')")
[ "$left" = 0 ]
verdict "such a role's schema and extension are dropped" "$?"

# On servers of its own.  If the extension is in a private copy of the server, the demo has to build one too.
installed=1
[ "$("${PG_CONFIG:-pg_config}" --bindir 2>/dev/null)/psql" -ef "$PSQL" ] || installed=

# Files of the demo's scratch directory, and processes that name it.
left_behind()
{
	local file argument

	find "$work/tmp" -mindepth 1 | head
	for file in /proc/[0-9]*/cmdline; do
		while IFS= read -r -d '' argument; do
			[[ $argument != *"$work/tmp"* ]] || printf '%s\n' "$file: $argument"
		done 2>/dev/null <"$file"
	done
}

private()
{
	GROVE_TMP=$work/tmp GROVE_INSTALLED=$installed demo "$@"
}

mkdir -m 711 "$work/tmp"
chmod 711 "$work"
private own --generated
verdict "runs on a server of its own" "$?"
complete own
[ -z "$(left_behind)" ]
verdict "leaves no process and no file" "$?"

private kept --generated --keep
verdict "runs on a server of its own that is kept" "$?"
connect=$(sed -n '/^The server is still running/{n;s/^  //p}' "$work/kept")
stop=$(sed -n '/^To stop and remove it/{n;s/^  //p}' "$work/kept")
[ -n "$connect" ] && [ "$(eval "$connect -X -A -t -c 'SELECT count(*) FROM shop.models'")" = 10 ]
verdict "the printed psql line leads to its tables" "$?"
[ -n "$(left_behind)" ] && eval "$stop" >/dev/null && [ -z "$(left_behind)" ]
verdict "the printed line stops the server and removes it" "$?"
stop=

# download FILE: fetch.sh stores it in $fetched.
download()
{
	demo/data/fetch.sh "file://$1" "$fetched" >/dev/null 2>&1
}

# The download, from a file that has the right numbers of rows and purchases, and from one that has not.
if command -v curl >/dev/null 2>&1 || command -v python3 >/dev/null 2>&1; then
	fetched=$(mktemp -d) || exit 1
	awk 'BEGIN { for (i = 0; i <= 12330; i++) { for (c = 1; c < 18; c++) printf "%d,", c; print (i > 0 && i <= 1908 ? "TRUE" : "FALSE") } }' \
		>"$fetched/right.csv"
	sed '$d' "$fetched/right.csv" >"$fetched/short.csv"
	if ! download "$fetched/short.csv" && [ ! -e "$fetched/online_shoppers.csv.gz" ]; then
		echo "ok - demo: another table is refused"
	else
		echo "not ok - demo: another table is refused"
		failed=1
	fi
	if download "$fetched/right.csv" && gzip -dc "$fetched/online_shoppers.csv.gz" | cmp -s - "$fetched/right.csv"; then
		echo "ok - demo: the download is stored"
	else
		echo "not ok - demo: the download is stored"
		failed=1
	fi
	rm -rf "$fetched"
else
	echo "ok - demo: the download # SKIP neither curl nor python3 is here"
fi

exit "$failed"
