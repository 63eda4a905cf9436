"""Models of other libraries in SQL: equal predictions, equal explanations.

psql, on the server that libpq's environment names, does what a user would do.
Each case prints one line, "ok - ..." or "not ok - ...".
"""
import json
import math
import subprocess
import sys
import warnings

import lightgbm
import numpy
import shap
import xgboost

warnings.simplefilter("ignore")
PSQL = sys.argv[1]
ROWS = 300
failed = False


def report(name, worst, limit):
    global failed
    if worst <= limit:
        print(f"ok - {name}")
    else:
        failed = True
        print(f"not ok - {name}: off by {worst:.3g}")
    sys.stdout.flush()


def psql(script):
    done = subprocess.run([PSQL, "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"], input=script, text=True, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def load(name, importer, text, rows, names):
    """A table of the rows, numbered, with columns of the types that the model was trained on; and the imported model."""
    types = ["real" if importer == "import_xgboost" else "float8"] * len(names)
    lines = ["\\set standard_conforming_strings on", f"DROP TABLE IF EXISTS {name}, {name}_model;"]
    lines.append(f"CREATE TABLE {name} (i int, {', '.join(f'{n} {t}' for n, t in zip(names, types))});")
    lines.append(f"COPY {name} FROM STDIN;")
    for i, row in enumerate(rows):
        lines.append("\t".join([str(i)] + ["\\N" if math.isnan(v) else repr(float(v)) for v in row]))
    lines.append("\\.")
    lines.append(f"CREATE TABLE {name}_model AS SELECT grove.{importer}({literal(text)}) AS m;")
    psql("\n".join(lines) + "\n")


def predicted(name, classes):
    function = "to_jsonb(grove.predict_proba(m, t))" if classes > 2 else "to_jsonb(ARRAY[grove.predict(m, t)])"
    out = psql(f"SELECT {function} FROM {name} AS t, {name}_model ORDER BY i;")
    return numpy.array([json.loads(line) for line in out.splitlines()])


def explained(name, names):
    """[rows][features + 1], the base value last, as shap and LightGBM order them."""
    out = psql(f"""SELECT jsonb_object_agg(coalesce(e.feature, ''), e.contribution)
        FROM {name} AS t, {name}_model, grove.explain(m, t) AS e GROUP BY t.i ORDER BY t.i;""")
    rows = [json.loads(line) for line in out.splitlines()]
    return numpy.array([[row[n] for n in names + [""]] for row in rows])


def difference(ours, theirs):
    theirs = numpy.asarray(theirs, dtype=float).reshape(ours.shape)
    return float(numpy.max(numpy.abs(ours - theirs) / numpy.maximum(1, numpy.abs(theirs)), initial=0))


def make_rows(rng, n, missing, categorical):
    rows = rng.normal(size=(n, 6))
    rows[:, 3] = rng.integers(-3, 4, n)
    if missing:
        rows[rng.random(rows.shape) < 0.1] = numpy.nan
    if categorical:
        rows[:, 4] = rng.integers(0, 8, n)
        rows[:, 5] = rng.integers(0, 60, n)
        if missing:
            rows[rng.random(n) < 0.1, 5] = numpy.nan
    return rows


def target(rng, rows, kind):
    known = numpy.nan_to_num(rows)
    score = known[:, 0] + known[:, 1] * known[:, 2] + numpy.sin(known[:, 3]) + (known[:, 4] == 3) + known[:, 5] % 7 / 3
    score = score + rng.normal(size=len(rows)) / 3
    if kind == "value":
        return score
    if kind == "count":
        return numpy.floor(numpy.exp(numpy.clip(score / 3, -3, 3)))
    if kind == "binary":
        return (score > 1).astype(int)
    return numpy.digitize(score, [0, 1.5])


NAMES = [f"x{i}" for i in range(6)]
LIGHTGBM_CASES = [
    ("regression", "value", {"objective": "regression"}, True, False),
    ("no missing values in training", "value", {"objective": "regression"}, False, False),
    ("categories", "value", {"objective": "regression", "min_data_per_group": 5, "cat_smooth": 1}, True, True),
    ("binary", "binary", {"objective": "binary"}, True, True),
    ("binary with a sigmoid", "binary", {"objective": "binary", "sigmoid": 0.7}, True, False),
    ("cross entropy", "binary", {"objective": "cross_entropy"}, True, False),
    ("multiclass", "class", {"objective": "multiclass", "num_class": 3}, True, True),
    ("poisson", "count", {"objective": "poisson"}, True, False),
    ("tweedie", "count", {"objective": "tweedie"}, True, False),
    ("quantile", "value", {"objective": "quantile", "alpha": 0.8}, True, False),
    ("dart", "value", {"objective": "regression", "boosting": "dart"}, True, False),
    ("random forest", "binary", {"objective": "binary", "boosting": "rf", "bagging_fraction": 0.6, "bagging_freq": 1}, True, False),
    ("deep trees", "value", {"objective": "regression", "num_leaves": 500, "min_data_in_leaf": 1}, True, True),
]


def train_lightgbm(rng, kind, params, missing, categorical):
    rows = make_rows(rng, 1500, missing, categorical)
    data = lightgbm.Dataset(rows, target(rng, rows, kind), feature_name=NAMES,
                            categorical_feature=[4, 5] if categorical else [])
    settings = {"verbose": -1, "num_leaves": 15, "min_data_in_leaf": 5, "num_threads": 1, "seed": 1, **params}
    return lightgbm.train(settings, data, 12)


def check_lightgbm():
    for number, (title, kind, params, missing, categorical) in enumerate(LIGHTGBM_CASES):
        rng = numpy.random.default_rng(number)
        model = train_lightgbm(rng, kind, params, missing, categorical)
        rows = make_rows(rng, ROWS, True, categorical)    # NaN also where training had none
        classes = params.get("num_class", 1)
        load("parity", "import_lightgbm", model.model_to_string(), rows, NAMES)
        report(f"LightGBM, {title}: equal predictions", difference(predicted("parity", classes), model.predict(rows)), 1e-12)
        if classes == 1 and "sigmoid" not in params and params.get("boosting") != "rf":
            theirs = model.predict(rows, pred_contrib=True)
            report(f"LightGBM, {title}: equal contributions", difference(explained("parity", NAMES), theirs), 1e-9)


def check_shap():
    """shap's own words for it: values and the expected value, of margins."""
    for title, kind, params in [("regression", "value", {"objective": "regression"}), ("binary", "binary", {"objective": "binary"})]:
        rng = numpy.random.default_rng(99)
        model = train_lightgbm(rng, kind, params, True, True)
        rows = make_rows(rng, ROWS, True, True)
        load("parity", "import_lightgbm", model.model_to_string(), rows, NAMES)
        explainer = shap.TreeExplainer(model)
        values = numpy.asarray(explainer.shap_values(rows))
        values = values[-1] if values.ndim == 3 else values
        base = numpy.atleast_1d(explainer.expected_value)[-1]
        theirs = numpy.hstack([values, numpy.full((len(rows), 1), base)])
        report(f"shap.TreeExplainer, {title}: equal contributions", difference(explained("parity", NAMES), theirs), 1e-9)


XGBOOST_CASES = [
    ("regression", "value", {"objective": "reg:squarederror"}, False),
    ("binary", "binary", {"objective": "binary:logistic"}, False),
    ("binary with a base score", "binary", {"objective": "binary:logistic", "base_score": 0.3}, False),
    ("multiclass", "class", {"objective": "multi:softprob", "num_class": 3}, False),
    ("multiclass, forests", "class", {"objective": "multi:softprob", "num_class": 3, "num_parallel_tree": 2}, False),
    ("poisson", "count", {"objective": "count:poisson"}, False),
    ("pruned trees", "value", {"objective": "reg:squarederror", "gamma": 3}, False),
    ("categories", "value", {"objective": "reg:squarederror", "max_cat_to_onehot": 4}, True),
]


def check_xgboost():
    """Margins are sums of single precision there: equal to its rounding."""
    for number, (title, kind, params, categorical) in enumerate(XGBOOST_CASES):
        rng = numpy.random.default_rng(number)
        types = ["c" if categorical and i >= 4 else "q" for i in range(6)]
        rows = make_rows(rng, 1500, True, categorical).astype(numpy.float32)
        data = xgboost.DMatrix(rows, target(rng, rows, kind), feature_names=NAMES, feature_types=types, enable_categorical=True)
        model = xgboost.train({"max_depth": 5, "nthread": 1, "seed": 1, **params}, data, 12)
        rows = make_rows(rng, ROWS, True, categorical).astype(numpy.float32)
        load("parity", "import_xgboost", model.save_raw("json").decode(), rows, NAMES)
        data = xgboost.DMatrix(rows, feature_names=NAMES, feature_types=types, enable_categorical=True)
        classes = params.get("num_class", 1)
        report(f"XGBoost, {title}: equal predictions", difference(predicted("parity", classes), model.predict(data)), 5e-6)
        if classes == 1 and not categorical:
            theirs = model.predict(data, pred_contribs=True)
            report(f"XGBoost, {title}: equal contributions", difference(explained("parity", NAMES), theirs), 2e-5)


EXPORT_CASES = [
    ("regression", "value", "x0, x1, x2, x3, 'c' || x4 AS x4, 'd' || x5 AS x5", '{"num_iterations": 10}'),
    ("binary", "value > 1", "x0, x1, x2, x3, x4::text, 'd' || x5 AS x5", '{"num_iterations": 10}'),
    ("multiclass", "least(greatest(floor(value), 0), 3)::int", "x0, x1, x2, x3, x4, x5", '{"num_iterations": 5, "objective": "multiclass"}'),
    ("forest", "value", "x0, x1, x2, x3, x4, x5", '{"num_iterations": 5, "algorithm": "forest"}'),
    ("poisson", "floor(exp(least(value, 3)))", "x0, x1, x2, x3, x4, x5", '{"num_iterations": 5, "objective": "poisson"}'),
]


def check_export():
    """Models trained here, loaded by LightGBM: a category is its place among the levels, NaN when it is none of them."""
    rng = numpy.random.default_rng(5)
    rows = make_rows(rng, 1500, True, True)
    values = target(rng, rows, "value")
    lines = ["DROP TABLE IF EXISTS export;", f"CREATE TABLE export (i int, value float8, {', '.join(n + ' float8' for n in NAMES)});",
             "COPY export FROM STDIN;"]
    for i, row in enumerate(rows):
        lines.append("\t".join([str(i), repr(float(values[i]))] + ["\\N" if math.isnan(v) else repr(float(v)) for v in row]))
    lines.append("\\.")
    psql("\n".join(lines) + "\n")
    for title, y, columns, params in EXPORT_CASES:
        psql(f"""DROP TABLE IF EXISTS export_model;
            CREATE TABLE export_model AS SELECT grove.train({literal(f'SELECT {y} AS y, {columns} FROM export')}, 'y', '{params}') AS m;""")
        text = psql("SELECT grove.export_lightgbm(m) FROM export_model;")
        levels = json.loads(psql("SELECT grove.export_json(m) -> 'features' FROM export_model;"))
        codes = [{label: place for place, label in enumerate(f["levels"])} if "levels" in f else None for f in levels]
        if all(label.isdigit() for label in codes[4] or "x"):
            codes[4] = {label: int(label) for label in codes[4]}
        out = psql(f"""SELECT to_jsonb(r) -> 'x0', to_jsonb(r) -> 'x1', to_jsonb(r) -> 'x2', to_jsonb(r) -> 'x3', to_jsonb(r) -> 'x4', to_jsonb(r) -> 'x5',
            CASE WHEN cardinality(grove.classes(m)) > 2 THEN to_jsonb(grove.predict_proba(m, r)) ELSE to_jsonb(ARRAY[grove.predict(m, r)]) END
            FROM (SELECT i, {columns} FROM export) AS r, export_model ORDER BY i;""")
        data, ours = [], []
        for line in out.splitlines():
            fields = [json.loads(field) for field in line.split("|")]
            data.append([math.nan if v is None else v if c is None else c.get(v, math.nan) for v, c in zip(fields, codes)])
            ours.append(fields[6])
        model = lightgbm.Booster(model_str=text)
        report(f"LightGBM loads an export, {title}: equal predictions", difference(numpy.array(ours), model.predict(numpy.array(data, dtype=float))), 1e-12)


check_lightgbm()
check_shap()
check_export()
check_xgboost()
sys.exit(failed)
