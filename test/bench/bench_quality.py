"""Quality of models: ours next to its peers, on many draws of the same table.

The AUC of one hold-out moves by more than what contestants differ in when a table is drawn anew or only a seed of the
training changes, so that one draw ranks nobody.  Here everybody trains once on each of several tables that differ in
the generator's seed alone; the differences are paired (same rows, same hold-out), which leaves a standard error small
enough to judge by.  Times mean nothing here; run.sh is for those.
"""
import statistics
import sys

import contest
import measure
import tables
import train_goals
import train_one

USUAL_TABLES = ["events", "visits", "wide200", "events50k"]
MEASURES = {"AUC": "auc", "log-loss": "log_loss"}


def mean_and_error(values):
    """Mean of what the draws gave, and its standard error (None of a single draw)."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return statistics.fmean(values), error


def shown(mean, error, sign=""):
    return [("%" + sign + ".5f") % mean, error if error is None else "%.5f" % error]


def paired(runs, mine, peer, key):
    return mean_and_error([ours[key] - theirs[key] for ours, theirs in zip(runs[mine], runs[peer])])


def with_errors(title, named, sign=""):
    """name -> (mean, error) of each measure, as a table."""
    head = [cell for name in MEASURES for cell in (name, "s.e.")]
    return measure.table_text([title] + head, [
        [name] + [cell for pair in pairs for cell in shown(*pair, sign)] for name, pairs in named.items()])


def means(runs):
    return with_errors("means", {
        contestant: [mean_and_error([run[key] for run in measured]) for key in MEASURES.values()]
        for contestant, measured in runs.items()})


def differences(runs, mine):
    return with_errors(mine + " minus", {peer: [paired(runs, mine, peer, key) for key in MEASURES.values()]
                                         for peer in train_goals.peers_of(runs)}, "+")


def goal(runs):
    """The goal for each of ours, beside the peer that is best by its mean; the last column tells whether the mean is
    more than two standard errors away from the target."""
    average = {peer: statistics.fmean(run["auc"] for run in runs[peer]) for peer in train_goals.peers_of(runs)}
    best = max(average, key=average.get)
    rows = []
    for mine in train_one.GROVE:
        if mine in runs:
            mean, error = paired(runs, mine, best, "auc")
            clear = None if error is None else "yes" if abs(mean - train_goals.AUC) > 2 * error else "no"
            difference, spread = shown(mean, error, "+")
            rows.append(train_goals.row("hold-out AUC, %s minus the best peer's" % mine, difference, train_goals.AUC,
                                        mean >= train_goals.AUC, best) + [spread, clear])
    return measure.table_text(["goal"] + train_goals.HEAD + ["s.e.", "clear"], rows)


def run_draws(args, name, log, stamp):
    """(runs, stopped): everybody once on each draw; who failed on one is left out of all."""
    runs, stopped = {contestant: [] for contestant in args.ours + args.peers}, {}
    conn = tables.connect(args.conninfo)
    try:
        for draw in range(1, args.draws + 1):
            tables.load_draw(conn, name, draw, args.rows)
            for contestant in [who for who in runs if who not in stopped]:
                run = contest.run_one(args, contestant, name, args.threads, tables.DRAWS)
                if "auc" not in run:
                    stopped[contestant] = run.get("stopped") or "no AUC: " + run["unjudged"]
                    continue
                runs[contestant].append(run)
                log.add({**stamp, "what": "quality", "draw": draw, **run})
                print("  draw %d  %-20s AUC %.5f" % (draw, contestant, run["auc"]), file=sys.stderr, flush=True)
    finally:
        tables.drop_draws(conn)
        conn.close()
    return {who: measured for who, measured in runs.items() if who not in stopped}, stopped


def judge_table(args, name, log, stamp):
    """True when somebody failed."""
    runs, stopped = run_draws(args, name, log, stamp)
    print("\n== %s: %d draws of %d rows" % (name, args.draws, args.rows or tables.TABLES[name].rows))
    if runs:
        print(means(runs))
    if train_goals.peers_of(runs):
        for mine in train_one.GROVE:
            if mine in runs:
                print("\n" + differences(runs, mine))
        print("\n" + goal(runs))
    for contestant, why in stopped.items():
        print("  %s: %s" % (contestant, why))
    sys.stdout.flush()
    return any(not why.startswith("skipped") for why in stopped.values())


def main():
    parser = contest.parser("quality.sh", __doc__, USUAL_TABLES, list(train_one.GROVE))
    parser.add_argument("--draws", type=int, default=10, help="tables that are drawn of each; default: 10")
    parser.add_argument("--rows", type=int, help="of a draw, the hold-out included; default: those of the table")
    parser.add_argument("--threads", type=int, default=2, help="of each contestant; default: 2")
    args = parser.parse_args()
    log, stamp = contest.begin(args)
    failed = [judge_table(args, name, log, stamp) for name in args.tables]
    sys.exit(1 if any(failed) else 0)


if __name__ == "__main__":
    main()
