"""Table to model: ours next to its peers, on the same rows, in the same run.

Runs train_one.py again and again, interleaved (ours, peer, peer, ..., ours, ...), and prints for each table the
medians, the ratios of neighbouring runs, and what the machine did besides.  Every measurement is kept as a JSON line.
"""
import argparse
import datetime
import json
import os
import subprocess
import sys

import measure
import tables
import train_one

HERE = os.path.dirname(os.path.abspath(__file__))
USUAL_TABLES = ["events", "visits", "events50k", "wide200"]
LIMIT_SECONDS = 3600


def run_one(args, contestant, table, threads):
    environment = dict(os.environ, OMP_WAIT_POLICY="PASSIVE", OMP_NUM_THREADS=str(threads))
    command = [sys.executable, "-B", os.path.join(HERE, "train_one.py"), args.conninfo, contestant, table, str(threads)]
    try:
        done = subprocess.run(command, env=environment, timeout=LIMIT_SECONDS, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return {"stopped": "failed: longer than %d s" % LIMIT_SECONDS}
    if done.returncode:
        return {"stopped": "failed: " + (done.stderr.strip().splitlines() or ["exit %d" % done.returncode])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def scan_yardstick(conninfo, name):
    """CPU of the cheapest statement that reads every feature of the training rows: what intake can not go below."""
    conn = tables.connect(conninfo)
    numeric = tables.TABLES[name].numeric
    tables.run(conn, "SELECT count(*) FROM " + name)
    with measure.Cost(conn) as cost:
        tables.run(conn, "SELECT %s FROM %s WHERE id %% 5 <> 0" % (" + ".join("sum(%s)" % f for f in numeric), name))
    return cost.backend


def column(runs, contestant, key):
    return [run.get(key) for run in runs[contestant]]


def summary(runs):
    head = ["", "export", "dataset", "train", "total cpu", "wall", "peak MiB", "core MiB", "AUC", "log-loss", "foreign"]
    rows = []
    for contestant, measured in runs.items():
        def middle(key):
            return measure.median([run.get(key) for run in measured])

        export, backend = middle("export_cpu"), middle("export_backend")
        quality = [middle(key) for key in ("auc", "log_loss")]
        memory = [middle(key) for key in ("peak_mib", "core_peak_mib")]
        rows.append([contestant, export and export + (backend or 0), middle("dataset_cpu"), middle("train_cpu"),
                     middle("total_cpu"), middle("total_wall")] + [size and round(size) for size in memory] +
                    [value and "%.4f" % value for value in quality] + [middle("foreign")])
    return measure.table_text(head, rows)


# title -> key of ours, key of theirs
RATIOS = {"total cpu": ("total_cpu", "total_cpu"), "/ core cpu": ("total_cpu", "core_cpu"),
          "wall": ("total_wall", "total_wall"), "peak": ("peak_mib", "peak_mib"),
          "/ core peak": ("peak_mib", "core_peak_mib")}


def ratios(runs, mine):
    """Ours over each peer, and over the peer that this is nearest to or farthest behind: the best one."""
    found = {peer: {title: measure.paired_ratio(column(runs, mine, ours), column(runs, peer, theirs))
                    for title, (ours, theirs) in RATIOS.items()} for peer in runs if peer in train_one.PEERS}
    if not found:
        return ""
    best = {title: max((of_peer[title] for of_peer in found.values() if of_peer[title]), default=None)
            for title in RATIOS}
    rows = [[name] + [ratio and "%.2f (%.2f-%.2f)" % ratio for ratio in of_peer.values()]
            for name, of_peer in list(found.items()) + [("best peer", best)]]
    return measure.table_text([mine + " /"] + list(RATIOS), rows)


def intake_lines(runs, yardstick):
    """What the model itself says about reading and growing, and the scan beside it."""
    lines = []
    for contestant in train_one.GROVE:
        told = [run["metrics"] for run in runs.get(contestant, []) if isinstance(run.get("metrics"), dict)]
        if not told:
            continue
        times = {key: measure.median([one.get(key) for one in told]) for key in told[0] if key.endswith("_ms")}
        lines.append("  %s measured by itself, ms: %s" % (
            contestant, ", ".join("%s %.0f" % (key[:-3], value) for key, value in times.items() if value is not None)))
        if times.get("intake_ms"):
            rows = measure.median(column(runs, contestant, "rows"))
            lines.append("  %s intake: %.0f rows/s" % (contestant, rows / times["intake_ms"] * 1000))
    for unjudged in {run["unjudged"] for measured in runs.values() for run in measured if "unjudged" in run}:
        lines.append("  no AUC: " + unjudged)
    if measure.median(yardstick):
        lines.append("  scan that sums every numeric feature of the same rows: %.3f CPU s" % measure.median(yardstick))
    return lines


def bench_table(args, name, log, stamp):
    """Measures everybody on one table and prints what came out; true when somebody failed."""
    conn = tables.connect(args.conninfo)
    seconds = tables.load(conn, name)
    conn.close()
    print("\n== %s: %d rows, %s features%s" % (
        name, tables.TABLES[name].rows, len(tables.TABLES[name].numeric + tables.TABLES[name].text),
        ", loaded in %.0f s" % seconds if seconds else ""), flush=True)
    stopped, yardstick = {}, []
    runs = {contestant: [] for contestant in args.contestants}
    for repetition in range(args.reps):
        yardstick.append(scan_yardstick(args.conninfo, name))
        for contestant in args.contestants:
            if contestant in stopped:
                continue
            run = run_one(args, contestant, name, args.threads)
            if "stopped" in run:
                stopped[contestant] = run["stopped"]
                continue
            runs[contestant].append(run)
            log.add({**stamp, "what": "train", "repetition": repetition, "load": os.getloadavg()[0], **run})
            print("  run %d  %-20s %7.2f CPU s" % (repetition + 1, contestant, run["total_cpu"] or run["total_wall"]),
                  file=sys.stderr, flush=True)
    runs = {contestant: measured for contestant, measured in runs.items() if measured}
    if runs:
        print("%d thread(s), medians of %d; export, dataset, train and total in CPU seconds, wall in seconds; core: "
              "without the export; foreign: cores that others used" % (args.threads, args.reps))
        print(summary(runs))
        for mine in train_one.GROVE:
            if mine in runs:
                print("\n" + ratios(runs, mine))
        print("\n".join(intake_lines(runs, yardstick)))
        main_ratio(runs, name)
    for contestant, why in stopped.items():
        print("  %s: %s" % (contestant, why))
    return any(why.startswith("failed") for why in stopped.values())


def main_ratio(runs, name):
    if "grove" in runs and "lightgbm" in runs:
        ratio = measure.paired_ratio(column(runs, "grove", "total_cpu"), column(runs, "lightgbm", "core_cpu"))
        ours, peer = (measure.median(column(runs, who, "auc")) for who in ("grove", "lightgbm"))
        if ratio:
            print("MAIN %s: reading + binning + training / LightGBM's dataset + training alone = %.2f (%.2f to %.2f)%s"
                  % ((name,) + ratio + (", AUC %+.4f" % (ours - peer) if ours and peer else "",)))


def arguments():
    known = list(train_one.GROVE) + list(train_one.PEERS)
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], prog="test/bench/run.sh")
    parser.add_argument("--conninfo", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--tables", default=",".join(USUAL_TABLES), help="of %s" % ", ".join(
        name for name in tables.TABLES if tables.TABLES[name].label))
    parser.add_argument("--peers", default=",".join(train_one.PEERS), help="of " + ", ".join(train_one.PEERS))
    parser.add_argument("--ours", default="grove", help="of %s; none: peers only" % ", ".join(train_one.GROVE))
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of each contestant (ours: the leader and workers)")
    parser.add_argument("--quick", action="store_true", help="one run of LightGBM and XGBoost on events50k")
    parser.add_argument("--log", default="build/bench.jsonl", help="file that gets the JSON lines")
    args = parser.parse_args()
    if args.quick:
        args.tables, args.peers, args.reps = "events50k", "lightgbm,xgboost-depth6", 1
    args.contestants = [name for name in (args.ours + "," + args.peers).split(",") if name and name != "none"]
    for name in args.contestants:
        if name not in known:
            parser.error('no contestant "%s"; there are %s' % (name, ", ".join(known)))
    args.tables = args.tables.split(",")
    for name in args.tables:
        if name not in tables.TABLES or not tables.TABLES[name].label:
            parser.error('no table "%s" to train on' % name)
    return args


def main():
    args = arguments()
    log = measure.Log(args.log)
    facts = measure.machine()
    facts["others"] = measure.idle_check()
    stamp = {"at": datetime.datetime.now().isoformat(timespec="seconds"), **facts}
    print("machine: %(processor)s, %(cores)d cores, %(memory_gib).1f GiB; load %(load_before).2f, "
          "%(others).2f cores in use by others" % facts)
    server = tables.connect(args.conninfo)
    print("server: PostgreSQL %s, shared_buffers %s, jit off" % (
        tables.run(server, "SHOW server_version")[0], tables.run(server, "SHOW shared_buffers")[0]))
    server.close()
    failed = [bench_table(args, name, log, stamp) for name in args.tables]
    sys.exit(1 if any(failed) else 0)


if __name__ == "__main__":
    main()
