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
    tables.touch(conn, name)
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


def stage_lines(runs, yardstick):
    """What training says of its parts, and beside it the scan that reads the same rows."""
    lines = []
    for contestant in train_one.GROVE:
        def middle(key):
            return measure.median(column(runs, contestant, key))

        if contestant not in runs or middle("trees_cpu") is None:
            continue
        lines.append("  %s, CPU s of its backend: intake %.2f (first reading %.2f, second %.2f), trees %.2f%s; by the clock: "
                     "intake %.2f, trees %.2f" % (
                         contestant, middle("intake_cpu"), middle("first_cpu"), middle("second_cpu"), middle("trees_cpu"),
                         ", of its workers %.2f" % middle("workers_cpu") if middle("workers_cpu") else "",
                         middle("intake_wall"), middle("trees_wall")))
        rates = ["%.0f rows per %s" % (middle("rows") / middle(key), unit) for key, unit in (
            ("intake_cpu", "CPU second"), ("intake_wall", "second by the clock")) if middle(key)]
        lines.append("  %s intake: %s" % (contestant, ", ".join(rates)))
        over_scan = measure.paired_ratio(column(runs, contestant, "intake_cpu"), yardstick)
        if over_scan:
            lines.append("  %s intake / scan that sums the numeric features, CPU: %.2f (%.2f-%.2f)" % (
                (contestant,) + over_scan))
    for unjudged in {run["unjudged"] for measured in runs.values() for run in measured if "unjudged" in run}:
        lines.append("  no AUC: " + unjudged)
    if measure.median(yardstick):
        lines.append("  scan that sums every numeric feature of the same rows: %.3f CPU s" % measure.median(yardstick))
    return lines


# title, key of ours, key of theirs, threads (None: any), table -> what the ratio is meant to reach
GOALS = [
    ("table to model, wall", "total_wall", "total_wall", 2, {"events": 0.35}),
    ("table to model, CPU", "total_cpu", "total_cpu", 1, {"events": 0.30, "visits": 0.35}),
    ("reading + binning / export + dataset, CPU", "intake_cpu", "prepare_cpu", 1, {"events": 0.12}),
    ("trees / training, CPU", "trees_cpu", "grow_cpu", 1, {"events": 0.45}),
    ("peak memory", "peak_mib", "peak_mib", None, {"events": 0.25}),
]
GOAL_OVER_SCAN = {"events": 1.3}
GOAL_AUC = -0.001


def best_peer(runs, mine, ours, theirs):
    """(ratio, peer): ours over the peer that it looks worst beside."""
    found = [(measure.paired_ratio(column(runs, mine, ours), column(runs, peer, theirs)), peer)
             for peer in runs if peer in train_one.PEERS]
    return max(((ratio[0], peer) for ratio, peer in found if ratio), default=None)


def goals(runs, yardstick, name, threads, mine="grove"):
    """What was set out for, row by row: ours over the best peer of that row, and the target where this table has one."""
    rows = []

    def add(title, value, peer, target, good):
        rows.append([title, "%.4f" % value if "AUC" in title else "%.2f" % value, target and "%g" % target,
                     None if target is None else "yes" if good else "no", peer])

    for title, ours, theirs, on, targets in GOALS:
        best = best_peer(runs, mine, ours, theirs) if on in (None, threads) else None
        if best:
            target = targets.get(name)
            add(title, best[0], best[1], target, target is not None and best[0] <= target)
    over_scan = measure.paired_ratio(column(runs, mine, "intake_cpu"), yardstick) if threads == 1 else None
    if over_scan:
        target = GOAL_OVER_SCAN.get(name)
        add("reading + binning / scan that sums, CPU", over_scan[0], "-", target,
            target is not None and over_scan[0] <= target)
    judged = [(measure.median(column(runs, peer, "auc")), peer) for peer in runs if peer in train_one.PEERS]
    judged = max(((auc, peer) for auc, peer in judged if auc is not None), default=None)
    own = measure.median(column(runs, mine, "auc"))
    if judged and own is not None:
        add("AUC minus the best peer's", own - judged[0], judged[1], GOAL_AUC, own - judged[0] >= GOAL_AUC)
    return measure.table_text(["goal, ours / best peer", "measured", "target", "reached", "best peer"], rows) if rows else ""


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
        print("\n".join(stage_lines(runs, yardstick)))
        if "grove" in runs:
            print("\n" + goals(runs, yardstick, name, args.threads) + "\n")
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
