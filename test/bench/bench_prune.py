"""What training loses on pruned rows: kept share by method, judged on rows that nobody pruned.

grove.prune_train makes the models (max_loss 1: it never stops), on 60 % of the rows of each split; the other 40 % judge
them.  With LightGBM installed it trains on the very same rows with the same weights or offsets, so that an effect is
seen to be the method's and not the learner's.  Real data sets are read from $PG_GROVE_DATA, a directory of the files
that demo/data/README.md names; without it only the generated rows run.
"""
import argparse
import csv
import gzip
import io
import json
import os
import statistics
import time
from collections import defaultdict

import numpy
import psycopg2

try:
    import lightgbm
except ImportError:
    lightgbm = None

# file, target as SQL, columns that are left out
SETS = {
    "shoppers": ("online_shoppers_intention", "revenue = 'true'", ["revenue"]),
    "bank": ("bank_marketing_full", "y = 'yes'", ["y", "duration"]),
    "bank2": ("bank_marketing_additional_full", "y = 'yes'", ["y", "duration"]),
    "eshop": ("eshop_clickstream_2008", "price_2 = '1'", ["price_2", "price", "session_id"]),
}
# what users of each method would write; "by" is the first text column
METHODS = {
    "surprise": {}, "gradient": {}, "random": {}, "random + readmit": {"readmit": 0.2, "by": True},
    "stratified": {"by": True}, "inverse": {"by": True, "gamma": 0.5},
}
OPTIONS = {"num_iterations": 100, "learning_rate": 0.1, "num_leaves": 31}
GENERATED = """CREATE TABLE %s AS
SELECT i AS id, (20 / (1 + 19 * grove.u01(1, i)))::int::text AS item, grove.u01(2, i)::float4 AS recency, grove.u01(3, i)::float4 AS price,
    (grove.u01(4, i) * 8)::int AS visits, (grove.u01(5, i) * 24)::int AS hour,
    grove.u01(6, i) < 1 / (1 + exp(4.5 - 2 * grove.u01(3, i) * (grove.u01(4, i) * 2) - 1.5 * (grove.u01(2, i) > 0.7)::int
        - ((20 / (1 + 19 * grove.u01(1, i)))::int %% 5) * 0.4)) AS target
FROM generate_series(1, %d) AS i"""


def load(cursor, name, rows):
    """Makes the table of a set; returns its text columns."""
    table = "prune_" + name
    cursor.execute("DROP TABLE IF EXISTS " + table)
    if name not in SETS:
        cursor.execute(GENERATED % (table, rows))
        return table, ["item"]
    file, target, dropped = SETS[name]
    with gzip.open(os.path.join(os.environ["PG_GROVE_DATA"], file + ".csv.gz"), "rt", encoding="utf-8") as handle:
        records = list(csv.reader(handle))
    head, body = records[0], records[1:]

    def is_number(column):
        try:
            for record in body:
                if record[column] != "":
                    float(record[column])
        except ValueError:
            return False
        return True
    numbers = [is_number(i) for i in range(len(head))]
    cursor.execute("CREATE TEMP TABLE raw (%s)" % ", ".join("%s %s" % (h, "float8" if n and h != "price_2" else "text")
                                                           for h, n in zip(head, numbers)))
    text = io.StringIO()
    csv.writer(text).writerows(body)
    text.seek(0)
    cursor.copy_expert("COPY raw FROM STDIN WITH (FORMAT csv, NULL '')", text)
    kept = [h for h in head if h not in dropped]
    cursor.execute("CREATE TABLE %s AS SELECT row_number() OVER () AS id, %s, %s AS target FROM raw; DROP TABLE raw"
                   % (table, ", ".join(kept), target))
    return table, [h for h, n in zip(head, numbers) if not n and h in kept]


def metrics(truth, score):
    order = numpy.argsort(score, kind="stable")
    ranks = numpy.empty(len(score))
    ranks[order] = numpy.arange(1, len(score) + 1)
    _, inverse, counts = numpy.unique(score, return_inverse=True, return_counts=True)
    ranks = (numpy.bincount(inverse, ranks) / counts)[inverse]
    positives = truth.sum()
    auc = (ranks[truth].sum() - positives * (positives + 1) / 2) / positives / (len(truth) - positives)
    cut = numpy.clip(score, 1e-15, 1 - 1e-15)
    loss = -numpy.where(truth, numpy.log(cut), numpy.log(1 - cut)).mean()
    return auc, loss, score.mean() / truth.mean()


def matrix(cursor, table):
    """Features by id: numbers, text as codes."""
    cursor.execute("SELECT * FROM %s ORDER BY id" % table)
    names = [d[0] for d in cursor.description]
    columns, categorical = [], []
    rows = cursor.fetchall()
    for i, name in enumerate(names):
        if name in ("id", "target"):
            continue
        values = [row[i] for row in rows]
        if any(isinstance(v, str) for v in values):
            codes = {v: k for k, v in enumerate(sorted({v for v in values if v is not None}))}
            values = [numpy.nan if v is None else codes[v] for v in values]
            categorical.append(len(columns))
        columns.append([numpy.nan if v is None else float(v) for v in values])
    return numpy.array(columns).T, numpy.array([row[names.index("target")] for row in rows]), categorical


def peer(x, y, categorical, chosen, weight, offset, held):
    start = time.process_time()
    data = lightgbm.Dataset(x[chosen], y[chosen], weight=weight, init_score=offset, categorical_feature=categorical)
    model = lightgbm.train(dict(OPTIONS, objective="binary", num_threads=1, verbosity=-1), data, OPTIONS["num_iterations"])
    seconds = time.process_time() - start
    margin = model.predict(x[held], raw_score=True)
    return metrics(y[held], 1 / (1 + numpy.exp(-margin))) + (seconds,)


def kept_rows(cursor, table, seed, share, method, extra, by):
    """ids that a round of the loop trains on, with what it gives to training."""
    arguments = ["keep => %s" % share, "method => '%s'" % method, "key => '{id}'", "seed => %d" % seed]
    if method in ("surprise", "gradient"):
        arguments.append("target => 'target'")
    if extra.get("by"):
        arguments.append("by => '{%s}'" % by)
    for name in ("readmit", "gamma"):
        if name in extra:
            arguments.append("%s => %s" % (name, extra[name]))
    cursor.execute("SELECT (kept).id, weight, log_offset FROM grove.prune(NULL::%s, $q$SELECT * FROM %s WHERE "
                   "grove.split('{0.6,0.2,0.2}', %d, id) = 1$q$, %s)" % (table, table, seed, ", ".join(arguments)))
    found = numpy.array(cursor.fetchall(), dtype=float)
    weight = offset = None
    if method == "surprise":
        offset = found[:, 2]
    elif method != "random" or "readmit" in extra:
        weight = found[:, 1]
    return found[:, 0].astype(int) - 1, weight, offset


def run(cursor, name, table, text, arguments, results):
    features = matrix(cursor, table) if lightgbm and arguments.peer else None
    for seed in range(1, arguments.splits + 1):
        if features:
            cursor.execute("SELECT grove.split('{0.6,0.2,0.2}', %d, id) = 1 FROM %s ORDER BY id" % (seed, table))
            train = numpy.array([row[0] for row in cursor.fetchall()])
            held = ~train
            results[name, "LightGBM", "everything", 1.0].append(
                peer(*features, numpy.flatnonzero(train), None, None, held) + (int(train.sum()),))
        for method, extra in METHODS.items():
            params = dict(OPTIONS, calibration=1e6, **{k: v for k, v in extra.items() if k != "by"})
            if extra.get("by"):
                params["by"] = [text[0]]
            cursor.execute("SELECT round, rows, train_ms, model FROM grove.prune_train(%s, 'target', '{id}', %s, 1, "
                           "method => %s, params => %s, seed => %s) WHERE decision <> 'unconfirmed' AND decision <> 'confirmed'",
                           (table, arguments.shares, method.split()[0], json.dumps(params), seed))
            for number, rows, milliseconds, model in cursor.fetchall():
                if number == 0 and method != "surprise":
                    continue
                share = 1.0 if number == 0 else arguments.shares[number - 1]
                cursor.execute("SELECT metric, value FROM grove.evaluate(%%s, $q$SELECT * FROM %s WHERE grove.split("
                               "'{0.6,0.2,0.2}', %d, id) > 1$q$)" % (table, seed), (model,))
                found = dict(cursor.fetchall())
                results[name, "pg_grove", "everything" if number == 0 else method, share].append(
                    (found["auc"], found["log_loss"], found["calibration_ratio"], milliseconds / 1000, rows))
                if features and number > 0:
                    chosen, weight, offset = kept_rows(cursor, table, seed, share, method.split()[0], extra, text[0])
                    results[name, "LightGBM", method, share].append(
                        peer(*features, chosen, weight, offset, held) + (len(chosen),))


def show(results):
    print("| data | learner | method | kept | rows | AUC | loss of AUC | log-loss | predicted / observed | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for key, runs in results.items():
        whole = results[key[0], key[1], "everything", 1.0]
        auc, loss, ratio, seconds, rows = (statistics.mean(column) for column in zip(*runs))
        lost = statistics.mean(w[0] - r[0] for w, r in zip(whole, runs))
        print("| %s | %s | %s | %g | %d | %.4f | %.4f | %.4f | %.3f | %.2f |"
              % (key + (rows, auc, lost, loss, ratio, seconds)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conninfo", required=True)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.5, 0.25, 0.1])
    parser.add_argument("--sets", nargs="+", default=list(SETS) + ["shop"], help="of %s, shop" % ", ".join(SETS))
    parser.add_argument("--rows", type=int, default=300000, help="of the generated set; 3000000 is the large one")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="without LightGBM")
    arguments = parser.parse_args()
    connection = psycopg2.connect(arguments.conninfo)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("CREATE SCHEMA IF NOT EXISTS grove_bench; SET search_path = grove_bench; "
                   "SET client_min_messages = warning; SET maintenance_work_mem = '2GB'; SET grove.max_workers = 0")
    results = defaultdict(list)
    for name in arguments.sets:
        if name in SETS and "PG_GROVE_DATA" not in os.environ:
            print("skipped: %s ($PG_GROVE_DATA is not set)" % name)
            continue
        table, text = load(cursor, name, arguments.rows)
        run(cursor, name, table, text, arguments, results)
    show(results)


main()
