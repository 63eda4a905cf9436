"""The tables of the benchmarks: generated with fixed seeds, loaded once, recognised by their comment.

All live in the schema grove_bench, so that a run against a database in use touches nothing else; further draws of a
table, with other seeds, in grove_bench_draws, which goes after use.  Hold-out is id % 5 = 0.  Same seed, same table,
wherever numpy's PCG64 streams are the same, but for the last bits of exp and its like, which numpy may
compute otherwise on another processor.

usage: tables.py CONNINFO [table ...]
"""
import contextlib
import io
import sys
import time
from collections import namedtuple

import numpy as np
import pandas as pd
import psycopg2

import copy_binary

SCHEMA, DRAWS = "grove_bench", "grove_bench_draws"
VERSION = 1

# types: column -> type, in table order; blocks(rows, seed): yields frames (column -> array) without the id
Table = namedtuple("Table", "rows seed types numeric text label blocks")


def generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def event_block(rows, seed):
    """A lepton, missing energy and four jets (21 columns), seven masses derived from them with smear, as in the
    Higgs data; the label depends on about ten of them, not linearly, with logistic noise."""
    rng = generator(seed)
    x = np.empty((rows, 28))

    def momentum(spread):
        return np.exp(rng.normal(0, spread, rows))

    def angle():
        return rng.uniform(-np.pi, np.pi, rows)

    def rapidity():
        return rng.normal(0, 1, rows)

    x[:, 0], x[:, 1], x[:, 2] = momentum(0.5), rapidity(), angle()
    x[:, 3], x[:, 4] = momentum(0.55), angle()
    tag_values = np.array([0.0, 1.0865, 2.1731])
    jets = [5, 9, 13, 17]
    for number, jet in enumerate(jets):
        x[:, jet], x[:, jet + 1], x[:, jet + 2] = momentum(0.5 + 0.05 * number), rapidity(), angle()
        x[:, jet + 3] = tag_values[rng.choice(3, rows, p=[0.5, 0.2, 0.3])]

    def pair_mass(a, b):
        opening = np.cosh(x[:, a + 1] - x[:, b + 1]) - np.cos(x[:, a + 2] - x[:, b + 2])
        return np.sqrt(2 * x[:, a] * x[:, b] * np.maximum(opening, 0))

    first, second, mixed = pair_mass(5, 9), pair_mass(13, 17), pair_mass(5, 13)
    transverse = np.sqrt(2 * x[:, 0] * x[:, 3] * np.maximum(1 - np.cos(x[:, 2] - x[:, 4]), 0))
    masses = [(first, 0.05), (second, 0.05), (transverse, 0.05), (mixed, 0.05),
              (np.sqrt(first * second) + 0.3 * transverse, 0.1), (np.hypot(first, transverse), 0.05),
              (np.sqrt(first ** 2 + second ** 2 + transverse ** 2), 0.05)]
    for column, (mass, smear) in enumerate(masses, 21):
        x[:, column] = mass * np.exp(rng.normal(0, smear, rows))

    score = 2.2 * np.exp(-((first - 1.1) / 0.45) ** 2) + 1.3 * np.exp(-((second - 0.9) / 0.4) ** 2)
    score -= 1.1 * np.log1p(transverse)
    score += 0.55 * (x[:, 8] + x[:, 12]) - 0.35 * x[:, 16] * (x[:, 3] > 1.2)
    score += 0.9 * np.tanh(x[:, 0] - 1) * np.tanh(x[:, 3] - 1)
    score += 0.5 * np.sin(x[:, 2] - x[:, 4]) - 0.35 * np.abs(x[:, 1] - x[:, 6])
    score += 0.6 * ((x[:, 5] > 1.5) ^ (x[:, 9] < 0.8))
    score = 1.05 * (score - np.median(score)) + 0.12
    return x, (score + rng.logistic(0, 1, rows) > 0).astype(np.int32)


def numbered(x, first=0):
    return {"f%d" % (first + column): x[:, column] for column in range(x.shape[1])}


def event_frames(rows, seed, rows_per_block=1_000_000):
    for number, first in enumerate(range(0, rows, rows_per_block)):
        x, label = event_block(min(rows_per_block, rows - first), seed + number)
        yield {**numbered(x), "label": label}


SHOP_TEXT = {"device": 2, "channel": 5, "daypart": 12, "region": 50, "brand": 200, "campaign": 800,
             "category": 2000, "sku": 5000}
SHOP_NUMBERS = ["price", "pages", "seconds", "recency", "spend", "age", "discount", "affinity", "basket", "hour"]
SHOP_NULLS = {"seconds": 0.2, "spend": 0.3, "age": 0.12, "affinity": 0.05, "region": 0.02, "brand": 0.04,
              "campaign": 0.06, "category": 0.08, "sku": 0.1}


def visit_frames(rows, seed, positives=0.03):
    """Shop sessions: ten numbers and eight texts of 2 to 5,000 levels with Zipf frequencies and an effect for each
    level, NULLs at random in nine columns, few buyers."""
    rng = generator(seed)
    price, seconds = np.exp(rng.normal(3, 1, rows)), np.exp(rng.normal(4, 1.2, rows))
    pages, basket = rng.poisson(4, rows), rng.poisson(1, rows)
    recency, spend = rng.integers(0, 365, rows), rng.gamma(2, 10, rows)
    age, discount = rng.integers(18, 80, rows), rng.uniform(0, 1, rows)
    affinity, hour = rng.normal(0, 1, rows), rng.integers(0, 24, rows)
    score = -0.35 * np.log(price) + 0.16 * np.minimum(pages, 10) + 0.3 * np.log(seconds) - 0.004 * recency
    score += 0.012 * spend + 1.4 * discount * (basket > 0) + 0.45 * basket - 0.0006 * (age - 40.0) ** 2
    score += 0.3 * np.sin(hour / 12 * np.pi)
    frame = dict(zip(SHOP_NUMBERS, [price, pages, seconds, recency, spend, age, discount, affinity, basket, hour]))
    for name, levels in SHOP_TEXT.items():
        share = 1 / np.arange(1, levels + 1) ** 1.1
        code = rng.choice(levels, rows, p=share / share.sum())
        score += rng.normal(0, 0.55 if levels > 5 else 0.3, levels)[code]
        frame[name] = np.array(["%s-%04d" % (name, level) for level in range(levels)], object)[code]
    noisy = 1.1 * (score - score.mean()) + rng.logistic(0, 1, rows)
    label = (noisy > np.quantile(noisy, 1 - positives)).astype(np.int32)
    for name, share in SHOP_NULLS.items():
        is_text = name in SHOP_TEXT
        values = frame[name].copy() if is_text else frame[name].astype(float)
        values[rng.uniform(0, 1, rows) < share] = None if is_text else np.nan
        frame[name] = values
    yield {**frame, "label": label}


LEVELS_TEXT = {"address": 7500, "model": 2000, "agent": 1000, "segment": 400, "district": 150, "reason": 60,
               "month": 12, "product": 10}
# standard deviations of what the levels add; the other columns tell nothing
LEVELS_EFFECT = {"model": 0.5, "segment": 0.6, "district": 0.4, "month": 0.3, "product": 0.5}


def level_frames(rows, seed, positives=0.2):
    """Eight texts, no number: five with an effect for each level, of which product changes that of segment, and three
    of noise, among them the longest, that only invite a learner to remember rows."""
    rng = generator(seed)
    frame, code, score = {}, {}, np.zeros(rows)
    for name, levels in LEVELS_TEXT.items():
        share = 1 / np.arange(5, levels + 5) ** 0.8
        code[name] = rng.choice(levels, rows, p=share / share.sum())
        score += rng.normal(0, LEVELS_EFFECT.get(name, 0), levels)[code[name]]
        frame[name] = np.array(["%s-%04d" % (name, level) for level in rng.permutation(levels)], object)[code[name]]
    mixed = rng.normal(0, 0.5, (LEVELS_TEXT["segment"], LEVELS_TEXT["product"]))
    noisy = score + mixed[code["segment"], code["product"]] + rng.logistic(0, 1, rows)
    yield {**frame, "label": (noisy > np.quantile(noisy, 1 - positives)).astype(np.int32)}


def small_frames(rows, seed):
    """The first fifteen columns of events, label and all."""
    for frame in event_frames(rows, seed):
        yield {name: frame[name] for name in ["f%d" % column for column in range(15)] + ["label"]}


def wide_frames(rows, seed, columns=200, factors=12):
    """Columns that share twelve hidden factors in different proportions; a third of them rounded to few values, a
    third skewed; the label depends on products of factors and on twenty columns directly."""
    rng = generator(seed)
    hidden = rng.normal(0, 1, (rows, factors))
    x = hidden @ (rng.normal(0, 1, (factors, columns)) / np.sqrt(factors)) + rng.normal(0, 0.7, (rows, columns))
    score = 0.9 * hidden[:, 0] * hidden[:, 1] + np.sin(2 * hidden[:, 2]) - 0.7 * np.abs(hidden[:, 3])
    score += 0.25 * np.tanh(x[:, :20]) @ rng.choice([-1.0, 1.0], 20)
    x[:, 1::3] = np.round(x[:, 1::3] * 2) / 2
    x[:, 2::3] = np.exp(x[:, 2::3])
    score = 1.3 * (score - np.median(score))
    yield {**numbered(x), "label": (score + rng.logistic(0, 1, rows) > 0).astype(np.int32)}


def long_frames(rows, seed, rows_per_block=1_000_000):
    """Ten columns, for scaling with rows; two interactions, one skewed and one discrete column."""
    for number, first in enumerate(range(0, rows, rows_per_block)):
        rng, size = generator(seed + number), min(rows_per_block, rows - first)
        x = rng.normal(0, 1, (size, 10))
        x[:, 3], x[:, 7] = np.exp(x[:, 3]), rng.integers(0, 20, size)
        score = 1.2 * x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.6 * np.log1p(x[:, 3]) * (x[:, 4] > 0)
        score += 0.1 * (x[:, 7] % 3) - 0.8 * np.abs(x[:, 5]) + 0.5
        yield {**numbered(x), "label": (score + rng.logistic(0, 1, size) > 0).astype(np.int32)}


def item_frames(rows, seed, items=20_000):
    """28 columns with the id: events with an item whose frequencies follow Zipf's law and a size weight."""
    for number, frame in enumerate(event_frames(rows, seed)):
        rng, size = generator([seed, number]), len(frame["label"])
        share = 1 / np.arange(1, items + 1)
        frame = {name: frame[name] for name in list(frame)[:25]}
        yield {"item": rng.choice(items, size, p=share / share.sum()).astype(np.int32),
               "amount": np.exp(rng.normal(0, 1, size)), **frame}


def number_table(rows, seed, features, blocks):
    names = ["f%d" % feature for feature in range(features)]
    return Table(rows, seed, {**{name: "float8" for name in names}, "label": "int4"}, names, [], "label", blocks)


TABLES = {
    "events": number_table(1_000_000, 20240601, 28, event_frames),
    "visits": Table(1_000_000, 20240602,
                    {**{name: "float8" for name in SHOP_NUMBERS}, **{name: "text" for name in SHOP_TEXT},
                     "label": "int4"}, SHOP_NUMBERS, list(SHOP_TEXT), "label", visit_frames),
    "events50k": number_table(50_000, 20240603, 28, event_frames),
    "wide200": number_table(200_000, 20240604, 200, wide_frames),
    "levels": Table(300_000, 20240607, {**{name: "text" for name in LEVELS_TEXT}, "label": "int4"}, [],
                    list(LEVELS_TEXT), "label", level_frames),
    "small5k": number_table(6_250, 20240608, 15, small_frames),       # 5,000 of them are trained on
    "long10m": number_table(10_000_000, 20240605, 10, long_frames),
    "items3m": Table(3_000_000, 20240606,
                     {"item": "int4", "amount": "float8", **{"f%d" % i: "float8" for i in range(25)}},
                     ["f%d" % i for i in range(25)], [], None, item_frames),
}


def connect(conninfo, schema=SCHEMA):
    """A connection in autocommit mode whose search_path finds the tables; no JIT, serial plans."""
    conn = psycopg2.connect(conninfo)
    conn.autocommit = True
    run(conn, "SET search_path = %s, public; SET jit = off; SET max_parallel_workers_per_gather = 0" % schema)
    return conn


def run(conn, statement, values=None):
    """Executes, and returns the first row when there are rows."""
    with conn.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if cursor.description else None


def touch(conn, name):
    """Reads every row of a table, so that its pages are in shared buffers and mapped by this backend.  A count of
    rows alone would read an index, and a parallel worker would map a part of the pages."""
    workers = run(conn, "SHOW max_parallel_workers_per_gather")[0]
    run(conn, "SET max_parallel_workers_per_gather = 0; SELECT count(t) FROM %s AS t" % name)
    run(conn, "SET max_parallel_workers_per_gather = %s" % workers)


NOT_THERE = ("42883", "3F000", "42704")     # no such function, schema, TABLESAMPLE method


def why(error):
    """What a psycopg2.Error means for a measurement, as a line."""
    return "%s: %s" % ("skipped" if error.pgcode in NOT_THERE else "failed", str(error).splitlines()[0])


def load(conn, name):
    """Makes the table unless it is there with the same rows, seed and version; returns seconds, 0 when it was."""
    table = TABLES[name]
    stamp = "pg_grove benchmark %d: %d rows, seed %d" % (VERSION, table.rows, table.seed)
    run(conn, "CREATE SCHEMA IF NOT EXISTS " + SCHEMA)
    where, seconds = "%s.%s" % (SCHEMA, name), 0.0
    if run(conn, "SELECT obj_description(to_regclass(%s), 'pg_class')", [where])[0] != stamp:
        begin = time.monotonic()
        run(conn, "DROP TABLE IF EXISTS " + where)
        fill(conn, where, table)
        run(conn, "COMMENT ON TABLE %s IS '%s'" % (where, stamp))
        seconds = time.monotonic() - begin
    with contextlib.suppress(psycopg2.Error):   # scans do not put a large table into shared buffers
        run(conn, "CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        run(conn, "SELECT pg_prewarm('%s')" % where)
    return seconds


def load_draw(conn, name, draw, rows=None):
    """The same table as another seed draws it, in place of what the schema of draws held before."""
    table = TABLES[name]
    drop_draws(conn)
    run(conn, "CREATE SCHEMA " + DRAWS)
    fill(conn, "%s.%s" % (DRAWS, name), table._replace(rows=rows or table.rows, seed=table.seed + 1000 * draw))


def drop_draws(conn):
    run(conn, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS %s CASCADE; RESET client_min_messages" % DRAWS)


def fill(conn, where, table):
    run(conn, "CREATE TABLE %s (id int4, %s)" % (where, ", ".join("%s %s" % c for c in table.types.items())))
    first = 1
    for frame in table.blocks(table.rows, table.seed):
        size = len(next(iter(frame.values())))
        frame = {"id": np.arange(first, first + size, dtype=np.int32), **frame}
        first += size
        if table.text:
            text = io.StringIO(pd.DataFrame(frame).to_csv(index=False, header=False))
            with conn.cursor() as cursor:
                cursor.copy_expert("COPY %s (%s) FROM STDIN (FORMAT csv)" % (where, ", ".join(frame)), text)
        else:
            copy_binary.write(conn, where, frame, {"id": "int4", **table.types})
    run(conn, "ALTER TABLE %s ADD PRIMARY KEY (id)" % where)
    run(conn, "VACUUM (FREEZE, ANALYZE) " + where)


def main():
    conn = connect(sys.argv[1])
    for name in sys.argv[2:] or TABLES:
        seconds = load(conn, name)
        print("%-10s %10d rows  %s" % (name, TABLES[name].rows, "%.1f s" % seconds if seconds else "was there"))


if __name__ == "__main__":
    main()
