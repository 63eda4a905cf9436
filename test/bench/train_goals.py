"""What training has set out for, and how far a run of the benchmark got: ours over the best peer of each line.

runs: contestant -> its measurements (records of train_one.py), of which those with the same place stood next to each
other.
"""
from collections import namedtuple

import measure
import train_one

# A ratio: of which key of ours to which of theirs; threads: of how many (None: any); peers: beside whom (None: all);
# targets: table -> at most so much.
Goal = namedtuple("Goal", "title ours theirs threads targets peers", defaults=[None])
GOALS = [
    Goal("table to model, wall", "total_wall", "total_wall", 2, {"events": 0.35}),
    Goal("table to model, CPU", "total_cpu", "total_cpu", 1, {"events": 0.30, "visits": 0.35}),
    Goal("reading + binning / export + dataset, CPU", "intake_cpu", "prepare_cpu", 1, {"events": 0.12}),
    Goal("trees / training, CPU", "trees_cpu", "grow_cpu", 1, {"events": 0.45}),
    Goal("peak memory", "peak_mib", "peak_mib", None, {"events": 0.25}),
    Goal("table to model / LightGBM's, wall", "total_wall", "total_wall", None, {"small5k": 1.0, "levels": 1.0},
         ["lightgbm"]),
    Goal("table to model / LightGBM's, CPU", "total_cpu", "total_cpu", 1, {"small5k": 1.0, "levels": 1.0},
         ["lightgbm"]),
]
OVER_SCAN = {"events": 1.3}
AUC = -0.001
# where the AUC of one hold-out is nothing but noise, one run has no target; several draws have (quality.sh)
AUC_NOISE = ["small5k"]
# tables on which processes are worth their start; what one process takes over what two take, by the clock
SPEED_UP, SPEED_UP_TABLES = 1.6, ["events", "visits", "wide200", "long10m"]
HEAD = ["measured", "target", "reached", "best peer"]
READABLE = 0.05                             # the parts of ours are told in steps of 10 ms: less is no measurement


def column(runs, contestant, key):
    return [run.get(key) for run in runs[contestant]]


def peers_of(runs):
    return [contestant for contestant in runs if contestant in train_one.PEERS]


def row(title, measured, target, reached, peer="-"):
    return [title, measured, None if target is None else "%g" % target,
            None if target is None else "yes" if reached else "no", peer]


def ratio_row(title, ratio, target, peer="-"):
    return row(title, spread(ratio), target, target is not None and ratio[0] <= target, peer)


def spread(ratio):
    return "%.2f (%.2f-%.2f)" % ratio


def readable(runs, mine, key):
    middle = measure.median(column(runs, mine, key))
    return middle is not None and middle >= READABLE


def best_peer(runs, mine, goal):
    """(ratio with its spread, peer): ours over the peer that it looks worst beside."""
    found = [(measure.paired_ratio(column(runs, mine, goal.ours), column(runs, peer, goal.theirs)), peer)
             for peer in peers_of(runs) if goal.peers is None or peer in goal.peers]
    return max(((ratio, peer) for ratio, peer in found if ratio), default=None)


def over_scan(runs, yardstick, mine):
    if not readable(runs, mine, "intake_cpu"):
        return None
    return measure.paired_ratio(column(runs, mine, "intake_cpu"), yardstick)


def rows(runs, yardstick, name, threads, mine):
    """The lines of one table with one number of threads."""
    found = []
    for goal in GOALS:
        if goal.threads not in (None, threads) or not readable(runs, mine, goal.ours):
            continue
        best = best_peer(runs, mine, goal) if goal.peers is None or name in goal.targets else None
        if best:
            found.append(ratio_row(goal.title, best[0], goal.targets.get(name), best[1]))
    scan = over_scan(runs, yardstick, mine) if threads == 1 else None
    if scan:
        found.append(ratio_row("reading + binning / scan that sums, CPU", scan, OVER_SCAN.get(name)))
    judged = [(measure.median(column(runs, peer, "auc")), peer) for peer in peers_of(runs)]
    judged = max(((auc, peer) for auc, peer in judged if auc is not None), default=None)
    own = measure.median(column(runs, mine, "auc"))
    if judged and own is not None:
        found.append(row("hold-out AUC minus the best peer's, this draw", "%+.4f" % (own - judged[0]),
                         None if name in AUC_NOISE else AUC, own - judged[0] >= AUC, judged[1]))
    return found


def speed_up_rows(one, two, name, contestant):
    """How much faster two threads are than one."""
    ours = contestant in train_one.GROVE
    found = []
    for title, key in (("trees", "trees_wall" if ours else "train_wall"), ("table to model", "total_wall")):
        ratio = measure.paired_ratio(column(one, contestant, key), column(two, contestant, key))
        if ratio and (not ours or readable(two, contestant, key)):
            target = SPEED_UP if ours and name in SPEED_UP_TABLES else None
            found.append(row("%s, 1 / 2 threads, wall" % title, spread(ratio), target, ratio[0] >= SPEED_UP))
    return found
