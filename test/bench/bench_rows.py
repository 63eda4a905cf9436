"""Shuffling and sampling 3,000,000 rows of 28 columns, next to the SQL that one would write without the extension.

Each statement runs in a fresh backend whose first act is to read the table.  Both sides of a comparison run next to
each other in every repetition; the ratio is that of neighbours.  Statements that return rows run under EXPLAIN
(ANALYZE, TIMING OFF), which executes and discards them, so that no client is measured.
"""
import argparse
import datetime
import sys
from collections import namedtuple

import psycopg2

import measure
import tables

TABLE = "items3m"
# by: which ratio the goal is about ("cpu" or "wall"); goal: at most so much, None: reported only
Pair = namedtuple("Pair", "name ours rival goal by workers settings", defaults=[""])
SEQUENTIAL = "SET enable_indexonlyscan = off"  # a count of rows would read the index of the primary key

ROWS = "EXPLAIN (ANALYZE, TIMING OFF) "
SCANS = 10                                  # executions of a statement that only counts, in a row

WINDOW_COUNT = "(SELECT *, count(*) OVER (PARTITION BY item) AS frequency FROM items3m) AS counted"
GROUP_COUNT = "(SELECT item, count(*)::float8 AS frequency FROM items3m GROUP BY item) AS counted"

# Inclusion min(1, c / frequency) with c solved so that the expected number of rows is half the table: between two
# frequencies the sum of the probabilities is linear in c.  The draw stands in the inner list: as a condition on item
# and cut alone it would be pushed below the join and decide for whole items.
PLAIN_INVERSE = """
WITH item AS (SELECT item, count(*)::float8 AS frequency FROM items3m GROUP BY item),
     level AS (SELECT frequency, sum(frequency) AS rows, count(*) AS items FROM item GROUP BY frequency
               UNION ALL SELECT 0, 0, 0),
     piece AS (SELECT frequency AS low, lead(frequency) OVER up AS high,
                      (0.5 * sum(rows) OVER () - sum(rows) OVER up)
                      / nullif(sum(items) OVER () - sum(items) OVER up, 0) AS c
               FROM level WINDOW up AS (ORDER BY frequency)),
     cut AS (SELECT c FROM piece WHERE c >= low AND c < high)
SELECT * FROM (SELECT t.*, least(1, c / frequency) AS pi, random() AS draw
               FROM items3m AS t JOIN item USING (item) CROSS JOIN cut) AS drawn
WHERE draw < pi"""


def prune(size):
    return ("SELECT * FROM grove.prune(NULL::items3m, 'items3m', %s, method => 'inverse', key => '{id}', "
            "by => '{item}', seed => 42)" % size)


def thinning(k):
    """A share of the rows that leaves a few more than k: eight standard deviations."""
    return (k + 8 * k ** 0.5) / tables.TABLES[TABLE].rows


def sample_pairs(k):
    """Ways to k whole rows, each next to the SQL that one would write for k whole rows."""
    by_random = ROWS + "SELECT * FROM items3m ORDER BY random() LIMIT %d" % k
    by_weight = ROWS + "SELECT * FROM items3m ORDER BY -ln(1 - random()) / amount LIMIT %d" % k
    by_frequency = ROWS + "SELECT * FROM %s ORDER BY -ln(1 - random()) * frequency LIMIT %d" % (WINDOW_COUNT, k)
    fetch = ROWS + "SELECT * FROM items3m WHERE id = ANY ((SELECT %s)::int4[])"
    thinned = ROWS + "SELECT unnest(grove.sample(t, %d, 42)) FROM items3m AS t %s"
    counted = "FROM items3m AS t JOIN %s USING (item)" % GROUP_COUNT
    uniform, weighted, inverse = " / ORDER BY random() LIMIT", " / ORDER BY -ln(random()) / weight LIMIT", \
        " / ORDER BY -ln(random()) * frequency LIMIT"
    return [
        Pair("sample_rows %d" % k + uniform,
             ROWS + "SELECT * FROM items3m TABLESAMPLE grove.sample_rows (%d) REPEATABLE (42)" % k,
             by_random, 0.15, "cpu", 0),
        Pair("sample %d of rows" % k + uniform, thinned % (k, ""), by_random, 0.15, "cpu", 0),
        Pair("sample %d of ids, rows fetched" % k + uniform,
             fetch % "grove.sample(id, %d, 42) FROM items3m" % k, by_random, 0.15, "cpu", 0),
        Pair("sample %d of rows thinned by keep" % k + uniform,
             thinned % (k, "WHERE grove.keep(%.4f, 42, id)" % thinning(k)), by_random, 0.15, "cpu", 0),
        Pair("sample %d of rows thinned by BERNOULLI" % k + uniform,
             thinned % (k, "TABLESAMPLE BERNOULLI (%.2f) REPEATABLE (42)" % (100 * thinning(k))),
             by_random, 0.15, "cpu", 0),
        Pair("weighted_sample %d of rows" % k + weighted,
             ROWS + "SELECT unnest(grove.weighted_sample(t, amount, %d, 42)) FROM items3m AS t" % k,
             by_weight, 0.2, "cpu", 0),
        Pair("weighted_sample %d of ids, rows fetched" % k + weighted,
             fetch % "grove.weighted_sample(id, amount, %d, 42) FROM items3m" % k, by_weight, 0.2, "cpu", 0),
        # the weight is given here, and counted there: an easier rival than that of the line before
        Pair("weighted_sample %d of ids, rows fetched" % k + inverse,
             fetch % "grove.weighted_sample(id, amount, %d, 42) FROM items3m" % k, by_frequency, 0.2, "cpu", 0),
        Pair("inverse_sample %d of rows" % k + inverse,
             ROWS + "SELECT unnest(grove.inverse_sample(t, frequency, %d, 42)) " % k + counted,
             by_frequency, 0.2, "cpu", 0),
        Pair("inverse_sample %d of ids, rows fetched" % k + inverse,
             fetch % ("grove.inverse_sample(id, frequency, %d, 42) " % k + counted), by_frequency, 0.2, "cpu", 0),
        Pair("prune inverse %d" % k + inverse, ROWS + prune("n => %d" % k), by_frequency, 0.2, "cpu", 0)]


def pairs():
    shuffle = "SELECT * FROM grove.shuffle(NULL::items3m, 'items3m', key => '{id}', seed => 42)"
    keep = "SELECT count(*) FROM items3m WHERE grove.keep(0.1, 42, id)"
    bernoulli = "SELECT count(*) FROM items3m TABLESAMPLE BERNOULLI (10)"
    block = "SELECT %s FROM items3m TABLESAMPLE grove.block_shuffle(100) REPEATABLE (42)"
    scan = "SELECT %s FROM items3m"
    random_order = ROWS + "SELECT * FROM items3m ORDER BY random()"
    half = ROWS + prune("keep => 0.5")
    return [
        Pair("full shuffle / ORDER BY random()", ROWS + shuffle, random_order, 1.0, "cpu", 0),
        Pair("ORDER BY hash64(seed, id) / ORDER BY random()",
             ROWS + "SELECT * FROM items3m ORDER BY grove.hash64(42, id)", random_order, None, "cpu", 0),
        Pair("block shuffle / sequential scan, rows counted", block % "count(*)", scan % "count(*)", 1.15, "cpu", 0,
             SEQUENTIAL),
        Pair("SYSTEM (100) / sequential scan, rows counted", scan % "count(*)" + " TABLESAMPLE SYSTEM (100)",
             scan % "count(*)", None, "cpu", 0, SEQUENTIAL),
        Pair("block shuffle / sequential scan, last column summed", block % "sum(f24)", scan % "sum(f24)", 1.15,
             "cpu", 0),
        Pair("keep 10 % / BERNOULLI (10)", keep, bernoulli, 1.25, "cpu", 0),
        Pair("count of all rows / BERNOULLI (10)", scan % "count(*)", bernoulli, None, "cpu", 0),
        Pair("keep 10 %, sequential scan / BERNOULLI (10)", keep, bernoulli, None, "cpu", 0, SEQUENTIAL),
        Pair("id % 10 = 1, sequential scan / BERNOULLI (10)", scan % "count(*)" + " WHERE id % 10 = 1", bernoulli,
             None, "cpu", 0, SEQUENTIAL),
        Pair("keep 10 % / BERNOULLI (10), 2 workers, wall", keep, bernoulli, 1.0, "wall", 2),
        *sample_pairs(10_000), *sample_pairs(100_000),
        Pair("prune inverse, half / plain SQL, inclusion solved", half, ROWS + PLAIN_INVERSE, 1.0, "cpu", 0),
        Pair("prune inverse, half / ORDER BY -ln(random()) * frequency LIMIT", half,
             ROWS + "SELECT * FROM %s ORDER BY -ln(1 - random()) * frequency LIMIT 1500000" % WINDOW_COUNT,
             None, "cpu", 0)]


def time_statement(args, statement, workers, settings):
    """Cost of one statement in a backend of its own, or the reason why there is none."""
    conn = tables.connect(args.conninfo)
    try:
        tables.run(conn, "SET work_mem = '%s'; SET max_parallel_workers_per_gather = %d" % (args.work_mem, workers))
        if settings:
            tables.run(conn, settings)
        tables.touch(conn, TABLE)
        times = 1 if statement.startswith(ROWS) else SCANS
        with measure.Cost(conn, workers > 0) as cost:
            for _ in range(times):
                tables.run(conn, statement)
        return {"wall": cost.wall / times, "cpu": cost.server and cost.server / times,
                "peak_mib": cost.peak, "foreign": cost.foreign}
    except psycopg2.Error as error:
        return {"stopped": tables.why(error)}
    finally:
        conn.close()


def compare(args, pair, log, stamp):
    """Runs both sides in turn; returns the line of the table, and for each side that did not run the reason."""
    runs, stopped = {"ours": [], "rival": []}, {}
    for repetition in range(args.reps):
        for side, statement in (("ours", pair.ours), ("rival", pair.rival)):
            if side in stopped:
                continue
            run = time_statement(args, statement, pair.workers, pair.settings)
            if "stopped" in run:
                stopped[side] = run["stopped"]
                continue
            runs[side].append(run)
            log.add({**stamp, "what": "rows", "pair": pair.name, "side": side, "repetition": repetition,
                     "workers": pair.workers, "statement": statement, **run})

    def values(side, key):
        return [run[key] for run in runs[side]]

    ratio = {key: measure.paired_ratio(values("ours", key), values("rival", key)) for key in ("cpu", "wall")}
    about = ratio[pair.by]
    verdict = "-" if about is None or pair.goal is None else "reached" if about[0] <= pair.goal else "MISSED"
    line = [pair.name] + [measure.median(values(side, key)) for side in runs for key in ("cpu", "wall")]
    line += [ratio["cpu"] and ratio["cpu"][0], ratio["wall"] and ratio["wall"][0],
             about and "%.2f-%.2f" % about[1:], pair.goal, verdict,
             measure.median(values("ours", "foreign") + values("rival", "foreign"))]
    return line, stopped


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], prog="test/bench/rows.sh")
    parser.add_argument("--conninfo", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", default="", help="pairs whose name contains this")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--work-mem", default="256MB")
    parser.add_argument("--log", default="build/bench.jsonl", help="file that gets the JSON lines")
    return parser.parse_args()


def main():
    args = arguments()
    log, facts = measure.Log(args.log), measure.machine()
    conn = tables.connect(args.conninfo)
    seconds = tables.load(conn, TABLE)
    conn.close()
    stamp = {"at": datetime.datetime.now().isoformat(timespec="seconds"), **facts}
    print("machine: %(processor)s, %(cores)d cores; load %(load_before).2f" % facts)
    print("%d rows, 28 columns%s, work_mem %s, medians of %d; seconds; spread: of the ratio that the goal is about" % (
        tables.TABLES[TABLE].rows, ", loaded in %.0f s" % seconds if seconds else "", args.work_mem, args.reps))
    lines, reasons = [], []
    for pair in pairs():
        if args.only not in pair.name:
            continue
        line, stopped = compare(args, pair, log, stamp)
        lines.append(line)
        reasons += ["%s: %s" % (pair.name, reason) for reason in stopped.values()]
        print("  %s" % pair.name, file=sys.stderr, flush=True)
    print(measure.table_text(["", "our cpu", "wall", "rival cpu", "wall", "cpu ratio", "wall ratio", "spread", "goal",
                              "verdict", "foreign"], lines))
    print("\n".join(reasons))
    sys.exit(1 if any(": failed: " in reason for reason in reasons) else 0)


if __name__ == "__main__":
    main()
