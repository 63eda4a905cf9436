"""Prediction of 1,000,000 rows by 100 trees of 63 leaves: in SQL, by library calls, by the round trip, by CASE.

Statements run in fresh backends that have read the table and scored one row before (the model is then in the
backend's cache); peers run in fresh processes.  Everything is interleaved; figures are CPU microseconds a row with
one process unless they say otherwise, and the ratios are those of neighbouring runs.
"""
import argparse
import contextlib
import datetime
import json
import os
import subprocess
import sys

import psycopg2

import measure
import tables
import train_one

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = ["lightgbm", "xgboost-lossguide", "xgboost-depth6"]
FEATURES = tables.TABLES["events"].numeric
COLUMNS = ", ".join(FEATURES)
CALLS = 2000


def statements():
    """name -> (statement, what must work first, workers); all score every row of the table after FROM"""
    by_name, by_row = "grove.predict('grove_bench', %s)" % COLUMNS, "grove.predict('grove_bench', e)"
    from_table = "grove.predict(m.model, %s)" % COLUMNS
    return {
        "scan": ("SELECT %s FROM events" % " + ".join("sum(%s)" % f for f in FEATURES), None, 0),
        "predict(model, f0, ...)": ("SELECT sum(%s) FROM events, bench_model AS m" % from_table, "model", 0),
        "predict(model, e)": (
            "SELECT sum(grove.predict(m.model, e)) FROM events AS e, bench_model AS m", "model", 0),
        "predict('name', f0, ...)": ("SELECT sum(%s) FROM events" % by_name, "name", 0),
        "predict('name', e)": ("SELECT sum(%s) FROM events AS e" % by_row, "name", 0),
        "score(NULL::events, model, ...)": (
            "SELECT sum(score) FROM grove.score(NULL::events, (SELECT model FROM bench_model), 'events')", "model", 0),
        "score(NULL::events, 'name', ...)": (
            "SELECT sum(score) FROM grove.score(NULL::events, 'grove_bench', 'events')", "name", 0),
        "predict(model, ...) into a table": (
            "CREATE UNLOGGED TABLE scored AS SELECT id, %s AS score FROM events, bench_model AS m" % from_table,
            "model", 0),
        "predict(model, ...), 2 workers": (
            "SELECT sum(grove.predict((SELECT model FROM bench_model), %s)) FROM events" % COLUMNS, "model", 2),
        "15 kB model, 10 trees": (
            "SELECT sum(grove.predict(m.model, %s)) FROM events50k, bench_plain AS m" % COLUMNS, "plain", 0),
        "5 MB model, 10 trees": (
            "SELECT sum(grove.predict(m.model, %s, NULL)) FROM events50k, bench_labels AS m" % COLUMNS, "labels", 0),
        "5 MB model from its table": (
            "SELECT sum(grove.predict(m.model, %s)) FROM events50k, bench_large AS m" % COLUMNS, "large", 0),
        "5 MB model by name": (
            "SELECT sum(grove.predict('grove_bench_large', %s)) FROM events50k" % COLUMNS, "large name", 0),
    }


def train_ours(conn):
    """Models of the sizes compared, kept with the tables; returns what there is: model, name, large, large name."""
    there = set()

    def attempt(what, statement, values=None):
        try:
            tables.run(conn, statement, values)
            there.add(what)
            return None
        except psycopg2.Error as error:
            return "%s: %s" % (what, tables.why(error))

    train = "DROP TABLE IF EXISTS %s; CREATE TABLE %s AS SELECT grove.train(%%s, 'label', %%s::jsonb) AS model"
    common = {"learning_rate": train_one.RATE, "max_bin": train_one.BINS}
    small = {**common, "num_iterations": train_one.TREES, "num_leaves": train_one.LEAVES}
    reasons = [attempt("model", train % ("bench_model", "bench_model"), [
        "SELECT %s, label FROM events WHERE id %% 5 <> 0" % COLUMNS, json.dumps(small)])]
    large = {**common, "num_iterations": 450, "num_leaves": 255, "min_data_in_leaf": 1}
    reasons.append(attempt("large", train % ("bench_large", "bench_large"), [
        "SELECT %s, label FROM events50k" % COLUMNS, json.dumps(large)]))
    few = json.dumps({**common, "num_iterations": 10})
    reasons.append(attempt("plain", train % ("bench_plain", "bench_plain"), [
        "SELECT %s, label FROM events50k" % COLUMNS, few]))
    reasons.append(attempt("labels", train % ("bench_labels", "bench_labels"), [
        "SELECT %s, repeat(md5((id %% 250)::text), 640) AS note, label FROM events50k" % COLUMNS, few]))
    for trained, what, name in (("model", "name", "grove_bench"), ("large", "large name", "grove_bench_large")):
        if trained in there:
            reasons.append(attempt(what, "SELECT grove.save('%s', model) FROM bench_%s" % (name, trained)))
    return there, [reason for reason in reasons if reason]


def time_statement(conninfo, statement, workers):
    conn = tables.connect(conninfo)
    try:
        tables.run(conn, "DROP TABLE IF EXISTS scored")
        tables.touch(conn, "events")
        if workers:
            tables.run(conn, "SET max_parallel_workers_per_gather = %d; SET parallel_setup_cost = 0; "
                             "SET min_parallel_table_scan_size = 0" % workers)
        if statement.startswith("SELECT sum(grove.predict"):
            tables.run(conn, statement + " WHERE id = 1")
        with measure.Cost(conn, workers > 0) as cost:
            tables.run(conn, statement)
        rows = tables.TABLES["events50k" if "events50k" in statement else "events"].rows
        return {"rows": rows, "cpu": cost.server, "wall": cost.wall, "foreign": cost.foreign}
    except psycopg2.Error as error:
        return {"stopped": tables.why(error)}
    finally:
        conn.close()


def time_calls(conninfo, model):
    """Microseconds of backend CPU that EXECUTE of a prepared one-row prediction takes, without its first call."""
    conn = tables.connect(conninfo)
    values = ", ".join("%r" % (0.1 * number) for number in range(len(FEATURES)))
    typed = ", ".join("$%d" % (number + 1) for number in range(len(FEATURES)))
    try:
        tables.run(conn, "PREPARE one(%s) AS SELECT grove.predict(%s, %s)" % (
            ", ".join(["float8"] * len(FEATURES)), model, typed))
        for _ in range(10):
            tables.run(conn, "EXECUTE one(%s)" % values)
        with measure.Cost(conn) as cost:
            for _ in range(CALLS):
                tables.run(conn, "EXECUTE one(%s)" % values)
        return {"us": cost.backend and cost.backend / CALLS * 1e6}
    except psycopg2.Error as error:
        return {"stopped": tables.why(error)}
    finally:
        conn.close()


def peer(args, name, action):
    path = os.path.join(args.models, name + ".model")
    command = [sys.executable, "-B", os.path.join(HERE, "predict_one.py"), args.conninfo, name, path, action]
    done = subprocess.run(command, capture_output=True, text=True,
                          env=dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE"))
    if done.returncode:
        return {"stopped": "failed: " + (done.stderr.strip().splitlines() or ["exit %d" % done.returncode])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def case_statements(args):
    """LightGBM's model as SQL, of as many trees as asked for."""
    path = os.path.join(args.models, "lightgbm.model.sql")
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        trees = file.read().split("\n")
    return {"CASE, %d trees" % count: ("SELECT sum(%s) FROM events" % " + ".join(trees[:count]), None, 0)
            for count in args.case_trees if count <= len(trees)}


class Results:
    """Runs by name, in the order of the repetitions."""

    def __init__(self, log, stamp):
        self.runs, self.stopped, self.log, self.stamp = {}, {}, log, stamp

    def add(self, name, run):
        if "stopped" in run:
            self.stopped[name] = run["stopped"]
            return
        self.runs.setdefault(name, []).append(run)
        self.log.add({**self.stamp, "what": "predict", "name": name, **run})
        print("  %s" % name, file=sys.stderr, flush=True)

    def values(self, name, key):
        return [run.get(key) for run in self.runs.get(name, [])]

    def median(self, name, key):
        return measure.median(self.values(name, key))

    def ratio(self, ours, our_key, theirs, their_key):
        return measure.paired_ratio(self.values(ours, our_key), self.values(theirs, their_key))


def report(results):
    def micro(name, key):
        value = results.median(name, key)
        return value and value / results.runs[name][0]["rows"] * 1e6

    lines = [[name, micro(name, "cpu"), results.median(name, "cpu"), results.median(name, "wall"), None,
              results.median(name, "foreign")] for name, runs in results.runs.items() if "cpu" in runs[0]]
    for name in PEERS:
        if name not in results.runs:
            continue
        lines.append([name + ", library, rows in memory", micro(name, "batch_cpu"),
                      results.median(name, "batch_cpu"), None, results.median(name, "single_us"), None])
        lines.append([name + ", COPY out, predict, COPY back", micro(name, "trip_cpu"),
                      results.median(name, "trip_cpu"), results.median(name, "trip_wall"), None,
                      results.median(name, "foreign")])
        if results.median(name, "single_c_us"):
            lines.append([name + ", C call for single rows", None, None, None, results.median(name, "single_c_us"),
                          None])
    for name, runs in results.runs.items():
        if "us" in runs[0]:
            lines.append([name, None, None, None, results.median(name, "us"), None])
    print(measure.table_text(["", "us/row", "cpu s", "wall s", "one row us", "foreign"], lines))


def goals(results):
    """(text, ratio, goal) for what there is."""
    best_trip = min((name for name in PEERS if results.median(name, "trip_cpu")),
                    key=lambda name: results.median(name, "trip_cpu"), default=None)
    trees = [name for name in results.runs if name == "CASE, %d trees" % train_one.TREES]
    ours = "predict(model, f0, ...)" if "predict(model, f0, ...)" in results.runs else "predict('name', f0, ...)"
    into = "predict(model, ...) into a table"
    found = [("into a table / best round trip (%s), CPU" % best_trip,
              results.ratio(into, "cpu", best_trip, "trip_cpu"), 0.2)]
    found += [("%s / %s" % (ours, name), results.ratio(ours, "cpu", name, "cpu"), 0.1) for name in trees]
    found += [("%s / %s library call, rows in memory" % (ours, name),
               results.ratio(ours, "cpu", name, "batch_cpu"), None) for name in PEERS]
    rows = tables.TABLES["events"].rows
    single = measure.paired_ratio([cpu and cpu / rows * 1e6 for cpu in results.values(ours, "cpu")],
                                  results.values("lightgbm", "single_c_us"))
    found.append(("one row of a query / LightGBM's C call for single rows", single, 0.25))
    found.append(("wall, 1 process / 2 workers (a speed-up: at least 1.7)",
                  results.ratio(ours, "wall", "predict(model, ...), 2 workers", "wall"), None))
    found.append(("score(NULL::events, model, ...) / predict(model, f0, ...)",
                  results.ratio("score(NULL::events, model, ...)", "cpu", ours, "cpu"), None))
    found.append(("5 MB model / 15 kB model, 10 trees each (the first is its labels)",
                  results.ratio("5 MB model, 10 trees", "cpu", "15 kB model, 10 trees", "cpu"), 1.1))
    found.append(("5 MB model from its table / by name",
                  results.ratio("5 MB model from its table", "cpu", "5 MB model by name", "cpu"), None))
    limits = [("predict('name', f0, ...)", 1.5), ("predict('name', e)", 1.9), ("predict(model, f0, ...)", 1.5),
              ("predict(model, e)", 1.9), ("score(NULL::events, model, ...)", 1.1),
              ("score(NULL::events, 'name', ...)", 1.1)]
    for name, limit in limits:
        values = [cpu and cpu / rows * 1e6 for cpu in results.values(name, "cpu")]
        if values:
            found.append((name + ", us of CPU a row", (measure.median(values), min(values), max(values)), limit))
    for name in ("prepared call, 5 MB model from its table", "prepared call, 5 MB model by name"):
        values = [us for us in results.values(name, "us") if us]
        if values:
            found.append((name + ", us", (measure.median(values), min(values), max(values)), 60))
    return found


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], prog="test/bench/predict.sh")
    parser.add_argument("--conninfo", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--case-trees", default="1,10,100", help="trees written as CASE; empty: none")
    parser.add_argument("--models", default="build/bench", help="directory for the peers' models")
    parser.add_argument("--log", default="build/bench.jsonl", help="file that gets the JSON lines")
    args = parser.parse_args()
    args.case_trees = [int(count) for count in args.case_trees.split(",") if count]
    return args


def main():
    args = arguments()
    facts = measure.machine()
    results = Results(measure.Log(args.log), {"at": datetime.datetime.now().isoformat(timespec="seconds"), **facts})
    print("machine: %(processor)s, %(cores)d cores; load %(load_before).2f" % facts, flush=True)
    os.makedirs(args.models, exist_ok=True)
    conn = tables.connect(args.conninfo)
    for name in ("events", "events50k"):
        tables.load(conn, name)
    there, reasons = train_ours(conn)
    conn.close()
    for name in PEERS:
        trained = peer(args, name, "train")
        if "stopped" in trained:
            results.stopped[name] = trained["stopped"]
    peers = [name for name in PEERS if name not in results.stopped]
    for _ in range(args.reps):
        for name, (statement, need, workers) in {**statements(), **case_statements(args)}.items():
            if (need is None or need in there) and name not in results.stopped:
                results.add(name, time_statement(args.conninfo, statement, workers))
        for what, model in (("model", "(SELECT model FROM bench_model)"), ("name", "'grove_bench'"),
                            ("large", "(SELECT model FROM bench_large)"), ("large name", "'grove_bench_large'")):
            name = "prepared call, " + {"model": "model from its table", "name": "by name",
                                        "large": "5 MB model from its table", "large name": "5 MB model by name"}[what]
            if what in there and name not in results.stopped:
                results.add(name, time_calls(args.conninfo, model))
        for name in peers:
            if name not in results.stopped:
                results.add(name, peer(args, name, "measure"))
    conn = tables.connect(args.conninfo)
    for statement in ("DROP TABLE IF EXISTS scored, bench_model, bench_large, bench_plain, bench_labels",
                      "SELECT grove.drop_model('grove_bench')",
                      "SELECT grove.drop_model('grove_bench_large')"):
        with contextlib.suppress(psycopg2.Error):
            tables.run(conn, statement)
    report(results)
    for text, ratio, goal in goals(results):
        if ratio:
            print("  %-70s %.3f (%.3f to %.3f)%s" % ((text,) + ratio + ("  goal %.2f" % goal if goal else "",)))
    reasons += ["%s: %s" % item for item in results.stopped.items()]
    print("\n".join("  " + reason for reason in reasons))
    sys.exit(1 if any(": failed: " in reason for reason in reasons) else 0)


if __name__ == "__main__":
    main()
