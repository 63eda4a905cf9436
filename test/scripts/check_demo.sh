#!/usr/bin/env bash
# check_demo.sh PSQL: demo/run.sh on a server that is there (--dsn), then a
# look at what the demo has left.  One line a check is printed.
#
# libpq's environment names the server; the extension is installed.

set -u
cd "$(dirname "$0")/../.." || exit 1
PSQL=${1:?usage: check_demo.sh PSQL}
log=$(mktemp) || exit 1
dsn="host=$PGHOST port=$PGPORT user=$PGUSER dbname=postgres"

GROVE_INSTALLED=1 demo/run.sh --keep --dsn "$dsn" </dev/null >"$log" 2>&1
status=$?
cat "$log"
drop=$(sed -n 's/^  \(DROP DATABASE .*\)$/\1/p' "$log")
database=$(printf '%s\n' "$drop" | sed 's/^DROP DATABASE \([^ ]*\).*/\1/')
rm -f "$log"
drop_database()
{
	"$PSQL" -X -q -d postgres -c "$drop"
}
if [ -z "$database" ]; then
	echo "not ok - the demo ends with status $status"
	exit 1
fi
trap drop_database EXIT
if [ "$status" -ne 0 ]; then
	echo "not ok - the demo ends with status $status"
	exit 1
fi
echo "ok - the demo runs"

failed=0
# holds NAME QUERY: the query's one value is true.
holds()
{
	if [ "$("$PSQL" -X -A -t -q -d "$database" -c "SET search_path = shop, pg_catalog" -c "$2")" = t ]; then
		echo "ok - demo: $1"
	else
		echo "not ok - demo: $1"
		failed=1
	fi
}

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
	"SELECT count(*) >= 9 AND bool_and(auc > 0.6 AND log_loss < 0.7) FROM curve WHERE name <> 'personal'"
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
