"""Shuffling and sampling 3,000,000 rows of 28 columns, next to the SQL that one would write without the extension.

Each statement runs in a fresh backend whose first act is to read the table.  Both sides of a comparison run next to
each other in every repetition; the ratio is that of neighbours.  Statements that return rows run under EXPLAIN
(ANALYZE, TIMING OFF), which executes and discards them, so that no client is measured.
"""
import argparse
import contextlib
import datetime
import sys
from collections import namedtuple

import psycopg2

import measure
import tables

TABLE = "items3m"
# by: which ratio the goal is about ("cpu" or "wall"); goal: at most so much, None: reported only
Pair = namedtuple("Pair", "name ours rival goal by workers")

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


def pairs():
    shuffle = "SELECT * FROM grove.shuffle(NULL::items3m, 'items3m', key => '{id}', seed => 42)"
    keep = "SELECT count(*) FROM items3m WHERE grove.keep(0.1, 42, id)"
    bernoulli = "SELECT count(*) FROM items3m TABLESAMPLE BERNOULLI (10)"
    block = "SELECT %s FROM items3m TABLESAMPLE grove.block_shuffle(100) REPEATABLE (42)"
    scan = "SELECT %s FROM items3m"
    random_order = "SELECT * FROM items3m ORDER BY random()"
    fetch = ROWS + "SELECT t.* FROM %s AS chosen (id) JOIN items3m AS t USING (id)"
    found = [
        Pair("full shuffle / ORDER BY random()", ROWS + shuffle, ROWS + random_order, 1.0, "cpu", 0),
        Pair("ORDER BY hash64(seed, id) / ORDER BY random()",
             ROWS + "SELECT * FROM items3m ORDER BY grove.hash64(42, id)", ROWS + random_order, None, "cpu", 0),
        Pair("block shuffle / scan, rows counted", block % "count(*)", scan % "count(*)", 1.15, "cpu", 0),
        Pair("block shuffle / scan, last column summed", block % "sum(f24)", scan % "sum(f24)", None, "cpu", 0),
        Pair("keep 10 % / BERNOULLI (10)", keep, bernoulli, 1.25, "cpu", 0),
        Pair("keep 10 % / BERNOULLI (10), 2 workers, wall", keep, bernoulli, 1.0, "wall", 2),
    ]
    for k in (10_000, 100_000):
        found += [
            Pair("sample %d / ORDER BY random() LIMIT" % k,
                 ROWS + "SELECT unnest(grove.sample(t, %d, 42)) FROM items3m AS t" % k,
                 ROWS + random_order + " LIMIT %d" % k, 0.15, "cpu", 0),
            Pair("weighted_sample %d / ORDER BY -ln(random()) / weight LIMIT" % k,
                 ROWS + "SELECT unnest(grove.weighted_sample(t, amount, %d, 42)) FROM items3m AS t" % k,
                 ROWS + "SELECT * FROM items3m ORDER BY -ln(1 - random()) / amount LIMIT %d" % k, 0.2, "cpu", 0),
            Pair("sample %d of ids, rows joined / ids by random() LIMIT, rows joined" % k,
                 fetch % ("unnest((SELECT grove.sample(id, %d, 42) FROM items3m))" % k),
                 fetch % ("(SELECT id FROM items3m ORDER BY random() LIMIT %d)" % k), None, "cpu", 0),
            Pair("weighted_sample %d of ids, rows joined / ids by -ln(random()) / weight LIMIT, rows joined" % k,
                 fetch % ("unnest((SELECT grove.weighted_sample(id, amount, %d, 42) FROM items3m))" % k),
                 fetch % ("(SELECT id FROM items3m ORDER BY -ln(1 - random()) / amount LIMIT %d)" % k),
                 None, "cpu", 0)]
        rival = ROWS + "SELECT * FROM %s ORDER BY -ln(1 - random()) * frequency LIMIT %d" % (WINDOW_COUNT, k)
        found += [
            Pair("inverse_sample %d / ORDER BY -ln(random()) * frequency LIMIT" % k,
                 ROWS + "SELECT unnest(grove.inverse_sample(t, frequency, %d, 42)) "
                        "FROM items3m AS t JOIN %s USING (item)" % (k, GROUP_COUNT), rival, 0.2, "cpu", 0),
            Pair("prune inverse %d / ORDER BY -ln(random()) * frequency LIMIT" % k,
                 ROWS + prune("n => %d" % k), rival, None, "cpu", 0)]
    half = ROWS + prune("keep => 0.5")
    found += [
        Pair("prune inverse, half / plain SQL, inclusion solved", half, ROWS + PLAIN_INVERSE, 1.0, "cpu", 0),
        Pair("prune inverse, half / ORDER BY -ln(random()) * frequency LIMIT", half,
             ROWS + "SELECT * FROM %s ORDER BY -ln(1 - random()) * frequency LIMIT 1500000" % WINDOW_COUNT,
             None, "cpu", 0)]
    return found


def time_statement(args, statement, workers):
    """Cost of one statement in a backend of its own, or the reason why there is none."""
    conn = tables.connect(args.conninfo)
    try:
        tables.run(conn, "SET work_mem = '%s'; SET max_parallel_workers_per_gather = %d" % (args.work_mem, workers))
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
            run = time_statement(args, statement, pair.workers)
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
    with contextlib.suppress(psycopg2.Error):
        tables.run(conn, "CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        tables.run(conn, "SELECT pg_prewarm('%s')" % TABLE)
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
