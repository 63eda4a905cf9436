"""Table to model: ours next to its peers, on the same rows, in the same run.

Runs train_one.py again and again, interleaved (ours, peer, peer, ..., ours, ...; each with every number of threads in
turn), and prints for each table the medians, the ratios of neighbouring runs, what was set out for, and what the
machine did besides.  Every measurement is kept as a JSON line.
"""
import os
import sys

import contest
import measure
import tables
import train_goals
import train_one
from train_goals import column, spread

USUAL_TABLES = ["events", "visits", "events50k", "wide200", "levels", "small5k", "long10m"]
REPETITIONS = {"small5k": 15}             # of tables that differ from the usual ones: a run takes a tenth of a second
USUAL_REPETITIONS = 3


def scan_yardstick(conninfo, name):
    """CPU of the cheapest statement that reads every number of the training rows: what intake can not go below."""
    numeric = tables.TABLES[name].numeric
    if not numeric:
        return None
    conn = tables.connect(conninfo)
    tables.touch(conn, name)
    with measure.Cost(conn) as cost:
        tables.run(conn, "SELECT %s FROM %s WHERE id %% 5 <> 0" % (" + ".join("sum(%s)" % f for f in numeric), name))
    conn.close()
    return cost.backend


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
                    for title, (ours, theirs) in RATIOS.items()} for peer in train_goals.peers_of(runs)}
    if not found:
        return ""
    best = {title: max((of_peer[title] for of_peer in found.values() if of_peer[title]), default=None)
            for title in RATIOS}
    rows = [[name] + [ratio and spread(ratio) for ratio in of_peer.values()]
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
        if rates:
            lines.append("  %s intake: %s" % (contestant, ", ".join(rates)))
        over_scan = train_goals.over_scan(runs, yardstick, contestant)
        if over_scan:
            lines.append("  %s intake / scan that sums the numeric features, CPU: %s" % (contestant, spread(over_scan)))
    for unjudged in {run["unjudged"] for measured in runs.values() for run in measured if "unjudged" in run}:
        lines.append("  no AUC: " + unjudged)
    if measure.median(yardstick):
        lines.append("  scan that sums every numeric feature of the same rows: %.3f CPU s" % measure.median(yardstick))
    return lines


def print_results(runs, yardstick, name, threads):
    print("\n%s, %d thread(s), medians of %d; export, dataset, train and total in CPU seconds, wall in seconds; core: "
          "without the export; foreign: cores that others used" % (name, threads, len(yardstick)))
    print(summary(runs))
    for mine in train_one.GROVE:
        if mine in runs:
            print("\n" + ratios(runs, mine))
    print("\n".join(stage_lines(runs, yardstick)))
    main_ratio(runs, name)


def print_goals(title, rows):
    if rows:
        print("\n" + measure.table_text([title] + train_goals.HEAD, rows))


def judge(runs, yardstick, name):
    """Prints what came out for each number of threads and how much threads help; returns the lines of GOALS that have
    a target, with what they are about."""
    judged = []
    for threads in runs:
        if not runs[threads]:
            continue
        print_results(runs[threads], yardstick, name, threads)
        for mine in train_one.GROVE:
            if mine in runs[threads]:
                rows = train_goals.rows(runs[threads], yardstick, name, threads, mine)
                print_goals("%s, %s / best peer, %d thread(s)" % (name, mine, threads), rows)
                judged += [["%s, %s, %d: %s" % (name, mine, threads, row[0])] + row[1:] for row in rows]
    if 1 in runs and 2 in runs:
        rows = [["%s: %s" % (contestant, row[0])] + row[1:] for contestant in runs[1] if contestant in runs[2]
                for row in train_goals.speed_up_rows(runs[1], runs[2], name, contestant)]
        print_goals(name, rows)
        judged += [["%s, %s" % (name, row[0])] + row[1:] for row in rows]
    return [row for row in judged if row[2] is not None]


def bench_table(args, name, log, stamp):
    """Measures everybody on one table and prints what came out; returns the goals, and true when somebody failed."""
    conn = tables.connect(args.conninfo)
    seconds = tables.load(conn, name)
    conn.close()
    print("\n== %s: %d rows, %s features%s" % (
        name, tables.TABLES[name].rows, len(tables.TABLES[name].numeric + tables.TABLES[name].text),
        ", loaded in %.0f s" % seconds if seconds else ""), flush=True)
    stopped, yardstick = {}, []
    runs = {threads: {contestant: [] for contestant in args.contestants} for threads in args.threads}
    for repetition in range(args.reps or REPETITIONS.get(name, USUAL_REPETITIONS)):
        yardstick.append(scan_yardstick(args.conninfo, name))
        for contestant in args.contestants:
            for threads in args.threads:
                if contestant in stopped:
                    continue
                run = contest.run_one(args, contestant, name, threads)
                if "stopped" in run:
                    stopped[contestant] = run["stopped"]
                    continue
                runs[threads][contestant].append(run)
                log.add({**stamp, "what": "train", "repetition": repetition, "load": os.getloadavg()[0], **run})
                print("  run %d  %-20s %d thread(s) %7.2f CPU s" % (
                    repetition + 1, contestant, threads, run["total_cpu"] or run["total_wall"]),
                      file=sys.stderr, flush=True)
    for threads, of_all in runs.items():
        runs[threads] = {contestant: measured for contestant, measured in of_all.items() if measured}
    goals = judge(runs, yardstick, name)
    for contestant, why in stopped.items():
        print("  %s: %s" % (contestant, why))
    sys.stdout.flush()
    return goals, any(why.startswith("failed") for why in stopped.values())


def main_ratio(runs, name):
    if "grove" in runs and "lightgbm" in runs:
        ratio = measure.paired_ratio(column(runs, "grove", "total_cpu"), column(runs, "lightgbm", "core_cpu"))
        ours, peer = (measure.median(column(runs, who, "auc")) for who in ("grove", "lightgbm"))
        if ratio:
            print("MAIN %s: reading + binning + training / LightGBM's dataset + training alone = %.2f (%.2f to %.2f)%s"
                  % ((name,) + ratio + (", AUC %+.4f" % (ours - peer) if ours and peer else "",)))


def thread_counts(text):
    return [int(count) for count in text.split(",")]


def arguments():
    parser = contest.parser("run.sh", __doc__, USUAL_TABLES, ["grove", "grove-goss"])
    parser.add_argument("--reps", type=int, help="default: %d, %s" % (
        USUAL_REPETITIONS, ", ".join("%d on %s" % (count, name) for name, count in REPETITIONS.items())))
    parser.add_argument("--threads", type=thread_counts, default=[1, 2], metavar="N[,N]",
                        help="of each contestant (ours: the leader and workers); default: 1,2")
    parser.add_argument("--quick", action="store_true", help="one run of LightGBM and XGBoost on events50k, one thread")
    args = parser.parse_args()
    if args.quick:
        args.tables, args.ours, args.peers = ["events50k"], ["grove"], ["lightgbm", "xgboost-depth6"]
        args.threads, args.reps = [1], 1
    args.contestants = args.ours + args.peers
    return args


def main():
    args = arguments()
    log, stamp = contest.begin(args)
    done = [bench_table(args, name, log, stamp) for name in args.tables]
    print_goals("everything that has a target", [goal for goals, _ in done for goal in goals])
    sys.exit(1 if any(failed for _, failed in done) else 0)


if __name__ == "__main__":
    main()
