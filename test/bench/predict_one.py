"""One peer's predictions for the table events, measured, in a process of its own.

usage: predict_one.py CONNINFO PEER MODEL_FILE train|measure          prints one JSON line

Measured with one thread: all rows at once from memory, single rows through Python and (LightGBM) through the C call
for single rows, and the round trip of a user whose rows live in the database: COPY out, predict, COPY (id, score)
back.  MODEL_FILE.sql gets the LightGBM model as a sum of CASE expressions, the translation that one would write.
"""
import ctypes
import json
import os
import sys
import time

SINGLE_ROWS = 2000


def load(library, path):
    if library == "lightgbm":
        import lightgbm
        model = lightgbm.Booster(model_file=path)
        return model, lambda x: model.predict(x, num_threads=1)
    import xgboost
    model = xgboost.Booster(model_file=path)
    model.set_param({"nthread": 1})
    return model, model.inplace_predict


def case_text(node):
    """A LightGBM tree without missing values as nested CASE."""
    if "leaf_value" in node:
        return "%r::float8" % node["leaf_value"]
    return "CASE WHEN f%d <= %r::float8 THEN %s ELSE %s END" % (
        node["split_feature"], node["threshold"], case_text(node["left_child"]), case_text(node["right_child"]))


def train(conninfo, peer, path):
    import tables
    import train_one
    contestant = train_one.PEERS[peer](1)
    x, y = train_one.export(tables.connect(conninfo), "events", tables.TABLES["events"], "id % 5 <> 0")
    contestant.train(contestant.dataset(x, y))
    contestant.model.save_model(path)
    if peer.startswith("lightgbm"):
        trees = [case_text(tree["tree_structure"]) for tree in contestant.model.dump_model()["tree_info"]]
        with open(path + ".sql", "w") as file:
            file.write("\n".join(trees))
    return {"trained": path}


def single_rows(predict, x):
    begin = time.process_time()
    for row in range(SINGLE_ROWS):
        predict(x[row:row + 1])
    return (time.process_time() - begin) / SINGLE_ROWS * 1e6


def single_rows_c(model, x):
    """LightGBM's call for single rows with everything prepared, without the Python wrapper around it."""
    import lightgbm
    library = lightgbm.basic._LIB
    config, length, score = ctypes.c_void_p(), ctypes.c_int64(), ctypes.c_double()
    float64, normal = 1, 0
    if library.LGBM_BoosterPredictForMatSingleRowFastInit(
            model._handle, normal, 0, -1, float64, ctypes.c_int32(x.shape[1]), b"num_threads=1",
            ctypes.byref(config)):
        return None
    rows = [x[row].ctypes.data_as(ctypes.c_void_p) for row in range(SINGLE_ROWS)]
    begin = time.process_time()
    for row in rows:
        library.LGBM_BoosterPredictForMatSingleRowFast(config, row, ctypes.byref(length), ctypes.byref(score))
    used = time.process_time() - begin
    library.LGBM_FastConfigFree(config)
    return used / SINGLE_ROWS * 1e6


def measure(conninfo, peer, path):
    import numpy as np
    import copy_binary
    import tables
    from measure import Cost
    library = peer.split("-")[0]
    model, predict = load(library, path)
    conn = tables.connect(conninfo)
    features = tables.TABLES["events"].numeric
    wire = copy_binary.read(conn, "SELECT %s FROM events" % ", ".join(features), len(features))
    x = wire.astype(np.float64)
    with Cost() as batch:
        predict(x)
    record = {"rows": len(x), "batch_cpu": batch.cpu, "single_us": single_rows(predict, x)}
    if library == "lightgbm":
        record["single_c_us"] = single_rows_c(model, x)
    del wire, x
    tables.run(conn, "DROP TABLE IF EXISTS scored; CREATE UNLOGGED TABLE scored (id int4, score float8)")
    with Cost(conn) as trip:
        wire = copy_binary.read(conn, "SELECT id::float8, %s FROM events" % ", ".join(features), len(features) + 1)
        score = predict(wire[:, 1:].astype(np.float64))
        copy_binary.write(conn, "scored", {"id": wire[:, 0].astype(np.int32), "score": score},
                          {"id": "int4", "score": "float8"})
    tables.run(conn, "DROP TABLE scored")
    return {**record, "trip_cpu": trip.cpu + (trip.backend or 0), "trip_wall": trip.wall, "foreign": trip.foreign}


def main():
    os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")
    conninfo, peer, path, action = sys.argv[1:5]
    try:
        record = (train if action == "train" else measure)(conninfo, peer, path)
    except ImportError as error:
        record = {"stopped": "skipped: %s is not installed" % error.name}
    print(json.dumps({"contestant": peer, **record}))


if __name__ == "__main__":
    main()
