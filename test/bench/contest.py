"""What run.sh and quality.sh share: who takes part, one training in a process of its own, the head of the results."""
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
LIMIT_SECONDS = 3600


def parser(program, description, usual_tables, usual_ours):
    """The options that both have; the tables must be some that one can train on."""
    made = argparse.ArgumentParser(description=description.split("\n")[0], prog="test/bench/" + program)
    known = [name for name in tables.TABLES if tables.TABLES[name].label]
    made.add_argument("--conninfo", required=True, help=argparse.SUPPRESS)
    made.add_argument("--tables", type=names_of(known), default=usual_tables, help="of %s; default: %s" % (
        ", ".join(known), ",".join(usual_tables)))
    made.add_argument("--peers", type=names_of(train_one.PEERS), default=list(train_one.PEERS),
                      help="of %s; none: only ours; default: all" % ", ".join(train_one.PEERS))
    made.add_argument("--ours", type=names_of(train_one.GROVE), default=usual_ours,
                      help="of %s; none: peers only; default: %s" % (", ".join(train_one.GROVE), ",".join(usual_ours)))
    made.add_argument("--log", default="build/bench.jsonl", help="file that gets the JSON lines")
    return made


def names_of(known):
    """Type of an option that lists names with commas."""
    def names(text):
        listed = [name for name in text.split(",") if name and name != "none"]
        for name in listed:
            if name not in known:
                raise argparse.ArgumentTypeError('no "%s"; there are %s' % (name, ", ".join(known)))
        return listed
    return names


def run_one(args, contestant, table, threads, schema=tables.SCHEMA):
    environment = dict(os.environ, OMP_WAIT_POLICY="PASSIVE", OMP_NUM_THREADS=str(threads))
    command = [sys.executable, "-B", os.path.join(HERE, "train_one.py"), args.conninfo, contestant, table, str(threads),
               schema]
    try:
        done = subprocess.run(command, env=environment, timeout=LIMIT_SECONDS, capture_output=True, text=True)
    except subprocess.TimeoutExpired:
        return {"stopped": "failed: longer than %d s" % LIMIT_SECONDS}
    if done.returncode:
        return {"stopped": "failed: " + (done.stderr.strip().splitlines() or ["exit %d" % done.returncode])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def begin(args):
    """Prints machine and server; returns the log and what each of its lines begins with."""
    facts = measure.machine()
    facts["others"] = measure.idle_check()
    print("machine: %(processor)s, %(cores)d cores, %(memory_gib).1f GiB; load %(load_before).2f, "
          "%(others).2f cores in use by others" % facts)
    server = tables.connect(args.conninfo)
    print("server: PostgreSQL %s, shared_buffers %s, jit off" % (
        tables.run(server, "SHOW server_version")[0], tables.run(server, "SHOW shared_buffers")[0]), flush=True)
    server.close()
    return measure.Log(args.log), {"at": datetime.datetime.now().isoformat(timespec="seconds"), **facts}
