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
        return {"skipped": "longer than %d s" % LIMIT_SECONDS}
    if done.returncode:
        return {"skipped": (done.stderr.strip().splitlines() or ["exit %d" % done.returncode])[-1]}
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
    head = ["", "export", "dataset", "train", "total cpu", "wall", "peak MiB", "AUC", "log-loss", "foreign"]
    rows = []
    for contestant, measured in runs.items():
        def middle(key):
            return measure.median([run.get(key) for run in measured])

        export, backend, quality = middle("export_cpu"), middle("export_backend"), middle("auc")
        loss, peak = middle("log_loss"), middle("peak_mib")
        rows.append([contestant, export and export + (backend or 0), middle("dataset_cpu"), middle("train_cpu"),
                     middle("total_cpu"), middle("total_wall"), peak and round(peak),
                     quality and "%.4f" % quality, loss and "%.4f" % loss, middle("foreign")])
    return measure.table_text(head, rows)


def ratio_line(label, ratio):
    return "  %-58s %.2f  (%.2f to %.2f)" % ((label,) + ratio) if ratio else "  %-58s -" % label


def ratios(runs):
    ours = [contestant for contestant in runs if contestant in train_one.GROVE]
    peers = [contestant for contestant in runs if contestant in train_one.PEERS]
    lines = []
    for mine in ours:
        total, peak = column(runs, mine, "total_cpu"), column(runs, mine, "peak_mib")
        for key, share in (("total_cpu", "export + dataset + training, CPU"),
                           ("core_cpu", "dataset + training alone, CPU")):
            found = {peer: measure.paired_ratio(total, column(runs, peer, key)) for peer in peers}
            lines += [ratio_line("%s, all / %s, %s" % (mine, peer, share), found[peer]) for peer in peers]
            if any(found.values()):
                best = max((peer for peer in peers if found[peer]), key=lambda peer: found[peer][0])
                lines.append(ratio_line("%s, all / best peer (%s)" % (mine, best), found[best]))
        walls = {peer: measure.paired_ratio(column(runs, mine, "total_wall"), column(runs, peer, "total_wall"))
                 for peer in peers}
        lines += [ratio_line("%s / %s, table to model, wall" % (mine, peer), walls[peer]) for peer in peers]
        lines += [ratio_line("%s / %s, peak memory" % (mine, peer),
                             measure.paired_ratio(peak, column(runs, peer, "peak_mib"))) for peer in peers]
    return lines


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
    if yardstick:
        lines.append("  scan that sums every numeric feature of the same rows: %.3f CPU s" % measure.median(yardstick))
    return lines


def bench_table(args, name, log, stamp):
    conn = tables.connect(args.conninfo)
    seconds = tables.load(conn, name)
    conn.close()
    print("\n== %s: %d rows, %s features%s" % (
        name, tables.TABLES[name].rows, len(tables.TABLES[name].numeric + tables.TABLES[name].text),
        ", loaded in %.0f s" % seconds if seconds else ""), flush=True)
    contestants, skipped, yardstick = list(args.contestants), {}, []
    runs = {contestant: [] for contestant in contestants}
    for repetition in range(args.reps):
        yardstick.append(scan_yardstick(args.conninfo, name))
        for contestant in contestants:
            if contestant in skipped:
                continue
            run = run_one(args, contestant, name, args.threads)
            if "skipped" in run:
                skipped[contestant] = run["skipped"]
                continue
            runs[contestant].append(run)
            log.add({**stamp, "what": "train", "repetition": repetition, "load": os.getloadavg()[0], **run})
            print("  run %d  %-20s %7.2f CPU s" % (repetition + 1, contestant, run["total_cpu"] or run["total_wall"]),
                  file=sys.stderr, flush=True)
    runs = {contestant: measured for contestant, measured in runs.items() if measured}
    if runs:
        print("%d thread(s), medians of %d; export, dataset, train and total in CPU seconds, wall in seconds; "
              "foreign: cores that others used" % (args.threads, args.reps))
        print(summary(runs))
        print("\n".join(ratios(runs) + intake_lines(runs, [value for value in yardstick if value])))
        main_ratio(runs, name)
    for contestant, why in skipped.items():
        print("  skipped: %s: %s" % (contestant, why))


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
    for name in args.tables:
        bench_table(args, name, log, stamp)


if __name__ == "__main__":
    main()
