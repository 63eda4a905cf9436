"""One training, measured, in a process of its own: ours inside the server, or a peer's as its users run it.

usage: train_one.py CONNINFO CONTESTANT TABLE THREADS SCHEMA        prints one JSON line

Everybody gets the rows with id % 5 <> 0, 100 trees, rate 0.1, 255 bins and 63 leaves (depth 6 where the name says
so); every other option keeps its default.  A peer's user exports first: by binary COPY, decoded without touching
single values, when all columns are numbers, else by CSV into pandas categories.  The judge is the same for all:
predictions for the rows with id % 5 = 0, AUC and log-loss computed here.
"""
import contextlib
import io
import json
import os
import re
import sys

TREES, RATE, BINS, LEAVES, DEPTH = 100, 0.1, 255, 63, 6


class LightGBM:
    def __init__(self, threads, **options):
        import lightgbm
        self.library, self.version = lightgbm, lightgbm.__version__
        self.options = dict(objective="binary", learning_rate=RATE, num_leaves=LEAVES, max_bin=BINS,
                            num_threads=threads, verbosity=-1, **options)

    def dataset(self, x, y):
        return self.library.Dataset(x, y, params=self.options).construct()

    def train(self, dataset):
        self.model = self.library.train(self.options, dataset, TREES)

    def predict(self, x):
        return self.model.predict(x)


class XGBoost:
    def __init__(self, threads, **options):
        import xgboost
        self.library, self.version = xgboost, xgboost.__version__
        self.options = dict(objective="binary:logistic", tree_method="hist", eta=RATE, max_bin=BINS, nthread=threads,
                            **options)
        self.matrix = dict(enable_categorical=True, nthread=threads)

    def dataset(self, x, y):
        return self.library.QuantileDMatrix(x, y, max_bin=BINS, **self.matrix)

    def train(self, dataset):
        self.model = self.library.train(self.options, dataset, TREES)

    def predict(self, x):
        return self.model.predict(self.library.DMatrix(x, **self.matrix))


class HistGradientBoosting:
    """scikit-learn bins inside fit(), and takes no column of more than 255 categories: those become numbers."""

    def __init__(self, threads):
        import sklearn
        from sklearn.ensemble import HistGradientBoostingClassifier
        self.version = sklearn.__version__
        self.model = HistGradientBoostingClassifier(
            max_iter=TREES, learning_rate=RATE, max_bins=BINS, max_leaf_nodes=LEAVES, early_stopping=False,
            categorical_features="from_dtype", verbose=1)

    def numbers_for_long(self, x):
        if not hasattr(x, "columns"):
            return x
        long = [name for name in x if x[name].dtype == "category" and len(x[name].cat.categories) > BINS]
        return x.assign(**{name: x[name].cat.codes.where(x[name].notna()).astype(float) for name in long})

    def dataset(self, x, y):
        return self.numbers_for_long(x), y

    def train(self, dataset):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.model.fit(*dataset)
        found = re.search(r"Binning .*?([0-9.]+) s", said.getvalue())
        self.binning = float(found.group(1)) if found else None

    def predict(self, x):
        return self.model.predict_proba(self.numbers_for_long(x))[:, 1]


PEERS = {
    "lightgbm": LightGBM,
    "lightgbm-quantized": lambda threads: LightGBM(threads, use_quantized_grad=True),
    "lightgbm-goss": lambda threads: LightGBM(threads, data_sample_strategy="goss"),
    "xgboost-depth6": lambda threads: XGBoost(threads, max_depth=DEPTH),
    "xgboost-lossguide": lambda threads: XGBoost(threads, grow_policy="lossguide", max_leaves=LEAVES, max_depth=0),
    "sklearn-hgb": HistGradientBoosting,
}
GROVE = {
    "grove": {"num_leaves": LEAVES},
    "grove-goss": {"num_leaves": LEAVES, "data_sample_strategy": "goss"},     # rates: 0.2 and 0.1, as LightGBM's
    "grove-depth6": {"num_leaves": 2 ** DEPTH, "max_depth": DEPTH},
}


def export(conn, name, table, where, like=None):
    """Features and label of some rows, as a matrix or (with texts) a frame whose categories are those of like."""
    import numpy as np
    import pandas as pd
    import copy_binary
    columns = table.numeric + table.text
    if not table.text:
        values = copy_binary.read(conn, "SELECT %s, %s::float8 FROM %s WHERE %s" % (
            ", ".join(columns), table.label, name, where), len(columns) + 1)
        return values[:, :-1].astype(np.float64), values[:, -1].astype(np.float64)
    stream = io.BytesIO()
    with conn.cursor() as cursor:
        cursor.copy_expert("COPY (SELECT %s, %s FROM %s WHERE %s) TO STDOUT (FORMAT csv, HEADER)" % (
            ", ".join(columns), table.label, name, where), stream)
    stream.seek(0)
    frame = pd.read_csv(stream, dtype={column: "category" for column in table.text})
    label = frame.pop(table.label).to_numpy(np.float64)
    if like is not None:
        for column in table.text:
            frame[column] = pd.Categorical(frame[column].astype(object), categories=like[column].cat.categories)
    return frame, label


def stages(notices):
    """What the parts of a training took in its backend: name -> (CPU, wall) seconds, from its messages at debug1."""
    told = re.compile(r"training, ([a-z ]+): CPU: user: ([0-9.]+) s, system: ([0-9.]+) s, elapsed: ([0-9.]+) s")
    found = [told.search(notice) for notice in notices]
    return {one.group(1): (float(one.group(2)) + float(one.group(3)), float(one.group(4))) for one in found if one}


def measure_peer(conn, contestant, name, table, threads):
    import tables
    from measure import Cost, auc, log_loss, memory_mib
    peer = PEERS[contestant](threads)
    tables.touch(conn, name)
    start = memory_mib("self", "VmRSS")
    with Cost(conn) as export_cost:
        x, y = export(conn, name, table, "id % 5 <> 0")
    peaks = [memory_mib("self", "VmHWM")]
    with Cost() as dataset_cost:
        dataset = peer.dataset(x, y)
    peaks.append(memory_mib("self", "VmHWM"))
    with Cost() as train_cost:
        peer.train(dataset)
    peaks.append(memory_mib("self", "VmHWM"))
    like, rows = x if table.text else None, len(y)
    # fit() tells its binning by the clock only; that share of its time is taken of its CPU
    binning = (getattr(peer, "binning", None) or 0.0) / train_cost.wall * train_cost.cpu
    del x, y, dataset
    x, y = export(conn, name, table, "id % 5 = 0", like)
    score = peer.predict(x)
    return {"version": peer.version, "rows": rows, "features": len(table.numeric + table.text),
            "export_wall": export_cost.wall, "export_cpu": export_cost.cpu, "export_backend": export_cost.backend,
            "dataset_wall": dataset_cost.wall, "dataset_cpu": dataset_cost.cpu, "train_wall": train_cost.wall,
            "train_cpu": train_cost.cpu, "grow_cpu": train_cost.cpu - binning,
            "prepare_cpu": export_cost.cpu + (export_cost.backend or 0) + dataset_cost.cpu + binning,
            "core_cpu": dataset_cost.cpu + train_cost.cpu,
            "total_cpu": export_cost.cpu + (export_cost.backend or 0) + dataset_cost.cpu + train_cost.cpu,
            "total_wall": export_cost.wall + dataset_cost.wall + train_cost.wall, "peak_mib": max(peaks) - start,
            "core_peak_mib": max(peaks[1:]) - start,
            "foreign": max(cost.foreign for cost in (export_cost, dataset_cost, train_cost)),
            "auc": auc(y, score), "log_loss": log_loss(y, score)}


def measure_grove(conn, contestant, name, table, threads):
    import numpy as np
    import tables
    from measure import Cost, auc, log_loss
    workers = threads - 1
    tables.run(conn, "SET max_parallel_maintenance_workers = %d; SET max_parallel_workers_per_gather = %d; "
                     "SET maintenance_work_mem = '2GB'; SET client_min_messages = debug1" % (workers, workers))
    columns = ", ".join(table.numeric + table.text)
    source = "SELECT %s, %s FROM %s WHERE id %% 5 <> 0" % (columns, table.label, name)
    params = {"num_iterations": TREES, "learning_rate": RATE, "max_bin": BINS, **GROVE[contestant]}
    tables.touch(conn, name)
    conn.notices.clear()
    with Cost(conn, workers > 0) as cost:
        tables.run(conn, "CREATE TEMP TABLE trained AS SELECT grove.train(%s, %s, %s::jsonb) AS model",
                   [source, table.label, json.dumps(params)])
    told = stages(conn.notices)
    tables.run(conn, "RESET client_min_messages")
    rows = tables.run(conn, "SELECT count(*) FROM %s WHERE id %% 5 <> 0" % name)[0]
    record = {"version": tables.run(conn, "SELECT extversion FROM pg_extension WHERE extname = 'pg_grove'")[0],
              "rows": rows, "features": len(table.numeric + table.text),
              "total_wall": cost.wall, "total_cpu": cost.server,
              "backend_cpu": cost.backend, "workers_cpu": cost.workers, "peak_mib": cost.peak,
              "foreign": cost.foreign}
    if "trees" in told:
        reading = np.add(told["first reading"], told["second reading"]).tolist()
        record.update(first_cpu=told["first reading"][0], second_cpu=told["second reading"][0], intake_cpu=reading[0],
                      intake_wall=reading[1], trees_cpu=told["trees"][0], trees_wall=told["trees"][1])
    try:
        with conn.cursor() as cursor:
            cursor.execute("SELECT s.%s, grove.predict(m.model, s) FROM trained m, (SELECT %s, %s FROM %s "
                           "WHERE id %% 5 = 0) s" % (table.label, columns, table.label, name))
            answer = np.array(cursor.fetchall(), float)
        record.update(auc=auc(answer[:, 0], answer[:, 1]), log_loss=log_loss(answer[:, 0], answer[:, 1]))
    except conn.ProgrammingError as error:
        record["unjudged"] = str(error).splitlines()[0]
    return record


def main():
    conninfo, contestant, name, threads, schema = sys.argv[1:]
    threads = int(threads)
    os.environ.update(OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE")     # before any library is loaded
    import psycopg2
    import tables
    measure = measure_grove if contestant in GROVE else measure_peer
    record = {"contestant": contestant, "table": name, "threads": threads}
    try:
        record.update(measure(tables.connect(conninfo, schema), contestant, name, tables.TABLES[name], threads))
    except ImportError as error:
        record["stopped"] = "skipped: %s is not installed" % error.name
    except psycopg2.Error as error:
        record["stopped"] = tables.why(error)
    print(json.dumps(record))


if __name__ == "__main__":
    main()
